//! Servers that are unknown, not there, or not who they should be.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use keybearer_stories::house::{ALLOW_ALL, House};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};
use tokio::net::TcpSocket;

use super::{CALL, check_ended, check_ended_in_json, check_refused};

#[test]
fn an_unknown_server_is_named_at_every_door() {
    let mut house = House::open(ALLOW_ALL);
    let app = house.client("chat-app", &[]);
    let answer = app.post("crm", CALL);
    assert_eq!(answer.status, 404);
    let told = String::from_utf8(answer.body).unwrap();
    assert!(told.contains("-31010") && told.contains("there is no server crm"), "{told}");
    let (left, status, complaints) = house.bridge("crm").end();
    assert_eq!((left.len(), status.code()), (0, Some(3)));
    assert!(complaints.contains("there is no server `crm`") && complaints.contains("hint: "), "{complaints}");
    for command in [
        &["tools", "crm"][..],
        &["call", "crm", "get_account"],
        &["login", "crm"],
        &["logout", "crm"],
        &["servers", "show", "crm"],
        &["servers", "remove", "crm"],
        &["clients", "add", "x", "--server", "crm"],
    ] {
        let ended = house.run(command);
        assert_eq!(check_ended(&ended, 1), "there is no server `crm`", "{command:?}");
        assert!(ended.err.contains("hint: "), "{}", ended.err);
        let told = check_ended_in_json(&house.run(&[command, &["--json"]].concat()), 1);
        assert_eq!(told["error"]["code"], "unknown_server", "{command:?}");
    }
    assert_eq!(
        house.run(&["clients", "list", "--json"]).json().as_array().unwrap().len(),
        1,
        "no half-made client is left"
    );
    let recorded = house.recorded_calls();
    assert!(recorded.iter().all(|call| call["outcome"] == "unknown_server") && !recorded.is_empty(), "{recorded:?}");
}

fn house_at(url: &str) -> House {
    House::open(&format!("[servers.crm]\nurl = \"{url}\"\nauth = \"none\"\n{ALLOW_ALL}"))
}

#[test]
fn an_unreachable_server_is_told_and_the_call_is_recorded() {
    // Taken, so that no other program gets it meanwhile, and yet nobody listens.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    for url in [format!("http://{}/mcp", taken.local_addr().unwrap()), "https://no-such-host.invalid/mcp".to_owned()] {
        let mut house = house_at(&url);
        let app = house.client("chat-app", &[]);
        let told = check_refused(&house, &app, "crm", -31_005, "unreachable", 7);
        assert!(told.iter().all(|text| text == "Keybearer: crm cannot be reached at the moment."), "{told:?}");
        check_ended(&house.run(&["tools", "crm"]), 7);
        assert!(house.core().logged().contains("cannot be reached"), "why: {}", house.core().logged());
        let recorded = house.recorded_calls();
        assert_eq!(recorded.len(), 4, "{recorded:?}");
        assert!(
            recorded.iter().all(|call| call["outcome"] == "unreachable" && call["decision"] == "allow"),
            "{recorded:?}"
        );
    }
}

/// Something that speaks TLS, or does not, and counts what it understands.
struct Stranger {
    url: String,
    understood: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Stranger {
    fn start(host: &str, tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{host}:{}/mcp", listener.local_addr().unwrap().port());
        let (understood, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stopped, tls) = (Arc::clone(&understood), Arc::clone(&stop), tls.map(Arc::new));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), false) = (stream, stopped.load(Ordering::Acquire)) else { return };
                let Some(tls) = &tls else {
                    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
                    // Reads on, so that nothing is lost in a reset.
                    let _ = stream.read_to_end(&mut Vec::new());
                    continue;
                };
                let mut connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                let mut came = Vec::new();
                let _ = Stream::new(&mut connection, &mut stream).read_to_end(&mut came);
                count.fetch_add(came.len(), Ordering::AcqRel);
            }
        });
        Self { url, understood, stop, accepting: Some(accepting) }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let place = self.url.trim_start_matches("https://").trim_end_matches("/mcp").replace("localhost", "127.0.0.1");
        drop(std::net::TcpStream::connect(place));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// A certificate that nobody has signed but itself.
fn self_signed(names: &[&str], shape: impl FnOnce(&mut rcgen::CertificateParams)) -> ServerConfig {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params =
        rcgen::CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    shape(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap()
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_as_such_and_nothing_is_sent() {
    let plain = self_signed(&["127.0.0.1", "localhost"], |_| {});
    let other_name = self_signed(&["elsewhere.test"], |_| {});
    let expired = self_signed(&["127.0.0.1"], |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1));
    for (host, config) in [("127.0.0.1", plain), ("localhost", other_name), ("127.0.0.1", expired)] {
        let stranger = Stranger::start(host, Some(config));
        let mut house = House::open(ALLOW_ALL);
        house.server_with_header("crm", &stranger.url);
        let app = house.client("chat-app", &[]);
        let told = check_refused(&house, &app, "crm", -31_014, "not_trusted", 7);
        assert!(told.iter().all(|text| text.contains("certificate of crm is not trusted")), "{told:?}");
        let error = check_ended_in_json(&house.run(&["call", "crm", "get_account", "--json"]), 7);
        assert_eq!(error["error"]["code"], "certificate");
        assert!(house.core().logged().contains("certificate is not trusted"), "{}", house.core().logged());
        let recorded = house.recorded_calls();
        assert!(recorded.len() == 4 && recorded.iter().all(|call| call["outcome"] == "unreachable"), "{recorded:?}");
        assert_eq!(stranger.understood.load(Ordering::Acquire), 0, "something was sent to a stranger");
    }
}

#[test]
fn a_server_that_speaks_no_tls_is_unreachable() {
    let stranger = Stranger::start("127.0.0.1", None);
    let mut house = House::open(ALLOW_ALL);
    house.server_with_header("crm", &stranger.url);
    let app = house.client("chat-app", &[]);
    check_refused(&house, &app, "crm", -31_005, "unreachable", 7);
    assert!(house.core().logged().contains("no secure connection"), "{}", house.core().logged());
    assert_eq!(house.recorded_calls().len(), 3);
}
