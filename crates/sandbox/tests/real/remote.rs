// SPDX-License-Identifier: Apache-2.0
//! Signals for the command, its start, and input that comes while it runs.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread::scope;

use ambit_sandbox::{
    Cancel, Errno, LaunchPlan, Outcome, Sink, Stdin, Streams, Termination, duplicate, launch,
    unwaiting_pipe,
};

use crate::support::{Work, ready, shell};

const USR: &str = "/usr";

fn with_input(script: &str) -> LaunchPlan {
    let mut plan = shell(Path::new(USR), script);
    plan.stdin = Stdin::Stream;
    plan
}

fn ended(plan: &LaunchPlan, streams: Streams) -> Outcome {
    launch(plan, streams, &Cancel::new().unwrap()).unwrap()
}

#[test]
fn a_signal_reaches_the_command_and_nothing_else() {
    if !ready() {
        return;
    }
    let table = [
        (
            "trap 'exit 5' TERM; echo; sleep 60 & wait",
            15,
            Termination::Exited { code: 5 },
        ),
        (
            "echo; exec sleep 60",
            15,
            Termination::Signaled { signal: 15 },
        ),
        (
            "echo; exec sleep 60",
            9,
            Termination::Signaled { signal: 9 },
        ),
        (
            "kill -STOP $$; echo; exit 6",
            18,
            Termination::Exited { code: 6 },
        ),
    ];
    for (script, number, want) in table {
        let (told, hear) = channel();
        let (started, begun) = channel();
        let cancel = Cancel::new().unwrap();
        assert!(!cancel.signal(number), "nothing runs yet");
        let streams = Streams {
            started: Some(Box::new(move |pid| started.send(pid).unwrap())),
            stdout: Some(Sink::call(move |_| told.send(()).unwrap_or(()))),
            ..Streams::default()
        };
        let plan = shell(Path::new(USR), script);
        let outcome = scope(|scope| {
            let run = scope.spawn(|| launch(&plan, streams, &cancel).unwrap());
            let pid = begun.recv().unwrap().unwrap();
            assert!(PathBuf::from(format!("/proc/{pid}")).exists());
            if number != 18 {
                hear.recv().unwrap();
            }
            while !run.is_finished() && cancel.signal(number) && number == 18 {}
            run.join().unwrap()
        });
        assert_eq!(outcome.termination, want, "{script} {number}");
        assert!(!cancel.signal(number), "nothing runs any more");
    }
}

#[test]
fn the_start_is_told_only_when_the_program_was_executed() {
    if !ready() {
        return;
    }
    let mut plan = shell(Path::new(USR), "true");
    plan.executable = PathBuf::from("/usr/bin/there-is-none");
    let (told, hear) = channel();
    let streams = Streams {
        started: Some(Box::new(move |pid| told.send(pid).unwrap())),
        ..Streams::default()
    };
    assert_eq!(ended(&plan, streams).termination, Termination::NotFound);
    hear.recv().unwrap_err();
}

#[test]
fn input_comes_while_the_command_runs() {
    if !ready() {
        return;
    }
    let (reader, writer) = std::io::pipe().unwrap();
    let mut typed = File::from(OwnedFd::from(writer));
    typed.write_all(b"1\n").unwrap();
    let mut count = 1;
    let mut keys = Some(typed);
    let streams = Streams {
        input: Some(reader.into()),
        // the answer to each line asks for the next; the last one ends the input
        stdout: Some(Sink::call(move |_| {
            count += 1;
            match keys.as_mut().filter(|_| count <= 5) {
                Some(keys) => keys.write_all(b"more\n").unwrap(),
                None => keys = None,
            }
        })),
        ..Streams::default()
    };
    let outcome = ended(
        &with_input("while read line; do echo got $line; done; echo over"),
        streams,
    );
    let text = String::from_utf8(outcome.stdout.captured).unwrap();
    assert_eq!(
        text,
        "got 1\ngot more\ngot more\ngot more\ngot more\nover\n"
    );
}

