//! What was said to whom, kept for a while: for clients that come back and want to hear what they missed.
//!
//! Packets come in with the rooms they were for; those that a returning client missed go out, found by the *offset* of the
//! last packet it has heard: a text that each kept packet carries as its last argument. The oldest go when there are too
//! many bytes or their time is over.
//! Knows namespaces by id and rooms by name, since a room may have gone meanwhile; a packet is whatever the layer above says.
//! Left out: acknowledged and volatile events, which are not kept (nor are they by the official server).

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::namespaces::NamespaceId;
use crate::time::{Rebase, Time};

/// What was said, the oldest first. Each entry has a number, one more than that of the entry before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplayLog<P> {
    entries: VecDeque<Entry<P>>,
    /// The number of the oldest entry, or of the next one.
    first: u64,
    bytes: usize,
    /// Tells our offsets from those of another process.
    epoch: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry<P> {
    at: Time,
    namespace: NamespaceId,
    whom: Whom,
    packet: P,
    bytes: usize,
}

/// Whom something was said to, by the names of rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// To the members of these, or to everybody if there are none.
    pub to: Box<[Box<str>]>,
    /// But not to the members of these.
    pub except: Box<[Box<str>]>,
}

impl Whom {
    /// Whether somebody in these rooms was meant.
    fn includes(&self, rooms: &[Box<str>]) -> bool {
        let any_of = |names: &[Box<str>]| names.iter().any(|name| rooms.contains(name));
        (self.to.is_empty() || any_of(&self.to)) && !any_of(&self.except)
    }

    fn bytes(&self) -> usize {
        let names = self.to.iter().chain(&self.except);
        names.map(|name| name.len()).sum()
    }
}

/// What an entry weighs beside its packet and its names.
const ENTRY_BYTES: usize = 128;

impl<P> ReplayLog<P> {
    /// Nothing was said. `epoch` should differ from that of other processes.
    #[must_use]
    pub const fn new(epoch: u32) -> Self {
        Self {
            entries: VecDeque::new(),
            first: 1,
            bytes: 0,
            epoch,
        }
    }

    fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn offset(&self, number: u64) -> String {
        format!("{:08x}.{number:x}", self.epoch)
    }

