//! What the chat weighs: its binary, its memory when idle and with 1,000 signed-in sockets, its start.
//!
//! `cargo bench --bench footprint` prints a table. Times include this program's own looking; memory is what the kernel
//! says (`VmRSS` and `RssAnon` in /proc, so Linux only).

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a part of the house"
)]

use std::io;
use std::time::Instant;

#[path = "support/chat.rs"]
mod chat;
#[path = "support/frames.rs"]
mod frames;
#[path = "support/kernel.rs"]
mod kernel;

use chat::Chat;

const SOCKETS: usize = 1000;
const SOCKETS_PER_USER: usize = 12;
const STARTS: usize = 11;

fn main() -> io::Result<()> {
    let binary = env!("CARGO_BIN_EXE_roomcast");
    let folder = tempfile::tempdir()?;
    println!(
        "binary, stripped        {:>9} KiB",
        std::fs::metadata(binary)?.len() / 1024
    );

    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let before = Instant::now();
        let chat = Chat::start(binary, folder.path())?;
        chat.first_answer()?;
        starts.push(before.elapsed());
    }
    starts.sort();
    println!(
        "start to first 200      {:>9.1} ms (median of {STARTS})",
        starts[STARTS / 2].as_secs_f64() * 1e3
    );

    let chat = Chat::start(binary, folder.path())?;
    chat.first_answer()?;
    let (idle, idle_private) = chat.memory()?;
    println!("memory, idle            {idle:>9} KiB resident, {idle_private} KiB private");

    let mut cookies = Vec::new();
    for user in 0..SOCKETS.div_ceil(SOCKETS_PER_USER) {
        cookies.push(chat.account(user)?);
    }
    let (before, before_private) = chat.memory()?;
    println!(
        "  after {:>3} sign-ups     {before:>9} KiB resident, {before_private} KiB private",
        cookies.len()
    );
    let mut sockets = Vec::new();
    for n in 0..SOCKETS {
        sockets.push(chat.socket(&cookies[n / SOCKETS_PER_USER])?);
    }
    let (with, with_private) = chat.memory()?;
    println!("  and {SOCKETS} sockets      {with:>9} KiB resident, {with_private} KiB private");
    println!(
        "one idle socket         {:>9} B private",
        (with_private - before_private) * 1024 / SOCKETS as u64
    );
    Ok(())
}
