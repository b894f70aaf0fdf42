//! Notifications of the desktop: they tell a person who looks elsewhere that a question waits. One can bring the question
//! to the front, and none can answer it. They say who asks and where, and nothing of what is asked.

use std::collections::HashMap;

use keybearer_control::prompt::{Matter, Question};
use notify_rust::Notification;
use tauri::{AppHandle, Manager};
use tokio::sync::oneshot;

use super::Questions;
use crate::words::Words;

/// Tells of each question once, and takes back what is answered, until the shell ends.
pub(crate) async fn keep(app: AppHandle, words: Words) {
    let mut shown = app.state::<Questions>().shown();
    // Whoever shows a notification hears that its question is over when this end of the line is dropped.
    let mut told: HashMap<String, oneshot::Sender<()>> = HashMap::new();
    loop {
        let prompts = shown.borrow_and_update().clone();
        told.retain(|id, _| prompts.questions.iter().any(|question| question.id == *id));
        for question in prompts.questions {
            told.entry(question.id.clone()).or_insert_with(|| tell(app.clone(), notice(&question, &words)));
        }
        if shown.changed().await.is_err() {
            return;
        }
    }
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

/// Shows a notification until its question is over, which is when the returned end is dropped.
fn tell(app: AppHandle, notice: Notification) -> oneshot::Sender<()> {
    let (waits, over) = oneshot::channel();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = desktop::show(&app, &notice, over).await {
            tracing::debug!(%error, "the desktop shows no notifications");
        }
    });
    waits
}

#[cfg(target_os = "linux")]
mod desktop {
    use futures_util::StreamExt as _;
    use notify_rust::Notification;
    use tauri::AppHandle;
    use tokio::sync::oneshot;
    use zbus::message::Type;
    use zbus::{Connection, MatchRule, MessageStream};

    use crate::prompts::window;

    const DESK: &str = "org.freedesktop.Notifications";

    /// Shows it, brings the questions to the front for a click, and takes it back at last.
    pub(super) async fn show(
        app: &AppHandle,
        notice: &Notification,
        mut over: oneshot::Receiver<()>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let bus = Connection::session().await?;
        // Listened to first: no click comes too early.
        let rule = MatchRule::builder().msg_type(Type::Signal).interface(DESK)?.member("ActionInvoked")?.build();
        let mut clicks = MessageStream::for_match_rule(rule, &bus, None).await?;
        let number = notice.show_async().await?.id();
        loop {
            tokio::select! {
                _ = &mut over => break,
                click = clicks.next() => {
                    let Some(click) = click else { break };
                    let (clicked, action): (u32, String) = click?.body().deserialize()?;
                    if clicked == number && action == "default" {
                        window::to_front(app);
                    }
                }
            }
        }
        let place = "/org/freedesktop/Notifications";
        bus.call_method(Some(DESK), place, Some(DESK), "CloseNotification", &number).await?;
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod desktop {
    use notify_rust::Notification;
    use tauri::AppHandle;
    use tokio::sync::oneshot;

    /// Shows it; these systems take it away themselves.
    pub(super) async fn show(
        _: &AppHandle,
        notice: &Notification,
        over: oneshot::Receiver<()>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        drop(over);
        let notice = notice.clone();
        tokio::task::spawn_blocking(move || notice.show().map(drop)).await??;
        Ok(())
    }
}
