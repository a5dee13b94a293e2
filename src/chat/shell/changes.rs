//! Commands that change the store, or ask it.
//!
//! A command comes in within a job of the store; what to say comes out, and what the rest of the chat must learn of it. The codes
//! of links are made beforehand: a job has no chance of its own.
//! Knows no lanes: it is the same with a server and without.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{Command, Outcome, Said};
use crate::chat::accounts::{self, Digest};
use crate::chat::names::{Login, Name};
use crate::chat::store::{Deed, Member, Role, State, StoreError, User, UserId, Write, stamp};
use crate::chat::{Chat, me, millis, people};
use crate::config::chat as limits;
use crate::server::Context;

/// Whose deeds the shell's are: nobody has this id.
const SHELL: UserId = UserId(0);

/// What a change may need.
pub(super) struct Changes {
    code: String,
    hash: Digest,
    site: String,
}

/// What was changed.
pub(super) struct Changed {
    pub(super) said: Said,
    /// Somebody who is new, or not as before.
    user: Option<User>,
    /// Where they are from now on.
    members: Vec<Member>,
}

impl Changed {
    /// It is on disk: memory follows, and whoever sees it is told.
    pub(super) fn known(self, context: &mut Context<'_, Chat>) {
        let Some(user) = self.user else { return };
        let id = user.id;
        context.app.workspace.add_person(user);
        for member in self.members {
            context.app.workspace.add_member(member);
        }
        people::tell_of(context, id);
        me::tell(context, id);
    }
}

impl From<Said> for Changed {
    fn from(said: Said) -> Self {
        Self {
            said,
            user: None,
            members: Vec::new(),
        }
    }
}

impl Changes {
    pub(super) fn new(chance: &mut StdRng, site: &str) -> Self {
        let code = accounts::invite_code(chance);
        let hash = accounts::code_hash(&code).expect("a code of our own making can be read");
        let site = site.to_owned();
        Self { code, hash, site }
    }

    pub(super) fn apply(
        &self,
        w: &Write<'_>,
        command: &Command,
        at: u64,
    ) -> Result<Changed, StoreError> {
        if !w.is_set_up()? {
            let text = "Nobody has set this chat up yet: open the link that `roomcast` prints when it starts.";
            return Ok(Said::no(Outcome::NotSetUp, text).into());
        }
        match command {
            Command::UserList {} => list(w, at),
            Command::UserAdd { login, name, role } => {
                self.add(w, login, name.as_deref(), *role, at)
            }
            Command::UserReset { login } => self.reset(w, login, at),
            Command::UserRole { login, role } => give_role(w, login, *role, at),
            Command::Invite {} => self.invite(w, at),
            Command::Backup {} | Command::Restore { .. } | Command::Check {} => {
                Ok(Said::no(Outcome::Failed, "That is no change.").into())
            }
        }
    }

    fn invite(&self, w: &Write<'_>, at: u64) -> Result<Changed, StoreError> {
        let expires_at = at + millis(limits::INVITE_KEPT);
        let uses = limits::INVITE_USES_MAX;
        w.new_invite(SHELL, &self.hash, Some(expires_at), Some(uses), at)?;
        let (days, link) = (limits::INVITE_KEPT.as_secs() / 86_400, self.link("join"));
        Ok(Said::done(format!(
            "{link}\nFor {uses} people, for {days} days. Others reach this machine by another name: put it in place of `{}`.",
            self.site
        ))
        .into())
    }

    fn add(
        &self,
        w: &Write<'_>,
        login: &str,
        name: Option<&str>,
        role: Role,
        at: u64,
    ) -> Result<Changed, StoreError> {
        let no = |typed: &str, why| {
            let text = format!("{typed:?} cannot be used: {why}.");
            Ok(Said::no(Outcome::Invalid, text).into())
        };
        let name = name.unwrap_or(login);
        let (login, name) = match (Login::parse(login), Name::parse(name)) {
            (Ok(login), Ok(parsed)) => (login, parsed),
            (Err(why), _) => return no(login, why),
            (_, Err(why)) => return no(name, why),
        };
        let joined = match w.create_user_without_password(&login, &name, at) {
            Ok(joined) => joined,
            Err(StoreError::Taken) => {
                let text = format!(
                    "The login {} is taken, or looks like one that is.",
                    login.as_str()
                );
                return Ok(Said::no(Outcome::Refused, text).into());
            }
            Err(error) => return Err(error),
        };
        let id = joined.user.id;
        let user = match role {
            Role::Member => joined.user,
            role => w.set_role(id, role)?,
        };
        let kept = limits::FIRST_PASSWORD_LINK_KEPT;
        w.new_password_link(id, SHELL, &self.hash, at + millis(kept), at)?;
        let told = json!({ "login": login.as_str(), "name": name.as_str() });
        note(w, "user:create", &told, at)?;
        if role != Role::Member {
            note(w, "user:role", &json!({ "user": id, "role": role }), at)?;
        }
        let days = kept.as_secs() / 86_400;
        let text = format!(
            "{}\nWhoever opens it first, within {days} days, sets the password of {}.",
            self.link("reset"),
            user.login
        );
        Ok(Changed {
            said: Said::done(text),
            user: Some(user),
            members: joined.members,
        })
    }

