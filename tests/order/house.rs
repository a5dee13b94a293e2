//! The chat with a folder of its own on a port that the kernel chose, and programs that speak its events.
//!
//! People come by HTTP and get their cookie; sockets are raw, so that they can say what no page would.
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use roomcast::chat::folder::Places;
use roomcast::chat::{self, Chat, SignUp};
use roomcast::config::chat::Pace;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Client, Rig};

pub(crate) const PASSWORD: &str = "harbour-1";

/// A workspace whose door is open, with its first admin, ada.
pub(crate) struct House {
    rig: Rig<Chat>,
    pub(crate) ada: String,
    folder: TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (rig, code) = start(folder.path());
        let mut house = Self {
            rig,
            ada: String::new(),
            folder,
        };
        let new = json!({
            "code": code.unwrap(), "workspace": "Pier Nine",
            "login": "ada", "name": "Ada", "password": PASSWORD,
        });
        house.ada = house.post("/setup", &new).cookie();
        house
    }

    /// The same house after its server was ended, its database changed by another hand, and started again.
    pub(crate) fn again(self, change: impl FnOnce(&rusqlite::Connection)) -> Self {
        let Self { rig, ada, folder } = self;
        drop(rig);
        let database = folder.path().join("roomcast.db");
        change(&rusqlite::Connection::open(&database).unwrap());
        let (rig, _) = start(folder.path());
        Self { rig, ada, folder }
    }

    /// The database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("roomcast.db")
    }

    /// Somebody new, by their login; their cookie.
    pub(crate) fn join(&self, login: &str) -> String {
        let new = json!({ "login": login, "name": login, "password": PASSWORD });
        self.post("/join", &new).cookie()
    }

    pub(crate) fn sign_in(&self, login: &str, password: &str) -> Posted {
        self.post("/session", &json!({ "login": login, "password": password }))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Posted {
        self.request(&format!("POST {path}"), "", &body.to_string())
    }

    pub(crate) fn get(&self, path: &str, cookie: &str) -> Posted {
        self.request(
            &format!("GET {path}"),
            &format!("Cookie: sid={cookie}\r\n"),
            "",
        )
    }

    pub(crate) fn request(&self, line: &str, headers: &str, body: &str) -> Posted {
        let mut client = self.rig.connect();
        let length = body.len();
        client.send(
            format!(
                "{line} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\n{headers}\r\n{body}"
            )
            .as_bytes(),
        );
        let (head, body) = client.whole_answer();
        Posted {
            status: head[9..12].parse().unwrap(),
            body: serde_json::from_str(&body).unwrap_or_default(),
            head,
        }
    }

    /// A socket in a namespace (nothing stands for `/`), or why it is refused.
    pub(crate) fn try_socket(
        &self,
        place: &str,
        cookie: &str,
        auth: &Value,
    ) -> Result<Program, Value> {
        self.try_socket_with(&format!("Cookie: sid={cookie}\r\n"), place, auth)
    }

    /// The same with other headers.
    pub(crate) fn try_socket_with(
        &self,
        headers: &str,
        place: &str,
        auth: &Value,
    ) -> Result<Program, Value> {
        let mut client = self.rig.connect();
        client.open_for(headers);
        let mut program = Program {
            client,
            place: match place {
                "" => String::new(),
                place => format!("{place},"),
            },
            asked: 0,
            heard: VecDeque::new(),
        };
        program.client.say(&format!("40{}{auth}", program.place));
        let answer = program.client.hear();
        match answer.strip_prefix(&format!("44{}", program.place)) {
            Some(refused) => Err(serde_json::from_str(refused).unwrap()),
            None => {
                assert!(
                    answer.starts_with(&format!("40{}", program.place)),
                    "{answer}"
                );
                Ok(program)
            }
        }
    }

    pub(crate) fn socket(&self, cookie: &str) -> Program {
        self.try_socket("", cookie, &json!({})).unwrap()
    }

    pub(crate) fn admin(&self, cookie: &str) -> Program {
        self.try_socket("/admin", cookie, &json!({})).unwrap()
    }

    /// Why a socket of that cookie is refused.
    pub(crate) fn refusal(&self, place: &str, cookie: &str) -> String {
        let refused = self.try_socket(place, cookie, &json!({})).err().unwrap();
        refused["data"]["code"].as_str().unwrap().to_owned()
    }
}

