//! The tray's menu as a value: what is in it is decided here, how it is drawn is not.

use keybearer_control::plain::{clean, middle};
use keybearer_control::prompt::{Known, Matter, Prompts, Question, Wants};
use keybearer_control::snapshot::Snapshot;
use keybearer_control::view::{Action, Failure, Headline, Home, Mark, Row, State, Tone, View};

use crate::words::{Language, Words};

/// Longer names lose their middle: menus have no tooltips and no room.
const LONGEST_NAME: usize = 40;
const LONGEST_FAILURE: usize = 120;

/// The tray: a shape, what is said of it, and a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// The icon's shape.
    pub mark: Mark,
    /// What the icon means.
    pub spoken: String,
    /// From top to bottom.
    pub items: Vec<Item>,
}

/// A line of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Words.
    Line(String),
    /// Something to click.
    Button(String, Click),
    /// A menu in the menu.
    Folder(String, Vec<Item>),
    /// A line between groups.
    Rule,
}

/// What a click asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Click {
    /// Start a core.
    Start,
    /// Sign in to a server.
    SignIn(String),
    /// Sign out of a server.
    SignOut(String),
    /// Refuse every call.
    StopAccess,
    /// Judge calls again.
    ResumeAccess,
    /// End the core, and let nobody start another.
    TurnOff,
    /// Show the prompt, for this question; it is answered there.
    Question(String),
    /// Show the window.
    Open,
    /// End the shell. The core lives on.
    Close,
}

impl Click {
    /// The click as a menu item's id.
    pub fn id(&self) -> String {
        match self {
            Self::Start => "start".into(),
            Self::SignIn(server) => format!("sign-in {server}"),
            Self::SignOut(server) => format!("sign-out {server}"),
            Self::StopAccess => "stop-access".into(),
            Self::ResumeAccess => "resume-access".into(),
            Self::TurnOff => "turn-off".into(),
            Self::Question(id) => format!("question {id}"),
            Self::Open => "open".into(),
            Self::Close => "close".into(),
        }
    }

    /// The click that an id stands for.
    pub fn of(id: &str) -> Option<Self> {
        Some(match id.split_once(' ').unwrap_or((id, "")) {
            ("start", "") => Self::Start,
            ("sign-in", server) => Self::SignIn(server.into()),
            ("sign-out", server) => Self::SignOut(server.into()),
            ("stop-access", "") => Self::StopAccess,
            ("resume-access", "") => Self::ResumeAccess,
            ("turn-off", "") => Self::TurnOff,
            ("question", id) => Self::Question(id.into()),
            ("open", "") => Self::Open,
            ("close", "") => Self::Close,
            _ => return None,
        })
    }
}

/// The tray for a view and the questions that wait.
pub fn menu(view: &View, prompts: &Prompts, words: &Words) -> Menu {
    let headline = headline(view, words);
    let mut items = questions(prompts, words);
    match view {
        View::Starting => {}
        View::Away { .. } => items.push(Item::Button(words.say("home.start", &[]), Click::Start)),
        View::Attached { home, snapshot } => items.extend(attached(home, snapshot, words)),
    }
    // One server that waits: the state is what to click.
    let is_said = |item: &Item| matches!(item, Item::Button(said, _) if *said == headline);
    if !items.iter().any(is_said) {
        items.insert(0, Item::Line(headline));
    }
    if items.last() != Some(&Item::Rule) {
        items.push(Item::Rule);
    }
    items.push(Item::Button(words.say("tray.open", &[]), Click::Open));
    if let View::Attached { .. } = view {
        items.push(Item::Button(words.say("tray.turn_off", &[]), Click::TurnOff));
    }
    items.push(Item::Button(words.say("tray.close_icon", &[]), Click::Close));
    match waiting(prompts) {
        0 => Menu { mark: view.mark(), spoken: spoken(view, words), items },
        count => Menu { mark: Mark::Asking { count }, spoken: asking(prompts, count, words), items },
    }
}

/// How many questions wait for the person.
fn waiting(prompts: &Prompts) -> u32 {
    u32::try_from(prompts.questions.len()).unwrap_or(u32::MAX).saturating_add(prompts.waiting)
}

