// SPDX-License-Identifier: Apache-2.0
//! What a command is kept from though it lies in a path that was granted.
//!
//! Some files inside a work tree act outside of it, later and with the caller's rights: hooks and
//! settings of git, settings that an editor or a shell obeys when it opens the folder. Others hold
//! secrets. The first stay read-only, the second are hidden, in every run, unless the plan lifts
//! the protection by its name.
//!
//! What exists is held by mounts (`layout/shield.rs`). What does not exist yet cannot be: a mount
//! needs something to stand on, and nothing is ever made on the host for it. It is looked for when
//! the last process of the run is gone, and moved aside (`after.rs`).

mod after;
mod git;
mod names;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::stat::{SFlag, fstat};
use serde::{Deserialize, Serialize};

use crate::error::SandboxError;
use crate::layout::{Glob, Grant, Layout, Place};
use crate::plan::LaunchPlan;
use crate::waiting::Progress;
pub(crate) use search::Bounds;
use search::{Found, Hold, Root, Search};

/// A default protection, by its name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Files that editors, shells and agents obey when they open a folder stay read-only.
    AutoRun,
    /// Files that hold tokens, passwords and private keys are hidden.
    Credentials,
    /// `.env` and its like are hidden.
    Dotenv,
    /// Settings of git repositories stay read-only.
    GitConfig,
    /// Hooks of git repositories stay read-only.
    GitHooks,
}

impl Protection {
    /// All of them.
    const ALL: [Self; 5] = [
        Self::AutoRun,
        Self::Credentials,
        Self::Dotenv,
        Self::GitConfig,
        Self::GitHooks,
    ];

    /// The name in plans, policies and reports.
    const fn name(self) -> &'static str {
        match self {
            Self::AutoRun => "auto_run",
            Self::Credentials => "credentials",
            Self::Dotenv => "dotenv",
            Self::GitConfig => "git_config",
            Self::GitHooks => "git_hooks",
        }
    }

    /// Why something that is protected cannot be granted.
    const fn refusal(self) -> &'static str {
        match self {
            Self::AutoRun => "it is protected; a policy can lift `auto_run`",
            Self::Credentials => "it is protected; a policy can lift `credentials`",
            Self::Dotenv => "it is protected; a policy can lift `dotenv`",
            Self::GitConfig => "it is protected; a policy can lift `git_config`",
            Self::GitHooks => "it is protected; a policy can lift `git_hooks`",
        }
    }
}

/// What a protection does.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum How {
    /// It reads as empty.
    Hide,
    /// It can be read, and not be changed, moved or removed.
    KeepReadOnly,
}

/// Most protected files of one run; each is a mount, and so may be the folders above it.
const MAX_HOLDS: usize = 200;

/// What is protected in one run.
#[derive(Debug, Default)]
pub(crate) struct Protected {
    bounds: Bounds,
    lifted: BTreeSet<Protection>,
    before: Found,
    /// Links among what stays read-only and on the way to it, and where they led.
    links: Vec<(PathBuf, PathBuf)>,
    /// Files that have other names, by which they are not protected.
    other_names: Vec<PathBuf>,
    /// What is hidden: protected files and what the plan's patterns matched.
    hidden: BTreeSet<PathBuf>,
    read_only: BTreeSet<PathBuf>,
}

impl Protected {
    /// Looks for what is protected in the trees of a layout.
    ///
    /// # Errors
    /// [`SandboxError::PathsExceeded`] where patterns cannot be followed to the end, or there is more
    /// to protect than can be mounted.
    pub(crate) fn find(
        plan: &LaunchPlan,
        layout: &Layout,
        bounds: Bounds,
        progress: &Progress,
    ) -> Result<Self, SandboxError> {
        let globs: Vec<Glob> = plan.hidden_globs.iter().map(|it| Glob::new(it)).collect();
        let lifted = &plan.lifted_protections;
        let granted = matched_grants(plan, &globs);
        if lifted.len() == Protection::ALL.len() && globs.is_empty() {
            return Ok(Self {
                lifted: lifted.clone(),
                ..Self::default()
            });
        }
        let roots = roots(plan, layout, false);
        let search = Search {
            roots: &roots,
            lifted,
            globs: &globs,
            skipped: &plan.hidden_paths,
            bounds,
            progress,
        };
        let before = search.run();
        if !before.whole && !globs.is_empty() {
            return Err(SandboxError::PathsExceeded {
                what: "the trees hold more than a search for `deny_paths` with globs looks at",
            });
        }
        let mut out = Self {
            bounds,
            lifted: lifted.clone(),
            hidden: before.matched.union(&granted).cloned().collect(),
            ..Self::default()
        };
        for hold in &before.holds {
            out.hold(hold, &search);
        }
        let can_be_opened =
            |path: &&PathBuf| layout.written_above(path) || plan.write_paths.contains(path);
        let closed = before.closed.iter().filter(can_be_opened);
        out.hidden.extend(closed.cloned());
        let lead = |link: &PathBuf| Some((link.clone(), std::fs::read_link(link).ok()?));
        out.links.extend(before.ways.iter().filter_map(lead));
        if out.hidden.len().saturating_add(out.read_only.len()) > MAX_HOLDS {
            return Err(SandboxError::PathsExceeded {
                what: "more than 200 files in the granted trees are to be hidden or kept read-only",
            });
        }
        out.before = before;
        Ok(out)
    }

