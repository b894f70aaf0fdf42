//! Where the doors stand, for whoever shows it.

use std::time::Duration;

use keybearer_control::snapshot::{ContainerDoor, HttpDoor};
use tokio::sync::watch;

/// How long a new client's answer waits for the door that the client opens.
const OPENING: Duration = Duration::from_secs(5);

/// What is known of each door. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Doors {
    pub(crate) http: watch::Receiver<HttpDoor>,
    pub(crate) container: watch::Receiver<ContainerDoor>,
    /// Where the socket door is.
    pub(crate) socket: Option<String>,
}

impl Doors {
    /// Completes at the next change; an error when the core ends.
    pub(crate) async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        tokio::select! {
            changed = self.http.changed() => changed,
            changed = self.container.changed() => changed,
        }
    }

    pub(crate) fn mark_unchanged(&mut self) {
        self.http.mark_unchanged();
        self.container.mark_unchanged();
    }

    /// Waits until the door that a new client with a key needs is open, or is known to stay closed.
    pub(crate) async fn decided(&self, for_containers: bool) {
        let (mut http, mut container) = (self.http.clone(), self.container.clone());
        let decided = async {
            let _ = http.wait_for(|door| *door != HttpDoor::Closed).await;
            if for_containers {
                let _ = container.wait_for(|door| *door != ContainerDoor::Closed).await;
            }
        };
        let _ = tokio::time::timeout(OPENING, decided).await;
    }

    /// The address that a client with a key connects to, as it writes it.
    pub(crate) fn address(&self, from_container: bool) -> Option<String> {
        if let (true, ContainerDoor::Open { address }) = (from_container, &*self.container.borrow()) {
            return Some(address.clone());
        }
        match &*self.http.borrow() {
            HttpDoor::Open { addresses } => addresses.first().cloned(),
            HttpDoor::Closed | HttpDoor::Blocked { .. } => None,
        }
    }
}
