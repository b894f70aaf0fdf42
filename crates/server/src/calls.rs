//! Stage 3 of a call: from a judged message to a [`Call`], the same at every door.

use std::sync::Arc;
use std::time::Duration;

use keybearer_mcp::peek::{Kind, Peeked};
use keybearer_mcp::{class, risk};
use keybearer_model::call::{Call, MethodClass, RiskClass};
use keybearer_model::caller::Caller;
use keybearer_model::name::ServerName;

/// How long a client waits for a person at a tool call. Well-known clients give up
/// after 60 seconds.
const PATIENCE_AT_A_CALL: Duration = Duration::from_secs(45);

/// How long at a handshake or a list.
const PATIENCE_AT_A_HANDSHAKE: Duration = Duration::from_secs(25);

/// How long a core that another one takes over from waits for calls that are under way.
pub(crate) const PATIENCE_AT_A_DRAIN: Duration = Duration::from_secs(30);

/// The call that a message makes.
pub(crate) fn call_of(message: &Peeked<'_>, caller: &Arc<Caller>, server: &ServerName) -> Call {
    let class = match message.kind {
        Kind::Request { .. } | Kind::Batch(_) => message.method.as_deref().map_or(MethodClass::Other, class::classify),
        Kind::Notification | Kind::Response { .. } => MethodClass::Session,
    };
    Call {
        caller: Arc::clone(caller),
        server: server.clone(),
        method: message.method_word().into(),
        class,
        risk: message.tool.as_deref().map_or(RiskClass::Read, risk::of_tool),
        tool: message.tool.as_deref().map(Into::into),
        argument_names: message.argument_names.iter().map(|name| name.as_ref().into()).collect(),
    }
}

/// The call that a message without a body makes: opening a stream (`GET`) or ending a session (`DELETE`).
pub(crate) fn bodiless(method: &http::Method, caller: &Arc<Caller>, server: &ServerName) -> Call {
    Call {
        caller: Arc::clone(caller),
        server: server.clone(),
        method: method.as_str().into(),
        class: MethodClass::Session,
        risk: RiskClass::Read,
        tool: None,
        argument_names: Vec::new(),
    }
}

/// How long the client of this call can be kept waiting for a person.
pub(crate) fn patience(class: MethodClass) -> Duration {
    match class {
        MethodClass::ToolCall | MethodClass::Read | MethodClass::Other => PATIENCE_AT_A_CALL,
        MethodClass::Session | MethodClass::List => PATIENCE_AT_A_HANDSHAKE,
    }
}
