//! Values for tests.

use keybearer_model::grant::{Grant, GrantFacts};
use keybearer_model::secret::Secret;

/// The public parts of Dana's grant for a CRM.
pub(crate) fn facts() -> GrantFacts {
    serde_json::from_value(serde_json::json!({
        "id": "0123456789abcdef01234567",
        "issuer": "https://idp.test",
        "token_endpoint": "https://idp.test/token",
        "revocation_endpoint": "https://idp.test/revoke",
        "client_id": "app",
        "client_auth": "none",
        "resource": "https://crm.test/mcp",
        "scopes": ["read"],
        "account": { "subject": "dana", "email": "dana@example.com", "name": null },
        "signed_in_at": 1_795_251_600_000_u64,
    }))
    .unwrap()
}

/// That grant, with the refresh token of a generation.
pub(crate) fn grant(generation: u64) -> Grant {
    let refresh_token = Some(Secret::new(format!("cAnArY-{generation}")));
    Grant { facts: facts(), client_secret: None, refresh_token, generation }
}
