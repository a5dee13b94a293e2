//! Responses, and the one place where the heads of answers are written.
//!
//! A status, headers and a body come in; [`super::Connection::answer`] has them turned into bytes with what only the
//! connection knows (Date, Content-Length, Connection, no body for HEAD).
//! Never knows the request's path or who asked.
//! Left out: trailers, transfer codings but `chunked`, and `Server`, which helps nobody but a scanner.

use std::ops::Deref;

use bytes::Bytes;

use super::date::push_date;
use super::{After, Headers, Method, Refusal, Version};
use crate::buffers::{Buffer, Shared};
use crate::config;
use crate::time::UnixMillis;

/// A body up to this is copied behind its head, so that one small buffer leaves; a larger one is shared.
const COPIED_BODY_BYTES_MAX: usize = 4096;

/// Headers every answer to a browser should have: types are not guessed, and addresses not told to other sites.
pub const SECURITY_HEADERS: [(&str, &str); 2] = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
];

/// An answer, as the one who answers sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: u16,
    closes: bool,
    headers: Headers,
    body: Bytes,
}

impl Response {
    /// A status alone.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        debug_assert!(status >= 100 && status < 600);
        Self {
            status,
            closes: false,
            headers: Headers::new(),
            body: Bytes::new(),
        }
    }

    /// Text, in UTF-8.
    #[must_use]
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status)
            .header("Content-Type", "text/plain; charset=utf-8")
            .body(body)
    }

    /// JSON, as it stands.
    #[must_use]
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status)
            .header("Content-Type", "application/json")
            .body(body)
    }

    /// Sends the browser elsewhere: 303 after a form, 308 for good.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        debug_assert!(matches!(status, 301 | 302 | 303 | 307 | 308));
        Self::new(status).header("Location", location)
    }

    /// 405, and what would have been allowed.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::text(405, "method not allowed").header("Allow", allow)
    }

    /// Adds a header, as [`Headers::add`] does.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.add(name, value);
        self
    }

    /// Adds several headers.
    #[must_use]
    pub fn headers<'h>(self, headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Self {
        headers
            .into_iter()
            .fold(self, |response, (name, value)| response.header(name, value))
    }

    /// Adds headers that were gathered elsewhere.
    #[must_use]
    pub fn append(mut self, headers: &Headers) -> Self {
        self.headers.append(headers);
        self
    }

    /// Adds [`SECURITY_HEADERS`].
    #[must_use]
    pub fn secured(self) -> Self {
        self.headers(SECURITY_HEADERS)
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Closes the connection behind this answer.
    #[must_use]
    pub const fn close(mut self) -> Self {
        self.closes = true;
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The first value of a header that was added.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers.value(name)
    }

    /// The body, as it is sent in answer to a GET.
    #[must_use]
    pub const fn content(&self) -> &Bytes {
        &self.body
    }

    pub(super) const fn closes(&self) -> bool {
        self.closes
    }

    pub(super) const fn said(&self) -> Said<'_> {
        Said {
            status: self.status,
            fixed: "",
            headers: &self.headers,
        }
    }

    pub(super) const fn is_bodiless(&self) -> bool {
        self.said().is_bodiless()
    }
}

/// How the end of an answer's body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// What a head says beside what only the connection knows.
#[derive(Clone, Copy)]
pub(super) struct Said<'r> {
    status: u16,
    /// Lines known to be sound, each with its end.
    fixed: &'static str,
    headers: &'r Headers,
}

impl<'r> Said<'r> {
    /// 200, with these lines and headers.
    pub(super) const fn ok(fixed: &'static str, headers: &'r Headers) -> Self {
        Self {
            status: 200,
            fixed,
            headers,
        }
    }

    pub(super) const fn status(self) -> u16 {
        self.status
    }

    /// RFC 9110 §8.6: these have no body, and no length either.
    const fn is_bodiless(self) -> bool {
        matches!(self.status, 100..200 | 204 | 304)
    }
}

/// The head alone.
pub(super) fn head(
    said: Said<'_>,
    wall: UnixMillis,
    limits: &config::Http,
    version: Version,
    after: After,
    framing: Framing,
) -> Buffer {
    let mut head = start(said.status, wall);
    push(&mut head, said.fixed);
    push(&mut head, said.headers.as_str());
    if !said.is_bodiless() {
        match framing {
            Framing::Length(bytes) => number_line(&mut head, "Content-Length: ", bytes),
            Framing::Chunked => push(&mut head, "Transfer-Encoding: chunked\r\n"),
            Framing::UntilClose => {}
        }
    }
    match after {
        After::Close | After::Linger => push(&mut head, "Connection: close\r\n"),
        After::Switch => push(&mut head, "Connection: Upgrade\r\n"),
        After::KeepAlive => {
            if version == Version::Http10 {
                push(&mut head, "Connection: keep-alive\r\n");
            }
            // A second less than we wait, so that a client that believes it never writes into a closing connection.
            let told = limits.keep_alive_idle_max.as_secs().saturating_sub(1);
            number_line(&mut head, "Keep-Alive: timeout=", told);
        }
        After::Body => debug_assert!(false, "said only of an answer that has begun"),
    }
    push(&mut head, "\r\n");
    head
}

