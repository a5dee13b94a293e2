//! Packets as Engine.IO 3 frames them, in the bodies of long-polling and in WebSocket messages.
//!
//! [`Packets`] reads a POST's body, `answer` writes a poll's. A body of text is `<length>:<packet>` again and again, the
//! length in UTF-16 code units, since a browser counted them. A body of bytes is, for each packet, 0 (text) or 1
//! (bytes), the digits of its length in bytes as numbers from 0 to 9, 255, and the packet. A message of bytes has its
//! type in front, the number 4; as base64 it is `b4` and the rest.
//! Knows packets only. Linear in the body's length, and holds one packet at a time.
//! Left out: packets of bytes that are no messages, and a character beyond U+FFFF whose two units lie in two packets.
//!
//! Source: the Engine.IO protocol, revision 3, and engine.io-parser 2.2 where that is silent.

use std::borrow::Cow;

use bytes::BufMut;
use data_encoding::BASE64;

use super::Answer;
use super::packet::{self, Packet, Undecodable};
use super::payload::{self, Record};
use crate::buffers::{Buffer, Shared};

/// The type of a message, among bytes.
const MESSAGE: u8 = 4;

/// What precedes each packet in a body of bytes.
const TEXT: u8 = 0;
const BYTES: u8 = 1;

/// What ends the digits of a length in a body of bytes.
const DIGITS_END: u8 = 255;

/// Digits of a length: no body is longer.
const DIGITS_MAX: usize = 10;

/// The packets of a body, in order; ends after the first that is none.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: Rest<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Rest<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    /// A body without a packet is none.
    Empty,
    Over,
}

impl<'a> Packets<'a> {
    /// Reads a body of text.
    #[must_use]
    pub const fn of_text(body: &'a str) -> Self {
        let rest = if body.is_empty() {
            Rest::Empty
        } else {
            Rest::Text(body)
        };
        Self { rest }
    }

    /// Reads a body of bytes.
    #[must_use]
    pub const fn of_bytes(body: &'a [u8]) -> Self {
        let rest = if body.is_empty() {
            Rest::Empty
        } else {
            Rest::Bytes(body)
        };
        Self { rest }
    }

    /// How many bytes have not been read yet; none after the last packet, and after one that was none.
    #[must_use]
    pub const fn left(&self) -> Option<usize> {
        match self.rest {
            Rest::Text(text) => Some(text.len()),
            Rest::Bytes(bytes) => Some(bytes.len()),
            Rest::Empty | Rest::Over => None,
        }
    }

    fn step(&mut self) -> Result<Record<'a>, Undecodable> {
        match self.rest {
            Rest::Text(text) => {
                let (packet, rest) = split_text(text)?;
                self.rest = if rest.is_empty() {
                    Rest::Over
                } else {
                    Rest::Text(rest)
                };
                read(packet)
            }
            Rest::Bytes(bytes) => {
                let (kind, packet, rest) = split_bytes(bytes)?;
                self.rest = if rest.is_empty() {
                    Rest::Over
                } else {
                    Rest::Bytes(rest)
                };
                if kind == TEXT {
                    read(std::str::from_utf8(packet).map_err(|_| Undecodable)?)
                } else {
                    read_bytes(Cow::Borrowed(packet)).map(Record::Binary)
                }
            }
            Rest::Empty | Rest::Over => Err(Undecodable),
        }
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Record<'a>, Undecodable>;

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.rest, Rest::Over) {
            return None;
        }
        let record = self.step();
        if record.is_err() {
            self.rest = Rest::Over;
        }
        Some(record)
    }
}

/// Parts the first packet of a body of text from the rest.
fn split_text(text: &str) -> Result<(&str, &str), Undecodable> {
    let (length, rest) = text.split_once(':').ok_or(Undecodable)?;
    let is_number = length.len() <= DIGITS_MAX && length.bytes().all(|byte| byte.is_ascii_digit());
    let mut units: usize = if is_number {
        length.parse().map_err(|_| Undecodable)?
    } else {
        return Err(Undecodable);
    };
    let mut bytes = 0;
    for character in rest.chars() {
        if units == 0 {
            break;
        }
        units = units
            .checked_sub(character.len_utf16())
            .ok_or(Undecodable)?;
        bytes += character.len_utf8();
    }
    if units > 0 {
        return Err(Undecodable);
    }
    Ok(rest.split_at(bytes))
}

