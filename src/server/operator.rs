//! Broadcasts: whom they are for, said step by step, and what is done to all of them.
//!
//! `io.of("/chat").to("a").to("b").except("c").emit("news", &1)` reaches the union of rooms a and b without those in c, each
//! socket once. An operator that names no room is for the whole namespace.
//! Other nodes are told of it by [`super::nodes`]; [`Operator::ids`] and [`Operator::count`] know this one only.

use std::time::Duration;

use serde::Serialize;

use super::App;
use super::cluster::{Whom, Wish};
use super::core::Core;
use super::gathering::Gathered;
use super::outgoing::{Audience, Flags, Rooms};
use super::views::{Context, EmitError};
use crate::socketio::{FamilyId, NamespaceId, SocketId, SocketKey};

/// Whom a broadcast is for: those in one namespace, or ([`Children`]) in all of one parent.
pub struct Operator<'a, A: App, S = OneNamespace> {
    pub(super) core: &'a mut Core<A>,
    pub(super) audience: Audience<'a>,
    pub(super) flags: Flags,
    scope: S,
}

/// The scope of an [`Operator`]: one namespace.
#[derive(Clone, Copy, Debug)]
pub struct OneNamespace;

/// The scope of [`Children`]: every namespace of one parent that there is when something is sent.
#[derive(Clone, Copy, Debug)]
pub struct AllChildren(Option<FamilyId>);

/// A broadcast to all children of a parent namespace. The rooms that are named are those of that name in each of them.
pub type Children<'a, A> = Operator<'a, A, AllChildren>;

/// Narrowing down, which is the same for either scope.
impl<'a, A: App, S> Operator<'a, A, S> {
    fn of(
        core: &'a mut Core<A>,
        namespace: Option<NamespaceId>,
        sender: Option<SocketKey>,
        scope: S,
    ) -> Self {
        let audience = Audience {
            namespace,
            to: Rooms::new(),
            except: Rooms::new(),
            sender,
        };
        Self {
            core,
            audience,
            flags: Flags::default(),
            scope,
        }
    }

    /// To the members of a room, too: a union of all that are named.
    #[must_use]
    pub fn to(mut self, room: &'a str) -> Self {
        self.audience.to.push(room);
        self
    }

    /// Not to the members of a room.
    #[must_use]
    pub fn except(mut self, room: &'a str) -> Self {
        self.audience.except.push(room);
        self
    }

    /// May be lost: goes only to those who could take it just now.
    #[must_use]
    pub const fn volatile(mut self) -> Self {
        self.flags.is_volatile = true;
        self
    }

    /// Whether it may be compressed where that was agreed on (`true` unless this says otherwise): `false` is for what is
    /// compressed already.
    #[must_use]
    pub const fn compress(mut self, may_be: bool) -> Self {
        self.flags.stays_plain = !may_be;
        self
    }

    /// For the sockets of this node alone: other nodes hear nothing of it ([`super::cluster`]).
    #[must_use]
    pub const fn local(mut self) -> Self {
        self.flags.is_local = true;
        self
    }
}

impl<'a, A: App> Operator<'a, A> {
    pub(super) fn new(
        core: &'a mut Core<A>,
        namespace: Option<NamespaceId>,
        sender: Option<SocketKey>,
    ) -> Self {
        Self::of(core, namespace, sender, OneNamespace)
    }

    /// Sends an event to all of them. A tuple is a list of arguments, anything else one argument; what cannot be
    /// sent leaves a line in the log.
    pub fn emit<T: Serialize + ?Sized>(self, event: &str, values: &T) {
        if let Err(error) = self.try_emit(event, values) {
            log::error!("{error}");
        }
    }

    /// Sends an event to all of them.
    ///
    /// # Errors
    /// If the name is reserved or the arguments are no JSON.
    pub fn try_emit<T: Serialize + ?Sized>(self, event: &str, values: &T) -> Result<(), EmitError> {
        self.core
            .broadcast_everywhere(&self.audience, self.flags, event, values)
    }

