// SPDX-License-Identifier: Apache-2.0
//! The launch plan: all that one run may see, write and use.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::path::{Component, Path, PathBuf};

use ambit_launcher::protocol;
use serde::{Deserialize, Serialize};

use crate::error::SandboxError;
use crate::protection::Protection;
use crate::surface::{OnMissingPath, Proc, Profile};

/// What one run may see, write and use. What is not named is denied.
///
/// Paths are absolute, without `.`, `..` or symbolic links; a directory stands for all beneath it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchPlan {
    /// The program, an absolute path; never looked up anywhere.
    pub executable: PathBuf,
    /// Arguments with `argv[0]`; at least one.
    pub argv: Vec<String>,
    /// Further programs of a pipeline: each reads what the one before it writes. All have the same
    /// environment, working directory, scopes and limits.
    #[serde(default)]
    pub piped_into: Vec<Segment>,
    /// What the first program reads.
    #[serde(default)]
    pub stdin: Stdin,
    /// A terminal of the sandbox's own in place of the three streams; one program only. What it
    /// shows is standard output, and its input is what comes with the launch.
    #[serde(default)]
    pub terminal: Option<WindowSize>,
    /// Where the command finds the secrets that come with the launch, in their order. Their values
    /// are never part of a plan.
    #[serde(default)]
    pub secrets: Vec<SecretPlace>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// Working directory; must lie in a readable or writable path or the base system.
    pub cwd: PathBuf,
    /// Files and directories that may be read and executed.
    pub read_paths: Vec<PathBuf>,
    /// Files and directories that may also be written.
    pub write_paths: Vec<PathBuf>,
    /// Paths inside the above that must not be seen: directories show empty, files read as empty.
    /// A symbolic link stands for what it leads to. Those that do not exist are skipped.
    #[serde(default)]
    pub hidden_paths: Vec<PathBuf>,
    /// Paths inside a writable path that stay read-only. They and the directories above them, up
    /// to the writable path, cannot be renamed or removed. Those that do not exist are skipped.
    #[serde(default)]
    pub read_only_paths: Vec<PathBuf>,
    /// Patterns of paths that must not be seen: `**` spans folders, `*` and `?` stay in one name,
    /// `[a-z]` and `[!a-z]` are one character. What matches when the run starts is hidden as
    /// `hidden_paths` are.
    #[serde(default)]
    pub hidden_globs: Vec<String>,
    /// Default protections that do not hold in this run.
    #[serde(default)]
    pub lifted_protections: BTreeSet<Protection>,
    /// What a granted path that does not exist means.
    #[serde(default)]
    pub on_missing_path: OnMissingPath,
    /// Which system calls there are.
    #[serde(default)]
    pub profile: Profile,
    /// What `/proc` shows.
    #[serde(default)]
    pub proc: Proc,
    /// Whether programs can be executed from scratch space and from `memfd_create(2)`.
    #[serde(default)]
    pub allow_exec_from_memory: bool,
    /// Which network there is.
    pub network: Network,
    /// Wall-clock limit for the whole run, milliseconds, from 1.
    pub timeout_ms: u64,
    /// Without a sandbox: how long before the wall-clock limit the command is asked to end,
    /// milliseconds. At most half the limit counts. In a sandbox nobody asks.
    #[serde(default)]
    pub grace_ms: Option<u64>,
    /// Resource limits.
    #[serde(default)]
    pub limits: Limits,
    /// How much output is kept; all of it is passed on and hashed.
    #[serde(default)]
    pub output: OutputLimits,
    /// The least tier that will do. A run gets the best that this machine gives.
    #[serde(default)]
    pub floor: Floor,
}

/// The least tier that a run may get.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Floor {
    /// Nothing runs where namespaces, mounts and all the rest cannot be had.
    #[default]
    Full,
    /// Landlock and seccomp alone will do, where this machine gives no namespaces and the plan asks
    /// for nothing that needs them.
    Lite,
}

/// A program of a pipeline after the first.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// As [`LaunchPlan::executable`].
    pub executable: PathBuf,
    /// As [`LaunchPlan::argv`].
    pub argv: Vec<String>,
}

/// Standard input of a run.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stdin {
    /// The bytes that come with the launch, through a pipe.
    Bytes,
    /// A file in scope, opened inside the sandbox.
    File {
        /// Absolute, as the other paths.
        path: PathBuf,
    },
    /// What comes from the descriptor that comes with the launch, copied on as it comes.
    Stream,
    /// Nothing: it ends at once.
    #[default]
    Empty,
}

/// Size of a terminal, characters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSize {
    /// From 1.
    pub columns: u16,
    /// From 1.
    pub rows: u16,
}

