//! URLs as anybody may write them: what is taken keeps its bytes and is safe to ask, whatever else there was.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use keybearer_model::reach::Reach;
use keybearer_model::url::{Endpoint, Issuer, Upstream, is_loopback};
use proptest::prelude::*;
use url::Url;

/// Nearly URLs: the parts of one, each of them good or bad.
fn nearly_a_url() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["https", "HTTPS", "http", "ftp", "javascript", "data", ""]);
    let rest = "(://|:/|:)([a-z.@:#\\[\\]0-9]{0,12}@)?(127.0.0.1|localhost|crm.example.com|\\[::1\\]|10.0.0.1|[!-~]{0,16})(:[0-9]{1,6})?(/[!-~ \\t]{0,20})?";
    prop_oneof![(scheme, rest).prop_map(|(scheme, rest)| format!("{scheme}{rest}")), ".{0,60}"]
}

fn address() -> impl Strategy<Value = IpAddr> {
    let near: Vec<Ipv4Addr> = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "172.20.0.1", "192.168.1.1", "0.0.0.0"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    let v4 = prop_oneof![any::<u32>().prop_map(Ipv4Addr::from), prop::sample::select(near)];
    let inside = v4.clone().prop_map(|inner| inner.to_ipv6_mapped());
    let v6 = prop_oneof![
        any::<u128>().prop_map(Ipv6Addr::from),
        any::<u16>().prop_map(|last| Ipv6Addr::from(u128::from(last))),
        inside
    ];
    prop_oneof![v4.prop_map(IpAddr::from), v6.prop_map(IpAddr::from)]
}

fn at(address: IpAddr) -> Url {
    let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    format!("https://{host}/metadata").parse().unwrap()
}

/// What the standard library calls near, which knows nothing of our table.
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_taken_prints_as_it_was_written(text in nearly_a_url()) {
        let Ok(endpoint) = text.parse::<Endpoint>() else { return Ok(()) };
        prop_assert_eq!(endpoint.as_str(), text.as_str());
        prop_assert_eq!(&endpoint.to_string().parse::<Endpoint>().unwrap(), &endpoint);
        let issuer: Issuer = text.parse().unwrap();
        prop_assert_eq!(issuer.as_str(), text.as_str());
        let json = serde_json::to_string(&endpoint).unwrap();
        prop_assert_eq!(serde_json::from_str::<Endpoint>(&json).unwrap(), endpoint);
        // A server's URL is a person's own, and is shown as it is used.
        let upstream: Upstream = text.parse().unwrap();
        prop_assert_eq!(upstream.to_string().parse::<Upstream>().unwrap(), upstream);
    }

    #[test]
    fn what_is_taken_is_encrypted_or_stays_on_this_machine(text in nearly_a_url()) {
        let Ok(endpoint) = text.parse::<Endpoint>() else { return Ok(()) };
        let url = endpoint.as_url();
        prop_assert!(url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)));
        prop_assert!(url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
        prop_assert!(!text.chars().any(|c| c.is_control() || c.is_whitespace()));
    }

    #[test]
    fn what_a_server_names_is_public_or_no_nearer_than_the_server(server in address(), named in address()) {
        let upstream: Upstream = at(server).as_str().parse().unwrap();
        let (from, to) = (Reach::of_address(server), Reach::of_address(named));
        if upstream.may_lead_to(&at(named)) {
            prop_assert!(to == Reach::Public || to <= from, "{} may lead to {}", server, named);
            prop_assert!(from != Reach::Public || !is_near(named), "{} may lead to {}", server, named);
            prop_assert!(to != Reach::Never);
        }
    }
}
