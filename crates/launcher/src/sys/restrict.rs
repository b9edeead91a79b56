// SPDX-License-Identifier: Apache-2.0
//! Giving up rights: Landlock, capabilities, seccomp, `no_new_privs`, and asking what is left.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU64, Ordering};

use super::{Errno, Fd, answer, files, nr, process, syscall};

const PR_SET_DUMPABLE: usize = 4;
const PR_GET_SECCOMP: usize = 21;
const PR_CAPBSET_READ: usize = 23;
const PR_CAPBSET_DROP: usize = 24;
const PR_SET_SECUREBITS: usize = 28;
const PR_SET_NO_NEW_PRIVS: usize = 38;
const PR_GET_NO_NEW_PRIVS: usize = 39;
const PR_CAP_AMBIENT: usize = 47;
const PR_CAP_AMBIENT_IS_SET: usize = 1;
const PR_CAP_AMBIENT_CLEAR_ALL: usize = 4;
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;
/// `NOROOT`, `NO_SETUID_FIXUP`, `NO_CAP_AMBIENT_RAISE`, each locked, and `KEEP_CAPS` locked off
/// (`capabilities(7)`).
const SECUREBITS: usize = 0xEF;

fn prctl(option: usize, a: usize, b: usize) -> Result<usize, Errno> {
    // SAFETY: none of the options used here takes an address.
    answer(unsafe { syscall(nr::PRCTL, [option, a, b, 0, 0, 0]) })
}

/// Keeps other processes of the same user from reading or tracing this one.
pub(crate) fn forbid_inspection() -> Result<(), Errno> {
    prctl(PR_SET_DUMPABLE, 0, 0).map(|_| ())
}

/// Sets `no_new_privs` for this process and all it starts.
pub(crate) fn forbid_new_privileges() -> Result<(), Errno> {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0).map(|_| ())
}

/// Empties the bounding, ambient, inheritable, permitted and effective sets and locks securebits.
pub(crate) fn drop_capabilities() -> Result<(), Errno> {
    for capability in 0..64 {
        match prctl(PR_CAPBSET_READ, capability, 0) {
            Ok(_) => {}
            // every kernel knows the first
            Err(errno) if capability == 0 => return Err(errno),
            // the first number that it does not know ends the list (EINVAL)
            Err(_) => break,
        }
        prctl(PR_CAPBSET_DROP, capability, 0)?;
    }
    prctl(PR_SET_SECUREBITS, SECUREBITS, 0)?;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0)?;
    empty_sets()
}

fn empty_sets() -> Result<(), Errno> {
    let header = [CAPABILITY_VERSION_3, 0];
    let sets = [0_u32; 6];
    let args = [header.as_ptr() as usize, sets.as_ptr() as usize, 0, 0, 0, 0];
    // SAFETY: capset(2) version 3 reads an 8-byte header and two 12-byte sets.
    answer(unsafe { syscall(nr::CAPSET, args) }).map(|_| ())
}

/// As [`drop_capabilities`], but what takes `CAP_SETPCAP` is left where it is not held.
pub(crate) fn give_up_capabilities() -> Result<(), Errno> {
    match drop_capabilities() {
        Err(Errno::NOT_PERMITTED) => {}
        done => return done,
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0)?;
    empty_sets()
}

/// Adds a rule to a ruleset: `access` beneath `path`.
pub(crate) fn allow_path(ruleset: Fd, path: &CStr, access: u64) -> Result<(), Errno> {
    #[repr(C, packed)]
    struct PathBeneath {
        access: u64,
        parent: i32,
    }
    const RULE_PATH_BENEATH: usize = 1;
    let rule = PathBeneath {
        access,
        parent: files::open_handle(path)?.0,
    };
    let args = [
        ruleset.word(),
        RULE_PATH_BENEATH,
        (&raw const rule) as usize,
        0,
        0,
        0,
    ];
    // SAFETY: landlock_add_rule(2) reads one packed `struct landlock_path_beneath_attr`.
    answer(unsafe { syscall(nr::LANDLOCK_ADD_RULE, args) }).map(|_| ())
}

/// Enforces a ruleset on this process and all it starts.
pub(crate) fn restrict_self(ruleset: Fd) -> Result<(), Errno> {
    // SAFETY: landlock_restrict_self(2) takes no memory.
    answer(unsafe { syscall(nr::LANDLOCK_RESTRICT_SELF, [ruleset.word(), 0, 0, 0, 0, 0]) })
        .map(|_| ())
}

/// Enforces a ruleset of its own on this process that keeps it, and all it starts, from signalling
/// processes that are not held by it too: the launcher among them (Landlock ABI 6, kernel 6.12).
pub(crate) fn scope_signals() -> Result<(), Errno> {
    /// `struct landlock_ruleset_attr`: file rights, TCP rights, scopes.
    const SCOPE_SIGNAL: u64 = 2;
    let attributes = [0_u64, 0, SCOPE_SIGNAL];
    let size = size_of_val(&attributes);
    let args = [attributes.as_ptr() as usize, size, 0, 0, 0, 0];
    // SAFETY: landlock_create_ruleset(2) reads `size` bytes of `attributes`.
    let made = unsafe { syscall(nr::LANDLOCK_CREATE_RULESET, args) };
    let ruleset = files::descriptor(made)?;
    restrict_self(ruleset)?;
    files::close(ruleset)
}

/// Returns whether this process may write a file that a ruleset never lets it: one that procfs has
/// for everybody. Asked before and after [`restrict_self`], it shows whether that holds.
pub(crate) fn canary_is_open() -> bool {
    files::open_to_write(c"/proc/self/attr/current").is_ok_and(|file| files::close(file).is_ok())
}

