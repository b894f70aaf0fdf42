//! Signing in on another device, by a code (RFC 8628), with a real issuer and a real server.
#![allow(clippy::unwrap_used, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "programs are started as a person would")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use keybearer_stories::company::Company;
use keybearer_stories::core::{Core, Home, keybearer};
use keybearer_stories::parts::{self, Watch};
use serde_json::{Value, json};

/// Signs in to `server` from a machine without a display; the person has a browser elsewhere. What the command told, line
/// by line.
fn sign_in(home: &Home, server: &str, options: &[&str]) -> Vec<Value> {
    let mut command = home.command(keybearer());
    command.args(["login", server, "--json"]).args(options).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _watch = Watch::over(&child);
    let mut told = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let value: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(whole) = value["code"]["whole"].as_str() {
            let mut browser = Command::new(parts::node());
            browser.arg(parts::script("browser.mjs")).arg(whole);
            let ended = parts::end_of(browser);
            assert!(ended.status.success(), "{} {}", ended.out, ended.err);
        }
        told.push(value);
    }
    child.wait().unwrap();
    told
}

#[test]
fn a_person_without_a_display_signs_in_by_a_code() {
    let company = Company::open();
    let mut home = Home::new(&company.config("memory"));
    for (name, value) in [("BROWSER", ""), ("DISPLAY", ""), ("WAYLAND_DISPLAY", ""), ("WSL_DISTRO_NAME", "")] {
        home.set(name, value);
    }
    let core = Core::start(&home);

    // By itself, because no browser can be opened here; and because the person wants it.
    for (server, options, grants) in [("everything", &[][..], 1), ("counting", &["--device"][..], 2)] {
        let told = sign_in(&home, server, options);
        let [code, signed_in] = told.as_slice() else { panic!("{told:?}") };
        assert!(code["code"]["address"].as_str().unwrap().ends_with("/device"), "{code}");
        assert_eq!(
            (&signed_in["name"], &signed_in["state"]["kind"]),
            (&json!(server), &json!("signed_in")),
            "{signed_in}"
        );
        assert_eq!(signed_in["account"], "ada@example.test");
        assert!(company.count("by_grant/urn:ietf:params:oauth:grant-type:device_code") >= grants);
    }
    let called = home.keybearer(&["call", "everything", "echo", r#"{"message":"hello"}"#]);
    assert!(called.status.success() && called.out.contains("Echo: hello"), "{} {}", called.out, called.err);
    assert_eq!((company.count("by_grant/authorization_code"), home.visits()), (0, 0));

    assert!(core.stop(&home).success());
    home.assert_no_secret(&company.secrets());
}

/// A model that asks for the sign-in is told the way that there is, in words that its person can follow.
#[test]
fn without_a_display_the_sign_in_tool_says_where_to_sign_in() {
    let company = Company::open();
    let mut home = Home::new(&company.config("memory"));
    for (name, value) in [("BROWSER", ""), ("DISPLAY", ""), ("WAYLAND_DISPLAY", ""), ("WSL_DISTRO_NAME", "")] {
        home.set(name, value);
    }
    let core = Core::start(&home);
    // Keybearer's own server, and the tool that stands for those of one that nobody is signed in to.
    for (door, arguments, server) in [
        (&["stdio"][..], json!({ "server": "everything" }), "everything"),
        (&["stdio", "counting"][..], json!({}), "counting"),
    ] {
        let told = told_by_the_tool(&home, door, &arguments);
        let way = format!(
            "Keybearer: no browser can be opened here. The person can sign in with `keybearer login {server}` in a \
             terminal; then try again."
        );
        assert_eq!((&told["content"][0]["text"], &told["isError"]), (&json!(way), &json!(true)), "{door:?}");
    }
    assert_eq!(home.visits(), 0);
    assert!(core.stop(&home).success());
}

/// What an app that starts this door is told by its tool `sign_in`.
fn told_by_the_tool(home: &Home, door: &[&str], arguments: &Value) -> Value {
    let mut command = home.command(keybearer());
    let mut client = command.args(door).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _watch = Watch::over(&client);
    let mut input = client.stdin.take().unwrap();
    let hello =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "a", "version": "1" } });
    let call = json!({ "name": "sign_in", "arguments": arguments });
    let lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut messages = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut answer = |id: u64| messages.find(|message| message["id"] == id).unwrap();
    writeln!(input, "{}", json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello })).unwrap();
    answer(1);
    writeln!(input, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).unwrap();
    writeln!(input, "{}", json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call })).unwrap();
    let told = answer(2)["result"].clone();
    drop(input);
    client.wait().unwrap();
    told
}
