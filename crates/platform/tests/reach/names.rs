//! Names: a server of the test's own answers them, honestly or not, and the machine's own resolver asks it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use keybearer_core::ports::HttpError;
use keybearer_platform::web::PlainHttp;

use crate::ask;
use crate::machine::Machine;

const A: u16 = 1;
const AAAA: u16 = 28;

/// What a name's addresses are, the `nth` time that they are asked for.
fn addresses(name: &str, nth: usize) -> Vec<IpAddr> {
    let list = match name.strip_suffix(".example.com").unwrap_or(name) {
        "crm" | "idp" => "8.8.8.8 2a00::1",
        "office" => "10.0.0.5",
        "home" | "evil-a" => "127.0.0.1",
        "evil-b" => "10.0.0.6",
        "evil-c" | "metadata.google.internal" => "169.254.169.254",
        "evil-d" => "8.8.8.8 10.0.0.6",
        "evil-e" => "::1",
        "evil-f" => "::ffff:127.0.0.1",
        "evil-g" => "64:ff9b::7f00:1",
        "evil-h" => "fd12::1",
        "evil-i" => "fe80::1",
        "evil-j" => "8.8.8.8 2002:7f00:1::",
        "evil-k" => "0.0.0.0",
        "evil-l" => "::",
        "evil-m" => "100.64.0.9 100.100.100.200",
        "flip" | "flipping-server" if nth.is_multiple_of(2) => "8.8.8.8",
        "flip" => "10.0.0.6",
        "flipping-server" => "10.0.0.7",
        "late" if nth < 3 => "8.8.8.8",
        "late" => "127.0.0.1",
        _ => "",
    };
    list.split_whitespace().map(|text| text.parse().unwrap()).collect()
}

/// Answers questions for as long as the process lives.
pub(crate) fn serve() {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    std::thread::spawn(move || {
        let mut asked: HashMap<(String, u16), usize> = HashMap::new();
        let mut message = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut message) {
            let Some((name, kind, end)) = question(&message[..length]) else { continue };
            let nth = asked.entry((name.clone(), kind)).or_default();
            let reply = reply(&message[..end], kind, &addresses(&name, *nth));
            *nth += 1;
            let _ = socket.send_to(&reply, from);
        }
    });
}

/// The question's name in small letters, its kind, and where it ends.
fn question(message: &[u8]) -> Option<(String, u16, usize)> {
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let length = usize::from(*message.get(at)?);
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(message.get(at + 1..=at + length)?).to_lowercase());
        at += length + 1;
    }
    let kind = u16::from_be_bytes([*message.get(at + 1)?, *message.get(at + 2)?]);
    Some((labels.join("."), kind, at + 5))
}

/// RFC 1035: the question again, and an answer for each address of its kind that may be kept for no time at all.
fn reply(question: &[u8], kind: u16, addresses: &[IpAddr]) -> Vec<u8> {
    let records = addresses.iter().filter_map(|address| match (address, kind) {
        (IpAddr::V4(address), A) => Some(address.octets().to_vec()),
        (IpAddr::V6(address), AAAA) => Some(address.octets().to_vec()),
        _ => None,
    });
    let records: Vec<_> = records.collect();
    let status = if addresses.is_empty() { 3 } else { 0 };
    let mut reply = question.to_vec();
    reply[2..12].copy_from_slice(&[0x85, 0x80 | status, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    for record in records {
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 0, 0, record.len() as u8]);
        reply.extend(record);
    }
    reply
}

/// Every case and a final full stop mean the same name.
fn spelled(name: &str) -> Vec<String> {
    vec![name.to_owned(), name.to_uppercase(), format!("{name}."), name.replace('.', "。")]
}

const EVIL: [&str; 15] = [
    "evil-a.example.com",
    "evil-b.example.com",
    "evil-c.example.com",
    "evil-d.example.com",
    "evil-e.example.com",
    "evil-f.example.com",
    "evil-g.example.com",
    "evil-h.example.com",
    "evil-i.example.com",
    "evil-j.example.com",
    "evil-k.example.com",
    "evil-l.example.com",
    "evil-m.example.com",
    "metadata.google.internal",
    "localhost",
];

#[tokio::test]
async fn sec_20_no_name_leads_nearer_than_the_server() {
    let Some(machine) = Machine::inside("names::sec_20_no_name_leads_nearer_than_the_server", &[]) else { return };
    let http = PlainHttp::new().unwrap();
    let public = "https://crm.example.com/mcp".parse().unwrap();
    for name in EVIL.into_iter().flat_map(spelled) {
        let asked = ask(&http, &public, &format!("https://{name}/token")).await;
        assert!(matches!(asked, Some(Err(HttpError::Forbidden { .. }))), "{name}: {asked:?}");
    }
    assert_eq!(machine.reached().await, [] as [IpAddr; 0]);
    // The arrangement sees what arrives.
    ask(&http, &public, "https://idp.example.com/token").await;
    let reached = machine.reached().await;
    assert!(!reached.is_empty() && reached.iter().all(|at| at.to_string() == "8.8.8.8" || at.to_string() == "2a00::1"));

    // A server in a private network may lead there by name, and nowhere nearer.
    let office = "https://office.example.com/mcp".parse().unwrap();
    ask(&http, &office, "https://evil-b.example.com/").await;
    assert_eq!(machine.reached().await, [IpAddr::from(Ipv4Addr::new(10, 0, 0, 6))]);
    // One whose name says that it is on this machine counts as private: whoever owns a name can say so.
    let home = "https://home.example.com/mcp".parse().unwrap();
    for server in [&office, &home] {
        for name in ["evil-a", "evil-c", "evil-e", "evil-g", "evil-i", "evil-k", "evil-m"] {
            ask(&http, server, &format!("https://{name}.example.com/")).await;
        }
    }
    assert_eq!(machine.reached().await, [] as [IpAddr; 0]);
}

#[tokio::test]
async fn sec_20_a_name_that_changes_its_mind_leads_nowhere_nearer() {
    let Some(machine) = Machine::inside("names::sec_20_a_name_that_changes_its_mind_leads_nowhere_nearer", &[]) else {
        return;
    };
    let http = PlainHttp::new().unwrap();
    let public = "https://crm.example.com/mcp".parse().unwrap();
    let (mut went, mut refused) = (0, 0);
    for round in 0..40 {
        for name in ["flip", "late"] {
            // Another port's worth of query each time: no connection is used twice.
            let asked = ask(&http, &public, &format!("https://{name}.example.com/{round}")).await;
            let said = asked.unwrap().unwrap_err().to_string();
            if said.contains("private") { refused += 1 } else { went += 1 }
        }
    }
    let reached = machine.reached().await;
    assert_eq!(reached, [IpAddr::from(Ipv4Addr::new(8, 8, 8, 8))], "what was judged is not what was connected to");
    assert!(went >= 15 && refused >= 15, "{went} {refused}");

    // The server's own name flips: what it was a moment ago counts, so that it does not open the private network.
    let server = "https://flipping-server.example.com/mcp".parse().unwrap();
    ask(&http, &server, "https://flipping-server.example.com/.well-known/oauth-protected-resource").await;
    machine.reached().await;
    for _ in 0..6 {
        ask(&http, &server, "https://evil-b.example.com/token").await;
    }
    assert_eq!(machine.reached().await, [] as [IpAddr; 0]);
}
