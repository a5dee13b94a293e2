//! HTTP/1.1, the server's side of one connection: requests in order, and at most one answer owed.
//!
//! Bytes come in as the reactor shows them, cut anywhere, with the time; whole [`Request`]s go up, and a [`Response`]
//! comes back as an [`Answer`]: bytes, and how the connection goes on. While an answer is owed nothing is taken, so
//! pipelined requests wait in the reactor's inbox and are answered in order. A body may also come, and go, in [`Piece`]s:
//! for those who ask for that.
//! Never knows a socket, a session, who is asking, or what a path means.
//! Left out: HTTP/2 (a proxy in front speaks it to browsers), byte ranges, and bodies in both directions at once: who
//! answers before the body has come gets no more of it.

mod answering;
mod body;
mod coding;
mod date;
pub mod files;
mod head;
mod headers;
mod pace;
#[cfg(any(test, feature = "world"))]
#[doc(hidden)]
pub mod properties;
pub mod query;
mod refusal;
mod request;
mod response;
pub mod routes;
mod sending;
mod taking;
mod work;

use std::borrow::Cow;
use std::mem;

use serde::{Deserialize, Serialize};

use self::body::Chunks;
use self::head::{Framing, Parts, Search};
use self::pace::{Interim, Pace};
use self::sending::Sending;
use self::taking::Taking;
use crate::buffers::Shared;
use crate::config;
use crate::time::{Rebase, Time};

pub use self::answering::{After, Answer};
pub use self::coding::{Coding, Compressor};
pub use self::date::date;
pub use self::headers::Headers;
pub use self::refusal::Refusal;
pub use self::request::{Method, Request, Version};
pub use self::response::{Response, SECURITY_HEADERS, reason};
pub use self::sending::{Length, TooLong, TooShort};
pub use self::taking::Piece;

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
/// |           | the same, and an answer is not all taken | `answer_idle_max`                 | the first byte, all taken |
/// | `Head`    | the blank line has not come            | `head_within`                       | the blank line       |
/// | `Counted` | the head stays in the input, parsed    | idle and rate of the body           | the last byte        |
/// | `Chunked` | the head was taken, the body gathers   | idle and rate of the body           | the last chunk       |
/// | `Taking`  | a request is out, its body is not      | as above, unless it is our turn     | the last byte, an answer |
/// | `Owed`    | a request is out                       | none: it is our turn                | [`Connection::answer`] |
/// | `Sending` | the answer's head is out               | `answer_idle_max`                 | [`Connection::poll_finished`] |
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
    Taking(Box<Taking>),
    Sending(Box<Sending>),
    /// With the head of the request.
    TooMuch(Box<[u8]>),
    Over,
}

/// Whether the connection has yet to send its first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum First {
    Request,
    Later,
    /// A later one, and the client has not taken all of the answer before: it is not idle, but reads.
    Untaken,
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

/// A deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Nothing of a request had come: close without a word.
    Silent,
    /// A request came too slowly: [`Connection::refuse`] it.
    Refused(Refusal),
    /// The client takes nothing of an answer that goes in pieces.
    Stalled,
    /// The client takes nothing of an answer that was given as a whole.
    Untaken,
}

/// Whether the body of a request of this method and path is to be given in pieces.
type InPieces<'f> = &'f dyn Fn(Method, &str) -> bool;

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
        self.next_as(now, limits, input, None)
    }

    /// The same; but a request whose method and path `in_pieces` says yes to is given as soon as its head has come, without
    /// its body, which has no limit but that of [`Connection::accept`].
    ///
    /// # Errors
    /// As [`Connection::next`].
    pub fn next_or_begun<'a>(
        &mut self,
        now: Time,
        limits: &config::Http,
        input: &mut &'a mut [u8],
        in_pieces: &dyn Fn(Method, &str) -> bool,
    ) -> Result<Option<Request<'a>>, Refusal> {
        self.next_as(now, limits, input, Some(in_pieces))
    }

    fn next_as<'a>(
        &mut self,
        now: Time,
        limits: &config::Http,
        input: &mut &'a mut [u8],
        in_pieces: Option<InPieces<'_>>,
    ) -> Result<Option<Request<'a>>, Refusal> {
        let outcome = self.advance(now, limits, input, in_pieces);
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
        in_pieces: Option<InPieces<'_>>,
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
                if in_pieces.is_some_and(|in_pieces| in_pieces(parts.method, parts.path(input))) {
                    let taking = Taking::new(now, &parts, head_bytes, input.len());
                    self.state = State::Taking(Box::new(taking));
                    let head = Cow::Borrowed(take(input, head_bytes));
                    return Ok(Some(Request::new(head, parts, Cow::Borrowed(&[]))));
                }
                self.head_complete(now, limits, parts, head_bytes, input)
            }
            State::Counted(counted) => {
                let bytes = input.len().saturating_sub(counted.head_bytes);
                if bytes >= counted.body_bytes {
                    return Ok(self.counted_complete(input));
                }
                if bytes as u64 > counted.pace.bytes {
                    counted.pace.moved(now, bytes as u64);
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
                    chunked.pace.moved(now, chunked.body.len() as u64);
                }
                Ok(None)
            }
            State::Idle { .. }
            | State::Owed { .. }
            | State::Taking(_)
            | State::Sending(_)
            | State::TooMuch(_)
            | State::Over => Ok(None),
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
        let interim = Interim::of(&parts, head_bytes, input.len());
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
        self.advance(now, limits, input, None)
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
    pub fn poll_interim(&mut self) -> Option<Shared> {
        let interim = match &mut self.state {
            State::Counted(counted) => &mut counted.interim,
            State::Chunked(chunked) => &mut chunked.interim,
            _ => return None,
        };
        interim.poll()
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
            State::Idle {
                since,
                first: First::Untaken,
            } => Some(*since + limits.answer_idle_max),
            State::Counted(counted) => Some(counted.pace.deadline(limits)),
            State::Chunked(chunked) => Some(chunked.pace.deadline(limits)),
            State::Taking(taking) => taking.deadline(limits),
            State::Sending(sending) => sending.deadline(limits),
            State::Owed { .. } | State::TooMuch(_) | State::Over => None,
        }
    }

    /// What follows if the deadline has passed; `None` if it has not.
    pub fn elapsed(&mut self, now: Time, limits: &config::Http) -> Option<Expired> {
        if self.deadline(limits).is_none_or(|deadline| now < deadline) {
            return None;
        }
        match mem::replace(&mut self.state, State::Over) {
            State::Idle {
                first: First::Untaken,
                ..
            } => Some(Expired::Untaken),
            State::Idle { .. } => Some(Expired::Silent),
            State::Head { .. } => Some(Expired::Refused(Refusal::HeadTooSlow)),
            State::Counted(_) | State::Chunked(_) | State::Taking(_) => {
                Some(Expired::Refused(Refusal::BodyTooSlow))
            }
            State::Sending(_) => Some(Expired::Stalled),
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
        matches!(
            self.state,
            State::Counted(_) | State::Chunked(_) | State::Taking(_)
        )
    }

    /// Bytes of a body in chunks that are kept here, and not in the reactor's inbox.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
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
            State::Taking(taking) => taking.rebase(rebase),
            State::Sending(sending) => sending.rebase(rebase),
            State::Owed { .. } | State::TooMuch(_) | State::Over => {}
        }
    }

    /// Whether a request is out whose answer has not been given.
    #[must_use]
    pub const fn owes(&self) -> bool {
        matches!(self.state, State::Owed { .. } | State::Taking(_))
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
