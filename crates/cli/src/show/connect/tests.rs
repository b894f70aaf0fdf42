use expect_test::expect;
use keybearer_control::connect::{Added, Connection, Left, Written};

use super::*;
use crate::show::samples::bare;

#[test]
fn clients_line_up() {
    let client = |id: &str, installed, connection| KnownClient {
        id: id.into(),
        name: id.into(),
        installed,
        placements: Vec::new(),
        file: Some(format!("/home/ada/.{id}.json")),
        connection,
    };
    let connection = Connection {
        transport: "stdio".into(),
        placement: None,
        servers: vec!["crm".into()],
        files: vec!["/home/ada/a.json".into()],
        since: "2026-11-21T12:00:00Z".into(),
    };
    let clients =
        [client("one-app", true, Some(connection)), client("other", true, None), client("third", false, None)];
    expect![[r"
          one-app  connected by stdio to crm  /home/ada/a.json
          other    found here                 /home/ada/.other.json
          third    not found                  /home/ada/.third.json

        Connect one with `keybearer connect CLIENT`; `--dry-run` shows what it would do.
    "]]
    .assert_eq(&bare(&list(&clients)));
}

#[test]
fn a_preview_shows_lines_and_no_key() {
    let sample = Preview {
        client: "chat".into(),
        name: "Chat".into(),
        transport: "http".into(),
        known_by: KnownBy::Key,
        files: vec![FilePreview {
            path: "/home/ada/chat.json".into(),
            real: Some("/home/ada/dotfiles/chat.json".into()),
            exists: true,
            replaces: vec!["servers.crm (headers: Authorization; url)".into()],
            added: vec![Added { line: 3, text: "  \"crm\": {\n    \"key\": \"‹key›\"\n  }".into() }],
        }],
        setting: Some("container_door = \"172.17.0.1\"".into()),
        warnings: vec![Sentence { en: "Chat can have many users.".into(), de: "Viele.".into() }],
        token: "t".into(),
    };
    expect![[r#"
        Chat will reach Keybearer by http.
        It is known by a key, which is made now and written where ‹key› stands.

        /home/ada/chat.json → /home/ada/dotfiles/chat.json
          - servers.crm (headers: Authorization; url)
          line 3
          +   "crm": {
          +     "key": "‹key›"
          +   }

        config.toml of Keybearer
          + container_door = "172.17.0.1"

        ! Chat can have many users.
    "#]]
    .assert_eq(&bare(&preview(&sample)));
}

#[test]
fn what_was_done_and_what_is_left() {
    let sample = Connected {
        client: "chat".into(),
        name: "Chat".into(),
        transport: "stdio".into(),
        servers: vec!["crm".into()],
        files: vec![Written { path: "/a.json".into(), backup: Some("/state/a.json".into()) }],
        afterwards: vec![Sentence { en: "Start Chat again.".into(), de: "Neu starten.".into() }],
    };
    let trial = |tools, sign_in, error: Option<&str>| Trial {
        server: Some("crm".into()),
        tools,
        sign_in,
        error: error.map(ToOwned::to_owned),
    };
    let trials = [trial(3, false, None), trial(1, true, None), trial(0, false, Some("nobody answers"))];
    expect![[r"
        ✓ Chat is connected by stdio.
          written: /a.json
            as it was before: /state/a.json
        ✓ The entry crm was tried as the app will: it lists 3 tools.
        ! The entry crm was tried as the app will: it answers, and you sign in first.
        ✗ The entry crm was tried as the app will, and does not work yet: nobody answers.

        What is left to you:
          • Start Chat again.
    "]]
    .assert_eq(&bare(&connected(&sample, &trials)));
}

#[test]
fn what_was_taken_back() {
    let left = |path: &str, how| Left { path: path.into(), how };
    let files = vec![
        left("/a", Leaving::Restored),
        left("/b", Leaving::Removed),
        left("/c", Leaving::EntriesRemoved),
        left("/d", Leaving::Untouched),
    ];
    let sample = Disconnected { client: "chat".into(), name: "Chat".into(), files, afterwards: Vec::new() };
    expect![[r"
        ✓ Chat is disconnected, and its key, if it had one, is revoked.
          /a: as it was before
          /b: removed: it was not there before
          /c: our entries are gone; what others changed stays
          /d: nothing of ours was in it any more
    "]]
    .assert_eq(&bare(&disconnected(&sample)));
}
