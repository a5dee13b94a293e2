//! Sessions by long-polling that echo: a poll is parked, a post is made, and both must be answered before the next.
//!
//! Each has two connections that are kept alive, as a browser would have them.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::lines::{Lines, PATIENCE, wrong};
use crate::talk::{Heard, Length, write_digits};

pub(crate) struct Polling {
    lines: Lines,
    sessions: Vec<Session>,
}

/// Of a message's number, at the start of the payload.
const DIGITS: usize = 8;

struct Session {
    poll: Vec<u8>,
    /// A request, its body at the end.
    post: Vec<u8>,
    /// The packet that must come back.
    heard: Vec<u8>,
    said: u32,
    polled: bool,
    posted: bool,
}

impl Session {
    fn new(sid: &str, payload_bytes: usize) -> Self {
        let digits = "0".repeat(DIGITS);
        let padding = "x".repeat(payload_bytes - DIGITS);
        let packet = format!("42[\"msg\",\"{digits}{padding}\"]");
        Self {
            poll: poll(Some(sid)),
            post: post(sid, &packet),
            heard: packet.into_bytes(),
            said: 0,
            polled: true,
            posted: true,
        }
    }

    /// Polls, and posts the next message.
    fn say_next(&mut self, number: usize, streams: &[TcpStream]) -> io::Result<()> {
        self.said += 1;
        (self.polled, self.posted) = (false, false);
        let from = self.heard.len() - br#"42["msg",""#.len();
        let at = self.post.len() - from;
        write_digits(&mut self.post[at..][..DIGITS], self.said);
        let at = self.heard.len() - from;
        write_digits(&mut self.heard[at..][..DIGITS], self.said);
        (&streams[2 * number]).write_all(&self.poll)?;
        (&streams[2 * number + 1]).write_all(&self.post)
    }

    /// What came on the connection of polls, or on that of posts; whether there is nothing more to come.
    fn take(&mut self, line: usize, body: &[u8], streams: &[TcpStream]) -> io::Result<bool> {
        if line % 2 == 1 {
            if self.posted || !body.eq_ignore_ascii_case(b"ok") {
                return Err(wrong(line, "no answer to a post", body));
            }
            self.posted = true;
            return Ok(self.polled);
        }
        for packet in body.split(|&byte| byte == 0x1e) {
            // Heartbeats need no answer: nobody stays that long.
            if packet == b"2" {
                continue;
            }
            if self.polled || packet != self.heard {
                return Err(wrong(line, "not what was said", body));
            }
            self.polled = true;
        }
        if !self.polled {
            (&streams[line]).write_all(&self.poll)?;
        }
        Ok(self.polled && self.posted)
    }
}

impl Polling {
    pub(crate) fn connect(
        address: SocketAddr,
        count: usize,
        payload_bytes: usize,
    ) -> io::Result<Self> {
        let mut polling = Self {
            lines: Lines::new()?,
            sessions: Vec::with_capacity(count),
        };
        for _ in 0..count {
            let (polls, posts) = (polling.lines.open(address)?, polling.lines.open(address)?);
            let open = polling.ask(polls, &poll(None))?;
            let sid = open
                .strip_prefix("0{\"sid\":\"")
                .and_then(|rest| rest.split('"').next());
            let sid = sid.ok_or_else(|| wrong(polls, "no greeting", open.as_bytes()))?;
            polling.ask(posts, &post(sid, "40"))?;
            let connected = polling.ask(polls, &poll(Some(sid)))?;
            // Some begin with a heartbeat.
            let connected = connected.trim_start_matches("2\x1e");
            if !connected.starts_with("40{\"sid\":\"") {
                return Err(wrong(polls, "not connected", connected.as_bytes()));
            }
            polling.sessions.push(Session::new(sid, payload_bytes));
        }
        Ok(polling)
    }

    fn ask(&mut self, line: usize, request: &[u8]) -> io::Result<String> {
        self.lines.say(line, request)?;
        let mut answered = None;
        while answered.is_none() {
            let some = self.lines.read(PATIENCE, |_, number, bytes| {
                let Some((body, end)) = answer(number, bytes)? else {
                    return Ok(0);
                };
                answered = Some(String::from_utf8_lossy(&body).into_owned());
                Ok(end)
            })?;
            if !some {
                return Err(wrong(line, "no answer", request));
            }
        }
        Ok(answered.unwrap_or_default())
    }

