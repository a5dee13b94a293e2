//! A Redis in memory, as far as two carriers need one: subscriptions, messages, counts; it can be cut off, held and mended.

use std::collections::BTreeMap;

use super::*;
use crate::cluster::resp::{self, Reader, Value};

/// A room that somebody is in, at either node.
pub(super) const HERE: &str = "abcdefghijklmnopqrst";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// All rooms but one are full of people.
struct Everywhere;

impl Here for Everywhere {
    fn has_room(&self, _namespace: &str, room: &str) -> bool {
        !matches!(room, "nobody" | "elsewhere")
    }
}

struct Node {
    carrier: Redis,
    conn: Option<ConnId>,
    reader: Reader,
    /// Channels, and patterns with their star.
    subscribed: Vec<String>,
    heard: Vec<Wish>,
    told: Vec<String>,
}

pub(super) struct Broker {
    nodes: [Node; 2],
    at: u64,
    conns: u32,
    is_cut: bool,
    is_held: bool,
    /// Whether what is published goes by sharded channels.
    is_sharded: bool,
    last: BTreeMap<String, Vec<u8>>,
}

impl Broker {
    pub(super) fn new(wire: config::Wire) -> Self {
        Self::with(config::Cluster {
            wire,
            ..config::Cluster::default()
        })
    }

    pub(super) fn with(config: config::Cluster) -> Self {
        let node = |seed| {
            let mut carrier = Redis::new("redis://127.0.0.1", config.clone()).unwrap();
            carrier.seeded([seed; 32]);
            carrier.namespace(now(0), "/", Presence::Came);
            Node {
                carrier,
                conn: None,
                reader: Reader::new(usize::MAX),
                subscribed: Vec::new(),
                heard: Vec::new(),
                told: Vec::new(),
            }
        };
        let mut broker = Self {
            nodes: [node(1), node(2)],
            at: 0,
            conns: 0,
            is_cut: false,
            is_held: false,
            is_sharded: matches!(config.wire, config::Wire::Sharded { .. }),
            last: BTreeMap::new(),
        };
        broker.wait(0);
        // Both are there by now, and count each other.
        let every = u64::try_from(config.count_every.as_millis()).unwrap();
        broker.wait(every);
        broker.told(Side::Left);
        broker.told(Side::Right);
        broker
    }

    /// Lets time pass and everything happen that does by then.
    pub(super) fn wait(&mut self, millis: u64) {
        let until = self.at + millis;
        loop {
            self.turn();
            let deadlines = self.nodes.iter().filter_map(|node| node.carrier.deadline());
            match deadlines.min().map(|at| at.0.div_ceil(1000)) {
                Some(at) if at <= until => {
                    self.at = self.at.max(at);
                    for node in &mut self.nodes {
                        if node
                            .carrier
                            .deadline()
                            .is_some_and(|due| due <= now(self.at).mono)
                        {
                            node.carrier.elapsed(now(self.at));
                        }
                    }
                }
                _ => break,
            }
        }
        self.at = until;
    }

    pub(super) fn turn(&mut self) {
        let mut is_busy = true;
        while is_busy {
            is_busy = false;
            for place in 0..2 {
                while let Some(wanted) = self.nodes[place].carrier.poll() {
                    is_busy = true;
                    self.perform(place, wanted);
                }
            }
        }
    }

    fn perform(&mut self, place: usize, wanted: Carried) {
        let at = now(self.at);
        let node = &mut self.nodes[place];
        match wanted {
            Carried::Connect(tag, _) => self.connect(place, tag),
            Carried::Send(conn, bytes) if node.conn == Some(conn) && !self.is_held => {
                let mut rest = &bytes[..];
                while let Some(command) = self.nodes[place].reader.next(&mut rest).unwrap() {
                    self.command(place, command);
                }
            }
            Carried::Send(..) => {}
            Carried::Close(conn) if node.conn == Some(conn) => {
                node.conn = None;
                node.subscribed.clear();
            }
            Carried::Close(_) => {}
            Carried::Hear(wish) => node.heard.push(wish),
            Carried::OtherNodes(_) => {}
            Carried::Resolve(..) => node.carrier.resolved(at, Ok(vec![])),
            told @ (Carried::Awaited(..) | Carried::NotAsked(..)) => {
                node.told.push(format!("{told:?}"))
            }
        }
    }

