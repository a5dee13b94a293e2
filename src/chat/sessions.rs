//! Sessions after they were opened: used, expired, ended.
//!
//! A session lasts from its last use. When it ends, by whatever hand, its sockets are told why and cut in the same turn.
//! Knows no cookie: a token is known here by its hash.
//! Left out: a name for each of one's devices; they are told apart by what their browsers call themselves.

use serde_json::json;

use super::accounts::Digest;
use super::reply::written;
use super::store::{SessionId, State, UserId};
use super::{Chat, millis, session_channel, user_channel};
use crate::config::chat as limits;
use crate::server::{Context, Io};

/// Why a session is over, in the page's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Nobody used it for long enough.
    Expired,
    /// Its owner ended it, or has opened too many others.
    SignedOut,
    /// Its owner has set another password elsewhere.
    Password,
    /// An admin ended it.
    Revoked,
    /// Its owner's account was closed.
    Removed,
    /// Its owner may not come in for now.
    Banned,
}

impl Why {
    /// Why the sessions of somebody in that state open nothing.
    pub(super) const fn shut_out(state: State) -> Self {
        match state {
            State::Banned => Self::Banned,
            State::Left | State::Active | State::Muted => Self::Removed,
        }
    }

    /// As the page is told.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::SignedOut => "signed-out",
            Self::Password => "password",
            Self::Revoked => "revoked",
            Self::Removed => "removed",
            Self::Banned => "banned",
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
        cut(io, &session_channel(*session), why);
    }
}

/// Tells all sockets of somebody that their sessions open nothing any more, and cuts them.
pub(super) fn tell_shut_out(io: &mut Io<'_, Chat>, user: UserId, why: Why) {
    cut(io, &user_channel(user), why);
}

/// Whoever may do less than before has no business with the admins' page.
pub(super) fn tell_demoted(io: &mut Io<'_, Chat>, user: UserId) {
    io.of(super::admin::PLACE)
        .to(&user_channel(user))
        .disconnect();
}

fn cut(io: &mut Io<'_, Chat>, channel: &str, why: Why) {
    let news = json!({ "why": why.as_str() });
    for place in ["/", super::admin::PLACE] {
        io.of(place).to(channel).emit("session:ended", &news);
        io.of(place).to(channel).disconnect();
    }
}
