//! Model clients: a browser's good manners and every bad habit, from the protocol's text.
//!
//! Bytes come in from a link, deeds are done when the world wakes a client; what is heard is compared with the books.
//! Knows the server only by what it says.
//! Left out: reconnection with recovered state, which the server does not have yet.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::app::{Expected, NAMESPACES, ROOMS, SharedBooks};
use super::network::{Event, LinkId, Network, ToClient};
use super::protocol::{self, Heard, Message, Out, Packet, Reader};

/// What a link is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A poll waits for its answer.
    Get,
    /// A post waits for its answer.
    Post,
    /// Kept alive for the next request, since this time.
    Idle(u64),
    /// A WebSocket, from its request on.
    Socket,
    /// Of a session that is over, or of nobody: its bytes must still parse.
    Stale,
}

struct Wire {
    reader: Reader,
    role: Role,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Polling,
    /// A WebSocket is being opened for a polling session.
    Probing,
    /// It has answered: what is under way comes home before it takes over.
    Pausing,
    WebSocket,
}

#[derive(Debug, Default)]
struct Place {
    /// Known once the server has said so; kept until a new one comes.
    sid: Option<String>,
    is_in: bool,
    is_asking: bool,
    pending: BTreeMap<u64, u64>,
}

struct Session {
    sid: String,
    stage: Stage,
    get: Option<LinkId>,
    post: Option<LinkId>,
    socket: Option<LinkId>,
    out: Vec<Out>,
    places: BTreeMap<&'static str, Place>,
    /// A binary event whose attachments are still to come.
    assembling: Option<(Message, Vec<Vec<u8>>)>,
    /// When this client gives up an upgrade, if it does.
    abandons: bool,
    heard_data_while_probing: bool,
}

/// How a client speaks by preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Polling,
    WebSocket,
    Upgrading,
    Hostile,
}

pub struct Client {
    index: usize,
    pub kind: Kind,
    slow: u64,
    answers_pings: bool,
    session: Option<Session>,
    wires: BTreeMap<LinkId, Wire>,
    next_id: u64,
    next_nonce: u64,
    books: SharedBooks,
}

type Outcome = Result<(), String>;

impl Client {
    pub fn new(index: usize, net: &mut Network, books: SharedBooks) -> Self {
        let kind = if net.chance.often(net.weights.hostile) {
            Kind::Hostile
        } else {
            *net.chance.pick(&[
                Kind::Polling,
                Kind::WebSocket,
                Kind::WebSocket,
                Kind::Upgrading,
                Kind::Upgrading,
            ])
        };
        let slow = if net.chance.often(net.weights.slow) {
            700
        } else {
            0
        };
        let answers_pings = !net.chance.often(net.weights.never_pong);
        Self {
            index,
            kind,
            slow,
            answers_pings,
            session: None,
            wires: BTreeMap::new(),
            next_id: 0,
            next_nonce: index as u64 * 1_000_000,
            books,
        }
    }

    /// From now on it behaves, and has a new machine if the old one was gone.
    pub fn heal(&mut self, net: &mut Network) {
        if self.kind == Kind::Hostile {
            self.kind = Kind::WebSocket;
            self.hang_up(net);
        }
        (self.slow, self.answers_pings) = (0, true);
        for link in self.wires.keys() {
            net.links[*link].slow = 0;
        }
        if let Some(session) = &mut self.session {
            session.abandons = false;
        }
    }

    /// What it does not like to hear: something of the server's is missing.
    pub fn complaint(&self) -> Option<String> {
        let index = self.index;
        let Some(session) = &self.session else {
            return Some(format!("L1: client {index} could not come back"));
        };
        for (name, place) in &session.places {
            if place.is_asking {
                return Some(format!("L1: client {index} is not let into {name}"));
            }
            if let Some(nonce) = place.pending.values().next() {
                return Some(format!(
                    "L1: client {index} has no answer to {nonce} in {name}"
                ));
            }
            let unheard = place
                .sid
                .as_ref()
                .map_or(0, |sid| self.books.borrow().unheard(sid));
            if place.is_in && unheard > 0 {
                return Some(format!(
                    "L1: client {index} has not heard {unheard} in {name}"
                ));
            }
        }
        let is_waiting = !session.out.is_empty() || session.post.is_some();
        is_waiting.then(|| format!("L1: client {index} cannot get rid of what it has to say"))
    }

