//! Two servers as one: each in a world of its own, what they tell each other carried over as text or as bytes.

use super::*;
use crate::server::cluster::Wish;

/// An application that carries wishes, and keeps a diary.
#[derive(Default)]
struct Node {
    outbox: Vec<Vec<u8>>,
    lines: Vec<String>,
}

impl App for Node {
    type Data = u32;
}

type Nodes = [World<Node>; 2];

fn node(seed: u8) -> World<Node> {
    let mut config = Config::default();
    config.socketio.gatherings_max = 2;
    World::seeded(config, Node::default(), [seed; 32], |server| {
        server.on_wish(|context, wish| {
            // By turns in a format that describes itself and in one that does not.
            let bytes = match context.app.outbox.len() % 2 {
                0 => serde_json::to_vec(&wish).unwrap(),
                _ => postcard::to_stdvec(&wish).unwrap(),
            };
            context.app.outbox.push(bytes);
        });
        describe(server);
    })
}

fn describe(server: &mut Server<Node>) {
    let note = |context: &mut Context<'_, Node>, line: String| context.app.lines.push(line);
    server
        .of("/")
        .on_connect(|socket| *socket.data_mut() = 7)
        .on("emit", |socket, (room,): (String,), _ack| {
            let bytes = crate::socketio::args::Binary(vec![1, 2].into());
            socket.to(&room).except("deaf").emit("news", &(bytes, "x"));
        })
        .on("emit here", |socket, (): (), _ack| {
            socket.everyone().local().emit("here", &());
        })
        .on("join", |socket, (room,): (String,), _ack| {
            socket.everyone().join(&room);
        })
        .on("leave", |socket, (room,): (String,), _ack| {
            socket.everyone().to(&room).leave(&room);
        })
        .on("part", |socket, (): (), _ack| {
            socket.broadcast().leave_all()
        })
        .on("end", |socket, (all,): (bool,), _ack| match all {
            true => socket.broadcast().disconnect_connections(),
            false => socket.broadcast().disconnect(),
        })
        .on("fetch", move |socket, (): (), _ack| {
            socket
                .everyone()
                .fetch_sockets(SECOND, move |context, fetched| {
                    let data = |socket: &RemoteSocket| socket.data::<u32>().unwrap();
                    let data: u32 = fetched.sockets.iter().map(data).sum();
                    note(
                        context,
                        format!("{data}, {} missing", fetched.nodes_missing),
                    );
                });
        })
        .on("ask", move |socket, (): (), _ack| {
            socket
                .everyone()
                .emit_with_acks("q", &(), SECOND, move |context, gathered| {
                    let answers = gathered.answers.iter().map(|answer| answer.args().raw());
                    let answers = answers.collect::<Vec<_>>().join(" ");
                    let (end, asked) = (gathered.end, gathered.asked);
                    note(context, format!("{end:?} {asked}: {answers}"));
                });
        })
        .on("servers", move |socket, (): (), _ack| {
            socket.io.server_side_emit("/", "hello", &(1, "a")).unwrap();
            let then = move |context: &mut Context<'_, Node>, answers: NodeAnswers| {
                let sum =
                    |values: &crate::server::cluster::Values| values.parse::<(u32,)>().unwrap().0;
                let sum: u32 = answers.answers.iter().map(sum).sum();
                note(context, format!("{sum}, {} missing", answers.nodes_missing));
            };
            let asked = socket
                .io
                .server_side_emit_with_acks("/", "double", &(21,), SECOND, then);
            asked.unwrap();
            assert!(socket.io.server_side_emit("/", "connect", &()).is_err());
        })
        .on_server_side("hello", move |context, (n, text): (u32, String), ack| {
            assert!(!ack.is_wanted());
            note(context, format!("hello {n} {text}"));
        })
        .on_server_side("double", |context, (n,): (u32,), ack| {
            ack.send(&mut context.io, &(2 * n));
        });
}

fn nodes() -> Nodes {
    let mut nodes = [node(1), node(2)];
    for node in &mut nodes {
        node.server.with(|context| context.io.set_other_nodes(1));
    }
    nodes
}

/// Brings what each has to say to the other, until neither has.
fn carry(nodes: &mut Nodes) {
    loop {
        if nodes.iter().all(|node| node.server.app.outbox.is_empty()) {
            return;
        }
        let said = [0, 1].map(|from: usize| std::mem::take(&mut nodes[from].server.app.outbox));
        for (from, said) in said.into_iter().enumerate() {
            hear(&mut nodes[1 - from], said);
        }
    }
}

/// Brings what one has to say to the other.
fn carry_once(nodes: &mut Nodes, from: usize) {
    let said = std::mem::take(&mut nodes[from].server.app.outbox);
    hear(&mut nodes[1 - from], said);
}

