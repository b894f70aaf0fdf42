//! The window's look at the messages of calls: begun by the person, over when they leave the page or close the window.

use keybearer_control::client::Client;
use keybearer_control::error::Error;
use keybearer_control::inspector::Exchange;
use tokio::sync::watch;

/// The one look.
#[derive(Default)]
pub(crate) struct Inspecting {
    ends: watch::Sender<u64>,
}

impl Inspecting {
    /// Hands the messages of calls to `show` as they end, until it takes no more or the look ends.
    pub(crate) async fn follow<E>(
        &self,
        core: &Client,
        show: impl Fn(Vec<Exchange>) -> Result<(), E>,
    ) -> Result<(), Error> {
        self.end();
        let mut ends = self.ends.subscribe();
        let mut exchanges = core.inspect().await?;
        loop {
            tokio::select! {
                new = exchanges.next() => if show(new?).is_err() { return Ok(()) },
                _ = ends.changed() => return Ok(()),
            }
        }
    }

    /// Ends the look; what the core has kept for it is gone.
    pub(crate) fn end(&self) {
        self.ends.send_modify(|count| *count += 1);
    }
}
