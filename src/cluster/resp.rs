//! Redis' own protocol, RESP3: values out of bytes, commands into bytes.
//!
//! Bytes come in as they arrive; a value that is cut goes on where it was left, so that nothing is read twice. A text that is
//! larger than it may be is passed over without being kept: whoever may publish must not be able to end a connection.
//!
//! That is why this is no crate's. `redis-protocol` 6 and `resp-rs` 0.3 want a value whole in one buffer and begin it anew with
//! each piece, keep whatever length is announced (up to half a gigabyte), and what limits they have cannot be set;
//! `redis-protocol` recurses without any. Others read RESP2 alone, or need a runtime. None is quicker
//! (`benches/codecs`, and its figures in `benches/NOTES.md`).
//! Knows no command. Left out: streamed values, which Redis never sends.

use std::borrow::Cow;

use bytes::Bytes;

/// What Redis says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing.
    Nil,
    /// A number; also a truth, as 0 or 1.
    Number(i64),
    /// A text or bytes; also a fraction or a large number, as it is spelled.
    Text(Bytes),
    /// A text that was larger than it may be.
    TooLong,
    /// A command went wrong.
    Error(Box<str>),
    /// A list or a set; of a map, keys and values by turns.
    List(Vec<Self>),
    /// What nobody asked for: a message of a channel, or that a channel was subscribed to.
    Push(Vec<Self>),
}

