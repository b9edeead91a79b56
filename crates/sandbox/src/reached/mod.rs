// SPDX-License-Identifier: Apache-2.0
//! Which limits were reached, from what was seen.

use ambit_launcher::Usage;

use crate::outcome::{End, Limit, LimitReached, Termination};
use crate::plan::LaunchPlan;
use crate::stream::StreamOutcome;
use crate::supervise::Stopped;

/// What was seen of a run besides how it ended.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) stopped: Option<Stopped>,
    pub(crate) usage: Usage,
    pub(crate) streams: [&'a StreamOutcome; 2],
    /// What was counted while it ran, in words, for limits that are counted.
    pub(crate) counted: Vec<LimitReached>,
}

/// The kernel limits by the ticks that it counted, and reports a run time that it measured: on a busy
/// machine the two are apart. At least this many thirds of the limit were used where it was reached.
const USED_THIRDS: u64 = 2;
const SECOND_US: u64 = 1_000_000;

/// Returns how a run ended that was killed for a limit.
pub(crate) const fn killed_for(limit: Limit) -> Termination {
    of_limit(limit, End::killed())
}

const fn of_limit(limit: Limit, end: End) -> Termination {
    match limit {
        Limit::Cpu => Termination::Cpu(end),
        Limit::FileSize => Termination::FileSize(end),
        Limit::Oom => Termination::Oom(end),
        Limit::Output => Termination::Output(end),
        Limit::Pids => Termination::Pids(end),
        Limit::Timeout => Termination::TimedOut,
    }
}

/// Returns the limits that were seen to be reached, and how the run ended in their light: a limit is
/// the reason only of an end that was not a good one, but for output, whose rest was lost.
pub(crate) fn judge(
    termination: Termination,
    plan: &LaunchPlan,
    seen: Seen<'_>,
) -> (Termination, Vec<LimitReached>) {
    let mut reached = seen.counted;
    let said = |limit, evidence: String| LimitReached { limit, evidence };
    if let Some(most) = plan.limits.max_output_bytes
        && seen.streams.iter().any(|stream| stream.cut)
    {
        let evidence = format!("more than {most} bytes of output came");
        reached.push(said(Limit::Output, evidence));
    }
    if seen.stopped == Some(Stopped::TimedOut) {
        let evidence = format!("it still ran {} ms after the start", plan.timeout_ms);
        reached.push(said(Limit::Timeout, evidence));
    }
    if let Termination::Signaled { signal } = termination
        && seen.stopped.is_none()
    {
        reached.extend(of_signal(signal, plan, seen.usage));
    }
    reached.sort_by_key(|found| found.limit);
    reached.dedup_by_key(|found| found.limit);
    (in_light_of(termination, &reached), reached)
}

/// What a signal says that the kernel sends for a limit. Anyone may send it, so it counts only where
/// there is a limit and, for CPU time, where that was used.
fn of_signal(signal: i32, plan: &LaunchPlan, usage: Usage) -> Option<LimitReached> {
    let used_us = usage.user_us.saturating_add(usage.system_us);
    let used = |seconds: u64| {
        let limit = seconds.saturating_mul(SECOND_US);
        used_us.saturating_mul(3) >= limit.saturating_mul(USED_THIRDS)
    };
    let ms = used_us.checked_div(1000).unwrap_or_default();
    match signal {
        libc::SIGXCPU => plan
            .limits
            .cpu_sec
            .filter(|&limit| used(limit))
            .map(|limit| {
                let evidence = format!("SIGXCPU at {limit} s; {ms} ms of processor time were used");
                LimitReached {
                    limit: Limit::Cpu,
                    evidence,
                }
            }),
        // who does not end at SIGXCPU is killed a second later
        libc::SIGKILL => plan
            .limits
            .cpu_sec
            .filter(|limit| used(limit.saturating_add(1)))
            .map(|limit| {
                let evidence = format!(
                    "SIGKILL, and {ms} ms of processor time were used, a second more than {limit} s"
                );
                LimitReached {
                    limit: Limit::Cpu,
                    evidence,
                }
            }),
        libc::SIGXFSZ => plan.limits.max_file_size_bytes.map(|limit| LimitReached {
            limit: Limit::FileSize,
            evidence: format!("SIGXFSZ, with files of at most {limit} bytes"),
        }),
        _ => None,
    }
}

fn in_light_of(termination: Termination, reached: &[LimitReached]) -> Termination {
    let found = |limit| reached.iter().any(|found| found.limit == limit);
    let ended = match termination {
        Termination::Exited { .. } | Termination::Signaled { .. } => End::of(termination),
        // where memory ran out the kernel kills all of a control group, the launcher too
        Termination::SandboxLost if found(Limit::Oom) => Some(End::killed()),
        Termination::Cancelled
        | Termination::Cpu(_)
        | Termination::FileSize(_)
        | Termination::NotFound
        | Termination::NotExecutable { .. }
        | Termination::Oom(_)
        | Termination::Output(_)
        | Termination::Pids(_)
        | Termination::SandboxLost
        | Termination::TimedOut => None,
    };
    let Some(end) = ended else {
        return termination;
    };
    if found(Limit::Output) {
        return of_limit(Limit::Output, end);
    }
    if end.code == Some(0) {
        return termination;
    }
    [Limit::Oom, Limit::Cpu, Limit::FileSize, Limit::Pids]
        .into_iter()
        .find(|&limit| found(limit))
        .map_or(termination, |limit| of_limit(limit, end))
}

#[cfg(test)]
mod tests;
