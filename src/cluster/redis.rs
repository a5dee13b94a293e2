//! The carrier: what this node says goes to Redis, and what others say comes from there.
//!
//! A [`Link`] keeps the connection, a [`Wire`] knows the words; here is who is subscribed to what, what was lost, and how many
//! nodes there are. A question is put by publishing it, and Redis says how many have heard it: so many replies are awaited, no
//! matter who came or went a moment before.
//! While Redis is away nothing is kept: what was said meanwhile others never hear, and it is counted.
//! Knows no socket and no handler. Left out: Redis Cluster (its redirections), Sentinel.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use super::classic::Classic;
use super::link::{Ciphers, Event, Link};
use super::resp::Value;
use super::sharded::Sharded;
use super::streams::Streams;
use super::url::{Target, UrlError};
use super::wire::{Came, Channel, Out, Publication, Role, Wire};
use crate::config;
use crate::server::cluster::{Request, Wish};
use crate::server::{Carried, CarrierState, CarrierStatus, Here};
use crate::time::{Now, Time};

mod carrying;
mod streaming;

use streaming::Streaming;

/// What a command was for.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// To hear a channel.
    Subscribe,
    /// To hear it no longer.
    Unsubscribe,
    /// To say something.
    Publish,
    /// To ask something, in a namespace that is here or not.
    Ask(Request, HeardBy),
    /// To count the nodes.
    Count,
    /// To add something to the stream, under a number if this node waits for it itself.
    Add(Option<u64>),
    /// To keep a session.
    Keep,
    /// To take the session that somebody claims.
    Taken(u64),
    /// To read what somebody has missed.
    Page(u64),
}

/// Who hears a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeardBy {
    /// Other nodes, and this one.
    AllNodes,
    /// Other nodes only: its namespace is not here.
    Others,
}

/// Carries what nodes tell each other over Redis, in the words of the official Node.js adapters, so that servers of either kind
/// may be neighbours; to be handed to [`Server::carried_by`](crate::Server::carried_by).
///
/// ```no_run
/// use roomcast::cluster::Redis;
/// use roomcast::{Config, Server, config};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let mut server = Server::new(Config::default(), ());
///     server.carried_by(Redis::new("redis://127.0.0.1:6379", config::Cluster::default())?);
///     server.of("/").on("say", |socket, (text,): (String,), _ack| {
///         // To the clients of all nodes.
///         socket.everyone().emit("said", &(text,));
///     });
///     server.listen("127.0.0.1:3000".parse()?)?.run()?;
///     Ok(())
/// }
/// ```
pub struct Redis {
    config: config::Cluster,
    link: Link<Token>,
    wire: Box<dyn Wire>,
    /// What is subscribed to, or will be when Redis is there.
    channels: HashMap<Channel, (Role, Box<str>)>,
    namespaces: Vec<Box<str>>,
    wanted: VecDeque<Carried>,
    /// Those of them that Redis is still to be asked for, since it owes enough.
    unsubscribed: VecDeque<Channel>,
    /// Subscriptions that Redis has not confirmed.
    unconfirmed: usize,
    count_at: Option<Time>,
    /// Where there is a stream.
    streaming: Option<Box<Streaming>>,
    /// Whether somebody was told what Redis refuses; once for each connection.
    has_complained: bool,
    status: CarrierStatus,
}

impl Redis {
    /// Redis at a `redis://[name[:password]@]host[:port][/database]`: version 6 or later, or Valkey. With `rediss://` over TLS, if
    /// the feature `tls` is on.
    ///
    /// # Errors
    /// If the URL is none, or asks for what is not there.
    pub fn new(url: &str, config: config::Cluster) -> Result<Self, UrlError> {
        let wire: Box<dyn Wire> = match config.wire {
            config::Wire::Classic { replies_to_asker } => {
                Box::new(Classic::new(&config, replies_to_asker))
            }
            config::Wire::Sharded { rooms } => Box::new(Sharded::new(&config, rooms)),
            config::Wire::Streams { sharded_channels } => {
                Box::new(Streams::new(&config, sharded_channels))
            }
        };
        let target = Target::parse(url)?;
        let ciphers = match target.is_encrypted {
            true => Some(ciphers(&target.host, &config)?),
            false => None,
        };
        let has_stream = matches!(config.wire, config::Wire::Streams { .. });
        let mut streaming = has_stream.then(|| Box::new(Streaming::new(target.clone(), &config)));
        let mut link = Link::new(target, config.clone());
        if let Some(ciphers) = ciphers {
            if let Some(streaming) = &mut streaming {
                streaming.tail.sealed_by(Rc::clone(&ciphers));
            }
            link.sealed_by(ciphers);
        }
        Ok(Self {
            link,
            wire,
            config,
            channels: HashMap::new(),
            namespaces: Vec::new(),
            wanted: VecDeque::new(),
            unsubscribed: VecDeque::new(),
            unconfirmed: 0,
            count_at: None,
            streaming,
            has_complained: false,
            status: CarrierStatus::default(),
        })
    }

