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

use serde::{Deserialize, Serialize};

use super::packet::Packet;
use super::revision::Revision;
use crate::buffers::Shared;
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
    /// None while nothing waits, as nearly always with a WebSocket; of one who polls it stays, empty.
    pub(super) queue: Option<Box<Queue>>,
    pub(super) heart: Heart,
    pub(super) phase: Phase,
    pub(super) timer: Option<TimerId>,
    pub(super) is_dirty: bool,
}

/// Packets that wait for the client, and what they weigh.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) packets: VecDeque<Packet>,
    bytes: usize,
}

/// Places for packets that an empty queue keeps.
const QUEUE_PLACES_KEPT_MAX: usize = 8;

impl Queue {
    pub(super) fn empty(&mut self) {
        self.packets.clear();
        self.packets.shrink_to(QUEUE_PLACES_KEPT_MAX);
        self.bytes = 0;
    }
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
    /// The turn in which bytes were last handed down.
    #[serde(skip)]
    handed_in: u32,
    /// How many in that turn: they count until it ends. Above 4 GiB no further.
    #[serde(skip)]
    handed_bytes: u32,
    /// With which it deflates, if that was agreed on.
    pub(super) window: Option<Window>,
}

impl WebSocket {
    pub(super) const fn new(conn: ConnId, window: Option<Window>) -> Self {
        Self {
            conn,
            left: 0,
            handed_in: 0,
            handed_bytes: 0,
            window,
        }
    }

    const fn handed_bytes(&self, turn: u32) -> usize {
        if self.handed_in == turn {
            self.handed_bytes as usize
        } else {
            0
        }
    }

    /// The frame that a packet is to this client, to be handed down in this turn.
    pub(super) fn hand_down(
        &mut self,
        turn: u32,
        revision: Revision,
        packet: &Packet,
        deflater: &mut Deflater,
    ) -> Shared {
        let frame = match (revision.frame_of_its_own(packet), self.window) {
            (Some(frame), _) => frame,
            (None, Some(window)) => packet.clone().frame_deflated(deflater, window).clone(),
            (None, None) => packet.frame().clone(),
        };
        let bytes = self.handed_bytes(turn).saturating_add(frame.len());
        self.handed_in = turn;
        self.handed_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        frame
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
    /// Open, and since then more than the soft limit has waited.
    Slow {
        since: Time,
    },
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

    /// Bytes that were kept back: in our queue, because the transport cannot take them, and in the reactor's outbox. What is
    /// handed down in this turn is not among them: the kernel may take it all, and then nothing more is heard of it.
    pub(super) const fn kept_bytes(&self) -> usize {
        match &self.transport {
            Transport::WebSocket(websocket) => self.queued_bytes() + websocket.left,
            Transport::Polling(_) => self.queued_bytes(),
        }
    }

    /// Bytes that wait for the client in this turn of the engine's: in our queue, on their way to the reactor, and in its
    /// outbox.
    pub(super) const fn waiting_bytes(&self, turn: u32) -> usize {
        match &self.transport {
            Transport::WebSocket(websocket) => {
                self.queued_bytes() + websocket.left + websocket.handed_bytes(turn)
            }
            Transport::Polling(_) => self.queued_bytes(),
        }
    }

    /// Whether packets wait although nothing keeps them: between two turns, a wake-up was lost.
    #[cfg(feature = "world")]
    pub(super) fn is_stranded(&self) -> bool {
        let could_leave = match &self.transport {
            Transport::WebSocket(websocket) => websocket.left == 0,
            Transport::Polling(polling) => polling.get.is_some(),
        };
        self.is_open() && could_leave && !self.is_queue_empty()
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
        match self.phase {
            Phase::Open | Phase::Slow { .. } => true,
            Phase::Farewell { .. } => false,
        }
    }

    /// Since when more than the soft limit waits.
    pub(super) const fn slow_since(&self) -> Option<Time> {
        match self.phase {
            Phase::Slow { since } => Some(since),
            Phase::Open | Phase::Farewell { .. } => None,
        }
    }

    pub(super) fn is_queue_empty(&self) -> bool {
        self.queue
            .as_ref()
            .is_none_or(|queue| queue.packets.is_empty())
    }

    const fn queued_bytes(&self) -> usize {
        match &self.queue {
            Some(queue) => queue.bytes,
            None => 0,
        }
    }

    /// Queues a packet. It weighs what will be sent, as far as that is known: a polling client's answer is compressed as a whole,
    /// and later.
    pub(super) fn push(&mut self, mut packet: Packet, deflater: &mut Deflater) {
        let bytes = match &self.transport {
            Transport::WebSocket(WebSocket {
                window: Some(window),
                ..
            }) => packet.frame_deflated(deflater, *window).len(),
            Transport::WebSocket(_) | Transport::Polling(_) => packet.len(),
        };
        let queue = self.queue.get_or_insert_default();
        queue.bytes += bytes;
        queue.packets.push_back(packet);
    }

    pub(super) fn take_queue(&mut self) -> VecDeque<Packet> {
        self.queue
            .take()
            .map(|queue| queue.packets)
            .unwrap_or_default()
    }

    /// Puts back what was taken and is to wait for a poll.
    pub(super) fn put_back(&mut self, packets: VecDeque<Packet>) {
        let bytes = packets.iter().map(Packet::len).sum();
        self.queue = Some(Box::new(Queue { packets, bytes }));
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
        if let Some(since) = self.slow_since() {
            deadline = deadline.min(since + config.slow_within);
        }
        deadline
    }
}
