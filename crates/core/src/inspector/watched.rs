//! A call that is under way, and what of it will be shown.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::cut::{self, Messages};
use super::{Exchange, Inspector};

/// Of each direction so many bytes are kept; what is larger is not shown.
const LONGEST: usize = 64 << 10;

/// One call's messages as they are. What may be shown of them is decided at its end, when all secrets are known.
pub(crate) struct Watched {
    inspector: Inspector,
    exchange: Exchange,
    sent: Raw,
    got: Raw,
    /// The values of the credentials that were attached: they are cut wherever they turn up.
    secrets: Vec<HeaderValue>,
}

#[derive(Default)]
struct Raw {
    bytes: Vec<u8>,
    all: u64,
}

impl Raw {
    fn add(&mut self, bytes: &[u8]) {
        self.all += bytes.len() as u64;
        if self.all <= LONGEST as u64 {
            self.bytes.extend_from_slice(bytes);
        } else {
            // Half a message cannot be looked through for secrets.
            self.bytes = Vec::new();
        }
    }

    fn shown(&self, secrets: &[HeaderValue]) -> Messages {
        cut::messages(&self.bytes, self.all, secrets)
    }
}

impl Watched {
    pub(super) fn begun(inspector: Inspector, number: u64) -> Self {
        let exchange = Exchange { number, ..Exchange::default() };
        Self { inspector, exchange, sent: Raw::default(), got: Raw::default(), secrets: Vec::new() }
    }

    pub(crate) fn number(&self) -> u64 {
        self.exchange.number
    }

    /// The app's headers, and those that go on.
    pub(crate) fn headers(&mut self, came: &HeaderMap, passed: &HeaderMap) {
        let names = |stripped: bool| {
            came.keys().filter(move |name| !stripped || !passed.contains_key(*name)).map(ToString::to_string)
        };
        (self.exchange.came, self.exchange.stripped) = (names(false).collect(), names(true).collect());
    }

    /// The credential, as often as it is another one.
    pub(crate) fn credential(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.exchange.credential = Some(name.to_string());
        if !self.secrets.contains(value) {
            self.secrets.push(value.clone());
        }
    }

    pub(crate) fn sent(&mut self, body: &[u8]) {
        self.sent.add(body);
    }

    pub(crate) fn answered(&mut self, status: u16) {
        self.exchange.status = Some(status);
    }

    pub(crate) fn got(&mut self, piece: &[u8]) {
        self.got.add(piece);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut exchange = std::mem::take(&mut self.exchange);
        (exchange.sent, exchange.got) = (self.sent.shown(&self.secrets), self.got.shown(&self.secrets));
        self.inspector.keep(exchange);
    }
}
