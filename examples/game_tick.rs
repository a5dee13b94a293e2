//! A game: the server moves everybody twenty times a second and tells all of them where they are. A picture may be lost,
//! the next one is on its way; so it is volatile, and who reads slowly misses some instead of hearing all of them late.
//! Open http://127.0.0.1:3000 in two windows and steer with the arrow keys. (Another address may be given.)
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("tick", (number, places) => { for (const [id, x, y] of places) { … } });
//! socket.emit("steer", 1, 0);
//! ```

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use roomcast::http::{Method, Response};
use roomcast::socketio::SocketId;
use roomcast::{App, Config, Context, Server};

const TICK_EVERY: Duration = Duration::from_millis(50);
const WIDTH: i32 = 300;
const HEIGHT: i32 = 200;
const STEP: i32 = 3;

#[derive(Default)]
struct Game {
    tick: u64,
    is_ticking: bool,
    players: BTreeMap<SocketId, Player>,
}

#[derive(Default)]
struct Player {
    x: i32,
    y: i32,
    /// Where it is steered: -1, 0 or 1 each.
    course: (i32, i32),
}

impl App for Game {
    type Data = ();
}

fn main() -> io::Result<()> {
    let mut server = Server::new(Config::default(), Game::default());
    server
        .of("/")
        .on_connect(|socket| {
            let id = socket.id();
            socket.app.players.insert(id, Player::default());
            // An empty game does not tick, and so an idle server sleeps.
            if !std::mem::replace(&mut socket.app.is_ticking, true) {
                let first = socket.io.after(TICK_EVERY, tick);
                first.expect("nothing else waits");
            }
        })
        .on("steer", |socket, (x, y): (i32, i32), _ack| {
            let id = socket.id();
            if let Some(player) = socket.app.players.get_mut(&id) {
                player.course = (x.signum(), y.signum());
            }
        })
        .on_disconnect(|socket, _reason| {
            let id = socket.id();
            socket.app.players.remove(&id);
        });
    server.route(Method::Get, "/", |_| {
        Response::new(200)
            .header("Content-Type", "text/html; charset=utf-8")
            .body(PAGE)
            .into()
    });
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    server.listen(address.parse().expect("an address"))?.run()?;
    Ok(())
}

fn tick(context: &mut Context<'_, Game>) {
    let game = &mut *context.app;
    game.is_ticking = !game.players.is_empty();
    if !game.is_ticking {
        return;
    }
    game.tick += 1;
    for player in game.players.values_mut() {
        player.x = (player.x + STEP * player.course.0).clamp(0, WIDTH);
        player.y = (player.y + STEP * player.course.1).clamp(0, HEIGHT);
    }
    let place = |(id, player): (&SocketId, &Player)| (*id, player.x, player.y);
    let places: Vec<_> = game.players.iter().map(place).collect();
    let everybody = context.io.of("/").volatile();
    everybody.emit("tick", &(game.tick, places));
    let next = context.io.after(TICK_EVERY, tick);
    next.expect("this tick has left its place");
}

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>Game</title>
<canvas width="310" height="210" style="border: 1px solid"></canvas>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io(), canvas = document.querySelector("canvas").getContext("2d"), held = new Set();
  socket.on("tick", (number, places) => {
    canvas.clearRect(0, 0, 310, 210);
    for (const [id, x, y] of places) {
      canvas.fillStyle = id === socket.id ? "crimson" : "gray";
      canvas.fillRect(x, y, 10, 10);
    }
  });
  onkeydown = onkeyup = (event) => {
    if (event.repeat) return;
    event.type === "keydown" ? held.add(event.key) : held.delete(event.key);
    socket.emit("steer", held.has("ArrowRight") - held.has("ArrowLeft"), held.has("ArrowDown") - held.has("ArrowUp"));
  };
</script>"#;