    fn command(&mut self, now: Now, words: &[&[u8]], token: Token) -> Result<(), Token> {
        let patience = self.config.confirmed_within;
        self.link.command(now.mono, words, token, patience)
    }

    /// Subscribes to what waits for it, as much as Redis may owe.
    fn subscribe_waiting(&mut self, now: Now) {
        while let Some(channel) = self.unsubscribed.pop_front() {
            if !self.channels.contains_key(&channel) {
                continue;
            }
            let words = [channel.subscribe().as_bytes(), channel.name().as_bytes()];
            if self.command(now, &words, Token::Subscribe).is_err() {
                return self.unsubscribed.push_front(channel);
            }
            self.unconfirmed += 1;
        }
    }

    fn unsubscribe(&mut self, now: Now, channel: &Channel) {
        let words = [channel.unsubscribe().as_bytes(), channel.name().as_bytes()];
        // If it is not to be had, what still comes is for what nobody knows, and passed over.
        let _ = self.command(now, &words, Token::Unsubscribe);
    }

    /// Channels that belong to something are heard from now on.
    fn hear(&mut self, now: Now, namespace: &str, channels: Vec<(Channel, Role)>) {
        for (channel, role) in channels {
            self.channels
                .insert(channel.clone(), (role, namespace.into()));
            if !self.link.is_up() {
                continue;
            }
            match role {
                Role::Room => self.unsubscribed.push_back(channel),
                _ => self.unsubscribed.push_front(channel),
            }
        }
        self.subscribe_waiting(now);
    }

    fn publish(&mut self, now: Now, publication: Publication, wish: Option<Wish>) {
        let (channel, payload, question) = match publication {
            Publication::Add(fields) => return self.add(now, fields, wish),
            Publication::Publish {
                channel,
                payload,
                question,
            } => (channel, payload, question),
        };
        let token = match question {
            Some(request) => Token::Ask(request, self.heard_by(&channel)),
            None => Token::Publish,
        };
        let words = [
            channel.publish().as_bytes(),
            channel.name().as_bytes(),
            &payload[..],
        ];
        match self.command(now, &words, token) {
            Ok(()) => self.status.said += 1,
            Err(token) => self.lost(&token),
        }
    }

    fn heard_by(&self, channel: &Channel) -> HeardBy {
        if self.channels.contains_key(channel) {
            HeardBy::AllNodes
        } else {
            HeardBy::Others
        }
    }

    /// Others have not heard this, or perhaps not.
    fn lost(&mut self, token: &Token) {
        match token {
            Token::Publish => self.status.unsaid += 1,
            Token::Ask(request, _) => {
                self.status.unsaid += 1;
                let missing = self.status.other_nodes;
                self.wanted.push_back(Carried::NotAsked(*request, missing));
            }
            Token::Add(number) => self.not_added(*number),
            Token::Keep => self.status.unsaid += 1,
            Token::Taken(ticket) | Token::Page(ticket) => self.claim_lost(*ticket),
            Token::Subscribe | Token::Unsubscribe | Token::Count => {}
        }
    }

    fn count_nodes(&mut self, now: Now) {
        self.count_at = Some(now.mono + self.config.count_every);
        let Some(namespace) = self.namespaces.first() else {
            return;
        };
        let (word, channel) = self.wire.counted(namespace);
        let words = [&b"PUBSUB"[..], word.as_bytes(), channel.as_bytes()];
        let _ = self.command(now, &words, Token::Count);
    }

    /// Does what follows from what the link has brought.
    fn follow(&mut self, now: Now, here: &dyn Here) {
        loop {
            let Some(event) = self.link.poll_event() else {
                // Which may bring about events of the link.
                match self.follow_stream(now) {
                    true => continue,
                    false => break,
                }
            };
            match event {
                Event::Up => self.up(now),
                Event::Down => {
                    self.status.state = CarrierState::Degraded;
                    self.unconfirmed = 0;
                    self.unsubscribed.clear();
                    self.count_at = None;
                    self.stream_down(now);
                }
                Event::Lost(token) => self.lost(&token),
                Event::Reply(token, value) => self.replied(now, &token, &value),
                Event::Push(values) => self.pushed(now, &values, here),
            }
        }
    }

