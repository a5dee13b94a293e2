//! The switchboard: the one room with a door to every other.
//!
//! [`Server`] is the reactor's [`Service`](crate::reactor::Service): facts come in, the cores are told, handlers are called
//! with views that live as long as the call, and what must reach the world goes back as actions. Its parts are disjoint
//! (the application, the handlers, everything else), so that a handler can be lent the first and the last
//! while it is itself borrowed from the second.
//! Knows no application.
//! Left out: what other nodes are told ([`cluster`]) goes by a [`Carrier`], which is above.

mod acks;
mod admission;
mod arrivals;
mod asking;
mod away_rooms;
mod carrier;
#[cfg(feature = "world")]
mod census;
mod client;
pub mod cluster;
mod cookie;
mod core;
mod cors;
mod details;
mod direct;
mod dispatch;
mod events;
mod fetch;
mod forwarded;
mod freeze;
mod gathering;
mod handle;
mod handlers;
mod handshake;
mod hooks;
mod keeping;
mod later;
mod life;
mod metrics;
mod nodes;
mod obeying;
mod older;
mod operator;
mod outgoing;
mod posts;
#[cfg(feature = "world")]
#[doc(hidden)]
pub mod properties;
mod raw;
mod recovery;
mod refusals;
mod rooms;
mod sending;
mod server_side;
mod service;
mod shutdown;
mod socket;
mod taking;
mod unfinished;
mod views;
mod web;
mod written;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::{self, Config};
use crate::http::Method;
use crate::http::files::Files;
use crate::reactor::lanes::{self, Lane, Worker};
use crate::reactor::{self, LaneId, ListenerId, Reactor};
use crate::socketio::parser::CustomParser;
use crate::socketio::pattern::Pattern;

use self::core::Core;
pub use acks::{Ack, AckError};
pub use carrier::{
    Carried, Carrier, CarrierState, CarrierStatus, Claim, Here, KeptSession, MissedEvent,
};
#[cfg(feature = "world")]
pub use census::{Census, Work};
pub use core::Counters;
pub use direct::Direct;
pub use events::{EventError, IncomingEvent, Refused};
pub use fetch::{Fetched, RemoteSocket};
pub use freeze::{FreezeError, ThawError};
pub use gathering::{Gathered, GatheredAnswer, GatheringEnd};
pub use handle::{Handle, NotPosted};
use handlers::Handlers;
pub use handlers::Namespace;
pub use handshake::Handshake;
pub use later::Full;
pub use metrics::{Lag, Metrics, Turns};
pub use operator::{AllChildren, Children, OneNamespace, Operator};
pub use raw::{RawSessions, Session};
pub use recovery::{NotRecovered, Recovered};
pub use refusals::{Cause, ConnectionError, Refusals};
pub use sending::{Broken, Feed, NotWritten, Room};
pub use server_side::{NodeAck, NodeAnswers};
pub use socket::Socket;
pub use taking::Part;
pub use views::{Answer, Context, EmitError, Io, JobError, Request, RequestId, Verdict};

/// What an application brings: its own state, lent to each handler, and the type of one socket's data.
pub trait App: 'static {
    /// Belongs to one socket and goes with it.
    type Data: Default + Serialize + DeserializeOwned + 'static;
}

/// No application: for servers whose handlers need no state.
impl App for () {
    type Data = ();
}

/// A Socket.IO server with handlers and an application of its own.
///
/// ```no_run
/// use roomcast::{Config, Server};
///
/// let mut server = Server::new(Config::default(), ());
/// server.of("/").on("chat message", |socket, (text,): (String,), _ack| {
///     socket.everyone().emit("chat message", &(text,));
/// });
/// server.listen("127.0.0.1:3000".parse().unwrap())?.run()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Server<A: App> {
    app: A,
    core: Core<A>,
    handlers: Handlers<A>,
    lanes: Lanes,
}

/// Threads for blocking work, named before there is a server: for an application that keeps them.
#[derive(Default)]
pub struct Lanes {
    specs: Vec<lanes::Spec>,
}

impl Lanes {
    /// A thread that owns the `L` that `make` makes on it. At most `queue_max` jobs wait for it. Threads are joined in
    /// the order they were named.
    pub fn add<L: Worker>(
        &mut self,
        name: &'static str,
        queue_max: usize,
        make: impl FnOnce() -> L + Send + 'static,
    ) -> Lane<L> {
        let id = LaneId(u32::try_from(self.specs.len()).expect("few lanes"));
        self.specs.push(Lane::spec(id, name, queue_max, make));
        Lane::new(id)
    }
}

impl<A: App> Server<A> {
    /// A server without handlers. Ids come from a seed that the operating system gives.
    #[must_use]
    pub fn new(config: Config, app: A) -> Self {
        Self::with_seed(config, app, reactor::seed())
    }

