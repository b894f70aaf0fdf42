//! The core's log, on standard error.

use keybearer_control::env;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

/// Starts logging, filtered as `KEYBEARER_LOG` says.
pub(crate) fn start() {
    let wanted = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).with_env_var(env::LOG);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // A second start in one process changes nothing: the first one's subscriber stays.
    let _ = Registry::default().with(capped(lines, wanted.from_env_lossy())).try_init();
}

/// `layer` behind the filter that was asked for and, whatever that says, dependencies at `info` at most (SEC-36): some
/// of them write tokens and codes at `debug`, and the MCP library messages at `info`.
fn capped<S>(layer: impl Layer<S>, wanted: EnvFilter) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    layer.with_filter(wanted.and(filter_fn(ours_or_calm)))
}

fn ours_or_calm(event: &Metadata<'_>) -> bool {
    let ours = event.target() == "keybearer" || event.target().starts_with("keybearer_");
    // The MCP library tells at `info` what clients send.
    let most = if event.target().starts_with("rmcp") { Level::ERROR } else { Level::INFO };
    ours || *event.level() <= most
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer =
            tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(move || writer.clone());
        let subscriber = Registry::default().with(capped(layer, EnvFilter::new(filter)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "keybearer_core::broker", "ours in detail");
            tracing::info!(target: "hyper::proto", "theirs in calm");
            tracing::debug!(target: "hyper::proto", "code=cAnArY");
            tracing::debug!(target: "keybearerish", "code=cAnArY");
            tracing::info!(target: "rmcp::service", "arguments=cAnArY");
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn sec_36_dependencies_stay_at_info_whatever_is_asked_for() {
        for filter in ["trace", "hyper=trace,keybearer_core=trace,keybearerish=trace", "debug,hyper::proto=trace"] {
            let log = logged(filter);
            assert!(!log.contains("cAnArY"), "{filter} lets {log} through");
            assert!(log.contains("ours in detail"), "{filter} hides ours");
        }
        assert!(logged("trace").contains("theirs in calm"));
        assert!(!logged("info").contains("ours in detail"));
    }
}
