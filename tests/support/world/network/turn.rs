//! The loop's part of the bargain: facts, actions and writing, in the reactor's own order.
//!
//! Left out: listing by readiness; whoever has news is simply listed.

use std::any::Any;
use std::io;

use roomcast::Server;
use roomcast::reactor::lanes::Full;
use roomcast::reactor::{Action, Close, ConnId, Service};
use roomcast::time::Now;

use super::{
    Desk, Event, FLUSH_WITHIN, INBOX_BYTES_MAX, JOBS_WAITING_MAX, Link, LinkId, Network, Phase,
    Running, TURNS_AT_ONCE_MAX, UNACKNOWLEDGED_WITHIN,
};
use crate::simulation::app::Town;

impl Link {
    /// Shows the server what has come, and sees that it does no more with it than it may.
    fn shown(&mut self, service: &mut Server<Town>, now: Now, packets_per_turn: usize) -> usize {
        let (shown, before) = (self.inbox.len(), service.work());
        let is_post = self.inbox.starts_with(b"POST");
        let taken = service.received(now, self.conn, &mut self.inbox);
        let work = service.work();
        assert!(taken <= shown, "I11: more taken than shown");
        self.inbox.drain(..taken);
        // Of frames as many as there are, each of at least six bytes; of a post no more packets than a turn bears, and
        // its head alone has 130 bytes.
        let most = if is_post {
            packets_per_turn * (shown / 130 + 1)
        } else {
            shown / 6 + 1
        };
        let messages = work.messages - before.messages;
        assert!(
            messages <= most as u64,
            "I11: {messages} messages out of {shown} bytes"
        );
        let bytes = work.http_bytes - before.http_bytes;
        assert!(
            bytes <= 8 * shown as u64,
            "I11: {bytes} bytes of work on {shown}"
        );
        taken
    }
}

impl Network {
    pub(super) fn list(&mut self, id: LinkId) {
        if !std::mem::replace(&mut self.links[id].listed, true) {
            self.listed.push(id);
        }
    }

    pub(super) fn heat(&mut self, id: LinkId) {
        if !std::mem::replace(&mut self.links[id].to_write, true) {
            self.to_write.push(id);
        }
    }

    fn find(&self, conn: ConnId) -> Option<LinkId> {
        let (generation, link) = self.slots.get(conn.slot() as usize)?;
        link.filter(|_| *generation == conn.generation())
    }

    /// A turn of the loop, and those that follow at once.
    pub fn turn(&mut self, service: &mut Server<Town>) {
        for count in 0.. {
            assert!(count < TURNS_AT_ONCE_MAX, "I11: the loop spins");
            self.is_told_again = false;
            let listed = std::mem::take(&mut self.listed);
            for id in listed {
                self.links[id].listed = false;
                self.read(service, id);
            }
            let now = self.clock();
            if service.deadline().is_some_and(|at| at <= now.mono) {
                let (before, posts) = (service.work(), service.census().posts);
                service.elapsed(now);
                let messages = service.work().messages - before.messages;
                let most = posts * self.weights.packets_per_turn;
                assert!(
                    messages <= most as u64,
                    "I11: {messages} messages of {posts} posts in a turn"
                );
            }
            while let Some(action) = service.poll_action() {
                self.perform(action);
            }
            for id in std::mem::take(&mut self.to_write) {
                self.links[id].to_write = false;
                self.offer(service, id);
            }
            for id in std::mem::take(&mut self.settling) {
                if self.links[id].outbox_bytes == 0 {
                    self.finish(id);
                } else {
                    self.wait_for_flush(id);
                }
            }
            // No time passes within a turn of this world.
            service.turned(self.clock().mono.since(now.mono));
            if !self.is_told_again && self.listed.is_empty() {
                return;
            }
        }
    }

    fn read(&mut self, service: &mut Server<Town>, id: LinkId) {
        let now = self.clock();
        if !self.links[id].is_accepted {
            return;
        }
        if self.links[id].is_broken {
            let error = io::ErrorKind::ConnectionReset.into();
            return self.broken(service, id, error);
        }
        match self.links[id].phase {
            Phase::Open => self.read_open(service, now, id),
            Phase::Lingering => self.read_into_nothing(id),
            Phase::Ended | Phase::Flushing | Phase::Gone => {}
        }
    }

