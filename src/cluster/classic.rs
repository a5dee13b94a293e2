//! The protocol of `createAdapter` of `@socket.io/redis-adapter` 8, which is also what `@socket.io/redis-emitter` writes.
//!
//! Wishes come in and go out as payloads for channels; payloads of other nodes come in and go out as wishes. Broadcasts are
//! MessagePack, requests and replies JSON, unless they hold bytes. Rooms are joined and left, and sockets sent away, by who
//! hears of it; we did that already, and pass over what is our own.
//! Knows no Redis. Left out: what its words cannot say. That a socket which was asked has gone, is not told; that all rooms
//! are to be left, only nodes of ours understand; bytes in events between servers go as JavaScript spells a `Buffer`.
//!
//! | kind | what | reply |
//! |---|---|---|
//! | 0, 1 | all ids of rooms, all rooms | once |
//! | 2, 3, 4 | join, leave, disconnect | none; of single sockets (as older nodes ask) by who has it |
//! | 5 | fetch sockets | once |
//! | 6 | an event between servers | once, on the channel of all |
//! | 7 | a broadcast that is answered | 8: how many were asked; 9: each answer |
//!
//! Source: the package's own, 8.3.0, read line by line.

mod heard;

use rand::RngExt;
use rand::rngs::StdRng;

use super::message::{self, Ignored, event_data, event_packet, opts, plain, quoted};
use super::questions::{Foreign, Questions};
use super::wire::{Came, Channel, Out, Publication, Role, Wire};
use crate::config;
use crate::server::Here;
use crate::server::cluster::{Reply, Request, Values, Whom, Wish};
use crate::socketio::msgpack;
use crate::time::Now;

const SOCKETS: u64 = 0;
const ALL_ROOMS: u64 = 1;
const JOIN: u64 = 2;
const LEAVE: u64 = 3;
const DISCONNECT: u64 = 4;
const FETCH: u64 = 5;
const SERVER_SIDE: u64 = 6;
const BROADCAST: u64 = 7;
const CLIENT_COUNT: u64 = 8;
const ACK: u64 = 9;

/// Characters of a node's name.
const UID_CHARS: usize = 6;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What this node says and hears.
#[derive(Debug)]
pub(super) struct Classic {
    prefix: Box<str>,
    replies_to_asker: bool,
    uid: Box<str>,
    limits: config::SocketIo,
    questions: Questions,
    config: config::Cluster,
    /// Replies that were heard. Which node a reply is from is not said, and none is delivered twice.
    replies: u64,
}

impl Classic {
    pub(super) fn new(config: &config::Cluster, replies_to_asker: bool) -> Self {
        Self {
            prefix: config.prefix.as_str().into(),
            replies_to_asker,
            uid: "".into(),
            limits: message::limits(config),
            questions: questions("", config),
            config: config.clone(),
            replies: 0,
        }
    }

    /// What says the words of `@socket.io/redis-emitter`.
    pub(super) fn emitter(config: &config::Cluster, replies_to_asker: bool) -> Self {
        Self {
            uid: "emitter".into(),
            ..Self::new(config, replies_to_asker)
        }
    }

    fn broadcasts(&self, namespace: &str) -> String {
        format!("{}#{namespace}#", self.prefix)
    }

    fn requests(&self, namespace: &str) -> String {
        format!("{}-request#{namespace}#", self.prefix)
    }

    fn responses(&self, namespace: &str) -> String {
        format!("{}-response#{namespace}#", self.prefix)
    }

    fn request(&self, namespace: &str, kind: u64, fields: &str) -> Publication {
        let text = format!("{{\"uid\":\"{}\",\"type\":{kind}{fields}}}", self.uid);
        Publication::new(plain_channel(self.requests(namespace)), text)
    }

    fn response(&self, foreign: &Foreign, payload: impl Into<Vec<u8>>) -> Publication {
        let mut channel = self.responses(&foreign.namespace);
        if self.replies_to_asker && foreign.kind != SERVER_SIDE {
            channel.push_str(&foreign.asker);
            channel.push('#');
        }
        Publication::new(plain_channel(channel), payload)
    }

    fn broadcast(&self, to: &Whom, packet: &str, flags: &str, values: &Values) -> Publication {
        let opts = opts(to, Some(flags));
        let text = format!("[\"{}\",{packet},{opts}]", self.uid);
        let mut channel = self.broadcasts(&to.namespace);
        if let [room] = &*to.rooms {
            channel.push_str(room);
            channel.push('#');
        }
        let payload = msgpack::from_json(&text, &values.attachments);
        Publication::new(plain_channel(channel), payload)
    }

    fn ask_all(
        &mut self,
        to: &Whom,
        packet: &str,
        flags: &str,
        values: &Values,
        asked: (Request, std::time::Duration),
    ) -> Publication {
        let (request, within) = asked;
        let millis = within.as_millis();
        let comma = if flags.is_empty() { "" } else { "," };
        let opts = opts(to, Some(&format!("{flags}{comma}\"timeout\":{millis}")));
        let text = format!(
            "{{\"uid\":\"{}\",\"requestId\":\"{}\",\"type\":{BROADCAST},\"packet\":{packet},\"opts\":{opts}}}",
            self.uid,
            self.questions.name(request),
        );
        let payload = msgpack::from_json(&text, &values.attachments);
        Publication::new(plain_channel(self.requests(&to.namespace)), payload).asking(Some(request))
    }

