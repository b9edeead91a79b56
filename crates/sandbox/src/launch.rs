// SPDX-License-Identifier: Apache-2.0
//! One run, from plan to outcome.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ambit_launcher::{Observation, Stage, Usage};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::eventfd::{EfdFlags, EventFd};
use zeroize::Zeroizing;

use crate::command::command;
use crate::enforcement::{Enforcement, Evidence, Mechanism, State};
use crate::error::SandboxError;
use crate::extras::Extras;
use crate::hold::Hold;
use crate::host::Caller;
use crate::layout::{Layout, MountTable};
use crate::outcome::{Outcome, Termination};
use crate::plan::{LaunchPlan, Network, Stdin};
use crate::program::{self, Built, Context};
use crate::protection::Bounds as SearchBounds;
use crate::reached::{self, Seen};
use crate::ruleset::{self, Rights};
use crate::start::{Namespaces, Passed, start};
use crate::stream::{self, Allowance, Feed, Finish, Sink, StreamOutcome, Streams, Tap};
use crate::supervise::{Bounds, Cancel, Ended, Stopped, Watched};
use crate::tier::{self, Choice};
use crate::waiting::{GaveUp, Patience, Progress, SILENCE, bounded};
use crate::{filter, image, lite};

/// Runs one command in a sandbox and returns once its last process is gone.
///
/// Blocks the calling thread; call it from a thread of its own.
///
/// # Errors
/// [`SandboxError`] when the sandbox could not be built as planned; then nothing ran.
pub fn launch(
    plan: &LaunchPlan,
    streams: Streams,
    cancel: &Cancel,
) -> Result<Outcome, SandboxError> {
    let choice = tier::choose(plan.floor, Caller::current());
    launch_as(&choice, plan, streams, cancel)
}

/// Runs one command as it was chosen.
///
/// # Errors
/// As [`launch`].
pub(crate) fn launch_as(
    choice: &Choice,
    plan: &LaunchPlan,
    streams: Streams,
    cancel: &Cancel,
) -> Result<Outcome, SandboxError> {
    plan.validate()?;
    let begun = Instant::now();
    let caller = Caller::current();
    let rights = Rights::of_kernel()?;
    let (kind, lite) = match choice {
        Choice::Full => (filter::Kind::of(plan), None),
        Choice::Lite(reason) => (
            filter::Kind::on_host(plan, rights.version),
            Some(reason.as_str()),
        ),
    };
    let evidence = Evidence {
        plan,
        caller,
        rights,
        filter: filter::of(kind)?,
        launcher_sha256: image::sha256(),
        lite,
    };
    let never_started = || {
        let never = Watched::default();
        let streams = [StreamOutcome::empty(), StreamOutcome::empty()];
        outcome(
            begun,
            Termination::Cancelled,
            &never,
            streams,
            &evidence,
            None,
        )
    };
    if cancel.is_asked() {
        return Ok(never_started());
    }
    match resolve(begun, plan, cancel)? {
        None => Ok(never_started()),
        Some(resolved) => run(begun, &resolved, &evidence, streams, cancel),
    }
}

/// A plan resolved.
struct Resolved {
    layout: Arc<Layout>,
    /// Whether its files may keep us waiting.
    may_wait: bool,
}

