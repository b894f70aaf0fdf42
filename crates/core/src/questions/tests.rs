use std::sync::Mutex as StdMutex;

use async_trait::async_trait;
use keybearer_model::call::{Call, MethodClass, RiskClass};
use keybearer_model::caller::Caller;
use keybearer_model::verdict::AskReason;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// A person who is handed each question with the way to answer it.
struct Person(StdMutex<UnboundedSender<oneshot::Sender<Answer>>>);

#[async_trait]
impl Prompter for Person {
    async fn ask(&self, _: Question) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.lock().unwrap().send(answer).unwrap();
        answered.await.unwrap_or(Answer::TimedOut)
    }
}

fn person() -> (Arc<dyn Prompter>, UnboundedReceiver<oneshot::Sender<Answer>>) {
    let (asked, questions) = unbounded_channel();
    (Arc::new(Person(StdMutex::new(asked))), questions)
}

fn caller(name: &str) -> Caller {
    Caller::by_key(name.parse().unwrap())
}

/// `name` asks to be let in, for as long as `patience`.
fn asks(
    questions: &Questions,
    person: &Arc<dyn Prompter>,
    name: &str,
    patience: Duration,
) -> tokio::task::JoinHandle<Answer> {
    let (questions, person, caller) = (questions.clone(), Arc::clone(person), caller(name));
    tokio::spawn(async move {
        let topic: Topic = (caller.principal(), "crm".parse().unwrap());
        let call = Arc::new(Call {
            caller: Arc::new(caller),
            server: topic.1.clone(),
            method: "initialize".into(),
            class: MethodClass::Session,
            risk: RiskClass::Read,
            tool: None,
            argument_names: vec![],
        });
        let question =
            |deadline| Question { call: Arc::clone(&call), reason: AskReason::Unknown, arguments: "".into(), deadline };
        questions.ask(&person, &topic, Instant::now() + patience, question).await
    })
}

/// Lets everybody else come to rest.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn two_bridges_of_one_client_are_one_question_and_another_client_is_another() {
    let (questions, (person, mut asked)) = (Questions::default(), person());
    let waiting = [asks(&questions, &person, "one", LONG), asks(&questions, &person, "one", LONG)];
    let other = asks(&questions, &person, "other", LONG);
    settle().await;
    let (first, second) = (asked.try_recv().unwrap(), asked.try_recv().unwrap());
    assert!(asked.try_recv().is_err(), "a third question was asked");
    first.send(Answer::AllowOnce).unwrap();
    second.send(Answer::Deny).unwrap();
    for answer in waiting {
        assert_eq!(answer.await.unwrap(), Answer::AllowOnce);
    }
    assert_eq!(other.await.unwrap(), Answer::Deny);
    assert!(questions.open().is_empty());
}

#[tokio::test]
async fn an_answer_counts_for_those_who_waited_and_for_nobody_later() {
    let (questions, (person, mut asked)) = (Questions::default(), person());
    let first = asks(&questions, &person, "one", LONG);
    asked.recv().await.unwrap().send(Answer::AllowOnce).unwrap();
    assert_eq!(first.await.unwrap(), Answer::AllowOnce);
    let later = asks(&questions, &person, "one", LONG);
    asked.recv().await.unwrap().send(Answer::Deny).unwrap();
    assert_eq!(later.await.unwrap(), Answer::Deny);
}

#[tokio::test]
async fn a_question_outlives_the_one_who_asked_first_and_is_withdrawn_with_the_last() {
    let (questions, (person, mut asked)) = (Questions::default(), person());
    let (first, second) = (asks(&questions, &person, "one", LONG), asks(&questions, &person, "one", LONG));
    let mut answer = asked.recv().await.unwrap();
    settle().await;
    first.abort();
    settle().await;
    assert!(!answer.is_closed(), "the question was withdrawn while somebody waits");
    second.abort();
    answer.closed().await;
    settle().await;
    assert!(questions.open().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_joined_late_does_not_lose_its_own_time() {
    let (questions, (person, mut asked)) = (Questions::default(), person());
    let first = asks(&questions, &person, "one", Duration::from_secs(5));
    let unanswered = asked.recv().await.unwrap();
    let second = asks(&questions, &person, "one", LONG);
    assert_eq!(first.await.unwrap(), Answer::TimedOut);
    // The person did not answer in the first one's time; the prompter says so.
    drop(unanswered);
    asked.recv().await.unwrap().send(Answer::AllowOnce).unwrap();
    assert_eq!(second.await.unwrap(), Answer::AllowOnce);
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_ends_the_question() {
    let (questions, (person, mut asked)) = (Questions::default(), person());
    let first = asks(&questions, &person, "one", LONG);
    let mut unanswered = asked.recv().await.unwrap();
    assert_eq!(first.await.unwrap(), Answer::TimedOut);
    unanswered.closed().await;
}
