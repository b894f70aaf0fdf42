//! Why a sign-in is needed, or will be, as a sentence: the command line and the window say the same.

use crate::plain::clean;
use crate::snapshot::{Because, NearEnd};

impl Because {
    /// The reason, for the person.
    pub fn sentence(&self, server: &str) -> String {
        match self {
            Self::NeverSignedIn => "You have not signed in yet.".to_owned(),
            Self::Ended { at } => format!("Your sign-in ended; that came out on {}.", day(at)),
            Self::Interrupted { at } => {
                format!("Your sign-in was interrupted on {} while it was being renewed.", day(at))
            }
            Self::SignedOut => "You signed out.".to_owned(),
            Self::NotKept => "Your sign-in was not kept.".to_owned(),
            Self::AccountChanged { before, now } => format!(
                "You signed in as {}, but this is the sign-in of {}. To change it, sign out of {} first.",
                clean(now),
                clean(before),
                clean(server)
            ),
            Self::Failed { detail, .. } => format!("Signing in did not work: {}.", clean(detail)),
            Self::NoHeader => "Its secret header is not set.".to_owned(),
            Self::UnusableHeader => "Its secret header has characters that a header cannot hold.".to_owned(),
        }
    }
}

impl NearEnd {
    /// What the person can do before it comes.
    pub fn sentence(&self, server: &str) -> String {
        let server = clean(server);
        format!("Your sign-in to {server} ends on {}; sign in now to renew it.", day(&self.at))
    }
}

/// The day of a time as RFC 3339 writes it.
fn day(at: &str) -> String {
    clean(at.get(..10).unwrap_or(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Evidence, SignInFailure};

    #[test]
    fn every_reason_is_a_sentence_and_foreign_words_stay_plain() {
        let at = || "2026-11-21T09:00:00.000Z".to_owned();
        let check = |because: &Because, want: &str| assert_eq!(because.sentence("crm"), want);
        check(&Because::Ended { at: at() }, "Your sign-in ended; that came out on 2026-11-21.");
        check(
            &Because::Interrupted { at: at() },
            "Your sign-in was interrupted on 2026-11-21 while it was being renewed.",
        );
        check(
            &Because::AccountChanged { before: "dana@example.com".into(), now: "da\u{202e}na@example.com".into() },
            "You signed in as da\u{fffd}na@example.com, but this is the sign-in of dana@example.com. \
             To change it, sign out of crm first.",
        );
        let near = NearEnd { at: at(), by: Evidence::Issuer, told_at: None };
        assert_eq!(near.sentence("crm"), "Your sign-in to crm ends on 2026-11-21; sign in now to renew it.");
        check(
            &Because::Failed { how: SignInFailure::Other, detail: "it\u{1b}[2J".into() },
            "Signing in did not work: it\u{fffd}[2J.",
        );
    }
}
