//! Every limit and duration, each with the reason for its default.
//!
//! Plain values with public fields: change what you need and hand the whole to [`crate::Server`]. Units are the last
//! word of a name. Each layer is lent its own part and sees no other.
//! Knows std and ranges of addresses only.

use std::time::Duration;

use crate::addresses::Network;

/// All of it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// The loop and its connections.
    pub reactor: Reactor,
    /// HTTP/1.1.
    pub http: Http,
    /// WebSocket.
    pub websocket: WebSocket,
    /// Engine.IO sessions.
    pub engine: Engine,
    /// Socket.IO namespaces and sockets.
    pub socketio: SocketIo,
}

/// Limits of the event loop.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reactor {
    /// Connections waiting to be accepted; a herd of 10,000 returning clients must fit (the kernel caps it at `somaxconn`).
    pub backlog: u32,
    /// Connections open at once. `None`: what the process may open, less 64 for files, lanes and the rest.
    pub connections_max: Option<usize>,
    /// Connections from one IPv4 address or IPv6 /64; a whole office may sit behind one.
    pub connections_per_address_max: usize,
    /// Whether loopback is exempt from the limits of one address: a proxy on this machine brings everybody from there.
    pub loopback_exempt: bool,
    /// Proxies, which bring many clients from one address: exempt from its limits, and believed when they say for whom
    /// they speak (`X-Forwarded-For`). Nobody else is.
    pub trusted_proxies: Vec<Network>,
    /// Connections accepted in one turn, so that a herd does not keep the others waiting.
    pub accepts_per_turn_max: usize,
    /// Bytes of one connection kept until the layer above takes them: one message with its frame, one head with its body.
    pub inbox_bytes_max: usize,
    /// Bytes kept of all connections; beyond it the one of which most is kept is closed. A quarter of a host with 512 MB.
    pub inboxes_bytes_max: usize,
    /// Bytes read from one connection before the others have their turn.
    pub read_bytes_per_turn_max: usize,
    /// Backlogged streams written in one turn, after those that were read in it.
    pub writes_per_turn_max: usize,
    /// How long a connection that is being closed may take nothing of its last bytes before it is cut. Looked at no more often than
    /// this, so that one that has just taken something has up to twice as long. It is also how long the end of the loop waits
    /// for all of them together.
    pub flush_within: Duration,
    /// Bytes that wait for connections being closed, all together, beyond which those that take them slowly have
    /// [`Reactor::flush_within`] in all: a client that takes a byte now and then could hold them for ever. A sixteenth of a host
    /// with 512 MB.
    pub flushing_bytes_max: usize,
    /// How long unacknowledged data may hold a dead connection (`TCP_USER_TIMEOUT`), and how long
    /// one of ours may take to be made: the heartbeat's patience.
    pub unacknowledged_within: Duration,
    /// Letters from other threads that may wait for the loop: more than come while it takes a turn, and few enough to be done in
    /// one.
    pub letters_max: usize,
}

impl Default for Reactor {
    fn default() -> Self {
        Self {
            backlog: 4096,
            connections_max: None,
            connections_per_address_max: 256,
            loopback_exempt: true,
            trusted_proxies: Vec::new(),
            accepts_per_turn_max: 256,
            inbox_bytes_max: 1_200_000,
            inboxes_bytes_max: 128 * 1024 * 1024,
            read_bytes_per_turn_max: 256 * 1024,
            writes_per_turn_max: 256,
            flush_within: Duration::from_secs(2),
            flushing_bytes_max: 32 * 1024 * 1024,
            unacknowledged_within: Duration::from_secs(45),
            letters_max: 1024,
        }
    }
}

