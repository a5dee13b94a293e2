//! One client's stay with us: its transport, its heartbeat and the one queue to it.
//!
//! Plain data and questions about it; [`super::Engine`] makes the transitions and utters what follows from them.
//! Knows connections by id only.
//!
//! | transport | `5` on the probe | client ends | server ends |
//! |---|---|---|---|
//! | polling | becomes WebSocket | gone | farewell until the next poll, or gone if one is parked |
//! | WebSocket | ignored | gone | gone, after what is queued and a close frame |

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::packet::Packet;
use super::revision::Revision;
use crate::config;
use crate::reactor::ConnId;
use crate::sid::Sid;
use crate::time::Time;
use crate::timers::TimerId;
use crate::websocket::{Deflater, Window};

/// Why a session has ended. The words are those of the official server, but for those it does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The client ended it, or its WebSocket went away.
    TransportClose,
    /// A poll or post was aborted or overlapped another, or a frame broke the rules.
    TransportError,
    /// A ping was not answered in time.
    PingTimeout,
    /// A packet was none.
    ParseError,
    /// We ended it.
    ForcedClose,
    /// It took too long to take what it was sent.
    SlowConsumer,
    /// The process ends.
    ShuttingDown,
}

impl Reason {
    /// The reason in the words an application is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportClose => "transport close",
            Self::TransportError => "transport error",
            Self::PingTimeout => "ping timeout",
            Self::ParseError => "parse error",
            Self::ForcedClose => "forced close",
            Self::SlowConsumer => "slow consumer",
            Self::ShuttingDown => "server shutting down",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The two ways a client speaks to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportName {
    /// HTTP long-polling.
    Polling,
    /// WebSocket.
    WebSocket,
}

impl TransportName {
    /// As in the query of a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }
}

/// One client's stay. Invariant: at most one timer, armed at `deadline` or before it.
#[derive(Debug)]
pub struct Session {
    pub(super) sid: Sid,
    pub(super) revision: Revision,
    pub(super) transport: Transport,
    pub(super) queue: VecDeque<Packet>,
    pub(super) queued_bytes: usize,
    pub(super) heart: Heart,
    pub(super) phase: Phase,
    pub(super) timer: Option<TimerId>,
    /// Since when more than the soft limit waits.
    pub(super) slow_since: Option<Time>,
    pub(super) is_dirty: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Transport {
    Polling(Polling),
    WebSocket(WebSocket),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Polling {
    /// The parked poll.
    pub(super) get: Option<ConnId>,
    pub(super) post: Option<Post>,
    pub(super) probe: Option<Box<Probe>>,
}

/// A post that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Post {
    /// Its body has not come to its end.
    Arriving(ConnId),
    /// Its answer is held back until the client takes what waits for it.
    Held(ConnId),
}

impl Post {
    pub(super) const fn conn(self) -> ConnId {
        match self {
            Self::Arriving(conn) | Self::Held(conn) => conn,
        }
    }
}

/// A WebSocket that wants to take over from polling.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Probe {
    pub(super) conn: ConnId,
    pub(super) until: Time,
    /// Once the probe was answered: from when on a parked poll is answered with nothing.
    pub(super) noop_at: Option<Time>,
    /// With which it deflates, if that was agreed on.
    pub(super) window: Option<Window>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WebSocket {
    pub(super) conn: ConnId,
    /// Bytes the kernel refused.
    pub(super) left: usize,
    /// Bytes handed down in a turn, and which turn that was: they count until it ends.
    #[serde(skip)]
    pub(super) handed: (u32, usize),
    /// With which it deflates, if that was agreed on.
    pub(super) window: Option<Window>,
}

impl WebSocket {
    pub(super) const fn new(conn: ConnId) -> Self {
        Self {
            conn,
            left: 0,
            handed: (0, 0),
            window: None,
        }
    }

    const fn handed_bytes(&self, turn: u32) -> usize {
        if self.handed.0 == turn {
            self.handed.1
        } else {
            0
        }
    }

    /// Counts bytes that are handed down in this turn.
    pub(super) const fn hand_down(&mut self, turn: u32, bytes: usize) {
        self.handed = (turn, self.handed_bytes(turn).saturating_add(bytes));
    }

