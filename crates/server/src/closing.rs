//! Ends permissions when their programs close or their time is over.

use std::collections::BTreeSet;
use std::time::Duration;

use keybearer_core::broker::Broker;
use keybearer_model::program::ProcessId;
use keybearer_os::peer;
use tokio::task::JoinSet;

/// The shortest pause between two looks at what has run out.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches until the task is dropped. Nothing wakes up while nothing is allowed beyond a call.
pub(crate) async fn watch(broker: Broker) {
    let mut changes = broker.changes();
    let (mut watched, mut closing) = (BTreeSet::new(), JoinSet::new());
    loop {
        changes.borrow_and_update();
        for process in broker.awaited_programs() {
            if watched.insert(process) {
                closing.spawn(closed(process));
            }
        }
        let next = broker.sweep_permissions().map(|left| left.max(PAUSE));
        let run_out = async {
            match next {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            Some(Ok(process)) = closing.join_next() => {
                watched.remove(&process);
                broker.program_closed(process);
            }
            () = run_out => {}
        }
    }
}

async fn closed(process: ProcessId) -> ProcessId {
    peer::ended(process).await;
    process
}
