//! Limits of frames and messages.

use std::time::Duration;

/// Limits of WebSocket (RFC 6455).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebSocket {
    /// Bytes of a message, in one frame or as the sum of its fragments; more is closed with 1009, from the header alone. Of a
    /// deflated one also the bytes it inflates to, where inflating then stops.
    pub message_bytes_max: usize,
    /// Fragments of a message; more is closed with 1008 (CVE-2026-48779 held 262,144).
    pub fragments_max: u32,
    /// After our close frame, how long the peer may take to end the connection.
    pub close_within: Duration,
}

impl Default for WebSocket {
    fn default() -> Self {
        Self {
            message_bytes_max: 1_000_000,
            fragments_max: 16_384,
            close_within: Duration::from_secs(2),
        }
    }
}
