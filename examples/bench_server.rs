//! The library without the chat, for measurements: listens on 127.0.0.1:$PORT (default 3000), and keeps handshakes until
//! sockets are connected, or whole if $HANDSHAKE says so. With the feature `redis` it is one of several servers on the Redis
//! at $REDIS, if there is one, in the words of $WIRE.
//!
//! `msg`(x) → `msg`(x) to the sender · `bcast`(x) → `bcast`(x) to all · `join`(room) · `room`(room, x) → `room`(x) to that
//! room, the sender included.

use std::net::SocketAddr;

use roomcast::config::HandshakeKept;
use roomcast::{Config, Server};
use serde_json::value::RawValue;

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(3000);
    let mut config = Config::default();
    config.engine.handshake_kept = match std::env::var("HANDSHAKE").as_deref() {
        Ok("whole") => HandshakeKept::Whole,
        _ => HandshakeKept::UntilConnected,
    };
    let mut server = Server::new(config, ());
    server
        .of("/")
        .on_raw("msg", |socket, args, _ack| socket.emit("msg", &args))
        .on_raw("bcast", |socket, args, _ack| {
            socket.everyone().emit("bcast", &args)
        })
        .on("join", |socket, (room,): (String,), _ack| {
            socket.join(&room)
        })
        .on(
            "room",
            |socket, (room, x): (String, Box<RawValue>), _ack| {
                socket.everyone().to(&room).emit("room", &(x,));
            },
        );
    #[cfg(feature = "redis")]
    if let Ok(url) = std::env::var("REDIS") {
        join(&mut server, &url)?;
    }
    server
        .listen(SocketAddr::from(([127, 0, 0, 1], port)))?
        .run()
}

#[cfg(feature = "redis")]
fn join(server: &mut Server<()>, url: &str) -> std::io::Result<()> {
    use roomcast::cluster::Redis;
    use roomcast::config::{Cluster, RoomChannels, Wire};

    let mut cluster = Cluster::default();
    cluster.wire = match std::env::var("WIRE").as_deref() {
        Ok("classic") | Err(_) => Wire::Classic {
            replies_to_asker: false,
        },
        Ok("classic-own") => Wire::Classic {
            replies_to_asker: true,
        },
        Ok("sharded") => Wire::Sharded {
            rooms: RoomChannels::Public,
        },
        Ok("streams") => Wire::Streams {
            sharded_channels: false,
        },
        Ok(other) => return Err(std::io::Error::other(format!("no such wire: {other}"))),
    };
    server.carried_by(Redis::new(url, cluster).map_err(std::io::Error::other)?);
    Ok(())
}