    pub(crate) fn run(&mut self, length: Length) -> io::Result<Heard> {
        self.run_with(length, || Ok(()))
    }

    /// One message of each session; `said` is called when all of them are out, before anything is heard.
    pub(crate) fn round(&mut self, said: impl FnOnce() -> io::Result<()>) -> io::Result<Heard> {
        let each_once = Length::Messages(self.sessions.len() as u64);
        self.run_with(each_once, said)
    }

    fn run_with(
        &mut self,
        length: Length,
        said: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Heard> {
        let began = Instant::now();
        let mut left = match length {
            Length::For(_) => u64::MAX,
            Length::Messages(count) => count,
        };
        let mut under_way = 0;
        let mut deliveries = 0;
        for (number, session) in self.sessions.iter_mut().enumerate() {
            if left > 0 {
                left -= 1;
                under_way += 1;
                session.say_next(number, &self.lines.streams)?;
            }
        }
        said()?;
        while under_way > 0 {
            if let Length::For(duration) = length
                && began.elapsed() >= duration
            {
                left = 0;
            }
            let some = self.lines.read(PATIENCE, |streams, line, bytes| {
                let Some((body, end)) = answer(line, bytes)? else {
                    return Ok(0);
                };
                let session = &mut self.sessions[line / 2];
                if session.take(line, &body, streams)? {
                    deliveries += 1;
                    if left > 0 {
                        left -= 1;
                        session.say_next(line / 2, streams)?;
                    } else {
                        under_way -= 1;
                    }
                }
                Ok(end)
            })?;
            if !some {
                return Err(io::Error::other(format!(
                    "{under_way} echoes are missing after {PATIENCE:?}"
                )));
            }
        }
        let elapsed = began.elapsed();
        self.lines
            .read(Duration::from_millis(2), |_, line, bytes| {
                Err(wrong(line, "more than was asked for", bytes))
            })?;
        Ok(Heard {
            deliveries,
            elapsed,
        })
    }
}

fn poll(sid: Option<&str>) -> Vec<u8> {
    let sid = sid.map_or_else(String::new, |sid| format!("&sid={sid}"));
    format!("GET /socket.io/?EIO=4&transport=polling{sid} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()
}

fn post(sid: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n\
        Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The body of the first answer, and where it ends, if all of it is there.
fn answer(line: usize, bytes: &[u8]) -> io::Result<Option<(std::borrow::Cow<'_, [u8]>, usize)>> {
    let Some(head) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let body = head + 4;
    if !bytes.starts_with(b"HTTP/1.1 200 ") {
        return Err(wrong(line, "refused", bytes));
    }
    let mut length = None;
    for header in bytes[..head].split(|&byte| byte == b'\n') {
        let name = header.iter().position(|&byte| byte == b':').unwrap_or(0);
        if header[..name].eq_ignore_ascii_case(b"content-length") {
            let value = std::str::from_utf8(&header[name + 1..]).ok();
            length = value.and_then(|value| value.trim().parse::<usize>().ok());
        }
    }
    let Some(length) = length else {
        return chunks(line, bytes, body);
    };
    let whole = bytes.get(body..body + length);
    Ok(whole.map(|whole| (whole.into(), body + length)))
}

fn chunks(
    line: usize,
    bytes: &[u8],
    mut at: usize,
) -> io::Result<Option<(std::borrow::Cow<'_, [u8]>, usize)>> {
    let mut whole = Vec::new();
    loop {
        let Some(end) = memchr::memmem::find(&bytes[at..], b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&bytes[at..at + end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.ok_or_else(|| wrong(line, "neither a length nor chunks", bytes))?;
        at += end + 2;
        let Some(chunk) = bytes.get(at..at + size + 2) else {
            return Ok(None);
        };
        whole.extend_from_slice(&chunk[..size]);
        at += size + 2;
        if size == 0 {
            return Ok(Some((whole.into(), at)));
        }
    }
}
