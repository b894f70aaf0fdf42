//! After the sign-in: renewal and revocation.

use expect_test::{Expect, expect};
use http::{Request, Response};
use keybearer_model::grant::{ClientAuth, Grant, Target};
use keybearer_model::secret::Secret;
use keybearer_oauth::{renew, revoke};

use crate::world::{World, walk};

fn grant() -> Grant {
    walk(World::new()).1.unwrap().grant
}

fn reply(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

#[track_caller]
fn check(request: &Request<Vec<u8>>, want: &Expect) {
    let secret = request.headers().get("authorization").map_or("", |value| value.to_str().unwrap());
    let body = String::from_utf8_lossy(request.body());
    want.assert_eq(format!("{} {}\n{body}\n{secret}", request.method(), request.uri()).trim_end());
}

#[test]
fn a_renewal_goes_to_the_pinned_endpoint_and_names_the_resource() {
    let mut grant = grant();
    check(
        &renew::request(&grant, &grant.facts.target()),
        &expect![[r#"
        POST https://idp.test/token
        grant_type=refresh_token&refresh_token=cAnArY-refresh&client_id=dcr-1&resource=https%3A%2F%2Fcrm.test%2Fmcp"#]],
    );
    (grant.facts.client_auth, grant.client_secret) = (ClientAuth::ClientSecretBasic, Some(Secret::new("a:b".into())));
    grant.facts.resource = None;
    check(
        &renew::request(&grant, &grant.facts.target()),
        &expect![[r#"
        POST https://idp.test/token
        grant_type=refresh_token&refresh_token=cAnArY-refresh
        Basic ZGNyLTE6YSUzQWI="#]],
    );
}

#[test]
fn a_bearer_for_another_server_names_that_servers_resource_or_else_its_scopes() {
    let mut grant = grant();
    let other = |resource: Option<&str>| Target {
        resource: resource.map(str::to_owned),
        scopes: vec!["api://wiki/read".to_owned()],
    };
    check(
        &renew::request(&grant, &other(Some("https://wiki.test/mcp"))),
        &expect![[r#"
        POST https://idp.test/token
        grant_type=refresh_token&refresh_token=cAnArY-refresh&client_id=dcr-1&resource=https%3A%2F%2Fwiki.test%2Fmcp"#]],
    );
    grant.facts.resource = None;
    check(
        &renew::request(&grant, &other(None)),
        &expect![[r#"
        POST https://idp.test/token
        grant_type=refresh_token&refresh_token=cAnArY-refresh&scope=api%3A%2F%2Fwiki%2Fread&client_id=dcr-1"#]],
    );
}

#[test]
fn a_renewal_gives_a_token_or_tells_why_not() {
    let judge = |status, body: &str| match renew::judge(&grant(), reply(status, body)) {
        Ok(renewed) => format!("{:?} {}", renewed.expires_in, renewed.refresh_token.is_some()),
        Err(error) => format!("{error:?}"),
    };
    let good = |rest: &str| format!(r#"{{"access_token":"a","token_type":"bearer"{rest}}}"#);
    assert_eq!(judge(200, &good(r#","refresh_token":"new","expires_in":60"#)), "Some(60s) true");
    assert_eq!(judge(200, &good(r#","refresh_token":"cAnArY-refresh""#)), "None false");
    assert_eq!(judge(200, &good("")), "None false");
    assert_eq!(judge(400, r#"{"error":"invalid_grant"}"#), r#"Over { code: "invalid_grant" }"#);
    assert_eq!(judge(401, r#"{"error":"invalid_client"}"#), r#"Over { code: "invalid_client" }"#);
    assert_eq!(judge(400, r#"{"error":"invalid_target"}"#), r#"Refused { code: "invalid_target" }"#);
    assert_eq!(judge(200, r#"{"error":"invalid_grant"}"#), r#"Over { code: "invalid_grant" }"#);
}

#[test]
fn no_trouble_of_the_moment_signs_anybody_out() {
    for (status, body) in [
        (500, r#"{"error":"invalid_grant"}"#),
        (503, ""),
        (429, r#"{"error":"invalid_request"}"#),
        (400, r#"{"error":"temporarily_unavailable"}"#),
        (400, r#"{"error":"slow_down"}"#),
        (400, "<html>proxy</html>"),
        (400, ""),
        (403, "forbidden"),
        (302, ""),
        (200, "<html>captive portal</html>"),
        (200, "{}"),
    ] {
        let judged = renew::judge(&grant(), reply(status, body));
        assert!(matches!(judged, Err(renew::RenewError::Transient(_))), "{status} {body}: {judged:?}");
    }
}

#[test]
fn a_revocation_takes_the_refresh_token_where_there_is_a_place_for_it() {
    let mut grant = grant();
    check(
        &revoke::request(&grant).unwrap(),
        &expect![[r#"
        POST https://idp.test/revoke
        token=cAnArY-refresh&token_type_hint=refresh_token&client_id=dcr-1"#]],
    );
    grant.facts.revocation_endpoint = "http://127.0.0.1:9/revoke?x=1".parse().ok();
    assert_eq!(revoke::request(&grant).unwrap().uri(), "http://127.0.0.1:9/revoke?x=1");
    grant.refresh_token = None;
    assert!(revoke::request(&grant).is_none());
    grant.refresh_token = Some(Secret::new("cAnArY".into()));
    grant.facts.revocation_endpoint = None;
    assert!(revoke::request(&grant).is_none());
    assert_eq!(revoke::judge(&reply(200, "")), Ok(()));
    assert_eq!(revoke::judge(&reply(503, "")), Err("status 503".to_owned()));
    assert_eq!(
        revoke::judge(&reply(400, r#"{"error":"unsupported_token_type"}"#)),
        Err("unsupported_token_type".to_owned())
    );
}
