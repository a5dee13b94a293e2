//! The switchboard without a reactor: lives of sockets here, HTTP and the end of the process by subject.

mod carrier;
mod cluster;
mod compression;
mod events;
mod face;
mod fetching;
mod freezing;
mod gathering;
mod keeping;
mod later;
mod messagepack;
mod namespaces;
mod numbers;
mod older;
mod parser;
mod recovery;
mod sending;
mod stopping;
mod taking;
mod web;
mod world;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::reactor::Close;
use crate::socketio::RoomEvent;
use world::World;

const SECOND: Duration = Duration::from_secs(1);

/// An application that keeps a diary.
#[derive(Default)]
struct Diary {
    lines: Vec<String>,
    /// Answers on their way.
    streams: Vec<RequestId>,
}

impl App for Diary {
    type Data = ();
}

impl Diary {
    fn note(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }
}

impl World<Diary> {
    fn diary(&mut self) -> Vec<String> {
        std::mem::take(&mut self.server.app.lines)
    }
}

fn world(describe: impl FnOnce(&mut Server<Diary>)) -> World<Diary> {
    World::new(Diary::default(), describe)
}

fn notes_ends(server: &mut Server<Diary>) {
    server.of("/").on_disconnect(|socket, reason| {
        socket.app.note(reason.as_str());
    });
}

#[test]
fn the_steps_are_asked_in_order_and_the_connect_follows_the_last() {
    let mut world = world(|server| {
        server
            .of("/")
            .authorize(|socket, auth: Value| {
                assert!(!socket.is_connected());
                socket.app.note(format!("first {auth}"));
                Verdict::Accept
            })
            .authorize(|socket, _: Value| {
                socket.app.note("second");
                Verdict::Accept
            })
            .on_connect(|socket| {
                assert!(socket.is_connected());
                socket.app.note("in");
                socket.emit("welcome", &1);
            });
    });
    let conn = world.websocket();
    world.say(conn, "40{\"a\":1}");
    assert_eq!(world.diary(), ["first {\"a\":1}", "second", "in"]);
    let heard = world.heard(conn);
    assert!(heard[0].starts_with("40{\"sid\":\""));
    assert_eq!(heard[1], "42[\"welcome\",1]");
}

#[test]
fn a_refusal_ends_the_steps_and_leaves_no_trace() {
    let mut world = world(|server| {
        server
            .of("/")
            .authorize(|socket, _: Value| {
                socket.join("early");
                Verdict::Refuse {
                    message: "no".into(),
                    data: Some(json!({ "code": 1 })),
                }
            })
            .authorize(|socket, _: Value| {
                socket.app.note("never");
                Verdict::Accept
            })
            .on_disconnect(|socket, _| socket.app.note("never"));
    });
    let conn = world.websocket();
    world.say(conn, "40");
    assert_eq!(
        world.heard(conn),
        ["44{\"message\":\"no\",\"data\":{\"code\":1}}"]
    );
    assert!(world.diary().is_empty());
    assert!(world.server.core.sockets.is_empty());
    let namespace = world.server.core.sockets.namespaces_mut().describe("/");
    assert!(world.server.core.sockets.adapter(namespace).is_empty());
    world.say(conn, "40");
    assert_eq!(world.heard(conn).len(), 1, "it may try again");
}

#[test]
fn auth_of_another_shape_is_refused() {
    let mut world = world(|server| {
        server.of("/").authorize(|_, _: (u8, u8)| Verdict::Accept);
    });
    let conn = world.websocket();
    world.say(conn, "40{}");
    assert_eq!(world.heard(conn), ["44{\"message\":\"invalid auth\"}"]);
}