    /// Sends an event to all of them and calls `then` once with what they answered, after `within` at the latest (and
    /// [`nodes_reply_within`](crate::config::SocketIo::nodes_reply_within) for the replies of other nodes, where there are
    /// some). It always goes to everybody: what may be lost cannot be waited for.
    ///
    /// ```no_run
    /// # use roomcast::{Config, Server};
    /// # use std::time::Duration;
    /// # let mut server = Server::new(Config::default(), ());
    /// server.of("/").on("roll call", |socket, (room,): (String,), ack| {
    ///     let within = Duration::from_secs(5);
    ///     socket.to(&room).emit_with_acks("are you there?", &(), within, |context, gathered| {
    ///         let names = gathered.answers.iter().filter_map(|answer| answer.parse::<(String,)>().ok());
    ///         let names: Vec<_> = names.map(|(name,)| name).collect();
    ///         ack.send(&mut context.io, &(names, gathered.is_complete()));
    ///     });
    /// });
    /// ```
    pub fn emit_with_acks<T: Serialize + ?Sized>(
        self,
        event: &str,
        values: &T,
        within: Duration,
        then: impl FnOnce(&mut Context<'_, A>, Gathered) + 'static,
    ) {
        let then = Box::new(then);
        let flags = Flags {
            is_volatile: false,
            ..self.flags
        };
        let asked = self
            .core
            .ask_everywhere(&self.audience, flags, event, values, within, then);
        if let Err(error) = asked {
            log::error!("{error}");
        }
    }

    /// All of them enter a room.
    pub fn join(self, room: &str) {
        self.join_each(&[room]);
    }

    /// All of them leave a room.
    pub fn leave(self, room: &str) {
        self.leave_each(&[room]);
    }

    /// All of them leave the namespace.
    pub fn disconnect(mut self) {
        self.wish(|to| Wish::Disconnect { to, closes: false });
        self.for_each(Core::disconnect);
    }

    /// The connections of all of them are closed.
    pub fn disconnect_connections(mut self) {
        self.wish(|to| Wish::Disconnect { to, closes: true });
        self.for_each(Core::disconnect_connection);
    }

    /// Who they are.
    #[must_use]
    pub fn ids(self) -> Vec<SocketId> {
        let mut ids = Vec::new();
        self.for_each(|core, key| ids.extend(core.sockets.id(key)));
        ids
    }

    /// How many they are.
    #[must_use]
    pub fn count(self) -> usize {
        let mut count = 0;
        self.for_each(|_, _| count += 1);
        count
    }

    pub(super) fn for_each(self, act: impl FnMut(&mut Core<A>, SocketKey)) {
        self.core.for_each_of(&self.audience, act);
    }

    /// Other nodes are to do the same.
    pub(super) fn wish(&mut self, wish: impl FnOnce(Whom) -> Wish) {
        if self.core.is_said_to_others(self.flags)
            && let Some(to) = self.core.whom(&self.audience)
        {
            self.core.utter(wish(to));
        }
    }
}

impl<'a, A: App> Children<'a, A> {
    pub(super) fn of_parent(core: &'a mut Core<A>, family: Option<FamilyId>) -> Self {
        Self::of(core, None, None, AllChildren(family))
    }

    /// Sends an event to all of them. A tuple is a list of arguments, anything else one argument; what cannot be sent
    /// leaves a line in the log.
    pub fn emit<T: Serialize + ?Sized>(mut self, event: &str, values: &T) {
        for namespace in self.namespaces() {
            self.audience.namespace = Some(namespace);
            let sent = self
                .core
                .broadcast_everywhere(&self.audience, self.flags, event, values);
            if let Err(error) = sent {
                return log::error!("{error}");
            }
        }
    }

    /// The names of the children there are just now.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let name = |namespace: &NamespaceId| self.core.sockets.name(*namespace).to_owned();
        self.namespaces().iter().map(name).collect()
    }

    fn namespaces(&self) -> Vec<NamespaceId> {
        let namespaces = self.core.sockets.namespaces();
        let family = self.scope.0.into_iter();
        family
            .flat_map(|family| namespaces.of_family(family))
            .collect()
    }
}
