//! The doors: signing in and out, the first account, coming by invite. Plain HTTP, so that a form works without scripts.
//!
//! A form or its JSON comes in; an answer goes out once the password was hashed on its lane and the session is on disk. The
//! cookie is the session's only copy of the token: the store has its hash.
//! Knows no sockets but by the rooms of a session, which it ends.
//! Left out: a new password, reset links, and the list of one's devices.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::accounts::{self, Digest, Hasher, NOBODY};
use super::names::{Login, Name, check_password};
use super::reply::{Code, settled};
use super::store::{
    Joined, NewUser, Opened, Room, Session, SessionId, State, StoreError, UserId, Write,
};
use super::throttle::Key;
use super::{Chat, SignUp, millis, people, session_name};
use crate::config::chat as limits;
use crate::http::{Response, query};
use crate::server::{Answer, Context, JobError, Request, RequestId};

/// The cookie that is a session.
pub(super) const COOKIE: &str = "sid";

/// How the answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// For the page's scripts.
    Json,
    /// For a form that was sent by the browser itself.
    Form,
}

/// Who stands at the door, kept while the answer is being made.
#[derive(Clone, Debug)]
struct Visitor {
    request: RequestId,
    style: Style,
    address: Option<IpAddr>,
    agent: Option<String>,
}

/// Why somebody does not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum No {
    /// Login or password, and nobody is told which.
    Wrong,
    /// Too many tries.
    Slow(Duration),
    /// Too many are hashing.
    Busy,
    /// May not come in any more.
    Banned,
    /// The code is used up, expired or replaced, or never was one.
    Gone,
    /// The login belongs to another.
    Taken,
    /// A field is not as it must be.
    Invalid(&'static str),
    /// From another site's page.
    Foreign,
    /// Our fault, or the disk's.
    Failed(Code),
}

impl No {
    const fn status(&self) -> u16 {
        match self {
            Self::Wrong => 401,
            Self::Slow(_) => 429,
            Self::Busy => 503,
            Self::Banned | Self::Foreign => 403,
            Self::Gone => 410,
            Self::Taken => 409,
            Self::Invalid(_) => 400,
            Self::Failed(Code::Full) => 507,
            Self::Failed(Code::Busy) => 503,
            Self::Failed(_) => 500,
        }
    }

    fn code(&self) -> Value {
        match self {
            Self::Wrong => "wrong".into(),
            Self::Slow(_) => "slow".into(),
            Self::Busy => "busy".into(),
            Self::Banned => "banned".into(),
            Self::Gone => "gone".into(),
            Self::Taken => "taken".into(),
            Self::Invalid(_) => "invalid".into(),
            Self::Foreign => "forbidden".into(),
            Self::Failed(code) => json!(code),
        }
    }

    fn response(&self, style: Style) -> Response {
        let code = self.code();
        if style == Style::Form {
            let code = code.as_str().unwrap_or("internal");
            return Response::redirect(303, &format!("/?sign-in={code}"));
        }
        let mut answer = json!({ "ok": false, "code": code });
        match self {
            Self::Slow(wait) => answer["retryMs"] = millis(*wait).into(),
            Self::Invalid(field) => answer["field"] = (*field).into(),
            _ => {}
        }
        let response = json_response(self.status(), &answer);
        match self {
            Self::Slow(wait) => response.header("Retry-After", &(wait.as_secs() + 1).to_string()),
            _ => response,
        }
    }
}

fn json_response(status: u16, body: &Value) -> Response {
    Response::json(status, body.to_string())
        .header("Cache-Control", "no-store")
        .secured()
}

impl Visitor {
    fn of(request: &Request<'_, Chat>) -> Self {
        let is_json = request
            .header("content-type")
            .is_some_and(|kind| kind.trim_ascii_start().starts_with("application/json"));
        Self {
            request: request.id(),
            style: if is_json { Style::Json } else { Style::Form },
            address: request.address(),
            agent: request.header("user-agent").map(ToOwned::to_owned),
        }
    }

    /// The fields of a form, or of its JSON.
    fn read<T: DeserializeOwned>(&self, request: &Request<'_, Chat>) -> Result<T, No> {
        if !request.is_same_origin() {
            return Err(No::Foreign);
        }
        let fields = match self.style {
            Style::Json => serde_json::from_slice(request.body()).ok(),
            Style::Form => {
                let pairs = query::pairs(request.body());
                let fields: Map<_, _> = pairs
                    .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                    .collect();
                serde_json::from_value(Value::Object(fields)).ok()
            }
        };
        fields.ok_or(No::Invalid("body"))
    }

    fn refuse(&self, context: &mut Context<'_, Chat>, no: &No) {
        context.io.answer(self.request, &no.response(self.style));
    }
}

