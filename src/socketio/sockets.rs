//! All sockets of all namespaces: who is connected where.
//!
//! The switchboard brings the ids of sessions that come and go; it is told where a socket is, and in which rooms. What a
//! session's messages are about is found out in [`super::steps`].
//! A socket is *joining* while it is being authorized (it may join rooms and gets no broadcast), *connected*, or *leaving*
//! (its rooms stay readable, joins and emits are no-ops) until it is removed.
//! Knows sessions by id; never a transport or a handler.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::adapter::{Adapter, SocketKey};
use super::assembler::Assembler;
use super::namespaces::{FamilyId, NamespaceId, Namespaces};
use super::parser::{CustomParser, Parser};
use crate::config;
use crate::engineio::{self, Session, SessionId};
use crate::sid::{Sid, SidIndex};
use crate::slots::{Side, Slots};

/// Why a socket has left its namespace. The words are those of the official server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Its session has ended.
    Session(engineio::Reason),
    /// The client left the namespace.
    ClientNamespaceDisconnect,
    /// We made it leave the namespace.
    ServerNamespaceDisconnect,
    /// It broke the protocol's order, or connected to no namespace in time.
    ForcedServerClose,
}

impl Reason {
    /// The reason in the words an application is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session(reason) => reason.as_str(),
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
            Self::ForcedServerClose => "forced server close",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a socket is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Being authorized.
    Joining,
    /// In the namespace.
    Connected,
    /// On its way out.
    Leaving,
}

/// One socket: who it is, where, and through which session. Seen from outside by its key only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SocketRow {
    pub(super) id: Sid,
    pub(super) session: SessionId,
    pub(super) namespace: NamespaceId,
    pub(super) phase: Phase,
    pub(super) is_in_adapter: bool,
}

/// One connection as Socket.IO sees it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Client {
    /// Nearly always one.
    pub(super) sockets: SmallVec<[SocketKey; 2]>,
    pub(super) assembler: Assembler,
}

/// Why there is no namespace for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none of that name.
    InvalidNamespace,
    /// It is in too many, or clients have called too many into being.
    TooManyNamespaces,
}

impl Refusal {
    /// In the words the client is told.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::InvalidNamespace => "Invalid namespace",
            Self::TooManyNamespaces => "Too many namespaces",
        }
    }
}

/// All sockets.
#[derive(Debug)]
pub struct Sockets {
    pub(super) config: config::SocketIo,
    pub(super) parser: Parser,
    pub(super) namespaces: Namespaces,
    pub(super) rows: Slots<SocketRow>,
    pub(super) ids: SidIndex,
    pub(super) clients: Side<Session, Client>,
    /// The id that a client of Socket.IO 2.x believes its sockets to have; those of today are told.
    pub(super) known_as: BTreeMap<SessionId, Sid>,
    /// Bytes held for packets whose attachments have not come.
    pub(super) held_bytes: usize,
    random: StdRng,
}

impl Sockets {
    /// No namespaces. Socket ids come from `seed`, which must be secret and fresh.
    #[must_use]
    pub fn new(config: config::SocketIo, seed: [u8; 32]) -> Self {
        Self {
            parser: config.parser.into(),
            config,
            namespaces: Namespaces::default(),
            rows: Slots::new(),
            ids: SidIndex::new(),
            clients: Side::new(),
            known_as: BTreeMap::new(),
            held_bytes: 0,
            random: StdRng::from_seed(seed),
        }
    }

    /// Nobody, in the namespaces that were described; socket ids come from another seed.
    #[must_use]
    pub fn described_alike(&self, seed: [u8; 32]) -> Self {
        Self {
            namespaces: self.namespaces.described_alike(),
            parser: self.parser.clone(),
            ..Self::new(self.config.clone(), seed)
        }
    }

    /// How packets are written and read.
    #[must_use]
    pub const fn parser(&self) -> &Parser {
        &self.parser
    }

    /// From now on packets are written and read by a parser of the application's own.
    pub fn set_parser(&mut self, parser: Rc<dyn CustomParser>) {
        self.parser = Parser::Custom(parser);
    }

    /// The namespaces.
    #[must_use]
    pub const fn namespaces(&self) -> &Namespaces {
        &self.namespaces
    }

    /// The namespaces, to describe more of them.
    pub const fn namespaces_mut(&mut self) -> &mut Namespaces {
        &mut self.namespaces
    }

    /// A namespace's name.
    #[must_use]
    pub fn name(&self, namespace: NamespaceId) -> &str {
        &self.namespaces.row(namespace).name
    }

