//! What all packets on their way out weigh together, wherever they wait: in a session's queue or in the loop's outboxes.
//!
//! A packet's buffer is counted when it is made and given back when the last of those who share it has let go, so that a
//! broadcast weighs once however many it is for; the sum of what waits for each client would say ten thousand times as much.
//! The count belongs to the thread, as a loop does: buffers are made by handlers, which know no engine.
//! Left out: the rows that point to a shared buffer (a few dozen bytes each), which the limit of each queue bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// What a buffer costs beside its bytes: two allocations' own, and room that is not used.
const OVERHEAD_BYTES: usize = 128;

thread_local! {
    static ALIVE: Arc<AtomicUsize> = Arc::default();
}

/// Bytes of all buffers that were made on this thread and are still there.
pub(super) fn alive_bytes() -> usize {
    ALIVE.with(|alive| alive.load(Ordering::Relaxed))
}

/// The same bytes, counted until nobody has them.
pub(super) fn weighed(bytes: Bytes) -> Bytes {
    let alive = ALIVE.with(Arc::clone);
    alive.fetch_add(bytes.len() + OVERHEAD_BYTES, Ordering::Relaxed);
    Bytes::from_owner(Weighed { bytes, alive })
}

struct Weighed {
    bytes: Bytes,
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Weighed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Weighed {
    fn drop(&mut self) {
        self.alive
            .fetch_sub(self.bytes.len() + OVERHEAD_BYTES, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_buffer_weighs_once_and_until_the_last_has_let_go() {
        let before = alive_bytes();
        let bytes = weighed(Bytes::from_static(b"12345"));
        let part = bytes.slice(2..);
        assert_eq!(alive_bytes(), before + 5 + OVERHEAD_BYTES);
        drop(bytes);
        assert_eq!(alive_bytes(), before + 5 + OVERHEAD_BYTES);
        drop(part);
        assert_eq!(alive_bytes(), before);
    }
}
