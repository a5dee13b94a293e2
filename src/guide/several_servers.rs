//! Several servers as one, and what to do instead.
//!
//! One process serves everybody who is connected to it, with one thread and some megabytes, and that goes a long way. When it
//! does not, several are joined over Redis; servers of Node.js may be among them.
//!
//! ```no_run
//! use roomcast::cluster::Redis;
//! use roomcast::{Config, Server, config};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut server = Server::new(Config::default(), ());
//!     server.carried_by(Redis::new("redis://127.0.0.1:6379", config::Cluster::default())?);
//!     server.of("/").on("say", |socket, (room, text): (String, String), _ack| {
//!         socket.everyone().to(&room).emit("said", &(text,));
//!     });
//!     server.listen("127.0.0.1:3000".parse()?)?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! ```js
//! // A neighbour of the official kind.
//! import { createClient } from "redis";
//! import { Server } from "socket.io";
//! import { createAdapter } from "@socket.io/redis-adapter";
//!
//! const pub = createClient({ url: "redis://127.0.0.1:6379" });
//! const sub = pub.duplicate();
//! await Promise.all([pub.connect(), sub.connect()]);
//! const io = new Server(3001, { adapter: createAdapter(pub, sub) });
//! ```
//!
//! From then on broadcasts with their rooms, exceptions and flags reach the clients of all nodes, and so do
//! [`emit_with_acks`](crate::server::Operator::emit_with_acks), [`fetch_sockets`](crate::server::Operator::fetch_sockets),
//! `join`, `leave` and `disconnect` of an operator, and
//! [`server_side_emit`](crate::Io::server_side_emit). [`local`](crate::server::Operator::local) keeps something to one's own
//! clients; room events, [`count`](crate::server::Operator::count), [`ids`](crate::server::Operator::ids) and
//! [`emit_to`](crate::Io::emit_to) know this node only. [`config::Cluster`](crate::config::Cluster) says which protocol is
//! spoken ([`Wire`](crate::config::Wire)). All nodes must speak the same:
//!
//! | `@socket.io/redis-adapter` 8 | [`Wire`](crate::config::Wire) |
//! |---|---|
//! | `createAdapter(pub, sub)` | `Classic { replies_to_asker: false }`, the default |
//! | `createAdapter(pub, sub, { publishOnSpecificResponseChannel: true })` | `Classic { replies_to_asker: true }` |
//! | `createShardedAdapter(pub, sub)` | `Sharded { rooms: RoomChannels::Public }` |
//! | `createShardedAdapter(…, { subscriptionMode: "dynamic-private" })` | `Sharded { rooms: RoomChannels::All }` |
//! | `createShardedAdapter(…, { subscriptionMode: "static" })` | `Sharded { rooms: RoomChannels::None }` |
//! | `createAdapter(redis)` of `@socket.io/redis-streams-adapter` 0.3 | `Streams { sharded_channels: false }` |
//! | the same with `useShardedPubSub: true` | `Streams { sharded_channels: true }` |
//!
//! By the classic protocol every node hears of every broadcast, and passes over what is for rooms that nobody of its own is in. By
//! the sharded one Redis (7 or later) brings a broadcast to one room only to the nodes that have somebody there. The first
//! broadcast to a room may be on its way while somebody's node subscribes to it: who has just joined may miss it.
//!
//! By the protocol of streams what is said goes into a stream, of which Redis keeps the last
//! [`stream_entries_max`](crate::config::Cluster::stream_entries_max) entries: see below.
//!
//! A process without sockets speaks to them by an [`Emitter`](crate::cluster::Emitter); `@socket.io/redis-emitter`, which knows
//! the classic protocol only, reaches us as well.
//!
//! # When Redis is away
//!
//! Each node goes on with its own clients. What it says meanwhile others never hear: nothing is kept for them, and each is counted
//! ([`CarrierStatus::unsaid`](crate::server::CarrierStatus)). Questions are answered by this node alone, and say how many nodes
//! are missing. [`Io::carrier`](crate::Io::carrier) says `Degraded` until Redis is there again; then everything is subscribed
//! to anew, and nobody needs to be restarted. A Redis that does not answer within
//! [`confirmed_within`](crate::config::Cluster::confirmed_within) counts as away.
//!
//! By streams, a node whose connection was lost reads on where it was, and its clients hear late what the others have said.
//!
//! # Recovery from node to node
//!
//! With streams and [`recovery`](crate::config::SocketIo::recovery), a client that was cut off may come back to any node, also an
//! official one, within its time: it has its id, rooms and data again, and is sent what it missed, once and in order.
//!
//! ```no_run
//! use roomcast::cluster::Redis;
//! use roomcast::config::{Cluster, Recovery, Wire};
//! use roomcast::{Config, Server};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut config = Config::default();
//!     config.socketio.recovery = Some(Recovery::default());
//!     let mut cluster = Cluster::default();
//!     cluster.wire = Wire::Streams { sharded_channels: false };
//!     let mut server = Server::new(config, ());
//!     server.carried_by(Redis::new("redis://127.0.0.1:6379", cluster)?);
//!     server.listen("127.0.0.1:3000".parse()?)?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! For that, events go around: to Redis, and from there to the clients of all nodes, this one's as well, in one order
//! everywhere. So an answer ([`Ack`](crate::Ack)) may overtake an event that was emitted before it, and an event to a
//! socket that is disconnected in the next line does not reach it; with the official adapter it is the same. Volatile and
//! local events, and those that are to be answered, go their way at once and are not recovered. While Redis is away,
//! events go to this node's clients at once, and cannot be recovered either.
//!
//! A session is written down when its connection ends, also by an orderly end of the node; a node that dies leaves none, and its
//! clients are strangers elsewhere. So is who comes to another node before the first has noticed that he is gone. It needs Redis
//! 6.2 (`GETDEL`).
//!
//! # Whom one trusts
//!
//! Whoever may publish on that Redis can say to every client what a server says, join them to rooms and send them away, and
//! read along. Keep it within the house, with a password. What comes from there is held to limits, and what no node could have
//! meant is passed over and counted; the official server ends with an error at some of it.
//!
//! # In front of them
//!
//! A long-polling session is many requests, and all of them must reach the process that opened it: the proxy must be *sticky*. The
//! ids of sessions end in four characters that are the node's own, so that a request that reaches another one is answered
//! `Session ID unknown: it is another server's`, and counted
//! ([`Refusals::session_elsewhere`](crate::server::Refusals)): if that number grows, the proxy is not sticky.
//!
//! ```nginx
//! upstream nodes {
//!     hash $remote_addr consistent;
//!     server 10.0.0.11:3000;
//!     server 10.0.0.12:3000;
//! }
//! server {
//!     location /socket.io/ {
//!         proxy_pass http://nodes;
//!         proxy_http_version 1.1;
//!         proxy_set_header Upgrade $http_upgrade;
//!         proxy_set_header Connection "upgrade";
//!         proxy_set_header Host $host;
//!         proxy_set_header X-Forwarded-For $remote_addr;
//!         proxy_read_timeout 60s;
//!     }
//! }
//! ```
//!
//! A WebSocket is one connection and needs nothing of this: with clients that say `transports: ["websocket"]` any spreading will
//! do. This is so with every Engine.IO server.
//!
//! # Without Redis
//!
//! Often one can split by what does not meet. Two servers that each have their own teams need no adapter, only
//! a proxy that sends each team to its own:
//!
//! ```no_run
//! use roomcast::{Config, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000);
//!     let mut config = Config::default();
//!     // The proxy names each server's path, brings many clients from one address, and says for whom it speaks.
//!     config.engine.path = format!("/{port}/socket.io/");
//!     config.reactor.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
//!     let mut server = Server::new(config, ());
//!     server.of("/").on("say", |socket, (text,): (String,), _ack| {
//!         socket.everyone().emit("said", &(text,));
//!     });
//!     let mut listening = server.listen(([127, 0, 0, 1], port).into())?;
//!     listening.handle_signals()?;
//!     listening.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("https://chat.example", { path: "/3001/socket.io/" });
//! ```
//!
//! # The same server, again
//!
//! State is plain data. [`Server::freeze`](crate::Server::freeze) makes bytes of a whole server (sessions, sockets, rooms, what is
//! queued), and [`Server::thaw`](crate::Server::thaw) makes a server of them in another process that was given the descriptors.
//! What waits in closures (acknowledgements, timers, jobs) ends with an error that says so.
//!
//! # Over a carrier of your own
//!
//! What servers have to tell each other is public plain data, broadcasts with their answers, `fetchSockets` and
//! `serverSideEmit` included: [`server::cluster`](crate::server::cluster). Who brings it from one to the other has joined them:
//! by handlers ([`Server::on_wish`](crate::Server::on_wish)), or on the same loop as a
//! [`Carrier`](crate::server::Carrier), as Redis is.
//!
//! # Not yet
//!
//! The redirections of Redis Cluster, and Sentinel; several streams for one cluster (`streamCount`), and
//! the protocol of version 0.2 of the streams adapter, whose nodes count each other by heartbeats. By the other
//! protocols, connection state recovery finds a socket again at the node that it was cut off from, and nowhere else.
