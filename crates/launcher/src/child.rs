// SPDX-License-Identifier: Apache-2.0
//! The process that becomes the command.

use core::ffi::CStr;

use ambit_launcher::{
    Command, Observation, Program, REPORT_BYTES, Report, Secret, Segment, Stage, Stdin, Strings,
    Sweep, protocol,
};

use crate::steps::Standing;
use crate::sys::process::{self, Forked, Pointers};
use crate::sys::{Errno, Fd, exit, files, mounts, restrict, terminal};
use crate::{CONTROL, Failure, Passed};

/// The first processes of all segments that still run.
pub(crate) struct Running {
    pids: [Option<usize>; protocol::MAX_SEGMENTS],
}

impl Running {
    /// Takes note that a process has ended; returns which segment's first it was, if any's.
    pub(crate) fn ended(&mut self, pid: usize) -> Option<u64> {
        let at = self.pids.iter().position(|known| *known == Some(pid))?;
        *self.pids.get_mut(at)? = None;
        u64::try_from(at).ok()
    }

    /// Sends a signal to each that still runs; what the kernel refuses was no signal.
    pub(crate) fn signal(&self, signal: u64) {
        for pid in self.pids.iter().flatten() {
            process::kill(*pid, signal).unwrap_or(());
        }
    }

    /// Returns whether none of them runs any more.
    pub(crate) fn is_over(&self) -> bool {
        self.pids.iter().all(Option::is_none)
    }
}

/// Where the child keeps its end of the status pipe; closes on exec.
const STATUS: Fd = Fd(3);
/// Where the child keeps its copy of the control socket; closes on exec. The child itself says what
/// holds it, before `execve(2)`: nothing that the command does can come before that word.
const CONTROL_COPY: Fd = Fd(4);

/// Where one segment reads and writes.
#[derive(Clone, Copy)]
struct Streams {
    input: Input,
    output: Fd,
    errors: Fd,
    umask: usize,
    /// Whether they are a terminal, which is to control the session.
    controlling: bool,
    /// Number of the launcher's process, which is the parent of each.
    launcher: usize,
    standing: Standing,
}

