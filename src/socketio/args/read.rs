//! Reading arguments: a serde deserializer over a list of sound JSON values and its attachments.
//!
//! `serde_json` still reads every number and its own raw values; containers and strings are read here, because only so
//! can a placeholder become bytes, and half a surrogate pair U+FFFD instead of an error.
//! Knows nothing of tuples of arguments beyond the place it has reached.
//! Left out: checks that the decoder has made; on unsound text this is an error or nonsense, never a panic.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::value::CowStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Args, ArgsError};
use crate::socketio::json;

type Error = serde_json::Error;
type Result<T> = std::result::Result<T, Error>;

/// Levels a value may have to be made a tree of, which recurses; as in `serde_json`. Raw arguments may be deeper.
const LEVELS_MAX: u8 = 128;

/// A place in a list of arguments.
pub(super) struct Reader<'de> {
    text: &'de str,
    at: usize,
    attachments: &'de [Bytes],
    levels_left: u8,
}

impl<'de> Reader<'de> {
    pub(super) const fn new(args: Args<'de>) -> Self {
        Self {
            text: args.list,
            at: 0,
            attachments: args.attachments,
            levels_left: LEVELS_MAX,
        }
    }

    /// The next argument, which has this index.
    pub(super) fn argument<T: Deserialize<'de>>(
        &mut self,
        index: usize,
    ) -> std::result::Result<T, ArgsError> {
        if index > 0 && self.peek() == Some(b',') {
            self.at += 1;
        }
        if self.peek().is_none() {
            return T::deserialize(Absent).map_err(|_| ArgsError::Missing(index));
        }
        T::deserialize(self).map_err(|error| ArgsError::Unfit(index, error))
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        self.at = json::skip_space(self.text.as_bytes(), self.at);
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, end: usize) -> &'de str {
        let taken = self.text.get(self.at..end).unwrap_or_default();
        self.at = end;
        taken
    }

    fn scalar(&mut self) -> &'de str {
        self.take(json::scalar_end(self.text.as_bytes(), self.at))
    }

    /// The inside of the string that starts here.
    fn string(&mut self) -> &'de str {
        let literal = self.take(json::string_end(self.text.as_bytes(), self.at));
        literal.get(1..literal.len().max(2) - 1).unwrap_or_default()
    }

    fn value(&mut self) -> &'de str {
        self.take(json::value_end(self.text.as_bytes(), self.at))
    }

    /// Whether another element follows in a container that ends with `end`, which is stepped over.
    fn has_next(&mut self, end: u8) -> bool {
        if self.peek() == Some(b',') {
            self.at += 1;
        }
        let next = self.peek();
        if next == Some(end) {
            self.at += 1;
        }
        next.is_some_and(|next| next != end)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let Some(levels_left) = self.levels_left.checked_sub(1) else {
            return Err(Error::custom("too many levels"));
        };
        self.levels_left = levels_left;
        self.at += 1;
        let value = read(self)?;
        self.levels_left += 1;
        Ok(value)
    }

    fn sequence<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.deeper(|reader| {
            let mut elements = Items::<b']'>::of(reader);
            let value = visitor.visit_seq(&mut elements)?;
            elements.finish()?;
            Ok(value)
        })
    }

    fn map<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.deeper(|reader| {
            let mut entries = Items::<b'}'>::of(reader);
            let value = visitor.visit_map(&mut entries)?;
            entries.finish()?;
            Ok(value)
        })
    }

    /// The attachment whose placeholder starts here; if it is none, nothing has been read.
    fn attachment(&mut self) -> Option<&'de [u8]> {
        let start = self.at;
        let (mut is_placeholder, mut index) = (false, None);
        self.at += 1;
        while self.has_next(b'}') {
            let key = json::unescape(self.string());
            self.colon();
            match &*key {
                "_placeholder" => is_placeholder = self.value() == "true",
                "num" => index = json::placeholder_index(self.value()),
                _ => drop(self.value()),
            }
        }
        let named = is_placeholder.then_some(index).flatten();
        let attachment = named.and_then(|index| self.attachments.get(index));
        if attachment.is_none() {
            self.at = start;
        }
        attachment.map(|bytes| &bytes[..])
    }

    fn colon(&mut self) {
        if self.peek() == Some(b':') {
            self.at += 1;
        }
        self.peek();
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'[') => self.sequence(visitor),
            Some(b'{') => self.map(visitor),
            Some(b'"') => show_text(self.string(), visitor),
            _ => serde_jsons(self.scalar()).deserialize_any(visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.peek();
        serde_jsons(self.value()).deserialize_i128(visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.peek();
        serde_jsons(self.value()).deserialize_u128(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek() == Some(b'{')
            && let Some(attachment) = self.attachment()
        {
            return visitor.visit_borrowed_bytes(attachment);
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek() == Some(b'n') {
            self.scalar();
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        if name.starts_with(super::SERDE_JSON_OWN) {
            self.peek();
            return serde_jsons(self.value()).deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.peek() {
            Some(b'{') => self.deeper(|reader| {
                if !reader.has_next(b'}') {
                    return Err(Error::custom("expected a variant"));
                }
                let value = visitor.visit_enum(Variant {
                    reader: &mut *reader,
                })?;
                if reader.has_next(b'}') {
                    return Err(Error::custom("expected one variant"));
                }
                Ok(value)
            }),
            Some(b'"') => {
                visitor.visit_enum(CowStrDeserializer::new(json::unescape(self.string())))
            }
            _ => Err(Error::custom("expected a variant")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.peek();
        self.value();
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

/// Shows a string, borrowed where nothing in it is escaped.
fn show_text<'de, V: Visitor<'de>>(inside: &'de str, visitor: V) -> Result<V::Value> {
    match json::unescape(inside) {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// The reader of `serde_json`, for one value that ends where `value` does.
fn serde_jsons(value: &str) -> serde_json::Deserializer<serde_json::de::StrRead<'_>> {
    serde_json::Deserializer::from_str(value)
}

/// The elements of a list or the entries of a map, up to `END`.
struct Items<'r, 'de, const END: u8> {
    reader: &'r mut Reader<'de>,
    is_over: bool,
}

impl<'r, 'de, const END: u8> Items<'r, 'de, END> {
    const fn of(reader: &'r mut Reader<'de>) -> Self {
        let is_over = false;
        Self { reader, is_over }
    }

    /// Goes to the next one, if there is one.
    fn has_next(&mut self) -> bool {
        self.is_over = self.is_over || !self.reader.has_next(END);
        !self.is_over
    }

    fn finish(&mut self) -> Result<()> {
        if self.has_next() {
            return Err(Error::custom("more of them than expected"));
        }
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de, b']'> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.has_next() {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de, b'}'> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.has_next() {
            return Ok(None);
        }
        seed.deserialize(Key(self.reader.string())).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        self.reader.colon();
        seed.deserialize(&mut *self.reader)
    }
}

/// The key of a map: a string that may stand for a number or a truth value, as `serde_json` writes those.
struct Key<'de>(&'de str);

macro_rules! key_as_scalar {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            serde_jsons(self.0).$method(visitor)
        })+
    };
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        show_text(self.0, visitor)
    }

    key_as_scalar! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(CowStrDeserializer::new(json::unescape(self.0)))
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// An enum's variant that has a value: an object with one entry.
struct Variant<'r, 'de> {
    reader: &'r mut Reader<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self)> {
        let variant = seed.deserialize(Key(self.reader.string()))?;
        self.reader.colon();
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        Deserialize::deserialize(self.reader)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value> {
        self.reader.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.reader.deserialize_map(visitor)
    }
}

/// An argument that the caller left out: `None` where that is possible.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        Err(Error::custom("missing"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
