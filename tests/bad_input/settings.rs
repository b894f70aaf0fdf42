//! A broken `config.toml`, and a second core.

use std::fs;

use keybearer_stories::core::{Core, Home};
use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_testkit::upstream::FakeUpstream;

use super::{CALL, check_ended, check_ended_in_json};

/// A problem in each of these lines, and in no other.
const BROKEN: &str = r#"unknown = "perhaps"
keystore = "memory"
http_port = 70000
colour = "green"

[servers.CRM]
url = "https://crm.test/mcp"

[servers.wiki]
url = "ftp://wiki.test"
auth = "hader"

[servers.mail]
url = "https://user:cAnArY@mail.test/"

[[rules]]
effect = "allow"
server = "wikki"
tool = []
"#;
const BROKEN_LINES: [usize; 9] = [1, 3, 4, 6, 10, 11, 14, 18, 19];

fn lines_told(home: &Home, text: &str) -> Vec<usize> {
    let file = format!("{}:", home.path().join("config.toml").display());
    let places = text.lines().filter_map(|line| line.split_once(&file)?.1.split(':').next()?.parse().ok());
    places.collect()
}

#[test]
fn every_problem_of_broken_settings_is_told_with_its_line() {
    let home = Home::new(BROKEN);
    for command in [&["serve"][..], &["start"], &["stdio", "wiki"]] {
        let ended = home.keybearer(command);
        check_ended(&ended, 6);
        assert_eq!(lines_told(&home, &ended.err), BROKEN_LINES, "{command:?} said {}", ended.err);
        assert!(ended.err.contains("hint: did you mean `wiki`?"), "{}", ended.err);
        // What may be a password is not repeated.
        assert!(!ended.err.contains("cAnArY"), "{}", ended.err);
    }
    let told = check_ended_in_json(&home.keybearer(&["serve", "--json"]), 6);
    let problems = told["errors"].as_array().unwrap();
    assert_eq!(problems.len(), BROKEN_LINES.len());
    assert!(problems.iter().all(|problem| problem["code"] == "broken_config"), "{told}");
    assert_eq!(fs::read_to_string(home.path().join("config.toml")).unwrap(), BROKEN, "the file is the person's");
}

#[test]
fn settings_that_are_no_toml_are_told_with_their_line() {
    for (text, line) in [("keystore = \"memory\"\n[servers\n", 2), ("a = 1\na = 2\n", 2), ("\n\nx = \"", 3)] {
        let home = Home::new(text);
        let ended = home.keybearer(&["serve"]);
        check_ended(&ended, 6);
        assert!(lines_told(&home, &ended.err).contains(&line), "{text}: {}", ended.err);
    }
    let home = Home::new("");
    fs::write(home.path().join("config.toml"), b"x = \"\xff\"").unwrap();
    let ended = home.keybearer(&["serve"]);
    assert!(matches!(ended.code(), 1 | 6) && ended.err.starts_with("error: "), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_core_keeps_its_last_good_settings() {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url()));
    let app = house.client("chat-app", &[]);
    let file = house.home.path().join("config.toml");
    let good = fs::read_to_string(&file).unwrap();
    let broken = BROKEN.replace(":cAnArY", "");
    fs::write(&file, &broken).unwrap();
    let status = house.run(&["status", "--json"]).json();
    let problems = status["problems"].as_array().unwrap();
    let told: Vec<&str> = problems.iter().filter_map(|problem| problem["message"].as_str()).collect();
    assert_eq!(lines_told(&house.home, &told.join("\n")), BROKEN_LINES);
    assert_eq!(status["servers"][0]["name"], "crm", "the last good ones are in force");
    let shown = house.run(&["status"]);
    assert_eq!((shown.code(), lines_told(&house.home, &shown.out)), (0, BROKEN_LINES.to_vec()), "{}", shown.out);
    assert_eq!(app.post("crm", CALL).status, 200);
    let mut bridge = house.bridge("crm");
    bridge.send(format!("{CALL}\n"));
    assert!(String::from_utf8_lossy(&bridge.line()).contains("\"result\""));
    assert_eq!(bridge.end().1.code(), Some(0));
    // Changes that would be written into that file are not made.
    check_ended(&house.run(&["servers", "add", "mail", "https://mail.test/mcp"]), 6);
    check_ended(&house.run(&["servers", "remove", "crm"]), 6);
    assert_eq!(fs::read_to_string(&file).unwrap(), broken);
    assert_eq!(app.post("crm", CALL).status, 200);
    fs::write(&file, good + "# mended\n").unwrap();
    assert_eq!(house.run(&["status", "--json"]).json()["problems"], serde_json::json!([]));
    assert_eq!(app.post("crm", CALL).status, 200);
}

#[test]
fn a_second_core_in_one_home_says_so_and_leaves_the_first_alone() {
    let house = House::open(ALLOW_ALL);
    for _ in 0..2 {
        let told = check_ended(&house.run(&["serve"]), 8);
        assert!(told.contains("already"), "{told}");
        check_ended_in_json(&house.run(&["serve", "--json"]), 8);
        let status = house.run(&["status", "--json"]).json();
        assert_eq!(status["pid"], house.core().pid());
    }
    // Another home is another matter.
    let other = Home::new("keystore = \"memory\"\n");
    let core = Core::start(&other);
    assert!(core.stop(&other).success());
}

#[test]
fn a_core_that_was_killed_leaves_nothing_that_stops_the_next_one() {
    let home = Home::new("keystore = \"memory\"\n");
    for _ in 0..3 {
        Core::start(&home).kill();
    }
    let core = Core::start(&home);
    assert!(home.keybearer(&["audit", "verify"]).status.success());
    assert!(core.stop(&home).success());
}
