// SPDX-License-Identifier: Apache-2.0
//! Exceptions inside granted trees: what must not be seen, and what must not be changed.
//!
//! Both are mounts over the excepted object. A mount point cannot be renamed or removed in the
//! sandbox, but a directory above it can, and its old name could then be built anew. So every
//! directory between an exception and the writable tree that holds it is *pinned*: mounted onto
//! itself, which makes it a mount point too.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::tree::{Links, open, open_to_hide};
use super::{Grant, Layout, Place, if_present};
use crate::error::SandboxError;
use crate::host;
use crate::plan::LaunchPlan;
use crate::protection::Protected;

impl Layout {
    /// Covers the plan's hidden paths, and this machine's credentials unless the plan grants
    /// exactly that file; and what is protected by being hidden.
    pub(super) fn hide(
        &mut self,
        plan: &LaunchPlan,
        grants: &[PathBuf],
        protected: &Protected,
    ) -> Result<(), SandboxError> {
        let credentials = host::CREDENTIALS.iter().map(PathBuf::from);
        let asked = plan.hidden_paths.iter().chain(protected.hidden()).cloned();
        let wanted = credentials
            .filter(|path| !grants.contains(path))
            .chain(asked);
        let mut hidden = BTreeSet::new();
        for path in wanted {
            hidden.extend(real(&path)?);
        }
        for path in hidden {
            if self.hidden_above(&path) {
                continue;
            }
            if let Some(inside) = grants.iter().find(|grant| grant.starts_with(&path)) {
                return Err(SandboxError::PathRefused {
                    path: inside.clone(),
                    reason: "it lies in what must stay hidden",
                });
            }
            // what the base would have shown there
            self.places
                .retain(|at, place| !at.starts_with(&path) || place.is_private());
            if self.mounted_above(&path) {
                let tree = open_to_hide(&path)?;
                self.pin(&path)?;
                self.places.insert(path, Place::Hidden(tree));
            }
        }
        Ok(())
    }

    /// Mounts the plan's read-only paths, and what is protected so, over themselves. Those that do not
    /// exist are skipped. Git directories that can be written are pinned, whatever is in them.
    pub(super) fn keep_read_only(
        &mut self,
        plan: &LaunchPlan,
        grants: &[PathBuf],
        protected: &Protected,
    ) -> Result<(), SandboxError> {
        let asked = plan.read_only_paths.iter();
        let wanted: BTreeSet<&PathBuf> = asked.chain(protected.read_only()).collect();
        for path in wanted {
            let written = |grant: &&PathBuf| plan.write_paths.contains(grant);
            let mut inside = grants.iter().filter(|grant| grant.starts_with(path));
            if let Some(inside) = inside.find(written) {
                return Err(SandboxError::PathRefused {
                    path: inside.clone(),
                    reason: "it lies in what must stay read-only",
                });
            }
            if !self.is_writable(path) {
                continue;
            }
            if let Some(tree) = if_present(open(path, Grant::Read, Links::Refuse))? {
                self.pin(path)?;
                self.places.insert(path.clone(), Place::Mount(tree));
                self.lock_beneath(path);
            }
        }
        for repository in protected.repositories() {
            if self.is_writable(repository) && !self.places.contains_key(repository) {
                self.pin(&repository.join("HEAD"))?;
            }
        }
        Ok(())
    }

    /// Makes read-only what was pinned in a tree that is: a mount of its own would stay writable.
    fn lock_beneath(&mut self, path: &Path) {
        for (at, place) in &mut self.places {
            match place {
                Place::Mount(tree) if tree.grant == Grant::Write && at.starts_with(path) => {
                    tree.grant = Grant::Read;
                }
                Place::Hidden(_) | Place::Link(_) | Place::Mount(_) | Place::Scratch => {}
            }
        }
    }

    /// Returns whether `path` would be seen through a tree that can be written.
    fn is_writable(&self, path: &Path) -> bool {
        let above = self.nearest_above(path);
        above.is_some_and(|(_, tree)| tree.grant == Grant::Write) && !self.hidden_above(path)
    }

    /// Returns whether `path` is hidden or lies in what is.
    pub(super) fn hidden_above(&self, path: &Path) -> bool {
        path.ancestors()
            .any(|above| matches!(self.places.get(above), Some(Place::Hidden(_))))
    }

    /// Mounts the directories between `path` and the writable tree above it onto themselves.
    fn pin(&mut self, path: &Path) -> Result<(), SandboxError> {
        let Some((top, tree)) = self.nearest_above(path) else {
            return Ok(());
        };
        if tree.grant != Grant::Write {
            return Ok(());
        }
        let top = top.to_owned();
        let between = path.ancestors().skip(1).take_while(|above| *above != top);
        for directory in between {
            let tree = open(directory, Grant::Write, Links::Refuse)?;
            self.places.insert(directory.to_owned(), Place::Mount(tree));
        }
        Ok(())
    }
}

/// Returns where a path really leads, or `None` when there is nothing. What cannot be resolved
/// cannot be hidden, and is an error.
fn real(path: &Path) -> Result<Option<PathBuf>, SandboxError> {
    match if_present(open_to_hide(path)) {
        Err(SandboxError::PathSymlink { .. }) => {}
        found => return found.map(|found| found.map(|tree| tree.source)),
    }
    match fs::canonicalize(path) {
        Ok(found) => Ok(Some(found)),
        // a link that leads nowhere
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SandboxError::PathUnreadable {
            path: path.to_owned(),
            source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
        }),
    }
}
