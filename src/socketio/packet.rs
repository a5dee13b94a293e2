//! Packets of the Socket.IO protocol, revision 5, from and to text.
//!
//! Text of one message comes in and goes out as a [`Packet`] that borrows from it, checked as the official decoder
//! checks it; the other way, each kind of packet is appended to a caller's buffer.
//! Knows no attachment's bytes (those are joined by [`super::assembler`]), no socket and no transport.
//! Left out: the official decoder's leniency for numbers (`51e0-`, a blank as ack id, an empty text as a connect): here
//! digits are digits.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::json;
use crate::config;

/// The kind of a packet, as its first digit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// `0`: a client wants into a namespace, or is let in.
    Connect,
    /// `1`: either side leaves a namespace.
    Disconnect,
    /// `2`: a name and arguments.
    Event,
    /// `3`: the answer to an event.
    Ack,
    /// `4`: a client is refused.
    ConnectError,
    /// `5`: an event whose attachments follow.
    BinaryEvent,
    /// `6`: an answer whose attachments follow.
    BinaryAck,
}

impl Kind {
    const fn from_digit(digit: u8) -> Option<Self> {
        Some(match digit {
            b'0' => Self::Connect,
            b'1' => Self::Disconnect,
            b'2' => Self::Event,
            b'3' => Self::Ack,
            b'4' => Self::ConnectError,
            b'5' => Self::BinaryEvent,
            b'6' => Self::BinaryAck,
            _ => return None,
        })
    }

    const fn digit(self) -> u8 {
        match self {
            Self::Connect => b'0',
            Self::Disconnect => b'1',
            Self::Event => b'2',
            Self::Ack => b'3',
            Self::ConnectError => b'4',
            Self::BinaryEvent => b'5',
            Self::BinaryAck => b'6',
        }
    }

    /// Whether attachments follow the text.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::BinaryEvent | Self::BinaryAck)
    }
}

/// One packet, borrowing from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is.
    pub kind: Kind,
    /// How many attachments belong to it; more than none in binary kinds only.
    pub attachments: usize,
    /// The namespace as the client spelled it, `/` if it said none. A query string stays in, as in the reference.
    pub namespace: &'a str,
    /// The number under which an answer is expected or given.
    pub id: Option<u64>,
    /// The payload: sound JSON of the shape that the kind asks for.
    pub data: Option<&'a str>,
    /// The payload of an event, looked through once.
    parted: Option<Parted<'a>>,
}

impl<'a> Packet<'a> {
    /// A packet of these parts. `data` is sound JSON of the shape that the kind asks for.
    #[must_use]
    pub fn new(
        kind: Kind,
        attachments: usize,
        namespace: &'a str,
        id: Option<u64>,
        data: Option<&'a str>,
    ) -> Self {
        let is_event = matches!(kind, Kind::Event | Kind::BinaryEvent);
        Self {
            kind,
            attachments,
            namespace,
            id,
            data,
            parted: data.filter(|_| is_event).and_then(Parted::of),
        }
    }

    /// The name and the arguments, if this is an event that has any.
    #[must_use]
    pub fn event(&self) -> Option<Event<'a>> {
        let Parted { name, args } = self.parted?;
        let name = match name.strip_prefix('"') {
            Some(rest) => EventName::Text(json::unescape(rest.strip_suffix('"')?)),
            None => EventName::Number(name),
        };
        Some(Event { name, args })
    }

    /// Appends the packet as it stands; reading that gives the same packet.
    pub fn write(&self, out: &mut Vec<u8>) {
        head(
            out,
            self.kind.digit(),
            self.attachments,
            self.namespace,
            self.id,
        );
        out.extend_from_slice(self.data.unwrap_or_default().as_bytes());
    }

    /// The values of an answer, as a list without brackets; empty if there are none.
    #[must_use]
    pub fn answers(&self) -> Option<&'a str> {
        let is_ack = matches!(self.kind, Kind::Ack | Kind::BinaryAck);
        is_ack.then(|| self.data.map(json::list).unwrap_or_default())
    }
}

/// An event's payload: the name as JSON, and the values behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parted<'a> {
    name: &'a str,
    args: &'a str,
}

impl<'a> Parted<'a> {
    /// Parts a sound list, if its first value may name an event.
    fn of(array: &'a str) -> Option<Self> {
        let list = json::list(array);
        let text = list.as_bytes();
        let end = match text.first()? {
            b'-' | b'0'..=b'9' => json::scalar_end(text, 0),
            b'"' => {
                let end = json::string_end(text, 0);
                if is_reserved(&json::unescape(list.get(1..end - 1)?)) {
                    return None;
                }
                end
            }
            _ => return None,
        };
        Some(Self {
            name: list.get(..end)?,
            args: json::Values::starting_at(list, end).rest(),
        })
    }
}

