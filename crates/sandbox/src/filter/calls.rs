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
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_memfd_create,
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
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
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
    NR_LISTMOUNT,
    NR_STATMOUNT,
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

/// `removexattrat(2)` (kernel 6.13): the newest call reviewed. Numbers above it, x32's among them
/// (they carry bit 30), answer `ENOSYS`.
pub(super) const NEWEST_REVIEWED: u32 = 466;

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
