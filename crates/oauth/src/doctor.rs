//! What a server and its company sign-in do, lack and contradict: a walk over discovery that signs nobody in.
//!
//! Pure, as the sign-in is: questions come out, answers go in, and findings are the result. Nothing secret is sent and
//! nothing is registered. What would be accepted is judged by the readers of the sign-in itself, so that the two agree.

mod finding;
mod issuer;
mod resource;
mod server;

use http::{Request, Response};
use keybearer_model::time::Timestamp;
use keybearer_model::url::Upstream;

pub use self::finding::{Code, Finding, Report, Severity};
use self::issuer::AskingIssuers;
use self::resource::AskingResource;
use crate::challenge::Challenge;
use crate::clock;

/// A clock that is off by more than this makes sign-ins fail here or there.
const LEEWAY_SECONDS: i64 = 5 * 60;

/// Whom the walk is about.
#[derive(Clone, Debug)]
pub struct Patient {
    /// The server.
    pub upstream: Upstream,
    /// How it is set to be authenticated to.
    pub means: Means,
    /// The scopes that the person or IT set.
    pub scopes: Vec<String>,
    /// The time of day.
    pub now: Timestamp,
}

/// How a server is set to be authenticated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By a sign-in, with a client that registers itself.
    SignIn,
    /// By a sign-in, with a client that was registered by hand.
    RegisteredClient,
    /// By a fixed header, or not at all: no sign-in is wanted.
    NoSignIn,
}

/// What became of a question.
pub enum Input {
    /// The answer.
    Answered(Box<Response<Vec<u8>>>),
    /// There was none.
    Silent(Silence),
}

/// Why there was no answer; the words are the driver's.
#[derive(Clone, Debug)]
pub enum Silence {
    /// Nobody was reached.
    Unreachable(String),
    /// The certificate is not trusted.
    Certificate(String),
    /// The address must not be asked (SEC-20).
    Forbidden(String),
    /// The answer broke off or does not end.
    Interrupted(String),
}

impl Silence {
    fn words(&self) -> &str {
        match self {
            Self::Unreachable(words) | Self::Certificate(words) | Self::Forbidden(words) | Self::Interrupted(words) => {
                words
            }
        }
    }
}

/// What is to be done next.
pub enum Effect {
    /// Send this, follow no redirect, and feed in the answer.
    Fetch(Box<Request<Vec<u8>>>),
    /// This is what was found.
    Done(Report),
}

/// A walk under way.
pub struct Doctor {
    patient: Patient,
    report: Report,
    challenge: Option<Challenge>,
    /// Whom the last question went to.
    asked: String,
    /// By how many seconds the clocks that were seen differ from ours, and whose they are.
    clocks: Vec<(String, i64)>,
    stage: Stage,
}

enum Stage {
    /// The server is asked to shake hands without a credential.
    Knocking,
    /// It did: does it list its tools, too?
    Listing,
    Resource(Box<AskingResource>),
    Issuers(Box<AskingIssuers>),
    Ended,
}

impl Doctor {
    /// Begins a walk.
    pub fn begin(patient: Patient) -> (Self, Effect) {
        let report = Report::default();
        let doctor =
            Self { patient, report, challenge: None, asked: String::new(), clocks: Vec::new(), stage: Stage::Knocking };
        doctor.knock()
    }

    /// Goes on with what became of the question.
    #[must_use = "the effect is the next step"]
    pub fn step(mut self, input: &Input) -> (Self, Effect) {
        self.note_clock(input);
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Knocking => self.knocked(input),
            Stage::Listing => self.listed(input),
            Stage::Resource(asking) => self.resource_answered(asking, input),
            Stage::Issuers(asking) => self.issuer_answered(asking, input),
            Stage::Ended => self.end(),
        }
    }

    fn fetch(mut self, stage: Stage, question: Request<Vec<u8>>) -> (Self, Effect) {
        self.asked = question.uri().to_string();
        self.stage = stage;
        (self, Effect::Fetch(Box::new(question)))
    }

    fn end(mut self) -> (Self, Effect) {
        self.judge_clocks();
        let report = std::mem::take(&mut self.report);
        (self, Effect::Done(report))
    }

    fn find(&mut self, code: Code, detail: impl AsRef<str>) {
        self.report.add(code, detail.as_ref());
    }

    fn note_clock(&mut self, input: &Input) {
        let Input::Answered(reply) = input else { return };
        let host = self.asked.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        let (Some(date), Some(host)) = (clock::date(reply), host) else { return };
        if !self.clocks.iter().any(|(known, _)| *known == host) {
            self.clocks.push((host, (date.as_millis() - self.patient.now.as_millis()) / 1000));
        }
    }

    /// If everybody's clock is off in the same way, it is ours.
    fn judge_clocks(&mut self) {
        let off = |seconds: i64| seconds.abs() > LEEWAY_SECONDS;
        let clocks = std::mem::take(&mut self.clocks);
        let (Some(first), true) = (clocks.first(), clocks.iter().any(|(_, seconds)| off(*seconds))) else { return };
        let alike = clocks.len() > 1 && clocks.iter().all(|(_, s)| off(*s) && (s - first.1).abs() <= LEEWAY_SECONDS);
        let told: Vec<_> = clocks.iter().map(|(host, seconds)| format!("{host} {seconds:+} s")).collect();
        let code = if alike { Code::OurClockOff } else { Code::ClockOff };
        self.find(code, format!("compared with this computer: {}", told.join(", ")));
    }
}
