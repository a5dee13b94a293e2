//! Chunked bodies (RFC 9112 §7.1), decoded as they come.
//!
//! Raw bytes come in, cut anywhere; the body's bytes go out into a buffer, or are moved together where they lie, and the
//! count of raw bytes taken is given back.
//! Never knows the head, the time, or whose body it is.
//! Left out: what extensions and trailers say. They are checked, counted against limits, and dropped.

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::head::is_token_byte;
use super::work;
use crate::config;

/// Hex digits of a chunk's size: what a u64 holds.
const SIZE_DIGITS_MAX: u8 = 16;

/// Bytes of a line that names a chunk's size, with its extensions.
const SIZE_LINE_BYTES_MAX: u32 = 256;

/// Bytes of all extensions of one body; a client that sends more has nothing good in mind (CVE-2024-22019).
const EXTENSION_BYTES_MAX: u32 = 16 * 1024;

/// Where in the grammar the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum At {
    Size {
        size: u64,
        digits: u8,
    },
    /// Blanks between size and extension, which are bad but must be parsed (RFC 9112 §7.1.1).
    Blank {
        size: u64,
    },
    Extension {
        size: u64,
    },
    SizeFeed {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataReturn,
    DataFeed,
    /// At the start of a trailer line, or of the empty line behind the last.
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerFeed,
    LastFeed,
    End,
}

/// The state of one body.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Chunks {
    at: At,
    line_bytes: u32,
    extension_bytes: u32,
    /// Bytes of the head and of trailers so far: one limit for both.
    head_bytes: usize,
    trailers: usize,
}

