//! Many Socket.IO sockets over WebSocket.
//!
//! Frames come out whole, with the number of their socket; heartbeats are answered here. Who says what is not known.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::frames::{PING, PONG, TEXT, UPGRADE, extent, masked};
use crate::lines::{Lines, PATIENCE, wrong};

/// Handshakes under way at once: a herd, but one that fits into a backlog.
const HANDSHAKES_MAX: usize = 256;

pub(crate) struct Sockets {
    lines: Lines,
}

impl Sockets {
    /// So many sockets in namespace `/`.
    pub(crate) fn connect(address: SocketAddr, count: usize) -> io::Result<Self> {
        Self::connect_as(count, |_| address, |_| UPGRADE.to_vec())
    }

    /// So many sockets in namespace `/`, each at an address and by a handshake of its own.
    pub(crate) fn connect_as(
        count: usize,
        address: impl Fn(usize) -> SocketAddr,
        upgrade: impl Fn(usize) -> Vec<u8>,
    ) -> io::Result<Self> {
        let mut lines = Lines::new()?;
        let hello = masked(b"40");
        let mut steps = vec![Step::Upgrade; count];
        let mut done = 0;
        while done < count {
            while lines.streams.len() < count && lines.streams.len() - done < HANDSHAKES_MAX {
                let number = lines.open(address(lines.streams.len()))?;
                lines.say(number, &upgrade(number))?;
            }
            let some = lines.read(PATIENCE, |streams, number, bytes| {
                let mut at = 0;
                while let Some((next, length)) = steps[number].take(&bytes[at..])? {
                    match next {
                        None if is_beat(&bytes[at..at + length]) => {
                            let ping = &bytes[at..at + length];
                            (&streams[number]).write_all(&pong(ping))?;
                        }
                        // What the others of its room are told meanwhile.
                        None => {}
                        Some(next) => {
                            steps[number] = next;
                            match next {
                                Step::Connect => (&streams[number]).write_all(&hello)?,
                                Step::Ready => done += 1,
                                Step::Upgrade | Step::Open => {}
                            }
                        }
                    }
                    at += length;
                }
                Ok(at)
            })?;
            if !some {
                let under_way = lines.streams.len() - done;
                let error = format!("{under_way} handshakes are not done after {PATIENCE:?}");
                return Err(io::Error::other(error));
            }
        }
        Ok(Self { lines })
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.streams.len()
    }

    /// Sends a frame that is ready.
    pub(crate) fn say(&self, number: usize, frame: &[u8]) -> io::Result<()> {
        self.lines.say(number, frame)
    }

    /// Looks at this one between others from now on, as what it hears is timed.
    pub(crate) fn watch(&mut self, number: usize) {
        self.lines.watched = Some(number);
    }

    /// Waits for something and gives each whole frame to `take`; `false` if nothing came in time.
    pub(crate) fn turn(
        &mut self,
        patience: Duration,
        mut take: impl FnMut(&[TcpStream], usize, &[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        self.lines.read(patience, |streams, number, bytes| {
            let mut at = 0;
            while let Some((start, end)) = extent(&bytes[at..]) {
                let frame = &bytes[at..at + end];
                at += end;
                match (frame[0], &frame[start..]) {
                    (TEXT, b"2") | (PING, _) => (&streams[number]).write_all(&pong(frame))?,
                    (TEXT, _) => take(streams, number, frame)?,
                    _ => return Err(wrong(number, "neither text nor a ping", frame)),
                }
            }
            Ok(at)
        })
    }
}

/// What a socket waits for until it is one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// `101 Switching Protocols`.
    Upgrade,
    /// Engine.IO's greeting.
    Open,
    /// Socket.IO's.
    Connect,
    Ready,
}

impl Step {
    /// What to wait for next, or nothing if a heartbeat came, and how many bytes that has taken.
    fn take(self, bytes: &[u8]) -> io::Result<Option<(Option<Self>, usize)>> {
        if self == Self::Upgrade {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
                return Ok(None);
            };
            if !bytes.starts_with(b"HTTP/1.1 101 ") {
                return Err(wrong(0, "not upgraded", bytes));
            }
            return Ok(Some((Some(Self::Open), end + 4)));
        }
        let Some((start, end)) = extent(bytes) else {
            return Ok(None);
        };
        let text = &bytes[start..end];
        let next = match self {
            _ if is_beat(bytes) => None,
            Self::Ready => None,
            Self::Open if text.starts_with(b"0{") => Some(Self::Connect),
            Self::Connect if text.starts_with(b"40{\"sid\":\"") => Some(Self::Ready),
            _ => return Err(wrong(0, "no greeting", text)),
        };
        Ok(Some((next, end)))
    }
}

/// Whether a frame is a heartbeat: of Engine.IO, or of WebSocket.
fn is_beat(frame: &[u8]) -> bool {
    frame[0] == PING || extent(frame).is_some_and(|(start, end)| frame[start..end] == *b"2")
}

/// The answer to a heartbeat: of Engine.IO, or of WebSocket.
fn pong(ping: &[u8]) -> Vec<u8> {
    if ping[0] != PING {
        return masked(b"3");
    }
    let mut pong = masked(&ping[2..]);
    pong[0] = PONG;
    pong
}
