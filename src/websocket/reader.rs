//! Masked frames to messages.
//!
//! Bytes come in as they arrived, cut anywhere; messages go out, borrowed from those bytes unless they came in fragments or
//! deflated. What breaks a rule is told at its first byte: flags and sizes before the payload is waited for, text that is
//! not UTF-8 while its frame is still arriving; a deflated message is inflated, and judged, once its last byte has come.
//! So the answer never depends on how the input was cut.
//! Never knows where bytes come from or go to, and keeps none but those of a message in fragments.
//! Left out: the minimal coding of lengths, which RFC 6455 §5.2 asks of the sender: of data frames, Node's server and
//! tungstenite take longer ones, and so do we. A control frame has no longer coding: its length must fit the seven bits.
//!
//! The header is parsed here rather than by `tungstenite::FrameHeader::parse`, which waits for the whole header before
//! it refuses an opcode, and leaves the mask, the size and the order of fragments to its caller anyway.

use std::borrow::Cow;
use std::mem;
use std::str;

use serde::{Deserialize, Serialize};

use super::{Control, Data, Inflater, Message, OpCode, Violation};
use crate::config;

/// The reading half of one connection: 32 bytes while no fragmented message is under way.
///
/// Input it leaves must be shown again as it was left, with more behind it: the start of a frame's payload may be
/// unmasked already.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reader {
    state: State,
    /// A message in fragments, from its first to its last. Boxed: a browser never sends one.
    message: Option<Box<Fragments>>,
}

#[derive(Debug, Serialize, Deserialize)]
enum State {
    /// The input begins with a header, or the part of one that has come.
    Header,
    /// The input begins with the payload of this frame, as far as it has not been taken.
    Payload(Frame),
    /// A close frame or a violation has been told; nothing is said of what follows.
    Ended,
}

/// A frame whose header has been taken. Invariant: `unchecked <= done <= length`.
#[derive(Debug, Serialize, Deserialize)]
struct Frame {
    kind: Kind,
    is_final: bool,
    is_deflated: bool,
    mask: [u8; 4],
    /// Bytes of payload. With four bytes for each length an idle reader is small, and no limit worth having is above 4 GiB.
    length: u32,
    /// Bytes of payload that are unmasked: still at the front of the input, or moved into `message` if it is a fragment.
    done: u32,
    /// How many at the end of `done` begin a character whose rest has not come: at most three.
    unchecked: u8,
}

