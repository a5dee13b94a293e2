//! What the messages of a session are about.
//!
//! Messages come in, and are packets once their attachments are there; a packet becomes a [`Step`]: whom it concerns, and
//! what of. One that comes at the wrong time is [`OutOfOrder`].
//! Knows no handlers: what follows from a step is the switchboard's business.
//! Left out: the wire itself, which is [`super::packet`]'s, [`super::assembler`]'s, [`super::msgpack`]'s and
//! [`super::parser`]'s.

use bytes::Bytes;

use super::adapter::SocketKey;
use super::assembler::{Assembler, Complete};
use super::msgpack;
use super::packet::{Event, Kind, Packet, Violation};
use super::parser::{self, Message, Parser};
use super::sockets::{Phase, Refusal, Sockets};
use crate::config;
use crate::engineio::SessionId;

/// What a packet is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A new socket asks to be let in; the text is the JSON it brought, `{}` if none.
    Join(SocketKey, &'a str),
    /// It is not let in.
    Refused(&'a str, Refusal),
    /// It asked for a namespace that is not there, with this JSON: a parent may want to make it.
    NoNamespace(&'a str, &'a str),
    /// An event, and the number its answer goes by.
    Event(SocketKey, Event<'a>, Option<u64>),
    /// An answer to ours, by its number: the values without brackets.
    Answer(SocketKey, u64, &'a str),
    /// The client leaves the namespace.
    Leave(SocketKey),
    /// Nothing to do.
    Nothing,
}

/// A packet at the wrong time (before its CONNECT, a second CONNECT, one that only a server sends): the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

/// What a message has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A packet without attachments, as it stands in the message.
    Bare(Packet<'a>),
    /// A packet with all of its attachments.
    Complete(Complete),
    /// Nothing yet: more attachments are due, or the session is gone.
    Nothing,
}

/// Bytes that go with an event, in the order of their placeholders.
pub type Attachments<'a> = &'a [Bytes];

impl Sockets {
    /// Whether the session waits for attachments.
    #[must_use]
    pub fn is_assembling(&self, session: SessionId) -> bool {
        self.clients
            .get(session)
            .is_some_and(|client| client.assembler.is_waiting())
    }

    /// Bytes held for each packet whose attachments are due.
    #[cfg(feature = "world")]
    pub(crate) fn held_bytes(&self) -> impl Iterator<Item = usize> {
        let clients = self.clients.iter();
        clients.map(|(_, client)| client.assembler.held_bytes())
    }

    /// Bytes held for all packets whose attachments are due.
    #[must_use]
    pub const fn assembling_bytes(&self) -> usize {
        self.held_bytes
    }

    /// A text message of a session.
    ///
    /// # Errors
    /// If it is no packet.
    pub fn text<'a>(&mut self, session: SessionId, text: &'a str) -> Result<Parsed<'a>, Violation> {
        match &self.parser {
            Parser::Default => {}
            Parser::MessagePack => return Err(Violation::NotMessagePack),
            Parser::Custom(own) => {
                let message = Message::Text(text.into());
                return parser::read(&**own, &message, &self.config).map(Parsed::Complete);
            }
        }
        let packet = self.assemble(session, |assembler, limits| assembler.text(text, limits))?;
        Ok(packet.map_or(Parsed::Nothing, Parsed::Bare))
    }

    /// A binary message of a session.
    ///
    /// # Errors
    /// If it is no packet, or no packet waits for it.
    pub fn binary(
        &mut self,
        session: SessionId,
        bytes: &[u8],
    ) -> Result<Parsed<'static>, Violation> {
        match &self.parser {
            Parser::Default => {}
            Parser::MessagePack => {
                return msgpack::decode(bytes, &self.config).map(Parsed::Complete);
            }
            Parser::Custom(own) => {
                let message = Message::Binary(bytes.into());
                return parser::read(&**own, &message, &self.config).map(Parsed::Complete);
            }
        }
        let packet = self.assemble(session, |assembler, limits| assembler.binary(bytes, limits))?;
        Ok(packet.map_or(Parsed::Nothing, Parsed::Complete))
    }

    /// Gives a message to the session's assembler, and keeps count of what all of them hold.
    fn assemble<T>(
        &mut self,
        session: SessionId,
        take: impl FnOnce(&mut Assembler, &config::SocketIo) -> Result<Option<T>, Violation>,
    ) -> Result<Option<T>, Violation> {
        let Some(client) = self.clients.get_mut(session) else {
            return Ok(None);
        };
        self.held_bytes -= client.assembler.held_bytes();
        let outcome = take(&mut client.assembler, &self.config);
        self.held_bytes += client.assembler.held_bytes();
        outcome
    }

    /// The session that holds most for a packet whose attachments have not come, if all hold too much together: it is to go.
    #[must_use]
    pub fn holds_too_much(&self) -> Option<SessionId> {
        if self.held_bytes <= self.config.packets_bytes_max {
            return None;
        }
        let holders = self.clients.iter();
        holders
            .max_by_key(|(_, client)| client.assembler.held_bytes())
            .map(|(session, _)| session)
    }

    /// Finds out what a packet of a session is about. A CONNECT makes a joining socket.
    ///
    /// # Errors
    /// If the packet comes at the wrong time.
    pub fn step<'a>(
        &mut self,
        session: SessionId,
        packet: &Packet<'a>,
    ) -> Result<Step<'a>, OutOfOrder> {
        let key = self.in_namespace(session, packet.namespace);
        match (packet.kind, key) {
            (Kind::Connect, None) => Ok(self.connect(session, packet)),
            (Kind::Event | Kind::BinaryEvent, Some(key)) if self.is_connected(key) => Ok(packet
                .event()
                .map_or(Step::Nothing, |event| Step::Event(key, event, packet.id))),
            (Kind::Ack | Kind::BinaryAck, Some(key)) if self.is_connected(key) => {
                Ok(match (packet.id, packet.answers()) {
                    (Some(id), Some(values)) => Step::Answer(key, id, values),
                    _ => Step::Nothing,
                })
            }
            (Kind::Disconnect, Some(key)) => Ok(Step::Leave(key)),
            _ => Err(OutOfOrder),
        }
    }

    fn connect<'a>(&mut self, session: SessionId, packet: &Packet<'a>) -> Step<'a> {
        let (name, auth) = (packet.namespace, packet.data.unwrap_or("{}"));
        if name.len() > self.config.namespace_bytes_max {
            return Step::Refused(name, Refusal::InvalidNamespace);
        }
        match self.namespaces.find_exactly(name) {
            Some(namespace) => match self.join(session, namespace) {
                Ok(key) => Step::Join(key, auth),
                Err(refusal) => Step::Refused(name, refusal),
            },
            None if self.has_room(session) => Step::NoNamespace(name, auth),
            None => Step::Refused(name, Refusal::TooManyNamespaces),
        }
    }

    fn in_namespace(&self, session: SessionId, name: &str) -> Option<SocketKey> {
        let sockets = &self.clients.get(session)?.sockets;
        sockets.iter().copied().find(|key| {
            self.rows.get(*key).is_some_and(|row| {
                row.phase != Phase::Leaving && *self.namespaces.row(row.namespace).name == *name
            })
        })
    }
}
