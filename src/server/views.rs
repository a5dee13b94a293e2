//! What handlers see: a socket, a request, or just the application, each with the server lent to it.
//!
//! A view lives as long as the handler's call. What is kept for later is an id ([`SocketId`], [`RequestId`]), which finds
//! nothing once its owner has gone.
//! Knows no bytes and no transports.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::acks::AckError;
use super::core::{Core, Counters, Deferred};
use super::freeze::Interrupted;
use super::handshake::Handshake;
use super::operator::{Children, Operator};
use super::recovery::Recovered;
use super::{App, cors};
use crate::config::Origins;
use crate::engineio::{self, TransportName};
use crate::http::{self, Response, query};
use crate::reactor::lanes::{self, Lane, Worker};
use crate::reactor::{ConnId, Peer};
use crate::socketio::args::{Args, EncodeError, FromArgs};
use crate::socketio::{NamespaceId, SocketId, SocketKey};
use crate::time::{Now, UnixMillis};

/// The server, lent to a handler.
pub struct Io<'a, A: App> {
    pub(super) core: &'a mut Core<A>,
}

/// The application and the server.
pub struct Context<'a, A: App> {
    /// The application's own state.
    pub app: &'a mut A,
    /// The server.
    pub io: Io<'a, A>,
}

/// One socket, with the application and the server.
pub struct Socket<'a, A: App> {
    /// The application's own state.
    pub app: &'a mut A,
    /// The server.
    pub io: Io<'a, A>,
    pub(super) key: SocketKey,
}

/// A request that a route answers, with the application and the server.
pub struct Request<'a, A: App> {
    /// The application's own state.
    pub app: &'a mut A,
    /// The server.
    pub io: Io<'a, A>,
    pub(super) http: &'a http::Request<'a>,
    pub(super) id: RequestId,
    pub(super) peer: Peer,
    pub(super) parameter: Option<&'a str>,
}

/// Names a request that is answered later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId {
    pub(super) conn: ConnId,
    pub(super) visit: u32,
}

/// What a route says.
#[derive(Debug)]
pub enum Answer {
    /// This.
    Now(Response),
    /// [`Io::answer`] will say, by the request's id.
    Later,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self::Now(response)
    }
}

/// What an `authorize` step says of a socket that wants to come in.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The next step may speak; after the last the socket is connected.
    Accept,
    /// The client is told so: `message` becomes its error's message, `data` its data.
    Refuse {
        /// In words.
        message: String,
        /// For programs.
        data: Option<Value>,
    },
    /// [`Io::decide`] will say, by the socket's id; after this time the socket is refused.
    Later {
        /// The time.
        within: Duration,
    },
}

impl Verdict {
    /// A refusal without data.
    #[must_use]
    pub fn refuse(message: &str) -> Self {
        Self::Refuse {
            message: message.to_owned(),
            data: None,
        }
    }
}

/// Why an event was not sent to anybody.
#[derive(Debug)]
pub enum EmitError {
    /// The name has a meaning of its own.
    Reserved(Box<str>),
    /// The arguments are no JSON.
    Arguments(EncodeError),
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved(name) => write!(f, "\"{name}\" is a reserved event name"),
            Self::Arguments(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EmitError {}

/// Why a job brought nothing home.
#[derive(Debug)]
pub enum JobError {
    /// The lane's queue is full: try again later.
    Busy,
    /// The job, or the batch it was in, failed; the payload says why, if the lane's worker gave one.
    Failed(Box<dyn Any + Send>),
    /// The server was frozen while the job was under way: it may be done, not done, or still be done.
    Interrupted,
}

impl<'a, A: App> Context<'a, A> {
    pub(super) const fn new(app: &'a mut A, core: &'a mut Core<A>) -> Self {
        Self {
            app,
            io: Io { core },
        }
    }

    /// The socket of that id, while it is there.
    pub fn socket(&mut self, id: SocketId) -> Option<Socket<'_, A>> {
        let key = self.io.core.sockets.find(id)?;
        Some(Socket::new(self.app, self.io.core, key))
    }
}

impl<A: App> Io<'_, A> {
    /// The time of this turn of the loop.
    #[must_use]
    pub const fn now(&self) -> Now {
        self.core.now
    }

