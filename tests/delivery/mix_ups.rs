//! Thirty-two clients that all count from 1: what is sent to one never comes to another (SEC-15).

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{Http, Line, call};
use crate::{Street, street};

const CLIENTS: usize = 32;

/// Each call is one message up and, with its notifications and its result, seven down.
const CALLS: u64 = 400;
const STEPS: u64 = 6;

/// How many calls a bridge has under way.
const WINDOW: u64 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn sec_15_what_is_for_one_client_never_comes_to_another() {
    let names = ["crm".to_owned(), "wiki".to_owned()];
    let Street { house, upstream: _upstream, _turn } = street(&names).await;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (server, me) = (names[number / 2 % 2].clone(), format!("client {number}"));
        if number % 2 == 0 {
            let app = house.client(&format!("app-{number}"), &[]);
            clients.spawn(async move { over_http(Http::connect(&app, &server).await, &me).await });
        } else {
            clients.spawn(over_stdio(Line::start(&house.home, &server), me));
        }
    }
    let messages: u64 = clients.join_all().await.iter().sum();
    assert!(messages >= 100_000, "{messages} messages");
}

/// The call of this number; every client's calls have the same ids and the same progress tokens.
fn numbered(number: u64, me: &str) -> Value {
    call(number, "progress", &json!({ "many": STEPS, "said": format!("{me}: {number}") }))
}

#[track_caller]
fn is_for(message: &Value, me: &str) -> (u64, bool) {
    let told = &message["params"];
    let (number, said, last) = match message["id"].as_u64() {
        Some(id) => (id, &message["result"]["structuredContent"]["said"], true),
        None => (told["progressToken"].as_u64().unwrap(), &told["message"], false),
    };
    assert_eq!(said, &json!(format!("{me}: {number}")), "{me} was sent {message}");
    (number, last)
}

async fn over_http(mut client: Http, me: &str) -> u64 {
    client.initialize().await;
    let mut messages = 0;
    for number in 1..=CALLS {
        let answer = client.ask(&numbered(number, me)).await;
        assert_eq!(answer.len() as u64, STEPS + 1);
        assert!(answer.iter().all(|message| is_for(message, me).0 == number), "{answer:?}");
        messages += 1 + answer.len() as u64;
    }
    client.end().await;
    messages
}

async fn over_stdio(mut client: Line, me: String) -> u64 {
    client.initialize().await;
    let (mut sent, mut messages) = (0, 0);
    let mut under_way = std::collections::BTreeMap::new();
    while sent < CALLS || !under_way.is_empty() {
        while sent < CALLS && (under_way.len() as u64) < WINDOW {
            sent += 1;
            under_way.insert(sent, 0);
            client.send(&numbered(sent, &me).to_string()).await;
            messages += 1;
        }
        let message = client.next().await;
        let (number, last) = is_for(&message, &me);
        let heard = under_way.get_mut(&number).unwrap_or_else(|| panic!("{me} was sent again: {message}"));
        *heard += 1;
        if last {
            assert_eq!(under_way.remove(&number), Some(STEPS + 1), "{message}");
        }
        messages += 1;
    }
    client.end().await;
    messages
}
