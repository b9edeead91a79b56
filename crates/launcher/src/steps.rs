// SPDX-License-Identifier: Apache-2.0
//! Building the sandbox, one step after the other; the first that fails ends it.

use core::ffi::CStr;

use ambit_launcher::{Object, Program, Report, Secret, Stage, Step, TreeFlags, protocol};

use crate::sweep::{self, Adopted};
use crate::sys::mounts::{self, attr};
use crate::sys::{Errno, Fd, files, process, restrict, terminal};
use crate::{CONTROL, Failure, Passed};

/// Trees opened so far, by slot.
struct Trees([Option<Fd>; protocol::MAX_TREES]);

/// What the steps have made for those that come after.
struct Made {
    trees: Trees,
    standing: Standing,
}

impl Made {
    fn tree(&self, slot: u16) -> Option<Fd> {
        self.trees.0.get(usize::from(slot)).copied().flatten()
    }
}

/// What stands once all steps are done.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    /// Inner end of the command's terminal, if it has one.
    pub(crate) terminal: Option<Fd>,
    /// What is to be ended with us, where no pid namespace does it.
    pub(crate) adopted: Option<Adopted>,
    /// See `Observation::landlock`.
    pub(crate) landlock: u64,
}

/// Performs every step in order.
pub(crate) fn perform(program: &Program<'_>, passed: Passed) -> Result<Standing, Failure> {
    let at = |errno| Failure {
        stage: Stage::Program,
        errno,
    };
    process::block_signals(true).map_err(at)?;
    // When memory runs out the kernel should end the sandbox, and not who started it. That is no part
    // of the boundary: a kernel that refuses changes nothing about what the command can reach.
    files::overwrite(c"/proc/self/oom_score_adj", b"1000").unwrap_or(());
    restrict::forbid_inspection().map_err(at)?;
    let mut made = Made {
        trees: Trees([None; protocol::MAX_TREES]),
        standing: Standing {
            terminal: None,
            adopted: None,
            landlock: 0,
        },
    };
    for (index, step) in program.steps().enumerate() {
        let stage = Stage::Step(u32::try_from(index).unwrap_or(u32::MAX));
        let step = step?;
        let done = if let Step::SecretFile { path, index } = step {
            secret_file(program, path, index)
        } else if step == Step::Restrict {
            restrict(passed).map(|seen| made.standing.landlock = seen)
        } else {
            one(step, &mut made, passed)
        };
        done.map_err(|errno| Failure { stage, errno })?;
    }
    Ok(made.standing)
}

/// Enforces the ruleset and sees whether it holds, on a file that everybody may write and no ruleset
/// of ours lets anybody write. Returns 1 when it was seen to, 0 when there is no such file.
fn restrict(passed: Passed) -> Result<u64, Errno> {
    restrict::forbid_new_privileges()?;
    let was_open = restrict::canary_is_open();
    restrict::restrict_self(passed.ruleset)?;
    match (was_open, restrict::canary_is_open()) {
        (true, false) => Ok(1),
        (false, false) => Ok(0),
        (_, true) => Err(Errno::STALE),
    }
}

fn secret_file(program: &Program<'_>, path: &CStr, index: u16) -> Result<(), Errno> {
    const ONLY_ITS_OWNER_READS: u32 = 0o400;
    match program.secrets().nth(usize::from(index)) {
        Some(Ok(Secret::Content(content))) => write_file(path, ONLY_ITS_OWNER_READS, content),
        Some(Ok(Secret::Variable(_)) | Err(_)) | None => Err(Errno::INVALID),
    }
}

fn write_file(path: &CStr, mode: u32, content: &[u8]) -> Result<(), Errno> {
    let file = files::create(path, mode)?;
    files::write_all(file, content)?;
    // an open writer would keep the root from becoming read-only
    files::close(file)
}

/// Makes a terminal, hands its outer end out, and returns its inner end.
fn open_terminal(multiplexer: &CStr, columns: u16, rows: u16) -> Result<Fd, Errno> {
    let (outer, inner) = terminal::make(multiplexer, columns, rows)?;
    files::send_with(CONTROL, &Report::Terminal.encode(), outer)?;
    // the command's end shows there only when no process of ours has it open
    files::close(outer)?;
    Ok(inner)
}

fn open_tree(path: &CStr, object: Object, flags: TreeFlags) -> Result<Fd, Errno> {
    let tree = mounts::open_tree(path)?;
    files::require(tree, object)?;
    mounts::set_tree_attributes(tree, attributes(flags))?;
    Ok(tree)
}

#[expect(clippy::too_many_lines, reason = "one arm for each step")]
fn one(step: Step<'_>, made: &mut Made, passed: Passed) -> Result<(), Errno> {
    match step {
        Step::Adopt(how) => sweep::adopt(how).map(|adopted| made.standing.adopted = Some(adopted)),
        Step::GiveUpCapabilities => restrict::give_up_capabilities(),
        Step::PrivateMounts => mounts::make_private(),
        Step::AllowPath { path, access } => restrict::allow_path(passed.ruleset, path, access),
        Step::Attach { slot, path, over } => {
            let tree = made.tree(slot).ok_or(Errno::INVALID)?;
            mounts::attach(tree, files::open_judged(path, over)?)
        }
        Step::Directory { path, mode } => files::make_directory(path, mode),
        Step::DropCapabilities => restrict::drop_capabilities(),
        Step::EnterRoot => mounts::pivot_here(),
        Step::File {
            path,
            mode,
            content,
        } => write_file(path, mode, content),
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
            let tree = open_tree(path, object, flags)?;
            let place = made.trees.0.get_mut(usize::from(slot));
            *place.ok_or(Errno::INVALID)? = Some(tree);
            Ok(())
        }
        Step::PidMax { highest } => {
            // of no other namespace than the one that this process began
            if process::own_id() == Ok(1) {
                restrict::limit_pids(highest);
            }
            Ok(())
        }
        Step::Proc { path, options } => mounts::proc(path, options),
        Step::ReadOnly { path } => mounts::make_read_only(path),
        Step::Symlink { path, target } => files::make_symlink(target, path),
        // performed above
        Step::Restrict | Step::SecretFile { .. } => Err(Errno::INVALID),
        Step::Terminal {
            path,
            options,
            multiplexer,
            columns,
            rows,
        } => {
            mounts::devpts(path, options)?;
            let inner = open_terminal(multiplexer, columns, rows);
            inner.map(|inner| made.standing.terminal = Some(inner))
        }
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