#[derive(Clone, Copy)]
enum Input {
    /// A file, to be opened inside the sandbox.
    File(&'static CStr),
    /// A descriptor of the launcher.
    Open(Fd),
}

/// Starts every segment, each reading what the one before it writes, and returns once `execve(2)`
/// has succeeded in the last. One that cannot be executed is the end of all.
pub(crate) fn start(
    program: &Program<'static>,
    passed: Passed,
    standing: Standing,
) -> Result<Running, Failure> {
    let at = |errno| Failure {
        stage: Stage::Fork,
        errno,
    };
    let command = &program.command;
    let env = environment(program)?;
    let terminal = standing.terminal;
    let launcher = process::own_id().map_err(at)?;
    let [stdout, errors] = terminal.map_or(passed.streams, |terminal| [terminal; 2]);
    let mut running = Running {
        pids: [None; protocol::MAX_SEGMENTS],
    };
    let mut input = match command.stdin {
        _ if terminal.is_some() => Input::Open(stdout),
        Stdin::File(path) => Input::File(path),
        Stdin::Passed if passed.stdin.0 >= 0 => Input::Open(passed.stdin),
        Stdin::Passed => return Err(at(Errno::INVALID)),
    };
    let count = command.segments().count();
    if count == 0 || count > protocol::MAX_SEGMENTS {
        return Err(at(Errno::INVALID));
    }
    for ((index, segment), pid) in (1..).zip(command.segments()).zip(running.pids.iter_mut()) {
        let (output, next) = if index == count {
            (stdout, input)
        } else {
            // what came with the program still has the numbers that the child gives to its own
            let (reader, writer) = files::pipe().map_err(at)?;
            (writer, Input::Open(reader))
        };
        let streams = Streams {
            input,
            output,
            errors,
            umask: passed.umask,
            controlling: terminal.is_some(),
            launcher,
            standing,
        };
        let index = u32::try_from(index.saturating_sub(1)).unwrap_or(u32::MAX);
        *pid = Some(start_segment(command, (index, segment?), streams, &env)?);
        // the ends must be gone here, else the end of a stream never shows
        if let Input::Open(fd) = input {
            files::close(fd).map_err(at)?;
        }
        files::close(output).map_err(at)?;
        input = next;
    }
    Ok(running)
}

/// Starts one segment and returns its process once `execve(2)` has succeeded.
fn start_segment(
    command: &Command<'static>,
    (index, segment): (u32, Segment<'static>),
    streams: Streams,
    env: &Pointers,
) -> Result<usize, Failure> {
    let at = |errno| Failure {
        stage: Stage::Fork,
        errno,
    };
    let argv = pointers(segment.argv)?;
    let (reader, writer) = files::pipe().map_err(at)?;
    match process::fork().map_err(at)? {
        Forked::Child => {
            // without its place at STATUS the child cannot even say what failed: the parent sees
            // a pipe that closes without a word, and nothing runs
            if files::duplicate(writer, STATUS, true).is_ok() {
                let Failure { stage, errno } = match confine(command, streams) {
                    Err(failure) => failure,
                    Ok(()) => Failure {
                        stage: Stage::Exec(index),
                        errno: process::execute(segment.executable, &argv, env),
                    },
                };
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
            let started = await_exec(reader);
            files::close(reader).map_err(at)?;
            started.map(|()| pid)
        }
    }
}

/// The environment, secrets last.
fn environment(program: &Program<'static>) -> Result<Pointers, Failure> {
    let at = |errno| Failure {
        stage: Stage::Fork,
        errno,
    };
    let secrets = u32::try_from(program.secrets().count()).unwrap_or(u32::MAX);
    let room = program.command.env.announced().saturating_add(secrets);
    let mut out = Pointers::with_capacity(room).map_err(at)?;
    for line in program.command.env.iter() {
        out.push(line?).map_err(at)?;
    }
    for secret in program.secrets() {
        if let Secret::Variable(line) = secret? {
            out.push(line).map_err(at)?;
        }
    }
    Ok(out)
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
fn await_exec(reader: Fd) -> Result<(), Failure> {
    let broken = Failure {
        stage: Stage::Fork,
        errno: Errno::INVALID,
    };
    match next_report(reader)? {
        Some(Report::Started(_)) => match next_report(reader)? {
            None => Ok(()),
            Some(Report::Failed { stage, errno }) => Err(failed(stage, errno)),
            Some(_) => Err(broken),
        },
        Some(Report::Failed { stage, errno }) => Err(failed(stage, errno)),
        Some(Report::Exited { .. } | Report::Executing | Report::Terminal) | None => Err(broken),
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

/// Puts every restriction on this process and says so; it may become the command then.
fn confine(command: &Command<'static>, streams: Streams) -> Result<(), Failure> {
    let adopted = streams.standing.adopted.map(|adopted| adopted.how);
    if adopted.is_some() {
        // no namespace ends us with the launcher
        restrict::end_with(streams.launcher).map_err(|errno| Failure {
            stage: Stage::Fork,
            errno,
        })?;
    }
    prepare(command, streams)?;
    if adopted == Some(Sweep::Domain) {
        keep_from_launcher(streams.launcher)?;
    }
    let mut observation = Observation {
        landlock: streams.standing.landlock,
        ..observe()
    };
    restrict::install_filter(command.filter).map_err(|errno| Failure {
        stage: Stage::Filter,
        errno,
    })?;
    observation.seccomp_mode = restrict::seccomp_mode();
    if !as_planned(&observation, command.outside, adopted.is_some()) {
        return Err(Failure {
            stage: Stage::Observe,
            errno: Errno::INVALID,
        });
    }
    let started = Report::Started(observation).encode();
    for listener in [CONTROL_COPY, STATUS] {
        files::write_all(listener, &started).map_err(|errno| Failure {
            stage: Stage::Fork,
            errno,
        })?;
    }
    Ok(())
}

fn prepare(command: &Command<'static>, streams: Streams) -> Result<(), Failure> {
    let part = |part| {
        move |errno| Failure {
            stage: Stage::Prepare(part),
            errno,
        }
    };
    process::new_session().map_err(part(1))?;
    let input = match streams.input {
        // of the sandbox's own read-only mounts: through a descriptor of the caller's, the command
        // could change the file of the machine
        Input::File(path) => files::open_to_read(path).map_err(part(2))?,
        Input::Open(fd) => fd,
    };
    for (number, stream) in (1_i32..).zip([streams.output, streams.errors]) {
        files::duplicate(stream, Fd(number), false).map_err(part(2))?;
    }
    files::duplicate(CONTROL, CONTROL_COPY, true).map_err(part(2))?;
    files::duplicate(input, Fd(0), false).map_err(part(2))?;
    if streams.controlling {
        terminal::control(Fd(0)).map_err(part(1))?;
    }
    files::close_from(5).map_err(part(3))?;
    for limit in command.limits() {
        process::set_limit(limit?).map_err(part(4))?;
    }
    mounts::enter(command.cwd).map_err(part(5))?;
    process::set_umask(streams.umask);
    process::block_signals(false).map_err(part(6))
}

/// Keeps this process from signalling the launcher, which ends everything, and sees that it holds.
fn keep_from_launcher(launcher: usize) -> Result<(), Failure> {
    restrict::scope_signals().map_err(|errno| Failure {
        stage: Stage::Filter,
        errno,
    })?;
    match process::kill(launcher, 0) {
        Err(Errno::NOT_PERMITTED) => Ok(()),
        Ok(()) | Err(_) => Err(Failure {
            stage: Stage::Observe,
            errno: Errno::INVALID,
        }),
    }
}

/// What was asked for must be what the kernel reports, or the command never starts. A caller without
/// namespaces may have a bounding set that it cannot drop.
fn as_planned(seen: &Observation, outside: [u64; 7], has_own_bounds: bool) -> bool {
    const FILTER: u64 = 2;
    let apart = |(seen, outside): (u64, u64)| outside == 0 || (seen != 0 && seen != outside);
    seen.no_new_privs == 1
        && seen.seccomp_mode == FILTER
        && (seen.capabilities, seen.ambient) == (0, 0)
        && (seen.bounding == 0 || has_own_bounds)
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
        landlock: 0,
        pid_max: restrict::pid_max(),
    }
}
