//! What lasts of a sign-in: whose it is, what ends it, and what does not.

use std::time::Duration;

use keybearer_control::snapshot::{Because, SignIn, Snapshot};
use keybearer_control::wire::Reply;
use keybearer_core::ports::KeyStoreError;
use keybearer_testkit::follow::Conduct;
use keybearer_testkit::idp::{IdTokens, IssParameter};
use keybearer_testkit::world::World;
use serde_json::json;

use super::{SIGN_IN_NEEDED, crm};

const HOUR: Duration = Duration::from_secs(3601);

#[tokio::test(flavor = "multi_thread")]
async fn sec_30_somebody_else_does_not_take_a_sign_in_over_without_signing_out_first() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    let mia = world.company.idp.add_account("mia", "Mia Park", "mia@example.com").unwrap();
    world.browser.sit_down(mia);
    let error = world.login("crm").await.unwrap_err();
    assert!(error.message.contains("mia@example.com") && error.message.contains("dana@example.com"), "{error:?}");
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("keybearer logout crm")), "{error:?}");
    let SignIn::Needed { because: Because::AccountChanged { before, now } } = crm(&world).await else {
        panic!("{:?}", crm(&world).await)
    };
    assert_eq!((before.as_str(), now.as_str()), ("dana@example.com", "mia@example.com"));

    world.clock.advance(HOUR);
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    let snapshot = world.status().await;
    let server = snapshot.servers.iter().find(|server| server.name == "crm").unwrap();
    assert_eq!(server.account.as_deref(), Some("dana@example.com"), "the old sign-in goes on");
    assert_eq!((world.company.idp.counts().refreshes, world.company.idp.counts().replays), (1, 0));
    world.company.idp.until(|counts| counts.revocations == 1).await.unwrap();

    world.logout("crm").await.unwrap();
    world.login("crm").await.unwrap();
    let snapshot = world.status().await;
    let server = snapshot.servers.iter().find(|server| server.name == "crm").unwrap();
    assert_eq!(server.account.as_deref(), Some("mia@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_32_a_sign_in_that_ends_at_any_step_leaves_the_old_one_as_it_was() {
    type Turn = fn(&World);
    let steps: [(&str, Turn); 4] = [
        ("consent", |world| world.browser.conduct(Conduct::SignsInAndDenies)),
        ("the way back", |world| _ = world.company.idp.iss(IssParameter::Foreign)),
        ("the code", |world| _ = world.company.idp.fail_next(500)),
        ("the proof", |world| _ = world.company.idp.sign_id_tokens(IdTokens::ForeignKey)),
    ];
    for (step, turn) in steps {
        let world = World::that_allows_all().await;
        let client = world.client("chat-app").await;
        world.login("crm").await.unwrap();
        let kept = world.keys.names();
        turn(&world);
        assert!(world.login("crm").await.is_err(), "{step}");
        assert_eq!(world.keys.names(), kept, "{step}");
        world.clock.advance(HOUR);
        let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
        assert!(answer.result().is_some(), "{step}: {answer:?}");
        assert_eq!(crm(&world).await, SignIn::SignedIn { saved: true }, "{step}");
        assert_eq!((world.company.idp.counts().refreshes, world.company.idp.counts().replays), (1, 0), "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_43_a_renewal_whose_answer_is_lost_is_told_as_interrupted_also_after_a_restart() {
    let mut world = World::that_allows_all().await;
    world.login("crm").await.unwrap();
    world.browser.conduct(Conduct::SignsInAndDenies);
    world.clock.advance(HOUR);
    world.company.idp.lose_next_reply();
    let answer = world.client("chat-app").await.call("crm", "get_account", json!({ "id": "A-1002" })).await;
    assert_eq!(answer.code(), Some(SIGN_IN_NEEDED), "{answer:?}");
    assert!(world.keys.names().is_empty());
    world.restart().await;
    world
        .until(|snapshot| snapshot.servers.iter().any(|server| server.name == "crm" && is_interrupted(&server.state)))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_28_servers_of_one_issuer_are_signed_in_one_after_another_and_share_the_client() {
    let world = World::that_allows_all().await;
    world.browser.hold();
    let (crm, wiki) = (world.login("crm"), world.login("wiki"));
    let both = async { tokio::join!(crm, wiki) };
    tokio::pin!(both);
    for _ in 0..20 {
        tokio::select! {
            ended = &mut both => panic!("nobody has signed in yet: {ended:?}"),
            _ = world.status() => {}
        }
    }
    tokio::select! {
        ended = &mut both => panic!("nobody has signed in yet: {ended:?}"),
        () = world.browser.until_windows(1) => {}
    }
    assert_eq!(world.browser.windows(), 1, "two windows at one issuer");
    world.browser.release();
    let (crm, wiki) = both.await;
    assert!(crm.is_ok() && wiki.is_ok());
    assert_eq!((world.browser.windows(), world.company.idp.counts().registrations), (2, 1));

    let snapshot = world.status().await;
    let server = snapshot.servers.iter().find(|server| server.name == "wiki").unwrap();
    assert_eq!(server.shares_with, ["crm"]);
    let reply = world.logout("crm").await.unwrap();
    assert!(matches!(&reply, Reply::SignedOut { with, .. } if *with == ["wiki"]), "{reply:?}");
    assert!(world.keys.names().is_empty());
}

fn is_interrupted(state: &SignIn) -> bool {
    matches!(state, SignIn::Needed { because: Because::Interrupted { .. } })
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_43_within_its_grace_an_issuer_is_asked_again_and_nobody_notices() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.company.idp.rotation_grace(Duration::from_secs(10));
    world.login("crm").await.unwrap();
    world.clock.advance(HOUR);
    world.company.idp.lose_next_reply();
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    assert_eq!((world.company.idp.counts().replays, world.browser.windows()), (0, 1));
    assert_eq!(crm(&world).await, SignIn::SignedIn { saved: true });
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_40_a_renewal_that_was_not_saved_is_kept_by_and_by() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    world.clock.advance(HOUR);
    for _ in 0..2 {
        world.keys.fail_next(KeyStoreError::Failed("full".into()));
    }
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    let saved = SignIn::SignedIn { saved: true };
    world.until(|snapshot| snapshot.servers.iter().any(|server| server.name == "crm" && server.state == saved)).await;
    assert_eq!(world.keys.names().len(), 1, "what was replaced is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_26_a_server_that_moved_to_another_address_gets_no_bearer_of_before() {
    let world = World::that_allows_all().await;
    world.login("crm").await.unwrap();
    let moved = world.config("[[rules]]\neffect = \"allow\"\n").replace(world.company.crm.url(), &world.upstream.url());
    world.write_config(&moved);
    let snapshot = world.status().await;
    let server = snapshot.servers.iter().find(|server| server.name == "crm").unwrap();
    assert_eq!((&server.state, &server.account), (&SignIn::Unknown, &None));
    world.upstream.will(keybearer_testkit::upstream::Reply::bearer_refused());
    let client = world.client("chat-app").await;
    world.browser.conduct(Conduct::SignsInAndDenies);
    client.call("crm", "get_account", json!({})).await;
    let sent = world.upstream.requests();
    assert!(!sent.is_empty() && sent.iter().all(|request| !request.mentions("Bearer ")), "a bearer went along");
}

/// A company whose issuer gives bearers for every server with one refresh token, and whose settings say so.
async fn reaching_company() -> World {
    let world = World::that_allows_all().await;
    world.company.idp.reach_every_server();
    let text = world.config("[[rules]]\neffect = \"allow\"\n");
    world.write_config(&text.replace("/mcp\"\n", "/mcp\"\nrefresh_reach = \"every_server\"\n"));
    world.status().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_28_where_a_refresh_token_reaches_every_server_one_page_serves_them_all() {
    let mut world = reaching_company().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    let query = json!({ "query": "travel" });
    let answer = client.call("wiki", "search", query.clone()).await;
    assert!(answer.result().is_some(), "its bearer is for the wiki alone: {answer:?}");
    let counts = world.company.idp.counts();
    assert_eq!((world.browser.windows(), counts.codes_redeemed, counts.refreshes), (1, 1, 1));
    let wiki = |snapshot: Snapshot| snapshot.servers.into_iter().find(|server| server.name == "wiki").unwrap();
    let known = wiki(world.status().await);
    assert_eq!((known.account.as_deref(), known.shares_with), (Some("dana@example.com"), vec!["crm".to_owned()]));

    // Both are renewed with the one token, one after the other, also by the next core.
    for app in ["an-app", "an-app-of-the-next-core"] {
        let client = world.client(app).await;
        world.clock.advance(HOUR);
        let get_account = client.call("crm", "get_account", json!({ "id": "A-1002" }));
        let (crm, wiki) = tokio::join!(get_account, client.call("wiki", "search", query.clone()));
        assert!(crm.result().is_some() && wiki.result().is_some(), "{app}: {crm:?} {wiki:?}");
        world.restart().await;
    }
    let counts = world.company.idp.counts();
    assert_eq!((counts.refreshes, counts.replays, counts.codes_redeemed, world.browser.windows()), (5, 0, 1, 1));
    let Reply::SignedOut { with, .. } = world.logout("wiki").await.unwrap() else { panic!("not signed out") };
    assert_eq!(with, ["crm"], "and it ends for both");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_44_an_issuer_that_gives_another_server_nothing_ends_no_sign_in() {
    // What issuers say where the person has to agree first, or to prove more; and where they do not know that server.
    for code in ["invalid_grant", "interaction_required", "invalid_target"] {
        let world = reaching_company().await;
        let client = world.client("chat-app").await;
        world.login("crm").await.unwrap();
        world.company.idp.reject_next_refresh(code);
        let answer = client.call("wiki", "search", json!({ "query": "travel" })).await;
        assert!(answer.result().is_some(), "{code}: {answer:?}");
        assert_eq!(world.browser.windows(), 2, "{code}: the wiki has a page of its own");
        world.clock.advance(HOUR);
        assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some(), "{code}");
        let counts = world.company.idp.counts();
        assert_eq!((counts.refreshes, counts.replays, world.browser.windows()), (1, 0, 2), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refresh_token_is_tried_out_for_another_server() {
    let world = World::that_allows_all().await;
    world.company.idp.reach_every_server();
    world.login("crm").await.unwrap();
    world.login("wiki").await.unwrap();
    let counts = world.company.idp.counts();
    assert_eq!((world.browser.windows(), counts.codes_redeemed, counts.refreshes), (2, 2, 0));
}
