// SPDX-License-Identifier: Apache-2.0
//! The plan resolved against this machine: what is mounted where, each path opened once.
//!
//! A handle (`O_PATH`) to every object stays open until the run has ended. The launcher, in a mount
//! namespace of its own, cannot mount our handles; it opens the same path again and compares
//! device and inode. Since a handle keeps its inode from being reused, equal numbers mean the
//! same object, whatever was renamed or linked in between.

mod glob;
mod missing;
mod mounts;
mod proc;
mod shield;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::SandboxError;
use crate::host;
use crate::plan::{LaunchPlan, Network, Stdin};
use crate::protection::{self, Bounds, Protected};
use crate::surface::{OnMissingPath, Proc};
use crate::waiting::Progress;

pub(crate) use glob::{Glob, Positions};
use missing::Made;
pub(crate) use mounts::MountTable;
pub(crate) use proc::WholeProc;
pub(crate) use tree::{Grant, Tree};
use tree::{Links, open};

/// One place in the sandbox's root.
#[derive(Debug)]
pub(crate) enum Place {
    /// An empty directory or file over something that must not be seen.
    Hidden(Tree),
    /// A symbolic link with this target.
    Link(PathBuf),
    /// A mounted object.
    Mount(Tree),
    /// A private, empty tmpfs for scratch files.
    Scratch,
}

impl Place {
    /// Returns whether it is the sandbox's own and shows nothing of this machine's files.
    fn is_private(&self) -> bool {
        match self {
            Self::Mount(tree) => tree.grant == Grant::Device,
            Self::Scratch => true,
            Self::Hidden(_) | Self::Link(_) => false,
        }
    }
}

/// Places by path; parents come before children.
type Places = BTreeMap<PathBuf, Place>;

/// All places of the sandbox's root.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) places: Places,
    /// What covers `/proc` where the plan asks for the whole of it.
    pub(crate) whole_proc: Option<WholeProc>,
    /// What is hidden and read-only though it was granted.
    pub(crate) protected: Protected,
    /// What was made for it on the host.
    pub(crate) made: Made,
}

impl Layout {
    /// Resolves a plan, and says on the way where it is.
    ///
    /// # Errors
    /// The `Path*` variants of [`SandboxError`].
    pub(crate) fn resolve(
        plan: &LaunchPlan,
        mounts: &MountTable,
        bounds: Bounds,
        progress: &Progress,
    ) -> Result<Self, SandboxError> {
        let base = base(plan)?;
        protection::refuse_grants(plan)?;
        let mut made = Made::default();
        let granted = granted(plan, &base, &mut made, progress)?;
        mounts.refuse(&granted)?;
        let grants: Vec<PathBuf> = granted.keys().cloned().collect();
        let whole_proc = match plan.proc {
            Proc::Full => Some(WholeProc::of_machine()?),
            Proc::Masked => None,
        };
        let mut layout = Self {
            places: granted,
            whole_proc,
            protected: Protected::default(),
            made,
        };
        for (path, place) in base {
            // a granted directory shows what the base would have placed inside it
            if !layout.mounted_above(&path) {
                layout.places.entry(path).or_insert(place);
            }
        }
        let protected = Protected::find(plan, &layout, bounds, progress)?;
        progress.at(&plan.cwd);
        layout.hide(plan, &grants, &protected)?;
        layout.keep_read_only(plan, &grants, &protected)?;
        layout.protected = protected;
        layout.require_cwd(&plan.cwd)?;
        layout.require_stdin(&plan.stdin)?;
        Ok(layout)
    }

    /// Returns whether `path` would be seen through a tree mounted above it.
    pub(crate) fn mounted_above(&self, path: &Path) -> bool {
        self.nearest_above(path).is_some()
    }

    /// Returns whether `path` lies in a tree that may be written.
    pub(crate) fn written_above(&self, path: &Path) -> bool {
        path.ancestors().skip(1).any(|above| {
            matches!(self.places.get(above), Some(Place::Mount(tree)) if tree.grant == Grant::Write)
        })
    }

    /// Returns the directory tree through which `path` would be seen, and where it is mounted.
    fn nearest_above<'a>(&'a self, path: &'a Path) -> Option<(&'a Path, &'a Tree)> {
        let mut above = path.ancestors().skip(1);
        above.find_map(|above| match self.places.get(above) {
            Some(Place::Mount(tree)) if tree.is_directory => Some((above, tree)),
            Some(Place::Hidden(_) | Place::Link(_) | Place::Mount(_) | Place::Scratch) | None => {
                None
            }
        })
    }

    /// A file that reads as empty because it is hidden would be taken for the input.
    fn require_stdin(&self, stdin: &Stdin) -> Result<(), SandboxError> {
        match stdin {
            Stdin::File { path } if self.hidden_above(path) => Err(SandboxError::PathRefused {
                path: path.clone(),
                reason: "standard input must not be hidden",
            }),
            Stdin::Bytes | Stdin::Empty | Stdin::File { .. } | Stdin::Stream => Ok(()),
        }
    }

    fn require_cwd(&self, cwd: &Path) -> Result<(), SandboxError> {
        let refused = |reason| {
            Err(SandboxError::PathRefused {
                path: cwd.to_owned(),
                reason,
            })
        };
        if self.hidden_above(cwd) {
            return refused("a working directory must not be hidden");
        }
        let usable = match self.places.get(cwd) {
            Some(Place::Mount(tree)) => tree.is_directory,
            Some(Place::Scratch) => true,
            Some(Place::Hidden(_) | Place::Link(_)) | None => self.mounted_above(cwd),
        };
        if usable {
            Ok(())
        } else {
            refused("a working directory must lie in a granted path")
        }
    }
}

