// SPDX-License-Identifier: Apache-2.0
//! Ending everything that descends from the launcher, where no pid namespace ends with it.

use ambit_launcher::Sweep;

use crate::sys::{Errno, Fd, files, process, restrict};

const SIGKILL: u64 = 9;
/// How many dead are reaped between two looks.
const REAPED_AT_ONCE: usize = 4096;

/// Everything that descends from this process, until it is swept away.
#[derive(Clone, Copy)]
pub(crate) struct Adopted {
    /// How it is ended.
    pub(crate) how: Sweep,
    /// The list of our children, opened before a ruleset keeps us from it.
    children: Fd,
}

/// Makes this process the parent of every orphan among its descendants.
pub(crate) fn adopt(how: Sweep) -> Result<Adopted, Errno> {
    restrict::adopt_orphans()?;
    let children = match how {
        Sweep::Domain => Fd(-1),
        Sweep::Children => files::open_to_read(c"/proc/thread-self/children")?,
    };
    Ok(Adopted { how, children })
}

impl Adopted {
    /// Closes every descriptor from 3 up but the one that is needed here.
    pub(crate) fn close_others(&mut self) -> Result<(), Errno> {
        const KEPT: Fd = Fd(3);
        match self.how {
            Sweep::Domain => files::close_from(3),
            Sweep::Children => {
                if self.children != KEPT {
                    files::duplicate(self.children, KEPT, true)?;
                    self.children = KEPT;
                }
                files::close_from(4)
            }
        }
    }

    /// Kills and reaps until there is nothing left. Orphans become our children, so no child means no
    /// descendant.
    pub(crate) fn sweep(self) {
        loop {
            // what cannot be killed is waited for
            match self.how {
                Sweep::Domain => kill_domain(),
                Sweep::Children => kill_children(self.children),
            }
            match process::reap_next() {
                Ok(()) | Err(Errno::INTERRUPTED) => {}
                Err(_) => return,
            }
            // who is dead already is not looked at again: there may be tens of thousands
            for _ in 0..REAPED_AT_ONCE {
                if !matches!(process::reap(), Ok(Some(_))) {
                    break;
                }
            }
        }
    }
}

/// Kills every process of our ruleset but this one: the kernel lets us signal no other.
fn kill_domain() {
    const EVERY: usize = usize::MAX;
    // proof that it is so: who started us is the same user, and outside
    let is_scoped = process::parent().and_then(|parent| process::kill(parent, 0));
    if is_scoped == Err(Errno::NOT_PERMITTED) {
        process::kill(EVERY, SIGKILL).unwrap_or(());
    }
}

/// Kills every child that the kernel lists (`proc_pid_task(5)`: decimal numbers, each with a space).
fn kill_children(list: Fd) {
    let mut bytes = [0_u8; 4096];
    let length = files::read_start(list, &mut bytes).unwrap_or(0);
    let mut pid = 0_usize;
    for byte in bytes.iter().take(length) {
        if byte.is_ascii_digit() {
            let digit = usize::from(byte.wrapping_sub(b'0'));
            pid = pid.saturating_mul(10).saturating_add(digit);
            continue;
        }
        if pid > 1 {
            process::kill(pid, SIGKILL).unwrap_or(());
        }
        pid = 0;
    }
}
