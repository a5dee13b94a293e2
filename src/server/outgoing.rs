//! Events and answers on their way out: encoded once, sent to one or to many.
//!
//! A name and arguments come in; packets go to the sessions of those they are for, are kept for those who may come back
//! ([`super::recovery`]), and told to those who listen ([`super::events`]).
//! Knows no bytes of the transports.

use std::time::Duration;

use serde::Serialize;
use smallvec::SmallVec;

use super::App;
use super::acks::{AckError, Then, Waiting};
use super::core::{Core, Deferred, Due};
use super::views::EmitError;
use super::written::{self, Packets};
use crate::engineio::SessionId;
use crate::engineio::packet::Packet;
use crate::socketio::args::{self, Encoded};
use crate::socketio::packet::{self as wire, EventName, Kind, is_reserved};
use crate::socketio::{NamespaceId, SocketId, SocketKey};
#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// Arguments up to this size leave their memory for the next ones.
const ENCODED_BYTES_KEPT_MAX: usize = 64 * 1024;

/// How an event is to go.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// May be lost: goes only to those who could take it just now.
    pub(super) is_volatile: bool,
    /// Is not to be compressed, by either transport.
    pub(super) stays_plain: bool,
    /// Is for this node alone.
    pub(super) is_local: bool,
}

/// Names of rooms: nearly always one.
pub(super) type Rooms<'r> = SmallVec<[&'r str; 2]>;

/// Whom a broadcast is for.
pub(super) struct Audience<'r> {
    /// None if it is not there, and so nobody is in it.
    pub(super) namespace: Option<NamespaceId>,
    pub(super) to: Rooms<'r>,
    pub(super) except: Rooms<'r>,
    pub(super) sender: Option<SocketKey>,
}

impl<A: App> Core<A> {
    /// An event to one socket.
    pub(super) fn emit<T: Serialize + ?Sized>(
        &mut self,
        key: SocketKey,
        flags: Flags,
        event: &str,
        id: Option<u64>,
        values: &T,
    ) -> Result<(), EmitError> {
        let Some(namespace) = self.sockets.namespace_of(key) else {
            return Ok(());
        };
        if self.goes_around(flags, id) {
            let to = self.whom_alone(key, namespace);
            return match to.filter(|_| self.sockets.is_connected(key)) {
                Some(to) => self.send_around(to, flags, event, values),
                None => Ok(()),
            };
        }
        let offset = self.offset_for(id).filter(|_| !flags.is_volatile);
        let (packets, encoded) =
            self.event(namespace, flags, event, id, values, offset.as_deref())?;
        let can_take =
            |session: &SessionId| !flags.is_volatile || self.engine.is_writable(*session);
        if let Some(session) = self.session_of_connected(key).filter(can_take) {
            if let Some(own) = self.sockets.id(key).filter(|_| offset.is_some()) {
                self.keep_for(namespace, own, &packets);
            }
            self.send_all(session, &packets);
            self.overhear(namespace, &[key], event, &encoded);
        }
        self.use_again(encoded);
        Ok(())
    }

    fn send_all(&mut self, session: SessionId, packets: &Packets) {
        for packet in packets.iter() {
            self.engine.send(self.now.mono, session, packet);
        }
    }

    /// An event to one socket by its id, also to one that is away and may come back.
    pub(super) fn emit_to<T: Serialize + ?Sized>(
        &mut self,
        id: SocketId,
        event: &str,
        values: &T,
    ) -> Result<(), EmitError> {
        if let Some(key) = self.sockets.find(id) {
            return self.emit(key, Flags::default(), event, None, values);
        }
        let Some(namespace) = self.namespace_of_away(id) else {
            return Ok(());
        };
        let offset = self.offset_for(None);
        let flags = Flags::default();
        let (packets, _) = self.event(namespace, flags, event, None, values, offset.as_deref())?;
        self.keep_for(namespace, id, &packets);
        Ok(())
    }

    /// An event to many: encoded once, shared by all.
    pub(super) fn broadcast<T: Serialize + ?Sized>(
        &mut self,
        audience: &Audience<'_>,
        flags: Flags,
        event: &str,
        values: &T,
    ) -> Result<(), EmitError> {
        let sent_to = self.broadcast_as(audience, None, flags, event, values)?;
        self.give_back(sent_to);
        Ok(())
    }

    /// An event to many under a number that they answer by, or under none. Gives those it was sent to; the list may be
    /// [given back](Core::give_back).
    pub(super) fn broadcast_as<T: Serialize + ?Sized>(
        &mut self,
        audience: &Audience<'_>,
        id: Option<u64>,
        flags: Flags,
        event: &str,
        values: &T,
    ) -> Result<Vec<SocketKey>, EmitError> {
        let Some(namespace) = audience.namespace else {
            return Ok(Vec::new());
        };
        let offset = self.offset_for(id).filter(|_| !flags.is_volatile);
        let (packets, encoded) =
            self.event(namespace, flags, event, id, values, offset.as_deref())?;
        let packets = if self.config.engine.websocket_compression {
            packets.map(Packet::shared)
        } else {
            packets
        };
        if offset.is_some() {
            self.keep(audience, &packets);
        }
        let mut targets = self.select(audience);
        targets.retain(|key| {
            let Some(session) = self.sockets.connected_session(*key) else {
                return false;
            };
            if flags.is_volatile && !self.engine.is_writable(session) {
                return false;
            }
            self.send_all(session, &packets);
            true
        });
        self.overhear(namespace, &targets, event, &encoded);
        self.use_again(encoded);
        Ok(targets)
    }

