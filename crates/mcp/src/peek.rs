//! A strict look at one message: what is judged here is what is forwarded.
//!
//! A message that two parsers could read differently is refused, never guessed at: duplicate keys at any depth,
//! judged members in another letter case, anything but one JSON value, nesting that a server might cut.

use std::borrow::Cow;

use crate::scan::{Raw, Scanner, Shape};

mod message;

/// One message, looked at. Everything borrows from the body, except names that were written with escapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Peeked<'a> {
    /// Request, notification, response, or several of them.
    pub kind: Kind<'a>,
    /// The method of a request or notification.
    pub method: Option<Cow<'a, str>>,
    /// The tool, for `tools/call`; then it is always there.
    pub tool: Option<Cow<'a, str>>,
    /// What the request is about, for the `Mcp-Name` header: `params.name`, `.uri` or `.taskId`, by method.
    pub subject: Option<Cow<'a, str>>,
    /// The names in `params.arguments`, in their order.
    pub argument_names: Vec<Cow<'a, str>>,
    /// `params.arguments` as it was written.
    pub arguments: Option<&'a str>,
    /// `io.modelcontextprotocol/protocolVersion` of `params._meta`: its presence is what makes a request a modern one.
    pub protocol_version: Option<Cow<'a, str>>,
}

/// What kind of message it is. An `id` is the JSON text as it was written: `7`, `"7"`, `1e400`.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    /// It wants an answer under this id.
    Request {
        /// A string or a number.
        id: &'a str,
    },
    /// It wants none.
    Notification,
    /// It is the answer to a server's request.
    Response {
        /// A string, a number, or `null`.
        id: &'a str,
    },
    /// Several messages in one body (2025-03-26); never empty, never nested.
    Batch(Vec<Peeked<'a>>),
}

impl<'a> Peeked<'a> {
    /// The messages in this body: itself, or those of the batch.
    pub fn messages(&self) -> &[Peeked<'a>] {
        match &self.kind {
            Kind::Batch(messages) => messages,
            Kind::Request { .. } | Kind::Notification | Kind::Response { .. } => std::slice::from_ref(self),
        }
    }

    /// The id under which an answer is expected, as JSON text.
    pub fn request_id(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Request { id } => Some(id),
            Kind::Notification | Kind::Response { .. } | Kind::Batch(_) => None,
        }
    }

    /// The method, or `response` or `batch` for what has none: the word that audit and policy use.
    pub fn method_word(&self) -> &str {
        match (&self.method, &self.kind) {
            (Some(method), _) => method,
            (None, Kind::Batch(_)) => "batch",
            (None, Kind::Request { .. } | Kind::Notification | Kind::Response { .. }) => "response",
        }
    }
}

/// Why a body is no message that we can judge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not text.
    #[error("the message is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("the message is not JSON (byte {at})")]
    Syntax {
        /// Offset of the first byte that does not fit.
        at: usize,
    },
    /// More after the value.
    #[error("something follows the message (byte {at})")]
    Trailing {
        /// Offset of what follows.
        at: usize,
    },
    /// A member's name occurs twice in one object.
    #[error("a member occurs twice in one object (byte {at})")]
    DuplicateKey {
        /// Offset of the second one.
        at: usize,
    },
    /// A name with half of a surrogate pair in it.
    #[error("a name is not Unicode (byte {at})")]
    HalfSurrogate {
        /// Offset of the name.
        at: usize,
    },
    /// Nested deeper than 64 levels.
    #[error("the message is nested too deeply (byte {at})")]
    TooDeep {
        /// Offset of the bracket.
        at: usize,
    },
    /// JSON, but no JSON-RPC 2.0 message of MCP.
    #[error("the message is not JSON-RPC 2.0: {0}")]
    NotJsonRpc(&'static str),
}

impl Refused {
    /// JSON-RPC's own code for it: -32700 for what is not JSON, -32600 for what is no request.
    pub fn code(&self) -> i64 {
        match self {
            Self::NotUtf8 | Self::Syntax { .. } | Self::Trailing { .. } => -32700,
            Self::DuplicateKey { .. } | Self::HalfSurrogate { .. } | Self::TooDeep { .. } | Self::NotJsonRpc(_) => {
                -32600
            }
        }
    }

    /// A stable word for it, to count by.
    pub fn stable(&self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::Syntax { .. } => "not_json",
            Self::Trailing { .. } => "trailing_bytes",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::HalfSurrogate { .. } => "half_surrogate",
            Self::TooDeep { .. } => "too_deep",
            Self::NotJsonRpc(_) => "not_json_rpc",
        }
    }
}

/// Looks at a body in one pass.
pub fn peek(body: &[u8]) -> Result<Peeked<'_>, Refused> {
    let text = std::str::from_utf8(body).map_err(|_| Refused::NotUtf8)?;
    let mut scanner = Scanner::new(text);
    let peeked = if scanner.peek() == Some(b'[') { batch(&mut scanner)? } else { message::message(&mut scanner)? };
    scanner.end()?;
    Ok(peeked)
}

/// Whether a text is what an `id` may be: a JSON string, a number or `null`, and nothing else.
pub fn is_id(raw: &str) -> bool {
    let mut scanner = Scanner::new(raw);
    let fits = |value: Raw<'_>| value.text == raw && matches!(value.shape, Shape::Text | Shape::Number);
    raw == "null" || scanner.value().is_ok_and(fits)
}

fn batch<'a>(scanner: &mut Scanner<'a>) -> Result<Peeked<'a>, Refused> {
    let mut messages = Vec::new();
    scanner.array(|scanner| {
        messages.push(message::message(scanner)?);
        Ok(())
    })?;
    if messages.is_empty() {
        return Err(Refused::NotJsonRpc("an empty batch"));
    }
    Ok(Peeked {
        kind: Kind::Batch(messages),
        method: None,
        tool: None,
        subject: None,
        argument_names: Vec::new(),
        arguments: None,
        protocol_version: None,
    })
}

#[cfg(test)]
mod tests;
