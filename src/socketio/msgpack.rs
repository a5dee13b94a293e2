//! The packets of the official `socket.io-msgpack-parser`: one binary message each, attachments inside.
//!
//! A message comes in and becomes what a text with its attachments would have been: the packet, its payload as JSON,
//! its bytes as attachments. The other way, JSON and attachments become a message. So nobody above knows which parser
//! a server has.
//! Knows MessagePack as far as JavaScript uses it: maps by text, dates and `ArrayBuffer`s as their extensions.
//! Left out: what JSON cannot say. `undefined` in a list and numbers that are none become `null` and an `undefined`
//! field is dropped, as `JSON.stringify` has it; a date becomes the text that its `toJSON` gives. A map that says it
//! is a placeholder is refused, since behind this module nobody could tell it from one.

mod date;
mod read;
mod write;

use bytes::Bytes;

use super::assembler::Complete;
use super::packet::{ID_MAX, Kind, Violation, may_hold};
use crate::config;

use read::{Json, Reader, Token};

/// Reads one packet. Nothing is reserved by what a length claims: what is made is at most a small multiple of `bytes`.
///
/// # Errors
/// The first rule that is broken; the limits are those of a text with its attachments.
pub fn decode(bytes: &[u8], limits: &config::SocketIo) -> Result<Complete, Violation> {
    let mut reader = Reader::new(bytes);
    let Token::Map(fields) = reader.token()? else {
        return Err(Violation::NotMessagePack);
    };
    let (mut kind, mut namespace, mut id) = (None, None, None);
    let mut json = Json::default();
    let mut has_data = false;
    for _ in 0..fields {
        let Token::Text(field) = reader.token()? else {
            return Err(Violation::NotMessagePack);
        };
        match field {
            b"type" => kind = Some(read_kind(&reader.token()?)?),
            b"nsp" => namespace = Some(read_namespace(&reader.token()?)?),
            b"id" => id = read_id(&reader.token()?)?,
            b"data" => {
                json = Json::default();
                has_data = reader.value(&mut json, limits)?;
            }
            // The official client says here whether to compress, and servers say nothing of it.
            _ => {
                reader.value(&mut Json::default(), limits)?;
            }
        }
    }
    if !reader.is_at_end() {
        return Err(Violation::NotMessagePack);
    }
    let kind = kind.ok_or(Violation::UnknownKind(None))?;
    let namespace = namespace.ok_or(Violation::InvalidPayload)?;
    if namespace.len() > limits.namespace_bytes_max && kind != Kind::Connect {
        return Err(Violation::NamespaceTooLong);
    }
    if !json.attachments.is_empty() && bytes.len() > limits.packet_bytes_max {
        return Err(Violation::PacketTooLarge);
    }
    let fits = match kind {
        _ if has_data => may_hold(kind, &json.text),
        Kind::Connect | Kind::Disconnect => true,
        _ => false,
    };
    if !fits {
        return Err(Violation::InvalidPayload);
    }
    let data = has_data.then(|| json.text.into_boxed_str());
    let complete = Complete::new(kind, namespace, id, data, json.attachments);
    if kind == Kind::Event && complete.packet().event().is_none() {
        return Err(Violation::InvalidPayload);
    }
    Ok(complete)
}

/// Any value as JSON with attachments. Nothing is reserved by what a length claims.
///
/// # Errors
/// The first rule that is broken.
pub fn to_json(bytes: &[u8], limits: &config::SocketIo) -> Result<(String, Vec<Bytes>), Violation> {
    let (mut reader, mut json) = (Reader::with_timestamps(bytes), Json::default());
    let is_said = reader.value(&mut json, limits)?;
    if !is_said || !reader.is_at_end() {
        return Err(Violation::NotMessagePack);
    }
    Ok((json.text, json.attachments))
}

/// Sound JSON as MessagePack; its placeholders become the attachments that they name.
#[must_use]
pub fn from_json(text: &str, attachments: &[Bytes]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    write::value(&mut out, text, attachments);
    out
}

fn read_kind(token: &Token<'_>) -> Result<Kind, Violation> {
    let Token::Unsigned(number) = token else {
        return Err(Violation::UnknownKind(None));
    };
    // Attachments are inside, so there are no kinds of their own for packets that have some.
    Ok(match number {
        0 => Kind::Connect,
        1 => Kind::Disconnect,
        2 => Kind::Event,
        3 => Kind::Ack,
        4 => Kind::ConnectError,
        other => return Err(Violation::UnknownKind(u8::try_from(*other).ok())),
    })
}

fn read_namespace(token: &Token<'_>) -> Result<Box<str>, Violation> {
    match token {
        Token::Text(name) => Ok(String::from_utf8_lossy(name).into()),
        _ => Err(Violation::InvalidPayload),
    }
}

fn read_id(token: &Token<'_>) -> Result<Option<u64>, Violation> {
    match token {
        Token::Undefined => Ok(None),
        Token::Unsigned(id) if *id <= ID_MAX => Ok(Some(*id)),
        _ => Err(Violation::IllegalId),
    }
}

/// Writes one packet. `data` is its payload as sound JSON, whose placeholders name `attachments`; a kind whose attachments
/// follow is written as the one whose attachments are inside.
#[must_use]
pub fn encode(
    kind: Kind,
    namespace: &str,
    id: Option<u64>,
    data: Option<&str>,
    attachments: &[Bytes],
) -> Vec<u8> {
    let number = match kind {
        Kind::Connect => 0,
        Kind::Disconnect => 1,
        Kind::Event | Kind::BinaryEvent => 2,
        Kind::Ack | Kind::BinaryAck => 3,
        Kind::ConnectError => 4,
    };
    let mut out = Vec::with_capacity(32 + namespace.len() + data.map_or(0, str::len));
    let fields = 2 + usize::from(data.is_some()) + usize::from(id.is_some());
    write::map(&mut out, fields);
    write::text(&mut out, "type");
    write::unsigned(&mut out, number);
    if let Some(data) = data {
        write::text(&mut out, "data");
        write::value(&mut out, data, attachments);
    }
    if let Some(id) = id {
        write::text(&mut out, "id");
        write::unsigned(&mut out, id);
    }
    write::text(&mut out, "nsp");
    write::text(&mut out, namespace);
    out
}

#[cfg(test)]
mod tests;
