//! Features: everything that servers of this kind have, and whether this one has it.
//!
//! Yes; not yet, which is meant to come; or left out, and why. The calls and options themselves are in
//! [`super::coming_from_node`].
//!
//! # Transports
//!
//! | feature | |
//! |---|---|
//! | HTTP long-polling; WebSocket; the upgrade from one to the other; WebSocket at once | yes |
//! | WebTransport | left out: it needs QUIC, and the official clients do without it by themselves |
//! | JSONP | left out: browsers that need it are gone, and it is a script from elsewhere in the page |
//! | choosing the transports; with or without the upgrade | yes |
//! | a path of one's own, with and without the slash at its end | yes |
//! | heartbeat with both times; time for an upgrade | yes |
//! | a limit on messages, told to the client | yes, on both transports and before they are read |
//! | permessage-deflate; compressed answers to polls | yes, off by default, feature `compression` |
//! | a cookie with the session's id | yes |
//! | CORS: origins, methods, headers, credentials, age | yes |
//! | a question before a session is opened (`allowRequest`) | yes, also answered later |
//! | clients of Socket.IO 2.x (Engine.IO 3) | yes, off by default |
//! | another WebSocket implementation (`wsEngine`) | left out: there is one, and it is part of the server |
//! | a message with the handshake (`initialPacket`) | yes |
//! | ends for upgrades to other paths (`destroyUpgrade`) | needs nothing: such a request is answered like any other |
//! | ids of one's own making (`generateId`) | yes, of the same length and alphabet |
//! | HTTP middleware before Engine.IO; headers of its answers | yes |
//! | an event for each refusal (`connection_error`) | yes, and counted by its code |
//! | how many sessions there are | yes |
//! | a broadcast is encoded once for all | yes |
//! | pings and pongs told to the application | yes, to who asks for them |
//! | TLS in the server itself | not yet: a proxy in front speaks it |
//! | the size of the WebSocket's read buffer | needs nothing: one buffer serves all connections, and idle ones have none |
//! | a limit on what waits for a client, and for all | yes, in bytes and time |
//!
//! # The server
//!
//! | feature | |
//! |---|---|
//! | beside HTTP routes of one's own | yes: they are part of it, also with bodies in pieces, [in and out](super::http#bodies-in-pieces) |
//! | on top of another HTTP server (`attach`, uWebSockets' `attachApp`) | left out: the loop is the server; the layers below are sans-IO and stand alone |
//! | the browser client, served | yes, in all its bundles, feature `client` |
//! | a time until the first namespace (`connectTimeout`) | yes |
//! | another parser, msgpack | yes: MessagePack as the official `socket.io-msgpack-parser` has it ([`Parser`](crate::config::Parser)), and any of your own ([`CustomParser`](crate::socketio::parser::CustomParser)) |
//! | adapters to plug in | yes, as data: what other nodes are to be told and what they say is plain, to be carried over anything ([`server::cluster`](crate::server::cluster)) |
//! | empty child namespaces are cleaned up | yes, by default |
//! | connection state recovery | yes, with limits on bytes and sockets, off by default |
//! | an orderly end that tells everybody | yes |
//!
//! # Namespaces
//!
//! | feature | |
//! |---|---|
//! | by name | yes |
//! | by pattern, with what the parameters stand for | yes |
//! | by question | yes, answered at once |
//! | a parent's broadcast to its children | yes |
//! | an event for each new one | yes |
//! | removing one at run time | children go with their last socket; those that were named stay |
//! | steps before a socket is let in, refusals with data | yes, also answered later, with a deadline |
//!
//! # Sockets
//!
//! | feature | |
//! |---|---|
//! | id, rooms, handshake, data | yes; the data is a type of the application's |
//! | typed arguments | yes |
//! | `on`; catch-all for what has no handler | yes, one handler for an event |
//! | `once`, `off`, listener lists of single sockets | left out: they cost memory for each socket and are what leaks; the socket's data does it |
//! | listeners to everything, in and out | yes |
//! | middleware for each event | yes |
//! | acknowledgements both ways, with a time | yes |
//! | binary both ways, at any depth | yes |
//! | volatile | yes |
//! | `compress(false)` for one event | yes, also of a broadcast |
//! | `disconnecting` with the rooms, `disconnect` with the reason | yes, and a description besides |
//! | leaving a namespace, or the whole connection | yes |
//! | recovered or not | yes, and why not |
//! | the transport's name | yes, and an event for the upgrade |
//! | dependency injection in handlers | needs nothing: the application is lent to each handler |
//!
//! # Rooms and broadcasts
//!
//! | feature | |
//! |---|---|
//! | join, leave, the default room, leaving all at the end | yes, also several in one call |
//! | several rooms, each socket once; exceptions; all but the sender | yes |
//! | only this server (`local`) | yes |
//! | broadcasts that are answered, with what came in time | yes |
//! | `fetchSockets`, with data | yes |
//! | joining, leaving, disconnecting many | yes |
//! | `serverSideEmit`, with answers | yes, to all nodes of a cluster ([`super::several_servers`]) |
//! | events of rooms | yes |
//! | how many are in a room, without a list | yes |
//!
//! # Operating it
//!
//! | feature | |
//! |---|---|
//! | several servers over Redis: `createAdapter` and the emitter | yes, with Node.js servers among them ([`super::several_servers`]) |
//! | several servers over Redis: `createShardedAdapter` | yes, in all its modes, with Node.js servers among them |
//! | several servers over Redis: streams | yes, that of version 0.3 with one stream; recovery works from node to node |
//! | adapters over Postgres, MongoDB, cloud queues | left out: one wire that is spoken well |
//! | sticky sessions, needed by long-polling | the proxy's affair; see [`super::several_servers`] |
//! | the Admin UI | not yet |
//! | a door on this machine for the operator alone | yes: a Unix socket ([`Listening::also_at`](crate::server::Listening::also_at)) |
//! | logs | yes, through the `log` crate, without user text |
//! | metrics | every number as plain data ([`crate::Io::metrics`]), for a route of yours to show; a format of its own: not yet |
//! | keep-alive, routes of one's own | yes |
//! | limits on connections and sessions of one address | yes |
//! | the client's address behind a proxy that is trusted | yes |
//! | a restart that loses no connection | the state, yes ([`crate::Server::freeze`]); handing the descriptors over: not yet |
