//! A parser of its own: each packet is a text of JSON, its attachments beside the payload in base64.

use data_encoding::BASE64;
use roomcast::socketio::packet::Kind;
use roomcast::socketio::parser::{CustomParser, Message, Read, Written};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(crate) struct JsonParser;

#[derive(Deserialize, Serialize)]
struct Plain {
    #[serde(rename = "type")]
    kind: u8,
    nsp: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    bytes: Vec<String>,
}

/// In the order of their digits.
const KINDS: [Kind; 5] = [
    Kind::Connect,
    Kind::Disconnect,
    Kind::Event,
    Kind::Ack,
    Kind::ConnectError,
];

impl CustomParser for JsonParser {
    fn write(&self, packet: &Written<'_>) -> Message<'static> {
        let kind = KINDS.iter().position(|kind| *kind == packet.kind);
        let data = packet.data.map(|data| RawValue::from_string(data.into()));
        let plain = Plain {
            kind: u8::try_from(kind.expect("five kinds are written")).expect("a digit"),
            nsp: packet.namespace.to_owned(),
            id: packet.id,
            data: data.transpose().expect("a payload is JSON"),
            bytes: packet
                .attachments
                .iter()
                .map(|bytes| BASE64.encode(bytes))
                .collect(),
        };
        let text = serde_json::to_string(&plain).expect("all of it is JSON");
        Message::Text(text.into())
    }

    fn read(&self, message: &Message<'_>) -> Option<Read> {
        let Message::Text(text) = message else {
            return None;
        };
        let plain: Plain = serde_json::from_str(text).ok()?;
        let decoded = |text: &String| BASE64.decode(text.as_bytes()).map(Into::into);
        let attachments: Result<_, _> = plain.bytes.iter().map(decoded).collect();
        Some(Read {
            kind: *KINDS.get(usize::from(plain.kind))?,
            namespace: plain.nsp,
            id: plain.id,
            data: plain.data.map(|data| data.get().to_owned()),
            attachments: attachments.ok()?,
        })
    }
}
