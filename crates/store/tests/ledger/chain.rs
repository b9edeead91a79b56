// SPDX-License-Identifier: Apache-2.0
//! Changes behind the ledger's back: refused where they can be, found where they cannot.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::common::{append, open};
use ambit_store::ChainFaultKind::{Digest, Missing, Previous, Unreadable};
use ambit_store::{ChainEnd, ChainFault, ChainFaultKind, Entry, Ledger, OpenOptions, Phase};
use rusqlite::Connection;
use tempfile::TempDir;

/// A ledger of six entries: three runs, opened and closed.
fn ledger_of_six() -> (TempDir, PathBuf, Ledger) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let ledger = open(&folder);
    for run in ["a", "b", "c"] {
        append(&ledger, Phase::Intent, run).unwrap();
        append(&ledger, Phase::Outcome, run).unwrap();
    }
    (root, folder, ledger)
}

pub(crate) fn raw(folder: &Path) -> Connection {
    Connection::open(folder.join("ledger.db")).unwrap()
}

/// Runs `sql` with every trigger out of the way, and puts them back.
pub(crate) fn tamper(folder: &Path, sql: &str) {
    let connection = raw(folder);
    let triggers: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .unwrap();
    for (name, _) in &triggers {
        connection
            .execute_batch(&format!("DROP TRIGGER {name}"))
            .unwrap();
    }
    connection.execute_batch(sql).unwrap();
    for (_, text) in &triggers {
        connection.execute_batch(text).unwrap();
    }
}

