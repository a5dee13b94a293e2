//! A Redis in memory, as far as two carriers need one: subscriptions, messages, counts, a stream and keys; it can be cut off, held
//! and mended.

use std::collections::BTreeMap;

use super::store::{self, Store, bulk, text};
use super::*;
use crate::cluster::entry::EntryId;
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
    lines: Vec<Line>,
    /// Channels, and patterns with their star; and by which connection it hears them.
    subscribed: Vec<String>,
    ear: Option<ConnId>,
    heard: Vec<Wish>,
    /// The places of what it was told with one.
    places: Vec<String>,
    told: Vec<String>,
}

/// A connection.
struct Line {
    conn: ConnId,
    reader: Reader,
    /// The entry after which it waits for more, how many it wants, and until when.
    waits: Option<(EntryId, Vec<u8>, u64)>,
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
    pub(super) store: Store,
    /// Whether those who wait for entries are told of none.
    pub(super) is_silent: bool,
    /// What the stream was called last.
    stream: String,
}

impl Broker {
    pub(super) fn new(wire: config::Wire) -> Self {
        Self::with(config::Cluster {
            wire,
            ..config::Cluster::default()
        })
    }

    pub(super) fn with(config: config::Cluster) -> Self {
        Self::recovering(config, None)
    }

    /// Clients that were cut off may come back for so long.
    pub(super) fn recovering(config: config::Cluster, within: Option<Duration>) -> Self {
        let mut broker = Self::later(config.clone(), within);
        broker.is_cut = false;
        broker.wait(0);
        // Both are there by now, and count each other.
        let every = u64::try_from(config.count_every.as_millis()).unwrap();
        broker.wait(every);
        broker.told(Side::Left);
        broker.told(Side::Right);
        broker
    }

    /// The same, before anybody has connected.
    pub(super) fn later(config: config::Cluster, within: Option<Duration>) -> Self {
        let node = |seed| {
            let mut carrier = Redis::new("redis://127.0.0.1", config.clone()).unwrap();
            carrier.seeded([seed; 32]);
            carrier.namespace(now(0), "/", Presence::Came);
            if let Some(within) = within {
                assert!(carrier.recovers(within));
            }
            Node {
                carrier,
                lines: Vec::new(),
                subscribed: Vec::new(),
                ear: None,
                heard: Vec::new(),
                places: Vec::new(),
                told: Vec::new(),
            }
        };
        Self {
            nodes: [node(1), node(2)],
            at: 0,
            conns: 0,
            is_cut: true,
            is_held: false,
            is_sharded: matches!(
                config.wire,
                config::Wire::Sharded { .. }
                    | config::Wire::Streams {
                        sharded_channels: true
                    }
            ),
            last: BTreeMap::new(),
            store: Store::default(),
            is_silent: false,
            stream: String::new(),
        }
    }

