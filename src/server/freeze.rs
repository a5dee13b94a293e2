//! A whole server as bytes, and back: for a restart that loses no connection.
//!
//! [`Server::freeze`] gives everything but the handlers, the configuration and the application: sessions with what waits for
//! them, sockets, rooms, half-read requests and frames, deadlines. [`Server::thaw`] gives it to a server
//! that was described anew, in this process or another, by whatever clock runs there. All ids mean what they meant.
//! Knows no descriptor: the reactor's part (sockets, inboxes, outboxes) is carried over beside the bytes.
//!
//! Closures cannot be frozen, so none waits any more when a server is. Before that:
//!
//! | what waits | what becomes of it |
//! |---|---|
//! | for a client's answer | called with [`AckError::Interrupted`] |
//! | for the answers to a broadcast | called with those that came, and [`GatheringEnd::Interrupted`] |
//! | for a job | called with [`JobError::Interrupted`](super::JobError::Interrupted); what comes home later finds nobody |
//! | for some time ([`Io::after`](super::Io::after)) | dropped uncalled; an application that goes on arms it anew |
//! | to feed an answer in pieces, or to take a body in pieces | told [`Broken::Interrupted`]; the answer is cut, a request without one is answered 503 |
//! | a request that is to be answered later | answered 503, unless one of the above has answered it |
//! | a socket whose step said `Later` | kept, and that step is asked again after the thaw |
//!
//! Layout: eight bytes of name, the number of the format (4 bytes), a checksum (8 bytes, FNV-1a), then the state in
//! postcard, with each socket's own data as JSON inside: that is of the application's making, may hold what only a
//! self-describing format can read back, and may have grown a field in the new process.
//! Left out: reading another version's format. Who updates across one loses the connections, and clients come back.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::mem;

use serde::{Deserialize, Serialize};

use super::acks::AckError;
use super::core::{Conn, Core, Counters, Due, Joining, Posted, Protocol};
use super::gathering::GatheringEnd;
use super::handshake::Handshake;
use super::sending::Broken;
use super::shutdown::Stopping;
use super::{App, Server, recovery};
use crate::engineio::{self, Session, SessionId};
use crate::http::Response;
use crate::reactor::{ConnId, Stream};
use crate::slots::Side;
use crate::socketio::{self, SocketKey};
use crate::time::{Now, Rebase, Time};

const NAME: [u8; 8] = *b"roomcast";

/// The number of the format; to be raised whenever a type that is frozen changes.
const VERSION: u32 = 5;

const HEADER_BYTES: usize = NAME.len() + size_of::<u32>() + size_of::<u64>();

/// Rounds of interrupting: what is begun by closures that were just interrupted is interrupted in the next, and dropped
/// after the last.
const INTERRUPTIONS_MAX: usize = 8;

/// In a job's outcome: nobody waits for the job any more.
#[derive(Debug)]
pub(super) struct Interrupted;

/// Why a server cannot be frozen just now.
#[derive(Debug)]
pub enum FreezeError {
    /// Something was still to be said: perform the actions that are asked for, and try again.
    Unsaid,
    /// It is on its way out already.
    Stopping,
    /// The data of a socket cannot be written.
    Data(serde_json::Error),
}

impl fmt::Display for FreezeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsaid => f.write_str("something is still to be said"),
            Self::Stopping => f.write_str("the server is ending"),
            Self::Data(error) => write!(f, "a socket's data cannot be written: {error}"),
        }
    }
}

impl std::error::Error for FreezeError {}

/// Why bytes cannot be thawed.
#[derive(Debug)]
pub enum ThawError {
    /// They are not a frozen server.
    NotFrozen,
    /// They are of another version's format.
    Version {
        /// That of the bytes.
        found: u32,
        /// That of this build.
        expected: u32,
    },
    /// They were cut short or changed.
    Damaged,
    /// Sockets are in a namespace that this server does not describe.
    NoNamespace(Box<str>),
    /// Raw sessions came by a path that this server does not describe.
    NoPath(Box<str>),
    /// The data of a socket is not what the application expects.
    Data(serde_json::Error),
    /// This server has connections already.
    InUse,
}

impl fmt::Display for ThawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFrozen => f.write_str("these bytes are no frozen server"),
            Self::Version { found, expected } => {
                write!(
                    f,
                    "frozen in format {found}, and this build reads {expected}"
                )
            }
            Self::Damaged => f.write_str("these bytes were cut short or changed"),
            Self::NoNamespace(name) => write!(f, "there is no namespace {name} for its sockets"),
            Self::NoPath(path) => write!(f, "there is no path {path} for its raw sessions"),
            Self::Data(error) => write!(f, "a socket's data cannot be read: {error}"),
            Self::InUse => f.write_str("this server has connections already"),
        }
    }
}

impl std::error::Error for ThawError {}

impl From<socketio::ThawError> for ThawError {
    fn from(error: socketio::ThawError) -> Self {
        match error {
            socketio::ThawError::Damaged => Self::Damaged,
            socketio::ThawError::NoNamespace(name) => Self::NoNamespace(name),
        }
    }
}

