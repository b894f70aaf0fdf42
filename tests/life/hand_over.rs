//! One core hands over to another: what is under way is finished, and nobody is refused meanwhile.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use keybearer_stories::core::Core;
use keybearer_stories::house::App;
use keybearer_stories::live::LiveClient;
use keybearer_testkit::upstream::Reply;
use serde_json::Value;

use super::Street;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_account"}}"#;

/// Lets another core take over, and does something when the old one has heard of it and is not gone yet.
fn hand_over<T>(street: &mut Street, meanwhile: impl FnOnce(&Street) -> T) -> T {
    let log = street.house.core().log();
    let (next, done) = std::thread::scope(|scope| {
        let next = scope.spawn(|| Core::start_with(&street.house.home, &["--replace"]));
        log.has("another core takes over");
        let done = meanwhile(street);
        (next.join().unwrap(), done)
    });
    street.house.follow(next);
    done
}

fn result(app: &App) -> Value {
    let answer = app.post("crm", CALL);
    serde_json::from_slice(&answer.body).unwrap()
}

async fn check_stdio(library: &str) {
    let mut street = Street::build().await;
    let mut client = LiveClient::start(&street.house.home, library, "crm");
    street.streams().await;
    let old = street.house.core().pid();
    let (reply, stream) = Reply::sse();
    street.upstream.will(reply);
    client.call("slow");
    street.arrives("tools/call").await;
    let asked: Value = serde_json::from_slice(&street.upstream.requests().last().unwrap().body).unwrap();
    let id = &asked["id"];
    hand_over(&mut street, |_| {
        // Asked between the two cores: it waits for the new one.
        client.call("get_account");
        stream.send(format!(
            "data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"late\"}}]}}}}\n\n"
        ));
        stream.finish();
    });
    let mut texts = [client.outcome().0, client.outcome().0];
    texts.sort_by_key(|said| said["called"].to_string());
    assert_eq!(texts[0]["text"], "done", "{texts:?}");
    assert_eq!(texts[1]["text"], "late", "{texts:?}");
    assert_ne!(street.house.core().pid(), old);
    client.call("get_account");
    assert_eq!(client.outcome().0["text"], "done");
    assert_eq!(street.calls(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_notices_nothing_of_a_hand_over_during_its_call() {
    check_stdio("client").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_of_the_older_library() {
    check_stdio("sdk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_http_is_finished_and_no_other_is_refused() {
    let mut street = Street::build().await;
    let app = street.house.client("chat-app", &[]);
    let (reply, held) = Reply::json(r#"{"jsonrpc":"2.0","id":1,"result":{"late":true}}"#).held();
    street.upstream.will(reply);
    let (slow, over) = (app.clone(), AtomicBool::new(false));
    let (late, rounds) = std::thread::scope(|scope| {
        let late = scope.spawn(move || result(&slow));
        while street.calls() == 0 {
            std::thread::yield_now();
        }
        // One after another, without a pause, from before to after.
        let rounds = scope.spawn(|| {
            let mut rounds = 0;
            while !over.load(Ordering::Acquire) || rounds < 3 {
                assert!(result(&app)["result"].is_object());
                rounds += 1;
            }
            rounds
        });
        hand_over(&mut street, |_| held.now());
        over.store(true, Ordering::Release);
        (late.join().unwrap(), rounds.join().unwrap())
    });
    assert_eq!(late["result"]["late"], true);
    assert_eq!(street.calls(), 1 + rounds, "{rounds} rounds");
    assert!(
        street.house.run(&["status", "--json"]).json()["http_door"]["addresses"][0]
            .as_str()
            .unwrap()
            .ends_with(&app.door)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_of_the_version_before_works_and_is_told_nothing_that_it_does_not_know() {
    let mut street = Street::build().await;
    let mut bridge = UnixStream::connect(street.house.home.path().join("run/bridge.sock")).unwrap();
    bridge.write_all(b"{\"keybearer\":1,\"server\":\"crm\"}\n").unwrap();
    let mut lines = BufReader::new(bridge.try_clone().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "{\"welcome\":\"ready\"}\n");
    bridge.write_all(format!("{CALL}\n").as_bytes()).unwrap();
    line.clear();
    lines.read_line(&mut line).unwrap();
    assert!(line.contains("\"result\""), "{line}");
    let rest = hand_over(&mut street, |_| {
        // It knows no notices: it ends when its client does.
        bridge.write_all(format!("{CALL}\n").as_bytes()).unwrap();
        bridge.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        rest
    });
    assert_eq!(rest.lines().count(), 1, "{rest}");
    assert!(rest.contains("\"result\""), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_version_takes_over_only_when_it_is_told_to() {
    let street = Street::build().await;
    let second = street.house.run(&["serve", "--json"]);
    assert_eq!(second.code(), 8, "{second:?}");
    assert_eq!(street.house.run(&["status", "--json"]).json()["pid"], street.house.core().pid());
}
