//! How near to us an address is: the guard against forged requests (SEC-20) compares by it.
//!
//! Pure: names are not resolved here. Who opens a connection judges what a name resolves to by [`Reach::of_address`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ::url::{Host, Url};

/// How near a host is. The order matters: an address may lead only as near as the one that named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// The internet, or a name that does not say.
    Public,
    /// A private network.
    Private,
    /// This machine.
    Loopback,
    /// Link-local, unspecified, multicast, reserved, or a cloud's metadata: nothing that a sign-in needs is there.
    Never,
}

/// Names that a private network gives itself (RFC 6762 with its appendix G, RFC 8375, ICANN's `internal`).
const PRIVATE_NAMES: [&str; 9] =
    [".local", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".home.arpa", ".localdomain"];

/// Where clouds answer a machine with its credentials or secrets, besides the link-local address.
const CLOUD_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
const CLOUD_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

impl Reach {
    /// The reach of a URL's host, by its literal or its name.
    pub fn of_url(url: &Url) -> Self {
        match url.host() {
            Some(host) => Self::of_host(&host),
            None => Self::Never,
        }
    }

    /// The reach of a host, by its literal or its name. A name can turn out to be nearer when it is resolved.
    pub fn of_host<S: AsRef<str>>(host: &Host<S>) -> Self {
        match host {
            Host::Ipv4(address) => of_v4(*address),
            Host::Ipv6(address) => of_v6(*address),
            Host::Domain(name) => of_name(&name.as_ref().trim_end_matches('.').to_ascii_lowercase()),
        }
    }

    /// The reach of an address.
    pub fn of_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// Whether what lies at `self` may name something that lies at `other`.
    pub fn may_name(self, other: Self) -> bool {
        other != Self::Never && other <= self
    }
}

fn of_name(name: &str) -> Reach {
    if name.is_empty() || (name.starts_with("metadata.") && name.ends_with(".internal")) {
        Reach::Never
    } else if name == "localhost" || name.ends_with(".localhost") {
        Reach::Loopback
    } else if !name.contains('.') || PRIVATE_NAMES.iter().any(|suffix| name.ends_with(suffix)) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    // `192.0.0.0/24` is the IETF's own, and one cloud answers there.
    let reserved = a == 0 || a >= 224 || address.is_link_local() || (a, b, c) == (192, 0, 0);
    if address.is_loopback() {
        Reach::Loopback
    } else if reserved || CLOUD_V4.contains(&address) {
        Reach::Never
    } else if address.is_private() || (a == 100 && (64..128).contains(&b)) || (a == 198 && (b == 18 || b == 19)) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    if let [0x64, 0xff9b, 1, d, e, f, g, h] = address.segments() {
        return of_local_nat64([d, e, f, g, h]);
    }
    if let Some(inner) = embedded(address) {
        return of_v4(inner);
    }
    let [first, second, ..] = address.segments();
    // Teredo (2001::/32) hides an IPv4 address of somebody else's choice, and nobody offers a server there.
    let reserved = address.is_unspecified() || address.is_multicast() || (first, second) == (0x2001, 0);
    if address.is_loopback() {
        Reach::Loopback
    } else if reserved || first & 0xffc0 == 0xfe80 || CLOUD_V6.contains(&address) {
        Reach::Never
    } else if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 {
        Reach::Private
    } else {
        Reach::Public
    }
}

/// A network's own translator to IPv4 (RFC 8215), whose prefix may be of 96, 64, 56 or 48 bits (RFC 6052 §2.2): the
/// nearest of the addresses that it could mean. Those that are no host's are no meaning.
fn of_local_nat64([d, e, f, g, h]: [u16; 5]) -> Reach {
    let octets = |pair: u16| u32::from(pair);
    let by_64 = (octets(e) & 0xff) << 24 | octets(f) << 8 | octets(g) >> 8;
    let by_56 = (octets(d) & 0xff) << 24 | (octets(e) & 0xff) << 16 | octets(f);
    let by_48 = octets(d) << 16 | (octets(e) & 0xff) << 8 | octets(f) >> 8;
    let others = [by_64, by_56, by_48].map(Ipv4Addr::from).into_iter();
    let near = others.filter(|address| (1..224).contains(&address.octets()[0])).map(of_v4);
    near.fold(of_v4(Ipv4Addr::from(octets(g) << 16 | octets(h))), Reach::max)
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 (RFC 6052) or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        [0, 0, 0, 0, 0, 0] if g != 0 => v4(g, h),
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_near_address_is_seen() {
        let cases = [
            (Reach::Public, "https://idp.example.com https://8.8.8.8 https://[2a00::1] https://[::ffff:8.8.8.8]"),
            (Reach::Public, "https://127.0.0.1.example.com https://[64:ff9b::8.8.8.8] https://100.128.0.1"),
            (
                Reach::Private,
                "https://10.1.2.3 https://192.168.0.1 https://172.16.9.9 https://100.64.0.1 https://[fd12::1]",
            ),
            (Reach::Private, "https://idp https://idp.corp https://IDP.Internal. https://[64:ff9b::10.0.0.1]"),
            (Reach::Private, "https://[2002:a00:1::] https://[fec0::1] https://0xA.1 https://198.18.0.1"),
            (Reach::Public, "https://[64:ff9b:1:ffff::8.8.8.8] https://[64:ff9b:1::8.8.8.8]"),
            (Reach::Private, "https://[64:ff9b:1:ffff::10.0.0.1] https://[64:ff9b:1:a00:0:500:808:808]"),
            (
                Reach::Loopback,
                "https://localhost https://a.localhost https://127.9.9.9 https://[::1] https://LOCALHOST.",
            ),
            (Reach::Loopback, "https://2130706433 https://0x7f.1 https://[::ffff:127.0.0.1] https://017700000001"),
            (Reach::Never, "https://169.254.169.254 https://0.0.0.0 https://[::] https://[fe80::1] https://224.0.0.1"),
            (Reach::Never, "https://[fd00:ec2::254] https://metadata.cloud.internal https://100.100.100.200"),
            (Reach::Never, "https://[::ffff:169.254.169.254] https://[64:ff9b::a9fe:a9fe] https://[2002:a9fe:a9fe::]"),
            (Reach::Never, "https://255.255.255.255 https://192.0.0.192 https://168.63.129.16 https://[ff02::1]"),
            (
                Reach::Never,
                "https://[2001:0:1::1] https://2852039166 https://0 https://[fd20:ce::254] file:///etc/passwd",
            ),
        ];
        for (want, addresses) in cases {
            for address in addresses.split(' ') {
                assert_eq!(Reach::of_url(&Url::parse(address).unwrap()), want, "{address}");
            }
        }
    }

    #[test]
    fn nothing_names_what_is_nearer_than_itself() {
        let order = [Reach::Public, Reach::Private, Reach::Loopback];
        for (i, from) in order.into_iter().enumerate() {
            for (j, to) in order.into_iter().enumerate() {
                assert_eq!(from.may_name(to), j <= i, "{from:?} to {to:?}");
            }
            assert!(!from.may_name(Reach::Never) && !Reach::Never.may_name(Reach::Never));
        }
    }
}
