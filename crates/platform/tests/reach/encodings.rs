//! Ways to write an address, so that somebody who reads carelessly takes it for another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address is, as whoever wrote this list says; the guard is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Public,
    Private,
    ThisMachine,
    /// Link-local, a cloud's metadata, or no address of anybody's.
    Nowhere,
}

/// One way to write one address.
pub(crate) struct Way {
    pub(crate) text: String,
    pub(crate) scheme: &'static str,
    pub(crate) place: Place,
    /// Where a connection to it arrives; `None` where there is none to be had.
    pub(crate) address: Option<IpAddr>,
}

const V4: [(Place, [u8; 4]); 18] = [
    (Place::Public, [8, 8, 8, 8]),
    (Place::Public, [100, 128, 0, 1]),
    (Place::ThisMachine, [127, 0, 0, 1]),
    (Place::ThisMachine, [127, 9, 9, 9]),
    (Place::Private, [10, 0, 0, 5]),
    (Place::Private, [172, 16, 0, 9]),
    (Place::Private, [172, 31, 255, 254]),
    (Place::Private, [192, 168, 1, 1]),
    (Place::Private, [100, 64, 0, 1]),
    (Place::Private, [198, 18, 0, 1]),
    (Place::Nowhere, [169, 254, 169, 254]),
    (Place::Nowhere, [169, 254, 0, 1]),
    (Place::Nowhere, [100, 100, 100, 200]),
    (Place::Nowhere, [168, 63, 129, 16]),
    (Place::Nowhere, [192, 0, 0, 192]),
    (Place::Nowhere, [0, 0, 0, 0]),
    (Place::Nowhere, [224, 0, 0, 1]),
    (Place::Nowhere, [255, 255, 255, 255]),
];

const V6: [(Place, &str); 22] = [
    (Place::Public, "2a00::1"),
    (Place::ThisMachine, "::1"),
    (Place::ThisMachine, "0:0:0:0:0:0:0:1"),
    (Place::ThisMachine, "0000:0000:0000:0000:0000:0000:0000:0001"),
    (Place::ThisMachine, "::0:1"),
    (Place::Private, "fd12::1"),
    (Place::Private, "FD12:0:0::0:1"),
    (Place::Private, "fc00::1"),
    (Place::Private, "fec0::1"),
    (Place::Nowhere, "::"),
    (Place::Nowhere, "fe80::1"),
    (Place::Nowhere, "FEBF::1"),
    (Place::Nowhere, "ff02::1"),
    (Place::Nowhere, "fd00:ec2::254"),
    (Place::Nowhere, "FD00:0EC2:0:0:0:0:0:0254"),
    (Place::Nowhere, "fd20:ce::254"),
    (Place::Nowhere, "2001:0:808:808::"),
    // Local NAT64 (RFC 8215) with the IPv4 address where prefixes of 48, 56 and 64 bits have it, and a harmless one at
    // the end.
    (Place::Nowhere, "64:ff9b:1:a9fe:a9:fe00:808:808"),
    (Place::Nowhere, "64:ff9b:1:a9:fe:a9fe:808:808"),
    (Place::Nowhere, "64:ff9b:1:0:a9:fea9:fe08:808"),
    (Place::Private, "64:ff9b:1:a00:0:500:808:808"),
    (Place::ThisMachine, "64:ff9b:1:7f00:0:100:808:808"),
];

/// Hosts that are no host at all: zones, rests of other notations, numbers that are too large.
const BROKEN: [&str; 12] = [
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[::1%25lo]",
    "[::1%251]",
    "[::ffff:127.0.0.1%25lo]",
    "[::1",
    "[127.0.0.1]",
    "[v1.127.0.0.1]",
    "4294967297",
    "127.0.0.256",
    "0x100000001",
    "127.0.0.1.5",
];

/// Every way under both schemes.
pub(crate) fn all() -> impl Iterator<Item = Way> {
    let v4 = V4.iter().flat_map(|(place, octets)| {
        let address = Ipv4Addr::from(*octets);
        let plain = written(address).into_iter().map(move |host| (host, IpAddr::from(address)));
        let inside = embedded(address).into_iter().map(|host| {
            let arrives: Ipv6Addr = host.trim_matches(['[', ']']).parse().unwrap();
            (host, arrives.to_canonical())
        });
        plain.chain(inside).map(|(host, address)| (*place, host, Some(address)))
    });
    let v6 = V6.iter().map(|(place, text)| (*place, format!("[{text}]"), text.parse().ok()));
    let broken = BROKEN.iter().map(|host| (Place::Nowhere, (*host).to_owned(), None));
    v4.chain(v6).chain(broken).flat_map(|(place, host, address)| {
        ["http", "https"].into_iter().flat_map(move |scheme| {
            let texts = around(scheme, &host);
            texts.into_iter().map(move |text| Way { text, scheme, place, address })
        })
    })
}

/// The notations of an IPv4 address that a URL parser takes for one (WHATWG URL, "IPv4 parser"; UTS 46 for digits and
/// full stops of other scripts).
fn written(address: Ipv4Addr) -> Vec<String> {
    let number = u32::from(address);
    let [a, b, c, d] = address.octets();
    let (last_two, last_three) = (number & 0xffff, number & 0x00ff_ffff);
    let dotted = address.to_string();
    let digits = |zero: u32| {
        let digit = |c: char| c.to_digit(10).and_then(|value| char::from_u32(zero + value)).unwrap_or(c);
        dotted.chars().map(digit).collect::<String>()
    };
    vec![
        format!("{dotted}."),
        number.to_string(),
        format!("0x{number:x}"),
        format!("0X{number:08X}"),
        format!("0x{number:016x}"),
        format!("0{number:o}"),
        format!("000{number:o}"),
        format!("{a}.{b}.{last_two}"),
        format!("{a}.{last_three}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0x{a:X}.{b}.0{c:o}.{d}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0{a:o}.0x{last_three:x}"),
        format!("00{a:o}.{b}.{last_two}."),
        dotted.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        dotted.replace('.', "%2e"),
        dotted.replace('.', "。"),
        dotted.replace('.', "．"),
        dotted.replace('.', "｡"),
        digits(0xff10),
        digits(0x1d7ce),
        dotted,
    ]
}

/// The IPv6 addresses that stand for an IPv4 one.
fn embedded(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    vec![
        format!("[::ffff:{address}]"),
        format!("[::FFFF:{high:X}:{low:X}]"),
        format!("[0:0:0:0:0:ffff:{high:04x}:{low:04x}]"),
        format!("[::ffff:0:{high:x}:{low:x}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:0:0:0:0:{high:x}:{low:x}]"),
        format!("[64:ff9b:1::{address}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[2002:{high:x}:{low:x}:1::2]"),
    ]
}

/// What can stand around a host to hide it. A private path, port or query changes nothing.
fn around(scheme: &str, host: &str) -> Vec<String> {
    vec![
        format!("{scheme}://{host}/.well-known/oauth-authorization-server"),
        format!("{}://{host}", scheme.to_uppercase()),
        format!("{scheme}:\\\\{host}\\token"),
        format!("{scheme}:/{host}/"),
        format!("{scheme}://crm.example.com@{host}/"),
        format!("{scheme}://crm.example.com:443@{host}?@crm.example.com/"),
        format!("{scheme}://{host}#@crm.example.com/"),
        format!("{scheme}://{host}\\@crm.example.com/"),
        format!("ht\ntp{}://\t{host}/", scheme.trim_start_matches("http")),
    ]
}
