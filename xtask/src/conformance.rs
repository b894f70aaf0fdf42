//! `cargo xtask conformance`: the official MCP conformance suite, each of its runs once directly and once through the
//! real `keybearer`, and both compared check by check.
//!
//! Server side: the suite is the client, at servers that it reaches directly, through the HTTP door or through
//! the socket door. Client side: the
//! suite is the server, and a client of ours reaches it directly, through the HTTP door or through `keybearer stdio`.
//! What comes out must be the same, but for the checks that `tests/conformance/expected-failures.yml` names.

mod checks;
mod expected;
mod part;
mod suite;

use std::path::PathBuf;

use anyhow::{Result, bail};
use checks::{Checks, Tally};
use expected::{Expected, Side};
use part::Part;
use suite::{Requirements, Suite};

use crate::{
    command::Run,
    places,
    setup::{self, Need},
};

/// The frozen requirement sets of the suite.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// An upstream for the server side: what it is called here, its script, the sets that it is asked for.
struct Upstream {
    name: &'static str,
    script: &'static str,
    revisions: &'static [&'static str],
    /// Whether what it fails is ours to explain. The others are programs as they are used out there.
    is_ours: bool,
}

const UPSTREAMS: [Upstream; 2] = [
    Upstream { name: "conformance server", script: "conformance/server.mjs", revisions: &REVISIONS, is_ours: true },
    Upstream { name: "server-everything", script: "everything.mjs", revisions: &["2025-11-25"], is_ours: false },
];

/// The doors for a client that speaks HTTP, as the forwarder before them names them.
const DOORS: [(&str, &str); 2] = [("http", "HTTP door"), ("socket", "socket door")];

/// The ways of a client of ours, as its script names them.
const WAYS: [(&str, &str); 2] = [("http", "HTTP door"), ("stdio", "stdio door")];

/// Scenarios of the suite's `backcompat`, which belong to no requirement set, and their revision.
const BACKCOMPAT: (&str, [&str; 2]) =
    ("2025-03-26", ["auth/2025-03-26-oauth-metadata-backcompat", "auth/2025-03-26-oauth-endpoint-fallback"]);

/// `cargo xtask conformance [--sign-ins]`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let run = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => step,
        ["--sign-ins"] => only_sign_ins,
        other => bail!("`{}` is no option of `conformance`; there is `--sign-ins`", other.join(" ")),
    };
    setup::bring(&[Need::Node])?;
    Run::cargo().args(["build", "--quiet", "-p", "keybearer-cli"]).run()?;
    run()
}

fn expected_failures() -> PathBuf {
    places::root().join("tests/conformance/expected-failures.yml")
}

/// The same where everything is brought and built.
pub(crate) fn step() -> Result<()> {
    let suite = Suite::new()?;
    let mut report = Report::new(Expected::load(&expected_failures())?);
    for upstream in &UPSTREAMS {
        server_side(&suite, upstream, &mut report)?;
    }
    for revision in REVISIONS {
        client_side(&suite, revision, &mut report)?;
    }
    sign_ins(&suite, &mut report)?;
    report.close()
}

/// `cargo xtask conformance --sign-ins`: those alone.
fn only_sign_ins() -> Result<()> {
    let suite = Suite::new()?;
    let mut report = Report::new(Expected::load(&expected_failures())?);
    sign_ins(&suite, &mut report)?;
    report.print();
    report.verdict()
}

fn server_side(suite: &Suite, upstream: &Upstream, report: &mut Report) -> Result<()> {
    for revision in upstream.revisions {
        let there = Part::start(upstream.script, &[])?;
        let direct = suite.server(&there.url, revision, upstream.name)?;
        let required = Requirements::load(revision)?.server;
        let explained = upstream.is_ours.then_some(Side::Server);
        for (word, way) in DOORS {
            let door = Part::start("conformance/door.mjs", &[("TARGET", &there.url), ("DOOR", word)])?;
            let through = suite.server(&door.url, revision, &format!("{} at the {way}", upstream.name))?;
            let title = format!("server {revision}, {}", upstream.name);
            report.add(&Pair { title, way, explained, required: &required, direct: &direct, through: &through });
        }
    }
    Ok(())
}

fn client_side(suite: &Suite, revision: &str, report: &mut Report) -> Result<()> {
    let required = Requirements::load(revision)?.client;
    let direct = suite.client("direct", revision, &required)?;
    for (word, way) in WAYS {
        let through = suite.client(word, revision, &required)?;
        let title = format!("client {revision}");
        let explained = Some(Side::Client);
        report.add(&Pair { title, way, explained, required: &required, direct: &direct, through: &through });
    }
    Ok(())
}

