//! How packets become messages: as the default parser writes them, as MessagePack, or by a parser of the application's own.
//!
//! A parser of one's own gives packets for messages and messages for packets, one for one, with the attachments inside. What it
//! has read is written as the default parser's text and read again, so it is held to the same rules and limits.
//! Knows no socket. The two parsers of this crate are [`super::packet`] and [`super::msgpack`].
//! Left out: packets of several messages, which only the default parser has.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use bytes::Bytes;

use super::assembler::Complete;
use super::json;
use super::packet::{Kind, Packet, Violation, decode};
use crate::config;

/// One message of Engine.IO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Of text.
    Text(Cow<'a, str>),
    /// Of bytes.
    Binary(Cow<'a, [u8]>),
}

/// A packet that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// What it is: neither [`Kind::BinaryEvent`] nor [`Kind::BinaryAck`], since attachments go inside.
    pub kind: Kind,
    /// Its namespace, which begins with a slash.
    pub namespace: &'a str,
    /// The number under which an answer is expected or given.
    pub id: Option<u64>,
    /// The payload as JSON: of an event a list with the name in front, of an answer the list of its values. Where an
    /// attachment stands it has `{"_placeholder":true,"num":0}`, with the attachment's place.
    pub data: Option<&'a str>,
    /// The attachments.
    pub attachments: &'a [Bytes],
}

/// A packet that was read; its fields are those of [`Written`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What it is.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its number.
    pub id: Option<u64>,
    /// Its payload as JSON, with placeholders for attachments.
    pub data: Option<String>,
    /// The attachments, at most [`attachments_max`](config::SocketIo::attachments_max).
    pub attachments: Vec<Bytes>,
}

/// A parser of one's own (`parser` of the official servers), for clients that have its counterpart.
///
/// ```
/// use std::borrow::Cow;
/// use roomcast::socketio::packet::Kind;
/// use roomcast::socketio::parser::{CustomParser, Message, Read, Written};
/// use roomcast::{Config, Server};
///
/// /// Events only, of the root namespace, as nothing but their JSON; a connect is an empty text.
/// struct Bare;
///
/// impl CustomParser for Bare {
///     fn write(&self, packet: &Written<'_>) -> Message<'static> {
///         Message::Text(packet.data.unwrap_or_default().to_owned().into())
///     }
///
///     fn read(&self, message: &Message<'_>) -> Option<Read> {
///         let Message::Text(text) = message else { return None };
///         let kind = if text.is_empty() { Kind::Connect } else { Kind::Event };
///         let data = (!text.is_empty()).then(|| text.to_string());
///         Some(Read { kind, namespace: "/".to_owned(), id: None, data, attachments: Vec::new() })
///     }
/// }
///
/// let mut server = Server::new(Config::default(), ());
/// server.parser(Bare);
/// ```
pub trait CustomParser {
    /// The message that carries a packet.
    fn write(&self, packet: &Written<'_>) -> Message<'static>;

    /// The packet that a message carries, or `None` if it carries none: then its session ends with the reason
    /// `parse error`, as it does where this panics or what it gives is against the protocol's rules or a limit. A
    /// message has at most [`payload_bytes_max`](config::Engine::payload_bytes_max) bytes.
    fn read(&self, message: &Message<'_>) -> Option<Read>;
}

/// The parser of a server.
#[derive(Clone)]
pub enum Parser {
    /// A text, and a message for each attachment behind it.
    Default,
    /// One message of MessagePack.
    MessagePack,
    /// The application's own.
    Custom(Rc<dyn CustomParser>),
}

impl From<config::Parser> for Parser {
    fn from(chosen: config::Parser) -> Self {
        match chosen {
            config::Parser::Default => Self::Default,
            config::Parser::MessagePack => Self::MessagePack,
        }
    }
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "Default",
            Self::MessagePack => "MessagePack",
            Self::Custom(_) => "Custom",
        })
    }
}

/// Reads a message by a parser of one's own.
///
/// # Errors
/// It is no packet, or breaks a rule.
pub(super) fn read(
    parser: &dyn CustomParser,
    message: &Message<'_>,
    limits: &config::SocketIo,
) -> Result<Complete, Violation> {
    // Whoever sends the message must not end the process by it.
    let read = catch_unwind(AssertUnwindSafe(|| parser.read(message)));
    let read = read.unwrap_or_else(|_| {
        log::error!("the application's parser has panicked");
        None
    });
    checked(read.ok_or(Violation::NoPacket)?, limits)
}

