//! MessagePack and JSON, one out of the other.
//!
//! An input is read as a packet of MessagePack, which written and read again must be the same; and as JSON, which
//! must come back as what JavaScript could not tell from it.

use serde_json::Value;

use crate::config;
use crate::socketio::json;
use crate::socketio::msgpack::{decode, encode};
use crate::socketio::packet::{Kind, Violation};

/// Reads `input` both ways.
///
/// # Panics
/// If something does not hold.
pub fn msgpack(input: &[u8]) {
    let limits = config::SocketIo::default();
    if let Ok(complete) = decode(input, &limits) {
        let packet = complete.packet();
        let data = packet.data;
        assert!(data.is_none_or(|data| json::is_sound(data, limits.json_depth_max)));
        assert!(data.is_none_or(|data| {
            let of_attachments = 30 * complete.attachments().len();
            data.len() <= 6 * input.len() + of_attachments
        }));
        assert!(data.is_none_or(|data| json::placeholders_fit(data, complete.attachments().len())));
        let written = encode(
            packet.kind,
            packet.namespace,
            packet.id,
            data,
            complete.attachments(),
        );
        let again = decode(&written, &limits);
        // A date and an ill-formed text are longer as what they became, which may be too much.
        assert!(again == Ok(complete) || again == Err(Violation::PacketTooLarge));
    }
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let list = format!("[{text}]");
    if !json::is_sound(&list, limits.json_depth_max) {
        return;
    }
    let written = encode(Kind::Ack, "/", None, Some(&list), &[]);
    match decode(&written, &limits) {
        Ok(complete) => {
            let read = complete.packet().data.expect("it was written");
            let (meant, read) = (serde_json::from_str(&list), serde_json::from_str(read));
            if let (Ok(meant), Ok(read)) = (meant, read) {
                assert!(is_same(&meant, &read), "{meant} became {read}");
            }
        }
        Err(violation) => assert_eq!(violation, Violation::IllegalPlaceholder, "{list}"),
    }
}

/// Whether two values are the same to JavaScript, whose numbers are floats.
#[must_use]
pub fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || is_as_good_as(a.as_f64(), b.as_f64()),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(name, a): (&String, &Value)| b.get(name).is_some_and(|b| is_same(a, b));
            a.len() == b.len() && a.iter().all(same)
        }
        (a, b) => a == b,
    }
}

/// `serde_json` reads a number to its last bit but one (it has a feature for more), and so do we when we ask it what was meant.
fn is_as_good_as(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= a.abs() * f64::EPSILON,
        _ => false,
    }
}
