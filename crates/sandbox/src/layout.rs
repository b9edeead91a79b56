// SPDX-License-Identifier: Apache-2.0
//! The plan resolved against this machine: what is mounted where, each path opened once.
//!
//! A handle (`O_PATH`) to every object stays open until the run has ended. The launcher, in a mount
//! namespace of its own, cannot mount our handles; it opens the same path again and compares
//! device and inode. Since a handle keeps its inode from being reused, equal numbers mean the
//! same object, whatever was renamed or linked in between.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag};
use nix::sys::stat::{SFlag, fstat};

use crate::error::SandboxError;
use crate::host::{self, is_within};
use crate::plan::{LaunchPlan, Network};

/// What may be done with a mounted tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Grant {
    /// A device node of the sandbox's `/dev`.
    Device,
    /// Reading and executing.
    Read,
    /// Reading, executing and writing.
    Write,
}

/// One object to mount.
#[derive(Debug)]
pub(crate) struct Tree {
    handle: OwnedFd,
    pub(crate) grant: Grant,
    pub(crate) is_directory: bool,
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl Tree {
    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// One place in the sandbox's root.
#[derive(Debug)]
pub(crate) enum Place {
    /// A private, empty tmpfs for scratch files.
    Scratch,
    /// An empty directory or file over something that must not be seen.
    Hidden {
        /// Whether the hidden object is a directory.
        is_directory: bool,
    },
    /// A symbolic link with this target.
    Link(PathBuf),
    /// A mounted object.
    Mount(Tree),
}

/// All places by path, parents before children.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) places: BTreeMap<PathBuf, Place>,
}

impl Layout {
    /// Resolves a plan.
    ///
    /// # Errors
    /// The `Path*` variants of [`SandboxError`].
    pub(crate) fn resolve(plan: &LaunchPlan) -> Result<Self, SandboxError> {
        let mut layout = Self { places: BTreeMap::new() };
        layout.add_base(plan)?;
        for path in &plan.write_paths {
            layout.grant(path, Grant::Write)?;
        }
        for path in &plan.read_paths {
            if !plan.write_paths.iter().any(|write| is_within(path, write)) {
                layout.grant(path, Grant::Read)?;
            }
        }
        layout.drop_covered_base();
        layout.hide(plan)?;
        layout.require_cwd(&plan.cwd)?;
        Ok(layout)
    }

    fn add_base(&mut self, plan: &LaunchPlan) -> Result<(), SandboxError> {
        let network: &[&str] = match plan.network {
            Network::Deny => &[],
            Network::Full => host::ETC_NETWORK,
        };
        for path in host::SYSTEM.iter().chain(host::ETC).map(Path::new) {
            self.add_system(path, false)?;
        }
        for path in network.iter().map(Path::new) {
            self.add_system(path, true)?;
        }
        for path in host::DEVICES.iter().map(Path::new) {
            let tree = open(path, Grant::Device, ResolveFlag::RESOLVE_NO_MAGICLINKS)?;
            self.places.insert(path.to_owned(), Place::Mount(tree));
        }
        for path in ["/tmp", "/dev/shm"] {
            self.places.insert(PathBuf::from(path), Place::Scratch);
        }
        Ok(())
    }