/// Where the command finds one secret: exactly one of both.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecretPlace {
    /// As people know it; it stands in errors and in the outcome.
    pub name: String,
    /// A variable of its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A file that only exists in the sandbox, in memory, mode 0400. Outside of all that is
    /// granted, of the base system and of `/dev` and `/proc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// Which network the command has.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// An empty network namespace, and no socket can be made.
    #[default]
    Deny,
    /// The host's network, unrestricted.
    Full,
}

/// Resource limits; where one is absent, the caller's own `setrlimit(2)` limit stays, or there is
/// none. What holds each is said by [`Enforcement`](crate::Enforcement).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// CPU time per process, seconds: `SIGXCPU` then, `SIGKILL` a second later.
    pub cpu_sec: Option<u64>,
    /// Address space per process, bytes.
    pub address_space_bytes: Option<u64>,
    /// Memory of all processes together, bytes, from 1 MiB.
    pub memory_bytes: Option<u64>,
    /// Processes and threads of the command, from 1.
    pub max_processes: Option<u64>,
    /// Size of any file written, bytes.
    pub max_file_size_bytes: Option<u64>,
    /// Open descriptors per process.
    pub max_open_files: Option<u64>,
    /// Standard output and standard error together, bytes. What goes beyond is not passed on, and
    /// everything in the sandbox is killed.
    pub max_output_bytes: Option<u64>,
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
        Self {
            stdout_bytes: 10 << 20,
            stderr_bytes: 1 << 20,
        }
    }
}

/// Longest wall-clock limit, milliseconds: one day, as a contract's.
const MAX_TIMEOUT_MS: u64 = 86_400_000;
/// Least memory a run may be limited to, bytes: a program needs some to start at all.
const MIN_MEMORY: u64 = 1 << 20;
/// Most paths in one plan; each is a mount.
const MAX_PATHS: usize = 256;
/// Most programs of one pipeline.
const MAX_PROGRAMS: usize = protocol::MAX_SEGMENTS;

