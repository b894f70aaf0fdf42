//! The questions that wait, as a value: every rule of the desk, without tasks and without a clock.

use std::collections::VecDeque;
use std::time::Duration;

use keybearer_model::consent::Lasting;
use keybearer_model::time::BootTime;
use tokio::sync::oneshot;

use super::question::{Given, Matter, NotAnswered, QuestionId, Request, Said, Shown, Topic};
use super::quiet::{Crowd, Quiet};

/// Questions that are at the shell at a time.
pub(super) const SHOWN: usize = 3;

/// Questions that wait at a time, those at the shell included; and how many of them one crowd may have.
const WAITING: usize = 16;
const WAITING_OF_ONE: usize = 8;

/// Requests that wait for one question.
const MOST_MEMBERS: usize = 64;

/// What is answered sooner after it was shown was not read.
pub(super) const ARMING: Duration = Duration::from_millis(600);

/// How long a yes that came too late for its call counts for the same call once more.
const LATE: Duration = Duration::from_secs(5 * 60);

/// For so long a no counts for those who ask the very same again: clients do within milliseconds, people take longer.
const AGAIN: Duration = Duration::from_secs(2);

/// How many ended questions are remembered, to tell why an answer does not count.
const REMEMBERED: usize = 64;

/// Everything that the desk knows.
#[derive(Default)]
pub(super) struct State {
    lease: Option<u64>,
    leases: u64,
    numbers: u64,
    open: Vec<Open>,
    ended: VecDeque<(QuestionId, NotAnswered)>,
    quiet: Quiet,
    late: Vec<Late>,
    noes: VecDeque<Late>,
}

/// A question that waits.
struct Open {
    /// Its place at the desk, which it keeps.
    place: u64,
    /// Its name at the shell, which is new whenever something else is to be read.
    id: QuestionId,
    topic: Topic,
    crowd: Crowd,
    matter: Matter,
    offers: Vec<Lasting>,
    lives: Duration,
    ends: BootTime,
    shown: Option<BootTime>,
    extended: bool,
    /// The request whose matter is shown; `None` once its client could not wait any longer.
    front: Option<Member>,
    more: VecDeque<Member>,
    /// Whether somebody could not wait, so that an answer is of use although nobody does.
    given_up: bool,
}

/// A request that waits for the answer.
struct Member {
    number: u64,
    matter: Matter,
    answer: oneshot::Sender<Given>,
}

/// An answer that counts for the next request of the same kind: a yes that came when its client had given up, or a no.
struct Late {
    topic: Topic,
    arguments: Box<str>,
    until: BootTime,
}

/// What a request got at the desk.
pub(super) enum Place {
    /// It waits: its number, the question's place, and whether that is new.
    Waits { number: u64, place: u64, is_new: bool, answer: oneshot::Receiver<Given> },
    /// It is refused at once.
    Refused,
    /// The person has just said no to the same.
    Denied,
}

/// An answer that counts.
pub(super) struct Counted {
    pub(super) matter: Matter,
    pub(super) said: Said,
}

impl State {
    pub(super) fn is_attended(&self) -> bool {
        self.lease.is_some()
    }

    /// Gives the lease, if nobody has it.
    pub(super) fn take_lease(&mut self) -> Option<u64> {
        if self.lease.is_some() {
            return None;
        }
        self.leases += 1;
        self.lease = Some(self.leases);
        self.lease
    }

    /// Takes the lease back. What waits is put anew to the next one, under names that this one has not seen.
    pub(super) fn release(&mut self, lease: u64) {
        if self.lease != Some(lease) {
            return;
        }
        self.lease = None;
        for at in 0..self.open.len() {
            self.rename(at);
        }
    }

    pub(super) fn put(&mut self, request: Request, now: BootTime) -> Place {
        let crowd = Crowd::of(request.matter.caller());
        if self.quiet.is_kept(&crowd, now) {
            return Place::Refused;
        }
        if self.was_just_denied(&request, now) {
            return Place::Denied;
        }
        let number = self.number();
        let (sender, answer) = oneshot::channel();
        let member = Member { number, matter: request.matter.clone(), answer: sender };
        if let Some(open) = self.open.iter_mut().find(|open| open.topic == request.topic) {
            let place = open.place;
            return if open.join(member) {
                Place::Waits { number, place, is_new: false, answer }
            } else {
                Place::Refused
            };
        }
        let of_one = self.open.iter().filter(|open| open.crowd == crowd).count();
        if self.open.len() >= WAITING || of_one >= WAITING_OF_ONE {
            return Place::Refused;
        }
        let (place, id) = (self.number(), QuestionId(self.number()));
        let Request { topic, matter, offers, lives } = request;
        self.open.push(Open {
            place,
            id,
            topic,
            crowd,
            matter,
            offers,
            lives,
            ends: now + lives,
            shown: None,
            extended: false,
            front: Some(member),
            more: VecDeque::new(),
            given_up: false,
        });
        Place::Waits { number, place, is_new: true, answer }
    }