    /// The number of the last entry so far.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.next() - 1
    }

    /// Drops all there is; numbers go on.
    pub fn clear(&mut self) {
        while self.drop_oldest() {}
    }

    /// The offset that the next packet is to carry.
    #[must_use]
    pub fn next_offset(&self) -> String {
        self.offset(self.next())
    }

    /// The offset of everything that was said so far.
    #[cfg(test)]
    fn last_offset(&self) -> String {
        self.offset(self.next() - 1)
    }

    /// Keeps a packet of so many bytes, and no more than `bytes_max` in all.
    pub fn push(
        &mut self,
        at: Time,
        namespace: NamespaceId,
        whom: Whom,
        (packet, bytes): (P, usize),
        bytes_max: usize,
    ) {
        let bytes = bytes + whom.bytes() + ENTRY_BYTES;
        self.bytes += bytes;
        self.entries.push_back(Entry {
            at,
            namespace,
            whom,
            packet,
            bytes,
        });
        while self.bytes > bytes_max && self.drop_oldest() {}
    }

    /// Drops what was said longer ago than `kept`.
    pub fn expire(&mut self, now: Time, kept: Duration) {
        let is_over = |entry: &Entry<P>| entry.at + kept < now;
        while self.entries.front().is_some_and(is_over) && self.drop_oldest() {}
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(entry) = self.entries.pop_front() else {
            return false;
        };
        self.first += 1;
        self.bytes -= entry.bytes;
        true
    }

    /// The number of an offset, if it is one of ours and nothing that was said after it has been dropped.
    #[must_use]
    pub fn find(&self, offset: &str) -> Option<u64> {
        let (epoch, number) = offset.split_once('.')?;
        let is_ours = u32::from_str_radix(epoch, 16) == Ok(self.epoch);
        let number = u64::from_str_radix(number, 16).ok().filter(|_| is_ours)?;
        self.reaches_back_to(number).then_some(number)
    }

    /// Whether everything that was said after this number is here.
    #[must_use]
    pub fn reaches_back_to(&self, number: u64) -> bool {
        number < self.next() && number + 1 >= self.first
    }

    /// What was said in a namespace after this number, to somebody in these rooms.
    pub fn missed(
        &self,
        after: u64,
        namespace: NamespaceId,
        rooms: &[Box<str>],
    ) -> impl Iterator<Item = &P> {
        let skipped = usize::try_from(after + 1 - self.first).unwrap_or(usize::MAX);
        let entries = self.entries.iter().skip(skipped);
        entries
            .filter(move |entry| entry.namespace == namespace && entry.whom.includes(rooms))
            .map(|entry| &entry.packet)
    }

    /// Goes on in another process, by its clock and its ids of namespaces; what was said in one that is not there now is
    /// nobody's.
    pub fn rebase(&mut self, rebase: Rebase, home: impl Fn(NamespaceId) -> Option<NamespaceId>) {
        const NOBODYS: NamespaceId = NamespaceId::from_parts(u32::MAX, u32::MAX);
        for entry in &mut self.entries {
            entry.at = rebase.of(entry.at);
            entry.namespace = home(entry.namespace).unwrap_or(NOBODYS);
        }
    }

    /// Bytes kept, names and all.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1_000_000;

    fn names(rooms: &[&str]) -> Box<[Box<str>]> {
        rooms.iter().map(|&room| room.into()).collect()
    }

    fn whom(to: &[&str], except: &[&str]) -> Whom {
        Whom {
            to: names(to),
            except: names(except),
        }
    }

    const HERE: NamespaceId = NamespaceId::from_parts(0, 0);

    /// Says something, and gives its offset.
    fn say(log: &mut ReplayLog<u32>, at: u64, packet: u32, whom: Whom) -> String {
        let offset = log.next_offset();
        log.push(Time(at), HERE, whom, (packet, 10), MAX);
        assert_eq!(log.last_offset(), offset);
        offset
    }

    fn missed(log: &ReplayLog<u32>, offset: &str, rooms: &[&str]) -> Option<Vec<u32>> {
        let after = log.find(offset)?;
        Some(log.missed(after, HERE, &names(rooms)).copied().collect())
    }

    #[test]
    fn what_came_after_an_offset_is_found_by_rooms() {
        let mut log = ReplayLog::new(7);
        let start = log.last_offset();
        let first = say(&mut log, 0, 1, whom(&[], &[]));
        say(&mut log, 0, 2, whom(&["a"], &[]));
        say(&mut log, 0, 3, whom(&["a", "b"], &["c"]));
        log.push(
            Time(0),
            NamespaceId::from_parts(1, 0),
            whom(&[], &[]),
            (4, 1),
            MAX,
        );
        let last = say(&mut log, 0, 5, whom(&[], &["b"]));
        assert_eq!(missed(&log, &start, &["a"]), Some(vec![1, 2, 3, 5]));
        assert_eq!(missed(&log, &first, &["a", "c"]), Some(vec![2, 5]));
        assert_eq!(missed(&log, &first, &["b"]), Some(vec![3]));
        assert_eq!(missed(&log, &first, &["d"]), Some(vec![5]));
        assert_eq!(missed(&log, &last, &["a"]), Some(vec![]));
    }

    #[test]
    fn offsets_of_others_and_of_nobody_are_not_found() {
        let mut log = ReplayLog::new(7);
        say(&mut log, 0, 1, whom(&[], &[]));
        let other = ReplayLog::<u32>::new(8).last_offset();
        let future = log.next_offset();
        for offset in [
            &*other,
            &future,
            "",
            ".",
            "7",
            "00000007.",
            "00000007.zz",
            "x.1",
        ] {
            assert_eq!(log.find(offset), None, "{offset}");
        }
        assert_eq!(log.find("00000007.1"), Some(1));
        assert_eq!(log.find("00000007.ffffffffffffffff"), None);
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes_or_their_time_is_over() {
        let mut log = ReplayLog::new(7);
        let offsets: Vec<_> = (0..4)
            .map(|at| say(&mut log, at * 10, 0, whom(&[], &[])))
            .collect();
        let each = log.bytes() / 4;
        log.push(Time(40), HERE, whom(&[], &[]), (0, 10), each * 3);
        assert_eq!(log.bytes(), each * 3);
        assert_eq!(log.find(&offsets[0]), None, "the one after it has gone");
        assert_eq!(missed(&log, &offsets[1], &[]), Some(vec![0, 0, 0]));
        log.expire(Time(40), Duration::from_micros(10));
        assert_eq!(log.find(&offsets[1]), None);
        assert_eq!(missed(&log, &offsets[2], &[]), Some(vec![0, 0]));
        log.expire(Time(1000), Duration::ZERO);
        assert_eq!(
            (log.bytes(), missed(&log, &log.last_offset(), &[])),
            (0, Some(vec![]))
        );
    }
}
