// SPDX-License-Identifier: Apache-2.0
//! Making a new ledger of an export: all of it or nothing.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::geteuid;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::MAX_ENTRY_BYTES;
use crate::connection;
use crate::entry::{Head, Phase, sha256};
use crate::error::{AccessProblem, LedgerError};
use crate::export::{beside, named, sync_parent};
use crate::fault::{Activity, Fault};
use crate::folder::{Folder, open_error};
use crate::ids::{LedgerId, OwnerId};
use crate::ledger::{DATABASE, LOCK, Ledger, OpenOptions, lock_folder, prepare_file};
use crate::schema;
use crate::transfer::{
    HEADER_FILE, Header, INDEX_FILE, MAX_LINE_BYTES, Record, TransferProblem, check_place,
    file_name,
};

impl Ledger {
    /// Makes a new ledger in `folder` of an export, a file or a folder, with the id that it had;
    /// returns id and last entry. `progress` hears how many entries are read, of how many.
    ///
    /// It checks that the entries are numbered without gaps, that each receipt says of itself that
    /// it stands at that place of that ledger and names the digest of the one before, that the
    /// entries of each run fit each other, and that the last one is that of the header. It does not
    /// check signatures: a verifier does, with keys. Runs without an outcome are orphans.
    ///
    /// # Errors
    /// `ERR_LEDGER_EXISTS` when `folder` is not empty; `ERR_LEDGER_IMPORT` when the export is not
    /// whole or not in order, or not an export; `ERR_LEDGER_UNAVAILABLE` when it cannot be read;
    /// `ERR_LEDGER_WRITE`. Nothing is left of an import that failed.
    pub fn import(
        source: &Path,
        folder: &Path,
        options: &OpenOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(LedgerId, Option<Head>), LedgerError> {
        let exists = |path: &Path| LedgerError::Exists {
            path: path.to_owned(),
        };
        let folder: &Path = &folder.components().collect::<PathBuf>();
        if is_taken(folder) {
            return Err(exists(folder));
        }
        let mut source = Source::open(source)?;
        let part = beside(folder, &format!("{PART}{}", OwnerId::random()?.as_str()));
        let made = fill(&mut source, &part, options.busy_timeout_ms, progress).and_then(|head| {
            fs::rename(&part, folder).map_err(|source| named("name", folder, source))?;
            sync_parent(folder)?;
            Ok(head)
        });
        match made {
            Ok(head) => Ok((source.header.ledger_id, head)),
            Err(error) => {
                // What cannot be removed now is swept when garbage is collected.
                drop(fs::remove_dir_all(&part));
                Err(error)
            }
        }
    }
}

/// Whether something other than an empty folder stands at the place.
fn is_taken(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut names) => names.next().is_some(),
        Err(error) => error.kind() == std::io::ErrorKind::NotADirectory,
    }
}

