//! Rooms: found, made, changed, entered, left.
//!
//! A wish is checked, stored, and then made true in memory and for every socket of the person; others hear of it.
//! A room belongs to who made it: they, moderators and admins may change it and say who is in it, if they are in it
//! themselves. A private room shows to nobody else: to them it answers like one that never was (only the page for admins names
//! it, so that it can be closed). General is for everybody, and nobody leaves it.
//! Left out: archiving, and turning a room from open to private or back.

use serde::Deserialize;
use serde_json::json;

use super::members::{came_in, went_out};
use super::names::Name;
use super::ranks::Voice;
use super::rates::Wish;
use super::reply::{Code, accept, admitted, change, refuse, refuse_muted};
use super::store::{Room, RoomId, RoomKind};
use super::workspace::Workspace;
use super::{Chat, Seat, room_channel, user_channel};
use crate::config::chat as limits;
use crate::server::{Ack, Context, Socket};

/// Nothing is asked but the event itself.
#[derive(Deserialize)]
pub(super) struct Nothing {}

pub(super) fn list(socket: &mut Socket<'_, Chat>, seat: Seat, _asked: Nothing, ack: Ack) {
    let rooms = socket.app.workspace.rooms_listed(seat.user);
    accept(&mut socket.io, ack, json!({ "rooms": rooms }));
}

/// A new room: open, unless it is to be private.
#[derive(Deserialize)]
pub(super) struct Create {
    name: String,
    #[serde(default)]
    topic: String,
    kind: Option<RoomKind>,
}

pub(super) fn create(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Create, ack: Ack) {
    let kind = asked.kind.unwrap_or(RoomKind::Open);
    let (Ok(name), Some(topic)) = (Name::parse(&asked.name), topic(&asked.topic)) else {
        return refuse(&mut socket.io, ack, Code::Invalid);
    };
    if kind == RoomKind::Direct {
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
    let at = now.wall.0;
    change(
        socket,
        ack,
        move |w| {
            let room = w.create_room(kind, &name, &topic, seat.user, at)?;
            let member = w.member(room.id, seat.user)?;
            Ok((room, member))
        },
        move |context, (room, member), ack| {
            let id = room.id;
            context.app.workspace.add_room(room);
            came_in(context, member, Some(from));
            let shown = context.app.workspace.room_shown(id, seat.user);
            accept(&mut context.io, ack, json!({ "room": shown }));
            tell_of_open(context, id);
        },
    );
}

/// A topic as it is kept.
fn topic(typed: &str) -> Option<String> {
    let topic = typed.trim();
    let fits = topic.chars().count() <= limits::TOPIC_CHARS_MAX;
    (fits && !topic.chars().any(char::is_control)).then(|| topic.to_owned())
}

/// Those who look at the list of rooms are told that it has changed.
fn tell_of_open(context: &mut Context<'_, Chat>, room: RoomId) {
    if let Some(listed) = context.app.workspace.room_listed(room, None) {
        let news = json!({ "room": listed });
        context.io.of("/").emit("room:new", &news);
    }
}

/// Whether somebody may change a room, and who is in it.
pub(super) fn may_manage(workspace: &Workspace, room: RoomId, seat: Seat) -> Result<&Room, Code> {
    let there = workspace.room(room).ok_or(Code::NotFound)?;
    workspace.member(room, seat.user).ok_or(Code::NotFound)?;
    let may = there.by == Some(seat.user) || workspace.may_invite(seat.user);
    if there.kind == RoomKind::Direct || !may {
        return Err(Code::Forbidden);
    }
    Ok(there)
}

/// Another name or topic.
#[derive(Deserialize)]
pub(super) struct Update {
    room: RoomId,
    name: Option<String>,
    topic: Option<String>,
}

pub(super) fn update(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Update, ack: Ack) {
    let id = asked.room;
    if let Err(code) = may_manage(&socket.app.workspace, id, seat) {
        return refuse(&mut socket.io, ack, code);
    }
    let name = asked.name.as_deref().map(Name::parse).transpose();
    let (Ok(name), Some(topic)) = (
        name,
        asked
            .topic
            .as_deref()
            .map_or(Some(None), |it| topic(it).map(Some)),
    ) else {
        return refuse(&mut socket.io, ack, Code::Invalid);
    };
    change(
        socket,
        ack,
        move |w| {
            w.member(id, seat.user)?;
            w.update_room(id, name.as_ref(), topic.as_deref())
        },
        move |context, room, ack| {
            context.app.workspace.add_room(room);
            accept(&mut context.io, ack, json!({}));
            tell_of_change(context, id);
            tell_of_open(context, id);
        },
    );
}

/// Everybody in a room is told what is new about it.
pub(super) fn tell_of_change(context: &mut Context<'_, Chat>, room: RoomId) {
    if let Some(head) = context.app.workspace.room_head(room) {
        let everybody = room_channel(room);
        let news = json!({ "room": head });
        context.io.of("/").to(&everybody).emit("room", &news);
    }
}

/// A room by its id.
#[derive(Deserialize)]
pub(super) struct Which {
    pub(super) room: RoomId,
}

pub(super) fn join(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Which, ack: Ack) {
    let is_open = |room: &Room| room.kind == RoomKind::Open && !room.archived;
    if !socket.app.workspace.room(asked.room).is_some_and(is_open) {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    let (at, from) = (socket.io.now().wall.0, socket.id());
    change(
        socket,
        ack,
        move |w| w.join(asked.room, seat.user, at),
        move |context, member, ack| {
            came_in(context, member, Some(from));
            let shown = context.app.workspace.room_shown(asked.room, seat.user);
            accept(&mut context.io, ack, json!({ "room": shown }));
        },
    );
}

pub(super) fn leave(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Which, ack: Ack) {
    let (workspace, room) = (&socket.app.workspace, asked.room);
    if workspace.member(room, seat.user).is_none() {
        return refuse(&mut socket.io, ack, Code::NotFound);
    }
    if !may_be_left(workspace, room) {
        return refuse(&mut socket.io, ack, Code::Forbidden);
    }
    let from = socket.id();
    change(
        socket,
        ack,
        move |w| w.leave(room, seat.user),
        move |context, left, ack| {
            accept(&mut context.io, ack, json!({}));
            went_out(context, room, seat.user, left, Some(from));
        },
    );
}

/// Whether a membership of this room can end: everybody stays in General, and each of two in the room they have together.
pub(super) fn may_be_left(workspace: &Workspace, room: RoomId) -> bool {
    let is_direct = workspace
        .room(room)
        .is_some_and(|room| room.kind == RoomKind::Direct);
    !is_direct && !workspace.is_general(room)
}

/// The other tabs of a person, or all of them.
pub(super) fn tell_tabs(
    context: &mut Context<'_, Chat>,
    seat: Seat,
    from: &str,
    event: &str,
    news: &serde_json::Value,
) {
    let own = user_channel(seat.user);
    context.io.of("/").to(&own).except(from).emit(event, news);
}
