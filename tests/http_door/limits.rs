//! SEC-14: one client that runs wild is slowed down, and the others notice nothing.

use keybearer_stories::house::{ALLOW_ALL, App, House};
use keybearer_stories::wire::Wire;
use keybearer_testkit::upstream::{FakeUpstream, Reply};
use serde_json::{Value, json};

use super::CALL;

async fn street(limits: &str) -> (House, FakeUpstream, App, App) {
    let upstream = FakeUpstream::open().await.unwrap();
    let url = upstream.url();
    let house = House::open(&format!("{limits}\n[servers.crm]\nurl = \"{url}\"\nauth = \"none\"\n{ALLOW_ALL}"));
    let (wild, calm) = (house.client("wild-app", &[]), house.client("calm-app", &[]));
    (house, upstream, wild, calm)
}

/// What was turned away from whom for which reason, as the trail has it at the core's end.
fn turned_away(house: &mut House) -> Vec<[Value; 4]> {
    house.stop();
    let records = house.home.audit().into_iter().filter(|record| record["event"] == "turned_away");
    records.map(|record| ["door", "reason", "client", "times"].map(|key| record[key].clone())).collect()
}

#[track_caller]
fn assert_too_much(wire: &mut Wire) {
    let (head, body) = wire.answer().unwrap();
    let told: Value = serde_json::from_slice(&body.bytes).unwrap();
    assert_eq!((head.status(), head.field("retry-after").as_deref()), (429, Some("1")));
    assert_eq!(told["error"]["data"]["code"], "too_much");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_14_open_calls_are_bounded_for_each_client() {
    let (mut house, upstream, wild, calm) = street("open_calls = 2").await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let (reply, release) = Reply::json("{}").held();
        upstream.will(reply);
        let mut wire = wild.wire();
        wire.send(wild.post_bytes("crm", &[], CALL.as_bytes()));
        upstream.next().await.unwrap();
        open.push((wire, release));
    }
    let mut wire = wild.wire();
    wire.send(wild.post_bytes("crm", &[], CALL.as_bytes()));
    assert_too_much(&mut wire);
    assert_eq!(calm.post("crm", CALL).status, 200, "the other one is served");
    for (mut wire, release) in open {
        release.now();
        assert_eq!(wire.answer().unwrap().0.status(), 200);
    }
    assert_eq!(wild.post("crm", CALL).status, 200, "what has ended counts no more");
    assert_eq!(turned_away(&mut house), [[json!("http"), json!("open_calls"), json!("wild-app"), json!(1)]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_14_a_flood_is_slowed_down_and_counted_once() {
    // Ten in a burst at one in a second.
    let (mut house, upstream, wild, calm) = street("calls_per_second = 1").await;
    let mut wire = wild.wire();
    let mut refused = 0;
    for _ in 0..60 {
        wire.send(wild.post_bytes("crm", &[], CALL.as_bytes()));
        let (head, _) = match wire.answer() {
            Some(answer) => answer,
            None => {
                wire = wild.wire();
                continue;
            }
        };
        refused += i64::from(head.status() == 429);
    }
    assert!(refused >= 30, "{refused}");
    assert!((10..=30).contains(&upstream.requests().len()), "{} came through", upstream.requests().len());
    assert_eq!(calm.post("crm", CALL).status, 200);
    let told = turned_away(&mut house);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0][1], "calls_per_second");
    assert!(told[0][3].as_i64().unwrap() >= refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gate_turns_away_is_counted_by_reason() {
    let (mut house, _upstream, app, _) = street("").await;
    for _ in 0..3 {
        let mut wire = app.wire();
        wire.send(app.post_bytes("crm", &["Origin: http://evil.test"], CALL.as_bytes()));
        assert_eq!(wire.answer().unwrap().0.status(), 403);
    }
    let mut wire = app.wire();
    wire.send(String::from_utf8(app.post_bytes("crm", &[], CALL.as_bytes())).unwrap().replace("Bearer kb_", "Bearer "));
    assert_eq!(wire.answer().unwrap().0.status(), 401);
    let mut told = turned_away(&mut house);
    told.sort_by_key(|record| record[1].to_string());
    let http = json!("http");
    assert_eq!(
        told,
        [[http.clone(), json!("host_or_origin"), Value::Null, json!(3)], [http, json!("key"), Value::Null, json!(1)]]
    );
}
