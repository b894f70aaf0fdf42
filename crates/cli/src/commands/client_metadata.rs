//! `client-metadata`: the document that a company hosts, so that its sign-in knows Keybearer by an address.

use keybearer_control::error::Code;
use keybearer_oauth::document::{ClientMetadataUrl, document};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{ask, out, settings};

/// Prints the document that belongs at `url`, or at the address of the settings. It is JSON in every format.
pub(super) fn print(url: Option<&str>) -> Result<Exit, Failure> {
    let address = match url {
        Some(text) => parse(text)?,
        None => set()?,
    };
    out::bytes(format!("{:#}\n", document(&address, "Keybearer")).as_bytes());
    Ok(Exit::Ok)
}

fn parse(text: &str) -> Result<ClientMetadataUrl, Failure> {
    text.parse().map_err(|error| {
        Failure::new(Code::BadRequest, format!("`{text}` cannot be the document's address: {error}"))
            .hint("for example `https://apps.example.com/keybearer/client.json`")
    })
}

fn set() -> Result<ClientMetadataUrl, Failure> {
    let folders = ask::folders()?;
    settings::read(&folders)?.client_metadata_url.ok_or_else(|| {
        Failure::new(Code::BadRequest, "the document has no address".to_owned())
            .hint("say where it will be hosted: `keybearer client-metadata https://...`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_no_issuer_would_take_is_refused() {
        for text in ["http://127.0.0.1/client.json", "https://apps.example.com", "client.json", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("https://apps.example.com/keybearer/client.json").is_ok());
    }
}
