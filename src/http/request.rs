//! Requests: one head and its body, as they were sent.
//!
//! The connection makes them; they borrow from the reactor's buffer where they can, and never from the connection, so a
//! request may be read while the connection is asked something else. [`Request::into_owned`] makes one that stays.
//! Never knows who is asking, what a path means, or the time.
//! Left out: decoding of any kind but [`super::query`]'s. A path is compared as sent, so that no two spellings of one path
//! meet different rules.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::head::{self, Parts, Place};

/// The methods that have a meaning here; all others are [`Method::Other`], and only routing has an opinion on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// `CONNECT`, which nobody here serves.
    Connect,
    /// Anything else; [`Request::method_name`] has the word.
    Other,
}

impl Method {
    /// By its name; methods are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }

    /// Its name; of [`Method::Other`] a star.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Connect => "CONNECT",
            Self::Other => "*",
        }
    }
}

/// The two versions of HTTP on a plain connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Version {
    /// HTTP/1.0: closes after the answer unless asked not to.
    Http10,
    /// HTTP/1.1: stays unless asked to close.
    Http11,
}

/// A complete request.
#[derive(Clone)]
pub struct Request<'a> {
    head: Cow<'a, [u8]>,
    parts: Parts,
    body: Cow<'a, [u8]>,
}

impl<'a> Request<'a> {
    pub(super) const fn new(head: Cow<'a, [u8]>, parts: Parts, body: Cow<'a, [u8]>) -> Self {
        Self { head, parts, body }
    }

    /// A request without its body from a head that was kept, as [`Request::head`] gave it.
    ///
    /// # Errors
    /// If it is no head, which one that came from a request always is.
    pub fn from_head(head: impl Into<Cow<'a, [u8]>>) -> Result<Self, Refusal> {
        let head = head.into();
        // Each line but the request line and the empty one is a header.
        let lines = memchr::memchr_iter(b'\n', &head).count();
        let parts = head::parse(&head, lines.saturating_sub(2))?;
        Ok(Self {
            head,
            parts,
            body: Cow::Borrowed(&[]),
        })
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.parts.method
    }

    /// The method as it was sent.
    #[must_use]
    pub fn method_name(&self) -> &str {
        self.text(self.parts.method_name)
    }

    /// The path as it was sent, without the query. Starts with a slash, but for `OPTIONS *` and CONNECT.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text(self.parts.path)
    }

    /// The query as it was sent, without its question mark; empty if there is none. See [`super::query`].
    #[must_use]
    pub fn query(&self) -> &str {
        self.parts.query.map_or("", |place| self.text(place))
    }

    pub(crate) fn query_bytes(&self) -> &[u8] {
        let query = self.parts.query.map(Place::range);
        query.map_or(&[], |query| &self.head[query])
    }

    /// Path and query as they were sent: what Socket.IO calls the `url` of a handshake.
    #[must_use]
    pub fn path_and_query(&self) -> Cow<'_, str> {
        let path = self.parts.path.range();
        let Some(query) = self.parts.query.map(Place::range) else {
            return Cow::Borrowed(self.path());
        };
        // Not adjacent only for `http://host?query`, whose path is a slash from elsewhere.
        if path.end + 1 != query.start {
            return Cow::Owned(format!("{}?{}", self.path(), self.query()));
        }
        Cow::Borrowed(ascii(&self.head[path.start..query.end]))
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.parts.version
    }

    /// The first value of a header, if it is UTF-8; case does not matter in `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_bytes(name)
            .and_then(|value| str::from_utf8(value).ok())
    }

    /// The first value of a header, as bytes.
    #[must_use]
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        let mut headers = self.parts.headers.iter();
        headers
            .find(|(key, _)| self.head[key.range()].eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| &self.head[value.range()])
    }

    /// All values of a header that may come more than once.
    pub fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s [u8]> {
        self.headers()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All headers in order, with the names as they were sent.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.parts
            .headers
            .iter()
            .map(|(name, value)| (self.text(*name), &self.head[value.range()]))
    }

    /// The members of a header that holds a list, over all its lines (RFC 9110 §5.3).
    pub fn list<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s [u8]> {
        self.values(name).flat_map(head::tokens)
    }

    /// The cookies, in the order the browser sent them (RFC 6265 §4.2.1).
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values("cookie")
            .filter_map(|value| str::from_utf8(value).ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim_ascii().split_once('='))
    }

    /// The first cookie of this name: of several the one with the most specific path.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The body, without any framing.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The head as it was sent, with its blank line.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether this asks for a WebSocket in the one form that can become one: GET, HTTP/1.1, no body, `Connection: upgrade`
    /// and `Upgrade: websocket`. What follows the head then belongs to the WebSocket.
    #[must_use]
    pub const fn is_upgrade(&self) -> bool {
        self.parts.upgrade
    }

    /// Whether the client would send another request on this connection.
    #[must_use]
    pub const fn wants_keep_alive(&self) -> bool {
        self.parts.keep_alive
    }

    /// The same, owning its bytes.
    #[must_use]
    pub fn into_owned(self) -> Request<'static> {
        Request {
            head: Cow::Owned(self.head.into_owned()),
            parts: self.parts,
            body: Cow::Owned(self.body.into_owned()),
        }
    }

    fn text(&self, place: Place) -> &str {
        ascii(&self.head[place.range()])
    }
}

