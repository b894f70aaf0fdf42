//! What the person at the window wants to see: activity as it happens, a server's tools, what is at an address, the
//! settings. Nothing here calls a tool, and nothing loosens but `resume_access`, which undoes the person's own stop.

mod activity;
mod inspecting;
mod tools;

use keybearer_control::error::{Code, Error};
use keybearer_control::pages::{Found, Setting, Settings, Source};
use keybearer_control::plain::{clean, middle};
use keybearer_control::wire::Reply;
use keybearer_core::look;
use keybearer_model::url::Upstream;

use crate::control::Control;
use crate::prompts::Peer;
use crate::view;

/// Foreign text is told to this length.
const LONGEST: usize = 2_000;

impl Control {
    /// What is at an address.
    pub(crate) async fn look(&self, url: &str) -> Result<Reply, Error> {
        let upstream: Upstream = url.parse().map_err(|cause| Error::new(Code::BadRequest, format!("{cause}")))?;
        let found = match self.broker.look(&upstream).await {
            look::Found::Open(name) => Found::Open { name: name.as_deref().map(told) },
            look::Found::SignIn(issuer) => Found::SignIn { issuer: issuer.as_deref().map(told) },
            look::Found::Locked => Found::Locked,
            look::Found::Foreign(status) => Found::Foreign { status },
            look::Found::Unreachable(detail) => Found::Unreachable { detail: told(&detail) },
            look::Found::Certificate(detail) => Found::Certificate { detail: told(&detail) },
            look::Found::Interrupted(detail) => Found::Interrupted { detail: told(&detail) },
        };
        Ok(Reply::Found { found })
    }

    /// The settings in force.
    pub(crate) fn settings(&self) -> Reply {
        let places = self.broker.places();
        let shown = self.broker.shown_settings().into_iter().map(|shown| Setting {
            name: shown.name.to_owned(),
            value: shown.value,
            source: shown.line.map_or(Source::Default, |line| Source::File { line }),
        });
        let settings = Settings {
            file: places.config_file.display().to_string(),
            state: places.state.display().to_string(),
            audit: places.audit.display().to_string(),
            rules: self.broker.config().policy.rules.len(),
            settings: shown.collect(),
        };
        Reply::Settings { settings }
    }

    pub(crate) async fn stop_access(&self) -> Result<Reply, Error> {
        let stopped = self.broker.stop_access().await;
        stopped.map(|()| Reply::Done).map_err(|error| view::change_error(&self.broker, &error))
    }

    pub(crate) async fn resume_access(&self, peer: &Peer) -> Result<Reply, Error> {
        if !peer.may_loosen(&self.broker) {
            return Err(Error::new(Code::NotAllowed, "only the person can allow access again")
                .hint("do it in the Keybearer window"));
        }
        let resumed = self.broker.resume_access().await;
        resumed.map(|()| Reply::Done).map_err(|error| view::change_error(&self.broker, &error))
    }
}

/// Foreign text, clean and at a length that a reader can bear.
fn told(text: &str) -> String {
    middle(&clean(text), LONGEST)
}
