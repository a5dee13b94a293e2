//! A door to the loop for other threads.
//!
//! Letters and the wish to stop come in from any thread; the loop takes them out in its turn.
//! Knows nothing of what a letter says.
//! Left out: answers. A letter that wants one carries its own channel.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;

use super::Letter;

/// Posts letters to the loop, and asks it to stop; cheap to clone, and usable from any thread.
#[derive(Clone)]
pub struct Handle {
    postbox: Arc<Postbox>,
}

/// A letter that did not reach the loop, given back.
#[derive(Debug)]
pub enum Undelivered {
    /// As many letters wait as may: the loop is behind.
    Full(Letter),
    /// The loop has ended.
    Gone(Letter),
}

impl Handle {
    pub(super) const fn new(postbox: Arc<Postbox>) -> Self {
        Self { postbox }
    }

    /// Posts a letter; `posted` is told of it in the loop's next turn.
    ///
    /// # Errors
    /// If too many letters wait (`letters_max`), or the loop has ended.
    pub fn post(&self, letter: Letter) -> Result<(), Undelivered> {
        let mut mail = self.postbox.lock();
        if !mail.open {
            return Err(Undelivered::Gone(letter));
        }
        if mail.letters.len() >= self.postbox.letters_max {
            return Err(Undelivered::Full(letter));
        }
        // Who posted the first of those that wait has woken the loop, or is about to.
        let first = mail.letters.is_empty();
        mail.letters.push_back(letter);
        drop(mail);
        if first {
            self.postbox.wake();
        }
        Ok(())
    }

    /// Does what SIGTERM does: the first time the service is asked to stop, the second time the loop ends at once.
    pub fn stop(&self) {
        let mut mail = self.postbox.lock();
        mail.stops = mail.stops.saturating_add(1);
        drop(mail);
        self.postbox.wake();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// Where letters wait.
pub(super) struct Postbox {
    mail: Mutex<Mail>,
    letters_max: usize,
    waker: Arc<Waker>,
}

struct Mail {
    letters: VecDeque<Letter>,
    stops: u32,
    open: bool,
}

impl Postbox {
    pub(super) fn new(letters_max: usize, waker: Arc<Waker>) -> Self {
        let mail = Mail {
            letters: VecDeque::new(),
            stops: 0,
            open: true,
        };
        Self {
            mail: Mutex::new(mail),
            letters_max,
            waker,
        }
    }

    /// Swaps the waiting letters for an empty list, and takes the number of wishes to stop.
    pub(super) fn empty(&self, letters: &mut VecDeque<Letter>) -> u32 {
        let mut mail = self.lock();
        std::mem::swap(&mut mail.letters, letters);
        std::mem::take(&mut mail.stops)
    }

    /// Nobody will read any more. Letters that wait are dropped.
    pub(super) fn close(&self) {
        let mut mail = self.lock();
        mail.open = false;
        let letters = std::mem::take(&mut mail.letters);
        // A letter's own drop may post again: not while the lock is held.
        drop(mail);
        drop(letters);
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            // Only a full eventfd or pipe can refuse, and then the loop is being woken anyway.
            log::debug!("waking the loop: {error}");
        }
    }
}
