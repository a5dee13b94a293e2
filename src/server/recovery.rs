//! Recovery of a connection's state: who comes back in time is who he was, and hears what he missed.
//!
//! A socket that was cut off leaves its id, its rooms and its data here, and everything said in its namespace goes on being
//! written to a log. The client comes back with its secret `pid` and the offset of the last packet it has heard; if both are
//! still known, it is let in under its old id, its rooms and data are put back, and it is sent what it missed before
//! its CONNECT is answered. A client that is back before we know that it was gone takes its own place.
//! Authorization runs all the same, unless it is configured not to: what was revoked meanwhile stays revoked.
//! All of it is frozen with the server. Where a carrier keeps sessions and what was said, this is done by [`super::keeping`].
//! Left out: recovery after a crash, for which it would have to be on disk.
//!
//! Source: the Socket.IO documentation, "Connection state recovery", and what socket.io 4.8 does.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::away_rooms::AwayRooms;
use super::core::{Core, Due};
use super::keeping::Elsewhere;
use super::outgoing::Audience;
use super::written::Packets;
use super::{App, Server};
use crate::config;
use crate::engineio;
use crate::engineio::packet::Packet;
use crate::sid::Sid;
use crate::slots::Side;
use crate::socketio::replay::{ReplayLog, Whom};
use crate::socketio::{NamespaceId, Reason, SocketId, SocketKey, SocketRow};
use crate::time::{Rebase, Time};
use crate::timers::TimerId;

/// Whether a socket is one that came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recovered {
    /// It did not ask to be.
    #[default]
    Fresh,
    /// It has its id, its rooms and its data again, and was sent what it missed.
    Yes,
    /// It asked, and starts anew.
    No(NotRecovered),
}

/// Why a socket that came back starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRecovered {
    /// Nobody of that name went away here lately: it was too long ago, or it was another server, or it left of its own will
    /// or ours.
    Unknown,
    /// What it has missed is not all here any more, or it names an offset that we never gave.
    Missed,
}

/// A socket that was cut off.
struct Away<D> {
    id: SocketId,
    namespace: NamespaceId,
    rooms: Box<[Box<str>]>,
    data: D,
    timer: TimerId,
}

/// Everything about it, while it is configured.
pub(super) struct Recovery<A: App> {
    config: config::Recovery,
    log: ReplayLog<Vec<Packet>>,
    away: HashMap<Sid, Away<A::Data>>,
    /// The rooms that they may come back to.
    away_rooms: AwayRooms,
    /// By the ids that others know them by.
    away_ids: HashMap<SocketId, Sid>,
    /// The names by which those who are here may come back.
    pids: Side<SocketRow, Sid>,
    here: HashMap<Sid, SocketKey>,
    /// Where the carrier sees to it.
    pub(super) elsewhere: Elsewhere,
    /// What became of those who asked; of those who came back, the number of the last packet they have heard.
    outcomes: Side<SocketRow, Outcome>,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Yes { after: u64 },
    No(NotRecovered),
}

/// What a client brings to be recovered.
#[derive(Deserialize)]
struct Claim {
    pid: Option<Value>,
    offset: Option<Value>,
}

impl<A: App> Recovery<A> {
    pub(super) fn new(config: config::Recovery, epoch: u32) -> Self {
        Self {
            config,
            log: ReplayLog::new(epoch),
            away: HashMap::new(),
            away_rooms: AwayRooms::default(),
            away_ids: HashMap::new(),
            pids: Side::new(),
            here: HashMap::new(),
            outcomes: Side::new(),
            elsewhere: Elsewhere::default(),
        }
    }

    pub(super) const fn within(&self) -> Duration {
        self.config.within
    }

    pub(super) const fn away_rooms(&self) -> &AwayRooms {
        &self.away_rooms
    }

    #[cfg(feature = "world")]
    pub(super) fn len(&self) -> usize {
        self.away.len() + self.here.len()
    }

    fn forget_socket(&mut self, key: SocketKey) -> Option<Sid> {
        self.outcomes.remove(key);
        self.elsewhere.missed.remove(&key);
        let pid = self.pids.remove(key)?;
        self.here.remove(&pid);
        Some(pid)
    }
}

impl<A: App> Server<A> {
    /// Gives a joining socket back what it had, if it claims something and may; its data goes out.
    pub(super) fn recover(&mut self, key: SocketKey, auth: &str) -> Option<A::Data> {
        let recovery = self.core.recovery.as_ref()?;
        if recovery.elsewhere.is_on {
            return None;
        }
        let (pid, offset) = claimed(auth)?;
        if let Some(zombie) = pid.and_then(|pid| self.core.zombie(pid, key)) {
            self.core.end_session_of(zombie);
            self.settle();
        }
        let recovered = self.core.restore_away(key, pid, &offset);
        match recovered {
            Ok(data) => Some(data),
            Err(why) => {
                self.core.not_recovered(key, why);
                None
            }
        }
    }

