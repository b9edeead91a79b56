// SPDX-License-Identifier: Apache-2.0
use super::*;

fn plan(limits: &str) -> LaunchPlan {
    let text = format!(
        r#"{{"executable":"/bin/true","argv":["true"],"env":{{}},"cwd":"/usr","read_paths":[],
            "write_paths":[],"network":"deny","timeout_ms":1500,"limits":{limits}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

const LIMITS: &str = r#"{"cpu_sec":2,"max_file_size_bytes":10,"max_output_bytes":5}"#;

/// Judges an end after so much CPU time, and names the limits that were reached.
fn judged(
    termination: Termination,
    limits: &str,
    cpu_ms: u64,
    stopped: Option<Stopped>,
) -> (Termination, Vec<Limit>) {
    let nothing = StreamOutcome::empty();
    let seen = Seen {
        stopped,
        usage: Usage {
            user_us: cpu_ms.saturating_mul(1000),
            ..Usage::default()
        },
        streams: [&nothing, &nothing],
        counted: Vec::new(),
    };
    let (termination, reached) = judge(termination, &plan(limits), seen);
    (termination, reached.iter().map(|it| it.limit).collect())
}

#[test]
fn a_signal_counts_only_with_its_limit_and_with_what_was_used() {
    let by = |signal| Termination::Signaled { signal };
    let end = |signal| End {
        code: None,
        signal: Some(signal),
    };
    let (xcpu, xfsz, kill) = (libc::SIGXCPU, libc::SIGXFSZ, libc::SIGKILL);
    let table = [
        (
            xcpu,
            LIMITS,
            2000,
            Some((Termination::Cpu(end(xcpu)), Limit::Cpu)),
        ),
        // sent by somebody, long before the time was used
        (xcpu, LIMITS, 100, None),
        (xcpu, "{}", 2000, None),
        (
            kill,
            LIMITS,
            3000,
            Some((Termination::Cpu(end(kill)), Limit::Cpu)),
        ),
        (kill, LIMITS, 1900, None),
        (kill, "{}", 9000, None),
        (
            xfsz,
            LIMITS,
            0,
            Some((Termination::FileSize(end(xfsz)), Limit::FileSize)),
        ),
        (xfsz, "{}", 0, None),
        (libc::SIGTERM, LIMITS, 9000, None),
    ];
    for (signal, limits, ms, want) in table {
        let got = judged(by(signal), limits, ms, None);
        let want = want.map_or_else(|| (by(signal), vec![]), |(how, limit)| (how, vec![limit]));
        assert_eq!(got, want, "signal {signal} after {ms} ms with {limits}");
    }
}

#[test]
fn a_kill_of_ours_is_no_limit_on_cpu_time() {
    let killed = Termination::Signaled { signal: 9 };
    for stopped in [Stopped::Cancelled, Stopped::Reached(Limit::Output)] {
        assert_eq!(
            judged(killed, LIMITS, 9000, Some(stopped)),
            (killed, vec![])
        );
    }
    let timed_out = judged(Termination::TimedOut, LIMITS, 9000, Some(Stopped::TimedOut));
    assert_eq!(timed_out, (Termination::TimedOut, vec![Limit::Timeout]));
}

#[test]
fn lost_output_is_the_outcome_even_of_a_good_end() {
    let cut = StreamOutcome {
        cut: true,
        ..StreamOutcome::empty()
    };
    let nothing = StreamOutcome::empty();
    let table = [
        (
            Termination::Exited { code: 0 },
            Termination::Output(End {
                code: Some(0),
                signal: None,
            }),
        ),
        (
            Termination::Signaled { signal: 9 },
            Termination::Output(End::killed()),
        ),
        (
            Termination::Output(End::killed()),
            Termination::Output(End::killed()),
        ),
        (Termination::Cancelled, Termination::Cancelled),
        (Termination::TimedOut, Termination::TimedOut),
    ];
    for (ended, want) in table {
        let seen = Seen {
            stopped: Some(Stopped::Reached(Limit::Output)),
            usage: Usage::default(),
            streams: [&nothing, &cut],
            counted: Vec::new(),
        };
        let (termination, reached) = judge(ended, &plan(LIMITS), seen);
        assert_eq!(termination, want, "{ended:?}");
        let evidence = "more than 5 bytes of output came".to_owned();
        assert_eq!(
            reached,
            [LimitReached {
                limit: Limit::Output,
                evidence
            }]
        );
    }
}

#[test]
fn a_counted_limit_is_the_reason_of_a_failure_and_of_nothing_else() {
    let counted = |limit| LimitReached {
        limit,
        evidence: "counted".to_owned(),
    };
    let failed = End {
        code: Some(2),
        signal: None,
    };
    let nothing = StreamOutcome::empty();
    let table = [
        (
            Termination::Exited { code: 0 },
            Limit::Pids,
            Termination::Exited { code: 0 },
        ),
        (
            Termination::Exited { code: 2 },
            Limit::Pids,
            Termination::Pids(failed),
        ),
        (
            Termination::Signaled { signal: 9 },
            Limit::Oom,
            Termination::Oom(End::killed()),
        ),
        (
            Termination::SandboxLost,
            Limit::Oom,
            Termination::Oom(End::killed()),
        ),
        (
            Termination::SandboxLost,
            Limit::Pids,
            Termination::SandboxLost,
        ),
        (Termination::NotFound, Limit::Oom, Termination::NotFound),
    ];
    for (ended, limit, want) in table {
        let seen = Seen {
            stopped: None,
            usage: Usage::default(),
            streams: [&nothing, &nothing],
            counted: vec![counted(limit)],
        };
        let (termination, reached) = judge(ended, &plan("{}"), seen);
        assert_eq!((termination, reached), (want, vec![counted(limit)]));
    }
}
