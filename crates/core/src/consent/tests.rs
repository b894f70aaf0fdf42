use std::sync::Arc;
use std::time::Duration;

use keybearer_model::call::{Call, MethodClass, RiskClass};
use keybearer_model::caller::Caller;
use keybearer_model::consent::{Lasting, lastings};
use keybearer_model::program::Process;
use keybearer_model::time::BootTime;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;

use super::question::{Given, Matter, NotAnswered, QuestionId, Request, Said, Shown, Topic};
use super::state::{ARMING, Place, SHOWN, State};

const LIVES: Duration = Duration::from_secs(45);
const ONCE: Said = Said::Allow(Lasting::Once);

/// A desk with a clock that goes when it is told to.
struct Table {
    state: State,
    now: Duration,
}

/// Somebody who waits.
struct Waiting {
    place: u64,
    number: u64,
    answer: Receiver<Given>,
}

impl Waiting {
    fn told(&mut self) -> Option<Given> {
        match self.answer.try_recv() {
            Ok(given) => Some(given),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Closed) => panic!("nobody answers any more"),
        }
    }
}

/// `NAME TOOL`, or `NAME :connect`; a name with a `/` is a program that nobody has registered.
fn call(text: &str) -> Arc<Call> {
    let (name, what) = text.split_once(' ').unwrap();
    let caller = if name.contains('/') {
        let process = Process { pid: 7, begun: 9, executable: Some(name.into()), ..Process::default() };
        Caller::by_chain(None, vec![process], |_| false)
    } else {
        Caller::by_key(name.parse().unwrap())
    };
    let class = if what == ":connect" { MethodClass::Session } else { MethodClass::ToolCall };
    Arc::new(Call {
        caller: Arc::new(caller),
        server: "crm".parse().unwrap(),
        method: "x".into(),
        class,
        tool: (class == MethodClass::ToolCall).then(|| what.into()),
        risk: RiskClass::Change,
        argument_names: vec![],
    })
}

impl Table {
    fn new() -> Self {
        Self { state: State::default(), now: Duration::from_secs(1000) }
    }

    /// With a shell at it.
    fn attended() -> Self {
        let mut table = Self::new();
        table.state.take_lease().unwrap();
        table
    }

    fn boot(&self) -> BootTime {
        BootTime::from_duration(self.now)
    }

    fn try_put(&mut self, text: &str, arguments: &str) -> Option<Waiting> {
        let call = call(text);
        let request = Request {
            topic: Topic::of(&call),
            offers: lastings(&call),
            matter: Matter::Call { call, arguments: arguments.into(), account: None },
            lives: LIVES,
        };
        match self.state.put(request, self.boot()) {
            Place::Waits { place, number, answer, .. } => Some(Waiting { place, number, answer }),
            Place::Refused | Place::Denied => None,
        }
    }

    fn put(&mut self, text: &str) -> Waiting {
        self.try_put(text, "{}").unwrap()
    }

    fn look(&mut self) -> Vec<Shown> {
        self.state.look(self.boot())
    }

    /// The first question, shown so long that it can be answered.
    fn armed(&mut self) -> QuestionId {
        let id = self.look().first().unwrap().id;
        self.now += ARMING;
        id
    }

    fn say(&mut self, id: QuestionId, said: Said) -> Result<(), NotAnswered> {
        self.state.answer(id, said, self.boot()).map(drop)
    }
}

#[test]
fn sec_54_an_answer_counts_once_in_its_time_and_not_before_it_could_be_read() {
    let mut table = Table::attended();
    let mut asked = table.put("chat-app put_it");
    assert_eq!(table.say(QuestionId(3), ONCE), Err(NotAnswered::Unknown), "nobody has been shown it yet");
    let id = table.look()[0].id;
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::TooEarly));
    assert_eq!(table.say(id, Said::Deny), Err(NotAnswered::TooEarly), "a no that nobody meant is no answer either");
    table.now += ARMING - Duration::from_millis(1);
    table.look();
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::TooEarly));
    table.now += Duration::from_millis(1);
    assert_eq!(table.say(id, Said::Allow(Lasting::Session)), Err(NotAnswered::NotOffered));
    assert_eq!(table.say(QuestionId(999), ONCE), Err(NotAnswered::Unknown));
    assert_eq!(asked.told(), None);
    assert_eq!(table.say(id, ONCE), Ok(()));
    assert_eq!(asked.told(), Some(Given::Allowed));
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::Twice));

    let mut late = table.put("chat-app put_it");
    let id = table.armed();
    table.now += LIVES;
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::TooLate));
    assert_eq!(late.told(), None);
    table.state.expire(late.place, table.boot());
    assert_eq!(late.told(), Some(Given::NoAnswer));
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::TooLate));
}