    /// Whether a socket that is one again need not be authorized again.
    pub(super) fn is_authorized(&self, key: SocketKey) -> bool {
        let recovery = self.core.recovery.as_ref();
        recovery.is_some_and(|recovery| !recovery.config.authorize_again)
            && self.core.recovered(key) == Recovered::Yes
    }
}

/// The name that a client says it has, which may be none of ours, and the offset.
pub(super) fn claimed(auth: &str) -> Option<(Option<Sid>, String)> {
    let claim: Claim = serde_json::from_str(auth).ok()?;
    match (claim.pid, claim.offset) {
        (Some(Value::String(pid)), Some(Value::String(offset))) => Some((Sid::parse(&pid), offset)),
        _ => None,
    }
}

impl<A: App> Core<A> {
    pub(super) fn not_recovered(&mut self, key: SocketKey, why: NotRecovered) {
        log::debug!("a socket that came back starts anew: {why:?}");
        if let Some(recovery) = &mut self.recovery {
            recovery.outcomes.insert(key, Outcome::No(why));
        }
    }

    /// A joining socket has what it had elsewhere; what it has missed until now is there, and the rest is in the log from here on.
    pub(super) fn recovered_elsewhere(&mut self, key: SocketKey, pid: Sid, missed: Vec<Packet>) {
        if let Some(recovery) = &mut self.recovery {
            let after = recovery.log.last();
            recovery.elsewhere.missed.insert(key, missed);
            recovery.outcomes.insert(key, Outcome::Yes { after });
            recovery.pids.insert(key, pid);
            recovery.here.insert(pid, key);
        }
    }

    /// What became of a socket's wish to be recovered.
    pub(super) fn recovered(&self, key: SocketKey) -> Recovered {
        let outcome = self
            .recovery
            .as_ref()
            .and_then(|it| it.outcomes.get(key))
            .copied();
        match outcome {
            None => Recovered::Fresh,
            Some(Outcome::Yes { .. }) => Recovered::Yes,
            Some(Outcome::No(why)) => Recovered::No(why),
        }
    }

    /// A connected socket of that name: its connection is dead, and only its client knows that so far.
    pub(super) fn zombie(&self, pid: Sid, key: SocketKey) -> Option<SocketKey> {
        let zombie = *self.recovery.as_ref()?.here.get(&pid)?;
        let is_alike = self.sockets.namespace_of(zombie) == self.sockets.namespace_of(key);
        let is_other = self.sockets.session(zombie) != self.sockets.session(key);
        (is_alike && is_other).then_some(zombie)
    }

    pub(super) fn end_session_of(&mut self, key: SocketKey) {
        if let Some(session) = self.sockets.session(key) {
            let reason = engineio::Reason::TransportClose;
            self.engine.close(self.now.mono, session, reason);
        }
    }

    fn restore_away(
        &mut self,
        key: SocketKey,
        pid: Option<Sid>,
        offset: &str,
    ) -> Result<A::Data, NotRecovered> {
        let namespace = self.sockets.namespace_of(key);
        let recovery = self.recovery.as_mut().ok_or(NotRecovered::Unknown)?;
        let pid = pid.ok_or(NotRecovered::Unknown)?;
        let away = recovery.away.get(&pid);
        let away = away.filter(|away| Some(away.namespace) == namespace);
        if away.is_none() {
            return Err(NotRecovered::Unknown);
        }
        recovery.log.expire(self.now.mono, recovery.config.within);
        let after = recovery.log.find(offset).ok_or(NotRecovered::Missed)?;
        let away = self.take_away(pid).ok_or(NotRecovered::Unknown)?;
        self.sockets.rename(key, away.id);
        for room in &away.rooms {
            self.sockets.join_room(key, room);
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.outcomes.insert(key, Outcome::Yes { after });
            recovery.pids.insert(key, pid);
            recovery.here.insert(pid, key);
        }
        Ok(away.data)
    }

    /// Whoever was away under this name is not any more.
    pub(super) fn take_away(&mut self, pid: Sid) -> Option<Back<A::Data>> {
        let recovery = self.recovery.as_mut()?;
        let away = recovery.away.remove(&pid)?;
        recovery.away_ids.remove(&away.id);
        recovery.away_rooms.remove(away.namespace, &away.rooms);
        self.timers.cancel(away.timer);
        let namespaces = self.sockets.namespaces_mut();
        for room in &away.rooms {
            namespaces.note_room(away.namespace, room);
        }
        namespaces.went(away.namespace);
        Some(Back {
            id: away.id,
            rooms: away.rooms,
            data: away.data,
        })
    }

