//! The rooms of those who are away: each counts as long as somebody may come back to it.
//!
//! Rooms come in with who goes away and out with who comes back or does not; whether a room is among them, is answered.
//! Knows nobody by name.

use std::collections::HashMap;

use crate::socketio::NamespaceId;

/// How many of those who are away may come back to each room.
#[derive(Default)]
pub(super) struct AwayRooms(HashMap<NamespaceId, HashMap<Box<str>, usize>>);

impl AwayRooms {
    pub(super) fn has(&self, namespace: NamespaceId, room: &str) -> bool {
        let rooms = self.0.get(&namespace);
        rooms.is_some_and(|rooms| rooms.contains_key(room))
    }

    pub(super) fn add(&mut self, namespace: NamespaceId, rooms: &[Box<str>]) {
        let counts = self.0.entry(namespace).or_default();
        for room in rooms {
            *counts.entry(room.clone()).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, namespace: NamespaceId, rooms: &[Box<str>]) {
        let Some(counts) = self.0.get_mut(&namespace) else {
            return;
        };
        for room in rooms {
            if let Some(count) = counts.get_mut(room) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(room);
                }
            }
        }
        if counts.is_empty() {
            self.0.remove(&namespace);
        }
    }
}
