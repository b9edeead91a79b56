// SPDX-License-Identifier: Apache-2.0
//! Key files: reading with a check of their permissions, writing without ever replacing one.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::encoding::hex;

/// Who may read a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner: mode 0600. For private keys.
    Owner,
    /// Everyone: mode 0644 less the umask. For public keys.
    Public,
}

/// Reads a private key's file. The bytes are wiped when they are dropped.
///
/// A symbolic link is followed; what is checked is the file that was opened.
///
/// # Errors
///
/// [`KeyFileError::Owner`] where the file belongs to anyone but the effective user, whatever that
/// user may read, [`KeyFileError::Permissions`] where anyone but the owner has any right to it,
/// [`KeyFileError::NotAFile`] for anything but a regular file, [`KeyFileError::TooLarge`] beyond
/// [`MAX_BYTES`], [`KeyFileError::Open`] and [`KeyFileError::Read`].
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    read(path, Access::Owner, MAX_BYTES)
}

/// Reads a public key's file, whoever may read it.
///
/// # Errors
///
/// Those of [`read_private`] but [`KeyFileError::Owner`] and [`KeyFileError::Permissions`].
pub fn read_public(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    read(path, Access::Public, MAX_BYTES).map(|bytes| bytes.to_vec())
}

/// Writes a key file that must not exist yet: all of it or nothing, durable on return.
///
/// The bytes go to a new file beside `path`, which is then linked to its name: a link never
/// replaces a file and never follows a symbolic link.
///
/// # Errors
///
/// [`KeyFileError::Exists`] where there is anything at `path`, a dangling link included,
/// [`KeyFileError::Random`] and [`KeyFileError::Write`].
pub fn write_new(path: &Path, bytes: &[u8], access: Access) -> Result<(), KeyFileError> {
    let (folder, temporary) = temporary_for(path)?;
    let written =
        write_temporary(&temporary, bytes, access).and_then(|()| fs::hard_link(&temporary, path));
    let removed = match fs::remove_file(&temporary) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(KeyFileError::Exists),
        written => written
            .and(removed)
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(KeyFileError::Write),
    }
}

/// Writes a file in place of the one that may be there: all of it or nothing, durable on return.
///
/// # Errors
///
/// [`KeyFileError::Random`] and [`KeyFileError::Write`].
pub(crate) fn replace(path: &Path, bytes: &[u8], access: Access) -> Result<(), KeyFileError> {
    let (folder, temporary) = temporary_for(path)?;
    let written =
        write_temporary(&temporary, bytes, access).and_then(|()| fs::rename(&temporary, path));
    written
        .inspect_err(|_| {
            // it counts for nothing; what failed is reported
            let _removed = fs::remove_file(&temporary);
        })
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(KeyFileError::Write)
}

/// Reads a key log of its owner: up to 4 MiB.
pub(crate) fn read_log(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    read(path, Access::Owner, MAX_SET_BYTES).map(|bytes| bytes.to_vec())
}

/// Reads a public key's file, a set of keys or a key log, whoever may read it: up to 4 MiB.
///
/// # Errors
///
/// Those of [`read_public`].
pub fn read_public_set(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    read(path, Access::Public, MAX_SET_BYTES).map(|bytes| bytes.to_vec())
}

/// Checks that a folder is its owner's alone.
pub(crate) fn check_folder(path: &Path) -> Result<(), KeyFileError> {
    let own = effective_uid().map_err(KeyFileError::Read)?;
    let metadata = fs::metadata(path).map_err(KeyFileError::Open)?;
    check_private(own, metadata.uid(), metadata.mode() & 0o7777)
}

/// The most bytes a key file may have: 64 KiB.
pub const MAX_BYTES: u64 = 1 << 16;

/// The most bytes a key log may have: 4 MiB. A set of keys may have 1 MiB of these.
const MAX_SET_BYTES: u64 = 4 << 20;

