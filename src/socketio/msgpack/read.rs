//! MessagePack to JSON and attachments: token by token, without recursion.
//! Knows no packet.

use bytes::Bytes;

use super::date;
use crate::config;
use crate::socketio::packet::Violation;

/// One value, or the head of a list or a map with the number of its entries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Nil,
    /// JavaScript's `undefined`: extension 0 of one byte.
    Undefined,
    Bool(bool),
    Unsigned(u64),
    /// Less than zero.
    Signed(i64),
    Float(f64),
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    /// Milliseconds since 1970: extension 0 of eight bytes.
    Date(i64),
    Extension(i8, &'a [u8]),
    List(u32),
    Map(u32),
}

/// JSON with its attachments, as far as it has been made.
#[derive(Debug, Default)]
pub(super) struct Json {
    pub(super) text: String,
    pub(super) attachments: Vec<Bytes>,
}

/// A list or a map that is not at its end.
struct Open {
    left: u32,
    is_map: bool,
    is_key_due: bool,
    /// Whether nothing was written into it yet.
    is_empty: bool,
    /// Where the key of the value that is due began, with the comma in front of it.
    key_at: usize,
    /// Whether that key is `_placeholder`.
    is_placeholder_key: bool,
}

pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// Whether extension -1 is a date, as the MessagePack specification has it and `notepack.io` since 3.0; the packets of
    /// clients are written by one that had its own.
    has_timestamps: bool,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            has_timestamps: false,
        }
    }

    pub(super) const fn with_timestamps(bytes: &'a [u8]) -> Self {
        Self {
            has_timestamps: true,
            ..Self::new(bytes)
        }
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Violation> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(Violation::NotMessagePack)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Violation> {
        let (bytes, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(Violation::NotMessagePack)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// A length of one, two or four bytes.
    fn length(&mut self, bytes: u8) -> Result<u32, Violation> {
        Ok(match bytes {
            1 => u32::from(self.array::<1>()?[0]),
            2 => u32::from(u16::from_be_bytes(self.array()?)),
            _ => u32::from_be_bytes(self.array()?),
        })
    }

    fn counted(&mut self, length_bytes: u8) -> Result<&'a [u8], Violation> {
        let count = self.length(length_bytes)?;
        self.bytes(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn extension(&mut self, count: usize) -> Result<Token<'a>, Violation> {
        let kind = i8::from_be_bytes(self.array()?);
        let bytes = self.bytes(count)?;
        Ok(match (kind, bytes) {
            (0, [_]) => Token::Undefined,
            (0, millis) if count == 8 => {
                let millis: [u8; 8] = millis.try_into().expect("they are eight");
                Token::Date(i64::from_be_bytes(millis))
            }
            (-1, bytes) if self.has_timestamps => timestamp(bytes),
            (kind, bytes) => Token::Extension(kind, bytes),
        })
    }

    /// An extension with a length of its own; of type 0 it is an `ArrayBuffer`, whatever its length.
    fn long_extension(&mut self, length_bytes: u8) -> Result<Token<'a>, Violation> {
        let count = self.length(length_bytes)?;
        let kind = i8::from_be_bytes(self.array()?);
        let bytes = self.bytes(usize::try_from(count).unwrap_or(usize::MAX))?;
        Ok(match kind {
            0 => Token::Bytes(bytes),
            -1 if self.has_timestamps => timestamp(bytes),
            kind => Token::Extension(kind, bytes),
        })
    }

    pub(super) fn token(&mut self) -> Result<Token<'a>, Violation> {
        let [first] = self.array()?;
        Ok(match first {
            0x00..=0x7f => Token::Unsigned(u64::from(first)),
            0x80..=0x8f => Token::Map(u32::from(first & 0x0f)),
            0x90..=0x9f => Token::List(u32::from(first & 0x0f)),
            0xa0..=0xbf => Token::Text(self.bytes(usize::from(first & 0x1f))?),
            0xc0 => Token::Nil,
            0xc1 => return Err(Violation::NotMessagePack),
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4 => Token::Bytes(self.counted(1)?),
            0xc5 => Token::Bytes(self.counted(2)?),
            0xc6 => Token::Bytes(self.counted(4)?),
            0xc7 => self.long_extension(1)?,
            0xc8 => self.long_extension(2)?,
            0xc9 => self.long_extension(4)?,
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.array()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc => Token::Unsigned(u64::from(self.array::<1>()?[0])),
            0xcd => Token::Unsigned(u64::from(u16::from_be_bytes(self.array()?))),
            0xce => Token::Unsigned(u64::from(u32::from_be_bytes(self.array()?))),
            0xcf => Token::Unsigned(u64::from_be_bytes(self.array()?)),
            0xd0 => signed(i64::from(i8::from_be_bytes(self.array()?))),
            0xd1 => signed(i64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => signed(i64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => signed(i64::from_be_bytes(self.array()?)),
            0xd4 => self.extension(1)?,
            0xd5 => self.extension(2)?,
            0xd6 => self.extension(4)?,
            0xd7 => self.extension(8)?,
            0xd8 => self.extension(16)?,
            0xd9 => Token::Text(self.counted(1)?),
            0xda => Token::Text(self.counted(2)?),
            0xdb => Token::Text(self.counted(4)?),
            0xdc => Token::List(self.length(2)?),
            0xdd => Token::List(self.length(4)?),
            0xde => Token::Map(self.length(2)?),
            0xdf => Token::Map(self.length(4)?),
            0xe0..=0xff => Token::Signed(i64::from(i8::from_be_bytes([first]))),
        })
    }

    /// Appends one value as JSON. Whether it is one: `undefined` is none, and appends nothing.
    pub(super) fn value(
        &mut self,
        json: &mut Json,
        limits: &config::SocketIo,
    ) -> Result<bool, Violation> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let token = self.token()?;
            let depth = open.len();
            if let Some(map) = open.last_mut().filter(|open| open.is_key_due) {
                map.key(json, token)?;
                continue;
            }
            let mut is_said = true;
            match (open.last_mut(), token) {
                (None, Token::Undefined) => return Ok(false),
                (Some(map), Token::Undefined) if map.is_map => {
                    json.text.truncate(map.key_at);
                    is_said = false;
                }
                (Some(map), Token::Bool(true)) if map.is_placeholder_key => {
                    return Err(Violation::IllegalPlaceholder);
                }
                (Some(list), _) if !list.is_map && !list.is_empty => json.text.push(','),
                _ => {}
            }
            match token {
                Token::List(count) | Token::Map(count) => {
                    deeper(depth + 1, limits)?;
                    let is_map = matches!(token, Token::Map(_));
                    json.text.push(if is_map { '{' } else { '[' });
                    if count > 0 {
                        open.push(Open::new(count, is_map));
                        continue;
                    }
                    json.text.push(if is_map { '}' } else { ']' });
                }
                Token::Undefined if !is_said => {}
                token => json.scalar(token, depth, limits)?,
            }
            if close(&mut open, json, is_said) {
                return Ok(true);
            }
        }
    }
}

