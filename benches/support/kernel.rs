//! A server as a child process, and what the kernel says of it: memory, processor time, descriptors.
//!
//! Linux only: all of it is read in /proc. The child ends with its owner.

#![allow(dead_code, reason = "each bench asks for some of it")]

use std::fs;
use std::io;
use std::process::{Child, Command};
use std::time::Duration;

pub(crate) struct Process {
    pub(crate) child: Child,
}

pub(crate) struct Memory {
    pub(crate) resident_bytes: u64,
    /// What no file lies behind: heap and stacks.
    pub(crate) private_bytes: u64,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).ok();
    }
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let child = command.spawn()?;
        Ok(Self { child })
    }

    pub(crate) fn memory(&self) -> io::Result<Memory> {
        // Not /proc/PID/status, which may be some hundred KiB behind.
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let rollup = fs::read_to_string(&path)?;
        let field = |name: &str| {
            let line = rollup.lines().find(|line| line.starts_with(name));
            let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
            let kib = kib.ok_or_else(|| io::Error::other(format!("no {name} in {path}")));
            kib.map(|kib| kib * 1024)
        };
        Ok(Memory {
            resident_bytes: field("Rss:")?,
            private_bytes: field("Anonymous:")?,
        })
    }

    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        cpu(self.child.id())
    }

    /// `R` while it runs, `S` while it waits, `T` while it is stopped.
    pub(crate) fn state(&self) -> io::Result<char> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let behind_name = stat.rsplit(") ").next();
        let state = behind_name.and_then(|fields| fields.chars().next());
        state.ok_or_else(|| io::Error::other("no state"))
    }

    pub(crate) fn descriptors(&self) -> io::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }
}

/// Processor time of all threads that live, to the nanosecond (/proc/PID/stat knows hundredths of a second).
pub(crate) fn cpu(process: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let path = task?.path().join("schedstat");
        let line = fs::read_to_string(&path)?;
        let field = line.split_whitespace().next();
        nanoseconds += field
            .and_then(|field| field.parse::<u64>().ok())
            .ok_or_else(|| io::Error::other(format!("no time in {}", path.display())))?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
