// SPDX-License-Identifier: Apache-2.0
//! The search for what is protected in granted trees: folder by folder, those near the top first,
//! up to a bound. No link is followed, and nothing above a granted tree is reached.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{SFlag, fstat, fstatat};
use nix::unistd::Uid;

use super::names::{GIT_PARTS, Kind, NPM_SETTINGS, holds_npm_secret, rule_for};
use super::{How, Protection, git};
use crate::layout::{Glob, Positions};
use crate::waiting::Progress;

/// A granted tree, held open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<'a> {
    pub(crate) path: &'a Path,
    pub(crate) handle: BorrowedFd<'a>,
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Folders that are read.
    pub(crate) folders: usize,
    /// Names that are looked at.
    pub(crate) names: usize,
}

impl Bounds {
    /// Those of every run.
    pub(crate) const USUAL: Self = Self {
        folders: 16_384,
        names: 262_144,
    };
}

impl Default for Bounds {
    fn default() -> Self {
        Self::USUAL
    }
}

/// A file that is protected.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Hold {
    pub(crate) path: PathBuf,
    pub(crate) protection: Protection,
    pub(crate) how: How,
    /// Whether a symbolic link stands there; then what it leads to is held, and not the link.
    pub(crate) is_link: bool,
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) holds: BTreeSet<Hold>,
    /// Git directories.
    pub(crate) repositories: BTreeSet<PathBuf>,
    /// Parts of git directories that do not exist.
    pub(crate) absent: BTreeSet<(PathBuf, Protection)>,
    /// Links on the way to parts of git directories and to what settings name.
    pub(crate) ways: BTreeSet<PathBuf>,
    /// Folders of the caller that nobody may look into before their mode is changed, which the
    /// command could do too.
    pub(crate) closed: BTreeSet<PathBuf>,
    /// What patterns matched.
    pub(crate) matched: BTreeSet<PathBuf>,
    /// Whether everything was looked at.
    pub(crate) whole: bool,
}

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    pub(crate) roots: &'a [Root<'a>],
    pub(crate) lifted: &'a BTreeSet<Protection>,
    pub(crate) globs: &'a [Glob],
    /// Trees that nobody sees.
    pub(crate) skipped: &'a [PathBuf],
    pub(crate) bounds: Bounds,
    pub(crate) progress: &'a Progress,
}

/// Longest file that is read to see where it leads, bytes.
const MAX_FILE: u64 = 256 * 1024;
/// Most settings that one repository may include.
const MAX_INCLUDED: usize = 16;
/// What is entered of a git directory.
const GIT_FOLDERS: [&str; 2] = ["modules", "worktrees"];

/// A folder that is to be read.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    positions: Vec<Positions>,
    /// The work tree whose `.git` says that this is its git directory.
    work_tree: Option<PathBuf>,
}

struct Entry {
    name: OsString,
    kind: Kind,
}

