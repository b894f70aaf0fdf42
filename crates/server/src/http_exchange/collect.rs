//! A request's body, whole and bounded.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;

use super::LARGEST_MESSAGE;
use crate::half_closed::Said;

/// The whole body, without a copy where it came in one piece.
pub(super) async fn collect(mut said: Said) -> Result<Bytes, StatusCode> {
    if said.body.size_hint().lower() > LARGEST_MESSAGE as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = said.body.frame().await {
        let Ok(data) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > LARGEST_MESSAGE {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    said.heard_out();
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}
