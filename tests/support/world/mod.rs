//! The simulated world: the whole server as a `Service`, clients, and the way between them, from one seed.
//!
//! A [`World`] draws its weather ([`weights`]), lets clients do as they like while things break, then heals: every client
//! comes back, every question is answered, everybody goes, and nothing is left. What must hold is checked all the way; the
//! numbers (I2, L1 …) are those of the table in `tests/world.rs`.
//! Knows the server by its public face and the reactor's boundary.
//! Left out so far: the store, and other nodes.

mod app;
mod chance;
mod client;
mod freeze;
mod network;
mod protocol;
mod report;
mod routes;
mod weights;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use roomcast::reactor::Service;
use roomcast::{Config, Server};

use app::{Books, NAMESPACES, ROOMS, SharedBooks, Town};
use chance::Chance;
use client::Client;
use network::{Event, Network, Phase};
pub use report::Marks;
use weights::Weights;

/// What came of a world in which everything held.
pub struct Peace {
    pub hash: u64,
    pub events: u64,
    pub marks: Marks,
}

/// What went wrong, and where to look.
pub struct Violation {
    pub what: String,
    pub report: String,
}

/// After the storm: as long as the longest time-out of client or server, and some.
const HEALING_US: u64 = 120_000_000;
/// After everybody has gone: the last farewell is kept for 30 s, and a vanished peer's socket for 45 s.
const SILENCE_US: u64 = 120_000_000;

/// Turns without time passing: more is a loop that burns the processor and gets nothing done.
const TURNS_AT_ONE_TIME_MAX: u64 = 1000;

struct World {
    net: Network,
    server: Server<Town>,
    clients: Vec<Client>,
    books: SharedBooks,
    is_healed: bool,
    turns: u64,
    turns_at_one_time: u64,
    seed: u64,
    config: Config,
    /// How often the server was frozen and thawed.
    freezes: u64,
}

/// Lives through one world.
pub fn run(seed: u64) -> Result<Peace, Box<Violation>> {
    let mut chance = Chance::new(seed);
    let weights = Weights::draw(&mut chance);
    let drawn = format!("{weights:#?}");
    let mut world = World::new(weights, chance, seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.live()));
    let what = match outcome {
        Ok(Ok(())) => {
            world.count_marks();
            return Ok(Peace {
                hash: world.net.trace.hash(),
                events: world.net.events,
                marks: world.net.marks,
            });
        }
        Ok(Err(what)) => what,
        Err(payload) => {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
            format!("panicked: {}", text.unwrap_or_default())
        }
    };
    let report = format!(
        "SIM_SEED={seed}: {what}\nweights: {drawn}\nthe last events:\n{}",
        world.net.trace.words()
    );
    Err(Box::new(Violation { what, report }))
}

impl World {
    fn new(weights: Weights, chance: Chance, seed: u64) -> Self {
        let books = Rc::new(RefCell::new(Books::default()));
        let server = app::town(weights.config(), Rc::clone(&books), seed);
        let (count, config) = (weights.clients, weights.config());
        let mut net = Network::new(weights, chance);
        let clients = (0..count)
            .map(|index| Client::new(index as usize, &mut net, Rc::clone(&books)))
            .collect();
        Self {
            net,
            server,
            clients,
            books,
            is_healed: false,
            turns: 0,
            turns_at_one_time: 0,
            seed,
            config,
            freezes: 0,
        }
    }

    fn live(&mut self) -> Result<(), String> {
        for client in &self.clients {
            client.rest(&mut self.net);
        }
        self.until(self.net.weights.storm_s * 1_000_000)?;
        self.net.heal();
        self.is_healed = true;
        for client in &mut self.clients {
            client.heal(&mut self.net);
        }
        self.until(self.net.now + HEALING_US)?;
        // From here on nobody asks for anything new.
        self.net.weights.pause_ms = 0;
        self.until(self.net.now + 10_000_000)?;
        // A pong may be under way at any one moment, so each has several to be content in.
        let mut discontent: Vec<usize> = (0..self.clients.len()).collect();
        for _ in 0..5 {
            self.until(self.net.now + 700_000)?;
            discontent.retain(|index| self.clients[*index].complaint().is_some());
        }
        let complaint = |index: &usize| self.clients[*index].complaint();
        if let Some(complaint) = discontent.iter().find_map(complaint) {
            return Err(complaint);
        }
        if self.net.weights.by_signal {
            return self.end_by_signal();
        }
        for client in &mut self.clients {
            client.hang_up(&mut self.net);
        }
        self.until(self.net.now + SILENCE_US)?;
        self.nothing_is_left()
    }