/// A namespace whose first step answers after three seconds, of four that it has.
fn thinks_about_it(server: &mut Server<Diary>) {
    server
        .of("/")
        .authorize(|socket, _: Value| {
            let id = socket.id();
            socket.join("waiting");
            socket
                .io
                .after(SECOND * 3, move |context| {
                    context.app.note("decided");
                    context.io.decide(id, Verdict::Accept);
                })
                .unwrap();
            Verdict::Later { within: SECOND * 4 }
        })
        .authorize(|socket, _: Value| {
            socket.app.note("second");
            Verdict::Accept
        });
}

#[test]
fn a_verdict_may_come_later_and_the_next_step_follows_it() {
    let mut world = world(thinks_about_it);
    let conn = world.websocket();
    world.say(conn, "40");
    world.wait(SECOND * 2);
    assert!(world.heard(conn).is_empty());
    world.wait(SECOND * 2);
    assert_eq!(world.diary(), ["decided", "second"]);
    assert!(world.heard(conn)[0].starts_with("40{\"sid\""));
    world.wait(SECOND * 2);
    assert!(world.heard(conn).is_empty(), "the deadline is off");
}

#[test]
fn a_verdict_that_does_not_come_in_time_is_a_refusal() {
    let mut world = world(|server| {
        server
            .of("/")
            .authorize(|_, _: Value| Verdict::Later { within: SECOND });
    });
    let conn = world.websocket();
    world.say(conn, "40");
    world.wait(SECOND * 2);
    assert_eq!(world.heard(conn), ["44{\"message\":\"timeout\"}"]);
    assert!(world.server.core.sockets.is_empty());
}

#[test]
fn a_client_that_leaves_while_it_is_judged_is_nobody() {
    let mut world = world(|server| {
        thinks_about_it(server);
        server
            .of("/")
            .on_connect(|socket| socket.app.note("in"))
            .on_disconnect(|socket, _| socket.app.note("out"));
    });
    let conn = world.websocket();
    world.say(conn, "40");
    world.hang_up(conn);
    world.wait(SECOND * 5);
    assert_eq!(world.diary(), ["decided"]);
    assert!(world.server.core.sockets.is_empty());
    assert!(world.server.core.joining.is_empty());
}

#[test]
fn who_is_being_judged_gets_no_broadcast_and_who_left_none_either() {
    let mut world = world(|server| {
        thinks_about_it(server);
        server
            .of("/")
            .on("all", |socket, (): (), _| {
                socket.everyone().to("waiting").emit("news", &1);
            })
            .on("go", |socket, (): (), _| {
                socket.disconnect();
                socket.emit("late", &1);
                socket.join("late");
                socket.everyone().emit("news", &2);
                let rooms = socket.rooms();
                socket.app.note(rooms.join(" "));
            });
    });
    let first = world.websocket();
    world.say(first, "40");
    world.wait(SECOND * 3);
    let second = world.websocket();
    world.say(second, "40");
    world.heard(first);
    world.say(first, "42[\"all\"]");
    assert_eq!(world.heard(first), ["42[\"news\",1]"]);
    assert!(world.heard(second).is_empty());
    world.diary();
    world.say(first, "42[\"go\"]");
    assert_eq!(world.heard(first), ["41"]);
    let diary = world.diary();
    assert!(diary[0].ends_with("waiting"), "{diary:?}");
}

#[test]
fn a_handler_that_panics_costs_its_own_socket_only() {
    let mut world = world(|server| {
        notes_ends(server);
        server
            .of("/")
            .on("boom", |_, (): (), _| panic!("as it should"))
            .on("echo", |socket, (x,): (u8,), ack| {
                ack.send(&mut socket.io, &x)
            });
        server.of("/other").on("echo", |socket, (x,): (u8,), ack| {
            ack.send(&mut socket.io, &x)
        });
    });
    let (conn, _) = world.socket("/");
    let (other, _) = world.socket("/");
    world.say(conn, "40/other,");
    world.heard(conn);
    world.say(conn, "42[\"boom\"]");
    assert_eq!(world.heard(conn), ["41"]);
    assert_eq!(world.diary(), ["server namespace disconnect"]);
    world.say(conn, "42/other,1[\"echo\",7]");
    assert_eq!(world.heard(conn), ["43/other,1[7]"]);
    world.say(other, "421[\"echo\",8]");
    assert_eq!(world.heard(other), ["431[8]"]);
    assert_eq!(world.server.core.counters.panics, 1);
}

