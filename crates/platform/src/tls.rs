//! The one place where TLS towards issuers and servers is configured.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// TLS as a client: the operating system's trust (the company's own certificate authorities included), TLS 1.2 and 1.3.
///
/// Where the system has no certificates at all, nothing is trusted: connections fail one by one and say so, and plain
/// http on loopback still works. No ALPN is set: the caller knows what it speaks.
pub fn client_config() -> Result<Arc<ClientConfig>, NoTls> {
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let config = match builder()?.with_platform_verifier() {
        Ok(trusting) => trusting.with_no_client_auth(),
        Err(cause) => {
            tracing::warn!(%cause, "no certificate authority of this system can be used: no https server is trusted");
            builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
    };
    Ok(Arc::new(config))
}

/// TLS cannot be configured on this machine.
#[derive(Debug, thiserror::Error)]
#[error("tls cannot be set up: {0}")]
pub struct NoTls(#[from] rustls::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_made_without_a_process_wide_provider() {
        assert!(client_config().unwrap().alpn_protocols.is_empty());
        assert!(CryptoProvider::get_default().is_none());
    }
}
