// SPDX-License-Identifier: Apache-2.0
//! File systems that are interfaces of the kernel. Wherever they are mounted, no plan can grant
//! them: a file of theirs is a switch of the host (`/proc/sys/kernel/core_pattern`, a cgroup's
//! `release_agent`), and one owned by the caller's user can be written inside too.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::Places;
use crate::error::SandboxError;

/// File system types, as the mount table names them.
const REFUSED: &[&str] = &[
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "resctrl",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "sysfs",
    "tracefs",
];

/// Refuses granted trees that lie in, or hold, such a file system.
///
/// # Errors
/// [`SandboxError::PathRefused`]; [`SandboxError::Internal`] when the mount table is unreadable.
pub(super) fn refuse(granted: &Places) -> Result<(), SandboxError> {
    if granted.is_empty() {
        return Ok(());
    }
    let table =
        fs::read("/proc/thread-self/mountinfo").map_err(|error| SandboxError::Internal {
            what: "reading the mount table",
            source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
        })?;
    let mounts: Vec<Mount> = table
        .split(|byte| *byte == b'\n')
        .filter_map(parse)
        .collect();
    match granted.keys().find(|path| holds_kernel_fs(path, &mounts)) {
        None => Ok(()),
        Some(path) => Err(SandboxError::PathRefused {
            path: path.clone(),
            reason: "a file system of the kernel is mounted there",
        }),
    }
}

struct Mount {
    point: PathBuf,
    is_kernel: bool,
}

/// The last mount above `path` is the one it lies in; any beneath it would come with it.
fn holds_kernel_fs(path: &Path, mounts: &[Mount]) -> bool {
    let depth = |mount: &&Mount| mount.point.components().count();
    let around = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    let beneath = mounts.iter().filter(|mount| mount.point.starts_with(path));
    around
        .max_by_key(depth)
        .is_some_and(|mount| mount.is_kernel)
        || beneath.into_iter().any(|mount| mount.is_kernel)
}

/// Reads one line of `proc_pid_mountinfo(5)`: the fifth field is the mount point, the type follows
/// a lone `-`.
fn parse(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = fields.nth(4)?;
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    Some(Mount {
        point: PathBuf::from(OsString::from_vec(unescape(point))),
        is_kernel: REFUSED.iter().any(|name| name.as_bytes() == kind),
    })
}

/// Undoes the kernel's `\ooo` for space, tab, newline and backslash.
fn unescape(mut field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    while let Some((first, rest)) = field.split_first() {
        let octal = rest.split_first_chunk().and_then(|(digits, after)| {
            let text = std::str::from_utf8(digits as &[u8; 3]).ok()?;
            Some((u8::from_str_radix(text, 8).ok()?, after))
        });
        match octal {
            Some((byte, after)) if *first == b'\\' => {
                out.push(byte);
                field = after;
            }
            Some(_) | None => {
                out.push(*first);
                field = rest;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[&str] = &[
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
        "23 22 0:21 / /proc rw,nosuid - proc proc rw",
        "40 22 0:30 / /srv/jail\\040one/proc rw shared:3 master:1 - proc proc rw",
        "41 22 0:31 / /srv/data rw - tmpfs tmpfs rw",
        "42 41 0:32 / /srv/data/cg rw - cgroup2 none rw",
        "broken line",
    ];

    #[test]
    fn refuses_what_lies_in_or_holds_a_file_system_of_the_kernel() {
        let mounts: Vec<Mount> = TABLE
            .iter()
            .filter_map(|line| parse(line.as_bytes()))
            .collect();
        assert_eq!(mounts.len(), 5);
        let table = [
            ("/srv", true),
            ("/srv/jail one", true),
            ("/srv/jail one/proc", true),
            ("/srv/jail one/proc/sys", true),
            ("/srv/data", true),
            ("/srv/data/cg/x", true),
            ("/srv/data/other", false),
            ("/srv/jail", false),
            ("/home", false),
        ];
        for (path, want) in table {
            assert_eq!(holds_kernel_fs(Path::new(path), &mounts), want, "{path}");
        }
    }
}
