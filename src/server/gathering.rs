//! Answers to a broadcast: who was asked, who has answered, and what.
//!
//! One entry for a broadcast, not one for each member: whom it went to, a bit for each who has answered, and the answers. It
//! ends when the last has answered, when those who have not are gone, or at its deadline; what came until then is
//! given to the application either way.
//! An answer counts only from a socket that was asked, and once.
//! One that is another node's question keeps nothing: each answer is handed on as it comes ([`super::asking`]).
//! Knows no other nodes.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use serde::{Deserialize, Serialize};

use super::App;
use super::cluster::{Reply, Request, Values};
use super::core::{Core, Due};
use super::outgoing::{Audience, Flags};
use super::views::{Context, EmitError};
use crate::socketio::args::{Args, ArgsError, FromArgs};
use crate::socketio::{NamespaceId, SocketId, SocketKey};
use crate::timers::TimerId;

/// What the sockets of a broadcast answered, in the order their answers came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gathered {
    /// Why there are no more.
    pub end: GatheringEnd,
    /// How many were asked.
    pub asked: usize,
    /// What they answered.
    pub answers: Vec<GatheredAnswer>,
}

/// Why no more answers to a broadcast are awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatheringEnd {
    /// Everybody who was asked has answered; also if nobody was.
    Complete,
    /// The time is up, or those who have not answered are gone.
    TimedOut,
    /// The answers were more than [`crate::config::SocketIo::gathered_bytes_max`].
    TooMuch,
    /// More broadcasts await answers than [`crate::config::SocketIo::gatherings_max`]: nobody was asked.
    TooMany,
    /// The server was frozen; what those say who have not answered, nobody will hear.
    Interrupted,
}

/// One socket's answer to a broadcast.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GatheredAnswer {
    /// Whose it is; none if it came by way of another node whose protocol does not say (the official servers' does not).
    pub from: Option<SocketId>,
    values: Values,
}

impl Gathered {
    pub(super) const fn empty(end: GatheringEnd) -> Self {
        Self {
            end,
            asked: 0,
            answers: Vec::new(),
        }
    }

    /// Whether everybody who was asked has answered.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == GatheringEnd::Complete
    }
}

impl GatheredAnswer {
    /// An answer that came some other way than from a socket of this node.
    #[must_use]
    pub const fn new(from: Option<SocketId>, values: Values) -> Self {
        Self { from, values }
    }

    fn of(from: SocketId, args: Args<'_>) -> Self {
        let values = Values {
            list: args.raw().into(),
            attachments: args.attachments().into(),
        };
        Self::new(Some(from), values)
    }

    /// All its values, as they came.
    #[must_use]
    pub fn args(&self) -> Args<'_> {
        self.values.args()
    }

    /// The same, to be kept.
    #[must_use]
    pub const fn values(&self) -> &Values {
        &self.values
    }

    /// Its values as a `T`, mostly a tuple.
    ///
    /// # Errors
    /// If one is missing or does not fit.
    pub fn parse<'a, T: FromArgs<'a>>(&'a self) -> Result<T, ArgsError> {
        self.args().parse()
    }

    pub(super) fn bytes(&self) -> usize {
        let attachments = self.values.attachments.iter().map(Bytes::len);
        self.values.list.len() + attachments.sum::<usize>()
    }
}