    // Deeds.

    /// Does one thing.
    pub fn wake(
        &mut self,
        net: &mut Network,
        server: &mut impl roomcast::reactor::Service,
    ) -> Outcome {
        let weights = net.weights.clone();
        if self.kind == Kind::Hostile {
            self.be_hostile(net, server);
            return Ok(());
        }
        if self.session.is_none() {
            self.open(net, server);
            return Ok(());
        }
        self.misbehave(net);
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        if session.sid.is_empty() {
            return Ok(());
        }
        let wants_upgrade = self.kind == Kind::Upgrading && session.stage == Stage::Polling;
        if wants_upgrade && net.chance.often(300) {
            self.probe(net, server);
        }
        let name = *net.chance.pick(&NAMESPACES);
        self.act_in(net, name);
        self.flush(net, server);
        self.poll(net, server);
        if net.chance.often(weights.session_churn) {
            self.close_politely(net, server);
        }
        Ok(())
    }

    /// Does what an answer to everything depends on: comes back, comes in, asks.
    pub fn be_good(&mut self, net: &mut Network, server: &mut impl roomcast::reactor::Service) {
        if self.session.is_none() {
            return self.open(net, server);
        }
        for name in NAMESPACES {
            self.enter(name, "yes");
        }
        if net.chance.often(500) {
            let name = *net.chance.pick(&NAMESPACES);
            let nonce = self.nonce();
            self.ask(name, "all", json!([nonce, 3]), Some(nonce));
        }
        self.flush(net, server);
        self.poll(net, server);
    }

    fn open(&mut self, net: &mut Network, server: &mut impl roomcast::reactor::Service) {
        let by_websocket = self.kind == Kind::WebSocket;
        let Some(link) = self.link(net, server) else {
            return;
        };
        let role = if by_websocket {
            Role::Socket
        } else {
            Role::Get
        };
        self.wires.get_mut(&link).expect("made just now").role = role;
        let bytes = if by_websocket {
            protocol::websocket("")
        } else {
            protocol::get("")
        };
        net.write(link, &bytes);
        let abandons = net.chance.often(net.weights.upgrade_abandoned);
        self.session = Some(Session {
            sid: String::new(),
            stage: Stage::Opening,
            get: (!by_websocket).then_some(link),
            post: None,
            socket: by_websocket.then_some(link),
            out: Vec::new(),
            places: BTreeMap::new(),
            assembling: None,
            abandons,
            heard_data_while_probing: false,
        });
        self.say(net, || "opens a session".to_owned());
    }

    /// A new link.
    fn link(
        &mut self,
        net: &mut Network,
        server: &mut impl roomcast::reactor::Service,
    ) -> Option<LinkId> {
        let link = net.connect(server, self.index, self.slow)?;
        let reader = Reader::default();
        let role = Role::Stale;
        self.wires.insert(link, Wire { reader, role });
        Some(link)
    }

    /// A link for a request: one that was kept, if it is fresh enough that the server will not have ended it.
    fn request(
        &mut self,
        net: &mut Network,
        server: &mut impl roomcast::reactor::Service,
        role: Role,
        bytes: &[u8],
    ) -> Option<LinkId> {
        let is_fresh = net.chance.often(net.weights.fresh_links);
        let young = net.now.saturating_sub(3_000_000);
        let kept = self.wires.iter().find(|(link, wire)| {
            matches!(wire.role, Role::Idle(since) if since > young) && net.links[**link].is_open
        });
        let kept = kept.map(|(link, _)| *link).filter(|_| !is_fresh);
        let link = match kept {
            Some(link) => link,
            None => self.link(net, server)?,
        };
        self.wires.get_mut(&link)?.role = role;
        net.write(link, bytes);
        Some(link)
    }

