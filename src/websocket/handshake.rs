//! The opening handshake (RFC 6455 §4.2): a request becomes a WebSocket, or is refused.
//!
//! A method and a way to look headers up come in; the head of the 101 goes out, or a [`Refusal`] with its status.
//! Never knows the target, the origin or who is asking: whether this peer may connect is decided before.
//! Left out: HTTP/1.0, which the reader of heads refuses to upgrade; extensions, which are [`super::offers`]' to agree on
//! (an `extra_headers` of [`response`] carries the answer); and HTTP/2's CONNECT (RFC 8441).

use tungstenite::handshake::derive_accept_key;

use crate::buffers::{Buffer, Shared};

/// A request that may become a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// The value of `Sec-WebSocket-Accept`.
    pub key: String,
    /// The subprotocol the client would like best. It is granted unseen, as Node's server does, since a browser
    /// that asked for one fails the connection if it gets none.
    pub protocol: Option<String>,
}

/// Why a request does not become a WebSocket. The texts are those of Node's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Not a GET.
    Method,
    /// No `Upgrade: websocket`, or a `Connection` that does not name it.
    Upgrade,
    /// A `Sec-WebSocket-Key` that is missing or not sixteen bytes in base64.
    Key,
    /// A version other than 13.
    Version,
    /// A `Sec-WebSocket-Protocol` that is no list of tokens.
    Protocol,
}

impl Refusal {
    /// The status of the response.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Upgrade | Self::Key | Self::Protocol => 400,
            Self::Version => 426,
        }
    }

    /// The body of the response.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Method => "Invalid HTTP method",
            Self::Upgrade => "Invalid Upgrade header",
            Self::Key => "Missing or invalid Sec-WebSocket-Key header",
            Self::Version => "Missing or invalid Sec-WebSocket-Version header",
            Self::Protocol => "Invalid Sec-WebSocket-Protocol header",
        }
    }

    /// Headers the response has besides the usual ones: a 405 says what is allowed (RFC 9110 §15.5.6), a 426 what to
    /// upgrade to (§15.5.22) and which version we speak (RFC 6455 §4.4).
    #[must_use]
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Method => &[("Allow", "GET")],
            Self::Version => &[("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
            Self::Upgrade | Self::Key | Self::Protocol => &[],
        }
    }
}

/// Whether a request becomes a WebSocket. `header` gives the value of a header by its lower-case name; of a header that
/// came more than once, the values joined by commas.
///
/// # Errors
///
/// The first thing that is missing or wrong.
pub fn accept<'a>(
    method: &str,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Result<Accept, Refusal> {
    if method != "GET" {
        return Err(Refusal::Method);
    }
    let names = |list: &str, wanted: &str| header(list).is_some_and(|value| lists(value, wanted));
    if !names("upgrade", "websocket") || !names("connection", "upgrade") {
        return Err(Refusal::Upgrade);
    }
    let key = header("sec-websocket-key")
        .map(str::trim)
        .filter(|key| is_key(key))
        .ok_or(Refusal::Key)?;
    if header("sec-websocket-version").map(str::trim) != Some("13") {
        return Err(Refusal::Version);
    }
    let protocol = header("sec-websocket-protocol")
        .map(favourite)
        .transpose()?;
    Ok(Accept {
        key: derive_accept_key(key.as_bytes()),
        protocol: protocol.map(str::to_owned),
    })
}

/// The whole head of the 101, blank line included. Of `extra_headers`, one that would break out of its line is left out.
#[must_use]
pub fn response(accept: &Accept, extra_headers: &[(&str, &str)]) -> Shared {
    let mut head = Buffer::new();
    head.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    );
    let mut push = |name: &str, value: &str| {
        if !name.contains(char::is_control) && !value.contains(char::is_control) {
            for part in [name, ": ", value, "\r\n"] {
                head.extend_from_slice(part.as_bytes());
            }
        }
    };
    push("Sec-WebSocket-Accept", &accept.key);
    if let Some(protocol) = &accept.protocol {
        push("Sec-WebSocket-Protocol", protocol);
    }
    for (name, value) in extra_headers {
        push(name, value);
    }
    head.extend_from_slice(b"\r\n");
    head.share(0)
}

