//! Another process speaks to the clients of a cluster: no server, no loop, one connection to Redis.
//!
//! ```text
//! cluster_emitter redis://127.0.0.1:6379 classic kitchen said "tea is ready"
//! ```

use std::error::Error;
use std::net::TcpStream;

use roomcast::cluster::Emitter;
use roomcast::config;
use roomcast::socketio::args::Binary;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, wire, room, event, text] = &*words else {
        return Err("say the URL of Redis, the wire, a room, an event and a text".into());
    };
    let mut cluster = config::Cluster::default();
    cluster.wire = match &**wire {
        "classic" => config::Wire::Classic {
            replies_to_asker: false,
        },
        "classic-own" => config::Wire::Classic {
            replies_to_asker: true,
        },
        "sharded" => config::Wire::Sharded {
            rooms: config::RoomChannels::Public,
        },
        "streams" | "streams-recovering" => config::Wire::Streams {
            sharded_channels: false,
        },
        other => return Err(format!("no such wire: {other}").into()),
    };
    let place = url.trim_start_matches("redis://");
    let mut emitter = Emitter::new(TcpStream::connect(place)?, url, cluster)?;
    let bytes = Binary(text.clone().into());
    emitter.of("/").to(room).emit(event, &(text, bytes))?;
    Ok(())
}
