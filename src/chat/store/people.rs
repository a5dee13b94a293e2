//! Users, and their sessions.
//!
//! Checked logins and ready hashes come in; users and sessions go out.
//! Never sees a password or a token, only what is made of them.
//! Left out: counting failed sign-ins, which is a matter of minutes and lives in memory.

use rusqlite::params;

use super::boot::{GENERAL, WORKSPACE, user, user_columns};
use super::rows::{
    Joined, Millis, Opened, Role, RoomId, RoomKind, SessionId, SessionShown, SignIn, State, User,
    UserId,
};
use super::{Read, StoreError, Write};
use crate::chat::accounts::Digest;
use crate::chat::names::{Login, Name};
use crate::config::chat;

/// Somebody to be made a user.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they will sign in with.
    pub login: Login,
    /// What others will see.
    pub name: Name,
    /// The hash of their password.
    pub phc: String,
}

impl Write<'_> {
    /// Makes the first admin, the workspace and the room "General", all or nothing; ends the first-run code.
    ///
    /// # Errors
    /// [`StoreError::Gone`] if there is a user already: somebody was quicker.
    pub fn create_first_admin(
        &self,
        workspace: &Name,
        new: &NewUser,
        at: u64,
    ) -> Result<Joined, StoreError> {
        let somebody = self.one("SELECT EXISTS (SELECT 1 FROM users)", [], |row| row.get(0))?;
        if somebody {
            return Err(StoreError::Gone);
        }
        self.set_meta(WORKSPACE, workspace.as_str())?;
        let user = self.insert_user(&new.login, &new.name, Some(&new.phc), Role::Admin, at)?;
        let general = Name::parse("General").expect("a name like any other");
        let room = self.create_room(RoomKind::Open, &general, "", user.id, at)?;
        self.set_meta(GENERAL, &room.id.0.to_string())?;
        self.clear_meta(super::invites::FIRST_RUN)?;
        let members = vec![self.member(room.id, user.id)?];
        Ok(Joined { user, members })
    }

    /// Makes a user without an invite, for a workspace that is open to all. It is in "General" from the start.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the login looks like another's.
    pub fn create_user_open(&self, new: &NewUser, at: u64) -> Result<Joined, StoreError> {
        self.create_user_in(new, None, at)
    }

    pub(super) fn create_user_in(
        &self,
        new: &NewUser,
        besides: Option<RoomId>,
        at: u64,
    ) -> Result<Joined, StoreError> {
        let user = self.insert_user(&new.login, &new.name, Some(&new.phc), Role::Member, at)?;
        self.welcome(user, besides, at)
    }

    pub(super) fn create_user_with(
        &self,
        login: &Login,
        name: &Name,
        phc: Option<&str>,
        at: u64,
    ) -> Result<Joined, StoreError> {
        let user = self.insert_user(login, name, phc, Role::Member, at)?;
        self.welcome(user, None, at)
    }

    /// Somebody new joins General, and the room they were invited to.
    fn welcome(&self, user: User, besides: Option<RoomId>, at: u64) -> Result<Joined, StoreError> {
        let mut members = Vec::new();
        let general = self.general()?;
        for room in general
            .into_iter()
            .chain(besides.filter(|room| general != Some(*room)))
        {
            match self.join(room, user.id, at) {
                Ok(member) => members.push(member),
                // Archived since: no reason to keep anybody out.
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Joined { user, members })
    }

    fn insert_user(
        &self,
        login: &Login,
        name: &Name,
        phc: Option<&str>,
        role: Role,
        at: u64,
    ) -> Result<User, StoreError> {
        self.one(
            concat!(
                "INSERT INTO users(login, login_key, name, pass, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 RETURNING ",
                user_columns!()
            ),
            params![
                login.as_str(),
                login.key(),
                name.as_str(),
                phc,
                role,
                Millis(at)
            ],
            user,
        )
    }

    /// Changes a password. Its caller closes the other sessions ([`Write::close_sessions_of`]).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user.
    pub fn set_password(&self, user: UserId, phc: &str) -> Result<(), StoreError> {
        found(self.change(
            "UPDATE users SET pass = ?2 WHERE id = ?1",
            params![user, phc],
        )?)
    }

    /// Opens a session. Above [`chat::SESSIONS_PER_USER_MAX`] the ones used longest ago are closed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user among those who may come in: somebody may have been shut out while their
    /// password was looked at.
    pub fn open_session(
        &self,
        user: UserId,
        token_hash: &Digest,
        at: u64,
        expires_at: u64,
        agent: Option<&str>,
        ip: Option<&str>,
    ) -> Result<Opened, StoreError> {
        let agent = agent.map(|agent| clipped(agent, chat::AGENT_BYTES_MAX));
        let id = self.one(
            "INSERT INTO sessions(token_hash, user_id, created_at, used_at, expires_at, agent, ip)
             SELECT ?1, id, ?3, ?3, ?4, ?5, ?6 FROM users WHERE id = ?2 AND state IN (?7, ?8) RETURNING id",
            params![
                token_hash,
                user,
                Millis(at),
                Millis(expires_at),
                agent,
                ip,
                State::Active,
                State::Muted
            ],
            |row| row.get(0),
        )?;
        let spared = i64::try_from(chat::SESSIONS_PER_USER_MAX - 1).unwrap_or(i64::MAX);
        let closed = self.all(
            "DELETE FROM sessions WHERE id IN (
               SELECT id FROM sessions WHERE user_id = ?1 AND id <> ?2
               ORDER BY used_at DESC, id DESC LIMIT -1 OFFSET ?3
             ) RETURNING id",
            params![user, id, spared],
            |row| row.get(0),
        )?;
        Ok(Opened { id, closed })
    }

    /// Prolongs a session.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it has been closed.
    pub fn touch_session(
        &self,
        session: SessionId,
        at: u64,
        expires_at: u64,
    ) -> Result<(), StoreError> {
        found(self.change(
            "UPDATE sessions SET used_at = ?2, expires_at = ?3 WHERE id = ?1",
            params![session, Millis(at), Millis(expires_at)],
        )?)
    }

    /// Ends a session; `None` if there was none with this token.
    ///
    /// # Errors
    /// What the disk says.
    pub fn close_session(&self, token_hash: &Digest) -> Result<Option<SessionId>, StoreError> {
        self.maybe(
            "DELETE FROM sessions WHERE token_hash = ?1 RETURNING id",
            params![token_hash],
            |row| row.get(0),
        )
    }

    /// Ends a session by its id; `None` if it has ended already.
    ///
    /// # Errors
    /// What the disk says.
    pub fn close_session_by_id(&self, id: SessionId) -> Result<Option<SessionId>, StoreError> {
        self.maybe(
            "DELETE FROM sessions WHERE id = ?1 RETURNING id",
            [id],
            |row| row.get(0),
        )
    }

    /// Ends all sessions of a user, `but` one.
    ///
    /// # Errors
    /// What the disk says.
    pub fn close_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.all(
            "DELETE FROM sessions WHERE user_id = ?1 AND id IS NOT ?2 RETURNING id",
            params![user, but],
            |row| row.get(0),
        )
    }

    /// Forgets sessions that have expired; how many that were.
    ///
    /// # Errors
    /// What the disk says.
    pub fn clear_expired_sessions(&self, at: u64) -> Result<usize, StoreError> {
        self.change("DELETE FROM sessions WHERE expires_at <= ?1", [Millis(at)])
    }
}

