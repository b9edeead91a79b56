// SPDX-License-Identifier: Apache-2.0
//! The calls that the filter knows by number.

/// Calls that no command needs and that reach the kernel's administration, other processes, or
/// objects outside every path rule.
pub(super) const DENIED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_memfd_secret,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    NR_CACHESTAT,
    NR_FILE_SETATTR,
    NR_LISTMOUNT,
    NR_LSM_SET_SELF_ATTR,
    NR_OPEN_TREE_ATTR,
    NR_STATMOUNT,
];

/// What debuggers (`gdb`, `strace`) and, for `kcmp(2)`, graphics drivers do to processes of their own.
/// Denied unless the profile is `compat`. The pid namespace bounds which processes there are, and the
/// launcher, which has no filter, cannot be inspected: it is not dumpable (`ptrace(2)`). A tracer that
/// changes a call is judged again (`seccomp(2)`, kernel 4.8).
pub(super) const DEBUGGING: &[libc::c_long] = &[
    libc::SYS_kcmp,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
];

/// Calls that only x86-64 has.
#[cfg(target_arch = "x86_64")]
pub(super) const DENIED_HERE: &[libc::c_long] = &[
    NR_CREATE_MODULE,
    NR_GET_KERNEL_SYMS,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kexec_file_load,
    libc::SYS_modify_ldt,
    NR_QUERY_MODULE,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
    libc::SYS_uselib,
    libc::SYS_ustat,
];
/// Gone since kernel 2.6, their numbers kept.
#[cfg(target_arch = "x86_64")]
const NR_CREATE_MODULE: libc::c_long = 174;
#[cfg(target_arch = "x86_64")]
const NR_GET_KERNEL_SYMS: libc::c_long = 177;
#[cfg(target_arch = "x86_64")]
const NR_QUERY_MODULE: libc::c_long = 178;

#[cfg(target_arch = "aarch64")]
pub(super) const DENIED_HERE: &[libc::c_long] = &[libc::SYS_kexec_file_load];

/// `cachestat(2)` (kernel 6.5): what of a file is in memory tells what the rest of the machine reads.
const NR_CACHESTAT: libc::c_long = 451;
/// `file_setattr(2)` (kernel 6.17): flags of files, with no tool that needs it yet.
const NR_FILE_SETATTR: libc::c_long = 469;
/// `lsm_set_self_attr(2)` (kernel 6.8): which profile of another security module comes next.
const NR_LSM_SET_SELF_ATTR: libc::c_long = 460;
/// `open_tree_attr(2)` (kernel 6.15): `open_tree(2)` and `mount_setattr(2)` in one.
const NR_OPEN_TREE_ATTR: libc::c_long = 467;
/// `statmount(2)` and `listmount(2)` (kernel 6.8) show mounts of the host.
const NR_STATMOUNT: libc::c_long = 457;
const NR_LISTMOUNT: libc::c_long = 458;

/// Answered as if absent: their arguments lie in memory, where no filter can look, and every libc
/// falls back to calls that can be judged.
pub(super) const ABSENT: &[libc::c_long] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_openat2,
];

/// `file_setattr(2)` (kernel 6.17, the newest of 6.18): the newest call reviewed. Numbers above it,
/// x32's among them (they carry bit 30), answer `ENOSYS`. What is new since 5.1 (number 424) and let
/// through, and why:
/// - `pidfd_open`, `pidfd_send_signal`: processes of the pid namespace, as `kill` reaches them;
/// - `close_range`, `epoll_pwait2`, `faccessat2`, `futex_*`, `mseal`, `set_mempolicy_home_node`: the
///   caller's own descriptors, memory and waiting;
/// - `fchmodat2`: by its mode, as `fchmodat`;
/// - `landlock_*`: they only restrict, and what they make is inherited by nobody outside;
/// - `map_shadow_stack` (453): libc protects return addresses with it;
/// - `lsm_get_self_attr`, `lsm_list_modules` (459, 461): names of security modules, no secret;
/// - `setxattrat` … `removexattrat` (463-466): as `setxattr`; a read-only mount refuses it;
/// - `file_getattr` (468): reads what `FS_IOC_GETFLAGS` reads;
/// - `uretprobe`, `uprobe` (335, 336 on x86-64): the kernel's own trampolines; it refuses others.
pub(super) const NEWEST_REVIEWED: u32 = 469;

/// Namespace flags of `clone(2)`; `CLONE_NEWTIME` exists for `clone3` and `unshare` only.
pub(super) const NEW_NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];
