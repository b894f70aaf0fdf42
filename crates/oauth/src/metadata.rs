//! Metadata documents, judged: of a server (RFC 9728) and of an issuer (RFC 8414, OpenID Connect Discovery).

use http::Response;
use keybearer_model::grant::{Deviating, Deviation, Permission};
use keybearer_model::url::{Endpoint, Issuer, Upstream};
use serde::Deserialize;

use crate::discovery::{Unfit, document};
use crate::exceptions::Exceptions;
use crate::login::LoginError;
use crate::profile::{PkceSupport, Profile};
use crate::registration::Documents;
use crate::text::shown;

/// The most issuers of one server that are tried.
const MOST_ISSUERS: usize = 4;

/// What a server says of itself.
#[derive(Debug)]
pub(crate) struct ProtectedResource {
    /// Its identifier, byte for byte as it wrote it (RFC 8707).
    pub(crate) resource: String,
    /// Who gives tokens for it, in its order; none only for one that has no metadata at all.
    pub(crate) issuers: Vec<Issuer>,
    /// All the scopes that it knows.
    pub(crate) scopes: Vec<String>,
}

#[derive(Deserialize)]
struct ResourceDocument {
    resource: String,
    authorization_servers: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
}

impl ProtectedResource {
    /// What is known of a server that says nothing: its canonical address (MCP, RFC 8707 §2).
    pub(crate) fn silent(server: &Upstream) -> Self {
        let mut url = server.as_url().clone();
        url.set_query(None);
        let text = if url.path() == "/" { url.as_str().trim_end_matches('/') } else { url.as_str() };
        Self { resource: text.to_owned(), issuers: Vec::new(), scopes: Vec::new() }
    }

    /// Judges the answer to a question for `server`'s metadata.
    pub(crate) fn read(server: &Upstream, host: &str, reply: &Response<Vec<u8>>) -> Result<Self, Unfit> {
        let document: ResourceDocument = document(host, reply)?;
        if !identifies(&document.resource, server) {
            let named = shown(&document.resource);
            return Err(Unfit::Rejected(LoginError::WrongResource { server: server.to_string(), named }));
        }
        let named = document.authorization_servers.unwrap_or_default();
        let issuers: Vec<Issuer> = named
            .iter()
            .filter_map(|text| text.parse::<Issuer>().ok())
            .filter(|issuer| issuer.as_url().query().is_none() && server.may_lead_to(issuer.as_url()))
            .take(MOST_ISSUERS)
            .collect();
        let useless = |what: &str| Err(Unfit::Rejected(unsound(server.as_url().as_str(), what)));
        match named.first() {
            Some(first) if issuers.is_empty() => useless(&format!("`{first}` cannot be a sign-in")),
            // RFC 9728 leaves the list out where another way is agreed upon; MCP wants it, and nothing is guessed then.
            None => useless("it names no `authorization_servers`"),
            Some(_) => {
                Ok(Self { resource: document.resource, issuers, scopes: document.scopes_supported.unwrap_or_default() })
            }
        }
    }
}

/// Whether a resource identifier is `server` or something that contains it: same origin, and its path a prefix.
fn identifies(resource: &str, server: &Upstream) -> bool {
    resource.parse::<Endpoint>().is_ok_and(|resource| {
        let outer = resource.as_url().path().trim_end_matches('/');
        let rest = server.as_url().path().strip_prefix(outer);
        resource.as_url().origin() == server.as_url().origin()
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What an issuer says of itself.
#[derive(Debug)]
pub(crate) struct AuthorizationServer {
    pub(crate) issuer: Issuer,
    pub(crate) authorization: Endpoint,
    pub(crate) token: Endpoint,
    pub(crate) registration: Option<Endpoint>,
    pub(crate) revocation: Option<Endpoint>,
    pub(crate) jwks: Option<Endpoint>,
    /// Where codes for other devices are given out (RFC 8628).
    pub(crate) device: Option<Endpoint>,
    pub(crate) pushing: Pushing,
    pub(crate) documents: Documents,
    pub(crate) scopes: Vec<String>,
    /// How clients may authenticate at the token endpoint, where it says.
    pub(crate) client_auth: Option<Vec<String>>,
    pub(crate) callback_issuer: CallbackIssuer,
    pub(crate) provenance: Provenance,
    /// What was let pass in all this.
    pub(crate) deviations: Vec<Deviation>,
}

/// Whether authorization requests are pushed to the issuer before the person is sent there (RFC 9126).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pushing {
    /// It has no place for that.
    NotOffered,
    /// They can be; where that fails, they go with the person.
    Offered(Endpoint),
    /// They must be.
    Required(Endpoint),
}

/// Whether callbacks carry `iss` (RFC 9207 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallbackIssuer {
    /// Always: one without it is an attack.
    Promised,
    /// It does not say.
    Unspecified,
}

/// Where what we know of an issuer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// From its metadata.
    Metadata,
    /// From the convention of MCP 2025-03-26: there was no metadata of any kind.
    Convention,
}

