//! Namespaces that clients call into being: patterns, questions, parents, and their end.

use super::*;
use crate::config::SocketIo;
use crate::socketio::Sockets;

fn names(world: &World<Diary>) -> Vec<String> {
    let mut names: Vec<_> = world.server.core.sockets.namespaces().names().collect();
    names.sort_unstable();
    names.into_iter().map(ToOwned::to_owned).collect()
}

fn games(server: &mut Server<Diary>) {
    server
        .of_pattern("/game-{number}")
        .on_connect(|socket| {
            let line = format!("{} {:?}", socket.namespace(), socket.parameter("number"));
            socket.app.note(line);
        })
        .on("shout", |socket, (text,): (String,), _ack| {
            socket.siblings().emit("shouted", &text)
        })
        .on("enter", |socket, (room,): (String,), _ack| {
            socket.join(&room)
        })
        .on("tell", |socket, (room,): (String,), _ack| {
            socket
                .io
                .children("/game-{number}")
                .to(&room)
                .except("deaf")
                .emit("told", &());
        })
        .on_disconnect(|socket, reason| socket.app.note(reason.as_str()));
}

#[test]
fn a_child_is_made_by_its_first_client_and_goes_with_its_last() {
    let mut world = world(|server| {
        games(server);
        server.on_namespace(|context, name| context.app.note(format!("new {name}")));
    });
    let [a, b] = [world.websocket(), world.websocket()];
    world.say(a, "40/game-7,");
    world.say(b, "40/game-7,");
    assert_eq!(
        world.diary(),
        ["new /game-7", "/game-7 Some(\"7\")", "/game-7 Some(\"7\")"]
    );
    assert_eq!(names(&world), ["/game-7"]);
    world.say(a, "41/game-7,");
    assert_eq!(names(&world), ["/game-7"]);
    world.say(b, "41/game-7,");
    assert!(names(&world).is_empty());
    world.say(b, "40/game-7,");
    assert_eq!(names(&world), ["/game-7"], "it can be made again");
}

#[test]
fn a_name_that_nobody_wants_is_refused_and_makes_nothing() {
    let mut world = world(games);
    let conn = world.websocket();
    for name in ["/game-", "/game-7/x", "/games", "/"] {
        world.say(conn, &format!("40{name},"));
    }
    let heard = world.heard(conn);
    assert_eq!(heard.len(), 4);
    assert!(
        heard.iter().all(|text| text.contains("Invalid namespace")),
        "{heard:?}"
    );
    assert!(names(&world).is_empty());
}

#[test]
fn a_question_decides_by_name_and_by_what_the_client_brings() {
    let mut world = world(|server| {
        server.of_matching("secrets", |app, name, auth| {
            app.note(format!("{name} {auth}"));
            auth["word"] == "sesame"
        });
    });
    let conn = world.websocket();
    world.say(conn, "40/cave,{\"word\":\"please\"}");
    world.say(conn, "40/cave,");
    world.say(conn, "40/cave,{\"word\":\"sesame\"}");
    assert_eq!(
        world.diary(),
        [
            "/cave {\"word\":\"please\"}",
            "/cave {}",
            "/cave {\"word\":\"sesame\"}"
        ]
    );
    let heard = world.heard(conn);
    assert!(heard[0].starts_with("44/cave,") && heard[1].starts_with("44/cave,"));
    assert!(heard[2].starts_with("40/cave,{\"sid\""));
}

#[test]
fn a_name_of_its_own_and_the_first_parent_come_first() {
    let mut world = world(|server| {
        server
            .of_pattern("/{any}")
            .on_connect(|socket| socket.app.note("first parent"));
        server
            .of_matching("all", |_, _, _| true)
            .on_connect(|socket| socket.app.note("second"));
        server
            .of("/plain")
            .on_connect(|socket| socket.app.note("by name"));
    });
    let conn = world.websocket();
    for name in ["/plain", "/x", "/x/y"] {
        world.say(conn, &format!("40{name},"));
    }
    assert_eq!(world.diary(), ["by name", "first parent", "second"]);
}

#[test]
fn a_parent_speaks_to_all_its_children_and_to_nobody_else() {
    let mut world = world(|server| {
        games(server);
        server.of("/");
    });
    let [a, b, other] = [world.websocket(), world.websocket(), world.websocket()];
    world.say(a, "40/game-1,");
    world.say(b, "40/game-2,");
    world.say(other, "40");
    for conn in [a, b, other] {
        world.heard(conn);
    }
    world.say(a, "42/game-1,[\"shout\",\"hey\"]");
    assert_eq!(world.heard(a), ["42/game-1,[\"shouted\",\"hey\"]"]);
    assert_eq!(world.heard(b), ["42/game-2,[\"shouted\",\"hey\"]"]);
    world.say(a, "42/game-1,[\"enter\",\"team\"]");
    world.say(b, "42/game-2,[\"enter\",\"team\"]");
    world.say(b, "42/game-2,[\"enter\",\"deaf\"]");
    world.say(b, "42/game-2,[\"tell\",\"team\"]");
    assert_eq!(world.heard(a), ["42/game-1,[\"told\"]"]);
    assert!(world.heard(b).is_empty() && world.heard(other).is_empty());
}

#[test]
fn a_refused_socket_leaves_no_child_behind() {
    let mut world = world(|server| {
        server
            .of_pattern("/{any}")
            .authorize(|_, _: Value| Verdict::refuse("no"));
    });
    let conn = world.websocket();
    world.say(conn, "40/x,");
    assert_eq!(world.heard(conn), ["44/x,{\"message\":\"no\"}"]);
    assert!(names(&world).is_empty());
}

#[test]
fn the_last_room_events_of_a_child_are_told_before_it_goes() {
    let mut world = world(|server| {
        server.of_pattern("/{any}").on_room_event(|context, event| {
            let line = match event {
                RoomEvent::Created(_) => "created",
                RoomEvent::Joined(..) => "joined",
                RoomEvent::Left(..) => "left",
                RoomEvent::Deleted(_) => "deleted",
            };
            context.app.note(line);
        });
    });
    let conn = world.websocket();
    world.say(conn, "40/x,");
    world.say(conn, "41/x,");
    assert_eq!(world.diary(), ["created", "joined", "left", "deleted"]);
    assert!(names(&world).is_empty());
}

fn world_with(change: impl FnOnce(&mut SocketIo)) -> World<Diary> {
    let mut config = SocketIo::default();
    change(&mut config);
    world(|server| {
        server.core.sockets = Sockets::new(config, [0; 32]);
        games(server);
    })
}

#[test]
fn empty_children_stay_if_they_are_to() {
    let mut world = world_with(|config| config.empty_children_kept = true);
    let conn = world.websocket();
    world.say(conn, "40/game-1,");
    world.say(conn, "41/game-1,");
    assert_eq!(names(&world), ["/game-1"]);
}

#[test]
fn clients_call_no_more_namespaces_into_being_than_there_is_room_for() {
    let mut world = world_with(|config| config.children_max = 1);
    let conn = world.websocket();
    world.say(conn, "40/game-1,");
    world.heard(conn);
    world.say(conn, "40/game-2,");
    assert_eq!(
        world.heard(conn),
        ["44/game-2,{\"message\":\"Too many namespaces\"}"]
    );
    world.say(conn, "41/game-1,");
    world.say(conn, "40/game-2,");
    assert!(world.heard(conn)[0].starts_with("40/game-2,{\"sid\""));
}
