// SPDX-License-Identifier: Apache-2.0
//! The seccomp filter (`seccomp(2)`).
//!
//! A short prologue of ours judges by number alone, halving the numbers: it kills
//! other architectures, answers `EPERM` to what is denied whole, and `ENOSYS` to what must look
//! absent: x32 calls, `clone3` and `openat2` (their arguments lie in memory where no filter can
//! look; libc falls back to `clone` and `openat`), `io_uring`, and every call newer than those
//! reviewed here. What depends on arguments is written in `seccompiler`'s rules.

mod calls;
mod host;
mod rules;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch, sock_filter};

use crate::error::SandboxError;
use crate::plan::{LaunchPlan, Network};
use crate::stream;
use crate::surface::Profile;
use calls::{ABSENT, DEBUGGING, DENIED, DENIED_HERE, NEWEST_REVIEWED};
pub(crate) use host::Host;
use tree::{Answer, Entry, JUMP_EQUAL, LOAD, RETURN, instruction};

type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;

/// A compiled filter.
#[derive(Debug)]
pub(crate) struct Filter {
    /// The bytes of a `struct sock_filter` array.
    pub(crate) bytes: Vec<u8>,
    /// Their SHA-256, 64 lower-case hex digits.
    pub(crate) sha256: String,
}

/// What a filter depends on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Kind {
    pub(crate) network: Network,
    pub(crate) profile: Profile,
    /// Whether programs in memory may be executed.
    pub(crate) memory: bool,
    /// Where there are no namespaces: how much Landlock governs instead.
    pub(crate) host: Option<Host>,
}

impl Kind {
    /// Returns what a plan asks for.
    pub(crate) const fn of(plan: &LaunchPlan) -> Self {
        Self {
            network: plan.network,
            profile: plan.profile,
            memory: plan.allow_exec_from_memory,
            host: None,
        }
    }

    /// Returns what a plan gets without namespaces, under an ABI of Landlock.
    pub(crate) const fn on_host(plan: &LaunchPlan, abi: u32) -> Self {
        Self {
            host: Some(Host::of_abi(abi)),
            ..Self::of(plan)
        }
    }

    const fn slot(self) -> usize {
        let network = match self.network {
            Network::Deny => 0,
            Network::Full => 1,
        };
        let profile = match self.profile {
            Profile::Strict => 0,
            Profile::Compat => 2,
        };
        let host = match self.host {
            None => 0,
            Some(host) => 8_usize.saturating_add(host.slot().saturating_mul(8)),
        };
        host | network | profile | if self.memory { 4 } else { 0 }
    }
}

/// Returns the filter of a kind; compiled once per process.
///
/// # Errors
/// [`SandboxError::Compile`]: a defect, since nothing in it depends on input but the kind.
pub(crate) fn of(kind: Kind) -> Result<&'static Filter, SandboxError> {
    static FILTERS: [OnceLock<Filter>; 40] = [const { OnceLock::new() }; 40];
    let cell = FILTERS
        .get(kind.slot())
        .ok_or_else(|| SandboxError::Compile {
            what: "the seccomp filter",
            message: "a kind without a place".to_owned(),
        })?;
    if let Some(filter) = cell.get() {
        return Ok(filter);
    }
    let bytes = compile(kind)?;
    let sha256 = stream::sha256(&bytes);
    Ok(cell.get_or_init(|| Filter { bytes, sha256 }))
}

fn compile(kind: Kind) -> Result<Vec<u8>, SandboxError> {
    let failed = |error: seccompiler::BackendError| SandboxError::Compile {
        what: "the seccomp filter",
        message: error.to_string(),
    };
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(failed)?;
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let mut rules = rules::of(kind).map_err(failed)?;
    // the tree answers these before any rule is asked
    rules.retain(|call, _| !is_denied(*call, kind));
    let tree = tree::write(&answers(kind, &rules)).ok_or_else(|| SandboxError::Compile {
        what: "the seccomp filter",
        message: "more calls than a jump can pass".to_owned(),
    })?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, arch).map_err(failed)?;
    let body: BpfProgram = filter.try_into().map_err(failed)?;
    Ok(prologue()
        .into_iter()
        .chain(tree)
        .chain(body)
        .flat_map(|instruction| bytes_of(&instruction))
        .collect())
}

fn bytes_of(instruction: &sock_filter) -> impl Iterator<Item = u8> + use<> {
    let code = instruction.code.to_ne_bytes().into_iter();
    let operand = instruction.k.to_ne_bytes();
    code.chain([instruction.jt, instruction.jf]).chain(operand)
}

/// `AUDIT_ARCH_*` of the architecture this is built for (`include/uapi/linux/audit.h`).
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xC000_00B7;

/// Kills calls of another architecture, whose numbers mean something else, and loads the number.
fn prologue() -> [sock_filter; 4] {
    const OFFSET_OF_NUMBER: u32 = 0;
    const OFFSET_OF_ARCH: u32 = 4;
    [
        instruction(LOAD, 0, 0, OFFSET_OF_ARCH),
        instruction(JUMP_EQUAL, 1, 0, NATIVE),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        instruction(LOAD, 0, 0, OFFSET_OF_NUMBER),
    ]
}

/// Returns the answer of every number: an entry where it differs from that of the number before.
fn answers(kind: Kind, rules: &Rules) -> Vec<Entry> {
    let mut out: Vec<Entry> = Vec::new();
    for number in 0..=NEWEST_REVIEWED.saturating_add(1) {
        let answer = answer(number, kind, rules);
        if out.last().is_none_or(|(_, before)| *before != answer) {
            out.push((number, answer));
        }
    }
    out
}

fn answer(number: u32, kind: Kind, rules: &Rules) -> Answer {
    let call = libc::c_long::from(number);
    if number > NEWEST_REVIEWED || ABSENT.contains(&call) {
        Answer::Errno(libc::ENOSYS)
    } else if is_denied(call, kind) {
        Answer::Errno(libc::EPERM)
    } else if rules.contains_key(&call) {
        Answer::Ask
    } else {
        Answer::Allow
    }
}

/// Returns whether a call is denied whatever its arguments are.
fn is_denied(call: libc::c_long, kind: Kind) -> bool {
    DENIED.contains(&call)
        || DENIED_HERE.contains(&call)
        || (kind.profile == Profile::Strict && DEBUGGING.contains(&call))
        // no command without a network has anybody to connect to but who listens on a file
        || (kind.network == Network::Deny && call == libc::SYS_connect)
        || kind.host.is_some_and(|on| host::is_denied(call, on))
}
