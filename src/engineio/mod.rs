//! Engine.IO 4, and 3 where that is allowed: sessions over two transports, and the one queue to each client.
//!
//! The switchboard says what has come (requests that were admitted, messages, ends of connections) and the time; text
//! and bytes for the layer above are returned at once and borrow from the input. What must reach the world is pulled as
//! [`Output`]s, and sessions that have ended as [`Engine::poll_ended`].
//! permessage-deflate is agreed on elsewhere; here is the one compressor, since the queue weighs what is sent.
//! Knows connections by id only: it never sees a socket, an HTTP head or a namespace.
//! Left out: WebTransport, which needs QUIC; the official clients fall back without it. Ids of an application's own making
//! (`generateId`): an id is all that keeps one client out of another's session, so it stays 120 random bits. A call for
//! each packet that has left (`drain`, `flush`): what was sent is known to have come when it is acknowledged.
//!
//! Source: the Engine.IO protocol, revisions 4 and 3, and what engine.io 6.6 does where that is silent.

mod freeze;
pub mod packet;
pub mod payload;
pub mod payload_v3;
mod revision;
mod session;
mod weight;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::config;
use crate::reactor::ConnId;
use crate::sid::Sid;
use crate::slots::{Id, Slots};
use crate::time::Time;
use crate::timers::Timers;
use crate::websocket::{Deflater, Window};
#[cfg(feature = "world")]
use crate::world::{self, Bug};

pub use freeze::{Damaged, Frozen};
use packet::{Decoded, Packet};
use payload::Record;
pub use revision::Revision;
use session::{Heart, Phase, Polling, Post, Probe, Transport, WebSocket};
pub use session::{Reason, Session, TransportName};

/// Names a session; a stale one finds nothing.
pub type SessionId = Id<Session>;

/// How often a poll is answered with nothing while a WebSocket probes; the official server looks as often.
const NOOP_EVERY: Duration = Duration::from_millis(100);

/// Pings sent in one turn at most, so that a herd that came together does not beat together for ever.
const PINGS_PER_TURN_MAX: usize = 1000;

/// Why a request was refused; the numbers and words are the official server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No transport of that name, or not here.
    TransportUnknown,
    /// No session of that id.
    SessionUnknown,
    /// A session is opened by GET only.
    BadHandshakeMethod,
    /// The request does not fit its session.
    BadRequest,
    /// Somebody said no.
    Forbidden,
    /// Another revision than 4, or than 3 where that is allowed.
    UnsupportedProtocol,
}

impl Refusal {
    /// The code in the JSON of the answer.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden => 4,
            Self::UnsupportedProtocol => 5,
        }
    }

    /// The words that go with the code.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::TransportUnknown => "Transport unknown",
            Self::SessionUnknown => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Forbidden => "Forbidden",
            Self::UnsupportedProtocol => "Unsupported protocol version",
        }
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Forbidden => 403,
            _ => 400,
        }
    }
}

/// What a request says of itself, as far as the engine cares.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method.
    pub method: Method,
    /// `transport` in its query.
    pub transport: Option<&'a str>,
    /// `sid` in its query.
    pub sid: Option<&'a str>,
    /// `EIO` in its query.
    pub revision: Option<&'a str>,
    /// Whether there is a `b64` in its query.
    pub base64: bool,
    /// Whether it asks for a WebSocket.
    pub upgrade: bool,
}

/// The methods the engine tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Opens a session, or polls.
    Get,
    /// Brings packets.
    Post,
    /// Anything else.
    Other,
}

/// What a request is about, once it was found to be in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Opens a session by this transport, in this revision.
    Open(TransportName, Revision),
    /// Polls a session.
    Poll(SessionId),
    /// Brings packets to a session.
    Post(SessionId),
    /// Offers a WebSocket to a session.
    Upgrade(SessionId),
    /// A method that a session does not know.
    Unsupported,
}

/// What an HTTP request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Packets for the client, as text.
    Payload(Bytes),
    /// Packets for the client, none of which is to be compressed.
    PlainPayload(Bytes),
    /// Packets for a client of revision 3, as bytes.
    Bytes(Bytes),
    /// A post was taken.
    Accepted,
    /// The error and its JSON.
    Refused(Refusal),
}

impl Answer {
    /// Text, compressible if one of the packets is, as in Node's server.
    fn text<'p>(body: Bytes, mut packets: impl Iterator<Item = &'p Packet>) -> Self {
        if packets.any(Packet::is_compressible) {
            Self::Payload(body)
        } else {
            Self::PlainPayload(body)
        }
    }
}

/// What must reach the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The answer to the request that a connection waits for.
    Answer(ConnId, Answer),
    /// A frame, whole, to a WebSocket.
    Frame(ConnId, Bytes),
    /// The orderly end of a WebSocket: a close frame with this code.
    Close(ConnId, u16),
    /// The end of a connection at once.
    Cut(ConnId),
    /// Do not read from this WebSocket.
    Hold(ConnId),
    /// Read on from this WebSocket.
    Show(ConnId),
}

