//! Errors as the wire carries them: a closed code to branch on, a sentence to show, a hint to follow.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::plain::clean;
use crate::snapshot::SignInFailure;

/// What went wrong, as something to branch on; text is never matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request itself makes no sense.
    BadRequest,
    /// No server of that name.
    UnknownServer,
    /// No client of that name.
    UnknownClient,
    /// The name is taken.
    NameTaken,
    /// `config.toml` has problems; nothing was changed.
    BrokenConfig,
    /// The settings could not be written.
    NotSaved,
    /// The server or its issuer cannot be reached.
    Unreachable,
    /// A certificate is not trusted.
    Certificate,
    /// The person has to sign in.
    SignInNeeded,
    /// The sign-in ended without a grant.
    SignInFailed,
    /// The server or issuer does not do what the sign-in needs.
    Unsupported,
    /// The keychain is locked or does not answer.
    KeyStore,
    /// The port of the HTTP door is taken.
    PortTaken,
    /// What was looked at has changed meanwhile; nothing was written.
    Drifted,
    /// Not allowed by policy or by the person.
    NotAllowed,
    /// The answer does not count: too early, too late, twice, or to no question.
    NotAnswered,
    /// There is no permission of that number.
    UnknownPermission,
    /// No core is running, or it does not answer.
    NoCore,
    /// Something of ours failed.
    Internal,
}

impl Code {
    /// The code as it stands on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnknownServer => "unknown_server",
            Self::UnknownClient => "unknown_client",
            Self::NameTaken => "name_taken",
            Self::BrokenConfig => "broken_config",
            Self::NotSaved => "not_saved",
            Self::Unreachable => "unreachable",
            Self::Certificate => "certificate",
            Self::SignInNeeded => "sign_in_needed",
            Self::SignInFailed => "sign_in_failed",
            Self::Unsupported => "unsupported",
            Self::KeyStore => "key_store",
            Self::PortTaken => "port_taken",
            Self::Drifted => "drifted",
            Self::NotAllowed => "not_allowed",
            Self::NotAnswered => "not_answered",
            Self::UnknownPermission => "unknown_permission",
            Self::NoCore => "no_core",
            Self::Internal => "internal",
        }
    }
}

/// An error: code, sentence, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// To branch on.
    pub code: Code,
    /// What failed, lower case, without a full stop.
    pub message: String,
    /// What to do next, where there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<String>,
    /// What failed exactly, for whoever says it in another language than `message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exactly: Option<Box<Exactly>>,
}

/// What failed exactly: a kind, and the names that belong in the sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Exactly {
    /// No server has this name.
    NoServer {
        /// The name.
        name: String,
    },
    /// No client has this name.
    NoClient {
        /// The name.
        name: String,
    },
    /// The name is taken.
    Taken {
        /// The name.
        name: String,
    },
    /// A line of the settings.
    Line {
        /// Its number, from 1.
        line: u32,
    },
    /// Nobody is signed in to this server.
    SignInFirst {
        /// Its name.
        name: String,
    },
    /// Nobody finished the sign-in in ten minutes.
    TimedOut {
        /// To which server.
        name: String,
    },
    /// The sign-in was called off.
    CalledOff {
        /// To which server.
        name: String,
    },
    /// Somebody else signed in than is signed in.
    OtherAccount {
        /// To which server.
        name: String,
        /// Whose sign-in is kept.
        before: String,
        /// Who signed in.
        now: String,
    },
    /// The sign-in page could not be shown.
    NotShown {
        /// To which server.
        name: String,
    },
    /// The company sign-in or the server ended the sign-in; its words are in the message.
    SaidNo {
        /// To which server.
        name: String,
        /// How.
        #[serde(default)]
        how: SignInFailure,
    },
    /// A port is taken.
    Port {
        /// Which.
        port: u16,
    },
    /// A client's program is not the one that was registered.
    OtherProgram {
        /// Which client.
        name: String,
    },
    /// A client is connected by somebody else's hand already.
    ConnectedAlready {
        /// Which client.
        name: String,
    },
    /// A file of the person's is left alone.
    LeftAlone {
        /// Which.
        path: String,
    },
    /// Nobody allowed a change in the window.
    NobodyAllowed,
}

impl Exactly {
    /// The same with every name safe to look at.
    pub(crate) fn clean(&self) -> Self {
        let mut cleaned = self.clone();
        match &mut cleaned {
            Self::NoServer { name }
            | Self::NoClient { name }
            | Self::Taken { name }
            | Self::SignInFirst { name }
            | Self::TimedOut { name }
            | Self::CalledOff { name }
            | Self::NotShown { name }
            | Self::SaidNo { name, .. }
            | Self::OtherProgram { name }
            | Self::ConnectedAlready { name } => *name = clean(name),
            Self::LeftAlone { path } => *path = clean(path),
            Self::OtherAccount { name, before, now } => {
                (*name, *before, *now) = (clean(name), clean(before), clean(now));
            }
            Self::Line { .. } | Self::Port { .. } | Self::NobodyAllowed => {}
        }
        cleaned
    }
}

impl Error {
    /// An error without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, exactly: None }
    }

    /// The same as a kind with names.
    #[must_use]
    pub fn exactly(mut self, exactly: Exactly) -> Self {
        self.exactly = Some(Box::new(exactly));
        self
    }

    /// The same with what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_called_what_the_wire_calls_it() {
        for code in [Code::BadRequest, Code::NoCore, Code::KeyStore, Code::Internal] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.word());
        }
    }
}
