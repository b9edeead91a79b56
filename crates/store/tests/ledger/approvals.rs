// SPDX-License-Identifier: Apache-2.0
//! Approvals that are good for one run: whoever comes first has it, and nobody after.

use std::convert::Infallible;
use std::io::{BufRead as _, Write as _};
use std::path::Path;

use ambit_store::{
    AppendError, Appended, Ledger, LedgerError, NewEntry, OpenOptions, Phase, RunId, approval_use,
};

use crate::chain::raw;
use crate::common::{entry, next_line, open, role, role_folder, seal, start};

fn using(run: &str, approvals: &[&str]) -> NewEntry {
    NewEntry {
        consumes: approvals.iter().map(|id| approval_use("k", id)).collect(),
        ..entry(Phase::Intent, run)
    }
}

fn append(ledger: &Ledger, new: NewEntry) -> Result<Appended, LedgerError> {
    match ledger.append(new, |position| Ok::<_, Infallible>(seal(position))) {
        Ok(appended) => Ok(appended),
        Err(AppendError::Ledger(error)) => Err(error),
        Err(AppendError::Seal(never)) => match never {},
    }
}

fn used(ledger: &Ledger, approvals: &[&str]) -> Vec<Option<u64>> {
    let uses: Vec<_> = approvals.iter().map(|id| approval_use("k", id)).collect();
    ledger.approvals_used(&uses).unwrap()
}

#[test]
fn an_approval_is_used_once_and_a_refused_entry_uses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    append(&ledger, using("a", &["one", "two"])).unwrap();
    for (again, by) in [
        (using("b", &["two"]), "used before, by entry 1"),
        (using("b", &["three", "one"]), "used before, by entry 1"),
        (using("b", &["three", "three"]), "used before"),
    ] {
        let error = append(&ledger, again).unwrap_err();
        assert_eq!(error.code(), "ERR_APPROVAL_CONSUMED");
        assert_eq!(error.to_string(), format!("the approval was {by}"));
    }
    assert_eq!(
        used(&ledger, &["one", "two", "three"]),
        [Some(1), Some(1), None]
    );
    assert_eq!(ledger.head().unwrap().unwrap().seq, 1);
    assert_eq!(append(&ledger, using("b", &["three"])).unwrap().seq, 2);
    assert_eq!(used(&ledger, &["three"]), [Some(2)]);
}

#[test]
fn of_one_commit_the_first_has_it_and_the_others_of_the_group_are_not_harmed() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let sealed = |new| {
        (new, |position: &ambit_store::Position| {
            Ok::<_, Infallible>(seal(position))
        })
    };
    let results = ledger.append_all([
        sealed(using("a", &["one"])),
        sealed(using("b", &["one"])),
        sealed(using("c", &["two"])),
    ]);
    let codes: Vec<_> = results
        .iter()
        .map(|result| match result {
            Ok(appended) => appended.seq.to_string(),
            Err(AppendError::Ledger(error)) => error.code().to_owned(),
            Err(AppendError::Seal(never)) => match *never {},
        })
        .collect();
    assert_eq!(codes, ["1", "ERR_APPROVAL_CONSUMED", "2"]);
}

#[test]
fn a_seal_that_fails_uses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    let failed = ledger.append(using("a", &["one"]), |_| Err::<Vec<u8>, _>("no key"));
    assert!(
        matches!(failed, Err(AppendError::Seal("no key"))),
        "{failed:?}"
    );
    assert_eq!(used(&ledger, &["one"]), [None]);
    append(&ledger, using("a", &["one"])).unwrap();
}

#[test]
fn uses_cannot_be_changed_removed_or_made_up() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let ledger = open(&folder);
    append(&ledger, using("a", &["one"])).unwrap();
    append(&ledger, using("b", &["two"])).unwrap();
    for (sql, want) in [
        ("DELETE FROM approvals_used", "a use is never removed"),
        (
            "UPDATE approvals_used SET seq = 2",
            "a use is never changed",
        ),
        (
            "REPLACE INTO approvals_used SELECT approval, 2 FROM approvals_used",
            "an approval is used once, by a new entry",
        ),
        (
            "INSERT INTO approvals_used VALUES (zeroblob(32), 1)",
            "an approval is used once, by a new entry",
        ),
    ] {
        let error = raw(&folder).execute_batch(sql).unwrap_err();
        assert_eq!(error.to_string(), want, "{sql}");
    }
    assert_eq!(used(&ledger, &["one", "two"]), [Some(1), Some(2)]);
}

