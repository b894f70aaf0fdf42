//! The authorization endpoint and its pages.

use super::app::{App, REDIRECT};
use crate::follow::{Conduct, Lost};

async fn refused_with(bent: &[(&str, &str)], want: &str) {
    let app = App::registered().await;
    let pairs = app.sign_in(bent, Conduct::SignsInAndAllows).await.unwrap();
    let has = |name: &str, value: &str| pairs.iter().any(|(n, v)| n == name && v == value);
    assert!(has("error", want), "{bent:?} gave {pairs:?}");
    assert!(has("state", "st") && has("iss", app.idp.issuer()), "{pairs:?}");
    assert_eq!(app.idp.counts().logins_shown, 0);
}

#[tokio::test]
async fn a_request_without_pkce_is_refused() {
    refused_with(&[("code_challenge", "")], "invalid_request").await;
    refused_with(&[("code_challenge_method", "plain")], "invalid_request").await;
    refused_with(&[("code_challenge_method", "")], "invalid_request").await;
    refused_with(&[("code_challenge", "too-short")], "invalid_request").await;
}

#[tokio::test]
async fn a_request_for_no_resource_or_an_unknown_one_is_refused() {
    refused_with(&[("resource", "")], "invalid_target").await;
    refused_with(&[("resource", "http://127.0.0.1:1/mcp/")], "invalid_target").await;
}

#[tokio::test]
async fn other_response_types_and_scopes_are_refused() {
    refused_with(&[("response_type", "token")], "unsupported_response_type").await;
    refused_with(&[("scope", "openid everything")], "invalid_scope").await;
}

async fn told_on_the_page(bent: &[(&str, &str)]) {
    let app = App::registered().await;
    match app.sign_in(bent, Conduct::SignsInAndAllows).await {
        Err(Lost::Stopped { status, .. }) => assert_eq!(status.as_u16(), 400),
        other => panic!("{bent:?} gave {other:?}"),
    }
}

#[tokio::test]
async fn nobody_is_sent_to_a_way_back_that_was_not_registered() {
    told_on_the_page(&[("redirect_uri", "http://127.0.0.1:9/other")]).await;
    told_on_the_page(&[("redirect_uri", "http://127.0.0.1.evil.test/callback")]).await;
    told_on_the_page(&[("redirect_uri", "http://localhost:9/callback")]).await;
    told_on_the_page(&[("client_id", "client-unknown")]).await;
    told_on_the_page(&[("redirect_uri", "")]).await;
}

#[tokio::test]
async fn a_mistyped_password_shows_the_page_again() {
    let app = App::registered().await;
    let pairs = app.sign_in(&[], Conduct::MistypesOnce).await.unwrap();
    assert!(pairs.iter().any(|(name, value)| name == "code" && value.contains(crate::CANARY)), "{pairs:?}");
    let counts = app.idp.counts();
    assert_eq!((counts.logins_shown, counts.sign_ins, counts.consents_shown), (2, 1, 1));
}

#[tokio::test]
async fn a_person_can_say_no() {
    let app = App::registered().await;
    let pairs = app.sign_in(&[], Conduct::SignsInAndDenies).await.unwrap();
    assert!(pairs.contains(&("error".to_owned(), "access_denied".to_owned())), "{pairs:?}");
}

#[tokio::test]
async fn a_consent_without_a_sign_in_gives_no_code() {
    let app = App::registered().await;
    let page = crate::http1::fetch(crate::http1::get(&app.authorization(&[])).unwrap()).await.unwrap();
    let page = String::from_utf8(page.into_body()).unwrap();
    let ticket = page.split_once("name=\"ticket\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let (status, _) = app.post("consent", &[("ticket", ticket), ("decision", "allow")]).await;
    assert_eq!(status, 400);
    assert!(!page.contains(REDIRECT));
}
