//! Namespaces: those that were described, and those that clients call into being.
//!
//! A *family* is namespaces that behave alike. One that was described by its name is the only one of its family; a family
//! that was described by a pattern or by a question (a *parent namespace*, as the official server says) has children, each made
//! when its first client comes and removed when its last has left.
//! Names come in, ids go out, and each namespace owns its rooms and its count of acknowledgements.
//! Knows sockets only as a number of them; never a session or a handler.
//! Left out: a name that fits a parent's pattern and is described by itself as well: it is a family of its own then.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use super::adapter::{Adapter, RoomEvent};
use super::pattern::Pattern;
use crate::slots::{Id, Slots};

/// Names a namespace; that of a child that was removed finds nothing.
pub type NamespaceId = Id<Namespace>;

/// Names a family, in the order they were described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FamilyId(u32);

impl FamilyId {
    /// Its place among all families.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A namespace: its name, its rooms and its own count of acknowledgements. Seen from outside by its id only.
#[derive(Debug)]
pub struct Namespace {
    pub(super) name: Box<str>,
    pub(super) family: FamilyId,
    pub(super) adapter: Adapter,
    pub(super) next_ack: u64,
    /// Sockets in it, joining and leaving ones included, and those that may come back.
    pub(super) population: usize,
    /// Whether it is in [`Namespaces::eventful`].
    is_eventful: bool,
    /// Whether it is in [`Namespaces::restless`].
    is_restless: bool,
}

/// Namespaces that behave alike.
#[derive(Clone, Debug)]
struct Family {
    /// The name, the pattern, or what a family with a question was called.
    label: Box<str>,
    kind: Kind,
    /// Whether the room events of its namespaces are kept.
    records_events: bool,
    /// Whether somebody listens to what goes out to its sockets.
    is_overheard: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// One namespace.
    Single,
    /// A parent of all whose names fit.
    Pattern(Pattern),
    /// A parent of all that a question is answered yes for, which is not ours to ask.
    Question,
}

/// Whether a namespace is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is, from now on.
    Came,
    /// It is not any more.
    Went,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Namespaces {
    rows: Slots<Namespace>,
    by_name: HashMap<Box<str>, NamespaceId>,
    families: Vec<Family>,
    /// Namespaces whose adapters may have events to tell.
    eventful: VecDeque<NamespaceId>,
    /// Children whose last socket has left.
    emptied: Vec<NamespaceId>,
    /// How many of them clients called into being.
    children: usize,
    /// Who came and went, if somebody wants to know.
    presence: Option<VecDeque<(Box<str>, Presence)>>,
    /// Namespaces some of whose rooms may have come or gone, if somebody wants to know.
    restless: Option<VecDeque<NamespaceId>>,
}

impl Namespaces {
    /// The namespace of that name, made if it is new. `chat` is `/chat`, and the empty name is `/`.
    pub fn describe(&mut self, name: &str) -> NamespaceId {
        let name = canonical(name);
        if let Some(id) = self.by_name.get(&*name) {
            return *id;
        }
        let family = self.add_family(&name, Kind::Single);
        self.make(family, &name)
    }

    /// A parent of all namespaces whose names fit the pattern; the same again if it was described before.
    pub fn describe_pattern(&mut self, label: &str, pattern: Pattern) -> FamilyId {
        self.family_of_kind(label, Kind::Pattern(pattern))
    }

    /// A parent of all namespaces that somebody wants who is asked; the same again if it was described before.
    pub fn describe_question(&mut self, label: &str) -> FamilyId {
        self.family_of_kind(label, Kind::Question)
    }

    fn family_of_kind(&mut self, label: &str, kind: Kind) -> FamilyId {
        match self.find_family(label) {
            Some(family) if self.families[family.index()].kind == kind => family,
            _ => self.add_family(label, kind),
        }
    }

    fn add_family(&mut self, label: &str, kind: Kind) -> FamilyId {
        let id = FamilyId(u32::try_from(self.families.len()).expect("few families"));
        self.families.push(Family {
            label: label.into(),
            kind,
            records_events: false,
            is_overheard: false,
        });
        id
    }

    fn make(&mut self, family: FamilyId, name: &str) -> NamespaceId {
        let mut adapter = Adapter::new();
        adapter.record_events(self.families[family.index()].records_events);
        if self.restless.is_some() {
            adapter.note_rooms();
        }
        let id = self.rows.insert(Namespace {
            name: name.into(),
            family,
            adapter,
            next_ack: 0,
            population: 0,
            is_eventful: false,
            is_restless: false,
        });
        self.by_name.insert(name.into(), id);
        self.note_presence(name, Presence::Came);
        id
    }

