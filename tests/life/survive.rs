//! `kill -9` of the core: the bridge answers what was open, and goes on with another core.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

use keybearer_stories::bridge::Bridge;
use keybearer_stories::core::keybearer;
use keybearer_stories::live::LiveClient;
use keybearer_testkit::upstream::Reply;
use serde_json::{Value, json};

use super::Street;

const INTERRUPTED: i64 = -31_006;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"hand \"shake\"","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn call(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"get_account","id":99}}}}"#) + "\n"
}

fn line(bridge: &mut Bridge) -> Value {
    serde_json::from_slice(&bridge.line()).unwrap()
}

/// A bridge whose client has shaken hands, and whose server's own stream was asked for.
async fn shaken(street: &Street) -> Bridge {
    let mut bridge = street.house.bridge("crm");
    bridge.send(format!("{INITIALIZE}\n{INITIALIZED}\n"));
    assert_eq!(line(&mut bridge)["id"], "hand \"shake\"");
    while street.upstream.next().await.unwrap().method != "GET" {}
    bridge
}

async fn check_kill(library: &str) {
    let mut street = Street::build().await;
    let mut client = LiveClient::start(&street.house.home, library, "crm");
    street.streams().await;
    let (reply, _held) = Reply::json("{}").held();
    street.upstream.will(reply);
    client.call("get_account");
    street.arrives("tools/call").await;
    street.house.kill();
    let (interrupted, _) = client.outcome();
    assert_eq!(interrupted["code"], INTERRUPTED, "{interrupted}");
    client.call("get_account");
    let (answered, _) = client.outcome();
    assert_eq!(answered["text"], "done", "{answered}");
    assert_eq!(street.calls(), 2, "a call was sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_outlives_a_core_that_dies_during_a_call() {
    check_kill("client").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_official_client_outlives_it_too() {
    check_kill("sdk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_open_request_has_one_error_and_the_handshake_is_said_again_in_silence() {
    let mut street = Street::build().await;
    let mut bridge = shaken(&street).await;
    let (first, _held_first) = Reply::json("{}").held();
    let (second, _held_second) = Reply::json("{}").held();
    street.upstream.will(first).will(second);
    bridge.send(call("7") + &call(r#""7""#));
    street.arrives("tools/call").await;
    street.arrives("tools/call").await;
    street.house.kill();
    let mut ids = vec![];
    for _ in 0..2 {
        let told = line(&mut bridge);
        assert_eq!(told["error"]["code"], INTERRUPTED, "{told}");
        ids.push(told["id"].clone());
    }
    ids.sort_by_key(Value::is_string);
    assert_eq!(ids, [json!(7), json!("7")]);
    // Half a line now, the rest later: it reaches the next core whole.
    let next = call("8");
    let (begun, rest) = next.split_at(20);
    bridge.send(begun);
    assert_eq!(line(&mut bridge)["method"], "notifications/tools/list_changed");
    bridge.send(rest);
    let answer = line(&mut bridge);
    assert_eq!((&answer["id"], &answer["error"]), (&json!(8), &Value::Null));
    let handshakes = street.upstream.requests().iter().filter(|seen| seen.mentions("\"initialize\"")).count();
    assert_eq!((handshakes, street.calls()), (2, 3));
    let (left, status, _) = bridge.end();
    assert_eq!((left.len(), status.code()), (0, Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_broke_off_is_ended_and_the_next_one_is_a_message() {
    let mut street = Street::build().await;
    let mut command = street.house.home.command(keybearer());
    let mut bridge = command.args(["stdio", "crm"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut out) = (bridge.stdin.take().unwrap(), BufReader::new(bridge.stdout.take().unwrap()));
    // Far more than a bridge holds together.
    let (reply, stream) = Reply::sse();
    street.upstream.will(reply);
    input.write_all(call("1").as_bytes()).unwrap();
    street.arrives("tools/call").await;
    let text = "x".repeat(7 << 20);
    stream.send(format!(r#"data: {{"jsonrpc":"2.0","method":"notifications/message","params":{{"data":"{text}"}}}}"#));
    stream.send("\n\n");
    // The client reads some of it: pipe and bridge are full, and the core waits in the middle of the line.
    let mut begun = vec![0; 2 << 20];
    out.read_exact(&mut begun).unwrap();
    assert!(!begun.contains(&b'\n'));
    street.house.kill();
    let mut lines = out.lines().map(Result::unwrap);
    let rest = lines.next().unwrap();
    assert!(rest.len() < 4 << 20 && rest.bytes().all(|byte| byte == b'x'), "{}", rest.len());
    let told: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!((told["id"].as_i64(), told["error"]["code"].as_i64()), (Some(1), Some(INTERRUPTED)));
    input.write_all(call("2").as_bytes()).unwrap();
    let answered: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!((answered["id"].as_i64(), &answered["error"]), (Some(2), &Value::Null));
    drop(input);
    assert_eq!((lines.next(), bridge.wait().unwrap().code()), (None, Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_while_there_is_no_core_waits_for_the_next_one() {
    let mut street = Street::build().await;
    let mut bridge = shaken(&street).await;
    street.house.kill();
    bridge.send((1..=50).map(|id| call(&id.to_string())).collect::<String>());
    let mut answers = vec![];
    while answers.len() < 50 {
        let heard = line(&mut bridge);
        if heard["id"].is_number() {
            answers.push((heard["id"].as_u64().unwrap(), heard["error"]["code"].as_i64()));
        }
    }
    answers.sort_unstable();
    assert_eq!(answers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), (1..=50).collect::<Vec<_>>());
    let interrupted = answers.iter().filter(|(_, code)| code.is_some()).count();
    assert!(street.calls() + interrupted >= 50 && street.calls() <= 50, "{} {interrupted}", street.calls());
    let (left, ..) = bridge.end();
    assert!(left.iter().all(|line| !String::from_utf8_lossy(line).contains("\"id\"")), "something was answered twice");
}