impl Value {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The other end does not speak RESP3, or says more than anybody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Violation(pub(super) &'static str);

/// Bytes of a line: a number, an error, a short text.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Lists in lists. A stream's entries are lists in lists in lists in a map.
const DEPTH_MAX: usize = 8;
/// Values in one value: a hundred entries of a stream have ten each.
const VALUES_MAX: usize = 100_000;

/// A list that is not at its end.
#[derive(Debug)]
struct Open {
    left: usize,
    is_push: bool,
    values: Vec<Value>,
}

#[derive(Debug, PartialEq)]
enum State {
    Line,
    /// A text of which so many bytes are missing, with the line end behind it.
    Text(usize),
    /// The same, if it is larger than it may be.
    TooLong(usize),
}

/// Reads values off the front of what arrives.
#[derive(Debug)]
pub(super) struct Reader {
    text_bytes_max: usize,
    state: State,
    /// What has come of a line or a text.
    held: Vec<u8>,
    open: Vec<Open>,
    /// Values in the one that is being read, and bytes of their texts.
    values: usize,
    bytes: usize,
}

impl Reader {
    pub(super) const fn new(text_bytes_max: usize) -> Self {
        Self {
            text_bytes_max,
            state: State::Line,
            held: Vec::new(),
            open: Vec::new(),
            values: 0,
            bytes: 0,
        }
    }

    /// The next whole value; takes what it has read off the front.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Value>, Violation> {
        loop {
            let value = match self.state {
                State::Line => {
                    let Some(line) = self.line(input)? else {
                        return Ok(None);
                    };
                    let line = line.strip_suffix(b"\r\n");
                    self.begun(line.ok_or(Violation("a line that does not end as lines do"))?)?
                }
                State::Text(missing) => {
                    let Some(text) = self.text(input, missing) else {
                        return Ok(None);
                    };
                    self.state = State::Line;
                    if !text.ends_with(b"\r\n") {
                        return Err(Violation("a text without its end"));
                    }
                    let length = text.len() - 2;
                    Some(Value::Text(match text {
                        Cow::Borrowed(text) => Bytes::copy_from_slice(&text[..length]),
                        Cow::Owned(mut text) => {
                            text.truncate(length);
                            text.into()
                        }
                    }))
                }
                State::TooLong(missing) => {
                    let skipped = missing.min(input.len());
                    *input = &input[skipped..];
                    if skipped < missing {
                        self.state = State::TooLong(missing - skipped);
                        return Ok(None);
                    }
                    self.state = State::Line;
                    Some(Value::TooLong)
                }
            };
            if let Some(whole) = value.and_then(|value| self.ended(value)) {
                (self.values, self.bytes) = (0, 0);
                return Ok(Some(whole));
            }
        }
    }

    /// A text with its end, of which `missing` bytes are still to come. It is looked at where it lies, if all of it lies there.
    fn text<'a>(&mut self, input: &mut &'a [u8], missing: usize) -> Option<Cow<'a, [u8]>> {
        let (taken, rest) = input.split_at(missing.min(input.len()));
        *input = rest;
        if taken.len() == missing && self.held.is_empty() {
            return Some(taken.into());
        }
        self.held.extend_from_slice(taken);
        self.state = State::Text(missing - taken.len());
        (taken.len() == missing).then(|| std::mem::take(&mut self.held).into())
    }

    /// A line with its end, likewise.
    fn line<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, Violation> {
        let end = memchr::memchr(b'\n', input);
        let (taken, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
        if self.held.len() + taken.len() > LINE_BYTES_MAX {
            return Err(Violation("a line without end"));
        }
        *input = rest;
        if end.is_some() && self.held.is_empty() {
            return Ok(Some(taken.into()));
        }
        self.held.extend_from_slice(taken);
        Ok(end.map(|_| std::mem::take(&mut self.held).into()))
    }

    /// What a line begins: a value that is whole, or something that goes on.
    fn begun(&mut self, line: &[u8]) -> Result<Option<Value>, Violation> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(Violation("more values than anybody asks for"));
        }
        let (kind, rest) = line.split_first().ok_or(Violation("an empty line"))?;
        Ok(Some(match kind {
            b'+' | b',' | b'(' => Value::Text(Bytes::copy_from_slice(rest)),
            b'-' => Value::Error(String::from_utf8_lossy(rest).into()),
            b':' => Value::Number(number(rest)?),
            b'_' => Value::Nil,
            b'#' => Value::Number(i64::from(rest == b"t")),
            b'$' | b'=' | b'!' => match number(rest)? {
                -1 => Value::Nil,
                length => return self.announced(length).map(|()| None),
            },
            b'*' | b'~' | b'>' | b'%' => match number(rest)? {
                -1 => Value::Nil,
                length => {
                    let length = usize::try_from(length).map_err(|_| Violation("a length"))?;
                    let left = length.saturating_mul(if *kind == b'%' { 2 } else { 1 });
                    return self.opened(left, *kind == b'>');
                }
            },
            _ => return Err(Violation("a kind of value that is not known")),
        }))
    }

    fn announced(&mut self, length: i64) -> Result<(), Violation> {
        let length = usize::try_from(length).map_err(|_| Violation("a length"))?;
        let with_end = length.checked_add(2).ok_or(Violation("a length"))?;
        self.state = if self.bytes.saturating_add(length) > self.text_bytes_max {
            State::TooLong(with_end)
        } else {
            self.bytes += length;
            State::Text(with_end)
        };
        Ok(())
    }

    fn opened(&mut self, left: usize, is_push: bool) -> Result<Option<Value>, Violation> {
        if self.open.len() == DEPTH_MAX {
            return Err(Violation("lists in lists in lists"));
        }
        let values = Vec::new();
        if left == 0 {
            return Ok(Some(if is_push {
                Value::Push(values)
            } else {
                Value::List(values)
            }));
        }
        self.open.push(Open {
            left,
            is_push,
            values,
        });
        Ok(None)
    }

    /// A value is at its end, and so may be the lists it is in; gives the outermost, if that is.
    fn ended(&mut self, value: Value) -> Option<Value> {
        let mut value = value;
        while let Some(inner) = self.open.last_mut() {
            inner.values.push(value);
            inner.left -= 1;
            if inner.left > 0 {
                return None;
            }
            let Open {
                values, is_push, ..
            } = self.open.pop()?;
            value = if is_push {
                Value::Push(values)
            } else {
                Value::List(values)
            };
        }
        Some(value)
    }
}

fn number(digits: &[u8]) -> Result<i64, Violation> {
    let digits = std::str::from_utf8(digits).ok();
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or(Violation("a number that is none"))
}