    /// Somebody wants to know from now on which namespaces come and go, those that are here first.
    pub fn tell_presence(&mut self) {
        let mut names: Vec<_> = self.by_name.keys().cloned().collect();
        // The map has no order, and the same run is to have the same.
        names.sort_unstable();
        let here = names.into_iter().map(|name| (name, Presence::Came));
        self.presence = Some(here.collect());
    }

    /// The next that came or went. Nothing bounds their number but the caller, who takes them all after each call.
    pub fn poll_presence(&mut self) -> Option<(Box<str>, Presence)> {
        self.presence.as_mut()?.pop_front()
    }

    fn note_presence(&mut self, name: &str, presence: Presence) {
        if let Some(told) = &mut self.presence {
            told.push_back((name.into(), presence));
        }
    }

    /// Somebody wants to know from now on which rooms come and go, those that are here first.
    pub fn tell_rooms(&mut self) {
        let mut restless: Vec<_> = self.rows.iter().map(|(id, _)| id).collect();
        for id in &restless {
            let row = self.row_mut(*id);
            row.adapter.note_rooms();
            row.is_restless = true;
        }
        // The same run is to have the same order.
        restless.sort_unstable();
        self.restless = Some(restless.into());
    }

    /// The next room that may have come or gone. Nothing bounds their number but the caller, who takes them all after each
    /// call.
    pub fn poll_room(&mut self) -> Option<(NamespaceId, Rc<str>)> {
        let restless = self.restless.as_mut()?;
        while let Some(&id) = restless.front() {
            if let Some(row) = self.rows.get_mut(id) {
                if let Some(room) = row.adapter.poll_room() {
                    return Some((id, room));
                }
                row.is_restless = false;
            }
            restless.pop_front();
        }
        None
    }

    /// Somebody who is away may come back to a room, or not any more.
    pub fn note_room(&mut self, id: NamespaceId, room: &str) {
        self.stir(id);
        self.row_mut(id).adapter.note_room(room);
    }

    /// Rooms of this namespace may have come or gone.
    pub(super) fn stir(&mut self, id: NamespaceId) {
        if let (Some(restless), Some(row)) = (&mut self.restless, self.rows.get_mut(id))
            && !std::mem::replace(&mut row.is_restless, true)
        {
            restless.push_back(id);
        }
    }

    /// A child of that name, made if it is new.
    pub fn make_child(&mut self, family: FamilyId, name: &str) -> NamespaceId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        self.children += 1;
        self.make(family, name)
    }

    /// The families that may have children, in the order they were described: for the first that wants a name.
    pub fn parents(&self) -> impl Iterator<Item = FamilyId> {
        let families = (0..).map(FamilyId).zip(&self.families);
        families.filter_map(|(id, family)| (family.kind != Kind::Single).then_some(id))
    }

    /// Whether a name fits the family's pattern; none if that is a question for somebody else.
    #[must_use]
    pub fn fits(&self, family: FamilyId, name: &str) -> Option<bool> {
        match &self.families[family.index()].kind {
            Kind::Single => Some(false),
            Kind::Pattern(pattern) => Some(pattern.fits(name)),
            Kind::Question => None,
        }
    }

    /// What a parameter of its family's pattern stands for in a namespace's name.
    #[must_use]
    pub fn parameter(&self, id: NamespaceId, parameter: &str) -> Option<&str> {
        let row = self.row(id);
        match &self.families[row.family.index()].kind {
            Kind::Pattern(pattern) => pattern.value(&row.name, parameter),
            Kind::Single | Kind::Question => None,
        }
    }