#[test]
fn input_that_never_ends_keeps_no_run_and_waits_in_no_memory() {
    if !ready() {
        return;
    }
    // nobody writes, and nobody closes
    let (reader, _writer) = std::io::pipe().unwrap();
    let streams = Streams {
        input: Some(reader.into()),
        ..Streams::default()
    };
    let outcome = ended(&with_input("exit 3"), streams);
    assert_eq!(outcome.termination, Termination::Exited { code: 3 });
    // it never stops: what the command does not take is never read
    let zero = File::open("/dev/zero").unwrap();
    let streams = Streams {
        input: Some(zero.into()),
        ..Streams::default()
    };
    let outcome = ended(&with_input("head -c 3000000 | wc -c"), streams);
    assert_eq!(outcome.stdout.captured, b"3000000\n");
    // and there is none
    let outcome = ended(&with_input("wc -c"), Streams::default());
    assert_eq!(outcome.stdout.captured, b"0\n");
}

#[test]
fn the_command_gets_a_copy_and_not_the_descriptor() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let file = work.file("input", "hello\n");
    let both = File::options().read(true).write(true).open(&file).unwrap();
    let number = both.as_raw_fd();
    let streams = Streams {
        input: Some(duplicate(number).unwrap()),
        ..Streams::default()
    };
    let outcome = ended(
        &with_input("cat; echo evil >&0; ls -l /proc/self/fd/0"),
        streams,
    );
    let text = String::from_utf8(outcome.stdout.captured).unwrap();
    assert!(
        text.starts_with("hello\n") && text.contains("pipe:"),
        "{text}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "hello\n");
    // one that can only be written is no input
    let only = File::options().write(true).open(&file).unwrap();
    let streams = Streams {
        input: Some(only.into()),
        ..Streams::default()
    };
    let error = launch(&with_input("cat"), streams, &Cancel::new().unwrap()).unwrap_err();
    assert_eq!(error.code(), "ERR_SANDBOX_INTERNAL");
    assert_eq!(duplicate(-7).unwrap_err(), Errno::EBADF);
}

#[test]
fn a_reader_that_takes_nothing_slows_the_command_and_loses_nothing() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let written = work.path.join("written");
    // writes 64 KiB at a time, and notes how often it could
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do head -c 65536 /dev/zero; echo >> written; done; echo over >&2";
    let mut plan = shell(&work.path, script);
    plan.write_paths = vec![work.path.clone()];
    let (reader, writer) = unwaiting_pipe().unwrap();
    let streams = Streams {
        stdout: Some(Sink::Descriptor(writer)),
        ..Streams::default()
    };
    // what waits: the command's pipe, one piece, the reader's pipe
    plan.timeout_ms = 1500;
    let outcome = ended(&plan, streams);
    assert_eq!(outcome.termination, Termination::TimedOut);
    let times = std::fs::read_to_string(&written).unwrap().lines().count();
    assert!((2..=4).contains(&times), "{times}");
    let mut taken = Vec::new();
    File::from(reader).read_to_end(&mut taken).unwrap();
    let all = u64::try_from(taken.len() + outcome.stdout.rest.len()).unwrap();
    assert_eq!(all, outcome.stdout.bytes);
    assert!(
        outcome.stdout.bytes <= 4 * 65_536,
        "{}",
        outcome.stdout.bytes
    );
}

#[test]
fn a_reader_that_has_gone_is_no_reason_to_end() {
    if !ready() {
        return;
    }
    let (reader, writer) = unwaiting_pipe().unwrap();
    drop(reader);
    let streams = Streams {
        stdout: Some(Sink::Descriptor(writer)),
        ..Streams::default()
    };
    let outcome = ended(
        &shell(Path::new(USR), "head -c 1000000 /dev/zero; exit 3"),
        streams,
    );
    assert_eq!(outcome.termination, Termination::Exited { code: 3 });
    assert_eq!(
        (outcome.stdout.bytes, outcome.stdout.rest.len()),
        (1_000_000, 0)
    );
}
