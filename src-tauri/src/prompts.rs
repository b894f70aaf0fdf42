//! The questions to the person: holds the prompter lease of whichever core runs, and carries answers to it.
//!
//! Nothing is decided here. That an answer counts (who brings it, that it could be read, in time, once) is the core's
//! business; what is shown here are its words, and what it says of an answer is what the person is told.

use keybearer_control::client::{Client, Prompter, Told};
use keybearer_control::error::{Code, Error};
use keybearer_control::prompt::{Answer, Prompts};
use keybearer_control::view::View;
use keybearer_os::local::Stream;
use std::collections::HashMap;
use tokio::sync::{mpsc, oneshot, watch};

use crate::retries::Retries;

pub(crate) mod commands;
pub(crate) mod notices;
pub(crate) mod window;

/// The way of questions and answers.
pub struct Questions {
    says: mpsc::Sender<Says>,
    shown: watch::Receiver<Prompts>,
}

/// What the person says, and where the core's word on it goes.
struct Says {
    question: String,
    what: What,
    told: oneshot::Sender<Result<(), Error>>,
}

enum What {
    Answer(Answer),
    MoreTime,
}

impl Questions {
    /// Takes the lease whenever there is a core, as `views` tell. Needs a tokio runtime.
    pub fn open(client: Client, views: watch::Receiver<View>) -> Self {
        let (says, inbox) = mpsc::channel(16);
        let (show, shown) = watch::channel(Prompts::default());
        tokio::spawn(Owner { client, views, says: inbox, show, waiting: HashMap::new() }.run());
        Self { says, shown }
    }

    /// What waits for an answer, as it changes.
    pub fn shown(&self) -> watch::Receiver<Prompts> {
        self.shown.clone()
    }

    /// What waits for an answer now.
    pub fn now(&self) -> Prompts {
        self.shown.borrow().clone()
    }

    /// Answers a question; tells whether that counts.
    pub async fn answer(&self, question: String, answer: Answer) -> Result<(), Error> {
        self.say(question, What::Answer(answer)).await
    }

    /// Asks for as much time again.
    pub async fn more_time(&self, question: String) -> Result<(), Error> {
        self.say(question, What::MoreTime).await
    }

    async fn say(&self, question: String, what: What) -> Result<(), Error> {
        let (told, tells) = oneshot::channel();
        self.says.send(Says { question, what, told }).await.map_err(|_| gone())?;
        tells.await.map_err(|_| gone())?
    }
}

struct Owner {
    client: Client,
    views: watch::Receiver<View>,
    says: mpsc::Receiver<Says>,
    show: watch::Sender<Prompts>,
    /// Who waits for the core's word on an answer, by question.
    waiting: HashMap<String, oneshot::Sender<Result<(), Error>>>,
}

impl Owner {
    async fn run(mut self) {
        let mut retries = Retries::default();
        while retries.core_is_there(&mut self.views).await {
            let ended = match self.client.take_prompts().await {
                Ok(prompter) => self.follow(prompter).await,
                Err(error) => {
                    tracing::debug!(%error, "no core to show questions of");
                    error
                }
            };
            self.waiting.clear();
            self.show.send_if_modified(|shown| std::mem::take(shown) != Prompts::default());
            retries.wait(&ended, &mut self.views).await;
        }
    }

    /// Shows the questions and brings the answers until the core or the lease is gone; returns why that is so.
    async fn follow(&mut self, mut prompter: Prompter<Stream>) -> Error {
        loop {
            tokio::select! {
                told = prompter.next() => match told {
                    Ok(Told::Prompts(prompts)) => drop(self.show.send_replace(prompts)),
                    Ok(Told::Answered { question, refused }) => self.tell(&question, refused),
                    Err(error) => {
                        tracing::warn!(%error, "questions are not shown here any more");
                        return error;
                    }
                },
                Some(says) = self.says.recv() => {
                    let Says { question, what, told } = says;
                    let sent = match what {
                        What::Answer(answer) => prompter.answer(question.clone(), answer).await,
                        What::MoreTime => prompter.more_time(question.clone()).await,
                    };
                    if let Err(error) = sent {
                        return error;
                    }
                    self.waiting.insert(question, told);
                }
            }
        }
    }

    fn tell(&mut self, question: &str, refused: Option<Error>) {
        if let Some(told) = self.waiting.remove(question) {
            // A window that is gone does not hear it.
            let _ = told.send(refused.map_or(Ok(()), Err));
        }
    }
}

fn gone() -> Error {
    Error::new(Code::NoCore, "keybearer stopped before it heard the answer")
}
