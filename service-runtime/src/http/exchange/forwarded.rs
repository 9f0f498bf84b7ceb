//! The client behind a proxy, as proxies that are trusted tell it.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use crate::http::config::{ForwardedHeader, network};
use crate::listen::Peer;

/// Proxies that are believed.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    header: ForwardedHeader,
    networks: Vec<(IpAddr, u8)>,
    unix: bool,
}

impl Proxies {
    /// Reads addresses, networks and `unix`; what is none of these was refused with the configuration.
    pub(crate) fn new(texts: &[String], header: ForwardedHeader) -> Self {
        Self {
            header,
            networks: texts.iter().filter_map(|text| network(text)).collect(),
            unix: texts.iter().any(|text| text == "unix"),
        }
    }

    /// Returns the client that a trusted proxy names: of those from the right on, the first that is
    /// no trusted proxy itself.
    pub(crate) fn client(&self, peer: &Peer, headers: &HeaderMap) -> Option<IpAddr> {
        if self.networks.is_empty() && !self.unix {
            return None;
        }
        if !self.are_trusted(peer) {
            return None;
        }
        let mut hops = hops(headers, self.header);
        let mut client = None;
        while let Some(hop) = hops.pop() {
            let Some(address) = hop else { break };
            client = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        client
    }

    /// Returns whether the other end of a connection is one of them.
    pub(crate) fn are_trusted(&self, peer: &Peer) -> bool {
        match peer {
            Peer::Tcp(address) => self.trusts(address.ip()),
            Peer::Unix { .. } => self.unix,
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|(network, bits)| match (network, address) {
                (IpAddr::V4(network), IpAddr::V4(address)) => {
                    let shift = 32 - u32::from(*bits);
                    let cut = |bits: u32| bits.checked_shr(shift).unwrap_or(0);
                    cut(network.to_bits()) == cut(address.to_bits())
                }
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    let shift = 128 - u32::from(*bits);
                    let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
                    cut(network.to_bits()) == cut(address.to_bits())
                }
                _ => false,
            })
    }
}

/// Reads a header for a fuzzer, as a proxy of everywhere sends it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(name: &'static str, value: &[u8]) -> Option<IpAddr> {
    let mut headers = HeaderMap::new();
    headers.insert(name, axum::http::HeaderValue::from_bytes(value).ok()?);
    let peer = Peer::Tcp(SocketAddr::from(([10, 0, 0, 1], 1)));
    let header = match name {
        "forwarded" => ForwardedHeader::Forwarded,
        _ => ForwardedHeader::XForwardedFor,
    };
    Proxies::new(&["10.0.0.0/8".to_owned()], header).client(&peer, &headers)
}

/// Returns the hops from left to right, `None` for one that has no address.
///
/// Only the header that the proxies set is read: the other one comes from the client as it is.
fn hops(headers: &HeaderMap, header: ForwardedHeader) -> Vec<Option<IpAddr>> {
    let read = match header {
        ForwardedHeader::Forwarded => forwarded_for,
        ForwardedHeader::XForwardedFor => node,
    };
    let values = headers.get_all(header.name()).iter();
    values
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|hop| read(hop.trim()))
        .collect()
}

