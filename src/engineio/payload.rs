//! Payloads of long-polling: several packets in one body, parted by the record separator.
//!
//! [`Packets`] reads a POST's body, [`join`] writes a poll's answer. A message of bytes travels as `b` and base64.
//! Knows packets only. Linear in the body's length, and holds one packet at a time.
//! Left out: the payloads of Engine.IO 3, which are [`super::payload_v3`]'s.

use std::borrow::Cow;

use bytes::BufMut;
use data_encoding::BASE64;

use super::packet::{self, Decoded, Packet, Undecodable};
use crate::buffers::{Buffer, Shared};

/// What parts two packets (U+001E, "record separator").
pub const SEPARATOR: u8 = 0x1e;

/// One packet of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A text packet.
    Text(Decoded<'a>),
    /// A message of bytes.
    Binary(Cow<'a, [u8]>),
}

/// The packets of a body, in order; ends after the first that is none.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: Option<&'a str>,
}

impl<'a> Packets<'a> {
    /// Reads `body`.
    #[must_use]
    pub const fn new(body: &'a str) -> Self {
        Self { rest: Some(body) }
    }

    /// What has not been read yet; none after the last packet, and after one that was none.
    #[must_use]
    pub const fn rest(&self) -> Option<&'a str> {
        self.rest
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Record<'a>, Undecodable>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let text = match memchr::memchr(SEPARATOR, rest.as_bytes()) {
            Some(at) => {
                self.rest = Some(&rest[at + 1..]);
                &rest[..at]
            }
            None => rest,
        };
        let record = read(text);
        if record.is_err() {
            self.rest = None;
        }
        Some(record)
    }
}

fn read(text: &str) -> Result<Record<'_>, Undecodable> {
    let Some(base64) = text.strip_prefix('b') else {
        return packet::decode(text).map(Record::Text);
    };
    read_base64(base64)
}

/// Reads a message of bytes that travels as text.
pub(super) fn read_base64(base64: &str) -> Result<Record<'static>, Undecodable> {
    // Padding ends it: two encodings behind each other, which `decode` would join, are none.
    if base64.trim_end_matches('=').contains('=') {
        return Err(Undecodable);
    }
    let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| Undecodable)?;
    Ok(Record::Binary(Cow::Owned(bytes)))
}

/// Writes `packets` as one body.
#[must_use]
pub fn join<'p>(packets: impl ExactSizeIterator<Item = &'p Packet> + Clone) -> Shared {
    let mut single = packets.clone();
    if let (1, Some(only)) = (single.len(), single.next())
        && !only.is_binary()
    {
        return only.body();
    }
    let bytes: usize = packets.clone().map(|packet| packet.len() * 4 / 3 + 6).sum();
    let mut body = Buffer::new();
    body.reserve(bytes);
    for (index, packet) in packets.enumerate() {
        if index > 0 {
            body.put_u8(SEPARATOR);
        }
        if packet.is_binary() {
            body.put_u8(b'b');
            body.put_slice(BASE64.encode(&packet.body()).as_bytes());
        } else {
            body.put_slice(&packet.body());
        }
    }
    body.share_weighed(0)
}

/// The property the fuzzer holds this codec to; see `fuzz/fuzz_targets/engineio_payload.rs`.
#[cfg(any(test, feature = "world"))]
#[doc(hidden)]
pub mod property {
    use super::{Decoded, Packet, Packets, Record, SEPARATOR, join};

    /// What is read, written and read again is the same; there are no more packets than separators and one.
    ///
    /// # Panics
    /// If not.
    pub fn holds(input: &[u8]) {
        let Ok(body) = std::str::from_utf8(input) else {
            return;
        };
        let records: Vec<_> = Packets::new(body).collect();
        let separators = input.iter().filter(|byte| **byte == SEPARATOR).count();
        assert!(records.len() <= separators + 1);
        assert!(
            records.iter().rev().skip(1).all(Result::is_ok),
            "reading goes on after an error"
        );
        for (text, record) in body.split(char::from(SEPARATOR)).zip(&records) {
            // Bytes have one spelling: two readers of one body cannot find different ones in it.
            if let Ok(Record::Binary(bytes)) = record {
                assert_eq!(text, format!("b{}", super::BASE64.encode(bytes)));
            }
        }
        let read: Vec<_> = records.into_iter().flatten().collect();
        if read.is_empty() {
            return;
        }
        let written: Vec<Packet> = read.iter().map(write).collect();
        let again = join(written.iter());
        let again = std::str::from_utf8(&again).expect("a payload is text");
        let reread: Vec<_> = Packets::new(again).flatten().collect();
        assert_eq!(read, reread);
    }

    /// The packet that a record was read from.
    pub(in crate::engineio) fn write(record: &Record<'_>) -> Packet {
        let text = |digit: char, data: &str| {
            Packet::text(|out| out.extend_from_slice(format!("{digit}{data}").as_bytes()))
        };
        match record {
            Record::Binary(bytes) => Packet::binary(bytes),
            Record::Text(Decoded::Close) => text('1', ""),
            Record::Text(Decoded::Ping(data)) => text('2', data),
            Record::Text(Decoded::Pong) => text('3', ""),
            Record::Text(Decoded::Message(data)) => text('4', data),
            Record::Text(Decoded::Upgrade) => text('5', ""),
            Record::Text(Decoded::Noop) => text('6', ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(body: &str) -> Vec<Result<Record<'_>, Undecodable>> {
        Packets::new(body).collect()
    }

    #[test]
    fn packets_come_out_in_order_up_to_the_first_that_is_none() {
        let message = |text| Ok(Record::Text(Decoded::Message(text)));
        assert_eq!(read_all("4a\u{1e}4é"), [message("a"), message("é")]);
        assert_eq!(
            read_all("4a\u{1e}bAQIDBA==\u{1e}b"),
            [
                message("a"),
                Ok(Record::Binary(Cow::Borrowed(&[1, 2, 3, 4]))),
                Ok(Record::Binary(Cow::Borrowed(&[])))
            ]
        );
        for bad in ["", "9x", "0", "{}", "bAQI", "b*", "b AQI=", "bAQI=AQI="] {
            assert_eq!(read_all(bad), [Err(Undecodable)], "{bad:?}");
            assert_eq!(
                read_all(&format!("4a\u{1e}{bad}\u{1e}4b")),
                [message("a"), Err(Undecodable)]
            );
        }
    }

    #[test]
    fn an_answer_joins_its_packets_with_the_separator() {
        let text = Packet::message(|out| out.extend_from_slice("hé".as_bytes()));
        let bytes = Packet::binary(&[1, 2, 3, 4]);
        assert_eq!(join([&text].into_iter()), "4hé");
        assert_eq!(join([&bytes].into_iter()), "bAQIDBA==");
        assert_eq!(
            join([&text, &bytes, &Packet::CLOSE].into_iter()),
            "4hé\u{1e}bAQIDBA==\u{1e}1"
        );
    }
}
