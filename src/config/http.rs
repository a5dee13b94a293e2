//! Limits of requests and answers.

use std::time::Duration;

/// Limits of HTTP/1.1.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Http {
    /// Bytes of the request line; more is answered 414. What browsers and proxies agree on.
    pub request_line_bytes_max: usize,
    /// Bytes of the whole head; more is answered 431. Node's own limit.
    pub head_bytes_max: usize,
    /// Headers of one request; more is answered 431.
    pub headers_max: usize,
    /// Bytes of a body that is taken as a whole; more is answered 413, on the declared length before a byte of it is read.
    /// One that is taken in pieces has a limit of its route's choice.
    pub body_bytes_max: usize,
    /// A head must be complete this long after the connection or its first byte; later is answered 408.
    pub head_within: Duration,
    /// A body may pause this long; longer is answered 408.
    pub body_idle_max: Duration,
    /// After [`Http::body_idle_max`], a body must have come at this average rate (bytes a second); slower is answered 408.
    pub body_bytes_per_second_min: usize,
    /// A keep-alive connection is closed after this once its client has taken the last answer (Node's 5 s, and one for the way).
    pub keep_alive_idle_max: Duration,
    /// Pipelined requests answered before the others have their turn.
    pub requests_per_turn_max: usize,
    /// Pipelined requests are not read while this many bytes of answers wait for the client.
    pub answers_waiting_bytes_max: usize,
    /// Bytes of a streamed answer that wait for the client before no more is asked for: what a fast one takes in a turn.
    pub streamed_bytes_soft_max: usize,
    /// Bytes of a streamed answer that may wait for the client; a piece more is not taken, nor one that is larger than this.
    pub streamed_bytes_max: usize,
    /// Bytes of all streamed answers that may wait; beyond it the one of which most waits is cut. A sixteenth of a host
    /// with 512 MB.
    pub streams_bytes_max: usize,
    /// A client that takes nothing of an answer that waits for it, streamed or whole, is cut after this: longer than a phone in
    /// a tunnel. One that takes a byte now and then is not; it holds its connection and what is left of one answer, and one address
    /// has so many of those ([`super::Reactor::connections_per_address_max`]).
    pub answer_idle_max: Duration,
    /// After a refusal that left a body unread: bytes read and thrown away so that the answer is not lost to a reset.
    pub linger_bytes_max: usize,
    /// And for how long.
    pub linger_within: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            request_line_bytes_max: 8 * 1024,
            head_bytes_max: 16 * 1024,
            headers_max: 100,
            body_bytes_max: 1_000_000,
            head_within: Duration::from_secs(10),
            body_idle_max: Duration::from_secs(10),
            body_bytes_per_second_min: 1024,
            keep_alive_idle_max: Duration::from_secs(6),
            requests_per_turn_max: 16,
            answers_waiting_bytes_max: 64 * 1024,
            streamed_bytes_soft_max: 64 * 1024,
            streamed_bytes_max: 1024 * 1024,
            streams_bytes_max: 32 * 1024 * 1024,
            answer_idle_max: Duration::from_secs(30),
            linger_bytes_max: 64 * 1024,
            linger_within: Duration::from_secs(1),
        }
    }
}
