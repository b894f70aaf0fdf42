//! Finding out who signs people in for a server, and refusing what must not be believed.

use expect_test::expect;
use serde_json::json;

use crate::world::{ASM, ISSUER, PRM, SERVER, World, check, issuer_metadata};

#[test]
fn c1_the_challenge_names_the_metadata_and_c12_its_resource_counts_to_the_byte() {
    let mut world = World::new();
    world.challenge = Some(r#"Bearer resource_metadata="https://meta.test/crm", scope="contacts""#);
    world.pages.remove(PRM);
    // RFC 8707: byte for byte, also where a parser would add a slash.
    world.page("https://meta.test/crm", json!({"resource": "https://CRM.test", "authorization_servers": [ISSUER]}));
    check(
        world,
        &expect![[r#"
        GET https://meta.test/crm 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 201
        OPEN https://idp.test/authorize
             client_id=dcr-1
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://CRM.test
             response_type=code
             scope=contacts
             state=[DRAWN]
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://idp.test as dcr-1 for https://CRM.test [contacts]
    "#]],
    );
}

#[test]
fn c1_c4_a_page_is_no_metadata_and_the_root_is_asked_last() {
    let mut world = World::new();
    world.pages.insert(PRM.to_owned(), (200, "text/html", json!(null)));
    let tenant = "https://idp.test/t1";
    world.page(
        "https://crm.test/.well-known/oauth-protected-resource",
        json!({"resource": "https://crm.test", "authorization_servers": [tenant]}),
    );
    world.pages.remove(ASM);
    world.page("https://idp.test/t1/.well-known/openid-configuration", issuer_metadata(tenant));
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://crm.test/.well-known/oauth-protected-resource 200
        GET https://idp.test/.well-known/oauth-authorization-server/t1 404
        GET https://idp.test/.well-known/openid-configuration/t1 404
        GET https://idp.test/t1/.well-known/openid-configuration 200
        POST https://idp.test/register 201
        OPEN https://idp.test/authorize
             client_id=dcr-1
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test
             response_type=code
             state=[DRAWN]
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://idp.test/t1 as dcr-1 for https://crm.test []
    "#]],
    );
}

#[test]
fn c3_metadata_of_another_server_is_not_used() {
    let mut world = World::new();
    world.page(PRM, json!({"resource": "https://other.test/mcp", "authorization_servers": [ISSUER]}));
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://crm.test/.well-known/oauth-protected-resource 404
        FAIL the metadata of `https://crm.test/mcp` is that of another server, `https://other.test/mcp`
    "#]],
    );
}

#[test]
fn c5_metadata_of_another_issuer_is_not_used() {
    for named in ["https://evil.test", "https://idp.test//", "https://idp.test/tenant", "https://IDP.test"] {
        let mut world = World::new();
        world.metadata(|m| m["issuer"] = json!(named));
        let (told, _) = crate::world::walk(world);
        assert!(told.ends_with(&format!("is that of another issuer, `{named}`\n")), "{told}");
        assert!(!told.contains("OPEN"), "{told}");
    }
}

/// A server library adds the slash; from its metadata on, the issuer's own spelling counts to the byte.
#[test]
fn c5_c16_a_slash_after_a_bare_host_is_no_other_issuer() {
    let callbacks = [
        ("?code={code}&state={state}&iss=https://idp.test", "DONE"),
        ("?code={code}&state={state}&iss=https://idp.test/", "FAIL"),
    ];
    for (callback, ends) in callbacks {
        let mut world = World::new();
        world.page(PRM, json!({"resource": SERVER, "authorization_servers": [format!("{ISSUER}/")]}));
        world.callbacks = vec![callback];
        let (told, _) = crate::world::walk(world);
        let last = told.trim_end().lines().last().unwrap_or_default().trim_start();
        assert!(last.starts_with(ends), "{callback}: {told}");
    }
}

#[test]
fn a_known_deviation_of_an_issuer_is_data() {
    let mut world = World::new();
    world.client = Some(("app", keybearer_model::grant::ClientAuth::None));
    world.page(PRM, json!({"resource": SERVER, "authorization_servers": ["https://accounts.google.com/"]}));
    world.page(
        "https://accounts.google.com/.well-known/openid-configuration",
        issuer_metadata("https://accounts.google.com"),
    );
    world.callbacks = vec!["?code={code}&state={state}&iss=https://accounts.google.com"];
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://accounts.google.com/.well-known/oauth-authorization-server 404
        GET https://accounts.google.com/.well-known/openid-configuration 200
        OPEN https://idp.test/authorize
             access_type=offline
             client_id=app
             code_challenge=[DRAWN]
             code_challenge_method=S256
             prompt=consent
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             state=[DRAWN]
        BACK ?code={code}&state={state}&iss=https://accounts.google.com
        POST https://idp.test/token 200
        DONE unknown account at https://accounts.google.com as app for https://crm.test/mcp []
    "#]],
    );
}

