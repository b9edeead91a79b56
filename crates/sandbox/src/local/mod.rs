// SPDX-License-Identifier: Apache-2.0
//! One run without a sandbox: what the plan names is judged before the start, and nothing holds
//! the command to it afterwards.

mod group;

use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use ambit_launcher::Usage;
use nix::errno::Errno;

use crate::enforcement::Enforcement;
use crate::error::SandboxError;
use crate::extras::Extras;
use crate::launch::{input, of_pipeline, pipe, taps, with_pump};
use crate::layout::{Tree, open_unmounted};
use crate::outcome::{Outcome, Termination};
use crate::plan::{LaunchPlan, Stdin, c_string};
use crate::reached::{self, Seen};
use crate::stream::{StreamOutcome, Streams};
use crate::supervise::{Cancel, Stopped};
use group::{Ends, Finished, Group, Started, Stops};

/// Time between asking processes to end and killing them, where the plan says nothing.
const USUAL_GRACE: Duration = Duration::from_secs(2);
/// The grace is this part of the wall-clock limit, where that is less.
const GRACE_PART: u32 = 20;

/// Runs one command, or a pipeline, as a process group of the caller's own, without a sandbox, and
/// returns once its programs are gone.
///
/// What the plan names is looked at before the start, as [`launch`](crate::launch) does: paths
/// exist, and lead through no symbolic link. After that the kernel holds the command to nothing:
/// scopes, network and limits of the plan have no effect, but for those on time and output, and the
/// report says so. The environment,
/// the arguments, the working directory and the streams are the plan's.
///
/// At the wall-clock limit everything is dead: the group gets `SIGTERM` before it, by the plan's
/// grace or else a twentieth of the limit, at most 2 s, and `SIGKILL` at the limit. A cancelled run has the same grace. When the
/// programs have ended, what is left of their group is killed. A process that left the group is
/// not found again.
///
/// Blocks the calling thread; call it from a thread of its own.
///
/// # Errors
/// [`SandboxError`] when a path is not as planned or no process can be made; then nothing ran.
pub fn launch_local(
    plan: &LaunchPlan,
    mut streams: Streams,
    cancel: &Cancel,
) -> Result<Outcome, SandboxError> {
    plan.validate()?;
    let argvs = std::iter::once(&plan.argv).chain(plan.piped_into.iter().map(|it| &it.argv));
    for text in argvs.flatten() {
        c_string("argv", text.as_str())?;
    }
    let secrets = std::mem::take(&mut streams.secrets);
    let extras = Extras::new(plan, &secrets)?;
    extras.refuse_in_local_mode()?;
    let begun = Instant::now();
    let timing = Timing::of(plan, begun);
    let judged = Judged::of(plan)?;
    if cancel.is_asked() {
        let nothing = [StreamOutcome::empty(), StreamOutcome::empty()];
        let never = Finished::default();
        return Ok(outcome(
            begun,
            plan,
            Termination::Cancelled,
            &never,
            nothing,
        ));
    }
    let (stdout, stdout_end) = pipe()?;
    let (stderr, stderr_end) = pipe()?;
    let (piped, feed) = input(plan, streams.stdin, streams.input)?;
    let ends = Ends {
        stdin: judged.stdin(piped)?,
        stdout: stdout_end,
        stderr: stderr_end,
    };
    let taps = taps(plan, [stdout, stderr], [streams.stdout, streams.stderr])?;
    let ((termination, finished), streams) =
        with_pump(plan, taps, feed, |over| {
            match Group::start(
                plan,
                &extras.variables(),
                &judged.working_directory()?,
                ends,
            )? {
                Started::Never(termination) => Ok((termination, Finished::default())),
                Started::Running(group) => {
                    let finished = group.follow(timing, Stops { cancel, over })?;
                    Ok((termination(&finished), finished))
                }
            }
        })?;
    Ok(outcome(begun, plan, termination, &finished, streams))
}

/// When a run is asked to end, and when it is made to.
#[derive(Clone, Copy, Debug)]
struct Timing {
    ask_at: Instant,
    kill_at: Instant,
    grace: Duration,
}

