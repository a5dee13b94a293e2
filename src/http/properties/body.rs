//! Bodies, counted and chunked, against a decoder that is slow and obviously right.
//!
//! A way to frame a body and the bytes behind the head come in. Panics if the connection reads another body than the
//! decoder, ends it elsewhere, refuses it for another reason, or takes what follows for anything but the next request; be the
//! body taken as a whole or in pieces.
//! Left out: the rules of heads (`http_request`, `http_vs_model`) and of time.

use super::{Outcome, limits, outcomes};
use crate::http::{Connection, Piece, Refusal};
use crate::time::Time;

const COUNTED: &str = "POST /counted HTTP/1.1\r\nHost: a\r\nContent-Length: ";
const CHUNKED: &[u8] = b"POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The first byte is the way: even is chunked; odd is counted, and the next byte is the length that is declared.
///
/// # Panics
/// If something does not hold.
pub fn http_body(data: &[u8]) {
    let (head, raw) = match data {
        [way, raw @ ..] if way % 2 == 0 => (CHUNKED.to_vec(), raw),
        [_, length, raw @ ..] => (format!("{COUNTED}{length}\r\n\r\n").into_bytes(), raw),
        _ => return,
    };
    let expected = if head == CHUNKED {
        Cursor::new(raw).chunked(head.len())
    } else {
        Cursor::new(raw).counted(usize::from(data[1]))
    };
    let stream = [&head, raw].concat();
    let whole = outcomes(&stream, std::iter::repeat(stream.len()));
    let bytewise = outcomes(&stream, std::iter::repeat(1));
    assert_eq!(whole, bytewise, "whole and cut into bytes");
    let taken = match &expected {
        Err(Stop::More) => Ok(None),
        Err(Stop::Refused(refusal)) => Err(*refusal),
        Ok((body, length)) => Ok(Some((body.clone(), head.len() + length))),
    };
    for length in [1, 7, stream.len()] {
        assert_eq!(
            in_pieces(&stream, length),
            taken,
            "in pieces, cut at {length}"
        );
    }
    match expected {
        Err(Stop::More) => assert_eq!(whole, [], "more was needed"),
        Err(Stop::Refused(refusal)) => assert_eq!(whole, [Outcome::Refused(refusal)]),
        Ok((body, length)) => {
            let Some((
                Outcome::Request {
                    body: read, end, ..
                },
                others,
            )) = whole.split_first()
            else {
                panic!("{whole:?} instead of a body of {} bytes", body.len());
            };
            assert_eq!((read, *end), (&body, head.len() + length));
            // What follows means what it would mean on a connection of its own.
            let rest = outcomes(&raw[length..], std::iter::repeat(raw.len()));
            let rest: Vec<_> = rest.into_iter().map(|next| behind(next, *end)).collect();
            assert_eq!(others, rest, "behind the body");
        }
    }
}

/// The body of a request that is taken as it comes, and where it ended, if it did.
fn in_pieces(stream: &[u8], length: usize) -> Result<Option<(Vec<u8>, usize)>, Refusal> {
    let (limits, now) = (limits(), Time::ZERO);
    let mut connection = Connection::new(now);
    let (mut inbox, mut body, mut taken) = (Vec::new(), Vec::new(), 0);
    for cut in stream.chunks(length) {
        inbox.extend_from_slice(cut);
        let shown = inbox.len();
        let mut input = &mut inbox[..];
        let begun = connection.next_or_begun(now, &limits, &mut input, &|_, _| true)?;
        if begun.is_some() {
            connection.accept(now, limits.body_bytes_max as u64)?;
        }
        while let Some(piece) = connection.next_piece(now, &limits, &mut input)? {
            match piece {
                Piece::Bytes(bytes) => body.extend_from_slice(bytes),
                Piece::End => return Ok(Some((body, taken + shown - input.len()))),
            }
        }
        let left = input.len();
        inbox.drain(..shown - left);
        taken += shown - left;
    }
    Ok(None)
}

fn behind(outcome: Outcome, start: usize) -> Outcome {
    match outcome {
        Outcome::Request {
            head,
            body,
            end,
            after,
        } => Outcome::Request {
            head,
            body,
            end: start + end,
            after,
        },
        Outcome::Refused(refusal) => Outcome::Refused(refusal),
    }
}

/// Why there is no body.
enum Stop {
    More,
    Refused(Refusal),
}

