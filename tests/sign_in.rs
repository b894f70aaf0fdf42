//! Signing in, staying signed in, signing out: what a call needs, and what may not happen on the way.
#![expect(clippy::expect_used, reason = "a story ends where its world is not as it must be")]

#[path = "sign_in/grants.rs"]
mod grants;

use std::sync::Arc;
use std::time::Duration;

use keybearer_control::error::Code;
use keybearer_control::snapshot::{KeyStore, SignIn};
use keybearer_control::wire::{Reply, Request, Revocation};
use keybearer_core::custody::Custody;
use keybearer_core::ports::KeyStoreError;
use keybearer_model::grant::{Grant, GrantFacts};
use keybearer_model::name::GrantId;
use keybearer_model::secret::Secret;
use keybearer_stories::together::join_all;
use keybearer_testkit::follow::Conduct;
use keybearer_testkit::idp::{IdTokens, IssParameter, RefreshTokens};
use keybearer_testkit::ports::MemoryKeyStore;
use keybearer_testkit::upstream::{FakeUpstream, Reply as Answer};
use keybearer_testkit::world::World;
use serde_json::json;

const SIGN_IN_NEEDED: i64 = -31_001;
const ISSUER_UNAVAILABLE: i64 = -31_008;
const SIGN_IN_REFUSED: i64 = -31_007;

