//! What happens to rooms, for whoever asked to be told.
//!
//! Joins and leaves are written down as they happen, and taken one by one.
//! Knows nobody who listens; without one nothing is kept.

use std::collections::VecDeque;
use std::rc::Rc;

use super::{Adapter, SocketId};

/// What happened to a room, in the order and with the conditions of the official adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomEvent {
    /// The first socket is about to join (`create-room`).
    Created(Rc<str>),
    /// The last socket has left (`delete-room`).
    Deleted(Rc<str>),
    /// A socket joined (`join-room`).
    Joined(Rc<str>, SocketId),
    /// A socket left (`leave-room`).
    Left(Rc<str>, SocketId),
}

impl Adapter {
    /// Whether room events are kept for [`Adapter::poll_event`]. They are not, unless somebody asks for them.
    pub fn record_events(&mut self, on: bool) {
        self.records = on;
        if !on {
            self.events = VecDeque::new();
        }
    }

    /// Whether they are.
    #[must_use]
    pub const fn records_events(&self) -> bool {
        self.records
    }

    /// The oldest room event. Nothing bounds their number but the caller, who takes them all after each call.
    pub fn poll_event(&mut self) -> Option<RoomEvent> {
        self.events.pop_front()
    }

    /// Rooms that come or go are noted from now on for [`Adapter::poll_room`], those that are here first.
    pub fn note_rooms(&mut self) {
        self.notes_rooms = true;
        let mut names: Vec<Rc<str>> = self.room_names().map(Rc::from).collect();
        // The maps have no order, and the same run is to have the same.
        names.sort_unstable();
        self.stirred = names.into();
    }

    /// A room may have come or gone for another reason than who is in it.
    pub fn note_room(&mut self, name: &str) {
        if self.notes_rooms {
            self.stirred.push_back(name.into());
        }
    }

    /// The next room that may have come or gone; whether it is there, is to be seen. Nothing bounds their number but the
    /// caller, who takes them all after each call.
    pub fn poll_room(&mut self) -> Option<Rc<str>> {
        self.stirred.pop_front()
    }

    pub(super) fn note(&mut self, name: &Rc<str>) {
        if self.notes_rooms {
            self.stirred.push_back(Rc::clone(name));
        }
    }

    pub(super) fn record_end_of_virtual(&mut self, row: u32) {
        if self.records || self.notes_rooms {
            let id = self.sockets[row as usize].id;
            let name: Rc<str> = Rc::from(id.as_str());
            self.note(&name);
            self.record(|| RoomEvent::Left(Rc::clone(&name), id));
            self.record(|| RoomEvent::Deleted(name));
        }
    }

    pub(super) fn record(&mut self, event: impl FnOnce() -> RoomEvent) {
        if self.records {
            self.events.push_back(event());
        }
    }
}
