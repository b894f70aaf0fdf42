//! Secrets, made when they are needed.

use std::io;

use keybearer_model::secret::Secret;

use crate::CANARY;

/// A fresh secret of the given kind, for example `at_cAnArY_…`.
pub(crate) fn secret(kind: &str) -> io::Result<String> {
    let secret = Secret::mint(&format!("{kind}_{CANARY}_")).map_err(io::Error::other)?;
    Ok(secret.expose().to_owned())
}

/// A fresh password, short enough to be typed.
pub(crate) fn password() -> io::Result<String> {
    Ok(format!("{CANARY}-{}", letters(8)?))
}

/// A fresh identifier that is no secret.
pub(crate) fn id(kind: &str) -> io::Result<String> {
    Ok(format!("{kind}-{}", letters(12)?))
}

fn letters(count: usize) -> io::Result<String> {
    let random = Secret::mint("").map_err(io::Error::other)?;
    Ok(random.expose().chars().filter(char::is_ascii_alphanumeric).take(count).collect())
}
