// SPDX-License-Identifier: Apache-2.0
//! Checkpoints: made in steps, kept for good, and what they find when entries are gone.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use ambit_receipt::SigningKey;
use ambit_receipt::tlog::{
    Checkpoint, Completeness, Frontier, NoteKey, ProveError, TreeError, compare, leaf_hash,
    ledger_origin, verify_consistency, verify_inclusion,
};
use ambit_store::{CheckpointSchedule, Ledger, LogError, Phase, Position};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::chain::{raw, tamper};
use crate::common::{entry, open};

const AT_MS: i64 = 1_700_000_060_000;

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn ledger_with(entries: u64) -> (TempDir, PathBuf, Ledger) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let ledger = open(&folder);
    add(&ledger, "run", entries);
    (root, folder, ledger)
}

fn add(ledger: &Ledger, name: &str, entries: u64) {
    for number in 0..entries {
        let run = format!("{name}-{number}");
        let bytes = run.clone().into_bytes();
        let seal = move |_: &Position| Ok::<_, Infallible>(bytes);
        ledger.append(entry(Phase::Refusal, &run), seal).unwrap();
    }
}

/// The root over the first entries, from their bytes alone.
fn root_of(ledger: &Ledger, size: u64) -> [u8; 32] {
    let mut frontier = Frontier::new();
    for entry in ledger.entries(1, u32::try_from(size).unwrap()).unwrap() {
        frontier.append(leaf_hash(&entry.digest)).unwrap();
    }
    assert_eq!(frontier.size(), size);
    frontier.root()
}

fn opened(ledger: &Ledger, note: &str) -> Checkpoint {
    let origin = ledger_origin(ledger.id().as_str());
    let trusted = NoteKey::ed25519(&origin, key().verifying_key()).unwrap();
    Checkpoint::open(note.as_bytes(), &[trusted])
        .unwrap()
        .checkpoint
}

fn completeness(ledger: &Ledger, held: &Checkpoint) -> Completeness {
    let mut digests = Vec::new();
    ledger
        .digests_after(0, |digest| {
            digests.push(*digest);
            Ok(true)
        })
        .unwrap();
    let own = ledger.latest_checkpoint().unwrap();
    let own = own.map_or(0, |checkpoint| checkpoint.size);
    compare(digests.into_iter().map(Ok::<_, TreeError>), held, Some(own)).unwrap()
}

#[test]
fn checkpoints_go_on_from_the_last_one() {
    let (_root, folder, ledger) = ledger_with(0);
    let error = ledger.checkpoint(&key(), AT_MS).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_EMPTY");
    assert_eq!(ledger.latest_checkpoint().unwrap(), None);
    let mut made = Vec::new();
    for entries in [1, 2, 10, 1] {
        add(&ledger, &format!("of-{}", made.len()), entries);
        // Another process goes on as well as this one.
        let other = open(&folder);
        let size = other.head().unwrap().unwrap().seq;
        let checkpoint = other.checkpoint(&key(), AT_MS).unwrap();
        assert_eq!(
            (checkpoint.size, checkpoint.root),
            (size, root_of(&ledger, size))
        );
        let read = opened(&ledger, &checkpoint.note);
        assert_eq!((read.size(), *read.root()), (size, checkpoint.root));
        // With nothing new, the same one again.
        assert_eq!(ledger.checkpoint(&key(), AT_MS + 1).unwrap(), checkpoint);
        assert_eq!(
            ledger.latest_checkpoint().unwrap().as_ref(),
            Some(&checkpoint)
        );
        made.push(checkpoint);
    }
    assert_eq!(ledger.checkpoints(0, 10).unwrap(), made);
    assert_eq!(ledger.checkpoints(4, 1).unwrap(), &made[2..3]);
}

#[test]
fn proofs_hold_against_the_checkpoints() {
    let (_root, _folder, ledger) = ledger_with(11);
    let small = ledger.checkpoint(&key(), AT_MS).unwrap();
    add(&ledger, "more", 10);
    let large = ledger.checkpoint(&key(), AT_MS).unwrap();
    for seq in 1..=21 {
        let leaf = leaf_hash(&ledger.entry(seq).unwrap().unwrap().digest);
        for checkpoint in [&small, &large].into_iter().filter(|it| seq <= it.size) {
            let proof = ledger.inclusion_proof(seq, checkpoint.size).unwrap();
            let (size, root) = (checkpoint.size, checkpoint.root);
            assert_eq!(
                verify_inclusion(seq - 1, size, &leaf, &proof, &root),
                Ok(())
            );
        }
    }
    let proof = ledger.consistency_proof(11, 21).unwrap();
    let held = verify_consistency(11, 21, &small.root, &large.root, &proof);
    assert_eq!(held, Ok(()));
    let range = |result: Result<_, LogError>| match result {
        Err(LogError::Prove(error)) => error,
        other => panic!("{other:?}"),
    };
    for (seq, size) in [(0, 21), (22, 21)] {
        assert_eq!(range(ledger.inclusion_proof(seq, size)), ProveError::Range);
    }
    assert_eq!(range(ledger.inclusion_proof(1, 22)), ProveError::Incomplete);
    assert_eq!(range(ledger.consistency_proof(0, 21)), ProveError::Range);
    assert_eq!(
        range(ledger.consistency_proof(1, 30)),
        ProveError::Incomplete
    );
}

