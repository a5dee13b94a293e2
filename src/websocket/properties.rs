//! What must hold for the reader whatever comes; one function, for a fuzzer and for the tests that replay its seeds.
//!
//! Bytes come in: three choose limits, cuts and whether permessage-deflate was agreed on, the rest is the stream. A property
//! that does not hold panics. tungstenite's `WebSocketContext` is the oracle here, and only here and in tests: the server does not run on it.
//! Left out: time. That the work is linear is shown by a test that counts on it.

mod deflated;

use std::fmt;
use std::io::{self, Read, Write};

use tungstenite::Error;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

use super::{Inflater, Message, Reader, Violation};
use crate::config;

/// Limits worth meeting: none at all, around the three codings of a length, and one that a small input stays below.
const LIMITS: [usize; 8] = [0, 1, 16, 125, 126, 1_000, 65_536, 1_000_000];

/// A message that owns what it says, so that it outlives its input.
#[derive(Clone, PartialEq, Eq)]
pub enum Told {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A close frame.
    Close(Option<u16>, String),
}

impl From<Message<'_>> for Told {
    fn from(message: Message<'_>) -> Self {
        match message {
            Message::Text(text) => Self::Text(text.into_owned()),
            Message::Binary(bytes) => Self::Binary(bytes.into_owned()),
            Message::Ping(payload) => Self::Ping(payload.to_vec()),
            Message::Pong(payload) => Self::Pong(payload.to_vec()),
            Message::Close(code, reason) => Self::Close(code, reason.to_owned()),
        }
    }
}

/// Short, so that a message of a million bytes does not fill the screen.
impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.len() > 99 => write!(f, "Text of {} bytes", text.len()),
            Self::Text(text) => write!(f, "Text({text:?})"),
            Self::Binary(bytes) if bytes.len() > 99 => write!(f, "Binary of {} bytes", bytes.len()),
            Self::Binary(bytes) => write!(f, "Binary({bytes:?})"),
            Self::Ping(payload) => write!(f, "Ping({payload:?})"),
            Self::Pong(payload) => write!(f, "Pong({payload:?})"),
            Self::Close(code, reason) => write!(f, "Close({code:?}, {reason:?})"),
        }
    }
}

/// What the two sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// No extension.
    Nothing,
    /// permessage-deflate.
    Deflate,
}

/// How the reading of a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It wanted more.
    Open,
    /// With a close frame.
    Closed,
    /// With a violation.
    Broken(Violation),
}

/// All that a stream gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The messages, in order.
    pub told: Vec<Told>,
    /// What came after them.
    pub end: End,
    /// Bytes shown when the end was told, or all.
    pub shown: usize,
}

/// Reads a stream in pieces, as the reactor would show it: what is left stays as it was left, with more behind it.
///
/// # Panics
///
/// If more is held than the limits allow, or anything is told after the end.
pub fn read(
    limits: &config::WebSocket,
    agreed: Agreed,
    stream: &[u8],
    pieces: impl IntoIterator<Item = usize>,
) -> Outcome {
    let mut reader = Reader::new();
    let mut inflater = (agreed == Agreed::Deflate).then(Inflater::new);
    let mut told = Vec::new();
    let mut inbox = Vec::with_capacity(stream.len());
    let mut taken = 0;
    let mut pieces = pieces.into_iter();
    while inbox.len() < stream.len() {
        let piece = pieces
            .next()
            .unwrap_or(usize::MAX)
            .clamp(1, stream.len() - inbox.len());
        inbox.extend_from_slice(&stream[inbox.len()..inbox.len() + piece]);
        let mut input = &mut inbox[taken..];
        let end = drain(&mut reader, limits, &mut inflater, &mut input, &mut told);
        let left = input.len();
        taken = inbox.len() - left;
        assert!(
            reader.held_bytes() <= limits.message_bytes_max,
            "holds {}",
            reader.held_bytes()
        );
        assert!(
            left <= limits.message_bytes_max.max(125) + 13,
            "leaves {left} bytes"
        );
        if end != End::Open {
            assert_eq!(
                (left, reader.held_bytes()),
                (0, 0),
                "the end gives everything back"
            );
            assert_silent(&mut reader, limits, &stream[inbox.len()..]);
            return Outcome {
                told,
                end,
                shown: inbox.len(),
            };
        }
    }
    Outcome {
        told,
        end: End::Open,
        shown: stream.len(),
    }
}

/// Adds what the input tells.
fn drain(
    reader: &mut Reader,
    limits: &config::WebSocket,
    inflater: &mut Option<Inflater>,
    input: &mut &mut [u8],
    told: &mut Vec<Told>,
) -> End {
    loop {
        match reader.next(limits, inflater.as_mut(), input) {
            Ok(Some(message)) => told.push(message.into()),
            Ok(None) => return End::Open,
            Err(violation) => return End::Broken(violation),
        }
        if let Some(Told::Close(..)) = told.last() {
            return End::Closed;
        }
    }
}

/// Nothing is told after the end, and what follows it is taken.
fn assert_silent(reader: &mut Reader, limits: &config::WebSocket, rest: &[u8]) {
    let mut rest = rest.to_vec();
    let mut input = &mut rest[..];
    assert_eq!(
        reader.next(limits, None, &mut input),
        Ok(None),
        "told after the end"
    );
    assert_eq!(input.len(), 0, "left after the end");
}

