// SPDX-License-Identifier: Apache-2.0
//! Each limit: what reaches it, what is said then, and that without it the same goes on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ambit_sandbox::{
    Cancel, End, Limit, LimitReached, Outcome, Sink, State, Streams, Termination, launch,
};
use nix::unistd::geteuid;

use crate::support::{Work, await_standstill, output_of, ready, run, shell};

const USR: &str = "/usr";

const fn exit(code: i32) -> End {
    End {
        code: Some(code),
        signal: None,
    }
}

const fn killed(signal: i32) -> End {
    End {
        code: None,
        signal: Some(signal),
    }
}

fn limits_of(outcome: &Outcome) -> Vec<Limit> {
    outcome.limits_reached.iter().map(|it| it.limit).collect()
}

fn evidence(outcome: &Outcome) -> &str {
    outcome
        .limits_reached
        .first()
        .map_or("", |it| it.evidence.as_str())
}

fn state(outcome: &Outcome, name: &str) -> Option<State> {
    let found = outcome.enforcement.mechanisms.get(name);
    found.map(|mechanism| mechanism.state)
}

#[test]
fn output_beyond_its_limit_is_not_passed_on_and_ends_the_run() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let script = "(setsid sh -c 'while :; do echo x >> alive; sleep 0.02; done' &)
        while [ ! -s alive ]; do sleep 0.01; done; echo first >&2; yes; exit 0";
    let mut plan = shell(&work.path, script);
    plan.write_paths = vec![work.path.clone()];
    plan.limits.max_output_bytes = Some(100_000);
    let passed = Arc::new(Mutex::new(Vec::new()));
    let copy = Arc::clone(&passed);
    let streams = Streams {
        stdout: Some(Sink::call(move |piece| {
            copy.lock().unwrap().extend_from_slice(piece);
        })),
        ..Streams::default()
    };
    let outcome = launch(&plan, streams, &Cancel::new().unwrap()).unwrap();
    assert_eq!(outcome.termination, Termination::Output(killed(9)));
    let said = "more than 100000 bytes of output came".to_owned();
    let want = LimitReached {
        limit: Limit::Output,
        evidence: said,
    };
    assert_eq!(outcome.limits_reached, [want]);
    assert_eq!(state(&outcome, "output_limit"), Some(State::Enforced));
    // both streams together, to the byte, and the digests are of what was passed on
    assert_eq!(outcome.stdout.bytes + outcome.stderr.bytes, 100_000);
    assert_eq!(outcome.stderr.bytes, 6);
    let passed = passed.lock().unwrap();
    assert_eq!(passed.as_slice(), "y\n".repeat(49_997).as_bytes());
    assert_eq!(outcome.stdout.captured, *passed);
    assert!(outcome.stdout.truncated);
    await_standstill(&work.path.join("alive"));
}

#[test]
fn output_up_to_its_limit_is_no_matter_and_one_byte_more_is() {
    if !ready() {
        return;
    }
    let mut plan = shell(Path::new(USR), "printf 12345; printf 678 >&2");
    for (most, want) in [
        (8, Termination::Exited { code: 0 }),
        (7, Termination::Output(exit(0))),
        (0, Termination::Output(exit(0))),
    ] {
        plan.limits.max_output_bytes = Some(most);
        let outcome = run(&plan).unwrap();
        let total = outcome.stdout.bytes + outcome.stderr.bytes;
        assert_eq!(total, most, "limit {most}");
        match (want, outcome.termination) {
            // it may be killed before it has ended by itself
            (Termination::Output(_), Termination::Output(end)) => {
                assert!([exit(0), killed(9)].contains(&end), "{end:?}");
            }
            (want, got) => assert_eq!(got, want, "limit {most}"),
        }
    }
    plan.limits.max_output_bytes = None;
    assert_eq!(output_of(&plan), "12345");
}

