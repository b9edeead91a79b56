// SPDX-License-Identifier: Apache-2.0
//! What held memory, processes and output of a run.

use ambit_launcher::Observation;

use super::{Evidence, Mechanism, State};
use crate::hold::{Group, Hold};

type Row = (&'static str, Mechanism);

impl Evidence<'_> {
    /// Returns the mechanisms that hold a whole run. `counting` says whether it was counted from
    /// outside.
    pub(crate) fn limits(&self, seen: &Observation, hold: &Hold, counting: bool) -> [Row; 4] {
        [
            ("cgroup_limits", group(hold)),
            ("memory_limit", self.memory(hold, counting)),
            ("output_limit", self.output()),
            ("process_limit", self.processes(seen, hold, counting)),
        ]
    }

    fn memory(&self, hold: &Hold, counting: bool) -> Mechanism {
        let Some(most) = self.plan.limits.memory_bytes else {
            return Mechanism::new(State::NotRequested);
        };
        let row = |state| Mechanism::new(state).fact("memory_bytes", most.to_string());
        if let Group::Leased(lease) = &hold.group {
            let by = row(State::Enforced).fact("held_by", "a control group");
            let counts_swap = ["memory.swap.max", "memory.memsw.limit_in_bytes"]
                .iter()
                .any(|name| lease.facts.contains_key(name));
            return if counts_swap || !has_swap() {
                by
            } else {
                let reason = "the kernel does not limit the swap space of a group";
                Mechanism {
                    state: State::Degraded,
                    ..by
                }
                .because(reason)
            };
        }
        let why = without_group(hold);
        if !counting {
            return row(State::Unavailable)
                .because(format!("{why}; and `/proc` shows no processes to count"));
        }
        let ms = hold.counted.every().as_millis();
        let data = hold
            .data_bytes
            .map_or_else(String::new, |it| it.to_string());
        row(State::Degraded)
            .fact("held_by", format!("a count every {ms} ms"))
            .fact("data_bytes_of_each_process", data)
            .because(format!(
                "{why}; what grows between two counts, and files of memory that nobody maps, are not held"
            ))
    }

    fn output(&self) -> Mechanism {
        match self.plan.limits.max_output_bytes {
            None => Mechanism::new(State::NotRequested),
            Some(most) => Mechanism::new(State::Enforced)
                .fact("held_by", "a count of all that is passed on")
                .fact("max_output_bytes", most.to_string()),
        }
    }

    fn processes(&self, seen: &Observation, hold: &Hold, counting: bool) -> Mechanism {
        let Some(most) = self.plan.limits.max_processes else {
            return Mechanism::new(State::NotRequested);
        };
        let row = |state| {
            let found = Mechanism::new(state).fact("max_processes", most.to_string());
            // the number itself is not given out, and the launcher has one
            match seen.pid_max.checked_sub(2) {
                Some(ceiling) => found.fact("most_at_any_time", ceiling.to_string()),
                None => found,
            }
        };
        if let Group::Leased(lease) = &hold.group
            && lease.ask.pids.is_some()
        {
            return row(State::Enforced).fact("held_by", "a control group");
        }
        if !self.caller.uid.is_root() {
            return row(State::Enforced).fact("held_by", "RLIMIT_NPROC");
        }
        let why = format!(
            "the kernel exempts a root caller from RLIMIT_NPROC, and {}",
            without_group(hold)
        );
        let ms = hold.counted.every().as_millis();
        match (counting, seen.pid_max > 0) {
            (true, true) => {
                row(State::Degraded).fact("held_by", format!("a count every {ms} ms, pid_max"))
            }
            (true, false) => row(State::Degraded).fact("held_by", format!("a count every {ms} ms")),
            (false, true) => row(State::Degraded).fact("held_by", "pid_max"),
            (false, false) => row(State::Unavailable),
        }
        .because(why)
    }
}

fn group(hold: &Hold) -> Mechanism {
    match &hold.group {
        Group::Leased(lease) => {
            let facts = lease.facts.clone();
            Mechanism {
                facts,
                ..Mechanism::new(State::Enforced)
            }
        }
        Group::NotAsked => Mechanism::new(State::NotRequested),
        Group::Unavailable(reason) => Mechanism::new(State::Unavailable).because(reason),
    }
}

fn without_group(hold: &Hold) -> String {
    match &hold.group {
        Group::Unavailable(reason) => format!("there is no control group ({reason})"),
        Group::Leased(_) | Group::NotAsked => "no control group was made for it".to_owned(),
    }
}

/// Whether the machine has swap space (`/proc/swaps`: a heading, then a line for each).
fn has_swap() -> bool {
    std::fs::read_to_string("/proc/swaps").is_ok_and(|text| text.lines().count() > 1)
}
