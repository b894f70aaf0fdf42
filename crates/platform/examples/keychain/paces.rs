use std::error::Error;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use keybearer_core::ports::{KeyStore as _, KeyStoreError, KeyStoreKind};
use keybearer_model::secret::Secret;
use keybearer_platform::keys::Keychain;
use rustix::process::{Pid, Signal, kill_process};

type Outcome<T> = Result<T, Box<dyn Error>>;

pub(crate) async fn run(paces: &str) -> Outcome<String> {
    let keys = Keychain::open();
    match paces {
        "works" => works(&keys).await,
        "unlock" => {
            let _ring = Ring::start(&["--unlock"])?;
            works(&keys).await
        }
        "locked" => {
            let _ring = Ring::start(&[])?;
            Ok(format!("{} {}", told(&keys.probe().await), told(&keys.put("a", &secret(9)).await)))
        }
        "hangs" => hangs(&keys).await,
        "absent" => Ok(format!("{} {}", told(&keys.probe().await), told(&keys.get("a").await))),
        other => Err(format!("unknown: {other}").into()),
    }
}

/// A key ring of this session, ended with this value.
struct Ring(Child);

impl Ring {
    fn start(options: &[&str]) -> Outcome<Self> {
        let mut ring = Command::new("gnome-keyring-daemon");
        ring.args(["--foreground", "--components=secrets"]).args(options);
        let mut ring = ring.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        // The password of a key ring that lives as long as this process.
        if let Some(mut stdin) = ring.stdin.take() {
            stdin.write_all(b"opens nothing else")?;
        }
        // It closes its output when it is ready.
        if let Some(mut stdout) = ring.stdout.take() {
            stdout.read_to_string(&mut String::new())?;
        }
        Ok(Self(ring))
    }

    fn signal(&self, signal: Signal) -> Outcome<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn secret(length: usize) -> Secret {
    Secret::new("cAnArY é ".repeat(length.div_ceil(9)))
}

fn told<T>(answer: &Result<T, KeyStoreError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(KeyStoreError::Locked) => "locked",
        Err(KeyStoreError::Timeout) => "timeout",
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

/// A stopped key ring: every call ends by the clock, none is done later, and all is well when it goes on.
async fn hangs(keys: &Keychain) -> Outcome<String> {
    let ring = Ring::start(&["--unlock"])?;
    keys.put("paces/a", &Secret::new("cAnArY first".into())).await?;
    ring.signal(Signal::STOP)?;
    tokio::time::pause();
    let first = told(&keys.get("paces/a").await);
    let second = told(&keys.put("paces/a", &Secret::new("cAnArY given up".into())).await);
    tokio::time::resume();
    ring.signal(Signal::CONT)?;
    let back = keys.get("paces/a").await?.ok_or("it is not there any more")?;
    must(back.matches("cAnArY first"), "a write that was given up happened later")?;
    Ok(format!("{first} {second}"))
}