#[test]
fn a_file_that_grows_too_large_ends_the_command() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let mut plan = shell(&work.path, "exec head -c 100000 /dev/zero > big");
    plan.write_paths = vec![work.path.clone()];
    plan.limits.max_file_size_bytes = Some(4096);
    let outcome = run(&plan).unwrap();
    assert_eq!(
        outcome.termination,
        Termination::FileSize(killed(libc::SIGXFSZ))
    );
    assert_eq!(
        evidence(&outcome),
        "SIGXFSZ, with files of at most 4096 bytes"
    );
    assert_eq!(fs::metadata(work.path.join("big")).unwrap().len(), 4096);
    // its child's signal is the shell's to report, and is not claimed
    plan.argv[2] = "head -c 100000 /dev/zero > big; exit $?".to_owned();
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::Exited { code: 153 });
    assert_eq!(outcome.limits_reached, []);
    // the control
    plan.limits.max_file_size_bytes = None;
    output_of(&plan);
    assert_eq!(fs::metadata(work.path.join("big")).unwrap().len(), 100_000);
}

#[test]
fn cpu_time_that_is_used_up_ends_the_command_even_one_that_will_not_hear() {
    if !ready() {
        return;
    }
    let mut plan = shell(Path::new(USR), "while :; do :; done");
    plan.limits.cpu_sec = Some(1);
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::Cpu(killed(libc::SIGXCPU)));
    assert!(evidence(&outcome).starts_with("SIGXCPU at 1 s; "));
    assert!(outcome.user_us + outcome.system_us >= 500_000);
    plan.argv[2] = "trap '' XCPU; while :; do :; done".to_owned();
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::Cpu(killed(9)));
    assert!(evidence(&outcome).starts_with("SIGKILL, and "));
    // the control: the signal alone is no limit
    plan.argv[2] = "kill -XCPU $$".to_owned();
    let outcome = run(&plan).unwrap();
    let signal = libc::SIGXCPU;
    assert_eq!(outcome.termination, Termination::Signaled { signal });
    assert_eq!(outcome.limits_reached, []);
}

/// Writes 300 MB, and keeps all of it in memory: they are one line, of which `tail` wants the end.
const HOG: &str = "head -c 300000000 /dev/zero | tail -n 1 | wc -c";

#[test]
fn memory_that_is_used_up_ends_the_command() {
    if !ready() {
        return;
    }
    let mut plan = shell(Path::new(USR), &format!("{HOG}; exit 7"));
    plan.limits.memory_bytes = Some(64 << 20);
    let outcome = run(&plan).unwrap();
    let Termination::Oom(end) = outcome.termination else {
        panic!("{:?} {:?}", outcome.termination, outcome.limits_reached);
    };
    assert_eq!(limits_of(&outcome), [Limit::Oom]);
    let row = &outcome.enforcement.mechanisms["memory_limit"];
    match row.state {
        // the kernel chose a victim; version 2 kills all together
        State::Enforced => {
            assert!([exit(7), killed(9)].contains(&end), "{end:?}");
            assert!(evidence(&outcome).starts_with("oom_kill "), "{outcome:?}");
            assert_eq!(state(&outcome, "cgroup_limits"), Some(State::Enforced));
        }
        State::Degraded => {
            assert_eq!(end, killed(9));
            assert!(evidence(&outcome).contains("bytes of memory were counted"));
            assert!(
                row.reason
                    .as_deref()
                    .unwrap_or_default()
                    .contains("between two counts")
            );
        }
        State::NotRequested | State::Unavailable => panic!("{row:?}"),
    }
    println!("memory is held by {:?}", row.facts.get("held_by"));
    // the controls: with room enough, and with no limit
    plan.argv[2] = HOG.to_owned();
    for room in [Some(1 << 30), None] {
        plan.limits.memory_bytes = room;
        assert_eq!(output_of(&plan), "300000000\n", "{room:?}");
    }
}

