// SPDX-License-Identifier: Apache-2.0
//! How a run ended.

use serde::Serialize;

use crate::enforcement::Enforcement;
use crate::stream::StreamOutcome;

/// How the command's first process ended. Those that name a limit are said only where it was seen
/// that the limit was reached; [`Outcome::limits_reached`] has the evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Termination {
    /// The caller cancelled the run; everything in it was killed.
    Cancelled,
    /// The limit on CPU time ended it.
    Cpu(End),
    /// It ended by itself.
    Exited {
        /// Exit code, 0 to 255.
        code: i32,
    },
    /// The limit on the size of a file ended it.
    FileSize(End),
    /// `execve(2)` found no such program in the sandbox.
    NotFound,
    /// `execve(2)` refused the program.
    NotExecutable {
        /// The kernel's error number.
        errno: i32,
    },
    /// The limit on memory ended it.
    Oom(End),
    /// More was written than the limit on output lets through; everything was killed.
    Output(End),
    /// It failed once the limit on processes was reached.
    Pids(End),
    /// The sandbox's own first process disappeared without a word (killed from outside).
    SandboxLost,
    /// A signal ended it.
    Signaled {
        /// Signal number.
        signal: i32,
    },
    /// The wall-clock limit passed; everything in the sandbox was killed.
    TimedOut,
}

/// The end of a process that reached a limit: one of both.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct End {
    /// Exit code, 0 to 255.
    pub code: Option<i32>,
    /// Number of the signal that ended it.
    pub signal: Option<i32>,
}

impl End {
    /// Returns the end of what was killed.
    pub(crate) const fn killed() -> Self {
        Self {
            code: None,
            signal: Some(libc::SIGKILL),
        }
    }

    /// Returns the end that a termination stands for, if it was one of the command's own.
    pub(crate) const fn of(termination: Termination) -> Option<Self> {
        match termination {
            Termination::Exited { code } => Some(Self {
                code: Some(code),
                signal: None,
            }),
            Termination::Signaled { signal } => Some(Self {
                code: None,
                signal: Some(signal),
            }),
            Termination::Cpu(end)
            | Termination::FileSize(end)
            | Termination::Oom(end)
            | Termination::Output(end)
            | Termination::Pids(end) => Some(end),
            Termination::Cancelled
            | Termination::NotFound
            | Termination::NotExecutable { .. }
            | Termination::SandboxLost
            | Termination::TimedOut => None,
        }
    }
}

/// A limit that a run can reach.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// CPU time.
    Cpu,
    /// Size of one file.
    FileSize,
    /// Memory.
    Oom,
    /// Standard output and standard error together.
    Output,
    /// Processes.
    Pids,
    /// The wall clock.
    Timeout,
}

/// A limit that was seen to be reached, whether or not that ended the run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LimitReached {
    /// Which.
    pub limit: Limit,
    /// What was seen, in words.
    pub evidence: String,
}

/// Everything known about a run once the last process of its sandbox is gone.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// How the command ended.
    pub termination: Termination,
    /// The limits that were seen to be reached, each once.
    pub limits_reached: Vec<LimitReached>,
    /// Wall-clock time from the start of the launch until pid 1 of the sandbox was reaped,
    /// microseconds.
    pub duration_us: u64,
    /// CPU time of the command and its reaped descendants in user mode, microseconds.
    pub user_us: u64,
    /// The same in the kernel, microseconds.
    pub system_us: u64,
    /// Largest resident set of one of them, KiB.
    pub max_rss_kib: u64,
    /// Standard output.
    pub stdout: StreamOutcome,
    /// Standard error.
    pub stderr: StreamOutcome,
    /// What held the command.
    pub enforcement: Enforcement,
}
