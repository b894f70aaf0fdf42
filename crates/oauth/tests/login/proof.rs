//! Who signed in: ID tokens that hold, and ones that do not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keybearer_model::grant::ClientAuth;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use crate::world::{ASM, NOW, PRM, SERVER, World, issuer_metadata, walk};

#[track_caller]
fn check(bend: fn(&mut Value, &mut Value), want: Result<&str, &str>) {
    let mut world = World::with_openid();
    world.id_token = Some(Box::new(bend));
    check_world(world, want);
}

#[track_caller]
fn check_world(world: World, want: Result<&str, &str>) {
    let (told, obtained) = walk(world);
    match (want, obtained) {
        (Ok(account), Some(obtained)) => assert_eq!(obtained.grant.facts.account.to_string(), account),
        (Err(what), None) => {
            let tail = format!("did not prove who signed in: {what}\n");
            assert!(told.ends_with(&tail), "{told}");
        }
        (_, obtained) => panic!("{obtained:?}\n{told}"),
    }
}

fn at_hash(token: &str) -> Value {
    URL_SAFE_NO_PAD.encode(&Sha512::digest(token)[..32]).into()
}

#[test]
fn a_token_that_holds_names_the_account() {
    check(|_, _| {}, Ok("ada@example.com"));
    check(|_, claims| claims["at_hash"] = at_hash("cAnArY-access"), Ok("ada@example.com"));
    check(|_, claims| claims["email"] = json!("a\u{202e}b@example.com"), Ok("ab@example.com"));
    check(
        |_, claims| (claims["email"], claims["preferred_username"]) = (Value::Null, json!("ada@corp.test")),
        Ok("ada@corp.test"),
    );
    check(
        |_, claims| (claims["aud"], claims["azp"]) = (json!(["dcr-1", "other"]), json!("dcr-1")),
        Ok("ada@example.com"),
    );
    check(|_, claims| (claims["iat"], claims["exp"]) = (json!(NOW + 290), json!(NOW - 290)), Ok("ada@example.com"));
}

#[test]
fn a_token_that_does_not_hold_ends_the_sign_in() {
    check(|_, claims| claims["nonce"] = json!("another"), Err("its ID token answers another sign-in"));
    check(|_, claims| claims["nonce"] = Value::Null, Err("its ID token answers another sign-in"));
    check(|_, claims| claims["aud"] = json!("another"), Err("its ID token is for another app"));
    check(|_, claims| claims["aud"] = json!(["dcr-1", "another"]), Err("its ID token is for another app"));
    check(|_, claims| claims["azp"] = json!("another"), Err("its ID token is for another app"));
    check(|_, claims| claims["iss"] = json!("https://idp.test/"), Err("its ID token is of another issuer"));
    check(|_, claims| claims["exp"] = json!(NOW - 310), Err("its ID token is not of now"));
    check(|_, claims| claims["iat"] = json!(NOW + 310), Err("its ID token is not of now"));
    check(|_, claims| claims["at_hash"] = at_hash("another"), Err("its ID token belongs to another access token"));
    check(|_, claims| claims["exp"] = json!(1e300), Err("its ID token is malformed"));
    check(|_, claims| claims["sub"] = Value::Null, Err("its ID token is malformed"));
}

#[test]
fn a_signature_that_only_the_issuer_can_make_is_wanted() {
    check(|header, _| header["alg"] = json!("none"), Err("its ID token's signature is wrong"));
    check(|header, _| header["alg"] = json!("HS256"), Err("its ID token's signature is wrong"));
    check(|header, _| header["alg"] = json!("RS256"), Err("its ID token's signature is wrong"));
    check(|header, _| header["alg"] = json!("RSA-OAEP"), Err("its ID token is malformed"));
    check(|header, _| header["kid"] = json!("unknown"), Err("its ID token's signature is wrong"));
    check(|header, _| header["crit"] = json!(["exp"]), Err("its ID token is of a kind that cannot be verified"));
    let mut world = World::with_openid();
    world.forge();
    check_world(world, Err("its ID token's signature is wrong"));
}

#[test]
fn without_a_token_the_account_is_unknown() {
    let mut world = World::with_openid();
    world.id_token = None;
    check_world(world, Ok("unknown account"));
    // One that was not asked for is not believed, however good it looks.
    let mut world = World::with_openid();
    world.metadata(|m| m["scopes_supported"] = json!([]));
    check_world(world, Ok("unknown account"));
}

#[test]
fn keys_that_cannot_be_had_end_the_sign_in() {
    let mut world = World::with_openid();
    world.metadata(|m| m["jwks_uri"] = json!("https://keys.test/none"));
    let (told, _) = walk(world);
    assert!(told.ends_with("FAIL `keys.test` answered with status 404\n"), "{told}");
}

#[test]
fn the_issuers_clock_counts_where_it_tells_the_time() {
    let mut world = World::with_openid();
    // Ours is an hour slow.
    world.id_token =
        Some(Box::new(|_, claims| (claims["iat"], claims["exp"]) = (json!(NOW + 3600), json!(NOW + 3900))));
    world.date = Some("Tue, 14 Nov 2023 23:13:20 GMT");
    check_world(world, Ok("ada@example.com"));
}

#[test]
fn a_template_of_an_issuer_is_filled_by_the_tenant() {
    let base = "https://login.microsoftonline.com";
    for (tenant, iss, want) in [
        ("t-1", "https://login.microsoftonline.com/t-1/v2.0", Ok("ada@example.com")),
        ("t-1", "https://login.microsoftonline.com/t-2/v2.0", Err("its ID token is of another issuer")),
        ("", "https://login.microsoftonline.com//v2.0", Err("its ID token is of another issuer")),
        ("a/b", "https://login.microsoftonline.com/a/b/v2.0", Err("its ID token is of another issuer")),
    ] {
        let mut world = World::with_openid();
        world.client = Some(("app", ClientAuth::None));
        world.page(PRM, json!({"resource": SERVER, "authorization_servers": [format!("{base}/common/v2.0")]}));
        let mut metadata = issuer_metadata(&format!("{base}/{{tenantid}}/v2.0"));
        metadata["scopes_supported"] = json!(["openid"]);
        world.pages.remove(ASM);
        world.page(&format!("{base}/common/v2.0/.well-known/openid-configuration"), metadata);
        world.id_token = Some(Box::new(move |_, claims| (claims["tid"], claims["iss"]) = (json!(tenant), json!(iss))));
        let (told, obtained) = walk(world);
        match (want, obtained) {
            (Ok(account), Some(obtained)) => {
                let facts = obtained.grant.facts;
                assert_eq!((facts.account.to_string().as_str(), facts.issuer.as_str()), (account, iss));
            }
            (Err(what), None) => assert!(told.ends_with(&format!("{what}\n")), "{told}"),
            (_, obtained) => panic!("{obtained:?}\n{told}"),
        }
    }
}