    /// Everybody in a namespace, to be narrowed down. One that was never described has nobody in it.
    pub fn of(&mut self, namespace: &str) -> Operator<'_, A> {
        let namespace = self.core.sockets.namespaces().find(namespace);
        Operator::new(self.core, namespace, None)
    }

    /// Everybody in all children of the parent that was described by this pattern or label.
    pub fn children<'o>(&'o mut self, parent: &str) -> Children<'o, A> {
        let family = self.core.sockets.namespaces().find_family(parent);
        Children::new(self.core, family)
    }

    /// The names of all namespaces that there are just now, in no order to rely on.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.core.sockets.namespaces().names()
    }

    /// Sends an event to one socket, wherever it is; goes nowhere if it has left, unless it may come back.
    pub fn emit_to<T: Serialize + ?Sized>(&mut self, id: SocketId, event: &str, values: &T) {
        if let Err(error) = self.core.emit_to(id, event, values) {
            log::error!("{error}");
        }
    }

    /// Lets a socket join a room; nothing happens if it has left.
    pub fn join(&mut self, id: SocketId, room: &str) {
        if let Some(key) = self.core.sockets.find(id) {
            self.core.join(key, room);
        }
    }

    /// Lets a socket leave a room; nothing happens if it has left, or is not in it.
    pub fn leave(&mut self, id: SocketId, room: &str) {
        if let Some(key) = self.core.sockets.find(id) {
            self.core.leave_room(key, room);
        }
    }

    /// The verdict on a socket that waits for one, heard when the handler that gives it has returned. Goes nowhere if the socket
    /// has gone or its time was up.
    pub fn decide(&mut self, id: SocketId, verdict: Verdict) {
        if let Some(key) = self.core.sockets.find(id) {
            self.core
                .deferred
                .push_back(Deferred::Decided(key, verdict));
        }
    }

    /// The answer to a request that waits for one; goes nowhere if the client has gone.
    pub fn answer(&mut self, id: RequestId, response: &Response) {
        let waits = self
            .core
            .conns
            .get(id.conn)
            .is_some_and(|conn| conn.visit == id.visit);
        if waits {
            self.core.respond(id.conn, response);
        }
    }

    /// Runs `job` on a lane's thread, and `then` with what it returned on the loop: once, and never before this handler has
    /// returned. A lane whose queue is full brings [`JobError::Busy`] home, a job that panics [`JobError::Failed`]. A job cannot be
    /// taken back; whoever does not want its outcome any more ignores it.
    pub fn run<L: Worker, T: Send + 'static>(
        &mut self,
        lane: Lane<L>,
        job: impl FnOnce(&mut L) -> T + Send + 'static,
        then: impl FnOnce(&mut Context<'_, A>, Result<T, JobError>) + 'static,
    ) {
        let then = Box::new(move |context: &mut Context<'_, A>, outcome: Outcome| {
            then(context, come_home(outcome));
        });
        self.core.run(lane.id(), lane.job(job), then);
    }

    /// Runs `then` after some time, once: not earlier, and as soon as the loop gets to it. It cannot be taken back, and is not
    /// called if the server ends or is frozen before; there is no limit on how many wait.
    pub fn after(&mut self, delay: Duration, then: impl FnOnce(&mut Context<'_, A>) + 'static) {
        self.core.after(delay, Box::new(then));
    }

    /// 32 secret bytes for an application's own source of chance.
    pub fn seed(&mut self) -> [u8; 32] {
        self.core.seed()
    }

    /// Asks the server to end, as a SIGTERM would: nobody new is accepted, jobs come home
    /// ([`drain_within`](crate::config::SocketIo::drain_within) at most), then all sockets leave with `server shutting down`.
    pub fn stop(&mut self) {
        self.core.begin_stop();
    }

    /// How many Engine.IO sessions there are, raw ones included; each may be in several namespaces.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.core.engine.len()
    }

    /// What the engine counted since the server started, in sessions and messages.
    #[must_use]
    pub const fn engine_counters(&self) -> engineio::Counters {
        self.core.engine.counters()
    }

    /// What the server counted since it started.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.core.counters
    }
}

type Outcome = thread::Result<Box<dyn Any + Send>>;

fn come_home<T: 'static>(outcome: Outcome) -> Result<T, JobError> {
    match outcome {
        Ok(value) => Ok(*value.downcast().expect("a lane's job returns its own type")),
        Err(payload) if payload.is::<lanes::Full>() => Err(JobError::Busy),
        Err(payload) if payload.is::<Interrupted>() => Err(JobError::Interrupted),
        Err(payload) => Err(JobError::Failed(payload)),
    }
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
        Children::new(self.io.core, Some(family))
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
        self.io
            .core
            .handshakes
            .get(self.io.core.sockets.session(self.key)?)
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

impl<A: App> Request<'_, A> {
    /// Names it for [`Io::answer`].
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// The parameter at the end of its path, decoded.
    #[must_use]
    pub fn parameter(&self) -> Option<Cow<'_, str>> {
        self.parameter.map(query::segment)
    }

    /// The body, whole: at most [`body_bytes_max`](crate::config::Http::body_bytes_max) bytes, or it was answered 413 before.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.http.body()
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.http.header(name)
    }

    /// The first cookie of that name.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.http.cookie(name)
    }

    /// The query as it was sent; see [`crate::http::query`].
    #[must_use]
    pub fn query(&self) -> &str {
        self.http.query()
    }

    /// The request itself.
    #[must_use]
    pub const fn http(&self) -> &http::Request<'_> {
        self.http
    }

    /// Whether it comes from a page of ours, or from no page at all: what changes something must ask this first,
    /// since a browser sends our cookie along with requests of other sites' pages.
    #[must_use]
    pub fn is_same_origin(&self) -> bool {
        let is_cross_site = self.http.header("sec-fetch-site") == Some("cross-site");
        !is_cross_site && cors::is_allowed(&Origins::Same, self.http)
    }

    /// The address it came from, of a trusted proxy's client if one brought it; none over a Unix socket.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self.peer {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix => None,
        }
    }

    /// When it came, by the wall clock.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        self.io.now().wall
    }
}
