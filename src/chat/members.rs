//! Who is in a room, and how much each of them wants to hear of it.
//!
//! Being added, removed, joining and leaving end here: in memory, in the channels of every socket of the person, and as a
//! `member` for those who are in the room.
//! Never asks the store who may: `rooms` says that.
//! Left out: roles within a room. It has one maker.

use serde::Deserialize;
use serde_json::json;

use super::ranks::may_come_in;
use super::reply::{Code, accept, change, refuse};
use super::rooms::{Which, may_be_left, may_manage, tell_of_change, tell_tabs};
use super::store::{Left, Level, Member, RoomId, UserId};
use super::{Chat, Seat, room_channel, user_channel};
use crate::server::{Ack, Context, Socket};
use crate::socketio::SocketId;

pub(super) fn list(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Which, ack: Ack) {
    let workspace = &socket.app.workspace;
    if workspace.member(asked.room, seat.user).is_none() {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let members: Vec<_> = workspace.members(asked.room).collect();
    accept(&mut socket.io, ack, json!({ "members": members }));
}

/// Somebody in a room, or about to be.
#[derive(Deserialize)]
pub(super) struct Whom {
    room: RoomId,
    user: UserId,
}

pub(super) fn add(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Whom, ack: Ack) {
    let Whom { room, user } = asked;
    let workspace = &socket.app.workspace;
    if let Err(code) = may_manage(workspace, room, seat) {
        return refuse(&mut socket.io, ack, code);
    }
    if !workspace.user(user).is_some_and(may_come_in) {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let at = socket.io.now().wall.0;
    change(
        socket,
        ack,
        move |w| {
            w.member(room, seat.user)?;
            w.join(room, user, at)
        },
        move |context, member, ack| {
            came_in(context, member, None);
            accept(&mut context.io, ack, json!({}));
        },
    );
}

pub(super) fn remove(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Whom, ack: Ack) {
    let Whom { room, user } = asked;
    let workspace = &socket.app.workspace;
    if let Err(code) = may_manage(workspace, room, seat) {
        return refuse(&mut socket.io, ack, code);
    }
    if !may_be_left(workspace, room) {
        return refuse(&mut socket.io, ack, Code::Forbidden);
    }
    change(
        socket,
        ack,
        move |w| {
            w.member(room, seat.user)?;
            w.leave(room, user)
        },
        move |context, left, ack| {
            went_out(context, room, user, left, None);
            accept(&mut context.io, ack, json!({}));
        },
    );
}

/// Somebody is in a room from now on: with all of their sockets, all of which are told but the one that asked; and so are
/// the others in it. Who was in it before is told again, which changes nothing.
pub(super) fn came_in(context: &mut Context<'_, Chat>, member: Member, asked: Option<SocketId>) {
    let (room, user) = (member.room, member.user);
    let is_new = context.app.workspace.member(room, user).is_none();
    context.app.workspace.add_member(member);
    let (own, everybody) = (user_channel(user), room_channel(room));
    context.io.of("/").to(&own).join(&everybody);
    let shown = json!({ "room": context.app.workspace.room_shown(room, user) });
    let asked = asked.as_ref().map_or("", SocketId::as_str);
    let tabs = context.io.of("/").to(&own).except(asked);
    tabs.emit("room", &shown);
    if is_new {
        tell_of_member(context, room, user, true);
    }
}

/// Somebody is no more in a room, and hears nothing of it from now on.
pub(super) fn went_out(
    context: &mut Context<'_, Chat>,
    room: RoomId,
    user: UserId,
    left: Left,
    asked: Option<SocketId>,
) {
    let workspace = &mut context.app.workspace;
    workspace.remove_member(room, user);
    if let Some(maker) = left.maker {
        workspace.hand_over(room, maker);
    }
    if left.is_archived {
        workspace.remove_room(room);
    }
    let (own, channel) = (user_channel(user), room_channel(room));
    context.io.of("/").to(&own).leave(&channel);
    let asked = asked.as_ref().map_or("", SocketId::as_str);
    let tabs = context.io.of("/").to(&own).except(asked);
    tabs.emit("room:gone", &json!({ "room": room }));
    tell_of_member(context, room, user, false);
    if left.maker.is_some() {
        tell_of_change(context, room);
    }
}

/// Those in a room are told who is in it from now on, or no more.
pub(super) fn tell_of_member(
    context: &mut Context<'_, Chat>,
    room: RoomId,
    user: UserId,
    on: bool,
) {
    let (own, everybody) = (user_channel(user), room_channel(room));
    let others = context.io.of("/").to(&everybody).except(&own);
    others.emit("member", &json!({ "room": room, "user": user, "on": on }));
}

/// How much somebody wants to hear of a room.
#[derive(Deserialize)]
pub(super) struct HowMuch {
    room: RoomId,
    level: Level,
}

pub(super) fn level(socket: &mut Socket<'_, Chat>, seat: Seat, asked: HowMuch, ack: Ack) {
    let HowMuch { room, level } = asked;
    if socket.app.workspace.member(room, seat.user).is_none() {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let from = socket.id();
    change(
        socket,
        ack,
        move |w| w.set_level(room, seat.user, level),
        move |context, (), ack| {
            context.app.workspace.set_level(room, seat.user, level);
            accept(&mut context.io, ack, json!({}));
            let shown = json!({ "room": context.app.workspace.room_shown(room, seat.user) });
            tell_tabs(context, seat, from.as_str(), "room", &shown);
        },
    );
}