#[test]
fn a_ledger_of_the_version_before_keeps_its_entries_and_takes_approvals() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    append(&open(&folder), using("a", &[])).unwrap();
    raw(&folder)
        .execute_batch("DROP TABLE approvals_used; PRAGMA user_version = 2")
        .unwrap();
    let ledger = open(&folder);
    assert_eq!(append(&ledger, using("b", &["one"])).unwrap().seq, 2);
    drop(ledger);
    assert_eq!(used(&open(&folder), &["one"]), [Some(2)]);
}

#[test]
fn of_sixty_four_processes_one_has_the_approval() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let mut racers: Vec<_> = (0..64)
        .map(|_| start(role("approvals::role_races", &folder, None)))
        .collect();
    let mut stdins: Vec<_> = racers
        .iter_mut()
        .map(|(child, _)| child.stdin.take().unwrap())
        .collect();
    for (_, lines) in &mut racers {
        assert_eq!(next_line(lines).as_deref(), Some("ready"));
    }
    let rounds = rounds();
    for round in 0..rounds {
        for stdin in &mut stdins {
            writeln!(stdin, "{round}").unwrap();
        }
        let said: Vec<_> = racers
            .iter_mut()
            .map(|(_, lines)| next_line(lines).unwrap())
            .collect();
        let count = |word: &str| said.iter().filter(|said| *said == word).count();
        assert_eq!(
            (count("won"), count("ERR_APPROVAL_CONSUMED")),
            (1, 63),
            "{said:?}"
        );
    }
    drop(stdins);
    for (mut child, _lines) in racers {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(open(&folder).head().unwrap().unwrap().seq, rounds);
}

/// How often they race: 10 times, or as often as is asked for.
fn rounds() -> u64 {
    let rounds = std::env::var("AMBIT_RACE_ROUNDS").ok();
    rounds.map_or(10, |rounds| rounds.parse().unwrap())
}

#[test]
#[ignore = "a role that another test starts"]
fn role_races() {
    let Some(folder) = role_folder() else { return };
    let ledger = patient(&folder);
    eprintln!("ready");
    for round in std::io::stdin().lock().lines() {
        let round = round.unwrap();
        let run = format!("{}-{round}", std::process::id());
        match append(&ledger, using(&run, &[&round])) {
            Ok(_) => eprintln!("won"),
            Err(error) => eprintln!("{}", error.code()),
        }
    }
}

/// Many processes on few cores: a turn may be long in coming.
fn patient(folder: &Path) -> Ledger {
    let options = OpenOptions {
        busy_timeout_ms: 120_000,
    };
    Ledger::open(folder, &options).unwrap()
}

#[test]
fn a_process_that_dies_with_an_approval_leaves_an_orphan_and_no_second_use() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let (mut child, mut lines) = start(role("approvals::role_dies", &folder, None));
    assert_eq!(next_line(&mut lines).as_deref(), Some("used"));
    child.kill().unwrap();
    child.wait().unwrap();
    let ledger = open(&folder);
    let orphans: Vec<_> = ledger.orphans().unwrap();
    let runs: Vec<_> = orphans.iter().map(|run| run.run_id.clone()).collect();
    assert_eq!(runs, [RunId::try_from("dies").unwrap()]);
    assert_eq!(used(&ledger, &["one"]), [Some(1)]);
    let error = append(&ledger, using("again", &["one"])).unwrap_err();
    assert_eq!(error.code(), "ERR_APPROVAL_CONSUMED");
}

#[test]
#[ignore = "a role that another test starts"]
fn role_dies() {
    let Some(folder) = role_folder() else { return };
    let ledger = patient(&folder);
    append(&ledger, using("dies", &["one"])).unwrap();
    eprintln!("used");
    crate::common::wait_for_parent();
}
