//! Becoming known to an issuer.

use std::cell::RefCell;
use std::rc::Rc;

use expect_test::expect;
use keybearer_model::grant::ClientAuth;
use serde_json::{Value, json};

use crate::world::{PRM, SERVER, World, check, issuer_metadata, walk};

#[test]
fn c9_an_app_registers_itself_as_a_native_one_without_a_secret() {
    let asked = Rc::new(RefCell::new(Value::Null));
    let mut world = World::new();
    world.scopes = vec!["contacts", "deals"];
    let seen = Rc::clone(&asked);
    world.registration = Some(Box::new(move |request| {
        *seen.borrow_mut() = request.clone();
        (201, json!({"client_id": "dcr-1", "client_secret": "cAnArY-unasked", "token_endpoint_auth_method": "none"}))
    }));
    // A public client keeps no secret, though some issuers give one all the same.
    let (told, obtained) = walk(world);
    assert!(obtained.unwrap_or_else(|| panic!("{told}")).grant.client_secret.is_none());
    expect![[r#"
        {
          "application_type": "native",
          "client_name": "Keybearer",
          "grant_types": [
            "authorization_code",
            "refresh_token"
          ],
          "redirect_uris": [
            "http://127.0.0.1:49152/callback"
          ],
          "response_types": [
            "code"
          ],
          "scope": "contacts deals",
          "token_endpoint_auth_method": "none"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&*asked.borrow()).unwrap());
}

#[test]
fn the_way_to_authenticate_is_the_issuers_choice() {
    for (offered, asked, given) in [
        (json!(["client_secret_basic", "none"]), "none", "none"),
        (json!(["client_secret_post", "client_secret_basic"]), "client_secret_basic", "client_secret_basic"),
        (json!(["client_secret_post"]), "client_secret_post", "client_secret_post"),
        (json!(null), "none", "none"),
        (json!(null), "none", "client_secret_post"),
    ] {
        let mut world = World::new();
        world.metadata(|m| m["token_endpoint_auth_methods_supported"] = offered.clone());
        world.registration = Some(Box::new(move |request| {
            assert_eq!(request["token_endpoint_auth_method"], asked);
            let mut registered = json!({"client_id": "dcr-1", "token_endpoint_auth_method": given});
            if given != "none" {
                registered["client_secret"] = json!("cAnArY: se/cret");
            }
            (201, registered)
        }));
        let (told, obtained) = walk(world);
        let auth = obtained.unwrap_or_else(|| panic!("{told}")).grant.facts.client_auth;
        assert_eq!(serde_json::to_value(auth).unwrap(), given);
    }
}

#[test]
fn c7_a_client_that_it_registered_is_used_as_it_is() {
    for auth in [ClientAuth::None, ClientAuth::ClientSecretBasic, ClientAuth::ClientSecretPost] {
        let mut world = World::new();
        world.client = Some(("from IT", auth));
        world.registration = Some(Box::new(|_| panic!("registered once more")));
        let (told, obtained) = walk(world);
        let grant = obtained.unwrap_or_else(|| panic!("{told}")).grant;
        assert_eq!((grant.facts.client_id.as_str(), grant.facts.client_auth), ("from IT", auth));
    }
}

#[test]
fn c9_a_scope_that_cannot_be_registered_is_left_out() {
    let mut world = World::new();
    world.scopes = vec!["contacts"];
    world.registration = Some(Box::new(|request| match request.get("scope") {
        Some(_) => (400, json!({"error": "invalid_client_metadata"})),
        None => (201, json!({"client_id": "dcr-2"})),
    }));
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 400
        POST https://idp.test/register 201
        OPEN https://idp.test/authorize
             client_id=dcr-2
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             scope=contacts
             state=[DRAWN]
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://idp.test as dcr-2 for https://crm.test/mcp [contacts]
    "#]],
    );
}

#[test]
fn c7_an_issuer_that_lets_nobody_register_needs_it() {
    let mut world = World::new();
    world.metadata(|m| m["registration_endpoint"] = Value::Null);
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        FAIL `https://idp.test` does not let apps register themselves
    "#]],
    );
    let mut world = World::new();
    world.metadata(|m| m["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]));
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        FAIL `https://idp.test` does not let apps register themselves
    "#]],
    );
}

#[test]
fn c9_a_refusal_is_told_in_the_issuers_words() {
    let mut world = World::new();
    world.registration =
        Some(Box::new(|_| (403, json!({"error": "access_denied", "error_description": "Trusted\u{202e} Hosts"}))));
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 403
        FAIL `https://idp.test` refused to register Keybearer: access_denied: Trusted Hosts
    "#]],
    );
    let mut world = World::new();
    world.registration = None;
    world.pages.clear();
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 404
        GET https://crm.test/.well-known/oauth-protected-resource 404
        GET https://crm.test/.well-known/oauth-authorization-server 404
        GET https://crm.test/.well-known/openid-configuration 404
        POST https://crm.test/register 404
        FAIL `https://crm.test/mcp` does not say how to sign in
    "#]],
    );
}

