//! The works: an issuer behind a relay, a server that asks it about every token, a keychain, and a home.

use serde_json::Value;

use super::relay::Relay;
use crate::core::{Core, Home};
use crate::keyring::Keyring;
use crate::parts::Part;

/// What the server is called in the settings.
pub const SERVER: &str = "works";

/// How many of the tokens are looked for in what was written.
const LOOKED_FOR: usize = 100;

/// Everything but the core.
pub struct Works {
    /// What stands between the core and the issuer.
    pub relay: Relay,
    issuer: Part,
    _target: Part,
    _guard: Part,
    keyring: Keyring,
    /// The home.
    pub home: Home,
}

impl Works {
    /// Opens works whose issuer takes a used refresh token again for so many seconds.
    pub fn with_grace(seconds: u32) -> Self {
        let relay = Relay::start();
        let grace = seconds.to_string();
        // Each of its tokens has to be asked about, so that one can end before its time.
        let settings = [("ISSUER", relay.url()), ("GRACE", &grace), ("OPAQUE", "/mcp"), ("ACCESS_TTL", "3600")];
        let issuer = Part::issuer(&settings);
        relay.lead_to(issuer.ready["port"].as_u64().unwrap());
        let target = Part::start("stateless.mjs", &[]);
        let asks = format!("http://127.0.0.1:{}", issuer.ready["port"]);
        let credentials = issuer.credentials("resource_server");
        let guard = Part::start(
            "guard.mjs",
            &[
                ("TARGET", target.said("url")),
                ("ISSUER", relay.url()),
                ("ASKS", &asks),
                ("INTROSPECT_AS", &credentials),
            ],
        );
        // A keyring that thousands of killed clients have brought to its end comes back, as on a desktop.
        let keyring = Keyring::start_revived();
        let url = guard.said("url");
        let mut home = Home::new(&format!(
            "keystore = \"system\"\n[servers.{SERVER}]\nurl = \"{url}\"\n[[rules]]\neffect = \"allow\"\n"
        ));
        keyring.serve(&mut home);
        Self { relay, issuer, _target: target, _guard: guard, keyring, home }
    }

    /// Starts a core here.
    pub fn core(&self) -> Core {
        Core::start(&self.home)
    }

    /// Signs in; the browser does what a person would.
    pub fn sign_in(&self) {
        self.home.keybearer(&["login", SERVER, "--json"]).json();
    }

    /// How the sign-in stands, while a core runs.
    pub fn standing(&self) -> Value {
        let status = self.home.keybearer(&["status", "--json"]).json();
        let servers = status["servers"].as_array().unwrap();
        servers.iter().find(|server| server["name"] == SERVER).unwrap()["state"].clone()
    }

    /// How many sign-ins the issuer has seen to their end.
    pub fn sign_ins(&self) -> u64 {
        self.count("by_grant/authorization_code")
    }

    /// How many requests to renew the issuer was asked.
    pub fn renewals(&self) -> u64 {
        self.count("by_grant/refresh_token")
    }

    /// How many requests at its token endpoint the issuer has refused.
    pub fn refused(&self) -> u64 {
        self.count("refused_token")
    }

    fn count(&self, what: &str) -> u64 {
        self.issuer.ask("/__counts").pointer(&format!("/{what}")).and_then(Value::as_u64).unwrap_or(0)
    }

    /// Ends every access token that the issuer has given, and returns how many were alive.
    pub fn end_access_tokens(&self) -> u64 {
        self.issuer.ask("/__end")["ended"].as_u64().unwrap()
    }

    /// How often the keychain's daemon has ended by itself and was started again.
    pub fn keychain_ended(&self) -> usize {
        self.keyring.revivals()
    }

    /// Ends the keychain's daemon.
    pub fn end_keychain(&mut self) {
        self.keyring.end();
    }

    /// Whether the keychain holds this.
    pub fn keeps(&self, secret: &str) -> bool {
        self.keyring.secrets().iter().any(|kept| kept.contains(secret))
    }

    /// What holds at the end of every gate: no token was written anywhere below the home. The last ones speak for all:
    /// a long run has thousands, and as many megabytes to look through.
    #[track_caller]
    pub fn assert_no_secret(&self) {
        let issued = self.issuer.ask("/__issued");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let last = issued["secrets"].as_array().unwrap().iter().rev().take(LOOKED_FOR);
        self.home.assert_no_secret(&last.map(text).collect::<Vec<_>>());
    }
}
