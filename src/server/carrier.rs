//! Who carries what nodes tell each other, on the same loop: the other way beside [`Server::on_wish`].
//!
//! A [`Carrier`] is a state machine over bytes and time. Wishes of this node go in ([`super::cluster`]), with what its
//! connections bring and which namespaces there are; what the other nodes wish comes out, with what is to be done to the
//! connections. It has no socket, no clock and no thread: the server does for it what it asks for.
//! Knows no protocol; one that comes with the crate is `cluster::Redis`.
//! Left out: more than one carrier for one server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::away_rooms::AwayRooms;
use super::cluster::{Request, Values, Wish};
use super::core::{Core, Deferred};
use super::recovery::{NotRecovered, Recovery};
use super::views::{Context, Io};
use super::{App, Server};
use crate::reactor::lanes::{Names, Outcome};
use crate::reactor::{Action, Close, ConnId, Peer, Tag};
use crate::sid::Sid;
use crate::socketio::namespaces::Presence;
use crate::socketio::{NamespaceId, SocketId, Sockets};
use crate::time::{Now, Time};

/// Carries wishes to other nodes and back. What it is told is in order; what it wants is taken with [`Carrier::poll`] after
/// each call.
pub trait Carrier {
    /// Before everything else, once: 32 secret bytes for names of its own.
    fn seeded(&mut self, seed: [u8; 32]);
    /// A namespace is here from now on, or not any more.
    fn namespace(&mut self, now: Now, name: &str, presence: Presence);
    /// Whether it wants to know which rooms there are.
    fn has_rooms(&self) -> bool {
        false
    }
    /// A room of a namespace that is here has somebody from now on who is in it or may come back to it, or nobody any more; this
    /// may be said again. Told only to who wants to know.
    fn room(&mut self, now: Now, namespace: &str, room: &str, presence: Presence) {
        let _ = (now, namespace, room, presence);
    }
    /// This node wishes something of the others.
    fn said(&mut self, now: Now, wish: Wish);
    /// Recovery is configured: who is cut off may come back for so long. Says whether the carrier sees to it, for all nodes:
    /// then it keeps what is said and who was cut off. Each event that may be recovered comes back from it, also to the node
    /// that said it ([`Carried::HearAt`]), in one order everywhere; and so does each session that is claimed.
    fn recovers(&mut self, within: Duration) -> bool {
        let _ = within;
        false
    }
    /// A socket was cut off, and may come back. Told only to who sees to it.
    fn went_away(&mut self, now: Now, session: KeptSession) {
        let _ = (now, session);
    }
    /// Somebody has come back; what became of it is to be said by [`Carried::Claimed`], once. Told only to who sees to it.
    fn claimed(&mut self, now: Now, claim: Claim) {
        let _ = (now, claim);
    }
    /// The addresses of a name that was asked for by [`Carried::Resolve`].
    fn resolved(&mut self, now: Now, addresses: io::Result<Vec<SocketAddr>>);
    /// A connection was made, or not, that was asked for by [`Carried::Connect`].
    fn connected(&mut self, now: Now, tag: Tag, result: io::Result<ConnId>);
    /// Takes whole things off the front and says how many bytes that was; what is left is shown again with more behind it.
    fn received(&mut self, now: Now, conn: ConnId, input: &[u8], here: &dyn Here) -> usize;
    /// A connection has ended.
    fn closed(&mut self, now: Now, conn: ConnId, why: io::Result<()>);
    /// The deadline has come.
    fn elapsed(&mut self, now: Now);
    /// This node ends: the others are not to wait for it.
    fn stopped(&mut self, now: Now);
    /// When to call `elapsed` next.
    fn deadline(&self) -> Option<Time>;
    /// The next thing that it wants, until `None`.
    fn poll(&mut self) -> Option<Carried>;
    /// How it is doing.
    fn status(&self) -> CarrierStatus;
}

/// Who is here, for a carrier that need not read what is for nobody.
pub trait Here {
    /// Whether anybody of a namespace is in a room, or may come back to it.
    fn has_room(&self, namespace: &str, room: &str) -> bool;
}