    fn connect(&mut self, place: usize, tag: Tag) {
        let at = now(self.at);
        let node = &mut self.nodes[place];
        if self.is_cut {
            return node.carrier.connected(
                at,
                tag,
                Err(std::io::ErrorKind::ConnectionRefused.into()),
            );
        }
        self.conns += 1;
        let conn = ConnId::from_parts(self.conns, 1);
        node.conn = Some(conn);
        node.reader = Reader::new(usize::MAX);
        node.carrier.connected(at, tag, Ok(conn));
    }

    fn command(&mut self, place: usize, command: Value) {
        let Value::List(words) = command else {
            panic!("a command is a list")
        };
        let words: Vec<&[u8]> = words.iter().map(|word| word.text().unwrap()).collect();
        let text = |word: &[u8]| String::from_utf8(word.to_vec()).unwrap();
        let subscribed = &mut self.nodes[place].subscribed;
        match (words[0], words[1]) {
            (b"HELLO", _) => self.answer(place, b"%1\r\n+proto\r\n:3\r\n"),
            (b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE", name) => {
                subscribed.push(text(name));
                self.confirm(place, words[0], name);
            }
            (b"UNSUBSCRIBE" | b"PUNSUBSCRIBE" | b"SUNSUBSCRIBE", name) => {
                let name = text(name);
                subscribed.retain(|own| *own != name);
                self.confirm(place, words[0], name.as_bytes());
            }
            (b"PUBLISH" | b"SPUBLISH", channel) => {
                self.is_sharded = words[0] == b"SPUBLISH";
                let count = self.publish(&text(channel), words[2]);
                self.answer(place, format!(":{count}\r\n").as_bytes());
            }
            (b"PUBSUB", _) => {
                let name = text(words[2]);
                let count = self
                    .nodes
                    .iter()
                    .filter(|node| node.subscribed.contains(&name))
                    .count();
                self.answer(place, format!("*2\r\n$1\r\nc\r\n:{count}\r\n").as_bytes());
            }
            (word, _) => panic!("{}", word.escape_ascii()),
        }
    }

    fn confirm(&mut self, place: usize, word: &[u8], name: &[u8]) {
        let word = String::from_utf8(word.to_ascii_lowercase()).unwrap();
        let head = format!(">3\r\n${}\r\n{word}\r\n${}\r\n", word.len(), name.len());
        self.answer(place, &[head.as_bytes(), name, b"\r\n:1\r\n"].concat());
    }

    fn answer(&mut self, place: usize, bytes: &[u8]) {
        let at = now(self.at);
        let node = &mut self.nodes[place];
        if let Some(conn) = node.conn {
            node.carrier.received(at, conn, bytes, &Everywhere);
        }
    }

    /// Brings something to all who have subscribed; says how many that were.
    pub(super) fn publish(&mut self, channel: &str, payload: &[u8]) -> usize {
        self.last.insert(channel.to_owned(), payload.to_vec());
        let mut count = 0;
        for place in 0..2 {
            for name in self.nodes[place].subscribed.clone() {
                let prefix = name.strip_suffix('*').filter(|name| !name.ends_with('\\'));
                let is_pattern = prefix.is_some();
                let plain = prefix.map(|prefix| prefix.replace('\\', ""));
                if name != channel && !plain.is_some_and(|prefix| channel.starts_with(&prefix)) {
                    continue;
                }
                count += 1;
                let word: &[u8] = match (is_pattern, self.is_sharded) {
                    (true, _) => b"pmessage",
                    (false, true) => b"smessage",
                    (false, false) => b"message",
                };
                let mut words = vec![word];
                if is_pattern {
                    words.push(name.as_bytes());
                }
                words.extend([channel.as_bytes(), payload]);
                let list = resp::command(&words);
                self.answer(place, &[b">", &list[1..]].concat());
            }
        }
        self.turn();
        count
    }

