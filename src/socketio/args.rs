//! Arguments of events and acknowledgements: raw as they came, from and to Rust types, binary included.
//!
//! A list of JSON values with its attachments comes in and goes out; [`FromArgs`] makes a tuple of it, [`encode`] a list
//! of anything that serialises. Where nobody looks, [`Args`] are handed on as they are.
//! Knows no packet, no name and no socket.
//! Left out: attachments inside untagged or flattened enums, which serde reads before it knows that bytes are wanted.

mod read;
mod write;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{self, Visitor};
use serde::ser::SerializeTupleStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::json;
use read::Reader;
pub use write::{encode, encode_into};

/// Arguments as they came: cheap to copy, parsed only as far as somebody asks.
///
/// Given to `emit` as the whole of its arguments they are passed on untouched, attachments included (in the order of their
/// placeholders, as every encoder has them); inside other arguments they are an error, since the numbers of their attachments
/// would be wrong there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args<'a> {
    list: &'a str,
    attachments: &'a [Bytes],
}

impl<'a> Args<'a> {
    /// Arguments from a list without brackets, as [`super::packet::Event::args`] and [`super::packet::Packet::answers`]
    /// give it, and the attachments that its placeholders name.
    #[must_use]
    pub const fn new(list: &'a str, attachments: &'a [Bytes]) -> Self {
        Self { list, attachments }
    }

    /// The list, without brackets.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.list
    }

    /// The attachments.
    #[must_use]
    pub const fn attachments(self) -> &'a [Bytes] {
        self.attachments
    }

    /// The JSON of each argument.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        json::Values::new(self.list)
    }

    /// How many arguments there are; looks through all of them.
    #[must_use]
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether there is no argument.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }

    /// The arguments behind the first `count`, for handlers that read some and pass on the rest. The attachments are all
    /// there, since those behind go by their numbers.
    #[must_use]
    pub fn skip(self, count: usize) -> Self {
        let mut values = json::Values::new(self.list);
        values.by_ref().take(count).for_each(drop);
        Self::new(values.rest(), self.attachments)
    }

    /// The list as JSON without attachments, which are spelled out as JavaScript's `Buffer` spells itself: an object of type
    /// `Buffer` with its bytes as numbers. For where nothing else than text can go.
    #[must_use]
    pub fn spelled_out(self) -> Cow<'a, str> {
        if self.attachments.is_empty() {
            return Cow::Borrowed(self.list);
        }
        let (mut text, mut at) = (String::new(), 0);
        for (range, index) in json::placeholders(self.list) {
            let bytes = self.attachments.get(index).map_or(&[][..], |bytes| bytes);
            text.push_str(&self.list[at..range.start]);
            text.push_str("{\"type\":\"Buffer\",\"data\":[");
            for (place, byte) in bytes.iter().enumerate() {
                let comma = if place > 0 { "," } else { "" };
                text.push_str(&format!("{comma}{byte}"));
            }
            text.push_str("]}");
            at = range.end;
        }
        text.push_str(&self.list[at..]);
        Cow::Owned(text)
    }

    /// Whether every argument is sound JSON, nested no deeper than that.
    #[must_use]
    pub fn is_sound(self, depth_max: usize) -> bool {
        json::is_sound(&format!("[{}]", self.list), depth_max)
    }

    /// The arguments as a `T`, mostly a tuple.
    ///
    /// # Errors
    /// If one is missing or does not fit.
    pub fn parse<T: FromArgs<'a>>(self) -> Result<T, ArgsError> {
        T::from_args(self)
    }
}

/// By this name the [`encode`] of this module knows [`Args`]; any other serializer sees the list and the attachments.
const ARGS: &str = "$roomcast::Args";

/// Arguments whose attachments stand in the order of their placeholders, each named once: as an encoder writes them. A
/// client may send them in another order, or a handler may have left out some.
fn in_order(args: Args<'_>) -> Option<(String, Vec<Bytes>)> {
    if args.attachments.is_empty() {
        return None;
    }
    let found = json::placeholders(args.list);
    let indices = found.iter().map(|(_, index)| *index);
    if indices.eq(0..args.attachments.len()) {
        return None;
    }
    let (mut list, mut attachments) = (String::with_capacity(args.list.len()), Vec::new());
    let mut at = 0;
    for (range, index) in found {
        let Some(attachment) = args.attachments.get(index) else {
            continue;
        };
        list.push_str(&args.list[at..range.start]);
        list.push_str(&format!(
            "{{\"_placeholder\":true,\"num\":{}}}",
            attachments.len()
        ));
        attachments.push(attachment.clone());
        at = range.end;
    }
    list.push_str(&args.list[at..]);
    Some((list, attachments))
}

