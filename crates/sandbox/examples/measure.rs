// SPDX-License-Identifier: Apache-2.0
//! Measures how long a launch of `/bin/true` takes beside a plain spawn and bubblewrap with an
//! equal profile, in one process, interleaved; prints minimum and median in microseconds.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::process::{Command, Stdio};
use std::time::Instant;

use ambit_sandbox::{Cancel, LaunchPlan, Streams, launch};

type Failure = Box<dyn std::error::Error>;
type Work<'a> = &'a dyn Fn() -> Result<(), Failure>;

const ROUNDS: usize = 200;
const PLAN: &str = r#"{"executable":"/usr/bin/true","argv":["true"],"env":{},"cwd":"/usr",
    "read_paths":[],"write_paths":[],"network":"deny","timeout_ms":5000}"#;
const BWRAP: &str = "--unshare-all --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 \
    /lib64 --symlink usr/bin /bin --ro-bind /etc/ld.so.cache /etc/ld.so.cache --proc /proc --dev \
    /dev --tmpfs /tmp --die-with-parent --new-session --clearenv /usr/bin/true";

fn main() -> Result<(), Failure> {
    let plan: LaunchPlan = serde_json::from_str(PLAN)?;
    let ours = || -> Result<(), Failure> {
        let outcome = launch(&plan, Streams::default(), &Cancel::new()?)?;
        let right = outcome.termination == ambit_sandbox::Termination::Exited { code: 0 };
        right
            .then_some(())
            .ok_or_else(|| format!("{:?}", outcome.termination).into())
    };
    let bare = || spawn(&mut Command::new("/usr/bin/true"));
    let bwrap = || spawn(Command::new("bwrap").args(BWRAP.split_whitespace()));
    let contestants: [(&str, Work<'_>); 3] =
        [("spawn", &bare), ("bwrap", &bwrap), ("ambit", &ours)];
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((name, work), times) in contestants.iter().zip(&mut times) {
            let begun = Instant::now();
            work().map_err(|error| format!("{name}: {error}"))?;
            times.push(begun.elapsed().as_micros());
        }
    }
    for ((name, _), times) in contestants.iter().zip(&mut times) {
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        println!("{name}: min {} median {}", at(0), at(ROUNDS / 2));
    }
    Ok(())
}

fn spawn(command: &mut Command) -> Result<(), Failure> {
    let ended = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    ended
        .status
        .success()
        .then_some(())
        .ok_or_else(|| said.into())
}
