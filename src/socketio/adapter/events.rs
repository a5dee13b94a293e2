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

    pub(super) fn record_end_of_virtual(&mut self, row: u32) {
        if self.records {
            let id = self.sockets[row as usize].id;
            let name: Rc<str> = Rc::from(id.as_str());
            self.events.push_back(RoomEvent::Left(Rc::clone(&name), id));
            self.events.push_back(RoomEvent::Deleted(name));
        }
    }

    pub(super) fn record(&mut self, event: impl FnOnce() -> RoomEvent) {
        if self.records {
            self.events.push_back(event());
        }
    }
}
