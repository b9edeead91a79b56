// SPDX-License-Identifier: Apache-2.0
//! The same tests for a caller without privileges.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::support::{Work, ready};

const NOBODY: u32 = 65_534;

#[test]
fn everything_holds_for_an_unprivileged_user_too() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: the caller is unprivileged already");
        return;
    }
    if !ready() {
        return;
    }
    let home = Work::new();
    chown(&home.path, Some(NOBODY), Some(NOBODY)).unwrap();
    let program = home.path.join("real");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let temporary = home.path.join("tmp");
    fs::create_dir(&temporary).unwrap();
    chown(&temporary, Some(NOBODY), Some(NOBODY)).unwrap();
    let ran = Command::new(&program)
        .args(["--skip", "unprivileged::"])
        .env("TMPDIR", &temporary)
        .env("REQUIRE_SANDBOX", "1")
        .current_dir(&temporary)
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let summary = text
        .lines()
        .find(|line| line.starts_with("test result"))
        .unwrap_or_default();
    println!("as uid {NOBODY}: {summary}");
    assert!(!summary.contains(" 0 passed"), "{summary}");
}
