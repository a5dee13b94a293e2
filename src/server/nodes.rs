//! This node among others: what it asks of them, and what it does for them.
//!
//! Wishes go out to who carries them, the application ([`super::cluster`]) or a [`Carrier`](super::carrier::Carrier); those of
//! others come in and are done after the handler that runs now. A question waits for as many nodes as there are to reply, and
//! not for ever; one that is heard twice, since its carrier delivers at least once, is one. Answers to a broadcast come one by
//! one, so that those of a node that dies meanwhile are not lost with it.
//! Knows no carrier. Without one nothing is said, and every question is answered at once by this node alone.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use serde::Serialize;
use serde::de::IgnoredAny;

use super::cluster::{Reply, Request, Values, Whom, Wish};
use super::core::{Core, Deferred, Due, Later};
use super::dispatch::caught;
use super::gathering::{Asker, Gathered, GatheredAnswer, GatheringEnd, ThenGathered};
use super::outgoing::{Audience, Flags};
use super::server_side::NodeAck;
use super::views::{Context, EmitError, Io};
use super::{App, Server};
use crate::socketio::args;
use crate::socketio::packet::is_reserved;
use crate::socketio::{SocketId, SocketKey};
use crate::timers::TimerId;

pub(super) type OnWish<A> = Box<dyn Fn(&mut Context<'_, A>, Wish)>;
pub(super) type ThenReplied<A> = Box<dyn FnOnce(&mut Context<'_, A>, Vec<Reply>, usize)>;

/// How many nodes are to reply to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// So many.
    Nodes(usize),
    /// The carrier will say, once it has been put.
    Untold,
}

/// What is known of the other nodes.
pub(super) struct Nodes<A: App> {
    /// Whether somebody carries our wishes.
    pub(super) is_heard: bool,
    /// Whether who carries them finds out for each question how many hear it.
    pub(super) is_counted: bool,
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

/// A question that waits for replies.
struct Asked<A: App> {
    awaited: Awaited,
    /// The nodes that have replied.
    heard: Vec<u64>,
    timer: TimerId,
    then: Then<A>,
}

/// What replies are for.
enum Then<A: App> {
    /// One from each node, in the order they came.
    Replies(Vec<Reply>, ThenReplied<A>),
    /// The answers of sockets, of all nodes.
    Answers(Box<Answers>, ThenGathered<A>),
}

/// Answers that come one by one.
struct Answers {
    gathered: Gathered,
    bytes: usize,
    /// Who has answered or gone, as far as that was said: nobody is counted twice.
    settled: HashSet<SocketId>,
    gone: usize,
}

impl Answers {
    fn new() -> Self {
        Self {
            gathered: Gathered::empty(GatheringEnd::TimedOut),
            bytes: 0,
            settled: HashSet::new(),
            gone: 0,
        }
    }

    fn answered(&mut self, answer: GatheredAnswer, bytes_max: usize) {
        if answer.from.is_some_and(|from| !self.settled.insert(from)) {
            return;
        }
        self.bytes += answer.bytes();
        if self.bytes > bytes_max {
            self.gathered.end = GatheringEnd::TooMuch;
        } else {
            self.gathered.answers.push(answer);
        }
    }

    fn is_settled(&self) -> bool {
        self.gathered.end == GatheringEnd::TooMuch
            || self.gathered.answers.len() + self.gone >= self.gathered.asked
    }

    fn joined(mut self, missing: usize) -> Gathered {
        let has_all = missing == 0 && self.gathered.answers.len() >= self.gathered.asked;
        if has_all && self.gathered.end == GatheringEnd::TimedOut {
            self.gathered.end = GatheringEnd::Complete;
        }
        self.gathered
    }
}

impl<A: App> Asked<A> {
    fn is_over(&self) -> bool {
        let is_settled = match &self.then {
            Then::Replies(..) => true,
            Then::Answers(answers, _) if answers.gathered.end == GatheringEnd::TooMuch => {
                return true;
            }
            Then::Answers(answers, _) => answers.is_settled(),
        };
        matches!(self.awaited, Awaited::Nodes(count) if self.heard.len() >= count) && is_settled
    }

    fn is_new(&mut self, node: u64) -> bool {
        let is_new = !self.heard.contains(&node);
        if is_new {
            self.heard.push(node);
        }
        is_new
    }

    fn replied(&mut self, from: u64, reply: Reply, bytes_max: usize) {
        match (&mut self.then, reply) {
            (Then::Answers(answers, _), Reply::Answer(answer)) => {
                answers.answered(answer, bytes_max);
            }
            (Then::Answers(answers, _), Reply::Gone(id)) => {
                answers.gone += usize::from(answers.settled.insert(id));
            }
            (Then::Answers(..), Reply::Asked(count)) => {
                if self.is_new(from)
                    && let Then::Answers(answers, _) = &mut self.then
                {
                    answers.gathered.asked += count;
                }
            }
            (
                Then::Replies(..),
                reply @ (Reply::Sockets(_) | Reply::Values(_) | Reply::Rooms(_)),
            ) => {
                if self.is_new(from)
                    && let Then::Replies(replies, _) = &mut self.then
                {
                    replies.push(reply);
                }
            }
            (Then::Answers(..), Reply::Sockets(_) | Reply::Values(_) | Reply::Rooms(_))
            | (Then::Replies(..), Reply::Asked(_) | Reply::Answer(_) | Reply::Gone(_)) => {}
        }
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

    /// How many nodes are to reply to a question.
    pub(super) const fn awaited_nodes(&self, flags: Flags) -> Awaited {
        if !self.is_said_to_others(flags) {
            Awaited::Nodes(0)
        } else if self.nodes.is_counted {
            Awaited::Untold
        } else {
            Awaited::Nodes(self.nodes.others)
        }
    }

    pub(super) const fn set_other_nodes(&mut self, count: usize) {
        self.nodes.others = count;
    }

    /// So many nodes hear a question that was put.
    pub(super) fn awaits(&mut self, request: Request, count: usize) {
        if self.nodes.own != Some(request.node) {
            return;
        }
        if let Some(asked) = self.nodes.asked.get_mut(&request.number) {
            // Our own answers count as one node's.
            let own = usize::from(matches!(asked.then, Then::Answers(..)));
            asked.awaited = Awaited::Nodes(count + own);
            self.end_if_over(request.number);
        }
    }

    /// A question that was not put: so many nodes will not reply.
    pub(super) fn not_asked(&mut self, request: Request, missing: usize) {
        self.awaits(request, missing);
        let is_of_answers = |asked: &Asked<A>| matches!(asked.then, Then::Answers(..));
        let own = self.nodes.own == Some(request.node);
        let asked = self.nodes.asked.get(&request.number).filter(|_| own);
        // Sockets of this node are asked all the same, and have their time.
        if asked.is_some_and(|asked| !is_of_answers(asked)) {
            self.stop_asking(request.number);
        }
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

    /// Keeps a question until all have replied who are to. Without any, it is answered after the handler that runs now.
    pub(super) fn ask_nodes(
        &mut self,
        awaited: Awaited,
        within: Duration,
        then: ThenReplied<A>,
    ) -> Option<Request> {
        let is_full = self.nodes.asked.len() >= self.config.socketio.gatherings_max;
        if awaited == Awaited::Nodes(0) || is_full {
            let missing = match awaited {
                Awaited::Nodes(count) => count,
                Awaited::Untold => self.nodes.others,
            };
            self.soon
                .push_back(Box::new(move |context| then(context, Vec::new(), missing)));
            return None;
        }
        Some(self.put(awaited, within, Then::Replies(Vec::new(), then)))
    }

    fn put(&mut self, awaited: Awaited, within: Duration, then: Then<A>) -> Request {
        let number = self.number();
        let timer = self.arm(self.now.mono + within, Due::Nodes(number));
        let asked = Asked {
            awaited,
            heard: Vec::new(),
            timer,
            then,
        };
        self.nodes.asked.insert(number, asked);
        let node = self.own_node();
        Request { node, number }
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
        let bytes_max = self.config.socketio.gathered_bytes_max;
        if let Some(asked) = self.nodes.asked.get_mut(&request.number) {
            asked.replied(from, reply, bytes_max);
            self.end_if_over(request.number);
        }
    }

    /// What sockets of this node say to a question of whichever node.
    pub(super) fn tell_asker(&mut self, request: Request, reply: Reply) {
        if self.nodes.own == Some(request.node) {
            self.replied(request, request.node, reply);
        } else {
            self.reply(request, reply);
        }
    }

    fn end_if_over(&mut self, number: u64) {
        if self.nodes.asked.get(&number).is_some_and(Asked::is_over) {
            self.stop_asking(number);
        }
    }

    /// No more replies are awaited.
    pub(super) fn stop_asking(&mut self, number: u64) {
        let Some(asked) = self.nodes.asked.remove(&number) else {
            return;
        };
        self.timers.cancel(asked.timer);
        let awaited = match asked.awaited {
            Awaited::Nodes(count) => count,
            Awaited::Untold => self.nodes.others,
        };
        let missing = awaited.saturating_sub(asked.heard.len());
        let then: Later<A> = match asked.then {
            Then::Replies(replies, then) => Box::new(move |c| then(c, replies, missing)),
            Then::Answers(answers, then) => Box::new(move |c| then(c, answers.joined(missing))),
        };
        self.soon.push_back(then);
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
        let awaited = match self.awaited_nodes(flags) {
            Awaited::Nodes(0) => None,
            // Our own answers count as one node's.
            Awaited::Nodes(count) => Some(Awaited::Nodes(count + 1)),
            Awaited::Untold => Some(Awaited::Untold),
        };
        let (Some(awaited), Some(to)) = (awaited, self.whom(audience)) else {
            return self.ask_all(audience, flags, event, values, within, Asker::Closure(then));
        };
        if is_reserved(event) {
            return Err(EmitError::Reserved(event.into()));
        }
        let encoded = encoded(values)?;
        if self.nodes.asked.len() >= self.config.socketio.gatherings_max {
            let nobody = Gathered::empty(GatheringEnd::TooMany);
            self.soon
                .push_back(Box::new(move |context| then(context, nobody)));
            return Ok(());
        }
        let answers = Then::Answers(Box::new(Answers::new()), then);
        let patience = within + self.config.socketio.nodes_reply_within;
        let request = self.put(awaited, patience, answers);
        self.utter(Wish::Emit {
            to,
            event: event.into(),
            values: encoded,
            is_volatile: false,
            stays_plain: flags.stays_plain,
            request: Some((request, within)),
        });
        let asker = Asker::Nodes(request);
        self.ask_all(audience, flags, event, values, within, asker)
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
