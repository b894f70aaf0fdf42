//! `cargo xtask test`: everything that must hold before a change lands. CI runs exactly this.
//!
//! Cheap checks come first; the first failure ends the run and says what to do about it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{
    codegen,
    command::Run,
    conformance,
    setup::{self, Need},
    tidy, ui, windows,
};

struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
    remedy: &'static str,
}

const STEPS: [Step; 11] = [
    Step { name: "setup", run: bring, remedy: "the message names what is missing; `cargo xtask setup` tries again" },
    Step { name: "format", run: format, remedy: "`cargo fmt --all` puts it right" },
    Step {
        name: "tidy",
        run: tidy::command,
        remedy: "each line names a rule and a place; CONTRIBUTING.md has the reasons",
    },
    Step { name: "deny", run: deny, remedy: "`deny.toml` says what may be in the tree, and why" },
    Step { name: "ui", run: ui::check, remedy: "`npm run check` and `npm test` in `ui` show the same" },
    Step { name: "codegen", run: codegen::check, remedy: "`cargo xtask codegen` writes what is generated" },
    Step { name: "clippy", run: clippy, remedy: "mend the code; an exception is `#[expect(lint, reason = \"...\")]`" },
    Step { name: "build", run: build, remedy: "`cargo build --workspace` shows the same" },
    Step { name: "tests", run: tests, remedy: "`cargo test -p PACKAGE NAME -- --nocapture` runs one test alone" },
    Step {
        name: "conformance",
        run: conformance::step,
        remedy: "each line is a check of the suite, in its words; `cargo xtask conformance` builds and runs it alone",
    },
    Step {
        name: "windows",
        run: windows::command,
        remedy: "code for one system belongs into crates/os or crates/platform",
    },
];

/// The desktop's tests drive the page that is built in, so everything is built the way that they need.
const WHOLE: [&str; 3] = ["--workspace", "--features", "keybearer-desktop/custom-protocol"];

/// `cargo xtask test [--only STEP]...`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let chosen = choose(arguments)?;
    let mut times = Vec::new();
    for step in chosen {
        println!("\n=== {} ===", step.name);
        let start = Instant::now();
        let outcome = (step.run)();
        times.push((step.name, start.elapsed()));
        if let Err(error) = outcome {
            summarize(&times);
            return Err(error.context(format!("step `{}` failed\nhint: {}", step.name, step.remedy)));
        }
    }
    summarize(&times);
    println!("every step held");
    Ok(())
}

fn choose(arguments: &[String]) -> Result<Vec<&'static Step>> {
    let mut chosen = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let name = match argument.as_str() {
            "--only" => rest.next().context("`--only` wants the name of a step")?,
            other => bail!("`{other}` is no option of `test`; there is `--only STEP`"),
        };
        let step = STEPS.iter().find(|step| step.name == name);
        chosen.push(
            step.with_context(|| format!("no step `{name}`; there are {}", STEPS.map(|step| step.name).join(", ")))?,
        );
    }
    Ok(if chosen.is_empty() { STEPS.iter().collect() } else { chosen })
}

fn summarize(times: &[(&str, Duration)]) {
    println!();
    for (name, time) in times {
        println!("{name:>11} {:>6.1} s", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("{:>11} {:>6.1} s", "total", total.as_secs_f64());
}

fn bring() -> Result<()> {
    setup::bring(&[Need::Build, Need::Node, Need::Python, Need::Session, Need::Deny, Need::Windows, Need::Dist])
}

fn format() -> Result<()> {
    Run::cargo().args(["fmt", "--all", "--check"]).run()
}

/// Advisories come from a host that not every network reaches; everything else must hold everywhere.
fn deny() -> Result<()> {
    let deny = || Run::new(setup::cargo_deny());
    deny().args(["--workspace", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]).run()?;
    let cannot_fetch = "failed to fetch advisory database";
    match deny().args(["--workspace", "check", "--hide-inclusion-graph", "advisories"]).read() {
        Ok(_) => println!("advisories ok"),
        Err(error) if format!("{error:#}").contains(cannot_fetch) => println!("advisories not checked: {cannot_fetch}"),
        Err(error) => return Err(error),
    }
    Ok(())
}

fn clippy() -> Result<()> {
    Run::cargo().args(["clippy", "--quiet"]).args(WHOLE).args(["--all-targets", "--", "-D", "warnings"]).run()
}

/// Builds every executable of ours; stories and the demo start them.
pub(crate) fn build() -> Result<()> {
    Run::cargo().args(["build", "--quiet"]).args(WHOLE).run()
}

fn tests() -> Result<()> {
    Run::cargo().args(["test"]).args(WHOLE).run()
}

#[cfg(test)]
mod tests {
    use super::{STEPS, choose};

    #[test]
    fn steps_can_be_chosen_by_name() {
        let chosen = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            choose(&words).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>()).ok()
        };
        assert_eq!(chosen(&[]).map(|all| all.len()), Some(STEPS.len()));
        assert_eq!(chosen(&["--only", "tidy", "--only", "deny"]), Some(vec!["tidy", "deny"]));
        assert_eq!(chosen(&["--only", "nothing"]), None);
        assert_eq!(chosen(&["--only"]), None);
        assert_eq!(chosen(&["tidy"]), None);
    }
}