/// Limits of HTTP/1.1.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Http {
    /// Bytes of the request line; more is answered 414. What browsers and proxies agree on.
    pub request_line_bytes_max: usize,
    /// Bytes of the whole head; more is answered 431. Node's own limit.
    pub head_bytes_max: usize,
    /// Headers of one request; more is answered 431.
    pub headers_max: usize,
    /// Bytes of a body that is taken as a whole; more is answered 413, on the declared length before a byte of it is read.
    /// One that is taken in pieces has a limit of its route's choice.
    pub body_bytes_max: usize,
    /// A head must be complete this long after the connection or its first byte; later is answered 408.
    pub head_within: Duration,
    /// A body may pause this long; longer is answered 408.
    pub body_idle_max: Duration,
    /// After [`Http::body_idle_max`], a body must have come at this average rate (bytes a second); slower is answered 408.
    pub body_bytes_per_second_min: usize,
    /// A keep-alive connection is closed after this once its client has taken the last answer (Node's 5 s, and one for the way).
    pub keep_alive_idle_max: Duration,
    /// Pipelined requests answered before the others have their turn.
    pub requests_per_turn_max: usize,
    /// Pipelined requests are not read while this many bytes of answers wait for the client.
    pub answers_waiting_bytes_max: usize,
    /// Bytes of a streamed answer that wait for the client before no more is asked for: what a fast one takes in a turn.
    pub streamed_bytes_soft_max: usize,
    /// Bytes of a streamed answer that may wait for the client; a piece more is not taken, nor one that is larger than this.
    pub streamed_bytes_max: usize,
    /// Bytes of all streamed answers that may wait; beyond it the one of which most waits is cut. A sixteenth of a host
    /// with 512 MB.
    pub streams_bytes_max: usize,
    /// A client that takes nothing of an answer that waits for it, streamed or whole, is cut after this: longer than a phone in
    /// a tunnel. One that takes a byte now and then is not; it holds its connection and what is left of one answer, and one address
    /// has so many of those ([`Reactor::connections_per_address_max`]).
    pub answer_idle_max: Duration,
    /// After a refusal that left a body unread: bytes read and thrown away so that the answer is not lost to a reset.
    pub linger_bytes_max: usize,
    /// And for how long.
    pub linger_within: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            request_line_bytes_max: 8 * 1024,
            head_bytes_max: 16 * 1024,
            headers_max: 100,
            body_bytes_max: 1_000_000,
            head_within: Duration::from_secs(10),
            body_idle_max: Duration::from_secs(10),
            body_bytes_per_second_min: 1024,
            keep_alive_idle_max: Duration::from_secs(6),
            requests_per_turn_max: 16,
            answers_waiting_bytes_max: 64 * 1024,
            streamed_bytes_soft_max: 64 * 1024,
            streamed_bytes_max: 1024 * 1024,
            streams_bytes_max: 32 * 1024 * 1024,
            answer_idle_max: Duration::from_secs(30),
            linger_bytes_max: 64 * 1024,
            linger_within: Duration::from_secs(1),
        }
    }
}

/// Limits of WebSocket (RFC 6455).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebSocket {
    /// Bytes of a message, in one frame or as the sum of its fragments; more is closed with 1009, from the header alone. Of a
    /// deflated one also the bytes it inflates to, where inflating then stops.
    pub message_bytes_max: usize,
    /// Fragments of a message; more is closed with 1008 (CVE-2026-48779 held 262,144).
    pub fragments_max: u32,
    /// After our close frame, how long the peer may take to end the connection.
    pub close_within: Duration,
}

impl Default for WebSocket {
    fn default() -> Self {
        Self {
            message_bytes_max: 1_000_000,
            fragments_max: 16_384,
            close_within: Duration::from_secs(2),
        }
    }
}

