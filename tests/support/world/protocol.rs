//! The client's side of HTTP, WebSocket, Engine.IO and Socket.IO, written from the protocols' texts.
//!
//! Shares no code with the server, so that a misunderstanding does not cancel itself out. Strict: what a server may not
//! send is an error, in words.
//! Left out: what our server never sends (trailers, fragmented or compressed messages), which is an error, too.

use serde_json::Value;

/// What a connection said.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Response { status: u16, body: Vec<u8> },
    Frame { opcode: u8, payload: Vec<u8> },
}

/// Reads one connection's bytes as they come.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    is_websocket: bool,
    is_closed: bool,
}

/// Statuses and close codes that the server has a reason for.
const STATUSES: [u16; 15] = [
    101, 200, 400, 403, 404, 405, 408, 413, 414, 417, 426, 431, 501, 503, 505,
];
const CLOSE_CODES: [u16; 6] = [1000, 1001, 1002, 1007, 1008, 1009];

impl Reader {
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a message is cut off in the middle.
    pub fn is_in_the_middle(&self) -> bool {
        !self.bytes.is_empty()
    }

    pub fn next(&mut self) -> Result<Option<Heard>, String> {
        if self.is_websocket {
            self.frame()
        } else {
            self.response()
        }
    }

    fn response(&mut self) -> Result<Option<Heard>, String> {
        let Some(end) = self.bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&self.bytes[..end]).map_err(|_| "a head that is no text")?;
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse::<u16>().ok())
            .ok_or_else(|| format!("no status line: {status_line:?}"))?;
        if !STATUSES.contains(&status) {
            return Err(format!("status {status} is not in the table"));
        }
        let (mut length, mut is_chunked) = (None, false);
        for line in lines {
            let (name, value) = line
                .split_once(": ")
                .ok_or_else(|| format!("no header: {line:?}"))?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" if length.is_some() => return Err("two lengths".to_owned()),
                "content-length" => length = value.parse::<usize>().ok(),
                "transfer-encoding" if value == "chunked" => is_chunked = true,
                "transfer-encoding" => return Err(format!("an answer as {value}")),
                _ => {}
            }
        }
        let body_at = end + 4;
        if is_chunked && length.is_none() {
            let Some((body, bytes)) = chunks(&self.bytes[body_at..])? else {
                return Ok(None);
            };
            self.bytes.drain(..body_at + bytes);
            return Ok(Some(Heard::Response { status, body }));
        }
        if status == 101 {
            self.is_websocket = true;
        }
        let length = match length {
            Some(length) => length,
            None if status == 101 => 0,
            None => return Err(format!("an answer without a length: {head}")),
        };
        if self.bytes.len() < body_at + length {
            return Ok(None);
        }
        let body = self.bytes[body_at..body_at + length].to_vec();
        self.bytes.drain(..body_at + length);
        Ok(Some(Heard::Response { status, body }))
    }

    fn frame(&mut self) -> Result<Option<Heard>, String> {
        let [first, second, ..] = self.bytes[..] else {
            return Ok(None);
        };
        if self.is_closed {
            let text = String::from_utf8_lossy(&self.bytes);
            return Err(format!("after a close frame came {text:?}"));
        }
        let opcode = first & 0x0f;
        if first & 0xf0 != 0x80 || !matches!(opcode, 1 | 2 | 8 | 9 | 10) {
            return Err(format!("a frame that starts with {first:#x}"));
        }
        let (header, length) = match second {
            0..126 => (2, usize::from(second)),
            126 => match self.bytes.get(2..4) {
                Some(bytes) => (
                    4,
                    usize::from(u16::from_be_bytes(bytes.try_into().unwrap())),
                ),
                None => return Ok(None),
            },
            127 => match self.bytes.get(2..10) {
                Some(bytes) => (10, u64::from_be_bytes(bytes.try_into().unwrap()) as usize),
                None => return Ok(None),
            },
            _ => return Err("a masked frame from a server".to_owned()),
        };
        if (header == 4 && length < 126) || (header == 10 && length < 65_536) {
            return Err(format!("a length of {length} in {header} bytes"));
        }
        if opcode >= 8 && length > 125 {
            return Err("a long control frame".to_owned());
        }
        if self.bytes.len() < header + length {
            return Ok(None);
        }
        let payload = self.bytes[header..header + length].to_vec();
        self.bytes.drain(..header + length);
        if opcode == 1 && std::str::from_utf8(&payload).is_err() {
            return Err("a text frame that is no text".to_owned());
        }
        if opcode == 8 {
            self.is_closed = true;
            let code = payload
                .get(..2)
                .map(|two| u16::from_be_bytes([two[0], two[1]]));
            if code.is_some_and(|code| !CLOSE_CODES.contains(&code)) {
                return Err(format!("close code {code:?} is not in the table"));
            }
        }
        Ok(Some(Heard::Frame { opcode, payload }))
    }
}

/// A whole body in chunks (RFC 9112 §7.1), and its length on the wire, if all of it has come.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = bytes[at..].windows(2).position(|two| two == b"\r\n") else {
            return Ok(None);
        };
        let digits = std::str::from_utf8(&bytes[at..at + line]).unwrap_or_default();
        let size = usize::from_str_radix(digits, 16).map_err(|_| "a chunk without a size")?;
        let start = at + line + 2;
        let Some(chunk) = bytes.get(start..start + size + 2) else {
            return Ok(None);
        };
        if !chunk.ends_with(b"\r\n") {
            return Err("a chunk that does not end".to_owned());
        }
        body.extend_from_slice(&chunk[..size]);
        at = start + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