/// A command, as a list of texts.
pub(super) fn command(words: &[&[u8]]) -> Bytes {
    let length: usize = words.iter().map(|word| word.len() + 16).sum();
    let mut out = Vec::with_capacity(16 + length);
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut Reader, mut input: &[u8]) -> Result<Vec<Value>, Violation> {
        let mut values = Vec::new();
        while let Some(value) = reader.next(&mut input)? {
            values.push(value);
        }
        assert!(input.is_empty(), "all of it is taken");
        Ok(values)
    }

    fn text(text: &str) -> Value {
        Value::Text(Bytes::copy_from_slice(text.as_bytes()))
    }

    const SAMPLE: &[u8] = b"+OK\r\n:-7\r\n$3\r\na\r\n\r\n_\r\n$-1\r\n*-1\r\n#t\r\n,1.5\r\n-ERR no\r\n\
        *2\r\n:1\r\n*1\r\n$0\r\n\r\n%1\r\n+a\r\n:2\r\n>3\r\n$7\r\nmessage\r\n+c\r\n$1\r\nx\r\n*0\r\n~1\r\n:4\r\n";

    #[test]
    fn every_kind_of_value_is_read_however_it_is_cut() {
        let expected = [
            text("OK"),
            Value::Number(-7),
            text("a\r\n"),
            Value::Nil,
            Value::Nil,
            Value::Nil,
            Value::Number(1),
            text("1.5"),
            Value::Error("ERR no".into()),
            Value::List(vec![Value::Number(1), Value::List(vec![text("")])]),
            Value::List(vec![text("a"), Value::Number(2)]),
            Value::Push(vec![text("message"), text("c"), text("x")]),
            Value::List(vec![]),
            Value::List(vec![Value::Number(4)]),
        ];
        // The sample has a three-byte text of which the line end is a part.
        let sample = SAMPLE.to_vec();
        for piece in [1, 2, 3, 7, sample.len()] {
            let mut reader = Reader::new(100);
            let mut values = Vec::new();
            for piece in sample.chunks(piece) {
                values.extend(read(&mut reader, piece).unwrap());
            }
            assert_eq!(values, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_the_rest_is_read() {
        let mut reader = Reader::new(4);
        let values = read(
            &mut reader,
            b"$5\r\nabcde\r\n*2\r\n$3\r\nabc\r\n$2\r\nde\r\n+x\r\n",
        );
        let both = Value::List(vec![text("abc"), Value::TooLong]);
        assert_eq!(values.unwrap(), [Value::TooLong, both, text("x")]);
        assert!(reader.held.capacity() < 64);
    }

    #[test]
    fn what_is_not_the_protocol_is_refused_and_reserves_nothing() {
        let deep = b"*1\r\n".repeat(DEPTH_MAX + 1);
        let many = [b"*1000000\r\n".to_vec(), b"_\r\n".repeat(VALUES_MAX)].concat();
        let long = vec![b'+'; LINE_BYTES_MAX + 1];
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"\r\n",
            b"+a\n",
            b":x\r\n",
            b"$-2\r\n",
            b"*-2\r\n",
            b"$1\r\nabc",
            b"$99999999999999999999\r\n",
            &deep,
            &many,
            &long,
        ] {
            let mut reader = Reader::new(usize::MAX);
            assert!(
                read(&mut reader, bytes).is_err(),
                "{:?}",
                &bytes[..bytes.len().min(40)]
            );
        }
        let mut reader = Reader::new(100);
        let claims = b"*9223372036854775807\r\n$9223372036854775805\r\nx";
        assert_eq!(read(&mut reader, claims), Ok(vec![]));
        assert!(reader.held.capacity() < 64);
    }

    #[test]
    fn a_command_is_a_list_of_texts() {
        let bytes = command(&[b"PUBLISH", b"c\r\n", b""]);
        assert_eq!(
            &bytes[..],
            b"*3\r\n$7\r\nPUBLISH\r\n$3\r\nc\r\n\r\n$0\r\n\r\n"
        );
    }
}
