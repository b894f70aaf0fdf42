//! The person at the issuer's page, the way back, and the code.

use expect_test::expect;
use keybearer_model::url::Endpoint;
use serde_json::json;

use crate::world::{ISSUER, PRM, SERVER, World, check, issuer_metadata, walk};

#[test]
fn the_happy_way() {
    let mut world = World::with_openid();
    world.metadata(|m| {
        m["scopes_supported"] = json!(["openid", "email", "offline_access", "contacts"]);
        m["authorization_response_iss_parameter_supported"] = json!(true);
    });
    world.page(PRM, json!({"resource": SERVER, "authorization_servers": [ISSUER], "scopes_supported": ["contacts"]}));
    world.callbacks = vec!["?code={code}&state={state}&iss=https%3A%2F%2Fidp.test"];
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 201
        OPEN https://idp.test/authorize
             client_id=dcr-1
             code_challenge=[DRAWN]
             code_challenge_method=S256
             nonce=[DRAWN]
             prompt=consent
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             scope=contacts offline_access openid email
             state=[DRAWN]
        BACK ?code={code}&state={state}&iss=https%3A%2F%2Fidp.test
        POST https://idp.test/token 200
        GET https://idp.test/jwks 200
        DONE ada@example.com at https://idp.test as dcr-1 for https://crm.test/mcp [contacts offline_access openid email]
    "#]],
    );
}

#[test]
fn what_a_sign_in_gives_is_pinned_in_its_grant() {
    let (told, obtained) = walk(World::with_openid());
    let obtained = obtained.unwrap_or_else(|| panic!("{told}"));
    let facts = &obtained.grant.facts;
    assert_eq!(facts.token_endpoint.as_str(), "https://idp.test/token");
    assert_eq!(facts.revocation_endpoint.as_ref().map(Endpoint::as_str), Some("https://idp.test/revoke"));
    assert_eq!(facts.resource.as_deref(), Some(SERVER));
    assert_eq!(facts.account.subject.as_deref(), Some("u-1"));
    assert_eq!(facts.account.email.as_deref(), Some("ada@example.com"));
    assert!(obtained.access_token.matches("cAnArY-access"));
    assert!(obtained.grant.refresh_token.as_ref().is_some_and(|token| token.matches("cAnArY-refresh")));
    assert_eq!(obtained.expires_in.map(|span| span.as_secs()), Some(3600));
}

#[test]
fn c17_a_wrong_callback_does_not_end_the_sign_in() {
    let mut world = World::new();
    world.callbacks = vec![
        "?code=stolen&state=wrong",
        "?",
        "?error=access_denied",
        "?code={code}&code=twice&state={state}",
        "?code={code}&state={state}",
    ];
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 201
        OPEN https://idp.test/authorize
             client_id=dcr-1
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             state=[DRAWN]
        BACK ?code=stolen&state=wrong
        BACK ?
        BACK ?error=access_denied
        BACK ?code={code}&code=twice&state={state}
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://idp.test as dcr-1 for https://crm.test/mcp []
    "#]],
    );
}

#[test]
fn c16_an_answer_of_another_issuer_ends_it_before_the_code_is_spent() {
    for (promised, callback) in [
        (false, "?code={code}&state={state}&iss=https://evil.test"),
        (false, "?error=server_error&error_description=call+this+number&state={state}&iss=https://evil.test"),
        (true, "?code={code}&state={state}"),
    ] {
        let mut world = World::new();
        world.metadata(|m| m["authorization_response_iss_parameter_supported"] = json!(promised));
        world.callbacks = vec![callback];
        let (told, _) = walk(world);
        assert!(told.ends_with("FAIL the answer to the sign-in does not come from `https://idp.test`\n"), "{told}");
        assert!(!told.contains("/token") && !told.contains("call this"), "{told}");
    }
}

#[test]
fn a_no_is_a_no() {
    let mut world = World::new();
    world.callbacks = vec!["?error=access_denied&error_description=Not+today&state={state}"];
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 201
        OPEN https://idp.test/authorize
             client_id=dcr-1
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             state=[DRAWN]
        BACK ?error=access_denied&error_description=Not+today&state={state}
        FAIL `https://idp.test` was not allowed to sign in: access_denied: Not today
    "#]],
    );
}

#[test]
fn a_way_back_that_never_comes_can_be_called_off() {
    let mut world = World::new();
    world.callbacks.clear();
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 201
        OPEN https://idp.test/authorize
             client_id=dcr-1
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             state=[DRAWN]
        FAIL the sign-in was cancelled
    "#]],
    );
}

#[test]
fn an_issuer_that_refuses_resource_is_not_sent_one() {
    let issuer = "https://login.microsoftonline.com/t1/v2.0";
    let mut world = World::new();
    world.client = Some(("app", keybearer_model::grant::ClientAuth::None));
    world.page(PRM, json!({"resource": SERVER, "authorization_servers": [issuer], "scopes_supported": ["api://x/y"]}));
    let mut metadata = issuer_metadata(issuer);
    metadata["code_challenge_methods_supported"] = json!(null);
    metadata["scopes_supported"] = json!(["offline_access"]);
    world.page(&format!("{issuer}/.well-known/openid-configuration"), metadata);
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://login.microsoftonline.com/.well-known/oauth-authorization-server/t1/v2.0 404
        GET https://login.microsoftonline.com/.well-known/openid-configuration/t1/v2.0 404
        GET https://login.microsoftonline.com/t1/v2.0/.well-known/openid-configuration 200
        OPEN https://idp.test/authorize
             client_id=app
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             response_type=code
             scope=api://x/y offline_access
             state=[DRAWN]
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://login.microsoftonline.com/t1/v2.0 as app for - [api://x/y offline_access]
    "#]],
    );
}

#[test]
fn the_token_endpoints_answers() {
    for (status, body, want) in [
        (
            400,
            json!({"error": "invalid_grant", "error_description": "code\nis used"}),
            "`https://idp.test` refused the sign-in: invalid_grant: code is used",
        ),
        (
            200,
            json!({"error": "bad_verification_code"}),
            "`https://idp.test` refused the sign-in: bad_verification_code",
        ),
        (503, json!({}), "`idp.test` answered with status 503"),
        (
            200,
            json!({"token_type": "bearer"}),
            "the answer of `https://idp.test` cannot be used: it is no token reply (status 200)",
        ),
        (
            200,
            json!({"access_token": "x", "token_type": "dpop"}),
            "the answer of `https://idp.test` cannot be used: its token is not a bearer token",
        ),
        (307, json!("elsewhere"), "the answer of `https://idp.test` cannot be used: it is no token reply (status 307)"),
    ] {
        let mut world = World::new();
        world.token = Box::new(move |code, reply| (*code, *reply) = (status, body.clone()));
        let (told, _) = walk(world);
        assert!(told.ends_with(&format!("FAIL {want}\n")), "{told}");
    }
}

#[test]
fn the_scopes_are_what_was_granted() {
    let mut world = World::new();
    world.scopes = vec!["a", "b"];
    world.token = Box::new(|_, reply| reply["scope"] = json!("b c"));
    assert_eq!(walk(world).1.unwrap().grant.facts.scopes, ["b", "c"]);
}
