// SPDX-License-Identifier: Apache-2.0
//! After a run: what is protected and was not there before does not stay where it would act.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, RenameFlags, renameat2};

use super::search::{Found, Search};
use super::{How, Protected, Protection, roots};
use crate::enforcement::{Mechanism, State};
use crate::layout::Layout;
use crate::plan::LaunchPlan;
use crate::waiting::Progress;

/// What was done about what appeared.
#[derive(Debug, Default)]
struct Settled {
    moved: Vec<PathBuf>,
    /// What could not be moved.
    left: Vec<PathBuf>,
    repositories: Vec<PathBuf>,
    /// Folders that could not be looked into.
    closed: Vec<PathBuf>,
    whole: bool,
}

impl Protected {
    /// Moves aside what appeared, and reports what was protected. Every process of the run is gone.
    /// `has_mounts` says whether git directories could be pinned.
    pub(crate) fn settle(
        &self,
        plan: &LaunchPlan,
        layout: &Layout,
        has_mounts: bool,
        progress: &Progress,
    ) -> Mechanism {
        let in_force: Vec<&str> = Protection::ALL
            .into_iter()
            .filter(|protection| !self.lifted.contains(protection))
            .map(Protection::name)
            .collect();
        if in_force.is_empty() {
            return Mechanism::new(State::NotRequested).because("the plan lifts every protection");
        }
        let roots = roots(plan, layout, true);
        let search = Search {
            roots: &roots,
            lifted: &self.lifted,
            globs: &[],
            skipped: &plan.hidden_paths,
            bounds: self.bounds,
            progress,
        };
        let settled = if roots.is_empty() {
            Settled {
                whole: true,
                ..Settled::default()
            }
        } else {
            self.clear(plan, &search)
        };
        let found = self.report(&in_force, &settled);
        if has_mounts || found.state == State::Degraded || self.before.repositories.is_empty() {
            return found;
        }
        Mechanism {
            state: State::Degraded,
            ..found.because("without mounts git directories can be moved during a run")
        }
    }

    fn clear(&self, plan: &LaunchPlan, search: &Search<'_>) -> Settled {
        let mut out = Settled::default();
        // first where no flood of other names can keep the search from
        for (path, _) in &self.before.absent {
            out.clear_one(path, search);
        }
        for (path, target) in &self.links {
            if std::fs::read_link(path).ok().as_ref() != Some(target) {
                out.clear_one(path, search);
            }
        }
        let after = search.run();
        out.whole = after.whole;
        out.closed = after.closed.difference(&self.hidden).cloned().collect();
        let known: BTreeSet<&PathBuf> = self.before.holds.iter().map(|hold| &hold.path).collect();
        let tops = self.new_repositories(plan, &after, &mut out);
        for hold in &after.holds {
            let is_own = tops.iter().any(|top| hold.path.starts_with(top));
            if hold.how == How::KeepReadOnly && !known.contains(&hold.path) && !is_own {
                out.clear_one(&hold.path, search);
            }
        }
        out
    }

    /// Takes note of the repositories that the command made. Returns what is the command's own in
    /// them: everything around one that lies deeper, and its git directory where it was made at
    /// the top, where a folder is opened.
    fn new_repositories(
        &self,
        plan: &LaunchPlan,
        after: &Found,
        out: &mut Settled,
    ) -> Vec<PathBuf> {
        let git_files = after
            .holds
            .iter()
            .filter(|hold| hold.path.ends_with(".git"));
        let known = |path: &PathBuf| {
            self.before.repositories.contains(path)
                || self.before.holds.iter().any(|hold| hold.path == *path)
        };
        let mut own = Vec::new();
        for path in git_files
            .map(|hold| &hold.path)
            .chain(&after.repositories)
            .filter(|path| !known(path))
        {
            // those inside of a repository that was there are submodules and worktrees of it
            out.repositories.push(path.clone());
            own.push(path.clone());
            let around = path.parent().unwrap_or(path);
            let is_top = around == plan.cwd || plan.write_paths.iter().any(|top| top == around);
            let in_known = self
                .before
                .repositories
                .iter()
                .any(|git| around.starts_with(git));
            if path.ends_with(".git") && !is_top && !in_known {
                own.push(around.to_owned());
            }
        }
        own
    }

