// SPDX-License-Identifier: Apache-2.0
//! Opening one object.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use ambit_launcher::Object;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{SFlag, fstat, major, minor};

use crate::error::SandboxError;

/// What may be done with a mounted tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Grant {
    /// Reading and writing a device node of the sandbox's `/dev`, but not its metadata.
    Device,
    /// Reading and executing.
    Read,
    /// Reading, executing and writing.
    Write,
}

/// Whether a path may lead through symbolic links.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Links {
    Follow,
    Refuse,
}

/// One object of this machine, held open.
#[derive(Debug)]
pub(crate) struct Tree {
    handle: OwnedFd,
    pub(crate) source: PathBuf,
    pub(crate) grant: Grant,
    pub(crate) is_directory: bool,
    pub(crate) object: Object,
}

impl Tree {
    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// Opens a directory or regular file; any object for [`Grant::Device`].
///
/// # Errors
/// The `Path*` variants of [`SandboxError`].
pub(super) fn open(path: &Path, grant: Grant, links: Links) -> Result<Tree, SandboxError> {
    let tree = open_any(path, grant, links)?;
    if tree.kind_is_plain() || grant == Grant::Device {
        return Ok(tree.tree);
    }
    Err(SandboxError::PathRefused {
        path: path.to_owned(),
        reason: "only directories and regular files can be granted",
    })
}

/// Opens whatever `path` names, to be covered.
///
/// # Errors
/// The `Path*` variants of [`SandboxError`].
pub(super) fn open_to_hide(path: &Path) -> Result<Tree, SandboxError> {
    open_any(path, Grant::Read, Links::Refuse).map(|found| found.tree)
}

struct Found {
    tree: Tree,
    kind: SFlag,
}

impl Found {
    fn kind_is_plain(&self) -> bool {
        self.kind == SFlag::S_IFDIR || self.kind == SFlag::S_IFREG
    }
}

fn open_any(path: &Path, grant: Grant, links: Links) -> Result<Found, SandboxError> {
    let resolve = match links {
        Links::Follow => ResolveFlag::RESOLVE_NO_MAGICLINKS,
        Links::Refuse => ResolveFlag::RESOLVE_NO_MAGICLINKS | ResolveFlag::RESOLVE_NO_SYMLINKS,
    };
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(resolve);
    let failed = |source| {
        let path = path.to_owned();
        if matches!(source, Errno::ENOENT | Errno::ENOTDIR) {
            SandboxError::PathMissing { path }
        } else if source == Errno::ELOOP {
            SandboxError::PathSymlink { path }
        } else {
            SandboxError::PathUnreadable { path, source }
        }
    };
    let handle = openat2(AT_FDCWD, path, how).map_err(failed)?;
    let found = fstat(&handle).map_err(failed)?;
    let kind = SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits());
    // INVARIANT: device numbers of Linux are 32 bits in the kernel
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Ok(Found {
        tree: Tree {
            handle,
            source: path.to_owned(),
            grant,
            is_directory: kind == SFlag::S_IFDIR,
            object: Object {
                major: number(major(found.st_dev)),
                minor: number(minor(found.st_dev)),
                inode: found.st_ino,
            },
        },
        kind,
    })
}
