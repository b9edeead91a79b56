// SPDX-License-Identifier: Apache-2.0
//! The processes of a run without a sandbox: one process group.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgid};

use super::{Timing, errno_of};
use crate::error::SandboxError;
use crate::launch::pipe;
use crate::outcome::{Limit, Termination};
use crate::plan::LaunchPlan;
use crate::supervise::{Cancel, Ended, Stopped, until};
use crate::sys;

/// How long a program that was killed is waited for: one that another user owns does not end.
const LONGEST_DEATH: Duration = Duration::from_secs(1);
/// How long the rest of the group, whose parent we are not, is waited for after it was killed.
const LONGEST_REST: Duration = Duration::from_millis(200);
const SHORT: Duration = Duration::from_millis(1);

/// Our ends of the streams of the whole pipeline.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) stdin: Stdio,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// What stops a run before its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stops<'a> {
    pub(super) cancel: &'a Cancel,
    /// Becomes readable when more was written than may be passed on.
    pub(super) over: BorrowedFd<'a>,
}

/// What became of a start.
#[derive(Debug)]
pub(super) enum Started {
    /// One of the programs could not be executed; the others are gone.
    Never(Termination),
    Running(Group),
}

/// How the programs of a group ended.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) exited: Vec<Ended>,
    pub(super) stopped: Option<Stopped>,
}

/// A program that was started.
#[derive(Debug)]
struct Member {
    id: Pid,
    process: OwnedFd,
    gone: bool,
}

/// The programs of a run. Dropping it kills and reaps what is left.
///
/// INVARIANT: until the end no member is reaped, so that the first one's number, which is the
/// group's, stands for this group and no other.
#[derive(Debug, Default)]
pub(super) struct Group {
    members: Vec<Member>,
}

impl Group {
    /// Starts all programs of a plan.
    pub(super) fn start(
        plan: &LaunchPlan,
        secrets: &[(&str, &OsStr)],
        cwd: &Path,
        ends: Ends,
    ) -> Result<Started, SandboxError> {
        let mut group = Self::default();
        let first = (&plan.executable, &plan.argv);
        let further = plan.piped_into.iter().map(|it| (&it.executable, &it.argv));
        let mut stdin = ends.stdin;
        let mut left = plan.piped_into.len();
        for (executable, argv) in std::iter::once(first).chain(further) {
            let (next, stdout) = between(left, &ends.stdout)?;
            left = left.saturating_sub(1);
            let mut command = Command::new(executable);
            command
                .arg0(argv.first().map_or("", String::as_str))
                .args(argv.iter().skip(1))
                .env_clear()
                .envs(&plan.env)
                .envs(secrets.iter().copied())
                .current_dir(cwd)
                .process_group(group.id().map_or(0, Pid::as_raw))
                .stdin(stdin)
                .stdout(stdout)
                .stderr(copy(&ends.stderr)?);
            stdin = next;
            if let Some(termination) = group.add(&mut command)? {
                return Ok(Started::Never(termination));
            }
        }
        Ok(Started::Running(group))
    }

