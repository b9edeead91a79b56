// SPDX-License-Identifier: Apache-2.0
//! Nothing of a run outlives it.

use std::io::Read;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ambit_sandbox::{Cancel, LaunchPlan, Network, Streams, Termination, Tier, launch};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::support::{Work, await_growth, await_standstill, inside, ready, run, shell};

/// Daemons that left the session, forked twice, and ignore signals; then `last`.
fn daemons(work: &Work, last: &str) -> (LaunchPlan, PathBuf) {
    let writer = "trap '' TERM INT HUP; while :; do echo x >> alive; sleep 0.02; done";
    let script = format!(
        "(setsid sh -c \"{writer}\" & ) ; (setsid sh -c \"{writer}\" </dev/null >/dev/null 2>&1 & )
         while [ ! -s alive ]; do sleep 0.01; done; {last}"
    );
    let mut plan = shell(&work.path, &script);
    plan.write_paths = vec![work.path.clone()];
    (plan, work.path.join("alive"))
}

#[test]
fn daemons_end_with_the_command() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let (plan, alive) = daemons(&work, "exit 5");
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::Exited { code: 5 });
    await_standstill(&alive);
    assert!(alive.metadata().unwrap().len() > 0);
}

#[test]
fn the_wall_clock_kills_the_whole_tree() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let (mut plan, alive) = daemons(&work, "trap '' TERM; sleep 1000");
    plan.timeout_ms = 1500;
    let begun = Instant::now();
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::TimedOut);
    assert!(begun.elapsed() >= Duration::from_millis(1500));
    await_standstill(&alive);
    assert!(alive.metadata().unwrap().len() > 0);
}

#[test]
fn cancelling_kills_the_whole_tree() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let (plan, alive) = daemons(&work, "sleep 1000");
    let cancel = Cancel::new().unwrap();
    let outcome = thread::scope(|scope| {
        let run = scope.spawn(|| launch(&plan, Streams::default(), &cancel));
        await_growth(&alive);
        cancel.cancel().unwrap();
        run.join().unwrap().unwrap()
    });
    assert_eq!(outcome.termination, Termination::Cancelled);
    assert_eq!(outcome.enforcement.tier, Tier::Full);
    await_standstill(&alive);
}

#[test]
fn a_run_cancelled_before_it_starts_never_starts() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let mut plan = shell(&work.path, "echo ran > ran");
    plan.write_paths = vec![work.path.clone()];
    let cancel = Cancel::new().unwrap();
    cancel.cancel().unwrap();
    let outcome = launch(&plan, Streams::default(), &cancel).unwrap();
    assert_eq!(outcome.termination, Termination::Cancelled);
    assert_eq!(outcome.enforcement.tier, Tier::None);
    assert!(!work.path.join("ran").exists());
}

#[test]
fn the_sandbox_dies_with_its_caller() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let mut caller = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "lifetime::caller_that_will_be_killed",
            "--ignored",
            "--nocapture",
        ])
        .env("AMBIT_TEST_WORK", &work.path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let alive = work.path.join("alive");
    await_growth(&alive);
    caller.kill().unwrap();
    caller.wait().unwrap();
    await_standstill(&alive);
}

#[test]
#[ignore = "the other half of the_sandbox_dies_with_its_caller"]
fn caller_that_will_be_killed() {
    let path = std::env::var_os("AMBIT_TEST_WORK")
        .map(PathBuf::from)
        .unwrap();
    let mut plan = shell(&path, "while :; do echo x >> alive; sleep 0.02; done");
    plan.write_paths = vec![path.clone()];
    run(&plan).unwrap();
}

/// A process that a failing test does not leave behind, stopped or not.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}

/// A caller who is stopped neither ends a run in time nor goes away.
#[test]
fn the_wall_clock_holds_while_the_caller_is_stopped() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let mut caller = Ended(
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "lifetime::caller_that_will_be_stopped",
                "--ignored",
                "--nocapture",
            ])
            .env("AMBIT_TEST_WORK", &work.path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let alive = work.path.join("alive");
    await_growth(&alive);
    let pid = Pid::from_raw(caller.0.id().try_into().unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    let stopped = WaitStatus::Stopped(pid, Signal::SIGSTOP);
    assert_eq!(waitpid(pid, Some(WaitPidFlag::WUNTRACED)), Ok(stopped));
    // the control: being stopped does not itself end the run
    await_growth(&alive);
    await_standstill(&alive);
    kill(pid, Signal::SIGCONT).unwrap();
    let mut said = String::new();
    caller
        .0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(caller.0.wait().unwrap().success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "the other half of the_wall_clock_holds_while_the_caller_is_stopped"]
fn caller_that_will_be_stopped() {
    let path = std::env::var_os("AMBIT_TEST_WORK")
        .map(PathBuf::from)
        .unwrap();
    let mut plan = shell(&path, "while :; do echo x >> alive; sleep 0.02; done");
    plan.write_paths = vec![path.clone()];
    plan.timeout_ms = 4000;
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::TimedOut);
    assert_eq!(outcome.enforcement.tier, Tier::Full);
}

#[test]
fn launches_from_many_threads_do_not_disturb_each_other() {
    if !ready() {
        return;
    }
    let launches = |thread: i32| {
        (0..5).for_each(|round| {
            let code = (thread * 5 + round) % 256;
            let plan = shell(Path::new("/usr"), &format!("echo {code}; exit {code}"));
            let outcome = run(&plan).unwrap();
            assert_eq!(outcome.termination, Termination::Exited { code });
            assert_eq!(outcome.stdout.captured, format!("{code}\n").into_bytes());
        });
    };
    thread::scope(|scope| {
        for thread in 0..12 {
            scope.spawn(move || launches(thread));
        }
    });
}

#[test]
fn a_stream_held_open_outside_does_not_hold_up_the_run() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let listener = UnixListener::bind(work.path.join("holder")).unwrap();
    let mut plan = inside(&work.path, "gives_its_output_away");
    plan.network = Network::Full;
    plan.write_paths = vec![work.path.clone()];
    let begun = Instant::now();
    let outcome = run(&plan).unwrap();
    let text = String::from_utf8_lossy(&outcome.stdout.captured).into_owned();
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "the holder held it up"
    );
    if text.contains("refused") {
        println!("skipped: this kernel does not let the command connect");
        return;
    }
    assert_eq!(
        outcome.termination,
        Termination::Exited { code: 0 },
        "{text}"
    );
    // the descriptor is in this message, and was open all the time
    let (mut socket, _) = listener.accept().unwrap();
    let mut byte = [0_u8; 1];
    assert_eq!(socket.read(&mut byte).unwrap(), 1);
}
