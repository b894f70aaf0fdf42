//! Files that nobody thought of.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Values with keys that are alike, nested a little.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~üé✓]{0,8}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::from), map_of(inner).prop_map(Value::from)]
    })
}

fn map_of(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    vec(("[a-e]{1,2}|x y", inner), 0..4).prop_map(|entries| entries.into_iter().collect())
}

/// A file: a map with some entries where ours belongs, on one line or indented somehow, with odd line ends.
fn file() -> impl Strategy<Value = String> {
    let style =
        (prop_oneof![Just(None), Just(Some("  ")), Just(Some("\t")), Just(Some("    "))], any::<bool>(), any::<bool>());
    (map_of(value()), proptest::option::of(map_of(value())), style).prop_map(
        |(mut root, servers, (indent, returns, end))| {
            if let Some(servers) = servers {
                root.insert("servers".into(), servers.into());
            }
            let mut text = Vec::new();
            match indent {
                None => text = Value::from(root).to_string().into_bytes(),
                Some(indent) => {
                    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
                    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
                    serde::Serialize::serialize(&Value::from(root), &mut serializer).unwrap();
                }
            }
            let text = String::from_utf8(text).unwrap() + if end { "\n" } else { "" };
            if returns { text.replace('\n', "\r\n") } else { text }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_comes_back_to_the_byte(before in file(), list in any::<bool>()) {
        let op = if list { add(&["allowed", "here"], "crm") } else { put(&["servers", "crm"], entry()) };
        let edited = apply(Format::Json, &before, &op).unwrap();
        prop_assert_eq!(revert(Format::Json, &edited.text, &op, edited.found).unwrap(), before);
    }

    /// JSON is YAML, too: whatever is not refused is right, and comes back with the same meaning.
    #[test]
    fn yaml_is_right_or_refused(before in file()) {
        let op = put(&["servers", "crm"], entry());
        if let Ok(edited) = apply(Format::Yaml, &before, &op) {
            let back = revert(Format::Yaml, &edited.text, &op, edited.found).unwrap();
            prop_assert!(same(&read(Format::Yaml, &back).unwrap(), &read(Format::Yaml, &before).unwrap()));
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in "[ -~\n\r\t{}\\[\\]:,#\"'üé]{0,64}") {
        for format in [Format::Json, Format::Jsonc, Format::Yaml, Format::Toml, Format::Dotenv] {
            let op = put(&["a", "b"], json!({ "c": "d" }));
            if let Ok(edited) = apply(format, &text, &op) {
                prop_assert!(revert(format, &edited.text, &op, edited.found).is_ok(), "{:?} {}", format, edited.text);
            }
        }
    }
}
