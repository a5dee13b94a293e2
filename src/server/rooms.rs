//! Rooms: several at once, all of them, and how many there are of each thing.
//!
//! What joining means is the adapter's to say ([`crate::socketio::Adapter`]); single rooms are joined and left beside the
//! views they belong to.

use super::App;
use super::cluster::Wish;
use super::core::Core;
use super::operator::Operator;
use super::socket::Socket;
use super::views::Io;
use crate::socketio::SocketKey;

impl<A: App> Socket<'_, A> {
    /// Enters several rooms.
    pub fn join_each(&mut self, rooms: impl IntoIterator<Item = impl AsRef<str>>) {
        for room in rooms {
            self.join(room.as_ref());
        }
    }

    /// Leaves several rooms.
    pub fn leave_each(&mut self, rooms: impl IntoIterator<Item = impl AsRef<str>>) {
        for room in rooms {
            self.leave(room.as_ref());
        }
    }

    /// Leaves all rooms, its own included: from now on it hears what is said to everybody, and nothing else.
    pub fn leave_all(&mut self) {
        self.io.core.leave_all_rooms(self.key);
    }
}

impl<A: App> Operator<'_, A> {
    /// All of them enter several rooms.
    pub fn join_each<R: AsRef<str>>(mut self, rooms: &[R]) {
        self.wish(|to| Wish::Join {
            to,
            rooms: names(rooms),
        });
        self.for_each(|core, key| core.join_each(key, rooms));
    }

    /// All of them leave several rooms.
    pub fn leave_each<R: AsRef<str>>(mut self, rooms: &[R]) {
        if rooms.is_empty() {
            return;
        }
        self.wish(|to| Wish::Leave {
            to,
            rooms: names(rooms),
        });
        self.for_each(|core, key| core.leave_each(key, rooms));
    }

    /// All of them leave all their rooms, their own included.
    pub fn leave_all(mut self) {
        self.wish(|to| Wish::Leave {
            to,
            rooms: Vec::new(),
        });
        self.for_each(Core::leave_all_rooms);
    }
}

impl<A: App> Io<'_, A> {
    /// How many sockets of a namespace are in a room: nothing is listed for it. Sockets that are still being authorized
    /// count if they have joined, and so do those on their way out until they have left.
    #[must_use]
    pub fn room_size(&self, namespace: &str, room: &str) -> usize {
        let namespaces = self.core.sockets.namespaces();
        let id = namespaces.find(namespace);
        id.map_or(0, |id| self.core.sockets.adapter(id).size(room))
    }

    /// How many rooms there are in a namespace, the sockets' own included. Looks at each socket.
    #[must_use]
    pub fn room_count(&self, namespace: &str) -> usize {
        let namespaces = self.core.sockets.namespaces();
        let id = namespaces.find(namespace);
        id.map_or(0, |id| self.core.sockets.adapter(id).room_names().count())
    }

    /// How many sockets there are in a namespace: nothing is listed for it. Counted as in [`Io::room_size`].
    #[must_use]
    pub fn socket_count(&self, namespace: &str) -> usize {
        let namespaces = self.core.sockets.namespaces();
        let id = namespaces.find(namespace);
        id.map_or(0, |id| self.core.sockets.adapter(id).len())
    }
}

fn names<R: AsRef<str>>(rooms: &[R]) -> Vec<Box<str>> {
    rooms.iter().map(|room| room.as_ref().into()).collect()
}

impl<A: App> Core<A> {
    pub(super) fn join_each<R: AsRef<str>>(&mut self, key: SocketKey, rooms: &[R]) {
        for room in rooms {
            self.join(key, room.as_ref());
        }
    }

    pub(super) fn leave_each<R: AsRef<str>>(&mut self, key: SocketKey, rooms: &[R]) {
        for room in rooms {
            self.leave_room(key, room.as_ref());
        }
    }

    pub(super) fn leave_all_rooms(&mut self, key: SocketKey) {
        let Some(namespace) = self.sockets.namespace_of(key) else {
            return;
        };
        let rooms = self.sockets.adapter(namespace).rooms(key);
        let rooms: Vec<_> = rooms.map(ToOwned::to_owned).collect();
        for room in rooms {
            self.leave_room(key, &room);
        }
    }
}
