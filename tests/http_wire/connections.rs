//! Connections that end when a call does not expect it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keybearer_stories::raw_upstream::Saying;

use super::{RESULT, Yard, call, plain};

/// The beginning of an answer that does not end.
const BEGUN: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";

#[test]
fn a_client_that_goes_away_ends_its_call_at_the_server_too() {
    for (answer, stream) in [("", false), (BEGUN, true)] {
        let mut yard = Yard::with(move |_| Saying::keeping(answer));
        let mut wire = yard.app.wire();
        wire.send(yard.app.post_bytes("crm", &[], call(1).as_bytes()));
        if stream {
            let head = wire.head().unwrap();
            wire.body(&head, |body| !body.bytes.is_empty());
        } else {
            yard.upstream.has_been_asked(1);
        }
        drop(wire);
        yard.upstream.has_hung_up();
        assert_eq!(yard.outcomes(), ["aborted"], "after {answer:?}");
        assert_eq!(yard.upstream.requests().len(), 1);
    }
}

#[test]
fn a_server_that_hangs_up_in_the_middle_breaks_the_answer_off() {
    let mut yard = Yard::with(|_| Saying::closing(BEGUN));
    let mut wire = yard.app.wire();
    wire.send(yard.app.post_bytes("crm", &[], call(1).as_bytes()));
    let (head, body) = wire.answer().unwrap();
    assert_eq!((head.status(), head.field("content-length").as_deref(), body.whole), (200, Some("1000"), false));
    assert!(wire.hangs_up());
    assert_eq!(yard.outcomes(), ["interrupted"]);
    assert_eq!(yard.upstream.requests().len(), 1);
}

#[test]
fn every_idle_connection_that_the_server_has_closed_is_replaced_and_no_call_is_sent_twice() {
    let goes_on = Arc::new(AtomicBool::new(true));
    let going = Arc::clone(&goes_on);
    let yard = Yard::with(move |_| {
        let saying = Saying::keeping(plain());
        Saying { hangs_up: !going.load(Ordering::Acquire), ..saying }
    });
    let mut wires: Vec<_> = (0..8).map(|_| yard.app.wire()).collect();
    for round in 0..10 {
        // In every second round each of them is closed behind its answer.
        goes_on.store(round % 2 == 0, Ordering::Release);
        for (id, wire) in wires.iter_mut().enumerate() {
            wire.send(yard.app.post_bytes("crm", &[], call(id).as_bytes()));
        }
        for wire in &mut wires {
            let (head, body) = wire.answer().unwrap();
            assert_eq!(
                (head.status(), String::from_utf8(body.bytes).unwrap().as_str()),
                (200, RESULT),
                "round {round}"
            );
        }
        if round % 2 == 1 {
            (0..8).for_each(|_| yard.upstream.has_hung_up());
        }
        assert_eq!(yard.upstream.requests().len(), 8 * (round + 1));
    }
}
