//! Order: roles, muting, removing, banning, by those who may.
//!
//! A wish about somebody comes in; who may wish it is asked of the workspace at every event. What is done is on disk with its row
//! in the audit trail before anybody is told, and in the same turn whoever is shut out is cut off, from everything.
//! The same events serve the chat and the admins' page: the rank of who asks decides, not the place.
//! Left out: orders within one room, which are the room's own; reasons, which are better said in words.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ranks::{Order, Voice, may_come_in};
use super::reply::{Code, accept, refuse, written};
use super::sessions::{self, Why};
use super::store::{Deed, LetBack, Role, ShutOut, State, StoreError, User, UserId, Write};
use super::{Chat, Seat, me, members, millis, people};
use crate::config::chat as limits;
use crate::server::{Ack, Context, JobError, Socket};

/// Somebody by their id.
#[derive(Deserialize)]
pub(super) struct Whom {
    user: UserId,
}

/// What one may order about somebody, and how it stands with them.
pub(super) fn about(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Whom, ack: Ack) {
    let (workspace, now) = (&socket.app.workspace, socket.io.now().wall.0);
    let may = |order| workspace.may_order(seat.user, order, asked.user);
    let orders = [
        ("mute", Order::Mute),
        ("remove", Order::Remove),
        ("ban", Order::Ban),
        ("role", Order::Role),
        ("link", Order::Link),
    ];
    let may: Vec<_> = orders
        .into_iter()
        .filter_map(|(name, order)| may(order).then_some(name))
        .collect();
    let Some(user) = workspace.user(asked.user).filter(|_| !may.is_empty()) else {
        return refuse(&mut socket.io, ack, Code::NotFound);
    };
    let mut answer = json!({
        "user": user.id, "role": user.role, "isOut": !may_come_in(user), "may": may,
    });
    match workspace.voice(user.id, now) {
        _ if !may_come_in(user) => answer["state"] = json!(user.state),
        Voice::Free => {}
        Voice::Muted => answer["muted"] = true.into(),
        Voice::MutedUntil(until) => {
            answer["muted"] = true.into();
            answer["mutedUntil"] = until.into();
        }
    }
    accept(&mut socket.io, ack, answer);
}

/// What somebody does, for the audit trail.
pub(super) fn deed(
    socket: &Socket<'_, Chat>,
    seat: Seat,
    what: &'static str,
    target: &Value,
) -> Deed {
    let address = socket.handshake().and_then(|handshake| handshake.address());
    Deed {
        at: socket.io.now().wall.0,
        by: seat.user,
        what,
        target: target.to_string(),
        ip: address.map(|address| address.to_string()),
    }
}