/// What the page asks first: who am I, and which doors are there.
pub(super) fn session(request: &mut Request<'_, Chat>) -> Answer {
    let at = request.at().0;
    let token = request.cookie(COOKIE).map(ToOwned::to_owned);
    let workspace = &request.app.workspace;
    let hash = token.as_deref().map(accounts::token_hash);
    let session = hash.and_then(|hash| workspace.session(&hash, at)).cloned();
    let me = session
        .as_ref()
        .and_then(|session| workspace.user(session.user));
    let mut answer = json!({
        "signedIn": me.is_some(),
        "setup": workspace.is_new(),
        "signUp": request.app.sign_up.as_str(),
        "workspace": workspace.name,
    });
    if let Some(me) = me {
        answer["me"] = json!({ "id": me.id, "login": me.login, "name": me.name, "role": me.role });
    }
    let response = json_response(200, &answer);
    match (session, token) {
        (Some(session), Some(token)) => {
            touch(request, &session);
            response
                .header("Set-Cookie", &cookie(&token, limits::SESSION_KEPT))
                .into()
        }
        _ => response.into(),
    }
}

/// A session lasts from its last use, which is written down now and then.
fn touch(request: &mut Request<'_, Chat>, session: &Session) {
    let at = request.at().0;
    if at.saturating_sub(session.used_at) < millis(limits::SESSION_TOUCHED_EVERY) {
        return;
    }
    let expires_at = at + millis(limits::SESSION_KEPT);
    request
        .app
        .workspace
        .touch_session(&session.token_hash, at, expires_at);
    let (write, id) = (request.app.lanes.write, session.id);
    request.io.run(
        write,
        move |store| store.job(|w| w.touch_session(id, at, expires_at)),
        |context, outcome| {
            // Nobody waits for this, and what went wrong is in the log.
            settled(context, outcome).ok();
        },
    );
}

fn cookie(token: &str, kept: Duration) -> String {
    format!(
        "{COOKIE}={token}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax",
        kept.as_secs()
    )
}

/// Somebody with an account.
#[derive(Deserialize)]
struct SignIn {
    login: String,
    password: String,
}

pub(super) fn sign_in(request: &mut Request<'_, Chat>) -> Answer {
    let visitor = Visitor::of(request);
    let asked: SignIn = match visitor.read(request) {
        Ok(asked) => asked,
        Err(no) => return no.response(visitor.style).into(),
    };
    // A login that cannot be is looked up all the same: the answer and its time are those of a wrong password.
    let key =
        Login::parse(&asked.login).map_or_else(|_| String::new(), |login| login.key().to_owned());
    let keys = [Key::Account(key.clone()), Key::address(visitor.address)];
    let now = request.io.now().mono;
    if let Some(wait) = keys
        .iter()
        .filter_map(|key| request.app.throttle.wait(key, now))
        .max()
    {
        return No::Slow(wait).response(visitor.style).into();
    }
    if asked.password.len() > limits::PASSWORD_BYTES_MAX {
        return No::Wrong.response(visitor.style).into();
    }
    // Counted before it is known: tries that run side by side are tries, too.
    for key in &keys {
        request.app.throttle.failed(key.clone(), now);
    }
    let read = request.app.lanes.read;
    request.io.run(
        read,
        move |reader| match reader.job(|r| r.user_for_sign_in(&key)) {
            Ok(found) => Ok((found, key)),
            Err(error) => Err(error),
        },
        move |context, outcome| match settled(context, outcome) {
            Ok((found, key)) => {
                let (user, state) = found
                    .as_ref()
                    .map_or((None, State::Active), |found| (Some(found.id), found.state));
                let phc = found
                    .and_then(|found| found.phc)
                    .unwrap_or_else(|| NOBODY.to_owned());
                let hash = context.app.lanes.hash;
                context.io.run(
                    hash,
                    move |hasher: &mut Hasher| hasher.verify(&asked.password, &phc),
                    move |context, verified| {
                        let verdict = match (verified, user, state) {
                            (Err(JobError::Busy), ..) => Err(No::Busy),
                            (Err(JobError::Failed(_)), ..) => Err(No::Failed(Code::Internal)),
                            (Ok(false), ..) | (Ok(true), None, _) => Err(No::Wrong),
                            (Ok(true), Some(_), State::Banned | State::Left) => Err(No::Banned),
                            (Ok(true), Some(user), _) => Ok(user),
                        };
                        let throttle = &mut context.app.throttle;
                        let (account, address) = (Key::Account(key), Key::address(visitor.address));
                        match &verdict {
                            Err(No::Wrong) => {}
                            Ok(_) => {
                                throttle.succeeded(&account);
                                throttle.forgiven(&address);
                            }
                            Err(_) => {
                                throttle.forgiven(&account);
                                throttle.forgiven(&address);
                            }
                        }
                        match verdict {
                            Ok(user) => come_in(context, visitor, Who::Known(user)),
                            Err(no) => visitor.refuse(context, &no),
                        }
                    },
                );
            }
            Err(code) => visitor.refuse(context, &No::Failed(code)),
        },
    );
    Answer::Later
}