/// Each question that is shown; all of them lead to the prompt.
fn questions(prompts: &Prompts, words: &Words) -> Vec<Item> {
    let asked = prompts.questions.iter();
    let mut items: Vec<Item> =
        asked.map(|asked| Item::Button(question(asked, words), Click::Question(asked.id.clone()))).collect();
    if prompts.waiting > 0 {
        items.push(Item::Line(words.count("tray.more_questions", prompts.waiting)));
    }
    if !items.is_empty() {
        items.push(Item::Rule);
    }
    items
}

/// A question in one line: who wants what. Only names that a person or the system gave are in it.
fn question(asked: &Question, words: &Words) -> String {
    let wants = match &asked.matter {
        Matter::Call { server, wants, .. } => words.say(wants_key(*wants), &[("server", &short(server))]),
        Matter::AddServer { name, .. } => words.say("prompt.wants_add_server", &[("name", &short(name))]),
        Matter::AddClient { name, .. } => words.say("prompt.wants_add_client", &[("name", &short(name))]),
    };
    words.say("tray.question", &[("name", &asker(asked, words)), ("wants", &wants)])
}

fn asker(asked: &Question, words: &Words) -> String {
    match (&asked.asker.name, asked.asker.known) {
        (Some(name), Known::Key | Known::Registered | Known::Program) => short(name),
        (Some(_) | None, _) => words.say("tray.unknown_app", &[]),
    }
}

fn short(name: &str) -> String {
    middle(&clean(name), LONGEST_NAME)
}

fn wants_key(wants: Wants) -> &'static str {
    match wants {
        Wants::Connect => "prompt.wants_connect",
        Wants::List => "prompt.wants_list",
        Wants::Read => "prompt.wants_read",
        Wants::Change => "prompt.wants_change",
        Wants::Delete => "prompt.wants_delete",
        Wants::Send => "prompt.wants_send",
    }
}

/// What the icon means while questions wait.
fn asking(prompts: &Prompts, count: u32, words: &Words) -> String {
    match prompts.questions.as_slice() {
        [one] if count == 1 => words.say("tray.spoken_asks", &[("name", &asker(one, words))]),
        _ => words.count("tray.spoken_asking", count),
    }
}

fn attached(home: &Home, snapshot: &Snapshot, words: &Words) -> Vec<Item> {
    let waiting = home.rows.iter().filter(|row| row.tone == Tone::Attention);
    let mut items: Vec<Item> = waiting.filter_map(|row| button(row, words)).collect();
    items.push(Item::Rule);
    items.extend(home.rows.iter().map(|row| folder(row, words)));
    if items.last() != Some(&Item::Rule) {
        items.push(Item::Rule);
    }
    items.extend(apps(snapshot, words));
    items.push(if snapshot.stopped {
        Item::Button(words.say("tray.resume", &[]), Click::ResumeAccess)
    } else {
        Item::Button(words.say("tray.stop_all", &[]), Click::StopAccess)
    });
    items
}

/// The connected apps, each by its name.
fn apps(snapshot: &Snapshot, words: &Words) -> Option<Item> {
    let count = u32::try_from(snapshot.clients.len()).unwrap_or(u32::MAX);
    let lines = snapshot.clients.iter().map(|client| Item::Line(middle(&clean(&client.name), LONGEST_NAME)));
    (count > 0).then(|| Item::Folder(words.count("tray.apps", count), lines.collect()))
}

fn button(row: &Row, words: &Words) -> Option<Item> {
    let name = middle(&row.name, LONGEST_NAME);
    let name = [("name", name.as_str())];
    Some(match row.action? {
        Action::SignIn => Item::Button(words.say("common.sign_in_to", &name), Click::SignIn(row.name.clone())),
        Action::SignOut => Item::Button(words.say("common.sign_out_of", &name), Click::SignOut(row.name.clone())),
    })
}