/// Returns the base system: what every run sees.
fn base(plan: &LaunchPlan) -> Result<Places, SandboxError> {
    let mut places = Places::new();
    for path in host::SYSTEM.iter().chain(host::ETC).map(Path::new) {
        let place = match fs::read_link(path) {
            // merged `/usr`: the same link inside
            Ok(target) => Some(Place::Link(target)),
            Err(_) => if_present(open(path, Grant::Read, Links::Follow))?.map(Place::Mount),
        };
        places.extend(place.map(|place| (path.to_owned(), place)));
    }
    let resolver = match plan.network {
        Network::Deny => &[],
        Network::Full => host::ETC_NETWORK,
    };
    for path in resolver.iter().map(Path::new) {
        add_resolver(&mut places, path)?;
    }
    let terminal = plan.terminal.map(|_| host::OWN_TERMINAL);
    for path in host::DEVICES.iter().copied().chain(terminal).map(Path::new) {
        let tree = open(path, Grant::Device, Links::Follow)?;
        places.insert(path.to_owned(), Place::Mount(tree));
    }
    for path in ["/tmp", "/dev/shm"] {
        places.insert(PathBuf::from(path), Place::Scratch);
    }
    Ok(places)
}

/// Adds a file that may be a link to where a resolver daemon keeps it: then the link leads to the
/// real file inside too.
fn add_resolver(places: &mut Places, path: &Path) -> Result<(), SandboxError> {
    let Ok(real) = fs::canonicalize(path) else {
        return Ok(());
    };
    if let Some(tree) = if_present(open(&real, Grant::Read, Links::Refuse))? {
        if real != path {
            places.insert(path.to_owned(), Place::Link(real.clone()));
        }
        places.insert(real, Place::Mount(tree));
    }
    Ok(())
}

/// Returns what the plan grants.
fn granted(
    plan: &LaunchPlan,
    base: &Places,
    made: &mut Made,
    progress: &Progress,
) -> Result<Places, SandboxError> {
    let is_skipped = |path: &Path, error: &SandboxError| {
        plan.on_missing_path == OnMissingPath::Skip
            && matches!(error, SandboxError::PathMissing { path: missing } if missing == path)
    };
    let mut places = Places::new();
    for path in &plan.write_paths {
        progress.at(path);
        let tree = match open_granted(path, Grant::Write) {
            Err(SandboxError::PathMissing { .. })
                if plan.on_missing_path == OnMissingPath::Create =>
            {
                made.make(path)?;
                open_granted(path, Grant::Write)?
            }
            Err(error) if is_skipped(path, &error) => continue,
            opened => opened?,
        };
        places.insert(path.clone(), Place::Mount(tree));
    }
    for path in &plan.read_paths {
        progress.at(path);
        let in_base = matches!(base.get(path), Some(Place::Link(_) | Place::Mount(_)));
        if in_base && !places.contains_key(path) {
            continue;
        }
        let tree = match open_granted(path, Grant::Read) {
            Err(error) if is_skipped(path, &error) => continue,
            opened => opened?,
        };
        // what may be written may be read
        if !plan.write_paths.iter().any(|write| path.starts_with(write)) {
            places.insert(path.clone(), Place::Mount(tree));
        }
    }
    Ok(places)
}

fn open_granted(path: &Path, grant: Grant) -> Result<Tree, SandboxError> {
    let refused = |reason| {
        Err(SandboxError::PathRefused {
            path: path.to_owned(),
            reason,
        })
    };
    if path == Path::new("/") {
        return refused("the root holds everything; name the directories that are needed");
    }
    if let Some((_, reason)) = host::REFUSED
        .iter()
        .find(|(tree, _)| path.starts_with(tree))
    {
        return refused(reason);
    }
    open(path, grant, Links::Refuse)
}

/// Opens what a plan names where nothing is mounted: a directory or regular file, not through a
/// symbolic link unless the base system has one there.
///
/// # Errors
/// The `Path*` variants of [`SandboxError`].
pub(crate) fn open_unmounted(path: &Path) -> Result<Tree, SandboxError> {
    let mut base = host::SYSTEM.iter().chain(host::ETC).map(Path::new);
    let links = if base.any(|known| known == path) {
        Links::Follow
    } else {
        Links::Refuse
    };
    open(path, Grant::Read, links)
}

/// Turns "there is no such thing" into `None`.
fn if_present(opened: Result<Tree, SandboxError>) -> Result<Option<Tree>, SandboxError> {
    match opened {
        Ok(tree) => Ok(Some(tree)),
        Err(SandboxError::PathMissing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
