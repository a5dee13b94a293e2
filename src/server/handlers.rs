//! The tables of handlers: one for each family of namespaces, one for all routes.
//!
//! Filled before the loop runs and only read afterwards, so that a handler can be borrowed from here while it is lent the rest.
//! One table serves all sockets of a namespace: a socket costs no closures.
//! Left out: listeners of a single socket; an `Option<Box<_>>` in its data does the job.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::App;
use super::acks::Ack;
use super::events::{EventError, IncomingEvent, Refused};
use super::hooks::Hooks;
use super::nodes::OnWish;
use super::raw::Mount;
use super::refusals::OnConnectionError;
use super::server_side::OnServerSide;
use super::socket::Socket;
use super::views::{Answer, Context, Request, Verdict};
use crate::config::Config;
use crate::engineio::Engine;
use crate::http::Method;
use crate::http::files::Files;
use crate::http::routes::{Found, Routes};
use crate::socketio::args::{Args, ArgsError, FromArgs};
use crate::socketio::packet::is_reserved;
use crate::socketio::{FamilyId, Namespaces, Reason, RoomEvent};

type Authorize<A> = Box<dyn Fn(&mut Socket<'_, A>, &str) -> Verdict>;
pub(super) type OnConnect<A> = Box<dyn Fn(&mut Socket<'_, A>)>;
pub(super) type OnEvent<A> =
    Box<dyn Fn(&mut Socket<'_, A>, Args<'_>, Ack) -> Result<(), ArgsError>>;
type OnFallback<A> = Box<dyn Fn(&mut Socket<'_, A>, &str, Args<'_>, Ack)>;
pub(super) type Question<A> = Box<dyn Fn(&mut A, &str, &Value) -> bool>;
type OnNamespace<A> = Box<dyn Fn(&mut Context<'_, A>, &str)>;
type OnAny<A> = Box<dyn Fn(&mut Socket<'_, A>, &str, Args<'_>)>;
type Middleware<A> = Box<dyn Fn(&mut Socket<'_, A>, &mut IncomingEvent<'_>) -> Result<(), Refused>>;
type OnError<A> = Box<dyn Fn(&mut Socket<'_, A>, &EventError, Ack)>;
type OnEnd<A> = Box<dyn Fn(&mut Socket<'_, A>, Reason)>;
type OnRoomEvent<A> = Box<dyn Fn(&mut Context<'_, A>, &RoomEvent)>;
type OnRequest<A> = Box<dyn Fn(&mut Request<'_, A>) -> Answer>;
type OnStop<A> = Box<dyn Fn(&mut Context<'_, A>, Duration)>;

/// How a route takes bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Whole,
    Pieces,
}

/// What a route does.
pub(super) struct Route<A: App> {
    takes: Takes,
    pub(super) handler: OnRequest<A>,
}

/// What the namespaces of one family do.
pub(super) struct Table<A: App> {
    /// Whether a namespace of that name is wanted, by who brings these words.
    pub(super) question: Option<Question<A>>,
    pub(super) authorize: Vec<Authorize<A>>,
    pub(super) on_connect: Vec<OnConnect<A>>,
    pub(super) on_any: Vec<OnAny<A>>,
    pub(super) middleware: Vec<Middleware<A>>,
    /// A tree: for a dozen names it is quicker than hashing one.
    pub(super) events: BTreeMap<Box<str>, OnEvent<A>>,
    pub(super) fallback: Option<OnFallback<A>>,
    pub(super) on_error: Option<OnError<A>>,
    pub(super) on_any_outgoing: Vec<OnAny<A>>,
    pub(super) on_upgrade: Vec<OnConnect<A>>,
    pub(super) on_heartbeat: Vec<OnConnect<A>>,
    pub(super) on_disconnecting: Vec<OnEnd<A>>,
    pub(super) on_disconnect: Vec<OnEnd<A>>,
    pub(super) on_room_event: Option<OnRoomEvent<A>>,
    pub(super) server_side: HashMap<Box<str>, OnServerSide<A>>,
}

impl<A: App> Default for Table<A> {
    fn default() -> Self {
        Self {
            question: None,
            authorize: Vec::new(),
            on_connect: Vec::new(),
            on_any: Vec::new(),
            middleware: Vec::new(),
            events: BTreeMap::new(),
            fallback: None,
            on_error: None,
            on_any_outgoing: Vec::new(),
            on_upgrade: Vec::new(),
            on_heartbeat: Vec::new(),
            on_disconnecting: Vec::new(),
            on_disconnect: Vec::new(),
            on_room_event: None,
            server_side: HashMap::new(),
        }
    }
}

/// All of them.
pub(super) struct Handlers<A: App> {
    /// By family.
    tables: Vec<Table<A>>,
    pub(super) routes: Routes<Route<A>>,
    /// Whether any of them takes bodies in pieces.
    pub(super) has_pieces: bool,
    pub(super) files: Vec<Files>,
    pub(super) raw: Vec<Mount<A>>,
    pub(super) hooks: Hooks<A>,
    pub(super) fallback: Option<OnRequest<A>>,
    pub(super) on_namespace: Option<OnNamespace<A>>,
    pub(super) on_stop: Option<OnStop<A>>,
    pub(super) on_connection_error: Option<OnConnectionError<A>>,
    pub(super) on_wish: Option<OnWish<A>>,
}

impl<A: App> Default for Handlers<A> {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            routes: Routes::default(),
            has_pieces: false,
            files: Vec::new(),
            raw: Vec::new(),
            hooks: Hooks::default(),
            fallback: None,
            on_namespace: None,
            on_stop: None,
            on_connection_error: None,
            on_wish: None,
        }
    }
}

impl<A: App> Handlers<A> {
    pub(super) fn of<'s>(
        &'s mut self,
        family: FamilyId,
        namespaces: &'s mut Namespaces,
        engine: &'s mut Engine,
    ) -> Namespace<'s, A> {
        Namespace {
            family,
            table: self.table_mut(family),
            namespaces,
            engine,
        }
    }

    pub(super) fn table_mut(&mut self, family: FamilyId) -> &mut Table<A> {
        if self.tables.len() <= family.index() {
            self.tables.resize_with(family.index() + 1, Table::default);
        }
        &mut self.tables[family.index()]
    }

    pub(super) fn table(&self, family: FamilyId) -> Option<&Table<A>> {
        self.tables.get(family.index())
    }

    /// Whether requests of this path are Engine.IO's, with Socket.IO above it or without.
    pub(super) fn is_for_engine(&self, config: &Config, path: &str) -> bool {
        path.starts_with(&config.engine.path) || self.raw_mount(path).is_some()
    }

    /// The place of the path that raw sessions are served under.
    pub(super) fn raw_mount(&self, path: &str) -> Option<usize> {
        self.raw
            .iter()
            .position(|mount| path.starts_with(&*mount.path))
    }

    pub(super) fn route(
        &mut self,
        method: Method,
        path: &str,
        handler: impl Fn(&mut Request<'_, A>) -> Answer + 'static,
    ) {
        let (takes, handler) = (Takes::Whole, Box::new(handler));
        self.routes.add(method, path, Route { takes, handler });
    }

    pub(super) fn route_in_pieces(
        &mut self,
        method: Method,
        path: &str,
        handler: impl Fn(&mut Request<'_, A>) -> Answer + 'static,
    ) {
        self.has_pieces = true;
        let (takes, handler) = (Takes::Pieces, Box::new(handler));
        self.routes.add(method, path, Route { takes, handler });
    }

    /// Whether a request is for a route that takes bodies in pieces.
    pub(super) fn is_in_pieces(&self, config: &Config, method: Method, path: &str) -> bool {
        !self.is_for_engine(config, path)
            && match self.routes.find(method, path) {
                Found::Route(route, _) => route.takes == Takes::Pieces,
                Found::NotFound | Found::MethodNotAllowed { .. } => false,
            }
    }
}

/// A namespace, or a parent of namespaces, whose handlers are being named.
pub struct Namespace<'s, A: App> {
    family: FamilyId,
    pub(super) table: &'s mut Table<A>,
    namespaces: &'s mut Namespaces,
    engine: &'s mut Engine,
}

impl<A: App> Namespace<'_, A> {
    /// Decides who may come in, before the CONNECT is answered. Several run in the order they were added; the first
    /// refusal ends it. `Auth` is read from what the client brought (`{}` if nothing); who brings something else
    /// is refused with the message `invalid auth`.
    pub fn authorize<Auth: DeserializeOwned>(
        self,
        decide: impl Fn(&mut Socket<'_, A>, Auth) -> Verdict + 'static,
    ) -> Self {
        self.table.authorize.push(Box::new(move |socket, auth| {
            match serde_json::from_str(auth) {
                Ok(auth) => decide(socket, auth),
                Err(_) => Verdict::refuse("invalid auth"),
            }
        }));
        self
    }

    /// Called when a socket was let in, after the CONNECT was answered. Several run in the order they were added.
    pub fn on_connect(self, handler: impl Fn(&mut Socket<'_, A>) + 'static) -> Self {
        self.table.on_connect.push(Box::new(handler));
        self
    }

    /// Called for each event of that name. Arguments are a tuple: absent ones read as `None` where that is allowed,
    /// further ones are ignored; an event that does not fit goes to [`Namespace::on_error`].
    ///
    /// # Panics
    /// If the name is reserved, or has a handler already.
    pub fn on<T>(self, event: &str, handler: impl Fn(&mut Socket<'_, A>, T, Ack) + 'static) -> Self
    where
        T: for<'x> FromArgs<'x>,
    {
        self.insert(
            event,
            Box::new(move |socket, args, ack| {
                handler(socket, T::from_args(args)?, ack);
                Ok(())
            }),
        )
    }

    /// Like [`Namespace::on`], for handlers that read the arguments themselves or pass them on untouched.
    ///
    /// # Panics
    /// If the name is reserved, or has a handler already.
    pub fn on_raw(
        self,
        event: &str,
        handler: impl Fn(&mut Socket<'_, A>, Args<'_>, Ack) + 'static,
    ) -> Self {
        self.insert(
            event,
            Box::new(move |socket, args, ack| {
                handler(socket, args, ack);
                Ok(())
            }),
        )
    }

    fn insert(self, event: &str, handler: OnEvent<A>) -> Self {
        assert!(!is_reserved(event), "\"{event}\" is a reserved event name");
        let before = self.table.events.insert(event.into(), handler);
        assert!(before.is_none(), "\"{event}\" has a handler already");
        self
    }

    /// Called for each event that has no handler of its own, which is otherwise ignored. The last one named counts.
    pub fn on_fallback(
        self,
        handler: impl Fn(&mut Socket<'_, A>, &str, Args<'_>, Ack) + 'static,
    ) -> Self {
        self.table.fallback = Some(Box::new(handler));
        self
    }

    /// Called for each event that comes in, before middleware and handlers, whether it has a handler or not.
    pub fn on_any(self, listener: impl Fn(&mut Socket<'_, A>, &str, Args<'_>) + 'static) -> Self {
        self.table.on_any.push(Box::new(listener));
        self
    }

    /// Called for each event that was sent to a socket, once for each that a broadcast went to, after the handler that
    /// sent it. Answers are no events; what a listener sends itself is not told again.
    pub fn on_any_outgoing(
        self,
        listener: impl Fn(&mut Socket<'_, A>, &str, Args<'_>) + 'static,
    ) -> Self {
        self.namespaces.overhear(self.family);
        self.table.on_any_outgoing.push(Box::new(listener));
        self
    }

    /// Stands between an event and its handler: may change its name and its arguments, or refuse it, which
    /// [`Namespace::on_error`] is told. Several run in the order they were added.
    ///
    /// ```
    /// # use roomcast::{Config, Server};
    /// use roomcast::server::Refused;
    ///
    /// # let mut server = Server::new(Config::default(), ());
    /// server
    ///     .of("/")
    ///     .middleware(|socket, event| match event.name().starts_with("admin:") && !socket.is_in("admins") {
    ///         true => Err(Refused::new("for admins only")),
    ///         false => Ok(()),
    ///     })
    ///     .on_error(|socket, error, ack| ack.send(&mut socket.io, &error.to_string()));
    /// ```
    pub fn middleware(
        self,
        look: impl Fn(&mut Socket<'_, A>, &mut IncomingEvent<'_>) -> Result<(), Refused> + 'static,
    ) -> Self {
        self.table.middleware.push(Box::new(look));
        self
    }

    /// Called when an event did not get to its handler, with what the client may still be answered. Without this there
    /// is a line in the log, and the client gets no answer. The last one named counts.
    pub fn on_error(
        self,
        handler: impl Fn(&mut Socket<'_, A>, &EventError, Ack) + 'static,
    ) -> Self {
        self.table.on_error = Some(Box::new(handler));
        self
    }

    /// Called when a connected socket's connection goes on by WebSocket ([`Socket::transport`] says so already). One that is
    /// connected only afterwards is not told.
    pub fn on_upgrade(self, handler: impl Fn(&mut Socket<'_, A>) + 'static) -> Self {
        self.table.on_upgrade.push(Box::new(handler));
        self
    }

    /// Called when the client of a connected socket has given a sign of life: the pong to a ping of ours every
    /// [`ping_every`](crate::config::Engine::ping_every), or its own ping in revision 3. What comes besides is life enough for
    /// the engine, and is not told here. Several run in the order they were added.
    pub fn on_heartbeat(self, handler: impl Fn(&mut Socket<'_, A>) + 'static) -> Self {
        self.engine.tell_heartbeats();
        self.table.on_heartbeat.push(Box::new(handler));
        self
    }

    /// Called when a socket is on its way out, with its rooms still there: it can speak to them, and hears nothing itself.
    /// Several run in the order they were added.
    pub fn on_disconnecting(self, handler: impl Fn(&mut Socket<'_, A>, Reason) + 'static) -> Self {
        self.table.on_disconnecting.push(Box::new(handler));
        self
    }

    /// Called when a socket has left, with its data still there and its rooms gone. Several run in the order they were added.
    pub fn on_disconnect(self, handler: impl Fn(&mut Socket<'_, A>, Reason) + 'static) -> Self {
        self.table.on_disconnect.push(Box::new(handler));
        self
    }

    /// Called for each create-room, delete-room, join-room and leave-room of this namespace's adapter, after the handler that
    /// caused it; of a parent, of the adapters of all its children. The last one named counts.
    pub fn on_room_event(
        self,
        handler: impl Fn(&mut Context<'_, A>, &RoomEvent) + 'static,
    ) -> Self {
        self.namespaces.record_events(self.family);
        self.table.on_room_event = Some(Box::new(handler));
        self
    }
}