/// Resolves a plan; `None` when the run was cancelled meanwhile. Where files may keep us waiting,
/// they do so no longer than the run may take, and than it is likely that they still answer.
fn resolve(
    begun: Instant,
    plan: &LaunchPlan,
    cancel: &Cancel,
) -> Result<Option<Resolved>, SandboxError> {
    let mounts = MountTable::read()?;
    let open = |plan: &LaunchPlan, mounts: &MountTable, progress: &Progress| {
        let layout = Layout::resolve(plan, mounts, SearchBounds::USUAL, progress)?;
        if let Stdin::File { path } = &plan.stdin {
            progress.at(path);
        }
        check_stdin(plan)?;
        Ok(Arc::new(layout))
    };
    let Some(first) = mounts.may_wait(plan) else {
        let layout = open(plan, &mounts, &Progress::unwatched())?;
        let may_wait = false;
        return Ok(Some(Resolved { layout, may_wait }));
    };
    let deadline = begun.checked_add(Duration::from_millis(plan.timeout_ms));
    let patience = Patience {
        silence: SILENCE,
        until: deadline.unwrap_or(begun),
        cancel: Some(cancel),
    };
    let files = files_of(plan);
    let opened = bounded(&first, patience, move |progress| {
        open(&files, &mounts, progress)
    });
    let unreadable = |path: &Path, source| SandboxError::PathUnreadable {
        path: path.to_owned(),
        source,
    };
    match opened {
        Ok(layout) => Ok(Some(Resolved {
            layout: layout?,
            may_wait: true,
        })),
        Err(GaveUp::Cancelled) => Ok(None),
        Err(GaveUp::Late(path)) => Err(unreadable(&path, Errno::ETIMEDOUT)),
        Err(GaveUp::TooMany) => Err(unreadable(&first, Errno::EAGAIN)),
        Err(GaveUp::Failed(source)) => Err(SandboxError::Internal {
            what: "opening files in a thread",
            source,
        }),
    }
}

/// Returns a plan without what a thread that is left behind must not keep.
fn files_of(plan: &LaunchPlan) -> LaunchPlan {
    LaunchPlan {
        env: std::collections::BTreeMap::new(),
        argv: Vec::new(),
        piped_into: Vec::new(),
        ..plan.clone()
    }
}

/// Looks for what appeared during a run, no longer than its files answer.
fn settle(plan: &LaunchPlan, resolved: &Resolved, has_mounts: bool) -> Mechanism {
    let layout = Arc::clone(&resolved.layout);
    if !resolved.may_wait {
        let progress = Progress::unwatched();
        return layout
            .protected
            .settle(plan, &layout, has_mounts, &progress);
    }
    let now = Instant::now();
    let patience = Patience {
        silence: SILENCE,
        until: now.checked_add(MAX_SETTLING).unwrap_or(now),
        cancel: None,
    };
    let files = files_of(plan);
    let settled = bounded(&plan.cwd, patience, move |progress| {
        layout
            .protected
            .settle(&files, &layout, has_mounts, progress)
    });
    settled.unwrap_or_else(|why| {
        let at = match why {
            GaveUp::Late(path) => {
                format!("; it stood at {}", path.to_string_lossy().escape_debug())
            }
            GaveUp::Cancelled | GaveUp::Failed(_) | GaveUp::TooMany => String::new(),
        };
        Mechanism::new(State::Degraded).because(format!(
            "the search after the run did not end: a file system does not answer{at}"
        ))
    })
}

/// Longest search after a run on a file system that may wait.
const MAX_SETTLING: Duration = Duration::from_secs(60);

/// Refuses a file for the input that could keep the sandbox waiting before the command starts: to
/// open a pipe with a name waits for its other end. What is not there is found out inside.
fn check_stdin(plan: &LaunchPlan) -> Result<(), SandboxError> {
    match &plan.stdin {
        Stdin::File { path } if path.metadata().is_ok_and(|it| !it.is_file()) => {
            Err(SandboxError::PathRefused {
                path: path.clone(),
                reason: "standard input is a regular file",
            })
        }
        Stdin::Bytes | Stdin::Empty | Stdin::File { .. } | Stdin::Stream => Ok(()),
    }
}

