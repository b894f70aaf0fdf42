//! When sign-ins end: said a day ahead, once, and not on the way of a call. And what happens after the machine has slept.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a story stops where it fails")]

use std::time::Duration;

use keybearer_control::snapshot::Evidence;
use keybearer_core::audit;
use keybearer_stories::together::join_all;
use keybearer_testkit::upstream::FakeUpstream;
use keybearer_testkit::world::World;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);
/// How long a sign-in lasts, in hours, whatever it is used for.
const LIFE: u64 = 72;
/// The world begins on a Saturday at nine.
const MONTH: u64 = 30 * 24;

/// Whether people work in the hour that is so many hours after the world's beginning.
fn is_working(hour: u64) -> bool {
    let (day, of_day) = ((hour + 9) / 24, (hour + 9) % 24);
    day % 7 >= 2 && (9..17).contains(&of_day)
}

/// The hours at which somebody must sign in, by nothing but the calendar: a call finds no sign-in, or one that is over.
fn due() -> Vec<u64> {
    let mut due: Vec<u64> = Vec::new();
    for hour in (1..=MONTH).filter(|hour| is_working(*hour)) {
        if due.last().is_none_or(|last| hour - last >= LIFE) {
            due.push(hour);
        }
    }
    due
}

/// A month of calls, one each working hour; at which hours a window was opened.
async fn a_month(world: &mut World) -> Vec<u64> {
    let mut client = world.client("chat-app").await;
    let mut windows = Vec::new();
    for hour in 1..=MONTH {
        world.clock.advance(HOUR);
        world.look_around();
        if is_working(hour) {
            let before = world.browser.windows();
            let answer = client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
            assert!(answer.result().is_some(), "hour {hour}: {answer:?}");
            windows.extend((before..world.browser.windows()).map(|_| hour));
        }
        if hour == 289 {
            world.restart().await;
            until_signed_in(world).await;
            // Sessions end with the core that had them.
            client = world.client("chat-app-again").await;
        }
    }
    windows
}

async fn until_signed_in(world: &World) {
    world.until(|state| state.servers.iter().any(|server| server.name == "crm" && server.issuer.is_some())).await;
}

/// The hours at which the person was told that a sign-in ends.
async fn told(world: &mut World) -> Vec<u64> {
    world.restart().await;
    let records = audit::tail(&world.folders().audit(), 10_000).unwrap();
    let told = records.iter().filter(|record| record["event"] == "sign_in_ends");
    told.map(|record| hours_since_beginning(&record["time"])).collect()
}

fn hours_since_beginning(time: &Value) -> u64 {
    let text = time.as_str().unwrap();
    // `2026-11-21T09:00:00.000Z`: the month has 30 days, and the story ends before the next one does.
    let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().unwrap();
    let day = number(8..10) + if number(5..7) == 12 { 30 } else { 0 };
    (day - 21) * 24 + number(11..13) - 9
}

