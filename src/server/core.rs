//! Everything of the server but the application and its handlers: what a handler is lent.
//!
//! The cores side by side, the rows that join them (connections, handshakes, data), and the closures that wait. Methods here
//! are what the views and the dispatcher share: to send, to broadcast, to answer, to end.
//! Knows no handler; closures that wait are called by the dispatcher.

use std::any::Any;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::acks::{AckError, Acks, Then};
use super::arrivals::Arrivals;
use super::carrier::Carrier;
use super::cluster::Wish;
use super::events::Said;
use super::gathering::{Ended, Gatherings};
use super::handshake::Handshake;
use super::hooks;
use super::keeping;
use super::metrics::{Lag, TurnLog};
use super::nodes::Nodes;
use super::posts::Form;
use super::recovery::Recovery;
use super::refusals::{Refusals, Refused};
use super::sending::Feeder;
use super::shutdown::Stopping;
use super::taking::Taker;
use super::views::{Context, RequestId};
use super::{App, written};
use crate::buffers::Shared;
use crate::config::Config;
use crate::engineio::{self, Engine, Session, SessionId};
use crate::http::{self, Coding, Compressor, Headers};
use crate::reactor::lanes::{Lane, Names};
use crate::reactor::{Action, ConnId, JobId, Peer, Stream};
use crate::sid::Sid;
use crate::slots::Side;
use crate::socketio::args::Encoded;
use crate::socketio::packet::{self as wire, Kind};
use crate::socketio::{NamespaceId, Phase, Reason, SocketKey, SocketRow, Sockets};
use crate::time::{Now, Time};
use crate::timers::{TimerId, Timers};
use crate::websocket::{self, Inflater, Window};
#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// One connection, as far as it has a state.
#[derive(Serialize, Deserialize)]
pub(super) struct Conn {
    pub(super) protocol: Protocol,
    /// None once no request can come any more.
    pub(super) asking: Option<Box<Asking>>,
    /// The session that this connection speaks for, or whose request it waits for.
    pub(super) session: Option<SessionId>,
    #[serde(skip)]
    pub(super) timer: Option<TimerId>,
    /// Counts the requests that a route answers later, so that a late answer finds its own request or none.
    pub(super) visit: u32,
    /// Whether bytes are left that nobody looks at before the answer is out.
    pub(super) has_more: bool,
    /// Whether the kernel refused bytes and has not taken them yet.
    pub(super) is_stuck: bool,
    /// Bytes held of a body or a message whose end has not come.
    pub(super) unfinished_bytes: u32,
    /// Bytes of answers that the kernel refused, or that it was not offered yet.
    pub(super) waiting_bytes: usize,
    /// The window of a WebSocket with which permessage-deflate was agreed on.
    pub(super) window: Option<Window>,
    /// The payload of the latest ping that was not answered yet.
    pub(super) pong: Option<Box<[u8]>>,
}

