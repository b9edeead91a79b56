// SPDX-License-Identifier: Apache-2.0
//! What was really enforced, mechanism by mechanism.

mod limits;
mod lite;

use std::collections::BTreeMap;

use ambit_launcher::Observation;
use serde::Serialize;

use crate::filter::Filter;
use crate::host::Caller;
use crate::plan::{LaunchPlan, Network};
use crate::ruleset::Rights;

/// How much of the sandbox there was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Namespaces, Landlock, seccomp and dropped capabilities.
    Full,
    /// Landlock, seccomp and limits: no namespaces, so no mounts of its own.
    Lite,
    /// Nothing was enforced: the command never started, or was run without a sandbox.
    None,
}

/// State of one mechanism.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In force, but less than the newest form; `reason` says what is missing.
    Degraded,
    /// In force, as observed from inside.
    Enforced,
    /// The plan did not ask for it.
    NotRequested,
    /// This machine does not offer it.
    Unavailable,
}

/// One mechanism with what was observed of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Mechanism {
    /// Its state.
    pub state: State,
    /// Facts: versions, digests, namespace numbers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<&'static str, String>,
    /// Why it is not simply enforced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Mechanism {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state,
            facts: BTreeMap::new(),
            reason: None,
        }
    }

    pub(crate) fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.insert(name, value.into());
        self
    }

    pub(crate) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Tier and mechanisms of one run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Enforcement {
    /// How much there was.
    pub tier: Tier,
    /// Every mechanism by name.
    pub mechanisms: BTreeMap<&'static str, Mechanism>,
}

/// Names of the namespaces in the order of [`Observation::namespaces`].
pub(crate) const NAMESPACES: [&str; 7] = [
    "cgroup_namespace",
    "ipc_namespace",
    "mount_namespace",
    "net_namespace",
    "pid_namespace",
    "user_namespace",
    "uts_namespace",
];

/// The other mechanisms of a report.
const OTHERS: [&str; 12] = [
    "capabilities",
    "cgroup_limits",
    "landlock",
    "memory_limit",
    "no_new_privs",
    "output_limit",
    "private_root",
    "process_limit",
    "protections",
    "rlimits",
    "seccomp",
    "wall_clock",
];

/// Those that runs without a network take from the anchor.
const ANCHORED: [&str; 2] = ["net_namespace", "user_namespace"];

/// The newest ABI whose rights this version knows and asks for.
const NEWEST_ABI: u32 = 9;

/// What a report is made of.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) plan: &'a LaunchPlan,
    pub(crate) caller: Caller,
    pub(crate) rights: Rights,
    pub(crate) filter: &'a Filter,
    pub(crate) launcher_sha256: &'a str,
    /// Why there are no namespaces, where there are none.
    pub(crate) lite: Option<&'a str>,
}