    /// Starts one program; answers how the run ended if that cannot be executed.
    fn add(&mut self, command: &mut Command) -> Result<Option<Termination>, SandboxError> {
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return self.not_started(errno_of(&error)).map(Some),
        };
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
        match sys::pidfd_open(id) {
            Ok(process) => {
                self.members.push(Member {
                    id,
                    process,
                    gone: false,
                });
                Ok(None)
            }
            Err(source) => {
                // what cannot be watched must not run
                let mut child = child;
                let ended = child.kill().and_then(|()| child.wait());
                let source = ended.map_or_else(|error| errno_of(&error), |_| source);
                let step = "watching the command".to_owned();
                Err(SandboxError::Setup { step, source })
            }
        }
    }

    /// A program that is not there or not executable is an outcome; that no process can be made is
    /// an error, unless another program has run by then.
    fn not_started(&self, source: Errno) -> Result<Termination, SandboxError> {
        if [Errno::ENOENT, Errno::ENOTDIR].contains(&source) {
            return Ok(Termination::NotFound);
        }
        let exhausted = [Errno::EAGAIN, Errno::ENOMEM, Errno::EMFILE, Errno::ENFILE];
        if self.members.is_empty() && exhausted.contains(&source) {
            let step = "starting the command's process".to_owned();
            return Err(SandboxError::Setup { step, source });
        }
        let errno = source as i32;
        Ok(Termination::NotExecutable { errno })
    }

    /// The group's number.
    fn id(&self) -> Option<Pid> {
        self.members.first().map(|member| member.id)
    }

    /// Waits until all programs have ended, asking and then making them to in time, and ends what
    /// is left of the group.
    pub(super) fn follow(
        mut self,
        timing: Timing,
        stops: Stops<'_>,
    ) -> Result<Finished, SandboxError> {
        let stopped = self.watch(timing, stops)?;
        let exited = self.end();
        Ok(Finished { exited, stopped })
    }

    fn watch(&mut self, timing: Timing, stops: Stops<'_>) -> Result<Option<Stopped>, SandboxError> {
        let mut phase = Phase::Running;
        loop {
            let (wake_at, asked) = match phase {
                Phase::Running => (timing.ask_at, Some(stops)),
                Phase::Asked { kill_at, .. } => (kill_at, None),
                Phase::Killed { leave_at, .. } => (leave_at, None),
            };
            let asked = self.wait(wake_at, asked)?;
            if self.members.iter().all(|member| member.gone) {
                return Ok(phase.stopped());
            }
            let now = Instant::now();
            let due = now >= wake_at;
            let after = |time: Duration| now.checked_add(time).unwrap_or(now);
            match phase {
                Phase::Running if asked.is_some() || due => {
                    let stopped = asked.unwrap_or(Stopped::TimedOut);
                    // what is over its limit is not asked either
                    let kill_at = match stopped {
                        Stopped::Cancelled | Stopped::TimedOut => {
                            after(timing.grace).min(timing.kill_at)
                        }
                        Stopped::Reached(_) => now,
                    };
                    // who has no time left is not asked
                    if kill_at > now {
                        self.signal(Signal::SIGTERM);
                    }
                    phase = Phase::Asked { stopped, kill_at };
                }
                Phase::Asked { stopped, .. } if due => {
                    self.signal(Signal::SIGKILL);
                    let leave_at = after(LONGEST_DEATH);
                    phase = Phase::Killed { stopped, leave_at };
                }
                Phase::Killed { stopped, .. } if due => return Ok(Some(stopped)),
                Phase::Running | Phase::Asked { .. } | Phase::Killed { .. } => {}
            }
        }
    }

    /// Marks the programs that have ended; answers why the run is to be stopped, if it is.
    fn wait(
        &mut self,
        wake_at: Instant,
        stops: Option<Stops<'_>>,
    ) -> Result<Option<Stopped>, SandboxError> {
        let living = self.members.iter().filter(|member| !member.gone);
        let mut fds: Vec<PollFd<'_>> = living
            .map(|member| member.process.as_fd())
            .chain(stops.map(|stops| stops.over))
            .chain(stops.map(|stops| stops.cancel.event()))
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut fds, until(wake_at)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(source) => {
                let what = "waiting for a run";
                return Err(SandboxError::Internal { what, source });
            }
        }
        let mut ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        let mut last = || stops.is_some() && ready.pop().unwrap_or(false);
        let (cancelled, over) = (last(), last());
        let living = self.members.iter_mut().filter(|member| !member.gone);
        for (member, ready) in living.zip(ready) {
            member.gone = ready;
        }
        Ok(match (cancelled, over) {
            (true, _) => Some(Stopped::Cancelled),
            (false, true) => Some(Stopped::Reached(Limit::Output)),
            (false, false) => None,
        })
    }

    /// Signals the group, and programs that have left it. That there is none, or that it is not
    /// ours to signal, changes nothing about what comes next.
    fn signal(&self, signal: Signal) {
        let Some(id) = self.id() else { return };
        let _nobody = killpg(id, signal);
        for member in self.members.iter().filter(|member| !member.gone) {
            if getpgid(Some(member.id)) != Ok(id) {
                let _gone = sys::signal(member.process.as_fd(), signal);
            }
        }
        if signal == Signal::SIGTERM {
            // one that is stopped hears it only when it goes on
            let _nobody = killpg(id, Signal::SIGCONT);
        }
    }

    /// Kills what is left and reaps the programs; a second call does nothing.
    fn end(&mut self) -> Vec<Ended> {
        let Some(id) = self.id() else {
            return Vec::new();
        };
        self.signal(Signal::SIGKILL);
        let leave_at = Instant::now().checked_add(LONGEST_DEATH);
        let mut exited = Vec::new();
        for (member, segment) in self.members.drain(..).zip(0..) {
            let ended = reap(&member, leave_at);
            exited.extend(ended.map(|(status, usage)| Ended {
                segment,
                status,
                usage,
            }));
        }
        // what the programs left behind is dead or dying: its parent is not us
        let rest_at = Instant::now().checked_add(LONGEST_REST);
        while killpg(id, None) == Ok(()) && has_living(id) && is_before(rest_at) {
            thread::sleep(SHORT);
        }
        exited
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// How far the end of a run has come.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Running,
    Asked { stopped: Stopped, kill_at: Instant },
    Killed { stopped: Stopped, leave_at: Instant },
}

