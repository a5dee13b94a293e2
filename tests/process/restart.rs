//! A restart and a kill under twenty clients that talk: everybody comes back and has, in the end, exactly what is stored.
//! And a restart under two hundred that look on.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::process::{PATIENCE, Place, Roomcast, free_address};

const MEMBERS: usize = 20;

const PAGES: usize = 200;
/// Of one person.
const TABS: usize = 8;
const ALL_BACK_WITHIN: Duration = Duration::from_secs(25);

/// A page without a screen: it knows rows by their numbers, and how far it has seen.
struct Member {
    cookie: String,
    name: String,
    count: usize,
    /// Sent, and not known to be stored.
    pending: Option<String>,
    rows: BTreeMap<i64, Value>,
    rev: i64,
}

impl Member {
    const fn new(cookie: String, name: String) -> Self {
        Self {
            cookie,
            name,
            count: 0,
            pending: None,
            rows: BTreeMap::new(),
            rev: 0,
        }
    }

    /// Comes back and talks until the server is gone. Says whether it was told before.
    fn talk(&mut self, address: SocketAddr, told: &Sender<()>) -> io::Result<()> {
        let mut client = Client::open(address, &self.cookie)?;
        let room = client.general();
        self.catch_up(&mut client, room)?;
        loop {
            let cid = self.pending.take().unwrap_or_else(|| {
                self.count += 1;
                format!("{}-{}", self.name, self.count)
            });
            self.pending = Some(cid.clone());
            let text = format!("said by {cid}");
            let answer = client.tell(room, &cid, &text)?;
            self.hear(&mut client, room)?;
            assert_eq!(answer["ok"], true, "{answer}");
            let mut row = answer;
            row["text"] = json!(text);
            row["cid"] = json!(cid);
            row["by"] = client.hello["me"]["id"].clone();
            self.received(&mut client, room, row)?;
            self.pending = None;
            // Whoever counts may have heard enough.
            let _ = told.send(());
        }
    }

