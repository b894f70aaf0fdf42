//! The stdio door: bridges come in over the bridge socket, say which server they want, and speak raw MCP lines.

mod batch;
mod contact;
mod delivery;
mod dispatch;
mod exchange;
mod let_in;
pub(crate) mod lines;
mod listen;
mod modern;
mod old;
mod open;
mod outbox;
mod requests;
mod said;
mod session;
mod shake;
mod stand_in;
mod talk;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use keybearer_control::bridge::{Hello, OLDEST, VERSION, Welcome};
use keybearer_control::error::{Code, Error};
use keybearer_core::admission;
use keybearer_core::broker::Broker;
use keybearer_model::name::ServerName;
use keybearer_os::local::{Listener, Stream};
use keybearer_os::peer;
use tokio::io::{AsyncWriteExt as _, WriteHalf};

use self::lines::{Line, Lines};
use self::session::Session;
use crate::doorways::Doorways;
use crate::draining::Draining;
use crate::forward::Forwarder;
use crate::own::LineDoor;

/// How long a bridge may take to say what it wants.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// The first version of bridges that understand the core's notices.
const FIRST_WITH_NOTICES: u32 = 2;

/// What every session of the stdio door needs.
#[derive(Clone)]
pub(crate) struct Bridges {
    pub(crate) broker: Broker,
    pub(crate) forwarder: Arc<Forwarder>,
    pub(crate) draining: Draining,
    pub(crate) doorways: Doorways,
    /// Whether the person has let the sessions begin before they begin.
    pub(crate) begun: admission::Session,
}

impl Bridges {
    /// For sessions that the person begins.
    pub(crate) fn begun_by_person(&self) -> Self {
        Self { begun: admission::Session::Looking, ..self.clone() }
    }

    /// Serves bridges until the task is dropped, which ends their sessions too. When the core drains, those that are
    /// there are served until they hang up.
    pub(crate) async fn accept(self, listener: Listener) {
        let mut sessions = tokio::task::JoinSet::new();
        let mut draining = self.draining.clone();
        loop {
            tokio::select! {
                () = draining.begun() => break,
                accepted = listener.accept() => match accepted {
                    Ok(stream) => { sessions.spawn(self.clone().serve(stream)); }
                    Err(error) => {
                        tracing::warn!(%error, "a bridge could not come in");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                Some(_) = sessions.join_next() => {}
            }
        }
        self.doorways.left(listener);
        while sessions.join_next().await.is_some() {}
    }

    async fn serve(self, stream: Stream) {
        // Asked before anything is read: what a program says of itself is not what it is judged by.
        let identified = peer::identify(&stream);
        let (reader, mut writer) = tokio::io::split(stream);
        let mut lines = Lines::new(reader);
        let Ok(Some(Line::Whole(hello))) = tokio::time::timeout(HELLO_LIMIT, lines.next()).await else { return };
        let (server, version) = match self.wanted(&hello) {
            Ok(wanted) => wanted,
            Err(error) => return say(&mut writer, &Welcome::Refused { error }).await,
        };
        let chain = match identified {
            Ok(peer) => peer.chain,
            Err(cause) => {
                let error = Error::new(Code::NotAllowed, format!("the program cannot be identified: {cause}"));
                return say(&mut writer, &Welcome::Refused { error }).await;
            }
        };
        let (caller, registered) = self.broker.caller_by_chain(chain);
        say(&mut writer, &Welcome::Ready).await;
        let notices = version >= FIRST_WITH_NOTICES;
        let Some(server) = server else {
            return LineDoor::serve(self, caller, registered, lines, writer, notices).await;
        };
        let session = Session::new(self.broker, self.forwarder, caller, registered, server, self.begun);
        session.run(lines, writer, self.draining, notices).await;
    }

    /// Which server a bridge wants (none: Keybearer's own), and its version.
    fn wanted(&self, hello: &[u8]) -> Result<(Option<ServerName>, u32), Error> {
        let hello: Hello = serde_json::from_slice(hello)
            .map_err(|_| Error::new(Code::BadRequest, "the first line is not a bridge's greeting"))?;
        if !(OLDEST..=VERSION).contains(&hello.keybearer) {
            return Err(Error::new(Code::BadRequest, "the bridge is of another version than the running Keybearer")
                .hint("restart the app that started it"));
        }
        let unknown = || {
            let shown: String =
                hello.server.iter().flat_map(|name| name.chars()).filter(|c| !c.is_control()).take(48).collect();
            Error::new(Code::UnknownServer, format!("there is no server `{shown}`"))
                .hint("see the names with `keybearer servers list`")
        };
        let Some(name) = hello.server.as_deref() else { return Ok((None, hello.keybearer)) };
        let server: ServerName = name.parse().map_err(|_| unknown())?;
        if self.broker.knows(&server) { Ok((Some(server), hello.keybearer)) } else { Err(unknown()) }
    }
}

async fn say(writer: &mut WriteHalf<Stream>, welcome: &Welcome) {
    let mut line = serde_json::to_vec(welcome).unwrap_or_default();
    line.push(b'\n');
    // A bridge that is gone already needs no welcome; its session ends at the first read.
    let _ = writer.write_all(&line).await;
}
