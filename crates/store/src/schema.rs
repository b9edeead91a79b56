// SPDX-License-Identifier: Apache-2.0
//! The tables, and what keeps them append-only.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::error::LedgerError;
use crate::fault::Fault;
use crate::ids::LedgerId;

/// What an opened file turns out to be.
pub(crate) enum Found {
    /// A database without anything in it.
    Empty,
    /// A ledger of this version.
    Ledger,
    /// A ledger of a version before, which `upgrade` brings to this one.
    Older,
}

/// Says what the file is, without changing it.
pub(crate) fn identify(connection: &Connection, path: &Path) -> Result<Found, Fault> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application_id, version) = (number("application_id")?, number("user_version")?);
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application_id == APPLICATION_ID && version == VERSION {
        Ok(Found::Ledger)
    } else if application_id == APPLICATION_ID && (1..VERSION).contains(&version) {
        Ok(Found::Older)
    } else if application_id == APPLICATION_ID {
        Err(Fault::Ledger(LedgerError::Version {
            found: version,
            supported: VERSION,
        }))
    } else if application_id == 0 && version == 0 && objects == 0 {
        Ok(Found::Empty)
    } else {
        Err(Fault::Ledger(LedgerError::Foreign {
            path: path.to_owned(),
            application_id,
        }))
    }
}

/// Makes the tables and names the ledger, all in one transaction.
pub(crate) fn install(connection: &Connection, id: &LedgerId) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    for (_, sql) in STEPS.concat() {
        transaction.execute_batch(sql)?;
    }
    transaction.execute(
        "INSERT INTO ledger (only_row, id) VALUES (1, ?1)",
        params![id.as_str()],
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Brings a ledger of a version before to this one, in one transaction; entries are not touched.
pub(crate) fn upgrade(connection: &Connection) -> Result<(), Fault> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let version: i32 =
        transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))?;
    let (done, missing) = STEPS
        .split_at_checked(usize::try_from(version).unwrap_or(usize::MAX))
        .unwrap_or((&STEPS, &[]));
    check_objects(&transaction, &done.concat())?;
    for (_, sql) in missing.concat() {
        transaction.execute_batch(sql)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// Refuses a database in which an object is missing, changed or foreign.
pub(crate) fn check(connection: &Connection) -> Result<(), Fault> {
    check_objects(connection, &STEPS.concat())
}

fn check_objects(connection: &Connection, objects: &[(&str, &str)]) -> Result<(), Fault> {
    let mut statement =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let found: BTreeMap<String, String> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let wanted: BTreeMap<&str, &str> = objects.iter().copied().collect();
    let changed = wanted
        .iter()
        .find(|(name, sql)| found.get(**name).is_none_or(|found| found != *sql))
        .map(|(name, _)| (*name).to_owned());
    let foreign = || {
        found
            .keys()
            .find(|name| !wanted.contains_key(name.as_str()))
            .cloned()
    };
    match changed.or_else(foreign) {
        None => Ok(()),
        Some(name) => Err(Fault::Ledger(LedgerError::CorruptSchema { name })),
    }
}

/// `Ambt`, in the header of the file (<https://www.sqlite.org/fileformat2.html>, offset 68).
pub(crate) const APPLICATION_ID: i32 = 0x416d_6274;

/// The version of the tables below. A change needs a new version and a way to get there.
pub(crate) const VERSION: i32 = 3;

/// What each version added to the one before, from the first on.
const STEPS: [&[(&str, &str)]; 3] = [OBJECTS, CHECKPOINT_OBJECTS, APPROVAL_OBJECTS];

/// Name and exact text of every object, in the order of creation. The engine keeps the text, so a
/// dropped or changed trigger is seen on the next open.
const OBJECTS: &[(&str, &str)] = &[
    (
        "ledger",
        "CREATE TABLE ledger (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id TEXT NOT NULL
) STRICT",
    ),
    (
        "entries",
        "CREATE TABLE entries (
  seq INTEGER PRIMARY KEY CHECK (seq >= 1),
  phase TEXT NOT NULL,
  run_id TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  previous BLOB CHECK (previous IS NULL OR length(previous) = 32),
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  bytes BLOB NOT NULL CHECK (length(bytes) >= 1)
) STRICT",
    ),
    (
        "entries_by_run",
        "CREATE INDEX entries_by_run ON entries (run_id, seq)",
    ),
    (
        "runs",
        "CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  intent_seq INTEGER NOT NULL REFERENCES entries (seq),
  outcome_seq INTEGER REFERENCES entries (seq)
) STRICT, WITHOUT ROWID",
    ),
    (
        "runs_open",
        "CREATE INDEX runs_open ON runs (intent_seq) WHERE outcome_seq IS NULL",
    ),
    (
        "ledger_insert",
        "CREATE TRIGGER ledger_insert BEFORE INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM ledger)
BEGIN SELECT RAISE(ABORT, 'a ledger has one id'); END",
    ),
    (
        "ledger_update",
        "CREATE TRIGGER ledger_update BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'a ledger keeps its id'); END",
    ),
    (
        "ledger_delete",
        "CREATE TRIGGER ledger_delete BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'a ledger keeps its id'); END",
    ),
    // REPLACE deletes without a delete trigger; an insert anywhere but at the end is refused, so
    // it has nothing to replace.
    (
        "entries_insert",
        "CREATE TRIGGER entries_insert BEFORE INSERT ON entries
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entries)
  OR NEW.previous IS NOT (SELECT digest FROM entries ORDER BY seq DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'entries are appended at the end'); END",
    ),
    (
        "entries_update",
        "CREATE TRIGGER entries_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END",
    ),
    (
        "entries_delete",
        "CREATE TRIGGER entries_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END",
    ),
    (
        "runs_insert",
        "CREATE TRIGGER runs_insert BEFORE INSERT ON runs
WHEN NEW.outcome_seq IS NOT NULL OR EXISTS (SELECT 1 FROM runs WHERE run_id = NEW.run_id)
BEGIN SELECT RAISE(ABORT, 'a run is opened once'); END",
    ),
    (
        "runs_update",
        "CREATE TRIGGER runs_update BEFORE UPDATE ON runs
WHEN OLD.outcome_seq IS NOT NULL OR NEW.outcome_seq IS NULL OR NEW.run_id IS NOT OLD.run_id
  OR NEW.owner IS NOT OLD.owner OR NEW.intent_seq IS NOT OLD.intent_seq
BEGIN SELECT RAISE(ABORT, 'a run is closed once'); END",
    ),
    (
        "runs_delete",
        "CREATE TRIGGER runs_delete BEFORE DELETE ON runs
BEGIN SELECT RAISE(ABORT, 'runs are never removed'); END",
    ),
];

