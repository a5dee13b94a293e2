//! Threads for what blocks: hashing, the disk, resolving names.
//!
//! A lane is one thread that owns an `L`, made on that thread. Jobs go in; outcomes come home to the loop.
//! Knows neither what `L` is nor what a job does.
//! Left out: several threads for one lane (name two lanes), and taking a job back (its outcome may be ignored).

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::Waker;

use super::{Job, JobId, LaneId};

/// What a job came to.
pub type Outcome = thread::Result<Box<dyn Any + Send>>;

/// What a lane's thread owns.
pub trait Worker: Sized + 'static {
    /// Runs everything that waited for the lane. `run` performs the jobs one after the other; what they returned leaves
    /// the lane only when this has returned, so a store opens a transaction before and commits it after.
    ///
    /// # Errors
    /// With a payload, every job of the batch finishes with a [`BatchFailed`] that shares it, whatever the job itself
    /// returned. The same happens if this panics, with what it panicked with.
    fn batch(&mut self, run: &mut dyn FnMut(&mut Self)) -> Result<(), Box<dyn Any + Send>> {
        run(self);
        Ok(())
    }
}

/// So much time of its lane, for a job that cannot know beforehand how long it will take: it looks now and then whether that
/// is over.
#[derive(Clone, Copy, Debug)]
pub struct Stint {
    began: Instant,
    lasts: Duration,
}

impl Stint {
    /// Begins now, on the lane's thread.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "a lane's thread is not the loop's, whose time stands still while a job runs"
    )]
    pub fn begin(lasts: Duration) -> Self {
        Self {
            began: Instant::now(),
            lasts,
        }
    }

    /// Whether the time is up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.began.elapsed() >= self.lasts
    }
}

/// The outcome of a job for which its lane had no room: as many wait as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The outcome of a job for a lane that was never adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchLane;

/// The outcome of a job whose batch failed, or whose lane could not be made: all that were in it share one payload.
#[derive(Clone)]
pub struct BatchFailed(Arc<Mutex<Box<dyn Any + Send>>>);

impl BatchFailed {
    fn new(payload: Box<dyn Any + Send>) -> Self {
        Self(Arc::new(Mutex::new(payload)))
    }

    /// A copy of the payload, if it is an `E`.
    #[must_use]
    pub fn cause<E: Clone + 'static>(&self) -> Option<E> {
        lock(&self.0).downcast_ref::<E>().cloned()
    }
}

impl fmt::Debug for BatchFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchFailed").finish_non_exhaustive()
    }
}

/// What the thread of a lane owns that finds out addresses: nothing, but asking blocks.
#[derive(Debug)]
pub struct Names;

impl Worker for Names {}

impl Names {
    /// The addresses of a host's name, with a port.
    ///
    /// # Errors
    /// If the name has no address, or nobody could be asked.
    pub fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }
}

/// The typed name of a lane whose thread owns an `L`.
pub struct Lane<L> {
    id: LaneId,
    owns: PhantomData<fn(&mut L)>,
}

impl<L> Clone for Lane<L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<L> Copy for Lane<L> {}
impl<L> fmt::Debug for Lane<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lane {}", self.id.0)
    }
}

impl<L: Worker> Lane<L> {
    /// The lane that was, or will be, adopted under `id`.
    #[must_use]
    pub const fn new(id: LaneId) -> Self {
        Self {
            id,
            owns: PhantomData,
        }
    }

    /// The untyped name, for [`super::Action::Run`].
    #[must_use]
    pub const fn id(self) -> LaneId {
        self.id
    }

    /// A lane to be adopted: at most `queue_max` jobs wait for it, and `make` runs on its thread.
    pub fn spec(
        id: LaneId,
        name: impl Into<String>,
        queue_max: usize,
        make: impl FnOnce() -> L + Send + 'static,
    ) -> Spec {
        let work = Box::new(move |queue: Arc<Queue>, home: Arc<Home>| work(make, &queue, &home));
        Spec {
            id,
            name: name.into(),
            queue_max,
            work,
        }
    }

    /// A job for this lane.
    pub fn job<T: Send + 'static>(self, work: impl FnOnce(&mut L) -> T + Send + 'static) -> Job {
        Box::new(move |owned| {
            let owned = owned
                .downcast_mut::<L>()
                .expect("a job goes to the lane that made it");
            Box::new(work(owned))
        })
    }
}

/// A lane that is not yet running.
pub struct Spec {
    id: LaneId,
    name: String,
    queue_max: usize,
    work: Box<dyn FnOnce(Arc<Queue>, Arc<Home>) + Send>,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            name,
            queue_max,
            ..
        } = self;
        write!(f, "lane {} ({name}, at most {queue_max} waiting)", id.0)
    }
}

/// What waits for one lane.
struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<(JobId, Job)>,
    closed: bool,
}

/// Where the outcomes of all lanes come together.
pub(super) struct Home {
    finished: Mutex<Vec<(JobId, Outcome)>>,
    waker: Arc<Waker>,
}

impl Home {
    fn bring(&self, outcomes: &mut Vec<(JobId, Outcome)>) {
        let mut finished = lock(&self.finished);
        let was_empty = finished.is_empty();
        finished.append(outcomes);
        let wake = was_empty && !finished.is_empty();
        drop(finished);
        if wake && let Err(error) = self.waker.wake() {
            log::debug!("waking the loop: {error}");
        }
    }
}

