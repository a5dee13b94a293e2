//! Fills the room General of a chat that does not run with messages of the last weeks, for tests and measurements of
//! long histories: `fill DATABASE COUNT [UNREAD]`.
//!
//! The same count gives the same words. Everybody who is in the room writes in turn, but the last UNREAD, which the last to
//! join wrote and the others have not read.
//! Every thousandth message has the word "lighthouse", the middle one the word "kraken".

use std::env;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, SystemTime};

use roomcast::chat::store::{Store, UserId};

/// The time between two messages: some hundred a day.
const APART: Duration = Duration::from_secs(4 * 60);
/// Messages of one transaction.
const BATCH: usize = 2000;
const WORDS: [&str; 24] = [
    "the", "tide", "turns", "at", "noon", "and", "we", "sail", "with", "new", "rope", "on", "deck",
    "wind", "west", "four", "to", "six", "coffee", "for", "five", "chart", "table", "lamp",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [database, count, rest @ ..] = arguments.as_slice() else {
        return Err("fill DATABASE COUNT [UNREAD]".into());
    };
    let count: usize = count.parse()?;
    let unread: usize = rest.first().map_or(Ok(0), |unread| unread.parse())?;
    let unread = unread.min(count);
    let mut store = Store::open(Path::new(database))?;
    let boot = store.job(|w| w.load(0))?;
    let room = boot.general.ok_or("nobody has set this chat up yet")?;
    let members = boot.members.iter().filter(|member| member.room == room);
    let authors: Vec<UserId> = members.map(|member| member.user).collect();
    let now = now()?;
    for from in (0..count).step_by(BATCH) {
        let numbers = from..count.min(from + BATCH);
        store.batch(&mut |store| {
            for n in numbers.clone() {
                let ago = APART.as_millis() * (count - n) as u128;
                let at = now.saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX));
                // A few in a row by one person.
                let turn = if n < count - unread {
                    n / 3
                } else {
                    authors.len() - 1
                };
                let author = authors[turn % authors.len()];
                let text = text(n, count);
                let sent = store.job(|w| w.send(room, author, &format!("fill-{n}"), &text, at));
                sent.expect("the disk takes it");
            }
        })?;
    }
    for reader in &authors {
        let read = i64::try_from(count - unread)?;
        store.job(|w| w.read(room, *reader, read))?;
    }
    Ok(())
}

/// What message number `n` of `count` says.
fn text(n: usize, count: usize) -> String {
    let mut text = format!("Entry {}:", n + 1);
    // A generator of 64 bits with Knuth's constants, so that the same number has the same words everywhere.
    let mut state = n as u64 + 1;
    for _ in 0..(4 + n % 23) {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        text.push(' ');
        text.push_str(WORDS[(state >> 33) as usize % WORDS.len()]);
    }
    if n % 1000 == 999 {
        text.push_str(" lighthouse");
    }
    if n == count / 2 {
        text.push_str(" kraken");
    }
    text
}

#[expect(clippy::disallowed_methods, reason = "a tool, not a part of the house")]
fn now() -> Result<u64, Box<dyn Error>> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_millis())?)
}
