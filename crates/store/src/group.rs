// SPDX-License-Identifier: Apache-2.0
//! Group commit: appends that come while another is being written share the next commit.
//!
//! Who finds no group that is forming starts one and leads it: it waits for its turn to write, and
//! takes in all who joined meanwhile. One thread alone therefore writes at once, in its own thread;
//! of many, each commit carries as many as came during the one before.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::entry::{Appended, NewEntry, Position};
use crate::error::{AppendError, LedgerError};

/// One append on its way, of whatever type its seal fails with.
pub(crate) trait Pending: Send {
    /// Returns what is to be appended.
    fn entry(&self) -> &NewEntry;

    /// Makes the bytes. `None` when that failed; the job keeps the reason.
    fn seal(&mut self, position: &Position) -> Option<Vec<u8>>;

    /// Keeps the reason why this entry, and no other of the group, is refused.
    fn refuse(&mut self, error: LedgerError);

    /// Hands the result to the thread that asked: its own failure, else that of the group.
    fn settle(self: Box<Self>, result: Result<Appended, Arc<LedgerError>>);
}

/// The appends that will share a commit.
pub(crate) type Jobs = Vec<Box<dyn Pending>>;

/// The group that takes in new appends, if there is one.
#[derive(Default)]
pub(crate) struct Groups {
    forming: Mutex<Option<Arc<Group>>>,
}

impl std::fmt::Debug for Groups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Groups").finish_non_exhaustive()
    }
}

impl Groups {
    /// Has `jobs` written together with what others bring, and returns when that is done. `write`
    /// waits for the turn to write, calls what it is given for the jobs, and settles each of them.
    pub(crate) fn submit(&self, jobs: Jobs, write: impl FnOnce(&mut dyn FnMut() -> Jobs)) {
        match self.join(jobs) {
            Role::Follower(group) => group.wait(),
            Role::Leader(group) => {
                // Dropped when `write` returns or panics: nobody waits for a leader that is gone.
                let done = Done(&group);
                write(&mut || self.close(&group));
                drop(done);
            }
        }
    }

    fn join(&self, mut jobs: Jobs) -> Role {
        let mut forming = lock(&self.forming);
        if let Some(group) = &*forming {
            let mut state = lock(&group.state);
            if state.jobs.len() < MAX_GROUP {
                state.jobs.append(&mut jobs);
                drop(state);
                return Role::Follower(Arc::clone(group));
            }
        }
        let group = Arc::new(Group::of(jobs));
        *forming = Some(Arc::clone(&group));
        Role::Leader(group)
    }

    /// Ends the forming of a group and returns who is in it.
    fn close(&self, group: &Arc<Group>) -> Jobs {
        let mut forming = lock(&self.forming);
        // A full group has been replaced by the next one.
        if forming
            .as_ref()
            .is_some_and(|other| Arc::ptr_eq(other, group))
        {
            *forming = None;
        }
        drop(forming);
        mem::take(&mut lock(&group.state).jobs)
    }
}

enum Role {
    Leader(Arc<Group>),
    Follower(Arc<Group>),
}

struct Group {
    state: Mutex<State>,
    written: Condvar,
}

struct State {
    jobs: Jobs,
    done: bool,
}

impl Group {
    fn of(jobs: Jobs) -> Self {
        let state = Mutex::new(State { jobs, done: false });
        let written = Condvar::new();
        Self { state, written }
    }

    fn wait(&self) {
        let mut state = lock(&self.state);
        while !state.done {
            state = self
                .written
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Done<'a>(&'a Group);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).done = true;
        self.0.written.notify_all();
    }
}

/// An append of one thread, and where that thread will find its result.
pub(crate) struct Job<E, F> {
    entry: NewEntry,
    seal: Option<F>,
    failure: Option<Failure<E>>,
    slot: Slot<E>,
}

/// Where the result of an append is put.
pub(crate) type Slot<E> = Arc<Mutex<Option<Settled<E>>>>;