fn folder(row: &Row, words: &Words) -> Item {
    let name = middle(&row.name, LONGEST_NAME);
    let state = words.say(state_key(row.state), &[]);
    let account = row.account.as_deref().map(|account| middle(account, LONGEST_NAME));
    // The core tells of an end within a day of it: the time of day says which.
    let ends = row.ends.as_ref().and_then(|ends| words.clock(&ends.at));
    let title = match (&account, &ends) {
        (Some(account), Some(when)) => {
            let values = [("name", name.as_str()), ("state", &state), ("account", account), ("when", when)];
            words.say("tray.state_that_ends", &values)
        }
        (Some(account), None) => {
            words.say("tray.state_with_account", &[("name", &name), ("state", &state), ("account", account)])
        }
        (None, _) => words.say("tray.state_alone", &[("name", &name), ("state", &state)]),
    };
    let mut items = vec![Item::Line(middle(&row.host, LONGEST_NAME))];
    items.extend(row.failure.as_ref().map(|failure| Item::Line(failed(failure, words))));
    items.extend(button(row, words));
    Item::Folder(title, items)
}

/// The core's own sentences are English: elsewhere the kind of the error has to do.
fn failed(failure: &Failure, words: &Words) -> String {
    match words.language() {
        Language::English => middle(&failure.text, LONGEST_FAILURE),
        Language::German => middle(&words.failure(failure), LONGEST_FAILURE),
    }
}

fn headline(view: &View, words: &Words) -> String {
    let say = |key| words.say(key, &[]);
    let home = match view {
        View::Starting => return say("home.starting"),
        View::Away { .. } => return say("home.away"),
        View::Attached { home, .. } => home,
    };
    match &home.headline {
        Headline::Stopped => say("home.headline_stopped"),
        Headline::SignInTo { name } => words.say("home.headline_sign_in_to", &[("name", &middle(name, LONGEST_NAME))]),
        Headline::SignInToMany { count } => words.count("home.headline_sign_in_to_many", *count),
        Headline::FinishSignIn => say("home.headline_finish_sign_in"),
        Headline::KeychainLocked => say("home.headline_keychain_locked"),
        Headline::Problems { count } => words.count("home.headline_problems", *count),
        Headline::NoTools => say("home.headline_no_tools"),
        Headline::Ready => say("home.headline_ready"),
        Headline::Refused => say("home.headline_refused"),
        Headline::Unreachable => say("home.headline_unreachable"),
        Headline::NotSignedIn => say("home.headline_not_signed_in"),
        Headline::SomeReady { ready, all } => {
            words.say("home.headline_some_ready", &[("ready", &ready.to_string()), ("all", &all.to_string())])
        }
    }
}

fn state_key(state: State) -> &'static str {
    match state {
        State::NotSignedIn => "home.state_not_signed_in",
        State::NotUsed => "home.state_not_used",
        State::Ready => "home.state_ready",
        State::SignedIn => "home.state_signed_in",
        State::SignedInNotSaved => "home.state_signed_in_not_saved",
        State::SigningIn => "home.state_signing_in",
        State::SignInNeeded => "home.state_sign_in_needed",
        State::Refused => "home.state_refused",
        State::Unreachable => "home.state_unreachable",
        State::KeychainLocked => "home.state_keychain_locked",
    }
}

/// What the icon means, for whoever cannot see it.
fn spoken(view: &View, words: &Words) -> String {
    match (view, view.mark()) {
        (View::Starting, _) => words.say("tray.spoken_starting", &[]),
        (View::Away { .. }, _) => words.say("tray.spoken_away", &[]),
        (View::Attached { .. }, Mark::Ready) => words.say("tray.spoken_ready", &[]),
        (View::Attached { .. }, Mark::SignIn { count }) => words.count("tray.spoken_sign_in", count),
        // Questions come beside the view.
        (View::Attached { .. }, Mark::Asking { count }) => words.count("tray.spoken_asking", count),
        (View::Attached { snapshot, .. }, Mark::Blocked) if snapshot.stopped => words.say("tray.spoken_stopped", &[]),
        (View::Attached { .. }, Mark::Blocked) => words.say("tray.spoken_blocked", &[]),
        (View::Attached { .. }, Mark::Offline) => words.say("tray.spoken_offline", &[]),
    }
}

#[cfg(test)]
mod tests;
