//! The issuer's signing key (ES256) and the ID tokens that it signs.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// A key pair that lives as long as its issuer.
pub(super) struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    key_id: String,
}

impl Signer {
    /// A fresh key.
    pub(super) fn mint() -> io::Result<Self> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(no_key)?;
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).map_err(no_key)?;
        Ok(Self { pair, random, key_id: super::mint::id("key")? })
    }

    /// The public half as a JWK set (RFC 7517).
    pub(super) fn jwks(&self) -> Value {
        // An uncompressed point: the byte 4, then x and y of 32 bytes each.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }] })
    }

    /// The claims as a signed token (RFC 7515, compact).
    pub(super) fn sign(&self, claims: &Value) -> io::Result<String> {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.key_id });
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signature = self.pair.sign(&self.random, token.as_bytes()).map_err(no_key)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }
}

/// The half of a digest that binds an access token to its ID token (OpenID Connect Core §3.1.3.6).
pub(super) fn half_digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&keybearer_model::secret::digest(token)[..16])
}

fn no_key(cause: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("the issuer's signing key failed: {cause}"))
}
