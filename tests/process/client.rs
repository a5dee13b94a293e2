//! A scripted client: one WebSocket, questions with their answers, and the events that came meanwhile.
//!
//! Everything may fail at any byte, since servers are killed here; whoever is sure unwraps.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::PATIENCE;

pub(crate) struct Client {
    stream: TcpStream,
    asked: u64,
    /// The namespace, as packets name it: nothing for `/`.
    place: &'static str,
    /// Events that came while an answer was waited for.
    events: VecDeque<(String, Value)>,
    /// What hello was answered with.
    pub(crate) hello: Value,
}

impl Client {
    /// In the chat's own namespace, with hello said.
    pub(crate) fn open(address: SocketAddr, cookie: &str) -> io::Result<Self> {
        let mut client = Self::open_in(address, cookie, "")?;
        client.hello = client.ask("hello", &json!({ "v": 1 }))?;
        Ok(client)
    }

    /// In a namespace, as a packet names it: `/admin,`.
    pub(crate) fn open_in(
        address: SocketAddr,
        cookie: &str,
        place: &'static str,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        write!(
            stream,
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Cookie: sid={cookie}\r\n\r\n"
        )?;
        let mut client = Self {
            stream,
            asked: 0,
            place,
            events: VecDeque::new(),
            hello: Value::Null,
        };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(client.take::<1>()?);
        }
        if !head.starts_with(b"HTTP/1.1 101 ") {
            return Err(io::Error::other(
                String::from_utf8_lossy(&head).into_owned(),
            ));
        }
        client.say(&format!("40{place}"))?;
        loop {
            match client.hear()? {
                welcome if welcome.starts_with("40") => return Ok(client),
                refusal if refusal.starts_with("44") => return Err(io::Error::other(refusal)),
                _ => {}
            }
        }
    }

    /// The room that everybody is in.
    pub(crate) fn general(&self) -> i64 {
        self.hello["rooms"][0]["id"].as_i64().unwrap()
    }

    /// The question is sent; its answer is [`Client::answer`]'s.
    pub(crate) fn send(&mut self, event: &str, body: &Value) -> io::Result<u64> {
        self.asked += 1;
        self.say(&format!(
            "42{}{}{}",
            self.place,
            self.asked,
            json!([event, body])
        ))?;
        Ok(self.asked)
    }

    /// The answer to a question; events that come before it are kept.
    pub(crate) fn answer(&mut self, number: u64) -> io::Result<Value> {
        let start = format!("43{}{number}[", self.place);
        loop {
            let packet = self.hear()?;
            if packet.starts_with(&start) {
                let answer = packet.strip_prefix(&start[..start.len() - 1]);
                let answer: Value = serde_json::from_str(answer.unwrap_or_default())?;
                return Ok(answer[0].clone());
            }
            self.keep(&packet)?;
        }
    }

    pub(crate) fn ask(&mut self, event: &str, body: &Value) -> io::Result<Value> {
        let number = self.send(event, body)?;
        self.answer(number)
    }

    /// Asks, and asks again whenever it is too much at once, after as long as it is told to wait.
    pub(crate) fn ask_patiently(&mut self, event: &str, body: &Value) -> io::Result<Value> {
        loop {
            let answer = self.ask(event, body)?;
            if answer["code"] != "slow" {
                return Ok(answer);
            }
            let wait = answer["retryMs"].as_u64().unwrap();
            self.listen(Duration::from_millis(wait))?;
        }
    }

    /// Hears what comes for so long.
    #[expect(
        clippy::disallowed_methods,
        reason = "a client that is told to wait looks at its clock"
    )]
    fn listen(&mut self, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.stream.set_read_timeout(Some(left))?;
            let seen = self.stream.peek(&mut [0]);
            self.stream.set_read_timeout(Some(PATIENCE))?;
            match seen {
                Ok(_) => {
                    let packet = self.hear()?;
                    self.keep(&packet)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a message, and waits until it is acknowledged.
    pub(crate) fn tell(&mut self, room: i64, cid: &str, text: &str) -> io::Result<Value> {
        self.ask_patiently("send", &json!({ "room": room, "cid": cid, "text": text }))
    }

    /// The next event that came while an answer was waited for.
    pub(crate) fn heard(&mut self) -> Option<(String, Value)> {
        self.events.pop_front()
    }

    /// The next event of that name; others before it are passed over.
    pub(crate) fn event(&mut self, name: &str) -> io::Result<Value> {
        loop {
            while let Some((event, body)) = self.events.pop_front() {
                if event == name {
                    return Ok(body);
                }
            }
            let packet = self.hear()?;
            self.keep(&packet)?;
        }
    }

    /// All rows of a room, as pages of history have them.
    pub(crate) fn rows(&mut self, room: i64) -> io::Result<Vec<Value>> {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let after = rows
                .last()
                .map_or_else(|| json!(0), |row| row["seq"].clone());
            let body = json!({ "room": room, "after": after });
            let page = self.ask_patiently("history", &body)?;
            let Some(more) = page["rows"].as_array() else {
                return Err(io::Error::other(page.to_string()));
            };
            rows.extend(more.iter().cloned());
            if page["end"] == json!(true) {
                return Ok(rows);
            }
        }
    }

    /// Reads until the server has ended the connection, however.
    pub(crate) fn outlive(&mut self) {
        while let Ok(packet) = self.hear() {
            let _ = self.keep(&packet);
        }
    }

    fn keep(&mut self, packet: &str) -> io::Result<()> {
        if let Some(event) = packet.strip_prefix("42") {
            let (name, body) = serde_json::from_str(event)?;
            self.events.push_back((name, body));
        }
        Ok(())
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        let mut frame = vec![0x81];
        match u8::try_from(text.len()) {
            Ok(length @ ..126) => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            }
        }
        // A mask of zeros changes nothing.
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame)
    }

    /// The next message that is no ping of the engine, which is answered.
    fn hear(&mut self) -> io::Result<String> {
        loop {
            let [first, length] = self.take()?;
            let length = match length {
                127 => usize::try_from(u64::from_be_bytes(self.take()?)).unwrap(),
                126 => usize::from(u16::from_be_bytes(self.take()?)),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload)?;
            match (first, &payload[..]) {
                (0x81, b"2") => self.say("3")?,
                (0x81, _) => return String::from_utf8(payload).map_err(io::Error::other),
                _ => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
