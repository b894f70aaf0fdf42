//! The prompt as a person meets it: the real shell holds the real core's lease, and the keyboard answers.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs, and give up on them after a while")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

mod desktop;

use desktop::notices::{self, Notices};
use desktop::{Core, PATIENCE, Running, Said};

/// What the shell says when a click brings its questions to the front.
const FRONT: &str = "the questions come to the front";

/// How `keybearer call` ends where it was not allowed.
const NOT_ALLOWED: i32 = 5;

/// Asks until it is so.
#[track_caller]
fn until<T>(what: &str, mut so: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        match so() {
            Some(found) => return found,
            None => assert!(begun.elapsed() < PATIENCE, "{what} does not come"),
        }
        std::thread::yield_now();
    }
}

fn xdotool(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("xdotool");
    let told = command.args(arguments).stderr(Stdio::null()).output();
    let told = told.expect("`xdotool` is needed: `cargo xtask setup session`");
    told.status.success().then(|| String::from_utf8(told.stdout).unwrap().trim().to_owned())
}

/// The prompt's window, if it is there.
fn prompt() -> Option<String> {
    let found = xdotool(&["search", "--onlyvisible", "--name", "^Keybearer asks$"])?;
    found.lines().next().map(str::to_owned).filter(|window| !window.is_empty())
}

/// An app's call: a client of the stdio door that nobody has registered.
fn call(core: &Core) -> Child {
    let mut command = Command::new(desktop::shell().with_file_name("keybearer"));
    command.args(["call", "wiki", "edit_page", r#"{"title":"Travel","text":"Trains first."}"#]);
    command.env("KEYBEARER_HOME", core.home()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The same, again as long as the no that was just said counts for it.
fn call_until_asked(core: &Core) -> Child {
    let mut asks = call(core);
    until("the question", || {
        if let Some(status) = asks.try_wait().unwrap() {
            assert_eq!(status.code(), Some(NOT_ALLOWED));
            asks = call(core);
        }
        prompt()
    });
    asks
}

fn height(window: &str) -> Option<u32> {
    let told = xdotool(&["getwindowgeometry", "--shell", window])?;
    told.lines().find_map(|line| line.strip_prefix("HEIGHT="))?.parse().ok()
}

/// Presses these keys, one after the other, until the call has ended: those that come before the question could be read do
/// nothing.
fn press(keys: &[&str], call: &mut Child) {
    let window = until("the prompt", prompt);
    // Once its page is there, the window is as high as what it has to say.
    until("the page", || (height(&window)? > 240).then_some(()));
    until("the focus", || xdotool(&["windowfocus", "--sync", &window]));
    picture("prompt.png");
    until("the end of the call", || {
        if let Some(status) = call.try_wait().unwrap() {
            return Some(status);
        }
        if prompt().is_some() {
            keys.iter().for_each(|key| drop(xdotool(&["key", key])));
        }
        None
    });
}

fn picture(name: &str) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Whoever looks at it has ImageMagick; the story needs no picture.
    let _ = Command::new("convert").arg("x:root").arg(file).status();
}

/// Whether the shell has the lease.
fn attached(core: &Core) -> Option<()> {
    core.audit().contains("\"prompter_attached\"").then_some(())
}

fn answers(core: &Core) -> Vec<String> {
    let text = core.audit();
    let records = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let answered = records.filter(|record| record["event"] == "answered");
    answered
        .map(|record| format!("{} {}", record["what"].as_str().unwrap(), record["answer"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_notification_brings_the_question_to_the_front_and_answers_nothing() {
    if !desktop::is_inside("a_notification_brings_the_question_to_the_front_and_answers_nothing") {
        return;
    }
    let notices = Notices::default();
    let bus = notices.open();
    let core = Core::run();
    let mut shell = Command::new(desktop::shell());
    shell.arg("--minimized").env("KEYBEARER_HOME", core.home()).env("LANGUAGE", "en").env("LANG", "C.UTF-8");
    let mut shell = Running(shell.stderr(Stdio::piped()).spawn().unwrap());
    let said = Said::of(&mut shell.0);
    until("the lease", || attached(&core));
    let mut asks = call(&core);
    let shown = until("the notification", || notices.first());
    assert!(shown.text.ends_with("asks for permission: It wants to use wiki. Nothing happens before you answer."));
    assert!(!shown.text.contains("Travel"), "what is asked is shown in the prompt alone: {}", shown.text);
    assert_eq!(shown.actions, ["default", "Show the question"]);

    // Whatever a notification says, it is no answer.
    until("the prompt", prompt);
    notices::click(&bus, 1);
    until("the front", || said.contains(FRONT).then_some(()));
    assert!(asks.try_wait().unwrap().is_none() && answers(&core).is_empty(), "{:?}", answers(&core));

    press(&["Return"], &mut asks);
    ends_with(NOT_ALLOWED, asks);
    until("the end of the notification", || (notices.taken_back() == [1]).then_some(()));
}

#[test]
fn sec_54_a_question_comes_to_the_front_and_the_keyboard_answers_it() {
    if !desktop::is_inside("sec_54_a_question_comes_to_the_front_and_the_keyboard_answers_it") {
        return;
    }
    let core = Core::run();
    let mut shell = Command::new(desktop::shell());
    shell.arg("--minimized").env("KEYBEARER_HOME", core.home()).env("LANGUAGE", "en").env("LANG", "C.UTF-8");
    let _shell = Running(shell.spawn().unwrap());
    until("the lease", || attached(&core));
    assert!(prompt().is_none(), "nothing is asked yet");

    // The safe answer has the focus: a key that nobody aims allows nothing.
    let mut refused = call(&core);
    press(&["Return"], &mut refused);
    ends_with(NOT_ALLOWED, refused);
    until("the answer's record", || (answers(&core).first()? == "connect deny").then_some(()));
    assert!(answers(&core).iter().all(|answer| answer.ends_with(" deny")), "{:?}", answers(&core));
    until("the window's end", || prompt().is_none().then_some(()));

    // The server does not answer: what was allowed went out all the same.
    let mut allowed = call_until_asked(&core);
    // To "Allow", and back to the safe answer.
    press(&["shift+Tab", "Return", "Tab"], &mut allowed);
    // Allowed, and not reached.
    ends_with(7, allowed);
    until("the answer's record", || (answers(&core).last()? == "connect once").then_some(()));
    assert!(core.cli(&["permissions", "list"]).contains("No permissions"), "once is once");
}

#[track_caller]
fn ends_with(code: i32, call: Child) {
    let ended: Output = call.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
}