impl LaunchPlan {
    /// Checks what types alone do not.
    ///
    /// # Errors
    /// [`SandboxError::PlanInvalid`] naming the field.
    pub(crate) fn validate(&self) -> Result<(), SandboxError> {
        let invalid = |field: &'static str, problem: &str| {
            Err(SandboxError::PlanInvalid {
                field,
                problem: problem.to_owned(),
            })
        };
        if self.argv.is_empty() {
            return invalid("argv", "needs at least one element");
        }
        if self
            .piped_into
            .iter()
            .any(|segment| segment.argv.is_empty())
        {
            return invalid("piped_into", "an argv needs at least one element");
        }
        if self.piped_into.len() >= MAX_PROGRAMS {
            return invalid("piped_into", "at most 16 programs in a pipeline");
        }
        if self.timeout_ms == 0 || self.timeout_ms > MAX_TIMEOUT_MS {
            return invalid("timeout_ms", "must be from 1 to 86400000");
        }
        if self.limits.memory_bytes.is_some_and(|it| it < MIN_MEMORY) {
            return invalid("limits", "`memory_bytes` must be from 1048576");
        }
        let granted: usize = self.scopes().iter().map(|(_, paths)| paths.len()).sum();
        if granted > MAX_PATHS {
            return invalid("read_paths", "at most 256 paths in all");
        }
        self.validate_terminal()?;
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return invalid(
                    "env",
                    "a name is empty, or holds `=` or NUL, or a value holds NUL",
                );
            }
        }
        for (field, path) in self.paths() {
            if !is_plain_absolute(path) {
                return invalid(
                    field,
                    "must be absolute, without `.`, `..`, NUL or a final slash",
                );
            }
        }
        Ok(())
    }

    fn validate_terminal(&self) -> Result<(), SandboxError> {
        let Some(size) = self.terminal else {
            return Ok(());
        };
        let problem = if size.columns == 0 || size.rows == 0 {
            "needs at least one column and one row"
        } else if !self.piped_into.is_empty() {
            "takes one program, not a pipeline"
        } else if matches!(self.stdin, Stdin::File { .. }) {
            "takes its input from what comes with the launch, not from a file"
        } else {
            return Ok(());
        };
        Err(SandboxError::PlanInvalid {
            field: "terminal",
            problem: problem.to_owned(),
        })
    }

    fn paths(&self) -> Vec<(&'static str, &Path)> {
        let mut out = vec![
            ("executable", self.executable.as_path()),
            ("cwd", self.cwd.as_path()),
        ];
        out.extend(
            self.piped_into
                .iter()
                .map(|it| ("piped_into", it.executable.as_path())),
        );
        if let Stdin::File { path } = &self.stdin {
            out.push(("stdin", path.as_path()));
        }
        let files = self.secrets.iter().filter_map(|it| it.file.as_deref());
        out.extend(files.map(|path| ("secrets", path)));
        for (field, paths) in self.scopes() {
            out.extend(paths.iter().map(|path| (field, path.as_path())));
        }
        out
    }

    const fn scopes(&self) -> [(&'static str, &Vec<PathBuf>); 4] {
        [
            ("read_paths", &self.read_paths),
            ("write_paths", &self.write_paths),
            ("hidden_paths", &self.hidden_paths),
            ("read_only_paths", &self.read_only_paths),
        ]
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
pub(crate) fn c_string(
    field: &'static str,
    text: impl Into<Vec<u8>>,
) -> Result<CString, SandboxError> {
    CString::new(text)
        .ok()
        .ok_or_else(|| SandboxError::PlanInvalid {
            field,
            problem: "holds a NUL character".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> LaunchPlan {
        LaunchPlan {
            executable: PathBuf::from("/bin/true"),
            argv: vec!["true".to_owned()],
            cwd: PathBuf::from("/usr"),
            timeout_ms: 1,
            ..LaunchPlan::default()
        }
    }

    fn field_of(change: impl FnOnce(&mut LaunchPlan)) -> Option<&'static str> {
        let mut plan = plan();
        change(&mut plan);
        match plan.validate() {
            Ok(()) => None,
            Err(SandboxError::PlanInvalid { field, .. }) => Some(field),
            Err(other) => panic!("{other}"),
        }
    }

    fn segment(argv: &[&str]) -> Segment {
        Segment {
            executable: PathBuf::from("/bin/true"),
            argv: argv.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    fn with_env(name: &str, value: &str) -> Option<&'static str> {
        field_of(|plan| drop(plan.env.insert(name.to_owned(), value.to_owned())))
    }

    #[test]
    fn accepts_values_in_range() {
        assert_eq!(field_of(|_| ()), None);
        assert_eq!(field_of(|plan| plan.timeout_ms = 86_400_000), None);
        assert_eq!(
            field_of(|plan| plan.limits.memory_bytes = Some(1 << 20)),
            None
        );
        assert_eq!(
            field_of(|plan| plan.read_paths = vec!["/a".into(); 256]),
            None
        );
        assert_eq!(
            field_of(|plan| plan.piped_into = vec![segment(&["a"]); 15]),
            None
        );
        assert_eq!(field_of(|plan| plan.cwd = "/".into()), None);
        assert_eq!(
            field_of(|plan| plan.hidden_paths = vec!["/a/..b/...".into()]),
            None
        );
        assert_eq!(with_env("A.b", "=x"), None);
    }

    #[test]
    fn names_the_field_that_is_out_of_range() {
        let many = vec![PathBuf::from("/a"); 129];
        let table = [
            (field_of(|plan| plan.argv.clear()), "argv"),
            (
                field_of(|plan| plan.piped_into = vec![segment(&[])]),
                "piped_into",
            ),
            (
                field_of(|plan| plan.piped_into = vec![segment(&["a"]); 16]),
                "piped_into",
            ),
            (field_of(|plan| plan.timeout_ms = 0), "timeout_ms"),
            (field_of(|plan| plan.timeout_ms = 86_400_001), "timeout_ms"),
            (
                field_of(|plan| plan.limits.memory_bytes = Some((1 << 20) - 1)),
                "limits",
            ),
            (with_env("", "x"), "env"),
            (with_env("A=B", "x"), "env"),
            (with_env("A\0", "x"), "env"),
            (with_env("A", "x\0"), "env"),
            (
                field_of(|plan| (plan.read_paths, plan.read_only_paths) = (many.clone(), many)),
                "read_paths",
            ),
        ];
        for (found, want) in table {
            assert_eq!(found, Some(want));
        }
    }

    #[test]
    fn refuses_every_path_that_is_not_plain() {
        let odd = [
            "", "a", "./a", "/a/", "/a/./b", "/a/../b", "/..", "//a", "/a//b", "/a\0b",
        ];
        for path in odd.map(PathBuf::from) {
            let table = [
                (
                    field_of(|plan| plan.executable.clone_from(&path)),
                    "executable",
                ),
                (field_of(|plan| plan.cwd.clone_from(&path)), "cwd"),
                (
                    field_of(|plan| {
                        let executable = path.clone();
                        plan.piped_into = vec![Segment {
                            executable,
                            ..segment(&["a"])
                        }];
                    }),
                    "piped_into",
                ),
                (
                    field_of(|plan| plan.stdin = Stdin::File { path: path.clone() }),
                    "stdin",
                ),
                (
                    field_of(|plan| plan.read_paths.push(path.clone())),
                    "read_paths",
                ),
                (
                    field_of(|plan| plan.write_paths.push(path.clone())),
                    "write_paths",
                ),
                (
                    field_of(|plan| plan.hidden_paths.push(path.clone())),
                    "hidden_paths",
                ),
                (
                    field_of(|plan| plan.read_only_paths.push(path.clone())),
                    "read_only_paths",
                ),
            ];
            for (found, want) in table {
                assert_eq!(found, Some(want), "{}", path.display());
            }
        }
    }
}
