//! Stages 4 to 6 of the way of a call: decide, ask, attach the credential. Their fruit is a [`Permit`].

use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use keybearer_model::call::{Call, MethodClass};
use keybearer_model::consent::{Lasting, lastings};
use keybearer_model::grant::Account;
use keybearer_model::name::ServerName;
use keybearer_model::url::Upstream;
use keybearer_model::verdict::{AskReason, DenyReason, RuleId, Verdict};
use keybearer_oauth::challenge::Challenge;
use keybearer_policy::consents::Consents;
use tokio::time::Instant;

use crate::audit::{Decision, Outcome, Span};
use crate::broker::{Broker, Server};
use crate::clients::Registered;
use crate::consent::question::{Given, Matter, Request, Topic};
use crate::inspector::Watched;
pub use crate::keeper::Initiative;
use crate::keeper::{CredentialError, Held};
use crate::ports::{Answer, Question};

/// Who asks, as far as admission needs it beyond the call itself.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The registration of the caller, if it has one.
    pub registered: Option<&'a Registered>,
    /// The arguments as the message has them, for a question to the person.
    pub arguments: &'a str,
    /// How long the client can be kept waiting for a person.
    pub patience: Duration,
    /// Whether the person has let this very session begin.
    pub session: Session,
    /// Whether a sign-in may be opened for it.
    pub initiative: Initiative,
}

impl Asking<'_> {
    fn counts_as_registered(&self) -> bool {
        self.registered.is_some() || self.session == Session::Looking
    }
}

/// Whether the person has let a session begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// No, or there is none that the door could tell.
    Unasked,
    /// Yes: what keeps it going and lists what there is needs no further question.
    LetIn,
    /// The person looks on at our own window: handshakes and lists are let pass as those of a registered client.
    Looking,
}

/// The proof that a call may go upstream, and the only thing that can attach a credential to it.
pub struct Permit {
    server: Arc<Server>,
    held: Option<Arc<Held>>,
    span: Span,
    /// Until when the client can be kept waiting for a person, all waits together.
    deadline: Instant,
    initiative: Initiative,
    /// Somebody looks at the messages. Behind the span: the record is written first.
    watched: Option<Box<Watched>>,
}

/// What comes of a 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUp {
    /// The credential allows more now: the call goes again.
    Further,
    /// No sign-in can help: the answer is the server's last word.
    LastWord,
}

/// Why a call does not go upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No server of that name is configured.
    #[error("no server of this name")]
    UnknownServer,
    /// Policy or the person said no.
    #[error("not allowed: {0}")]
    Denied(DenyReason),
    /// The person has to sign in first.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The server cannot be reached: nothing was sent.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server's certificate is not trusted: nothing was sent.
    #[error("the server's certificate is not trusted: {0}")]
    NotTrusted(String),
    /// The connection broke before an answer: what the call did there is unknown, and it is not sent again.
    #[error("the server did not answer: {0}")]
    Interrupted(String),
}

impl Broker {
    /// Admits a call: policy, the person where policy asks, the credential. Exactly one audit record follows from it,
    /// written when the permit is settled or dropped, or here if there is no permit.
    ///
    /// # Errors
    /// A [`Refusal`], already recorded.
    pub async fn admit(&self, call: Call, asking: Asking<'_>) -> Result<Permit, Refusal> {
        let call = Arc::new(call);
        let deadline = Instant::now() + asking.patience;
        let Some(server) = self.server(&call.server) else {
            self.trail().begin(call).settle(Outcome::UnknownServer);
            return Err(Refusal::UnknownServer);
        };
        let mut span = self.trail().begin(Arc::clone(&call));
        if let Some(client) = asking.registered {
            client.see(self.ports().clock.now());
        }
        let rule = match self.decide(&call, asking, deadline).await {
            Ok(rule) => rule,
            Err(reason) => return Err(denied(span, reason)),
        };
        span.decided(Decision::Allowed(rule.clone()));
        let held = match server.keeper.ready() {
            Some(held) => held,
            None => match within(deadline, server.keeper.obtain(asking.initiative)).await {
                Ok(held) => held,
                Err(error) => {
                    span.settle(outcome_of(&error));
                    return Err(error.into());
                }
            },
        };
        if self.is_stopped() {
            // It was stopped while the person or the credential was waited for.
            span.decided(Decision::Denied(DenyReason::Stopped));
            span.settle(Outcome::Denied);
            return Err(Refusal::Denied(DenyReason::Stopped));
        }
        note_account(&mut span, held.as_deref());
        if let RuleId::Consent(number) = rule
            && !self.ledger().counts_for(&call, number, email(held.as_deref()))
        {
            // Somebody else has signed in since: what was allowed was allowed as the one before.
            match self.decide_without_consents(&call, asking, deadline).await {
                Ok(rule) => span.decided(Decision::Allowed(rule)),
                Err(reason) => return Err(denied(span, reason)),
            }
        }
        let watched = self.inspector().watch();
        if let Some(watched) = &watched {
            span.inspected(watched.number());
        }
        Ok(Permit { server, held, span, deadline, initiative: asking.initiative, watched })
    }

