// SPDX-License-Identifier: Apache-2.0
//! Who records the outcome of a run: a process that holds a lock for as long as it lives.
//!
//! An owner is a file named after it, under flock(2). The kernel lets go of the lock when the
//! process ends, however it ends. So an owner whose file is missing, or whose lock can be had, is
//! gone for good.

use std::fs::File;
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::stat::fstat;

use crate::error::LedgerError;
use crate::folder::Folder;
use crate::ids::OwnerId;

/// This process's own lock. Dropping it makes every run that it left open an orphan.
#[derive(Debug)]
pub(crate) struct Owner {
    id: OwnerId,
    folder: Arc<Folder>,
    /// Held, never read.
    _lock: Flock<File>,
}

impl Owner {
    /// Draws a new id and takes its lock.
    pub(crate) fn claim(folder: &Arc<Folder>) -> Result<Self, LedgerError> {
        loop {
            let id = OwnerId::random()?;
            let Some(file) = folder.create_file(id.as_str())? else {
                continue;
            };
            if let Some(lock) = lock_new(folder, &id, file)? {
                return Ok(Self {
                    id,
                    folder: Arc::clone(folder),
                    _lock: lock,
                });
            }
        }
    }

    pub(crate) const fn id(&self) -> &OwnerId {
        &self.id
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // A file that stays behind is swept by the next open: the lock alone says who lives.
        drop(self.folder.remove_file(self.id.as_str()));
    }
}

/// Returns whether `owner` has ended. What cannot be examined is an error, never a `true`.
pub(crate) fn is_gone(folder: &Folder, owner: &OwnerId) -> Result<bool, LedgerError> {
    let Some(file) = folder.open_file(owner.as_str())? else {
        return Ok(true);
    };
    // Shared here and in a sweep: two who ask at once do not take each other for the owner.
    try_lock(folder, owner, file, FlockArg::LockSharedNonblock).map(|lock| lock.is_some())
}

/// Removes the files of owners that have ended; returns how many.
pub(crate) fn sweep(folder: &Folder) -> Result<u64, LedgerError> {
    let mut removed: u64 = 0;
    for name in folder.names()? {
        let Some(id) = OwnerId::from_file_name(&name) else {
            continue;
        };
        let Some(file) = folder.open_file(&name)? else {
            continue;
        };
        // Removed under the lock: an owner that made its file and then finds it gone makes another.
        if let Some(lock) = try_lock(folder, &id, file, FlockArg::LockSharedNonblock)? {
            folder.remove_file(&name)?;
            drop(lock);
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}

/// Takes the lock on a file just made; `None` when a sweep came between and took the file.
fn lock_new(
    folder: &Folder,
    owner: &OwnerId,
    file: File,
) -> Result<Option<Flock<File>>, LedgerError> {
    let lock = try_lock(folder, owner, file, FlockArg::LockExclusiveNonblock)?;
    let Some(lock) = lock else { return Ok(None) };
    let stat = fstat(&*lock)
        .map_err(|errno| LedgerError::io("examine", folder.path_of(owner.as_str()), errno))?;
    Ok((stat.st_nlink > 0).then_some(lock))
}

/// Takes the lock on `file`; `None` when somebody else has it.
fn try_lock(
    folder: &Folder,
    owner: &OwnerId,
    file: File,
    argument: FlockArg,
) -> Result<Option<Flock<File>>, LedgerError> {
    match Flock::lock(file, argument) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(LedgerError::io(
            "lock",
            folder.path_of(owner.as_str()),
            errno,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Arc<Folder>) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_create(&root.path().join("owners")).unwrap();
        (root, Arc::new(folder))
    }

    #[test]
    fn an_owner_lives_as_long_as_it_is_held() {
        let (_root, folder) = folder();
        let owner = Owner::claim(&folder).unwrap();
        let id = owner.id().clone();
        assert!(!is_gone(&folder, &id).unwrap());
        drop(owner);
        assert!(is_gone(&folder, &id).unwrap());
        assert_eq!(folder.names().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_sweep_takes_the_dead_and_leaves_the_living_and_the_foreign() {
        let (_root, folder) = folder();
        let living = Owner::claim(&folder).unwrap();
        let dead = OwnerId::random().unwrap();
        assert!(folder.create_file(dead.as_str()).unwrap().is_some());
        assert!(folder.create_file("notes.txt").unwrap().is_some());
        assert!(is_gone(&folder, &dead).unwrap());

        sweep(&folder).unwrap();

        let mut names = folder.names().unwrap();
        names.sort();
        let mut want = vec![living.id().as_str().to_owned(), "notes.txt".to_owned()];
        want.sort();
        assert_eq!(names, want);
        assert!(is_gone(&folder, &dead).unwrap());
        assert!(!is_gone(&folder, living.id()).unwrap());
    }

    #[test]
    fn an_owner_whose_file_was_swept_before_it_was_locked_starts_again() {
        let (_root, folder) = folder();
        let id = OwnerId::random().unwrap();
        let new = || folder.create_file(id.as_str()).unwrap().unwrap();
        let swept = new();
        sweep(&folder).unwrap();
        assert!(lock_new(&folder, &id, swept).unwrap().is_none());
        assert!(lock_new(&folder, &id, new()).unwrap().is_some());
    }

    #[test]
    fn asking_at_once_does_not_make_a_dead_owner_look_alive() {
        let (_root, folder) = folder();
        let dead = OwnerId::random().unwrap();
        let file = folder.create_file(dead.as_str()).unwrap().unwrap();
        let asking = Flock::lock(file, FlockArg::LockSharedNonblock).unwrap();
        assert!(is_gone(&folder, &dead).unwrap());
        drop(asking);
    }

    #[test]
    fn a_lock_that_cannot_be_examined_is_an_error() {
        let (root, folder) = folder();
        let id = OwnerId::random().unwrap();
        let target = root.path().join("elsewhere");
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, folder.path_of(id.as_str())).unwrap();
        let error = is_gone(&folder, &id).unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_UNAVAILABLE");
    }
}
