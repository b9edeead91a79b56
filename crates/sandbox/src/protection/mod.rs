// SPDX-License-Identifier: Apache-2.0
//! What a command is kept from though it lies in a path that was granted.
//!
//! Some files inside a work tree act outside of it, later and with the caller's rights: hooks and
//! settings of git, settings that an editor or a shell obeys when it opens the folder. Others hold
//! secrets. The first stay read-only, the second are hidden, in every run, unless the plan lifts
//! the protection by its name.

use serde::{Deserialize, Serialize};

/// A default protection, by its name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Files that editors, shells and agents obey when they open a folder stay read-only.
    AutoRun,
    /// Files that hold tokens, passwords and private keys are hidden.
    Credentials,
    /// `.env` and its like are hidden.
    Dotenv,
    /// Settings of git repositories stay read-only.
    GitConfig,
    /// Hooks of git repositories stay read-only.
    GitHooks,
}
