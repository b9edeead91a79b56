// SPDX-License-Identifier: Apache-2.0
//! Why nothing ran.

use std::path::PathBuf;

use nix::errno::Errno;

/// Why a run could not be started as planned. In every case nothing of the command ran.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A value of the plan is out of range.
    #[error("launch plan: `{field}` {problem}")]
    PlanInvalid {
        /// Field of the plan.
        field: &'static str,
        /// What is wrong and what would be accepted.
        problem: String,
    },
    /// A granted path does not exist.
    #[error("`{}` does not exist", path.display())]
    PathMissing {
        /// As the plan gives it.
        path: PathBuf,
    },
    /// A granted path leads through a symbolic link.
    #[error("`{}` leads through a symbolic link; name the real path", path.display())]
    PathSymlink {
        /// As the plan gives it.
        path: PathBuf,
    },
    /// A granted path is one that no run may be given.
    #[error("`{}` cannot be granted: {reason}", path.display())]
    PathRefused {
        /// As the plan gives it.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// There is more to find or to hold in the granted trees than can be.
    #[error("too much to hide or to protect: {what}")]
    PathsExceeded {
        /// What there is too much of.
        what: &'static str,
    },
    /// The kernel refused to open a granted path.
    #[error("`{}` cannot be opened", path.display())]
    PathUnreadable {
        /// As the plan gives it.
        path: PathBuf,
        /// The kernel's word.
        source: Errno,
    },
    /// This machine lacks something the plan needs.
    #[error("this kernel or container does not offer {mechanism}: {source}")]
    Unsupported {
        /// What is missing.
        mechanism: &'static str,
        /// The kernel's word.
        source: Errno,
    },
    /// This machine gives a lower tier only, and the plan needs more than that has.
    #[error("this run needs {mechanism} {need}, which tier `lite` does not have ({reason})")]
    BelowNeeds {
        /// What is missing.
        mechanism: &'static str,
        /// What for.
        need: String,
        /// Why there is no higher tier.
        reason: String,
    },
    /// A step of building the sandbox failed.
    #[error("the sandbox could not be built: {step}: {source}")]
    Setup {
        /// Which step, with its path if it has one.
        step: String,
        /// The kernel's word.
        source: Errno,
    },
    /// What was observed inside is not what was planned; the run was stopped before or at its start.
    #[error("the sandbox is not what was planned: {mechanism}")]
    NotAsPlanned {
        /// Which mechanism.
        mechanism: String,
    },
    /// A descriptor, thread or message of our own failed.
    #[error("internal failure while launching: {what}: {source}")]
    Internal {
        /// What was being done.
        what: &'static str,
        /// The kernel's word.
        source: Errno,
    },
    /// A filter or ruleset could not be compiled: a defect.
    #[error("internal failure while compiling {what}: {message}")]
    Compile {
        /// Filter or ruleset.
        what: &'static str,
        /// The compiler's word.
        message: String,
    },
}

impl SandboxError {
    /// Returns the stable code of this failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PlanInvalid { .. } => "ERR_SANDBOX_PLAN_INVALID",
            Self::PathMissing { .. } => "ERR_SANDBOX_PATH_MISSING",
            Self::PathSymlink { .. } => "ERR_SANDBOX_PATH_SYMLINK",
            Self::PathRefused { .. } => "ERR_SANDBOX_PATH_REFUSED",
            Self::PathsExceeded { .. } => "ERR_SANDBOX_PATHS_EXCEEDED",
            Self::PathUnreadable { .. } => "ERR_SANDBOX_PATH_UNREADABLE",
            Self::Unsupported { .. } | Self::BelowNeeds { .. } => "ERR_SANDBOX_UNSUPPORTED",
            Self::Setup { .. } => "ERR_SANDBOX_SETUP",
            Self::NotAsPlanned { .. } => "ERR_SANDBOX_NOT_AS_PLANNED",
            Self::Internal { .. } | Self::Compile { .. } => "ERR_SANDBOX_INTERNAL",
        }
    }

    /// Returns an adapter for `map_err` on our own system calls.
    pub(crate) const fn internal(what: &'static str) -> impl Fn(Errno) -> Self {
        move |source| Self::Internal { what, source }
    }
}
