//! An event's way: listeners, middleware, handlers, errors, and what is overheard on its way out.

use super::*;

fn heard_after(
    describe: impl FnOnce(&mut Server<Diary>),
    says: &[&str],
) -> (World<Diary>, Vec<String>) {
    let mut world = world(describe);
    let conn = world.websocket();
    world.say(conn, "40");
    world.heard(conn);
    for text in says {
        world.say(conn, text);
    }
    let heard = world.heard(conn);
    (world, heard)
}

#[test]
fn whoever_listens_to_all_hears_an_event_before_middleware_and_handler() {
    let describe = |server: &mut Server<Diary>| {
        server
            .of("/")
            .on("a", |socket, (number,): (u32,), _ack| {
                socket.app.note(format!("handler {number}"))
            })
            .middleware(|socket, event| {
                socket.app.note(format!(
                    "middleware {} {}",
                    event.name(),
                    event.args().raw()
                ));
                Ok(())
            })
            .on_any(|socket, event, args| socket.app.note(format!("any {event} {}", args.raw())));
    };
    let (mut world, _) = heard_after(describe, &["42[\"a\",1]", "42[\"b\"]"]);
    assert_eq!(
        world.diary(),
        [
            "any a 1",
            "middleware a 1",
            "handler 1",
            "any b ",
            "middleware b "
        ]
    );
}

#[test]
fn a_middleware_may_give_an_event_another_name_and_other_arguments() {
    let describe = |server: &mut Server<Diary>| {
        server
            .of("/")
            .middleware(|_, event| {
                assert!(event.is_answer_wanted());
                event.rename("b");
                event.replace(&(1, "two")).unwrap();
                Ok(())
            })
            .middleware(|_, event| {
                assert_eq!((event.name(), event.args().raw()), ("b", "1,\"two\""));
                Ok(())
            })
            .on("a", |socket, (): (), _ack| socket.app.note("never"))
            .on_raw("b", |socket, args, ack| ack.send(&mut socket.io, &args));
    };
    let (mut world, heard) = heard_after(describe, &["427[\"a\",9]"]);
    assert_eq!(heard, ["437[1,\"two\"]"]);
    assert!(world.diary().is_empty());
}

#[test]
fn a_refused_event_goes_to_the_error_handler_and_no_further() {
    let describe = |server: &mut Server<Diary>| {
        server
            .of("/")
            .middleware(|_, event| match event.name() {
                "a" => Err(Refused::new("not today")),
                _ => Ok(()),
            })
            .middleware(|socket, event| {
                socket.app.note(format!("second {}", event.name()));
                Ok(())
            })
            .on("a", |socket, (): (), _ack| socket.app.note("never"))
            .on("b", |socket, (_,): (u32,), _ack| socket.app.note("never"))
            .on_error(|socket, error, ack| ack.send(&mut socket.io, &error.to_string()));
    };
    let (mut world, heard) = heard_after(describe, &["421[\"a\"]", "422[\"b\"]"]);
    assert_eq!(
        heard,
        ["431[\"not today\"]", "432[\"argument 0 is missing\"]"]
    );
    assert_eq!(world.diary(), ["second b"]);
}

#[test]
fn without_an_error_handler_the_client_gets_no_answer_and_stays() {
    let describe = |server: &mut Server<Diary>| {
        server
            .of("/")
            .middleware(|_, event| match event.name() {
                "a" => Err(Refused::new("no")),
                _ => Ok(()),
            })
            .on("b", |socket, (): (), ack| ack.send(&mut socket.io, &"here"));
    };
    let (_, heard) = heard_after(describe, &["421[\"a\"]", "422[\"b\"]"]);
    assert_eq!(heard, ["432[\"here\"]"]);
}

#[test]
fn an_event_whose_socket_is_sent_away_on_the_way_reaches_no_handler() {
    let describe = |server: &mut Server<Diary>| {
        server
            .of("/")
            .middleware(|socket, _| {
                socket.disconnect();
                Ok(())
            })
            .on("a", |socket, (): (), _ack| socket.app.note("never"))
            .on_disconnect(|socket, _| socket.app.note("gone"));
    };
    let (mut world, heard) = heard_after(describe, &["42[\"a\"]"]);
    assert_eq!(
        (heard, world.diary()),
        (vec!["41".to_owned()], vec!["gone".to_owned()])
    );
}

#[test]
fn a_middleware_that_panics_costs_its_own_socket() {
    let describe = |server: &mut Server<Diary>| {
        server.of("/").middleware(|_, event| match event.name() {
            "a" => panic!("planned"),
            _ => Ok(()),
        });
    };
    let (world, heard) = heard_after(describe, &["42[\"a\"]"]);
    assert_eq!(heard, ["41"]);
    assert_eq!(world.server.core.counters.panics, 1);
}

#[test]
fn what_goes_out_is_told_after_its_handler_once_for_each_socket() {
    let mut world = world(|server| {
        server
            .of("/")
            .on("say", |socket, (text,): (String,), ack| {
                socket.emit("to you", &1);
                socket.everyone().emit("to all", &(text, 2));
                ack.send(&mut socket.io, &());
                socket.app.note("said");
            })
            .on_any_outgoing(|socket, event, args| {
                socket.app.note(format!("{event} {}", args.raw()));
                socket.emit("echo", &());
            });
    });
    let conns = [world.websocket(), world.websocket()];
    for conn in conns {
        world.say(conn, "40");
        world.heard(conn);
    }
    world.say(conns[0], "421[\"say\",\"x\"]");
    assert_eq!(
        world.diary(),
        ["said", "to you 1", "to all \"x\",2", "to all \"x\",2"],
        "an answer is no event, and what the listener sends is not told again"
    );
    assert_eq!(
        world.heard(conns[1]),
        ["42[\"to all\",\"x\",2]", "42[\"echo\"]"]
    );
}

#[test]
fn nothing_is_kept_where_nobody_listens() {
    let mut world = world(|server| {
        server.of("/other").on_any_outgoing(|_, _, _| {});
        server.of("/").on("say", |socket, (): (), _ack| {
            socket.emit("a", &());
            assert!(socket.io.core.deferred.is_empty());
            socket.app.note("nothing");
        });
    });
    let conn = world.websocket();
    world.say(conn, "40");
    world.say(conn, "42[\"say\"]");
    assert_eq!(world.diary(), ["nothing"]);
}
