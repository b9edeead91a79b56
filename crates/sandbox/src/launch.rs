// SPDX-License-Identifier: Apache-2.0
//! One run, from plan to outcome.

use std::ffi::CString;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::{Duration, Instant};

use ambit_launcher::{CommandSource, Observation, Resource, Stage, Usage};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::resource::getrlimit;
use nix::sys::signal::SigSet;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
};
use nix::sys::stat::{Mode, umask};
use sha2::{Digest as _, Sha256};

use crate::enforcement::{Enforcement, Evidence, NAMESPACES};
use crate::error::SandboxError;
use crate::host::Caller;
use crate::layout::Layout;
use crate::outcome::{Outcome, Termination};
use crate::plan::{LaunchPlan, Limits, Network, c_string};
use crate::program::{self, Context};
use crate::ruleset::{self, Rights};
use crate::stream::{self, Sinks, StreamOutcome};
use crate::supervise::{Cancel, Running, Stopped, Watched};
use crate::sys::{self, StartRequest, StartStage};
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
    let context = Context {
        rights: Rights::of_kernel()?,
        caller: Caller::current(),
        network: plan.network,
    };
    let layout = Layout::resolve(plan)?;
    let ruleset = ruleset::build(&layout, context.rights, plan.network)?;
    let filter = filter::compile(plan.network)?;
    let evidence = Evidence {
        plan,
        caller: context.caller,
        rights: context.rights,
        filter_sha256: sha256(&filter),
        launcher_sha256: sha256(image::launcher_image()),
    };
    let program = program::build(&layout, context, &command(plan, filter)?)?;
    let (stdout, stdout_end) = pipe()?;
    let (stderr, stderr_end) = pipe()?;
    let passed = Passed { ruleset, stdout: stdout_end, stderr: stderr_end };
    let running = start(plan, context.caller, &program.bytes, passed)?;
    let deadline = begun.checked_add(Duration::from_millis(plan.timeout_ms)).unwrap_or(begun);
    let (watched, stdout, stderr) = thread::scope(|scope| {
        let Sinks { stdout: to_stdout, stderr: to_stderr } = sinks;
        let keep = &plan.output;
        let out = scope.spawn(move || stream::pump(stdout, keep.stdout_bytes, to_stdout));
        let err = scope.spawn(move || stream::pump(stderr, keep.stderr_bytes, to_stderr));
        let watched = running.watch(deadline, cancel);
        // after the last process of the sandbox both pipes have no writer left
        (watched, joined(out), joined(err))
    });
    let watched = watched?;
    let ended = termination(&watched, &program.steps)?;
    Ok(outcome(begun, ended, &watched, (stdout?, stderr?), &evidence))
}

fn joined(
    pump: thread::ScopedJoinHandle<'_, StreamOutcome>,
) -> Result<StreamOutcome, SandboxError> {
    pump.join().map_err(|_| SandboxError::Internal {
        what: "passing output on (a sink panicked)",
        source: Errno::ECANCELED,
    })
}

fn outcome(
    begun: Instant,
    termination: Termination,
    watched: &Watched,
    (stdout, stderr): (StreamOutcome, StreamOutcome),
    evidence: &Evidence<'_>,
) -> Outcome {
    let usage = watched.exited.map_or_else(Usage::default, |(_, usage)| usage);
    let seen: Option<&Observation> = watched.started.as_ref();
    Outcome {
        termination,
        duration_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        user_us: usage.user_us,
        system_us: usage.system_us,
        max_rss_kib: usage.max_rss_kib,
        stdout,
        stderr,
        enforcement: seen.map_or_else(Enforcement::none, |seen| evidence.of_started(seen)),
    }
}

