//! One question for all who ask the same at the same time.
//!
//! A client that starts two bridges asks twice to be let in, and the person answers once: a yes there lets a session
//! begin, and there is nothing to lose in two of them. Calls are never merged, not even alike ones: each acts for
//! itself, and a yes to one is no yes to doing it twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use keybearer_model::caller::Principal;
use keybearer_model::name::ServerName;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::ports::{Answer, Prompter, Question};

/// What is asked: whether this client may begin a session with this server.
pub(crate) type Topic = (Principal, ServerName);

/// The questions that are open.
#[derive(Clone, Default)]
pub(crate) struct Questions(
    // A mutex rather than an owner task: it is held for a look into a small map, and never on the way of a call that
    // nobody is asked about.
    Arc<Mutex<HashMap<Topic, Weak<Open>>>>,
);

/// An open question. It is withdrawn when the last one that waits for its answer has gone.
struct Open {
    topic: Topic,
    answer: watch::Receiver<Option<Answer>>,
    asking: AbortHandle,
    all: Questions,
}

enum Part {
    Asks,
    Joins,
}

impl Questions {
    /// Asks, or waits for the answer to the same question. Who joined a question that ended without an answer, and has
    /// time left, asks anew.
    pub(crate) async fn ask(
        &self,
        prompter: &Arc<dyn Prompter>,
        topic: &Topic,
        deadline: Instant,
        question: impl Fn(Duration) -> Question,
    ) -> Answer {
        loop {
            let (open, part) = self.join_or(topic, || {
                let asked = question(deadline - Instant::now());
                let prompter = Arc::clone(prompter);
                async move { prompter.ask(asked).await }
            });
            let mut answer = open.answer.clone();
            let answered = timeout_at(deadline, answer.wait_for(Option::is_some)).await;
            let answer = match answered {
                Ok(Ok(answer)) => answer.unwrap_or(Answer::TimedOut),
                Ok(Err(_)) | Err(_) => Answer::TimedOut,
            };
            match (answer, part) {
                (Answer::TimedOut, Part::Joins) if Instant::now() < deadline => {}
                (answer, _) => return answer,
            }
        }
    }

    fn join_or<F>(&self, topic: &Topic, begin: impl FnOnce() -> F) -> (Arc<Open>, Part)
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut open = self.open();
        let found = open.get(topic).and_then(Weak::upgrade).filter(|found| found.is_unanswered());
        if let Some(found) = found {
            return (found, Part::Joins);
        }
        let (answered, answer) = watch::channel(None);
        let asked = begin();
        let asking = tokio::spawn(async move {
            let answer = asked.await;
            answered.send_replace(Some(answer));
        });
        let begun = Arc::new(Open { topic: topic.clone(), answer, asking: asking.abort_handle(), all: self.clone() });
        open.insert(topic.clone(), Arc::downgrade(&begun));
        (begun, Part::Asks)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Topic, Weak<Open>>> {
        // A panic in between leaves the map as it was.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn is_unanswered(&self) -> bool {
        self.answer.borrow().is_none() && self.answer.has_changed().is_ok()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.asking.abort();
        let mut open = self.all.open();
        if open.get(&self.topic).is_some_and(|other| other.strong_count() == 0) {
            open.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests;
