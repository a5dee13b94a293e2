//! Limits of sessions, and what is said and offered to their clients.

use std::time::Duration;

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
    /// Bytes held of all bodies in chunks and all messages in fragments whose end has not come; beyond it the connection that
    /// holds most is closed. Of the largest messages, so many that nobody reaches it by chance.
    pub unfinished_bytes_max: usize,
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
            unfinished_bytes_max: 64_000_000,
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
