//! Tells the core when the machine comes back from sleep or to a network.
//!
//! A resume brings many signs, one after the other: they are gathered, so that there is one recovery. The core notices
//! sleep by its clocks as well; what it learns here it learns at once, and it could not learn of a network otherwise.

use keybearer_control::client::Client;

/// Tells whichever core is there, until the shell ends.
#[cfg(target_os = "linux")]
pub(crate) async fn keep(client: Client) {
    if let Err(error) = linux::follow(&client).await {
        tracing::info!(%error, "the system does not tell of sleep and networks");
    }
}

/// Other systems do not tell the shell: the core's clocks do.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn keep(_: Client) {
    std::future::ready(()).await;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use futures_util::{StreamExt as _, stream};
    use keybearer_control::client::Client;
    use tokio::time::Instant;
    use zbus::message::Type;
    use zbus::{Connection, MatchRule, Message, MessageStream};

    /// After waking up, for so long a network is waited for: without one there is nothing to try.
    const NETWORK: Duration = Duration::from_secs(5);
    /// After a network has come, for so long more signs are waited for.
    const QUIET: Duration = Duration::from_secs(1);
    /// NetworkManager's `NM_STATE_CONNECTED_SITE`; at this state and above, other machines can be reached.
    const CONNECTED: u32 = 60;

    /// What the system says.
    enum Sign {
        Woke,
        Connected,
    }

    pub(super) async fn follow(client: &Client) -> zbus::Result<()> {
        let bus = Connection::system().await?;
        let woke = signals(&bus, "org.freedesktop.login1.Manager", "PrepareForSleep").await?;
        let network = signals(&bus, "org.freedesktop.NetworkManager", "StateChanged").await?;
        let woke = woke.filter_map(|message| async move { message.ok().and_then(|message| sleep(&message)) });
        let network = network.filter_map(|message| async move { message.ok().and_then(|message| state(&message)) });
        let mut signs = stream::select(Box::pin(woke), Box::pin(network));
        tracing::info!("the system tells of sleep and networks");
        let mut due: Option<Instant> = None;
        loop {
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                sign = signs.next() => match sign {
                    Some(Sign::Woke) => due = Some(Instant::now() + NETWORK),
                    Some(Sign::Connected) => due = Some(Instant::now() + QUIET),
                    None => return Ok(()),
                },
                () = wait => {
                    due = None;
                    // Without a core there is nothing to recover.
                    if let Err(error) = client.come_back().await {
                        tracing::debug!(%error, "no core to tell that the machine is back");
                    }
                }
            }
        }
    }

    async fn signals(bus: &Connection, interface: &str, member: &str) -> zbus::Result<MessageStream> {
        let rule = MatchRule::builder().msg_type(Type::Signal).interface(interface)?.member(member)?.build();
        MessageStream::for_match_rule(rule, bus, None).await
    }

    /// `PrepareForSleep(false)` comes after waking up.
    fn sleep(message: &Message) -> Option<Sign> {
        let falls_asleep: bool = message.body().deserialize().ok()?;
        (!falls_asleep).then_some(Sign::Woke)
    }

    fn state(message: &Message) -> Option<Sign> {
        let state: u32 = message.body().deserialize().ok()?;
        (state >= CONNECTED).then_some(Sign::Connected)
    }
}