    fn poll(&mut self, net: &mut Network, server: &mut impl roomcast::reactor::Service) {
        let Some(session) = &self.session else { return };
        let polls = matches!(session.stage, Stage::Polling | Stage::Probing);
        if !polls || session.get.is_some() {
            return;
        }
        let bytes = protocol::get(&format!("&sid={}", session.sid));
        let link = self.request(net, server, Role::Get, &bytes);
        if let Some(session) = &mut self.session {
            session.get = link;
        }
    }

    /// Sends what waits, by whatever way is open.
    fn flush(&mut self, net: &mut Network, server: &mut impl roomcast::reactor::Service) {
        let Some(session) = &mut self.session else {
            return;
        };
        if session.out.is_empty() {
            return;
        }
        match session.stage {
            Stage::WebSocket => {
                let Some(link) = session.socket else { return };
                for out in std::mem::take(&mut session.out) {
                    let mask = (net.chance.next() as u32).to_be_bytes();
                    let frame = match &out {
                        Out::Text(text) => protocol::frame(1, text.as_bytes(), mask),
                        Out::Binary(bytes) => protocol::frame(2, bytes, mask),
                    };
                    net.write(link, &frame);
                }
            }
            Stage::Polling | Stage::Probing if session.post.is_none() => {
                let bytes = protocol::post(&session.sid, &std::mem::take(&mut session.out));
                let link = self.request(net, server, Role::Post, &bytes);
                if let Some(session) = &mut self.session {
                    session.post = link;
                }
            }
            Stage::Opening | Stage::Polling | Stage::Probing | Stage::Pausing => {}
        }
    }

    fn probe(&mut self, net: &mut Network, server: &mut impl roomcast::reactor::Service) {
        let Some(link) = self.link(net, server) else {
            return;
        };
        let Some(session) = &mut self.session else {
            return;
        };
        net.write(link, &protocol::websocket(&format!("&sid={}", session.sid)));
        session.stage = Stage::Probing;
        session.socket = Some(link);
        session.heard_data_while_probing = false;
        if let Some(wire) = self.wires.get_mut(&link) {
            wire.role = Role::Socket;
        }
        self.say(net, || "offers a WebSocket".to_owned());
    }

    /// The upgrade takes place once nothing is under way any more.
    fn try_upgrade(&mut self, net: &mut Network, server: &mut impl roomcast::reactor::Service) {
        let Some(session) = &mut self.session else {
            return;
        };
        if session.stage != Stage::Pausing || session.get.is_some() || session.post.is_some() {
            return;
        }
        let Some(link) = session.socket else { return };
        if session.abandons {
            net.marks.hit("upgrade abandoned");
            session.stage = Stage::Polling;
            session.socket = None;
            // Half of them say so; the others leave it to the server's patience.
            if net.chance.often(500) {
                net.close(link);
            }
            self.make_stale(link);
            return self.poll(net, server);
        }
        if std::mem::take(&mut session.heard_data_while_probing) {
            net.marks.hit("data raced with the probe");
        }
        session.stage = Stage::WebSocket;
        let mask = (net.chance.next() as u32).to_be_bytes();
        net.write(link, &protocol::frame(1, b"5", mask));
        self.say(net, || "upgrades".to_owned());
        self.flush(net, server);
    }

    fn nonce(&mut self) -> u64 {
        self.next_nonce += 1;
        self.next_nonce
    }

    /// Asks to be let into a namespace, unless it is in or asking already.
    fn enter(&mut self, name: &'static str, word: &str) {
        let Some(session) = self
            .session
            .as_mut()
            .filter(|session| !session.sid.is_empty())
        else {
            return;
        };
        let place = session.places.entry(name).or_default();
        if place.is_in || place.is_asking {
            return;
        }
        place.is_asking = true;
        let text = match name {
            "/" => "40".to_owned(),
            _ => format!("40{name},{{\"word\":\"{word}\"}}"),
        };
        session.out.push(Out::Text(text));
    }

