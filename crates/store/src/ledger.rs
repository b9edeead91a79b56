// SPDX-License-Identifier: Apache-2.0
//! Opening a ledger.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use rusqlite::{Connection, ErrorCode};

use crate::checkpoint;
use crate::connection;
use crate::error::LedgerError;
use crate::fault::{Activity, Fault};
use crate::folder::Folder;
use crate::group::Groups;
use crate::ids::LedgerId;
use crate::owner::{self, Owner};
use crate::read;
use crate::schema::{self, Found};

/// How a ledger is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// How long a call waits for other processes, in milliseconds. Threads of this process take
    /// turns, each of them bounded by this.
    pub busy_timeout_ms: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            busy_timeout_ms: 5000,
        }
    }
}

/// An open ledger. It can be shared by threads, and any number of processes may have it open.
#[derive(Debug)]
pub struct Ledger {
    // INVARIANT: dropped in this order. The writer outlives the reader, because the last
    // connection to close empties the log, and a reader cannot.
    reader: Mutex<Connection>,
    writing: Option<Writing>,
    id: LedgerId,
    folder: PathBuf,
    timeout_ms: u32,
}

/// What a ledger has that was not opened for reading only.
#[derive(Debug)]
pub(crate) struct Writing {
    writer: Mutex<Writer>,
    pub(crate) groups: Groups,
    pub(crate) owners: Arc<Folder>,
}

impl Writing {
    /// Takes the turn to append. A thread that panicked inside its turn left nothing behind: its
    /// transaction was rolled back on the way.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an append needs, one thread at a time.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    /// Claimed by the first intent, so that who only reads leaves no lock behind.
    pub(crate) owner: Option<Owner>,
}

impl Ledger {
    /// Opens the ledger in `folder`, and makes the folder (0700) and the ledger if there is none.
    ///
    /// It checks who may access the files, that the file is a ledger of a known version with its
    /// tables and triggers unchanged, and that the last entry is intact. The chain as a whole is
    /// checked by [`Ledger::check_chain`].
    ///
    /// # Errors
    /// `ERR_LEDGER_UNAVAILABLE` when a file or folder is a symbolic link, belongs to another user,
    /// is open to others, or cannot be opened; `ERR_LEDGER_FOREIGN`, `ERR_LEDGER_VERSION` and
    /// `ERR_LEDGER_CORRUPT` for a file that is not an intact ledger of this version, which is left
    /// as it is; `ERR_LEDGER_WRITE` when the disk is full or read-only; `ERR_LEDGER_BUSY`.
    pub fn open(folder: &Path, options: &OpenOptions) -> Result<Self, LedgerError> {
        let timeout_ms = options.busy_timeout_ms;
        let folder = Folder::open_or_create(folder)?;
        // One at a time: making the file and turning its log on cannot be done twice at once.
        let turn = lock_folder(&folder, timeout_ms)?;
        let owners = Arc::new(folder.child(OWNERS)?);
        owner::sweep(&owners)?;
        let path = prepare_file(&folder)?;
        let failed = |fault: Fault| Activity::Open.failed(timeout_ms, fault);

        let (connection, id) = open_database(&path, timeout_ms).map_err(failed)?;
        let reader =
            connection::open_reader(&path, timeout_ms).map_err(|source| failed(source.into()))?;
        drop(turn);
        let owner = None;
        let writing = Writing {
            writer: Mutex::new(Writer { connection, owner }),
            groups: Groups::default(),
            owners,
        };
        Ok(Self {
            reader: Mutex::new(reader),
            writing: Some(writing),
            id,
            folder: folder.path().to_owned(),
            timeout_ms,
        })
    }

    /// Opens the ledger in `folder` for reading only. Nothing in it is changed; who may access it
    /// and whether its last entry is intact are not checked.
    ///
    /// While the database is in use, or where the folder can be written, the engine keeps two files
    /// beside it. On a read-only file system it needs neither, unless a process that died has left
    /// entries in the log that are not in the database yet: those must be recovered by a normal
    /// open, or in a copy, and until then the ledger is refused rather than shown without its tail.
    ///
    /// # Errors
    /// `ERR_LEDGER_UNAVAILABLE` when there is no ledger or it cannot be opened;
    /// `ERR_LEDGER_FOREIGN`, `ERR_LEDGER_VERSION` and `ERR_LEDGER_CORRUPT` for a file that is not a
    /// ledger of this version with its tables and triggers unchanged; `ERR_LEDGER_BUSY`.
    pub fn open_read_only(folder: &Path, options: &OpenOptions) -> Result<Self, LedgerError> {
        let timeout_ms = options.busy_timeout_ms;
        let folder =
            fs::canonicalize(folder).map_err(|source| LedgerError::io("open", folder, source))?;
        let path = folder.join(DATABASE);
        let failed = |fault: Fault| Activity::Open.failed(timeout_ms, fault);
        let (reader, id) = read_database(&path, timeout_ms).map_err(failed)?;
        Ok(Self {
            reader: Mutex::new(reader),
            writing: None,
            id,
            folder,
            timeout_ms,
        })
    }