/// The result of an append, or the panic of its seal.
pub(crate) enum Settled<E> {
    Result(Result<Appended, AppendError<E>>),
    Panic(Box<dyn Any + Send>),
}

enum Failure<E> {
    Ledger(LedgerError),
    Seal(E),
    Panic(Box<dyn Any + Send>),
}

impl<E, F> Job<E, F> {
    /// Returns a job and the place of its result.
    pub(crate) fn new(entry: NewEntry, seal: F) -> (Self, Slot<E>) {
        let slot = Slot::default();
        let job = Self {
            entry,
            seal: Some(seal),
            failure: None,
            slot: Arc::clone(&slot),
        };
        (job, slot)
    }
}

impl<E, F> Pending for Job<E, F>
where
    E: Send,
    F: FnOnce(&Position) -> Result<Vec<u8>, E> + Send,
{
    fn entry(&self) -> &NewEntry {
        &self.entry
    }

    fn seal(&mut self, position: &Position) -> Option<Vec<u8>> {
        let seal = self.seal.take()?;
        // The seal is the caller's: whatever it does, the others of the group go on.
        let failure = match catch_unwind(AssertUnwindSafe(|| seal(position))) {
            Ok(Ok(bytes)) => return Some(bytes),
            Ok(Err(error)) => Failure::Seal(error),
            Err(panic) => Failure::Panic(panic),
        };
        self.failure = Some(failure);
        None
    }

    fn refuse(&mut self, error: LedgerError) {
        self.failure = Some(Failure::Ledger(error));
    }

    fn settle(mut self: Box<Self>, result: Result<Appended, Arc<LedgerError>>) {
        let settled = match (self.failure.take(), result) {
            (Some(Failure::Panic(panic)), _) => Settled::Panic(panic),
            (Some(Failure::Seal(error)), _) => Settled::Result(Err(AppendError::Seal(error))),
            (Some(Failure::Ledger(error)), _) => Settled::Result(Err(error.into())),
            (None, Ok(appended)) => Settled::Result(Ok(appended)),
            (None, Err(error)) => Settled::Result(Err(LedgerError::shared(error).into())),
        };
        *lock(&self.slot) = Some(settled);
    }
}

/// Takes a result out of its place; a panic of the seal goes on in the thread that asked.
pub(crate) fn take<E>(slot: &Slot<E>) -> Result<Appended, AppendError<E>> {
    let settled = lock(slot).take();
    match settled {
        Some(Settled::Result(result)) => result,
        Some(Settled::Panic(panic)) => resume_unwind(panic),
        None => Err(LedgerError::Abandoned.into()),
    }
}

/// What is under these locks is whole at every step, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Appends in a group that takes in no more.
const MAX_GROUP: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_joins_a_group_whose_leader_panics_is_told() {
        let groups = Groups::default();
        let (job, slot) = Job::new(entry(), |_: &Position| Ok::<_, ()>(vec![1]));
        let (other, other_slot) = Job::new(entry(), |_: &Position| Ok::<_, ()>(vec![1]));
        std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                groups.submit(vec![Box::new(job)], |close| {
                    // joined while the leader waits for its turn
                    scope.spawn(|| groups.submit(vec![Box::new(other)], |_| ()));
                    while lock(&lock(&groups.forming).as_ref().unwrap().state)
                        .jobs
                        .len()
                        < 2
                    {
                        std::thread::yield_now();
                    }
                    drop(close());
                    panic!("defect");
                });
            });
            leader.join().unwrap_err();
        });
        for slot in [slot, other_slot] {
            let error = take(&slot).unwrap_err();
            let AppendError::Ledger(error) = error else {
                panic!("{error:?}")
            };
            assert_eq!(error.code(), "ERR_LEDGER_WRITE");
        }
    }

    fn entry() -> NewEntry {
        NewEntry {
            phase: crate::Phase::Refusal,
            run_id: crate::RunId::try_from("a").unwrap(),
            created_at_ms: 0,
            consumes: Vec::new(),
        }
    }
}
