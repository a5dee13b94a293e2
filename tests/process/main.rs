//! The chat as a process: the real binary on a data folder of its own, killed, restarted, restored, asked from the shell.
//!
//! No test sleeps: it waits for a byte or for a process, and fails when neither comes. Only clients that try again wait between,
//! as pages do.
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

mod client;
mod crash;
mod disk;
mod process;
mod restart;
mod restoring;
mod shell;
