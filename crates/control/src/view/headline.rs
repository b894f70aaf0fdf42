//! The one thing to know about the whole, and the shape for it.

use super::Mark;
use crate::plain::clean;
use crate::snapshot::{Server, SignIn, Snapshot};

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

/// The shape and the sentence for a core in this state.
pub(super) fn of(snapshot: &Snapshot) -> (Mark, String) {
    let tally = Tally::of(&snapshot.servers);
    let waiting = tally.needed.len() + tally.signing_in + tally.locked;
    let mark = match snapshot.servers.len() {
        _ if waiting > 0 => Mark::SignIn { count: u32::try_from(waiting).unwrap_or(u32::MAX) },
        0 => Mark::Ready,
        all if tally.refused == all => Mark::Blocked,
        all if tally.unreachable == all => Mark::Offline,
        _ => Mark::Ready,
    };
    (mark, tally.sentence(snapshot))
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
                SignIn::Ready | SignIn::SignedIn { .. } => tally.good += 1,
                SignIn::Unknown => {}
            }
        }
        tally
    }

    fn sentence(&self, snapshot: &Snapshot) -> String {
        let all = snapshot.servers.len();
        match (self.needed.as_slice(), snapshot.problems.len()) {
            ([one], _) => format!("Sign in to {}", clean(&one.name)),
            ([_, _, ..], _) => format!("Sign in to {} tools", self.needed.len()),
            _ if self.signing_in > 0 => "Finish signing in in your browser".into(),
            _ if self.locked > 0 => "Your keychain is locked".into(),
            (_, 1) => "Your settings have a problem".into(),
            (_, problems @ 2..) => format!("Your settings have {problems} problems"),
            _ if all == 0 => "No company tools yet".into(),
            _ if self.good == all => "Ready".into(),
            _ if self.refused == all => "Your company sign-in is not accepted".into(),
            _ if self.unreachable == all => "Your company tools cannot be reached".into(),
            _ if self.good + self.refused + self.unreachable == 0 => "Not signed in yet".into(),
            _ => format!("{} of {all} tools ready", self.good),
        }
    }
}
