// SPDX-License-Identifier: Apache-2.0
//! The seccomp filter (`seccomp(2)`).
//!
//! A short prologue of ours answers `ENOSYS` to what must look absent: x32 calls, `clone3` (its
//! arguments lie in memory where no filter can look; libc falls back to `clone`), `io_uring`, and
//! every call newer than those reviewed here. The rest is written in `seccompiler`'s rules: what is
//! listed answers `EPERM`, other architectures are killed.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use crate::error::SandboxError;
use crate::plan::Network;

/// Calls that no command needs and that reach the kernel's administration, other processes, or
/// objects outside every path rule.
const DENIED: &[libc::c_long] = &[
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
const DENIED_HERE: &[libc::c_long] = &[
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
const DENIED_HERE: &[libc::c_long] = &[libc::SYS_kexec_file_load];

/// `statmount(2)` and `listmount(2)` (kernel 6.8) show mounts of the host.
const NR_STATMOUNT: libc::c_long = 457;
const NR_LISTMOUNT: libc::c_long = 458;

/// Answered as if absent.
const ABSENT: &[libc::c_long] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
];

/// `removexattrat(2)` (kernel 6.13): the newest call reviewed. Numbers above it, x32's among them
/// (they carry bit 30), answer `ENOSYS`.
const NEWEST_REVIEWED: u32 = 466;

/// Namespace flags of `clone(2)`; `CLONE_NEWTIME` exists for `clone3` and `unshare` only.
const NEW_NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;
type Built<T> = Result<T, seccompiler::BackendError>;

/// Returns the filter as the bytes of a `struct sock_filter` array.
///
/// # Errors
/// [`SandboxError::Compile`]: a defect, since nothing in it depends on input but the network.
pub(crate) fn compile(network: Network) -> Result<Vec<u8>, SandboxError> {
    let failed = |error: seccompiler::BackendError| SandboxError::Compile {
        what: "the seccomp filter",
        message: error.to_string(),
    };
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(failed)?;
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let rules = rules(network).map_err(failed)?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, arch).map_err(failed)?;
    let body: BpfProgram = filter.try_into().map_err(failed)?;
    Ok(prologue().into_iter().chain(body).flat_map(bytes_of).collect())
}

fn bytes_of(instruction: sock_filter) -> [u8; 8] {
    let [a, b] = instruction.code.to_ne_bytes();
    let [c, d, e, f] = instruction.k.to_ne_bytes();
    [a, b, instruction.jt, instruction.jf, c, d, e, f]
}

/// `ld [nr]`, then a jump over the answer for each absent call, then for numbers too new.
fn prologue() -> Vec<sock_filter> {
    const LOAD_WORD_ABSOLUTE: u16 = 0x20;
    const JUMP_EQUAL: u16 = 0x15;
    const JUMP_GREATER: u16 = 0x25;
    const RETURN: u16 = 0x06;
    const SECCOMP_RET_ERRNO: u32 = 0x0005_0000;
    let answer = sock_filter {
        code: RETURN,
        jt: 0,
        jf: 0,
        k: SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs(),
    };
    let mut out = vec![sock_filter { code: LOAD_WORD_ABSOLUTE, jt: 0, jf: 0, k: 0 }];
    let numbers = ABSENT.iter().filter_map(|number| u32::try_from(*number).ok());
    for number in numbers {
        out.push(sock_filter { code: JUMP_EQUAL, jt: 0, jf: 1, k: number });
        out.push(answer.clone());
    }
    out.push(sock_filter { code: JUMP_GREATER, jt: 0, jf: 1, k: NEWEST_REVIEWED });
    out.push(answer);
    out
}

