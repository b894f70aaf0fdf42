use super::*;
use crate::program::ProgramFile;

fn program(path: &str, pid: u32) -> Process {
    let stamp = Stamp { device: 1, inode: path.len() as u64, size: 9, modified: 1, changed: 1 };
    let file = Some(Arc::new(ProgramFile::new(stamp)));
    Process { pid, begun: 5, executable: Some(path.into()), file, changeable: Changeable::ByUser }
}

fn caller(chain: &[Process]) -> Caller {
    Caller::by_chain(None, chain.to_vec(), |path| path.ends_with("node") || path.ends_with("bash"))
}

#[test]
fn two_processes_of_one_program_are_one_client() {
    let one = caller(&[program("/opt/claude", 7), program("/usr/bin/desktop", 2)]);
    let other = caller(&[program("/opt/claude", 8), program("/usr/bin/desktop", 2)]);
    assert_eq!(one.principal(), other.principal());
}

#[test]
fn what_another_program_started_is_another_client() {
    let alone = caller(&[program("/opt/claude", 7)]);
    let by_script = caller(&[program("/opt/claude", 7), program("/usr/bin/node", 3)]);
    let script = caller(&[program("/usr/bin/node", 3), program("/opt/claude", 7)]);
    let all = [alone.principal(), by_script.principal(), script.principal()];
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
}

#[test]
fn a_changed_file_is_another_client() {
    let mut changed = program("/opt/claude", 7);
    let stamp = Stamp { changed: 2, ..*changed.file.unwrap().stamp() };
    changed.file = Some(Arc::new(ProgramFile::new(stamp)));
    assert_ne!(caller(&[program("/opt/claude", 7)]).principal(), caller(&[changed]).principal());
}

#[test]
fn two_scripts_of_one_interpreter_are_two_clients() {
    assert_ne!(caller(&[program("/bin/node", 7)]).principal(), caller(&[program("/bin/node", 8)]).principal());
    assert_eq!(caller(&[program("/bin/node", 7)]).principal(), caller(&[program("/bin/node", 7)]).principal());
    let later = Process { begun: 6, ..program("/bin/node", 7) };
    assert_ne!(caller(&[program("/bin/node", 7)]).principal(), caller(&[later]).principal());
}

#[test]
fn strangers_are_never_the_same() {
    assert_ne!(caller(&[]).principal(), caller(&[]).principal());
}

#[test]
fn a_registered_client_is_its_name() {
    let name: ClientName = "desk-app".parse().unwrap();
    let chain = || vec![program("/opt/claude", 7)];
    let by_chain = Caller::by_chain(Some(name.clone()), chain(), |_| false);
    assert_eq!(by_chain.principal(), Caller::by_key(name).principal());
    assert_ne!(by_chain.principal(), Caller::by_chain(None, chain(), |_| false).principal());
}

#[test]
fn only_a_file_that_says_who_it_is_is_more_than_weak() {
    let of = |process: Process| caller(&[process]).attribution();
    assert_eq!(of(program("/opt/claude", 7)), Some(Attribution::Medium));
    assert_eq!(
        of(Process { changeable: Changeable::ByRootOnly, ..program("/opt/claude", 7) }),
        Some(Attribution::Strong)
    );
    assert_eq!(of(Process { changeable: Changeable::ByRootOnly, ..program("/bin/bash", 7) }), Some(Attribution::Weak));
    assert_eq!(of(Process { executable: None, ..program("/opt/claude", 7) }), Some(Attribution::Weak));
    assert_eq!(of(Process { file: None, ..program("/opt/claude", 7) }), Some(Attribution::Weak));
    assert_eq!(caller(&[]).attribution(), Some(Attribution::Weak));
    assert_eq!(Caller::by_key("desk-app".parse().unwrap()).attribution(), None);
}
