use expect_test::{Expect, expect};

use super::*;
use crate::error::Code;
use crate::snapshot::{Auth, Because, ContainerDoor, Evidence, HttpDoor, NearEnd, Server, SignIn};

fn server(name: &str, state: SignIn) -> Server {
    let account = matches!(state, SignIn::SignedIn { .. }).then(|| "dana@example.com".to_owned());
    let url = format!("https://{name}.example.com:8443/mcp?x=1");
    Server {
        name: name.into(),
        url,
        auth: Auth::Oauth,
        state,
        account,
        issuer: None,
        shares_with: Vec::new(),
        deviations: Vec::new(),
        ends: None,
    }
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
        stopped: false,
        permissions: Vec::new(),
        problems: Vec::new(),
    }
}

fn needed() -> SignIn {
    SignIn::Needed { because: Because::SignedOut }
}

const SIGNED_IN: SignIn = SignIn::SignedIn { saved: true };

fn text(view: &View) -> String {
    let View::Attached { home, .. } = view else { unreachable!("attached") };
    let mut text = format!("{:?}: {:?}\n", home.mark, home.headline);
    for notice in &home.notices {
        text += &format!("! {notice:?}\n");
    }
    for row in &home.rows {
        text += &format!("{} · {} · {:?} {:?}", row.name, row.host, row.tone, row.state);
        if let Some(because) = &row.because {
            text += &format!(" · {because:?}");
        }
        if let Some(ends) = &row.ends {
            text += &format!(" · ends {}", ends.at);
        }
        for part in [&row.account, &row.quote].into_iter().flatten() {
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
            Ready: NoTools
        "#]],
    );
}

#[test]
fn who_wants_the_person_comes_first() {
    check(
        vec![server("calendar", SIGNED_IN), server("wiki", needed()), server("crm", needed())],
        &expect![[r#"
            SignIn { count: 2 }: SignInToMany { count: 2 }
            crm · crm.example.com:8443 · Attention SignInNeeded · SignedOut [SignIn]
            wiki · wiki.example.com:8443 · Attention SignInNeeded · SignedOut [SignIn]
            calendar · calendar.example.com:8443 · Good SignedIn · dana@example.com [SignOut]
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
        SignIn::Unreachable { detail: detail(), since: since() },
        SignIn::KeyStore { detail: detail() },
    ];
    check(
        states.into_iter().enumerate().map(|(n, state)| server(&format!("s{n}"), state)).collect(),
        &expect![[r#"
            SignIn { count: 2 }: FinishSignIn
            s6 · s6.example.com:8443 · Attention KeychainLocked · HTTP 401 `invalid_token`� [SignIn]
            s4 · s4.example.com:8443 · Danger Refused · HTTP 401 `invalid_token`� [SignOut]
            s5 · s5.example.com:8443 · Danger Unreachable · HTTP 401 `invalid_token`� [SignIn]
            s0 · s0.example.com:8443 · Quiet NotSignedIn [SignIn]
            s1 · s1.example.com:8443 · Good Ready
            s2 · s2.example.com:8443 · Good SignedInNotSaved · dana@example.com [SignOut]
            s3 · s3.example.com:8443 · Waiting SigningIn
        "#]],
    );
}

#[test]
fn one_that_waits_is_named() {
    check(
        vec![server("crm", needed())],
        &expect![[r#"
            SignIn { count: 1 }: SignInTo { name: "crm" }
            crm · crm.example.com:8443 · Attention SignInNeeded · SignedOut [SignIn]
        "#]],
    );
}

#[track_caller]
fn headline(states: Vec<SignIn>, mark: Mark, want: &Headline) {
    let servers = states.into_iter().map(|state| server("crm", state)).collect();
    let view = View::attached(&snapshot(servers), &BTreeMap::new());
    let View::Attached { home, .. } = &view else { unreachable!("attached") };
    assert_eq!((view.mark(), &home.headline), (mark, want));
}

#[test]
fn the_whole_is_what_its_parts_add_up_to() {
    let unreachable = || SignIn::Unreachable { detail: "no route".into(), since: since() };
    let refused = || SignIn::Refused { detail: "401".into() };
    let locked = || SignIn::KeyStore { detail: "locked".into() };
    let one = Mark::SignIn { count: 1 };
    headline(vec![SIGNED_IN, SignIn::Ready], Mark::Ready, &Headline::Ready);
    headline(vec![SignIn::Unknown, SignIn::Unknown], Mark::Ready, &Headline::NotSignedIn);
    headline(vec![SIGNED_IN, unreachable()], Mark::Ready, &Headline::SomeReady { ready: 1, all: 2 });
    headline(vec![unreachable(), unreachable()], Mark::Offline, &Headline::Unreachable);
    headline(vec![refused()], Mark::Blocked, &Headline::Refused);
    headline(vec![SignIn::SigningIn, SIGNED_IN], one, &Headline::FinishSignIn);
    headline(vec![locked()], one, &Headline::KeychainLocked);
}

#[test]
fn what_concerns_the_whole_is_a_notice() {
    let mut broken = snapshot(vec![]);
    broken.key_store = KeyStore::MemoryForWant;
    broken.problems = vec![Error::new(Code::BrokenConfig, "line 3: `sever` is unknown").hint("did you mean `server`?")];
    expect![[r#"
        Ready: Problems { count: 1 }
        ! MemoryForWant
        ! Problem { failure: Failure { code: BrokenConfig, text: "Line 3: “sever” is unknown.", hint: Some("Did you mean “server”?"), exactly: None } }
    "#]].assert_eq(&text(&View::attached(&broken, &BTreeMap::new())));
}

#[test]
fn a_near_end_is_told_while_the_sign_in_serves() {
    let near = |state| Server {
        ends: Some(NearEnd { at: since(), by: Evidence::Issuer, told_at: None }),
        ..server("crm", state)
    };
    check(
        vec![near(SIGNED_IN)],
        &expect![[r#"
            Ready: Ready
            crm · crm.example.com:8443 · Attention SignedIn · ends 2026-11-21T09:00:00.000Z · dana@example.com [SignIn]
        "#]],
    );
    check(
        vec![near(needed())],
        &expect![[r#"
            SignIn { count: 1 }: SignInTo { name: "crm" }
            crm · crm.example.com:8443 · Attention SignInNeeded · SignedOut [SignIn]
        "#]],
    );
}

#[test]
fn a_server_without_sign_in_has_no_action() {
    let mut plain = server("crm", SignIn::Unknown);
    plain.auth = Auth::Header;
    check(
        vec![plain],
        &expect![[r#"
            Ready: NotSignedIn
            crm · crm.example.com:8443 · Quiet NotUsed
        "#]],
    );
}

#[test]
fn a_failed_request_stands_at_its_server() {
    let failures = BTreeMap::from([("crm".to_owned(), Error::new(Code::SignInFailed, "`crm` refused the sign-in"))]);
    let View::Attached { home, .. } = View::attached(&snapshot(vec![server("crm", needed())]), &failures) else {
        unreachable!("attached")
    };
    let failure =
        Failure { code: Code::SignInFailed, text: "“crm” refused the sign-in.".into(), hint: None, exactly: None };
    assert_eq!(home.rows[0].failure, Some(failure));
}

#[test]
fn a_person_is_asked_only_about_sign_ins_that_are_still_not_kept() {
    let signed_in = |saved| SignIn::SignedIn { saved };
    let away = SignIn::Unreachable { detail: "no route".into(), since: since() };
    let servers = vec![
        server("crm", signed_in(false)),
        server("wiki", signed_in(true)),
        server("erp", signed_in(false)),
        server("hr", away),
    ];
    let asked = ["wiki", "crm", "gone", "hr"].map(str::to_owned);
    let View::Attached { home, .. } = View::attached(&snapshot(servers), &BTreeMap::new()).losing(&asked) else {
        unreachable!("attached")
    };
    assert_eq!(home.losing, ["crm", "hr"]);
    assert_eq!(View::Starting.losing(&asked), View::Starting);
}

fn since() -> String {
    "2026-11-21T09:00:00.000Z".to_owned()
}
