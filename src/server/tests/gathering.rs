//! Broadcasts that are answered: by all, by some, by nobody, by strangers, and by more than there is room for.

use super::*;

/// `ask` sends `question` to everybody in the room; who hears it answers as the test says.
fn asks(server: &mut Server<Diary>) {
    server
        .of("/")
        .on_connect(|socket| socket.join("room"))
        .on("leave", |socket, (): (), _ack| socket.leave("room"))
        .on("ask", |socket, (room,): (String,), _ack| {
            let within = SECOND * 5;
            socket.everyone().to(&room).emit_with_acks(
                "question",
                &1,
                within,
                |context, gathered| {
                    let answers = gathered
                        .answers
                        .iter()
                        .map(|answer| answer.args().raw().to_owned());
                    let answers: Vec<_> = answers.collect();
                    context.app.note(format!(
                        "{:?} of {}: {}",
                        gathered.end,
                        gathered.asked,
                        answers.join(" ")
                    ));
                },
            );
            socket.app.note("asked");
        });
}

fn company<const N: usize>(world: &mut World<Diary>) -> [u32; N] {
    let conns = std::array::from_fn(|_| world.websocket());
    for conn in conns {
        world.say(conn, "40");
        world.heard(conn);
    }
    conns
}

/// The first of them asks the room, and everybody has heard it.
fn ask(world: &mut World<Diary>, conns: &[u32]) {
    world.say(conns[0], "42[\"ask\",\"room\"]");
    assert_eq!(world.diary(), ["asked"]);
    for conn in conns {
        assert_eq!(
            world.heard(*conn),
            ["420[\"question\",1]"],
            "one number for all"
        );
    }
}

#[test]
fn the_last_answer_completes_it() {
    let mut world = world(asks);
    let [a, b, c] = company(&mut world);
    ask(&mut world, &[a, b, c]);
    world.say(b, "430[\"from b\",2]");
    world.say(a, "430[]");
    assert!(world.diary().is_empty());
    world.say(c, "430[3]");
    assert_eq!(world.diary(), ["Complete of 3: \"from b\",2  3"]);
    world.wait(SECOND * 6);
    assert!(world.diary().is_empty(), "the deadline is off");
}

#[test]
fn at_the_deadline_those_who_have_answered_are_given() {
    let mut world = world(asks);
    let [a, b] = company(&mut world);
    ask(&mut world, &[a, b]);
    world.say(a, "430[1]");
    world.wait(SECOND * 4);
    assert!(world.diary().is_empty());
    world.wait(SECOND * 2);
    assert_eq!(world.diary(), ["TimedOut of 2: 1"]);
    world.say(b, "430[2]");
    assert!(world.diary().is_empty(), "too late");
}

#[test]
fn nobody_answers_twice_or_for_somebody_else() {
    let mut world = world(asks);
    let [a, b, stranger] = company(&mut world);
    world.say(stranger, "42[\"leave\"]");
    world.say(a, "42[\"ask\",\"room\"]");
    world.diary();
    world.say(stranger, "430[\"stranger\"]");
    world.say(a, "430[1]");
    world.say(a, "430[2]");
    assert!(world.diary().is_empty());
    world.say(b, "430[3]");
    assert_eq!(world.diary(), ["Complete of 2: 1 3"]);
}

#[test]
fn who_is_gone_is_not_waited_for() {
    let mut world = world(asks);
    let [a, b] = company(&mut world);
    ask(&mut world, &[a, b]);
    world.say(a, "430[1]");
    world.say(b, "41");
    assert_eq!(world.diary(), ["TimedOut of 2: 1"]);
}

#[test]
fn an_empty_room_has_answered_at_once() {
    let mut world = world(asks);
    let [a] = company(&mut world);
    world.say(a, "42[\"ask\",\"nowhere\"]");
    assert_eq!(world.diary(), ["asked", "Complete of 0: "]);
}

#[test]
fn answers_beyond_the_limit_end_it() {
    let mut world = world(asks);
    world.server.core.config.socketio.gathered_bytes_max = 10;
    let [a, b] = company(&mut world);
    ask(&mut world, &[a, b]);
    world.say(a, "430[123456789]");
    world.say(b, "430[12]");
    assert_eq!(world.diary(), ["TooMuch of 2: 123456789"]);
}

#[test]
fn more_broadcasts_than_may_wait_ask_nobody() {
    let mut world = world(asks);
    world.server.core.config.socketio.gatherings_max = 1;
    let [a] = company(&mut world);
    ask(&mut world, &[a]);
    world.say(a, "42[\"ask\",\"room\"]");
    assert_eq!(world.diary(), ["asked", "TooMany of 0: "]);
    assert!(world.heard(a).is_empty());
}
