//! Connecting clients: what will be done, what was done, what is left to the person.

use keybearer_control::connect::{
    Connected, Disconnected, FilePreview, KnownBy, KnownClient, Leaving, Preview, Sentence,
};

use crate::commands::connect::probe::Trial;
use crate::plain::{clean, clean_lines};
use crate::show::table::{Cell, columns};
use crate::show::tone::Tone;

/// The clients that can be connected, one a line.
pub(crate) fn list(clients: &[KnownClient]) -> String {
    let mut text = columns(&clients.iter().map(row).collect::<Vec<_>>());
    text.push_str("\nConnect one with `keybearer connect CLIENT`; `--dry-run` shows what it would do.\n");
    text
}

fn row(client: &KnownClient) -> Vec<Cell> {
    let state = match (&client.connection, client.installed) {
        (Some(connection), _) => {
            let servers = if connection.servers.is_empty() { "all".to_owned() } else { connection.servers.join(", ") };
            Cell::new(Tone::Good, format!("connected by {} to {}", connection.transport, clean(&servers)))
        }
        (None, true) => Cell::plain("found here"),
        (None, false) => Cell::soft("not found"),
    };
    let files = client.connection.as_ref().and_then(|connection| connection.files.first());
    let place =
        files.or(client.file.as_ref()).map_or_else(|| "wherever it is: `--file`".to_owned(), |path| clean(path));
    vec![Cell::new(Tone::Strong, clean(&client.id)), state, Cell::soft(place)]
}

/// What connecting would do.
pub(crate) fn preview(preview: &Preview) -> String {
    let mut text = format!("{} will reach Keybearer by {}.\n", clean(&preview.name), clean(&preview.transport));
    text.push_str(&match &preview.known_by {
        KnownBy::Key => "It is known by a key, which is made now and written where ‹key› stands.\n".to_owned(),
        KnownBy::Program { path } => format!("It is known by its program {}.\n", clean(path)),
        KnownBy::Arrival => "Its program was not found: when it comes, it is asked about by what it is.\n".to_owned(),
    });
    preview.files.iter().for_each(|preview| text.push_str(&file(preview)));
    if let Some(setting) = &preview.setting {
        text.push_str(&format!(
            "\nconfig.toml of Keybearer\n  {}\n",
            Tone::Good.paint(&format!("+ {}", clean(setting)))
        ));
    }
    for warning in &preview.warnings {
        text.push_str(&format!("\n{} {}\n", Tone::Attention.paint("!"), clean(&warning.en)));
    }
    text
}

fn file(file: &FilePreview) -> String {
    let new = if file.exists { "" } else { " (new)" };
    let link = file.real.as_ref().map(|real| format!(" → {}", clean(real))).unwrap_or_default();
    let mut text = format!("\n{}{link}{new}\n", Tone::Strong.paint(&clean(&file.path)));
    for entry in &file.replaces {
        text.push_str(&format!("  {}\n", Tone::Danger.paint(&format!("- {}", clean(entry)))));
    }
    for added in &file.added {
        text.push_str(&Tone::Soft.paint(&format!("  line {}\n", added.line)));
        for line in clean_lines(&added.text).lines() {
            text.push_str(&format!("  {}\n", Tone::Good.paint(&format!("+ {line}"))));
        }
    }
    if file.added.is_empty() {
        text.push_str("  nothing to add: it is there already\n");
    }
    text
}

/// What was done, and how it went.
pub(crate) fn connected(connected: &Connected, tried: &[Trial]) -> String {
    let name = Tone::Strong.paint(&clean(&connected.name));
    let mut text = format!("{} {name} is connected by {}.\n", Tone::Good.paint("✓"), clean(&connected.transport));
    for file in &connected.files {
        text.push_str(&format!("  written: {}\n", clean(&file.path)));
        if let Some(backup) = &file.backup {
            text.push_str(&format!("    as it was before: {}\n", clean(backup)));
        }
    }
    tried.iter().for_each(|trial| text.push_str(&one(trial)));
    steps(&mut text, &connected.afterwards);
    text
}

fn one(trial: &Trial) -> String {
    let what =
        trial.server.as_deref().map_or_else(|| "The entry".to_owned(), |server| format!("The entry {}", clean(server)));
    match (&trial.error, trial.sign_in, trial.tools) {
        (Some(error), _, _) => {
            format!(
                "{} {what} was tried as the app will, and does not work yet: {}.\n",
                Tone::Danger.paint("✗"),
                clean(error)
            )
        }
        (None, true, _) => format!(
            "{} {what} was tried as the app will: it answers, and you sign in first.\n",
            Tone::Attention.paint("!")
        ),
        (None, false, 1) => format!("{} {what} was tried as the app will: it lists 1 tool.\n", Tone::Good.paint("✓")),
        (None, false, tools) => {
            format!("{} {what} was tried as the app will: it lists {tools} tools.\n", Tone::Good.paint("✓"))
        }
    }
}

/// What was taken back.
pub(crate) fn disconnected(disconnected: &Disconnected) -> String {
    let name = Tone::Strong.paint(&clean(&disconnected.name));
    let mut text =
        format!("{} {name} is disconnected, and its key, if it had one, is revoked.\n", Tone::Good.paint("✓"));
    for file in &disconnected.files {
        let how = match file.how {
            Leaving::Restored => "as it was before",
            Leaving::Removed => "removed: it was not there before",
            Leaving::EntriesRemoved => "our entries are gone; what others changed stays",
            Leaving::Untouched => "nothing of ours was in it any more",
        };
        text.push_str(&format!("  {}: {how}\n", clean(&file.path)));
    }
    steps(&mut text, &disconnected.afterwards);
    text
}

fn steps(text: &mut String, afterwards: &[Sentence]) {
    if !afterwards.is_empty() {
        text.push_str("\nWhat is left to you:\n");
        afterwards.iter().for_each(|step| text.push_str(&format!("  • {}\n", clean(&step.en))));
    }
}

#[cfg(test)]
mod tests;