/// Everything, as plain data.
#[derive(Serialize, Deserialize)]
struct Image {
    at: Time,
    next_number: u64,
    counters: Counters,
    engine: engineio::Frozen,
    sockets: socketio::Frozen,
    conns: Side<Stream, Conn>,
    handshakes: Side<Session, Box<Handshake>>,
    connect_by: Vec<(SessionId, Time)>,
    attachments_by: Vec<(SessionId, Time)>,
    /// Raw sessions and the paths they came by.
    raw: Vec<(SessionId, Box<str>)>,
    posts: VecDeque<Posted>,
    /// As JSON.
    data: Vec<(SocketKey, Box<str>)>,
    /// Sockets whose authorization waits: what they brought, and the step that is to be asked again.
    joining: Vec<(SocketKey, Box<str>, usize)>,
    recovery: Option<recovery::Frozen>,
}

impl<A: App> Server<A> {
    /// Gives everything but the handlers, the configuration and the application as bytes, and keeps none of it: from now
    /// on this server knows nobody. The bytes are as secret as the memory they come from.
    ///
    /// To be called between two turns of the loop. Ends first whatever waits as a closure, by the table in this module's
    /// head.
    ///
    /// # Errors
    /// [`FreezeError::Unsaid`] if that led to something that must reach the world. The server is not changed otherwise.
    pub fn freeze(&mut self, now: Now) -> Result<Vec<u8>, FreezeError> {
        self.core.now = now;
        if self.core.stopping != Stopping::No {
            return Err(FreezeError::Stopping);
        }
        self.interrupt();
        if !self.core.actions.is_empty() || !self.core.engine.is_quiet() {
            return Err(FreezeError::Unsaid);
        }
        let data = self.core.data.iter();
        let data = data
            .map(|(key, data)| Ok((key, serde_json::to_string(data)?.into())))
            .collect::<Result<Vec<_>, _>>()
            .map_err(FreezeError::Data)?;
        let recovery = self.core.freeze_recovery().map_err(FreezeError::Data)?;
        let image = self.image(data, recovery);
        let payload =
            postcard::to_stdvec(&image).expect("plain data of known length is always written");
        Ok(seal(&payload))
    }

    /// Takes what another server was frozen to. To be called before the loop runs, on a server that was described like the
    /// other one: the same namespaces and raw paths. Its seed must be its own, since ids go on being made from it.
    ///
    /// `now` is by the new loop's clock. Moments before that clock's start count as its start; a clock that goes on from
    /// where the other stood loses nothing.
    ///
    /// # Errors
    /// If the bytes are of another version or were damaged, or do not fit this server, which is to be thrown away then.
    pub fn thaw(&mut self, now: Now, bytes: &[u8]) -> Result<(), ThawError> {
        if self.core.conns.iter().next().is_some() || !self.core.engine.is_empty() {
            return Err(ThawError::InUse);
        }
        let payload = open(bytes)?;
        let (image, rest) =
            postcard::take_from_bytes::<Image>(payload).map_err(|_| ThawError::Damaged)?;
        if !rest.is_empty() {
            return Err(ThawError::Damaged);
        }
        self.core.now = now;
        self.restore(image)?;
        self.settle();
        Ok(())
    }

    /// Ends what waits as a closure.
    fn interrupt(&mut self) {
        for _ in 0..INTERRUPTIONS_MAX {
            let core = &mut self.core;
            core.later.clear();
            // By number, so that the same run interrupts in the same order.
            let jobs: BTreeMap<_, _> = core.jobs.drain().collect();
            let answers = core.acks.take_all();
            for (_, then) in jobs {
                let outcome = Err(Box::new(Interrupted) as Box<dyn Any + Send>);
                self.guarded("a job's continuation", |context| then(context, outcome));
            }
            for ((key, _), waiting) in answers {
                self.core.timers.cancel(waiting.timer);
                self.with_socket(key, "an answer's handler", |socket| {
                    (waiting.then)(socket, Err(AckError::Interrupted));
                });
            }
            let gathered = self.core.gatherings.end_all(GatheringEnd::Interrupted);
            self.core.gathered.extend(gathered);
            for number in self.core.nodes.questions() {
                self.core.stop_asking(number);
            }
            let response = Response::text(503, "Service Unavailable\n").header("Retry-After", "1");
            self.core.break_streams(Broken::Interrupted, &response);
            self.answer_undecided(&response);
            self.settle();
            if !self.core.has_closures() {
                return;
            }
        }
        log::error!("what is interrupted goes on waiting for something else, and is given up");
        self.core.later.clear();
        self.core.jobs.clear();
        self.core.feeders.clear();
        self.core.takers.clear();
        self.core.acks.take_all();
        self.core.gatherings.end_all(GatheringEnd::Interrupted);
    }

    /// Requests that a route was to answer later: those that belong to no session.
    fn answer_undecided(&mut self, response: &Response) {
        let waits = |row: &Conn| match &row.protocol {
            Protocol::Http(http) => http.owes() && row.session.is_none(),
            Protocol::WebSocket(_) => false,
        };
        let conns: Vec<ConnId> = self
            .core
            .conns
            .iter()
            .filter_map(|(conn, row)| waits(row).then_some(conn))
            .collect();
        for conn in conns {
            self.core.respond(conn, response);
        }
    }