    /// Lets time pass and everything happen that does by then.
    pub(super) fn wait(&mut self, millis: u64) {
        let until = self.at + millis;
        loop {
            self.turn();
            let deadlines = self.nodes.iter().filter_map(|node| node.carrier.deadline());
            let deadline = deadlines.min().map(|at| at.0.div_ceil(1000));
            match [deadline, self.wait_ends()].into_iter().flatten().min() {
                Some(at) if at <= until => {
                    self.at = self.at.max(at);
                    self.end_waits();
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
            Carried::Send(conn, bytes) if !self.is_held => {
                let mut rest = &bytes[..];
                while let Some(line) = self.line(place, conn)
                    && let Some(command) = line.reader.next(&mut rest).unwrap()
                {
                    self.command(place, conn, command);
                }
            }
            Carried::Send(..) => {}
            Carried::Close(conn) | Carried::Finish(conn) => {
                node.lines.retain(|line| line.conn != conn);
                if node.ear == Some(conn) {
                    node.ear = None;
                    node.subscribed.clear();
                }
            }
            Carried::Hear(wish) => node.heard.push(wish),
            Carried::HearAt(wish, place) => {
                node.heard.push(wish);
                node.places.push(place.into());
            }
            Carried::Claimed(ticket, outcome) => {
                let outcome = outcome.map(|kept| {
                    let (session, missed) = *kept;
                    let missed = missed.iter().map(|one| one.values.list.to_string());
                    (session, missed.collect::<Vec<_>>())
                });
                node.told.push(format!("{ticket} {outcome:?}"));
            }
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
        node.lines.push(Line {
            conn,
            reader: Reader::new(usize::MAX),
            waits: None,
        });
        node.carrier.connected(at, tag, Ok(conn));
    }

    fn line(&mut self, place: usize, conn: ConnId) -> Option<&mut Line> {
        let lines = self.nodes[place].lines.iter_mut();
        lines.into_iter().find(|line| line.conn == conn)
    }

    /// When the first of those who wait for entries has waited long enough.
    fn wait_ends(&self) -> Option<u64> {
        let lines = self.nodes.iter().flat_map(|node| &node.lines);
        let ends = lines.filter_map(|line| line.waits.as_ref().map(|(.., until)| *until));
        ends.min().filter(|_| !self.is_held)
    }

    fn end_waits(&mut self) {
        if self.is_held {
            return;
        }
        for place in 0..2 {
            let at = self.at;
            let over = |line: &&mut Line| line.waits.as_ref().is_some_and(|wait| wait.2 <= at);
            let lines = self.nodes[place].lines.iter_mut().filter(over);
            let conns: Vec<_> = lines
                .map(|line| {
                    line.waits = None;
                    line.conn
                })
                .collect();
            for conn in conns {
                self.answer(place, conn, b"_\r\n");
            }
        }
    }

    /// Brings entries to those who wait for them.
    pub(super) fn bring(&mut self) {
        let places = if self.is_silent { 0..0 } else { 0..2 };
        for place in places {
            let conns: Vec<_> = self.nodes[place]
                .lines
                .iter()
                .map(|line| line.conn)
                .collect();
            for conn in conns {
                let waits = self.line(place, conn).and_then(|line| line.waits.take());
                let Some((after, count, until)) = waits else {
                    continue;
                };
                let entries = self.store.from(&after.next().to_string(), &count);
                if entries.is_empty() {
                    if let Some(line) = self.line(place, conn) {
                        line.waits = Some((after, count, until));
                    }
                    continue;
                }
                let said = [&b"%1\r\n$9\r\nsocket.io\r\n"[..], &store::said(&entries)].concat();
                self.answer(place, conn, &said);
            }
        }
    }

    fn command(&mut self, place: usize, conn: ConnId, command: Value) {
        let Value::List(words) = command else {
            panic!("a command is a list")
        };
        let words: Vec<&[u8]> = words.iter().map(|word| word.text().unwrap()).collect();
        let node = &mut self.nodes[place];
        let subscribed = &mut node.subscribed;
        match (words[0], words[1]) {
            (b"HELLO", _) => self.answer(place, conn, b"%1\r\n+proto\r\n:3\r\n"),
            (b"XADD", stream) => {
                self.stream = text(stream);
                let id = self.store.add(&words);
                self.answer(place, conn, &bulk(id.as_bytes()));
                self.bring();
            }
            (b"XREVRANGE", _) => {
                let last = self.store.entries.last().cloned();
                let last: Vec<_> = last.into_iter().collect();
                self.answer(place, conn, &store::said(&last));
            }
            (b"XREAD", _) => {
                let after = text(words[7]).parse().unwrap();
                let until = self.at + text(words[4]).parse::<u64>().unwrap();
                let wait = (after, words[2].to_vec(), until);
                if let Some(line) = self.line(place, conn) {
                    line.waits = Some(wait);
                }
                self.bring();
            }
            (b"XRANGE", _) => {
                let entries = self.store.from(&text(words[2]), words[5]);
                self.answer(place, conn, &store::said(&entries));
            }
            (b"SET", key) => {
                assert_eq!(words[3], b"PX");
                self.store.keys.insert(text(key), words[2].to_vec());
                self.answer(place, conn, b"+OK\r\n");
            }
            (b"GETDEL", key) => {
                let value = self.store.keys.remove(&text(key));
                let said = value.map_or_else(|| b"_\r\n".to_vec(), |value| bulk(&value));
                self.answer(place, conn, &said);
            }
            (b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE", name) => {
                subscribed.push(text(name));
                node.ear = Some(conn);
                self.confirm(place, conn, words[0], name);
            }
            (b"UNSUBSCRIBE" | b"PUNSUBSCRIBE" | b"SUNSUBSCRIBE", name) => {
                let name = text(name);
                subscribed.retain(|own| *own != name);
                self.confirm(place, conn, words[0], name.as_bytes());
            }
            (b"PUBLISH" | b"SPUBLISH", channel) => {
                self.is_sharded = words[0] == b"SPUBLISH";
                let count = self.publish(&text(channel), words[2]);
                self.answer(place, conn, format!(":{count}\r\n").as_bytes());
            }
            (b"PUBSUB", _) => {
                let name = text(words[2]);
                let count = self
                    .nodes
                    .iter()
                    .filter(|node| node.subscribed.contains(&name))
                    .count();
                let said = format!("*2\r\n$1\r\nc\r\n:{count}\r\n");
                self.answer(place, conn, said.as_bytes());
            }
            (word, _) => panic!("{}", word.escape_ascii()),
        }
    }

    fn confirm(&mut self, place: usize, conn: ConnId, word: &[u8], name: &[u8]) {
        let word = String::from_utf8(word.to_ascii_lowercase()).unwrap();
        let head = format!(">3\r\n${}\r\n{word}\r\n${}\r\n", word.len(), name.len());
        self.answer(
            place,
            conn,
            &[head.as_bytes(), name, b"\r\n:1\r\n"].concat(),
        );
    }

    fn answer(&mut self, place: usize, conn: ConnId, bytes: &[u8]) {
        let at = now(self.at);
        if self.line(place, conn).is_some() {
            let carrier = &mut self.nodes[place].carrier;
            carrier.received(at, conn, bytes, &Everywhere);
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
                if let Some(ear) = self.nodes[place].ear {
                    self.answer(place, ear, &[b">", &list[1..]].concat());
                }
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

    /// The places of what was heard with one.
    pub(super) fn places(&mut self, side: Side) -> Vec<String> {
        std::mem::take(&mut self.nodes[side as usize].places)
    }

    pub(super) fn carrier(&mut self, side: Side) -> &mut Redis {
        &mut self.nodes[side as usize].carrier
    }

    pub(super) const fn now(&self) -> Now {
        now(self.at)
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

    pub(super) fn last_stream(&self) -> &str {
        &self.stream
    }

    pub(super) fn last_on(&self, channel: &str) -> &[u8] {
        &self.last[channel]
    }

    /// Somebody adds an entry to the stream.
    pub(super) fn add(&mut self, fields: &[(&str, &str)]) -> String {
        let pairs = fields.iter();
        let fields =
            pairs.flat_map(|(name, value)| [name.as_bytes().to_vec(), value.as_bytes().to_vec()]);
        let id = self.store.put(fields.collect(), usize::MAX);
        if !self.is_cut {
            self.bring();
            self.turn();
        }
        id
    }

    /// Redis is gone, with all that was subscribed to.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
        let at = now(self.at);
        for node in &mut self.nodes {
            node.subscribed.clear();
            node.ear = None;
            for line in std::mem::take(&mut node.lines) {
                node.carrier.closed(at, line.conn, Ok(()));
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
