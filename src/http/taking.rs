//! A request's body in pieces: for whoever takes it as it comes, at a pace of his own.
//!
//! The head goes up first, and nothing of the body until it is accepted. Then come [`Piece`]s, which borrow from the
//! input; while it is on hold nothing is taken, and what the client sends waits in the inbox and in its own kernel.
//! Never knows where the bytes go.
//! Left out: an answer while the body goes on coming. One that is given before the end closes the connection behind it,
//! like a refusal.

use serde::{Deserialize, Serialize};

use super::body::Chunks;
use super::head::{Framing, Parts};
use super::pace::{Interim, Pace};
use super::{Connection, Method, Refusal, State, Version, take};
use crate::buffers::Shared;
use crate::config;
use crate::time::{Rebase, Time};

/// A part of a body, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Some of its bytes: at least one, and no more than the input held.
    Bytes(&'a [u8]),
    /// It was whole; the answer is owed now.
    End,
}

/// A body of which not all was taken.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Taking {
    pub(super) method: Method,
    pub(super) version: Version,
    keep_alive: bool,
    rest: Rest,
    /// Bytes that may still come.
    room: u64,
    turn: Turn,
    interim: Interim,
    pace: Pace,
}

/// What is still to come.
#[derive(Debug, Serialize, Deserialize)]
enum Rest {
    Counted(u64),
    Chunked(Chunks),
}

impl Rest {
    fn is_complete(&self) -> bool {
        match self {
            Self::Counted(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_complete(),
        }
    }
}

/// Who is to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Turn {
    /// We are: it was not accepted yet.
    Unaccepted,
    /// We are, since then.
    OnHold(Time),
    /// The client is to send.
    Theirs,
}

impl Taking {
    pub(super) fn new(now: Time, parts: &Parts, head_bytes: usize, input_bytes: usize) -> Self {
        let rest = match parts.framing {
            Framing::Length(length) => Rest::Counted(length),
            Framing::Chunked => Rest::Chunked(Chunks::behind_a_head_of(head_bytes)),
        };
        Self {
            method: parts.method,
            version: parts.version,
            keep_alive: parts.keep_alive,
            rest,
            room: 0,
            turn: Turn::Unaccepted,
            interim: Interim::of(parts, head_bytes, input_bytes),
            pace: Pace::from(now),
        }
    }

    pub(super) fn deadline(&self, limits: &config::Http) -> Option<Time> {
        (self.turn == Turn::Theirs && !self.rest.is_complete()).then(|| self.pace.deadline(limits))
    }

    pub(super) const fn rebase(&mut self, rebase: Rebase) {
        self.pace.rebase(rebase);
        if let Turn::OnHold(since) = &mut self.turn {
            *since = rebase.of(*since);
        }
    }

    /// What an answer must know of the request, if nothing of the body is left.
    pub(super) fn request(&self) -> Option<(Method, Version, bool)> {
        let is_complete = self.rest.is_complete();
        is_complete.then_some((self.method, self.version, self.keep_alive))
    }

    /// The next bytes of the body, moved to the front of the input if they were in chunks.
    fn advance<'a>(
        &mut self,
        limits: &config::Http,
        input: &mut &'a mut [u8],
    ) -> Result<&'a [u8], Refusal> {
        let bytes = match &mut self.rest {
            Rest::Counted(left) => {
                let count =
                    usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                *left -= count as u64;
                take(input, count)
            }
            Rest::Chunked(chunks) => {
                let (taken, decoded) = chunks.decode_in_place(limits, input, self.room)?;
                &take(input, taken)[..decoded]
            }
        };
        self.room = self.room.saturating_sub(bytes.len() as u64);
        Ok(bytes)
    }
}

impl Connection {
    /// Lets the body of the request in hand come, of so many bytes at most: gives the word that the client may wait for.
    /// Accepting it again changes nothing.
    ///
    /// # Errors
    /// If it declares more. See [`Connection::refuse`].
    pub fn accept(&mut self, now: Time, bytes_max: u64) -> Result<Option<Shared>, Refusal> {
        let State::Taking(taking) = &mut self.state else {
            return Ok(None);
        };
        if taking.turn != Turn::Unaccepted {
            return Ok(None);
        }
        if let Rest::Counted(length) = taking.rest
            && length > bytes_max
        {
            return Err(Refusal::BodyTooLarge);
        }
        taking.room = bytes_max;
        taking.turn = Turn::Theirs;
        taking.pace = Pace::from(now);
        if taking.rest.is_complete() {
            return Ok(None);
        }
        Ok(taking.interim.poll())
    }

    /// Gives no more pieces until [`Connection::resume`]. No deadline runs meanwhile.
    pub const fn hold(&mut self, now: Time) {
        if let State::Taking(taking) = &mut self.state
            && let Turn::Theirs = taking.turn
        {
            taking.turn = Turn::OnHold(now);
        }
    }

    /// Goes on after [`Connection::hold`].
    pub fn resume(&mut self, now: Time) {
        if let State::Taking(taking) = &mut self.state
            && let Turn::OnHold(since) = taking.turn
        {
            taking.pace.stood_still(since, now);
            taking.turn = Turn::Theirs;
        }
    }

    /// The next piece of the body; `None` if more bytes are needed, or none may be taken. After [`Piece::End`] the
    /// answer is owed as that to any other request.
    ///
    /// # Errors
    /// The peer broke a rule or passed a limit. See [`Connection::refuse`].
    pub fn next_piece<'a>(
        &mut self,
        now: Time,
        limits: &config::Http,
        input: &mut &'a mut [u8],
    ) -> Result<Option<Piece<'a>>, Refusal> {
        let State::Taking(taking) = &mut self.state else {
            return Ok(None);
        };
        if taking.turn != Turn::Theirs {
            return Ok(None);
        }
        let before = input.len();
        let bytes = taking.advance(limits, input)?;
        if before > input.len() {
            let bytes = taking.pace.bytes + bytes.len() as u64;
            taking.pace.moved(now, bytes);
        }
        if !bytes.is_empty() {
            return Ok(Some(Piece::Bytes(bytes)));
        }
        if !taking.rest.is_complete() {
            return Ok(None);
        }
        let (method, version, keep_alive) = (taking.method, taking.version, taking.keep_alive);
        self.state = State::Owed {
            method,
            version,
            keep_alive,
        };
        Ok(Some(Piece::End))
    }

    /// Whether a request is out whose body comes in pieces, and was not taken as a whole.
    #[must_use]
    pub const fn is_taking(&self) -> bool {
        matches!(self.state, State::Taking(_))
    }

    /// Whether such a body is not to be read just now.
    #[must_use]
    pub const fn is_on_hold(&self) -> bool {
        match &self.state {
            State::Taking(taking) => !matches!(taking.turn, Turn::Theirs),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
