//! New passwords: one's own, and by a link that an admin made.
//!
//! The old password or the link's code comes in with the new one; both are checked before anything is hashed, and a wrong one
//! is a failed try like any other. Whoever sets a password ends all other sessions of theirs, and is told so where they were.
//! Left out: sending links. The admin who made one hands it over.

use serde::Deserialize;
use serde_json::json;

use super::sign::Pass;
use super::{No, Visitor, answer, fields};
use crate::chat::accounts::{self, Digest, Hasher, NOBODY};
use crate::chat::names::check_password;
use crate::chat::order::{self, deed};
use crate::chat::ranks::Order;
use crate::chat::reply::{Code, accept, refuse, settled, slow_down, written};
use crate::chat::sessions::{self, Why};
use crate::chat::store::{Opened, SessionId, StoreError, UserId};
use crate::chat::throttle::Key;
use crate::chat::{Chat, Seat, millis};
use crate::config::chat as limits;
use crate::server::{Ack, Answer, Context, JobError, Request, Socket};

/// Another password of one's own.
#[derive(Deserialize)]
pub(in crate::chat) struct Change {
    old: String,
    new: String,
}

pub(in crate::chat) fn change(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Change, ack: Ack) {
    if check_password(&asked.new).is_err() || asked.old.len() > limits::PASSWORD_BYTES_MAX {
        return refuse(&mut socket.io, ack, Code::Invalid);
    }
    let now = socket.io.now().mono;
    let Some(login_key) = socket.app.workspace.login_key(seat.user) else {
        return refuse(&mut socket.io, ack, Code::Auth);
    };
    // As signing in: who holds a stolen session may not try passwords without end.
    let (throttle, key) = (&mut socket.app.throttle, Key::Account(login_key.clone()));
    if let Some(wait) = throttle.wait(&key, now) {
        return slow_down(&mut socket.io, ack, wait);
    }
    throttle.failed(key.clone(), now);
    let Change { old, new } = asked;
    socket.io.run(
        socket.app.lanes.read,
        move |reader| reader.job(|r| r.user_for_sign_in(&login_key)),
        move |context, outcome| match settled(context, outcome) {
            Ok(found) => {
                let phc = found.and_then(|found| found.phc);
                let phc = phc.unwrap_or_else(|| NOBODY.to_owned());
                check(context, seat, key, (old, phc, new), ack);
            }
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

/// The old password is checked and the new one is hashed, in one go: it is one wait for the one who asked.
fn check(
    context: &mut Context<'_, Chat>,
    seat: Seat,
    key: Key,
    (old, phc, new): (String, String, String),
    ack: Ack,
) {
    let salt = accounts::salt(&mut context.app.chance);
    context.io.run(
        context.app.lanes.hash,
        move |hasher: &mut Hasher| hasher.verify(&old, &phc).then(|| hasher.hash(&new, &salt)),
        move |context, outcome| {
            let code = match outcome {
                Ok(Some(phc)) => {
                    context.app.throttle.succeeded(&key);
                    return keep(context, seat, phc, ack);
                }
                // It stays counted.
                Ok(None) => {
                    let answer = json!({ "ok": false, "code": "wrong" });
                    return ack.send(&mut context.io, &answer);
                }
                Err(JobError::Busy | JobError::Interrupted) => Code::Busy,
                Err(JobError::Failed(_)) => Code::Internal,
            };
            context.app.throttle.forgiven(&key);
            refuse(&mut context.io, ack, code);
        },
    );
}

fn keep(context: &mut Context<'_, Chat>, seat: Seat, phc: String, ack: Ack) {
    context.io.run(
        context.app.lanes.write,
        move |store| {
            store.job(|w| {
                w.set_password(seat.user, &phc)?;
                w.end_password_links(seat.user)?;
                w.close_sessions_of(seat.user, Some(seat.session))
            })
        },
        move |context, outcome| match written(context, outcome) {
            Ok(closed) => {
                ended(context, &closed);
                accept(&mut context.io, ack, json!({ "ended": closed.len() }));
            }
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

fn ended(context: &mut Context<'_, Chat>, closed: &[SessionId]) {
    context.app.workspace.remove_sessions(closed);
    sessions::tell_ended(&mut context.io, closed, Why::Password);
}

/// Whose password a new link is to set.
#[derive(Deserialize)]
pub(in crate::chat) struct Whose {
    user: UserId,
}

/// Makes a link for somebody about whom one may order that.
pub(in crate::chat) fn new_link(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Whose, ack: Ack) {
    let user = asked.user;
    let Some(ack) = order::may_give(socket, seat, Order::Link, user, ack) else {
        return;
    };
    let code = accounts::invite_code(&mut socket.app.chance);
    let hash = accounts::code_hash(&code).expect("a code of our own making can be read");
    let deed = deed(socket, seat, "user:link", &json!({ "user": user }));
    let (write, at) = (socket.app.lanes.write, deed.at);
    let expires_at = at + millis(limits::PASSWORD_LINK_KEPT);
    socket.io.run(
        write,
        move |store| {
            store.job(|w| {
                w.new_password_link(user, seat.user, &hash, expires_at, at)?;
                w.note(&deed)
            })
        },
        move |context, outcome| match written(context, outcome) {
            Ok(()) => {
                let answer = json!({ "path": path(&code), "expiresAt": expires_at });
                accept(&mut context.io, ack, answer);
            }
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

/// Where a link leads.
pub(in crate::chat) fn path(code: &str) -> String {
    format!("/reset/{code}")
}

/// A new password by a link.
#[derive(Deserialize)]
struct Reset {
    code: String,
    password: String,
}

pub(in crate::chat) fn reset(request: &mut Request<'_, Chat>) -> Answer {
    let begun = fields(request).and_then(|asked| begin(request, asked));
    answer(request, begun)
}

fn begin(request: &mut Request<'_, Chat>, asked: Reset) -> Result<(), No> {
    let visitor = Visitor::of(request);
    let (key, now, at) = (visitor.key(), request.io.now().mono, request.at().0);
    let throttle = &mut request.app.throttle;
    if let Some(wait) = key.as_ref().and_then(|key| throttle.wait(key, now)) {
        return Err(No::Slow(wait));
    }
    check_password(&asked.password).map_err(|_| No::Invalid("password"))?;
    // As with passwords: counted before it is known.
    if let Some(key) = key {
        throttle.failed(key, now);
    }
    let code = accounts::code_hash(&asked.code).ok_or(No::Gone)?;
    let password = asked.password;
    request.io.run(
        request.app.lanes.read,
        move |reader| reader.job(|r| r.password_link(&code, at)),
        move |context, outcome| match settled(context, outcome) {
            Ok(Some(_)) => hash(context, visitor, code, password),
            Ok(None) => visitor.refuse(&mut context.io, No::Gone),
            Err(code) => give_up(context, visitor, No::Failed(code)),
        },
    );
    Ok(())
}

fn hash(context: &mut Context<'_, Chat>, visitor: Visitor, code: Digest, password: String) {
    let salt = accounts::salt(&mut context.app.chance);
    context.io.run(
        context.app.lanes.hash,
        move |hasher: &mut Hasher| hasher.hash(&password, &salt),
        move |context, hashed| match hashed {
            Ok(phc) => renew(context, visitor, code, phc),
            Err(JobError::Busy | JobError::Interrupted) => give_up(context, visitor, No::Busy),
            Err(JobError::Failed(_)) => give_up(context, visitor, No::Failed(Code::Internal)),
        },
    );
}

/// What a link has led to.
struct Renewed {
    user: UserId,
    ended: Vec<SessionId>,
    opened: Opened,
}

/// Password, the end of all sessions and the beginning of one, and its trace in the audit trail: all or nothing.
fn renew(context: &mut Context<'_, Chat>, visitor: Visitor, code: Digest, phc: String) {
    let pass = Pass::new(context, visitor);
    let ticket = pass.ticket.clone();
    context.io.run(
        context.app.lanes.write,
        move |store| {
            store.job(|w| {
                let user = w.set_password_by_link(&code, &phc, ticket.at)?;
                let ended = w.close_sessions_of(user, None)?;
                w.note(&ticket.deed(user, "user:link-used"))?;
                let opened = ticket.open(w, user)?;
                Ok(Renewed {
                    user,
                    ended,
                    opened,
                })
            })
        },
        move |context, outcome| {
            let is_gone = matches!(&outcome, Ok(Err(StoreError::Gone | StoreError::NotFound)));
            match written(context, outcome) {
                Ok(renewed) => {
                    if let Some(key) = pass.visitor.key() {
                        context.app.throttle.forgiven(&key);
                    }
                    if let Some(key) = context.app.workspace.login_key(renewed.user) {
                        context.app.throttle.succeeded(&Key::Account(key));
                    }
                    ended(context, &renewed.ended);
                    pass.let_in(context, renewed.user, &renewed.opened);
                }
                Err(_) if is_gone => pass.visitor.refuse(&mut context.io, No::Gone),
                Err(code) => pass.visitor.refuse(&mut context.io, No::Failed(code)),
            }
        },
    );
}

/// It was no try after all.
fn give_up(context: &mut Context<'_, Chat>, visitor: Visitor, no: No) {
    if let Some(key) = visitor.key() {
        context.app.throttle.forgiven(&key);
    }
    visitor.refuse(&mut context.io, no);
}
