//! Oneself: one's name, and one's sessions.
//!
//! A wish comes in; what changed is told to everybody, or to one's own tabs.
//! A new password is the doors' business.
//! Left out: another login, which is what others know one by; pictures.

use serde::Deserialize;
use serde_json::{Value, json};

use super::names::Name;
use super::people::{self, self_shown};
use super::ranks::Voice;
use super::rates::Wish;
use super::reply::{Code, accept, admitted, change, look_up, refuse, refuse_muted};
use super::rooms::Nothing;
use super::sessions::{self, Why};
use super::store::UserId;
use super::{Chat, Seat, user_channel};
use crate::server::{Ack, Context, Socket};

/// What is to be different.
#[derive(Deserialize)]
pub(super) struct Update {
    name: String,
}

pub(super) fn update(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Update, ack: Ack) {
    let Ok(name) = Name::parse(&asked.name) else {
        return refuse(&mut socket.io, ack, Code::Invalid);
    };
    let now = socket.io.now();
    // A name is said to everybody.
    let voice = socket.app.workspace.voice(seat.user, now.wall.0);
    if voice != Voice::Free {
        return refuse_muted(&mut socket.io, ack, voice);
    }
    let Some(ack) = admitted(socket, seat, Wish::Rename, ack) else {
        return;
    };
    change(
        socket,
        ack,
        move |w| w.set_name(seat.user, &name),
        move |context, me, ack| {
            let answer = json!({ "me": self_shown(&me) });
            context.app.workspace.add_person(me);
            people::tell_of(context, seat.user);
            tell(context, seat.user);
            accept(&mut context.io, ack, answer);
        },
    );
}

/// Somebody's own tabs are told what they are and may do from now on.
pub(super) fn tell(context: &mut Context<'_, Chat>, user: UserId) {
    if let Some(news) = shown(context.app, user) {
        let own = user_channel(user);
        context.io.of("/").to(&own).emit("me", &news);
    }
}

fn shown(app: &Chat, user: UserId) -> Option<Value> {
    let me = app.workspace.user(user)?;
    Some(json!({ "me": self_shown(me), "canInvite": app.workspace.may_invite(user) }))
}

pub(super) fn sessions(socket: &mut Socket<'_, Chat>, seat: Seat, _asked: Nothing, ack: Ack) {
    look_up(
        socket,
        ack,
        move |r| r.sessions_of(seat.user),
        move |context, sessions, ack| {
            let answer = json!({ "sessions": sessions, "this": seat.session });
            accept(&mut context.io, ack, answer);
        },
    );
}

/// Which sessions are to end: all others, or this one as well.
#[derive(Deserialize)]
pub(super) struct Revoke {
    #[serde(default)]
    all: bool,
}

pub(super) fn revoke(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Revoke, ack: Ack) {
    let but = (!asked.all).then_some(seat.session);
    change(
        socket,
        ack,
        move |w| w.close_sessions_of(seat.user, but),
        move |context, closed, ack| {
            context.app.workspace.remove_sessions(&closed);
            accept(&mut context.io, ack, json!({ "ended": closed.len() }));
            sessions::tell_ended(&mut context.io, &closed, Why::SignedOut);
        },
    );
}
