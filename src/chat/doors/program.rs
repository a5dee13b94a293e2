//! The door for programs: a namespace of its own, where nobody has to be known to come in, and one event is understood.
//!
//! `session:open` with login and password comes in; a token goes out, which `/` takes as `auth.token` from then on. It is the way
//! of [`super::sign`], with the same waits and the same words.
//! Whoever is here hears nothing of what others say: no channel has anybody of this place in it.
//! Left out: staying. A socket is closed after a while, and there are so many at most.

use serde_json::json;

use super::sign::{self, Asked};
use super::{Visitor, Way, counted};
use crate::chat::Chat;
use crate::chat::rates::DOOR_EVENTS;
use crate::chat::reply::{Code, question, refuse, slow_down};
use crate::chat::throttle::Key;
use crate::config::chat as limits;
use crate::server::{Ack, Socket, Verdict};
use crate::socketio::SocketId;
use crate::socketio::args::Args;

/// Its namespace.
pub(in crate::chat) const PLACE: &str = "/door";

/// Lets in whoever comes, while there is room, for them and at all.
pub(in crate::chat) fn knock(socket: &mut Socket<'_, Chat>, _auth: serde_json::Value) -> Verdict {
    let inside = socket.io.of(PLACE).ids();
    let key = key_of(socket);
    let mut context = socket.context();
    let mut is_theirs = |id: &SocketId| {
        let other = context.socket(*id).as_ref().and_then(key_of);
        key.is_some() && other == key
    };
    let theirs = inside.iter().filter(|id| is_theirs(id)).count();
    if inside.len() < limits::DOOR_SOCKETS_MAX && theirs < limits::DOOR_SOCKETS_PER_ADDRESS_MAX {
        return Verdict::Accept;
    }
    Verdict::Refuse {
        message: "not let in".to_owned(),
        data: Some(json!({ "code": Code::Busy.as_str() })),
    }
}

/// What the address of a socket is counted by, if that can be known.
fn key_of(socket: &Socket<'_, Chat>) -> Option<Key> {
    let address = socket.handshake().and_then(|handshake| handshake.address());
    counted(address).map(Key::address)
}

pub(in crate::chat) fn arrived(socket: &mut Socket<'_, Chat>) {
    let id = socket.id();
    let later = socket.io.after(limits::DOOR_OPEN_MAX, move |context| {
        if let Some(mut socket) = context.socket(id) {
            socket.disconnect();
        }
    });
    if later.is_err() {
        socket.disconnect();
    }
}

pub(in crate::chat) fn open(socket: &mut Socket<'_, Chat>, args: Args<'_>, ack: Ack) {
    let now = socket.io.now().mono;
    if let Err(wait) = socket.data_mut().events.take(DOOR_EVENTS, now) {
        return slow_down(&mut socket.io, ack, wait);
    }
    let Some(asked) = question::<Asked>(args) else {
        return refuse(&mut socket.io, ack, Code::Invalid);
    };
    let handshake = socket.handshake();
    let visitor = Visitor {
        way: Way::Event(ack),
        address: counted(handshake.and_then(|handshake| handshake.address())),
        agent: handshake.and_then(|handshake| handshake.header("user-agent")),
    };
    if let Err((visitor, no)) = sign::begin(socket.app, &mut socket.io, visitor, asked) {
        visitor.refuse(&mut socket.io, no);
    }
}

/// Nothing else is understood here.
pub(in crate::chat) fn unknown(
    socket: &mut Socket<'_, Chat>,
    _event: &str,
    _args: Args<'_>,
    ack: Ack,
) {
    refuse(&mut socket.io, ack, Code::Invalid);
}
