//! What a company's settings say: JSON, and property lists in both of their forms.
//!
//! Of a property list only a text, a number or a truth at its top is read; that is where switches stand.

use serde_json::Value;

use super::catalog::Switch;

/// The value of a setting, as a text; anything that is no scalar is its JSON.
pub fn value(file: &[u8], key: &str) -> Option<String> {
    if file.starts_with(b"bplist00") {
        return binary(file, key);
    }
    let text = std::str::from_utf8(file).ok()?;
    match serde_json::from_str::<Value>(text) {
        Ok(json) => json_value(&json, key),
        Err(_) => xml(text, key),
    }
}

/// Whether a value is what the switch is about.
pub fn means(switch: &Switch, value: &str) -> bool {
    let truth = match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    };
    match switch.when {
        None => !matches!(value.trim(), "" | "[]" | "{}"),
        Some(wanted) => truth == Some(wanted),
    }
}

/// At the top, or one level below: local configurations group their settings.
fn json_value(json: &Value, key: &str) -> Option<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let map = json.as_object()?;
    let inner = || map.values().filter_map(Value::as_object).find_map(|inner| inner.get(key));
    map.get(key).or_else(inner).map(text)
}

fn xml(text: &str, key: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<key>{key}</key>"))?;
    let rest = rest.trim_start();
    if let Some(truth) = ["true", "false"].into_iter().find(|word| rest.starts_with(&format!("<{word}"))) {
        return Some(truth.to_owned());
    }
    let (_, inner) = rest.split_once('>')?;
    Some(inner.split_once('<')?.0.to_owned())
}

/// The form that managed preferences have on disk: objects, a table of where they are, a trailer.
fn binary(file: &[u8], key: &str) -> Option<String> {
    let trailer = file.get(file.len().checked_sub(32)?..)?;
    let (width, reference) = (usize::from(trailer[6]), usize::from(trailer[7]));
    let (top, table) = (number(trailer, 16, 8)?, number(trailer, 24, 8)?);
    let list = Objects { file, width, reference, table };
    let (count, at) = list.sized(list.at(top)?, 0xd0)?;
    (0..count).find_map(|index| {
        let name = list.at(number(file, at + index * reference, reference)?)?;
        if list.text(name)? != key {
            return None;
        }
        list.scalar(list.at(number(file, at + (count + index) * reference, reference)?)?)
    })
}

struct Objects<'a> {
    file: &'a [u8],
    width: usize,
    reference: usize,
    table: usize,
}

impl Objects<'_> {
    fn at(&self, object: usize) -> Option<usize> {
        number(self.file, self.table.checked_add(object.checked_mul(self.width)?)?, self.width)
    }

    /// The length of an object of this kind, and where its content begins.
    fn sized(&self, at: usize, kind: u8) -> Option<(usize, usize)> {
        let mark = *self.file.get(at)?;
        match (mark & 0xf0 == kind, mark & 0x0f) {
            (false, _) => None,
            (true, 0x0f) => {
                let bytes = 1usize << (self.file.get(at + 1)? & 0x0f).min(3);
                Some((number(self.file, at + 2, bytes)?.min(self.file.len() / self.reference.max(1)), at + 2 + bytes))
            }
            (true, length) => Some((length.into(), at + 1)),
        }
    }

    fn text(&self, at: usize) -> Option<String> {
        if let Some((length, from)) = self.sized(at, 0x50) {
            return Some(String::from_utf8_lossy(self.file.get(from..from + length)?).into_owned());
        }
        let (length, from) = self.sized(at, 0x60)?;
        let wide: Vec<u16> =
            self.file.get(from..from + length * 2)?.chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
        Some(String::from_utf16_lossy(&wide))
    }

    fn scalar(&self, at: usize) -> Option<String> {
        match *self.file.get(at)? {
            0x08 => Some("false".to_owned()),
            0x09 => Some("true".to_owned()),
            mark if mark & 0xf0 == 0x10 => Some(number(self.file, at + 1, 1 << (mark & 0x0f).min(3))?.to_string()),
            _ => self.text(at),
        }
    }
}

fn number(file: &[u8], at: usize, bytes: usize) -> Option<usize> {
    let slice = file.get(at..at.checked_add(bytes)?)?;
    (bytes <= 8).then(|| slice.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"isLocalDevMcpEnabled": "false", "other": True, "n": 1}` as Python's `plistlib` writes it.
    const BINARY: &str = "62706c6973743030d30102030405065f101469734c6f63616c4465764d6370456e61626c6564516e556f746865725566616c\
        7365100109080f26282e34360000000000000101000000000000000700000000000000000000000000000037";

    fn from_hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
    }

    #[test]
    fn settings_are_found_in_every_form() {
        let xml =
            "<plist><dict><key>a</key><false/><key>isLocalDevMcpEnabled</key>\n<string>false</string></dict></plist>";
        let json = br#"{"mcp": {"isLocalDevMcpEnabled": false}, "a": "x"}"#;
        for file in [xml.as_bytes(), json, &from_hex(BINARY)] {
            assert_eq!(value(file, "isLocalDevMcpEnabled").as_deref(), Some("false"));
            assert_eq!(value(file, "absent"), None);
        }
        assert_eq!(value(xml.as_bytes(), "a").as_deref(), Some("false"));
        assert_eq!(value(&from_hex(BINARY), "other").as_deref(), Some("true"));
        assert_eq!(value(&from_hex(BINARY), "n").as_deref(), Some("1"));
    }

    #[test]
    fn broken_files_say_nothing() {
        let whole = from_hex(BINARY);
        for length in 0..whole.len() {
            assert_eq!(value(&whole[..length], "absent"), None);
        }
        for at in 8..whole.len() {
            let mut broken = whole.clone();
            broken[at] = 0xff;
            let _ = value(&broken, "isLocalDevMcpEnabled");
        }
        assert_eq!(value(b"\xff\xfe", "a"), None);
    }
}
