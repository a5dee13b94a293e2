//! socketioxide, answering what `examples/bench_server.rs` does, with as little of its own as that needs.
//!
//! Payloads are passed on as they came, as ours are.

use std::net::Ipv4Addr;

use axum::serve::ListenerExt as _;
use serde_json::value::RawValue;
use socketioxide::SocketIo;
use socketioxide::extract::{Data, SocketRef};

type Raw = Box<RawValue>;

const BACKLOG: u32 = 4096;

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(3000);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(serve(port))
}

async fn serve(port: u16) -> std::io::Result<()> {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", async |socket: SocketRef| {
        socket.on("msg", async |socket: SocketRef, Data::<(Raw,)>((x,))| {
            socket.emit("msg", &x).ok();
        });
        socket.on("bcast", async |io: SocketIo, Data::<(Raw,)>((x,))| {
            io.emit("bcast", &x).await.ok();
        });
        socket.on("join", async |socket: SocketRef, Data::<String>(room)| {
            socket.join(room)
        });
        socket.on(
            "room",
            async |io: SocketIo, Data::<(String, Raw)>((room, x))| {
                io.to(room).emit("room", &x).await.ok();
            },
        );
    });
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    // As ours and Node's do.
    let listener = socket.listen(BACKLOG)?.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    axum::serve(listener, axum::Router::new().layer(layer)).await
}