fn rules(network: Network) -> Built<Rules> {
    let mut rules: Rules =
        DENIED.iter().chain(DENIED_HERE).map(|number| (*number, Vec::new())).collect();
    rules.insert(libc::SYS_clone, namespace_flags()?);
    rules.insert(libc::SYS_ioctl, terminal_injection()?);
    rules.insert(libc::SYS_personality, vec![all(&[ne(0, 0)?, ne(0, 0xFFFF_FFFF)?])?]);
    rules.insert(libc::SYS_execveat, vec![all(&[has_bit(2, libc::AT_EMPTY_PATH)?])?]);
    rules.insert(libc::SYS_socket, sockets(network)?);
    rules.insert(libc::SYS_socketpair, vec![all(&[ne(0, word(libc::AF_UNIX))?])?]);
    Ok(rules)
}

fn namespace_flags() -> Built<Vec<SeccompRule>> {
    NEW_NAMESPACES.iter().map(|flag| all(&[has_bit(0, *flag)?])).collect()
}

/// `TIOCSTI` and `TIOCLINUX` type into the caller's terminal (`tty_ioctl(4)`).
fn terminal_injection() -> Built<Vec<SeccompRule>> {
    const TIOCLINUX: u64 = 0x541C;
    const TIOCSTI: u64 = 0x5412;
    [TIOCSTI, TIOCLINUX].into_iter().map(|request| all(&[eq(1, request)?])).collect()
}

/// Without a network no socket can be made; `socketpair(2)` still can. With one: unix, IPv4, IPv6
/// and route netlink, which name resolution asks for addresses.
fn sockets(network: Network) -> Built<Vec<SeccompRule>> {
    let known = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    match network {
        Network::Deny => Ok(Vec::new()),
        Network::Full => {
            let other: Vec<_> =
                known.iter().map(|family| ne(0, word(*family))).collect::<Built<_>>()?;
            let netlink = [eq(0, word(libc::AF_NETLINK))?, ne(2, word(libc::NETLINK_ROUTE))?];
            Ok(vec![all(&other)?, all(&netlink)?])
        }
    }
}

fn word(value: libc::c_int) -> u64 {
    u64::from(value.unsigned_abs())
}

fn all(conditions: &[SeccompCondition]) -> Built<SeccompRule> {
    SeccompRule::new(conditions.to_vec())
}

