use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use keybearer_control::error::{Code, Error};
use keybearer_control::snapshot::{Auth, Because, ContainerDoor, HttpDoor, KeyStore, Server, SignIn, Snapshot};

use super::*;

fn server(name: &str, state: SignIn, account: Option<&str>) -> Server {
    let url = format!("https://{name}.example.com/mcp");
    Server {
        name: name.into(),
        url,
        auth: Auth::Oauth,
        state,
        account: account.map(Into::into),
        issuer: None,
        ends: None,
        shares_with: Vec::new(),
        deviations: Vec::new(),
    }
}

fn attached(servers: Vec<Server>, failures: &BTreeMap<String, Error>) -> View {
    let snapshot = Snapshot {
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
    };
    View::attached(&snapshot, failures)
}

fn lines(items: &[Item], indent: &str, text: &mut String) {
    for item in items {
        match item {
            Item::Line(words) => *text += &format!("{indent}{words}\n"),
            Item::Button(words, click) => *text += &format!("{indent}[{words}] {}\n", click.id()),
            Item::Rule => *text += &format!("{indent}---\n"),
            Item::Folder(words, items) => {
                *text += &format!("{indent}{words} >\n");
                lines(items, "    ", text);
            }
        }
    }
}

#[track_caller]
fn check(view: &View, want: &Expect) {
    in_language(Language::English, view, want);
}

#[track_caller]
fn in_language(language: Language, view: &View, want: &Expect) {
    let Menu { mark, spoken, items } = menu(view, &Words::of(language));
    let mut text = format!("{mark:?}, {spoken}\n");
    lines(&items, "", &mut text);
    want.assert_eq(&text);
}

fn needed() -> SignIn {
    SignIn::Needed { because: Because::SignedOut }
}

#[test]
fn no_core_can_be_started() {
    check(
        &View::Away { failure: Some(Failure { code: Code::NoCore, text: "No.".into(), hint: None }) },
        &expect![[r#"
        Blocked, Keybearer: not running
        Keybearer is not running
        [Start Keybearer] start
        ---
        [Open Keybearer] open
        [Close the tray icon] close
    "#]],
    );
}

#[test]
fn a_core_that_starts_leaves_nothing_to_do_but_wait() {
    check(
        &View::Starting,
        &expect![[r#"
        Offline, Keybearer: starting
        Starting Keybearer
        ---
        [Open Keybearer] open
        [Close the tray icon] close
    "#]],
    );
}

#[test]
fn a_core_without_servers() {
    check(
        &attached(vec![], &BTreeMap::new()),
        &expect![[r#"
            Ready, Keybearer: ready
            No company tools yet
            ---
            [Stop all access] stop-access
            ---
            [Open Keybearer] open
            [Turn Keybearer off] turn-off
            [Close the tray icon] close
        "#]],
    );
}

#[test]
fn what_wants_the_person_is_one_click_away() {
    let signed_in = server("wiki", SignIn::SignedIn { saved: true }, Some("dana@example.com"));
    check(
        &attached(vec![server("crm", needed(), None), signed_in], &BTreeMap::new()),
        &expect![[r#"
            SignIn { count: 1 }, Keybearer: sign in to 1 tool
            [Sign in to crm] sign-in crm
            ---
            crm: sign-in needed >
                crm.example.com
                [Sign in to crm] sign-in crm
            wiki: signed in · dana@example.com >
                wiki.example.com
                [Sign out of wiki] sign-out wiki
            ---
            [Stop all access] stop-access
            ---
            [Open Keybearer] open
            [Turn Keybearer off] turn-off
            [Close the tray icon] close
        "#]],
    );
}

#[test]
fn a_failed_request_is_told_where_it_was_made() {
    let failures = BTreeMap::from([("crm".to_owned(), Error::new(Code::Unreachable, "`crm` cannot be reached"))]);
    check(
        &attached(vec![server("crm", SignIn::Unknown, None)], &failures),
        &expect![[r#"
            Ready, Keybearer: ready
            Not signed in yet
            ---
            crm: not signed in >
                crm.example.com
                “crm” cannot be reached.
                [Sign in to crm] sign-in crm
            ---
            [Stop all access] stop-access
            ---
            [Open Keybearer] open
            [Turn Keybearer off] turn-off
            [Close the tray icon] close
        "#]],
    );
}

#[test]
fn long_and_hostile_names_stay_in_their_line() {
    let name = "quarterly-reports-of-the-whole-company-archive-48";
    let account = "\u{202e}moc.elpmaxe@anad\nQuit & leave_now".to_owned() + &"x".repeat(80);
    check(
        &attached(vec![server(name, SignIn::SignedIn { saved: true }, Some(&account))], &BTreeMap::new()),
        &expect![[r#"
            Ready, Keybearer: ready
            Ready
            ---
            quarterly-reports-of…-company-archive-48: signed in · �moc.elpmaxe@anad Qu…xxxxxxxxxxxxxxxxxxx >
                quarterly-reports-of…hive-48.example.com
                [Sign out of quarterly-reports-of…-company-archive-48] sign-out quarterly-reports-of-the-whole-company-archive-48
            ---
            [Stop all access] stop-access
            ---
            [Open Keybearer] open
            [Turn Keybearer off] turn-off
            [Close the tray icon] close
        "#]],
    );
}

#[test]
fn german_is_spoken_throughout() {
    let failures = BTreeMap::from([("crm".to_owned(), Error::new(Code::Unreachable, "`crm` cannot be reached"))]);
    let signed_in = server("wiki", SignIn::SignedIn { saved: true }, Some("dana@example.com"));
    in_language(
        Language::German,
        &attached(vec![server("crm", needed(), None), signed_in], &failures),
        &expect![[r#"
        SignIn { count: 1 }, Keybearer: bei 1 Werkzeug anmelden
        [Bei crm anmelden] sign-in crm
        ---
        crm: Anmeldung nötig >
            crm.example.com
            Das ist nicht erreichbar.
            [Bei crm anmelden] sign-in crm
        wiki: angemeldet · dana@example.com >
            wiki.example.com
            [Von wiki abmelden] sign-out wiki
        ---
        [Jeden Zugriff anhalten] stop-access
        ---
        [Keybearer öffnen] open
        [Keybearer ausschalten] turn-off
        [Symbol schließen] close
    "#]],
    );
}

#[test]
fn a_click_survives_the_way_through_the_menu() {
    let (sign_in, sign_out) = (Click::SignIn("a-b_c".into()), Click::SignOut("x".into()));
    let others = [Click::Start, Click::StopAccess, Click::ResumeAccess, Click::TurnOff, Click::Open, Click::Close];
    for click in others.into_iter().chain([sign_in, sign_out]) {
        assert_eq!(Click::of(&click.id()), Some(click));
    }
    assert_eq!(Click::of("start now"), None);
    assert_eq!(Click::of(""), None);
}
