//! A server with a parser of the application's own.

use super::*;
use crate::socketio::packet::Kind;
use crate::socketio::parser::{CustomParser, Message, Read, Written};

/// An event's list as it stands; `?` is too much for it.
struct Bare;

impl CustomParser for Bare {
    fn write(&self, packet: &Written<'_>) -> Message<'static> {
        let data = packet.data.unwrap_or("-");
        Message::Text(format!("{:?} {data}", packet.kind).into())
    }

    fn read(&self, message: &Message<'_>) -> Option<Read> {
        let Message::Text(text) = message else {
            return None;
        };
        assert_ne!(text, "?", "who would ask that");
        let kind = match text.is_empty() {
            true => Kind::Connect,
            false => Kind::Event,
        };
        Some(Read {
            kind,
            namespace: "/".to_owned(),
            id: (kind == Kind::Event).then_some(7),
            data: (kind == Kind::Event).then(|| text.to_string()),
            attachments: Vec::new(),
        })
    }
}

#[test]
fn packets_go_both_ways_and_what_is_none_costs_its_own_session() {
    let mut world = world(|server| {
        server.parser(Bare);
        notes_ends(server);
        server.of("/").on("add", |socket, (a, b): (u32, u32), ack| {
            ack.send(&mut socket.io, &(a + b));
        });
    });
    let mut arrive = || {
        let conn = world.websocket();
        world.say(conn, "4");
        assert!(world.heard(conn)[0].starts_with("4Connect {\"sid\":\""));
        conn
    };
    let (stays, rude, broken) = (arrive(), arrive(), arrive());
    world.say(rude, "4?");
    world.say(broken, "4[\"add\"");
    assert_eq!(world.diary(), ["parse error", "parse error"]);
    world.say(stays, "4[\"add\",1,2]");
    assert_eq!(world.heard(stays), ["4Ack [3]"]);
    world.frame(stays, 0x82, b"bytes");
    assert_eq!(world.diary(), ["parse error"], "it reads texts only");
}
