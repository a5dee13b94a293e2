//! The chat: accounts, rooms and messages of a group, for the page in `public/` and for programs that speak its events.
//!
//! [`open`] puts a server together; below is the table of its events and routes, to be read as a list. What must survive is in
//! the [`store`], what every event is checked against in the [`workspace`].
//! A client of the library like any other: it sees sockets, requests and its own types; no bytes, no transports, no
//! sessions of the engine, no threads but lanes.
//! Left out: uploads; the tables of the store have their places.

pub mod accounts;
mod admin;
mod changes;
mod direct;
mod doors;
mod find;
pub mod folder;
mod keep;
mod me;
mod members;
mod mentions;
pub mod names;
mod order;
mod page;
mod people;
mod presence;
pub mod ranks;
mod rates;
mod reply;
pub mod restore;
mod rooms;
mod sessions;
pub mod shell;
pub mod store;
mod talk;
pub mod throttle;
pub mod workspace;

use std::any::Any;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::accounts::Hasher;
use self::folder::Places;
use self::presence::Presence;
use self::rates::{Allowances, Bucket};
use self::reply::asked;
use self::store::{GiveUp, Keeper, Reader, RoomId, SessionId, Store, StoreError, UserId};
use self::throttle::Throttle;
use self::workspace::Workspace;
use crate::addresses::Network;
use crate::config::Config;
use crate::config::chat::{self as limits, Pace};
use crate::http::{Method, Response};
use crate::reactor::lanes::{Lane, Worker};
use crate::server::{self, App, Io, Server};

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUp {
    /// Whoever has an invite.
    #[default]
    Invite,
    /// Whoever opens the page.
    Open,
}

impl SignUp {
    /// As on the command line, and as the page is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Open => "open",
        }
    }

    /// What a word stands for.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Invite, Self::Open]
            .into_iter()
            .find(|one| one.as_str() == word)
    }
}

/// What the operator chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder, which is ours.
    pub places: Places,
    /// Where the page is, for links: `http://localhost:3000`.
    pub site: String,
    /// Who may make an account, until an admin says otherwise.
    pub sign_up: SignUp,
    /// Where the page is read from, instead of the binary.
    pub public: Option<PathBuf>,
    /// The time, for the first-run code.
    pub at: u64,
    /// What is done by the clock.
    pub pace: Pace,
    /// Proxies that may say for whom they speak.
    pub trusted_proxies: Vec<Network>,
}

/// The chat's state on the loop.
pub struct Chat {
    workspace: Workspace,
    lanes: Lanes,
    throttle: Throttle,
    presence: Presence,
    allowances: Allowances,
    /// Messages stored since the start.
    stored: u64,
    watch: admin::Watch,
    chance: StdRng,
    sign_up: SignUp,
    pace: Pace,
    build: String,
    places: Places,
    site: String,
    /// Held by each download of a backup.
    downloads: Rc<()>,
    /// Ends the slow work when the process is to end.
    give_up: GiveUp,
    /// The server ends in order to begin anew with another database.
    is_restoring: bool,
    /// Changes since the log of writes was last moved.
    writes: u32,
    /// Whether the last change found no space.
    is_full: bool,
    failure: Option<String>,
}

/// The threads for what blocks.
#[derive(Clone, Copy)]
struct Lanes {
    hash: Lane<Hasher>,
    read: Lane<Reader>,
    keep: Lane<Keeper>,
    write: Lane<Store>,
}

/// What belongs to one socket.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Tab {
    /// Whose it is, once it was let in.
    seat: Option<Seat>,
    /// Whether it is on screen.
    is_visible: bool,
    /// How much it has asked of late.
    #[serde(skip)]
    events: Bucket,
    /// Where it has said that somebody types, and not yet that they stopped.
    #[serde(skip)]
    typing: Option<RoomId>,
}

/// Somebody, in one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seat {
    user: UserId,
    session: SessionId,
}

impl App for Chat {
    type Data = Tab;
}

impl Worker for Store {
    fn batch(&mut self, run: &mut dyn FnMut(&mut Self)) -> Result<(), Box<dyn Any + Send>> {
        Self::batch(self, run).map_err(|error| Box::new(error) as _)
    }
}

impl Worker for Reader {}

impl Worker for Keeper {}

impl Worker for Hasher {
    fn batch(&mut self, run: &mut dyn FnMut(&mut Self)) -> Result<(), Box<dyn Any + Send>> {
        run(self);
        self.rest();
        Ok(())
    }
}

impl Chat {
    /// Why the process must end with an error, if it must.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Whether the process is to open the chat again: a backup is ready to take the database's place.
    #[must_use]
    pub const fn is_restoring(&self) -> bool {
        self.is_restoring
    }

