// SPDX-License-Identifier: Apache-2.0
//! Counting a run from outside, where no control group does: its processes and threads, and the
//! memory that they use. Looking now and then cannot hold a limit exactly, so what is held this way
//! is reported as degraded.

mod tree;

use std::fs;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::statvfs::statvfs;

use crate::outcome::{Limit, LimitReached};
use crate::supervise::pid_of;
use tree::Tree;

/// What is counted, and what of it is too much.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counted {
    pub(crate) memory_bytes: Option<u64>,
    /// Without the launcher.
    pub(crate) max_processes: Option<u64>,
    /// Directories of the sandbox whose files are memory, absolute as it names them.
    pub(crate) scratch: Vec<PathBuf>,
}

/// How often memory is looked at, and processes where they alone are counted.
const MEMORY_EVERY: Duration = Duration::from_millis(25);
const PROCESSES_EVERY: Duration = Duration::from_millis(100);
/// When what was too much is looked at once more: a number that was read while it changed kills
/// nothing.
const AGAIN_AFTER: Duration = Duration::from_millis(5);

impl Counted {
    pub(crate) const fn is_nothing(&self) -> bool {
        self.memory_bytes.is_none() && self.max_processes.is_none()
    }

    /// How often it is looked, in words of a receipt.
    pub(crate) const fn every(&self) -> Duration {
        if self.memory_bytes.is_some() {
            MEMORY_EVERY
        } else {
            PROCESSES_EVERY
        }
    }
}

/// Counts one run.
#[derive(Debug)]
pub(crate) struct Counter {
    what: Counted,
    /// Process 1 of the sandbox, as we number it.
    first: u32,
    next_at: Instant,
    suspected: Option<Limit>,
}

impl Counter {
    /// Returns what counts the run of this process, if there is something to count. Where `/proc`
    /// does not show us the process, nothing can be counted.
    pub(crate) fn of(process: BorrowedFd<'_>, what: &Counted) -> Option<Self> {
        if what.is_nothing() {
            return None;
        }
        let first = pid_of(process)?;
        // a kernel may be built without this list
        fs::metadata(format!("/proc/{first}/task/{first}/children")).ok()?;
        let next_at = Instant::now().checked_add(what.every())?;
        Some(Self {
            what: what.clone(),
            first,
            next_at,
            suspected: None,
        })
    }

    pub(crate) const fn next_at(&self) -> Instant {
        self.next_at
    }

    /// Looks, if it is time to; returns the limit that was reached.
    pub(crate) fn look(&mut self) -> Option<LimitReached> {
        let now = Instant::now();
        if now < self.next_at {
            return None;
        }
        let found = self.count();
        let limit = found.as_ref().map(|found| found.limit);
        let is_sure = limit.is_some() && limit == self.suspected;
        self.suspected = limit;
        let pause = if limit.is_some() {
            AGAIN_AFTER
        } else {
            self.what.every()
        };
        self.next_at = now.checked_add(pause).unwrap_or(now);
        found.filter(|_| is_sure)
    }

    fn count(&self) -> Option<LimitReached> {
        let tree = Tree::read(self.first, self.what.max_processes);
        if let Some(most) = self.what.max_processes
            && tree.tasks > most
        {
            let evidence = format!("more than {most} processes and threads were counted");
            let limit = Limit::Pids;
            return Some(LimitReached { limit, evidence });
        }
        let most = self.what.memory_bytes?;
        let files = self.scratch_bytes();
        if tree.memory_bytes().saturating_add(files) <= most {
            return None;
        }
        // shared pages were counted for each that has them
        let used = tree.exact_memory_bytes().saturating_add(files);
        (used > most).then(|| LimitReached {
            limit: Limit::Oom,
            evidence: format!("{used} bytes of memory were counted, with a limit of {most}"),
        })
    }

    fn scratch_bytes(&self) -> u64 {
        let root = PathBuf::from(format!("/proc/{}/root", self.first));
        let used = |path: &PathBuf| {
            let below = path.strip_prefix("/").ok()?;
            let found = statvfs(&root.join(below)).ok()?;
            let blocks = found.blocks().saturating_sub(found.blocks_free());
            Some(blocks.saturating_mul(found.fragment_size()))
        };
        let all = self.what.scratch.iter().filter_map(used);
        all.fold(0, u64::saturating_add)
    }
}
