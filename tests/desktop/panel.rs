//! The desktop's panel, which this test is: tray icons register with it, and it reads and clicks their menus.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "a story stops where it fails"
)]

use std::collections::HashMap;
use std::sync::mpsc;

use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use super::PATIENCE;

/// The panel, on the session bus.
pub(crate) struct Panel {
    registered: mpsc::Receiver<String>,
    _bus: Connection,
}

impl Panel {
    /// Puts it on the session bus.
    pub(crate) fn open() -> Self {
        let (told, registered) = mpsc::channel();
        let bus = connection::Builder::session().unwrap().name("org.kde.StatusNotifierWatcher").unwrap();
        let bus = bus.serve_at("/StatusNotifierWatcher", Watcher(told)).unwrap().build().unwrap();
        Self { registered, _bus: bus }
    }

    /// The menu of the icon that comes next.
    pub(crate) fn menu(&self) -> TrayMenu {
        TrayMenu::of(&self.registered.recv_timeout(PATIENCE).expect("the icon is in the tray"))
    }
}

/// What tray icons register with.
struct Watcher(mpsc::Sender<String>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, #[zbus(header)] header: zbus::message::Header<'_>, service: &str) {
        let sender = header.sender().unwrap();
        let item = if service.starts_with('/') { format!("{sender}{service}") } else { service.to_owned() };
        self.0.send(item).unwrap();
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
pub(crate) struct TrayMenu {
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
    pub(crate) fn becomes(&self, wanted: &[&str]) {
        self.until(&format!("{wanted:#?}"), |now| now == wanted);
    }

    /// Waits until this is in the menu.
    #[track_caller]
    pub(crate) fn has(&self, wanted: &str) {
        self.until(wanted, |now| now.iter().any(|label| label == wanted));
    }

    #[track_caller]
    fn until(&self, wanted: &str, is_so: impl Fn(&[String]) -> bool) {
        let mut seen = Vec::new();
        loop {
            let now: Vec<String> = self.labels().into_iter().map(|(_, label)| label).collect();
            if is_so(&now) {
                return;
            }
            seen.push(now);
            assert!(self.changed.recv_timeout(PATIENCE).is_ok(), "wanted {wanted}\nseen {seen:#?}");
        }
    }

    pub(crate) fn click(&self, label: &str) {
        self.click_item(self.item(label));
    }

    /// Where this label stands.
    pub(crate) fn item(&self, label: &str) -> i32 {
        self.labels().into_iter().find(|(_, found)| found.trim_start() == label).unwrap().0
    }

    pub(crate) fn click_item(&self, id: i32) {
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
