//! Our client id metadata document: what an issuer reads where our client id is the address of it.
//!
//! It is hosted by whoever distributes Keybearer; here it is only written. It belongs on stable https, as
//! `application/json`: some issuers refuse to read it otherwise.

use std::fmt;
use std::str::FromStr;

use keybearer_model::url::Endpoint;
use serde_json::json;

/// Where our client id metadata document is: an https address with a path, and nothing that could be written otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMetadataUrl(Endpoint);

/// Why an address cannot be that of a client id metadata document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadataUrl {
    /// Not https.
    #[error("it must begin with `https://`")]
    NotHttps,
    /// A bare host names no document.
    #[error("it must have a path")]
    NoPath,
    /// Another spelling of it would be the same address, and a client id counts to the byte.
    #[error("it must be written as a browser shows it, without `.` or `..` in its path, user name or `#` part")]
    NotCanonical,
}

impl FromStr for ClientMetadataUrl {
    type Err = InvalidMetadataUrl;
    fn from_str(text: &str) -> Result<Self, InvalidMetadataUrl> {
        if !text.starts_with("https://") {
            return Err(InvalidMetadataUrl::NotHttps);
        }
        let endpoint = text.parse::<Endpoint>().map_err(|_| InvalidMetadataUrl::NotCanonical)?;
        if endpoint.as_url().path() == "/" {
            return Err(InvalidMetadataUrl::NoPath);
        }
        if endpoint.as_url().as_str() != text {
            return Err(InvalidMetadataUrl::NotCanonical);
        }
        Ok(Self(endpoint))
    }
}

impl fmt::Display for ClientMetadataUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The document to host at `address`, for an app that calls itself `name`.
pub fn document(address: &ClientMetadataUrl, name: &str) -> serde_json::Value {
    json!({
        "client_id": address.to_string(),
        "client_name": name,
        "application_type": "native",
        // RFC 8252 §7.3: the port is chosen at each sign-in, so that none is written here.
        "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c8_the_address_is_https_with_a_path_and_written_in_one_way() {
        assert!("https://apps.example.com/keybearer/client.json".parse::<ClientMetadataUrl>().is_ok());
        for (text, want) in [
            ("http://127.0.0.1/client.json", InvalidMetadataUrl::NotHttps),
            ("apps.example.com/client.json", InvalidMetadataUrl::NotHttps),
            ("https://apps.example.com", InvalidMetadataUrl::NoPath),
            ("https://apps.example.com/", InvalidMetadataUrl::NoPath),
            ("https://apps.example.com/a/../client.json", InvalidMetadataUrl::NotCanonical),
            ("https://Apps.example.com/client.json", InvalidMetadataUrl::NotCanonical),
            ("https://apps.example.com:443/client.json", InvalidMetadataUrl::NotCanonical),
            ("https://me@apps.example.com/client.json", InvalidMetadataUrl::NotCanonical),
            ("https://apps.example.com/client.json#here", InvalidMetadataUrl::NotCanonical),
        ] {
            assert_eq!(text.parse::<ClientMetadataUrl>(), Err(want), "{text}");
        }
    }

    #[test]
    fn c8_the_document_names_itself_and_takes_any_port() {
        let address = "https://apps.example.com/keybearer/client.json".parse().unwrap();
        let document = document(&address, "Keybearer");
        assert_eq!(document["client_id"], "https://apps.example.com/keybearer/client.json");
        assert_eq!(document["application_type"], "native");
        assert_eq!(document["redirect_uris"], json!(["http://127.0.0.1/callback", "http://localhost/callback"]));
        assert!(document["grant_types"].as_array().is_some_and(|types| types.contains(&json!("refresh_token"))));
    }
}