impl Timing {
    fn of(plan: &LaunchPlan, begun: Instant) -> Self {
        let limit = Duration::from_millis(plan.timeout_ms);
        let part = |part: u32| limit.checked_div(part).unwrap_or_default();
        let usual = part(GRACE_PART).min(USUAL_GRACE);
        let grace = plan.grace_ms.map_or(usual, Duration::from_millis);
        let grace = grace.min(part(2));
        let at = |after: Duration| begun.checked_add(after).unwrap_or(begun);
        Self {
            ask_at: at(limit.saturating_sub(grace)),
            kill_at: at(limit),
            grace,
        }
    }
}

/// What the plan names, held open: what was judged is what is used.
#[derive(Debug)]
struct Judged {
    cwd: Tree,
    stdin: Option<Tree>,
}

impl Judged {
    fn of(plan: &LaunchPlan) -> Result<Self, SandboxError> {
        for path in plan.write_paths.iter().chain(&plan.read_paths) {
            open_unmounted(path)?;
        }
        let cwd = open_unmounted(&plan.cwd)?;
        if !cwd.is_directory {
            return Err(refused(&plan.cwd, "a working directory is a directory"));
        }
        let stdin = match &plan.stdin {
            Stdin::Bytes | Stdin::Empty | Stdin::Stream => None,
            Stdin::File { path } => Some(open_unmounted(path)?),
        };
        if let Some(file) = stdin.as_ref().filter(|file| file.is_directory) {
            return Err(refused(&file.source, "standard input is a regular file"));
        }
        Ok(Self { cwd, stdin })
    }

    /// Returns the way to the directory that was judged, whatever its path leads to by now.
    fn working_directory(&self) -> Result<PathBuf, SandboxError> {
        let path = descriptor_path(self.cwd.handle());
        match path.metadata() {
            Ok(_) => Ok(path),
            Err(error) => Err(SandboxError::Setup {
                step: "reading `/proc`".to_owned(),
                source: errno_of(&error),
            }),
        }
    }

    fn stdin(&self, piped: Option<OwnedFd>) -> Result<Stdio, SandboxError> {
        if let Some(file) = &self.stdin {
            let opened = File::open(descriptor_path(file.handle()));
            return opened
                .map(Stdio::from)
                .map_err(|error| SandboxError::PathUnreadable {
                    path: file.source.clone(),
                    source: errno_of(&error),
                });
        }
        Ok(piped.map_or_else(Stdio::null, Stdio::from))
    }
}

fn refused(path: &Path, reason: &'static str) -> SandboxError {
    SandboxError::PathRefused {
        path: path.to_owned(),
        reason,
    }
}

fn descriptor_path(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

fn termination(finished: &Finished) -> Termination {
    match finished.stopped {
        Some(Stopped::Cancelled) => Termination::Cancelled,
        Some(Stopped::Reached(limit)) => reached::killed_for(limit),
        Some(Stopped::TimedOut) => Termination::TimedOut,
        None => of_pipeline(&finished.exited),
    }
}

fn outcome(
    begun: Instant,
    plan: &LaunchPlan,
    termination: Termination,
    finished: &Finished,
    [stdout, stderr]: [StreamOutcome; 2],
) -> Outcome {
    let all = || finished.exited.iter().map(|ended| ended.usage);
    let sum = |part: fn(Usage) -> u64| all().map(part).fold(0, u64::saturating_add);
    let usage = Usage {
        user_us: sum(|usage| usage.user_us),
        system_us: sum(|usage| usage.system_us),
        max_rss_kib: all().map(|usage| usage.max_rss_kib).max().unwrap_or(0),
    };
    let seen = Seen {
        stopped: finished.stopped,
        usage,
        streams: [&stdout, &stderr],
        counted: Vec::new(),
    };
    let (termination, limits_reached) = reached::judge(termination, plan, seen);
    Outcome {
        termination,
        limits_reached,
        duration_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        user_us: usage.user_us,
        system_us: usage.system_us,
        max_rss_kib: usage.max_rss_kib,
        stdout,
        stderr,
        enforcement: Enforcement::local(),
    }
}
