//! An answer's body in pieces: for whoever makes it as it goes, at the pace of the client.
//!
//! The head comes first; then pieces come in and go out framed: as they are if the length is known, as chunks (RFC 9112
//! §7.1) if it is not, and until the end of the connection for a client of HTTP/1.0, which knows no chunks.
//! Knows only whether something waits for the client, not how much: that is for whoever knows the outbox.
//! Left out: trailers, and compression. A body that is worth it is compressed by who makes it, with a header that says so.

use std::io::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::response::{self, Answered, Framing};
use super::{After, Answer, Connection, Method, Response, State, Version};
use crate::buffers::{Buffer, Shared};
use crate::config;
use crate::time::{Now, Rebase, Time};

/// A piece up to this is copied between its size and its end; a larger one is passed on as it is.
const COPIED_PIECE_BYTES_MAX: usize = 4096;

/// How long a body will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many bytes: the client can show how far it has come.
    Known(u64),
    /// Nobody knows yet.
    Unknown,
}

/// A piece goes beyond the length that was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// A body ends before the length that was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort {
    /// Bytes that were not sent.
    pub missing: u64,
}

/// An answer whose head is out.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sending {
    body: Body,
    after: Then,
    /// Since when something waits and the client took nothing.
    stalled_since: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Body {
    /// So many bytes are still to come.
    Counted(u64),
    Chunked,
    UntilClose,
    /// All is out; the client has not taken all of it.
    Finished,
}

/// How the connection goes on behind the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Then {
    KeepAlive,
    Close,
    Linger,
}

impl Sending {
    pub(super) fn deadline(&self, limits: &config::Http) -> Option<Time> {
        Some(self.stalled_since? + limits.answer_idle_max)
    }

    /// The client has taken some of what waited for it.
    pub(super) const fn taken(&mut self, now: Time) {
        self.stalled_since = Some(now);
    }

    pub(super) const fn rebase(&mut self, rebase: Rebase) {
        if let Some(since) = &mut self.stalled_since {
            *since = rebase.of(*since);
        }
    }
}

impl Connection {
    /// The head of the answer to the request in hand, whose body is to follow in pieces ([`After::Body`]); any other `after`
    /// says that there is none (HEAD, 1xx, 204, 304), and that the answer is out. The response's own body is left out.
    pub fn begin(
        &mut self,
        now: Now,
        limits: &config::Http,
        response: &Response,
        length: Length,
    ) -> Answer {
        debug_assert!(self.owes(), "an answer without a request");
        let Some(answered) = self.answered(response.status(), response.closes()) else {
            return Answer {
                head: Shared::new(),
                body: Shared::new(),
                after: After::Linger,
            };
        };
        let Answered {
            method,
            version,
            after,
        } = answered;
        let (body, framing) = match (length, version) {
            (Length::Known(bytes), _) => (Body::Counted(bytes), Framing::Length(bytes)),
            (Length::Unknown, Version::Http11) => (Body::Chunked, Framing::Chunked),
            (Length::Unknown, Version::Http10) => (Body::UntilClose, Framing::UntilClose),
        };
        let after = match (after, body) {
            (After::KeepAlive, Body::UntilClose) => After::Close,
            (after, _) => after,
        };
        let said = response.said();
        let head = response::head(said, now.wall, limits, version, after, framing).share(0);
        let then = match after {
            _ if response.is_bodiless() || method == Method::Head => None,
            After::KeepAlive => Some(Then::KeepAlive),
            After::Close => Some(Then::Close),
            After::Linger => Some(Then::Linger),
            After::Switch | After::Body => None,
        };
        let after = match then {
            Some(after) => {
                self.state = State::Sending(Box::new(Sending {
                    body,
                    after,
                    stalled_since: Some(now.mono),
                }));
                After::Body
            }
            None => {
                self.go_on(now.mono, after);
                after
            }
        };
        let body = Shared::new();
        Answer { head, body, after }
    }

    /// Frames a piece: what is to be sent for it, in order, some of it perhaps empty. An empty piece is nothing at all.
    ///
    /// # Errors
    /// If it goes beyond the declared length; nothing of it is to be sent then.
    pub fn piece(&mut self, now: Time, bytes: Bytes) -> Result<[Shared; 3], TooLong> {
        let nothing = [const { Shared::new() }; 3];
        let State::Sending(sending) = &mut self.state else {
            return Ok(nothing);
        };
        if bytes.is_empty() {
            return Ok(nothing);
        }
        let framed = match &mut sending.body {
            Body::Counted(left) => {
                *left = left.checked_sub(bytes.len() as u64).ok_or(TooLong)?;
                [Shared::new(), bytes.into(), Shared::new()]
            }
            Body::Chunked => chunk(bytes),
            Body::UntilClose => [Shared::new(), bytes.into(), Shared::new()],
            Body::Finished => return Ok(nothing),
        };
        sending.stalled_since.get_or_insert(now);
        Ok(framed)
    }

    /// What is to be sent at the end of the body. How the connection goes on is said by [`Connection::poll_finished`] once
    /// the client has taken all of it.
    ///
    /// # Errors
    /// If bytes are missing of the declared length: the connection is then to be cut, so that the client notices.
    pub fn finish(&mut self, now: Time) -> Result<Shared, TooShort> {
        let State::Sending(sending) = &mut self.state else {
            return Ok(Shared::new());
        };
        let last = match sending.body {
            Body::Counted(0) | Body::UntilClose | Body::Finished => Shared::new(),
            Body::Counted(missing) => return Err(TooShort { missing }),
            Body::Chunked => Shared::fixed(b"0\r\n\r\n"),
        };
        sending.body = Body::Finished;
        sending.stalled_since.get_or_insert(now);
        Ok(last)
    }

    /// The client has taken all that waited for it: how the connection goes on, if that was the end of the body.
    pub fn poll_finished(&mut self, now: Time) -> Option<After> {
        let State::Sending(sending) = &mut self.state else {
            return None;
        };
        sending.stalled_since = None;
        if sending.body != Body::Finished {
            return None;
        }
        let after = match sending.after {
            Then::KeepAlive => After::KeepAlive,
            Then::Close => After::Close,
            Then::Linger => After::Linger,
        };
        self.go_on(now, after);
        Some(after)
    }

    /// Whether the head of an answer is out, and its body is on its way.
    #[must_use]
    pub const fn is_sending(&self) -> bool {
        matches!(self.state, State::Sending(_))
    }

    /// Whether the end of the connection would be taken for the end of the body.
    #[must_use]
    pub fn ends_with_the_connection(&self) -> bool {
        matches!(&self.state, State::Sending(sending) if sending.body == Body::UntilClose)
    }
}

fn chunk(bytes: Bytes) -> [Shared; 3] {
    let mut framed = Buffer::new();
    write!(framed, "{:x}\r\n", bytes.len()).expect("a buffer takes all");
    if bytes.len() > COPIED_PIECE_BYTES_MAX {
        return [framed.share(0), bytes.into(), Shared::fixed(b"\r\n")];
    }
    framed.extend_from_slice(&bytes);
    framed.extend_from_slice(b"\r\n");
    [framed.share(0), Shared::new(), Shared::new()]
}

#[cfg(test)]
mod tests;