// The kernel reads these arguments as 32-bit values, so only their low half is compared.
fn eq(argument: u8, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn ne(argument: u8, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn has_bit(argument: u8, bit: libc::c_int) -> Built<SeccompCondition> {
    let mask = word(bit);
    let op = SeccompCmpOp::MaskedEq(mask);
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: u32 = 0x7fff_0000;
    const KILL_PROCESS: u32 = 0x8000_0000;
    #[cfg(target_arch = "x86_64")]
    const NATIVE: u32 = 0xC000_003E;
    #[cfg(target_arch = "aarch64")]
    const NATIVE: u32 = 0xC000_00B7;

    fn errno(number: i32) -> u32 {
        0x0005_0000 | number.unsigned_abs()
    }

    /// Judges a call as the kernel would: the classic BPF machine over `struct seccomp_data`.
    fn judge(filter: &[u8], arch: u32, number: i64, args: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(u32::try_from(number).unwrap().to_ne_bytes());
        data.extend(arch.to_ne_bytes());
        data.extend(0_u64.to_ne_bytes());
        args.iter().for_each(|value| data.extend(value.to_ne_bytes()));
        let (mut at, mut a) = (0_usize, 0_u32);
        loop {
            let raw = &filter[at * 8..at * 8 + 8];
            let code = u16::from_ne_bytes([raw[0], raw[1]]);
            let k = u32::from_ne_bytes([raw[4], raw[5], raw[6], raw[7]]);
            let jump = |yes: bool| usize::from(if yes { raw[2] } else { raw[3] });
            at += 1;
            match code {
                0x20 => {
                    let from = usize::try_from(k).unwrap();
                    a = u32::from_ne_bytes(data[from..from + 4].try_into().unwrap());
                }
                0x54 => a &= k,
                0x05 => at += usize::try_from(k).unwrap(),
                0x15 => at += jump(a == k),
                0x25 => at += jump(a > k),
                0x35 => at += jump(a >= k),
                0x06 => return k,
                other => panic!("an instruction the test does not know: {other:#x}"),
            }
        }
    }

    fn under(network: Network, number: i64, args: [u64; 6]) -> u32 {
        judge(&compile(network).unwrap(), NATIVE, number, args)
    }

    #[test]
    fn denies_every_listed_call_with_eperm() {
        for number in DENIED.iter().chain(DENIED_HERE) {
            assert_eq!(under(Network::Full, *number, [0; 6]), errno(libc::EPERM), "{number}");
        }
    }

    #[test]
    fn answers_enosys_to_what_must_look_absent() {
        let new = i64::from(NEWEST_REVIEWED) + 1;
        for number in ABSENT.iter().copied().chain([new, 0x4000_0000, 0x4000_0001, 0x4000_0209]) {
            assert_eq!(under(Network::Deny, number, [0; 6]), errno(libc::ENOSYS), "{number:#x}");
        }
    }

    #[test]
    fn kills_other_architectures() {
        let filter = compile(Network::Deny).unwrap();
        for arch in [0x4000_0003_u32, 0x4000_0028, 0xC000_0015] {
            assert_eq!(judge(&filter, arch, 20, [0; 6]), KILL_PROCESS, "{arch:#x}");
        }
    }

    #[test]
    fn judges_by_argument() {
        let newuser = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
        let thread = u64::from((libc::CLONE_VM | libc::CLONE_THREAD).unsigned_abs());
        let family = |family: i32, protocol: u64| [word(family), 1, protocol, 0, 0, 0];
        let eperm = errno(libc::EPERM);
        let table = [
            (Network::Deny, libc::SYS_clone, [thread, 0, 0, 0, 0, 0], ALLOW),
            (Network::Deny, libc::SYS_clone, [thread | newuser, 0, 0, 0, 0, 0], eperm),
            (Network::Deny, libc::SYS_ioctl, [0, 0x5401, 0, 0, 0, 0], ALLOW),
            (Network::Deny, libc::SYS_ioctl, [0, 0x5412, 0, 0, 0, 0], eperm),
            (Network::Deny, libc::SYS_ioctl, [0, 0xFFFF_FFFF_0000_5412, 0, 0, 0, 0], eperm),
            (Network::Deny, libc::SYS_ioctl, [0, 0x541C, 0, 0, 0, 0], eperm),
            (Network::Deny, libc::SYS_personality, [0xFFFF_FFFF, 0, 0, 0, 0, 0], ALLOW),
            (Network::Deny, libc::SYS_personality, [0x0040_0000, 0, 0, 0, 0, 0], eperm),
            (Network::Deny, libc::SYS_execveat, [3, 0, 0, 0, 0, 0], ALLOW),
            (Network::Deny, libc::SYS_execveat, [3, 0, 0, 0, 0x1000, 0], ALLOW),
            (Network::Deny, libc::SYS_socket, family(libc::AF_UNIX, 0), eperm),
            (Network::Deny, libc::SYS_socket, family(libc::AF_INET, 0), eperm),
            (Network::Deny, libc::SYS_socketpair, family(libc::AF_UNIX, 0), ALLOW),
            (Network::Deny, libc::SYS_socketpair, family(libc::AF_TIPC, 0), eperm),
            (Network::Full, libc::SYS_socket, family(libc::AF_INET6, 0), ALLOW),
            (Network::Full, libc::SYS_socket, family(libc::AF_NETLINK, 0), ALLOW),
            (Network::Full, libc::SYS_socket, family(libc::AF_NETLINK, 9), eperm),
            (Network::Full, libc::SYS_socket, family(libc::AF_VSOCK, 0), eperm),
            (Network::Full, libc::SYS_socket, family(libc::AF_PACKET, 0), eperm),
            (Network::Full, libc::SYS_socket, family(libc::AF_ALG, 0), eperm),
            (Network::Deny, libc::SYS_openat, [0; 6], ALLOW),
        ];
        for (network, number, args, want) in table {
            assert_eq!(under(network, number, args), want, "{network:?} {number} {args:x?}");
        }
    }
}
