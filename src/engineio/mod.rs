//! Engine.IO 4, and 3 where that is allowed: sessions over two transports, and the one queue to each client.
//!
//! The switchboard says what has come (requests that were admitted, messages, ends of connections) and the time; text
//! and bytes for the layer above are returned at once and borrow from the input. What must reach the world is pulled as
//! [`Output`]s, and sessions that have ended as [`Engine::poll_ended`].
//! permessage-deflate is agreed on elsewhere; here is the one compressor, since the queue weighs what is sent.
//! Knows connections by id only: it never sees a socket, an HTTP head or a namespace.
//! Left out: WebTransport, which needs QUIC; the official clients fall back without it. A call for each packet that has left
//! (`drain`, `flush`): what was sent is known to have come when it is acknowledged.
//!
//! | file | its part of a session's life |
//! |---|---|
//! | `admission`, `opening` | is a request in order; a session begins |
//! | `polling`, `websocket`, `upgrade` | the two transports, and the way from one to the other |
//! | `incoming`, `queue`, `pressure` | what packets of a client mean; packets to it; one that takes too little |
//! | `deadlines`, `heartbeat`, `ending` | what is due; who lives; a session ends |
//! | `session`, `revision`, [`packet`], [`payload`], [`payload_v3`] | plain data and its forms on the wire |
//! | `freeze`, `counters`, `census` | what outlives the process; numbers |
//!
//! Source: the Engine.IO protocol, revisions 4 and 3, and what engine.io 6.6 does where that is silent.

mod admission;
#[cfg(feature = "world")]
mod census;
mod counters;
mod deadlines;
mod ending;
mod freeze;
mod heartbeat;
mod incoming;
mod opening;
pub mod packet;
pub mod payload;
pub mod payload_v3;
mod polling;
mod pressure;
mod queue;
mod revision;
mod session;
mod upgrade;
mod websocket;

use std::collections::VecDeque;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::config;
use crate::sid::{Mark, Sid, SidIndex};
use crate::slots::{Id, Slots};
use crate::timers::Timers;
use crate::websocket::Deflater;

pub use admission::{Admission, Asked, Method, Refusal};
#[cfg(feature = "world")]
pub use census::Census;
pub use counters::Counters;
pub use freeze::{Damaged, Frozen};
pub use incoming::Incoming;
pub use polling::Answer;
pub use queue::Output;
pub use revision::Revision;
pub use session::{Reason, Session, TransportName};

/// Names a session; a stale one finds nothing.
pub type SessionId = Id<Session>;

/// All sessions.
///
/// Its methods are of four kinds: questions ([`Engine::session`], [`Engine::admit`], [`Engine::deadline`]), things that
/// happened (`opened`, `polled`, `text`, `drained`, …), wishes (`send`, `close`), and things to be pulled after either
/// (`poll_output`, `poll_ended`).
#[derive(Debug)]
pub struct Engine {
    config: config::Engine,
    sessions: Slots<Session>,
    /// By their public ids.
    sids: SidIndex,
    timers: Timers<SessionId>,
    dirty: VecDeque<SessionId>,
    outputs: VecDeque<Output>,
    /// Counts how often all outputs were pulled.
    turn: u32,
    ended: VecDeque<(SessionId, Reason)>,
    upgraded: VecDeque<SessionId>,
    /// Sessions whose clients gave a sign of life, if anybody wants to hear of it.
    heartbeats: Option<VecDeque<SessionId>>,
    random: StdRng,
    /// How ids end, if they say whose they are.
    mark: Option<Mark>,
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
            sids: SidIndex::new(),
            timers: Timers::new(),
            dirty: VecDeque::new(),
            outputs: VecDeque::new(),
            turn: 0,
            ended: VecDeque::new(),
            upgraded: VecDeque::new(),
            heartbeats: None,
            random: StdRng::from_seed(seed),
            mark: None,
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

    /// How the session of that public id speaks just now, while it is there.
    #[must_use]
    pub fn transport_of(&self, sid: &str) -> Option<TransportName> {
        let id = self.find(sid.as_bytes())?;
        Some(self.sessions.get(id)?.transport_name())
    }

    /// The session of that public id, while it is there.
    fn find(&self, sid: &[u8]) -> Option<SessionId> {
        let slot = self
            .sids
            .find(Sid::parse_bytes(sid)?, sid_at(&self.sessions))?;
        self.sessions.id_at(slot)
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

    /// The next session that has ended; nothing more is heard of it, and what is sent to it goes nowhere.
    pub fn poll_ended(&mut self) -> Option<(SessionId, Reason)> {
        self.ended.pop_front()
    }

    /// The next session that goes on by WebSocket.
    pub fn poll_upgraded(&mut self) -> Option<SessionId> {
        self.upgraded.pop_front()
    }

    /// From now on signs of life are told by [`Engine::poll_heartbeat`], and must be pulled.
    pub fn tell_heartbeats(&mut self) {
        self.heartbeats.get_or_insert_default();
    }

    /// The next session whose client gave a sign of life: a pong in revision 4, a ping in revision 3. At most one for each
    /// packet that came in this turn.
    pub fn poll_heartbeat(&mut self) -> Option<SessionId> {
        self.heartbeats.as_mut()?.pop_front()
    }
}

/// The public id of the session in a slot that [`Engine`] has in its index.
fn sid_at(sessions: &Slots<Session>) -> impl Fn(u32) -> Sid {
    |slot| {
        sessions
            .row_at(slot)
            .expect("the index has no empty slots")
            .sid
    }
}

#[cfg(test)]
mod tests;
