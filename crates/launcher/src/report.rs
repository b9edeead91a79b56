// SPDX-License-Identifier: Apache-2.0
//! What the launcher says: fixed-size messages, so that sending one needs no memory.

/// Size of every report on the wire, bytes.
pub const REPORT_BYTES: usize = 8 * WORDS;
const WORDS: usize = 20;

/// Where the launcher stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Receiving or reading the program.
    Program,
    /// The step with this index (from 0).
    Step(u32),
    /// Starting the process of the command (`clone`, pipe).
    Fork,
    /// Inside that process, before `execve(2)`: session, limits, descriptors, working directory.
    Prepare(u32),
    /// Installing the seccomp filter.
    Filter,
    /// Comparing what the kernel reports with what was asked for.
    Observe,
    /// `execve(2)` of the segment with this index (from 0).
    Exec(u32),
}

/// What the kernel answered when asked from inside, after all restrictions were in place and
/// before the command started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Inode numbers of the cgroup, ipc, mnt, net, pid, user and uts namespaces.
    pub namespaces: [u64; 7],
    /// `prctl(PR_GET_NO_NEW_PRIVS)`: 1 when set.
    pub no_new_privs: u64,
    /// `prctl(PR_GET_SECCOMP)`: 2 when a filter is in force.
    pub seccomp_mode: u64,
    /// Effective, permitted and inheritable capability sets, or-ed together.
    pub capabilities: u64,
    /// The bounding set.
    pub bounding: u64,
    /// The ambient set.
    pub ambient: u64,
    /// Whether Landlock was seen to hold: 1 when the ruleset took away a right that was there
    /// before, 0 when there was none to try it on.
    pub landlock: u64,
    /// The highest process number that the pid namespace gives out, where it was limited; else 0.
    pub pid_max: u64,
}

/// Resources used by the command and all its reaped descendants (`getrusage(2)`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user mode, microseconds.
    pub user_us: u64,
    /// CPU time in the kernel, microseconds.
    pub system_us: u64,
    /// Largest resident set of one process, KiB.
    pub max_rss_kib: u64,
}

/// A message from the launcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The first process of a segment ended: wait status as `wait4(2)` gives it.
    Exited {
        /// Index of the segment, from 0.
        segment: u64,
        /// Raw wait status.
        status: u64,
        /// Resources used.
        usage: Usage,
    },
    /// Nothing runs: a stage failed.
    Failed {
        /// Which one.
        stage: Stage,
        /// The kernel's error number, 0 when the program itself was unreadable.
        errno: u64,
    },
    /// The command was started, under these restrictions.
    Started(Observation),
    /// The outer end of the command's terminal comes with this message.
    Terminal,
    /// `execve(2)` has succeeded in every segment.
    Executing,
}

impl Report {
    /// Returns the message as it goes over the socket.
    pub fn encode(&self) -> [u8; REPORT_BYTES] {
        let mut words = [0_u64; WORDS];
        match *self {
            Self::Exited {
                segment,
                status,
                usage,
            } => {
                let Usage {
                    user_us,
                    system_us,
                    max_rss_kib,
                } = usage;
                fill(
                    &mut words,
                    &[1, segment, status, user_us, system_us, max_rss_kib],
                );
            }
            Self::Failed { stage, errno } => {
                let (kind, index) = stage_words(stage);
                fill(&mut words, &[2, kind, index, errno]);
            }
            Self::Terminal => fill(&mut words, &[4]),
            Self::Executing => fill(&mut words, &[5]),
            Self::Started(seen) => {
                let tail = [
                    seen.no_new_privs,
                    seen.seccomp_mode,
                    seen.capabilities,
                    seen.bounding,
                    seen.ambient,
                    seen.landlock,
                    seen.pid_max,
                ];
                fill(&mut words, &[3]);
                fill(words.get_mut(1..).unwrap_or_default(), &seen.namespaces);
                fill(words.get_mut(8..).unwrap_or_default(), &tail);
            }
        }
        let mut out = [0_u8; REPORT_BYTES];
        for (chunk, word) in out.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        out
    }

    /// Reads a message; `None` for any other size or tag.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != REPORT_BYTES {
            return None;
        }
        let mut words = [0_u64; WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(chunk.try_into().ok()?);
        }
        let [tag, rest @ ..] = words;
        match tag {
            1 => {
                let [segment, status, user_us, system_us, max_rss_kib, ..] = rest;
                let usage = Usage {
                    user_us,
                    system_us,
                    max_rss_kib,
                };
                Some(Self::Exited {
                    segment,
                    status,
                    usage,
                })
            }
            2 => {
                let [kind, index, errno, ..] = rest;
                let stage = stage_of(kind, index)?;
                Some(Self::Failed { stage, errno })
            }
            3 => Some(Self::Started(observation(rest)?)),
            4 => Some(Self::Terminal),
            5 => Some(Self::Executing),
            _ => None,
        }
    }
}

fn observation(words: [u64; WORDS - 1]) -> Option<Observation> {
    let (namespaces, rest) = words.split_first_chunk()?;
    let (flags, _) = rest.split_first_chunk()?;
    let [
        no_new_privs,
        seccomp_mode,
        capabilities,
        bounding,
        ambient,
        landlock,
        pid_max,
    ] = *flags;
    Some(Observation {
        namespaces: *namespaces,
        no_new_privs,
        seccomp_mode,
        capabilities,
        bounding,
        ambient,
        landlock,
        pid_max,
    })
}

fn fill(into: &mut [u64], from: &[u64]) {
    for (slot, value) in into.iter_mut().zip(from) {
        *slot = *value;
    }
}

const fn stage_words(stage: Stage) -> (u64, u64) {
    match stage {
        Stage::Program => (1, 0),
        Stage::Step(index) => (2, index as u64),
        Stage::Fork => (3, 0),
        Stage::Prepare(part) => (4, part as u64),
        Stage::Filter => (5, 0),
        Stage::Exec(index) => (6, index as u64),
        Stage::Observe => (7, 0),
    }
}

fn stage_of(kind: u64, index: u64) -> Option<Stage> {
    let index = u32::try_from(index).ok()?;
    match kind {
        1 => Some(Stage::Program),
        2 => Some(Stage::Step(index)),
        3 => Some(Stage::Fork),
        4 => Some(Stage::Prepare(index)),
        5 => Some(Stage::Filter),
        6 => Some(Stage::Exec(index)),
        7 => Some(Stage::Observe),
        _ => None,
    }
}
