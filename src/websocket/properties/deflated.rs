//! Deflated messages: what must hold for them, with an inflater by other hands as the oracle.
//!
//! miniz_oxide is that other inflater, here and only here: the server does not run on it.

use std::iter;

use flate2::{Decompress, FlushDecompress, Status};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use super::{End, Outcome};
use crate::config;
use crate::websocket::{Deflater, Inflater, Violation, Window};

/// A stream is told as tungstenite tells it, which knows no deflate, once each deflated message in it has been replaced by
/// what miniz_oxide makes of it.
pub(super) fn compare(limits: &config::WebSocket, stream: &[u8], ours: &Outcome) {
    let plain = Plain::of(limits, stream);
    let not_deflated = Violation::InvalidDeflate;
    let is_ours = ours.end == End::Broken(not_deflated);
    match plain.end {
        // Of what is not quite deflated, each lets through a little that the other does not.
        Some(theirs) if theirs == not_deflated && !is_ours => return,
        theirs if theirs != Some(not_deflated) && is_ours => return,
        Some(theirs) => assert!(
            ours.end != End::Open,
            "we read on where they say {theirs:?}"
        ),
        None => {}
    }
    super::compare(limits, &plain.stream, ours);
}

/// A stream without deflated messages.
struct Plain {
    stream: Vec<u8>,
    /// Why it ends before its end.
    end: Option<Violation>,
}

impl Plain {
    fn of(limits: &config::WebSocket, stream: &[u8]) -> Self {
        let mut plain = Self {
            stream: Vec::new(),
            end: None,
        };
        // The payloads of the deflated message under way; and whether any message is.
        let mut deflated: Option<Vec<u8>> = None;
        let mut is_within = false;
        let mut rest = stream;
        while let Some(frame) = Frame::first(rest) {
            let (opcode, is_final) = (frame.first & 0x0f, frame.first & 0x80 != 0);
            match (frame.first & 0x70, opcode) {
                (0x40, 1 | 2) if !is_within => deflated = Some(Vec::new()),
                (0, 0) | (_, 8..) => {}
                _ => deflated = None,
            }
            if opcode < 8 {
                is_within = !is_final;
            }
            let is_of_message = opcode < 8 && frame.is_masked;
            let Some(message) = deflated.as_mut().filter(|_| is_of_message) else {
                plain.stream.extend_from_slice(&rest[..frame.bytes]);
                rest = &rest[frame.bytes..];
                continue;
            };
            message.extend_from_slice(&frame.payload);
            if message.len() > limits.message_bytes_max {
                plain.end = Some(Violation::TooLong);
                return plain;
            }
            let payload = if is_final {
                match inflated(message, limits.message_bytes_max) {
                    Ok(payload) => payload,
                    Err(violation) => {
                        plain.end = Some(violation);
                        return plain;
                    }
                }
            } else {
                Vec::new()
            };
            plain.push(frame.first & !0x40, &payload);
            if is_final {
                deflated = None;
            }
            rest = &rest[frame.bytes..];
        }
        plain.rest(rest, is_within);
        plain
    }

    fn push(&mut self, first: u8, payload: &[u8]) {
        self.stream.extend([first, 0xff]);
        let length = payload.len() as u64;
        self.stream.extend(length.to_be_bytes());
        self.stream.extend([0; 4]);
        self.stream.extend_from_slice(payload);
    }

    /// The start of a frame that has not come as a whole.
    fn rest(&mut self, rest: &[u8], is_within: bool) {
        let start = self.stream.len();
        self.stream.extend_from_slice(rest);
        if let Some(first) = self.stream.get_mut(start)
            && matches!(*first & 0x7f, 0x41 | 0x42)
            && !is_within
        {
            *first &= !0x40;
        }
    }
}

/// A frame that has come as a whole, its payload unmasked.
struct Frame {
    first: u8,
    is_masked: bool,
    payload: Vec<u8>,
    bytes: usize,
}

impl Frame {
    fn first(stream: &[u8]) -> Option<Self> {
        let &[first, second, ref rest @ ..] = stream else {
            return None;
        };
        let coded = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let length = match coded {
            0 => u64::from(second & 0x7f),
            _ => rest
                .get(..coded)?
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        let masked = if second & 0x80 == 0 { 0 } else { 4 };
        let mask = rest.get(coded..coded + masked)?;
        let length = usize::try_from(length).ok()?;
        let payload = rest
            .get(coded + masked..)?
            .get(..length)?
            .iter()
            .zip(mask.iter().chain(iter::repeat_n(&0, 4 - masked)).cycle())
            .map(|(byte, mask)| byte ^ mask)
            .collect();
        Some(Self {
            first,
            is_masked: masked > 0,
            payload,
            bytes: 2 + coded + masked + length,
        })
    }
}

/// What a message was made from, by other hands than ours.
fn inflated(message: &[u8], bytes_max: usize) -> Result<Vec<u8>, Violation> {
    if message.is_empty() {
        return Ok(Vec::new());
    }
    let message = [message, &[0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]].concat();
    match decompress_to_vec_with_limit(&message, bytes_max) {
        Ok(payload) => Ok(payload),
        Err(error) if error.status == TINFLStatus::HasMoreOutput => Err(Violation::TooLong),
        Err(_) => Err(Violation::InvalidDeflate),
    }
}

/// Any payload comes back as it was, by our inflater, by another, and by one that remembers no more than was agreed on.
///
/// # Panics
///
/// If it does not.
pub(super) fn round_trip(payload: &[u8]) {
    let (mut deflater, mut inflater) = (Deflater::new(0), Inflater::new());
    // So that there is something to deflate in what a fuzzer makes up.
    let doubled = [payload, payload].concat();
    for payload in [payload, &doubled] {
        for window in [Window::Whole, Window::Small] {
            let mut message = Vec::new();
            if !deflater.deflate(window, payload, &mut message) {
                assert!(message.is_empty(), "nothing is left of a vain attempt");
                continue;
            }
            assert!(message.len() < payload.len());
            let back = inflater.inflate(&message, payload.len());
            assert!(back.as_deref() == Ok(payload), "ours, {window:?}");
            let back = inflated(&message, payload.len());
            assert!(back.as_deref() == Ok(payload), "another's, {window:?}");
            assert!(forgetful(&message, window) == payload, "{window:?}");
            let less = inflater.inflate(&message, payload.len() - 1);
            assert_eq!(less, Err(Violation::TooLong));
        }
    }
}

/// What an inflater makes of a message that remembers as much as its window holds.
fn forgetful(message: &[u8], window: Window) -> Vec<u8> {
    let mut inflate = Decompress::new_with_window_bits(false, window.bits());
    let message = [message, &[0, 0, 0xff, 0xff]].concat();
    let mut whole = Vec::new();
    let mut piece = [0; 64];
    loop {
        let (taken, made) = (inflate.total_in(), inflate.total_out());
        let taken = usize::try_from(taken).expect("no more than the message");
        let status = inflate
            .decompress(&message[taken..], &mut piece, FlushDecompress::None)
            .expect("refers no further back than the window");
        let made = usize::try_from(inflate.total_out() - made).expect("at most a piece");
        whole.extend_from_slice(&piece[..made]);
        if made == 0 || status == Status::StreamEnd {
            return whole;
        }
    }
}
