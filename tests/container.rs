//! SEC-17: clients in containers. A network namespace stands for the container; making one needs root.
#![allow(clippy::unwrap_used, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "the system's own network tools are run")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use keybearer_stories::house::{ALLOW_ALL, App, House};
use serde_json::{Value, json};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

/// A network of this machine with one other host in it.
struct Network {
    namespace: String,
    /// This machine's address there.
    ours: String,
    bridge: Option<String>,
}

impl Network {
    /// The network `10.x.y.0/24`; `x` is of this process, so that two runs do not meet.
    fn open(y: u8) -> Self {
        Self::over(y, false)
    }

    /// The same over a bridge, as container engines make them.
    fn of_engine(y: u8) -> Self {
        Self::over(y, true)
    }

    fn over(y: u8, bridge: bool) -> Self {
        let pid = std::process::id();
        let (namespace, x) = (format!("kb{pid}n{y}"), 64 + pid % 128);
        let (ours, theirs) = (format!("10.{x}.{y}.1"), format!("10.{x}.{y}.2"));
        let (here, there) = (format!("kbh{}x{y}", pid % 100_000), format!("kbc{}x{y}", pid % 100_000));
        ip(&format!("netns add {namespace}"));
        let network = Self { namespace: namespace.clone(), ours: ours.clone(), bridge: None };
        ip(&format!("link add {here} type veth peer name {there} netns {namespace}"));
        let (mut network, mut stands_on) = (network, here.clone());
        if bridge {
            stands_on = format!("kbb{}x{y}", pid % 100_000);
            ip(&format!("link add {stands_on} type bridge"));
            network.bridge = Some(stands_on.clone());
            ip(&format!("link set {here} master {stands_on}"));
            ip(&format!("link set {here} up"));
        }
        ip(&format!("addr add {ours}/24 dev {stands_on}"));
        ip(&format!("link set {stands_on} up"));
        ip(&format!("-n {namespace} addr add {theirs}/24 dev {there}"));
        ip(&format!("-n {namespace} link set {there} up"));
        ip(&format!("-n {namespace} link set lo up"));
        ip(&format!("-n {namespace} route add default via {ours}"));
        network
    }

    /// What a program on the other host gets for `request` at `door`: nothing, if it is hung up on.
    fn ask(&self, door: &str, request: &str) -> String {
        let (host, port) = door.split_once(':').unwrap();
        let script = format!("exec 3<>/dev/tcp/{host}/{port} && cat >&3 && cat <&3; true");
        let mut asking = Command::new("ip")
            .args(["netns", "exec", &self.namespace, "bash", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // One that is hung up on at once may not be able to say anything.
        let _ = asking.stdin.take().unwrap().write_all(request.as_bytes());
        String::from_utf8(asking.wait_with_output().unwrap().stdout).unwrap()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The pair of interfaces goes with it.
        ip(&format!("netns del {}", self.namespace));
        if let Some(bridge) = &self.bridge {
            ip(&format!("link del {bridge}"));
        }
    }
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "`ip {arguments}` failed: only root can make networks");
}

fn request(app: &App, host: &str) -> String {
    format!(
        "POST /mcp/keybearer-none HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{LIST}",
        app.key,
        LIST.len()
    )
}

fn door(house: &House) -> Value {
    house.run(&["status", "--json"]).json()["container_door"].clone()
}

/// A client with a key for a container.
fn in_container(house: &House) -> App {
    house.client_with("librechat", &["--container"])
}

/// `404`: it came through to where servers are looked up. `401`: it did not.
#[track_caller]
fn check(answer: &str, status: &str) {
    let got = answer.split(' ').nth(1).unwrap_or("nothing");
    assert_eq!(got, status, "{answer}");
}

#[test]
fn sec_17_a_container_reaches_one_address_with_its_key_and_nobody_else_does() {
    let (network, elsewhere, composed) = (Network::open(1), Network::open(2), Network::of_engine(3));
    let house = House::open(&format!("container_door = \"{}\"\n{ALLOW_ALL}", network.ours));
    let native = house.client("native-app", &[]);
    assert_eq!(door(&house), json!({ "kind": "closed" }), "no client needs it yet");
    let app = in_container(&house);
    let open = door(&house);
    let address = open["address"].as_str().unwrap_or_else(|| panic!("{open}")).trim_start_matches("http://").to_owned();
    assert_eq!(address.split(':').next(), Some(network.ours.as_str()));
    let port = address.split(':').nth(1).unwrap();

    check(&network.ask(&address, &request(&app, &address)), "404");
    check(&network.ask(&address, &request(&app, &format!("host.docker.internal:{port}"))), "404");
    check(&network.ask(&address, &request(&app, &format!("localhost:{port}"))), "403");
    check(&network.ask(&address, &request(&app, "host.docker.internal:1")), "403");
    check(&network.ask(&address, &request(&native, &address)), "401");
    check(&network.ask(&address, &request(&app, &address).replace(&app.key, "kb_wrong")), "401");
    check(&composed.ask(&address, &request(&app, &address)), "404");
    check(&elsewhere.ask(&address, &request(&app, &address)), "nothing");

    house.run(&["clients", "revoke", "librechat"]);
    assert_eq!(door(&house), json!({ "kind": "closed" }));
    check(&network.ask(&address, &request(&app, &address)), "nothing");
}

#[test]
fn sec_17_without_the_setting_no_door_opens_and_the_name_of_the_machine_is_for_container_keys_alone() {
    let house = House::open(ALLOW_ALL);
    let (native, app) = (house.client("native-app", &[]), in_container(&house));
    assert_eq!(door(&house), json!({ "kind": "closed" }));
    let port = app.door.split(':').nth(1).unwrap();
    let by_name = format!("host.docker.internal:{port}");
    // An engine that shares the machine's loopback brings its containers here by that name.
    for (client, host, status) in
        [(&app, &by_name, "404"), (&native, &by_name, "401"), (&app, &app.door, "404"), (&native, &native.door, "404")]
    {
        let mut wire = client.wire();
        wire.send(request(client, host));
        let (head, _) = wire.answer().unwrap();
        assert_eq!(head.status().to_string(), status, "as {host}");
    }
}

#[test]
fn an_address_that_is_not_here_leaves_the_door_closed_and_says_so() {
    let house = House::open(&format!("container_door = \"10.255.255.254\"\n{ALLOW_ALL}"));
    in_container(&house);
    let told = door(&house);
    assert_eq!(told["kind"], "blocked");
    assert!(told["detail"].as_str().unwrap().contains("10.255.255.254"), "{told}");
    let status = house.run(&["status"]);
    assert!(status.out.contains("10.255.255.254"), "{}", status.out);
}