    /// Sends an event; with a nonce, it wants an answer.
    fn ask(&mut self, name: &'static str, event: &str, args: Value, nonce: Option<u64>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let Some(place) = session.places.get_mut(name).filter(|place| place.is_in) else {
            return;
        };
        let mut id = String::new();
        if let Some(nonce) = nonce {
            self.next_id += 1;
            place.pending.insert(self.next_id, nonce);
            id = self.next_id.to_string();
        }
        let mut list = vec![json!(event)];
        list.extend(args.as_array().cloned().unwrap_or_default());
        let list = Value::from(list);
        let namespace = if name == "/" {
            String::new()
        } else {
            format!("{name},")
        };
        session
            .out
            .push(Out::Text(format!("42{namespace}{id}{list}")));
    }

    fn act_in(&mut self, net: &mut Network, name: &'static str) {
        let weights = net.weights.clone();
        let is_in = self
            .session
            .as_ref()
            .and_then(|session| session.places.get(name))
            .is_some_and(|place| place.is_in);
        if !is_in {
            let word = *net
                .chance
                .pick(&["yes", "yes", "yes", "no", "wait", "never"]);
            return self.enter(name, word);
        }
        let nonce = self.nonce();
        let wants = net.chance.often(800).then_some(nonce);
        let room = *net.chance.pick(&ROOMS);
        let size = net.chance.below(*net.chance.clone().pick(&[10, 200, 3000]));
        if net.chance.often(weights.flood) {
            let (count, size) = (net.chance.below(100), net.chance.below(4000));
            return self.ask(name, "flood", json!([nonce, count, size]), wants);
        }
        if net.chance.often(weights.kick) {
            let event = *net.chance.pick(&["kick", "out"]);
            return self.ask(name, event, json!([]), None);
        }
        if net.chance.often(weights.binary) {
            return self.ask_with_bytes(net, name, nonce);
        }
        if net.chance.often(weights.job) {
            return self.ask(name, "work", json!([nonce]), wants);
        }
        if net.chance.often(weights.question) {
            return self.ask(name, "question", json!([nonce]), wants);
        }
        if net.chance.often(weights.namespace_churn) {
            return self.leave(name);
        }
        match net.chance.below(8) {
            0 | 1 => self.ask(name, "join", json!([nonce, room]), wants),
            2 => self.ask(name, "leave", json!([nonce, room]), wants),
            3 | 4 => self.ask(name, "say", json!([nonce, room, size]), wants),
            5 => self.ask(name, "all", json!([nonce, size]), wants),
            6 => self.ask(name, "elsewhere", json!([nonce, room]), wants),
            _ if net.chance.often(500) => self.ask(name, "perhaps", json!([nonce]), wants),
            _ => self.ask(name, "pocket", json!([nonce, nonce]), wants),
        }
    }

    fn ask_with_bytes(&mut self, net: &mut Network, name: &'static str, nonce: u64) {
        let Some(session) = &mut self.session else {
            return;
        };
        let Some(place) = session.places.get_mut(name).filter(|place| place.is_in) else {
            return;
        };
        self.next_id += 1;
        place.pending.insert(self.next_id, nonce);
        let namespace = if name == "/" {
            String::new()
        } else {
            format!("{name},")
        };
        let list = json!(["blob", nonce, {"_placeholder": true, "num": 0}]);
        let text = format!("451-{namespace}{}{list}", self.next_id);
        let size = net.chance.below(300) as usize;
        session.out.push(Out::Text(text));
        session.out.push(Out::Binary(net.chance.bytes(size)));
    }

    fn leave(&mut self, name: &'static str) {
        let Some(session) = &mut self.session else {
            return;
        };
        if let Some(place) = session.places.get_mut(name) {
            place.is_in = false;
            place.pending.clear();
        }
        let namespace = if name == "/" {
            String::new()
        } else {
            format!("{name},")
        };
        session.out.push(Out::Text(format!("41{namespace}")));
    }

    fn close_politely(&mut self, net: &mut Network, server: &mut impl roomcast::reactor::Service) {
        let Some(session) = &mut self.session else {
            return;
        };
        session.out.push(Out::Text("1".to_owned()));
        self.flush(net, server);
        self.say(net, || "says goodbye".to_owned());
        self.lose(net);
    }

    /// Faults of the way and of the client itself, by the world's weights.
    fn misbehave(&mut self, net: &mut Network) {
        let weights = net.weights.clone();
        let Some(session) = &mut self.session else {
            return;
        };
        let links = [session.get, session.post, session.socket];
        let links: Vec<_> = links.into_iter().flatten().collect();
        if links.is_empty() {
            return;
        }
        let link = *net.chance.pick(&links);
        if net.chance.often(weights.reset) {
            if session.get == Some(link) {
                net.marks.hit("reset during a poll");
            }
            net.reset(link);
            self.say(net, || format!("link {link} is reset"));
            return self.link_lost(net, link);
        }
        if net.chance.often(weights.half_close) {
            net.marks.hit("half closed");
            net.end(link);
            return;
        }
        if net.chance.often(weights.vanish) {
            net.marks.hit("vanished");
            self.say(net, || "is gone".to_owned());
            for link in self.wires.keys() {
                net.vanish(*link);
            }
            self.wires.clear();
            self.session = None;
            return;
        }
        if net.chance.often(weights.wrong)
            && let Some(link) = session.socket
        {
            let mask = [1, 2, 3, 4];
            let frame = match net.chance.below(8) {
                0 => protocol::frame(1, b"4nonsense", mask),
                1 => protocol::frame(1, b"9", mask),
                2 => protocol::frame(2, b"not expected", mask),
                3 => protocol::frame(1, &[0xff, 0xfe], mask),
                4 => protocol::frame(3, b"", mask),
                5 => protocol::frame(8, &[0x03, 0xe8], mask),
                6 => protocol::frame(9, b"are you there", mask),
                _ => vec![0x81, 1, b'2'],
            };
            net.write(link, &frame);
        }
        if net.chance.often(weights.wrong) {
            let nonsense = *net
                .chance
                .pick(&["4", "42[", "40/nowhere,", "2", "451-[]", "6", "43"]);
            session.out.push(Out::Text(nonsense.to_owned()));
            // Whatever comes of it, what was asked for before may stay without an answer.
            if nonsense == "40/nowhere," {
                net.marks.hit("no such namespace");
            }
        }
    }

    fn be_hostile(&mut self, net: &mut Network, server: &mut impl roomcast::reactor::Service) {
        if self.wires.len() > 5 || net.chance.often(100) {
            return self.hang_up(net);
        }
        let known = self.wires.keys().next_back().copied();
        let link = match known.filter(|link| net.links[*link].is_open && net.chance.often(600)) {
            Some(link) => link,
            None => match self.link(net, server) {
                Some(link) => link,
                None => return,
            },
        };
        let size = net.chance.below(200) as usize;
        let mut bytes = match net.chance.below(6) {
            0 => net.chance.bytes(size),
            1 => protocol::get("&sid=AAAAAAAAAAAAAAAAAAAA"),
            2 => protocol::websocket(""),
            3 => protocol::post("AAAAAAAAAAAAAAAAAAAA", &[Out::Text("4x".to_owned())]),
            4 => protocol::frame(1, b"40", [9, 8, 7, 6]),
            _ => b"GET / HTTP/1.1\r\nHost: h\r\nX: ".to_vec(),
        };
        if net.chance.often(500) && !bytes.is_empty() {
            let at = net.chance.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << net.chance.below(8);
        }
        if net.chance.often(200) {
            bytes.truncate(net.chance.below(bytes.len() as u64 + 1) as usize);
        }
        net.marks.hit("hostile bytes");
        net.write(link, &bytes);
    }

    // Facts.

    /// Something has come by one of its links.
    pub fn heard(
        &mut self,
        net: &mut Network,
        server: &mut impl roomcast::reactor::Service,
        link: LinkId,
        what: ToClient,
    ) -> Outcome {
        let bytes = match what {
            ToClient::Bytes(bytes) => bytes,
            ToClient::End => {
                let wire = self.wires.get(&link);
                let is_cut = wire.is_some_and(|wire| wire.reader.is_in_the_middle());
                // A connection whose other half broke may end anywhere; an orderly end is between two things.
                if is_cut {
                    net.marks.hit("cut in the middle");
                }
                net.close(link);
                self.link_lost(net, link);
                return Ok(());
            }
            ToClient::Reset => {
                self.link_lost(net, link);
                return Ok(());
            }
        };
        let Some(wire) = self.wires.get_mut(&link) else {
            return Ok(());
        };
        wire.reader.add(&bytes);
        while let Some(wire) = self.wires.get_mut(&link) {
            let heard = wire
                .reader
                .next()
                .map_err(|what| format!("I9: link {link}: {what}"))?;
            let Some(heard) = heard else { break };
            let role = wire.role;
            self.thing(net, server, link, role, heard)?;
        }
        Ok(())
    }

    fn thing(
        &mut self,
        net: &mut Network,
        server: &mut impl roomcast::reactor::Service,
        link: LinkId,
        role: Role,
        heard: Heard,
    ) -> Outcome {
        match (role, heard) {
            (Role::Get, Heard::Response { status: 200, body }) => {
                self.keep(net, link);
                let packets = protocol::payload(&body).map_err(|what| format!("I9: {what}"))?;
                if let Some(session) = &mut self.session {
                    session.get = None;
                }
                for packet in packets {
                    self.packet(net, packet, link)?;
                }
                self.flush(net, server);
                self.poll(net, server);
                self.try_upgrade(net, server);
            }
            (Role::Post, Heard::Response { status: 200, body }) => {
                if body != b"ok" {
                    return Err(format!("I9: a post is answered {body:?}"));
                }
                self.keep(net, link);
                if let Some(session) = &mut self.session {
                    session.post = None;
                }
                self.flush(net, server);
                self.try_upgrade(net, server);
            }
            (Role::Get | Role::Post | Role::Socket, Heard::Response { status, .. })
                if status != 101 =>
            {
                self.make_stale(link);
                net.marks.hit("request refused");
                self.refused(net, link);
            }
            (Role::Socket, Heard::Response { .. }) => {
                if self
                    .session
                    .as_ref()
                    .is_some_and(|session| session.stage == Stage::Probing)
                {
                    let mask = [5, 6, 7, 8];
                    net.write(link, &protocol::frame(1, b"2probe", mask));
                }
            }
            (Role::Socket, Heard::Frame { opcode, payload }) => {
                self.frame(net, link, opcode, payload)?;
                self.flush(net, server);
                self.try_upgrade(net, server);
            }
            (Role::Idle(_), heard) => {
                return Err(format!("I8: an answer that nobody asked for: {heard:?}"));
            }
            (Role::Get | Role::Post, heard) => return Err(format!("I9: {role:?} heard {heard:?}")),
            (Role::Stale, _) => {}
        }
        Ok(())
    }

    fn frame(&mut self, net: &mut Network, link: LinkId, opcode: u8, payload: Vec<u8>) -> Outcome {
        match opcode {
            1 => {
                let text = String::from_utf8(payload).map_err(|error| error.to_string())?;
                let packet = protocol::packet(&text).map_err(|what| format!("I9: {what}"))?;
                self.packet(net, packet, link)
            }
            2 => self.packet(net, Packet::Binary(payload), link),
            8 => {
                net.write(link, &protocol::frame(8, &payload, [1, 1, 1, 1]));
                net.end(link);
                net.marks.hit("closed by a close frame");
                self.link_lost(net, link);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A packet of its session.
    fn packet(&mut self, net: &mut Network, packet: Packet, link: LinkId) -> Outcome {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        let is_by_socket = session.socket == Some(link);
        if is_by_socket && matches!(session.stage, Stage::Probing | Stage::Pausing) {
            return self.probe_packet(net, &packet);
        }
        match packet {
            Packet::Open(value) => {
                if session.stage != Stage::Opening {
                    return Err("I9: opened twice".to_owned());
                }
                session.sid = value["sid"].as_str().ok_or("I9: no sid")?.to_owned();
                session.stage = if is_by_socket {
                    Stage::WebSocket
                } else {
                    Stage::Polling
                };
                Ok(())
            }
            Packet::Ping => {
                if self.answers_pings {
                    session.out.push(Out::Text("3".to_owned()));
                }
                Ok(())
            }
            Packet::Close => {
                net.marks.hit("told of the end by a poll");
                self.lose(net);
                Ok(())
            }
            Packet::Noop => Ok(()),
            Packet::ProbeAnswer => Err("I9: an answer to no probe".to_owned()),
            Packet::Message(text) => {
                let message = protocol::message(&text).map_err(|what| format!("I9: {what}"))?;
                if matches!(session.stage, Stage::Probing | Stage::Pausing) {
                    session.heard_data_while_probing = true;
                }
                if session.assembling.is_some() {
                    return Err(format!("I2: {text:?} between a packet and its attachments"));
                }
                if message.attachments > 0 {
                    session.assembling = Some((message, Vec::new()));
                    return Ok(());
                }
                self.message(net, &message)
            }
            Packet::Binary(bytes) => {
                let Some((message, mut parts)) = session.assembling.take() else {
                    return Err("I2: an attachment of no packet".to_owned());
                };
                parts.push(bytes);
                if parts.len() == message.attachments {
                    return self.message(net, &message);
                }
                session.assembling = Some((message, parts));
                Ok(())
            }
        }
    }

    fn probe_packet(&mut self, net: &mut Network, packet: &Packet) -> Outcome {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        if *packet != Packet::ProbeAnswer || session.stage != Stage::Probing {
            return Err(format!(
                "I2: {packet:?} on a WebSocket that has not taken over"
            ));
        }
        // It reads no further poll from here on; the one under way is answered by the server.
        session.stage = Stage::Pausing;
        self.say(net, || "was answered its probe".to_owned());
        Ok(())
    }

    fn message(&mut self, net: &mut Network, message: &Message) -> Outcome {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        let known = NAMESPACES
            .into_iter()
            .find(|name| *name == message.namespace);
        let Some(name) = known else {
            return match message.kind {
                4 => Ok(()),
                _ => Err(format!("I3: {message:?} of a namespace nobody asked for")),
            };
        };
        let place = session.places.entry(name).or_default();
        match message.kind {
            0 => {
                if !std::mem::take(&mut place.is_asking) {
                    return Err(format!("I9: let into {name} unasked"));
                }
                let sid = message.data["sid"].as_str().ok_or("I9: no sid")?;
                place.sid = Some(sid.to_owned());
                place.is_in = true;
                Ok(())
            }
            4 => {
                if !std::mem::take(&mut place.is_asking) {
                    return Err(format!("I9: refused {name} unasked"));
                }
                net.marks.hit("not let in");
                Ok(())
            }
            1 => {
                place.is_in = false;
                place.pending.clear();
                net.marks.hit("made to leave");
                let unheard = place
                    .sid
                    .as_ref()
                    .map_or(0, |sid| self.books.borrow().unheard(sid));
                if unheard > 0 {
                    return Err(format!("I2: {unheard} lost before a farewell"));
                }
                Ok(())
            }
            _ => self.said(net, name, message),
        }
    }

    /// An event or an answer for one of its sockets.
    fn said(&mut self, net: &mut Network, name: &'static str, message: &Message) -> Outcome {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        let place = session.places.entry(name).or_default();
        let Some(sid) = place.sid.clone() else {
            return Err(format!("I3: {message:?} before it was let in"));
        };
        let heard = match message.kind {
            3 => {
                let nonce = message.data[0]
                    .as_u64()
                    .ok_or("I9: an answer of another shape")?;
                let id = message.id.ok_or("I9: an answer without a number")?;
                let asked = place.pending.remove(&id);
                if place.is_in && asked != Some(nonce) {
                    return Err(format!("I8: {nonce} answers what asked {asked:?}"));
                }
                Expected::Ack { id_of: nonce }
            }
            2 | 5 => {
                let number = message.data[1]
                    .as_u64()
                    .ok_or("I9: an event of another shape")?;
                if let Some(id) = message.id {
                    let namespace = if name == "/" {
                        String::new()
                    } else {
                        format!("{name},")
                    };
                    if place.is_in && net.chance.often(850) {
                        session
                            .out
                            .push(Out::Text(format!("43{namespace}{id}[{number}]")));
                    }
                }
                let may_be_lost = false;
                Expected::Event {
                    number,
                    may_be_lost,
                }
            }
            kind => return Err(format!("I9: a packet of type {kind}")),
        };
        self.books.borrow_mut().heard(&sid, &heard)
    }

    // Ends.

    fn keep(&mut self, net: &Network, link: LinkId) {
        if let Some(wire) = self.wires.get_mut(&link) {
            wire.role = Role::Idle(net.now);
        }
    }

    fn make_stale(&mut self, link: LinkId) {
        if let Some(wire) = self.wires.get_mut(&link) {
            wire.role = Role::Stale;
        }
    }

    /// A request of its session was refused.
    fn refused(&mut self, net: &mut Network, link: LinkId) {
        self.link_lost(net, link);
    }

    /// A link is over: its session may be, too.
    fn link_lost(&mut self, net: &mut Network, link: LinkId) {
        self.make_stale(link);
        let Some(session) = &mut self.session else {
            return;
        };
        if session.socket == Some(link) && session.stage == Stage::Probing {
            net.marks.hit("upgrade failed");
            session.socket = None;
            session.stage = Stage::Polling;
            return;
        }
        if session.socket == Some(link) && session.stage == Stage::Pausing {
            net.marks.hit("upgrade failed late");
            session.socket = None;
            session.stage = Stage::Polling;
            return;
        }
        let carried = [session.get, session.post, session.socket];
        if carried.contains(&Some(link)) {
            self.lose(net);
        }
    }

    /// The session is over, as this client sees it.
    fn lose(&mut self, net: &mut Network) {
        self.say(net, || "has no session any more".to_owned());
        self.session = None;
        let how = net.chance.below(3);
        for (link, wire) in &mut self.wires {
            wire.role = Role::Stale;
            match how {
                0 if net.weights.reset > 0 => net.reset(*link),
                _ => net.close(*link),
            }
        }
    }

    /// Closes everything.
    pub fn hang_up(&mut self, net: &mut Network) {
        self.session = None;
        for link in std::mem::take(&mut self.wires).into_keys() {
            net.close(link);
        }
    }

    /// Forgets links that are over at both ends.
    pub fn tidy(&mut self, net: &Network) {
        self.wires.retain(|link, _| net.links[*link].is_open);
    }

    fn say(&self, net: &mut Network, what: impl FnOnce() -> String) {
        let (now, index) = (net.now, self.index);
        net.trace.say(now, index, what);
    }

    /// When it does something next.
    pub fn rest(&self, net: &mut Network) {
        let pause = net.chance.below(net.weights.pause_ms * 1000) + 1000;
        net.at(pause, Event::Wake(self.index));
    }
}
