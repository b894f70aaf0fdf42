//! Which addresses a request may reach (SEC-19, SEC-20).
//!
//! The check and the connection use the same resolution: the client asks [`Resolver`], and connects to what it answers.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keybearer_core::ports::MayBePrivate;
use keybearer_model::reach::Reach;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::Instant;
use url::{Host, Url};

/// For how long a name that led to the internet does not count as one of a private network: longer than a sign-in's
/// discovery takes, and short enough for a person who has just come into the company's network.
const REMEMBERED: Duration = Duration::from_secs(60);
/// The most names that are remembered.
const MOST_NAMES: usize = 1024;

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

/// Resolves names, and remembers for a while which of them led to the internet: whoever owns such a name could else let
/// it lead into this network at the moment when it is judged (a name that flips), and open that to what it names.
#[derive(Debug, Default)]
pub(super) struct Names {
    // Read and written for an instant by requests that are on their way at the same time; an owner task would be more.
    public: Mutex<HashMap<Box<str>, Instant>>,
}

impl Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let addresses: Vec<_> = tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect();
        if addresses.iter().any(|address| Reach::of_address(*address) == Reach::Public) {
            self.remember(name);
        }
        Ok(addresses)
    }

    fn remember(&self, name: &str) {
        let now = Instant::now();
        let mut public = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        if public.len() >= MOST_NAMES {
            public.retain(|_, seen| now.duration_since(*seen) < REMEMBERED);
        }
        if public.len() < MOST_NAMES || public.contains_key(name) {
            public.insert(name.into(), now);
        }
    }

    fn was_public(&self, name: &str) -> bool {
        let public = self.public.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = public.get(name).is_some_and(|seen| seen.elapsed() < REMEMBERED);
        // Where there is no room for more, nobody is believed.
        recent || (public.len() >= MOST_NAMES && !public.contains_key(name))
    }

    /// A name counts as private if all its addresses are. Never as this machine: whoever owns a name can point it there.
    async fn reach(&self, name: &str) -> Reach {
        let Ok(addresses) = self.resolve(name).await else { return Reach::Public };
        let near = |address: &IpAddr| matches!(Reach::of_address(*address), Reach::Private | Reach::Loopback);
        let private = !addresses.is_empty() && addresses.iter().all(near) && !self.was_public(name);
        if private { Reach::Private } else { Reach::Public }
    }
}

/// How near the request to `url` may go, by the server on whose behalf it is sent.
///
/// Without `names`, behind a proxy, names say all that is known.
pub(super) async fn allowed(url: &Url, mark: Option<&MayBePrivate>, names: Option<&Names>) -> Reach {
    let Some(MayBePrivate { like }) = mark else { return Reach::Public };
    // A person or IT typed this very host.
    if url.host_str() == Some(like) {
        return Reach::Loopback;
    }
    let Ok(server) = Host::parse(like) else { return Reach::Public };
    let by_name = Reach::of_host(&server);
    match (server, names) {
        (Host::Domain(name), Some(names)) if by_name == Reach::Public => names.reach(&name).await,
        (Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_), _) => by_name,
    }
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
    names: Arc<Names>,
    within: Reach,
}

impl Resolver {
    pub(super) fn new(names: &Arc<Names>, within: Reach) -> Arc<Self> {
        Arc::new(Self { names: Arc::clone(names), within })
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, within) = (Arc::clone(&self.names), self.within);
        Box::pin(async move {
            let addresses = names.resolve(name.as_str()).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn verdict(url: &str, like: Option<&str>) -> Result<(), Refused> {
        let url = Url::parse(url).unwrap();
        let mark = like.map(|like| MayBePrivate { like: like.into() });
        let within = allowed(&url, mark.as_ref(), None).await;
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
        let answer = Resolver::new(&Arc::default(), Reach::Public).resolve("localhost".parse().unwrap()).await;
        assert_eq!(answer.err().unwrap().downcast_ref(), Some(&Refused::Nearer));
        let answer = Resolver::new(&Arc::default(), Reach::Loopback).resolve("localhost".parse().unwrap()).await;
        assert!(answer.ok().unwrap().all(|address| address.ip().is_loopback()));
    }
}
