//! A scripted issuer with opinions, and the walk of one sign-in through it, told line by line.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use expect_test::Expect;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use keybearer_model::grant::ClientAuth;
use keybearer_model::secret::Secret;
use keybearer_model::time::Timestamp;
use keybearer_oauth::challenge::Challenge;
use keybearer_oauth::exceptions::Exceptions;
use keybearer_oauth::login::{
    Before, Effect, Entropy, Input, Login, LoginError, LoginRequest, Obtained, PreRegistered, Purpose, Way,
};
use keybearer_oauth::registration::KnownClient;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

/// 2023-11-14T22:13:20Z.
pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const SERVER: &str = "https://crm.test/mcp";
pub(crate) const ISSUER: &str = "https://idp.test";
pub(crate) const PRM: &str = "https://crm.test/.well-known/oauth-protected-resource/mcp";
pub(crate) const ASM: &str = "https://idp.test/.well-known/oauth-authorization-server";
const REDIRECT: &str = "http://127.0.0.1:49152/callback";

type Register = Box<dyn Fn(&Value) -> (u16, Value)>;
type BendReply = Box<dyn Fn(&mut u16, &mut Value)>;
type BendToken = Box<dyn Fn(&mut Value, &mut Value)>;

/// The issuer, the server, and the person; every field is a dial.
pub(crate) struct World {
    pub(crate) server: &'static str,
    pub(crate) challenge: Option<&'static str>,
    pub(crate) client: Option<(&'static str, ClientAuth)>,
    /// Which issuer the client is set for.
    pub(crate) client_issuer: Option<&'static str>,
    /// How the client authenticates is left to the issuer.
    pub(crate) auth_is_open: bool,
    pub(crate) document: Option<&'static str>,
    pub(crate) known: Vec<KnownClient>,
    pub(crate) scopes: Vec<&'static str>,
    pub(crate) before: Option<Before>,
    pub(crate) purpose: Purpose,
    pub(crate) exceptions: Exceptions,
    /// How pushed requests are answered: status and body.
    pub(crate) pushed: (u16, Value),
    /// What GET answers: status, content type, body. All else is 404.
    pub(crate) pages: BTreeMap<String, (u16, &'static str, Value)>,
    /// How the registration answers; `None` is 404.
    pub(crate) registration: Option<Register>,
    /// What the browser brings back, one after the other; `{state}` and `{code}` are filled in.
    pub(crate) callbacks: Vec<&'static str>,
    /// Changes the token reply before it is sent.
    pub(crate) token: BendReply,
    /// Changes the ID token's header and claims before it is signed; `None` issues none.
    pub(crate) id_token: Option<BendToken>,
    /// The issuer's keys, where they are not its own.
    pub(crate) keys: Option<Value>,
    /// The `Date` of the token reply.
    pub(crate) date: Option<&'static str>,
    /// What the place for codes answers first, and the token endpoint then, one after the other; where there are any,
    /// the person signs in by a code.
    pub(crate) codes: Vec<(u16, Value)>,
    /// Hosts that nobody answers at.
    pub(crate) silent_hosts: Vec<&'static str>,
    pub(crate) code_forms: Vec<BTreeMap<String, String>>,
    authorized: Option<BTreeMap<String, String>>,
    pub(crate) code: Option<String>,
    registered_secret: Option<String>,
    /// The secret of a client that was registered before.
    pub(crate) known_secret: Option<String>,
    key: CoreEdDsaPrivateSigningKey,
    published: CoreEdDsaPrivateSigningKey,
}

impl World {
    /// All is well: metadata by the newest rules, dynamic registration, OpenID Connect.
    pub(crate) fn new() -> Self {
        let mut world = Self {
            server: SERVER,
            challenge: None,
            client: None,
            client_issuer: None,
            auth_is_open: false,
            document: None,
            known: Vec::new(),
            scopes: Vec::new(),
            before: None,
            purpose: Purpose::Tokens,
            exceptions: Exceptions::default(),
            pushed: (201, json!({"request_uri": "urn:ietf:params:oauth:request_uri:r1", "expires_in": 60})),
            pages: BTreeMap::new(),
            registration: Some(Box::new(|_| (201, json!({"client_id": "dcr-1"})))),
            callbacks: vec!["?code={code}&state={state}"],
            token: Box::new(|_, _| {}),
            id_token: None,
            keys: None,
            date: None,
            codes: Vec::new(),
            silent_hosts: Vec::new(),
            code_forms: Vec::new(),
            authorized: None,
            code: None,
            registered_secret: None,
            known_secret: None,
            key: signing_key(),
            published: signing_key(),
        };
        world.page(PRM, json!({"resource": SERVER, "authorization_servers": [ISSUER]}));
        world.page(ASM, issuer_metadata(ISSUER));
        world.publish_own_key();
        world
    }

    /// With an account to show.
    pub(crate) fn with_openid() -> Self {
        let mut world = Self::new();
        world.metadata(|m| m["scopes_supported"] = json!(["openid", "email"]));
        world.id_token = Some(Box::new(|_, _| {}));
        world
    }

    pub(crate) fn page(&mut self, url: &str, body: Value) {
        self.pages.insert(url.to_owned(), (200, "application/json; charset=utf-8", body));
    }

    /// Changes the issuer's metadata.
    pub(crate) fn metadata(&mut self, change: impl Fn(&mut Value)) {
        change(&mut self.pages.get_mut(ASM).unwrap().2);
    }

    fn publish_own_key(&mut self) {
        let seed = Secret::mint("").unwrap();
        (self.key, self.published) = (key_of(&seed), key_of(&seed));
    }

    /// From now on it signs with a key that nobody knows.
    pub(crate) fn forge(&mut self) {
        self.key = signing_key();
    }

    fn answer(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let url = request.uri().to_string();
        let path = request.uri().path().to_owned();
        let (status, kind, body) = match (request.method(), path.as_str()) {
            (&Method::GET, "/jwks") => {
                let own = || json!({"keys": [self.published.as_verification_key()]});
                (200, "application/json", self.keys.clone().unwrap_or_else(own))
            }
            (&Method::GET, _) => self.pages.get(&url).cloned().unwrap_or((404, "text/plain", json!("not here"))),
            (&Method::POST, "/register") => {
                let asked: Value = serde_json::from_slice(request.body()).unwrap();
                let answer = self.registration.as_ref().map_or((404, json!("not here")), |register| register(&asked));
                let public = answer.1["token_endpoint_auth_method"] == "none";
                self.registered_secret = answer.1["client_secret"].as_str().filter(|_| !public).map(str::to_owned);
                (answer.0, "application/json", answer.1)
            }
            (&Method::POST, "/device" | "/token") if !self.codes.is_empty() => {
                let form: BTreeMap<String, String> = form_urlencoded::parse(request.body()).into_owned().collect();
                self.code_forms.push(form);
                let (status, body) = self.codes.remove(0);
                (status, "application/json", body)
            }
            (&Method::POST, "/par") => {
                self.authorized = Some(form_urlencoded::parse(request.body()).into_owned().collect());
                (self.pushed.0, "application/json", self.pushed.1.clone())
            }
            (&Method::POST, "/token") => self.redeem(request),
            _ => panic!("asked for {} {url}", request.method()),
        };
        let mut reply = Response::builder().status(status).header("content-type", kind);
        if let Some(date) = self.date.filter(|_| path == "/token") {
            reply = reply.header("date", date);
        }
        reply.body(if kind == "text/html" { b"<html>".to_vec() } else { body.to_string().into_bytes() }).unwrap()
    }

    /// A token endpoint that refuses whatever the RFCs refuse.
    fn redeem(&mut self, request: &Request<Vec<u8>>) -> (u16, &'static str, Value) {
        let form: BTreeMap<String, String> = form_urlencoded::parse(request.body()).into_owned().collect();
        let asked = self.authorized.clone().unwrap();
        let verifier = form.get("code_verifier").cloned().unwrap_or_default();
        let basic = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let known_secret = match self.client {
            Some((_, ClientAuth::None)) | None => self.registered_secret.clone().or(self.known_secret.clone()),
            Some(_) => Some("cAnArY secret".to_owned()),
        };
        let shown = basic.as_ref().map_or(form.get("client_secret").cloned(), |basic| {
            let pair = String::from_utf8(STANDARD.decode(basic.strip_prefix("Basic ").unwrap()).unwrap()).unwrap();
            let (id, secret) = pair.split_once(':').unwrap();
            let plain = |text: &str| form_urlencoded::parse(text.as_bytes()).next().unwrap().0.into_owned();
            assert_eq!(Some(&plain(id)), asked.get("client_id"));
            Some(plain(secret))
        });
        let checks = [
            ("code", form.contains_key("code") && form.get("code") == self.code.take().as_ref()),
            ("verifier", asked.get("code_challenge") == Some(&URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)))),
            ("redirect_uri", form.get("redirect_uri") == asked.get("redirect_uri")),
            ("method", asked.get("code_challenge_method").is_some_and(|method| method == "S256")),
            ("resource", form.get("resource") == asked.get("resource")),
            ("client", basic.is_some() != form.contains_key("client_id")),
            ("secret", shown == known_secret),
        ];
        if let Some((what, _)) = checks.into_iter().find(|(_, good)| !good) {
            return (400, "application/json", json!({"error": "invalid_grant", "error_description": what}));
        }
        let mut reply = json!({
            "access_token": "cAnArY-access", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "cAnArY-refresh",
        });
        if self.id_token.is_some() {
            let client = asked["client_id"].clone();
            reply["id_token"] = self.id_token_for(&client, asked.get("nonce")).into();
        }
        let mut status = 200;
        (self.token)(&mut status, &mut reply);
        (status, "application/json", reply)
    }
}

