//! Deadlines by the thousand: a hashed wheel that arms, cancels and fires in constant time.
//!
//! Keys go in with a [`Time`]; the keys whose time has come are pulled out with the present one. Deadlines are kept to
//! the microsecond: the wheel's buckets only decide where an entry is looked for, never when it fires.
//! Knows no clock and nothing of what its keys name.
//! Left out: a hierarchy of wheels. An entry is walked past once per revolution (25.6 s) until its own comes round,
//! which for heartbeats of 25 s is never or once.

use std::cell::Cell;

use slab::Slab;

use crate::time::Time;

/// Buckets of the wheel; a power of two.
const BUCKETS: u32 = 512;
/// Width of a bucket: 512 of them make 25.6 s, a heartbeat's period.
const BUCKET_MICROS: u64 = 50_000;
/// The end of a list.
const NONE: u32 = u32::MAX;
/// In [`Entry::prev`]: taken off the wheel, waits in [`Timers::due`].
const DUE: u32 = u32::MAX;
/// In [`Entry::prev`]: the first of its list; the other bits name the bucket.
const FIRST: u32 = 1 << 31;

/// Names an armed timer; harmless once it has fired or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId {
    slot: u32,
    generation: u32,
}

#[derive(Debug)]
struct Entry<K> {
    at: Time,
    generation: u32,
    /// The entry before, or [`FIRST`] and the bucket, or [`DUE`].
    prev: u32,
    next: u32,
    key: K,
}

/// What [`Timers::next_due`] knows without looking.
#[derive(Clone, Copy, Debug)]
enum Earliest {
    /// Exactly this.
    Known(Option<Time>),
    /// The earliest was taken away: look again when asked.
    Unknown,
}

/// Armed timers, each with a key.
///
/// Invariants: every entry is either linked into exactly one bucket, or listed in `due`. A bucket's bit is set exactly
/// when its list is not empty. No linked entry's bucket lies behind `tick`: what is armed late goes into `tick`'s own.
#[derive(Debug)]
pub struct Timers<K> {
    entries: Slab<Entry<K>>,
    next_generation: u32,
    heads: Box<[u32; BUCKETS as usize]>,
    busy: [u64; BUCKETS as usize / 64],
    /// The bucket's number, counted from the start of time, up to which all that was due was taken off the wheel.
    tick: u64,
    /// Taken off the wheel and not yet popped: latest first, so that the earliest is popped off the end.
    due: Vec<(Time, TimerId)>,
    /// The earliest deadline on the wheel (`due` not counted).
    earliest: Cell<Earliest>,
}

