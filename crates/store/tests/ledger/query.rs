// SPDX-License-Identifier: Apache-2.0
//! Finding entries, and reading a ledger that is not ours to write.

use std::convert::Infallible;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use ambit_store::{Filter, Ledger, NewEntry, OpenOptions, Order, Phase, RunId};

use crate::common::{append, entry, open};

/// Entries with these phases, runs, times and payloads.
const ENTRIES: [(Phase, &str, i64, &str); 6] = [
    (
        Phase::Intent,
        "a",
        10,
        r#"{"payload":{"decision":"allow","agent_id":"x","reason_codes":[]}}"#,
    ),
    (
        Phase::Refusal,
        "b",
        20,
        r#"{"payload":{"decision":"deny","actor":{"agent_id":"y","session_id":"s"},"reason_codes":["A","B"]}}"#,
    ),
    (
        Phase::Outcome,
        "a",
        30,
        r#"{"payload":{"session_id":"s","error":{"code":"B"}}}"#,
    ),
    // the clock went backwards
    (
        Phase::Refusal,
        "b",
        5,
        r#"{"decision":"deny","agent_id":"x"}"#,
    ),
    (Phase::Refusal, "b", 40, "not JSON"),
    (
        Phase::Refusal,
        "d",
        50,
        r#"{"payload":{"decision":["deny"],"reason_codes":"A"}}"#,
    ),
];

fn ledger(root: &Path) -> Ledger {
    let ledger = open(&root.join("ledger"));
    for (phase, run, created_at_ms, text) in ENTRIES {
        let new = NewEntry {
            created_at_ms,
            consumes: Vec::new(),
            ..entry(phase, run)
        };
        ledger
            .append(new, move |_| Ok::<_, Infallible>(text.as_bytes().to_vec()))
            .unwrap();
    }
    ledger
}

