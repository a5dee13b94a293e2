//! A strict reader of what the server says, which shares no code with it: HTTP answers, frames, packets.
//!
//! The bytes of one connection come in as they are sent; messages of sessions go out. Panics at the first byte that
//! no client need understand.
//! Left out: answers to what a connection was sent as raw bytes, where nobody can say what was asked.

use std::collections::VecDeque;

/// What may be answered, by the tables of HTTP's refusals, of Engine.IO and of the switchboard.
const STATUSES: [u16; 19] = [
    100, 101, 200, 204, 304, 400, 403, 404, 405, 408, 413, 414, 417, 421, 426, 429, 431, 503, 505,
];

/// What a WebSocket may be closed with.
const CLOSE_CODES: [u16; 8] = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011];

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A session, by polling.
    Open,
    /// What waits for a session.
    Poll(usize),
    /// Nothing but to be heard.
    Post,
    /// To speak in frames from here on, for a session or for a new one.
    Upgrade(Option<usize>),
}

/// Something for a session.
#[derive(Debug)]
pub(super) enum Heard {
    /// The session is new; its id.
    Opened(String),
    /// A packet of Engine.IO, of a session that is known or the one of this connection.
    Text(Option<usize>, String),
    /// A message of bytes.
    Binary(Option<usize>),
}

/// How a connection's bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Http,
    Frames,
    /// Raw bytes were sent on it: what comes back is not looked at.
    Anything,
}

/// One connection's reader.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) speaks: Speaks,
    pub(super) asked: VecDeque<Asked>,
    /// The session that its frames are for.
    pub(super) session: Option<usize>,
    bytes: Vec<u8>,
    is_closed: bool,
}

impl Ear {
    pub(super) const fn new() -> Self {
        Self {
            speaks: Speaks::Http,
            asked: VecDeque::new(),
            session: None,
            bytes: Vec::new(),
            is_closed: false,
        }
    }

    /// Whether an upgrade has been asked for and not answered, so that nobody knows what is spoken next.
    pub(super) fn is_at_a_turn(&self) -> bool {
        matches!(self.asked.back(), Some(Asked::Upgrade(_)))
    }