/// Reads the `for=` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let matches = name.trim().eq_ignore_ascii_case("for");
        matches.then(|| node(value.trim().trim_matches('"')))?
    })
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80` or `2001:db8::1`.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = bare.parse().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(trusted: &[&str], peer: &str, name: &'static str, value: &str) -> Option<String> {
        let trusted: Vec<_> = trusted.iter().map(|text| (*text).to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let peer = Peer::Tcp(SocketAddr::new(peer.parse().unwrap(), 1));
        let header = match name {
            "forwarded" => ForwardedHeader::Forwarded,
            _ => ForwardedHeader::XForwardedFor,
        };
        let client = Proxies::new(&trusted, header).client(&peer, &headers);
        client.map(|address| address.to_string())
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_as_far_as_it_is() {
        let xff = "x-forwarded-for";
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        let says = |peer, value| client(&trusted, peer, xff, value);
        assert_eq!(says("192.0.2.9", "1.2.3.4"), None);
        assert_eq!(says("10.1.2.3", "1.2.3.4").unwrap(), "1.2.3.4");
        // The left is what the client itself may have written.
        assert_eq!(
            says("10.1.2.3", "9.9.9.9, 1.2.3.4, 10.7.7.7").unwrap(),
            "1.2.3.4"
        );
        assert_eq!(
            says("10.1.2.3", "9.9.9.9, nonsense, 10.7.7.7").unwrap(),
            "10.7.7.7"
        );
        assert_eq!(says("2001:db8::1", "1.2.3.4:80").unwrap(), "1.2.3.4");
        assert_eq!(says("::ffff:10.0.0.1", "1.2.3.4").unwrap(), "1.2.3.4");
        assert_eq!(client(&[], "10.1.2.3", xff, "1.2.3.4"), None);
    }

    #[test]
    fn the_header_that_the_proxies_do_not_set_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", "for=1.1.1.1".parse().unwrap());
        headers.insert("x-forwarded-for", "2.2.2.2".parse().unwrap());
        let peer = Peer::Tcp("10.0.0.1:1".parse().unwrap());
        let client = |header, headers: &HeaderMap| {
            let proxies = Proxies::new(&["10.0.0.0/8".to_owned()], header);
            proxies.client(&peer, headers).map(|it| it.to_string())
        };
        let (xff, forwarded) = (ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded);
        assert_eq!(client(xff, &headers).unwrap(), "2.2.2.2");
        assert_eq!(client(forwarded, &headers).unwrap(), "1.1.1.1");
        headers.remove("x-forwarded-for");
        assert_eq!(client(xff, &headers), None);
    }

    #[test]
    fn forwarded_is_read_in_all_its_forms() {
        for (value, address) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
        ] {
            let client = client(&["127.0.0.1"], "127.0.0.1", "forwarded", value);
            assert_eq!(client.as_deref(), Some(address), "{value}");
        }
        let hidden = client(&["127.0.0.1"], "127.0.0.1", "forwarded", "for=_hidden");
        assert_eq!(hidden, None);
    }

    /// What a header may hold: nearly an address, or anything.
    fn header() -> impl Strategy<Value = String> {
        let hop = prop_oneof![
            any::<IpAddr>().prop_map(|address| address.to_string()),
            any::<SocketAddr>().prop_map(|address| address.to_string()),
            any::<IpAddr>().prop_map(|address| format!("for=\"[{address}]:1\";by=x")),
            "[ -~]{0,30}",
        ];
        proptest::collection::vec(hop, 0..6).prop_map(|hops| hops.join(", "))
    }

    proptest! {
        #[test]
        fn whatever_is_forwarded_a_stranger_is_not_believed(value in header(), xff: bool) {
            let name = if xff { "x-forwarded-for" } else { "forwarded" };
            prop_assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", name, &value), None);
            // What a trusted proxy says is an address that it has said, or nothing.
            if let Some(said) = client(&["10.0.0.0/8"], "10.0.0.1", name, &value) {
                prop_assert!(said.parse::<IpAddr>().is_ok());
            }
        }

        #[test]
        fn of_hops_that_are_addresses_the_last_stranger_is_the_client(
            strangers in proptest::collection::vec(any::<std::net::Ipv4Addr>(), 1..5),
            proxies in 0_usize..4,
        ) {
            let stranger = strangers.last().unwrap();
            prop_assume!(stranger.octets()[0] != 10);
            let mut hops: Vec<_> = strangers.iter().map(ToString::to_string).collect();
            hops.extend((0..proxies).map(|number| format!("10.0.0.{number}")));
            let said = client(&["10.0.0.0/8"], "10.9.9.9", "x-forwarded-for", &hops.join(","));
            prop_assert_eq!(said, Some(stranger.to_string()));
        }

        #[test]
        fn a_network_trusts_its_own_addresses(address: IpAddr, bits in 0_u8..=128) {
            let text = format!("{address}/{bits}");
            let read = network(&text);
            prop_assert_eq!(read.is_some(), bits <= if address.is_ipv4() { 32 } else { 128 });
            // Of an address of IPv4 in one of IPv6 the former counts.
            if read.is_some() && address.to_canonical() == address {
                prop_assert!(Proxies::new(&[text], ForwardedHeader::XForwardedFor).trusts(address));
            }
        }
    }
}
