//! Limits of the loop and its connections.

use std::time::Duration;

use crate::addresses::Network;

/// Limits of the event loop.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reactor {
    /// Connections waiting to be accepted; a herd of 10,000 returning clients must fit (the kernel caps it at `somaxconn`).
    pub backlog: u32,
    /// Connections open at once. `None`: what the process may open, less 64 for files, lanes and the rest.
    pub connections_max: Option<usize>,
    /// Connections from one IPv4 address or IPv6 /64; a whole office may sit behind one.
    pub connections_per_address_max: usize,
    /// Whether loopback is exempt from the limits of one address: a proxy on this machine brings everybody from there.
    pub loopback_exempt: bool,
    /// Proxies, which bring many clients from one address: exempt from its limits, and believed when they say for whom
    /// they speak (`X-Forwarded-For`). Nobody else is.
    pub trusted_proxies: Vec<Network>,
    /// Connections accepted in one turn, so that a herd does not keep the others waiting.
    pub accepts_per_turn_max: usize,
    /// Bytes of one connection kept until the layer above takes them: one message with its frame, one head with its body.
    pub inbox_bytes_max: usize,
    /// Bytes kept of all connections; beyond it the one of which most is kept is closed. A quarter of a host with 512 MB.
    pub inboxes_bytes_max: usize,
    /// Bytes read from one connection before the others have their turn.
    pub read_bytes_per_turn_max: usize,
    /// Backlogged streams written in one turn, after those that were read in it: as long as an echo waits for somebody else's
    /// broadcast. With 64 that is a quarter of a millisecond, and the turn around them costs a hundredth of them.
    pub writes_per_turn_max: usize,
    /// How long a connection that is being closed may take nothing of its last bytes before it is cut. Looked at no more often than
    /// this, so that one that has just taken something has up to twice as long. It is also how long the end of the loop waits
    /// for all of them together.
    pub flush_within: Duration,
    /// Bytes that wait for connections being closed, all together, beyond which those that take them slowly have
    /// [`Reactor::flush_within`] in all: a client that takes a byte now and then could hold them for ever. A sixteenth of a host
    /// with 512 MB.
    pub flushing_bytes_max: usize,
    /// How long unacknowledged data may hold a dead connection (`TCP_USER_TIMEOUT`), and how long
    /// one of ours may take to be made: the heartbeat's patience.
    pub unacknowledged_within: Duration,
    /// Letters from other threads that may wait for the loop: more than come while it takes a turn, and few enough to be done in
    /// one.
    pub letters_max: usize,
}

impl Default for Reactor {
    fn default() -> Self {
        Self {
            backlog: 4096,
            connections_max: None,
            connections_per_address_max: 256,
            loopback_exempt: true,
            trusted_proxies: Vec::new(),
            accepts_per_turn_max: 256,
            inbox_bytes_max: 1_200_000,
            inboxes_bytes_max: 128 * 1024 * 1024,
            read_bytes_per_turn_max: 256 * 1024,
            writes_per_turn_max: 64,
            flush_within: Duration::from_secs(2),
            flushing_bytes_max: 32 * 1024 * 1024,
            unacknowledged_within: Duration::from_secs(45),
            letters_max: 1024,
        }
    }
}
