//! What handlers see: a request, or just the application, with the server lent to it. A socket is [`super::socket`]'s.
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

use super::core::{Core, Counters, Deferred};
use super::freeze::Interrupted;
use super::operator::{Children, Operator};
use super::socket::Socket;
use super::{App, cors};
use crate::config::Origins;
use crate::engineio;
use crate::http::{self, Response, query};
use crate::reactor::lanes::{self, Lane, Worker};
use crate::reactor::{ConnId, Peer};
use crate::socketio::SocketId;
use crate::socketio::args::EncodeError;
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
    /// [`Io::answer`] will say, by the request's id; or [`Io::begin`], which may have done so already.
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
        Children::of_parent(self.core, family)
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

    /// The body, whole unless the route takes it [in pieces](super::Server::route_in_pieces): at most
    /// [`body_bytes_max`](crate::config::Http::body_bytes_max) bytes, or it was answered 413 before.
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

    /// Whether it came by a Unix socket ([`Listening::also_at`](super::Listening::also_at)), and so from a process of our own user
    /// or of root.
    #[must_use]
    pub const fn is_by_unix_socket(&self) -> bool {
        matches!(self.peer, Peer::Unix)
    }

    /// When it came, by the wall clock.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        self.io.now().wall
    }
}
