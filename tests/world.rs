//! The server in a simulated world: virtual time, clients with good and bad manners, a way that fails; all from one seed.
//!
//! | | what must hold | looked at |
//! |---|---|---|
//! | I2 | a socket hears everything meant for it in the order it was said, nothing twice, also across an upgrade | each packet |
//! | I3 | nobody hears what was said in a room or namespace he was not in when the server took it | each packet |
//! | I5 | rooms and their members are those of the application's own books | every 16 turns |
//! | I6 | when everybody has gone, nothing is left: sessions, sockets, rooms, timers, bytes, closures | end |
//! | I7 | what waits for one client stays below the hard limit, and what is held of its input below those of input | each turn |
//! | I8 | an answer reaches the one who asked, once | each packet |
//! | I9 | what the server says can be read by a strict reader who shares no code with it; statuses, refusals and close codes are from its tables | each byte |
//! | I10 | a connection that says nothing has an end | every 16 turns |
//! | I10 | what waits for a client will leave: a blocked transport has a wake-up to come | each turn |
//! | I10 | a queue above its soft limit is drained or cut in time | each turn |
//! | I11 | a call does no more than its limits say: messages and bytes looked at, counted | each call |
//! | I12 | the same seed, the same world | some seeds |
//! | | all of this also when the server is frozen to bytes and another made of them, after any turn | |
//! | L1 | once nothing fails any more, everybody comes back, and everything is heard and answered | end |
//!
//! `SIM_SEED=7 cargo test --test world one` replays one world. `SIM_SEEDS=1000..2000` chooses others for the full run.

#![expect(
    clippy::print_stdout,
    reason = "what a run has seen is for whoever runs it"
)]

#[path = "support/world/mod.rs"]
#[expect(
    unreachable_pub,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "the world's numbers are small, and what fails here fails the test"
)]
mod simulation;

use std::ops::Range;

use roomcast::world::{Bug, plant};
use simulation::{Marks, run};

/// Worlds that fell apart once, one seed a line: replayed first in every run. A seed means another world once the world has
/// changed; what went wrong in it is kept by an ordinary test.
const REGRESSIONS: &str = include_str!("support/world/regressions.txt");

/// How many worlds an ordinary run sees.
const SEEDS: Range<u64> = 0..200;
/// A planted bug must be found within so many.
const SEEDS_PER_BUG: u64 = 200;

/// Branches that an ordinary run must have reached, or it has tested less than it says.
const MARKS: &[&str] = &[
    "answered",
    "body broken off",
    "client namespace disconnect",
    "closed by a close frame",
    "data raced with the probe",
    "ended by a signal",
    "interrupted",
    "exported",
    "frozen between attachments",
    "frozen in a body",
    "frozen in a frame",
    "frozen in a head",
    "frozen in an upgrade",
    "frozen while a queue waited",
    "frozen with a parked poll",
    "frozen with bytes left over",
    "flush timed out",
    "forced server close",
    "gone",
    "half closed",
    "held",
    "herd",
    "hostile bytes",
    "lane full",
    "lingered",
    "made to leave",
    "no such namespace",
    "not let in",
    "parse error",
    "ping timeout",
    "refused by the kernel",
    "reset by the server",
    "reset during a poll",
    "rule broken",
    "server namespace disconnect",
    "server shutting down",
    "shown again",
    "slow consumer",
    "slow consumer cut",
    "stopped reading",
    "survey complete",
    "survey interrupted",
    "survey timed out",
    "survey too many",
    "taken with what was left",
    "timed out",
    "told of the end by a poll",
    "transport close",
    "transport error",
    "unacknowledged",
    "uploaded",
    "upgrade abandoned",
    "upgrade completed",
    "upgrade failed",
    "vanished",
    "waited for a descriptor",
];

fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("SIM_SEEDS") else {
        return SEEDS;
    };
    let (start, end) = text.split_once("..").expect("SIM_SEEDS is like 0..100");
    start.parse().expect("a number")..end.parse().expect("a number")
}

fn regressions() -> impl Iterator<Item = u64> {
    let lines = REGRESSIONS.lines();
    let seeds = lines.filter_map(|line| line.split('#').next().map(str::trim));
    let seeds = seeds.filter(|seed| !seed.is_empty());
    seeds.map(|seed| seed.parse().expect("a line is a seed and what went wrong"))
}

#[test]
fn in_every_world_everything_holds_and_the_rare_branches_are_reached() {
    let mut marks = Marks::default();
    let mut events = 0;
    let mut worst = Vec::new();
    for seed in regressions().chain(seeds()) {
        match run(seed) {
            Ok(peace) => {
                marks.join(&peace.marks);
                events += peace.events;
            }
            Err(violation) => {
                println!("{}", violation.report.lines().next().unwrap_or_default());
                worst.push(violation);
            }
        }
    }
    println!("{events} events; {:#?}", marks.0);
    if let Some(first) = worst.first() {
        panic!(
            "{} worlds fell apart (their seeds belong into regressions.txt), the first: {}",
            worst.len(),
            first.report
        );
    }
    let missed: Vec<_> = MARKS
        .iter()
        .filter(|mark| !marks.0.contains_key(*mark))
        .collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
}

#[test]
fn one() {
    let seed = std::env::var("SIM_SEED").map_or(0, |text| text.parse().expect("a number"));
    if let Err(violation) = run(seed) {
        panic!("{}", violation.report);
    }
}

#[test]
fn the_same_seed_makes_the_same_world() {
    for seed in seeds().step_by(50) {
        let twice = [run(seed), run(seed)].map(|outcome| outcome.map(|peace| peace.hash).ok());
        assert_eq!(twice[0], twice[1], "I12: seed {seed}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        plant(Some(bug));
        let found = (0..SEEDS_PER_BUG).find_map(|seed| Some((seed, run(seed).err()?)));
        plant(None);
        match found {
            Some((seed, violation)) => println!("{bug:?}: seed {seed}, {}", violation.what),
            None => missed.push(bug),
        }
    }
    assert!(
        missed.is_empty(),
        "not found within {SEEDS_PER_BUG} seeds: {missed:?}"
    );
}
