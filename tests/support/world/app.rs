//! The application of the simulated world, and the books it keeps.
//!
//! Its handlers do a little of everything an application may do. Whatever one sends is entered in the books at that moment,
//! for every socket that is to get it; a client then crosses off what it hears. So one comparison
//! shows losses, doubles, wrong order, and messages to those who were not there.
//! Knows no bytes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use roomcast::server::{Gathered, GatheringEnd, JobError};
use roomcast::socketio::{Reason, SocketId};
use roomcast::{Ack, App, Config, Context, Server, Socket, Verdict};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::network::Desk;
use super::routes;
use super::weights::GATHERINGS_MAX;

pub const NAMESPACES: [&str; 2] = ["/", "/chat"];
pub const ROOMS: [&str; 3] = ["red", "green", "blue"];

/// What a socket is to hear next.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// An event with its number. What may be lost is passed over when something later is heard.
    Event {
        number: u64,
        may_be_lost: bool,
    },
    Ack {
        id_of: u64,
    },
}

/// What is known of one socket, from its being let in until the end of the world.
#[derive(Debug, Default)]
pub struct Known {
    pub namespace: String,
    pub expected: VecDeque<Expected>,
    pub rooms: BTreeSet<String>,
    pub data: u64,
    pub is_in: bool,
    pub reason: Option<Reason>,
    /// Questions of ours that were not answered, timed out or given up yet.
    pub questions: u64,
}

/// What should be true.
#[derive(Debug, Default)]
pub struct Books {
    pub sockets: BTreeMap<String, Known>,
    pub violation: Option<String>,
    pub reasons: BTreeMap<&'static str, u64>,
    pub answers: BTreeMap<&'static str, u64>,
    /// Broadcasts whose answers are awaited.
    pub surveys: usize,
    next_number: u64,
}

impl Books {
    pub fn wrong(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    fn expect(&mut self, id: &str, expected: Expected) {
        if let Some(known) = self.sockets.get_mut(id).filter(|known| known.is_in) {
            known.expected.push_back(expected);
        }
    }

    fn expect_event(&mut self, id: &str, number: u64) {
        let may_be_lost = false;
        self.expect(
            id,
            Expected::Event {
                number,
                may_be_lost,
            },
        );
    }

    /// Members of a room, or all of a namespace.
    fn members(&self, namespace: &str, room: Option<&str>) -> Vec<String> {
        let here = |known: &Known| {
            known.is_in
                && known.namespace == namespace
                && room.is_none_or(|room| known.rooms.contains(room))
        };
        let members = self.sockets.iter().filter(|(_, known)| here(known));
        members.map(|(id, _)| id.clone()).collect()
    }

    /// A client has heard something for a socket of its own.
    pub fn heard(&mut self, id: &str, heard: &Expected) -> Result<(), String> {
        let known = self
            .sockets
            .get_mut(id)
            .ok_or_else(|| format!("I3: socket {id} was never let in"))?;
        while let Some(next) = known.expected.pop_front() {
            match (&next, heard) {
                (Expected::Event { number: a, .. }, Expected::Event { number: b, .. })
                    if a == b =>
                {
                    return Ok(());
                }
                (Expected::Ack { id_of: a }, Expected::Ack { id_of: b }) if a == b => return Ok(()),
                (
                    Expected::Event {
                        may_be_lost: true, ..
                    },
                    _,
                ) => {}
                _ => {
                    let which = match heard {
                        Expected::Ack { .. } => "I8",
                        Expected::Event { .. } => "I2",
                    };
                    return Err(format!("{which}: {id} heard {heard:?} instead of {next:?}"));
                }
            }
        }
        let which = match heard {
            Expected::Ack { .. } => "I8",
            Expected::Event { .. } => "I3",
        };
        Err(format!(
            "{which}: {id} heard {heard:?} and should hear nothing"
        ))
    }

    /// Everything that a socket must have heard by now, but has not.
    pub fn unheard(&self, id: &str) -> usize {
        let must = |expected: &&Expected| {
            !matches!(
                expected,
                Expected::Event {
                    may_be_lost: true,
                    ..
                }
            )
        };
        self.sockets
            .get(id)
            .map_or(0, |known| known.expected.iter().filter(must).count())
    }
}

pub type SharedBooks = Rc<RefCell<Books>>;

pub struct Town {
    pub books: SharedBooks,
}

/// A socket's own data, which must be what was put there last.
#[derive(Default, Serialize, Deserialize)]
pub struct Pocket {
    value: u64,
}

impl App for Town {
    type Data = Pocket;
}

/// Bytes that travel as an attachment.
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Bytes).map(Self)
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

