//! Whatever comes in, the machine answers: it never panics, never opens what it must not, never prints a secret.

use http::{HeaderMap, HeaderValue, Response};
use keybearer_model::secret::Secret;
use keybearer_model::time::Timestamp;
use keybearer_oauth::challenge::Challenge;
use keybearer_oauth::exceptions::Exceptions;
use keybearer_oauth::login::{Effect, Entropy, Input, Login, LoginRequest, Purpose, Way};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{ISSUER, NOW, SERVER, World, issuer_metadata, walk};

fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(SERVER.to_owned()),
        Just(ISSUER.to_owned()),
        Just("S256".to_owned()),
        Just("https://idp.test/x?a=b".to_owned()),
        ".{0,40}",
        "[a-z]{1,8}:[/a-z.:@#\\[\\]]{0,24}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(member(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn member() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "resource",
        "authorization_servers",
        "scopes_supported",
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "jwks_uri",
        "code_challenge_methods_supported",
        "client_id",
        "client_secret",
        "token_endpoint_auth_method",
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "id_token",
        "error",
        "keys",
        "kty",
        "crv",
        "alg",
        "n",
        "e",
        "x",
        "y",
    ])
    .prop_map(str::to_owned)
}

const WAY_BACK: &str = "http://127.0.0.1:1/callback";

/// What the issuer says at one step: something nearly right that leads on, or something else altogether.
#[derive(Clone, Debug)]
enum Turn {
    NearlyRight(Option<(String, Value)>),
    Reply(u16, Vec<u8>),
    Unreachable(String),
    Presented,
    WayBack(String),
    Callback(String),
    RightCallback(String),
}

fn turn() -> impl Strategy<Value = Turn> {
    let document = prop_oneof![json_value().prop_map(|value| value.to_string().into_bytes()), any::<Vec<u8>>()];
    prop_oneof![
        40 => prop::option::weighted(0.3, (member(), json_value())).prop_map(Turn::NearlyRight),
        3 => (prop::sample::select(vec![200_u16, 201, 302, 400, 404, 500]), document).prop_map(|(s, b)| Turn::Reply(s, b)),
        1 => ".{0,20}".prop_map(Turn::Unreachable),
        1 => Just(Turn::Presented),
        1 => prop_oneof![Just(WAY_BACK.to_owned()), ".{0,20}"].prop_map(Turn::WayBack),
        1 => "[a-z=&%?0-9]{0,40}".prop_map(Turn::Callback),
        1 => "(&(code|iss|error|error_description)=[a-z%0-9]{0,12}){0,3}".prop_map(Turn::RightCallback),
    ]
}

fn nearly_right(effect: &Effect, change: Option<(String, Value)>) -> Input {
    let (status, mut document) = match effect {
        Effect::Fetch(request) => match request.uri().path().rsplit('/').next() {
            Some("mcp") => {
                (200, json!({"resource": SERVER, "authorization_servers": [ISSUER], "scopes_supported": ["a"]}))
            }
            Some("register") => (201, json!({"client_id": "c"})),
            Some("token") => (200, json!({"access_token": "t", "token_type": "bearer", "id_token": "e30.e30.e30"})),
            Some("jwks") => (200, json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]})),
            _ => (200, issuer_metadata(ISSUER)),
        },
        Effect::AwaitCallback => return Input::Callback(format!("state={}&code=c", "s".repeat(43))),
        Effect::Wait(_) => return Input::Waited,
        Effect::OpenWayBack(_) => return Input::WayBack(WAY_BACK.to_owned()),
        Effect::Present { .. } | Effect::ShowCode(_) | Effect::Done(_) | Effect::Fail(_) => return Input::Presented,
    };
    if let Some((name, value)) = change {
        document[name] = value;
    }
    Input::Fetched(Response::builder().status(status).body(document.to_string().into_bytes()).unwrap())
}

fn begin(way: Way) -> (Login, Effect) {
    let entropy = Entropy {
        state: Secret::new("s".repeat(43)),
        verifier: Secret::new("v".repeat(43)),
        nonce: Secret::new("n".repeat(43)),
    };
    Login::begin(LoginRequest {
        upstream: SERVER.parse().unwrap(),
        challenge: None,
        client: None,
        document: None,
        known: Vec::new(),
        scopes: vec!["openid".to_owned()],
        before: None,
        purpose: Purpose::Tokens,
        exceptions: Exceptions::default(),
        way,
        entropy,
        client_name: "Keybearer".to_owned(),
        now: Timestamp::from_millis(NOW * 1000),
    })
}