#[derive(Deserialize)]
struct IssuerDocument {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    registration_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    jwks_uri: Option<String>,
    device_authorization_endpoint: Option<String>,
    scopes_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
    client_id_metadata_document_supported: Option<bool>,
    pushed_authorization_request_endpoint: Option<String>,
    require_pushed_authorization_requests: Option<bool>,
}

impl AuthorizationServer {
    /// The endpoints that MCP 2025-03-26 §2.3.3 gives to a server without any metadata.
    pub(crate) fn by_convention(server: &Upstream) -> Option<Self> {
        let origin = server.as_url().origin().ascii_serialization();
        Some(Self {
            issuer: origin.parse().ok()?,
            authorization: format!("{origin}/authorize").parse().ok()?,
            token: format!("{origin}/token").parse().ok()?,
            registration: format!("{origin}/register").parse().ok(),
            revocation: None,
            jwks: None,
            device: None,
            pushing: Pushing::NotOffered,
            documents: Documents::NotOffered,
            scopes: Vec::new(),
            client_auth: None,
            callback_issuer: CallbackIssuer::Unspecified,
            provenance: Provenance::Convention,
            deviations: Vec::new(),
        })
    }

    /// Judges the answer to a question for `asked`'s metadata.
    pub(crate) fn read(asked: &Asked<'_>, host: &str, reply: &Response<Vec<u8>>) -> Result<Self, Unfit> {
        let document: IssuerDocument = document(host, reply)?;
        asked.judge(document).map_err(Unfit::Rejected)
    }
}

/// Whose metadata was asked for, and what may deviate in it.
pub(crate) struct Asked<'a> {
    pub(crate) server: &'a Upstream,
    pub(crate) issuer: &'a Issuer,
    pub(crate) spelling: Spelling,
    pub(crate) profile: &'a Profile,
    pub(crate) exceptions: &'a Exceptions,
}

/// How the issuer's identifier came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// The server's metadata wrote it: it counts to the byte (RFC 8414 §3.3), but for the slash after a bare host.
    ///
    /// A widely used server library writes `https://host/` for the issuer that calls itself `https://host`. Both lead
    /// to the same document, and what that says of itself is what counts from there on, to the byte.
    Theirs,
    /// We made it from the server's origin, which has no path: with and without a slash are the same.
    Ours,
}

fn without_slash(identifier: &str) -> &str {
    identifier.strip_suffix('/').unwrap_or(identifier)
}

