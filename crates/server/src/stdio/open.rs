//! A session of the stdio door for somebody inside this process: the same duties, without a bridge and its greeting.

use std::sync::Arc;

use keybearer_core::clients::Registered;
use keybearer_model::caller::Caller;
use keybearer_model::name::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Bridges;
use super::lines::Lines;
use super::session::Session;

impl Bridges {
    /// Serves one client of `server` by lines, until `reader` ends. There is no welcome, and nothing but MCP is written.
    pub(crate) fn open(
        &self,
        caller: Arc<Caller>,
        registered: Option<Arc<Registered>>,
        server: ServerName,
        reader: impl AsyncRead + Unpin + Send,
        writer: impl AsyncWrite + Unpin + Send + 'static,
    ) -> impl Future<Output = ()> + Send {
        let Self { broker, forwarder, draining, begun, .. } = self.clone();
        let session = Session::new(broker, forwarder, caller, registered, server, begun);
        session.run(Lines::new(reader), writer, draining, false)
    }
}
