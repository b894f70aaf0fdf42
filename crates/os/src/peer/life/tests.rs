use std::process::Command;

use super::*;

fn begun(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_end_is_noticed_and_a_later_process_of_that_number_is_another_one() {
    let mut child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    let process = ProcessId { pid: child.id(), begun: begun(child.id()) };
    ended(ProcessId { begun: process.begun + 1, ..process }).await;
    let watch = tokio::spawn(ended(process));
    tokio::task::yield_now().await;
    assert!(!watch.is_finished());
    child.kill().unwrap();
    child.wait().unwrap();
    watch.await.unwrap();
    ended(process).await;
}

#[test]
fn a_program_tells_when_it_began() {
    let this = Process { begun: begun(std::process::id()), ..Process::default() };
    let begun = begun_at(&this).unwrap();
    let ago = SystemTime::now().duration_since(begun).unwrap_or_default();
    assert!(ago < Duration::from_secs(3600), "{ago:?}");
    assert_eq!(begun_at(&Process::default()), None);
}
