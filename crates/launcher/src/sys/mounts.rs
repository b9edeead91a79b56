// SPDX-License-Identifier: Apache-2.0
//! Mounts (`mount(2)`, `open_tree(2)`, `mount_setattr(2)`, `pivot_root(2)`).

use core::ffi::CStr;

use super::{Errno, Fd, answer, files, nr, syscall};

const AT_FDCWD: usize = -100_isize as usize;
const AT_EMPTY_PATH: usize = 0x1000;
const AT_RECURSIVE: usize = 0x8000;
const MS_NOSUID: usize = 2;
const MS_NODEV: usize = 4;
const MS_NOEXEC: usize = 8;
const MS_REC: usize = 0x4000;
const MS_PRIVATE: usize = 1 << 18;
const EMPTY: &CStr = c"";

/// Attributes of `mount_setattr(2)`.
pub(crate) mod attr {
    pub(crate) const RDONLY: u64 = 1;
    pub(crate) const NOSUID: u64 = 2;
    pub(crate) const NODEV: u64 = 4;
    pub(crate) const NOEXEC: u64 = 8;
}

fn mount(what: &CStr, at: &CStr, flags: usize, options: &CStr) -> Result<(), Errno> {
    let source = what.as_ptr() as usize;
    let args = [
        source,
        at.as_ptr() as usize,
        source,
        flags,
        options.as_ptr() as usize,
        0,
    ];
    // SAFETY: mount(2) reads NUL-terminated strings only; the file systems used here (tmpfs, proc)
    // take their data as such a string.
    answer(unsafe { syscall(nr::MOUNT, args) }).map(|_| ())
}

/// Cuts this namespace's mounts off from the one it was copied from.
pub(crate) fn make_private() -> Result<(), Errno> {
    mount(c"none", c"/", MS_REC | MS_PRIVATE, EMPTY)
}

/// Mounts a tmpfs at `at` with these attributes.
pub(crate) fn tmpfs(at: &CStr, options: &CStr, attributes: u64) -> Result<(), Errno> {
    // INVARIANT: the attributes of `attr` have the same bits as the flags of mount(2)
    mount(c"tmpfs", at, attributes as usize, options)
}

/// Mounts a tmpfs over an opened directory, and closes it.
pub(crate) fn tmpfs_over(target: Fd, options: &CStr, attributes: u64) -> Result<(), Errno> {
    // mount(2) takes a name; this one leads to the opened object, whatever its own name is by now
    let mut name = [0_u8; 32];
    tmpfs(files::name_of(target, &mut name)?, options, attributes)?;
    files::close(target)
}

/// Mounts the procfs of this pid namespace.
pub(crate) fn proc(at: &CStr, options: &CStr) -> Result<(), Errno> {
    mount(c"proc", at, MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
}

/// Mounts a new instance of devpts, which has no terminals yet.
pub(crate) fn devpts(at: &CStr, options: &CStr) -> Result<(), Errno> {
    mount(c"devpts", at, MS_NOSUID | MS_NOEXEC, options)
}

/// Clones the mount at `path` with all beneath it, detached.
pub(crate) fn open_tree(path: &CStr) -> Result<Fd, Errno> {
    const OPEN_TREE_CLONE: usize = 1;
    const AT_SYMLINK_NOFOLLOW: usize = 0x100;
    const AT_NO_AUTOMOUNT: usize = 0x800;
    const OPEN_TREE_CLOEXEC: usize = 0o2_000_000;
    let flags =
        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    let args = [AT_FDCWD, path.as_ptr() as usize, flags, 0, 0, 0];
    // SAFETY: open_tree(2) reads the NUL-terminated path.
    files::descriptor(unsafe { syscall(nr::OPEN_TREE, args) })
}

/// Sets attributes on a detached tree and everything in it, and makes it private.
pub(crate) fn set_tree_attributes(tree: Fd, set: u64) -> Result<(), Errno> {
    set_attributes(tree.word(), EMPTY, AT_EMPTY_PATH | AT_RECURSIVE, set)
}

/// Makes the mount at `path` read-only.
pub(crate) fn make_read_only(path: &CStr) -> Result<(), Errno> {
    set_attributes(AT_FDCWD, path, 0, attr::RDONLY)
}

/// `struct mount_attr` (kernel 5.12).
#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

fn set_attributes(start: usize, path: &CStr, flags: usize, set: u64) -> Result<(), Errno> {
    let change = MountAttr {
        set,
        clear: 0,
        propagation: MS_PRIVATE as u64,
        userns_fd: 0,
    };
    let size = size_of::<MountAttr>();
    let args = [
        start,
        path.as_ptr() as usize,
        flags,
        (&raw const change) as usize,
        size,
        0,
    ];
    // SAFETY: mount_setattr(2) reads the path and `size` bytes of `change`.
    answer(unsafe { syscall(nr::MOUNT_SETATTR, args) }).map(|_| ())
}

/// Mounts a detached tree over an opened object, and closes both.
pub(crate) fn attach(tree: Fd, target: Fd) -> Result<(), Errno> {
    const MOVE_MOUNT_F_EMPTY_PATH: usize = 4;
    const MOVE_MOUNT_T_EMPTY_PATH: usize = 0x40;
    let empty = EMPTY.as_ptr() as usize;
    let flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    let args = [tree.word(), empty, target.word(), empty, flags, 0];
    // SAFETY: move_mount(2) reads two NUL-terminated paths.
    answer(unsafe { syscall(nr::MOVE_MOUNT, args) })?;
    files::close(target)?;
    files::close(tree)
}

/// Changes the working directory.
pub(crate) fn enter(path: &CStr) -> Result<(), Errno> {
    // SAFETY: chdir(2) reads the NUL-terminated path.
    answer(unsafe { syscall(nr::CHDIR, [path.as_ptr() as usize, 0, 0, 0, 0, 0]) }).map(|_| ())
}

/// Makes the working directory the root and lets go of the old one (`pivot_root(2)`, "`.` `.`").
pub(crate) fn pivot_here() -> Result<(), Errno> {
    const MNT_DETACH: usize = 2;
    let here = c".".as_ptr() as usize;
    // SAFETY: pivot_root(2) reads two NUL-terminated paths.
    answer(unsafe { syscall(nr::PIVOT_ROOT, [here, here, 0, 0, 0, 0]) })?;
    // SAFETY: umount2(2) reads one NUL-terminated path.
    answer(unsafe { syscall(nr::UMOUNT2, [here, MNT_DETACH, 0, 0, 0, 0]) })?;
    enter(c"/")
}

/// Sets the host name of the UTS namespace.
pub(crate) fn set_hostname(name: &CStr) -> Result<(), Errno> {
    let bytes = name.to_bytes();
    let args = [bytes.as_ptr() as usize, bytes.len(), 0, 0, 0, 0];
    // SAFETY: sethostname(2) reads `len` bytes.
    answer(unsafe { syscall(nr::SETHOSTNAME, args) }).map(|_| ())
}
