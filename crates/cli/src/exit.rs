//! How the program ends: every exit code, once, for scripts to branch on.

use keybearer_control::error::Code;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok,
    /// It did not work, for a reason that has no code of its own.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// No core is running, or it does not answer.
    NoCore,
    /// The person has to sign in first, or the sign-in was not finished.
    SignInNeeded,
    /// Policy or a person said no.
    NotAllowed,
    /// `config.toml` has problems.
    BrokenConfig,
    /// The server or its issuer cannot be reached, or its certificate is not trusted.
    Unreachable,
    /// Another core runs for this home already.
    AlreadyRunning,
    /// The tool was called, and answered that it failed.
    ToolFailed,
    /// The audit trail does not verify.
    AuditBroken,
    /// The doctor has found why signing in does not work.
    Ailing,
}

impl Exit {
    /// Every one, in the order of its number.
    pub(crate) const ALL: [Self; 12] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::NoCore,
        Self::SignInNeeded,
        Self::NotAllowed,
        Self::BrokenConfig,
        Self::Unreachable,
        Self::AlreadyRunning,
        Self::ToolFailed,
        Self::AuditBroken,
        Self::Ailing,
    ];

    /// The number that the shell sees. A number never changes its meaning.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoCore => 3,
            Self::SignInNeeded => 4,
            Self::NotAllowed => 5,
            Self::BrokenConfig => 6,
            Self::Unreachable => 7,
            Self::AlreadyRunning => 8,
            Self::ToolFailed => 9,
            Self::AuditBroken => 10,
            Self::Ailing => 11,
        }
    }

    /// What it means, for the reference page.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Failed => "it did not work; the message says why",
            Self::Usage => "the command line makes no sense",
            Self::NoCore => "no core is running, it does not answer, or it refused the connection (`stdio`)",
            Self::SignInNeeded => "you have to sign in first, or the sign-in was not finished",
            Self::NotAllowed => "policy or a person did not allow it",
            Self::BrokenConfig => "`config.toml` has problems; all of them are listed, and nothing was changed",
            Self::Unreachable => {
                "the server or its company sign-in cannot be reached, or its certificate is not trusted"
            }
            Self::AlreadyRunning => "another core runs for this home already",
            Self::ToolFailed => "the tool was called and answered that it failed",
            Self::AuditBroken => "the audit trail does not verify",
            Self::Ailing => "`doctor` has found why signing in does not work",
        }
    }

    /// The ending that an error's code calls for.
    pub(crate) const fn of(code: Code) -> Self {
        match code {
            Code::NoCore => Self::NoCore,
            Code::SignInNeeded | Code::SignInFailed => Self::SignInNeeded,
            Code::NotAllowed => Self::NotAllowed,
            Code::BrokenConfig => Self::BrokenConfig,
            Code::Unreachable | Code::Certificate => Self::Unreachable,
            Code::BadRequest => Self::Usage,
            Code::UnknownServer
            | Code::UnknownClient
            | Code::NameTaken
            | Code::NotSaved
            | Code::Unsupported
            | Code::KeyStore
            | Code::PortTaken
            | Code::Drifted
            | Code::NotAnswered
            | Code::UnknownPermission
            | Code::Internal => Self::Failed,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_without_a_gap() {
        let numbers: Vec<u8> = Exit::ALL.iter().map(|exit| exit.number()).collect();
        assert_eq!(numbers, (0..=11).collect::<Vec<u8>>());
    }

    #[test]
    fn only_ok_is_zero_and_no_error_is_ok() {
        assert_eq!(Exit::of(Code::SignInNeeded).number(), 4);
        assert_eq!(Exit::of(Code::Internal), Exit::Failed);
        assert_eq!(Exit::Ok.number(), 0);
    }
}
