//! Metadata (RFC 8414, OpenID Connect Discovery) and keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Desk;
use super::dials::{IssParameter, PushedRequests};

/// Both well-known documents are the same.
pub(super) async fn metadata(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(document(&desk))
}

/// The public keys.
pub(super) async fn jwks(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(desk.signer.jwks())
}

fn document(desk: &Desk) -> Value {
    let issuer = &desk.issuer;
    let scopes = desk.book().scopes();
    let dials = desk.dials();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "introspection_endpoint": format!("{issuer}/introspect"),
        "jwks_uri": format!("{issuer}/jwks"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": dials.iss != IssParameter::NotOffered,
    });
    if dials.registration {
        document["registration_endpoint"] = json!(format!("{issuer}/register"));
    }
    if dials.revocation {
        document["revocation_endpoint"] = json!(format!("{issuer}/revoke"));
        document["revocation_endpoint_auth_methods_supported"] =
            json!(["none", "client_secret_basic", "client_secret_post"]);
    }
    if dials.pushed_requests != PushedRequests::NotOffered {
        document["pushed_authorization_request_endpoint"] = json!(format!("{issuer}/par"));
        document["require_pushed_authorization_requests"] = json!(dials.pushed_requests == PushedRequests::Required);
    }
    if dials.documents {
        document["client_id_metadata_document_supported"] = json!(true);
    }
    if dials.s256 {
        document["code_challenge_methods_supported"] = json!(["S256"]);
    }
    document
}
