use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::*;

pub(crate) async fn run(keys: &Keychain, paces: &str) -> Outcome<String> {
    match paces {
        "unlock" => {
            let _ring = Ring::start(&["--unlock"])?;
            works(keys).await
        }
        "locked" => {
            let _ring = Ring::start(&[])?;
            Ok(format!("{} {}", told(&keys.probe().await), told(&keys.put("a", &secret(9)).await)))
        }
        "hangs" => hangs(keys).await,
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
