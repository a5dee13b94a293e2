//! What is said to a client, as the server's parser writes it: a text with its attachments behind it, or one message of
//! MessagePack with all of it inside.
//!
//! Whoever says something writes a text as ever; for MessagePack its payload is taken from that text.
//! Knows no socket and no session.

use bytes::Bytes;

use crate::config::Parser;
use crate::engineio::packet::Packet;
use crate::socketio::msgpack;
use crate::socketio::packet::Kind;

/// A packet without number and attachments. `write` writes it as text, for the namespace that it is given.
pub(super) fn packet(
    parser: Parser,
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
    }
}

/// A packet and what belongs to it. `write` writes it as text, for the namespace, the number and the count of attachments
/// that it is given.
pub(super) fn packets(
    parser: Parser,
    kind: Kind,
    namespace: &str,
    id: Option<u64>,
    attachments: &[Bytes],
    write: impl FnOnce(&mut Vec<u8>, &str, Option<u64>, usize),
) -> Vec<Packet> {
    match parser {
        Parser::Default => {
            let mut packets = Vec::with_capacity(1 + attachments.len());
            let count = attachments.len();
            packets.push(Packet::message(|out| write(out, namespace, id, count)));
            packets.extend(attachments.iter().map(|bytes| Packet::binary(bytes)));
            packets
        }
        Parser::MessagePack => {
            let text = text_of(|out| write(out, "/", None, 0));
            // The digit of the kind, and of an answer also those of its number, which stand before a list.
            let data = text.trim_start_matches(|c: char| c.is_ascii_digit());
            vec![in_messagepack(kind, namespace, id, data, attachments)]
        }
    }
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