fn check(ledger: &Ledger) -> (u64, ChainEnd) {
    let mut visited: u64 = 0;
    let report = ledger
        .check_chain(|entry: &Entry| {
            visited = visited.saturating_add(1);
            assert_eq!(entry.seq, visited);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(report.last.map_or(0, |last| last.seq), visited);
    (visited, report.end)
}

#[test]
fn statements_that_change_or_remove_are_refused_by_triggers() {
    let (_root, folder, ledger) = ledger_of_six();
    let before = ledger.entries(1, 100).unwrap();
    let connection = raw(&folder);
    for (sql, want) in REFUSED {
        let error = connection.execute_batch(sql).unwrap_err();
        assert_eq!(error.to_string(), *want, "{sql}");
    }
    assert_eq!(ledger.entries(1, 100).unwrap(), before);
    assert_eq!(check(&ledger), (6, ChainEnd::Complete));
}

#[test]
fn a_changed_row_is_found_and_named() {
    for (sql, seq, kind) in FOUND {
        let (_root, folder, ledger) = ledger_of_six();
        tamper(&folder, sql);
        let fault = ChainFault {
            seq: *seq,
            kind: *kind,
        };
        assert_eq!(check(&ledger), (seq - 1, ChainEnd::Fault(fault)), "{sql}");
    }
}

#[test]
fn a_cut_end_is_not_found_by_the_chain_alone() {
    let (_root, folder, ledger) = ledger_of_six();
    tamper(&folder, "DELETE FROM entries WHERE seq > 4");
    assert_eq!(check(&ledger), (4, ChainEnd::Complete));
}

#[test]
fn a_damaged_entry_is_not_handed_out() {
    let (_root, folder, ledger) = ledger_of_six();
    let intact = ledger.entries(1, 100).unwrap();
    tamper(&folder, "UPDATE entries SET bytes = x'00' WHERE seq = 3");
    let run = intact[2].run_id.clone();
    for error in [
        ledger.entry(3).unwrap_err(),
        ledger.entries(3, 100).unwrap_err(),
        ledger.by_run(&run, 1, 100).unwrap_err(),
    ] {
        assert_eq!(error.code(), "ERR_LEDGER_CORRUPT");
        assert_eq!(
            error.to_string(),
            "the ledger is damaged: entry 3 does not have its stored digest"
        );
    }
    assert_eq!(ledger.entries(1, 100).unwrap(), intact[..2]);
    assert_eq!(ledger.entries(4, 100).unwrap(), intact[3..]);
}

#[test]
fn nothing_is_appended_to_a_damaged_end() {
    for sql in [
        "UPDATE entries SET bytes = x'00' WHERE seq = 6",
        "UPDATE entries SET phase = 'x' WHERE seq = 6",
        "UPDATE runs SET owner = '../../x', outcome_seq = NULL WHERE run_id = 'c'",
    ] {
        let (_root, folder, ledger) = ledger_of_six();
        tamper(&folder, sql);
        let error = append(&ledger, Phase::Outcome, "c").unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_CORRUPT", "{sql}");
        let error = append(&ledger, Phase::Refusal, "d")
            .err()
            .map(|error| error.code());
        let want = (!sql.contains("runs")).then_some("ERR_LEDGER_CORRUPT");
        assert_eq!(error, want, "{sql}");
    }
}

#[test]
fn a_visitor_can_stop_the_check() {
    let (_root, _folder, ledger) = ledger_of_six();
    let report = ledger
        .check_chain(|entry| {
            // Reading inside the visit does not block.
            assert_eq!(ledger.entry(entry.seq).unwrap().as_ref(), Some(entry));
            if entry.seq == 4 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    let last = ledger.entry(4).unwrap().map(|entry| entry.digest);
    assert_eq!(report.last.map(|last| last.digest), last);
    assert_eq!(report.end, ChainEnd::Stopped);
}

#[test]
fn an_open_refuses_a_changed_schema_and_a_damaged_last_entry() {
    let cases = [
        (
            "DROP TRIGGER entries_delete",
            "the ledger's schema is damaged at `entries_delete`",
        ),
        (
            "DROP INDEX entries_by_run",
            "the ledger's schema is damaged at `entries_by_run`",
        ),
        (
            "CREATE TABLE more (x)",
            "the ledger's schema is damaged at `more`",
        ),
        (
            "DROP TRIGGER runs_delete; CREATE TRIGGER runs_delete BEFORE DELETE ON runs
             BEGIN SELECT 1; END",
            "the ledger's schema is damaged at `runs_delete`",
        ),
    ];
    for (sql, want) in cases {
        let (_root, folder, ledger) = ledger_of_six();
        drop(ledger);
        raw(&folder).execute_batch(sql).unwrap();
        let error = Ledger::open(&folder, &OpenOptions::default()).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string()),
            ("ERR_LEDGER_CORRUPT", want.to_owned())
        );
    }
    let (_root, folder, ledger) = ledger_of_six();
    drop(ledger);
    tamper(&folder, "UPDATE entries SET bytes = x'00' WHERE seq = 6");
    let error = Ledger::open(&folder, &OpenOptions::default()).unwrap_err();
    let want = "the ledger is damaged: entry 6 does not have its stored digest";
    assert_eq!(
        (error.code(), error.to_string()),
        ("ERR_LEDGER_CORRUPT", want.to_owned())
    );
}

/// A flipped bit anywhere in the file: an error, a fault, or nothing that an entry consists of.
#[test]
fn no_flipped_byte_in_the_file_changes_an_entry_unnoticed() {
    let (_root, folder, ledger) = ledger_of_six();
    let intact = ledger.entries(1, 100).unwrap();
    drop(ledger);
    let path = folder.join("ledger.db");
    let file = std::fs::read(&path).unwrap();
    // Every byte would take a minute; a stride prime to the page size meets every part of a page.
    for offset in (0..file.len()).step_by(STRIDE) {
        let mut changed = file.clone();
        changed[offset] ^= 0x41;
        std::fs::write(&path, &changed).unwrap();
        let Ok(ledger) = Ledger::open(&folder, &OpenOptions::default()) else {
            continue;
        };
        let mut seen = Vec::new();
        let report = ledger.check_chain(|entry| {
            seen.push((entry.seq, entry.previous, entry.digest, entry.bytes.clone()));
            ControlFlow::Continue(())
        });
        let want: Vec<_> = intact
            .iter()
            .map(|entry| (entry.seq, entry.previous, entry.digest, entry.bytes.clone()))
            .collect();
        let seen_as_intact = want.starts_with(&seen);
        assert!(seen_as_intact, "offset {offset}: {report:?}");
    }
}

const STRIDE: usize = 13;

/// A statement, and what the trigger says to it.
const REFUSED: &[(&str, &str)] = &[
    ("UPDATE entries SET bytes = x'00'", CHANGED),
    (
        "UPDATE entries SET created_at_ms = 1 WHERE seq = 6",
        CHANGED,
    ),
    ("DELETE FROM entries", REMOVED),
    ("DELETE FROM entries WHERE seq = 6", REMOVED),
    (
        "REPLACE INTO entries VALUES (3, 'refusal', 'x', 0, NULL, zeroblob(32), x'00')",
        NOT_AT_THE_END,
    ),
    (
        "REPLACE INTO entries SELECT seq, phase, run_id, 0, previous, digest, bytes FROM entries",
        NOT_AT_THE_END,
    ),
    (
        "INSERT INTO entries VALUES (0, 'refusal', 'x', 0, NULL, zeroblob(32), x'00')",
        NOT_AT_THE_END,
    ),
    (
        "INSERT INTO entries VALUES (7, 'refusal', 'x', 0, NULL, zeroblob(32), x'00')",
        NOT_AT_THE_END,
    ),
    (
        "INSERT INTO entries SELECT 8, phase, run_id, 0, digest, digest, bytes FROM entries
         WHERE seq = 6",
        NOT_AT_THE_END,
    ),
    (
        "INSERT INTO entries SELECT NULL, phase, run_id, 0, digest, digest, bytes FROM entries
         WHERE seq = 6",
        NOT_AT_THE_END,
    ),
    ("UPDATE ledger SET id = 'x'", "a ledger keeps its id"),
    ("DELETE FROM ledger", "a ledger keeps its id"),
    ("REPLACE INTO ledger VALUES (1, 'x')", "a ledger has one id"),
    ("DELETE FROM runs", "runs are never removed"),
    ("UPDATE runs SET outcome_seq = NULL", "a run is closed once"),
    ("UPDATE runs SET outcome_seq = 1", "a run is closed once"),
    ("UPDATE runs SET owner = 'x'", "a run is closed once"),
    (
        "REPLACE INTO runs VALUES ('a', 'x', 1, NULL)",
        "a run is opened once",
    ),
    (
        "INSERT INTO runs VALUES ('d', 'x', 1, 2)",
        "a run is opened once",
    ),
];
const CHANGED: &str = "entries are never changed";
const REMOVED: &str = "entries are never removed";
const NOT_AT_THE_END: &str = "entries are appended at the end";

/// What is done behind the triggers' back, and the fault that is found.
const FOUND: &[(&str, u64, ChainFaultKind)] = &[
    (
        "UPDATE entries SET bytes = zeroblob(9) WHERE seq = 1",
        1,
        Digest,
    ),
    ("UPDATE entries SET bytes = x'00' WHERE seq = 3", 3, Digest),
    (
        "UPDATE entries SET digest = zeroblob(32) WHERE seq = 4",
        4,
        Digest,
    ),
    ("UPDATE entries SET bytes = x'00' WHERE seq = 6", 6, Digest),
    (
        "UPDATE entries SET previous = zeroblob(32) WHERE seq = 1",
        1,
        Previous,
    ),
    (
        "UPDATE entries SET previous = NULL WHERE seq = 2",
        2,
        Previous,
    ),
    (
        "UPDATE entries SET previous = zeroblob(32) WHERE seq = 6",
        6,
        Previous,
    ),
    ("DELETE FROM entries WHERE seq = 1", 1, Missing),
    ("DELETE FROM entries WHERE seq = 5", 5, Missing),
    ("DELETE FROM entries WHERE seq < 6", 1, Missing),
    ("UPDATE entries SET seq = 9 WHERE seq = 6", 6, Missing),
    (
        "UPDATE entries SET seq = 9223372036854775807 WHERE seq = 6",
        6,
        Missing,
    ),
    (
        "UPDATE entries SET phase = 'x' WHERE seq = 2",
        2,
        Unreadable,
    ),
    (
        "UPDATE entries SET run_id = '' WHERE seq = 2",
        2,
        Unreadable,
    ),
    (
        "UPDATE entries SET digest = x'00' WHERE seq = 2",
        2,
        Unreadable,
    ),
    // A row larger than any entry.
    (
        "UPDATE entries SET bytes = zeroblob(5000000) WHERE seq = 2",
        2,
        Unreadable,
    ),
    // Exchanged: both have their digests, and neither its place.
    (
        "UPDATE entries SET seq = 100 WHERE seq = 3; UPDATE entries SET seq = 3 WHERE seq = 4;
         UPDATE entries SET seq = 4 WHERE seq = 100",
        3,
        Previous,
    ),
];
