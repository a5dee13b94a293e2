//! People: coming in over Socket.IO, and bringing others.
//!
//! A socket is let in by the cookie of its handshake or the token it brings, joins the rooms of its person, and says hello.
//! What it does while it is there is `talk`'s and `rooms`', and that it is there `presence`'s.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::order::deed;
use super::reply::{Code, accept, change, refuse};
use super::sessions::Why;
use super::store::{State, User, UserId};
use super::{
    Chat, Seat, accounts, presence, room_channel, session_channel, sessions, user_channel,
};
use crate::config::chat as limits;
use crate::server::{Ack, Context, Socket, Verdict};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a client may bring instead of a cookie.
#[derive(Deserialize)]
pub(super) struct Auth {
    token: Option<String>,
}

/// Lets in whoever has a session.
pub(super) fn authorize(socket: &mut Socket<'_, Chat>, auth: &Auth) -> Verdict {
    let seat = match seat(socket, auth) {
        Ok(seat) => seat,
        Err(refusal) => return refusal,
    };
    let workspace = &socket.app.workspace;
    if workspace.sockets_of(seat.user) >= limits::SOCKETS_PER_USER_MAX {
        return refused("busy");
    }
    let mut channels: Vec<_> = workspace.rooms_of(seat.user).map(room_channel).collect();
    channels.extend([user_channel(seat.user), session_channel(seat.session)]);
    for channel in channels {
        socket.join(&channel);
    }
    socket.data_mut().seat = Some(seat);
    Verdict::Accept
}

/// Who comes, by the token they bring or the cookie of their handshake; their session lasts from now on.
pub(super) fn seat(socket: &mut Socket<'_, Chat>, auth: &Auth) -> Result<Seat, Verdict> {
    let cookie = socket
        .handshake()
        .and_then(|handshake| handshake.cookie(super::doors::COOKIE));
    let now = socket.io.now().wall.0;
    let Some(token) = auth.token.as_deref().or(cookie.as_deref()) else {
        return Err(refused("auth"));
    };
    let token_hash = accounts::token_hash(token);
    let workspace = &socket.app.workspace;
    let Some(session) = workspace.session(&token_hash, now) else {
        let state = workspace.is_shut_out(&token_hash, now);
        let why = state.map_or("auth", |state| Why::shut_out(state).as_str());
        return Err(refused(why));
    };
    let seat = Seat {
        user: session.user,
        session: session.id,
    };
    sessions::touch(socket.app, &mut socket.io, &token_hash);
    Ok(seat)
}

pub(super) fn refused(code: &str) -> Verdict {
    let data = Some(json!({ "code": code }));
    Verdict::Refuse {
        message: "not let in".to_owned(),
        data,
    }
}

/// Somebody's account is new, or has changed: everybody is told.
pub(super) fn tell_of(context: &mut Context<'_, Chat>, user: UserId) {
    if let Some(person) = context.app.workspace.person_shown(user) {
        context.io.of("/").emit("person", &person);
    }
}

/// Somebody as they are told of themselves.
pub(super) fn self_shown(me: &User) -> Value {
    let mut shown = json!({ "id": me.id, "login": me.login, "name": me.name, "role": me.role });
    if me.state == State::Muted {
        shown["muted"] = true.into();
        shown["mutedUntil"] = me.muted_until.into();
    }
    shown
}

/// The page's first words. Its revisions stay with it: it asks for what it missed room by room.
#[derive(Deserialize)]
pub(super) struct Hello {
    v: u32,
    /// Whether the page is on screen.
    #[serde(default)]
    visible: bool,
}

/// The version of the contract between page and server.
const CONTRACT: u32 = 1;

pub(super) fn hello(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Hello, ack: Ack) {
    if asked.v != CONTRACT {
        return refuse(&mut socket.io, ack, Code::Invalid);
    }
    let Some(mut answer) = greeting(socket.app, seat) else {
        return refuse(&mut socket.io, ack, Code::Auth);
    };
    answer["now"] = socket.io.now().wall.0.into();
    accept(&mut socket.io, ack, answer);
    presence::look(socket, seat, asked.visible);
}

fn greeting(app: &Chat, seat: Seat) -> Option<Value> {
    let (workspace, user) = (&app.workspace, seat.user);
    let me = workspace.user(user)?;
    let mut answer = json!({
        "me": self_shown(me),
        "workspace": workspace.name,
        "rooms": workspace.rooms_shown(user),
        "people": workspace.people_shown(user),
        "limits": { "text": limits::TEXT_CHARS_MAX, "page": limits::HISTORY_ROWS_MAX },
        "build": app.build,
        "database": workspace.database,
        "canInvite": workspace.may_invite(user),
    });
    for (name, value) in presence::greeting(app, seat).as_object_mut()? {
        answer[name] = value.take();
    }
    Some(answer)
}

/// An invite, for fewer people or a shorter time than it could be.
#[derive(Deserialize)]
pub(super) struct NewInvite {
    uses: Option<u32>,
    days: Option<u32>,
}

pub(super) fn invite(socket: &mut Socket<'_, Chat>, seat: Seat, asked: NewInvite, ack: Ack) {
    if !socket.app.workspace.may_invite(seat.user) {
        return refuse(&mut socket.io, ack, Code::Forbidden);
    }
    let uses = asked.uses.unwrap_or(limits::INVITE_USES_MAX);
    let kept = asked.days.map_or(limits::INVITE_KEPT, |days| DAY * days);
    if !(1..=limits::INVITE_USES_MAX).contains(&uses)
        || !(DAY..=limits::INVITE_KEPT).contains(&kept)
    {
        return refuse(&mut socket.io, ack, Code::Invalid);
    }
    let code = accounts::invite_code(&mut socket.app.chance);
    let hash = accounts::code_hash(&code).expect("a code of our own making can be read");
    let deed = deed(socket, seat, "invite:new", &json!({ "uses": uses }));
    let at = deed.at;
    let expires_at = at + super::millis(kept);
    change(
        socket,
        ack,
        move |w| {
            let invite = w.new_invite(seat.user, &hash, Some(expires_at), Some(uses), at)?;
            w.note(&deed)?;
            Ok(invite)
        },
        move |context, invite, ack| {
            let path = format!("/join/{code}");
            let answer =
                json!({ "invite": invite, "path": path, "expiresAt": expires_at, "uses": uses });
            accept(&mut context.io, ack, answer);
        },
    );
}
