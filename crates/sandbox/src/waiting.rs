// SPDX-License-Identifier: Apache-2.0
//! Work on files that may keep the caller waiting: a network mount whose server is gone, or a
//! FUSE mount whose program has stopped. No flag of `open(2)` bounds that, and a thread that waits in the kernel
//! cannot be called back. So such work is done by a thread of its own, and left behind when it
//! has not moved for too long.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::supervise::Cancel;

/// How long work may stand still at one file.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);
/// Most threads of this process that are left behind.
const MAX_STUCK: usize = 64;

/// Threads that were left behind and have not ended.
static STUCK: AtomicUsize = AtomicUsize::new(0);

/// What work is at, for whoever waits for it.
#[derive(Debug)]
pub(crate) struct Progress(Option<Mutex<(u64, PathBuf)>>);

impl Progress {
    /// Nobody waits with a bound.
    pub(crate) const fn unwatched() -> Self {
        Self(None)
    }

    /// Says that `path` comes next.
    pub(crate) fn at(&self, path: &Path) {
        if let Some(now) = &self.0 {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            now.0 = now.0.wrapping_add(1);
            path.clone_into(&mut now.1);
        }
    }

    fn now(&self) -> (u64, PathBuf) {
        self.0.as_ref().map_or_else(Default::default, |now| {
            now.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience<'a> {
    /// Without any progress.
    pub(crate) silence: Duration,
    /// In all.
    pub(crate) until: Instant,
    pub(crate) cancel: Option<&'a Cancel>,
}

/// Why work was not waited for any longer.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum GaveUp {
    Cancelled,
    /// The time is over; the work is at this path.
    Late(PathBuf),
    /// So many threads were left behind that no more is started.
    TooMany,
    /// A thread or descriptor was refused.
    Failed(Errno),
}

/// States of work.
const GOING: u8 = 0;
const ENDED: u8 = 1;
const LEFT: u8 = 2;

#[derive(Debug)]
struct Shared {
    state: AtomicU8,
    progress: Progress,
    /// Readable once the work has ended.
    bell: EventFd,
}

/// Rings when its thread ends, in whatever way.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if self.0.state.swap(ENDED, Ordering::AcqRel) == LEFT {
            STUCK.fetch_sub(1, Ordering::AcqRel);
        }
        // INVARIANT: an eventfd that was never written takes 1
        self.0.bell.write(1).unwrap_or_default();
    }
}

/// Does `work` in a thread of its own and waits for it. `first` is where it begins. What work that was left
/// behind returns in the end is dropped.
///
/// # Errors
/// [`GaveUp`].
pub(crate) fn bounded<T: Send + 'static>(
    first: &Path,
    patience: Patience<'_>,
    work: impl FnOnce(&Progress) -> T + Send + 'static,
) -> Result<T, GaveUp> {
    if STUCK.load(Ordering::Acquire) >= MAX_STUCK {
        return Err(GaveUp::TooMany);
    }
    let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC).map_err(GaveUp::Failed)?;
    let shared = Arc::new(Shared {
        state: AtomicU8::new(GOING),
        progress: Progress(Some(Mutex::new((0, first.to_owned())))),
        bell,
    });
    let (sender, result) = channel();
    let ending = Ending(Arc::clone(&shared));
    let begin = move || {
        let done = work(&ending.0.progress);
        // nobody listens any more: it is dropped
        sender.send(done).unwrap_or_default();
        drop(ending);
    };
    let started = thread::Builder::new()
        .name("ambit-files".to_owned())
        .spawn(begin);
    let thread = started.map_err(|error| failed(&error))?;
    let gave_up = wait(&shared, patience);
    match (result.try_recv(), gave_up) {
        (Ok(done), _) => {
            // nothing is left to do for it; else it is not joined, since it may never end
            thread.join().unwrap_or_default();
            Ok(done)
        }
        // it ended without a result
        (Err(_), None) => Err(GaveUp::Failed(Errno::ECANCELED)),
        (Err(_), Some(why)) => Err(leave(&shared, why)),
    }
}

/// Counts a thread as left behind, unless it ended meanwhile.
fn leave(shared: &Shared, why: GaveUp) -> GaveUp {
    STUCK.fetch_add(1, Ordering::AcqRel);
    let left = shared
        .state
        .compare_exchange(GOING, LEFT, Ordering::AcqRel, Ordering::Acquire);
    if left.is_err() {
        STUCK.fetch_sub(1, Ordering::AcqRel);
    }
    why
}

