//! How long a yes counts, for whom, and what ends it (SEC-11).

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use keybearer_control::prompt::{Answer, Known, Lasting, Permission};
use keybearer_control::wire::Request;
use keybearer_stories::core::keybearer;
use keybearer_testkit::world::World;
use serde_json::{Value, json};

use crate::shell::{ONCE, Shell};
use crate::{change, recorded};

const ALWAYS: Answer = Answer::Allow { lasting: Lasting::Always };
const SESSION: Answer = Answer::Allow { lasting: Lasting::Session };

async fn permissions(world: &World) -> Vec<Permission> {
    world.status().await.permissions
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_always_allowed_outlives_the_core_and_ends_when_it_is_revoked() {
    let mut world = World::start().await;
    world.login("crm").await.unwrap();
    let client = world.client("chat-app").await;
    let mut shell = Shell::attach(&world).await;
    let (answer, ()) = tokio::join!(client.call("crm", "update_account", change()), async {
        let question = shell.question().await;
        assert_eq!(question.lastings, [Lasting::Once, Lasting::Today, Lasting::Always]);
        shell.answer(&question, ALWAYS).await.unwrap();
    });
    assert!(answer.result().is_some(), "{answer:?}");
    drop(shell);
    assert!(client.call("crm", "update_account", change()).await.result().is_some(), "no question");
    let call = recorded(&world, |record| record["reason"] == "permission 1").await;
    assert_eq!((&call["tool"], &call["decision"]), (&json!("update_account"), &json!("allow")));
    // The row is written beside: a restart waits for it.
    world.restart().await;
    let kept = permissions(&world).await;
    assert_eq!(
        (kept[0].holder.as_deref(), kept[0].what.as_deref()),
        (Some("chat-app"), Some("update_account")),
        "{kept:?}"
    );
    assert_eq!(kept[0].account.as_deref(), Some("dana@example.com"));

    world.ask(Request::RevokePermission { number: kept[0].number }).await.unwrap();
    assert!(permissions(&world).await.is_empty());
    assert!(world.ask(Request::RevokePermission { number: kept[0].number }).await.is_err());
    recorded(&world, |record| record["event"] == "permission_ended" && record["why"] == "revoked").await;
    assert!(world.prompter.questions().is_empty());
    let client = world.client("other-app").await;
    client.call("crm", "update_account", change()).await;
    assert_eq!(world.prompter.questions().len(), 1, "without a shell the terminal is asked, as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_11_a_program_that_is_hardly_known_is_asked_about_again_after_ten_idle_minutes() {
    let world = World::start().await;
    world.login("raw").await.unwrap();
    let mut app = world.stdio("desk-app", "raw").await.unwrap();
    let mut shell = Shell::attach(&world).await;
    let account = json!({ "id": "A-1002" });
    let (answer, ()) = tokio::join!(app.call("get_account", account.clone()), async {
        let question = shell.question().await;
        assert_eq!(
            (question.asker.known, &question.lastings[..]),
            (Known::Weak, &[Lasting::Once, Lasting::Session][..])
        );
        shell.answer(&question, SESSION).await.unwrap();
    });
    assert!(answer.unwrap().result().is_some());
    world.clock.advance(Duration::from_secs(599));
    assert!(app.call("get_account", account.clone()).await.unwrap().result().is_some());
    world.clock.advance(Duration::from_secs(599));
    assert!(app.call("get_account", account.clone()).await.unwrap().result().is_some(), "it was used meanwhile");
    assert_eq!(permissions(&world).await.len(), 1);
    world.clock.advance(Duration::from_secs(600));
    assert!(permissions(&world).await.is_empty());
    let (answer, ()) = tokio::join!(app.call("get_account", account), async {
        let question = shell.question().await;
        shell.answer(&question, ONCE).await.unwrap();
    });
    assert!(answer.unwrap().result().is_some());
}

/// A program of the user's that has started a bridge: a copy of `timeout`, which stays its parent.
struct Program(Child);

impl Program {
    fn start(world: &World) -> Self {
        let program: PathBuf = world.home().join("desk-app");
        std::fs::copy("/usr/bin/timeout", &program).unwrap();
        let mut command = Command::new(&program);
        command.args(["--foreground", "60"]).arg(keybearer()).args(["stdio", "raw"]);
        command.env("KEYBEARER_HOME", world.home()).stdin(Stdio::piped()).stdout(Stdio::piped());
        loop {
            match command.spawn() {
                // Another test's process, just begun, holds the fresh copy open for writing until it executes.
                Err(cause) if cause.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                begun => return Self(begun.unwrap()),
            }
        }
    }

    /// Calls a tool; the answer is read by a thread.
    fn call(&mut self, id: u64) -> tokio::task::JoinHandle<Value> {
        let params = json!({ "name": "get_account", "arguments": { "id": "A-1002" } });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        self.0.stdin.as_mut().unwrap().write_all(format!("{call}\n").as_bytes()).unwrap();
        let output = self.0.stdout.take().unwrap();
        tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).unwrap();
            serde_json::from_str(&line).unwrap()
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_until_a_program_closes_ends_with_it() {
    let world = World::start().await;
    world.login("raw").await.unwrap();
    let mut shell = Shell::attach(&world).await;
    let mut program = Program::start(&world);
    let answer = program.call(1);
    let question = shell.question().await;
    assert_eq!(question.asker.name.as_deref(), Some("desk-app"));
    assert_eq!((question.asker.known, question.lastings.len()), (Known::Program, 2), "nobody has registered it");
    shell.answer(&question, SESSION).await.unwrap();
    assert!(answer.await.unwrap()["result"].is_object());
    let given = world.until(|snapshot| !snapshot.permissions.is_empty()).await;
    assert_eq!(given.permissions[0].lasting, Lasting::Session);
    assert_eq!(given.permissions[0].program.as_deref(), world.home().join("desk-app").to_str());
    drop(program);
    world.until(|snapshot| snapshot.permissions.is_empty()).await;
    recorded(&world, |record| record["event"] == "permission_ended" && record["why"] == "program_closed").await;
    let mut again = Program::start(&world);
    let answer = again.call(2);
    let question = shell.question().await;
    shell.answer(&question, Answer::Deny).await.unwrap();
    assert!(answer.await.unwrap()["error"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_as_one_account_is_asked_as_another() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    let client = world.client("chat-app").await;
    let mut shell = Shell::attach(&world).await;
    let (answer, ()) = tokio::join!(client.call("crm", "update_account", change()), async {
        let question = shell.question().await;
        shell.answer(&question, ALWAYS).await.unwrap();
    });
    assert!(answer.result().is_some());
    let other = world.company.idp.add_account("mal", "Mal Ory", "mal@example.com").unwrap();
    world.browser.sit_down(other);
    world.logout("crm").await.unwrap();
    world.login("crm").await.unwrap();
    let (answer, ()) = tokio::join!(client.call("crm", "update_account", change()), async {
        let question = shell.question().await;
        shell.answer(&question, Answer::Deny).await.unwrap();
    });
    assert!(answer.result().is_none(), "{answer:?}");
}
