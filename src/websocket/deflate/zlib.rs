//! The compressor and the inflater, on zlib's algorithms in Rust (flate2 and zlib-rs).

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Window;
use crate::websocket::Violation;

/// Measured with chat messages of 1 KB: level 2 takes 6 µs and leaves 211 bytes, level 1 takes 5 and leaves 251, and
/// level 6, zlib's own choice, takes 13 for the same 211.
const LEVEL: u32 = 2;

/// What a flush ends with, and a message is sent without (RFC 7692 §7.2.1).
const FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// What is read behind a message: the end of its flush, and an empty block that is the last. Only if the message ended
/// where a block ended does it end the stream.
const END: [u8; 9] = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff];

/// The one compressor of a loop. It has no memory before its first use, and some 300 KB from then on.
#[derive(Debug)]
pub struct Deflater {
    bytes_min: usize,
    whole: Option<Compress>,
    small: Option<Compress>,
    deflated: u64,
}

impl Deflater {
    /// One that leaves payloads of fewer bytes as they are.
    #[must_use]
    pub const fn new(bytes_min: usize) -> Self {
        Self {
            bytes_min,
            whole: None,
            small: None,
            deflated: 0,
        }
    }

    /// Whether a payload of this many bytes is worth the try.
    #[must_use]
    pub const fn takes(&self, payload_bytes: usize) -> bool {
        payload_bytes >= self.bytes_min
    }

    /// How often it was asked to compress.
    #[must_use]
    pub const fn deflated(&self) -> u64 {
        self.deflated
    }

    /// Appends the deflated form of `payload`; or nothing, and says so, if it is not shorter. No more than its length is
    /// ever allocated for it.
    pub fn deflate(&mut self, window: Window, payload: &[u8], out: &mut Vec<u8>) -> bool {
        self.deflated += 1;
        let compress = match window {
            Window::Whole => &mut self.whole,
            Window::Small => &mut self.small,
        };
        let compress = compress.get_or_insert_with(|| {
            Compress::new_with_window_bits(Compression::new(LEVEL), false, window.bits())
        });
        compress.reset();
        let start = out.len();
        out.reserve_exact(payload.len());
        let outcome = compress.compress_vec(payload, out, FlushCompress::Sync);
        // A flush is complete only if it leaves room behind it.
        let is_whole = matches!(outcome, Ok(Status::Ok))
            && compress.total_in() == payload.len() as u64
            && out.len() < out.capacity()
            && out[start..].ends_with(&FLUSH);
        let bytes = (out.len() - start).saturating_sub(FLUSH.len());
        let is_shorter = is_whole && bytes < payload.len();
        out.truncate(if is_shorter { start + bytes } else { start });
        is_shorter
    }
}

/// The one inflater of a loop. It has no memory before its first use, and some 50 KB from then on.
#[derive(Debug, Default)]
pub struct Inflater {
    inflate: Option<Decompress>,
}

impl Inflater {
    /// One that has not been used.
    #[must_use]
    pub const fn new() -> Self {
        Self { inflate: None }
    }

    /// The payload that a whole message was made from. What follows a block marked as the last is not read, as in Node's
    /// server.
    ///
    /// # Errors
    ///
    /// [`Violation::TooLong`] if there would be more than `bytes_max`, of which no more than one is ever written;
    /// [`Violation::InvalidDeflate`] if this is not deflated, or does not end where a block ends.
    pub fn inflate(&mut self, payload: &[u8], bytes_max: usize) -> Result<Vec<u8>, Violation> {
        // What zlib makes of nothing when it is flushed a second time; a first flush makes one byte.
        if payload.is_empty() {
            return Ok(Vec::new());
        }
        let inflate = self
            .inflate
            .get_or_insert_with(|| Decompress::new_with_window_bits(false, Window::Whole.bits()));
        inflate.reset(false);
        let room_max = bytes_max.saturating_add(1);
        let mut out = Vec::new();
        // Text is seldom made shorter than this, and most messages are read without a second allocation.
        out.reserve_exact(payload.len().saturating_mul(4).min(room_max));
        for part in [payload, &END] {
            if feed(inflate, part, &mut out, room_max)? {
                return Ok(out);
            }
        }
        Err(Violation::InvalidDeflate)
    }
}

/// Inflates a part of a message; says whether the stream has ended. `out` grows to `room_max`, which is one byte too many.
fn feed(
    inflate: &mut Decompress,
    part: &[u8],
    out: &mut Vec<u8>,
    room_max: usize,
) -> Result<bool, Violation> {
    let before = inflate.total_in();
    loop {
        let taken = usize::try_from(inflate.total_in() - before).expect("no more than the part");
        let status = inflate
            .decompress_vec(&part[taken..], out, FlushDecompress::None)
            .map_err(|_| Violation::InvalidDeflate)?;
        if out.len() >= room_max {
            return Err(Violation::TooLong);
        }
        if status == Status::StreamEnd {
            return Ok(true);
        }
        if out.len() < out.capacity() {
            // There was room for more, so all that was given has been read.
            return Ok(false);
        }
        // Doubling keeps the work linear; the limit keeps it from holding up to twice what it may.
        let roomy = out.capacity().saturating_mul(2).clamp(64, room_max.max(64));
        out.reserve_exact(roomy.min(room_max) - out.len());
    }
}

#[cfg(test)]
mod tests;