/// A place in the bytes behind a head. Reads one byte after the other, and stops at the first that may not be there.
struct Cursor<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    const fn new(raw: &'a [u8]) -> Self {
        Self { raw, at: 0 }
    }

    /// The body and its length in the stream.
    fn counted(&self, length: usize) -> Result<(Vec<u8>, usize), Stop> {
        if length > limits().body_bytes_max {
            return Err(Stop::Refused(Refusal::BodyTooLarge));
        }
        let body = self.raw.get(..length).ok_or(Stop::More)?;
        Ok((body.to_vec(), length))
    }

    /// RFC 9112 §7.1: `chunked-body = *chunk last-chunk trailer-section CRLF`, within our limits.
    fn chunked(mut self, head_bytes: usize) -> Result<(Vec<u8>, usize), Stop> {
        let (mut body, mut extension_bytes) = (Vec::new(), 0);
        loop {
            let size = self.size(body.len(), &mut extension_bytes)?;
            if size == 0 {
                break;
            }
            for _ in 0..size {
                body.push(self.next()?);
            }
            self.line_end()?;
        }
        let start = self.at;
        for trailers in 0.. {
            match self.trailer_byte(start, head_bytes)? {
                b'\r' => break,
                byte if !is_token(byte) => return Err(Stop::Refused(Refusal::Chunk)),
                _ if trailers == limits().headers_max => {
                    return Err(Stop::Refused(Refusal::HeadTooLarge));
                }
                _ => self.trailer(start, head_bytes)?,
            }
        }
        self.trailer_feed(start, head_bytes)?;
        Ok((body, self.at))
    }

    /// `chunk-size [ chunk-ext ] CRLF`
    fn size(&mut self, decoded: usize, extension_bytes: &mut usize) -> Result<usize, Stop> {
        let start = self.at;
        let mut byte = self.next()?;
        while byte.is_ascii_hexdigit() && self.at - start <= 16 {
            byte = self.next()?;
        }
        let digits = str::from_utf8(&self.raw[start..self.at - 1]).expect("digits are ASCII");
        let size = u64::from_str_radix(digits, 16).map_err(|_| Stop::Refused(Refusal::Chunk))?;
        if byte.is_ascii_hexdigit() || i64::try_from(size).is_err() {
            return Err(Stop::Refused(Refusal::Chunk));
        }
        if size > (limits().body_bytes_max - decoded) as u64 {
            return Err(Stop::Refused(Refusal::BodyTooLarge));
        }
        let mut named = false;
        loop {
            match (byte, named) {
                (b'\r', true) => break,
                (b'\r', false) if self.at - start == digits.len() + 1 => break,
                (b';', _) => named = true,
                (b' ' | b'\t', false) => {}
                (b'\t' | b' '..=b'~' | 0x80.., true) => {}
                _ => return Err(Stop::Refused(Refusal::Chunk)),
            }
            byte = self.next()?;
            // The first blank or semicolon counts with the size.
            *extension_bytes += 1;
            if self.at - start - 1 > 256 || *extension_bytes > 16 * 1024 {
                return Err(Stop::Refused(Refusal::ExtensionTooLong));
            }
        }
        match self.next()? {
            b'\n' => Ok(usize::try_from(size).expect("it is within the limit")),
            _ => Err(Stop::Refused(Refusal::Chunk)),
        }
    }

    /// `field-name ":" field-value CRLF`, of which the first byte was read.
    fn trailer(&mut self, start: usize, head_bytes: usize) -> Result<(), Stop> {
        loop {
            match self.trailer_byte(start, head_bytes)? {
                b':' => break,
                byte if is_token(byte) => {}
                _ => return Err(Stop::Refused(Refusal::Chunk)),
            }
        }
        loop {
            match self.trailer_byte(start, head_bytes)? {
                b'\r' => return self.trailer_feed(start, head_bytes),
                b'\t' | b' '..=b'~' | 0x80.. => {}
                _ => return Err(Stop::Refused(Refusal::Chunk)),
            }
        }
    }

    fn trailer_feed(&mut self, start: usize, head_bytes: usize) -> Result<(), Stop> {
        match self.trailer_byte(start, head_bytes)? {
            b'\n' => Ok(()),
            _ => Err(Stop::Refused(Refusal::Chunk)),
        }
    }

    /// A byte of the trailers, which count with the head.
    fn trailer_byte(&mut self, start: usize, head_bytes: usize) -> Result<u8, Stop> {
        let byte = self.next()?;
        if head_bytes + self.at - start > limits().head_bytes_max {
            return Err(Stop::Refused(Refusal::HeadTooLarge));
        }
        Ok(byte)
    }

    fn line_end(&mut self) -> Result<(), Stop> {
        for expected in *b"\r\n" {
            if self.next()? != expected {
                return Err(Stop::Refused(Refusal::Chunk));
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<u8, Stop> {
        let byte = *self.raw.get(self.at).ok_or(Stop::More)?;
        self.at += 1;
        Ok(byte)
    }
}

/// RFC 9110 §5.6.2, as it is printed there.
fn is_token(byte: u8) -> bool {
    b"!#$%&'*+-.^_`|~".contains(&byte) || byte.is_ascii_alphanumeric()
}