impl Asked<'_> {
    fn judge(&self, document: IssuerDocument) -> Result<AuthorizationServer, LoginError> {
        let mut deviations = Vec::new();
        let issuer = self.judge_issuer(&document.issuer, &mut deviations)?;
        self.judge_pkce(document.code_challenge_methods_supported.as_deref(), &mut deviations)?;
        let required = |name: &str, text: Option<&String>| {
            self.endpoint(name, text)?.ok_or_else(|| unsound(self.issuer.as_str(), &format!("it has no `{name}`")))
        };
        let optional = |name: &str, text: Option<&String>| self.endpoint(name, text);
        let pushed =
            optional("pushed_authorization_request_endpoint", document.pushed_authorization_request_endpoint.as_ref())?;
        Ok(AuthorizationServer {
            issuer,
            authorization: required("authorization_endpoint", document.authorization_endpoint.as_ref())?,
            token: required("token_endpoint", document.token_endpoint.as_ref())?,
            registration: optional("registration_endpoint", document.registration_endpoint.as_ref())?,
            revocation: optional("revocation_endpoint", document.revocation_endpoint.as_ref())?,
            jwks: optional("jwks_uri", document.jwks_uri.as_ref())?,
            device: optional("device_authorization_endpoint", document.device_authorization_endpoint.as_ref())?,
            pushing: match (pushed, document.require_pushed_authorization_requests) {
                (Some(at), Some(true)) => Pushing::Required(at),
                (Some(at), Some(false) | None) => Pushing::Offered(at),
                (None, _) => Pushing::NotOffered,
            },
            documents: match document.client_id_metadata_document_supported {
                Some(true) => Documents::Read,
                Some(false) | None => Documents::NotOffered,
            },
            scopes: document.scopes_supported.unwrap_or_default(),
            client_auth: document.token_endpoint_auth_methods_supported,
            callback_issuer: match document.authorization_response_iss_parameter_supported {
                Some(true) => CallbackIssuer::Promised,
                Some(false) | None => CallbackIssuer::Unspecified,
            },
            provenance: Provenance::Metadata,
            deviations,
        })
    }

    fn judge_issuer(&self, named: &str, deviations: &mut Vec<Deviation>) -> Result<Issuer, LoginError> {
        let same = match self.spelling {
            Spelling::Theirs if self.issuer.as_url().path() != "/" => named == self.issuer.as_str(),
            Spelling::Theirs | Spelling::Ours => without_slash(named) == without_slash(self.issuer.as_str()),
        };
        let by = if self.exceptions.trusts(named) { Permission::Setting } else { Permission::Profile };
        let is_let = by == Permission::Setting || self.profile.trusts(named);
        if !same && is_let {
            deviations.push(Deviation { what: Deviating::OtherIssuer { asked: self.issuer.to_string() }, by });
        }
        let issuer = if same || is_let { named.parse().ok() } else { None };
        issuer.ok_or_else(|| LoginError::WrongIssuer { issuer: self.issuer.to_string(), named: shown(named) })
    }

    fn judge_pkce(&self, methods: Option<&[String]>, deviations: &mut Vec<Deviation>) -> Result<(), LoginError> {
        let by = match (methods, self.exceptions.pkce, self.profile.pkce()) {
            (Some(methods), _, _) if methods.iter().any(|method| method == "S256") => return Ok(()),
            (None, Some(PkceSupport::Known), _) => Permission::Setting,
            (None, _, PkceSupport::Known) => Permission::Profile,
            (Some(_) | None, _, _) => return Err(LoginError::NoPkce { issuer: self.issuer.to_string() }),
        };
        deviations.push(Deviation { what: Deviating::UnadvertisedPkce, by });
        Ok(())
    }

    /// An endpoint that may be asked: https or loopback, and not nearer to us than the server itself (SEC-19, SEC-20).
    fn endpoint(&self, name: &str, text: Option<&String>) -> Result<Option<Endpoint>, LoginError> {
        let Some(text) = text else { return Ok(None) };
        let endpoint = text.parse::<Endpoint>().ok().filter(|endpoint| {
            self.server.may_lead_to(endpoint.as_url()) && endpoint.as_url().as_str().parse::<http::Uri>().is_ok()
        });
        match endpoint {
            Some(endpoint) => Ok(Some(endpoint)),
            None => Err(unsound(self.issuer.as_str(), &format!("its `{name}` must not be asked: `{text}`"))),
        }
    }
}

fn unsound(party: &str, what: &str) -> LoginError {
    LoginError::Unsound { party: shown(party), what: shown(what) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_the_server_or_contains_it() {
        let server: Upstream = "https://h.test/a/mcp".parse().unwrap();
        for good in [
            "https://h.test/a/mcp",
            "https://h.test/a/mcp/",
            "https://h.test/a",
            "https://h.test",
            "https://H.test:443/",
        ] {
            assert!(identifies(good, &server), "{good}");
        }
        for bad in [
            "https://h.test/a/mc",
            "https://h.test/a/mcp/x",
            "https://h.test:444/a/mcp",
            "http://h.test/a/mcp",
            "https://other.test/a/mcp",
            "https://h.test.evil.test/a/mcp",
            "https://h.test/b/../a/x",
            "urn:h.test:a",
            "",
        ] {
            assert!(!identifies(bad, &server), "{bad}");
        }
    }

    #[test]
    fn the_canonical_address_has_no_needless_slash() {
        for (server, want) in [
            ("https://H.test", "https://h.test"),
            ("https://h.test/mcp/?q=1", "https://h.test/mcp/"),
            ("http://127.0.0.1:80/mcp", "http://127.0.0.1/mcp"),
        ] {
            assert_eq!(ProtectedResource::silent(&server.parse().unwrap()).resource, want);
        }
    }
}