    fn up(&mut self, now: Now) {
        self.unconfirmed = 0;
        self.has_complained = false;
        let mut channels: Vec<_> = self.channels.iter().collect();
        // Rooms last: whoever asks something is heard by this node from the beginning. The map has no order, and the same run is
        // to have the same.
        channels.sort_unstable_by_key(|(channel, (role, _))| (*role == Role::Room, *channel));
        self.unsubscribed = channels
            .into_iter()
            .map(|(channel, _)| channel.clone())
            .collect();
        self.subscribe_waiting(now);
        self.count_nodes(now);
        self.joined_if_confirmed();
    }

    fn joined_if_confirmed(&mut self) {
        if self.unconfirmed == 0 && self.unsubscribed.is_empty() && self.is_ready() {
            self.status.state = CarrierState::Joined;
        }
    }

    fn replied(&mut self, now: Now, token: &Token, value: &Value) {
        self.subscribe_waiting(now);
        if let Value::Error(error) = value {
            if !std::mem::replace(&mut self.has_complained, true) {
                log::warn!("Redis refuses to {token:?}: {error}");
            }
            self.lost(token);
        }
        match (token, value) {
            (Token::Subscribe, Value::Error(_)) => {
                self.link.give_up(now.mono, "it refuses a subscription");
            }
            (Token::Subscribe, _) => {
                self.unconfirmed = self.unconfirmed.saturating_sub(1);
                self.joined_if_confirmed();
            }
            (Token::Ask(request, heard_by), Value::Number(count)) => {
                let own = usize::from(*heard_by == HeardBy::AllNodes);
                let others = usize::try_from(*count)
                    .unwrap_or_default()
                    .saturating_sub(own);
                self.wanted.push_back(Carried::Awaited(*request, others));
            }
            (Token::Taken(_) | Token::Page(_), Value::Error(_)) => {}
            (Token::Taken(ticket), value) => self.taken(now, *ticket, value),
            (Token::Page(ticket), value) => self.page(now, *ticket, value),
            (Token::Count, Value::List(values)) => {
                if let Some(Value::Number(count)) = values.get(1) {
                    let others = usize::try_from(*count)
                        .unwrap_or_default()
                        .saturating_sub(1);
                    self.status.other_nodes = others;
                    self.wanted.push_back(Carried::OtherNodes(others));
                }
            }
            _ => {}
        }
    }

    fn pushed(&mut self, now: Now, values: &[Value], here: &dyn Here) {
        let word = |place: usize| values.get(place).and_then(Value::text).unwrap_or_default();
        let name = |place: usize| std::str::from_utf8(word(place)).unwrap_or_default();
        let (key, channel, payload) = match word(0) {
            b"message" => (Channel::Plain(name(1).into()), name(1), values.get(2)),
            b"smessage" => (Channel::Sharded(name(1).into()), name(1), values.get(2)),
            b"pmessage" => (Channel::Pattern(name(1).into()), name(2), values.get(3)),
            // Redis tells of other things, too, to who asks for it.
            _ => return,
        };
        let Some((role, namespace)) = self.channels.get(&key) else {
            return;
        };
        let Some(payload) = payload.and_then(Value::text) else {
            self.status.ignored += 1;
            return;
        };
        let (role, namespace) = (*role, namespace.clone());
        let came = Came {
            role,
            namespace: &namespace,
            channel,
            payload,
        };
        let mut out = Vec::new();
        match self.wire.heard(now, &came, here, &mut out) {
            Ok(()) => self.status.heard += 1,
            Err(super::message::Ignored) => {
                log::debug!("ignored what came by {channel:?}");
                self.status.ignored += 1;
            }
        }
        for out in out {
            match out {
                Out::Hear(wish) => self.wanted.push_back(Carried::Hear(wish)),
                Out::Publish(publication) => self.publish(now, publication, None),
            }
        }
    }
}

#[cfg(feature = "tls")]
fn ciphers(host: &str, config: &config::Cluster) -> Result<Rc<dyn Ciphers>, UrlError> {
    let identity = super::tls::Identity::of(host, config.authorities.as_deref());
    identity
        .map(|identity| Rc::new(identity) as Rc<dyn Ciphers>)
        .map_err(|error| {
            log::error!("nobody certifies the Redis at {host}: {error}");
            UrlError::Authorities
        })
}

#[cfg(not(feature = "tls"))]
fn ciphers(_: &str, _: &config::Cluster) -> Result<Rc<dyn Ciphers>, UrlError> {
    Err(UrlError::Encrypted)
}
