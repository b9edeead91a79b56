// SPDX-License-Identifier: Apache-2.0
//! The launcher: pid 1 of the sandbox. It receives one program over descriptor 0, builds the
//! sandbox step by step, starts the command, reports, reaps, and ends; with it ends every process
//! in the sandbox. It has no libc, no heap, no environment and no arguments.
#![no_std]
#![no_main]
#![no_builtins]
#![expect(
    unsafe_code,
    reason = "the entry point and, in `sys`, raw system calls"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "64-bit Linux only: descriptors, sizes and addresses are words of the kernel"
)]

mod child;
mod entry;
mod steps;
mod sweep;
mod sys;

use ambit_launcher::{DecodeError, Program, Report, Stage};
use steps::Standing;
use sys::process::Deadline;
use sys::{Errno, Fd, exit, files, process};

/// The socket to the process that started us.
const CONTROL: Fd = Fd(0);

/// How many dead are reaped before we listen again: processes that fork and end as fast as they can
/// must not keep us from it.
const REAPED_AT_ONCE: usize = 256;

/// What came with the program.
#[derive(Clone, Copy)]
pub(crate) struct Passed {
    /// Standard input, if it came: not a descriptor otherwise.
    pub(crate) stdin: Fd,
    /// Standard output and standard error.
    pub(crate) streams: [Fd; 2],
    pub(crate) ruleset: Fd,
    /// The caller's file mode creation mask, which came with the process itself.
    pub(crate) umask: usize,
}

/// A stage that failed, and the kernel's word for it.
#[derive(Clone, Copy)]
pub(crate) struct Failure {
    pub(crate) stage: Stage,
    pub(crate) errno: Errno,
}

impl From<DecodeError> for Failure {
    fn from(_: DecodeError) -> Self {
        Self {
            stage: Stage::Program,
            errno: Errno(0),
        }
    }
}

/// Runs to the end; the process never returns from here.
pub(crate) fn run() -> ! {
    let result = prepare().and_then(|(program, passed)| {
        let mut standing = steps::perform(&program, passed)?;
        let ended = supervise(&program, passed, &mut standing);
        if let Some(adopted) = standing.adopted {
            adopted.sweep();
        }
        ended
    });
    if let Err(Failure { stage, errno }) = result {
        send(&Report::Failed {
            stage,
            errno: u64::from(errno.0),
        });
    }
    exit(0)
}

fn send(report: &Report) {
    // a reader that is gone needs no report; the end of this process is the answer
    files::write_all(CONTROL, &report.encode()).unwrap_or(());
}

fn prepare() -> Result<(Program<'static>, Passed), Failure> {
    let at = |errno| Failure {
        stage: Stage::Program,
        errno,
    };
    let mut length = [0_u8; 8];
    let (received, fds) = files::receive(CONTROL, &mut length).map_err(at)?;
    if received != length.len() {
        return Err(at(Errno::INVALID));
    }
    let [program, stdout, stderr, ruleset, stdin] = fds;
    let length = usize::try_from(u64::from_le_bytes(length))
        .ok()
        .ok_or_else(|| at(Errno::INVALID))?;
    let bytes = files::map_file(program, length).map_err(at)?;
    Ok((
        Program::decode(bytes)?,
        Passed {
            stdin,
            streams: [stdout, stderr],
            ruleset,
            umask: process::set_umask(0),
        },
    ))
}

/// Starts the command and stays until it has ended, until nobody listens any more, or until the
/// backstop: who started us may be stopped, and then neither ends us nor goes away.
fn supervise(
    program: &Program<'static>,
    passed: Passed,
    standing: &mut Standing,
) -> Result<(), Failure> {
    let at = |errno| Failure {
        stage: Stage::Fork,
        errno,
    };
    let backstop = Deadline::after(program.command.backstop_ms).map_err(at)?;
    let mut running = child::start(program, passed, *standing)?;
    if program.command.announce {
        send(&Report::Executing);
    }
    let closed = match &mut standing.adopted {
        Some(adopted) => adopted.close_others(),
        None => files::close_from(3),
    };
    closed.map_err(at)?;
    // SIGCHLD is blocked since the first step, so one that came earlier is still pending here
    let events = process::child_events().map_err(at)?;
    let mut more = false;
    loop {
        let left_ms = backstop.left_ms().map_err(at)?;
        if left_ms == Some(0) {
            return Ok(());
        }
        let wait_ms = if more { Some(0) } else { left_ms };
        match process::wait_either(CONTROL, events, wait_ms) {
            Ok((true, _)) => match files::read_word(CONTROL) {
                Ok(Some(signal)) => running.signal(signal),
                // any other word from the other side, or its end: stop at once
                Ok(None) | Err(_) => return Ok(()),
            },
            Ok((false, true)) => drain(events),
            Ok((false, false)) | Err(Errno::INTERRUPTED) => {}
            Err(errno) => return Err(at(errno)),
        }
        more = true;
        for _ in 0..REAPED_AT_ONCE {
            let Ok(Some((pid, status))) = process::reap() else {
                more = false;
                break;
            };
            let Some(segment) = running.ended(pid) else {
                continue;
            };
            send(&Report::Exited {
                segment,
                status: u64::from(status),
                usage: process::usage_of_children(),
            });
            if running.is_over() {
                return Ok(());
            }
        }
    }
}

fn drain(events: Fd) {
    let mut info = [0_u8; 128];
    // what it says does not matter, only that it no longer says it
    files::read(events, &mut info).unwrap_or(0);
}
