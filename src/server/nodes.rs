//! This node among others: what it says to them.
//!
//! Wishes go out to who carries them, the application ([`super::cluster`]) or a [`Carrier`](super::carrier::Carrier); those of
//! others come in and are done after the handler that runs now ([`super::obeying`]). Questions wait in [`super::asking`].
//! Knows no carrier. Without one nothing is said, and every question is answered at once by this node alone.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::asking::Asked;
use super::cluster::{Reply, Request, Values, Whom, Wish};
use super::core::{Core, Deferred};
use super::dispatch::caught;
use super::outgoing::{Audience, Flags};
use super::views::{Context, EmitError, Io};
use super::{App, Server};
use crate::socketio::SocketKey;
use crate::socketio::args;

pub(super) type OnWish<A> = Box<dyn Fn(&mut Context<'_, A>, Wish)>;

/// What is known of the other nodes.
pub(super) struct Nodes<A: App> {
    /// Whether somebody carries our wishes.
    pub(super) is_heard: bool,
    /// Whether who carries them finds out for each question how many hear it.
    pub(super) is_counted: bool,
    pub(super) others: usize,
    /// Drawn when the first question is asked, or replied to.
    pub(super) own: Option<u64>,
    wishes: VecDeque<Wish>,
    pub(super) asked: BTreeMap<u64, Asked<A>>,
}

impl<A: App> Default for Nodes<A> {
    fn default() -> Self {
        Self {
            is_heard: false,
            is_counted: false,
            others: 0,
            own: None,
            wishes: VecDeque::new(),
            asked: BTreeMap::new(),
        }
    }
}

impl<A: App> Nodes<A> {
    pub(super) fn pop(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// How many questions wait for replies.
    pub(super) fn len(&self) -> usize {
        self.asked.len()
    }

    pub(super) fn questions(&self) -> Vec<u64> {
        self.asked.keys().copied().collect()
    }
}

impl<A: App> Server<A> {
    /// Calls `handler` with what other nodes are to do, after the handler that wished it ([`super::cluster`]). The last
    /// one named counts.
    pub fn on_wish(&mut self, handler: impl Fn(&mut Context<'_, A>, Wish) + 'static) -> &mut Self {
        self.core.nodes.is_heard = true;
        self.handlers.on_wish = Some(Box::new(handler));
        self
    }

    pub(super) fn tell_wish(&mut self, wish: Wish) {
        if let Some(carrier) = &mut self.core.carrier {
            return carrier.said(self.core.now, wish);
        }
        if let Some(handler) = &self.handlers.on_wish {
            let context = &mut Context::new(&mut self.app, &mut self.core);
            if caught("a wish's handler", || handler(context, wish)).is_none() {
                self.core.counters.panics += 1;
            }
        }
    }
}

impl<A: App> Io<'_, A> {
    /// Does what another node wishes, after the handler that runs now ([`super::cluster`]).
    pub fn hear(&mut self, wish: Wish) {
        self.core.hear(wish);
    }

    /// Says how many other nodes there are just now: so many replies a question waits for.
    pub const fn set_other_nodes(&mut self, count: usize) {
        self.core.set_other_nodes(count);
    }

    /// How many other nodes there are, as far as that is known just now.
    #[must_use]
    pub const fn other_nodes(&self) -> usize {
        self.core.nodes.others
    }
}

pub(super) fn encoded<T: Serialize + ?Sized>(values: &T) -> Result<Values, EmitError> {
    let encoded = args::encode(values).map_err(EmitError::Arguments)?;
    let list = String::from_utf8(encoded.list).expect("JSON is UTF-8");
    Ok(Values {
        list: list.into(),
        attachments: encoded.attachments,
    })
}

impl<A: App> Core<A> {
    pub(super) fn hear(&mut self, wish: Wish) {
        let heard = Deferred::Heard(Box::new(wish));
        self.deferred.push_back(heard);
    }

    /// Whether something is to be said to other nodes.
    pub(super) const fn is_said_to_others(&self, flags: Flags) -> bool {
        self.nodes.is_heard && !flags.is_local
    }

    pub(super) const fn set_other_nodes(&mut self, count: usize) {
        self.nodes.others = count;
    }

    pub(super) fn utter(&mut self, wish: Wish) {
        if self.nodes.is_heard {
            self.nodes.wishes.push_back(wish);
        }
    }

    /// An audience as other nodes are told of it. Its sender is here, and so in nobody's way there; but who keeps what is said
    /// for those who come back may meet it again.
    pub(super) fn whom(&self, audience: &Audience<'_>) -> Option<Whom> {
        let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        let mut except: Vec<Box<str>> = names(&audience.except);
        let sender = audience.sender.and_then(|key| self.sockets.id(key));
        except.extend(sender.map(|id| id.as_str().into()));
        Some(Whom {
            namespace: self.sockets.name(audience.namespace?).into(),
            rooms: names(&audience.to),
            except,
        })
    }

    /// What the others know this node by.
    pub(super) fn own_node(&mut self) -> u64 {
        if let Some(own) = self.nodes.own {
            return own;
        }
        let [a, b, c, d, e, f, g, h, ..] = self.seed();
        let own = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        self.nodes.own = Some(own);
        own
    }

    /// Replies to another node's question.
    pub(super) fn reply(&mut self, request: Request, reply: Reply) {
        let from = self.own_node();
        self.utter(Wish::Reply {
            request,
            from,
            reply,
        });
    }

    /// Does something to each connected socket of an audience, the sender left out.
    pub(super) fn for_each_of(
        &mut self,
        audience: &Audience<'_>,
        mut act: impl FnMut(&mut Self, SocketKey),
    ) {
        let targets = self.select(audience);
        for key in &targets {
            if self.sockets.is_connected(*key) {
                act(self, *key);
            }
        }
        self.give_back(targets);
    }

    /// An event to the sockets of all nodes.
    pub(super) fn broadcast_everywhere<T: Serialize + ?Sized>(
        &mut self,
        audience: &Audience<'_>,
        flags: Flags,
        event: &str,
        values: &T,
    ) -> Result<(), EmitError> {
        if self.goes_around(flags, None) {
            return match self.whom(audience) {
                Some(to) => self.send_around(to, flags, event, values),
                None => Ok(()),
            };
        }
        self.broadcast(audience, flags, event, values)?;
        if self.is_said_to_others(flags)
            && let Some(to) = self.whom(audience)
        {
            self.utter(Wish::Emit {
                to,
                event: event.into(),
                values: encoded(values)?,
                is_volatile: flags.is_volatile,
                stays_plain: flags.stays_plain,
                request: None,
            });
        }
        Ok(())
    }
}
