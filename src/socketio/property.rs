//! What must hold of the packet codec for any input: shared by the fuzzer and by the test that replays its seeds.
//!
//! Messages come in as one text, parted by U+001E; a part that starts with `b` is an attachment, any other a text.
//! Knows no more of packets than their public side.

mod arguments;

pub use self::arguments::arguments;

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
    let named: Vec<_> = placeholders(list)
        .into_iter()
        .map(|(_, index)| index)
        .collect();
    if named.iter().copied().eq(0..attachments.len()) {
        assert_eq!((written, &encoded.attachments[..]), (list, attachments));
    }
    let indices: Vec<_> = placeholders(written)
        .into_iter()
        .map(|(_, index)| index)
        .collect();
    assert!(indices.iter().copied().eq(0..encoded.attachments.len()));
    let meant = named.iter().map(|index| &attachments[*index]);
    assert!(
        meant.eq(&encoded.attachments),
        "each stands for the bytes it stood for"
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_for_every_seed_of_the_fuzzer() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/socketio_packet");
        let mut count = 0;
        for seed in std::fs::read_dir(folder).unwrap() {
            let seed = std::fs::read(seed.unwrap().path()).unwrap();
            holds(std::str::from_utf8(&seed).unwrap());
            count += 1;
        }
        assert!(count >= 10, "{count} seeds");
    }

    type Packets = Vec<(u8, String, Option<u64>)>;
    type Outcome = (Packets, Option<String>);

    /// What comes of one client's messages, in the terms of the recording.
    fn outcome(input: &str) -> Outcome {
        let limits = config::SocketIo::default();
        let (mut assembler, mut packets) = (Assembler::new(), Vec::new());
        let mut note = |packet: Packet<'_>| {
            let kind = packet.kind as u8;
            packets.push((kind, packet.namespace.to_owned(), packet.id));
        };
        for message in input.split('\u{1e}') {
            let read = match message.strip_prefix('b') {
                Some(attachment) => assembler
                    .binary(attachment.as_bytes(), &limits)
                    .map(|complete| complete.iter().for_each(|complete| note(complete.packet()))),
                None => assembler
                    .text(message, &limits)
                    .map(|packet| packet.into_iter().for_each(&mut note)),
            };
            if let Err(broken) = read {
                return (packets, Some(broken.to_string()));
            }
        }
        (packets, None)
    }

    #[test]
    fn verdicts_are_those_recorded_from_the_official_parser() {
        let recorded = include_str!("../../fuzz/recorded/socketio_parser.jsonl");
        let mut count = 0;
        for line in recorded.lines() {
            let (messages, packets, error): (String, Packets, Option<String>) =
                serde_json::from_str(line).unwrap();
            let (ours, broken) = outcome(&messages);
            assert_eq!(ours, packets, "{messages:?}");
            // A placeholder is refused with its text, not with its last attachment: what is broken in between is not seen.
            if broken.as_deref() != Some("illegal attachments") || error.is_none() {
                assert_eq!(broken, error, "{messages:?}");
            }
            count += 1;
        }
        assert!(count > 400, "{count} recorded");
    }

    #[test]
    fn where_we_are_stricter_than_the_official_parser() {
        let rows = [
            // There, an empty text and a blank are the number 0, so these are a connect and an ack id.
            ("", "unknown packet type NaN"),
            (" ", "unknown packet type NaN"),
            ("1 ", "invalid payload"),
            ("21 2[\"a\"]", "invalid payload"),
            ("51e0-[\"a\"]", "Illegal attachments"),
            ("29007199254740992[\"a\"]", "illegal ack id"),
            (
                "51-[\"a\",{\"_placeholder\":true,\"num\":0.5}]",
                "illegal attachments",
            ),
        ];
        for (text, words) in rows {
            assert_eq!(outcome(text).1.as_deref(), Some(words), "{text:?}");
        }
    }
}
