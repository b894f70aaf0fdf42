use serde_json::json;

use super::*;

fn changes(key: &str) -> Vec<Filled> {
    let op = Op::Put { at: vec!["mcpServers".into(), "crm".into()], value: json!({ "url": "u", "key": key }) };
    vec![Filled { file: "settings".into(), op, only_where: None }]
}

fn remember(planned: &Planned) -> FileRecord {
    FileRecord {
        path: "f".into(),
        format: Format::Json,
        backup: None,
        original: planned.base.as_deref().map(digest),
        written: digest(&planned.text),
        entries: planned.entries.clone(),
        folders: Vec::new(),
    }
}

const BEFORE: &str = "{\n  \"theme\":   \"dark\"\n}";

#[test]
fn what_nobody_touched_comes_back_to_the_byte() {
    let planned = plan(Format::Json, Standing { text: Some(BEFORE), ..Standing::default() }, &changes("a")).unwrap();
    let record = remember(&planned);
    let standing = Standing { text: Some(&planned.text), record: Some(&record), original: Some(BEFORE) };
    assert_eq!(undo(standing).unwrap(), Undone::Restored(BEFORE.into()));
    // A copy that is gone, or is not what it was, is not needed.
    for original in [None, Some("{}")] {
        assert_eq!(undo(Standing { original, ..standing }).unwrap(), Undone::Cut(BEFORE.into()));
    }
}

#[test]
fn a_file_that_was_not_there_goes() {
    let planned = plan(Format::Json, Standing::default(), &changes("a")).unwrap();
    let record = remember(&planned);
    let standing = Standing { text: Some(&planned.text), record: Some(&record), original: None };
    assert_eq!(undo(standing).unwrap(), Undone::Removed);
    let touched = planned.text.replacen('{', "{\"theme\": 1,", 1);
    let Undone::Cut(left) = undo(Standing { text: Some(&touched), ..standing }).unwrap() else { panic!() };
    assert_eq!(edit::read(Format::Json, &left).unwrap(), json!({ "theme": 1 }));
}

#[test]
fn other_peoples_changes_survive() {
    let planned = plan(Format::Json, Standing { text: Some(BEFORE), ..Standing::default() }, &changes("a")).unwrap();
    let record = remember(&planned);
    let rewritten = edit::read(Format::Json, &planned.text.replace("dark", "light")).unwrap().to_string();
    let standing = Standing { text: Some(&rewritten), record: Some(&record), original: Some(BEFORE) };
    assert_eq!(undo(standing).unwrap(), Undone::Cut("{\"theme\":\"light\"}".into()));
    let taken_out = "{\"theme\":\"light\"}";
    assert_eq!(undo(Standing { text: Some(taken_out), ..standing }).unwrap(), Undone::Nothing);
    assert_eq!(undo(Standing { text: None, ..standing }).unwrap(), Undone::Nothing);
}

#[test]
fn our_entry_with_somebody_s_changes_is_left_alone() {
    let planned = plan(Format::Json, Standing { text: Some(BEFORE), ..Standing::default() }, &changes("a")).unwrap();
    let record = remember(&planned);
    let changed = planned.text.replace("\"u\"", "\"mine\"");
    let standing = Standing { text: Some(&changed), record: Some(&record), original: Some(BEFORE) };
    assert_eq!(undo(standing).unwrap_err(), PlanError::Drifted("mcpServers.crm".into()));
    assert_eq!(plan(Format::Json, standing, &changes("b")).unwrap_err(), PlanError::Drifted("mcpServers.crm".into()));
}

#[test]
fn connecting_again_replaces_what_is_ours_and_keeps_the_first_copy() {
    let first = plan(Format::Json, Standing { text: Some(BEFORE), ..Standing::default() }, &changes("a")).unwrap();
    let record = remember(&first);
    let standing = Standing { text: Some(&first.text), record: Some(&record), original: Some(BEFORE) };
    let second = plan(Format::Json, standing, &changes("b")).unwrap();
    assert_eq!(second.base.as_deref(), Some(BEFORE));
    assert!(second.text.contains("\"b\"") && !second.text.contains("\"a\""));
}

#[test]
fn somebody_else_s_entry_is_not_replaced() {
    let text = "{\"mcpServers\": {\"crm\": {\"command\": \"npx\"}}}";
    let refused = plan(Format::Json, Standing { text: Some(text), ..Standing::default() }, &changes("a")).unwrap_err();
    assert_eq!(refused, PlanError::Edit(EditError::Taken("mcpServers.crm".into())));
}

#[test]
fn a_change_between_preview_and_write_shows() {
    let token = |text: Option<&str>, key: &str| {
        let mut seen = Precondition::default();
        seen.file("f", Format::Json, text, &changes(key)).unwrap();
        seen.token()
    };
    let seen = token(Some(BEFORE), "‹key›");
    assert_eq!(seen, token(Some("{\"theme\": \"light\"}"), "‹key›"));
    for other in [
        token(None, "‹key›"),
        token(Some("{\"mcpServers\": {\"crm\": 1}}"), "‹key›"),
        token(Some(BEFORE), "another entry"),
    ] {
        assert_ne!(seen, other);
    }
}
