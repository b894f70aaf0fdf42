//! What the prompt's window can ask: each a line that passes it on. How it went is in the next questions.
#![expect(clippy::needless_pass_by_value, reason = "what a command gets is its own")]

use keybearer_control::error::Error;
use keybearer_control::prompt::{Answer, Prompts};
use tauri::{State, WebviewWindow};

use super::{Questions, window};

#[tauri::command]
pub(crate) fn prompts(questions: State<'_, Questions>) -> Prompts {
    questions.now()
}

#[tauri::command]
pub(crate) async fn answer(questions: State<'_, Questions>, question: String, answer: Answer) -> Result<(), Error> {
    questions.answer(question, answer).await
}

#[tauri::command]
pub(crate) async fn more_time(questions: State<'_, Questions>, question: String) -> Result<(), Error> {
    questions.more_time(question).await
}

#[tauri::command]
pub(crate) fn fit(window: WebviewWindow, height: f64) {
    window::fit(&window, height);
}
