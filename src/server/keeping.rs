//! Recovery where the carrier keeps what is said and who was cut off, for all nodes together.
//!
//! An event that may be recovered goes out first, and comes back to this node's own clients with its place in what was said by all;
//! who was cut off is given to the carrier, and asked for when somebody claims to be it. The socket that claims is joining
//! meanwhile. What is said between its session's coming back and its being let in is kept here ([`super::recovery`]'s log).
//! Knows no carrier by name. Left out: sockets that are at another node still, which does not know yet that they are gone.

use std::collections::HashMap;

use serde::Serialize;

use super::carrier::{Claim, KeptSession, MissedEvent};
use super::cluster::{Whom, Wish};
use super::core::{Core, Deferred, Joining};
use super::nodes::encoded;
use super::outgoing::{Audience, Flags};
use super::recovery::NotRecovered;
use super::views::EmitError;
use super::{App, Server};
use crate::engineio::packet::Packet;
use crate::sid::Sid;
use crate::socketio::packet::is_reserved;
use crate::socketio::{NamespaceId, SocketId, SocketKey};

/// What the carrier says of a claim.
pub(super) type Outcome = Result<Box<(KeptSession, Vec<MissedEvent>)>, NotRecovered>;

/// What recovery needs for it.
#[derive(Default)]
pub(super) struct Elsewhere {
    /// Whether the carrier sees to it.
    pub(super) is_on: bool,
    /// The place of the event that is being sent.
    pub(super) given: Option<Box<str>>,
    /// Whose the claims are that were not decided.
    pub(super) claims: HashMap<u64, SocketKey>,
    /// What those who are being let in had missed when their sessions came back.
    pub(super) missed: HashMap<SocketKey, Vec<Packet>>,
}

impl<A: App> Server<A> {
    /// Asks for what a joining socket had, if it claims something and the carrier keeps it; says whether it did.
    pub(super) fn claims(&mut self, key: SocketKey, auth: &str) -> bool {
        if !self.core.is_kept_elsewhere() {
            return false;
        }
        let Some((pid, offset)) = super::recovery::claimed(auth) else {
            return false;
        };
        if let Some(zombie) = pid.and_then(|pid| self.core.zombie(pid, key)) {
            self.core.end_session_of(zombie);
            self.settle();
        }
        let Some(pid) = pid else {
            self.core.not_recovered(key, NotRecovered::Unknown);
            return false;
        };
        let joining = Joining {
            auth: auth.into(),
            step: 0,
            timer: None,
        };
        self.core.joining.insert(key, joining);
        self.core.data.insert(key, A::Data::default());
        self.core.claim(key, pid, &offset);
        true
    }

    /// What became of a claim.
    pub(super) fn claimed(&mut self, ticket: u64, outcome: Outcome) {
        let claims = self.core.recovery.as_mut();
        let claims = claims.map(|recovery| &mut recovery.elsewhere.claims);
        let Some(key) = claims.and_then(|claims| claims.remove(&ticket)) else {
            return;
        };
        if !self.core.joining.contains_key(&key) {
            // It has gone again meanwhile, and may come back once more.
            if let Ok(kept) = outcome {
                self.core.keep_elsewhere(kept.0);
            }
            return;
        }
        let restored = outcome.and_then(|kept| self.core.restore(key, *kept));
        if let Err(why) = restored {
            self.core.not_recovered(key, why);
        }
        if self.is_authorized(key) {
            self.core.joining.remove(&key);
            return self.let_in(key);
        }
        self.authorize(key);
    }

    /// An event of whichever node, with its place in what was said.
    pub(super) fn heard_at(&mut self, wish: Wish, offset: Box<str>) {
        self.core.give(Some(offset));
        self.heard(wish);
        self.core.give(None);
    }
}

impl<A: App> Core<A> {
    pub(super) fn is_kept_elsewhere(&self) -> bool {
        let recovery = self.recovery.as_ref();
        recovery.is_some_and(|recovery| recovery.elsewhere.is_on)
    }

    fn give(&mut self, offset: Option<Box<str>>) {
        if let Some(recovery) = &mut self.recovery {
            recovery.elsewhere.given = offset;
        }
    }