    /// Returns the ledger's name, drawn when it was made.
    pub const fn id(&self) -> &LedgerId {
        &self.id
    }

    /// Returns what is needed to write.
    pub(crate) fn writing(&self) -> Result<&Writing, LedgerError> {
        self.writing.as_ref().ok_or(LedgerError::ReadOnly)
    }

    pub(crate) fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the folder, without links in its path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// Names a failure of `activity` in the ledger's words.
    pub(crate) fn failed(&self, activity: Activity, fault: impl Into<Fault>) -> LedgerError {
        activity.failed(self.timeout_ms, fault)
    }
}

/// Opens the database, makes the ledger in an empty one, and checks what it finds.
fn open_database(path: &Path, timeout_ms: u32) -> Result<(Connection, LedgerId), Fault> {
    let connection = connection::open_writer(path, timeout_ms)?;
    let found = schema::identify(&connection, path)?;
    let mode = connection::enable_log(&connection)?;
    if mode != "wal" {
        return Err(LedgerError::Journal { mode }.into());
    }
    match found {
        Found::Empty => schema::install(&connection, &LedgerId::random()?)?,
        Found::Older => schema::upgrade(&connection)?,
        Found::Ledger => {}
    }
    schema::check(&connection)?;
    checkpoint::check_tail(&connection)?;
    let id = connection.query_row("SELECT id FROM ledger", [], |row| row.get(0))?;
    read::last_entry(&connection)?;
    Ok((connection, LedgerId::stored(id)?))
}

/// Opens the database for reading only, and checks what it finds.
fn read_database(path: &Path, timeout_ms: u32) -> Result<(Connection, LedgerId), Fault> {
    let examined = connection::open_reader(path, timeout_ms)
        .map_err(Fault::from)
        .and_then(|connection| examine(connection, path));
    match examined {
        Err(Fault::Engine(error)) if wants_to_write(&error) && !has_log(path) => {
            examine(connection::open_unchanging(path, timeout_ms)?, path)
        }
        other => other,
    }
}

fn examine(connection: Connection, path: &Path) -> Result<(Connection, LedgerId), Fault> {
    match schema::identify(&connection, path)? {
        Found::Ledger => {}
        // A normal open would make it one of this version.
        Found::Older => {
            let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let supported = schema::VERSION;
            return Err(LedgerError::Version { found, supported }.into());
        }
        Found::Empty => {
            let path = path.to_owned();
            let application_id = 0;
            return Err(LedgerError::Foreign {
                path,
                application_id,
            }
            .into());
        }
    }
    schema::check(&connection)?;
    let id = connection.query_row("SELECT id FROM ledger", [], |row| row.get(0))?;
    Ok((connection, LedgerId::stored(id)?))
}

/// Whether the engine would have to make its files first.
fn wants_to_write(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    code.is_some_and(|code| matches!(code, ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Whether there is a log with something in it, or one that cannot be examined.
fn has_log(path: &Path) -> bool {
    let log = path.with_file_name(LOG);
    match fs::symlink_metadata(log) {
        Ok(found) => found.len() > 0,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Makes sure that the database file exists and that it and its companions are private.
pub(crate) fn prepare_file(folder: &Folder) -> Result<PathBuf, LedgerError> {
    if !folder.check_file(DATABASE)? {
        // The engine gives its own files the mode and owner of this one.
        if let Some(file) = folder.create_file(DATABASE)? {
            file.sync_all()
                .map_err(|source| LedgerError::io("sync", folder.path_of(DATABASE), source))?;
        }
        folder.sync()?;
    }
    for name in COMPANIONS {
        folder.check_file(name)?;
    }
    Ok(folder.path_of(DATABASE))
}

/// Waits for the turn to open, as long as the options allow.
pub(crate) fn lock_folder(folder: &Folder, timeout_ms: u32) -> Result<Flock<File>, LedgerError> {
    let mut file = loop {
        if let Some(file) = folder.open_file(LOCK)? {
            break file;
        }
        if let Some(file) = folder.create_file(LOCK)? {
            break file;
        }
    };
    let start = Instant::now();
    let timeout = Duration::from_millis(timeout_ms.into());
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(turn) => return Ok(turn),
            Err((_, Errno::EWOULDBLOCK)) if start.elapsed() >= timeout => {
                return Err(LedgerError::Busy { timeout_ms });
            }
            Err((again, Errno::EWOULDBLOCK)) => file = again,
            Err((_, errno)) => return Err(LedgerError::io("lock", folder.path_of(LOCK), errno)),
        }
        thread::sleep(POLL);
    }
}

pub(crate) const DATABASE: &str = "ledger.db";
const LOG: &str = "ledger.db-wal";
const COMPANIONS: [&str; 3] = [LOG, "ledger.db-shm", "ledger.db-journal"];
pub(crate) const LOCK: &str = "ledger.lock";
const OWNERS: &str = "owners";
const POLL: Duration = Duration::from_millis(2);
