//! The wall: what the outside may do to a server, and what the server must do then, one row after the other.
//!
//! Each file is a subject and begins with its table: what is done, and the tests that prove what must follow; here it is
//! checked that each of them is there. What the kernel has a part in is proven here over real sockets; what is a matter of
//! bytes or of time is proven where the bytes and the time are, and only named.
//!
//! | subject | rows | where ours differs from the reference (Node's http, ws, engine.io, socket.io), and why |
//! |---|---|---|
//! | [`http`] | h1–h16 | two Hosts and equal Content-Lengths are refused: what another server reads differently is how requests are smuggled |
//! | [`websocket`] | w1–w12 | a wrong version is answered 426 with the right one, as RFC 6455 §4.4 says; the close code tells which rule was broken |
//! | [`engineio`] | e1–e14 | a wrong revision by WebSocket is refused before the 101; an unknown session's upgrade is plain text, as the reference writes it to the socket |
//! | [`socketio`] | s1–s15 | the number of attachments is digits only (`1e1` and `0x1` count there), JSON is at most 128 deep, an ack id at most 2⁵³ − 1 |
//! | [`published`] | by number | nothing: these are the holes that others had |
//!
//! Left out: how fast (a busy machine says nothing of that): `cargo bench --bench siege` measures a server under silent,
//! trickling and slow clients.
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

mod engineio;
mod http;
mod published;
mod socketio;
#[path = "../support/mod.rs"]
mod support;
mod websocket;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use roomcast::http::{Method, Response};
use roomcast::{App, Config, Server};
use support::{Client, PATIENCE, Rig};

/// What is done, and the tests that prove what must follow: a file below the crate's root and a function.
type Proofs = &'static [(&'static str, &'static str, &'static [&'static str])];

/// Short, but long enough for whatever must happen before it.
const SOON: Duration = Duration::from_millis(50);

/// An application that tells a test how sockets end.
struct Ends(Sender<&'static str>);

impl App for Ends {
    type Data = ();
}

type Wall = Rig<Ends>;

/// A server with `/` and `/chat` and a route, and how the sockets of `/` end.
fn rig(change: impl FnOnce(&mut Config)) -> (Wall, Receiver<&'static str>) {
    let (sender, ends) = channel();
    let mut config = Config::default();
    change(&mut config);
    (Rig::new(config, || Ends(sender), describe), ends)
}

fn describe(server: &mut Server<Ends>) {
    server.route(Method::Get, "/here", |_| Response::text(200, "here").into());
    server.route(Method::Post, "/here", |request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        Response::text(200, body).into()
    });
    server.of("/chat");
    server
        .of("/")
        .on_raw("echo", |socket, args, _| socket.emit("echo", &args))
        .on("tell", |socket, (bytes,): (usize,), _| {
            socket.everyone().emit("told", &"x".repeat(bytes));
        })
        .on_disconnect(|socket, reason| {
            // Once the test is over nobody listens.
            let _ = socket.app.0.send(reason.as_str());
        });
}

fn next(ends: &Receiver<&'static str>) -> &'static str {
    ends.recv_timeout(PATIENCE).expect("an end")
}

/// All that is answered until the server has ended the connection.
fn answered(rig: &Wall, bytes: &[u8]) -> String {
    let mut client = rig.connect();
    client.send(bytes);
    client.rest()
}

/// The statuses in what was answered.
fn statuses(answers: &str) -> Vec<u16> {
    answers
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, _)| answers.get(at + 9..at + 12)?.parse().ok())
        .collect()
}

/// Somebody who does nothing wrong is served.
fn assert_well(rig: &Wall) {
    let mut client = rig.socket("");
    client.say("42[\"echo\",\"well\"]");
    assert_eq!(client.hear(), "42[\"echo\",\"well\"]");
    let request = b"GET /here HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(rig.status_of(request), 200);
}

/// Asks until no session is left; each question is a turn of the loop.
fn wait_until_none_is_left(rig: &Wall) {
    while rig.ask(|context| context.io.session_count()) > 0 {}
}

#[test]
fn every_row_is_proven_by_tests_that_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (subject, rows, count) in [
        ("h", http::PROOFS, 16),
        ("w", websocket::PROOFS, 12),
        ("e", engineio::PROOFS, 14),
        ("s", socketio::PROOFS, 15),
        ("", published::PROOFS, 21),
    ] {
        assert_eq!(rows.len(), count, "{subject}");
        for (at, (row, what, places)) in rows.iter().enumerate() {
            if !subject.is_empty() {
                assert_eq!(*row, format!("{subject}{}", at + 1));
            }
            assert!(!what.is_empty() && !places.is_empty(), "{row}");
            for place in *places {
                let (file, test) = place.split_once(' ').unwrap();
                let source = std::fs::read_to_string(root.join(file));
                let source = source.unwrap_or_else(|error| panic!("{row}: {file}: {error}"));
                let is_there = if file.ends_with(".rs") {
                    source.contains(&format!("fn {test}("))
                } else {
                    source.contains(test)
                };
                assert!(is_there, "{row}: {place}");
            }
        }
    }
}
