//! What went wrong, by what the caller may do next, in words without a URL.

use std::error::Error;
use std::io;

use keybearer_core::ports::HttpError;
use rustls::CertificateError;

use super::guard::Refused;

/// Host and port, for a message: nothing of path or query.
pub(super) fn host_of(uri: &http::Uri) -> String {
    // The authority could hold a user name, which is refused elsewhere and must not be shown here.
    let host = uri.host().unwrap_or_default();
    uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

pub(super) fn translated(host: &str, error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    let host = host.to_owned();
    if let Some(refused) = chain(&error).find_map(<dyn Error>::downcast_ref::<Refused>) {
        return HttpError::Forbidden { host, cause: refused.to_string() };
    }
    if let Some(wrong) = chain(&error).find_map(certificate) {
        return HttpError::Certificate { host, cause: in_words(wrong) };
    }
    let cause = if error.is_timeout() { "it takes too long".to_owned() } else { innermost(&error) };
    if error.is_connect() { HttpError::Unreachable { host, cause } } else { HttpError::Interrupted { host, cause } }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// TLS errors travel inside I/O errors, sometimes twice, which do not name what they hold as their source.
fn certificate<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CertificateError> {
    if let Some(outer) = error.downcast_ref::<io::Error>() {
        return certificate(outer.get_ref()?);
    }
    let rustls::Error::InvalidCertificate(wrong) = error.downcast_ref()? else { return None };
    Some(wrong)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library adds variants; the rest are rare and say themselves")]
fn in_words(wrong: &CertificateError) -> String {
    use CertificateError as Wrong;
    match wrong {
        Wrong::Expired | Wrong::ExpiredContext { .. } => "it has expired".into(),
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => "it is not valid yet".into(),
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => "it is for another name".into(),
        Wrong::UnknownIssuer => "this machine does not know its issuer".into(),
        Wrong::Revoked => "it was revoked".into(),
        other => other.to_string(),
    }
}
