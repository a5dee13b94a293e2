//! What the store gives back: plain rows, as the page is told them.
//!
//! Ids are newtypes, so that a room is never taken for a user; numbers of order (`seq`, `rev`) are bare.
//! Times are Unix milliseconds, for display only: order is by number.
//! Knows no SQL beyond how a value of its own is stored.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }
    )*};
}

ids! {
    /// A person or a bot.
    UserId,
    /// A room, also a direct one.
    RoomId,
    /// A message; rising over all rooms.
    MessageId,
    /// A stay of one user on one device, from sign-in to its end.
    SessionId,
    /// An invite.
    InviteId,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $code:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$inner])* $variant = $code),* }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok((*self as i64).into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match i64::column_result(value)? {
                    $($code => Ok(Self::$variant),)*
                    other => Err(FromSqlError::OutOfRange(other)),
                }
            }
        }
    )*};
}

codes! {
    /// What a user may do in the workspace.
    Role {
        /// Talk.
        Member = 0,
        /// Mute and delete.
        Moderator = 1,
        /// Everything.
        Admin = 2,
        /// A program: signs in by token only.
        Bot = 9,
    }

    /// Whether a user may come in and speak.
    State {
        /// Both.
        Active = 0,
        /// May only read, until `muted_until`.
        Muted = 1,
        /// Neither.
        Banned = 2,
        /// Gone; their messages stay.
        Left = 3,
    }

    /// Who finds a room.
    RoomKind {
        /// Everybody may join.
        Open = 0,
        /// Members are added.
        Private = 1,
        /// Two people.
        Direct = 2,
    }

    /// What a member wants to be told of.
    Level {
        /// Nothing.
        Nothing = 0,
        /// Being mentioned.
        Mentions = 1,
        /// Every message.
        All = 2,
    }
}

/// A time as it is stored: SQLite's integers have a sign, times here have none.
#[derive(Clone, Copy)]
pub(super) struct Millis(pub(super) u64);

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(u64::try_from(i64::column_result(value)?).unwrap_or(0)))
    }
}

/// A user, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// What they sign in with, as they typed it.
    pub login: String,
    /// What others see.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may come in.
    pub state: State,
    /// While muted: until when, or for good.
    #[serde(rename = "mutedUntil", skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<u64>,
}

/// Somebody with an account, as an admin is shown them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonListed {
    /// Who.
    #[serde(flatten)]
    pub user: User,
    /// Since when they have the account.
    pub created_at: u64,
    /// Whether they have set a password, or have yet to do so through a link.
    pub has_password: bool,
    /// When one of their sessions was last prolonged.
    pub used_at: Option<u64>,
}

/// Somebody who was shut out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShutOut {
    /// Who.
    pub user: User,
    /// The rooms they were in, and are no more, and what became of each.
    pub rooms: Vec<(RoomId, Left)>,
}

/// Somebody who may come in again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetBack {
    /// Who.
    pub user: User,
    /// Their place in General, if there is a General.
    pub member: Option<Member>,
    /// Sessions from before, which have opened nothing since; closed.
    pub closed: Vec<SessionId>,
}

/// A deed, as the trail has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// Its number; a larger one was later.
    pub id: i64,
    /// When.
    pub at: u64,
    /// By whom.
    pub by: Option<UserId>,
    /// What: the name of its event.
    pub what: String,
    /// To whom or what, as JSON.
    pub target: Option<String>,
    /// From which address.
    pub ip: Option<String>,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Who finds it.
    pub kind: RoomKind,
    /// Its name; a direct room has none.
    pub name: Option<String>,
    /// What it is about.
    pub topic: String,
    /// Whether it may be read without signing in.
    pub guests: bool,
    /// Number of the last message.
    pub seq: i64,
    /// Number of the last change.
    pub rev: i64,
    /// Whether nobody may write any more.
    pub archived: bool,
    /// Who made it, or has it from them.
    pub by: Option<UserId>,
    /// A direct room's two people, the one with the smaller id first; twice the same for one's own notes.
    pub pair: Option<(UserId, UserId)>,
    /// When something was last said in it; before that, when it was made.
    pub at: u64,
}

/// A membership has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// To whom the room went, if its maker has left.
    pub maker: Option<UserId>,
    /// Whether the room is archived now.
    pub is_archived: bool,
}

/// How far a member has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The last message they have seen.
    pub seq: i64,
    /// How often they were mentioned since.
    pub mentions: i64,
}

/// One user in one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Where.
    pub room: RoomId,
    /// What they want to be told of.
    pub level: Level,
    /// The last message they have seen.
    pub read_seq: i64,
    /// How often they were mentioned since.
    pub mentions: i64,
}

