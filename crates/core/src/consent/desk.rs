//! The desk: where questions are put, and where whoever asked waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keybearer_model::call::Call;
use keybearer_model::consent::Lasting;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::lease::Lease;
use super::ledger::Ledger;
use super::question::{Given, Matter, NotAnswered, QuestionId, Request, Said, Topic};
use super::state::{Place, State};
use crate::audit::{About, Event, Trail};
use crate::ports::Clock;

/// The questions that wait for a person at the shell. Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Shared>);

struct Shared {
    // A mutex rather than an owner task: it is held for a look into a short list, never across an await, and only by what
    // waits for a person or brings the answer.
    state: Mutex<State>,
    /// Counts changes of what the shell shows.
    changed: watch::Sender<u64>,
    clock: Arc<dyn Clock>,
    trail: Trail,
    ledger: Ledger,
}

impl Desk {
    pub(crate) fn new(clock: Arc<dyn Clock>, trail: Trail, ledger: Ledger) -> Self {
        let (state, changed) = (Mutex::default(), watch::Sender::new(0));
        Self(Arc::new(Shared { state, changed, clock, trail, ledger }))
    }

    /// Whether a shell is there to ask.
    pub fn is_attended(&self) -> bool {
        self.state().is_attended()
    }

    /// Gives the lease to a shell that was verified; `None` if another one has it.
    pub fn lease(&self) -> Option<Lease> {
        let serial = self.state().take_lease()?;
        Some(Lease::new(self.clone(), serial, self.0.changed.subscribe()))
    }

    /// Puts a question, or joins the same one, and waits for the answer until `patience` is over. The question outlives
    /// that wait, as long as its own time lasts: an answer that comes later counts for the next call.
    pub(crate) async fn ask(&self, request: Request, patience: Instant) -> Given {
        let put = self.state().put(request, self.0.clock.boot());
        let (number, place, is_new, answer) = match put {
            Place::Waits { number, place, is_new, answer } => (number, place, is_new, answer),
            Place::Refused => return Given::TooMany,
            Place::Denied => return Given::Denied,
        };
        if is_new {
            self.expire_in_time(place);
        }
        self.touch();
        let mut waits = Waits { desk: self.clone(), place, number, done: false };
        let answered = timeout_at(patience, answer).await;
        waits.done = true;
        match answered {
            Ok(Ok(given)) => given,
            Ok(Err(_)) => Given::NoAnswer,
            Err(_) => {
                self.state().give_up(place, number);
                self.touch();
                Given::NoAnswer
            }
        }
    }

    /// Takes a yes that came too late for an earlier call like this one.
    pub(crate) fn take_late(&self, call: &Call, arguments: &str) -> bool {
        self.state().take_late(&Topic::of(call), arguments, self.0.clock.boot())
    }

    /// Whether there is such a yes.
    pub(crate) fn has_late(&self, call: &Call) -> bool {
        self.state().has_late(&Topic::of(call), self.0.clock.boot())
    }

    /// Records that somebody answers who may not.
    pub fn refuse_answer(&self, why: NotAnswered, program: Option<&std::path::Path>) {
        let program = program.map(|path| path.to_string_lossy().into_owned());
        self.0.trail.event(Event::AnswerRefused { program, why: why.word() });
    }

    pub(super) fn answer(&self, id: QuestionId, said: Said) -> Result<(), NotAnswered> {
        let counted = self.state().answer(id, said, self.0.clock.boot());
        let counted = counted.inspect_err(|why| self.refuse_answer(*why, None))?;
        self.0.trail.event(Event::Answered { about: About::of(&counted.matter), answer: counted.said.word() });
        if let (Said::Allow(lasting), Matter::Call { call, account, .. }) = (counted.said, &counted.matter) {
            match lasting {
                Lasting::Once => self.0.ledger.touch(),
                Lasting::Session | Lasting::Today | Lasting::Always => {
                    self.0.ledger.give(call, account.as_deref(), lasting);
                }
            }
        }
        self.touch();
        Ok(())
    }

    pub(super) fn more_time(&self, id: QuestionId) -> Result<(), NotAnswered> {
        let longer = self.state().more_time(id, self.0.clock.boot());
        longer.inspect_err(|why| self.refuse_answer(*why, None))?;
        self.touch();
        Ok(())
    }

    pub(super) fn look(&self) -> (Vec<super::question::Shown>, usize) {
        let mut state = self.state();
        let shown = state.look(self.0.clock.boot());
        (shown, state.waiting())
    }

    pub(super) fn release(&self, lease: u64) {
        self.state().release(lease);
        self.touch();
    }

    /// Ends the question when its time is over, however often that was made longer.
    fn expire_in_time(&self, place: u64) {
        let desk = self.clone();
        tokio::spawn(async move {
            loop {
                let left = desk.state().left(place, desk.0.clock.boot());
                match left {
                    None => return,
                    Some(left) if left.is_zero() => break,
                    Some(left) => tokio::time::sleep(left).await,
                }
            }
            desk.state().expire(place, desk.0.clock.boot());
            desk.touch();
        });
    }

    fn touch(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No rule of the desk panics half-way; if one did, questions end by their time.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits. If the wait is dropped, the client has gone.
struct Waits {
    desk: Desk,
    place: u64,
    number: u64,
    done: bool,
}

impl Drop for Waits {
    fn drop(&mut self) {
        if !self.done {
            self.desk.state().leave(self.place, self.number);
            self.desk.touch();
        }
    }
}
