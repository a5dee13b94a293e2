//! What a client does when the world wakes it: its requests, its habits, its faults.
//!
//! Left out: what it makes of what it hears, which is one level up.

use roomcast::reactor::Service;
use serde_json::{Value, json};

use super::{Client, Kind, Outcome, Role, Session, Stage, Wire};
use crate::simulation::app::{NAMESPACES, ROOMS};
use crate::simulation::network::{LinkId, Network};
use crate::simulation::protocol::{self, Out, Reader};
use crate::simulation::routes;
use std::collections::BTreeMap;

impl Client {
    /// Does one thing.
    pub fn wake(&mut self, net: &mut Network, server: &mut impl Service) -> Outcome {
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
        if net.chance.often(weights.body) {
            self.move_bytes(net, server);
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

    /// An export or an upload, beside its session.
    fn move_bytes(&mut self, net: &mut Network, server: &mut impl Service) {
        let most = *net.chance.pick(&[50, 1000, 8000]);
        let bytes = net.chance.below(most) as usize;
        let (role, request) = match net.chance.below(3) {
            0 => (Role::Export(bytes), protocol::export(bytes)),
            way => {
                let chunk = (way == 1).then_some(net.chance.between(1, 2000) as usize);
                let body = routes::pattern(0, bytes);
                (Role::Upload(bytes), protocol::upload(&body, chunk))
            }
        };
        self.request(net, server, role, &request);
    }

    /// Does what an answer to everything depends on: comes back, comes in, asks.
    pub fn be_good(&mut self, net: &mut Network, server: &mut impl Service) {
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

    fn open(&mut self, net: &mut Network, server: &mut impl Service) {
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
    fn link(&mut self, net: &mut Network, server: &mut impl Service) -> Option<LinkId> {
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
        server: &mut impl Service,
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

    pub(super) fn poll(&mut self, net: &mut Network, server: &mut impl Service) {
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
    pub(super) fn flush(&mut self, net: &mut Network, server: &mut impl Service) {
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

    fn probe(&mut self, net: &mut Network, server: &mut impl Service) {
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
    pub(super) fn try_upgrade(&mut self, net: &mut Network, server: &mut impl Service) {
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
            let event = *net.chance.pick(&["question", "survey"]);
            return self.ask(name, event, json!([nonce]), wants);
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

    fn close_politely(&mut self, net: &mut Network, server: &mut impl Service) {
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
        if net.chance.often(weights.stuck) {
            net.marks.hit("stopped reading");
            for link in self.wires.keys() {
                net.links[*link].is_stuck = true;
            }
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

    fn be_hostile(&mut self, net: &mut Network, server: &mut impl Service) {
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
}