/// Limits of Engine.IO.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Engine {
    /// Sessions that one address may open in a second, once its burst is used up; more are answered 429. The address is
    /// that of a connection, of a proxy's client where proxies are trusted.
    pub handshakes_per_second_max: u32,
    /// And at once: an office whose line was gone comes back together.
    pub handshakes_burst_max: u32,
    /// Where it is served; requests whose path starts with this are its own. The official clients' default.
    pub path: String,
    /// A ping follows the last pong by this (`pingInterval`).
    pub ping_every: Duration,
    /// And must be answered within this (`pingTimeout`).
    pub pong_within: Duration,
    /// A probing WebSocket must finish its upgrade within this (`upgradeTimeout`).
    pub upgrade_within: Duration,
    /// Bytes of one message from a client (`maxPayload`); told to it in the handshake.
    pub payload_bytes_max: usize,
    /// Packets of one POST handled in one turn; the rest waits until the others have had theirs.
    pub packets_per_turn_max: usize,
    /// Bytes queued to one client that may wait for [`Engine::slow_within`]; above this a WebSocket is not read from.
    pub queue_bytes_soft_max: usize,
    /// Bytes queued to one client that close it at once.
    pub queue_bytes_max: usize,
    /// Bytes queued to all clients, what many share counted once; beyond it those for whom most waits are cut. A quarter
    /// of a host with 512 MB.
    pub queues_bytes_max: usize,
    /// How long a queue may stay above its soft limit; must be below [`Engine::pong_within`].
    pub slow_within: Duration,
    /// A session closed while no poll waits keeps its close packet this long for the next one.
    pub farewell_within: Duration,
    /// Whether a WebSocket upgrade is offered to a polling session (`allowUpgrades`).
    pub upgrades: bool,
    /// Whether clients of Socket.IO 2.x are served, too (`allowEIO3`), which speak Engine.IO 3. Off, since the id of their
    /// socket in `/` is the id of their session: whoever is told the one could speak in the other's name.
    pub allow_eio3: bool,
    /// Whether long-polling is served (`transports`).
    pub polling: bool,
    /// Whether WebSocket is served (`transports`).
    pub websocket: bool,
    /// Origins that may speak to us from a page of another origin (CORS).
    pub origins: Origins,
    /// What such a page is allowed besides.
    pub cors: Cors,
    /// A cookie with the session's id in the first answer to a polling client (`cookie`), for a proxy that sends a
    /// client to the server it knows. None: the id is in every request's query anyway.
    pub cookie: Option<Cookie>,
    /// A message that every session is sent right behind its handshake, in the same answer (`initialPacket`).
    pub initial_message: Option<String>,
    /// Whether the browser client is served under the path (`serveClient`; needs feature `client`).
    pub serve_client: bool,
    /// What is kept of the request that opened a session.
    pub handshake_kept: HandshakeKept,
    /// Whether permessage-deflate is agreed to if a client offers it (`perMessageDeflate`; needs feature `compression`). Off,
    /// as in Node's server: most messages are small, and a peer can make us inflate a megabyte for each kilobyte it sends.
    pub websocket_compression: bool,
    /// Bytes of a message that make it worth deflating (`threshold`): below, a packet on the wire is hardly shorter.
    pub websocket_compression_bytes_min: usize,
    /// Whether answers to polls are compressed if the client accepts gzip or deflate (`httpCompression`; needs feature
    /// `compression`). Off: the loop compresses itself, and a proxy in front does it as well without holding others up.
    pub http_compression: bool,
    /// Bytes of an answer that make it worth compressing (`threshold`): what fits one packet on the wire is left alone.
    pub http_compression_bytes_min: usize,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            handshakes_per_second_max: 100,
            handshakes_burst_max: 200,
            path: "/socket.io/".to_owned(),
            ping_every: Duration::from_secs(25),
            pong_within: Duration::from_secs(20),
            upgrade_within: Duration::from_secs(10),
            payload_bytes_max: 1_000_000,
            packets_per_turn_max: 1000,
            queue_bytes_soft_max: 1024 * 1024,
            queue_bytes_max: 4 * 1024 * 1024,
            queues_bytes_max: 128 * 1024 * 1024,
            slow_within: Duration::from_secs(10),
            farewell_within: Duration::from_secs(30),
            upgrades: true,
            allow_eio3: false,
            polling: true,
            websocket: true,
            origins: Origins::Same,
            cors: Cors::default(),
            cookie: None,
            initial_message: None,
            serve_client: true,
            handshake_kept: HandshakeKept::Whole,
            websocket_compression: false,
            websocket_compression_bytes_min: 1024,
            http_compression: false,
            http_compression_bytes_min: 1024,
        }
    }
}

/// Whose pages may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// No CORS headers; a page of another origin cannot read our answers, and its WebSocket is refused.
    Same,
    /// `Access-Control-Allow-Origin: *`.
    Any,
    /// Exactly these, compared byte for byte and echoed with `Vary: Origin`.
    Listed(Vec<String>),
    /// This one, which every answer names, whoever asked.
    Fixed(String),
}

