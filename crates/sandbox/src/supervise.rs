// SPDX-License-Identifier: Apache-2.0
//! Watching a run until the last process of its sandbox is gone.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ambit_launcher::{Observation, REPORT_BYTES, Report, Stage, Usage};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::{Shutdown, shutdown};
use nix::sys::wait::{Id, WaitPidFlag, waitid};

use crate::counting::{Counted, Counter};
use crate::error::SandboxError;
use crate::outcome::{Limit, LimitReached};
use crate::plan::WindowSize;
use crate::remote::Remote;
use crate::sys;

/// Stops a run from another thread. Clones stand for the same run.
#[derive(Clone, Debug)]
pub struct Cancel {
    event: Arc<EventFd>,
    remote: Arc<Remote>,
}

impl Cancel {
    /// Returns a handle for a run that is to be started.
    ///
    /// # Errors
    /// [`SandboxError::Internal`] when the kernel gives no eventfd.
    pub fn new() -> Result<Self, SandboxError> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
            .map_err(SandboxError::internal("making an eventfd"))?;
        Ok(Self {
            event: Arc::new(event),
            remote: Arc::default(),
        })
    }

    /// Returns whether [`Cancel::cancel`] was called.
    pub(crate) fn is_asked(&self) -> bool {
        let mut fds = [PollFd::new(self.event.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    /// Returns what becomes readable once it was.
    pub(crate) fn event(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }

    /// Sends a signal to the command: to the first process of each of its programs. Only a run in a
    /// sandbox hears it. Returns whether the word got through.
    pub fn signal(&self, number: u8) -> bool {
        self.remote.signal(number)
    }

    /// Gives the command's terminal another size.
    ///
    /// # Errors
    /// `ENOTTY` when the run has no terminal, or is not on its way.
    pub fn resize(&self, size: WindowSize) -> Result<(), Errno> {
        self.remote.resize(size)
    }

    /// Kills everything in the sandbox; a run that has ended is not touched.
    ///
    /// # Errors
    /// [`SandboxError::Internal`] when the event cannot be written.
    pub fn cancel(&self) -> Result<(), SandboxError> {
        match self.event.write(1) {
            Ok(_) | Err(Errno::EAGAIN) => Ok(()),
            Err(source) => Err(SandboxError::Internal {
                what: "cancelling a run",
                source,
            }),
        }
    }
}

/// Why a run was stopped from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stopped {
    Cancelled,
    /// A limit that is counted outside was reached.
    Reached(Limit),
    TimedOut,
}

/// What a run is stopped for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds<'a> {
    pub(crate) deadline: Instant,
    pub(crate) cancel: &'a Cancel,
    /// Becomes readable when more was written than may be passed on.
    pub(crate) over: BorrowedFd<'a>,
    /// What is counted meanwhile.
    pub(crate) counted: &'a Counted,
}

/// A program that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Its place in the pipeline, from 0.
    pub(crate) segment: u64,
    /// Its wait status (`wait(2)`).
    pub(crate) status: u64,
    /// What all had used by then.
    pub(crate) usage: Usage,
}

/// What was heard and seen of a run.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) started: Option<Observation>,
    /// Programs that ended, in the order in which they did.
    pub(crate) exited: Vec<Ended>,
    pub(crate) failed: Option<(Stage, Errno)>,
    pub(crate) stopped: Option<Stopped>,
    /// Whether user and network namespace are those of the anchor.
    pub(crate) shared: bool,
    /// Outer end of the command's terminal, until it is taken.
    pub(crate) terminal: Option<OwnedFd>,
    /// Whether every program of the command has begun.
    pub(crate) executing: bool,
    /// Whether memory and processes were counted from outside, and what was found.
    pub(crate) counting: bool,
    pub(crate) reached: Option<LimitReached>,
}

/// A running sandbox. Dropping it kills and reaps what is left.
pub(crate) struct Running {
    pub(crate) process: OwnedFd,
    pub(crate) control: OwnedFd,
    watched: Watched,
    reaped: bool,
    /// Whether the launcher itself has to end what it started.
    sweeps: bool,
    started: Option<Box<dyn FnOnce(Option<u32>) + Send>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

impl Running {
    pub(crate) fn new(process: OwnedFd, control: OwnedFd, shared: bool) -> Self {
        Self {
            process,
            control,
            watched: Watched {
                shared,
                ..Watched::default()
            },
            reaped: false,
            sweeps: false,
            started: None,
        }
    }