    /// Adds a path of the base system if this machine has it: as the same link when it is one and
    /// need not be followed, else as what it leads to.
    fn add_system(&mut self, path: &Path, follow: bool) -> Result<(), SandboxError> {
        let place = match fs::read_link(path) {
            Ok(target) if !follow => Place::Link(target),
            _ => match open(path, Grant::Read, ResolveFlag::RESOLVE_NO_MAGICLINKS) {
                Ok(tree) => Place::Mount(tree),
                Err(SandboxError::PathMissing { .. }) => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        self.places.insert(path.to_owned(), place);
        Ok(())
    }

    fn grant(&mut self, path: &Path, grant: Grant) -> Result<(), SandboxError> {
        let refused = |reason| Err(SandboxError::PathRefused { path: path.to_owned(), reason });
        let is_base = host::SYSTEM.iter().chain(host::ETC).any(|base| Path::new(base) == path);
        if grant == Grant::Read && is_base && self.places.contains_key(path) {
            return Ok(());
        }
        if path == Path::new("/") {
            return refused("the root holds everything; name the directories that are needed");
        }
        if let Some((_, reason)) = host::REFUSED.iter().find(|(tree, _)| is_within(path, tree)) {
            return refused(reason);
        }
        let strict = ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        let tree = open(path, grant, strict)?;
        self.places.insert(path.to_owned(), Place::Mount(tree));
        Ok(())
    }

    /// A granted directory shows what the base would have placed inside it.
    fn drop_covered_base(&mut self) {
        let granted: Vec<PathBuf> = self.granted().map(Path::to_owned).collect();
        self.places.retain(|path, place| {
            let inside = |tree: &PathBuf| path != tree && path.starts_with(tree);
            let from_base = !matches!(place, Place::Mount(tree) if tree.grant == Grant::Write)
                && host::ETC.iter().chain(host::SYSTEM).any(|base| Path::new(base) == path);
            !(from_base && granted.iter().any(inside))
        });
    }

    fn hide(&mut self, plan: &LaunchPlan) -> Result<(), SandboxError> {
        let explicit = |path: &Path| {
            plan.read_paths.iter().chain(&plan.write_paths).any(|granted| granted == path)
        };
        let credentials = host::CREDENTIALS.iter().map(Path::new).filter(|path| !explicit(path));
        for path in credentials.chain(plan.hidden_paths.iter().map(PathBuf::as_path)) {
            let Ok(found) = fs::symlink_metadata(path) else { continue };
            if let Some(inside) = self.granted().find(|granted| is_within(granted, path)) {
                return Err(SandboxError::PathRefused {
                    path: inside.to_owned(),
                    reason: "it lies in what must stay hidden",
                });
            }
            if self.mounted_above(path) {
                let place = Place::Hidden { is_directory: found.is_dir() };
                self.places.insert(path.to_owned(), place);
            }
        }
        Ok(())
    }

    fn granted(&self) -> impl Iterator<Item = &Path> {
        let base: Vec<&Path> =
            host::SYSTEM.iter().chain(host::ETC).chain(host::ETC_NETWORK).map(Path::new).collect();
        self.places.iter().filter_map(move |(path, place)| match place {
            Place::Mount(tree) if tree.grant == Grant::Write => Some(path.as_path()),
            Place::Mount(tree) if tree.grant == Grant::Read && !base.contains(&path.as_path()) => {
                Some(path.as_path())
            }
            Place::Mount(_) | Place::Scratch | Place::Hidden { .. } | Place::Link(_) => None,
        })
    }

    /// Returns whether `path` would be seen through a tree mounted above it.
    pub(crate) fn mounted_above(&self, path: &Path) -> bool {
        path.ancestors().skip(1).any(|above| {
            matches!(self.places.get(above), Some(Place::Mount(tree)) if tree.is_directory)
        })
    }

    fn require_cwd(&self, cwd: &Path) -> Result<(), SandboxError> {
        let here = self.places.get(cwd);
        let usable = matches!(here, Some(Place::Mount(tree)) if tree.is_directory)
            || matches!(here, Some(Place::Scratch))
            || self.mounted_above(cwd);
        if usable {
            return Ok(());
        }
        Err(SandboxError::PathRefused {
            path: cwd.to_owned(),
            reason: "a working directory must lie in a granted path",
        })
    }
}

fn open(path: &Path, grant: Grant, resolve: ResolveFlag) -> Result<Tree, SandboxError> {
    let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(resolve);
    let named = || path.to_owned();
    let handle = nix::fcntl::openat2(nix::fcntl::AT_FDCWD, path, how).map_err(|errno| match errno {
        Errno::ENOENT | Errno::ENOTDIR => SandboxError::PathMissing { path: named() },
        Errno::ELOOP => SandboxError::PathSymlink { path: named() },
        source => SandboxError::PathUnreadable { path: named(), source },
    })?;
    let found = fstat(&handle)
        .map_err(|source| SandboxError::PathUnreadable { path: named(), source })?;
    let kind = SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits());
    let is_directory = kind == SFlag::S_IFDIR;
    let plain = is_directory || kind == SFlag::S_IFREG;
    if !plain && grant != Grant::Device {
        let reason = "only directories and regular files can be granted";
        return Err(SandboxError::PathRefused { path: named(), reason });
    }
    Ok(Tree { handle, grant, is_directory, device: found.st_dev, inode: found.st_ino })
}
