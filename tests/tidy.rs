//! The house's rules, as tests over its own source.
//!
//! Who may know whom, module docs, limits that are documented and reached, and what may occur where. What a lint can
//! say is in Cargo.toml; here is what none can.
//! Left out: sizes of files and functions, which are for the eye.

use std::fs;
use std::path::{Path, PathBuf};

/// Which room may name which other, by `crate::…`. Its own name is always allowed, and so is `world`, which exists in tests only.
const ARROWS: &[(&str, &[&str])] = &[
    ("addresses", &[]),
    ("buffers", &[]),
    ("config", &["addresses"]),
    ("time", &[]),
    ("slots", &[]),
    ("sid", &[]),
    ("world", &[]),
    // Words only.
    ("guide", &[]),
    ("timers", &["time", "slots"]),
    (
        "reactor",
        &["addresses", "buffers", "config", "slots", "time", "timers"],
    ),
    ("http", &["buffers", "config", "time"]),
    ("websocket", &["buffers", "config", "time"]),
    ("embedded", &["http"]),
    // A packet is its frame with a header in front; of the reactor only a connection's name is known.
    (
        "engineio",
        &[
            "buffers",
            "config",
            "reactor::ConnId",
            "sid",
            "slots",
            "time",
            "timers",
            "websocket",
        ],
    ),
    // Of the engine below only a session's name and why it ended.
    (
        "socketio",
        &[
            "config",
            "engineio::SessionId",
            "engineio::Session",
            "engineio::Reason",
            "engineio::{self",
            "sid",
            "slots",
            "time",
        ],
    ),
    (
        "server",
        &[
            "addresses",
            "buffers",
            "config",
            "embedded",
            "engineio",
            "http",
            "reactor",
            "sid",
            "slots",
            "socketio",
            "time",
            "timers",
            "websocket",
        ],
    ),
    // The adapter's messages to and from other nodes: a carrier is plugged into the server and is told no sockets.
    (
        "cluster",
        &[
            "config",
            "http::date",
            "http::query",
            "reactor::{ConnId, Tag}",
            "server",
            "sid",
            "socketio::args",
            "socketio::msgpack",
            "socketio::namespaces::Presence",
            "socketio::packet::is_reserved",
            "time",
            "Server",
        ],
    ),
    // The application: no bytes, no transports, no threads of its own.
    (
        "chat",
        &[
            "addresses",
            "config",
            "http",
            "reactor::lanes",
            "reactor::seed",
            "server",
            "socketio",
            "time",
            "sid",
            "Ack",
            "Answer",
            "App",
            "Context",
            "Io",
            "Server",
            "Socket",
            "Verdict",
            "Config",
            "embedded",
        ],
    ),
];

/// Limits that no test reaches by name, and why.
const NOT_REACHED: &[(&str, &str)] = &[];

/// A source file, by its path below the crate's root.
struct File {
    path: String,
    text: String,
}

fn files(folder: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<PathBuf> = fs::read_dir(&folder)
            .expect("a folder of the source can be read")
            .map(|entry| entry.expect("so can its entries").path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is text");
                let path = path
                    .strip_prefix(root)
                    .expect("it was found below the root");
                let path = path.to_string_lossy().into_owned();
                files.push(File { path, text });
            }
        }
    }
    files
}

impl File {
    /// `http` for `src/http/body.rs` and for `src/http.rs`.
    fn room(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let room = below.split('/').next().unwrap_or(below);
        room.strip_suffix(".rs").unwrap_or(room)
    }

    /// Whether the whole file is compiled for tests only.
    fn is_test(&self) -> bool {
        ["/tests/", "/tests.rs", "/properties.rs", "/property.rs"]
            .iter()
            .any(|mark| self.path.contains(mark))
            || self.path.starts_with("tests/")
    }

    /// The part that is compiled for tests only: the end of a file, by the house's order.
    fn tests(&self) -> &str {
        if self.is_test() {
            return &self.text;
        }
        let start = self.text.find("#[cfg(test)]\nmod ");
        start.map_or("", |start| &self.text[start..])
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }

    /// Lines that are no comment.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// Whether `text` has `word` with no letter, digit or underscore on either side.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !behind.is_some_and(is_part)
    })
}

#[test]
fn no_room_knows_one_it_must_not_know() {
    let mut found = Vec::new();
    for file in files("src") {
        let room = file.room();
        // The binary is made of `main` and `shell`.
        if matches!(room, "lib" | "main" | "shell") {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            found.push(format!(
                "{}: the room {room} has no row in ARROWS",
                file.path
            ));
            continue;
        };
        for (at, line) in file.code() {
            for (start, _) in line.match_indices("crate::") {
                let named = &line[start + "crate::".len()..];
                let is_allowed = [room, "world"]
                    .iter()
                    .chain(*allowed)
                    .any(|name| has_word(named.get(..name.len() + 1).unwrap_or(named), name));
                if !is_allowed {
                    found.push(format!("{}:{at}: {}", file.path, line.trim()));
                }
            }
        }
    }
    assert_none("a lower layer knows one above (see ARROWS)", &found);
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let is_silent = |file: &File| !file.text.starts_with("//! ");
    // A module's tests may live in a file of their own, which the module's doc speaks for.
    let is_its_own = |file: &File| file.is_test() && file.path.starts_with("src/");
    let found: Vec<_> = files("src")
        .into_iter()
        .chain(files("tests"))
        .filter(|file| is_silent(file) && !is_its_own(file))
        .map(|file| file.path)
        .collect();
    assert_none("no module doc at the top", &found);
}

