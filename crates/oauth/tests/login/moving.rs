//! Credentials belong to one issuer: what happens where a server names another one (C10, C15).

use expect_test::expect;
use keybearer_model::grant::{ClientAuth, Registration};
use keybearer_model::secret::Secret;
use keybearer_oauth::login::{Before, Purpose};
use keybearer_oauth::registration::KnownClient;
use serde_json::json;

use crate::world::{ASM, ISSUER, PRM, SERVER, World, check, issuer_metadata, walk};

const OLD: &str = "https://old.test";

fn known(issuer: &str, redirect_uri: &str) -> KnownClient {
    KnownClient {
        issuer: issuer.parse().unwrap(),
        client_id: "registered-before".to_owned(),
        secret: Some(Secret::new("cAnArY-before".to_owned())),
        auth: ClientAuth::ClientSecretBasic,
        redirect_uri: redirect_uri.to_owned(),
    }
}

#[test]
fn c10_a_client_that_was_registered_before_is_used_where_it_is_known() {
    let mut world = World::new();
    world.known = vec![known(ISSUER, "http://127.0.0.1:5/callback")];
    world.known_secret = Some("cAnArY-before".to_owned());
    world.registration = Some(Box::new(|_| panic!("registered once more")));
    let (told, obtained) = walk(world);
    let facts = obtained.unwrap_or_else(|| panic!("{told}")).grant.facts;
    assert_eq!((facts.client_id.as_str(), facts.client_auth), ("registered-before", ClientAuth::ClientSecretBasic));
    let registered = Registration::Dynamic { redirect_uri: "http://127.0.0.1:5/callback".to_owned() };
    assert_eq!(facts.registration, registered);
}

#[test]
fn c10_it_is_shown_to_no_other_issuer_and_with_no_other_way_back() {
    for (issuer, redirect_uri) in [
        (OLD, "http://127.0.0.1:5/callback"),
        ("https://idp.test/", "http://127.0.0.1:5/callback"),
        ("https://IDP.test", "http://127.0.0.1:5/callback"),
        (ISSUER, "http://localhost:5/callback"),
        (ISSUER, "http://127.0.0.1:5/elsewhere"),
    ] {
        let mut world = World::new();
        world.known = vec![known(issuer, redirect_uri)];
        let (told, obtained) = walk(world);
        assert!(told.contains("POST https://idp.test/register 201"), "{issuer} {redirect_uri}: {told}");
        assert!(!told.contains("registered-before"), "{told}");
        assert_eq!(obtained.map(|obtained| obtained.grant.facts.client_id).as_deref(), Some("dcr-1"));
    }
}

#[test]
fn c10_a_client_that_is_set_for_one_issuer_is_not_shown_to_another() {
    let mut world = World::new();
    (world.client, world.client_issuer) = (Some(("from IT", ClientAuth::ClientSecretBasic)), Some(OLD));
    check(
        world,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        FAIL the client `from IT` belongs to `https://old.test`, and the server's sign-in is `https://idp.test` now
    "#]],
    );
    let mut world = World::new();
    (world.client, world.client_issuer) = (Some(("from IT", ClientAuth::ClientSecretBasic)), Some(ISSUER));
    assert!(walk(world).1.is_some());
}

#[test]
fn c10_a_document_is_no_secret_and_serves_every_issuer() {
    for issuer in [ISSUER, OLD] {
        let mut world = World::new();
        world.page(PRM, json!({"resource": SERVER, "authorization_servers": [issuer]}));
        world.page(&format!("{issuer}/.well-known/oauth-authorization-server"), issuer_metadata(issuer));
        let metadata = &mut world.pages.get_mut(&format!("{issuer}/.well-known/oauth-authorization-server")).unwrap().2;
        metadata["client_id_metadata_document_supported"] = json!(true);
        world.document = Some("https://apps.example.com/keybearer.json");
        world.known = vec![known(issuer, "http://127.0.0.1:5/callback")];
        let (told, obtained) = walk(world);
        let facts = obtained.unwrap_or_else(|| panic!("{told}")).grant.facts;
        assert_eq!(facts.client_id, "https://apps.example.com/keybearer.json");
        assert_eq!((facts.client_auth, facts.registration), (ClientAuth::None, Registration::Document));
    }
}

#[test]
fn c10_whether_the_issuer_has_moved_is_found_out_without_asking_anybody() {
    let before = |issuer: &str| Some(Before { issuer: issuer.parse().unwrap(), scopes: vec!["read".to_owned()] });
    let mut same = World::new();
    (same.before, same.purpose) = (before(ISSUER), Purpose::Move);
    check(
        same,
        &expect![[r#"
        GET https://crm.test/.well-known/oauth-protected-resource/mcp 200
        GET https://idp.test/.well-known/oauth-authorization-server 200
        FAIL `https://idp.test` is still who signs in
    "#]],
    );
    let mut moved = World::new();
    (moved.before, moved.purpose) = (before(OLD), Purpose::Move);
    let (told, obtained) = walk(moved);
    assert!(obtained.is_some() && told.contains("/register 201"), "{told}");
}

#[test]
fn c15_a_step_up_asks_for_the_union_and_another_issuer_is_asked_for_what_is_demanded() {
    for (issuer, want) in [(ISSUER, "read write"), (OLD, "write")] {
        let mut world = World::new();
        world.challenge = Some(r#"Bearer error="insufficient_scope", scope="write""#);
        world.before = Some(Before { issuer: issuer.parse().unwrap(), scopes: vec!["read".to_owned()] });
        world.token = Box::new(|_, reply| reply["scope"] = json!("write"));
        let (told, obtained) = walk(world);
        let facts = obtained.unwrap_or_else(|| panic!("{told}")).grant.facts;
        assert!(told.contains(&format!("     scope={want}\n")), "{told}");
        assert_eq!((facts.requested.join(" "), facts.scopes.join(" ")), (want.to_owned(), "write".to_owned()));
    }
}

#[test]
fn c24_a_server_that_has_metadata_is_never_guessed_at() {
    for document in [json!({"resource": SERVER}), json!({"resource": SERVER, "authorization_servers": []})] {
        let mut world = World::new();
        world.pages.remove(ASM);
        world.page(PRM, document);
        let (told, _) = walk(world);
        assert!(told.ends_with("cannot be used: it names no `authorization_servers`\n"), "{told}");
        assert!(!told.contains("POST") && !told.contains("OPEN"), "{told}");
    }
}
