// SPDX-License-Identifier: Apache-2.0
//! Standard input, and several programs under one scope.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ambit_sandbox::{
    Cancel, LaunchPlan, Outcome, Segment, Stdin, Streams, Termination, Tier, launch,
};

use crate::support::{Work, ready, run, shell};

/// A pipeline of shell scripts in `/usr`.
fn pipeline(scripts: &[&str]) -> LaunchPlan {
    let (first, then) = scripts.split_first().unwrap();
    let segment = |script: &&str| Segment {
        executable: PathBuf::from("/bin/sh"),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
    };
    LaunchPlan {
        piped_into: then.iter().map(segment).collect(),
        ..shell(Path::new("/usr"), first)
    }
}

fn stdout(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout.captured).into_owned()
}

const fn exited(code: i32) -> Termination {
    Termination::Exited { code }
}

#[test]
fn each_program_reads_what_the_one_before_it_writes() {
    if !ready() {
        return;
    }
    let sixteen = ["echo 1", "read x; echo $((x + 1))"]
        .into_iter()
        .chain(["read x; echo $((x + 1))"; 14])
        .collect::<Vec<_>>();
    let table: [(&[&str], &str, Termination); 8] = [
        (&["echo a; echo b", "tr a-z A-Z"], "A\nB\n", exited(0)),
        (&["seq 3", "tac", "head -n 1"], "3\n", exited(0)),
        (&sixteen, "16\n", exited(0)),
        // the first that failed counts, wherever it stands
        (&["echo a; exit 3", "cat"], "a\n", exited(3)),
        (&["echo a", "cat; exit 4"], "a\n", exited(4)),
        (&["exit 5", "exit 6"], "", exited(5)),
        // a writer that was cut off did its part; at the end of the pipeline nobody cut it off
        (&["exec yes", "head -n 2"], "y\ny\n", exited(0)),
        (
            &["echo a", "kill -PIPE $$"],
            "",
            Termination::Signaled { signal: 13 },
        ),
    ];
    for (scripts, want, ended) in table {
        let outcome = run(&pipeline(scripts)).unwrap();
        assert_eq!(outcome.termination, ended, "{scripts:?}");
        assert_eq!(stdout(&outcome), want, "{scripts:?}");
        assert_eq!(outcome.enforcement.tier, Tier::Full);
    }
}

#[test]
fn the_programs_of_a_pipeline_share_one_sandbox() {
    if !ready() {
        return;
    }
    let outcome = run(&pipeline(&[
        "echo kept > /tmp/file; echo done",
        "read word; cat /tmp/file; readlink /proc/self/ns/net; echo said >&2",
        "cat; exec 2>&1; ls /proc/self/fd",
    ]))
    .unwrap();
    assert_eq!(outcome.termination, exited(0));
    let text = stdout(&outcome);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.first(), Some(&"kept"), "{text}");
    // 3 is the directory that `ls` reads
    assert_eq!(
        lines.get(2..),
        Some(["0", "1", "2", "3"].as_slice()),
        "{text}"
    );
    assert_eq!(outcome.stderr.captured, b"said\n");
}

#[test]
fn a_program_that_cannot_be_executed_ends_the_pipeline() {
    if !ready() {
        return;
    }
    let mut plan = pipeline(&["sleep 60", "sleep 60", "sleep 60"]);
    plan.piped_into[1].executable = PathBuf::from("/usr/bin/no-such-program");
    let before = Instant::now();
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::NotFound);
    assert!(before.elapsed() < Duration::from_secs(20));
    plan.piped_into[1].executable = PathBuf::from("/usr/share");
    let outcome = run(&plan).unwrap();
    let errno = nix::errno::Errno::EACCES as i32;
    assert_eq!(outcome.termination, Termination::NotExecutable { errno });
}

#[test]
fn the_wall_clock_ends_every_program() {
    if !ready() {
        return;
    }
    let mut plan = pipeline(&["sleep 60", "echo early", "sleep 60"]);
    plan.timeout_ms = 300;
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.termination, Termination::TimedOut);
}

#[test]
fn input_is_what_the_plan_says() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let file = work.file("input", "from a file");
    let hidden = work.file("hidden", "CANARY");
    let read = |stdin: Stdin, bytes: &[u8], script: &str| {
        let plan = LaunchPlan {
            stdin,
            read_paths: vec![work.path.clone()],
            hidden_paths: vec![hidden.clone()],
            ..shell(&work.path, script)
        };
        let streams = Streams {
            stdin: bytes.to_vec(),
            ..Streams::default()
        };
        launch(&plan, streams, &Cancel::new().unwrap())
    };
    let of = |path: &Path| Stdin::File {
        path: path.to_owned(),
    };
    let large = vec![b'x'; 3 << 20];
    let table: [(Stdin, &[u8], &str, &str); 7] = [
        (
            Stdin::Empty,
            b"ignored",
            "wc -c; readlink /proc/self/fd/0",
            "0\n/dev/null\n",
        ),
        (of(&file), b"ignored", "cat", "from a file"),
        (Stdin::Bytes, b"one\0two", "wc -c", "7\n"),
        (Stdin::Bytes, b"", "wc -c", "0\n"),
        (Stdin::Bytes, &large, "wc -c", "3145728\n"),
        // who does not read on gets no more, and nobody waits for it
        (Stdin::Bytes, &large, "head -c 3; echo", "xxx\n"),
        (Stdin::Bytes, &large, "exec <&-; echo closed", "closed\n"),
    ];
    for (stdin, bytes, script, want) in table {
        let outcome = read(stdin.clone(), bytes, script).unwrap();
        assert_eq!(outcome.termination, exited(0), "{stdin:?} {script}");
        assert_eq!(stdout(&outcome), want, "{stdin:?} {script}");
    }
    let missing = read(of(&work.path.join("missing")), b"", "echo ran").unwrap_err();
    assert_eq!(missing.code(), "ERR_SANDBOX_SETUP");
    let outside = read(of(Path::new("/etc/hostname")), b"", "echo ran").unwrap_err();
    assert_eq!(outside.code(), "ERR_SANDBOX_SETUP");
    // a pipe with a name would be waited for
    let pipe = work.path.join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [&pipe, &work.path, &hidden] {
        let refused = read(of(path), b"", "echo ran").unwrap_err();
        assert_eq!(refused.code(), "ERR_SANDBOX_PATH_REFUSED", "{path:?}");
    }
}

#[test]
fn input_goes_on_after_the_output_was_closed() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let plan = LaunchPlan {
        stdin: Stdin::Bytes,
        write_paths: vec![work.path.clone()],
        ..shell(&work.path, "exec >&- 2>&-; wc -c > counted")
    };
    let streams = Streams {
        stdin: vec![b'x'; 1 << 20],
        ..Streams::default()
    };
    let outcome = launch(&plan, streams, &Cancel::new().unwrap()).unwrap();
    assert_eq!(outcome.termination, exited(0));
    let counted = std::fs::read_to_string(work.path.join("counted")).unwrap();
    assert_eq!(counted, "1048576\n");
}
