//! What a test can turn: how the issuer deviates from its good behaviour, and what it has counted.

use std::collections::VecDeque;
use std::time::Duration;

use super::FakeIdp;
use super::book::{Client, ClientAuth};
use super::gate::Held;

/// What has happened at an issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sign-in pages shown.
    pub logins_shown: u32,
    /// Consent pages shown.
    pub consents_shown: u32,
    /// Passwords that were right.
    pub sign_ins: u32,
    /// Clients that registered themselves.
    pub registrations: u32,
    /// Requests at the token endpoint, good or bad.
    pub token_requests: u32,
    /// Authorization requests that were pushed.
    pub pushed: u32,
    /// Codes redeemed.
    pub codes_redeemed: u32,
    /// Refresh tokens that gave a new access token.
    pub refreshes: u32,
    /// Codes or refresh tokens that came a second time; each ended its family.
    pub replays: u32,
    /// Tokens revoked at the revocation endpoint.
    pub revocations: u32,
    /// Questions at the introspection endpoint.
    pub introspections: u32,
}

/// What the issuer does about `iss` in the redirect (RFC 9207).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IssParameter {
    /// Announced and sent.
    #[default]
    Sent,
    /// Neither announced nor sent.
    NotOffered,
    /// Announced, and missing.
    Missing,
    /// Announced, and somebody else's.
    Foreign,
}

/// When a code gives a refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshTokens {
    /// To every client that registered for the grant type.
    #[default]
    ToWhoeverRegistered,
    /// Only where the scope `offline_access` was asked for, too.
    WithOfflineAccess,
    /// Never.
    Never,
}

/// Whether authorization requests can be pushed (RFC 9126).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PushedRequests {
    /// There is no place for them.
    #[default]
    NotOffered,
    /// They can be.
    Offered,
    /// They must be: one that comes with the person is refused.
    Required,
}

/// Which ways back clients may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaysBack {
    /// Any that the rules allow.
    #[default]
    Any,
    /// On loopback only by the machine's name.
    ByName,
}

/// What is wrong with the ID tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdTokens {
    /// Nothing.
    #[default]
    Sound,
    /// None is sent.
    Absent,
    /// The nonce of somebody else's sign-in.
    ForeignNonce,
    /// For another client.
    ForeignAudience,
    /// Signed with a key that the issuer does not publish.
    ForeignKey,
}

pub(super) struct Dials {
    pub(super) token_lifetime: Duration,
    pub(super) says_token_lifetime: bool,
    pub(super) rotates: bool,
    pub(super) rotation_grace: Duration,
    pub(super) reject_refresh: VecDeque<String>,
    pub(super) fail: VecDeque<u16>,
    pub(super) lose_replies: u32,
    pub(super) iss: IssParameter,
    pub(super) refresh_tokens: RefreshTokens,
    pub(super) id_tokens: IdTokens,
    pub(super) registration: bool,
    pub(super) s256: bool,
    pub(super) revocation: bool,
    pub(super) redirect: Option<(u16, String)>,
    pub(super) pushed_requests: PushedRequests,
    pub(super) ways_back: WaysBack,
    pub(super) documents: bool,
    pub(super) reaches_every_server: bool,
    pub(super) sign_in_life: Option<Duration>,
    pub(super) says_life: bool,
}

impl Default for Dials {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(3600),
            says_token_lifetime: true,
            rotates: true,
            rotation_grace: Duration::ZERO,
            reject_refresh: VecDeque::new(),
            fail: VecDeque::new(),
            lose_replies: 0,
            iss: IssParameter::Sent,
            refresh_tokens: RefreshTokens::ToWhoeverRegistered,
            id_tokens: IdTokens::Sound,
            registration: true,
            s256: true,
            revocation: true,
            redirect: None,
            pushed_requests: PushedRequests::NotOffered,
            ways_back: WaysBack::Any,
            documents: false,
            reaches_every_server: false,
            sign_in_life: None,
            says_life: false,
        }
    }
}

impl Dials {
    /// Whether this reply is one of those to lose.
    pub(super) fn loses_a_reply(&mut self) -> bool {
        let left = self.lose_replies.checked_sub(1);
        self.lose_replies = left.unwrap_or(0);
        left.is_some()
    }
}

impl FakeIdp {
    /// How long access tokens live from now on. One hour, unless told.
    pub fn token_lifetime(&self, lifetime: Duration) -> &Self {
        self.turn(|dials| dials.token_lifetime = lifetime)
    }

    /// Whether it says with each access token how long that lives (RFC 6749 §5.1 only recommends it). It does, unless told.
    pub fn says_token_lifetime(&self, says: bool) -> &Self {
        self.turn(|dials| dials.says_token_lifetime = says)
    }

    /// Whether a refresh token is used up by its use. It is, unless told.
    pub fn rotate(&self, rotates: bool) -> &Self {
        self.turn(|dials| dials.rotates = rotates)
    }

