//! What happened so far, in numbers.
//!
//! Events are counted where they happen; [`Engine::counters`] gives all numbers at once.
//! Never knows who reads them, or how often.
//! Left out: what is there just now, which is asked of the engine itself.

use serde::{Deserialize, Serialize};

use super::Engine;

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Sessions opened.
    pub opened: u64,
    /// Sessions that went on by WebSocket.
    pub upgraded: u64,
    /// Messages received.
    pub received: u64,
    /// Their bytes, without frames, types and base64.
    pub received_bytes: u64,
    /// Packets queued.
    pub sent: u64,
    /// Their bytes as frames of a WebSocket, before compression.
    pub sent_bytes: u64,
    /// Sessions closed because they did not take what they were sent, for whichever of the reasons below.
    pub slow_consumers: u64,
    /// Of these, because more waited than [`queue_bytes_max`](crate::config::Engine::queue_bytes_max).
    pub slow_by_queue: u64,
    /// Of these, because too much waited for longer than [`slow_within`](crate::config::Engine::slow_within).
    pub slow_by_time: u64,
    /// Of these, because more waited for all than [`queues_bytes_max`](crate::config::Engine::queues_bytes_max), and most for them.
    pub slow_by_total: u64,
    /// Sessions closed because a ping was not answered.
    pub ping_timeouts: u64,
}

impl Engine {
    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How often a packet was compressed: once for all who share it.
    #[must_use]
    pub const fn deflated(&self) -> u64 {
        self.deflater.deflated()
    }
}
