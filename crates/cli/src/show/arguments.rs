//! A tool's arguments, one a line, as the message has them: the JSON text of each value, cleaned and cut.

use keybearer_control::arguments::members;
use serde_json::value::RawValue;

use crate::plain::{clean, quoted, shortened};

/// Arguments beyond this many are counted, not shown.
const MOST: usize = 12;

/// Characters of one value that are shown.
const LONGEST: usize = 160;

/// `text` is the raw `params.arguments`; empty where the message has none.
pub(crate) fn arguments(text: &str) -> String {
    match members(text) {
        _ if text.is_empty() => String::new(),
        Some(members) => list(&members),
        None => format!("  arguments {}\n", quoted(text, LONGEST)),
    }
}

fn list(members: &[(String, Box<RawValue>)]) -> String {
    let names: Vec<String> = members.iter().take(MOST).map(|(name, _)| shortened(&clean(name), 40)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, (_, value)) in names.iter().zip(members) {
        text.push_str(&format!("  │ {name:<width$}  {}\n", shortened(&clean(value.get()), LONGEST)));
    }
    if members.len() > MOST {
        text.push_str(&format!("  │ … and {} more\n", members.len() - MOST));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_order_are_those_of_the_message() {
        assert_eq!(
            arguments(r#"{"z":1e400,"a":123456789012345678901234567890,"s":"\u202e"}"#),
            "  │ z  1e400\n  │ a  123456789012345678901234567890\n  │ s  \"\\u202e\"\n"
        );
    }

    #[test]
    fn many_arguments_are_counted() {
        let many: String = (0..40).map(|n| format!("\"a{n}\":{n},")).collect();
        assert!(arguments(&format!("{{{}}}", many.trim_end_matches(','))).ends_with("… and 28 more\n"));
    }

    #[test]
    fn what_is_no_object_is_quoted() {
        assert_eq!(arguments("[1,\"x\"]"), "  arguments \"[1,\\\"x\\\"]\"\n");
    }
}
