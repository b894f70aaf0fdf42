//! JSON text laid out for reading, on the text itself: order, numbers and escapes stay as they were written.

/// `text` over several lines, if it is one JSON object or list; anything else as it is.
pub(crate) fn laid_out(text: &str) -> String {
    let compact = text.trim();
    let composite = compact.starts_with(['{', '[']);
    if composite && serde_json::from_str::<&serde_json::value::RawValue>(compact).is_ok() {
        lay_out(compact)
    } else {
        text.to_owned()
    }
}

fn lay_out(json: &str) -> String {
    let mut laid = String::with_capacity(json.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut characters = json.chars().filter(|character| *character != '\r').peekable();
    while let Some(character) = characters.next() {
        if quoted {
            laid.push(character);
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                laid.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    laid.push(end);
                } else {
                    depth += 1;
                    new_line(&mut laid, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut laid, depth);
                laid.push(character);
            }
            ',' => {
                laid.push(character);
                new_line(&mut laid, depth);
            }
            ':' => laid.push_str(": "),
            '"' => {
                quoted = true;
                laid.push(character);
            }
            blank if blank.is_ascii_whitespace() => {}
            other => laid.push(other),
        }
    }
    laid
}

fn new_line(laid: &mut String, depth: usize) {
    laid.push('\n');
    // A server may nest as deep as it likes; its answer must not grow by that.
    laid.push_str(&"  ".repeat(depth.min(32)));
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn layout_changes_blanks_only() {
        let text = r#"{"z":[1e400, {"a\":{":"x, y: [\\"}],"empty":[ ],"none":{},"n":123456789012345678901234567890}"#;
        expect![[r#"
            {
              "z": [
                1e400,
                {
                  "a\":{": "x, y: [\\"
                }
              ],
              "empty": [],
              "none": {},
              "n": 123456789012345678901234567890
            }"#]]
        .assert_eq(&laid_out(text));
    }

    #[test]
    fn what_is_no_json_object_or_list_stays() {
        for text in ["plain, text: {", "{not json}", "12", "\"a: b\"", "[1] and more"] {
            assert_eq!(laid_out(text), text);
        }
    }
}
