// SPDX-License-Identifier: Apache-2.0
//! How a run ended.

use serde::Serialize;

use crate::enforcement::Enforcement;
use crate::stream::StreamOutcome;

/// How the command's first process ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Termination {
    /// The caller cancelled the run; everything in it was killed.
    Cancelled,
    /// It ended by itself.
    Exited {
        /// Exit code, 0 to 255.
        code: i32,
    },
    /// `execve(2)` found no such program in the sandbox.
    NotFound,
    /// `execve(2)` refused the program.
    NotExecutable {
        /// The kernel's error number.
        errno: i32,
    },
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

/// Everything known about a run once the last process of its sandbox is gone.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// How the command ended.
    pub termination: Termination,
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