    /// Says that no namespace ends with the launcher: it has to be asked to end what it started.
    pub(crate) fn without_namespaces(mut self) -> Self {
        self.sweeps = true;
        self
    }

    /// Says whom to tell once the command executes.
    pub(crate) fn tell(&mut self, started: Option<Box<dyn FnOnce(Option<u32>) + Send>>) {
        self.started = started;
    }

    /// Waits for the outer end of the command's terminal; `None` when the launcher ended, or the time
    /// or the caller's patience did, before there was one. What else is heard by then is kept.
    pub(crate) fn terminal(&mut self, deadline: Instant, cancel: &Cancel) -> Option<OwnedFd> {
        loop {
            let heard = hear(self.control.as_fd(), &mut self.watched);
            if let Some(terminal) = self.watched.terminal.take() {
                cancel.remote.connect_terminal(&terminal);
                return Some(terminal);
            }
            let over = heard == Heard::End || self.watched.failed.is_some();
            if over || Instant::now() >= deadline || cancel.is_asked() {
                return None;
            }
            if heard == Heard::Nothing {
                let mut fds = [self.control.as_fd(), cancel.event.as_fd()]
                    .map(|fd| PollFd::new(fd, PollFlags::POLLIN));
                match poll(&mut fds, until(deadline)) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(_) => return None,
                }
            }
        }
    }

    /// Waits until pid 1 of the sandbox is gone, killing it at the deadline or when cancelled, or
    /// at once if it cannot be watched any more. Once it is started, a command has run or may
    /// have, so there is always an account of it.
    pub(crate) fn watch(mut self, bounds: Bounds<'_>) -> Watched {
        bounds.cancel.remote.connect(&self.control);
        let mut watched = std::mem::take(&mut self.watched);
        if self.follow(bounds, &mut watched).is_err() {
            self.end();
        }
        bounds.cancel.remote.disconnect();
        while hear(self.control.as_fd(), &mut watched) == Heard::Report {}
        watched
    }

    fn follow(&mut self, bounds: Bounds<'_>, watched: &mut Watched) -> Result<(), SandboxError> {
        let mut listening = true;
        let mut counter = Counter::of(self.process.as_fd(), bounds.counted);
        watched.counting = counter.is_some();
        loop {
            let wake_at = counter.as_ref().map_or(bounds.deadline, |counter| {
                counter.next_at().min(bounds.deadline)
            });
            let ready = self.wait(bounds, wake_at, listening, watched.stopped.is_none())?;
            if ready.heard {
                listening = hear(self.control.as_fd(), watched) != Heard::End;
                if let Some(started) = self.started.take_if(|_| watched.executing) {
                    started(pid_of(self.process.as_fd()));
                }
            }
            let late = Instant::now() >= bounds.deadline;
            if ready.gone {
                // the launcher's backstop ends a run that we, stopped, could not end in time
                if watched.stopped.is_none() && late {
                    watched.stopped = Some(Stopped::TimedOut);
                }
                break;
            }
            if watched.stopped.is_some() {
                continue;
            }
            watched.stopped = ready.reason(late);
            if watched.stopped.is_none() {
                watched.reached = counter.as_mut().and_then(Counter::look);
                let limit = watched.reached.as_ref().map(|found| found.limit);
                watched.stopped = limit.map(Stopped::Reached);
            }
            if watched.stopped.is_some() {
                self.kill()?;
            }
        }
        self.reap()
    }

