//! What Keybearer needs when nothing happens, when it begins, and when there is much of everything.

use std::{
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    cpu,
    numbers::{median, quantile, ratio, short},
    peer::{Running, beside, told},
    peers::{Core, Crowd, Ways, ours},
    stdio_load::Client,
};

/// How long an idle core is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// What is left to happen after a start: the first look at the keychain, threads that end.
const SETTLING: Duration = Duration::from_secs(12);

const STARTS: usize = 5;
const ROUNDS: usize = 5;
const MANY: usize = 100;

/// One number, and what it may be at most.
pub struct Fact {
    /// What it is.
    pub what: &'static str,
    /// How much.
    pub value: f64,
    /// The most that is good.
    pub most: f64,
}

/// Measures all of it; the rounds have been measured before, with this core.
pub fn measure(ways: &Ways) -> Result<Vec<Fact>> {
    let fact = |what, value, most| Fact { what, value, most };
    let (warm, bridge) = warm(ways.core())?;
    let (rest, wakeups) = rest(ways)?;
    Ok(vec![
        fact("bridge to `initialize` while the core runs, ms", warm, 10.0),
        fact("bridge to `initialize` when there is no core yet, ms", cold(ways.folder.path())?, 60.0),
        fact("memory of a bridge, MiB", bridge, 4.0),
        fact("memory of an idle core, MiB", rest, 20.0),
        fact("wake-ups of an idle core in 10 s", wakeups, 0.0),
        fact("memory of the core after all the calls above, MiB", cpu::resident(ways.core().running.id()), 60.0),
        fact("CPU a call with 100 servers and 100 clients, times that with one", growth(ways)?, 1.2),
    ])
}

/// The table, in Markdown.
pub fn table(facts: &[Fact]) -> String {
    let rows =
        facts.iter().map(|Fact { what, value, most }| format!("| {what} | {} | {} |\n", short(*value), short(*most)));
    format!("| | measured | at most |\n|---|---:|---:|\n{}", rows.collect::<String>())
}

/// How long a bridge takes, and how much memory it has then.
fn warm(core: &Core) -> Result<(f64, f64)> {
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let start = Instant::now();
        let client = Client::of(&mut ours(&core.home, &["stdio", "up"])?)?;
        times.push(start.elapsed());
        memory.push(cpu::resident(client.pid()));
    }
    Ok((millis(&mut times), median(memory).unwrap_or(f64::NAN)))
}

/// The same where the bridge must start the core first; the server wants no credential.
fn cold(folder: &Path) -> Result<f64> {
    let upstream = Running::until_ready(beside("upstream")?.arg("http").env_remove("TOKEN"))?;
    let rules = "keystore = \"memory\"\n[[rules]]\neffect = \"allow\"\n";
    let configuration = format!("{rules}[servers.up]\nurl = \"{}\"\nauth = \"none\"\n", upstream.text("/url")?);
    let mut times = Vec::new();
    for number in 0..STARTS {
        // A home each: a core that was told to stop is not started again by a bridge.
        let home = folder.join(format!("cold-{number}"));
        fs::create_dir(&home).context("make a home")?;
        fs::write(home.join("config.toml"), &configuration).context("write config.toml")?;
        let start = Instant::now();
        let client = Client::of(&mut ours(&home, &["stdio", "up"])?);
        times.push(start.elapsed());
        drop(client?);
        if !ours(&home, &["stop"])?.stdout(Stdio::null()).status()?.success() {
            bail!("the core that the bridge started did not end");
        }
    }
    Ok(millis(&mut times))
}

/// What a core that has nothing to do has in memory, and how often it wakes up.
fn rest(ways: &Ways) -> Result<(f64, f64)> {
    let core = Core::start(ways.folder.path().join("idle"), &ways.upstream.0, &ways.upstream.1, Crowd::default())?;
    thread::sleep(SETTLING);
    let process = core.running.id();
    let before = cpu::sleeps(process);
    thread::sleep(WATCHED);
    let wakeups = cpu::sleeps(process).saturating_sub(before);
    Ok((cpu::resident(process), f64::from(u32::try_from(wakeups)?)))
}

/// What a call costs a core with many servers and clients, beside the one that has one of each.
fn growth(ways: &Ways) -> Result<f64> {
    let crowd = Crowd { servers: MANY - 1, clients: MANY - 1 };
    let crowded = Core::start(ways.folder.path().join("crowded"), &ways.upstream.0, &ways.upstream.1, crowd)?;
    let (mut many, mut one) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        many.push(cost(&crowded)?);
        one.push(cost(ways.core())?);
    }
    ratio(&many, &one).context("nothing was measured")
}

/// CPU time a call, with 8 at once.
fn cost(core: &Core) -> Result<f64> {
    let mut load = beside("load")?;
    load.args(["calls", &core.door.url, "8", "1"]);
    load.env("HEADER", format!("{}: {}", core.door.header.0, core.door.header.1));
    let before = core.running.cpu();
    let sent = told(&mut load)?.get("sent").and_then(Value::as_f64).context("the load does not say what it sent")?;
    Ok((core.running.cpu() - before).as_secs_f64() / sent)
}

fn millis(times: &mut [Duration]) -> f64 {
    quantile(times, 0.5).as_secs_f64() * 1e3
}
