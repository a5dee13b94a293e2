//! An event to one socket, with what is to hold for it said first: `socket.compress(false).emit("picture", &bytes)`.
//!
//! Knows no bytes; broadcasts have the same words in [`super::Operator`].

use std::time::Duration;

use serde::Serialize;

use super::App;
use super::acks::{AckError, Then};
use super::core::Core;
use super::outgoing::Flags;
use super::socket::Socket;
use super::views::EmitError;
use crate::socketio::SocketKey;
use crate::socketio::args::{Args, FromArgs};

/// One socket as the receiver of an event.
pub struct Direct<'a, A: App> {
    core: &'a mut Core<A>,
    key: SocketKey,
    flags: Flags,
}

impl<A: App> Socket<'_, A> {
    /// Whether the event that follows may be compressed where that was agreed on (`true` unless this says otherwise):
    /// `false` is for what is compressed already.
    pub fn compress(&mut self, may_be: bool) -> Direct<'_, A> {
        self.direct().compress(may_be)
    }

    pub(super) fn direct(&mut self) -> Direct<'_, A> {
        Direct {
            core: self.io.core,
            key: self.key,
            flags: Flags::default(),
        }
    }
}

impl<A: App> Direct<'_, A> {
    /// Whether it may be compressed.
    #[must_use]
    pub const fn compress(mut self, may_be: bool) -> Self {
        self.flags.stays_plain = !may_be;
        self
    }

    /// May be lost: goes only if the transport could take it just now.
    #[must_use]
    pub const fn volatile(mut self) -> Self {
        self.flags.is_volatile = true;
        self
    }

    /// Sends the event. A tuple is a list of arguments, anything else one argument; what cannot be sent leaves a line
    /// in the log.
    pub fn emit<T: Serialize + ?Sized>(self, event: &str, values: &T) {
        if let Err(error) = self.try_emit(event, values) {
            log::error!("{error}");
        }
    }

    /// Sends the event.
    ///
    /// # Errors
    /// If the name is reserved or the arguments are no JSON.
    pub fn try_emit<T: Serialize + ?Sized>(self, event: &str, values: &T) -> Result<(), EmitError> {
        self.core.emit(self.key, self.flags, event, None, values)
    }

    /// Sends the event and calls `then` with the answer; see [`Socket::emit_with_ack`]. It always goes: what may be lost
    /// cannot be waited for.
    pub fn emit_with_ack<T: Serialize + ?Sized, R>(
        self,
        event: &str,
        values: &T,
        within: Duration,
        then: impl FnOnce(&mut Socket<'_, A>, Result<R, AckError>) + 'static,
    ) where
        R: for<'x> FromArgs<'x>,
    {
        let parse = |args: Args<'_>| R::from_args(args).map_err(AckError::Unexpected);
        let then = move |socket: &mut Socket<'_, A>, answer: Result<Args<'_>, AckError>| {
            then(socket, answer.and_then(parse));
        };
        self.ask(event, values, within, Box::new(then));
    }

    pub(super) fn ask<T: Serialize + ?Sized>(
        self,
        event: &str,
        values: &T,
        within: Duration,
        then: Then<A>,
    ) {
        let flags = Flags {
            is_volatile: false,
            ..self.flags
        };
        self.core.ask(self.key, flags, event, values, within, then);
    }
}