impl<K: Copy> Default for Timers<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Copy> Timers<K> {
    /// No timers.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: Slab::new(),
            next_generation: 0,
            heads: Box::new([NONE; BUCKETS as usize]),
            busy: [0; BUCKETS as usize / 64],
            tick: 0,
            due: Vec::new(),
            earliest: Cell::new(Earliest::Known(None)),
        }
    }

    /// Arms a timer. A deadline that has already passed is due at once.
    ///
    /// # Panics
    /// With 2³¹ timers armed, which no machine holds.
    pub fn arm(&mut self, at: Time, key: K) -> TimerId {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let entry = Entry {
            at,
            generation,
            prev: DUE,
            next: NONE,
            key,
        };
        let slot = u32::try_from(self.entries.insert(entry)).expect("fewer than 2^31 timers");
        assert!(slot < FIRST, "fewer than 2^31 timers");
        self.link(slot, bucket_of(tick_of(at).max(self.tick)));
        match self.earliest.get() {
            Earliest::Known(Some(earliest)) if earliest <= at => {}
            Earliest::Known(_) => self.earliest.set(Earliest::Known(Some(at))),
            Earliest::Unknown => {}
        }
        TimerId { slot, generation }
    }

    /// Takes a timer back; says whether it was still armed.
    pub fn cancel(&mut self, id: TimerId) -> bool {
        let Some(entry) = self.live(id) else {
            return false;
        };
        let at = entry.at;
        if entry.prev != DUE {
            self.unlink(id.slot);
            self.forget(at);
        }
        self.entries.remove(id.slot as usize);
        true
    }

    /// When a timer is due, while it is armed.
    #[must_use]
    pub fn deadline(&self, id: TimerId) -> Option<Time> {
        self.live(id).map(|entry| entry.at)
    }

    /// The key of a timer whose deadline is not after `now`; asked again until `None`.
    ///
    /// Earlier deadlines come first; equal ones come in no particular order, and one armed in the past between two calls
    /// may come after those that were due before it.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        loop {
            let Some(&(at, id)) = self.due.last() else {
                if self
                    .earliest_on_wheel()
                    .is_none_or(|earliest| earliest > now)
                {
                    return None;
                }
                self.harvest(now);
                continue;
            };
            let alive = self.live(id).is_some();
            if alive && at > now {
                return None; // a caller whose time runs backwards
            }
            self.due.pop();
            if alive {
                return Some(self.entries.remove(id.slot as usize).key);
            }
        }
    }

    /// The earliest deadline, exactly.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        let waiting = self
            .due
            .iter()
            .rev()
            .find(|(_, id)| self.live(*id).is_some());
        match (waiting.map(|(at, _)| *at), self.earliest_on_wheel()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// How many timers are armed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is armed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn live(&self, id: TimerId) -> Option<&Entry<K>> {
        self.entries
            .get(id.slot as usize)
            .filter(|entry| entry.generation == id.generation)
    }

    /// Takes all that is due at `now` off the wheel and into `due`.
    fn harvest(&mut self, now: Time) {
        let last = tick_of(now);
        // Beyond one revolution every bucket has been visited.
        let span = last.saturating_sub(self.tick).min(u64::from(BUCKETS) - 1);
        let from = self.tick;
        let mut ahead = 0;
        while let Some(distance) = self.busy_from(from + ahead) {
            ahead += u64::from(distance);
            if ahead > span {
                break;
            }
            self.harvest_bucket(bucket_of(from + ahead), now);
            ahead += 1;
        }
        self.tick = self.tick.max(last);
        self.earliest.set(Earliest::Unknown);
        self.due
            .sort_unstable_by_key(|(at, _)| std::cmp::Reverse(*at));
    }

    fn harvest_bucket(&mut self, bucket: u32, now: Time) {
        let mut slot = self.heads[bucket as usize];
        while slot != NONE {
            let entry = &self.entries[slot as usize];
            let (at, generation, next) = (entry.at, entry.generation, entry.next);
            if at <= now {
                self.unlink(slot);
                self.entries[slot as usize].prev = DUE;
                self.due.push((at, TimerId { slot, generation }));
            }
            slot = next;
        }
    }

    /// Marks the earliest as to be looked for, if an entry with its deadline leaves the wheel.
    fn forget(&self, at: Time) {
        if let Earliest::Known(Some(earliest)) = self.earliest.get()
            && earliest == at
        {
            self.earliest.set(Earliest::Unknown);
        }
    }

    fn earliest_on_wheel(&self) -> Option<Time> {
        if let Earliest::Known(earliest) = self.earliest.get() {
            return earliest;
        }
        let earliest = self.search();
        self.earliest.set(Earliest::Known(earliest));
        earliest
    }

    /// Walks the busy buckets in order of time. The first that holds an entry of this revolution holds the earliest;
    /// if none does, the earliest of all that were seen on the way round is it.
    fn search(&self) -> Option<Time> {
        let mut earliest: Option<Time> = None;
        let mut ahead = 0;
        while let Some(distance) = self.busy_from(self.tick + ahead) {
            ahead += u64::from(distance);
            if ahead >= u64::from(BUCKETS) {
                break;
            }
            let tick = self.tick + ahead;
            let mut slot = self.heads[bucket_of(tick) as usize];
            while slot != NONE {
                let entry = &self.entries[slot as usize];
                earliest = Some(earliest.map_or(entry.at, |earliest| earliest.min(entry.at)));
                slot = entry.next;
            }
            if earliest.is_some_and(|earliest| tick_of(earliest) <= tick) {
                break;
            }
            ahead += 1;
        }
        earliest
    }

    /// How many buckets after that of `tick` the next busy one is; `None` if all are empty.
    fn busy_from(&self, tick: u64) -> Option<u32> {
        let start = bucket_of(tick);
        let words = BUCKETS / 64;
        for step in 0..=words {
            let word = (start / 64 + step) % words;
            let mut bits = self.busy[word as usize];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            }
            if bits != 0 {
                let bucket = word * 64 + bits.trailing_zeros();
                return Some((bucket + BUCKETS - start) % BUCKETS);
            }
        }
        None
    }

    fn link(&mut self, slot: u32, bucket: u32) {
        let head = std::mem::replace(&mut self.heads[bucket as usize], slot);
        if head != NONE {
            self.entries[head as usize].prev = slot;
        }
        let entry = &mut self.entries[slot as usize];
        entry.prev = FIRST | bucket;
        entry.next = head;
        self.busy[bucket as usize / 64] |= 1 << (bucket % 64);
    }

    fn unlink(&mut self, slot: u32) {
        let Entry { prev, next, .. } = self.entries[slot as usize];
        if next != NONE {
            self.entries[next as usize].prev = prev;
        }
        if prev & FIRST == 0 {
            self.entries[prev as usize].next = next;
            return;
        }
        let bucket = prev & !FIRST;
        self.heads[bucket as usize] = next;
        if next == NONE {
            self.busy[bucket as usize / 64] &= !(1 << (bucket % 64));
        }
    }
}

