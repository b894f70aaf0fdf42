use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use expect_test::expect;
use keybearer_model::call::{MethodClass, RiskClass};
use keybearer_model::caller::Caller;
use keybearer_model::grant::Account;
use keybearer_model::program::{Digest, Process, ProgramFile, Stamp};
use keybearer_model::time::{BootTime, Timestamp};
use keybearer_model::verdict::{DenyReason, RuleId};
use tempfile::TempDir;

use super::*;

/// A clock that goes on by 7 ms whenever somebody looks at it.
#[derive(Default)]
struct Ticking(AtomicI64);

impl Ticking {
    fn tick(&self) -> i64 {
        self.0.fetch_add(7, Ordering::Relaxed)
    }
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + self.tick())
    }

    fn boot(&self) -> BootTime {
        BootTime::from_duration(Duration::from_millis(self.tick().unsigned_abs()))
    }

    fn midnight(&self) -> Timestamp {
        Timestamp::from_millis(1_700_006_400_000)
    }

    fn awake(&self) -> Duration {
        Duration::ZERO
    }
}

fn trail(dir: &Path) -> Trail {
    Trail::open(dir, Arc::new(Ticking::default())).unwrap()
}

fn call(tool: &str) -> Call {
    Call {
        caller: Arc::new(Caller::by_key("claude".parse().unwrap())),
        server: "crm".parse().unwrap(),
        method: "tools/call".into(),
        class: MethodClass::ToolCall,
        tool: Some(tool.into()),
        risk: RiskClass::Change,
        argument_names: vec!["id".into(), "note".into()],
    }
}

fn event(number: usize) -> Event {
    Event::SignOut { server: format!("s{number}").parse().unwrap() }
}

/// A trail of `count` records that is closed.
fn written(count: usize) -> TempDir {
    let dir = TempDir::new().unwrap();
    let trail = trail(dir.path());
    (0..count).for_each(|number| trail.event(event(number)));
    drop(trail);
    dir
}

fn records(dir: &TempDir) -> PathBuf {
    dir.path().join(chain::RECORDS)
}

/// The text of the trail, without the hashes.
fn text(dir: &TempDir) -> String {
    let text = fs::read_to_string(records(dir)).unwrap();
    text.lines()
        .map(|line| line.replacen(&line[line.find("\"prev\":").unwrap() + 7..][..66], "[HASH]", 1) + "\n")
        .collect()
}

fn judged(dir: &TempDir) -> String {
    match verify(dir.path()) {
        Ok(Verified { records, repaired, torn_tail }) => {
            format!("{records} records, {repaired} repaired, torn tail {torn_tail}")
        }
        Err(error) => error.to_string(),
    }
}

/// A shell whose file has been hashed.
fn shell() -> Process {
    let file = ProgramFile::new(Stamp { device: 1, inode: 2, size: 3, modified: 4, changed: 5 });
    file.settle(Some(Digest([0xab; 32])));
    Process { pid: 7, executable: Some("/usr/bin/sh".into()), file: Some(Arc::new(file)), ..Process::default() }
}

