//! The whole server as bytes, and another one made of them, in the middle of everything.
//!
//! What a restart will do without losing a connection: the links and their bytes under way stay, the clock and the source of
//! chance are others. Every invariant goes on holding, since clients must not notice.
//! Left out: a process that really ends; there is none here.

use std::rc::Rc;

use roomcast::server::FreezeError;

use super::{World, app};

/// Turns in which the server may have something to say before it can be frozen.
const TRIES_MAX: u32 = 100;

impl World {
    pub(super) fn perhaps_freeze(&mut self) -> Result<(), String> {
        let weight = self.net.weights.freeze;
        if weight == 0 || !self.net.chance.often(weight) {
            return Ok(());
        }
        let bytes = self.freeze()?;
        self.freezes += 1;
        let seed = self.seed ^ (self.freezes << 32);
        let mut server = app::town(self.net.weights.config(), Rc::clone(&self.books), seed);
        self.net.change_clock();
        server
            .thaw(self.net.clock(), &bytes)
            .map_err(|error| format!("L1: cannot be thawed: {error}"))?;
        self.server = server;
        self.net.trace.bytes(&self.freezes.to_le_bytes());
        self.net.turn(&mut self.server);
        self.check()
    }

    fn freeze(&mut self) -> Result<Vec<u8>, String> {
        for _ in 0..TRIES_MAX {
            let before = self.what_is_under_way();
            match self.server.freeze(self.net.clock()) {
                Ok(bytes) => {
                    for mark in before {
                        self.net.marks.hit(mark);
                    }
                    return Ok(bytes);
                }
                Err(FreezeError::Unsaid) => self.net.turn(&mut self.server),
                Err(error) => return Err(format!("L1: cannot be frozen: {error}")),
            }
        }
        Err("L1: has always something to say and cannot be frozen".to_owned())
    }

    /// What makes this moment a hard one.
    fn what_is_under_way(&self) -> Vec<&'static str> {
        let census = self.server.census();
        let rows = [
            (census.engine.probing > 0, "frozen in an upgrade"),
            (census.engine.parked > 0, "frozen with a parked poll"),
            (
                census.engine.waiting_bytes > 0,
                "frozen while a queue waited",
            ),
            (census.assembling > 0, "frozen between attachments"),
            (census.half_heads > 0, "frozen in a head"),
            (census.half_bodies > 0, "frozen in a body"),
            (census.half_frames > 0, "frozen in a frame"),
            (self.net.has_left_over(), "frozen with bytes left over"),
        ];
        let is_so = rows.into_iter().filter(|(is_so, _)| *is_so);
        is_so.map(|(_, mark)| mark).collect()
    }
}
