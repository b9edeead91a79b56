// SPDX-License-Identifier: Apache-2.0
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a machine for filters of known size; a test may overflow"
)]

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

fn under(network: Network, number: i64, args: [u64; 6]) -> u32 {
    judge(&compile(network).unwrap(), NATIVE, number, args)
}

#[test]
fn denies_every_listed_call_with_eperm() {
    for number in DENIED.iter().chain(DENIED_HERE) {
        assert_eq!(
            under(Network::Full, *number, [0; 6]),
            errno(libc::EPERM),
            "{number}"
        );
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
            under(Network::Deny, number, [0; 6]),
            errno(libc::ENOSYS),
            "{number:#x}"
        );
    }
}

#[test]
fn kills_other_architectures() {
    let filter = compile(Network::Deny).unwrap();
    for arch in [0x4000_0003_u32, 0x4000_0028, 0xC000_0015] {
        for number in [20, 310, libc::SYS_clone3, libc::SYS_mount, 0x4000_0000] {
            let found = judge(&filter, arch, number, [0; 6]);
            assert_eq!(found, KILL_PROCESS, "{arch:#x} {number}");
        }
    }
}

type Call = (libc::c_long, [u64; 6], u32);

fn assert_judged(network: Network, table: &[Call]) {
    for (number, args, want) in table {
        let found = under(network, *number, *args);
        assert_eq!(found, *want, "{network:?} {number} {args:x?}");
    }
}

const EPERM: u32 = 0x0005_0001;

#[test]
fn judges_processes_and_terminals_by_argument() {
    let newuser = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
    let thread = u64::from((libc::CLONE_VM | libc::CLONE_THREAD).unsigned_abs());
    assert_judged(
        Network::Deny,
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
    assert_judged(Network::Deny, &table);
}

#[test]
fn judges_sockets_by_network() {
    let family = |family: i32, protocol: u64| [word(family), 1, protocol, 0, 0, 0];
    let socket = libc::SYS_socket;
    let pair = |kind: i32| [word(libc::AF_UNIX), word(kind), 0, 0, 0, 0];
    assert_judged(
        Network::Deny,
        &[
            (socket, family(libc::AF_UNIX, 0), EPERM),
            (socket, family(libc::AF_INET, 0), EPERM),
            (libc::SYS_socketpair, family(libc::AF_UNIX, 0), ALLOW),
            (libc::SYS_socketpair, family(libc::AF_TIPC, 0), EPERM),
            (libc::SYS_socketpair, pair(libc::SOCK_DGRAM), EPERM),
            (libc::SYS_socketpair, pair(libc::SOCK_RAW), EPERM),
            (
                libc::SYS_socketpair,
                pair(libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC),
                ALLOW,
            ),
        ],
    );
    assert_judged(
        Network::Full,
        &[
            (socket, family(libc::AF_UNIX, 0), ALLOW),
            (libc::SYS_socketpair, pair(libc::SOCK_DGRAM), ALLOW),
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
        .copied()
        .chain(rules(Network::Full).unwrap().into_keys())
        .collect();
    let mut allowed = 0;
    for number in (0..=i64::from(NEWEST_REVIEWED)).filter(|number| !judged.contains(number)) {
        assert_eq!(
            under(Network::Full, number, [u64::MAX; 6]),
            ALLOW,
            "{number}"
        );
        allowed += 1;
    }
    assert!(allowed > 250, "{allowed}");
}

#[test]
fn stays_small_since_the_kernel_compiles_it_at_each_launch() {
    for network in [Network::Deny, Network::Full] {
        let instructions = compile(network).unwrap().len() / 8;
        assert!(instructions < 500, "{network:?}: {instructions}");
    }
}

/// The same policy written in `seccompiler`'s rules alone.
fn reference(network: Network) -> Vec<u8> {
    let mut all = rules(network).unwrap();
    all.extend(
        DENIED
            .iter()
            .chain(DENIED_HERE)
            .map(|call| (*call, Vec::new())),
    );
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let filter = SeccompFilter::new(all, SeccompAction::Allow, denied, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    program.iter().flat_map(bytes_of).collect()
}

#[test]
fn judges_every_call_as_seccompilers_own_layout_does() {
    let one_bit = (0..32).flat_map(|bit| (0..5).map(move |argument| (argument, 1_u64 << bit)));
    let mut samples = vec![[0; 6], [u64::from(u32::MAX); 6], [u64::MAX; 6]];
    for (argument, value) in one_bit {
        let mut args = [0; 6];
        args[argument] = value;
        samples.push(args);
        // a creating open has two arguments that matter
        args[if argument < 2 { 1 } else { 2 }] |= 0o100;
        samples.push(args);
    }
    for network in [Network::Deny, Network::Full] {
        let (ours, theirs) = (compile(network).unwrap(), reference(network));
        for number in 0..=i64::from(NEWEST_REVIEWED) {
            if ABSENT.contains(&number) {
                continue;
            }
            for args in &samples {
                let (a, b) = (
                    judge(&ours, NATIVE, number, *args),
                    judge(&theirs, NATIVE, number, *args),
                );
                assert_eq!(a, b, "{network:?} {number} {args:x?}");
            }
        }
    }
}

#[test]
fn finds_a_constant_answer_in_few_steps() {
    let rules = rules(Network::Deny).unwrap();
    let tree = tree::write(&answers(&rules)).unwrap();
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
