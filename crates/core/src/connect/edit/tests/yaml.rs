use super::*;

fn crm() -> Op {
    put(&["mcpServers", "crm"], json!({ "type": "streamable-http", "url": "http://a:1/mcp/crm", "timeout": 120_000 }))
}

#[test]
fn an_entry_comes_right_below_its_map() {
    check(
        Format::Yaml,
        "version: 1.2.1 # keep\n\nmcpServers: # mine\n    # files of mine\n    files:\n        type: stdio\n\nend: |\n    text\n",
        &crm(),
        &expect![[r#"
            version: 1.2.1 # keep

            mcpServers: # mine
                crm:
                    timeout: 120000
                    type: streamable-http
                    url: "http://a:1/mcp/crm"
                # files of mine
                files:
                    type: stdio

            end: |
                text
        "#]],
    );
}

#[test]
fn a_map_that_is_not_there_comes_at_the_end() {
    check(
        Format::Yaml,
        "version: 1.2.1\ncache: true\n",
        &crm(),
        &expect![[r#"
        version: 1.2.1
        cache: true

        mcpServers:
          crm:
            timeout: 120000
            type: streamable-http
            url: "http://a:1/mcp/crm"
    "#]],
    );
    check_meaning(
        Format::Yaml,
        "# nothing\n",
        &put(&["a", "b"], json!("c")),
        &expect![[r#"
        # nothing

        a:
          b: c
    "#]],
    );
    check_meaning(
        Format::Yaml,
        "",
        &put(&["a", "b"], json!("c")),
        &expect![[r#"
        a:
          b: c
    "#]],
    );
    check_meaning(
        Format::Yaml,
        "a: 1",
        &put(&["b"], json!("c")),
        &expect![[r#"
        a: 1

        b: c
    "#]],
    );
}

#[test]
fn an_empty_map_makes_room() {
    check_meaning(
        Format::Yaml,
        "mcpServers: {} # none\nb: 1\n",
        &put(&["mcpServers", "x"], json!("z")),
        &expect![[r#"
        mcpServers: # none
          x: z
        b: 1
    "#]],
    );
    check(
        Format::Yaml,
        "mcpServers:\nb: 1\n",
        &put(&["mcpServers", "x"], json!("z")),
        &expect![[r#"
        mcpServers:
          x: z
        b: 1
    "#]],
    );
    check_meaning(
        Format::Yaml,
        "mcpServers: null",
        &put(&["mcpServers", "x"], json!("z")),
        &expect![[r#"
        mcpServers:
          x: z
    "#]],
    );
}

#[test]
fn brackets_stay_brackets() {
    check(
        Format::Yaml,
        "a: {b: 1, c: 2}\n",
        &put(&["a", "x"], json!({ "u": "z" })),
        &expect![[r#"
        a: {x: {"u":"z"}, b: 1, c: 2}
    "#]],
    );
    check(
        Format::Yaml,
        "a: [one, two]\n",
        &add(&["a"], "h:1"),
        &expect![[r#"
        a: ["h:1", one, two]
    "#]],
    );
}

#[test]
fn an_item_comes_first_in_its_list() {
    check(
        Format::Yaml,
        "mcpSettings:\n  allowedAddresses:\n  - \"10.0.0.1:80\" # crm\n  allowedDomains: []\n",
        &add(&["mcpSettings", "allowedAddresses"], "host.docker.internal:41234"),
        &expect![[r#"
            mcpSettings:
              allowedAddresses:
              - "host.docker.internal:41234"
              - "10.0.0.1:80" # crm
              allowedDomains: []
        "#]],
    );
    check(
        Format::Yaml,
        "services:\n  api:\n    image: x\n",
        &add(&["services", "api", "extra_hosts"], "host.docker.internal:host-gateway"),
        &expect![[r#"
            services:
              api:
                extra_hosts:
                  - "host.docker.internal:host-gateway"
                image: x
        "#]],
    );
}

#[test]
fn carriage_returns_stay() {
    let before = "a: 1\r\nb:\r\n  c: 2\r\n";
    let op = put(&["b", "x"], json!({ "u": "z" }));
    let edited = apply(Format::Yaml, before, &op).unwrap();
    assert_eq!(edited.text, "a: 1\r\nb:\r\n  x:\r\n    u: z\r\n  c: 2\r\n");
    assert_eq!(revert(Format::Yaml, &edited.text, &op, edited.found).unwrap(), before);
}

#[test]
fn anchors_tags_and_odd_texts_stay() {
    check(
        Format::Yaml,
        "x: &base\n  k: !!str 1\nmcpServers:\n  other:\n    <<: *base\n    t: >-\n      folded\n      text\nzz: 'ü ✓'\n",
        &put(&["mcpServers", "crm"], json!({ "u": "v" })),
        &expect![[r#"
            x: &base
              k: !!str 1
            mcpServers:
              crm:
                u: v
              other:
                <<: *base
                t: >-
                  folded
                  text
            zz: 'ü ✓'
        "#]],
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in ["a: [", "a: b: c", "a: 1\n---\nb: 2\n", "a: 1\na: 2\n"] {
        assert!(matches!(apply(Format::Yaml, text, &crm()), Err(EditError::Unreadable(_))), "{text:?}");
    }
    refused(Format::Yaml, "- a\n", &crm(), &EditError::Shape("the file".into()));
    refused(Format::Yaml, "mcpServers: text\n", &crm(), &EditError::Shape("mcpServers".into()));
    refused(Format::Yaml, "mcpServers: {crm: 1}\n", &crm(), &EditError::Taken("mcpServers.crm".into()));
    // What follows a text that keeps its blank lines would change that text.
    refused(Format::Yaml, "a: |+\n  text\n", &put(&["b"], json!("c")), &EditError::Unsupported("b".into()));
    refused(Format::Yaml, "x: &a {b: 1}\nmcpServers: *a\n", &crm(), &EditError::Shape("mcpServers".into()));
}