impl Chunks {
    pub(super) const fn behind_a_head_of(head_bytes: usize) -> Self {
        Self {
            at: At::Size { size: 0, digits: 0 },
            line_bytes: 0,
            extension_bytes: 0,
            head_bytes,
            trailers: 0,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.at == At::End
    }

    /// Takes what it can from `input` and says how many bytes that was: all, or up to the end of the body.
    pub(super) fn decode(
        &mut self,
        limits: &config::Http,
        input: &[u8],
        body: &mut Vec<u8>,
    ) -> Result<usize, Refusal> {
        let mut taken = 0;
        while taken < input.len() && self.at != At::End {
            if let At::Data { left } = self.at {
                let run = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(input.len() - taken);
                body.extend_from_slice(&input[taken..taken + run]);
                taken += run;
                let left = left - run as u64;
                self.at = if left == 0 {
                    At::DataReturn
                } else {
                    At::Data { left }
                };
            } else {
                let room = limits.body_bytes_max.saturating_sub(body.len());
                self.step(limits, input[taken], room as u64)?;
                taken += 1;
            }
        }
        // Looked at once, copied once.
        work::spent(2 * taken);
        Ok(taken)
    }

    /// The same where the raw bytes lie: says how many were taken, and how many of the body now lie at their front. At most
    /// `room` more may come.
    pub(super) fn decode_in_place(
        &mut self,
        limits: &config::Http,
        input: &mut [u8],
        room: u64,
    ) -> Result<(usize, usize), Refusal> {
        let (mut taken, mut decoded) = (0, 0);
        while taken < input.len() && self.at != At::End {
            if let At::Data { left } = self.at {
                let run = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(input.len() - taken);
                input.copy_within(taken..taken + run, decoded);
                (taken, decoded) = (taken + run, decoded + run);
                let left = left - run as u64;
                self.at = if left == 0 {
                    At::DataReturn
                } else {
                    At::Data { left }
                };
            } else {
                let room = room.saturating_sub(decoded as u64);
                self.step(limits, input[taken], room)?;
                taken += 1;
            }
        }
        work::spent(2 * taken);
        Ok((taken, decoded))
    }

    fn step(&mut self, limits: &config::Http, byte: u8, room: u64) -> Result<(), Refusal> {
        self.at = match self.at {
            At::Size { size, digits } => match hex(byte) {
                Some(_) if digits == SIZE_DIGITS_MAX => return Err(Refusal::Chunk),
                Some(digit) => At::Size {
                    size: size << 4 | digit,
                    digits: digits + 1,
                },
                None if digits == 0 => return Err(Refusal::Chunk),
                None => {
                    self.line_bytes = u32::from(digits);
                    fits(size, room)?;
                    behind_size(byte, size)?
                }
            },
            At::Blank { size } => {
                self.count_extension()?;
                match byte {
                    b';' => At::Extension { size },
                    b' ' | b'\t' => At::Blank { size },
                    _ => return Err(Refusal::Chunk),
                }
            }
            At::Extension { size } => {
                self.count_extension()?;
                match byte {
                    b'\r' => At::SizeFeed { size },
                    _ if is_text(byte) => At::Extension { size },
                    _ => return Err(Refusal::Chunk),
                }
            }
            At::SizeFeed { size } => match (byte, size) {
                (b'\n', 0) => At::Trailer,
                (b'\n', left) => At::Data { left },
                _ => return Err(Refusal::Chunk),
            },
            At::DataReturn if byte == b'\r' => At::DataFeed,
            At::DataFeed if byte == b'\n' => At::Size { size: 0, digits: 0 },
            At::Trailer | At::TrailerName | At::TrailerValue | At::TrailerFeed | At::LastFeed => {
                self.trailer(limits, byte)?
            }
            At::Data { .. } | At::DataReturn | At::DataFeed | At::End => {
                return Err(Refusal::Chunk);
            }
        };
        Ok(())
    }

    fn trailer(&mut self, limits: &config::Http, byte: u8) -> Result<At, Refusal> {
        self.head_bytes += 1;
        if self.head_bytes > limits.head_bytes_max {
            return Err(Refusal::HeadTooLarge);
        }
        match self.at {
            At::Trailer if byte == b'\r' => Ok(At::LastFeed),
            At::Trailer if is_token_byte(byte) => {
                self.trailers += 1;
                if self.trailers > limits.headers_max {
                    return Err(Refusal::HeadTooLarge);
                }
                Ok(At::TrailerName)
            }
            At::TrailerName if byte == b':' => Ok(At::TrailerValue),
            At::TrailerName if is_token_byte(byte) => Ok(At::TrailerName),
            At::TrailerValue if byte == b'\r' => Ok(At::TrailerFeed),
            At::TrailerValue if is_text(byte) => Ok(At::TrailerValue),
            At::TrailerFeed if byte == b'\n' => Ok(At::Trailer),
            At::LastFeed if byte == b'\n' => Ok(At::End),
            _ => Err(Refusal::Chunk),
        }
    }

    const fn count_extension(&mut self) -> Result<(), Refusal> {
        self.line_bytes += 1;
        self.extension_bytes += 1;
        if self.line_bytes > SIZE_LINE_BYTES_MAX || self.extension_bytes > EXTENSION_BYTES_MAX {
            return Err(Refusal::ExtensionTooLong);
        }
        Ok(())
    }
}

const fn behind_size(byte: u8, size: u64) -> Result<At, Refusal> {
    match byte {
        b'\r' => Ok(At::SizeFeed { size }),
        b';' => Ok(At::Extension { size }),
        b' ' | b'\t' => Ok(At::Blank { size }),
        _ => Err(Refusal::Chunk),
    }
}

/// Refused on the announced size, before a byte of the chunk is read.
const fn fits(size: u64, room: u64) -> Result<(), Refusal> {
    // Beyond any file offset: not a large body but a try at somebody's arithmetic.
    if size > i64::MAX as u64 {
        return Err(Refusal::Chunk);
    }
    if size > room {
        Err(Refusal::BodyTooLarge)
    } else {
        Ok(())
    }
}

fn hex(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

const fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(raw: &[u8], cut: usize) -> Result<(Vec<u8>, usize), Refusal> {
        let limits = config::Http {
            body_bytes_max: 1000,
            ..config::Http::default()
        };
        let mut chunks = Chunks::behind_a_head_of(100);
        let (mut body, mut taken) = (Vec::new(), 0);
        for piece in raw.chunks(cut) {
            taken += chunks.decode(&limits, piece, &mut body)?;
        }
        assert!(chunks.is_complete(), "{}", raw.escape_ascii());
        Ok((body, taken))
    }

    #[test]
    fn chunks_are_joined_however_they_are_cut() {
        let rows: [(&[u8], &[u8]); 7] = [
            (b"0\r\n\r\n", b""),
            (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
            (b"1\r\na\r\n1\r\nb\r\n0000\r\n\r\n", b"ab"),
            (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
            (b"3;a=b;c=\"d e\"\r\n\r\n\n\r\n0;x\r\n\r\n", b"\r\n\n"),
            (b"2 ;a\r\nok\r\n0\r\nX-Sum: 1\r\nEmpty:\r\n\r\n", b"ok"),
            (b"0000000000000002\r\nok\r\n0\r\n\r\n", b"ok"),
        ];
        for (raw, body) in rows {
            for cut in 1..=raw.len() {
                let whole = [raw, b"GET / HTTP/1.1"].concat();
                assert_eq!(decode(&whole, cut), Ok((body.to_vec(), raw.len())));
            }
        }
    }

    #[test]
    fn each_broken_chunk_is_refused_however_it_is_cut() {
        let long_line = format!("1;{}\r\n", "e".repeat(300));
        let many_extensions = format!("1;{}\r\na\r\n", "e".repeat(200)).repeat(90);
        let long_trailer = format!("0\r\nA: {}\r\n\r\n", "t".repeat(17_000));
        let many_trailers = format!("0\r\n{}\r\n", "A: b\r\n".repeat(101));
        let too_big = format!("12c\r\n{}\r\n", "x".repeat(300)).repeat(4);
        let rows: [(&[u8], Refusal); 24] = [
            (b"\r\n", Refusal::Chunk),
            (b";\r\n", Refusal::Chunk),
            (b"g\r\n", Refusal::Chunk),
            (b"-1\r\n", Refusal::Chunk),
            (b"+1\r\n", Refusal::Chunk),
            (b" 1\r\n", Refusal::Chunk),
            (b"0x1\r\n", Refusal::Chunk),
            (b"1 \r\n", Refusal::Chunk),
            (b"1_0\r\n", Refusal::Chunk),
            (b"1\nab", Refusal::Chunk),
            (b"1\r\nab", Refusal::Chunk),
            (b"1\r\na\n", Refusal::Chunk),
            (b"1\r\na\r\r", Refusal::Chunk),
            (b"1;a\nb", Refusal::Chunk),
            (b"0\r\n\n", Refusal::Chunk),
            (b"0\r\nno colon\r\n", Refusal::Chunk),
            (b"00000000000000001\r\n", Refusal::Chunk),
            (b"ffffffffffffffff\r\n", Refusal::Chunk),
            (b"3e9\r\n", Refusal::BodyTooLarge),
            (too_big.as_bytes(), Refusal::BodyTooLarge),
            (long_line.as_bytes(), Refusal::ExtensionTooLong),
            (many_extensions.as_bytes(), Refusal::ExtensionTooLong),
            (long_trailer.as_bytes(), Refusal::HeadTooLarge),
            (many_trailers.as_bytes(), Refusal::HeadTooLarge),
        ];
        for (raw, refusal) in rows {
            for cut in [1, 2, 3, 7, raw.len()] {
                assert_eq!(decode(raw, cut), Err(refusal), "{}", raw.escape_ascii());
            }
        }
    }
}
