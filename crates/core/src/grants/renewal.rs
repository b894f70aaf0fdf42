//! One renewal, from the lock to the stored token (docs/reliability.md).
//!
//! Lock → look whether another process was there → note what goes out → ask the issuer → store what came and read it
//! back → clear the note → release the bearer. It runs as a task of its own.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use keybearer_model::grant::Grant;
use keybearer_model::time::{BootTime, Timestamp};
use keybearer_oauth::renew::{self, RenewError, Renewed};
use tokio::sync::oneshot;

use super::breaker::{Probe, retry_after};
use super::lock::{Intent, Lock};
use super::owner::{Done, Kept};
use super::told::Told;
use super::{Demand, Desk, Ending, MintError, Minted, Wish};
use crate::ports::{HttpError, MayBePrivate};

pub(super) type Reply = oneshot::Sender<Result<Minted, MintError>>;

/// After sleep, what nobody waits for yet is spread over so long: whoever waits comes first.
const SPREAD: Duration = Duration::from_secs(2);

/// A renewal under way.
pub(super) struct Renewal {
    pub(super) desk: Arc<Desk>,
    pub(super) grant: Grant,
    pub(super) wish: Wish,
    pub(super) probe: Probe,
    pub(super) reply: Reply,
    pub(super) told: Told,
}

/// What one question to the issuer led to.
enum Answer {
    Given(Renewed, BootTime),
    /// The grant is over, or the client that holds it.
    Over(String),
    /// Not for this target.
    Refused(String),
    /// It did not reach the issuer, or the issuer did not look at it: the refresh token is not used.
    Unused(Trouble),
    /// It was sent, and the answer broke off or is no answer: perhaps the refresh token is used.
    Lost(Trouble),
    /// Something on the way, or the issuer itself, is in trouble: perhaps the refresh token is used, and asking again at
    /// once helps nobody.
    Unclear(Trouble),
    /// It was not sent: an earlier answer is missing, and while bearers serve nobody risks them.
    Withheld(Timestamp),
}

struct Trouble {
    detail: String,
    wait: Option<Duration>,
}

impl Renewal {
    pub(super) async fn run(mut self) -> Done {
        let desk = Arc::clone(&self.desk);
        if self.wish.demand == Demand::Ahead && desk.wake.is_recent(desk.ports.clock.boot()) {
            tokio::time::sleep(SPREAD.mul_f64((desk.ports.chance)().clamp(0.0, 1.0))).await;
        }
        // Closed never, so that there is always a turn to wait for.
        let _turn = desk.renewals.acquire().await;
        let mut lock = match Lock::take(&self.desk.folder, &self.grant.facts.id).await {
            Ok(lock) => lock,
            Err(cause) => return self.trouble(Trouble { detail: cause.to_string(), wait: None }),
        };
        self.catch_up().await;
        let (answer, doubtful) = self.ask(&mut lock).await;
        match answer {
            Answer::Given(renewed, received_at) => self.given(&mut lock, renewed, received_at).await,
            Answer::Over(code) if !self.is_for_another_server() => self.over(&mut lock, &code, doubtful).await,
            Answer::Over(code) | Answer::Refused(code) => {
                lock.clear().await;
                self.probe.answered();
                let _ = self.reply.send(Err(MintError::Refused { code }));
                Done::unchanged(self.grant)
            }
            Answer::Unused(trouble) => {
                if !doubtful {
                    lock.clear().await;
                }
                self.trouble(trouble)
            }
            Answer::Lost(trouble) | Answer::Unclear(trouble) => self.trouble(trouble),
            Answer::Withheld(since) => {
                let detail = "its last answer did not arrive".to_owned();
                let _ = self.reply.send(Err(MintError::Unreachable { detail, since }));
                Done::unchanged(self.grant)
            }
        }
    }

    /// Whether it is for another server than the one that was signed in for. What an issuer says then is said of that
    /// server: some say `invalid_grant` also where the person has to agree first, or to prove more.
    fn is_for_another_server(&self) -> bool {
        self.wish.target != self.grant.facts.target()
    }

    /// Takes the newer generation, if another process has stored one: its refresh token is the one that counts.
    async fn catch_up(&mut self) -> bool {
        let head = self.desk.head(&self.grant.facts.id).await;
        match head.filter(|head| head.generation > self.grant.generation) {
            Some(newer) => {
                self.grant = newer;
                true
            }
            None => false,
        }
    }

    /// Asks the issuer; a second time where that can only help. Tells, too, whether an earlier answer is missing.
    async fn ask(&mut self, lock: &mut Lock) -> (Answer, bool) {
        let open = lock.intent(self.grant.generation).map(|intent| intent.at);
        let mut doubtful = open.is_some();
        if let Some(since) = open.filter(|_| !self.may_repeat(lock)) {
            return (Answer::Withheld(since), doubtful);
        }
        let mut answer = self.attempt(lock).await;
        if matches!(answer, Answer::Lost(_)) && self.may_repeat(lock) {
            doubtful = true;
            answer = self.attempt(lock).await;
        }
        if matches!(answer, Answer::Over(_)) && self.catch_up().await {
            doubtful = lock.intent(self.grant.generation).is_some();
            answer = self.attempt(lock).await;
        }
        (answer, doubtful)
    }

