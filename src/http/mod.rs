//! HTTP/1.1, the server's side of one connection: requests in order, and at most one answer owed.
//!
//! Bytes come in as the reactor shows them, cut anywhere, with the time; whole [`Request`]s go up, and a [`Response`]
//! comes back as an [`Answer`]: bytes, and how the connection goes on. While an answer is owed nothing is taken, so
//! pipelined requests wait in the reactor's inbox and are answered in order.
//! Never knows a socket, a session, who is asking, or what a path means.
//! Left out: HTTP/2 (a proxy in front speaks it to browsers), byte ranges, and bodies that stream: a body is whole before
//! anyone sees it, and has a limit.

mod body;
mod coding;
mod date;
pub mod files;
mod head;
mod headers;
#[cfg(any(test, feature = "world"))]
#[doc(hidden)]
pub mod properties;
pub mod query;
mod refusal;
mod request;
mod response;
pub mod routes;
mod work;

use std::borrow::Cow;
use std::mem;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use self::body::Chunks;
use self::head::{Expects, Framing, Parts, Search};
use crate::config;
use crate::time::{Now, Rebase, Time};

pub use self::coding::{Coding, Compressor};
pub use self::date::date;
pub use self::headers::Headers;
pub use self::refusal::Refusal;
pub use self::request::{Method, Request, Version};
pub use self::response::{Response, SECURITY_HEADERS, reason};

/// One connection. It owns memory only while a body is incomplete.
///
/// ```
/// use roomcast::config;
/// use roomcast::http::{After, Connection, Response};
/// use roomcast::time::Now;
///
/// let (limits, now) = (config::Http::default(), Now::default());
/// let mut connection = Connection::new(now.mono);
/// let mut inbox = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\nGET /next".to_vec();
/// let mut input = &mut inbox[..];
///
/// let request = connection.next(now.mono, &limits, &mut input).unwrap().unwrap();
/// assert_eq!((request.path(), &*input), ("/health", &b"GET /next"[..]));
///
/// let answer = connection.answer(now, &limits, &Response::text(200, "well"));
/// assert!(answer.head.starts_with(b"HTTP/1.1 200 OK\r\n"));
/// assert_eq!(answer.after, After::KeepAlive);
/// ```
///
/// | state     | means                                  | deadline                            | leaves by            |
/// |-----------|----------------------------------------|-------------------------------------|----------------------|
/// | `Idle`    | no byte of the next request has come   | `head_within`, `keep_alive_idle_max`| the first byte       |
/// | `Head`    | the blank line has not come            | `head_within`                       | the blank line       |
/// | `Counted` | the head stays in the input, parsed    | idle and rate of the body           | the last byte        |
/// | `Chunked` | the head was taken, the body gathers   | idle and rate of the body           | the last chunk       |
/// | `Owed`    | a request is out                       | none: it is our turn                | [`Connection::answer`] |
/// | `TooMuch` | refused: the body is too large         | none                                |                      |
/// | `Over`    | refused, closed or no longer HTTP      | none                                |                      |
#[derive(Debug, Serialize, Deserialize)]
pub struct Connection {
    state: State,
}

#[derive(Debug, Serialize, Deserialize)]
enum State {
    Idle {
        since: Time,
        first: First,
    },
    Head {
        since: Time,
        search: Search,
    },
    Counted(Box<Counted>),
    Chunked(Box<Chunked>),
    Owed {
        method: Method,
        version: Version,
        keep_alive: bool,
    },
    /// With the head of the request.
    TooMuch(Box<[u8]>),
    Over,
}

/// Whether the connection has yet to send its first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum First {
    Request,
    Later,
}

/// A body of known length, of which not all has come.
#[derive(Debug, Serialize, Deserialize)]
struct Counted {
    parts: Parts,
    head_bytes: usize,
    body_bytes: usize,
    pace: Pace,
    interim: Interim,
    is_announced: bool,
}

/// A body in chunks, of which not all has come.
#[derive(Debug, Serialize, Deserialize)]
struct Chunked {
    parts: Parts,
    head: Vec<u8>,
    body: Vec<u8>,
    chunks: Chunks,
    pace: Pace,
    interim: Interim,
    is_announced: bool,
}

/// Whether a `100 Continue` is still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Interim {
    None,
    Due,
}

/// How a body arrives, for its two deadlines.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Pace {
    since: Time,
    last: Time,
    bytes: usize,
}

impl Pace {
    const fn rebase(&mut self, rebase: Rebase) {
        self.since = rebase.of(self.since);
        self.last = rebase.of(self.last);
    }

    const fn from(now: Time) -> Self {
        Self {
            since: now,
            last: now,
            bytes: 0,
        }
    }

