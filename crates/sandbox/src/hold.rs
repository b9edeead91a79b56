// SPDX-License-Identifier: Apache-2.0
//! What holds memory and processes of a run: a control group where this machine gives one, else
//! limits of each process, the numbers that the pid namespace gives out, and counting.

use std::path::PathBuf;

use nix::sys::utsname::uname;

use crate::cgroup::{self, Ask, Lease};
use crate::counting::Counted;
use crate::host::Caller;
use crate::layout::{Layout, Place};
use crate::outcome::{Limit, LimitReached};
use crate::plan::LaunchPlan;

/// Whether a control group holds a run.
#[derive(Debug)]
pub(crate) enum Group {
    Leased(Lease),
    /// Nothing asked for one.
    NotAsked,
    /// This machine gives none, and why.
    Unavailable(String),
}

/// What holds the limits of a run that are not those of a single process.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) group: Group,
    /// The highest process number that is asked for; where the kernel has one for each namespace.
    pub(crate) pid_max: Option<u32>,
    /// What is counted from outside.
    pub(crate) counted: Counted,
    /// Data of each process, bytes: a ceiling, where memory is only counted.
    pub(crate) data_bytes: Option<u64>,
}

/// Numbers below this are not given out again once they were used, so that a namespace that may give
/// out no higher ones than this and `n` has at least `n` left (`RESERVED_PIDS` of the kernel).
pub(crate) const RESERVED_PIDS: u64 = 300;
/// The kernel's own highest number (`PID_MAX_LIMIT`).
const PID_MAX_LIMIT: u64 = 4 << 20;
/// How often the limit on memory each process may have as data: what it maps and does not touch is
/// data too, so the count comes first, and this is for what grows between two looks.
const DATA_PER_MEMORY: u64 = 2;

impl Hold {
    /// Decides, and takes a control group where memory is limited, or processes are and nothing else
    /// can hold them.
    pub(crate) fn of(plan: &LaunchPlan, caller: Caller, layout: Option<&Layout>) -> Self {
        let limits = &plan.limits;
        let pid_max = limits.max_processes.and_then(pid_max);
        let exempt = limits.max_processes.is_some() && caller.uid.is_root();
        let group = if limits.memory_bytes.is_some() || (exempt && pid_max.is_none()) {
            let ask = Ask {
                memory_bytes: limits.memory_bytes,
                pids: limits.max_processes.map(|most| most.saturating_add(1)),
            };
            match cgroup::lease(ask) {
                Ok(lease) => Group::Leased(lease),
                Err(reason) => Group::Unavailable(reason),
            }
        } else {
            Group::NotAsked
        };
        let is_grouped = matches!(group, Group::Leased(_));
        let memory = limits.memory_bytes.filter(|_| !is_grouped);
        let counted = Counted {
            memory_bytes: memory,
            max_processes: limits.max_processes.filter(|_| exempt && !is_grouped),
            scratch: layout.map_or_else(Vec::new, scratch),
        };
        Self {
            group,
            pid_max,
            counted,
            data_bytes: memory.map(|most| most.saturating_mul(DATA_PER_MEMORY)),
        }
    }

    /// Returns the limits that were reached, by what was counted outside and in the group.
    pub(crate) fn reached(&self, counted: Option<LimitReached>) -> Vec<LimitReached> {
        let mut all: Vec<LimitReached> = counted.into_iter().collect();
        let counts = self.lease().map(Lease::counts).unwrap_or_default();
        let mut add = |limit, number: u64, what: &str| {
            if number > 0 {
                let evidence = format!("{what} {number}, as the control group counts");
                all.push(LimitReached { limit, evidence });
            }
        };
        add(Limit::Oom, counts.oom_kills, "oom_kill");
        add(Limit::Pids, counts.refused_forks, "pids.events max");
        all
    }

    pub(crate) const fn lease(&self) -> Option<&Lease> {
        match &self.group {
            Group::Leased(lease) => Some(lease),
            Group::NotAsked | Group::Unavailable(_) => None,
        }
    }
}

/// Directories of the sandbox whose files are memory.
fn scratch(layout: &Layout) -> Vec<PathBuf> {
    let places = layout.places.iter();
    places
        .filter(|(_, place)| matches!(place, Place::Scratch))
        .map(|(path, _)| path.clone())
        .collect()
}

/// Returns the highest number for so many processes, where the kernel has a limit for each pid
/// namespace: since 6.14. Before, the same file is the whole machine's.
fn pid_max(processes: u64) -> Option<u32> {
    let names = uname().ok()?;
    if !is_since_6_14(names.release().to_str()?) {
        return None;
    }
    // the launcher is one more, and the number itself is not given out
    let highest = processes.saturating_add(RESERVED_PIDS).saturating_add(2);
    u32::try_from(highest.min(PID_MAX_LIMIT)).ok()
}

fn is_since_6_14(release: &str) -> bool {
    let mut parts = release.split(|it: char| !it.is_ascii_digit());
    let mut next = || parts.next().and_then(|it| it.parse::<u32>().ok());
    match (next(), next()) {
        (Some(major), Some(minor)) => (major, minor) >= (6, 14),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kernel_with_the_limit_of_namespaces_is_asked_for_it() {
        let table = [
            ("6.14.0", true),
            ("6.18.44-fc-v669", true),
            ("7.0-rc1", true),
            ("6.13.9", false),
            ("5.15.0-91-generic", false),
            ("6", false),
            ("", false),
            ("v6.14", false),
            ("4.4.302-g6.14", false),
        ];
        for (release, want) in table {
            assert_eq!(is_since_6_14(release), want, "{release}");
        }
    }
}