    /// Whether a refresh token that is perhaps used may go out again. An issuer that takes used ones again for a while
    /// does no harm; any other ends the sign-in if it was used, which is lost then anyway, as soon as somebody needs it.
    /// But while the bearers of before still serve, nobody risks them.
    fn may_repeat(&self, lock: &Lock) -> bool {
        let grace = self.desk.catalog.of(&self.grant.facts.issuer).reuse_grace();
        let since = lock.intent(self.grant.generation).map(|intent| self.desk.ports.clock.now().since(intent.at));
        self.wish.demand == Demand::Waiting || since.is_some_and(|since| since < grace)
    }

    /// Notes that the refresh token goes out, and sends it.
    async fn attempt(&self, lock: &mut Lock) -> Answer {
        let Grant { facts, generation, .. } = &self.grant;
        let attempt = lock.intent(*generation).map_or(1, |intent| intent.attempt.saturating_add(1));
        let at = self.desk.ports.clock.now();
        let intent = Intent { grant: facts.id.clone(), generation: *generation, attempt, at };
        if let Err(cause) = lock.intend(intent).await {
            // A full disk must not keep anybody from working; what is lost is the word "interrupted" after a crash.
            tracing::warn!(grant = %facts.id, %cause, "a renewal could not be written down");
        }
        self.send().await
    }

    async fn send(&self) -> Answer {
        let mut request = renew::request(&self.grant, &self.wish.target);
        request.extensions_mut().insert(MayBePrivate::as_is(&self.wish.upstream));
        let Desk { ports, .. } = &*self.desk;
        let reply = match ports.http.send(request).await {
            Ok(reply) => reply,
            Err(
                error @ (HttpError::Unreachable { .. } | HttpError::Certificate { .. } | HttpError::Forbidden { .. }),
            ) => {
                return Answer::Unused(Trouble { detail: error.to_string(), wait: None });
            }
            Err(error @ HttpError::Interrupted { .. }) => {
                return Answer::Lost(Trouble { detail: error.to_string(), wait: None });
            }
        };
        let (received_at, status) = (ports.clock.boot(), reply.status());
        let wait = retry_after(reply.headers(), ports.clock.now());
        match renew::judge(&self.grant, reply) {
            Ok(renewed) => Answer::Given(renewed, received_at),
            Err(RenewError::Over { code }) => Answer::Over(code),
            Err(RenewError::Refused { code }) => Answer::Refused(code),
            Err(RenewError::Transient(detail)) => unanswered(status, Trouble { detail, wait }),
        }
    }

    async fn given(mut self, lock: &mut Lock, mut renewed: Renewed, received_at: BootTime) -> Done {
        self.probe.answered();
        let refresh_life = renewed.refresh_expires_in;
        self.desk.foresight.heard(&self.grant.facts.id, self.desk.ports.clock.now(), refresh_life);
        let mut kept = None;
        if let Some(token) = renewed.refresh_token.take() {
            self.grant.refresh_token = Some(token);
            self.grant.generation += 1;
            kept = Some(self.desk.keep(&mut self.grant).await);
        }
        if !matches!(kept, Some(Err(_))) {
            lock.clear().await;
        }
        if let Some(kept) = &kept {
            self.told.saved(kept.is_ok() && self.desk.outlives());
        }
        let minted = Minted { token: renewed.access_token, expires_in: renewed.expires_in, received_at };
        let _ = self.reply.send(Ok(minted));
        let kept = match kept {
            Some(kept) => Some(Kept::of(&self.desk, &self.grant, kept).await),
            None => None,
        };
        Done { grant: Some(self.grant), kept }
    }

    /// The grant is over. It is deleted as it was sent: a newer generation is somebody else's (SEC-44).
    async fn over(self, lock: &mut Lock, code: &str, doubtful: bool) -> Done {
        let Self { desk, grant, probe, reply, told, .. } = self;
        probe.answered();
        let at = desk.ports.clock.now();
        let ending = if doubtful { Ending::Interrupted { at } } else { Ending::Refused { at } };
        tracing::info!(grant = %grant.facts.id, %code, ?ending, "a sign-in has ended");
        desk.foresight.ended(&grant.facts.id, ending);
        told.over(ending);
        let _ = reply.send(Err(MintError::Over(ending)));
        // Noted first: whoever dies in between leaves a token that serves nobody, and not a sign-in that is gone without
        // a reason.
        let id = grant.facts.id.clone();
        desk.note(move |store| store.end_grant(&id, ending)).await;
        if let Err(error) = desk.custody.delete_grant(&grant.facts.id, grant.generation).await {
            tracing::warn!(grant = %grant.facts.id, %error, "the ended sign-in could not be removed from the keychain");
        }
        lock.clear().await;
        Done { grant: None, kept: None }
    }

    fn trouble(self, trouble: Trouble) -> Done {
        let Self { desk, grant, probe, reply, .. } = self;
        let (clock, chance) = (&desk.ports.clock, (desk.ports.chance)());
        let outage = probe.failed(trouble.detail, (clock.now(), clock.boot()), trouble.wait, chance);
        let _ = reply.send(Err(MintError::Unreachable { detail: outage.detail, since: outage.since }));
        Done::unchanged(grant)
    }
}

/// What became of the refresh token when the answer is no answer. Whoever says "later" or "not like this" has not looked
/// at it; a gateway may have lost what the issuer said.
fn unanswered(status: StatusCode, trouble: Trouble) -> Answer {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Answer::Unused(trouble),
        status if status.is_success() => Answer::Lost(trouble),
        status if status.is_server_error() => Answer::Unclear(trouble),
        _ => Answer::Unused(trouble),
    }
}
