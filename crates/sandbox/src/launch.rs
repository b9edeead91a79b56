// SPDX-License-Identifier: Apache-2.0
//! One run, from plan to outcome.

use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use ambit_launcher::{Observation, Stage, Usage};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::command::command;
use crate::enforcement::{Enforcement, Evidence};
use crate::error::SandboxError;
use crate::host::Caller;
use crate::layout::Layout;
use crate::outcome::{Outcome, Termination};
use crate::plan::LaunchPlan;
use crate::program::{self, Context};
use crate::ruleset::{self, Rights};
use crate::start::{Passed, start};
use crate::stream::{self, Sinks, StreamOutcome, Tap};
use crate::supervise::{Cancel, Stopped, Watched};
use crate::{filter, image};

/// Runs one command in a sandbox and returns once its last process is gone.
///
/// Blocks the calling thread; call it from a thread of its own.
///
/// # Errors
/// [`SandboxError`] when the sandbox could not be built as planned; then nothing ran.
pub fn launch(plan: &LaunchPlan, sinks: Sinks, cancel: &Cancel) -> Result<Outcome, SandboxError> {
    plan.validate()?;
    let begun = Instant::now();
    let evidence = Evidence {
        plan,
        caller: Caller::current(),
        rights: Rights::of_kernel()?,
        filter_sha256: &filter::of(plan.network)?.sha256,
        launcher_sha256: image::sha256(),
    };
    if cancel.is_asked() {
        let never = Watched::default();
        let streams = [StreamOutcome::empty(), StreamOutcome::empty()];
        return Ok(outcome(
            begun,
            Termination::Cancelled,
            &never,
            streams,
            &evidence,
        ));
    }
    let layout = Layout::resolve(plan)?;
    run(begun, &layout, &evidence, sinks, cancel)
}

/// Runs the command in a layout that was judged before.
fn run(
    begun: Instant,
    layout: &Layout,
    evidence: &Evidence<'_>,
    sinks: Sinks,
    cancel: &Cancel,
) -> Result<Outcome, SandboxError> {
    let (plan, caller) = (evidence.plan, evidence.caller);
    let context = Context {
        rights: evidence.rights,
        caller,
        network: plan.network,
    };
    let filter = filter::of(plan.network)?;
    let ruleset = ruleset::build(layout, context.rights, plan.network)?;
    let program = program::build(layout, context, &command(plan, filter.bytes.clone())?)?;
    let (stdout, stdout_end) = pipe()?;
    let (stderr, stderr_end) = pipe()?;
    let passed = Passed {
        ruleset,
        stdout: stdout_end,
        stderr: stderr_end,
    };
    let taps = [
        Tap::new(stdout, plan.output.stdout_bytes, sinks.stdout),
        Tap::new(stderr, plan.output.stderr_bytes, sinks.stderr),
    ];
    let (watched, streams) = with_pump(taps, || {
        let running = start(plan.network, caller, &program.bytes, passed)?;
        let deadline = begun.checked_add(Duration::from_millis(plan.timeout_ms));
        Ok(running.watch(deadline.unwrap_or(begun), cancel))
    })?;
    let ended = termination(&watched, &program.steps)?;
    Ok(outcome(begun, ended, &watched, streams, evidence))
}

/// Does `work` while another thread reads the streams.
fn with_pump<T>(
    taps: [Tap; 2],
    work: impl FnOnce() -> Result<T, SandboxError>,
) -> Result<(T, [StreamOutcome; 2]), SandboxError> {
    let ended = EventFd::from_flags(EfdFlags::EFD_CLOEXEC)
        .map_err(SandboxError::internal("making an eventfd"))?;
    thread::scope(|scope| {
        let pump = thread::Builder::new()
            .name("ambit-output".to_owned())
            .spawn_scoped(scope, || stream::pump(taps, ended.as_fd()))
            .map_err(|error| SandboxError::Internal {
                what: "starting a thread",
                source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
            })?;
        let done = work();
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

fn pipe() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(SandboxError::internal("making a pipe"))
}

fn outcome(
    begun: Instant,
    termination: Termination,
    watched: &Watched,
    [stdout, stderr]: [StreamOutcome; 2],
    evidence: &Evidence<'_>,
) -> Outcome {
    let usage = watched
        .exited
        .map_or_else(Usage::default, |(_, usage)| usage);
    let seen: Option<&Observation> = watched.started.as_ref();
    Outcome {
        termination,
        duration_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        user_us: usage.user_us,
        system_us: usage.system_us,
        max_rss_kib: usage.max_rss_kib,
        stdout,
        stderr,
        enforcement: seen.map_or_else(Enforcement::none, |seen| {
            evidence.of_started(seen, watched.shared)
        }),
    }
}

/// Decides how a run ended; a failure before the command started is an error.
fn termination(watched: &Watched, steps: &[String]) -> Result<Termination, SandboxError> {
    match (watched.exited, watched.failed, watched.stopped) {
        (Some((status, _)), _, _) => Ok(of_status(status)),
        (None, Some((Stage::Exec, Errno::ENOENT | Errno::ENOTDIR)), _) => Ok(Termination::NotFound),
        (None, Some((Stage::Exec, errno)), _) => Ok(Termination::NotExecutable {
            errno: errno as i32,
        }),
        (None, Some((stage, errno)), _) if watched.started.is_none() => {
            Err(not_built(stage, errno, steps))
        }
        (None, _, Some(Stopped::Cancelled)) => Ok(Termination::Cancelled),
        (None, _, Some(Stopped::TimedOut)) => Ok(Termination::TimedOut),
        (None, _, None) => Ok(Termination::SandboxLost),
    }
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
        Stage::Exec => "executing the command".to_owned(),
    };
    SandboxError::Setup { step, source }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::plan::{Limits, Network, OutputLimits};

    fn plan(work: &Path) -> LaunchPlan {
        LaunchPlan {
            executable: "/bin/sh".into(),
            argv: ["sh", "-c", "echo x > ran"].map(str::to_owned).to_vec(),
            env: std::collections::BTreeMap::new(),
            cwd: work.to_owned(),
            read_paths: Vec::new(),
            write_paths: vec![work.to_owned()],
            hidden_paths: vec![work.join("secret"), work.join("secrets")],
            read_only_paths: vec![work.join("git/hooks")],
            network: Network::Deny,
            timeout_ms: 10_000,
            limits: Limits::default(),
            output: OutputLimits::default(),
        }
    }

    /// Runs a plan after `change`, which comes between judging the paths and mounting them.
    fn run_after(plan: &LaunchPlan, change: impl FnOnce()) -> Result<Outcome, SandboxError> {
        let evidence = Evidence {
            plan,
            caller: Caller::current(),
            rights: Rights::of_kernel().unwrap(),
            filter_sha256: "",
            launcher_sha256: "",
        };
        let layout = Layout::resolve(plan).unwrap();
        change();
        let cancel = Cancel::new().unwrap();
        run(
            Instant::now(),
            &layout,
            &evidence,
            Sinks::default(),
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
            termination(&started, &[]).unwrap(),
            Termination::SandboxLost
        );
        let before = Watched {
            failed: Some((Stage::Fork, Errno::EIO)),
            ..Watched::default()
        };
        assert_eq!(
            termination(&before, &[]).unwrap_err().code(),
            "ERR_SANDBOX_SETUP"
        );
    }
}
