// SPDX-License-Identifier: Apache-2.0
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a machine for filters of known size; a test may overflow"
)]

use super::rules::{NR_FCHMODAT2, word};
use super::*;

const ALLOW: u32 = 0x7fff_0000;
const KILL_PROCESS: u32 = 0x8000_0000;

fn errno(number: i32) -> u32 {
    0x0005_0000 | number.unsigned_abs()
}

/// Judges a call as the kernel would: the classic BPF machine over `struct seccomp_data`.
fn judge(filter: &[u8], arch: u32, number: i64, args: [u64; 6]) -> u32 {
    let mut data = Vec::new();
    data.extend(u32::try_from(number).unwrap().to_ne_bytes());
    data.extend(arch.to_ne_bytes());
    data.extend(0_u64.to_ne_bytes());
    data.extend(args.iter().flat_map(|value| value.to_ne_bytes()));
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

const fn strict(network: Network) -> Kind {
    Kind {
        network,
        profile: Profile::Strict,
        memory: false,
        host: None,
    }
}

const fn compat(network: Network) -> Kind {
    Kind {
        profile: Profile::Compat,
        ..strict(network)
    }
}

/// Every kind of filter there is.
fn kinds() -> Vec<Kind> {
    let mut out = Vec::new();
    for network in [Network::Deny, Network::Full] {
        for profile in [Profile::Strict, Profile::Compat] {
            out.extend([false, true].map(|memory| Kind {
                network,
                profile,
                memory,
                host: None,
            }));
        }
    }
    let hosts = [Host::Bare, Host::Truncating, Host::Scoped, Host::Resolving];
    let bare = out.clone();
    for host in hosts {
        out.extend(bare.iter().map(|kind| Kind {
            host: Some(host),
            ..*kind
        }));
    }
    out
}

fn under(kind: Kind, number: i64, args: [u64; 6]) -> u32 {
    judge(&compile(kind).unwrap(), NATIVE, number, args)
}

#[test]
fn denies_every_listed_call_with_eperm() {
    for kind in kinds() {
        let filter = compile(kind).unwrap();
        for number in DENIED.iter().chain(DENIED_HERE) {
            let found = judge(&filter, NATIVE, *number, [0; 6]);
            assert_eq!(found, errno(libc::EPERM), "{kind:?} {number}");
        }
    }
}

#[test]
fn answers_enosys_to_what_must_look_absent() {
    let new = i64::from(NEWEST_REVIEWED) + 1;
    for number in ABSENT
        .iter()
        .copied()
        .chain([new, 0x4000_0000, 0x4000_0001, 0x4000_0209])
    {
        assert_eq!(
            under(strict(Network::Deny), number, [0; 6]),
            errno(libc::ENOSYS),
            "{number:#x}"
        );
    }
}

#[test]
fn kills_other_architectures() {
    let filter = compile(strict(Network::Deny)).unwrap();
    for arch in [0x4000_0003_u32, 0x4000_0028, 0xC000_0015] {
        for number in [20, 310, libc::SYS_clone3, libc::SYS_mount, 0x4000_0000] {
            let found = judge(&filter, arch, number, [0; 6]);
            assert_eq!(found, KILL_PROCESS, "{arch:#x} {number}");
        }
    }
}

type Call = (libc::c_long, [u64; 6], u32);

fn assert_judged(kind: Kind, table: &[Call]) {
    for (number, args, want) in table {
        let found = under(kind, *number, *args);
        assert_eq!(found, *want, "{kind:?} {number} {args:x?}");
    }
}

const EPERM: u32 = 0x0005_0001;

#[test]
fn judges_processes_and_terminals_by_argument() {
    let newuser = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
    let thread = u64::from((libc::CLONE_VM | libc::CLONE_THREAD).unsigned_abs());
    assert_judged(
        strict(Network::Deny),
        &[
            (libc::SYS_clone, [thread, 0, 0, 0, 0, 0], ALLOW),
            (libc::SYS_clone, [thread | newuser, 0, 0, 0, 0, 0], EPERM),
            (libc::SYS_ioctl, [0, 0x5401, 0, 0, 0, 0], ALLOW),
            (libc::SYS_ioctl, [0, 0x5412, 0, 0, 0, 0], EPERM),
            (
                libc::SYS_ioctl,
                [0, 0xFFFF_FFFF_0000_5412, 0, 0, 0, 0],
                EPERM,
            ),
            (libc::SYS_ioctl, [0, 0x541C, 0, 0, 0, 0], EPERM),
            (libc::SYS_personality, [0xFFFF_FFFF, 0, 0, 0, 0, 0], ALLOW),
            (libc::SYS_personality, [0x0040_0000, 0, 0, 0, 0, 0], EPERM),
            (
                libc::SYS_pipe2,
                [0, word(libc::O_CLOEXEC), 0, 0, 0, 0],
                ALLOW,
            ),
            (libc::SYS_pipe2, [0, word(libc::O_EXCL), 0, 0, 0, 0], EPERM),
            // execveat(fd, path, argv, envp, flags): only the flags count
            (libc::SYS_execveat, [3, 0, 0, 0, 0, 0], ALLOW),
            (libc::SYS_execveat, [3, 0, 0x1000, 0x1000, 0x100, 0], ALLOW),
            (libc::SYS_execveat, [3, 0, 0, 0, 0x1000, 0], EPERM),
            (libc::SYS_prlimit64, [0, 7, 0, 0, 0, 0], ALLOW),
            (libc::SYS_prlimit64, [2, 7, 0, 0, 0, 0], ALLOW),
            (libc::SYS_prlimit64, [1, 7, 0, 0, 0, 0], EPERM),
            (libc::SYS_openat, [0; 6], ALLOW),
            // fcntl(fd, command, argument): only the command counts
            (libc::SYS_fcntl, [1024, 3, 1024, 0, 0, 0], ALLOW),
            (libc::SYS_fcntl, [3, 1024, 0, 0, 0, 0], EPERM),
            (
                libc::SYS_fcntl,
                [3, 0xFFFF_FFFF_0000_0400, 2, 0, 0, 0],
                EPERM,
            ),
            (libc::SYS_fcntl, [3, 1025, 0, 0, 0, 0], ALLOW),
            (libc::SYS_fcntl, [3, 1026, 2, 0, 0, 0], EPERM),
            (libc::SYS_fcntl, [3, 1030, 0, 0, 0, 0], ALLOW),
            (libc::SYS_fcntl, [3, 1040, 0, 0, 0, 0], EPERM),
        ],
    );
}

#[test]
fn judges_set_id_bits_only_where_a_mode_counts() {
    let creating = u64::from((libc::O_CREAT | libc::O_WRONLY).unsigned_abs());
    let unnamed = u64::from((libc::O_TMPFILE | libc::O_WRONLY).unsigned_abs());
    let directory = u64::from(libc::O_DIRECTORY.unsigned_abs());
    let mut table = vec![
        (libc::SYS_fchmod, [3, 0o755, 0, 0, 0, 0], ALLOW),
        (libc::SYS_fchmod, [3, 0o4755, 0, 0, 0, 0], EPERM),
        (libc::SYS_fchmodat, [3, 0, 0o1777, 0, 0, 0], ALLOW),
        (libc::SYS_fchmodat, [3, 0, 0o2755, 0, 0, 0], EPERM),
        (NR_FCHMODAT2, [3, 0, 0o6755, 0, 0, 0], EPERM),
        (libc::SYS_mknodat, [3, 0, 0o104_755, 0, 0, 0], EPERM),
        (libc::SYS_mknodat, [3, 0, 0o010_644, 0, 0, 0], ALLOW),
        (libc::SYS_openat, [3, 0, creating, 0o644, 0, 0], ALLOW),
        (libc::SYS_openat, [3, 0, creating, 0o4755, 0, 0], EPERM),
        (libc::SYS_openat, [3, 0, unnamed, 0o2755, 0, 0], EPERM),
        (libc::SYS_openat, [3, 0, directory, 0o4755, 0, 0], ALLOW),
        (libc::SYS_openat, [3, 0, 0, 0o4755, 0, 0], ALLOW),
    ];
    #[cfg(target_arch = "x86_64")]
    table.extend([
        (libc::SYS_chmod, [0, 0o4755, 0, 0, 0, 0], EPERM),
        (libc::SYS_creat, [0, 0o4755, 0, 0, 0, 0], EPERM),
        (libc::SYS_mknod, [0, 0o102_755, 0, 0, 0, 0], EPERM),
        (libc::SYS_open, [0, creating, 0o4755, 0, 0, 0], EPERM),
        (libc::SYS_open, [0, 0, 0o4755, 0, 0, 0], ALLOW),
    ]);
    assert_judged(strict(Network::Deny), &table);
}

#[test]
fn judges_sockets_by_network() {
    let family = |family: i32, protocol: u64| [word(family), 1, protocol, 0, 0, 0];
    let socket = libc::SYS_socket;
    assert_judged(
        strict(Network::Deny),
        &[
            (socket, family(libc::AF_UNIX, 0), EPERM),
            (socket, family(libc::AF_INET, 0), EPERM),
            (libc::SYS_connect, [0; 6], EPERM),
            (libc::SYS_socketpair, family(libc::AF_UNIX, 0), ALLOW),
            (libc::SYS_socketpair, family(libc::AF_TIPC, 0), EPERM),
            // SOCK_SEQPACKET, SOCK_DGRAM | SOCK_CLOEXEC, SOCK_RAW
            (libc::SYS_socketpair, [1, 5, 0, 0, 0, 0], ALLOW),
            (libc::SYS_socketpair, [1, 0x8_0002, 0, 0, 0, 0], EPERM),
            (libc::SYS_socketpair, [1, 3, 0, 0, 0, 0], EPERM),
        ],
    );
    assert_judged(
        strict(Network::Full),
        &[
            (socket, family(libc::AF_UNIX, 0), ALLOW),
            (socket, family(libc::AF_INET6, 0), ALLOW),
            (socket, family(libc::AF_NETLINK, 0), ALLOW),
            (socket, family(libc::AF_NETLINK, 9), EPERM),
            (socket, family(libc::AF_VSOCK, 0), EPERM),
            (socket, family(libc::AF_PACKET, 0), EPERM),
            (socket, family(libc::AF_ALG, 0), EPERM),
        ],
    );
}

/// Calls that every program makes, and the neighbours of those denied.
#[test]
fn allows_what_is_neither_denied_nor_absent() {
    let judged: Vec<i64> = DENIED
        .iter()
        .chain(DENIED_HERE)
        .chain(ABSENT)
        .chain(DEBUGGING)
        .copied()
        .chain(rules::of(strict(Network::Full)).unwrap().into_keys())
        .collect();
    let mut allowed = 0;
    for number in (0..=i64::from(NEWEST_REVIEWED)).filter(|number| !judged.contains(number)) {
        assert_eq!(
            under(strict(Network::Full), number, [u64::MAX; 6]),
            ALLOW,
            "{number}"
        );
        allowed += 1;
    }
    assert!(allowed > 250, "{allowed}");
}

#[test]
fn stays_small_since_the_kernel_compiles_it_at_each_launch() {
    for kind in kinds() {
        let instructions = compile(kind).unwrap().len() / 8;
        // without namespaces more is left to it
        let most = if kind.host.is_some() { 760 } else { 600 };
        assert!(instructions < most, "{kind:?}: {instructions}");
    }
}

#[test]
fn names_each_kind_by_a_slot_of_its_own() {
    let mut slots: Vec<usize> = kinds().into_iter().map(Kind::slot).collect();
    slots.sort_unstable();
    assert!(slots.into_iter().eq(0..40));
}

/// What the profile widens, call by call, and what it does not.
#[test]
fn widens_compat_by_what_debuggers_and_browsers_need_and_no_more() {
    let deny = Network::Deny;
    let newuser = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
    let table: [(libc::c_long, [u64; 6], u32, u32); 22] = [
        (libc::SYS_ptrace, [0; 6], EPERM, ALLOW),
        (libc::SYS_process_vm_readv, [0; 6], EPERM, ALLOW),
        (libc::SYS_process_vm_writev, [0; 6], EPERM, ALLOW),
        (libc::SYS_kcmp, [0; 6], EPERM, ALLOW),
        // ADDR_NO_RANDOMIZE; READ_IMPLIES_EXEC
        (
            libc::SYS_personality,
            [0x4_0000, 0, 0, 0, 0, 0],
            EPERM,
            ALLOW,
        ),
        (
            libc::SYS_personality,
            [0x40_0000, 0, 0, 0, 0, 0],
            EPERM,
            EPERM,
        ),
        // PR_SET_PTRACER, PR_SET_SYSCALL_USER_DISPATCH; PR_SET_MM, PR_SET_MEMORY_MERGE
        (libc::SYS_prctl, [0x5961_6d61, 0, 0, 0, 0, 0], EPERM, ALLOW),
        (libc::SYS_prctl, [59, 0, 0, 0, 0, 0], EPERM, ALLOW),
        (libc::SYS_prctl, [35, 0, 0, 0, 0, 0], EPERM, EPERM),
        (libc::SYS_prctl, [67, 0, 0, 0, 0, 0], EPERM, EPERM),
        (libc::SYS_prctl, [15, 0, 0, 0, 0, 0], ALLOW, ALLOW),
        // unix streams and packets can be made, and lead nowhere
        (libc::SYS_socket, [1, 1, 0, 0, 0, 0], EPERM, ALLOW),
        (libc::SYS_socket, [1, 0x8_0005, 0, 0, 0, 0], EPERM, ALLOW),
        (libc::SYS_socket, [1, 2, 0, 0, 0, 0], EPERM, EPERM),
        (libc::SYS_socket, [2, 1, 0, 0, 0, 0], EPERM, EPERM),
        (libc::SYS_connect, [0; 6], EPERM, EPERM),
        (libc::SYS_clone, [newuser, 0, 0, 0, 0, 0], EPERM, EPERM),
        (libc::SYS_chroot, [0; 6], EPERM, EPERM),
        (libc::SYS_perf_event_open, [0; 6], EPERM, EPERM),
        (libc::SYS_userfaultfd, [0; 6], EPERM, EPERM),
        (libc::SYS_pidfd_getfd, [0; 6], EPERM, EPERM),
        (libc::SYS_memfd_create, [0; 6], EPERM, EPERM),
    ];
    for (number, args, in_strict, in_compat) in table {
        let found = [strict(deny), compat(deny)].map(|kind| under(kind, number, args));
        assert_eq!(found, [in_strict, in_compat], "{number} {args:x?}");
    }
    let (narrow, wide) = (
        compile(strict(deny)).unwrap(),
        compile(compat(deny)).unwrap(),
    );
    let seen: Vec<libc::c_long> = table.iter().map(|(number, ..)| *number).collect();
    for number in (0..=i64::from(NEWEST_REVIEWED)).filter(|number| !seen.contains(number)) {
        for args in [[0; 6], [u64::MAX; 6]] {
            let [a, b] = [&narrow, &wide].map(|filter| judge(filter, NATIVE, number, args));
            assert_eq!(a, b, "{number} {args:x?}");
        }
    }
}

#[test]
fn lets_programs_in_memory_be_executed_only_where_the_plan_says_so() {
    let (memfd, execveat) = (libc::SYS_memfd_create, libc::SYS_execveat);
    // flags 0, MFD_CLOEXEC, MFD_EXEC, MFD_NOEXEC_SEAL | MFD_CLOEXEC; AT_EMPTY_PATH
    let table: [(libc::c_long, [u64; 6], u32); 5] = [
        (memfd, [0; 6], EPERM),
        (memfd, [0, 1, 0, 0, 0, 0], EPERM),
        (memfd, [0, 0x10, 0, 0, 0, 0], EPERM),
        (memfd, [0, 9, 0, 0, 0, 0], ALLOW),
        (execveat, [3, 0, 0, 0, 0x1000, 0], EPERM),
    ];
    for kind in kinds() {
        for (number, args, closed) in table {
            let want = if kind.memory { ALLOW } else { closed };
            assert_eq!(
                under(kind, number, args),
                want,
                "{kind:?} {number} {args:x?}"
            );
        }
    }
}

/// The same policy written in `seccompiler`'s rules alone.
fn reference(kind: Kind) -> Vec<u8> {
    let mut all = rules::of(kind).unwrap();
    let whole = (0..=i64::from(NEWEST_REVIEWED)).filter(|call| is_denied(*call, kind));
    all.extend(whole.map(|call| (call, Vec::new())));
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let filter = SeccompFilter::new(all, SeccompAction::Allow, denied, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    program.iter().flat_map(bytes_of).collect()
}

#[test]
fn judges_every_call_as_seccompilers_own_layout_does() {
    let one_bit = (0..32).flat_map(|bit| (0..5).map(move |argument| (argument, 1_u64 << bit)));
    let few = [[0; 6], [u64::from(u32::MAX); 6], [u64::MAX; 6]];
    let mut samples = few.to_vec();
    for (argument, value) in one_bit {
        let mut args = [0; 6];
        args[argument] = value;
        samples.push(args);
        // a creating open has two arguments that matter
        args[if argument < 2 { 1 } else { 2 }] |= 0o100;
        samples.push(args);
    }
    for kind in kinds() {
        let (ours, theirs) = (compile(kind).unwrap(), reference(kind));
        let asked = rules::of(kind).unwrap();
        for number in 0..=i64::from(NEWEST_REVIEWED) {
            if ABSENT.contains(&number) {
                continue;
            }
            let given = if asked.contains_key(&number) {
                samples.as_slice()
            } else {
                &few
            };
            for args in given {
                let [a, b] = [&ours, &theirs].map(|it| judge(it, NATIVE, number, *args));
                assert_eq!(a, b, "{kind:?} {number} {args:x?}");
            }
        }
    }
}

#[test]
fn finds_a_constant_answer_in_few_steps() {
    let kind = strict(Network::Deny);
    let tree = tree::write(&answers(kind, &rules::of(kind).unwrap())).unwrap();
    let depth = |number: u32| {
        let (mut at, mut steps) = (0_usize, 0);
        while let Some(found) = tree.get(at) {
            steps += 1;
            at += match found.code {
                0x35 if number >= found.k => 1 + usize::from(found.jt),
                0x35 => 1 + usize::from(found.jf),
                0x05 => 1 + usize::try_from(found.k).unwrap(),
                _ => break,
            };
        }
        steps
    };
    let deepest = (0..=NEWEST_REVIEWED + 1).map(depth).max();
    assert!(deepest <= Some(10), "{deepest:?}");
}

const fn on_host(network: Network, host: Host) -> Kind {
    Kind {
        host: Some(host),
        ..strict(network)
    }
}

#[test]
fn without_namespaces_denies_metadata_watches_and_objects_of_the_machine() {
    let denied = host::DENIED.iter().chain(host::DENIED_HERE);
    for number in denied {
        let inside = under(strict(Network::Deny), *number, [0; 6]);
        assert_eq!(inside, ALLOW, "{number}");
        let found = under(on_host(Network::Deny, Host::Scoped), *number, [0; 6]);
        assert_eq!(found, errno(libc::EPERM), "{number}");
    }
}

#[test]
fn without_namespaces_judges_what_reaches_other_processes() {
    let deny = errno(libc::EPERM);
    // call, arguments, then the answers where signals are kept inside and where they are not
    let table: [(libc::c_long, [u64; 6], u32, u32); 22] = [
        (libc::SYS_prlimit64, [0, 7, 0, 0, 0, 0], ALLOW, ALLOW),
        (libc::SYS_prlimit64, [77, 7, 0, 0, 0, 0], deny, deny),
        (libc::SYS_sched_setaffinity, [0; 6], ALLOW, ALLOW),
        (libc::SYS_sched_setaffinity, [77, 0, 0, 0, 0, 0], deny, deny),
        (libc::SYS_setpriority, [0, 0, 5, 0, 0, 0], ALLOW, ALLOW),
        (libc::SYS_setpriority, [0, 77, 5, 0, 0, 0], deny, deny),
        (libc::SYS_setpriority, [2, 0, 5, 0, 0, 0], deny, deny),
        (libc::SYS_ioprio_set, [1, 0, 5, 0, 0, 0], ALLOW, ALLOW),
        (libc::SYS_ioprio_set, [3, 0, 5, 0, 0, 0], deny, deny),
        (libc::SYS_ioctl, [3, 0x5401, 0, 0, 0, 0], ALLOW, ALLOW),
        (libc::SYS_ioctl, [3, 0x4008_6602, 0, 0, 0, 0], deny, deny),
        (libc::SYS_ioctl, [3, 0x401C_5820, 0, 0, 0, 0], deny, deny),
        // BTRFS_IOC_SNAP_CREATE_V2, FAT_IOCTL_SET_ATTRIBUTES; FICLONE
        (libc::SYS_ioctl, [3, 0x5000_9417, 0, 0, 0, 0], deny, deny),
        (libc::SYS_ioctl, [3, 0x4004_7211, 0, 0, 0, 0], deny, deny),
        (libc::SYS_ioctl, [3, 0x4004_9409, 4, 0, 0, 0], ALLOW, ALLOW),
        (libc::SYS_ioctl, [3, 0x8901, 0, 0, 0, 0], ALLOW, deny),
        (libc::SYS_fcntl, [3, 8, 77, 0, 0, 0], ALLOW, deny),
        (libc::SYS_kill, [77, 9, 0, 0, 0, 0], ALLOW, deny),
        (libc::SYS_kill, [77, 0, 0, 0, 0, 0], ALLOW, ALLOW),
        (libc::SYS_kill, [0, 9, 0, 0, 0, 0], ALLOW, ALLOW),
        (libc::SYS_tgkill, [77, 77, 9, 0, 0, 0], ALLOW, deny),
        (libc::SYS_pidfd_send_signal, [3, 9, 0, 0, 0, 0], ALLOW, deny),
    ];
    for (number, args, scoped, not) in table {
        let answer = |host| under(on_host(Network::Deny, host), number, args);
        assert_eq!(answer(Host::Scoped), scoped, "{number} {args:?}");
        assert_eq!(answer(Host::Truncating), not, "{number} {args:?}");
    }
}

#[test]
fn without_namespaces_judges_unix_sockets_and_truncating_by_what_landlock_governs() {
    let deny = errno(libc::EPERM);
    let unix = [word(libc::AF_UNIX), 1, 0, 0, 0, 0];
    let socket = |host| under(on_host(Network::Full, host), libc::SYS_socket, unix);
    assert_eq!(socket(Host::Scoped), deny);
    assert_eq!(socket(Host::Resolving), ALLOW);
    // SOCK_STREAM, SOCK_DGRAM | SOCK_CLOEXEC, SOCK_RAW
    for (kind, scoped) in [(1, ALLOW), (0x8_0002, deny), (3, deny)] {
        let pair = |host| {
            let args = [word(libc::AF_UNIX), kind, 0, 0, 0, 0];
            under(on_host(Network::Full, host), libc::SYS_socketpair, args)
        };
        assert_eq!(
            [Host::Bare, Host::Scoped].map(pair),
            [scoped; 2],
            "{kind:#x}"
        );
        assert_eq!(pair(Host::Resolving), ALLOW);
    }
    let none = under(
        on_host(Network::Deny, Host::Resolving),
        libc::SYS_socket,
        unix,
    );
    assert_eq!(none, deny);
    let open = |host, flags| {
        let args = [0, 0, word(flags), 0, 0, 0];
        under(on_host(Network::Deny, host), libc::SYS_openat, args)
    };
    let table = [
        (libc::O_RDONLY, ALLOW),
        (libc::O_TRUNC, deny),
        (libc::O_TRUNC | libc::O_WRONLY, ALLOW),
        (libc::O_TRUNC | libc::O_RDWR, ALLOW),
        (libc::O_TRUNC | libc::O_WRONLY | libc::O_RDWR, deny),
    ];
    for (flags, want) in table {
        assert_eq!(open(Host::Bare, flags), want, "{flags:#o}");
        assert_eq!(open(Host::Truncating, flags), ALLOW, "{flags:#o}");
    }
    let truncate = |host| under(on_host(Network::Deny, host), libc::SYS_truncate, [0; 6]);
    assert_eq!(
        (truncate(Host::Bare), truncate(Host::Scoped)),
        (deny, ALLOW)
    );
}