/// Parts the first packet of a body of bytes, and what it is said to be, from the rest.
fn split_bytes(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Undecodable> {
    let (&kind, rest) = bytes.split_first().ok_or(Undecodable)?;
    let end = rest
        .iter()
        .take(DIGITS_MAX + 1)
        .position(|byte| *byte == DIGITS_END)
        .ok_or(Undecodable)?;
    let (digits, rest) = (&rest[..end], &rest[end + 1..]);
    if digits.is_empty() || digits.iter().any(|digit| *digit > 9) || kind > BYTES {
        return Err(Undecodable);
    }
    let length = digits
        .iter()
        .fold(0, |length: u64, digit| length * 10 + u64::from(*digit));
    let length = usize::try_from(length).map_err(|_| Undecodable)?;
    let (packet, rest) = rest.split_at_checked(length).ok_or(Undecodable)?;
    Ok((kind, packet, rest))
}

/// Reads one packet of text, which may be bytes in base64.
pub(super) fn read(text: &str) -> Result<Record<'_>, Undecodable> {
    let Some(message) = text.strip_prefix('b') else {
        return packet::decode(text).map(Record::Text);
    };
    payload::read_base64(message.strip_prefix('4').ok_or(Undecodable)?)
}

/// Reads one packet of bytes: the message without its type.
pub(super) fn read_bytes(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, Undecodable> {
    if bytes.first() != Some(&MESSAGE) {
        return Err(Undecodable);
    }
    Ok(match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[1..]),
        Cow::Owned(mut bytes) => {
            bytes.remove(0);
            Cow::Owned(bytes)
        }
    })
}

/// Writes packets as the answer to a poll: of bytes only if there are some and the client takes them.
pub(super) fn answer<'p>(
    packets: impl ExactSizeIterator<Item = &'p Packet> + Clone,
    base64: bool,
) -> Answer {
    if !base64 && packets.clone().any(Packet::is_binary) {
        return Answer::Bytes(join_bytes(packets));
    }
    Answer::text(join_text(packets.clone()), packets)
}

fn join_text<'p>(packets: impl Iterator<Item = &'p Packet>) -> Shared {
    let mut out = Buffer::new();
    for packet in packets {
        let body = if packet.is_binary() {
            encode_base64(packet).into()
        } else {
            packet.body()
        };
        let mut length = itoa::Buffer::new();
        out.put_slice(length.format(utf16_units(&body)).as_bytes());
        out.put_u8(b':');
        out.put_slice(&body);
    }
    out.share_weighed(0)
}

fn join_bytes<'p>(packets: impl Iterator<Item = &'p Packet>) -> Shared {
    let mut out = Buffer::new();
    for packet in packets {
        let body = packet.body();
        let is_binary = packet.is_binary();
        out.put_u8(if is_binary { BYTES } else { TEXT });
        let mut length = itoa::Buffer::new();
        let digits = length.format(body.len() + usize::from(is_binary)).bytes();
        out.extend(digits.map(|digit| digit - b'0'));
        out.put_u8(DIGITS_END);
        if is_binary {
            out.put_u8(MESSAGE);
        }
        out.put_slice(&body);
    }
    out.share_weighed(0)
}

/// Writes a message of bytes as a WebSocket frame.
pub(super) fn frame(packet: &Packet, base64: bool) -> Shared {
    let framed = if base64 {
        Packet::text(|out| out.extend_from_slice(&encode_base64(packet)))
    } else {
        let mut bytes = vec![MESSAGE];
        bytes.extend_from_slice(&packet.body());
        Packet::binary(&bytes)
    };
    framed.frame().clone()
}

