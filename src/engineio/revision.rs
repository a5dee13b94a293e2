//! The two revisions of Engine.IO that a session may speak, and what differs between them on the wire.
//!
//! A packet comes in as one or several of [`Packet`], and goes out as an answer or a frame in its session's form; a text
//! message goes the other way. Which side beats the heart, the engine asks here, too.
//! Knows packets only. Revision 4 is the native form: its packets are handed on as they are.
//! Left out: JSONP, by which browsers of twenty years ago polled (`j=` in the query is not looked at).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::packet::{self, Packet, Undecodable};
use super::payload::{self, Record};
use super::{Answer, payload_v3};
use crate::buffers::Shared;

/// Which revision of the protocol a session speaks, from its first request to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Revision {
    /// That of Socket.IO 2.x clients: here the client pings.
    V3 {
        /// Whether it asked for base64 in place of bytes (`b64` in its query).
        base64: bool,
    },
    /// That of Socket.IO 3.x and 4.x clients.
    V4,
}

impl Revision {
    /// Packets as the answer to a poll.
    pub(super) fn answer<'p>(
        self,
        packets: impl ExactSizeIterator<Item = &'p Packet> + Clone,
    ) -> Answer {
        match self {
            Self::V4 => Answer::text(payload::join(packets.clone()), packets),
            Self::V3 { base64 } => payload_v3::answer(packets, base64),
        }
    }

    /// A packet as a WebSocket frame, where that is not the packet's own. It is not deflated.
    pub(super) fn frame_of_its_own(self, packet: &Packet) -> Option<Shared> {
        match self {
            Self::V3 { base64 } if packet.is_binary() => Some(payload_v3::frame(packet, base64)),
            Self::V3 { .. } | Self::V4 => None,
        }
    }

    /// Reads the packet that is a WebSocket's message of text.
    pub(super) fn text(self, text: &str) -> Result<Record<'_>, Undecodable> {
        match self {
            Self::V4 => packet::decode(text).map(Record::Text),
            Self::V3 { .. } => payload_v3::read(text),
        }
    }

    /// Reads the message that is a WebSocket's message of bytes.
    pub(super) fn bytes(self, bytes: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, Undecodable> {
        match self {
            Self::V4 => Ok(bytes),
            Self::V3 { .. } => payload_v3::read_bytes(bytes),
        }
    }

    /// Whether the server asks for signs of life; the client does otherwise.
    pub(super) const fn server_pings(self) -> bool {
        matches!(self, Self::V4)
    }
}
