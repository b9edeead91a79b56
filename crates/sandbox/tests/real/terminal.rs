// SPDX-License-Identifier: Apache-2.0
//! A command with a terminal of its own.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::mpsc::channel;

use ambit_sandbox::{
    Cancel, LaunchPlan, Outcome, Sink, Stdin, Streams, Termination, WindowSize, launch,
};

use crate::support::{ready, shell};

const USR: &str = "/usr";

fn on_terminal(script: &str) -> LaunchPlan {
    let mut plan = shell(Path::new(USR), script);
    plan.terminal = Some(WindowSize {
        columns: 101,
        rows: 37,
    });
    plan
}

fn run(plan: &LaunchPlan, streams: Streams) -> Outcome {
    launch(plan, streams, &Cancel::new().unwrap()).unwrap()
}

fn text(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout.captured).replace('\r', "")
}

#[test]
fn is_private_and_controls_the_session() {
    if !ready() {
        return;
    }
    let script = "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all; \
                  echo to-tty > /dev/tty; ls -1 /dev/pts; ls -x /proc/self/fd; exit 3";
    let outcome = run(&on_terminal(script), Streams::default());
    assert_eq!(outcome.termination, Termination::Exited { code: 3 });
    let said = text(&outcome);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "/dev/pts/0",
            "37 101",
            "all",
            "to-tty",
            "0",
            "ptmx",
            "0  1  2  3"
        ],
        "{said}"
    );
    assert_eq!(outcome.stderr.bytes, 0);
    // the control: without one there is none
    let outcome = run(
        &shell(Path::new(USR), "tty; echo x > /dev/tty"),
        Streams::default(),
    );
    assert_eq!(text(&outcome), "not a tty\n");
    assert_ne!(outcome.termination, Termination::Exited { code: 0 });
}

#[test]
fn ends_its_input_with_an_end_of_file() {
    if !ready() {
        return;
    }
    let mut plan = on_terminal("cat; echo over");
    assert_eq!(text(&run(&plan, Streams::default())), "over\n");
    let (reader, writer) = std::io::pipe().unwrap();
    plan.stdin = Stdin::Stream;
    File::from(OwnedFd::from(writer))
        .write_all(b"typed\n")
        .unwrap();
    let streams = Streams {
        input: Some(reader.into()),
        ..Streams::default()
    };
    // once as the terminal echoes it, once from the command
    let (reader, writer) = std::io::pipe().unwrap();
    File::from(OwnedFd::from(writer))
        .write_all(b"half")
        .unwrap();
    let half = Streams {
        input: Some(reader.into()),
        ..Streams::default()
    };
    assert_eq!(text(&run(&plan, half)), "halfhalfover\n");
    assert_eq!(text(&run(&plan, streams)), "typed\ntyped\nover\n");
}

#[test]
fn turns_typed_characters_into_signals() {
    if !ready() {
        return;
    }
    let mut plan = on_terminal("trap 'echo caught; exit 7' INT; echo ready; sleep 60 & wait");
    plan.stdin = Stdin::Stream;
    let (reader, writer) = std::io::pipe().unwrap();
    let mut keys = File::from(OwnedFd::from(writer));
    let mut typed = false;
    let streams = Streams {
        input: Some(reader.into()),
        stdout: Some(Sink::call(move |piece| {
            if !typed && piece.windows(5).any(|part| part == b"ready") {
                typed = true;
                keys.write_all(b"\x03").unwrap();
            }
        })),
        ..Streams::default()
    };
    let outcome = run(&plan, streams);
    assert_eq!(
        outcome.termination,
        Termination::Exited { code: 7 },
        "{}",
        text(&outcome)
    );
    assert!(text(&outcome).contains("caught"));
}

#[test]
fn is_told_of_another_size() {
    if !ready() {
        return;
    }
    let plan = on_terminal("trap 'stty size; exit 0' WINCH; echo ready; sleep 60 & wait; exit 9");
    let cancel = Cancel::new().unwrap();
    let (told, hear) = channel();
    let streams = Streams {
        stdout: Some(Sink::call(move |piece| {
            if piece.windows(5).any(|part| part == b"ready") {
                told.send(()).unwrap();
            }
        })),
        ..Streams::default()
    };
    let size = WindowSize {
        columns: 55,
        rows: 11,
    };
    assert!(cancel.resize(size).is_err(), "there is no terminal yet");
    let outcome = std::thread::scope(|scope| {
        let run = scope.spawn(|| launch(&plan, streams, &cancel).unwrap());
        hear.recv().unwrap();
        cancel.resize(size).unwrap();
        run.join().unwrap()
    });
    assert_eq!(outcome.termination, Termination::Exited { code: 0 });
    assert!(text(&outcome).contains("11 55"), "{}", text(&outcome));
    assert!(cancel.resize(size).is_err(), "there is none any more");
}

#[test]
fn takes_no_injected_input() {
    if !ready() {
        return;
    }
    let script = "python3 -c \"
import fcntl, termios
for request in (termios.TIOCSTI, 0x541C):
    try:
        fcntl.ioctl(0, request, b'x')
        print('injected')
    except OSError as error:
        print(error.errno)
print(fcntl.ioctl(0, termios.FIONREAD, b'0000') is not None)\"";
    let outcome = run(&on_terminal(script), Streams::default());
    assert_eq!(text(&outcome), "1\n1\nTrue\n");
}

#[test]
fn dies_with_the_run_and_can_be_cancelled() {
    if !ready() {
        return;
    }
    let mut plan = on_terminal("trap '' HUP; echo ready; sleep 60");
    plan.timeout_ms = 300;
    assert_eq!(
        run(&plan, Streams::default()).termination,
        Termination::TimedOut
    );
    plan.timeout_ms = 60_000;
    let cancel = Cancel::new().unwrap();
    let stop = cancel.clone();
    let streams = Streams {
        stdout: Some(Sink::call(move |_| stop.cancel().unwrap())),
        ..Streams::default()
    };
    let outcome = launch(&plan, streams, &cancel).unwrap();
    assert_eq!(outcome.termination, Termination::Cancelled);
    let mut bad = on_terminal("true");
    bad.terminal = Some(WindowSize {
        columns: 0,
        rows: 1,
    });
    let error = launch(&bad, Streams::default(), &Cancel::new().unwrap()).unwrap_err();
    assert_eq!(error.code(), "ERR_SANDBOX_PLAN_INVALID");
}
