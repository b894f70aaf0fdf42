//! Keeps docs/command-line.md true: what the program can say of itself is written there by this test.
//!
//! `UPDATE_EXPECT=1 cargo test -p keybearer-cli reference` writes it anew.

use clap::{Command, CommandFactory as _};
use expect_test::expect_file;
use keybearer_control::env;

use crate::args::Args;
use crate::exit::Exit;

const PAGE: &str = include_str!("../../../docs/command-line.md");

#[test]
fn the_reference_page_is_true() {
    let page = with_part(PAGE, "exit codes", &exit_codes());
    let page = with_part(&page, "environment", &environment());
    let page = with_part(&page, "commands", &commands());
    expect_file!["../../../docs/command-line.md"].assert_eq(&page);
}

fn with_part(page: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}{content}{end}{after}")
}

fn exit_codes() -> String {
    let rows = Exit::ALL.map(|exit| format!("| {} | {} |\n", exit.number(), exit.meaning()));
    format!("| code | meaning |\n|---|---|\n{}", rows.concat())
}

fn environment() -> String {
    let rows: String = env::ALL.iter().map(|(name, meaning)| format!("| `{name}` | {meaning} |\n")).collect();
    format!("| variable | meaning |\n|---|---|\n{rows}")
}

fn commands() -> String {
    let mut program = Args::command().term_width(100);
    program.build();
    let mut text = String::new();
    describe(&program, "keybearer", &mut text);
    text
}

fn describe(command: &Command, path: &str, text: &mut String) {
    if path != "keybearer" && !command.has_subcommands() {
        let help = command.clone().render_help().to_string();
        text.push_str(&format!("### {path}\n\n```text\n{}\n```\n\n", help.trim_end()));
    }
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        describe(sub, &format!("{path} {}", sub.get_name()), text);
    }
}
