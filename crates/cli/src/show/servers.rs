//! Servers and where their sign-ins stand.

use keybearer_control::snapshot::{Auth, Server, SignIn};

use crate::plain::{clean, shortened};
use crate::show::table::{Cell, columns};
use crate::show::tone::Tone;

/// One sentence and one thing to do, for a core without servers.
pub(crate) const NONE: &str = "  No servers yet. Add one with `keybearer servers add NAME URL`.\n";

/// The servers, one a line: name, state, account, and what matters most of the rest.
pub(crate) fn list(servers: &[Server]) -> String {
    if servers.is_empty() {
        return NONE.to_owned();
    }
    columns(&servers.iter().map(row).collect::<Vec<_>>())
}

/// One server in full.
pub(crate) fn one(server: &Server) -> String {
    let (tone, word) = state(&server.state);
    let mut rows = vec![
        vec![Cell::soft("address"), Cell::plain(clean(&server.url))],
        vec![Cell::soft("sign-in by"), Cell::plain(auth(server.auth))],
        vec![Cell::soft("state"), Cell::new(tone, word)],
    ];
    if let Some(reason) = reason(server) {
        rows.push(vec![Cell::soft("because"), Cell::plain(reason)]);
    }
    if let Some(account) = &server.account {
        rows.push(vec![Cell::soft("account"), Cell::plain(clean(account))]);
    }
    if let Some(issuer) = &server.issuer {
        rows.push(vec![Cell::soft("company sign-in"), Cell::plain(clean(issuer))]);
    }
    if !server.shares_with.is_empty() {
        rows.push(vec![Cell::soft("shared with"), Cell::plain(clean(&server.shares_with.join(", ")))]);
    }
    for deviation in &server.deviations {
        rows.push(vec![Cell::soft("deviates"), Cell::new(Tone::Attention, clean(deviation))]);
    }
    format!("{}\n{}", Tone::Strong.paint(&clean(&server.name)), columns(&rows))
}

/// What the person can do about the servers that wait for a sign-in; empty if none does.
pub(crate) fn advice(servers: &[Server]) -> String {
    let waiting: Vec<String> = servers
        .iter()
        .filter(|server| matches!(server.state, SignIn::Needed { .. }))
        .map(|server| clean(&server.name))
        .collect();
    match waiting.as_slice() {
        [] => String::new(),
        [one] => format!("\nSign in with `keybearer login {one}`.\n"),
        several => format!("\nSign in with `keybearer login NAME`: {}.\n", several.join(", ")),
    }
}

/// A state as a shape and a word.
pub(crate) fn state(state: &SignIn) -> (Tone, &'static str) {
    match state {
        SignIn::Unknown => (Tone::Soft, "· not used yet"),
        SignIn::Ready => (Tone::Good, "✓ ready"),
        SignIn::SignedIn { saved: true } => (Tone::Good, "✓ signed in"),
        SignIn::SignedIn { saved: false } => (Tone::Attention, "✓ signed in, not saved"),
        SignIn::Renewing => (Tone::Good, "✓ signed in, renewing"),
        SignIn::SigningIn => (Tone::Attention, "… signing in"),
        SignIn::Needed { .. } => (Tone::Attention, "! sign in"),
        SignIn::Refused { .. } => (Tone::Danger, "✗ sign-in not accepted"),
        SignIn::Unreachable { .. } => (Tone::Danger, "✗ cannot be reached"),
        SignIn::KeyStore { .. } => (Tone::Danger, "✗ keychain"),
    }
}

fn row(server: &Server) -> Vec<Cell> {
    let (tone, word) = state(&server.state);
    let last = match reason(server) {
        Some(reason) => Cell::plain(shortened(&reason, 120)),
        None => Cell::soft(shortened(&clean(&server.url), 120)),
    };
    vec![
        Cell::new(Tone::Strong, clean(&server.name)),
        Cell::new(tone, word),
        Cell::plain(server.account.as_deref().map(clean).unwrap_or_default()),
        last,
    ]
}

fn reason(server: &Server) -> Option<String> {
    match &server.state {
        SignIn::SignedIn { .. } | SignIn::Renewing => server.ends.as_ref().map(|ends| ends.sentence(&server.name)),
        SignIn::Unknown | SignIn::Ready | SignIn::SigningIn => None,
        SignIn::Needed { because } => Some(because.sentence(&server.name)),
        SignIn::Unreachable { detail, since } => Some(format!("{}, since {}", clean(detail), clean(since))),
        SignIn::Refused { detail } | SignIn::KeyStore { detail } => Some(clean(detail)),
    }
}

fn auth(auth: Auth) -> &'static str {
    match auth {
        Auth::Oauth => "the company sign-in (OAuth)",
        Auth::Header => "a header that is kept in the keychain",
        Auth::None => "nothing: the server asks for none",
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use keybearer_control::snapshot::{Because, Evidence, NearEnd};

    use super::*;
    use crate::show::samples::{bare, server};

    #[track_caller]
    fn check(server: &Server, want: &Expect) {
        want.assert_eq(&bare(&one(server)));
    }

    #[test]
    fn one_server_tells_all_that_is_known() {
        check(
            &server("crm", SignIn::SignedIn { saved: true }),
            &expect![[r"
                crm
                  address          https://crm.example.com/mcp
                  sign-in by       the company sign-in (OAuth)
                  state            ✓ signed in
                  account          dana@example.com
                  company sign-in  https://login.example.com
            "]],
        );
    }

    #[test]
    fn a_sign_in_that_deviates_from_the_standards_says_so() {
        let mut crm = server("crm", SignIn::SignedIn { saved: true });
        crm.deviations = vec!["`resource` is not sent (set for this server)".into()];
        let told = bare(&one(&crm));
        assert!(told.ends_with("  deviates         `resource` is not sent (set for this server)\n"), "{told}");
    }

    #[test]
    fn a_server_that_waits_says_why() {
        let mut ending = server("crm", SignIn::SignedIn { saved: true });
        ending.ends = Some(NearEnd { at: "2026-11-24T09:00:00Z".into(), by: Evidence::Issuer, told_at: None });
        assert!(bare(&one(&ending)).contains("Your sign-in to crm ends on 2026-11-24; sign in now to renew it."));
        let mut wiki = server("wiki", SignIn::Needed { because: Because::NoHeader });
        (wiki.account, wiki.issuer, wiki.auth) = (None, None, Auth::Header);
        check(
            &wiki,
            &expect![[r"
                wiki
                  address     https://wiki.example.com/mcp
                  sign-in by  a header that is kept in the keychain
                  state       ! sign in
                  because     Its secret header is not set.
            "]],
        );
    }
}
