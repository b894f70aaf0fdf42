//! Official clients, over stdio and HTTP, in both eras.

use keybearer_stories::clients::Official;
use keybearer_stories::core::keybearer;
use serde_json::json;

use super::Pair;
use super::driver::{Driver, Library, each, names};

const LONG: &str = "everything__trigger-long-running-operation";

#[test]
fn every_client_sees_the_tools_of_all_servers_beside_ours_and_calls_them() {
    let pair = Pair::open();
    each(&pair.house, |client, library| {
        let tools = client.tools();
        for wanted in ["status", "sign_in", "list_servers", "odd__plain", "everything__echo", LONG] {
            assert!(tools.iter().any(|tool| tool == wanted), "{library:?} does not see `{wanted}`: {tools:?}");
        }
        let echoed = client.calls("everything__echo", json!({ "message": "hello" }));
        assert_eq!((&echoed["text"], &echoed["failed"]), (&json!("Echo: hello"), &json!(false)), "{library:?}");
        let told = client.calls(LONG, json!({ "duration": 1, "steps": 4 }));
        // The last step may be told together with the result; then the library has forgotten the call already.
        assert!(told["progress"].as_u64().unwrap() >= 3, "{library:?} {told}");
        let status = client.calls("status", json!({}))["text"].to_string();
        assert!(status.contains("odd: ready") && status.contains("everything: ready"), "{library:?} {status}");
        assert_eq!(client.calls("list_servers", json!({}))["text"], "everything\nodd");
        client.does("end", json!({}));
    });
}

#[test]
fn the_python_client_sees_them_too() {
    let pair = Pair::open();
    let app = pair.house.client("app", &[]);
    let calls =
        [("everything__echo", r#"{"message":"hello"}"#), (LONG, r#"{"duration":1,"steps":4}"#), ("status", "{}")];
    let home = &pair.house.home;
    let over_stdio = Official::Python.over_program(home, &[keybearer().into(), "stdio".into()], &calls);
    let (url, key) = (format!("http://{}/mcp", app.door), format!("Bearer {}", app.key));
    let over_http = Official::Python.over_http_at(home, &url, &key, &calls);
    for report in [over_stdio, over_http] {
        let tools = names(&report["tools"]);
        assert!(tools.contains(&"odd__plain".to_owned()) && tools.contains(&"sign_in".to_owned()), "{tools:?}");
        assert_eq!(report["results"][0]["text"], "Echo: hello");
        assert!(report["results"][1]["progress"].as_u64().unwrap() >= 3, "{report}");
    }
}

#[test]
fn a_server_s_question_reaches_the_client_that_called_and_its_answer_the_server() {
    let pair = Pair::open();
    each(&pair.house, |client, library| {
        if library == Library::Modern {
            // The server is of the era with sessions: it may not ask a client that has none, and does not offer to.
            assert!(!client.tools().iter().any(|tool| tool == "everything__trigger-elicitation-request"));
            return;
        }
        client.tools();
        let told = client.calls("everything__trigger-elicitation-request", json!({}));
        assert_eq!(told["asked"], 1, "{library:?} {told}");
        assert!(told["text"].as_str().unwrap().contains("Ada"), "{library:?} {told}");
    });
}

#[test]
fn resources_and_prompts_come_from_their_servers() {
    let pair = Pair::open();
    each(&pair.house, |client, library| {
        let uris = names(&client.does("resources", json!({})));
        let shared = "demo://resource/static/document/features.md";
        for wanted in ["odd://a", "demo://resource/static/document/structure.md"] {
            assert!(uris.iter().any(|uri| uri == wanted), "{library:?} {uris:?}");
        }
        assert!(!uris.iter().any(|uri| uri == shared), "two servers list it: {uris:?}");
        let read = |client: &mut Driver, uri: &str| client.does("read", json!({ "uri": uri }))[0].clone();
        assert_eq!(read(client, "odd://a")["text"], "odd's odd://a");
        let wrapped = format!("keybearer:odd:{shared}");
        assert_eq!(read(client, &wrapped), json!({ "uri": wrapped, "text": format!("odd's {shared}") }));
        let theirs = read(client, &format!("keybearer:everything:{shared}"));
        assert!(theirs["text"].as_str().unwrap().contains("Everything"), "{library:?} {theirs}");
        // A link in a tool's result is the server's own, and nobody lists it.
        let linked = read(client, "demo://resource/dynamic/text/7");
        assert!(linked["text"].as_str().unwrap().contains("Resource 7"), "{library:?} {linked}");
        assert!(client.tries("read", json!({ "uri": shared })).get("failed").is_some(), "whose it is is not certain");
        let templates = names(&client.does("templates", json!({})));
        assert!(templates.iter().any(|found| found.starts_with("demo://resource/dynamic/text/")), "{templates:?}");

        let prompts = names(&client.does("prompts", json!({})));
        assert!(prompts.iter().any(|prompt| prompt == "odd__greet"), "{library:?} {prompts:?}");
        let told = client.does("prompt", json!({ "name": "odd__greet" }));
        assert_eq!(told[0]["content"]["text"], "prompt greet", "{library:?}");
        let city = json!({ "name": "everything__args-prompt", "arguments": { "city": "Turin" } });
        assert!(client.does("prompt", city).to_string().contains("Turin"), "{library:?}");
        let ask = json!({
            "ref": { "type": "ref/prompt", "name": "everything__completable-prompt" },
            "argument": { "name": "department", "value": "E" },
        });
        assert_eq!(client.does("complete", ask), json!(["Engineering"]), "{library:?}");
    });
}
