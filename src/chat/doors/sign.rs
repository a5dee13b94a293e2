//! Signing in and out.
//!
//! In: the login is looked up, the password is checked, a session is opened. A login that nobody has goes the same way, against
//! a hash that no password has, so that neither answer nor time tells it from a wrong password.

use serde::Deserialize;
use serde_json::json;

use super::answer::{Style, Wire, farewell, welcome};
use super::{COOKIE, No, Visitor, Way, answer, fields};
use crate::chat::accounts::{self, Digest, Hasher, NOBODY};
use crate::chat::names::Login;
use crate::chat::reply::{Code, accept, settled, written};
use crate::chat::sessions::{self, Why};
use crate::chat::store::{
    Deed, Opened, Session, SessionId, SignIn, State, StoreError, UserId, Write,
};
use crate::chat::throttle::Key;
use crate::chat::{Chat, millis};
use crate::config::chat as limits;
use crate::server::{Answer, Context, Io, JobError, Request};

/// Somebody with an account.
#[derive(Deserialize)]
pub(super) struct Asked {
    login: String,
    password: String,
}

/// A try, while it is under way.
struct Attempt {
    visitor: Visitor,
    /// What the login folds to; nothing for one that cannot be.
    login_key: String,
    password: String,
}

impl Attempt {
    fn keys(&self) -> impl Iterator<Item = Key> {
        let account = Key::Account(self.login_key.clone());
        [Some(account), self.visitor.key()].into_iter().flatten()
    }
}

pub(in crate::chat) fn sign_in(request: &mut Request<'_, Chat>) -> Answer {
    let begun = fields(request).and_then(|asked| {
        let visitor = Visitor::of(request);
        begin(request.app, &mut request.io, visitor, asked).map_err(|(_, no)| no)
    });
    answer(request, begun)
}

/// Begins a try, or says why there is none, and to whom.
pub(super) fn begin(
    app: &mut Chat,
    io: &mut Io<'_, Chat>,
    visitor: Visitor,
    asked: Asked,
) -> Result<(), (Visitor, No)> {
    let Asked { login, password } = asked;
    if password.len() > limits::PASSWORD_BYTES_MAX {
        return Err((visitor, No::Wrong));
    }
    let login = Login::parse(&login);
    let attempt = Attempt {
        visitor,
        login_key: login.map_or_else(|_| String::new(), |login| login.key().to_owned()),
        password,
    };
    let (throttle, now) = (&mut app.throttle, io.now().mono);
    if let Some(wait) = attempt
        .keys()
        .filter_map(|key| throttle.wait(&key, now))
        .max()
    {
        return Err((attempt.visitor, No::Slow(wait)));
    }
    // Counted before it is known: tries that run side by side are tries, too.
    for key in attempt.keys() {
        throttle.failed(key, now);
    }
    let login_key = attempt.login_key.clone();
    io.run(
        app.lanes.read,
        move |reader| reader.job(|r| r.user_for_sign_in(&login_key)),
        move |context, outcome| match settled(context, outcome) {
            Ok(found) => check(context, attempt, found),
            Err(code) => give_up(context, attempt, No::Failed(code)),
        },
    );
    Ok(())
}

fn check(context: &mut Context<'_, Chat>, attempt: Attempt, found: Option<SignIn>) {
    let (whose, phc) = match found {
        Some(found) => (Some((found.id, found.state)), found.phc),
        None => (None, None),
    };
    let phc = phc.unwrap_or_else(|| NOBODY.to_owned());
    let password = attempt.password.clone();
    context.io.run(
        context.app.lanes.hash,
        move |hasher: &mut Hasher| hasher.verify(&password, &phc),
        move |context, verified| match (verified, whose) {
            (Ok(true), Some((user, State::Active | State::Muted))) => right(context, attempt, user),
            (Ok(true), Some((_, State::Banned | State::Left))) => {
                give_up(context, attempt, No::Banned);
            }
            // It stays counted.
            (Ok(_), _) => wrong(context, attempt),
            (Err(JobError::Busy | JobError::Interrupted), _) => {
                give_up(context, attempt, No::Busy);
            }
            (Err(JobError::Failed(_)), _) => {
                give_up(context, attempt, No::Failed(Code::Internal));
            }
        },
    );
}

/// With the failure that was one too many the wait begins, and is told at once.
fn wrong(context: &mut Context<'_, Chat>, attempt: Attempt) {
    let now = context.io.now().mono;
    let throttle = &context.app.throttle;
    let wait = attempt.keys().filter_map(|key| throttle.wait(&key, now));
    let no = wait.max().map_or(No::Wrong, No::Slow);
    attempt.visitor.refuse(&mut context.io, no);
}