/// Decides how a run ended; a failure before the command started is an error.
fn termination(watched: &Watched, steps: &[String]) -> Result<Termination, SandboxError> {
    match (watched.exited, watched.failed, watched.stopped) {
        (Some((status, _)), _, _) => Ok(of_status(status)),
        (None, Some((Stage::Exec, errno)), _) => Ok(match errno {
            Errno::ENOENT | Errno::ENOTDIR => Termination::NotFound,
            other => Termination::NotExecutable { errno: other as i32 },
        }),
        (None, Some((stage, errno)), _) => Err(not_built(stage, errno, steps)),
        (None, None, Some(Stopped::Cancelled)) => Ok(Termination::Cancelled),
        (None, None, Some(Stopped::TimedOut)) => Ok(Termination::TimedOut),
        (None, None, None) => Ok(Termination::SandboxLost),
    }
}

/// Reads a wait status (`wait(2)`): low 7 bits the signal, the next byte the exit code.
fn of_status(status: u64) -> Termination {
    let byte = |value: u64| i32::try_from(value).unwrap_or_default();
    match status & 0x7F {
        0 => Termination::Exited { code: byte((status >> 8) & 0xFF) },
        signal => Termination::Signaled { signal: byte(signal) },
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
            steps.get(index).cloned().unwrap_or_else(|| format!("step {index}"))
        }
        Stage::Fork => "starting the command's process".to_owned(),
        Stage::Prepare(part) => {
            let index = usize::try_from(part).unwrap_or_default().saturating_sub(1);
            PREPARE.get(index).copied().unwrap_or("preparing the command").to_owned()
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

/// Descriptors that go to the launcher with the program.
struct Passed {
    ruleset: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

fn start(
    plan: &LaunchPlan,
    caller: Caller,
    program: &[u8],
    passed: Passed,
) -> Result<Running, SandboxError> {
    let (control, launcher_end) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
            .map_err(SandboxError::internal("making the control socket"))?;
    hand_over(&control, program, &passed)?;
    let map = |inner: u32, outer: u32| c_string("uid_map", format!("{inner} {outer} 1"));
    let uid_map = map(caller.inner_uid(), caller.uid.as_raw())?;
    let gid_map = map(caller.inner_gid(), caller.gid.as_raw())?;
    let request = StartRequest {
        image: image::descriptor()?,
        control: launcher_end.as_fd(),
        namespaces: namespace_flags(plan.network),
        uid_map: &uid_map,
        gid_map: &gid_map,
    };
    let started = if caller.uid.is_root() {
        // the groups are given up by a thread that ends here, so that this process keeps them
        thread::scope(|scope| scope.spawn(|| start_without_groups(&request)).join())
            .map_err(|_| SandboxError::Internal { what: "starting", source: Errno::ECANCELED })?
    } else {
        start_quietly(&request)
    };
    started.map(|process| Running::new(process, control)).map_err(refused)
}

fn start_without_groups(request: &StartRequest<'_>) -> Result<OwnedFd, (StartStage, Errno)> {
    sys::drop_groups_of_thread().map_err(|errno| (StartStage::Capabilities, errno))?;
    start_quietly(request)
}

/// Starts the launcher with every signal blocked, so that no handler runs in the shared memory.
fn start_quietly(request: &StartRequest<'_>) -> Result<OwnedFd, (StartStage, Errno)> {
    let descriptors = |errno| (StartStage::Descriptors, errno);
    let before = SigSet::thread_get_mask().map_err(descriptors)?;
    SigSet::all().thread_set_mask().map_err(descriptors)?;
    let started = sys::start(request);
    before.thread_set_mask().map_err(descriptors)?;
    started
}

fn refused((stage, source): (StartStage, Errno)) -> SandboxError {
    let named = |step: &str| SandboxError::Setup { step: step.to_owned(), source };
    match stage {
        StartStage::Clone => SandboxError::Unsupported { mechanism: "user namespaces", source },
        StartStage::IdMap => SandboxError::Unsupported { mechanism: "mapping the caller's id", source },
        StartStage::Capabilities => named("keeping the launcher's capabilities"),
        StartStage::Descriptors => named("arranging the launcher's descriptors"),
        StartStage::Exec => named("executing the launcher"),
    }
}

pub(crate) fn namespace_flags(network: Network) -> libc::c_int {
    let net = match network {
        Network::Deny => libc::CLONE_NEWNET,
        Network::Full => 0,
    };
    libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWUTS
        | net
}

/// Sends the program's length with its memfd, the three streams and the ruleset.
fn hand_over(control: &OwnedFd, program: &[u8], passed: &Passed) -> Result<(), SandboxError> {
    let stdin = nix::fcntl::open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
        .map_err(SandboxError::internal("opening /dev/null"))?;
    let image = image::sealed(c"ambit-program", program)?;
    let length = u64::try_from(program.len()).unwrap_or(u64::MAX).to_le_bytes();
    let fds = [&image, &stdin, &passed.stdout, &passed.stderr, &passed.ruleset]
        .map(|fd| fd.as_raw_fd());
    let messages = [ControlMessage::ScmRights(&fds)];
    let parts = [IoSlice::new(&length)];
    sendmsg::<()>(control.as_raw_fd(), &parts, &messages, MsgFlags::MSG_NOSIGNAL, None)
        .map(|_| ())
        .map_err(SandboxError::internal("handing over the program"))
}

fn pipe() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(SandboxError::internal("making a pipe"))
}

fn command(plan: &LaunchPlan, filter: Vec<u8>) -> Result<CommandSource, SandboxError> {
    let argv = plan.argv.iter().map(|text| c_string("argv", text.as_str()));
    let env = plan.env.iter().map(|(name, value)| c_string("env", format!("{name}={value}")));
    let before = umask(Mode::from_bits_truncate(0o022));
    umask(before);
    Ok(CommandSource {
        executable: c_string("executable", plan.executable.as_os_str().as_bytes())?,
        argv: argv.collect::<Result<Vec<CString>, _>>()?,
        env: env.collect::<Result<Vec<CString>, _>>()?,
        cwd: c_string("cwd", plan.cwd.as_os_str().as_bytes())?,
        umask: before.bits(),
        outside: outside(plan.network)?,
        limits: resources(&plan.limits)?,
        filter,
    })
}

/// Returns the namespaces of this process, which the command must not share.
fn outside(network: Network) -> Result<[u64; 7], SandboxError> {
    let mut out = [0; 7];
    for (slot, name) in out.iter_mut().zip(NAMESPACES) {
        let short = match name {
            "mount_namespace" => "mnt",
            "net_namespace" if network == Network::Full => continue,
            other => other.strip_suffix("_namespace").unwrap_or(other),
        };
        *slot = std::fs::metadata(format!("/proc/self/ns/{short}"))
            .map_err(|error| SandboxError::Internal {
                what: "reading our own namespaces",
                source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
            })?
            .ino();
    }
    Ok(out)
}

/// Core dumps are always off: they write outside every scope and can hold secrets.
fn resources(limits: &Limits) -> Result<Vec<Resource>, SandboxError> {
    use nix::sys::resource::Resource as Kind;
    let wanted = [
        (Kind::RLIMIT_CORE, Some(0)),
        (Kind::RLIMIT_CPU, limits.cpu_sec),
        (Kind::RLIMIT_AS, limits.address_space_bytes),
        (Kind::RLIMIT_FSIZE, limits.max_file_size_bytes),
        (Kind::RLIMIT_NOFILE, limits.max_open_files),
        (Kind::RLIMIT_NPROC, limits.max_processes),
    ];
    let mut out = Vec::new();
    for (kind, value) in wanted {
        let Some(value) = value else { continue };
        let (_, hard) = getrlimit(kind).map_err(SandboxError::internal("reading a limit"))?;
        let limit = value.min(hard);
        out.push(Resource { number: kind as u32, soft: limit, hard: limit });
    }
    Ok(out)
}

fn sha256(bytes: &[u8]) -> String {
    stream::hex(&Sha256::digest(bytes))
}
