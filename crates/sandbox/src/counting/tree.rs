// SPDX-License-Identifier: Apache-2.0
//! The processes of a run, from its first: who loses its parent becomes a child of that one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::sys;

/// What was found of a run. Processes that come or go meanwhile may be missing.
#[derive(Debug)]
pub(super) struct Tree {
    /// Processes and threads, the first process left out.
    pub(super) tasks: u64,
    /// Memory of each process, by its number.
    memory: BTreeMap<u32, Memory>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Memory {
    parent: u32,
    /// Anonymous, shared and swapped, bytes.
    used: u64,
    /// All lines on memory: with others, what has the same memory has the same lines.
    lines: String,
    /// Whether its parent may wait for it with its memory lent (`vfork(2)`).
    parent_waits: bool,
}

/// Most processes that are looked at, whatever the limit.
const MAX_LOOKED_AT: usize = 65_536;

impl Tree {
    /// Reads the processes below the first; stops where there are more than `most`.
    pub(super) fn read(first: u32, most: Option<u64>) -> Self {
        let mut tree = Self {
            tasks: 0,
            memory: BTreeMap::new(),
        };
        let mut seen = BTreeSet::from([first]);
        let mut waiting = vec![(first, 0)];
        while let Some((process, parent)) = waiting.pop() {
            let threads = threads_of(process);
            if process != first {
                let count = u64::try_from(threads.len()).unwrap_or(u64::MAX);
                tree.tasks = tree.tasks.saturating_add(count);
                if let Some(memory) = Memory::of(process, parent) {
                    tree.memory.insert(process, memory);
                }
            }
            let enough = most.is_some_and(|most| tree.tasks > most);
            if enough || seen.len() > MAX_LOOKED_AT {
                break;
            }
            for thread in threads {
                let path = format!("/proc/{process}/task/{thread}/children");
                let text = fs::read_to_string(path).unwrap_or_default();
                let children = text
                    .split_ascii_whitespace()
                    .filter_map(|it| it.parse().ok());
                waiting.extend(
                    children
                        .filter(|&it| seen.insert(it))
                        .map(|it| (it, process)),
                );
            }
        }
        tree
    }

    /// Returns the memory of all, a page that is shared counted for each that has it.
    pub(super) fn memory_bytes(&self) -> u64 {
        let all = self.memory.values().map(|memory| memory.used);
        all.fold(0, u64::saturating_add)
    }

    /// Returns the memory of all, each page counted once.
    pub(super) fn exact_memory_bytes(&self) -> u64 {
        let own = self.memory.iter().filter(|(process, memory)| {
            let Some(parent) = self.memory.get(&memory.parent) else {
                return true;
            };
            !memory.is_lent_by(parent, **process)
        });
        let all = own.map(|(process, memory)| memory.proportional(*process));
        all.fold(0, u64::saturating_add)
    }
}

impl Memory {
    fn of(process: u32, parent: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let state = fs::read_to_string(format!("/proc/{parent}/status")).unwrap_or_default();
        Some(Self::parse(&text, parent, waits(&state)))
    }

    /// Reads the lines of `proc_pid_status(5)` that are about memory.
    fn parse(text: &str, parent: u32, parent_waits: bool) -> Self {
        const USED: [&str; 3] = ["RssAnon:", "RssShmem:", "VmSwap:"];
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("Vm") || line.starts_with("Rss"))
            .collect();
        let used = lines.iter().filter_map(|line| {
            let rest = USED.iter().find_map(|name| line.strip_prefix(name))?;
            kibibytes(rest)
        });
        Self {
            parent,
            used: used.fold(0, u64::saturating_add),
            lines: lines.join("\n"),
            parent_waits,
        }
    }

    /// Whether this is no memory of its own, but that of a parent that waits.
    fn is_lent_by(&self, parent: &Self, process: u32) -> bool {
        self.lines == parent.lines
            && sys::share_memory(self.parent, process).unwrap_or(self.parent_waits)
    }

    /// Returns its part of what it shares with others, and all that it does not
    /// (`/proc/PID/smaps_rollup`, kernel 4.14); where that cannot be read, all that it has.
    fn proportional(&self, process: u32) -> u64 {
        const PARTS: [&str; 3] = ["Pss_Anon:", "Pss_Shmem:", "SwapPss:"];
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"));
        let Ok(text) = text else { return self.used };
        let parts = text.lines().filter_map(|line| {
            let rest = PARTS.iter().find_map(|name| line.strip_prefix(name))?;
            kibibytes(rest)
        });
        let found: Vec<u64> = parts.collect();
        if found.is_empty() {
            return self.used;
        }
        found.into_iter().fold(0, u64::saturating_add)
    }
}

fn kibibytes(text: &str) -> Option<u64> {
    let number: u64 = text.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number.saturating_mul(1024))
}

/// Whether a process waits and hears no signal, as it does in `vfork(2)`.
fn waits(status: &str) -> bool {
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    state.is_some_and(|state| state.trim_start().starts_with('D'))
}

fn threads_of(process: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{process}/task"));
    let names = entries.into_iter().flatten().flatten();
    names
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_used_and_not_what_is_reserved() {
        let text = "Name:\tsh\nState:\tS (sleeping)\nVmPeak:\t 999 kB\nVmRSS:\t 70 kB\n\
            RssAnon:\t 40 kB\nRssFile:\t 20 kB\nRssShmem:\t 10 kB\nVmSwap:\t 5 kB\nThreads:\t1\n";
        let memory = Memory::parse(text, 7, true);
        assert_eq!(memory.used, 55 * 1024);
        assert!(memory.lines.starts_with("VmPeak:") && !memory.lines.contains("Threads"));
        let none = Memory::parse("Name:\tkthread\nRssAnon:\tmany\n", 7, false);
        assert_eq!(none.used, 0);
        assert!(!waits(text) && waits("State:\tD (disk sleep)\n") && !waits(""));
    }

    #[test]
    fn counts_this_process_as_the_first_of_a_tree() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let tree = Tree::read(std::process::id(), None);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(tree.memory.contains_key(&child.id()));
        assert!(!tree.memory.contains_key(&std::process::id()));
        assert!(tree.tasks >= 1);
        assert!(tree.exact_memory_bytes() <= tree.memory_bytes().saturating_add(1 << 20));
    }
}
