//! The world itself: a call goes through it, and its canary sings.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use keybearer_control::snapshot::SignIn;
use serde_json::json;

use super::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_signs_in_by_itself_and_is_renewed_at_expiry() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    assert_eq!(client.tools("crm").await.len(), 4);
    let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
    assert_eq!(answer.result().unwrap()["structuredContent"]["name"], "Initech");
    world.clock.advance(Duration::from_secs(3601));
    let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
    assert!(answer.result().is_some(), "{answer:?}");
    let counts = world.company.idp.counts();
    assert_eq!((counts.sign_ins, counts.refreshes, counts.replays, world.browser.windows()), (1, 1, 0, 1));
    assert_eq!(world.company.crm.bearers(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_outlives_its_core_and_ends_with_its_sign_out() {
    let mut world = World::that_allows_all().await;
    world.login("crm").await.unwrap();
    world.restart().await;
    let signed_in = |state: &SignIn| matches!(state, SignIn::SignedIn { saved: true });
    let client = world.client("chat-app").await;
    let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
    assert!(answer.result().is_some(), "{answer:?}");
    world
        .until(|snapshot| snapshot.servers.iter().any(|server| server.name == "crm" && signed_in(&server.state)))
        .await;
    assert_eq!(world.company.idp.counts().sign_ins, 1);
    world.logout("crm").await.unwrap();
    assert_eq!(world.company.idp.live_tokens(world.company.crm.verifier()), 0);
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.error().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stdio_door_carries_lines() {
    let world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    let mut client = world.stdio("desk-app", "raw").await.unwrap();
    assert!(client.initialize().await.unwrap().result().is_some());
    let answer = client.call("get_account", json!({})).await.unwrap();
    assert_eq!(answer.text(), Some("done"));
    assert!(world.stdio("desk-app", "nothing").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_home_or_in_an_answer_ends_the_story() {
    let world = World::start().await;
    std::fs::write(world.home().join("state/careless"), format!("token={}", crate::CANARY)).unwrap();
    let ending = catch_unwind(AssertUnwindSafe(|| drop(world)));
    let why = *ending.unwrap_err().downcast::<String>().unwrap();
    assert!(why.contains("state/careless"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_receives_is_searched() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world
        .upstream
        .will(crate::upstream::Reply::json(format!(r#"{{"jsonrpc":"2.0","id":1,"result":"{}"}}"#, crate::CANARY)));
    let answer = client.at("raw").request("ping", json!({})).await.unwrap();
    assert!(answer.mentions(crate::CANARY), "{answer:?}");
    drop(client);
    let ending = catch_unwind(AssertUnwindSafe(|| drop(world)));
    assert!(ending.unwrap_err().downcast::<String>().unwrap().contains("clients"));
}
