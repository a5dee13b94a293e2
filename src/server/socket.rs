//! What a handler sees of one socket: who it is, where it is, what it can be told.
//!
//! Borrowed for as long as the handler runs, with the application and the server; what it is asked for is looked up in the
//! cores, what it is told to do is done by them.
//! Knows no bytes. What goes out by an operator or with flags is [`super::operator`]'s and [`super::direct`]'s.
//! Left out: keeping one. Its id is kept, and finds it again while it is there.

use std::time::Duration;

use serde::Serialize;

use super::App;
use super::acks::AckError;
use super::core::Core;
use super::handshake::Handshake;
use super::operator::{Children, Operator};
use super::recovery::Recovered;
use super::views::{Context, EmitError, Io};
use crate::engineio::{self, TransportName};
use crate::socketio::args::{Args, FromArgs};
use crate::socketio::{NamespaceId, SocketId, SocketKey};

/// One socket, with the application and the server.
pub struct Socket<'a, A: App> {
    /// The application's own state.
    pub app: &'a mut A,
    /// The server.
    pub io: Io<'a, A>,
    pub(super) key: SocketKey,
}

impl<'a, A: App> Socket<'a, A> {
    pub(super) const fn new(app: &'a mut A, core: &'a mut Core<A>, key: SocketKey) -> Self {
        Self {
            app,
            io: Io { core },
            key,
        }
    }