/// A moment as the MessagePack specification writes it: seconds, or seconds and nanoseconds, in three sizes.
fn timestamp(bytes: &[u8]) -> Token<'_> {
    let seconds_and_nanos = match bytes.len() {
        4 => bytes.try_into().ok().map(|seconds| {
            let seconds = u32::from_be_bytes(seconds);
            (i64::from(seconds), 0)
        }),
        8 => bytes.try_into().ok().map(|both| {
            let both = u64::from_be_bytes(both);
            ((both & 0x3_ffff_ffff).cast_signed(), both >> 34)
        }),
        12 => bytes.split_first_chunk().and_then(|(nanos, seconds)| {
            let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
            Some((seconds, u64::from(u32::from_be_bytes(*nanos))))
        }),
        _ => None,
    };
    let Some((seconds, nanos)) = seconds_and_nanos else {
        return Token::Extension(-1, bytes);
    };
    let millis = i64::try_from(nanos / 1_000_000).unwrap_or_default();
    Token::Date(seconds.saturating_mul(1000).saturating_add(millis))
}

/// An integer that may be below zero.
const fn signed(number: i64) -> Token<'static> {
    if number < 0 {
        Token::Signed(number)
    } else {
        Token::Unsigned(number.unsigned_abs())
    }
}

const fn deeper(levels: usize, limits: &config::SocketIo) -> Result<(), Violation> {
    if levels > limits.json_depth_max {
        return Err(Violation::InvalidPayload);
    }
    Ok(())
}

