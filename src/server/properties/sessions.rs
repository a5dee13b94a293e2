//! Whole sessions: a server, its clients and the loop between them, and the fuzzer's bytes are the schedule.
//!
//! Each choice is one thing that happens: a request, a frame, a piece that arrives late, an answer the kernel does not take,
//! a reset, time, a job that comes home. The loop's part is played as `reactor` plays it. Panics if a promise
//! breaks; the numbers are those of the table in `tests/world.rs`, whose world is larger and drawn from seeds:
//! here every byte is a decision, so that a fuzzer can work on it.
//! Left out: the adapter's lists against a model (I5), which the larger world has.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use serde_json::Value;

use super::strict::{Asked, Ear, Heard, Said, Speaks};
use crate::config::Config;
use crate::reactor::lanes::{Full, Worker};
use crate::reactor::{Action, Close, ConnId, Job, JobId, ListenerId, Peer, Service};
use crate::server::handle::Task;
use crate::server::{App, Census, Context, Server, Socket, Verdict};
use crate::socketio::args::Binary;
use crate::time::{Now, Time, UnixMillis};
use crate::world::choices::Choices;

const CONNS_MAX: usize = 6;
const DEEDS_MAX: usize = 300;
const JOBS_WAITING_MAX: usize = 2;
/// Turns that follow each other at once.
const TURNS_AT_ONCE_MAX: usize = 1000;
/// Longer than any patience the server has: a ping's time and its answer's, a farewell, a drain.
const SILENCE: Duration = Duration::from_secs(180);

/// The application: it numbers what it says to a namespace, and knows who is in its room.
#[derive(Default)]
struct Town {
    said: BTreeMap<String, u64>,
    inside: BTreeMap<String, BTreeSet<String>>,
}

impl Town {
    fn number(&mut self, namespace: &str) -> u64 {
        let number = self.said.entry(namespace.to_owned()).or_default();
        *number += 1;
        *number
    }

    fn inside(&mut self, namespace: &str) -> &mut BTreeSet<String> {
        self.inside.entry(namespace.to_owned()).or_default()
    }
}

impl App for Town {
    type Data = ();
}

struct Desk;

impl Worker for Desk {}

fn town() -> Server<Town> {
    let mut config = Config::default();
    config.engine.payload_bytes_max = 400;
    config.http.body_bytes_max = 400;
    config.websocket.message_bytes_max = 400;
    config.engine.queue_bytes_soft_max = 1024;
    config.engine.queue_bytes_max = 4096;
    config.engine.packets_per_turn_max = 2;
    config.socketio.acks_max = 2;
    config.socketio.namespaces_max = 2;
    let mut server = Server::with_seed(config, Town::default(), [7; 32]);
    let lane = server.lane("desk", JOBS_WAITING_MAX, || Desk);
    server
        .of("/late")
        .authorize(|socket, word: Option<String>| match word.as_deref() {
            Some("no") => Verdict::refuse("no"),
            Some("wait") => {
                let id = socket.id();
                socket.io.after(Duration::from_millis(100), move |context| {
                    context.io.decide(id, Verdict::Accept);
                });
                Verdict::Later {
                    within: Duration::from_secs(1),
                }
            }
            _ => Verdict::Accept,
        });
    for name in ["/", "/late"] {
        server
            .of(name)
            .on_connect(|socket| say(socket, ""))
            .on("echo", |socket, (value,): (Value,), ack| {
                ack.send(&mut socket.io, &(value,))
            })
            .on("back", |socket, (bytes,): (Binary,), ack| {
                ack.send(&mut socket.io, &(bytes,))
            })
            .on("blob", |socket, (bytes,): (Binary,), _ack| {
                let name = socket.namespace().to_owned();
                let number = socket.app.number(&name);
                socket.everyone().emit("said", &(number, bytes));
            })
            .on("say", |socket, (pad,): (usize,), _ack| {
                say(socket, &"x".repeat(pad.min(3000)))
            })
            .on("join", |socket, (): (), _ack| {
                socket.join("room");
                with_inside(socket, |inside, id| drop(inside.insert(id)));
            })
            .on("leave", |socket, (): (), _ack| {
                socket.leave("room");
                with_inside(socket, |inside, id| drop(inside.remove(&id)));
            })
            .on("inside", |socket, (): (), _ack| {
                let members = with_inside(socket, |inside, _| inside.clone());
                let name = socket.namespace().to_owned();
                socket
                    .io
                    .of(&name)
                    .to("room")
                    .emit("heard inside", &(members,));
            })
            .on_disconnecting(|socket, _| {
                with_inside(socket, |inside, id| drop(inside.remove(&id)))
            })
            .on("ask", |socket, (): (), _ack| {
                let within = Duration::from_secs(2);
                socket.emit_with_ack("asked", &(), within, |_, _: Result<(), _>| {});
            })
            .on("work", move |socket, (): (), ack| {
                socket.io.run(
                    lane,
                    |_: &mut Desk| (),
                    move |context, _| ack.send(&mut context.io, &()),
                );
            })
            .on("kick", |socket, (): (), _ack| socket.disconnect())
            .on("out", |socket, (): (), _ack| socket.disconnect_connection());
    }
    server
}

