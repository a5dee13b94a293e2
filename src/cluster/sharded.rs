//! The protocol of `createShardedAdapter` of `@socket.io/redis-adapter` 8, over the sharded channels of Redis 7.
//!
//! The messages are those of [`Common`], in JSON unless they hold bytes; here is by which channel they go. Each namespace has
//! one for all nodes and one for each, by which it is replied to. A broadcast to one room goes by a channel of the room's own,
//! to which only nodes subscribe that have somebody in it: of which rooms, is a choice of the whole cluster
//! ([`config::RoomChannels`]), since who does not subscribe does not hear.
//! Knows no Redis and no message.
//!
//! Source: the package's own, 8.3.0, read line by line.

use rand::rngs::StdRng;

use super::common::{Common, To};
use super::message::{Ignored, Message};
use super::wire::{Came, Channel, Out, Publication, Role, Wire};
use crate::config;
use crate::server::Here;
use crate::server::cluster::Wish;
use crate::time::Now;

/// Characters of a socket's id, by which the official adapter tells rooms of single sockets from others.
const SOCKET_ID_CHARS: usize = 20;

/// What this node says and hears.
#[derive(Debug)]
pub(super) struct Sharded {
    prefix: Box<str>,
    rooms: config::RoomChannels,
    common: Common,
}

impl Sharded {
    pub(super) fn new(config: &config::Cluster, rooms: config::RoomChannels) -> Self {
        Self {
            prefix: config.prefix.as_str().into(),
            rooms,
            common: Common::new(config),
        }
    }

    /// What speaks to the nodes without being one.
    pub(super) fn emitter(config: &config::Cluster, rooms: config::RoomChannels) -> Self {
        Self {
            common: Common::emitter(config),
            ..Self::new(config, rooms)
        }
    }

    fn channel(&self, namespace: &str) -> String {
        channel_of(&self.prefix, namespace)
    }

    fn below(&self, namespace: &str, name: &str) -> String {
        format!("{}#{namespace}#{name}#", self.prefix)
    }

    /// Whether broadcasts to one room go by a channel of its own.
    fn has_channel(&self, room: &str) -> bool {
        match self.rooms {
            config::RoomChannels::None => false,
            // Counted as JavaScript counts.
            config::RoomChannels::Public => room.encode_utf16().count() != SOCKET_ID_CHARS,
            config::RoomChannels::All => true,
        }
    }
}

fn channel_of(prefix: &str, namespace: &str) -> String {
    format!("{prefix}#{namespace}#")
}

impl Wire for Sharded {
    fn seeded(&mut self, random: &mut StdRng) {
        self.common.seeded(random);
    }

    fn channels(&self, namespace: &str) -> Vec<(Channel, Role)> {
        let own = self.below(namespace, &self.common.uid);
        vec![
            (
                Channel::Sharded(self.channel(namespace).into()),
                Role::Requests,
            ),
            (Channel::Sharded(own.into()), Role::Responses),
        ]
    }

    fn room(&self, namespace: &str, room: &str) -> Option<Channel> {
        let channel = || Channel::Sharded(self.below(namespace, room).into());
        self.has_channel(room).then(channel)
    }

    fn has_rooms(&self) -> bool {
        self.rooms != config::RoomChannels::None
    }

    fn counted(&self, namespace: &str) -> (&'static str, String) {
        ("SHARDNUMSUB", self.channel(namespace))
    }

    fn said(&mut self, wish: &Wish) -> Option<Publication> {
        let said = self.common.said(wish)?;
        let namespace = &said.namespace;
        let channel = match &said.to {
            To::Room(room) if self.has_channel(room) => self.below(namespace, room),
            To::Nodes | To::Room(_) => self.channel(namespace),
            To::Asker(uid) => self.below(namespace, uid),
        };
        let channel = Channel::Sharded(channel.into());
        Some(Publication::new(channel, self.common.whole(&said)).asking(said.question))
    }

    fn heard(
        &mut self,
        now: Now,
        came: &Came<'_>,
        _here: &dyn Here,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        let message = Message::either(came.payload, &self.common.limits)?;
        let (prefix, channel) = (&self.prefix, came.channel);
        // The channel of a room may be called as that of a namespace: `/a` with the room `b`, and `/a#b`.
        let belongs = |namespace: &str| channel.starts_with(&channel_of(prefix, namespace));
        self.common.heard_by_channel(now, &message, belongs, out)
    }
}