#[test]
fn a_step_that_panics_refuses_its_socket() {
    let mut world = world(|server| {
        server
            .of("/")
            .authorize(|_, _: Value| panic!("as it should"));
    });
    let conn = world.websocket();
    world.say(conn, "40");
    assert_eq!(world.heard(conn), ["44{\"message\":\"internal error\"}"]);
    assert!(!world.is_closed(conn));
}

#[test]
fn a_disconnect_in_a_handler_is_told_after_it() {
    let mut world = world(|server| {
        server
            .of("/")
            .on_connect(|socket| socket.join("room"))
            .on("go", |socket, (): (), _| {
                socket.app.note("before");
                socket.disconnect();
                socket.app.note("after");
            })
            .on_disconnecting(|socket, reason| {
                let rooms = socket.rooms().len();
                socket.app.note(format!("{reason}, in {rooms} rooms"));
            })
            .on_disconnect(|socket, _| {
                let rooms = socket.rooms().len();
                socket.app.note(format!("in {rooms} rooms"));
            });
    });
    let (conn, _) = world.socket("/");
    world.say(conn, "42[\"go\"]");
    assert_eq!(
        world.diary(),
        [
            "before",
            "after",
            "server namespace disconnect, in 2 rooms",
            "in 0 rooms"
        ]
    );
    assert!(!world.is_closed(conn), "the connection stays for others");
}

/// `ask` asks the client and notes what comes of it.
fn asks(server: &mut Server<Diary>) {
    server.of("/").on("ask", |socket, (): (), _| {
        socket.emit_with_ack("q", &(), SECOND, |socket, answer: Result<(u8,), _>| {
            let line = match answer {
                Ok((number,)) => number.to_string(),
                Err(error) => error.to_string(),
            };
            socket.app.note(line);
        });
    });
}

#[test]
fn an_answer_counts_once_and_only_if_it_was_asked_for() {
    let mut world = world(asks);
    let (conn, _) = world.socket("/");
    let (other, _) = world.socket("/");
    world.say(conn, "42[\"ask\"]");
    assert_eq!(world.heard(conn), ["420[\"q\"]"]);
    world.say(other, "430[1]");
    world.say(conn, "437[2]");
    assert!(world.diary().is_empty());
    world.say(conn, "430[3]");
    world.say(conn, "430[4]");
    world.wait(SECOND * 2);
    assert_eq!(world.diary(), ["3"]);
}

#[test]
fn an_answer_that_does_not_come_is_told_so_and_a_late_one_is_ignored() {
    let mut world = world(asks);
    let (conn, _) = world.socket("/");
    world.say(conn, "42[\"ask\"]");
    world.wait(SECOND - Duration::from_micros(1));
    assert!(world.diary().is_empty());
    world.wait(Duration::from_micros(1));
    assert_eq!(world.diary(), ["operation has timed out"]);
    world.say(conn, "430[3]");
    assert!(world.diary().is_empty());
}

#[test]
fn who_leaves_answers_nothing_any_more() {
    let mut world = world(asks);
    let (conn, _) = world.socket("/");
    world.say(conn, "42[\"ask\"]");
    world.hang_up(conn);
    assert_eq!(world.diary(), ["socket has been disconnected"]);
    world.wait(SECOND * 2);
    assert!(world.diary().is_empty());
    assert!(world.server.core.sockets.is_empty());
}