/// The opcodes that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The part of a message that has come. Invariant: `bytes.len() <= message_bytes_max`, and `count <= fragments_max`.
#[derive(Debug, Serialize, Deserialize)]
struct Fragments {
    content: Content,
    is_deflated: bool,
    count: u32,
    bytes: Vec<u8>,
    /// How many at the end of `bytes` begin a character whose rest has not come.
    unchecked: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Content {
    Text,
    Binary,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// A reader for a connection whose handshake is done.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Header,
            message: None,
        }
    }

    /// The next message, `None` when more bytes are needed. Moves `input` past what was taken. Deflated messages are let in if
    /// there is an inflater, which is so for a peer with whom permessage-deflate was agreed on.
    ///
    /// # Errors
    ///
    /// The rule the peer broke, once. After this, as after [`Message::Close`], all input is taken and nothing comes of it.
    pub fn next<'a>(
        &mut self,
        limits: &config::WebSocket,
        inflater: Option<&mut Inflater>,
        input: &mut &'a mut [u8],
    ) -> Result<Option<Message<'a>>, Violation> {
        let outcome = self.read(limits, inflater, input);
        if matches!(outcome, Ok(Some(Message::Close(..))) | Err(_)) {
            self.state = State::Ended;
            self.message = None;
            *input = &mut [];
        }
        outcome
    }

    /// Bytes of memory held for a message in fragments; never above the limit of a message.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.message
            .as_ref()
            .map_or(0, |message| message.bytes.capacity())
    }

    /// Whether a frame's payload or a message's further fragments are awaited.
    #[cfg(feature = "world")]
    pub(crate) const fn is_in_the_middle(&self) -> bool {
        matches!(self.state, State::Payload(_)) || self.message.is_some()
    }

    fn read<'a>(
        &mut self,
        limits: &config::WebSocket,
        mut inflater: Option<&mut Inflater>,
        input: &mut &'a mut [u8],
    ) -> Result<Option<Message<'a>>, Violation> {
        let inflates = inflater.is_some();
        // Who lends an inflater lends it each time; without, the mark has not been agreed on after all.
        let mut inflate = |payload: &[u8]| match &mut inflater {
            Some(inflater) => inflater.inflate(payload, limits.message_bytes_max),
            None => Err(Violation::ReservedBit),
        };
        loop {
            match &mut self.state {
                State::Header => {
                    let message = self.message.as_deref();
                    let Some(header) = Header::parse(input, limits, inflates, message)? else {
                        return Ok(None);
                    };
                    take(input, header.bytes);
                    self.begin(header.frame);
                }
                State::Payload(frame) if frame.is_whole_message() => {
                    let Some(payload) = frame.whole(input)? else {
                        return Ok(None);
                    };
                    let (kind, is_deflated) = (frame.kind, frame.is_deflated);
                    self.state = State::Header;
                    if is_deflated {
                        let bytes = inflate(payload)?;
                        return kind.content().whole(bytes).map(Some);
                    }
                    return finish(kind, payload).map(Some);
                }
                State::Payload(frame) => {
                    let message = self
                        .message
                        .as_mut()
                        .expect("begun with its first fragment");
                    if !frame.fragment(message, limits, input)? {
                        return Ok(None);
                    }
                    let is_last = frame.is_final;
                    self.state = State::Header;
                    if is_last && let Some(message) = self.message.take() {
                        let bytes = if message.is_deflated {
                            inflate(&message.bytes)?
                        } else {
                            message.bytes
                        };
                        return message.content.whole(bytes).map(Some);
                    }
                }
                State::Ended => {
                    *input = &mut [];
                    return Ok(None);
                }
            }
        }
    }

    /// The frame whose header has just been checked and taken.
    fn begin(&mut self, frame: Frame) {
        match (frame.kind, frame.is_final) {
            (Kind::Text | Kind::Binary, false) => {
                self.message = Some(Box::new(Fragments {
                    content: frame.kind.content(),
                    is_deflated: frame.is_deflated,
                    count: 1,
                    bytes: Vec::new(),
                    unchecked: 0,
                }));
            }
            (Kind::Continuation, _) => {
                let message = self.message.as_mut().expect("checked with the header");
                message.count += 1;
            }
            (Kind::Text | Kind::Binary, true) | (Kind::Close | Kind::Ping | Kind::Pong, _) => {}
        }
        self.state = State::Payload(frame);
    }
}

/// What a complete header says, and how long it is.
struct Header {
    frame: Frame,
    bytes: usize,
}

impl Header {
    /// Checks as far as bytes have come, in their order, so that a violation is the same in any cutting.
    /// `message` is the one under way in fragments.
    fn parse(
        input: &[u8],
        limits: &config::WebSocket,
        inflates: bool,
        message: Option<&Fragments>,
    ) -> Result<Option<Self>, Violation> {
        let Some(&first) = input.first() else {
            return Ok(None);
        };
        let opcode = OpCode::from(first & 0x0f);
        // RSV1 says "deflated", on the first frame of a message and on no other (RFC 7692 §6).
        let is_deflated = first & 0x40 != 0;
        let may_be = inflates && matches!(opcode, OpCode::Data(Data::Text | Data::Binary));
        if first & 0x30 != 0 || is_deflated && !may_be {
            return Err(Violation::ReservedBit);
        }
        let is_final = first & 0x80 != 0;
        let kind = Kind::of(opcode)?;
        kind.fits(is_final, message, limits)?;

        let Some(&second) = input.get(1) else {
            return Ok(None);
        };
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & 0x7f;
        if kind.is_control() && short > 125 {
            return Err(Violation::LongControl);
        }
        let (length, mask_at) = match (short, &input[2..]) {
            (126, &[a, b, ..]) => (u64::from(u16::from_be_bytes([a, b])), 4),
            (127, &[a, b, c, d, e, f, g, h, ..]) => {
                (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 10)
            }
            (126 | 127, _) => return Ok(None),
            (short, _) => (u64::from(short), 2),
        };
        // A length with its highest bit set is forbidden as such (§5.2), and too long in any case.
        let held = message.map_or(0, |message| message.bytes.len());
        let room = limits.message_bytes_max.saturating_sub(held);
        let length = match u32::try_from(length) {
            Ok(length) if length as usize <= room || kind.is_control() => length,
            _ => return Err(Violation::TooLong),
        };

        let Some(&[a, b, c, d, ..]) = input.get(mask_at..) else {
            return Ok(None);
        };
        let frame = Frame {
            kind,
            is_final,
            is_deflated,
            mask: [a, b, c, d],
            length,
            done: 0,
            unchecked: 0,
        };
        Ok(Some(Self {
            frame,
            bytes: mask_at + 4,
        }))
    }
}