/// Removes imports into `folder` that were never finished; returns how many.
pub(crate) fn sweep(folder: &Path) -> Result<u64, LedgerError> {
    let Some(parent) = folder.parent() else {
        return Ok(0);
    };
    let mut removed: u64 = 0;
    let listed = |source| LedgerError::io("list", parent, source);
    for item in fs::read_dir(parent).map_err(listed)? {
        let path = item.map_err(listed)?.path();
        if is_part_of(folder, &path) && is_abandoned(&path)? {
            fs::remove_dir_all(&path).map_err(|source| LedgerError::io("remove", &path, source))?;
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}

fn is_part_of(folder: &Path, path: &Path) -> bool {
    let names = folder.file_name().zip(path.file_name());
    names
        .and_then(|(folder, name)| Some((folder.to_str()?, name.to_str()?)))
        .and_then(|(folder, name)| name.strip_prefix(folder)?.strip_prefix(PART))
        .is_some_and(|id| OwnerId::from_file_name(id).is_some())
}

/// Whether nobody holds the lock of an import.
fn is_abandoned(part: &Path) -> Result<bool, LedgerError> {
    let path = part.join(LOCK);
    // Just being made, or not one of ours: the folder beside may be anybody's.
    let Ok(file) = open_member(&path) else {
        return Ok(false);
    };
    let found = file.metadata();
    let found = found.map_err(|source| LedgerError::io("examine", &path, source))?;
    if found.uid() != geteuid().as_raw() {
        return Ok(false);
    }
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(_lock) => Ok(true),
        Err((_, Errno::EWOULDBLOCK)) => Ok(false),
        Err((_, errno)) => Err(LedgerError::io("lock", path, errno)),
    }
}

/// Makes a ledger of the source in a folder of its own.
fn fill(
    source: &mut Source,
    part: &Path,
    timeout_ms: u32,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Head>, LedgerError> {
    let failed = |fault: Fault| Activity::Write.failed(timeout_ms, fault);
    let folder = Folder::open_or_create(part)?;
    // Held until the folder has its name: nobody sweeps it.
    let _lock = lock_folder(&folder, timeout_ms)?;
    let path = prepare_file(&folder)?;
    let connection =
        connection::open_writer(&path, timeout_ms).map_err(|error| failed(error.into()))?;
    let head = write_all(source, &connection, progress).map_err(failed)?;
    connection
        .close()
        .map_err(|(_, error)| failed(error.into()))?;
    let database = folder.path_of(DATABASE);
    File::open(&database)
        .and_then(|file| file.sync_all())
        .map_err(|source| LedgerError::io("sync", database, source))?;
    folder.sync()?;
    Ok(head)
}

fn write_all(
    source: &mut Source,
    connection: &Connection,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Head>, Fault> {
    let mode = connection::enable_log(connection)?;
    if mode != "wal" {
        return Err(LedgerError::Journal { mode }.into());
    }
    // Nobody else sees this ledger, and it is made durable at the end.
    connection.pragma_update(None, "synchronous", "OFF")?;
    schema::install(connection, &source.header.ledger_id)?;
    let owner = OwnerId::random()?;
    let announced = source.header.entries;
    let mut head = None;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    while let Some((record, receipt)) = source.next(head)? {
        head = Some(insert(source, connection, &owner, head, &record, &receipt)?);
        progress(record.seq, announced);
        if record.seq.is_multiple_of(ENTRIES_PER_COMMIT) {
            connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        }
    }
    connection.execute_batch("COMMIT")?;
    source.check_end(head)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))?;
    Ok(head)
}

fn insert(
    source: &Source,
    connection: &Connection,
    owner: &OwnerId,
    last: Option<Head>,
    record: &Record,
    receipt: &[u8],
) -> Result<Head, Fault> {
    let previous = last.map(|last| last.digest);
    let consumes = check_place(receipt, &source.header.ledger_id, record, previous)
        .map_err(|problem| source.refuse(problem))?;
    let digest = sha256(receipt);
    let run_id = record.entry.run_id.as_str();
    connection.prepare_cached(INSERT_ENTRY)?.execute(params![
        record.seq,
        record.entry.phase.as_str(),
        run_id,
        record.entry.created_at_ms,
        previous,
        digest,
        receipt,
    ])?;
    for used in consumes {
        let is_new = connection
            .prepare_cached(INSERT_USE)?
            .execute(params![used, record.seq])?;
        if is_new == 0 {
            return Err(source.refuse(TransferProblem::Approval).into());
        }
    }
    let outcome: Option<bool> = connection
        .prepare_cached("SELECT outcome_seq IS NOT NULL FROM runs WHERE run_id = ?1")?
        .query_row([run_id], |row| row.get(0))
        .optional()?;
    match (record.entry.phase, outcome) {
        (Phase::Refusal, _) => {}
        (Phase::Intent, None) => {
            connection
                .prepare_cached("INSERT INTO runs (run_id, owner, intent_seq) VALUES (?1, ?2, ?3)")?
                .execute(params![run_id, owner.as_str(), record.seq])?;
        }
        (Phase::Outcome, Some(false)) => {
            connection
                .prepare_cached("UPDATE runs SET outcome_seq = ?2 WHERE run_id = ?1")?
                .execute(params![run_id, record.seq])?;
        }
        (Phase::Intent, Some(_)) | (Phase::Outcome, None | Some(true)) => {
            return Err(source.refuse(TransferProblem::Run).into());
        }
    }
    Ok(Head {
        seq: record.seq,
        digest,
    })
}

/// An export that is being read.
struct Source {
    path: PathBuf,
    lines: BufReader<File>,
    /// The line that was read last, from 1.
    line: u64,
    header: Header,
    /// Where the receipts are, if they are not in the lines.
    files: Option<PathBuf>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, LedgerError> {
        let is_folder = fs::metadata(path)
            .map_err(|source| LedgerError::io("open", path, source))?
            .is_dir();
        let opened = |path: &Path| {
            if is_folder {
                return open_member(path);
            }
            // named by the user: it may be a pipe
            File::open(path).map_err(|source| LedgerError::io("open", path, source))
        };
        let refuse = |path: &Path, problem| {
            let place = path.display().to_string();
            LedgerError::Import { place, problem }
        };
        let (files, index, header) = if is_folder {
            (
                Some(path.to_owned()),
                path.join(INDEX_FILE),
                path.join(HEADER_FILE),
            )
        } else {
            (None, path.to_owned(), path.to_owned())
        };
        let mut lines = BufReader::with_capacity(1 << 20, opened(&header)?);
        let first = read_line(&mut lines).map_err(|fault| fault.at(&header))?;
        let read = Header::read(&first.unwrap_or_default());
        let read = read.map_err(|problem| refuse(&header, problem))?;
        let line = u64::from(files.is_none());
        if files.is_some() {
            lines = BufReader::with_capacity(1 << 20, opened(&index)?);
        }
        Ok(Self {
            path: index,
            lines,
            line,
            header: read,
            files,
        })
    }

    /// Returns the next record and its receipt.
    fn next(&mut self, last: Option<Head>) -> Result<Option<(Record, Vec<u8>)>, LedgerError> {
        let Some(line) = read_line(&mut self.lines).map_err(|fault| fault.at(&self.path))? else {
            return Ok(None);
        };
        self.line = self.line.saturating_add(1);
        let mut record = Record::read(&line).map_err(|problem| self.refuse(problem))?;
        let wanted = last.map_or(0, |last| last.seq).saturating_add(1);
        if record.seq != wanted {
            let found = record.seq;
            return Err(self.refuse(TransferProblem::Seq { found, wanted }));
        }
        let announced = self.header.entries;
        if record.seq > announced {
            return Err(self.refuse(TransferProblem::More { announced }));
        }
        let receipt = match (&self.files, record.receipt.take()) {
            (None, Some(receipt)) => receipt.into_bytes(),
            (Some(folder), None) => read_file(&folder.join(file_name(record.seq, announced)))?,
            (None, None) | (Some(_), Some(_)) => {
                return Err(self.refuse(TransferProblem::Member("receipt")));
            }
        };
        if receipt.len() > MAX_ENTRY_BYTES {
            return Err(self.refuse(TransferProblem::TooLong));
        }
        Ok(Some((record, receipt)))
    }

    fn check_end(&self, head: Option<Head>) -> Result<(), LedgerError> {
        let (found, announced) = (head.map_or(0, |head| head.seq), self.header.entries);
        if found != announced {
            return Err(self.refuse(TransferProblem::Cut { found, announced }));
        }
        if head.map(|head| head.digest) != self.header.head {
            return Err(self.refuse(TransferProblem::Head));
        }
        Ok(())
    }

    fn refuse(&self, problem: TransferProblem) -> LedgerError {
        let place = format!("{}:{}", self.path.display(), self.line);
        LedgerError::Import { place, problem }
    }
}

/// Reads one receipt of a folder.
fn read_file(path: &Path) -> Result<Vec<u8>, LedgerError> {
    let mut bytes = Vec::new();
    open_member(path)?
        .take(MOST_RECEIPT)
        .read_to_end(&mut bytes)
        .map_err(|source| LedgerError::io("read", path, source))?;
    Ok(bytes)
}

/// Opens a file of a folder: a plain one, since a pipe or a device would be waited for.
fn open_member(path: &Path) -> Result<File, LedgerError> {
    let fd = open(path, MEMBER_FLAGS, Mode::empty());
    let file = File::from(fd.map_err(|errno| open_error(path, "file", errno))?);
    let found = file.metadata();
    let found = found.map_err(|source| LedgerError::io("examine", path, source))?;
    if found.is_file() {
        return Ok(file);
    }
    Err(LedgerError::Access {
        path: path.to_owned(),
        problem: AccessProblem::Type { expected: "file" },
    })
}

enum LineFault {
    Io(std::io::Error),
    TooLong,
}

impl LineFault {
    fn at(self, path: &Path) -> LedgerError {
        match self {
            Self::Io(source) => LedgerError::io("read", path, source),
            Self::TooLong => LedgerError::Import {
                place: path.display().to_string(),
                problem: TransferProblem::TooLong,
            },
        }
    }
}

/// Reads a line without its end; `None` after the last one.
fn read_line(lines: &mut BufReader<File>) -> Result<Option<Vec<u8>>, LineFault> {
    let mut line = Vec::new();
    let count = lines
        .take(MOST_LINE)
        .read_until(b'\n', &mut line)
        .map_err(LineFault::Io)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > MAX_LINE_BYTES {
        return Err(LineFault::TooLong);
    }
    Ok((count > 0).then_some(line))
}

const MEMBER_FLAGS: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);
// One more than is accepted, so that it is seen.
const MOST_RECEIPT: u64 = MAX_ENTRY_BYTES as u64 + 1;
const MOST_LINE: u64 = MAX_LINE_BYTES as u64 + 1;
const PART: &str = ".import-";
const ENTRIES_PER_COMMIT: u64 = 10_000;
const INSERT_ENTRY: &str = "INSERT INTO entries \
    (seq, phase, run_id, created_at_ms, previous, digest, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const INSERT_USE: &str = "INSERT INTO approvals_used (approval, seq) SELECT ?1, ?2 \
    WHERE NOT EXISTS (SELECT 1 FROM approvals_used WHERE approval = ?1)";