#[test]
fn sec_54_an_answer_belongs_to_the_lease_that_showed_the_question() {
    let mut table = Table::new();
    let lease = table.state.take_lease().unwrap();
    assert_eq!(table.state.take_lease(), None, "there is one lease");
    let mut asked = table.put("chat-app put_it");
    let id = table.armed();
    table.state.release(lease);
    assert!(!table.state.is_attended());
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::Withdrawn));
    table.state.take_lease().unwrap();
    let again = table.look()[0].id;
    assert_ne!(again, id);
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::Withdrawn));
    assert_eq!(table.say(again, ONCE), Err(NotAnswered::TooEarly), "it is to be read again");
    table.now += ARMING;
    assert_eq!(table.say(again, ONCE), Ok(()));
    assert_eq!(asked.told(), Some(Given::Allowed));
    // One that held it before takes nothing from the one that has it now.
    table.state.release(lease);
    assert!(table.state.is_attended());
}

#[test]
fn identical_questions_are_one_and_a_yes_to_one_call_is_no_yes_to_the_next() {
    let mut table = Table::attended();
    let mut first = table.try_put("chat-app put_it", r#"{"n":1}"#).unwrap();
    let mut second = table.try_put("chat-app put_it", r#"{"n":2}"#).unwrap();
    let shown = table.look();
    assert_eq!((shown.len(), shown[0].others, shown[0].matter.arguments()), (1, 1, r#"{"n":1}"#));
    let id = table.armed();
    assert_eq!(table.say(id, ONCE), Ok(()));
    assert_eq!((first.told(), second.told()), (Some(Given::Allowed), None));
    let shown = table.look();
    assert_eq!((shown[0].others, shown[0].matter.arguments()), (0, r#"{"n":2}"#));
    assert_ne!(shown[0].id, id);
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::Twice));
    assert_eq!(table.say(shown[0].id, ONCE), Err(NotAnswered::TooEarly), "there is something else to read");
    let id = table.armed();
    assert_eq!(table.say(id, Said::Deny), Ok(()));
    assert_eq!(second.told(), Some(Given::Denied));
    assert!(table.look().is_empty());
}

#[test]
fn a_lasting_yes_and_a_no_are_for_all_who_wait_and_so_is_a_yes_to_come_in() {
    for (text, said, given) in [
        ("chat-app put_it", Said::Allow(Lasting::Today), Given::Allowed),
        ("chat-app put_it", Said::Deny, Given::Denied),
        ("chat-app :connect", ONCE, Given::Allowed),
    ] {
        let mut table = Table::attended();
        let mut waiting = [table.put(text), table.put(text), table.put(text)];
        let id = table.armed();
        assert_eq!(table.say(id, said), Ok(()));
        assert!(waiting.iter_mut().all(|one| one.told() == Some(given)), "{text} {said:?}");
        assert!(table.look().is_empty());
    }
}

#[test]
fn t30_of_many_questions_three_are_shown_and_the_rest_waits_in_line_or_is_refused() {
    let mut table = Table::attended();
    let put = (0..500).filter_map(|n| table.try_put(&format!("chat-app tool_{n}"), "{}")).count();
    assert_eq!((put, table.look().len()), (8, SHOWN));
    let others = (0..500).filter_map(|n| table.try_put(&format!("app-{n} tool"), "{}")).count();
    assert_eq!((others, table.look().len(), table.state.waiting()), (8, SHOWN, 16));
    let joined = (0..500).filter_map(|_| table.try_put("chat-app tool_0", "{}")).count();
    assert_eq!((joined, table.look()[0].others, table.state.waiting()), (63, 63, 16));
}

#[test]
fn a_no_counts_for_those_who_ask_the_very_same_again_at_once() {
    let mut table = Table::attended();
    let mut asked = table.put("chat-app put_it");
    let id = table.armed();
    assert_eq!(table.say(id, Said::Deny), Ok(()));
    assert_eq!(asked.told(), Some(Given::Denied));
    assert!(table.try_put("chat-app put_it", "{}").is_none(), "the same");
    assert!(table.try_put("chat-app put_it", r#"{"n":1}"#).is_some(), "other arguments");
    assert!(table.try_put("other-app put_it", "{}").is_some(), "somebody else");
    table.now += Duration::from_secs(2);
    assert!(table.try_put("chat-app put_it", "{}").is_some(), "later");
}

#[test]
fn t30_whoever_is_refused_three_times_asks_nobody_for_a_while() {
    let mut table = Table::attended();
    let mut waiting: Vec<_> = (0..5).map(|n| table.put(&format!("/opt/tiring-{n} tool"))).collect();
    for one in waiting.iter_mut().take(3) {
        let id = table.armed();
        assert_eq!(table.say(id, Said::Deny), Ok(()));
        assert_eq!(one.told(), Some(Given::Denied));
    }
    assert!(waiting.iter_mut().skip(3).all(|one| one.told() == Some(Given::TooMany)));
    assert!(table.look().is_empty());
    assert!(table.try_put("/opt/another tool", "{}").is_none(), "programs that nobody registered count as one");
    assert!(table.try_put("chat-app tool", "{}").is_some());
    table.now += Duration::from_secs(300);
    table.look();
    assert!(table.try_put("/opt/another tool", "{}").is_some());
}

#[test]
fn more_time_is_given_once() {
    let mut table = Table::attended();
    let mut asked = table.put("chat-app put_it");
    let id = table.armed();
    assert!(table.look()[0].more_time);
    assert_eq!(table.state.more_time(id, table.boot()), Ok(()));
    assert_eq!(table.state.more_time(id, table.boot()), Err(NotAnswered::NotOffered));
    let shown = table.look();
    assert_eq!((shown[0].left, shown[0].more_time), (LIVES * 2 - ARMING, false));
    table.now += LIVES;
    assert_eq!(table.say(id, ONCE), Ok(()));
    assert_eq!(asked.told(), Some(Given::Allowed));
    assert_eq!(table.state.more_time(id, table.boot()), Err(NotAnswered::Twice));
}

#[test]
fn a_yes_that_comes_too_late_for_its_call_counts_for_the_same_call_once_more() {
    let mut table = Table::attended();
    let asked = table.try_put("chat-app put_it", r#"{"n":1}"#).unwrap();
    let id = table.armed();
    table.state.give_up(asked.place, asked.number);
    assert_eq!(table.look()[0].id, id, "the question stays");
    assert_eq!(table.say(id, ONCE), Ok(()));
    let topic = Topic::of(&call("chat-app put_it"));
    assert!(table.state.has_late(&topic, table.boot()));
    assert!(!table.state.take_late(&topic, r#"{"n":2}"#, table.boot()), "with other arguments it is another call");
    assert!(table.state.take_late(&topic, r#"{"n":1}"#, table.boot()));
    assert!(!table.state.take_late(&topic, r#"{"n":1}"#, table.boot()), "it counts once");

    let asked = table.try_put("chat-app put_it", r#"{"n":1}"#).unwrap();
    let id = table.armed();
    table.state.give_up(asked.place, asked.number);
    assert_eq!(table.say(id, ONCE), Ok(()));
    table.now += Duration::from_secs(300);
    assert!(!table.state.take_late(&topic, r#"{"n":1}"#, table.boot()), "not for ever");
}

#[test]
fn a_call_that_is_tried_again_while_its_question_stands_is_what_is_answered() {
    let mut table = Table::attended();
    let gone = table.try_put("chat-app put_it", r#"{"n":1}"#).unwrap();
    let id = table.armed();
    table.state.give_up(gone.place, gone.number);
    let mut again = table.try_put("chat-app put_it", r#"{"n":1}"#).unwrap();
    assert_eq!(table.say(id, ONCE), Ok(()));
    assert_eq!(again.told(), Some(Given::Allowed));
    assert!(!table.state.has_late(&Topic::of(&call("chat-app put_it")), table.boot()));
}

#[test]
fn a_client_that_has_gone_takes_its_question_along() {
    let mut table = Table::attended();
    let gone = table.put("chat-app put_it");
    let id = table.armed();
    table.state.leave(gone.place, gone.number);
    assert!(table.look().is_empty());
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::Withdrawn));

    let gone = table.try_put("chat-app put_it", r#"{"n":1}"#).unwrap();
    let mut stays = table.try_put("chat-app put_it", r#"{"n":2}"#).unwrap();
    let id = table.armed();
    table.state.leave(gone.place, gone.number);
    assert_eq!(table.look()[0].matter.arguments(), r#"{"n":2}"#);
    assert_eq!(table.say(id, ONCE), Err(NotAnswered::Withdrawn), "what was read is not asked any more");
    let id = table.armed();
    assert_eq!(table.say(id, ONCE), Ok(()));
    assert_eq!(stays.told(), Some(Given::Allowed));
}

#[test]
fn what_waits_in_line_gets_its_whole_time_when_it_can_be_read() {
    let mut table = Table::attended();
    let mut waiting: Vec<_> = (0..4).map(|n| table.put(&format!("app-{n} tool"))).collect();
    let id = table.armed();
    table.now += LIVES - Duration::from_secs(5);
    assert_eq!(table.say(id, ONCE), Ok(()));
    assert_eq!(waiting[0].told(), Some(Given::Allowed));
    let shown = table.look();
    assert_eq!((shown.len(), shown[2].left), (SHOWN, LIVES));
}
