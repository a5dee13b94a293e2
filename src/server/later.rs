//! What is to be done after some time: closures that wait for their moment.
//!
//! A closure and a delay come in, a timer is armed; the dispatcher calls the closure when that fires. How many may wait is
//! bounded, since who comes and goes often enough leaves one behind each time.
//! Left out: taking one back. It asks, when its time has come, whether it is still wanted.

use std::fmt;
use std::time::Duration;

use super::App;
use super::core::{Core, Due, Later};
use super::views::{Context, Io};

/// As many closures wait for their time as may ([`crate::config::SocketIo::later_max`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too much is waiting for its time")
    }
}

impl std::error::Error for Full {}

impl<A: App> Io<'_, A> {
    /// Runs `then` after some time, once: not earlier, and as soon as the loop gets to it. It cannot be taken back, and is not
    /// called if the server ends or is frozen before. One that is being called waits no more: if the first thing it asks for
    /// is to be called again, there is room.
    ///
    /// # Errors
    /// If [`later_max`](crate::config::SocketIo::later_max) wait already. `then` is dropped, and will not be called.
    pub fn after(
        &mut self,
        delay: Duration,
        then: impl FnOnce(&mut Context<'_, A>) + 'static,
    ) -> Result<(), Full> {
        self.core.after(delay, Box::new(then))
    }
}

impl<A: App> Core<A> {
    fn after(&mut self, delay: Duration, then: Later<A>) -> Result<(), Full> {
        if self.later.len() >= self.config.socketio.later_max {
            return Err(Full);
        }
        let number = self.number();
        self.later.insert(number, then);
        self.arm(self.now.mono + delay, Due::After(number));
        Ok(())
    }
}
