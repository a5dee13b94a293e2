//! Bodies in pieces over real sockets, where the kernel sets the pace: what waits has a bound, and nothing is lost.

#[expect(dead_code, reason = "clients of other tests say and hear more")]
mod support;

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use roomcast::http::{Length, Method, Response};
use roomcast::server::{Feed, Part, RequestId};
use roomcast::{Answer, App, Config, Server};
use support::{PATIENCE, Rig};

/// More than the kernels of both sides hold together, many times over.
const LARGE_BYTES: usize = 64 * 1024 * 1024;
/// What the kernels of both sides may hold, and the server.
const ON_THE_WAY_BYTES_MAX: usize = 24 * 1024 * 1024;

/// Short, and gone when somebody else has waited it out.
const SOON: Duration = Duration::from_millis(50);

/// Bytes that say where they stand.
fn pattern(start: usize, bytes: usize) -> Vec<u8> {
    (start..start + bytes).map(at).collect()
}

fn at(place: usize) -> u8 {
    u8::try_from(place % 251).unwrap_or_default()
}

/// Counts what goes through, and keeps who is to be told.
#[derive(Default)]
struct Town {
    given: usize,
    taken: usize,
    is_wrong: bool,
    upload: Option<RequestId>,
    listeners: Vec<RequestId>,
    ends: Vec<String>,
}

impl App for Town {
    type Data = ();
}

fn describe(server: &mut Server<Town>) {
    server.route(Method::Get, "/export", |request| {
        let id = request.id();
        let length = match request.query() {
            "counted" => Length::Known(LARGE_BYTES as u64),
            _ => Length::Unknown,
        };
        request.io.begin(id, &Response::new(200), length);
        let mut written = 0;
        request.io.feed(id, move |context, feed| match feed {
            Feed::More if written == LARGE_BYTES => context.io.finish(id),
            Feed::More => {
                let piece = pattern(written, 32 * 1024);
                written += piece.len();
                context.app.given = written;
                context.io.write(id, piece).expect("there is room");
            }
            Feed::Broken(why) => context.app.ends.push(format!("{why:?}")),
        });
        Answer::Later
    });
    server.route(Method::Get, "/whole", |_| {
        Response::new(200).body(pattern(0, LARGE_BYTES)).into()
    });
    server.route(Method::Get, "/events", |request| {
        let id = request.id();
        let head = Response::new(200).header("Content-Type", "text/event-stream");
        if request.io.begin(id, &head, Length::Unknown) {
            request.app.listeners.push(id);
        }
        Answer::Later
    });
    server.route_in_pieces(Method::Put, "/upload", |request| {
        let id = request.id();
        request.app.upload = Some(id);
        request.io.take(id, None, move |context, part| match part {
            Part::Bytes(bytes) => {
                let start = context.app.taken;
                let is_right = bytes
                    .iter()
                    .zip(start..)
                    .all(|(byte, place)| *byte == at(place));
                context.app.is_wrong |= !is_right;
                context.app.taken += bytes.len();
                if start == 0 {
                    context.io.hold(id);
                }
            }
            Part::End => {
                let taken = context.app.taken.to_string();
                context.io.answer(id, &Response::text(200, taken));
            }
            Part::Broken(why) => context.app.ends.push(format!("{why:?}")),
        });
        Answer::Later
    });
    server
        .of("/")
        .on("say", |socket, (text,): (String,), _ack| {
            let event = format!("data: {text}\n\n");
            let (app, io) = (&mut *socket.app, &mut socket.io);
            app.listeners
                .retain(|id| io.write(*id, event.clone()).is_ok());
        });
}

fn rig() -> Rig<Town> {
    Rig::new(Config::default(), Town::default, describe)
}

/// One that has no patience with who says nothing, or is not gone at once.
fn strict_rig() -> Rig<Town> {
    let mut config = Config::default();
    config.http.keep_alive_idle_max = SOON;
    config.reactor.flush_within = SOON;
    Rig::new(config, Town::default, describe)
}

/// Asks until the answer is the same some turns of the loop in a row.
fn at_rest(rig: &Rig<Town>, question: fn(&Town) -> usize) -> usize {
    let mut answers = vec![0, 1];
    while answers[answers.len().saturating_sub(50)..]
        .windows(2)
        .any(|pair| pair[0] != pair[1])
    {
        answers.push(rig.ask(move |context| question(context.app)));
    }
    answers[answers.len() - 1]
}

