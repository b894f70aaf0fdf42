//! Where calls go: what each of them needs of a URL, taken apart once.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Uri};
use keybearer_core::admission::Permit;
use url::{Position, Url};

use super::Outgoing;
use super::pool::Pool;

/// What belongs to a connection or to the framing of its messages: it is written here and by nobody else.
const OURS: [HeaderName; 9] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A place upstream, and the lines that lead there.
pub(super) struct Route {
    pub(super) url: Url,
    pub(super) pool: Arc<Pool>,
    /// The request line behind the method, and what every head begins with.
    opening: Box<[u8]>,
}

/// A call as it goes along a route.
pub(super) struct Message<'a> {
    pub(super) route: &'a Route,
    pub(super) permit: &'a Permit,
    pub(super) outgoing: &'a Outgoing<'a>,
}

impl Route {
    /// The way to `url`.
    ///
    /// # Errors
    /// In words, if it cannot be asked over HTTP.
    pub(super) fn to(url: Url, pool: Arc<Pool>) -> Result<Self, String> {
        let target = &url[Position::BeforePath..Position::AfterQuery];
        let host = &url[Position::BeforeHost..Position::AfterPort];
        target.parse::<Uri>().map_err(|_| "its address cannot be asked over HTTP".to_owned())?;
        HeaderValue::from_str(host).map_err(|_| "its name cannot be asked over HTTP".to_owned())?;
        // Answers are looked through for our own secrets, which compression would hide.
        let opening = format!(" {target} HTTP/1.1\r\nhost: {host}\r\naccept-encoding: identity\r\n");
        Ok(Self { opening: opening.into_bytes().into(), url, pool })
    }
}

impl Message<'_> {
    pub(super) fn method(&self) -> &Method {
        &self.outgoing.method
    }

    pub(super) fn body(&self) -> &Bytes {
        &self.outgoing.body
    }

    /// Writes its head, the credential in it.
    pub(super) fn write_head(&self, head: &mut Vec<u8>) {
        head.extend_from_slice(self.outgoing.method.as_str().as_bytes());
        head.extend_from_slice(&self.route.opening);
        self.permit.authorized(self.outgoing.fields(), |name, value| {
            if !OURS.contains(name) {
                head.extend_from_slice(name.as_str().as_bytes());
                head.extend_from_slice(b": ");
                head.extend_from_slice(value.as_bytes());
                head.extend_from_slice(b"\r\n");
            }
        });
        let length = self.outgoing.body.len();
        if length > 0 || self.outgoing.method == Method::POST {
            head.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
        }
        head.extend_from_slice(b"\r\n");
    }
}