    /// The sockets of an audience, the sender left out; to be [given back](Core::give_back).
    pub(super) fn select(&mut self, audience: &Audience<'_>) -> Vec<SocketKey> {
        let mut targets = std::mem::take(&mut self.targets);
        targets.clear();
        let Some(namespace) = audience.namespace else {
            return targets;
        };
        let adapter = self.sockets.adapter_mut(namespace);
        adapter.select(&audience.to, &audience.except, &mut targets);
        if let Some(sender) = audience.sender {
            targets.retain(|key| *key != sender);
        }
        targets
    }

    pub(super) fn give_back(&mut self, targets: Vec<SocketKey>) {
        self.targets = targets;
    }

    /// What an event carries for clients that may come back; one that is to be answered is not kept for them.
    fn offset_for(&self, id: Option<u64>) -> Option<String> {
        match id {
            Some(_) => None,
            None => self.next_offset(),
        }
    }

    /// Keeps the memory of small arguments for the next ones, but none of what they were.
    pub(super) fn use_again(&mut self, mut encoded: Encoded) {
        encoded.attachments.clear();
        if encoded.list.capacity() <= ENCODED_BYTES_KEPT_MAX {
            self.encoded = encoded;
        }
    }

    pub(super) fn event<T: Serialize + ?Sized>(
        &mut self,
        namespace: NamespaceId,
        flags: Flags,
        event: &str,
        id: Option<u64>,
        values: &T,
        offset: Option<&str>,
    ) -> Result<(Packets, Encoded), EmitError> {
        if is_reserved(event) {
            return Err(EmitError::Reserved(event.into()));
        }
        let mut encoded = std::mem::take(&mut self.encoded);
        args::encode_into(values, &mut encoded).map_err(EmitError::Arguments)?;
        let bare_bytes = encoded.list.len();
        if let Some(offset) = offset {
            let comma = if bare_bytes > 0 { "," } else { "" };
            encoded
                .list
                .extend_from_slice(format!("{comma}\"{offset}\"").as_bytes());
        }
        let (values, attachments) = (&encoded.list, &encoded.attachments);
        let name = EventName::from(event);
        let namespace = self.sockets.name(namespace);
        let parser = self.sockets.parser();
        let write = |out: &mut Vec<u8>, namespace: &str, id, count| {
            wire::write_event(out, namespace, id, count, &name, values);
        };
        let mut packets = written::packets(parser, Kind::Event, namespace, id, attachments, write);
        if flags.stays_plain {
            packets = packets.map(Packet::plain);
        }
        encoded.list.truncate(bare_bytes);
        Ok((packets, encoded))
    }

    /// The answer to a client's event.
    pub(super) fn answer<T: Serialize + ?Sized>(&mut self, key: SocketKey, id: u64, values: &T) {
        let Some(session) = self.session_of_connected(key) else {
            return;
        };
        let Some(namespace) = self.sockets.namespace_of(key) else {
            return;
        };
        let mut encoded = std::mem::take(&mut self.encoded);
        if let Err(error) = args::encode_into(values, &mut encoded) {
            return log::error!("an answer cannot be encoded: {error}");
        }
        let (values, attachments) = (&encoded.list, &encoded.attachments);
        let namespace = self.sockets.name(namespace);
        let parser = self.sockets.parser();
        let write = |out: &mut Vec<u8>, namespace: &str, _, count| {
            wire::write_ack(out, namespace, id, count, values);
        };
        let packets = written::packets(parser, Kind::Ack, namespace, Some(id), attachments, write);
        #[cfg(feature = "world")]
        let session = if world::is_planted(Bug::AnswerAnother) {
            let others = self.sockets.keys().filter(|other| *other != key);
            let mut others = others.filter_map(|other| self.session_of_connected(other));
            others.next().unwrap_or(session)
        } else {
            session
        };
        self.send_all(session, &packets);
        #[cfg(feature = "world")]
        if world::is_planted(Bug::AnswerTwice) {
            self.send_all(session, &packets);
        }
        self.use_again(encoded);
    }

    /// An event to one socket whose answer is awaited.
    pub(super) fn ask<T: Serialize + ?Sized>(
        &mut self,
        key: SocketKey,
        flags: Flags,
        event: &str,
        values: &T,
        within: Duration,
        then: Then<A>,
    ) {
        let Some(namespace) = self.sockets.namespace_of(key) else {
            return;
        };
        let id = self.sockets.next_ack(namespace);
        let is_free = self.acks.awaited_from(key) < self.config.socketio.acks_max;
        let refusal = if !self.sockets.is_connected(key) {
            Some(AckError::Disconnected)
        } else if !is_free {
            Some(AckError::TooMany)
        } else {
            None
        };
        let timer = self.arm(self.now.mono + within, Due::Ack(key, id));
        self.acks.insert(key, id, Waiting { then, timer });
        if let Some(refusal) = refusal {
            return self
                .deferred
                .push_back(Deferred::Unanswered(key, id, refusal));
        }
        if let Err(error) = self.emit(key, flags, event, Some(id), values) {
            log::error!("{error}");
            let unsent = Deferred::Unanswered(key, id, AckError::NotSent);
            self.deferred.push_back(unsent);
        }
    }
}