/// Runs the command in a layout that was judged before.
fn run(
    begun: Instant,
    resolved: &Resolved,
    evidence: &Evidence<'_>,
    mut given: Streams,
    cancel: &Cancel,
) -> Result<Outcome, SandboxError> {
    let (plan, caller) = (evidence.plan, evidence.caller);
    let layout: &Layout = &resolved.layout;
    // in tier lite there is no scratch space of the run's own
    let own = evidence.lite.is_none().then_some(layout);
    let hold = Hold::of(plan, caller, own);
    let context = Context {
        rights: evidence.rights,
        caller,
        network: plan.network,
        memory: plan.allow_exec_from_memory,
        memory_bytes: plan.limits.memory_bytes,
        pid_max: hold.pid_max,
    };
    let ruleset = ruleset::build(layout, context.rights, plan.network)?;
    let secrets = std::mem::take(&mut given.secrets);
    let extras = Extras::new(plan, &secrets)?;
    extras.fit_into(layout)?;
    let mut command = command(plan, evidence.filter.bytes.clone(), hold.data_bytes)?;
    command.announce = given.started.is_some();
    let Built { bytes, steps } = match evidence.lite {
        None => program::build(layout, context, &command, &extras)?,
        Some(reason) => {
            lite::judge(plan, layout, &extras, reason)?;
            command.outside = [0; 7];
            lite::build(context.rights, &command, &extras)
        }
    };
    // the program has them now
    drop(secrets);
    let deadline = begun.checked_add(Duration::from_millis(plan.timeout_ms));
    let launch = Launch {
        plan,
        caller,
        namespaces: match (evidence.lite, plan.network) {
            (Some(_), _) => Namespaces::None,
            (None, Network::Deny) => Namespaces::All,
            (None, Network::Full) => Namespaces::AllButNetwork,
        },
        program: bytes,
        ruleset,
        deadline: deadline.unwrap_or(begun),
        cancel,
        hold: &hold,
    };
    let (watched, streams) = if plan.terminal.is_some() {
        launch.on_terminal(given)
    } else {
        launch.on_pipes(given)
    }?;
    let ended = termination(&watched, programs(plan), &steps)?;
    let mut outcome = outcome(begun, ended, &watched, streams, evidence, Some(&hold));
    if watched.started.is_some() {
        layout.made.keep();
        let settled = settle(plan, resolved, evidence.lite.is_none());
        outcome
            .enforcement
            .mechanisms
            .insert("protections", settled);
    }
    Ok(outcome)
}

/// A launch that is ready to start.
struct Launch<'a> {
    plan: &'a LaunchPlan,
    caller: Caller,
    namespaces: Namespaces,
    program: Zeroizing<Vec<u8>>,
    ruleset: OwnedFd,
    deadline: Instant,
    cancel: &'a Cancel,
    hold: &'a Hold,
}

/// What was heard of a run, and its streams.
type Watching = Result<(Watched, [StreamOutcome; 2]), SandboxError>;

impl Launch<'_> {
    fn on_pipes(self, given: Streams) -> Watching {
        let plan = self.plan;
        let (stdout, stdout_end) = pipe()?;
        let (stderr, stderr_end) = pipe()?;
        let (stdin, feed) = input(plan, given.stdin, given.input)?;
        let taps = taps(plan, [stdout, stderr], [given.stdout, given.stderr])?;
        with_pump(plan, taps, feed, |over| {
            let passed = Passed {
                stdin,
                ruleset: self.ruleset,
                stdout: stdout_end,
                stderr: stderr_end,
            };
            let mut running = start(
                self.namespaces,
                self.caller,
                &self.program,
                passed,
                self.hold.lease(),
            )?;
            drop(self.program);
            running.tell(given.started);
            Ok(running.watch(Bounds {
                deadline: self.deadline,
                cancel: self.cancel,
                over,
                counted: &self.hold.counted,
            }))
        })
    }

    /// The terminal is made in the sandbox, so its outer end comes after the start.
    fn on_terminal(self, given: Streams) -> Watching {
        let nothing = || {
            let null = File::options().read(true).write(true).open("/dev/null");
            null.map(OwnedFd::from)
                .map_err(|error| SandboxError::Internal {
                    what: "opening `/dev/null`",
                    source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
                })
        };
        let passed = Passed {
            stdin: None,
            ruleset: self.ruleset,
            stdout: nothing()?,
            stderr: nothing()?,
        };
        let mut running = start(
            self.namespaces,
            self.caller,
            &self.program,
            passed,
            self.hold.lease(),
        )?;
        drop(self.program);
        running.tell(given.started);
        let terminal = running.terminal(self.deadline, self.cancel);
        let unusable = SandboxError::internal("preparing the terminal");
        let prepared = on_terminal(
            self.plan,
            terminal,
            given.input,
            given.stdin,
            [given.stdout, given.stderr],
        );
        let (taps, feed) = prepared.map_err(unusable)?;
        with_pump(self.plan, taps, feed, |over| {
            Ok(running.watch(Bounds {
                deadline: self.deadline,
                cancel: self.cancel,
                over,
                counted: &self.hold.counted,
            }))
        })
    }
}

