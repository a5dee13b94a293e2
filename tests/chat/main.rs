//! The chat's events, as programs speak them: over a real socket, one object in and one object back.
//!
//! Each file is a subject. What a page would never ask is asked here by hand, and must be refused and change nothing.
//! Left out: the page, which has its tests in `tests/page`; accounts, whose doors are HTTP.
#![cfg(feature = "chat")]
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

mod changes;
mod direct;
mod hostile;
mod mentions;
mod presence;
mod rates;
mod removed;
mod rooms;
mod search;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "clients of other tests say and hear more")]
mod support;

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

use roomcast::chat::accounts::token_hash;
use roomcast::chat::folder::Places;
use roomcast::chat::names::{Login, Name};
use roomcast::chat::store::{NewUser, Reader, Role, RoomId, RoomKind, Row, Span, Store, UserId};
use roomcast::chat::{self, Options, SignUp};
use roomcast::config::chat::Pace;
use serde_json::{Value, json};
use support::{Client, Rig};
use tempfile::TempDir;

/// A chat with four people: Ada, who is its admin, Mia, a moderator, and Bo and Cem. All are in General.
struct Ship {
    rig: Rig<chat::Chat>,
    database: PathBuf,
    general: RoomId,
    /// A private room of Ada and Mia.
    bridge: RoomId,
    _folder: TempDir,
}

const PEOPLE: [(&str, Role); 4] = [
    ("ada", Role::Admin),
    ("mia", Role::Moderator),
    ("bo", Role::Member),
    ("cem", Role::Member),
];

impl Ship {
    fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// A chat whose store something was done to before it opened.
    fn with(prepare: impl FnOnce(&mut Store, RoomId)) -> Self {
        Self::paced(Pace::default(), prepare)
    }

    /// The same, with another pace.
    fn paced(pace: Pace, prepare: impl FnOnce(&mut Store, RoomId)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("roomcast.db");
        let (general, bridge) = man(&database, prepare);
        let rig = sail(&database, pace);
        Self {
            rig,
            database,
            general,
            bridge,
            _folder: folder,
        }
    }

    /// Ends, and begins again after something was done to the database.
    fn again(self, between: impl FnOnce(&Path)) -> Self {
        let Self {
            rig,
            database,
            general,
            bridge,
            _folder,
        } = self;
        drop(rig);
        between(&database);
        Self {
            rig: sail(&database, Pace::default()),
            database,
            general,
            bridge,
            _folder,
        }
    }

    /// One more socket of somebody.
    fn enter(&self, login: &str) -> Person {
        let mut client = self.rig.websocket();
        client.say(&format!("40{}", json!({ "token": login })));
        let welcome = client.hear();
        assert!(welcome.starts_with("40{\"sid\""), "{welcome}");
        Person {
            client,
            asked: 0,
            heard: VecDeque::new(),
            answers: HashMap::new(),
        }
    }

    /// What is stored of a room.
    fn rows(&self, room: RoomId) -> Vec<Row> {
        let mut reader = Reader::open(&self.database).unwrap();
        reader
            .job(|r| r.history(room, Span::Newest, 50))
            .unwrap()
            .rows
    }
}

fn sail(database: &Path, pace: Pace) -> Rig<chat::Chat> {
    let options = Options {
        places: Places::of(database.parent().unwrap()),
        site: String::new(),
        sign_up: SignUp::Invite,
        public: None,
        at: 1,
        pace,
        trusted_proxies: Vec::new(),
    };
    Rig::of(move || chat::open(options).unwrap().server)
}

/// The workspace, its people, and a session for each, whose token is their login.
fn man(database: &Path, prepare: impl FnOnce(&mut Store, RoomId)) -> (RoomId, RoomId) {
    let name = |text: &str| Name::parse(text).unwrap();
    let mut store = Store::open(database).unwrap();
    let mut general = RoomId(0);
    for (login, role) in PEOPLE {
        let new = NewUser {
            login: Login::parse(login).unwrap(),
            name: name(login),
            phc: String::new(),
        };
        let joined = store
            .job(|w| match role {
                Role::Admin => w.create_first_admin(&name("Ship"), &new, 1),
                _ => w.create_user_open(&new, 1),
            })
            .unwrap();
        general = joined.members[0].room;
        let (user, token) = (joined.user.id, token_hash(login));
        store
            .job(|w| w.open_session(user, &token, 1, u64::MAX >> 1, None, None))
            .unwrap();
    }
    drop(store);
    rusqlite::Connection::open(database)
        .and_then(|conn| conn.execute("UPDATE users SET role = 1 WHERE login = 'mia'", []))
        .unwrap();
    let mut store = Store::open(database).unwrap();
    let bridge = store
        .job(|w| {
            let bridge = w.create_room(RoomKind::Private, &name("Bridge"), "", UserId(1), 1)?;
            w.join(bridge.id, UserId(2), 1)?;
            Ok(bridge.id)
        })
        .unwrap();
    prepare(&mut store, general);
    (general, bridge)
}

/// Somebody's socket.
struct Person {
    client: Client,
    asked: u64,
    /// Events that came while an answer was waited for.
    heard: VecDeque<(String, Value)>,
    /// Answers that came while another was waited for.
    answers: HashMap<u64, Value>,
}

impl Person {
    /// Says an event, and answers with what the server says to it.
    fn ask(&mut self, event: &str, body: &Value) -> Value {
        self.ask_raw(&format!("[{},{body}]", json!(event)))
    }

    /// The same with an event as it goes over the line.
    fn ask_raw(&mut self, event: &str) -> Value {
        let answer = self.say(event);
        self.answer(answer)
    }

    /// Says an event and waits for nothing. The answer goes by this number.
    fn say(&mut self, event: &str) -> u64 {
        self.asked += 1;
        self.client.say(&format!("42{}{event}", self.asked));
        self.asked
    }

    fn answer(&mut self, number: u64) -> Value {
        loop {
            if let Some(answer) = self.answers.remove(&number) {
                return answer;
            }
            let packet = self.client.hear();
            self.keep(&packet);
        }
    }

    /// The next event of that name; those of other names before it are passed over.
    fn hear(&mut self, event: &str) -> Value {
        loop {
            while let Some((name, body)) = self.heard.pop_front() {
                if name == event {
                    return body;
                }
            }
            let packet = self.client.hear();
            self.keep(&packet);
        }
    }

    fn keep(&mut self, packet: &str) {
        let arguments = packet.find('[').expect("an event or an answer");
        let (head, arguments) = packet.split_at(arguments);
        if head == "42" {
            self.heard
                .push_back(serde_json::from_str(arguments).unwrap());
        } else {
            let number = head.strip_prefix("43").expect("an answer").parse().unwrap();
            let [answer]: [Value; 1] = serde_json::from_str(arguments).unwrap();
            self.answers.insert(number, answer);
        }
    }

    /// Sends a message, and answers with its id.
    fn send(&mut self, room: RoomId, cid: &str, text: &str) -> i64 {
        let answer = self.ask("send", &json!({ "room": room, "cid": cid, "text": text }));
        assert_eq!(answer["ok"], true, "{answer}");
        answer["id"].as_i64().unwrap()
    }
}

/// A refusal, as the page is told of it.
fn refusal(code: &str) -> Value {
    json!({ "ok": false, "code": code })
}
