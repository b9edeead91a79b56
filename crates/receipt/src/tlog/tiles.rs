// SPDX-License-Identifier: Apache-2.0
//! A log as static files (C2SP `tlog-tiles`): its hashes and its leaves in pieces of 256.

use super::checkpoint::Checkpoint;
use super::frontier::{Frontier, TreeError};
use super::hash::leaf_hash;

/// Cuts a log into tiles: takes its digests in order and hands out each file as soon as it is
/// full. It keeps one tile for each level, at most eight.
#[derive(Clone, Debug, Default)]
pub struct Tiler {
    frontier: Frontier,
    /// The tile that is being filled, for each level from the leaves up.
    levels: Vec<Level>,
    /// The leaves of the lowest tile, each behind its length.
    bundle: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct Level {
    /// How many tiles are full.
    full: u64,
    /// The hashes of the next one.
    hashes: Vec<u8>,
}

/// A file of a log: its path with `/`, and its bytes.
pub type TileFile = (String, Vec<u8>);

impl Tiler {
    /// Begins with an empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the digest of the next entry; returns the files that it filled.
    ///
    /// # Errors
    ///
    /// [`TreeError::Full`] after 2^64 − 1 entries.
    pub fn push(&mut self, digest: &[u8; 32]) -> Result<Vec<TileFile>, TreeError> {
        let mut hash = leaf_hash(digest);
        self.frontier.append(hash)?;
        self.bundle.extend(LEAF_BYTES.to_be_bytes());
        self.bundle.extend(digest);
        let mut files = Vec::new();
        for place in 0_u8.. {
            let depth = usize::from(place);
            if self.levels.len() <= depth {
                self.levels.push(Level::default());
            }
            let Some(level) = self.levels.get_mut(depth) else {
                break;
            };
            level.hashes.extend(hash);
            if level.hashes.len() < TILE_BYTES {
                break;
            }
            let index = level.full;
            level.full = index.saturating_add(1);
            let tile = std::mem::take(&mut level.hashes);
            hash = root_of(&tile)?;
            if place == 0 {
                files.push((entries_path(index, 0), std::mem::take(&mut self.bundle)));
            }
            files.push((tile_path(place, index, 0), tile));
        }
        Ok(files)
    }

    /// Returns the files that are not full, and the tree.
    pub fn finish(mut self) -> (Vec<TileFile>, Frontier) {
        let mut files = Vec::new();
        for (level, place) in self.levels.into_iter().zip(0_u8..) {
            let width = level.hashes.len() / HASH_BYTES;
            if width == 0 {
                continue;
            }
            if place == 0 {
                files.push((
                    entries_path(level.full, width),
                    std::mem::take(&mut self.bundle),
                ));
            }
            files.push((tile_path(place, level.full, width), level.hashes));
        }
        (files, self.frontier)
    }
}

/// Checks that files are the log of a checkpoint, whole and without contradiction: the leaves, the
/// tiles of every level, and the root that they lead to. `fetch` returns a file by its path.
///
/// # Errors
///
/// [`TilesError::Fetch`] with what `fetch` returned, and the others for files that do not fit.
pub fn verify_tiles<E>(
    checkpoint: &Checkpoint,
    mut fetch: impl FnMut(&str) -> Result<Vec<u8>, E>,
) -> Result<(), TilesError<E>> {
    let mut tiler = Tiler::new();
    let mut left = checkpoint.size();
    for index in 0_u64.. {
        if left == 0 {
            break;
        }
        let width = left.min(WIDTH);
        left = left.saturating_sub(width);
        let width = usize::try_from(width % WIDTH).unwrap_or_default();
        let path = entries_path(index, width);
        let bundle = fetch(&path).map_err(TilesError::Fetch)?;
        for digest in digests(&bundle, width).ok_or(TilesError::Malformed(path))? {
            for file in tiler.push(&digest)? {
                same(&file, &mut fetch)?;
            }
        }
    }
    let (files, frontier) = tiler.finish();
    for file in files {
        same(&file, &mut fetch)?;
    }
    if frontier.root() != *checkpoint.root() {
        return Err(TilesError::Root);
    }
    Ok(())
}

/// Files that are not the log of a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum TilesError<E> {
    /// A tile does not hold the hashes of the leaves and tiles below it.
    #[error("tile `{0}` does not fit the entries")]
    Different(String),
    /// A file could not be had.
    #[error("cannot read a tile")]
    Fetch(#[source] E),
    /// A bundle of leaves is not one of 32-byte leaves, or not as wide as it should be.
    #[error("malformed entries in `{0}`")]
    Malformed(String),
    /// The files hold another log than the checkpoint's, or another part of it.
    #[error("the tiles lead to another root than the checkpoint's")]
    Root,
    /// More leaves than a tree can have.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

fn same<E>(
    (path, want): &TileFile,
    fetch: &mut impl FnMut(&str) -> Result<Vec<u8>, E>,
) -> Result<(), TilesError<E>> {
    let have = fetch(path).map_err(TilesError::Fetch)?;
    let fits = have == *want;
    fits.then_some(())
        .ok_or_else(|| TilesError::Different(path.clone()))
}

/// Reads a bundle of `width` leaves; 0 is a full one.
fn digests(bundle: &[u8], width: usize) -> Option<Vec<[u8; 32]>> {
    let width = if width == 0 { FULL } else { width };
    let (leaves, rest) = bundle.as_chunks::<{ HASH_BYTES + 2 }>();
    if leaves.len() != width || !rest.is_empty() {
        return None;
    }
    let leaf = |leaf: &[u8; HASH_BYTES + 2]| {
        let (length, digest) = leaf.split_first_chunk()?;
        let fits = u16::from_be_bytes(*length) == LEAF_BYTES;
        digest.try_into().ok().filter(|_| fits)
    };
    leaves.iter().map(leaf).collect()
}

/// The root over the 256 hashes of a tile.
fn root_of(tile: &[u8]) -> Result<[u8; 32], TreeError> {
    let mut frontier = Frontier::new();
    for hash in tile.as_chunks().0 {
        frontier.append(*hash)?;
    }
    Ok(frontier.root())
}

fn tile_path(level: u8, index: u64, width: usize) -> String {
    format!("tile/{level}/{}", place(index, width))
}

fn entries_path(index: u64, width: usize) -> String {
    format!("tile/entries/{}", place(index, width))
}

/// Writes an index in groups of three digits, all but the last behind an `x`, and the width of what
/// is not full.
fn place(index: u64, width: usize) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width > 0 {
        path = format!("{path}.p/{width}");
    }
    path
}

const HASH_BYTES: usize = 32;
const LEAF_BYTES: u16 = 32;
const FULL: usize = 256;
const WIDTH: u64 = 256;
const TILE_BYTES: usize = FULL * HASH_BYTES;
