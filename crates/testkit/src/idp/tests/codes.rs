//! Codes are redeemed once, by the client, the verifier, the way back and the resource that they were made for.

use std::time::Duration;

use super::app::{App, text};
use crate::CANARY;
use crate::idp::BadToken;

async fn refused_with(bent: &[(&str, &str)], want: &str) {
    let app = App::registered().await;
    let (status, answer) = app.redeem(&app.code().await, bent).await;
    assert_eq!((status, text(&answer, "error")), (400, want), "{bent:?} gave {answer}");
    assert_eq!(app.idp.counts().codes_redeemed, 0);
}

#[tokio::test]
async fn a_code_gives_tokens_that_are_good_for_its_resource_alone() {
    let app = App::registered().await;
    let tokens = app.tokens().await;
    for name in ["access_token", "refresh_token"] {
        assert!(text(&tokens, name).contains(CANARY));
    }
    let facts = app.verifier.judge(text(&tokens, "access_token")).unwrap();
    assert_eq!((facts.user.as_str(), facts.client_id.as_str()), ("dana", app.client_id.as_str()));
    let other = app.idp.protect("http://127.0.0.1:2/mcp", &[]);
    assert_eq!(other.judge(text(&tokens, "access_token")), Err(BadToken::WrongAudience));
    assert_eq!(app.verifier.judge("at_unknown"), Err(BadToken::Unknown));
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_everything_that_came_from_it() {
    let app = App::registered().await;
    let code = app.code().await;
    let (_, tokens) = app.redeem(&code, &[]).await;
    let (status, answer) = app.redeem(&code, &[]).await;
    assert_eq!((status, text(&answer, "error")), (400, "invalid_grant"));
    assert_eq!(app.verifier.judge(text(&tokens, "access_token")), Err(BadToken::Revoked));
    let (status, answer) = app.refresh(text(&tokens, "refresh_token"), &[]).await;
    assert_eq!((status, text(&answer, "error")), (400, "invalid_grant"));
    assert_eq!(app.idp.counts().replays, 1);
}

#[tokio::test]
async fn what_was_authorized_cannot_be_changed_on_the_way() {
    refused_with(&[("code_verifier", "")], "invalid_request").await;
    refused_with(&[("code_verifier", "short")], "invalid_request").await;
    refused_with(&[("code_verifier", &"x".repeat(64))], "invalid_grant").await;
    refused_with(&[("redirect_uri", "http://127.0.0.1:10/callback")], "invalid_grant").await;
    refused_with(&[("redirect_uri", "")], "invalid_request").await;
    refused_with(&[("resource", "")], "invalid_target").await;
    refused_with(&[("resource", "http://127.0.0.1:1/mcp/")], "invalid_target").await;
    refused_with(&[("code", "code_unknown")], "invalid_grant").await;
    refused_with(&[("grant_type", "password")], "unsupported_grant_type").await;
}

#[tokio::test]
async fn a_code_ends_after_a_minute() {
    let app = App::registered().await;
    let code = app.code().await;
    app.clock.advance(Duration::from_secs(60));
    let (status, answer) = app.redeem(&code, &[]).await;
    assert_eq!((status, text(&answer, "error")), (400, "invalid_grant"));
}

#[tokio::test]
async fn clients_authenticate_in_the_one_way_that_they_registered() {
    let app = App::registered().await;
    let code = app.code().await;
    let (status, answer) = app.redeem(&code, &[("client_secret", "invented")]).await;
    assert_eq!((status, text(&answer, "error")), (401, "invalid_client"));
    let (status, answer) = app.redeem(&code, &[("client_id", "client-unknown")]).await;
    assert_eq!((status, text(&answer, "error")), (401, "invalid_client"));
    app.idp.pre_register("by-hand", super::app::REDIRECT).unwrap();
    let (status, answer) = app.redeem(&code, &[("client_id", "by-hand")]).await;
    assert_eq!((status, text(&answer, "error")), (401, "invalid_client"), "it registered for HTTP Basic");
    let (status, _) = app.redeem(&code, &[]).await;
    assert_eq!(status, 200, "none of that used the code up");
}

#[tokio::test]
async fn a_request_that_is_no_form_or_carries_secrets_in_its_address_is_refused() {
    let app = App::registered().await;
    let (status, answer) = app.post("token?client_id=x", &[("grant_type", "refresh_token")]).await;
    assert_eq!((status, text(&answer, "error")), (400, "invalid_request"));
    let (status, answer) = app.post("token", &[("client_id", "a"), ("client_id", "b")]).await;
    assert_eq!((status, text(&answer, "error")), (400, "invalid_request"));
}
