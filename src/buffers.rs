//! Bytes on their way out: filled once, shared by all they go to, and their memory used again.
//!
//! A [`Buffer`] is filled by whoever has something to say; [`Shared`] is what it holds or a part of that, for as many
//! receivers as there are. When the last has let go, what is small goes back to where the next buffer comes from, so that a
//! server that is warm asks for no memory to speak. Bytes of others (a file, an application's own) are shared as they are.
//! Buffers that weigh are counted while anybody has them: once, however many a broadcast is for.
//! The count and the memory belong to the thread, as a loop does: buffers are filled by handlers, which know no loop. So
//! nothing here is `Send`, and nothing is locked.
//! Left out: the rows that point to a buffer (a few dozen bytes each), which the limit of each queue bounds.

use std::borrow::Borrow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use bytes::{Buf, Bytes};

/// What a buffer costs beside its memory: two allocations' own.
const OVERHEAD_BYTES: usize = 128;
/// Room of a buffer to begin with: most packets of a chat or a game fit.
const ROOM_BYTES: usize = 128;
/// Buffers up to this size are kept to be used again; larger ones are rarer, and cost more to fill than to get.
const KEPT_BYTES_MAX: usize = 512;
/// All that are kept together: those of a turn in which a thousand clients speak.
const ALL_KEPT_BYTES_MAX: usize = 128 * 1024;

thread_local! {
    static ALIVE_BYTES: Cell<usize> = const { Cell::new(0) };
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept { leases: Vec::new(), bytes: 0 }) };
}

struct Kept {
    leases: Vec<Rc<Lease>>,
    bytes: usize,
}

/// Memory, and what it weighs while somebody has it.
#[derive(Debug, Default)]
struct Lease {
    bytes: Vec<u8>,
    weight: usize,
}

/// Bytes of all buffers that weigh and are still there, on this thread.
pub fn alive_bytes() -> usize {
    ALIVE_BYTES.get()
}

/// Bytes that are being filled in. Invariant: nobody else has the lease, and what it holds is here meanwhile.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    lease: Rc<Lease>,
}

impl Buffer {
    /// An empty buffer with some room.
    #[must_use]
    pub fn new() -> Self {
        let mut kept = KEPT.with_borrow_mut(|kept| {
            let mut lease = kept.leases.pop()?;
            let bytes = std::mem::take(&mut Rc::get_mut(&mut lease)?.bytes);
            kept.bytes -= bytes.capacity();
            Some(Self { bytes, lease })
        });
        kept.take().unwrap_or_else(|| Self {
            bytes: Vec::with_capacity(ROOM_BYTES),
            lease: Rc::default(),
        })
    }

    /// What it holds, from `start` on, to be shared.
    #[must_use]
    pub fn share(self, start: usize) -> Shared {
        self.share_as(start, 0)
    }

    /// The same, to be counted until nobody has it any more.
    #[must_use]
    pub fn share_weighed(self, start: usize) -> Shared {
        let weight = self.bytes.capacity() + OVERHEAD_BYTES;
        self.share_as(start, weight)
    }

    fn share_as(self, start: usize, weight: usize) -> Shared {
        let Self { bytes, mut lease } = self;
        let end = u32::try_from(bytes.len()).expect("a message is shorter than 4 GiB");
        let start = u32::try_from(start).unwrap_or(end).min(end);
        ALIVE_BYTES.set(ALIVE_BYTES.get() + weight);
        *Rc::get_mut(&mut lease).expect("nobody else has it yet") = Lease { bytes, weight };
        Shared(Held::Part(Part { lease, start, end }))
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

/// Bytes that are not changed any more: copies of it are the same bytes.
#[derive(Clone)]
pub struct Shared(Held);

#[derive(Clone)]
enum Held {
    Fixed(&'static [u8]),
    Part(Part),
    /// Boxed, as they are rare and four times as large.
    Foreign(Box<Bytes>),
}

/// A part of a buffer. Invariant: `start <= end`, and `end` is within the lease's bytes.
#[derive(Clone)]
struct Part {
    lease: Rc<Lease>,
    start: u32,
    end: u32,
}

impl Shared {
    /// Bytes of the program.
    #[must_use]
    pub const fn fixed(bytes: &'static [u8]) -> Self {
        Self(Held::Fixed(bytes))
    }

    /// No bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self::fixed(&[])
    }

    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Held::Fixed(fixed) => fixed.len(),
            // Without a look at the buffer.
            Held::Part(part) => (part.end - part.start) as usize,
            Held::Foreign(foreign) => foreign.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same without its first bytes; nothing, if there are no more than those.
    #[must_use]
    pub fn behind(&self, bytes: usize) -> Self {
        let mut behind = self.clone();
        behind.advance(bytes.min(self.len()));
        behind
    }

    /// Lets go of the first bytes.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn advance(&mut self, bytes: usize) {
        match &mut self.0 {
            Held::Fixed(fixed) => *fixed = &fixed[bytes..],
            Held::Part(part) => {
                let bytes = u32::try_from(bytes).ok();
                let start = bytes.and_then(|bytes| part.start.checked_add(bytes));
                let start = start.filter(|start| *start <= part.end);
                part.start = start.expect("nobody lets go of more than there is");
            }
            Held::Foreign(foreign) => foreign.advance(bytes),
        }
    }
}

impl Deref for Shared {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Fixed(fixed) => fixed,
            Held::Part(part) => &part.lease.bytes[part.start as usize..part.end as usize],
            Held::Foreign(foreign) => foreign,
        }
    }
}