    /// A client could not wait any longer: the question stays, and an answer counts for the next call.
    pub(super) fn give_up(&mut self, place: u64, number: u64) {
        let Some(open) = self.open.iter_mut().find(|open| open.place == place) else { return };
        open.given_up |= open.front.as_ref().is_some_and(|front| front.number == number);
        open.leave(number);
        self.withdraw_if_unwanted(place);
    }

    /// A client has gone: its question goes with it, unless others wait.
    pub(super) fn leave(&mut self, place: u64, number: u64) {
        let Some(at) = self.at_place(place) else { return };
        let Some(open) = self.open.get_mut(at) else { return };
        let was_front = open.front.as_ref().is_some_and(|front| front.number == number);
        open.leave(number);
        if was_front && !open.given_up && !open.more.is_empty() {
            self.next_member(at);
        }
        self.withdraw_if_unwanted(place);
    }

    /// What the shell shows; what it has not shown before is armed from now on.
    pub(super) fn look(&mut self, now: BootTime) -> Vec<Shown> {
        let over = self.open.iter().filter(|open| open.shown.is_some() && open.ends <= now);
        for place in over.map(|open| open.place).collect::<Vec<_>>() {
            self.expire(place, now);
        }
        self.open.iter_mut().take(SHOWN).map(|open| open.show(now)).collect()
    }

    /// How many questions wait in all.
    pub(super) fn waiting(&self) -> usize {
        self.open.len()
    }

    /// Takes an answer, if it counts.
    pub(super) fn answer(&mut self, id: QuestionId, said: Said, now: BootTime) -> Result<Counted, NotAnswered> {
        let at = self.armed(id, now)?;
        let Some(open) = self.open.get(at) else { return Err(NotAnswered::Unknown) };
        if let Said::Allow(lasting) = said
            && !open.offers.contains(&lasting)
        {
            return Err(NotAnswered::NotOffered);
        }
        let counted = Counted { matter: open.matter.clone(), said };
        let crowd = open.crowd.clone();
        match said {
            Said::Deny => {
                self.remember_no(at, now);
                self.end(at, NotAnswered::Twice, Given::Denied);
                self.strike(&crowd, now);
            }
            Said::Allow(Lasting::Once) => {
                self.quiet.forgive(&crowd);
                self.allow_once(at, now);
            }
            Said::Allow(Lasting::Session | Lasting::Today | Lasting::Always) => {
                self.quiet.forgive(&crowd);
                self.end(at, NotAnswered::Twice, Given::Allowed);
            }
        }
        Ok(counted)
    }

    /// Whether the person has said no to the very same a moment ago: clients try again by themselves, and nobody is asked
    /// twice for that.
    fn was_just_denied(&mut self, request: &Request, now: BootTime) -> bool {
        self.noes.retain(|no| no.until > now);
        self.noes.iter().any(|no| no.is_for(&request.topic, request.matter.arguments()))
    }

    fn remember_no(&mut self, at: usize, now: BootTime) {
        let Some(open) = self.open.get(at) else { return };
        let no = Late { topic: open.topic.clone(), arguments: open.matter.arguments().into(), until: now + AGAIN };
        self.noes.push_back(no);
        if self.noes.len() > REMEMBERED {
            self.noes.pop_front();
        }
    }

    /// Gives the person as much time again, once for each question; tells until when.
    pub(super) fn more_time(&mut self, id: QuestionId, now: BootTime) -> Result<(), NotAnswered> {
        let at = self.find(id, now)?;
        let Some(open) = self.open.get_mut(at).filter(|open| !open.extended) else {
            return Err(NotAnswered::NotOffered);
        };
        open.extended = true;
        open.ends = open.ends + open.lives;
        Ok(())
    }

    /// How long the question at this place has; `None` if it is not there any more.
    pub(super) fn left(&self, place: u64, now: BootTime) -> Option<Duration> {
        self.open.iter().find(|open| open.place == place).map(|open| open.ends.since(now))
    }

    /// Ends the question at this place unanswered.
    pub(super) fn expire(&mut self, place: u64, now: BootTime) {
        let Some(at) = self.at_place(place) else { return };
        if let Some(open) = self.open.get(at).filter(|open| open.shown.is_some()) {
            let crowd = open.crowd.clone();
            self.end(at, NotAnswered::TooLate, Given::NoAnswer);
            return self.strike(&crowd, now);
        }
        self.end(at, NotAnswered::TooLate, Given::NoAnswer);
    }

    /// Takes a yes that came too late for an earlier call like this one.
    pub(super) fn take_late(&mut self, topic: &Topic, arguments: &str, now: BootTime) -> bool {
        self.late.retain(|late| late.until > now);
        let found = self.late.iter().position(|late| late.is_for(topic, arguments));
        found.map(|at| self.late.swap_remove(at)).is_some()
    }

    /// Whether there is such a yes to something like this.
    pub(super) fn has_late(&self, topic: &Topic, now: BootTime) -> bool {
        self.late.iter().any(|late| late.topic == *topic && late.until > now)
    }

