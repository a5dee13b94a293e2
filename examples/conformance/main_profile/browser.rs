//! The events of `/` that the official client's own suite calls.

use std::time::Duration;

use bytes::Bytes;
use roomcast::socketio::args::Binary;
use roomcast::time::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Namespace, Socket};
use crate::any::Any;

/// Which of the buffers that come in several events have come.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Blobs {
    first_of_two: bool,
    first_of_three: bool,
    second_of_three: bool,
}

pub(super) fn events(namespace: Namespace<'_>) -> Namespace<'_> {
    buffers(
        namespace
            .on("hi", |socket, (): (), _ack| socket.emit("hi", &()))
            .on("ack", |socket, (): (), _ack| ask(socket))
            .on("getAckDate", |socket, (_,): (Any,), ack| {
                let date = iso(socket.io.now().wall);
                ack.send(&mut socket.io, &date);
            })
            .on("getDate", |socket, (): (), _ack| {
                let date = iso(socket.io.now().wall);
                socket.emit("takeDate", &date);
            })
            .on("getDateObj", |socket, (): (), _ack| {
                let date = iso(socket.io.now().wall);
                socket.emit("takeDateObj", &json!({ "date": date }));
            })
            .on("getUtf8", |socket, (): (), _ack| {
                for text in ["てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß"] {
                    socket.emit("takeUtf8", text);
                }
                for _ in 0..2 {
                    socket.emit("takeUtf8", "utf8 — string");
                }
            })
            .on("false", |socket, (): (), _ack| {
                socket.emit("false", &false);
            }),
    )
}

fn ask(socket: &mut Socket<'_>) {
    let within = Duration::from_secs(10);
    socket.emit_with_ack("ack", &(), within, |socket, answer| {
        let Ok((number, object)) = answer as Result<(u64, Any), _> else {
            return;
        };
        if number == 5 && object.field("test") == Some(&Any::Boolean(true)) {
            socket.emit("got it", &());
        }
    });
}

fn buffers(namespace: Namespace<'_>) -> Namespace<'_> {
    const BUFFER: Binary = Binary(Bytes::from_static(b"asdfasdf"));
    namespace
        .on("doge", |socket, (): (), _ack| socket.emit("doge", &BUFFER))
        .on("getbin", |socket, (): (), _ack| {
            socket.emit("takebin", &BUFFER)
        })
        .on("buffa", |socket, (buffer,): (Any,), _ack| {
            emit_if(socket, buffer.is_binary(), "buffack");
        })
        .on("jsonbuff", |socket, (mixed,): (Any,), _ack| {
            emit_if(socket, is_mixed(&mixed), "jsonbuff-ack");
        })
        .on("jsonblob", |socket, (mixed,): (Any,), _ack| {
            emit_if(socket, is_mixed(&mixed), "jsonblob-ack");
        })
        .on("abuff1", |socket, (buffer,): (Any,), _ack| {
            socket.data_mut().blobs.first_of_two = buffer.is_binary();
        })
        .on("abuff2", |socket, (): (), _ack| {
            let is_second = socket.data().blobs.first_of_two;
            emit_if(socket, is_second, "abuff2-ack");
        })
        .on("blob", |socket, (buffer,): (Any,), _ack| {
            emit_if(socket, buffer.is_binary(), "back");
        })
        .on("blob1", |socket, (buffer,): (Any,), _ack| {
            socket.data_mut().blobs.first_of_three = buffer.is_binary();
        })
        .on("blob2", |socket, (text,): (Any,), _ack| {
            let blobs = &mut socket.data_mut().blobs;
            blobs.second_of_three = blobs.first_of_three && text.is_text("second");
        })
        .on("blob3", |socket, (buffer,): (Any,), _ack| {
            let is_third = socket.data().blobs.second_of_three && buffer.is_binary();
            emit_if(socket, is_third, "blob3-ack");
        })
}

fn emit_if(socket: &mut Socket<'_>, is_so: bool, event: &str) {
    if is_so {
        socket.emit(event, &());
    }
}

fn is_mixed(value: &Any) -> bool {
    let is = |key, text| {
        value
            .field(key)
            .is_some_and(|value: &Any| value.is_text(text))
    };
    is("hello", "lol")
        && is("goodbye", "gotcha")
        && value.field("message").is_some_and(Any::is_binary)
}

/// A moment as `Date.prototype.toISOString` writes it; the calendar is the Gregorian one, counted in eras of 400 years
/// that begin in March, so that the leap day is the last of its year.
fn iso(at: UnixMillis) -> String {
    let (days, milliseconds) = (at.0 / 86_400_000, at.0 % 86_400_000);
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carried) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let (seconds, milliseconds) = (milliseconds / 1000, milliseconds % 1000);
    format!(
        "{:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{milliseconds:03}Z",
        era * 400 + year + carried,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
    )
}
