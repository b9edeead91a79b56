// SPDX-License-Identifier: Apache-2.0
//! The launch plan: all that one run may see, write and use.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::SandboxError;

/// What one run may see, write and use. What is not named is denied.
///
/// Paths are absolute, without `.`, `..` or symbolic links; a directory stands for all beneath it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchPlan {
    /// The program, an absolute path; never looked up anywhere.
    pub executable: PathBuf,
    /// Arguments with `argv[0]`; at least one.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// Working directory; must lie in a readable or writable path or the base system.
    pub cwd: PathBuf,
    /// Files and directories that may be read and executed.
    pub read_paths: Vec<PathBuf>,
    /// Files and directories that may also be written.
    pub write_paths: Vec<PathBuf>,
    /// Paths inside the above that must not be seen: directories show empty, files read as empty.
    #[serde(default)]
    pub hidden_paths: Vec<PathBuf>,
    /// Which network there is.
    pub network: Network,
    /// Wall-clock limit for the whole run, milliseconds, from 1.
    pub timeout_ms: u64,
    /// Resource limits.
    #[serde(default)]
    pub limits: Limits,
    /// How much output is kept; all of it is passed on and hashed.
    #[serde(default)]
    pub output: OutputLimits,
}

/// Which network the command has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// An empty network namespace, and no socket can be made.
    Deny,
    /// The host's network, unrestricted.
    Full,
}

/// Limits of `setrlimit(2)`; absent means the caller's own limit stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// CPU time per process, seconds.
    pub cpu_sec: Option<u64>,
    /// Address space per process, bytes.
    pub address_space_bytes: Option<u64>,
    /// Processes and threads in the sandbox. The kernel exempts a root caller (`setrlimit(2)`).
    pub max_processes: Option<u64>,
    /// Size of any file written, bytes.
    pub max_file_size_bytes: Option<u64>,
    /// Open descriptors per process.
    pub max_open_files: Option<u64>,
}

/// How many bytes of each stream are kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputLimits {
    /// Of standard output, bytes.
    pub stdout_bytes: usize,
    /// Of standard error, bytes.
    pub stderr_bytes: usize,
}

impl Default for OutputLimits {
    fn default() -> Self {
        Self { stdout_bytes: 10 << 20, stderr_bytes: 1 << 20 }
    }
}

/// Longest wall-clock limit, milliseconds: one day, as a contract's.
const MAX_TIMEOUT_MS: u64 = 86_400_000;
/// Most paths in one plan; each is a mount.
const MAX_PATHS: usize = 256;

impl LaunchPlan {
    /// Checks what types alone do not.
    ///
    /// # Errors
    /// [`SandboxError::PlanInvalid`] naming the field.
    pub(crate) fn validate(&self) -> Result<(), SandboxError> {
        let invalid = |field: &'static str, problem: &str| {
            Err(SandboxError::PlanInvalid { field, problem: problem.to_owned() })
        };
        if self.argv.is_empty() {
            return invalid("argv", "needs at least one element");
        }
        if self.timeout_ms == 0 || self.timeout_ms > MAX_TIMEOUT_MS {
            return invalid("timeout_ms", "must be from 1 to 86400000");
        }
        let granted = self.read_paths.len().saturating_add(self.write_paths.len());
        if granted.saturating_add(self.hidden_paths.len()) > MAX_PATHS {
            return invalid("read_paths", "at most 256 paths in all");
        }
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return invalid("env", "a name is empty, or holds `=` or NUL, or a value holds NUL");
            }
        }
        for (field, path) in self.paths() {
            if !is_plain_absolute(path) {
                return invalid(field, "must be absolute, without `.`, `..`, NUL or a final slash");
            }
        }
        Ok(())
    }

    fn paths(&self) -> Vec<(&'static str, &Path)> {
        let lists = [
            ("read_paths", &self.read_paths),
            ("write_paths", &self.write_paths),
            ("hidden_paths", &self.hidden_paths),
        ];
        let mut out = vec![("executable", self.executable.as_path()), ("cwd", self.cwd.as_path())];
        for (field, paths) in lists {
            out.extend(paths.iter().map(|path| (field, path.as_path())));
        }
        out
    }
}

/// Returns whether a path is absolute and spelled in the one way that names it.
fn is_plain_absolute(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    let plain = |part| matches!(part, Component::RootDir | Component::Normal(_));
    let rebuilt: PathBuf = path.components().collect();
    path.is_absolute()
        && !text.contains(&0)
        && path.components().all(plain)
        && rebuilt.as_os_str().as_encoded_bytes() == text
}

/// Turns text that was checked for NUL into the kernel's form.
pub(crate) fn c_string(field: &'static str, text: impl Into<Vec<u8>>) -> Result<CString, SandboxError> {
    CString::new(text).map_err(|_| SandboxError::PlanInvalid {
        field,
        problem: "holds a NUL character".to_owned(),
    })
}
