//! Between the eras: the handshake with a server, and what a request or a result needs where client and server are not
//! of the same era.

use std::borrow::Cow;

use keybearer_mcp::modern::FIRST_MODERN;
use keybearer_model::name::OWN_SERVER;
use serde_json::value::RawValue;

use super::inner::{Inner, Origin};
use super::raw::{Answer, Object, Raw, raw};

/// What belongs to one request in the modern era, and to a session in the legacy one.
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// The newest version that has sessions.
const LAST_LEGACY: &str = "2025-11-25";

/// Legacy: `initialize` and sessions. Modern: every request speaks for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    Legacy,
    Modern,
}

/// What the client says of itself.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) era: Era,
    /// The version that it speaks.
    pub(super) version: String,
    pub(super) capabilities: Raw,
    pub(super) info: Raw,
}

impl Client {
    /// A client of the legacy era, by the parameters of its `initialize`.
    pub(super) fn legacy(params: &Object) -> Self {
        let or_empty = |name: &str| params.get(name).map_or_else(|| raw(&Object::default()), ToOwned::to_owned);
        let version = params.text("protocolVersion").unwrap_or_else(|| LAST_LEGACY.to_owned());
        // A client that names a newer version to `initialize` is given the last one that has it.
        let version = if version.as_str() >= FIRST_MODERN { LAST_LEGACY.to_owned() } else { version };
        Self { era: Era::Legacy, version, capabilities: or_empty("capabilities"), info: or_empty("clientInfo") }
    }

    /// A client of the modern era, by the `_meta` of its request.
    pub(super) fn modern(params: &Object) -> Self {
        let meta = Object::of(params.get("_meta"));
        let nobody = || raw(&serde_json::json!({ "name": "unknown", "version": "0" }));
        Self {
            era: Era::Modern,
            version: meta.text(VERSION).unwrap_or_else(|| FIRST_MODERN.to_owned()),
            capabilities: meta.get(CAPABILITIES).map_or_else(|| raw(&Object::default()), ToOwned::to_owned),
            info: meta.get(CLIENT).map_or_else(nobody, ToOwned::to_owned),
        }
    }

    /// The `_meta` of a request of ours to a modern server.
    fn meta(&self, mut meta: Object) -> Object {
        let version = if self.era == Era::Modern { self.version.as_str() } else { FIRST_MODERN };
        for (name, value) in
            [(VERSION, raw(version)), (CAPABILITIES, self.capabilities.clone()), (CLIENT, self.info.clone())]
        {
            if meta.get(name).is_none() {
                meta.set(name, value);
            }
        }
        meta
    }
}

/// What a server said of itself.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) era: Era,
    capabilities: Object,
    /// The stdio door answered in the server's place, which it knows nothing of yet.
    guessed: bool,
}

impl Facts {
    fn read(era: Era, result: &RawValue) -> Self {
        let result = Object::of(Some(result));
        let guessed = Object::of(result.get("serverInfo")).text("name").as_deref() == Some(OWN_SERVER);
        Self { era, capabilities: Object::of(result.get("capabilities")), guessed }
    }

    pub(super) fn offers(&self, capability: &str) -> bool {
        self.guessed || self.capabilities.get(capability).is_some()
    }
}

/// Shakes hands with a server, in the client's era where the server knows it. An error is the server's.
pub(super) async fn meet(inner: &Inner, client: &Client, origin: &Origin) -> Option<Result<Facts, Answer>> {
    let first = match client.era {
        Era::Legacy => initialize(inner, client, origin).await?,
        Era::Modern => discover(inner, client, origin).await?,
    };
    if first.is_ok() {
        return Some(first);
    }
    let second = match client.era {
        Era::Legacy if first.as_ref().is_err_and(says_unknown) => discover(inner, client, origin).await?,
        Era::Legacy => return Some(first),
        Era::Modern => initialize(inner, client, origin).await?,
    };
    Some(second)
}

/// Whether an error says that the server does not know `initialize`, rather than that something else stands in the way.
fn says_unknown(error: &Answer) -> bool {
    matches!(error.code(), Some(-32601 | -32600 | -32602 | -32022..=-32020))
}