    /// Something came; `bytes` of the body are here in all.
    const fn moved(&mut self, now: Time, bytes: usize) {
        self.last = now;
        self.bytes = bytes;
    }

    fn deadline(&self, limits: &config::Http) -> Time {
        let rate = limits.body_bytes_per_second_min.max(1);
        let earned = Duration::from_secs_f64(self.bytes as f64 / rate as f64);
        let paused = self.last + limits.body_idle_max;
        let trickled = self.since + earned.max(limits.body_idle_max);
        paused.min(trickled)
    }
}

/// What an answer does to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The next request may come; show the input again.
    KeepAlive,
    /// Close once the bytes are written: the client asked for it and sends nothing more.
    Close,
    /// Close, but read on for a while: the client may still be sending, and a reset would eat the answer.
    Linger,
    /// Answered `101 Switching Protocols`: what follows in the input is not HTTP.
    Switch,
}

/// An answer, ready to be sent: the head, then the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The head, and the body too if that is small.
    pub head: Bytes,
    /// A large body, shared with whoever else is being sent it; else empty.
    pub body: Bytes,
    /// And then.
    pub after: After,
}

/// A deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Nothing of a request had come: close without a word.
    Silent,
    /// A request came too slowly: [`Connection::refuse`] it.
    Refused(Refusal),
}

impl Connection {
    /// A connection just accepted.
    #[must_use]
    pub const fn new(now: Time) -> Self {
        Self {
            state: State::Idle {
                since: now,
                first: First::Request,
            },
        }
    }