/// Returns what reads and writes a terminal, if there is one.
fn on_terminal(
    plan: &LaunchPlan,
    terminal: Option<OwnedFd>,
    input: Option<OwnedFd>,
    bytes: Vec<u8>,
    [stdout, stderr]: [Option<Sink>; 2],
) -> Result<([Tap; 2], Option<Feed>), Errno> {
    let (first, feed) = match terminal {
        None => (Tap::closed(stdout)?, None),
        Some(terminal) => {
            let typed = terminal
                .try_clone()
                .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))?;
            let bytes = if plan.stdin == Stdin::Bytes {
                bytes
            } else {
                Vec::new()
            };
            let source = input.filter(|_| plan.stdin == Stdin::Stream);
            let feed = Feed::new(typed, bytes, source, Finish::Type)?;
            (
                Tap::new(terminal, plan.output.stdout_bytes, stdout)?,
                Some(feed),
            )
        }
    };
    Ok(([first, Tap::closed(stderr)?], feed))
}

/// How many programs a plan starts.
fn programs(plan: &LaunchPlan) -> usize {
    plan.piped_into.len().saturating_add(1)
}

/// Makes the pipe of the input, where the plan has one: its reading end, and what writes it.
pub(crate) fn input(
    plan: &LaunchPlan,
    bytes: Vec<u8>,
    source: Option<OwnedFd>,
) -> Result<(Option<OwnedFd>, Option<Feed>), SandboxError> {
    let (bytes, source) = match plan.stdin {
        Stdin::Bytes => (bytes, None),
        Stdin::Stream => (Vec::new(), source),
        Stdin::Empty | Stdin::File { .. } => return Ok((None, None)),
    };
    let (reader, writer) = pipe()?;
    let feed = Feed::new(writer, bytes, source, Finish::Close)
        .map_err(SandboxError::internal("preparing the input"))?;
    Ok((Some(reader), Some(feed)))
}

/// Returns what reads both streams.
pub(crate) fn taps(
    plan: &LaunchPlan,
    [stdout, stderr]: [OwnedFd; 2],
    [to_stdout, to_stderr]: [Option<Sink>; 2],
) -> Result<[Tap; 2], SandboxError> {
    let unusable = SandboxError::internal("preparing the output");
    let (first, second) = (plan.output.stdout_bytes, plan.output.stderr_bytes);
    let stdout = Tap::new(stdout, first, to_stdout);
    let both = stdout.and_then(|it| Ok([it, Tap::new(stderr, second, to_stderr)?]));
    both.map_err(unusable)
}

