//! Messages to frames, as a server sends them: unmasked, in one piece.
//!
//! A payload comes in, shareable bytes go out. Since nothing is masked, the header and the payload are the same bytes for
//! every receiver: [`seal`] puts both into one buffer, from which the payload alone can be shared as well.
//! [`deflated`] makes the other form, for receivers who agreed to it.
//! Never knows whom the bytes are for.
//! Left out: fragments, which a sender that has its whole message at hand has no use for.

use std::ops::Deref;

use tungstenite::protocol::frame::FrameHeader;

use super::{Control, Data, Deflater, OpCode, Window};
use crate::buffers::{Buffer, Shared};

/// Bytes of the longest header without a mask: two, and eight of length (RFC 6455 §5.2).
pub const HEADER_BYTES_MAX: usize = 10;

/// Bytes of the longest payload of a control frame (RFC 6455 §5.5).
pub const CONTROL_BYTES_MAX: usize = 125;

/// The header of one frame: two, four or ten bytes.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    bytes: [u8; HEADER_BYTES_MAX],
    length: usize,
}

impl Deref for Header {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The header of a final frame with a payload of this length.
#[must_use]
pub fn header(opcode: OpCode, payload_bytes: usize) -> Header {
    format(opcode, payload_bytes, Form::Plain)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Deflated,
}

fn format(opcode: OpCode, payload_bytes: usize, form: Form) -> Header {
    let header = FrameHeader {
        opcode,
        // RFC 7692 §6.
        rsv1: form == Form::Deflated,
        ..FrameHeader::default()
    };
    let mut bytes = [0; HEADER_BYTES_MAX];
    let mut free = &mut bytes[..];
    header
        .format(payload_bytes as u64, &mut free)
        .expect("ten bytes hold any header without a mask");
    let length = HEADER_BYTES_MAX - free.len();
    Header { bytes, length }
}

/// A text frame.
#[must_use]
pub fn text(text: &str) -> Shared {
    frame(OpCode::Data(Data::Text), text.as_bytes())
}

/// A binary frame.
#[must_use]
pub fn binary(bytes: &[u8]) -> Shared {
    frame(OpCode::Data(Data::Binary), bytes)
}

/// A ping, whose payload the peer's pong repeats. Its first 125 bytes are sent: a control frame holds no more.
#[must_use]
pub fn ping(payload: &[u8]) -> Shared {
    control(Control::Ping, payload)
}

/// A pong: the answer to a ping, with its payload.
#[must_use]
pub fn pong(payload: &[u8]) -> Shared {
    control(Control::Pong, payload)
}

/// A close frame; of the reason, as much as a control frame holds in whole characters.
#[must_use]
pub fn close(code: u16, reason: &str) -> Shared {
    let reason = &reason[..reason.floor_char_boundary(CONTROL_BYTES_MAX - 2)];
    let mut payload = Vec::with_capacity(CONTROL_BYTES_MAX);
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    control(Control::Close, &payload)
}

/// The answer to the peer's close frame: its own code again, or none if it gave none (RFC 6455 §5.5.1).
#[must_use]
pub fn close_answer(code: Option<u16>) -> Shared {
    code.map_or_else(|| control(Control::Close, &[]), |code| close(code, ""))
}

/// Completes a frame in place: `buffer` is [`HEADER_BYTES_MAX`] bytes of room and the payload behind them. The header is put
/// right before the payload. Gives its length: the frame starts so many bytes before the payload, which whoever shares it in
/// another form has to itself.
///
/// # Panics
///
/// If the room is missing.
pub fn seal(buffer: &mut [u8], opcode: OpCode) -> usize {
    complete(buffer, opcode, Form::Plain)
}

/// A message as a deflated frame, for a receiver who agreed to permessage-deflate; none if the payload is below the
/// deflater's threshold, or would not become shorter, and had better be sent as it is.
#[must_use]
pub fn deflated(
    deflater: &mut Deflater,
    window: Window,
    kind: Data,
    payload: &[u8],
) -> Option<Shared> {
    if !deflater.takes(payload.len()) {
        return None;
    }
    let mut buffer = Buffer::new();
    buffer.resize(HEADER_BYTES_MAX, 0);
    if !deflater.deflate(window, payload, &mut buffer) {
        return None;
    }
    // It may wait for long, and weighs in a queue what it holds.
    buffer.shrink_to_fit();
    let header_bytes = complete(&mut buffer, OpCode::Data(kind), Form::Deflated);
    Some(buffer.share_weighed(HEADER_BYTES_MAX - header_bytes))
}

fn complete(buffer: &mut [u8], opcode: OpCode, form: Form) -> usize {
    let payload_bytes = buffer
        .len()
        .checked_sub(HEADER_BYTES_MAX)
        .expect("the caller leaves room for the header");
    let header = format(opcode, payload_bytes, form);
    let start = HEADER_BYTES_MAX - header.len();
    buffer[start..HEADER_BYTES_MAX].copy_from_slice(&header);
    header.len()
}

fn control(control: Control, payload: &[u8]) -> Shared {
    frame(
        OpCode::Control(control),
        &payload[..payload.len().min(CONTROL_BYTES_MAX)],
    )
}

fn frame(opcode: OpCode, payload: &[u8]) -> Shared {
    let header = header(opcode, payload.len());
    let mut bytes = Buffer::new();
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(payload);
    bytes.share(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: OpCode = OpCode::Data(Data::Text);
    const BINARY: OpCode = OpCode::Data(Data::Binary);

    #[test]
    fn a_header_is_as_short_as_its_length_allows() {
        let rows: [(usize, &[u8]); 7] = [
            (0, &[0x81, 0]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xff, 0xff]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
            (1_000_000, &[0x81, 127, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40]),
            (
                usize::MAX >> 1,
                &[0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            ),
        ];
        for (length, expected) in rows {
            assert_eq!(&header(TEXT, length)[..], expected, "{length}");
        }
    }

    #[test]
    fn every_kind_of_frame_has_its_opcode_and_no_mask() {
        assert_eq!(&text("hé")[..], b"\x81\x03h\xc3\xa9");
        assert_eq!(&text("")[..], b"\x81\x00");
        assert_eq!(&binary(&[1, 2])[..], [0x82, 2, 1, 2]);
        assert_eq!(&ping(b"p")[..], b"\x89\x01p");
        assert_eq!(&pong(b"p")[..], b"\x8a\x01p");
        assert_eq!(&close(1000, "bye")[..], b"\x88\x05\x03\xe8bye");
        assert_eq!(&close_answer(Some(4000))[..], b"\x88\x02\x0f\xa0");
        assert_eq!(&close_answer(None)[..], b"\x88\x00");
    }

    #[test]
    fn a_control_frame_never_exceeds_125_bytes_and_cuts_no_character() {
        assert_eq!(ping(&[0; 300]).len(), 2 + 125);
        assert_eq!(pong(&[0; 125]).len(), 2 + 125);
        let reason = "€".repeat(50);
        let frame = close(1002, &reason);
        assert_eq!(frame.len(), 2 + 2 + 123);
        assert_eq!(&frame[4..], "€".repeat(41).as_bytes());
        assert_eq!(close(1002, &format!("a{reason}")).len(), 2 + 2 + 121);
    }

    #[test]
    fn a_sealed_buffer_is_the_frame_and_holds_the_payload_behind_its_header() {
        for size in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; size];
            let mut buffer = vec![0; HEADER_BYTES_MAX];
            buffer.extend_from_slice(&payload);
            let header_bytes = seal(&mut buffer, BINARY);
            let frame = &buffer[HEADER_BYTES_MAX - header_bytes..];
            assert_eq!(binary(&payload), frame, "{size}");
            assert_eq!(&frame[header_bytes..], payload, "{size}");
        }
    }

    #[test]
    fn a_deflated_frame_has_its_mark_and_is_made_only_where_it_is_shorter() {
        let mut deflater = Deflater::new(64);
        let text = "again and ".repeat(20);
        for (kind, first) in [(Data::Text, 0xc1), (Data::Binary, 0xc2)] {
            let frame = deflated(&mut deflater, Window::Whole, kind, text.as_bytes()).unwrap();
            assert_eq!(frame[0], first);
            assert_eq!(usize::from(frame[1]), frame.len() - 2);
            assert!(frame.len() < 30, "{} bytes", frame.len());
        }
        assert_eq!(deflater.deflated(), 2);
        let short = &text.as_bytes()[..63];
        assert_eq!(
            deflated(&mut deflater, Window::Whole, Data::Text, short),
            None
        );
        assert_eq!(
            deflater.deflated(),
            2,
            "below the threshold nothing is tried"
        );
        let noise: Vec<u8> = (0..=255).collect();
        assert_eq!(
            deflated(&mut deflater, Window::Whole, Data::Binary, &noise),
            None
        );
    }

    #[test]
    #[should_panic(expected = "room for the header")]
    fn a_buffer_without_room_for_the_header_is_a_mistake_of_ours() {
        seal(&mut [0; 9], TEXT);
    }
}