type Guest<'a> = Socket<'a, Town>;

/// What a client brings to `/chat`.
#[derive(Deserialize)]
struct Pass {
    word: Option<String>,
}

pub fn town(config: Config, books: SharedBooks, seed: u64) -> Server<Town> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut server = Server::with_seed(config, Town { books }, bytes);
    let lane = server.lane("desk", 1, || Desk);
    routes::describe(&mut server);
    for name in NAMESPACES {
        let namespace = server.of(name);
        let namespace = if name == "/chat" {
            namespace.authorize(authorize)
        } else {
            namespace
        };
        namespace
            .on_connect(enter)
            .on("join", |socket, (nonce, room): (u64, String), ack| {
                socket.join(&room);
                with_books(socket, |books, id| {
                    if let Some(known) = books.sockets.get_mut(id) {
                        known.rooms.insert(room);
                    }
                });
                answer(socket, ack, nonce);
            })
            .on("leave", |socket, (nonce, room): (u64, String), ack| {
                socket.leave(&room);
                with_books(socket, |books, id| {
                    if let Some(known) = books.sockets.get_mut(id) {
                        known.rooms.remove(&room);
                    }
                });
                answer(socket, ack, nonce);
            })
            .on("say", say)
            .on("all", |socket, (nonce, size): (u64, usize), ack| {
                let name = socket.namespace().to_owned();
                let number = with_books(socket, |books, _| {
                    let number = books.number();
                    for member in books.members(&name, None) {
                        books.expect_event(&member, number);
                    }
                    number
                });
                socket.everyone().emit("said", &(number, "y".repeat(size)));
                answer(socket, ack, nonce);
            })
            .on("elsewhere", |socket, (nonce, room): (u64, String), ack| {
                let name = socket.namespace().to_owned();
                let number = with_books(socket, |books, id| {
                    let number = books.number();
                    let inside = books.members(&name, Some(&room));
                    for member in books.members(&name, None) {
                        if member != id && !inside.contains(&member) {
                            books.expect_event(&member, number);
                        }
                    }
                    number
                });
                socket.broadcast().except(&room).emit("said", &(number,));
                answer(socket, ack, nonce);
            })
            .on(
                "flood",
                |socket, (nonce, count, size): (u64, u64, usize), ack| {
                    let pad = "f".repeat(size);
                    for _ in 0..count {
                        tell(socket, "said", &pad);
                    }
                    answer(socket, ack, nonce);
                },
            )
            .on("perhaps", |socket, (nonce,): (u64,), ack| {
                let number = with_books(socket, |books, id| {
                    let number = books.number();
                    let may_be_lost = true;
                    books.expect(
                        id,
                        Expected::Event {
                            number,
                            may_be_lost,
                        },
                    );
                    number
                });
                socket.emit_volatile("said", &(number,));
                answer(socket, ack, nonce);
            })
            .on("blob", |socket, (nonce, bytes): (u64, Blob), ack| {
                let number = with_books(socket, |books, id| {
                    let number = books.number();
                    books.expect_event(id, number);
                    number
                });
                socket.emit("blob", &(number, bytes));
                answer(socket, ack, nonce);
            })
            .on("pocket", |socket, (nonce, value): (u64, u64), ack| {
                let held = std::mem::replace(&mut socket.data_mut().value, value);
                with_books(socket, |books, id| {
                    let known = books.sockets.get_mut(id).expect("it was let in");
                    if std::mem::replace(&mut known.data, value) != held {
                        books.wrong(format!("the data of {id} is another's: {held}"));
                    }
                });
                answer(socket, ack, nonce);
            })
            .on("question", |socket, (nonce,): (u64,), ack| {
                ask(socket);
                answer(socket, ack, nonce);
            })
            .on("survey", |socket, (nonce,): (u64,), ack| {
                survey(socket);
                answer(socket, ack, nonce);
            })
            .on("work", move |socket, (nonce,): (u64,), ack: Ack| {
                let id = socket.id();
                socket.io.run(
                    lane,
                    move |_: &mut Desk| nonce,
                    move |context, outcome| {
                        let outcome = match outcome {
                            Ok(number) if number != nonce => Some("I8: another job's outcome"),
                            Err(JobError::Failed(_)) => Some("a job failed"),
                            Ok(_) | Err(JobError::Busy | JobError::Interrupted) => None,
                        };
                        if let Some(wrong) = outcome {
                            context.app.books.borrow_mut().wrong(wrong.to_owned());
                        }
                        // An answer finds its way by itself, or goes nowhere if its socket has left.
                        if ack.is_wanted() {
                            let expected = Expected::Ack { id_of: nonce };
                            context.app.books.borrow_mut().expect(id.as_str(), expected);
                        }
                        ack.send(&mut context.io, &(nonce,));
                    },
                );
            })
            .on("kick", |socket, (): (), _ack| socket.disconnect())
            .on("out", |socket, (): (), _ack| socket.disconnect_connection())
            .on_disconnecting(|socket, reason| {
                let held: BTreeSet<String> = socket.rooms().into_iter().collect();
                with_books(socket, |books, id| {
                    let Some(known) = books.sockets.get_mut(id) else {
                        return;
                    };
                    let mut rooms = std::mem::take(&mut known.rooms);
                    rooms.insert(id.to_owned());
                    known.is_in = false;
                    known.reason = Some(reason);
                    *books.reasons.entry(reason.as_str()).or_default() += 1;
                    if held != rooms {
                        books.wrong(format!("I5: {id} leaves {held:?} instead of {rooms:?}"));
                    }
                });
            })
            .on_disconnect(|socket, _reason| {
                with_books(socket, |books, id| {
                    if books.sockets[id].questions > 0 {
                        books.wrong(format!("I8: {id} has left, and questions wait for it"));
                    }
                });
                if !socket.rooms().is_empty() {
                    let left = format!("I5: {} has rooms after its end", socket.id());
                    socket.app.books.borrow_mut().wrong(left);
                }
            });
    }
    server
}

