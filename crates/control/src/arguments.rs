//! A tool's arguments, in the order of the message and with the text of each value as it was written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of the object that `text` is; `None` if it is something else.
pub fn members(text: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    serde_json::from_str::<Members>(text).ok().map(|members| members.0)
}

struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_numbers_are_those_of_the_message() {
        let read = members(r#"{"z":1e400,"a":123456789012345678901234567890,"s":"\u202e"}"#).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.get())).collect();
        assert_eq!(read, [("z", "1e400"), ("a", "123456789012345678901234567890"), ("s", r#""\u202e""#)]);
        assert!(members("[1]").is_none() && members("").is_none());
    }
}
