//! The request goes to the issuer ahead of the person, where it takes such (RFC 9126).

use expect_test::expect;
use keybearer_model::grant::ClientAuth;
use serde_json::json;

use crate::world::{World, check, walk};

fn world(required: bool) -> World {
    let mut world = World::new();
    world.metadata(|m| {
        m["pushed_authorization_request_endpoint"] = json!("https://idp.test/par");
        m["require_pushed_authorization_requests"] = json!(required);
        m["authorization_endpoint"] = json!("https://idp.test/authorize?tenant=t1&request_uri=theirs");
    });
    world
}

#[test]
fn the_person_is_sent_with_nothing_but_a_name() {
    check(
        world(true),
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 201
        POST https://idp.test/par 201
        OPEN https://idp.test/authorize
             client_id=dcr-1
             request_uri=urn:ietf:params:oauth:request_uri:r1
             tenant=t1
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://idp.test as dcr-1 for https://crm.test/mcp []
    "#]],
    );
}

/// The issuer's token endpoint checks challenge, way back and resource against what was pushed.
#[test]
fn what_is_pushed_is_what_would_have_gone_with_the_person() {
    for auth in [ClientAuth::None, ClientAuth::ClientSecretBasic, ClientAuth::ClientSecretPost] {
        let mut world = world(false);
        world.client = Some(("from IT", auth));
        world.scopes = vec!["a", "b"];
        let (told, obtained) = walk(world);
        assert!(obtained.is_some() && told.contains("/par 201"), "{auth:?}: {told}");
    }
}

#[test]
fn where_pushing_is_an_offer_its_failure_changes_nothing() {
    for (status, body) in [(503, json!({})), (404, json!("nothing")), (401, json!({"error": "invalid_client"}))] {
        let mut offered = world(false);
        offered.pushed = (status, body.clone());
        let (told, obtained) = walk(offered);
        assert!(obtained.is_some() && told.contains("     code_challenge=[DRAWN]\n"), "{told}");
        let mut required = world(true);
        required.pushed = (status, body);
        let (told, _) = walk(required);
        assert!(told.contains("FAIL") && !told.contains("OPEN"), "{told}");
    }
}

#[test]
fn what_is_refused_there_is_refused() {
    let mut world = world(false);
    world.pushed = (400, json!({"error": "invalid_target", "error_description": "no\nsuch resource"}));
    let (told, _) = walk(world);
    let want = "FAIL `https://idp.test` refused the sign-in: invalid_target: no such resource\n";
    assert!(told.ends_with(want) && !told.contains("OPEN"), "{told}");
}
