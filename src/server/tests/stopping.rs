//! The orderly end of the process.

use super::*;
use crate::reactor::lanes::Worker;

struct Desk;
impl Worker for Desk {}

/// Notes the stop and says goodbye; `work` is answered from a lane.
fn describe(server: &mut Server<Diary>) {
    let lane = server.lane("desk", 8, || Desk);
    notes_ends(server);
    server.of("/").on("work", move |socket, (): (), ack| {
        socket.io.run(
            lane,
            |_| 7,
            move |context, outcome| {
                context.app.note("home");
                if let Ok(number) = outcome {
                    ack.send(&mut context.io, &number);
                }
            },
        );
    });
    server.on_stop(|context, within| {
        context
            .app
            .note(format!("stop within {} s", within.as_secs()));
        context.io.of("/").emit("goodbye", &());
    });
}

/// The sockets' own handlers were not told when no job was under way.
#[test]
fn a_stop_is_told_then_all_say_goodbye_then_the_loop_ends() {
    let mut world = world(describe);
    let (conn, _) = world.socket("/");
    let (_, body) = world.request("GET", "/socket.io/?EIO=4&transport=polling", "");
    let sid = &body[9..29];
    let parked = world.connect();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    world.ask(parked, "GET", &path, "", "");
    world.ask_to_stop();
    assert!(!world.is_listening);
    assert_eq!(world.diary(), ["stop within 10 s", "server shutting down"]);
    assert_eq!(world.heard(conn), ["42[\"goodbye\"]", "close 1000"]);
    assert_eq!(world.answer(parked), Some((200, "1".into())));
    assert!(world.is_over);
}

#[test]
fn a_job_that_is_under_way_is_waited_for_and_its_answer_leaves() {
    let mut world = world(describe);
    let (conn, _) = world.socket("/");
    world.say(conn, "421[\"work\"]");
    world.ask_to_stop();
    world.wait(SECOND * 5);
    assert!(!world.is_over);
    world.run_jobs(&mut Desk);
    assert_eq!(
        world.heard(conn),
        ["42[\"goodbye\"]", "431[7]", "close 1000"]
    );
    assert!(world.is_over);
}

#[test]
fn a_job_that_takes_too_long_is_not_waited_for() {
    let mut world = world(describe);
    let (conn, _) = world.socket("/");
    world.say(conn, "421[\"work\"]");
    world.ask_to_stop();
    world.ask_to_stop();
    world.wait(SECOND * 10);
    assert!(world.is_over);
    assert_eq!(world.heard(conn), ["42[\"goodbye\"]", "close 1000"]);
    assert_eq!(world.diary(), ["stop within 10 s", "server shutting down"]);
}
