//! Engine.IO 4 packets: a type digit and its data, or bare bytes.
//!
//! [`Packet`] is one packet on its way out, in a form that both transports share; [`decode`] reads one text packet.
//! Knows frame headers, since a server frame is its packet with a header in front; knows nothing of sessions.
//! Left out: the length-prefixed framing of WebTransport, which needs QUIC.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::buffers::{Buffer, Shared};
use crate::websocket::{Data, Deflater, OpCode, Window, frame};

/// One packet for a client, made once and shared by everybody it goes to.
///
/// A server's WebSocket frame is unmasked, so the frame is its header followed by exactly the bytes that long-polling
/// sends: one buffer is both forms. Its other forms are made when the first receiver wants one.
#[derive(Clone, Debug)]
pub struct Packet {
    frame: Shared,
    header_bytes: u8,
    binary: bool,
    stays_plain: bool,
    /// None until one is asked for, or there are to be several receivers.
    forms: Option<Rc<Forms>>,
}

/// Forms besides the plain one, each made at most once and shared by the receivers.
#[derive(Debug, Default)]
struct Forms {
    /// Deflated frames, in the order of [`Window`]; none where the plain one is no longer.
    deflated: [OnceCell<Option<Shared>>; 2],
}

/// What they say is what counts, not which forms of it were made.
impl PartialEq for Packet {
    fn eq(&self, other: &Self) -> bool {
        self.frame == other.frame && self.stays_plain == other.stays_plain
    }
}

impl Eq for Packet {}

impl Packet {
    /// A ping.
    pub const PING: Self = Self::fixed(&[0x81, 1, b'2']);
    /// A ping's answer, in revision 3 the server's.
    pub const PONG: Self = Self::fixed(&[0x81, 1, b'3']);
    /// A ping's answer that carries the probe of an upgrade.
    pub const PROBE_ANSWER: Self = Self::fixed(b"\x81\x063probe");
    /// The end of a session, told to a polling client.
    pub const CLOSE: Self = Self::fixed(&[0x81, 1, b'1']);
    /// Nothing, so that a parked poll can be answered.
    pub const NOOP: Self = Self::fixed(&[0x81, 1, b'6']);

    const fn fixed(frame: &'static [u8]) -> Self {
        Self {
            frame: Shared::fixed(frame),
            header_bytes: 2,
            binary: false,
            stays_plain: false,
            forms: None,
        }
    }

    /// A text packet, type digit included: `write` appends it to the buffer it is given.
    pub fn text(write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut buffer = Buffer::new();
        buffer.extend_from_slice(&[0; frame::HEADER_BYTES_MAX]);
        write(&mut buffer);
        Self::sealed(buffer, OpCode::Data(Data::Text))
    }

    /// A message (type 4) of text.
    pub fn message(write: impl FnOnce(&mut Vec<u8>)) -> Self {
        Self::text(|out| {
            out.push(b'4');
            write(out);
        })
    }

    /// A message of bytes, which has no type digit.
    #[must_use]
    pub fn binary(bytes: &[u8]) -> Self {
        let mut buffer = Buffer::new();
        buffer.reserve_exact(frame::HEADER_BYTES_MAX + bytes.len());
        buffer.extend_from_slice(&[0; frame::HEADER_BYTES_MAX]);
        buffer.extend_from_slice(bytes);
        Self::sealed(buffer, OpCode::Data(Data::Binary))
    }

    fn sealed(mut buffer: Buffer, opcode: OpCode) -> Self {
        let binary = matches!(opcode, OpCode::Data(Data::Binary));
        let header = frame::seal(&mut buffer, opcode);
        Self {
            frame: buffer.share_weighed(frame::HEADER_BYTES_MAX - header),
            header_bytes: u8::try_from(header).expect("a frame header is at most 10 bytes long"),
            binary,
            stays_plain: false,
            forms: None,
        }
    }

