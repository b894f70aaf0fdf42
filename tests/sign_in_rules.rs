//! Signing in to the letter: what the specification asks of a client, at an issuer that insists on it.
//!
//! What the official conformance suite judges is judged there (docs/conformance.md); here is what it does not look at.
#![expect(clippy::expect_used, reason = "a story ends where its world is not as it must be")]

use std::time::Duration;

use keybearer_control::error::Error;
use keybearer_control::snapshot::Server;
use keybearer_core::audit;
use keybearer_oauth::document::document;
use keybearer_testkit::client::answer::Answer;
use keybearer_testkit::follow::Conduct;
use keybearer_testkit::idp::{PushedRequests, TokenFacts, WaysBack};
use keybearer_testkit::upstream::Reply;
use keybearer_testkit::world::{World, WorldClient};
use serde_json::json;

const DOCUMENT: &str = "https://apps.example.com/keybearer/client.json";
const ALLOW_ALL: &str = "[[rules]]\neffect = \"allow\"\n";

/// A world whose `raw` server has these settings besides its address.
async fn world_with(top: &str, raw: &str) -> World {
    let world = World::that_allows_all().await;
    let config = world.config(ALLOW_ALL);
    let config = config.replace("[[rules]]", &format!("{raw}\n[[rules]]"));
    world.write_config(&format!("{top}\n{config}"));
    let problems = world.status().await.problems;
    assert!(problems.is_empty(), "{problems:?}");
    world
}

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

