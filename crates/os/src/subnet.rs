//! The network that an address of this machine lies in, so that a door there can tell neighbours from strangers.
//!
//! Linux alone: elsewhere containers reach the machine over its loopback.

use std::net::Ipv4Addr;

/// An IPv4 network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    network: u32,
    mask: u32,
}

impl Subnet {
    /// Whether `address` lies in it.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask == self.network
    }
}

/// The directly connected network of `address`; `None` if this machine has none that holds it.
pub fn of(address: Ipv4Addr) -> Option<Subnet> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    narrowest(&std::fs::read_to_string("/proc/self/net/route").ok()?, address)
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask ...`, addresses in the machine's own byte order.
fn narrowest(table: &str, address: Ipv4Addr) -> Option<Subnet> {
    let word = |text: &str| Some(u32::from_be_bytes(u32::from_str_radix(text, 16).ok()?.to_ne_bytes()));
    let route = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, destination, gateway, _, _, _, _, mask, ..] = words[..] else { return None };
        let (network, mask) = (word(destination)?, word(mask)?);
        // A network behind a gateway is no neighbour, and the whole world is no network.
        (word(gateway)? == 0 && mask != 0).then_some(Subnet { network, mask })
    };
    let holding = table.lines().skip(1).filter_map(route).filter(|subnet| subnet.contains(address));
    holding.max_by_key(|subnet| subnet.mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
br0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
br0\t000111AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000000A\t0102A8C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0
";

    #[track_caller]
    fn check(address: &str, inside: &[&str], outside: &[&str]) {
        let subnet = narrowest(TABLE, address.parse().unwrap()).unwrap();
        for neighbour in inside {
            assert!(subnet.contains(neighbour.parse().unwrap()), "{neighbour} is near {address}");
        }
        for stranger in outside {
            assert!(!subnet.contains(stranger.parse().unwrap()), "{stranger} is far from {address}");
        }
    }

    #[test]
    fn the_narrowest_connected_network_counts() {
        check("172.17.0.1", &["172.17.0.2", "172.17.255.254"], &["172.18.0.2", "192.168.2.9"]);
        check("172.17.1.1", &["172.17.1.2"], &["172.17.0.2"]);
        check("192.168.2.7", &["192.168.2.1"], &["192.168.3.1"]);
    }

    #[test]
    fn what_lies_behind_a_gateway_is_no_neighbour() {
        for address in ["10.0.0.1", "8.8.8.8"] {
            assert_eq!(narrowest(TABLE, address.parse().unwrap()), None, "{address}");
        }
        assert_eq!(narrowest("", "10.0.0.1".parse().unwrap()), None);
    }
}