fn found(ledger: &Ledger, filter: &Filter, order: Order) -> Vec<u64> {
    let mut seqs = Vec::new();
    let end = ledger.query(filter, order, |entry| {
        seqs.push(entry.seq);
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), ControlFlow::Continue(()));
    seqs
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn run(run: &str) -> RunId {
    RunId::try_from(run).unwrap()
}

type Set = fn(&mut Filter);

/// A condition, and the entries that meet it.
const CASES: [(Set, &[u64]); 16] = [
    (|_| (), &[1, 2, 3, 4, 5, 6]),
    (|f| f.from_seq = Some(3), &[3, 4, 5, 6]),
    (|f| f.until_seq = Some(3), &[1, 2, 3]),
    (|f| f.from_seq = Some(u64::MAX), &[]),
    (|f| (f.from_seq, f.until_seq) = (Some(5), Some(4)), &[]),
    (|f| f.since_ms = Some(20), &[2, 3, 5, 6]),
    (|f| (f.since_ms, f.until_ms) = (Some(20), Some(40)), &[2, 3]),
    (|f| f.phase = Some(Phase::Refusal), &[2, 4, 5, 6]),
    (|f| f.run_id = Some(run("a")), &[1, 3]),
    (
        |f| (f.run_id, f.phase) = (Some(run("a")), Some(Phase::Outcome)),
        &[3],
    ),
    (|f| f.decision = Some(text("deny")), &[2, 4]),
    (|f| f.agent = Some(text("x")), &[1, 4]),
    (|f| f.agent = Some(text("y")), &[2]),
    (|f| f.session = Some(text("s")), &[2, 3]),
    (|f| f.code = Some(text("B")), &[2, 3]),
    (
        |f| (f.code, f.agent) = (Some(text("A")), Some(text("x"))),
        &[],
    ),
];

#[test]
fn a_filter_lets_through_what_meets_all_its_conditions() {
    let root = tempfile::tempdir().unwrap();
    let ledger = ledger(root.path());
    for (set, want) in CASES {
        let mut filter = Filter::default();
        set(&mut filter);
        assert_eq!(
            found(&ledger, &filter, Order::OldestFirst),
            want,
            "{filter:?}"
        );
        let mut newest = found(&ledger, &filter, Order::NewestFirst);
        newest.reverse();
        assert_eq!(newest, want, "newest first: {filter:?}");
    }
}

#[test]
fn pages_follow_each_other_in_both_directions_and_a_visitor_can_stop() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let jobs = (0..600).map(|_| {
        let seal = |_: &ambit_store::Position| Ok::<_, Infallible>(b"x".to_vec());
        (entry(Phase::Refusal, "a"), seal)
    });
    assert!(ledger.append_all(jobs).iter().all(Result::is_ok));
    let all: Vec<u64> = (1..=600).collect();
    let backwards: Vec<u64> = (1..=600).rev().collect();
    assert_eq!(found(&ledger, &Filter::default(), Order::OldestFirst), all);
    assert_eq!(
        found(&ledger, &Filter::default(), Order::NewestFirst),
        backwards
    );
    let mut seen = 0;
    let end = ledger.for_each_entry(250, |entry| {
        seen = entry.seq;
        if entry.seq == 300 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((end.unwrap(), seen), (ControlFlow::Break(()), 300));
}

#[test]
fn a_query_meanwhile_neither_waits_nor_makes_wait() {
    let root = tempfile::tempdir().unwrap();
    let ledger = ledger(root.path());
    let other = rusqlite::Connection::open(ledger.folder().join("ledger.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(
        found(&ledger, &Filter::default(), Order::OldestFirst).len(),
        6
    );
    other.execute_batch("ROLLBACK").unwrap();
    let mut seqs = Vec::new();
    let end = ledger.for_each_entry(1, |found| {
        if found.seq == 1 {
            // an append in the middle of a reading
            append(&ledger, Phase::Refusal, "late").unwrap();
        }
        seqs.push(found.seq);
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), ControlFlow::Continue(()));
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_damaged_entry_ends_a_query_after_those_before_it() {
    let root = tempfile::tempdir().unwrap();
    let ledger = ledger(root.path());
    let raw = rusqlite::Connection::open(ledger.folder().join("ledger.db")).unwrap();
    raw.execute_batch(
        "DROP TRIGGER entries_update; UPDATE entries SET bytes = x'00' WHERE seq = 4",
    )
    .unwrap();
    for (order, want) in [
        (Order::OldestFirst, vec![1, 2, 3]),
        (Order::NewestFirst, vec![6, 5]),
    ] {
        let mut seqs = Vec::new();
        let error = ledger.query(&Filter::default(), order, |entry| {
            seqs.push(entry.seq);
            ControlFlow::Continue(())
        });
        assert_eq!(error.unwrap_err().code(), "ERR_LEDGER_CORRUPT");
        assert_eq!(seqs, want);
    }
}

#[test]
fn a_ledger_that_is_read_only_is_read_and_refuses_to_write() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let writer = ledger(root.path());
    for closed in [false, true] {
        let reader = Ledger::open_read_only(&folder, &OpenOptions::default()).unwrap();
        assert_eq!(reader.id(), writer.id());
        assert_eq!(reader.entries(1, 9).unwrap(), writer.entries(1, 9).unwrap());
        for phase in [Phase::Intent, Phase::Outcome, Phase::Refusal] {
            let error = append(&reader, phase, "z").unwrap_err();
            assert_eq!(error.code(), "ERR_LEDGER_WRITE");
            assert_eq!(error.to_string(), "the ledger was opened for reading only");
        }
        for error in [
            reader.orphans().map(|_| ()).unwrap_err(),
            reader.collect_garbage().map(|_| ()).unwrap_err(),
        ] {
            assert_eq!(error.code(), "ERR_LEDGER_WRITE");
        }
        if !closed {
            // what another process appends is seen
            append(&writer, Phase::Refusal, "late").unwrap();
            assert_eq!(reader.head().unwrap().unwrap().seq, 7);
        }
    }
    let missing = Ledger::open_read_only(&root.path().join("none"), &OpenOptions::default());
    assert_eq!(missing.unwrap_err().code(), "ERR_LEDGER_UNAVAILABLE");
    let empty = root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let missing = Ledger::open_read_only(&empty, &OpenOptions::default());
    assert_eq!(missing.unwrap_err().code(), "ERR_LEDGER_UNAVAILABLE");
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
    fs::write(empty.join("ledger.db"), "").unwrap();
    let foreign = Ledger::open_read_only(&empty, &OpenOptions::default());
    assert_eq!(foreign.unwrap_err().code(), "ERR_LEDGER_FOREIGN");
}
