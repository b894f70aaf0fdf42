//! A machine of the test's own: its only network leads from every address back to it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::names;

/// Tells a process that it is the one inside; its value is a folder for what it mounts.
const INSIDE: &str = "KEYBEARER_TEST_INSIDE";

/// Nobody asks here but we ourselves, to know that whoever came before has been noted.
const OURS: [u8; 4] = [203, 0, 113, 77];

const PORTS: [u16; 3] = [80, 443, 3128];

/// The machine, from the inside.
pub(crate) struct Machine {
    arrivals: Receiver<(IpAddr, Vec<u8>)>,
}

impl Machine {
    /// The machine, if this process runs in one; else `None`, after a process of the same `test` has run in one and
    /// passed. It has `variables` besides.
    pub(crate) fn inside(test: &str, variables: &[(&str, &str)]) -> Option<Self> {
        if let Ok(folder) = std::env::var(INSIDE) {
            return Some(Self::arrange(&folder));
        }
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--net", "--mount"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(INSIDE, folder.path());
        for proxy in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(proxy).env_remove(proxy.to_uppercase());
        }
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let passed = output.status.success() && said.contains("1 passed");
        assert!(passed, "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        None
    }

    fn arrange(folder: &str) -> Self {
        run("ip", &["link", "set", "lo", "up"]);
        run("ip", &["route", "add", "local", "0.0.0.0/0", "dev", "lo"]);
        run("ip", &["-6", "route", "add", "local", "::/0", "dev", "lo"]);
        for (name, text) in [
            ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n"),
            ("nsswitch.conf", "hosts: files dns\n"),
            ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ] {
            let file = format!("{folder}/{name}");
            fs::write(&file, text).unwrap();
            run("mount", &["--bind", &file, &format!("/etc/{name}")]);
        }
        names::serve();
        let (arrived, arrivals) = mpsc::channel();
        for port in PORTS {
            let listener = TcpListener::bind(("::", port)).unwrap();
            let arrived = arrived.clone();
            std::thread::spawn(move || listener.incoming().for_each(|stream| note(stream.unwrap(), &arrived)));
        }
        Self { arrivals }
    }

    /// To which addresses connections have come since the last time, each once.
    pub(crate) async fn reached(&self) -> Vec<IpAddr> {
        let mut reached = BTreeSet::new();
        // What the client does in the background has its turn too.
        for _turn in 0..2 {
            self.each(|address, _| {
                reached.insert(address);
            });
            tokio::task::yield_now().await;
        }
        reached.into_iter().collect()
    }

    /// What connections have said first since the last time.
    pub(crate) fn heard(&self) -> Vec<String> {
        let mut heard = Vec::new();
        self.each(|_, said| heard.push(String::from_utf8_lossy(said).into_owned()));
        heard
    }

    /// Connections are noted in the order in which they come: ours is the last of those before it.
    fn each(&self, mut look: impl FnMut(IpAddr, &[u8])) {
        for port in PORTS {
            drop(TcpStream::connect(SocketAddr::from((OURS, port))).unwrap());
        }
        let mut left = PORTS.len();
        while left > 0 {
            let (address, said) = self.arrivals.recv_timeout(Duration::from_secs(20)).unwrap();
            if address == IpAddr::from(OURS) { left -= 1 } else { look(address, &said) }
        }
    }
}

fn note(mut stream: TcpStream, arrived: &Sender<(IpAddr, Vec<u8>)>) {
    let address = stream.local_addr().unwrap().ip().to_canonical();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut said = vec![0; 1024];
    let length = stream.read(&mut said).unwrap_or(0);
    said.truncate(length);
    arrived.send((address, said)).unwrap();
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
