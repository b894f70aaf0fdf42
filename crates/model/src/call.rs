//! One MCP message, classified.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::caller::Caller;
use crate::name::ServerName;

/// What a message is for, as far as policy cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodClass {
    /// Opening and keeping a session: `initialize`, `server/discover`, `ping`, notifications, responses, streams.
    Session,
    /// Asking what there is: `tools/list`, `resources/list`, `prompts/list`, ...
    List,
    /// Reading what a server offers besides tools: `resources/read`, `prompts/get`, `completion/complete`, ...
    Read,
    /// `tools/call`.
    ToolCall,
    /// A method that we do not know.
    Other,
}

/// What a call can do, in four steps that a person understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskClass {
    /// It looks.
    Read,
    /// It changes something.
    Change,
    /// It removes something.
    Delete,
    /// It sends something to the outside.
    Send,
}

impl fmt::Display for RiskClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "reads",
            Self::Change => "changes",
            Self::Delete => "deletes",
            Self::Send => "sends",
        })
    }
}

/// A call: who asks what of which server. The message's bytes travel beside it and are what is forwarded.
///
/// Most names are short: a text that holds up to 23 bytes in itself spares each call an allocation a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// Of which server.
    pub server: ServerName,
    /// The JSON-RPC method; `response` for an answer to a server's request, `GET` or `DELETE` for a bare stream.
    pub method: SmolStr,
    /// What the method is for.
    pub class: MethodClass,
    /// The tool, for `tools/call`.
    pub tool: Option<SmolStr>,
    /// What it can do. A tool of which nothing is known counts as a change.
    pub risk: RiskClass,
    /// The names of the arguments, in the order of the message; their values are nowhere in this type.
    pub argument_names: Vec<SmolStr>,
}
