//! G8 (SEC-19, SEC-20): whom a request may reach, however the address is written and whatever a name resolves to.
//!
//! The machine is a namespace in which every address of both families leads to one listener, and names are answered by
//! a server of the test's own: nothing that the guard lets through can go unseen.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs and are told by their surroundings where they are")]

mod encodings;
mod machine;
mod names;
mod proxy;

use keybearer_core::ports::{Http as _, HttpError, MayBePrivate};
use keybearer_model::url::{Endpoint, Upstream};
use keybearer_platform::web::PlainHttp;
use url::Url;

use encodings::Place;
use machine::Machine;

/// A server that a person typed, and where it is.
struct Server {
    url: &'static str,
    place: Place,
}

const SERVERS: [Server; 3] = [
    Server { url: "https://8.8.4.4/mcp", place: Place::Public },
    Server { url: "https://10.200.0.7/mcp", place: Place::Private },
    Server { url: "http://127.0.0.7:9/mcp", place: Place::ThisMachine },
];

impl Server {
    fn upstream(&self) -> Upstream {
        self.url.parse().unwrap()
    }

    /// What SEC-19 and SEC-20 say, in the words of this test.
    fn may_lead_to(&self, place: Place, scheme: &str) -> bool {
        match place {
            Place::Public => scheme == "https",
            Place::Private => self.place != Place::Public && scheme == "https",
            Place::ThisMachine => self.place == Place::ThisMachine,
            Place::Nowhere => false,
        }
    }
}

/// Sends a request for `text` on behalf of `server`, as the guard alone would: what else looks at addresses is left out.
/// `None` where the text is no address that a request can have.
async fn ask(http: &PlainHttp, server: &Upstream, text: &str) -> Option<Result<(), HttpError>> {
    let url = Url::parse(text).ok()?;
    let request = http::Request::get(url.as_str()).extension(MayBePrivate::as_is(server)).body(Vec::new()).ok()?;
    Some(http.send(request).await.map(drop))
}

#[tokio::test]
async fn sec_20_no_way_to_write_an_address_gets_past_the_guard() {
    let Some(machine) = Machine::inside("sec_20_no_way_to_write_an_address_gets_past_the_guard", &[]) else { return };
    let http = PlainHttp::new().unwrap();
    let mut refused = 0;
    for server in &SERVERS {
        let upstream = server.upstream();
        let forbidden = encodings::all().filter(|way| !server.may_lead_to(way.place, way.scheme));
        for way in forbidden {
            let asked = ask(&http, &upstream, &way.text).await;
            let refused_it = matches!(asked, None | Some(Err(HttpError::Forbidden { .. })));
            assert!(refused_it, "{} for {}: {asked:?}", way.text, server.url);
            // The first of the two walls: what metadata names is judged before a request is made of it.
            let taken = way.text.parse::<Endpoint>().is_ok_and(|named| upstream.may_lead_to(named.as_url()));
            assert!(!taken, "{} would be taken from the metadata of {}", way.text, server.url);
            refused += 1;
        }
        let reached = machine.reached().await;
        assert!(reached.is_empty(), "on behalf of {} connections came to {reached:?}", server.url);
    }

    assert!(refused >= 2000, "{refused}");
}

#[tokio::test]
async fn a_private_server_may_lead_to_its_like() {
    let Some(machine) = Machine::inside("a_private_server_may_lead_to_its_like", &[]) else { return };
    let http = PlainHttp::new().unwrap();
    for server in &SERVERS {
        let allowed = encodings::all().filter(|way| server.may_lead_to(way.place, way.scheme));
        let mut seen = 0;
        for way in allowed.filter(|way| Url::parse(&way.text).is_ok()) {
            ask(&http, &server.upstream(), &way.text).await;
            let reached = machine.reached().await;
            assert_eq!(reached, [way.address.unwrap()], "{} for {}", way.text, server.url);
            seen += 1;
        }
        assert!(seen >= 20, "{seen} for {}", server.url);
    }
}