impl Evidence<'_> {
    /// Returns the report of a run whose command started. The launcher compared the observation
    /// with the plan before it started the command. `shared` says whether user and network namespace
    /// are those of the anchor.
    pub(crate) fn of_started(&self, seen: &Observation, shared: bool) -> Enforcement {
        if let Some(reason) = self.lite {
            return self.of_lite(seen, reason);
        }
        let mut mechanisms = BTreeMap::new();
        for (name, inode) in NAMESPACES.into_iter().zip(seen.namespaces) {
            let found = Mechanism::new(State::Enforced).fact("inode", inode.to_string());
            let found = if shared && ANCHORED.contains(&name) {
                found.fact("shared_with", "other runs of the calling process")
            } else {
                found
            };
            mechanisms.insert(name, found);
        }
        if self.plan.network == Network::Full {
            let shared =
                Mechanism::new(State::NotRequested).because("the plan grants the host's network");
            mechanisms.insert("net_namespace", shared);
        }
        self.held(seen, &mut mechanisms);
        mechanisms.insert(
            "capabilities",
            capabilities(seen, Mechanism::new(State::Enforced)),
        );
        mechanisms.insert("private_root", self.private_root());
        mechanisms.insert("rlimits", self.rlimits());
        mechanisms.insert("cgroup_limits", Mechanism::new(State::NotRequested));
        mechanisms.insert("wall_clock", self.wall_clock());
        Enforcement {
            tier: Tier::Full,
            mechanisms,
        }
    }

    /// What both tiers have: Landlock, the filter, `no_new_privs`.
    fn held(&self, seen: &Observation, into: &mut BTreeMap<&'static str, Mechanism>) {
        into.insert("landlock", self.landlock(seen));
        into.insert(
            "seccomp",
            Mechanism::new(State::Enforced)
                .fact("mode", seen.seccomp_mode.to_string())
                .fact("profile", self.plan.profile.name())
                .fact("filter_sha256", self.filter.sha256.as_str()),
        );
        into.insert(
            "no_new_privs",
            Mechanism::new(State::Enforced).fact("value", seen.no_new_privs.to_string()),
        );
    }

    fn wall_clock(&self) -> Mechanism {
        Mechanism::new(State::Enforced).fact("timeout_ms", self.plan.timeout_ms.to_string())
    }

    fn landlock(&self, seen: &Observation) -> Mechanism {
        let state = if self.rights.version >= NEWEST_ABI {
            State::Enforced
        } else {
            State::Degraded
        };
        let network = self.rights.net(self.plan.network);
        let found = Mechanism::new(state)
            .fact("abi", self.rights.version.to_string())
            .fact(
                "handled_access_fs",
                format!("{:#x}", self.rights.files().bits()),
            )
            .fact("handled_access_net", format!("{:#x}", network.bits()))
            .fact("scoped", format!("{:#x}", self.rights.scopes().bits()));
        // the launcher starts nothing where a write went through that the ruleset forbids
        let found = if seen.landlock == 1 {
            found.fact("observed", "a write that was allowed before was refused")
        } else {
            found
        };
        match missing_rights(self.rights.version) {
            None => found,
            Some(missing) => found.because(format!("this kernel lacks: {missing}")),
        }
    }

    fn private_root(&self) -> Mechanism {
        Mechanism::new(State::Enforced)
            .fact("uid", self.caller.inner_uid().to_string())
            .fact("proc", self.plan.proc.name())
            .fact(
                "exec_from_memory",
                self.plan.allow_exec_from_memory.to_string(),
            )
            .fact("launcher_sha256", self.launcher_sha256)
    }

    fn rlimits(&self) -> Mechanism {
        let limits = &self.plan.limits;
        let named = [
            ("cpu_sec", limits.cpu_sec),
            ("address_space_bytes", limits.address_space_bytes),
            ("max_file_size_bytes", limits.max_file_size_bytes),
            ("max_open_files", limits.max_open_files),
            // the kernel exempts a root caller: `process_limit` says what holds then
            (
                "max_processes",
                limits.max_processes.filter(|_| !self.caller.uid.is_root()),
            ),
        ];
        let set: Vec<_> = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        if set.is_empty() {
            return Mechanism::new(State::NotRequested);
        }
        let mut found = Mechanism::new(State::Enforced);
        for (name, value) in set {
            found = found.fact(name, value.to_string());
        }
        found
    }
}

/// Adds what the kernel said of the sets.
fn capabilities(seen: &Observation, to: Mechanism) -> Mechanism {
    to.fact("held", format!("{:#x}", seen.capabilities))
        .fact("bounding", format!("{:#x}", seen.bounding))
        .fact("ambient", format!("{:#x}", seen.ambient))
}

/// Returns what ABIs newer than `version` add (`landlock(7)`), oldest first.
pub(crate) fn missing_rights(version: u32) -> Option<String> {
    let added = [
        (2, "refer (moving files between granted trees)"),
        (3, "truncate"),
        (4, "tcp ports"),
        (5, "device ioctl"),
        (6, "scopes of abstract sockets and signals"),
        (9, "resolving unix sockets"),
    ];
    let missing: Vec<&str> = added
        .into_iter()
        .filter(|(abi, _)| *abi > version)
        .map(|(_, name)| name)
        .collect();
    if missing.is_empty() {
        None
    } else {
        Some(missing.join(", "))
    }
}

impl Enforcement {
    /// Returns the report of a run whose command never started.
    pub(crate) fn none() -> Self {
        Self {
            tier: Tier::None,
            mechanisms: BTreeMap::new(),
        }
    }

    /// Returns the report of a run without a sandbox.
    pub(crate) fn local() -> Self {
        let names = NAMESPACES.into_iter().chain(OTHERS);
        let absent = || {
            Mechanism::new(State::NotRequested)
                .because("local mode: nothing enforced by the kernel")
        };
        Self {
            tier: Tier::None,
            mechanisms: names.map(|name| (name, absent())).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
