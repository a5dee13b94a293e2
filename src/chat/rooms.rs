//! Rooms: found, made, entered, left.
//!
//! A wish is checked, stored, and then made true in memory and for every socket of the person; others hear of it.
//! Left out: private rooms, direct messages, renaming and archiving.

use serde::Deserialize;
use serde_json::json;

use super::names::Name;
use super::ranks::Voice;
use super::rates::Wish;
use super::reply::{Code, accept, admitted, refuse, refuse_muted, written};
use super::store::{Member, Room, RoomId, RoomKind};
use super::{Chat, Seat, room_channel, user_channel};
use crate::config::chat as limits;
use crate::server::{Ack, Context, Socket};
use crate::socketio::SocketId;

/// Nothing is asked but the event itself.
#[derive(Deserialize)]
pub(super) struct Nothing {}

pub(super) fn list(socket: &mut Socket<'_, Chat>, seat: Seat, _asked: Nothing, ack: Ack) {
    let rooms = socket.app.workspace.rooms_listed(seat.user);
    accept(&mut socket.io, ack, json!({ "rooms": rooms }));
}

/// A new room that everybody may join.
#[derive(Deserialize)]
pub(super) struct Create {
    name: String,
    #[serde(default)]
    topic: String,
}

pub(super) fn create(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Create, ack: Ack) {
    let Ok(name) = Name::parse(&asked.name) else {
        return refuse(&mut socket.io, ack, Code::Invalid);
    };
    let topic = asked.topic.trim().to_owned();
    if topic.chars().count() > limits::TOPIC_CHARS_MAX || topic.chars().any(char::is_control) {
        return refuse(&mut socket.io, ack, Code::Invalid);
    }
    let (now, from) = (socket.io.now(), socket.id());
    // A room's name is said to everybody.
    let voice = socket.app.workspace.voice(seat.user, now.wall.0);
    if voice != Voice::Free {
        return refuse_muted(&mut socket.io, ack, voice);
    }
    let Some(ack) = admitted(socket, seat, Wish::MakeRoom, ack) else {
        return;
    };
    let (write, at) = (socket.app.lanes.write, now.wall.0);
    socket.io.run(
        write,
        move |store| {
            store.job(|w| {
                let room = w.create_room(RoomKind::Open, &name, &topic, seat.user, at)?;
                let member = w.member(room.id, seat.user)?;
                Ok((room, member))
            })
        },
        move |context, outcome| match written(context, outcome) {
            Ok((room, member)) => {
                let id = room.id;
                context.app.workspace.add_room(room);
                entered(context, seat, member, from, ack);
                let listed = context.app.workspace.room_listed(id, None);
                context
                    .io
                    .of("/")
                    .except(from.as_str())
                    .emit("room:new", &json!({ "room": listed }));
            }
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

/// A room by its id.
#[derive(Deserialize)]
pub(super) struct Which {
    room: RoomId,
}

pub(super) fn join(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Which, ack: Ack) {
    let is_open = |room: &Room| room.kind == RoomKind::Open && !room.archived;
    if !socket.app.workspace.room(asked.room).is_some_and(is_open) {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let (write, at, from) = (socket.app.lanes.write, socket.io.now().wall.0, socket.id());
    socket.io.run(
        write,
        move |store| store.job(|w| w.join(asked.room, seat.user, at)),
        move |context, outcome| match written(context, outcome) {
            Ok(member) => entered(context, seat, member, from, ack),
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

/// Somebody is in a room from now on: with all of their sockets, and the other tabs are told.
fn entered(context: &mut Context<'_, Chat>, seat: Seat, member: Member, from: SocketId, ack: Ack) {
    let room = member.room;
    context.app.workspace.add_member(member);
    let own = user_channel(seat.user);
    context.io.of("/").to(&own).join(&room_channel(room));
    let shown = context.app.workspace.room_shown(room, seat.user);
    accept(&mut context.io, ack, json!({ "room": shown }));
    context
        .io
        .of("/")
        .to(&own)
        .except(from.as_str())
        .emit("room", &json!({ "room": shown }));
}

pub(super) fn leave(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Which, ack: Ack) {
    if socket.app.workspace.member(asked.room, seat.user).is_none() {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let (write, from, room) = (socket.app.lanes.write, socket.id(), asked.room);
    socket.io.run(
        write,
        move |store| store.job(|w| w.leave(room, seat.user)),
        move |context, outcome| match written(context, outcome) {
            Ok(()) => {
                context.app.workspace.remove_member(room, seat.user);
                let own = user_channel(seat.user);
                context.io.of("/").to(&own).leave(&room_channel(room));
                accept(&mut context.io, ack, json!({}));
                let others = context.io.of("/").to(&own).except(from.as_str());
                others.emit("room:gone", &json!({ "room": room }));
            }
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}