impl Phase {
    const fn stopped(self) -> Option<Stopped> {
        match self {
            Self::Running => None,
            Self::Asked { stopped, .. } | Self::Killed { stopped, .. } => Some(stopped),
        }
    }
}

fn reap(member: &Member, leave_at: Option<Instant>) -> Option<(u64, ambit_launcher::Usage)> {
    loop {
        match sys::reap_if_ended(member.id) {
            Ok(Some(ended)) => return Some(ended),
            Ok(None) if is_before(leave_at) => thread::sleep(SHORT),
            Err(Errno::EINTR) => {}
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Whether a process of the group is more than a zombie, which stays until its parent reaps it: in a
/// container that can be never. Reads `/proc/PID/stat` (`proc_pid_stat(5)`): after the name in
/// brackets come state, parent and group.
fn has_living(group: Pid) -> bool {
    let number = group.to_string();
    let lives = |stat: &str| {
        let (_, after) = stat.rsplit_once(')')?;
        let mut fields = after.split_whitespace();
        let state = fields.next()?;
        Some(fields.nth(1)? == number && !["Z", "X"].contains(&state))
    };
    fs::read_dir("/proc").is_ok_and(|entries| {
        entries
            .flatten()
            .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
            .any(|stat| lives(&stat).unwrap_or(false))
    })
}

fn is_before(moment: Option<Instant>) -> bool {
    moment.is_some_and(|moment| Instant::now() < moment)
}

/// Returns what the next program reads, and where this one writes: a pipe, or the end of all.
fn between(left: usize, stdout: &OwnedFd) -> Result<(Stdio, Stdio), SandboxError> {
    if left == 0 {
        return Ok((Stdio::null(), copy(stdout)?));
    }
    let (reader, writer) = pipe()?;
    Ok((Stdio::from(reader), Stdio::from(writer)))
}

fn copy(end: &OwnedFd) -> Result<Stdio, SandboxError> {
    match end.try_clone() {
        Ok(end) => Ok(Stdio::from(end)),
        Err(error) => Err(SandboxError::Internal {
            what: "copying a descriptor",
            source: errno_of(&error),
        }),
    }
}
