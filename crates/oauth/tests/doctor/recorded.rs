//! Servers and issuers of real kinds, as their public documents and issue trackers show them.

use keybearer_oauth::doctor::Means;
use serde_json::{Value, json};

use crate::{Shape, challenge, json_reply, metadata};

pub(crate) fn shapes() -> Vec<(&'static str, Shape, &'static str)> {
    let entra_issuer = "https://login.microsoftonline.com/t1/v2.0";
    let entra_place = "https://login.microsoftonline.com/t1/v2.0/.well-known/openid-configuration";
    let late = |shape: &mut Shape| {
        let hello = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
        shape.list = shape.knock.clone().unwrap();
        shape.knock = Ok(json_reply(200, &hello));
    };
    vec![
        (
            "Entra ID without a client id",
            Shape::at(entra_issuer, entra_place, &entra(entra_issuer)),
            "pkce_known, x registration_missing, return_unnamed, resource_left_out, revocation_missing, device_offered",
        ),
        (
            "Entra ID, common endpoint, client id set",
            {
                let issuer = "https://login.microsoftonline.com/common/v2.0";
                let place = "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration";
                let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
                let mut shape = Shape::at(issuer, place, &entra(template));
                shape.means = Means::RegisteredClient;
                shape
            },
            "issuer_known_to_deviate, pkce_known, return_unnamed, resource_left_out, revocation_missing, device_offered",
        ),
        (
            "Google: the sign-in is wanted at the first call, its name has a slash",
            {
                let place = "https://accounts.google.com/.well-known/openid-configuration";
                let mut shape = Shape::at("https://accounts.google.com/", place, &google());
                shape.means = Means::RegisteredClient;
                late(&mut shape);
                shape
            },
            "late_challenge, issuer_spelled_otherwise, return_unnamed, device_offered",
        ),
        (
            "Atlassian: no description of the server, another name in the sign-in's",
            Shape::with(|shape| {
                shape.server = "https://mcp.atlassian.com/v1/mcp";
                shape.pages.clear();
                shape.knock = Ok(challenge("Bearer realm=\"OAuth\", error=\"invalid_token\""));
                let mut document = metadata("https://cf.mcp.atlassian.com");
                document["scopes_supported"] = Value::Null;
                shape.serve("https://mcp.atlassian.com/.well-known/oauth-authorization-server", &document);
            }),
            "challenge_without_metadata, !resource_missing, issuer_known_to_deviate, account_unknown",
        ),
        (
            "Keycloak",
            Shape::at(
                "https://sso.example.com/realms/corp",
                "https://sso.example.com/realms/corp/.well-known/openid-configuration",
                &keycloak(),
            ),
            "device_offered",
        ),
        (
            "Dex: only the old place, no registration, no revocation",
            Shape::at(
                "https://dex.example.com/dex",
                "https://dex.example.com/dex/.well-known/openid-configuration",
                &dex(),
            ),
            "x registration_missing, return_unnamed, revocation_missing, device_offered",
        ),
        (
            "GitHub: no registration, scopes of its own",
            Shape::at(
                "https://github.com/login/oauth",
                "https://github.com/.well-known/oauth-authorization-server/login/oauth",
                &json!({
                    "issuer": "https://github.com/login/oauth",
                    "authorization_endpoint": "https://github.com/login/oauth/authorize",
                    "token_endpoint": "https://github.com/login/oauth/access_token",
                    "response_types_supported": ["code"],
                    "grant_types_supported": ["authorization_code", "refresh_token"],
                    "code_challenge_methods_supported": ["S256"],
                }),
            ),
            "x registration_missing, return_unnamed, revocation_missing, account_unknown",
        ),
        (
            "Slack: the sign-in's description bears another name",
            Shape::at(
                "https://mcp.slack.com",
                "https://mcp.slack.com/.well-known/oauth-authorization-server",
                &metadata("https://slack.com"),
            ),
            "issuer_known_to_deviate",
        ),
        (
            "Auth0: a slash at the end of its name",
            Shape::at(
                "https://corp.auth0.example",
                "https://corp.auth0.example/.well-known/oauth-authorization-server",
                &metadata("https://corp.auth0.example/"),
            ),
            "issuer_spelled_otherwise",
        ),
        (
            "Okta's org server: nothing but a description, no PKCE in it",
            Shape::at(
                "https://corp.okta.example",
                "https://corp.okta.example/.well-known/openid-configuration",
                &json!({
                    "issuer": "https://corp.okta.example",
                    "authorization_endpoint": "https://corp.okta.example/oauth2/v1/authorize",
                    "token_endpoint": "https://corp.okta.example/oauth2/v1/token",
                    "registration_endpoint": "https://corp.okta.example/oauth2/v1/clients",
                    "revocation_endpoint": "https://corp.okta.example/oauth2/v1/revoke",
                    "jwks_uri": "https://corp.okta.example/oauth2/v1/keys",
                    "scopes_supported": ["openid", "email", "offline_access"],
                    "response_types_supported": ["code"],
                }),
            ),
            "x pkce_missing, return_unnamed",
        ),
    ]
}

fn entra(issuer: &str) -> Value {
    let at = "https://login.microsoftonline.com/t1/oauth2/v2.0";
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{at}/authorize"),
        "token_endpoint": format!("{at}/token"),
        "device_authorization_endpoint": format!("{at}/devicecode"),
        "jwks_uri": "https://login.microsoftonline.com/t1/discovery/v2.0/keys",
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    })
}

fn google() -> Value {
    json!({
        "issuer": "https://accounts.google.com",
        "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
        "device_authorization_endpoint": "https://oauth2.googleapis.com/device/code",
        "token_endpoint": "https://oauth2.googleapis.com/token",
        "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
        "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
    })
}

fn dex() -> Value {
    json!({
        "issuer": "https://dex.example.com/dex",
        "authorization_endpoint": "https://dex.example.com/dex/auth",
        "token_endpoint": "https://dex.example.com/dex/token",
        "jwks_uri": "https://dex.example.com/dex/keys",
        "userinfo_endpoint": "https://dex.example.com/dex/userinfo",
        "device_authorization_endpoint": "https://dex.example.com/dex/device/code",
        "introspection_endpoint": "https://dex.example.com/dex/token/introspect",
        "grant_types_supported": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "scopes_supported": ["openid", "email", "groups", "profile", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    })
}

fn keycloak() -> Value {
    let at = "https://sso.example.com/realms/corp/protocol/openid-connect";
    json!({
        "issuer": "https://sso.example.com/realms/corp",
        "authorization_endpoint": format!("{at}/auth"),
        "token_endpoint": format!("{at}/token"),
        "jwks_uri": format!("{at}/certs"),
        "registration_endpoint": "https://sso.example.com/realms/corp/clients-registrations/openid-connect",
        "revocation_endpoint": format!("{at}/revoke"),
        "device_authorization_endpoint": format!("{at}/auth/device"),
        "grant_types_supported": ["authorization_code", "implicit", "refresh_token", "password", "client_credentials"],
        "response_types_supported": ["code", "none", "id_token", "token"],
        "scopes_supported": ["openid", "offline_access", "email", "profile", "roles"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
        "require_pushed_authorization_requests": false,
    })
}