/// Sign-ins have no direct run to be compared with: the suite's issuer and server judge what Keybearer does.
fn sign_ins(suite: &Suite, report: &mut Report) -> Result<()> {
    let (backcompat, scenarios) = BACKCOMPAT;
    let mut sets = vec![(backcompat, scenarios.map(str::to_owned).to_vec())];
    for revision in REVISIONS {
        let wanted = Requirements::load(revision)?.sign_ins;
        let run = wanted.into_iter().filter(|scenario| !report.expected.is_left_out(scenario)).collect();
        sets.push((revision, run));
    }
    for (revision, scenarios) in &sets {
        for (word, way) in WAYS {
            let checks = suite.side_by_side(word, revision, scenarios)?;
            report.add_judged(&format!("sign-ins {revision}, {} scenarios", scenarios.len()), way, scenarios, &checks);
        }
    }
    Ok(())
}

/// Two runs of the same requirements.
struct Pair<'a> {
    title: String,
    way: &'static str,
    /// Where the file explains what fails in both, if it is ours to explain.
    explained: Option<Side>,
    required: &'a [String],
    direct: &'a Checks,
    through: &'a Checks,
}

/// What came out, row by row, and what is wrong with it.
struct Report {
    expected: Expected,
    rows: Vec<[String; 5]>,
    wrong: Vec<String>,
}

impl Report {
    fn new(expected: Expected) -> Self {
        let head = ["", "way", "direct", "through", "compared"].map(str::to_owned);
        Self { expected, rows: vec![head], wrong: Vec::new() }
    }

    fn add(&mut self, pair: &Pair<'_>) {
        let Pair { title, way, direct, through, .. } = pair;
        let (wrong, mended) = self.judge(pair);
        let compared = match (wrong.len(), mended) {
            (0, 0) => "equal".to_owned(),
            (0, mended) => format!("equal, and {mended} mended"),
            (wrong, _) => format!("{wrong} wrong"),
        };
        let tally = |checks: &Checks| {
            let Tally { passed, failed } = checks.tally();
            format!("{passed} / {failed}")
        };
        self.rows.push([title.clone(), (*way).to_owned(), tally(direct), tally(through), compared]);
        self.wrong.extend(wrong.into_iter().map(|wrong| format!("{title}, {way}: {wrong}")));
    }

    /// A run that the suite alone judges.
    fn add_judged(&mut self, title: &str, way: &str, required: &[String], checks: &Checks) {
        let missing = required.iter().filter(|scenario| !checks.have(scenario));
        let mut wrong: Vec<String> = missing.map(|scenario| format!("`{scenario}` did not run")).collect();
        let failed = checks.failures().filter(|check| !self.expected.allows(Side::SignIn, check));
        wrong.extend(failed.map(ToString::to_string));
        let Tally { passed, failed } = checks.tally();
        let judged = if wrong.is_empty() { "held".to_owned() } else { format!("{} wrong", wrong.len()) };
        self.rows.push([title.to_owned(), way.to_owned(), String::new(), format!("{passed} / {failed}"), judged]);
        self.wrong.extend(wrong.into_iter().map(|wrong| format!("{title}, {way}: {wrong}")));
    }

    /// What is wrong with a pair, and how many checks pass only through Keybearer, as they are meant to.
    fn judge(&self, pair: &Pair<'_>) -> (Vec<String>, usize) {
        let mut wrong = Vec::new();
        for (run, checks) in [("directly", pair.direct), ("through Keybearer", pair.through)] {
            let missing = pair.required.iter().filter(|scenario| !checks.have(scenario));
            wrong.extend(missing.map(|scenario| format!("`{scenario}` did not run {run}")));
        }
        let all = pair.direct.differences(pair.through);
        let (mended, differences): (Vec<_>, Vec<_>) = all.into_iter().partition(|found| self.expected.is_mended(found));
        wrong.extend(differences.iter().map(ToString::to_string));
        if let Some(side) = pair.explained {
            let in_both = pair.through.failures().filter(|check| !differences.iter().any(|found| found.is_of(check)));
            wrong.extend(in_both.filter(|check| !self.expected.allows(side, check)).map(ToString::to_string));
        }
        (wrong, mended.len())
    }

    fn close(mut self) -> Result<()> {
        self.wrong.extend(
            self.expected
                .stale()
                .map(|line| format!("`{line}` is expected to fail, and does not: take it out of the file")),
        );
        self.print();
        self.verdict()
    }

    fn print(&self) {
        println!("\nchecks that passed / failed:");
        for row in &self.rows {
            let [title, way, direct, through, compared] = row;
            println!("{title:<40} {way:<11} {direct:>9} {through:>9}  {compared}");
        }
    }

    fn verdict(self) -> Result<()> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        bail!("the conformance suite found {}:\n  {}", self.wrong.len(), self.wrong.join("\n  "));
    }
}
