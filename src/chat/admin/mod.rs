//! The admins' place: a namespace of its own for whoever keeps the house, and what is asked there.
//!
//! Whoever comes in is an admin, and is asked again at every event: a role may have changed since. Every change leaves a row in the
//! audit trail, in the same job; the rates are tighter than elsewhere, since some questions look at all there is.
//! Orders about people are those of [`super::order`]; what is only here is in the modules below.
//! Left out: exports, and ages of a room's own choice.

mod house;
mod rolls;
mod stats;

use serde::de::DeserializeOwned;

use super::people::{self, Auth};
use super::rates::ADMIN_EVENTS;
use super::reply::{Code, admit, question, refuse};
use super::{Chat, Seat, session_channel, user_channel};
use crate::config::chat as limits;
use crate::server::{Ack, Socket, Verdict};
use crate::socketio::args::Args;

pub(super) use house::{archive, create_user, settings, settings_set};
pub(super) use rolls::{audit, close, invite_kill, invites, rooms, sockets, users};
pub(super) use stats::{Watch, stats};

/// Its namespace.
pub(super) const PLACE: &str = "/admin";

/// Lets in admins.
pub(super) fn authorize(socket: &mut Socket<'_, Chat>, auth: &Auth) -> Verdict {
    let seat = match people::seat(socket, auth) {
        Ok(seat) => seat,
        Err(refusal) => return refusal,
    };
    if !socket.app.workspace.is_admin(seat.user) {
        return people::refused(Code::Forbidden.as_str());
    }
    let own = user_channel(seat.user);
    if socket.io.of(PLACE).to(&own).count() >= limits::SOCKETS_PER_USER_MAX {
        return people::refused(Code::Busy.as_str());
    }
    for channel in [own, session_channel(seat.session)] {
        socket.join(&channel);
    }
    socket.data_mut().seat = Some(seat);
    Verdict::Accept
}

/// A handler of an event of an admin, whose one argument is a `Q`.
pub(super) fn asked<Q: DeserializeOwned>(
    handler: impl Fn(&mut Socket<'_, Chat>, Seat, Q, Ack) + 'static,
) -> impl Fn(&mut Socket<'_, Chat>, Args<'_>, Ack) + 'static {
    move |socket, args, ack| {
        let Some((seat, ack)) = admit(socket, ack, ADMIN_EVENTS) else {
            return;
        };
        if !socket.app.workspace.is_admin(seat.user) {
            return refuse(&mut socket.io, ack, Code::Forbidden);
        }
        match question(args) {
            Some(question) => handler(socket, seat, question, ack),
            None => refuse(&mut socket.io, ack, Code::Invalid),
        }
    }
}

/// Refuses an event that nobody here has heard of.
pub(super) fn unknown(socket: &mut Socket<'_, Chat>, _event: &str, _args: Args<'_>, ack: Ack) {
    if let Some((_, ack)) = admit(socket, ack, ADMIN_EVENTS) {
        refuse(&mut socket.io, ack, Code::Invalid);
    }
}
