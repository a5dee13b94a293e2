//! This node among others: what it asks of them, and what it does for them.
//!
//! Wishes go out to the application, which carries them ([`super::cluster`]); those of others come in and are done after the
//! handler that runs now. A question waits for as many nodes as there are to reply, and not for ever; one that is heard twice,
//! since its carrier delivers at least once, is one.
//! Knows no carrier. Without one nothing is said, and every question is answered at once by this node alone.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use serde::de::IgnoredAny;

use super::cluster::{Reply, Request, Values, Whom, Wish};
use super::core::{Core, Deferred, Due};
use super::dispatch::caught;
use super::gathering::{Gathered, GatheringEnd, ThenGathered};
use super::outgoing::{Audience, Flags};
use super::server_side::NodeAck;
use super::views::{Context, EmitError, Io};
use super::{App, Server};
use crate::socketio::SocketKey;
use crate::socketio::args;
use crate::socketio::packet::is_reserved;
use crate::timers::TimerId;

pub(super) type OnWish<A> = Box<dyn Fn(&mut Context<'_, A>, Wish)>;
type ThenReplied<A> = Box<dyn FnOnce(&mut Context<'_, A>, Vec<Reply>, usize)>;

/// What is known of the other nodes.
pub(super) struct Nodes<A: App> {
    /// Whether somebody carries our wishes.
    pub(super) is_heard: bool,
    others: usize,
    /// Drawn when the first question is asked, or replied to.
    own: Option<u64>,
    wishes: VecDeque<Wish>,
    asked: BTreeMap<u64, Asked<A>>,
}

impl<A: App> Default for Nodes<A> {
    fn default() -> Self {
        Self {
            is_heard: false,
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

/// A question that waits for replies.
struct Asked<A: App> {
    awaited: usize,
    /// In the order they came, each with the node that it is from.
    replies: Vec<(u64, Reply)>,
    timer: TimerId,
    then: ThenReplied<A>,
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
        if let Some(handler) = &self.handlers.on_wish {
            let context = &mut Context::new(&mut self.app, &mut self.core);
            if caught("a wish's handler", || handler(context, wish)).is_none() {
                self.core.counters.panics += 1;
            }
        }
    }

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

impl<A: App> Io<'_, A> {
    /// Does what another node wishes, after the handler that runs now ([`super::cluster`]).
    pub fn hear(&mut self, wish: Wish) {
        self.core
            .deferred
            .push_back(Deferred::Heard(Box::new(wish)));
    }

    /// Says how many other nodes there are just now: so many replies a question waits for.
    pub const fn set_other_nodes(&mut self, count: usize) {
        self.core.nodes.others = count;
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
    /// Whether something is to be said to other nodes.
    pub(super) const fn is_said_to_others(&self, flags: Flags) -> bool {
        self.nodes.is_heard && !flags.is_local
    }

    /// How many nodes there are to hear a question.
    pub(super) const fn other_nodes(&self) -> usize {
        if self.nodes.is_heard {
            self.nodes.others
        } else {
            0
        }
    }

    pub(super) fn utter(&mut self, wish: Wish) {
        if self.nodes.is_heard {
            self.nodes.wishes.push_back(wish);
        }
    }

    /// An audience as other nodes are told of it. Its sender is here, and so in nobody's way there.
    pub(super) fn whom(&self, audience: &Audience<'_>) -> Option<Whom> {
        let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        Some(Whom {
            namespace: self.sockets.name(audience.namespace?).into(),
            rooms: names(&audience.to),
            except: names(&audience.except),
        })
    }

    /// Keeps a question until `awaited` replies have come. Without any, it is answered after the handler that runs now.
    pub(super) fn ask_nodes(
        &mut self,
        awaited: usize,
        within: Duration,
        then: ThenReplied<A>,
    ) -> Option<Request> {
        let is_full = self.nodes.asked.len() >= self.config.socketio.gatherings_max;
        if awaited == 0 || is_full {
            self.soon
                .push_back(Box::new(move |context| then(context, Vec::new(), awaited)));
            return None;
        }
        let number = self.number();
        let timer = self.arm(self.now.mono + within, Due::Nodes(number));
        let asked = Asked {
            awaited,
            replies: Vec::new(),
            timer,
            then,
        };
        self.nodes.asked.insert(number, asked);
        let node = self.own_node();
        Some(Request { node, number })
    }

    /// What the others know this node by.
    fn own_node(&mut self) -> u64 {
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

    /// A reply to a question, of another node or of this one.
    fn replied(&mut self, request: Request, from: u64, reply: Reply) {
        if self.nodes.own != Some(request.node) {
            return;
        }
        let Some(asked) = self.nodes.asked.get_mut(&request.number) else {
            return;
        };
        if asked.replies.iter().any(|(node, _)| *node == from) {
            return;
        }
        asked.replies.push((from, reply));
        if asked.replies.len() == asked.awaited {
            self.stop_asking(request.number);
        }
    }

    /// No more replies are awaited.
    pub(super) fn stop_asking(&mut self, number: u64) {
        let Some(asked) = self.nodes.asked.remove(&number) else {
            return;
        };
        self.timers.cancel(asked.timer);
        let missing = asked.awaited - asked.replies.len();
        let replies = asked.replies.into_iter().map(|(_, reply)| reply).collect();
        let then = asked.then;
        self.soon
            .push_back(Box::new(move |context| then(context, replies, missing)));
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

    /// An event to the sockets of all nodes whose answers are awaited.
    pub(super) fn ask_everywhere<T: Serialize + ?Sized>(
        &mut self,
        audience: &Audience<'_>,
        flags: Flags,
        event: &str,
        values: &T,
        within: Duration,
        then: ThenGathered<A>,
    ) -> Result<(), EmitError> {
        let others = self.other_nodes();
        let to = self.whom(audience);
        let Some(to) = to.filter(|_| others > 0 && self.is_said_to_others(flags)) else {
            return self.ask_all(audience, flags, event, values, within, then);
        };
        if is_reserved(event) {
            return Err(EmitError::Reserved(event.into()));
        }
        let encoded = encoded(values)?;
        let asked = self.ask_nodes(
            others + 1,
            within + self.config.socketio.nodes_reply_within,
            Box::new(move |context, replies, missing| then(context, joined(replies, missing))),
        );
        let Some(request) = asked else {
            return Ok(());
        };
        self.utter(Wish::Emit {
            to,
            event: event.into(),
            values: encoded,
            is_volatile: false,
            stays_plain: flags.stays_plain,
            request: Some((request, within)),
        });
        let here = Box::new(move |context: &mut Context<'_, A>, gathered| {
            let core = &mut *context.io.core;
            core.replied(request, request.node, Reply::Gathered(gathered));
        });
        self.ask_all(audience, flags, event, values, within, here)
    }

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
                // What is no JSON would go to every client as it is.
                if serde_json::from_str::<IgnoredAny>(&format!("[{}]", values.list)).is_err() {
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
                        let then = Box::new(move |context: &mut Context<'_, A>, gathered| {
                            context.io.core.reply(request, Reply::Gathered(gathered));
                        });
                        self.ask_all(&audience, flags, &event, &values.args(), within, then)
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

/// What all nodes have gathered.
fn joined(replies: Vec<Reply>, missing: usize) -> Gathered {
    let mut all = Gathered::empty(GatheringEnd::Complete);
    for reply in replies {
        if let Reply::Gathered(gathered) = reply {
            all.asked += gathered.asked;
            all.answers.extend(gathered.answers);
            if all.end == GatheringEnd::Complete {
                all.end = gathered.end;
            }
        }
    }
    if missing > 0 && all.end == GatheringEnd::Complete {
        all.end = GatheringEnd::TimedOut;
    }
    all
}
