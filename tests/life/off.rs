//! Turned off: nothing but the person turns it on again, and clients are told.

use keybearer_stories::bridge::Bridge;
use serde_json::Value;

use super::Street;

const TURNED_OFF: i64 = -31_011;

fn call(id: u64) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"get_account"}}}}"#) + "\n"
}

fn line(bridge: &mut Bridge) -> Value {
    serde_json::from_slice(&bridge.line()).unwrap()
}

#[track_caller]
fn check_off(told: &Value, id: u64) {
    assert_eq!((told["id"].as_u64(), told["error"]["code"].as_i64()), (Some(id), Some(TURNED_OFF)), "{told}");
    assert_eq!(told["error"]["message"], "Keybearer: Keybearer is turned off.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_that_it_is_off_and_works_again_when_it_is_on() {
    let mut street = Street::build().await;
    let mut bridge = street.house.bridge("crm");
    bridge.send(call(1));
    assert_eq!(line(&mut bridge)["id"], 1);
    street.house.stop();
    bridge.send(call(2));
    check_off(&line(&mut bridge), 2);
    // One that starts now is told the same, in its handshake.
    let mut late = street.house.bridge("crm");
    late.send(r#"{"jsonrpc":"2.0","id":3,"method":"initialize","params":{}}"#.to_owned() + "\n");
    check_off(&line(&mut late), 3);
    assert!(street.house.run(&["status"]).err.contains("turned off"), "a bridge has started a core");
    street.house.restart();
    for bridge in [&mut bridge, &mut late] {
        bridge.send(call(4));
        let answer = line(bridge);
        assert_eq!((&answer["id"], &answer["error"]), (&Value::from(4), &Value::Null), "{answer}");
    }
    assert_eq!(street.calls(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_starts_it_but_start() {
    let mut street = Street::build().await;
    street.house.stop();
    for command in [
        &["status"][..],
        &["tools", "crm"],
        &["call", "crm", "get_account"],
        &["login", "crm"],
        &["servers", "list"],
        &["clients", "list"],
    ] {
        let refused = street.house.run(command);
        assert_eq!(refused.code(), 3, "{command:?}: {refused:?}");
        assert_eq!(
            refused.err, "error: keybearer is turned off\nhint: turn it on with `keybearer start`\n",
            "{command:?}"
        );
    }
    // Off is off: saying it again is no error.
    assert_eq!(street.house.run(&["stop", "--json"]).json()["turned_off"], true);
    assert_eq!(street.house.run(&["start", "--json"]).json()["started"], true);
    assert_eq!(street.house.run(&["call", "crm", "get_account"]).code(), 0);
    assert!(street.house.run(&["stop"]).status.success());
}