    /// The frame that a packet is to this client.
    pub(super) fn frame(
        &self,
        revision: Revision,
        packet: &mut Packet,
        deflater: &mut Deflater,
    ) -> Bytes {
        if let Some(frame) = revision.frame_of_its_own(packet) {
            return frame;
        }
        match self.window {
            Some(window) => packet.frame_deflated(deflater, window).clone(),
            None => packet.frame().clone(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Heart {
    /// The next ping leaves then.
    Resting { ping_at: Time },
    /// A ping is out; without an answer the session ends then. The first other packet puts that off, once. In revision 3
    /// always so: the next ping of the client is waited for, and nothing else counts.
    Awaiting { dead_at: Time, was_put_off: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Open,
    /// Ended by us while no poll was parked: the next one is told so.
    Farewell {
        until: Time,
    },
}

impl Session {
    /// Which transport carries it just now.
    #[must_use]
    pub const fn transport_name(&self) -> TransportName {
        match self.transport {
            Transport::Polling(_) => TransportName::Polling,
            Transport::WebSocket(_) => TransportName::WebSocket,
        }
    }

    /// Which revision of the protocol it speaks.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// Its id, which a client must present with each request.
    #[must_use]
    pub const fn sid(&self) -> Sid {
        self.sid
    }

    /// Bytes that wait for the client in this turn of the engine's: in our queue, on their way to the reactor, and in its
    /// outbox.
    pub(super) const fn waiting_bytes(&self, turn: u32) -> usize {
        match &self.transport {
            Transport::WebSocket(websocket) => {
                self.queued_bytes + websocket.left + websocket.handed_bytes(turn)
            }
            Transport::Polling(_) => self.queued_bytes,
        }
    }

    /// Whether packets wait although nothing keeps them: between two turns, a wake-up was lost.
    #[cfg(feature = "world")]
    pub(super) fn is_stranded(&self) -> bool {
        let could_leave = match &self.transport {
            Transport::WebSocket(websocket) => websocket.left == 0,
            Transport::Polling(polling) => polling.get.is_some(),
        };
        self.is_open() && could_leave && !self.queue.is_empty()
    }

    /// Whether this WebSocket is the session's transport, or on probation to become it.
    pub(super) fn speaks_by(&self, conn: ConnId) -> bool {
        match &self.transport {
            Transport::WebSocket(websocket) => websocket.conn == conn,
            Transport::Polling(polling) => polling
                .probe
                .as_ref()
                .is_some_and(|probe| probe.conn == conn),
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Queues a packet. It weighs what will be sent, as far as that is known: a polling client's answer is compressed as a whole,
    /// and later.
    pub(super) fn push(&mut self, mut packet: Packet, deflater: &mut Deflater) {
        self.queued_bytes += match &self.transport {
            Transport::WebSocket(WebSocket {
                window: Some(window),
                ..
            }) => packet.frame_deflated(deflater, *window).len(),
            Transport::WebSocket(_) | Transport::Polling(_) => packet.len(),
        };
        self.queue.push_back(packet);
    }

    pub(super) fn take_queue(&mut self) -> VecDeque<Packet> {
        self.queued_bytes = 0;
        std::mem::take(&mut self.queue)
    }

    pub(super) const fn polling_mut(&mut self) -> Option<&mut Polling> {
        match &mut self.transport {
            Transport::Polling(polling) => Some(polling),
            Transport::WebSocket(_) => None,
        }
    }

    /// When something is due for this session.
    pub(super) fn deadline(&self, config: &config::Engine) -> Time {
        if let Phase::Farewell { until } = self.phase {
            return until;
        }
        let mut deadline = match self.heart {
            Heart::Resting { ping_at } => ping_at,
            Heart::Awaiting { dead_at, .. } => dead_at,
        };
        if let Transport::Polling(Polling {
            get,
            probe: Some(probe),
            ..
        }) = &self.transport
        {
            deadline = deadline.min(probe.until);
            if let (Some(_), Some(noop_at)) = (get, probe.noop_at) {
                deadline = deadline.min(noop_at);
            }
        }
        if let Some(since) = self.slow_since {
            deadline = deadline.min(since + config.slow_within);
        }
        deadline
    }
}