/// Waits until the work has ended (`None`) or patience has.
fn wait(shared: &Shared, patience: Patience<'_>) -> Option<GaveUp> {
    let mut seen = shared.progress.now();
    let mut moved_at = Instant::now();
    loop {
        let silent_at = moved_at.checked_add(patience.silence).unwrap_or(moved_at);
        let until = patience.until.min(silent_at);
        let left = until.saturating_duration_since(Instant::now());
        // one more, so as not to wake before the time
        let left = left.saturating_add(Duration::from_millis(1));
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds: Vec<PollFd<'_>> = [
            Some(shared.bell.as_fd()),
            patience.cancel.map(Cancel::event),
        ]
        .into_iter()
        .flatten()
        .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
        .collect();
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Some(GaveUp::Failed(errno)),
        }
        let rang = |index: usize| fds.get(index).and_then(PollFd::any).unwrap_or_default();
        if rang(0) {
            return None;
        }
        if rang(1) {
            return Some(GaveUp::Cancelled);
        }
        let now = shared.progress.now();
        if now.0 != seen.0 {
            moved_at = Instant::now();
            seen = now;
        } else if Instant::now() >= silent_at {
            return Some(GaveUp::Late(seen.1));
        }
        if Instant::now() >= patience.until {
            return Some(GaveUp::Late(seen.1));
        }
    }
}

fn failed(error: &std::io::Error) -> GaveUp {
    GaveUp::Failed(Errno::from_raw(error.raw_os_error().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn patience(silence: Duration, all: Duration) -> Patience<'static> {
        Patience {
            silence,
            until: Instant::now().checked_add(all).unwrap(),
            cancel: None,
        }
    }

    /// An opener that waits until it is told to go on, as that of a dead mount does.
    fn opener() -> (
        Sender<()>,
        impl FnOnce(&Progress) -> &'static str + Send + 'static,
    ) {
        let (go_on, told) = channel();
        let work = move |progress: &Progress| {
            progress.at(Path::new("/srv/dead/inside"));
            told.recv().unwrap_or_default();
            "opened"
        };
        (go_on, work)
    }

    // one test: all count in the same static
    #[test]
    fn work_is_waited_for_with_a_bound_and_what_is_left_behind_is_counted() {
        let first = Path::new("/srv/dead");
        // on a busy machine the thread may not have come that far
        let is_late =
            |why: &GaveUp| matches!(why, GaveUp::Late(path) if path.starts_with("/srv/dead"));
        let brief = Duration::from_millis(50);
        // what is done in time is returned
        let (go_on, work) = opener();
        go_on.send(()).unwrap();
        assert_eq!(bounded(first, patience(LONG, LONG), work), Ok("opened"));
        // silence, the time in all, and the caller each end the wait
        let mut left = Vec::new();
        for patience in [patience(brief, LONG), patience(LONG, brief)] {
            let (go_on, work) = opener();
            assert!(is_late(&bounded(first, patience, work).unwrap_err()));
            left.push(go_on);
        }
        let cancel = Cancel::new().unwrap();
        cancel.cancel().unwrap();
        let cancelled = Patience {
            cancel: Some(&cancel),
            ..patience(LONG, LONG)
        };
        let (go_on, work) = opener();
        assert_eq!(bounded(first, cancelled, work), Err(GaveUp::Cancelled));
        left.push(go_on);
        assert_eq!(STUCK.load(Ordering::Acquire), 3);
        // work that moves is waited for, however long each step takes in sum
        let steps = |progress: &Progress| {
            for _ in 0..30 {
                progress.at(Path::new("/srv/slow"));
                thread::sleep(Duration::from_millis(50));
            }
        };
        let silence = Duration::from_secs(1);
        assert_eq!(bounded(first, patience(silence, LONG), steps), Ok(()));
        // no more than so many are left behind
        while left.len() < MAX_STUCK {
            let (go_on, work) = opener();
            let none = patience(LONG, Duration::ZERO);
            assert!(matches!(bounded(first, none, work), Err(GaveUp::Late(_))));
            left.push(go_on);
        }
        let (_never, work) = opener();
        assert_eq!(
            bounded(first, patience(LONG, LONG), work),
            Err(GaveUp::TooMany)
        );
        // they end once the file system answers
        drop(left);
        while STUCK.load(Ordering::Acquire) > 0 {
            thread::yield_now();
        }
        assert_eq!(bounded(first, patience(LONG, LONG), |_| 7), Ok(7));
        // work that panics is not waited for
        let broken = |_: &Progress| -> u8 { panic!("as a defect would") };
        assert_eq!(
            bounded(first, patience(LONG, LONG), broken),
            Err(GaveUp::Failed(Errno::ECANCELED))
        );
    }
}
