// SPDX-License-Identifier: Apache-2.0
//! Where no program in memory can be executed (`vm.memfd_noexec = 2`, which each pid namespace has for
//! itself), the launcher is the file beside this program, if it is the one that it was built with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use ambit_sandbox::{Tier, launcher_image};

use crate::support::{Work, ready, run, shell};

/// Runs the other half in a pid namespace with the sysctl at 2; returns what it printed.
fn without_memory(program: &Path) -> String {
    let script = "echo 2 > /proc/sys/vm/memfd_noexec && exec \"$0\" --exact memory::tells \
                  --ignored --nocapture --test-threads=1";
    let ran = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--mount-proc",
        ])
        .args(["sh", "-c", script])
        .arg(program)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(text.contains("1 passed"), "{text}\n{errors}");
    text
}

#[test]
fn the_launcher_is_the_file_beside_where_memory_cannot_be_executed() {
    if !ready() || !Path::new("/proc/sys/vm/memfd_noexec").exists() {
        return;
    }
    if !nix::unistd::geteuid().is_root() {
        return println!("skipped: only root may write the sysctl, in a namespace of its own too");
    }
    let work = Work::new();
    let program = work.path.join("real");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let text = without_memory(&program);
    assert!(
        text.contains("ERR_SANDBOX_UNSUPPORTED") && text.contains("memfd_noexec"),
        "{text}"
    );
    let beside = work.path.join("ambit-launcher");
    fs::write(&beside, launcher_image()).unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).unwrap();
    let text = without_memory(&program);
    assert!(text.contains("tier Full"), "{text}");
    // another program under that name is never started
    fs::write(&beside, "#!/bin/sh\necho x > /tmp/never\n").unwrap();
    let text = without_memory(&program);
    assert!(
        text.contains("ERR_SANDBOX_UNSUPPORTED") && text.contains("ENOEXEC"),
        "{text}"
    );
}

#[test]
#[ignore = "the other half of the_launcher_is_the_file_beside_where_memory_cannot_be_executed"]
fn tells() {
    match run(&shell(Path::new("/usr"), "true")) {
        Ok(outcome) if outcome.enforcement.tier == Tier::Full => println!("tier Full"),
        Ok(outcome) => println!("{:?}", outcome.enforcement),
        Err(error) => println!("{} {error}", error.code()),
    }
}