    /// The family a namespace belongs to.
    #[must_use]
    pub fn family_of(&self, namespace: NamespaceId) -> FamilyId {
        self.namespaces.row(namespace).family
    }

    /// A namespace's rooms.
    #[must_use]
    pub fn adapter(&self, namespace: NamespaceId) -> &Adapter {
        &self.namespaces.row(namespace).adapter
    }

    /// A namespace's rooms.
    pub fn adapter_mut(&mut self, namespace: NamespaceId) -> &mut Adapter {
        self.namespaces.adapter_mut(namespace)
    }

    /// A number for the next acknowledgement; one count for the whole namespace, so that a broadcast can use one for all.
    pub fn next_ack(&mut self, namespace: NamespaceId) -> u64 {
        let next = &mut self.namespaces.row_mut(namespace).next_ack;
        let id = *next;
        *next += 1;
        id
    }

    /// A session has opened.
    pub fn opened(&mut self, session: SessionId) {
        self.clients.insert(session, Client::default());
    }

    /// The session's client makes up its sockets' ids from this one, as clients of Socket.IO 2.x do: it is the id of its
    /// socket in `/`. Elsewhere it thinks of itself as `<namespace>#<id>`, and is in a room of that name.
    pub fn known_as(&mut self, session: SessionId, id: Sid) {
        self.known_as.insert(session, id);
    }

    /// The sockets of a session, in the order they came.
    #[must_use]
    pub fn of_session(&self, session: SessionId) -> &[SocketKey] {
        self.clients
            .get(session)
            .map_or(&[], |client| &client.sockets)
    }

    /// The socket of that id, while it is there.
    #[must_use]
    pub fn find(&self, id: Sid) -> Option<SocketKey> {
        let slot = self.ids.find(id, id_at(&self.rows))?;
        self.rows.id_at(slot)
    }

    /// A socket's id.
    #[must_use]
    pub fn id(&self, key: SocketKey) -> Option<Sid> {
        self.rows.get(key).map(|row| row.id)
    }

    /// A socket's session.
    #[must_use]
    pub fn session(&self, key: SocketKey) -> Option<SessionId> {
        self.rows.get(key).map(|row| row.session)
    }

    /// The session of a socket that is in its namespace: where packets for it go.
    #[must_use]
    pub fn connected_session(&self, key: SocketKey) -> Option<SessionId> {
        let row = self.rows.get(key)?;
        (row.phase == Phase::Connected).then_some(row.session)
    }

    /// A socket's namespace.
    #[must_use]
    pub fn namespace_of(&self, key: SocketKey) -> Option<NamespaceId> {
        self.rows.get(key).map(|row| row.namespace)
    }

    /// Where a socket is in its life.
    #[must_use]
    pub fn phase(&self, key: SocketKey) -> Option<Phase> {
        self.rows.get(key).map(|row| row.phase)
    }

    /// Whether a socket is in its namespace.
    #[must_use]
    pub fn is_connected(&self, key: SocketKey) -> bool {
        self.phase(key) == Some(Phase::Connected)
    }

    /// How many sockets there are in all namespaces, joining and leaving ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no socket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All sockets of all namespaces, by their place.
    pub fn keys(&self) -> impl Iterator<Item = SocketKey> {
        self.rows.iter().map(|(key, _)| key)
    }

    /// How many rooms there are in all namespaces, the sockets' own included. Looks at each socket.
    #[must_use]
    pub fn room_count(&self) -> usize {
        let rows = self.namespaces.iter();
        rows.map(|(_, row)| row.adapter.room_names().count()).sum()
    }

    pub(super) fn has_room(&self, session: SessionId) -> bool {
        let client = self.clients.get(session);
        client.is_some_and(|client| client.sockets.len() < self.config.namespaces_max)
    }

    /// A session asks to be let into a namespace: makes a joining socket.
    ///
    /// # Errors
    /// If it is in too many.
    pub fn join(
        &mut self,
        session: SessionId,
        namespace: NamespaceId,
    ) -> Result<SocketKey, Refusal> {
        if !self.has_room(session) {
            return Err(Refusal::TooManyNamespaces);
        }
        let known_as = self.known_as.get(&session).copied();
        let is_main = &*self.namespaces.row(namespace).name == "/";
        let id = match known_as {
            Some(id) if is_main && self.find(id).is_none() => id,
            _ => Sid::new(&mut self.random),
        };
        let key = self.rows.insert(SocketRow {
            id,
            session,
            namespace,
            phase: Phase::Joining,
            is_in_adapter: false,
        });
        if let Some(client) = self.clients.get_mut(session) {
            client.sockets.push(key);
        }
        self.ids.insert(id, key.slot(), id_at(&self.rows));
        self.namespaces.came(namespace);
        Ok(key)
    }

