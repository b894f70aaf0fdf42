//! What happens to a person's files.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::json;

use crate::{Person, mode, program, tools};

const SETTINGS: &str = ".config/Claude/claude_desktop_config.json";
const MINE: &str = "{\n  \"mcpServers\": {\n    \"files\": {\"command\":   \"npx\"}\n  },\n  \"theme\": \"dark\"\n}";

#[test]
fn an_entry_is_written_tried_and_taken_back_to_the_byte() {
    let person = Person::new();
    let path = person.write(SETTINGS, MINE);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let told = person.connect("claude-desktop", &[]);
    assert!(tools(&told) > 5, "{told}");
    assert!(told["connected"]["afterwards"][0]["en"].as_str().unwrap().contains("open it again"));
    let written: serde_json::Value = serde_json::from_str(&person.read(SETTINGS)).unwrap();
    let entry = &written["mcpServers"]["everything"];
    assert_eq!(entry["command"], program());
    assert_eq!(entry["args"], json!(["stdio", "everything"]));
    assert_eq!(entry["env"]["KEYBEARER_HOME"], person.home.path().to_str().unwrap());
    assert_eq!(mode(&path), 0o640);
    let backup = told["connected"]["files"][0]["backup"].as_str().unwrap().to_owned();
    assert_eq!((std::fs::read_to_string(&backup).unwrap().as_str(), mode(backup.as_ref())), (MINE, 0o600));
    assert_eq!(person.disconnect("claude-desktop"), ["restored"]);
    assert_eq!(person.read(SETTINGS), MINE);
    person.refused(&["disconnect", "claude-desktop"], "unknown_client");
    person.end(&[]);
}

#[test]
fn without_a_server_one_entry_has_the_tools_of_all() {
    let person = Person::new();
    let told = person.keybearer(&["connect", "cursor", "--yes", "--json"]).json();
    assert!(tools(&told) > 5, "{told}");
    let written: serde_json::Value = serde_json::from_str(&person.read(".cursor/mcp.json")).unwrap();
    assert_eq!(written["mcpServers"]["keybearer"]["args"], json!(["stdio"]));
    assert_eq!(person.disconnect("cursor"), ["removed"]);
    assert!(!person.path(".cursor").exists(), "the folder was made for it");
    person.end(&[]);
}

#[test]
fn c23_a_preview_shows_the_command_and_without_a_yes_nothing_is_written() {
    let person = Person::new();
    person.write(SETTINGS, MINE);
    let preview = person.preview("claude-desktop", &[]);
    assert!(preview["files"][0]["added"][0]["text"].as_str().unwrap().contains("everything"));
    assert!(!preview.to_string().contains("npx"), "other entries are not shown");
    assert_eq!(person.keybearer(&["connect", "claude-desktop"]).code(), 2);
    assert_eq!(person.read(SETTINGS), MINE);
    assert!(!person.home.path().join("state/connections").exists());
    person.end(&[]);
}

#[test]
fn other_peoples_changes_outlive_the_connection() {
    let person = Person::new();
    person.write(SETTINGS, MINE);
    person.connect("claude-desktop", &[]);
    // The app writes its settings anew, as apps do.
    let mut settings: serde_json::Value = serde_json::from_str(&person.read(SETTINGS)).unwrap();
    settings["theme"] = json!("light");
    person.write(SETTINGS, &settings.to_string());
    assert_eq!(person.disconnect("claude-desktop"), ["entries_removed"]);
    let left: serde_json::Value = serde_json::from_str(&person.read(SETTINGS)).unwrap();
    assert_eq!(left, json!({ "mcpServers": { "files": { "command": "npx" } }, "theme": "light" }));
    person.end(&[]);
}

#[test]
fn an_entry_that_somebody_has_changed_is_left_alone() {
    let person = Person::new();
    person.write(SETTINGS, MINE);
    person.connect("claude-desktop", &[]);
    let changed = person.read(SETTINGS).replace("\"stdio\"", "\"mine\"");
    person.write(SETTINGS, &changed);
    for words in [&["disconnect", "claude-desktop"][..], &["connect", "claude-desktop", "--yes"]] {
        let message = person.refused(words, "drifted");
        assert!(message.contains("mcpServers.everything"), "{message}");
    }
    assert_eq!(person.read(SETTINGS), changed);
    person.end(&[]);
}