    pub(super) fn hear(&mut self, bytes: &[u8], heard: &mut Vec<Heard>) {
        if self.speaks == Speaks::Anything {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        loop {
            let taken = match self.speaks {
                Speaks::Http => self.answer(heard),
                Speaks::Frames => self.frame(heard),
                Speaks::Anything => None,
            };
            let Some(taken) = taken else { return };
            self.bytes.drain(..taken);
        }
    }

    /// The server has ended the connection: nothing is half said.
    pub(super) fn finish(&self) {
        let rest = self.bytes.escape_ascii();
        assert!(
            self.speaks == Speaks::Anything || self.bytes.is_empty(),
            "I9: half said: {rest}"
        );
    }

    fn answer(&mut self, heard: &mut Vec<Heard>) -> Option<usize> {
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = str::from_utf8(&self.bytes[..end]).expect("I9: a head is text");
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|digits| digits.parse().ok())
            .unwrap_or_else(|| panic!("I9: no status line: {head}"));
        assert!(STATUSES.contains(&status), "I9: the status {status}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map(|digits| digits.parse::<usize>().expect("I9: a length"));
        let length = match (status, length) {
            (100 | 101 | 204 | 304, None) => 0,
            (_, Some(length)) => length,
            (_, None) => panic!("I9: no length: {head}"),
        };
        let body = self.bytes.get(end..end + length)?;
        if status == 100 {
            return Some(end);
        }
        // A connection that has waited too long, or is one too many, is told so without having asked.
        let asked = self.asked.pop_front();
        if status == 101 {
            let Some(Asked::Upgrade(session)) = asked else {
                panic!("I9: {asked:?} was answered by an upgrade");
            };
            self.speaks = Speaks::Frames;
            self.session = session;
        }
        let is_payload = status == 200 && matches!(asked, Some(Asked::Open | Asked::Poll(_)));
        if is_payload {
            let body = str::from_utf8(body).expect("I9: a payload is text");
            for packet in body.split('\u{1e}') {
                packets(asked, packet, heard);
            }
        }
        Some(end + length)
    }

    /// RFC 6455 §5.2, as a client without extensions reads it.
    fn frame(&mut self, heard: &mut Vec<Heard>) -> Option<usize> {
        let (&first, &second) = (self.bytes.first()?, self.bytes.get(1)?);
        assert!(!self.is_closed, "I9: a frame behind a close frame");
        assert_eq!(first & 0xf0, 0x80, "I9: a fragment, or reserved bits");
        assert_eq!(second & 0x80, 0, "I9: a masked frame");
        let (start, length) = match second {
            126 => (4, big_endian(self.bytes.get(2..4)?)),
            127 => (10, big_endian(self.bytes.get(2..10)?)),
            short => (2, usize::from(short)),
        };
        let shortest = match length {
            0..126 => 2,
            126..65_536 => 4,
            _ => 10,
        };
        assert_eq!(start, shortest, "I9: a length of {length} in {start} bytes");
        let payload = self.bytes.get(start..start + length)?;
        assert!(first < 0x88 || length < 126, "I9: a long control frame");
        match first {
            0x81 => {
                let text = str::from_utf8(payload).expect("I9: text is UTF-8");
                text_packet(self.session, text, heard);
            }
            0x82 => heard.push(Heard::Binary(self.session)),
            0x88 => {
                let code = payload.get(..2).map(big_endian).expect("I9: a code");
                let is_known = CLOSE_CODES.iter().any(|known| usize::from(*known) == code);
                // What a client closes with is said back to it, whatever it is.
                assert!(
                    is_known || (3000..5000).contains(&code),
                    "I9: closed with {code}"
                );
                self.is_closed = true;
            }
            0x8a => {}
            _ => panic!("I9: a frame that starts with {first:x}"),
        }
        Some(start + length)
    }
}

fn packets(asked: Option<Asked>, packet: &str, heard: &mut Vec<Heard>) {
    let session = match asked {
        Some(Asked::Poll(session)) => Some(session),
        _ => None,
    };
    match packet.strip_prefix('b') {
        None => text_packet(session, packet, heard),
        Some(base64) => {
            let bytes = data_encoding::BASE64.decode(base64.as_bytes());
            assert!(bytes.is_ok(), "I9: no base64: {base64}");
            heard.push(Heard::Binary(session));
        }
    }
}

fn text_packet(session: Option<usize>, text: &str, heard: &mut Vec<Heard>) {
    if let Some(handshake) = text.strip_prefix('0') {
        let handshake: serde_json::Value =
            serde_json::from_str(handshake).expect("I9: a handshake");
        let sid = handshake["sid"].as_str().expect("I9: with an id");
        assert_eq!(sid.len(), 20, "I9: an id is 20 characters");
        assert!(
            session.is_none(),
            "I9: a handshake for a session that has had one"
        );
        heard.push(Heard::Opened(sid.to_owned()));
        return;
    }
    let is_known = matches!(text, "1" | "2" | "3probe" | "6") || text.starts_with('4');
    assert!(is_known, "I9: the packet {text:?}");
    heard.push(Heard::Text(session, text.to_owned()));
}

fn big_endian(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// A packet of Socket.IO, parted by somebody else.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) kind: char,
    pub(super) attachments: usize,
    pub(super) namespace: String,
    pub(super) id: Option<u64>,
    pub(super) payload: serde_json::Value,
}

impl Said {
    /// Reads the text of a message.
    pub(super) fn read(text: &str) -> Self {
        let mut rest = text;
        let kind = rest.chars().next().expect("I9: an empty packet");
        assert!(('0'..='6').contains(&kind), "I9: {text}");
        rest = &rest[1..];
        let mut attachments = 0;
        if matches!(kind, '5' | '6') {
            let (count, behind) = rest.split_once('-').expect("I9: a count");
            attachments = count.parse().expect("I9: a number of attachments");
            rest = behind;
        }
        let mut namespace = "/".to_owned();
        if rest.starts_with('/') {
            let (name, behind) = rest.split_once(',').unwrap_or((rest, ""));
            name.clone_into(&mut namespace);
            rest = behind;
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let id = (digits > 0).then(|| rest[..digits].parse().expect("I9: an id"));
        rest = &rest[digits..];
        let payload = match rest {
            "" => serde_json::Value::Null,
            json => {
                serde_json::from_str(json).unwrap_or_else(|error| panic!("I9: {text}: {error}"))
            }
        };
        let fits = match kind {
            '0' => payload["sid"].as_str().is_some_and(|sid| sid.len() == 20),
            '1' => payload.is_null(),
            '2' | '5' => payload[0].is_string(),
            '3' | '6' => payload.is_array() && id.is_some(),
            _ => payload["message"].is_string(),
        };
        assert!(fits, "I9: {text}");
        Self {
            kind,
            attachments,
            namespace,
            id,
            payload,
        }
    }
}