fn with_books<T>(socket: &Guest<'_>, work: impl FnOnce(&mut Books, &str) -> T) -> T {
    let id = socket.id();
    work(&mut socket.app.books.borrow_mut(), id.as_str())
}

fn authorize(socket: &mut Guest<'_>, pass: Pass) -> Verdict {
    let id: SocketId = socket.id();
    match pass.word.as_deref() {
        Some("no") => Verdict::refuse("not you"),
        Some("wait") => {
            socket
                .io
                .after(Duration::from_millis(300), move |context| {
                    context.io.decide(id, Verdict::Accept);
                })
                .unwrap();
            let within = Duration::from_secs(2);
            Verdict::Later { within }
        }
        Some("never") => {
            let within = Duration::from_secs(1);
            Verdict::Later { within }
        }
        _ => Verdict::Accept,
    }
}

fn enter(socket: &mut Guest<'_>) {
    let namespace = socket.namespace().to_owned();
    let known = Known {
        namespace,
        is_in: true,
        ..Known::default()
    };
    let before = with_books(socket, |books, id| {
        books.sockets.insert(id.to_owned(), known)
    });
    if before.is_some() {
        let twice = format!("{} was let in twice", socket.id());
        socket.app.books.borrow_mut().wrong(twice);
    }
    tell(socket, "welcome", "");
}

/// An event to the socket itself.
fn tell(socket: &mut Guest<'_>, event: &str, pad: &str) {
    let number = with_books(socket, |books, id| {
        let number = books.number();
        books.expect_event(id, number);
        number
    });
    socket.emit(event, &(number, pad));
}