#[test]
fn an_export_goes_at_the_pace_of_a_client_that_did_not_read_for_a_while() {
    let rig = rig();
    let mut client = rig.connect();
    client.send(b"GET /export?counted HTTP/1.1\r\nHost: here\r\n\r\n");
    assert!(client.head().contains("Content-Length: 67108864\r\n"));
    let given = at_rest(&rig, |town| town.given);
    assert!(
        given > 0 && given < ON_THE_WAY_BYTES_MAX,
        "{given} bytes are on their way"
    );
    let body = client.bytes(LARGE_BYTES);
    assert!(body == pattern(0, LARGE_BYTES), "not what was written");
    client.send(b"GET /nowhere HTTP/1.1\r\nHost: here\r\n\r\n");
    assert_eq!(client.answer().0, 404, "the connection goes on");
}

#[test]
fn a_whole_answer_that_was_read_slowly_lost_its_tail() {
    let rig = strict_rig();
    let mut client = rig.connect();
    client.send(b"GET /whole HTTP/1.1\r\nHost: here\r\n\r\n");
    assert!(client.head().contains("Content-Length: 67108864\r\n"));
    let quarter = LARGE_BYTES / 4;
    let mut body = Vec::new();
    for _ in 0..4 {
        // Another one that says nothing has had its time when it is closed: so has this one.
        for _ in 0..3 {
            let mut idle = rig.connect();
            idle.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n");
            assert!(idle.rest().starts_with("HTTP/1.1 404 "));
        }
        body.extend(client.bytes(quarter));
    }
    assert!(body == pattern(0, LARGE_BYTES), "not what was answered");
    assert_eq!(client.rest(), "", "and then it is idle, and closed");
}

#[test]
fn an_export_in_chunks_is_whole_and_others_are_served_meanwhile() {
    let rig = rig();
    let mut client = rig.connect();
    client.send(b"GET /export HTTP/1.1\r\nHost: here\r\n\r\n");
    assert!(client.head().contains("Transfer-Encoding: chunked\r\n"));
    assert_eq!(rig.status_of(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"), 404);
    let mut body = Vec::new();
    loop {
        let line = client.line();
        let size = usize::from_str_radix(&line, 16).expect("a size");
        body.extend(client.bytes(size));
        assert_eq!(client.line(), "");
        if size == 0 {
            break;
        }
    }
    assert!(body == pattern(0, LARGE_BYTES), "not what was written");
}

#[test]
fn a_client_that_leaves_an_export_is_told_to_its_feeder() {
    let rig = rig();
    let mut client = rig.connect();
    client.send(b"GET /export HTTP/1.1\r\nHost: here\r\n\r\n");
    client.head();
    client.reset();
    at_rest(&rig, |town| town.ends.len());
    while rig.ask(|context| context.app.ends.is_empty()) {}
    assert_eq!(rig.ask(|context| context.app.ends.clone()), ["Gone"]);
}

#[test]
fn events_are_pushed_to_pages_by_a_socket() {
    let rig = rig();
    let mut listeners = [rig.connect(), rig.connect()];
    for listener in &mut listeners {
        listener.send(b"GET /events HTTP/1.1\r\nHost: here\r\n\r\n");
        listener.head();
    }
    let mut socket = rig.socket("");
    for text in ["one", "two"] {
        socket.say(&format!("42[\"say\",\"{text}\"]"));
        for listener in &mut listeners {
            assert_eq!(listener.line(), "b");
            assert_eq!(
                listener.bytes(13),
                format!("data: {text}\n\n\r\n").as_bytes()
            );
        }
    }
}

#[test]
fn an_upload_on_hold_waits_in_the_kernels_and_arrives_whole() {
    let rig = rig();
    let mut client = rig.connect();
    let (sender, answer) = channel();
    let uploading = thread::Builder::new().spawn(move || {
        client.send(b"PUT /upload HTTP/1.1\r\nHost: here\r\nContent-Length: 67108864\r\n\r\n");
        client.send(&pattern(0, LARGE_BYTES));
        let _ = sender.send(client.answer());
    });
    while rig.ask(|context| context.app.taken == 0) {}
    let taken = at_rest(&rig, |town| town.taken);
    assert!(
        taken <= 64 * 1024,
        "{taken} bytes were shown after the hold"
    );
    assert!(answer.try_recv().is_err());
    rig.ask(|context| {
        let id = context.app.upload.expect("it has begun");
        context.io.resume(id);
    });
    let (status, counted) = answer.recv_timeout(PATIENCE).expect("an answer");
    assert_eq!((status, counted), (200, LARGE_BYTES.to_string()));
    assert!(
        !rig.ask(|context| context.app.is_wrong),
        "not what was sent"
    );
    uploading
        .expect("a thread")
        .join()
        .expect("the client is done");
}