    fn replying(&mut self, request: Request, reply: &Reply) -> Option<Publication> {
        let foreign = match reply {
            Reply::Asked(_) | Reply::Answer(_) => self.questions.get(request)?.clone(),
            Reply::Sockets(_) | Reply::Values(_) | Reply::Rooms(_) => {
                self.questions.end(request)?
            }
            Reply::Gone(_) => return None,
        };
        let name = quoted(&foreign.name);
        let payload = match (reply, foreign.kind) {
            (Reply::Asked(count), BROADCAST) => {
                format!("{{\"type\":{CLIENT_COUNT},\"requestId\":{name},\"clientCount\":{count}}}")
                    .into()
            }
            (Reply::Answer(answer), BROADCAST) => {
                let args = answer.args();
                let first = args.iter().next();
                let packet = first.map_or(String::new(), |first| format!(",\"packet\":{first}"));
                let text = format!("{{\"type\":{ACK},\"requestId\":{name}{packet}}}");
                msgpack::from_json(&text, args.attachments())
            }
            (Reply::Sockets(sockets), FETCH) => {
                let sockets = message::told(sockets);
                format!("{{\"requestId\":{name},\"sockets\":{sockets}}}").into()
            }
            (Reply::Sockets(sockets), SOCKETS) => {
                let ids: Vec<_> = sockets
                    .iter()
                    .map(|socket| socket.id.as_str().into())
                    .collect();
                format!("{{\"requestId\":{name},\"sockets\":{}}}", plain(&ids)).into()
            }
            (Reply::Rooms(rooms), ALL_ROOMS) => {
                format!("{{\"requestId\":{name},\"rooms\":{}}}", plain(rooms)).into()
            }
            (Reply::Values(values), SERVER_SIDE) => {
                let list = values.args().spelled_out();
                let first = crate::socketio::args::Args::new(&list, &[]).iter().next();
                let data = first.map_or(String::new(), |first| format!(",\"data\":{first}"));
                format!("{{\"type\":{SERVER_SIDE},\"requestId\":{name}{data}}}").into_bytes()
            }
            _ => return None,
        };
        Some(self.response(&foreign, payload))
    }
}

fn plain_channel(name: String) -> Channel {
    Channel::Plain(name.into())
}

fn questions(uid: &str, config: &config::Cluster) -> Questions {
    let (most, within) = (config.foreign_questions_max, config.foreign_question_within);
    Questions::new(uid.into(), most, within)
}

impl Wire for Classic {
    fn seeded(&mut self, random: &mut StdRng) {
        let letter = |_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]);
        self.uid = (0..UID_CHARS).map(letter).collect::<String>().into();
        self.questions = questions(&self.uid, &self.config);
    }

    fn channels(&self, namespace: &str) -> Vec<(Channel, Role)> {
        let responses = self.responses(namespace);
        let own = format!("{responses}{}#", self.uid);
        // What a pattern takes for its own signs stands for itself.
        let mut pattern = String::new();
        for letter in self.broadcasts(namespace).chars() {
            if matches!(letter, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push('*');
        vec![
            (Channel::Pattern(pattern.into()), Role::Broadcasts),
            (
                Channel::Plain(self.requests(namespace).into()),
                Role::Requests,
            ),
            (Channel::Plain(responses.into()), Role::Responses),
            (Channel::Plain(own.into()), Role::Responses),
        ]
    }

    fn counted(&self, namespace: &str) -> (&'static str, String) {
        ("NUMSUB", self.requests(namespace))
    }

    fn said(&mut self, wish: &Wish) -> Option<Publication> {
        Some(match wish {
            Wish::Emit {
                to,
                event,
                values,
                is_volatile,
                stays_plain,
                request,
            } => {
                let packet = event_packet(&to.namespace, event, &values.list);
                let flags = message::flags(*is_volatile, *stays_plain);
                match request {
                    None => self.broadcast(to, &packet, flags, values),
                    Some(asked) => self.ask_all(to, &packet, flags, values, *asked),
                }
            }
            Wish::Join { to, rooms } => {
                let fields = format!(",{}", message::joining(to, rooms));
                self.request(&to.namespace, JOIN, &fields)
            }
            Wish::Leave { to, rooms } => {
                let fields = format!(",{}", message::leaving(to, rooms));
                self.request(&to.namespace, LEAVE, &fields)
            }
            Wish::Disconnect { to, closes } => {
                let fields = format!(",{}", message::disconnecting(to, *closes));
                self.request(&to.namespace, DISCONNECT, &fields)
            }
            Wish::Fetch { to, request } => {
                let name = self.questions.name(*request);
                let fields = format!(",\"requestId\":\"{name}\",\"opts\":{}", opts(to, None));
                self.request(&to.namespace, FETCH, &fields)
                    .asking(Some(*request))
            }
            Wish::ServerSide {
                namespace,
                event,
                values,
                request,
            } => {
                let data = event_data(event, &values.args().spelled_out());
                match request {
                    None => self.request(namespace, SERVER_SIDE, &format!(",\"data\":{data}")),
                    Some(request) => {
                        let name = self.questions.name(*request);
                        let fields = format!(",\"requestId\":\"{name}\",\"data\":{data}");
                        self.request(namespace, SERVER_SIDE, &fields)
                            .asking(Some(*request))
                    }
                }
            }
            Wish::Reply { request, reply, .. } => return self.replying(*request, reply),
            Wish::Rooms { .. } => return None,
        })
    }

    fn heard(
        &mut self,
        now: Now,
        came: &Came<'_>,
        here: &dyn Here,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        match came.role {
            Role::Broadcasts | Role::Room => {
                let prefix = self.broadcasts(came.namespace);
                let room = came.channel.strip_prefix(&*prefix).ok_or(Ignored)?;
                let room = room.strip_suffix('#');
                if room.is_some_and(|room| !here.has_room(came.namespace, room)) {
                    return Ok(());
                }
                self.heard_broadcast(came, out)
            }
            Role::Requests => self.heard_request(now, came, here, out),
            Role::Responses => self.heard_response(came, out),
        }
    }
}
