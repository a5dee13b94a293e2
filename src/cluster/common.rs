//! The messages that the protocols over sharded channels and over streams share: those of `ClusterAdapter` of
//! `socket.io-adapter` 2.5.
//!
//! Wishes come in and go out as messages, `{uid, nsp, type, data}`; messages of other nodes come in and go out as wishes.
//! Replies go to the node that asked. What a node wishes of others it does for its own sockets itself, and passes over what is
//! its own.
//! Knows no channel and no stream. Left out: what these words cannot say. That a socket which was asked has gone, is not told;
//! that all rooms are to be left, only nodes of ours understand. Heartbeats, by which other adapters count nodes, are ignored.
//!
//! | kind | what | reply |
//! |---|---|---|
//! | 3 | a broadcast; with `requestId` one that is answered | 11: how many were asked; 12: each answer |
//! | 4, 5, 6 | join, leave, disconnect | none |
//! | 7 | fetch sockets | 8 |
//! | 9 | an event between servers | 10, if it has a `requestId` |
//!
//! Source: the package's own, 2.5.8, read line by line.

use std::time::Duration;

use bytes::Bytes;
use rand::RngExt;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::{
    self, Ignored, Message, Name, Opts, Packet, Told, event_data, event_packet, names, opts, quoted,
};
use super::questions::{Foreign, Questions};
use super::wire::Out;
use crate::config;
use crate::server::GatheredAnswer;
use crate::server::cluster::{Reply, Request, Values, Whom, Wish};
use crate::socketio::args::Args;
use crate::socketio::msgpack;
use crate::time::Now;

/// A node is there, as adapters say that count nodes by it: theirs are no kinds of these protocols.
const INITIAL_HEARTBEAT: u64 = 1;
const HEARTBEAT: u64 = 2;
pub(super) const BROADCAST: u64 = 3;
const JOIN: u64 = 4;
const LEAVE: u64 = 5;
const DISCONNECT: u64 = 6;
const FETCH: u64 = 7;
const FETCH_REPLY: u64 = 8;
const SERVER_SIDE: u64 = 9;
const SERVER_SIDE_REPLY: u64 = 10;
const CLIENT_COUNT: u64 = 11;
const ACK: u64 = 12;
const ADAPTER_CLOSE: u64 = 13;

/// What all nodes of these protocols say and hear.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) uid: Box<str>,
    pub(super) limits: config::SocketIo,
    questions: Questions,
    config: config::Cluster,
}

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) namespace: Box<str>,
    pub(super) kind: u64,
    /// An object of JSON, whose placeholders name the attachments.
    pub(super) data: String,
    pub(super) attachments: Vec<Bytes>,
    pub(super) to: To,
    /// The question that it puts.
    pub(super) question: Option<Request>,
}

/// Who is to hear a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// All nodes.
    Nodes,
    /// Those that have somebody in this room; for all others there is nothing in it.
    Room(Box<str>),
    /// The node that asked.
    Asker(Box<str>),
}

/// A message that has come.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'a> {
    pub(super) uid: Name,
    pub(super) nsp: Box<str>,
    #[serde(rename = "type")]
    pub(super) kind: u64,
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
}

/// What is in one, by its kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    request_id: Option<Name>,
    opts: Option<Opts>,
    rooms: Option<Vec<Name>>,
    #[serde(borrow)]
    packet: Option<&'a RawValue>,
    close: Option<bool>,
    #[serde(borrow)]
    sockets: Option<Vec<Told<'a>>>,
    client_count: Option<usize>,
    #[serde(default)]
    roomcast_all: bool,
}

impl Common {
    pub(super) fn new(config: &config::Cluster) -> Self {
        Self {
            uid: "".into(),
            limits: message::limits(config),
            questions: questions("", config),
            config: config.clone(),
        }
    }

    /// Speaks as `@socket.io/redis-streams-emitter` does: nobody's own name.
    pub(super) fn emitter(config: &config::Cluster) -> Self {
        Self {
            uid: "emitter".into(),
            ..Self::new(config)
        }
    }

