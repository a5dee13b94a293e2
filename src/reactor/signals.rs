//! SIGTERM and SIGINT as readiness.
//!
//! Signals come in through a pipe that the loop polls; how many have come goes out.
//! Knows nothing of what stopping means.
//! Left out: SIGHUP and SIGUSR1, which have nothing to do yet.

use std::io;

use mio::{Registry, Token};
use rustix::process::Signal;
use signal_hook_mio::v1_0::Signals as Pipe;

/// The two signals that ask a process to end.
pub(super) struct Signals {
    pipe: Pipe,
}

impl Signals {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let mut pipe = Pipe::new([Signal::TERM.as_raw(), Signal::INT.as_raw()])?;
        registry.register(&mut pipe, token, mio::Interest::READABLE)?;
        Ok(Self { pipe })
    }

    /// How many came since the last time; the same signal twice within a turn counts once.
    pub(super) fn arrived(&mut self) -> u32 {
        self.pipe.pending().fold(0, |count, _| count + 1)
    }
}