fn hear(node: &mut World<Node>, said: Vec<Vec<u8>>) {
    for bytes in said {
        let wish: Wish = match bytes[0] {
            b'{' => serde_json::from_slice(&bytes).unwrap(),
            _ => postcard::from_bytes(&bytes).unwrap(),
        };
        node.server.with(|context| context.io.hear(wish));
    }
    node.turn();
}

fn lines(node: &mut World<Node>) -> Vec<String> {
    std::mem::take(&mut node.server.app.lines)
}

#[test]
fn a_broadcast_reaches_the_sockets_of_both_and_a_local_one_those_of_one() {
    let mut nodes = nodes();
    let (a, _) = nodes[0].socket("/");
    let (b, b_id) = nodes[1].socket("/");
    nodes[0].say(a, &format!("42[\"emit\",\"{b_id}\"]"));
    carry(&mut nodes);
    assert_eq!(
        nodes[1].heard(b),
        [
            "451-[\"news\",{\"_placeholder\":true,\"num\":0},\"x\"]",
            "\u{1}\u{2}"
        ]
    );
    assert!(nodes[0].heard(a).is_empty());
    nodes[0].say(a, "42[\"emit here\"]");
    carry(&mut nodes);
    assert_eq!(nodes[0].heard(a), ["42[\"here\"]"]);
    assert!(nodes[1].heard(b).is_empty());
}

#[test]
fn rooms_are_joined_and_left_and_sockets_sent_away_wherever_they_are() {
    let mut nodes = nodes();
    let (a, _) = nodes[0].socket("/");
    let (b, _) = nodes[1].socket("/");
    let size = |nodes: &mut Nodes, room: &str| {
        let size = |node: &mut World<Node>| node.server.with(|c| c.io.room_size("/", room));
        let [first, second] = nodes;
        (size(first), size(second))
    };
    nodes[0].say(a, "42[\"join\",\"r\"]");
    carry(&mut nodes);
    assert_eq!(size(&mut nodes, "r"), (1, 1));
    nodes[1].say(b, "42[\"leave\",\"r\"]");
    carry(&mut nodes);
    assert_eq!(size(&mut nodes, "r"), (0, 0));
    nodes[0].say(a, "42[\"part\"]");
    carry(&mut nodes);
    let rooms = nodes
        .each_mut()
        .map(|node| node.server.with(|c| c.io.room_count("/")));
    assert_eq!(rooms, [1, 0], "the sender keeps its own");
    nodes[0].say(a, "42[\"end\",false]");
    carry(&mut nodes);
    assert_eq!(nodes[1].heard(b), ["41"]);
    assert!(!nodes[1].is_closed(b));
    let (b, _) = nodes[1].socket("/");
    nodes[0].say(a, "42[\"end\",true]");
    carry(&mut nodes);
    assert!(nodes[1].is_closed(b) && !nodes[0].is_closed(a));
}

#[test]
fn the_sockets_of_both_are_fetched_and_a_silent_node_is_missing() {
    let mut nodes = nodes();
    let (a, _) = nodes[0].socket("/");
    nodes[1].socket("/");
    nodes[0].say(a, "42[\"fetch\"]");
    assert!(
        lines(&mut nodes[0]).is_empty(),
        "not before the other has replied"
    );
    carry(&mut nodes);
    assert_eq!(lines(&mut nodes[0]), ["14, 0 missing"]);
    nodes[0].say(a, "42[\"fetch\"]");
    nodes[0].wait(SECOND * 2);
    assert_eq!(lines(&mut nodes[0]), ["7, 1 missing"]);
    carry(&mut nodes);
    assert!(lines(&mut nodes[0]).is_empty(), "too late");
    for _ in 0..3 {
        nodes[0].say(a, "42[\"fetch\"]");
    }
    assert_eq!(
        lines(&mut nodes[0]),
        ["7, 1 missing"],
        "more than may be asked"
    );
}

#[test]
fn a_node_that_is_heard_twice_has_replied_once() {
    for (text, answer, expected) in [
        ("fetch", "", ["14, 0 missing", "14, 1 missing"]),
        ("servers", "", ["42, 0 missing", "42, 1 missing"]),
        ("ask", "430[1]", ["Complete 2: 1 1", "TimedOut 2: 1 1"]),
    ] {
        for others in [1, 2] {
            let mut nodes = nodes();
            nodes[0]
                .server
                .with(|context| context.io.set_other_nodes(others));
            let (a, _) = nodes[0].socket("/");
            let (b, _) = nodes[1].socket("/");
            nodes[0].say(a, &format!("42[\"{text}\"]"));
            carry_once(&mut nodes, 0);
            if !answer.is_empty() {
                nodes[1].say(b, answer);
                nodes[0].say(a, answer);
            }
            let reply = nodes[1].server.app.outbox[0].clone();
            nodes[1].server.app.outbox.extend([reply.clone(), reply]);
            carry_once(&mut nodes, 1);
            if others == 2 {
                assert!(lines(&mut nodes[0]).is_empty(), "{text}: one is missing");
                nodes[0].wait(SECOND * 3);
            }
            assert_eq!(lines(&mut nodes[0]), [expected[others - 1]], "{text}");
        }
    }
}

