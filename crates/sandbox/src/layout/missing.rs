// SPDX-License-Identifier: Apache-2.0
//! Write paths that are made because they do not exist.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::error::SandboxError;

/// Directories that were made. They go again, as far as they are empty, unless they are kept.
#[derive(Debug, Default)]
pub(crate) struct Made {
    directories: Vec<(OwnedFd, OsString)>,
    kept: AtomicBool,
}

impl Made {
    /// Makes a directory and those missing above it, where no symbolic link is on the way.
    ///
    /// # Errors
    /// The `Path*` variants of [`SandboxError`].
    pub(super) fn make(&mut self, path: &Path) -> Result<(), SandboxError> {
        let failed = |source| {
            let path = path.to_owned();
            if source == Errno::ELOOP {
                SandboxError::PathSymlink { path }
            } else if source == Errno::ENOTDIR {
                SandboxError::PathMissing { path }
            } else {
                SandboxError::PathUnreadable { path, source }
            }
        };
        let mut missing: Vec<&Path> = Vec::new();
        let mut folder = None;
        for above in path.ancestors() {
            match open(AT_FDCWD, above) {
                Ok(found) => {
                    folder = Some(found);
                    break;
                }
                Err(Errno::ENOENT) => missing.push(above),
                Err(errno) => return Err(failed(errno)),
            }
        }
        let mut folder = folder.ok_or_else(|| failed(Errno::ENOENT))?;
        for name in missing.into_iter().rev().filter_map(Path::file_name) {
            match mkdirat(&folder, name, Mode::from_bits_truncate(0o777)) {
                Ok(()) => {
                    let parent = folder.try_clone().map_err(|_error| failed(Errno::EMFILE))?;
                    self.directories.push((parent, name.to_owned()));
                }
                Err(Errno::EEXIST) => {}
                Err(errno) => return Err(failed(errno)),
            }
            folder = open(&folder, Path::new(name)).map_err(failed)?;
        }
        Ok(())
    }

    /// Keeps what was made: the command has started.
    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.kept.load(Ordering::Relaxed) {
            return;
        }
        for (folder, name) in self.directories.iter().rev() {
            // one that somebody has put something into stays
            unlinkat(folder, name.as_os_str(), UnlinkatFlags::RemoveDir).unwrap_or(());
        }
    }
}

fn open(folder: impl std::os::fd::AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_MAGICLINKS | ResolveFlag::RESOLVE_NO_SYMLINKS);
    openat2(folder, path, how)
}
