// SPDX-License-Identifier: Apache-2.0
//! What `/proc` shows where a plan asks for more than processes.
//!
//! `procfs` then is mounted whole, and every entry at its top that is not known to be harmless is
//! covered: names are read from this machine, so that what a module adds is covered too. Nothing of
//! `/proc/sys` is the kernel's: it holds copies of a few values.

use std::fs;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::error::SandboxError;

/// Entries at the top that stay: figures by which programs size themselves, and the names that lead
/// to the process itself.
const SHOWN: &[&str] = &[
    "cgroups",
    "cpuinfo",
    "filesystems",
    "loadavg",
    "meminfo",
    "mounts",
    "net",
    "self",
    "stat",
    "sys",
    "thread-self",
    "uptime",
    "version",
    "vmstat",
];

/// Values of `/proc/sys` that are copied: none names a path, a user or this boot of the machine.
const VALUES: &[&str] = &[
    "fs/file-max",
    "fs/nr_open",
    "fs/pipe-max-size",
    "kernel/cap_last_cap",
    "kernel/ngroups_max",
    "kernel/osrelease",
    "kernel/ostype",
    "kernel/pid_max",
    "kernel/threads-max",
    "vm/max_map_count",
    "vm/overcommit_memory",
    "vm/overcommit_ratio",
];

/// Longest value that is copied, bytes.
const MAX_VALUE: usize = 4096;

/// What is put over a `procfs` that is mounted whole. Paths are those inside.
#[derive(Debug, Default)]
pub(crate) struct WholeProc {
    pub(crate) hidden_directories: Vec<PathBuf>,
    pub(crate) hidden_files: Vec<PathBuf>,
    /// Files below `/proc/sys` with their content.
    pub(crate) values: Vec<(PathBuf, Vec<u8>)>,
}

impl WholeProc {
    /// Reads what is to be covered.
    ///
    /// # Errors
    /// [`SandboxError::Internal`] when `/proc` cannot be listed: then nothing can be covered.
    pub(super) fn of_machine() -> Result<Self, SandboxError> {
        let failed = |error: std::io::Error| SandboxError::Internal {
            what: "listing `/proc`",
            source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
        };
        let mut out = Self::default();
        for entry in fs::read_dir("/proc").map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let is_known = name.to_str().is_some_and(|name| {
                SHOWN.contains(&name) || name.bytes().all(|byte| byte.is_ascii_digit())
            });
            if is_known {
                continue;
            }
            if entry.file_type().map_err(failed)?.is_dir() {
                out.hidden_directories.push(entry.path());
            } else {
                out.hidden_files.push(entry.path());
            }
        }
        out.hidden_directories.sort();
        out.hidden_files.sort();
        for name in VALUES {
            let path = Path::new("/proc/sys").join(name);
            if let Ok(mut value) = fs::read(&path) {
                value.truncate(MAX_VALUE);
                out.values.push((path, value));
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_all_but_figures_and_processes() {
        let found = WholeProc::of_machine().unwrap();
        let hidden = |name: &str| {
            let path = Path::new("/proc").join(name);
            found.hidden_files.contains(&path) || found.hidden_directories.contains(&path)
        };
        for name in ["cmdline", "irq", "interrupts", "partitions", "fs"] {
            let exists = Path::new("/proc").join(name).exists();
            assert_eq!(hidden(name), exists, "{name}");
        }
        for name in ["1", "self", "meminfo", "cpuinfo", "sys"] {
            assert!(!hidden(name), "{name}");
        }
        assert!(found.hidden_files.len() > 10, "{found:?}");
        let copied = Path::new("/proc/sys/kernel/osrelease");
        assert!(
            found
                .values
                .iter()
                .any(|(path, value)| path == copied && !value.is_empty())
        );
    }
}
