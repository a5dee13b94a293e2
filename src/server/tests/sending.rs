//! Answers in pieces: who is asked for more, what waits, and how they break off.

use super::*;
use crate::http::{Length, Method, Response};
use crate::server::{Feed, NotWritten, Room};

const GET: &[u8] = b"GET /stream HTTP/1.1\r\nHost: here\r\n\r\n";

/// A route whose answer is fed by `feed`, with the number of the call.
fn fed(
    server: &mut Server<Diary>,
    length: Length,
    feed: impl Fn(&mut Context<'_, Diary>, RequestId, usize) + Clone + 'static,
) {
    server.route(Method::Get, "/stream", move |request| {
        let (id, feed) = (request.id(), feed.clone());
        request.io.begin(id, &Response::new(200), length);
        let mut count = 0;
        request.io.feed(id, move |context, call| match call {
            Feed::More => {
                count += 1;
                feed(context, id, count);
            }
            Feed::Broken(why) => context.app.note(format!("{why:?}")),
        });
        Answer::Later
    });
}

/// The whole of what a client has got behind the head, out of its chunks.
fn body(world: &mut World<Diary>, conn: u32) -> Vec<u8> {
    world.take_head(conn);
    let sent = world.bytes_sent(conn);
    let (mut rest, mut body) = (&sent[..], Vec::new());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let size = usize::from_str_radix(str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        if size == 0 {
            assert_eq!(rest, b"\r\n");
            return body;
        }
        body.extend_from_slice(&rest[..size]);
        rest = rest[size..].strip_prefix(b"\r\n").unwrap();
    }
}

#[test]
fn a_feeder_is_asked_until_there_is_enough_and_again_when_that_is_taken() {
    let mut world = world(|server| {
        fed(server, Length::Unknown, |context, id, count| {
            context.app.note(count.to_string());
            if count == 40 {
                return context.io.finish(id);
            }
            let room = context.io.write(id, vec![b'x'; 10_000]).unwrap();
            assert_eq!(room == Room::None, count % 7 == 0, "of call {count}");
        });
    });
    let conn = world.connect();
    world.fill(conn);
    world.receive(conn, GET);
    assert_eq!(world.diary().len(), 7, "64 KiB are enough");
    world.turn();
    world.refuse(conn, 1000);
    assert!(world.diary().is_empty(), "the client has not taken all yet");
    for _ in 0..5 {
        world.drain(conn);
        world.fill(conn);
    }
    assert_eq!(world.diary().last().unwrap(), "40");
    assert_eq!(body(&mut world, conn), vec![b'x'; 390_000]);
    assert!(world.server.core.feeders.is_empty());
    world.receive(conn, GET);
    assert_eq!(world.diary().len(), 7);
    world.drain(conn);
    assert_eq!(world.diary().len(), 33, "a client that takes all gets all");
    assert_eq!(world.server.core.streamed_bytes, 0);
}

#[test]
fn a_feeder_that_waits_is_asked_again_after_somebody_has_written() {
    let mut world = world(|server| {
        fed(server, Length::Unknown, |context, id, count| {
            context.app.note(count.to_string());
            if count == 3 {
                return context.io.finish(id);
            }
            context
                .io
                .after(SECOND, move |context| {
                    assert_eq!(context.io.write(id, "later"), Ok(Room::Left));
                })
                .unwrap();
        });
    });
    let conn = world.connect();
    world.receive(conn, GET);
    world.wait(SECOND - Duration::from_micros(1));
    assert_eq!(world.diary(), ["1"]);
    world.wait(SECOND * 2);
    assert_eq!(world.diary(), ["2", "3"]);
    assert_eq!(body(&mut world, conn), b"laterlater");
}

#[test]
fn what_is_pushed_has_a_limit_and_a_clear_answer() {
    let mut config = Config::default();
    config.http.streamed_bytes_max = 1000;
    config.http.streamed_bytes_soft_max = 500;
    let mut world = World::with(config, Diary::default(), |server| {
        server.route(Method::Get, "/stream", |request| {
            let id = request.id();
            assert_eq!(request.io.write(id, "early"), Err(NotWritten::Gone));
            assert!(
                request
                    .io
                    .begin(id, &Response::text(200, "first"), Length::Known(1110))
            );
            assert!(!request.io.begin(id, &Response::new(200), Length::Unknown));
            let io = &mut request.io;
            assert_eq!(io.write(id, vec![b'x'; 1001]), Err(NotWritten::TooLarge));
            assert_eq!(
                io.write(id, vec![b'x'; 400]),
                Ok(Room::None),
                "with the head"
            );
            assert_eq!(io.write(id, vec![b'x'; 600]), Err(NotWritten::Full));
            io.after(SECOND, move |context| {
                let io = &mut context.io;
                assert_eq!(io.write(id, vec![b'y'; 706]), Err(NotWritten::TooLong));
                assert_eq!(io.write(id, vec![b'y'; 705]), Ok(Room::None));
                io.finish(id);
                assert_eq!(io.write(id, "late"), Err(NotWritten::Gone));
            })
            .unwrap();
            Answer::Later
        });
    });
    let conn = world.connect();
    world.receive(conn, GET);
    world.wait(SECOND);
    let (status, body) = world.answer(conn).unwrap();
    assert_eq!((status, body.len()), (200, 1110));
    assert!(body.starts_with("firstxxx") && body.ends_with("yyy"));
    assert!(!world.is_closed(conn));
}

#[test]
fn an_answer_that_ends_too_early_is_cut_so_that_the_client_notices() {
    for (request, length, how) in [
        (GET, Length::Known(10), Close::Flush),
        (
            &b"GET /stream HTTP/1.0\r\n\r\n"[..],
            Length::Unknown,
            Close::Reset,
        ),
    ] {
        let mut world = world(move |server| {
            fed(server, length, move |context, id, count| {
                if count == 1 {
                    context.io.write(id, "abc").unwrap();
                } else if length == Length::Unknown {
                    context.io.cut(id);
                } else {
                    context.io.finish(id);
                }
            });
        });
        let conn = world.connect();
        world.receive(conn, request);
        assert!(world.sent(conn).ends_with("\r\n\r\nabc"));
        assert_eq!(world.close(conn), Some(how));
        assert!(world.diary().is_empty(), "who cuts is not told");
    }
}

#[test]
fn a_body_until_the_end_of_the_connection_has_an_orderly_end() {
    let mut world = world(|server| {
        fed(server, Length::Unknown, |context, id, count| match count {
            1 => assert!(context.io.write(id, "abc").is_ok()),
            _ => context.io.finish(id),
        });
    });
    let conn = world.connect();
    world.receive(conn, b"GET /stream HTTP/1.0\r\n\r\n");
    assert!(world.sent(conn).ends_with("Connection: close\r\n\r\nabc"));
    assert_eq!(world.close(conn), Some(Close::Flush));
}

#[test]
fn head_is_answered_without_asking_the_feeder() {
    let mut world = world(|server| {
        fed(server, Length::Known(5), |context, _, count| {
            context.app.note(count.to_string());
        });
    });
    let conn = world.connect();
    let head = b"HEAD /stream HTTP/1.1\r\nHost: here\r\n\r\n";
    world.receive(conn, &head.repeat(2));
    let sent = world.sent(conn);
    assert_eq!(sent.matches("Content-Length: 5\r\n").count(), 2);
    assert!(sent.ends_with("\r\n\r\n") && world.diary().is_empty());
}

#[test]
fn pipelined_requests_wait_for_the_end_of_the_body_before_them() {
    let mut world = world(|server| {
        fed(server, Length::Known(3), |context, id, _| {
            context
                .io
                .after(SECOND, move |context| {
                    context.io.write(id, "abc").unwrap();
                    context.io.finish(id);
                })
                .unwrap();
        });
        server.route(Method::Get, "/fast", |_| Response::text(200, "fast").into());
    });
    let conn = world.connect();
    let fast = b"GET /fast HTTP/1.1\r\nHost: here\r\n\r\n";
    world.receive(conn, &[GET, fast].concat());
    assert_eq!(world.server.core.counters.requests, 1);
    world.receive(conn, &fast.repeat(2000));
    assert!(world.is_held(conn), "not read without end");
    world.wait(SECOND);
    assert_eq!(world.answer(conn), Some((200, "abc".into())));
    assert_eq!(world.answer(conn), Some((200, "fast".into())));
}

#[test]
fn a_client_that_leaves_is_told_once_to_whoever_feeds_it() {
    let mut world = world(|server| {
        fed(server, Length::Unknown, |context, id, count| {
            assert_eq!(count, 1);
            context
                .io
                .after(SECOND, move |context| {
                    let written = context.io.write(id, "x");
                    context.app.note(format!("{written:?}"));
                })
                .unwrap();
        });
    });
    let conn = world.connect();
    world.receive(conn, GET);
    world.hang_up(conn);
    assert_eq!(world.diary(), ["Gone"]);
    world.wait(SECOND);
    assert_eq!(world.diary(), ["Err(Gone)"]);
}

#[test]
fn a_client_that_takes_nothing_is_cut_in_time() {
    let mut world = world(|server| {
        fed(server, Length::Unknown, |context, id, _| {
            context.io.write(id, vec![b'x'; 70_000]).unwrap();
        });
    });
    let conn = world.connect();
    world.fill(conn);
    world.receive(conn, GET);
    world.refuse(conn, 60_000);
    world.wait(SECOND * 29);
    world.refuse(conn, 50_000);
    world.wait(SECOND * 29);
    assert!(!world.is_closed(conn), "it has taken something");
    world.wait(SECOND);
    assert_eq!(world.close(conn), Some(Close::Reset));
    assert_eq!(world.diary(), ["Stalled"]);
    assert_eq!(world.server.core.counters.answers_cut, 1);
    assert_eq!(world.server.core.streamed_bytes, 0);
}

#[test]
fn when_too_much_waits_for_all_the_one_for_whom_most_waits_goes() {
    let mut config = Config::default();
    config.http.streams_bytes_max = 100_000;
    let mut world = World::with(config, Diary::default(), |server| {
        fed(server, Length::Unknown, |context, id, count| {
            if count == 1 {
                context.io.write(id, vec![b'x'; 30_000]).unwrap();
            }
        });
        server
            .of("/")
            .on("more", |socket, (bytes,): (usize,), _ack| {
                for id in socket.app.streams.clone() {
                    let written = socket.io.write(id, vec![b'y'; bytes]);
                    socket.app.note(format!("{written:?}"));
                }
            });
    });
    let conns = [world.connect(), world.connect(), world.connect()];
    for conn in conns {
        world.fill(conn);
        world.receive(conn, GET);
    }
    let last = world.connect();
    world.fill(last);
    let id = world
        .server
        .core
        .conns
        .iter()
        .nth(1)
        .map(|(conn, row)| RequestId {
            conn,
            visit: row.visit,
        });
    world.server.app.streams.extend(id);
    let (socket, _) = world.socket("/");
    world.say(socket, "42[\"more\",8000]");
    assert_eq!(world.diary(), ["Ok(Left)"]);
    world.say(socket, "42[\"more\",8000]");
    assert_eq!(world.diary(), ["Err(Gone)", "TooMuch"]);
    assert_eq!(world.close(conns[1]), Some(Close::Reset));
    assert!(!world.is_closed(conns[0]) && !world.is_closed(conns[2]));
    world.hang_up(conns[0]);
    world.hang_up(conns[2]);
    assert_eq!(world.server.core.streamed_bytes, 0);
}

#[test]
fn a_feeder_that_panics_costs_its_own_answer() {
    let mut world = world(|server| {
        fed(server, Length::Known(9), |_, _, _| panic!("as it should"));
    });
    let conn = world.connect();
    world.receive(conn, GET);
    assert!(world.is_closed(conn));
    assert_eq!(world.server.core.counters.panics, 1);
    assert!(world.server.core.feeders.is_empty());
}

#[test]
fn a_route_that_panics_behind_the_head_has_its_answer_cut() {
    let mut world = world(|server| {
        server.route(Method::Get, "/stream", |request| {
            let id = request.id();
            request.io.begin(id, &Response::new(200), Length::Unknown);
            panic!("as it should");
        });
    });
    let conn = world.connect();
    world.receive(conn, GET);
    assert_eq!(world.close(conn), Some(Close::Flush));
    assert!(!world.sent(conn).contains("0\r\n\r\n"));
}

#[test]
fn a_freeze_interrupts_what_is_on_its_way() {
    let mut world = world(|server| {
        fed(server, Length::Unknown, |context, id, count| {
            if count == 1 {
                context.io.write(id, "half").unwrap();
            }
        });
    });
    let conn = world.connect();
    world.receive(conn, GET);
    assert!(matches!(
        world.server.freeze(world.now),
        Err(FreezeError::Unsaid)
    ));
    assert_eq!(world.diary(), ["Interrupted"]);
    world.turn();
    assert!(world.sent(conn).ends_with("4\r\nhalf\r\n"), "no last chunk");
    assert_eq!(world.close(conn), Some(Close::Flush));
    assert!(world.server.freeze(world.now).is_ok());
}

#[test]
fn an_end_waits_for_what_is_on_its_way_and_breaks_off_the_rest() {
    let mut world = world(|server| {
        fed(server, Length::Unknown, |context, id, count| {
            if count == 1 {
                context.io.write(id, "event").unwrap();
            }
        });
    });
    let (slow, idle) = (world.connect(), world.connect());
    world.fill(slow);
    world.receive(slow, GET);
    world.receive(idle, GET);
    world.ask_to_stop();
    assert!(!world.is_over && !world.is_closed(idle));
    world.drain(slow);
    assert_eq!(world.diary(), ["Stopped", "Stopped"]);
    assert!(world.is_over && world.is_closed(slow) && world.is_closed(idle));
}
