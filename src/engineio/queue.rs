//! The one queue to each client, and what leaves by it.
//!
//! Packets come in; what must reach the world is pulled as [`Output`]s: frames to a WebSocket, answers to polls, and what
//! the loop is to do with connections. A session that has something to say is marked, and looked at once a turn.
//! Never writes: the loop below does, and tells what the kernel left.
//! Left out: an order among sessions. Each is asked in the order in which it was marked.

use super::packet::Packet;
use super::polling::Answer;
use super::session::Transport;
use super::{Engine, SessionId};
use crate::buffers::{self, Shared};
use crate::reactor::ConnId;
use crate::time::Time;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// What must reach the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The answer to the request that a connection waits for.
    Answer(ConnId, Answer),
    /// A frame, whole, to a WebSocket.
    Frame(ConnId, Shared),
    /// The orderly end of a WebSocket: a close frame with this code.
    Close(ConnId, u16),
    /// The end of a connection at once.
    Cut(ConnId),
    /// Do not read from this WebSocket.
    Hold(ConnId),
    /// Read on from this WebSocket.
    Show(ConnId),
}

impl Engine {
    /// Queues a packet, or hands it down at once. The weight counts at once: above the hard limit the session ends as a
    /// slow consumer.
    pub fn send(&mut self, now: Time, id: SessionId, packet: &Packet) {
        let Some(session) = self
            .sessions
            .get_mut(id)
            .filter(|session| session.is_open())
        else {
            return;
        };
        self.counters.sent += 1;
        self.counters.sent_bytes += packet.len() as u64;
        let is_queue_empty = session.is_queue_empty();
        let is_handed_down = match &mut session.transport {
            Transport::WebSocket(websocket) if websocket.left == 0 && is_queue_empty => {
                let (revision, deflater) = (session.revision, &mut self.deflater);
                let frame = websocket.hand_down(self.turn, revision, packet, deflater);
                self.outputs.push_back(Output::Frame(websocket.conn, frame));
                true
            }
            Transport::WebSocket(_) | Transport::Polling(_) => {
                session.push(packet.clone(), &mut self.deflater);
                false
            }
        };
        let is_too_much = session.waiting_bytes(self.turn) > self.config.queue_bytes_max;
        #[cfg(feature = "world")]
        let is_too_much = is_too_much && !world::is_planted(Bug::NoHardLimit);
        if is_too_much {
            self.counters.slow_by_queue += 1;
            return self.cut(now, id);
        }
        if !is_handed_down {
            self.mark(id);
        }
        let alive_bytes = buffers::alive_bytes();
        if alive_bytes > self.relieve_above {
            self.relieve(now, alive_bytes);
        }
    }

    /// The next thing that must reach the world, until `None`.
    pub fn poll_output(&mut self, now: Time) -> Option<Output> {
        while self.outputs.is_empty() {
            let Some(id) = self.dirty.pop_front() else {
                if buffers::alive_bytes() <= self.config.queues_bytes_max {
                    self.relieve_above = self.config.queues_bytes_max;
                }
                self.turn = self.turn.wrapping_add(1);
                return None;
            };
            self.flush(now, id);
        }
        self.outputs.pop_front()
    }

    /// Hands down what waits, if the transport can take it.
    pub(super) fn flush(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.is_dirty = false;
        if !session.is_open() {
            return;
        }
        let revision = session.revision;
        let is_queue_empty = session.is_queue_empty();
        match &mut session.transport {
            Transport::WebSocket(websocket) if websocket.left == 0 => {
                let queue = session.queue.take().map(|queue| queue.packets);
                for packet in queue.into_iter().flatten() {
                    let frame =
                        websocket.hand_down(self.turn, revision, &packet, &mut self.deflater);
                    self.outputs.push_back(Output::Frame(websocket.conn, frame));
                }
            }
            Transport::WebSocket(_) => {}
            Transport::Polling(_) if is_queue_empty => return self.excuse_poll(now, id),
            Transport::Polling(polling) => {
                if let (Some(conn), Some(queue)) = (polling.get, &mut session.queue) {
                    polling.get = None;
                    let answer = revision.answer(queue.packets.iter());
                    // Kept, as the next poll will want one.
                    queue.empty();
                    self.outputs.push_back(Output::Answer(conn, answer));
                }
            }
        }
        self.weigh(now, id);
    }

    /// What this session has to say is looked at when the outputs are pulled.
    pub(super) fn mark(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id)
            && !session.is_dirty
        {
            session.is_dirty = true;
            self.dirty.push_back(id);
        }
    }

    pub(super) fn answer(&mut self, conn: ConnId, answer: Answer) {
        self.outputs.push_back(Output::Answer(conn, answer));
    }
}
