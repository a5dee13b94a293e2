-- Version 1. Never edited once released: the next version is a file of its own, listed in schema.rs.
-- AUTOINCREMENT wherever an id is known outside: without it the id of a deleted last row would come again.
CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL) WITHOUT ROWID;   -- workspace name, first-run code hash, settings

CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  login TEXT NOT NULL,                 -- what they type; shown as typed
  login_key TEXT NOT NULL UNIQUE,      -- names::Login::key: one for all spellings that look alike
  name TEXT NOT NULL,
  pass TEXT,                           -- PHC string; NULL = must set through a one-time link
  role INTEGER NOT NULL DEFAULT 0,     -- rows::Role
  state INTEGER NOT NULL DEFAULT 0,    -- rows::State
  muted_until INTEGER,
  created_at INTEGER NOT NULL, seen_at INTEGER
);
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash BLOB NOT NULL UNIQUE,     -- SHA-256 of the cookie's value, never the value
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at INTEGER NOT NULL, used_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  agent TEXT, ip TEXT
);
CREATE INDEX sessions_user ON sessions(user_id);
CREATE INDEX sessions_exp  ON sessions(expires_at);
CREATE TABLE links (                   -- whatever opens a door to who holds its code
  id INTEGER PRIMARY KEY AUTOINCREMENT,              -- names it to admins, who must not see the code again
  hash BLOB NOT NULL UNIQUE,           -- SHA-256 of the code
  kind INTEGER NOT NULL,               -- 0 invite, 1 new password, 2 incoming webhook
  user_id INTEGER REFERENCES users ON DELETE CASCADE,   -- whose password; in whose name the hook speaks
  room_id INTEGER REFERENCES rooms ON DELETE CASCADE,   -- joined besides General; where the hook speaks
  by_user INTEGER NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER, uses_left INTEGER -- NULL: for ever; any number
);

CREATE TABLE rooms (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL,               -- rows::RoomKind
  name TEXT, name_key TEXT UNIQUE,     -- NULL for direct
  topic TEXT NOT NULL DEFAULT '',
  dm_key TEXT UNIQUE,                  -- '3:17', sorted user ids; makes "open a direct room" idempotent
  guests INTEGER NOT NULL DEFAULT 0,   -- 1: readable without signing in
  seq INTEGER NOT NULL DEFAULT 0,      -- number of the last message
  rev INTEGER NOT NULL DEFAULT 0,      -- number of the last change (post, edit, delete, reaction)
  rev_floor INTEGER NOT NULL DEFAULT 0,-- changes at or below this may have been pruned
  keep_days INTEGER, created_by INTEGER, created_at INTEGER NOT NULL, archived_at INTEGER
);
CREATE TABLE members (
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  room_id INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
  role INTEGER NOT NULL DEFAULT 0, level INTEGER NOT NULL DEFAULT 1,  -- rows::Level
  read_seq INTEGER NOT NULL DEFAULT 0, mentions INTEGER NOT NULL DEFAULT 0, joined_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID;
CREATE INDEX members_room ON members(room_id, user_id);

CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,              -- also the search's rowid; the order over all rooms
  room_id INTEGER NOT NULL REFERENCES rooms,
  seq INTEGER NOT NULL,                -- position in the room: 1, 2, 3 …, never used again
  rev INTEGER NOT NULL,                -- the room's rev at its last change
  author_id INTEGER NOT NULL,
  cid TEXT NOT NULL,                   -- made by the sender's page; makes sending again harmless
  at INTEGER NOT NULL, edited_at INTEGER, deleted_at INTEGER, deleted_by INTEGER,
  reply_to INTEGER, body TEXT NOT NULL, files TEXT,
  UNIQUE (room_id, seq),
  UNIQUE (author_id, cid)
);
CREATE UNIQUE INDEX messages_rev ON messages(room_id, rev);
CREATE TABLE reactions (
  message_id INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
  emoji TEXT NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (message_id, emoji, user_id)
) WITHOUT ROWID;
CREATE TABLE files (
  id TEXT PRIMARY KEY, sha256 BLOB NOT NULL, owner_id INTEGER NOT NULL, room_id INTEGER,
  name TEXT NOT NULL, mime TEXT NOT NULL, size INTEGER NOT NULL, w INTEGER, h INTEGER,
  thumb_size INTEGER, message_id INTEGER, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_orphan ON files(at) WHERE message_id IS NULL;
CREATE TABLE audit (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, by_user INTEGER, what TEXT NOT NULL, target TEXT, ip TEXT);

-- A search within one room asks for `room:r12`, so that a common word does not scan the rooms one may not read.
CREATE VIEW searchable AS SELECT id, body, 'r' || room_id AS room FROM messages;
CREATE VIRTUAL TABLE search USING fts5(body, room, content='searchable', content_rowid='id',
  tokenize="unicode61 remove_diacritics 2", prefix='2 3', detail=full);
CREATE TRIGGER messages_inserted AFTER INSERT ON messages BEGIN
  INSERT INTO search(rowid, body, room) VALUES (new.id, new.body, 'r' || new.room_id); END;
CREATE TRIGGER messages_updated AFTER UPDATE OF body ON messages BEGIN
  INSERT INTO search(search, rowid, body, room) VALUES ('delete', old.id, old.body, 'r' || old.room_id);
  INSERT INTO search(rowid, body, room) VALUES (new.id, new.body, 'r' || new.room_id); END;
CREATE TRIGGER messages_deleted AFTER DELETE ON messages BEGIN
  INSERT INTO search(search, rowid, body, room) VALUES ('delete', old.id, old.body, 'r' || old.room_id); END;