/// Whether a comma-separated list names a token, in any case (RFC 9110 §5.6.1).
fn lists(value: &str, token: &str) -> bool {
    value
        .split(',')
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// Whether it can be sixteen bytes in base64. Bits that padding leaves over are not looked at: clients that send 24
/// random characters exist, and nothing is decoded here.
fn is_key(key: &str) -> bool {
    let of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    key.strip_suffix("==")
        .is_some_and(|key| key.len() == 22 && key.bytes().all(of_base64))
}

/// The first of a list of subprotocols, all of which must be tokens.
fn favourite(list: &str) -> Result<&str, Refusal> {
    let mut protocols = list.split(',').map(str::trim);
    let first = protocols.next().unwrap_or_default();
    if !is_token(first) || !protocols.all(is_token) {
        return Err(Refusal::Protocol);
    }
    Ok(first)
}

/// RFC 9110 §5.6.2.
fn is_token(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(is_token_byte)
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers<'a> = Vec<(&'a str, &'a str)>;

    /// The request of RFC 6455 §1.3.
    fn sample() -> Headers<'static> {
        vec![
            ("host", "server.example.com"),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("origin", "http://example.com"),
            ("sec-websocket-version", "13"),
        ]
    }

    fn sample_with(name: &'static str, value: &'static str) -> Headers<'static> {
        let mut headers = sample_without(name);
        headers.push((name, value));
        headers
    }

    fn sample_without(name: &str) -> Headers<'static> {
        sample()
            .into_iter()
            .filter(|(other, _)| *other != name)
            .collect()
    }

    fn ask(method: &str, headers: &Headers<'static>) -> Result<Accept, Refusal> {
        let find = |name: &str| headers.iter().find(|(other, _)| *other == name);
        accept(method, |name| find(name).map(|(_, value)| *value))
    }

    #[test]
    fn the_sample_of_the_rfc_is_accepted_with_its_key() {
        let accept = ask("GET", &sample()).unwrap();
        assert_eq!(accept.key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let head = "HTTP/1.1 101 Switching Protocols\r\n\
            Upgrade: websocket\r\n\
            Connection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
            \r\n";
        assert_eq!(response(&accept, &[]), head.as_bytes());
    }

    #[test]
    fn what_other_clients_send_is_accepted_too() {
        for (name, value) in [
            ("connection", "keep-alive, Upgrade"),
            ("connection", "upgrade,keep-alive"),
            ("connection", "UPGRADE"),
            ("upgrade", "WebSocket"),
            ("upgrade", "h2c, websocket"),
            ("sec-websocket-key", " dGhlIHNhbXBsZSBub25jZQ== "),
            ("sec-websocket-key", "0123456789abcdefghijkl=="),
            (
                "sec-websocket-extensions",
                "permessage-deflate; client_max_window_bits",
            ),
        ] {
            assert!(
                ask("GET", &sample_with(name, value)).is_ok(),
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn every_refusal_has_a_request_that_provokes_it() {
        let rows = [
            ("POST", sample(), Refusal::Method, 405),
            ("get", sample(), Refusal::Method, 405),
            ("HEAD", sample(), Refusal::Method, 405),
            ("GET", vec![], Refusal::Upgrade, 400),
            ("GET", sample_without("upgrade"), Refusal::Upgrade, 400),
            ("GET", sample_with("upgrade", "h2c"), Refusal::Upgrade, 400),
            (
                "GET",
                sample_with("upgrade", "websockets"),
                Refusal::Upgrade,
                400,
            ),
            ("GET", sample_without("connection"), Refusal::Upgrade, 400),
            (
                "GET",
                sample_with("connection", "keep-alive"),
                Refusal::Upgrade,
                400,
            ),
            (
                "GET",
                sample_with("connection", "close"),
                Refusal::Upgrade,
                400,
            ),
            (
                "GET",
                sample_without("sec-websocket-key"),
                Refusal::Key,
                400,
            ),
            (
                "GET",
                sample_with("sec-websocket-key", ""),
                Refusal::Key,
                400,
            ),
            (
                "GET",
                sample_with("sec-websocket-key", "c2hvcnQ="),
                Refusal::Key,
                400,
            ),
            (
                "GET",
                sample_with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQAA"),
                Refusal::Key,
                400,
            ),
            (
                "GET",
                sample_with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQA=="),
                Refusal::Key,
                400,
            ),
            (
                "GET",
                sample_with("sec-websocket-key", "dGhlIHNh\u{e9}BsZSBub25jZQ=="),
                Refusal::Key,
                400,
            ),
            (
                "GET",
                sample_with("sec-websocket-key", "!!!!!!!!!!!!!!!!!!!!!!=="),
                Refusal::Key,
                400,
            ),
            (
                "GET",
                sample_without("sec-websocket-version"),
                Refusal::Version,
                426,
            ),
            (
                "GET",
                sample_with("sec-websocket-version", "8"),
                Refusal::Version,
                426,
            ),
            (
                "GET",
                sample_with("sec-websocket-version", "13, 8"),
                Refusal::Version,
                426,
            ),
            (
                "GET",
                sample_with("sec-websocket-version", "013"),
                Refusal::Version,
                426,
            ),
            (
                "GET",
                sample_with("sec-websocket-protocol", ""),
                Refusal::Protocol,
                400,
            ),
            (
                "GET",
                sample_with("sec-websocket-protocol", "a,,b"),
                Refusal::Protocol,
                400,
            ),
            (
                "GET",
                sample_with("sec-websocket-protocol", "a b"),
                Refusal::Protocol,
                400,
            ),
        ];
        for (method, headers, refusal, status) in rows {
            assert_eq!(ask(method, &headers), Err(refusal), "{method} {headers:?}");
            assert_eq!(refusal.status(), status);
            assert!(!refusal.text().is_empty());
        }
    }

    #[test]
    fn a_refusal_says_what_would_be_right() {
        assert_eq!(Refusal::Method.headers(), [("Allow", "GET")]);
        assert!(
            Refusal::Version
                .headers()
                .contains(&("Sec-WebSocket-Version", "13"))
        );
        assert_eq!(Refusal::Key.headers(), []);
    }

    #[test]
    fn the_first_subprotocol_is_granted() {
        let accept = ask(
            "GET",
            &sample_with("sec-websocket-protocol", "chat.v2, chat"),
        )
        .unwrap();
        assert_eq!(accept.protocol.as_deref(), Some("chat.v2"));
        let head = response(&accept, &[]);
        assert!(head.ends_with(b"\r\nSec-WebSocket-Protocol: chat.v2\r\n\r\n"));
    }

    #[test]
    fn further_headers_follow_and_none_breaks_out_of_its_line() {
        let accept = ask("GET", &sample()).unwrap();
        let head = response(
            &accept,
            &[
                ("Set-Cookie", "io=1; HttpOnly"),
                ("X-Split", "a\r\nSet-Cookie: stolen=1"),
                ("X\nY", "a"),
                ("X-Nul", "\0"),
            ],
        );
        assert!(head.ends_with(b"=\r\nSet-Cookie: io=1; HttpOnly\r\n\r\n"));
    }
}
