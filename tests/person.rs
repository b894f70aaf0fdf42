//! What the person at the window sees and does over the control API: activity, tools, addresses, settings, stopping all.
#![allow(clippy::expect_used, clippy::panic, reason = "a story ends where its world is not as it must be")]

use keybearer_control::activity::{Decision, Happening, Outcome, Record, Risk};
use keybearer_control::error::Code;
use keybearer_control::pages::{Found, Source};
use keybearer_testkit::world::World;
use serde_json::json;

const NOT_ALLOWED: i64 = -31_002;

#[tokio::test(flavor = "multi_thread")]
async fn all_access_is_stopped_at_once_and_stays_so_over_a_restart() {
    let mut world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    let call = || client.call("crm", "get_account", json!({ "id": "A-1002" }));
    assert!(call().await.result().is_some());
    let before = world.company.crm.requests();

    world.control().stop_access().await.expect("stop all access");
    assert!(world.status().await.stopped);
    assert_eq!(call().await.code(), Some(NOT_ALLOWED));
    world.restart().await;
    assert!(world.status().await.stopped, "a restart does not allow it again");
    assert_eq!(world.company.crm.requests(), before, "a refused call reached the server");

    world.control().resume_access().await.expect("allow access again");
    assert!(!world.status().await.stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_is_told_from_the_last_records_on_as_it_happens() {
    let world = World::with_rules(
        "[[rules]]\neffect = \"allow\"\ntool = \"get_*\"\n[[rules]]\neffect = \"deny\"\ntool = \"update_*\"\n",
    )
    .await;
    let client = world.client("chat-app").await;
    let mut activity = world.control().activity(100).await.expect("follow the activity");
    let mut seen: Vec<Record> = Vec::new();
    let of = |seen: &[Record], tool: &str| seen.iter().find(|record| record.tool.as_deref() == Some(tool)).cloned();

    client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
    client.call("crm", "update_account", json!({ "id": "A-1002", "owner": "m.bolton" })).await;
    while of(&seen, "update_account").is_none() {
        seen.extend(activity.next().await.expect("the core goes on telling"));
    }

    let read = of(&seen, "get_account").expect("the first call is told");
    assert_eq!((read.client.as_deref(), read.server.as_deref()), (Some("chat-app"), Some("crm")));
    assert_eq!((read.decision, read.outcome), (Some(Decision::Allow), Some(Outcome::Answered)));
    let denied = of(&seen, "update_account").expect("the second call is told");
    assert_eq!((denied.decision, denied.outcome), (Some(Decision::Deny), Some(Outcome::Denied)));
    assert_eq!(denied.arguments, ["id", "owner"]);
    assert!(seen.iter().any(|record| record.event == Happening::ClientAdded));
    let numbers: Vec<u64> = seen.iter().map(|record| record.seq).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "each once, in their order: {numbers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tools_of_a_server_are_listed_without_a_question_and_nothing_is_called() {
    let world = World::start().await;
    world.login("crm").await.expect("sign in");
    let tools = world.control().tools("crm").await.expect("list the tools");
    let risk = |name: &str| tools.iter().find(|tool| tool.name == name).map(|tool| tool.risk);
    assert_eq!(risk("update_account"), Some(Risk::Change));
    assert!(tools.iter().all(|tool| !tool.name.is_empty()));
    assert!(world.prompter.questions().is_empty(), "the person at the window is not asked whether they may look");
    assert_eq!(world.control().tools("nowhere").await.expect_err("no such server").code, Code::UnknownServer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_look_where_unknown_programs_may_not_and_a_rule_against_it_holds() {
    let world = World::start().await;
    world.login("crm").await.expect("sign in");
    let deny =
        |rules: &str| world.write_config(&world.config(rules).replacen("unknown = \"ask\"", "unknown = \"deny\"", 1));
    deny("");
    world.status().await;
    assert!(!world.control().tools("crm").await.expect("list the tools").is_empty());
    deny("[[rules]]\neffect = \"deny\"\nserver = \"crm\"\n");
    world.status().await;
    world.control().tools("crm").await.expect_err("a rule denies it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_looked_at_without_any_credential() {
    let world = World::start().await;
    let Found::SignIn { issuer: Some(issuer) } = world.control().look(world.company.crm.url()).await.expect("look")
    else {
        panic!("the CRM wants a sign-in")
    };
    assert!(world.company.idp.issuer().contains(&issuer), "{issuer}");
    let page = world.control().look(world.company.idp.issuer()).await.expect("look");
    assert!(matches!(page, Found::Foreign { .. }), "{page:?}");
    let nobody = world.control().look("http://127.0.0.1:9/mcp").await.expect("look");
    assert!(matches!(nobody, Found::Unreachable { .. }), "{nobody:?}");
    assert_eq!(world.control().look("not an address").await.expect_err("no address").code, Code::BadRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_told_with_the_line_that_says_so() {
    let world = World::with_rules("[[rules]]\neffect = \"allow\"\n").await;
    let settings = world.control().settings().await.expect("the settings");
    assert_eq!(settings.rules, 1);
    assert_eq!(settings.file, world.folders().config_file().display().to_string());
    let of = |name: &str| settings.settings.iter().find(|setting| setting.name == name).map(|setting| setting.source);
    assert_eq!(of("unknown"), Some(Source::File { line: 1 }));
    assert_eq!(of("ask_timeout"), Some(Source::Default));
}
