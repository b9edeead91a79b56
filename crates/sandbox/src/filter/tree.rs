// SPDX-License-Identifier: Apache-2.0
//! Answers that depend on the call's number alone, found by halving.
//!
//! When a filter is installed, the kernel runs it once for every number it knows
//! (`seccomp_cache_prepare`, kernel 5.11), and later for each call whose answer depends on its
//! arguments. A chain of comparisons makes both slow; a tree needs at most nine.

use seccompiler::sock_filter;

/// What a call's number says about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// The call is let through.
    Allow,
    /// Its arguments decide: the code after the tree goes on.
    Ask,
    /// The call fails with this error number.
    Errno(libc::c_int),
}

/// Answer of a number and of those after it, up to the next entry.
pub(super) type Entry = (u32, Answer);

/// Most instructions that a jump of `BPF_JMP` can pass over.
const FAR: usize = 255;

/// Writes a tree over `entries`, which are sorted and begin with number 0.
///
/// It expects the number in the accumulator and leaves it there. [`Answer::Ask`] goes on after the
/// last instruction. `None` for entries that are empty or a tree too long to jump over.
pub(super) fn write(entries: &[Entry]) -> Option<Vec<sock_filter>> {
    let mut out = node(entries)?;
    let length = out.len();
    for (index, instruction) in out.iter_mut().enumerate() {
        if instruction.code == JUMP && instruction.k == ASK {
            let rest = length.checked_sub(index)?.checked_sub(1)?;
            instruction.k = u32::try_from(rest).ok()?;
        }
    }
    Some(out)
}

fn node(entries: &[Entry]) -> Option<Vec<sock_filter>> {
    if let [(_, answer)] = entries {
        return Some(vec![leaf(*answer)]);
    }
    let (below, above) = entries.split_at(entries.len().checked_div(2)?);
    let (first, _) = above.first()?;
    let (below, above) = (node(below)?, node(above)?);
    let mut out = if below.len() > FAR {
        let distance = u32::try_from(below.len()).ok().filter(|far| *far != ASK)?;
        vec![
            instruction(JUMP_NOT_BELOW, 0, 1, *first),
            instruction(JUMP, 0, 0, distance),
        ]
    } else {
        let distance = u8::try_from(below.len()).ok()?;
        vec![instruction(JUMP_NOT_BELOW, distance, 0, *first)]
    };
    out.extend(below);
    out.extend(above);
    Some(out)
}

fn leaf(answer: Answer) -> sock_filter {
    match answer {
        Answer::Allow => instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        Answer::Ask => instruction(JUMP, 0, 0, ASK),
        Answer::Errno(number) => {
            let value = libc::SECCOMP_RET_ERRNO | number.unsigned_abs();
            instruction(RETURN, 0, 0, value)
        }
    }
}

/// Makes one instruction of classic BPF.
pub(super) const fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// `BPF_LD | BPF_W | BPF_ABS`.
pub(super) const LOAD: u16 = 0x20;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
pub(super) const JUMP_EQUAL: u16 = 0x15;
/// `BPF_RET | BPF_K`.
pub(super) const RETURN: u16 = 0x06;
const JUMP: u16 = 0x05;
const JUMP_NOT_BELOW: u16 = 0x35;
/// Stands for the distance to the end of the tree until that is known.
const ASK: u32 = u32::MAX;