    /// Whether policy leaves this call to the person.
    pub fn asks(&self, call: &Call, registered: Option<&Registered>) -> bool {
        let verdict = self.verdict(call, registered.is_some(), &self.ledger().consents());
        matches!(verdict, Verdict::Ask(..)) && !self.desk().has_late(call)
    }

    fn verdict(&self, call: &Call, registered: bool, consents: &Consents) -> Verdict {
        keybearer_policy::decide(&self.config().policy, call, registered, consents, self.now())
    }

    async fn decide(&self, call: &Arc<Call>, asking: Asking<'_>, deadline: Instant) -> Result<RuleId, DenyReason> {
        if self.is_stopped() {
            return Err(DenyReason::Stopped);
        }
        if asking.registered.is_some_and(|client| !client.may_use(&call.server)) {
            return Err(DenyReason::NotThisServer);
        }
        let verdict = self.verdict(call, asking.counts_as_registered(), &self.ledger().consents());
        self.follow(verdict, call, asking, deadline).await
    }

    async fn decide_without_consents(
        &self,
        call: &Arc<Call>,
        asking: Asking<'_>,
        deadline: Instant,
    ) -> Result<RuleId, DenyReason> {
        let verdict = self.verdict(call, asking.counts_as_registered(), &Consents::default());
        self.follow(verdict, call, asking, deadline).await
    }

    async fn follow(
        &self,
        verdict: Verdict,
        call: &Arc<Call>,
        asking: Asking<'_>,
        deadline: Instant,
    ) -> Result<RuleId, DenyReason> {
        match verdict {
            Verdict::Allow(rule) => Ok(rule),
            Verdict::Deny(reason) => Err(reason),
            Verdict::Ask(..) if asking.session == Session::LetIn && keeps_session(call.class) => Ok(RuleId::Person),
            Verdict::Ask(..) if self.desk().take_late(call, asking.arguments) => Ok(RuleId::Person),
            Verdict::Ask(_, longest) if self.desk().is_attended() => {
                self.ask_at_desk(call, longest, asking, deadline).await
            }
            Verdict::Ask(reason, _) => self.ask(call, reason, asking, deadline).await,
        }
    }

    /// Asks the person at the shell.
    async fn ask_at_desk(
        &self,
        call: &Arc<Call>,
        longest: Lasting,
        asking: Asking<'_>,
        deadline: Instant,
    ) -> Result<RuleId, DenyReason> {
        let offers = lastings(call).into_iter().filter(|lasting| *lasting <= longest).collect();
        let account = self.sign_in_state(&call.server).and_then(|state| state.account?.email).map(Into::into);
        let matter = Matter::Call { call: Arc::clone(call), arguments: asking.arguments.into(), account };
        let request = Request { topic: Topic::of(call), matter, offers, lives: self.config().ask_timeout };
        match self.desk().ask(request, deadline).await {
            Given::Allowed => Ok(RuleId::Person),
            Given::Denied => Err(DenyReason::Person),
            Given::NoAnswer => Err(DenyReason::NoAnswer),
            Given::TooMany => Err(DenyReason::TooManyQuestions),
        }
    }