/// What only a connection has that requests come from: beside an idle WebSocket it would be a third of its row.
#[derive(Serialize, Deserialize)]
pub(super) struct Asking {
    pub(super) peer: Peer,
    /// How the answer in hand may be compressed.
    pub(super) coding: Coding,
    /// What the answer to the engine's request in hand has besides its own headers.
    pub(super) headers: Headers,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Protocol {
    Http(http::Connection),
    WebSocket(websocket::Reader),
}

/// A post with more packets than one turn bears.
#[derive(Serialize, Deserialize)]
pub(super) struct Posted {
    pub(super) conn: ConnId,
    pub(super) session: SessionId,
    pub(super) form: Form,
    pub(super) body: Box<[u8]>,
    /// The head of its request, if somebody may ask for it.
    pub(super) head: Option<Box<[u8]>>,
    /// Where the next packet starts.
    pub(super) at: usize,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A request's parts, or the next request.
    Http(ConnId),
    /// A session's first namespace.
    Connect(SessionId),
    /// A packet's attachments.
    Attachments(SessionId),
    /// A client's answer.
    Ack(SocketKey, u64),
    /// The answers to a broadcast.
    Gathering(NamespaceId, u64),
    /// The replies of other nodes.
    Nodes(u64),
    /// A decision about a joining socket.
    Decision(SocketKey),
    /// The time of a socket that is away.
    Away(Sid),
    /// A decision about a request that would open a session.
    Admission(ConnId),
    /// A closure.
    After(u64),
    /// The end of the time for goodbyes.
    Drained,
}

/// What happened inside a handler and is told after it.
#[derive(Debug)]
pub(super) enum Deferred {
    Left(SocketKey, Reason),
    Decided(SocketKey, super::Verdict),
    Allowed(RequestId, super::Verdict),
    Unanswered(SocketKey, u64, AckError),
    /// An event that went to a socket, for those who listen to that.
    Said(SocketKey, Rc<Said>),
    /// An answer in pieces that somebody feeds from now on.
    Feed(RequestId),
    /// A body in pieces that may be taken.
    Take(RequestId),
    /// What another node wishes.
    Heard(Box<Wish>),
    /// An event of whichever node, with its place in what was said by all.
    HeardAt(Box<(Wish, Box<str>)>),
    /// What became of a claim.
    Claimed(u64, Box<keeping::Outcome>),
    /// A session, after its sockets.
    Gone(SessionId),
    Stop,
}

pub(super) type Later<A> = Box<dyn FnOnce(&mut Context<'_, A>)>;
type Finished<A> = Box<dyn FnOnce(&mut Context<'_, A>, thread::Result<Box<dyn Any + Send>>)>;

/// A socket that is being authorized.
pub(super) struct Joining {
    pub(super) auth: Box<str>,
    pub(super) step: usize,
    pub(super) timer: Option<TimerId>,
}

/// Numbers of the whole server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Connections closed as they came: too many in all, or from one address.
    pub connections_turned_away: u64,
    /// Connections closed because too much was kept of all, and most of them.
    pub connections_cut: u64,
    /// Sessions not opened because their address had opened too many just before.
    pub handshakes_throttled: u64,
    /// Requests answered.
    pub requests: u64,
    /// Requests of Engine.IO that were refused, by the code that they were answered with.
    pub refusals: Refusals,
    /// Connections refused because a rule of HTTP or WebSocket was broken.
    pub violations: u64,
    /// Sessions closed because packets whose attachments had not come held too much together.
    pub packets_dropped: u64,
    /// Answers that were cut, since their client took nothing or, of those in pieces, too much waited for all.
    pub answers_cut: u64,
    /// Handlers that panicked.
    pub panics: u64,
}

pub(super) struct Core<A: App> {
    pub(super) now: Now,
    pub(super) config: Config,
    pub(super) engine: Engine,
    pub(super) sockets: Sockets,
    pub(super) conns: Side<Stream, Conn>,
    /// Requests that would open a session, until they are allowed to.
    pub(super) waiting: Side<Stream, hooks::Waiting>,
    /// Boxed: they are large, and many are not kept for long.
    pub(super) handshakes: Side<Session, Box<Handshake>>,
    pub(super) connect_timers: BTreeMap<SessionId, TimerId>,
    /// The deadlines of attachments.
    pub(super) assembling: BTreeMap<SessionId, TimerId>,
    /// Sessions without Socket.IO, and the path they came by.
    pub(super) raw: Side<Session, usize>,
    /// What is known of a session's end besides its reason.
    pub(super) details: Side<Session, Box<str>>,
    pub(super) posts: VecDeque<Posted>,
    pub(super) data: Side<SocketRow, A::Data>,
    pub(super) joining: HashMap<SocketKey, Joining>,
    /// While it is configured.
    pub(super) recovery: Option<Recovery<A>>,
    pub(super) acks: Acks<A>,
    pub(super) gatherings: Gatherings<A>,
    /// Gatherings that have ended and whose closures are to be called.
    pub(super) gathered: VecDeque<Ended<A>>,
    /// Who makes answers in pieces, and who takes bodies in pieces.
    pub(super) feeders: BTreeMap<ConnId, Feeder<A>>,
    pub(super) takers: BTreeMap<ConnId, Taker<A>>,
    /// Bytes of all answers in pieces that wait for their clients.
    pub(super) streamed_bytes: usize,
    /// Bytes held of all bodies and messages whose end has not come.
    pub(super) unfinished_bytes: usize,
    /// Closures to be called after the handler that runs now.
    pub(super) soon: VecDeque<Later<A>>,
    /// Other servers, and what they are to be told.
    pub(super) nodes: Nodes<A>,
    /// Who tells them.
    pub(super) carrier: Option<Box<dyn Carrier>>,
    /// The thread that finds out addresses of names.
    pub(super) names: Option<Lane<Names>>,
    /// Refused requests that somebody is to be told of.
    pub(super) refused: Refused,
    /// Whether a listener to what goes out runs just now.
    pub(super) is_overhearing: bool,
    pub(super) jobs: HashMap<JobId, Finished<A>>,
    pub(super) later: HashMap<u64, Later<A>>,
    pub(super) timers: Timers<Due>,
    pub(super) actions: VecDeque<Action>,
    pub(super) deferred: VecDeque<Deferred>,
    pub(super) counters: Counters,
    pub(super) lag: Lag,
    pub(super) turns: TurnLog,
    pub(super) stopping: Stopping,
    pub(super) arrivals: Arrivals,
    /// Kept between broadcasts, so that none allocates once the largest has been.
    pub(super) targets: Vec<SocketKey>,
    /// Kept between events, so that small arguments are written without allocating.
    pub(super) encoded: Encoded,
    pub(super) next_number: u64,
    pub(super) random: StdRng,
    /// For all WebSockets with which permessage-deflate was agreed on.
    pub(super) inflater: Inflater,
    /// For all answers.
    pub(super) compressor: Compressor,
}

impl<A: App> Core<A> {
    pub(super) fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut random = StdRng::from_seed(seed);
        let mut config = config;
        // A body may be as large as a message; the layers below cannot know that one is the other's.
        config.http.body_bytes_max = config.engine.payload_bytes_max;
        config.websocket.message_bytes_max = config.engine.payload_bytes_max;
        let engine_seed = random.random();
        let sockets_seed = random.random();
        let epoch = random.random();
        let recovery = config.socketio.recovery.clone();
        let recovery = recovery.map(|config| Recovery::new(config, epoch));
        Self {
            now: Now::default(),
            engine: Engine::new(config.engine.clone(), engine_seed),
            sockets: Sockets::new(config.socketio.clone(), sockets_seed),
            config,
            conns: Side::new(),
            waiting: Side::new(),
            handshakes: Side::new(),
            connect_timers: BTreeMap::new(),
            assembling: BTreeMap::new(),
            raw: Side::new(),
            details: Side::new(),
            posts: VecDeque::new(),
            data: Side::new(),
            joining: HashMap::new(),
            recovery,
            acks: Acks::default(),
            gatherings: Gatherings::default(),
            gathered: VecDeque::new(),
            feeders: BTreeMap::new(),
            takers: BTreeMap::new(),
            streamed_bytes: 0,
            unfinished_bytes: 0,
            soon: VecDeque::new(),
            nodes: Nodes::default(),
            carrier: None,
            names: None,
            refused: Refused::default(),
            lag: Lag::default(),
            turns: TurnLog::default(),
            is_overhearing: false,
            jobs: HashMap::new(),
            later: HashMap::new(),
            timers: Timers::new(),
            actions: VecDeque::new(),
            deferred: VecDeque::new(),
            counters: Counters::default(),
            stopping: Stopping::No,
            arrivals: Arrivals::default(),
            targets: Vec::new(),
            encoded: Encoded::default(),
            next_number: 0,
            random,
            inflater: Inflater::new(),
            compressor: Compressor::new(),
        }
    }

    /// Knows nobody any more, and goes on counting where it was.
    pub(super) fn reset(&mut self) {
        let seed = self.random.random();
        let sockets = self.sockets.described_alike(self.random.random());
        let (now, next_number) = (self.now, self.next_number);
        let fresh = Self::new(self.config.clone(), seed);
        *self = Self {
            now,
            next_number,
            sockets,
            ..fresh
        };
    }

    /// A number not given before.
    pub(super) const fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// 32 secret bytes for an application's own source of chance.
    pub(super) fn seed(&mut self) -> [u8; 32] {
        self.random.random()
    }

    pub(super) fn arm(&mut self, at: Time, due: Due) -> TimerId {
        self.timers.arm(at, due)
    }

    /// Ends one socket: the client is told, and the handlers are after the one that runs now.
    pub(super) fn disconnect(&mut self, key: SocketKey) {
        let Some(namespace) = self.sockets.namespace_of(key) else {
            return;
        };
        if let Some(session) = self.session_of_connected(key) {
            let name = self.sockets.name(namespace);
            let parser = self.sockets.parser();
            let packet = written::packet(parser, Kind::Disconnect, name, wire::write_disconnect);
            self.engine.send(self.now.mono, session, &packet);
        }
        self.leave(key, Reason::ServerNamespaceDisconnect);
    }

    /// Ends all sockets of a socket's connection, and the connection.
    pub(super) fn disconnect_connection(&mut self, key: SocketKey) {
        let Some(session) = self.sockets.session(key) else {
            return;
        };
        for key in self.sockets.of_session(session).to_vec() {
            self.disconnect(key);
        }
        self.engine
            .close(self.now.mono, session, engineio::Reason::ForcedClose);
    }

    /// A client broke the order of the protocol.
    pub(super) fn force_close(&mut self, session: SessionId) {
        for key in self.sockets.of_session(session).to_vec() {
            self.leave(key, Reason::ForcedServerClose);
        }
        self.engine
            .close(self.now.mono, session, engineio::Reason::ForcedClose);
    }

    /// A socket is on its way out from now on; its handlers are told later.
    pub(super) fn leave(&mut self, key: SocketKey, reason: Reason) {
        if self.sockets.leaving(key) {
            self.deferred.push_back(Deferred::Left(key, reason));
        }
    }

    pub(super) fn session_of_connected(&self, key: SocketKey) -> Option<SessionId> {
        self.sockets.connected_session(key)
    }

    pub(super) fn join(&mut self, key: SocketKey, room: &str) {
        if matches!(
            self.sockets.phase(key),
            Some(Phase::Joining | Phase::Connected)
        ) {
            self.sockets.join_room(key, room);
        }
    }

    pub(super) fn leave_room(&mut self, key: SocketKey, room: &str) {
        if matches!(
            self.sockets.phase(key),
            Some(Phase::Joining | Phase::Connected)
        ) && let Some(namespace) = self.sockets.namespace_of(key)
        {
            #[cfg(feature = "world")]
            if world::is_planted(Bug::StayInRoom) {
                return;
            }
            self.sockets.adapter_mut(namespace).leave(key, room);
        }
    }

    /// Gives a job to a lane; `then` runs on the loop when it has come home.
    pub(super) fn run(
        &mut self,
        lane: crate::reactor::LaneId,
        job: crate::reactor::Job,
        then: Finished<A>,
    ) {
        let id = JobId(self.number());
        self.jobs.insert(id, then);
        self.actions.push_back(Action::Run(lane, id, job));
    }

    /// Calls what waits for a client's answer.
    pub(super) fn take_waiting(&mut self, key: SocketKey, id: u64) -> Option<Then<A>> {
        let waiting = self.acks.take(key, id)?;
        self.timers.cancel(waiting.timer);
        Some(waiting.then)
    }

    /// Calls what waits for any answer of a client.
    pub(super) fn take_any_waiting(&mut self, key: SocketKey) -> Option<Then<A>> {
        let waiting = self.acks.take_any(key)?;
        self.timers.cancel(waiting.timer);
        Some(waiting.then)
    }

    /// The request that opened a session, as far as it was kept.
    pub(super) fn handshake(&self, session: SessionId) -> Option<&Handshake> {
        self.handshakes.get(session).map(Box::as_ref)
    }

    /// Bytes to a connection.
    pub(super) fn send(&mut self, conn: ConnId, bytes: Shared) {
        self.actions.push_back(Action::Send(conn, bytes));
    }
}
