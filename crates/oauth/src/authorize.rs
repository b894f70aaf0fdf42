//! The authorization request, and the judgement of what comes back from it.

use std::borrow::Cow;
use std::fmt;

use keybearer_model::secret::Secret;
use keybearer_model::url::Endpoint;
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use url::Url;
use url::form_urlencoded;

use crate::login::{Entropy, LoginError};
use crate::metadata::{AuthorizationServer, CallbackIssuer};
use crate::profile::{OfflineConsent, Profile};
use crate::text::shown;

/// What an authorization request is made of.
pub(crate) struct Authorization<'a> {
    pub(crate) issuer: &'a AuthorizationServer,
    pub(crate) profile: &'a Profile,
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) resource: Option<&'a str>,
    pub(crate) entropy: &'a Entropy,
}

/// Where the person is sent, and with what.
pub(crate) struct Page {
    /// The endpoint, with the parameters of its own.
    pub(crate) endpoint: Url,
    /// Ours.
    pub(crate) parameters: Vec<(String, String)>,
}

/// The parameters hold the state: only their number is printed.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({}, {} parameters)", self.endpoint.path(), self.parameters.len())
    }
}

impl Page {
    /// The address with everything in it.
    pub(crate) fn whole(mut self) -> String {
        self.endpoint.query_pairs_mut().extend_pairs(self.parameters);
        self.endpoint.into()
    }
}

