//! Model clients: a browser's good manners and every bad habit, from the protocol's text.
//!
//! Bytes come in from a link, deeds are done when the world wakes a client; what is heard is compared with the books.
//! Knows the server only by what it says.
//! Left out: reconnection with recovered state, which the server does not have yet.

mod deeds;

use std::collections::BTreeMap;

use roomcast::reactor::Service;

use super::app::{Expected, NAMESPACES, SharedBooks};
use super::network::{Event, LinkId, Network, ToClient};
use super::protocol::{self, Heard, Message, Out, Packet, Reader};
use super::routes;

/// What a link is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A poll waits for its answer.
    Get,
    /// A post waits for its answer.
    Post,
    /// An export of so many bytes is read.
    Export(usize),
    /// An upload of so many bytes waits for its answer.
    Upload(usize),
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

/// What a request of a session may be answered (a `Stale` one, of a hostile client or of an ended session, may be anything
/// in the reader's table).
fn may_be_answered(role: Role, status: u16, body: &[u8]) -> Outcome {
    let is_in_the_table = match role {
        Role::Get | Role::Post => matches!(status, 200 | 400 | 408),
        Role::Socket => matches!(status, 101 | 400 | 408),
        Role::Export(_) | Role::Upload(_) => matches!(status, 200 | 408 | 503),
        Role::Idle(_) | Role::Stale => true,
    };
    let is_refusal = matches!(role, Role::Get | Role::Post) && status == 400;
    if !is_in_the_table || (is_refusal && !protocol::is_refusal(body)) {
        let body = String::from_utf8_lossy(body);
        return Err(format!("I9: {role:?} is answered {status} {body:?}"));
    }
    Ok(())
}

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
            net.go_on_reading(*link);
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

    /// Something has come by one of its links.
    pub fn heard(
        &mut self,
        net: &mut Network,
        server: &mut impl Service,
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
            if let Heard::Response { status, body } = &heard {
                may_be_answered(role, *status, body)?;
            }
            self.thing(net, server, link, role, heard)?;
        }
        Ok(())
    }

    fn thing(
        &mut self,
        net: &mut Network,
        server: &mut impl Service,
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
            (Role::Export(bytes), Heard::Response { status: 200, body }) => {
                if body != routes::pattern(0, bytes) {
                    let read = body.len();
                    return Err(format!("I8: an export of {bytes} bytes is {read} others"));
                }
                net.marks.hit("exported");
                self.keep(net, link);
            }
            (Role::Upload(bytes), Heard::Response { status: 200, body }) => {
                if body != bytes.to_string().into_bytes() {
                    return Err(format!("I8: of {bytes} bytes {body:?} were taken"));
                }
                net.marks.hit("uploaded");
                self.keep(net, link);
            }
            (Role::Export(_) | Role::Upload(_), Heard::Response { .. }) => {
                net.marks.hit("body broken off");
                self.make_stale(link);
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
            (Role::Get | Role::Post | Role::Export(_) | Role::Upload(_), heard) => {
                return Err(format!("I9: {role:?} heard {heard:?}"));
            }
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
