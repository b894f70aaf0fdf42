//! Values that must not be printed, copied or written by accident.

use std::fmt;

use zeroize::Zeroizing;

/// A token, key or password. It has no `Clone`, `Display`, `Serialize` or `PartialEq`, and its memory is wiped.
///
/// Reading it takes [`Secret::expose`], a word to search for: `tidy` holds its call sites to a list.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A fresh random secret: `prefix` and 256 bits of entropy in base64url.
    pub fn mint(prefix: &str) -> Result<Self, NoEntropy> {
        use base64::Engine as _;
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| NoEntropy)?;
        let mut text = String::with_capacity(prefix.len() + 43);
        text.push_str(prefix);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        Ok(Self::new(text))
    }

    /// The text itself, for the one place that must send or store it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A second custody of the same text, where two owners are meant (a record and its reader).
    pub fn duplicate(&self) -> Self {
        Self(Zeroizing::new(self.0.as_str().to_owned()))
    }

    /// Compares in constant time.
    pub fn matches(&self, candidate: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        self.0.as_bytes().ct_eq(candidate.as_bytes()).into()
    }

    /// SHA-256 of the text, for looking a high-entropy secret up without keeping it.
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.0)
    }
}

/// SHA-256 of a text that somebody presents as a secret.
pub fn digest(candidate: &str) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(candidate.as_bytes()).into()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The system gave no random bytes: nothing that needs a secret can go on.
#[derive(Debug, thiserror::Error)]
#[error("the system's random number generator does not answer")]
pub struct NoEntropy;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new("cAnArY-in-debug".into());
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret(…) Some(Secret(…))");
    }

    #[test]
    fn minted_secrets_differ_and_match_only_themselves() {
        let (one, two) = (Secret::mint("kb_").unwrap(), Secret::mint("kb_").unwrap());
        assert_eq!(one.expose().len(), 3 + 43);
        assert!(one.matches(one.expose()) && !one.matches(two.expose()) && !one.matches(""));
        assert_eq!(one.digest(), digest(one.expose()));
    }
}