async fn discover(inner: &Inner, client: &Client, origin: &Origin) -> Option<Result<Facts, Answer>> {
    let mut params = Object::default();
    params.set("_meta", client.meta(Object::default()).raw());
    Some(match inner.request("server/discover", params, origin).await? {
        Answer::Result(result) => Ok(Facts::read(Era::Modern, &result)),
        error @ Answer::Error(_) => Err(error),
    })
}

async fn initialize(inner: &Inner, client: &Client, origin: &Origin) -> Option<Result<Facts, Answer>> {
    // A modern client cannot be asked anything by a server: nothing is promised in its name.
    let (version, capabilities) = match client.era {
        Era::Legacy => (client.version.as_str(), client.capabilities.clone()),
        Era::Modern => (LAST_LEGACY, raw(&Object::default())),
    };
    let mut params = Object::default();
    params.set("protocolVersion", raw(version));
    params.set("capabilities", capabilities);
    params.set("clientInfo", client.info.clone());
    let result = match inner.request("initialize", params, origin).await? {
        Answer::Result(result) => Facts::read(Era::Legacy, &result),
        error @ Answer::Error(_) => return Some(Err(error)),
    };
    inner.notify("notifications/initialized", None).await;
    Some(Ok(result))
}

/// A request's parameters as a server of `era` takes them.
pub(super) fn fit(mut params: Object, client: &Client, era: Era) -> Object {
    let mut meta = Object::of(params.get("_meta"));
    match era {
        Era::Modern => meta = client.meta(meta),
        Era::Legacy => [VERSION, CAPABILITIES, CLIENT, LEVEL].iter().for_each(|name| drop(meta.remove(name))),
    }
    if meta.is_empty() {
        params.remove("_meta");
    } else {
        params.set("_meta", meta.raw());
    }
    params
}

/// A result as a client takes it: the modern era wants every result to say what it is, and for how long it holds.
pub(super) fn dress<'a>(result: &'a RawValue, client: Era, server: Era, method: &str) -> Cow<'a, RawValue> {
    if client == Era::Legacy || server == Era::Modern {
        return Cow::Borrowed(result);
    }
    let mut dressed = Object::of(Some(result));
    let holds = method.ends_with("/list") || method == "resources/read";
    let besides = [("ttlMs", raw(&0)), ("cacheScope", raw("private"))];
    for (name, value) in [("resultType", raw("complete"))].into_iter().chain(besides.into_iter().filter(|_| holds)) {
        if dressed.get(name).is_none() {
            dressed.set(name, value);
        }
    }
    Cow::Owned(dressed.raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        serde_json::from_str(text).unwrap()
    }

    const MODERN: &str = r#"{"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}},"progressToken":7}}"#;

    #[test]
    fn a_request_is_fitted_to_the_server() {
        let client = Client::modern(&object(MODERN));
        assert_eq!(
            fit(object(MODERN), &client, Era::Legacy).raw().get(),
            r#"{"name":"x","_meta":{"progressToken":7}}"#
        );
        let legacy =
            Client::legacy(&object(r#"{"protocolVersion":"2025-06-18","capabilities":{"a":1},"clientInfo":{}}"#));
        let fitted = fit(object(r#"{"x":1}"#), &legacy, Era::Modern);
        assert_eq!(
            fitted.raw().get(),
            r#"{"x":1,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"a":1},"io.modelcontextprotocol/clientInfo":{}}}"#
        );
    }

    #[test]
    fn a_legacy_result_says_what_it_is_to_a_modern_client_alone() {
        let result = raw(&object(r#"{"contents":[],"x":1}"#));
        assert_eq!(dress(&result, Era::Legacy, Era::Legacy, "resources/read").get(), result.get());
        assert_eq!(
            dress(&result, Era::Modern, Era::Legacy, "resources/read").get(),
            r#"{"contents":[],"x":1,"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#
        );
        assert_eq!(
            dress(&raw(&object(r#"{"resultType":"task"}"#)), Era::Modern, Era::Legacy, "tools/call").get(),
            r#"{"resultType":"task"}"#
        );
    }
}
