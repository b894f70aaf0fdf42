//! The address of this machine on one of its networks, by the network's interface.
//!
//! Linux alone, as the doors that need it.

use std::net::Ipv4Addr;

/// The IPv4 address of `interface`; `None` if there is no such interface, or it has none.
pub fn address_of(interface: &str) -> Option<Ipv4Addr> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/net/{name}")).ok();
    within(interface, &read("route")?, &read("fib_trie")?)
}

/// The routes tell the interface's network, the trie tells which addresses are this machine's own.
fn within(interface: &str, routes: &str, trie: &str) -> Option<Ipv4Addr> {
    let word = |text: &str| Some(u32::from_be_bytes(u32::from_str_radix(text, 16).ok()?.to_ne_bytes()));
    let network = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [name, destination, gateway, _, _, _, _, mask, ..] = words[..] else { return None };
        let (network, mask) = (word(destination)?, word(mask)?);
        (name == interface && word(gateway)? == 0 && mask != 0).then_some((network, mask))
    };
    let (network, mask) = routes.lines().find_map(network)?;
    let lines: Vec<&str> = trie.lines().map(str::trim).collect();
    let local = lines.windows(2).filter(|two| two[1].ends_with("host LOCAL"));
    let addresses = local.filter_map(|two| two[0].strip_prefix("|-- ")?.parse::<Ipv4Addr>().ok());
    addresses.into_iter().find(|address| address.to_bits() & mask == network)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
br0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
";
    const TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 172.17.0.0
        /16 link UNICAST
     |-- 172.17.0.1
        /32 host LOCAL
     |-- 172.17.255.255
        /32 link BROADCAST
";

    #[test]
    fn an_interface_has_the_address_in_its_network() {
        assert_eq!(within("br0", ROUTES, TRIE), Some(Ipv4Addr::new(172, 17, 0, 1)));
        assert_eq!(within("eth0", ROUTES, TRIE), None);
        assert_eq!(within("br1", ROUTES, TRIE), None);
        assert_eq!(within("br0", "", ""), None);
    }
}