    /// The same, never to be compressed by either transport.
    #[must_use]
    pub const fn plain(mut self) -> Self {
        self.stays_plain = true;
        self
    }

    /// Whether it may be compressed.
    #[must_use]
    pub const fn is_compressible(&self) -> bool {
        !self.stays_plain
    }

    /// The same, whose copies have their other forms in common.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.forms.get_or_insert_default();
        self
    }

    /// The packet as a frame for a client with whom permessage-deflate was agreed on: deflated, if that makes it shorter.
    pub fn frame_deflated(&mut self, deflater: &mut Deflater, window: Window) -> &Shared {
        let payload = &self.frame[usize::from(self.header_bytes)..];
        if self.stays_plain || !deflater.takes(payload.len()) {
            return &self.frame;
        }
        let kind = if self.binary {
            Data::Binary
        } else {
            Data::Text
        };
        let forms = self.forms.get_or_insert_default();
        forms.deflated[window as usize]
            .get_or_init(|| frame::deflated(deflater, window, kind, payload))
            .as_ref()
            .unwrap_or(&self.frame)
    }

    /// The packet as a WebSocket frame.
    #[must_use]
    pub const fn frame(&self) -> &Shared {
        &self.frame
    }

    /// The packet without a frame header: its text, or its bare bytes.
    #[must_use]
    pub fn body(&self) -> Shared {
        self.frame.behind(usize::from(self.header_bytes))
    }

    /// Whether this is a message of bytes.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        self.binary
    }

    /// What it weighs in a queue, unless it is deflated.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frame.len()
    }

    /// Never: a frame has a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }
}

/// Frozen as its kind and its body, from which its forms are made again.
impl Serialize for Packet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.binary, self.stays_plain, &*self.body()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Packet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (is_binary, stays_plain, body) = <(bool, bool, Bytes)>::deserialize(deserializer)?;
        let packet = if is_binary {
            Self::binary(&body)
        } else {
            Self::text(|out| out.extend_from_slice(&body))
        };
        Ok(Self {
            stays_plain,
            ..packet
        })
    }
}