    pub(super) fn say(&mut self, side: Side, wish: Wish) {
        let at = now(self.at);
        self.nodes[side as usize].carrier.said(at, wish);
        self.turn();
    }

    pub(super) fn presence(&mut self, side: Side, name: &str, presence: Presence) {
        let at = now(self.at);
        self.nodes[side as usize]
            .carrier
            .namespace(at, name, presence);
        self.turn();
    }

    pub(super) fn room(&mut self, side: Side, room: &str, presence: Presence) {
        self.room_of(side, "/", room, presence);
    }

    pub(super) fn room_of(&mut self, side: Side, namespace: &str, room: &str, presence: Presence) {
        let carrier = &mut self.nodes[side as usize].carrier;
        carrier.room(now(self.at), namespace, room, presence);
        self.turn();
    }

    /// The same, before Redis has heard of it.
    pub(super) fn room_later(&mut self, side: Side, room: &str, presence: Presence) {
        let carrier = &mut self.nodes[side as usize].carrier;
        carrier.room(now(self.at), "/", room, presence);
    }

    pub(super) fn heard(&mut self, side: Side) -> Vec<String> {
        let heard = std::mem::take(&mut self.nodes[side as usize].heard);
        heard.iter().map(json).collect()
    }

    /// The question that was heard.
    pub(super) fn asked(&mut self, side: Side) -> Request {
        let heard = std::mem::take(&mut self.nodes[side as usize].heard);
        match &heard[..] {
            [Wish::Fetch { request, .. }]
            | [
                Wish::ServerSide {
                    request: Some(request),
                    ..
                },
            ]
            | [
                Wish::Emit {
                    request: Some((request, SECOND_AND_ANOTHER)),
                    ..
                },
            ] => *request,
            other => panic!("{other:?}"),
        }
    }

    /// The replies that were heard to a question, each from a node of its own.
    pub(super) fn replies(&mut self, side: Side, to: Request) -> Vec<String> {
        let heard = std::mem::take(&mut self.nodes[side as usize].heard);
        let one = |wish: &Wish| match wish {
            Wish::Reply { request, reply, .. } if *request == to => {
                serde_json::to_string(reply).unwrap()
            }
            other => panic!("{other:?}"),
        };
        heard.iter().map(one).collect()
    }

    pub(super) fn told(&mut self, side: Side) -> Vec<String> {
        std::mem::take(&mut self.nodes[side as usize].told)
    }

    pub(super) fn status(&self, side: Side) -> crate::server::CarrierStatus {
        self.nodes[side as usize].carrier.status()
    }

    pub(super) fn subscriptions(&self) -> Vec<String> {
        let mut all: Vec<_> = self
            .nodes
            .iter()
            .flat_map(|node| node.subscribed.clone())
            .collect();
        all.sort_unstable();
        all
    }

    pub(super) fn last_on(&self, channel: &str) -> &[u8] {
        &self.last[channel]
    }

    /// Redis is gone, with all that was subscribed to.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
        let at = now(self.at);
        for node in &mut self.nodes {
            node.subscribed.clear();
            if let Some(conn) = node.conn.take() {
                node.carrier.closed(at, conn, Ok(()));
            }
        }
        self.turn();
    }

    /// Redis is there again, and found.
    pub(super) fn mend(&mut self) {
        self.is_cut = false;
        self.wait(200);
    }

    /// Redis hears nothing and says nothing from now on.
    pub(super) fn hold(&mut self) {
        self.is_held = true;
    }

    pub(super) fn stop(&mut self, side: Side) {
        let at = now(self.at);
        self.nodes[side as usize].carrier.stopped(at);
        self.turn();
    }
}

const SECOND_AND_ANOTHER: Duration = Duration::from_secs(2);