    fn hold(&mut self, hold: &Hold, search: &Search<'_>) {
        let paths = match hold.how {
            How::Hide => &mut self.hidden,
            How::KeepReadOnly => &mut self.read_only,
        };
        if hold.is_link {
            // a link is held where it leads, if that is in a tree: a hostile one must not hide, say,
            // the base system
            let target = std::fs::canonicalize(&hold.path).ok().filter(|target| {
                let roots = || search.roots.iter();
                roots().any(|root| target.starts_with(root.path))
                    && !roots().any(|root| root.path.starts_with(target))
            });
            paths.extend(target);
            if hold.how == How::KeepReadOnly
                && let Ok(target) = std::fs::read_link(&hold.path)
            {
                self.links.push((hold.path.clone(), target));
            }
            return;
        }
        paths.insert(hold.path.clone());
        let stat = search
            .open(&hold.path, OFlag::O_PATH)
            .and_then(|handle| fstat(&handle));
        let has_other_names = stat.is_ok_and(|found| {
            found.st_nlink > 1
                && SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFREG
        });
        if has_other_names {
            self.other_names.push(hold.path.clone());
        }
    }

    /// What is to be hidden.
    pub(crate) const fn hidden(&self) -> &BTreeSet<PathBuf> {
        &self.hidden
    }

    /// What is to stay read-only.
    pub(crate) const fn read_only(&self) -> &BTreeSet<PathBuf> {
        &self.read_only
    }

    /// Git directories, which must stay where they are.
    pub(crate) const fn repositories(&self) -> &BTreeSet<PathBuf> {
        &self.before.repositories
    }
}

/// Returns the granted folders, or those among them that can be written.
fn roots<'a>(plan: &LaunchPlan, layout: &'a Layout, only_written: bool) -> Vec<Root<'a>> {
    let granted = |path: &Path| {
        let is = |one: &PathBuf| one == path;
        plan.write_paths.iter().any(is) || plan.read_paths.iter().any(is)
    };
    layout
        .places
        .iter()
        .filter_map(|(path, place)| match place {
            Place::Mount(tree)
                if tree.is_directory
                    && granted(path)
                    && (tree.grant == Grant::Write || !only_written) =>
            {
                Some(Root {
                    path,
                    handle: tree.handle(),
                })
            }
            Place::Mount(_) | Place::Hidden(_) | Place::Link(_) | Place::Scratch => None,
        })
        .collect()
}

/// Returns what patterns match of granted paths and the folders above them: the search begins there.
fn matched_grants(plan: &LaunchPlan, globs: &[Glob]) -> BTreeSet<PathBuf> {
    let mut out = BTreeSet::new();
    for path in plan.read_paths.iter().chain(&plan.write_paths) {
        let matched = path.ancestors().filter(|above| {
            let names = || above.iter().skip(1).filter_map(std::ffi::OsStr::to_str);
            globs.iter().any(|glob| {
                let end = names().fold(glob.start(), |at, name| glob.step(&at, name));
                glob.is_match(&end)
            })
        });
        out.extend(matched.map(Path::to_owned));
    }
    out
}

/// Refuses a plan that grants what is protected: a contract alone lifts nothing.
///
/// # Errors
/// [`SandboxError::PathRefused`].
pub(crate) fn refuse_grants(plan: &LaunchPlan) -> Result<(), SandboxError> {
    let written = plan.write_paths.iter().map(|path| (path, true));
    let read = plan.read_paths.iter().map(|path| (path, false));
    for (path, is_written) in written.chain(read) {
        // cheap for those whose text says nothing; what does not exist could become a directory
        let as_file = names::rule_of_path(path, false);
        let rule = if as_file.is_some() && !path.is_file() {
            names::rule_of_path(path, true)
        } else {
            as_file
        };
        let Some((protection, how)) = rule else {
            continue;
        };
        if plan.lifted_protections.contains(&protection) {
            continue;
        }
        if how == How::Hide || is_written {
            return Err(SandboxError::PathRefused {
                path: path.clone(),
                reason: protection.refusal(),
            });
        }
    }
    Ok(())
}