/// The lanes that run.
pub(super) struct Lanes {
    running: Vec<Running>,
    home: Arc<Home>,
}

struct Running {
    id: LaneId,
    queue_max: usize,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Lanes {
    pub(super) fn new(waker: Arc<Waker>) -> Self {
        let home = Arc::new(Home {
            finished: Mutex::new(Vec::new()),
            waker,
        });
        Self {
            running: Vec::new(),
            home,
        }
    }

    /// Starts a lane's thread.
    pub(super) fn adopt(&mut self, spec: Spec) -> io::Result<()> {
        let Spec {
            id,
            name,
            queue_max,
            work,
        } = spec;
        debug_assert!(
            self.running.iter().all(|lane| lane.id != id),
            "two lanes of one name"
        );
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let (theirs, home) = (Arc::clone(&queue), Arc::clone(&self.home));
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || work(theirs, home))?;
        self.running.push(Running {
            id,
            queue_max,
            queue,
            thread: Some(thread),
        });
        Ok(())
    }

    /// Gives a job to a lane, or says what to tell instead of its outcome.
    pub(super) fn run(&self, id: LaneId, job_id: JobId, job: Job) -> Result<(), Outcome> {
        let Some(lane) = self.running.iter().find(|lane| lane.id == id) else {
            debug_assert!(false, "a job for {id:?}, which was never adopted");
            return Err(Err(Box::new(NoSuchLane)));
        };
        let mut waiting = lock(&lane.queue.state);
        if waiting.jobs.len() >= lane.queue_max {
            return Err(Err(Box::new(Full)));
        }
        waiting.jobs.push_back((job_id, job));
        drop(waiting);
        lane.queue.changed.notify_one();
        Ok(())
    }

    /// Swaps what has come home for an empty list.
    pub(super) fn collect(&self, outcomes: &mut Vec<(JobId, Outcome)>) {
        std::mem::swap(&mut *lock(&self.home.finished), outcomes);
    }

    /// Drops the jobs that wait; those that run are not to be stopped.
    pub(super) fn abandon(&self) {
        for lane in &self.running {
            let jobs = std::mem::take(&mut lock(&lane.queue.state).jobs);
            drop(jobs);
        }
    }

    /// Lets every lane finish what waits for it, and waits for their threads in the order in which they were adopted.
    pub(super) fn join(&mut self) {
        for lane in &self.running {
            lock(&lane.queue.state).closed = true;
            lane.queue.changed.notify_one();
        }
        for lane in &mut self.running {
            // The thread catches what its jobs and its worker panic with, so only a panicking drop gets here.
            if lane
                .thread
                .take()
                .is_some_and(|thread| thread.join().is_err())
            {
                log::error!("lane {} panicked at its end", lane.id.0);
            }
        }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.join();
    }
}

/// The life of a lane's thread.
fn work<L: Worker>(make: impl FnOnce() -> L, queue: &Queue, home: &Home) {
    let mut made = catch_unwind(AssertUnwindSafe(make)).map_err(BatchFailed::new);
    let mut outcomes = Vec::new();
    while let Some(jobs) = next_batch(queue) {
        match &mut made {
            Ok(worker) => run_batch(worker, jobs, &mut outcomes),
            Err(failed) => outcomes.extend(jobs.into_iter().map(|(id, _)| (id, failure(failed)))),
        }
        home.bring(&mut outcomes);
    }
}

/// Waits until there are jobs; `None` when there will be no more.
fn next_batch(queue: &Queue) -> Option<VecDeque<(JobId, Job)>> {
    let mut waiting = lock(&queue.state);
    loop {
        if !waiting.jobs.is_empty() {
            return Some(std::mem::take(&mut waiting.jobs));
        }
        if waiting.closed {
            return None;
        }
        waiting = queue
            .changed
            .wait(waiting)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

fn run_batch<L: Worker>(
    worker: &mut L,
    mut jobs: VecDeque<(JobId, Job)>,
    outcomes: &mut Vec<(JobId, Outcome)>,
) {
    let mut run = |worker: &mut L| {
        while let Some((id, job)) = jobs.pop_front() {
            // What a job leaves half done in its worker when it panics is for the worker's author to bear in mind
            // (a store rolls the job's savepoint back); the lane itself holds nothing across the call.
            outcomes.push((id, catch_unwind(AssertUnwindSafe(|| job(worker)))));
        }
    };
    let result = catch_unwind(AssertUnwindSafe(|| worker.batch(&mut run)));
    let payload = match result {
        Ok(Ok(())) if jobs.is_empty() => return,
        Ok(Ok(())) => Box::new("the batch ended without running its jobs"),
        Ok(Err(payload)) | Err(payload) => payload,
    };
    let failed = BatchFailed::new(payload);
    for (_, outcome) in outcomes.iter_mut().filter(|(_, outcome)| outcome.is_ok()) {
        *outcome = failure(&failed);
    }
    outcomes.extend(jobs.into_iter().map(|(id, _)| (id, failure(&failed))));
}

fn failure(failed: &BatchFailed) -> Outcome {
    Err(Box::new(failed.clone()))
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
