// SPDX-License-Identifier: Apache-2.0
//! Several processes at once, and processes that die.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use ambit_store::{ChainEnd, Ledger, LedgerErrorKind, OpenOptions, OpenRun, Phase, RunId};

use crate::common::{append, hex, next_line, open, role, role_folder, start, wait_for_parent};

#[test]
fn sixty_four_processes_append_without_gap_or_fork() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    // The folder and the ledger in it are made by whoever comes first.
    let started: Vec<_> = (0..64)
        .map(|_| start(role("processes::role_appends_a_hundred", &folder, None)))
        .collect();
    let mut acknowledged = BTreeMap::new();
    for (mut child, mut lines) in started {
        collect_acknowledged(&mut lines, &mut acknowledged);
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(acknowledged.len(), 6400);
    let ledger = open(&folder);
    assert_eq!(check_against(&ledger, &acknowledged, 1), 6400);
    assert_eq!(ledger.orphans().unwrap(), []);
    assert_eq!(files_in(&folder.join("owners")), 0);
}

#[test]
#[ignore = "a role that another test starts"]
fn role_appends_a_hundred() {
    let Some(folder) = role_folder() else { return };
    // Many processes on two slow cores: a turn may be long in coming.
    let ledger = Ledger::open(
        &folder,
        &OpenOptions {
            busy_timeout_ms: 120_000,
        },
    )
    .unwrap();
    for run in 0..50 {
        append_and_acknowledge(&ledger, &format!("{}-{run}", std::process::id()));
    }
}

/// How often a process is killed: 100 times, or as often as the soak test says.
fn rounds() -> u64 {
    let rounds = std::env::var("AMBIT_SOAK_ROUNDS").ok();
    rounds.map_or(100, |rounds| rounds.parse().unwrap())
}

/// A number that nobody knows before, below `limit`.
fn any_below(limit: u64) -> u64 {
    RandomState::new()
        .build_hasher()
        .finish()
        .checked_rem(limit)
        .unwrap()
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let (mut kept, mut lost_words) = (0, 0);
    let mut next_seq = 1;
    for round in 0..rounds() {
        let mut acknowledged = BTreeMap::new();
        // now and then a second process goes on with the log that the dead one left behind
        let processes = if round % 4 == 0 { 2 } else { 1 };
        let mut started: Vec<_> = (0..processes)
            .map(|_| start(role("processes::role_appends_for_ever", &folder, None)))
            .collect();
        for (child, lines) in &mut started {
            for _ in 0..=any_below(200) {
                collect_one(lines, &mut acknowledged);
            }
            std::thread::sleep(Duration::from_micros(any_below(2000)));
            child.kill().unwrap();
        }
        for (child, lines) in &mut started {
            collect_acknowledged(lines, &mut acknowledged);
            assert!(!child.wait().unwrap().success());
        }
        let ledger = open(&folder);
        let last = check_against(&ledger, &acknowledged, next_seq);
        // Each thread may have been killed between an append and its acknowledgement.
        let count = u64::try_from(acknowledged.len()).unwrap();
        let unsaid = last + 1 - next_seq - count;
        assert!(unsaid <= THREADS * processes, "round {round}: {unsaid}");
        let orphans = ledger.orphans().unwrap();
        assert!(orphans.len() <= usize::try_from(THREADS * processes).unwrap());
        for orphan in orphans {
            append(&ledger, Phase::Outcome, orphan.run_id.as_str()).unwrap();
        }
        assert_eq!(ledger.orphans().unwrap(), []);
        next_seq = ledger.head().unwrap().unwrap().seq + 1;
        kept += count;
        lost_words += unsaid;
    }
    let report = open(&folder)
        .check_chain(|_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(report.end, ChainEnd::Complete);
    assert_eq!(report.last.map(|last| last.seq + 1), Some(next_seq));
    eprintln!(
        "{} kills: {kept} acknowledged entries, all there; {lost_words} durable but not yet acknowledged",
        rounds()
    );
}

/// Threads of a process that appends until it is killed.
const THREADS: u64 = 8;

#[test]
#[ignore = "a role that another test starts"]
fn role_appends_for_ever() {
    let Some(folder) = role_folder() else { return };
    let options = OpenOptions {
        busy_timeout_ms: 120_000,
    };
    let ledger = Ledger::open(&folder, &options).unwrap();
    let name = unique_name();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (ledger, name) = (&ledger, &name);
            scope.spawn(move || {
                for run in 0_u64.. {
                    append_and_acknowledge(ledger, &format!("{name}-{thread}-{run}"));
                }
            });
        }
    });
}

