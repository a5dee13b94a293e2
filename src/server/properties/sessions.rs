//! Whole sessions: a server, its clients and the loop between them, and the fuzzer's bytes are the schedule.
//!
//! Each choice is one thing that happens: a request, a frame, a piece that arrives late, an answer the kernel does not take,
//! a reset, time, a job that comes home. The loop's part is played as `reactor` plays it. Panics if a promise
//! breaks; the numbers are those of the table in `tests/world.rs`, whose world is larger and drawn from seeds:
//! here every byte is a decision, so that a fuzzer can work on it.
//! Left out: the adapter's lists against a model (I5), which the larger world has.

mod deeds;
mod town;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::time::Duration;

use serde_json::Value;

use self::town::{Town, town};
use super::strict::{Ear, Heard, Said, Speaks};
use crate::reactor::lanes::Full;
use crate::reactor::{Action, Close, ConnId, Job, JobId, Service};
use crate::server::{Census, Server};
use crate::time::{Now, Time, UnixMillis};
use crate::world::choices::Choices;

const CONNS_MAX: usize = 6;
const DEEDS_MAX: usize = 300;
const JOBS_WAITING_MAX: usize = 2;
/// Turns that follow each other at once.
const TURNS_AT_ONCE_MAX: usize = 1000;
/// Longer than any patience the server has: a ping's time and its answer's, a farewell, a drain.
const SILENCE: Duration = Duration::from_secs(180);

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
    is_to_be_told: bool,
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
        if conn.is_gone || (conn.outbox_bytes == 0 && !conn.is_to_be_told) {
            return false;
        }
        if conn.is_blocked && conn.outbox_bytes > 0 {
            let (id, left) = (conn.id, conn.outbox_bytes);
            if std::mem::replace(&mut conn.was_refused, true) {
                return false;
            }
            self.server.refused(self.now, id, left);
            return true;
        }
        conn.outbox_bytes = 0;
        let is_to_be_told = std::mem::take(&mut conn.is_to_be_told);
        if std::mem::take(&mut conn.was_refused) || is_to_be_told {
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
                for byte in &*bytes {
                    self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
                }
                let mut heard = Vec::new();
                self.conns[at].ear.hear(&bytes, &mut heard);
                for heard in heard {
                    self.heard(at, heard);
                }
            }
            Action::Tell(conn) => self.conns[place(conn)].is_to_be_told = true,
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
        self.wait(SILENCE);
        // A packet that was put off may have begun one.
        while !self.jobs.is_empty() {
            self.job_comes_home();
            self.turn();
        }
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