pub(super) type ThenGathered<A> = Box<dyn FnOnce(&mut Context<'_, A>, Gathered)>;

/// Who wants the answers.
pub(super) enum Asker<A: App> {
    /// A closure that wants them all at once, when no more come.
    Closure(ThenGathered<A>),
    /// A question between nodes, which is told of each as it comes.
    Nodes(Request),
}

/// A broadcast whose answers are awaited.
pub(super) struct Gathering<A: App> {
    /// In the order of their keys, so that one is found by halving.
    asked: Box<[SocketKey]>,
    /// Who has answered, or is gone: nobody is counted twice.
    is_settled: Box<[bool]>,
    unsettled: usize,
    gathered: Gathered,
    bytes: usize,
    timer: TimerId,
    asker: Asker<A>,
}

impl<A: App> Gathering<A> {
    pub(super) fn new(mut asked: Vec<SocketKey>, timer: TimerId, asker: Asker<A>) -> Self {
        asked.sort_unstable();
        Self {
            is_settled: vec![false; asked.len()].into(),
            unsettled: asked.len(),
            gathered: Gathered {
                asked: asked.len(),
                ..Gathered::empty(GatheringEnd::TimedOut)
            },
            asked: asked.into(),
            bytes: 0,
            timer,
            asker,
        }
    }

    /// Whether this one was asked and nothing was heard of it yet; from now on, it was.
    fn settle(&mut self, key: SocketKey) -> bool {
        let Ok(place) = self.asked.binary_search(&key) else {
            return false;
        };
        let is_new = !std::mem::replace(&mut self.is_settled[place], true);
        self.unsettled -= usize::from(is_new);
        is_new
    }
}

/// The end of a broadcast's waiting: the closure, what to call it with, and the deadline that may not be needed any more.
pub(super) struct Ended<A: App> {
    pub(super) asker: Asker<A>,
    pub(super) gathered: Gathered,
    pub(super) timer: Option<TimerId>,
}

/// All of them, by namespace and by the number that their answers bear.
pub(super) struct Gatherings<A: App> {
    open: HashMap<(NamespaceId, u64), Gathering<A>>,
    /// What questions between nodes are to be told.
    told: Vec<(Request, Reply)>,
}

impl<A: App> Default for Gatherings<A> {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
            told: Vec::new(),
        }
    }
}

impl<A: App> Gatherings<A> {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn insert(&mut self, of: (NamespaceId, u64), gathering: Gathering<A>) {
        self.open.insert(of, gathering);
    }

    /// Takes an answer; gives the end, if it was the last or there is no room for more.
    pub(super) fn answered(
        &mut self,
        of: (NamespaceId, u64),
        key: SocketKey,
        from: SocketId,
        args: Args<'_>,
        bytes_max: usize,
    ) -> Option<Ended<A>> {
        let gathering = self.open.get_mut(&of)?;
        if !gathering.settle(key) {
            return None;
        }
        let answer = GatheredAnswer::of(from, args);
        match gathering.asker {
            Asker::Nodes(request) => self.told.push((request, Reply::Answer(answer))),
            Asker::Closure(_) => {
                gathering.bytes += answer.bytes();
                if gathering.bytes > bytes_max {
                    return self.end(of, GatheringEnd::TooMuch);
                }
                gathering.gathered.answers.push(answer);
            }
        }
        if gathering.unsettled > 0 {
            return None;
        }
        let has_all = gathering.gathered.answers.len() == gathering.asked.len();
        self.end(
            of,
            if has_all {
                GatheringEnd::Complete
            } else {
                GatheringEnd::TimedOut
            },
        )
    }

    /// A socket is gone; gives the ends of those that waited for nobody else.
    pub(super) fn left(
        &mut self,
        namespace: NamespaceId,
        key: SocketKey,
        id: Option<SocketId>,
    ) -> Vec<Ended<A>> {
        let mut ends = Vec::new();
        for (of, gathering) in &mut self.open {
            if of.0 != namespace || !gathering.settle(key) {
                continue;
            }
            if let (Asker::Nodes(request), Some(id)) = (&gathering.asker, id) {
                self.told.push((*request, Reply::Gone(id)));
            }
            if gathering.unsettled == 0 {
                ends.push(*of);
            }
        }
        self.end_each(ends, GatheringEnd::TimedOut)
    }

    /// Who has not answered a question between nodes.
    fn silent(&self, of: (NamespaceId, u64)) -> Vec<(Request, SocketKey)> {
        let Some(gathering) = self.open.get(&of) else {
            return Vec::new();
        };
        let Asker::Nodes(request) = gathering.asker else {
            return Vec::new();
        };
        let asked = gathering.asked.iter().zip(&gathering.is_settled);
        let silent = asked.filter(|(_, is_settled)| !**is_settled);
        silent.map(|(key, _)| (request, *key)).collect()
    }