    /// How long a used refresh token is still taken after its use, for a reply that was lost. Not at all, unless told.
    pub fn rotation_grace(&self, grace: Duration) -> &Self {
        self.turn(|dials| dials.rotation_grace = grace)
    }

    /// The next refresh is refused with this OAuth error code, whatever it brings.
    pub fn reject_next_refresh(&self, code: &str) -> &Self {
        self.turn(|dials| dials.reject_refresh.push_back(code.to_owned()))
    }

    /// The next request at the token endpoint is answered with this status and no sense.
    pub fn fail_next(&self, status: u16) -> &Self {
        self.turn(|dials| dials.fail.push_back(status))
    }

    /// The next request at the token endpoint takes effect, but its reply breaks off.
    pub fn lose_next_reply(&self) -> &Self {
        self.turn(|dials| dials.lose_replies += 1)
    }

    /// What it does about `iss` in the redirect.
    pub fn iss(&self, behaviour: IssParameter) -> &Self {
        self.turn(|dials| dials.iss = behaviour)
    }

    /// When it gives refresh tokens.
    pub fn refresh_tokens(&self, behaviour: RefreshTokens) -> &Self {
        self.turn(|dials| dials.refresh_tokens = behaviour)
    }

    /// What is wrong with its ID tokens.
    pub fn sign_id_tokens(&self, behaviour: IdTokens) -> &Self {
        self.turn(|dials| dials.id_tokens = behaviour)
    }

    /// Clients cannot register themselves.
    pub fn without_registration(&self) -> &Self {
        self.turn(|dials| dials.registration = false)
    }

    /// Its metadata does not say that it knows PKCE, and it refuses challenges.
    pub fn without_s256(&self) -> &Self {
        self.turn(|dials| dials.s256 = false)
    }

    /// Whether authorization requests can be pushed.
    pub fn pushed_requests(&self, behaviour: PushedRequests) -> &Self {
        self.turn(|dials| dials.pushed_requests = behaviour)
    }

    /// Which ways back clients may register.
    pub fn ways_back(&self, behaviour: WaysBack) -> &Self {
        self.turn(|dials| dials.ways_back = behaviour)
    }

    /// It takes the address of a client id metadata document as a client id, and this is what it reads there.
    ///
    /// A document that names another address than its own makes no client, nor does one without a way back.
    pub fn read_document(&self, address: &str, document: &serde_json::Value) -> &Self {
        let texts = |member: &str| {
            let listed = document[member].as_array().into_iter().flatten();
            listed.filter_map(|text| text.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        let public = document["token_endpoint_auth_method"] == "none";
        if document["client_id"] == address && public && !texts("redirect_uris").is_empty() {
            let client = Client {
                name: document["client_name"].as_str().unwrap_or(address).to_owned(),
                secret: None,
                auth: ClientAuth::None,
                redirect_uris: texts("redirect_uris"),
                grant_types: texts("grant_types"),
            };
            self.desk.book().clients.insert(address.to_owned(), client);
        }
        self.turn(|dials| dials.documents = true)
    }

    /// It has no revocation endpoint.
    pub fn without_revocation(&self) -> &Self {
        self.turn(|dials| dials.revocation = false)
    }

    /// Where clients hand in what is secret (token, registration and revocation endpoint), it answers with this status
    /// and this address from now on.
    pub fn redirect(&self, status: u16, to: &str) -> &Self {
        self.turn(|dials| dials.redirect = Some((status, to.to_owned())))
    }

    /// Whether a refresh token gives access tokens for every server of this issuer, each for its own resource.
    pub fn reach_every_server(&self) -> &Self {
        self.turn(|dials| dials.reaches_every_server = true)
    }

    /// So long after a person has signed in, their refresh tokens are good for nothing any more. For ever, unless told.
    pub fn sign_in_life(&self, life: Duration) -> &Self {
        self.turn(|dials| dials.sign_in_life = Some(life))
    }

    /// Whether it says with each refresh token how long that lives. It does not, unless told.
    pub fn says_sign_in_life(&self, says: bool) -> &Self {
        self.turn(|dials| dials.says_life = says)
    }

    /// Holds every answer of the token endpoint back until the returned value is dropped.
    pub fn hold_token_replies(&self) -> Held {
        self.desk.gate.hold()
    }

    /// Every access token given so far has ended; refresh tokens stay good.
    pub fn end_access_tokens(&self) {
        let now = self.desk.clock.boot();
        self.desk.book().access.values_mut().for_each(|access| access.ends = access.ends.min(now));
    }

    /// Everything given so far is revoked, as when IT signs a person out everywhere.
    pub fn revoke_everything(&self) {
        self.desk.book().families.iter_mut().for_each(|family| family.revoked = true);
    }

    fn turn(&self, change: impl FnOnce(&mut Dials)) -> &Self {
        change(&mut self.desk.dials());
        self
    }
}
