//! The broker's state as the wire shows it.

use keybearer_control::error::{Code, Error, Exactly};
use keybearer_control::snapshot::{
    Auth, Because, Client, ClientBy, Evidence, KeyStore, NearEnd, Server, SignIn, SignInFailure, Snapshot,
};
use keybearer_control::wire::{Reply, Revocation};
use keybearer_core::broker::{Broker, ChangeError};
use keybearer_core::clients::Registered;
use keybearer_core::config::{AuthConfig, Problem, ServerConfig};
use keybearer_core::foresight;
use keybearer_core::keeper::{self, Offered, SignInState, Standing};
use keybearer_core::ports::{KeyStoreKind, SurfaceError};
use keybearer_core::sign_in::{DeviceCode, SignInError, Told};
use keybearer_model::name::ServerName;

use crate::doors::Doors;
use crate::{programs, prompts};

/// The whole state.
pub(crate) fn snapshot(broker: &Broker, doors: &Doors) -> Snapshot {
    Snapshot {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        servers: servers(broker),
        clients: broker.clients().sorted().into_iter().map(|registered| client(registered)).collect(),
        key_store: match broker.key_store() {
            KeyStoreKind::System => KeyStore::System,
            KeyStoreKind::MemoryByChoice => KeyStore::MemoryByChoice,
            KeyStoreKind::MemoryForWant => KeyStore::MemoryForWant,
        },
        http_door: doors.http.borrow().clone(),
        container_door: doors.container.borrow().clone(),
        socket_door: doors.socket.clone(),
        stopped: broker.is_stopped(),
        permissions: broker.permissions().iter().map(|consent| prompts::permission(consent)).collect(),
        problems: problems(broker),
    }
}

fn problems(broker: &Broker) -> Vec<Error> {
    let config = broker.problems();
    let of_config = config.iter().map(|problem| config_problem(broker, problem));
    of_config.chain(broker.changed_programs().iter().map(programs::changed)).collect()
}

fn near_end(near: &foresight::NearEnd) -> NearEnd {
    NearEnd {
        at: near.foreseen.at.to_string(),
        by: match near.foreseen.by {
            foresight::Evidence::Issuer => Evidence::Issuer,
            foresight::Evidence::Set => Evidence::Set,
            foresight::Evidence::Experience => Evidence::Experience,
        },
        told_at: near.told_at.map(|at| at.to_string()),
    }
}

/// What became of a token at the issuer.
pub(crate) fn revocation(revocation: keeper::Revocation) -> Revocation {
    match revocation {
        keeper::Revocation::Revoked => Revocation::Revoked,
        keeper::Revocation::NotOffered => Revocation::NotOffered,
        keeper::Revocation::Failed(detail) => Revocation::Failed { detail },
        keeper::Revocation::Nothing => Revocation::Nothing,
    }
}

/// Every server, by name.
pub(crate) fn servers(broker: &Broker) -> Vec<Server> {
    let all = broker.servers();
    let of_one = |mine: &ServerName, state: &SignInState| {
        let others = all.iter().filter(|(name, (_, other))| *name != mine && other.sign_in == state.sign_in);
        state.sign_in.as_ref().map_or_else(Vec::new, |_| others.map(|(name, _)| name.to_string()).collect())
    };
    all.iter().map(|(name, (config, state))| server(name, config, state, of_one(name, state))).collect()
}

fn server(name: &ServerName, config: &ServerConfig, state: &SignInState, shares_with: Vec<String>) -> Server {
    Server {
        name: name.to_string(),
        url: config.url.to_string(),
        auth: match config.auth {
            AuthConfig::OAuth(_) => Auth::Oauth,
            AuthConfig::Header { .. } => Auth::Header,
            AuthConfig::None => Auth::None,
        },
        state: match &state.standing {
            Standing::Unknown => SignIn::Unknown,
            Standing::Ready => SignIn::Ready,
            Standing::SignedIn { saved } => SignIn::SignedIn { saved: *saved },
            Standing::Renewing => SignIn::Renewing,
            Standing::SigningIn => SignIn::SigningIn,
            Standing::Needed(because) => SignIn::Needed { because: reason(because) },
            Standing::Refused(offered) => SignIn::Refused { detail: refused(*offered).to_owned() },
            Standing::Unreachable { detail, since } => {
                SignIn::Unreachable { detail: detail.clone(), since: since.to_string() }
            }
            Standing::KeyStore(error) => SignIn::KeyStore { detail: error.to_string() },
        },
        account: state.account.as_ref().map(ToString::to_string),
        issuer: state.issuer.clone(),
        deviations: state.deviations.clone(),
        ends: state.ends.as_ref().map(near_end),
        shares_with,
    }
}

fn reason(because: &keeper::Because) -> Because {
    match because {
        keeper::Because::NeverSignedIn => Because::NeverSignedIn,
        keeper::Because::Ended { at } => Because::Ended { at: at.to_string() },
        keeper::Because::Interrupted { at } => Because::Interrupted { at: at.to_string() },
        keeper::Because::SignedOut => Because::SignedOut,
        keeper::Because::NotKept => Because::NotKept,
        keeper::Because::AccountChanged { before, now } => {
            Because::AccountChanged { before: before.to_string(), now: now.to_string() }
        }
        keeper::Because::Failed { how, detail } => Because::Failed { how: failure(*how), detail: detail.clone() },
        keeper::Because::NoHeader => Because::NoHeader,
        keeper::Because::UnusableHeader => Because::UnusableHeader,
    }
}

fn refused(offered: Offered) -> &'static str {
    match offered {
        Offered::Bearer => "it answers 401 to a token that the company sign-in has just given",
        Offered::Header => "it answers 401 to the header that was set for it",
        Offered::Nothing => "it answers 401, and `auth = \"none\"` is set for it",
    }
}