/// Where the CRM's sign-in stands.
async fn crm(world: &World) -> SignIn {
    let servers = world.status().await.servers;
    servers.into_iter().find(|server| server.name == "crm").expect("a CRM").state
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_21_what_is_secret_follows_no_redirect() {
    let world = World::that_allows_all().await;
    let elsewhere = FakeUpstream::open().await.unwrap();
    let own = format!("{}/elsewhere", world.company.idp.issuer());
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    for status in [301, 302, 303, 307, 308] {
        for to in [elsewhere.url(), own.clone()] {
            world.company.idp.redirect(status, &to);
            // The registration of a new client, the renewal of a bearer, and nobody is signed out for it.
            let refused = world.login("wiki").await.unwrap_err();
            assert_eq!(refused.code, Code::SignInFailed, "{status} to {to}: {refused}");
            world.clock.advance(Duration::from_secs(3601));
            let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
            assert_eq!(answer.code(), Some(ISSUER_UNAVAILABLE), "{status} to {to}");
        }
    }
    let signed_out = world.logout("crm").await.unwrap();
    let Reply::SignedOut { revocation: Revocation::Failed { .. }, .. } = signed_out else { panic!("{signed_out:?}") };
    assert_eq!(elsewhere.requests().len(), 0, "something went to where a redirect led");
    assert_eq!((world.company.idp.counts().refreshes, world.company.idp.counts().revocations), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_28_fifty_calls_that_need_it_open_one_sign_in() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.browser.hold();
    let calls = (0..50).map(|_| client.call("crm", "get_account", json!({ "id": "A-1002" })));
    let released = async {
        world.browser.until_windows(1).await;
        world.browser.release();
    };
    let (answers, ()) = tokio::join!(join_all(calls), released);
    assert!(answers.iter().all(|answer| answer.result().is_some()), "{:?}", answers.first());
    let counts = world.company.idp.counts();
    assert_eq!((world.browser.windows(), counts.sign_ins, counts.codes_redeemed), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_calls_after_expiry_make_one_renewal() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    world.clock.advance(Duration::from_secs(3601));
    let answers = join_all((0..50).map(|_| client.call("crm", "get_account", json!({ "id": "A-1002" })))).await;
    assert!(answers.iter().all(|answer| answer.result().is_some()));
    let counts = world.company.idp.counts();
    assert_eq!((counts.refreshes, counts.replays, world.browser.windows()), (1, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_is_renewed_before_it_ends_while_it_still_serves() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    world.clock.advance(Duration::from_secs(3600 - 50));
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    world.company.idp.until(|counts| counts.refreshes == 1).await.unwrap();
    assert_eq!(world.company.crm.refused(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_that_the_server_refuses_is_renewed_and_the_call_goes_again() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    world.company.idp.end_access_tokens();
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    assert_eq!((world.company.idp.counts().refreshes, world.browser.windows()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_fresh_bearers_opens_no_sign_in_after_sign_in() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("raw").await.unwrap();
    for _ in 0..4 {
        world.upstream.will(Answer::bearer_refused());
    }
    let answer = client.call("raw", "get_account", json!({})).await;
    assert_eq!(answer.code(), Some(SIGN_IN_REFUSED), "{answer:?}");
    assert_eq!(world.browser.windows(), 1);
    let snapshot = world.status().await;
    let raw = snapshot.servers.iter().find(|server| server.name == "raw").unwrap();
    assert!(matches!(raw.state, SignIn::Refused { .. }), "{raw:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_that_ends_soon_after_it_was_taken_is_renewed_like_any_other() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    for renewals in 1..=3 {
        assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
        world.company.idp.end_access_tokens();
        assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
        assert_eq!((world.company.idp.counts().refreshes, world.browser.windows()), (renewals, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_a_bearer_and_then_refuses_it_causes_no_renewal_after_renewal() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("raw").await.unwrap();
    client.tools("raw").await;
    world.upstream.will(Answer::bearer_refused());
    for _ in 0..4 {
        world.upstream.will(Answer::bearer_refused());
        let answer = client.call("raw", "get_account", json!({})).await;
        assert_eq!(answer.code(), Some(SIGN_IN_REFUSED), "{answer:?}");
        assert!(client.at("raw").list_tools().await.unwrap().code().is_none(), "it takes the bearer for this");
    }
    assert_eq!((world.company.idp.counts().refreshes, world.browser.windows()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_40_no_bearer_is_released_before_its_grant_is_stored() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    world.clock.advance(Duration::from_secs(3601));
    let before = world.company.crm.requests();
    let replies = world.company.idp.hold_token_replies();
    let mut call = std::pin::pin!(client.call("crm", "get_account", json!({ "id": "A-1002" })));
    let asked = world.company.idp.counts().token_requests;
    let stored = async {
        // The key store slows down while the issuer is being asked.
        world.company.idp.until(|counts| counts.token_requests > asked).await.unwrap();
        let (held, calls) = (world.keys.hold(), world.keys.calls());
        drop(replies);
        world.company.idp.until(|counts| counts.refreshes == 1).await.unwrap();
        world.keys.until_calls(calls + 1).await;
        held
    };
    let held = tokio::select! {
        answer = &mut call => panic!("an answer before the grant was stored: {answer:?}"),
        held = stored => held,
    };
    // A bearer that was released too early would reach the server while the core does all this.
    for _ in 0..20 {
        tokio::select! {
            answer = &mut call => panic!("an answer before the grant was stored: {answer:?}"),
            _ = world.status() => {}
        }
    }
    assert_eq!((world.company.idp.counts().refreshes, world.company.crm.requests()), (1, before));
    drop(held);
    assert!(call.await.result().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_40_a_keychain_that_fails_keeps_nobody_from_working_and_it_says_not_saved() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.keys.fail_next(KeyStoreError::Failed("full".into()));
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    assert_eq!(crm(&world).await, SignIn::SignedIn { saved: false });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_its_issuer_ended_leads_to_a_new_sign_in() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    world.company.idp.revoke_everything();
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    let counts = world.company.idp.counts();
    assert_eq!((counts.sign_ins, world.browser.windows(), world.keys.names().len()), (2, 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_45_an_issuer_that_stumbles_signs_nobody_out() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    for status in [500, 503, 429] {
        world.clock.advance(Duration::from_secs(3601));
        world.company.idp.fail_next(status);
        let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
        assert_eq!(answer.code(), Some(ISSUER_UNAVAILABLE), "{status}: {answer:?}");
        assert!(matches!(crm(&world).await, SignIn::Unreachable { .. }));
        assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
        assert_eq!(crm(&world).await, SignIn::SignedIn { saved: true });
    }
    assert_eq!(world.browser.windows(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_comes_back_tries_again_what_waited_for_the_issuer() {
    let mut world = World::that_allows_all().await;
    // Nobody asks an issuer again before its wait is over.
    world.chance = Arc::new(|| 1.0);
    world.restart().await;
    let client = world.client("chat-app").await;
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    world.clock.advance(Duration::from_secs(3601));
    world.company.idp.fail_next(503);
    for _ in 0..3 {
        let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
        assert_eq!(answer.code(), Some(ISSUER_UNAVAILABLE), "{answer:?}");
    }
    let asked = world.company.idp.counts().token_requests;
    assert!(matches!(world.ask(Request::ComeBack).await, Ok(Reply::Done)));
    world.until(|snapshot| snapshot.servers.iter().any(|crm| crm.state == SignIn::SignedIn { saved: true })).await;
    let counts = world.company.idp.counts();
    assert_eq!((counts.token_requests, counts.refreshes, world.browser.windows()), (asked + 1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_declined_ends_in_words_and_opens_no_window_after_window() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.browser.conduct(Conduct::SignsInAndDenies);
    for _ in 0..3 {
        let answer = client.at("crm").list_tools().await.unwrap();
        assert_eq!(answer.code(), Some(SIGN_IN_NEEDED), "{answer:?}");
    }
    assert_eq!(world.browser.windows(), 1);
    assert!(matches!(crm(&world).await, SignIn::Needed { .. }));
    world.browser.conduct(Conduct::SignsInAndAllows);
    world.login("crm").await.unwrap();
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_23_a_callback_of_a_stranger_changes_nothing() {
    let world = World::that_allows_all().await;
    for stray in ["state=guess&code=stolen", "error=access_denied", "code=stolen", "", "state=&code="] {
        world.browser.stray_callback(stray);
    }
    let reply = world.login("crm").await.unwrap();
    assert!(matches!(reply, Reply::Server { .. }), "{reply:?}");
    assert_eq!(world.company.idp.counts().codes_redeemed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_24_an_answer_of_another_issuer_is_refused() {
    for behaviour in [IssParameter::Foreign, IssParameter::Missing] {
        let world = World::that_allows_all().await;
        world.company.idp.iss(behaviour);
        let error = world.login("crm").await.unwrap_err();
        assert_eq!(world.company.idp.counts().codes_redeemed, 0, "{behaviour:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_that_proves_nothing_ends_the_sign_in() {
    for behaviour in [IdTokens::ForeignNonce, IdTokens::ForeignAudience, IdTokens::ForeignKey] {
        let world = World::that_allows_all().await;
        world.company.idp.sign_id_tokens(behaviour);
        assert!(world.login("crm").await.is_err(), "{behaviour:?}");
        assert!(world.keys.names().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_22_an_issuer_without_s256_is_refused_before_anybody_signs_in() {
    let world = World::that_allows_all().await;
    world.company.idp.without_s256();
    let error = world.login("crm").await.unwrap_err();
    assert!(error.message.contains("PKCE") || error.hint.is_some(), "{error:?}");
    assert_eq!(world.browser.windows(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_without_registration_leaves_a_word_for_it() {
    let world = World::that_allows_all().await;
    world.company.idp.without_registration();
    let error = world.login("crm").await.unwrap_err();
    assert!(error.hint.is_some_and(|hint| hint.contains("client")), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_refresh_token_the_next_sign_in_comes_when_the_bearer_ends() {
    let world = World::that_allows_all().await;
    world.company.idp.refresh_tokens(RefreshTokens::Never);
    let client = world.client("chat-app").await;
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    assert_eq!(crm(&world).await, SignIn::SignedIn { saved: false });
    world.clock.advance(Duration::from_secs(3601));
    assert!(client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some());
    assert_eq!(world.browser.windows(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_48_signing_out_revokes_and_wipes_and_no_call_signs_in_again() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    let reply = world.logout("crm").await.unwrap();
    assert!(matches!(reply, Reply::SignedOut { revocation: Revocation::Revoked, .. }), "{reply:?}");
    assert!(world.keys.names().is_empty());
    let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
    assert_eq!((answer.code(), world.browser.windows()), (Some(SIGN_IN_NEEDED), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_48_signing_out_works_when_the_issuer_does_not() {
    let world = World::that_allows_all().await;
    world.login("crm").await.unwrap();
    world.company.idp.without_revocation();
    let reply = world.logout("crm").await.unwrap();
    assert!(matches!(reply, Reply::SignedOut { revocation: Revocation::Failed { .. }, .. }), "{reply:?}");
    assert!(world.keys.names().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_47_setting_the_clock_ends_no_bearer() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    world.login("crm").await.unwrap();
    world.clock.set_wall_forward(Duration::from_secs(365 * 86_400));
    client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
    assert!(world.company.idp.counts().refreshes <= 1);
    assert_eq!(world.browser.windows(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_says_where_sign_ins_are_kept_and_who_is_signed_in() {
    let world = World::that_allows_all().await;
    world.login("crm").await.unwrap();
    let snapshot = world.status().await;
    let crm = snapshot.servers.iter().find(|server| server.name == "crm").unwrap();
    assert_eq!((snapshot.key_store, &crm.state), (KeyStore::System, &SignIn::SignedIn { saved: true }));
    assert!(crm.account.as_deref().is_some_and(|account| account.contains('@')), "{crm:?}");
}

#[tokio::test]
async fn sec_44_a_newer_grant_is_not_deleted_for_an_older_one() {
    let keys = Arc::new(MemoryKeyStore::default());
    let custody = Custody::new(Arc::clone(&keys) as _, "home", "machine");
    let facts: GrantFacts = serde_json::from_value(json!({
        "id": GrantId::derive("https://idp.test", "app", "dana", "https://crm.test/mcp"),
        "issuer": "https://idp.test",
        "token_endpoint": "https://idp.test/token",
        "revocation_endpoint": null,
        "client_id": "app",
        "client_auth": "none",
        "resource": null,
        "scopes": [],
        "account": {},
        "signed_in_at": 0,
    }))
    .expect("a grant's public parts");
    let refresh_token = Some(Secret::mint("cAnArY-").expect("randomness"));
    let mut newer = Grant { facts, client_secret: None, refresh_token, generation: 2 };
    custody.put_grant(&mut newer).await.unwrap();
    custody.delete_grant(&newer.facts.id, 1).await.unwrap();
    let kept = custody.grant(&newer.facts.id).await.unwrap().expect("the newer grant");
    assert_eq!(kept.generation, 2);
    custody.delete_grant(&newer.facts.id, 2).await.unwrap();
    assert!(custody.grant(&newer.facts.id).await.unwrap().is_none());
}
