// SPDX-License-Identifier: Apache-2.0
//! The tiles of a log in a folder.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, CheckpointError, OpenedCheckpoint};
use super::frontier::{Frontier, TreeError};
use super::hash::Hash;
use super::tiles::{TileFile, Tiler, TilesError, verify_tiles};
use crate::VerifyingKey;

/// Writes a log into a new folder. It appears under its name when it is whole; until then it
/// stands beside it, with `.part` behind the name, and goes when this is dropped.
#[derive(Debug)]
pub struct TileFolder {
    tiler: Tiler,
    folder: PathBuf,
    part: Option<PathBuf>,
}

impl TileFolder {
    /// Begins a folder that does not exist yet.
    ///
    /// # Errors
    ///
    /// Those of the file system; one of kind `AlreadyExists` where there is anything at the path,
    /// or another is being written.
    pub fn create(folder: &Path) -> io::Result<Self> {
        // without the slash at its end, behind which `.part` would be another name
        let folder: &Path = &folder.components().collect::<PathBuf>();
        if folder.symlink_metadata().is_ok() {
            return Err(exists(folder));
        }
        let mut name = OsString::from(folder);
        name.push(".part");
        let part = PathBuf::from(name);
        fs::create_dir(&part).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                exists(&part)
            } else {
                error
            }
        })?;
        Ok(Self {
            tiler: Tiler::new(),
            folder: folder.to_owned(),
            part: Some(part),
        })
    }

    /// Takes the digest of the next entry.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn push(&mut self, digest: &[u8; 32]) -> io::Result<()> {
        let files = self.tiler.push(digest).map_err(full)?;
        files.iter().try_for_each(|file| self.write(file))
    }

    /// Writes what is left and the checkpoint's note, and gives the folder its name. Returns the tree.
    ///
    /// # Errors
    ///
    /// Those of the file system; one of kind `InvalidData` where the root is not the checkpoint's.
    pub fn finish(mut self, note: &str, root: &Hash) -> io::Result<Frontier> {
        let (files, frontier) = std::mem::take(&mut self.tiler).finish();
        if frontier.root() != *root {
            let message = "the entries are not those of the checkpoint";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        files.iter().try_for_each(|file| self.write(file))?;
        self.write(&(CHECKPOINT.to_owned(), note.as_bytes().to_vec()))?;
        if let Some(part) = &self.part {
            fs::rename(part, &self.folder)?;
        }
        self.part = None;
        Ok(frontier)
    }

    fn write(&self, (path, bytes): &TileFile) -> io::Result<()> {
        let Some(part) = &self.part else {
            return Ok(());
        };
        let path = part.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)
    }
}

impl Drop for TileFolder {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // What cannot be removed is in the way of the next one, which says so.
            drop(fs::remove_dir_all(part));
        }
    }
}

/// Reads a folder of tiles: checks its checkpoint's signature by one of the keys, and that the
/// files are its log, whole. Returns the checkpoint.
///
/// # Errors
///
/// [`TileFolderError`].
pub fn verify_tile_folder(
    folder: &Path,
    keys: &[VerifyingKey],
) -> Result<OpenedCheckpoint, TileFolderError> {
    let note = read(folder, CHECKPOINT).map_err(TilesError::Fetch)?;
    let opened = Checkpoint::open_by(&note, keys)?;
    verify_tiles(&opened.checkpoint, |path| read(folder, path))?;
    Ok(opened)
}

/// A folder that does not hold the log of its checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum TileFolderError {
    /// The checkpoint cannot be read or trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The files are missing or do not fit.
    #[error(transparent)]
    Tiles(#[from] TilesError<io::Error>),
}

impl TileFolderError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint(error) => error.code(),
            Self::Tiles(TilesError::Fetch(_)) => "ERR_LEDGER_UNAVAILABLE",
            Self::Tiles(_) => "ERR_LEDGER_PROOF",
        }
    }
}

fn read(folder: &Path, path: &str) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(folder.join(path))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn exists(path: &Path) -> io::Error {
    let message = format!("`{}` exists already", path.display());
    io::Error::new(io::ErrorKind::AlreadyExists, message)
}

fn full(error: TreeError) -> io::Error {
    io::Error::other(error)
}

const CHECKPOINT: &str = "checkpoint";

/// No file of a log is larger, checkpoints included.
const MAX_FILE_BYTES: u64 = (1 << 20) + 1;
