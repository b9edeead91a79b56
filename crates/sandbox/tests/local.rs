// SPDX-License-Identifier: Apache-2.0
//! Runs without a sandbox: what is kept nevertheless, and what the report says.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ambit_sandbox::{
    Cancel, LaunchPlan, Outcome, OutputLimits, SandboxError, Segment, Sink, State, Stdin, Streams,
    Termination, Tier, launch_local,
};
use sha2::{Digest as _, Sha256};

type Change<'a> = &'a dyn Fn(&mut LaunchPlan);

fn plan(argv: &[&str], cwd: &Path) -> LaunchPlan {
    let Segment { executable, argv } = segment(argv);
    LaunchPlan {
        executable,
        argv,
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        cwd: cwd.to_owned(),
        timeout_ms: 20_000,
        ..LaunchPlan::default()
    }
}

fn segment(argv: &[&str]) -> Segment {
    Segment {
        executable: Path::new("/bin").join(argv[0]),
        argv: argv.iter().map(|&text| text.to_owned()).collect(),
    }
}

fn shell(script: &str, cwd: &Path) -> LaunchPlan {
    plan(&["sh", "-c", script], cwd)
}

fn run(plan: &LaunchPlan) -> Result<Outcome, SandboxError> {
    launch_local(plan, Streams::default(), &Cancel::new().unwrap())
}

fn out(outcome: &Outcome) -> String {
    String::from_utf8(outcome.stdout.captured.clone()).unwrap()
}

