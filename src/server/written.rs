//! What is said to a client, as the server's parser writes it: a text with its attachments behind it, or one message of
//! MessagePack or of the application's own making with all of it inside.
//!
//! Whoever says something writes a text as ever; for another parser its payload is taken from that text.
//! Knows no socket and no session.

use bytes::Bytes;

use crate::engineio::packet::Packet;
use crate::socketio::msgpack;
use crate::socketio::packet::Kind;
use crate::socketio::parser::{Message, Parser, Written};

/// A packet without number and attachments. `write` writes it as text, for the namespace that it is given.
pub(super) fn packet(
    parser: &Parser,
    kind: Kind,
    namespace: &str,
    write: impl FnOnce(&mut Vec<u8>, &str),
) -> Packet {
    match parser {
        Parser::Default => Packet::message(|out| write(out, namespace)),
        Parser::MessagePack | Parser::Custom(_) => {
            whole(parser, kind, namespace, None, &[], |out| write(out, "/"))
        }
    }
}

/// A packet and, behind it, those of its attachments.
#[derive(Clone, Debug)]
pub(super) struct Packets {
    first: Packet,
    attachments: Vec<Packet>,
}

impl Packets {
    /// Each of them, changed.
    pub(super) fn map(self, mut change: impl FnMut(Packet) -> Packet) -> Self {
        Self {
            first: change(self.first),
            attachments: self.attachments.into_iter().map(change).collect(),
        }
    }

    /// In the order in which they are sent.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Packet> {
        std::iter::once(&self.first).chain(&self.attachments)
    }
}

/// A packet and what belongs to it. `write` writes it as text, for the namespace, the number and the count of attachments
/// that it is given.
pub(super) fn packets(
    parser: &Parser,
    kind: Kind,
    namespace: &str,
    id: Option<u64>,
    attachments: &[Bytes],
    write: impl FnOnce(&mut Vec<u8>, &str, Option<u64>, usize),
) -> Packets {
    match parser {
        Parser::Default => {
            let count = attachments.len();
            let binary = |bytes: &Bytes| Packet::binary(bytes);
            Packets {
                first: Packet::message(|out| write(out, namespace, id, count)),
                attachments: attachments.iter().map(binary).collect(),
            }
        }
        Parser::MessagePack | Parser::Custom(_) => Packets {
            first: whole(parser, kind, namespace, id, attachments, |out| {
                write(out, "/", None, 0);
            }),
            attachments: Vec::new(),
        },
    }
}

/// A packet that is one message. Its payload is taken from a text without namespace and number.
fn whole(
    parser: &Parser,
    kind: Kind,
    namespace: &str,
    id: Option<u64>,
    attachments: &[Bytes],
    write: impl FnOnce(&mut Vec<u8>),
) -> Packet {
    let mut text = Vec::new();
    write(&mut text);
    let text = String::from_utf8(text).expect("a packet is text");
    // The digit of the kind, and of an answer also those of its number, which stand before a list.
    let data = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let data = (!data.is_empty()).then_some(data);
    let Parser::Custom(own) = parser else {
        return Packet::binary(&msgpack::encode(kind, namespace, id, data, attachments));
    };
    let message = own.write(&Written {
        kind,
        namespace,
        id,
        data,
        attachments,
    });
    match message {
        Message::Text(text) => Packet::message(|out| out.extend_from_slice(text.as_bytes())),
        Message::Binary(bytes) => Packet::binary(&bytes),
    }
}