#[test]
fn a_call_is_one_record_with_names_and_no_values() {
    let dir = TempDir::new().unwrap();
    let trail = trail(dir.path());
    let mut allowed = trail.begin(Arc::new(call("find")));
    allowed.decided(Decision::Allowed(RuleId::User { number: 2, line: 9 }));
    allowed.account(&Arc::new(Account { email: Some("joe@example.com".into()), ..Account::default() }));
    allowed.settle(Outcome::Answered { status: 200 });
    let mut denied = trail.begin(Arc::new(call("drop")));
    denied.decided(Decision::Denied(DenyReason::Person));
    denied.settle(Outcome::Denied);
    let caller = Caller::by_chain(None, vec![shell(), Process::default(), shell()], |_| true);
    drop(trail.begin(Arc::new(Call {
        caller: Arc::new(caller),
        tool: None,
        method: "tools/list".into(),
        argument_names: vec![],
        ..call("")
    })));
    trail.flush();
    expect![[r#"
        {"seq":1,"time":"2023-11-14T22:13:20.021Z","prev":[HASH],"event":"call","client":"claude","server":"crm","method":"tools/call","tool":"find","risk":"change","arguments":["id","note"],"account":"joe@example.com","decision":"allow","reason":"rule 2 (config.toml line 9)","rule":2,"line":9,"basis":"rule","outcome":"answered","status":200,"duration_ms":7}
        {"seq":2,"time":"2023-11-14T22:13:20.042Z","prev":[HASH],"event":"call","client":"claude","server":"crm","method":"tools/call","tool":"drop","risk":"change","arguments":["id","note"],"decision":"deny","reason":"refused by the person","basis":"person","outcome":"denied","duration_ms":7}
        {"seq":3,"time":"2023-11-14T22:13:20.063Z","prev":[HASH],"event":"call","program":"/usr/bin/sh","attribution":"weak","sha256":"abababababababababababababababababababababababababababababababab","started_by":[null,"/usr/bin/sh"],"server":"crm","method":"tools/list","outcome":"aborted","duration_ms":7}
    "#]].assert_eq(&text(&dir));
    assert_eq!(judged(&dir), "3 records, 0 repaired, torn tail false");
}

#[test]
fn events_are_records_too() {
    let dir = TempDir::new().unwrap();
    let trail = trail(dir.path());
    let (crm, claude) = (|| "crm".parse().unwrap(), || "claude".parse().unwrap());
    let issuer = "https://idp.test".to_owned();
    trail.event(Event::ServerAdded { server: crm() });
    trail.event(Event::ClientAdded { client: claude() });
    let deviations = vec!["`resource` is not sent (set for this server)".to_owned()];
    trail.event(Event::SignIn {
        server: crm(),
        issuer,
        account: Some("joe@example.com".into()),
        deviations,
        shares_with: Vec::new(),
    });
    trail.event(Event::Renewed { server: crm(), account: None });
    trail.event(Event::SignOut { server: crm() });
    trail.event(Event::ClientRevoked { client: claude() });
    trail.event(Event::ServerRemoved { server: crm() });
    drop(trail);
    expect![[r#"
        {"seq":1,"time":"2023-11-14T22:13:20.007Z","prev":[HASH],"event":"server_added","server":"crm"}
        {"seq":2,"time":"2023-11-14T22:13:20.014Z","prev":[HASH],"event":"client_added","client":"claude"}
        {"seq":3,"time":"2023-11-14T22:13:20.021Z","prev":[HASH],"event":"sign_in","server":"crm","issuer":"https://idp.test","account":"joe@example.com","deviations":["`resource` is not sent (set for this server)"]}
        {"seq":4,"time":"2023-11-14T22:13:20.028Z","prev":[HASH],"event":"renewed","server":"crm"}
        {"seq":5,"time":"2023-11-14T22:13:20.035Z","prev":[HASH],"event":"sign_out","server":"crm"}
        {"seq":6,"time":"2023-11-14T22:13:20.042Z","prev":[HASH],"event":"client_revoked","client":"claude"}
        {"seq":7,"time":"2023-11-14T22:13:20.049Z","prev":[HASH],"event":"server_removed","server":"crm"}
    "#]].assert_eq(&text(&dir));
}

#[test]
fn the_first_hash_is_of_nothing_and_each_next_of_the_line_before() {
    let dir = written(3);
    let text = fs::read_to_string(records(&dir)).unwrap();
    let mut before = "";
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["prev"], chain::hash(before.as_bytes()));
        before = line;
    }
}

#[test]
fn names_of_others_are_cut() {
    let dir = TempDir::new().unwrap();
    let trail = trail(dir.path());
    let long = "é".repeat(5000);
    let argument_names = vec![long.clone().into(); 1000];
    trail.begin(Arc::new(Call { argument_names, ..call(&long) })).settle(Outcome::Interrupted);
    trail.flush();
    let record = &tail(dir.path(), 1).unwrap()[0];
    assert_eq!(record["tool"].as_str().unwrap().chars().count(), 201);
    assert_eq!(record["arguments"].as_array().unwrap().len(), 65);
    assert_eq!(record["arguments"][64], "… 936 more");
}

#[test]
fn records_of_many_threads_make_one_chain() {
    let dir = TempDir::new().unwrap();
    let trail = trail(dir.path());
    let threads = (0..8).map(|_| {
        let trail = trail.clone();
        std::thread::spawn(move || (0..500).for_each(|number| trail.event(event(number))))
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    trail.flush();
    assert_eq!(judged(&dir), "4000 records, 0 repaired, torn tail false");
    drop(trail);
    assert_eq!(judged(&dir), "4000 records, 0 repaired, torn tail false");
}

#[test]
fn a_trail_goes_on_where_it_ended() {
    let dir = written(2);
    drop(trail(dir.path()));
    trail(dir.path()).event(event(9));
    assert_eq!(judged(&dir), "3 records, 0 repaired, torn tail false");
    let last = tail(dir.path(), 2).unwrap();
    assert_eq!((&last[0]["server"], &last[1]["server"], &last[1]["seq"]), (&"s1".into(), &"s9".into(), &3.into()));
}

#[test]
fn no_trail_and_an_empty_one_are_whole() {
    let dir = TempDir::new().unwrap();
    assert_eq!(judged(&dir), "0 records, 0 repaired, torn tail false");
    assert_eq!(tail(dir.path(), 5).unwrap(), Vec::<serde_json::Value>::new());
    drop(trail(dir.path()));
    assert_eq!(judged(&dir), "0 records, 0 repaired, torn tail false");
}

#[test]
fn a_torn_tail_is_told_apart_and_repaired() {
    let whole = fs::read(records(&written(3))).unwrap();
    let two = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    for end in two + 1..whole.len() {
        // As after a crash: the head speaks of two records, and a part of the third is there.
        let dir = written(2);
        fs::write(records(&dir), &whole[..end]).unwrap();
        assert_eq!(judged(&dir), "2 records, 0 repaired, torn tail true");
        trail(dir.path()).event(event(7));
        let only_the_line_feed_was_missing = end == whole.len() - 1;
        let want = if only_the_line_feed_was_missing { "4 records, 0 repaired" } else { "4 records, 1 repaired" };
        assert_eq!(judged(&dir), format!("{want}, torn tail false"));
        assert!(fs::read(records(&dir)).unwrap().starts_with(&whole[..end]), "what was there is kept");
        assert_eq!(tail(dir.path(), 100).unwrap().len(), 4);
    }
}

#[test]
fn a_crash_between_the_records_and_the_head_is_no_tampering() {
    let dir = written(2);
    let head = fs::read(dir.path().join(chain::HEAD)).unwrap();
    trail(dir.path()).event(event(3));
    fs::write(dir.path().join(chain::HEAD), head).unwrap();
    assert_eq!(judged(&dir), "3 records, 0 repaired, torn tail false");
    trail(dir.path()).event(event(4));
    assert_eq!(judged(&dir), "4 records, 0 repaired, torn tail false");
}

/// Small, and the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn tampered(whole: &[u8], dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let mut bytes = whole.to_vec();
    let mut lines = whole.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(7) {
        0 => {
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
            ("a bit was flipped", bytes)
        }
        1 => {
            let at = dice.below(bytes.len());
            bytes.remove(at);
            ("a byte was removed", bytes)
        }
        2 => {
            bytes.insert(dice.below(whole.len()), b'x');
            ("a byte was added", bytes)
        }
        3 => {
            lines.remove(one);
            ("a line was removed", lines.concat())
        }
        4 => {
            let other = if one == other { (other + 1) % lines.len() } else { other };
            lines.swap(one, other);
            ("lines were swapped", lines.concat())
        }
        5 => {
            bytes.truncate(dice.below(whole.len()));
            ("the end was cut off", bytes)
        }
        _ => {
            let line = lines[other].clone();
            lines.insert(one, line);
            ("a line was doubled", lines.concat())
        }
    }
}

#[test]
fn a_thousand_random_tamperings_are_detected_and_stay_so() {
    let dir = written(12);
    let whole = fs::read(records(&dir)).unwrap();
    let head = fs::read(dir.path().join(chain::HEAD)).unwrap();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..1000 {
        let (what, bytes) = tampered(&whole, &mut dice);
        fs::write(records(&dir), &bytes).unwrap();
        let detected = matches!(verify(dir.path()), Err(VerifyError::Tampered { .. }));
        assert!(detected, "round {round}: {what}, and nobody noticed:\n{}", String::from_utf8_lossy(&bytes));
        if round % 25 == 0 {
            // A core that goes on with such a trail does not make it look whole.
            trail(dir.path()).event(event(5));
            assert!(verify(dir.path()).is_err(), "round {round}: {what}, and going on covered it up");
            fs::write(dir.path().join(chain::HEAD), &head).unwrap();
        }
    }
}

#[test]
fn what_was_done_to_a_trail_is_said() {
    let told = |change: &dyn Fn(&TempDir, Vec<String>)| {
        let dir = written(4);
        let lines = fs::read_to_string(records(&dir)).unwrap().lines().map(|line| format!("{line}\n")).collect();
        change(&dir, lines);
        judged(&dir)
    };
    let write = |dir: &TempDir, lines: &[String]| fs::write(records(dir), lines.concat()).unwrap();
    let table = [
        told(&|dir, mut lines| {
            lines[1] = lines[1].replace("s1", "s2");
            write(dir, &lines);
        }),
        told(&|dir, mut lines| {
            lines[3] = lines[3].replace("s3", "s2");
            write(dir, &lines);
        }),
        told(&|dir, lines| write(dir, &lines[..2])),
        told(&|dir, _| fs::write(records(dir), "").unwrap()),
        told(&|dir, _| fs::remove_file(records(dir)).unwrap()),
        told(&|dir, _| fs::remove_file(dir.path().join(chain::HEAD)).unwrap()),
        told(&|dir, lines| {
            write(dir, &lines[..2]);
            drop(trail(dir.path()));
        }),
        told(&|dir, mut lines| {
            lines.push("{}\n".to_owned());
            lines.push("half".to_owned());
            write(dir, &lines);
        }),
    ];
    expect![[r#"
        line 3 of the audit trail: the line before it was changed, or lines were moved or removed
        line 4 of the audit trail: it is not the record that was written last
        line 3 of the audit trail: records are missing at the end
        line 1 of the audit trail: records are missing at the end
        line 1 of the audit trail: records are missing at the end
        line 1 of the audit trail: `audit.head` is missing or damaged
        line 3 of the audit trail: the trail was found changed here
        line 6 of the audit trail: it is no record"#]]
    .assert_eq(&table.join("\n"));
}

#[test]
fn records_that_cannot_be_written_are_kept_and_written_later() {
    let dir = written(1);
    let trail = trail(dir.path());
    // A folder where the new head has to go: neither file can be finished.
    let obstacle = dir.path().join("audit.head.new");
    fs::create_dir(&obstacle).unwrap();
    (0..50).for_each(|number| trail.event(event(number)));
    trail.flush();
    assert!(!trail.is_healthy());
    (50..60).for_each(|number| trail.event(event(number)));
    trail.flush();
    assert!(!trail.is_healthy());
    fs::remove_dir(&obstacle).unwrap();
    trail.flush();
    assert!(trail.is_healthy());
    assert_eq!(judged(&dir), "61 records, 0 repaired, torn tail false");
    let servers = tail(dir.path(), 60).unwrap().iter().map(|record| record["server"].clone()).collect::<Vec<_>>();
    assert_eq!(servers, (0..60).map(|number| format!("s{number}").into()).collect::<Vec<serde_json::Value>>());
}

#[test]
fn the_tail_is_read_from_the_end() {
    let dir = written(2000);
    let last = tail(dir.path(), 3).unwrap();
    assert_eq!(last.iter().map(|record| record["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [1998, 1999, 2000]);
    assert_eq!(tail(dir.path(), 5000).unwrap().len(), 2000);
    assert!(tail(dir.path(), 0).unwrap().is_empty());
}
