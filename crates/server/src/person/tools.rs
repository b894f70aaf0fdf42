//! A server's tools, listed for the person at the window.

use keybearer_control::activity::Risk;
use keybearer_control::error::{Code, Error, Exactly};
use keybearer_control::pages::Tool;
use keybearer_control::wire::Reply;
use keybearer_core::keeper::Standing;
use keybearer_mcp::risk;
use keybearer_model::call::RiskClass;
use keybearer_model::name::ServerName;
use keybearer_os::peer::Peer;
use serde_json::Value;

use super::told;
use crate::control::{Control, unknown_server};
use crate::own;

impl Control {
    /// The tools of a server. Whoever looks has begun the session, so that beginning it asks nobody; listing them is
    /// all that is done in it.
    pub(crate) async fn tools(&self, server: &str, peer: Option<&Peer>) -> Result<Reply, Error> {
        let name: ServerName = server.parse().map_err(|cause| Error::new(Code::BadRequest, format!("{cause}")))?;
        let Some(state) = self.broker.sign_in_state(&name) else {
            return Err(unknown_server(&name));
        };
        if matches!(state.standing, Standing::Needed(_) | Standing::SigningIn) {
            return Err(sign_in_first(&name));
        }
        let chain = peer.map(|peer| peer.clone().whole_chain()).unwrap_or_default();
        let (caller, _) = self.broker.caller_by_chain(chain);
        let listed = own::tools_of(self.bridges.begun_by_person(), caller, &name).await;
        let listed = listed.map_err(|said| Error::new(Code::Unreachable, said))?;
        Ok(Reply::Tools { tools: listed.iter().filter_map(tool).collect() })
    }
}

fn sign_in_first(name: &ServerName) -> Error {
    Error::new(Code::SignInNeeded, format!("sign in to `{name}` to see its tools"))
        .exactly(Exactly::SignInFirst { name: name.to_string() })
}

fn tool(listed: &Value) -> Option<Tool> {
    let text = |member: &str| listed.get(member).and_then(Value::as_str).map(told);
    let name = listed.get("name")?.as_str()?;
    let annotated = listed.get("annotations").and_then(|annotations| annotations.get("title")?.as_str()).map(told);
    Some(Tool {
        name: told(name),
        title: text("title").or(annotated),
        description: text("description"),
        risk: match risk::of_tool(name) {
            RiskClass::Read => Risk::Read,
            RiskClass::Change => Risk::Change,
            RiskClass::Delete => Risk::Delete,
            RiskClass::Send => Risk::Send,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tool_is_told_in_clean_words_and_its_risk_is_our_judgement() {
        let listed = json!({ "name": "delete_account", "annotations": { "title": "Look\u{202e}", "readOnlyHint": true }, "description": "x".repeat(5_000) });
        let tool = tool(&listed).unwrap();
        assert_eq!((tool.risk, tool.title.as_deref()), (Risk::Delete, Some("Look\u{FFFD}")));
        assert_eq!(tool.description.unwrap().chars().count(), 2_000);
        assert_eq!(super::tool(&json!({ "title": "nameless" })), None);
    }
}
