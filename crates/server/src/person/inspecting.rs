//! The messages of calls, for the shell whose person looks at them.

use keybearer_control::error::{Code, Error};
use keybearer_control::inspector::{Exchange, Messages};
use keybearer_control::plain::clean;
use keybearer_control::wire::Reply;
use keybearer_core::broker::Broker;
use keybearer_core::inspector;
use keybearer_os::local::Stream;
use tokio::io::{AsyncReadExt as _, BufReader, ReadHalf};

use crate::control::{Control, Replies, say};
use crate::prompts::Peer;

/// Ends with the look, however that ends.
struct Looking(Broker);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.inspection_ended();
    }
}

impl Control {
    /// Tells the messages of calls as they end, until the peer hangs up: nothing else is asked on this connection.
    pub(crate) async fn inspect(
        &self,
        peer: &Peer,
        reader: &mut BufReader<ReadHalf<Stream>>,
        replies: &mut Replies,
    ) -> std::io::Result<()> {
        if !peer.is_shell() {
            return say(replies, &refused("only the Keybearer window shows the messages of calls")).await;
        }
        let Some(mut look) = self.broker.inspect(peer.program()) else {
            return say(replies, &refused("another Keybearer window shows the messages of calls already")).await;
        };
        let _looking = Looking(self.broker.clone());
        say(replies, &Reply::Exchanges { exchanges: Vec::new() }).await?;
        loop {
            tokio::select! {
                exchanges = look.next() => {
                    let exchanges = exchanges.iter().map(|exchange| shown(exchange)).collect();
                    say(replies, &Reply::Exchanges { exchanges }).await?;
                }
                // Whatever comes is the end: a look is not asked anything.
                _ = reader.read_u8() => return Err(std::io::ErrorKind::ConnectionAborted.into()),
            }
        }
    }
}

fn refused(why: &str) -> Reply {
    Reply::Failed { error: Error::new(Code::NotAllowed, why) }
}

fn shown(exchange: &inspector::Exchange) -> Exchange {
    let names = |names: &[String]| names.iter().map(|name| clean(name)).collect();
    Exchange {
        number: exchange.number,
        came: names(&exchange.came),
        stripped: names(&exchange.stripped),
        credential: exchange.credential.as_deref().map(clean),
        sent: messages(&exchange.sent),
        status: exchange.status,
        got: messages(&exchange.got),
    }
}

/// Line by line, so that the indentation stays.
fn messages(messages: &inspector::Messages) -> Messages {
    let text = |text: &String| text.lines().map(clean).collect::<Vec<_>>().join("\n");
    Messages {
        texts: messages.texts.iter().map(text).collect(),
        bytes: messages.bytes,
        cut: u32::try_from(messages.cut).unwrap_or(u32::MAX),
        withheld: messages.withheld,
    }
}
