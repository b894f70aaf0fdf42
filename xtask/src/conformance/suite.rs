//! Running the suite: npm `@modelcontextprotocol/conformance`, as `tests/parts` pins it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result, anyhow};

use super::checks::{Check, Checks};
use crate::{places, setup};

const PACKAGE: &str = "node_modules/@modelcontextprotocol/conformance";
/// What the suite puts behind a scenario's name in the name of its folder: `-2026-11-21T13-17-34-639Z`.
const STAMP: usize = 25;
/// How scenarios of sign-ins are called. No client goes through them by itself, so that they have a run of their own.
const SIGN_INS: &str = "auth/";
/// How many scenarios of sign-ins are run side by side: most of each is waiting for programs to start.
const SIDE_BY_SIDE: usize = 3;

/// What a revision asks for.
pub(super) struct Requirements {
    pub(super) server: Vec<String>,
    pub(super) client: Vec<String>,
    /// The scenarios of sign-ins.
    pub(super) sign_ins: Vec<String>,
}

impl Requirements {
    /// Reads the suite's own list.
    pub(super) fn load(revision: &str) -> Result<Self> {
        let file = places::part_scripts().join(PACKAGE).join("requirements").join(format!("{revision}.yaml"));
        let text = fs::read_to_string(&file).with_context(|| format!("read `{}`", file.display()))?;
        Ok(Self::parse(&text))
    }

    /// Beside what counts, the list has what is only shown; both are run.
    fn parse(text: &str) -> Self {
        let mut lists = Self { server: Vec::new(), client: Vec::new(), sign_ins: Vec::new() };
        let (mut leg, mut shown) = ("", "");
        for line in text.lines() {
            let line = line.trim_end();
            if let Some(section) = line.strip_suffix(':').filter(|name| !name.starts_with([' ', '#'])) {
                leg = if section == "not_scored" { "" } else { section };
            } else if let Some(name) = line.strip_prefix("  - scenario: ") {
                shown = name;
            } else if let Some(name) = line.strip_prefix("  - ") {
                lists.add(leg, name);
            } else if let Some(leg) = line.strip_prefix("    leg: ") {
                lists.add(leg, shown);
            }
        }
        lists
    }

    fn add(&mut self, leg: &str, scenario: &str) {
        match leg {
            "server" => self.server.push(scenario.to_owned()),
            "client" if scenario.starts_with(SIGN_INS) => self.sign_ins.push(scenario.to_owned()),
            "client" => self.client.push(scenario.to_owned()),
            _ => {}
        }
    }
}

/// The suite, and where it writes what it finds.
pub(super) struct Suite {
    results: PathBuf,
}

impl Suite {
    pub(super) fn new() -> Result<Self> {
        let results = places::target().join("conformance");
        if results.exists() {
            fs::remove_dir_all(&results).context("remove the results of the last run")?;
        }
        Ok(Self { results })
    }

    /// The suite as a client of the server at `url`.
    pub(super) fn server(&self, url: &str, revision: &str, name: &str) -> Result<Checks> {
        let folder = self.results.join(format!("server-{revision}-{}", name.replace(' ', "-")));
        run(&folder, &["server", "--url", url, "--requirements", revision])?;
        let mut checks = Checks::default();
        for (name, found) in scenarios(&folder)? {
            checks.read(name.strip_prefix("server-").unwrap_or(&name), &found)?;
        }
        Ok(checks)
    }

    /// The suite as the server of a client of ours, one scenario after the other.
    pub(super) fn client(&self, way: &str, revision: &str, wanted: &[String]) -> Result<Checks> {
        let mut checks = Checks::default();
        for scenario in wanted {
            self.scenario(way, revision, scenario, &mut checks)?;
        }
        Ok(checks)
    }

    /// The same several at a time, each with a core of its own: what they check does not depend on how fast they are.
    pub(super) fn side_by_side(&self, way: &str, revision: &str, wanted: &[String]) -> Result<Checks> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<Checks> {
            let mut checks = Checks::default();
            while let Some(scenario) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.scenario(way, revision, scenario, &mut checks)?;
            }
            Ok(checks)
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
            let mut all = Checks::default();
            for worker in workers {
                all.extend(worker.join().map_err(|_| anyhow!("a run of the suite panicked"))??);
            }
            Ok(all)
        })
    }

    fn scenario(&self, way: &str, revision: &str, scenario: &str, checks: &mut Checks) -> Result<()> {
        let command = format!("node conformance/client.mjs {way}");
        let folder = self.results.join(format!("client-{revision}-{way}"));
        let arguments = ["client", "--command", &command, "--scenario", scenario, "--spec-version", revision];
        let ended = run(&folder, &arguments)?;
        // The name of a scenario of sign-ins has a slash in it.
        let (above, own) = scenario.rsplit_once('/').unwrap_or(("", scenario));
        let (_, found) = scenarios(&folder.join(above))?
            .into_iter()
            .find(|(name, _)| name == own)
            .with_context(|| format!("the suite wrote nothing of `{scenario}`: {}", said(&ended)))?;
        checks.read(scenario, &found)?;
        checks.push(Check::outcome(scenario, how_the_client_ended(&said(&ended), &found)));
        Ok(())
    }
}

/// What the suite counts against a client beside its checks, with the client's own words.
fn how_the_client_ended(said: &str, found: &Path) -> Result<(), String> {
    if !["CLIENT EXITED WITH ERROR", "CLIENT TIMED OUT"].iter().any(|words| said.contains(words)) {
        return Ok(());
    }
    let complaint = fs::read_to_string(found.join("stderr.txt")).unwrap_or_default();
    let line = complaint.lines().find(|line| line.to_lowercase().contains("error"));
    Err(line.unwrap_or("the client did not end well").to_owned())
}

fn run(folder: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new("node");
    command.arg(format!("{PACKAGE}/dist/index.js")).args(arguments).arg("-o").arg(folder);
    command.current_dir(places::part_scripts()).env("PATH", setup::node_path()?);
    command.env("KEYBEARER", places::executable("keybearer")).stdin(Stdio::null());
    command.output().context("start the conformance suite")
}

fn said(ended: &Output) -> String {
    [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text)).join("\n")
}

/// The scenarios that have left a folder, and the folder.
fn scenarios(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list `{}`", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(scenario) = name.len().checked_sub(STAMP).and_then(|end| name.get(..end)) {
            found.push((scenario.to_owned(), path));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::Requirements;

    #[test]
    fn what_counts_and_what_is_only_shown_are_both_wanted() {
        let text = "# all\nserver:\n  - ping\n\nclient:\n  - initialize\n  - auth/basic\n\nnot_scored:\n  \
            - scenario: schema\n    leg: client\n    reason: late\n    note: >-\n      more\n  - scenario: polling\n    leg: server\n";
        let read = Requirements::parse(text);
        assert_eq!(
            (read.server, read.client, read.sign_ins),
            (
                vec!["ping".into(), "polling".into()],
                vec!["initialize".into(), "schema".into()],
                vec!["auth/basic".to_owned()]
            )
        );
    }
}
