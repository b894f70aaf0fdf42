//! What the issuer says of itself, who may register, and whether its signatures hold.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use super::app::{App, RESOURCE, text};
use crate::follow::Conduct;
use crate::http1;
use crate::idp::{IdTokens, IssParameter};

async fn document(app: &App, path: &str) -> Value {
    let reply = http1::fetch(http1::get(&format!("{}/{path}", app.idp.issuer())).unwrap()).await.unwrap();
    serde_json::from_slice(reply.body()).unwrap()
}

#[tokio::test]
async fn metadata_follow_the_dials() {
    let app = App::registered().await;
    let sound = document(&app, ".well-known/oauth-authorization-server").await;
    assert_eq!(sound, document(&app, ".well-known/openid-configuration").await);
    assert_eq!(text(&sound, "issuer"), app.idp.issuer());
    assert_eq!(sound["code_challenge_methods_supported"], json!(["S256"]));
    assert!(sound["registration_endpoint"].is_string() && sound["revocation_endpoint"].is_string());
    app.idp.without_registration().without_s256().without_revocation().iss(IssParameter::NotOffered);
    let poor = document(&app, ".well-known/oauth-authorization-server").await;
    for name in ["code_challenge_methods_supported", "registration_endpoint", "revocation_endpoint"] {
        assert!(poor[name].is_null(), "{name} is still there");
    }
    assert_eq!(poor["authorization_response_iss_parameter_supported"], false);
    let pairs = app.sign_in(&[], Conduct::SignsInAndAllows).await.unwrap();
    assert!(pairs.iter().any(|(name, value)| name == "error" && value == "invalid_request"), "{pairs:?}");
}

#[tokio::test]
async fn clients_register_by_the_rules_or_not_at_all() {
    let app = App::registered().await;
    for (wanted, want) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["http://example.com/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["http://127.0.0.1/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://a.test/cb#x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://a.test/cb"], "grant_types": ["password"] }), "invalid_client_metadata"),
        (json!({ "redirect_uris": "https://a.test/cb" }), "invalid_client_metadata"),
    ] {
        let (status, answer) = app.register(&wanted).await;
        assert_eq!((status, text(&answer, "error")), (400, want), "{wanted}");
    }
    let (status, answer) = app.register(&json!({ "redirect_uris": ["https://a.test/cb"] })).await;
    assert_eq!((status, text(&answer, "token_endpoint_auth_method")), (201, "client_secret_basic"));
    assert!(text(&answer, "client_secret").contains(crate::CANARY));
    app.idp.without_registration();
    assert_eq!(app.register(&json!({ "redirect_uris": ["https://a.test/cb"] })).await.0, 404);
}

fn parts(token: &str) -> (String, Value, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap();
    (signed.to_owned(), serde_json::from_slice(&claims).unwrap(), URL_SAFE_NO_PAD.decode(signature).unwrap())
}

async fn holds(app: &App, token: &str) -> bool {
    let jwks = document(app, "jwks").await;
    let coordinate = |name| URL_SAFE_NO_PAD.decode(text(&jwks["keys"][0], name)).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (signed, _, signature) = parts(token);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &signature).is_ok()
}

#[tokio::test]
async fn id_tokens_are_signed_with_the_published_key_unless_the_dial_says_otherwise() {
    let app = App::registered().await;
    let sound = app.tokens().await;
    let token = text(&sound, "id_token");
    assert!(holds(&app, token).await);
    let (_, claims, _) = parts(token);
    assert_eq!((&claims["aud"], &claims["nonce"]), (&json!(app.client_id), &json!("no")));
    assert_eq!((&claims["email"], &claims["iss"]), (&json!("dana@example.com"), &json!(app.idp.issuer())));
    app.idp.sign_id_tokens(IdTokens::ForeignKey);
    assert!(!holds(&app, text(&app.tokens().await, "id_token")).await);
    app.idp.sign_id_tokens(IdTokens::ForeignNonce);
    assert_eq!(parts(text(&app.tokens().await, "id_token")).1["nonce"], "another-nonce");
    app.idp.sign_id_tokens(IdTokens::Absent);
    assert!(app.tokens().await["id_token"].is_null());
    assert_eq!(app.idp.id_tokens().len(), 3);
}

#[tokio::test]
async fn servers_introspect_with_their_login_alone() {
    let app = App::registered().await;
    let tokens = app.tokens().await;
    assert_eq!(app.post("introspect", &[("token", text(&tokens, "access_token"))]).await.0, 401);
    let (name, secret) = app.idp.introspection_login().unwrap();
    let ask = |token: &str| {
        let mut request = http1::post_form(&format!("{}/introspect", app.idp.issuer()), &[("token", token)]).unwrap();
        let login = format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
        request.headers_mut().insert("authorization", login.parse().unwrap());
        request
    };
    let good: Value =
        serde_json::from_slice(http1::fetch(ask(text(&tokens, "access_token"))).await.unwrap().body()).unwrap();
    assert_eq!((&good["active"], &good["aud"]), (&json!(true), &json!(RESOURCE)));
    app.idp.revoke_everything();
    let ended = http1::fetch(ask(text(&tokens, "access_token"))).await.unwrap().into_body();
    assert_eq!(ended, br#"{"active":false}"#);
}
