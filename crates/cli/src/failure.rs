//! Why a command did not do what it was asked: errors to show, and the exit code that they call for.

use keybearer_control::error::{Code, Error};

use crate::exit::Exit;

/// Errors (most often one) and the ending.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the program ends.
    pub(crate) exit: Exit,
    /// What to show, in this order; never empty.
    pub(crate) errors: Vec<Error>,
}

impl Failure {
    /// One error, with the ending that its code calls for.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Error::new(code, message).into()
    }

    /// The same with what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(last) = self.errors.last_mut() {
            last.hint = Some(hint.into());
        }
        self
    }

    /// The same with another ending.
    pub(crate) fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// An answer that does not belong to the request: the core is of another kind than this program.
    pub(crate) fn unexpected_answer() -> Self {
        Self::new(Code::Internal, "the core gave an answer that does not belong to the request")
            .hint("restart it with `keybearer stop` and `keybearer start`: it may be of another version")
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { exit: Exit::of(error.code), errors: vec![error] }
    }
}