/// An order under way: it may be given, and is written down with its deed.
fn give<T: Send + 'static>(
    socket: &mut Socket<'_, Chat>,
    deed: Deed,
    ack: Ack,
    change: impl FnOnce(&Write<'_>) -> Result<T, StoreError> + Send + 'static,
    known: impl FnOnce(&mut Context<'_, Chat>, T) + 'static,
) {
    socket.io.run(
        socket.app.lanes.write,
        move |store| {
            store.job(|w| {
                let changed = change(w)?;
                w.note(&deed)?;
                Ok(changed)
            })
        },
        move |context, outcome| given(context, outcome, ack, known),
    );
}

fn given<T>(
    context: &mut Context<'_, Chat>,
    outcome: Result<Result<T, StoreError>, JobError>,
    ack: Ack,
    known: impl FnOnce(&mut Context<'_, Chat>, T),
) {
    let is_last_admin = matches!(&outcome, Ok(Err(StoreError::LastAdmin)));
    match written(context, outcome) {
        Ok(changed) => {
            known(context, changed);
            accept(&mut context.io, ack, json!({}));
        }
        Err(code) if is_last_admin => {
            let answer = json!({ "ok": false, "code": code.as_str(), "why": "last-admin" });
            ack.send(&mut context.io, &answer);
        }
        Err(code) => refuse(&mut context.io, ack, code),
    }
}

/// Whether an order may be given; who may not is told so only about somebody whom there is.
pub(super) fn may_give(
    socket: &mut Socket<'_, Chat>,
    seat: Seat,
    order: Order,
    whom: UserId,
    ack: Ack,
) -> Option<Ack> {
    let workspace = &socket.app.workspace;
    if workspace.may_order(seat.user, order, whom) {
        return Some(ack);
    }
    let code = match workspace.user(whom) {
        Some(_) => Code::Forbidden,
        None => Code::NotFound,
    };
    refuse(&mut socket.io, ack, code);
    None
}

/// Another role for somebody.
#[derive(Deserialize)]
pub(super) struct ToRole {
    user: UserId,
    role: Role,
}

pub(super) fn role(socket: &mut Socket<'_, Chat>, seat: Seat, asked: ToRole, ack: Ack) {
    let ToRole { user, role } = asked;
    // Programs are made, not promoted.
    if role == Role::Bot {
        return refuse(&mut socket.io, ack, Code::Invalid);
    }
    let Some(ack) = may_give(socket, seat, Order::Role, user, ack) else {
        return;
    };
    let deed = deed(
        socket,
        seat,
        "user:role",
        &json!({ "user": user, "role": role }),
    );
    give(
        socket,
        deed,
        ack,
        move |w| w.set_role(user, role),
        |context, user| {
            let (id, role) = (user.id, user.role);
            changed(context, user);
            if role != Role::Admin {
                sessions::tell_demoted(&mut context.io, id);
            }
        },
    );
}

/// Somebody is to be silent: for so long, or for good.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mute {
    user: UserId,
    for_ms: Option<u64>,
}

pub(super) fn mute(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Mute, ack: Ack) {
    let Mute { user, for_ms } = asked;
    let fits = |ms: u64| (1..=millis(limits::MUTE_MAX)).contains(&ms);
    if !for_ms.is_none_or(fits) {
        return refuse(&mut socket.io, ack, Code::Invalid);
    }
    let Some(ack) = may_give(socket, seat, Order::Mute, user, ack) else {
        return;
    };
    let until = for_ms.map(|ms| socket.io.now().wall.0 + ms);
    let deed = deed(
        socket,
        seat,
        "user:mute",
        &json!({ "user": user, "until": until }),
    );
    give(socket, deed, ack, move |w| w.mute(user, until), changed);
}

pub(super) fn unmute(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Whom, ack: Ack) {
    let user = asked.user;
    let Some(ack) = may_give(socket, seat, Order::Mute, user, ack) else {
        return;
    };
    let deed = deed(socket, seat, "user:unmute", &json!({ "user": user }));
    give(socket, deed, ack, move |w| w.unmute(user), changed);
}

/// Somebody is what they are from now on: everybody is told, and they themselves.
fn changed(context: &mut Context<'_, Chat>, user: User) {
    let id = user.id;
    context.app.workspace.add_person(user);
    people::tell_of(context, id);
    me::tell(context, id);
}

pub(super) fn remove(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Whom, ack: Ack) {
    shut(
        socket,
        seat,
        (Order::Remove, "user:remove", State::Left),
        asked,
        ack,
    );
}

pub(super) fn ban(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Whom, ack: Ack) {
    shut(
        socket,
        seat,
        (Order::Ban, "user:ban", State::Banned),
        asked,
        ack,
    );
}

fn shut(
    socket: &mut Socket<'_, Chat>,
    seat: Seat,
    (order, what, state): (Order, &'static str, State),
    Whom { user }: Whom,
    ack: Ack,
) {
    let Some(ack) = may_give(socket, seat, order, user, ack) else {
        return;
    };
    let deed = deed(socket, seat, what, &json!({ "user": user }));
    give(
        socket,
        deed,
        ack,
        move |w| w.shut_out(user, state),
        shut_out,
    );
}

/// Somebody is out: of their rooms, with all of their sockets, in this turn.
fn shut_out(context: &mut Context<'_, Chat>, out: ShutOut) {
    let ShutOut { user, rooms } = out;
    let (id, state) = (user.id, user.state);
    for (room, left) in rooms {
        members::went_out(context, room, id, left, None);
    }
    context.app.workspace.add_person(user);
    sessions::tell_shut_out(&mut context.io, id, Why::shut_out(state));
    people::tell_of(context, id);
}

pub(super) fn unban(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Whom, ack: Ack) {
    let user = asked.user;
    let Some(ack) = may_give(socket, seat, Order::Ban, user, ack) else {
        return;
    };
    let deed = deed(socket, seat, "user:unban", &json!({ "user": user }));
    let at = deed.at;
    give(socket, deed, ack, move |w| w.let_back(user, at), let_back);
}

fn let_back(context: &mut Context<'_, Chat>, back: LetBack) {
    let LetBack {
        user,
        member,
        closed,
    } = back;
    let id = user.id;
    context.app.workspace.remove_sessions(&closed);
    context.app.workspace.add_person(user);
    if let Some(member) = member {
        members::came_in(context, member, None);
    }
    people::tell_of(context, id);
}