/// A server on a database, and the code that makes its first account, if it has none.
fn start(folder: &Path) -> (Rig<Chat>, Option<String>) {
    let options = chat::Options {
        places: Places::of(folder),
        site: String::new(),
        sign_up: SignUp::Open,
        public: None,
        at: now(),
        pace: Pace {
            offline_after: Duration::from_millis(20),
            presence_every: Duration::from_millis(1),
            expiry_every: Duration::from_millis(5),
            stats_every: Duration::from_millis(5),
        },
        // Whoever comes from this machine may say for whom.
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
    };
    let (sender, code) = channel();
    let rig = Rig::of(move || {
        let opened = chat::open(options).unwrap();
        sender.send(opened.first_run).unwrap();
        opened.server
    });
    (rig, code.recv().unwrap())
}

/// The time, as the chat tells it.
#[expect(
    clippy::disallowed_methods,
    reason = "the chat is told when it is opened"
)]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// An answer.
pub(crate) struct Posted {
    pub(crate) status: u16,
    pub(crate) body: Value,
    head: String,
}

impl Posted {
    /// The session it gives.
    pub(crate) fn cookie(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        let line = self
            .head
            .lines()
            .find_map(|line| line.strip_prefix("Set-Cookie: sid="));
        line.unwrap().split(';').next().unwrap().to_owned()
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("ok")
    }
}

/// A socket.
pub(crate) struct Program {
    client: Client,
    place: String,
    asked: u64,
    heard: VecDeque<(String, Value)>,
}

impl Program {
    /// Asks and waits; events that come before the answer are kept.
    pub(crate) fn ask(&mut self, event: &str, body: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let packet = json!([event, body]);
        self.client.say(&format!("42{}{id}{packet}", self.place));
        let start = format!("43{}{id}[", self.place);
        loop {
            let heard = self.client.hear();
            if let Some(answer) = heard.strip_prefix(&start) {
                return serde_json::from_str(answer.strip_suffix(']').unwrap()).unwrap();
            }
            self.keep(&heard);
        }
    }

    /// Asks for two things without waiting in between.
    pub(crate) fn ask_together(&mut self, event: &str, bodies: [Value; 2]) -> [Value; 2] {
        let ids = bodies.map(|body| {
            self.asked += 1;
            let packet = json!([event, body]);
            self.client
                .say(&format!("42{}{}{packet}", self.place, self.asked));
            self.asked
        });
        let mut answers = [Value::Null, Value::Null];
        while answers.contains(&Value::Null) {
            let heard = self.client.hear();
            let of = |id: &u64| heard.strip_prefix(&format!("43{}{id}[", self.place));
            match ids.iter().position(|id| of(id).is_some()) {
                Some(place) => {
                    let answer = of(&ids[place]).unwrap().strip_suffix(']').unwrap();
                    answers[place] = serde_json::from_str(answer).unwrap();
                }
                None => self.keep(&heard),
            }
        }
        answers
    }

    /// Asks, and gives the code of the answer; `ok` if it was done.
    pub(crate) fn code(&mut self, event: &str, body: Value) -> String {
        let answer = self.ask(event, body);
        assert_eq!(answer["ok"] == true, answer["code"].is_null(), "{answer}");
        answer["code"].as_str().unwrap_or("ok").to_owned()
    }

    /// Says something and does not wait.
    pub(crate) fn tell(&mut self, event: &str, body: Value) {
        let packet = json!([event, body]);
        self.client.say(&format!("42{}{packet}", self.place));
    }

    /// Waits for an event, and forgets those before it.
    pub(crate) fn hear(&mut self, event: &str) -> Value {
        loop {
            while let Some((name, body)) = self.heard.pop_front() {
                if name == event {
                    return body;
                }
            }
            let heard = self.client.hear();
            self.keep(&heard);
        }
    }

    /// Why the session is over; then the socket is cut, and nothing else comes.
    pub(crate) fn end(&mut self) -> String {
        let ended = self.hear("session:ended");
        assert_eq!(self.client.hear(), format!("41{}", self.place));
        assert!(self.heard.is_empty(), "{:?}", self.heard);
        ended["why"].as_str().unwrap().to_owned()
    }

    /// Waits until the server has let go of the socket without a word.
    pub(crate) fn is_cut(&mut self) {
        assert_eq!(self.client.hear(), format!("41{}", self.place));
    }

    /// Whether such an event has come before the last answer.
    pub(crate) fn has_heard(&self, event: &str) -> bool {
        self.heard.iter().any(|(name, _)| name == event)
    }

    /// Forgets the events that have come.
    pub(crate) fn forget(&mut self) {
        self.heard.clear();
    }

    /// No event has come before the last answer.
    pub(crate) fn heard_nothing(&self) {
        assert!(self.heard.is_empty(), "{:?}", self.heard);
    }

    fn keep(&mut self, packet: &str) {
        let event = packet.strip_prefix(&format!("42{}", self.place));
        let event = event.unwrap_or_else(|| panic!("no event: {packet}"));
        let (name, body) = serde_json::from_str(event).unwrap();
        self.heard.push_back((name, body));
    }
}
