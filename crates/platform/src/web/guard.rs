//! Which addresses a request may reach (SEC-19, SEC-20).
//!
//! The check and the connection use the same resolution: the client asks [`Resolver`], and connects to what it answers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use keybearer_core::ports::MayBePrivate;
use keybearer_model::reach::Reach;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Why an address is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// Nobody may be sent there.
    #[error("its address is link-local, reserved or a cloud's metadata")]
    Never,
    /// The server itself lies farther away.
    #[error("its address is private, and that of the server that named it is not")]
    Nearer,
    /// Plain http beyond this machine.
    #[error("only https may be used")]
    PlainHttp,
}

/// How near the request to `url` may go, by the server on whose behalf it is sent.
///
/// `resolving` is false behind a proxy, where names say all that is known.
pub(super) async fn allowed(url: &Url, mark: Option<&MayBePrivate>, resolving: bool) -> Reach {
    let Some(MayBePrivate { like }) = mark else { return Reach::Public };
    // A person or IT typed this very host.
    if url.host_str() == Some(like) {
        return Reach::Loopback;
    }
    let Ok(server) = Host::parse(like) else { return Reach::Public };
    let by_name = Reach::of_host(&server);
    match server {
        Host::Domain(name) if by_name == Reach::Public && resolving => by_addresses(&name).await,
        Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => by_name,
    }
}

/// A name counts as private if all its addresses are. Never as this machine: whoever owns a name can point it there.
async fn by_addresses(name: &str) -> Reach {
    let Ok(addresses) = resolve(name).await else { return Reach::Public };
    let near = |address: &IpAddr| matches!(Reach::of_address(*address), Reach::Private | Reach::Loopback);
    if !addresses.is_empty() && addresses.iter().all(near) { Reach::Private } else { Reach::Public }
}

/// What can be said before anything is resolved.
pub(super) fn check(url: &Url, near: Reach, within: Reach) -> Result<(), Refused> {
    if near == Reach::Never || within == Reach::Never {
        return Err(Refused::Never);
    }
    if !within.may_name(near) {
        return Err(Refused::Nearer);
    }
    if url.scheme() != "https" && near != Reach::Loopback {
        return Err(Refused::PlainHttp);
    }
    Ok(())
}

/// Resolves names, and answers nothing that lies nearer than it may.
#[derive(Debug)]
pub(super) struct Resolver {
    within: Reach,
}

impl Resolver {
    pub(super) fn within(within: Reach) -> Arc<Self> {
        Arc::new(Self { within })
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let within = self.within;
        Box::pin(async move {
            let addresses = resolve(name.as_str()).await?;
            judge(&addresses, within)?;
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// One address that must not be reached spoils the name: which one a connection would take is chance.
fn judge(addresses: &[IpAddr], within: Reach) -> Result<(), Refused> {
    let nearest = addresses.iter().map(|address| Reach::of_address(*address)).max();
    match nearest {
        Some(Reach::Never) => Err(Refused::Never),
        Some(near) if !within.may_name(near) => Err(Refused::Nearer),
        Some(_) | None => Ok(()),
    }
}

async fn resolve(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn verdict(url: &str, like: Option<&str>) -> Result<(), Refused> {
        let url = Url::parse(url).unwrap();
        let mark = like.map(|like| MayBePrivate { like: like.into() });
        let within = allowed(&url, mark.as_ref(), false).await;
        check(&url, Reach::of_url(&url), within)
    }

    #[tokio::test]
    async fn literals_and_names_are_judged_before_anything_is_asked() {
        use Refused::{Nearer, Never, PlainHttp};
        let cases: &[(&str, Option<&str>, Result<(), Refused>)] = &[
            ("https://idp.example.com/", None, Ok(())),
            ("https://8.8.8.8/", None, Ok(())),
            ("http://idp.example.com/", None, Err(PlainHttp)),
            ("http://idp.example.com/", Some("idp.example.com"), Err(PlainHttp)),
            ("https://10.0.0.1/", None, Err(Nearer)),
            ("https://100.64.0.1/", None, Err(Nearer)),
            ("https://[fd12::1]/", None, Err(Nearer)),
            ("https://[::ffff:10.0.0.1]/", None, Err(Nearer)),
            ("https://0x0a000001/", None, Err(Nearer)),
            ("https://idp.corp/", None, Err(Nearer)),
            ("http://127.0.0.1:9/", None, Err(Nearer)),
            ("http://localhost:9/", None, Err(Nearer)),
            ("http://[::1]:9/", None, Err(Nearer)),
            ("https://10.0.0.1/", Some("mcp.example.com"), Err(Nearer)),
            ("https://10.0.0.1/", Some("10.9.9.9"), Ok(())),
            ("https://10.0.0.1/", Some("mcp.corp"), Ok(())),
            ("http://10.0.0.1/", Some("10.0.0.1"), Err(PlainHttp)),
            ("http://127.0.0.1:9/", Some("10.0.0.1"), Err(Nearer)),
            ("http://127.0.0.1:9/", Some("127.0.0.1"), Ok(())),
            ("http://127.0.0.1:9/", Some("localhost"), Ok(())),
            ("http://[::1]:9/", Some("127.0.0.1"), Ok(())),
            ("https://10.0.0.1/", Some("localhost"), Ok(())),
            ("https://169.254.169.254/", None, Err(Never)),
            ("https://169.254.169.254/", Some("169.254.169.254"), Err(Never)),
            ("http://169.254.169.254/", Some("127.0.0.1"), Err(Never)),
            ("https://[::ffff:a9fe:a9fe]/", Some("127.0.0.1"), Err(Never)),
            ("https://[fd00:ec2::254]/", Some("10.0.0.1"), Err(Never)),
            ("https://[fe80::1]/", Some("127.0.0.1"), Err(Never)),
            ("https://0.0.0.0/", Some("127.0.0.1"), Err(Never)),
            ("https://224.0.0.1/", Some("127.0.0.1"), Err(Never)),
            ("https://idp.example.com/", Some("169.254.169.254"), Err(Never)),
            ("file:///etc/passwd", Some("127.0.0.1"), Err(Never)),
        ];
        for (url, like, want) in cases {
            assert_eq!(verdict(url, *like).await, *want, "{url} for {like:?}");
        }
    }

    #[test]
    fn one_near_address_among_many_spoils_a_name() {
        let addresses = |text: &str| text.split(' ').map(|part| part.parse().unwrap()).collect::<Vec<IpAddr>>();
        let cases = [
            ("8.8.8.8 2a00::1", Reach::Public, Ok(())),
            ("8.8.8.8 10.0.0.1", Reach::Public, Err(Refused::Nearer)),
            ("8.8.8.8 127.0.0.1", Reach::Private, Err(Refused::Nearer)),
            ("10.0.0.1 fd12::1", Reach::Private, Ok(())),
            ("127.0.0.1 ::1", Reach::Loopback, Ok(())),
            ("127.0.0.1 169.254.169.254", Reach::Loopback, Err(Refused::Never)),
            ("8.8.8.8 ::ffff:169.254.169.254", Reach::Loopback, Err(Refused::Never)),
        ];
        for (list, within, want) in cases {
            assert_eq!(judge(&addresses(list), within), want, "{list} within {within:?}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_answered() {
        let answer = Resolver::within(Reach::Public).resolve("localhost".parse().unwrap()).await;
        assert_eq!(answer.err().unwrap().downcast_ref(), Some(&Refused::Nearer));
        let answer = Resolver::within(Reach::Loopback).resolve("localhost".parse().unwrap()).await;
        assert!(answer.ok().unwrap().all(|address| address.ip().is_loopback()));
    }
}
