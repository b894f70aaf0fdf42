//! The one thing to know about the whole, and the shape for it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Mark;
use crate::plain::clean;
use crate::snapshot::{Server, SignIn, Snapshot};

/// The one thing to know about a running core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Headline {
    /// The person has stopped all access.
    Stopped,
    /// One server waits for the person.
    SignInTo {
        /// Which.
        name: String,
    },
    /// Several servers wait for the person.
    SignInToMany {
        /// How many.
        count: u32,
    },
    /// A sign-in is open in the browser.
    FinishSignIn,
    /// The keychain is locked.
    KeychainLocked,
    /// The settings have problems.
    Problems {
        /// How many.
        count: u32,
    },
    /// No server is configured.
    NoTools,
    /// Every server can be used.
    Ready,
    /// No server accepts the company's sign-in.
    Refused,
    /// No server can be reached.
    Unreachable,
    /// Nobody has signed in yet.
    NotSignedIn,
    /// Some servers can be used.
    SomeReady {
        /// How many.
        ready: u32,
        /// Of how many.
        all: u32,
    },
}

/// What the servers add up to.
#[derive(Default)]
struct Tally<'a> {
    needed: Vec<&'a Server>,
    signing_in: usize,
    locked: usize,
    refused: usize,
    unreachable: usize,
    good: usize,
}

/// The shape and the one thing to know for a core in this state.
pub(super) fn of(snapshot: &Snapshot) -> (Mark, Headline) {
    let tally = Tally::of(&snapshot.servers);
    let waiting = tally.needed.len() + tally.signing_in + tally.locked;
    let mark = match snapshot.servers.len() {
        _ if snapshot.stopped => Mark::Blocked,
        _ if waiting > 0 => Mark::SignIn { count: counted(waiting) },
        0 => Mark::Ready,
        all if tally.refused == all => Mark::Blocked,
        all if tally.unreachable == all => Mark::Offline,
        _ => Mark::Ready,
    };
    (mark, tally.headline(snapshot))
}

impl<'a> Tally<'a> {
    fn of(servers: &'a [Server]) -> Self {
        let mut tally = Self::default();
        for server in servers {
            match server.state {
                SignIn::Needed { .. } => tally.needed.push(server),
                SignIn::SigningIn => tally.signing_in += 1,
                SignIn::KeyStore { .. } => tally.locked += 1,
                SignIn::Refused { .. } => tally.refused += 1,
                SignIn::Unreachable { .. } => tally.unreachable += 1,
                SignIn::Ready | SignIn::SignedIn { .. } | SignIn::Renewing => tally.good += 1,
                SignIn::Unknown => {}
            }
        }
        tally
    }

    fn headline(&self, snapshot: &Snapshot) -> Headline {
        let all = snapshot.servers.len();
        match (self.needed.as_slice(), snapshot.problems.len()) {
            _ if snapshot.stopped => Headline::Stopped,
            ([one], _) => Headline::SignInTo { name: clean(&one.name) },
            (many @ [_, _, ..], _) => Headline::SignInToMany { count: counted(many.len()) },
            _ if self.signing_in > 0 => Headline::FinishSignIn,
            _ if self.locked > 0 => Headline::KeychainLocked,
            (_, problems @ 1..) => Headline::Problems { count: counted(problems) },
            _ if all == 0 => Headline::NoTools,
            _ if self.good == all => Headline::Ready,
            _ if self.refused == all => Headline::Refused,
            _ if self.unreachable == all => Headline::Unreachable,
            _ if self.good + self.refused + self.unreachable == 0 => Headline::NotSignedIn,
            _ => Headline::SomeReady { ready: counted(self.good), all: counted(all) },
        }
    }
}

fn counted(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}