    pub(super) fn seeded(&mut self, random: &mut StdRng) {
        self.uid = format!("{:016x}", random.random::<u64>()).into();
        self.questions = questions(&self.uid, &self.config);
    }

    /// A message as one value, JSON or, if it holds bytes, MessagePack.
    pub(super) fn whole(&self, said: &Said) -> Vec<u8> {
        let text = self.text(said);
        if said.attachments.is_empty() {
            text.into_bytes()
        } else {
            msgpack::from_json(&text, &said.attachments)
        }
    }

    /// A message as MessagePack.
    pub(super) fn packed(&self, said: &Said) -> Vec<u8> {
        msgpack::from_json(&self.text(said), &said.attachments)
    }

    fn text(&self, said: &Said) -> String {
        let Said {
            namespace,
            kind,
            data,
            ..
        } = said;
        let (uid, namespace) = (quoted(&self.uid), quoted(namespace));
        format!("{{\"uid\":{uid},\"nsp\":{namespace},\"type\":{kind},\"data\":{data}}}")
    }

    /// This node wishes something; none if there is no word for it.
    pub(super) fn said(&mut self, wish: &Wish) -> Option<Said> {
        let data = match wish {
            Wish::Emit {
                to,
                event,
                values,
                is_volatile,
                stays_plain,
                request,
            } => {
                let flags = message::flags(*is_volatile, *stays_plain);
                return Some(self.broadcast(to, event, values, flags, *request));
            }
            Wish::Join { to, rooms } => {
                let data = format!("{{{}}}", message::joining(to, rooms));
                to_nodes(&to.namespace, JOIN, data)
            }
            Wish::Leave { to, rooms } => {
                let data = format!("{{{}}}", message::leaving(to, rooms));
                to_nodes(&to.namespace, LEAVE, data)
            }
            Wish::Disconnect { to, closes } => {
                let data = format!("{{{}}}", message::disconnecting(to, *closes));
                to_nodes(&to.namespace, DISCONNECT, data)
            }
            Wish::Fetch { to, request } => {
                let (name, opts) = (self.questions.name(*request), opts(to, None));
                let data = format!("{{\"requestId\":\"{name}\",\"opts\":{opts}}}");
                to_nodes(&to.namespace, FETCH, data).asking(*request)
            }
            Wish::ServerSide {
                namespace,
                event,
                values,
                request,
            } => {
                let packet = event_data(event, &values.list);
                let name = request.map(|request| self.questions.name(request));
                let name = name.map_or(String::new(), |name| format!(",\"requestId\":\"{name}\""));
                let data = format!("{{\"packet\":{packet}{name}}}");
                Said {
                    attachments: values.attachments.clone(),
                    question: *request,
                    ..to_nodes(namespace, SERVER_SIDE, data)
                }
            }
            Wish::Reply { request, reply, .. } => return self.reply(*request, reply),
            Wish::Rooms { .. } => return None,
        };
        Some(data)
    }

    fn broadcast(
        &mut self,
        to: &Whom,
        event: &str,
        values: &Values,
        flags: &str,
        asked: Option<(Request, Duration)>,
    ) -> Said {
        let packet = event_packet(&to.namespace, event, &values.list);
        let said = |data| Said {
            attachments: values.attachments.clone(),
            ..to_nodes(&to.namespace, BROADCAST, data)
        };
        let Some((request, within)) = asked else {
            let opts = opts(to, Some(flags));
            let said = said(format!("{{\"packet\":{packet},\"opts\":{opts}}}"));
            return match &*to.rooms {
                [room] => Said {
                    to: To::Room(room.clone()),
                    ..said
                },
                _ => said,
            };
        };
        let comma = if flags.is_empty() { "" } else { "," };
        let millis = within.as_millis();
        let opts = opts(to, Some(&format!("{flags}{comma}\"timeout\":{millis}")));
        let name = self.questions.name(request);
        said(format!(
            "{{\"packet\":{packet},\"requestId\":\"{name}\",\"opts\":{opts}}}"
        ))
        .asking(request)
    }