    /// Whether an event goes out first, and to our own sockets when it comes back.
    pub(super) fn goes_around(&self, flags: Flags, id: Option<u64>) -> bool {
        id.is_none() && !flags.is_volatile && !flags.is_local && self.is_kept_elsewhere()
    }

    /// Sends an event around.
    pub(super) fn send_around<T: Serialize + ?Sized>(
        &mut self,
        to: Whom,
        flags: Flags,
        event: &str,
        values: &T,
    ) -> Result<(), EmitError> {
        if is_reserved(event) {
            return Err(EmitError::Reserved(event.into()));
        }
        self.utter(Wish::Emit {
            to,
            event: event.into(),
            values: encoded(values)?,
            is_volatile: false,
            stays_plain: flags.stays_plain,
            request: None,
        });
        Ok(())
    }

    /// One socket, as an audience of all nodes: by its own room.
    pub(super) fn whom_alone(&self, key: SocketKey, namespace: NamespaceId) -> Option<Whom> {
        let id = self.sockets.id(key)?;
        let own = Audience {
            namespace: Some(namespace),
            to: [id.as_str()].into_iter().collect(),
            except: Default::default(),
            sender: None,
        };
        self.whom(&own)
    }

    fn claim(&mut self, key: SocketKey, pid: Sid, offset: &str) {
        let ticket = self.number();
        let Some(namespace) = self.sockets.namespace_of(key) else {
            return;
        };
        let claim = Claim {
            ticket,
            namespace: self.sockets.name(namespace).into(),
            pid,
            offset: offset.into(),
        };
        if let Some(recovery) = &mut self.recovery {
            recovery.elsewhere.claims.insert(ticket, key);
        }
        if let Some(carrier) = &mut self.carrier {
            carrier.claimed(self.now, claim);
        }
    }

    /// Gives a session to the carrier.
    pub(super) fn keep_elsewhere(&mut self, session: KeptSession) {
        if let Some(carrier) = &mut self.carrier {
            carrier.went_away(self.now, session);
        }
    }

    /// A socket was cut off.
    pub(super) fn keep_elsewhere_with(
        &mut self,
        namespace: NamespaceId,
        id: SocketId,
        pid: Sid,
        rooms: &[Box<str>],
        data: &A::Data,
    ) {
        let data = match serde_json::to_string(data) {
            Ok(data) => data.into(),
            Err(error) => return log::error!("a socket's data cannot be written: {error}"),
        };
        let namespace = self.sockets.name(namespace).into();
        self.keep_elsewhere(KeptSession {
            pid,
            id,
            namespace,
            rooms: rooms.to_vec(),
            data,
        });
    }

    /// Gives a joining socket back what it had.
    fn restore(
        &mut self,
        key: SocketKey,
        (session, missed): (KeptSession, Vec<MissedEvent>),
    ) -> Result<(), NotRecovered> {
        let namespace = self.sockets.namespace_of(key);
        let namespace = namespace.ok_or(NotRecovered::Unknown)?;
        let is_here = self.sockets.find(session.id).is_some();
        let data = serde_json::from_str(&session.data);
        let data = data
            .ok()
            .filter(|_| !is_here)
            .ok_or(NotRecovered::Unknown)?;
        let mut packets = Vec::new();
        for event in &missed {
            packets.extend(self.missed_packets(namespace, event));
        }
        self.data.insert(key, data);
        self.sockets.rename(key, session.id);
        for room in &session.rooms {
            self.sockets.join_room(key, room);
        }
        self.recovered_elsewhere(key, session.pid, packets);
        Ok(())
    }

    fn missed_packets(&mut self, namespace: NamespaceId, missed: &MissedEvent) -> Vec<Packet> {
        let MissedEvent {
            offset,
            event,
            values,
        } = missed;
        let flags = Flags::default();
        let packets = values.are_json().then(|| {
            let packets = self.event(namespace, flags, event, None, &values.args(), Some(offset));
            let (packets, encoded) = packets.ok()?;
            self.use_again(encoded);
            Some(packets.iter().cloned().collect())
        });
        packets.flatten().unwrap_or_default()
    }

    pub(super) fn told_of_claim(&mut self, ticket: u64, outcome: Outcome) {
        let told = Deferred::Claimed(ticket, Box::new(outcome));
        self.deferred.push_back(told);
    }
}
