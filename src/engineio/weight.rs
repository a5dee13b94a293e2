//! What all packets on their way out weigh together, wherever they wait: in a session's queue or in the loop's outboxes.
//!
//! A packet's buffer is counted when it is made and given back when the last of those who share it has let go, so that a
//! broadcast weighs once however many it is for; the sum of what waits for each client would say ten thousand times as much.
//! The memory of small ones is used again, so that a server that is warm allocates for no packet's bytes.
//! The count and the memory belong to the thread, as a loop does: buffers are made by handlers, which know no engine.
//! Left out: the rows that point to a shared buffer (a few dozen bytes each), which the limit of each queue bounds.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// What a buffer costs beside its memory: two allocations' own.
const OVERHEAD_BYTES: usize = 128;
/// Room of a buffer to begin with: most packets of a chat or a game fit.
const ROOM_BYTES: usize = 128;
/// Buffers up to this size are kept to be used again; larger ones are rarer, and cost more to fill than to get.
const KEPT_BYTES_MAX: usize = 512;
/// Buffers kept: more than are made in most turns.
const KEPT_MAX: usize = 64;

thread_local! {
    static ALIVE: Arc<AtomicUsize> = Arc::default();
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes of all buffers that were made on this thread and are still there.
pub(super) fn alive_bytes() -> usize {
    ALIVE.with(|alive| alive.load(Ordering::Relaxed))
}

/// An empty buffer with some room.
pub(super) fn buffer() -> Vec<u8> {
    let kept = KEPT.with_borrow_mut(Vec::pop);
    kept.unwrap_or_else(|| Vec::with_capacity(ROOM_BYTES))
}

/// The bytes of a buffer, whose memory is counted until nobody has them.
pub(super) fn weighed(buffer: Vec<u8>) -> Bytes {
    let alive = ALIVE.with(Arc::clone);
    alive.fetch_add(buffer.capacity() + OVERHEAD_BYTES, Ordering::Relaxed);
    Bytes::from_owner(Weighed { buffer, alive })
}

struct Weighed {
    buffer: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Weighed {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Weighed {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.alive
            .fetch_sub(buffer.capacity() + OVERHEAD_BYTES, Ordering::Relaxed);
        if buffer.capacity() > KEPT_BYTES_MAX {
            return;
        }
        buffer.clear();
        // At the end of a thread there is nobody to use it again.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT_MAX {
                kept.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_buffer_weighs_once_and_until_the_last_has_let_go() {
        let before = alive_bytes();
        let bytes = weighed(b"12345".to_vec());
        let part = bytes.slice(2..);
        assert_eq!(alive_bytes(), before + 5 + OVERHEAD_BYTES);
        drop(bytes);
        assert_eq!(alive_bytes(), before + 5 + OVERHEAD_BYTES);
        drop(part);
        assert_eq!(alive_bytes(), before);
    }

    #[test]
    fn the_memory_of_small_buffers_is_used_again_and_of_large_ones_is_not() {
        let mut small = buffer();
        small.extend_from_slice(b"small");
        let place = small.as_ptr();
        drop(weighed(small));
        let again = buffer();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        drop(weighed(Vec::with_capacity(KEPT_BYTES_MAX + 1)));
        assert!(buffer().capacity() <= KEPT_BYTES_MAX);
        let many: Vec<_> = (0..2 * KEPT_MAX).map(|_| weighed(buffer())).collect();
        drop(many);
        assert_eq!(KEPT.with_borrow(Vec::len), KEPT_MAX);
    }
}
