//! WebSocket (RFC 6455), the server's side: masked frames to messages, messages to frames, and the handshake.
//!
//! [`handshake`] takes a request's method and headers and gives the 101 head or a [`handshake::Refusal`]; [`Reader`] takes
//! the bytes that have come and gives [`Message`]s that borrow from them, or the one [`Violation`] that ends the
//! connection; [`frame`] makes the bytes to send.
//! Knows no connection, no session and no clock: who pings, and how long a closing peer is waited for, is decided above.
//! permessage-deflate (RFC 7692) is a choice of who uses this: [`offers`] agrees to it, [`deflate`] has the one compressor and
//! the one inflater of a loop, [`Reader`] and [`frame`] are lent them for the connections that agreed.
//! Left out: other extensions, of which none is in use.

pub mod deflate;
pub mod frame;
pub mod handshake;
pub mod offers;
#[cfg(any(test, feature = "world"))]
#[doc(hidden)]
pub mod properties;
pub mod reader;

use std::borrow::Cow;
use std::fmt;

pub use deflate::{Deflater, Inflater, Window};
pub use reader::Reader;
pub use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// One message from the peer, complete and checked. Borrows from the input unless it came in fragments or deflated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
    /// To be answered with a pong of the same payload (at most 125 bytes).
    Ping(&'a [u8]),
    /// The answer to a ping, or a sign of life nobody asked for.
    Pong(&'a [u8]),
    /// The peer's last word: its code, if it gave one, and its reason. To be answered with [`frame::close_answer`],
    /// unless we have sent a close frame before.
    Close(Option<u16>, &'a str),
}

/// A rule the peer broke. The connection is over: what remains is to say so with [`Violation::close_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// RSV1, RSV2 or RSV3 set where nothing that was agreed on defines it (RFC 6455 §5.2): RSV1 belongs on the first frame of a
    /// deflated message, and on no other (RFC 7692 §6).
    ReservedBit,
    /// An opcode of 3 to 7 or 11 to 15 (§5.2).
    ReservedOpcode,
    /// A frame without a mask (§5.1).
    Unmasked,
    /// A control frame without FIN (§5.5).
    FragmentedControl,
    /// A control frame of more than 125 bytes (§5.5).
    LongControl,
    /// A continuation with nothing to continue (§5.4).
    StrayContinuation,
    /// A new message before the last fragment of the one before (§5.4).
    InterleavedMessage,
    /// A close frame whose payload is one byte: half a code (§5.5.1).
    HalfCloseCode,
    /// A close code that must not be on the wire (§7.4).
    ForbiddenCloseCode,
    /// Text, or the reason in a close frame, that is not UTF-8 (§8.1).
    InvalidUtf8,
    /// A message marked as deflated that is not (RFC 7692 §6.2; Node's server says 1007 too).
    InvalidDeflate,
    /// More fragments than [`fragments_max`](crate::config::WebSocket::fragments_max).
    TooManyFragments,
    /// More bytes than [`message_bytes_max`](crate::config::WebSocket::message_bytes_max), as they came or inflated.
    TooLong,
}

impl Violation {
    /// The code of the close frame that tells the peer (RFC 6455 §7.4.1).
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::ReservedBit
            | Self::ReservedOpcode
            | Self::Unmasked
            | Self::FragmentedControl
            | Self::LongControl
            | Self::StrayContinuation
            | Self::InterleavedMessage
            | Self::HalfCloseCode
            | Self::ForbiddenCloseCode => 1002,
            Self::InvalidUtf8 | Self::InvalidDeflate => 1007,
            Self::TooManyFragments => 1008,
            Self::TooLong => 1009,
        }
    }
}

/// The words serve as the close frame's reason and in the log.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReservedBit => "reserved bit set",
            Self::ReservedOpcode => "reserved opcode",
            Self::Unmasked => "frame without a mask",
            Self::FragmentedControl => "control frame in fragments",
            Self::LongControl => "control frame too long",
            Self::StrayContinuation => "nothing to continue",
            Self::InterleavedMessage => "message within a message",
            Self::HalfCloseCode => "close code cut short",
            Self::ForbiddenCloseCode => "close code not allowed",
            Self::InvalidUtf8 => "text is not UTF-8",
            Self::InvalidDeflate => "message is not deflated",
            Self::TooManyFragments => "too many fragments",
            Self::TooLong => "message too long",
        })
    }
}
