// SPDX-License-Identifier: Apache-2.0
//! A folder that is this user's alone, and the files in it.
//!
//! Everything goes through the folder's descriptor, and no symbolic link is followed.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, openat};
use nix::sys::stat::{
    FchmodatFlags, FileStat, Mode, SFlag, fchmod, fchmodat, fstat, fstatat, mkdirat,
};
use nix::unistd::{UnlinkatFlags, fsync, geteuid, unlinkat};

use crate::error::{AccessProblem, LedgerError};

/// An open folder, checked: mode 0700 at most, owned by this user, no symbolic link.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at `path`, and makes it and its missing parents (0700) first.
    pub(crate) fn open_or_create(path: &Path) -> Result<Self, LedgerError> {
        // Without the trailing slash that would make the kernel follow a link.
        let path: &Path = &path.components().collect::<PathBuf>();
        create_missing(path)?;
        let fd = open(path, FOLDER_FLAGS, Mode::empty())
            .map_err(|errno| open_error(path, "folder", errno))?;
        let stat = fstat(&fd).map_err(|errno| LedgerError::io("examine", path, errno))?;
        check(path, &stat, SFlag::S_IFDIR)?;
        // The database engine wants a path, and refuses links anywhere in it.
        let real =
            fs::canonicalize(path).map_err(|source| LedgerError::io("resolve", path, source))?;
        let real_stat = fstatat(AT_FDCWD, &real, AtFlags::AT_SYMLINK_NOFOLLOW)
            .map_err(|errno| LedgerError::io("examine", &real, errno))?;
        if (stat.st_dev, stat.st_ino) != (real_stat.st_dev, real_stat.st_ino) {
            return Err(LedgerError::Access {
                path: path.to_owned(),
                problem: AccessProblem::Moved,
            });
        }
        Ok(Self { fd, path: real })
    }

    /// Opens the folder `name` in this one, and makes it (0700) first.
    pub(crate) fn child(&self, name: &str) -> Result<Self, LedgerError> {
        let path = self.path_of(name);
        match mkdirat(&self.fd, name, Mode::S_IRWXU) {
            Ok(()) => {
                make_private(&path)?;
                self.sync()?;
            }
            Err(Errno::EEXIST) => {}
            Err(errno) => return Err(LedgerError::io("create", path, errno)),
        }
        let fd = openat(&self.fd, name, FOLDER_FLAGS, Mode::empty())
            .map_err(|errno| open_error(&path, "folder", errno))?;
        let stat = fstat(&fd).map_err(|errno| LedgerError::io("examine", &path, errno))?;
        check(&path, &stat, SFlag::S_IFDIR)?;
        Ok(Self { fd, path })
    }

    /// Makes the file `name` (0600 under any umask) and opens it; `None` when it exists.
    pub(crate) fn create_file(&self, name: &str) -> Result<Option<File>, LedgerError> {
        let path = self.path_of(name);
        let flags = FILE_FLAGS | OFlag::O_CREAT | OFlag::O_EXCL;
        let fd = match openat(&self.fd, name, flags, FILE_MODE) {
            Ok(fd) => fd,
            Err(Errno::EEXIST) => return Ok(None),
            Err(errno) => return Err(LedgerError::io("create", path, errno)),
        };
        fchmod(&fd, FILE_MODE).map_err(|errno| LedgerError::io("protect", path, errno))?;
        Ok(Some(File::from(fd)))
    }

    /// Opens the file `name`; `None` when there is none.
    pub(crate) fn open_file(&self, name: &str) -> Result<Option<File>, LedgerError> {
        let path = self.path_of(name);
        let fd = match openat(&self.fd, name, FILE_FLAGS, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(open_error(&path, "file", errno)),
        };
        let stat = fstat(&fd).map_err(|errno| LedgerError::io("examine", &path, errno))?;
        check(&path, &stat, SFlag::S_IFREG)?;
        Ok(Some(File::from(fd)))
    }

    /// Checks the file `name` without opening it; returns whether it exists.
    ///
    /// Closing any descriptor of a database file drops all the engine's locks of this process
    /// (fcntl(2), "record locks"), so the engine's files are never opened here.
    pub(crate) fn check_file(&self, name: &str) -> Result<bool, LedgerError> {
        let path = self.path_of(name);
        match fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => check(&path, &stat, SFlag::S_IFREG).map(|()| true),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(LedgerError::io("examine", path, errno)),
        }
    }

    /// Removes the file `name`; a missing one is no error.
    pub(crate) fn remove_file(&self, name: &str) -> Result<(), LedgerError> {
        match unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(LedgerError::io("remove", self.path_of(name), errno)),
        }
    }

    /// Returns the names in the folder; names that are not UTF-8 are left out.
    pub(crate) fn names(&self) -> Result<Vec<String>, LedgerError> {
        let list = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for item in fs::read_dir(&self.path)? {
                names.extend(item?.file_name().into_string());
            }
            Ok(names)
        };
        list().map_err(|source| LedgerError::io("list", &self.path, source))
    }

    /// Makes the folder's own list of names durable.
    pub(crate) fn sync(&self) -> Result<(), LedgerError> {
        fsync(&self.fd).map_err(|errno| LedgerError::io("sync", &self.path, errno))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Makes the missing part of `path`, each folder 0700 under any umask.
pub(crate) fn create_missing(path: &Path) -> Result<(), LedgerError> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|part| !part.as_os_str().is_empty() && fs::symlink_metadata(part).is_err())
        .collect();
    for part in missing.into_iter().rev() {
        match fs::DirBuilder::new().mode(0o700).create(part) {
            Ok(()) => make_private(part)?,
            // Somebody else was faster; whether it will do is judged when it is opened.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(source) => return Err(LedgerError::io("create", part, source)),
        }
        if let Some(parent) = part
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            File::open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(|source| LedgerError::io("sync", parent, source))?;
        }
    }
    Ok(())
}

/// Undoes what a strict umask took from a new folder.
fn make_private(path: &Path) -> Result<(), LedgerError> {
    fchmodat(
        AT_FDCWD,
        path,
        Mode::S_IRWXU,
        FchmodatFlags::NoFollowSymlink,
    )
    .map_err(|errno| LedgerError::io("protect", path, errno))
}

pub(crate) fn open_error(path: &Path, expected: &'static str, errno: Errno) -> LedgerError {
    if matches!(
        errno,
        Errno::ELOOP | Errno::ENOTDIR | Errno::EISDIR | Errno::ENXIO
    ) {
        LedgerError::Access {
            path: path.to_owned(),
            problem: AccessProblem::Type { expected },
        }
    } else {
        LedgerError::io("open", path, errno)
    }
}

fn check(path: &Path, stat: &FileStat, kind: SFlag) -> Result<(), LedgerError> {
    let mode = stat.st_mode & 0o7777;
    let problem = if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != kind {
        let expected = if kind == SFlag::S_IFDIR {
            "folder"
        } else {
            "file"
        };
        AccessProblem::Type { expected }
    } else if stat.st_uid != geteuid().as_raw() {
        AccessProblem::Owner { uid: stat.st_uid }
    } else if mode & 0o077 != 0 {
        AccessProblem::Mode { mode }
    } else {
        return Ok(());
    };
    Err(LedgerError::Access {
        path: path.to_owned(),
        problem,
    })
}

const FOLDER_FLAGS: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);
const FILE_FLAGS: OFlag = OFlag::O_RDWR
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);
const FILE_MODE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);
