//! `tests/conformance/expected-failures.yml`: which checks fail, and why. A line without a reason is an error, and so is
//! one that nothing fails any more.

use std::{cell::Cell, fs, path::Path};

use anyhow::{Context, Result, bail};

use super::checks::{Check, Difference};

/// A part of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// What a server of ours fails, directly and through Keybearer alike.
    Server,
    /// What a client of ours fails, directly and through Keybearer alike.
    Client,
    /// What fails directly and passes through Keybearer.
    Mended,
    /// What fails in a sign-in.
    SignIn,
    /// Scenarios that are not run.
    NotRun,
}

const SECTIONS: [(&str, Side); 5] = [
    ("server:", Side::Server),
    ("client:", Side::Client),
    ("mended:", Side::Mended),
    ("sign-in:", Side::SignIn),
    ("not run:", Side::NotRun),
];

#[derive(Debug)]
struct Line {
    side: Side,
    scenario: String,
    /// Every check of the scenario, if it names none.
    id: Option<String>,
    was_met: Cell<bool>,
}

impl Line {
    fn is_about(&self, side: Side, scenario: &str, id: &str) -> bool {
        self.side == side && self.scenario == scenario && self.id.as_deref().is_none_or(|own| own == id)
    }

    fn shown(&self) -> String {
        self.id.as_ref().map_or_else(|| self.scenario.clone(), |id| format!("{}:{id}", self.scenario))
    }
}

/// The lines of the file.
#[derive(Debug)]
pub(super) struct Expected(Vec<Line>);

impl Expected {
    pub(super) fn load(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("read `{}`", file.display()))?;
        Self::parse(&text).with_context(|| format!("read `{}`", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut side = None;
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate().map(|(number, line)| (number + 1, line)) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some((_, section)) = SECTIONS.iter().find(|(name, _)| line == *name) {
                side = Some(*section);
                continue;
            }
            let entry = line.strip_prefix("  - ").zip(side);
            let Some((entry, side)) = entry else { bail!("line {number} is neither a section nor a check in one") };
            let (what, reason) = entry.split_once("  # ").with_context(|| format!("line {number} gives no reason"))?;
            if reason.trim().is_empty() {
                bail!("line {number} gives no reason");
            }
            let (scenario, id) = what.split_once(':').map_or((what, None), |(scenario, id)| (scenario, Some(id)));
            let [scenario, id] = [Some(scenario), id].map(|text| text.map(|text| text.trim().to_owned()));
            lines.push(Line { side, scenario: scenario.unwrap_or_default(), id, was_met: Cell::new(false) });
        }
        Ok(Self(lines))
    }

    /// Whether a check that failed through Keybearer may.
    pub(super) fn allows(&self, side: Side, check: &Check) -> bool {
        self.meet(side, &check.scenario, &check.id)
    }

    /// Whether a scenario is left out.
    pub(super) fn is_left_out(&self, scenario: &str) -> bool {
        self.meet(Side::NotRun, scenario, "")
    }

    /// Whether a difference is one for the better that was meant.
    pub(super) fn is_mended(&self, difference: &Difference) -> bool {
        let failed = |checks: &[Check]| checks.iter().any(Check::has_failed);
        let is_better = failed(&difference.direct) && !difference.through.is_empty() && !failed(&difference.through);
        is_better && self.meet(Side::Mended, &difference.scenario, &difference.id)
    }

    fn meet(&self, side: Side, scenario: &str, id: &str) -> bool {
        let met = self.0.iter().find(|line| line.is_about(side, scenario, id));
        met.inspect(|line| line.was_met.set(true)).is_some()
    }

    /// Lines that nothing has met.
    pub(super) fn stale(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter(|line| !line.was_met.get()).map(Line::shown)
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, Expected, Side};

    const FILE: &str = "# why\nserver:\n  - tasks  # an extension\n  - ping:outcome  # slow\nclient:\nmended:\n";

    #[test]
    fn lines_excuse_what_they_name_and_no_more() {
        let expected = Expected::parse(FILE).unwrap();
        let failed = |scenario: &str| Check::outcome(scenario, Err(String::new()));
        assert!(expected.allows(Side::Server, &failed("tasks")));
        assert!(!expected.allows(Side::Client, &failed("tasks")));
        assert!(!expected.allows(Side::Server, &failed("other")));
        assert_eq!(expected.stale().collect::<Vec<_>>(), ["ping:outcome"]);
    }

    #[test]
    fn what_is_not_run_is_named() {
        let expected = Expected::parse("not run:\n  - auth/dpop  # not built\n").unwrap();
        assert!(expected.is_left_out("auth/dpop") && !expected.is_left_out("auth/dpop-nonce"));
        assert_eq!(expected.stale().count(), 0);
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        for text in ["server:\n  - ping\n", "server:\n  - ping  # \n", "  - ping  # early\n", "servers:\n"] {
            assert!(Expected::parse(text).is_err(), "{text}");
        }
    }
}
