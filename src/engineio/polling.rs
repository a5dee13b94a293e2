//! Long-polling: the poll that waits for packets, and the post that brings them.
//!
//! Requests that were admitted come in, and the packets of their bodies; each request is answered once, at once or later.
//! Never sees a head or a body: bodies are cut into packets above, and an [`Answer`] is dressed as HTTP there.
//! Left out: several polls or posts at a time. Their order could not be told, so the protocol ends the session.

use super::admission::Refusal;
use super::ending::Ending;
use super::incoming::Incoming;
use super::packet::{self, Packet};
use super::payload::Record;
use super::session::{Post, Reason, Session, Transport};
use super::{Engine, SessionId};
use crate::buffers::Shared;
use crate::reactor::ConnId;
use crate::time::Time;

/// What an HTTP request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Packets for the client, as text.
    Payload(Shared),
    /// Packets for the client, none of which is to be compressed.
    PlainPayload(Shared),
    /// Packets for a client of revision 3, as bytes.
    Bytes(Shared),
    /// A post was taken.
    Accepted,
    /// The error and its JSON.
    Refused(Refusal),
}

impl Answer {
    /// Text, compressible if one of the packets is, as in Node's server.
    pub(super) fn text<'p>(body: Shared, mut packets: impl Iterator<Item = &'p Packet>) -> Self {
        if packets.any(Packet::is_compressible) {
            Self::Payload(body)
        } else {
            Self::PlainPayload(body)
        }
    }
}

impl Engine {
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
        let is_slow = session.slow_since().is_some();
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
}
