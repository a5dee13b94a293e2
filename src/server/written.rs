//! What is said to a client, as the server's parser writes it: a text with its attachments behind it, or one message of
//! MessagePack or of the application's own making with all of it inside.
//!
//! Whoever says something writes a text as ever; for another parser its payload is taken from that text.
//! Knows no socket and no session.

use bytes::Bytes;

use crate::engineio::packet::Packet;
use crate::socketio::msgpack;
use crate::socketio::packet::Kind;
use crate::socketio::parser::{CustomParser, Message, Parser, Written};

/// A packet without number and attachments. `write` writes it as text, for the namespace that it is given.
pub(super) fn packet(
    parser: &Parser,
    kind: Kind,
    namespace: &str,
    write: impl FnOnce(&mut Vec<u8>, &str),
) -> Packet {
    match parser {
        Parser::Default => Packet::message(|out| write(out, namespace)),
        Parser::MessagePack => {
            let text = text_of(|out| write(out, "/"));
            in_messagepack(kind, namespace, None, &text[1..], &[])
        }
        Parser::Custom(own) => {
            let text = text_of(|out| write(out, "/"));
            in_ones_own(&**own, kind, namespace, None, &text[1..], &[])
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
    const fn one(first: Packet) -> Self {
        Self {
            first,
            attachments: Vec::new(),
        }
    }

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
        Parser::MessagePack => {
            let text = text_of(|out| write(out, "/", None, 0));
            let data = payload(&text);
            Packets::one(in_messagepack(kind, namespace, id, data, attachments))
        }
        Parser::Custom(own) => {
            let text = text_of(|out| write(out, "/", None, 0));
            let data = payload(&text);
            Packets::one(in_ones_own(&**own, kind, namespace, id, data, attachments))
        }
    }
}

/// What stands behind the digit of the kind, and of an answer also behind those of its number: a list.
fn payload(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_digit())
}

fn text_of(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut text = Vec::new();
    write(&mut text);
    String::from_utf8(text).expect("a packet is text")
}

fn in_messagepack(
    kind: Kind,
    namespace: &str,
    id: Option<u64>,
    data: &str,
    attachments: &[Bytes],
) -> Packet {
    let data = (!data.is_empty()).then_some(data);
    Packet::binary(&msgpack::encode(kind, namespace, id, data, attachments))
}

fn in_ones_own(
    parser: &dyn CustomParser,
    kind: Kind,
    namespace: &str,
    id: Option<u64>,
    data: &str,
    attachments: &[Bytes],
) -> Packet {
    let written = Written {
        kind,
        namespace,
        id,
        data: (!data.is_empty()).then_some(data),
        attachments,
    };
    match parser.write(&written) {
        Message::Text(text) => Packet::message(|out| out.extend_from_slice(text.as_bytes())),
        Message::Binary(bytes) => Packet::binary(&bytes),
    }
}
