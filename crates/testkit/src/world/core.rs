//! A core in this process, composed of scripted ports and the real doors.

use std::sync::Arc;

use anyhow::Context as _;
use keybearer_core::broker::{Broker, Places};
use keybearer_core::ports::Ports;
use keybearer_os::lock::CoreLock;
use keybearer_os::passed::Given;
use keybearer_os::shell::Shell;
use keybearer_platform::tls;
use keybearer_platform::web::PlainHttp;
use keybearer_server::{Parts, Running, SignInWindows};

use super::World;

/// A core and the lock that it runs under.
pub(super) struct RunningCore {
    running: Running,
    broker: Broker,
    _lock: CoreLock,
}

impl RunningCore {
    /// Starts one in `world`.
    pub(super) async fn start(world: &World) -> anyhow::Result<Self> {
        let folders = &world.folders;
        let lock = CoreLock::acquire(folders).context("take the lock")?;
        let windows = SignInWindows::default();
        let ports = Ports {
            keys: Arc::clone(&world.keys) as Arc<_>,
            http: Arc::new(PlainHttp::new().context("make the HTTP client")?),
            clock: Arc::clone(&world.clock) as Arc<_>,
            browser: Arc::clone(&world.browser) as Arc<_>,
            window: Arc::new(windows.clone()),
            prompter: Arc::clone(&world.prompter) as Arc<_>,
            chance: Arc::clone(&world.chance),
        };
        let places = Places {
            config_file: folders.config_file(),
            state: folders.state(),
            audit: folders.audit(),
            machine: "the machine of this world".to_owned(),
        };
        let broker = Broker::start(places, ports).context("start the broker")?;
        let tls = tls::client_config().context("make the TLS configuration")?;
        // The story is the shell here: questions are answered by this very program, and by no other.
        let shell = Shell::only(std::env::current_exe().context("find this program")?);
        let given = Given::default();
        let parts = Parts { broker: broker.clone(), tls, lock: &lock, given, shell, silence: world.silence, windows };
        let running = keybearer_server::start(parts).await.context("open the doors")?;
        Ok(Self { running, broker, _lock: lock })
    }

    /// Looks around, as the core does once a minute.
    pub(super) fn look_around(&self) {
        self.broker.look_around();
    }

    /// Ends it in good order.
    pub(super) async fn stop(self) {
        self.running.stop().await;
    }

    /// Ends it at once, but writes what is still to be recorded.
    pub(super) fn close(self) {
        drop(self.running);
        self.broker.flush();
    }
}
