//! A person whose answers are known beforehand.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use keybearer_core::ports::{Answer, Prompter, Question};
use tokio::sync::watch;

/// Gives the scripted answers one after another; with none left, nobody is there.
#[derive(Default)]
pub struct ScriptedPrompter {
    script: Mutex<Script>,
    asked: watch::Sender<usize>,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Reaction>,
    questions: Vec<Question>,
}

enum Reaction {
    Answers(Answer),
    Hesitates,
}

impl ScriptedPrompter {
    /// The next question without an answer gets this one.
    pub fn will(&self, answer: Answer) -> &Self {
        self.with(|script| script.answers.push_back(Reaction::Answers(answer)));
        self
    }

    /// The next question stays open until its deadline, or until it is withdrawn.
    pub fn will_hesitate(&self) -> &Self {
        self.with(|script| script.answers.push_back(Reaction::Hesitates));
        self
    }

    /// Every question so far.
    pub fn questions(&self) -> Vec<Question> {
        self.with(|script| script.questions.clone())
    }

    /// Waits until `count` questions were asked.
    pub async fn until_asked(&self, count: usize) {
        let _ = self.asked.subscribe().wait_for(|asked| *asked >= count).await;
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Script) -> T) -> T {
        use_it(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Prompter for ScriptedPrompter {
    async fn ask(&self, question: Question) -> Answer {
        let deadline = question.deadline;
        let reaction = self.with(|script| {
            script.questions.push(question);
            script.answers.pop_front()
        });
        self.asked.send_modify(|asked| *asked += 1);
        match reaction {
            Some(Reaction::Answers(answer)) => answer,
            Some(Reaction::Hesitates) => {
                tokio::time::sleep(deadline).await;
                Answer::TimedOut
            }
            None => Answer::NobodyThere,
        }
    }
}
