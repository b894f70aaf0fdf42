//! What the specifications forbid, and what is simply wrong.

use keybearer_oauth::doctor::{Means, Silence};
use serde_json::{Value, json};

use crate::{ASM, ISSUER, PRM, ROOT_PRM, SERVER, Shape, challenge, json_reply, metadata, page};

pub(crate) fn shapes() -> Vec<(&'static str, Shape, &'static str)> {
    let hello = || Ok(json_reply(200, &json!({"jsonrpc": "2.0", "id": 1, "result": {}})));
    vec![
        ("all is well", Shape::sound(), ""),
        ("no answer", Shape::with(|s| s.knock = Err(Silence::Unreachable("no route".into()))), "x server_unreachable"),
        (
            "a strange certificate",
            Shape::with(|s| s.knock = Err(Silence::Certificate("expired".into()))),
            "x server_certificate",
        ),
        (
            "an address of the cloud's",
            Shape::with(|s| s.knock = Err(Silence::Forbidden("link-local".into()))),
            "x server_forbidden",
        ),
        (
            "an answer without an end",
            Shape::with(|s| s.knock = Err(Silence::Interrupted("it takes too long".into()))),
            "!server_interrupted",
        ),
        (
            "out of order",
            Shape::with(|s| {
                s.knock = Ok((503, Vec::new(), String::new()));
                s.pages.clear();
            }),
            "x server_trouble",
        ),
        (
            "a wrong path",
            Shape::with(|s| {
                s.knock = Ok((404, Vec::new(), String::new()));
                s.pages.clear();
            }),
            "x server_not_there",
        ),
        ("a front page", Shape::with(|s| s.knock = Ok(page())), "x server_not_mcp"),
        (
            "moved",
            Shape::with(|s| {
                s.knock = Ok((308, vec![("location", "https://new.example.com/mcp?x=1".into())], String::new()))
            }),
            "x server_redirects",
        ),
        (
            "the transport of 2024",
            Shape::with(|s| s.knock = Ok((405, Vec::new(), String::new()))),
            "server_old_transport",
        ),
        ("no handshake", Shape::with(|s| s.knock = Ok((406, Vec::new(), String::new()))), "!server_refuses_handshake"),
        ("no challenge", Shape::with(|s| s.knock = Ok((401, Vec::new(), String::new()))), "!challenge_missing"),
        (
            "an API key",
            Shape::with(|s| {
                s.knock = Ok(challenge("ApiKey realm=\"x\""));
                s.pages.clear();
            }),
            "!challenge_foreign, !resource_missing, x only_convention",
        ),
        (
            "a description over plain http",
            Shape::with(|s| s.knock = Ok(challenge("Bearer resource_metadata=\"http://crm.example.com/prm\""))),
            "!challenge_unusable",
        ),
        (
            "a description inside a private network",
            Shape::with(|s| s.knock = Ok(challenge("Bearer resource_metadata=\"https://10.0.0.1/prm\""))),
            "!challenge_unusable",
        ),
        (
            "a description that is not where it is said to be",
            Shape::with(|s| s.knock = Ok(challenge("Bearer resource_metadata=\"https://crm.example.com/nowhere\""))),
            "!resource_elsewhere",
        ),
        (
            "the description of a host",
            Shape::with(|s| {
                s.without(PRM);
                s.knock = Ok(challenge("Bearer"));
                s.serve(ROOT_PRM, &json!({"resource": "https://crm.example.com", "authorization_servers": [ISSUER]}));
            }),
            "challenge_without_metadata, resource_at_root, resource_contains",
        ),
        (
            "the description of another server",
            Shape::with(|s| {
                s.serve(PRM, &json!({"resource": "https://other.example.com/mcp", "authorization_servers": [ISSUER]}))
            }),
            "x resource_is_another",
        ),
        (
            "a description in trouble",
            Shape::with(|s| {
                s.pages.insert(PRM.into(), (503, Vec::new(), String::new()));
            }),
            "x resource_trouble",
        ),
        (
            "front pages everywhere",
            Shape::with(|s| {
                s.pages.clear();
                for place in [PRM, ROOT_PRM, "https://crm.example.com/.well-known/oauth-authorization-server"] {
                    s.pages.insert(place.into(), page());
                }
            }),
            "!resource_missing, x only_convention",
        ),
        (
            "the specification of March 2025",
            Shape::with(|s| {
                s.without(PRM);
                s.knock = Ok(challenge("Bearer"));
                s.serve(
                    "https://crm.example.com/.well-known/oauth-authorization-server",
                    &metadata("https://crm.example.com"),
                );
            }),
            "challenge_without_metadata, !resource_missing",
        ),
        (
            "nobody named",
            Shape::with(|s| {
                s.serve(PRM, &json!({"resource": SERVER}));
                s.without(ASM);
            }),
            "x issuer_unusable",
        ),
        (
            "a private sign-in of a public server",
            Shape::with(|s| s.serve(PRM, &json!({"resource": SERVER, "authorization_servers": ["https://10.1.2.3"]}))),
            "x issuer_unusable",
        ),
        (
            "a name that leads into the network",
            Shape::with(|s| s.silent.push((ISSUER, Silence::Forbidden("private".into())))),
            "x issuer_forbidden",
        ),
        (
            "a sign-in that is away",
            Shape::with(|s| s.silent.push((ISSUER, Silence::Unreachable("refused".into())))),
            "x issuer_unreachable",
        ),
        (
            "a sign-in with a strange certificate",
            Shape::with(|s| s.silent.push((ISSUER, Silence::Certificate("unknown".into())))),
            "x issuer_certificate",
        ),
        (
            "a sign-in out of order",
            Shape::with(|s| {
                s.pages.insert(ASM.into(), (500, Vec::new(), String::new()));
            }),
            "x issuer_trouble",
        ),
        ("a sign-in without a description", Shape::with(|s| s.without(ASM)), "x issuer_without_metadata"),
        (
            "another sign-in's description",
            Shape::issuer(|d| d["issuer"] = "https://evil.example.com".into()),
            "x issuer_is_another",
        ),
        (
            "plain http",
            Shape::issuer(|d| d["token_endpoint"] = "http://idp.example.com/token".into()),
            "x issuer_unsound",
        ),
        ("no token endpoint", Shape::issuer(|d| d["token_endpoint"] = Value::Null), "x issuer_unsound"),
        (
            "PKCE without S256",
            Shape::issuer(|d| d["code_challenge_methods_supported"] = json!(["plain"])),
            "x pkce_missing",
        ),
        ("no codes", Shape::issuer(|d| d["response_types_supported"] = json!(["token"])), "x code_flow_missing"),
        (
            "proofs that we cannot give",
            Shape::issuer(|d| d["token_endpoint_auth_methods_supported"] = json!(["tls_client_auth"])),
            "x client_auth_unknown",
        ),
        ("no registration", Shape::issuer(|d| d["registration_endpoint"] = Value::Null), "x registration_missing"),
        (
            "registration by document alone",
            Shape::issuer(|d| {
                d["registration_endpoint"] = Value::Null;
                d["client_id_metadata_document_supported"] = true.into();
            }),
            "",
        ),
        (
            "nothing lasts",
            Shape::issuer(|d| {
                d["grant_types_supported"] = json!(["authorization_code"]);
                d["scopes_supported"] = json!(["openid", "crm.read"]);
            }),
            "!short_sign_in",
        ),
        ("permissions that nobody knows", Shape::with(|s| s.scopes = vec!["crm.everything".into()]), "scopes_unknown"),
        (
            "questions handed in beforehand",
            Shape::issuer(|d| d["require_pushed_authorization_requests"] = true.into()),
            "pushed_required",
        ),
        (
            "two sign-ins, the first of which is away",
            Shape::with(|s| {
                s.serve(
                    PRM,
                    &json!({"resource": SERVER, "authorization_servers": ["https://old.example.com", ISSUER]}),
                );
                s.silent.push(("https://old.example.com", Silence::Unreachable("refused".into())));
            }),
            "!issuer_unreachable",
        ),
        (
            "two sign-ins",
            Shape::with(|s| {
                s.serve(PRM, &json!({"resource": SERVER, "authorization_servers": [ISSUER, "https://two.example.com"]}))
            }),
            "other_issuers",
        ),
        (
            "open to anybody",
            Shape::with(|s| {
                s.knock = hello();
                s.pages.clear();
            }),
            "open_server",
        ),
        ("open, and described", Shape::with(|s| s.knock = hello()), "open_server, !open_but_described"),
        ("a fixed header", Shape::with(|s| s.means = Means::NoSignIn), "fixed_means"),
        (
            "a clock of ours that is wrong",
            Shape::with(|s| {
                s.dates = vec![
                    ("crm.example.com", "Sat, 21 Nov 2026 08:00:00 GMT"),
                    ("idp.example.com", "Sat, 21 Nov 2026 08:00:02 GMT"),
                ]
            }),
            "!our_clock_off",
        ),
        (
            "a clock of theirs that is wrong",
            Shape::with(|s| {
                s.dates = vec![
                    ("crm.example.com", "Sat, 21 Nov 2026 09:00:00 GMT"),
                    ("idp.example.com", "Sat, 21 Nov 2026 09:06:00 GMT"),
                ]
            }),
            "!clock_off",
        ),
        (
            "clocks that are right enough",
            Shape::with(|s| {
                s.dates = vec![
                    ("crm.example.com", "Sat, 21 Nov 2026 09:04:00 GMT"),
                    ("idp.example.com", "Sat, 21 Nov 2026 08:57:00 GMT"),
                ]
            }),
            "",
        ),
    ]
}
