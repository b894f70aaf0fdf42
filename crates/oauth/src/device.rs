//! Signing in on another device (RFC 8628): the issuer gives a code, the person types it in where they have a browser.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use keybearer_model::grant::ClientAuth;
use keybearer_model::secret::Secret;
use keybearer_model::url::Endpoint;
use serde::Deserialize;

use crate::discovery::is_trouble;
use crate::text::shown;
use crate::token;

/// The grant type of RFC 8628 §3.4.
pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How long between two questions where the issuer does not say (RFC 8628 §3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// How much longer after `slow_down` (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// No issuer may make us ask more often than this, nor a person wait longer for their yes to be seen.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The longest life of a code that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(1800);

/// What a person needs, to sign in on any device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// Where they go.
    pub address: String,
    /// What they type there.
    pub code: String,
    /// The same address with the code in it, where the issuer has one: for a link.
    pub whole: Option<String>,
}

/// What an issuer has handed out, and how often it may be asked what became of it.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) shown: DeviceCode,
    secret: Secret,
    interval: Duration,
    left: Duration,
}

#[derive(Deserialize)]
struct Document {
    device_code: String,
    user_code: String,
    /// A widely used issuer wrote `verification_url` before there was a standard.
    #[serde(alias = "verification_url")]
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Option<f64>,
    interval: Option<f64>,
}

impl Handed {
    /// Judges what the issuer answered. Both addresses are opened by a person: they must be web addresses.
    pub(crate) fn read(reply: &Response<Vec<u8>>) -> Result<Self, Unhanded> {
        let status = reply.status();
        if is_trouble(status) {
            return Err(Unhanded::Trouble(status));
        }
        if status != StatusCode::OK {
            return Err(Unhanded::Refused(refusal(reply)));
        }
        let bad = |what: &str| Unhanded::Nonsense(what.to_owned());
        let document: Document = serde_json::from_slice(reply.body()).map_err(|_| bad("it gave no code"))?;
        let word = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic() || c == b' ')
        };
        if !word(&document.device_code, 4096) || document.device_code.contains(' ') || !word(&document.user_code, 40) {
            return Err(bad("its code cannot be shown"));
        }
        let address =
            web(&document.verification_uri).ok_or_else(|| bad("the address for its code must not be opened"))?;
        let seconds = |given: Option<f64>, otherwise: Duration| {
            given.filter(|seconds| (0.0..1e9).contains(seconds)).map_or(otherwise, Duration::from_secs_f64)
        };
        Ok(Self {
            shown: DeviceCode {
                address,
                code: document.user_code,
                whole: document.verification_uri_complete.as_deref().and_then(web),
            },
            secret: Secret::new(document.device_code),
            interval: seconds(document.interval, INTERVAL).clamp(BOUNDS.0, BOUNDS.1),
            left: seconds(document.expires_in, LONGEST_LIFE).min(LONGEST_LIFE),
        })
    }

    /// How long to wait before the next question; `None` when the code has ended.
    pub(crate) fn wait(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(self.interval)?;
        Some(self.interval)
    }

    /// The issuer asks for more time between two questions.
    pub(crate) fn slow_down(&mut self) {
        self.interval = (self.interval + SLOWER).min(BOUNDS.1);
    }

    /// The issuer was not reached (RFC 8628 §3.5: an exponential backoff).
    pub(crate) fn back_off(&mut self) {
        self.interval = (self.interval * 2).min(BOUNDS.1);
    }

    /// What became of it?
    pub(crate) fn question(&self, client: &Identity<'_>, token: &Endpoint) -> Option<Request<Vec<u8>>> {
        let parameters = [("grant_type", GRANT_TYPE), ("device_code", self.secret.expose())];
        token::form(client.id, client.secret, client.auth, token, &parameters)
    }
}

/// Who asks.
pub(crate) struct Identity<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: Option<&'a Secret>,
    pub(crate) auth: ClientAuth,
}

/// Why there is no code.
#[derive(Debug)]
pub(crate) enum Unhanded {
    Refused(String),
    Trouble(StatusCode),
    Nonsense(String),
}

/// Asks for a code for these scopes and this resource.
pub(crate) fn request(
    at: &Endpoint,
    client: &Identity<'_>,
    scopes: &str,
    resource: Option<&str>,
) -> Option<Request<Vec<u8>>> {
    let mut parameters = Vec::new();
    if !scopes.is_empty() {
        parameters.push(("scope", scopes));
    }
    parameters.extend(resource.map(|resource| ("resource", resource)));
    token::form(client.id, client.secret, client.auth, at, &parameters)
}

/// An address that may be given to a browser, as it was written.
fn web(text: &str) -> Option<String> {
    text.parse::<Endpoint>().ok().map(|endpoint| endpoint.as_url().as_str().to_owned())
}

fn refusal(reply: &Response<Vec<u8>>) -> String {
    #[derive(Deserialize)]
    struct Problem {
        error: String,
        error_description: Option<String>,
    }
    match serde_json::from_slice::<Problem>(reply.body()) {
        Ok(Problem { error, error_description: Some(words) }) => shown(&format!("{error}: {words}")),
        Ok(Problem { error, .. }) => shown(&error),
        Err(_) => format!("status {}", reply.status().as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> Result<Handed, Unhanded> {
        Handed::read(&Response::new(body.to_string().into_bytes()))
    }

    fn document() -> Value {
        json!({
            "device_code": "cAnArY", "user_code": "WDJB-MJHT", "verification_uri": "https://idp.test/device",
            "verification_uri_complete": "https://idp.test/device?user_code=WDJB-MJHT", "expires_in": 12, "interval": 5,
        })
    }

    #[test]
    fn waits_as_it_is_told_and_ends_with_the_code() {
        let mut handed = read(&document()).unwrap();
        assert_eq!((handed.wait(), handed.shown.code.as_str()), (Some(Duration::from_secs(5)), "WDJB-MJHT"));
        assert_eq!((handed.wait(), handed.wait()), (Some(Duration::from_secs(5)), None));
        let mut slower = read(&json!({
            "device_code": "d", "user_code": "u", "verification_url": "https://idp.test/device",
        }))
        .unwrap();
        slower.slow_down();
        assert_eq!(slower.wait(), Some(Duration::from_secs(10)));
        slower.back_off();
        assert_eq!(slower.wait(), Some(Duration::from_secs(20)));
        (0..9).for_each(|_| slower.back_off());
        assert_eq!(slower.wait(), Some(Duration::from_secs(60)));
    }

    #[test]
    fn only_web_addresses_and_codes_that_can_be_typed_are_shown() {
        for address in ["javascript:alert(1)", "http://idp.test/device", "https://u@idp.test/", "https://a b/", "x"] {
            let mut bent = document();
            bent["verification_uri"] = address.into();
            assert!(matches!(read(&bent), Err(Unhanded::Nonsense(_))), "{address}");
            let mut bent = document();
            bent["verification_uri_complete"] = address.into();
            assert_eq!(read(&bent).unwrap().shown.whole, None, "{address}");
        }
        for code in ["", "a\u{202e}b", "a\nb", &"x".repeat(41)] {
            let mut bent = document();
            bent["user_code"] = code.into();
            assert!(matches!(read(&bent), Err(Unhanded::Nonsense(_))), "{code:?}");
        }
        for number in [json!(-1), json!(1e300), json!(0)] {
            let mut bent = document();
            bent["interval"] = number;
            assert!(read(&bent).unwrap().wait().is_some_and(|wait| wait >= BOUNDS.0));
        }
    }
}
