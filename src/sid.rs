//! The ids that clients see: of Engine.IO sessions and of Socket.IO sockets.
//!
//! Randomness comes in, twenty URL-safe characters go out; 120 bits cannot be guessed and need no check for doubles.
//! Knows nothing of what it names: each layer says which of its things an id belongs to.
//! Left out: ids of another length or alphabet, since other code relies on both; an application that chooses ids for its
//! sessions chooses among these.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Characters of an id, as the official servers make them.
pub const SID_BYTES: usize = 20;

/// A public id: twenty characters of `A-Z a-z 0-9 - _`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid([u8; SID_BYTES]);

impl Sid {
    /// A fresh id of 120 random bits.
    #[must_use]
    pub fn new(rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut random = [0; SID_BYTES / 4 * 3];
        rng.fill_bytes(&mut random);
        let mut id = [0; SID_BYTES];
        BASE64URL_NOPAD.encode_mut(&random, &mut id);
        Self(id)
    }

    /// The same id with another end: four characters that say something, instead of four by chance.
    #[must_use]
    pub fn ending(mut self, mark: Mark) -> Self {
        self.0[SID_BYTES - MARK_BYTES..].copy_from_slice(&mark.0);
        self
    }

    /// The end of an id: what [`Sid::ending`] put there, if it did.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let mut mark = [0; MARK_BYTES];
        mark.copy_from_slice(&self.0[SID_BYTES - MARK_BYTES..]);
        Mark(mark)
    }

    /// The id that `text` spells, or `None` if it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_bytes(text.as_bytes())
    }

    /// The id that these bytes spell, or `None` if they cannot be one.
    #[must_use]
    pub fn parse_bytes(bytes: &[u8]) -> Option<Self> {
        let id: [u8; SID_BYTES] = bytes.try_into().ok()?;
        // Without a way out of the loop, the compiler looks at many bytes at a time.
        let spelled = |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'_');
        let is_spelled = id.iter().fold(true, |all, byte| all & spelled(*byte));
        is_spelled.then_some(Self(id))
    }

    /// The id as text, which is also the name of its socket's own room.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("both ways to make an id leave ASCII only")
    }
}

const MARK_BYTES: usize = 4;

/// Four characters that say whose an id is. 96 random bits are left, which nobody can guess either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark([u8; MARK_BYTES]);

impl Mark {
    /// Spells three bytes.
    #[must_use]
    pub fn new(bytes: [u8; 3]) -> Self {
        let mut mark = [0; MARK_BYTES];
        BASE64URL_NOPAD.encode_mut(&bytes, &mut mark);
        Self(mark)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Sid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Sid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        Self::parse(text).ok_or_else(|| de::Error::custom("not an id"))
    }
}

/// Finds rows by the id that each of them holds: about eight bytes a row, since the ids stay where they are.
///
/// Ids are random, or chosen by the application, never by a client: a multiplication is hash enough.
/// Open addressing with steps of one. Invariant: between a row's place and the one its id asks for, no place is free.
#[derive(Debug, Default)]
pub struct SidIndex {
    places: Vec<u32>,
    len: usize,
}

const FREE: u32 = u32::MAX;

/// Places of the smallest table.
const PLACES_MIN: usize = 8;

