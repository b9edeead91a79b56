// SPDX-License-Identifier: Apache-2.0
//! Runs without a network join namespaces that were made once, where they may.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ambit_sandbox::{Mechanism, Network, State};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::support::{ready, run, shell};

type Mechanisms = BTreeMap<&'static str, Mechanism>;

fn mechanisms(network: Network) -> Mechanisms {
    let mut plan = shell(Path::new("/usr"), "true");
    plan.network = network;
    run(&plan).unwrap().enforcement.mechanisms
}

fn fact(found: &Mechanisms, name: &str, fact: &str) -> Option<String> {
    found.get(name)?.facts.get(fact).cloned()
}

const SHARED: &str = "other runs of the calling process";

#[test]
fn runs_without_a_network_share_two_namespaces_and_say_so() {
    if !ready() {
        return;
    }
    let (one, other) = (mechanisms(Network::Deny), mechanisms(Network::Deny));
    for name in ["net_namespace", "user_namespace"] {
        assert_eq!(fact(&one, name, "shared_with").as_deref(), Some(SHARED));
        assert_eq!(fact(&one, name, "inode"), fact(&other, name, "inode"));
        let kind = name.split_once('_').unwrap().0;
        let outside = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
        let inode = fact(&one, name, "inode").unwrap();
        assert!(!outside.to_string_lossy().contains(&inode), "{name}");
    }
    for name in [
        "cgroup_namespace",
        "ipc_namespace",
        "mount_namespace",
        "pid_namespace",
        "uts_namespace",
    ] {
        assert_eq!(fact(&one, name, "shared_with"), None, "{name}");
    }
    let full = mechanisms(Network::Full);
    assert_eq!(fact(&full, "user_namespace", "shared_with"), None);
    assert_ne!(
        fact(&full, "user_namespace", "inode"),
        fact(&one, "user_namespace", "inode")
    );
}

/// Containers refuse `setns(2)` where they may still allow new namespaces.
#[test]
fn runs_make_their_own_namespaces_where_joining_is_refused() {
    if !ready() {
        return;
    }
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "anchor::caller_that_may_not_join"])
        .args(["--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "the other half of runs_make_their_own_namespaces_where_joining_is_refused"]
fn caller_that_may_not_join() {
    let filter: BpfProgram = SeccompFilter::new(
        [(libc::SYS_setns, Vec::new())].into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    )
    .unwrap()
    .try_into()
    .unwrap();
    seccompiler::apply_filter(&filter).unwrap();
    let runs = [Network::Deny, Network::Deny].map(mechanisms);
    for found in &runs {
        for name in ["net_namespace", "user_namespace"] {
            assert_eq!(fact(found, name, "shared_with"), None, "{name}");
            assert_eq!(found[name].state, State::Enforced, "{name}");
        }
    }
    let [one, other] = runs.map(|found| fact(&found, "net_namespace", "inode"));
    assert!(one.is_some());
    assert_ne!(one, other);
}
