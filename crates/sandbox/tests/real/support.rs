// SPDX-License-Identifier: Apache-2.0
//! Plans, places and proofs that all tests here use.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ambit_sandbox::{Cancel, LaunchPlan, Outcome, SandboxError, Streams, Tier, launch, probe};

/// Returns whether this machine can build a sandbox. Without one, `REQUIRE_SANDBOX=1` fails the
/// test; else it is skipped, and says so.
pub(crate) fn ready() -> bool {
    let report = probe();
    if report.tier == Tier::Full {
        return true;
    }
    let reason = report.reason.unwrap_or_default();
    assert!(
        std::env::var_os("REQUIRE_SANDBOX").is_none(),
        "no sandbox here: {reason}"
    );
    println!("skipped: no sandbox here: {reason}");
    false
}

/// A fresh directory of the caller, gone at the end.
pub(crate) struct Work {
    _holder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Work {
    pub(crate) fn new() -> Self {
        let holder = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(holder.path()).unwrap();
        Self {
            _holder: holder,
            path,
        }
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

/// Returns a plan that runs a shell script in `cwd`, with nothing granted.
pub(crate) fn shell(cwd: &Path, script: &str) -> LaunchPlan {
    LaunchPlan {
        executable: PathBuf::from("/bin/sh"),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        cwd: cwd.to_owned(),
        timeout_ms: 30_000,
        ..LaunchPlan::default()
    }
}

/// Returns a plan that runs a function of `inside` of this very program, by name.
pub(crate) fn inside(cwd: &Path, name: &str) -> LaunchPlan {
    let program = fs::canonicalize(std::env::current_exe().unwrap()).unwrap();
    let exact = format!("inside::{name}");
    let argv = [
        "real",
        "--exact",
        &exact,
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ];
    LaunchPlan {
        argv: argv.map(str::to_owned).to_vec(),
        read_paths: vec![program.clone()],
        executable: program,
        ..shell(cwd, "")
    }
}

pub(crate) fn run(plan: &LaunchPlan) -> Result<Outcome, SandboxError> {
    launch(plan, Streams::default(), &Cancel::new().unwrap())
}

/// Runs a plan that must end with code 0, and returns its standard output.
pub(crate) fn output_of(plan: &LaunchPlan) -> String {
    let outcome = run(plan).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (
        text(&outcome.stdout.captured),
        text(&outcome.stderr.captured),
    );
    let exited = ambit_sandbox::Termination::Exited { code: 0 };
    assert_eq!(outcome.termination, exited, "stdout: {out}\nstderr: {err}");
    out
}

/// Runs a plan of [`inside`]. A name that no function has would pass too, hence the count.
pub(crate) fn assert_inside(plan: &LaunchPlan) {
    let out = output_of(plan);
    assert!(out.contains("1 passed"), "{out}");
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Waits until a file has grown: proof that what writes to it is alive.
pub(crate) fn await_growth(path: &Path) {
    let (before, begun) = (length(path), Instant::now());
    while length(path) <= before {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{} never grew",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a file has stopped growing, several times longer than its writer pauses.
pub(crate) fn await_standstill(path: &Path) {
    let begun = Instant::now();
    loop {
        let before = length(path);
        std::thread::sleep(Duration::from_millis(300));
        if length(path) == before {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{} still grows",
            path.display()
        );
    }
}
