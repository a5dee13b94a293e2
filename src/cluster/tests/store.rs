//! What the Redis in memory keeps: a stream, and keys.

use std::collections::BTreeMap;

use crate::cluster::entry::EntryId;

/// An entry: its id, names and values by turns.
pub(super) type Entry = (EntryId, Vec<Vec<u8>>);

#[derive(Default)]
pub(super) struct Store {
    pub(super) entries: Vec<Entry>,
    pub(super) keys: BTreeMap<String, Vec<u8>>,
    added: u64,
}

impl Store {
    /// `XADD key MAXLEN ~ count * name value…`
    pub(super) fn add(&mut self, words: &[&[u8]]) -> String {
        assert_eq!(
            (words[2], words[3], words[5]),
            (&b"MAXLEN"[..], &b"~"[..], &b"*"[..])
        );
        let most: usize = text(words[4]).parse().unwrap();
        let fields = words[6..].iter().map(|word| word.to_vec()).collect();
        self.put(fields, most)
    }

    /// An entry of somebody's, in fields.
    pub(super) fn put(&mut self, fields: Vec<Vec<u8>>, most: usize) -> String {
        self.added += 1;
        let id: EntryId = format!("{}-0", 1_700_000_000_000 + self.added)
            .parse()
            .unwrap();
        self.entries.push((id, fields));
        let over = self.entries.len().saturating_sub(most);
        self.entries.drain(..over);
        id.to_string()
    }

    /// Entries from an id on, so many.
    pub(super) fn from(&self, id: &str, count: &[u8]) -> Vec<Entry> {
        let id: EntryId = id.parse().unwrap();
        let count = text(count).parse().unwrap();
        let entries = self.entries.iter().filter(|(own, _)| *own >= id);
        entries.take(count).cloned().collect()
    }

    /// As if nothing had ever been said; and its clock is behind.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

pub(super) fn text(word: &[u8]) -> String {
    String::from_utf8(word.to_vec()).unwrap()
}

/// Entries, as Redis says them.
pub(super) fn said(entries: &[Entry]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", entries.len()).into_bytes();
    for (id, fields) in entries {
        let id = id.to_string();
        out.extend(format!("*2\r\n${}\r\n{id}\r\n*{}\r\n", id.len(), fields.len()).bytes());
        for field in fields {
            out.extend(bulk(field));
        }
    }
    out
}

pub(super) fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
