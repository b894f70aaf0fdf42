//! A server's tools, and what a tool answered. Every word of it is the server's.

use serde_json::Value;

use crate::plain::{clean, clean_lines, shortened};
use crate::show::json::laid_out;
use crate::show::table::{Cell, columns};
use crate::show::tone::Tone;

/// The tools, one a line: name, what it says of itself.
pub(crate) fn list(tools: &[Value]) -> String {
    if tools.is_empty() {
        return "  The server offers no tools.\n".to_owned();
    }
    columns(&tools.iter().map(row).collect::<Vec<_>>())
}

/// The content of a result, readable: text as text, everything else by its kind.
pub(crate) fn result(result: &Value) -> String {
    let content = result.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut text: String = content.iter().map(block).collect();
    if text.is_empty() {
        text = match result.get("structuredContent") {
            Some(structured) => clean_lines(&format!("{structured:#}\n")),
            None => "(the tool answered nothing)\n".to_owned(),
        };
    }
    text
}

fn row(tool: &Value) -> Vec<Cell> {
    let words = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default();
    let first_line = words("description").trim().lines().next().unwrap_or_default().to_owned();
    vec![Cell::new(Tone::Strong, clean(words("name"))), Cell::plain(shortened(&clean(&first_line), 100))]
}

fn block(block: &Value) -> String {
    let words = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(clean).unwrap_or_default();
    match block.get("type").and_then(Value::as_str) {
        Some("text") => {
            let text = clean_lines(&laid_out(block.get("text").and_then(Value::as_str).unwrap_or_default()));
            if text.ends_with('\n') { text } else { text + "\n" }
        }
        Some("image" | "audio") => {
            let size = block.get("data").and_then(Value::as_str).map_or(0, |data| data.len() / 4 * 3);
            format!("({}, about {size} bytes; --json shows it)\n", words(block, "mimeType"))
        }
        Some("resource") => {
            let resource = block.get("resource").unwrap_or(&Value::Null);
            match resource.get("text").and_then(Value::as_str) {
                Some(text) => format!("({})\n{}\n", words(resource, "uri"), clean_lines(text).trim_end()),
                None => format!("({}; --json shows it)\n", words(resource, "uri")),
            }
        }
        Some("resource_link") => format!("({}: {})\n", words(block, "name"), words(block, "uri")),
        Some(other) => format!("({}; --json shows it)\n", clean(other)),
        None => "(content of an unknown kind; --json shows it)\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::show::samples::bare;

    #[test]
    fn tools_line_up_with_their_first_line() {
        let tools = [
            json!({"name": "find_accounts", "description": "Finds accounts.\nBy name or owner."}),
            json!({"name": "x\u{1b}[31m", "description": "   "}),
        ];
        expect![[r"
            Tools
              find_accounts  Finds accounts.
              x�[31m
        "]]
        .assert_eq(&format!("Tools\n{}", bare(&list(&tools))));
    }

    #[test]
    fn every_kind_of_content_is_told() {
        let answer = json!({"content": [
            {"type": "text", "text": "two\nlines\u{202e}"},
            {"type": "image", "mimeType": "image/png", "data": "AAAAAAAA"},
            {"type": "resource", "resource": {"uri": "crm://7", "text": "seven\n\n"}},
            {"type": "resource_link", "name": "report", "uri": "https://crm.test/r"},
            {"type": "hologram"},
        ]});
        expect![[r#"
            two
            lines�
            (image/png, about 6 bytes; --json shows it)
            (crm://7)
            seven
            (report: https://crm.test/r)
            (hologram; --json shows it)
        "#]]
        .assert_eq(&result(&answer));
    }

    #[test]
    fn structured_content_stands_in_for_missing_text() {
        assert_eq!(result(&json!({"structuredContent": {"n": 1}})), "{\n  \"n\": 1\n}\n");
        assert_eq!(result(&json!({"content": []})), "(the tool answered nothing)\n");
    }
}