    /// A server whose every id follows from `seed`: for tests and simulations, where a run must repeat.
    #[must_use]
    pub fn with_seed(config: Config, app: A, seed: [u8; 32]) -> Self {
        Self {
            app,
            core: Core::new(config, seed),
            handlers: Handlers::default(),
            lanes: Lanes::default(),
        }
    }

    /// The namespace of that name, for its handlers; made if it is new.
    pub fn of(&mut self, name: &str) -> Namespace<'_, A> {
        let id = self.core.sockets.namespaces_mut().describe(name);
        let family = self.core.sockets.family_of(id);
        self.handlers.of(
            family,
            self.core.sockets.namespaces_mut(),
            &mut self.core.engine,
        )
    }

    /// Writes and reads packets by a parser of your own instead of [`socketio.parser`](crate::config::SocketIo::parser); all
    /// clients must have its counterpart.
    pub fn parser(&mut self, parser: impl CustomParser + 'static) -> &mut Self {
        self.core.sockets.set_parser(Rc::new(parser));
        self
    }

    /// A parent of all namespaces whose names fit a pattern, for the handlers of all of them. `{number}` stands for one or
    /// more characters without a slash, which [`Socket::parameter`] gives. A child is made when its first client
    /// comes, and removed when its last has left. Of several parents that a name fits the first described has it; one that
    /// was described by [`Server::of`] is nobody's child.
    ///
    /// ```
    /// # use roomcast::{Config, Server};
    /// # let mut server = Server::new(Config::default(), ());
    /// server.of_pattern("/game-{number}").on_connect(|socket| {
    ///     let number = socket.parameter("number").unwrap_or_default().to_owned();
    ///     socket.emit("welcome", &(number,));
    /// });
    /// ```
    ///
    /// # Panics
    /// If it is no pattern.
    pub fn of_pattern(&mut self, pattern: &str) -> Namespace<'_, A> {
        let read = Pattern::parse(pattern);
        let read = read.unwrap_or_else(|error| panic!("{pattern:?} is no pattern: {error:?}"));
        let family = self
            .core
            .sockets
            .namespaces_mut()
            .describe_pattern(pattern, read);
        self.handlers.of(
            family,
            self.core.sockets.namespaces_mut(),
            &mut self.core.engine,
        )
    }

    /// A parent of all namespaces that `is_wanted` says yes to, by the name and what the client brought; see
    /// [`Server::of_pattern`]. `label` names the parent itself, for [`Io::children`].
    pub fn of_matching(
        &mut self,
        label: &str,
        is_wanted: impl Fn(&mut A, &str, &Value) -> bool + 'static,
    ) -> Namespace<'_, A> {
        let family = self.core.sockets.namespaces_mut().describe_question(label);
        self.handlers.table_mut(family).question = Some(Box::new(is_wanted));
        self.handlers.of(
            family,
            self.core.sockets.namespaces_mut(),
            &mut self.core.engine,
        )
    }

    /// Calls `handler` with the name of each namespace that a client has called into being, before its first socket is
    /// authorized (the official server's `new_namespace`).
    pub fn on_namespace(
        &mut self,
        handler: impl Fn(&mut Context<'_, A>, &str) + 'static,
    ) -> &mut Self {
        self.handlers.on_namespace = Some(Box::new(handler));
        self
    }

    /// Serves Engine.IO without Socket.IO to whatever path starts with this, for its handlers. It comes before Socket.IO: with
    /// the same path in [`config::Engine::path`] nothing else is served.
    pub fn raw(&mut self, path: &str) -> RawSessions<'_, A> {
        self.handlers.raw.push(raw::Mount::new(path));
        let mount = self
            .handlers
            .raw
            .last_mut()
            .expect("it was pushed just now");
        RawSessions {
            mount,
            engine: &mut self.core.engine,
        }
    }

    /// Answers requests of one method (`Get` answers HEAD, too) whose path is `path`, or has one more segment
    /// where `path` ends in a parameter: `/join/{code}`.
    pub fn route(
        &mut self,
        method: Method,
        path: &str,
        handler: impl Fn(&mut Request<'_, A>) -> Answer + 'static,
    ) -> &mut Self {
        self.handlers.route(method, path, handler);
        self
    }

    /// The same for requests whose bodies are not to wait in memory until they are whole: `handler` is called as soon as the head
    /// has come, with an empty body, and [takes](Io::take) the body in pieces, or answers without it, or decides that later.
    /// Until then nothing of it is read, nor is a client told to go on that waits for that (`Expect: 100-continue`).
    pub fn route_in_pieces(
        &mut self,
        method: Method,
        path: &str,
        handler: impl Fn(&mut Request<'_, A>) -> Answer + 'static,
    ) -> &mut Self {
        self.handlers.route_in_pieces(method, path, handler);
        self
    }

    /// Answers what no route and no file does; without one it is answered 404. The last one named counts.
    pub fn fallback(
        &mut self,
        handler: impl Fn(&mut Request<'_, A>) -> Answer + 'static,
    ) -> &mut Self {
        self.handlers.fallback = Some(Box::new(handler));
        self
    }

    /// Serves a table of files beside the routes.
    pub fn serve(&mut self, files: Files) -> &mut Self {
        self.handlers.files.push(files);
        self
    }

    /// Calls `handler` when the process was asked to end, with the time left for goodbyes
    /// ([`drain_within`](config::SocketIo::drain_within)). The last one named counts.
    pub fn on_stop(
        &mut self,
        handler: impl Fn(&mut Context<'_, A>, Duration) + 'static,
    ) -> &mut Self {
        self.handlers.on_stop = Some(Box::new(handler));
        self
    }

    /// A thread for blocking work, which owns the `L` that `make` makes on it, and starts with the loop. At most `queue_max`
    /// jobs wait for it; one more comes home as [`JobError::Busy`].
    pub fn lane<L: Worker>(
        &mut self,
        name: &'static str,
        queue_max: usize,
        make: impl FnOnce() -> L + Send + 'static,
    ) -> Lane<L> {
        self.lanes.add(name, queue_max, make)
    }

    /// Takes lanes that were named before. Any that this server had are replaced.
    pub fn adopt(&mut self, lanes: Lanes) -> &mut Self {
        self.lanes = lanes;
        self
    }

    /// Runs `work` with the application, outside any event: for what is to be done before the loop starts.
    pub fn with<T>(&mut self, work: impl FnOnce(&mut Context<'_, A>) -> T) -> T {
        work(&mut Context::new(&mut self.app, &mut self.core))
    }

    /// Opens a port.
    ///
    /// # Errors
    /// If it is taken or not ours to take.
    pub fn listen(self, address: SocketAddr) -> io::Result<Listening<A>> {
        let ports = Ports::open(&self.core.config.reactor, &[address])?;
        Ok(self.on(ports))
    }

    /// Takes ports that are open already.
    #[must_use]
    pub fn on(self, ports: Ports) -> Listening<A> {
        Listening {
            server: self,
            reactor: ports.reactor,
        }
    }
}

/// Open ports without a server yet: so that a taken one is found out before anything else is touched.
pub struct Ports {
    reactor: Reactor,
}

impl Ports {
    /// Opens them.
    ///
    /// # Errors
    /// If one is taken or not ours to take.
    pub fn open(config: &config::Reactor, addresses: &[SocketAddr]) -> io::Result<Self> {
        let mut reactor = Reactor::new(config)?;
        for address in addresses {
            reactor.listen(*address)?;
        }
        Ok(Self { reactor })
    }

    /// The address of one of them, in the order they were named; the kernel's choice, if it was asked for port 0.
    ///
    /// # Errors
    /// If there are not so many.
    pub fn address(&self, place: u32) -> io::Result<SocketAddr> {
        self.reactor.local_addr(ListenerId(place))
    }
}

/// A server with its ports open, ready to run.
pub struct Listening<A: App> {
    server: Server<A>,
    reactor: Reactor,
}

impl<A: App> Listening<A> {
    /// Opens another port.
    ///
    /// # Errors
    /// If it is taken or not ours to take.
    pub fn also(&mut self, address: SocketAddr) -> io::Result<ListenerId> {
        self.reactor.listen(address)
    }

    /// Listens at a path of this machine, too, for processes of the same user and of root only. Their requests are
    /// [by a Unix socket](Request::is_by_unix_socket).
    ///
    /// # Errors
    /// If it is taken, or cannot be the path of a socket.
    pub fn also_at(&mut self, path: &Path) -> io::Result<ListenerId> {
        self.reactor.listen_at(path)
    }

    /// The address of the first port: the one the kernel chose, if it was asked for port 0.
    ///
    /// # Errors
    /// If the kernel does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.reactor.local_addr(ListenerId(0))
    }

    /// A way to reach the loop from other threads.
    #[must_use]
    pub fn handle(&self) -> Handle<A> {
        Handle::new(self.reactor.handle())
    }

    /// Ends orderly at SIGTERM and SIGINT. A write beyond the limit on the size of files (SIGXFSZ) fails, and ends nothing.
    ///
    /// # Errors
    /// If the signals cannot be had.
    pub fn handle_signals(&mut self) -> io::Result<()> {
        self.reactor.handle_signals()
    }

    /// Runs until asked to stop, and gives the application back as it was left.
    ///
    /// # Errors
    /// If the operating system refuses what no loop can do without.
    pub fn run(mut self) -> io::Result<A> {
        self.server.name_lanes();
        self.reactor
            .adopt_lanes(std::mem::take(&mut self.server.lanes.specs))?;
        self.reactor.run(&mut self.server)?;
        Ok(self.server.app)
    }
}

#[cfg(test)]
mod tests;
