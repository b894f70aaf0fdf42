//! Where an address leads, by its literal or its name: the first half of the guard against forged requests (SEC-20).
//!
//! Names are not resolved here; who sends the request judges what they resolve to.

use std::net::{Ipv4Addr, Ipv6Addr};

use keybearer_model::url::Upstream;
use url::{Host, Url};

/// How near to us a host is. The order matters: an address may only lead as near as the one that named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// The internet, or a name that does not say.
    Public,
    /// A private network.
    Private,
    /// This machine.
    Loopback,
    /// Link-local, unspecified, multicast, or a cloud's metadata: nothing that a sign-in needs is there.
    Never,
}

/// Names that a private network gives itself (RFC 6762, RFC 8375, RFC 6762 appendix G, ICANN's `internal`).
const PRIVATE_NAMES: [&str; 9] =
    [".local", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".home.arpa", ".localdomain"];

/// Where clouds answer with a machine's credentials, besides the link-local address.
const CLOUD_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
const CLOUD_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether an address that `server`'s metadata named may be asked.
pub(crate) fn may_lead(server: &Upstream, to: &Url) -> bool {
    let near = reach(to);
    near != Reach::Never && near <= reach(server.as_url())
}

fn reach(url: &Url) -> Reach {
    match url.host() {
        Some(Host::Ipv4(address)) => reach_v4(address),
        Some(Host::Ipv6(address)) => reach_v6(address),
        Some(Host::Domain(name)) => reach_name(&name.trim_end_matches('.').to_ascii_lowercase()),
        None => Reach::Never,
    }
}

fn reach_name(name: &str) -> Reach {
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

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, ..] = address.octets();
    if address.is_loopback() {
        Reach::Loopback
    } else if a == 0 || a >= 224 || address.is_link_local() || address == CLOUD_V4 {
        Reach::Never
    } else if address.is_private() || (a == 100 && (64..128).contains(&b)) || (a == 198 && (b == 18 || b == 19)) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if let Some(inner) = embedded(address) {
        return reach_v4(inner);
    }
    let first = address.segments()[0];
    if address.is_loopback() {
        Reach::Loopback
    } else if address.is_unspecified() || address.is_multicast() || first & 0xffc0 == 0xfe80 || address == CLOUD_V6 {
        Reach::Never
    } else if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 {
        Reach::Private
    } else {
        Reach::Public
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 (RFC 6052) or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        [0, 0, 0, 0, 0, 0] if g != 0 => v4(g, h),
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_only_as_near_as_the_server_that_named_them() {
        let cases = [
            (Reach::Public, "https://idp.example.com https://8.8.8.8 https://[2001:db8::1] https://[::ffff:8.8.8.8]"),
            (
                Reach::Private,
                "https://10.1.2.3 https://192.168.0.1 https://172.16.9.9 https://100.64.0.1 https://[fd12::1]",
            ),
            (
                Reach::Private,
                "https://idp https://idp.corp https://IDP.Internal. https://[64:ff9b::10.0.0.1] https://[2002:a00:1::]",
            ),
            (
                Reach::Loopback,
                "https://localhost https://a.localhost https://127.9.9.9 https://[::1] https://[::ffff:127.0.0.1]",
            ),
            (Reach::Loopback, "https://2130706433 https://0x7f.1"),
            (Reach::Never, "https://169.254.169.254 https://0.0.0.0 https://[::] https://[fe80::1] https://224.0.0.1"),
            (
                Reach::Never,
                "https://[fd00:ec2::254] https://metadata.google.internal https://100.100.100.200 https://[::ffff:169.254.169.254]",
            ),
        ];
        let servers = ["https://mcp.example.com", "https://10.0.0.1", "http://127.0.0.1:9"];
        for (want, addresses) in cases {
            for address in addresses.split(' ') {
                let url = Url::parse(address).unwrap();
                assert_eq!(reach(&url), want, "{address}");
                for (server, near) in servers.iter().zip([Reach::Public, Reach::Private, Reach::Loopback]) {
                    let may = want != Reach::Never && want <= near;
                    assert_eq!(may_lead(&server.parse().unwrap(), &url), may, "{server} to {address}");
                }
            }
        }
    }
}