    fn report(&self, in_force: &[&str], settled: &Settled) -> Mechanism {
        let mut reasons = Vec::new();
        if !self.before.whole || !settled.whole {
            let when = if self.before.whole { "after" } else { "before" };
            reasons.push(format!(
                "the trees hold more than is searched: {} folders were looked at {when} the run",
                self.bounds.folders
            ));
        }
        if !self.links.is_empty() {
            let links = listed(self.links.iter().map(|(path, _)| path));
            reasons.push(format!(
                "symbolic links, compared after the run and not held during it: {links}"
            ));
        }
        if !self.other_names.is_empty() {
            let files = listed(&self.other_names);
            reasons.push(format!("files with other names (hard links): {files}"));
        }
        if !settled.closed.is_empty() {
            let folders = listed(&settled.closed);
            reasons.push(format!("folders that cannot be listed now: {folders}"));
        }
        if !settled.left.is_empty() {
            let files = listed(&settled.left);
            reasons.push(format!("appeared and could not be moved aside: {files}"));
        }
        let state = if reasons.is_empty() {
            State::Enforced
        } else {
            State::Degraded
        };
        let mut found = Mechanism::new(state).fact("in_force", in_force.join(","));
        let lifted: Vec<&str> = self.lifted.iter().map(|lifted| lifted.name()).collect();
        let facts = [
            ("hidden", listed(&self.hidden)),
            ("lifted", lifted.join(",")),
            ("moved_aside", listed(&settled.moved)),
            ("new_repositories", listed(&settled.repositories)),
            ("read_only", listed(&self.read_only)),
        ];
        for (name, value) in facts {
            if !value.is_empty() {
                found = found.fact(name, value);
            }
        }
        if reasons.is_empty() {
            found
        } else {
            found.because(reasons.join("; "))
        }
    }
}

impl Settled {
    fn clear_one(&mut self, path: &Path, search: &Search<'_>) {
        match move_aside(path, search) {
            Ok(true) => self.moved.push(path.to_owned()),
            Ok(false) => {}
            Err(_) => self.left.push(path.to_owned()),
        }
    }
}

/// Gives whatever a path names another name in the same folder; answers whether there was anything.
/// A link on the way is moved itself: it was not there before.
fn move_aside(path: &Path, search: &Search<'_>) -> Result<bool, Errno> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(false);
    };
    match search.open(path, OFlag::O_PATH) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(false),
        // a link above it; one at its end opens
        Err(Errno::ELOOP)
            if search
                .open(folder, OFlag::O_PATH | OFlag::O_DIRECTORY)
                .is_err() =>
        {
            return move_aside(folder, search);
        }
        Ok(_) | Err(Errno::ELOOP) => {}
        Err(errno) => return Err(errno),
    }
    let folder = search.open(folder, OFlag::O_PATH | OFlag::O_DIRECTORY)?;
    for number in 0..MAX_NAMES {
        let mut other = OsString::from(name);
        other.push(ENDING);
        if number > 0 {
            other.push(format!("-{number}"));
        }
        let other = Path::new(&other);
        match renameat2(
            &folder,
            Path::new(name),
            &folder,
            other,
            RenameFlags::RENAME_NOREPLACE,
        ) {
            Ok(()) => return Ok(true),
            Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::EEXIST)
}

/// What is added to the name of a file that is moved aside.
const ENDING: &str = ".moved-aside-by-ambit";
/// How many names are tried.
const MAX_NAMES: usize = 100;
/// Most paths that a report names.
const MAX_LISTED: usize = 16;

/// Returns paths as one text; characters that are not plain are escaped.
fn listed<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> String {
    let mut out = String::new();
    let mut more = 0_usize;
    for (index, path) in paths.into_iter().enumerate() {
        if index >= MAX_LISTED {
            more = more.saturating_add(1);
            continue;
        }
        let separator = if index == 0 { "" } else { ", " };
        let path = path.to_string_lossy();
        // INVARIANT: writing to a string does not fail
        write!(out, "{separator}{}", path.escape_debug()).unwrap_or(());
    }
    if more > 0 {
        write!(out, ", and {more} more").unwrap_or(());
    }
    out
}
