//! Coming from Node: the official server's calls and options, with ours beside them.
//!
//! The same client speaks to both, and nothing changes on its side. "Not yet" means that it is meant to come; "left out" comes
//! with a reason. Names are those of `socket.io` 4.8.
//!
//! The shape of a program is the same; what is different is where things live. Node gives each socket listeners of its
//! own; here handlers are named once for a namespace and are lent the socket. Node's closures remember; here there is the
//! application (`socket.app`) and the socket's data (`socket.data()`). Node's promises are closures that are called later.
//!
//! ```js
//! const counts = new Map();
//! io.use((socket, next) => {
//!   socket.data.name = socket.handshake.auth.name;
//!   next(socket.data.name ? undefined : new Error("who are you?"));
//! });
//! io.on("connection", (socket) => {
//!   socket.join("lobby");
//!   socket.on("say", (text, callback) => {
//!     counts.set(socket.data.name, (counts.get(socket.data.name) ?? 0) + 1);
//!     socket.to("lobby").emit("said", socket.data.name, text);
//!     callback(counts.get(socket.data.name));
//!   });
//!   socket.on("disconnect", (reason) => console.log(reason));
//! });
//! ```
//!
//! ```no_run
//! use std::collections::HashMap;
//!
//! use roomcast::{App, Config, Server, Verdict};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default)]
//! struct Lobby {
//!     counts: HashMap<String, u64>,
//! }
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Guest {
//!     name: String,
//! }
//!
//! impl App for Lobby {
//!     type Data = Guest;
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), Lobby::default());
//!     server
//!         .of("/")
//!         .authorize(|socket, guest: Guest| {
//!             if guest.name.is_empty() {
//!                 return Verdict::refuse("who are you?");
//!             }
//!             *socket.data_mut() = guest;
//!             Verdict::Accept
//!         })
//!         .on_connect(|socket| socket.join("lobby"))
//!         .on("say", |socket, (text,): (String,), ack| {
//!             let name = socket.data().name.clone();
//!             let count = socket.app.counts.entry(name.clone()).or_default();
//!             *count += 1;
//!             let count = *count;
//!             socket.to("lobby").emit("said", &(name, text));
//!             ack.send(&mut socket.io, &count);
//!         })
//!         .on_disconnect(|_socket, reason| log::info!("{reason}"));
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! # The server
//!
//! | in Node | here |
//! |---|---|
//! | `new Server(options)` | [`Server::new`](crate::Server::new) with a [`Config`](crate::Config) and the application |
//! | `new Server(httpServer)`, `io.attach(httpServer)` | the server is the HTTP server: [routes](super::http) of your own stand beside it |
//! | `res.writeHead(…)`, `res.write(…)`, `res.end()` | [`Io::begin`](crate::Io::begin), [`write`](crate::Io::write), [`finish`](crate::Io::finish), by the request's id |
//! | `res.on("drain", …)`, `res.on("close", …)`, `stream.pipe(res)` | [`Io::feed`](crate::Io::feed): asked for more, or told that it broke off |
//! | `req.on("data", …)`, `"end"`, `"aborted"` | [`Server::route_in_pieces`](crate::Server::route_in_pieces) and [`Io::take`](crate::Io::take) |
//! | `req.pause()`, `req.resume()` | [`Io::hold`](crate::Io::hold), [`resume`](crate::Io::resume) |
//! | `io.listen(3000)` | [`server.listen(address)?.run()`](crate::Server::listen); [`also`](crate::server::Listening::also) opens more ports |
//! | `io.bind(engine)`, `io.onconnection`, `engine.handleUpgrade` | left out: the layers are there as plain types, `examples/conformance` uses them |
//! | `io.attachApp(uWebSockets)` | left out: it is another program's loop, and this has its own |
//! | `io.close()` | [`io.stop()`](crate::Io::stop), [`handle.stop()`](crate::server::Handle::stop), or SIGTERM after [`handle_signals`](crate::server::Listening::handle_signals); sockets hear `server shutting down` |
//! | `setTimeout(f, ms)` | [`io.after(delay, f)`](crate::Io::after), which says when too many wait |
//! | `io.on("connection", f)` | [`.on_connect(f)`](crate::server::Namespace::on_connect) of a namespace |
//! | `io.on("new_namespace", f)` | [`server.on_namespace(f)`](crate::Server::on_namespace) |
//! | `io.engine.clientsCount` | [`io.session_count()`](crate::Io::session_count) |
//! | `io.engine.use(f)` | [`server.middleware(f)`](crate::Server::middleware) |
//! | `io.engine.on("headers", f)`, `"initial_headers"` | [`server.headers(f)`](crate::Server::headers), [`server.initial_headers(f)`](crate::Server::initial_headers) |
//! | `io.engine.on("connection_error", f)` | [`server.on_connection_error(f)`](crate::Server::on_connection_error): code, message, context and the request |
//! | `io.engine.generateId = f` | [`server.generate_id(f)`](crate::Server::generate_id), which may also leave it to the server |
//! | `io.serverSideEmit(…)`, `serverSideEmitWithAck(…)` | [`io.server_side_emit(…)`](crate::Io::server_side_emit), [`io.server_side_emit_with_acks(…)`](crate::Io::server_side_emit_with_acks), [`on_server_side`](crate::server::Namespace::on_server_side) |
//!
//! # Namespaces
//!
//! | in Node | here |
//! |---|---|
//! | `io.of("/chat")`, for its handlers | [`server.of("/chat")`](crate::Server::of) |
//! | `io.of("/chat")`, to speak to it | [`io.of("/chat")`](crate::Io::of) |
//! | `io.of(/^\/game-(\w+)$/)` | [`server.of_pattern("/game-{number}")`](crate::Server::of_pattern); what stands for `number`: [`socket.parameter`](crate::Socket::parameter) |
//! | `io.of((name, auth, next) => …)` | [`server.of_matching(label, f)`](crate::Server::of_matching), which must know at once; who must look something up does so in `authorize` |
//! | `parent.emit(…)` | [`io.children(pattern_or_label)`](crate::Io::children)`.emit(…)`, [`socket.siblings()`](crate::Socket::siblings)`.emit(…)` |
//! | `io.use(f)`, `namespace.use(f)` | [`.authorize(f)`](crate::server::Namespace::authorize), typed; `next(new Error(m))` with `data` is [`Verdict::Refuse`](crate::Verdict::Refuse), a `next` that is called later [`Verdict::Later`](crate::Verdict::Later) and [`io.decide`](crate::Io::decide) |
//! | `io._nsps` | [`io.namespaces()`](crate::Io::namespaces) |
//! | `namespace.sockets.get(id)` | [`context.socket(id)`](crate::Context::socket), from a socket `socket.context()` first |
//! | `namespace.sockets.size` | [`io.socket_count(name)`](crate::Io::socket_count) |
//!
//! # One socket
//!
//! | in Node | here |
//! |---|---|
//! | `socket.id`, `socket.nsp.name` | [`socket.id()`](crate::Socket::id), [`socket.namespace()`](crate::Socket::namespace) |
//! | `socket.data` | [`socket.data()`](crate::Socket::data), [`data_mut()`](crate::Socket::data_mut): a type of yours, [`App::Data`](crate::App::Data) |
//! | `socket.rooms` | [`socket.rooms()`](crate::Socket::rooms), [`socket.is_in(room)`](crate::Socket::is_in) |
//! | `socket.handshake` `.headers` `.query` `.url` `.address` `.issued` | [`socket.handshake()`](crate::Socket::handshake): [`header`](crate::server::Handshake::header), [`query_value`](crate::server::Handshake::query_value), [`url`](crate::server::Handshake::url), [`address`](crate::server::Handshake::address), [`issued`](crate::server::Handshake::issued) |
//! | `socket.handshake.auth` | what [`authorize`](crate::server::Namespace::authorize) is given; keep in the socket's data what you need of it |
//! | `socket.handshake.secure`, `.xdomain` | left out: whoever speaks TLS in front knows the one, the `Origin` header says the other |
//! | `socket.request` | [`socket.handshake()?.request()`](crate::server::Handshake::request) |
//! | `socket.recovered` | [`socket.recovered()`](crate::Socket::recovered), which also says why not |
//! | `socket.connected` | [`socket.is_connected()`](crate::Socket::is_connected) |
//! | `socket.conn.transport.name` | [`socket.transport()`](crate::Socket::transport) |
//! | `socket.conn.on("upgrade", f)` | [`.on_upgrade(f)`](crate::server::Namespace::on_upgrade) |
//! | `socket.conn.on("heartbeat", f)` | [`.on_heartbeat(f)`](crate::server::Namespace::on_heartbeat) |
//! | `socket.on(event, f)` | [`.on(event, f)`](crate::server::Namespace::on), or [`on_raw`](crate::server::Namespace::on_raw) for arguments as they came |
//! | `socket.once`, `socket.off`, `removeAllListeners` | left out: listener lists of single sockets cost memory for each and are what leaks; the handler asks the socket's data |
//! | `socket.onAny(f)`, `prependAny` | [`.on_any(f)`](crate::server::Namespace::on_any), in the order they were added |
//! | `socket.onAnyOutgoing(f)`, `prependAnyOutgoing` | [`.on_any_outgoing(f)`](crate::server::Namespace::on_any_outgoing) |
//! | `socket.offAny`, `listenersAny` and their like | left out, as `off` |
//! | `socket.use(([event, ...args], next) => …)` | [`.middleware(f)`](crate::server::Namespace::middleware), which may also rename an event and replace its arguments |
//! | `socket.on("error", f)`, after a `next(error)` | [`.on_error(f)`](crate::server::Namespace::on_error), which may answer the client |
//! | `socket.emit(event, a, b)` | [`socket.emit(event, &(a, b))`](crate::Socket::emit) |
//! | `socket.send(a)` | `socket.emit("message", &(a,))` |
//! | `socket.timeout(ms).emit(event, a, f)`, `emitWithAck` | [`socket.emit_with_ack(event, &(a,), within, f)`](crate::Socket::emit_with_ack): there is no question without a time |
//! | `callback(a, b)` in a handler | [`ack.send(&mut socket.io, &(a, b))`](crate::Ack::send) |
//! | `socket.volatile.emit(…)` | [`socket.emit_volatile(…)`](crate::Socket::emit_volatile) |
//! | `socket.compress(false).emit(…)` | [`socket.compress(false).emit(…)`](crate::Socket::compress) |
//! | `socket.join(room)`, `socket.leave(room)` | [`socket.join(room)`](crate::Socket::join), [`socket.leave(room)`](crate::Socket::leave) |
//! | `socket.join([a, b])`, `socket.leaveAll()` | [`socket.join_each([a, b])`](crate::Socket::join_each), [`socket.leave_all()`](crate::Socket::leave_all) |
//! | `socket.disconnect()`, `socket.disconnect(true)` | [`socket.disconnect()`](crate::Socket::disconnect), [`socket.disconnect_connection()`](crate::Socket::disconnect_connection) |
//! | `socket.conn.close()` | [`socket.close_connection()`](crate::Socket::close_connection) |
//! | `socket.on("disconnecting", f)`, `"disconnect"` | [`.on_disconnecting(f)`](crate::server::Namespace::on_disconnecting), [`.on_disconnect(f)`](crate::server::Namespace::on_disconnect) with a [`Reason`](crate::socketio::Reason) in the same words |
//! | `description` of a `disconnect` | [`socket.end_detail()`](crate::Socket::end_detail) |
//!
//! # Many sockets
//!
//! | in Node | here |
//! |---|---|
//! | `io.emit(…)` | [`io.of("/").emit(…)`](crate::server::Operator::emit); from a socket [`socket.everyone()`](crate::Socket::everyone) |
//! | `socket.broadcast.emit(…)` | [`socket.broadcast()`](crate::Socket::broadcast)`.emit(…)` |
//! | `socket.to(room)`, `socket.in(room)` | [`socket.to(room)`](crate::Socket::to) |
//! | `io.to(room)`, `io.in(room)` | [`io.of("/").to(room)`](crate::server::Operator::to) |
//! | `io.to(a).to(b)`, `io.to([a, b])` | `io.of("/").to(a).to(b)` |
//! | `socket.except(room)`, `io.except(room)` | `socket.broadcast().except(room)`, [`io.of("/").except(room)`](crate::server::Operator::except) |
//! | `io.to(socketId).emit(…)` | the same, or [`io.emit_to(id, …)`](crate::Io::emit_to) |
//! | `io.volatile` | [`.volatile()`](crate::server::Operator::volatile) |
//! | `io.compress(false)` | [`.compress(false)`](crate::server::Operator::compress) |
//! | `io.local` | needs nothing: everything is local, until there are several servers |
//! | `io.timeout(ms).emit(event, a, f)`, `emitWithAck` | [`.emit_with_acks(event, &(a,), within, f)`](crate::server::Operator::emit_with_acks); what came in time is there, also when some is missing |
//! | `io.fetchSockets()` | [`.fetch_sockets(within, f)`](crate::server::Operator::fetch_sockets): ids, rooms, handshakes and data as plain values; to act on one, its id: [`context.socket(id)`](crate::Context::socket) |
//! | `io.allSockets()` | [`.ids()`](crate::server::Operator::ids) |
//! | `io.socketsJoin(room)`, `socketsLeave`, of several rooms | [`.join(room)`](crate::server::Operator::join), [`.leave(room)`](crate::server::Operator::leave), [`.join_each(&rooms)`](crate::server::Operator::join_each), [`.leave_each(&rooms)`](crate::server::Operator::leave_each) |
//! | `io.disconnectSockets()`, `(true)` | [`.disconnect()`](crate::server::Operator::disconnect), [`.disconnect_connections()`](crate::server::Operator::disconnect_connections) |
//! | `io.sockets.adapter.rooms.get(room)?.size` | [`io.room_size("/", room)`](crate::Io::room_size), which lists nothing |
//! | `adapter.on("create-room", f)`, `"delete-room"`, `"join-room"`, `"leave-room"` | [`.on_room_event(f)`](crate::server::Namespace::on_room_event) |
//! | `io.adapter(createAdapter(pub, sub))` of `@socket.io/redis-adapter` | [`server.carried_by(Redis::new(url, …)?)`](crate::Server::carried_by); other adapters: a [`Carrier`](crate::server::Carrier) of your own |
//! | `io.adapter(createAdapter(redis))` of `@socket.io/redis-streams-adapter` | the same, with [`Wire::Streams`](crate::config::Wire) |
//! | `io.adapter(createShardedAdapter(pub, sub))` | the same, with [`Wire::Sharded`](crate::config::Wire) in its `config::Cluster` |
//! | `await io.of("/").adapter.serverCount()` | [`io.other_nodes()`](crate::Io::other_nodes), without this one |
//! | `new Emitter(client)` of `@socket.io/redis-emitter` | [`Emitter::new(stream, url, …)?`](crate::cluster::Emitter) |
//!
//! # Options
//!
//! | in Node | here |
//! |---|---|
//! | `path` | [`engine.path`](crate::config::Engine::path) |
//! | `addTrailingSlash: false` | an `engine.path` without it: what begins so is served, with a slash and without |
//! | `serveClient` | [`engine.serve_client`](crate::config::Engine::serve_client), with the feature `client` |
//! | `pingInterval`, `pingTimeout` | [`engine.ping_every`](crate::config::Engine::ping_every), [`engine.pong_within`](crate::config::Engine::pong_within) |
//! | `upgradeTimeout`, `allowUpgrades` | [`engine.upgrade_within`](crate::config::Engine::upgrade_within), [`engine.upgrades`](crate::config::Engine::upgrades) |
//! | `transports` | [`engine.polling`](crate::config::Engine::polling), [`engine.websocket`](crate::config::Engine::websocket); WebTransport is left out, since it needs QUIC |
//! | `maxHttpBufferSize` | [`engine.payload_bytes_max`](crate::config::Engine::payload_bytes_max), with [`http.body_bytes_max`](crate::config::Http::body_bytes_max) and [`websocket.message_bytes_max`](crate::config::WebSocket::message_bytes_max) |
//! | `allowRequest` | [`server.allow_request(f)`](crate::Server::allow_request) |
//! | `cors.origin` | [`engine.origins`](crate::config::Engine::origins), which holds for WebSocket, too; a function of the origin is `allow_request` |
//! | `cors.credentials`, `methods`, `allowedHeaders`, `exposedHeaders`, `maxAge` | [`engine.cors`](crate::config::Engine::cors) |
//! | `cookie` | [`engine.cookie`](crate::config::Engine::cookie) |
//! | `allowEIO3` | [`engine.allow_eio3`](crate::config::Engine::allow_eio3) |
//! | `initialPacket` | [`engine.initial_message`](crate::config::Engine::initial_message) |
//! | `perMessageDeflate` | [`engine.websocket_compression`](crate::config::Engine::websocket_compression), with the feature `compression` |
//! | `httpCompression` | [`engine.http_compression`](crate::config::Engine::http_compression), with the feature `compression` |
//! | `connectTimeout` | [`socketio.connect_within`](crate::config::SocketIo::connect_within) |
//! | `connectionStateRecovery` | [`socketio.recovery`](crate::config::SocketIo::recovery); `skipMiddlewares` is [`authorize_again`](crate::config::Recovery::authorize_again), the other way round |
//! | `cleanupEmptyChildNamespaces` | [`socketio.empty_children_kept`](crate::config::SocketIo::empty_children_kept), the other way round |
//! | `maxAttachments` of the parser | [`socketio.attachments_max`](crate::config::SocketIo::attachments_max) |
//! | `parser` | [`socketio.parser`](crate::config::SocketIo::parser): text, or MessagePack as `socket.io-msgpack-parser` has it; [`server.parser(own)`](crate::Server::parser) |
//! | `adapter` | [`carried_by`](crate::Server::carried_by): Redis, or a carrier of your own; also by [`on_wish`](crate::Server::on_wish) and [`hear`](crate::Io::hear) |
//! | `wsEngine` | left out: there is one WebSocket, and it is part of the server |
//! | `destroyUpgrade`, `destroyUpgradeTimeout` | needs nothing: an upgrade to another path is a request like any other, and answered |
//!
//! # What is different on purpose
//!
//! - A page of another origin cannot open a WebSocket unless [`origins`](crate::config::Engine::origins) names it; Node's server
//!   lets it.
//! - Recovery asks `authorize` again, children of parents are removed with their last socket, and every question has a time.
//! - What a client leaves unread has a limit; beyond it the session ends with `slow consumer`, a reason that Node does not have.
//! - A broadcast with acknowledgements does not fail when some are missing: it says which there are.
//! - A handler that panics costs its own socket; in Node an exception ends the process.
