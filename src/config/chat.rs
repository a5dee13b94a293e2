//! Limits of the chat application that are part of its contract, not of its settings.

use std::time::Duration;

/// Rows of one page of history: a screen and a half on a desktop.
pub const HISTORY_ROWS_MAX: usize = 50;
/// Bytes of one chunk of catching up, as JSON; the page asks for the next, so that others get their turn.
pub const SYNC_BYTES_MAX: usize = 64 * 1024;
/// Changes a page may be behind before it is given the newest page instead: a phone back after a month is not flooded.
pub const SYNC_BEHIND_MAX: i64 = 1000;
/// Characters of a login: two, so that it can be told from a typing mistake.
pub const LOGIN_CHARS_MIN: usize = 2;
/// Characters of a login: what fits a line of the page on a phone.
pub const LOGIN_CHARS_MAX: usize = 32;
/// Characters of the name of a person, a room or the workspace.
pub const NAME_CHARS_MAX: usize = 64;
/// Combining marks in a row: no script needs more than four, and stacks of them reach into the lines above.
pub const MARKS_IN_A_ROW_MAX: usize = 4;
/// Bytes of a password, at least (NIST SP 800-63B, section 5.1.1.1).
pub const PASSWORD_BYTES_MIN: usize = 8;
/// Bytes of a password, at most: hashing more is work for nothing.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Memory of one hash (OWASP's minimum for argon2id with two passes); one at a time, so it fits a 256 MB host.
pub const HASH_KIB: u32 = 19 * 1024;
/// Passes of one hash.
pub const HASH_PASSES: u32 = 2;
/// Memory that a stored hash may ask for, should [`HASH_KIB`] have been larger once.
pub const HASH_KIB_MAX: u32 = 64 * 1024;
/// Sessions of one user; the oldest are closed above this. Nobody has as many devices, but a script may sign in daily.
pub const SESSIONS_PER_USER_MAX: usize = 100;
/// Bytes kept of what a browser calls itself.
pub const AGENT_BYTES_MAX: usize = 256;
/// How long a connection to the database waits for another process (a backup, a shell) before it gives up.
pub const BUSY_WITHIN: Duration = Duration::from_secs(2);
/// Statements kept prepared per connection; there are fewer than this.
pub const STATEMENTS_CACHED_MAX: usize = 96;
/// Pages kept in memory per connection, in KiB.
pub const PAGE_CACHE_KIB_MAX: i64 = 2000;
/// Bytes of the write-ahead log that stay allocated once it was check-pointed as a whole.
pub const WAL_BYTES_KEPT_MAX: i64 = 4 * 1024 * 1024;
/// Characters of a message.
pub const TEXT_CHARS_MAX: usize = 4000;
/// Characters of a room's topic.
pub const TOPIC_CHARS_MAX: usize = 250;
/// Characters of the id that a page gives its message: 16 random bytes in base64url are 22.
pub const CID_CHARS_MAX: usize = 64;
/// Bytes of one packet from a page: a message of 4,000 characters, escaped, with room to spare.
pub const PACKET_BYTES_MAX: usize = 64 * 1024;
/// Sockets of one person: tabs and devices.
pub const SOCKETS_PER_USER_MAX: usize = 12;
/// How long a session lasts after it was last used.
pub const SESSION_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often its use is written down at most.
pub const SESSION_TOUCHED_EVERY: Duration = Duration::from_secs(3600);
/// How long the first-run code holds.
pub const FIRST_RUN_KEPT: Duration = Duration::from_secs(30 * 60);
/// How long an invite holds.
pub const INVITE_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How many may come by one invite.
pub const INVITE_USES_MAX: u32 = 25;
/// Invites that hold at one time; the oldest end above this. Each is a row that anybody may ask about.
pub const INVITES_MAX: usize = 200;
/// Failed tries of one account that cost nothing.
pub const FAILURES_PER_ACCOUNT_MAX: u32 = 5;
/// Failed tries from one address that cost nothing; a whole office may sit behind it.
pub const FAILURES_PER_ADDRESS_MAX: u32 = 20;
/// How long a failed try is remembered.
pub const FAILURES_KEPT: Duration = Duration::from_secs(15 * 60);
/// The wait after the first failure too many; each further one doubles it.
pub const FAILURE_WAIT_MIN: Duration = Duration::from_secs(4);
/// And the longest: an attacker gets 30 tries an hour, an owner waits two minutes.
pub const FAILURE_WAIT_MAX: Duration = Duration::from_secs(120);
/// Accounts and addresses whose failures are remembered: about 1 MB.
pub const THROTTLE_KEYS_MAX: usize = 10_000;
/// Passwords that may wait for the one hash under way; more are told that we are busy.
pub const HASHES_WAITING_MAX: usize = 8;
/// Changes that may wait for the disk; more are told that we are busy.
pub const WRITES_WAITING_MAX: usize = 4096;
/// Questions that may wait for the reading lane; more are told that we are busy.
pub const READS_WAITING_MAX: usize = 1024;
/// Events of one socket that may come at once: what a page asks for when it comes back to a dozen rooms, several times.
pub const EVENTS_BURST_MAX: u32 = 100;
/// And then one each this often, which no hand reaches.
pub const EVENT_EVERY_MIN: Duration = Duration::from_millis(20);
/// A socket that goes on asking for this long after it was told to slow down is closed.
pub const FLOOD_BORNE_MAX: Duration = Duration::from_secs(10);
/// Rows of one answer to a search.
pub const SEARCH_ROWS_MAX: usize = 30;
/// Characters of what is searched for: more words find nothing more.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Time that one search may take of the reading lane; then the newest that were found are shown.
pub const SEARCH_WITHIN: Duration = Duration::from_millis(50);
/// Steps of SQLite's machine between two looks at the time: some microseconds.
pub const SEARCH_STEPS_BETWEEN_LOOKS: i32 = 1000;
/// Messages that one person may send at once: a thought in five lines.
pub const SENDS_BURST_MAX: u32 = 5;
/// And then one each this often, in all rooms together; the page waits by itself.
pub const SEND_EVERY_MIN: Duration = Duration::from_secs(1);
/// Edits and deletions of one person at once: an evening's regrets.
pub const CHANGES_BURST_MAX: u32 = 5;
/// And then one each this often: everybody in the room is told of each.
pub const CHANGE_EVERY_MIN: Duration = Duration::from_millis(500);
/// Searches of one person at once: in the open room, then in all, then with a word less.
pub const SEARCHES_BURST_MAX: u32 = 5;
/// And then one each this often, since each may take [`SEARCH_WITHIN`] of the reading lane.
pub const SEARCH_EVERY_MIN: Duration = Duration::from_secs(1);
/// Pages of history that one person may ask for at once.
pub const PAGES_BURST_MAX: u32 = 10;
/// And then one each this often: a page comes faster than anybody scrolls.
pub const PAGE_EVERY_MIN: Duration = Duration::from_millis(100);
/// Times that somebody may begin to type at once: as often as they may send what they typed.
pub const TYPING_BURST_MAX: u32 = 5;
/// And then once each this often; who is told forgets it after five seconds.
pub const TYPING_EVERY_MIN: Duration = Duration::from_secs(3);
/// People in a room who are told of each other's comings and goings by name; in a larger one they are told how many are here. At
/// a change a second, that is 200 packets a second.
pub const PRESENCE_PEOPLE_MAX: usize = 200;
/// Signs of a mention in one message that are looked at: whoever calls more people than this wants all of them.
pub const MENTIONS_MAX: usize = 20;
/// Rooms that one person may make at once: those of a new workspace.
pub const ROOMS_BURST_MAX: u32 = 10;
/// And then one each this often: everybody is told of each, and none is ever forgotten.
pub const ROOM_EVERY_MIN: Duration = Duration::from_secs(12 * 60);
/// Changes on disk after which the write-ahead log is moved into the database.
pub const CHECKPOINT_EVERY_WRITES: u32 = 500;

