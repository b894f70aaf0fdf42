//! Servers of the transport of 2024-11-05: their stream's first event names the address that messages are posted to.
//!
//! The client is told an address of this door instead, which serves only it and only while the stream is open: a message
//! that is posted there is judged as any other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use keybearer_mcp::sse::Decoder;
use keybearer_model::name::ServerName;
use url::Url;

use crate::visitor::{Owner, Visitor};

/// The longest first event that is waited for; a longer one names no address.
const LONGEST_OPENING: usize = 16 << 10;

/// Where messages of open streams go, by the id in this door's own address.
#[derive(Default)]
pub(crate) struct Endpoints {
    // Held for a look-up, never across an await.
    by_id: Mutex<HashMap<Box<str>, Arc<Endpoint>>>,
}

/// The address that one stream named.
pub(crate) struct Endpoint {
    owner: Owner,
    server: ServerName,
    /// Of the origin that the server's credential is for.
    pub(crate) url: Url,
}

/// The first event of a stream, which may name an address.
pub(crate) struct Opening {
    endpoints: Arc<Endpoints>,
    /// Given to the endpoint, if there is one.
    owner: Option<Owner>,
    server: ServerName,
    stream: Url,
    decoder: Decoder,
    held: BytesMut,
}

/// What is known after more of a stream has come.
pub(crate) enum Opened {
    /// The first event is not whole yet.
    NotYet,
    /// What the client is sent; the rest of the stream passes as it comes. An address serves as long as this is held.
    As(Bytes, Option<Serving>),
    /// It names an address where the credential must not go.
    Elsewhere,
}

/// As long as this is held, messages are taken at a stream's address.
pub(crate) struct Serving {
    endpoints: Arc<Endpoints>,
    id: Box<str>,
}

impl Endpoints {
    /// Where a message of this visitor goes that was posted to the address with this id.
    pub(crate) fn find(&self, id: &str, server: &ServerName, visitor: &Visitor) -> Option<Arc<Endpoint>> {
        let by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        by_id.get(id).filter(|endpoint| endpoint.server == *server && endpoint.owner.is(visitor)).map(Arc::clone)
    }

    fn serve(self: &Arc<Self>, endpoint: Endpoint) -> Option<Serving> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).ok()?;
        let id: Box<str> = random.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        let mut by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        by_id.insert(id.clone(), Arc::new(endpoint));
        Some(Serving { endpoints: Arc::clone(self), id })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.endpoints.by_id.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Opening {
    /// The beginning of the stream that `server` has opened at `stream` for this visitor.
    pub(crate) fn new(endpoints: &Arc<Endpoints>, server: &ServerName, visitor: &Visitor, stream: Url) -> Self {
        Self {
            endpoints: Arc::clone(endpoints),
            owner: Some(Owner::of(visitor)),
            server: server.clone(),
            stream,
            decoder: Decoder::new(),
            held: BytesMut::new(),
        }
    }

    /// Takes what has come.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Opened {
        let from = self.held.len();
        self.held.extend_from_slice(chunk);
        for at in from..self.held.len() {
            // Byte by byte, so that it is known where the event ends.
            match self.decoder.feed(&self.held[at..=at]).as_deref() {
                Ok([]) => {}
                Ok([event, ..]) if event.event.as_deref() == Some("endpoint") => {
                    let address = String::from_utf8_lossy(&event.data).into_owned();
                    return self.rewritten(&address, at + 1);
                }
                Ok([_, ..]) | Err(_) => return self.unchanged(),
            }
        }
        if self.held.len() > LONGEST_OPENING { self.unchanged() } else { Opened::NotYet }
    }

    /// What has come of a stream that has ended.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    fn unchanged(&mut self) -> Opened {
        Opened::As(self.rest(), None)
    }

    fn rewritten(&mut self, address: &str, end: usize) -> Opened {
        let Some(url) = self.stream.join(address.trim()).ok().filter(|url| is_same_origin(url, &self.stream)) else {
            tracing::warn!(server = %self.server, "a server names an address of another origin for its messages");
            return Opened::Elsewhere;
        };
        let Some(owner) = self.owner.take() else { return Opened::Elsewhere };
        let endpoint = Endpoint { owner, server: self.server.clone(), url };
        let Some(serving) = self.endpoints.serve(endpoint) else { return Opened::Elsewhere };
        let mut told = format!("event: endpoint\ndata: /mcp/{}/messages/{}\n\n", self.server, serving.id).into_bytes();
        told.extend_from_slice(&self.held[end..]);
        self.held.clear();
        Opened::As(told.into(), Some(serving))
    }
}

