//! The chat with people in it: how long a message is on its way to a thousand of them, and what that costs.
//!
//! `cargo bench --bench chat` signs a thousand sockets in to one room, sends fifty messages a second for a while, and counts each
//! delivery: a message is through when the last of them has it, stored and synced before. Then, on a chat of its own, a hundred
//! people sign in, and memory is looked at again a minute later. This program reads all thousand on one thread beside
//! the server, so on two cores its own reading is part of the times.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a part of the house"
)]

use std::collections::HashMap;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

#[path = "support/chat.rs"]
mod chat;
#[path = "support/frames.rs"]
mod frames;
#[path = "support/kernel.rs"]
mod kernel;
#[path = "load/lines.rs"]
mod lines;
#[expect(dead_code, reason = "the load's sockets do more")]
#[path = "load/sockets.rs"]
mod sockets;

use chat::Chat;
use frames::masked;
use sockets::Sockets;

const SOCKETS: usize = 1000;
const SOCKETS_PER_USER: usize = 10;
const PER_SECOND: u32 = 50;
const MESSAGES: usize = 1000;
/// Nobody reads as much: for the caches, and for the first check-point.
const WARM_UP: usize = 100;
const SIGN_INS: usize = 100;
const REST: Duration = Duration::from_secs(60);

fn main() -> io::Result<()> {
    let binary = env!("CARGO_BIN_EXE_roomcast");
    let folder = tempfile::tempdir()?;
    talk(&Chat::start(binary, folder.path())?)?;
    let folder = tempfile::tempdir()?;
    rest(&Chat::start(binary, folder.path())?)
}

/// A message that is on its way.
struct UnderWay {
    sent: Instant,
    missing: usize,
}

fn talk(chat: &Chat) -> io::Result<()> {
    let mut cookies = Vec::new();
    for user in 0..SOCKETS / SOCKETS_PER_USER {
        cookies.push(chat.account(user)?);
    }
    let upgrade = |number: usize| {
        let cookie = &cookies[number / SOCKETS_PER_USER];
        let head = String::from_utf8_lossy(frames::UPGRADE).into_owned();
        let head = head.trim_end();
        format!("{head}\r\nCookie: sid={cookie}\r\n\r\n").into_bytes()
    };
    let mut sockets = Sockets::connect_as(SOCKETS, |_| chat.address, upgrade)?;
    let (resident, private) = chat.memory()?;
    println!("{SOCKETS} sockets           {resident:>9} KiB resident, {private} KiB private");

    let mut latencies = Vec::new();
    let mut under_way: HashMap<usize, UnderWay> = HashMap::new();
    let mut busy = (Duration::ZERO, Instant::now());
    let every = Duration::from_secs(1) / PER_SECOND;
    let mut due = Instant::now();
    let mut sent = 0;
    while sent < WARM_UP + MESSAGES || !under_way.is_empty() {
        if sent < WARM_UP + MESSAGES && due <= Instant::now() {
            if sent == WARM_UP {
                busy = (chat.process.cpu()?, Instant::now());
            }
            // One socket of each person in turn: nobody may send much on one.
            let number = (sent * SOCKETS_PER_USER) % SOCKETS + sent / SOCKETS % SOCKETS_PER_USER;
            let packet = format!(
                "42{sent}[\"send\",{{\"room\":1,\"cid\":\"n{sent}\",\"text\":\"message {sent} of a lively afternoon\"}}]"
            );
            let (now, missing) = (Instant::now(), SOCKETS);
            under_way.insert(sent, UnderWay { sent: now, missing });
            sockets.say(number, &masked(packet.as_bytes()))?;
            sent += 1;
            due += every;
        }
        let patience = due.saturating_duration_since(Instant::now());
        let patience = if sent < WARM_UP + MESSAGES {
            patience
        } else {
            lines::PATIENCE
        };
        let some = sockets.turn(patience, |_, number, frame| {
            // The sender's answer, or what all others are told.
            let Some(message) = message_of(frame) else {
                return Ok(());
            };
            let Some(message) = message else {
                return Err(lines::wrong(number, "refused", frame));
            };
            let Some(it) = under_way.get_mut(&message) else {
                return Err(lines::wrong(number, "told twice", frame));
            };
            it.missing -= 1;
            if it.missing == 0 {
                if message >= WARM_UP {
                    latencies.push(it.sent.elapsed());
                }
                under_way.remove(&message);
            }
            Ok(())
        })?;
        if !some && sent == WARM_UP + MESSAGES && !under_way.is_empty() {
            return Err(io::Error::other(format!(
                "{} messages are lost",
                under_way.len()
            )));
        }
    }
    let (cpu, wall) = (chat.process.cpu()? - busy.0, busy.1.elapsed());
    latencies.sort();
    let at = |share: usize| {
        let place = (latencies.len() * share / 100).min(latencies.len() - 1);
        latencies[place].as_secs_f64() * 1e3
    };
    println!(
        "{PER_SECOND} messages a second    {:>9.1} ms until the last of {SOCKETS} has one (median), {:.1} ms (p99), {:.1} ms (max)",
        at(50),
        at(99),
        at(100)
    );
    println!(
        "  of {MESSAGES}                {:>9.1} % of one core",
        cpu.as_secs_f64() / wall.as_secs_f64() * 100.0
    );
    let (resident, private) = chat.memory()?;
    println!("  and behind them        {resident:>9} KiB resident, {private} KiB private");
    Ok(())
}

/// Which message a frame tells of or acknowledges, `None` in it if it was refused; nothing if it is about something else.
fn message_of(frame: &[u8]) -> Option<Option<usize>> {
    let text = String::from_utf8_lossy(frame);
    let number = |start: &str| {
        let (_, rest) = text.split_once(start)?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    if text.contains("42[\"message\"") {
        return Some(number("\"cid\":\"n"));
    }
    if !text.contains("43") || !text.contains("\"ok\"") {
        return None;
    }
    Some(number("43").filter(|_| text.contains("\"ok\":true")))
}

fn rest(chat: &Chat) -> io::Result<()> {
    let (before, before_private) = chat.memory()?;
    for user in 0..SIGN_INS {
        chat.account(user)?;
    }
    let (after, after_private) = chat.memory()?;
    thread::sleep(REST);
    let (later, later_private) = chat.memory()?;
    println!("idle                     {before:>9} KiB resident, {before_private} KiB private");
    println!(
        "  after {SIGN_INS} sign-ups     {after:>9} KiB resident, {after_private} KiB private"
    );
    println!(
        "  and {} s later         {later:>9} KiB resident, {later_private} KiB private",
        REST.as_secs()
    );
    Ok(())
}