/// Has the kernel kill this process when its parent ends; refuses one that has ended already.
pub(crate) fn end_with(parent: usize) -> Result<(), Errno> {
    const PR_SET_PDEATHSIG: usize = 1;
    const SIGKILL: usize = 9;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0)?;
    if process::parent()? == parent {
        Ok(())
    } else {
        Err(Errno::STALE)
    }
}

/// Makes this process the parent of every orphan among its descendants (`prctl(2)`).
pub(crate) fn adopt_orphans() -> Result<(), Errno> {
    const PR_SET_CHILD_SUBREAPER: usize = 36;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0).map(|_| ())
}

/// Installs a seccomp filter (`struct sock_filter` array) on this process and all it starts.
pub(crate) fn install_filter(filter: &[u8]) -> Result<(), Errno> {
    #[repr(C)]
    struct Program {
        length: u16,
        instructions: *const u8,
    }
    const SET_MODE_FILTER: usize = 1;
    const INSTRUCTION_BYTES: usize = 8;
    if !filter.len().is_multiple_of(INSTRUCTION_BYTES) {
        return Err(Errno::INVALID);
    }
    let length = u16::try_from(filter.len() / INSTRUCTION_BYTES)
        .ok()
        .ok_or(Errno::INVALID)?;
    let program = Program {
        length,
        instructions: filter.as_ptr(),
    };
    let args = [SET_MODE_FILTER, 0, (&raw const program) as usize, 0, 0, 0];
    // SAFETY: seccomp(2) reads `struct sock_fprog` and `length` instructions of 8 bytes each,
    // which the slice holds.
    answer(unsafe { syscall(nr::SECCOMP, args) }).map(|_| ())
}

/// Returns 1 when `no_new_privs` is set.
pub(crate) fn no_new_privileges() -> u64 {
    prctl(PR_GET_NO_NEW_PRIVS, 0, 0).map_or(0, |value| value as u64)
}

/// Returns 2 when a filter is in force.
pub(crate) fn seccomp_mode() -> u64 {
    prctl(PR_GET_SECCOMP, 0, 0).map_or(0, |value| value as u64)
}

/// Returns the effective, permitted and inheritable sets or-ed together; all ones if unreadable,
/// so that what cannot be seen counts as held.
pub(crate) fn capabilities() -> u64 {
    let header = [CAPABILITY_VERSION_3, 0];
    let mut sets = [0_u32; 6];
    let args = [
        header.as_ptr() as usize,
        sets.as_mut_ptr() as usize,
        0,
        0,
        0,
        0,
    ];
    // SAFETY: capget(2) version 3 reads an 8-byte header and writes two 12-byte sets.
    if answer(unsafe { syscall(nr::CAPGET, args) }).is_err() {
        return u64::MAX;
    }
    // effective, permitted and inheritable; first their low halves, then their high ones
    let [low @ .., _, _, _] = sets.map(u64::from);
    let [_, _, _, high @ ..] = sets.map(u64::from);
    let join = |halves: [u64; 3]| halves.into_iter().fold(0, |all, half| all | half);
    join(low) | (join(high) << 32)
}

/// Returns the bounding set.
pub(crate) fn bounding_set() -> u64 {
    members(|capability| prctl(PR_CAPBSET_READ, capability, 0))
}

/// Returns the ambient set.
pub(crate) fn ambient_set() -> u64 {
    members(|capability| prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability))
}

fn members(is_set: impl Fn(usize) -> Result<usize, Errno>) -> u64 {
    // every kernel knows the first; what cannot be seen counts as held
    if is_set(0).is_err() {
        return u64::MAX;
    }
    let held = (0..64_usize).map_while(|number| is_set(number).ok().map(|value| (number, value)));
    held.filter(|(_, value)| *value == 1)
        .fold(0, |set, (number, _)| set | (1 << number))
}

/// What [`limit_pids`] found to hold; 0 while it found nothing.
static PID_MAX: AtomicU64 = AtomicU64::new(0);
const PID_MAX_FILE: &CStr = c"/proc/sys/kernel/pid_max";

/// Limits the numbers that this pid namespace gives out (`kernel.pid_max`), and reads back what holds.
/// A kernel that refuses, or shows no such file, changes nothing; [`pid_max`] says so.
pub(crate) fn limit_pids(highest: u32) {
    let mut digits = [0_u8; 10];
    let mut rest = highest;
    let mut used = 0_usize;
    for slot in digits.iter_mut().rev() {
        *slot = b'0'.saturating_add(u8::try_from(rest % 10).unwrap_or_default());
        rest /= 10;
        used = used.saturating_add(1);
        if rest == 0 {
            break;
        }
    }
    let written = digits
        .get(digits.len().saturating_sub(used)..)
        .unwrap_or_default();
    let holds = files::overwrite(PID_MAX_FILE, written).is_ok() && holds_line(written);
    PID_MAX.store(
        if holds { u64::from(highest) } else { 0 },
        Ordering::Relaxed,
    );
}

fn holds_line(digits: &[u8]) -> bool {
    let mut line = [0_u8; 16];
    let Ok(file) = files::open_to_read(PID_MAX_FILE) else {
        return false;
    };
    let read = files::read(file, &mut line).unwrap_or(0);
    let closed = files::close(file).is_ok();
    let line = line.get(..read).unwrap_or_default();
    closed && line.strip_suffix(b"\n").unwrap_or(line) == digits
}

/// Returns the highest number that this pid namespace gives out, where it was limited; else 0.
pub(crate) fn pid_max() -> u64 {
    PID_MAX.load(Ordering::Relaxed)
}
