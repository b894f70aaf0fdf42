//! Opens sign-in windows for the core, each a process of its own, and passes on what is ordered and what they say.
//!
//! Of a sign-in this process reads nothing: orders go in by a window's standard input, what it says comes out by its
//! standard output. Its arguments and its environment hold nothing.

use std::collections::HashMap;
use std::io;
use std::process::Stdio;

use keybearer_control::client::{Client, WindowOrders, WindowWords};
use keybearer_control::error::Error;
use keybearer_control::sign_in_window::{WindowOrder, WindowSaid};
use keybearer_control::view::View;
use keybearer_os::environment::{Cleaning, unwanted};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, watch};

use crate::retries::Retries;

type Say = mpsc::Sender<(u64, WindowSaid)>;

/// Offers windows to whichever core is there, until the shell ends.
pub(crate) async fn keep(client: Client, mut views: watch::Receiver<View>) {
    let mut retries = Retries::default();
    while retries.core_is_there(&mut views).await {
        let ended = match client.offer_windows().await {
            Ok((orders, words)) => serve(orders, words).await,
            Err(error) => error,
        };
        tracing::debug!(%ended, "no sign-in windows are offered");
        retries.wait(&ended, &mut views).await;
    }
}

/// Serves one core; returns why it ended. The windows that are open then end with it.
async fn serve(mut orders: WindowOrders, mut words: WindowWords) -> Error {
    let (say, mut said) = mpsc::channel(16);
    let mut open: HashMap<u64, mpsc::UnboundedSender<WindowOrder>> = HashMap::new();
    loop {
        tokio::select! {
            order = orders.next() => match order {
                Ok((window, order @ WindowOrder::Show { .. })) => {
                    let tell = open.entry(window).or_insert_with(|| open_window(window, say.clone()));
                    // One that has ended has said so.
                    let _ = tell.send(order);
                }
                Ok((window, order @ WindowOrder::End { .. })) => {
                    let _ = open.remove(&window).map(|tell| tell.send(order));
                }
                Err(error) => return error,
            },
            Some((window, what)) = said.recv() => {
                if let Err(error) = words.say(window, what).await {
                    return error;
                }
            }
        }
    }
}

fn open_window(window: u64, say: Say) -> mpsc::UnboundedSender<WindowOrder> {
    let (tell, orders) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let broke = match start() {
            Ok(child) => converse(child, orders, window, &say).await,
            Err(cause) => Some(cause.to_string()),
        };
        if let Some(cause) = broke {
            tracing::warn!(%cause, "no sign-in window");
            let _ = say.send((window, WindowSaid::Broken { cause })).await;
        }
    });
    tell
}

fn start() -> io::Result<Child> {
    let mut window = Command::new(std::env::current_exe()?);
    window.arg("--sign-in").stdin(Stdio::piped()).stdout(Stdio::piped());
    for name in unwanted(Cleaning::Whole) {
        window.env_remove(name);
    }
    window.spawn()
}

/// Passes orders in and words out until the window ends; why it broke, if it did.
async fn converse(
    mut child: Child,
    mut orders: mpsc::UnboundedReceiver<WindowOrder>,
    window: u64,
    say: &Say,
) -> Option<String> {
    let mut input = child.stdin.take();
    let mut said = BufReader::new(child.stdout.take()?).lines();
    let mut has_ended = false;
    loop {
        tokio::select! {
            order = orders.recv(), if input.is_some() => {
                has_ended |= matches!(order, None | Some(WindowOrder::End { .. }));
                let passed = match (order, input.as_mut()) {
                    (Some(order), Some(input)) => pass_on(input, &order).await.is_ok(),
                    (None, _) | (_, None) => false,
                };
                if !passed {
                    input = None;
                }
            }
            line = said.next_line() => {
                let Ok(Some(line)) = line else { break };
                // A window that says what makes no sense is not ours.
                let Ok(what) = serde_json::from_str(&line) else { return Some("it is not understood".to_owned()) };
                has_ended |= !matches!(what, WindowSaid::Callback { .. });
                let _ = say.send((window, what)).await;
            }
        }
    }
    drop(input);
    let status = child.wait().await;
    let how = status.map_or_else(|cause| cause.to_string(), |status| status.to_string());
    (!has_ended).then(|| format!("it ended by itself ({how})"))
}

async fn pass_on(input: &mut ChildStdin, order: &WindowOrder) -> io::Result<()> {
    let mut line = serde_json::to_vec(order)?;
    line.push(b'\n');
    input.write_all(&line).await?;
    input.flush().await
}
