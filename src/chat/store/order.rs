//! Order: what people may do, and who may not come in any more.
//!
//! A wish comes in; people as they are from now on go out. One rule is kept here, since it must hold whatever else happens in
//! the same batch: there is always an admin who can come in.
//! Does not know who may wish it: the events have asked.
//! Left out: bans by address. Whole houses share one.

use rusqlite::params;

use super::boot::{user, user_columns};
use super::people::found;
use super::rows::{
    LetBack, Millis, PersonListed, Role, RoomId, RoomKind, ShutOut, State, User, UserId,
};
use super::{Read, StoreError, Write};
use crate::chat::names::Name;

const ADMIN_IN: &str = "SELECT EXISTS (SELECT 1 FROM users WHERE role = ?1 AND state IN (?2, ?3) AND pass IS NOT NULL)";

impl Write<'_> {
    /// Puts another name in place.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user.
    pub fn set_name(&self, id: UserId, name: &Name) -> Result<User, StoreError> {
        self.one(
            concat!(
                "UPDATE users SET name = ?2 WHERE id = ?1 RETURNING ",
                user_columns!()
            ),
            params![id, name.as_str()],
            user,
        )
    }

    /// Gives somebody another role.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user among those who may come in, [`StoreError::LastAdmin`] if no admin would be
    /// left.
    pub fn set_role(&self, id: UserId, role: Role) -> Result<User, StoreError> {
        let user = self.one(
            concat!(
                "UPDATE users SET role = ?2 WHERE id = ?1 AND state IN (?3, ?4) RETURNING ",
                user_columns!()
            ),
            params![id, role, State::Active, State::Muted],
            user,
        )?;
        self.has_an_admin()?;
        Ok(user)
    }

    /// Lets somebody only read, until then or for good; again, with another end, if they are muted already.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user among those who may come in.
    pub fn mute(&self, id: UserId, until: Option<u64>) -> Result<User, StoreError> {
        self.set_state(id, State::Muted, until)
    }

    /// Lets somebody speak again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user among those who may come in.
    pub fn unmute(&self, id: UserId) -> Result<User, StoreError> {
        self.set_state(id, State::Active, None)
    }

    fn set_state(&self, id: UserId, state: State, until: Option<u64>) -> Result<User, StoreError> {
        self.one(
            concat!(
                "UPDATE users SET state = ?2, muted_until = ?3 WHERE id = ?1 AND state IN (?4, ?5) RETURNING ",
                user_columns!()
            ),
            params![id, state, until.map(Millis), State::Active, State::Muted],
            user,
        )
    }

    /// Shuts somebody out, as banned or as gone: from all rooms but those of two, and their codes open nothing any more.
    /// Their sessions stay, so that their pages can be told why they open nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user, or if nothing would change; [`StoreError::LastAdmin`] if no admin would be
    /// left.
    pub fn shut_out(&self, id: UserId, state: State) -> Result<ShutOut, StoreError> {
        debug_assert!(matches!(state, State::Banned | State::Left));
        let user = self.one(
            concat!(
                "UPDATE users SET state = ?2, muted_until = NULL WHERE id = ?1 AND state <> ?2 RETURNING ",
                user_columns!()
            ),
            params![id, state],
            user,
        )?;
        self.has_an_admin()?;
        self.change(
            "DELETE FROM links WHERE kind = 0 AND by_user = ?1 OR kind = 1 AND user_id = ?1",
            [id],
        )?;
        let rooms: Vec<RoomId> = self.all(
            "SELECT room_id FROM members JOIN rooms ON rooms.id = room_id WHERE user_id = ?1 AND kind <> ?2",
            params![id, RoomKind::Direct],
            |row| row.get(0),
        )?;
        let left = rooms
            .into_iter()
            .map(|room| Ok((room, self.leave(room, id)?)));
        let rooms = left.collect::<Result<_, StoreError>>()?;
        Ok(ShutOut { user, rooms })
    }

    /// Lets somebody come in again who was shut out: as a member of General, with new sessions only.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user among those who are shut out.
    pub fn let_back(&self, id: UserId, at: u64) -> Result<LetBack, StoreError> {
        let user = self.one(
            concat!(
                "UPDATE users SET state = ?2, muted_until = NULL WHERE id = ?1 AND state IN (?3, ?4) RETURNING ",
                user_columns!()
            ),
            params![id, State::Active, State::Banned, State::Left],
            user,
        )?;
        let closed = self.close_sessions_of(id, None)?;
        let member = match self.general()?.map(|room| self.join(room, id, at)) {
            Some(Ok(member)) => Some(member),
            None | Some(Err(StoreError::NotFound)) => None,
            Some(Err(error)) => return Err(error),
        };
        Ok(LetBack {
            user,
            member,
            closed,
        })
    }

    fn has_an_admin(&self) -> Result<(), StoreError> {
        let has = self.one(
            ADMIN_IN,
            params![Role::Admin, State::Active, State::Muted],
            |row| row.get(0),
        )?;
        if has {
            Ok(())
        } else {
            Err(StoreError::LastAdmin)
        }
    }

    /// Renames the workspace, says who may make an account, and whom strangers may ask; what is `None` stays.
    ///
    /// # Errors
    /// What the disk says.
    pub fn set_settings(
        &self,
        workspace: Option<&str>,
        sign_up: Option<&str>,
        contact: Option<&str>,
    ) -> Result<(), StoreError> {
        use super::boot::{CONTACT, SIGN_UP, WORKSPACE};
        for (key, value) in [
            (WORKSPACE, workspace),
            (SIGN_UP, sign_up),
            (CONTACT, contact),
        ] {
            if let Some(value) = value {
                self.set_meta(key, value)?;
            }
        }
        Ok(())
    }

    /// Closes a room for good, or opens it again: nobody writes in an archived one, and nobody joins it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a room, or if it is one of two people.
    pub fn archive_room(&self, room: RoomId, at: Option<u64>) -> Result<(), StoreError> {
        found(self.change(
            "UPDATE rooms SET archived_at = ?2 WHERE id = ?1 AND kind <> ?3",
            params![room, at.map(Millis), RoomKind::Direct],
        )?)
    }
}

impl Read<'_> {
    /// Everybody with an account whose login or name has this in it, from the first account on, above an id.
    ///
    /// # Errors
    /// What the disk says.
    pub fn people(
        &self,
        has: &str,
        above: UserId,
        limit: usize,
    ) -> Result<Vec<PersonListed>, StoreError> {
        self.all(
            "SELECT id, login, name, role, state, muted_until, created_at, pass IS NOT NULL,
                    (SELECT max(used_at) FROM sessions WHERE user_id = users.id)
             FROM users
             WHERE id > ?1 AND (instr(lower(login), lower(?2)) OR instr(lower(name), lower(?2)) OR ?2 = '')
             ORDER BY id LIMIT ?3",
            params![above, has, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| {
                Ok(PersonListed {
                    user: user(row)?,
                    created_at: row.get::<_, Millis>(6)?.0,
                    has_password: row.get(7)?,
                    used_at: row.get::<_, Option<Millis>>(8)?.map(|at| at.0),
                })
            },
        )
    }
}
