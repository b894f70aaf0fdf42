//! One company, many servers: how often a person types their password.

use std::thread;

use keybearer_stories::core::{Core, Ended, Home};
use keybearer_stories::parts::Part;
use serde_json::Value;

const ECHO: &str = r#"{"message":"hello"}"#;

/// Servers that stand behind one issuer, and a person with one browser.
struct Servers {
    issuer: Part,
    names: Vec<String>,
    home: Home,
    _parts: Vec<Part>,
}

impl Servers {
    fn open(count: usize) -> Self {
        let issuer = Part::issuer(&[]);
        let open = Part::start("everything.mjs", &[]);
        let guard = |_| Part::start("guard.mjs", &[("TARGET", open.said("url")), ("ISSUER", issuer.said("issuer"))]);
        let mut parts: Vec<Part> = (0..count).map(guard).collect();
        let names: Vec<String> = (1..=count).map(|number| format!("s{number}")).collect();
        let tables =
            names.iter().zip(&parts).map(|(name, part)| format!("[servers.{name}]\nurl = \"{}\"\n", part.said("url")));
        let config = format!("keystore = \"memory\"\n{}[[rules]]\neffect = \"allow\"\n", tables.collect::<String>());
        let mut home = Home::new(&config);
        let jar = home.path().join("jar.json");
        home.set("BROWSER_JAR", jar);
        parts.push(open);
        Self { issuer, names, home, _parts: parts }
    }

    /// Runs `keybearer` for each of these names at the same time.
    fn all_at_once(&self, names: &[String], arguments: fn(&str) -> Vec<String>) -> Vec<Ended> {
        thread::scope(|scope| {
            let running: Vec<_> = names
                .iter()
                .map(|name| {
                    scope.spawn(move || {
                        let arguments = arguments(name);
                        self.home.keybearer(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
                    })
                })
                .collect();
            running.into_iter().map(|run| run.join().unwrap()).collect()
        })
    }

    fn count(&self, what: &str) -> u64 {
        self.issuer.ask("/__counts")[what].as_u64().unwrap()
    }
}

fn call(name: &str) -> Vec<String> {
    ["call", name, "echo", ECHO, "--json"].map(str::to_owned).to_vec()
}

#[track_caller]
fn assert_echoed(ended: &Ended) {
    assert_eq!(ended.json()["content"][0]["text"], "Echo: hello", "{ended:?}");
}

#[test]
fn six_servers_behind_one_issuer_cost_one_password_and_are_signed_out_of_together() {
    let servers = Servers::open(6);
    let core = Core::start(&servers.home);
    for ended in servers.all_at_once(&servers.names, call) {
        assert_echoed(&ended);
    }
    assert_eq!((servers.count("passwords"), servers.count("registration"), servers.home.visits()), (1, 1, 6));

    let told = servers.home.keybearer(&["logout", "s2", "--json"]).json();
    assert_eq!(told["with"], serde_json::json!(["s1", "s3", "s4", "s5", "s6"]), "{told}");
    let status = servers.home.keybearer(&["status", "--json"]).json();
    let signed_out = |server: &Value| server["state"]["because"]["why"] == "signed_out";
    assert!(status["servers"].as_array().unwrap().iter().all(signed_out), "{status}");
    assert!(core.stop(&servers.home).success());
}

#[test]
fn sec_28_fifty_programs_that_start_at_once_without_a_core_open_one_window() {
    let servers = Servers::open(1);
    let names = vec!["s1".to_owned(); 50];
    for ended in servers.all_at_once(&names, call) {
        assert_echoed(&ended);
    }
    assert_eq!((servers.count("passwords"), servers.count("registration"), servers.home.visits()), (1, 1, 1));
    assert!(servers.home.keybearer(&["stop"]).status.success());
}
