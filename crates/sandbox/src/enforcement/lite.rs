// SPDX-License-Identifier: Apache-2.0
//! The report of a run without namespaces: what holds, and what this machine could not give.

use std::collections::BTreeMap;

use ambit_launcher::Observation;

use super::{Enforcement, Evidence, Mechanism, NAMESPACES, State, Tier, capabilities};
use crate::filter::Host;

/// What each missing namespace means for the command.
fn consequence(name: &str) -> &'static str {
    match name {
        "cgroup_namespace" => "the names of cgroups are seen",
        "ipc_namespace" => "System V objects and message queues are denied by the filter instead",
        "mount_namespace" => {
            "no private /tmp, /dev or /proc; nothing can be hidden in a granted path"
        }
        "net_namespace" => "sockets are denied by the filter instead",
        "pid_namespace" => "the launcher ends what the command leaves behind; /proc is not granted",
        "user_namespace" => "the command has the caller's ids, without any capability",
        _ => "the name of the machine is seen",
    }
}

impl Evidence<'_> {
    /// Returns the report of a run without namespaces.
    pub(super) fn of_lite(&self, seen: &Observation, reason: &str) -> Enforcement {
        let mut mechanisms = BTreeMap::new();
        for name in NAMESPACES {
            let absent = Mechanism::new(State::Unavailable)
                .because(format!("{}: {reason}", consequence(name)));
            mechanisms.insert(name, absent);
        }
        let host = Host::of_abi(self.rights.version);
        self.held(seen, &mut mechanisms);
        mechanisms.insert("capabilities", own_capabilities(seen));
        mechanisms.insert(
            "private_root",
            Mechanism::new(State::Unavailable).because(
                "whether a file outside exists, its size, owner and times can be asked; \
                 files that do not exist yet under a protected name can be made",
            ),
        );
        mechanisms.insert(
            "metadata",
            Mechanism::new(State::Enforced)
                .because("modes, owners, times and extended attributes cannot be changed at all"),
        );
        mechanisms.insert("kill_tree", kill_tree(host));
        mechanisms.insert("signals", signals(host));
        mechanisms.insert("rlimits", self.shared_rlimits());
        mechanisms.insert("cgroup_limits", Mechanism::new(State::NotRequested));
        mechanisms.insert("wall_clock", self.wall_clock());
        Enforcement {
            tier: Tier::Lite,
            mechanisms,
        }
    }

    /// The kernel counts all processes of the user, not those of the run.
    fn shared_rlimits(&self) -> Mechanism {
        let mut found = self.rlimits();
        if self.plan.limits.max_processes.is_some() && !self.caller.uid.is_root() {
            found.state = State::Degraded;
            found = found.because("max_processes counts every process of the caller's user");
        }
        found
    }
}

/// Without `CAP_SETPCAP` the bounding set stays; `no_new_privs` keeps it from mattering.
fn own_capabilities(seen: &Observation) -> Mechanism {
    if seen.bounding == 0 {
        return capabilities(seen, Mechanism::new(State::Enforced));
    }
    capabilities(seen, Mechanism::new(State::Degraded)).because(
        "none is held; the caller may not drop the bounding set, of which no_new_privs lets \
         nothing be gained",
    )
}

fn kill_tree(host: Host) -> Mechanism {
    const LAUNCHER: &str = "everything is ended by the launcher; if something outside kills that, \
                            what the command left in the background lives on";
    let found = Mechanism::new(State::Degraded);
    if host.scopes_signals() {
        return found.fact("by", "the scope of signals").because(LAUNCHER);
    }
    let reason =
        format!("{LAUNCHER}; so do processes that fork and end faster than they are found");
    found.fact("by", "the list of children").because(reason)
}

fn signals(host: Host) -> Mechanism {
    if host.scopes_signals() {
        return Mechanism::new(State::Enforced).fact("by", "landlock");
    }
    Mechanism::new(State::Degraded)
        .fact("by", "seccomp")
        .because("this kernel cannot keep signals inside (Landlock ABI 6), so none can be sent")
}
