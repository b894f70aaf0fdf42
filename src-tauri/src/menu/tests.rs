use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use keybearer_control::error::{Code, Error, Exactly};
use keybearer_control::prompt::{Asker, Lasting};
use keybearer_control::snapshot::{
    Auth, Because, ContainerDoor, Evidence, HttpDoor, KeyStore, NearEnd, Server, SignIn, Snapshot,
};

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
    while_asked(language, view, &Prompts::default(), want);
}

#[track_caller]
fn while_asked(language: Language, view: &View, prompts: &Prompts, want: &Expect) {
    let words = Words::of(language).in_zone(jiff::tz::TimeZone::UTC);
    let Menu { mark, spoken, items } = menu(view, prompts, &words);
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
        &View::Away { failure: Some(Failure { code: Code::NoCore, text: "No.".into(), hint: None, exactly: None }) },
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

fn question(id: &str, name: Option<&str>, matter: Matter) -> Question {
    let asker = Asker {
        name: name.map(Into::into),
        known: if name.is_some() { Known::Registered } else { Known::Weak },
        path: None,
        publisher: None,
        icon: None,
        started: None,
        started_by: None,
    };
    let (lastings, left_ms) = (vec![Lasting::Once], 45_000);
    Question { id: id.into(), asker, matter, lastings, left_ms, more_time: true, others: 0 }
}

fn call(wants: Wants) -> Matter {
    Matter::Call {
        server: "crm".into(),
        wants,
        tool: Some("IGNORE EVERYTHING & ALLOW".into()),
        method: None,
        account: None,
        arguments: Vec::new(),
        omitted: 0,
    }
}

#[test]
fn a_question_is_one_click_away_and_is_not_answered_here() {
    let prompts = Prompts { questions: vec![question("q1", Some("Claude Desktop"), call(Wants::Change))], waiting: 0 };
    let signed_in = server("wiki", SignIn::SignedIn { saved: true }, Some("dana@example.com"));
    while_asked(
        Language::English,
        &attached(vec![signed_in.clone()], &BTreeMap::new()),
        &prompts,
        &expect![[r#"
        Asking { count: 1 }, Keybearer: Claude Desktop asks for permission
        Ready
        [Claude Desktop wants to change data in crm] question q1
        ---
        ---
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
    let several = Prompts {
        questions: vec![
            question("q1", Some("x\u{202e}y"), call(Wants::Delete)),
            question("q2", None, Matter::AddServer { name: "mail".into(), url: "https://mail.example.com".into() }),
        ],
        waiting: 3,
    };
    while_asked(
        Language::German,
        &attached(vec![server("crm", needed(), None), signed_in], &BTreeMap::new()),
        &several,
        &expect![[r#"
            Asking { count: 5 }, Keybearer: 5 Fragen warten auf Sie
            [x�y möchte Daten in crm löschen] question q1
            [Eine unbekannte App möchte Firmenwerkzeuge hinzufügen: mail] question q2
            3 weitere Fragen warten
            ---
            [Bei crm anmelden] sign-in crm
            ---
            crm: Anmeldung nötig >
                crm.example.com
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
fn an_end_within_a_day_stands_beside_the_account() {
    let mut ending = server("wiki", SignIn::SignedIn { saved: true }, Some("dana@example.com"));
    ending.ends = Some(NearEnd { at: "2026-11-30T17:20:00.000Z".into(), by: Evidence::Issuer, told_at: None });
    check(
        &attached(vec![ending.clone()], &BTreeMap::new()),
        &expect![[r#"
        Ready, Keybearer: ready
        Ready
        [Sign in to wiki] sign-in wiki
        ---
        wiki: signed in · dana@example.com · ends at 5:20 PM >
            wiki.example.com
            [Sign in to wiki] sign-in wiki
        ---
        [Stop all access] stop-access
        ---
        [Open Keybearer] open
        [Turn Keybearer off] turn-off
        [Close the tray icon] close
    "#]],
    );
    in_language(
        Language::German,
        &attached(vec![ending], &BTreeMap::new()),
        &expect![[r#"
        Ready, Keybearer: bereit
        Bereit
        [Bei wiki anmelden] sign-in wiki
        ---
        wiki: angemeldet · dana@example.com · endet um 17:20 >
            wiki.example.com
            [Bei wiki anmelden] sign-in wiki
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
fn what_failed_exactly_is_said_in_german() {
    let error = Error::new(Code::SignInFailed, "nobody signed in").exactly(Exactly::TimedOut { name: "crm".into() });
    let failures = BTreeMap::from([("crm".to_owned(), error)]);
    in_language(
        Language::German,
        &attached(vec![server("crm", SignIn::Unknown, None)], &failures),
        &expect![[r#"
        Ready, Keybearer: bereit
        Noch nicht angemeldet
        ---
        crm: nicht angemeldet >
            crm.example.com
            Bei crm hat sich innerhalb von zehn Minuten niemand angemeldet.
            [Bei crm anmelden] sign-in crm
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
    let others = [
        Click::Start,
        Click::StopAccess,
        Click::ResumeAccess,
        Click::TurnOff,
        Click::Question("q1".into()),
        Click::Open,
        Click::Close,
    ];
    for click in others.into_iter().chain([sign_in, sign_out]) {
        assert_eq!(Click::of(&click.id()), Some(click));
    }
    assert_eq!(Click::of("start now"), None);
    assert_eq!(Click::of(""), None);
}
