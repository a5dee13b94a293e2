//! The engine as plain data, and back.
//!
//! [`Engine::freeze`] gives what must not be lost, between two turns, when nothing is left to be pulled;
//! [`Engine::thaw`] takes it, by another clock. What follows from the rest (the index of public ids, deadlines, weights)
//! is made anew.
//! Left out: the source of chance, which is a fresh one, and the configuration, which is the new process's own.

use std::collections::{HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::packet::Packet;
use super::revision::Revision;
use super::session::{Heart, Phase, Session, Transport};
use super::{Counters, Engine, SessionId, sid_at};
use crate::sid::{Sid, SidIndex};
use crate::slots::Slots;
use crate::time::Rebase;
use crate::websocket::Deflater;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// All sessions, frozen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Frozen {
    counters: Counters,
    next_generation: u32,
    sessions: Vec<(SessionId, FrozenSession)>,
    /// Each packet that waits, once: a broadcast that waits for thousands is as small as it was.
    packets: Vec<Packet>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FrozenSession {
    sid: Sid,
    revision: Revision,
    transport: Transport,
    /// Places in [`Frozen::packets`].
    queue: Vec<u32>,
    heart: Heart,
    phase: Phase,
}

/// What was frozen makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl Engine {
    /// Whether all that was to be said was pulled.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.outputs.is_empty()
            && self.ended.is_empty()
            && self.upgraded.is_empty()
            && self.heartbeats.as_ref().is_none_or(VecDeque::is_empty)
            && self.dirty.is_empty()
    }

    /// What must not be lost of all sessions.
    ///
    /// # Panics
    /// If something is left to be pulled: it would be lost.
    #[must_use]
    pub fn freeze(&self) -> Frozen {
        assert!(self.is_quiet(), "an engine is frozen between two turns");
        let mut packets = Packets::default();
        let sessions = self
            .sessions
            .iter()
            .map(|(id, session)| (id, session.freeze(&mut packets)))
            .collect();
        Frozen {
            counters: self.counters,
            next_generation: self.sessions.next_generation(),
            sessions,
            packets: packets.all,
        }
    }

    /// Takes what was frozen, in place of all it has.
    ///
    /// # Errors
    /// If it makes no sense; the engine is left as it was.
    pub fn thaw(&mut self, frozen: Frozen, rebase: Rebase) -> Result<(), Damaged> {
        let packets = frozen.packets.into_iter().map(Packet::shared);
        let packets: Vec<_> = packets.collect();
        let mut rows = Vec::with_capacity(frozen.sessions.len());
        let mut met = HashSet::with_capacity(frozen.sessions.len());
        for (id, session) in frozen.sessions {
            if !met.insert(session.sid) {
                return Err(Damaged);
            }
            rows.push((id, session.thaw(&packets, rebase, &mut self.deflater)?));
        }
        let sessions = Slots::thaw(rows, frozen.next_generation);
        if sessions.len() != met.len() {
            return Err(Damaged);
        }
        self.sessions = sessions;
        self.sids = SidIndex::new();
        for (id, session) in self.sessions.iter() {
            let sid_at = sid_at(&self.sessions);
            self.sids.insert(session.sid, id.slot(), sid_at);
        }
        self.counters = frozen.counters;
        let ids: Vec<_> = self.sessions.iter().map(|(id, _)| id).collect();
        for id in ids {
            #[cfg(feature = "world")]
            if world::is_planted(Bug::FreezeForgetsTimer) {
                continue;
            }
            self.arm(id);
        }
        Ok(())
    }
}

/// Packets on their way into the ice, each known by where its bytes are.
#[derive(Default)]
struct Packets {
    all: Vec<Packet>,
    places: HashMap<(*const u8, usize), u32>,
}

impl Packets {
    fn place(&mut self, packet: &Packet) -> u32 {
        let frame = packet.frame();
        *self
            .places
            .entry((frame.as_ptr(), frame.len()))
            .or_insert_with(|| {
                self.all.push(packet.clone());
                u32::try_from(self.all.len() - 1).expect("fewer than 2^32 packets wait")
            })
    }
}

impl Session {
    fn freeze(&self, packets: &mut Packets) -> FrozenSession {
        // Named one by one, so that nothing is forgotten that is added one day.
        let Self {
            sid,
            revision,
            transport,
            queue,
            heart,
            phase,
            timer: _,
            is_dirty: _,
        } = self;
        #[cfg(feature = "world")]
        let queue = if world::is_planted(Bug::FreezeForgetsQueue) {
            &None
        } else {
            queue
        };
        let queued = queue.iter().flat_map(|queue| &queue.packets);
        FrozenSession {
            sid: *sid,
            revision: *revision,
            transport: transport.clone(),
            queue: queued.map(|packet| packets.place(packet)).collect(),
            heart: *heart,
            phase: *phase,
        }
    }
}

impl FrozenSession {
    fn thaw(
        self,
        packets: &[Packet],
        rebase: Rebase,
        deflater: &mut Deflater,
    ) -> Result<Session, Damaged> {
        let mut session = Session {
            sid: self.sid,
            revision: self.revision,
            transport: self.transport.rebased(rebase),
            queue: None,
            heart: self.heart.rebased(rebase),
            phase: self.phase.rebased(rebase),
            timer: None,
            is_dirty: false,
        };
        for place in self.queue {
            let packet = packets.get(place as usize).ok_or(Damaged)?;
            session.push(packet.clone(), deflater);
        }
        Ok(session)
    }
}

impl Transport {
    fn rebased(mut self, rebase: Rebase) -> Self {
        if let Self::Polling(polling) = &mut self
            && let Some(probe) = &mut polling.probe
        {
            probe.until = rebase.of(probe.until);
            probe.noop_at = probe.noop_at.map(|at| rebase.of(at));
        }
        self
    }
}

impl Heart {
    const fn rebased(self, rebase: Rebase) -> Self {
        match self {
            Self::Resting { ping_at } => Self::Resting {
                ping_at: rebase.of(ping_at),
            },
            Self::Awaiting {
                dead_at,
                was_put_off,
            } => Self::Awaiting {
                dead_at: rebase.of(dead_at),
                was_put_off,
            },
        }
    }
}

impl Phase {
    const fn rebased(self, rebase: Rebase) -> Self {
        match self {
            Self::Open => Self::Open,
            Self::Slow { since } => Self::Slow {
                since: rebase.of(since),
            },
            Self::Farewell { until } => Self::Farewell {
                until: rebase.of(until),
            },
        }
    }
}
