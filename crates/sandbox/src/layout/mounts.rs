// SPDX-License-Identifier: Apache-2.0
//! The mount table, and two kinds of file systems in it.
//!
//! Some are interfaces of the kernel. Wherever they are mounted, no plan can grant
//! them: a file of theirs is a switch of the host (`/proc/sys/kernel/core_pattern`, a cgroup's
//! `release_agent`), and one owned by the caller's user can be written inside too.
//!
//! Others may wait for another machine or for a program (NFS, SMB, 9p, FUSE, autofs): to open a
//! file there may never end.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::Places;
use crate::error::SandboxError;
use crate::plan::{LaunchPlan, Stdin};

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

/// File systems that answer from this machine's own memory and disks. Any other may wait.
const LOCAL: &[&str] = &[
    "bcachefs",
    "btrfs",
    "erofs",
    "exfat",
    "ext2",
    "ext3",
    "ext4",
    "f2fs",
    "hugetlbfs",
    "iso9660",
    "jfs",
    "ntfs3",
    "overlay",
    "ramfs",
    "rootfs",
    "squashfs",
    "tmpfs",
    "udf",
    "vfat",
    "xfs",
    "zfs",
];
/// Where only the system itself mounts: an autofs of systemd for `binfmt_misc`, say.
const OF_SYSTEM: &[&str] = &["/dev", "/proc", "/sys"];

/// What is mounted where the caller looks.
#[derive(Debug)]
pub(crate) struct MountTable(Vec<Mount>);

impl MountTable {
    /// Reads it. No file system is asked anything.
    ///
    /// # Errors
    /// [`SandboxError::Internal`] when it is unreadable.
    pub(crate) fn read() -> Result<Self, SandboxError> {
        let table =
            fs::read("/proc/thread-self/mountinfo").map_err(|error| SandboxError::Internal {
                what: "reading the mount table",
                source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
            })?;
        let lines = table.split(|byte| *byte == b'\n');
        Ok(Self(lines.filter_map(parse).collect()))
    }

    /// Refuses granted trees that lie in, or hold, a file system of the kernel.
    ///
    /// # Errors
    /// [`SandboxError::PathRefused`].
    pub(super) fn refuse(&self, granted: &Places) -> Result<(), SandboxError> {
        match granted.keys().find(|path| holds_kernel_fs(path, &self.0)) {
            None => Ok(()),
            Some(path) => Err(SandboxError::PathRefused {
                path: path.clone(),
                reason: "a file system of the kernel is mounted there",
            }),
        }
    }

    /// Returns where resolving a plan may have to wait, if there is such a file system anywhere:
    /// a symbolic link may lead to it from any path. The plan's own paths are named first.
    pub(crate) fn may_wait(&self, plan: &LaunchPlan) -> Option<PathBuf> {
        let waiting = |mount: &&Mount| {
            mount.may_wait && !OF_SYSTEM.iter().any(|tree| mount.point.starts_with(tree))
        };
        let first = self.0.iter().find(waiting)?;
        let stdin = match &plan.stdin {
            Stdin::File { path } => Some(path),
            Stdin::Bytes | Stdin::Empty | Stdin::Stream => None,
        };
        let mut named = [&plan.cwd]
            .into_iter()
            .chain(&plan.write_paths)
            .chain(&plan.read_paths)
            .chain(stdin);
        let touched = named.find(|path| {
            let touches = |it: &Mount| path.starts_with(&it.point) || it.point.starts_with(path);
            self.0.iter().filter(waiting).any(touches)
        });
        Some(touched.unwrap_or(&first.point).clone())
    }
}

#[derive(Debug)]
struct Mount {
    point: PathBuf,
    is_kernel: bool,
    may_wait: bool,
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
        may_wait: !LOCAL
            .iter()
            .chain(REFUSED)
            .any(|name| name.as_bytes() == kind),
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

    #[test]
    fn knows_where_resolving_may_have_to_wait() {
        let table = |more: &[&str]| {
            let lines = TABLE.iter().chain(more);
            MountTable(lines.filter_map(|line| parse(line.as_bytes())).collect())
        };
        let plan = |cwd: &str, write: &str| LaunchPlan {
            cwd: cwd.into(),
            write_paths: vec![write.into()],
            ..LaunchPlan::default()
        };
        let home = plan("/home/a", "/home/a");
        let of_system = "50 23 0:40 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw";
        assert_eq!(table(&[of_system]).may_wait(&home), None);
        for kind in [
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "9p",
            "fuse",
            "fuse.sshfs",
            "virtiofs",
            "afs",
            "ceph",
            "lustre",
            "autofs",
            "beegfs",
            "not-known-yet",
        ] {
            let mount = format!("60 22 0:50 / /srv/net rw - {kind} host:/x rw");
            let found = table(&[&mount]);
            // by a link it may be reached from anywhere
            assert_eq!(found.may_wait(&home), Some("/srv/net".into()), "{kind}");
            let inside = plan("/home/a", "/srv/net/b");
            assert_eq!(found.may_wait(&inside), Some("/srv/net/b".into()));
            let around = plan("/srv", "/home/a");
            assert_eq!(found.may_wait(&around), Some("/srv".into()));
        }
    }
}
