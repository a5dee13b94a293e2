//! The house itself: its settings, its rooms as a whole, and accounts that an admin makes.
//!
//! A wish is checked and stored with its deed; then it holds, and whoever it concerns is told.
//! Left out: what is on the command line, which is the operator's.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::chat::doors;
use crate::chat::names::{Login, Name};
use crate::chat::order::deed;
use crate::chat::reply::{Code, accept, change, refuse};
use crate::chat::rooms::Nothing;
use crate::chat::store::{Joined, Member, Room, RoomId, StoreError};
use crate::chat::{Chat, Seat, SignUp, accounts, millis, people, room_channel, user_channel};
use crate::config::chat as limits;
use crate::server::{Ack, Context, Socket};

pub(in crate::chat) fn settings(
    socket: &mut Socket<'_, Chat>,
    _seat: Seat,
    _asked: Nothing,
    ack: Ack,
) {
    let answer = shown(socket.app);
    accept(&mut socket.io, ack, answer);
}

fn shown(app: &Chat) -> Value {
    json!({
        "workspace": app.workspace.name,
        "signUp": app.sign_up.as_str(),
        "contact": app.workspace.contact.as_deref().unwrap_or_default(),
    })
}

/// What is to be different; the rest stays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::chat) struct Settings {
    workspace: Option<String>,
    sign_up: Option<String>,
    contact: Option<String>,
}

pub(in crate::chat) fn settings_set(
    socket: &mut Socket<'_, Chat>,
    seat: Seat,
    asked: Settings,
    ack: Ack,
) {
    let Ok(checked) = Checked::of(asked) else {
        return refuse(&mut socket.io, ack, Code::Invalid);
    };
    let deed = deed(socket, seat, "settings:set", &checked.told());
    let stored = checked.clone();
    change(
        socket,
        ack,
        move |w| {
            let sign_up = stored.sign_up.map(SignUp::as_str);
            w.set_settings(
                stored.workspace.as_deref(),
                sign_up,
                stored.contact.as_deref(),
            )?;
            w.note(&deed)
        },
        move |context, (), ack| {
            checked.holds(context);
            let answer = shown(context.app);
            accept(&mut context.io, ack, answer);
        },
    );
}

#[derive(Clone)]
struct Checked {
    workspace: Option<String>,
    sign_up: Option<SignUp>,
    contact: Option<String>,
}

impl Checked {
    fn of(asked: Settings) -> Result<Self, ()> {
        let workspace = asked.workspace.map(|name| Name::parse(&name)).transpose();
        let contact = asked.contact.map(|contact| contact.trim().to_owned());
        let is_line = |text: &String| {
            text.chars().count() <= limits::CONTACT_CHARS_MAX && !text.chars().any(char::is_control)
        };
        if !contact.as_ref().is_none_or(is_line) {
            return Err(());
        }
        let sign_up = asked.sign_up.map(|word| SignUp::of(&word).ok_or(()));
        Ok(Self {
            workspace: workspace
                .map_err(|_| ())?
                .map(|name| name.as_str().to_owned()),
            sign_up: sign_up.transpose()?,
            contact,
        })
    }

    /// For the audit trail: only what is said to be different.
    fn told(&self) -> Value {
        let mut told = Map::new();
        let sign_up = self.sign_up.map(|sign_up| sign_up.as_str().to_owned());
        for (name, value) in [
            ("workspace", self.workspace.clone()),
            ("signUp", sign_up),
            ("contact", self.contact.clone()),
        ] {
            if let Some(value) = value {
                told.insert(name.to_owned(), value.into());
            }
        }
        told.into()
    }

    fn holds(self, context: &mut Context<'_, Chat>) {
        let app = &mut context.app;
        if let Some(sign_up) = self.sign_up {
            app.sign_up = sign_up;
        }
        if let Some(contact) = self.contact {
            app.workspace.contact = Some(contact).filter(|contact| !contact.is_empty());
        }
        if let Some(name) = self.workspace {
            let news = json!({ "name": name });
            app.workspace.name = Some(name);
            context.io.of("/").emit("workspace", &news);
        }
    }
}

