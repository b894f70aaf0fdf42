//! MCP messages with their members as they were written: what is not ours to change passes as it came.

use std::fmt;

use bytes::Bytes;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// One JSON value, as it was written.
pub(super) type Raw = Box<RawValue>;

/// An object's members, in their order, each as it was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Object(Vec<(String, Raw)>);

impl Object {
    /// Reads an object; anything else has no members.
    pub(super) fn of(text: Option<&RawValue>) -> Self {
        text.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// Replaces a member where it stands, or adds it at the end.
    pub(super) fn set(&mut self, name: &str, value: Raw) {
        match self.0.iter_mut().find(|(found, _)| found == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Raw> {
        let at = self.0.iter().position(|(found, _)| found == name)?;
        Some(self.0.remove(at).1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    pub(super) fn raw(&self) -> Raw {
        raw(self)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A value of ours.
pub(super) fn raw(value: &(impl Serialize + ?Sized)) -> Raw {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A message of JSON-RPC 2.0, taken apart.
#[derive(Deserialize)]
pub(super) struct Frame {
    pub(super) id: Option<Raw>,
    pub(super) method: Option<String>,
    pub(super) params: Option<Raw>,
    pub(super) result: Option<Raw>,
    pub(super) error: Option<Raw>,
}

impl Frame {
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// What it answers with; a response without a result is an error of ours.
    pub(super) fn answer(self) -> Answer {
        match (self.result, self.error) {
            (Some(result), _) => Answer::Result(result),
            (None, Some(error)) => Answer::Error(error),
            (None, None) => Answer::error(-32603, "internal", "the answer had no result"),
        }
    }
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Result(Raw),
    Error(Raw),
}

impl Answer {
    /// An error of ours, with a stable word for it.
    pub(super) fn error(code: i64, stable: &str, message: &str) -> Self {
        Self::Error(raw(&serde_json::json!({ "code": code, "message": message, "data": { "code": stable } })))
    }

    pub(super) fn result(value: &(impl Serialize + ?Sized)) -> Self {
        Self::Result(raw(value))
    }

    /// The code of an error.
    pub(super) fn code(&self) -> Option<i64> {
        match self {
            Self::Result(_) => None,
            Self::Error(error) => serde_json::from_str(Object::of(Some(error)).get("code")?.get()).ok(),
        }
    }

    /// The message that answers `id`.
    pub(super) fn message(&self, id: &RawValue) -> Bytes {
        let (word, value) = match self {
            Self::Result(result) => ("result", result),
            Self::Error(error) => ("error", error),
        };
        format!(r#"{{"jsonrpc":"2.0","id":{id},"{word}":{value}}}"#).into()
    }
}

/// A request, or a notification where there is no id.
pub(super) fn message(id: Option<&RawValue>, method: &str, params: Option<&RawValue>) -> Bytes {
    #[derive(Serialize)]
    struct Message<'a> {
        jsonrpc: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a RawValue>,
        method: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        params: Option<&'a RawValue>,
    }
    serde_json::to_vec(&Message { jsonrpc: "2.0", id, method, params }).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_touched_stays_as_it_was_written() {
        let text = r#"{"name":"find","z":1e400,"a":{"b" : [1, 2.50]},"é":"\u0041"}"#;
        let mut object: Object = serde_json::from_str(text).unwrap();
        assert_eq!(object.raw().get(), text);
        object.set("name", raw("crm__find"));
        object.set("new", raw(&7));
        object.remove("z");
        assert_eq!(object.raw().get(), r#"{"name":"crm__find","a":{"b" : [1, 2.50]},"é":"\u0041","new":7}"#);
    }

    #[test]
    fn an_answer_keeps_the_id_as_it_was_written() {
        let frame = Frame::read(br#"{"jsonrpc":"2.0","id":1e3,"result":{"x":1.0}}"#).unwrap();
        let id = frame.id.clone().unwrap();
        assert_eq!(frame.answer().message(&id), &br#"{"jsonrpc":"2.0","id":1e3,"result":{"x":1.0}}"#[..]);
        assert_eq!(Answer::error(-32601, "x", "y").code(), Some(-32601));
    }
}