#[test]
fn an_entry_is_proven_in_a_checkpoint_of_its_own_history_only() {
    let (root, folder, ledger) = ledger_with(5);
    let third = ledger.entry(3).unwrap().unwrap();
    let code = |result: Result<_, LogError>| result.map(drop).map_err(|error| error.code());
    assert_eq!(code(ledger.prove(&third, None)), Err("ERR_LEDGER_EMPTY"));
    let held = ledger.checkpoint(&key(), AT_MS).unwrap().note;
    drop(ledger);
    let earlier = root.path().join("earlier");
    copy(&folder, &earlier);
    let ledger = open(&folder);
    add(&ledger, "more", 4);
    let sixth = ledger.entry(6).unwrap().unwrap();
    assert_eq!(code(ledger.prove(&sixth, None)), Err("ERR_LEDGER_PROOF"));
    ledger.checkpoint(&key(), AT_MS).unwrap();
    for (entry, note) in [
        (&third, None),
        (&third, Some(held.as_str())),
        (&sixth, None),
    ] {
        let proof = ledger.prove(entry, note).unwrap();
        let opened = proof.verify_by(&entry.digest, &[key().verifying_key()]);
        assert_eq!(
            opened.unwrap().checkpoint.origin(),
            ledger_origin(ledger.id().as_str())
        );
    }
    let newest = ledger.latest_checkpoint().unwrap().unwrap().note;
    let copy = open(&earlier);
    assert_eq!(
        code(copy.prove(&third, Some(&newest))),
        Err("ERR_LEDGER_PROOF")
    );
    add(&copy, "other", 4);
    assert_eq!(
        code(copy.prove(&third, Some(&newest))),
        Err("ERR_LEDGER_PROOF")
    );
    let (_root, _folder, foreign) = ledger_with(9);
    assert_eq!(
        code(foreign.prove(&third, Some(&newest))),
        Err("ERR_LEDGER_NOTE")
    );
    assert_eq!(
        code(foreign.prove(&third, Some("x"))),
        Err("ERR_LEDGER_NOTE")
    );
}

#[test]
fn a_checkpoint_is_due_after_enough_entries_or_enough_time() {
    let (_root, _folder, ledger) = ledger_with(0);
    let schedule = CheckpointSchedule {
        entries: 3,
        interval_ms: 1000,
    };
    // Entries of these tests are made at this time.
    let made_ms = 1_700_000_000_000;
    let due = |now_ms| ledger.is_checkpoint_due(&schedule, now_ms).unwrap();
    assert!(!due(made_ms + 5000));
    add(&ledger, "a", 2);
    assert_eq!(
        [due(made_ms - 9), due(made_ms + 999), due(made_ms + 1000)],
        [false, false, true]
    );
    // a clock that was set back does not keep it from being made
    assert!(due(made_ms - 1000));
    add(&ledger, "b", 1);
    assert!(due(made_ms));
    ledger.checkpoint(&key(), made_ms).unwrap();
    assert!(!due(made_ms + 5000));
}

#[test]
fn those_who_make_one_at_the_same_time_get_the_same_or_a_later_one() {
    let (_root, folder, ledger) = ledger_with(50);
    let made: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| open(&folder).checkpoint(&key(), AT_MS).unwrap()))
            .collect();
        workers.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let kept = ledger.checkpoints(0, 10).unwrap();
    assert_eq!(kept.len(), 1);
    assert!(made.iter().all(|checkpoint| checkpoint == &kept[0]));
}

#[test]
fn checkpoints_are_never_changed_or_removed() {
    let (_root, folder, ledger) = ledger_with(3);
    let kept = ledger.checkpoint(&key(), AT_MS).unwrap();
    add(&ledger, "more", 1);
    let row = "(size, root, note, created_at_ms, frontier) VALUES";
    let same = format!("INSERT OR REPLACE INTO checkpoints {row} (3, zeroblob(32), 'x', 0, x'00')");
    let beyond = format!("INSERT INTO checkpoints {row} (9, zeroblob(32), 'x', 0, x'00')");
    for (sql, want) in [
        (
            "UPDATE checkpoints SET note = 'x'",
            "checkpoints are never changed",
        ),
        ("DELETE FROM checkpoints", "checkpoints are never removed"),
        (same.as_str(), "a checkpoint covers more than the last one"),
        (
            beyond.as_str(),
            "a checkpoint covers more than the last one",
        ),
    ] {
        let error = raw(&folder).execute_batch(sql).unwrap_err();
        assert_eq!(error.to_string(), want, "{sql}");
    }
    assert_eq!(ledger.checkpoints(0, 10).unwrap(), [kept]);
}

