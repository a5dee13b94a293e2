//! The protocol of `createAdapter` of `@socket.io/redis-streams-adapter` 0.3.
//!
//! The messages are those of [`Common`]; here is where they go. What may be heard later goes into the stream: its data is JSON,
//! or, if it holds bytes, MessagePack in base64. What is asked and answered goes by channels, in MessagePack.
//! Knows no Redis. Left out: `streamCount`, several streams for one cluster; the protocol of 0.2, which has all of it in the
//! stream, heartbeats as well.
//!
//! Source: the package's own, 0.3.1, read line by line.

use std::borrow::Cow;

use data_encoding::BASE64;
use rand::rngs::StdRng;

use super::common::{Common, Envelope, Said, To};
use super::entry::field;
use super::message::{Ignored, Message, Name};
use super::resp::Value;
use super::wire::{Came, Channel, Out, Publication, Read, Role, Wire};
use crate::config;
use crate::server::Here;
use crate::server::cluster::Wish;
use crate::socketio::msgpack;
use crate::time::Now;

/// The field in which a node of ours counts its own entries; the official adapter looks at no such field.
pub(super) const NUMBER: &str = "own";

/// What this node says and hears.
#[derive(Debug)]
pub(super) struct Streams {
    prefix: Box<str>,
    is_sharded: bool,
    common: Common,
}

impl Streams {
    pub(super) fn new(config: &config::Cluster, is_sharded: bool) -> Self {
        Self {
            prefix: config.prefix.as_str().into(),
            is_sharded,
            common: Common::new(config),
        }
    }

    /// What speaks to the nodes without being one.
    pub(super) fn emitter(config: &config::Cluster, is_sharded: bool) -> Self {
        Self {
            common: Common::emitter(config),
            ..Self::new(config, is_sharded)
        }
    }

    fn channel(&self, namespace: &str, node: &str) -> Channel {
        let hash = if node.is_empty() { "" } else { "#" };
        let name = format!("{}#{namespace}#{node}{hash}", self.prefix).into();
        if self.is_sharded {
            Channel::Sharded(name)
        } else {
            Channel::Plain(name)
        }
    }

    fn entry(&self, said: &Said) -> Vec<(&'static str, String)> {
        let data = if said.attachments.is_empty() {
            said.data.clone()
        } else {
            BASE64.encode(&msgpack::from_json(&said.data, &said.attachments))
        };
        vec![
            ("uid", self.common.uid.to_string()),
            ("nsp", said.namespace.to_string()),
            ("type", said.kind.to_string()),
            ("data", data),
        ]
    }

    /// The message of an entry, with its data as the caller keeps it.
    fn message<'f>(&self, fields: &'f [Value]) -> Result<Message<'f>, Ignored> {
        let Some(data) = field(fields, "data").filter(|data| !data.is_empty()) else {
            return Ok(Message {
                text: Cow::Borrowed("null"),
                attachments: Vec::new(),
            });
        };
        if data.starts_with('{') {
            return Message::either(data.as_bytes(), &self.common.limits);
        }
        let packed = BASE64.decode(data.as_bytes()).map_err(|_| Ignored)?;
        Message::packed(&packed, &self.common.limits)
    }
}

fn envelope<'m>(fields: &[Value], message: &'m Message<'_>) -> Result<Envelope<'m>, Ignored> {
    let text = |name| field(fields, name).ok_or(Ignored);
    Ok(Envelope {
        uid: Name(text("uid")?.into()),
        nsp: text("nsp")?.into(),
        kind: text("type")?.parse().map_err(|_| Ignored)?,
        data: message.parse()?,
    })
}

impl Wire for Streams {
    fn seeded(&mut self, random: &mut StdRng) {
        self.common.seeded(random);
    }

    fn channels(&self, namespace: &str) -> Vec<(Channel, Role)> {
        vec![
            (self.channel(namespace, ""), Role::Requests),
            (self.channel(namespace, &self.common.uid), Role::Responses),
        ]
    }

    fn counted(&self, namespace: &str) -> (&'static str, String) {
        let word = if self.is_sharded {
            "SHARDNUMSUB"
        } else {
            "NUMSUB"
        };
        (word, self.channel(namespace, "").name().to_owned())
    }

    fn said(&mut self, wish: &Wish) -> Option<Publication> {
        let said = self.common.said(wish)?;
        let node = match &said.to {
            To::Asker(uid) => uid,
            // Nobody needs it later, or it is for now only.
            To::Nodes if said.is_ephemeral() => "",
            To::Nodes | To::Room(_) => return Some(Publication::Add(self.entry(&said))),
        };
        let channel = self.channel(&said.namespace, node);
        Some(Publication::new(channel, self.common.packed(&said)).asking(said.question))
    }

    fn heard(
        &mut self,
        now: Now,
        came: &Came<'_>,
        _here: &dyn Here,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        let message = Message::packed(came.payload, &self.common.limits)?;
        let belongs = |namespace: &str| namespace == came.namespace;
        self.common.heard_by_channel(now, &message, belongs, out)
    }

    fn read(&mut self, now: Now, fields: &[Value]) -> Result<Read, Ignored> {
        if field(fields, "uid") == Some(&*self.common.uid) {
            let number = field(fields, NUMBER);
            return Ok(Read::Own(number.and_then(|number| number.parse().ok())));
        }
        let message = self.message(fields)?;
        let envelope = envelope(fields, &message)?;
        let wish = self.common.heard(now, &message, &envelope)?;
        Ok(wish.map_or(Read::Nothing, Read::Wish))
    }

    fn missed(&self, fields: &[Value]) -> Option<Wish> {
        let message = self.message(fields).ok()?;
        let envelope = envelope(fields, &message).ok()?;
        self.common.missed(&message, &envelope)
    }
}