const fn tick_of(at: Time) -> u64 {
    at.0 / BUCKET_MICROS
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the remainder is below BUCKETS"
)]
const fn bucket_of(tick: u64) -> u32 {
    (tick % BUCKETS as u64) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    const fn millis(count: u64) -> Time {
        Time(count * 1000)
    }

    #[test]
    fn a_timer_fires_at_its_microsecond_and_not_before() {
        let mut timers = Timers::new();
        timers.arm(Time(1_234_567), 'a');
        assert_eq!(timers.next_due(), Some(Time(1_234_567)));
        assert_eq!(timers.pop_due(Time(1_234_566)), None);
        assert_eq!(timers.pop_due(Time(1_234_567)), Some('a'));
        assert_eq!(timers.pop_due(Time(u64::MAX)), None);
        assert_eq!((timers.next_due(), timers.len()), (None, 0));
    }

    #[test]
    fn what_is_due_comes_by_deadline_across_buckets_and_revolutions() {
        let mut timers = Timers::new();
        for at in [90_000, 10, 25_610, 49, 51, 25_600, 60_000_000] {
            timers.arm(millis(at), at);
        }
        let mut fired = Vec::new();
        while let Some(key) = timers.pop_due(millis(100_000)) {
            fired.push(key);
        }
        assert_eq!(fired, [10, 49, 51, 25_600, 25_610, 90_000]);
        assert_eq!(timers.next_due(), Some(millis(60_000_000)));
    }

    #[test]
    fn a_deadline_in_the_past_is_due_at_once() {
        let mut timers = Timers::new();
        timers.arm(millis(30_000), "first");
        assert_eq!(timers.pop_due(millis(30_000)), Some("first"));
        timers.arm(millis(3), "late");
        assert_eq!(timers.next_due(), Some(millis(3)));
        assert_eq!(timers.pop_due(millis(30_000)), Some("late"));
    }

    #[test]
    fn a_stale_id_cancels_nothing() {
        let mut timers = Timers::new();
        let first = timers.arm(millis(1), 1);
        assert!(timers.cancel(first));
        assert!(!timers.cancel(first));
        let second = timers.arm(millis(1), 2);
        assert!(!timers.cancel(first));
        assert_eq!(timers.pop_due(millis(1)), Some(2));
        assert!(!timers.cancel(second));
    }

    #[test]
    fn one_cancelled_among_those_due_does_not_fire() {
        let mut timers = Timers::new();
        let ids: Vec<_> = (1..=3).map(|n| timers.arm(millis(n), n)).collect();
        assert_eq!(timers.pop_due(millis(9)), Some(1));
        assert!(timers.cancel(ids[1]));
        assert_eq!(timers.next_due(), Some(millis(3)));
        assert_eq!(timers.pop_due(millis(9)), Some(3));
        assert_eq!(timers.pop_due(millis(9)), None);
    }

    #[test]
    fn the_wheel_agrees_with_a_sorted_map_whatever_is_done_to_it() {
        let seed: u64 = rand::random_range(0..u64::MAX);
        eprintln!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let mut timers = Timers::new();
        let mut model: BTreeMap<(Time, u32), TimerId> = BTreeMap::new();
        let mut ids: Vec<(Time, u32, TimerId)> = Vec::new();
        let mut now = Time::ZERO;
        for key in 0..40_000_u32 {
            match random.random_range(0..10) {
                0..5 => {
                    let at = match random.random_range(0..4) {
                        0 => now - Duration::from_micros(random.random_range(0..200_000)),
                        1 => now + Duration::from_micros(random.random_range(0..200_000)),
                        2 => now + Duration::from_millis(random.random_range(0..26_000)),
                        _ => now + Duration::from_secs(random.random_range(0..120)),
                    };
                    let id = timers.arm(at, key);
                    model.insert((at, key), id);
                    ids.push((at, key, id));
                }
                5..8 if !ids.is_empty() => {
                    // Often an id that has fired already.
                    let (at, key, id) = ids[random.random_range(0..ids.len())];
                    assert_eq!(timers.cancel(id), model.remove(&(at, key)).is_some());
                }
                _ => {
                    let most = [1_000, 60_000, 3_000_000, 70_000_000][random.random_range(0..4)];
                    now = now + Duration::from_micros(random.random_range(0..most));
                    let mut last = Time::ZERO;
                    while let Some(key) = timers.pop_due(now) {
                        let at = ids
                            .iter()
                            .rev()
                            .find(|(_, other, _)| *other == key)
                            .unwrap()
                            .0;
                        assert!(at <= now && at >= last);
                        last = at;
                        assert!(model.remove(&(at, key)).is_some());
                    }
                    assert!(model.first_key_value().is_none_or(|((at, _), _)| *at > now));
                    ids.retain(|(at, key, _)| model.contains_key(&(*at, *key)) || key % 7 == 0);
                }
            }
            assert_eq!(timers.len(), model.len());
            assert_eq!(
                timers.next_due(),
                model.first_key_value().map(|((at, _), _)| *at)
            );
        }
    }
}