fn say(socket: &mut Socket<'_, Town>, pad: &str) {
    let name = socket.namespace().to_owned();
    let number = socket.app.number(&name);
    socket.everyone().emit("said", &(number, pad));
}

fn with_inside<T>(
    socket: &mut Socket<'_, Town>,
    work: impl FnOnce(&mut BTreeSet<String>, String) -> T,
) -> T {
    let (name, id) = (socket.namespace().to_owned(), socket.id().to_string());
    work(socket.app.inside(&name), id)
}

/// A connection, as its client and the loop see it.
struct Conn {
    id: ConnId,
    ear: Ear,
    /// Sent by the client, not arrived yet.
    under_way: VecDeque<u8>,
    inbox: Vec<u8>,
    outbox_bytes: usize,
    /// Whether the kernel takes no more.
    is_blocked: bool,
    was_refused: bool,
    is_held: bool,
    is_shown: bool,
    is_gone: bool,
}

/// What is known of a session.
#[derive(Default)]
struct Book {
    sid: String,
    /// Attachments that must come before the next text.
    due: usize,
    /// Its socket in each namespace.
    ids: BTreeMap<String, Value>,
    /// The last number that each of those has heard.
    last: BTreeMap<String, u64>,
    /// Ids that wait for their acknowledgement.
    asked: BTreeSet<(String, u64)>,
    next_id: u64,
}

struct Stage<'c> {
    choices: Choices<'c>,
    server: Server<Town>,
    now: Now,
    conns: Vec<Conn>,
    books: Vec<Book>,
    jobs: VecDeque<(JobId, Job)>,
    /// Whether somebody sent bytes of which nobody knows what they ask for.
    is_wild: bool,
    is_over: bool,
    hash: u64,
}

/// Plays the schedule; some are played twice, and must be the same play.
///
/// # Panics
/// If a promise is broken.
pub fn core_ops(data: &[u8]) {
    let once = Stage::new(data).play();
    if data.len().is_multiple_of(8) {
        assert_eq!(once, Stage::new(data).play(), "I12: another play");
    }
}

