//! Interleaved rounds: in each, every way does every job, and the way that begins changes.

use std::{collections::BTreeMap, time::Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    peer::{beside, told},
    peers::{HttpWay, StdioWay, Ways},
};

/// One number of one job.
pub struct Row {
    /// The job.
    pub job: &'static str,
    /// The number.
    pub number: &'static str,
    /// By way: one value a round.
    pub values: BTreeMap<&'static str, Vec<f64>>,
}

/// What was measured, in the order of the jobs.
pub type Measured = Vec<Row>;

/// A job of the load over HTTP, and the numbers that it gives.
struct Job {
    name: &'static str,
    arguments: &'static [&'static str],
    numbers: &'static [&'static str],
}

const HTTP: [Job; 5] = [
    Job { name: "1 client", arguments: &["calls", "{}", "1", "1"], numbers: &["p50_us", "p99_us", "cpu_us"] },
    Job { name: "8 clients", arguments: &["calls", "{}", "8", "1"], numbers: &["rate", "p50_us", "cpu_us"] },
    Job { name: "64 clients", arguments: &["calls", "{}", "64", "1"], numbers: &["rate", "p50_us", "cpu_us"] },
    Job { name: "16 MiB result", arguments: &["big", "{}", "16777216", "3"], numbers: &["p50_ms"] },
    Job { name: "10,000 events", arguments: &["events", "{}", "10000"], numbers: &["got", "events_per_s"] },
];
const STDIO: [&str; 6] = ["start_ms", "p50_us", "p99_us", "cpu_us", "big_ms", "got"];

/// Measures all ways, `rounds` times; `tell` hears of each round and of its seconds.
pub fn measure(ways: &Ways, rounds: usize, tell: impl Fn(usize, u64)) -> Result<Measured> {
    let mut measured = Measured::new();
    for round in 0..rounds {
        let start = Instant::now();
        for job in &HTTP {
            for index in 0..ways.http.len() {
                let way = &ways.http[(index + round) % ways.http.len()];
                let value = http(ways, way, job).with_context(|| format!("{} over HTTP, {}", way.name, job.name))?;
                note(&mut measured, job.name, job.numbers, way.name, &value);
            }
        }
        for index in 0..ways.stdio.len() {
            let way = &ways.stdio[(index + round) % ways.stdio.len()];
            let value = stdio(ways, way).with_context(|| format!("{} over stdio", way.name))?;
            note(&mut measured, "stdio", &STDIO, way.name, &value);
        }
        tell(round + 1, start.elapsed().as_secs());
    }
    Ok(measured)
}

fn note(measured: &mut Measured, job: &'static str, numbers: &[&'static str], way: &'static str, value: &Value) {
    for number in numbers {
        let known = measured.iter().position(|row| (row.job, row.number) == (job, number));
        let index = known.unwrap_or_else(|| {
            measured.push(Row { job, number, values: BTreeMap::new() });
            measured.len() - 1
        });
        let values = measured[index].values.entry(way).or_default();
        values.push(value[number].as_f64().unwrap_or(f64::NAN));
    }
}

fn http(ways: &Ways, way: &HttpWay, job: &Job) -> Result<Value> {
    let mut load = beside("load")?;
    load.args(job.arguments.iter().map(|&word| if word == "{}" { way.door.url.as_str() } else { word }));
    load.env("HEADER", format!("{}: {}", way.door.header.0, way.door.header.1));
    let before = ways.cpu(way.name);
    let mut value = told(&mut load)?;
    let used = (ways.cpu(way.name) - before).as_secs_f64() * 1e6;
    if let Some(sent) = value["sent"].as_f64() {
        value["cpu_us"] = (used / sent).into();
    }
    Ok(value)
}

fn stdio(ways: &Ways, way: &StdioWay) -> Result<Value> {
    let mut load = beside("load")?;
    load.arg("stdio").args(&way.command).envs(way.environment.iter().cloned());
    if let Some(process) = ways.behind(way.name) {
        load.env("BEHIND", process.to_string());
    }
    told(&mut load)
}
