use expect_test::{Expect, expect};

use super::*;
use crate::error::Code;
use crate::snapshot::{Auth, ContainerDoor, HttpDoor, Server, SignIn};

fn server(name: &str, state: SignIn) -> Server {
    let account = matches!(state, SignIn::SignedIn { .. }).then(|| "dana@example.com".to_owned());
    let url = format!("https://{name}.example.com:8443/mcp?x=1");
    Server { name: name.into(), url, auth: Auth::Oauth, state, account, issuer: None }
}

fn snapshot(servers: Vec<Server>) -> Snapshot {
    Snapshot {
        version: "0.1.0".into(),
        pid: 1,
        servers,
        clients: Vec::new(),
        key_store: KeyStore::System,
        http_door: HttpDoor::Closed,
        container_door: ContainerDoor::Closed,
        socket_door: None,
        problems: Vec::new(),
    }
}

fn needed() -> SignIn {
    SignIn::Needed { reason: "your sign-in ended on Friday".into() }
}

const SIGNED_IN: SignIn = SignIn::SignedIn { saved: true };

fn text(view: &View) -> String {
    let View::Attached { home } = view else { unreachable!("attached") };
    let mut text = format!("{:?}: {}\n", home.mark, home.headline);
    for Notice { text: said, hint, .. } in &home.notices {
        text += &format!("! {said} {}\n", hint.as_deref().unwrap_or_default());
    }
    for row in &home.rows {
        text += &format!("{} · {} · {:?} {}", row.name, row.host, row.tone, row.state);
        for part in [&row.account, &row.note, &row.quote].into_iter().flatten() {
            text += &format!(" · {part}");
        }
        text += &row.action.map_or("\n".into(), |action| format!(" [{action:?}]\n"));
    }
    text
}

#[track_caller]
fn check(servers: Vec<Server>, want: &Expect) {
    want.assert_eq(&text(&View::attached(&snapshot(servers), &BTreeMap::new())));
}

#[test]
fn no_server_is_a_state_of_its_own() {
    check(
        vec![],
        &expect![[r#"
        Ready: No company tools yet
    "#]],
    );
}

#[test]
fn who_wants_the_person_comes_first() {
    check(
        vec![server("calendar", SIGNED_IN), server("wiki", needed()), server("crm", needed())],
        &expect![[r#"
        SignIn { count: 2 }: Sign in to 2 tools
        crm · crm.example.com:8443 · Attention sign-in needed · Your sign-in ended on Friday. [SignIn]
        wiki · wiki.example.com:8443 · Attention sign-in needed · Your sign-in ended on Friday. [SignIn]
        calendar · calendar.example.com:8443 · Good signed in · dana@example.com [SignOut]
    "#]],
    );
}

#[test]
fn every_state_has_a_word_and_at_most_one_action() {
    let detail = || "HTTP 401 `invalid_token`\u{202e}".to_owned();
    let states = [
        SignIn::Unknown,
        SignIn::Ready,
        SignIn::SignedIn { saved: false },
        SignIn::SigningIn,
        SignIn::Refused { detail: detail() },
        SignIn::Unreachable { detail: detail() },
        SignIn::KeyStore { detail: detail() },
    ];
    check(
        states.into_iter().enumerate().map(|(n, state)| server(&format!("s{n}"), state)).collect(),
        &expect![[r#"
        SignIn { count: 2 }: Finish signing in in your browser
        s6 · s6.example.com:8443 · Attention keychain locked · Unlock your keychain, or you will have to sign in again after a restart. · HTTP 401 `invalid_token`� [SignIn]
        s4 · s4.example.com:8443 · Danger refused · s4 does not accept your company sign-in. This is for your IT team: · HTTP 401 `invalid_token`� [SignOut]
        s5 · s5.example.com:8443 · Danger not reachable · s5 cannot be reached from here: · HTTP 401 `invalid_token`� [SignIn]
        s0 · s0.example.com:8443 · Quiet not signed in [SignIn]
        s1 · s1.example.com:8443 · Good ready
        s2 · s2.example.com:8443 · Good signed in, not saved · dana@example.com [SignOut]
        s3 · s3.example.com:8443 · Waiting signing in · Finish in your browser.
    "#]],
    );
}

#[test]
fn one_that_waits_is_named() {
    check(
        vec![server("crm", needed())],
        &expect![[r#"
        SignIn { count: 1 }: Sign in to crm
        crm · crm.example.com:8443 · Attention sign-in needed · Your sign-in ended on Friday. [SignIn]
    "#]],
    );
}

#[track_caller]
fn headline(states: Vec<SignIn>, want: &str) {
    let servers = states.into_iter().map(|state| server("crm", state)).collect();
    let view = View::attached(&snapshot(servers), &BTreeMap::new());
    assert_eq!(format!("{:?}: {}", view.mark(), view.headline()), want);
}

#[test]
fn the_whole_is_what_its_parts_add_up_to() {
    let unreachable = || SignIn::Unreachable { detail: "no route".into() };
    let refused = || SignIn::Refused { detail: "401".into() };
    headline(vec![SIGNED_IN, SignIn::Ready], "Ready: Ready");
    headline(vec![SignIn::Unknown, SignIn::Unknown], "Ready: Not signed in yet");
    headline(vec![SIGNED_IN, unreachable()], "Ready: 1 of 2 tools ready");
    headline(vec![unreachable(), unreachable()], "Offline: Your company tools cannot be reached");
    headline(vec![refused()], "Blocked: Your company sign-in is not accepted");
    headline(vec![SignIn::SigningIn, SIGNED_IN], "SignIn { count: 1 }: Finish signing in in your browser");
    headline(vec![SignIn::KeyStore { detail: "locked".into() }], "SignIn { count: 1 }: Your keychain is locked");
}

#[test]
fn what_concerns_the_whole_is_a_notice() {
    let mut broken = snapshot(vec![]);
    broken.key_store = KeyStore::MemoryForWant;
    broken.problems = vec![Error::new(Code::BrokenConfig, "line 3: `sever` is unknown").hint("did you mean `server`?")];
    expect![[r#"
        Ready: Your settings have a problem
        ! There is no keychain here, so sign-ins are kept in memory only. After a restart you will have to sign in again.
        ! Line 3: “sever” is unknown. Did you mean “server”?
    "#]].assert_eq(&text(&View::attached(&broken, &BTreeMap::new())));
}

#[test]
fn a_server_without_sign_in_has_no_action() {
    let mut plain = server("crm", SignIn::Unknown);
    plain.auth = Auth::Header;
    check(
        vec![plain],
        &expect![[r#"
        Ready: Not signed in yet
        crm · crm.example.com:8443 · Quiet not used yet
    "#]],
    );
}

#[test]
fn a_failed_request_stands_at_its_server() {
    let failures = BTreeMap::from([("crm".to_owned(), Error::new(Code::SignInFailed, "`crm` refused the sign-in"))]);
    let View::Attached { home } = View::attached(&snapshot(vec![server("crm", needed())]), &failures) else {
        unreachable!("attached")
    };
    assert_eq!(
        home.rows[0].failure,
        Some(Notice { tone: Tone::Attention, text: "“crm” refused the sign-in.".into(), hint: None })
    );
}
