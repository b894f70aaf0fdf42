use super::*;

fn crm() -> Op {
    put(&["mcpServers", "crm"], entry())
}

#[test]
fn an_entry_comes_behind_the_others() {
    check(
        Format::Json,
        "{\n  \"mcpServers\": {\n    \"files\": {\n      \"command\": \"npx\"\n    }\n  },\n  \"theme\": \"dark\"\n}\n",
        &crm(),
        &expect![[r#"
            {
              "mcpServers": {
                "files": {
                  "command": "npx"
                },
                "crm": {
                  "args": [
                    "stdio",
                    "crm"
                  ],
                  "command": "/usr/bin/keybearer"
                }
              },
              "theme": "dark"
            }
        "#]],
    );
}

#[test]
fn the_map_is_made_where_there_is_none() {
    check(
        Format::Json,
        "{\n\t\"theme\": \"dark\"\n}",
        &put(&["mcpServers", "crm"], json!({ "url": "u" })),
        &expect![[r#"
            {
            	"theme": "dark",
            	"mcpServers": {
            		"crm": {
            			"url": "u"
            		}
            	}
            }"#]],
    );
}

#[test]
fn comments_and_trailing_commas_stay() {
    check(
        Format::Jsonc,
        "// mine\n{\n  \"servers\": {\n    \"a\": 1, // the first\n    /* the second */ \"b\": 2, // last\n    // end\n  },\n}\n",
        &put(&["servers", "crm"], json!("x")),
        &expect![[r#"
            // mine
            {
              "servers": {
                "a": 1, // the first
                /* the second */ "b": 2, // last
                "crm": "x",
                // end
              },
            }
        "#]],
    );
    check(
        Format::Jsonc,
        "{\n  \"servers\": {\n    \"a\": 1 // no comma\n  }\n}\n",
        &put(&["servers", "crm"], json!("x")),
        &expect![[r#"
            {
              "servers": {
                "a": 1, // no comma
                "crm": "x"
              }
            }
        "#]],
    );
}

#[test]
fn one_line_stays_one_line() {
    check(
        Format::Json,
        r#"{"a":{"b":1,"c":[1,2]},"mcpServers":{"x":{}}}"#,
        &put(&["mcpServers", "crm"], json!({ "url": "u" })),
        &expect![[r#"{"a":{"b":1,"c":[1,2]},"mcpServers":{"x":{}, "crm":{"url":"u"}}}"#]],
    );
    check(Format::Json, r#"{ "a": 1, "b": 2 }"#, &put(&["c"], json!(3)), &expect![[r#"{ "a": 1, "b": 2, "c":3 }"#]]);
}

#[test]
fn line_ends_and_the_byte_order_mark_stay() {
    let before = "\u{feff}{\r\n    \"a\": 1\r\n}\r\n";
    let edited = apply(Format::Json, before, &put(&["b", "c"], json!("x"))).unwrap();
    assert_eq!(edited.text, "\u{feff}{\r\n    \"a\": 1,\r\n    \"b\": {\r\n        \"c\": \"x\"\r\n    }\r\n}\r\n");
    assert_eq!(revert(Format::Json, &edited.text, &put(&["b", "c"], json!("x")), edited.found).unwrap(), before);
}

#[test]
fn empty_maps_and_files_are_filled() {
    check(
        Format::Json,
        "{}",
        &put(&["a"], json!(1)),
        &expect![[r#"
        {
          "a": 1
        }"#]],
    );
    check(
        Format::Json,
        "{\n  \"mcpServers\": {}\n}\n",
        &put(&["mcpServers", "crm"], json!("x")),
        &expect![[r#"
        {
          "mcpServers": {
            "crm": "x"
          }
        }
    "#]],
    );
    check_meaning(
        Format::Json,
        "",
        &put(&["a"], json!(1)),
        &expect![[r#"
        {
          "a": 1
        }
    "#]],
    );
    check_meaning(
        Format::Jsonc,
        "// nothing yet",
        &put(&["a"], json!(1)),
        &expect![[r#"
        // nothing yet
        {
          "a": 1
        }
    "#]],
    );
    check_meaning(
        Format::Jsonc,
        "{\n  // nothing yet\n}\n",
        &put(&["a"], json!(1)),
        &expect![[r#"
        {
          "a": 1
          // nothing yet
        }
    "#]],
    );
}

#[test]
fn an_item_comes_behind_the_others_once() {
    let before = "{\n  \"mcp\": {\n    \"allowed\": [\n      \"files\"\n    ]\n  }\n}\n";
    let op = add(&["mcp", "allowed"], "crm");
    check(
        Format::Jsonc,
        before,
        &op,
        &expect![[r#"
        {
          "mcp": {
            "allowed": [
              "files",
              "crm"
            ]
          }
        }
    "#]],
    );
    let once = apply(Format::Jsonc, before, &op).unwrap().text;
    assert_eq!(apply(Format::Jsonc, &once, &op).unwrap().text, once);
    check(
        Format::Jsonc,
        r#"{"mcp": {"allowed": ["files"]}}"#,
        &op,
        &expect![[r#"{"mcp": {"allowed": ["files", "crm"]}}"#]],
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in ["{", "{\"a\": }", "[1,", "{'a': 1}", "{\"a\": 1 \"b\": 2}", "{\"a\":1}{", "{\"a\": 1, \"a\": 2}"] {
        assert!(matches!(apply(Format::Jsonc, text, &crm()), Err(EditError::Unreadable(_))), "{text}");
    }
    // The client itself reads no comments there: it would lose every entry.
    assert!(matches!(apply(Format::Json, "{\n// c\n}", &crm()), Err(EditError::Unreadable(_))));
    refused(Format::Json, "[]", &crm(), &EditError::Shape("the file".into()));
    refused(Format::Json, "{\"mcpServers\": []}", &crm(), &EditError::Shape("mcpServers".into()));
    refused(Format::Json, "{\"mcpServers\": {\"crm\": 1}}", &crm(), &EditError::Taken("mcpServers.crm".into()));
}

#[test]
fn our_entry_goes_from_wherever_it_stands() {
    for (before, after) in [
        ("{\n  \"x\": 1,\n  \"b\": 2\n}\n", "{\n  \"b\": 2\n}\n"),
        ("{\n  \"a\": 1,\n  \"x\": 1,\n  \"b\": 2\n}\n", "{\n  \"a\": 1,\n  \"b\": 2\n}\n"),
        ("{\n  \"a\": 1, // why\n  \"x\": 1 // ours\n}\n", "{\n  \"a\": 1 // why\n // ours\n}\n"),
        ("{ \"x\": 1, \"b\": 2 }", "{ \"b\": 2 }"),
        ("{ \"a\": 0, \"x\": 1, \"b\": 2 }", "{ \"a\": 0, \"b\": 2 }"),
        ("{\"a\":0,\"x\":1}", "{\"a\":0}"),
        ("{\"x\":1}", "{}"),
    ] {
        let taken = revert(Format::Jsonc, before, &put(&["x"], json!(1)), 0).unwrap();
        assert_eq!(read(Format::Jsonc, &taken), read(Format::Jsonc, after), "{taken}");
    }
}
