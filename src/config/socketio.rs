//! Limits of namespaces and sockets, and of what is kept for those who come back.

use std::time::Duration;

/// Limits of Socket.IO.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SocketIo {
    /// How packets are written (`parser`): for all clients alike, who must be told to do the same.
    pub parser: Parser,
    /// A session that has joined no namespace is closed after this (`connectTimeout`).
    pub connect_within: Duration,
    /// Attachments of one packet (`maxAttachments`; CVE-2026-33151 had none). As many as the official parser takes since.
    pub attachments_max: usize,
    /// Bytes held for one packet until its last attachment has come.
    pub packet_bytes_max: usize,
    /// Bytes held for all packets whose attachments have not come; beyond it the session that holds most is closed. Of the
    /// largest packets, so many that nobody reaches it by chance.
    pub packets_bytes_max: usize,
    /// A packet's last attachment must come this long after its text.
    pub attachments_within: Duration,
    /// Levels of nesting in the JSON of one packet. Where `serde_json` ends, too.
    pub json_depth_max: usize,
    /// Namespaces of one connection. Each is a socket with data; no page needs as many, and a stranger may ask for thousands.
    pub namespaces_max: usize,
    /// Bytes of a namespace's name, which is kept for each: longer than any that somebody would type.
    pub namespace_bytes_max: usize,
    /// Namespaces that clients may have called into being (children of parent namespaces).
    pub children_max: usize,
    /// Whether such a namespace stays when its last socket has left (the official server's `cleanupEmptyChildNamespaces`,
    /// the other way round: there they stay, here their number would be up to strangers).
    pub empty_children_kept: bool,
    /// Acknowledgements of one socket that may be awaited at once. A client that never answers holds that many closures, until
    /// their times are up.
    pub acks_max: usize,
    /// Broadcasts, and questions to other nodes, whose answers may be awaited at once; each keeps a list of those it asked.
    pub gatherings_max: usize,
    /// Closures that may wait for their time ([`Io::after`](crate::Io::after)): one or two for each socket of a large server, and
    /// some 20 MB if they keep little.
    pub later_max: usize,
    /// How long the replies of other nodes may be on their way, once their sockets have had the time they were given: a carrier
    /// within one house takes milliseconds, and who asks waits no longer than this for a node that has died.
    pub nodes_reply_within: Duration,
    /// Bytes of the answers to one broadcast, which are kept until the last has come.
    pub gathered_bytes_max: usize,
    /// Recovery of a connection's state (`connectionStateRecovery`). Off by default, as in the official server: every event
    /// then carries an offset as one more argument.
    pub recovery: Option<Recovery>,
    /// How long a signal to stop leaves for queues and jobs.
    pub drain_within: Duration,
}

impl Default for SocketIo {
    fn default() -> Self {
        Self {
            parser: Parser::Default,
            connect_within: Duration::from_secs(45),
            attachments_max: 10,
            packet_bytes_max: 1_000_000,
            packets_bytes_max: 64_000_000,
            attachments_within: Duration::from_secs(10),
            json_depth_max: 128,
            namespaces_max: 32,
            namespace_bytes_max: 256,
            children_max: 10_000,
            empty_children_kept: false,
            acks_max: 1000,
            gatherings_max: 1000,
            later_max: 100_000,
            nodes_reply_within: Duration::from_secs(1),
            gathered_bytes_max: 16 * 1024 * 1024,
            recovery: None,
            drain_within: Duration::from_secs(10),
        }
    }
}

/// How packets are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parser {
    /// As text, with attachments behind it (`socket.io-parser`): what every client speaks.
    #[default]
    Default,
    /// As MessagePack, with attachments inside (`socket.io-msgpack-parser`): fewer bytes where there are many numbers, or many
    /// attachments, and one message where the other needs several.
    MessagePack,
}

/// Limits of the recovery of a connection's state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovery {
    /// How long a socket that was cut off may take to come back (`maxDisconnectionDuration`), and how long what was said
    /// is kept for it.
    pub within: Duration,
    /// Bytes of what is kept for all of them; the oldest goes first. The official server has no such limit.
    pub log_bytes_max: usize,
    /// Sockets that may be away at once; one more is gone for good.
    pub away_max: usize,
    /// Whether the steps of `authorize` are asked again (`skipMiddlewares`, the other way round: what was revoked meanwhile
    /// is not to come back by a side door).
    pub authorize_again: bool,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            within: Duration::from_secs(120),
            log_bytes_max: 16 * 1024 * 1024,
            away_max: 10_000,
            authorize_again: true,
        }
    }
}