/// Why a key file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is something at the path already.
    #[error("file exists; a key file is never replaced")]
    Exists,
    /// Not a regular file.
    #[error("not a regular file")]
    NotAFile,
    /// The file could not be opened.
    #[error("cannot open the key file")]
    Open(#[source] io::Error),
    /// A private key's file belongs to another user. Shows who that is.
    #[error("private key file belongs to uid {0}; expected the user of this process")]
    Owner(u32),
    /// Others have rights to a private key's file. Shows its mode.
    #[error("private key file has mode {0:04o}; expected 0600 or less")]
    Permissions(u32),
    /// The kernel gave no random bytes for a temporary name.
    #[error("cannot read random bytes")]
    Random(#[source] getrandom::Error),
    /// The file could not be read.
    #[error("cannot read the key file")]
    Read(#[source] io::Error),
    /// The file is larger than such a one may be. Shows how many KiB that is.
    #[error("key file is larger than {0} KiB")]
    TooLarge(u64),
    /// The file could not be written.
    #[error("cannot write the key file")]
    Write(#[source] io::Error),
}

impl KeyFileError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ERR_KEY_FILE_EXISTS",
            Self::NotAFile | Self::TooLarge(_) => "ERR_KEY_FILE_UNUSABLE",
            Self::Open(_) | Self::Read(_) => "ERR_KEY_FILE_UNREADABLE",
            Self::Owner(_) | Self::Permissions(_) => "ERR_KEY_FILE_PERMISSIONS",
            Self::Random(_) => "ERR_KEY_RANDOM_UNAVAILABLE",
            Self::Write(_) => "ERR_KEY_FILE_UNWRITABLE",
        }
    }
}

fn read(path: &Path, access: Access, max_bytes: u64) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    // Not to block where the path is a pipe.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(KeyFileError::Open)?;
    let metadata = file.metadata().map_err(KeyFileError::Read)?;
    if metadata.mode() & libc::S_IFMT != libc::S_IFREG {
        return Err(KeyFileError::NotAFile);
    }
    if access == Access::Owner {
        let own = effective_uid().map_err(KeyFileError::Read)?;
        check_private(own, metadata.uid(), metadata.mode() & 0o7777)?;
    }
    // Enough room from the start: a buffer that grows leaves copies behind.
    let room = metadata.len().min(max_bytes).saturating_add(1);
    let capacity = usize::try_from(room).unwrap_or(usize::MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    let read = file
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes);
    match read.map(u64::try_from).map_err(KeyFileError::Read)? {
        Ok(length) if length <= max_bytes => Ok(bytes),
        _ => Err(KeyFileError::TooLarge(max_bytes >> 10)),
    }
}

/// Root can read every user's key, and must not sign with one; others could leave it one to sign
/// with. The ledger's folder is held to the same rule.
const fn check_private(own: u32, uid: u32, mode: u32) -> Result<(), KeyFileError> {
    if uid != own {
        Err(KeyFileError::Owner(uid))
    } else if mode & 0o077 != 0 {
        Err(KeyFileError::Permissions(mode))
    } else {
        Ok(())
    }
}

/// Returns the effective user of this process: the kernel makes it the owner of each new pipe
/// (`get_pipe_inode`), which needs neither unsafe code nor `/proc`.
pub(crate) fn effective_uid() -> io::Result<u32> {
    let (reader, _writer) = io::pipe()?;
    let made = File::from(OwnedFd::from(reader)).metadata()?;
    Ok(made.uid())
}

