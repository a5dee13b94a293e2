//! Where our parsers differ from the official ones, and why: the whole list.

use super::{Decodings, Parted, Payload};

/// One text that is judged differently.
pub struct Case<'a, V> {
    pub text: &'a str,
    pub ours: &'a V,
    pub theirs: &'a V,
}

/// A reason to differ, and where it holds.
pub struct Difference<V> {
    pub why: &'static str,
    pub is_here: fn(&Case<'_, V>) -> bool,
}

pub const SOCKETIO: &[Difference<Decodings>] = &[
    Difference {
        why: "an empty text is no packet and a blank no digit; JavaScript's `Number` makes 0 of both",
        is_here: |case| {
            let is_blank = |text: &str| text.is_empty() || head(text).contains(char::is_whitespace);
            texts(case.text).any(is_blank)
        },
    },
    Difference {
        why: "a count of attachments is written in digits, not as `1e0`",
        is_here: |case| {
            is_refused(case, "Illegal attachments")
                && texts(case.text).any(|text| head(text).contains('e'))
        },
    },
    Difference {
        why: "an ack id that no double can hold would be answered as another",
        is_here: |case| is_refused(case, "illegal ack id"),
    },
    Difference {
        why: "a placeholder that names no attachment is refused with its text, not when the last attachment has come",
        is_here: |case| is_refused(case, "illegal attachments"),
    },
    Difference {
        why: "a namespace has 256 bytes at most",
        is_here: |case| is_refused(case, "namespace too long") && case.text.len() > 256,
    },
    Difference {
        why: "JSON has 128 levels at most",
        is_here: |case| is_refused(case, "invalid payload") && case.text.matches('[').count() > 128,
    },
    Difference {
        why: "a number beyond a double is passed on as it is written; there it becomes infinity, and then null",
        is_here: |case| {
            let packets = case.ours.0.iter();
            case.ours.1 == case.theirs.1
                && packets
                    .clone()
                    .any(|packet| matches!(packet.3, Payload::Beyond(_)))
        },
    },
];

fn is_refused(case: &Case<'_, Decodings>, words: &str) -> bool {
    case.ours.1.as_deref() == Some(words)
}

/// The messages that are no attachments.
fn texts(text: &str) -> impl Iterator<Item = &str> {
    text.split('\u{1e}')
        .filter(|message| !message.starts_with('b'))
}

/// What stands before the payload, or all if there is none.
fn head(message: &str) -> &str {
    message.split(['[', '{', '"']).next().unwrap_or_default()
}

pub const ENGINEIO: &[Difference<Parted>] = &[
    Difference {
        why: "only a server says `open`",
        is_here: |case| first(case) == Some(("error", "open")),
    },
    Difference {
        why: "base64 is of one alphabet, padded, and without anything between",
        is_here: |case| {
            case.text.starts_with("decodePayload ") && first(case) == Some(("error", "message"))
        },
    },
    Difference {
        why: "a WebSocket has binary frames and needs no base64",
        is_here: |case| {
            case.text.starts_with("decodePacket b") && first(case) == Some(("error", "message"))
        },
    },
    Difference {
        why: "what stands behind the digit of a close, pong, upgrade or noop means nothing",
        is_here: |case| {
            let is_idle = |kind: &str| matches!(kind, "close" | "pong" | "upgrade" | "noop");
            first(case).is_some_and(|(ours, theirs)| ours == theirs && is_idle(ours))
        },
    },
];

/// The types of the first two packets that differ.
fn first<'a>(case: &Case<'a, Parted>) -> Option<(&'a str, &'a str)> {
    let mut pairs = case.ours.iter().zip(case.theirs);
    let (ours, theirs) = pairs.find(|(ours, theirs)| ours != theirs)?;
    Some((&ours.0, &theirs.0))
}
