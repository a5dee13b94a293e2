//! What is common to the messages of all protocols between nodes: JSON with attachments, as text or as MessagePack.
//!
//! Bytes come in and are refused or become sound JSON with the attachments that its placeholders name, and the other way round.
//! Here is also how JavaScript says rooms, handshakes and sockets.
//! Knows no channel and no kind of message.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::config;
use crate::http::date;
use crate::server::cluster::{Request, Values, Whom, Wish};
use crate::server::{Handshake, RemoteSocket};
use crate::sid::Sid;
use crate::socketio::args::Args;
use crate::socketio::msgpack;
use crate::time::UnixMillis;

/// Something that no node could have meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ignored;

/// A message: sound JSON, and what its placeholders name.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) attachments: Vec<Bytes>,
}

impl<'a> Message<'a> {
    /// From MessagePack.
    pub(super) fn packed(
        bytes: &[u8],
        limits: &config::SocketIo,
    ) -> Result<Message<'static>, Ignored> {
        let (text, attachments) = msgpack::to_json(bytes, limits).map_err(|_| Ignored)?;
        Ok(Message {
            text: text.into(),
            attachments,
        })
    }

    /// From JSON, if it begins as an object of JSON does, or else from MessagePack.
    pub(super) fn either(bytes: &'a [u8], limits: &config::SocketIo) -> Result<Self, Ignored> {
        if bytes.first() != Some(&b'{') {
            return Self::packed(bytes, limits);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Ignored)?;
        if !Args::new(text, &[]).is_sound(limits.json_depth_max + 1) {
            return Err(Ignored);
        }
        Ok(Self {
            text: text.into(),
            attachments: Vec::new(),
        })
    }

    pub(super) fn parse<'m, T: Deserialize<'m>>(&'m self) -> Result<T, Ignored> {
        serde_json::from_str(&self.text).map_err(|_| Ignored)
    }

    /// A list of the message as an event: its name, and what follows it.
    pub(super) fn event(&self, data: &RawValue) -> Result<(Box<str>, Values), Ignored> {
        let list = listed(data).ok_or(Ignored)?;
        let args = Args::new(list, &self.attachments);
        let name = args.iter().next().ok_or(Ignored)?;
        let name: Name = serde_json::from_str(name).map_err(|_| Ignored)?;
        Ok((name.0, self.values(args.skip(1).raw())))
    }

    /// A list without its brackets, as values.
    pub(super) fn values(&self, list: &str) -> Values {
        Values {
            list: list.into(),
            attachments: self.attachments.clone(),
        }
    }
}

fn listed(data: &RawValue) -> Option<&str> {
    let data = data.get().trim();
    data.strip_prefix('[')?.strip_suffix(']')
}

/// The limits of messages, as the layer that reads them knows its own.
pub(super) fn limits(config: &config::Cluster) -> config::SocketIo {
    config::SocketIo {
        attachments_max: config.attachments_max,
        json_depth_max: config.depth_max,
        ..config::SocketIo::default()
    }
}

