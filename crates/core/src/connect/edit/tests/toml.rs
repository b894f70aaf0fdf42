use super::*;

fn crm() -> Op {
    put(
        &["mcp_servers", "crm"],
        json!({ "command": "/usr/bin/keybearer", "args": ["stdio", "crm"], "env": { "A": "b\\c" } }),
    )
}

#[test]
fn a_table_comes_at_the_end() {
    check(
        Format::Toml,
        "model = \"o\" # mine\n\n[mcp_servers.files]\ncommand = \"npx\"\n\n[tui]\ntheme = 'x'\n",
        &crm(),
        &expect![[r#"
            model = "o" # mine

            [mcp_servers.files]
            command = "npx"

            [tui]
            theme = 'x'

            [mcp_servers.crm]
            args = ["stdio", "crm"]
            command = "/usr/bin/keybearer"
            env = { A = 'b\c' }
        "#]],
    );
    check(
        Format::Toml,
        "",
        &crm(),
        &expect![[r#"
        [mcp_servers.crm]
        args = ["stdio", "crm"]
        command = "/usr/bin/keybearer"
        env = { A = 'b\c' }
    "#]],
    );
    check_meaning(
        Format::Toml,
        "# only this",
        &put(&["a", "b c"], json!({ "d": 1 })),
        &expect![[r#"
        # only this

        [a."b c"]
        d = 1
    "#]],
    );
}

#[test]
fn line_ends_stay() {
    let before = "a = 1\r\n\r\n[b]\r\nc = 2\r\n";
    let edited = apply(Format::Toml, before, &put(&["m", "x"], json!({ "u": "v" }))).unwrap();
    assert_eq!(edited.text, "a = 1\r\n\r\n[b]\r\nc = 2\r\n\r\n[m.x]\r\nu = \"v\"\r\n");
    assert_eq!(
        revert(Format::Toml, &edited.text, &put(&["m", "x"], json!({ "u": "v" })), edited.found).unwrap(),
        before
    );
}

#[test]
fn our_table_goes_from_the_middle() {
    let text = "[m.x]\nu = \"v\"\n\n# theirs\n[z]\nk = 1\n";
    let taken = revert(Format::Toml, text, &put(&["m", "x"], json!({ "u": "v" })), 0).unwrap();
    assert_eq!(taken, "\n# theirs\n[z]\nk = 1\n");
}

#[test]
fn what_is_not_understood_is_refused() {
    assert!(matches!(apply(Format::Toml, "a = ", &crm()), Err(EditError::Unreadable(_))));
    refused(
        Format::Toml,
        "mcp_servers = { a = { command = \"x\" } }\n",
        &crm(),
        &EditError::Unsupported("mcp_servers.crm".into()),
    );
    refused(Format::Toml, "mcp_servers = 1\n", &crm(), &EditError::Shape("mcp_servers".into()));
    refused(Format::Toml, "[mcp_servers.crm]\n", &crm(), &EditError::Taken("mcp_servers.crm".into()));
}
