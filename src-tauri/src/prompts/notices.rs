//! Notifications of the desktop: they tell a person who looks elsewhere that a question waits. One can bring the question
//! to the front, and none can answer it. They say who asks and where, and nothing of what is asked.

use std::collections::HashMap;

use keybearer_control::prompt::{Matter, Prompts, Question};
use notify_rust::Notification;
use tauri::{AppHandle, Manager};
use tokio::sync::oneshot;

use super::{Questions, window};
use crate::words::Words;

/// Tells of each question once, and takes back what is answered, until the shell ends.
pub(crate) async fn keep(app: AppHandle, words: Words) {
    let mut shown = app.state::<Questions>().shown();
    let mut told: HashMap<String, oneshot::Receiver<u32>> = HashMap::new();
    loop {
        let prompts = shown.borrow_and_update().clone();
        for id in settled(&told, &prompts) {
            if let Some(number) = told.remove(&id) {
                tauri::async_runtime::spawn(take_back(number));
            }
        }
        for question in prompts.questions {
            told.entry(question.id.clone()).or_insert_with(|| tell(app.clone(), notice(&question, &words)));
        }
        if shown.changed().await.is_err() {
            return;
        }
    }
}

/// The questions that were told of and wait no more.
fn settled(told: &HashMap<String, oneshot::Receiver<u32>>, prompts: &Prompts) -> Vec<String> {
    let waits = |id: &String| prompts.questions.iter().any(|question| question.id == *id);
    told.keys().filter(|id| !waits(id)).cloned().collect()
}

fn notice(question: &Question, words: &Words) -> Notification {
    let title = match &question.asker.name {
        Some(name) => words.say("prompt.notice_title", &[("app", name)]),
        None => words.say("prompt.notice_title_unknown", &[]),
    };
    let body = match &question.matter {
        Matter::Call { server, .. } => words.say("prompt.notice_call", &[("server", server)]),
        Matter::AddServer { .. } | Matter::AddClient { .. } => words.say("prompt.notice_change", &[]),
    };
    let mut notice = Notification::new();
    notice.appname("Keybearer").icon("keybearer").summary(&title).body(&body);
    notice.action("default", &words.say("prompt.notice_open", &[]));
    notice
}

/// Shows a notification; its number comes once the desktop has taken it.
fn tell(app: AppHandle, notice: Notification) -> oneshot::Receiver<u32> {
    let (taken, number) = oneshot::channel();
    // Whoever waits for a click blocks.
    std::thread::spawn(move || {
        if let Err(error) = show(&app, &notice, taken) {
            tracing::debug!(%error, "the desktop shows no notifications");
        }
    });
    number
}

#[cfg(target_os = "linux")]
fn show(app: &AppHandle, notice: &Notification, taken: oneshot::Sender<u32>) -> notify_rust::error::Result<()> {
    let handle = notice.show()?;
    // Nobody waits for the number of one that came too late.
    let _ = taken.send(handle.id());
    handle.wait_for_action(|action| {
        if action == "default" {
            window::to_front(app);
        }
    });
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn show(_: &AppHandle, notice: &Notification, _: oneshot::Sender<u32>) -> notify_rust::error::Result<()> {
    notice.show().map(drop)
}

/// What is answered need not be looked at any more.
#[cfg(target_os = "linux")]
async fn take_back(number: oneshot::Receiver<u32>) {
    const DESK: &str = "org.freedesktop.Notifications";
    let Ok(number) = number.await else { return };
    let Ok(bus) = zbus::Connection::session().await else { return };
    let taken_back =
        bus.call_method(Some(DESK), "/org/freedesktop/Notifications", Some(DESK), "CloseNotification", &number).await;
    if let Err(error) = taken_back {
        tracing::debug!(%error, "a notification stays");
    }
}

#[cfg(not(target_os = "linux"))]
async fn take_back(number: oneshot::Receiver<u32>) {
    drop(number.await);
}