    async fn ask(
        &self,
        call: &Arc<Call>,
        reason: AskReason,
        asking: Asking<'_>,
        deadline: Instant,
    ) -> Result<RuleId, DenyReason> {
        let deadline = deadline.min(Instant::now() + self.config().ask_timeout);
        let question = |patience| Question {
            call: Arc::clone(call),
            reason: reason.clone(),
            arguments: asking.arguments.into(),
            deadline: patience,
        };
        let prompter = &self.ports().prompter;
        // The prompter keeps the deadline; it is enforced here all the same: no answer in time means deny.
        let answer = if keeps_session(call.class) {
            let topic = (call.caller.principal(), call.server.clone());
            self.questions().ask(prompter, &topic, deadline, question).await
        } else {
            let asked = prompter.ask(question(deadline - Instant::now()));
            tokio::time::timeout_at(deadline, asked).await.unwrap_or(Answer::TimedOut)
        };
        match answer {
            Answer::AllowOnce => Ok(RuleId::Person),
            Answer::Deny => Err(DenyReason::Person),
            Answer::NobodyThere => Err(DenyReason::NobodyToAsk),
            Answer::TimedOut => Err(DenyReason::NoAnswer),
        }
    }
}

impl Permit {
    /// Where the call goes.
    pub fn upstream(&self) -> &Upstream {
        &self.server.config.url
    }

    /// Which server that is.
    pub fn server(&self) -> &ServerName {
        &self.server.name
    }

    /// Whose credential it is, where the server is signed in to.
    pub fn account(&self) -> Option<&Arc<Account>> {
        self.held.as_ref()?.account.as_ref()
    }

    /// Adds to `headers` those of the client's that the settings of this server let through, and says so in the trail.
    pub fn pass_on(&mut self, client: &HeaderMap, headers: &mut HeaderMap) {
        let names = self.server.config.passing.copy(client, headers);
        if !names.is_empty() {
            self.span.headers(names);
        }
        if let Some(watched) = &mut self.watched {
            watched.headers(client, headers);
        }
    }

    /// For whoever looks at the messages: what is about to be sent.
    pub fn watch_sent(&mut self, body: &[u8]) {
        if let Some(watched) = &mut self.watched {
            watched.sent(body);
        }
    }

    /// For whoever looks at the messages: the answer's status, and whose credential it answers.
    pub fn watch_answer(&mut self, status: u16) {
        if let Some(watched) = &mut self.watched {
            watched.answered(status);
            if let Some(held) = &self.held {
                watched.credential(&held.name, &held.value);
            }
        }
    }

    /// For whoever looks at the messages: a piece of the answer.
    pub fn watch_got(&mut self, piece: &[u8]) {
        if let Some(watched) = &mut self.watched {
            watched.got(piece);
        }
    }

