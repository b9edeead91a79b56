// SPDX-License-Identifier: Apache-2.0
//! What an append keeps, and what it refuses.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::{append, entry, open, seal};
use ambit_store::{
    AppendError, ChainEnd, Entry, Head, Ledger, LedgerError, MAX_ENTRY_BYTES, NewEntry,
    OpenOptions, Phase, Position, RunId,
};
use sha2::{Digest as _, Sha256};

#[test]
fn keeps_what_was_sealed_at_the_position_that_was_given() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(root.path().join("ledger").as_path());
    let positions = Arc::new(Mutex::new(Vec::new()));
    let mut want = Vec::new();
    let phases = [
        Phase::Refusal,
        Phase::Intent,
        Phase::Outcome,
        Phase::Refusal,
    ];
    // The clock goes backwards, and to its ends.
    let clock = [0, i64::MAX, i64::MIN, -1];
    for (index, (phase, created_at_ms)) in phases.into_iter().zip(clock).enumerate() {
        let bytes = vec![u8::try_from(index).unwrap(); index + 1];
        let run_id = RunId::try_from("run").unwrap();
        let new = NewEntry {
            created_at_ms,
            ..entry(phase, "run")
        };
        let (seen, sealed) = (Arc::clone(&positions), bytes.clone());
        let appended = ledger
            .append(new, move |position| {
                seen.lock().unwrap().push(position.clone());
                Ok::<_, Infallible>(sealed)
            })
            .unwrap();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let seq = u64::try_from(want.len()).unwrap() + 1;
        assert_eq!((appended.seq, appended.digest), (seq, digest));
        let previous = want.last().map(|last: &Entry| last.digest);
        want.push(Entry {
            seq,
            phase,
            run_id,
            created_at_ms,
            previous,
            digest,
            bytes,
        });
    }
    let want_positions: Vec<Position> = want
        .iter()
        .map(|entry| Position {
            ledger_id: ledger.id().clone(),
            seq: entry.seq,
            previous: entry.previous,
        })
        .collect();
    assert_eq!(*positions.lock().unwrap(), want_positions);
    assert_eq!(ledger.entries(1, 100).unwrap(), want);
    assert_eq!(ledger.entry(3).unwrap().as_ref(), Some(&want[2]));

    drop(ledger);
    let again = open(root.path().join("ledger").as_path());
    assert_eq!(again.id(), &want_positions[0].ledger_id);
    assert_eq!(again.entries(1, 100).unwrap(), want);
    let head = Head {
        seq: 4,
        digest: want[3].digest,
    };
    assert_eq!(again.head().unwrap(), Some(head));
}

#[test]
fn an_empty_ledger_has_no_head_and_a_complete_chain() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    assert_eq!(ledger.head().unwrap(), None);
    assert_eq!(ledger.entry(0).unwrap(), None);
    assert_eq!(ledger.entry(1).unwrap(), None);
    assert_eq!(ledger.entries(0, 10).unwrap(), []);
    assert_eq!(ledger.orphans().unwrap(), []);
    let report = ledger
        .check_chain(|_| std::ops::ControlFlow::Continue(()))
        .unwrap();
    assert_eq!((report.last, report.end), (None, ChainEnd::Complete));
}

#[test]
fn a_run_is_opened_once_and_closed_once() {
    use Phase::{Intent, Outcome, Refusal};
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let steps: &[(Phase, &str, Result<u64, &str>)] = &[
        (Outcome, "a", Err("ERR_LEDGER_RUN_UNKNOWN")),
        (Refusal, "a", Ok(1)),
        (Outcome, "a", Err("ERR_LEDGER_RUN_UNKNOWN")),
        (Refusal, "a", Ok(2)),
        (Intent, "a", Ok(3)),
        (Intent, "a", Err("ERR_LEDGER_RUN_EXISTS")),
        (Intent, "b", Ok(4)),
        (Outcome, "a", Ok(5)),
        (Outcome, "a", Err("ERR_LEDGER_RUN_CLOSED")),
        (Intent, "a", Err("ERR_LEDGER_RUN_EXISTS")),
        (Outcome, "b", Ok(6)),
        (Outcome, "B", Err("ERR_LEDGER_RUN_UNKNOWN")),
    ];
    for (index, (phase, run, want)) in steps.iter().enumerate() {
        let got = append(&ledger, *phase, run);
        let got = got.as_ref().map(|done| done.seq).map_err(LedgerError::code);
        assert_eq!(got, *want, "step {index}");
    }
    assert_eq!(ledger.head().unwrap().map(|head| head.seq), Some(6));
}

#[test]
fn a_refused_entry_is_never_sealed() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let sealed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&sealed);
    let result = ledger.append(entry(Phase::Outcome, "a"), move |position| {
        seen.store(true, Ordering::SeqCst);
        Ok::<_, Infallible>(seal(position))
    });
    assert!(matches!(result, Err(AppendError::Ledger(_))), "{result:?}");
    assert!(!sealed.load(Ordering::SeqCst));
}

#[test]
fn a_seal_that_fails_or_panics_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    append(&ledger, Phase::Intent, "a").unwrap();
    let before = ledger.entries(1, 10).unwrap();

    for (phase, run) in [
        (Phase::Outcome, "a"),
        (Phase::Intent, "b"),
        (Phase::Refusal, "c"),
    ] {
        let new = entry(phase, run);
        let failed = ledger.append(new.clone(), |_| Err::<Vec<u8>, _>("no key"));
        assert!(
            matches!(failed, Err(AppendError::Seal("no key"))),
            "{failed:?}"
        );
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            ledger.append(new, |_| -> Result<Vec<u8>, ()> { panic!("seal") })
        }));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"seal"));
        assert_eq!(ledger.entries(1, 10).unwrap(), before);
    }
    // Neither the closed nor the opened run was kept, and the numbers have no gap.
    assert_eq!(append(&ledger, Phase::Intent, "b").unwrap().seq, 2);
    assert_eq!(append(&ledger, Phase::Outcome, "a").unwrap().seq, 3);
}

