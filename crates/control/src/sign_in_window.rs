//! What core, shell and sign-in window tell each other: the core orders a page, the shell starts the window and passes
//! on what it says.
//!
//! The window itself knows no core: it reads orders from its standard input and writes what happened to its standard
//! output, one JSON object a line. Neither its arguments nor its environment hold anything of a sign-in.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::wire::Incoming;

/// What a sign-in window is told.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum WindowOrder {
    /// Show this page; what was shown before is over. Cookies stay until the window ends.
    Show {
        /// The page.
        page: SignInPage,
    },
    /// It is over.
    End {
        /// How it ended.
        ending: WindowEnding,
    },
}

/// A sign-in page, and what the window has to know of it.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct SignInPage {
    /// Its address; it holds this sign-in's state.
    pub url: String,
    /// The addresses that end the sign-in. None is ever loaded: the window hands back what it carries.
    pub redirects: Vec<String>,
    /// The hosts, with their ports where those are unusual, that the window may go to without asking the person.
    pub hosts: Vec<String>,
    /// What shows that the sign-in cannot go on in the window.
    pub walls: Vec<Wall>,
}

impl std::fmt::Debug for SignInPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInPage").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// A text in a page's address or title that shows a wall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Wall {
    /// The text, compared without regard to case.
    pub text: String,
    /// What is behind it.
    pub behind: Behind,
}

/// Why only a browser goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Behind {
    /// The company sign-in lets no window inside an app in.
    Refused,
    /// It wants to see that the computer is the company's.
    Device,
    /// It wants a passkey.
    Passkey,
}

/// How a sign-in ended, for the person who looks at the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WindowEnding {
    /// Signed in.
    SignedIn,
    /// Not signed in.
    NotSignedIn,
}

/// What a sign-in window says.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum WindowSaid {
    /// The issuer's page led to the redirect's address, with this query. It is the window's to tell, and nobody else's.
    Callback {
        /// The query.
        query: Incoming,
    },
    /// The person closed the window, or its ten minutes are over.
    Closed,
    /// The sign-in is to begin anew in the browser: the person wants it, or there is a wall.
    Browser,
    /// The certificate of a page's host is not trusted; nothing of that page was shown.
    Untrusted {
        /// Whose.
        host: String,
    },
    /// There is no window: it could not be started, or it broke.
    Broken {
        /// The system's words.
        cause: String,
    },
}
