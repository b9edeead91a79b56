// SPDX-License-Identifier: Apache-2.0
//! Files that a receipt names by digest, read with distrust: who made them may still write them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use ambit_canon::{Digest, Hasher};
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};

/// What a file was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileDigest {
    /// SHA-256 of all bytes.
    pub digest: Digest,
    /// How many there were.
    pub bytes: u64,
}

/// Returns the digest of a regular file of at most `max_bytes` bytes.
///
/// No part of `path` may be a symbolic link: what lies at this path is meant, not what somebody
/// made it point to (`openat2(2)` with `RESOLVE_NO_SYMLINKS`, Linux 5.6). Pipes and devices are
/// refused without waiting for them. Memory is bounded by a buffer of 64 KiB.
///
/// # Errors
///
/// [`ArtifactError::Open`] with the kernel's reason, `ELOOP` for a link; [`ArtifactError::NotAFile`],
/// [`ArtifactError::TooLarge`] also where the file grows while it is read, [`ArtifactError::Read`].
pub fn digest_file(path: &Path, max_bytes: u64) -> Result<FileDigest, ArtifactError> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let opened = openat2(AT_FDCWD, path, how).map_err(io::Error::from);
    let mut file = File::from(opened.map_err(ArtifactError::Open)?);
    let metadata = file.metadata().map_err(ArtifactError::Read)?;
    if !metadata.is_file() {
        return Err(ArtifactError::NotAFile);
    }
    if metadata.len() > max_bytes {
        return Err(ArtifactError::TooLarge(max_bytes));
    }
    let mut hasher = Hasher::new();
    let mut bytes = 0_u64;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ArtifactError::Read(error)),
        };
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if bytes > max_bytes {
            return Err(ArtifactError::TooLarge(max_bytes));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
    Ok(FileDigest {
        digest: hasher.finish(),
        bytes,
    })
}

/// Why a file has no digest.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is a folder, a pipe, a socket or a device.
    #[error("not a regular file")]
    NotAFile,
    /// It could not be opened, or a part of its path is a symbolic link.
    #[error("cannot be opened")]
    Open(#[source] io::Error),
    /// It could not be read.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// It has more bytes than are read.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
}

impl ArtifactError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        "ERR_RECEIPT_ARTIFACT"
    }
}

const BUFFER_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn code(path: &Path, max_bytes: u64) -> String {
        match digest_file(path, max_bytes) {
            Ok(found) => format!("{} {}", found.bytes, found.digest == Digest::of(b"abc")),
            Err(ArtifactError::Open(error)) => format!("open {:?}", error.raw_os_error()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn plain_files_have_a_digest_and_nothing_else_has() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let file = folder.join("sub/file");
        fs::create_dir(folder.join("sub")).unwrap();
        fs::write(&file, b"abc").unwrap();
        symlink(&file, folder.join("link")).unwrap();
        symlink("sub", folder.join("folder")).unwrap();
        nix::unistd::mkfifo(&folder.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let eloop = format!("open {:?}", Some(libc::ELOOP));
        for (path, want) in [
            ("sub/file", "3 true"),
            ("link", &eloop),
            ("folder/file", &eloop),
            ("sub", "not a regular file"),
            ("pipe", "not a regular file"),
            ("none", &format!("open {:?}", Some(libc::ENOENT))),
        ] {
            assert_eq!(code(&folder.join(path), 3), want, "{path}");
        }
        assert_eq!(code(&file, 2), "larger than 2 bytes");
        assert_eq!(code(Path::new("/proc/self/exe"), 1), eloop);
        // its size is said to be 0: the bytes that come are what counts
        assert_eq!(code(Path::new("/proc/version"), 2), "larger than 2 bytes");
    }

    #[test]
    fn a_long_file_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().canonicalize().unwrap().join("long");
        let bytes = vec![7; 3 * BUFFER_BYTES + 1];
        fs::write(&file, &bytes).unwrap();
        let got = digest_file(&file, 1 << 20).unwrap();
        assert_eq!(
            (got.bytes, got.digest),
            (bytes.len().try_into().unwrap(), Digest::of(&bytes))
        );
    }
}
