//! Acknowledgements in both directions.
//!
//! [`Ack`] answers a client's event; [`Waiting`] holds what to do with a client's answer to ours, under the socket that
//! was asked and the number it was asked by. Each has a deadline, so that nothing waits for ever.
//! Knows no packets.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::App;
use super::socket::Socket;
use super::views::Io;
use crate::socketio::SocketKey;
use crate::socketio::args::{Args, ArgsError};
use crate::timers::TimerId;

/// Answers one event of a client, at most once, now or later.
#[derive(Debug)]
#[must_use = "a client may wait for this; say `_ack` if it does not"]
pub struct Ack {
    pub(super) to: Option<(SocketKey, u64)>,
}

impl Ack {
    /// Whether the client asked for an answer.
    #[must_use]
    pub const fn is_wanted(&self) -> bool {
        self.to.is_some()
    }

    /// Answers. A tuple is a list of values, anything else one value. Goes nowhere if the socket has left or the
    /// client wants no answer.
    pub fn send<A: App, T: Serialize + ?Sized>(self, io: &mut Io<'_, A>, values: &T) {
        if let Some((key, id)) = self.to {
            io.core.answer(key, id, values);
        }
    }
}

/// Why there is no answer from a client.
#[derive(Debug)]
pub enum AckError {
    /// It did not answer in time.
    TimedOut,
    /// It has left.
    Disconnected,
    /// It answered something else than was expected.
    Unexpected(ArgsError),
    /// It was not asked: the name is reserved or the arguments are no JSON, as the log says.
    NotSent,
    /// More answers are awaited from this socket than [`crate::config::SocketIo::acks_max`].
    TooMany,
    /// The server was frozen while it waited; the client may still answer, and nobody will hear it.
    Interrupted,
}

impl fmt::Display for AckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("operation has timed out"),
            Self::Disconnected => f.write_str("socket has been disconnected"),
            Self::Unexpected(error) => error.fmt(f),
            Self::NotSent => f.write_str("the event could not be sent"),
            Self::TooMany => f.write_str("too many acknowledgements are awaited"),
            Self::Interrupted => f.write_str("the server was frozen while it waited"),
        }
    }
}

impl std::error::Error for AckError {}

pub(super) type Then<A> = Box<dyn FnOnce(&mut Socket<'_, A>, Result<Args<'_>, AckError>)>;

pub(super) struct Waiting<A: App> {
    pub(super) then: Then<A>,
    pub(super) timer: TimerId,
}

/// The answers awaited from all sockets.
pub(super) struct Acks<A: App> {
    waiting: BTreeMap<(SocketKey, u64), Waiting<A>>,
}

impl<A: App> Default for Acks<A> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
        }
    }
}

impl<A: App> Acks<A> {
    pub(super) fn awaited_from(&self, key: SocketKey) -> usize {
        self.waiting.range((key, 0)..=(key, u64::MAX)).count()
    }

    /// Whether no answer is awaited.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All of them, in the order of sockets and numbers.
    pub(super) fn take_all(&mut self) -> BTreeMap<(SocketKey, u64), Waiting<A>> {
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn insert(&mut self, key: SocketKey, id: u64, waiting: Waiting<A>) {
        self.waiting.insert((key, id), waiting);
    }

    pub(super) fn take(&mut self, key: SocketKey, id: u64) -> Option<Waiting<A>> {
        self.waiting.remove(&(key, id))
    }

    /// Any one of those awaited from a socket.
    pub(super) fn take_any(&mut self, key: SocketKey) -> Option<Waiting<A>> {
        let found = *self.waiting.range((key, 0)..=(key, u64::MAX)).next()?.0;
        self.waiting.remove(&found)
    }
}