fn checked(read: Read, limits: &config::SocketIo) -> Result<Complete, Violation> {
    let bare = match read.kind {
        Kind::BinaryEvent => Kind::Event,
        Kind::BinaryAck => Kind::Ack,
        kind => kind,
    };
    let kind = match bare {
        _ if read.attachments.is_empty() => bare,
        Kind::Event => Kind::BinaryEvent,
        Kind::Ack => Kind::BinaryAck,
        _ => return Err(Violation::IllegalAttachmentCount),
    };
    let (count, data) = (read.attachments.len(), read.data.as_deref());
    let packet = Packet::new(kind, count, &read.namespace, read.id, data);
    let mut text = Vec::new();
    packet.write(&mut text);
    let attached: usize = read.attachments.iter().map(Bytes::len).sum();
    if count > 0 && text.len().saturating_add(attached) > limits.packet_bytes_max {
        return Err(Violation::PacketTooLarge);
    }
    let text = String::from_utf8(text).expect("a packet of text is text");
    // A namespace with a comma, or a number with JSON that begins with a digit, would come back as something else.
    if decode(&text, limits)? != packet {
        return Err(Violation::InvalidPayload);
    }
    if !data.is_none_or(|data| json::placeholders_fit(data, count)) {
        return Err(Violation::IllegalPlaceholder);
    }
    let Read {
        namespace,
        id,
        data,
        attachments,
        ..
    } = read;
    let data = data.map(String::into_boxed_str);
    Ok(Complete::new(bare, namespace.into(), id, data, attachments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: &str) -> Read {
        Read {
            kind: Kind::Event,
            namespace: "/".to_owned(),
            id: None,
            data: Some(data.to_owned()),
            attachments: Vec::new(),
        }
    }

    fn verdict(read: Read) -> Result<Complete, Violation> {
        checked(read, &config::SocketIo::default())
    }

    #[test]
    fn what_keeps_the_rules_is_taken_as_it_is() {
        let read = Read {
            namespace: "/a".to_owned(),
            id: Some(7),
            attachments: vec![Bytes::from_static(b"xyz")],
            ..event("[\"say\",{\"_placeholder\":true,\"num\":0}]")
        };
        let data = read.data.clone();
        let complete = verdict(read).unwrap();
        let packet = complete.packet();
        assert_eq!((packet.kind, packet.namespace), (Kind::Event, "/a"));
        assert_eq!((packet.id, packet.data), (Some(7), data.as_deref()));
        assert_eq!(complete.attachments(), [&b"xyz"[..]]);
    }

    #[test]
    fn a_parser_of_ones_own_is_held_to_the_rules_of_the_text() {
        let (of_kind, in_namespace) = (
            |kind| Read {
                kind,
                ..event("[\"a\"]")
            },
            |name: &str| Read {
                namespace: name.to_owned(),
                ..event("[\"a\"]")
            },
        );
        let with = |count, data| Read {
            attachments: vec![Bytes::new(); count],
            ..event(data)
        };
        for (read, violation) in [
            (event("[\"a\""), Violation::InvalidPayload),
            (event("7[\"a\"]"), Violation::InvalidPayload),
            (event("{}"), Violation::InvalidPayload),
            (event("[\"connect\"]"), Violation::InvalidPayload),
            (of_kind(Kind::Connect), Violation::InvalidPayload),
            (of_kind(Kind::Disconnect), Violation::InvalidPayload),
            (in_namespace("/a,b"), Violation::InvalidPayload),
            (in_namespace("a"), Violation::InvalidPayload),
            (in_namespace(""), Violation::InvalidPayload),
            (
                in_namespace(&format!("/{}", "a".repeat(1000))),
                Violation::NamespaceTooLong,
            ),
            (
                Read {
                    id: Some(1 << 53),
                    ..event("[\"a\"]")
                },
                Violation::IllegalId,
            ),
            (with(11, "[\"a\"]"), Violation::TooManyAttachments),
            (
                with(1, "[\"a\",{\"_placeholder\":true,\"num\":1}]"),
                Violation::IllegalPlaceholder,
            ),
            (
                Read {
                    kind: Kind::Connect,
                    ..with(1, "{}")
                },
                Violation::IllegalAttachmentCount,
            ),
            (
                Read {
                    attachments: vec![vec![0; 2_000_000].into()],
                    ..event("[\"a\"]")
                },
                Violation::PacketTooLarge,
            ),
        ] {
            let shown = format!("{:?} {:?} {:?}", read.kind, read.namespace, read.data);
            assert_eq!(verdict(read), Err(violation), "{shown:.120}");
        }
    }
}
