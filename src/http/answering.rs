//! What is answered to a request in hand, as a whole, and what that does to the connection.
//!
//! A [`Response`] or a [`Refusal`] comes in, bytes go out. Answers in pieces begin here, too, and go on in `sending`.
//! Never knows how bytes leave.

use std::ops::Deref;

use super::response::{Answered, Said};
use super::{Connection, First, Headers, Refusal, Response, State, headers, response};
use crate::buffers::Shared;
use crate::config;
use crate::time::{Now, Time};

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
    /// The body is to follow in pieces, and says then how the connection goes on.
    Body,
}

/// An answer, ready to be sent: the head, then the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The head, and the body too if that is small.
    pub head: Shared,
    /// A large body, shared with whoever else is being sent it; else empty.
    pub body: Shared,
    /// And then.
    pub after: After,
}

impl Connection {
    /// Turns the response to the request in hand into bytes, and says how the connection goes on.
    ///
    /// Adds Date, Content-Length, Connection and Keep-Alive; leaves the body out where HTTP has none (HEAD, 1xx, 204, 304).
    pub fn answer(&mut self, now: Now, limits: &config::Http, response: &Response) -> Answer {
        let (said, closes) = (response.said(), response.closes());
        self.answer_as(now, limits, said, closes, response.content().clone())
    }

    /// The same for an answer that is given with every request: 200, with lines that are known to be sound, each with its
    /// end, and a body that may be shared.
    pub(crate) fn answer_ok(
        &mut self,
        now: Now,
        limits: &config::Http,
        lines: &'static str,
        headers: &Headers,
        body: Shared,
    ) -> Answer {
        debug_assert!(headers::are_sound(lines), "{lines:?}");
        self.answer_as(now, limits, Said::ok(lines, headers), false, body)
    }

    fn answer_as(
        &mut self,
        now: Now,
        limits: &config::Http,
        said: Said<'_>,
        closes: bool,
        body: impl Deref<Target = [u8]> + Into<Shared>,
    ) -> Answer {
        debug_assert!(self.owes(), "an answer without a request");
        let Some(answered) = self.answered(said.status(), closes) else {
            return Answer {
                head: Shared::new(),
                body: Shared::new(),
                after: After::Linger,
            };
        };
        let after = answered.after;
        self.go_on(now.mono, after);
        let (head, body) = response::write(said, body, now.wall, limits, answered);
        Answer { head, body, after }
    }

    /// Of the request that an answer is owed to: its method and version, and what an answer of this status, which perhaps
    /// closes the connection, does to it.
    pub(super) fn answered(&self, status: u16, closes: bool) -> Option<Answered> {
        let (method, version, keep_alive) = match &self.state {
            State::Owed {
                method,
                version,
                keep_alive,
            } => (*method, *version, *keep_alive),
            State::Taking(taking) => match taking.request() {
                Some(request) => request,
                // The rest of its body is on its way, or stays where it is: nobody can tell.
                None => {
                    return Some(Answered {
                        method: taking.method,
                        version: taking.version,
                        after: After::Linger,
                    });
                }
            },
            _ => return None,
        };
        let after = match (status, keep_alive, closes) {
            (101, _, _) => After::Switch,
            (_, false, _) => After::Close,
            (_, true, true) => After::Linger,
            (_, true, false) => After::KeepAlive,
        };
        Some(Answered {
            method,
            version,
            after,
        })
    }

    /// An answer is out.
    pub(super) fn go_on(&mut self, now: Time, after: After) {
        self.state = match after {
            After::KeepAlive => State::Idle {
                since: now,
                first: First::Later,
            },
            After::Close | After::Linger | After::Switch | After::Body => State::Over,
        };
    }

    /// The client has not taken all of the last answer. Until it has, the connection is not idle, and its time is the one
    /// without progress ([`Connection::taken`]).
    pub const fn untaken(&mut self) {
        if let State::Idle {
            first: first @ First::Later,
            ..
        } = &mut self.state
        {
            *first = First::Untaken;
        }
    }

    /// The client has taken some of what waited for it.
    pub fn taken(&mut self, now: Time) {
        match &mut self.state {
            State::Sending(sending) => sending.taken(now),
            State::Idle {
                since,
                first: First::Untaken,
            } => *since = now,
            _ => {}
        }
    }

    /// The client has taken all that waited for it: from now on, it is idle. Of an answer in pieces see
    /// [`Connection::poll_finished`].
    pub const fn all_taken(&mut self, now: Time) {
        if let State::Idle {
            since,
            first: first @ First::Untaken,
        } = &mut self.state
        {
            (*since, *first) = (now, First::Later);
        }
    }

    /// The bytes of a refusal; the connection is over, and is to be closed as after [`After::Linger`].
    pub fn refuse(&mut self, now: Now, refusal: Refusal) -> Shared {
        self.state = State::Over;
        response::refusal(refusal, now.wall)
    }

    /// The same with these headers and an empty body, for a client that gives the status a meaning of its own.
    pub fn refuse_silently(&mut self, now: Now, refusal: Refusal, headers: &Headers) -> Shared {
        self.state = State::Over;
        response::silent_refusal(refusal, headers, now.wall)
    }
}
