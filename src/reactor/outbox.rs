//! What waits to be written, and the one write that carries it.
//!
//! Shared buffers come in; the kernel takes what it takes, and the rest stays in order.
//! Knows sockets only as [`Transport`], and neither events nor services.
//! Left out: a limit. What waits is told upwards (`refused`), and the layers above account for it: they know what a
//! byte is worth and whom to cut.

use std::io::{self, IoSlice};

use slab::Slab;

use super::stream::Transport;
use crate::buffers::Shared;

/// The end of a list.
const NONE: u32 = u32::MAX;
/// Pieces up to this size are copied together rather than named one by one.
const SMALL_BYTES_MAX: usize = 4 * 1024;
/// Bytes copied together for one write.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Pieces named in one vectored write (16 cost 12 % more than one; the kernel's limit is 1,024).
const SLICES_MAX: usize = 64;
/// A run of small pieces this long is worth a write of its own before a large one.
const RUN_MIN: usize = 16;
/// A pool that ran empty keeps room for this many pieces: a broadcast to everybody.
const POOL_KEPT_MAX: usize = 65_536;

/// The pieces that wait for one stream: a list in the loop's one pool.
///
/// Invariant: `head` is [`NONE`] exactly when `bytes` is 0; no piece is empty.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: usize,
    head: u32,
    tail: u32,
}

impl Outbox {
    pub(super) const fn new() -> Self {
        Self {
            bytes: 0,
            head: NONE,
            tail: NONE,
        }
    }

    /// Bytes that wait.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

#[derive(Debug)]
struct Piece {
    bytes: Shared,
    next: u32,
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing waits any more.
    All,
    /// The kernel is full; it will say when it is not.
    Part,
}

/// The pool of all outboxes, and the scratch buffer they share.
#[derive(Debug, Default)]
pub(super) struct Outboxes {
    pieces: Slab<Piece>,
    scratch: Vec<u8>,
    busy: usize,
}

impl Outboxes {
    /// How many outboxes are not empty.
    pub(super) const fn busy(&self) -> usize {
        self.busy
    }

    /// Puts a piece at the end.
    pub(super) fn push(&mut self, outbox: &mut Outbox, bytes: Shared) {
        if bytes.is_empty() {
            return;
        }
        if outbox.is_empty() {
            self.busy += 1;
        }
        outbox.bytes += bytes.len();
        let piece = self.pieces.insert(Piece { bytes, next: NONE });
        let piece = u32::try_from(piece).expect("2^32 pieces are more than memory holds");
        if outbox.head == NONE {
            outbox.head = piece;
        } else {
            self.pieces[outbox.tail as usize].next = piece;
        }
        outbox.tail = piece;
    }

    /// Throws all away.
    pub(super) fn clear(&mut self, outbox: &mut Outbox) {
        self.advance(outbox, outbox.bytes);
    }

    /// Gives the kernel what waits until it has all or refuses.
    pub(super) fn write(
        &mut self,
        outbox: &mut Outbox,
        transport: &mut Transport,
    ) -> io::Result<Written> {
        if let Some(result) = self.write_only(outbox, transport) {
            return result;
        }
        while !outbox.is_empty() {
            let (offered, result) = self.write_once(outbox, transport);
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    self.advance(outbox, taken);
                    // A short write means full, and arms the event: no second one to be told `WouldBlock`.
                    if taken < offered {
                        return Ok(Written::Part);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Written::Part);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Written::All)
    }

    /// Nearly every write: one piece waits, and the kernel takes all of it. None if it is not so; the rest is for the others.
    fn write_only(
        &mut self,
        outbox: &mut Outbox,
        transport: &mut Transport,
    ) -> Option<io::Result<Written>> {
        let piece = self.pieces.get(outbox.head as usize)?;
        if piece.next != NONE {
            return None;
        }
        match transport.write(&piece.bytes) {
            Ok(taken) if taken == piece.bytes.len() => {
                self.pieces.remove(outbox.head as usize);
                *outbox = Outbox::new();
                self.emptied();
                Some(Ok(Written::All))
            }
            Ok(0) => Some(Err(io::ErrorKind::WriteZero.into())),
            Ok(taken) => {
                self.advance(outbox, taken);
                Some(Ok(Written::Part))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some(Ok(Written::Part)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// One write: a single piece as it is, a run of small ones copied together, large ones by name.
    fn write_once(
        &mut self,
        outbox: &Outbox,
        transport: &mut Transport,
    ) -> (usize, io::Result<usize>) {
        let first = &self.pieces[outbox.head as usize];
        if first.next == NONE {
            return (first.bytes.len(), transport.write(&first.bytes));
        }
        let (run, rest) = self.copy_small(outbox.head);
        if rest == NONE || run >= RUN_MIN {
            return (self.scratch.len(), transport.write(&self.scratch));
        }
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let (mut count, mut offered, mut next) = (0, 0, outbox.head);
        while next != NONE && count < SLICES_MAX {
            let piece = &self.pieces[next as usize];
            slices[count] = IoSlice::new(&piece.bytes);
            offered += piece.bytes.len();
            count += 1;
            next = piece.next;
        }
        (offered, transport.write_vectored(&slices[..count]))
    }

    /// Copies small pieces from the front into the scratch buffer; says how many, and which is the first it left.
    fn copy_small(&mut self, head: u32) -> (usize, u32) {
        self.scratch.clear();
        let (mut run, mut next) = (0, head);
        while next != NONE {
            let piece = &self.pieces[next as usize];
            let fits = self.scratch.len() + piece.bytes.len() <= SCRATCH_BYTES;
            if piece.bytes.len() > SMALL_BYTES_MAX || !fits {
                break;
            }
            self.scratch.extend_from_slice(&piece.bytes);
            run += 1;
            next = piece.next;
        }
        (run, next)
    }

    /// Removes bytes from the front.
    fn advance(&mut self, outbox: &mut Outbox, mut taken: usize) {
        if taken == 0 {
            return;
        }
        outbox.bytes -= taken;
        while taken > 0 {
            let piece = &mut self.pieces[outbox.head as usize];
            if taken < piece.bytes.len() {
                piece.bytes.advance(taken);
                return;
            }
            taken -= piece.bytes.len();
            let next = piece.next;
            self.pieces.remove(outbox.head as usize);
            outbox.head = next;
        }
        if outbox.head == NONE {
            outbox.tail = NONE;
            self.emptied();
        }
    }

    /// One outbox is empty.
    fn emptied(&mut self) {
        self.busy -= 1;
        if self.pieces.is_empty() && self.pieces.capacity() > POOL_KEPT_MAX {
            self.pieces = Slab::new();
        }
    }
}
