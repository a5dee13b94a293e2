//! The program of the README: events, an acknowledgement, rooms, private messages. Listens on 127.0.0.1:3000, or on the
//! address it is given; the client's lines are in the README.

use roomcast::{Config, Server};

fn main() -> std::io::Result<()> {
    let mut server = Server::new(Config::default(), ());
    server
        .of("/")
        .on_connect(|socket| {
            let id = socket.id();
            socket.broadcast().emit("came", &(id,));
        })
        .on("enter", |socket, (room,): (String,), ack| {
            socket.join(&room);
            let members = socket.everyone().to(&room).count();
            ack.send(&mut socket.io, &members);
        })
        .on("say", |socket, (room, text): (String, String), _ack| {
            let from = socket.id();
            socket.to(&room).emit("said", &(&room, from, text));
        })
        // Everybody is in a room that is named by their own id, and mostly alone there.
        .on("whisper", |socket, (to, text): (String, String), _ack| {
            let from = socket.id();
            socket.to(&to).emit("whispered", &(from, text));
        });
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    server.listen(address.parse().expect("an address"))?.run()
}
