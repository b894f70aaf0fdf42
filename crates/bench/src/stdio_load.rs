//! A client that starts its server, as desktop apps do.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{cpu, message, numbers::quantile};

const STARTS: usize = 3;
const CALLS: u64 = 1_000;
const BIG: usize = 16 << 20;
const EVENTS: u64 = 10_000;

/// Starts the command some times, then uses the last one for calls, large results and progress.
/// `behind` is a process outside of the command's tree whose CPU time counts too.
pub fn measure(command: &[String], behind: Option<u32>) -> Result<Value> {
    let mut starts = Vec::new();
    let mut client = None;
    for _ in 0..STARTS {
        drop(client.take());
        let start = Instant::now();
        client = Some(Client::start(command)?);
        starts.push(start.elapsed());
    }
    let mut client = client.context("nothing was started")?;
    let used = |client: &Client| cpu::of_tree(client.process.id()) + behind.map_or(Duration::ZERO, cpu::of_tree);
    let before = used(&client);
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let start = Instant::now();
        client.call("echo", &json!({ "text": "hello" }))?;
        times.push(start.elapsed());
    }
    let used = used(&client) - before;
    let start = Instant::now();
    let (line, _) = client.call("big", &json!({ "bytes": BIG }))?;
    let big = start.elapsed();
    ensure!(line.len() > BIG, "a result of {BIG} bytes came as {}", line.len());
    let (_, got) = client.call("events", &json!({ "count": EVENTS }))?;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    Ok(json!({
        "start_ms": micros(quantile(&mut starts, 0.5)) / 1e3,
        "sent": CALLS,
        "p50_us": micros(quantile(&mut times, 0.5)),
        "p99_us": micros(quantile(&mut times, 0.99)),
        "cpu_us": micros(used) / f64::from(u32::try_from(CALLS)?),
        "big_ms": micros(big) / 1e3,
        "got": got,
    }))
}

/// A client whose server has answered `initialize`.
pub struct Client {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next: u64,
}

impl Client {
    /// Returns when `initialize` is answered.
    pub fn start(command: &[String]) -> Result<Self> {
        let (program, arguments) = command.split_first().context("there is no command")?;
        Self::of(Command::new(program).args(arguments))
    }

    /// The same of a command that knows its environment.
    pub fn of(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().with_context(|| format!("start {command:?}"))?;
        let output = BufReader::new(process.stdout.take().context("no standard output")?);
        let mut client = Self { input: process.stdin.take(), process, output, next: 1 };
        client.send(&message::initialize())?;
        client.answer(0)?;
        client.send(&message::initialized())?;
        Ok(client)
    }

    /// The process that was started.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The answer's line, and how many progress notifications came before it.
    fn call(&mut self, tool: &str, arguments: &Value) -> Result<(String, usize)> {
        let id = self.next;
        self.next += 1;
        self.send(&message::call(id, tool, arguments))?;
        self.answer(id)
    }

    fn send(&mut self, message: &str) -> Result<()> {
        let input = self.input.as_mut().context("the input is closed")?;
        input.write_all(format!("{message}\n").as_bytes()).context("write a message")
    }

    fn answer(&mut self, id: u64) -> Result<(String, usize)> {
        let mut progress = 0;
        loop {
            let mut line = String::new();
            ensure!(self.output.read_line(&mut line)? > 0, "the server ended before it answered");
            if line.contains("notifications/progress") {
                progress += 1;
            } else if line.contains(&format!("\"id\":{id},")) || line.contains(&format!("\"id\":{id}}}")) {
                ensure!(line.contains("\"result\""), "{}", line.trim());
                return Ok((line, progress));
            }
        }
    }
}

impl Drop for Client {
    /// A server ends when its input closes; the few that do not are ended.
    fn drop(&mut self) {
        drop(self.input.take());
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // It has already ended if these fail.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