impl Drop for Part {
    #[inline]
    fn drop(&mut self) {
        // One of ten thousand receivers of a broadcast has no more to do than to count.
        if Rc::strong_count(&self.lease) == 1 {
            self.let_go();
        }
    }
}

impl Part {
    fn let_go(&mut self) {
        let Some(lease) = Rc::get_mut(&mut self.lease) else {
            return;
        };
        // At the end of a thread nobody counts, and there is nobody to use it again.
        let _ = ALIVE_BYTES.try_with(|alive| alive.set(alive.get() - lease.weight));
        lease.weight = 0;
        lease.bytes.clear();
        let room = lease.bytes.capacity();
        if room > KEPT_BYTES_MAX {
            return;
        }
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.bytes + room <= ALL_KEPT_BYTES_MAX {
                kept.bytes += room;
                kept.leases.push(Rc::clone(&self.lease));
            }
        });
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Bytes> for Shared {
    fn from(bytes: Bytes) -> Self {
        Self(Held::Foreign(Box::new(bytes)))
    }
}

impl From<Vec<u8>> for Shared {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Shared {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&'static [u8]> for Shared {
    fn from(bytes: &'static [u8]) -> Self {
        Self::fixed(bytes)
    }
}

impl From<&'static str> for Shared {
    fn from(text: &'static str) -> Self {
        Self::fixed(text.as_bytes())
    }
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Shared {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl Eq for Shared {}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Shared {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Bytes::copy_from_slice(self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::new();
        buffer.extend_from_slice(bytes);
        buffer
    }

    #[test]
    fn a_shared_buffer_weighs_once_and_until_the_last_has_let_go() {
        let before = alive_bytes();
        let buffer = holding(b"12345");
        let room = buffer.capacity();
        let whole = buffer.share_weighed(0);
        let part = whole.behind(2);
        assert_eq!(alive_bytes(), before + room + OVERHEAD_BYTES);
        drop(whole);
        assert_eq!(alive_bytes(), before + room + OVERHEAD_BYTES);
        assert_eq!(part, b"345");
        drop(part);
        assert_eq!(alive_bytes(), before);
        let unweighed = holding(b"12345").share(0);
        assert_eq!((alive_bytes(), unweighed.len()), (before, 5));
    }

    #[test]
    fn bytes_are_the_same_wherever_they_come_from_and_in_every_copy() {
        let all = [
            Shared::fixed(b"12345"),
            holding(b"012345").share(1),
            Bytes::from_static(b"12345").into(),
            b"12345".to_vec().into(),
        ];
        for mut bytes in all {
            let copy = bytes.clone();
            bytes.advance(3);
            assert_eq!((&*bytes, &*copy), (&b"45"[..], &b"12345"[..]));
            assert_eq!(bytes.behind(0), bytes);
            assert_eq!(bytes.behind(3), Shared::new());
            bytes.advance(2);
            assert!(bytes.is_empty());
        }
        assert_eq!(holding(b"1").share(2), Shared::new());
    }

    #[test]
    #[should_panic(expected = "more than there is")]
    fn nobody_lets_go_of_more_than_there_is() {
        holding(b"12").share(1).advance(2);
    }

    #[test]
    fn the_memory_of_small_buffers_is_used_again_and_of_large_ones_is_not() {
        let small = holding(b"small").share(0);
        let place = small.as_ptr();
        drop(small);
        let again = Buffer::new();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        drop(holding(&[0; KEPT_BYTES_MAX + 1]).share(0));
        assert!(Buffer::new().capacity() <= KEPT_BYTES_MAX);
        let many: Vec<_> = (0..2 * ALL_KEPT_BYTES_MAX / ROOM_BYTES)
            .map(|_| Buffer::new().share(0))
            .collect();
        drop(many);
        let kept = KEPT.with_borrow(|kept| (kept.leases.len(), kept.bytes));
        assert_eq!(kept, (ALL_KEPT_BYTES_MAX / ROOM_BYTES, ALL_KEPT_BYTES_MAX));
    }
}
