//! Rows by index, and ids that know when their row has gone.
//!
//! [`Slots`] is a slab whose ids carry a generation: an id that outlives its row finds nothing, never its successor.
//! [`Side`] keeps further values for the rows of somebody else's slots, under the same ids.
//! Both are frozen with their indices and generations, so that every id stays what it was.
//! Knows nothing of what the rows are.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::de::{self, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use slab::Slab;

#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// Slots of a frozen table: more than the descriptors that any system gives to a process, and no more than a
/// damaged index can be allowed to reserve memory for.
const FROZEN_SLOTS_MAX: u32 = 1 << 22;

/// A row's place and generation: `Copy`, eight bytes, and harmless when stale.
pub struct Id<T> {
    slot: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// An id from its parts, as [`Id::slot`] and [`Id::generation`] gave them.
    #[must_use]
    pub const fn from_parts(slot: u32, generation: u32) -> Self {
        Self {
            slot,
            generation,
            of: PhantomData,
        }
    }

    /// The row's index, which a later row may be given again.
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// What tells this row from earlier and later ones in the same slot.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.slot == other.slot && self.generation == other.generation
    }
}
impl<T> Eq for Id<T> {}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.slot.hash(state);
        self.generation.hash(state);
    }
}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.slot, self.generation).cmp(&(other.slot, other.generation))
    }
}
/// `slot.generation`, as in the log: `session 7.2`.
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.slot, self.generation).serialize(serializer)
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (slot, generation) = Deserialize::deserialize(deserializer)?;
        if slot >= FROZEN_SLOTS_MAX {
            return Err(de::Error::custom("an index beyond all tables"));
        }
        Ok(Self::from_parts(slot, generation))
    }
}

/// Rows of `T`, each reached by an [`Id`].
///
/// Generations count insertions, so the same pair of slot and generation comes back only after 2³² of them.
#[derive(Debug)]
pub struct Slots<T> {
    rows: Slab<(u32, T)>,
    next_generation: u32,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            rows: Slab::new(),
            next_generation: 0,
        }
    }
}

impl<T> Slots<T> {
    /// No rows, no memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows of a frozen table under the ids they had; `next_generation` is what [`Slots::next_generation`] said.
    #[must_use]
    pub fn thaw(rows: impl IntoIterator<Item = (Id<T>, T)>, next_generation: u32) -> Self {
        let rows = rows.into_iter();
        // By slot, and each once: a slab makes room for all below the largest.
        let rows: BTreeMap<_, _> = rows
            .map(|(id, row)| (id.slot as usize, (id.generation, row)))
            .collect();
        Self {
            rows: rows.into_iter().collect(),
            next_generation,
        }
    }

    /// The generation that the next row will have.
    #[must_use]
    pub const fn next_generation(&self) -> u32 {
        self.next_generation
    }

    /// Adds a row.
    ///
    /// # Panics
    /// With 2³² rows alive, which no machine holds.
    pub fn insert(&mut self, row: T) -> Id<T> {
        self.insert_with(|_| row)
    }

    /// Adds a row that wants to know its own id.
    pub fn insert_with(&mut self, make: impl FnOnce(Id<T>) -> T) -> Id<T> {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let vacant = self.rows.vacant_entry();
        let slot = u32::try_from(vacant.key()).expect("fewer than 2^32 rows are alive");
        let id = Id::from_parts(slot, generation);
        vacant.insert((generation, make(id)));
        id
    }

    /// The row, unless it has gone.
    #[must_use]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        match self.rows.get(id.slot as usize) {
            Some((generation, row)) if is_same(*generation, id) => Some(row),
            _ => None,
        }
    }

    /// The row, unless it has gone.
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        match self.rows.get_mut(id.slot as usize) {
            Some((generation, row)) if is_same(*generation, id) => Some(row),
            _ => None,
        }
    }

    /// Whether the row is still there.
    #[must_use]
    pub fn contains(&self, id: Id<T>) -> bool {
        self.get(id).is_some()
    }

    /// Takes the row out; its id finds nothing from now on.
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        self.get(id)?;
        Some(self.rows.remove(id.slot as usize).1)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The id of the row that is in `slot` just now.
    #[must_use]
    pub fn id_at(&self, slot: u32) -> Option<Id<T>> {
        self.rows
            .get(slot as usize)
            .map(|(generation, _)| Id::from_parts(slot, *generation))
    }

    /// The row in a slot, of whichever generation.
    #[must_use]
    pub fn row_at(&self, slot: u32) -> Option<&T> {
        self.rows.get(slot as usize).map(|(_, row)| row)
    }

    /// All rows with their ids, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.rows
            .iter()
            .map(|(slot, (generation, row))| (id_of(slot, *generation), row))
    }

    /// All rows with their ids, by slot.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Id<T>, &mut T)> {
        self.rows
            .iter_mut()
            .map(|(slot, (generation, row))| (id_of(slot, *generation), row))
    }
}

/// Whether a row is the one that an id names.
#[cfg(not(feature = "world"))]
const fn is_same<T>(generation: u32, id: Id<T>) -> bool {
    generation == id.generation
}