#[test]
fn c6_the_next_issuer_is_asked_where_the_first_is_of_no_use() {
    let mut world = World::new();
    world.page(PRM, json!({"resource": SERVER, "authorization_servers": ["https://old.test", ISSUER]}));
    world.silent_hosts = vec!["old.test"];
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://old.test/.well-known/oauth-authorization-server unreachable
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
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://idp.test as dcr-1 for https://crm.test/mcp []
    "#]],
    );
}

#[test]
fn c11_an_issuer_that_does_not_advertise_s256_is_refused() {
    for methods in [json!(null), json!([]), json!(["plain"]), json!(["s256"])] {
        let mut world = World::new();
        world.metadata(|m| m["code_challenge_methods_supported"] = methods.clone());
        let (told, _) = crate::world::walk(world);
        let want = "FAIL `https://idp.test` does not say that it protects sign-ins with PKCE (S256)\n";
        assert!(told.ends_with(want) && !told.contains("OPEN"), "{methods}: {told}");
    }
}

#[test]
fn c19_c20_no_endpoint_may_be_unsafe_or_nearer_than_the_server() {
    let names =
        ["authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint", "jwks_uri"];
    let bad =
        ["http://idp.test/x", "http://127.0.0.1/x", "https://10.0.0.1/x", "https://localhost/x", "javascript:x", ""];
    for (name, address) in names.iter().flat_map(|name| bad.map(|address| (name, address))) {
        let mut world = World::new();
        world.metadata(|m| m[name] = json!(address));
        let (told, _) = crate::world::walk(world);
        let want = format!("cannot be used: its `{name}` must not be asked: `{address}`\n");
        assert!(told.ends_with(&want) && !told.contains("POST"), "{told}");
    }
}

#[test]
fn c20_no_issuer_may_be_nearer_than_the_server() {
    let mut world = World::new();
    world.page(
        PRM,
        json!({"resource": SERVER, "authorization_servers": ["https://169.254.169.254", "http://127.0.0.1:1"]}),
    );
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://crm.test/.well-known/oauth-protected-resource 404
        FAIL the metadata of `https://crm.test/mcp` cannot be used: `https://169.254.169.254` cannot be a sign-in
    "#]],
    );
}

#[test]
fn c24_a_server_without_metadata_is_its_own_issuer() {
    let mut world = World::new();
    world.pages.remove(PRM);
    let mut metadata = issuer_metadata("https://crm.test/");
    metadata["authorization_endpoint"] = json!("https://crm.test/authorize?audience=crm&resource=theirs&state=theirs");
    world.page("https://crm.test/.well-known/oauth-authorization-server", metadata);
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 404
        GET https://crm.test/.well-known/oauth-protected-resource 404
        GET https://crm.test/.well-known/oauth-authorization-server 200
        POST https://idp.test/register 201
        OPEN https://crm.test/authorize
             audience=crm
             client_id=dcr-1
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             state=[DRAWN]
        BACK ?code={code}&state={state}
        POST https://idp.test/token 200
        DONE unknown account at https://crm.test/ as dcr-1 for https://crm.test/mcp []
    "#]],
    );
}

#[test]
fn c24_a_server_without_anything_has_the_conventional_endpoints() {
    let mut world = World::new();
    world.pages.clear();
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 404
        GET https://crm.test/.well-known/oauth-protected-resource 404
        GET https://crm.test/.well-known/oauth-authorization-server 404
        GET https://crm.test/.well-known/openid-configuration 404
        POST https://crm.test/register 201
        OPEN https://crm.test/authorize
             client_id=dcr-1
             code_challenge=[DRAWN]
             code_challenge_method=S256
             redirect_uri=http://127.0.0.1:49152/callback
             resource=https://crm.test/mcp
             response_type=code
             state=[DRAWN]
        BACK ?code={code}&state={state}
        POST https://crm.test/token 200
        DONE unknown account at https://crm.test as dcr-1 for https://crm.test/mcp []
    "#]],
    );
}

#[test]
fn c24_nothing_is_guessed_where_something_is_only_broken() {
    let mut world = World::new();
    world.pages.clear();
    world.pages.insert(PRM.to_owned(), (502, "text/html", json!(null)));
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 502
        GET https://crm.test/.well-known/oauth-protected-resource 404
        FAIL `crm.test` answered with status 502
    "#]],
    );
}

#[test]
fn a_server_that_nobody_answers_for_is_not_asked_thrice() {
    let mut world = World::new();
    world.silent_hosts = vec!["crm.test"];
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp unreachable
        FAIL no route to it
    "#]],
    );
}

#[test]
fn c24_a_named_issuer_without_metadata_is_not_guessed_at() {
    let mut world = World::new();
    world.pages.remove(ASM);
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 404
        GET https://idp.test/.well-known/openid-configuration 404
        FAIL the metadata of `https://idp.test` cannot be used: there is none
    "#]],
    );
}
