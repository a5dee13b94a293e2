//! What is kept of the request that opened a session.
//!
//! The head as it was sent (parsed again when somebody asks), the address and the time. How much is kept is a choice of
//! [`HandshakeKept`].

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::config::HandshakeKept;
use crate::http::{Request, query};
use crate::reactor::Peer;
use crate::time::UnixMillis;

/// The request that opened a session, as far as it was kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handshake {
    head: Option<Box<[u8]>>,
    url: Box<str>,
    peer: Peer,
    issued: UnixMillis,
}

impl Handshake {
    pub(super) fn of(
        request: &Request<'_>,
        peer: Peer,
        issued: UnixMillis,
        kept: HandshakeKept,
    ) -> Self {
        let head = match kept {
            HandshakeKept::Whole | HandshakeKept::UntilConnected => Some(request.head().into()),
            HandshakeKept::UrlAndAddress => None,
        };
        Self {
            head,
            url: request.path_and_query().into(),
            peer,
            issued,
        }
    }

    /// A request that somebody has told of: its url, the address it came from, when, and its headers. What is no header is
    /// left out.
    #[must_use]
    pub fn told<'h>(
        url: &str,
        address: Option<IpAddr>,
        issued: UnixMillis,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    ) -> Self {
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let url = if is_plain(url) { url } else { "/" };
        let mut head = format!("GET {url} HTTP/1.1\r\n");
        for (name, value) in headers {
            let is_one_line = !value.contains(['\r', '\n', '\0']);
            if is_plain(name) && !name.contains(':') && is_one_line {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str("\r\n");
        Self {
            head: Some(head.into_bytes().into()),
            url: url.into(),
            peer: address.map_or(Peer::Unix, |ip| Peer::Tcp((ip, 0).into())),
            issued,
        }
    }

    /// The request, without its body; none if only the url and the address are kept.
    #[must_use]
    pub fn request(&self) -> Option<Request<'_>> {
        Request::from_head(self.head.as_deref()?).ok()
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.request()?.header(name).map(ToOwned::to_owned)
    }

    /// The first cookie of that name.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.request()?.cookie(name).map(ToOwned::to_owned)
    }

    /// Path and query, as they were sent.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The names and values of the query, decoded.
    pub fn query(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        query::pairs(self.url.split_once('?').map_or("", |(_, query)| query))
    }

    /// The value of one name in the query; of several the last.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        query::value(
            self.url.split_once('?').map_or("", |(_, query)| query),
            name,
        )
    }

    /// The address it came from, of a trusted proxy's client if one brought it; none over a Unix socket.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self.peer {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix => None,
        }
    }

    /// When it came.
    #[must_use]
    pub const fn issued(&self) -> UnixMillis {
        self.issued
    }
}
