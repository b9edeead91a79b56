// SPDX-License-Identifier: Apache-2.0
//! Control groups: memory and processes of a whole run, counted and limited by the kernel
//! (`cgroups(7)`).
//!
//! *Ground*: directories that this process made for itself where groups were delegated to it. *Leaf*:
//! the group of one run. Leaves that are free are kept for the next run. Whether there is a ground is
//! found out by making one, once; its leaves go when the process ends in order, and those of a
//! process that was killed with the next one that starts.

mod leaf;
mod mounts;
mod settle;

use std::fs;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::sys;

use leaf::Leaf;
pub(crate) use leaf::Lease;
use settle::Ground;

/// What a group is to hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ask {
    pub(crate) memory_bytes: Option<u64>,
    /// All processes and threads, the launcher among them.
    pub(crate) pids: Option<u64>,
}

/// What this process has of groups.
#[derive(Debug)]
enum Pool {
    NotTried,
    Refused(String),
    Open {
        ground: Ground,
        idle: Vec<Leaf>,
        made: u64,
    },
}

static POOL: Mutex<Pool> = Mutex::new(Pool::NotTried);

fn pool() -> MutexGuard<'static, Pool> {
    // a panic elsewhere leaves leaves that are busy or idle, which is all there is to know
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a group with these limits, for one run.
///
/// # Errors
/// Why this machine gives none, in words.
pub(crate) fn lease(ask: Ask) -> Result<Lease, String> {
    let first = take()?.limited(ask);
    let Err(reason) = first else { return first };
    // somebody may have removed what we had made
    release_groups(&mut pool());
    take()?.limited(ask).or(Err(reason))
}

fn take() -> Result<Leaf, String> {
    let mut pool = pool();
    if let Pool::NotTried = *pool {
        *pool = match settle::settle(&seats()) {
            Ok(ground) => {
                IS_REGISTERED.call_once(|| {
                    let _else_the_next_process_does = sys::at_exit(at_exit);
                });
                Pool::Open {
                    ground,
                    idle: Vec::new(),
                    made: 0,
                }
            }
            Err(reason) => Pool::Refused(reason),
        };
    }
    match &mut *pool {
        Pool::NotTried => Err("not tried".to_owned()),
        Pool::Refused(reason) => Err(reason.clone()),
        Pool::Open { ground, idle, made } => {
            if let Some(leaf) = idle.pop() {
                return Ok(leaf);
            }
            *made = made.saturating_add(1);
            Leaf::make(ground, *made)
        }
    }
}

fn seats() -> mounts::Seats {
    let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    mounts::seats(&read("mountinfo"), &read("cgroup"))
}

/// Takes a leaf back that nobody is in any more.
fn give_back(leaf: Leaf) {
    match &mut *pool() {
        Pool::Open { ground, idle, .. } if leaf.is_in(ground) => idle.push(leaf),
        Pool::NotTried | Pool::Refused(_) | Pool::Open { .. } => leaf.remove(),
    }
}

/// Removes the groups that no run is in; runs that come later make new ones.
fn release_groups(pool: &mut Pool) {
    if let Pool::Open { ground, idle, .. } = pool {
        for leaf in idle.drain(..) {
            leaf.remove();
        }
        settle::remove_all(&ground.memory);
        settle::remove_all(&ground.pids);
        *pool = Pool::NotTried;
    }
}

/// Leaves nothing behind. A thread that has the pool at this moment is in a run, and what is left then
/// goes with the next process.
extern "C" fn at_exit() {
    if let Ok(mut pool) = POOL.try_lock() {
        release_groups(&mut pool);
    }
}

/// Whether the end of this process will release what it has.
static IS_REGISTERED: Once = Once::new();
