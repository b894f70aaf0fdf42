//! What the suite says of one run: its checks, and how two runs differ.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

/// One verdict of the suite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Check {
    pub(super) scenario: String,
    pub(super) id: String,
    name: String,
    status: String,
    /// The suite's own words, where it has a complaint.
    words: String,
}

impl Check {
    /// How the client ended, which the suite counts without calling it a check.
    pub(super) fn outcome(scenario: &str, ended: Result<(), String>) -> Self {
        let (status, words) = ended.map_or_else(|words| ("FAILURE", words), |()| ("SUCCESS", String::new()));
        let [id, name] = ["outcome"; 2].map(str::to_owned);
        Self { scenario: scenario.to_owned(), id, name, status: status.to_owned(), words }
    }

    fn read(scenario: &str, value: &Value) -> Self {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let [id, name, status] = ["id", "name", "status"].map(text);
        Self { scenario: scenario.to_owned(), id, name, status, words: text("errorMessage") }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.status == "FAILURE" || self.status == "WARNING"
    }

    /// The status, with the suite's words where it is not content.
    fn verdict(&self) -> String {
        if self.has_failed() { format!("{} ({})", self.status, self.words) } else { self.status.clone() }
    }

    fn is_verdict(&self) -> bool {
        self.status != "INFO"
    }
}

impl fmt::Display for Check {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, id, name, .. } = self;
        write!(out, "{scenario}:{id} ({name}) {}", self.verdict())
    }
}

/// How often what passed, and what did not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

/// A check that came out differently, with each side's verdicts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) scenario: String,
    pub(super) id: String,
    name: String,
    pub(super) direct: Vec<Check>,
    pub(super) through: Vec<Check>,
}

impl Difference {
    /// Whether it is this check that came out differently.
    pub(super) fn is_of(&self, check: &Check) -> bool {
        (&self.scenario, &self.id, &self.name) == (&check.scenario, &check.id, &check.name)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |checks: &[Check]| match checks {
            [] => "nothing".to_owned(),
            checks => checks.iter().map(Check::verdict).collect::<Vec<_>>().join(", "),
        };
        let Self { scenario, id, name, direct, through } = self;
        write!(out, "{scenario}:{id} ({name}) directly: {}; through Keybearer: {}", said(direct), said(through))
    }
}

/// The checks of one run.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<Check>);

impl Checks {
    /// Reads what the suite wrote for one scenario.
    pub(super) fn read(&mut self, scenario: &str, folder: &Path) -> Result<()> {
        let file = folder.join("checks.json");
        let text = fs::read_to_string(&file).with_context(|| format!("read `{}`", file.display()))?;
        let listed: Vec<Value> = serde_json::from_str(&text).with_context(|| format!("read `{}`", file.display()))?;
        self.0.extend(listed.iter().map(|value| Check::read(scenario, value)));
        Ok(())
    }

    pub(super) fn push(&mut self, check: Check) {
        self.0.push(check);
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn have(&self, scenario: &str) -> bool {
        self.0.iter().any(|check| check.scenario == scenario)
    }

    pub(super) fn failures(&self) -> impl Iterator<Item = &Check> {
        self.0.iter().filter(|check| check.has_failed())
    }

    pub(super) fn tally(&self) -> Tally {
        let count = |wanted: &str| self.0.iter().filter(|check| check.status == wanted).count();
        Tally { passed: count("SUCCESS"), failed: self.failures().count() }
    }

    /// Where `through` is not the same as this: another verdict, or one more or less. Remarks do not count: they tell
    /// of each message that went by.
    pub(super) fn differences(&self, through: &Self) -> Vec<Difference> {
        let mut all: BTreeMap<(&str, &str, &str), [Vec<Check>; 2]> = BTreeMap::new();
        for (side, checks) in [self, through].into_iter().enumerate() {
            for check in checks.0.iter().filter(|check| check.is_verdict()) {
                all.entry((&check.scenario, &check.id, &check.name)).or_default()[side].push(check.clone());
            }
        }
        let differ = all.into_iter().filter_map(|((scenario, id, name), [mut direct, mut through])| {
            direct.sort();
            through.sort();
            let same = direct.iter().map(|check| &check.status).eq(through.iter().map(|check| &check.status));
            let [scenario, id, name] = [scenario, id, name].map(str::to_owned);
            (!same).then_some(Difference { scenario, id, name, direct, through })
        });
        differ.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Check, Checks, Tally};

    fn checks(listed: &[(&str, &str)]) -> Checks {
        let read = |(id, status): &(&str, &str)| {
            Check::read("ping", &json!({ "id": id, "name": id, "status": status, "errorMessage": "no pong" }))
        };
        Checks(listed.iter().map(read).collect())
    }

    #[test]
    fn the_same_verdicts_in_any_order_are_equal() {
        let direct = checks(&[("a", "SUCCESS"), ("b", "FAILURE"), ("b", "SUCCESS"), ("seen", "INFO")]);
        let through = checks(&[("b", "SUCCESS"), ("b", "FAILURE"), ("a", "SUCCESS")]);
        assert_eq!(direct.differences(&through), []);
        assert_eq!(direct.tally(), Tally { passed: 2, failed: 1 });
    }

    #[test]
    fn another_verdict_and_a_missing_one_are_differences() {
        let direct = checks(&[("a", "SUCCESS"), ("b", "SUCCESS"), ("c", "SUCCESS")]);
        let through = checks(&[("a", "WARNING"), ("b", "SUCCESS"), ("b", "SUCCESS")]);
        let found: Vec<String> = direct.differences(&through).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "ping:a (a) directly: SUCCESS; through Keybearer: WARNING (no pong)");
        assert_eq!(found[2], "ping:c (c) directly: SUCCESS; through Keybearer: nothing");
    }
}