fn right(context: &mut Context<'_, Chat>, attempt: Attempt, user: UserId) {
    let throttle = &mut context.app.throttle;
    throttle.succeeded(&Key::Account(attempt.login_key));
    if let Some(key) = attempt.visitor.key() {
        throttle.forgiven(&key);
    }
    let pass = Pass::new(context, attempt.visitor);
    let ticket = pass.ticket.clone();
    context.io.run(
        context.app.lanes.write,
        move |store| store.job(|w| ticket.open(w, user)),
        move |context, outcome| match written(context, outcome) {
            Ok(opened) => pass.let_in(context, user, &opened),
            Err(Code::NotFound) => pass.visitor.refuse(&mut context.io, No::Banned),
            Err(code) => pass.visitor.refuse(&mut context.io, No::Failed(code)),
        },
    );
}

/// It was no try after all.
fn give_up(context: &mut Context<'_, Chat>, attempt: Attempt, no: No) {
    for key in attempt.keys() {
        context.app.throttle.forgiven(&key);
    }
    attempt.visitor.refuse(&mut context.io, no);
}

/// A session that is being opened: what the visitor will get of it, and what the store will.
pub(super) struct Pass {
    pub(super) visitor: Visitor,
    pub(super) ticket: Ticket,
    token: String,
}

/// What the store is told of a new session.
#[derive(Clone)]
pub(super) struct Ticket {
    token_hash: Digest,
    pub(super) at: u64,
    expires_at: u64,
    agent: Option<String>,
    address: Option<String>,
}

impl Ticket {
    pub(super) fn open(&self, w: &Write<'_>, user: UserId) -> Result<Opened, StoreError> {
        w.open_session(
            user,
            &self.token_hash,
            self.at,
            self.expires_at,
            self.agent.as_deref(),
            self.address.as_deref(),
        )
    }
}

impl Ticket {
    /// What its owner does with it, for the audit trail.
    pub(super) fn deed(&self, by: UserId, what: &'static str) -> Deed {
        Deed {
            at: self.at,
            by,
            what,
            target: json!({ "user": by }).to_string(),
            ip: self.address.clone(),
        }
    }
}

impl Pass {
    pub(super) fn new(context: &mut Context<'_, Chat>, visitor: Visitor) -> Self {
        let token = accounts::session_token(&mut context.app.chance);
        let at = context.io.now().wall.0;
        let ticket = Ticket {
            token_hash: accounts::token_hash(&token),
            at,
            expires_at: at + millis(limits::SESSION_KEPT),
            agent: visitor.agent.clone(),
            address: visitor.address.map(|address| address.to_string()),
        };
        Self {
            visitor,
            ticket,
            token,
        }
    }

    /// The session is on disk: it is known from now on, and the visitor gets the cookie.
    pub(super) fn let_in(self, context: &mut Context<'_, Chat>, user: UserId, opened: &Opened) {
        let workspace = &mut context.app.workspace;
        workspace.remove_sessions(&opened.closed);
        workspace.add_session(Session {
            id: opened.id,
            token_hash: self.ticket.token_hash,
            user,
            expires_at: self.ticket.expires_at,
            used_at: self.ticket.at,
        });
        sessions::tell_ended(&mut context.io, &opened.closed, Why::SignedOut);
        match self.visitor.way {
            Way::Request(id, style, wire) => {
                let response = welcome(style, wire, &self.token);
                context.io.answer(id, &response);
            }
            Way::Event(ack) => {
                let answer = json!({ "token": self.token, "expiresAt": self.ticket.expires_at });
                accept(&mut context.io, ack, answer);
            }
        }
    }
}

pub(in crate::chat) fn sign_out(request: &mut Request<'_, Chat>) -> Answer {
    let (id, style) = (request.id(), Style::of(request));
    if !request.is_same_origin() {
        return No::Foreign.response(style).into();
    }
    let response = farewell(style, Wire::of(request));
    let Some(token_hash) = request.cookie(COOKIE).map(accounts::token_hash) else {
        return response.into();
    };
    request.io.run(
        request.app.lanes.write,
        move |store| store.job(|w| w.close_session(&token_hash)),
        move |context, outcome| match written(context, outcome) {
            Ok(closed) => {
                context.app.workspace.remove_session(&token_hash);
                let closed: Vec<SessionId> = closed.into_iter().collect();
                sessions::tell_ended(&mut context.io, &closed, Why::SignedOut);
                context.io.answer(id, &response);
            }
            Err(code) => context.io.answer(id, &No::Failed(code).response(style)),
        },
    );
    Answer::Later
}
