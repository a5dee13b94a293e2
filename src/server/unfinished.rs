//! Bodies in chunks and messages in fragments whose end has not come: what all of them hold together.
//!
//! What a connection holds is told each time it was read; beyond the limit the one that holds most is closed.
//! Knows no content. What lies unread in an inbox is the reactor's to count, and so is a body of known length.

use super::App;
use super::core::Core;
use crate::reactor::{Close, ConnId};

/// A connection holds so much from now on. In a row it takes four bytes: what is more than those can say is as good as that.
#[inline]
pub(super) fn count(total: &mut usize, of_one: &mut u32, now: usize) {
    let now = u32::try_from(now).unwrap_or(u32::MAX);
    if now != *of_one {
        *total = *total - *of_one as usize + now as usize;
        *of_one = now;
    }
}

impl<A: App> Core<A> {
    /// If too much is held of all, the connection that holds most goes.
    #[inline]
    pub(super) fn make_room_for_unfinished(&mut self) {
        if self.unfinished_bytes > self.config.engine.unfinished_bytes_max
            && let Some(conn) = self.holds_most()
        {
            self.counters.connections_cut += 1;
            log::debug!("connection {conn} was cut: too much was held of all");
            self.close(conn, Close::Reset);
        }
    }

    fn holds_most(&self) -> Option<ConnId> {
        let conns = self.conns.iter();
        conns
            .max_by_key(|(_, row)| row.unfinished_bytes)
            .map(|(conn, _)| conn)
    }

    /// Counts anew what the connections of a thawed server hold.
    pub(super) fn count_unfinished(&mut self) {
        let held = self
            .conns
            .iter()
            .map(|(_, row)| row.unfinished_bytes as usize);
        self.unfinished_bytes = held.sum();
    }
}
