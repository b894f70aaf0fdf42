//! The stdio door: what a client of lines gets from a server of HTTP, in every era, whatever happens in between.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]

#[path = "stdio_door/batches.rs"]
mod batches;
#[path = "stdio_door/first_contact.rs"]
mod first_contact;
#[path = "stdio_door/modern.rs"]
mod modern;
#[path = "stdio_door/old.rs"]
mod old;
#[path = "stdio_door/sessions.rs"]
mod sessions;

use keybearer_testkit::client::lines::LineClient;
use serde_json::Value;

/// The longest wait for a line that must come.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The next line that says `method`; what comes before it is passed over.
async fn until_told(client: &mut LineClient, method: &str) -> Value {
    loop {
        let message = next(client).await;
        if message["method"] == method {
            return message;
        }
    }
}

/// The next line.
async fn next(client: &mut LineClient) -> Value {
    let line = tokio::time::timeout(PATIENCE, client.read_line()).await.unwrap().unwrap();
    serde_json::from_slice(&line).unwrap()
}
