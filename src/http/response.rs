//! Responses, and the one place where the heads of answers are written.
//!
//! A status, headers and a body come in; [`super::Connection::answer`] has them turned into bytes with what only the
//! connection knows (Date, Content-Length, Connection, no body for HEAD).
//! Never knows the request's path or who asked.
//! Left out: trailers, transfer codings but `chunked`, and `Server`, which helps nobody but a scanner.

use bytes::Bytes;

use super::date::push_date;
use super::{After, Headers, Method, Refusal, Version};
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

    /// Adds lines that are known to be sound, each with its end: for answers that are given with every request.
    #[must_use]
    pub(crate) fn fixed(mut self, lines: &'static str) -> Self {
        self.headers.add_fixed(lines);
        self
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

    /// RFC 9110 §8.6: these have no body, and no length either.
    pub(super) const fn is_bodiless(&self) -> bool {
        matches!(self.status, 100..200 | 204 | 304)
    }
}

/// How the end of an answer's body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// The head alone.
pub(super) fn head(
    response: &Response,
    wall: UnixMillis,
    limits: &config::Http,
    version: Version,
    after: After,
    framing: Framing,
) -> String {
    let copied = response.body.len().min(COPIED_BODY_BYTES_MAX);
    let mut head = String::with_capacity(192 + response.headers.as_str().len() + copied);
    start(&mut head, response.status, wall);
    head.push_str(response.headers.as_str());
    if !response.is_bodiless() {
        match framing {
            Framing::Length(bytes) => number_line(&mut head, "Content-Length: ", bytes),
            Framing::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
            Framing::UntilClose => {}
        }
    }
    match after {
        After::Close | After::Linger => head.push_str("Connection: close\r\n"),
        After::Switch => head.push_str("Connection: Upgrade\r\n"),
        After::KeepAlive => {
            if version == Version::Http10 {
                head.push_str("Connection: keep-alive\r\n");
            }
            // A second less than we wait, so that a client that believes it never writes into a closing connection.
            let told = limits.keep_alive_idle_max.as_secs().saturating_sub(1);
            number_line(&mut head, "Keep-Alive: timeout=", told);
        }
        After::Body => debug_assert!(false, "said only of an answer that has begun"),
    }
    head.push_str("\r\n");
    head
}

/// The head, with a small body behind it, and a large body.
pub(super) fn write(
    response: &Response,
    wall: UnixMillis,
    limits: &config::Http,
    method: Method,
    version: Version,
    after: After,
) -> (Bytes, Bytes) {
    let bodiless = response.is_bodiless();
    debug_assert!(
        !bodiless || response.body.is_empty(),
        "a body nobody can be sent"
    );
    let framing = Framing::Length(response.body.len() as u64);
    let mut head = head(response, wall, limits, version, after, framing).into_bytes();
    if bodiless || method == Method::Head {
        return (Bytes::from(head), Bytes::new());
    }
    if response.body.len() > COPIED_BODY_BYTES_MAX {
        return (Bytes::from(head), response.body.clone());
    }
    head.extend_from_slice(&response.body);
    (Bytes::from(head), Bytes::new())
}

/// A refusal, whole. It has a body even for HEAD: who asked is not always known, and nothing follows it.
pub(super) fn refusal(refusal: Refusal, wall: UnixMillis) -> Bytes {
    let mut answer = String::with_capacity(256);
    start(&mut answer, refusal.status(), wall);
    let body = refusal.text();
    answer.push_str("Content-Type: text/plain; charset=utf-8\r\n");
    number_line(&mut answer, "Content-Length: ", body.len() as u64 + 1);
    answer.push_str("Connection: close\r\n\r\n");
    answer.push_str(body);
    answer.push('\n');
    Bytes::from(answer)
}

/// A refusal without a word, for a client that gives the status a meaning of its own.
pub(super) fn silent_refusal(refusal: Refusal, headers: &Headers, wall: UnixMillis) -> Bytes {
    let mut answer = String::with_capacity(192 + headers.as_str().len());
    start(&mut answer, refusal.status(), wall);
    answer.push_str(headers.as_str());
    answer.push_str("Content-Length: 0\r\nConnection: close\r\n\r\n");
    Bytes::from(answer)
}

fn start(head: &mut String, status: u16, wall: UnixMillis) {
    head.push_str("HTTP/1.1 ");
    head.push_str(itoa::Buffer::new().format(status));
    head.push(' ');
    head.push_str(reason(status));
    head.push_str("\r\nDate: ");
    push_date(head, wall);
    head.push_str("\r\n");
}

/// A line that ends in a number.
fn number_line(head: &mut String, before: &str, number: u64) {
    head.push_str(before);
    head.push_str(itoa::Buffer::new().format(number));
    head.push_str("\r\n");
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
