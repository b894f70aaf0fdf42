//! The networks of this machine, so that a door for containers can tell them from strangers.
//!
//! Linux alone: elsewhere containers reach the machine over its loopback.

use std::net::Ipv4Addr;
use std::path::Path;

const ROUTES: &str = "/proc/self/net/route";

/// A network that this machine is directly connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Subnet<'t> {
    interface: &'t str,
    network: u32,
    mask: u32,
}

impl Subnet<'_> {
    fn contains(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask == self.network
    }
}

/// Whether this machine is directly connected to a network that holds `address`.
pub fn is_near(address: Ipv4Addr) -> bool {
    cfg!(target_os = "linux") && std::fs::read_to_string(ROUTES).is_ok_and(|table| narrowest(&table, address).is_some())
}

/// Whether `peer` can be a container of this machine that has come to `ours`, an address of this machine in a container
/// engine's network: it is in that network, or on another bridge of this machine that leads nowhere else (engines make
/// one for each group of containers). Asked for each connection, because such networks come and go.
pub fn is_container(peer: Ipv4Addr, ours: Ipv4Addr) -> bool {
    let bridge = |interface: &str| Path::new("/sys/class/net").join(interface).join("bridge").is_dir();
    std::fs::read_to_string(ROUTES).is_ok_and(|table| leads_to_container(&table, peer, ours, bridge))
}

fn leads_to_container(table: &str, peer: Ipv4Addr, ours: Ipv4Addr, is_bridge: impl Fn(&str) -> bool) -> bool {
    let (Some(theirs), Some(engine)) = (narrowest(table, peer), narrowest(table, ours)) else { return false };
    let leads_on =
        table.lines().filter_map(route).any(|(subnet, gateway)| subnet.interface == theirs.interface && gateway != 0);
    theirs == engine || (is_bridge(theirs.interface) && !leads_on)
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask ...`, addresses in the machine's own byte order.
fn route(line: &str) -> Option<(Subnet<'_>, u32)> {
    let word = |text: &str| Some(u32::from_be_bytes(u32::from_str_radix(text, 16).ok()?.to_ne_bytes()));
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [interface, destination, gateway, _, _, _, _, mask, ..] = words[..] else { return None };
    Some((Subnet { interface, network: word(destination)?, mask: word(mask)? }, word(gateway)?))
}

fn narrowest(table: &str, address: Ipv4Addr) -> Option<Subnet<'_>> {
    // A network behind a gateway is no neighbour, and the whole world is no network.
    let direct = table.lines().filter_map(route).filter(|(subnet, gateway)| *gateway == 0 && subnet.mask != 0);
    direct.map(|(subnet, _)| subnet).filter(|subnet| subnet.contains(address)).max_by_key(|subnet| subnet.mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
br0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
br1\t000111AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
veth9\t000014AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t0000000A\t0102A8C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0
";

    fn near(address: &str) -> Option<&'static str> {
        narrowest(TABLE, address.parse().unwrap()).map(|subnet| subnet.interface)
    }

    #[test]
    fn the_narrowest_connected_network_counts() {
        assert_eq!(near("172.17.0.2"), Some("br0"));
        assert_eq!(near("172.17.1.2"), Some("br1"));
        assert_eq!(near("192.168.2.9"), Some("eth0"));
    }

    #[test]
    fn what_lies_behind_a_gateway_is_no_neighbour() {
        for address in ["10.0.0.1", "8.8.8.8", "172.18.0.2"] {
            assert_eq!(near(address), None, "{address}");
        }
        assert_eq!(narrowest("", "10.0.0.1".parse().unwrap()), None);
    }

    #[test]
    fn containers_are_on_the_engines_network_or_on_a_bridge_that_leads_nowhere_else() {
        let comes = |peer: &str| {
            let is_bridge = |interface: &str| interface.starts_with("br") || interface == "eth0";
            leads_to_container(TABLE, peer.parse().unwrap(), "172.17.0.1".parse().unwrap(), is_bridge)
        };
        assert!(comes("172.17.0.2"), "the engine's own network");
        assert!(comes("172.17.1.2"), "another bridge");
        assert!(!comes("192.168.2.9"), "a bridge that the rest of the world lies behind");
        assert!(!comes("192.168.3.9") && !comes("8.8.8.8"), "the rest of the world");
        assert!(!comes("172.20.0.2"), "an interface that is no bridge");
    }
}