#[test]
fn scratch_space_is_memory_too() {
    if !ready() {
        return;
    }
    let mut plan = shell(
        Path::new(USR),
        "head -c 60000000 /dev/zero > /tmp/a; wc -c < /tmp/a",
    );
    plan.limits.memory_bytes = Some(32 << 20);
    let outcome = run(&plan).unwrap();
    let written = String::from_utf8_lossy(&outcome.stdout.captured).into_owned();
    // either there was no room, or the run was ended for what it had written
    let refused = written.trim().parse::<u64>().is_ok_and(|it| it <= 32 << 20);
    let ended = matches!(outcome.termination, Termination::Oom(_));
    assert!(refused || ended, "{:?} {written}", outcome.termination);
    plan.limits.memory_bytes = None;
    assert_eq!(output_of(&plan), "60000000\n");
}

#[test]
fn memory_that_is_reserved_or_shared_is_not_memory_that_is_used() {
    if !ready() {
        return;
    }
    // 20 copies of a shell with 20 MB each, which they share with the first
    let script = "x=$(head -c 20000000 /dev/zero | tr '\\0' x)
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (sleep 1; true) & done; wait; echo ${#x}";
    let mut plan = shell(Path::new(USR), script);
    plan.env = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
    plan.limits.memory_bytes = Some(256 << 20);
    assert_eq!(output_of(&plan), "20000000\n");
}

const FORKS: &str = "i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i+1)); done; wait; echo unreached";

#[test]
fn processes_beyond_their_limit_are_not_made_or_end_the_run() {
    if !ready() {
        return;
    }
    let mut plan = shell(Path::new(USR), FORKS);
    plan.limits.max_processes = Some(20);
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.stdout.captured, b"", "{outcome:?}");
    let row = &outcome.enforcement.mechanisms["process_limit"];
    println!("processes are held by {:?}", row.facts.get("held_by"));
    match (row.state, outcome.termination) {
        (State::Enforced, Termination::Exited { code }) => {
            // the kernel says nothing of a limit of a user's processes but to who reaches it
            assert_ne!(code, 0);
            assert_eq!(row.facts["held_by"], "RLIMIT_NPROC");
        }
        (State::Enforced, Termination::Pids(_)) => {
            assert!(evidence(&outcome).starts_with("pids.events max "));
        }
        (State::Degraded, Termination::Pids(end)) => {
            assert!(geteuid().is_root());
            assert_eq!(end, killed(9));
            let want = "more than 20 processes and threads were counted";
            assert_eq!(evidence(&outcome), want);
        }
        other => panic!("{other:?}"),
    }
    // the control
    plan.limits.max_processes = Some(100);
    assert_eq!(output_of(&plan), "unreached\n");
}

#[test]
fn the_numbers_of_processes_are_a_ceiling_for_root_too() {
    if !ready() {
        return;
    }
    let script = "i=0; while [ $i -lt 800 ]; do sleep 60 & i=$((i+1)); done; echo unreached";
    let mut plan = shell(Path::new(USR), script);
    plan.limits.max_processes = Some(400);
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.stdout.captured, b"", "{outcome:?}");
    let row = &outcome.enforcement.mechanisms["process_limit"];
    if let Some(most) = row.facts.get("most_at_any_time") {
        assert_eq!(most, "700");
        // what the namespace holds, seen from inside, is gone once the run is
        let host = fs::read_to_string("/proc/sys/kernel/pid_max").unwrap();
        assert_ne!(host.trim(), "702", "the limit of the machine was changed");
    }
}

#[test]
fn the_wall_clock_is_a_limit_like_others() {
    if !ready() {
        return;
    }
    let mut plan = shell(Path::new(USR), "sleep 60");
    plan.timeout_ms = 300;
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::TimedOut);
    let evidence = "it still ran 300 ms after the start".to_owned();
    let limit = Limit::Timeout;
    assert_eq!(outcome.limits_reached, [LimitReached { limit, evidence }]);
}
