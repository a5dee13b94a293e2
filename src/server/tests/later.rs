//! Closures that wait for their time, and how many may.

use super::*;

/// Ticks each second, and is asked to do more later.
fn ticking(server: &mut Server<Diary>) {
    server.of("/").on("later", |socket, (): (), _ack| {
        let asked = socket
            .io
            .after(SECOND * 3, |context| context.app.note("late"));
        socket.app.note(format!("{asked:?}"));
    });
    let first = server.with(|context| context.io.after(SECOND, tick));
    first.expect("nothing waits yet");
}

fn tick(context: &mut Context<'_, Diary>) {
    context.app.note("tick");
    let again = context.io.after(SECOND, tick);
    again.expect("this one has left its place");
}

#[test]
fn who_wants_one_more_than_may_wait_is_told_so() {
    let mut config = Config::default();
    config.socketio.later_max = 3;
    let mut world = World::with(config, Diary::default(), ticking);
    let (conn, _) = world.socket("/");
    for _ in 0..3 {
        world.say(conn, "42[\"later\"]");
    }
    assert_eq!(world.diary(), ["Ok(())", "Ok(())", "Err(Full)"]);
    let waiting = |world: &mut World<Diary>| world.server.with(|c| c.io.metrics().later);
    assert_eq!(waiting(&mut world), 3);
    world.wait(SECOND * 2);
    assert_eq!(world.diary(), ["tick", "tick"], "who is called has room");
    world.wait(SECOND);
    assert_eq!(world.diary().len(), 3);
    assert_eq!(waiting(&mut world), 1);
    world.say(conn, "42[\"later\"]");
    assert_eq!(world.diary(), ["Ok(())"]);
}
