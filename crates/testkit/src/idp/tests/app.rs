//! A client that is well-behaved until a test bends one of its requests.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::follow::{self, Conduct, Lost};
use crate::http1;
use crate::idp::{Account, FakeIdp, Verifier};
use crate::ports::ManualClock;

pub(super) const RESOURCE: &str = "http://127.0.0.1:1/mcp";
pub(super) const REDIRECT: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-at-least-or-more";

pub(super) struct App {
    pub(super) idp: FakeIdp,
    pub(super) clock: Arc<ManualClock>,
    pub(super) dana: Account,
    pub(super) verifier: Verifier,
    pub(super) client_id: String,
}

impl App {
    pub(super) async fn registered() -> Self {
        let clock = Arc::new(ManualClock::default());
        let idp = FakeIdp::start("Test sign-in", Arc::<ManualClock>::clone(&clock)).await.unwrap();
        let dana = idp.add_account("dana", "Dana Ortiz", "dana@example.com").unwrap();
        let verifier = idp.protect(RESOURCE, &["crm:read", "crm:write"]);
        let mut app = Self { idp, clock, dana, verifier, client_id: String::new() };
        let (status, answer) = app
            .register(&json!({
                "redirect_uris": ["http://127.0.0.1/callback"], "client_name": "An app", "application_type": "native",
                "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
            }))
            .await;
        assert_eq!(status, 201, "{answer}");
        app.client_id = answer["client_id"].as_str().unwrap().to_owned();
        app
    }

    pub(super) async fn register(&self, wanted: &Value) -> (u16, Value) {
        let request = http::Request::post(format!("{}/register", self.idp.issuer()))
            .header("content-type", "application/json")
            .body(wanted.to_string().into_bytes())
            .unwrap();
        answer(request).await
    }

    /// The authorization request's parameters, with `bent` ones replaced, or left out where the value is empty.
    pub(super) fn authorization(&self, bent: &[(&str, &str)]) -> String {
        let challenge = {
            use base64::Engine as _;
            let digest = keybearer_model::secret::digest(VERIFIER);
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
        };
        let sound = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", REDIRECT),
            ("state", "st"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", RESOURCE),
            ("scope", "openid crm:read crm:write"),
            ("nonce", "no"),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(bend(&sound, bent)).finish();
        format!("{}/authorize?{query}", self.idp.issuer())
    }

    /// Where the browser ends up, as the pairs of the redirect's query.
    pub(super) async fn sign_in(&self, bent: &[(&str, &str)], conduct: Conduct) -> Result<Vec<(String, String)>, Lost> {
        let location = follow::sign_in(&self.authorization(bent), &self.dana, conduct).await?;
        let query = location.strip_prefix(&format!("{REDIRECT}?")).expect("the registered way back");
        Ok(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) async fn code(&self) -> String {
        let pairs = self.sign_in(&[], Conduct::SignsInAndAllows).await.unwrap();
        pairs.into_iter().find(|(name, _)| name == "code").expect("a code").1
    }

    pub(super) async fn redeem(&self, code: &str, bent: &[(&str, &str)]) -> (u16, Value) {
        let sound = [
            ("grant_type", "authorization_code"),
            ("client_id", &*self.client_id),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("resource", RESOURCE),
        ];
        self.post("token", &bend(&sound, bent)).await
    }

    pub(super) async fn refresh(&self, token: &str, bent: &[(&str, &str)]) -> (u16, Value) {
        let sound = [
            ("grant_type", "refresh_token"),
            ("client_id", &*self.client_id),
            ("refresh_token", token),
            ("resource", RESOURCE),
        ];
        self.post("token", &bend(&sound, bent)).await
    }

    pub(super) async fn tokens(&self) -> Value {
        let (status, tokens) = self.redeem(&self.code().await, &[]).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        answer(http1::post_form(&format!("{}/{path}", self.idp.issuer()), fields).unwrap()).await
    }
}

pub(super) fn text<'answer>(answer: &'answer Value, name: &str) -> &'answer str {
    answer[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {answer}"))
}

async fn answer(request: http::Request<Vec<u8>>) -> (u16, Value) {
    let reply = http1::fetch(request).await.unwrap();
    (reply.status().as_u16(), serde_json::from_slice(reply.body()).unwrap_or(Value::Null))
}

fn bend<'text>(sound: &[(&'text str, &'text str)], bent: &[(&'text str, &'text str)]) -> Vec<(&'text str, &'text str)> {
    let kept = sound.iter().filter(|(name, _)| !bent.iter().any(|(other, _)| other == name));
    kept.chain(bent.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}