    /// Ends them all.
    pub(super) fn end_all(&mut self, end: GatheringEnd) -> Vec<Ended<A>> {
        self.end_each(self.open.keys().copied().collect(), end)
    }

    fn end_each(&mut self, mut of: Vec<(NamespaceId, u64)>, end: GatheringEnd) -> Vec<Ended<A>> {
        // The map has no order, and the same run is to have the same.
        of.sort_unstable();
        of.into_iter().filter_map(|of| self.end(of, end)).collect()
    }

    pub(super) fn end(&mut self, of: (NamespaceId, u64), end: GatheringEnd) -> Option<Ended<A>> {
        let gathering = self.open.remove(&of)?;
        Some(Ended {
            asker: gathering.asker,
            gathered: Gathered {
                end,
                ..gathering.gathered
            },
            timer: Some(gathering.timer),
        })
    }
}

impl<A: App> Core<A> {
    /// An event to many whose answers are awaited, all under one number.
    pub(super) fn ask_all<T: Serialize + ?Sized>(
        &mut self,
        audience: &Audience<'_>,
        flags: Flags,
        event: &str,
        values: &T,
        within: Duration,
        asker: Asker<A>,
    ) -> Result<(), EmitError> {
        let Some(namespace) = audience.namespace else {
            self.gathered_nothing(GatheringEnd::Complete, asker);
            return Ok(());
        };
        if self.gatherings.len() >= self.config.socketio.gatherings_max {
            self.gathered_nothing(GatheringEnd::TooMany, asker);
            return Ok(());
        }
        let id = self.sockets.next_ack(namespace);
        let asked = self.broadcast_as(audience, Some(id), flags, event, values)?;
        if asked.is_empty() {
            self.gathered_nothing(GatheringEnd::Complete, asker);
            return Ok(());
        }
        if let Asker::Nodes(request) = asker {
            self.tell_asker(request, Reply::Asked(asked.len()));
        }
        let timer = self.arm(self.now.mono + within, Due::Gathering(namespace, id));
        let gathering = Gathering::new(asked, timer, asker);
        self.gatherings.insert((namespace, id), gathering);
        Ok(())
    }

    /// An answer that nobody waits for alone may be one of many.
    pub(super) fn gather(&mut self, key: SocketKey, id: u64, args: Args<'_>) {
        let (Some(namespace), Some(from)) = (self.sockets.namespace_of(key), self.sockets.id(key))
        else {
            return;
        };
        let bytes_max = self.config.socketio.gathered_bytes_max;
        let of = (namespace, id);
        let ended = self.gatherings.answered(of, key, from, args, bytes_max);
        self.tell_askers();
        self.gathered.extend(ended);
    }

    /// A socket is gone, and will not answer.
    pub(super) fn gather_without(&mut self, namespace: NamespaceId, key: SocketKey) {
        let id = self.sockets.id(key);
        let ended = self.gatherings.left(namespace, key, id);
        self.tell_askers();
        self.gathered.extend(ended);
    }

    /// The time for answers is up. Other nodes need not wait for those who have not given one.
    pub(super) fn gathering_due(&mut self, of: (NamespaceId, u64)) {
        let silent = self.gatherings.silent(of);
        let ended = self.gatherings.end(of, GatheringEnd::TimedOut);
        self.gathered.extend(ended);
        for (request, key) in silent {
            if let Some(id) = self.sockets.id(key) {
                self.tell_asker(request, Reply::Gone(id));
            }
        }
    }

    fn tell_askers(&mut self) {
        for (request, reply) in std::mem::take(&mut self.gatherings.told) {
            self.tell_asker(request, reply);
        }
    }

    fn gathered_nothing(&mut self, end: GatheringEnd, asker: Asker<A>) {
        match asker {
            Asker::Nodes(request) => self.tell_asker(request, Reply::Asked(0)),
            Asker::Closure(_) => self.gathered.push_back(Ended {
                asker,
                gathered: Gathered::empty(end),
                timer: None,
            }),
        }
    }
}
