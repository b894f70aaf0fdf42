//! Signing in on another device (RFC 8628), against a scripted issuer.

use expect_test::expect;
use keybearer_model::grant::ClientAuth;
use serde_json::{Value, json};

use crate::world::{World, check, walk};

fn world(codes: &[(u16, Value)]) -> World {
    let mut world = World::new();
    world.metadata(|m| {
        m["device_authorization_endpoint"] = "https://idp.test/device".into();
        m["scopes_supported"] = json!(["offline_access"]);
    });
    world.codes = codes.to_vec();
    world
}

fn handed() -> (u16, Value) {
    let reply = json!({
        "device_code": "dc-1", "user_code": "WDJB-MJHT", "verification_uri": "https://idp.test/activate",
        "verification_uri_complete": "https://idp.test/activate?c=WDJB-MJHT", "expires_in": 600, "interval": 5,
    });
    (200, reply)
}

fn refused(code: &str) -> (u16, Value) {
    (400, json!({ "error": code }))
}

fn tokens() -> (u16, Value) {
    (200, json!({ "access_token": "cAnArY-access", "token_type": "Bearer", "refresh_token": "cAnArY-refresh" }))
}

/// What was waited for, and how it ended.
fn waits(codes: &[(u16, Value)]) -> String {
    let told = walk(world(codes)).0;
    let lines = told.lines().filter(|line| ["WAIT", "DONE", "FAIL"].iter().any(|word| line.starts_with(word)));
    lines.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_code_is_shown_and_asked_about_until_the_person_has_typed_it_in() {
    check(
        world(&[handed(), refused("authorization_pending"), refused("slow_down"), tokens()]),
        &expect![[r#"
            GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
            GET https://idp.test/.well-known/oauth-authorization-server 200
            POST https://idp.test/register 201
            POST https://idp.test/device 200
                 client_id=dcr-1
                 resource=https://crm.test/mcp
                 scope=offline_access
            CODE WDJB-MJHT at https://idp.test/activate or https://idp.test/activate?c=WDJB-MJHT
            WAIT 5s
            POST https://idp.test/token 400
                 client_id=dcr-1
                 device_code=dc-1
                 grant_type=urn:ietf:params:oauth:grant-type:device_code
            WAIT 5s
            POST https://idp.test/token 400
                 client_id=dcr-1
                 device_code=dc-1
                 grant_type=urn:ietf:params:oauth:grant-type:device_code
            WAIT 10s
            POST https://idp.test/token 200
                 client_id=dcr-1
                 device_code=dc-1
                 grant_type=urn:ietf:params:oauth:grant-type:device_code
            DONE unknown account at https://idp.test as dcr-1 for https://crm.test/mcp [offline_access]
        "#]],
    );
}

#[test]
fn we_register_for_codes_where_we_ask_for_one() {
    let mut by_code = world(&[handed(), tokens()]);
    by_code.registration = Some(Box::new(|asked| {
        let grants = asked["grant_types"].as_array().unwrap();
        assert!(grants.contains(&json!("urn:ietf:params:oauth:grant-type:device_code")), "{asked}");
        (201, json!({ "client_id": "dcr-1" }))
    }));
    assert!(walk(by_code).1.is_some());
}

#[test]
fn a_client_with_a_secret_proves_itself_at_both_places() {
    let mut confidential = world(&[handed(), tokens()]);
    confidential.client = Some(("app", ClientAuth::ClientSecretPost));
    let told = walk(confidential).0;
    assert_eq!(told.matches("client_id=app").count(), 2, "{told}");
    assert_eq!(told.matches("client_secret=cAnArY secret").count(), 2, "{told}");
}

#[test]
fn every_end_has_its_reason() {
    let pending = || refused("authorization_pending");
    for (codes, want) in [
        (
            vec![handed(), refused("access_denied")],
            "WAIT 5s, FAIL `https://idp.test` was not allowed to sign in: access_denied",
        ),
        (vec![handed(), refused("expired_token")], "WAIT 5s, FAIL nobody typed the code in while it was good"),
        (
            vec![handed(), refused("invalid_grant")],
            "WAIT 5s, FAIL `https://idp.test` refused the sign-in: invalid_grant",
        ),
        (vec![refused("unauthorized_client")], "FAIL `https://idp.test` refused the sign-in: unauthorized_client"),
        (vec![(503, json!(null))], "FAIL `idp.test` answered with status 503"),
        (vec![(200, json!({}))], "FAIL the answer of `https://idp.test` cannot be used: it gave no code"),
        // An issuer that stumbles while the person is at it ends nothing.
        (
            vec![handed(), (502, json!(null)), pending(), tokens()],
            "WAIT 5s, WAIT 10s, WAIT 10s, DONE unknown account at https://idp.test as dcr-1 for https://crm.test/mcp [offline_access]",
        ),
    ] {
        assert_eq!(waits(&codes), want);
    }
    let mut short = handed();
    short.1["expires_in"] = 12.into();
    assert_eq!(
        waits(&[short, pending(), pending()]),
        "WAIT 5s, WAIT 5s, FAIL nobody typed the code in while it was good"
    );
}

#[test]
fn an_issuer_without_codes_is_told_before_anything_is_registered() {
    let mut without = world(&[handed()]);
    without.metadata(|m| m["device_authorization_endpoint"] = Value::Null);
    check(
        without,
        &expect![[r#"
            GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
            GET https://idp.test/.well-known/oauth-authorization-server 200
            FAIL `https://idp.test` gives out no codes for other devices
        "#]],
    );
}

#[test]
fn who_signed_in_is_proven_without_a_nonce() {
    let mut known = world(&[handed()]);
    known.metadata(|m| m["scopes_supported"] = json!(["openid", "email"]));
    let mut reply = tokens();
    reply.1["id_token"] = known.id_token_for("dcr-1", None).into();
    known.codes.push(reply);
    let told = walk(known).0;
    assert!(
        told.ends_with("DONE ada@example.com at https://idp.test as dcr-1 for https://crm.test/mcp [openid email]\n"),
        "{told}"
    );
}