/// A value is at its end, and so may be what it is in. Whether all are.
fn close(open: &mut Vec<Open>, json: &mut Json, is_said: bool) -> bool {
    let mut is_said = is_said;
    while let Some(inner) = open.last_mut() {
        inner.left -= 1;
        inner.is_key_due = inner.is_map;
        inner.is_empty &= !is_said;
        if inner.left > 0 {
            return false;
        }
        json.text.push(if inner.is_map { '}' } else { ']' });
        is_said = true;
        open.pop();
    }
    true
}

impl Open {
    const fn new(left: u32, is_map: bool) -> Self {
        Self {
            left,
            is_map,
            is_key_due: is_map,
            is_empty: true,
            key_at: 0,
            is_placeholder_key: false,
        }
    }

    fn key(&mut self, json: &mut Json, token: Token<'_>) -> Result<(), Violation> {
        self.key_at = json.text.len();
        self.is_key_due = false;
        self.is_placeholder_key = token == Token::Text(b"_placeholder");
        if !self.is_empty {
            json.text.push(',');
        }
        match token {
            Token::Text(key) => json.string(key),
            // As JavaScript has it: its maps know no other keys than texts.
            Token::Unsigned(key) => json.text.push_str(&format!("\"{key}\"")),
            Token::Signed(key) => json.text.push_str(&format!("\"{key}\"")),
            _ => return Err(Violation::InvalidPayload),
        }
        json.text.push(':');
        Ok(())
    }
}

impl Json {
    fn string(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        let quoted = serde_json::to_string(&text).expect("a text is JSON");
        self.text.push_str(&quoted);
    }

    fn scalar(
        &mut self,
        token: Token<'_>,
        depth: usize,
        limits: &config::SocketIo,
    ) -> Result<(), Violation> {
        match token {
            Token::Nil | Token::Undefined | Token::List(_) | Token::Map(_) => {
                self.text.push_str("null");
            }
            Token::Bool(value) => self.text.push_str(if value { "true" } else { "false" }),
            Token::Unsigned(number) => self.text.push_str(itoa::Buffer::new().format(number)),
            Token::Signed(number) => self.text.push_str(itoa::Buffer::new().format(number)),
            Token::Float(number) => self.float(number),
            Token::Text(text) => self.string(text),
            Token::Date(millis) => match date::text(millis) {
                Some(text) => self.string(text.as_bytes()),
                None => self.text.push_str("null"),
            },
            Token::Bytes(bytes) => self.attachment(bytes, depth, limits)?,
            Token::Extension(kind, bytes) => {
                self.text.push_str(&format!("[{kind},"));
                self.attachment(bytes, depth + 1, limits)?;
                self.text.push(']');
            }
        }
        Ok(())
    }

    /// A number that JavaScript would write without a fraction has none here.
    fn float(&mut self, number: f64) {
        /// From here on not every integer is a float.
        const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
        if !number.is_finite() {
            self.text.push_str("null");
        } else if number.fract() == 0.0 && number.abs() < WHOLE_MAX {
            #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
            let number = number as i64;
            self.text.push_str(itoa::Buffer::new().format(number));
        } else {
            let written = serde_json::to_string(&number).expect("a finite number is JSON");
            self.text.push_str(&written);
        }
    }

    fn attachment(
        &mut self,
        bytes: &[u8],
        depth: usize,
        limits: &config::SocketIo,
    ) -> Result<(), Violation> {
        deeper(depth + 1, limits)?;
        let index = self.attachments.len();
        if index == limits.attachments_max {
            return Err(Violation::TooManyAttachments);
        }
        self.text
            .push_str(&format!("{{\"_placeholder\":true,\"num\":{index}}}"));
        self.attachments.push(Bytes::copy_from_slice(bytes));
        Ok(())
    }
}
