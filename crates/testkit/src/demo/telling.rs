//! Says what happens, in plain words, and counts what held.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

/// Tells the story on standard output; in colour on a terminal, and without `NO_COLOR`.
pub(crate) struct Teller {
    colour: bool,
    step: u32,
    held: u32,
    failed: u32,
}

const STRONG: &str = "1";
const SOFT: &str = "2";
const GOOD: &str = "32";
const BAD: &str = "31";
const BRASS: &str = "33";

impl Teller {
    /// A teller for this process.
    pub(crate) fn to_stdout() -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { colour, step: 0, held: 0, failed: 0 }
    }

    /// What this is.
    pub(crate) fn title(&self, title: &str, sentence: &str) {
        self.line(&format!("\n  {}  {sentence}", self.paint(STRONG, title)));
    }

    /// A new step of the story.
    pub(crate) fn step(&mut self, title: &str) {
        self.step += 1;
        let number = self.paint(BRASS, &format!("{:>2}", self.step));
        self.line(&format!("\n{number}  {}", self.paint(STRONG, title)));
    }

    /// A sentence of the story.
    pub(crate) fn says(&self, sentence: &str) {
        self.line(&format!("    {sentence}"));
    }

    /// A name and what it stands for.
    pub(crate) fn fact(&self, name: &str, value: &str) {
        self.line(&format!("    {}  {value}", self.paint(SOFT, &format!("{name:<12}"))));
    }

    /// Something that must be so.
    pub(crate) fn check(&mut self, claim: &str, holds: bool) {
        if holds {
            self.held += 1;
            self.line(&format!("    {} {claim}", self.paint(GOOD, "✓")));
        } else {
            self.failed += 1;
            self.line(&format!("    {} {claim}: this did not hold", self.paint(BAD, "✗")));
        }
    }

    /// What no app got hold of in this step.
    pub(crate) fn stayed(&self, what: &str) {
        self.line(&format!("    {} only the core and the company know: {what}", self.paint(BRASS, "●")));
    }

    /// Something broke.
    pub(crate) fn failed(&mut self, why: &str) {
        self.failed += 1;
        self.line(&format!("    {} {why}", self.paint(BAD, "✗")));
    }

    /// The last line, and how the program ends.
    pub(crate) fn sum_up(&self) -> ExitCode {
        let (held, failed) = (self.held, self.failed);
        if failed == 0 {
            self.line(&format!("\n  {} All {held} checks held.\n", self.paint(GOOD, "✓")));
            ExitCode::SUCCESS
        } else {
            self.line(&format!("\n  {} {failed} of {} checks did not hold.\n", self.paint(BAD, "✗"), held + failed));
            ExitCode::FAILURE
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&self, line: &str) {
        // Nobody reads any more: the story goes on for its exit code.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}