#[test]
fn no_more_answers_are_awaited_than_one_socket_may_owe() {
    let mut config = Config::default();
    config.socketio.acks_max = 2;
    let mut world = World::with(config, Diary::default(), asks);
    let (conn, _) = world.socket("/");
    for _ in 0..3 {
        world.say(conn, "42[\"ask\"]");
    }
    assert_eq!(world.heard(conn), ["420[\"q\"]", "421[\"q\"]"]);
    assert_eq!(world.diary(), ["too many acknowledgements are awaited"]);
}

#[test]
fn a_question_that_cannot_be_sent_is_not_waited_for() {
    let mut world = world(|server| {
        server.of("/").on("ask", |socket, (): (), _ack| {
            socket.emit_with_ack(
                "disconnect",
                &(),
                SECOND,
                |socket, answer: Result<(), _>| {
                    socket.app.note(answer.unwrap_err().to_string());
                },
            );
            socket.app.note("asked");
        });
    });
    let (conn, _) = world.socket("/");
    world.say(conn, "42[\"ask\"]");
    assert_eq!(world.diary(), ["asked", "the event could not be sent"]);
    assert!(world.heard(conn).is_empty());
}

#[test]
fn an_answer_of_another_shape_is_unexpected_and_no_timeout() {
    let mut world = world(asks);
    let (conn, _) = world.socket("/");
    world.say(conn, "42[\"ask\"]");
    world.say(conn, "430[\"text\"]");
    let diary = world.diary();
    assert!(diary[0].starts_with("argument 0 does not fit"), "{diary:?}");
}

#[test]
fn an_event_that_does_not_fit_its_handler_is_dropped_and_harms_nobody() {
    let mut world = world(|server| {
        server.of("/").on("add", |socket, (x,): (u8,), ack| {
            ack.send(&mut socket.io, &(x + 1));
        });
    });
    let (conn, _) = world.socket("/");
    world.say(conn, "421[\"add\",\"text\"]");
    world.say(conn, "422[\"add\"]");
    world.say(conn, "423[\"unknown\"]");
    world.say(conn, "424[\"add\",1]");
    assert_eq!(world.heard(conn), ["434[2]"]);
}

#[test]
fn room_events_are_told_in_the_official_order() {
    let mut world = world(|server| {
        server
            .of("/")
            .on("in", |socket, (): (), _| socket.join("r"))
            .on("out", |socket, (): (), _| socket.leave("r"))
            .on_room_event(|context, event| {
                let line = match event {
                    RoomEvent::Created(room) => format!("create {room}"),
                    RoomEvent::Deleted(room) => format!("delete {room}"),
                    RoomEvent::Joined(room, _) => format!("join {room}"),
                    RoomEvent::Left(room, _) => format!("leave {room}"),
                };
                context.app.note(line);
            });
    });
    let (conn, id) = world.socket("/");
    assert_eq!(
        world.diary(),
        [format!("create {id}"), format!("join {id}")]
    );
    world.say(conn, "42[\"in\"]");
    assert_eq!(world.diary(), ["create r", "join r"]);
    world.say(conn, "42[\"out\"]");
    assert_eq!(world.diary(), ["leave r", "delete r"]);
    world.hang_up(conn);
    assert_eq!(
        world.diary(),
        [format!("leave {id}"), format!("delete {id}")]
    );
}

#[test]
fn a_packet_at_the_wrong_time_closes_the_connection_and_tells_each_socket_why() {
    let mut world = world(|server| {
        notes_ends(server);
        server.of("/other");
    });
    let (conn, _) = world.socket("/");
    world.say(conn, "42/other,[\"x\"]");
    assert_eq!(world.diary(), ["forced server close"]);
    assert_eq!(world.heard(conn), ["close 1000"]);
    assert!(world.is_closed(conn));

    let (conn, _) = world.socket("/");
    world.say(conn, "42{}");
    assert_eq!(world.diary(), ["parse error"]);
    assert!(world.is_closed(conn));
}

