//! A company on loopback: identity providers, and MCP servers that want their tokens.

use serde_json::Value;

use crate::http;
use crate::parts::Part;

/// The company. `everything` wants JWTs and stands behind a token check; `counting` asks its issuer about opaque ones.
pub struct Company {
    /// The identity provider of `everything`.
    pub issuer: Part,
    /// The token check before `everything`; it tells what arrived.
    pub guard: Part,
    /// `everything` itself, which checks nothing.
    pub open: Part,
    /// The identity provider of `counting`.
    pub other_issuer: Part,
    /// The server that introspects opaque tokens.
    pub counting: Part,
}

impl Company {
    /// Opens a company whose access tokens last a few minutes.
    pub fn open() -> Self {
        Self::with_tokens_of(300)
    }

    /// Opens a company whose access tokens last so many seconds.
    pub fn with_tokens_of(seconds: u32) -> Self {
        let life = seconds.to_string();
        let issuer = Part::issuer(&[("ACCESS_TTL", &life)]);
        let open = Part::start("everything.mjs", &[]);
        let guard = Part::start("guard.mjs", &[("TARGET", open.said("url")), ("ISSUER", issuer.said("issuer"))]);
        let other_issuer = Part::issuer(&[("ACCESS_TTL", &life)]);
        let credentials = other_issuer.credentials("resource_server");
        // Its metadata adds a slash to the issuer's identifier, as the library that it is made with does.
        let settings = [("ISSUER", other_issuer.said("issuer")), ("INTROSPECT_AS", &credentials)];
        let counting = Part::start("introspecting_server.py", &settings);
        Self { issuer, guard, open, other_issuer, counting }
    }

    /// A `config.toml` with both servers that lets every client do everything.
    pub fn config(&self, keystore: &str) -> String {
        let (everything, counting) = (self.guard.said("url"), self.counting.said("url"));
        format!(
            "keystore = \"{keystore}\"\n\
             [servers.everything]\nurl = \"{everything}\"\n\
             [servers.counting]\nurl = \"{counting}\"\n\
             [[rules]]\neffect = \"allow\"\n"
        )
    }

    /// Every secret that the issuers have given out, and those that they were set up with.
    pub fn secrets(&self) -> Vec<String> {
        [&self.issuer, &self.other_issuer].into_iter().flat_map(secrets_of).collect()
    }

    /// How many requests of a kind the issuers have served: `registration`, `by_grant/refresh_token`...
    pub fn count(&self, what: &str) -> u64 {
        let counted = |issuer: &Part| issuer.ask("/__counts").pointer(&format!("/{what}")).and_then(Value::as_u64);
        [&self.issuer, &self.other_issuer].into_iter().filter_map(counted).sum()
    }

    /// How many of the tokens for `counting` are good now, as its issuer tells a server that asks (RFC 7662).
    pub fn good_tokens(&self) -> usize {
        let issuer = &self.other_issuer;
        let url = format!("{}/token/introspection", issuer.said("issuer"));
        let allowed = format!("Basic {}", base64_of(&issuer.credentials("resource_server")));
        let form = [("Authorization", allowed.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        let is_good = |token: &String| {
            let answer = http::request("POST", &url, &form, format!("token={token}").as_bytes());
            assert_eq!(answer.status, 200, "the issuer does not introspect: {}", answer.text());
            answer.json()["active"] == true
        };
        // Tokens that speak for themselves are not asked about: here, ID tokens.
        secrets_of(issuer).iter().filter(|secret| !secret.contains('.') && is_good(secret)).count()
    }
}

fn secrets_of(issuer: &Part) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut secrets: Vec<String> = issuer.ask("/__issued")["secrets"].as_array().unwrap().iter().map(text).collect();
    secrets.extend(["resource_server", "confidential"].map(|client| text(&issuer.ready[client]["client_secret"])));
    secrets
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
