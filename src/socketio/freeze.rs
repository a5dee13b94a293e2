//! All sockets as plain data, and back.
//!
//! Namespaces are frozen by name and found again by name: the new process may have described them in another order. A child
//! of a parent namespace is made again by its parent.
//! Indices over other things (ids, rooms) are made anew.
//! Left out: the source of chance, which is a fresh one, and the configuration, which is the new process's own.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::SocketKey;
use super::adapter;
use super::namespaces::{Namespace, NamespaceId, Namespaces};
use super::sockets::{Client, SocketRow, Sockets, id_at};
use crate::engineio::Session;
use crate::engineio::SessionId;
use crate::sid::{Sid, SidIndex};
use crate::slots::{Side, Slots};

/// All sockets, frozen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Frozen {
    namespaces: Vec<FrozenNamespace>,
    next_generation: u32,
    rows: Vec<(SocketKey, SocketRow)>,
    clients: Vec<(SessionId, Client)>,
    known_as: Vec<(SessionId, Sid)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FrozenNamespace {
    id: NamespaceId,
    name: Box<str>,
    /// What its family was described by.
    family: Box<str>,
    next_ack: u64,
    rooms: adapter::Frozen,
}

/// Why what was frozen cannot be thawed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThawError {
    /// It makes no sense.
    Damaged,
    /// There are sockets in a namespace that is not there.
    NoNamespace(Box<str>),
}

impl Sockets {
    /// What must not be lost of all sockets.
    #[must_use]
    pub fn freeze(&self) -> Frozen {
        let namespaces = self.namespaces.iter();
        let rows = self.rows.iter();
        let clients = self.clients.iter();
        Frozen {
            namespaces: namespaces
                .map(|(id, namespace)| FrozenNamespace {
                    id,
                    name: namespace.name.clone(),
                    family: self.namespaces.label(namespace.family).into(),
                    next_ack: namespace.next_ack,
                    rooms: namespace.adapter.freeze(),
                })
                .collect(),
            next_generation: self.rows.next_generation(),
            rows: rows.map(|(key, row)| (key, row.clone())).collect(),
            clients: clients.map(|(id, client)| (id, client.clone())).collect(),
            known_as: self.known_as.iter().map(|(id, sid)| (*id, *sid)).collect(),
        }
    }

    /// Takes what was frozen, in place of all sockets it has. Gives the namespaces' new ids by their old ones.
    ///
    /// # Errors
    /// If it makes no sense, or has sockets where there is no namespace. Nothing is changed then.
    pub fn thaw(&mut self, frozen: Frozen) -> Result<HashMap<NamespaceId, NamespaceId>, ThawError> {
        let mut rows = frozen.rows;
        let mut namespaces = self.namespaces.described_alike();
        let mut homes = HashMap::new();
        for frozen in &frozen.namespaces {
            let home = home(&mut namespaces, frozen);
            homes.insert(frozen.id, (home, &frozen.name));
        }
        for (_, row) in &mut rows {
            let (home, name) = homes.get(&row.namespace).ok_or(ThawError::Damaged)?;
            row.namespace = home.ok_or_else(|| ThawError::NoNamespace((*name).clone()))?;
            namespaces.came(row.namespace);
        }
        let met: HashSet<_> = rows.iter().map(|(_, row)| row.id).collect();
        let rows = Slots::thaw(rows, frozen.next_generation);
        let clients = clients(frozen.clients, &rows)?;
        if met.len() != rows.len() {
            return Err(ThawError::Damaged);
        }
        for frozen in &frozen.namespaces {
            if let Some((Some(id), _)) = homes.get(&frozen.id) {
                namespaces.stir(*id);
                thaw_namespace(namespaces.row_mut(*id), *id, frozen, &rows);
            }
        }
        self.namespaces = namespaces;
        self.rows = rows;
        self.ids = SidIndex::new();
        for (key, row) in self.rows.iter() {
            self.ids.insert(row.id, key.slot(), id_at(&self.rows));
        }
        self.held_bytes = clients
            .iter()
            .map(|(_, client)| client.assembler.held_bytes())
            .sum();
        let known_as = frozen.known_as.into_iter();
        self.known_as = known_as
            .filter(|(session, _)| clients.get(*session).is_some())
            .collect();
        self.clients = clients;
        let homes = homes.into_iter();
        Ok(homes
            .filter_map(|(old, (home, _))| Some((old, home?)))
            .collect())
    }
}

/// Where those of a frozen namespace go: the one of that name, or a child of the same parent made anew.
fn home(namespaces: &mut Namespaces, frozen: &FrozenNamespace) -> Option<NamespaceId> {
    if let Some(id) = namespaces.find_exactly(&frozen.name) {
        return Some(id);
    }
    let family = namespaces.find_family(&frozen.family)?;
    let is_parent = namespaces.parents().any(|parent| parent == family);
    is_parent.then(|| namespaces.make_child(family, &frozen.name))
}

fn thaw_namespace(
    namespace: &mut Namespace,
    id: NamespaceId,
    frozen: &FrozenNamespace,
    rows: &Slots<SocketRow>,
) {
    namespace.next_ack = frozen.next_ack;
    namespace.adapter.thaw(&frozen.rooms, |key| {
        let row = rows.get(key).filter(|row| row.namespace == id)?;
        row.is_in_adapter.then_some(row.id)
    });
}

/// Each client with its sockets, each of which must be there and its own.
fn clients(
    frozen: Vec<(SessionId, Client)>,
    rows: &Slots<SocketRow>,
) -> Result<Side<Session, Client>, ThawError> {
    let mut clients = Side::new();
    for (session, client) in frozen {
        let is_own = |key: &SocketKey| rows.get(*key).is_some_and(|row| row.session == session);
        if !client.sockets.iter().all(is_own) {
            return Err(ThawError::Damaged);
        }
        clients.insert(session, client);
    }
    Ok(clients)
}