fn encode_base64(packet: &Packet) -> Vec<u8> {
    let mut text = "b4".to_owned();
    BASE64.encode_append(&packet.body(), &mut text);
    text.into_bytes()
}

/// How long JavaScript finds a text in UTF-8: each character is one unit, those of four bytes are two.
fn utf16_units(text: &[u8]) -> usize {
    text.iter()
        .map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0))
        .sum()
}

/// The property the fuzzer holds this codec to; see `fuzz/fuzz_targets/engineio_payload_v3.rs`.
#[cfg(any(test, feature = "world"))]
#[doc(hidden)]
pub mod property {
    use super::super::payload::property::write;
    use super::{Packet, Packets, Record, answer};
    use crate::engineio::Answer;

    /// What is read, written and read again is the same, in each form that an answer can have; each packet takes at least
    /// three bytes; and it is the same however far one has read before.
    ///
    /// # Panics
    /// If not.
    pub fn holds(input: &[u8]) {
        holds_for(Packets::of_bytes(input), input.len());
        if let Ok(body) = std::str::from_utf8(input) {
            holds_for(Packets::of_text(body), body.len());
            let mut packets = Packets::of_text(body);
            while packets.next().is_some() {
                let left = packets.left().unwrap_or(0);
                let rest: Vec<_> = packets.clone().collect();
                let body = &body[body.len() - left..];
                let again: Vec<_> = Packets::of_text(body).collect();
                assert!(left == 0 || rest == again, "a rest is not a body");
            }
        }
    }

    fn holds_for(packets: Packets<'_>, bytes: usize) {
        let records: Vec<_> = packets.collect();
        assert!(records.len() <= bytes / 3 + 1);
        assert!(
            records.iter().rev().skip(1).all(Result::is_ok),
            "reading goes on after an error"
        );
        let read: Vec<Record<'_>> = records.into_iter().flatten().collect();
        if read.is_empty() {
            return;
        }
        let written: Vec<Packet> = read.iter().map(write).collect();
        for base64 in [true, false] {
            let again: Vec<_> = match &answer(written.iter(), base64) {
                Answer::Payload(body) | Answer::PlainPayload(body) => {
                    let text = std::str::from_utf8(body).expect("a payload of text is text");
                    Packets::of_text(text).map(owned).collect()
                }
                Answer::Bytes(body) => Packets::of_bytes(body).map(owned).collect(),
                other => panic!("{other:?}"),
            };
            let wanted: Vec<_> = read.iter().map(|record| format!("{record:?}")).collect();
            assert_eq!(again, wanted);
        }
    }