/// Does `work` while another thread writes the input and reads the streams. What `work` is given
/// becomes readable once more was written than the plan lets through.
pub(crate) fn with_pump<T>(
    plan: &LaunchPlan,
    taps: [Tap; 2],
    feed: Option<Feed>,
    work: impl FnOnce(BorrowedFd<'_>) -> Result<T, SandboxError>,
) -> Result<(T, [StreamOutcome; 2]), SandboxError> {
    let event = || {
        EventFd::from_flags(EfdFlags::EFD_CLOEXEC)
            .map_err(SandboxError::internal("making an eventfd"))
    };
    let (ended, over) = (event()?, event()?);
    let allowance = Allowance::new(plan.limits.max_output_bytes, &over);
    thread::scope(|scope| {
        let pump = thread::Builder::new()
            .name("ambit-output".to_owned())
            .spawn_scoped(scope, || stream::pump(taps, feed, allowance, ended.as_fd()))
            .map_err(|error| SandboxError::Internal {
                what: "starting a thread",
                source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
            })?;
        let done = work(over.as_fd());
        // INVARIANT: an eventfd that was never written takes 1
        let told = ended.write(1);
        let streams = pump.join();
        let done = done?;
        told.map_err(SandboxError::internal("ending a thread"))?;
        let streams = streams.ok().ok_or(SandboxError::Internal {
            what: "reading the output",
            source: Errno::ECANCELED,
        })?;
        Ok((done, streams))
    })
}

pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(SandboxError::internal("making a pipe"))
}

/// Makes a pipe whose ends never wait: for a caller who reads or writes a run's streams as they come.
///
/// # Errors
/// What `pipe2(2)` says.
pub fn unwaiting_pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
}

fn outcome(
    begun: Instant,
    termination: Termination,
    watched: &Watched,
    [stdout, stderr]: [StreamOutcome; 2],
    evidence: &Evidence<'_>,
    hold: Option<&Hold>,
) -> Outcome {
    let last = watched.exited.last();
    let usage = last.map_or_else(Usage::default, |ended| ended.usage);
    let seen: Option<&Observation> = watched.started.as_ref();
    let (termination, limits_reached) = reached::judge(
        termination,
        evidence.plan,
        Seen {
            stopped: watched.stopped,
            usage,
            streams: [&stdout, &stderr],
            counted: hold.map_or_else(Vec::new, |hold| hold.reached(watched.reached.clone())),
        },
    );
    Outcome {
        termination,
        limits_reached,
        duration_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        user_us: usage.user_us,
        system_us: usage.system_us,
        max_rss_kib: usage.max_rss_kib,
        stdout,
        stderr,
        enforcement: seen.map_or_else(Enforcement::none, |seen| {
            let mut found = evidence.of_started(seen, watched.shared);
            if let Some(hold) = hold {
                let limits = evidence.limits(seen, hold, watched.counting);
                found.mechanisms.extend(limits);
            }
            found
        }),
    }
}

/// Decides how a run of so many programs ended; a failure before the first started is an error.
fn termination(
    watched: &Watched,
    programs: usize,
    steps: &[String],
) -> Result<Termination, SandboxError> {
    if watched.exited.len() >= programs {
        return Ok(of_pipeline(&watched.exited));
    }
    match (watched.failed, watched.stopped) {
        (Some((Stage::Exec(_), Errno::ENOENT | Errno::ENOTDIR)), _) => Ok(Termination::NotFound),
        (Some((Stage::Exec(_), errno)), _) => Ok(Termination::NotExecutable {
            errno: errno as i32,
        }),
        (Some((stage, errno)), _) if watched.started.is_none() => {
            Err(not_built(stage, errno, steps))
        }
        (_, Some(Stopped::Cancelled)) => Ok(Termination::Cancelled),
        (_, Some(Stopped::Reached(limit))) => Ok(reached::killed_for(limit)),
        (_, Some(Stopped::TimedOut)) => Ok(Termination::TimedOut),
        (_, None) => Ok(Termination::SandboxLost),
    }
}

/// A pipeline ends as the first of its programs that failed. One that was writing to a program that
/// needed no more (`SIGPIPE`) did not fail.
pub(crate) fn of_pipeline(ended: &[Ended]) -> Termination {
    let mut in_order: Vec<&Ended> = ended.iter().collect();
    in_order.sort_by_key(|ended| ended.segment);
    let last = in_order.last().map(|ended| ended.segment);
    let cut_off = Termination::Signaled {
        signal: libc::SIGPIPE,
    };
    let failed = in_order.iter().find_map(|ended| {
        let how = of_status(ended.status);
        let well = how == (Termination::Exited { code: 0 })
            || (how == cut_off && Some(ended.segment) != last);
        (!well).then_some(how)
    });
    failed.unwrap_or(Termination::Exited { code: 0 })
}

