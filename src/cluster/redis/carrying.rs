//! The carrier as the server knows it: facts that come in, each with what follows from it.
//!
//! There may be two connections; each fact goes to the one that it is about.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Redis;
use crate::cluster::wire::Role;
use crate::reactor::{ConnId, Tag};
use crate::server::cluster::Wish;
use crate::server::{Carried, Carrier, CarrierStatus, Claim, Here, KeptSession};
use crate::socketio::namespaces::Presence;
use crate::time::{Now, Time};

/// Nobody is here, for facts that bring no messages.
struct Nobody;

impl Here for Nobody {
    fn has_room(&self, _namespace: &str, _room: &str) -> bool {
        false
    }
}

impl Carrier for Redis {
    fn seeded(&mut self, seed: [u8; 32]) {
        let mut random = StdRng::from_seed(seed);
        self.wire.seeded(&mut random);
        self.link.seeded(random.random());
        if let Some(streaming) = &mut self.streaming {
            let seed = random.random();
            streaming.tail.link.seeded(seed);
        }
    }

    fn namespace(&mut self, now: Now, name: &str, presence: Presence) {
        match presence {
            Presence::Came if self.namespaces.iter().any(|own| **own == *name) => {}
            Presence::Came => {
                self.namespaces.push(name.into());
                self.hear(now, name, self.wire.channels(name));
            }
            Presence::Went => {
                self.namespaces.retain(|own| **own != *name);
                let own = self.channels.iter();
                let own = own.filter(|(_, (_, namespace))| **namespace == *name);
                let mut own: Vec<_> = own.map(|(channel, _)| channel.clone()).collect();
                own.sort_unstable();
                for channel in own {
                    self.unsubscribe(now, &channel);
                    self.channels.remove(&channel);
                }
            }
        }
    }

    fn has_rooms(&self) -> bool {
        self.wire.has_rooms()
    }

    fn room(&mut self, now: Now, namespace: &str, room: &str, presence: Presence) {
        let Some(channel) = self.wire.room(namespace, room) else {
            return;
        };
        let known = self.channels.get(&channel);
        match (presence, known) {
            (Presence::Came, None) => self.hear(now, namespace, vec![(channel, Role::Room)]),
            // What is called alike is left to whom it is more important to.
            (Presence::Went, Some((Role::Room, own))) if **own == *namespace => {
                self.unsubscribe(now, &channel);
                self.channels.remove(&channel);
            }
            (Presence::Came, Some(_)) | (Presence::Went, _) => {}
        }
    }

    fn said(&mut self, now: Now, wish: Wish) {
        let question = match &wish {
            Wish::Emit {
                request: Some((request, _)),
                ..
            }
            | Wish::Fetch { request, .. }
            | Wish::ServerSide {
                request: Some(request),
                ..
            } => Some(*request),
            _ => None,
        };
        match self.wire.said(&wish) {
            Some(publication) => self.publish(now, publication, Some(wish)),
            None => {
                if let Some(request) = question {
                    self.wanted.push_back(Carried::NotAsked(request, 0));
                }
            }
        }
    }

    fn recovers(&mut self, within: Duration) -> bool {
        if let Some(streaming) = &mut self.streaming {
            streaming.keeps = Some(within);
        }
        self.streaming.is_some()
    }

    fn went_away(&mut self, now: Now, session: KeptSession) {
        self.keep_session(now, &session);
    }

    fn claimed(&mut self, now: Now, claim: Claim) {
        self.begin_claim(now, claim);
    }

    fn resolved(&mut self, now: Now, addresses: io::Result<Vec<SocketAddr>>) {
        if let Some(streaming) = &mut self.streaming {
            let same = match &addresses {
                Ok(addresses) => Ok(addresses.clone()),
                Err(error) => Err(error.kind().into()),
            };
            streaming.tail.link.resolved(now.mono, same);
        }
        self.link.resolved(now.mono, addresses);
        self.follow(now, &Nobody);
    }

    fn connected(&mut self, now: Now, tag: Tag, result: io::Result<ConnId>) {
        match &mut self.streaming {
            Some(streaming) if streaming.tail.link.asked_for(tag) => {
                streaming.tail.link.connected(now.mono, tag, result);
            }
            _ => self.link.connected(now.mono, tag, result),
        }
        self.follow(now, &Nobody);
    }

    fn received(&mut self, now: Now, conn: ConnId, input: &[u8], here: &dyn Here) -> usize {
        match &mut self.streaming {
            Some(streaming) if streaming.tail.link.owns(conn) => {
                streaming.tail.link.received(now.mono, conn, input);
            }
            _ => self.link.received(now.mono, conn, input),
        }
        self.follow(now, here);
        input.len()
    }

    fn closed(&mut self, now: Now, conn: ConnId, why: io::Result<()>) {
        if let Some(streaming) = &mut self.streaming {
            streaming.tail.link.closed(now.mono, conn, &why);
        }
        self.link.closed(now.mono, conn, &why);
        self.follow(now, &Nobody);
    }

    fn elapsed(&mut self, now: Now) {
        if let Some(streaming) = &mut self.streaming {
            streaming.tail.link.elapsed(now.mono);
        }
        self.link.elapsed(now.mono);
        self.follow(now, &Nobody);
        if self.count_at.is_some_and(|at| at <= now.mono) {
            self.count_nodes(now);
        }
    }

    fn stopped(&mut self, now: Now) {
        if let Some(streaming) = &mut self.streaming {
            streaming.tail.link.stop();
        }
        self.link.stop();
        self.follow(now, &Nobody);
        self.count_at = None;
    }

    fn deadline(&self) -> Option<Time> {
        let own = self.count_at.filter(|_| self.link.is_up());
        let streaming = self.streaming.as_ref();
        let tail = streaming.and_then(|it| it.tail.link.deadline());
        [self.link.deadline(), tail, own]
            .into_iter()
            .flatten()
            .min()
    }

    fn poll(&mut self) -> Option<Carried> {
        let wanted = self.link.poll_wanted().or_else(|| {
            let streaming = self.streaming.as_mut()?;
            streaming.tail.link.poll_wanted()
        });
        wanted.or_else(|| self.wanted.pop_front())
    }

    fn status(&self) -> CarrierStatus {
        CarrierStatus {
            joined: self.link.joined(),
            waiting_bytes: self.link.pending_bytes(),
            ..self.status
        }
    }
}