fn say(socket: &mut Guest<'_>, (nonce, room, size): (u64, String, usize), ack: Ack) {
    let name = socket.namespace().to_owned();
    let number = with_books(socket, |books, id| {
        let number = books.number();
        for member in books.members(&name, Some(&room)) {
            if member != id {
                books.expect_event(&member, number);
            }
        }
        number
    });
    socket.to(&room).emit("said", &(number, "x".repeat(size)));
    answer(socket, ack, nonce);
}

/// Answers with the number that the client asked with, if it wants an answer.
fn answer(socket: &mut Guest<'_>, ack: Ack, nonce: u64) {
    if !ack.is_wanted() {
        return;
    }
    with_books(socket, |books, id| {
        books.expect(id, Expected::Ack { id_of: nonce });
    });
    ack.send(&mut socket.io, &(nonce,));
}

/// Asks everybody else something: each is to answer with the number it was asked with, at most once.
fn survey(socket: &mut Guest<'_>) {
    let name = socket.namespace().to_owned();
    let (number, asked) = with_books(socket, |books, id| {
        let number = books.number();
        let mut asked = books.members(&name, None);
        asked.retain(|member| member != id);
        books.surveys += 1;
        // The server refuses to wait for more than this, and then asks nobody.
        if books.surveys > GATHERINGS_MAX {
            asked.clear();
        }
        for member in &asked {
            books.expect_event(member, number);
        }
        (number, asked)
    });
    let within = Duration::from_secs(5);
    let then = move |context: &mut Context<'_, Town>, gathered: Gathered| {
        let mut books = context.app.books.borrow_mut();
        books.surveys -= 1;
        let end = match gathered.end {
            GatheringEnd::Complete => "survey complete",
            GatheringEnd::TimedOut => "survey timed out",
            GatheringEnd::Interrupted => "survey interrupted",
            GatheringEnd::TooMuch => "survey too much",
            GatheringEnd::TooMany => "survey too many",
        };
        *books.answers.entry(end).or_default() += 1;
        let mut left = asked;
        for answer in &gathered.answers {
            let by = answer.from.expect("there is one server");
            let from = left.iter().position(|id| *id == by.as_str());
            let is_right = answer
                .parse::<(u64,)>()
                .is_ok_and(|(value,)| value == number);
            match from {
                Some(from) if is_right => drop(left.swap_remove(from)),
                _ => books.wrong(format!("I8: {answer:?} to question {number}")),
            }
        }
        if gathered.end == GatheringEnd::Complete && !left.is_empty() {
            books.wrong(format!("L1: complete without {left:?}"));
        }
    };
    let everybody = socket.broadcast();
    everybody.emit_with_acks("question", &(number,), within, then);
}

/// Asks the client something: it is to answer with the number it was asked with.
fn ask(socket: &mut Guest<'_>) {
    let asked = socket.id();
    let number = with_books(socket, |books, id| {
        let number = books.number();
        let known = books.sockets.get_mut(id).expect("it was let in");
        known.questions += 1;
        number
    });
    let waits = with_books(socket, |books, id| books.sockets[id].questions);
    // The server refuses to wait for more than this, and then sends nothing.
    if waits <= 20 {
        with_books(socket, |books, id| books.expect_event(id, number));
    }
    socket.emit_with_ack(
        "question",
        &(number,),
        Duration::from_secs(5),
        move |socket, result: Result<(Value,), roomcast::server::AckError>| {
            let is_other = socket.id() != asked;
            with_books(socket, |books, id| {
                let known = books.sockets.get_mut(id).expect("it was let in");
                known.questions -= 1;
                let outcome = match result {
                    Ok((value,)) if is_other || value != number => {
                        books.wrong(format!("I8: {id} answered {value} to question {number}"));
                        "wrong"
                    }
                    Ok(_) => "answered",
                    Err(roomcast::server::AckError::TimedOut) => "timed out",
                    Err(roomcast::server::AckError::Disconnected) => "gone",
                    Err(roomcast::server::AckError::TooMany) => "too many",
                    Err(roomcast::server::AckError::NotSent) => "not sent",
                    Err(roomcast::server::AckError::Interrupted) => "interrupted",
                    Err(roomcast::server::AckError::Unexpected(_)) => "unexpected",
                };
                *books.answers.entry(outcome).or_default() += 1;
            });
        },
    );
}
