//! Hardening changes the whole process: this test has one of its own.
#![cfg(target_os = "linux")]

use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

#[test]
fn a_hardened_process_cannot_be_dumped() {
    assert_eq!(dumpable_behavior().ok(), Some(DumpableBehavior::Dumpable));
    assert!(keybearer_os::harden::harden().is_ok());
    assert_eq!(dumpable_behavior().ok(), Some(DumpableBehavior::NotDumpable));
    let cores = getrlimit(Resource::Core);
    assert_eq!((cores.current, cores.maximum), (Some(0), Some(0)));
}