#[test]
fn a_checkpoint_that_does_not_fit_its_edge_is_damage() {
    for sql in [
        "UPDATE checkpoints SET root = zeroblob(32)",
        "UPDATE checkpoints SET frontier = zeroblob(8)",
        "UPDATE checkpoints SET frontier = substr(frontier, 1, 40)",
        "UPDATE checkpoints SET size = 2",
    ] {
        let (_root, folder, ledger) = ledger_with(3);
        ledger.checkpoint(&key(), AT_MS).unwrap();
        tamper(&folder, sql);
        add(&ledger, "more", 1);
        let error = ledger.checkpoint(&key(), AT_MS).unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_CORRUPT", "{sql}");
    }
}

#[test]
fn a_ledger_of_the_version_before_keeps_its_entries_and_gets_checkpoints() {
    let (_root, folder, ledger) = ledger_with(3);
    let digest = ledger.head().unwrap().unwrap().digest;
    drop(ledger);
    raw(&folder)
        .execute_batch("DROP TABLE approvals_used; DROP TABLE checkpoints; PRAGMA user_version = 1")
        .unwrap();
    let ledger = open(&folder);
    assert_eq!(ledger.head().unwrap().unwrap().digest, digest);
    assert_eq!(ledger.checkpoint(&key(), AT_MS).unwrap().size, 3);
    drop(ledger);
    assert_eq!(open(&folder).checkpoints(0, 10).unwrap().len(), 1);
    // One with something else in it is left alone.
    raw(&folder)
        .execute_batch("DROP TABLE approvals_used; DROP TABLE checkpoints; CREATE TABLE x (y); PRAGMA user_version = 1")
        .unwrap();
    let error = Ledger::open(&folder, &ambit_store::OpenOptions::default()).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_CORRUPT");
}

/// Copies the database of a ledger that nobody has open.
fn copy(from: &Path, to: &Path) {
    drop(open(to));
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _absent = fs::remove_file(to.join(name));
        let _absent = fs::copy(from.join(name), to.join(name));
    }
}

#[test]
fn a_rolled_back_a_forked_and_a_truncated_log_are_told_apart() {
    let (root, folder, ledger) = ledger_with(5);
    ledger.checkpoint(&key(), AT_MS).unwrap();
    drop(ledger);
    let earlier = root.path().join("earlier");
    copy(&folder, &earlier);
    let ledger = open(&folder);
    add(&ledger, "more", 4);
    let held = ledger.checkpoint(&key(), AT_MS).unwrap();
    let held = opened(&ledger, &held.note);
    assert_eq!(
        completeness(&ledger, &held),
        Completeness::Complete { size: 9 }
    );
    add(&ledger, "later", 2);
    assert_eq!(
        completeness(&ledger, &held),
        Completeness::Complete { size: 11 }
    );

    // The copy from before: itself in order, and signed by the right key.
    let copy = open(&earlier);
    assert_eq!(copy.id(), ledger.id());
    let rolled_back = Completeness::RolledBack { have: 5, want: 9 };
    assert_eq!(completeness(&copy, &held), rolled_back);
    // It goes on another way, up to the size of the checkpoint and beyond.
    for (entries, size) in [(2, 7), (2, 9), (3, 12)] {
        add(&copy, &format!("other-{size}"), entries);
        copy.checkpoint(&key(), AT_MS).unwrap();
        let want = if size < 9 {
            Completeness::RolledBack {
                have: size,
                want: 9,
            }
        } else {
            Completeness::Forked {
                size: 9,
                have: root_of(&copy, 9),
                want: *held.root(),
            }
        };
        assert_eq!(completeness(&copy, &held), want);
    }

    // The end is cut off, the checkpoints are kept.
    tamper(&folder, "DELETE FROM entries WHERE seq > 7");
    let truncated = Completeness::Truncated { have: 7, want: 9 };
    assert_eq!(completeness(&ledger, &held), truncated);
    drop(ledger);
    // Nothing is appended to such a ledger.
    let error = Ledger::open(&folder, &ambit_store::OpenOptions::default()).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_CORRUPT");
    assert_eq!(
        error.to_string(),
        "the ledger is damaged: entry 8 is missing"
    );
    let left: u64 = Connection::open(folder.join("ledger.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM entries", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 7);
}