impl Authorization<'_> {
    /// Where the person is sent. `None` only if an address that was judged before does not parse now.
    pub(crate) fn page(&self) -> Option<Page> {
        let extra = self.extra();
        let endpoint = without(&self.issuer.authorization, &extra);
        let mut bare = endpoint.clone();
        bare.set_query(None);
        let client = BasicClient::new(ClientId::new(self.client_id.to_owned()))
            .set_auth_uri(AuthUrl::new(bare.into()).ok()?)
            .set_redirect_uri(RedirectUrl::new(self.redirect_uri.to_owned()).ok()?);
        let verifier = PkceCodeVerifier::new(self.entropy.verifier.expose().to_owned());
        let mut request = client
            .authorize_url(|| CsrfToken::new(self.entropy.state.expose().to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if !self.scopes.is_empty() {
            request = request.add_scope(Scope::new(self.scopes.join(self.profile.scope_joiner())));
        }
        for (name, value) in extra {
            request = request.add_extra_param(name, value);
        }
        let whole = request.url().0;
        let parameters = whole.query_pairs().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
        Some(Page { endpoint, parameters })
    }

    fn extra(&self) -> Vec<(&str, Cow<'_, str>)> {
        let asks = |scope: &str| self.scopes.iter().any(|asked| asked == scope);
        let mut extra: Vec<(&str, Cow<'_, str>)> = self.profile.authorize().map(|(n, v)| (n, v.into())).collect();
        if let Some(resource) = self.resource {
            extra.push(("resource", resource.into()));
            extra.extend(self.profile.resource_also().map(|name| (name, resource.into())));
        }
        if asks("openid") {
            extra.push(("nonce", self.entropy.nonce.expose().into()));
        }
        let silent = self.profile.offline_consent() == OfflineConsent::Silent;
        if asks("offline_access") && !silent && !extra.iter().any(|(name, _)| *name == "prompt") {
            extra.push(("prompt", "consent".into()));
        }
        extra
    }
}

/// The endpoint without the parameters that we set: some issuers' metadata carries a `resource` of its own, and a
/// parameter that comes twice is an error (RFC 6749 §3.1).
fn without(endpoint: &Endpoint, extra: &[(&str, Cow<'_, str>)]) -> Url {
    const OURS: [&str; 8] = [
        "response_type",
        "client_id",
        "state",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "scope",
        "request_uri",
    ];
    let mut url = endpoint.as_url().clone();
    if url.query().is_none() {
        return url;
    }
    let kept: Vec<(String, String)> = endpoint
        .as_url()
        .query_pairs()
        .filter(|(name, _)| !OURS.contains(&name.as_ref()) && !extra.iter().any(|(ours, _)| name == ours))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    url
}

/// What a callback means.
#[derive(Debug)]
pub(crate) enum Callback {
    /// It is not of this sign-in: wait for the right one (SEC-23).
    Foreign,
    /// The code to redeem.
    Code(Secret),
    /// It is of this sign-in, and ends it.
    End(LoginError),
}

/// Judges a callback's query: first the state, then who answers (RFC 9207), only then what is said.
pub(crate) fn judge(query: &str, state: &Secret, issuer: &AuthorizationServer) -> Callback {
    let pairs: Vec<_> = form_urlencoded::parse(query.trim_start_matches('?').as_bytes()).collect();
    // RFC 6749 §3.1: a parameter comes once. With two of one name, two readers could see two different callbacks.
    let once = |name: &str| {
        let mut values = pairs.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_ref());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(()),
        }
    };
    let (Ok(returned), Ok(iss), Ok(error), Ok(code)) = (once("state"), once("iss"), once("error"), once("code")) else {
        return Callback::Foreign;
    };
    if !returned.is_some_and(|returned| state.matches(returned)) {
        return Callback::Foreign;
    }
    let from_issuer = match (iss, issuer.callback_issuer) {
        (Some(iss), _) => iss == issuer.issuer.as_str(),
        (None, CallbackIssuer::Promised) => false,
        (None, CallbackIssuer::Unspecified) => true,
    };
    let name = || issuer.issuer.to_string();
    match (from_issuer, error, code) {
        (false, _, _) => Callback::End(LoginError::MixedUp { issuer: name() }),
        (true, Some(error), _) => {
            let words = once("error_description").ok().flatten().unwrap_or_default();
            let detail = shown(&if words.is_empty() { error.to_owned() } else { format!("{error}: {words}") });
            Callback::End(if error == "access_denied" {
                LoginError::Declined { issuer: name(), detail }
            } else {
                LoginError::Refused { issuer: name(), detail }
            })
        }
        (true, None, Some(code)) if !code.is_empty() => Callback::Code(Secret::new(code.to_owned())),
        (true, None, Some(_) | None) => {
            Callback::End(LoginError::BadReply { issuer: name(), what: "the callback has no code".to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn issuer(callback_issuer: CallbackIssuer) -> AuthorizationServer {
        let found = AuthorizationServer::by_convention(&"https://idp.test/mcp".parse().unwrap()).unwrap();
        AuthorizationServer { callback_issuer, ..found }
    }

    fn check(promise: CallbackIssuer, query: &str, want: &Expect) {
        let said = match judge(query, &Secret::new("right".into()), &issuer(promise)) {
            Callback::Foreign => "foreign".to_owned(),
            Callback::Code(code) => format!("code {}", code.expose()),
            Callback::End(error) => error.to_string(),
        };
        want.assert_eq(&said);
    }

    #[test]
    fn c16_the_table_of_rfc_9207() {
        use CallbackIssuer::{Promised, Unspecified};
        let mixed_up = expect!["the answer to the sign-in does not come from `https://idp.test`"];
        for promise in [Promised, Unspecified] {
            check(promise, "state=right&code=c&iss=https://idp.test", &expect!["code c"]);
            for wrong in ["https://idp.test/", "https://IDP.test", "https://evil.test", "", "https%3A%2F%2Fidp.test%20"]
            {
                check(promise, &format!("state=right&code=c&iss={wrong}"), &mixed_up);
                check(promise, &format!("state=right&error=x&error_description=call+me&iss={wrong}"), &mixed_up);
            }
        }
        check(Promised, "state=right&code=c", &mixed_up);
        check(Promised, "state=right&error=access_denied", &mixed_up);
        check(Unspecified, "?state=right&code=c", &expect!["code c"]);
    }

    #[test]
    fn c17_only_this_sign_ins_callback_counts() {
        for foreign in ["", "code=c", "state=&code=c", "state=righ&code=c", "state=right&state=wrong&code=c", "error=x"]
        {
            check(CallbackIssuer::Unspecified, foreign, &expect!["foreign"]);
        }
        check(CallbackIssuer::Unspecified, "state=right&code=a&code=b", &expect!["foreign"]);
    }

    #[test]
    fn errors_are_told_in_clean_words() {
        check(
            CallbackIssuer::Unspecified,
            "state=right&error=access_denied&error_description=No%0A%E2%80%AEyou",
            &expect!["`https://idp.test` was not allowed to sign in: access_denied: No you"],
        );
        check(
            CallbackIssuer::Unspecified,
            "state=right&error=invalid_scope&code=c",
            &expect!["`https://idp.test` refused the sign-in: invalid_scope"],
        );
        check(
            CallbackIssuer::Unspecified,
            "state=right",
            &expect!["the answer of `https://idp.test` cannot be used: the callback has no code"],
        );
    }
}