#[test]
fn what_changes_between_the_preview_and_the_write_is_not_overwritten() {
    let person = Person::new();
    person.write(SETTINGS, MINE);
    let token = person.preview("claude-desktop", &[])["token"].clone();
    let theirs = "{\"mcpServers\": {\"everything\": {\"command\": \"npx\"}}}";
    for (text, code) in [("{}", "done"), (theirs, "name_taken"), ("[", "not_saved")] {
        person.write(SETTINGS, text);
        let wish = json!({ "client": "claude-desktop", "servers": ["everything"] });
        let answer = person.ask(&json!({ "do": "connect", "wish": wish, "token": token }));
        // What is elsewhere in the file is nobody's business here: only the entry's own place counts.
        match code {
            "done" => assert_eq!(answer["reply"], "connected", "{answer}"),
            _ => assert_eq!(answer["error"]["code"], code, "{answer}"),
        }
        person.keybearer(&["disconnect", "claude-desktop"]);
    }
    person.write(SETTINGS, MINE);
    let wish = json!({ "client": "claude-desktop", "servers": [] });
    let answer = person.ask(&json!({ "do": "connect", "wish": wish, "token": token }));
    assert_eq!(answer["error"]["code"], "drifted", "another entry than the one that was shown: {answer}");
    std::fs::remove_file(person.path(SETTINGS)).unwrap();
    let wish = json!({ "client": "claude-desktop", "servers": ["everything"] });
    let answer = person.ask(&json!({ "do": "connect", "wish": wish, "token": token }));
    assert_eq!(answer["error"]["code"], "drifted", "there was a file: {answer}");
    person.end(&[]);
}

#[test]
fn what_cannot_be_understood_is_not_touched() {
    let person = Person::new();
    let connect = ["connect", "claude-desktop", "--server", "everything", "--yes"];
    let taken = "{\"mcpServers\": {\"everything\": {\"command\": \"npx\"}}}";
    for (text, code) in
        [("{\"mcpServers\": ", "not_saved"), ("// no\n{}", "not_saved"), ("[]", "not_saved"), (taken, "name_taken")]
    {
        person.write(SETTINGS, text);
        person.refused(&connect, code);
        assert_eq!(person.read(SETTINGS), text);
    }
    let path = person.write(SETTINGS, "{}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    assert!(person.refused(&connect, "not_saved").contains("read-only"));
    std::fs::remove_file(&path).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("target"), "{}").unwrap();
    symlink(elsewhere.path().join("target"), &path).unwrap();
    assert!(person.refused(&connect, "not_saved").contains("outside of your home folder"));
    assert_eq!(std::fs::read_to_string(elsewhere.path().join("target")).unwrap(), "{}");
    person.refused(&["connect", "telegraph", "--yes"], "unknown_client");
    person.refused(&["connect", "cursor", "--server", "other", "--yes"], "unknown_server");
    person.end(&[]);
}

#[test]
fn links_comments_and_odd_line_ends_stay() {
    let person = Person::new();
    let settings = "// Zed settings\r\n{\r\n\t\"theme\": \"One\", // mine\r\n}\r\n";
    let real = person.write("dotfiles/zed.json", settings);
    std::fs::create_dir_all(person.path(".config/zed")).unwrap();
    symlink(&real, person.path(".config/zed/settings.json")).unwrap();
    assert!(tools(&person.connect("zed", &[])) > 5);
    let written = person.read("dotfiles/zed.json");
    assert!(
        written.starts_with("// Zed settings\r\n{\r\n\t\"theme\": \"One\", // mine\r\n\t\"context_servers\": {\r\n")
    );
    assert!(!written.replace("\r\n", "").contains('\n'));
    assert!(person.path(".config/zed/settings.json").is_symlink());
    assert_eq!(person.disconnect("zed"), ["restored"]);
    assert_eq!(person.read("dotfiles/zed.json"), settings);
    person.end(&[]);
}

#[test]
fn every_format_is_tried_and_taken_back() {
    let person = Person::new();
    for (client, name, text) in [
        ("codex", ".codex/config.toml", "model = \"o\" # mine\n\n[tui]\ntheme = 'x'"),
        ("goose", ".config/goose/config.yaml", "# mine\nextensions:\n  dev: {enabled: true}\nGOOSE_MODE: auto\n"),
        ("gemini-cli", ".gemini/settings.json", "{\n  // mine\n  \"mcp\": {\"allowed\": [\"a\"]},\n}\n"),
        ("windsurf", ".codeium/windsurf/mcp_config.json", ""),
        ("vscode", ".config/Code/User/mcp.json", "{\n\t\"servers\": {},\n\t\"inputs\": []\n}\n"),
    ] {
        person.write(name, text);
        let told = person.connect(client, &[]);
        assert!(tools(&told) > 5, "{client}: {told}");
        assert_ne!(person.read(name), text);
        assert_eq!(person.disconnect(client), ["restored"], "{client}");
        assert_eq!(person.read(name), text, "{client}");
    }
    person.end(&[]);
}

#[test]
fn a_companys_switch_is_seen_and_said() {
    let person = Person::new();
    let switch = person.write(".config/Claude-3p/configLibrary/a.json", "{\"isLocalDevMcpEnabled\": \"true\"}");
    assert_eq!(person.preview("claude-desktop", &[])["warnings"].as_array().unwrap().len(), 1, "not installed here");
    std::fs::write(&switch, "{\"isLocalDevMcpEnabled\": \"false\", \"managedMcpServers\": \"[{}]\"}").unwrap();
    let warnings = person.preview("claude-desktop", &[])["warnings"].to_string();
    assert!(warnings.contains("switched local servers off") && warnings.contains("managedMcpServers"), "{warnings}");
    person.end(&[]);
}