impl Serialize for Args<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ordered = in_order(*self);
        let (list, attachments) = match &ordered {
            Some((list, attachments)) => (&**list, &**attachments),
            None => (self.list, self.attachments),
        };
        let mut fields = serializer.serialize_tuple_struct(ARGS, 1 + attachments.len())?;
        fields.serialize_field(list)?;
        for attachment in attachments {
            fields.serialize_field(&Raw(attachment))?;
        }
        fields.end()
    }
}

/// How the names start by which `serde_json` knows its own types, such as `RawValue`.
const SERDE_JSON_OWN: &str = "$serde_json::private::";

struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// What a handler takes its arguments as: tuples of up to eight types, or the raw [`Args`].
///
/// As JavaScript callers expect: arguments beyond the tuple are ignored, and a missing one is `None` where the type is
/// an `Option`.
pub trait FromArgs<'a>: Sized {
    /// Reads them.
    ///
    /// # Errors
    /// If one is missing or does not fit.
    fn from_args(args: Args<'a>) -> Result<Self, ArgsError>;
}

impl<'a> FromArgs<'a> for Args<'a> {
    fn from_args(args: Self) -> Result<Self, ArgsError> {
        Ok(args)
    }
}

impl<'a> FromArgs<'a> for () {
    fn from_args(_: Args<'a>) -> Result<Self, ArgsError> {
        Ok(())
    }
}

macro_rules! tuple_from_args {
    ($($type:ident $index:literal),+) => {
        impl<'a, $($type: Deserialize<'a>),+> FromArgs<'a> for ($($type,)+) {
            fn from_args(args: Args<'a>) -> Result<Self, ArgsError> {
                let mut reader = Reader::new(args);
                // The elements of a tuple are evaluated in order, as the arguments have to be.
                Ok(($(reader.argument::<$type>($index)?,)+))
            }
        }
    };
}

tuple_from_args!(A 0);
tuple_from_args!(A 0, B 1);
tuple_from_args!(A 0, B 1, C 2);
tuple_from_args!(A 0, B 1, C 2, D 3);
tuple_from_args!(A 0, B 1, C 2, D 3, E 4);
tuple_from_args!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_from_args!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_from_args!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// Why arguments are not what a handler takes: the caller's fault, and no reason to end its connection.
#[derive(Debug)]
pub enum ArgsError {
    /// The argument at this index is not there and no `Option`.
    Missing(usize),
    /// The argument at this index is of another type.
    Unfit(usize, serde_json::Error),
}

impl fmt::Display for ArgsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(index) => write!(f, "argument {index} is missing"),
            Self::Unfit(index, error) => write!(f, "argument {index} does not fit: {error}"),
        }
    }
}

impl std::error::Error for ArgsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Missing(_) => None,
            Self::Unfit(_, error) => Some(error),
        }
    }
}

/// Arguments that are no JSON: a map whose keys are no strings, or a value that refuses to be written. Our own fault.
#[derive(Debug)]
pub struct EncodeError(serde_json::Error);

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arguments cannot be written: {}", self.0)
    }
}

impl std::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Arguments ready for a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// The list of values, without brackets; UTF-8.
    pub list: Vec<u8>,
    /// What its placeholders name.
    pub attachments: Vec<Bytes>,
}

/// Bytes as an argument or inside one: an attachment on the wire, an `ArrayBuffer` or `Buffer` in JavaScript.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binary(pub Bytes);

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Taker;

        impl Visitor<'_> for Taker {
            type Value = Binary;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attachment")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Binary, E> {
                Ok(Binary(Bytes::copy_from_slice(bytes)))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Binary, E> {
                Ok(Binary(bytes.into()))
            }
        }

        deserializer.deserialize_byte_buf(Taker)
    }
}

#[cfg(test)]
mod tests;