/// One client.
pub(crate) fn client(registered: &Registered) -> Client {
    let stored = &registered.stored;
    Client {
        name: stored.name.to_string(),
        by: match &stored.program {
            Some(path) => ClientBy::Program { path: path.clone() },
            None => ClientBy::Key,
        },
        servers: stored.servers.iter().map(ToString::to_string).collect(),
        since: stored.since.to_string(),
        last_seen: registered.last_seen().map(|seen| seen.to_string()),
    }
}

/// A problem of `config.toml`, with its place.
pub(crate) fn config_problem(broker: &Broker, problem: &Problem) -> Error {
    let file = broker.places().config_file.display();
    let message = match problem.line {
        Some(line) => format!("{file}:{line}: {}", problem.message),
        None => format!("{file}: {}", problem.message),
    };
    let mut error = Error::new(Code::BrokenConfig, message);
    if let Some(line) = problem.line.and_then(|line| u32::try_from(line).ok()) {
        error = error.exactly(Exactly::Line { line });
    }
    match &problem.hint {
        Some(hint) => error.hint(hint.clone()),
        None => error,
    }
}

/// Why a change was not made.
pub(crate) fn change_error(broker: &Broker, error: &ChangeError) -> Error {
    let message = error.to_string();
    match error {
        ChangeError::UnknownServer(name) => Error::new(Code::UnknownServer, message)
            .exactly(Exactly::NoServer { name: name.to_string() })
            .hint("see the names with `keybearer servers list`"),
        ChangeError::UnknownClient(name) => Error::new(Code::UnknownClient, message)
            .exactly(Exactly::NoClient { name: name.to_string() })
            .hint("see the names with `keybearer clients list`"),
        ChangeError::NameTaken(name) => Error::new(Code::NameTaken, message)
            .exactly(Exactly::Taken { name: name.clone() })
            .hint("choose another name, or remove that one"),
        ChangeError::Config(problems) => match problems.first() {
            Some(problem) => config_problem(broker, problem),
            None => Error::new(Code::BrokenConfig, message),
        },
        ChangeError::NotSaved(_) => Error::new(Code::NotSaved, message),
        ChangeError::KeyStore(_) => Error::new(Code::KeyStore, message).hint("unlock the keychain, then try again"),
    }
}

/// What a person needs to sign in where nothing is opened for them.
pub(crate) fn told(told: Told) -> Reply {
    match told {
        Told::Page(url) => Reply::Open { url },
        Told::Code(DeviceCode { address, code, whole }) => Reply::Code { address, code, whole },
    }
}

/// Why a sign-in ended without success.
pub(crate) fn sign_in_error(server: &ServerName, error: &SignInError) -> Error {
    let message = format!("signing in to `{server}` did not work: {error}");
    let error_with = |code| Error::new(code, message.clone()).exactly(exactly(server.to_string(), error));
    match error {
        SignInError::Login(login) => {
            let error = error_with(Code::SignInFailed);
            match login.hint() {
                Some(hint) => error.hint(hint),
                None => error,
            }
        }
        SignInError::Surface(SurfaceError::Untrusted(_)) => {
            error_with(Code::Certificate).hint("try another network; if it happens there too, tell IT")
        }
        SignInError::Surface(_) => error_with(Code::SignInFailed)
            .hint(format!("open the address by hand with `keybearer login {server} --no-browser`")),
        SignInError::TimedOut | SignInError::CalledOff => {
            error_with(Code::SignInFailed).hint(format!("try again with `keybearer login {server}`"))
        }
        SignInError::OtherAccount { .. } => error_with(Code::SignInFailed).hint(format!(
            "nothing has changed; to change the account, sign out first with `keybearer logout {server}`"
        )),
        SignInError::NoEntropy(_) => error_with(Code::Internal),
    }
}

/// The same, for whoever says it in another language.
fn exactly(name: String, error: &SignInError) -> Exactly {
    match error {
        SignInError::Login(_) | SignInError::NoEntropy(_) => {
            Exactly::SaidNo { name, how: failure(keeper::Failure::of(error)) }
        }
        SignInError::Surface(_) => Exactly::NotShown { name },
        SignInError::TimedOut => Exactly::TimedOut { name },
        SignInError::CalledOff => Exactly::CalledOff { name },
        SignInError::OtherAccount { before, now } => {
            Exactly::OtherAccount { name, before: before.to_string(), now: now.to_string() }
        }
    }
}

fn failure(how: keeper::Failure) -> SignInFailure {
    match how {
        keeper::Failure::Declined => SignInFailure::Declined,
        keeper::Failure::Away => SignInFailure::Away,
        keeper::Failure::NoSignIn => SignInFailure::NoSignIn,
        keeper::Failure::Metadata => SignInFailure::Metadata,
        keeper::Failure::NotKnown => SignInFailure::NotKnown,
        keeper::Failure::Moved => SignInFailure::Moved,
        keeper::Failure::NoCode => SignInFailure::NoCode,
        keeper::Failure::CodeEnded => SignInFailure::CodeEnded,
        keeper::Failure::MixedUp => SignInFailure::MixedUp,
        keeper::Failure::Refused => SignInFailure::Refused,
        keeper::Failure::Unproven => SignInFailure::Unproven,
        keeper::Failure::NotShown => SignInFailure::NotShown,
        keeper::Failure::TimedOut => SignInFailure::TimedOut,
        keeper::Failure::CalledOff => SignInFailure::CalledOff,
        keeper::Failure::Other => SignInFailure::Other,
    }
}
