//! A server without a reactor: connections are numbers, the time is what a test says, and what is sent is kept.
//!
//! Drives a [`Server`] by the calls the loop would make and performs its actions as the loop would.
//! Knows HTTP and WebSocket as far as a client must.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Config;
use crate::reactor::{Action, Close, ConnId, Job, JobId, ListenerId, Peer, Service};
use crate::server::{App, Server};
use crate::time::{Now, Time, UnixMillis};

/// One connection as its client and the loop see it.
#[derive(Default)]
struct Conn {
    inbox: Vec<u8>,
    sent: Vec<u8>,
    closed: Option<Close>,
    is_held: bool,
    /// Whether the kernel takes nothing.
    is_full: bool,
}

pub(super) struct World<A: App> {
    pub(super) server: Server<A>,
    pub(super) now: Now,
    conns: BTreeMap<u32, Conn>,
    /// Jobs that wait for somebody to run them.
    pub(super) jobs: Vec<(JobId, Job)>,
    shown: Vec<u32>,
    to_be_told: Vec<u32>,
    pub(super) is_over: bool,
    pub(super) is_listening: bool,
}

impl<A: App> World<A> {
    pub(super) fn new(app: A, describe: impl FnOnce(&mut Server<A>)) -> Self {
        Self::with(Config::default(), app, describe)
    }

    pub(super) fn with(config: Config, app: A, describe: impl FnOnce(&mut Server<A>)) -> Self {
        Self::seeded(config, app, [3; 32], describe)
    }

    pub(super) fn seeded(
        config: Config,
        app: A,
        seed: [u8; 32],
        describe: impl FnOnce(&mut Server<A>),
    ) -> Self {
        let mut server = Server::with_seed(config, app, seed);
        describe(&mut server);
        Self {
            server,
            now: Now {
                mono: Time::ZERO,
                wall: UnixMillis(1_700_000_000_000),
            },
            conns: BTreeMap::new(),
            jobs: Vec::new(),
            shown: Vec::new(),
            to_be_told: Vec::new(),
            is_over: false,
            is_listening: true,
        }
    }

    pub(super) fn connect(&mut self) -> u32 {
        let number = u32::try_from(self.conns.len()).unwrap();
        self.conns.insert(number, Conn::default());
        let peer = Peer::Tcp(([127, 0, 0, 1], 5000).into());
        self.server
            .accepted(self.now, ListenerId(0), id(number), peer);
        self.act();
        number
    }

    /// Bytes from a client.
    pub(super) fn receive(&mut self, conn: u32, bytes: &[u8]) {
        self.conns
            .get_mut(&conn)
            .unwrap()
            .inbox
            .extend_from_slice(bytes);
        self.show(conn);
        self.act();
    }

    fn show(&mut self, conn: u32) {
        let Some(row) = self.conns.get_mut(&conn) else {
            return;
        };
        if row.closed.is_none() && !row.is_held && !row.inbox.is_empty() {
            let taken = self.server.received(self.now, id(conn), &mut row.inbox);
            row.inbox.drain(..taken);
        }
    }

    /// A client's end of its connection.
    pub(super) fn hang_up(&mut self, conn: u32) {
        self.server.closed(self.now, id(conn), Ok(()));
        self.act();
    }

    /// Lets time pass, deadline by deadline.
    pub(super) fn wait(&mut self, duration: Duration) {
        let until = self.now.mono + duration;
        while let Some(due) = self.server.deadline().filter(|due| *due <= until) {
            self.now.mono = self.now.mono.max(due);
            self.turn();
        }
        self.now.mono = until;
    }

    /// One turn of the loop in which nothing came.
    pub(super) fn turn(&mut self) {
        self.server.elapsed(self.now);
        self.act();
    }

    pub(super) fn ask_to_stop(&mut self) {
        self.server.asked_to_stop(self.now);
        self.act();
    }

    /// Runs the jobs that wait on a lane whose thread owns `owned`.
    pub(super) fn run_jobs(&mut self, owned: &mut dyn std::any::Any) {
        for (id, job) in std::mem::take(&mut self.jobs) {
            let outcome = job(owned);
            self.server.finished(self.now, id, Ok(outcome));
        }
        self.act();
    }

    /// The kernel takes no more of a connection: `left` bytes wait.
    pub(super) fn refuse(&mut self, conn: u32, left: usize) {
        self.conns.get_mut(&conn).unwrap().is_full = true;
        self.server.refused(self.now, id(conn), left);
        self.act();
    }

    /// The kernel has taken all of a connection.
    pub(super) fn drain(&mut self, conn: u32) {
        self.conns.get_mut(&conn).unwrap().is_full = false;
        self.server.drained(self.now, id(conn));
        self.act();
    }

    /// From now on the kernel takes nothing of a connection.
    pub(super) fn fill(&mut self, conn: u32) {
        self.conns.get_mut(&conn).unwrap().is_full = true;
    }

    pub(super) fn is_held(&self, conn: u32) -> bool {
        self.conns[&conn].is_held
    }

    pub(super) fn close(&self, conn: u32) -> Option<Close> {
        self.conns[&conn].closed
    }

    /// Performs what is asked for; what is to be shown is shown in the next turn, which follows at once.
    fn act(&mut self) {
        self.perform();
        while !self.shown.is_empty() || !self.to_be_told.is_empty() {
            for conn in std::mem::take(&mut self.to_be_told) {
                let row = &self.conns[&conn];
                if !row.is_full && row.closed.is_none() {
                    self.server.drained(self.now, id(conn));
                }
            }
            for conn in std::mem::take(&mut self.shown) {
                self.conns.get_mut(&conn).unwrap().is_held = false;
                self.show(conn);
            }
            self.perform();
        }
    }

