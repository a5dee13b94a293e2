//! How a session begins.
//!
//! A request that was admitted comes in, perhaps with an id that was chosen for it; a session goes out, and its handshake to
//! the client.
//! Never knows what was asked for besides a transport and a revision.
//! Left out: a session that waits for somebody's leave; who may come is settled before a request gets here.

use super::packet::Packet;
use super::session::{Phase, Polling, Session, Transport, WebSocket};
use super::{Engine, Revision, SessionId, TransportName, sid_at};
use crate::reactor::ConnId;
use crate::sid::Sid;
use crate::time::Time;

impl Engine {
    /// A request that opens a session was admitted: by polling, the connection waits for the first answer; by WebSocket,
    /// it is one from now on. It gets an id of 120 random bits.
    pub fn opened(
        &mut self,
        now: Time,
        conn: ConnId,
        transport: TransportName,
        revision: Revision,
    ) -> SessionId {
        let sid = Sid::new(&mut self.random);
        let sid = self.mark.map_or(sid, |mark| sid.ending(mark));
        self.open(now, conn, transport, revision, sid)
    }

    /// As [`Engine::opened`], with an id that was chosen. Ids that are chosen do not end as [`Engine::mark_ids`] has said, so
    /// that from now on nobody can tell whose an unknown one is.
    ///
    /// # Panics
    /// If [`Engine::is_taken`] said that another session has it.
    pub fn opened_as(
        &mut self,
        now: Time,
        conn: ConnId,
        transport: TransportName,
        revision: Revision,
        sid: Sid,
    ) -> SessionId {
        assert!(!self.is_taken(sid), "an id names one session");
        self.mark = None;
        self.open(now, conn, transport, revision, sid)
    }

    fn open(
        &mut self,
        now: Time,
        conn: ConnId,
        transport: TransportName,
        revision: Revision,
        sid: Sid,
    ) -> SessionId {
        let transport = match transport {
            TransportName::Polling => Transport::Polling(Polling {
                get: Some(conn),
                ..Polling::default()
            }),
            TransportName::WebSocket => Transport::WebSocket(WebSocket::new(conn, None)),
        };
        let open = self.open_packet(sid, matches!(transport, Transport::Polling(_)));
        let id = self.sessions.insert(Session {
            sid,
            revision,
            transport,
            queue: None,
            heart: self.beating(now, revision),
            phase: Phase::Open,
            timer: None,
            is_dirty: false,
        });
        self.sids.insert(sid, id.slot(), sid_at(&self.sessions));
        self.counters.opened += 1;
        self.arm(id);
        self.send(now, id, &open);
        if let Some(text) = &self.config.initial_message {
            let message = Packet::message(|out| out.extend_from_slice(text.as_bytes()));
            self.send(now, id, &message);
        }
        // What the layer above says now comes with the next poll, as clients and suites are used to.
        self.flush(now, id);
        id
    }

    /// Whether a session has that id, also one that waits to be told of its end.
    #[must_use]
    pub fn is_taken(&self, sid: Sid) -> bool {
        self.sids.find(sid, sid_at(&self.sessions)).is_some()
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
