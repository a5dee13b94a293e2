//! What happens in a played session: one choice, one deed of a client, of the kernel, of time or of another thread.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use super::town::{Desk, Town};
use super::{CONNS_MAX, Conn, Stage};
use crate::reactor::{ConnId, ListenerId, Peer, Service};
use crate::server::Context;
use crate::server::handle::Task;
use crate::server::properties::strict::{Asked, Ear, Speaks};

impl Stage<'_> {
    pub(super) fn deed(&mut self) {
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

    pub(super) fn connect(&mut self) {
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
            is_to_be_told: false,
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

    pub(super) fn show(&mut self, at: usize) {
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

    pub(super) fn close(&mut self, at: usize, why: io::Result<()>) {
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

    pub(super) fn job_comes_home(&mut self) {
        if let Some((id, job)) = self.jobs.pop_front() {
            let outcome = job(&mut Desk);
            self.server.finished(self.now, id, Ok(outcome));
        }
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