    /// Notes a refusal; if it was one too many, what else this crowd has asked is not put to the person.
    fn strike(&mut self, crowd: &Crowd, now: BootTime) {
        self.quiet.strike(crowd, now);
        while self.quiet.is_kept(crowd, now) {
            let Some(at) = self.open.iter().position(|open| open.crowd == *crowd) else { return };
            self.end(at, NotAnswered::Withdrawn, Given::TooMany);
        }
    }

    fn allow_once(&mut self, at: usize, now: BootTime) {
        let Some(open) = self.open.get_mut(at) else { return };
        match open.front.take() {
            Some(front) => drop(front.answer.send(Given::Allowed)),
            None => self.late.push(Late {
                topic: open.topic.clone(),
                arguments: open.matter.arguments().into(),
                until: now + LATE,
            }),
        }
        if open.topic.one_yes_for_all() || open.more.is_empty() {
            return self.end(at, NotAnswered::Twice, Given::Allowed);
        }
        self.remember(at, NotAnswered::Twice);
        self.next_member(at);
    }

    /// Puts the next of several requests in the place of the one that was shown: there is something else to read.
    fn next_member(&mut self, at: usize) {
        self.rename(at);
        let Some(open) = self.open.get_mut(at) else { return };
        let Some(next) = open.more.pop_front() else { return };
        open.matter = next.matter.clone();
        open.front = Some(next);
        (open.given_up, open.extended) = (false, false);
    }

    fn withdraw_if_unwanted(&mut self, place: u64) {
        let Some(at) = self.at_place(place) else { return };
        let unwanted =
            self.open.get(at).is_some_and(|open| open.front.is_none() && open.more.is_empty() && !open.given_up);
        if unwanted {
            self.end(at, NotAnswered::Withdrawn, Given::NoAnswer);
        }
    }

    fn end(&mut self, at: usize, why: NotAnswered, given: Given) {
        self.remember(at, why);
        let Open { front, more, .. } = self.open.remove(at);
        for member in front.into_iter().chain(more) {
            // Whoever has gone does not hear it.
            let _ = member.answer.send(given);
        }
    }

    fn rename(&mut self, at: usize) {
        self.remember(at, NotAnswered::Withdrawn);
        let id = QuestionId(self.number());
        if let Some(open) = self.open.get_mut(at) {
            (open.id, open.shown) = (id, None);
        }
    }

    fn remember(&mut self, at: usize, why: NotAnswered) {
        let Some(open) = self.open.get(at) else { return };
        if self.ended.iter().any(|(id, _)| *id == open.id) {
            return;
        }
        self.ended.push_back((open.id, why));
        if self.ended.len() > REMEMBERED {
            self.ended.pop_front();
        }
    }

    /// The question of this name, which was shown and has time left.
    fn find(&self, id: QuestionId, now: BootTime) -> Result<usize, NotAnswered> {
        let found = self.open.iter().position(|open| open.id == id && open.shown.is_some());
        let Some(at) = found else {
            let ended = self.ended.iter().find(|(ended, _)| *ended == id);
            return Err(ended.map_or(NotAnswered::Unknown, |(_, why)| *why));
        };
        // What keeps the time may be late, after sleep for example.
        let late = self.open.get(at).is_none_or(|open| open.ends <= now);
        if late { Err(NotAnswered::TooLate) } else { Ok(at) }
    }

    fn armed(&self, id: QuestionId, now: BootTime) -> Result<usize, NotAnswered> {
        let at = self.find(id, now)?;
        let shown = self.open.get(at).and_then(|open| open.shown);
        if shown.is_none_or(|shown| now.since(shown) < ARMING) { Err(NotAnswered::TooEarly) } else { Ok(at) }
    }

    fn at_place(&self, place: u64) -> Option<usize> {
        self.open.iter().position(|open| open.place == place)
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

impl Open {
    /// False if too many wait for it.
    fn join(&mut self, member: Member) -> bool {
        if self.more.len() + 1 >= MOST_MEMBERS {
            return false;
        }
        // The client has tried again: what is shown is this request.
        let again = self.front.is_none() && self.matter.arguments() == member.matter.arguments();
        if again {
            self.front = Some(member);
        } else {
            self.more.push_back(member);
        }
        true
    }

    fn leave(&mut self, number: u64) {
        if self.front.as_ref().is_some_and(|front| front.number == number) {
            self.front = None;
        }
        self.more.retain(|member| member.number != number);
    }

    fn show(&mut self, now: BootTime) -> Shown {
        if self.shown.is_none() {
            self.shown = Some(now);
            // Its time begins when it can be read.
            self.ends = now + self.lives;
        }
        Shown {
            id: self.id,
            matter: self.matter.clone(),
            offers: self.offers.clone(),
            left: self.ends.since(now),
            more_time: !self.extended,
            others: self.more.len(),
        }
    }
}

impl Late {
    fn is_for(&self, topic: &Topic, arguments: &str) -> bool {
        self.topic == *topic && (topic.one_yes_for_all() || *self.arguments == *arguments)
    }
}