    /// Takes everything out; `data` has been written already.
    fn image(
        &mut self,
        data: Vec<(SocketKey, Box<str>)>,
        recovery: Option<recovery::Frozen>,
    ) -> Image {
        let core = &mut self.core;
        let deadlines = |timers: &BTreeMap<SessionId, _>| {
            let timers = timers.iter();
            timers
                .filter_map(|(session, timer)| Some((*session, core.timers.deadline(*timer)?)))
                .collect()
        };
        let (connect_by, attachments_by) =
            (deadlines(&core.connect_timers), deadlines(&core.assembling));
        let raw = core.raw.iter().filter_map(|(session, mount)| {
            let mount = self.handlers.raw.get(*mount)?;
            Some((session, mount.path.clone()))
        });
        // By key, so that the same run gives the same bytes.
        let joining: BTreeMap<_, _> = core.joining.drain().collect();
        let image = Image {
            at: core.now.mono,
            next_number: core.next_number,
            counters: core.counters,
            engine: core.engine.freeze(),
            sockets: core.sockets.freeze(),
            conns: mem::take(&mut core.conns),
            handshakes: mem::take(&mut core.handshakes),
            connect_by,
            attachments_by,
            raw: raw.collect(),
            posts: mem::take(&mut core.posts),
            data,
            joining: joining
                .into_iter()
                .map(|(key, joining)| (key, joining.auth, joining.step.saturating_sub(1)))
                .collect(),
            recovery,
        };
        core.reset();
        image
    }

    fn restore(&mut self, image: Image) -> Result<(), ThawError> {
        let core = &mut self.core;
        let (from, to) = (image.at, core.now.mono);
        let rebase = Rebase { from, to };
        core.next_number = image.next_number;
        core.counters = image.counters;
        core.engine
            .thaw(image.engine, rebase)
            .map_err(|engineio::Damaged| ThawError::Damaged)?;
        let homes = core.sockets.thaw(image.sockets)?;
        if let Some(recovery) = image.recovery {
            let thawed = core.thaw_recovery(recovery, rebase, &homes);
            thawed.map_err(ThawError::Data)?;
        }
        for (key, data) in image.data {
            let data = serde_json::from_str(&data).map_err(ThawError::Data)?;
            core.data.insert(key, data);
        }
        if !core.sockets.keys().all(|key| core.data.get(key).is_some()) {
            return Err(ThawError::Damaged);
        }
        for (session, path) in image.raw {
            let mount = self.handlers.raw.iter().position(|it| it.path == path);
            core.raw
                .insert(session, mount.ok_or(ThawError::NoPath(path))?);
        }
        core.handshakes = image.handshakes;
        core.posts = image.posts;
        core.conns = image.conns;
        core.rebase_conns(rebase);
        for (session, at) in image.connect_by {
            let timer = core.arm(rebase.of(at), Due::Connect(session));
            core.connect_timers.insert(session, timer);
        }
        for (session, at) in image.attachments_by {
            let timer = core.arm(rebase.of(at), Due::Attachments(session));
            core.assembling.insert(session, timer);
        }
        for (key, auth, step) in image.joining {
            let timer = None;
            let joining = Joining { auth, step, timer };
            self.core.joining.insert(key, joining);
            self.authorize(key);
        }
        Ok(())
    }
}

impl<A: App> Core<A> {
    /// Whether anything waits as a closure, or for one.
    fn has_closures(&self) -> bool {
        let is_empty = self.acks.is_empty() && self.gatherings.len() + self.nodes.len() == 0;
        let streams = self.feeders.len() + self.takers.len() + self.streamed_bytes;
        !(is_empty && streams == 0 && self.jobs.is_empty() && self.later.is_empty())
    }

    /// Lets the connections go on by another clock.
    fn rebase_conns(&mut self, rebase: Rebase) {
        for (_, row) in self.conns.iter_mut() {
            if let Protocol::Http(http) = &mut row.protocol {
                http.rebase(rebase);
            }
        }
        self.count_unfinished();
        self.go_on_sending();
        let conns: Vec<_> = self.conns.iter().map(|(conn, _)| conn).collect();
        for conn in conns {
            self.watch(conn);
        }
    }
}

pub(super) fn seal(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&NAME);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&checksum(payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

pub(super) fn open(bytes: &[u8]) -> Result<&[u8], ThawError> {
    let rest = bytes.strip_prefix(&NAME).ok_or(ThawError::NotFrozen)?;
    let (version, rest) = rest.split_first_chunk().ok_or(ThawError::Damaged)?;
    let found = u32::from_le_bytes(*version);
    if found != VERSION {
        let expected = VERSION;
        return Err(ThawError::Version { found, expected });
    }
    let (sum, payload) = rest.split_first_chunk().ok_or(ThawError::Damaged)?;
    if u64::from_le_bytes(*sum) != checksum(payload) {
        return Err(ThawError::Damaged);
    }
    Ok(payload)
}

/// FNV-1a: one changed byte always changes the sum. Against accidents; the bytes come from ourselves.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
