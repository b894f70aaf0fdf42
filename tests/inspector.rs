//! Looking into the messages of calls: what is shown, to whom, and that nothing of it stays.
#![cfg(target_os = "linux")]

use std::time::Duration;

use keybearer_control::client::Client;
use keybearer_control::error::Code;
use keybearer_control::inspector::Exchange;
use keybearer_os::folders::Folders;
use keybearer_stories::house::House;
use keybearer_testkit::world::World;
use serde_json::{Value, json};

/// Longer than nobody waits, unless something hangs.
const PATIENCE: Duration = Duration::from_secs(30);

fn records(world: &World) -> Vec<Value> {
    let text = std::fs::read_to_string(world.home().join("state/audit/audit.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Waits until the trail has a record that is as `met` says.
async fn recorded(world: &World, met: impl Fn(&Value) -> bool) -> Value {
    loop {
        match records(world).into_iter().find(|record| met(record)) {
            Some(record) => return record,
            None => tokio::task::yield_now().await,
        }
    }
}

/// What was said, as one text.
fn said(exchange: &Exchange) -> String {
    [exchange.sent.texts.concat(), exchange.got.texts.concat()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_72_messages_are_shown_with_their_secrets_cut_and_only_while_somebody_looks() {
    let world = World::that_allows_all().await;
    world.login("crm").await.unwrap();
    let client = world.client("chat-app").await;
    client.call("crm", "find_accounts", json!({ "city": "Before" })).await;

    let mut look = world.control().inspect().await.unwrap();
    assert!(look.next().await.unwrap().is_empty(), "nothing of before");
    recorded(&world, |record| record["event"] == "inspection_begun").await;
    assert_eq!(world.control().inspect().await.unwrap().next().await.unwrap_err().code, Code::NotAllowed, "one looks");

    let arguments = json!({ "city": "Berlin", "api_key": "hunter2-hunter2" });
    client.call("crm", "find_accounts", arguments).await;
    let exchange = tokio::time::timeout(PATIENCE, async {
        loop {
            let exchanges = look.next().await.unwrap();
            if let Some(exchange) = exchanges.into_iter().find(|one| said(one).contains("Berlin")) {
                break exchange;
            }
        }
    });
    let exchange = exchange.await.unwrap();
    assert!(said(&exchange).contains("tools/call") && said(&exchange).contains("\"result\""), "{exchange:?}");
    assert!(!said(&exchange).contains("hunter2") && exchange.sent.cut == 1, "{exchange:?}");
    assert_eq!(exchange.credential.as_deref(), Some("authorization"));
    assert!(exchange.came.iter().chain(&exchange.stripped).filter(|name| *name == "authorization").count() == 2);
    assert_eq!(exchange.status, Some(200));
    // The bearer, the client's key and everything else that the world minted have a mark of their own.
    assert!(!serde_json::to_string(&exchange).unwrap().contains("cAnArY"), "{exchange:?}");
    let call = recorded(&world, |record| record["exchange"] == exchange.number).await;
    assert_eq!((&call["tool"], &call["client"]), (&json!("find_accounts"), &json!("chat-app")));

    drop(look);
    recorded(&world, |record| record["event"] == "inspection_ended").await;
    client.call("crm", "find_accounts", json!({ "city": "After" })).await;
    let last =
        recorded(&world, |record| record["tool"] == "find_accounts" && record["seq"].as_u64() > call["seq"].as_u64())
            .await;
    assert!(last.get("exchange").is_none(), "nobody looks any more: {last}");
    let mut again = world.control().inspect().await.unwrap();
    assert!(again.next().await.unwrap().is_empty(), "nothing was kept");
    let written = records(&world).iter().map(ToString::to_string).collect::<String>();
    assert!(!written.contains("Berlin"), "the trail has no values");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_72_a_program_that_is_not_the_shell_sees_no_message() {
    let house = House::open("[servers.crm]\nurl = \"http://127.0.0.1:9/mcp\"\nauth = \"none\"\n");
    let control = Client::new(Folders::at(house.home.path()));
    let refused = control.inspect().await.unwrap().next().await.unwrap_err();
    assert_eq!(refused.code, Code::NotAllowed, "{refused:?}");
    assert!(house.home.audit().iter().all(|record| record["event"] != "inspection_begun"));
}