/// Somebody who is to have an account.
#[derive(Deserialize)]
pub(in crate::chat) struct NewUser {
    login: String,
    name: String,
}

/// An account without a password, and the link that will set one.
pub(in crate::chat) fn create_user(
    socket: &mut Socket<'_, Chat>,
    seat: Seat,
    asked: NewUser,
    ack: Ack,
) {
    let (Ok(login), Ok(name)) = (Login::parse(&asked.login), Name::parse(&asked.name)) else {
        return refuse(&mut socket.io, ack, Code::Invalid);
    };
    let code = accounts::invite_code(&mut socket.app.chance);
    let hash = accounts::code_hash(&code).expect("a code of our own making can be read");
    let told = json!({ "login": login.as_str(), "name": name.as_str() });
    let deed = deed(socket, seat, "user:create", &told);
    let at = deed.at;
    let expires_at = at + millis(limits::FIRST_PASSWORD_LINK_KEPT);
    change(
        socket,
        ack,
        move |w| {
            let joined = w.create_user_without_password(&login, &name, at)?;
            w.new_password_link(joined.user.id, seat.user, &hash, expires_at, at)?;
            w.note(&deed)?;
            Ok(joined)
        },
        move |context, Joined { user, members }, ack| {
            let id = user.id;
            context.app.workspace.add_person(user);
            for member in members {
                context.app.workspace.add_member(member);
            }
            people::tell_of(context, id);
            let path = doors::path(&code);
            let answer = json!({ "user": id, "path": path, "expiresAt": expires_at });
            accept(&mut context.io, ack, answer);
        },
    );
}

/// A room that is to be closed, or to be opened again.
#[derive(Deserialize)]
pub(in crate::chat) struct Archive {
    room: RoomId,
    on: bool,
}

pub(in crate::chat) fn archive(
    socket: &mut Socket<'_, Chat>,
    seat: Seat,
    asked: Archive,
    ack: Ack,
) {
    let Archive { room, on } = asked;
    // Everybody is in it from the start.
    if socket.app.workspace.general == Some(room) {
        return refuse(&mut socket.io, ack, Code::Invalid);
    }
    let deed = deed(
        socket,
        seat,
        "room:archive",
        &json!({ "room": room, "on": on }),
    );
    let at = deed.at;
    change(
        socket,
        ack,
        move |w| {
            w.archive_room(room, on.then_some(at))?;
            w.note(&deed)?;
            let rooms = w.rooms()?;
            let room = rooms.into_iter().find(|one| one.id == room);
            let room = room.ok_or(StoreError::NotFound)?;
            let members = w.members_of(room.id)?;
            Ok((room, members))
        },
        move |context, (room, members), ack| {
            match room.archived {
                true => archived(context, room.id),
                false => reopened(context, room, members),
            }
            accept(&mut context.io, ack, json!({}));
        },
    );
}

fn archived(context: &mut Context<'_, Chat>, room: RoomId) {
    let channel = room_channel(room);
    context.app.workspace.remove_room(room);
    let inside = context.io.of("/").to(&channel);
    inside.emit("room:gone", &json!({ "room": room }));
    context.io.of("/").to(&channel).leave(&channel);
}

fn reopened(context: &mut Context<'_, Chat>, room: Room, members: Vec<Member>) {
    let (id, channel) = (room.id, room_channel(room.id));
    context.app.workspace.add_room(room);
    for member in members {
        let own = user_channel(member.user);
        let user = member.user;
        context.app.workspace.add_member(member);
        context.io.of("/").to(&own).join(&channel);
        let shown = context.app.workspace.room_shown(id, user);
        let news = json!({ "room": shown });
        context.io.of("/").to(&own).emit("room", &news);
    }
}