/// A text packet from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// `1`: the client ends the session.
    Close,
    /// `2`, with its data: in revision 4 only `2probe` is ever right, on a WebSocket that probes.
    Ping(&'a str),
    /// `3`: the answer to our ping.
    Pong,
    /// `4`: a message.
    Message(&'a str),
    /// `5`: the probing WebSocket takes over.
    Upgrade,
    /// `6`.
    Noop,
}

/// A packet that is none: empty, of an unknown type, or one only a server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable;

/// Reads one text packet.
///
/// # Errors
/// If it is empty, or its type is unknown, or is `0` (open), which only a server sends.
pub fn decode(text: &str) -> Result<Decoded<'_>, Undecodable> {
    let kind = *text.as_bytes().first().ok_or(Undecodable)?;
    // The first byte is ASCII in every arm that uses the rest, so the cut is on a character's edge.
    match kind {
        b'1' => Ok(Decoded::Close),
        b'2' => Ok(Decoded::Ping(&text[1..])),
        b'3' => Ok(Decoded::Pong),
        b'4' => Ok(Decoded::Message(&text[1..])),
        b'5' => Ok(Decoded::Upgrade),
        b'6' => Ok(Decoded::Noop),
        _ => Err(Undecodable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_packet_and_its_frame_share_one_buffer() {
        for (length, header) in [(0, 2), (124, 2), (125, 4), (65_534, 4), (65_535, 10)] {
            let packet = Packet::message(|out| out.resize(out.len() + length, b'x'));
            assert_eq!(
                packet.frame().len(),
                header + 1 + length,
                "message of {length} bytes"
            );
            assert_eq!(packet.body().len(), 1 + length);
            assert_eq!(packet.body()[0], b'4');
            assert_eq!(packet.frame()[0], 0x81);
            assert!(!packet.is_binary());
        }
    }

    #[test]
    fn a_binary_packet_is_its_bytes_and_nothing_else() {
        let packet = Packet::binary(&[1, 2, 3]);
        assert_eq!(&packet.frame()[..], [0x82, 3, 1, 2, 3]);
        assert_eq!(&packet.body()[..], [1, 2, 3]);
        assert!(packet.is_binary());
    }

    #[test]
    fn a_packet_is_deflated_once_for_all_who_have_it_in_common() {
        let mut deflater = Deflater::new(100);
        let packet = Packet::message(|out| out.resize(out.len() + 500, b'x')).shared();
        let mut copies = vec![packet; 3];
        for copy in &mut copies {
            let plain = copy.len();
            let deflated = copy.frame_deflated(&mut deflater, Window::Whole);
            assert_eq!(deflated[0], 0xc1);
            assert!(deflated.len() < plain / 10);
            assert_eq!(copy.frame()[0], 0x81, "the plain form stays");
        }
        assert_eq!(deflater.deflated(), 1);
        copies[0].frame_deflated(&mut deflater, Window::Small);
        copies[1].frame_deflated(&mut deflater, Window::Small);
        assert_eq!(deflater.deflated(), 2, "and once for the other window");
        let frames = copies
            .iter_mut()
            .map(|copy| copy.frame_deflated(&mut deflater, Window::Whole).as_ptr());
        let frames: Vec<_> = frames.collect();
        assert!(frames.iter().all(|frame| *frame == frames[0]), "one buffer");
    }

    #[test]
    fn a_packet_that_is_short_or_noise_or_says_so_is_not_deflated() {
        let mut deflater = Deflater::new(100);
        let long = |length: usize| Packet::message(|out| out.resize(length, b'x'));
        let noise: Vec<u8> = (0..=255).collect();
        for mut packet in [
            long(99 + frame::HEADER_BYTES_MAX),
            long(500).plain(),
            Packet::binary(&noise),
            Packet::PING,
        ] {
            let plain = packet.frame().clone();
            assert_eq!(*packet.frame_deflated(&mut deflater, Window::Whole), plain);
        }
        assert_eq!(deflater.deflated(), 1, "only the noise was tried");
        let mut enough = long(100 + frame::HEADER_BYTES_MAX);
        assert_eq!(enough.body().len(), 100);
        assert_eq!(enough.frame_deflated(&mut deflater, Window::Whole)[0], 0xc1);
    }

    #[test]
    fn the_fixed_packets_have_their_digits() {
        for (packet, text) in [
            (Packet::PING, "2"),
            (Packet::PONG, "3"),
            (Packet::PROBE_ANSWER, "3probe"),
            (Packet::CLOSE, "1"),
            (Packet::NOOP, "6"),
        ] {
            assert_eq!(packet.body(), text);
            assert_eq!(
                packet,
                Packet::text(|out| out.extend_from_slice(text.as_bytes()))
            );
        }
    }

    #[test]
    fn every_type_a_client_may_send_is_read_and_no_other() {
        let rows = [
            ("1", Ok(Decoded::Close)),
            ("2", Ok(Decoded::Ping(""))),
            ("2probe", Ok(Decoded::Ping("probe"))),
            ("3", Ok(Decoded::Pong)),
            ("3probe", Ok(Decoded::Pong)),
            ("4", Ok(Decoded::Message(""))),
            ("4é\u{1e}", Ok(Decoded::Message("é\u{1e}"))),
            ("5", Ok(Decoded::Upgrade)),
            ("6", Ok(Decoded::Noop)),
            ("", Err(Undecodable)),
            ("0{}", Err(Undecodable)),
            ("7", Err(Undecodable)),
            ("é", Err(Undecodable)),
            ("bAQI=", Err(Undecodable)),
        ];
        for (text, expected) in rows {
            assert_eq!(decode(text), expected, "{text:?}");
        }
    }
}