/// Returns the folder of a file to be, and a path in it that nothing has.
fn temporary_for(path: &Path) -> Result<(&Path, PathBuf), KeyFileError> {
    let Some(name) = path.file_name() else {
        return Err(KeyFileError::Write(io::ErrorKind::InvalidFilename.into()));
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(KeyFileError::Random)?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", hex(&suffix)));
    Ok((folder, folder.join(temporary)))
}

fn write_temporary(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mode = match access {
        Access::Owner => 0o600,
        Access::Public => 0o644,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_holds_the_bytes_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        write_new(&path, b"secret", Access::Owner).unwrap();
        assert_eq!(
            (mode(&path), names(folder.path())),
            (0o600, vec!["key.pem".to_owned()])
        );
        assert_eq!(fs::metadata(&path).unwrap().nlink(), 1);
        assert_eq!(read_private(&path).unwrap().as_slice(), b"secret");
        let public = folder.path().join("key.pub");
        write_new(&public, b"public", Access::Public).unwrap();
        assert_eq!(mode(&public) & !0o044, 0o600);
        assert_eq!(read_public(&public).unwrap(), b"public");
    }

    #[test]
    fn an_existing_file_or_link_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, dangling) = (
            folder.path().join("file"),
            folder.path().join("link"),
            folder.path().join("dangling"),
        );
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        symlink(folder.path().join("target"), &dangling).unwrap();
        for path in [&file, &link, &dangling, &folder.path().to_path_buf()] {
            let error = write_new(path, b"new", Access::Owner).unwrap_err();
            assert_eq!(error.code(), "ERR_KEY_FILE_EXISTS", "{}", path.display());
        }
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["dangling", "file", "link"]);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_new(&folder.path().join("no/key"), b"x", Access::Owner).unwrap_err();
        assert_eq!(error.code(), "ERR_KEY_FILE_UNWRITABLE");
        let error = write_new(&folder.path().join(".."), b"x", Access::Owner).unwrap_err();
        assert_eq!(error.code(), "ERR_KEY_FILE_UNWRITABLE");
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn a_private_key_that_others_have_rights_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "x").unwrap();
        for (bits, refused) in [
            (0o600, false),
            (0o400, false),
            (0o640, true),
            (0o604, true),
            (0o610, true),
            (0o602, true),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            let got = read_private(&path).map_err(|error| error.to_string());
            let message = format!("private key file has mode {bits:04o}; expected 0600 or less");
            assert_eq!(got.err(), refused.then_some(message));
            assert_eq!(read_public(&path).unwrap(), b"x");
        }
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(
            read_private(&link).unwrap_err().code(),
            "ERR_KEY_FILE_PERMISSIONS"
        );
    }

    #[test]
    fn a_private_key_of_another_user_is_refused_even_to_root() {
        let refused = |uid: u32, mode: u32| {
            let checked = check_private(7, uid, mode);
            checked.map_err(|error| (error.to_string(), error.code()))
        };
        let owner = |uid: u32| {
            let text =
                format!("private key file belongs to uid {uid}; expected the user of this process");
            Err((text, "ERR_KEY_FILE_PERMISSIONS"))
        };
        let table = [
            (7, 0o600, Ok(())),
            (8, 0o600, owner(8)),
            (0, 0o400, owner(0)),
            (8, 0o644, owner(8)),
        ];
        for (uid, mode, want) in table {
            assert_eq!(refused(uid, mode), want, "{uid} {mode:o}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_new(&path, b"x", Access::Owner).unwrap();
        assert_eq!(effective_uid().unwrap(), fs::metadata(&path).unwrap().uid());
        assert_eq!(read_private(&path).unwrap().as_slice(), b"x");
        let another = 65_534;
        if effective_uid().unwrap() != 0 {
            return println!("skipped in part: only root can give a file away and still read it");
        }
        chown(&path, Some(another), None).unwrap();
        let error = read_private(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Owner(uid) if uid == another));
        assert_eq!(error.code(), "ERR_KEY_FILE_PERMISSIONS");
        assert_eq!(read_public(&path).unwrap(), b"x");
    }

    #[test]
    fn only_regular_files_of_a_key_s_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let code = |path: &Path| read_public(path).map_err(|error| error.code());
        assert_eq!(code(&path), Err("ERR_KEY_FILE_UNREADABLE"));
        assert_eq!(code(folder.path()), Err("ERR_KEY_FILE_UNUSABLE"));
        assert_eq!(code(Path::new("/dev/null")), Err("ERR_KEY_FILE_UNUSABLE"));
        fs::write(&path, vec![0; 1 << 16]).unwrap();
        assert_eq!(code(&path).map(|bytes| bytes.len()), Ok(1 << 16));
        fs::write(&path, vec![0; (1 << 16) + 1]).unwrap();
        assert_eq!(code(&path), Err("ERR_KEY_FILE_UNUSABLE"));
    }
}
