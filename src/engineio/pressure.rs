//! Clients that take less than they are sent: held back, and cut when nothing else helps.
//!
//! What waits is compared with the limits of [`config::Engine`](crate::config::Engine): above the soft one a client is not
//! read from, above the hard one, or above the soft one for too long, its session ends; and when all that waits is too
//! much, those for whom most waits go first.
//! Never knows what a packet says, only what it weighs.
//! Left out: dropping single packets. A client that lost one without knowing would be wrong for ever.

use super::ending::Ending;
use super::polling::Answer;
use super::session::{Phase, Post, Reason, Session, Transport};
use super::{Engine, Output, SessionId};
use crate::buffers;
use crate::time::Time;

impl Engine {
    /// Whether a packet that may be lost would leave now: volatile packets are dropped otherwise.
    #[must_use]
    pub fn is_writable(&self, id: SessionId) -> bool {
        let Some(session) = self.sessions.get(id) else {
            return false;
        };
        session.is_open()
            && session.waiting_bytes(self.turn) <= self.config.queue_bytes_soft_max
            && match &session.transport {
                Transport::Polling(polling) => polling.get.is_some(),
                Transport::WebSocket(websocket) => websocket.left == 0,
            }
    }

    /// Bytes that wait for all clients: a packet counts for each that it waits for. Looks at each session.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        let sessions = self.sessions.iter();
        let waiting = |(_, session): (SessionId, &Session)| session.waiting_bytes(self.turn);
        sessions.map(waiting).sum()
    }

    /// Bytes that wait for one client; none if it has gone.
    #[must_use]
    pub fn waiting_bytes_of(&self, id: SessionId) -> usize {
        let session = self.sessions.get(id);
        session.map_or(0, |session| session.waiting_bytes(self.turn))
    }

    /// What all packets on their way out weigh, each once however many it is for.
    #[must_use]
    pub fn packets_bytes(&self) -> usize {
        buffers::alive_bytes()
    }

    /// Compares what waits with the soft limit: above it a WebSocket is not read from and a post not answered.
    pub(super) fn weigh(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let is_over = session.kept_bytes() > self.config.queue_bytes_soft_max;
        match (is_over, session.slow_since()) {
            (true, None) => {
                session.phase = Phase::Slow { since: now };
                if let Transport::WebSocket(websocket) = &session.transport {
                    self.outputs.push_back(Output::Hold(websocket.conn));
                }
                self.arm(id);
            }
            (false, Some(_)) => {
                session.phase = Phase::Open;
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

    pub(super) fn cut(&mut self, now: Time, id: SessionId) {
        self.counters.slow_consumers += 1;
        self.end(now, id, Reason::SlowConsumer, Ending::Cut);
    }

    /// All packets together weigh too much: those for whom most waits are cut, until the rest is within the limit.
    ///
    /// What they had is given back when the loop has closed their connections, and what they shared with others not even
    /// then; so this is asked again only after an eighth of the limit has come on top.
    pub(super) fn relieve(&mut self, now: Time, alive_bytes: usize) {
        let max = self.config.queues_bytes_max;
        self.relieve_above = alive_bytes.saturating_add(max / 8);
        let mut over = alive_bytes - max;
        let turn = self.turn;
        let waiting = |(id, session): (SessionId, &Session)| (session.waiting_bytes(turn), id);
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
}
