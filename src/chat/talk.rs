//! Messages: said, read, looked up, and being typed.
//!
//! A message is checked, given to the writing lane, and answered when it is on disk; then the others of its room are told,
//! in the order of its revisions. Looking up goes to the reading lane, a page at a time.
//! Membership is asked of the workspace at every event, never of the rooms a socket once joined.
//! Edits and deletions are in `changes`; whom a text calls, `mentions` says.

use serde::Deserialize;
use serde_json::json;

use super::ranks::Voice;
use super::rates::Wish;
use super::reply::{Code, accept, admitted, change, look_up, refuse, refuse_muted};
use super::rooms::tell_tabs;
use super::store::{RoomId, Sent, Span, UserId};
use super::{Chat, Seat, direct, room_channel, user_channel};
use crate::config::chat as limits;
use crate::server::{Ack, Context, Socket};
use crate::socketio::SocketId;

/// A new message.
#[derive(Deserialize)]
pub(super) struct Send {
    room: RoomId,
    cid: String,
    text: String,
}

pub(super) fn send(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Send, ack: Ack) {
    let voice = socket
        .app
        .workspace
        .voice(seat.user, socket.io.now().wall.0);
    match may_send(socket, seat, &asked) {
        Ok(()) => {}
        Err(Code::Muted) => return refuse_muted(&mut socket.io, ack, voice),
        Err(code) => return refuse(&mut socket.io, ack, code),
    }
    let Some(ack) = admitted(socket, seat, Wish::Send, ack) else {
        return;
    };
    let (at, from) = (socket.io.now().wall.0, socket.id());
    let Send { room, cid, text } = asked;
    let called = socket.app.workspace.mentioned(room, seat.user, &text);
    // Shared by the job and by what is told of it afterwards.
    let told = (cid.clone(), text.clone(), called.clone());
    change(
        socket,
        ack,
        move |w| {
            // Asked again in order with all other changes: somebody may be leaving just now.
            w.member(room, seat.user)?;
            let sent = w.send(room, seat.user, &cid, &text, at)?;
            if !sent.dup {
                w.mention(room, &called)?;
            }
            Ok(sent)
        },
        move |context, sent, ack| said(context, seat, &sent, told, from, ack),
    );
}

/// A message is on disk: its sender is told, then the others; of one that was there before, the sender only.
fn said(
    context: &mut Context<'_, Chat>,
    seat: Seat,
    sent: &Sent,
    (cid, text, called): (String, String, Vec<UserId>),
    from: SocketId,
    ack: Ack,
) {
    let Sent {
        room,
        id,
        seq,
        rev,
        at,
        dup,
    } = *sent;
    let answer = json!({ "id": id, "seq": seq, "rev": rev, "at": at, "dup": dup });
    accept(&mut context.io, ack, answer);
    if dup {
        return;
    }
    context.app.stored += 1;
    if direct::is_unspoken(&context.app.workspace, room) {
        direct::first_said(context, room, seat.user);
    }
    let workspace = &mut context.app.workspace;
    workspace.sent(room, seat.user, (seq, rev, at), &called);
    let message = json!({
        "room": room, "id": id, "seq": seq, "rev": rev, "by": seat.user, "cid": cid, "at": at, "text": text,
    });
    let others = context.io.of("/");
    others
        .to(&room_channel(room))
        .except(from.as_str())
        .emit("message", &message);
}

