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

use rand::RngExt;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::{
    self, Ignored, Message, Name, Opts, Packet, Told, event_data, names, opts, plain, quoted,
};
use super::questions::{Foreign, Questions};
use super::wire::{Came, Channel, Out, Publication, Role, Wire};
use crate::config;
use crate::server::cluster::{Reply, Request, Values, Whom, Wish};
use crate::server::{GatheredAnswer, Here};
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
        Publication::new(plain_channel(self.requests(&to.namespace)), payload).asking(request)
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

    fn heard_broadcast(&self, came: &Came<'_>, out: &mut Vec<Out>) -> Result<(), Ignored> {
        let message = Message::packed(came.payload, &self.limits)?;
        let (uid, packet, opts): (Name, Packet<'_>, Opts) = message.parse()?;
        if uid.0 == self.uid || packet.nsp.as_deref().unwrap_or("/") != came.namespace {
            return Ok(());
        }
        out.push(Out::Hear(packet.wish(
            &message,
            came.namespace,
            &opts,
            None,
        )?));
        Ok(())
    }

    fn heard_request(
        &mut self,
        now: Now,
        came: &Came<'_>,
        here: &dyn Here,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        let message = Message::either(came.payload, &self.limits)?;
        let request: Asked<'_> = message.parse()?;
        let is_own = request.uid.as_ref().is_some_and(|uid| uid.0 == self.uid);
        if is_own {
            return Ok(());
        }
        if let Some(sid) = &request.sid {
            return self.heard_of_one(now, came, sid, &request, here, out);
        }
        let opts = request.opts.as_ref();
        let to = || Ok(opts.ok_or(Ignored)?.whom(came.namespace));
        let rooms = || names(request.rooms.as_deref().unwrap_or_default());
        let wish = match request.kind {
            JOIN => Wish::Join {
                to: to()?,
                rooms: rooms(),
            },
            LEAVE => {
                let (to, rooms) = (to()?, rooms());
                if rooms.is_empty() && !request.roomcast_all {
                    return Ok(());
                }
                Wish::Leave { to, rooms }
            }
            DISCONNECT => Wish::Disconnect {
                to: to()?,
                closes: request.close.unwrap_or(false),
            },
            FETCH => Wish::Fetch {
                to: to()?,
                request: self.asked(now, came, &request)?,
            },
            SOCKETS => Wish::Fetch {
                to: Whom {
                    namespace: came.namespace.into(),
                    rooms: rooms(),
                    except: Vec::new(),
                },
                request: self.asked(now, came, &request)?,
            },
            ALL_ROOMS => Wish::Rooms {
                namespace: came.namespace.into(),
                request: self.asked(now, came, &request)?,
            },
            SERVER_SIDE => {
                let (event, values) = message.event(request.data.ok_or(Ignored)?)?;
                let is_asked = request.request_id.is_some();
                Wish::ServerSide {
                    namespace: came.namespace.into(),
                    event,
                    values,
                    request: if is_asked {
                        Some(self.asked(now, came, &request)?)
                    } else {
                        None
                    },
                }
            }
            BROADCAST => {
                let opts = opts.ok_or(Ignored)?;
                let timeout = opts.flags.unwrap_or_default().timeout;
                let within = self.questions.patience(timeout);
                let asked = (self.asked(now, came, &request)?, within);
                let packet = request.packet.as_ref().ok_or(Ignored)?;
                packet.wish(&message, came.namespace, opts, Some(asked))?
            }
            _ => return Err(Ignored),
        };
        out.push(Out::Hear(wish));
        Ok(())
    }

    /// What older nodes ask of one socket: whoever has it says that it is done.
    fn heard_of_one(
        &self,
        _now: Now,
        came: &Came<'_>,
        sid: &Name,
        request: &Asked<'_>,
        here: &dyn Here,
        out: &mut Vec<Out>,
    ) -> Result<(), Ignored> {
        if !here.has_room(came.namespace, &sid.0) {
            return Ok(());
        }
        let to = Whom {
            namespace: came.namespace.into(),
            rooms: vec![sid.0.clone()],
            except: Vec::new(),
        };
        let room = || Ok(vec![request.room.as_ref().ok_or(Ignored)?.0.clone()]);
        let wish = match request.kind {
            JOIN => Wish::Join { to, rooms: room()? },
            LEAVE => Wish::Leave { to, rooms: room()? },
            DISCONNECT => Wish::Disconnect {
                to,
                closes: request.close.unwrap_or(false),
            },
            _ => return Err(Ignored),
        };
        out.push(Out::Hear(wish));
        if let Some(name) = &request.request_id {
            let text = format!("{{\"requestId\":{}}}", quoted(&name.0));
            let foreign = request.foreign(came.namespace);
            out.push(Out::Publish(self.response(&foreign, text)));
        }
        Ok(())
    }

    fn asked(
        &mut self,
        now: Now,
        came: &Came<'_>,
        request: &Asked<'_>,
    ) -> Result<Request, Ignored> {
        if request.request_id.is_none() {
            return Err(Ignored);
        }
        let foreign = request.foreign(came.namespace);
        self.questions.begin(now.mono, foreign).ok_or(Ignored)
    }

    fn heard_response(&mut self, came: &Came<'_>, out: &mut Vec<Out>) -> Result<(), Ignored> {
        let message = Message::either(came.payload, &self.limits)?;
        let told: Response<'_> = message.parse()?;
        let name = told.request_id.as_ref().ok_or(Ignored)?;
        let Some(request) = self.questions.ours(&name.0) else {
            return Ok(()); // a question of somebody else's
        };
        let one = |value: Option<&RawValue>| message.values(value.map_or("", RawValue::get));
        let reply = match told.kind {
            Some(CLIENT_COUNT) => Reply::Asked(told.client_count.ok_or(Ignored)?),
            Some(ACK) => Reply::Answer(GatheredAnswer::new(None, one(told.packet))),
            Some(SERVER_SIDE) => Reply::Values(one(told.data)),
            _ => {
                let sockets = told.sockets.as_deref().ok_or(Ignored)?;
                Reply::Sockets(message::sockets(&message, came.namespace, sockets))
            }
        };
        self.replies += 1;
        out.push(Out::Hear(Wish::Reply {
            request,
            from: self.replies,
            reply,
        }));
        Ok(())
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
                let data = event_data(event, &values.list);
                let namespace = quoted(&to.namespace);
                let packet = format!("{{\"type\":2,\"data\":{data},\"nsp\":{namespace}}}");
                let flags = message::flags(*is_volatile, *stays_plain);
                match request {
                    None => self.broadcast(to, &packet, flags, values),
                    Some(asked) => self.ask_all(to, &packet, flags, values, *asked),
                }
            }
            Wish::Join { to, rooms } => {
                let fields = format!(",\"opts\":{},\"rooms\":{}", opts(to, None), plain(rooms));
                self.request(&to.namespace, JOIN, &fields)
            }
            Wish::Leave { to, rooms } => {
                let all = if rooms.is_empty() {
                    ",\"roomcastAll\":true"
                } else {
                    ""
                };
                let (opts, rooms) = (opts(to, None), message::rooms(rooms));
                let fields = format!(",\"opts\":{opts},\"rooms\":{rooms}{all}");
                self.request(&to.namespace, LEAVE, &fields)
            }
            Wish::Disconnect { to, closes } => {
                let fields = format!(",\"opts\":{},\"close\":{closes}", opts(to, None));
                self.request(&to.namespace, DISCONNECT, &fields)
            }
            Wish::Fetch { to, request } => {
                let name = self.questions.name(*request);
                let fields = format!(",\"requestId\":\"{name}\",\"opts\":{}", opts(to, None));
                self.request(&to.namespace, FETCH, &fields).asking(*request)
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
                            .asking(*request)
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    #[serde(rename = "type")]
    kind: u64,
    uid: Option<Name>,
    request_id: Option<Name>,
    opts: Option<Opts>,
    rooms: Option<Vec<Name>>,
    #[serde(borrow)]
    packet: Option<Packet<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    close: Option<bool>,
    sid: Option<Name>,
    room: Option<Name>,
    #[serde(default)]
    roomcast_all: bool,
}

impl Asked<'_> {
    fn foreign(&self, namespace: &str) -> Foreign {
        let text = |name: &Option<Name>| {
            name.as_ref()
                .map_or_else(Box::default, |name| name.0.clone())
        };
        Foreign {
            namespace: namespace.into(),
            name: text(&self.request_id),
            asker: text(&self.uid),
            kind: self.kind,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[serde(rename = "type")]
    kind: Option<u64>,
    request_id: Option<Name>,
    client_count: Option<usize>,
    #[serde(borrow)]
    packet: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    sockets: Option<Vec<Told<'a>>>,
}
