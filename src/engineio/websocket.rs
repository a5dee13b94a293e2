//! A WebSocket as the transport of a session, or on probation to become it.
//!
//! Messages come in, and how much the kernel has left lying; what a message was goes to [`super::incoming`] or
//! [`super::upgrade`], by who sent it.
//! Never sees a frame on its way in, nor the handshake: both are over when a message gets here.
//! Left out: WebSockets that belong to no session.

use std::borrow::Cow;

use super::incoming::Incoming;
use super::packet::Decoded;
use super::payload::Record;
use super::session::{Polling, Reason, Session, Transport};
use super::{Engine, Output, SessionId};
use crate::reactor::ConnId;
use crate::time::Time;
use crate::websocket::Window;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

impl Engine {
    /// permessage-deflate was agreed on with this WebSocket, which has just been opened or offered to the session.
    pub fn deflates(&mut self, id: SessionId, conn: ConnId, window: Window) {
        let speaks = |session: &&mut Session| session.speaks_by(conn);
        let Some(session) = self.sessions.get_mut(id).filter(speaks) else {
            return;
        };
        match &mut session.transport {
            Transport::WebSocket(websocket) => websocket.window = Some(window),
            Transport::Polling(polling) => {
                if let Some(probe) = &mut polling.probe {
                    probe.window = Some(window);
                }
            }
        }
    }

    /// A text message has come by WebSocket.
    pub fn text<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        conn: ConnId,
        text: &'a str,
    ) -> Option<Incoming<'a>> {
        let session = self.sessions.get(id).filter(|session| session.is_open())?;
        let record = session.revision.text(text);
        match &session.transport {
            Transport::WebSocket(websocket) if websocket.conn == conn => {
                self.recorded(now, id, record)
            }
            Transport::Polling(Polling {
                probe: Some(probe), ..
            }) if probe.conn == conn => {
                match record {
                    Ok(Record::Text(Decoded::Ping("probe"))) => self.answer_probe(now, id),
                    Ok(Record::Text(Decoded::Upgrade)) => self.upgrade(now, id),
                    _ => self.drop_probe(id),
                }
                None
            }
            _ => None,
        }
    }

    /// A message of bytes has come by WebSocket.
    pub fn binary<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        conn: ConnId,
        bytes: Cow<'a, [u8]>,
    ) -> Option<Incoming<'a>> {
        let session = self.sessions.get(id).filter(|session| session.is_open())?;
        match &session.transport {
            Transport::WebSocket(websocket) if websocket.conn == conn => {
                let record = session.revision.bytes(bytes).map(Record::Binary);
                self.recorded(now, id, record)
            }
            Transport::Polling(Polling {
                probe: Some(probe), ..
            }) if probe.conn == conn => {
                self.drop_probe(id);
                None
            }
            _ => None,
        }
    }

    /// The WebSocket's peer has said goodbye, or broke a rule: `code` is what it is told.
    pub fn websocket_ended(
        &mut self,
        now: Time,
        id: SessionId,
        conn: ConnId,
        reason: Reason,
        code: u16,
    ) {
        // Who broke off in the same breath as an end before it was told to go already.
        let is_ours = |session: &Session| session.is_open() && session.speaks_by(conn);
        if !self.sessions.get(id).is_some_and(is_ours) {
            return;
        }
        self.outputs.push_back(Output::Close(conn, code));
        self.conn_gone(now, id, conn, reason);
    }

    /// The kernel did not take all that this WebSocket was sent.
    pub fn refused(&mut self, now: Time, id: SessionId, conn: ConnId, left: usize) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Transport::WebSocket(websocket) = &mut session.transport else {
            return;
        };
        if websocket.conn == conn {
            websocket.left = left;
            self.weigh(now, id);
        }
    }

    /// The kernel has taken all.
    pub fn drained(&mut self, id: SessionId, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Transport::WebSocket(websocket) = &mut session.transport else {
            return;
        };
        if websocket.conn == conn {
            websocket.left = 0;
            #[cfg(feature = "world")]
            if world::is_planted(Bug::LoseWakeUp) {
                return;
            }
            self.mark(id);
        }
    }
}
