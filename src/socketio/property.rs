//! What must hold of the packet codec for any input: shared by the fuzzer and by the test that replays its seeds.
//!
//! Messages come in as one text, parted by U+001E; a part that starts with `b` is an attachment, any other a text.
//! Knows no more of packets than their public side.

mod arguments;
mod msgpack;

pub use self::arguments::arguments;
pub use self::msgpack::{is_same, msgpack};

use bytes::Bytes;
use serde_json::Value;

use super::args::{Args, Binary, encode};
use super::assembler::Assembler;
use super::json::placeholders;
use super::packet::{Packet, decode, write_ack, write_event};
use crate::config;

/// Reads `input` as one client's messages, as far as the first violation.
///
/// # Panics
/// If a packet that was read differs from what its writing reads as, or an assembler holds more than was sent.
pub fn holds(input: &str) {
    let limits = config::SocketIo::default();
    let mut assembler = Assembler::new();
    for message in input.split('\u{1e}') {
        if let Some(attachment) = message.strip_prefix('b') {
            match assembler.binary(attachment.as_bytes(), &limits) {
                Ok(Some(complete)) => arguments_hold(complete.packet(), complete.attachments()),
                Ok(None) => {}
                Err(_) => return,
            }
        } else {
            match assembler.text(message, &limits) {
                Ok(Some(packet)) => arguments_hold(packet, &[]),
                Ok(None) => {}
                Err(_) => return,
            }
            let packet = decode(message, &limits).expect("the assembler has read it");
            packet_holds(packet, &limits);
        }
        assert!(assembler.held_bytes() <= input.len());
    }
}

fn packet_holds(packet: Packet<'_>, limits: &config::SocketIo) {
    let mut out = Vec::new();
    packet.write(&mut out);
    let text = String::from_utf8(out).expect("a packet is text");
    assert_eq!(decode(&text, limits), Ok(packet));

    let mut out = Vec::new();
    if let Some(event) = packet.event() {
        let args = event.args.as_bytes();
        write_event(
            &mut out,
            packet.namespace,
            packet.id,
            packet.attachments,
            &event.name,
            args,
        );
        let text = String::from_utf8(out).expect("a packet is text");
        let again = decode(&text, limits).expect("what was read can be written");
        assert_eq!(again.event(), Some(event));
        assert_eq!(
            (again.kind, again.id, again.namespace),
            (packet.kind, packet.id, packet.namespace)
        );
    } else if let (Some(answers), Some(id)) = (packet.answers(), packet.id) {
        write_ack(
            &mut out,
            packet.namespace,
            id,
            packet.attachments,
            answers.as_bytes(),
        );
        let text = String::from_utf8(out).expect("a packet is text");
        let again = decode(&text, limits).expect("what was read can be written");
        assert_eq!((again.kind, again.answers()), (packet.kind, Some(answers)));
    }
}

/// Parsed arguments agree with `serde_json` wherever that reads them; raw ones are written as they were, their attachments in
/// the order of the placeholders.
fn arguments_hold(packet: Packet<'_>, attachments: &[Bytes]) {
    let event = packet.event();
    let Some(list) = event.map(|event| event.args).or_else(|| packet.answers()) else {
        return;
    };
    let args = Args::new(list, attachments);
    let encoded = encode(&args).expect("raw arguments are as they are");
    let written = str::from_utf8(&encoded.list).expect("JSON is UTF-8");
    if attachments.is_empty() {
        // What looks like a placeholder means nothing here, and is passed on as it is.
        assert_eq!((written, encoded.attachments.len()), (list, 0));
    } else {
        attachments_hold(list, attachments, written, &encoded.attachments);
    }
    for (index, argument) in args.iter().enumerate() {
        if let Ok(value) = serde_json::from_str::<Value>(argument) {
            let alone = Args::new(argument, attachments);
            let (ours,): (Value,) = alone.parse().expect("serde_json reads it");
            assert_eq!(ours, value);
            if let Ok((binary,)) = alone.parse::<(Binary,)>() {
                assert!(attachments.contains(&binary.0), "argument {index}");
            }
        }
    }
    assert!(args.len() <= list.len());
}

/// Each placeholder stands for the bytes it stood for, and they are in the order of their numbers.
fn attachments_hold(list: &str, attachments: &[Bytes], written: &str, encoded: &[Bytes]) {
    let named: Vec<_> = placeholders(list)
        .into_iter()
        .map(|(_, index)| index)
        .collect();
    if named.iter().copied().eq(0..attachments.len()) {
        assert_eq!((written, encoded), (list, attachments));
    }
    let indices: Vec<_> = placeholders(written)
        .into_iter()
        .map(|(_, index)| index)
        .collect();
    assert!(indices.iter().copied().eq(0..encoded.len()));
    let meant = named.iter().map(|index| &attachments[*index]);
    assert!(meant.eq(encoded), "each stands for the bytes it stood for");
}
