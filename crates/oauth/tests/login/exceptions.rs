//! What a person or IT lets deviate, and what stays as it is all the same (C5, C11, C12; SEC-22, SEC-25).

use keybearer_oauth::exceptions::{Exceptions, ResourceException};
use keybearer_oauth::profile::PkceSupport;
use serde_json::json;

use crate::world::{ISSUER, PRM, SERVER, World, walk};

/// Walks a sign-in with `exceptions`, and returns what deviated and the `resource` that was sent.
#[track_caller]
fn check(mut world: World, exceptions: Exceptions, deviations: &[&str], resource: Option<&str>) {
    world.exceptions = exceptions;
    let (told, obtained) = walk(world);
    let facts = obtained.unwrap_or_else(|| panic!("{told}")).grant.facts;
    assert_eq!(facts.deviations.iter().map(ToString::to_string).collect::<Vec<_>>(), deviations);
    assert_eq!(facts.resource.as_deref(), resource);
    let line = resource.map(|resource| format!("     resource={resource}\n"));
    assert_eq!(line.is_some_and(|line| told.contains(&line)), resource.is_some(), "{told}");
}

#[test]
fn without_exceptions_nothing_deviates() {
    check(World::new(), Exceptions::default(), &[], Some(SERVER));
}

#[test]
fn c12_a_setting_leaves_resource_out_or_sends_another() {
    let omit = Exceptions { resource: Some(ResourceException::Omit), ..Exceptions::default() };
    check(World::new(), omit, &["`resource` is not sent (set for this server)"], None);
    let other = "api://4711/Crm.Read";
    let send = Exceptions { resource: Some(ResourceException::Send(other.to_owned())), ..Exceptions::default() };
    check(World::new(), send, &["`resource` is sent as `api://4711/Crm.Read` (set for this server)"], Some(other));
}

#[test]
fn c12_an_endpoint_that_has_a_resource_of_its_own_is_sent_the_right_one_once() {
    let mut world = World::new();
    world.metadata(|m| {
        m["authorization_endpoint"] = json!("https://idp.test/authorize?resource=https%3A%2F%2Fidp.test&audience=crm");
    });
    let (told, obtained) = walk(world);
    assert!(obtained.is_some() && told.contains("     audience=crm\n"), "{told}");
    assert_eq!(told.matches("     resource=").count(), 1, "{told}");
    assert!(told.contains(&format!("     resource={SERVER}\n")), "{told}");
}

#[test]
fn c12_an_issuer_that_reads_the_resource_elsewhere_is_told_it_there_too() {
    let tenant = "https://acme.eu.auth0.com/";
    let mut world = World::new();
    world.page(PRM, json!({"resource": SERVER, "authorization_servers": [tenant]}));
    let mut metadata = crate::world::issuer_metadata(tenant);
    metadata["authorization_response_iss_parameter_supported"] = json!(false);
    world.page("https://acme.eu.auth0.com/.well-known/oauth-authorization-server", metadata);
    let (told, _) = walk(world);
    assert!(told.contains(&format!("     audience={SERVER}\n")), "{told}");
    assert!(told.contains(&format!("     resource={SERVER}\n")), "{told}");
}

#[test]
fn c11_a_setting_takes_pkce_for_granted_where_metadata_is_silent_and_only_there() {
    let assume = || Exceptions { pkce: Some(PkceSupport::Known), ..Exceptions::default() };
    let mut silent = World::new();
    silent.metadata(|m| m["code_challenge_methods_supported"] = json!(null));
    check(silent, assume(), &["PKCE is not advertised and taken for granted (set for this server)"], Some(SERVER));
    check(World::new(), assume(), &[], Some(SERVER));
    for methods in [json!([]), json!(["plain"])] {
        let mut world = World::new();
        world.metadata(|m| m["code_challenge_methods_supported"] = methods.clone());
        world.exceptions = assume();
        let (told, _) = walk(world);
        assert!(told.ends_with("does not say that it protects sign-ins with PKCE (S256)\n"), "{methods}: {told}");
    }
}

#[test]
fn c5_an_issuer_may_carry_another_name_only_if_it_is_set() {
    let other = "https://accounts.corp.test";
    let exceptions = || Exceptions { trusted_issuers: vec![other.parse().unwrap()], ..Exceptions::default() };
    let mut world = World::new();
    world.metadata(|m| m["issuer"] = json!(other));
    let want = "the metadata of `https://idp.test` names another issuer (set for this server)";
    check(world, exceptions(), &[want], Some(SERVER));
    for stranger in ["https://accounts.corp.test/", "https://evil.test"] {
        let mut world = World::new();
        world.metadata(|m| m["issuer"] = json!(stranger));
        world.exceptions = exceptions();
        assert!(walk(world).1.is_none(), "{stranger}");
    }
}

#[test]
fn c16_no_exception_reaches_the_callback() {
    let mut world = World::new();
    world.exceptions =
        Exceptions { trusted_issuers: vec!["https://accounts.corp.test".parse().unwrap()], ..Exceptions::default() };
    world.callbacks = vec!["?code={code}&state={state}&iss=https://accounts.corp.test"];
    let (told, _) = walk(world);
    assert!(told.ends_with(&format!("does not come from `{ISSUER}`\n")), "{told}");
}