    /// The fields of the message as it goes: these of the client's, and Keybearer's own in place of any under their
    /// names: the credential, and who is signed in where that is set.
    pub fn authorized<'f>(
        &self,
        fields: impl Iterator<Item = (&'f HeaderName, &'f HeaderValue)>,
        mut field: impl FnMut(&HeaderName, &HeaderValue),
    ) {
        let passing = &self.server.config.passing;
        let credential = self.held.as_deref();
        let is_credential = |name: &HeaderName| credential.is_some_and(|held| held.name == *name);
        let is_identity = |name: &HeaderName| passing.identity.as_ref().is_some_and(|identity| identity.name == *name);
        for (name, value) in fields.filter(|(name, _)| !is_credential(name) && !is_identity(name)) {
            field(name, value);
        }
        if let Some((name, value)) = passing.identity_of(self.account().map(|account| &**account))
            && !is_credential(name)
        {
            field(name, &value);
        }
        if let Some(held) = credential {
            field(&held.name, &held.value);
        }
    }

    /// Gets another credential after the server has answered 401 with these headers, as long as the client can wait.
    ///
    /// # Errors
    /// When there is none; the permit is still to be settled, by [`Permit::refused`].
    pub async fn renew(&mut self, answer: &HeaderMap) -> Result<(), CredentialError> {
        let challenge = Challenge::parse(answer);
        let refused = self.held.as_ref().map(|held| held.serial);
        let another = self.server.keeper.after_refusal(refused, challenge, self.initiative);
        self.held = within(self.deadline, another).await?;
        note_account(&mut self.span, self.held.as_deref());
        Ok(())
    }

    /// Gets a credential that allows more after the server has answered 403 with these headers, where a sign-in can help:
    /// the person's consent is the sign-in itself.
    ///
    /// # Errors
    /// When there is none; the permit is still to be settled, by [`Permit::refused`].
    pub async fn step_up(&mut self, answer: &HeaderMap) -> Result<StepUp, CredentialError> {
        let challenge = Challenge::parse(answer).filter(Challenge::wants_more);
        let (Some(challenge), Some(held)) = (challenge, &self.held) else { return Ok(StepUp::LastWord) };
        let further = self.server.keeper.reach_further(held.serial, challenge, self.initiative);
        match within(self.deadline, further).await? {
            Some(held) => {
                self.held = Some(held);
                note_account(&mut self.span, self.held.as_deref());
                Ok(StepUp::Further)
            }
            None => Ok(StepUp::LastWord),
        }
    }

    /// The server has taken the credential.
    pub fn accepted(&self) {
        if let Some(held) = &self.held {
            held.accept();
        }
    }

    /// Records how the call ended.
    pub fn settle(self, outcome: Outcome) {
        self.span.settle(outcome);
    }

    /// Records that the call ended in `refusal`, and hands it on.
    pub fn refused(self, refusal: Refusal) -> Refusal {
        if let Refusal::Unreachable(_) | Refusal::NotTrusted(_) | Refusal::Interrupted(_) = &refusal {
            // The client reads one fixed sentence; whoever looks for the reason finds it here.
            tracing::info!(server = %self.server.name, %refusal, "a call did not come back");
        }
        let outcome = match &refusal {
            Refusal::UnknownServer => Outcome::UnknownServer,
            Refusal::Denied(_) => Outcome::Denied,
            Refusal::Credential(error) => outcome_of(error),
            Refusal::Unreachable(_) | Refusal::NotTrusted(_) => Outcome::Unreachable,
            Refusal::Interrupted(_) => Outcome::Interrupted,
        };
        self.span.settle(outcome);
        refusal
    }
}

fn denied(mut span: Span, reason: DenyReason) -> Refusal {
    span.decided(Decision::Denied(reason.clone()));
    span.settle(Outcome::Denied);
    Refusal::Denied(reason)
}

/// Whether a message only keeps a session going or lists what there is.
fn keeps_session(class: MethodClass) -> bool {
    match class {
        MethodClass::Session | MethodClass::List => true,
        MethodClass::Read | MethodClass::ToolCall | MethodClass::Other => false,
    }
}

/// The trail tells as whom a call was made.
fn note_account(span: &mut Span, held: Option<&Held>) {
    if let Some(account) = held.and_then(|held| held.account.as_ref()) {
        span.account(account);
    }
}

fn email(held: Option<&Held>) -> Option<&str> {
    held.and_then(|held| held.account.as_ref()?.email.as_deref())
}

fn outcome_of(error: &CredentialError) -> Outcome {
    match error {
        CredentialError::SignInNeeded => Outcome::SignInNeeded,
        CredentialError::RefusedByServer => Outcome::RefusedByServer,
        CredentialError::IssuerUnavailable(_) => Outcome::IssuerUnavailable,
        CredentialError::KeyStore(_) => Outcome::KeyStore,
    }
}

/// Waits for a credential as long as a client can be kept waiting. Its owner goes on afterwards: an answer that comes
/// later counts for the next call.
async fn within(
    deadline: Instant,
    obtaining: impl Future<Output = Result<Option<Arc<Held>>, CredentialError>>,
) -> Result<Option<Arc<Held>>, CredentialError> {
    tokio::time::timeout_at(deadline, obtaining).await.unwrap_or(Err(CredentialError::SignInNeeded))
}