#[test]
fn a_run_is_an_orphan_when_its_process_has_ended_and_not_before() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let (mut child, mut lines) = start(role("processes::role_holds_runs", &folder, None));
    assert_eq!(next_line(&mut lines).as_deref(), Some("open"));

    let ledger = open(&folder);
    append(&ledger, Phase::Intent, "mine").unwrap();
    assert_eq!(ledger.orphans().unwrap(), []);
    let error = append(&ledger, Phase::Outcome, "first").unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_RUN_OWNED");

    child.kill().unwrap();
    child.wait().unwrap();
    let orphan = |run: &str, intent_seq| OpenRun {
        run_id: RunId::try_from(run).unwrap(),
        intent_seq,
    };
    let want = [orphan("first", 1), orphan("second", 2)];
    assert_eq!(ledger.orphans().unwrap(), want);
    // Opening sweeps the dead process's lock file, and the runs are orphans all the same.
    let again = open(&folder);
    assert_eq!(files_in(&folder.join("owners")), 1);
    assert_eq!(again.orphans().unwrap(), want);

    append(&again, Phase::Outcome, "first").unwrap();
    assert_eq!(ledger.orphans().unwrap(), want[1..]);
    append(&ledger, Phase::Outcome, "mine").unwrap();
}

#[test]
#[ignore = "a role that another test starts"]
fn role_holds_runs() {
    let Some(folder) = role_folder() else { return };
    let ledger = open(&folder);
    append(&ledger, Phase::Intent, "first").unwrap();
    append(&ledger, Phase::Intent, "second").unwrap();
    eprintln!("open");
    wait_for_parent();
}

#[test]
fn an_orphan_is_closed_once_by_whoever_comes_first() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    for round in 0..10 {
        let run = format!("run-{round}");
        // A ledger that is dropped with an open run has ended as a killed process has.
        append(&open(&folder), Phase::Intent, &run).unwrap();
        let ledgers = [open(&folder), open(&folder), open(&folder)];
        let barrier = Barrier::new(ledgers.len());
        let results: Vec<_> = std::thread::scope(|scope| {
            let recoveries = ledgers.each_ref().map(|ledger| {
                scope.spawn(|| {
                    let orphans = ledger.orphans().unwrap();
                    barrier.wait();
                    assert_eq!(orphans.len(), 1);
                    append(ledger, Phase::Outcome, orphans[0].run_id.as_str())
                })
            });
            recoveries
                .map(|recovery| recovery.join().unwrap())
                .into_iter()
                .collect()
        });
        let closed = results.iter().filter(|result| result.is_ok()).count();
        let late = results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .filter(|error| error.kind() == LedgerErrorKind::RunClosed)
            .count();
        assert_eq!((closed, late), (1, 2), "{results:?}");
        assert_eq!(ledgers[0].orphans().unwrap(), []);
    }
}

/// Appends an intent and its outcome, and says so after each.
fn append_and_acknowledge(ledger: &Ledger, run: &str) {
    for phase in [Phase::Intent, Phase::Outcome] {
        let appended = append(ledger, phase, run).unwrap();
        eprintln!("{} {}", appended.seq, hex(appended.digest));
    }
}

/// A name that no other process of the test has, even when the kernel reuses its id.
fn unique_name() -> String {
    let start = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks = start.rsplit(' ').nth(30).unwrap();
    format!("{}-{ticks}", std::process::id())
}

fn collect_one(
    lines: &mut std::io::BufReader<std::process::ChildStderr>,
    acknowledged: &mut BTreeMap<u64, String>,
) -> bool {
    // A line that the kill cut off was not acknowledged.
    let Some(line) = next_line(lines) else {
        return false;
    };
    let Some((seq, digest)) = line
        .split_once(' ')
        .filter(|(_, digest)| digest.len() == 64)
    else {
        return false;
    };
    let before = acknowledged.insert(seq.parse().unwrap(), digest.to_owned());
    assert_eq!(before, None, "entry {seq} was acknowledged twice");
    true
}

fn collect_acknowledged(
    lines: &mut std::io::BufReader<std::process::ChildStderr>,
    acknowledged: &mut BTreeMap<u64, String>,
) {
    while collect_one(lines, acknowledged) {}
}

/// Checks the chain from an entry on, and that every acknowledged entry is in it; returns the last
/// number.
fn check_against(ledger: &Ledger, acknowledged: &BTreeMap<u64, String>, from_seq: u64) -> u64 {
    let mut found = BTreeMap::new();
    let mut before = from_seq
        .checked_sub(1)
        .and_then(|seq| ledger.entry(seq).unwrap());
    let end = ledger.for_each_entry(from_seq, |entry| {
        let place = before
            .as_ref()
            .map(|before| (before.seq.checked_add(1).unwrap(), Some(before.digest)));
        assert_eq!((entry.seq, entry.previous), place.unwrap_or((1, None)));
        found.insert(entry.seq, hex(entry.digest));
        before = Some(entry);
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), ControlFlow::Continue(()));
    for (seq, digest) in acknowledged {
        assert_eq!(found.get(seq), Some(digest), "entry {seq}");
    }
    before.map_or(0, |last| last.seq)
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}
