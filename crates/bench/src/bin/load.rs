//! A client that measures: `load calls URL CLIENTS SECONDS`, `load big URL BYTES COUNT`, `load events URL COUNT`,
//! `load stdio COMMAND [ARGUMENT...]`. The header that opens the door is in `HEADER`; prints one line of JSON.

#![allow(clippy::print_stdout, reason = "a program that others start speaks on standard output")]
#![allow(clippy::disallowed_methods, reason = "a tool of the benchmark reads its own settings")]

use std::time::Duration;

use anyhow::{Context, Result, bail};
use keybearer_bench::{
    http_load::{self, Door},
    stdio_load,
};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let measured = match words.as_slice() {
        ["calls", url, clients, seconds] => {
            http_load::calls(&door(url)?, clients.parse()?, Duration::from_secs_f64(seconds.parse()?)).await?
        }
        ["big", url, bytes, count] => http_load::big(&door(url)?, bytes.parse()?, count.parse()?).await?,
        ["events", url, count] => http_load::events(&door(url)?, count.parse()?).await?,
        ["stdio", ..] => stdio_load::measure(&arguments[1..], behind()?)?,
        _ => bail!("the job is `calls`, `big`, `events` or `stdio`"),
    };
    println!("{measured}");
    Ok(())
}

/// A process that works for the command without being its child.
fn behind() -> Result<Option<u32>> {
    std::env::var("BEHIND").ok().map(|process| process.parse().context("`BEHIND` is a process id")).transpose()
}

fn door(url: &str) -> Result<Door> {
    let header = std::env::var("HEADER").context("`HEADER` is not set")?;
    let (name, value) = header.split_once(':').context("`HEADER` is `Name: value`")?;
    Ok(Door { url: url.to_owned(), header: (name.to_owned(), value.trim().to_owned()) })
}