#[test]
fn an_entry_has_at_least_one_byte_and_at_most_the_limit() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let cases = [
        (0, Err("ERR_LEDGER_ENTRY_SIZE")),
        (1, Ok(1)),
        (MAX_ENTRY_BYTES, Ok(2)),
        (MAX_ENTRY_BYTES + 1, Err("ERR_LEDGER_ENTRY_SIZE")),
        (1, Ok(3)),
    ];
    for (size, want) in cases {
        let got = ledger.append(entry(Phase::Refusal, "a"), move |_| {
            Ok::<_, Infallible>(vec![7; size])
        });
        let got = match &got {
            Ok(appended) => Ok(appended.seq),
            Err(AppendError::Ledger(error)) => Err(error.code()),
            Err(AppendError::Seal(never)) => match *never {},
        };
        assert_eq!(got, want, "{size} bytes");
    }
    assert_eq!(
        ledger.entry(2).unwrap().unwrap().bytes,
        vec![7; MAX_ENTRY_BYTES]
    );
}

#[test]
fn pages_are_bounded_and_together_hold_every_entry() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    // 9 × 3 MiB: more than one page of bytes.
    for index in 0..9 {
        let run = if index % 2 == 0 { "even" } else { "odd" };
        ledger
            .append(entry(Phase::Refusal, run), move |_| {
                Ok::<_, Infallible>(vec![index; 3 << 20])
            })
            .unwrap();
    }
    let seqs = |entries: Vec<Entry>| entries.iter().map(|entry| entry.seq).collect::<Vec<_>>();
    assert_eq!(seqs(ledger.entries(0, 2).unwrap()), [1, 2]);
    assert_eq!(seqs(ledger.entries(2, 3).unwrap()), [2, 3, 4]);
    assert_eq!(seqs(ledger.entries(1, 100).unwrap()), [1, 2, 3, 4, 5, 6]);
    assert_eq!(seqs(ledger.entries(7, 100).unwrap()), [7, 8, 9]);
    assert_eq!(seqs(ledger.entries(10, 100).unwrap()), [0; 0]);
    assert_eq!(seqs(ledger.entries(u64::MAX, 100).unwrap()), [0; 0]);
    assert_eq!(seqs(ledger.entries(1, 0).unwrap()), [0; 0]);
    let (even, odd) = (
        RunId::try_from("even").unwrap(),
        RunId::try_from("odd").unwrap(),
    );
    assert_eq!(seqs(ledger.by_run(&odd, 1, 100).unwrap()), [2, 4, 6, 8]);
    assert_eq!(seqs(ledger.by_run(&even, 4, 2).unwrap()), [5, 7]);
    assert_eq!(
        seqs(ledger.by_run(&RunId::try_from("x").unwrap(), 1, 9).unwrap()),
        [0; 0]
    );
    let report = ledger
        .check_chain(|_| std::ops::ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(
        (report.last.map(|last| last.seq), report.end),
        (Some(9), ChainEnd::Complete)
    );
}

#[test]
fn threads_share_a_ledger_without_gap_or_fork() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let ledger = &ledger;
            scope.spawn(move || {
                for run in 0..10 {
                    let run = format!("{thread}-{run}");
                    append(ledger, Phase::Intent, &run).unwrap();
                    append(ledger, Phase::Outcome, &run).unwrap();
                }
            });
        }
    });
    let report = ledger
        .check_chain(|_| std::ops::ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(
        (report.last.map(|last| last.seq), report.end),
        (Some(160), ChainEnd::Complete)
    );
}

#[test]
fn a_writer_elsewhere_delays_appends_up_to_the_bound_and_readers_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let ledger = Ledger::open(
        &folder,
        &OpenOptions {
            busy_timeout_ms: 60,
        },
    )
    .unwrap();
    append(&ledger, Phase::Intent, "a").unwrap();
    let other = rusqlite::Connection::open(folder.join("ledger.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let start = Instant::now();
    let error = append(&ledger, Phase::Outcome, "a").unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_BUSY");
    assert_eq!(
        error.to_string(),
        "the ledger is busy: no turn within 60 ms"
    );
    assert!(
        start.elapsed() >= Duration::from_millis(50),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(ledger.entries(1, 10).unwrap().len(), 1);
    assert_eq!(ledger.orphans().unwrap(), []);

    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(append(&ledger, Phase::Outcome, "a").unwrap().seq, 2);
}

#[test]
fn a_long_read_elsewhere_does_not_delay_an_append() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let ledger = Ledger::open(&folder, &OpenOptions { busy_timeout_ms: 0 }).unwrap();
    append(&ledger, Phase::Refusal, "a").unwrap();
    let other = rusqlite::Connection::open(folder.join("ledger.db")).unwrap();
    other.execute_batch("BEGIN").unwrap();
    let count = || -> i64 {
        other
            .query_row("SELECT count(*) FROM entries", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(), 1);
    assert_eq!(append(&ledger, Phase::Refusal, "a").unwrap().seq, 2);
    assert_eq!(count(), 1);
}
