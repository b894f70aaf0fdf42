//! A request on its way to one server, and its answer on the way back.

use std::sync::Arc;

use keybearer_mcp::reply::Obstacle;
use serde_json::value::RawValue;

use super::era::{self, Era};
use super::hub::{Hub, obstacle};
use super::open::Open;
use super::raw::{Answer, Object, Raw};
use super::route::Asking;

/// How often a server may come back with further questions during one call.
const MOST_ROUNDS: usize = 8;

/// What a server may want to know of a client.
const ASKABLE: [&str; 3] = ["elicitation/create", "sampling/createMessage", "roots/list"];

impl Hub {
    /// Asks a server in the words of its era, and answers in those of the client's.
    pub(super) async fn send(&self, open: &Arc<Open>, asking: Asking) -> Answer {
        let Asking { method, params, client, origin } = asking;
        let era = open.facts.era;
        let mut params = era::fit(params, &client, era);
        let gone = || obstacle(Obstacle::Interrupted, &open.inner.server);
        for _ in 0..MOST_ROUNDS {
            let result = match open.inner.request(&method, params.clone(), &origin).await {
                Some(Answer::Result(result)) => result,
                Some(error @ Answer::Error(_)) => return error,
                None => return gone(),
            };
            let asks = (client.era == Era::Legacy && era == Era::Modern).then(|| questions(&result)).flatten();
            let Some((questions, state)) = asks else {
                return Answer::Result(era::dress(&result, client.era, era, &method).into_owned());
            };
            // A legacy client is asked by requests of ours; the server is asked again with what it said.
            let mut responses = Object::default();
            for (key, question) in questions.members() {
                let question = Object::of(Some(question));
                let about = question.text("method").unwrap_or_default();
                if !ASKABLE.contains(&about.as_str()) {
                    return gone();
                }
                match self.asked.ask(&origin.stream, &about, question.get("params")).await {
                    Answer::Result(response) => responses.set(key, response),
                    error @ Answer::Error(_) => return error,
                }
            }
            params.set("inputResponses", responses.raw());
            match state {
                Some(state) => params.set("requestState", state),
                None => drop(params.remove("requestState")),
            }
        }
        gone()
    }
}

/// What a modern server wants to know before it goes on, and the state that it wants back as it is.
fn questions(result: &RawValue) -> Option<(Object, Option<Raw>)> {
    let result = Object::of(Some(result));
    if result.text("resultType").as_deref() != Some("input_required") {
        return None;
    }
    Some((Object::of(result.get("inputRequests")), result.get("requestState").map(ToOwned::to_owned)))
}
