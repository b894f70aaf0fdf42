//! The desktop's place for notifications, which this test is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use zbus::blocking::{Connection, connection};
use zbus::zvariant::Value;

/// The desktop's notifications: what was shown, and the numbers that were taken back.
#[derive(Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<(Vec<Shown>, Vec<u32>)>>);

#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) actions: Vec<String>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notices {
    #[expect(clippy::too_many_arguments, reason = "the interface has them")]
    fn notify(
        &self,
        _app: &str,
        _replaces: u32,
        _icon: &str,
        summary: &str,
        body: &str,
        actions: Vec<String>,
        _hints: HashMap<String, Value<'_>>,
        _expires: i32,
    ) -> u32 {
        let mut told = self.0.lock().unwrap();
        told.0.push(Shown { text: format!("{summary}: {body}"), actions });
        u32::try_from(told.0.len()).unwrap()
    }

    fn close_notification(&self, number: u32) {
        self.0.lock().unwrap().1.push(number);
    }

    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("notices".to_owned(), "tests".to_owned(), "1".to_owned(), "1.2".to_owned())
    }
}

impl Notices {
    /// Puts it on the session bus.
    pub(crate) fn open(&self) -> Connection {
        let bus = connection::Builder::session().unwrap().name("org.freedesktop.Notifications").unwrap();
        bus.serve_at("/org/freedesktop/Notifications", self.clone()).unwrap().build().unwrap()
    }

    /// The first that was shown.
    pub(crate) fn first(&self) -> Option<Shown> {
        self.0.lock().unwrap().0.first().cloned()
    }

    /// The numbers of those that were taken back.
    pub(crate) fn taken_back(&self) -> Vec<u32> {
        self.0.lock().unwrap().1.clone()
    }
}

/// The person clicks on a notification.
pub(crate) fn click(bus: &Connection, number: u32) {
    let (path, interface) = ("/org/freedesktop/Notifications", "org.freedesktop.Notifications");
    bus.emit_signal(None::<&str>, path, interface, "ActionInvoked", &(number, "default")).unwrap();
}