    /// The namespace of that name, if it is there.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NamespaceId> {
        self.by_name.get(&*canonical(name)).copied()
    }

    /// The namespace of exactly that name, as clients say it.
    pub(super) fn find_exactly(&self, name: &str) -> Option<NamespaceId> {
        self.by_name.get(name).copied()
    }

    /// The family of that name, pattern or label.
    #[must_use]
    pub fn find_family(&self, label: &str) -> Option<FamilyId> {
        let place = self
            .families
            .iter()
            .position(|family| *family.label == *label)?;
        Some(FamilyId(u32::try_from(place).expect("few families")))
    }

    /// What a family was described by.
    pub(super) fn label(&self, family: FamilyId) -> &str {
        &self.families[family.index()].label
    }

    /// The namespaces of a family.
    pub fn of_family(&self, family: FamilyId) -> impl Iterator<Item = NamespaceId> {
        let rows = self.rows.iter();
        rows.filter_map(move |(id, row)| (row.family == family).then_some(id))
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (NamespaceId, &Namespace)> {
        self.rows.iter()
    }

    /// The names of all of them, in no order to rely on.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|(_, row)| &*row.name)
    }

    /// How many there are that clients called into being.
    #[must_use]
    pub const fn children(&self) -> usize {
        self.children
    }

    pub(super) fn row(&self, id: NamespaceId) -> &Namespace {
        self.rows.get(id).expect("a namespace outlives its sockets")
    }

    pub(super) fn row_mut(&mut self, id: NamespaceId) -> &mut Namespace {
        self.rows
            .get_mut(id)
            .expect("a namespace outlives its sockets")
    }

    /// A namespace's rooms, to be changed.
    pub(super) fn adapter_mut(&mut self, id: NamespaceId) -> &mut Adapter {
        self.stir(id);
        let row = self
            .rows
            .get_mut(id)
            .expect("a namespace outlives its sockets");
        if row.adapter.records_events() && !std::mem::replace(&mut row.is_eventful, true) {
            self.eventful.push_back(id);
        }
        &mut row.adapter
    }

    /// Keeps the room events of a family's namespaces from now on.
    pub fn record_events(&mut self, family: FamilyId) {
        self.families[family.index()].records_events = true;
        for (_, row) in self.rows.iter_mut().filter(|(_, row)| row.family == family) {
            row.adapter.record_events(true);
        }
    }

    /// The oldest room event of a namespace that has some.
    pub fn poll_room_event(&mut self) -> Option<(NamespaceId, RoomEvent)> {
        while let Some(&id) = self.eventful.front() {
            if let Some(row) = self.rows.get_mut(id) {
                if let Some(event) = row.adapter.poll_event() {
                    return Some((id, event));
                }
                row.is_eventful = false;
            }
            self.eventful.pop_front();
        }
        None
    }

    /// What goes out to sockets of this family is kept for those who listen to it.
    pub fn overhear(&mut self, family: FamilyId) {
        self.families[family.index()].is_overheard = true;
    }

    /// Whether somebody listens to what goes out to a namespace's sockets.
    #[must_use]
    pub fn is_overheard(&self, id: NamespaceId) -> bool {
        self.families[self.row(id).family.index()].is_overheard
    }

    /// A socket has come, or one that is away may come back: the namespace is there as long as it is.
    pub fn came(&mut self, id: NamespaceId) {
        self.row_mut(id).population += 1;
    }

    /// A socket has gone, the last one perhaps.
    pub fn went(&mut self, id: NamespaceId) {
        let row = self.row_mut(id);
        row.population -= 1;
        let (is_empty, family) = (row.population == 0, row.family);
        if is_empty && self.families[family.index()].kind != Kind::Single {
            self.emptied.push(id);
        }
    }

    /// Removes children that nobody is in, if somebody was; none that has a room event left to tell.
    pub fn sweep(&mut self) {
        for id in std::mem::take(&mut self.emptied) {
            let is_empty = |row: &Namespace| row.population == 0;
            if self.rows.get(id).is_some_and(is_empty)
                && let Some(row) = self.rows.remove(id)
            {
                self.by_name.remove(&row.name);
                self.children -= 1;
                self.note_presence(&row.name, Presence::Went);
            }
        }
    }

    /// Namespaces described as these are, with nobody in them and no children.
    pub(super) fn described_alike(&self) -> Self {
        let mut alike = Self {
            families: self.families.clone(),
            presence: self.presence.clone(),
            restless: self.restless.is_some().then(VecDeque::new),
            ..Self::default()
        };
        for (_, row) in self.rows.iter() {
            alike.note_presence(&row.name, Presence::Went);
        }
        for (place, family) in (0..).zip(&self.families) {
            if family.kind == Kind::Single {
                alike.make(FamilyId(place), &family.label);
            }
        }
        alike
    }
}

/// A namespace's name as it goes over the wire.
pub(super) fn canonical(name: &str) -> Cow<'_, str> {
    if name.starts_with('/') {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("/{name}"))
    }
}
