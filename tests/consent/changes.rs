//! What lets more in is asked, too, while a shell is attached; taking back never is.

use std::process::{Command, Output, Stdio};

use keybearer_control::prompt::{Answer, Matter};
use keybearer_stories::core::keybearer;
use keybearer_testkit::world::World;

use crate::recorded;
use crate::shell::{ONCE, Shell};

/// Runs a command against the world's core, from a process of its own.
fn cli(world: &World, arguments: &[&str]) -> tokio::task::JoinHandle<Output> {
    let mut command = Command::new(keybearer());
    command.args(arguments).env("KEYBEARER_HOME", world.home()).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_server_or_client_is_asked_about_and_a_revocation_is_not() {
    let world = World::start().await;
    let mut shell = Shell::attach(&world).await;
    let add = ["servers", "add", "notes", "https://notes.example.com/mcp"];
    let adding = cli(&world, &add);
    let question = shell.question().await;
    assert_eq!(question.asker.name.as_deref(), Some("keybearer"));
    let wanted = Matter::AddServer { name: "notes".into(), url: "https://notes.example.com/mcp".into() };
    assert_eq!(question.matter, wanted);
    shell.answer(&question, Answer::Deny).await.unwrap();
    assert_eq!(adding.await.unwrap().status.code(), Some(5));
    assert!(world.status().await.servers.iter().all(|server| server.name != "notes"));

    let adding = cli(&world, &add);
    let question = shell.question().await;
    shell.answer(&question, ONCE).await.unwrap();
    assert!(adding.await.unwrap().status.success());
    assert!(world.status().await.servers.iter().any(|server| server.name == "notes"));

    let adding = cli(&world, &["clients", "add", "note-app", "--server", "notes", "--program", "/usr/bin/timeout"]);
    let question = shell.question().await;
    let Matter::AddClient { name, program, servers } = &question.matter else { unreachable!("{question:?}") };
    assert_eq!(
        (name.as_str(), program.as_deref(), &servers[..]),
        ("note-app", Some("/usr/bin/timeout"), &["notes".to_owned()][..])
    );
    shell.answer(&question, ONCE).await.unwrap();
    let added = adding.await.unwrap();
    assert!(added.status.success(), "{added:?}");

    let revoked = cli(&world, &["clients", "revoke", "note-app"]).await.unwrap();
    assert!(revoked.status.success(), "{revoked:?}");
    assert!(cli(&world, &["servers", "remove", "notes"]).await.unwrap().status.success());
    assert_eq!(shell.seen.len(), 3, "taking back asks nobody");
    recorded(&world, |record| record["event"] == "answered" && record["what"] == "add_server").await;
}