impl Search<'_> {
    /// Looks through all trees.
    pub(crate) fn run(&self) -> Found {
        let mut out = Found {
            whole: true,
            ..Found::default()
        };
        let mut queue: VecDeque<Folder> = self.roots.iter().map(|root| self.first(root)).collect();
        // a folder may be met before the file that says it is a git directory
        let mut seen: BTreeSet<(PathBuf, Option<PathBuf>)> = BTreeSet::new();
        let (mut folders, mut names) = (self.bounds.folders, self.bounds.names);
        while let Some(folder) = queue.pop_front() {
            let is_new = seen.insert((folder.path.clone(), folder.work_tree.clone()));
            if self.skipped.contains(&folder.path) || !is_new {
                continue;
            }
            let Some(left) = folders.checked_sub(1) else {
                out.whole = false;
                break;
            };
            folders = left;
            self.progress.at(&folder.path);
            let entries = match self.read(&folder.path, &mut names) {
                Ok(entries) => entries,
                Err(Errno::EACCES) => {
                    // one of somebody else stays closed to the command
                    if self.is_ours(&folder.path) {
                        out.closed.insert(folder.path);
                    }
                    continue;
                }
                // gone, or another thing by now
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => continue,
                Err(_) => {
                    out.whole = false;
                    continue;
                }
            };
            out.whole &= names > 0;
            let further = self.judge(&folder, &entries, &mut out);
            let room = folders.saturating_add(1).saturating_sub(queue.len());
            out.whole &= further.len() <= room;
            queue.extend(further.into_iter().take(room));
        }
        out
    }

    fn first(&self, root: &Root<'_>) -> Folder {
        let to = |glob: &Glob| {
            let names = root.path.iter().skip(1).filter_map(OsStr::to_str);
            names.fold(glob.start(), |at, name| glob.step(&at, name))
        };
        Folder {
            path: root.path.to_owned(),
            positions: self.globs.iter().map(to).collect(),
            work_tree: None,
        }
    }

    fn holds(&self, protection: Protection) -> bool {
        !self.lifted.contains(&protection)
    }

    /// Returns what is found in a folder, and takes note of what is protected.
    fn judge(&self, folder: &Folder, entries: &[Entry], out: &mut Found) -> Vec<Folder> {
        let around = folder.path.file_name().unwrap_or_default();
        let is_named = folder.work_tree.is_some();
        let is_git = is_named || around == ".git" || is_git_directory(entries);
        if is_git {
            self.judge_repository(folder, entries, out);
        }
        let mut further = Vec::new();
        for entry in entries {
            let path = folder.path.join(&entry.name);
            let positions = self.step(&folder.positions, &entry.name);
            let matches = |(glob, at): (&Glob, &Positions)| glob.is_match(at);
            if self.globs.iter().zip(&positions).any(matches) {
                out.matched.insert(path);
                continue;
            }
            if let Some((protection, how)) = self.rule_for(around, entry, &path)
                && !is_git
            {
                out.holds.insert(Hold {
                    path,
                    protection,
                    how,
                    is_link: entry.kind == Kind::Link,
                });
                continue;
            }
            if entry.name == ".git" && entry.kind != Kind::Directory {
                further.extend(self.judge_git_file(&path, entry.kind, out));
                continue;
            }
            let enters = entry.kind == Kind::Directory
                && (!is_git || GIT_FOLDERS.iter().any(|name| entry.name == *name));
            if enters {
                let is_first = entry.name == ".git";
                further.push(Folder {
                    path,
                    positions,
                    work_tree: None,
                });
                if is_first {
                    // however many folders stand beside it
                    let last = further.len().saturating_sub(1);
                    further.swap(0, last);
                }
            }
        }
        further
    }

    fn step(&self, positions: &[Positions], name: &OsStr) -> Vec<Positions> {
        let Some(name) = name.to_str() else {
            return vec![Positions::new(); positions.len()];
        };
        let each = self.globs.iter().zip(positions);
        each.map(|(glob, at)| glob.step(at, name)).collect()
    }

    fn rule_for(&self, around: &OsStr, entry: &Entry, path: &Path) -> Option<(Protection, How)> {
        let found = if entry.name == NPM_SETTINGS && entry.kind != Kind::Directory {
            let is_secret = match self.content(path) {
                Some(content) => holds_npm_secret(&content),
                // a link, or longer than settings are
                None => true,
            };
            is_secret.then_some((Protection::Credentials, How::Hide))
        } else {
            rule_for(around, &entry.name, entry.kind)
        };
        found.filter(|(protection, _)| self.holds(*protection))
    }

    /// Takes note of the parts of a git directory, and of what its settings lead to.
    fn judge_repository(&self, at: &Folder, entries: &[Entry], out: &mut Found) {
        let folder = &at.path;
        out.repositories.insert(folder.clone());
        for (part, protection) in GIT_PARTS {
            if self.holds(*protection) {
                self.keep(folder.join(part), *protection, out);
            }
        }
        let has = |name: &str| entries.iter().any(|entry| entry.name == name);
        if has("config") || has("commondir") {
            self.follow_settings(folder, at.work_tree.as_deref(), out);
        }
    }

    fn follow_settings(&self, folder: &Path, work_tree: Option<&Path>, out: &mut Found) {
        let mut files = VecDeque::from([folder.join("config"), folder.join("config.worktree")]);
        // of a worktree, whose settings are those of its repository
        let common = self.content(&folder.join("commondir")).and_then(|content| {
            let named = git::path_of(content.trim_ascii());
            git::joined(folder, &named.join("config"))
        });
        files.extend(common);
        let mut seen = BTreeSet::new();
        let mut tops = BTreeSet::from([folder.to_owned()]);
        tops.extend(work_tree.map(Path::to_owned));
        if folder.file_name() == Some(OsStr::new(".git")) {
            tops.extend(folder.parent().map(Path::to_owned));
        }
        let mut hooks = Vec::new();
        while let Some(file) = files.pop_front() {
            if seen.len() > MAX_INCLUDED || !seen.insert(file.clone()) {
                continue;
            }
            let behind_links = || self.content(&std::fs::canonicalize(&file).ok()?);
            let Some(content) = self.content(&file).or_else(behind_links) else {
                continue;
            };
            let named = git::named_in(&content);
            let around = file.parent().unwrap_or(folder).to_owned();
            tops.extend(named.worktree.and_then(|path| git::joined(folder, &path)));
            hooks.extend(named.hooks);
            for path in named.included {
                if let Some(path) = git::joined(&around, &path) {
                    self.hold_named(&path, Protection::GitConfig, out);
                    files.push_back(path);
                }
            }
        }
        for top in &tops {
            for path in hooks.iter().filter_map(|path| git::joined(top, path)) {
                self.hold_named(&path, Protection::GitHooks, out);
            }
        }
    }

    /// Protects what settings name, where that lies in a tree and is not the tree itself.
    fn hold_named(&self, path: &Path, protection: Protection, out: &mut Found) {
        if self.is_inside(path) && self.holds(protection) {
            self.keep(path.to_owned(), protection, out);
        }
    }

    /// Whether a path lies in a tree, and is not itself one or above one.
    fn is_inside(&self, path: &Path) -> bool {
        let inside = self.roots.iter().any(|root| path.starts_with(root.path));
        inside && !self.roots.iter().any(|root| root.path.starts_with(path))
    }

    /// Takes note of something that is to stay read-only: where it really lies, if links lead there.
    fn keep(&self, path: PathBuf, protection: Protection, out: &mut Found) {
        let hold = |path, kind| Hold {
            path,
            protection,
            how: How::KeepReadOnly,
            is_link: kind == Kind::Link,
        };
        if let Some(kind) = self.kind_of(&path) {
            out.holds.insert(hold(path, kind));
            return;
        }
        let Some(link) = self.link_above(&path) else {
            out.absent.insert((path, protection));
            return;
        };
        out.ways.insert(link);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return;
        };
        // what leads nowhere is looked for once more after the run
        let Ok(folder) = std::fs::canonicalize(folder) else {
            return;
        };
        let real = folder.join(name);
        if !self.is_inside(&real) {
            return;
        }
        match self.kind_of(&real) {
            Some(kind) => drop(out.holds.insert(hold(real, kind))),
            None => drop(out.absent.insert((real, protection))),
        }
    }

    /// Returns the first link on the way to a path in a tree.
    fn link_above(&self, path: &Path) -> Option<PathBuf> {
        let above = path.ancestors().skip(1);
        let links = above.filter(|above| self.kind_of(above) == Some(Kind::Link));
        // nothing behind a link can be looked at, so there is one at most
        links.last().map(Path::to_owned)
    }

    /// A `.git` that is a file names the git directory of a worktree or submodule; a link leads to
    /// one. Who could change it could name another, with hooks.
    fn judge_git_file(&self, path: &Path, kind: Kind, out: &mut Found) -> Option<Folder> {
        if self.holds(Protection::GitConfig) {
            out.holds.insert(Hold {
                path: path.to_owned(),
                protection: Protection::GitConfig,
                how: How::KeepReadOnly,
                is_link: kind == Kind::Link,
            });
        }
        let named = if kind == Kind::Link {
            std::fs::read_link(path).ok()?
        } else {
            git::gitdir_of(&self.content(path)?)?
        };
        let named = git::joined(path.parent()?, &named)?;
        out.ways.extend(self.link_above(&named));
        let target = std::fs::canonicalize(&named).unwrap_or(named);
        self.roots
            .iter()
            .any(|root| target.starts_with(root.path))
            .then(|| Folder {
                path: target,
                positions: vec![Positions::new(); self.globs.len()],
                work_tree: path.parent().map(Path::to_owned),
            })
    }

    /// Whether a folder is the caller's, who may change its mode.
    fn is_ours(&self, path: &Path) -> bool {
        let found = self
            .open(path, OFlag::O_PATH)
            .and_then(|handle| fstat(&handle));
        found.is_ok_and(|found| found.st_uid == Uid::effective().as_raw())
    }

    /// Reads the names in a folder that can be listed and searched.
    fn read(&self, path: &Path, left: &mut usize) -> Result<Vec<Entry>, Errno> {
        let mut folder = Dir::from_fd(self.open(path, OFlag::O_DIRECTORY)?)?;
        // a folder may be listed by who may not search it
        fstatat(folder.as_fd(), ".", AtFlags::empty())?;
        let mut names = Vec::new();
        for entry in folder.iter() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            *left = left.saturating_sub(1);
            if *left == 0 {
                break;
            }
            names.push((OsStr::from_bytes(name).to_owned(), entry.file_type()));
        }
        let entries = names.into_iter().filter_map(|(name, kind)| {
            let kind = match kind {
                Some(Type::Directory) => Kind::Directory,
                Some(Type::Symlink) => Kind::Link,
                Some(_) => Kind::File,
                None => kind_in(folder.as_fd(), &name)?,
            };
            Some(Entry { name, kind })
        });
        Ok(entries.collect())
    }

    /// Returns the beginning of a regular file, if it is no longer than settings are.
    fn content(&self, path: &Path) -> Option<Vec<u8>> {
        // never waits: a pipe with a name opens at once, and is then seen to be one
        let mut file = File::from(self.open(path, OFlag::O_NONBLOCK).ok()?);
        let found = file.metadata().ok()?;
        if !found.is_file() || found.len() > MAX_FILE {
            return None;
        }
        let mut out = Vec::new();
        file.by_ref().take(MAX_FILE).read_to_end(&mut out).ok()?;
        Some(out)
    }

    fn kind_of(&self, path: &Path) -> Option<Kind> {
        let handle = self.open(path, OFlag::O_PATH | OFlag::O_NOFOLLOW).ok()?;
        fstat(&handle).ok().map(|found| kind_of_mode(found.st_mode))
    }

    /// Opens what a path names beneath the tree that holds it. No link is followed.
    pub(super) fn open(&self, path: &Path, flags: OFlag) -> Result<OwnedFd, Errno> {
        let holds = |root: &&Root<'_>| path.starts_with(root.path);
        let root = self
            .roots
            .iter()
            .filter(holds)
            .max_by_key(|root| root.path.as_os_str().len())
            .ok_or(Errno::ENOENT)?;
        let inside = path.strip_prefix(root.path).unwrap_or(path);
        let inside = if inside.as_os_str().is_empty() {
            Path::new(".")
        } else {
            inside
        };
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW)
            .resolve(
                ResolveFlag::RESOLVE_BENEATH
                    | ResolveFlag::RESOLVE_NO_SYMLINKS
                    | ResolveFlag::RESOLVE_NO_MAGICLINKS,
            );
        openat2(root.handle, inside, how)
    }
}

/// What git itself takes for a git directory, and what it takes for that of a worktree.
fn is_git_directory(entries: &[Entry]) -> bool {
    let has = |name: &str| entries.iter().any(|entry| entry.name == name);
    has("HEAD") && ((has("objects") && has("refs")) || has("commondir"))
}

fn kind_in(folder: BorrowedFd<'_>, name: &OsStr) -> Option<Kind> {
    let found = fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
    Some(kind_of_mode(found.st_mode))
}

fn kind_of_mode(mode: u32) -> Kind {
    match SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFDIR => Kind::Directory,
        SFlag::S_IFLNK => Kind::Link,
        _ => Kind::File,
    }
}