#[test]
fn a_registration_that_cannot_be_used_ends_the_sign_in() {
    for (answer, want) in [
        (json!({"client_secret": "cAnArY"}), "the registration has no `client_id`"),
        (
            json!({"client_id": "x", "token_endpoint_auth_method": "client_secret_basic"}),
            "the registration has no `client_secret`",
        ),
        (
            json!({"client_id": "x", "token_endpoint_auth_method": "private_key_jwt"}),
            "it registered us for `private_key_jwt`, which we cannot",
        ),
    ] {
        let mut world = World::new();
        world.registration = Some(Box::new(move |_| (201, answer.clone())));
        assert!(walk(world).0.ends_with(&format!("FAIL the answer of `https://idp.test` cannot be used: {want}\n")));
    }
}

#[test]
fn c7_the_order_is_by_hand_by_document_by_registration() {
    for (by_hand, document, documents_are_read, want) in [
        (true, true, true, "from IT"),
        (false, true, true, "https://apps.example.com/keybearer.json"),
        (false, true, false, "dcr-1"),
        (false, false, true, "dcr-1"),
    ] {
        let mut world = World::new();
        world.client = by_hand.then_some(("from IT", ClientAuth::None));
        world.document = document.then_some("https://apps.example.com/keybearer.json");
        world.metadata(|m| m["client_id_metadata_document_supported"] = json!(documents_are_read));
        let (told, obtained) = walk(world);
        assert_eq!(obtained.unwrap_or_else(|| panic!("{told}")).grant.facts.client_id, want);
        assert_eq!(told.contains("/register"), want == "dcr-1", "{told}");
    }
}

#[test]
fn c7_an_issuer_that_reads_documents_tells_how_to_become_known() {
    for (documents, want) in [(true, "client_metadata_url"), (false, "http://127.0.0.1/callback")] {
        let mut world = World::new();
        world.metadata(|m| {
            m["registration_endpoint"] = Value::Null;
            m["client_id_metadata_document_supported"] = json!(documents);
        });
        let error = fails(world);
        assert!(error.hint().is_some_and(|hint| hint.contains(want)), "{error:?}");
    }
}

#[test]
fn c7_a_registration_that_is_known_to_be_closed_is_not_tried() {
    let issuer = "https://acme.okta.com";
    let mut world = World::new();
    world.page(PRM, json!({"resource": SERVER, "authorization_servers": [issuer]}));
    let mut metadata = issuer_metadata(issuer);
    metadata["registration_endpoint"] = json!("https://acme.okta.com/oauth2/v1/clients");
    world.page("https://acme.okta.com/.well-known/oauth-authorization-server", metadata);
    let (told, _) = walk(world);
    assert!(told.ends_with("FAIL `https://acme.okta.com` does not let apps register themselves\n"), "{told}");
    assert!(!told.contains("POST"), "{told}");
}

#[test]
fn c7_how_a_client_from_it_authenticates_is_the_issuers_to_say_unless_it_is_set() {
    for (offered, want) in [
        (json!(null), ClientAuth::ClientSecretBasic),
        (json!(["client_secret_post", "client_secret_basic"]), ClientAuth::ClientSecretBasic),
        (json!(["client_secret_post"]), ClientAuth::ClientSecretPost),
        (json!(["private_key_jwt"]), ClientAuth::ClientSecretBasic),
    ] {
        let mut world = World::new();
        (world.client, world.auth_is_open) = (Some(("from IT", ClientAuth::ClientSecretBasic)), true);
        world.metadata(|m| m["token_endpoint_auth_methods_supported"] = offered.clone());
        let (told, obtained) = walk(world);
        assert_eq!(obtained.unwrap_or_else(|| panic!("{told}")).grant.facts.client_auth, want, "{offered}");
    }
}

#[test]
fn c9_an_issuer_that_takes_no_address_as_the_way_back_is_given_the_machines_name() {
    let mut world = World::new();
    world.registration = Some(Box::new(|request| match request["redirect_uris"][0].as_str() {
        Some(uri) if uri.starts_with("http://localhost:") => (201, json!({"client_id": "dcr-3"})),
        _ => (400, json!({"error": "invalid_redirect_uri"})),
    }));
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 400
        POST https://idp.test/register 201
        OPEN https://idp.test/authorize
             client_id=dcr-3
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://localhost:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             state=[DRAWN]
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://idp.test as dcr-3 for https://crm.test/mcp []
    "#]],
    );
}

#[test]
fn c9_a_way_back_that_is_refused_in_both_spellings_is_told() {
    let mut world = World::new();
    world.registration =
        Some(Box::new(|_| (400, json!({"error": "invalid_redirect_uri", "error_description": "https only"}))));
    let (told, _) = walk(world);
    assert!(told.ends_with("refused to register Keybearer: invalid_redirect_uri: https only\n"), "{told}");
    assert_eq!(told.matches("/register").count(), 2, "{told}");
}

#[test]
fn c9_an_issuer_that_refuses_what_it_does_not_know_is_told_less() {
    let mut world = World::new();
    world.scopes = vec!["contacts"];
    world.registration = Some(Box::new(|request| match request.get("application_type").or(request.get("scope")) {
        Some(_) => (400, json!({"error": "invalid_client_metadata", "error_description": "Unrecognized field"})),
        None => (201, json!({"client_id": "dcr-4"})),
    }));
    let (told, obtained) = walk(world);
    assert_eq!(told.matches("/register").count(), 3, "{told}");
    assert!(obtained.is_some() && told.contains("     scope=contacts\n"), "{told}");
}

fn fails(mut world: World) -> keybearer_oauth::login::LoginError {
    world.callbacks.clear();
    crate::world::error(world)
}
