//! `kill -9` at any moment, while twenty clients send: what was acknowledged is there, once, and nothing is damaged.
//!
//! `ROOMCAST_ROUNDS=200` makes it longer, `ROOMCAST_SEED` repeats a run.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use crate::client::Client;
use crate::process::{PATIENCE, Place, Roomcast, binary};

const CLIENTS: usize = 20;
const ROUNDS: u64 = 8;

/// Somebody who sends one message after the other, and sends each again until it is acknowledged.
struct Talker {
    cookie: String,
    name: usize,
    count: usize,
    /// Sent, and not known to be stored.
    pending: Option<String>,
    /// By its own id: the number it was given.
    acknowledged: BTreeMap<String, i64>,
}

impl Talker {
    /// Sends until the server is gone.
    fn talk(&mut self, address: SocketAddr, told: &Sender<()>) -> io::Result<()> {
        let mut client = Client::open(address, &self.cookie)?;
        let general = client.general();
        loop {
            let cid = match self.pending.take() {
                Some(cid) => cid,
                None => {
                    self.count += 1;
                    format!("{}-{}", self.name, self.count)
                }
            };
            self.pending = Some(cid.clone());
            let answer = client.tell(general, &cid, &text_of(&cid))?;
            assert_eq!(answer["ok"], true, "{answer}");
            let seq = answer["seq"].as_i64().unwrap();
            let before = self.acknowledged.insert(cid, seq);
            assert_eq!(before, None, "acknowledged before, and sent again");
            self.pending = None;
            // Whoever counts may have heard enough.
            let _ = told.send(());
        }
    }
}

fn text_of(cid: &str) -> String {
    format!("the words of {cid} ").repeat(8)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

#[test]
fn at_whatever_moment_it_is_killed_what_was_acknowledged_is_there_once() {
    let rounds = number("ROOMCAST_ROUNDS", ROUNDS);
    let seed = number("ROOMCAST_SEED", rand::random_range(0..1_000_000));
    // Shown only if it fails.
    eprintln!("ROOMCAST_SEED={seed} ROOMCAST_ROUNDS={rounds}");
    let mut chance = StdRng::seed_from_u64(seed);
    let place = Place::new();
    let mut senders = {
        let server = Roomcast::start(&place);
        let mut senders = Vec::new();
        for name in 0..CLIENTS {
            let cookie = match name {
                0 => server.set_up(),
                _ => server.join(&format!("sender{name}")),
            };
            senders.push(Talker {
                cookie,
                name,
                count: 0,
                pending: None,
                acknowledged: BTreeMap::new(),
            });
        }
        senders
    };

    for round in 0..rounds {
        if chance.random_ratio(1, 5) {
            kill_at_the_start(&place);
        }
        let mut server = Roomcast::start(&place);
        let address = server.address();
        let (sender, told) = channel();
        let talking: Vec<_> = senders
            .drain(..)
            .map(|mut one| {
                let sender = sender.clone();
                let talk = move || {
                    // It ends when the server does.
                    let _ = one.talk(address, &sender);
                    one
                };
                thread::Builder::new().spawn(talk).unwrap()
            })
            .collect();
        // By the count of acknowledgements: in the middle of others, of a commit, of a handshake. (Each of the twenty may send five
        // at once, and then has to wait.)
        for _ in 0..chance.random_range(0..90) {
            told.recv_timeout(PATIENCE).expect("they go on");
        }
        server.kill();
        senders = talking.into_iter().map(|one| one.join().unwrap()).collect();
        let said = place.done(&["check"]);
        assert!(said.starts_with("All is well"), "round {round}: {said}");
    }
    compare(&place, &senders);
}

fn kill_at_the_start(place: &Place) {
    let mut child = std::process::Command::new(binary())
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(place.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

/// All that was acknowledged is there, under its number and nowhere else; what was not may be there, once.
fn compare(place: &Place, senders: &[Talker]) {
    let server = Roomcast::start(place);
    let mut client = server.client(&senders[0].cookie);
    let general = client.general();
    let rows = client.rows(general).unwrap();
    let mut stored = BTreeMap::new();
    for (at, row) in (1..).zip(&rows) {
        assert_eq!(row["seq"], json!(at), "numbers have no holes");
        let cid = row["cid"].as_str().unwrap();
        assert_eq!(row["text"], json!(text_of(cid)));
        assert_eq!(
            stored.insert(cid.to_owned(), at),
            None,
            "{cid} is there twice"
        );
    }
    let (mut acknowledged, mut pending) = (0, 0);
    for sender in senders {
        for (cid, seq) in &sender.acknowledged {
            assert_eq!(stored.get(cid), Some(seq), "{cid} was acknowledged");
            acknowledged += 1;
        }
        pending += sender
            .pending
            .iter()
            .filter(|cid| stored.contains_key(*cid))
            .count();
    }
    eprintln!("{acknowledged} acknowledged, {} stored", rows.len());
    assert_eq!(acknowledged + pending, rows.len(), "nothing else is there");
    assert!(acknowledged > 0);
}
