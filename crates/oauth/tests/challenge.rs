//! A challenge that is written by the rules of RFC 9110 §11.6.1 is read as it was meant, whatever stands around it.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use keybearer_oauth::challenge::Challenge;
use proptest::prelude::*;

/// A parameter's text: what RFC 6750 §3 lets stand there.
fn text() -> impl Strategy<Value = String> {
    "[!#-\\[\\]-~]{1,12}( [!#-\\[\\]-~]{1,12}){0,3}"
}

fn challenge() -> impl Strategy<Value = Challenge> {
    let place = prop::option::of("https://[a-z]{1,10}\\.example/[a-z0-9/,=._~-]{0,20}");
    (place, prop::option::of(text()), prop::option::of("[a-z_]{1,20}")).prop_map(|(place, scope, error)| Challenge {
        resource_metadata: place.map(|place| place.parse().unwrap()),
        scope,
        error,
    })
}

/// Another scheme's challenge, as browsers meet them.
fn stranger() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "Basic realm=\"a, b\", ",
        "Negotiate, ",
        "Digest qop=\"auth, auth-int\", nonce=\"x=y\", ",
    ])
}

/// Writes a challenge, each value in quotes.
fn written(challenge: &Challenge, upper: bool) -> String {
    let metadata = challenge.resource_metadata.as_ref().map(ToString::to_string);
    let parameters = [
        ("realm", Some("x".to_owned())),
        ("resource_metadata", metadata),
        ("scope", challenge.scope.clone()),
        ("error", challenge.error.clone()),
    ];
    let parameters = parameters.into_iter().filter_map(|(name, value)| {
        let name = if upper { name.to_uppercase() } else { name.to_owned() };
        Some(format!("{name}=\"{}\"", value?.replace('\\', "\\\\").replace('"', "\\\"")))
    });
    format!("Bearer {}", parameters.collect::<Vec<_>>().join(", "))
}

proptest! {
    #[test]
    fn a_challenge_is_read_as_it_was_written(challenge in challenge(), stranger in stranger(), upper in any::<bool>()) {
        let header = format!("{stranger}{}", written(&challenge, upper));
        let mut headers = HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_str(&header).unwrap());
        prop_assert_eq!(Challenge::parse(&headers), Some(challenge), "{}", header);
    }
}
