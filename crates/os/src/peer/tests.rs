use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::folders::Folders;
use crate::local::{Listener, Name, bind};
use crate::lock::CoreLock;

/// The example that connects, and waits until it is hung up on unless told to leave.
fn knock() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().join("examples/knock")
}

fn home() -> (tempfile::TempDir, Folders, Listener) {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::at(home.path());
    let listener = bind(&CoreLock::acquire(&folders).unwrap(), Name::Bridge).unwrap();
    (home, folders, listener)
}

fn start(command: &mut Command, folders: &tempfile::TempDir) -> Child {
    command.env("KEYBEARER_HOME", folders.path()).stdin(Stdio::null()).spawn().unwrap()
}

#[tokio::test]
async fn the_chain_begins_with_who_started_the_peer() {
    let (home, _, listener) = home();
    let script = format!("'{}' stay; exit 3", knock().display());
    let mut shell = start(Command::new("/bin/sh").args(["-c", &script]), &home);
    let stream = listener.accept().await.unwrap();
    let peer = identify(&stream).unwrap();
    assert_ne!(peer.pid, shell.id());
    assert_eq!((peer.itself.pid, &peer.itself.executable), (peer.pid, &Some(std::fs::canonicalize(knock()).unwrap())));
    assert_eq!(peer.chain[0].pid, shell.id());
    assert_eq!(peer.chain[0].executable, Some(std::fs::canonicalize("/bin/sh").unwrap()));
    assert_eq!(peer.chain[1].pid, std::process::id());
    assert_eq!(peer.chain[1].executable, std::env::current_exe().ok());
    let this = program(&std::env::current_exe().unwrap()).unwrap();
    assert_eq!((&peer.chain[1].file, peer.chain[1].changeable), (&this.file, this.changeable));
    assert!(this.file.unwrap().digest().is_some());
    assert!(peer.chain[0].file.as_ref().unwrap().wait_for_digest().is_some());
    assert!(peer.chain.iter().all(|process| process.begun > 0));
    assert!(peer.chain.len() <= LONGEST && peer.chain.iter().all(|process| process.pid > 1));
    drop(stream);
    assert_eq!(shell.wait().unwrap().code(), Some(3));
}

#[tokio::test]
async fn one_that_ended_is_not_named() {
    let (home, _, listener) = home();
    let mut child = start(Command::new(knock()).arg("leave"), &home);
    let stream = listener.accept().await.unwrap();
    assert!(child.wait().unwrap().success());
    assert!(matches!(identify(&stream), Err(PeerError::Gone)));
}

#[tokio::test]
async fn in_a_storm_of_short_lives_nobody_is_named_wrongly() {
    let (home, _, listener) = home();
    let script = format!("i=0; while [ $i -lt 200 ]; do '{}' leave & i=$((i+1)); done; wait", knock().display());
    let mut shell = start(Command::new("/bin/sh").args(["-c", &script]), &home);
    for _ in 0..200 {
        let stream = listener.accept().await.unwrap();
        match identify(&stream) {
            Ok(peer) => assert_eq!(peer.chain[0].pid, shell.id(), "{peer:?}"),
            Err(refusal) => assert!(matches!(refusal, PeerError::Gone), "{refusal}"),
        }
    }
    assert!(shell.wait().unwrap().success());
}
