//! What is known of one kind of issuer, as data: `profiles/*.toml`, each field with its evidence.
//!
//! A profile can only deviate where a field exists for it. Without one, everything is by the standards.

use std::collections::BTreeMap;
use std::time::Duration;

use keybearer_model::url::Issuer;
use serde::Deserialize;

/// The profiles of this build: file name and text.
const BUNDLED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// A value and where it can be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// The evidence for it.
    pub source: String,
}

/// Whether the issuer takes the `resource` parameter (RFC 8707).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceParameter {
    /// It takes or ignores it.
    Send,
    /// It refuses requests that have it.
    Omit,
}

/// How we know that the issuer checks PKCE's S256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PkceSupport {
    /// Its metadata says so.
    Advertised,
    /// It is known to, though its metadata is silent. Metadata that lists other methods only is refused all the same.
    Known,
}

/// Whether `offline_access` is asked for together with `prompt=consent` (OpenID Connect Core §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineConsent {
    /// As the standard wants it.
    Prompt,
    /// Without: there the prompt would ask for more than it says.
    Silent,
}

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reuse {
    /// For so long it is taken again, as when an answer was lost.
    pub grace_seconds: u64,
}

/// A time in hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// So many.
    pub hours: u32,
}

/// Which servers' bearers a refresh token gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshReach {
    /// Those of the server that was signed in for.
    ItsServer,
    /// Those of every server of the issuer.
    EveryServer,
}

/// Whether apps may register themselves where the issuer's metadata names a place for it (RFC 7591).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfRegistration {
    /// Whoever asks.
    Open,
    /// Nobody without IT.
    Closed,
}

/// Where an issuer's sign-in pages work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInPages {
    /// In a window of ours as well as in a browser.
    Anywhere,
    /// In the person's own browser alone: it refuses windows inside apps, or needs what only a browser has.
    Browser,
}

/// One kind of issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The origins whose issuers it describes, `https://*.` for every host below a domain; none for the one that
    /// describes all others.
    #[serde(default)]
    pub origins: Vec<String>,
    resource: Option<Known<ResourceParameter>>,
    resource_also: Option<Known<String>>,
    self_registration: Option<Known<SelfRegistration>>,
    pkce: Option<Known<PkceSupport>>,
    trusted_issuers: Option<Known<Vec<String>>>,
    tenant_claim: Option<Known<String>>,
    authorize: Option<Known<BTreeMap<String, String>>>,
    offline_consent: Option<Known<OfflineConsent>>,
    scope_joiner: Option<Known<String>>,
    refresh: Option<Known<Reuse>>,
    refresh_reach: Option<Known<RefreshReach>>,
    sign_in_life: Option<Known<Hours>>,
    sign_in_pages: Option<Known<SignInPages>>,
}

impl Profile {
    /// Whether `resource` is sent; it is, where nothing else is known.
    pub fn resource(&self) -> ResourceParameter {
        self.resource.as_ref().map_or(ResourceParameter::Send, |known| known.value)
    }

    /// A second parameter of the authorization request that carries what `resource` does.
    pub fn resource_also(&self) -> Option<&str> {
        self.resource_also.as_ref().map(|known| known.value.as_str())
    }

    /// Whether apps may register themselves.
    pub fn self_registration(&self) -> SelfRegistration {
        self.self_registration.as_ref().map_or(SelfRegistration::Open, |known| known.value)
    }

    /// How PKCE is known to be checked.
    pub fn pkce(&self) -> PkceSupport {
        self.pkce.as_ref().map_or(PkceSupport::Advertised, |known| known.value)
    }

    /// Whether metadata may carry `named` though another issuer was asked (SEC-25). Never used on a callback's `iss`.
    pub fn trusts(&self, named: &str) -> bool {
        self.trusted_issuers.as_ref().is_some_and(|known| known.value.iter().any(|issuer| issuer == named))
    }

    /// The ID token's claim that fills the `{...}` in a trusted issuer that is a template.
    pub fn tenant_claim(&self) -> Option<&str> {
        self.tenant_claim.as_ref().map(|known| known.value.as_str())
    }