impl Read<'_> {
    /// What a sign-in with this login is checked against.
    ///
    /// # Errors
    /// What the disk says.
    pub fn user_for_sign_in(&self, login_key: &str) -> Result<Option<SignIn>, StoreError> {
        self.maybe(
            "SELECT id, pass, state FROM users WHERE login_key = ?1",
            [login_key],
            |row| {
                Ok(SignIn {
                    id: row.get(0)?,
                    phc: row.get(1)?,
                    state: row.get(2)?,
                })
            },
        )
    }

    /// The sessions of a user, the one used last first.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sessions_of(&self, user: UserId) -> Result<Vec<SessionShown>, StoreError> {
        self.all(
            "SELECT id, created_at, used_at, agent, ip FROM sessions WHERE user_id = ?1
             ORDER BY used_at DESC, id DESC",
            [user],
            |row| {
                Ok(SessionShown {
                    id: row.get(0)?,
                    created_at: row.get::<_, Millis>(1)?.0,
                    used_at: row.get::<_, Millis>(2)?.0,
                    agent: row.get(3)?,
                    ip: row.get(4)?,
                })
            },
        )
    }
}

/// A change that found nothing to change.
pub(super) fn found(rows: usize) -> Result<(), StoreError> {
    if rows == 0 {
        Err(StoreError::NotFound)
    } else {
        Ok(())
    }
}

fn clipped(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