/// What a carrier wants.
#[derive(Debug)]
pub enum Carried {
    /// Another node wishes this.
    Hear(Wish),
    /// A node wishes this, this one perhaps: an event, with the text that says its place in all that was said.
    HearAt(Wish, Box<str>),
    /// What became of a claim, by its ticket: a session, and what its client has missed up to what was heard by this node so far.
    Claimed(
        u64,
        Result<Box<(KeptSession, Vec<MissedEvent>)>, NotRecovered>,
    ),
    /// A question was put, and so many other nodes have heard it.
    Awaited(Request, usize),
    /// A question was not put: so many other nodes will not reply.
    NotAsked(Request, usize),
    /// There are so many other nodes.
    OtherNodes(usize),
    /// The addresses of a host's name, with a port.
    Resolve(Box<str>, u16),
    /// A connection.
    Connect(Tag, SocketAddr),
    /// Bytes to a connection.
    Send(ConnId, Bytes),
    /// The end of a connection, at once.
    Close(ConnId),
    /// The end of a connection, when all has gone that was sent.
    Finish(ConnId),
}

/// What is kept of a socket that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSession {
    /// The secret name by which its client comes back.
    pub pid: Sid,
    /// Its id.
    pub id: SocketId,
    /// The name of its namespace.
    pub namespace: Box<str>,
    /// The rooms it was in, its own included.
    pub rooms: Vec<Box<str>>,
    /// Its data as JSON.
    pub data: Box<str>,
}

/// A client that says that it was here, or at another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is called here.
    pub ticket: u64,
    /// The name of the namespace.
    pub namespace: Box<str>,
    /// The secret name.
    pub pid: Sid,
    /// The place of the last event that it has heard.
    pub offset: Box<str>,
}

/// An event that a client has missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedEvent {
    /// Its place.
    pub offset: Box<str>,
    /// Its name.
    pub event: Box<str>,
    /// Its arguments.
    pub values: Values,
}

/// Whether the other nodes hear this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum CarrierState {
    /// Not yet: the first connection is being made.
    #[default]
    Joining,
    /// They do.
    Joined,
    /// Not any more. Sockets of this node hear each other; what it says to others is lost, and counted.
    Degraded,
}

/// How a carrier is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CarrierStatus {
    /// Whether the other nodes hear this one.
    pub state: CarrierState,
    /// How many there were when it was last counted.
    pub other_nodes: usize,
    /// Connections that were made and greeted.
    pub joined: u64,
    /// What was said to others.
    pub said: u64,
    /// What others did not hear, since they could not be reached or too much was waiting.
    pub unsaid: u64,
    /// What others said.
    pub heard: u64,
    /// What came that no node could have meant: of another protocol, broken, or beyond a limit.
    pub ignored: u64,
    /// Bytes that were said and that the other end has not confirmed.
    pub waiting_bytes: usize,
}

impl<A: App> Server<A> {
    /// What this node has to say to others is carried by this, and what they say comes by it. It takes the place of
    /// [`Server::on_wish`].
    ///
    /// Ids of Engine.IO sessions then end in four characters that are this node's, so that a request for a session
    /// of another one is answered with words that say so.
    pub fn carried_by(&mut self, mut carrier: impl Carrier + 'static) -> &mut Self {
        let core = &mut self.core;
        carrier.seeded(core.seed());
        core.nodes.is_heard = true;
        core.nodes.is_counted = true;
        if let Some(recovery) = &mut core.recovery {
            recovery.elsewhere.is_on = carrier.recovers(recovery.within());
        }
        let [a, b, c, ..] = core.seed();
        core.engine.mark_ids([a, b, c]);
        core.sockets.namespaces_mut().tell_presence();
        if carrier.has_rooms() {
            core.sockets.namespaces_mut().tell_rooms();
        }
        core.carrier = Some(Box::new(carrier));
        self
    }

    /// A thread for names, if anything here needs one.
    pub(super) fn name_lanes(&mut self) {
        if self.core.carrier.is_some() {
            self.core.names = Some(self.lane("names", 1, || Names));
        }
    }