/// Whether a row is the one that an id names.
#[cfg(feature = "world")]
fn is_same<T>(generation: u32, id: Id<T>) -> bool {
    generation == id.generation || world::is_planted(Bug::NoGeneration)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "insert_with refuses slots beyond u32"
)]
const fn id_of<T>(slot: usize, generation: u32) -> Id<T> {
    Id::from_parts(slot as u32, generation)
}

/// Values of `V` beside the rows of somebody else's [`Slots<T>`], under the same ids.
///
/// A value left behind by an earlier generation is invisible and overwritten by the next [`Side::insert`].
#[derive(Debug)]
pub struct Side<T, V> {
    values: Vec<Option<(u32, V)>>,
    of: PhantomData<fn() -> T>,
}

impl<T, V> Default for Side<T, V> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            of: PhantomData,
        }
    }
}

impl<T, V> Side<T, V> {
    /// No values, no memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value for `id`.
    pub fn insert(&mut self, id: Id<T>, value: V) {
        let slot = id.slot as usize;
        if slot >= self.values.len() {
            self.values.resize_with(slot + 1, || None);
        }
        self.values[slot] = Some((id.generation, value));
    }

    /// The value of `id`.
    #[must_use]
    pub fn get(&self, id: Id<T>) -> Option<&V> {
        match self.values.get(id.slot as usize) {
            Some(Some((generation, value))) if is_same(*generation, id) => Some(value),
            _ => None,
        }
    }

    /// The value of `id`.
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut V> {
        match self.values.get_mut(id.slot as usize) {
            Some(Some((generation, value))) if is_same(*generation, id) => Some(value),
            _ => None,
        }
    }

    /// Takes the value of `id` out.
    pub fn remove(&mut self, id: Id<T>) -> Option<V> {
        self.get(id)?;
        self.values[id.slot as usize].take().map(|(_, value)| value)
    }

    /// All values with their ids, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &V)> {
        self.values.iter().enumerate().filter_map(|(slot, entry)| {
            entry
                .as_ref()
                .map(|(generation, value)| (id_of(slot, *generation), value))
        })
    }
}

impl<T, V> Side<T, V> {
    /// All values with their ids, by slot.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Id<T>, &mut V)> {
        let entries = self.values.iter_mut().enumerate();
        entries.filter_map(|(slot, entry)| {
            entry
                .as_mut()
                .map(|(generation, value)| (id_of(slot, *generation), value))
        })
    }
}

impl<T, V: Serialize> Serialize for Side<T, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.iter().collect::<Vec<_>>().serialize(serializer)
    }
}

impl<'de, T, V: Deserialize<'de>> Deserialize<'de> for Side<T, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut side = Self::new();
        for (id, value) in Vec::<(Id<T>, V)>::deserialize(deserializer)? {
            side.insert(id, value);
        }
        Ok(side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_id_finds_nothing_after_its_slot_was_given_again() {
        let mut slots = Slots::new();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_eq!(first.slot(), second.slot());
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&"second"));
        assert_eq!(slots.id_at(second.slot()), Some(second));
    }

    #[test]
    fn a_value_at_the_side_is_invisible_to_the_next_generation() {
        let mut slots = Slots::new();
        let mut side = Side::new();
        let first = slots.insert(());
        side.insert(first, 1);
        slots.remove(first);
        let second = slots.insert(());
        assert_eq!(side.get(second), None);
        side.insert(second, 2);
        assert_eq!((side.get(first), side.get(second)), (None, Some(&2)));
        assert_eq!(side.remove(first), None);
        assert_eq!(side.remove(second), Some(2));
    }

    #[test]
    fn an_id_prints_as_slot_and_generation() {
        let mut slots = Slots::new();
        slots.insert('a');
        assert_eq!(slots.insert('b').to_string(), "1.1");
    }

    #[test]
    fn ids_mean_the_same_rows_after_a_freeze_and_stale_ones_still_nothing() {
        let mut slots = Slots::new();
        let ids = ["a", "b", "c"].map(|name| slots.insert(name.to_owned()));
        slots.remove(ids[1]);
        let rows: Vec<_> = slots.iter().map(|(id, row)| (id, row.clone())).collect();
        let mut thawed = Slots::thaw(rows, slots.next_generation());
        assert_eq!(thawed.get(ids[0]).map(String::as_str), Some("a"));
        assert_eq!(thawed.get(ids[1]), None);
        assert_eq!(thawed.get(ids[2]).map(String::as_str), Some("c"));
        let next = thawed.insert("d".to_owned());
        assert_eq!((next.slot(), next.generation()), (1, 3));
    }

    #[test]
    fn a_frozen_index_beyond_all_tables_is_refused() {
        let id = Id::<String>::from_parts(u32::MAX, 0);
        let bytes = postcard::to_stdvec(&vec![(id, 1)]).unwrap();
        assert!(postcard::from_bytes::<Side<String, i32>>(&bytes).is_err());
    }
}
