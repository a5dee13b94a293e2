//! Direct messages: the room of two people.
//!
//! It is made when one of them opens it, and is one however often and by whom it is asked for. The other hears of it with
//! its first message: to look at an empty page is no business of theirs.
//! It is a room like any other from then on. Nobody leaves it; with somebody who has left the workspace it can be read, and
//! not written in. With oneself it is a page for notes.
//! Left out: rooms of three, which are private rooms.

use serde::Deserialize;
use serde_json::json;

use super::ranks::may_come_in;
use super::reply::{Code, accept, change, refuse};
use super::rooms::tell_tabs;
use super::store::{Member, Room, RoomId, RoomKind, UserId};
use super::workspace::Workspace;
use super::{Chat, Seat, room_channel, user_channel};
use crate::server::{Ack, Context, Socket};

/// Whom somebody wants to speak to.
#[derive(Deserialize)]
pub(super) struct With {
    user: UserId,
}

pub(super) fn open(socket: &mut Socket<'_, Chat>, seat: Seat, asked: With, ack: Ack) {
    let (workspace, other) = (&socket.app.workspace, asked.user);
    if let Some(room) = workspace.direct(seat.user, other) {
        let shown = workspace.room_shown(room, seat.user);
        return accept(&mut socket.io, ack, json!({ "room": shown }));
    }
    if !workspace.user(other).is_some_and(may_come_in) {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let (at, from) = (socket.io.now().wall.0, socket.id());
    change(
        socket,
        ack,
        move |w| {
            let room = w.open_direct(seat.user, other, at)?;
            let both = [w.member(room.id, seat.user)?, w.member(room.id, other)?];
            Ok((room, both))
        },
        move |context, (room, both), ack| {
            let id = room.id;
            opened(context, room, both);
            let shown = json!({ "room": context.app.workspace.room_shown(id, seat.user) });
            tell_tabs(context, seat, from.as_str(), "room", &shown);
            accept(&mut context.io, ack, shown);
        },
    );
}

/// A direct room is on disk. Both may have asked for it at once: what is here already stays as it is.
fn opened(context: &mut Context<'_, Chat>, room: Room, both: [Member; 2]) {
    let (workspace, channel) = (&mut context.app.workspace, room_channel(room.id));
    if workspace.room(room.id).is_some() {
        return;
    }
    workspace.add_room(room);
    for member in both {
        let own = user_channel(member.user);
        context.app.workspace.add_member(member);
        context.io.of("/").to(&own).join(&channel);
    }
}

/// The first message of a direct room is about to be told: the other one is told of the room, as it was before.
pub(super) fn first_said(context: &mut Context<'_, Chat>, room: RoomId, by: UserId) {
    let workspace = &context.app.workspace;
    let Some(other) = workspace.other_in(room, by).filter(|other| *other != by) else {
        return;
    };
    let shown = json!({ "room": workspace.room_shown(room, other) });
    let own = user_channel(other);
    context.io.of("/").to(&own).emit("room", &shown);
}

/// Whether a direct room can only be read: the other one will never see what is said there.
pub(super) fn is_one_sided(workspace: &Workspace, room: RoomId, user: UserId) -> bool {
    let is_direct = workspace
        .room(room)
        .is_some_and(|room| room.kind == RoomKind::Direct);
    let other = workspace.other_in(room, user);
    is_direct && !other.is_some_and(|other| workspace.user(other).is_some_and(may_come_in))
}

/// Whether a direct room is still known to one of the two alone.
pub(super) fn is_unspoken(workspace: &Workspace, room: RoomId) -> bool {
    workspace
        .room(room)
        .is_some_and(|room| room.kind == RoomKind::Direct && room.seq == 0)
}