#[test]
fn a_session_that_joins_no_namespace_is_closed_in_time() {
    let mut world = world(|server| {
        server.of("/");
    });
    let conn = world.websocket();
    world.say(conn, "40/nowhere,");
    assert_eq!(
        world.heard(conn),
        ["44/nowhere,{\"message\":\"Invalid namespace\"}"]
    );
    let until = world.now.mono + Duration::from_secs(45);
    while world.now.mono + SECOND < until {
        world.wait(SECOND);
        world.say(conn, "3");
    }
    assert!(!world.is_closed(conn));
    world.wait(SECOND);
    assert!(world.is_closed(conn));
    assert_eq!(world.server.core.engine.len(), 0);
}

#[test]
fn attachments_that_do_not_come_in_time_end_the_session() {
    let mut world = world(|server| {
        notes_ends(server);
        server
            .of("/")
            .on_raw("echo", |socket, args, _| socket.emit("echo", &args));
    });
    let (conn, _) = world.socket("/");
    let event = "451-[\"echo\",{\"_placeholder\":true,\"num\":0}]";
    world.say(conn, event);
    world.wait(SECOND * 9);
    world.frame(conn, 0x82, b"bytes");
    assert_eq!(world.heard(conn), [event, "bytes"]);
    world.wait(SECOND * 5);
    world.say(conn, event);
    world.wait(SECOND * 10);
    assert_eq!(world.diary(), ["parse error"]);
}

#[test]
fn all_sockets_of_a_connection_leave_when_it_is_closed_and_what_was_sent_goes_first() {
    let mut world = world(|server| {
        notes_ends(server);
        server.of("/").on("bye", |socket, (): (), _| {
            socket.emit("bye", &());
            socket.disconnect_connection();
        });
        server
            .of("/other")
            .on_disconnect(|socket, reason| socket.app.note(format!("other {reason}")));
    });
    let (conn, _) = world.socket("/");
    world.say(conn, "40/other,");
    world.heard(conn);
    world.say(conn, "42[\"bye\"]");
    assert_eq!(
        world.heard(conn),
        ["42[\"bye\"]", "41", "41/other,", "close 1000"]
    );
    assert_eq!(
        world.diary(),
        [
            "server namespace disconnect",
            "other server namespace disconnect"
        ]
    );
}

#[test]
fn what_is_left_after_all_have_gone_is_nothing() {
    let mut world = world(|server| {
        asks(server);
        thinks_about_it(server);
    });
    for _ in 0..3 {
        let (judged, silent) = (world.websocket(), world.websocket());
        world.say(judged, "40");
        world.wait(SECOND * 5);
        world.say(judged, "42[\"ask\"]");
        world.say(judged, "451-[\"x\",{\"_placeholder\":true,\"num\":0}]");
        world.hang_up(judged);
        world.hang_up(silent);
    }
    world.wait(SECOND * 60);
    let core = &world.server.core;
    assert!(core.sockets.is_empty() && core.engine.is_empty());
    assert!(core.joining.is_empty() && core.later.is_empty() && core.posts.is_empty());
    assert!(core.timers.is_empty(), "{} timers", core.timers.len());
    assert_eq!(core.conns.iter().count(), 0);
    assert_eq!(core.data.iter().count(), 0);
    assert_eq!(core.handshakes.iter().count(), 0);
    assert_eq!(core.assembling.len(), 0);
    assert_eq!(core.connect_timers.len(), 0);
}

#[test]
fn a_websocket_against_the_rules_is_told_why_and_given_two_seconds() {
    let mut world = world(notes_ends);
    let (conn, _) = world.socket("/");
    world.frame(conn, 0x83, b"");
    assert_eq!(world.heard(conn), ["close 1002"]);
    assert_eq!(world.diary(), ["transport error"]);
    let Some(Close::Linger { time, .. }) = world.close(conn) else {
        panic!("it lingers");
    };
    assert_eq!(time, SECOND * 2);
}