    fn read_open(&mut self, service: &mut Server<Town>, now: Now, id: LinkId) {
        if self.has_exited {
            return;
        }
        let link = &mut self.links[id];
        if std::mem::take(&mut link.show) && !link.inbox.is_empty() {
            link.shown(service, now, self.weights.packets_per_turn);
            self.marks.hit("shown again");
        }
        let link = &mut self.links[id];
        let mut budget = 256 * 1024_usize;
        while !link.held {
            let room = INBOX_BYTES_MAX.saturating_sub(link.inbox.len());
            if room == 0 {
                self.marks.hit("inbox full");
                return;
            }
            if budget == 0 {
                return self.list(id);
            }
            let count = room
                .min(link.arrived.len())
                .min(self.weights.read_bytes as usize);
            if count == 0 {
                if link.has_arrived_end {
                    link.phase = Phase::Ended;
                    link.inbox.clear();
                    self.settling.push(id);
                    service.closed(now, link.conn, Ok(()));
                }
                break;
            }
            budget = budget.saturating_sub(count);
            let fresh: Vec<u8> = link.arrived.drain(..count).collect();
            let is_left_over = !link.inbox.is_empty();
            link.inbox.extend_from_slice(&fresh);
            let taken = link.shown(service, now, self.weights.packets_per_turn);
            if is_left_over && taken > 0 {
                self.marks.hit("taken with what was left");
            }
        }
        self.schedule_up(id);
    }

