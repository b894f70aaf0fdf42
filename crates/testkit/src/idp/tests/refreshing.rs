//! Renewal, rotation, replay, revocation, and the dials about them.

use std::time::Duration;

use super::app::{App, RESOURCE, text};
use crate::idp::{BadToken, RefreshTokens};

#[tokio::test]
async fn a_refresh_rotates_and_its_replay_ends_the_family() {
    let app = App::registered().await;
    let first = app.tokens().await;
    let (status, second) = app.refresh(text(&first, "refresh_token"), &[]).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(text(&first, "refresh_token"), text(&second, "refresh_token"));
    let (status, answer) = app.refresh(text(&first, "refresh_token"), &[]).await;
    assert_eq!((status, text(&answer, "error")), (400, "invalid_grant"));
    let (status, _) = app.refresh(text(&second, "refresh_token"), &[]).await;
    assert_eq!(status, 400, "the replay ended the newer token, too");
    assert_eq!(app.verifier.judge(text(&second, "access_token")), Err(BadToken::Revoked));
}

#[tokio::test]
async fn within_the_grace_a_lost_reply_can_be_asked_for_again() {
    let app = App::registered().await;
    app.idp.rotation_grace(Duration::from_secs(30));
    let tokens = app.tokens().await;
    let old = text(&tokens, "refresh_token");
    app.idp.lose_next_reply();
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", &*app.client_id),
        ("refresh_token", old),
        ("resource", RESOURCE),
    ];
    let address = format!("{}/token", app.idp.issuer());
    let lost = crate::http1::fetch(crate::http1::post_form(&address, &fields).unwrap()).await;
    assert!(lost.is_err() && app.idp.counts().refreshes == 1, "it took effect, and the reply broke off");
    app.clock.advance(Duration::from_secs(29));
    assert_eq!(app.refresh(old, &[]).await.0, 200);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.refresh(old, &[]).await.0, 400);
}

#[tokio::test]
async fn a_refresh_is_for_the_same_resource_and_no_more_scopes() {
    let app = App::registered().await;
    app.idp.rotate(false);
    let tokens = app.tokens().await;
    let token = text(&tokens, "refresh_token");
    for (bent, want) in [
        (("resource", ""), "invalid_target"),
        (("resource", "http://127.0.0.1:1/"), "invalid_target"),
        (("scope", "crm:read profile"), "invalid_scope"),
        (("refresh_token", "rt_unknown"), "invalid_grant"),
    ] {
        let (status, answer) = app.refresh(token, &[bent]).await;
        assert_eq!((status, text(&answer, "error")), (400, want), "{bent:?}");
    }
    let (status, answer) = app.refresh(token, &[("scope", "crm:read")]).await;
    assert_eq!((status, text(&answer, "scope")), (200, "crm:read"));
    assert!(answer["refresh_token"].is_null(), "it does not rotate");
}

#[tokio::test]
async fn access_tokens_end_by_the_clock_and_by_the_dial() {
    let app = App::registered().await;
    app.idp.token_lifetime(Duration::from_secs(120));
    let tokens = app.tokens().await;
    assert_eq!(tokens["expires_in"], 120);
    app.clock.advance(Duration::from_secs(119));
    assert!(app.verifier.judge(text(&tokens, "access_token")).is_ok());
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.verifier.judge(text(&tokens, "access_token")), Err(BadToken::Expired));
    let (_, renewed) = app.refresh(text(&tokens, "refresh_token"), &[]).await;
    app.idp.end_access_tokens();
    assert_eq!(app.verifier.judge(text(&renewed, "access_token")), Err(BadToken::Expired));
}

#[tokio::test]
async fn the_next_refresh_can_be_refused_and_the_next_answer_can_fail() {
    let app = App::registered().await;
    let tokens = app.tokens().await;
    let token = text(&tokens, "refresh_token");
    app.idp.reject_next_refresh("invalid_grant").fail_next(503);
    assert_eq!(app.refresh(token, &[]).await.0, 503);
    let (status, answer) = app.refresh(token, &[]).await;
    assert_eq!((status, text(&answer, "error")), (400, "invalid_grant"));
    assert_eq!(app.refresh(token, &[]).await.0, 200);
    assert_eq!((app.idp.counts().refreshes, app.idp.counts().token_requests), (1, 4));
}

#[tokio::test]
async fn held_replies_show_how_many_wait() {
    let app = App::registered().await;
    app.idp.rotate(false);
    let tokens = app.tokens().await;
    let held = app.idp.hold_token_replies();
    let one = app.refresh(text(&tokens, "refresh_token"), &[]);
    let two = app.refresh(text(&tokens, "refresh_token"), &[]);
    let watch = async {
        held.until_waiting(2).await.unwrap();
        assert_eq!(app.idp.counts().refreshes, 0);
        held.release();
    };
    let (one, two, ()) = tokio::join!(one, two, watch);
    assert_eq!((one.0, two.0, app.idp.counts().refreshes), (200, 200, 2));
}

#[tokio::test]
async fn revoking_a_refresh_token_ends_its_family_for_its_own_client_alone() {
    let app = App::registered().await;
    let tokens = app.tokens().await;
    let fields = [("client_id", app.client_id.as_str()), ("token", text(&tokens, "refresh_token"))];
    app.idp.pre_register("by-hand", super::app::REDIRECT).unwrap();
    assert_eq!(app.post("revoke", &[("client_id", "by-hand"), fields[1]]).await.0, 401);
    assert!(app.verifier.judge(text(&tokens, "access_token")).is_ok());
    assert_eq!(app.post("revoke", &fields).await.0, 200);
    assert_eq!(app.verifier.judge(text(&tokens, "access_token")), Err(BadToken::Revoked));
    assert_eq!(app.refresh(text(&tokens, "refresh_token"), &[]).await.0, 400);
    assert_eq!(app.post("revoke", &fields).await.0, 200, "an ended token is as good as revoked");
    assert_eq!(app.idp.counts().revocations, 1);
}

#[tokio::test]
async fn refresh_tokens_come_as_the_dial_says() {
    let app = App::registered().await;
    app.idp.refresh_tokens(RefreshTokens::WithOfflineAccess);
    assert!(app.tokens().await["refresh_token"].is_null());
    app.idp.refresh_tokens(RefreshTokens::ToWhoeverRegistered);
    assert!(app.tokens().await["refresh_token"].is_string());
}