/// What a page of another origin is allowed besides reading our answers (Fetch standard, "CORS protocol").
///
/// ```
/// use roomcast::Config;
/// use roomcast::config::Origins;
///
/// let mut config = Config::default();
/// config.engine.origins = Origins::Listed(vec!["https://app.example".to_owned()]);
/// config.engine.cors.credentials = true;
/// config.engine.cors.allowed_headers = Some(vec!["x-token".to_owned()]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cors {
    /// Whether cookies may come along (`credentials`). With [`Origins::Any`] every origin is then named back, since browsers take
    /// no star for an answer to a request with cookies.
    pub credentials: bool,
    /// Methods that a preflight is told (`methods`).
    pub methods: Vec<String>,
    /// Request headers that a preflight is told (`allowedHeaders`). None: those that it asks for.
    pub allowed_headers: Option<Vec<String>>,
    /// Response headers that the page may read (`exposedHeaders`).
    pub exposed_headers: Vec<String>,
    /// How long a browser may remember what a preflight was told (`maxAge`). None: as long as it likes, 5 s as a rule.
    pub max_age: Option<Duration>,
}

impl Default for Cors {
    fn default() -> Self {
        let methods = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"];
        Self {
            credentials: false,
            methods: methods.map(ToOwned::to_owned).into(),
            allowed_headers: None,
            exposed_headers: Vec::new(),
            max_age: None,
        }
    }
}

/// A cookie that holds a session's id (RFC 6265 §4.1). By default `io=<id>; Path=/; HttpOnly; SameSite=Lax`.
///
/// ```
/// use roomcast::Config;
/// use roomcast::config::{Cookie, SameSite};
///
/// let mut config = Config::default();
/// let mut cookie = Cookie::default();
/// cookie.name = "node".to_owned();
/// cookie.same_site = Some(SameSite::Strict);
/// config.engine.cookie = Some(cookie);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cookie {
    /// Its name: a token.
    pub name: String,
    /// Below which path the browser sends it back. None: below the one it came from.
    pub path: Option<String>,
    /// To which hosts besides ours. None: ours alone.
    pub domain: Option<String>,
    /// How long the browser keeps it. None: as long as it runs.
    pub max_age: Option<Duration>,
    /// Whether scripts of the page cannot read it.
    pub http_only: bool,
    /// Whether it is sent over TLS only.
    pub secure: bool,
    /// Whether it goes along with requests that other sites cause. None: as the browser thinks best.
    pub same_site: Option<SameSite>,
}

impl Default for Cookie {
    fn default() -> Self {
        Self {
            name: "io".to_owned(),
            path: Some("/".to_owned()),
            domain: None,
            max_age: None,
            http_only: true,
            secure: false,
            same_site: Some(SameSite::Lax),
        }
    }
}

/// Whether a cookie goes along with requests that other sites cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When the user follows a link to us.
    Lax,
    /// Always; browsers want [`Cookie::secure`] then.
    None,
}

/// What is kept of the request that opened a session, for handlers to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeKept {
    /// The whole head (a browser's is about 585 bytes).
    Whole,
    /// The target and the peer's address.
    UrlAndAddress,
    /// The whole head, until the first namespace is connected; then nothing. The leanest.
    UntilConnected,
}

/// Limits of Socket.IO.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SocketIo {
    /// How packets are written (`parser`): for all clients alike, who must be told to do the same.
    pub parser: Parser,
    /// A session that has joined no namespace is closed after this (`connectTimeout`).
    pub connect_within: Duration,
    /// Attachments of one packet (`maxAttachments`; CVE-2026-33151 had none). As many as the official parser takes since.
    pub attachments_max: usize,
    /// Bytes held for one packet until its last attachment has come.
    pub packet_bytes_max: usize,
    /// Bytes held for all packets whose attachments have not come; beyond it the session that holds most is closed. Of the
    /// largest packets, so many that nobody reaches it by chance.
    pub packets_bytes_max: usize,
    /// A packet's last attachment must come this long after its text.
    pub attachments_within: Duration,
    /// Levels of nesting in the JSON of one packet. Where `serde_json` ends, too.
    pub json_depth_max: usize,
    /// Namespaces of one connection. Each is a socket with data; no page needs as many, and a stranger may ask for thousands.
    pub namespaces_max: usize,
    /// Bytes of a namespace's name, which is kept for each: longer than any that somebody would type.
    pub namespace_bytes_max: usize,
    /// Namespaces that clients may have called into being (children of parent namespaces).
    pub children_max: usize,
    /// Whether such a namespace stays when its last socket has left (the official server's `cleanupEmptyChildNamespaces`,
    /// the other way round: there they stay, here their number would be up to strangers).
    pub empty_children_kept: bool,
    /// Acknowledgements of one socket that may be awaited at once. A client that never answers holds that many closures, until
    /// their times are up.
    pub acks_max: usize,
    /// Broadcasts, and questions to other nodes, whose answers may be awaited at once; each keeps a list of those it asked.
    pub gatherings_max: usize,
    /// Closures that may wait for their time ([`Io::after`](crate::Io::after)): one or two for each socket of a large server, and
    /// some 20 MB if they keep little.
    pub later_max: usize,
    /// How long the replies of other nodes may be on their way, once their sockets have had the time they were given: a carrier
    /// within one house takes milliseconds, and who asks waits no longer than this for a node that has died.
    pub nodes_reply_within: Duration,
    /// Bytes of the answers to one broadcast, which are kept until the last has come.
    pub gathered_bytes_max: usize,
    /// Recovery of a connection's state (`connectionStateRecovery`). Off by default, as in the official server: every event
    /// then carries an offset as one more argument.
    pub recovery: Option<Recovery>,
    /// How long a signal to stop leaves for queues and jobs.
    pub drain_within: Duration,
}