    /// What a socket that is let in has missed, and the name by which it may come back.
    pub(super) fn welcome_back(&mut self, key: SocketKey) -> (Vec<Packet>, Option<Sid>) {
        let Some(recovery) = &mut self.recovery else {
            return (Vec::new(), None);
        };
        let Some(Outcome::Yes { after }) = recovery.outcomes.get(key).copied() else {
            let pid = Sid::new(&mut self.random);
            recovery.pids.insert(key, pid);
            recovery.here.insert(pid, key);
            return (Vec::new(), Some(pid));
        };
        let pid = recovery.pids.get(key).copied();
        let mut packets = recovery.elsewhere.missed.remove(&key).unwrap_or_default();
        let Some(namespace) = self.sockets.namespace_of(key) else {
            return (Vec::new(), pid);
        };
        if recovery.log.reaches_back_to(after) {
            let adapter = self.sockets.adapter(namespace);
            let rooms: Vec<Box<str>> = adapter.rooms(key).map(Into::into).collect();
            let missed = recovery.log.missed(after, namespace, &rooms);
            packets.extend(missed.flatten().cloned());
            return (packets, pid);
        }
        // Its authorization took so long that the log has moved on: it is a stranger, with the rooms it was given since.
        let why = NotRecovered::Missed;
        recovery.outcomes.insert(key, Outcome::No(why));
        self.sockets.rename(key, Sid::new(&mut self.random));
        (Vec::new(), pid)
    }

    /// The rooms that a socket is to find again, if it may come back.
    pub(super) fn rooms_to_find_again(
        &self,
        key: SocketKey,
        reason: Reason,
    ) -> Option<Box<[Box<str>]>> {
        let recovery = self.recovery.as_ref()?;
        let is_cut_off = match reason {
            Reason::Session(engineio::Reason::ParseError)
            | Reason::ClientNamespaceDisconnect
            | Reason::ServerNamespaceDisconnect => false,
            Reason::Session(_) | Reason::ForcedServerClose => true,
        };
        let has_room = recovery.away.len() < recovery.config.away_max;
        let namespace = self.sockets.namespace_of(key)?;
        let rooms = || self.sockets.adapter(namespace).rooms(key);
        (is_cut_off && has_room).then(|| rooms().map(Into::into).collect())
    }

    /// A socket is gone; with rooms to find again, it may come back.
    pub(super) fn went_away(&mut self, key: SocketKey, rooms: Option<Box<[Box<str>]>>) {
        let data = self.data.remove(key);
        let pid = self.recovery.as_mut().and_then(|it| it.forget_socket(key));
        let (Some(pid), Some(rooms), Some(data)) = (pid, rooms, data) else {
            return;
        };
        let (Some(id), Some(namespace)) = (self.sockets.id(key), self.sockets.namespace_of(key))
        else {
            return;
        };
        let Some(within) = self.recovery.as_ref().map(|it| it.config.within) else {
            return;
        };
        if self.is_kept_elsewhere() {
            return self.keep_elsewhere_with(namespace, id, pid, &rooms, &data);
        }
        let timer = self.arm(self.now.mono + within, Due::Away(pid));
        let away = Away {
            id,
            namespace,
            rooms,
            data,
            timer,
        };
        self.keep_away(pid, away);
    }

    /// The offset that the next event is to carry.
    pub(super) fn next_offset(&self) -> Option<String> {
        let recovery = self.recovery.as_ref()?;
        match recovery.elsewhere.is_on {
            true => recovery.elsewhere.given.as_deref().map(str::to_owned),
            false => Some(recovery.log.next_offset()),
        }
    }

    /// Keeps what was said to an audience.
    pub(super) fn keep(&mut self, audience: &Audience<'_>, packets: &Packets) {
        let Some(namespace) = audience.namespace.filter(|_| self.recovery.is_some()) else {
            return;
        };
        let sender = audience.sender.and_then(|key| self.sockets.id(key));
        let names =
            |rooms: &[&str]| -> Vec<Box<str>> { rooms.iter().map(|&room| room.into()).collect() };
        let mut except = names(&audience.except);
        except.extend(sender.map(|id| id.as_str().into()));
        let whom = Whom {
            to: names(&audience.to).into(),
            except: except.into(),
        };
        self.log(namespace, whom, packets);
    }