    fn reset(&self, w: &Write<'_>, login: &str, at: u64) -> Result<Changed, StoreError> {
        let Some(id) = find(w, login)? else {
            return Ok(nobody(login));
        };
        let kept = limits::PASSWORD_LINK_KEPT;
        match w.new_password_link(id, SHELL, &self.hash, at + millis(kept), at) {
            Ok(()) => {}
            Err(StoreError::NotFound) => return Ok(shut_out(login)),
            Err(error) => return Err(error),
        }
        note(w, "user:link", &json!({ "user": id }), at)?;
        let hours = kept.as_secs() / 3600;
        let text = format!(
            "{}\nWhoever opens it first, within {hours} hours, sets a new password for {login}. Until then the old one holds.",
            self.link("reset")
        );
        Ok(Said::done(text).into())
    }

    fn link(&self, door: &str) -> String {
        format!("{}/{door}/{}", self.site, self.code)
    }
}

/// Who signs in with that, if anybody does.
fn find(w: &Write<'_>, login: &str) -> Result<Option<UserId>, StoreError> {
    let Ok(login) = Login::parse(login) else {
        return Ok(None);
    };
    Ok(w.user_for_sign_in(login.key())?.map(|found| found.id))
}

fn nobody(login: &str) -> Changed {
    Said::no(Outcome::NoUser, format!("Nobody signs in as {login}.")).into()
}

fn shut_out(login: &str) -> Changed {
    let text = format!("{login} may not come in: an admin must let them in again first.");
    Said::no(Outcome::Refused, text).into()
}

fn give_role(w: &Write<'_>, login: &str, role: Role, at: u64) -> Result<Changed, StoreError> {
    let Some(id) = find(w, login)? else {
        return Ok(nobody(login));
    };
    // What makes it fail is rolled back with the job.
    let user = match w.set_role(id, role) {
        Ok(user) => user,
        Err(StoreError::NotFound) => return Ok(shut_out(login)),
        Err(error) => return Err(error),
    };
    note(w, "user:role", &json!({ "user": id, "role": role }), at)?;
    let role = format!("{role:?}").to_lowercase();
    Ok(Changed {
        said: Said::done(format!("{} is {role} from now on.", user.login)),
        user: Some(user),
        members: Vec::new(),
    })
}

/// Writes down what the shell did.
fn note(w: &Write<'_>, what: &'static str, target: &Value, at: u64) -> Result<(), StoreError> {
    w.note(&Deed {
        at,
        by: SHELL,
        what,
        target: target.to_string(),
        ip: None,
    })
}

/// Everybody, a line each, in columns.
fn list(w: &Write<'_>, at: u64) -> Result<Changed, StoreError> {
    let boot = w.load(at)?;
    let mut rows = vec![["LOGIN", "ROLE", "STATE", "LAST SEEN", "NAME"].map(str::to_owned)];
    for user in &boot.users {
        let sessions = boot
            .sessions
            .iter()
            .filter(|session| session.user == user.id);
        let used_at = sessions.map(|session| session.used_at).max();
        let is_muted =
            user.state == State::Muted && user.muted_until.is_none_or(|until| until > at);
        let state = match user.state {
            State::Muted if !is_muted => State::Active,
            state => state,
        };
        rows.push([
            user.login.clone(),
            format!("{:?}", user.role).to_lowercase(),
            format!("{state:?}").to_lowercase(),
            used_at.map_or_else(|| "-".to_owned(), |at| stamp(at)[..10].to_owned()),
            user.name.clone(),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..4).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; 5]| {
        let columns = row.iter().zip(&widths);
        let padded: String = columns
            .map(|(text, width)| format!("{text:width$}  "))
            .collect();
        padded + &row[4]
    };
    let lines: Vec<_> = rows.iter().map(line).collect();
    Ok(Said::done(lines.join("\n")).into())
}