/// A packet of Engine.IO.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet {
    Open(Value),
    Close,
    Ping,
    ProbeAnswer,
    Message(String),
    Binary(Vec<u8>),
    Noop,
}

/// The codes and words with which Engine.IO refuses a request.
const REFUSALS: [&str; 6] = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
];

/// Whether the body of an answer with status 400 is one of Engine.IO's.
pub fn is_refusal(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return false;
    };
    let words = value["code"]
        .as_u64()
        .and_then(|code| REFUSALS.get(code as usize));
    words.is_some_and(|words| value["message"] == *words)
}

/// Reads one text packet.
pub fn packet(text: &str) -> Result<Packet, String> {
    match (text.get(..1), text.get(1..).unwrap_or_default()) {
        (Some("0"), json) => serde_json::from_str(json)
            .map(Packet::Open)
            .map_err(|error| format!("open: {error}")),
        (Some("1"), "") => Ok(Packet::Close),
        (Some("2"), "") => Ok(Packet::Ping),
        (Some("3"), "probe") => Ok(Packet::ProbeAnswer),
        (Some("4"), message) => Ok(Packet::Message(message.to_owned())),
        (Some("6"), "") => Ok(Packet::Noop),
        _ => Err(format!("no packet of a server: {text:?}")),
    }
}

/// Reads the answer to a poll.
pub fn payload(body: &[u8]) -> Result<Vec<Packet>, String> {
    let text = std::str::from_utf8(body).map_err(|_| "a payload that is no text")?;
    text.split('\u{1e}')
        .map(|record| match record.strip_prefix('b') {
            Some(base64) => from_base64(base64).map(Packet::Binary),
            None => packet(record),
        })
        .collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            if place <= three.len() {
                let six = (bits >> (18 - 6 * place)) & 63;
                text.push(char::from(ALPHABET[six as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return Err("base64 of a wrong length".to_owned());
    }
    let mut out = Vec::new();
    for four in bytes.chunks(4) {
        let padding = four.iter().rev().take_while(|byte| **byte == b'=').count();
        let mut bits = 0_u32;
        for byte in &four[..4 - padding] {
            let six = ALPHABET
                .iter()
                .position(|letter| letter == byte)
                .ok_or("a letter that is not base64's")?;
            bits = bits << 6 | six as u32;
        }
        bits <<= 6 * padding;
        out.extend_from_slice(&bits.to_be_bytes()[1..4 - padding.min(2)]);
    }
    Ok(out)
}

/// A packet of Socket.IO.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// 0 connect, 1 disconnect, 2 event, 3 ack, 4 connect error, 5 binary event, 6 binary ack.
    pub kind: u8,
    pub attachments: usize,
    pub namespace: String,
    pub id: Option<u64>,
    pub data: Value,
}

/// Reads one packet of Socket.IO.
pub fn message(text: &str) -> Result<Message, String> {
    let wrong = || format!("no packet of Socket.IO: {text:?}");
    let kind = match text.as_bytes().first() {
        Some(digit @ b'0'..=b'6') => digit - b'0',
        _ => return Err(wrong()),
    };
    let mut rest = &text[1..];
    let mut attachments = 0;
    if kind >= 5 {
        let (count, behind) = rest.split_once('-').ok_or_else(wrong)?;
        attachments = count.parse().map_err(|_| wrong())?;
        rest = behind;
    }
    let mut namespace = "/".to_owned();
    if rest.starts_with('/') {
        let (name, behind) = rest.split_once(',').ok_or_else(wrong)?;
        namespace = name.to_owned();
        rest = behind;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let id = rest[..digits].parse().ok();
    let json = &rest[digits..];
    let data = match json {
        "" => Value::Null,
        _ => serde_json::from_str(json).map_err(|error| format!("{error} in {text:?}"))?,
    };
    if matches!(kind, 2 | 3 | 5 | 6) != data.is_array() {
        return Err(wrong());
    }
    Ok(Message {
        kind,
        attachments,
        namespace,
        id,
        data,
    })
}

/// A packet on its way to the server.
#[derive(Clone, Debug)]
pub enum Out {
    Text(String),
    Binary(Vec<u8>),
}

pub fn get(query: &str) -> Vec<u8> {
    format!("GET /socket.io/?EIO=4&transport=polling{query} HTTP/1.1\r\nHost: h\r\n\r\n").into()
}

pub fn post(sid: &str, packets: &[Out]) -> Vec<u8> {
    let records: Vec<_> = packets
        .iter()
        .map(|packet| match packet {
            Out::Text(text) => text.clone(),
            Out::Binary(bytes) => format!("b{}", to_base64(bytes)),
        })
        .collect();
    let body = records.join("\u{1e}");
    format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: h\r\n\
         Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}

pub fn export(bytes: usize) -> Vec<u8> {
    format!("GET /export?{bytes} HTTP/1.1\r\nHost: h\r\n\r\n").into()
}

/// An upload of these bytes, in chunks of this size or, without one, as they are.
pub fn upload(bytes: &[u8], chunk: Option<usize>) -> Vec<u8> {
    let framing = match chunk {
        Some(_) => "Transfer-Encoding: chunked".to_owned(),
        None => format!("Content-Length: {}", bytes.len()),
    };
    let mut request = format!("PUT /upload HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n").into_bytes();
    let Some(chunk) = chunk else {
        request.extend_from_slice(bytes);
        return request;
    };
    for chunk in bytes.chunks(chunk) {
        request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        request.extend_from_slice(chunk);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

pub fn websocket(query: &str) -> Vec<u8> {
    format!(
        "GET /socket.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\nHost: h\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into()
}

/// A masked frame (RFC 6455 §5.3).
pub fn frame(opcode: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    frame
}
