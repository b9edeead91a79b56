// SPDX-License-Identifier: Apache-2.0
use std::path::PathBuf;

use nix::unistd::{Gid, Uid};

use super::*;
use crate::plan::Limits;

fn plan(network: Network, limits: Limits) -> LaunchPlan {
    LaunchPlan {
        executable: PathBuf::from("/bin/true"),
        argv: vec!["true".to_owned()],
        cwd: PathBuf::from("/usr"),
        network,
        timeout_ms: 5,
        limits,
        ..LaunchPlan::default()
    }
}

fn report(plan: &LaunchPlan, uid: u32, abi: u32) -> Enforcement {
    let evidence = Evidence {
        plan,
        caller: Caller {
            uid: Uid::from_raw(uid),
            gid: Gid::from_raw(uid),
        },
        rights: Rights::of_version(abi),
        filter: &Filter {
            bytes: Vec::new(),
            sha256: "f".to_owned(),
        },
        launcher_sha256: "l",
        lite: None,
    };
    let seen = Observation {
        namespaces: [1, 2, 3, 4, 5, 6, 7],
        no_new_privs: 1,
        seccomp_mode: 2,
        ..Observation::default()
    };
    evidence.of_started(&seen, false)
}

fn state(report: &Enforcement, name: &str) -> (State, Option<String>) {
    let found = &report.mechanisms[name];
    (found.state, found.reason.clone())
}

#[test]
fn an_older_abi_is_degraded_and_names_what_it_lacks() {
    let newest = "resolving unix sockets";
    let scopes = format!("scopes of abstract sockets and signals, {newest}");
    let devices = format!("device ioctl, {scopes}");
    let ports = format!("tcp ports, {devices}");
    let table = [
        (
            1,
            format!("refer (moving files between granted trees), truncate, {ports}"),
        ),
        (2, format!("truncate, {ports}")),
        (3, ports),
        (4, devices),
        (5, scopes),
        (6, newest.to_owned()),
        (7, newest.to_owned()),
        (8, newest.to_owned()),
    ];
    let plan = plan(Network::Deny, Limits::default());
    for (abi, lacks) in table {
        let want = (State::Degraded, Some(format!("this kernel lacks: {lacks}")));
        assert_eq!(
            state(&report(&plan, 1000, abi), "landlock"),
            want,
            "ABI {abi}"
        );
    }
    for abi in [9, 10] {
        assert_eq!(
            state(&report(&plan, 1000, abi), "landlock"),
            (State::Enforced, None)
        );
    }
}

#[test]
fn limits_are_enforced_degraded_or_not_requested() {
    let processes = Limits {
        max_processes: Some(8),
        ..Limits::default()
    };
    let files = Limits {
        max_open_files: Some(8),
        ..Limits::default()
    };
    let table = [
        (Limits::default(), 0, (State::NotRequested, None)),
        (files.clone(), 0, (State::Enforced, None)),
        (files, 1000, (State::Enforced, None)),
        // what holds a root caller to it is said elsewhere
        (processes.clone(), 0, (State::NotRequested, None)),
        (processes, 1000, (State::Enforced, None)),
    ];
    for (limits, uid, want) in table {
        let plan = plan(Network::Deny, limits);
        assert_eq!(
            state(&report(&plan, uid, 9), "rlimits"),
            want,
            "uid {uid}: {plan:?}"
        );
    }
}

#[test]
fn a_granted_network_is_reported_as_not_requested() {
    let full = report(&plan(Network::Full, Limits::default()), 1000, 9);
    let reason = Some("the plan grants the host's network".to_owned());
    assert_eq!(state(&full, "net_namespace"), (State::NotRequested, reason));
    assert_eq!(
        full.mechanisms["landlock"].facts["handled_access_net"],
        "0x0"
    );
    let none = report(&plan(Network::Deny, Limits::default()), 1000, 9);
    assert_eq!(state(&none, "net_namespace"), (State::Enforced, None));
    assert_eq!(
        none.mechanisms["landlock"].facts["handled_access_net"],
        "0x3"
    );
}

#[test]
fn reports_every_mechanism_with_its_facts() {
    let report = report(&plan(Network::Deny, Limits::default()), 0, 9);
    assert_eq!(report.tier, Tier::Full);
    let names: Vec<&str> = report.mechanisms.keys().copied().collect();
    let want = [
        "capabilities",
        "cgroup_limits",
        "cgroup_namespace",
        "ipc_namespace",
        "landlock",
        "mount_namespace",
        "net_namespace",
        "no_new_privs",
        "pid_namespace",
        "private_root",
        "rlimits",
        "seccomp",
        "user_namespace",
        "uts_namespace",
        "wall_clock",
    ];
    assert_eq!(names, want);
    let fact = |mechanism: &str, name: &str| report.mechanisms[mechanism].facts[name].clone();
    assert_eq!(fact("seccomp", "filter_sha256"), "f");
    assert_eq!(fact("private_root", "launcher_sha256"), "l");
    assert_eq!(fact("private_root", "uid"), "1000");
    assert_eq!(fact("uts_namespace", "inode"), "7");
}