    /// Lets time pass until then.
    fn until(&mut self, end: u64) -> Result<(), String> {
        loop {
            let deadline = self.server.deadline();
            let deadline = deadline.map(|at| self.net.world_time(at).max(self.net.now));
            let next = match (self.net.next_at(), deadline) {
                (Some(a), Some(b)) => a.min(b),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => break,
            };
            if next > end {
                break;
            }
            if next <= self.net.now {
                self.turns_at_one_time += 1;
                if self.turns_at_one_time > TURNS_AT_ONE_TIME_MAX {
                    return Err(format!("I11: the loop spins, deadline {deadline:?}"));
                }
            } else {
                self.turns_at_one_time = 0;
            }
            let late = self.net.chance.below(self.net.weights.lateness_us + 1);
            self.net.now = self.net.now.max(next + late);
            while let Some(event) = self.net.pop_due() {
                self.happen(event)?;
            }
            self.net.turn(&mut self.server);
            self.check()?;
            self.perhaps_freeze()?;
            self.weather();
        }
        self.net.now = self.net.now.max(end);
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        let (net, server) = (&mut self.net, &mut self.server);
        match event {
            Event::Up(link) => net.arrive_up(link),
            Event::Down(link) => {
                let client = &mut self.clients[net.links[link].client];
                if let Some(what) = net.arrive_down(link) {
                    client.heard(net, server, link, what)?;
                }
            }
            Event::Wake(index) => {
                let client = &mut self.clients[index];
                client.tidy(net);
                if !self.is_healed {
                    client.wake(net, server)?;
                } else if net.weights.pause_ms > 0 {
                    client.be_good(net, server);
                } else {
                    return Ok(());
                }
                client.rest(net);
            }
            Event::Accept(link) => net.accept(server, link),
            Event::Herd => self.herd()?,
            Event::Flush(_) | Event::Linger(_) | Event::Unacknowledged(_) | Event::Job => {
                net.fire(server, event);
            }
        }
        Ok(())
    }

    /// What must hold after every turn.
    fn check(&mut self) -> Result<(), String> {
        self.turns += 1;
        if let Some(wrong) = self.books.borrow_mut().violation.take() {
            return Err(wrong);
        }
        let census = self.server.census();
        let engine = census.engine;
        let most = self.net.weights.queue_bytes_max;
        if engine.waiting_bytes_most > most {
            return Err(format!(
                "I7: {} bytes wait for a client",
                engine.waiting_bytes_most
            ));
        }
        let (held, most) = (census.held_bytes_most, self.config.engine.payload_bytes_max);
        if held > most {
            return Err(format!("I7: {held} bytes of a client's are held"));
        }
        let now = self.net.clock().mono;
        let patience = self.config.engine.slow_within + Duration::from_secs(1);
        if let Some(since) = engine
            .slow_since
            .filter(|since| now.since(*since) > patience)
        {
            return Err(format!("I10: slow since {since:?}, and it is {now:?}"));
        }
        if engine.stranded > 0 {
            return Err("I10: packets wait, and nothing will wake them".to_owned());
        }
        if self.turns.is_multiple_of(16) {
            self.rooms_are_as_in_the_books()?;
            self.nobody_is_silent_for_ever()?;
        }
        Ok(())
    }

    /// What happens to the server's machine, and to everybody at once.
    fn weather(&mut self) {
        let net = &mut self.net;
        if net.chance.often(net.weights.deaf) {
            net.run_out_of_descriptors();
        }
        if net.chance.often(net.weights.herd) {
            net.at(0, Event::Herd);
        }
    }