    /// Makes a namespace that a client calls into being, if there is room for one more.
    ///
    /// # Errors
    /// If there are too many.
    pub fn make_child(&mut self, family: FamilyId, name: &str) -> Result<NamespaceId, Refusal> {
        if self.namespaces.children() >= self.config.children_max {
            return Err(Refusal::TooManyNamespaces);
        }
        Ok(self.namespaces.make_child(family, name))
    }

    /// Removes children of parent namespaces that nobody is in, unless they are to be kept.
    pub fn sweep(&mut self) {
        if !self.config.empty_children_kept {
            self.namespaces.sweep();
        }
    }

    /// A joining socket goes by another id from now on. The rooms it has joined so far are left.
    pub fn rename(&mut self, key: SocketKey, id: Sid) {
        self.leave_rooms(key);
        let Some(row) = self.rows.get_mut(key) else {
            return;
        };
        row.is_in_adapter = false;
        let former = row.id;
        self.ids.remove(former, id_at(&self.rows));
        if let Some(row) = self.rows.get_mut(key) {
            row.id = id;
        }
        self.ids.insert(id, key.slot(), id_at(&self.rows));
    }

    /// A joining socket was let in: it is in its own room from now on.
    pub fn let_in(&mut self, key: SocketKey) {
        if let Some(row) = self.rows.get_mut(key) {
            row.phase = Phase::Connected;
            self.enter(key);
            self.join_presumed_room(key);
        }
    }

    /// A client that makes up its ids is reached by the one that it gave itself.
    fn join_presumed_room(&mut self, key: SocketKey) {
        let Some(row) = self.rows.get(key) else {
            return;
        };
        let Some(id) = self.known_as.get(&row.session) else {
            return;
        };
        let name = &self.namespaces.row(row.namespace).name;
        if &**name != "/" {
            let room = format!("{name}#{id}");
            self.join_room(key, &room);
        }
    }

    /// A socket joins a room, also while it is being authorized.
    pub fn join_room(&mut self, key: SocketKey, room: &str) {
        if let Some(namespace) = self.namespace_of(key) {
            self.enter(key);
            self.namespaces.adapter_mut(namespace).join(key, room);
        }
    }

    /// The adapter knows a socket from its first room on, so that one who is refused leaves no trace there.
    fn enter(&mut self, key: SocketKey) {
        let Some(row) = self.rows.get_mut(key) else {
            return;
        };
        if !std::mem::replace(&mut row.is_in_adapter, true) {
            self.namespaces.adapter_mut(row.namespace).add(key, row.id);
        }
    }

    /// A socket is on its way out: it gets nothing any more. Says whether it was not before.
    pub fn leaving(&mut self, key: SocketKey) -> bool {
        let Some(row) = self.rows.get_mut(key) else {
            return false;
        };
        std::mem::replace(&mut row.phase, Phase::Leaving) != Phase::Leaving
    }

    /// A socket's rooms are left; the socket itself is there until [`Sockets::removed`].
    pub fn leave_rooms(&mut self, key: SocketKey) {
        if let Some(namespace) = self.namespace_of(key) {
            self.namespaces.adapter_mut(namespace).remove(key);
        }
    }

    /// A socket has gone.
    pub fn removed(&mut self, key: SocketKey) {
        self.leave_rooms(key);
        if let Some(id) = self.id(key) {
            self.ids.remove(id, id_at(&self.rows));
        }
        let Some(row) = self.rows.remove(key) else {
            return;
        };
        self.namespaces.went(row.namespace);
        if let Some(client) = self.clients.get_mut(row.session) {
            client.sockets.retain(|other| *other != key);
        }
    }

    /// A session has ended and its sockets are removed.
    pub fn closed(&mut self, session: SessionId) {
        self.known_as.remove(&session);
        if let Some(client) = self.clients.remove(session) {
            self.held_bytes -= client.assembler.held_bytes();
        }
    }
}

/// The id of the socket in a slot that [`Sockets`] has in its index.
pub(super) fn id_at(rows: &Slots<SocketRow>) -> impl Fn(u32) -> Sid {
    |slot| rows.row_at(slot).expect("the index has no empty slots").id
}

#[cfg(test)]
mod tests;
