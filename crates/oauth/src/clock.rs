//! The other side's own time of day, as it writes it on its answers.

use chrono::DateTime;
use http::Response;
use http::header::DATE;
use keybearer_model::time::Timestamp;

/// The `Date` of an answer (RFC 9110 §6.6.1): what the other side signs, it signs by that clock, and ours may be wrong.
pub(crate) fn date<T>(reply: &Response<T>) -> Option<Timestamp> {
    let text = reply.headers().get(DATE)?.to_str().ok()?;
    Some(Timestamp::from_millis(DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis()))
}
