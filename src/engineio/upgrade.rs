//! How a session goes on by WebSocket.
//!
//! A WebSocket that was offered comes in, and the two packets by which it proves itself; while it does, a poll is answered
//! with nothing, so that the client can leave polling behind. What waited goes on by the new way, in its order.
//! Never knows why a client upgrades, or that it could.
//! Left out: the way back. No client asks for it.

use std::time::Duration;

use super::packet::Packet;
use super::polling::Answer;
use super::session::{Polling, Post, Probe, Session, Transport, WebSocket};
use super::{Engine, Output, SessionId};
use crate::reactor::ConnId;
use crate::time::Time;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// How often a poll is answered with nothing while a WebSocket probes; the official server looks as often.
const NOOP_EVERY: Duration = Duration::from_millis(100);

impl Engine {
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

    /// The WebSocket asked whether we hear it: we do.
    pub(super) fn answer_probe(&mut self, now: Time, id: SessionId) {
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

    /// The WebSocket takes over, with all that waits; a parked poll and a held post are answered.
    pub(super) fn upgrade(&mut self, now: Time, id: SessionId) {
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
        session.transport = Transport::WebSocket(WebSocket::new(conn, window));
        #[cfg(feature = "world")]
        if world::is_planted(Bug::LosePacketAtUpgrade) {
            session
                .queue
                .as_mut()
                .map(|queue| queue.packets.pop_front());
        }
        #[cfg(feature = "world")]
        if world::is_planted(Bug::ReorderAtUpgrade) {
            let mut queue = session.take_queue();
            queue.make_contiguous().reverse();
            session.put_back(queue);
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

    /// The WebSocket did not prove itself.
    pub(super) fn drop_probe(&mut self, id: SessionId) {
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

    /// While a probe is under way, a poll is answered with nothing, so that the client can leave polling behind; one that
    /// goes on polling is not answered at the speed of its line.
    pub(super) fn excuse_poll(&mut self, now: Time, id: SessionId) {
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
}
