// SPDX-License-Identifier: Apache-2.0
//! Alone in its process, since it counts what the process holds.

use std::fs;
use std::path::PathBuf;

use ambit_sandbox::{Cancel, LaunchPlan, Streams, Tier, launch, probe};
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, waitpid};

fn count(directory: &str) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}

#[test]
fn two_hundred_launches_leave_no_descriptor_thread_or_zombie() {
    let report = probe();
    if report.tier != Tier::Full {
        assert!(
            std::env::var_os("REQUIRE_SANDBOX").is_none(),
            "{:?}",
            report.reason
        );
        println!("skipped: {:?}", report.reason);
        return;
    }
    let plan = |executable: &str, cwd: &str| LaunchPlan {
        executable: PathBuf::from(executable),
        argv: vec!["x".to_owned()],
        cwd: PathBuf::from(cwd),
        timeout_ms: 30_000,
        ..LaunchPlan::default()
    };
    // one that works, one that does not start, one that cannot be built
    let plans = [
        plan("/bin/true", "/usr"),
        plan("/bin/no-such-program", "/usr"),
        plan("/bin/true", "/usr/no-such-directory"),
    ];
    let round =
        |plan: &LaunchPlan| launch(plan, Streams::default(), &Cancel::new().unwrap()).is_ok();
    assert_eq!(plans.each_ref().map(round), [true, true, false]);
    let before = (count("/proc/self/fd"), count("/proc/self/task"));
    for plan in plans.iter().cycle().take(200) {
        round(plan);
    }
    assert!(before.0 > 0 && before.1 > 0, "{before:?}");
    assert_eq!((count("/proc/self/fd"), count("/proc/self/task")), before);
    let any = Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL);
    assert_eq!(waitpid(None, any), Err(Errno::ECHILD));
}