/// The objects that version 2 added: the signed checkpoints of the log, with the edge of its tree.
const CHECKPOINT_OBJECTS: &[(&str, &str)] = &[
    (
        "checkpoints",
        "CREATE TABLE checkpoints (
  size INTEGER PRIMARY KEY CHECK (size >= 1),
  root BLOB NOT NULL CHECK (length(root) = 32),
  note TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  frontier BLOB NOT NULL
) STRICT",
    ),
    (
        "checkpoints_insert",
        "CREATE TRIGGER checkpoints_insert BEFORE INSERT ON checkpoints
WHEN NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoints)
  OR NEW.size > (SELECT coalesce(max(seq), 0) FROM entries)
BEGIN SELECT RAISE(ABORT, 'a checkpoint covers more than the last one'); END",
    ),
    (
        "checkpoints_update",
        "CREATE TRIGGER checkpoints_update BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END",
    ),
    (
        "checkpoints_delete",
        "CREATE TRIGGER checkpoints_delete BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are never removed'); END",
    ),
];

/// The objects that version 3 added: the approvals that entries used up.
const APPROVAL_OBJECTS: &[(&str, &str)] = &[
    (
        "approvals_used",
        "CREATE TABLE approvals_used (
  approval BLOB PRIMARY KEY CHECK (length(approval) = 32),
  seq INTEGER NOT NULL REFERENCES entries (seq)
) STRICT, WITHOUT ROWID",
    ),
    (
        "approvals_used_insert",
        "CREATE TRIGGER approvals_used_insert BEFORE INSERT ON approvals_used
WHEN NEW.seq IS NOT (SELECT max(seq) FROM entries)
  OR EXISTS (SELECT 1 FROM approvals_used WHERE approval = NEW.approval)
BEGIN SELECT RAISE(ABORT, 'an approval is used once, by a new entry'); END",
    ),
    (
        "approvals_used_update",
        "CREATE TRIGGER approvals_used_update BEFORE UPDATE ON approvals_used
BEGIN SELECT RAISE(ABORT, 'a use is never changed'); END",
    ),
    (
        "approvals_used_delete",
        "CREATE TRIGGER approvals_used_delete BEFORE DELETE ON approvals_used
BEGIN SELECT RAISE(ABORT, 'a use is never removed'); END",
    ),
];
