//! The state of a core on one page.

use keybearer_control::snapshot::{ContainerDoor, HttpDoor, KeyStore, Snapshot};
use keybearer_model::time::Timestamp;

use crate::out::error_text;
use crate::plain::clean;
use crate::show::tone::Tone;
use crate::show::{clients, servers};

/// The whole: problems first, then servers, clients, and where things are kept.
pub(crate) fn status(snapshot: &Snapshot, now: Timestamp) -> String {
    let heading = |word: &str| Tone::Strong.paint(word);
    let mut text = format!("Keybearer {} runs (process {}).\n", clean(&snapshot.version), snapshot.pid);
    for problem in &snapshot.problems {
        text.push('\n');
        text.push_str(&error_text(problem));
    }
    if snapshot.stopped {
        let mark = Tone::Danger.paint("✗");
        text.push_str(&format!(
            "\n{mark} All access is stopped: every call is refused until you allow it again in the window.\n"
        ));
    }
    text.push_str(&format!("\n{}\n{}", heading("Servers"), servers::list(&snapshot.servers)));
    text.push_str(&format!("\n{}\n{}\n", heading("Clients"), clients::list(&snapshot.clients, now)));
    text.push_str(kept(snapshot.key_store));
    text.push_str(&door(&snapshot.http_door));
    text.push_str(&container_door(&snapshot.container_door));
    if let Some(socket) = &snapshot.socket_door {
        text.push_str(&format!("Programs that need no port come in at {}.\n", clean(socket)));
    }
    text.push_str(&servers::advice(&snapshot.servers));
    text
}

fn kept(key_store: KeyStore) -> &'static str {
    match key_store {
        KeyStore::System => "Sign-ins are kept in your keychain.\n",
        KeyStore::MemoryByChoice => "Sign-ins are kept in memory only, as config.toml says.\n",
        KeyStore::MemoryForWant => {
            "There is no keychain: sign-ins are kept in memory only, and you sign in again after a restart.\n"
        }
    }
}

/// Where the container door stands, if anybody wants it.
fn container_door(door: &ContainerDoor) -> String {
    match door {
        ContainerDoor::Closed => String::new(),
        ContainerDoor::Open { address } => format!("The container door is open at {}.\n", clean(address)),
        ContainerDoor::Blocked { detail } => {
            format!("{} The container door stays closed: {}.\n", Tone::Danger.paint("✗"), clean(detail))
        }
    }
}

