//! A thousand sessions of a hundred clients with a hundred servers over HTTP, and two hundred bridges besides.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use keybearer_control::client::Client;
use keybearer_control::wire::{Reply, Request};
use keybearer_os::folders::Folders;
use keybearer_os::open_files;
use keybearer_stories::house::House;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::client::{Http, Line, call};
use crate::upstream::Busy;
use crate::{Street, memory, street, until};

const SERVERS: usize = 100;
const CLIENTS: usize = 100;
const SESSIONS: usize = 1_000;
const BRIDGES: usize = 200;

/// How many begin at the same time.
const AT_ONCE: usize = 48;

/// Idle connections to one origin which are kept for a while, for each thread of the core that has its own.
const KEPT: usize = 64;

/// The second crowd, which is to leave nothing behind: so many sessions, and no bridges.
const AGAIN: usize = 300;

/// What a session of HTTP with its stream, and one of a bridge, may cost a core, in KiB.
const A_SESSION: u64 = 160;

/// How much more a core may hold after a second crowd than after the first, in KiB.
const LEFT_BEHIND: u64 = 12 << 10;

/// Something that has a session, and says who it is in every call.
enum Member {
    Http(Http, Http),
    Line(Line),
}

struct Place {
    server: String,
    name: String,
}

impl Member {
    /// Calls and returns the session that the server saw; the answer must be this member's own.
    async fn calls(&mut self, place: &Place, id: u64) -> String {
        let said = format!("{} {id}", place.name);
        let message = call(id, "echo", &json!({ "said": said }));
        let answer = match self {
            // A connection that rested may have been closed, as HTTP allows: this one is fresh.
            Self::Http(client, _) => client.beside().await.ask(&message).await.remove(0),
            Self::Line(client) => {
                client.send(&message.to_string()).await;
                client.next().await
            }
        };
        let told = &answer["result"]["structuredContent"];
        assert_eq!((&answer["id"], &told["said"]), (&json!(id), &json!(said)), "{answer}");
        assert_eq!(told["server"], json!(place.server), "{answer}");
        told["session"].as_str().unwrap_or_else(|| panic!("no session: {answer}")).to_owned()
    }

    async fn end(self) {
        match self {
            Self::Http(client, stream) => {
                drop(stream);
                client.beside().await.end().await;
            }
            Self::Line(client) => client.end().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_sessions_and_two_hundred_bridges_are_served_at_once_and_leave_nothing_behind() {
    open_files::raise_limit().unwrap();
    let names: Vec<_> = (0..SERVERS).map(|number| format!("s{number}")).collect();
    let Street { house, upstream, _turn } = street(&names).await;
    let keys = register(&house).await;
    let house = Arc::new(house);
    let (pid, before) = (house.core().pid(), open_files_of(house.core().pid()));
    let resting = memory(pid, "VmRSS");
    let mut left = Vec::new();
    let kept = KEPT * (1 + std::thread::available_parallelism().unwrap().get());
    for (sessions, bridges) in [(SESSIONS, BRIDGES), (AGAIN, 0)] {
        let held = crowd(&house, &upstream, &keys, sessions, bridges).await;
        let each = held.saturating_sub(resting.max(left.first().copied().unwrap_or(0))) / (sessions + bridges) as u64;
        assert!(each < A_SESSION, "the core holds {each} KiB for each session");
        until("the end of every session", || upstream.counts().sessions.load(Ordering::SeqCst) == 0).await;
        until("the end of every stream", || upstream.counts().streams.load(Ordering::SeqCst) == 0).await;
        let open = || open_files_of(pid);
        until("the end of every connection", || open() <= before + kept + 8).await;
        left.push(memory(pid, "VmRSS"));
    }
    let more = left[1].saturating_sub(left[0]);
    assert!(more < LEFT_BEHIND, "the second crowd left {more} KiB behind");
}

/// Lets everybody in, has everybody call once while all are there, and out again; tells what the core held meanwhile.
async fn crowd(
    house: &Arc<House>,
    upstream: &Busy,
    keys: &Arc<(String, Vec<String>)>,
    sessions: usize,
    bridges: usize,
) -> u64 {
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut coming = JoinSet::new();
    for number in 0..sessions + bridges {
        let (house, keys, gate) = (Arc::clone(house), Arc::clone(keys), Arc::clone(&gate));
        coming.spawn(async move {
            let _turn = gate.acquire().await.unwrap();
            comes(number, number < sessions, &house, &keys).await
        });
    }
    let members = coming.join_all().await;
    let streams = || upstream.counts().streams.load(Ordering::SeqCst);
    until("every stream", || streams() == sessions + bridges).await;
    assert_eq!(upstream.counts().sessions.load(Ordering::SeqCst), sessions + bridges);
    let mut calling = JoinSet::new();
    for (mut member, place, session) in members {
        let gate = Arc::clone(&gate);
        calling.spawn(async move {
            let _turn = gate.acquire().await.unwrap();
            assert_eq!(member.calls(&place, 2).await, session, "{} was given another session", place.name);
            (member, session)
        });
    }
    let (members, seen): (Vec<_>, HashSet<_>) = calling.join_all().await.into_iter().unzip();
    assert_eq!(seen.len(), sessions + bridges, "two of them have one session");
    let held = memory(house.core().pid(), "VmRSS");
    let mut leaving = JoinSet::new();
    for member in members {
        let gate = Arc::clone(&gate);
        leaving.spawn(async move {
            let _turn = gate.acquire().await.unwrap();
            member.end().await;
        });
    }
    leaving.join_all().await;
    held
}

async fn comes(
    number: usize,
    by_http: bool,
    house: &House,
    (door, keys): &(String, Vec<String>),
) -> (Member, Place, String) {
    // Each client is with ten servers, each server with ten clients.
    let server = format!("s{}", (number % CLIENTS + number / CLIENTS * 7) % SERVERS);
    let place = Place { server, name: format!("member {number}") };
    let mut member = if by_http {
        let mut client = Http::with_key(door, &keys[number % CLIENTS], &place.server).await;
        client.initialize().await;
        let mut stream = client.beside().await;
        stream.listen().await;
        Member::Http(client, stream)
    } else {
        let mut client = Line::start(&house.home, &place.server);
        client.initialize().await;
        Member::Line(client)
    };
    let session = member.calls(&place, 1).await;
    (member, place, session)
}

/// Registers the clients; returns the door's address and their keys.
async fn register(house: &House) -> Arc<(String, Vec<String>)> {
    let control = Client::new(Folders::at(house.home.path()));
    let (mut keys, mut door) = (Vec::new(), String::new());
    for number in 0..CLIENTS {
        let add = json!({ "do": "add_client", "name": format!("app-{number}") });
        let request: Request = serde_json::from_value(add).unwrap();
        let reply = control.send(&request).await.unwrap().last().await.unwrap();
        let Reply::ClientAdded { key, urls, .. } = reply else { panic!("{reply:?}") };
        keys.push(key.unwrap());
        door = urls[0].trim_start_matches("http://").split('/').next().unwrap().to_owned();
    }
    Arc::new((door, keys))
}

/// How many files and connections a process has open.
fn open_files_of(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}