fn is_same_origin(url: &Url, stream: &Url) -> bool {
    url.origin() == stream.origin() && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use keybearer_model::caller::Caller;

    use super::*;

    fn visitor(name: &str) -> Visitor {
        Visitor { caller: Arc::new(Caller::by_key(name.parse().unwrap())), registered: None }
    }

    fn opening(endpoints: &Arc<Endpoints>) -> Opening {
        let stream = "https://crm.test/base/sse?tenant=1".parse().unwrap();
        Opening::new(endpoints, &"crm".parse().unwrap(), &visitor("one"), stream)
    }

    /// What the client is sent for these chunks, or why nothing.
    fn told(chunks: &[&str]) -> Result<(String, Option<Serving>), &'static str> {
        let endpoints = Arc::default();
        let mut opening = opening(&endpoints);
        for chunk in chunks {
            match opening.feed(chunk.as_bytes()) {
                Opened::NotYet => {}
                Opened::As(bytes, serving) => return Ok((String::from_utf8(bytes.to_vec()).unwrap(), serving)),
                Opened::Elsewhere => return Err("elsewhere"),
            }
        }
        Err("not yet")
    }

    #[test]
    fn an_address_becomes_one_of_this_door_s_and_the_rest_stays() {
        for address in ["/messages?sessionId=7", "messages?sessionId=7", "https://crm.test/messages?sessionId=7"] {
            let whole = format!(": hello\nevent: endpoint\ndata: {address}\n\nevent: message\ndata: {{}}\n\n");
            let cut: Vec<&str> = whole.split_inclusive(':').collect();
            for chunks in [&[whole.as_str()][..], &cut] {
                let (text, serving) = told(chunks).unwrap();
                let (first, rest) = text.split_once("\n\n").unwrap();
                let id = serving.unwrap().id.clone();
                assert_eq!(first, format!("event: endpoint\ndata: /mcp/crm/messages/{id}"));
                assert!("event: message\ndata: {}\n\n".starts_with(rest), "{rest}");
            }
        }
    }

    #[test]
    fn any_other_stream_passes_as_it_is() {
        for whole in
            ["id: 1\ndata:\n\n", "data: {}\n\nevent: endpoint\ndata: /x\n\n", "event: message\r\ndata: {}\r\n\r\n"]
        {
            let (text, serving) = told(&[whole]).unwrap();
            assert!(serving.is_none() && text == whole, "{text}");
        }
        assert_eq!(told(&["data: x\n", ": y\n"]).err(), Some("not yet"));
        let long = format!("data: {}", "x".repeat(LONGEST_OPENING));
        assert_eq!(told(&[&long]).unwrap().0, long);
    }

    #[test]
    fn an_address_elsewhere_is_not_served() {
        for address in
            ["https://evil.test/messages", "http://crm.test/messages", "//evil.test/", "https://a:b@crm.test/"]
        {
            assert_eq!(told(&[&format!("event: endpoint\ndata: {address}\n\n")]).err(), Some("elsewhere"), "{address}");
        }
    }

    #[test]
    fn an_address_serves_its_client_while_the_stream_is_open() {
        let endpoints = Arc::default();
        let Opened::As(_, Some(serving)) = opening(&endpoints).feed(b"event: endpoint\ndata: /m\n\n") else {
            panic!("no address")
        };
        let find = |server: &str, who| endpoints.find(&serving.id, &server.parse().unwrap(), &visitor(who));
        assert_eq!(find("crm", "one").unwrap().url.as_str(), "https://crm.test/m");
        assert!(find("crm", "other").is_none() && find("wiki", "one").is_none());
        let id = serving.id.clone();
        drop(serving);
        assert!(endpoints.find(&id, &"crm".parse().unwrap(), &visitor("one")).is_none());
    }
}
