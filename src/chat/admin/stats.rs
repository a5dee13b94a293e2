//! The server's numbers, for whoever watches: every two seconds, and not at all while nobody does.
//!
//! A wish to watch comes in; the numbers of now go out with the answer, and then again and again, as an event that may be lost.
//! What the loop knows is asked of the library; sizes on disk and in memory are read on the reading lane.
//! Left out: what was an hour ago. Who wants curves has `/healthz` and a tool for them.

use std::fs;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::PLACE;
use crate::chat::reply::accept;
use crate::chat::store::{Reader, StoreError};
use crate::chat::{Chat, Seat, millis};
use crate::server::{Ack, Context, Socket};
use crate::time::Time;

/// The channel of those who watch.
const WATCHERS: &str = "watchers";

/// What is kept between two looks.
#[derive(Debug, Default)]
pub(in crate::chat) struct Watch {
    is_on: bool,
    /// Messages stored since the start: then, and when.
    before: Option<(u64, Time)>,
    per_second: f64,
}

impl Watch {
    /// How many messages come in a second, from one look to the next; looks that follow too closely share an answer.
    fn rate(&mut self, stored: u64, now: Time) -> f64 {
        let Some((before, then)) = self.before else {
            self.before = Some((stored, now));
            return 0.0;
        };
        let since = now.since(then);
        if since >= Duration::from_millis(500) {
            let more = stored.saturating_sub(before);
            #[expect(
                clippy::cast_precision_loss,
                reason = "nobody sends so many that it would show"
            )]
            let more = more as f64;
            self.per_second = more / since.as_secs_f64();
            self.before = Some((stored, now));
        }
        self.per_second
    }
}

/// To watch, or not any more.
#[derive(Deserialize)]
pub(in crate::chat) struct Stats {
    on: bool,
}

pub(in crate::chat) fn stats(socket: &mut Socket<'_, Chat>, _seat: Seat, asked: Stats, ack: Ack) {
    if !asked.on {
        socket.leave(WATCHERS);
        return accept(&mut socket.io, ack, json!({}));
    }
    socket.join(WATCHERS);
    let mut context = socket.context();
    look(&mut context, |context, numbers| {
        accept(&mut context.io, ack, json!({ "stats": numbers }));
    });
    if !std::mem::replace(&mut context.app.watch.is_on, true) {
        again(&mut context);
    }
}

/// Looks again in a while, if anybody still watches then.
fn again(context: &mut Context<'_, Chat>) {
    let every = context.app.pace.stats_every;
    let later = context.io.after(every, |context| {
        if context.io.of(PLACE).to(WATCHERS).count() == 0 {
            context.app.watch.is_on = false;
            return;
        }
        look(context, |context, numbers| {
            let watchers = context.io.of(PLACE).to(WATCHERS);
            watchers.volatile().emit("stats", &numbers);
        });
        again(context);
    });
    if later.is_err() {
        context.app.watch.is_on = false;
    }
}

/// What has to be read, and therefore on a lane.
struct Sizes {
    database: Result<u64, StoreError>,
    resident: Option<u64>,
}

fn look(
    context: &mut Context<'_, Chat>,
    then: impl FnOnce(&mut Context<'_, Chat>, Value) + 'static,
) {
    context.io.run(
        context.app.lanes.read,
        |reader: &mut Reader| Sizes {
            database: reader.size(),
            resident: resident_bytes(),
        },
        |context, sizes| {
            let sizes = sizes.ok();
            let numbers = numbers(context, sizes.as_ref());
            then(context, numbers);
        },
    );
}

fn numbers(context: &mut Context<'_, Chat>, sizes: Option<&Sizes>) -> Value {
    let (now, metrics) = (context.io.now(), context.io.metrics());
    let app = &mut *context.app;
    let (people, online) = app.workspace.head_count();
    let database = sizes.and_then(|sizes| sizes.database.as_ref().ok());
    json!({
        "at": now.wall.0,
        "upMs": millis(now.mono.since(Time::ZERO)),
        "sockets": metrics.sockets,
        "sessions": metrics.sessions,
        "users": { "online": online, "all": people },
        "rooms": app.workspace.room_count(),
        "messages": app.stored,
        "messagesPerSecond": app.watch.rate(app.stored, now.mono),
        "rss": sizes.and_then(|sizes| sizes.resident),
        "database": database,
        // Milliseconds with their fractions: most turns are far shorter than one.
        "lag": {
            "p99Ms": metrics.turns.p99.as_secs_f64() * 1000.0,
            "mostMs": metrics.turns.most.as_secs_f64() * 1000.0,
        },
        "queues": {
            "jobs": metrics.jobs,
            "bytes": metrics.queued_bytes,
            "acks": metrics.acks_awaited,
            "later": metrics.later,
        },
    })
}

/// What of the process is in memory, as far as the system says (Linux, proc(5): `VmRSS` in `/proc/self/status`).
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn messages_are_counted_from_one_look_to_the_next() {
        let mut watch = Watch::default();
        assert_eq!(watch.rate(100, at(0)), 0.0, "nothing is known of before");
        assert_eq!(watch.rate(110, at(2000)), 5.0);
        assert_eq!(watch.rate(111, at(2100)), 5.0, "too soon to say");
        assert_eq!(watch.rate(111, at(4000)), 0.5);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_process_knows_how_much_of_it_is_in_memory() {
        assert!(resident_bytes().unwrap() > 1024 * 1024);
    }
}
