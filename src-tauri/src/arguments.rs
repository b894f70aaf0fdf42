//! The shell's command line: nothing, `--minimized`, or `--sign-in`.

use std::ffi::OsString;

/// How the shell starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With its window: a person started it.
    Window,
    /// With the tray icon alone: the desktop session started it.
    Tray,
    /// Not as the shell, but as a sign-in window: the shell started it.
    SignIn,
}

/// An argument that the shell does not know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an argument of keybearer-desktop; it knows `--minimized`")]
pub struct UnknownArgument(String);

impl Start {
    /// What these arguments, without the program's name, ask for.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UnknownArgument> {
        arguments.into_iter().try_fold(Self::Window, |_, argument| match argument.to_str() {
            Some("--minimized") => Ok(Self::Tray),
            Some("--sign-in") => Ok(Self::SignIn),
            _ => Err(UnknownArgument(argument.to_string_lossy().into_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arguments: &[&str]) -> Result<Start, UnknownArgument> {
        Start::of(arguments.iter().map(OsString::from))
    }

    #[test]
    fn a_plain_start_opens_the_window() {
        assert_eq!(of(&[]), Ok(Start::Window));
        assert_eq!(of(&["--minimized"]), Ok(Start::Tray));
        assert_eq!(of(&["--sign-in"]), Ok(Start::SignIn));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(of(&["--minimised"]), Err(UnknownArgument("--minimised".into())));
    }
}
