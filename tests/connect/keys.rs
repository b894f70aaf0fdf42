//! Clients that hold a key: it stands where they read it and nowhere else, and ends with the connection.

use keybearer_stories::http;
use serde_json::Value;

use crate::{Person, mode, tools};

const COMPOSE: &str = "services:\n  api:\n    volumes:\n      - type: bind\n        source: ./librechat.yaml\n";

/// The key in LibreChat's `.env`.
fn key(person: &Person, name: &str) -> String {
    let env = person.read(name);
    env.lines().find_map(|line| line.strip_prefix("KEYBEARER_KEY=")).expect("a key").to_owned()
}

fn door(person: &Person) -> String {
    person.keybearer(&["status", "--json"]).json()["http_door"]["addresses"][0].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_key_is_written_where_it_is_read_and_is_revoked_with_the_connection() {
    let person = Person::new();
    let yaml = "version: 1.2.1 # mine\n";
    person.write("chat/librechat.yaml", yaml);
    person.write("chat/.env", "PORT=3080");
    let folder = person.path("chat").display().to_string();
    let file = ["--file", folder.as_str(), "--placement", "docker-desktop"];
    let preview = person.preview("librechat", &file);
    assert!(preview["warnings"][0]["en"].as_str().unwrap().contains("you alone"), "{preview}");
    assert!(preview["files"][1]["added"].to_string().contains("KEYBEARER_KEY=‹key›"), "{preview}");
    assert!(tools(&person.connect("librechat", &file)) > 5);
    let (key, door) = (key(&person, "chat/.env"), door(&person));
    let port = door.rsplit(':').next().unwrap();
    let written = person.read("chat/librechat.yaml");
    assert!(written.starts_with(yaml) && written.contains("Bearer ${KEYBEARER_KEY}"), "{written}");
    assert!(written.contains(&format!("- \"host.docker.internal:{port}\"")), "{written}");
    assert!(!written.contains(&key));
    let knock = |host: &str| {
        let headers = [("Authorization", format!("Bearer {key}")), ("Host", host.to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        http::post(&format!("{door}/mcp/everything"), &headers[..1], ping).status
    };
    assert_ne!(knock("127.0.0.1"), 401);
    assert_eq!(person.disconnect("librechat"), ["restored", "restored"]);
    assert_eq!((person.read("chat/librechat.yaml").as_str(), person.read("chat/.env").as_str()), (yaml, "PORT=3080"));
    let clients = person.keybearer(&["clients", "list", "--json"]).json();
    assert_eq!(clients, serde_json::json!([]));
    person.end(&[key]);
}

#[test]
fn connecting_again_gives_a_new_key_and_keeps_the_first_copy() {
    let person = Person::new();
    let mine = "{\n  \"mcpServers\": {}\n}\n";
    person.write("mcpo/config.json", mine);
    let path = person.path("mcpo/config.json").display().to_string();
    let words = ["--file", path.as_str(), "--transport", "http"];
    let keys: Vec<String> = (0..2)
        .map(|_| {
            assert!(tools(&person.connect("mcpo", &words)) > 5);
            let written: Value = serde_json::from_str(&person.read("mcpo/config.json")).unwrap();
            let header = written["mcpServers"]["everything"]["headers"]["Authorization"].as_str().unwrap().to_owned();
            header.strip_prefix("Bearer ").unwrap().to_owned()
        })
        .collect();
    assert_ne!(keys[0], keys[1]);
    let preview = person.preview("mcpo", &words);
    assert_eq!(preview["files"][0]["replaces"][0], "mcpServers.everything (headers: Authorization; type; url)");
    assert_eq!(person.disconnect("mcpo"), ["restored"]);
    assert_eq!(person.read("mcpo/config.json"), mine);
    person.end(&keys);
}

#[test]
fn new_files_with_a_key_are_private() {
    let person = Person::new();
    person.connect("cursor", &["--transport", "http"]);
    let path = person.path(".cursor/mcp.json");
    assert_eq!(mode(&path), 0o600);
    let written: Value = serde_json::from_str(&person.read(".cursor/mcp.json")).unwrap();
    let header = written["mcpServers"]["everything"]["headers"]["Authorization"].as_str().unwrap().to_owned();
    person.end(&[header.trim_start_matches("Bearer ").to_owned()]);
}

#[test]
fn a_name_that_somebody_else_has_is_not_taken() {
    let person = Person::new();
    person.home.keybearer(&["clients", "add", "librechat", "--json"]).json();
    person.write("chat/librechat.yaml", "version: 1.2.1\n");
    let folder = person.path("chat").display().to_string();
    let connect = ["connect", "librechat", "--file", &folder, "--placement", "native", "--yes"];
    person.refused(&connect, "name_taken");
    person.refused(&connect[..4], "bad_request");
    assert_eq!(person.read("chat/librechat.yaml"), "version: 1.2.1\n");
    person.end(&[]);
}

#[test]
fn a_failure_half_way_leaves_nothing_behind() {
    let person = Person::new();
    person.write("chat/librechat.yaml", "version: 1.2.1\n");
    // The second file cannot be written: somebody made a folder of its name.
    std::fs::create_dir_all(person.path("chat/.env")).unwrap();
    let folder = person.path("chat").display().to_string();
    person.refused(&["connect", "librechat", "--file", &folder, "--placement", "native", "--yes"], "not_saved");
    assert_eq!(person.read("chat/librechat.yaml"), "version: 1.2.1\n");
    assert_eq!(person.keybearer(&["clients", "list", "--json"]).json(), serde_json::json!([]));
    person.write("chat/docker-compose.override.yml", COMPOSE);
    person.end(&[]);
}
