//! The rolls: who has an account, which rooms and invites there are, who is connected, and what was done.
//!
//! A question comes in, a bounded page of rows goes out, and whether there are more. From the store what only it knows, from
//! memory who is there now.
//! Left out: what people write. An admin reads the rooms they are in, like everybody.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::chat::order::deed;
use crate::chat::reply::{Code, accept, change, look_up, refuse};
use crate::chat::rooms::Nothing;
use crate::chat::sessions::{self, Why};
use crate::chat::store::{InviteId, RoomId, RoomKind, SessionId, UserId};
use crate::chat::{Chat, Seat, user_channel};
use crate::config::chat::ADMIN_ROWS_MAX;
use crate::server::{Ack, Context, Io, Socket};
use crate::socketio::SocketId;

/// Everybody, or whoever has this in login or name, above an id.
#[derive(Deserialize)]
pub(in crate::chat) struct Users {
    #[serde(default)]
    q: String,
    after: Option<UserId>,
}

pub(in crate::chat) fn users(socket: &mut Socket<'_, Chat>, _seat: Seat, asked: Users, ack: Ack) {
    let Users { q, after } = asked;
    let above = after.unwrap_or(UserId(0));
    look_up(
        socket,
        ack,
        move |r| r.people(q.trim(), above, ADMIN_ROWS_MAX + 1),
        move |context, mut people, ack| {
            let more = people.len() > ADMIN_ROWS_MAX;
            people.truncate(ADMIN_ROWS_MAX);
            let workspace = &context.app.workspace;
            let row = |person: &crate::chat::store::PersonListed| {
                let mut row = json!(person);
                row["online"] = workspace.is_online(person.user.id).into();
                row["sockets"] = workspace.sockets_of(person.user.id).into();
                row
            };
            let rows: Vec<_> = people.iter().map(row).collect();
            accept(&mut context.io, ack, json!({ "rows": rows, "more": more }));
        },
    );
}

/// All rooms, above an id, but those of two people, which are theirs alone.
#[derive(Deserialize)]
pub(in crate::chat) struct Rooms {
    after: Option<RoomId>,
}

pub(in crate::chat) fn rooms(socket: &mut Socket<'_, Chat>, _seat: Seat, asked: Rooms, ack: Ack) {
    let above = asked.after.unwrap_or(RoomId(0));
    look_up(
        socket,
        ack,
        move |r| Ok((r.rooms()?, r.member_counts()?)),
        move |context, (rooms, counts), ack| {
            let general = context.app.workspace.general;
            let row = |room: &crate::chat::store::Room| {
                let mut row = json!(room);
                row["members"] = counts.get(&room.id).copied().unwrap_or(0).into();
                row["general"] = (general == Some(room.id)).into();
                row
            };
            let mut named = rooms
                .iter()
                .filter(|room| room.kind != RoomKind::Direct && room.id > above);
            let rows: Vec<_> = named.by_ref().take(ADMIN_ROWS_MAX).map(row).collect();
            let more = named.next().is_some();
            accept(&mut context.io, ack, json!({ "rows": rows, "more": more }));
        },
    );
}

pub(in crate::chat) fn invites(
    socket: &mut Socket<'_, Chat>,
    _seat: Seat,
    _asked: Nothing,
    ack: Ack,
) {
    let at = socket.io.now().wall.0;
    look_up(
        socket,
        ack,
        move |r| r.invites(at),
        move |context, invites, ack| accept(&mut context.io, ack, json!({ "rows": invites })),
    );
}

/// An invite that is to let nobody in any more.
#[derive(Deserialize)]
pub(in crate::chat) struct Kill {
    invite: InviteId,
}

pub(in crate::chat) fn invite_kill(
    socket: &mut Socket<'_, Chat>,
    seat: Seat,
    asked: Kill,
    ack: Ack,
) {
    let invite = asked.invite;
    let deed = deed(socket, seat, "invite:kill", &json!({ "invite": invite }));
    change(
        socket,
        ack,
        move |w| {
            w.kill_invite(invite)?;
            w.note(&deed)
        },
        move |context, (), ack| accept(&mut context.io, ack, json!({})),
    );
}

/// The trail, from its end or from before a row.
#[derive(Deserialize)]
pub(in crate::chat) struct Trail {
    before: Option<i64>,
}