impl SidIndex {
    /// No rows, no memory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            places: Vec::new(),
            len: 0,
        }
    }

    /// How many rows are in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no row is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The row that holds `id`, where `id_of` tells a row's id.
    #[must_use]
    pub fn find(&self, id: Sid, id_of: impl Fn(u32) -> Sid) -> Option<u32> {
        let at = self.place_of(id, id_of)?;
        Some(self.places[at])
    }

    /// Adds a row that holds `id`, which no row does yet.
    ///
    /// # Panics
    /// If `row` is `u32::MAX`, which no slab has room for.
    pub fn insert(&mut self, id: Sid, row: u32, id_of: impl Fn(u32) -> Sid) {
        assert_ne!(row, FREE, "fewer than 2^32 rows are alive");
        debug_assert!(self.find(id, &id_of).is_none(), "an id is given once");
        // At most three quarters are taken, so that a search meets a free place soon.
        if (self.len + 1) * 4 > self.places.len() * 3 {
            self.resize((self.places.len() * 2).max(PLACES_MIN), id_of);
        }
        self.put(id, row);
        self.len += 1;
    }

    /// Takes out the row that holds `id`.
    pub fn remove(&mut self, id: Sid, id_of: impl Fn(u32) -> Sid) -> Option<u32> {
        let mut free = self.place_of(id, &id_of)?;
        let row = self.places[free];
        let mask = self.places.len() - 1;
        let mut at = free;
        loop {
            at = (at + 1) & mask;
            if self.places[at] == FREE {
                break;
            }
            // Who asked for a place at or before the free one moves there, so that no gap is left in between.
            let wanted = hash(id_of(self.places[at])) & mask;
            if (at.wrapping_sub(wanted) & mask) >= (at.wrapping_sub(free) & mask) {
                self.places[free] = self.places[at];
                free = at;
            }
        }
        self.places[free] = FREE;
        self.len -= 1;
        if self.len == 0 {
            self.places = Vec::new();
        } else if self.places.len() > PLACES_MIN && self.len * 8 < self.places.len() {
            self.resize(self.places.len() / 2, id_of);
        }
        Some(row)
    }

    fn place_of(&self, id: Sid, id_of: impl Fn(u32) -> Sid) -> Option<usize> {
        let mask = self.places.len().checked_sub(1)?;
        let mut at = hash(id) & mask;
        loop {
            match self.places[at] {
                FREE => return None,
                row if id_of(row) == id => return Some(at),
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn put(&mut self, id: Sid, row: u32) {
        let mask = self.places.len() - 1;
        let mut at = hash(id) & mask;
        while self.places[at] != FREE {
            at = (at + 1) & mask;
        }
        self.places[at] = row;
    }

    fn resize(&mut self, places: usize, id_of: impl Fn(u32) -> Sid) {
        for row in std::mem::replace(&mut self.places, vec![FREE; places]) {
            if row != FREE {
                self.put(id_of(row), row);
            }
        }
    }
}

/// The first and the last eight characters, of which chosen ids may have the ones in common, mixed by a multiplication,
/// since each character holds six bits of eight.
fn hash(id: Sid) -> usize {
    let first = u64::from_le_bytes(id.0.first_chunk().copied().unwrap_or_default());
    let last = u64::from_le_bytes(id.0.last_chunk().copied().unwrap_or_default());
    let mixed = (first ^ last.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // The high half depends on all of the characters.
    usize::try_from(mixed >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use std::collections::HashMap;

    #[test]
    fn an_id_is_twenty_url_safe_characters_and_reads_back() {
        let mut rng = StdRng::seed_from_u64(7);
        for _ in 0..1000 {
            let id = Sid::new(&mut rng);
            assert_eq!(id.to_string().len(), SID_BYTES);
            assert_eq!(Sid::parse(id.as_str()), Some(id));
        }
    }

    #[test]
    fn a_seed_decides_the_ids_and_each_is_new() {
        let mut rng = StdRng::seed_from_u64(1);
        let (first, second) = (Sid::new(&mut rng), Sid::new(&mut rng));
        assert_ne!(first, second);
        assert_eq!(Sid::new(&mut StdRng::seed_from_u64(1)), first);
    }

    #[test]
    fn what_cannot_be_an_id_is_refused() {
        for text in [
            "",
            "short",
            "nineteen-characters",
            "twenty-one-characters",
            "with a space in here",
            "with+a+plus+in+there",
            "with/a/slash/in/here",
            "zwanzig-b\u{e4}renpfoten",
        ] {
            assert_eq!(Sid::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_index_agrees_with_a_map_whatever_happens() {
        for seed in 0..20 {
            eprintln!("seed {seed}");
            let mut rng = StdRng::seed_from_u64(seed);
            let ids: Vec<_> = (0..200).map(|_| Sid::new(&mut rng)).collect();
            let id_of = |row: u32| ids[row as usize];
            let (mut index, mut map) = (SidIndex::new(), HashMap::new());
            for step in 0..3000 {
                let row = rng.random_range(0..200_u32);
                let id = id_of(row);
                // More come than go for a while, then the other way round, so that the table grows and shrinks.
                let is_flood = step % 1000 < 500;
                if map.contains_key(&id) && rng.random_bool(if is_flood { 0.2 } else { 0.9 }) {
                    assert_eq!(index.remove(id, id_of), map.remove(&id));
                } else if !map.contains_key(&id) && is_flood {
                    index.insert(id, row, id_of);
                    map.insert(id, row);
                }
                for id in &ids {
                    assert_eq!(index.find(*id, id_of), map.get(id).copied());
                }
                assert!(index.places.len() <= PLACES_MIN.max(map.len() * 8));
            }
        }
    }

    #[test]
    fn ids_with_the_same_beginning_are_told_apart() {
        let ids: Vec<_> = (100..160)
            .map(|end| Sid::parse(&format!("aaaaaaaaaaaaaaaaa{end}")).unwrap())
            .collect();
        let id_of = |row: u32| ids[row as usize];
        let mut index = SidIndex::new();
        for (id, row) in ids.iter().zip(0..) {
            index.insert(*id, row, id_of);
        }
        for (id, row) in ids.iter().zip(0..).filter(|(_, row)| row % 2 == 0) {
            assert_eq!(index.remove(*id, id_of), Some(row));
        }
        for (id, row) in ids.iter().zip(0..) {
            assert_eq!(index.find(*id, id_of), (row % 2 == 1).then_some(row));
        }
    }
}