/// Where the HTTP door stands.
pub(crate) fn door(door: &HttpDoor) -> String {
    match door {
        HttpDoor::Closed => "The HTTP door is closed: no client needs it.\n".to_owned(),
        HttpDoor::Open { addresses } => format!("The HTTP door is open at {}.\n", clean(&addresses.join(" and "))),
        HttpDoor::Blocked { port } => {
            format!("{} The HTTP door stays closed: another program uses port {port}.\n", Tone::Danger.paint("✗"))
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use keybearer_control::error::{Code, Error};
    use keybearer_control::snapshot::{Because, SignIn, SignInFailure};

    use super::*;
    use crate::show::samples::{NOW, bare, clients, server, snapshot};

    #[track_caller]
    fn check(snapshot: &Snapshot, want: &Expect) {
        want.assert_eq(&bare(&status(snapshot, NOW)));
    }

    #[test]
    fn an_empty_core_says_what_to_do_first() {
        check(
            &snapshot(Vec::new()),
            &expect![[r#"
            Keybearer 0.1.0 runs (process 4711).

            Servers
              No servers yet. Add one with `keybearer servers add NAME URL`.

            Clients
              No clients yet. Register one with `keybearer clients add NAME`.

            Sign-ins are kept in your keychain.
            The HTTP door is closed: no client needs it.
        "#]],
        );
    }

    #[test]
    fn every_state_has_a_shape_and_a_word() {
        let detail = || "connection refused".to_owned();
        let mut all = snapshot(vec![
            server("calendar", SignIn::Unknown),
            server("crm", SignIn::SignedIn { saved: true }),
            server("hr", SignIn::SignedIn { saved: false }),
            server("mail", SignIn::SigningIn),
            server("news", SignIn::Ready),
            server("ops", SignIn::Refused { detail: "401 with a bearer of 3 seconds".into() }),
            server("tickets", SignIn::Unreachable { detail: detail(), since: "2023-11-14T22:00:00Z".into() }),
            server("vault", SignIn::KeyStore { detail: "the keychain is locked".into() }),
            server("wiki", SignIn::Needed { because: Because::SignedOut }),
        ]);
        all.servers[0].account = None;
        all.clients = clients();
        all.http_door =
            HttpDoor::Open { addresses: vec!["http://127.0.0.1:41234".into(), "http://[::1]:41234".into()] };
        all.socket_door = Some("/run/user/1000/keybearer/http.sock".into());
        check(
            &all,
            &expect![[r#"
                Keybearer 0.1.0 runs (process 4711).

                Servers
                  calendar  · not used yet                            https://calendar.example.com/mcp
                  crm       ✓ signed in             dana@example.com  https://crm.example.com/mcp
                  hr        ✓ signed in, not saved  dana@example.com  https://hr.example.com/mcp
                  mail      … signing in            dana@example.com  https://mail.example.com/mcp
                  news      ✓ ready                 dana@example.com  https://news.example.com/mcp
                  ops       ✗ sign-in not accepted  dana@example.com  401 with a bearer of 3 seconds
                  tickets   ✗ cannot be reached     dana@example.com  connection refused, since 2023-11-14T22:00:00Z
                  vault     ✗ keychain              dana@example.com  the keychain is locked
                  wiki      ! sign in               dana@example.com  You signed out.

                Clients
                  librechat       crm, wiki    seen 13 minutes ago       by its key
                  claude-desktop  all servers  not used since the start  /opt/Claude/claude

                Sign-ins are kept in your keychain.
                The HTTP door is open at http://127.0.0.1:41234 and http://[::1]:41234.
                Programs that need no port come in at /run/user/1000/keybearer/http.sock.

                Sign in with `keybearer login wiki`.
            "#]],
        );
    }

    #[test]
    fn long_and_hostile_text_stays_in_its_place() {
        let mut hostile = server(
            "a-name-that-is-as-long-as-names-can-be-which-is-48",
            SignIn::Needed {
                because: Because::Failed {
                    how: SignInFailure::Other,
                    detail: "sign in\r\n\u{1b}[2J\u{202e}now".into(),
                },
            },
        );
        hostile.account = Some(format!("dana\u{200b}.{}@example.com", "longest".repeat(9)));
        let mut all = snapshot(vec![hostile, server("crm", SignIn::Ready)]);
        all.key_store = KeyStore::MemoryForWant;
        all.http_door = HttpDoor::Blocked { port: 41234 };
        all.problems = vec![Error::new(Code::BrokenConfig, "config.toml:3: `colour` is no setting").hint("remove it")];
        check(
            &all,
            &expect![[r#"
            Keybearer 0.1.0 runs (process 4711).

            error: config.toml:3: `colour` is no setting
            hint: remove it

            Servers
              a-name-that-is-as…an-be-which-is-48  ! sign in  dana�.longestlong…ngest@example.com  Signing in did not work: sign in  �[2J�now.
              crm                                  ✓ ready    dana@example.com                     https://crm.example.com/mcp

            Clients
              No clients yet. Register one with `keybearer clients add NAME`.

            There is no keychain: sign-ins are kept in memory only, and you sign in again after a restart.
            ✗ The HTTP door stays closed: another program uses port 41234.

            Sign in with `keybearer login a-name-that-is-as-long-as-names-can-be-which-is-48`.
        "#]],
        );
    }

    #[test]
    fn stopped_access_is_said() {
        let mut all = snapshot(Vec::new());
        assert!(!status(&all, NOW).contains("All access is stopped"));
        all.stopped = true;
        assert!(status(&all, NOW).contains("All access is stopped"));
    }
}