    /// Keeps what was said to one socket.
    pub(super) fn keep_for(&mut self, namespace: NamespaceId, id: SocketId, packets: &Packets) {
        let whom = Whom {
            to: [id.as_str().into()].into(),
            except: [].into(),
        };
        self.log(namespace, whom, packets);
    }

    fn log(&mut self, namespace: NamespaceId, whom: Whom, packets: &Packets) {
        let Some(recovery) = &mut self.recovery else {
            return;
        };
        if recovery.elsewhere.is_on && recovery.elsewhere.missed.is_empty() {
            // Nobody is coming in who would have to hear of it.
            return recovery.log.clear();
        }
        let bytes = packets.iter().map(Packet::len).sum();
        let kept = (packets.iter().cloned().collect(), bytes);
        recovery.log.expire(self.now.mono, recovery.config.within);
        let bytes_max = recovery.config.log_bytes_max;
        recovery
            .log
            .push(self.now.mono, namespace, whom, kept, bytes_max);
    }

    /// The namespace of a socket that is away, and may come back.
    pub(super) fn namespace_of_away(&self, id: SocketId) -> Option<NamespaceId> {
        let recovery = self.recovery.as_ref()?;
        let pid = recovery.away_ids.get(&id)?;
        Some(recovery.away.get(pid)?.namespace)
    }
}

/// What a socket finds again.
pub(super) struct Back<D> {
    id: SocketId,
    rooms: Box<[Box<str>]>,
    data: D,
}

/// Everything about it, as plain data; the data of sockets as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Frozen {
    log: ReplayLog<Vec<Packet>>,
    away: Vec<(Sid, FrozenAway)>,
    here: Vec<(SocketKey, Sid)>,
}

#[derive(Serialize, Deserialize)]
struct FrozenAway {
    id: SocketId,
    namespace: NamespaceId,
    rooms: Box<[Box<str>]>,
    data: Box<str>,
    until: Time,
}

impl<A: App> Core<A> {
    pub(super) fn freeze_recovery(&self) -> Result<Option<Frozen>, serde_json::Error> {
        let Some(recovery) = &self.recovery else {
            return Ok(None);
        };
        let mut away = Vec::new();
        for (pid, one) in &recovery.away {
            away.push((
                *pid,
                FrozenAway {
                    id: one.id,
                    namespace: one.namespace,
                    rooms: one.rooms.clone(),
                    data: serde_json::to_string(&one.data)?.into(),
                    until: self.timers.deadline(one.timer).unwrap_or(self.now.mono),
                },
            ));
        }
        // By name, so that the same run gives the same bytes.
        away.sort_unstable_by_key(|(pid, _)| *pid);
        Ok(Some(Frozen {
            log: recovery.log.clone(),
            away,
            here: recovery.pids.iter().map(|(key, pid)| (key, *pid)).collect(),
        }))
    }

    /// Takes what was frozen, if recovery is configured here, too: otherwise nobody comes back.
    pub(super) fn thaw_recovery(
        &mut self,
        frozen: Frozen,
        rebase: Rebase,
        homes: &HashMap<NamespaceId, NamespaceId>,
    ) -> Result<(), serde_json::Error> {
        if self.recovery.is_none() {
            return Ok(());
        }
        for (pid, one) in frozen.away {
            let Some(&namespace) = homes.get(&one.namespace) else {
                continue;
            };
            let away = Away {
                id: one.id,
                namespace,
                rooms: one.rooms,
                data: serde_json::from_str(&one.data)?,
                timer: self.arm(rebase.of(one.until), Due::Away(pid)),
            };
            self.keep_away(pid, away);
        }
        let is_here = |(key, _): &(SocketKey, Sid)| self.sockets.phase(*key).is_some();
        let here: Vec<_> = frozen.here.into_iter().filter(is_here).collect();
        if let Some(recovery) = &mut self.recovery {
            recovery.log = frozen.log;
            recovery.log.rebase(rebase, |old| homes.get(&old).copied());
            for (key, pid) in here {
                recovery.pids.insert(key, pid);
                recovery.here.insert(pid, key);
            }
        }
        Ok(())
    }

    fn keep_away(&mut self, pid: Sid, away: Away<A::Data>) {
        // Its namespace is there as long as it may come back.
        let namespaces = self.sockets.namespaces_mut();
        namespaces.came(away.namespace);
        for room in &away.rooms {
            namespaces.note_room(away.namespace, room);
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.away_ids.insert(away.id, pid);
            recovery.away_rooms.add(away.namespace, &away.rooms);
            recovery.away.insert(pid, away);
        }
    }
}