/// Method and path only: queries, headers and bodies hold what no log may.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method_name(), self.path())
    }
}

pub(super) fn ascii(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("names and targets of an accepted head are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Request<'static> {
        Request::from_head(head.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn the_parts_of_a_request_are_as_they_were_sent() {
        let request = request(
            "GET /a%20b?x=1&y HTTP/1.1\r\nhOST: here:80\r\nX-Odd: \t caf\u{e9}  \r\nAccept: a,b\r\naccept: ,c\r\n\r\n",
        );
        assert_eq!(
            (request.method(), request.method_name()),
            (Method::Get, "GET")
        );
        assert_eq!((request.path(), request.query()), ("/a%20b", "x=1&y"));
        assert_eq!(request.path_and_query(), "/a%20b?x=1&y");
        assert_eq!(request.header("Host"), Some("here:80"));
        assert_eq!(request.header_bytes("x-odd"), Some("caf\u{e9}".as_bytes()));
        assert_eq!(
            request.list("accept").collect::<Vec<_>>(),
            [b"a", b"b", b"c"]
        );
        assert_eq!(request.headers().count(), 4);
        assert_eq!(request.header("absent"), None);
        assert!(request.wants_keep_alive() && !request.is_upgrade());
    }

    #[test]
    fn a_value_that_is_not_utf8_is_kept_as_bytes() {
        let request =
            Request::from_head(&b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n"[..]).unwrap();
        assert_eq!(request.header("x"), None);
        assert_eq!(request.header_bytes("x"), Some(&b"\xff"[..]));
    }

    #[test]
    fn an_absolute_target_gives_its_path() {
        let rows = [
            ("http://Here:80/p?q", "/p", "q", "/p?q"),
            ("HTTP://here:80", "/", "", "/"),
            ("https://here:80?q", "/", "q", "/?q"),
        ];
        for (target, path, query, both) in rows {
            let request = request(&format!("GET {target} HTTP/1.1\r\nHost: here:80\r\n\r\n"));
            assert_eq!((request.path(), request.query()), (path, query), "{target}");
            assert_eq!(request.path_and_query(), both, "{target}");
        }
    }

    #[test]
    fn keep_alive_depends_on_version_and_connection() {
        let rows = [
            ("GET", "1.1", "", true),
            ("GET", "1.1", "Connection: close\r\n", false),
            ("GET", "1.1", "Connection: TE, Close\r\n", false),
            ("GET", "1.0", "", false),
            ("GET", "1.0", "Connection: Keep-Alive\r\n", true),
            (
                "GET",
                "1.0",
                "Connection: keep-alive\r\nConnection: close\r\n",
                false,
            ),
            ("CONNECT", "1.1", "", false),
        ];
        for (method, version, header, keeps) in rows {
            let target = if method == "CONNECT" {
                "there:443"
            } else {
                "/"
            };
            let head = format!("{method} {target} HTTP/{version}\r\nHost: here\r\n{header}\r\n");
            assert_eq!(request(&head).wants_keep_alive(), keeps, "{head}");
        }
    }

    #[test]
    fn an_upgrade_is_a_get_without_a_body() {
        let asks = "Host: here\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n";
        let rows = [
            (format!("GET / HTTP/1.1\r\n{asks}\r\n"), true),
            (format!("GET / HTTP/1.0\r\n{asks}\r\n"), false),
            (format!("POST / HTTP/1.1\r\n{asks}\r\n"), false),
            (
                format!("GET / HTTP/1.1\r\n{asks}Content-Length: 2\r\n\r\n"),
                false,
            ),
            (
                format!("GET / HTTP/1.1\r\n{asks}Transfer-Encoding: chunked\r\n\r\n"),
                false,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n".to_owned(),
                false,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
                    .to_owned(),
                false,
            ),
        ];
        for (head, upgrade) in rows {
            assert_eq!(request(&head).is_upgrade(), upgrade, "{head}");
        }
    }

    #[test]
    fn cookies_are_found_by_exact_name_over_several_lines() {
        let request = request(
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; ab=2;c=x=y; junk\r\nCookie: a=3; d=\r\n\r\n",
        );
        assert_eq!(request.cookie("a"), Some("1"));
        assert_eq!(request.cookie("ab"), Some("2"));
        assert_eq!(request.cookie("c"), Some("x=y"));
        assert_eq!(request.cookie("d"), Some(""));
        assert_eq!(request.cookie("A"), None);
        assert_eq!(request.cookies().count(), 5);
    }

    #[test]
    fn a_request_in_a_log_tells_no_secrets() {
        let request = request("GET /p?token=s1 HTTP/1.1\r\nHost: a\r\nCookie: session=s2\r\n\r\n");
        assert_eq!(format!("{request:?}"), "GET /p");
    }

    #[test]
    fn an_owned_request_says_the_same() {
        let head = b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n";
        let owned = Request::from_head(&head[..]).unwrap().into_owned();
        assert_eq!(
            (owned.head(), owned.path(), owned.body()),
            (&head[..], "/x", &b""[..])
        );
    }
}
