//! What the doctor found, as the wire carries it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What was found at one server and its company sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Diagnosis {
    /// The server's URL.
    pub url: String,
    /// Each finding, in the order of the walk.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Finding {
    /// What it is; docs/doctor.md lists them. A code never changes its meaning.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// It, in a sentence for a person.
    pub words: String,
    /// What the person can do, or whom to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub advice: Option<String>,
    /// What exactly was seen, for IT.
    pub detail: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// It works less well, or may fail.
    Warning,
    /// Signing in does not work.
    Problem,
}

impl Diagnosis {
    /// How many findings are of this weight.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
