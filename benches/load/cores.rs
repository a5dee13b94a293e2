//! Two cores: one for the server, one for the load. And as many descriptors as may be had.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The first and the last of the cores this process was given; `None` if there is but one.
pub(crate) fn pair() -> io::Result<Option<(usize, usize)>> {
    // Asked of the whole process by its first thread, which is pinned later, so remembered.
    static PAIR: std::sync::OnceLock<Option<(usize, usize)>> = std::sync::OnceLock::new();
    if let Some(pair) = PAIR.get() {
        return Ok(*pair);
    }
    let given = sched_getaffinity(None)?;
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| given.is_set(core));
    let pair = cores.next().zip(cores.next_back());
    Ok(*PAIR.get_or_init(|| pair))
}

pub(crate) fn pin_to_server() -> io::Result<()> {
    pair()?.map_or(Ok(()), |(server, _)| pin(server))
}

pub(crate) fn pin_to_load() -> io::Result<()> {
    pair()?.map_or(Ok(()), |(_, load)| pin(load))
}

fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Raises the limit of descriptors as far as it goes, for us and for the servers that we start.
pub(crate) fn raise_descriptors() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}