    /// What came while an answer was waited for.
    fn hear(&mut self, client: &mut Client, room: i64) -> io::Result<()> {
        while let Some((event, body)) = client.heard() {
            match event.as_str() {
                "message" => self.received(client, room, body)?,
                "change" => self.received(client, room, body["row"].clone())?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The next revision is taken, an old one is not, and a gap is asked about.
    fn received(&mut self, client: &mut Client, room: i64, row: Value) -> io::Result<()> {
        let rev = row["rev"].as_i64().unwrap();
        if rev == self.rev + 1 {
            self.rev = rev;
            self.put(row);
        } else if rev > self.rev {
            self.catch_up(client, room)?;
        }
        Ok(())
    }

    fn put(&mut self, row: Value) {
        self.rows.insert(row["seq"].as_i64().unwrap(), row);
    }

    fn catch_up(&mut self, client: &mut Client, room: i64) -> io::Result<()> {
        loop {
            let body = json!({ "room": room, "rev": self.rev });
            let chunk = client.ask_patiently("sync", &body)?;
            assert_eq!(chunk["ok"], true, "{chunk}");
            assert_ne!(chunk["reset"], true, "nobody was away for so long");
            for row in chunk["rows"].as_array().unwrap() {
                self.put(row.clone());
            }
            self.rev = self.rev.max(chunk["rev"].as_i64().unwrap());
            if chunk["more"] != json!(true) {
                return Ok(());
            }
        }
    }
}

/// One number for all that a list of rows says.
fn hash<'r>(rows: impl IntoIterator<Item = &'r Value>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in rows {
        for field in ["seq", "rev", "id", "by", "cid", "text"] {
            row[field].to_string().hash(&mut hasher);
        }
        row.get("deleted").is_some().hash(&mut hasher);
    }
    hasher.finish()
}

/// All of them talk, each on a thread of its own, until the server is gone.
fn all_talk(members: Vec<Member>, address: SocketAddr) -> (Vec<JoinHandle<Member>>, Receiver<()>) {
    let (sender, told) = channel();
    let talk = |mut member: Member| {
        let sender = sender.clone();
        let talk = move || {
            // It ends when the server does.
            let _ = member.talk(address, &sender);
            member
        };
        thread::Builder::new().spawn(talk).unwrap()
    };
    (members.into_iter().map(talk).collect(), told)
}

fn join(talking: Vec<JoinHandle<Member>>) -> Vec<Member> {
    talking.into_iter().map(|one| one.join().unwrap()).collect()
}

fn hear(told: &Receiver<()>, count: usize) {
    for _ in 0..count {
        told.recv_timeout(PATIENCE).expect("they go on");
    }
}

#[test]
fn after_a_restart_and_a_kill_everybody_has_exactly_what_is_stored() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    let mut members = vec![Member::new(server.set_up(), "ada".to_owned())];
    for n in 1..MEMBERS {
        let name = format!("member{n}");
        members.push(Member::new(server.join(&name), name));
    }
    // One who hears the goodbye, and one who will have been away all the while.
    let mut listener = server.client(&members[0].cookie);
    let mut sleeper = members.pop().unwrap();
    sleeper
        .catch_up(&mut server.client(&sleeper.cookie), listener.general())
        .unwrap();

    let (talking, told) = all_talk(members, server.address());
    hear(&told, 90);
    let listening = thread::Builder::new()
        .spawn(move || listener.event("server:restarting").unwrap())
        .unwrap();
    assert_eq!(server.terminate(), 0);
    let news = listening.join().unwrap();
    assert!(news["inMs"].as_u64().unwrap() > 0, "{news}");
    let members = join(talking);

    let mut server = Roomcast::start(&place);
    let (talking, told) = all_talk(members, server.address());
    hear(&told, 90);
    server.kill();
    let mut members = join(talking);
    assert!(place.done(&["check"]).starts_with("All is well"));

    let server = Roomcast::start(&place);
    members.push(sleeper);
    let mut ada = server.client(&members[0].cookie);
    let room = ada.general();
    for member in &mut members {
        let mut client = server.client(&member.cookie);
        if let Some(cid) = member.pending.take() {
            client.tell(room, &cid, &format!("said by {cid}")).unwrap();
        }
    }
    // Changed behind the back of those who are away.
    let own: Vec<_> = ada
        .rows(room)
        .unwrap()
        .into_iter()
        .filter(|row| row["by"] == 1)
        .collect();
    let edit = json!({ "id": own[0]["id"], "text": "said otherwise" });
    assert_eq!(ada.ask("edit", &edit).unwrap()["ok"], true);
    let delete = json!({ "id": own[1]["id"] });
    assert_eq!(ada.ask("delete", &delete).unwrap()["ok"], true);
    let stored = ada.rows(room).unwrap();
    assert_eq!(
        stored.iter().filter(|row| row["edited"].is_u64()).count(),
        1
    );
    assert_eq!(
        stored.iter().filter(|row| row["deleted"].is_u64()).count(),
        1
    );
    let numbers: Vec<_> = stored
        .iter()
        .map(|row| row["seq"].as_i64().unwrap())
        .collect();
    assert!(
        numbers
            .iter()
            .copied()
            .eq(1..=i64::try_from(stored.len()).unwrap())
    );
    let sent: usize = members.iter().map(|member| member.count).sum();
    assert_eq!(
        stored.len(),
        sent,
        "each once, whether its answer came or not"
    );
    for member in &mut members {
        let mut client = server.client(&member.cookie);
        member.catch_up(&mut client, room).unwrap();
        assert_eq!(member.rows.len(), stored.len(), "{}", member.name);
        assert_eq!(hash(member.rows.values()), hash(&stored), "{}", member.name);
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes until all are back is what is asked"
)]
fn two_hundred_pages_are_all_back_within_twenty_five_seconds_of_a_restart() {
    let place = Place::new();
    let address = free_address();
    let server = Roomcast::start_at(&place, address);
    let mut cookies = vec![server.set_up()];
    for n in 1..PAGES / TABS {
        cookies.push(server.join(&format!("member{n}")));
    }
    let pages: Vec<_> = (0..PAGES)
        .map(|n| server.client(&cookies[n % cookies.len()]))
        .collect();
    let room = pages[0].general();
    // Each waits in a thread of its own until it is cut off, and tries until it is back, as pages do: half a second at first,
    // then twice as long each time, and never all at once.
    let (sender, back) = channel();
    let waiting: Vec<_> = pages
        .into_iter()
        .enumerate()
        .map(|(n, mut page)| {
            let (cookie, sender) = (cookies[n % cookies.len()].clone(), sender.clone());
            let comes_back = move || {
                page.event("server:restarting").unwrap();
                page.outlive();
                let mut wait = Duration::from_secs_f64(0.25 + 0.5 * n as f64 / PAGES as f64);
                loop {
                    thread::sleep(wait);
                    wait *= 2;
                    if let Ok(mut page) = Client::open(address, &cookie) {
                        let body = json!({ "room": room, "rev": 0 });
                        let chunk = page.ask_patiently("sync", &body).unwrap();
                        sender.send(chunk["ok"] == true).unwrap();
                        return page;
                    }
                }
            };
            thread::Builder::new().spawn(comes_back).unwrap()
        })
        .collect();
    let began = Instant::now();
    assert_eq!(server.terminate(), 0);
    let server = Roomcast::start_at(&place, address);
    for _ in 0..PAGES {
        assert!(back.recv_timeout(PATIENCE).expect("all come back"));
    }
    let took = began.elapsed();
    eprintln!("{PAGES} pages were back {took:?} after the server was asked to end");
    assert!(took < ALL_BACK_WITHIN, "{took:?}");
    // They are all there, and hear what is said.
    let mut pages: Vec<_> = waiting.into_iter().map(|one| one.join().unwrap()).collect();
    pages[0].tell(room, "after", "we are all here").unwrap();
    for page in &mut pages[1..] {
        assert_eq!(page.event("message").unwrap()["cid"], "after");
    }
    assert_eq!(server.terminate(), 0);
}