/// An event's payload, parted but not parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// What happened.
    pub name: EventName<'a>,
    /// The arguments: values with commas between them, without brackets.
    pub args: &'a str,
}

/// The name of an event. JavaScript callers may use numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventName<'a> {
    /// A string, unescaped; half a surrogate pair in it says U+FFFD.
    Text(Cow<'a, str>),
    /// A number as it was written.
    Number(&'a str),
}

impl EventName<'_> {
    /// The name as handlers are looked up by it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(name) => name,
            Self::Number(number) => number,
        }
    }
}

impl<'a> From<&'a str> for EventName<'a> {
    fn from(name: &'a str) -> Self {
        Self::Text(Cow::Borrowed(name))
    }
}

impl fmt::Display for EventName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether `name` has a meaning of its own on one of the sides and may not name an event.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "connect"
            | "connect_error"
            | "disconnect"
            | "disconnecting"
            | "newListener"
            | "removeListener"
    )
}

/// What a client did wrong. Each ends its connection with the reason `parse error`.
///
/// Where the official decoder has a text for it, that is what is displayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// The first character is none of `0` to `6`; the digit, if it is one.
    UnknownKind(Option<u8>),
    /// The number of attachments is missing, zero or no number.
    IllegalAttachmentCount,
    /// More attachments than [`config::SocketIo::attachments_max`].
    TooManyAttachments,
    /// A placeholder names no attachment.
    IllegalPlaceholder,
    /// The namespace is longer than [`config::SocketIo::namespace_bytes_max`], and the packet no CONNECT.
    NamespaceTooLong,
    /// The ack id is beyond 2⁵³ − 1, where JavaScript's integers end.
    IllegalId,
    /// The payload is no JSON, too deep, or not what the kind asks for.
    InvalidPayload,
    /// Not one value of MessagePack, or a text where every packet is one.
    NotMessagePack,
    /// A parser of the application's own found no packet in it.
    NoPacket,
    /// Text came while attachments were due.
    TextWhileAssembling,
    /// An attachment came that nobody had announced.
    AttachmentUnasked,
    /// Text and attachments exceed [`config::SocketIo::packet_bytes_max`].
    PacketTooLarge,
    /// Packets whose attachments have not come exceed [`config::SocketIo::packets_bytes_max`], and this one most.
    TooMuchHeld,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownKind(Some(digit)) => return write!(f, "unknown packet type {digit}"),
            Self::UnknownKind(None) => "unknown packet type NaN",
            Self::IllegalAttachmentCount => "Illegal attachments",
            Self::TooManyAttachments => "too many attachments",
            Self::IllegalPlaceholder => "illegal attachments",
            Self::NamespaceTooLong => "namespace too long",
            Self::IllegalId => "illegal ack id",
            Self::InvalidPayload => "invalid payload",
            Self::NotMessagePack => "no packet of MessagePack",
            Self::NoPacket => "no packet",
            Self::TextWhileAssembling => "got plaintext data when reconstructing a packet",
            Self::AttachmentUnasked => "got binary data when not reconstructing a packet",
            Self::PacketTooLarge => "packet too large",
            Self::TooMuchHeld => "too much held for packets that are not complete",
        })
    }
}

impl std::error::Error for Violation {}

/// The greatest integer that JavaScript can count to: 2⁵³ − 1.
pub(super) const ID_MAX: u64 = (1 << 53) - 1;

/// Reads the text of one packet: `kind [count "-"] ["/" namespace ","] [id] [json]`.
///
/// # Errors
/// The first rule that `text` breaks.
pub fn decode<'a>(text: &'a str, limits: &config::SocketIo) -> Result<Packet<'a>, Violation> {
    let first = text.as_bytes().first().copied().unwrap_or_default();
    let Some(kind) = Kind::from_digit(first) else {
        let digit = first.is_ascii_digit().then(|| first - b'0');
        return Err(Violation::UnknownKind(digit));
    };
    let rest = &text[1..];
    let (attachments, rest) = if kind.is_binary() {
        count(rest, limits.attachments_max)?
    } else {
        (0, rest)
    };
    let (namespace, rest) = namespace(rest);
    // Who asks for one in a CONNECT is told that there is none.
    if namespace.len() > limits.namespace_bytes_max && kind != Kind::Connect {
        return Err(Violation::NamespaceTooLong);
    }
    let (id, rest) = ack_id(rest)?;
    let data = (!rest.is_empty()).then_some(rest);
    if let Some(data) = data
        && !(may_hold(kind, data) && json::is_sound(data, limits.json_depth_max))
    {
        return Err(Violation::InvalidPayload);
    }
    // Last, since only a sound array can be parted.
    let packet = Packet::new(kind, attachments, namespace, id, data);
    let is_event = matches!(kind, Kind::Event | Kind::BinaryEvent);
    if is_event && data.is_some() && packet.parted.is_none() {
        return Err(Violation::InvalidPayload);
    }
    Ok(packet)
}

