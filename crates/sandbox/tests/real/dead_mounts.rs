// SPDX-License-Identifier: Apache-2.0
//! Mounts that never answer: FUSE file systems whose program reads no request, which is what a
//! hard network mount is whose server is gone.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ambit_sandbox::{
    Cancel, Errno, LaunchPlan, OnMissingPath, SandboxError, Streams, Termination, launch,
};

use super::support::{Work, output_of, ready, run, shell};

/// A mount that does not answer until it is dropped; then every request fails.
struct Dead {
    point: PathBuf,
    connection: Option<File>,
}

impl Dead {
    /// `None` where this machine does not let us mount.
    fn at(point: PathBuf) -> Option<Self> {
        let connection = File::options()
            .read(true)
            .write(true)
            .open("/dev/fuse")
            .ok()?;
        fs::create_dir_all(&point).unwrap();
        let mounted = Command::new("/usr/bin/mount")
            .args(["-i", "-t", "fuse", "-o"])
            .arg("fd=0,rootmode=40000,user_id=0,group_id=0")
            .arg("none")
            .arg(&point)
            .stdin(Stdio::from(connection.try_clone().unwrap()))
            .stderr(Stdio::null())
            .status();
        mounted.ok()?.success().then(|| Self {
            point,
            connection: Some(connection),
        })
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        drop(self.connection.take());
        Command::new("/usr/bin/umount")
            .arg("-l")
            .arg(&self.point)
            .status()
            .unwrap();
    }
}

fn in_granted(folder: &Path, script: &str) -> LaunchPlan {
    LaunchPlan {
        write_paths: vec![folder.to_owned()],
        ..shell(folder, script)
    }
}

fn brief(plan: LaunchPlan) -> LaunchPlan {
    LaunchPlan {
        timeout_ms: 1_000,
        ..plan
    }
}

/// Asserts that a launch ends by its own, and with the path that does not answer.
fn assert_refused(plan: &LaunchPlan, want: &Path) {
    let begun = Instant::now();
    let found = run(plan).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(60));
    let wanted = SandboxError::PathUnreadable {
        path: want.to_owned(),
        source: Errno::ETIMEDOUT,
    };
    assert_eq!(format!("{found:?}"), format!("{wanted:?}"));
}

#[test]
fn dead_mounts_keep_no_launch_waiting() {
    if !ready() {
        return;
    }
    // in a mount namespace of its own: nothing else on this machine is to come upon them
    let ran = Command::new("/usr/bin/unshare")
        .arg("--mount")
        .arg(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("dead_mounts::a_mount_that_does_not_answer_refuses_a_launch")
        .output()
        .unwrap();
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root && ran.stdout.is_empty() {
        println!("skipped: only root can make a mount namespace");
        return;
    }
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{ran:?}");
}

#[test]
#[ignore = "the other half of dead_mounts_keep_no_launch_waiting"]
fn a_mount_that_does_not_answer_refuses_a_launch() {
    let work = Work::new();
    let Some(dead) = Dead::at(work.path.join("net")) else {
        println!("skipped: no FUSE file system can be mounted here");
        return;
    };
    let other = Work::new();
    // it is granted itself, as a folder, as a place in it, and as one to be made
    let elsewhere = || brief(in_granted(&other.path, "echo x > ran"));
    let inside = dead.point.join("a/b");
    assert_refused(&brief(in_granted(&dead.point, "true")), &dead.point);
    for on_missing_path in [OnMissingPath::Error, OnMissingPath::Create] {
        let plan = LaunchPlan {
            write_paths: vec![inside.clone(), other.path.clone()],
            on_missing_path,
            ..elsewhere()
        };
        assert_refused(&plan, &inside);
    }
    // it lies in what is granted, and is searched for what is protected
    assert_refused(&brief(in_granted(&work.path, "true")), &dead.point);
    // a link leads there that a command could have made
    fs::create_dir(other.path.join(".vscode")).unwrap();
    let settings = other.path.join(".vscode/settings.json");
    symlink(dead.point.join("x"), &settings).unwrap();
    let begun = Instant::now();
    assert_eq!(
        run(&elsewhere()).unwrap_err().code(),
        "ERR_SANDBOX_PATH_UNREADABLE"
    );
    assert!(begun.elapsed() < Duration::from_secs(60));
    fs::remove_file(&settings).unwrap();
    assert!(!other.path.join("ran").exists());
    // who waits can stop waiting
    let cancel = Cancel::new().unwrap();
    let patient = LaunchPlan {
        timeout_ms: 600_000,
        ..in_granted(&dead.point, "true")
    };
    let ended = thread::scope(|scope| {
        let waiting = scope.spawn(|| launch(&patient, Streams::default(), &cancel));
        thread::sleep(Duration::from_millis(100));
        cancel.cancel().unwrap();
        waiting.join().unwrap().unwrap()
    });
    assert_eq!(ended.termination, Termination::Cancelled);
    // what has nothing to do with it runs meanwhile
    assert_eq!(output_of(&in_granted(&other.path, "echo fine")), "fine\n");
}
