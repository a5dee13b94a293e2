//! What a protocol between nodes is, to who carries it: channels, payloads, and what they mean.
//!
//! Knows neither Redis nor any of the protocols.

use rand::rngs::StdRng;

use super::message::Ignored;
use super::resp::Value;
use crate::server::Here;
use crate::server::cluster::{Request, Wish};
use crate::time::Now;

/// A channel, or a pattern of channels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Channel {
    /// One.
    Plain(Box<str>),
    /// All whose names fit.
    Pattern(Box<str>),
    /// One of Redis 7's, which a cluster of Redis servers keeps at one of them.
    Sharded(Box<str>),
}

impl Channel {
    pub(super) const fn name(&self) -> &str {
        match self {
            Self::Plain(name) | Self::Pattern(name) | Self::Sharded(name) => name,
        }
    }

    /// The command that says something in it.
    pub(super) const fn publish(&self) -> &'static str {
        match self {
            Self::Plain(_) | Self::Pattern(_) => "PUBLISH",
            Self::Sharded(_) => "SPUBLISH",
        }
    }

    pub(super) const fn subscribe(&self) -> &'static str {
        match self {
            Self::Plain(_) => "SUBSCRIBE",
            Self::Pattern(_) => "PSUBSCRIBE",
            Self::Sharded(_) => "SSUBSCRIBE",
        }
    }

    pub(super) const fn unsubscribe(&self) -> &'static str {
        match self {
            Self::Plain(_) => "UNSUBSCRIBE",
            Self::Pattern(_) => "PUNSUBSCRIBE",
            Self::Sharded(_) => "SUNSUBSCRIBE",
        }
    }
}

/// What comes by a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// What is for clients.
    Broadcasts,
    /// What is for clients that are in one room, as long as there are some.
    Room,
    /// What is for servers.
    Requests,
    /// What is for one server.
    Responses,
}

/// Something that came by a channel.
#[derive(Debug)]
pub(super) struct Came<'a> {
    pub(super) role: Role,
    pub(super) namespace: &'a str,
    pub(super) channel: &'a str,
    pub(super) payload: &'a [u8],
}

/// Something to be said.
#[derive(Debug)]
pub(super) enum Publication {
    /// In a channel.
    Publish {
        channel: Channel,
        payload: Vec<u8>,
        /// The question that it puts.
        question: Option<Request>,
    },
    /// At the end of the stream, in these fields.
    Add(Vec<(&'static str, String)>),
}

impl Publication {
    pub(super) fn new(channel: Channel, payload: impl Into<Vec<u8>>) -> Self {
        Self::Publish {
            channel,
            payload: payload.into(),
            question: None,
        }
    }

    pub(super) fn asking(mut self, asked: Option<Request>) -> Self {
        if let Self::Publish { question, .. } = &mut self {
            *question = asked;
        }
        self
    }
}

/// What an entry of the stream was.
#[derive(Debug)]
pub(super) enum Read {
    /// Another node wishes this.
    Wish(Wish),
    /// It is this node's own, with the number that it was given.
    Own(Option<u64>),
    /// Nothing that is to be done.
    Nothing,
}

/// What follows from something that came.
#[derive(Debug)]
pub(super) enum Out {
    /// Another node wishes this.
    Hear(Wish),
    /// It is answered at once.
    Publish(Publication),
}

/// A protocol between nodes.
pub(super) trait Wire {
    /// Before everything else: a name of its own.
    fn seeded(&mut self, random: &mut StdRng);
    /// What a node subscribes to that has a namespace.
    fn channels(&self, namespace: &str) -> Vec<(Channel, Role)>;
    /// The channel by which a node hears what is for a room, if rooms of that name have one of their own.
    fn room(&self, _namespace: &str, _room: &str) -> Option<Channel> {
        None
    }
    /// Whether any room has.
    fn has_rooms(&self) -> bool {
        false
    }
    /// The channel whose subscribers are the nodes that have a namespace, and the word of `PUBSUB` that counts them.
    fn counted(&self, namespace: &str) -> (&'static str, String);
    /// This node wishes something; none if there is no word for it.
    fn said(&mut self, wish: &Wish) -> Option<Publication>;
    /// Something came.
    fn heard(
        &mut self,
        now: Now,
        came: &Came<'_>,
        here: &dyn Here,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored>;
    /// An entry of the stream came.
    fn read(&mut self, _now: Now, _fields: &[Value]) -> Result<Read, Ignored> {
        Err(Ignored)
    }
    /// The event that an entry of the stream brought to clients, whichever node's it is.
    fn missed(&self, _fields: &[Value]) -> Option<Wish> {
        None
    }
}
