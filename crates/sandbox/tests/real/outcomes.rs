// SPDX-License-Identifier: Apache-2.0
//! How runs end, and what they are given.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ambit_sandbox::{Cancel, Sink, State, Streams, Termination, Tier, launch};
use sha2::{Digest, Sha256};

use crate::support::{Work, output_of, ready, run, shell};

const BYTES: usize = 20 << 20;
const USR: &str = "/usr";

/// In the other spelling than the crate's own.
fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[test]
fn reports_how_the_command_ended() {
    if !ready() {
        return;
    }
    let table = [
        ("exit 0", Termination::Exited { code: 0 }),
        ("exit 7", Termination::Exited { code: 7 }),
        ("exit 255", Termination::Exited { code: 255 }),
        ("kill -9 $$", Termination::Signaled { signal: 9 }),
        ("kill -SEGV $$", Termination::Signaled { signal: 11 }),
        ("kill -TERM $$", Termination::Signaled { signal: 15 }),
    ];
    for (script, want) in table {
        let outcome = run(&shell(Path::new(USR), script)).unwrap();
        assert_eq!(outcome.termination, want, "{script}");
        assert_eq!(outcome.enforcement.tier, Tier::Full);
    }
}

#[test]
fn reports_what_cannot_be_executed() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let unmarked = work.file("plain", "#!/bin/sh\nexit 0\n");
    let garbage = work.file("garbage", "no program\n");
    let orphan = work.file("orphan", "#!/no/such/interpreter\n");
    for path in [&garbage, &orphan] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let table = [
        (
            PathBuf::from("/usr/bin/no-such-program"),
            Termination::NotFound,
        ),
        (PathBuf::from("/bin/sh/below"), Termination::NotFound),
        (orphan, Termination::NotFound),
        (
            unmarked,
            Termination::NotExecutable {
                errno: libc::EACCES,
            },
        ),
        (
            work.path.clone(),
            Termination::NotExecutable {
                errno: libc::EACCES,
            },
        ),
        (
            garbage,
            Termination::NotExecutable {
                errno: libc::ENOEXEC,
            },
        ),
    ];
    for (executable, want) in table {
        let mut plan = shell(&work.path, "");
        plan.read_paths = vec![work.path.clone()];
        plan.executable = executable;
        let outcome = run(&plan).unwrap();
        assert_eq!(outcome.termination, want, "{}", plan.executable.display());
    }
}

#[test]
fn hashes_all_output_and_keeps_what_was_asked() {
    if !ready() {
        return;
    }
    let mut plan = shell(
        Path::new(USR),
        "head -c 20971520 /dev/zero; printf oops >&2",
    );
    plan.output.stdout_bytes = 1000;
    let passed = Arc::new(Mutex::new(0_usize));
    let count = Arc::clone(&passed);
    let streams = Streams {
        stdout: Some(Sink::call(move |piece| {
            *count.lock().unwrap() += piece.len();
        })),
        ..Streams::default()
    };
    let outcome = launch(&plan, streams, &Cancel::new().unwrap()).unwrap();
    assert_eq!(outcome.stdout.sha256, sha256(&vec![0; BYTES]));
    assert_eq!(outcome.stdout.bytes, u64::try_from(BYTES).unwrap());
    assert_eq!(outcome.stdout.captured, vec![0; 1000]);
    assert!(outcome.stdout.truncated);
    assert_eq!(*passed.lock().unwrap(), BYTES);
    assert_eq!(outcome.stderr.sha256, sha256(b"oops"));
    assert_eq!(outcome.stderr.captured, b"oops");
    assert!(!outcome.stderr.truncated);
}

#[test]
fn a_sink_that_panics_does_not_end_the_run() {
    if !ready() {
        return;
    }
    let streams = Streams {
        stdout: Some(Sink::call(|_| panic!("this panic is part of the test"))),
        ..Streams::default()
    };
    let plan = shell(Path::new(USR), "echo one; sleep 0.05; echo two; exit 3");
    let outcome = launch(&plan, streams, &Cancel::new().unwrap()).unwrap();
    assert_eq!(outcome.termination, Termination::Exited { code: 3 });
    assert_eq!(outcome.stdout.captured, b"one\ntwo\n");
}

