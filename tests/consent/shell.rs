//! The shell of a story: this program holds the prompter lease of its world's core and answers by the wire.

use std::time::Duration;

use keybearer_control::client::{Prompter, Told};
use keybearer_control::error::Error;
use keybearer_control::prompt::{Answer, Lasting, Prompts, Question};
use keybearer_os::local::Stream;
use keybearer_testkit::world::World;

/// Longer than nobody waits, unless something hangs.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const ONCE: Answer = Answer::Allow { lasting: Lasting::Once };

pub(crate) struct Shell<'a> {
    world: &'a World,
    prompter: Prompter<Stream>,
    /// Every question that was ever shown, by its name.
    pub(crate) seen: Vec<String>,
}

impl<'a> Shell<'a> {
    /// Takes the lease.
    pub(crate) async fn attach(world: &'a World) -> Self {
        let mut shell = Self { world, prompter: world.control().take_prompts().await.unwrap(), seen: Vec::new() };
        assert_eq!(shell.prompts().await, Prompts::default(), "nothing waits yet");
        shell
    }

    async fn told(&mut self) -> Told {
        tokio::time::timeout(PATIENCE, self.prompter.next()).await.expect("the core tells something").unwrap()
    }

    /// What waits, the next time that the core tells it.
    pub(crate) async fn prompts(&mut self) -> Prompts {
        loop {
            if let Told::Prompts(prompts) = self.told().await {
                assert!(prompts.questions.len() <= 3, "more than three questions are shown");
                for question in &prompts.questions {
                    if !self.seen.contains(&question.id) {
                        self.seen.push(question.id.clone());
                    }
                }
                return prompts;
            }
        }
    }

    /// Waits for the first question.
    pub(crate) async fn question(&mut self) -> Question {
        loop {
            if let Some(question) = self.prompts().await.questions.into_iter().next() {
                return question;
            }
        }
    }

    /// Answers, as soon as that counts.
    pub(crate) async fn answer(&mut self, question: &Question, answer: Answer) -> Result<(), Error> {
        self.world.clock.advance(Duration::from_millis(600));
        self.answer_now(&question.id, answer).await
    }

    /// Answers at once.
    pub(crate) async fn answer_now(&mut self, question: &str, answer: Answer) -> Result<(), Error> {
        self.prompter.answer(question.to_owned(), answer).await.unwrap();
        self.outcome(question).await
    }

    /// Asks for more time.
    pub(crate) async fn more_time(&mut self, question: &str) -> Result<(), Error> {
        self.prompter.more_time(question.to_owned()).await.unwrap();
        self.outcome(question).await
    }

    async fn outcome(&mut self, question: &str) -> Result<(), Error> {
        loop {
            if let Told::Answered { question: about, refused } = self.told().await {
                assert_eq!(about, question);
                return refused.map_or(Ok(()), Err);
            }
        }
    }
}
