//! When an answer counts, and whose (SEC-54, T30).

use std::time::Duration;

use keybearer_control::error::Code;
use keybearer_control::prompt::{Answer, Known, Lasting, Matter, Wants};
use keybearer_control::wire::{Reply, Request};
use keybearer_stories::house::House;
use keybearer_testkit::world::World;
use serde_json::{Value, json};

use crate::shell::{ONCE, Shell};
use crate::{NOT_ALLOWED, change, recorded};

#[tokio::test(flavor = "multi_thread")]
async fn sec_54_an_answer_counts_once_in_time_and_not_before_it_could_be_read() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    let client = world.client("chat-app").await;
    let mut shell = Shell::attach(&world).await;
    let (answer, ()) = tokio::join!(client.call("crm", "update_account", change()), async {
        let question = shell.question().await;
        let code = |refused: Result<(), keybearer_control::error::Error>| refused.unwrap_err().code;
        assert_eq!(code(shell.answer_now(&question.id, ONCE).await), Code::NotAnswered, "too early");
        assert_eq!(code(shell.answer_now("q999", ONCE).await), Code::NotAnswered, "unknown");
        assert_eq!(code(shell.answer_now("nonsense", ONCE).await), Code::NotAnswered, "unknown");
        let session = Answer::Allow { lasting: Lasting::Session };
        assert_eq!(code(shell.answer(&question, session).await), Code::NotAnswered, "not offered to a key");
        shell.answer(&question, ONCE).await.unwrap();
        assert_eq!(code(shell.answer(&question, ONCE).await), Code::NotAnswered, "twice");
    });
    assert!(answer.result().is_some(), "{answer:?}");
    for why in ["too_early", "unknown", "not_offered", "twice"] {
        recorded(&world, |record| record["event"] == "answer_refused" && record["why"] == why).await;
    }
    let answered = recorded(&world, |record| record["event"] == "answered").await;
    assert_eq!(
        (&answered["answer"], &answered["client"], &answered["what"]),
        (&json!("once"), &json!("chat-app"), &json!("update_account"))
    );
    let call = recorded(&world, |record| record["tool"] == "update_account").await;
    assert_eq!((&call["decision"], &call["reason"]), (&json!("allow"), &json!("allowed by the person")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_54_an_answer_that_comes_too_late_does_not_count() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    world.write_config(&format!("ask_timeout = 5\n{}", world.config("")));
    world.status().await;
    let client = world.client("chat-app").await;
    let mut shell = Shell::attach(&world).await;
    let (answer, before) = tokio::join!(client.call("crm", "update_account", change()), async {
        let question = shell.question().await;
        let before = world.company.crm.requests();
        assert_eq!((question.left_ms, question.more_time), (5_000, true));
        shell.more_time(&question.id).await.unwrap();
        assert_eq!(shell.more_time(&question.id).await.unwrap_err().code, Code::NotAnswered, "once");
        world.clock.advance(Duration::from_secs(10));
        assert_eq!(shell.answer_now(&question.id, ONCE).await.unwrap_err().code, Code::NotAnswered, "too late");
        assert_eq!(shell.more_time(&question.id).await.unwrap_err().code, Code::NotAnswered, "too late");
        before
    });
    assert_eq!(answer.code(), Some(-31_004), "{answer:?}");
    assert_eq!(world.company.crm.requests(), before, "a call that nobody allowed reached the server");
    recorded(&world, |record| record["event"] == "answer_refused" && record["why"] == "too_late").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_shows_who_asks_what_and_how_long_a_yes_may_count() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    let mut app = world.stdio("desk\u{202e}-app", "crm").await.unwrap();
    let mut shell = Shell::attach(&world).await;
    let hostile = json!({ "id": "A\u{202e}1\u{200b}", "note": "<b>x</b>".repeat(2_000) });
    let (answer, ()) = tokio::join!(app.call("update_account", hostile), async {
        let question = shell.question().await;
        assert_eq!((question.asker.known, question.asker.publisher.as_ref()), (Known::Weak, None), "{question:?}");
        assert!(question.asker.path.is_some() && question.asker.started.is_some(), "{question:?}");
        assert!(!question.asker.name.as_deref().unwrap().contains("desk"), "what it says of itself is no name");
        assert_eq!(question.lastings, [Lasting::Once, Lasting::Session]);
        let Matter::Call { server, wants, tool, account, arguments, omitted, .. } = &question.matter else {
            unreachable!("{question:?}")
        };
        assert_eq!((server.as_str(), *wants, tool.as_deref()), ("crm", Wants::Change, Some("update_account")));
        assert_eq!((account.as_deref(), *omitted), (Some("dana@example.com"), 0));
        assert_eq!((arguments[0].name.as_str(), arguments[0].value.as_str()), ("id", "\"A\u{fffd}1\u{fffd}\""));
        assert_eq!((arguments[1].value.chars().count(), arguments[1].characters), (4_000, 16_002));
        shell.answer(&question, Answer::Deny).await.unwrap();
    });
    assert_eq!(answer.unwrap().code(), Some(NOT_ALLOWED));
}

#[tokio::test(flavor = "multi_thread")]
async fn t30_five_hundred_requests_are_three_questions() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    let mut app = world.stdio("desk-app", "crm").await.unwrap();
    let mut shell = Shell::attach(&world).await;
    for n in 0..500 {
        let call =
            json!({ "jsonrpc": "2.0", "id": n, "method": "tools/call", "params": { "name": format!("tool_{n}") } });
        app.send_line(call.to_string()).await.unwrap();
    }
    let refusals = async {
        let mut refused = 0;
        while refused < 500 {
            let answer: Value = serde_json::from_slice(&app.read_line().await.unwrap()).unwrap();
            assert!(answer["error"].is_object(), "{answer}");
            refused += 1;
        }
    };
    let answers = async {
        for _ in 0..3 {
            let question = shell.question().await;
            shell.answer(&question, Answer::Deny).await.unwrap();
        }
    };
    tokio::join!(refusals, answers);
    // The three that were denied, and those that stood behind them and were never put to the person.
    assert!(shell.seen.len() <= 5, "{:?}", shell.seen);
    assert!(shell.prompts().await.questions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_54_there_is_one_lease_and_only_its_holder_can_answer() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    let client = world.client("chat-app").await;
    let mut shell = Shell::attach(&world).await;
    assert_eq!(world.control().take_prompts().await.unwrap().next().await.unwrap_err().code, Code::NotAllowed);
    let (answer, ()) = tokio::join!(client.call("crm", "update_account", change()), async {
        let question = shell.question().await;
        world.clock.advance(Duration::from_secs(1));
        for request in [
            Request::Answer { question: question.id.clone(), answer: ONCE },
            Request::MoreTime { question: question.id.clone() },
        ] {
            assert_eq!(world.ask(request).await.unwrap_err().code, Code::NotAllowed, "even from the shell's program");
        }
        shell.answer(&question, Answer::Deny).await.unwrap();
    });
    assert_eq!(answer.code(), Some(NOT_ALLOWED));
    recorded(&world, |record| record["event"] == "prompter_refused" && record["why"] == "taken").await;
    recorded(&world, |record| record["event"] == "answer_refused" && record["why"] == "not_the_shell").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_54_a_program_that_is_not_the_shell_gets_no_lease_and_approves_nothing() {
    let house = House::open("[servers.crm]\nurl = \"http://127.0.0.1:9/mcp\"\nauth = \"none\"\n");
    let control = keybearer_control::client::Client::new(keybearer_os::folders::Folders::at(house.home.path()));
    for request in [
        Request::TakePrompts,
        Request::Answer { question: "q1".into(), answer: ONCE },
        Request::MoreTime { question: "q1".into() },
    ] {
        let refused = control.send(&request).await.unwrap().last().await.unwrap_err();
        assert_eq!(refused.code, Code::NotAllowed, "{request:?}");
    }
    house.home.assert_recorded("prompter_refused", 1);
    house.home.assert_recorded("answer_refused", 2);
    let me = std::env::current_exe().unwrap();
    let told = house.home.audit().into_iter().find(|record| record["event"] == "prompter_refused").unwrap();
    assert_eq!((&told["why"], &told["program"]), (&json!("not_the_shell"), &json!(me)), "{told}");
    let reply = control.send(&Request::Status).await.unwrap().last().await.unwrap();
    assert!(matches!(reply, Reply::Snapshot { .. }), "the core goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_outlives_its_shell_and_is_put_anew_to_the_next() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    let client = world.client("chat-app").await;
    let mut first = Shell::attach(&world).await;
    let (answer, ()) = tokio::join!(client.call("crm", "update_account", change()), async {
        let before = first.question().await;
        drop(first);
        let mut prompter = loop {
            // The core notices in its own time that the first one has hung up.
            let mut prompter = world.control().take_prompts().await.unwrap();
            if let Ok(keybearer_control::client::Told::Prompts(prompts)) = prompter.next().await {
                break (prompter, prompts);
            }
        };
        let question = prompter.1.questions.remove(0);
        assert_ne!(question.id, before.id);
        world.clock.advance(Duration::from_millis(600));
        prompter.0.answer(before.id.clone(), ONCE).await.unwrap();
        let refused = prompter.0.next().await.unwrap();
        assert!(matches!(refused, keybearer_control::client::Told::Answered { refused: Some(_), .. }), "{refused:?}");
        prompter.0.answer(question.id, ONCE).await.unwrap();
        prompter.0.next().await.unwrap();
    });
    assert!(answer.result().is_some(), "{answer:?}");
}