/// A text, or a number where JavaScript takes one for the other: the name of a room or of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(pub(super) Box<str>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Taker;
        impl Visitor<'_> for Taker {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
                Ok(Name(text.into()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Name, E> {
                Ok(Name(number.to_string().into()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Name, E> {
                Ok(Name(number.to_string().into()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Name, E> {
                Ok(Name(number.to_string().into()))
            }
        }
        deserializer.deserialize_any(Taker)
    }
}

/// Whom something is for, as JavaScript says it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Opts {
    #[serde(default)]
    pub(super) rooms: Vec<Name>,
    #[serde(default)]
    pub(super) except: Vec<Name>,
    #[serde(default)]
    pub(super) flags: Option<Flags>,
}

/// How a broadcast is to go.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Flags {
    #[serde(default)]
    pub(super) volatile: Option<bool>,
    #[serde(default)]
    pub(super) compress: Option<bool>,
    /// Milliseconds.
    #[serde(default)]
    pub(super) timeout: Option<f64>,
}

impl Opts {
    pub(super) fn whom(&self, namespace: &str) -> Whom {
        Whom {
            namespace: namespace.into(),
            rooms: names(&self.rooms),
            except: names(&self.except),
        }
    }
}

/// Each name once: a number and the text that spells it are the same room here.
pub(super) fn names(rooms: &[Name]) -> Vec<Box<str>> {
    let mut all: Vec<Box<str>> = Vec::with_capacity(rooms.len());
    for Name(name) in rooms {
        // A short list, mostly of one; a set would cost more.
        if rooms.len() > 64 || !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// From here on JavaScript's numbers are not exact.
const EXACT_MAX: u64 = 1 << 53;

/// A list of rooms for JavaScript. One whose name spells a number goes as both, since there a room that was joined as
/// a number is another one than that of its spelling.
fn rooms(names: &[Box<str>]) -> String {
    let mut list = String::from("[");
    for name in names {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&quoted(name));
        let number = name
            .parse::<i64>()
            .ok()
            .filter(|number| number.unsigned_abs() < EXACT_MAX && number.to_string() == **name);
        if let Some(number) = number {
            list.push_str(&format!(",{number}"));
        }
    }
    list.push(']');
    list
}

/// The names as they are: to be joined, or left.
pub(super) fn plain(names: &[Box<str>]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    format!("[{}]", quoted.join(","))
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// `{rooms, except}`, with `flags` if there are some.
pub(super) fn opts(whom: &Whom, flags: Option<&str>) -> String {
    let flags = flags.map_or(String::new(), |flags| format!(",\"flags\":{{{flags}}}"));
    let (to, except) = (rooms(&whom.rooms), rooms(&whom.except));
    format!("{{\"rooms\":{to},\"except\":{except}{flags}}}")
}

/// The fields of a wish that sockets join rooms.
pub(super) fn joining(to: &Whom, names: &[Box<str>]) -> String {
    format!("\"opts\":{},\"rooms\":{}", opts(to, None), plain(names))
}

/// The fields of a wish that sockets leave rooms: all of them if none is named, for which the official servers have no word.
pub(super) fn leaving(to: &Whom, names: &[Box<str>]) -> String {
    let all = if names.is_empty() {
        ",\"roomcastAll\":true"
    } else {
        ""
    };
    format!(
        "\"opts\":{},\"rooms\":{}{all}",
        opts(to, None),
        rooms(names)
    )
}

/// The fields of a wish that sockets go.
pub(super) fn disconnecting(to: &Whom, closes: bool) -> String {
    format!("\"opts\":{},\"close\":{closes}", opts(to, None))
}

/// An event as a packet.
pub(super) fn event_packet(namespace: &str, event: &str, list: &str) -> String {
    let (data, namespace) = (event_data(event, list), quoted(namespace));
    format!("{{\"type\":2,\"data\":{data},\"nsp\":{namespace}}}")
}

/// An event as a packet's `data`.
pub(super) fn event_data(event: &str, list: &str) -> String {
    let comma = if list.is_empty() { "" } else { "," };
    format!("[{}{comma}{list}]", quoted(event))
}

/// The flags of a broadcast that is not awaited.
pub(super) const fn flags(is_volatile: bool, stays_plain: bool) -> &'static str {
    match (is_volatile, stays_plain) {
        (false, false) => "",
        (true, false) => "\"volatile\":true",
        (false, true) => "\"compress\":false",
        (true, true) => "\"volatile\":true,\"compress\":false",
    }
}

/// An event, as the official servers carry it.
#[derive(Deserialize)]
pub(super) struct Packet<'a> {
    #[serde(rename = "type", default)]
    kind: Option<u64>,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default)]
    pub(super) nsp: Option<Box<str>>,
}

impl Packet<'_> {
    pub(super) fn wish(
        &self,
        message: &Message<'_>,
        namespace: &str,
        opts: &Opts,
        request: Option<(Request, Duration)>,
    ) -> Result<Wish, Ignored> {
        if !matches!(self.kind, None | Some(2 | 5)) {
            return Err(Ignored);
        }
        let Flags {
            volatile, compress, ..
        } = opts.flags.unwrap_or_default();
        let (event, values) = message.event(self.data)?;
        Ok(Wish::Emit {
            to: opts.whom(namespace),
            event,
            values,
            is_volatile: volatile == Some(true),
            stays_plain: compress == Some(false),
            request,
        })
    }
}

/// A socket as the official servers tell of it.
#[derive(Debug, Deserialize)]
pub(super) struct Told<'a> {
    id: Box<str>,
    #[serde(default)]
    rooms: Vec<Name>,
    #[serde(borrow, default)]
    handshake: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct ToldHandshake {
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    address: String,
    #[serde(default)]
    issued: f64,
    #[serde(default)]
    url: String,
}

/// Sockets of another node; one whose id is none of ours is left out.
pub(super) fn sockets(
    message: &Message<'_>,
    namespace: &str,
    told: &[Told<'_>],
) -> Vec<RemoteSocket> {
    let one = |told: &Told<'_>| {
        let data = told.data.map_or("{}", RawValue::get);
        let data = Args::new(data, &message.attachments).spelled_out();
        let handshake = told.handshake.and_then(|told| {
            let told: ToldHandshake = serde_json::from_str(told.get()).ok()?;
            if told.url.is_empty() && told.headers.is_empty() {
                return None; // nothing was kept of it there
            }
            let headers = told.headers.iter();
            let headers = headers.filter_map(|(name, value)| Some((&**name, value.as_str()?)));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a moment, or nothing"
            )]
            let issued = UnixMillis(told.issued as u64);
            let address: Option<IpAddr> = told.address.parse().ok();
            Some(Handshake::told(&told.url, address, issued, headers))
        });
        Some(RemoteSocket::new(
            Sid::parse(&told.id)?,
            namespace.into(),
            names(&told.rooms),
            handshake,
            (*data).into(),
        ))
    };
    told.iter().filter_map(one).collect()
}

/// Sockets of this node, as the official servers tell of theirs.
pub(super) fn told(sockets: &[RemoteSocket]) -> String {
    let one = |socket: &RemoteSocket| {
        let handshake = socket.handshake.as_ref().map(told_handshake);
        format!(
            "{{\"id\":\"{}\",\"handshake\":{},\"rooms\":{},\"data\":{}}}",
            socket.id,
            handshake.unwrap_or_else(|| json!({})),
            plain(&socket.rooms),
            socket.raw_data(),
        )
    };
    let all: Vec<_> = sockets.iter().map(one).collect();
    format!("[{}]", all.join(","))
}

fn told_handshake(handshake: &Handshake) -> Value {
    let mut headers = Map::new();
    if let Some(request) = handshake.request() {
        for (name, value) in request.headers() {
            let value = String::from_utf8_lossy(value).into_owned();
            headers.insert(name.to_ascii_lowercase(), value.into());
        }
    }
    let query: Map<String, Value> = handshake
        .query()
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    let is_foreign = headers.contains_key("origin");
    json!({
        "headers": headers,
        "time": date(handshake.issued()),
        "address": handshake.address().map_or(String::new(), |address| address.to_string()),
        "xdomain": is_foreign,
        "secure": false,
        "issued": handshake.issued().0,
        "url": handshake.url(),
        "query": query,
        "auth": {},
    })
}
