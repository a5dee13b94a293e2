//! The application of the played sessions: it does a little of all that an application may do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::JOBS_WAITING_MAX;
use crate::config::Config;
use crate::reactor::lanes::Worker;
use crate::server::{App, Server, Socket, Verdict};
use crate::socketio::args::Binary;

/// The application: it numbers what it says to a namespace, and knows who is in its room.
#[derive(Default)]
pub(super) struct Town {
    said: BTreeMap<String, u64>,
    inside: BTreeMap<String, BTreeSet<String>>,
}

impl Town {
    pub(super) fn number(&mut self, namespace: &str) -> u64 {
        let number = self.said.entry(namespace.to_owned()).or_default();
        *number += 1;
        *number
    }

    fn inside(&mut self, namespace: &str) -> &mut BTreeSet<String> {
        self.inside.entry(namespace.to_owned()).or_default()
    }
}

impl App for Town {
    type Data = ();
}

pub(super) struct Desk;

impl Worker for Desk {}

pub(super) fn town() -> Server<Town> {
    let mut config = Config::default();
    config.engine.payload_bytes_max = 400;
    config.http.body_bytes_max = 400;
    config.websocket.message_bytes_max = 400;
    config.engine.queue_bytes_soft_max = 1024;
    config.engine.queue_bytes_max = 4096;
    config.engine.packets_per_turn_max = 2;
    config.socketio.acks_max = 2;
    config.socketio.namespaces_max = 2;
    let mut server = Server::with_seed(config, Town::default(), [7; 32]);
    let lane = server.lane("desk", JOBS_WAITING_MAX, || Desk);
    server
        .of("/late")
        .authorize(|socket, word: Option<String>| match word.as_deref() {
            Some("no") => Verdict::refuse("no"),
            Some("wait") => {
                let id = socket.id();
                socket
                    .io
                    .after(Duration::from_millis(100), move |context| {
                        context.io.decide(id, Verdict::Accept);
                    })
                    .expect("few wait");
                Verdict::Later {
                    within: Duration::from_secs(1),
                }
            }
            _ => Verdict::Accept,
        });
    for name in ["/", "/late"] {
        server
            .of(name)
            .on_connect(|socket| say(socket, ""))
            .on("echo", |socket, (value,): (Value,), ack| {
                ack.send(&mut socket.io, &(value,))
            })
            .on("back", |socket, (bytes,): (Binary,), ack| {
                ack.send(&mut socket.io, &(bytes,))
            })
            .on("blob", |socket, (bytes,): (Binary,), _ack| {
                let name = socket.namespace().to_owned();
                let number = socket.app.number(&name);
                socket.everyone().emit("said", &(number, bytes));
            })
            .on("say", |socket, (pad,): (usize,), _ack| {
                say(socket, &"x".repeat(pad.min(3000)))
            })
            .on("join", |socket, (): (), _ack| {
                socket.join("room");
                with_inside(socket, |inside, id| inside.insert(id));
            })
            .on("leave", |socket, (): (), _ack| {
                socket.leave("room");
                with_inside(socket, |inside, id| inside.remove(&id));
            })
            .on("inside", |socket, (): (), _ack| {
                let members = with_inside(socket, |inside, _| inside.clone());
                let name = socket.namespace().to_owned();
                socket
                    .io
                    .of(&name)
                    .to("room")
                    .emit("heard inside", &(members,));
            })
            .on_disconnecting(|socket, _| {
                with_inside(socket, |inside, id| inside.remove(&id));
            })
            .on("ask", |socket, (): (), _ack| {
                let within = Duration::from_secs(2);
                socket.emit_with_ack("asked", &(), within, |_, _: Result<(), _>| {});
            })
            .on("work", move |socket, (): (), ack| {
                socket.io.run(
                    lane,
                    |_: &mut Desk| (),
                    move |context, _| ack.send(&mut context.io, &()),
                );
            })
            .on("kick", |socket, (): (), _ack| socket.disconnect())
            .on("out", |socket, (): (), _ack| socket.disconnect_connection());
    }
    server
}

fn say(socket: &mut Socket<'_, Town>, pad: &str) {
    let name = socket.namespace().to_owned();
    let number = socket.app.number(&name);
    socket.everyone().emit("said", &(number, pad));
}

fn with_inside<T>(
    socket: &mut Socket<'_, Town>,
    work: impl FnOnce(&mut BTreeSet<String>, String) -> T,
) -> T {
    let (name, id) = (socket.namespace().to_owned(), socket.id().to_string());
    work(socket.app.inside(&name), id)
}