#[test]
fn only_the_reactor_has_a_clock_and_threads() {
    let words = [
        "Instant::now",
        "SystemTime::now",
        "thread::spawn",
        "thread::sleep",
        "thread::Builder",
    ];
    let mut found = Vec::new();
    for file in files("src") {
        if matches!(file.room(), "reactor" | "main" | "guide") || file.is_test() {
            continue;
        }
        let body = file.text.len() - file.tests().len();
        for word in words {
            if file.text[..body].contains(word) {
                found.push(format!("{}: {word}", file.path));
            }
        }
    }
    assert_none("a clock or a thread outside the reactor", &found);
}

#[test]
fn nothing_is_unsafe_and_nothing_is_put_off() {
    let mut found = Vec::new();
    for file in files("src") {
        let put_off = [
            concat!("TO", "DO"),
            concat!("FIX", "ME"),
            concat!("XX", "X"),
        ];
        for (at, line) in file.lines() {
            if put_off.iter().any(|word| has_word(line, word)) {
                found.push(format!("{}:{at}: {}", file.path, line.trim()));
            }
        }
        for (at, line) in file.code() {
            if has_word(line, "unsafe") {
                found.push(format!("{}:{at}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none("unsafe, or left for later", &found);
}

/// Sentences in comments and strings may run a little further than code.
#[test]
fn no_line_is_too_long_to_read() {
    const CODE_CHARS_MAX: usize = 120;
    const WORDS_CHARS_MAX: usize = 132;
    let mut found = Vec::new();
    // Tables of bytes in tests are easier to read in one line than in three.
    for file in files("src").into_iter().filter(|file| !file.is_test()) {
        let tests_at = file.text.lines().count() - file.tests().lines().count();
        for (at, line) in file.lines().filter(|(at, _)| *at <= tests_at) {
            // A row of a table cannot be broken.
            if line.trim_start().starts_with("//! |") {
                continue;
            }
            let is_words = line.trim_start().starts_with("//") || line.contains('"');
            let most = if is_words {
                WORDS_CHARS_MAX
            } else {
                CODE_CHARS_MAX
            };
            let chars = line.chars().count();
            if chars > most {
                found.push(format!("{}:{at}: {chars} characters", file.path));
            }
        }
    }
    assert_none("too long", &found);
}

/// The fields of the configuration that are limits or durations, each with the line above it.
fn limits() -> Vec<(String, String)> {
    let config: Vec<File> = files("src")
        .into_iter()
        .filter(|file| file.path.starts_with("src/config/"))
        .collect();
    let mut limits = Vec::new();
    let mut above = "";
    let lines = config.iter().flat_map(|file| file.text.lines());
    for line in lines.map(str::trim) {
        let field = line
            .strip_prefix("pub ")
            .and_then(|rest| rest.split_once(": "));
        if let Some((name, _)) = field
            && ["_max", "_min", "_within", "_every", "_after"]
                .iter()
                .any(|end| name.ends_with(end))
        {
            limits.push((name.to_owned(), above.to_owned()));
        }
        above = line;
    }
    limits
}

#[test]
fn every_limit_is_documented() {
    let limits = limits();
    assert!(limits.len() > 30, "the limits are found");
    let found: Vec<_> = limits
        .into_iter()
        .filter(|(_, above)| !above.starts_with("///"))
        .map(|(name, _)| name)
        .collect();
    assert_none("no doc above the field", &found);
}

#[test]
fn every_limit_is_reached_by_a_test_or_has_a_reason() {
    let proofs: Vec<File> = files("src")
        .into_iter()
        .chain(files("tests"))
        .filter(|file| file.path != "tests/tidy.rs")
        .collect();
    let is_reached = |name: &str| proofs.iter().any(|file| has_word(file.tests(), name));
    let has_reason = |name: &str| NOT_REACHED.iter().any(|(listed, _)| *listed == name);
    let limits = limits();
    let found: Vec<_> = limits
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !is_reached(name) && !has_reason(name))
        .cloned()
        .collect();
    assert_none("no test names it, and NOT_REACHED has no reason", &found);
    let unknown: Vec<_> = NOT_REACHED
        .iter()
        .filter(|(listed, _)| !limits.iter().any(|(name, _)| name == listed))
        .map(|(listed, _)| (*listed).to_owned())
        .collect();
    assert_none(
        "in NOT_REACHED, but no field of the configuration",
        &unknown,
    );
}

#[test]
fn the_readme_shows_an_example_that_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |path| fs::read_to_string(root.join(path)).expect("it is there, and text");
    let example = text("examples/hello.rs");
    let (_, program) = example
        .split_once("\n\n")
        .expect("the module's doc ends with a blank line");
    assert!(
        text("README.md").contains(&format!("```rust\n{program}```")),
        "README.md shows another program than examples/hello.rs"
    );
}
