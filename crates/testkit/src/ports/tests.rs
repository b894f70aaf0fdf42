//! The scripted ports keep the contracts of the real ones.

use std::sync::Arc;
use std::time::Duration;

use keybearer_core::ports::{
    Answer, Clock as _, KeyStore as _, KeyStoreError, LoginSurface as _, Prompter as _, Question, SurfaceEnding,
    SurfaceError,
};
use keybearer_model::call::{Call, MethodClass, RiskClass};
use keybearer_model::caller::Caller;
use keybearer_model::secret::Secret;
use keybearer_model::verdict::AskReason;

use super::{FollowingBrowser, ManualClock, MemoryKeyStore, ScriptedPrompter};

#[test]
fn the_clock_goes_when_it_is_told_to() {
    let clock = ManualClock::default();
    let (now, boot) = (clock.now(), clock.boot());
    assert_eq!(now.to_string(), "2026-11-21T09:00:00.000Z");
    clock.advance(Duration::from_secs(5));
    clock.set_wall_forward(Duration::from_secs(60));
    assert_eq!((clock.now().since(now).as_secs(), clock.boot().since(boot).as_secs()), (65, 5));
}

#[tokio::test]
async fn a_key_store_keeps_unless_it_is_locked_dumb_or_broken() {
    let store = MemoryKeyStore::default();
    let secret = Secret::mint("kept_").unwrap();
    store.put("a", &secret).await.unwrap();
    assert!(store.get("a").await.unwrap().unwrap().matches(secret.expose()));
    store.lock();
    assert!(matches!(store.get("a").await, Err(KeyStoreError::Locked)));
    store.unlock();
    store.hang();
    assert!(matches!(store.get("a").await, Err(KeyStoreError::Timeout)));
    store.recover();
    store.fail_next(KeyStoreError::Failed("no disk".to_owned()));
    assert!(matches!(store.delete("a").await, Err(KeyStoreError::Failed(_))));
    assert_eq!(store.names(), ["a"]);
    store.delete("a").await.unwrap();
    store.delete("a").await.unwrap();
    assert!(store.get("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_slow_key_store_answers_when_it_is_let() {
    let store = MemoryKeyStore::default();
    let held = store.hold();
    let asked = store.get("a");
    let released = async {
        store.until_calls(1).await;
        drop(held);
    };
    let (answer, ()) = tokio::join!(asked, released);
    assert!(answer.unwrap().is_none());
}

fn question(deadline: Duration) -> Question {
    let call = Call {
        caller: Arc::new(Caller::by_key("chat-app".parse().unwrap())),
        server: "crm".parse().unwrap(),
        method: "tools/call".into(),
        class: MethodClass::ToolCall,
        tool: Some("update_account".into()),
        risk: RiskClass::Change,
        argument_names: Vec::new(),
    };
    Question { call: Arc::new(call), reason: AskReason::Unknown, arguments: "{}".into(), deadline }
}

#[tokio::test]
async fn a_prompter_follows_its_script_and_then_nobody_is_there() {
    let prompter = ScriptedPrompter::default();
    prompter.will(Answer::AllowOnce).will_hesitate();
    assert_eq!(prompter.ask(question(Duration::MAX)).await, Answer::AllowOnce);
    assert_eq!(prompter.ask(question(Duration::ZERO)).await, Answer::TimedOut);
    assert_eq!(prompter.ask(question(Duration::MAX)).await, Answer::NobodyThere);
    prompter.until_asked(3).await;
    assert_eq!(prompter.questions().len(), 3);
}

#[tokio::test]
async fn a_machine_without_a_browser_says_so() {
    let browser = FollowingBrowser::of_nobody();
    let mut surface = browser.prepare().await.unwrap();
    assert!(matches!(surface.present("http://127.0.0.1:9/").await, Err(SurfaceError::NoBrowser)));
    surface.finish(SurfaceEnding::Failed).await;
    assert_eq!((browser.windows(), browser.endings()), (0, vec![SurfaceEnding::Failed]));
}

#[tokio::test]
async fn a_browser_returns_strays_first_and_then_the_redirect() {
    let idp = crate::idp::FakeIdp::start("Test sign-in", Arc::new(ManualClock::default())).await.unwrap();
    let resource = "http://127.0.0.1:1/mcp";
    idp.protect(resource, &[]);
    let browser = FollowingBrowser::of(idp.add_account("dana", "Dana", "dana@example.com").unwrap());
    let mut surface = browser.prepare().await.unwrap();
    let redirect_uri = surface.redirect_uri();
    idp.pre_register("by-hand", &redirect_uri).unwrap();
    let challenge = "c".repeat(43);
    let query = [
        ("response_type", "code"),
        ("client_id", "by-hand"),
        ("redirect_uri", &redirect_uri),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("resource", resource),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    browser.stray_callback("code=stolen");
    browser.hold();
    surface.present(&format!("{}/authorize?{query}", idp.issuer())).await.unwrap();
    browser.until_windows(1).await;
    assert_eq!(idp.counts().logins_shown, 0, "the person takes their time");
    browser.release();
    assert_eq!(surface.callback().await.unwrap(), "code=stolen");
    let callback = surface.callback().await.unwrap();
    assert!(callback.starts_with("code=code_cAnArY_") && callback.contains("&iss=http"), "{:?}", browser.lost());
}