/// Everything that must hold of one input.
///
/// # Panics
///
/// If it does not.
pub fn check(data: &[u8]) {
    let &[size, fragments, cuts, ref stream @ ..] = data else {
        return;
    };
    let limits = config::WebSocket {
        message_bytes_max: LIMITS[usize::from(size) % LIMITS.len()],
        fragments_max: u32::from(fragments) + 1,
        ..config::WebSocket::default()
    };
    let agreed = if size & 0x80 == 0 {
        Agreed::Nothing
    } else {
        Agreed::Deflate
    };
    check_stream(&limits, agreed, stream, u64::from(cuts));
    if agreed == Agreed::Deflate {
        deflated::round_trip(stream);
    }
}

/// The same outcome however a stream is cut, told at the first byte that decides it; the codes that exist; and what
/// tungstenite makes of it.
///
/// # Panics
///
/// If one of these does not hold.
pub fn check_stream(limits: &config::WebSocket, agreed: Agreed, stream: &[u8], seed: u64) {
    let bytewise = read(limits, agreed, stream, std::iter::repeat(1));
    let whole = read(limits, agreed, stream, []);
    assert_eq!(
        (&whole.told, whole.end),
        (&bytewise.told, bytewise.end),
        "whole and bytewise"
    );

    let mut state = seed;
    let mut ends = Vec::new();
    let pieces = std::iter::from_fn(|| {
        // Knuth's MMIX generator: repeatable from a byte, and good enough to cut with.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let piece = usize::try_from((state >> 33) % 23 + 1).expect("small");
        ends.push(
            ends.last()
                .map_or(0, |end| end + piece)
                .max(piece)
                .min(stream.len()),
        );
        Some(piece)
    });
    let cut = read(limits, agreed, stream, pieces);
    assert_eq!(
        (&cut.told, cut.end),
        (&bytewise.told, bytewise.end),
        "cut and bytewise"
    );
    if cut.end != End::Open {
        let first = ends.iter().find(|&&end| end >= bytewise.shown);
        assert_eq!(
            first,
            Some(&cut.shown),
            "told with the piece that holds the deciding byte"
        );
    }
    if let End::Broken(violation) = whole.end {
        assert!(matches!(violation.close_code(), 1002 | 1007 | 1008 | 1009));
        let reason = violation.to_string();
        assert!(super::frame::close(violation.close_code(), &reason).ends_with(reason.as_bytes()));
    }
    match agreed {
        Agreed::Nothing => compare(limits, stream, &whole),
        Agreed::Deflate => deflated::compare(limits, stream, &whole),
    }
}

/// tungstenite tells the same messages, and breaks off where we do. It may be later, since it waits for whole frames; it
/// counts no fragments; it takes a short control frame whose length is coded long; and it does not know the close
/// code 1014.
fn compare(limits: &config::WebSocket, stream: &[u8], ours: &Outcome) {
    let (mut theirs, error) = oracle(limits, stream);
    if let End::Broken(Violation::TooManyFragments | Violation::LongControl) = ours.end {
        theirs.truncate(ours.told.len());
    }
    if ours.end == End::Broken(Violation::ForbiddenCloseCode)
        && theirs.len() > ours.told.len()
        && let Some(close) = theirs.pop()
    {
        assert_eq!(close, forbidden_close());
    }
    if let (Some(Told::Close(Some(1014), _)), Some(last)) = (ours.told.last(), theirs.last_mut()) {
        assert_eq!(*last, forbidden_close());
        last.clone_from(&ours.told[ours.told.len() - 1]);
    }
    assert_eq!(
        ours.told, theirs,
        "ours and theirs; we ended with {:?}, they with {error:?}",
        ours.end
    );
    let broke = !matches!(error, Ended::Open);
    match ours.end {
        End::Open | End::Closed => assert!(!broke, "only they broke off: {error:?}"),
        End::Broken(Violation::InvalidUtf8) => {
            assert!(
                !matches!(error, Ended::Protocol),
                "we say UTF-8, they {error:?}"
            );
        }
        End::Broken(_) => {}
    }
}

/// What tungstenite makes of a close frame whose code it does not like.
fn forbidden_close() -> Told {
    Told::Close(Some(1002), "Protocol violation".to_owned())
}

/// How tungstenite's reading of a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Open,
    Utf8,
    Capacity,
    Protocol,
}

fn oracle(limits: &config::WebSocket, stream: &[u8]) -> (Vec<Told>, Ended) {
    let settings = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_message_size(Some(limits.message_bytes_max))
        .max_frame_size(Some(limits.message_bytes_max.max(125)));
    let mut context = WebSocketContext::new(Role::Server, Some(settings));
    let mut wire = Wire(stream);
    let mut told = Vec::new();
    loop {
        match context.read(&mut wire) {
            Ok(message) => told.extend(translate(message)),
            Err(Error::Io(_) | Error::ConnectionClosed) => return (told, Ended::Open),
            Err(Error::Utf8(_)) => return (told, Ended::Utf8),
            Err(Error::Capacity(_)) => return (told, Ended::Capacity),
            Err(_) => return (told, Ended::Protocol),
        }
    }
}

fn translate(message: tungstenite::Message) -> Option<Told> {
    use tungstenite::Message as Theirs;
    Some(match message {
        Theirs::Text(text) => Told::Text(text.as_str().to_owned()),
        Theirs::Binary(bytes) => Told::Binary(bytes.to_vec()),
        Theirs::Ping(payload) => Told::Ping(payload.to_vec()),
        Theirs::Pong(payload) => Told::Pong(payload.to_vec()),
        Theirs::Close(None) => Told::Close(None, String::new()),
        Theirs::Close(Some(frame)) => {
            Told::Close(Some(frame.code.into()), frame.reason.as_str().to_owned())
        }
        Theirs::Frame(_) => return None,
    })
}

/// A peer that has sent this much and no more, and takes whatever it is sent.
struct Wire<'a>(&'a [u8]);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
