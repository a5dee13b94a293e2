//! Who is there: sockets as plain data, wherever they are.
//!
//! An [`Operator`] says whose; what comes back is a copy of what was true when it was asked for, in a form that can be
//! carried from node to node.
//! Left out: acting on one of them, for which its id does: `context.io.emit_to(remote.id, ..)`, `io.of(..).to(id)`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::App;
use super::asking::Awaited;
use super::cluster::{Reply, Wish};
use super::core::Core;
use super::handshake::Handshake;
use super::operator::Operator;
use super::views::Context;
use crate::socketio::{SocketId, SocketKey};

/// A socket, here or at another node, as it was when it was asked about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RemoteSocket {
    /// Its id.
    pub id: SocketId,
    /// The name of its namespace.
    pub namespace: Box<str>,
    /// The rooms it was in, its own included.
    pub rooms: Vec<Box<str>>,
    /// The request that opened its connection, as far as it was kept.
    pub handshake: Option<Handshake>,
    /// Its data as JSON.
    data: Box<str>,
}

impl RemoteSocket {
    /// A socket that somebody has told of, with its data as JSON.
    #[must_use]
    pub const fn new(
        id: SocketId,
        namespace: Box<str>,
        rooms: Vec<Box<str>>,
        handshake: Option<Handshake>,
        data: Box<str>,
    ) -> Self {
        Self {
            id,
            namespace,
            rooms,
            handshake,
            data,
        }
    }

    /// Its data, as the application's own type of it or any other that fits.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn data<'a, T: Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_str(&self.data)
    }

    /// Its data as JSON.
    #[must_use]
    pub fn raw_data(&self) -> &str {
        &self.data
    }
}

/// The sockets that somebody asked about.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Fetched {
    /// In no order to rely on.
    pub sockets: Vec<RemoteSocket>,
    /// Nodes that did not answer in time, whose sockets are missing here.
    pub nodes_missing: usize,
}

impl Fetched {
    /// Whether every node has answered.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.nodes_missing == 0
    }
}

impl<A: App> Operator<'_, A> {
    /// Calls `then` with all of them as plain data, after the handler that runs now and after `within` at the latest. Where
    /// there are no other nodes that is at once, and all are there.
    ///
    /// ```
    /// # use roomcast::{Config, Server};
    /// # use std::time::Duration;
    /// # let mut server = Server::new(Config::default(), ());
    /// server.of("/").on("who", |socket, (room,): (String,), ack| {
    ///     let within = Duration::from_secs(5);
    ///     socket.everyone().to(&room).fetch_sockets(within, |context, fetched| {
    ///         let ids: Vec<_> = fetched.sockets.iter().map(|socket| socket.id.to_string()).collect();
    ///         ack.send(&mut context.io, &(ids, fetched.is_complete()));
    ///     });
    /// });
    /// ```
    pub fn fetch_sockets(
        self,
        within: Duration,
        then: impl FnOnce(&mut Context<'_, A>, Fetched) + 'static,
    ) {
        let mut sockets = Vec::new();
        let Self {
            core,
            audience,
            flags,
            ..
        } = self;
        core.for_each_of(&audience, |core, key| {
            sockets.extend(core.as_plain_data(key));
        });
        let then = move |context: &mut Context<'_, A>, replies: Vec<Reply>, nodes_missing| {
            let mut fetched = Fetched {
                sockets,
                nodes_missing,
            };
            for reply in replies {
                if let Reply::Sockets(theirs) = reply {
                    fetched.sockets.extend(theirs);
                }
            }
            then(context, fetched);
        };
        let to = core.whom(&audience);
        let awaited = match to {
            Some(_) => core.awaited_nodes(flags),
            None => Awaited::Nodes(0),
        };
        let request = core.ask_nodes(awaited, within, Box::new(then));
        if let (Some(to), Some(request)) = (to, request) {
            core.utter(Wish::Fetch { to, request });
        }
    }
}

impl<A: App> Core<A> {
    pub(super) fn as_plain_data(&self, key: SocketKey) -> Option<RemoteSocket> {
        let namespace = self.sockets.namespace_of(key)?;
        let data = serde_json::to_string(self.data.get(key)?);
        let data = data.unwrap_or_else(|error| {
            log::error!("a socket's data cannot be written: {error}");
            "null".to_owned()
        });
        let rooms = self.sockets.adapter(namespace).rooms(key);
        Some(RemoteSocket {
            id: self.sockets.id(key)?,
            namespace: self.sockets.name(namespace).into(),
            rooms: rooms.map(Into::into).collect(),
            handshake: self.handshake(self.sockets.session(key)?).cloned(),
            data: data.into(),
        })
    }
}
