//! One message of JSON-RPC: its members are collected in one pass and judged together, in whatever order they come.

use std::borrow::Cow;

use super::{Kind, Peeked, Refused};
use crate::scan::{Raw, Scanner, Shape};

/// The member of `_meta` that makes a request a modern one.
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The judged members at the top and in `params` of a `tools/call`.
const TOP: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];
const CALL: [&str; 3] = ["name", "arguments", "_meta"];

#[derive(Default)]
struct Members<'a> {
    version: Option<Raw<'a>>,
    id: Option<Raw<'a>>,
    method: Option<Raw<'a>>,
    params: Option<Params<'a>>,
    result: bool,
    error: bool,
}

#[derive(Default)]
struct Params<'a> {
    name: Option<Raw<'a>>,
    uri: Option<Raw<'a>>,
    task: Option<Raw<'a>>,
    arguments: Option<&'a str>,
    argument_names: Vec<Cow<'a, str>>,
    protocol_version: Option<Raw<'a>>,
    disguised: bool,
}

/// Passes one message that must be an object.
pub(super) fn message<'a>(scanner: &mut Scanner<'a>) -> Result<Peeked<'a>, Refused> {
    if scanner.peek() != Some(b'{') {
        scanner.value()?;
        return Err(Refused::NotJsonRpc("it is not an object"));
    }
    let mut members = Members::default();
    let mut disguised = false;
    scanner.object(|scanner, name| {
        match name.as_ref() {
            "jsonrpc" => members.version = Some(scanner.value()?),
            "id" => members.id = Some(scanner.value()?),
            "method" => members.method = Some(scanner.value()?),
            "params" => members.params = Some(params(scanner)?),
            other => {
                members.result |= other == "result";
                members.error |= other == "error";
                disguised |= is_disguised(other, &TOP);
                scanner.value()?;
            }
        }
        Ok(())
    })?;
    if disguised {
        return Err(Refused::NotJsonRpc("a member is written in another letter case"));
    }
    members.judge()
}

impl<'a> Members<'a> {
    fn judge(self) -> Result<Peeked<'a>, Refused> {
        if self.version.and_then(Raw::unescaped).as_deref() != Some("2.0") {
            return Err(Refused::NotJsonRpc("`jsonrpc` must be \"2.0\""));
        }
        match self.method {
            Some(_) if self.result || self.error => Err(Refused::NotJsonRpc("a method and a result")),
            Some(method) => self.asking(method),
            None => self.answering(),
        }
    }

    /// A request or a notification.
    fn asking(self, method: Raw<'a>) -> Result<Peeked<'a>, Refused> {
        let method = method.unescaped().ok_or(Refused::NotJsonRpc("`method` must be a string"))?;
        let kind = match self.id {
            None => Kind::Notification,
            Some(id) if matches!(id.shape, Shape::Text | Shape::Number) => Kind::Request { id: id.text },
            Some(_) => return Err(Refused::NotJsonRpc("`id` must be a string or a number")),
        };
        let params = self.params.unwrap_or_default();
        let subject = match &*method {
            "tools/call" | "prompts/get" => params.name,
            "resources/read" => params.uri,
            "tasks/get" | "tasks/update" | "tasks/cancel" => params.task,
            _ => None,
        };
        let subject = subject.and_then(Raw::unescaped);
        let mut tool = None;
        if method == "tools/call" {
            if params.disguised {
                return Err(Refused::NotJsonRpc("a member of `params` is written in another letter case"));
            }
            tool = Some(subject.clone().ok_or(Refused::NotJsonRpc("`params.name` must be a string"))?);
        }
        Ok(Peeked {
            kind,
            tool,
            subject,
            argument_names: params.argument_names,
            arguments: params.arguments,
            protocol_version: params.protocol_version.and_then(Raw::unescaped),
            method: Some(method),
        })
    }

    /// A response.
    fn answering(self) -> Result<Peeked<'a>, Refused> {
        if self.result == self.error {
            return Err(Refused::NotJsonRpc("neither a method nor one of `result` and `error`"));
        }
        let id = self.id.filter(|id| matches!(id.shape, Shape::Text | Shape::Number) || id.text == "null");
        let id = id.ok_or(Refused::NotJsonRpc("`id` must be a string, a number or null"))?;
        Ok(Peeked {
            kind: Kind::Response { id: id.text },
            method: None,
            tool: None,
            subject: None,
            argument_names: Vec::new(),
            arguments: None,
            protocol_version: None,
        })
    }
}

/// Passes `params`; anything but an object has nothing in it that we judge.
fn params<'a>(scanner: &mut Scanner<'a>) -> Result<Params<'a>, Refused> {
    let mut params = Params::default();
    if scanner.peek() != Some(b'{') {
        scanner.value()?;
        return Ok(params);
    }
    scanner.object(|scanner, name| {
        match name.as_ref() {
            "name" => params.name = Some(scanner.value()?),
            "uri" => params.uri = Some(scanner.value()?),
            "taskId" => params.task = Some(scanner.value()?),
            "arguments" => arguments(scanner, &mut params)?,
            "_meta" => params.protocol_version = meta(scanner)?,
            other => {
                params.disguised |= is_disguised(other, &CALL);
                scanner.value()?;
            }
        }
        Ok(())
    })?;
    Ok(params)
}

fn arguments<'a>(scanner: &mut Scanner<'a>, params: &mut Params<'a>) -> Result<(), Refused> {
    if scanner.peek() != Some(b'{') {
        params.arguments = Some(scanner.value()?.text);
        return Ok(());
    }
    let start = scanner.position();
    scanner.object(|scanner, name| {
        params.argument_names.push(name.clone());
        scanner.value().map(drop)
    })?;
    params.arguments = Some(scanner.since(start)?);
    Ok(())
}

fn meta<'a>(scanner: &mut Scanner<'a>) -> Result<Option<Raw<'a>>, Refused> {
    let mut version = None;
    if scanner.peek() != Some(b'{') {
        scanner.value()?;
        return Ok(version);
    }
    scanner.object(|scanner, name| {
        let value = scanner.value()?;
        if *name == VERSION {
            version = Some(value);
        }
        Ok(())
    })?;
    Ok(version)
}

/// Whether `name` is one of `judged` to a parser that ignores letter case, as some servers' do, but not to us.
///
/// Such a parser folds as Unicode does: the long s and the Kelvin sign are letters of ASCII to it.
fn is_disguised(name: &str, judged: &[&str]) -> bool {
    judged.iter().any(|known| {
        name != *known
            && name.len() <= 3 * known.len()
            && name.chars().map(folded).eq(known.chars().map(|letter| letter.to_ascii_lowercase()))
    })
}

fn folded(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}