    fn perform(&mut self) {
        while let Some(action) = self.server.poll_action() {
            match action {
                Action::Send(conn, bytes) => {
                    let row = self.conns.get_mut(&conn.slot()).unwrap();
                    if row.closed.is_none() {
                        row.sent.extend_from_slice(&bytes);
                    }
                }
                Action::Tell(conn) => {
                    if !self.to_be_told.contains(&conn.slot()) {
                        self.to_be_told.push(conn.slot());
                    }
                }
                Action::Close(conn, how) => {
                    self.conns.get_mut(&conn.slot()).unwrap().closed = Some(how);
                }
                Action::Show(conn) => self.shown.push(conn.slot()),
                Action::Hold(conn) => {
                    self.conns.get_mut(&conn.slot()).unwrap().is_held = true;
                    self.shown.retain(|shown| *shown != conn.slot());
                }
                Action::Run(_, id, job) => self.jobs.push((id, job)),
                Action::StopListening => self.is_listening = false,
                Action::Exit => self.is_over = true,
                Action::Connect(..) => {}
            }
        }
    }

    pub(super) fn is_closed(&self, conn: u32) -> bool {
        self.conns[&conn].closed.is_some()
    }

    pub(super) fn sent(&mut self, conn: u32) -> String {
        String::from_utf8_lossy(&self.bytes_sent(conn)).into_owned()
    }

    pub(super) fn bytes_sent(&mut self, conn: u32) -> Vec<u8> {
        std::mem::take(&mut self.conns.get_mut(&conn).unwrap().sent)
    }

    /// A request on a connection of its own; gives the answer's status and body.
    pub(super) fn request(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let conn = self.connect();
        self.ask(conn, method, path, "", body);
        self.answer(conn).expect("an answer")
    }

    pub(super) fn ask(&mut self, conn: u32, method: &str, path: &str, headers: &str, body: &str) {
        let length = match body.len() {
            0 => String::new(),
            bytes => format!("Content-Length: {bytes}\r\n"),
        };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: here\r\n{headers}{length}\r\n");
        self.receive(conn, (head + body).as_bytes());
    }

    /// The next answer that has come: its status and body.
    pub(super) fn answer(&mut self, conn: u32) -> Option<(u16, String)> {
        let sent = self.sent(conn);
        let (head, rest) = sent.split_once("\r\n\r\n")?;
        let status = head[9..12].parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |length| length.parse().unwrap());
        let (body, rest) = rest.split_at(length);
        self.conns.get_mut(&conn).unwrap().sent = rest.into();
        Some((status, body.to_owned()))
    }

    /// A client by WebSocket, its Engine.IO handshake done.
    pub(super) fn websocket(&mut self) -> u32 {
        let conn = self.connect();
        self.upgrade(conn, "/socket.io/?EIO=4&transport=websocket", "");
        let sent = self.sent(conn);
        assert!(sent.starts_with("HTTP/1.1 101 "), "{sent}");
        conn
    }

    /// Takes the head of an answer off what a client has got.
    pub(super) fn take_head(&mut self, conn: u32) -> String {
        let sent = &mut self.conns.get_mut(&conn).unwrap().sent;
        let end = sent.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let rest = sent.split_off(end.expect("a head") + 4);
        String::from_utf8(std::mem::replace(sent, rest)).unwrap()
    }

    pub(super) fn upgrade(&mut self, conn: u32, path: &str, headers: &str) {
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        self.ask(conn, "GET", path, &format!("{upgrade}{headers}"), "");
    }

    /// A client by WebSocket in a namespace; gives its connection and its socket's id.
    pub(super) fn socket(&mut self, namespace: &str) -> (u32, String) {
        let conn = self.websocket();
        let place = if namespace == "/" {
            String::new()
        } else {
            format!("{namespace},")
        };
        self.say(conn, &format!("40{place}"));
        let heard = self.heard(conn);
        let prefix = format!("40{place}{{\"sid\":\"");
        let id = heard[0].strip_prefix(&prefix).expect("a CONNECT");
        (conn, id[..20].to_owned())
    }

    /// A text frame from a client, masked with zeros.
    pub(super) fn say(&mut self, conn: u32, text: &str) {
        self.frame(conn, 0x81, text.as_bytes());
    }

    pub(super) fn frame(&mut self, conn: u32, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        self.receive(conn, &frame);
    }

    /// The frames a client has got: texts as they are, pings of the engine left out, a close as `close CODE`.
    pub(super) fn heard(&mut self, conn: u32) -> Vec<String> {
        let sent = std::mem::take(&mut self.conns.get_mut(&conn).unwrap().sent);
        let mut heard = Vec::new();
        let mut rest = &sent[..];
        while let [first, length, ..] = *rest {
            let (header, length) = match length {
                126 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
                short => (2, usize::from(short)),
            };
            let payload = &rest[header..header + length];
            rest = &rest[header + length..];
            match first {
                0x81 if payload == b"2" => {}
                0x88 => heard.push(format!(
                    "close {}",
                    u16::from_be_bytes([payload[0], payload[1]])
                )),
                _ => heard.push(String::from_utf8_lossy(payload).into_owned()),
            }
        }
        heard
    }
}

fn id(number: u32) -> ConnId {
    ConnId::from_parts(number, 0)
}
