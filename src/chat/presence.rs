//! Presence: who is here, told in batches to those who share a room with them; and who looks.
//!
//! Somebody is here from their first socket until some seconds after the last has gone: a reload is no absence. In a room of
//! more than [`limits::PRESENCE_PEOPLE_MAX`] it is told how many are here, not who.
//! Whether any tab of a person is on screen is told to their other tabs, which then need not ring.
//! Left out: being away at the keyboard, which a page could only guess.

use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::accept;
use super::store::{RoomId, UserId};
use super::{Chat, Seat, room_channel, user_channel};
use crate::server::{Ack, Io, Socket};
use crate::socketio::Reason;

#[cfg(doc)]
use crate::config::chat as limits;

pub(super) fn connected(socket: &mut Socket<'_, Chat>) {
    let Some(seat) = socket.data().seat else {
        return;
    };
    if socket.app.workspace.came(seat.user) {
        socket.app.presence.on(seat.user);
        tell_soon(socket.app, &mut socket.io);
    }
}

pub(super) fn disconnected(socket: &mut Socket<'_, Chat>, _reason: Reason) {
    let Some(seat) = socket.data().seat else {
        return;
    };
    look(socket, seat, false);
    let Some(absence) = socket.app.workspace.went(seat.user) else {
        return;
    };
    let grace = socket.app.pace.offline_after;
    let late = socket.io.after(grace, move |context| {
        if context.app.workspace.is_missed(seat.user, absence) {
            went_off(context.app, &mut context.io, seat.user);
        }
    });
    // Too many go at once for each to be given time: better offline too early than online for ever.
    if late.is_err() {
        went_off(socket.app, &mut socket.io, seat.user);
    }
}

fn went_off(app: &mut Chat, io: &mut Io<'_, Chat>, user: UserId) {
    app.presence.off(user);
    tell_soon(app, io);
}

/// Who has come and gone since others were last told.
#[derive(Debug, Default)]
pub(super) struct Presence {
    on: Vec<UserId>,
    off: Vec<UserId>,
    is_due: bool,
}

impl Presence {
    fn on(&mut self, user: UserId) {
        self.off.retain(|other| *other != user);
        self.on.push(user);
    }

    fn off(&mut self, user: UserId) {
        self.on.retain(|other| *other != user);
        self.off.push(user);
    }
}

fn tell_soon(app: &mut Chat, io: &mut Io<'_, Chat>) {
    if std::mem::replace(&mut app.presence.is_due, true) {
        return;
    }
    let soon = io.after(app.pace.presence_every, |context| {
        tell_now(context.app, &mut context.io);
    });
    if soon.is_err() {
        tell_now(app, io);
    }
}

fn tell_now(app: &mut Chat, io: &mut Io<'_, Chat>) {
    let Presence { on, off, .. } = std::mem::take(&mut app.presence);
    if on.is_empty() && off.is_empty() {
        return;
    }
    let workspace = &app.workspace;
    let general = workspace.general;
    // Whoever is in General shares a room with everybody there: one packet says all.
    let (mut together, mut apart) = (json!({ "on": [], "off": [] }), Vec::new());
    for (which, user) in on
        .iter()
        .map(|user| ("on", user))
        .chain(off.iter().map(|user| ("off", user)))
    {
        let with_all = general
            .filter(|room| workspace.is_small(*room) && workspace.member(*room, *user).is_some());
        match with_all {
            Some(_) => push(&mut together, which, *user),
            None => apart.push((which, *user)),
        }
    }
    if let Some(room) = general {
        if !workspace.is_small(room) {
            together["here"] = workspace.head_count().1.into();
        }
        let everybody = room_channel(room);
        io.of("/").to(&everybody).emit("presence", &together);
    }
    for (which, user) in apart {
        let rooms: Vec<RoomId> = workspace.rooms_of(user).collect();
        let near: Vec<String> = rooms
            .into_iter()
            .filter(|room| workspace.is_small(*room))
            .map(room_channel)
            .collect();
        if near.is_empty() {
            continue;
        }
        let mut news = json!({ "on": [], "off": [] });
        push(&mut news, which, user);
        let whom = near
            .iter()
            .fold(io.of("/"), |whom, channel| whom.to(channel));
        whom.emit("presence", &news);
    }
}

fn push(news: &mut Value, which: &str, user: UserId) {
    if let Some(list) = news[which].as_array_mut() {
        list.push(user.0.into());
    }
}

/// Whether a tab is on screen.
#[derive(Deserialize)]
pub(super) struct Visible {
    on: bool,
}

pub(super) fn visible(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Visible, ack: Ack) {
    look(socket, seat, asked.on);
    accept(&mut socket.io, ack, json!({}));
}

/// A tab is on screen from now on, or no more: the other tabs of this person are told if that makes a difference to them.
pub(super) fn look(socket: &mut Socket<'_, Chat>, seat: Seat, on: bool) {
    if std::mem::replace(&mut socket.data_mut().is_visible, on) == on {
        return;
    }
    if let Some(on) = socket.app.workspace.looks(seat.user, on) {
        let own = user_channel(seat.user);
        socket.to(&own).emit("visible", &json!({ "on": on }));
    }
}

/// What a page is told of presence when it comes: how many are here, where it is not told who.
pub(super) fn greeting(context: &Chat, seat: Seat) -> Value {
    let workspace = &context.workspace;
    let is_large = workspace
        .general
        .is_some_and(|room| !workspace.is_small(room));
    json!({
        "here": is_large.then(|| workspace.head_count().1),
        "watched": workspace.is_looking(seat.user),
    })
}
