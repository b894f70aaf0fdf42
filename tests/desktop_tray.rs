//! The tray as a panel sees it: this test is the panel, and the core is real.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs")]

use std::collections::HashMap;
use std::process::Command;
use std::sync::mpsc;

use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

mod desktop;

use desktop::{Core, PATIENCE, Running};

/// The panel: tray icons register with it.
struct Panel(mpsc::Sender<String>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Panel {
    fn register_status_notifier_item(&self, #[zbus(header)] header: zbus::message::Header<'_>, service: &str) {
        let sender = header.sender().unwrap();
        self.0.send(if service.starts_with('/') { format!("{sender}{service}") } else { service.to_owned() }).unwrap();
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

/// The icon's menu.
struct TrayMenu {
    proxy: Proxy<'static>,
    changed: mpsc::Receiver<()>,
}

impl TrayMenu {
    fn of(item: &str) -> Self {
        let (owner, path) = item.split_at(item.find('/').unwrap());
        let bus = Connection::session().unwrap();
        let icon = Proxy::new(&bus, owner.to_owned(), path.to_owned(), "org.kde.StatusNotifierItem").unwrap();
        let menu: OwnedObjectPath = icon.get_property("Menu").unwrap();
        let proxy = Proxy::new(&bus, owner.to_owned(), menu, "com.canonical.dbusmenu").unwrap();
        let (told, changed) = mpsc::channel();
        let signals = proxy.receive_all_signals().unwrap();
        std::thread::spawn(move || signals.into_iter().try_for_each(|_| told.send(())));
        Self { proxy, changed }
    }

    /// Every label with its id, from top to bottom; what is in a menu of its own is indented.
    fn labels(&self) -> Vec<(i32, String)> {
        let _: bool = self.proxy.call("AboutToShow", &(0_i32,)).unwrap();
        let asked = (0_i32, -1_i32, Vec::<&str>::new());
        let (_, root): (u32, Layout) = self.proxy.call("GetLayout", &asked).unwrap();
        let mut labels = Vec::new();
        flatten(root, "", &mut labels);
        labels
    }

    /// Waits until the menu is this.
    #[track_caller]
    fn becomes(&self, wanted: &[&str]) {
        let mut seen = Vec::new();
        loop {
            let now: Vec<String> = self.labels().into_iter().map(|(_, label)| label).collect();
            if now == wanted {
                return;
            }
            seen.push(now);
            assert!(self.changed.recv_timeout(PATIENCE).is_ok(), "wanted {wanted:#?}\nseen {seen:#?}");
        }
    }

    fn click(&self, label: &str) {
        let (id, _) = self.labels().into_iter().find(|(_, found)| found.trim_start() == label).unwrap();
        // Whoever closes the icon is gone before there is an answer.
        self.proxy.call_noreply("Event", &(id, "clicked", Value::from(""), 0_u32)).unwrap();
    }
}

fn flatten((id, properties, children): Layout, indent: &str, labels: &mut Vec<(i32, String)>) {
    if let Some(label) = properties.get("label").and_then(|label| String::try_from(label.clone()).ok()) {
        labels.push((id, format!("{indent}{}", label.replace("__", "_"))));
    }
    let deeper = if id == 0 { "" } else { "  " };
    for child in children {
        flatten(Layout::try_from(child).unwrap(), deeper, labels);
    }
}

const ATTACHED: [&str; 10] = [
    "1 of 2 tools ready",
    "crm: not signed in",
    "  127.0.0.1:9",
    "  Sign in to crm",
    "wiki: ready",
    "  127.0.0.1:9",
    "Stop all access",
    "Open Keybearer",
    "Turn Keybearer off",
    "Close the tray icon",
];
const STOPPED: [&str; 10] = [
    "All access is stopped",
    "crm: not signed in",
    "  127.0.0.1:9",
    "  Sign in to crm",
    "wiki: ready",
    "  127.0.0.1:9",
    "Allow access again",
    "Open Keybearer",
    "Turn Keybearer off",
    "Close the tray icon",
];
const AWAY: [&str; 4] = ["Keybearer is not running", "Start Keybearer", "Open Keybearer", "Close the tray icon"];

#[test]
fn the_tray_shows_every_server_and_outlives_the_core() {
    if !desktop::is_inside("the_tray_shows_every_server_and_outlives_the_core") {
        return;
    }
    let (told, registered) = mpsc::channel();
    let panel = connection::Builder::session().unwrap().name("org.kde.StatusNotifierWatcher").unwrap();
    let _panel = panel.serve_at("/StatusNotifierWatcher", Panel(told)).unwrap().build().unwrap();
    let core = Core::run();
    let mut shell = Command::new(desktop::shell());
    let mut shell = Running(shell.arg("--minimized").env("KEYBEARER_HOME", core.home()).spawn().unwrap());
    let menu = TrayMenu::of(&registered.recv_timeout(PATIENCE).expect("the icon is in the tray"));

    menu.becomes(&ATTACHED);

    core.cli(&["stop"]);
    menu.becomes(&AWAY);

    menu.click("Start Keybearer");
    menu.becomes(&ATTACHED);

    menu.click("Stop all access");
    menu.becomes(&STOPPED);
    assert!(core.refuses(&["tools", "wiki"]).contains("not allowed"), "every call is refused");
    menu.click("Allow access again");
    menu.becomes(&ATTACHED);

    menu.click("Turn Keybearer off");
    menu.becomes(&AWAY);
    menu.click("Start Keybearer");
    menu.becomes(&ATTACHED);

    menu.click("Close the tray icon");
    assert!(shell.0.wait().unwrap().success());
    assert!(core.cli(&["status"]).contains("wiki"), "the core lives on without the shell");
}