    /// Parameters that are added to the authorization request.
    pub fn authorize(&self) -> impl Iterator<Item = (&str, &str)> {
        self.authorize.iter().flat_map(|known| known.value.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// How `offline_access` is asked for.
    pub fn offline_consent(&self) -> OfflineConsent {
        self.offline_consent.as_ref().map_or(OfflineConsent::Prompt, |known| known.value)
    }

    /// How long a refresh token that was used is taken again; not at all, where nothing is known.
    pub fn reuse_grace(&self) -> Duration {
        self.refresh.as_ref().map_or(Duration::ZERO, |known| Duration::from_secs(known.value.grace_seconds))
    }

    /// How long after the person signed in a sign-in can be renewed, whatever it is used for; unknown, if not said.
    pub fn sign_in_life(&self) -> Option<Duration> {
        self.sign_in_life.as_ref().map(|known| Duration::from_secs(u64::from(known.value.hours) * 3600))
    }

    /// For whom a refresh token gives bearers. It is never tried out: an issuer that refuses may have used the token up.
    pub fn refresh_reach(&self) -> RefreshReach {
        self.refresh_reach.as_ref().map_or(RefreshReach::ItsServer, |known| known.value)
    }

    /// Where its sign-in pages work; anywhere, where nothing else is known.
    pub fn sign_in_pages(&self) -> SignInPages {
        self.sign_in_pages.as_ref().map_or(SignInPages::Anywhere, |known| known.value)
    }

    /// What stands between scopes, in what we send and in what comes back; a space by RFC 6749 §3.3.
    pub fn scope_joiner(&self) -> &str {
        self.scope_joiner.as_ref().map_or(" ", |known| known.value.as_str())
    }
}

/// All profiles of this build.
#[derive(Clone, Debug)]
pub struct Catalog(Vec<Profile>);

impl Catalog {
    /// The profiles that are part of the program.
    pub fn bundled() -> Self {
        // A file that does not parse is caught by the test that walks them all, not by a person who signs in.
        Self(BUNDLED.iter().filter_map(|(_, text)| toml::from_str(text).ok()).collect())
    }

    /// What is known of `issuer`.
    pub fn of(&self, issuer: &Issuer) -> Profile {
        let origin = issuer.as_url().origin().ascii_serialization();
        let describes = |profile: &&Profile| profile.origins.iter().any(|pattern| covers(pattern, &origin));
        self.0.iter().find(describes).cloned().unwrap_or_default()
    }
}

/// Whether `pattern` is `origin`, or the domain that its host is below.
fn covers(pattern: &str, origin: &str) -> bool {
    match pattern.strip_prefix("https://*") {
        Some(domain) => origin.starts_with("https://") && origin.ends_with(domain),
        None => pattern == origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters of ours that a profile must not touch.
    const OURS: [&str; 9] = [
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "resource",
        "response_type",
        "scope",
        "state",
    ];

    #[test]
    fn every_bundled_profile_is_sound() {
        let mut origins = Vec::new();
        for &(name, text) in BUNDLED {
            let profile: Profile = toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let sources = [
                profile.resource.as_ref().map(|known| &known.source),
                profile.resource_also.as_ref().map(|known| &known.source),
                profile.self_registration.as_ref().map(|known| &known.source),
                profile.pkce.as_ref().map(|known| &known.source),
                profile.trusted_issuers.as_ref().map(|known| &known.source),
                profile.tenant_claim.as_ref().map(|known| &known.source),
                profile.authorize.as_ref().map(|known| &known.source),
                profile.offline_consent.as_ref().map(|known| &known.source),
                profile.scope_joiner.as_ref().map(|known| &known.source),
                profile.refresh.as_ref().map(|known| &known.source),
                profile.refresh_reach.as_ref().map(|known| &known.source),
                profile.sign_in_life.as_ref().map(|known| &known.source),
                profile.sign_in_pages.as_ref().map(|known| &known.source),
            ];
            assert!(sources.into_iter().flatten().all(|source| source.len() > 8), "{name}: a field without evidence");
            assert_eq!(profile.origins.is_empty(), name == "generic", "{name}: wants origins");
            for origin in &profile.origins {
                let origin = &origin.replace("https://*.", "https://tenant.");
                let issuer: Issuer = origin.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(&issuer.as_url().origin().ascii_serialization(), origin, "{name}: not an origin");
                assert!(origin.starts_with("https://"), "{name}: plain http");
                assert_eq!(Catalog::bundled().of(&issuer), profile, "{name}: not found by its own origin");
            }
            let trusted = profile.trusted_issuers.iter().flat_map(|known| &known.value).collect::<Vec<_>>();
            assert!(trusted.iter().all(|issuer| issuer.parse::<Issuer>().is_ok()), "{name}: not an issuer");
            let templated = trusted.iter().any(|issuer| issuer.contains('{'));
            assert_eq!(templated, profile.tenant_claim().is_some(), "{name}: a template needs its claim");
            let added = profile.authorize().map(|(key, _)| key).chain(profile.resource_also());
            assert!(added.into_iter().all(|key| !OURS.contains(&key)), "{name}: replaces a parameter of ours");
            assert!(matches!(profile.scope_joiner(), " " | "," | "+"), "{name}: joiner");
            origins.extend(profile.origins.iter().cloned());
        }
        let all = origins.len();
        origins.sort();
        origins.dedup();
        assert_eq!(origins.len(), all, "two profiles for one origin");
    }

    #[test]
    fn a_domain_covers_the_hosts_below_it_and_no_other() {
        for (origin, covered) in [
            ("https://acme.auth0.com", true),
            ("https://acme.eu.auth0.com", true),
            ("https://auth0.com", false),
            ("https://evilauth0.com", false),
            ("https://acme.auth0.com.evil.test", false),
            ("https://acme.auth0.com:8443", false),
            ("http://acme.auth0.com", false),
        ] {
            assert_eq!(covers("https://*.auth0.com", origin), covered, "{origin}");
        }
    }

    #[test]
    fn an_unknown_issuer_is_taken_by_the_standards() {
        let profile = Catalog::bundled().of(&"https://login.microsoftonline.com.evil.test/x".parse().unwrap());
        assert_eq!(profile, Profile::default());
        assert_eq!(profile.pkce(), PkceSupport::Advertised);
        let deviating = Catalog::bundled().of(&"https://login.microsoftonline.com/common/v2.0".parse().unwrap());
        assert_eq!((deviating.resource(), deviating.pkce()), (ResourceParameter::Omit, PkceSupport::Known));
    }
}