pub(in crate::chat) fn audit(socket: &mut Socket<'_, Chat>, _seat: Seat, asked: Trail, ack: Ack) {
    look_up(
        socket,
        ack,
        move |r| r.audit(asked.before, ADMIN_ROWS_MAX + 1),
        move |context, mut rows, ack| {
            let more = rows.len() > ADMIN_ROWS_MAX;
            rows.truncate(ADMIN_ROWS_MAX);
            accept(&mut context.io, ack, json!({ "rows": rows, "more": more }));
        },
    );
}

/// All sockets of the chat, or those of one person.
#[derive(Deserialize)]
pub(in crate::chat) struct Whose {
    user: Option<UserId>,
}

pub(in crate::chat) fn sockets(socket: &mut Socket<'_, Chat>, _seat: Seat, asked: Whose, ack: Ack) {
    let own = asked.user.map(user_channel);
    let all = socket.io.of("/");
    let ids = match &own {
        Some(own) => all.to(own).ids(),
        None => all.ids(),
    };
    let count = ids.len();
    let mut context = socket.context();
    let shown = ids.into_iter().take(ADMIN_ROWS_MAX);
    let rows: Vec<_> = shown
        .filter_map(|id| socket_shown(&mut context, id))
        .collect();
    accept(&mut socket.io, ack, json!({ "rows": rows, "count": count }));
}

fn socket_shown(context: &mut Context<'_, Chat>, id: SocketId) -> Option<Value> {
    let socket = context.socket(id)?;
    let seat = socket.data().seat?;
    let handshake = socket.handshake();
    let address = handshake.and_then(|handshake| handshake.address());
    Some(json!({
        "socket": id.as_str(),
        "user": seat.user,
        "session": seat.session,
        "transport": socket.transport().map(|transport| transport.as_str()),
        "address": address.map(|address| address.to_string()),
        "agent": handshake.and_then(|handshake| handshake.header("user-agent")),
        "since": handshake.map(|handshake| handshake.issued().0),
    }))
}

/// What is to end: a connection, which may come back, or a session, or all sessions of somebody.
#[derive(Deserialize)]
pub(in crate::chat) struct Close {
    socket: Option<String>,
    session: Option<SessionId>,
    user: Option<UserId>,
}

pub(in crate::chat) fn close(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Close, ack: Ack) {
    let (target, of) = match asked {
        Close {
            socket: Some(id),
            session: None,
            user: None,
        } => match find(&mut socket.io, &id) {
            Some(id) => (json!({ "socket": id.as_str() }), Ended::Socket(id)),
            None => return refuse(&mut socket.io, ack, Code::NotFound),
        },
        Close {
            socket: None,
            session: Some(session),
            user: None,
        } => match socket.app.workspace.owner(session) {
            Some(user) => {
                let target = json!({ "user": user, "session": session });
                (target, Ended::Session(session))
            }
            None => return refuse(&mut socket.io, ack, Code::NotFound),
        },
        Close {
            socket: None,
            session: None,
            user: Some(user),
        } => match socket.app.workspace.user(user) {
            Some(_) => (json!({ "user": user }), Ended::SessionsOf(user)),
            None => return refuse(&mut socket.io, ack, Code::NotFound),
        },
        _ => return refuse(&mut socket.io, ack, Code::Invalid),
    };
    let deed = deed(socket, seat, "sockets:close", &target);
    change(
        socket,
        ack,
        move |w| {
            w.note(&deed)?;
            Ok(match of {
                Ended::Socket(_) => Vec::new(),
                Ended::Session(id) => w.close_session_by_id(id)?.into_iter().collect(),
                Ended::SessionsOf(user) => w.close_sessions_of(user, None)?,
            })
        },
        move |context, closed, ack| {
            accept(&mut context.io, ack, json!({ "ended": closed.len() }));
            if let Ended::Socket(id) = of
                && let Some(mut socket) = context.socket(id)
            {
                socket.disconnect_connection();
            }
            context.app.workspace.remove_sessions(&closed);
            sessions::tell_ended(&mut context.io, &closed, Why::Revoked);
        },
    );
}

#[derive(Clone, Copy)]
enum Ended {
    Socket(SocketId),
    Session(SessionId),
    SessionsOf(UserId),
}

/// A socket of the chat by its id.
fn find(io: &mut Io<'_, Chat>, id: &str) -> Option<SocketId> {
    let id = SocketId::parse(id)?;
    (io.of("/").to(id.as_str()).count() == 1).then_some(id)
}