    /// The next complete request; `None` if more bytes are needed or an answer is still owed.
    ///
    /// Advances `input` past what it takes; the rest is to be shown again with more behind it. Call it for every
    /// arrival, as it also keeps the time. Bytes behind a request are untouched, so after an upgrade
    /// they are the WebSocket's.
    ///
    /// # Errors
    /// The peer broke a rule or passed a limit; what is left of the input means nothing. See [`Connection::refuse`].
    pub fn next<'a>(
        &mut self,
        now: Time,
        limits: &config::Http,
        input: &mut &'a mut [u8],
    ) -> Result<Option<Request<'a>>, Refusal> {
        let outcome = self.advance(now, limits, input);
        if let Err(refusal) = outcome {
            self.state = match mem::replace(&mut self.state, State::Over) {
                State::Chunked(chunked) if refusal == Refusal::BodyTooLarge => {
                    State::TooMuch(chunked.head.into())
                }
                State::Head { search, .. } if refusal == Refusal::BodyTooLarge => {
                    State::TooMuch(input[..search.found()].into())
                }
                _ => State::Over,
            };
        }
        outcome
    }

    /// The request, without its body, that [`Connection::next`] just refused because its body is too large.
    #[must_use]
    pub fn too_much(&self) -> Option<Request<'_>> {
        match &self.state {
            State::TooMuch(head) => Request::from_head(&**head).ok(),
            _ => None,
        }
    }

    fn advance<'a>(
        &mut self,
        now: Time,
        limits: &config::Http,
        input: &mut &'a mut [u8],
    ) -> Result<Option<Request<'a>>, Refusal> {
        if let State::Idle { since, first } = self.state {
            skip_empty_lines(input);
            if matches!(**input, [] | [b'\r']) {
                return Ok(None);
            }
            let since = if first == First::Request { since } else { now };
            self.state = State::Head {
                since,
                search: Search::default(),
            };
        }
        match &mut self.state {
            State::Head { search, .. } => {
                let Some(head_bytes) = search.blank_line(limits, input)? else {
                    return Ok(None);
                };
                let parts = head::parse(&input[..head_bytes], search.headers())?;
                self.head_complete(now, limits, parts, head_bytes, input)
            }
            State::Counted(counted) => {
                let bytes = input.len().saturating_sub(counted.head_bytes);
                if bytes >= counted.body_bytes {
                    return Ok(self.counted_complete(input));
                }
                if bytes > counted.pace.bytes {
                    counted.pace.moved(now, bytes);
                }
                Ok(None)
            }
            State::Chunked(chunked) => {
                let taken = chunked.chunks.decode(limits, input, &mut chunked.body)?;
                take(input, taken);
                if chunked.chunks.is_complete() {
                    return Ok(self.chunked_complete());
                }
                if taken > 0 {
                    chunked.pace.moved(now, chunked.body.len());
                }
                Ok(None)
            }
            State::Idle { .. } | State::Owed { .. } | State::TooMuch(_) | State::Over => Ok(None),
        }
    }

    fn head_complete<'a>(
        &mut self,
        now: Time,
        limits: &config::Http,
        parts: Parts,
        head_bytes: usize,
        input: &mut &'a mut [u8],
    ) -> Result<Option<Request<'a>>, Refusal> {
        // Only a client that has sent nothing of the body yet is waiting (RFC 9110 §10.1.1).
        let interim = match parts.expects {
            Expects::Continue if input.len() == head_bytes => Interim::Due,
            _ => Interim::None,
        };
        let pace = Pace::from(now);
        match parts.framing {
            Framing::Length(length) => {
                let body_bytes = usize::try_from(length)
                    .ok()
                    .filter(|length| *length <= limits.body_bytes_max)
                    .ok_or(Refusal::BodyTooLarge)?;
                if input.len() - head_bytes >= body_bytes {
                    return Ok(Some(self.hand_over(parts, head_bytes, body_bytes, input)));
                }
                let counted = Counted {
                    parts,
                    head_bytes,
                    body_bytes,
                    pace,
                    interim,
                    is_announced: false,
                };
                self.state = State::Counted(Box::new(counted));
            }
            Framing::Chunked => {
                // Chunks may be framed many times their size, so they are not left to fill the inbox.
                let head = take(input, head_bytes).to_vec();
                work::spent(head_bytes);
                let chunks = Chunks::behind_a_head_of(head_bytes);
                let chunked = Chunked {
                    parts,
                    head,
                    body: Vec::new(),
                    chunks,
                    pace,
                    interim,
                    is_announced: false,
                };
                self.state = State::Chunked(Box::new(chunked));
            }
        }
        self.advance(now, limits, input)
    }

    fn counted_complete<'a>(&mut self, input: &mut &'a mut [u8]) -> Option<Request<'a>> {
        match mem::replace(&mut self.state, State::Over) {
            State::Counted(counted) => {
                let Counted {
                    parts,
                    head_bytes,
                    body_bytes,
                    ..
                } = *counted;
                Some(self.hand_over(parts, head_bytes, body_bytes, input))
            }
            _ => None,
        }
    }

    fn chunked_complete<'a>(&mut self) -> Option<Request<'a>> {
        match mem::replace(&mut self.state, State::Over) {
            State::Chunked(chunked) => {
                let Chunked {
                    parts, head, body, ..
                } = *chunked;
                self.owe(&parts);
                Some(Request::new(Cow::Owned(head), parts, Cow::Owned(body)))
            }
            _ => None,
        }
    }

    fn hand_over<'a>(
        &mut self,
        parts: Parts,
        head_bytes: usize,
        body_bytes: usize,
        input: &mut &'a mut [u8],
    ) -> Request<'a> {
        self.owe(&parts);
        let head = Cow::Borrowed(take(input, head_bytes));
        Request::new(head, parts, Cow::Borrowed(take(input, body_bytes)))
    }

    fn owe(&mut self, parts: &Parts) {
        self.state = State::Owed {
            method: parts.method,
            version: parts.version,
            keep_alive: parts.keep_alive,
        };
    }

    /// Bytes to send although no request is complete: `100 Continue`, to a client that waits for it before it sends a body
    /// we would take. Ask after [`Connection::next`] gave `None`.
    pub fn poll_interim(&mut self) -> Option<Bytes> {
        let interim = match &mut self.state {
            State::Counted(counted) => &mut counted.interim,
            State::Chunked(chunked) => &mut chunked.interim,
            _ => return None,
        };
        match mem::replace(interim, Interim::None) {
            Interim::Due => Some(Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n")),
            Interim::None => None,
        }
    }

    /// A request whose head has come but whose body has not: told once, without the body. Ask after [`Connection::next`]
    /// gave `None`, with the input it left.
    pub fn poll_begun<'a>(&'a mut self, input: &'a [u8]) -> Option<Request<'a>> {
        let (is_announced, head, parts) = match &mut self.state {
            State::Counted(counted) => (
                &mut counted.is_announced,
                input.get(..counted.head_bytes)?,
                &counted.parts,
            ),
            State::Chunked(chunked) => (&mut chunked.is_announced, &*chunked.head, &chunked.parts),
            _ => return None,
        };
        if mem::replace(is_announced, true) {
            return None;
        }
        let no_body = Cow::Borrowed(&[][..]);
        Some(Request::new(Cow::Borrowed(head), parts.clone(), no_body))
    }

    /// Turns the response to the request in hand into bytes, and says how the connection goes on.
    ///
    /// Adds Date, Content-Length, Connection and Keep-Alive; leaves the body out where HTTP has none (HEAD, 1xx, 204, 304).
    pub fn answer(&mut self, now: Now, limits: &config::Http, response: &Response) -> Answer {
        debug_assert!(self.owes(), "an answer without a request");
        let State::Owed {
            method,
            version,
            keep_alive,
        } = self.state
        else {
            return Answer {
                head: Bytes::new(),
                body: Bytes::new(),
                after: After::Linger,
            };
        };
        let after = match (response.status(), keep_alive, response.closes()) {
            (101, _, _) => After::Switch,
            (_, false, _) => After::Close,
            (_, true, true) => After::Linger,
            (_, true, false) => After::KeepAlive,
        };
        self.state = match after {
            After::KeepAlive => State::Idle {
                since: now.mono,
                first: First::Later,
            },
            After::Close | After::Linger | After::Switch => State::Over,
        };
        let (head, body) = response::write(response, now.wall, limits, method, version, after);
        Answer { head, body, after }
    }

    /// The bytes of a refusal; the connection is over, and is to be closed as after [`After::Linger`].
    pub fn refuse(&mut self, now: Now, refusal: Refusal) -> Bytes {
        self.state = State::Over;
        response::refusal(refusal, now.wall)
    }

    /// The same with these headers and an empty body, for a client that gives the status a meaning of its own.
    pub fn refuse_silently(&mut self, now: Now, refusal: Refusal, headers: &Headers) -> Bytes {
        self.state = State::Over;
        response::silent_refusal(refusal, headers, now.wall)
    }

    /// When to ask [`Connection::elapsed`].
    #[must_use]
    pub fn deadline(&self, limits: &config::Http) -> Option<Time> {
        match &self.state {
            State::Idle {
                since,
                first: First::Request,
            }
            | State::Head { since, .. } => Some(*since + limits.head_within),
            State::Idle {
                since,
                first: First::Later,
            } => Some(*since + limits.keep_alive_idle_max),
            State::Counted(counted) => Some(counted.pace.deadline(limits)),
            State::Chunked(chunked) => Some(chunked.pace.deadline(limits)),
            State::Owed { .. } | State::TooMuch(_) | State::Over => None,
        }
    }

    /// What follows if the deadline has passed; `None` if it has not.
    pub fn elapsed(&mut self, now: Time, limits: &config::Http) -> Option<Expired> {
        if self.deadline(limits).is_none_or(|deadline| now < deadline) {
            return None;
        }
        match mem::replace(&mut self.state, State::Over) {
            State::Idle { .. } => Some(Expired::Silent),
            State::Head { .. } => Some(Expired::Refused(Refusal::HeadTooSlow)),
            State::Counted(_) | State::Chunked(_) => Some(Expired::Refused(Refusal::BodyTooSlow)),
            State::Owed { .. } | State::TooMuch(_) | State::Over => None,
        }
    }

    /// Whether a part of a request's head has come.
    #[cfg(feature = "world")]
    pub(crate) const fn is_in_a_head(&self) -> bool {
        matches!(self.state, State::Head { .. })
    }

    /// Whether a request's body is awaited.
    #[cfg(feature = "world")]
    pub(crate) const fn is_in_a_body(&self) -> bool {
        matches!(self.state, State::Counted(_) | State::Chunked(_))
    }

    /// Bytes of a chunked request that are kept here and not in the reactor's inbox.
    #[cfg(feature = "world")]
    pub(crate) fn held_bytes(&self) -> usize {
        match &self.state {
            State::Chunked(chunked) => chunked.body.len(),
            _ => 0,
        }
    }

    /// Goes on by another clock.
    pub(crate) const fn rebase(&mut self, rebase: Rebase) {
        match &mut self.state {
            State::Idle { since, .. } | State::Head { since, .. } => *since = rebase.of(*since),
            State::Counted(counted) => counted.pace.rebase(rebase),
            State::Chunked(chunked) => chunked.pace.rebase(rebase),
            State::Owed { .. } | State::TooMuch(_) | State::Over => {}
        }
    }

    /// Whether a request is out whose answer has not been given.
    #[must_use]
    pub const fn owes(&self) -> bool {
        matches!(self.state, State::Owed { .. })
    }

    /// Whether nothing of a request has come since the last answer: such a connection may be closed without loss.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle { .. })
    }
}

/// Takes `count` bytes off the front.
fn take<'a>(input: &mut &'a mut [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = mem::take(input).split_at_mut(count);
    *input = rest;
    taken
}

/// Some clients send an empty line after a body; RFC 9112 §2.2 asks to let it pass. It moves no deadline.
fn skip_empty_lines(input: &mut &mut [u8]) {
    let lines = input
        .chunks_exact(2)
        .take_while(|pair| *pair == b"\r\n")
        .count();
    work::spent(2 * lines);
    take(input, 2 * lines);
}

#[cfg(test)]
mod tests;