/// Reads a wait status (`wait(2)`): low 7 bits the signal, the next byte the exit code.
fn of_status(status: u64) -> Termination {
    let byte = |value: u64| i32::try_from(value).unwrap_or_default();
    match status & 0x7F {
        0 => Termination::Exited {
            code: byte((status >> 8) & 0xFF),
        },
        signal => Termination::Signaled {
            signal: byte(signal),
        },
    }
}

fn not_built(stage: Stage, source: Errno, steps: &[String]) -> SandboxError {
    const PREPARE: [&str; 6] = [
        "starting a session",
        "connecting the streams",
        "closing descriptors",
        "applying limits",
        "entering the working directory",
        "unblocking signals",
    ];
    let step = match stage {
        Stage::Program => "reading the program".to_owned(),
        Stage::Step(index) => {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            steps
                .get(index)
                .cloned()
                .unwrap_or_else(|| format!("step {index}"))
        }
        Stage::Fork => "starting the command's process".to_owned(),
        Stage::Prepare(part) => {
            let index = usize::try_from(part).unwrap_or_default().saturating_sub(1);
            PREPARE
                .get(index)
                .copied()
                .unwrap_or("preparing the command")
                .to_owned()
        }
        Stage::Filter => "installing the seccomp filter".to_owned(),
        Stage::Observe => {
            let mechanism = "the kernel reports other restrictions than those asked for".to_owned();
            return SandboxError::NotAsPlanned { mechanism };
        }
        Stage::Exec(_) => "executing the command".to_owned(),
    };
    SandboxError::Setup { step, source }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn plan(work: &Path) -> LaunchPlan {
        LaunchPlan {
            executable: "/bin/sh".into(),
            argv: ["sh", "-c", "echo x > ran"].map(str::to_owned).to_vec(),
            cwd: work.to_owned(),
            write_paths: vec![work.to_owned()],
            hidden_paths: vec![work.join("secret"), work.join("secrets")],
            read_only_paths: vec![work.join("git/hooks")],
            timeout_ms: 10_000,
            ..LaunchPlan::default()
        }
    }

    fn resolved(plan: &LaunchPlan) -> Resolved {
        let cancel = Cancel::new().unwrap();
        resolve(Instant::now(), plan, &cancel).unwrap().unwrap()
    }

    /// Runs a plan after `change`, which comes between judging the paths and mounting them.
    fn run_after(plan: &LaunchPlan, change: impl FnOnce()) -> Result<Outcome, SandboxError> {
        let evidence = Evidence {
            plan,
            caller: Caller::current(),
            rights: Rights::of_kernel().unwrap(),
            filter: filter::of(filter::Kind::of(plan)).unwrap(),
            launcher_sha256: "",
            lite: None,
        };
        let layout = resolved(plan);
        change();
        let cancel = Cancel::new().unwrap();
        run(
            Instant::now(),
            &layout,
            &evidence,
            Streams::default(),
            &cancel,
        )
    }

    fn fixture() -> (tempfile::TempDir, std::path::PathBuf) {
        let holder = tempfile::tempdir().unwrap();
        let work = fs::canonicalize(holder.path()).unwrap().join("work");
        fs::create_dir_all(work.join("git/hooks")).unwrap();
        fs::create_dir_all(work.join("secrets")).unwrap();
        fs::write(work.join("secret"), "CANARY").unwrap();
        (holder, work)
    }

    type Change = fn(&Path);

    #[test]
    fn refuses_a_path_that_was_swapped_after_it_was_judged() {
        if crate::probe().tier == crate::Tier::None {
            assert!(std::env::var_os("REQUIRE_SANDBOX").is_none());
            return println!("skipped: no sandbox here");
        }
        let swap = |path: &Path, make: fn(&Path)| {
            fs::rename(path, path.with_extension("old")).unwrap();
            make(path);
        };
        let directory: Change = |path| fs::create_dir_all(path.join("git/hooks")).unwrap();
        let link: Change = |path| {
            std::os::unix::fs::symlink("/etc", path).unwrap();
        };
        let file: Change = |path| fs::write(path, "").unwrap();
        let table: [(&str, Change, Errno); 7] = [
            ("", directory, Errno::ESTALE),
            ("", link, Errno::ESTALE),
            ("git", directory, Errno::ESTALE),
            ("git", link, Errno::ESTALE),
            ("git/hooks", link, Errno::ESTALE),
            ("secret", file, Errno::ESTALE),
            ("secrets", link, Errno::ELOOP),
        ];
        for (name, make, want) in table {
            let (_holder, work) = fixture();
            let path = if name.is_empty() {
                work.clone()
            } else {
                work.join(name)
            };
            let error = run_after(&plan(&work), || swap(&path, make)).unwrap_err();
            let SandboxError::Setup { step, source } = &error else {
                panic!("{name}: {error:?}");
            };
            assert_eq!(*source, want, "`{name}`: {step}");
            assert_eq!(error.code(), "ERR_SANDBOX_SETUP");
            assert!(!work.join("ran").exists());
        }
        let (_holder, work) = fixture();
        let outcome = run_after(&plan(&work), || ()).unwrap();
        assert_eq!(outcome.termination, Termination::Exited { code: 0 });
        assert!(work.join("ran").exists());
    }

    /// Kernels of before ABI 6 cannot keep signals inside: the filter lets none be sent, and what is left
    /// is found by the list of children.
    #[test]
    fn lite_ends_everything_on_kernels_that_do_not_scope_signals() {
        let (_holder, work) = fixture();
        let script = "setsid sh -c 'while :; do echo x >> beat; sleep 0.02; done' & \
                      while ! [ -s beat ]; do sleep 0.02; done; kill -9 $PPID || echo refused";
        let plan = LaunchPlan {
            argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
            hidden_paths: Vec::new(),
            read_only_paths: Vec::new(),
            ..plan(&work)
        };
        for version in [2, 4] {
            let evidence = Evidence {
                plan: &plan,
                caller: Caller::current(),
                rights: Rights::of_version(version),
                filter: filter::of(filter::Kind::on_host(&plan, version)).unwrap(),
                launcher_sha256: "",
                lite: Some("for the test"),
            };
            let layout = resolved(&plan);
            let (begun, cancel) = (Instant::now(), Cancel::new().unwrap());
            let ended = run(begun, &layout, &evidence, Streams::default(), &cancel).unwrap();
            assert_eq!(ended.termination, Termination::Exited { code: 0 });
            assert_eq!(ended.stdout.captured, b"refused\n");
            let length = || fs::metadata(work.join("beat")).unwrap().len();
            let before = length();
            thread::sleep(Duration::from_millis(300));
            assert_eq!(length(), before);
        }
    }

    #[test]
    fn reads_wait_statuses() {
        let table = [
            (0, Termination::Exited { code: 0 }),
            (0xFF00, Termination::Exited { code: 255 }),
            (9, Termination::Signaled { signal: 9 }),
            (0x8B, Termination::Signaled { signal: 11 }),
        ];
        for (status, want) in table {
            assert_eq!(of_status(status), want, "{status:#x}");
        }
    }

    #[test]
    fn a_failure_after_the_start_is_never_reported_as_nothing_ran() {
        let started = Watched {
            started: Some(Observation::default()),
            failed: Some((Stage::Fork, Errno::EIO)),
            ..Watched::default()
        };
        assert_eq!(
            termination(&started, 1, &[]).unwrap(),
            Termination::SandboxLost
        );
        let before = Watched {
            failed: Some((Stage::Fork, Errno::EIO)),
            ..Watched::default()
        };
        assert_eq!(
            termination(&before, 1, &[]).unwrap_err().code(),
            "ERR_SANDBOX_SETUP"
        );
    }
}