    /// The application and the server without this socket, to find others.
    pub const fn context(&mut self) -> Context<'_, A> {
        Context::new(self.app, self.io.core)
    }

    /// Its id: twenty characters nobody can guess, and the name of the room it is in from the start.
    #[must_use]
    pub fn id(&self) -> SocketId {
        self.io
            .core
            .sockets
            .id(self.key)
            .expect("a view does not outlive its socket")
    }

    /// The name of its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.io.core.sockets.name(self.namespace_id())
    }

    /// What a parameter of its parent's pattern stands for in its namespace's name ([`super::Server::of_pattern`]).
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let namespaces = self.io.core.sockets.namespaces();
        namespaces.parameter(self.namespace_id(), name)
    }

    /// Everybody in its namespace and in all others of the same parent.
    pub fn siblings(&mut self) -> Children<'_, A> {
        let family = self.io.core.sockets.family_of(self.namespace_id());
        Children::of_parent(self.io.core, Some(family))
    }

    /// Whether it is in its namespace: not while it is being authorized, nor on its way out.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.io.core.sockets.is_connected(self.key)
    }

    /// The data that belongs to it.
    #[must_use]
    pub fn data(&self) -> &A::Data {
        self.io
            .core
            .data
            .get(self.key)
            .expect("a socket has data as long as it is there")
    }

    /// The data that belongs to it.
    pub fn data_mut(&mut self) -> &mut A::Data {
        self.io
            .core
            .data
            .get_mut(self.key)
            .expect("a socket has data as long as it is there")
    }

    /// The application and the socket's data, both at once.
    pub fn app_and_data(&mut self) -> (&mut A, &mut A::Data) {
        let data = self.io.core.data.get_mut(self.key);
        (
            self.app,
            data.expect("a socket has data as long as it is there"),
        )
    }

    /// Whether it is one that came back, and found again what it had (connection state recovery).
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        self.io.core.recovered(self.key)
    }

    /// The request that opened its connection, as far as it was kept.
    #[must_use]
    pub fn handshake(&self) -> Option<&Handshake> {
        let session = self.io.core.sockets.session(self.key)?;
        self.io.core.handshake(session)
    }

    /// How its connection speaks just now.
    #[must_use]
    pub fn transport(&self) -> Option<TransportName> {
        let session = self.io.core.sockets.session(self.key)?;
        Some(self.io.core.engine.session(session)?.transport_name())
    }

    /// The rooms it is in, its own included.
    #[must_use]
    pub fn rooms(&self) -> Vec<String> {
        let adapter = self.io.core.sockets.adapter(self.namespace_id());
        adapter.rooms(self.key).map(ToOwned::to_owned).collect()
    }

    /// Whether it is in a room.
    #[must_use]
    pub fn is_in(&self, room: &str) -> bool {
        self.io
            .core
            .sockets
            .adapter(self.namespace_id())
            .is_in(self.key, room)
    }

    /// Enters a room; nothing happens if it is in it already, or on its way out.
    pub fn join(&mut self, room: &str) {
        self.io.core.join(self.key, room);
    }

    /// Leaves a room; nothing happens if it is not in it.
    pub fn leave(&mut self, room: &str) {
        self.io.core.leave_room(self.key, room);
    }

    /// Sends it an event. A tuple is a list of arguments, anything else one argument; what cannot be sent leaves a
    /// line in the log.
    pub fn emit<T: Serialize + ?Sized>(&mut self, event: &str, values: &T) {
        if let Err(error) = self.try_emit(event, values) {
            log::error!("{error}");
        }
    }

    /// Sends it an event.
    ///
    /// # Errors
    /// If the name is reserved or the arguments are no JSON.
    pub fn try_emit<T: Serialize + ?Sized>(
        &mut self,
        event: &str,
        values: &T,
    ) -> Result<(), EmitError> {
        self.direct().try_emit(event, values)
    }

    /// Sends it an event that may be lost: only if its transport could take it just now.
    pub fn emit_volatile<T: Serialize + ?Sized>(&mut self, event: &str, values: &T) {
        self.direct().volatile().emit(event, values);
    }

    /// Sends it an event and calls `then` once with its answer, or with why there is none, after `within` at the latest. At most
    /// [`acks_max`](crate::config::SocketIo::acks_max) answers are awaited from one socket; one more is
    /// [`AckError::TooMany`], and is not sent to be answered in vain.
    pub fn emit_with_ack<T: Serialize + ?Sized, R>(
        &mut self,
        event: &str,
        values: &T,
        within: Duration,
        then: impl FnOnce(&mut Socket<'_, A>, Result<R, AckError>) + 'static,
    ) where
        R: for<'x> FromArgs<'x>,
    {
        self.emit_with_raw_ack(event, values, within, move |socket, answer| {
            let parse = |args: Args<'_>| R::from_args(args).map_err(AckError::Unexpected);
            then(socket, answer.and_then(parse));
        });
    }

    /// Like [`Socket::emit_with_ack`], for an answer that is read as it came.
    pub fn emit_with_raw_ack<T: Serialize + ?Sized>(
        &mut self,
        event: &str,
        values: &T,
        within: Duration,
        then: impl FnOnce(&mut Socket<'_, A>, Result<Args<'_>, AckError>) + 'static,
    ) {
        self.direct().ask(event, values, within, Box::new(then));
    }

    /// Everybody else in its namespace.
    pub fn broadcast(&mut self) -> Operator<'_, A> {
        let namespace = self.namespace_id();
        Operator::new(self.io.core, Some(namespace), Some(self.key))
    }

    /// The others in a room.
    pub fn to<'o>(&'o mut self, room: &'o str) -> Operator<'o, A> {
        self.broadcast().to(room)
    }

    /// Everybody in its namespace, itself included.
    pub fn everyone(&mut self) -> Operator<'_, A> {
        let namespace = self.namespace_id();
        Operator::new(self.io.core, Some(namespace), None)
    }

    /// Leaves the namespace, with the reason `server namespace disconnect`; its connection stays for others. Its own handlers of
    /// that run when the present one has returned.
    pub fn disconnect(&mut self) {
        self.io.core.disconnect(self.key);
    }

    /// Leaves every namespace and closes the connection, after what was sent before.
    pub fn disconnect_connection(&mut self) {
        self.io.core.disconnect_connection(self.key);
    }

    /// Closes the connection without a word to the namespaces; their sockets leave with the reason `forced close`.
    pub fn close_connection(&mut self) {
        if let Some(session) = self.io.core.sockets.session(self.key) {
            let now = self.io.core.now.mono;
            self.io
                .core
                .engine
                .close(now, session, engineio::Reason::ForcedClose);
        }
    }

    pub(super) fn namespace_id(&self) -> NamespaceId {
        self.io
            .core
            .sockets
            .namespace_of(self.key)
            .expect("a view does not outlive its socket")
    }
}
