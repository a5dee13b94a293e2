//! permessage-deflate (RFC 7692): payloads to their deflated form and back.
//!
//! A payload comes in, its other form goes out; what was agreed on with a peer is [`super::offers`]' to find out. Nothing is
//! carried over from one message to the next, in either direction (`no_context_takeover`): so one [`Deflater`] and one
//! [`Inflater`] serve every connection, none of which owns any memory for it, and one deflated form of a broadcast serves
//! all its receivers.
//! Never knows frames, connections or settings; what may be inflated at most is an argument.
//! Needs feature `compression`; without it nothing is ever agreed on.
//! Left out: context takeover, which would cost each connection some 300 KB and each receiver of a broadcast a compression
//! of its own; and a window of 8 bits, which zlib does not have.

#[cfg(not(feature = "compression"))]
mod absent;
#[cfg(feature = "compression")]
mod zlib;

use serde::{Deserialize, Serialize};

#[cfg(not(feature = "compression"))]
pub use absent::{Deflater, Inflater};
#[cfg(feature = "compression")]
pub use zlib::{Deflater, Inflater};

/// How far back we may refer in what we send: two sizes, so that a broadcast is deflated twice at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// 32 KiB, which every peer can take that does not say otherwise.
    Whole,
    /// 512 bytes, for a peer that asked for less.
    Small,
}

impl Window {
    /// Its size as a power of two.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::Whole => 15,
            Self::Small => 9,
        }
    }
}