/// Somebody new.
#[derive(Deserialize)]
struct New {
    code: Option<String>,
    workspace: Option<String>,
    login: String,
    name: String,
    password: String,
}

/// Who gets a session.
enum Who {
    Known(UserId),
    /// The one who sets up the workspace.
    First(Name, NewUser),
    Invited(Digest, NewUser),
    /// Open sign-up.
    Anybody(NewUser),
}

/// What makes a new account, once its password is hashed.
enum By {
    FirstRun(Digest, Name),
    Invite(Digest),
    OpenDoor,
}

pub(super) fn set_up(request: &mut Request<'_, Chat>) -> Answer {
    let visitor = Visitor::of(request);
    let asked: New = match visitor.read(request) {
        Ok(asked) => asked,
        Err(no) => return no.response(visitor.style).into(),
    };
    let Ok(workspace) = Name::parse(asked.workspace.as_deref().unwrap_or_default()) else {
        return No::Invalid("workspace").response(visitor.style).into();
    };
    let Some(code) = asked.code.as_deref().and_then(accounts::code_hash) else {
        return No::Gone.response(visitor.style).into();
    };
    make_account(request, visitor, asked, By::FirstRun(code, workspace))
}

pub(super) fn join(request: &mut Request<'_, Chat>) -> Answer {
    let visitor = Visitor::of(request);
    let asked: New = match visitor.read(request) {
        Ok(asked) => asked,
        Err(no) => return no.response(visitor.style).into(),
    };
    let is_open = request.app.sign_up == SignUp::Open && !request.app.workspace.is_new();
    let by = match asked.code.as_deref().filter(|code| !code.is_empty()) {
        Some(code) => accounts::code_hash(code).map(By::Invite),
        None => is_open.then_some(By::OpenDoor),
    };
    match by {
        Some(by) => make_account(request, visitor, asked, by),
        None => No::Gone.response(visitor.style).into(),
    }
}

fn make_account(request: &mut Request<'_, Chat>, visitor: Visitor, asked: New, by: By) -> Answer {
    let key = Key::address(visitor.address);
    let now = request.io.now().mono;
    if let Some(wait) = request.app.throttle.wait(&key, now) {
        return No::Slow(wait).response(visitor.style).into();
    }
    let (login, name) = match fields(&asked) {
        Ok(fields) => fields,
        Err(no) => return no.response(visitor.style).into(),
    };
    let salt = accounts::salt(&mut request.app.chance);
    let read = request.app.lanes.read;
    let at = request.at().0;
    // The code is asked for first: hashing is dear, and strangers get none for free.
    request.io.run(
        read,
        move |reader| {
            let holds = reader.job(|r| match &by {
                By::FirstRun(code, _) => r.is_first_run_code(code, at),
                By::Invite(code) => r.is_invite(code, at),
                By::OpenDoor => Ok(true),
            });
            holds.map(|holds| holds.then_some(by))
        },
        move |context, outcome| {
            let by = match settled(context, outcome) {
                Ok(Some(by)) => by,
                Ok(None) => {
                    let now = context.io.now().mono;
                    context.app.throttle.failed(key, now);
                    return visitor.refuse(context, &No::Gone);
                }
                Err(code) => return visitor.refuse(context, &No::Failed(code)),
            };
            let hash = context.app.lanes.hash;
            context.io.run(
                hash,
                move |hasher: &mut Hasher| hasher.hash(&asked.password, &salt),
                move |context, hashed| match hashed {
                    Ok(phc) => {
                        let new = NewUser { login, name, phc };
                        let who = match by {
                            By::FirstRun(_, workspace) => Who::First(workspace, new),
                            By::Invite(code) => Who::Invited(code, new),
                            By::OpenDoor => Who::Anybody(new),
                        };
                        come_in(context, visitor, who);
                    }
                    Err(JobError::Busy) => visitor.refuse(context, &No::Busy),
                    Err(JobError::Failed(_)) => {
                        visitor.refuse(context, &No::Failed(Code::Internal));
                    }
                },
            );
        },
    );
    Answer::Later
}

fn fields(asked: &New) -> Result<(Login, Name), No> {
    let login = Login::parse(&asked.login).map_err(|_| No::Invalid("login"))?;
    let name = Name::parse(&asked.name).map_err(|_| No::Invalid("name"))?;
    check_password(&asked.password).map_err(|_| No::Invalid("password"))?;
    Ok((login, name))
}