impl<'c> Stage<'c> {
    fn new(data: &'c [u8]) -> Self {
        Self {
            choices: Choices::new(data),
            server: town(),
            now: Now {
                mono: Time::ZERO,
                wall: UnixMillis(1_750_000_000_000),
            },
            conns: Vec::new(),
            books: Vec::new(),
            jobs: VecDeque::new(),
            is_wild: false,
            is_over: false,
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }

    fn play(mut self) -> u64 {
        let by_silence = self.choices.below(2) == 1;
        self.connect();
        for _ in 0..DEEDS_MAX {
            if self.choices.are_over() || self.is_over {
                break;
            }
            self.deed();
            self.turn();
        }
        if !self.is_over {
            self.end(by_silence);
        }
        self.hash
    }

    fn deed(&mut self) {
        match self.choices.below(16) {
            0 => self.connect(),
            1 => self.request("GET", "", "", Asked::Open),
            2 => self.upgrade(None),
            3 | 4 => {
                if let Some(session) = self.session() {
                    let sid = format!("&sid={}", self.books[session].sid);
                    self.request("GET", &sid, "", Asked::Poll(session));
                }
            }
            5 | 6 => {
                if let Some(session) = self.session() {
                    let sid = format!("&sid={}", self.books[session].sid);
                    let payload = self.payload(session);
                    self.request("POST", &sid, &payload, Asked::Post);
                }
            }
            7 => {
                if let Some(session) = self.session() {
                    self.upgrade(Some(session));
                }
            }
            8..=10 => self.frames(),
            11 => self.raw(),
            12 => {
                let seconds = *self.choices.pick(&[0, 1, 3, 6, 21, 26, 50]);
                self.wait(Duration::from_millis(seconds * 1000 + 10));
            }
            13 => self.kernel(),
            14 => self.hang_up(),
            _ => match self.choices.below(8) {
                0 => self.stop(),
                1..4 => {
                    let (pad, volatile) = (self.choices.below(256), self.choices.below(2) == 1);
                    self.post(move |context| {
                        if volatile {
                            context.io.of("/").volatile().emit("perhaps", &(pad,));
                        } else {
                            let number = context.app.number("/");
                            let everyone = context.io.of("/");
                            everyone.emit("said", &(number, "y".repeat(pad * 8)));
                        }
                    });
                }
                _ => self.job_comes_home(),
            },
        }
    }

    fn connect(&mut self) {
        if self.conns.iter().filter(|conn| !conn.is_gone).count() >= CONNS_MAX {
            return;
        }
        let id = ConnId::from_parts(u32::try_from(self.conns.len()).expect("few"), 1);
        self.conns.push(Conn {
            id,
            ear: Ear::new(),
            under_way: VecDeque::new(),
            inbox: Vec::new(),
            outbox_bytes: 0,
            is_blocked: false,
            was_refused: false,
            is_held: false,
            is_shown: false,
            is_gone: false,
        });
        let peer = Peer::Tcp(([127, 0, 0, 1], 5000).into());
        self.server.accepted(self.now, ListenerId(0), id, peer);
    }

    /// A connection of which something is true, if there is one.
    fn conn(&mut self, fits: impl Fn(&Conn) -> bool) -> Option<usize> {
        let all = self.conns.iter().enumerate();
        let fit: Vec<_> = all
            .filter(|(_, conn)| !conn.is_gone && fits(conn))
            .map(|(at, _)| at)
            .collect();
        (!fit.is_empty()).then(|| *self.choices.pick(&fit))
    }

    fn session(&mut self) -> Option<usize> {
        (!self.books.is_empty()).then(|| self.choices.below(self.books.len().min(256)))
    }

    fn request(&mut self, method: &str, query: &str, body: &str, asked: Asked) {
        let fits = |conn: &Conn| conn.ear.speaks == Speaks::Http && !conn.ear.is_at_a_turn();
        let Some(at) = self.conn(fits) else { return };
        let mut head = format!(
            "{method} /socket.io/?EIO=4&transport=polling{query} HTTP/1.1\r\nHost: here\r\n"
        );
        if !body.is_empty() {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        self.conns[at].ear.asked.push_back(asked);
        self.write(at, format!("{head}\r\n{body}").as_bytes());
    }

    fn upgrade(&mut self, session: Option<usize>) {
        let fits = |conn: &Conn| conn.ear.speaks == Speaks::Http && !conn.ear.is_at_a_turn();
        let Some(at) = self.conn(fits) else { return };
        let sid = session.map(|session| format!("&sid={}", self.books[session].sid));
        let head = format!(
            "GET /socket.io/?EIO=4&transport=websocket{} HTTP/1.1\r\nHost: here\r\n\
            Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            sid.unwrap_or_default()
        );
        self.conns[at].ear.asked.push_back(Asked::Upgrade(session));
        self.write(at, head.as_bytes());
    }

    /// One message to a session: texts, and bytes after them.
    fn message(&mut self, session: usize) -> (String, usize) {
        let name = *self.choices.pick(&["/", "/late"]);
        let place = if name == "/" { "" } else { "/late," };
        let which = self.choices.below(16);
        let id = if self.choices.below(2) == 1 && matches!(which, 2..=12) {
            let book = &mut self.books[session];
            book.next_id += 1;
            book.asked.insert((name.to_owned(), book.next_id));
            book.next_id.to_string()
        } else {
            String::new()
        };
        let event = |text: String| (format!("42{place}{id}{text}"), 0);
        match which {
            0 => (format!("40{place}"), 0),
            1 => (
                format!("40{place}\"{}\"", self.choices.pick(&["no", "wait", "yes"])),
                0,
            ),
            2 => event("[\"echo\",{\"a\":[1,null]}]".to_owned()),
            3 => event("[\"inside\"]".to_owned()),
            4 => (
                format!("451-{place}{id}[\"back\",{{\"_placeholder\":true,\"num\":0}}]"),
                1,
            ),
            5 => (
                format!("451-{place}{id}[\"blob\",{{\"num\":0,\"_placeholder\":true}}]"),
                1,
            ),
            6 | 7 => event(format!("[\"say\",{}]", self.choices.below(256) * 12)),
            8 => event("[\"join\"]".to_owned()),
            9 => event("[\"leave\"]".to_owned()),
            10 => event("[\"ask\"]".to_owned()),
            11 => event("[\"work\"]".to_owned()),
            12 => event(format!(
                "[\"{}\"]",
                self.choices.pick(&["kick", "out", "what"])
            )),
            13 => (format!("43{place}{}[1]", self.choices.below(4)), 0),
            14 => (format!("41{place}"), 0),
            _ => (
                (*self.choices.pick(&["3", "1", "2", "6", "5"])).to_owned(),
                0,
            ),
        }
    }

    fn payload(&mut self, session: usize) -> String {
        let mut packets = Vec::new();
        for _ in 0..=self.choices.below(4) {
            let (text, attachments) = self.message(session);
            packets.push(text);
            packets.extend((0..attachments).map(|_| "bAQID".to_owned()));
        }
        packets.join("\u{1e}")
    }

    fn frames(&mut self) {
        let Some(at) = self.conn(|conn| conn.ear.speaks == Speaks::Frames) else {
            return;
        };
        let (kind, session) = (self.choices.below(8), self.conns[at].ear.session);
        let mut bytes = Vec::new();
        match (kind, session) {
            (0, _) => frame(&mut bytes, 0x81, b"2probe"),
            (1, _) => frame(&mut bytes, 0x81, b"5"),
            (2, _) => frame(&mut bytes, 0x81, b"3"),
            (3, _) => match self.choices.below(3) {
                0 => frame(&mut bytes, 0x89, b"ping"),
                1 => frame(&mut bytes, 0x88, &[3, 232]),
                _ => frame(&mut bytes, 0x82, &[1]),
            },
            (_, Some(session)) => {
                let (text, attachments) = self.message(session);
                frame(&mut bytes, 0x81, text.as_bytes());
                for _ in 0..attachments {
                    frame(&mut bytes, 0x82, &[1, 2, 3]);
                }
            }
            // Its handshake has not come, or never will.
            (_, None) => frame(&mut bytes, 0x81, b"40"),
        }
        self.write(at, &bytes);
    }

    fn raw(&mut self) {
        let Some(at) = self.conn(|_| true) else {
            return;
        };
        let count = self.choices.below(64);
        let bytes = self.choices.bytes(count);
        self.conns[at].ear.speaks = Speaks::Anything;
        self.is_wild = true;
        self.write(at, bytes);
    }

    /// The client writes; what arrives of it now is chosen.
    fn write(&mut self, at: usize, bytes: &[u8]) {
        self.conns[at].under_way.extend(bytes);
        let count = match self.choices.below(4) {
            3 => self.choices.below(256),
            _ => usize::MAX,
        };
        self.arrive(at, count);
    }

    fn arrive(&mut self, at: usize, count: usize) {
        let conn = &mut self.conns[at];
        if conn.is_held || conn.is_gone {
            return;
        }
        let count = count.min(conn.under_way.len());
        conn.inbox.extend(conn.under_way.drain(..count));
        self.show(at);
    }

    fn show(&mut self, at: usize) {
        let conn = &mut self.conns[at];
        if conn.is_gone || conn.is_held || conn.inbox.is_empty() {
            return;
        }
        let taken = self.server.received(self.now, conn.id, &mut conn.inbox);
        assert!(taken <= conn.inbox.len(), "more was taken than shown");
        conn.inbox.drain(..taken);
    }

    /// What the kernel does with a connection: takes nothing, a part, or all; or lets more arrive.
    fn kernel(&mut self) {
        let Some(at) = self.conn(|_| true) else {
            return;
        };
        let conn = &mut self.conns[at];
        match self.choices.below(4) {
            0 => conn.is_blocked = true,
            1 if conn.was_refused && conn.outbox_bytes > 1 => {
                conn.outbox_bytes /= 2;
                let (id, left) = (conn.id, conn.outbox_bytes);
                self.server.refused(self.now, id, left);
            }
            2 => conn.is_blocked = false,
            _ => self.arrive(at, usize::MAX),
        }
    }

    fn hang_up(&mut self) {
        let Some(at) = self.conn(|_| true) else {
            return;
        };
        let why = match self.choices.below(2) {
            0 => Ok(()),
            _ => Err(io::ErrorKind::ConnectionReset.into()),
        };
        self.close(at, why);
    }

    fn close(&mut self, at: usize, why: io::Result<()>) {
        self.conns[at].is_gone = true;
        self.server.closed(self.now, self.conns[at].id, why);
    }

    fn stop(&mut self) {
        // Rare, since it ends the play.
        if self.choices.byte() == 255 {
            self.server.asked_to_stop(self.now);
            self.wait(Duration::from_secs(15));
            assert!(self.is_over, "L1: asked to stop, and still there");
        }
    }

    /// Another thread has something done.
    fn post(&mut self, task: impl FnOnce(&mut Context<'_, Town>) + Send + 'static) {
        let task: Task<Town> = Box::new(task);
        self.server.posted(self.now, Box::new(task));
    }

    fn job_comes_home(&mut self) {
        if let Some((id, job)) = self.jobs.pop_front() {
            let outcome = job(&mut Desk);
            self.server.finished(self.now, id, Ok(outcome));
        }
    }

    fn wait(&mut self, duration: Duration) {
        let until = self.now.mono + duration;
        self.turn();
        while let Some(due) = self.server.deadline().filter(|due| *due <= until) {
            if self.is_over {
                return;
            }
            self.pass(due);
            self.turn();
        }
        self.pass(until);
    }

    fn pass(&mut self, until: Time) {
        let until = self.now.mono.max(until);
        self.now.wall.0 += (until.0 - self.now.mono.0) / 1000;
        self.now.mono = until;
    }

    /// A turn of the loop, and those that follow at once.
    fn turn(&mut self) {
        for _ in 0..TURNS_AT_ONCE_MAX {
            for at in 0..self.conns.len() {
                if std::mem::take(&mut self.conns[at].is_shown) {
                    self.show(at);
                }
            }
            if self
                .server
                .deadline()
                .is_some_and(|due| due <= self.now.mono)
            {
                self.server.elapsed(self.now);
            }
            while let Some(action) = self.server.poll_action() {
                self.perform(action);
            }
            let mut is_told = false;
            for at in 0..self.conns.len() {
                is_told |= self.offer(at);
            }
            let is_due = self
                .server
                .deadline()
                .is_some_and(|due| due <= self.now.mono);
            if !is_told && !is_due && !self.conns.iter().any(|conn| conn.is_shown) {
                return self.check();
            }
        }
        panic!("I11: the loop spins");
    }

    /// Offers the kernel what waits; says whether the server heard of it.
    fn offer(&mut self, at: usize) -> bool {
        let conn = &mut self.conns[at];
        if conn.is_gone || conn.outbox_bytes == 0 {
            return false;
        }
        if conn.is_blocked {
            let (id, left) = (conn.id, conn.outbox_bytes);
            if std::mem::replace(&mut conn.was_refused, true) {
                return false;
            }
            self.server.refused(self.now, id, left);
            return true;
        }
        conn.outbox_bytes = 0;
        if std::mem::take(&mut conn.was_refused) {
            let id = conn.id;
            self.server.drained(self.now, id);
            return true;
        }
        false
    }

    fn perform(&mut self, action: Action) {
        let place = |conn: ConnId| usize::try_from(conn.slot()).expect("few");
        match action {
            Action::Send(conn, bytes) => {
                let at = place(conn);
                if self.conns[at].is_gone {
                    return;
                }
                self.conns[at].outbox_bytes += bytes.len();
                for byte in &bytes {
                    self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
                }
                let mut heard = Vec::new();
                self.conns[at].ear.hear(&bytes, &mut heard);
                for heard in heard {
                    self.heard(at, heard);
                }
            }
            Action::Close(conn, how) => {
                let conn = &mut self.conns[place(conn)];
                if !conn.is_gone && how != Close::Reset {
                    conn.ear.finish();
                }
                conn.is_gone = true;
            }
            Action::Hold(conn) => {
                self.conns[place(conn)].is_held = true;
                self.conns[place(conn)].is_shown = false;
            }
            Action::Show(conn) => {
                self.conns[place(conn)].is_held = false;
                self.conns[place(conn)].is_shown = !self.conns[place(conn)].inbox.is_empty();
            }
            Action::Run(_, id, job) => {
                if self.jobs.len() < JOBS_WAITING_MAX {
                    self.jobs.push_back((id, job));
                } else {
                    let full: Box<dyn Any + Send> = Box::new(Full);
                    self.server.finished(self.now, id, Err(full));
                }
            }
            Action::StopListening => {}
            Action::Exit => self.is_over = true,
            Action::Connect(..) => panic!("nobody here asks to connect"),
        }
    }

    fn heard(&mut self, at: usize, heard: Heard) {
        match heard {
            Heard::Opened(sid) => {
                self.books.push(Book {
                    sid,
                    ..Book::default()
                });
                let ear = &mut self.conns[at].ear;
                if ear.speaks == Speaks::Frames {
                    ear.session = Some(self.books.len() - 1);
                }
            }
            Heard::Binary(Some(session)) => {
                let due = &mut self.books[session].due;
                *due = due.checked_sub(1).expect("I9: bytes that nobody announced");
            }
            Heard::Text(Some(session), text) => {
                if let Some(message) = text.strip_prefix('4') {
                    self.message_heard(session, &Said::read(message));
                }
            }
            Heard::Binary(None) => panic!("I9: bytes before a handshake"),
            Heard::Text(None, text) => {
                assert!(!text.starts_with('4'), "I9: {text} before a handshake");
            }
        }
    }

    fn message_heard(&mut self, session: usize, said: &Said) {
        let book = &mut self.books[session];
        assert_eq!(book.due, 0, "I9: text where bytes are due: {said:?}");
        book.due = said.attachments;
        match said.kind {
            '0' => {
                book.ids
                    .insert(said.namespace.clone(), said.payload["sid"].clone());
                book.last.remove(&said.namespace);
            }
            '2' | '5' if said.payload[0] == "said" => {
                let number = said.payload[1].as_u64().expect("a number");
                let last = book.last.insert(said.namespace.clone(), number);
                // What goes to a connection that went wild is not read, and is missing here.
                let is_next = |last| last + 1 == number || (self.is_wild && last < number);
                assert!(last.is_none_or(is_next), "I2: {number} after {last:?}");
            }
            '2' if said.payload[0] == "heard inside" => {
                let members = said.payload[1].as_array().expect("a list");
                let id = &book.ids[&said.namespace];
                assert!(members.contains(id), "I3: {id} is not among {members:?}");
            }
            '3' | '6' if !self.is_wild => {
                let id = said.id.expect("it was read so");
                let was_asked = book.asked.remove(&(said.namespace.clone(), id));
                assert!(
                    was_asked,
                    "I8: an answer to {id}, which was not asked or has been answered"
                );
            }
            _ => {}
        }
    }

    /// What must hold after every turn.
    fn check(&self) {
        let engine = self.server.census().engine;
        let most = engine.waiting_bytes_most;
        assert!(most <= 4096, "I7: {most} bytes wait for a client");
        assert_eq!(
            engine.stranded, 0,
            "I10: packets wait, and nothing will wake them"
        );
    }

    /// Either everybody goes, or nobody says a word any more and the server ends it: then nothing is left.
    fn end(&mut self, by_silence: bool) {
        for at in 0..self.conns.len() {
            if self.conns[at].is_gone {
                continue;
            }
            if self.conns[at].is_blocked {
                self.close(at, Err(io::ErrorKind::TimedOut.into()));
            } else if !by_silence {
                self.close(at, Ok(()));
            }
        }
        self.turn();
        while !self.jobs.is_empty() {
            self.job_comes_home();
            self.turn();
        }
        self.wait(SILENCE);
        let open = self.conns.iter().position(|conn| !conn.is_gone);
        assert_eq!(open, None, "I10: silent, and open for ever");
        assert_eq!(
            self.server.census(),
            Census::default(),
            "I6: something is left"
        );
        let panics = self.server.with(|context| context.io.counters().panics);
        assert_eq!(panics, 0, "a handler panicked");
    }
}

/// A frame of a client, masked with zeros.
fn frame(bytes: &mut Vec<u8>, first: u8, payload: &[u8]) {
    bytes.push(first);
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => bytes.push(0x80 | length),
        _ => {
            let length = u16::try_from(payload.len()).expect("short");
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
}