/// A message for the layer above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Of text.
    Text(&'a str),
    /// Of bytes.
    Binary(Cow<'a, [u8]>),
}

/// How a session that we end goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Told everything that waits, then that it is over.
    Orderly,
    /// Told only that it is over, if something listens just now.
    Abrupt,
    /// Not told anything.
    Cut,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Sessions opened.
    pub opened: u64,
    /// Sessions that went on by WebSocket.
    pub upgraded: u64,
    /// Messages received.
    pub received: u64,
    /// Their bytes, without frames, types and base64.
    pub received_bytes: u64,
    /// Packets queued.
    pub sent: u64,
    /// Their bytes as frames of a WebSocket, before compression.
    pub sent_bytes: u64,
    /// Sessions closed because they did not take what they were sent, for whichever of the reasons below.
    pub slow_consumers: u64,
    /// Of these, because more waited than [`config::Engine::queue_bytes_max`].
    pub slow_by_queue: u64,
    /// Of these, because too much waited for longer than [`config::Engine::slow_within`].
    pub slow_by_time: u64,
    /// Of these, because more waited for all than [`config::Engine::queues_bytes_max`], and most for them.
    pub slow_by_total: u64,
    /// Sessions closed because a ping was not answered.
    pub ping_timeouts: u64,
}

/// What the engine holds, for the simulated world's books.
#[cfg(feature = "world")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Sessions, those included that wait to be told of their end.
    pub sessions: usize,
    /// Their public ids.
    pub sids: usize,
    /// Their timers.
    pub timers: usize,
    /// Bytes that wait for all clients.
    pub waiting_bytes: usize,
    /// Bytes that wait for the client for whom most waits.
    pub waiting_bytes_most: usize,
    /// Sessions with packets that their transport could take, once nothing more is to be asked for: nobody would wake them.
    pub stranded: usize,
    /// Outputs, ends and sessions to be looked at that nobody has asked for.
    pub unsaid: usize,
    /// Since when the slowest client has had more to take than the soft limit.
    pub slow_since: Option<Time>,
    /// Polls that wait for their answer.
    pub parked: usize,
    /// Sessions with a WebSocket that has not taken over yet.
    pub probing: usize,
}

/// All sessions.
///
/// Its methods are of four kinds: questions ([`Engine::session`], [`Engine::admit`], [`Engine::deadline`]), things that
/// happened (`opened`, `polled`, `text`, `drained`, …), wishes (`send`, `close`), and things to be pulled after either
/// (`poll_output`, `poll_ended`).
#[derive(Debug)]
pub struct Engine {
    config: config::Engine,
    sessions: Slots<Session>,
    by_sid: HashMap<Sid, SessionId>,
    timers: Timers<SessionId>,
    dirty: VecDeque<SessionId>,
    outputs: VecDeque<Output>,
    ended: VecDeque<(SessionId, Reason)>,
    upgraded: VecDeque<SessionId>,
    random: StdRng,
    counters: Counters,
    /// What all packets may weigh before room is made again.
    relieve_above: usize,
    deflater: Deflater,
}

impl Engine {
    /// No sessions. Ids come from `seed`, which must be secret and fresh.
    #[must_use]
    pub fn new(config: config::Engine, seed: [u8; 32]) -> Self {
        Self {
            relieve_above: config.queues_bytes_max,
            deflater: Deflater::new(config.websocket_compression_bytes_min),
            config,
            sessions: Slots::new(),
            by_sid: HashMap::new(),
            timers: Timers::new(),
            dirty: VecDeque::new(),
            outputs: VecDeque::new(),
            ended: VecDeque::new(),
            upgraded: VecDeque::new(),
            random: StdRng::from_seed(seed),
            counters: Counters::default(),
        }
    }

