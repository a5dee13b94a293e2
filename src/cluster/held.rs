//! What this node has said and waits for itself: events that its own clients hear when they come back through the stream, in the
//! stream's order and with the place that they have in it.
//!
//! Wishes come in with whether they went out; they go out when their entry was read, or when it is clear that it will not be. They
//! stay in order: what did not go out waits for what went out before it.
//! Knows no stream. Invariant: numbers grow, and none is released twice, so that an entry that is read late finds nothing.

use std::collections::VecDeque;

use crate::server::cluster::Wish;

#[derive(Debug)]
struct One {
    number: u64,
    is_said: bool,
    wish: Wish,
    bytes: usize,
}

/// A wish that waits no longer.
#[derive(Debug)]
pub(super) enum Released {
    /// Its entry has come.
    Read(Wish),
    /// None will come, or not in time.
    Alone(Wish),
}

/// All that wait.
#[derive(Debug, Default)]
pub(super) struct Held {
    waiting: VecDeque<One>,
    next: u64,
    bytes: usize,
}

/// What one weighs beside its arguments.
const BYTES: usize = 256;

impl Held {
    /// Something is said; it is known by a number.
    pub(super) fn push(&mut self, wish: Wish) -> u64 {
        let number = self.next;
        self.next += 1;
        let bytes = BYTES
            + match &wish {
                Wish::Emit { values, .. } => {
                    let attachments = values.attachments.iter();
                    values.list.len() + attachments.map(|bytes| bytes.len()).sum::<usize>()
                }
                _ => 0,
            };
        self.bytes += bytes;
        self.waiting.push_back(One {
            number,
            is_said: true,
            wish,
            bytes,
        });
        number
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// It did not go out.
    pub(super) fn not_said(&mut self, number: u64) -> Vec<Released> {
        let place = self.waiting.binary_search_by_key(&number, |one| one.number);
        if let Ok(place) = place {
            self.waiting[place].is_said = false;
        }
        let mut released = Vec::new();
        self.release_unsaid(&mut released);
        released
    }

    /// Its entry was read.
    pub(super) fn read(&mut self, number: u64) -> Vec<Released> {
        let mut released = Vec::new();
        while self.waiting.front().is_some_and(|one| one.number < number) {
            // Redis keeps the order: whose entry did not come before this one has none.
            released.extend(self.pop().map(Released::Alone));
        }
        if self.waiting.front().is_some_and(|one| one.number == number) {
            released.extend(self.pop().map(Released::Read));
        }
        self.release_unsaid(&mut released);
        released
    }

    /// Nothing will come for now.
    pub(super) fn release_all(&mut self) -> Vec<Released> {
        let all = std::iter::from_fn(|| self.pop());
        all.map(Released::Alone).collect()
    }

    fn release_unsaid(&mut self, released: &mut Vec<Released>) {
        while self.waiting.front().is_some_and(|one| !one.is_said) {
            released.extend(self.pop().map(Released::Alone));
        }
    }

    fn pop(&mut self) -> Option<Wish> {
        let one = self.waiting.pop_front()?;
        self.bytes -= one.bytes;
        Some(one.wish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::cluster::{Values, Whom};

    fn wish(name: &str) -> Wish {
        Wish::Emit {
            to: Whom {
                namespace: "/".into(),
                rooms: Vec::new(),
                except: Vec::new(),
            },
            event: name.into(),
            values: Values::default(),
            is_volatile: false,
            stays_plain: false,
            request: None,
        }
    }

    fn names(released: Vec<Released>) -> Vec<String> {
        let one = |released: Released| match released {
            Released::Read(Wish::Emit { event, .. }) => format!("{event} read"),
            Released::Alone(Wish::Emit { event, .. }) => format!("{event} alone"),
            other => panic!("{other:?}"),
        };
        released.into_iter().map(one).collect()
    }

    #[test]
    fn what_comes_back_is_released_in_order_and_once() {
        let mut held = Held::default();
        let numbers: Vec<_> = ["a", "b", "c"].map(|name| held.push(wish(name))).into();
        assert_eq!(names(held.read(numbers[0])), ["a read"]);
        assert_eq!(names(held.read(numbers[0])), [""; 0]);
        assert_eq!(names(held.read(numbers[2])), ["b alone", "c read"]);
        assert_eq!(held.bytes(), 0);
    }

    #[test]
    fn what_did_not_go_out_waits_for_what_went_before_it() {
        let mut held = Held::default();
        let numbers: Vec<_> = ["a", "b", "c"].map(|name| held.push(wish(name))).into();
        assert_eq!(names(held.not_said(numbers[1])), [""; 0]);
        assert_eq!(names(held.read(numbers[0])), ["a read", "b alone"]);
        assert_eq!(names(held.not_said(numbers[2])), ["c alone"]);
        assert_eq!(held.bytes(), 0);
    }

    #[test]
    fn what_is_released_without_its_entry_is_not_released_again_with_it() {
        let mut held = Held::default();
        let number = held.push(wish("a"));
        assert!(held.bytes() > 0);
        assert_eq!(names(held.release_all()), ["a alone"]);
        assert_eq!(names(held.read(number)), [""; 0]);
        assert_eq!(names(held.not_said(number)), [""; 0]);
    }
}