impl Kind {
    fn of(opcode: OpCode) -> Result<Self, Violation> {
        match opcode {
            OpCode::Data(Data::Continue) => Ok(Self::Continuation),
            OpCode::Data(Data::Text) => Ok(Self::Text),
            OpCode::Data(Data::Binary) => Ok(Self::Binary),
            OpCode::Control(Control::Close) => Ok(Self::Close),
            OpCode::Control(Control::Ping) => Ok(Self::Ping),
            OpCode::Control(Control::Pong) => Ok(Self::Pong),
            OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => {
                Err(Violation::ReservedOpcode)
            }
        }
    }

    /// What a message whose first frame this is holds.
    fn content(self) -> Content {
        match self {
            Self::Text => Content::Text,
            Self::Binary => Content::Binary,
            Self::Continuation | Self::Close | Self::Ping | Self::Pong => {
                unreachable!("not the first frame of a message")
            }
        }
    }

    const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    /// Whether such a frame may come now.
    fn fits(
        self,
        is_final: bool,
        message: Option<&Fragments>,
        limits: &config::WebSocket,
    ) -> Result<(), Violation> {
        match (self, message) {
            (Self::Close | Self::Ping | Self::Pong, _) if !is_final => {
                Err(Violation::FragmentedControl)
            }
            (Self::Close | Self::Ping | Self::Pong, _) => Ok(()),
            (Self::Continuation, None) => Err(Violation::StrayContinuation),
            (Self::Continuation, Some(message)) if message.count >= limits.fragments_max => {
                Err(Violation::TooManyFragments)
            }
            (Self::Continuation, Some(_)) | (Self::Text | Self::Binary, None) => Ok(()),
            (Self::Text | Self::Binary, Some(_)) => Err(Violation::InterleavedMessage),
        }
    }
}

impl Frame {
    /// Whether the message can be borrowed from the input: it is not in fragments.
    fn is_whole_message(&self) -> bool {
        self.is_final && self.kind != Kind::Continuation
    }

    /// Takes the payload once all of it has come; until then unmasks and checks what has, in place.
    fn whole<'a>(&mut self, input: &mut &'a mut [u8]) -> Result<Option<&'a mut [u8]>, Violation> {
        let (length, done) = (self.length as usize, self.done as usize);
        let come = input.len().min(length);
        unmask(&mut input[done..come], self.mask, done);
        if come == length {
            return Ok(Some(take(input, come)));
        }
        if self.kind == Kind::Text && !self.is_deflated {
            let checked = done - usize::from(self.unchecked);
            self.unchecked = incomplete_tail(&input[checked..come])?;
        }
        self.done = narrow(come);
        Ok(None)
    }

    /// Moves what has come of a fragment into its message; says whether that was the last of it.
    fn fragment(
        &mut self,
        message: &mut Fragments,
        limits: &config::WebSocket,
        input: &mut &mut [u8],
    ) -> Result<bool, Violation> {
        let (length, done) = (self.length as usize, self.done as usize);
        let come = input.len().min(length - done);
        let part = take(input, come);
        unmask(part, self.mask, done);
        message.push(part, limits.message_bytes_max)?;
        self.done = narrow(done + come);
        Ok(self.done == self.length)
    }
}

