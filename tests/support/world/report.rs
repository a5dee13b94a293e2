//! What a run leaves behind: marks for rare branches, a hash of everything that happened, and the last events in words.

use std::collections::{BTreeMap, VecDeque};

use super::network::Event;

/// How often rare branches were reached. A simulation that tests nothing is noticed by its empty marks.
#[derive(Clone, Debug, Default)]
pub struct Marks(pub BTreeMap<&'static str, u64>);

impl Marks {
    pub fn hit(&mut self, mark: &'static str) {
        self.add(mark, 1);
    }

    pub fn add(&mut self, mark: &'static str, times: u64) {
        *self.0.entry(mark).or_default() += times;
    }

    pub fn join(&mut self, other: &Self) {
        for (mark, times) in &other.0 {
            self.add(mark, *times);
        }
    }
}

const LINES_KEPT: usize = 50;

/// The hash of a run, and its last events.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    hash: u64,
    last: VecDeque<(u64, Line)>,
}

#[derive(Clone, Debug)]
enum Line {
    Event(Event),
    Said(usize, String),
}

impl Trace {
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    fn mix(&mut self, number: u64) {
        self.hash = (self.hash.rotate_left(5) ^ number).wrapping_mul(0x517C_C1B7_2722_0A95);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        for eight in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..eight.len()].copy_from_slice(eight);
            self.mix(u64::from_le_bytes(word));
        }
    }

    pub fn note(&mut self, at: u64, event: Event) {
        let number = match event {
            Event::Up(link) => link * 8,
            Event::Down(link) => link * 8 + 1,
            Event::Wake(client) => client * 8 + 2,
            Event::Flush(link) => link * 8 + 3,
            Event::Linger(link) => link * 8 + 4,
            Event::Unacknowledged(link) => link * 8 + 5,
            Event::Job => 6,
            Event::Accept(link) => link * 8 + 7,
            Event::Herd => 14,
        };
        self.mix(at);
        self.mix(number as u64);
        self.keep(at, Line::Event(event));
    }

    /// A client's deed, in words; only the caller knows which.
    pub fn say(&mut self, at: u64, client: usize, what: impl FnOnce() -> String) {
        self.keep(at, Line::Said(client, what()));
    }

    fn keep(&mut self, at: u64, line: Line) {
        if self.last.len() == LINES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back((at, line));
    }

    pub fn words(&self) -> String {
        let mut words = String::new();
        for (at, line) in &self.last {
            let at = *at as f64 / 1e6;
            let line = match line {
                Line::Event(event) => format!("{event:?}"),
                Line::Said(client, what) => format!("client {client}: {what}"),
            };
            words.push_str(&format!("  {at:11.6}  {line}\n"));
        }
        words
    }
}
