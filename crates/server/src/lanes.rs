//! The threads that carry calls, one event loop each.
//!
//! A connection stays on the lane that it was put on, and so do the lines to servers that its calls use: a call wakes no
//! other thread, and shares no lock with another lane's. What a person or the disk is waited for runs elsewhere.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::forward::Forwarder;

/// More lanes than this serve nobody: the programs of one person do not call that often.
const MOST: usize = 4;

/// So many connections are put on a lane before the next one gets any: together they fill the turns of its event loop,
/// and a thread that sleeps between any two calls costs more than it spares.
const FILL: usize = 16;

/// All lanes. Dropping them ends what runs there, and waits for that end; never drop them on a lane.
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
}

/// One of them.
pub(crate) struct Lane {
    /// Where its tasks are spawned.
    pub(crate) runtime: Handle,
    /// The forwarder whose lines belong to this event loop.
    pub(crate) forwarder: Arc<Forwarder>,
    /// One more than the connections that are on it.
    places: Arc<()>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lanes {
    /// Opens one lane for each core of the machine, with a forwarder like this one each.
    ///
    /// # Errors
    /// If the system gives no thread or no event loop.
    pub(crate) fn open(forwarder: &Forwarder) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from).min(MOST);
        let lanes = (0..count).map(|_| Lane::open(forwarder.another())).collect::<io::Result<_>>()?;
        Ok(Self { lanes })
    }

    /// The lane for one more connection, and its place there, which it holds as long as it lasts: the first lane that is
    /// not filled, else the one with the fewest.
    pub(crate) fn next(&self) -> (&Lane, Place) {
        let unfilled = self.lanes.iter().find(|lane| lane.connections() < FILL);
        let lane = unfilled.or_else(|| self.lanes.iter().min_by_key(|lane| lane.connections()));
        let lane = lane.unwrap_or(&self.lanes[0]);
        (lane, Place(Arc::clone(&lane.places)))
    }
}

/// A connection's place on a lane.
pub(crate) struct Place(#[expect(dead_code, reason = "it counts as long as it is there")] Arc<()>);

impl Lane {
    fn connections(&self) -> usize {
        Arc::strong_count(&self.places) - 1
    }

    fn open(forwarder: Forwarder) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("lane".to_owned()).spawn(move || drive(runtime, stopped))?;
        Ok(Self {
            runtime: handle,
            forwarder: Arc::new(forwarder),
            places: Arc::default(),
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

fn drive(runtime: Runtime, stopped: oneshot::Receiver<()>) {
    // Told so, or nobody is left who could: both are the end.
    let _ = runtime.block_on(stopped);
    // A name that is still being looked up must not hold up the end.
    runtime.shutdown_background();
}

impl Drop for Lane {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes() -> Lanes {
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let tls =
            tls.with_safe_default_protocol_versions().unwrap().with_root_certificates(rustls::RootCertStore::empty());
        Lanes::open(&Forwarder::new(Arc::new(tls.with_no_client_auth()))).unwrap()
    }

    #[test]
    fn a_lane_is_filled_before_the_next_and_then_all_get_the_same() {
        let lanes = lanes();
        let count = lanes.lanes.len();
        let on = |number: usize| lanes.lanes[number].connections();
        let mut places: Vec<_> = (0..FILL).map(|_| lanes.next().1).collect();
        assert_eq!(on(0), FILL);
        places.extend((FILL..3 * FILL * count).map(|_| lanes.next().1));
        assert!((0..count).all(|number| on(number) == 3 * FILL));
        // Whoever leaves makes room for the next one to come.
        places.drain(..1);
        assert_eq!(on(0), 3 * FILL - 1);
        places.push(lanes.next().1);
        assert_eq!(on(0), 3 * FILL);
        drop(places);
        assert!((0..count).all(|number| on(number) == 0));
    }

    #[test]
    fn connections_run_on_a_thread_of_each_lane_and_all_ends_with_the_lanes() {
        let lanes = lanes();
        let count = lanes.lanes.len();
        let (held, ended) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        for _ in 0..FILL * count {
            let (held, tell) = (held.clone(), tell.clone());
            let (lane, place) = lanes.next();
            lane.runtime.spawn(async move {
                tell.send(thread::current().id()).unwrap();
                std::future::pending::<()>().await;
                drop((held, place));
            });
        }
        let threads: std::collections::HashSet<_> = told.iter().take(FILL * count).collect();
        assert_eq!(threads.len(), count);
        drop((lanes, held));
        assert!(ended.try_recv().is_err_and(|error| error == std::sync::mpsc::TryRecvError::Disconnected));
    }
}
