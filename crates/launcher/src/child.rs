// SPDX-License-Identifier: Apache-2.0
//! The process that becomes the command.

use core::ffi::CStr;

use ambit_launcher::{Command, Observation, REPORT_BYTES, Report, Stage, Strings};

use crate::sys::process::{self, Forked, Pointers};
use crate::sys::{Errno, Fd, exit, files, mounts, restrict};
use crate::{CONTROL, Failure, Passed};

/// The command's first process, started.
pub(crate) struct Started {
    pub(crate) pid: usize,
    /// Why `execve(2)` refused, when it did.
    pub(crate) refused: Option<Failure>,
}

/// Where the child keeps its end of the status pipe; closes on exec.
const STATUS: Fd = Fd(3);
/// Where the child keeps its copy of the control socket; closes on exec. The child itself says what
/// holds it, before `execve(2)`: nothing that the command does can come before that word.
const CONTROL_COPY: Fd = Fd(4);

/// Starts the command and returns once `execve(2)` has succeeded.
pub(crate) fn start(command: &Command<'static>, passed: Passed) -> Result<Started, Failure> {
    let at = |errno| Failure {
        stage: Stage::Fork,
        errno,
    };
    let argv = pointers(command.argv)?;
    let env = pointers(command.env)?;
    let (reader, writer) = files::pipe().map_err(at)?;
    match process::fork().map_err(at)? {
        Forked::Child => {
            // without its place at STATUS the child cannot even say what failed: the parent sees
            // a pipe that closes without a word, and nothing runs
            if files::duplicate(writer, STATUS, true).is_ok() {
                let Failure { stage, errno } = become_command(command, passed, &argv, &env);
                let report = Report::Failed {
                    stage,
                    errno: errno.0.into(),
                };
                files::write_all(STATUS, &report.encode()).unwrap_or(());
            }
            exit(127)
        }
        Forked::Parent(pid) => {
            // the writer must be gone here, else the end of the pipe never shows
            files::close(writer).map_err(at)?;
            let refused = await_exec(reader)?;
            Ok(Started { pid, refused })
        }
    }
}

fn pointers(strings: Strings<'static>) -> Result<Pointers, Failure> {
    let at = |errno| Failure {
        stage: Stage::Fork,
        errno,
    };
    let mut out = Pointers::with_capacity(strings.announced()).map_err(at)?;
    for string in strings.iter() {
        out.push(string?).map_err(at)?;
    }
    Ok(out)
}

/// Waits for the child's word that it is about to execute, then for the pipe to close, which
/// `execve(2)` does.
fn await_exec(reader: Fd) -> Result<Option<Failure>, Failure> {
    let broken = Failure {
        stage: Stage::Fork,
        errno: Errno::INVALID,
    };
    match next_report(reader)? {
        Some(Report::Started(_)) => match next_report(reader)? {
            None => Ok(None),
            Some(Report::Failed { stage, errno }) => Ok(Some(failed(stage, errno))),
            Some(_) => Err(broken),
        },
        Some(Report::Failed { stage, errno }) => Err(failed(stage, errno)),
        Some(Report::Exited { .. }) | None => Err(broken),
    }
}

fn failed(stage: Stage, errno: u64) -> Failure {
    Failure {
        stage,
        errno: Errno(u32::try_from(errno).unwrap_or(u32::MAX)),
    }
}

fn next_report(reader: Fd) -> Result<Option<Report>, Failure> {
    let at = |errno| Failure {
        stage: Stage::Fork,
        errno,
    };
    let mut bytes = [0_u8; REPORT_BYTES];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match files::read(reader, rest) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(at(Errno::INVALID)),
            Ok(count) => filled = filled.saturating_add(count),
            Err(Errno::INTERRUPTED) => {}
            Err(errno) => return Err(at(errno)),
        }
    }
    Report::decode(&bytes)
        .map(Some)
        .ok_or_else(|| at(Errno::INVALID))
}

/// Returns only when something failed.
fn become_command(
    command: &Command<'static>,
    passed: Passed,
    argv: &Pointers,
    env: &Pointers,
) -> Failure {
    if let Err(failure) = prepare(command, passed) {
        return failure;
    }
    let mut observation = observe();
    if let Err(errno) = restrict::install_filter(command.filter) {
        return Failure {
            stage: Stage::Filter,
            errno,
        };
    }
    observation.seccomp_mode = restrict::seccomp_mode();
    if !as_planned(&observation, command.outside) {
        return Failure {
            stage: Stage::Observe,
            errno: Errno::INVALID,
        };
    }
    let started = Report::Started(observation).encode();
    for listener in [CONTROL_COPY, STATUS] {
        if let Err(errno) = files::write_all(listener, &started) {
            return Failure {
                stage: Stage::Fork,
                errno,
            };
        }
    }
    Failure {
        stage: Stage::Exec,
        errno: process::execute(command.executable, argv, env),
    }
}

fn prepare(command: &Command<'static>, passed: Passed) -> Result<(), Failure> {
    let part = |part| {
        move |errno| Failure {
            stage: Stage::Prepare(part),
            errno,
        }
    };
    process::new_session().map_err(part(1))?;
    // of the sandbox's own read-only mount: through a descriptor of the caller's, the command could
    // change the device node of the machine
    let null = files::open_to_read(c"/dev/null").map_err(part(2))?;
    let [stdout, stderr] = passed.streams;
    for (number, stream) in (1_i32..).zip([stdout, stderr]) {
        files::duplicate(stream, Fd(number), false).map_err(part(2))?;
    }
    files::duplicate(CONTROL, CONTROL_COPY, true).map_err(part(2))?;
    files::duplicate(null, Fd(0), false).map_err(part(2))?;
    files::close_from(5).map_err(part(3))?;
    for limit in command.limits() {
        process::set_limit(limit?).map_err(part(4))?;
    }
    mounts::enter(command.cwd).map_err(part(5))?;
    process::set_umask(passed.umask);
    process::block_signals(false).map_err(part(6))
}

/// What was asked for must be what the kernel reports, or the command never starts.
fn as_planned(seen: &Observation, outside: [u64; 7]) -> bool {
    const FILTER: u64 = 2;
    let apart = |(seen, outside): (u64, u64)| outside == 0 || (seen != 0 && seen != outside);
    seen.no_new_privs == 1
        && seen.seccomp_mode == FILTER
        && (seen.capabilities, seen.bounding, seen.ambient) == (0, 0, 0)
        && seen.namespaces.into_iter().zip(outside).all(apart)
}

const NAMESPACES: [&CStr; 7] = [
    c"/proc/self/ns/cgroup",
    c"/proc/self/ns/ipc",
    c"/proc/self/ns/mnt",
    c"/proc/self/ns/net",
    c"/proc/self/ns/pid",
    c"/proc/self/ns/user",
    c"/proc/self/ns/uts",
];

fn observe() -> Observation {
    let mut namespaces = [0; 7];
    for (slot, path) in namespaces.iter_mut().zip(NAMESPACES) {
        *slot = files::identity(None, path).map_or(0, |found| found.inode);
    }
    Observation {
        namespaces,
        no_new_privs: restrict::no_new_privileges(),
        seccomp_mode: 0,
        capabilities: restrict::capabilities(),
        bounding: restrict::bounding_set(),
        ambient: restrict::ambient_set(),
    }
}
