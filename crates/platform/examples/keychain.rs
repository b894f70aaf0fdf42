//! Puts the keychain of this session through its paces and says what happened, one line each:
//!
//! ```text
//! keychain works     in a session with a keychain: everything
//! keychain unlock    starts a key ring of its own, unlocked, then as `works`
//! keychain locked    starts one that nobody unlocked
//! keychain hangs     starts one, stops it, and goes on when it has been waited for in vain
//! keychain absent    in a session without one
//! ```
//! For the tests, which give it a session, a home and a bus of its own.

#![expect(clippy::print_stdout, reason = "an example tells what it does")]

#[cfg(target_os = "linux")]
#[path = "keychain/paces.rs"]
mod paces;

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paces = std::env::args().nth(1).unwrap_or_default();
    println!("{}", paces::run(&paces).await?);
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not on this system");
}
