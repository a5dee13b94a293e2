//! Who gets a broadcast: the union of some rooms without others, each socket once.
//!
//! Names of rooms come in, keys go out. Sockets are stamped with the selection's number as they are seen, so that no set is
//! built: one load a member.
//! Knows neither senders nor who is connected.

use super::{Adapter, Place, SocketKey};

impl Adapter {
    /// Appends to `into`, each once, the sockets in any room of `to` (all of the namespace if `to` is empty) that are in
    /// none of `except`. Rooms that do not exist have no members.
    pub fn select(
        &mut self,
        to: &[impl AsRef<str>],
        except: &[impl AsRef<str>],
        into: &mut Vec<SocketKey>,
    ) {
        if let ([room], []) = (to, except) {
            return into.extend_from_slice(self.slice(room.as_ref()));
        }
        let stamp = self.next_stamp();
        for room in except {
            self.stamp(room.as_ref(), stamp, |_| {});
        }
        if !to.is_empty() {
            for room in to {
                self.stamp(room.as_ref(), stamp, |key| into.push(key));
            }
        } else if except.is_empty() {
            into.extend(self.sockets.iter().map(|(_, row)| row.key));
        } else {
            let is_new = |key: &SocketKey| self.places[key.slot() as usize].stamp != stamp;
            into.extend(self.sockets.iter().map(|(_, row)| row.key).filter(is_new));
        }
    }

    fn next_stamp(&mut self) -> u32 {
        self.stamp = self.stamp.checked_add(1).unwrap_or_else(|| {
            // Once in four thousand million broadcasts: an old stamp must not look like a new one.
            self.places.iter_mut().for_each(|place| place.stamp = 0);
            1
        });
        self.stamp
    }

    /// Stamps the members of a room and shows those that did not have the stamp yet.
    fn stamp(&mut self, room: &str, stamp: u32, mut new: impl FnMut(SocketKey)) {
        let mut see = |places: &mut [Place], key: SocketKey| {
            let place = &mut places[key.slot() as usize];
            if place.stamp != stamp {
                place.stamp = stamp;
                new(key);
            }
        };
        if let Some(&room) = self.names.get(room) {
            for &key in &self.rooms[room as usize].members {
                see(&mut self.places, key);
            }
        } else if let Some(row) = self.virtual_owner(room) {
            see(&mut self.places, self.sockets[row as usize].key);
        }
    }
}