    /// All clients at one instant; in half of the cases they have just lost their connections.
    fn herd(&mut self) -> Result<(), String> {
        self.net.marks.hit("herd");
        let is_cut = self.net.chance.often(500);
        for client in &mut self.clients {
            if is_cut {
                client.hang_up(&mut self.net);
            }
            client.wake(&mut self.net, &mut self.server)?;
        }
        Ok(())
    }

    fn rooms_are_as_in_the_books(&mut self) -> Result<(), String> {
        let books = self.books.borrow();
        for name in NAMESPACES {
            let members = |room: Option<&str>| -> Vec<String> {
                let here = |known: &app::Known| {
                    known.is_in
                        && known.namespace == name
                        && room.is_none_or(|room| known.rooms.contains(room))
                };
                let members = books.sockets.iter().filter(|(_, known)| here(known));
                members.map(|(id, _)| id.clone()).collect()
            };
            for room in ROOMS.into_iter().map(Some).chain([None]) {
                let expected = members(room);
                let found = self.server.with(|context| match room {
                    Some(room) => context.io.of(name).to(room).ids(),
                    None => context.io.of(name).ids(),
                });
                let mut found: Vec<_> = found.iter().map(|id| id.as_str().to_owned()).collect();
                found.sort();
                if found != expected {
                    return Err(format!(
                        "I5: in {name} {room:?} are {found:?} instead of {expected:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The longest that a peer may say nothing: a ping's time, its answer's, put off once, and a slow queue's.
    fn nobody_is_silent_for_ever(&self) -> Result<(), String> {
        let config = &self.config;
        let patience = config.engine.ping_every
            + config.engine.pong_within * 2
            + config.engine.slow_within
            + config.http.body_idle_max
            + config.engine.farewell_within;
        let patience = patience.as_micros() as u64 + 2_000_000;
        for (id, link) in self.net.links.iter().enumerate() {
            let silent = self.net.now - link.heard_at;
            if link.phase != Phase::Gone && silent > patience {
                let (phase, client) = (link.phase, link.client);
                return Err(format!(
                    "I10: link {id} of client {client} is {phase:?} and silent for {silent} us, {} bytes wait",
                    link.outbox_bytes()
                ));
            }
        }
        Ok(())
    }

    fn nothing_is_left(&mut self) -> Result<(), String> {
        let census = self.server.census();
        if census != roomcast::server::Census::default() {
            return Err(format!("I6: after the end {census:?}"));
        }
        let open = self
            .net
            .links
            .iter()
            .filter(|link| link.phase != Phase::Gone);
        match open.count() {
            0 => self.no_handler_panicked(),
            open => Err(format!("I6: {open} connections are open after the end")),
        }
    }

    fn no_handler_panicked(&mut self) -> Result<(), String> {
        match self.server.with(|context| context.io.counters().panics) {
            0 => Ok(()),
            panics => Err(format!("{panics} handlers panicked")),
        }
    }

    /// The orderly end: within the time for it the loop is told to end, and every session was.
    fn end_by_signal(&mut self) -> Result<(), String> {
        self.net.weights.freeze = 0;
        let now = self.net.clock();
        self.server.asked_to_stop(now);
        self.net.turn(&mut self.server);
        let within = self.net.weights.config().socketio.drain_within;
        self.until(self.net.now + within.as_micros() as u64 + 1_000_000)?;
        if self.net.is_listening || !self.net.has_exited {
            return Err("L1: asked to stop, and still there".to_owned());
        }
        self.net.marks.hit("ended by a signal");
        self.no_handler_panicked()
    }

    fn count_marks(&mut self) {
        let (engine, server) = self
            .server
            .with(|context| (context.io.engine_counters(), context.io.counters()));
        let marks = &mut self.net.marks;
        marks.add("upgrade completed", engine.upgraded);
        marks.add("slow consumer cut", engine.slow_consumers);
        marks.add("ping timeout", engine.ping_timeouts);
        marks.add("rule broken", server.violations);
        let books = self.books.borrow();
        for (reason, times) in &books.reasons {
            marks.add(reason, *times);
        }
        for (outcome, times) in &books.answers {
            marks.add(outcome, *times);
        }
    }
}
