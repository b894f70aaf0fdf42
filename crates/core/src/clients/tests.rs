use keybearer_model::program::{Digest, Stamp};

use super::*;

const STAMP: Stamp = Stamp { device: 1, inode: 2, size: 3, modified: 4, changed: 5 };
const OTHER: Stamp = Stamp { changed: 6, ..STAMP };
const RIGHT: Digest = Digest([1; 32]);
const WRONG: Digest = Digest([2; 32]);

fn registered(pin: Option<Pin>) -> Clients {
    Clients::load(vec![StoredClient {
        name: "desk-app".parse().unwrap(),
        key_digest: None,
        program: Some("/opt/desk-app".to_owned()),
        pin,
        container: false,
        servers: Vec::new(),
        since: Timestamp::from_millis(5),
    }])
}

fn program(stamp: Stamp, digest: Option<Digest>) -> Process {
    let file = ProgramFile::new(stamp);
    if digest.is_some() {
        file.settle(digest);
    }
    Process { executable: Some("/opt/desk-app".into()), file: Some(Arc::new(file)), ..Process::default() }
}

#[track_caller]
fn check(program: Process, want: Recognition) {
    let clients = registered(Some(Pin { sha256: RIGHT, stamp: STAMP }));
    assert_eq!(clients.by_program(&program).unwrap().1, want);
    let (caller, client) = clients.by_chain(vec![program]);
    assert_eq!(client.is_some(), want == Recognition::Same);
    assert_eq!(caller.client.is_some(), want == Recognition::Same);
}

#[test]
fn a_program_is_known_by_its_file_without_reading_it_and_else_by_its_hash() {
    check(program(STAMP, None), Recognition::Same);
    check(program(OTHER, Some(RIGHT)), Recognition::Same);
    check(program(OTHER, Some(WRONG)), Recognition::Changed);
    check(program(OTHER, None), Recognition::Unsure);
    check(Process { file: None, ..program(STAMP, None) }, Recognition::Unsure);
}

#[test]
fn what_only_root_can_change_may_be_updated() {
    check(Process { changeable: Changeable::ByRootOnly, ..program(OTHER, Some(WRONG)) }, Recognition::Same);
}

#[test]
fn another_path_is_another_program_and_without_a_pin_the_path_alone_counts() {
    let elsewhere = Process { executable: Some("/home/me/desk-app".into()), ..program(STAMP, Some(RIGHT)) };
    assert!(registered(Some(Pin { sha256: RIGHT, stamp: STAMP })).by_program(&elsewhere).is_none());
    let nameless = Process { executable: None, ..program(STAMP, Some(RIGHT)) };
    assert!(registered(None).by_program(&nameless).is_none());
    assert_eq!(registered(None).by_program(&program(OTHER, Some(WRONG))).unwrap().1, Recognition::Same);
}

#[test]
fn a_change_is_news_once_and_forgotten_when_the_program_is_itself_again() {
    let clients = registered(Some(Pin { sha256: RIGHT, stamp: STAMP }));
    let client = clients.sorted()[0];
    assert!(client.note_changed() && !client.note_changed() && client.is_changed());
    client.pin(Pin { sha256: RIGHT, stamp: OTHER });
    assert!(!client.is_changed() && client.has_file(&ProgramFile::new(OTHER)));
    assert!(client.note_changed());
}