/// A session, as the map in memory needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Whose it is.
    pub user: UserId,
    /// When it ends.
    pub expires_at: u64,
    /// When it was last prolonged.
    pub used_at: u64,
}

/// A session, as its owner is shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionShown {
    /// Its id.
    pub id: SessionId,
    /// When they signed in.
    pub created_at: u64,
    /// When it was last prolonged.
    pub used_at: u64,
    /// The browser, as it called itself.
    pub agent: Option<String>,
    /// From where.
    pub ip: Option<String>,
}

/// A session that was opened, and those that had to make room for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The new one.
    pub id: SessionId,
    /// The oldest of this user, above the limit; closed.
    pub closed: Vec<SessionId>,
}

/// What a sign-in is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Who it would be.
    pub id: UserId,
    /// The stored hash; `None` while the user has yet to set a password.
    pub phc: Option<String>,
    /// Whether they may come in at all.
    pub state: State,
}

/// An invite, as an admin is shown it: without the code, which nobody knows any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// Its id.
    pub id: InviteId,
    /// Who made it.
    pub by: UserId,
    /// When.
    pub created_at: u64,
    /// Until when it opens the door; `None`: for ever.
    pub expires_at: Option<u64>,
    /// How often it still does; `None`: any number.
    pub uses_left: Option<u32>,
}

/// A new user, and the rooms it is in from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The user.
    pub user: User,
    /// Its memberships.
    pub members: Vec<Member>,
}

/// Everything the maps in memory are made of at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The workspace's name; `None` before the first admin.
    pub workspace: Option<String>,
    /// The room everybody is in from the start; `None` before the first admin.
    pub general: Option<RoomId>,
    /// Who may make an account, if an admin has said so.
    pub sign_up: Option<String>,
    /// Whom strangers may ask, if an admin has said so.
    pub contact: Option<String>,
    /// Which history this is; `None` in a database that no server has opened yet.
    pub database: Option<String>,
    /// All users, also those who left: their messages still name them.
    pub users: Vec<User>,
    /// All rooms.
    pub rooms: Vec<Room>,
    /// Who is where.
    pub members: Vec<Member>,
    /// All sessions that have not expired.
    pub sessions: Vec<Session>,
}

/// A message, as the page is told it. A deleted one keeps its place with an empty text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Where.
    pub room: RoomId,
    /// Its id.
    pub id: MessageId,
    /// Its place in the room: 1, 2, 3 …
    pub seq: i64,
    /// The room's number of change at its last one.
    pub rev: i64,
    /// Who wrote it.
    pub by: UserId,
    /// The sender's own id for it.
    pub cid: String,
    /// When it was stored.
    pub at: u64,
    /// What it says.
    pub text: String,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<u64>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
    /// Who deleted it, if not its author.
    #[serde(rename = "deletedBy", skip_serializing_if = "Option::is_none")]
    pub deleted_by: Option<UserId>,
}

/// A message was stored, now or before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Where it is: for a duplicate, where it was sent to first.
    pub room: RoomId,
    /// Its id.
    pub id: MessageId,
    /// Its place in the room.
    pub seq: i64,
    /// The number of its last change.
    pub rev: i64,
    /// When it was stored.
    pub at: u64,
    /// It had been stored before: confirm it, but tell nobody again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dup: bool,
}

/// Where a page of history is cut from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The newest.
    Newest,
    /// The last ones below this number.
    Before(i64),
    /// The first ones above this number.
    After(i64),
    /// This number in the middle.
    Around(i64),
}

/// A page of history, rising by `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The messages.
    pub rows: Vec<Row>,
    /// Nothing comes before them.
    pub start: bool,
    /// Nothing comes after them.
    pub end: bool,
}

/// What changed in a room since a number of change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chunk {
    /// The changed messages in their last form, rising by `rev`; after a reset the newest, rising by `seq`.
    pub rows: Vec<Row>,
    /// Where to go on from.
    pub rev: i64,
    /// There is more from there.
    pub more: bool,
    /// Drop what you know of this room first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The words, as somebody typed them.
    pub words: String,
    /// The rooms to look in.
    pub rooms: Vec<RoomId>,
    /// Only what this user wrote.
    pub from: Option<UserId>,
    /// Only what is older than this message.
    pub before: Option<MessageId>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The messages, the newest first.
    pub rows: Vec<Row>,
    /// There are older ones.
    pub more: bool,
    /// Time was up before all was looked through.
    pub partial: bool,
}
