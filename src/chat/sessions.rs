//! Sessions after they were opened: used, expired, ended.
//!
//! A session lasts from its last use. When it ends, by whatever hand, its sockets are told why and cut in the same turn.
//! Knows no cookie: a token is known here by its hash.
//! Left out: the list of one's devices.

use serde_json::json;

use super::accounts::Digest;
use super::reply::written;
use super::store::SessionId;
use super::{Chat, millis, session_channel};
use crate::config::chat as limits;
use crate::server::{Context, Io};

/// Why a session is over, in the page's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Nobody used it for long enough.
    Expired,
    /// Its owner ended it, or has opened too many others.
    SignedOut,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::SignedOut => "signed-out",
        }
    }
}

/// A session was used, and lasts from now on; that is written down now and then.
pub(super) fn touch(app: &mut Chat, io: &mut Io<'_, Chat>, token_hash: &Digest) {
    let at = io.now().wall.0;
    let Some(session) = app.workspace.session(token_hash, at) else {
        return;
    };
    if at.saturating_sub(session.used_at) < millis(limits::SESSION_TOUCHED_EVERY) {
        return;
    }
    let (id, expires_at) = (session.id, at + millis(limits::SESSION_KEPT));
    app.workspace.touch_session(token_hash, at, expires_at);
    io.run(
        app.lanes.write,
        move |store| store.job(|w| w.touch_session(id, at, expires_at)),
        |context, outcome| {
            // Nobody waits for this, and what went wrong is in the log.
            written(context, outcome).ok();
        },
    );
}

/// Looks for sessions that have expired, now and from time to time.
pub(super) fn watch_expiry(context: &mut Context<'_, Chat>) {
    let at = context.io.now().wall.0;
    let expired = context.app.workspace.remove_expired(at);
    if !expired.is_empty() {
        tell_ended(&mut context.io, &expired, Why::Expired);
        context.io.run(
            context.app.lanes.write,
            move |store| store.job(|w| w.clear_expired_sessions(at)),
            |context, outcome| {
                // What stays is left out at the next start.
                written(context, outcome).ok();
            },
        );
    }
    let again = context
        .io
        .after(context.app.pace.expiry_every, watch_expiry);
    again.expect("this one has left its place, and the first finds nobody");
}

/// Tells the sockets of sessions that are no more, and cuts them.
pub(super) fn tell_ended(io: &mut Io<'_, Chat>, ended: &[SessionId], why: Why) {
    for session in ended {
        let channel = session_channel(*session);
        let news = json!({ "why": why.as_str() });
        io.of("/").to(&channel).emit("session:ended", &news);
        io.of("/").to(&channel).disconnect();
    }
}
