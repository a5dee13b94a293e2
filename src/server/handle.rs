//! A way into the loop from other threads.
//!
//! Work goes in as a closure, which runs on the loop with the application and the server lent to it, like any handler. How
//! many may wait is bounded, and whoever posts is told when the loop is full or gone.

use std::fmt;
use std::marker::PhantomData;

use super::App;
use super::views::Context;
use crate::reactor::{self, Letter};

/// Work from another thread.
pub(super) type Task<A> = Box<dyn FnOnce(&mut Context<'_, A>) + Send>;

/// Reaches a running server from any thread; cheap to clone.
pub struct Handle<A: App> {
    door: reactor::Handle,
    of: PhantomData<fn() -> A>,
}

impl<A: App> Clone for Handle<A> {
    fn clone(&self) -> Self {
        Self {
            door: self.door.clone(),
            of: PhantomData,
        }
    }
}

/// Why work was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPosted {
    /// [`crate::config::Reactor::letters_max`] are waiting: try again later.
    Full,
    /// The loop has ended.
    Gone,
}

impl fmt::Display for NotPosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too much work is waiting for the loop",
            Self::Gone => "the loop has ended",
        })
    }
}

impl std::error::Error for NotPosted {}

impl<A: App> Handle<A> {
    pub(super) const fn new(door: reactor::Handle) -> Self {
        Self {
            door,
            of: PhantomData,
        }
    }

    /// Runs `work` on the loop, soon.
    ///
    /// # Errors
    /// If too much is waiting, or the loop has ended. The work is dropped then.
    pub fn run(
        &self,
        work: impl FnOnce(&mut Context<'_, A>) + Send + 'static,
    ) -> Result<(), NotPosted> {
        let task: Task<A> = Box::new(work);
        let letter: Letter = Box::new(task);
        self.door
            .post(letter)
            .map_err(|undelivered| match undelivered {
                reactor::Undelivered::Full(_) => NotPosted::Full,
                reactor::Undelivered::Gone(_) => NotPosted::Gone,
            })
    }

    /// Asks the server to end, as a SIGTERM would.
    pub fn stop(&self) {
        self.door.stop();
    }
}