fn may_send(socket: &Socket<'_, Chat>, seat: Seat, asked: &Send) -> Result<(), Code> {
    let workspace = &socket.app.workspace;
    if workspace.member(asked.room, seat.user).is_none() {
        return Err(Code::NotFound);
    }
    if direct::is_one_sided(workspace, asked.room, seat.user) {
        return Err(Code::Forbidden);
    }
    if workspace.voice(seat.user, socket.io.now().wall.0) != Voice::Free {
        return Err(Code::Muted);
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let cid_fits = (1..=limits::CID_CHARS_MAX).contains(&asked.cid.len());
    if !cid_fits || !asked.cid.bytes().all(is_plain) {
        return Err(Code::Invalid);
    }
    text_fits(&asked.text)
}

/// Whether a text says something, and not too much.
pub(super) fn text_fits(text: &str) -> Result<(), Code> {
    if text.trim().is_empty() {
        return Err(Code::Invalid);
    }
    if text.chars().count() > limits::TEXT_CHARS_MAX {
        return Err(Code::TooLong);
    }
    Ok(())
}

/// How far somebody has read.
#[derive(Deserialize)]
pub(super) struct Read {
    room: RoomId,
    seq: i64,
}

pub(super) fn read(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Read, ack: Ack) {
    let Read { room, seq } = asked;
    if socket.app.workspace.member(room, seat.user).is_none() {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let from = socket.id();
    change(
        socket,
        ack,
        move |w| w.read(room, seat.user, seq),
        move |context, mark, ack| {
            context.app.workspace.read(room, seat.user, mark);
            accept(&mut context.io, ack, json!({}));
            let news = json!({ "room": room, "seq": mark.seq, "mentions": mark.mentions });
            tell_tabs(context, seat, from.as_str(), "read", &news);
        },
    );
}

/// Somebody types, or has stopped.
#[derive(Deserialize)]
pub(super) struct Typing {
    room: RoomId,
    on: bool,
}

pub(super) fn typing(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Typing, _ack: Ack) {
    let Typing { room, on } = asked;
    let workspace = &socket.app.workspace;
    // Of a direct room in which nothing was said the other one knows nothing yet.
    if workspace.member(room, seat.user).is_none() || direct::is_unspoken(workspace, room) {
        return;
    }
    let now = socket.io.now();
    // What will not be sent need not be announced.
    if on && socket.app.workspace.voice(seat.user, now.wall.0) != Voice::Free {
        return;
    }
    let now = now.mono;
    if on {
        // Nobody waits for an answer: one time too many is one that nobody hears of.
        let allowed = socket.app.allowances.take(seat.user, Wish::Type, now);
        if allowed.is_err() {
            return;
        }
        socket.data_mut().typing = Some(room);
    } else {
        let told = &mut socket.data_mut().typing;
        if told.take_if(|told| *told == room).is_none() {
            return;
        }
    }
    let news = json!({ "room": room, "by": seat.user, "on": on });
    let (everybody, own) = (room_channel(room), user_channel(seat.user));
    let others = socket.to(&everybody).except(&own);
    others.volatile().emit("typing", &news);
}

/// A page of what was said before, after or around a place; the newest if none is named.
#[derive(Deserialize)]
pub(super) struct History {
    room: RoomId,
    before: Option<i64>,
    after: Option<i64>,
    around: Option<i64>,
    limit: Option<usize>,
}

pub(super) fn history(socket: &mut Socket<'_, Chat>, seat: Seat, asked: History, ack: Ack) {
    let span = match (asked.before, asked.after, asked.around) {
        (None, None, None) => Span::Newest,
        (Some(seq), None, None) => Span::Before(seq),
        (None, Some(seq), None) => Span::After(seq),
        (None, None, Some(seq)) => Span::Around(seq),
        _ => return refuse(&mut socket.io, ack, Code::Invalid),
    };
    if socket.app.workspace.member(asked.room, seat.user).is_none() {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let Some(ack) = admitted(socket, seat, Wish::Page, ack) else {
        return;
    };
    let room = asked.room;
    let limit = asked.limit.unwrap_or(limits::HISTORY_ROWS_MAX);
    look_up(
        socket,
        ack,
        move |r| r.history(room, span, limit),
        move |context, page, ack| {
            let page = json!({ "rows": page.rows, "start": page.start, "end": page.end });
            accept(&mut context.io, ack, page);
        },
    );
}

/// What has changed in a room since a revision.
#[derive(Deserialize)]
pub(super) struct Sync {
    room: RoomId,
    rev: i64,
}

pub(super) fn sync(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Sync, ack: Ack) {
    if socket.app.workspace.member(asked.room, seat.user).is_none() {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    look_up(
        socket,
        ack,
        move |r| r.sync(asked.room, asked.rev, limits::SYNC_BYTES_MAX),
        move |context, chunk, ack| {
            let chunk = serde_json::to_value(chunk).unwrap_or_default();
            accept(&mut context.io, ack, chunk);
        },
    );
}
