//! Making an account: the first one with the code of the first run, others by invite or, if the operator says so, by
//! asking.
//!
//! The fields are checked, then the code is looked up, and only then the password is hashed: hashing is dear, and strangers get
//! none for free. Account and session are made in one job: there is never one without the other.

use serde::Deserialize;

use super::sign::{Pass, Ticket};
use super::{No, Visitor, answer, fields};
use crate::chat::accounts::{self, Digest, Hasher};
use crate::chat::names::{Login, Name, check_password};
use crate::chat::reply::{Code, settled, written};
use crate::chat::store::{Joined, NewUser, Opened, Room, StoreError, Write};
use crate::chat::{Chat, SignUp, members, people};
use crate::server::{Answer, Context, JobError, Request};

/// Somebody new.
#[derive(Deserialize)]
struct Asked {
    code: Option<String>,
    workspace: Option<String>,
    login: String,
    name: String,
    password: String,
}

/// What makes a new account.
#[derive(Clone)]
enum By {
    /// The code of the first run, and what the workspace will be called.
    FirstRun(Digest, Name),
    Invite(Digest),
    /// Anybody may.
    OpenDoor,
}

/// An account that is being made.
struct Applicant {
    visitor: Visitor,
    by: By,
    login: Login,
    name: Name,
}

pub(in crate::chat) fn set_up(request: &mut Request<'_, Chat>) -> Answer {
    let begun = fields(request).and_then(|asked: Asked| {
        let workspace = Name::parse(asked.workspace.as_deref().unwrap_or_default())
            .map_err(|_| No::Invalid("workspace"))?;
        let code = asked.code.as_deref().and_then(accounts::code_hash);
        let by = By::FirstRun(code.ok_or(No::Gone)?, workspace);
        begin(request, asked, by)
    });
    answer(request, begun)
}

pub(in crate::chat) fn join(request: &mut Request<'_, Chat>) -> Answer {
    let begun = fields(request).and_then(|asked: Asked| {
        let is_open = request.app.sign_up == SignUp::Open && !request.app.workspace.is_new();
        let by = match asked.code.as_deref().filter(|code| !code.is_empty()) {
            Some(code) => accounts::code_hash(code).map(By::Invite),
            None => is_open.then_some(By::OpenDoor),
        };
        begin(request, asked, by.ok_or(No::Gone)?)
    });
    answer(request, begun)
}

fn begin(request: &mut Request<'_, Chat>, asked: Asked, by: By) -> Result<(), No> {
    let visitor = Visitor::of(request);
    let (key, now, at) = (visitor.key(), request.io.now().mono, request.at().0);
    let throttle = &mut request.app.throttle;
    if let Some(wait) = key.as_ref().and_then(|key| throttle.wait(key, now)) {
        return Err(No::Slow(wait));
    }
    let applicant = Applicant {
        visitor,
        login: Login::parse(&asked.login).map_err(|_| No::Invalid("login"))?,
        name: Name::parse(&asked.name).map_err(|_| No::Invalid("name"))?,
        by,
    };
    check_password(&asked.password).map_err(|_| No::Invalid("password"))?;
    // As with passwords: counted before it is known.
    if let Some(key) = key {
        throttle.failed(key, now);
    }
    let by = applicant.by.clone();
    request.io.run(
        request.app.lanes.read,
        move |reader| {
            reader.job(|r| match &by {
                By::FirstRun(code, _) => r.is_first_run_code(code, at),
                By::Invite(code) => r.is_invite(code, at),
                By::OpenDoor => Ok(true),
            })
        },
        move |context, outcome| match settled(context, outcome) {
            Ok(true) => hash(context, applicant, asked.password),
            Ok(false) => applicant.visitor.refuse(&mut context.io, No::Gone),
            Err(code) => applicant.give_up(context, No::Failed(code)),
        },
    );
    Ok(())
}

fn hash(context: &mut Context<'_, Chat>, applicant: Applicant, password: String) {
    let salt = accounts::salt(&mut context.app.chance);
    context.io.run(
        context.app.lanes.hash,
        move |hasher: &mut Hasher| hasher.hash(&password, &salt),
        move |context, hashed| match hashed {
            Ok(phc) => make(context, applicant, phc),
            Err(JobError::Busy | JobError::Interrupted) => applicant.give_up(context, No::Busy),
            Err(JobError::Failed(_)) => applicant.give_up(context, No::Failed(Code::Internal)),
        },
    );
}

fn make(context: &mut Context<'_, Chat>, applicant: Applicant, phc: String) {
    let Applicant {
        visitor,
        by,
        login,
        name,
    } = applicant;
    let new = NewUser { login, name, phc };
    let is_guarded = !matches!(by, By::OpenDoor);
    let pass = Pass::new(context, visitor);
    let ticket = pass.ticket.clone();
    context.io.run(
        context.app.lanes.write,
        move |store| store.job(|w| Made::new(w, &by, &new, &ticket)),
        move |context, outcome| {
            // Events have one word for `Gone` and `NotFound`; here the page has words for each.
            let is_gone = matches!(&outcome, Ok(Err(StoreError::Gone)));
            match written(context, outcome) {
                Ok(made) => {
                    // Whoever needs no code for an account makes no more of them than others have tries.
                    if is_guarded && let Some(key) = pass.visitor.key() {
                        context.app.throttle.forgiven(&key);
                    }
                    made.known(context, pass);
                }
                Err(_) if is_gone => pass.visitor.refuse(&mut context.io, No::Gone),
                Err(Code::Taken) => pass.visitor.refuse(&mut context.io, No::Taken),
                Err(code) => pass.visitor.refuse(&mut context.io, No::Failed(code)),
            }
        },
    );
}

impl Applicant {
    /// It was no try after all.
    fn give_up(self, context: &mut Context<'_, Chat>, no: No) {
        if let Some(key) = self.visitor.key() {
            context.app.throttle.forgiven(&key);
        }
        self.visitor.refuse(&mut context.io, no);
    }
}

/// A new account, and what came into being with it.
struct Made {
    joined: Joined,
    opened: Opened,
    /// The first account's: the workspace and the rooms it starts with.
    founded: Option<(String, Vec<Room>)>,
}

impl Made {
    fn new(w: &Write<'_>, by: &By, new: &NewUser, ticket: &Ticket) -> Result<Self, StoreError> {
        let mut founded = None;
        let joined = match by {
            By::FirstRun(_, workspace) => {
                let joined = w.create_first_admin(workspace, new, ticket.at)?;
                founded = Some((workspace.as_str().to_owned(), w.rooms()?));
                joined
            }
            By::Invite(code) => w.create_user_by_invite(code, new, ticket.at)?,
            By::OpenDoor => w.create_user_open(new, ticket.at)?,
        };
        let opened = ticket.open(w, joined.user.id)?;
        Ok(Self {
            joined,
            opened,
            founded,
        })
    }

    /// It is on disk: everybody is told, and the visitor is let in.
    fn known(self, context: &mut Context<'_, Chat>, pass: Pass) {
        let (user, workspace) = (self.joined.user.id, &mut context.app.workspace);
        if let Some((name, rooms)) = self.founded {
            workspace.found(name, rooms);
        }
        workspace.add_person(self.joined.user);
        for member in self.joined.members {
            workspace.add_member(member);
        }
        people::tell_of(context, user);
        let rooms: Vec<_> = context.app.workspace.rooms_of(user).collect();
        for room in rooms {
            members::tell_of_member(context, room, user, true);
        }
        pass.let_in(context, user, &self.opened);
    }
}