    pub(super) fn carrier_received(&mut self, conn: ConnId, input: &[u8]) -> usize {
        let core = &mut self.core;
        let Some(carrier) = &mut core.carrier else {
            return input.len();
        };
        let here = HereNow {
            sockets: &core.sockets,
            away: core.recovery.as_ref().map(Recovery::away_rooms),
        };
        let taken = carrier.received(core.now, conn, input, &here);
        self.settle();
        taken
    }
}

struct HereNow<'a> {
    sockets: &'a Sockets,
    /// The rooms of those who may come back.
    away: Option<&'a AwayRooms>,
}

impl HereNow<'_> {
    fn has(&self, namespace: NamespaceId, room: &str) -> bool {
        let is_awaited = || self.away.is_some_and(|away| away.has(namespace, room));
        self.sockets.adapter(namespace).size(room) > 0 || is_awaited()
    }
}

impl Here for HereNow<'_> {
    fn has_room(&self, namespace: &str, room: &str) -> bool {
        let id = self.sockets.namespaces().find(namespace);
        id.is_some_and(|id| self.has(id, room))
    }
}

impl<A: App> Io<'_, A> {
    /// How the carrier of this server is doing, if it has one.
    #[must_use]
    pub fn carrier(&self) -> Option<CarrierStatus> {
        Some(self.core.carrier.as_ref()?.status())
    }
}

impl<A: App> Core<A> {
    /// Does the next thing that the carrier wants; says whether there was one.
    pub(super) fn carry(&mut self) -> bool {
        let Some(carrier) = &mut self.carrier else {
            return false;
        };
        while let Some((name, presence)) = self.sockets.namespaces_mut().poll_presence() {
            carrier.namespace(self.now, &name, presence);
        }
        while let Some((namespace, room)) = self.sockets.namespaces_mut().poll_room() {
            let here = HereNow {
                sockets: &self.sockets,
                away: self.recovery.as_ref().map(Recovery::away_rooms),
            };
            let presence = match here.has(namespace, &room) {
                true => Presence::Came,
                false => Presence::Went,
            };
            carrier.room(self.now, self.sockets.name(namespace), &room, presence);
        }
        let Some(wanted) = carrier.poll() else {
            return false;
        };
        match wanted {
            Carried::Hear(wish) => self.hear(wish),
            Carried::Awaited(request, count) => self.awaits(request, count),
            Carried::NotAsked(request, missing) => self.not_asked(request, missing),
            Carried::OtherNodes(count) => self.set_other_nodes(count),
            Carried::Resolve(host, port) => self.resolve(host, port),
            Carried::Connect(tag, address) => {
                let connect = Action::Connect(tag, Peer::Tcp(address));
                self.actions.push_back(connect);
            }
            Carried::Send(conn, bytes) => self.send(conn, bytes.into()),
            Carried::HearAt(wish, offset) => {
                let heard = Deferred::HeardAt(Box::new((wish, offset)));
                self.deferred.push_back(heard);
            }
            Carried::Claimed(ticket, outcome) => self.told_of_claim(ticket, outcome),
            Carried::Finish(conn) => self.actions.push_back(Action::Close(conn, Close::Flush)),
            Carried::Close(conn) => self.actions.push_back(Action::Close(conn, Close::Reset)),
        }
        true
    }

    fn resolve(&mut self, host: Box<str>, port: u16) {
        let Some(lane) = self.names else {
            return self.told_addresses(Err(io::ErrorKind::Unsupported.into()));
        };
        let job = lane.job(move |names| names.addresses(&host, port));
        let then = |context: &mut Context<'_, A>, outcome: Outcome| {
            let found = outcome.ok().and_then(|found| found.downcast().ok());
            let none = || Err(io::ErrorKind::ResourceBusy.into());
            context
                .io
                .core
                .told_addresses(found.map_or_else(none, |found| *found));
        };
        self.run(lane.id(), job, Box::new(then));
    }

    fn told_addresses(&mut self, addresses: io::Result<Vec<SocketAddr>>) {
        if let Some(carrier) = &mut self.carrier {
            carrier.resolved(self.now, addresses);
        }
    }

    pub(super) fn carrier_elapsed(&mut self) {
        let now = self.now;
        if let Some(carrier) = &mut self.carrier
            && carrier.deadline().is_some_and(|at| at <= now.mono)
        {
            carrier.elapsed(now);
        }
    }
}
