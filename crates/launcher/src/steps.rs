// SPDX-License-Identifier: Apache-2.0
//! Building the sandbox, one step after the other; the first that fails ends it.

use ambit_launcher::{Program, Stage, Step, TreeFlags, protocol};

use crate::sys::mounts::{self, attr};
use crate::sys::{Errno, Fd, files, process, restrict};
use crate::{Failure, Passed};

/// Trees opened so far, by slot.
struct Trees([Option<Fd>; protocol::MAX_TREES]);

/// Performs every step in order.
pub(crate) fn perform(program: &Program<'_>, passed: Passed) -> Result<(), Failure> {
    let at = |errno| Failure {
        stage: Stage::Program,
        errno,
    };
    process::block_signals(true).map_err(at)?;
    // When memory runs out the kernel should end the sandbox, and not who started it. That is no part
    // of the boundary: a kernel that refuses changes nothing about what the command can reach.
    files::overwrite(c"/proc/self/oom_score_adj", b"1000").unwrap_or(());
    restrict::forbid_inspection().map_err(at)?;
    mounts::make_private().map_err(at)?;
    let mut trees = Trees([None; protocol::MAX_TREES]);
    for (index, step) in program.steps().enumerate() {
        let stage = Stage::Step(u32::try_from(index).unwrap_or(u32::MAX));
        one(step?, &mut trees, passed).map_err(|errno| Failure { stage, errno })?;
    }
    Ok(())
}

fn one(step: Step<'_>, trees: &mut Trees, passed: Passed) -> Result<(), Errno> {
    match step {
        Step::AllowPath { path, access } => restrict::allow_path(passed.ruleset, path, access),
        Step::Attach { slot, path, over } => {
            let tree = trees.0.get(usize::from(slot)).copied().flatten();
            mounts::attach(tree.ok_or(Errno::INVALID)?, files::open_judged(path, over)?)
        }
        Step::Directory { path, mode } => files::make_directory(path, mode),
        Step::DropCapabilities => restrict::drop_capabilities(),
        Step::EnterRoot => mounts::pivot_here(),
        Step::File {
            path,
            mode,
            content,
        } => {
            let file = files::create(path, mode)?;
            files::write_all(file, content)?;
            // an open writer would keep the root from becoming read-only
            files::close(file)
        }
        Step::Hostname { name } => mounts::set_hostname(name),
        Step::NewRoot { base, options } => {
            mounts::tmpfs(base, options, attributes(TreeFlags::default()))?;
            mounts::enter(base)
        }
        Step::OpenTree {
            slot,
            path,
            object,
            flags,
        } => {
            let tree = mounts::open_tree(path)?;
            files::require(tree, object)?;
            mounts::set_tree_attributes(tree, attributes(flags))?;
            *trees.0.get_mut(usize::from(slot)).ok_or(Errno::INVALID)? = Some(tree);
            Ok(())
        }
        Step::Proc { path, options } => mounts::proc(path, options),
        Step::ReadOnly { path } => mounts::make_read_only(path),
        Step::Restrict => {
            restrict::forbid_new_privileges()?;
            restrict::restrict_self(passed.ruleset)
        }
        Step::Symlink { path, target } => files::make_symlink(target, path),
        Step::Tmpfs {
            path,
            options,
            flags,
            over,
        } => {
            let target = files::open_judged(path, over)?;
            mounts::tmpfs_over(target, options, attributes(flags))
        }
    }
}

/// Attributes of `mount_setattr(2)` and `fsmount(2)`.
fn attributes(flags: TreeFlags) -> u64 {
    let chosen = [
        (flags.has(TreeFlags::DEVICE), 0, attr::NODEV),
        (flags.has(TreeFlags::NO_EXEC), attr::NOEXEC, 0),
        (flags.has(TreeFlags::READ_ONLY), attr::RDONLY, 0),
    ];
    chosen
        .into_iter()
        .map(|(set, yes, no)| if set { yes } else { no })
        .fold(attr::NOSUID, |all, one| all | one)
}