    fn fail(&mut self, error: &StoreError) {
        if self.failure.is_none() {
            log::error!("{error}");
            self.failure = Some(error.to_string());
        }
    }

    /// No space was left for a change. Said once, not for each that comes to nothing.
    fn out_of_space(&mut self) {
        if !std::mem::replace(&mut self.is_full, true) {
            log::error!("the disk is full: nothing can be stored until there is space again");
        }
    }

    /// A change is on disk: now and then the log of writes is moved into the database.
    fn wrote(&mut self, io: &mut Io<'_, Self>) {
        if std::mem::take(&mut self.is_full) {
            log::info!("there is space on the disk again");
        }
        self.writes += 1;
        if self.writes < limits::CHECKPOINT_EVERY_WRITES {
            return;
        }
        self.writes = 0;
        io.run(
            self.lanes.read,
            Reader::checkpoint,
            |_, outcome| match outcome {
                Ok(Ok(done)) if done.log_pages > limits::WAL_PAGES_SPARED_MAX => {
                    log::warn!("the write-ahead log has grown to {} pages", done.log_pages);
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => log::warn!("the write-ahead log was not moved: {error}"),
                Err(_) => log::warn!("the write-ahead log was not moved: the reading lane is busy"),
            },
        );
    }
}

/// A chat that is ready to listen, and the code that makes its first account, if it has none yet.
pub struct Opened {
    /// The server.
    pub server: Server<Chat>,
    /// The first-run code.
    pub first_run: Option<String>,
}

/// Opens the store and puts the server together.
///
/// # Errors
/// If the store cannot be opened.
pub fn open(options: Options) -> Result<Opened, StoreError> {
    let mut chance = StdRng::from_seed(crate::reactor::seed());
    let database = options.places.database();
    let mut store = Store::open(&database)?;
    let boot = store.job(|w| {
        w.clear_expired_sessions(options.at)?;
        w.name_history()?;
        w.load(options.at)
    })?;
    let sign_up = boot.sign_up.as_deref().and_then(SignUp::of);
    let workspace = Workspace::new(boot);
    let mut first_run = None;
    if workspace.is_new() {
        first_run = Some(new_first_run_code(&mut store, &mut chance, options.at)?);
    }
    let reader = Reader::open(&database)?;
    let give_up = GiveUp::default();
    let keeper = Keeper::new(database, &give_up);
    // The store is the last to be joined: what others still ask of it is done before it is closed.
    let mut named = server::Lanes::default();
    let lanes = Lanes {
        hash: named.add("hash", limits::HASHES_WAITING_MAX, Hasher::new),
        read: named.add("read", limits::READS_WAITING_MAX, move || reader),
        keep: named.add("keep", limits::KEEPING_WAITING_MAX, move || keeper),
        write: named.add("write", limits::WRITES_WAITING_MAX, move || store),
    };
    let chat = Chat {
        workspace,
        lanes,
        throttle: Throttle::default(),
        presence: Presence::default(),
        allowances: Allowances::default(),
        stored: 0,
        watch: admin::Watch::default(),
        chance,
        sign_up: sign_up.unwrap_or(options.sign_up),
        pace: options.pace,
        build: page::build(),
        places: options.places,
        site: options.site,
        downloads: Rc::default(),
        give_up,
        is_restoring: false,
        writes: 0,
        is_full: false,
        failure: None,
    };
    let mut server = Server::new(config(options.trusted_proxies), chat);
    server.adopt(named);
    describe(&mut server);
    server.with(sessions::watch_expiry);
    server.with(keep::clear_old);
    match options.public {
        Some(folder) => page::serve_folder(&mut server, folder),
        None => page::serve_embedded(&mut server),
    }
    Ok(Opened { server, first_run })
}

fn new_first_run_code(
    store: &mut Store,
    chance: &mut StdRng,
    at: u64,
) -> Result<String, StoreError> {
    let code = accounts::first_run_code(chance);
    let hash = accounts::code_hash(&code).expect("a code of our own making can be read");
    store.job(|w| w.new_first_run_code(&hash, at + millis(limits::FIRST_RUN_KEPT)))?;
    Ok(code)
}

fn config(trusted_proxies: Vec<Network>) -> Config {
    let mut config = Config::default();
    config.reactor.trusted_proxies = trusted_proxies;
    config.engine.payload_bytes_max = limits::PACKET_BYTES_MAX;
    config
}

/// The table: every event and every route.
fn describe(server: &mut Server<Chat>) {
    server
        .of("/")
        .authorize(|socket, auth: people::Auth| people::authorize(socket, &auth))
        .on_connect(presence::connected)
        .on_disconnect(presence::disconnected)
        .on_raw("hello", asked(people::hello))
        .on_raw("sync", asked(talk::sync))
        .on_raw("history", asked(talk::history))
        .on_raw("search", asked(find::search))
        .on_raw("send", asked(talk::send))
        .on_raw("edit", asked(changes::edit))
        .on_raw("delete", asked(changes::delete))
        .on_raw("read", asked(talk::read))
        .on_raw("typing", asked(talk::typing))
        .on_raw("visible", asked(presence::visible))
        .on_raw("room:list", asked(rooms::list))
        .on_raw("room:create", asked(rooms::create))
        .on_raw("room:join", asked(rooms::join))
        .on_raw("room:leave", asked(rooms::leave))
        .on_raw("room:update", asked(rooms::update))
        .on_raw("room:members", asked(members::list))
        .on_raw("room:add", asked(members::add))
        .on_raw("room:remove", asked(members::remove))
        .on_raw("room:level", asked(members::level))
        .on_raw("dm:open", asked(direct::open))
        .on_raw("invite:new", asked(people::invite))
        .on_raw("me:update", asked(me::update))
        .on_raw("me:password", asked(doors::change))
        .on_raw("me:sessions", asked(me::sessions))
        .on_raw("me:revoke", asked(me::revoke))
        .on_raw("user:about", asked(order::about))
        .on_raw("user:mute", asked(order::mute))
        .on_raw("user:unmute", asked(order::unmute))
        .on_raw("user:remove", asked(order::remove))
        .on_raw("user:ban", asked(order::ban))
        .on_raw("user:unban", asked(order::unban))
        .on_raw("user:role", asked(order::role))
        .on_raw("user:link", asked(doors::new_link))
        .on_fallback(reply::unknown);
    server
        .of(admin::PLACE)
        .authorize(|socket, auth: people::Auth| admin::authorize(socket, &auth))
        .on_raw("stats", admin::asked(admin::stats))
        .on_raw("user:list", admin::asked(admin::users))
        .on_raw("user:create", admin::asked(admin::create_user))
        .on_raw("user:about", admin::asked(order::about))
        .on_raw("user:mute", admin::asked(order::mute))
        .on_raw("user:unmute", admin::asked(order::unmute))
        .on_raw("user:remove", admin::asked(order::remove))
        .on_raw("user:ban", admin::asked(order::ban))
        .on_raw("user:unban", admin::asked(order::unban))
        .on_raw("user:role", admin::asked(order::role))
        .on_raw("user:link", admin::asked(doors::new_link))
        .on_raw("room:list", admin::asked(admin::rooms))
        .on_raw("room:archive", admin::asked(admin::archive))
        .on_raw("invite:new", admin::asked(people::invite))
        .on_raw("invite:list", admin::asked(admin::invites))
        .on_raw("invite:kill", admin::asked(admin::invite_kill))
        .on_raw("settings:get", admin::asked(admin::settings))
        .on_raw("settings:set", admin::asked(admin::settings_set))
        .on_raw("backup:now", admin::asked(keep::backup_now))
        .on_raw("audit:list", admin::asked(admin::audit))
        .on_raw("sockets:list", admin::asked(admin::sockets))
        .on_raw("sockets:close", admin::asked(admin::close))
        .on_fallback(admin::unknown);
    server
        .of(doors::PROGRAMS)
        .authorize(doors::knock)
        .on_connect(doors::arrived)
        .on_raw("session:open", doors::open)
        .on_fallback(doors::unknown);
    server
        .route(Method::Get, "/session", doors::session)
        .route(Method::Post, "/session", doors::sign_in)
        .route(Method::Post, "/session/end", doors::sign_out)
        .route(Method::Post, "/setup", doors::set_up)
        .route(Method::Post, "/join", doors::join)
        .route(Method::Post, "/reset", doors::reset)
        .route(Method::Get, "/backup", keep::download)
        .route(Method::Post, shell::PATH, shell::asked)
        .route(Method::Get, "/healthz", |_| {
            Response::text(200, "ok\n").into()
        })
        .on_stop(|context, within| {
            context.app.give_up.now();
            let news = json!({ "inMs": millis(within) });
            context.io.of("/").emit("server:restarting", &news);
        });
}

/// The rooms of the library are channels here, lest they be taken for those of the chat: each room has one, each person, and
/// each session.
fn room_channel(room: RoomId) -> String {
    format!("r:{}", room.0)
}

fn user_channel(user: UserId) -> String {
    format!("u:{}", user.0)
}

fn session_channel(session: SessionId) -> String {
    format!("s:{}", session.0)
}

/// A duration as the page and the store count it.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
