// SPDX-License-Identifier: Apache-2.0
//! The group of one run.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::settle::{Ground, Version, write};
use super::{Ask, give_back};

/// A group, empty or with the processes of one run.
#[derive(Debug)]
pub(super) struct Leaf {
    version: Version,
    memory: PathBuf,
    pids: PathBuf,
    /// Of version 2: what `clone3(2)` takes.
    folder: Option<OwnedFd>,
}

impl Leaf {
    pub(super) fn make(ground: &Ground, number: u64) -> Result<Self, String> {
        let mut leaf = Self {
            version: ground.version,
            memory: ground.memory.join(number.to_string()),
            pids: ground.pids.join(number.to_string()),
            folder: None,
        };
        for path in leaf.folders() {
            if let Err(error) = fs::create_dir(path) {
                leaf.remove();
                return Err(format!("cannot make a group: {error}"));
            }
        }
        if leaf.version == Version::V2 {
            leaf.folder = fs::File::open(&leaf.memory).ok().map(OwnedFd::from);
        }
        Ok(leaf)
    }

    fn folders(&self) -> impl Iterator<Item = &Path> {
        let second = (self.pids != self.memory).then_some(self.pids.as_path());
        std::iter::once(self.memory.as_path()).chain(second)
    }

    pub(super) fn is_in(&self, ground: &Ground) -> bool {
        self.memory.parent() == Some(&ground.memory)
    }

    pub(super) fn remove(&self) {
        for path in self.folders() {
            // one that is busy is swept away later
            let _busy = fs::remove_dir(path);
        }
    }

    /// Sets the limits, and reads back what holds.
    pub(super) fn limited(self, ask: Ask) -> Result<Lease, String> {
        let facts = match self.version {
            Version::V1 => self.limit_split(ask),
            Version::V2 => self.limit_unified(ask),
        };
        match facts {
            Ok(facts) => {
                let before = self.counts();
                Ok(Lease {
                    leaf: Some(self),
                    ask,
                    facts,
                    before,
                })
            }
            Err(error) => {
                self.remove();
                Err(format!("cannot limit a group: {error}"))
            }
        }
    }

    fn limit_unified(&self, ask: Ask) -> io::Result<BTreeMap<&'static str, String>> {
        let group = &self.memory;
        let mut facts = BTreeMap::from([("version", "2".to_owned())]);
        let most = |value: Option<u64>| value.map_or_else(|| "max".to_owned(), |it| it.to_string());
        write(&group.join("memory.max"), &most(ask.memory_bytes))?;
        // together they are killed: half a run is no run
        write(&group.join("memory.oom.group"), "1")?;
        // where swap is not counted there is no such file
        optional(write(&group.join("memory.swap.max"), "0"))?;
        write(&group.join("pids.max"), &most(ask.pids))?;
        for name in [
            "memory.max",
            "memory.swap.max",
            "memory.oom.group",
            "pids.max",
        ] {
            if let Ok(value) = fs::read_to_string(group.join(name)) {
                facts.insert(name, value.trim().to_owned());
            }
        }
        Ok(facts)
    }

    fn limit_split(&self, ask: Ask) -> io::Result<BTreeMap<&'static str, String>> {
        const SWAP: &str = "memory.memsw.limit_in_bytes";
        const LIMIT: &str = "memory.limit_in_bytes";
        let mut facts = BTreeMap::from([("version", "1".to_owned())]);
        let memory = |name: &str| self.memory.join(name);
        let most = |value: Option<u64>| value.map_or_else(|| "-1".to_owned(), |it| it.to_string());
        // memory and swap together are never less than memory, in between neither
        optional(write(&memory(SWAP), "-1"))?;
        write(&memory(LIMIT), &most(ask.memory_bytes))?;
        optional(write(&memory(SWAP), &most(ask.memory_bytes)))?;
        let pids = ask
            .pids
            .map_or_else(|| "max".to_owned(), |it| it.to_string());
        write(&self.pids.join("pids.max"), &pids)?;
        for (folder, name) in [
            (&self.memory, LIMIT),
            (&self.memory, SWAP),
            (&self.pids, "pids.max"),
        ] {
            if let Ok(value) = fs::read_to_string(folder.join(name)) {
                facts.insert(name, value.trim().to_owned());
            }
        }
        Ok(facts)
    }

    fn counts(&self) -> Counts {
        let (memory, name) = match self.version {
            Version::V1 => ("memory.oom_control", "oom_kill"),
            Version::V2 => ("memory.events", "oom_kill"),
        };
        Counts {
            oom_kills: number(&self.memory.join(memory), name),
            refused_forks: number(&self.pids.join("pids.events"), "max"),
        }
    }

    fn is_empty(&self) -> bool {
        self.folders().all(|folder| {
            fs::read_to_string(folder.join("cgroup.procs")).is_ok_and(|text| text.is_empty())
        })
    }
}

fn optional(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Reads a number of a file of lines with a name and a number each.
fn number(path: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .find_map(|line| {
            line.strip_prefix(name)?
                .strip_prefix(' ')?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or_default()
}

/// What the kernel counted in a group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    /// Processes that it killed for want of memory.
    pub(crate) oom_kills: u64,
    /// Processes and threads that it did not make.
    pub(crate) refused_forks: u64,
}

/// A group that one run has for itself. Dropping it kills what is left there.
#[derive(Debug)]
pub(crate) struct Lease {
    leaf: Option<Leaf>,
    pub(crate) ask: Ask,
    pub(crate) facts: BTreeMap<&'static str, String>,
    before: Counts,
}

impl Lease {
    /// Puts a process into the group, before it has any child: all that come are in it too.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn attach(&self, process: u32) -> Result<(), Errno> {
        let leaf = self.leaf.as_ref().ok_or(Errno::EINVAL)?;
        for folder in leaf.folders() {
            write(&folder.join("cgroup.procs"), &process.to_string())
                .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
        }
        Ok(())
    }

    /// Returns the group as `clone3(2)` takes it, where it can.
    pub(crate) fn folder(&self) -> Option<BorrowedFd<'_>> {
        Some(self.leaf.as_ref()?.folder.as_ref()?.as_fd())
    }

    /// Returns what was counted since the group was leased.
    pub(crate) fn counts(&self) -> Counts {
        let now = self.leaf.as_ref().map_or(self.before, Leaf::counts);
        Counts {
            oom_kills: now.oom_kills.saturating_sub(self.before.oom_kills),
            refused_forks: now.refused_forks.saturating_sub(self.before.refused_forks),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(leaf) = self.leaf.take() else { return };
        if leaf.is_empty() {
            return give_back(leaf);
        }
        if leaf.version == Version::V2 {
            // kernel 5.14; before, what is here dies with its pid namespace
            let _missing = write(&leaf.memory.join("cgroup.kill"), "1");
        }
        leaf.remove();
    }
}
