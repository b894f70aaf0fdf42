//! The control API: what the command line and the shell ask of the core, one JSON object a line.
//!
//! It tells no token. The peer is a process of the same user, which the socket has verified; questions are answered by
//! the desktop shell alone (`prompts`), and with one attached it is asked before anything else lets more in.

use std::sync::Arc;
use std::time::Duration;

use keybearer_control::error::{Code, Error, Exactly};
use keybearer_control::wire::{HeaderSecret, Incoming, Reply, Request, SignInEnd};
use keybearer_core::broker::{Broker, ClientKind, ServerSecrets};
use keybearer_core::config::{AuthConfig, OAuthConfig, ServerConfig};
use keybearer_core::consent::question::Change;
use keybearer_core::{keeper, sign_in};
use keybearer_model::name::{ClientName, ServerName};
use keybearer_model::secret::Secret;
use keybearer_model::url::Upstream;
use keybearer_os::folders::Folders;
use keybearer_os::local::{Carrier, Listener, Stream};
use keybearer_os::shell::Shell;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::task::JoinSet;

use crate::doors::Doors;
use crate::doorways::Doorways;
use crate::draining::Draining;
use crate::prompts::{self, Peer};
use crate::sign_in_windows::SignInWindows;
use crate::stdio::Bridges;
use crate::{programs, view};

/// The longest request.
pub(crate) const LONGEST_REQUEST: u64 = 1 << 20;

/// What the control API serves from.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) broker: Broker,
    pub(crate) bridges: Bridges,
    pub(crate) doors: Doors,
    pub(crate) stop: Arc<Notify>,
    /// Another core takes over.
    pub(crate) drain: Arc<Notify>,
    pub(crate) draining: Draining,
    pub(crate) doorways: Doorways,
    pub(crate) folders: Folders,
    /// Which program may answer questions.
    pub(crate) shell: Arc<Shell>,
    /// One client is connected at a time: between looking at its files and writing them nobody else of us comes.
    pub(crate) connecting: Arc<Mutex<()>>,
    pub(crate) windows: SignInWindows,
}

pub(crate) type Replies = WriteHalf<Stream>;

/// A client of a new server's, registered by hand.
struct Registered {
    id: Option<String>,
    issuer: Option<String>,
    secret: Option<Incoming>,
}