    fn wait(
        &self,
        bounds: Bounds<'_>,
        wake_at: Instant,
        listening: bool,
        stoppable: bool,
    ) -> Result<Ready, SandboxError> {
        let stop = if stoppable {
            PollFlags::POLLIN
        } else {
            PollFlags::empty()
        };
        let mut fds = vec![
            PollFd::new(self.process.as_fd(), PollFlags::POLLIN),
            PollFd::new(bounds.cancel.event.as_fd(), stop),
            PollFd::new(bounds.over, stop),
        ];
        if listening {
            fds.push(PollFd::new(self.control.as_fd(), PollFlags::POLLIN));
        }
        let timeout = if stoppable {
            until(wake_at)
        } else {
            PollTimeout::NONE
        };
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(source) => {
                return Err(SandboxError::Internal {
                    what: "waiting for a run",
                    source,
                });
            }
        }
        let any = |index: usize| fds.get(index).and_then(PollFd::any).unwrap_or(false);
        Ok(Ready {
            gone: any(0),
            cancelled: any(1),
            over: any(2),
            heard: any(3),
        })
    }

    fn kill(&self) -> Result<(), SandboxError> {
        if self.sweeps && self.ends_by_itself() {
            return Ok(());
        }
        match sys::kill(self.process.as_fd()) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(source) => Err(SandboxError::Internal {
                what: "killing a run",
                source,
            }),
        }
    }

    /// Asks the launcher to end what it started, and then itself: the end of our side of the socket
    /// says so. Returns whether it did.
    fn ends_by_itself(&self) -> bool {
        /// Time to kill and reap whatever there is, milliseconds.
        const PATIENCE_MS: u64 = 10_000;
        let deadline = Instant::now().checked_add(Duration::from_millis(PATIENCE_MS));
        let Some(deadline) = deadline else {
            return false;
        };
        if shutdown(self.control.as_raw_fd(), Shutdown::Write).is_err() {
            return false;
        }
        loop {
            let mut fds = [PollFd::new(self.process.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, until(deadline)) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// Nothing of a run may outlive it, whatever went wrong here.
    fn end(&mut self) {
        if !self.reaped && self.kill().is_ok() {
            self.reaped = self.reap().is_ok();
        }
    }

    fn reap(&mut self) -> Result<(), SandboxError> {
        reap(self.process.as_fd()).map_err(SandboxError::internal("reaping a run"))?;
        self.reaped = true;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

#[expect(clippy::struct_excessive_bools, reason = "one for each descriptor")]
struct Ready {
    gone: bool,
    cancelled: bool,
    over: bool,
    heard: bool,
}

impl Ready {
    /// Returns why the run is to be stopped now, if it is.
    const fn reason(&self, late: bool) -> Option<Stopped> {
        if self.cancelled {
            Some(Stopped::Cancelled)
        } else if self.over {
            Some(Stopped::Reached(Limit::Output))
        } else if late {
            Some(Stopped::TimedOut)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Heard {
    End,
    Nothing,
    Report,
}

/// Takes one report from the socket if there is one.
fn hear(control: BorrowedFd<'_>, watched: &mut Watched) -> Heard {
    let mut bytes = [0_u8; REPORT_BYTES];
    let (received, fd) = match sys::receive(control, &mut bytes) {
        Ok(received) => received,
        Err(Errno::EAGAIN | Errno::EINTR) => return Heard::Nothing,
        Err(_) => return Heard::End,
    };
    match bytes.get(..received).and_then(Report::decode) {
        Some(Report::Terminal) => watched.terminal = fd,
        Some(Report::Executing) => watched.executing = true,
        Some(Report::Started(observation)) => watched.started = Some(observation),
        Some(Report::Exited {
            segment,
            status,
            usage,
        }) => watched.exited.push(Ended {
            segment,
            status,
            usage,
        }),
        Some(Report::Failed { stage, errno }) => {
            let errno = Errno::from_raw(i32::try_from(errno).unwrap_or_default());
            watched.failed = Some((stage, errno));
        }
        None => return Heard::End,
    }
    Heard::Report
}

/// Returns the number of a process that a pidfd stands for (`pidfd_open(2)`, `fdinfo`).
pub(crate) fn pid_of(process: BorrowedFd<'_>) -> Option<u32> {
    let path = format!("/proc/self/fdinfo/{}", process.as_raw_fd());
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    line.trim().parse().ok()
}

/// Waits for the end of a child, whatever signal it sends when it dies (`waitid(2)`, `__WALL`).
/// Where the host process ignores SIGCHLD, or waits for every child, the kernel or it may have been
/// first: then there is none left to wait for, which is as good.
pub(crate) fn reap(process: BorrowedFd<'_>) -> Result<(), Errno> {
    loop {
        match waitid(
            Id::PIDFd(process),
            WaitPidFlag::WEXITED | WaitPidFlag::__WALL,
        ) {
            Ok(_) | Err(Errno::ECHILD) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Milliseconds until the deadline, rounded up so that it has passed when the wait ends.
pub(crate) fn until(deadline: Instant) -> PollTimeout {
    let left = deadline.saturating_duration_since(Instant::now());
    let ms = left.as_micros().div_ceil(1000);
    PollTimeout::try_from(i32::try_from(ms).unwrap_or(i32::MAX)).unwrap_or(PollTimeout::MAX)
}
