// SPDX-License-Identifier: Apache-2.0
//! Appends that share a commit: what one of them does wrong is its own affair.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};

use ambit_store::{
    AppendError, Appended, ChainEnd, Ledger, MAX_ENTRY_BYTES, NewEntry, OpenOptions, Phase,
    Position,
};

use crate::common::{append, entry, open, seal};

type Seal = Box<dyn FnOnce(&Position) -> Result<Vec<u8>, &'static str> + Send>;

fn good() -> Seal {
    Box::new(|position| Ok(seal(position)))
}

fn sized(bytes: usize) -> Seal {
    Box::new(move |_| Ok(vec![7; bytes]))
}

/// The number of the entry, or the code or words of the failure.
fn outcome(result: &Result<Appended, AppendError<&'static str>>) -> String {
    match result {
        Ok(appended) => appended.seq.to_string(),
        Err(AppendError::Ledger(error)) => error.code().to_owned(),
        Err(AppendError::Seal(words)) => (*words).to_owned(),
    }
}

fn assert_dense(ledger: &Ledger, count: u64) {
    let report = ledger.check_chain(|_| ControlFlow::Continue(())).unwrap();
    assert_eq!(report.end, ChainEnd::Complete);
    assert_eq!(report.last.map_or(0, |last| last.seq), count);
}

#[test]
fn one_that_is_refused_leaves_no_gap_and_harms_no_other() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let fails: Seal = Box::new(|_| Err("no key"));
    let cases: Vec<(NewEntry, Seal, &str)> = vec![
        (entry(Phase::Outcome, "a"), good(), "ERR_LEDGER_RUN_UNKNOWN"),
        (entry(Phase::Intent, "a"), good(), "1"),
        (entry(Phase::Intent, "a"), good(), "ERR_LEDGER_RUN_EXISTS"),
        (entry(Phase::Intent, "b"), fails, "no key"),
        // what failed before it was sealed has opened nothing
        (entry(Phase::Outcome, "b"), good(), "ERR_LEDGER_RUN_UNKNOWN"),
        (entry(Phase::Intent, "b"), sized(0), "ERR_LEDGER_ENTRY_SIZE"),
        (
            entry(Phase::Intent, "b"),
            sized(MAX_ENTRY_BYTES + 1),
            "ERR_LEDGER_ENTRY_SIZE",
        ),
        (entry(Phase::Intent, "b"), good(), "2"),
        (entry(Phase::Outcome, "a"), good(), "3"),
        (entry(Phase::Outcome, "a"), good(), "ERR_LEDGER_RUN_CLOSED"),
        (entry(Phase::Refusal, "c"), good(), "4"),
    ];
    let (jobs, want): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .map(|(entry, seal, want)| ((entry, seal), want))
        .unzip();
    let got = ledger.append_all(jobs);
    assert_eq!(got.iter().map(outcome).collect::<Vec<_>>(), want);
    assert_dense(&ledger, 4);
    for appended in got.into_iter().flatten() {
        let stored = ledger.entry(appended.seq).unwrap().unwrap();
        assert_eq!(
            (stored.bytes, stored.digest),
            (appended.bytes, appended.digest)
        );
    }
}

#[test]
fn a_panic_is_the_callers_own_and_the_others_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let panics: Seal = Box::new(|_| panic!("seal"));
    let jobs = [good(), panics, good()].map(|seal| (entry(Phase::Refusal, "a"), seal));
    let panic = catch_unwind(AssertUnwindSafe(|| ledger.append_all(jobs))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"seal"));
    assert_dense(&ledger, 2);
    append(&ledger, Phase::Refusal, "a").unwrap();
    assert_dense(&ledger, 3);
}

#[test]
fn nothing_to_append_is_nothing() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let none: [(NewEntry, Seal); 0] = [];
    assert!(ledger.append_all(none).is_empty());
    assert_dense(&ledger, 0);
}

#[test]
fn a_failing_transaction_is_the_same_typed_error_for_all() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let ledger = Ledger::open(
        &folder,
        &OpenOptions {
            busy_timeout_ms: 20,
        },
    )
    .unwrap();
    let other = rusqlite::Connection::open(folder.join("ledger.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let jobs = || [good(), good(), good()].map(|seal| (entry(Phase::Intent, "a"), seal));
    let got = ledger.append_all(jobs());
    assert_eq!(
        got.iter().map(outcome).collect::<Vec<_>>(),
        ["ERR_LEDGER_BUSY"; 3]
    );
    let words: BTreeSet<_> = got
        .iter()
        .map(|result| result.as_ref().unwrap_err().to_string())
        .collect();
    assert_eq!(
        words,
        BTreeSet::from(["the ledger is busy: no turn within 20 ms".to_owned()])
    );
    other.execute_batch("ROLLBACK").unwrap();
    let got = ledger.append_all(jobs());
    let want = ["1", "ERR_LEDGER_RUN_EXISTS", "ERR_LEDGER_RUN_EXISTS"];
    assert_eq!(got.iter().map(outcome).collect::<Vec<_>>(), want);
}

#[test]
fn who_comes_while_another_writes_shares_the_next_commit() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let sealers: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let (let_go, held) = mpsc::channel::<()>();
    let (inside, is_inside) = mpsc::channel();
    let (coming, comes) = mpsc::channel();
    std::thread::scope(|scope| {
        let ledger = &ledger;
        // the first holds the right to write until all others have asked
        scope.spawn(move || {
            let first = ledger.append(entry(Phase::Refusal, "a"), move |position| {
                inside.send(()).unwrap();
                held.recv().unwrap();
                Ok::<_, ()>(seal(position))
            });
            assert_eq!(first.unwrap().seq, 1);
        });
        is_inside.recv().unwrap();
        for _ in 0..THREADS {
            let (sealers, coming) = (Arc::clone(&sealers), coming.clone());
            scope.spawn(move || {
                coming.send(()).unwrap();
                let appended = ledger.append(entry(Phase::Refusal, "a"), move |position| {
                    let sealer = format!("{:?}", std::thread::current().id());
                    sealers.lock().unwrap().insert(sealer);
                    Ok::<_, ()>(seal(position))
                });
                assert!(appended.unwrap().seq > 1);
            });
        }
        for _ in 0..THREADS {
            comes.recv().unwrap();
        }
        // Each of them is at most a few steps from its group. Who comes later makes one more.
        std::thread::yield_now();
        let_go.send(()).unwrap();
    });
    assert_dense(&ledger, THREADS + 1);
    // One leader writes for many; alone each would have sealed its own.
    let leaders = sealers.lock().unwrap().len();
    assert!(leaders < usize::try_from(THREADS).unwrap(), "{leaders}");
}

const THREADS: u64 = 32;
