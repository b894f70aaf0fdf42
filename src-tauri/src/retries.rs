//! When to ask a core again for what it gives to one shell alone: the questions, and the sign-in windows.
//!
//! Whoever is refused asks ever more rarely: another shell may have it for days, and each refusal wakes up two programs
//! and is put on record. Another core is asked at once.

use std::time::Duration;

use keybearer_control::error::{Code, Error};
use keybearer_control::view::View;
use tokio::sync::watch;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// How often this core has refused, one time after the other.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    refused: u32,
}

impl Retries {
    /// Waits until a core runs that may be asked; false if the shell ends.
    pub(crate) async fn core_is_there(&self, views: &mut watch::Receiver<View>) -> bool {
        views.wait_for(is_attached).await.is_ok()
    }

    /// After it has ended with this error: waits until it is time to ask again, or until this core is gone.
    pub(crate) async fn wait(&mut self, ended: &Error, views: &mut watch::Receiver<View>) {
        self.refused = if ended.code == Code::NotAllowed { self.refused.saturating_add(1) } else { 0 };
        tokio::select! {
            () = tokio::time::sleep(pause(self.refused)) => {}
            _ = views.wait_for(|view| !is_attached(view)) => self.refused = 0,
        }
    }
}

fn is_attached(view: &View) -> bool {
    matches!(view, View::Attached { .. })
}

/// How long to wait after so many refusals: twice as long after each.
fn pause(refused: u32) -> Duration {
    LONGEST.min(SHORTEST * 2_u32.saturating_pow(refused))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use keybearer_control::snapshot::{ContainerDoor, HttpDoor, KeyStore, Snapshot};
    use tokio::time::Instant;

    use super::*;

    fn attached() -> View {
        let snapshot = Snapshot {
            version: "0.1.0".into(),
            pid: 1,
            servers: Vec::new(),
            clients: Vec::new(),
            key_store: KeyStore::System,
            http_door: HttpDoor::Closed,
            container_door: ContainerDoor::Closed,
            socket_door: None,
            stopped: false,
            permissions: Vec::new(),
            problems: Vec::new(),
        };
        View::attached(&snapshot, &BTreeMap::new())
    }

    fn refused() -> Error {
        Error::new(Code::NotAllowed, "another window has it")
    }

    #[test]
    fn a_refusal_doubles_the_pause_up_to_five_minutes() {
        let seconds = |refused| pause(refused).as_secs();
        assert_eq!([0, 1, 2, 3, 8].map(seconds), [1, 2, 4, 8, 256]);
        assert_eq!([9, 40, u32::MAX].map(seconds), [300; 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_refused_asks_rarely_and_whoever_lost_it_soon() {
        let (_core, mut views) = watch::channel(attached());
        let mut retries = Retries::default();
        let begun = Instant::now();
        for _ in 0..20 {
            retries.wait(&refused(), &mut views).await;
        }
        assert!(begun.elapsed() > LONGEST * 10, "{:?}", begun.elapsed());
        let begun = Instant::now();
        retries.wait(&Error::new(Code::NoCore, "gone"), &mut views).await;
        assert_eq!(begun.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn another_core_is_asked_at_once() {
        let (core, mut views) = watch::channel(attached());
        let mut retries = Retries { refused: 9 };
        let begun = Instant::now();
        core.send_replace(View::Starting);
        retries.wait(&refused(), &mut views).await;
        core.send_replace(attached());
        assert!(retries.core_is_there(&mut views).await);
        assert_eq!((begun.elapsed(), retries.refused), (Duration::ZERO, 0));
    }

    #[tokio::test]
    async fn the_end_of_the_shell_is_the_end_of_asking() {
        let (core, mut views) = watch::channel(View::Starting);
        drop(core);
        assert!(!Retries::default().core_is_there(&mut views).await);
    }
}
