//! A count of the bytes the parsers look at or copy, so that a test can hold them to linear time.
//!
//! The parsers say what they spend; a test reads it before and after. In a server the whole of it compiles to nothing.
//! Knows nothing of what the bytes are.
//! Left out: time, which is no measure on a busy machine.

#[cfg(any(test, feature = "world"))]
thread_local! {
    static SPENT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Adds to the count.
#[cfg(any(test, feature = "world"))]
pub(super) fn spent(bytes: usize) {
    SPENT.with(|spent| spent.set(spent.get() + bytes as u64));
}

/// Adds to the count, which nobody reads here.
#[cfg(not(any(test, feature = "world")))]
pub(super) const fn spent(_bytes: usize) {}

/// The count of this thread.
#[cfg(any(test, feature = "world"))]
pub(super) fn so_far() -> u64 {
    SPENT.with(std::cell::Cell::get)
}