/// Each end was told of at least four hours before, once; nobody was told twice within a day.
#[track_caller]
fn assert_announced(told: &[u64], ends: impl Iterator<Item = u64>) {
    for end in ends {
        let before: Vec<_> = told.iter().filter(|hour| (end.saturating_sub(LIFE)..end).contains(hour)).collect();
        assert_eq!(before.len(), 1, "the end at hour {end} was told of at {before:?}");
        assert!(*before[0] + 4 <= end, "the end at hour {end} was told of only at {before:?}");
    }
    assert!(told.windows(2).all(|two| two[1] - two[0] >= 24), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_month_people_sign_in_when_it_is_due_and_are_told_a_day_ahead() {
    let mut world = World::that_allows_all().await;
    world.company.idp.sign_in_life(HOUR * 72).says_sign_in_life(true);
    let signed_in = a_month(&mut world).await;
    assert_eq!(signed_in, due());
    let told = told(&mut world).await;
    assert_announced(&told, signed_in.iter().map(|hour| hour + LIFE).filter(|end| *end <= MONTH));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_says_what_an_issuer_does_not() {
    let mut world = World::that_allows_all().await;
    world.company.idp.sign_in_life(HOUR * 72);
    let config = world.config("[[rules]]\neffect = \"allow\"\n");
    world.write_config(&config.replace("[servers.crm]\n", "[servers.crm]\nsign_in_life = 72\n"));
    world.restart().await;
    let signed_in = a_month(&mut world).await;
    assert_eq!(signed_in, due());
    let told = told(&mut world).await;
    assert_announced(&told, signed_in.iter().map(|hour| hour + LIFE).filter(|end| *end <= MONTH));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_says_is_learned_from_the_sign_ins_before() {
    let mut world = World::that_allows_all().await;
    world.company.idp.sign_in_life(HOUR * 72);
    let signed_in = a_month(&mut world).await;
    assert_eq!(signed_in, due());
    let told = told(&mut world).await;
    // Two that ended are what is learned from.
    assert!(told.iter().all(|hour| *hour > signed_in[2]), "{told:?}");
    for pair in signed_in[2..].windows(2) {
        let end = pair[0] + LIFE;
        assert!(told.iter().any(|hour| *hour > pair[0] && *hour + 4 <= end), "nobody was told of {end}: {told:?}");
    }
    assert!(told.windows(2).all(|two| two[1] - two[0] >= 24), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_ends_within_a_day_says_so_until_another_takes_its_place() {
    let world = World::that_allows_all().await;
    world.company.idp.sign_in_life(HOUR * 72).says_sign_in_life(true);
    world.login("crm").await.unwrap();
    let ends = async || world.status().await.servers.into_iter().find(|server| server.name == "crm").unwrap().ends;
    world.clock.advance(HOUR * 47);
    world.look_around();
    assert_eq!(ends().await, None);
    world.clock.advance(HOUR);
    world.look_around();
    let near = ends().await.unwrap();
    assert_eq!((near.at.get(..13), near.by), (Some("2026-11-24T09"), Evidence::Issuer));
    assert!(near.told_at.is_some());
    world.login("crm").await.unwrap();
    assert_eq!(ends().await, None, "another sign-in has another end");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_sleep_a_few_are_renewed_at_once_each_once_and_none_before_it_is_needed() {
    let mut world = World::that_allows_all().await;
    let mut others = Vec::new();
    for number in 0..8 {
        let scope = format!("scope-{number}");
        others.push(FakeUpstream::protected_by(&world.company.idp, &[&scope]).await.unwrap());
    }
    let names: Vec<_> = (0..others.len()).map(|number| format!("other-{number}")).collect();
    let mut config = world.config("");
    for (name, other) in names.iter().zip(&others) {
        config.push_str(&format!("[servers.{name}]\nurl = \"{}\"\n", other.url()));
    }
    world.write_config(&format!("{config}[[rules]]\neffect = \"allow\"\n"));
    world.restart().await;
    let client = world.client("chat-app").await;
    for name in &names {
        world.login(name).await.unwrap();
    }
    for night in 1..=5_u32 {
        world.clock.sleep(HOUR * 14);
        world.look_around();
        let so_far = (night - 1) * u32::try_from(names.len()).unwrap();
        assert_eq!(world.company.idp.counts().refreshes, so_far, "nobody has asked for anything yet");
        let held = world.company.idp.hold_token_replies();
        let calls = names.iter().flat_map(|name| [name; 3]).map(|name| client.call(name, "get_account", json!({})));
        let watching = async {
            held.until_waiting(4).await.unwrap();
            let most = held.waiting();
            held.release();
            most
        };
        let (answers, most) = tokio::join!(join_all(calls), watching);
        assert_eq!(most, 4, "so many renewals were under way");
        assert!(answers.iter().all(|answer| answer.error().is_none()), "{answers:?}");
        let counts = world.company.idp.counts();
        assert_eq!((counts.refreshes, counts.replays), (so_far + 8, 0), "each was renewed once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_sleep_an_issuer_that_did_not_answer_is_asked_at_once() {
    let mut world = World::that_allows_all().await;
    world.chance = std::sync::Arc::new(|| 1.0);
    world.restart().await;
    let client = world.client("chat-app").await;
    let ask = async || client.call("crm", "get_account", json!({ "id": "A-1002" })).await.result().is_some();
    assert!(ask().await);
    for _ in 0..8 {
        world.company.idp.fail_next(503);
        world.clock.advance(HOUR);
        assert!(!ask().await);
    }
    let asked = world.company.idp.counts().token_requests;
    world.clock.advance(Duration::from_secs(31));
    assert!(!ask().await, "it is left alone for two minutes");
    assert_eq!(world.company.idp.counts().token_requests, asked);
    // But after sleep the network is another one.
    world.clock.sleep(Duration::from_secs(31));
    assert!(ask().await);
}