    fn read_into_nothing(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        let count = link.arrived.len();
        link.arrived.clear();
        let left = link.linger.map_or(0, |(bytes, _)| bytes);
        if count > left || link.has_arrived_end {
            return self.remove(id);
        }
        link.linger = link.linger.map(|(bytes, time)| (bytes - count, time));
        self.schedule_up(id);
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Send(conn, bytes) => {
                let Some(id) = self.find(conn) else { return };
                let link = &mut self.links[id];
                if matches!(link.phase, Phase::Open | Phase::Ended) {
                    link.outbox_bytes += bytes.len();
                    link.outbox.push_back(bytes);
                    if !link.refused {
                        self.heat(id);
                    }
                }
            }
            Action::Tell(conn) => {
                if let Some(id) = self.find(conn) {
                    self.links[id].tell = true;
                    self.heat(id);
                }
            }
            Action::Close(conn, how) => {
                if let Some(id) = self.find(conn) {
                    self.close_by_server(id, how);
                }
            }
            Action::Hold(conn) => {
                if let Some(id) = self.find(conn) {
                    self.links[id].held = true;
                    self.links[id].show = false;
                    self.marks.hit("held");
                }
            }
            Action::Show(conn) => {
                let Some(id) = self.find(conn) else { return };
                let link = &mut self.links[id];
                link.held = false;
                if link.phase == Phase::Open {
                    link.show = !link.inbox.is_empty();
                    self.list(id);
                }
            }
            Action::Connect(..) => panic!("nobody here asks to connect"),
            Action::Run(_, id, job) => {
                let is_refused = self.jobs.len() >= JOBS_WAITING_MAX;
                self.jobs.push_back(Running {
                    id,
                    run: job,
                    is_refused,
                });
                let delay = self.chance.below(2_000_000);
                self.at(delay, Event::Job);
            }
            Action::StopListening => self.is_listening = false,
            Action::Exit => self.has_exited = true,
        }
    }

    fn close_by_server(&mut self, id: LinkId, how: Close) {
        let link = &mut self.links[id];
        match (how, link.phase) {
            (Close::Reset, _) => {
                link.down.clear();
                link.down_reset = true;
                self.marks.hit("reset by the server");
                self.remove(id);
                return self.schedule_down(id);
            }
            (_, Phase::Open) => {}
            (_, _) => return,
        }
        link.inbox.clear();
        if let Close::Linger { bytes, time } = how {
            link.linger = Some((bytes, time));
        }
        link.phase = Phase::Flushing;
        self.settling.push(id);
        self.heat(id);
    }

    /// Offers the kernel what waits.
    fn offer(&mut self, service: &mut impl Service, id: LinkId) {
        let now = self.clock();
        let link = &mut self.links[id];
        if link.phase == Phase::Gone {
            return;
        }
        let was_empty = link.down.is_empty();
        // Where nobody reads any more, the client's kernel takes all and throws it away.
        let is_void = !link.is_open && !link.is_dead;
        let capacity = if is_void { usize::MAX } else { link.capacity };
        while let Some(bytes) = link.outbox.front_mut() {
            let room = capacity.saturating_sub(link.down.len());
            let count = room.min(bytes.len());
            link.down.extend(&bytes[..count]);
            link.outbox_bytes -= count;
            if count < bytes.len() {
                bytes.advance(count);
                break;
            }
            link.outbox.pop_front();
        }
        let (is_dead, left, conn) = (link.is_dead, link.outbox_bytes, link.conn);
        match (left, link.phase) {
            (1.., Phase::Open) => {
                link.refused = true;
                service.refused(now, conn, left);
                self.is_told_again = true;
                self.marks.hit("refused by the kernel");
            }
            (1.., _) => link.refused = true,
            (0, Phase::Open) => {
                let was_refused = std::mem::take(&mut link.refused);
                if std::mem::take(&mut link.tell) || was_refused {
                    service.drained(now, conn);
                    self.is_told_again = true;
                }
            }
            (0, Phase::Ended | Phase::Flushing) => {
                link.refused = false;
                // Before its settling nothing is finished, or it would be finished twice.
                if !self.settling.contains(&id) {
                    self.finish(id);
                }
            }
            (0, Phase::Lingering | Phase::Gone) => {}
        }
        if is_dead && was_empty && !self.links[id].down.is_empty() {
            let after = UNACKNOWLEDGED_WITHIN.as_micros() as u64;
            self.at(after, Event::Unacknowledged(id));
        }
        if is_void {
            self.links[id].down.clear();
        }
        self.schedule_down(id);
    }

    fn finish(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        match (link.phase, link.linger) {
            (Phase::Flushing, Some((_, time))) => {
                link.phase = Phase::Lingering;
                link.down_end = true;
                self.at(time.as_micros() as u64, Event::Linger(id));
                self.list(id);
                self.schedule_down(id);
                self.marks.hit("lingered");
            }
            (Phase::Ended | Phase::Flushing, _) => self.remove(id),
            (Phase::Open | Phase::Lingering | Phase::Gone, _) => {}
        }
    }

    pub(super) fn remove(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        if link.phase == Phase::Gone {
            return;
        }
        link.phase = Phase::Gone;
        link.outbox.clear();
        link.outbox_bytes = 0;
        link.inbox = Vec::new();
        link.down_end = true;
        if !link.arrived.is_empty() && link.is_open {
            // Closing with unread input makes the kernel send a reset.
            link.down.clear();
            link.down_reset = true;
        }
        if link.is_accepted {
            self.slots[link.conn.slot() as usize].1 = None;
        }
        self.schedule_down(id);
    }

    fn broken(&mut self, service: &mut impl Service, id: LinkId, error: io::Error) {
        let was_open = self.links[id].phase == Phase::Open;
        self.links[id].is_broken = false;
        self.remove(id);
        if was_open {
            service.closed(self.clock(), self.links[id].conn, Err(error));
            self.is_told_again = true;
        }
    }

    /// A link being closed has so long to take some of what waits for it.
    fn wait_for_flush(&mut self, id: LinkId) {
        self.links[id].flush_bytes = self.links[id].outbox_bytes;
        self.at(FLUSH_WITHIN.as_micros() as u64, Event::Flush(id));
    }

    /// A timer of the loop, or a job, has come to its end.
    pub fn fire(&mut self, service: &mut impl Service, event: Event) {
        match event {
            Event::Flush(id) if matches!(self.links[id].phase, Phase::Ended | Phase::Flushing) => {
                let link = &self.links[id];
                if link.outbox_bytes < link.flush_bytes {
                    return self.wait_for_flush(id);
                }
                self.marks.hit("flush timed out");
                self.remove(id);
            }
            Event::Linger(id) if self.links[id].phase == Phase::Lingering => self.remove(id),
            Event::Unacknowledged(id) if self.links[id].phase != Phase::Gone => {
                self.marks.hit("unacknowledged");
                self.broken(service, id, io::ErrorKind::TimedOut.into());
            }
            Event::Job => {
                let Some(job) = self.jobs.pop_front() else {
                    return;
                };
                let outcome: Box<dyn Any + Send> = (job.run)(&mut Desk);
                let outcome = if job.is_refused {
                    self.marks.hit("lane full");
                    Err(Box::new(Full) as Box<dyn Any + Send>)
                } else {
                    Ok(outcome)
                };
                service.finished(self.clock(), job.id, outcome);
            }
            _ => {}
        }
    }
}
