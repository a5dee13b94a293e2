//! What other nodes wish of this one, and how it is done.
//!
//! Wishes come in as they were heard, and are done as if somebody here had wished it, with this node's own sockets alone.
//! Nodes trust each other; only what would be no JSON to a client is not passed on.
//! Knows no carrier, and not who wishes.

use super::cluster::{Reply, Whom, Wish};
use super::core::Core;
use super::dispatch::caught;
use super::gathering::Asker;
use super::outgoing::{Audience, Flags};
use super::server_side::NodeAck;
use super::views::Context;
use super::{App, Server};
use crate::socketio::SocketKey;

impl<A: App> Server<A> {
    /// Does what another node wishes.
    pub(super) fn heard(&mut self, wish: Wish) {
        match wish {
            Wish::ServerSide {
                namespace,
                event,
                values,
                request,
            } => {
                let namespaces = self.core.sockets.namespaces();
                let family = namespaces
                    .find(&namespace)
                    .map(|id| self.core.sockets.family_of(id));
                let table = family.and_then(|family| self.handlers.table(family));
                let handler = table.and_then(|table| table.server_side.get(&*event));
                if let Some(handler) = handler {
                    let context = &mut Context::new(&mut self.app, &mut self.core);
                    let call = || handler(context, values.args(), NodeAck::new(request));
                    if caught("a handler of another node's event", call).is_none() {
                        self.core.counters.panics += 1;
                    }
                }
            }
            wish => self.core.obey(wish),
        }
    }
}

impl<A: App> Core<A> {
    /// Does what another node wishes of our sockets.
    fn obey(&mut self, wish: Wish) {
        match wish {
            Wish::Emit {
                to,
                event,
                values,
                is_volatile,
                stays_plain,
                request,
            } => {
                if !values.are_json() {
                    return log::warn!("another node's event has arguments that are no JSON");
                }
                let audience = self.audience(&to);
                let flags = Flags {
                    is_volatile,
                    stays_plain,
                    is_local: true,
                };
                let done = match request {
                    None => self.broadcast(&audience, flags, &event, &values.args()),
                    Some((request, within)) => {
                        let asker = Asker::Nodes(request);
                        self.ask_all(&audience, flags, &event, &values.args(), within, asker)
                    }
                };
                if let Err(error) = done {
                    log::warn!("another node's event: {error}");
                }
            }
            Wish::Join { to, rooms } => self.for_all(&to, |core, key| core.join_each(key, &rooms)),
            Wish::Leave { to, rooms } if rooms.is_empty() => {
                self.for_all(&to, Self::leave_all_rooms);
            }
            Wish::Leave { to, rooms } => {
                self.for_all(&to, |core, key| core.leave_each(key, &rooms))
            }
            Wish::Disconnect { to, closes: false } => self.for_all(&to, Self::disconnect),
            Wish::Disconnect { to, closes: true } => self.for_all(&to, Self::disconnect_connection),
            Wish::Fetch { to, request } => {
                let mut sockets = Vec::new();
                self.for_all(&to, |core, key| sockets.extend(core.as_plain_data(key)));
                self.reply(request, Reply::Sockets(sockets));
            }
            Wish::Rooms { namespace, request } => {
                let id = self.sockets.namespaces().find(&namespace);
                let rooms = id.map_or_else(Vec::new, |id| {
                    let names = self.sockets.adapter(id).room_names();
                    names.map(Into::into).collect()
                });
                self.reply(request, Reply::Rooms(rooms));
            }
            Wish::Reply {
                request,
                from,
                reply,
            } => self.replied(request, from, reply),
            Wish::ServerSide { .. } => {}
        }
    }

    fn audience<'w>(&self, to: &'w Whom) -> Audience<'w> {
        Audience {
            namespace: self.sockets.namespaces().find(&to.namespace),
            to: to.rooms.iter().map(|room| &**room).collect(),
            except: to.except.iter().map(|room| &**room).collect(),
            sender: None,
        }
    }

    fn for_all(&mut self, to: &Whom, act: impl FnMut(&mut Self, SocketKey)) {
        let audience = self.audience(to);
        self.for_each_of(&audience, act);
    }
}