/// How long a link that sets a new password holds: an admin hands it over by hand, now.
pub const PASSWORD_LINK_KEPT: Duration = Duration::from_secs(4 * 3600);
/// How long the link of somebody whose account an admin has made holds: as an invite does.
pub const FIRST_PASSWORD_LINK_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long deeds are kept in the audit trail.
pub const AUDIT_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Rows of one page of the audit trail, of people, and of sockets, as an admin is shown them.
pub const ADMIN_ROWS_MAX: usize = 100;
/// Characters of the words that tell strangers whom to ask.
pub const CONTACT_CHARS_MAX: usize = 200;
/// The longest that somebody can be muted for; longer is for good.
pub const MUTE_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// New names of one person that may come at once: everybody is told of each.
pub const NAMES_BURST_MAX: u32 = 5;
/// And then one each this often.
pub const NAME_EVERY_MIN: Duration = Duration::from_secs(60);
/// Events of one socket of `/admin` that may come at once: what its page asks for when it is opened, several times.
pub const ADMIN_EVENTS_BURST_MAX: u32 = 40;
/// And then one each this often: some of them look at every session there is.
pub const ADMIN_EVENT_EVERY_MIN: Duration = Duration::from_millis(200);
/// How long a socket may stay in `/door`, where programs sign in: long enough to try again after a typing mistake.
pub const DOOR_OPEN_MAX: Duration = Duration::from_secs(60);
/// Sockets in `/door`: nobody has to be known to be one of them.
pub const DOOR_SOCKETS_MAX: usize = 256;
/// And of them from one address (of IPv6 the /64), so that nobody alone keeps all others' programs out. Loopback is exempt.
pub const DOOR_SOCKETS_PER_ADDRESS_MAX: usize = 16;
/// Tries of one socket in `/door` that may come at once; further ones wait for their second.
pub const DOOR_EVENTS_BURST_MAX: u32 = 10;
/// And then one each this often.
pub const DOOR_EVENT_EVERY_MIN: Duration = Duration::from_secs(1);
/// Pages copied before a backup looks whether it is still wanted: a megabyte.
pub const BACKUP_PAGES_PER_STEP: i32 = 256;
/// Pieces of slow work (backups, checks) that may wait for the one under way; more are told that we are busy.
pub const KEEPING_WAITING_MAX: usize = 4;
/// Backups that are being downloaded at a time: each is a file on disk until it is fetched.
pub const DOWNLOADS_MAX: usize = 2;
/// Bytes of a download read at a time.
pub const DOWNLOAD_PIECE_BYTES: usize = 64 * 1024;
/// What is added to the revisions of a restored database: more than anybody changes between two backups.
pub const RESTORED_REV_ADDED: i64 = 1_000_000;
/// Sentences of a check: who reads twenty has seen enough.
pub const FINDINGS_MAX: usize = 20;
/// How long the place of a deleted message is kept, for pages that come back: a season.
pub const TOMBSTONES_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Rows that are cleared away at a time; senders have their turn between.
pub const CLEARED_ROWS_MAX: i64 = 500;
/// Pages given back to the disk with them.
pub const VACUUMED_PAGES_MAX: i64 = 500;
/// How often there is a look for what may be cleared away.
pub const CLEARED_EVERY: Duration = Duration::from_secs(3600);
/// Pages of the write-ahead log above which the operator is told: 64 MiB that somebody's long reading keeps from being moved.
pub const WAL_PAGES_SPARED_MAX: i64 = 16 * 1024;

/// What the chat does by the clock. No setting: for tests, which do not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Without a socket for this long, somebody is offline: a reload is not an absence.
    pub offline_after: Duration,
    /// How often changes of presence are told at most.
    pub presence_every: Duration,
    /// How often sessions that have expired are looked for.
    pub expiry_every: Duration,
    /// How often those who watch the server's numbers are told them.
    pub stats_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            offline_after: Duration::from_secs(10),
            presence_every: Duration::from_secs(2),
            expiry_every: Duration::from_secs(60),
            stats_every: Duration::from_secs(2),
        }
    }
}
