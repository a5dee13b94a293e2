//! Answers to a broadcast: who was asked, who has answered, and what.
//!
//! One entry for a broadcast, not one for each member: whom it went to, a bit for each who has answered, and the answers. It
//! ends when the last has answered, when those who have not are gone, or at its deadline; what came until then is
//! given to the application either way.
//! An answer counts only from a socket that was asked, and once.
//! Knows no other nodes: what those gather is joined with ours by [`super::nodes`].

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use serde::{Deserialize, Serialize};

use super::App;
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
    /// Whose it is.
    pub from: SocketId,
    list: Box<str>,
    attachments: Box<[Bytes]>,
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
    fn new(from: SocketId, args: Args<'_>) -> Self {
        Self {
            from,
            list: args.raw().into(),
            attachments: args.attachments().into(),
        }
    }

    /// All its values, as they came.
    #[must_use]
    pub fn args(&self) -> Args<'_> {
        Args::new(&self.list, &self.attachments)
    }

    /// Its values as a `T`, mostly a tuple.
    ///
    /// # Errors
    /// If one is missing or does not fit.
    pub fn parse<'a, T: FromArgs<'a>>(&'a self) -> Result<T, ArgsError> {
        self.args().parse()
    }

    fn bytes(&self) -> usize {
        let attachments = self.attachments.iter().map(Bytes::len);
        self.list.len() + attachments.sum::<usize>()
    }
}

pub(super) type ThenGathered<A> = Box<dyn FnOnce(&mut Context<'_, A>, Gathered)>;

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
    then: ThenGathered<A>,
}

impl<A: App> Gathering<A> {
    pub(super) fn new(mut asked: Vec<SocketKey>, timer: TimerId, then: ThenGathered<A>) -> Self {
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
            then,
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
    pub(super) then: ThenGathered<A>,
    pub(super) gathered: Gathered,
    pub(super) timer: Option<TimerId>,
}

/// All of them, by namespace and by the number that their answers bear.
pub(super) struct Gatherings<A: App> {
    open: HashMap<(NamespaceId, u64), Gathering<A>>,
}

impl<A: App> Default for Gatherings<A> {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
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
        let answer = GatheredAnswer::new(from, args);
        gathering.bytes += answer.bytes();
        if gathering.bytes > bytes_max {
            return self.end(of, GatheringEnd::TooMuch);
        }
        gathering.gathered.answers.push(answer);
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
    pub(super) fn left(&mut self, namespace: NamespaceId, key: SocketKey) -> Vec<Ended<A>> {
        let mut ends = Vec::new();
        for (of, gathering) in &mut self.open {
            if of.0 == namespace && gathering.settle(key) && gathering.unsettled == 0 {
                ends.push(*of);
            }
        }
        self.end_each(ends, GatheringEnd::TimedOut)
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
            then: gathering.then,
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
        then: ThenGathered<A>,
    ) -> Result<(), EmitError> {
        let Some(namespace) = audience.namespace else {
            self.gathered_nothing(GatheringEnd::Complete, then);
            return Ok(());
        };
        if self.gatherings.len() >= self.config.socketio.gatherings_max {
            self.gathered_nothing(GatheringEnd::TooMany, then);
            return Ok(());
        }
        let id = self.sockets.next_ack(namespace);
        let asked = self.broadcast_as(audience, Some(id), flags, event, values)?;
        if asked.is_empty() {
            self.gathered_nothing(GatheringEnd::Complete, then);
            return Ok(());
        }
        let timer = self.arm(self.now.mono + within, Due::Gathering(namespace, id));
        let gathering = Gathering::new(asked, timer, then);
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
        self.gathered.extend(ended);
    }

    fn gathered_nothing(&mut self, end: GatheringEnd, then: ThenGathered<A>) {
        self.gathered.push_back(Ended {
            then,
            gathered: Gathered::empty(end),
            timer: None,
        });
    }
}