#[tokio::test(flavor = "multi_thread")]
async fn c2_a_server_that_asks_first_when_a_tool_is_called_gets_its_sign_in_then() {
    let world = World::that_allows_all().await;
    world.upstream.lets_in(&["initialize", "notifications/initialized", "tools/list"]);
    let client = world.client("chat-app").await;
    assert_eq!(client.tools("raw").await.len(), 2);
    assert_eq!(world.browser.windows(), 0);
    assert!(call(&client).await.result().is_some());
    assert_eq!(world.browser.windows(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn c8_an_issuer_that_reads_documents_needs_no_registration() {
    let world = world_with(&format!("client_metadata_url = \"{DOCUMENT}\""), "").await;
    world.company.idp.read_document(DOCUMENT, &document(&DOCUMENT.parse().expect("an address"), "Keybearer"));
    world.login("raw").await.unwrap();
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    assert_eq!(last_bearer(&world).client_id, DOCUMENT);
    assert_eq!(world.company.idp.counts().registrations, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_an_issuer_that_takes_only_the_machines_name_gets_it() {
    let world = World::that_allows_all().await;
    world.company.idp.ways_back(WaysBack::ByName);
    world.login("raw").await.unwrap();
    assert_eq!(world.company.idp.counts().registrations, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_client_is_registered_once_at_an_issuer_and_used_again() {
    let mut world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    world.logout("raw").await.unwrap();
    world.login("raw").await.unwrap();
    world.login("crm").await.unwrap();
    world.restart().await;
    world.logout("raw").await.unwrap();
    world.login("raw").await.unwrap();
    let counts = world.company.idp.counts();
    assert_eq!((counts.registrations, counts.codes_redeemed), (1, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_32_a_registration_counts_only_after_a_sign_in_that_succeeded() {
    let world = World::that_allows_all().await;
    world.browser.conduct(Conduct::SignsInAndDenies);
    world.login("raw").await.unwrap_err();
    world.browser.conduct(Conduct::SignsInAndAllows);
    world.login("raw").await.unwrap();
    assert_eq!(world.company.idp.counts().registrations, 2);
    // A sign-in that fails later leaves the one before as it was.
    world.browser.conduct(Conduct::SignsInAndDenies);
    world.login("raw").await.unwrap_err();
    world.company.idp.end_access_tokens();
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    let counts = world.company.idp.counts();
    assert_eq!((counts.registrations, counts.refreshes), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_client_of_another_issuer_is_shown_to_nobody() {
    let world = world_with("", "client_id = \"from-it\"\nissuer = \"https://login.example.com\"").await;
    let error: Error = world.login("raw").await.unwrap_err();
    assert!(error.message.contains("https://login.example.com"), "{error:?}");
    assert!(error.hint.is_some_and(|hint| hint.contains("issuer")));
    assert_eq!((world.browser.windows(), world.company.idp.counts().token_requests), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn c12_sec_22_what_deviates_is_shown_and_written_down() {
    let mut world = World::that_allows_all().await;
    let resource = world.company.crm.url().to_owned();
    let config = world.config(ALLOW_ALL).replace("[[rules]]", &format!("resource = \"{resource}\"\n[[rules]]"));
    world.write_config(&config);
    assert!(world.status().await.problems.is_empty());
    world.login("raw").await.unwrap();
    let want = format!("`resource` is sent as `{resource}` (set for this server)");
    assert_eq!(raw(&world).await.deviations, [want.as_str()]);
    world.restart().await;
    let records = audit::tail(&world.folders().audit(), 50).unwrap();
    let told = records.iter().find(|record| record["event"] == "sign_in").expect("the sign-in's record");
    assert_eq!(told["deviations"], json!([want]));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_pushed_where_that_is_offered_and_where_it_must_be() {
    for behaviour in [PushedRequests::Offered, PushedRequests::Required] {
        let world = World::that_allows_all().await;
        world.company.idp.pushed_requests(behaviour);
        world.login("raw").await.unwrap();
        assert_eq!(world.company.idp.counts().pushed, 1, "{behaviour:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c18_a_bearer_goes_in_the_header_of_its_own_server_and_nowhere_else() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    assert!(client.call("crm", "get_account", json!({ "id": "1" })).await.response().is_some());
    let here = world.company.idp.protect(&world.upstream.url(), &["raw"]);
    let there = world.company.idp.protect(world.company.crm.url(), &["crm"]);
    let requests = world.upstream.requests();
    let let_in: Vec<_> = requests.iter().filter(|request| !request.turned_away).collect();
    assert!(!let_in.is_empty());
    for request in let_in {
        let carriers = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let [(_, value)] = &*carriers.collect::<Vec<_>>() else { panic!("not one bearer: {request:?}") };
        let token = value.strip_prefix("Bearer ").expect("a bearer");
        here.judge(token).expect("good here");
        there.judge(token).expect_err("good at another server, too");
        assert_eq!(request.target, "/mcp", "nothing in the query");
        let bare = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!bare.contains(token), "nothing in the body: {bare}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c22_an_address_that_a_server_asks_to_open_reaches_the_app_as_it_is_and_nobody_looks_at_it() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    let (seen, windows) = (world.upstream.requests().len(), world.browser.windows());
    let address = world.upstream.url().replace("/mcp", "/connect?account=7");
    let asks = json!({
        "jsonrpc": "2.0", "id": "ask-1", "method": "elicitation/create",
        "params": { "mode": "url", "elicitationId": "e-1", "url": address, "message": "Connect your account" },
    });
    let result = json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } });
    let events = format!("data: {asks}\n\ndata: {result}\n\n");
    world.upstream.will(Reply::with_body(200, "text/event-stream", events));
    let answer = call(&client).await;
    assert!(answer.mentions(&asks.to_string()), "the app decides about it, and shows it: {answer:?}");
    assert_eq!(world.upstream.requests().len(), seen + 1, "the address was fetched");
    assert_eq!(world.browser.windows(), windows, "the address was opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_whose_life_nobody_tells_is_renewed_when_it_is_refused() {
    let world = World::that_allows_all().await;
    world.company.idp.says_token_lifetime(false);
    let client = world.client("chat-app").await;
    assert!(call(&client).await.result().is_some());
    world.clock.advance(Duration::from_secs(12 * 3600));
    world.look_around();
    assert_eq!(world.company.idp.counts().refreshes, 0, "nobody said that it ends");
    // Its hour is over at the issuer: the server refuses it, once.
    assert!(call(&client).await.result().is_some());
    assert!(call(&client).await.result().is_some());
    let counts = world.company.idp.counts();
    assert_eq!((counts.refreshes, counts.codes_redeemed, world.browser.windows()), (1, 1, 1));
}