impl World {
    /// An ID token for this client, bent as the dial says.
    pub(crate) fn id_token_for(&self, client: &str, nonce: Option<&String>) -> String {
        let mut header = json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"});
        let mut claims = json!({
            "iss": ISSUER, "sub": "u-1", "aud": client, "nonce": nonce,
            "iat": NOW, "exp": NOW + 300, "email": "ada@example.com", "name": "Ada", "email_verified": "true",
        });
        if let Some(bend) = &self.id_token {
            bend(&mut header, &mut claims);
        }
        sign(&self.key, &header, &claims)
    }
}

pub(crate) fn issuer_metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": "https://idp.test/authorize",
        "token_endpoint": "https://idp.test/token",
        "registration_endpoint": "https://idp.test/register",
        "revocation_endpoint": "https://idp.test/revoke",
        "jwks_uri": "https://idp.test/jwks",
        "code_challenge_methods_supported": ["S256"],
    })
}

/// A key that exists for one test: 32 random bytes in the shape of RFC 8410.
fn signing_key() -> CoreEdDsaPrivateSigningKey {
    key_of(&Secret::mint("").unwrap())
}

fn key_of(seed: &Secret) -> CoreEdDsaPrivateSigningKey {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend(URL_SAFE_NO_PAD.decode(seed.expose()).unwrap());
    let label = "PRIVATE KEY";
    let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("k1".into()))).unwrap()
}

fn sign(key: &CoreEdDsaPrivateSigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(&CoreJwsSigningAlgorithm::EdDsa, input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Walks one sign-in to its end and compares what was said on the way.
#[track_caller]
pub(crate) fn check(world: World, want: &Expect) {
    want.assert_eq(&walk(world).0);
}

/// One sign-in: what was asked and answered, and what it gave.
pub(crate) fn walk(world: World) -> (String, Option<Obtained>) {
    let (told, end) = to_the_end(world);
    (told, end.ok())
}

/// Why a sign-in fails.
#[track_caller]
pub(crate) fn error(world: World) -> LoginError {
    to_the_end(world).1.unwrap_err()
}

fn to_the_end(mut world: World) -> (String, Result<Obtained, LoginError>) {
    let mut told = String::new();
    let entropy = Entropy {
        state: Secret::mint("").unwrap(),
        verifier: Secret::mint("").unwrap(),
        nonce: Secret::mint("").unwrap(),
    };
    let private = [entropy.state.duplicate(), entropy.verifier.duplicate(), entropy.nonce.duplicate()];
    let (mut login, mut effect) = Login::begin(LoginRequest {
        upstream: world.server.parse().unwrap(),
        challenge: world.challenge.and_then(challenge),
        client: world.client.map(|(id, auth)| PreRegistered {
            client_id: id.to_owned(),
            secret: (auth != ClientAuth::None).then(|| Secret::new("cAnArY secret".to_owned())),
            auth: (!world.auth_is_open).then_some(auth),
            issuer: world.client_issuer.map(|issuer| issuer.parse().unwrap()),
        }),
        document: world.document.map(|address| address.parse().unwrap()),
        known: std::mem::take(&mut world.known),
        before: world.before.take(),
        purpose: world.purpose,
        exceptions: std::mem::take(&mut world.exceptions),
        scopes: world.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        way: if world.codes.is_empty() { Way::Page } else { Way::Code },
        entropy,
        client_name: "Keybearer".to_owned(),
        now: Timestamp::from_millis(NOW * 1000),
    });
    let mut callbacks = std::mem::take(&mut world.callbacks).into_iter();
    let mut state = String::new();
    for _ in 0..40 {
        let printed = format!("{login:?} {effect:?}");
        let leaked = private.iter().any(|secret| printed.contains(secret.expose())) || printed.contains("cAnArY");
        assert!(!leaked, "a secret is printed in {printed}");
        let input = match effect {
            Effect::Fetch(request) if world.silent_hosts.contains(&request.uri().host().unwrap()) => {
                told += &format!("{} {} unreachable\n", request.method(), request.uri());
                Input::Unreachable("no route to it".to_owned())
            }
            Effect::Fetch(request) => {
                let reply = world.answer(&request);
                told += &format!("{} {} {}\n", request.method(), request.uri(), reply.status().as_u16());
                for (name, value) in world.code_forms.pop().into_iter().flatten() {
                    told += &format!("     {name}={value}\n");
                }
                Input::Fetched(reply)
            }
            // No line of its own: it comes between finding the issuer and being known there.
            Effect::OpenWayBack(_) => Input::WayBack(REDIRECT.to_owned()),
            Effect::Present { url, .. } => {
                let url = Url::parse(&url).unwrap();
                let asked: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
                assert_eq!(asked.len(), url.query_pairs().count(), "a parameter comes twice: {url}");
                told += &format!("OPEN {}\n", &url[..url::Position::AfterPath]);
                for (name, value) in &asked {
                    let drawn = ["state", "nonce", "code_challenge"].contains(&name.as_str());
                    told += &format!("     {name}={}\n", if drawn { "[DRAWN]" } else { value });
                }
                if !asked.contains_key("request_uri") {
                    world.authorized = Some(asked);
                }
                state = world.authorized.as_ref().unwrap()["state"].clone();
                world.code = Some(Secret::mint("cAnArY-code-").unwrap().expose().to_owned());
                Input::Presented
            }
            Effect::AwaitCallback => match callbacks.next() {
                Some(query) => {
                    told += &format!("BACK {query}\n");
                    let code = world.code.clone().unwrap_or_default();
                    Input::Callback(query.replace("{state}", &state).replace("{code}", &code))
                }
                None => Input::Cancelled,
            },
            Effect::ShowCode(shown) => {
                told +=
                    &format!("CODE {} at {} or {}\n", shown.code, shown.address, shown.whole.as_deref().unwrap_or("-"));
                Input::Presented
            }
            Effect::Wait(time) => {
                told += &format!("WAIT {time:?}\n");
                Input::Waited
            }
            Effect::Done(obtained) => {
                let facts = &obtained.grant.facts;
                told += &format!("DONE {} at {} as {}", facts.account, facts.issuer, facts.client_id);
                told += &format!(" for {} [{}]\n", facts.resource.as_deref().unwrap_or("-"), facts.scopes.join(" "));
                return (told, Ok(*obtained));
            }
            Effect::Fail(error) => return (told + &format!("FAIL {error}\n"), Err(error)),
        };
        (login, effect) = login.step(input);
    }
    panic!("it does not end:\n{told}");
}

fn challenge(text: &str) -> Option<Challenge> {
    let mut headers = HeaderMap::new();
    headers.insert("www-authenticate", HeaderValue::from_str(text).unwrap());
    Challenge::parse(&headers)
}