/// Whether the payload's first character fits the kind: what sound JSON is shows there.
pub(super) fn may_hold(kind: Kind, data: &str) -> bool {
    let first = data.as_bytes().get(json::skip_space(data.as_bytes(), 0));
    match kind {
        Kind::Connect => first == Some(&b'{'),
        Kind::Disconnect => false,
        Kind::ConnectError => matches!(first, Some(b'{' | b'"')),
        Kind::Event | Kind::Ack | Kind::BinaryEvent | Kind::BinaryAck => first == Some(&b'['),
    }
}

fn count(text: &str, attachments_max: usize) -> Result<(usize, &str), Violation> {
    let (digits, rest) = digits(text);
    let Some(rest) = rest.strip_prefix('-') else {
        return Err(Violation::IllegalAttachmentCount);
    };
    if digits.bytes().all(|digit| digit == b'0') {
        return Err(Violation::IllegalAttachmentCount);
    }
    // Only digits are left, so what does not fit an integer is too great for one.
    match digits.parse() {
        Ok(count) if count <= attachments_max => Ok((count, rest)),
        _ => Err(Violation::TooManyAttachments),
    }
}

fn namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return ("/", text);
    }
    text.split_once(',').unwrap_or((text, ""))
}

fn ack_id(text: &str) -> Result<(Option<u64>, &str), Violation> {
    let (digits, rest) = digits(text);
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse() {
        Ok(id) if id <= ID_MAX => Ok((Some(id), rest)),
        _ => Err(Violation::IllegalId),
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

/// Appends an event. `args` is a list without brackets, as [`super::args::encode`] and [`super::args::Args::raw`] give it.
pub fn write_event(
    out: &mut Vec<u8>,
    namespace: &str,
    id: Option<u64>,
    attachments: usize,
    name: &EventName<'_>,
    args: &[u8],
) {
    let kind = if attachments == 0 {
        Kind::Event
    } else {
        Kind::BinaryEvent
    };
    head(out, kind.digit(), attachments, namespace, id);
    out.reserve(args.len() + name.as_str().len() + 5);
    out.push(b'[');
    match name {
        EventName::Text(name) => string(out, name),
        EventName::Number(number) => out.extend_from_slice(number.as_bytes()),
    }
    if !args.is_empty() {
        out.push(b',');
        out.extend_from_slice(args);
    }
    out.push(b']');
}

/// Appends an answer; `args` as in [`write_event`].
pub fn write_ack(out: &mut Vec<u8>, namespace: &str, id: u64, attachments: usize, args: &[u8]) {
    let kind = if attachments == 0 {
        Kind::Ack
    } else {
        Kind::BinaryAck
    };
    head(out, kind.digit(), attachments, namespace, Some(id));
    out.reserve(args.len() + 2);
    out.push(b'[');
    out.extend_from_slice(args);
    out.push(b']');
}

/// Appends a connect with `json`, an object, as its payload.
pub fn write_connect(out: &mut Vec<u8>, namespace: &str, json: &str) {
    head(out, Kind::Connect.digit(), 0, namespace, None);
    out.extend_from_slice(json.as_bytes());
}

/// Appends a refusal. `data` is one JSON value for the client's `error.data`.
pub fn write_connect_error(out: &mut Vec<u8>, namespace: &str, message: &str, data: Option<&str>) {
    head(out, Kind::ConnectError.digit(), 0, namespace, None);
    out.extend_from_slice(b"{\"message\":");
    string(out, message);
    if let Some(data) = data {
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(data.as_bytes());
    }
    out.push(b'}');
}

/// Appends a refusal as clients of Socket.IO 2.x know it: `json` is its message or its data.
pub fn write_bare_connect_error(out: &mut Vec<u8>, namespace: &str, json: &str) {
    head(out, Kind::ConnectError.digit(), 0, namespace, None);
    out.extend_from_slice(json.as_bytes());
}

/// Appends a disconnect.
pub fn write_disconnect(out: &mut Vec<u8>, namespace: &str) {
    head(out, Kind::Disconnect.digit(), 0, namespace, None);
}

fn head(out: &mut Vec<u8>, digit: u8, attachments: usize, namespace: &str, id: Option<u64>) {
    out.push(digit);
    if attachments > 0 {
        number(out, attachments);
        out.push(b'-');
    }
    if namespace != "/" {
        out.extend_from_slice(namespace.as_bytes());
        out.push(b',');
    }
    if let Some(id) = id {
        number(out, id);
    }
}

fn number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends `text` as a JSON string.
fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("memory takes every string");
}

#[cfg(test)]
mod tests;