fn work() -> (tempfile::TempDir, PathBuf) {
    let holder = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(holder.path()).unwrap();
    (holder, path)
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

/// Whether a process of this number lives; one that is dead and not reaped does not.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

#[test]
fn a_command_has_the_arguments_environment_and_directory_of_its_plan() {
    let (_holder, work) = work();
    fs::write(work.join("in"), "from a file").unwrap();
    let mut asked = shell(
        r#"echo "$0|$1"; pwd; env | sort; echo err >&2; exit 3"#,
        &work,
    );
    asked.argv.extend(["zero", "; $(id) *"].map(str::to_owned));
    asked.env.insert("NAME".to_owned(), "a b".to_owned());
    let outcome = run(&asked).unwrap();
    assert_eq!(outcome.termination, Termination::Exited { code: 3 });
    let here = work.display();
    // PWD is the shell's own
    let want = format!("zero|; $(id) *\n{here}\nNAME=a b\nPATH=/usr/bin:/bin\nPWD={here}\n");
    assert_eq!(out(&outcome), want);
    assert_eq!(outcome.stderr.captured, b"err\n");
    assert!(outcome.max_rss_kib > 0);
}

#[test]
fn the_report_says_that_nothing_was_enforced() {
    let enforcement = run(&plan(&["true"], Path::new("/"))).unwrap().enforcement;
    assert_eq!(enforcement.tier, Tier::None);
    let names: Vec<_> = enforcement.mechanisms.keys().copied().collect();
    let want = [
        "capabilities",
        "cgroup_limits",
        "cgroup_namespace",
        "ipc_namespace",
        "landlock",
        "memory_limit",
        "mount_namespace",
        "net_namespace",
        "no_new_privs",
        "output_limit",
        "pid_namespace",
        "private_root",
        "process_limit",
        "protections",
        "rlimits",
        "seccomp",
        "user_namespace",
        "uts_namespace",
        "wall_clock",
    ];
    assert_eq!(names, want);
    for mechanism in enforcement.mechanisms.values() {
        assert_eq!(mechanism.state, State::NotRequested);
        let reason = mechanism.reason.as_deref();
        assert_eq!(reason, Some("local mode: nothing enforced by the kernel"));
    }
}

#[test]
fn the_deadline_is_exact_and_ends_the_whole_group() {
    let table = [
        ("one that ends when asked", "sleep 300 & echo $!; wait"),
        (
            "one that does not listen",
            "trap '' TERM; sleep 300 & echo $!; while :; do wait; done",
        ),
        ("one that is stopped", "sleep 300 & echo $!; kill -STOP $$"),
    ];
    thread::scope(|scope| {
        for (name, script) in table {
            scope.spawn(move || {
                let mut asked = shell(script, Path::new("/"));
                asked.timeout_ms = 1000;
                let begun = Instant::now();
                let outcome = run(&asked).unwrap();
                let took = begun.elapsed();
                assert_eq!(outcome.termination, Termination::TimedOut, "{name}");
                assert!(took >= Duration::from_millis(950), "{name}: {took:?}");
                assert!(took < Duration::from_millis(1500), "{name}: {took:?}");
                assert!(!lives(&out(&outcome)), "{name}");
            });
        }
    });
}

#[test]
fn a_command_is_asked_before_it_is_killed() {
    let mut asked = shell(
        "trap 'echo asked; exit 0' TERM; sleep 300 & wait",
        Path::new("/"),
    );
    asked.timeout_ms = 1000;
    let outcome = run(&asked).unwrap();
    assert_eq!(
        (outcome.termination, out(&outcome)),
        (Termination::TimedOut, "asked\n".into())
    );
}

#[test]
fn the_grace_is_the_plans_and_part_of_the_limit() {
    // how long a command that does not listen runs on after it was asked, in tenths of a second
    let script = "trap 'while :; do sleep 0.1; echo x; done' TERM; sleep 300 & wait";
    let table = [(Some(0), 0, 0), (Some(400), 1, 4), (Some(60_000), 2, 5)];
    thread::scope(|scope| {
        for (grace_ms, least, most) in table {
            scope.spawn(move || {
                let mut asked = shell(script, Path::new("/"));
                (asked.timeout_ms, asked.grace_ms) = (1000, grace_ms);
                let outcome = run(&asked).unwrap();
                let ticks = out(&outcome).lines().count();
                assert_eq!(outcome.termination, Termination::TimedOut);
                assert!((least..=most).contains(&ticks), "{grace_ms:?}: {ticks}");
                assert!((950_000..1_700_000).contains(&outcome.duration_us));
            });
        }
    });
}

#[test]
fn what_a_command_leaves_behind_in_its_group_is_killed_at_once() {
    let begun = Instant::now();
    let outcome = run(&shell("trap '' TERM; sleep 300 & echo $!", Path::new("/"))).unwrap();
    assert_eq!(outcome.termination, Termination::Exited { code: 0 });
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(!lives(&out(&outcome)));
}

#[test]
fn a_program_that_left_the_group_is_ended_and_its_children_are_not_found() {
    // of a pipeline, the second program is no leader: it can begin a session without a fork
    let mut asked = plan(&["sleep", "300"], Path::new("/"));
    asked.piped_into = vec![segment(&[
        "setsid",
        "sh",
        "-c",
        "trap '' TERM; echo $$; sleep 300",
    ])];
    asked.timeout_ms = 500;
    let outcome = run(&asked).unwrap();
    assert_eq!(outcome.termination, Termination::TimedOut);
    assert!(!lives(&out(&outcome)));

    let daemon = "setsid sh -c 'echo $$; exec sleep 30' & sleep 0.3";
    let outcome = run(&shell(daemon, Path::new("/"))).unwrap();
    let pid = out(&outcome);
    assert!(lives(&pid), "the limit of this mode, as the documents say");
    let number = nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
    nix::sys::signal::kill(number, nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[test]
fn a_cancelled_run_ends_with_its_group() {
    let cancel = Cancel::new().unwrap();
    let (heard, stop) = (Arc::new(Mutex::new(Vec::new())), cancel.clone());
    let pieces = Arc::clone(&heard);
    let streams = Streams {
        stdout: Some(Sink::call(move |piece| {
            pieces.lock().unwrap().extend_from_slice(piece);
            stop.cancel().unwrap();
        })),
        ..Streams::default()
    };
    let asked = shell("trap '' TERM; echo $$; sleep 300", Path::new("/"));
    let outcome = launch_local(&asked, streams, &cancel).unwrap();
    assert_eq!(outcome.termination, Termination::Cancelled);
    assert_eq!(*heard.lock().unwrap(), outcome.stdout.captured);
    assert!(!lives(&out(&outcome)));

    let (_holder, work) = work();
    let outcome = launch_local(&shell("echo > ran", &work), Streams::default(), &cancel).unwrap();
    assert_eq!(outcome.termination, Termination::Cancelled);
    assert!(!work.join("ran").exists());
}

#[test]
fn output_is_hashed_in_full_and_kept_to_the_limit() {
    let mut asked = shell("head -c 300000 /dev/zero; printf err >&2", Path::new("/"));
    asked.output = OutputLimits {
        stdout_bytes: 1000,
        stderr_bytes: 2,
    };
    let outcome = run(&asked).unwrap();
    assert_eq!(outcome.stdout.sha256, sha256(&vec![0; 300_000]));
    assert_eq!(
        (outcome.stdout.bytes, outcome.stdout.truncated),
        (300_000, true)
    );
    assert_eq!(outcome.stdout.captured, vec![0; 1000]);
    assert_eq!(outcome.stderr.sha256, sha256(b"err"));
    assert_eq!(
        (outcome.stderr.captured.as_slice(), outcome.stderr.truncated),
        (&b"er"[..], true)
    );
}

#[test]
fn standard_input_is_nothing_the_bytes_of_the_launch_or_a_file() {
    let (_holder, work) = work();
    fs::write(work.join("in"), "from a file").unwrap();
    let large = vec![b'x'; 200_000];
    let file = Stdin::File {
        path: work.join("in"),
    };
    let table = [
        (Stdin::Empty, Vec::new(), sha256(b"")),
        (Stdin::Bytes, large.clone(), sha256(&large)),
        (file, Vec::new(), sha256(b"from a file")),
    ];
    for (stdin, bytes, want) in table {
        let mut asked = plan(&["cat"], &work);
        asked.stdin = stdin;
        let streams = Streams {
            stdin: bytes,
            ..Streams::default()
        };
        let outcome = launch_local(&asked, streams, &Cancel::new().unwrap()).unwrap();
        assert_eq!(outcome.termination, Termination::Exited { code: 0 });
        assert_eq!(outcome.stdout.sha256, want);
    }
}

#[test]
fn a_pipeline_ends_as_the_first_of_its_programs_that_failed() {
    let table: [(&[&[&str]], Termination, &str); 5] = [
        (
            &[&["echo", "a"], &["tr", "a", "b"], &["cat"]],
            Termination::Exited { code: 0 },
            "b\n",
        ),
        (
            &[&["sh", "-c", "exit 4"], &["sh", "-c", "exit 5"]],
            Termination::Exited { code: 4 },
            "",
        ),
        // the first is cut off by the second, and did not fail
        (
            &[&["yes"], &["head", "-n", "1"]],
            Termination::Exited { code: 0 },
            "y\n",
        ),
        (
            &[&["echo"], &["sh", "-c", "kill -9 $$"]],
            Termination::Signaled { signal: 9 },
            "",
        ),
        (
            &[&["sleep", "300"], &["no-such-program"]],
            Termination::NotFound,
            "",
        ),
    ];
    for (argvs, want, text) in table {
        let mut asked = plan(argvs[0], Path::new("/"));
        asked.piped_into = argvs[1..].iter().map(|argv| segment(argv)).collect();
        let outcome = run(&asked).unwrap();
        assert_eq!(
            (outcome.termination, out(&outcome).as_str()),
            (want, text),
            "{argvs:?}"
        );
    }
}

#[test]
fn what_cannot_be_executed_is_told_from_what_is_not_there() {
    let (_holder, work) = work();
    let file = |name: &str, content: &str, mode: u32| {
        let path = work.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let not = |errno| Termination::NotExecutable { errno };
    let table = [
        (work.join("nothing"), Termination::NotFound),
        (file("plain", "", 0o644), not(libc::EACCES)),
        // no shell is ever asked to make sense of it
        (file("text", "echo ran", 0o755), not(libc::ENOEXEC)),
        (
            file("script", "#!/bin/sh\nexit 7", 0o755),
            Termination::Exited { code: 7 },
        ),
    ];
    for (executable, want) in table {
        let mut asked = plan(&["x"], &work);
        asked.executable = executable;
        assert_eq!(run(&asked).unwrap().termination, want);
    }
}

#[test]
fn refuses_paths_that_are_not_as_planned_before_anything_runs() {
    let (_holder, work) = work();
    fs::create_dir(work.join("real")).unwrap();
    symlink("real", work.join("link")).unwrap();
    let refused = |change: Change<'_>| {
        let mut asked = shell("echo > ran", &work);
        change(&mut asked);
        let code = run(&asked).map(|outcome| outcome.termination);
        assert_eq!(work.join("ran").exists(), code.is_ok());
        code.map_err(|error| error.code())
    };
    let table: [(Change<'_>, &str); 8] = [
        (
            &|plan| plan.cwd = work.join("none"),
            "ERR_SANDBOX_PATH_MISSING",
        ),
        (
            &|plan| plan.cwd = work.join("link"),
            "ERR_SANDBOX_PATH_SYMLINK",
        ),
        (
            &|plan| plan.cwd = "/bin/sh".into(),
            "ERR_SANDBOX_PATH_SYMLINK",
        ),
        (
            &|plan| plan.read_paths.push(work.join("link")),
            "ERR_SANDBOX_PATH_SYMLINK",
        ),
        (
            &|plan| plan.write_paths.push(work.join("none")),
            "ERR_SANDBOX_PATH_MISSING",
        ),
        (
            &|plan| plan.stdin = Stdin::File { path: work.clone() },
            "ERR_SANDBOX_PATH_REFUSED",
        ),
        (
            &|plan| plan.argv.push("\0".into()),
            "ERR_SANDBOX_PLAN_INVALID",
        ),
        (&|plan| plan.timeout_ms = 0, "ERR_SANDBOX_PLAN_INVALID"),
    ];
    for (change, want) in table {
        assert_eq!(refused(change), Err(want));
    }
    assert_eq!(refused(&|_| ()), Ok(Termination::Exited { code: 0 }));
}

#[test]
fn many_runs_at_once_keep_apart() {
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                let outcome = run(&plan(&["echo", &number.to_string()], Path::new("/"))).unwrap();
                assert_eq!(out(&outcome), format!("{number}\n"));
            });
        }
    });
}