proptest! {
    #[test]
    fn any_header_is_read(bytes in prop::collection::vec(0x20_u8..0xff, 0..200), tail in "[Beare =,\"\\\\a-z/:]{0,60}") {
        let mut headers = HeaderMap::new();
        for value in [HeaderValue::from_bytes(&bytes).ok(), HeaderValue::from_str(&format!("Bearer {tail}")).ok()] {
            headers.extend(value.map(|value| (http::header::WWW_AUTHENTICATE, value)));
        }
        headers.append(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer scope=ok"));
        prop_assert!(Challenge::parse(&headers).is_some());
    }

    #[test]
    fn any_conversation_is_held(turns in prop::collection::vec(turn(), 8..16), by_code in any::<bool>()) {
        let (mut login, mut effect) = begin(if by_code { Way::Code } else { Way::Page });
        for turn in turns {
            match &effect {
                Effect::Fetch(request) => prop_assert_eq!(request.uri().scheme_str(), Some("https")),
                Effect::Present { url, .. } => prop_assert!(url.starts_with("https://")),
                Effect::ShowCode(code) => prop_assert!(code.address.starts_with("https://")),
                Effect::OpenWayBack(_) | Effect::AwaitCallback | Effect::Wait(_) | Effect::Done(_) => {}
                Effect::Fail(error) => {
                    let told = format!("{error} {:?}", error.hint());
                    prop_assert!(!told.chars().any(char::is_control), "{}", told);
                    break;
                }
            }
            (login, effect) = login.step(match turn {
                Turn::NearlyRight(change) => nearly_right(&effect, change),
                Turn::Reply(status, body) => Input::Fetched(Response::builder().status(status).body(body).unwrap()),
                Turn::Unreachable(cause) => Input::Unreachable(cause),
                Turn::Presented => Input::Presented,
                Turn::WayBack(address) => Input::WayBack(address),
                Turn::Callback(query) => Input::Callback(query),
                Turn::RightCallback(rest) => Input::Callback(format!("state={}{rest}", "s".repeat(43))),
            });
        }
    }

    #[test]
    fn any_keys_are_tried(keys in json_value(), key in json_value(), header in json_value()) {
        let mut world = World::with_openid();
        world.keys = Some(match keys.as_object().cloned() {
            Some(mut members) => {
                members.insert("kty".to_owned(), json!("RSA"));
                json!({"keys": [members, key]})
            }
            None => keys,
        });
        world.id_token = Some(Box::new(move |alg, _| (alg["alg"], alg["kid"]) = (json!("RS256"), header.clone())));
        let (told, obtained) = walk(world);
        prop_assert!(obtained.is_none() && told.contains("did not prove who signed in"), "{}", told);
    }
}

#[test]
fn degenerate_keys_verify_nothing() {
    for (n, e) in
        [("", ""), ("AA", "AQAB"), ("AQ", "AQ"), ("BA", "Aw"), ("_w", "Ag"), ("AQAAAAAAAAAAAAAAAAAAAAAA", "AQAB")]
    {
        for alg in ["RS256", "RS512", "PS256", "PS512"] {
            let mut world = World::with_openid();
            world.keys = Some(json!({"keys": [{"kty": "RSA", "n": n, "e": e}]}));
            world.id_token =
                Some(Box::new(move |header, _| (header["alg"], header["kid"]) = (json!(alg), Value::Null)));
            let (told, _) = walk(world);
            assert!(told.ends_with("did not prove who signed in: its ID token's signature is wrong\n"), "{told}");
        }
    }
}

#[test]
fn weak_entropy_begins_nothing() {
    let sound = || Secret::new("x".repeat(43));
    for (state, verifier) in [
        (Secret::new("short".into()), sound()),
        (sound(), Secret::new("x".repeat(129))),
        (sound(), Secret::new("ü".repeat(43))),
    ] {
        let (login, effect) = Login::begin(LoginRequest {
            upstream: SERVER.parse().unwrap(),
            challenge: None,
            client: None,
            document: None,
            known: Vec::new(),
            before: None,
            purpose: Purpose::Tokens,
            exceptions: Exceptions::default(),
            scopes: Vec::new(),
            way: Way::Page,
            entropy: Entropy { state, verifier, nonce: sound() },
            client_name: "Keybearer".to_owned(),
            now: Timestamp::from_millis(0),
        });
        assert!(matches!(effect, Effect::Fail(_)), "{effect:?}");
        assert!(matches!(login.step(Input::Presented).1, Effect::Fail(_)));
    }
}

#[test]
fn a_way_back_that_is_no_address_ends_it() {
    let (mut login, mut effect) = begin(Way::Page);
    while matches!(effect, Effect::Fetch(_)) {
        let reply = nearly_right(&effect, None);
        (login, effect) = login.step(reply);
    }
    assert!(matches!(effect, Effect::OpenWayBack(_)), "{effect:?}");
    let (login, effect) = login.step(Input::WayBack("not an address".to_owned()));
    assert!(matches!(effect, Effect::Fail(_)), "{effect:?}");
    assert!(matches!(login.step(Input::Presented).1, Effect::Fail(_)));
}
