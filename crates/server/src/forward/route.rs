//! Where calls go: what each of them needs of a URL, taken apart once.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HOST, HeaderValue};
use http::{Request, Uri};
use http_body_util::Full;
use keybearer_core::admission::Permit;
use url::{Position, Url};

use super::Outgoing;
use super::pool::Pool;

/// A place upstream, and the lines that lead there.
pub(super) struct Route {
    pub(super) url: Url,
    pub(super) pool: Arc<Pool>,
    target: Uri,
    host: HeaderValue,
}

impl Route {
    /// The way to `url`.
    ///
    /// # Errors
    /// In words, if it cannot be asked over HTTP.
    pub(super) fn to(url: Url, pool: Arc<Pool>) -> Result<Self, String> {
        let target = url[Position::BeforePath..Position::AfterQuery]
            .parse()
            .map_err(|_| "its address cannot be asked over HTTP".to_owned())?;
        let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])
            .map_err(|_| "its name cannot be asked over HTTP".to_owned())?;
        Ok(Self { url, pool, target, host })
    }

    /// The request that this call is here.
    pub(super) fn request(&self, permit: &Permit, outgoing: &Outgoing) -> Request<Full<Bytes>> {
        let mut headers = outgoing.headers.clone();
        headers.insert(HOST, self.host.clone());
        // Answers are looked through for our own secrets, which compression would hide.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        permit.authorize(&mut headers);
        let mut request = Request::new(Full::new(outgoing.body.clone()));
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = headers;
        request
    }
}
