// SPDX-License-Identifier: Apache-2.0
//! Passing a ledger on. What is written is checked on the way, and appears whole or not at all.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::syncfs;

use crate::chain::{ChainEnd, ChainFault, ChainFaultKind};
use crate::entry::{Entry, Head};
use crate::error::LedgerError;
use crate::ids::LedgerId;
use crate::ledger::Ledger;
use crate::transfer::{Form, HEADER_FILE, Header, INDEX_FILE, Record, file_name};

impl Ledger {
    /// Writes all entries that are there now to `target`, a new file or a new folder, and returns
    /// the last of them. `progress` hears how many are written, of how many.
    ///
    /// The chain is checked on the way; signatures are not. Appends go on meanwhile.
    ///
    /// # Errors
    /// `ERR_LEDGER_EXISTS` when there is something at `target`; `ERR_LEDGER_CORRUPT` when the chain
    /// is broken, and nothing is left at `target` then; `ERR_LEDGER_WRITE` and
    /// `ERR_LEDGER_UNAVAILABLE`.
    pub fn export(
        &self,
        target: &Path,
        form: Form,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Option<Head>, LedgerError> {
        let head = self.head()?;
        let mut out = Out::create(target, form, self.id(), head)?;
        let written = self
            .write_all(&mut out, head, progress)
            .and_then(|()| out.finish());
        match written {
            Ok(()) => Ok(head),
            Err(error) => {
                out.remove();
                Err(error)
            }
        }
    }

    fn write_all(
        &self,
        out: &mut Out,
        head: Option<Head>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), LedgerError> {
        let Some(head) = head else { return Ok(()) };
        let mut failed = Ok(());
        let report = self.check_chain(|entry| {
            failed = out.put(entry, head.seq);
            progress(entry.seq, head.seq);
            if failed.is_err() || entry.seq == head.seq {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        failed?;
        match report.end {
            ChainEnd::Fault(fault) => Err(LedgerError::CorruptEntry { fault }),
            ChainEnd::Complete | ChainEnd::Stopped if report.last == Some(head) => Ok(()),
            // the last entry is not the one that it was when this began
            ChainEnd::Complete | ChainEnd::Stopped => Err(LedgerError::CorruptEntry {
                fault: ChainFault {
                    seq: head.seq,
                    kind: ChainFaultKind::Digest,
                },
            }),
        }
    }
}

/// Where an export goes: beside its target until it is whole.
struct Out {
    target: PathBuf,
    part: PathBuf,
    form: Form,
    /// The lines, or the index of the folder.
    lines: BufWriter<File>,
    header: String,
}

impl Out {
    fn create(
        target: &Path,
        form: Form,
        id: &LedgerId,
        head: Option<Head>,
    ) -> Result<Self, LedgerError> {
        if fs::symlink_metadata(target).is_ok() {
            let path = target.to_owned();
            return Err(LedgerError::Exists { path });
        }
        let part = beside(target, &format!(".part-{}", std::process::id()));
        let header = Header::of(id, head).text()?;
        let file = match form {
            Form::Lines => part.clone(),
            Form::Files => {
                DirBuilder::new()
                    .mode(0o700)
                    .create(&part)
                    .map_err(|source| LedgerError::io("create", &part, source))?;
                part.join(INDEX_FILE)
            }
        };
        let mut lines = BufWriter::with_capacity(1 << 20, new_file(&file)?);
        if form == Form::Lines {
            writeln!(lines, "{header}")
                .map_err(|source| LedgerError::io("write", &part, source))?;
        }
        Ok(Self {
            target: target.to_owned(),
            part,
            form,
            lines,
            header,
        })
    }

    fn put(&mut self, entry: &Entry, entries: u64) -> Result<(), LedgerError> {
        let line = Record::text(entry, self.form)?;
        writeln!(self.lines, "{line}")
            .map_err(|source| LedgerError::io("write", &self.part, source))?;
        if self.form == Form::Files {
            let path = self.part.join(file_name(entry.seq, entries));
            new_file(&path)?
                .write_all(&entry.bytes)
                .map_err(|source| LedgerError::io("write", path, source))?;
        }
        Ok(())
    }

    /// Makes what was written durable, and gives it its name.
    fn finish(&mut self) -> Result<(), LedgerError> {
        let failed = |action, path: &Path, source| LedgerError::io(action, path, source);
        self.lines
            .flush()
            .map_err(|source| failed("write", &self.part, source))?;
        match self.form {
            Form::Lines => {
                let file = self.lines.get_ref();
                file.sync_all()
                    .map_err(|source| failed("sync", &self.part, source))?;
                // a name that came into being meanwhile is not replaced
                fs::hard_link(&self.part, &self.target)
                    .map_err(|source| self.unless_there(source))?;
                self.remove();
            }
            Form::Files => {
                let path = self.part.join(HEADER_FILE);
                let mut file = new_file(&path)?;
                writeln!(file, "{}", self.header)
                    .map_err(|source| failed("write", &path, source))?;
                // one call for all files, however many
                syncfs(&file).map_err(|errno| LedgerError::io("sync", &self.part, errno))?;
                fs::rename(&self.part, &self.target).map_err(|source| self.unless_there(source))?;
            }
        }
        sync_parent(&self.target)
    }

    fn unless_there(&self, source: std::io::Error) -> LedgerError {
        named("name", &self.target, source)
    }

    /// Removes what was not finished; what cannot be removed harms nobody.
    fn remove(&self) {
        drop(match self.form {
            Form::Lines => fs::remove_file(&self.part),
            Form::Files => fs::remove_dir_all(&self.part),
        });
    }
}

/// Returns the error of giving a name that something else may have.
pub(crate) fn named(action: &'static str, path: &Path, source: std::io::Error) -> LedgerError {
    use std::io::ErrorKind as Kind;
    let path = path.to_owned();
    if matches!(
        source.kind(),
        Kind::AlreadyExists | Kind::DirectoryNotEmpty | Kind::NotADirectory
    ) {
        LedgerError::Exists { path }
    } else {
        LedgerError::io(action, path, source)
    }
}

/// Returns the path with something after its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(suffix);
    path.with_file_name(name)
}

/// Makes the names in the folder of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> Result<(), LedgerError> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    File::open(parent)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| LedgerError::io("sync", parent, source))
}

fn new_file(path: &Path) -> Result<File, LedgerError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| named("create", path, source))
}