#[test]
fn a_run_that_closes_its_streams_is_still_waited_for() {
    if !ready() {
        return;
    }
    let plan = shell(Path::new(USR), "exec >&- 2>&-; sleep 0.2; exit 4");
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::Exited { code: 4 });
    assert!(outcome.duration_us >= 200_000, "{}", outcome.duration_us);
}

#[test]
fn gives_the_command_exactly_what_the_plan_says() {
    if !ready() {
        return;
    }
    let mut env = shell(Path::new(USR), "");
    env.executable = PathBuf::from("/usr/bin/env");
    env.argv = vec!["env".to_owned()];
    env.env = BTreeMap::from([("A", "1"), ("B", "x y=z")].map(|(a, b)| (a.into(), b.into())));
    assert_eq!(output_of(&env), "A=1\nB=x y=z\n");
    let open = "for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; done; true";
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let umask = status
        .lines()
        .find_map(|line| line.strip_prefix("Umask:\t"))
        .unwrap();
    let table = [
        ("wc -c", "0\n".to_owned()),
        ("pwd", "/usr/share\n".to_owned()),
        ("umask", format!("{umask}\n")),
        (open, "0\n1\n2\n".to_owned()),
        ("cat /proc/1/environ 2>/dev/null", String::new()),
        (
            "cat /proc/1/cmdline | tr '\\0' ' '",
            "ambit-launcher ".to_owned(),
        ),
        ("ulimit -c", "0\n".to_owned()),
        ("echo $$", "2\n".to_owned()),
        ("uname -n", "ambit\n".to_owned()),
        (
            "cat /etc/hosts",
            "127.0.0.1 localhost\n::1 localhost\n".to_owned(),
        ),
    ];
    for (script, want) in table {
        let script = format!("{script}; true");
        assert_eq!(
            output_of(&shell(Path::new("/usr/share"), &script)),
            want,
            "{script}"
        );
    }
}

#[test]
fn the_sandbox_goes_before_its_caller_when_memory_runs_out() {
    if !ready() {
        return;
    }
    let own = || fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let before = own();
    // and the command cannot take it back
    let script = "(echo 0 > /proc/self/oom_score_adj) 2>/dev/null
        cat /proc/1/oom_score_adj /proc/self/oom_score_adj";
    assert_eq!(output_of(&shell(Path::new(USR), script)), "1000\n1000\n");
    assert_eq!(own(), before);
}

#[test]
fn what_is_written_belongs_to_the_caller() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let mut plan = shell(
        &work.path,
        "umask 077; echo mine > new; mkdir below; id -u; id -g",
    );
    plan.write_paths = vec![work.path.clone()];
    let ids = output_of(&plan);
    let (uid, gid) = (
        nix::unistd::geteuid().as_raw(),
        nix::unistd::getegid().as_raw(),
    );
    for name in ["new", "below"] {
        let found = fs::metadata(work.path.join(name)).unwrap();
        assert_eq!(
            (found.uid(), found.gid(), found.mode() & 0o077),
            (uid, gid, 0),
            "{name}"
        );
    }
    assert_eq!(fs::read_to_string(work.path.join("new")).unwrap(), "mine\n");
    let inner = |id: u32| if id == 0 { 1000 } else { id };
    assert_eq!(ids, format!("{}\n{}\n", inner(uid), inner(gid)));
}

#[test]
fn limits_hold_and_are_reported() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let mut plan = shell(&work.path, "head -c 100000 /dev/zero > big");
    plan.write_paths = vec![work.path.clone()];
    plan.limits.max_file_size_bytes = Some(4096);
    let outcome = run(&plan).unwrap();
    assert_ne!(outcome.termination, Termination::Exited { code: 0 });
    assert_eq!(fs::metadata(work.path.join("big")).unwrap().len(), 4096);
    assert_eq!(
        outcome.enforcement.mechanisms["rlimits"].state,
        State::Enforced
    );

    let mut files = shell(Path::new(USR), "ulimit -n");
    files.limits.max_open_files = Some(17);
    assert_eq!(output_of(&files), "17\n");
}
