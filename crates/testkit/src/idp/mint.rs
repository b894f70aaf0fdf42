//! Secrets, made when they are needed.

use std::io;

use keybearer_model::secret::Secret;

use crate::CANARY;

/// A fresh secret of the given kind, for example `at_cAnArY_…`.
pub(crate) fn secret(kind: &str) -> io::Result<String> {
    let secret = Secret::mint(&format!("{kind}_{CANARY}_")).map_err(io::Error::other)?;
    Ok(secret.expose().to_owned())
}

/// A fresh identifier that is no secret.
pub(crate) fn id(kind: &str) -> io::Result<String> {
    let random = Secret::mint("").map_err(io::Error::other)?;
    Ok(format!("{kind}-{}", random.expose().chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>()))
}
