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
#![allow(clippy::disallowed_methods, reason = "a trial starts programs")]

use std::error::Error;

use keybearer_core::ports::{KeyStore as _, KeyStoreError, KeyStoreKind};
use keybearer_model::secret::Secret;
use keybearer_platform::keys::Keychain;

#[cfg(target_os = "linux")]
#[path = "keychain/ring.rs"]
mod ring;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let keys = Keychain::open();
    let paces = std::env::args().nth(1).unwrap_or_default();
    let said = match paces.as_str() {
        "works" => works(&keys).await?,
        "absent" => format!("{} {}", told(&keys.probe().await), told(&keys.get("a").await)),
        #[cfg(target_os = "linux")]
        other => ring::run(&keys, other).await?,
        #[cfg(not(target_os = "linux"))]
        other => return Err(format!("not on this system: {other}").into()),
    };
    println!("{said}");
    Ok(())
}

fn secret(length: usize) -> Secret {
    Secret::new("cAnArY é ".repeat(length.div_ceil(9)))
}

fn told<T>(answer: &Result<T, KeyStoreError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(KeyStoreError::Locked) => "locked",
        Err(KeyStoreError::Timeout) => "timeout",
        Err(KeyStoreError::Torn) => "torn",
        Err(KeyStoreError::Failed(_)) => "failed",
    }
}

fn must(holds: bool, what: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(what.into()) }
}

async fn works(keys: &Keychain) -> Outcome<String> {
    keys.probe().await?;
    must(keys.kind() == KeyStoreKind::System, "its kind")?;
    must(keys.get("paces/none").await?.is_none(), "an entry that was never made")?;
    for length in [1, 2_400, 65_536] {
        let secret = secret(length);
        keys.put("paces/a", &secret).await?;
        let back = keys.get("paces/a").await?.ok_or("what was put is not there")?;
        must(back.matches(secret.expose()), "what was put comes back")?;
    }
    let names = (0..20).map(|number| format!("paces/{number}")).collect::<Vec<_>>();
    for name in &names {
        keys.put(name, &Secret::new(format!("cAnArY {name}"))).await?;
    }
    for name in &names {
        let back = keys.get(name).await?.ok_or("one of many is missing")?;
        must(back.matches(&format!("cAnArY {name}")), "each has its own")?;
        keys.delete(name).await?;
    }
    keys.delete("paces/a").await?;
    keys.delete("paces/a").await?;
    must(keys.get("paces/a").await?.is_none(), "what was deleted is gone")?;
    Ok("works".into())
}