impl Control {
    /// Serves peers until the task is dropped.
    pub(crate) async fn accept(self, listener: Listener) {
        let mut peers = JoinSet::new();
        let mut draining = self.draining.clone();
        loop {
            tokio::select! {
                () = draining.begun() => break,
                accepted = listener.accept() => match accepted {
                    Ok(stream) => { peers.spawn(self.clone().serve(stream)); }
                    Err(error) => {
                        tracing::warn!(%error, "a control peer could not come in");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                Some(_) = peers.join_next() => {}
            }
        }
        self.doorways.left(listener);
        // Whoever is connected goes on asking until this core ends.
        while peers.join_next().await.is_some() {}
    }

    async fn serve(self, stream: Stream) {
        let peer = Peer::of(&stream, &self.shell);
        let carrier = stream.carrier();
        let (reader, mut replies) = tokio::io::split(stream);
        let mut reader = BufReader::new(reader);
        while let Some(line) = next_line(&mut reader).await {
            let sent = match serde_json::from_slice(&line) {
                Ok(Request::Drain) => self.drain(carrier.as_ref(), &mut replies).await,
                Ok(Request::TakePrompts) => match peer.lease(&self.broker) {
                    Ok(lease) => return drop(prompts::serve(&self.broker, lease, &mut reader, &mut replies).await),
                    Err(error) => say(&mut replies, &Reply::Failed { error }).await,
                },
                Ok(Request::Inspect) => self.inspect(&peer, &mut reader, &mut replies).await,
                // Whatever is said on this connection from now on is of windows.
                Ok(Request::OfferWindows) if peer.is_shell() => {
                    return self.windows.serve(&mut reader, &mut replies).await;
                }
                Ok(request) => self.obey(request, &peer, &mut replies).await,
                Err(cause) => {
                    let error = Error::new(Code::BadRequest, format!("the request is not understood: {cause}"));
                    say(&mut replies, &Reply::Failed { error }).await
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    async fn obey(&self, request: Request, peer: &Peer, replies: &mut Replies) -> std::io::Result<()> {
        let reply = match request {
            Request::Status => {
                self.broker.reload().await;
                self.snapshot()
            }
            Request::Watch => return self.watch(replies).await,
            Request::AddServer { name, url, header, client_id, issuer, client_secret, scopes } => {
                let client = Registered { id: client_id, issuer, secret: client_secret };
                done(self.add_server(peer, &name, &url, header, client, scopes).await)
            }
            Request::RemoveServer { name } => done(self.remove_server(&name).await),
            Request::AddClient { name, servers, program, container } => {
                done(self.register_client(peer, &name, &servers, program, container).await)
            }
            Request::RevokeClient { name } => done(self.revoke_client(&name).await),
            Request::Login { server, open_browser, by_code } => {
                let way = if by_code { sign_in::Way::Code } else { sign_in::Way::Page };
                return self.login(&server, open_browser, way, replies).await;
            }
            Request::Logout { server } => done(self.logout(&server).await),
            Request::Doctor { target } => done(self.examine(&target).await),
            Request::KnownClients => done(self.known_clients().await),
            Request::ConnectPreview { wish } => done(self.connect_preview(wish).await),
            Request::Connect { wish, token } => done(self.connect(peer, wish, &token).await),
            Request::Disconnect { client } => done(self.disconnect(&client).await),
            Request::Activity { last } => return self.activity(last, replies).await,
            Request::Tools { server } => done(self.tools(&server, peer.identified()).await),
            Request::Look { url } => done(self.look(&url).await),
            Request::Settings => self.settings(),
            Request::StopAccess => done(self.stop_access().await),
            Request::ResumeAccess => done(self.resume_access(peer).await),
            // On its own connection; one that does not hold the lease has no question to answer.
            Request::TakePrompts | Request::Answer { .. } | Request::MoreTime { .. } => {
                Reply::Failed { error: peer.cannot_answer(self.broker.desk()) }
            }
            Request::RevokePermission { number } => done(self.revoke_permission(number)),
            Request::ComeBack => {
                self.broker.come_back();
                Reply::Done
            }
            Request::LeaveForGood => done(self.leave_for_good().await),
            Request::SaveAll => {
                let servers = self.broker.save_all().await;
                Reply::Unsaved { servers: servers.into_iter().map(String::from).collect() }
            }
            Request::Stop => {
                self.stop.notify_one();
                Reply::Done
            }
            // On its own connection, which is served before this.
            Request::Inspect => Reply::Failed { error: Error::new(Code::BadRequest, "a look is asked for alone") },
            Request::OfferWindows | Request::WindowSaid { .. } => {
                Reply::Failed { error: Error::new(Code::NotAllowed, "only the Keybearer window opens sign-in windows") }
            }
            Request::Drain => return self.drain(None, replies).await,
        };
        say(replies, &reply).await
    }

    /// Another core takes over: it gets the doors' sockets, where they can be handed on.
    async fn drain(&self, carrier: Option<&Carrier>, replies: &mut Replies) -> std::io::Result<()> {
        let (sockets, passed) = if carrier.is_some() { self.doorways.hand_over() } else { Default::default() };
        let mut line = serde_json::to_vec(&Reply::Draining { sockets })?;
        line.push(b'\n');
        let told = match carrier {
            Some(carrier) => carrier.send(&line, &passed),
            None => replies.write_all(&line).await,
        };
        // Whatever the other one has heard: it was asked for, and two cores never run.
        self.drain.notify_one();
        told
    }

    fn snapshot(&self) -> Reply {
        Reply::Snapshot { snapshot: view::snapshot(&self.broker, &self.doors) }
    }

    async fn watch(&self, replies: &mut Replies) -> std::io::Result<()> {
        let (mut changes, mut doors) = (self.broker.changes(), self.doors.clone());
        loop {
            changes.mark_unchanged();
            doors.mark_unchanged();
            say(replies, &self.snapshot()).await?;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
                changed = doors.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }

    fn revoke_permission(&self, number: u64) -> Result<Reply, Error> {
        if self.broker.revoke_permission(number) {
            return Ok(Reply::Done);
        }
        Err(Error::new(Code::UnknownPermission, format!("there is no permission {number}"))
            .hint("see the numbers with `keybearer permissions list`"))
    }

    async fn add_server(
        &self,
        peer: &Peer,
        name: &str,
        url: &str,
        header: Option<HeaderSecret>,
        client: Registered,
        scopes: Vec<String>,
    ) -> Result<Reply, Error> {
        let name: ServerName = parse(name)?;
        let url: Upstream = url.parse().map_err(|cause| Error::new(Code::BadRequest, format!("{cause}")))?;
        let mut secrets = ServerSecrets::default();
        let auth = match header {
            Some(HeaderSecret { name, value }) => {
                let name = name
                    .parse()
                    .map_err(|_| Error::new(Code::BadRequest, format!("`{name}` cannot be the name of a header")))?;
                secrets.header = Some(Secret::new(value.0));
                AuthConfig::Header { name }
            }
            None => {
                let not_an_issuer = |cause| Error::new(Code::BadRequest, format!("{cause}"));
                let issuer = client.issuer.map(|issuer| issuer.parse().map_err(not_an_issuer)).transpose()?;
                secrets.client = client.secret.map(|secret| Secret::new(secret.0));
                let oauth = OAuthConfig { client_id: client.id, issuer, scopes, ..OAuthConfig::default() };
                AuthConfig::OAuth(oauth)
            }
        };
        if !self.broker.knows(&name) {
            let url = Upstream::to_string(&url);
            peer.permit(&self.broker, Change::AddServer { name: name.clone(), url }).await?;
        }
        let added = self.broker.add_server(&name, &ServerConfig::new(url, auth), secrets).await;
        added.map_err(|error| view::change_error(&self.broker, &error))?;
        self.server(&name)
    }

    fn server(&self, name: &ServerName) -> Result<Reply, Error> {
        let server = view::servers(&self.broker).into_iter().find(|server| server.name == name.as_str());
        server.map(|server| Reply::Server { server }).ok_or_else(|| unknown_server(name))
    }

    async fn remove_server(&self, name: &str) -> Result<Reply, Error> {
        let removed = self.broker.remove_server(&parse(name)?).await;
        removed.map(|()| Reply::Done).map_err(|error| view::change_error(&self.broker, &error))
    }

    async fn register_client(
        &self,
        peer: &Peer,
        name: &str,
        servers: &[String],
        program: Option<String>,
        container: bool,
    ) -> Result<Reply, Error> {
        let (wanted, allowed) = (parse(name)?, servers.iter().map(|server| parse(server)).collect::<Result<_, _>>()?);
        if self.broker.clients().by_name(&wanted).is_none() {
            let program = program.as_deref().map(Into::into);
            peer.permit(&self.broker, Change::AddClient { name: wanted, program, servers: allowed }).await?;
        }
        self.add_client(name, servers, program, container).await
    }

    pub(crate) async fn add_client(
        &self,
        name: &str,
        servers: &[String],
        program: Option<String>,
        container: bool,
    ) -> Result<Reply, Error> {
        let name: ClientName = parse(name)?;
        let servers = servers.iter().map(|server| parse(server)).collect::<Result<Vec<ServerName>, _>>()?;
        let keyed = program.is_none();
        let kind = match program {
            Some(path) => ClientKind::Program(programs::of_path(path).await?),
            None => ClientKind::Key { container },
        };
        let added = self.broker.add_client(&name, servers.clone(), kind).await;
        let (registered, key) = added.map_err(|error| view::change_error(&self.broker, &error))?;
        if keyed {
            let awaits_container = container && self.broker.config().container_door.is_some();
            self.doors.decided(awaits_container).await;
        }
        let urls = if keyed { self.urls(servers, container) } else { Vec::new() };
        let key = key.map(|key| key.expose().to_owned());
        Ok(Reply::ClientAdded { client: view::client(&registered), key, urls })
    }

    fn urls(&self, servers: Vec<ServerName>, from_container: bool) -> Vec<String> {
        let Some(address) = self.doors.address(from_container) else { return Vec::new() };
        let servers = if servers.is_empty() { self.broker.servers().into_keys().collect() } else { servers };
        servers.iter().map(|server| format!("{address}/mcp/{server}")).collect()
    }

    async fn revoke_client(&self, name: &str) -> Result<Reply, Error> {
        let revoked = self.broker.revoke_client(&parse(name)?).await;
        revoked.map(|()| Reply::Done).map_err(|error| view::change_error(&self.broker, &error))
    }

    async fn login(
        &self,
        server: &str,
        browser: bool,
        way: sign_in::Way,
        replies: &mut Replies,
    ) -> std::io::Result<()> {
        let name: ServerName = match parse(server) {
            Ok(name) => name,
            Err(error) => return say(replies, &Reply::Failed { error }).await,
        };
        let (told, mut to_tell) = mpsc::unbounded_channel();
        let opening = sign_in::Opening { browser, way, told: Some(told) };
        let mut signing_in = std::pin::pin!(self.broker.sign_in(&name, opening));
        let ended = loop {
            tokio::select! {
                Some(told) = to_tell.recv() => say(replies, &view::told(told)).await?,
                ended = &mut signing_in => break ended,
            }
        };
        let reply = match ended {
            None => Reply::Failed { error: unknown_server(&name) },
            Some(Ok(())) => self.server(&name).unwrap_or_else(|error| Reply::Failed { error }),
            Some(Err(cause)) => Reply::Failed { error: view::sign_in_error(&name, &cause) },
        };
        say(replies, &reply).await
    }

    async fn leave_for_good(&self) -> Result<Reply, Error> {
        let left = self.broker.leave_for_good().await.map_err(|error| view::change_error(&self.broker, &error))?;
        let end = |(server, signed_out): (ServerName, keeper::SignedOut)| SignInEnd {
            server: server.to_string(),
            revocation: view::revocation(signed_out.revocation),
        };
        Ok(Reply::LeftForGood { ends: left.into_iter().map(end).collect() })
    }

    async fn logout(&self, server: &str) -> Result<Reply, Error> {
        let name: ServerName = parse(server)?;
        let signed_out = self.broker.sign_out(&name).await.ok_or_else(|| unknown_server(&name))?;
        let revocation = view::revocation(signed_out.revocation);
        Ok(Reply::SignedOut { revocation, with: signed_out.with.iter().map(ToString::to_string).collect() })
    }
}

fn done(result: Result<Reply, Error>) -> Reply {
    result.unwrap_or_else(|error| Reply::Failed { error })
}

pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|cause| Error::new(Code::BadRequest, format!("{cause}")))
}

pub(crate) fn unknown_server(name: &ServerName) -> Error {
    Error::new(Code::UnknownServer, format!("there is no server `{name}`"))
        .exactly(Exactly::NoServer { name: name.to_string() })
        .hint("see the names with `keybearer servers list`")
}

pub(crate) async fn next_line(reader: &mut BufReader<ReadHalf<Stream>>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let read = (&mut *reader).take(LONGEST_REQUEST).read_until(b'\n', &mut line).await.ok()?;
    (read > 0 && line.last() == Some(&b'\n')).then_some(line)
}

pub(crate) async fn say(replies: &mut Replies, reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    replies.write_all(&line).await
}
