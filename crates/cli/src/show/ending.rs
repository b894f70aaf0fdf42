//! How signing in and out ended, in sentences.

use keybearer_control::snapshot::{Server, SignIn};
use keybearer_control::wire::Revocation;

use crate::plain::clean;
use crate::show::tone::Tone;

/// After `login`.
pub(crate) fn signed_in(server: &Server) -> String {
    let name = clean(&server.name);
    let as_whom = server.account.as_deref().map(|account| format!(" as {}", clean(account))).unwrap_or_default();
    let done = Tone::Good.paint("✓");
    match &server.state {
        SignIn::SignedIn { saved: false } => format!(
            "{done} Signed in to {name}{as_whom}.\nThe sign-in is kept in memory only: you sign in again after a restart.\n"
        ),
        SignIn::Ready => format!("{done} {name} is ready: it needs no sign-in.\n"),
        SignIn::SignedIn { saved: true }
        | SignIn::Unknown
        | SignIn::Renewing
        | SignIn::SigningIn
        | SignIn::Needed { .. }
        | SignIn::Refused { .. }
        | SignIn::Unreachable { .. }
        | SignIn::KeyStore { .. } => format!("{done} Signed in to {name}{as_whom}.\n"),
    }
}

/// During `login`, for a person who signs in on another device.
pub(crate) fn code(server: &str, address: &str, code: &str, whole: Option<&str>) -> String {
    let (address, code) = (clean(address), Tone::Strong.paint(&clean(code)));
    let whole = whole.map(|whole| format!("Or open {}, and compare the code.\n", clean(whole))).unwrap_or_default();
    format!(
        "To sign in to {}, open this address on any device:\n\n  {address}\n\nand type in this code:\n\n  {code}\n\n{whole}",
        clean(server)
    )
}

/// After `logout`.
pub(crate) fn signed_out(server: &str, with: &[String], revocation: &Revocation) -> String {
    let name = match with {
        [] => clean(server),
        others => format!("{}, and of {} with it", clean(server), clean(&others.join(", "))),
    };
    let done = Tone::Good.paint("✓");
    match revocation {
        Revocation::Revoked => format!("{done} Signed out of {name}. The company sign-in has revoked it, too.\n"),
        Revocation::NotOffered => {
            format!("{done} Signed out of {name}. The company sign-in cannot revoke: what it gave ends by itself.\n")
        }
        Revocation::Failed { detail } => format!(
            "{} Signed out of {name} here. The company sign-in could not be asked to revoke it ({}): what it gave ends by \
             itself.\n",
            Tone::Attention.paint("!"),
            clean(detail)
        ),
        Revocation::Nothing => format!("{done} Signed out of {name}. There was no sign-in to revoke.\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::samples::{bare, server};

    #[test]
    fn signing_in_says_as_whom_and_what_is_missing() {
        let saved = server("crm", SignIn::SignedIn { saved: true });
        assert_eq!(bare(&signed_in(&saved)), "✓ Signed in to crm as dana@example.com.\n");
        let lost = server("crm", SignIn::SignedIn { saved: false });
        assert!(signed_in(&lost).contains("in memory only"));
    }

    #[test]
    fn a_code_is_told_with_where_to_type_it_in() {
        let text =
            bare(&code("crm", "https://idp.test/device", "WDJB-\u{202e}MJHT", Some("https://idp.test/device?c=1")));
        assert_eq!(
            text,
            "To sign in to crm, open this address on any device:\n\n  https://idp.test/device\n\nand type in this code:\n\n  \
             WDJB-\u{FFFD}MJHT\n\nOr open https://idp.test/device?c=1, and compare the code.\n"
        );
    }

    #[test]
    fn signing_out_says_which_servers_went_along() {
        let with = ["mail".to_owned(), "wiki".to_owned()];
        assert_eq!(
            bare(&signed_out("crm", &with, &Revocation::Revoked)),
            "✓ Signed out of crm, and of mail, wiki with it. The company sign-in has revoked it, too.\n"
        );
    }

    #[test]
    fn signing_out_says_what_lives_on() {
        let text = bare(&signed_out("crm", &[], &Revocation::Failed { detail: "no\u{1b}[1m answer".into() }));
        assert_eq!(
            text,
            "! Signed out of crm here. The company sign-in could not be asked to revoke it (no\u{FFFD}[1m answer): what it \
             gave ends by itself.\n"
        );
    }
}
