//! What servers tell each other so that together they are one: public plain data, for whoever carries it.
//!
//! A server whose application listens with [`Server::on_wish`](super::Server::on_wish) says there what the other nodes are to
//! do; what they said is given to it by [`Io::hear`](super::Io::hear). How it gets there (Redis, a socket, a thread) is the
//! carrier's business, and so is how many there are ([`Io::set_other_nodes`](super::Io::set_other_nodes)). All of it is
//! serde's to write, in JSON as well as in formats that do not describe themselves.
//!
//! ```
//! # use roomcast::{App, Config, Server};
//! # #[derive(Default)]
//! # struct Node { outbox: Vec<String> }
//! # impl App for Node { type Data = (); }
//! let mut server = Server::new(Config::default(), Node::default());
//! server.on_wish(|context, wish| {
//!     let text = serde_json::to_string(&wish).expect("a wish is plain data");
//!     context.app.outbox.push(text);
//! });
//! // And where such a text has come from another node:
//! # fn arrived(context: &mut roomcast::Context<'_, Node>, text: &str) -> serde_json::Result<()> {
//! context.io.hear(serde_json::from_str(text)?);
//! # Ok(())
//! # }
//! ```
//!
//! Nodes trust each other: what is heard is done. Wishes of one node must be heard in the order they were said, and once each:
//! an event that is delivered twice is emitted twice. Only of replies is a second one known for what it is.
//! Left out: what is for a namespace that is not here (a child that nobody here has called into being) is not said to others;
//! broadcasts to all children of a parent reach only those children elsewhere that are here as well, and
//! [`Io::emit_to`](super::Io::emit_to) only sockets of this node (`io.of(..).to(id.as_str())` reaches them all);
//! a recovered connection is recovered by the node that it was cut off from, unless a [carrier](super::Carrier::recovers) sees
//! to it.

use std::time::Duration;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::fetch::RemoteSocket;
use super::gathering::GatheredAnswer;
use crate::socketio::SocketId;
use crate::socketio::args::{Args, ArgsError, FromArgs};

/// Whom something is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// The name of the namespace.
    pub namespace: Box<str>,
    /// The union of these rooms; without any, everybody.
    pub rooms: Vec<Box<str>>,
    /// But nobody in these.
    pub except: Vec<Box<str>>,
}

/// Arguments or values: a list of JSON without brackets, and the attachments that its placeholders name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    /// The list.
    pub list: Box<str>,
    /// The attachments.
    pub attachments: Vec<Bytes>,
}

impl Values {
    /// As arguments.
    #[must_use]
    pub fn args(&self) -> Args<'_> {
        Args::new(&self.list, &self.attachments)
    }

    /// Whether it is JSON: what is not would go to every client as it is.
    pub(super) fn are_json(&self) -> bool {
        serde_json::from_str::<IgnoredAny>(&format!("[{}]", self.list)).is_ok()
    }

    /// As a `T`, mostly a tuple.
    ///
    /// # Errors
    /// If one is missing or does not fit.
    pub fn parse<'a, T: FromArgs<'a>>(&'a self) -> Result<T, ArgsError> {
        self.args().parse()
    }
}

/// What other nodes are to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Wish {
    /// Send an event to those of your sockets; where there is a request, reply how many that were, and each of their answers as
    /// it comes.
    Emit {
        /// Whom it is for.
        to: Whom,
        /// Its name.
        event: Box<str>,
        /// Its arguments.
        values: Values,
        /// Whether it may be lost.
        is_volatile: bool,
        /// Whether it must not be compressed.
        stays_plain: bool,
        /// The number that the answers are asked for under, and how long they may take.
        request: Option<(Request, Duration)>,
    },
    /// Let them enter rooms.
    Join {
        /// Who.
        to: Whom,
        /// Which.
        rooms: Vec<Box<str>>,
    },
    /// Let them leave rooms.
    Leave {
        /// Who.
        to: Whom,
        /// Which; none means all that they are in.
        rooms: Vec<Box<str>>,
    },
    /// Let them leave the namespace.
    Disconnect {
        /// Who.
        to: Whom,
        /// Whether their connections end, too.
        closes: bool,
    },
    /// Reply who they are.
    Fetch {
        /// Who.
        to: Whom,
        /// The number to reply under.
        request: Request,
    },
    /// Reply which rooms there are, the sockets' own included.
    Rooms {
        /// The name of the namespace.
        namespace: Box<str>,
        /// The number to reply under.
        request: Request,
    },
    /// Tell your handlers of [`Namespace::on_server_side`](super::Namespace::on_server_side).
    ServerSide {
        /// The name of the namespace.
        namespace: Box<str>,
        /// The name of the event.
        event: Box<str>,
        /// Its arguments.
        values: Values,
        /// The number to answer under, if an answer is wanted.
        request: Option<Request>,
    },
    /// A reply, for the node that asked; others may hear it and know nothing of it.
    Reply {
        /// The number it was asked under.
        request: Request,
        /// The node that replies, by the number that it draws for itself, once: of each, one reply counts.
        from: u64,
        /// What there is to say.
        reply: Reply,
    },
}

/// Names a question of one node. Two nodes never use the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Request {
    /// Drawn by the node that asks, once.
    pub node: u64,
    /// Counted by it.
    pub number: u64,
}

/// What a node has to say to a question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// So many of its sockets were asked: once, before their answers.
    Asked(usize),
    /// What one of them answered.
    Answer(GatheredAnswer),
    /// One of them will not answer: it has gone, or its time is up. Whose protocol has no word for it may leave it out: the
    /// question then waits until its own time is up.
    Gone(SocketId),
    /// Its sockets.
    Sockets(Vec<RemoteSocket>),
    /// Its rooms.
    Rooms(Vec<Box<str>>),
    /// What its handler answered.
    Values(Values),
}