    /// The session, while it is there.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(id)
    }

    /// How many sessions there are, those included that wait to be told of their end.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is no session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How the session of that public id speaks just now, while it is there.
    #[must_use]
    pub fn transport_of(&self, sid: &str) -> Option<TransportName> {
        let id = self.by_sid.get(&Sid::parse(sid)?)?;
        Some(self.sessions.get(*id)?.transport_name())
    }

    /// How many sessions speak by long-polling. Looks at each.
    #[must_use]
    pub fn polling_count(&self) -> usize {
        let sessions = self.sessions.iter();
        let polling = |(_, session): &(SessionId, &Session)| {
            session.transport_name() == TransportName::Polling
        };
        sessions.filter(polling).count()
    }

    /// Bytes that wait for all clients: a packet counts for each that it waits for. Looks at each session.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        let sessions = self.sessions.iter();
        sessions.map(|(_, session)| session.waiting_bytes()).sum()
    }

    /// What all packets on their way out weigh, each once however many it is for.
    #[must_use]
    pub fn packets_bytes(&self) -> usize {
        weight::alive_bytes()
    }

    /// How often a packet was compressed: once for all who share it.
    #[must_use]
    pub const fn deflated(&self) -> u64 {
        self.deflater.deflated()
    }

    /// Counts what there is.
    #[cfg(feature = "world")]
    #[must_use]
    pub fn census(&self) -> Census {
        let waiting = || self.sessions.iter().map(|(_, row)| row.waiting_bytes());
        let polling = || {
            self.sessions
                .iter()
                .filter_map(|(_, row)| match &row.transport {
                    Transport::Polling(polling) => Some(polling),
                    Transport::WebSocket(_) => None,
                })
        };
        Census {
            sessions: self.sessions.len(),
            sids: self.by_sid.len(),
            timers: self.timers.len(),
            waiting_bytes: waiting().sum(),
            stranded: self
                .sessions
                .iter()
                .filter(|(_, row)| row.is_stranded())
                .count(),
            waiting_bytes_most: waiting().max().unwrap_or(0),
            unsaid: self.outputs.len() + self.ended.len() + self.dirty.len(),
            slow_since: self
                .sessions
                .iter()
                .filter_map(|(_, row)| row.slow_since)
                .min(),
            parked: polling().filter(|polling| polling.get.is_some()).count(),
            probing: polling().filter(|polling| polling.probe.is_some()).count(),
        }
    }

    /// When [`Engine::elapsed`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.timers.next_due()
    }

    /// Whether a packet that may be lost would leave now: volatile packets are dropped otherwise.
    #[must_use]
    pub fn is_writable(&self, id: SessionId) -> bool {
        let Some(session) = self.sessions.get(id) else {
            return false;
        };
        session.is_open()
            && session.waiting_bytes() <= self.config.queue_bytes_soft_max
            && match &session.transport {
                Transport::Polling(polling) => polling.get.is_some(),
                Transport::WebSocket(websocket) => websocket.left == 0,
            }
    }

    /// Finds out what a request is about.
    ///
    /// # Errors
    /// The refusal it deserves. The order of the checks is the official server's (transport, session, method,
    /// revision), since clients and proxies see the difference.
    pub fn admit(&self, asked: Asked<'_>) -> Result<Admission, Refusal> {
        let transport = match asked.transport {
            Some("polling") if self.config.polling => TransportName::Polling,
            Some("websocket") if self.config.websocket => TransportName::WebSocket,
            _ => return Err(Refusal::TransportUnknown),
        };
        let by_websocket = transport == TransportName::WebSocket;
        if let Some(sid) = asked.sid {
            let id = Sid::parse(sid).and_then(|sid| self.by_sid.get(&sid).copied());
            let (id, session) = id
                .and_then(|id| Some((id, self.sessions.get(id)?)))
                .ok_or(Refusal::SessionUnknown)?;
            let is_same = (asked.revision == Some("4")) == (session.revision == Revision::V4);
            if !is_same || by_websocket != asked.upgrade {
                return Err(Refusal::BadRequest);
            }
            if asked.upgrade {
                return Ok(Admission::Upgrade(id));
            }
            if session.transport_name() != transport {
                return Err(Refusal::BadRequest);
            }
            return Ok(match asked.method {
                Method::Get => Admission::Poll(id),
                Method::Post => Admission::Post(id),
                Method::Other => Admission::Unsupported,
            });
        }
        if asked.method != Method::Get {
            return Err(Refusal::BadHandshakeMethod);
        }
        if by_websocket != asked.upgrade {
            return Err(Refusal::BadRequest);
        }
        // The official server takes whatever is not 4 for 3.
        let revision = match asked.revision {
            Some("4") => Revision::V4,
            _ if self.config.allow_eio3 => Revision::V3 {
                base64: asked.base64,
            },
            _ => return Err(Refusal::UnsupportedProtocol),
        };
        Ok(Admission::Open(transport, revision))
    }

    /// A request that opens a session was admitted: by polling, the connection waits for the first answer; by WebSocket,
    /// it is one from now on.
    pub fn opened(
        &mut self,
        now: Time,
        conn: ConnId,
        transport: TransportName,
        revision: Revision,
    ) -> SessionId {
        let sid = Sid::new(&mut self.random);
        let transport = match transport {
            TransportName::Polling => Transport::Polling(Polling {
                get: Some(conn),
                ..Polling::default()
            }),
            TransportName::WebSocket => Transport::WebSocket(WebSocket::new(conn)),
        };
        let open = self.open_packet(sid, matches!(transport, Transport::Polling(_)));
        let id = self.sessions.insert(Session {
            sid,
            revision,
            transport,
            queue: VecDeque::new(),
            queued_bytes: 0,
            heart: self.beating(now, revision),
            phase: Phase::Open,
            timer: None,
            slow_since: None,
            is_dirty: false,
        });
        self.by_sid.insert(sid, id);
        self.counters.opened += 1;
        self.arm(id);
        self.send(now, id, open);
        if let Some(text) = &self.config.initial_message {
            let message = Packet::message(|out| out.extend_from_slice(text.as_bytes()));
            self.send(now, id, message);
        }
        // What the layer above says now comes with the next poll, as clients and suites are used to.
        self.flush(now, id);
        id
    }

    /// A poll for this session waits for its answer on `conn`.
    pub fn polled(&mut self, now: Time, id: SessionId, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return self.answer(conn, Answer::Refused(Refusal::SessionUnknown));
        };
        let is_open = session.is_open();
        let Some(polling) = session.polling_mut() else {
            return self.answer(conn, Answer::Refused(Refusal::BadRequest));
        };
        if !is_open {
            return self.bid_farewell(id, conn);
        }
        if polling.get.is_some() {
            self.end(now, id, Reason::TransportError, Ending::Abrupt);
            return self.answer(conn, Answer::Refused(Refusal::BadRequest));
        }
        polling.get = Some(conn);
        self.mark(id);
    }

    /// The head of a post has come, its body not yet: a second post from now on is one too many.
    pub fn post_begun(&mut self, now: Time, id: SessionId, conn: ConnId) {
        let Some(polling) = self.sessions.get_mut(id).and_then(Session::polling_mut) else {
            return;
        };
        if polling.post.is_some_and(|post| post.conn() != conn) {
            return self.end(now, id, Reason::TransportError, Ending::Abrupt);
        }
        polling.post = Some(Post::Arriving(conn));
    }

    /// One packet of a post, in the order of its body.
    pub fn posted<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        record: Result<Record<'a>, packet::Undecodable>,
    ) -> Option<Incoming<'a>> {
        self.sessions.get(id).filter(|session| session.is_open())?;
        self.recorded(now, id, record)
    }

    /// All packets of a post were given: it is answered, at once or when the client has taken what waits for it.
    pub fn post_ended(&mut self, id: SessionId, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return self.answer(conn, Answer::Accepted);
        };
        let is_slow = session.is_open() && session.slow_since.is_some();
        if let Some(polling) = session.polling_mut() {
            polling.post = is_slow.then_some(Post::Held(conn));
        }
        if !is_slow {
            self.answer(conn, Answer::Accepted);
        }
    }

    /// A post that is wrong as a whole (its type, its text, or a second one at a time): refused, and its session ended.
    pub fn post_refused(&mut self, now: Time, id: SessionId, conn: ConnId, reason: Reason) {
        if let Some(polling) = self.sessions.get_mut(id).and_then(Session::polling_mut)
            && polling.post.is_some_and(|post| post.conn() == conn)
        {
            polling.post = None;
        }
        self.end(now, id, reason, Ending::Abrupt);
        self.answer(conn, Answer::Refused(Refusal::BadRequest));
    }

    /// A post that had begun will not come, and its session goes on: it was refused for its size alone.
    pub fn post_dropped(&mut self, id: SessionId, conn: ConnId) {
        if let Some(polling) = self.sessions.get_mut(id).and_then(Session::polling_mut)
            && polling.post.is_some_and(|post| post.conn() == conn)
        {
            polling.post = None;
        }
    }

    /// Whether a post on another connection is still under way.
    #[must_use]
    pub fn is_posting_elsewhere(&self, id: SessionId, conn: ConnId) -> bool {
        let Some(Session {
            transport: Transport::Polling(polling),
            ..
        }) = self.sessions.get(id)
        else {
            return false;
        };
        polling.post.is_some_and(|post| post.conn() != conn)
    }

    /// A WebSocket was opened for this session; from now on it is asked to prove itself, or closed at once.
    pub fn probed(&mut self, now: Time, id: SessionId, conn: ConnId) {
        let until = now + self.config.upgrade_within;
        let upgrades = self.config.upgrades;
        let polling = self
            .sessions
            .get_mut(id)
            .filter(|session| upgrades && session.is_open())
            .and_then(Session::polling_mut)
            .filter(|polling| polling.probe.is_none());
        let Some(polling) = polling else {
            return self.outputs.push_back(Output::Close(conn, 1000));
        };
        polling.probe = Some(Box::new(Probe {
            conn,
            until,
            noop_at: None,
            window: None,
        }));
        self.arm(id);
    }

    /// permessage-deflate was agreed on with this WebSocket, which has just been opened or offered to the session.
    pub fn deflates(&mut self, id: SessionId, conn: ConnId, window: Window) {
        let speaks = |session: &&mut Session| session.speaks_by(conn);
        let Some(session) = self.sessions.get_mut(id).filter(speaks) else {
            return;
        };
        match &mut session.transport {
            Transport::WebSocket(websocket) => websocket.window = Some(window),
            Transport::Polling(polling) => {
                if let Some(probe) = &mut polling.probe {
                    probe.window = Some(window);
                }
            }
        }
    }

    /// A text message has come by WebSocket.
    pub fn text<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        conn: ConnId,
        text: &'a str,
    ) -> Option<Incoming<'a>> {
        let session = self.sessions.get(id).filter(|session| session.is_open())?;
        let record = session.revision.text(text);
        match &session.transport {
            Transport::WebSocket(websocket) if websocket.conn == conn => {
                self.recorded(now, id, record)
            }
            Transport::Polling(Polling {
                probe: Some(probe), ..
            }) if probe.conn == conn => {
                match record {
                    Ok(Record::Text(Decoded::Ping("probe"))) => self.answer_probe(now, id),
                    Ok(Record::Text(Decoded::Upgrade)) => self.upgrade(now, id),
                    _ => self.drop_probe(id),
                }
                None
            }
            _ => None,
        }
    }

    /// A message of bytes has come by WebSocket.
    pub fn binary<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        conn: ConnId,
        bytes: Cow<'a, [u8]>,
    ) -> Option<Incoming<'a>> {
        let session = self.sessions.get(id).filter(|session| session.is_open())?;
        match &session.transport {
            Transport::WebSocket(websocket) if websocket.conn == conn => {
                let record = session.revision.bytes(bytes).map(Record::Binary);
                self.recorded(now, id, record)
            }
            Transport::Polling(Polling {
                probe: Some(probe), ..
            }) if probe.conn == conn => {
                self.drop_probe(id);
                None
            }
            _ => None,
        }
    }

    /// The WebSocket's peer has said goodbye, or broke a rule: `code` is what it is told.
    pub fn websocket_ended(
        &mut self,
        now: Time,
        id: SessionId,
        conn: ConnId,
        reason: Reason,
        code: u16,
    ) {
        // Who broke off in the same breath as an end before it was told to go already.
        let is_ours = |session: &Session| session.is_open() && session.speaks_by(conn);
        if !self.sessions.get(id).is_some_and(is_ours) {
            return;
        }
        self.outputs.push_back(Output::Close(conn, code));
        self.conn_gone(now, id, conn, reason);
    }

    /// A connection that carried this session has gone.
    pub fn conn_closed(&mut self, now: Time, id: SessionId, conn: ConnId) {
        self.conn_gone(now, id, conn, Reason::TransportClose);
    }

    fn conn_gone(&mut self, now: Time, id: SessionId, conn: ConnId, websocket_reason: Reason) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        match &mut session.transport {
            Transport::WebSocket(websocket) if websocket.conn == conn => {
                self.end(now, id, websocket_reason, Ending::Cut);
            }
            Transport::WebSocket(_) => {}
            Transport::Polling(polling) => {
                if polling
                    .probe
                    .as_ref()
                    .is_some_and(|probe| probe.conn == conn)
                {
                    polling.probe = None;
                    return;
                }
                let was_get = polling.get == Some(conn);
                let was_post = polling.post.is_some_and(|post| post.conn() == conn);
                if was_get {
                    polling.get = None;
                }
                if was_post {
                    polling.post = None;
                }
                if (was_get || was_post) && session.is_open() {
                    self.end(now, id, Reason::TransportError, Ending::Abrupt);
                }
            }
        }
    }

    /// The kernel did not take all that this WebSocket was sent.
    pub fn refused(&mut self, now: Time, id: SessionId, conn: ConnId, left: usize) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Transport::WebSocket(websocket) = &mut session.transport else {
            return;
        };
        if websocket.conn == conn {
            websocket.left = left;
            self.weigh(now, id);
        }
    }

    /// The kernel has taken all.
    pub fn drained(&mut self, id: SessionId, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Transport::WebSocket(websocket) = &mut session.transport else {
            return;
        };
        if websocket.conn == conn {
            websocket.left = 0;
            #[cfg(feature = "world")]
            if world::is_planted(Bug::LoseWakeUp) {
                return;
            }
            self.mark(id);
        }
    }

    /// Does what is due.
    pub fn elapsed(&mut self, now: Time) {
        for _ in 0..PINGS_PER_TURN_MAX {
            let Some(id) = self.timers.pop_due(now) else {
                return;
            };
            self.session_elapsed(now, id);
        }
    }

    fn session_elapsed(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.timer = None;
        if let Phase::Farewell { .. } = session.phase {
            return self.forget(id);
        }
        let is_cut = session
            .slow_since
            .is_some_and(|since| since + self.config.slow_within <= now);
        #[cfg(feature = "world")]
        let is_cut = is_cut && !world::is_planted(Bug::NeverCutSlow);
        if is_cut {
            self.counters.slow_by_time += 1;
            return self.cut(now, id);
        }
        let is_held = session.slow_since.is_some() && session.polling_mut().is_none();
        if let Some(Polling {
            probe: Some(probe), ..
        }) = session.polling_mut()
            && probe.until <= now
        {
            self.drop_probe(id);
        }
        self.excuse_poll(now, id);
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let dead_at = now + self.config.pong_within;
        match session.heart {
            Heart::Resting { ping_at } if ping_at <= now => {
                session.heart = Heart::Awaiting {
                    dead_at,
                    was_put_off: false,
                };
                self.send(now, id, Packet::PING);
                #[cfg(feature = "world")]
                if world::is_planted(Bug::StuckTimer) {
                    return;
                }
            }
            Heart::Awaiting {
                dead_at: until,
                was_put_off,
            } if until <= now => {
                #[cfg(feature = "world")]
                let is_held = is_held || world::is_planted(Bug::ForgiveSilence);
                if !is_held {
                    self.counters.ping_timeouts += 1;
                    return self.end(now, id, Reason::PingTimeout, Ending::Abrupt);
                }
                // We do not read what it sends, so its silence means nothing.
                session.heart = Heart::Awaiting {
                    dead_at,
                    was_put_off,
                };
            }
            Heart::Resting { .. } | Heart::Awaiting { .. } => {}
        }
        self.arm(id);
    }

    /// Queues a packet. The weight counts at once: above the hard limit the session ends as a slow consumer.
    pub fn send(&mut self, now: Time, id: SessionId, packet: Packet) {
        let Some(session) = self
            .sessions
            .get_mut(id)
            .filter(|session| session.is_open())
        else {
            return;
        };
        self.counters.sent += 1;
        self.counters.sent_bytes += packet.len() as u64;
        session.push(packet, &mut self.deflater);
        let is_too_much = session.waiting_bytes() > self.config.queue_bytes_max;
        #[cfg(feature = "world")]
        let is_too_much = is_too_much && !world::is_planted(Bug::NoHardLimit);
        if is_too_much {
            self.counters.slow_by_queue += 1;
            return self.cut(now, id);
        }
        self.mark(id);
        let alive_bytes = weight::alive_bytes();
        if alive_bytes > self.relieve_above {
            self.relieve(now, alive_bytes);
        }
    }

    fn cut(&mut self, now: Time, id: SessionId) {
        self.counters.slow_consumers += 1;
        self.end(now, id, Reason::SlowConsumer, Ending::Cut);
    }

    /// All packets together weigh too much: those for whom most waits are cut, until the rest is within the limit.
    ///
    /// What they had is given back when the loop has closed their connections, and what they shared with others not even
    /// then; so this is asked again only after an eighth of the limit has come on top.
    fn relieve(&mut self, now: Time, alive_bytes: usize) {
        let max = self.config.queues_bytes_max;
        self.relieve_above = alive_bytes.saturating_add(max / 8);
        let mut over = alive_bytes - max;
        let waiting = |(id, session): (SessionId, &Session)| (session.waiting_bytes(), id);
        let mut heaviest: Vec<_> = self.sessions.iter().map(waiting).collect();
        heaviest.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        for (bytes, id) in heaviest {
            if over == 0 || bytes == 0 {
                return;
            }
            over = over.saturating_sub(bytes);
            self.counters.slow_by_total += 1;
            if self.sessions.get(id).is_some_and(Session::is_open) {
                self.cut(now, id);
            } else {
                // It has ended, and only its goodbye waits.
                self.counters.slow_consumers += 1;
                self.forget(id);
            }
        }
    }

    /// Ends a session from our side: the client is told everything that waits, then that it is over.
    pub fn close(&mut self, now: Time, id: SessionId, reason: Reason) {
        self.end(now, id, reason, Ending::Orderly);
    }

    /// Ends every session from our side.
    pub fn close_all(&mut self, now: Time, reason: Reason) {
        let ids: Vec<_> = self.sessions.iter().map(|(id, _)| id).collect();
        for id in ids {
            self.close(now, id, reason);
        }
    }

    /// The next thing that must reach the world, until `None`.
    pub fn poll_output(&mut self, now: Time) -> Option<Output> {
        while self.outputs.is_empty() {
            let Some(id) = self.dirty.pop_front() else {
                if weight::alive_bytes() <= self.config.queues_bytes_max {
                    self.relieve_above = self.config.queues_bytes_max;
                }
                return None;
            };
            self.flush(now, id);
        }
        self.outputs.pop_front()
    }

    /// The next session that has ended; nothing more is heard of it, and what is sent to it goes nowhere.
    pub fn poll_ended(&mut self) -> Option<(SessionId, Reason)> {
        self.ended.pop_front()
    }

    /// The next session that goes on by WebSocket.
    pub fn poll_upgraded(&mut self) -> Option<SessionId> {
        self.upgraded.pop_front()
    }

    fn recorded<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        record: Result<Record<'a>, packet::Undecodable>,
    ) -> Option<Incoming<'a>> {
        match record {
            Ok(Record::Text(decoded)) => self.decoded(now, id, decoded),
            Ok(Record::Binary(bytes)) => {
                self.put_off_death(now, id);
                self.counters.received += 1;
                self.counters.received_bytes += bytes.len() as u64;
                Some(Incoming::Binary(bytes))
            }
            Err(packet::Undecodable) => {
                self.end(now, id, Reason::ParseError, Ending::Abrupt);
                None
            }
        }
    }

    fn decoded<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        decoded: Decoded<'a>,
    ) -> Option<Incoming<'a>> {
        match decoded {
            Decoded::Message(text) => {
                self.put_off_death(now, id);
                self.counters.received += 1;
                self.counters.received_bytes += text.len() as u64;
                Some(Incoming::Text(text))
            }
            Decoded::Pong | Decoded::Ping(_) => {
                self.beat(now, id, &decoded);
                None
            }
            Decoded::Close => {
                self.client_closed(now, id);
                None
            }
            Decoded::Upgrade | Decoded::Noop => {
                self.put_off_death(now, id);
                None
            }
        }
    }

    /// A sign of life, if it comes from the side that the revision says.
    fn beat(&mut self, now: Time, id: SessionId, decoded: &Decoded<'_>) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let revision = session.revision;
        if revision.server_pings() != matches!(decoded, Decoded::Pong) {
            return self.end(now, id, Reason::TransportError, Ending::Abrupt);
        }
        if !revision.server_pings() {
            self.send(now, id, Packet::PONG);
        }
        let heart = self.beating(now, revision);
        if let Some(session) = self.sessions.get_mut(id) {
            session.heart = heart;
        }
        self.arm(id);
    }

    /// The heart of a session that has just shown life: we ask again after a while, or the client does within a while.
    fn beating(&self, now: Time, revision: Revision) -> Heart {
        if revision.server_pings() {
            return Heart::Resting {
                ping_at: self.next_ping(now),
            };
        }
        Heart::Awaiting {
            dead_at: now + self.config.ping_every + self.config.pong_within,
            was_put_off: true,
        }
    }

    fn client_closed(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let revision = session.revision;
        let Some(polling) = session.polling_mut() else {
            return self.end(now, id, Reason::TransportClose, Ending::Orderly);
        };
        if let Some(conn) = polling.get.take() {
            self.answer(conn, revision.answer([&Packet::NOOP].into_iter()));
        }
        self.end(now, id, Reason::TransportClose, Ending::Abrupt);
    }

    /// While a pong is awaited, the first other packet shows that the client lives: its time begins anew, once.
    fn put_off_death(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if let Heart::Awaiting {
            was_put_off: false, ..
        } = session.heart
        {
            session.heart = Heart::Awaiting {
                dead_at: now + self.config.pong_within,
                was_put_off: true,
            };
            self.arm(id);
        }
    }

    fn answer_probe(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Some(Polling {
            probe: Some(probe), ..
        }) = session.polling_mut()
        else {
            return;
        };
        probe.noop_at = Some(now);
        let conn = probe.conn;
        #[cfg(feature = "world")]
        if world::is_planted(Bug::AnswerProbeTwice) {
            let frame = Packet::PROBE_ANSWER.frame().clone();
            self.outputs.push_back(Output::Frame(conn, frame));
        }
        self.outputs
            .push_back(Output::Frame(conn, Packet::PROBE_ANSWER.frame().clone()));
        self.mark(id);
    }

    fn upgrade(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Transport::Polling(Polling {
            get,
            post,
            probe: Some(probe),
        }) = &session.transport
        else {
            return;
        };
        let (get, post, conn, window) = (*get, *post, probe.conn, probe.window);
        let revision = session.revision;
        session.transport = Transport::WebSocket(WebSocket {
            window,
            ..WebSocket::new(conn)
        });
        #[cfg(feature = "world")]
        if world::is_planted(Bug::LosePacketAtUpgrade) {
            session.queue.pop_front();
        }
        #[cfg(feature = "world")]
        if world::is_planted(Bug::ReorderAtUpgrade) {
            session.queue.make_contiguous().reverse();
        }
        self.counters.upgraded += 1;
        self.upgraded.push_back(id);
        if let Some(get) = get {
            self.answer(get, revision.answer([&Packet::CLOSE].into_iter()));
        }
        if let Some(Post::Held(post)) = post {
            self.answer(post, Answer::Accepted);
        }
        self.mark(id);
        self.weigh(now, id);
        self.arm(id);
    }

    fn drop_probe(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if let Some(probe) = session
            .polling_mut()
            .and_then(|polling| polling.probe.take())
        {
            self.outputs.push_back(Output::Close(probe.conn, 1000));
        }
    }

    /// What waits goes first and alone: the official client tells its application of a message only after it has read the
    /// whole answer, and of nothing any more once there was a close packet in it.
    fn bid_farewell(&mut self, id: SessionId, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let (queue, revision) = (session.take_queue(), session.revision);
        if !queue.is_empty() {
            return self.answer(conn, revision.answer(queue.iter()));
        }
        let goodbye = [Packet::NOOP, Packet::CLOSE];
        self.answer(conn, revision.answer(goodbye.iter()));
        self.forget(id);
    }

    fn end(&mut self, now: Time, id: SessionId, reason: Reason, ending: Ending) {
        let Some(session) = self
            .sessions
            .get_mut(id)
            .filter(|session| session.is_open())
        else {
            return;
        };
        self.ended.push_back((id, reason));
        let (mut queue, revision) = (session.take_queue(), session.revision);
        match &mut session.transport {
            Transport::WebSocket(websocket) => {
                let conn = websocket.conn;
                if ending == Ending::Orderly {
                    for packet in &mut queue {
                        let frame = websocket.frame(revision, packet, &mut self.deflater);
                        self.outputs.push_back(Output::Frame(conn, frame));
                    }
                }
                match (ending, reason) {
                    (Ending::Cut, Reason::SlowConsumer) => {
                        self.outputs.push_back(Output::Cut(conn));
                    }
                    (Ending::Cut, _) => {}
                    (Ending::Orderly | Ending::Abrupt, _) => {
                        self.outputs.push_back(Output::Close(conn, 1000));
                    }
                }
                self.forget(id);
            }
            Transport::Polling(polling) => {
                let (get, post) = (polling.get.take(), polling.post.take());
                #[cfg(feature = "world")]
                let get = get.filter(|_| !world::is_planted(Bug::ForgetParkedPoll));
                self.drop_probe(id);
                if let Some(Post::Held(conn)) = post {
                    self.answer(conn, Answer::Accepted);
                }
                match (get, ending) {
                    (Some(conn), Ending::Orderly) if !queue.is_empty() => {
                        self.answer(conn, revision.answer(queue.iter()));
                        self.await_farewell(now, id, VecDeque::new());
                    }
                    (Some(conn), _) => {
                        self.answer(conn, revision.answer([&Packet::CLOSE].into_iter()));
                        self.forget(id);
                    }
                    (None, Ending::Orderly) => self.await_farewell(now, id, queue),
                    (None, Ending::Abrupt | Ending::Cut) => self.forget(id),
                }
            }
        }
    }

    fn await_farewell(&mut self, now: Time, id: SessionId, queue: VecDeque<Packet>) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.queued_bytes = queue.iter().map(Packet::len).sum();
        session.queue = queue;
        session.slow_since = None;
        session.phase = Phase::Farewell {
            until: now + self.config.farewell_within,
        };
        self.arm(id);
    }

    fn forget(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(id) else {
            return;
        };
        self.by_sid.remove(&session.sid);
        if let Some(timer) = session.timer {
            self.timers.cancel(timer);
        }
    }

    /// Hands down what waits, if the transport can take it.
    fn flush(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.is_dirty = false;
        if !session.is_open() {
            return;
        }
        let revision = session.revision;
        match &mut session.transport {
            Transport::WebSocket(websocket) => {
                if websocket.left == 0 {
                    let conn = websocket.conn;
                    session.queued_bytes = 0;
                    for mut packet in session.queue.drain(..) {
                        let frame = websocket.frame(revision, &mut packet, &mut self.deflater);
                        self.outputs.push_back(Output::Frame(conn, frame));
                    }
                }
            }
            Transport::Polling(polling) => {
                if session.queue.is_empty() {
                    return self.excuse_poll(now, id);
                }
                if let Some(conn) = polling.get.take() {
                    let queue = session.take_queue();
                    self.answer(conn, revision.answer(queue.iter()));
                }
            }
        }
        self.weigh(now, id);
    }

    /// While a probe is under way, a poll is answered with nothing, so that the client can leave polling behind; one that
    /// goes on polling is not answered at the speed of its line.
    fn excuse_poll(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let revision = session.revision;
        let Some(polling) = session.polling_mut() else {
            return;
        };
        let Some(probe) = &mut polling.probe else {
            return;
        };
        let (Some(noop_at), Some(conn)) = (probe.noop_at, polling.get) else {
            return;
        };
        if noop_at <= now {
            probe.noop_at = Some(now + NOOP_EVERY);
            polling.get = None;
            self.answer(conn, revision.answer([&Packet::NOOP].into_iter()));
        }
        self.arm(id);
    }

    /// Compares what waits with the soft limit: above it a WebSocket is not read from and a post not answered.
    fn weigh(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let is_over = session.waiting_bytes() > self.config.queue_bytes_soft_max;
        match (is_over, session.slow_since) {
            (true, None) => {
                session.slow_since = Some(now);
                if let Transport::WebSocket(websocket) = &session.transport {
                    self.outputs.push_back(Output::Hold(websocket.conn));
                }
                self.arm(id);
            }
            (false, Some(_)) => {
                session.slow_since = None;
                match &mut session.transport {
                    Transport::WebSocket(websocket) => {
                        let conn = websocket.conn;
                        self.outputs.push_back(Output::Show(conn));
                    }
                    Transport::Polling(polling) => {
                        if let Some(Post::Held(conn)) = polling.post {
                            polling.post = None;
                            self.answer(conn, Answer::Accepted);
                        }
                    }
                }
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    fn mark(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id)
            && !session.is_dirty
        {
            session.is_dirty = true;
            self.dirty.push_back(id);
        }
    }

    fn answer(&mut self, conn: ConnId, answer: Answer) {
        self.outputs.push_back(Output::Answer(conn, answer));
    }

    fn arm(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if let Some(timer) = session.timer.take() {
            self.timers.cancel(timer);
        }
        session.timer = Some(self.timers.arm(session.deadline(&self.config), id));
    }

    /// Rounded down, so that many pings share one wake-up: with the default 25 s to whole seconds, at shorter
    /// intervals (which only tests use) not at all.
    fn next_ping(&self, now: Time) -> Time {
        const GRAIN: Duration = Duration::from_secs(1);
        let at = now + self.config.ping_every;
        if self.config.ping_every < GRAIN * 10 {
            return at;
        }
        at - Duration::from_micros(at.0 % 1_000_000)
    }

    fn open_packet(&self, sid: Sid, by_polling: bool) -> Packet {
        let offers_upgrade = by_polling && self.config.upgrades && self.config.websocket;
        let text = format!(
            "0{{\"sid\":\"{sid}\",\"upgrades\":{upgrades},\"pingInterval\":{every},\"pingTimeout\":{within},\"maxPayload\":{max}}}",
            upgrades = if offers_upgrade {
                "[\"websocket\"]"
            } else {
                "[]"
            },
            every = self.config.ping_every.as_millis(),
            within = self.config.pong_within.as_millis(),
            max = self.config.payload_bytes_max,
        );
        Packet::text(|out| out.extend_from_slice(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
