//! SIGTERM and SIGINT as readiness, and SIGXFSZ as nothing.
//!
//! Signals come in through a pipe that the loop polls; how many ask for an end goes out.
//! Knows nothing of what stopping means.
//! Left out: SIGHUP and SIGUSR1, which have nothing to do yet.

use std::io;

use mio::{Registry, Token};
use rustix::process::Signal;
use signal_hook_mio::v1_0::Signals as Pipe;

/// The two signals that ask a process to end. The third, which a write beyond the limit on the size of files brings, would end it:
/// taken, it leaves that write to fail by itself, and whoever wrote knows what to do.
pub(super) struct Signals {
    pipe: Pipe,
}

impl Signals {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let taken = [Signal::TERM, Signal::INT, Signal::XFSZ];
        let mut pipe = Pipe::new(taken.map(Signal::as_raw))?;
        registry.register(&mut pipe, token, mio::Interest::READABLE)?;
        Ok(Self { pipe })
    }

    /// How many came since the last time that ask for an end; the same signal twice within a turn counts once.
    pub(super) fn arrived(&mut self) -> u32 {
        let asks = |signal: &i32| *signal != Signal::XFSZ.as_raw();
        self.pipe
            .pending()
            .filter(asks)
            .fold(0, |count, _| count + 1)
    }
}
