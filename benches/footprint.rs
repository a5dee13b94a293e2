//! What the chat weighs: its binary, its memory when idle and with 1,000 signed-in sockets, its start, also with 100,000
//! messages.
//!
//! `cargo bench --bench footprint` prints a table. Times include this program's own looking; memory is what the kernel
//! says (`VmRSS` and `RssAnon` in /proc, so Linux only).

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a part of the house"
)]

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

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
const MESSAGES: usize = 100_000;

fn main() -> io::Result<()> {
    let binary = env!("CARGO_BIN_EXE_roomcast");
    let folder = tempfile::tempdir()?;
    println!(
        "binary, stripped        {:>9} KiB",
        std::fs::metadata(binary)?.len() / 1024
    );

    println!(
        "start to first 200      {:>9.1} ms (median of {STARTS})",
        start(binary, folder.path())?.as_secs_f64() * 1e3
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

    drop((sockets, chat));
    write_messages(&folder.path().join("roomcast.db"))?;
    println!(
        "start, {MESSAGES} messages  {:>9.1} ms (median of {STARTS})",
        start(binary, folder.path())?.as_secs_f64() * 1e3
    );
    let chat = Chat::start(binary, folder.path())?;
    chat.first_answer()?;
    let (full, full_private) = chat.memory()?;
    println!("  memory, idle          {full:>9} KiB resident, {full_private} KiB private");
    Ok(())
}

/// From its start to its first 200, the median of some.
fn start(binary: &str, folder: &Path) -> io::Result<Duration> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let before = Instant::now();
        let chat = Chat::start(binary, folder)?;
        chat.first_answer()?;
        starts.push(before.elapsed());
    }
    starts.sort();
    Ok(starts[STARTS / 2])
}

/// A long talk in the first room, written while nobody else has the database.
fn write_messages(database: &Path) -> io::Result<()> {
    let written = rusqlite::Connection::open(database).and_then(|store| {
        store.execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MESSAGES})
             INSERT INTO messages(room_id, seq, rev, author_id, cid, at, body)
                 SELECT rooms.id, rooms.seq + n, rooms.rev + n, (SELECT min(id) FROM users), 'bench-' || n,
                     rooms.created_at + n, 'message ' || n || ' of a long talk about nothing in particular'
                 FROM numbers, rooms WHERE rooms.id = (SELECT min(id) FROM rooms);
             UPDATE rooms SET seq = seq + {MESSAGES}, rev = rev + {MESSAGES}
                 WHERE id = (SELECT min(id) FROM rooms);
             COMMIT;"
        ))
    });
    written.map_err(io::Error::other)
}