#[test]
fn answers_to_a_broadcast_come_from_both() {
    let mut nodes = nodes();
    let (a, _) = nodes[0].socket("/");
    let (b, _) = nodes[1].socket("/");
    for answers in [true, false] {
        nodes[0].say(a, "42[\"ask\"]");
        carry(&mut nodes);
        let number = if answers { 0 } else { 1 };
        assert_eq!(nodes[0].heard(a), [format!("42{number}[\"q\"]")]);
        assert_eq!(nodes[1].heard(b), [format!("42{number}[\"q\"]")]);
        if answers {
            nodes[0].say(a, &format!("43{number}[\"a\"]"));
        }
        nodes[1].say(b, &format!("43{number}[\"b\"]"));
        carry(&mut nodes);
        if !answers {
            nodes[0].wait(SECOND * 3 / 2);
            nodes[1].wait(SECOND * 3 / 2);
            carry(&mut nodes);
        }
    }
    let lines = lines(&mut nodes[0]);
    assert_eq!(lines[0], "Complete 2: \"a\" \"b\"");
    assert_eq!(lines[1], "TimedOut 2: \"b\"");
}

#[test]
fn servers_speak_to_each_other_and_answer() {
    let mut nodes = nodes();
    let (a, _) = nodes[0].socket("/");
    nodes[0].say(a, "42[\"servers\"]");
    carry(&mut nodes);
    assert_eq!(lines(&mut nodes[1]), ["hello 1 a"]);
    assert_eq!(lines(&mut nodes[0]), ["42, 0 missing"]);
}

#[test]
fn alone_a_server_answers_every_question_at_once_by_itself() {
    let mut node = node(1);
    let (a, _) = node.socket("/");
    for text in ["fetch", "servers", "ask"] {
        node.say(a, &format!("42[\"{text}\"]"));
    }
    node.say(a, "430[1]");
    assert_eq!(
        lines(&mut node),
        ["7, 0 missing", "0, 0 missing", "Complete 1: 1"]
    );
    let metrics = node.server.with(|context| context.io.metrics());
    assert_eq!((metrics.questions, metrics.gatherings), (0, 0));
}

#[test]
fn a_frozen_server_asks_nobody_any_more() {
    let mut nodes = nodes();
    let (a, _) = nodes[0].socket("/");
    nodes[0].say(a, "42[\"fetch\"]");
    let now = nodes[0].now;
    nodes[0].server.freeze(now).unwrap();
    assert_eq!(lines(&mut nodes[0]), ["7, 1 missing"]);
}

#[test]
fn what_is_no_json_is_not_sent_to_anybody() {
    let mut nodes = nodes();
    let (b, _) = nodes[1].socket("/");
    let text = |list: &str| {
        format!(
            "{{\"Emit\":{{\"to\":{{\"namespace\":\"/\",\"rooms\":[],\"except\":[]}},\"event\":\"e\",\
            \"values\":{{\"list\":\"{list}\",\"attachments\":[]}},\"is_volatile\":false,\
            \"stays_plain\":false,\"request\":null}}}}"
        )
    };
    for list in ["1", "1]", "}{"] {
        let wish = serde_json::from_str(&text(list)).unwrap();
        nodes[1].server.with(|context| context.io.hear(wish));
    }
    nodes[1].turn();
    assert_eq!(nodes[1].heard(b), ["42[\"e\",1]"]);
}

#[test]
fn a_reply_may_be_on_its_way_as_long_as_it_is_given_and_no_longer() {
    for (given, is_heard) in [(SECOND * 3, true), (SECOND, false)] {
        let mut nodes = nodes();
        nodes[0].server.core.config.socketio.nodes_reply_within = given;
        let (a, _) = nodes[0].socket("/");
        let (b, _) = nodes[1].socket("/");
        nodes[0].say(a, "42[\"ask\"]");
        nodes[0].say(a, "430[\"a\"]");
        nodes[0].wait(SECOND * 5 / 2);
        let too_late: &[&str] = &["TimedOut 1: \"a\""];
        let expected = if is_heard { &[] } else { too_late };
        assert_eq!(lines(&mut nodes[0]), expected, "{given:?}");
        carry(&mut nodes);
        nodes[1].say(b, "430[\"b\"]");
        carry(&mut nodes);
        let both: &[&str] = &["Complete 2: \"a\" \"b\""];
        let expected = if is_heard { both } else { &[] };
        assert_eq!(lines(&mut nodes[0]), expected, "{given:?}");
    }
}
