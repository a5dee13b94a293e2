//! For whom a connection speaks: its peer, or whom a trusted proxy names.
//!
//! The peer and the request's `X-Forwarded-For` come in, the client's address goes out. Each proxy adds the address it
//! sees behind those that it was told, so the list is believed from its end for as long as proxies are ours: the
//! last address that is none of theirs is the client's. What stands before it anybody could have written.
//! Left out: `Forwarded` (RFC 7239), which hardly a proxy sends unasked; and the port, which nobody needs.

use std::net::{IpAddr, SocketAddr};

use crate::addresses::Network;
use crate::http::Request;
use crate::reactor::Peer;

/// The client behind a connection. Its port is 0 where a proxy named it.
pub(super) fn client(proxies: &[Network], peer: Peer, request: &Request<'_>) -> Peer {
    let Peer::Tcp(address) = peer else {
        return peer;
    };
    let is_ours = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    if !is_ours(address.ip()) {
        return peer;
    }
    let lines: Vec<_> = request
        .headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-for"))
        .collect();
    let named = lines
        .iter()
        .rev()
        .flat_map(|(_, value)| value.rsplit(|byte| *byte == b','))
        .map(parse);
    let mut nearest = peer;
    for address in named {
        // What is no address cannot be passed over: whoever stands before it is not vouched for.
        let Some(address) = address else { break };
        nearest = Peer::Tcp(SocketAddr::new(address, 0));
        if !is_ours(address) {
            break;
        }
    }
    nearest
}

/// An address, with or without a port: proxies write either.
fn parse(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let address: Option<IpAddr> = text.parse().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, lines: &[&str]) -> String {
        let proxies = ["10.0.0.0/8", "2001:db8::1"].map(|text| text.parse().unwrap());
        let peer = Peer::Tcp(SocketAddr::new(peer.parse().unwrap(), 5000));
        let lines: String = lines
            .iter()
            .map(|line| format!("X-Forwarded-For: {line}\r\n"))
            .collect();
        let head = format!("GET / HTTP/1.1\r\nHost: here\r\n{lines}\r\n");
        let request = Request::from_head(head.as_bytes()).unwrap();
        match client(&proxies, peer, &request) {
            Peer::Tcp(address) => address.ip().to_string(),
            Peer::Unix => unreachable!("it came by TCP"),
        }
    }

    #[test]
    fn the_last_address_that_is_no_proxy_of_ours_is_the_client() {
        for (peer, lines, client) in [
            ("10.0.0.1", &["192.0.2.1"][..], "192.0.2.1"),
            ("10.0.0.1", &["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["6.6.6.6,192.0.2.1 , 10.0.0.2"], "192.0.2.1"),
            ("10.0.0.1", &["6.6.6.6", "192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("10.0.0.1", &["[2001:db8::2]:4711"], "2001:db8::2"),
            ("2001:db8::1", &["::ffff:192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            assert_eq!(seen(peer, lines), client, "{peer} {lines:?}");
        }
    }

    #[test]
    fn nobody_else_is_believed_and_nothing_before_what_is_no_address() {
        for (peer, lines, client) in [
            ("192.0.2.9", &["6.6.6.6"][..], "192.0.2.9"),
            ("11.0.0.1", &["6.6.6.6"], "11.0.0.1"),
            ("10.0.0.1", &["6.6.6.6, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["6.6.6.6, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["6.6.6.6, "], "10.0.0.1"),
            ("10.0.0.1", &["\u{e9}"], "10.0.0.1"),
        ] {
            assert_eq!(seen(peer, lines), client, "{peer} {lines:?}");
        }
    }
}
