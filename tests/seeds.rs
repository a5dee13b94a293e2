//! Every seed of every fuzz target, through the same functions as under the fuzzer; and as many changed ones again.
//!
//! A finding becomes a seed with a name that says what went wrong, and is replayed here for ever.
//! Needs neither cargo-fuzz nor a nightly compiler.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use roomcast::world::{Bug, plant};
use roomcast::{cluster, engineio, http, server, socketio, websocket};

type Property = fn(&[u8]);

/// The targets, by the names of their files in `fuzz/fuzz_targets`.
const TARGETS: &[(&str, Property)] = &[
    ("arguments", socketio::property::arguments),
    ("cluster_wire", cluster::properties::wire),
    ("core_ops", server::properties::core_ops),
    ("engineio_payload", engineio::payload::property::holds),
    ("engineio_payload_v3", engineio::payload_v3::property::holds),
    ("http_body", http::properties::http_body),
    ("http_request", http::properties::http_request),
    ("http_vs_model", http::properties::http_vs_model),
    ("msgpack", socketio::property::msgpack),
    (
        "query_cookie_origin",
        server::properties::query_cookie_origin,
    ),
    ("socketio_packet", |data| {
        if let Ok(text) = str::from_utf8(data) {
            socketio::property::holds(text);
        }
    }),
    ("thaw", |data| {
        server::properties::thaw(data);
    }),
    ("websocket_reader", websocket::properties::check),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder("seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Says which input it was, since the property only says what was wrong with it.
struct Named<'a>(String, &'a [u8]);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.0, self.1.escape_ascii());
        }
    }
}

#[test]
fn every_target_has_seeds_and_a_row_here() {
    let rows: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("fuzz_targets")), rows);
    assert_eq!(names(&folder("seeds")), rows);
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is no binary"
        );
        assert!(seeds(name).len() >= 8, "{name} has few seeds");
    }
}

#[test]
fn every_seed_holds() {
    for (target, property) in TARGETS {
        for (path, seed) in seeds(target) {
            let _named = Named(path.display().to_string(), &seed);
            property(&seed);
        }
    }
}

/// A repeatable stream of numbers (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end.max(1) as u64).unwrap()
    }
}

/// A few bytes changed, put in, taken out, or a piece of another seed put in.
fn mutate(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let byte = u8::try_from(chance.below(256)).unwrap();
        match chance.below(4) {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => bytes[at] = byte,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {
                let from = chance.below(other.len() + 1);
                let to = from + chance.below(other.len() - from + 1);
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    bytes
}

/// `FUZZ_ROUNDS=10000 cargo test --test seeds` tries more, `FUZZ_TARGET` one target only; a run that fails prints its `FUZZ_SEED`.
#[test]
fn changed_seeds_hold() {
    let number = |name: &str, otherwise| match std::env::var(name) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => otherwise,
    };
    let (rounds, start) = (number("FUZZ_ROUNDS", 300), number("FUZZ_SEED", 1));
    let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
    for (target, property) in TARGETS.iter().filter(|(name, _)| name.contains(&wanted)) {
        let seeds = seeds(target);
        for round in start..start + rounds {
            let mut chance = Chance(round);
            let (_, seed) = &seeds[chance.below(seeds.len())];
            let (_, other) = &seeds[chance.below(seeds.len())];
            let changed = mutate(seed, other, &mut chance);
            let _named = Named(
                format!("{target}, FUZZ_SEED={round} FUZZ_ROUNDS=1"),
                &changed,
            );
            property(&changed);
        }
    }
}

/// The test of the test: what was planted in the server must be seen by whole sessions, too.
#[test]
fn planted_bugs_are_found_by_whole_sessions() {
    let seeds = seeds("core_ops");
    for bug in [
        Bug::LosePacketAtUpgrade,
        Bug::StayInRoom,
        Bug::ForgiveSilence,
        Bug::NoHardLimit,
        Bug::AnswerTwice,
        Bug::LoseWakeUp,
    ] {
        plant(Some(bug));
        let found = (1..=2000).any(|round| {
            let mut chance = Chance(round);
            let (_, seed) = &seeds[chance.below(seeds.len())];
            let (_, other) = &seeds[chance.below(seeds.len())];
            let changed = mutate(seed, other, &mut chance);
            catch_unwind(|| server::properties::core_ops(&changed)).is_err()
        });
        plant(None);
        assert!(found, "{bug:?} was not found");
    }
}
