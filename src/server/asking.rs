//! Questions to other nodes, and this node's own: kept until all have replied who are to, or their time is up.
//!
//! A question waits for as many nodes as there are to reply, and not for ever; one that is heard twice, since its carrier
//! delivers at least once, is one. Answers to a broadcast come one by one, so that those of a node that dies meanwhile are not
//! lost with it.
//! Knows no carrier and no handler: what to do in the end comes with the question.

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;

use super::App;
use super::cluster::{Reply, Request, Wish};
use super::core::{Core, Due, Later};
use super::gathering::{Asker, Gathered, GatheredAnswer, GatheringEnd, ThenGathered};
use super::nodes::encoded;
use super::outgoing::{Audience, Flags};
use super::views::{Context, EmitError};
use crate::socketio::SocketId;
use crate::socketio::packet::is_reserved;
use crate::timers::TimerId;

pub(super) type ThenReplied<A> = Box<dyn FnOnce(&mut Context<'_, A>, Vec<Reply>, usize)>;

/// How many nodes are to reply to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// So many.
    Nodes(usize),
    /// The carrier will say, once it has been put.
    Untold,
}

/// A question that waits for replies.
pub(super) struct Asked<A: App> {
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

impl<A: App> Core<A> {
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

    /// A reply to a question, of another node or of this one.
    pub(super) fn replied(&mut self, request: Request, from: u64, reply: Reply) {
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
}
