//! The official parsers' verdicts on some thousand packets, recorded once, against ours.
//!
//! `tests/recorded/record.js` made the recordings and says what their lines are. Where the verdicts differ, a row of
//! `tests/recorded/differences.rs` must say why; and each of its rows must be needed.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "recorded/differences.rs"]
#[expect(unreachable_pub, reason = "a module of this test alone")]
mod differences;

use bytes::Bytes;
use data_encoding::BASE64;
use roomcast::config;
use roomcast::engineio::packet::{self, Decoded};
use roomcast::engineio::payload::{Packets, Record};
use roomcast::socketio::args::Args;
use roomcast::socketio::assembler::Assembler;
use roomcast::socketio::packet::Packet;
use serde_json::{Value, json};

use differences::{Case, Difference};

/// Holds each case to its recording, or to the first difference that is allowed there.
fn compare<V: PartialEq + std::fmt::Debug>(
    cases: impl Iterator<Item = (String, V, V)>,
    differences: &[Difference<V>],
) -> usize {
    let (mut count, mut used) = (0, vec![0; differences.len()]);
    for (text, ours, theirs) in cases {
        count += 1;
        if ours == theirs {
            continue;
        }
        let case = Case {
            text: &text,
            ours: &ours,
            theirs: &theirs,
        };
        let allowed = differences.iter().position(|row| (row.is_here)(&case));
        let row = allowed.unwrap_or_else(|| panic!("{text:?}: {ours:?} instead of {theirs:?}"));
        used[row] += 1;
    }
    for (row, used) in differences.iter().zip(used) {
        assert!(used > 0, "a difference that is none: {}", row.why);
    }
    count
}

/// Packets as kind, namespace, id and payload, and the words of an error.
pub type Decodings = (Vec<(u8, String, Option<f64>, Payload)>, Option<String>);

/// A payload, compared as JavaScript would: all numbers are doubles.
#[derive(Clone, Debug)]
pub enum Payload {
    /// A tree, or `null` where there was none.
    Tree(Value),
    /// JSON that no tree can hold.
    Beyond(String),
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tree(a), Self::Tree(b)) => is_same(a, b),
            _ => false,
        }
    }
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            // `serde_json` may be off by the last bit.
            (a - b).abs() <= a.abs() * f64::EPSILON
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn packets_are_those_of_the_official_decoder() {
    let recorded = include_str!("recorded/socketio_parser.jsonl");
    let cases = recorded.lines().map(|line| {
        type Line = (
            String,
            Vec<(u8, String, Option<f64>, Value)>,
            Option<String>,
        );
        let (text, packets, error): Line = serde_json::from_str(line).unwrap();
        let packets = packets
            .into_iter()
            .map(|(kind, namespace, id, payload)| (kind, namespace, id, Payload::Tree(payload)));
        let theirs = (packets.collect(), error);
        (text.clone(), decodings(&text), theirs)
    });
    let count = compare(cases, differences::SOCKETIO);
    assert_eq!(count, 4608);
}

/// What comes of one client's messages, in the terms of the recording.
fn decodings(text: &str) -> Decodings {
    let limits = config::SocketIo::default();
    let (mut assembler, mut packets) = (Assembler::new(), Vec::new());
    for message in text.split('\u{1e}') {
        let read = match message.strip_prefix('b') {
            Some(attachment) => assembler
                .binary(attachment.as_bytes(), &limits)
                .map(|complete| complete.map(|all| decoding(all.packet(), all.attachments()))),
            None => assembler
                .text(message, &limits)
                .map(|packet| packet.map(|packet| decoding(packet, &[]))),
        };
        match read {
            Ok(packet) => packets.extend(packet),
            Err(broken) => return (packets, Some(broken.to_string())),
        }
    }
    (packets, None)
}

fn decoding(packet: Packet<'_>, attachments: &[Bytes]) -> (u8, String, Option<f64>, Payload) {
    let payload = match packet.data {
        None => Payload::Tree(Value::Null),
        Some(data) => match Args::new(data, attachments).parse::<(Value,)>() {
            Ok((mut tree,)) => {
                if !attachments.is_empty() {
                    strip_placeholders(&mut tree);
                }
                Payload::Tree(tree)
            }
            Err(_) => Payload::Beyond(data.to_owned()),
        },
    };
    (
        packet.kind as u8,
        packet.namespace.to_owned(),
        packet.id.map(|id| id as f64),
        payload,
    )
}

/// Leaves of each placeholder what is recorded of an attachment.
fn strip_placeholders(tree: &mut Value) {
    match tree {
        Value::Array(elements) => elements.iter_mut().for_each(strip_placeholders),
        Value::Object(entries) if entries.get("_placeholder") == Some(&Value::Bool(true)) => {
            entries.retain(|key, _| matches!(&**key, "_placeholder" | "num"));
        }
        Value::Object(entries) => entries.values_mut().for_each(strip_placeholders),
        _ => {}
    }
}

/// Packets as type and data; an error is a type.
pub type Parted = Vec<(String, Value)>;

#[test]
fn payloads_are_parted_as_the_official_parser_does() {
    let recorded = include_str!("recorded/engineio_parser.jsonl");
    let cases = recorded.lines().map(|line| {
        let (function, text, theirs): (String, String, Parted) =
            serde_json::from_str(line).unwrap();
        let ours = match &*function {
            "decodePayload" => Packets::new(&text)
                .map(|record| match record {
                    Ok(Record::Binary(bytes)) => (
                        "message".to_owned(),
                        json!({ "base64": BASE64.encode(&bytes) }),
                    ),
                    Ok(Record::Text(decoded)) => named(Some(decoded)),
                    Err(_) => named(None),
                })
                .collect(),
            _ => vec![named(packet::decode(&text).ok())],
        };
        (format!("{function} {text}"), ours, theirs)
    });
    let count = compare(cases, differences::ENGINEIO);
    assert_eq!(count, 2400);
}

fn named(decoded: Option<Decoded<'_>>) -> (String, Value) {
    let data = |data: &str| match data {
        "" => Value::Null,
        data => json!(data),
    };
    let (kind, data) = match decoded {
        Some(Decoded::Close) => ("close", Value::Null),
        Some(Decoded::Ping(probe)) => ("ping", data(probe)),
        Some(Decoded::Pong) => ("pong", Value::Null),
        Some(Decoded::Message(text)) => ("message", data(text)),
        Some(Decoded::Upgrade) => ("upgrade", Value::Null),
        Some(Decoded::Noop) => ("noop", Value::Null),
        None => ("error", json!("parser error")),
    };
    (kind.to_owned(), data)
}