    /// A record that no longer needs its body.
    fn owned(record: Result<Record<'_>, super::Undecodable>) -> String {
        format!("{:?}", record.expect("what we write can be read"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::packet::Decoded;
    use super::*;

    fn message(text: &str) -> Result<Record<'_>, Undecodable> {
        Ok(Record::Text(Decoded::Message(text)))
    }

    fn bytes(bytes: &'static [u8]) -> Result<Record<'static>, Undecodable> {
        Ok(Record::Binary(Cow::Borrowed(bytes)))
    }

    fn of_text(body: &str) -> Vec<Result<Record<'_>, Undecodable>> {
        Packets::of_text(body).collect()
    }

    fn of_bytes(body: &[u8]) -> Vec<Result<Record<'_>, Undecodable>> {
        Packets::of_bytes(body).collect()
    }

    #[test]
    fn a_body_of_text_counts_in_utf16_code_units() {
        assert_eq!(of_text("2:4a"), [message("a")]);
        assert_eq!(
            of_text("2:4é3:4🚢6:4a:b:c1:4"),
            [message("é"), message("🚢"), message("a:b:c"), message("")]
        );
        assert_eq!(
            of_text("10:b4AQIDBA==2:b41:2"),
            [
                bytes(&[1, 2, 3, 4]),
                bytes(&[]),
                Ok(Record::Text(Decoded::Ping("")))
            ]
        );
    }

    #[test]
    fn a_body_of_text_is_read_up_to_the_first_packet_that_is_none() {
        for bad in [
            "",
            ":",
            "4a",
            "2",
            "x:4a",
            "-1:4a",
            "+2:4a",
            " 2:4a",
            "2.0:4a",
            "3:4a",
            "2:4🚢",
            "0:",
            "1:0",
            "1:9",
            "1:b",
            "3:b5A",
            "4:b4A=",
            "00000000002:4a",
            "99999999999999999999:4a",
        ] {
            assert_eq!(of_text(bad), [Err(Undecodable)], "{bad:?}");
            let after_one = format!("2:4a{bad}");
            if !bad.is_empty() {
                assert_eq!(
                    of_text(&after_one),
                    [message("a"), Err(Undecodable)],
                    "{bad:?}"
                );
            }
        }
    }

    #[test]
    fn a_body_of_bytes_counts_in_bytes() {
        assert_eq!(of_bytes(&[0, 2, 255, b'4', b'a']), [message("a")]);
        assert_eq!(
            of_bytes(&[
                0, 3, 255, b'4', 0xc3, 0xa9, 1, 4, 255, 4, 1, 2, 3, 1, 1, 255, 4
            ]),
            [message("é"), bytes(&[1, 2, 3]), bytes(&[])]
        );
        let mut long = vec![0, 1, 2, 255, b'4'];
        long.resize(4 + 12, b'x');
        assert_eq!(of_bytes(&long), [message("xxxxxxxxxxx")]);
    }

    #[test]
    fn a_body_of_bytes_is_read_up_to_the_first_packet_that_is_none() {
        let rows: [&[u8]; 12] = [
            &[],
            &[0],
            &[0, 255],
            &[0, 2],
            &[0, 2, 255, b'4'],
            &[2, 1, 255, b'4'],
            &[0, 10, 255, b'4'],
            &[0, 0, 255],
            &[1, 1, 255, 2],
            &[1, 0, 255],
            &[0, 2, 255, b'4', 0xff],
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 255, b'4'],
        ];
        for bad in rows {
            assert_eq!(of_bytes(bad), [Err(Undecodable)], "{bad:?}");
            if !bad.is_empty() {
                let after_one = [&[0, 2, 255, b'4', b'a'], bad].concat();
                assert_eq!(
                    of_bytes(&after_one),
                    [message("a"), Err(Undecodable)],
                    "{bad:?}"
                );
            }
        }
    }

    #[test]
    fn an_answer_is_of_bytes_only_if_it_must_and_may_be() {
        let text = Packet::message(|out| out.extend_from_slice("hé🚢".as_bytes()));
        let binary = Packet::binary(&[1, 2, 3]);
        let of_text = |body: &str| Answer::Payload(body.to_owned().into());
        for base64 in [false, true] {
            assert_eq!(
                answer([&text, &Packet::CLOSE].into_iter(), base64),
                of_text("5:4hé🚢1:1")
            );
        }
        assert_eq!(
            answer([&text, &binary].into_iter(), true),
            of_text("5:4hé🚢6:b4AQID")
        );
        let mut whole = vec![0, 8, 255];
        whole.extend_from_slice("4hé🚢".as_bytes());
        whole.extend_from_slice(&[1, 4, 255, 4, 1, 2, 3]);
        assert_eq!(
            answer([&text, &binary].into_iter(), false),
            Answer::Bytes(whole.into())
        );
    }

    #[test]
    fn a_message_of_bytes_has_its_type_in_front_in_a_frame_too() {
        let binary = Packet::binary(&[1, 2]);
        assert_eq!(&frame(&binary, false)[..], [0x82, 3, 4, 1, 2]);
        assert_eq!(&frame(&binary, true)[..], b"\x81\x06b4AQI=");
        let owned = read_bytes(Cow::Owned(vec![4, 1, 2]));
        assert_eq!(owned, Ok(Cow::Borrowed(&[1, 2][..])));
    }
}
