//! Limits of what goes to other nodes by way of Redis, and of what comes from there.

use std::path::PathBuf;
use std::time::Duration;

/// Limits and choices of [`Redis`](crate::cluster::Redis).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cluster {
    /// Which of the official adapters' protocols is spoken: that of all nodes.
    pub wire: Wire,
    /// What all channels begin with (`key`): that of all nodes.
    pub prefix: String,
    /// A file of certificates in PEM, one of which must have signed that of Redis, where the URL begins with `rediss://`; none for
    /// those that the system trusts (which `SSL_CERT_FILE` names another way). Read once, when the carrier is made.
    pub authorities: Option<PathBuf>,
    /// The key of the stream (`streamName`), where there is one: that of all nodes.
    pub stream: String,
    /// Entries of the stream that are kept, about (`maxLen`): the more, the longer a connection to Redis may be away, or a client,
    /// without missing anything.
    pub stream_entries_max: usize,
    /// Entries of the stream that are asked for at once (`readCount`).
    pub stream_page_max: usize,
    /// How long Redis waits for an entry before it says that there is none (`blockTimeInMs`).
    pub read_within: Duration,
    /// What the keys of sessions that may be recovered begin with (`sessionKeyPrefix`): that of all nodes.
    pub session_prefix: String,
    /// Bytes of events on their way through the stream and back, on which clients of this node wait, too. What would be more goes
    /// to them at once, and cannot be recovered: the stream has stopped, or almost.
    pub held_bytes_max: usize,
    /// Bytes of events that all clients have missed who are coming back at this moment; whose would be more is a stranger.
    pub missed_bytes_max: usize,
    /// How long a connection to Redis may take, its greeting included. Redis is within the house.
    pub connect_within: Duration,
    /// How long Redis may take to confirm a command before the connection is given up: it is stopped, or the network is.
    pub confirmed_within: Duration,
    /// How long after a connection was lost the next is tried. Each try in vain doubles it, and chance takes up to a half of it
    /// away, so that the nodes of a cluster do not come back at one moment.
    pub retry_after: Duration,
    /// Where the doubling ends.
    pub retry_after_max: Duration,
    /// How often the other nodes are counted, which also finds out whether Redis is there when nobody has anything to say.
    pub count_every: Duration,
    /// Bytes that Redis has not confirmed; what would be more is not said, and counted. As much as a slow Redis may owe.
    pub waiting_bytes_max: usize,
    /// Bytes of one message from another node; a larger one is passed over and counted.
    pub message_bytes_max: usize,
    /// Attachments of one message from another node.
    pub attachments_max: usize,
    /// Levels of nesting in one message from another node: what a client may send, and the few around it.
    pub depth_max: usize,
    /// Questions of other nodes that may be under way here; one more is not answered, and counted.
    pub foreign_questions_max: usize,
    /// How long a question of another node is under way here at most: no broadcast waits longer for its answers.
    pub foreign_question_within: Duration,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            wire: Wire::default(),
            prefix: "socket.io".to_owned(),
            authorities: None,
            stream: "socket.io".to_owned(),
            stream_entries_max: 10_000,
            stream_page_max: 100,
            read_within: Duration::from_secs(5),
            session_prefix: "sio:session:".to_owned(),
            held_bytes_max: 4 * 1024 * 1024,
            missed_bytes_max: 16 * 1024 * 1024,
            connect_within: Duration::from_secs(5),
            confirmed_within: Duration::from_secs(5),
            retry_after: Duration::from_millis(100),
            retry_after_max: Duration::from_secs(5),
            count_every: Duration::from_secs(5),
            waiting_bytes_max: 4 * 1024 * 1024,
            message_bytes_max: 16 * 1024 * 1024,
            attachments_max: 1000,
            depth_max: 136,
            foreign_questions_max: 10_000,
            foreign_question_within: Duration::from_secs(60),
        }
    }
}

/// A protocol between nodes. They do not mix: all nodes of a cluster speak the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wire {
    /// That of `createAdapter` of `@socket.io/redis-adapter` 8.
    Classic {
        /// Whether answers go to the node that asked, instead of to all (`publishOnSpecificResponseChannel`): that of all nodes.
        replies_to_asker: bool,
    },
    /// That of `createShardedAdapter` of the same package, over the sharded channels of Redis 7 or later.
    Sharded {
        /// Which rooms have channels of their own: the same ones at all nodes.
        rooms: RoomChannels,
    },
    /// That of `createAdapter` of `@socket.io/redis-streams-adapter` 0.3: what is said goes through a stream, so that who was away
    /// for a while hears it later, be it a node or, with [recovery](super::SocketIo::recovery), a client at another node.
    Streams {
        /// Whether questions and answers go by sharded channels (`useShardedPubSub`): that of all nodes.
        sharded_channels: bool,
    },
}

/// Rooms with a channel of their own, by which only those nodes hear of a broadcast that have somebody in the room
/// (`subscriptionMode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoomChannels {
    /// All but those that are called as sockets are: which have twenty characters (`dynamic`).
    #[default]
    Public,
    /// All, and each socket's own (`dynamic-private`): for who speaks to single sockets of other nodes more often than sockets
    /// come and go.
    All,
    /// None: all nodes hear all broadcasts (`static`).
    None,
}

impl Default for Wire {
    fn default() -> Self {
        Self::Classic {
            replies_to_asker: false,
        }
    }
}
