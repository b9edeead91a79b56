// SPDX-License-Identifier: Apache-2.0
//! Choices of a plan between closed and wide; what is not said is the closed one.

use serde::{Deserialize, Serialize};

/// What a granted path that does not exist means.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMissingPath {
    /// A write path becomes an empty directory of the caller, its missing parents too; it goes again
    /// if nothing starts. A read path is an error.
    Create,
    /// Nothing runs.
    #[default]
    Error,
    /// The path is left out, and is not there inside either.
    Skip,
}

/// What `/proc` shows of the kernel; other processes of the machine never.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proc {
    /// Also figures by which programs size themselves (`cpuinfo`, `meminfo`, …), and nothing else.
    Full,
    /// Processes only.
    #[default]
    Masked,
}

/// Which system calls a command has.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Also those that debuggers, virtual machines and browsers need among their own processes.
    Compat,
    /// What compilers, interpreters and tools need.
    #[default]
    Strict,
}

impl Proc {
    /// The name in plans and reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Masked => "masked",
        }
    }
}

impl Profile {
    /// The name in plans and reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Compat => "compat",
            Self::Strict => "strict",
        }
    }
}
