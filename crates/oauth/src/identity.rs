//! Who signed in: the ID token, verified with `openidconnect` (OpenID Connect Core §3.1.3.7).

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use keybearer_model::grant::Account;
use keybearer_model::secret::Secret;
use keybearer_model::time::Timestamp;
use keybearer_model::url::Issuer;
use openidconnect::core::{
    CoreGenderClaim, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, ClaimsVerificationError, ClientId, IdToken, IdTokenClaims,
    IssuerUrl, Nonce,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::shown;

/// How far the issuer's clock and ours may be apart.
const LEEWAY: Duration = Duration::from_secs(5 * 60);

/// Signatures that only the issuer can make. What needs a shared secret proves nothing to a public client.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Claims that the crate does not know.
#[derive(Debug, Deserialize, Serialize)]
struct OtherClaims(BTreeMap<String, Value>);

impl AdditionalClaims for OtherClaims {}

type Token = IdToken<OtherClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Claims = IdTokenClaims<OtherClaims, CoreGenderClaim>;

/// What an ID token must say to be ours.
pub(crate) struct Expected<'a> {
    /// Who says it; with a `{...}` in it, a template that `tenant_claim` fills.
    pub(crate) issuer: &'a Issuer,
    pub(crate) tenant_claim: Option<&'a str>,
    pub(crate) client_id: &'a str,
    /// What it must carry, where the way of signing in has such a thing.
    pub(crate) nonce: Option<&'a Secret>,
    /// The access token that came with it, for `at_hash`.
    pub(crate) access_token: &'a Secret,
    /// When it came.
    pub(crate) now: Timestamp,
}

/// Who signed in, and the issuer by its own name, which is not the one that was asked where that is a template.
pub(crate) struct Proven {
    pub(crate) account: Account,
    pub(crate) issuer: Issuer,
}

/// Verifies `token` with the issuer's published `keys`. The error says in plain words what does not hold.
pub(crate) fn verify(token: &Secret, keys: &[u8], expected: &Expected<'_>) -> Result<Proven, String> {
    let token: Token = token.expose().parse().map_err(|_| "its ID token is malformed")?;
    let keys: CoreJsonWebKeySet = serde_json::from_slice(keys).map_err(|_| "its keys are malformed")?;
    let template = expected.tenant_claim.filter(|_| expected.issuer.as_str().contains('{'));
    let verifier = verifier(keys, expected)?.require_issuer_match(template.is_none());
    let wanted = expected.nonce.map(|nonce| Nonce::new(nonce.expose().to_owned()));
    let claims = match &wanted {
        Some(nonce) => token.claims(&verifier, nonce),
        None => token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
    };
    let claims = claims.map_err(|error| plain(&error))?;
    let issuer = match template {
        None => expected.issuer.clone(),
        Some(claim) => filled(expected.issuer, claims, claim).ok_or("its ID token is of another issuer")?,
    };
    if let Some(hash) = claims.access_token_hash() {
        let signed = token.signing_alg().and_then(|algorithm| Ok((algorithm, token.signing_key(&verifier)?)));
        let (algorithm, key) = signed.map_err(|_| "its ID token's signature is wrong")?;
        let access_token = AccessToken::new(expected.access_token.expose().to_owned());
        if AccessTokenHash::from_token(&access_token, algorithm, key).ok().as_ref() != Some(hash) {
            return Err("its ID token belongs to another access token".to_owned());
        }
    }
    judge_party(claims, expected.client_id)?;
    Ok(Proven { account: account(claims), issuer })
}

fn verifier<'a>(keys: CoreJsonWebKeySet, expected: &Expected<'_>) -> Result<CoreIdTokenVerifier<'a>, &'static str> {
    let issuer = IssuerUrl::new(expected.issuer.as_str().to_owned()).map_err(|_| "its name is no address")?;
    let at = |time: Timestamp| DateTime::from_timestamp_millis(time.as_millis()).ok_or("the clock is out of range");
    let (earliest, latest) = (at(expected.now - LEEWAY)?, at(expected.now + LEEWAY)?);
    Ok(CoreIdTokenVerifier::new_public_client(ClientId::new(expected.client_id.to_owned()), issuer, keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || earliest)
        .set_issue_time_verifier_fn(
            move |issued| {
                if issued <= latest { Ok(()) } else { Err("issued in the future".to_owned()) }
            },
        )
        // Judged below, where the authorized party is known.
        .set_other_audience_verifier_fn(|_| true))
}

/// The issuer that a template stands for, if the token names just that one.
fn filled(template: &Issuer, claims: &Claims, claim: &str) -> Option<Issuer> {
    let tenant = claims.additional_claims().0.get(claim)?.as_str()?;
    // A tenant is one word: with a slash in it, it could turn the template into any address.
    let word = !tenant.is_empty() && tenant.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'.');
    let (before, rest) = template.as_str().split_once('{')?;
    let (_, after) = rest.split_once('}')?;
    let named = claims.issuer().as_str();
    (word && named == format!("{before}{tenant}{after}")).then(|| named.parse().ok())?
}

/// OpenID Connect Core §3.1.3.7, 3 to 5: a token for several parties must say that it was made for us.
fn judge_party(claims: &Claims, client_id: &str) -> Result<(), &'static str> {
    let party = claims.authorized_party().map(|party| party.as_str());
    match (party, claims.audiences().len()) {
        (Some(party), _) if party == client_id => Ok(()),
        (None, 1) => Ok(()),
        (Some(_) | None, _) => Err("its ID token is for another app"),
    }
}

fn account(claims: &Claims) -> Account {
    let login_name = claims.preferred_username().map(|name| name.as_str()).filter(|name| name.contains('@'));
    Account {
        subject: Some(claims.subject().as_str().to_owned()),
        email: claims.email().map(|email| email.as_str()).or(login_name).map(shown),
        name: claims.name().and_then(|names| names.get(None)).map(|name| shown(name.as_str())),
    }
}

fn plain(error: &ClaimsVerificationError) -> String {
    match error {
        ClaimsVerificationError::Expired(_) => "its ID token is not of now",
        ClaimsVerificationError::InvalidAudience(_) => "its ID token is for another app",
        ClaimsVerificationError::InvalidIssuer(_) => "its ID token is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "its ID token answers another sign-in",
        ClaimsVerificationError::SignatureVerification(_) => "its ID token's signature is wrong",
        ClaimsVerificationError::Unsupported(_) | _ => "its ID token is of a kind that cannot be verified",
    }
    .to_owned()
}
