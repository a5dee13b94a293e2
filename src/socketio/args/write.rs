//! Writing arguments: a serde serializer that takes bytes out of the JSON and leaves placeholders.
//!
//! Anything that serialises comes in; a list without brackets and its attachments, in order of appearance, go out.
//! `serde_json` writes every string and number; only what stands around them is written here.
//! Knows no packet. Left out: attachments without a copy, since serde shows bytes only as a borrowed slice; one copy
//! serves all receivers of a broadcast.

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{ARGS, EncodeError, Encoded, SERDE_JSON_OWN};

type Error = serde_json::Error;
type Result<T = ()> = std::result::Result<T, Error>;

/// Arguments as a list for packets.
///
/// A tuple is the list (an array `[T; N]`, which serde cannot tell from one, too), `()` an empty one, and
/// [`super::Args`] the list they were; anything else is one argument. Bytes at any depth (`serde_bytes`,
/// [`super::Binary`]) become attachments.
///
/// # Errors
/// If the arguments are no JSON.
pub fn encode<T: Serialize + ?Sized>(args: &T) -> std::result::Result<Encoded, EncodeError> {
    let mut encoded = Encoded::default();
    encode_into(args, &mut encoded)?;
    Ok(encoded)
}

/// [`encode`] into memory that was used before; what it held is gone.
///
/// # Errors
/// If the arguments are no JSON; `encoded` is empty then.
pub fn encode_into<T: Serialize + ?Sized>(
    args: &T,
    encoded: &mut Encoded,
) -> std::result::Result<(), EncodeError> {
    encoded.list.clear();
    encoded.attachments.clear();
    let written = args.serialize(Writer {
        encoded,
        form: Form::List,
    });
    written.map_err(|error| {
        encoded.list.clear();
        encoded.attachments.clear();
        EncodeError(error)
    })
}

struct Writer<'a> {
    encoded: &'a mut Encoded,
    form: Form,
}

/// What is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The whole of the arguments.
    List,
    /// One value.
    Value,
    /// Text that is JSON already, or an attachment that has its placeholder in such text.
    Verbatim,
}

impl<'a> Writer<'a> {
    fn scalar(self, value: &(impl Serialize + ?Sized)) -> Result {
        serde_json::to_writer(&mut self.encoded.list, value)
    }

    fn value<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(Writer {
            encoded: self.encoded,
            form: Form::Value,
        })
    }

    fn open(self, before: &[u8], after: &'static [u8]) -> Compound<'a> {
        self.encoded.list.extend_from_slice(before);
        Compound {
            encoded: self.encoded,
            form: Form::Value,
            is_first: true,
            after,
        }
    }

    /// An enum's variant with a value: `{"name":` and what opens the value.
    fn variant(self, name: &str, opening: &[u8], after: &'static [u8]) -> Result<Compound<'a>> {
        self.encoded.list.push(b'{');
        serde_json::to_writer(&mut self.encoded.list, name)?;
        self.encoded.list.push(b':');
        Ok(self.open(opening, after))
    }

    fn verbatim(self) -> Compound<'a> {
        Compound {
            encoded: self.encoded,
            form: Form::Verbatim,
            is_first: true,
            after: b"",
        }
    }
}

macro_rules! scalars {
    ($($method:ident $type:ty),+) => {
        $(fn $method(self, value: $type) -> Result {
            self.scalar(&value)
        })+
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    scalars! {
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32,
        serialize_i64 i64, serialize_i128 i128, serialize_u8 u8, serialize_u16 u16,
        serialize_u32 u32, serialize_u64 u64, serialize_u128 u128, serialize_f32 f32,
        serialize_f64 f64, serialize_char char
    }

    fn serialize_str(self, text: &str) -> Result {
        if self.form == Form::Verbatim {
            self.encoded.list.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        self.scalar(text)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result {
        if self.form != Form::Verbatim {
            self.encoded
                .list
                .extend_from_slice(b"{\"_placeholder\":true,\"num\":");
            serde_json::to_writer(&mut self.encoded.list, &self.encoded.attachments.len())?;
            self.encoded.list.push(b'}');
        }
        self.encoded.attachments.push(Bytes::copy_from_slice(bytes));
        Ok(())
    }

    fn serialize_none(self) -> Result {
        self.scalar(&())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        self.value(value)
    }

    fn serialize_unit(self) -> Result {
        if self.form == Form::List {
            return Ok(());
        }
        self.scalar(&())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result {
        self.scalar(&())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.scalar(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result {
        self.value(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        let mut compound = self.variant(variant, b"", b"}")?;
        compound.element(value)?;
        compound.close()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Compound<'a>> {
        Ok(self.open(b"[", b"]"))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Compound<'a>> {
        if self.form == Form::List {
            return Ok(self.open(b"", b""));
        }
        Ok(self.open(b"[", b"]"))
    }

    fn serialize_tuple_struct(self, name: &'static str, _len: usize) -> Result<Compound<'a>> {
        if name != ARGS {
            return Ok(self.open(b"[", b"]"));
        }
        if self.form != Form::List {
            return Err(Error::custom(
                "raw arguments must be the whole of the arguments",
            ));
        }
        Ok(self.verbatim())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'a>> {
        self.variant(variant, b"[", b"]}")
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Compound<'a>> {
        Ok(self.open(b"{", b"}"))
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Compound<'a>> {
        if name.starts_with(SERDE_JSON_OWN) {
            return Ok(self.verbatim());
        }
        Ok(self.open(b"{", b"}"))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'a>> {
        self.variant(variant, b"{", b"}}")
    }
}

/// A container that is being written. In a verbatim one each part is written as it is, without commas.
struct Compound<'a> {
    encoded: &'a mut Encoded,
    form: Form,
    is_first: bool,
    after: &'static [u8],
}

impl Compound<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.comma();
        self.value(value)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(Writer {
            encoded: self.encoded,
            form: self.form,
        })
    }

    fn comma(&mut self) {
        if !self.is_first && self.form != Form::Verbatim {
            self.encoded.list.push(b',');
        }
        self.is_first = false;
    }

    /// A key is written as a value; numbers and truth values get quotes, as `serde_json` gives them.
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.comma();
        let start = self.encoded.list.len();
        self.value(key)?;
        let written = &mut self.encoded.list;
        match written.get(start) {
            Some(b'"') => {}
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                written.insert(start, b'"');
                written.push(b'"');
            }
            _ => return Err(Error::custom("a key must be a string")),
        }
        written.push(b':');
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result {
        if self.form == Form::Verbatim {
            return self.value(value);
        }
        self.key(key)?;
        self.value(value)
    }

    fn close(self) -> Result {
        self.encoded.list.extend_from_slice(self.after);
        Ok(())
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident),+) => {
        $(impl $trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                self.element(value)
            }

            fn end(self) -> Result {
                self.close()
            }
        })+
    };
}

elements! {
    SerializeSeq serialize_element, SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field
}

macro_rules! fields {
    ($($trait:ident),+) => {
        $(impl $trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result {
                self.field(key, value)
            }

            fn end(self) -> Result {
                self.close()
            }
        })+
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.value(value)
    }

    fn end(self) -> Result {
        self.close()
    }
}
