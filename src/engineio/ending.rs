//! How a session ends, whoever ends it.
//!
//! The wish to end it comes in, or the news that its client has, or that its connection is gone; out go a last word as far as
//! the client can still hear one, and the reason, once.
//! Never knows what an application does about it.
//! Left out: a time to answer. A goodbye is not acknowledged in this protocol.

use std::collections::VecDeque;

use super::packet::Packet;
use super::polling::Answer;
use super::session::{Phase, Post, Reason, Transport};
use super::{Engine, Output, SessionId, sid_at};
use crate::reactor::ConnId;
use crate::time::Time;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// How a session that we end goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Told everything that waits, then that it is over.
    Orderly,
    /// Told only that it is over, if something listens just now.
    Abrupt,
    /// Not told anything.
    Cut,
}

impl Engine {
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

    /// A connection that carried this session has gone.
    pub fn conn_closed(&mut self, now: Time, id: SessionId, conn: ConnId) {
        self.conn_gone(now, id, conn, Reason::TransportClose);
    }

    /// As [`Engine::conn_closed`], with a reason of its own if it was the WebSocket.
    pub(super) fn conn_gone(
        &mut self,
        now: Time,
        id: SessionId,
        conn: ConnId,
        websocket_reason: Reason,
    ) {
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

    /// The client has sent a close packet.
    pub(super) fn client_closed(&mut self, now: Time, id: SessionId) {
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

    /// What waits goes first and alone: the official client tells its application of a message only after it has read the
    /// whole answer, and of nothing any more once there was a close packet in it.
    pub(super) fn bid_farewell(&mut self, id: SessionId, conn: ConnId) {
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

    /// Ends a session that is open, for whichever reason; of one that has ended nothing is said twice.
    pub(super) fn end(&mut self, now: Time, id: SessionId, reason: Reason, ending: Ending) {
        let Some(session) = self
            .sessions
            .get_mut(id)
            .filter(|session| session.is_open())
        else {
            return;
        };
        self.ended.push_back((id, reason));
        let (queue, revision) = (session.take_queue(), session.revision);
        match &mut session.transport {
            Transport::WebSocket(websocket) => {
                let conn = websocket.conn;
                if ending == Ending::Orderly {
                    for packet in queue {
                        let frame =
                            websocket.hand_down(self.turn, revision, &packet, &mut self.deflater);
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
        session.put_back(queue);
        session.phase = Phase::Farewell {
            until: now + self.config.farewell_within,
        };
        self.arm(id);
    }

    /// Nothing is left to be said to this client.
    pub(super) fn forget(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        self.sids.remove(session.sid, sid_at(&self.sessions));
        let Some(session) = self.sessions.remove(id) else {
            return;
        };
        if let Some(timer) = session.timer {
            self.timers.cancel(timer);
        }
    }
}