/// What is on disk once somebody is in.
struct Entered {
    user: UserId,
    session: SessionId,
    closed: Vec<SessionId>,
    new: Option<Founded>,
}

/// A new account, and what came into being with it.
struct Founded {
    joined: Joined,
    /// The first account's: the workspace and the rooms it starts with.
    workspace: Option<(String, Vec<Room>)>,
}

/// Makes the account if it is new, and the session, in one job: there is never one without the other.
fn come_in(context: &mut Context<'_, Chat>, visitor: Visitor, who: Who) {
    let token = accounts::session_token(&mut context.app.chance);
    let token_hash = accounts::token_hash(&token);
    let at = context.io.now().wall.0;
    let expires_at = at + millis(limits::SESSION_KEPT);
    let write = context.app.lanes.write;
    let (agent, address) = (
        visitor.agent.clone(),
        visitor.address.map(|ip| ip.to_string()),
    );
    context.io.run(
        write,
        move |store| {
            store.job(|w| {
                let (user, new) = account(w, who, at)?;
                let Opened { id, closed } = w.open_session(
                    user,
                    &token_hash,
                    at,
                    expires_at,
                    agent.as_deref(),
                    address.as_deref(),
                )?;
                Ok(Entered {
                    user,
                    session: id,
                    closed,
                    new,
                })
            })
        },
        move |context, outcome| {
            // `Gone` and `NotFound` share a code for events; here the page has words for each.
            let gone = matches!(&outcome, Ok(Err(StoreError::Gone)));
            let entered = match settled(context, outcome) {
                Ok(entered) => entered,
                Err(_) if gone => return visitor.refuse(context, &No::Gone),
                Err(Code::Taken) => return visitor.refuse(context, &No::Taken),
                Err(code) => return visitor.refuse(context, &No::Failed(code)),
            };
            let user = entered.user;
            let is_new = entered.new.is_some();
            let workspace = &mut context.app.workspace;
            if let Some(founded) = entered.new {
                if let Some((name, rooms)) = founded.workspace {
                    workspace.found(name, rooms);
                }
                workspace.add_person(founded.joined.user);
                for member in founded.joined.members {
                    workspace.add_member(member);
                }
            }
            workspace.remove_sessions(&entered.closed);
            workspace.add_session(Session {
                id: entered.session,
                token_hash,
                user,
                expires_at,
                used_at: at,
            });
            if is_new {
                people::tell_of(context, user);
            }
            let response = match visitor.style {
                Style::Json => json_response(200, &json!({ "ok": true })),
                Style::Form => Response::redirect(303, "/"),
            };
            let response = response.header("Set-Cookie", &cookie(&token, limits::SESSION_KEPT));
            context.io.answer(visitor.request, &response);
        },
    );
}

fn account(w: &Write<'_>, who: Who, at: u64) -> Result<(UserId, Option<Founded>), StoreError> {
    let founded = match who {
        Who::Known(user) => return Ok((user, None)),
        Who::First(name, new) => {
            let joined = w.create_first_admin(&name, &new, at)?;
            Founded {
                joined,
                workspace: Some((name.as_str().to_owned(), w.rooms()?)),
            }
        }
        Who::Invited(code, new) => Founded {
            joined: w.create_user_by_invite(&code, &new, at)?,
            workspace: None,
        },
        Who::Anybody(new) => Founded {
            joined: w.create_user_open(&new, at)?,
            workspace: None,
        },
    };
    Ok((founded.joined.user.id, Some(founded)))
}

pub(super) fn sign_out(request: &mut Request<'_, Chat>) -> Answer {
    let visitor = Visitor::of(request);
    if !request.is_same_origin() {
        return No::Foreign.response(visitor.style).into();
    }
    let response = match visitor.style {
        Style::Json => json_response(200, &json!({ "ok": true })),
        Style::Form => Response::redirect(303, "/"),
    };
    let response = response.header("Set-Cookie", &cookie("", Duration::ZERO));
    let Some(token) = request.cookie(COOKIE) else {
        return response.into();
    };
    let hash = accounts::token_hash(token);
    let Some(session) = request.app.workspace.remove_session(&hash) else {
        return response.into();
    };
    let room = session_name(session.id);
    request
        .io
        .of("/")
        .to(&room)
        .emit("session:ended", &json!({ "why": "signed-out" }));
    request.io.of("/").to(&room).disconnect();
    let write = request.app.lanes.write;
    request.io.run(
        write,
        move |store| store.job(|w| w.close_session(&hash)),
        move |context, outcome| match settled(context, outcome) {
            Ok(_) => context.io.answer(visitor.request, &response),
            Err(code) => visitor.refuse(context, &No::Failed(code)),
        },
    );
    Answer::Later
}