/// How packets are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parser {
    /// As text, with attachments behind it (`socket.io-parser`): what every client speaks.
    #[default]
    Default,
    /// As MessagePack, with attachments inside (`socket.io-msgpack-parser`): fewer bytes where there are many numbers, or many
    /// attachments, and one message where the other needs several.
    MessagePack,
}

/// Limits of the recovery of a connection's state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovery {
    /// How long a socket that was cut off may take to come back (`maxDisconnectionDuration`), and how long what was said
    /// is kept for it.
    pub within: Duration,
    /// Bytes of what is kept for all of them; the oldest goes first. The official server has no such limit.
    pub log_bytes_max: usize,
    /// Sockets that may be away at once; one more is gone for good.
    pub away_max: usize,
    /// Whether the steps of `authorize` are asked again (`skipMiddlewares`, the other way round: what was revoked meanwhile
    /// is not to come back by a side door).
    pub authorize_again: bool,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            within: Duration::from_secs(120),
            log_bytes_max: 16 * 1024 * 1024,
            away_max: 10_000,
            authorize_again: true,
        }
    }
}

impl Default for SocketIo {
    fn default() -> Self {
        Self {
            parser: Parser::Default,
            connect_within: Duration::from_secs(45),
            attachments_max: 10,
            packet_bytes_max: 1_000_000,
            packets_bytes_max: 64_000_000,
            attachments_within: Duration::from_secs(10),
            json_depth_max: 128,
            namespaces_max: 32,
            namespace_bytes_max: 256,
            children_max: 10_000,
            empty_children_kept: false,
            acks_max: 1000,
            gatherings_max: 1000,
            later_max: 100_000,
            nodes_reply_within: Duration::from_secs(1),
            gathered_bytes_max: 16 * 1024 * 1024,
            recovery: None,
            drain_within: Duration::from_secs(10),
        }
    }
}

/// Limits of the chat application that are part of its contract, not of its settings.
#[cfg(feature = "chat")]
pub mod chat {
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
    /// Rooms that one person may make at once: those of a new workspace.
    pub const ROOMS_BURST_MAX: u32 = 10;
    /// And then one each this often: everybody is told of each, and none is ever forgotten.
    pub const ROOM_EVERY_MIN: Duration = Duration::from_secs(12 * 60);
    /// Changes on disk after which the write-ahead log is moved into the database.
    pub const CHECKPOINT_EVERY_WRITES: u32 = 500;

    /// What the chat does by the clock. No setting: for tests, which do not wait.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Pace {
        /// Without a socket for this long, somebody is offline: a reload is not an absence.
        pub offline_after: Duration,
        /// How often changes of presence are told at most.
        pub presence_every: Duration,
        /// How often sessions that have expired are looked for.
        pub expiry_every: Duration,
    }

    impl Default for Pace {
        fn default() -> Self {
            Self {
                offline_after: Duration::from_secs(10),
                presence_every: Duration::from_secs(2),
                expiry_every: Duration::from_secs(60),
            }
        }
    }
}