impl Fragments {
    fn push(&mut self, part: &[u8], bytes_max: usize) -> Result<(), Violation> {
        let needed = self.bytes.len() + part.len();
        if needed > self.bytes.capacity() {
            // Doubling keeps the work linear; the limit keeps it from holding up to twice what it may.
            let roomy = (self.bytes.capacity() * 2).clamp(needed, bytes_max.max(needed));
            self.bytes.reserve_exact(roomy - self.bytes.len());
        }
        let checked = self.bytes.len() - usize::from(self.unchecked);
        self.bytes.extend_from_slice(part);
        if self.content == Content::Text && !self.is_deflated {
            self.unchecked = incomplete_tail(&self.bytes[checked..])?;
        }
        Ok(())
    }
}

impl Content {
    /// The message that these bytes are.
    fn whole<'a>(self, bytes: Vec<u8>) -> Result<Message<'a>, Violation> {
        match self {
            Self::Text => match String::from_utf8(bytes) {
                Ok(text) => Ok(Message::Text(Cow::Owned(text))),
                Err(_) => Err(Violation::InvalidUtf8),
            },
            Self::Binary => Ok(Message::Binary(Cow::Owned(bytes))),
        }
    }
}

/// The message of a frame that came whole.
fn finish(kind: Kind, payload: &[u8]) -> Result<Message<'_>, Violation> {
    match kind {
        Kind::Text => text(payload).map(|text| Message::Text(Cow::Borrowed(text))),
        Kind::Binary => Ok(Message::Binary(Cow::Borrowed(payload))),
        Kind::Ping => Ok(Message::Ping(payload)),
        Kind::Pong => Ok(Message::Pong(payload)),
        Kind::Close => close(payload),
        Kind::Continuation => unreachable!("a continuation is a fragment"),
    }
}

fn close(payload: &[u8]) -> Result<Message<'_>, Violation> {
    match *payload {
        [] => Ok(Message::Close(None, "")),
        [_] => Err(Violation::HalfCloseCode),
        [a, b, ref reason @ ..] => {
            let code = u16::from_be_bytes([a, b]);
            if !may_be_sent(code) {
                return Err(Violation::ForbiddenCloseCode);
            }
            text(reason).map(|reason| Message::Close(Some(code), reason))
        }
    }
}

/// Whether a close code may be on the wire (RFC 6455 §7.4, IANA's list of close codes). tungstenite's
/// `CloseCode::is_allowed` would refuse 1014 (Bad Gateway), which IANA has assigned since.
const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn text(bytes: &[u8]) -> Result<&str, Violation> {
    str::from_utf8(bytes).map_err(|_| Violation::InvalidUtf8)
}

/// How many bytes at the end begin a character whose rest has not come; an error if `bytes` cannot become UTF-8.
fn incomplete_tail(bytes: &[u8]) -> Result<u8, Violation> {
    match str::from_utf8(bytes) {
        Ok(_) => Ok(0),
        Err(error) if error.error_len().is_some() => Err(Violation::InvalidUtf8),
        Err(error) => {
            Ok(u8::try_from(bytes.len() - error.valid_up_to()).expect("at most three bytes"))
        }
    }
}

/// A place in a payload, whose length had four bytes.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("no place is behind the end")
}

/// Splits `length` bytes off the front.
fn take<'a>(input: &mut &'a mut [u8], length: usize) -> &'a mut [u8] {
    let (front, rest) = mem::take(input).split_at_mut(length);
    *input = rest;
    front
}

/// Unmasks a part of a payload that begins `offset` bytes into it (RFC 6455 §5.3), eight bytes at a time.
fn unmask(bytes: &mut [u8], mut mask: [u8; 4], offset: usize) {
    mask.rotate_left(offset % 4);
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests;