/// Of the request that is answered.
#[derive(Clone, Copy)]
pub(super) struct Answered {
    pub(super) method: Method,
    pub(super) version: Version,
    pub(super) after: After,
}

/// The head, with a small body behind it, and a large body.
pub(super) fn write(
    said: Said<'_>,
    body: impl Deref<Target = [u8]> + Into<Shared>,
    wall: UnixMillis,
    limits: &config::Http,
    answered: Answered,
) -> (Shared, Shared) {
    let bodiless = said.is_bodiless();
    debug_assert!(!bodiless || body.is_empty(), "a body nobody can be sent");
    let framing = Framing::Length(body.len() as u64);
    let Answered {
        method,
        version,
        after,
    } = answered;
    let mut head = head(said, wall, limits, version, after, framing);
    if bodiless || method == Method::Head {
        return (head.share(0), Shared::new());
    }
    if body.len() > COPIED_BODY_BYTES_MAX {
        return (head.share(0), body.into());
    }
    head.extend_from_slice(&body);
    (head.share(0), Shared::new())
}

/// A refusal, whole. It has a body even for HEAD: who asked is not always known, and nothing follows it.
pub(super) fn refusal(refusal: Refusal, wall: UnixMillis) -> Shared {
    let mut answer = start(refusal.status(), wall);
    let body = refusal.text();
    push(&mut answer, "Content-Type: text/plain; charset=utf-8\r\n");
    number_line(&mut answer, "Content-Length: ", body.len() as u64 + 1);
    push(&mut answer, "Connection: close\r\n\r\n");
    push(&mut answer, body);
    answer.push(b'\n');
    answer.share(0)
}

/// A refusal without a word, for a client that gives the status a meaning of its own.
pub(super) fn silent_refusal(refusal: Refusal, headers: &Headers, wall: UnixMillis) -> Shared {
    let mut answer = start(refusal.status(), wall);
    push(&mut answer, headers.as_str());
    push(
        &mut answer,
        "Content-Length: 0\r\nConnection: close\r\n\r\n",
    );
    answer.share(0)
}

fn start(status: u16, wall: UnixMillis) -> Buffer {
    let mut head = Buffer::new();
    if status == 200 {
        // Nearly all are.
        push(&mut head, "HTTP/1.1 200 OK\r\nDate: ");
    } else {
        push(&mut head, "HTTP/1.1 ");
        push(&mut head, itoa::Buffer::new().format(status));
        head.push(b' ');
        push(&mut head, reason(status));
        push(&mut head, "\r\nDate: ");
    }
    push_date(&mut head, wall);
    push(&mut head, "\r\n");
    head
}

fn push(head: &mut Vec<u8>, text: &str) {
    head.extend_from_slice(text.as_bytes());
}

/// A line that ends in a number.
fn number_line(head: &mut Vec<u8>, before: &str, number: u64) {
    push(head, before);
    push(head, itoa::Buffer::new().format(number));
    push(head, "\r\n");
}

/// The phrase behind a status; empty for one we never send.
#[must_use]
pub const fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "header"))]
    fn a_header_that_would_split_the_head_is_noticed_while_testing_and_left_out_in_service() {
        let response = Response::new(200).header("X-A", "a\r\nX-B: b");
        assert_eq!(response, Response::new(200));
    }

    #[test]
    fn headers_can_be_read_back() {
        let response = Response::json(200, "{}").secured();
        assert_eq!(response.value("content-type"), Some("application/json"));
        assert_eq!(response.value("Referrer-Policy"), Some("same-origin"));
        assert_eq!(response.value("Allow"), None);
    }

    #[test]
    fn every_refusal_has_a_phrase_and_closes() {
        for refused in Refusal::ALL {
            assert!(!reason(refused.status()).is_empty(), "{refused:?}");
            let bytes = refusal(refused, UnixMillis(0));
            let text = str::from_utf8(&bytes).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {} ", refused.status())));
            assert!(head.ends_with("\r\nConnection: close"));
            assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
        }
    }
}
