//! A server that wants more than the sign-in allows, and one that has gone to another issuer: the person is asked, within
//! bounds, and what there is goes on serving.
#![expect(clippy::expect_used, reason = "a story ends where its world is not as it must be")]

use std::time::Duration;

use keybearer_control::snapshot::{Server, SignIn};
use keybearer_testkit::client::answer::Answer;
use keybearer_testkit::follow::Conduct;
use keybearer_testkit::idp::TokenFacts;
use keybearer_testkit::upstream::Reply;
use keybearer_testkit::world::{World, WorldClient};
use serde_json::json;

const SIGN_IN_NEEDED: i64 = -31_001;

async fn raw(world: &World) -> Server {
    let servers = world.status().await.servers;
    servers.into_iter().find(|server| server.name == "raw").expect("the raw server")
}

async fn call(client: &WorldClient) -> Answer {
    client.call("raw", "get_account", json!({})).await
}

/// Whose bearer came last, and what it allows.
fn last_bearer(world: &World) -> TokenFacts {
    let verifier = world.company.idp.protect(&world.upstream.url(), &["raw"]);
    let requests = world.upstream.requests();
    let last = requests.last().expect("a request").header("authorization").expect("a bearer");
    verifier.judge(last.trim_start_matches("Bearer ")).expect("a good bearer")
}

/// More scopes than the server's metadata names.
fn offer_more(world: &World) {
    world.company.idp.protect("https://more.test/mcp", &["write", "send", "delete"]);
}

/// A refusal that wants `scope`, too.
fn wants(scope: &str) -> Reply {
    let challenge =
        format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\", error_description=\"call 555-1234\"");
    Reply::status(403).header("WWW-Authenticate", &challenge)
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_a_call_that_needs_more_asks_the_person_for_both_and_goes_again() {
    let world = World::that_allows_all().await;
    offer_more(&world);
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    world.upstream.will(wants("write"));
    assert!(call(&client).await.result().is_some());
    let scopes = last_bearer(&world).scopes;
    assert!(["raw", "write"].iter().all(|scope| scopes.iter().any(|has| has == scope)), "{scopes:?}");
    assert_eq!(world.browser.windows(), 2);
    // What was asked for stays asked for.
    world.company.idp.revoke_everything();
    assert!(call(&client).await.result().is_some());
    assert!(last_bearer(&world).scopes.iter().any(|scope| scope == "write"));
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_sec_31_a_server_that_never_has_enough_opens_two_windows_an_hour() {
    let world = World::that_allows_all().await;
    offer_more(&world);
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    for scope in ["write", "send", "delete"] {
        world.upstream.will(wants(scope));
    }
    let answer = call(&client).await;
    assert_eq!((answer.status.as_u16(), world.browser.windows()), (403, 3), "{answer:?}");
    world.upstream.will(wants("delete"));
    assert_eq!((call(&client).await.status.as_u16(), world.browser.windows()), (403, 3));
    // The sign-in is as good as before.
    assert!(call(&client).await.result().is_some());
    assert!(matches!(raw(&world).await.state, SignIn::SignedIn { .. }));
    world.clock.advance(Duration::from_secs(3601));
    world.upstream.will(wants("delete"));
    assert!(call(&client).await.result().is_some());
    assert_eq!(world.browser.windows(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_a_server_that_wants_what_it_has_opens_no_window() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    for reply in [wants("raw"), wants(""), Reply::status(403)] {
        world.upstream.will(reply);
        let answer = call(&client).await;
        assert_eq!((answer.status.as_u16(), world.browser.windows()), (403, 1), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_a_no_to_more_takes_nothing_away() {
    let world = World::that_allows_all().await;
    offer_more(&world);
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    world.browser.conduct(Conduct::SignsInAndDenies);
    world.upstream.will(wants("write"));
    let answer = call(&client).await;
    assert_eq!((answer.code(), world.browser.windows()), (Some(SIGN_IN_NEEDED), 2), "{answer:?}");
    assert!(matches!(raw(&world).await.state, SignIn::SignedIn { .. }));
    assert!(call(&client).await.result().is_some());
    world.company.idp.end_access_tokens();
    assert!(call(&client).await.result().is_some());
    assert_eq!(world.browser.windows(), 2);
}
