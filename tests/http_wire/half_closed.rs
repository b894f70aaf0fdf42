//! Clients that shut down their sending side and listen on.

use keybearer_stories::raw_upstream::Saying;

use super::from_clients::framings;
use super::{Yard, call, plain};

#[test]
fn a_client_that_has_no_more_to_say_still_hears_its_answer() {
    let yard = Yard::with(|_| Saying::keeping(plain()));
    for request in framings(&yard, &call(1)) {
        let mut wire = yard.app.wire();
        wire.send(request);
        wire.finish_sending();
        let (head, body) = wire.answer().expect("an answer");
        assert_eq!((head.status(), body.whole), (200, true));
        assert!(wire.hangs_up());
    }
    assert_eq!(yard.bodies(), vec![call(1); 3]);
}

#[test]
fn a_client_that_has_no_more_to_say_and_then_goes_away_ends_its_call_too() {
    let mut yard = Yard::with(|_| Saying::keeping(""));
    let mut wire = yard.app.wire();
    wire.send(yard.app.post_bytes("crm", &[], call(1).as_bytes()));
    wire.finish_sending();
    yard.upstream.has_been_asked(1);
    drop(wire);
    yard.upstream.has_hung_up();
    assert_eq!(yard.outcomes(), ["aborted"]);
}
