//! How a sign-in can fail, by what the caller does next.

use crate::registration::Documents;

/// Why a sign-in ended without a grant. Other people's words in it are cleaned and cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The person or the program called it off.
    #[error("the sign-in was cancelled")]
    Cancelled,
    /// The person, or a rule of the issuer's, said no.
    #[error("`{issuer}` was not allowed to sign in: {detail}")]
    Declined {
        /// Who asked.
        issuer: String,
        /// The issuer's words.
        detail: String,
    },
    /// Nobody answers, or with a trouble of its own: trying later may help.
    #[error("{cause}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What happened, with the host in it: the driver's words, or the status.
        cause: String,
    },
    /// The server says nowhere how to sign in.
    #[error("`{server}` does not say how to sign in")]
    NoSignIn {
        /// Which server.
        server: String,
    },
    /// The server's metadata speaks for another server (RFC 9728 §3.3).
    #[error("the metadata of `{server}` is that of another server, `{named}`")]
    WrongResource {
        /// Which server was asked.
        server: String,
        /// What the metadata names.
        named: String,
    },
    /// The issuer's metadata speaks for another issuer (RFC 8414 §3.3).
    #[error("the metadata of `{issuer}` is that of another issuer, `{named}`")]
    WrongIssuer {
        /// Which issuer was asked.
        issuer: String,
        /// What the metadata names.
        named: String,
    },
    /// Metadata that cannot be used: an address that must not be asked, or something missing.
    #[error("the metadata of `{party}` cannot be used: {what}")]
    Unsound {
        /// Whose metadata.
        party: String,
        /// What is wrong with it.
        what: String,
    },
    /// The issuer does not say that it checks PKCE with S256.
    #[error("`{issuer}` does not say that it protects sign-ins with PKCE (S256)")]
    NoPkce {
        /// Which issuer.
        issuer: String,
    },
    /// The issuer knows no app like us, and offers no way to become known.
    #[error("`{issuer}` does not let apps register themselves")]
    NoWayToRegister {
        /// Which issuer.
        issuer: String,
        /// Whether it would take a client id metadata document.
        documents: Documents,
    },
    /// The client that is set for the server belongs to another issuer; it was shown to nobody.
    #[error("the client `{client}` belongs to `{issuer}`, and the server's sign-in is `{named}` now")]
    ClientOfAnotherIssuer {
        /// The client's id.
        client: String,
        /// Where it is known.
        issuer: String,
        /// Who signs in for the server.
        named: String,
    },
    /// The server's issuer is still the one of the sign-in before.
    #[error("`{issuer}` is still who signs in")]
    NotMoved {
        /// Which issuer.
        issuer: String,
    },
    /// The issuer gives out no codes for other devices (RFC 8628).
    #[error("`{issuer}` gives out no codes for other devices")]
    NoDeviceCode {
        /// Which issuer.
        issuer: String,
    },
    /// Nobody typed the code in while it was good.
    #[error("nobody typed the code in while it was good")]
    CodeEnded,
    /// The issuer refused to register us.
    #[error("`{issuer}` refused to register Keybearer: {detail}")]
    RegistrationRefused {
        /// Which issuer.
        issuer: String,
        /// The issuer's words.
        detail: String,
    },
    /// The answer came from another issuer than the one that was asked (RFC 9207); its words are not repeated.
    #[error("the answer to the sign-in does not come from `{issuer}`")]
    MixedUp {
        /// Who was asked.
        issuer: String,
    },
    /// The issuer ended the sign-in with an error.
    #[error("`{issuer}` refused the sign-in: {detail}")]
    Refused {
        /// Which issuer.
        issuer: String,
        /// The issuer's words, beginning with its error code.
        detail: String,
    },
    /// The issuer answered with something that is no token.
    #[error("the answer of `{issuer}` cannot be used: {what}")]
    BadReply {
        /// Which issuer.
        issuer: String,
        /// What is wrong with it.
        what: String,
    },
    /// The proof of who signed in does not hold.
    #[error("`{issuer}` did not prove who signed in: {what}")]
    Unproven {
        /// Which issuer.
        issuer: String,
        /// What is wrong with the ID token.
        what: String,
    },
    /// Our own part is unusable: the caller gave what no sign-in can be made of, or went on after its end.
    #[error("the sign-in cannot go on: {0}")]
    OutOfStep(&'static str),
}

impl LoginError {
    /// What the person, or IT, can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Cancelled | Self::OutOfStep(_) | Self::NotMoved { .. } => return None,
            Self::Declined { .. } => "sign in again and allow it, or ask IT whether you may use this server".to_owned(),
            Self::Unreachable { .. } => "check the network, then try again".to_owned(),
            Self::NoSignIn { .. } => {
                "check the server's address; if it wants a fixed key, set `auth = \"header\"` for it".to_owned()
            }
            Self::WrongResource { named, .. } => {
                format!("set the server's `url` to the address that it names, if `{named}` is the one that you mean")
            }
            Self::WrongIssuer { .. } | Self::Unsound { .. } | Self::BadReply { .. } => {
                "tell whoever runs the server and the company sign-in".to_owned()
            }
            Self::NoPkce { .. } => {
                "tell whoever runs the company sign-in that `code_challenge_methods_supported` must list `S256`"
                    .to_owned()
            }
            Self::NoDeviceCode { .. } => "sign in with a browser on this computer".to_owned(),
            Self::CodeEnded => "sign in again; a new code is shown".to_owned(),
            Self::ClientOfAnotherIssuer { named, .. } => format!(
                "ask IT whether the company sign-in has moved; if `{named}` is right, set `issuer` and the `client_id` that \
                 was registered there"
            ),
            Self::NoWayToRegister { documents: Documents::Read, .. } => {
                "host what `keybearer client-metadata URL` prints at an https address and set it as `client_metadata_url`, \
                 or ask IT to register Keybearer there and set the `client_id` that they get for the server"
                    .to_owned()
            }
            Self::NoWayToRegister { documents: Documents::NotOffered, .. } | Self::RegistrationRefused { .. } => {
                "ask IT to register Keybearer there as a native app with the redirect address \
                 `http://127.0.0.1/callback` (any port), and set the `client_id` that they get for the server"
                    .to_owned()
            }
            Self::MixedUp { .. } => "try again; if it happens again, tell IT: somebody may be tampering".to_owned(),
            Self::Refused { .. } => "show this to IT if it happens again".to_owned(),
            Self::Unproven { .. } => {
                "check the computer's date and time, then sign in again; if that does not help, tell IT".to_owned()
            }
        })
    }
}