    fn reply(&mut self, request: Request, reply: &Reply) -> Option<Said> {
        let foreign = match reply {
            Reply::Asked(_) | Reply::Answer(_) => self.questions.get(request)?.clone(),
            Reply::Sockets(_) | Reply::Values(_) | Reply::Rooms(_) => {
                self.questions.end(request)?
            }
            Reply::Gone(_) => return None,
        };
        let first = |args: Args<'_>| {
            let first = args.iter().next();
            first.map_or(String::new(), |first| format!(",\"packet\":{first}"))
        };
        let (kind, rest, attachments) = match (reply, foreign.kind) {
            (Reply::Asked(count), BROADCAST) => (
                CLIENT_COUNT,
                format!(",\"clientCount\":{count}"),
                Vec::new(),
            ),
            (Reply::Answer(answer), BROADCAST) => {
                let args = answer.args();
                (ACK, first(args), args.attachments().to_vec())
            }
            (Reply::Sockets(sockets), FETCH) => {
                let sockets = message::told(sockets);
                (FETCH_REPLY, format!(",\"sockets\":{sockets}"), Vec::new())
            }
            (Reply::Values(values), SERVER_SIDE) => {
                let rest = first(values.args());
                (SERVER_SIDE_REPLY, rest, values.attachments.clone())
            }
            _ => return None,
        };
        let data = format!("{{\"requestId\":{}{rest}}}", quoted(&foreign.name));
        Some(Said {
            attachments,
            to: To::Asker(foreign.asker),
            ..to_nodes(&foreign.namespace, kind, data)
        })
    }

    /// A message came by a channel; `belongs` says whether its namespace is one of that channel's.
    pub(super) fn heard_by_channel(
        &mut self,
        now: Now,
        message: &Message<'_>,
        belongs: impl FnOnce(&str) -> bool,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        let envelope: Envelope<'_> = message.parse()?;
        if belongs(&envelope.nsp) {
            let wish = self.heard(now, message, &envelope)?;
            out.extend(wish.map(Out::Hear));
        }
        Ok(())
    }

    /// A message came; none if nothing is to be done for it.
    pub(super) fn heard(
        &mut self,
        now: Now,
        message: &Message<'_>,
        envelope: &Envelope<'_>,
    ) -> Result<Option<Wish>, Ignored> {
        if envelope.uid.0 == self.uid {
            return Ok(None);
        }
        let (namespace, kind) = (&*envelope.nsp, envelope.kind);
        if matches!(kind, INITIAL_HEARTBEAT | HEARTBEAT | ADAPTER_CLOSE) {
            return Ok(None);
        }
        let data = envelope.data.ok_or(Ignored)?;
        let data: Data<'_> = serde_json::from_str(data.get()).map_err(|_| Ignored)?;
        if matches!(kind, FETCH_REPLY | SERVER_SIDE_REPLY | CLIENT_COUNT | ACK) {
            return self.heard_reply(message, envelope, &data);
        }
        let opts = || data.opts.as_ref().ok_or(Ignored);
        let to = || Ok(opts()?.whom(namespace));
        let rooms = || names(data.rooms.as_deref().unwrap_or_default());
        Ok(Some(match kind {
            BROADCAST => {
                let packet = data.packet.ok_or(Ignored)?;
                let packet: Packet<'_> = serde_json::from_str(packet.get()).map_err(|_| Ignored)?;
                let timeout = opts()?.flags.unwrap_or_default().timeout;
                let within = self.questions.patience(timeout);
                let wish = packet.wish(message, namespace, opts()?, None)?;
                self.awaited(now, wish, envelope, &data, within)?
            }
            JOIN => Wish::Join {
                to: to()?,
                rooms: rooms(),
            },
            LEAVE => {
                let (to, rooms) = (to()?, rooms());
                if rooms.is_empty() && !data.roomcast_all {
                    return Ok(None);
                }
                Wish::Leave { to, rooms }
            }
            DISCONNECT => Wish::Disconnect {
                to: to()?,
                closes: data.close.unwrap_or(false),
            },
            FETCH => {
                let to = to()?;
                let name = data.request_id.as_ref().ok_or(Ignored)?;
                let request = self.asked(now, envelope, name)?;
                Wish::Fetch { to, request }
            }
            SERVER_SIDE => {
                let (event, values) = message.event(data.packet.ok_or(Ignored)?)?;
                let name = data.request_id.as_ref();
                let request = name.map(|name| self.asked(now, envelope, name));
                Wish::ServerSide {
                    namespace: namespace.into(),
                    event,
                    values,
                    request: request.transpose()?,
                }
            }
            _ => return Err(Ignored),
        }))
    }

    /// The event that a message brought to clients, whichever node's it is; none if they were asked for answers.
    pub(super) fn missed(&self, message: &Message<'_>, envelope: &Envelope<'_>) -> Option<Wish> {
        if envelope.kind != BROADCAST {
            return None;
        }
        let data: Data<'_> = serde_json::from_str(envelope.data?.get()).ok()?;
        if data.request_id.is_some() {
            return None;
        }
        let packet: Packet<'_> = serde_json::from_str(data.packet?.get()).ok()?;
        packet
            .wish(message, &envelope.nsp, data.opts.as_ref()?, None)
            .ok()
    }

    /// A broadcast whose answers are awaited, if they are.
    fn awaited(
        &mut self,
        now: Now,
        wish: Wish,
        envelope: &Envelope<'_>,
        data: &Data<'_>,
        within: Duration,
    ) -> Result<Wish, Ignored> {
        let mut wish = wish;
        if let (Wish::Emit { request, .. }, Some(name)) = (&mut wish, &data.request_id) {
            *request = Some((self.asked(now, envelope, name)?, within));
        }
        Ok(wish)
    }

    fn asked(
        &mut self,
        now: Now,
        envelope: &Envelope<'_>,
        name: &Name,
    ) -> Result<Request, Ignored> {
        let foreign = Foreign {
            namespace: envelope.nsp.clone(),
            name: name.0.clone(),
            asker: envelope.uid.0.clone(),
            kind: envelope.kind,
        };
        self.questions.begin(now.mono, foreign).ok_or(Ignored)
    }

    fn heard_reply(
        &self,
        message: &Message<'_>,
        envelope: &Envelope<'_>,
        data: &Data<'_>,
    ) -> Result<Option<Wish>, Ignored> {
        let name = data.request_id.as_ref().ok_or(Ignored)?;
        let Some(request) = self.questions.ours(&name.0) else {
            return Ok(None); // a question of somebody else's
        };
        let one = || message.values(data.packet.map_or("", RawValue::get));
        let reply = match envelope.kind {
            CLIENT_COUNT => Reply::Asked(data.client_count.ok_or(Ignored)?),
            ACK => Reply::Answer(GatheredAnswer::new(None, one())),
            SERVER_SIDE_REPLY => Reply::Values(one()),
            _ => {
                let sockets = data.sockets.as_deref().ok_or(Ignored)?;
                Reply::Sockets(message::sockets(message, &envelope.nsp, sockets))
            }
        };
        Ok(Some(Wish::Reply {
            request,
            from: number(&envelope.uid.0),
            reply,
        }))
    }
}

impl Said {
    /// Whether nobody who hears it later could do anything about it.
    pub(super) const fn is_ephemeral(&self) -> bool {
        self.question.is_some() || matches!(self.kind, FETCH | SERVER_SIDE)
    }

    const fn asking(mut self, question: Request) -> Self {
        self.question = Some(question);
        self
    }
}

fn questions(uid: &str, config: &config::Cluster) -> Questions {
    let (most, within) = (config.foreign_questions_max, config.foreign_question_within);
    Questions::new(uid.into(), most, within)
}

fn to_nodes(namespace: &str, kind: u64, data: String) -> Said {
    Said {
        namespace: namespace.into(),
        kind,
        data,
        attachments: Vec::new(),
        to: To::Nodes,
        question: None,
    }
}

/// A node's name as a number, of which each is another: those of nodes are sixteen digits.
fn number(uid: &str) -> u64 {
    u64::from_str_radix(uid, 16).unwrap_or_else(|_| {
        let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        uid.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
    })
}
