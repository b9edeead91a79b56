// SPDX-License-Identifier: Apache-2.0
//! Running a launch plan on a thread of its own, with output passed on live.

use std::os::fd::{IntoRawFd as _, OwnedFd};
use std::thread;

use ambit_sandbox::{
    Cancel, Errno, LaunchPlan, Outcome, SandboxError, Sink, Streams, WindowSize, duplicate, launch,
    launch_local, probe as probe_kernel, unwaiting_pipe,
};
use napi::bindgen_prelude::{AsyncTask, Either, Object, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, Task};
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::answer::{Failure, Ran, Text, caused, either, failure, guarded, ok};

/// Stops a run: when asked, and when JavaScript lets go of it before the run has ended, as it does
/// when its worker is terminated.
#[napi]
pub struct Canceller {
    cancel: Option<Cancel>,
}

#[napi]
impl Canceller {
    /// Makes the handle of a run that is to be started.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self {
            cancel: Cancel::new().ok(),
        }
    }

    /// Kills everything in the sandbox. Answers whether the word got through.
    #[napi(catch_unwind)]
    pub fn cancel(&self) -> bool {
        self.cancel
            .as_ref()
            .is_some_and(|cancel| cancel.cancel().is_ok())
    }

    /// Sends a signal to the command. Answers whether the word got through.
    #[napi(catch_unwind)]
    pub fn signal(&self, number: u8) -> bool {
        self.cancel
            .as_ref()
            .is_some_and(|cancel| cancel.signal(number))
    }

    /// Gives the command's terminal another size. Answers whether it has one.
    #[napi(catch_unwind)]
    pub fn resize(&self, columns: u16, rows: u16) -> bool {
        let size = WindowSize { columns, rows };
        self.cancel
            .as_ref()
            .is_some_and(|cancel| cancel.resize(size).is_ok())
    }

    /// Lets go of a run that has ended.
    #[napi(catch_unwind)]
    pub fn release(&mut self) {
        self.cancel = None;
    }
}

impl Drop for Canceller {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// In place of a descriptor: a new pipe, whose other end JavaScript gets.
const PIPE: i32 = -1;

/// What goes into a run and where its output goes. A descriptor stays the caller's: the run copies
/// from or to it, and closes its own copy. -1 asks for a pipe, whose other end is JavaScript's.
#[napi(object)]
pub struct LaunchStreams {
    /// What a plan with `stdin` of kind `bytes` reads.
    pub bytes: Option<Uint8Array>,
    /// What a plan with `stdin` of kind `stream`, or with a terminal reads.
    pub stdin: Option<i32>,
    /// Where standard output goes.
    pub stdout: Option<i32>,
    /// Where standard error goes.
    pub stderr: Option<i32>,
    /// Values of the plan's secrets, in their order.
    pub secrets: Option<Vec<Uint8Array>>,
}

/// Hears that a command executes, and the number of its sandbox's first process.
type StartListener = ThreadsafeFunction<Option<u32>, (), Option<u32>, Status, false, true>;

/// Runs a launch plan (JSON). `done` answers once the last process of the sandbox is gone; the others
/// are JavaScript's ends of the pipes that were asked for, not waiting, for JavaScript to close.
///
/// # Errors
/// When no promise, pipe or thread can be made, or a descriptor is none; then nothing ran.
#[napi(catch_unwind, ts_return_type = "Launch")]
pub fn launch_plan<'env>(
    env: &'env Env,
    plan: String,
    canceller: &Canceller,
    streams: LaunchStreams,
    #[napi(ts_arg_type = "((pid: number | null) => void) | undefined | null")] on_start: Option<
        StartListener,
    >,
) -> napi::Result<Object<'env>> {
    on_own_thread(env, plan, canceller, (streams, on_start), launch)
}

/// The same without a sandbox: nothing of the plan's scopes, network and limits is enforced.
///
/// # Errors
/// When no promise, pipe or thread can be made, or a descriptor is none; then nothing ran.
#[napi(catch_unwind, ts_return_type = "Launch")]
pub fn launch_local_plan<'env>(
    env: &'env Env,
    plan: String,
    canceller: &Canceller,
    streams: LaunchStreams,
) -> napi::Result<Object<'env>> {
    on_own_thread(env, plan, canceller, (streams, None), launch_local)
}

/// How a plan is run.
type Launch = fn(&LaunchPlan, Streams, &Cancel) -> Result<Outcome, SandboxError>;

fn on_own_thread<'env>(
    env: &'env Env,
    plan: String,
    canceller: &Canceller,
    (given, on_start): (LaunchStreams, Option<StartListener>),
    launch: Launch,
) -> napi::Result<Object<'env>> {
    let (stdin, input) = ends(given.stdin, Direction::In)?;
    let (stdout, to_stdout) = ends(given.stdout, Direction::Out)?;
    let (stderr, to_stderr) = ends(given.stderr, Direction::Out)?;
    let streams = Streams {
        stdin: given.bytes.map(|bytes| bytes.to_vec()).unwrap_or_default(),
        input,
        stdout: to_stdout.map(Sink::Descriptor),
        stderr: to_stderr.map(Sink::Descriptor),
        secrets: secrets(given.secrets.unwrap_or_default()),
        started: on_start.map(announce),
    };
    let (deferred, promise) = env.create_deferred()?;
    let cancel = canceller.cancel.clone();
    let settle = move |result: Result<Outcome, Failure>| {
        deferred.resolve(move |_| Ok(either(result.map(ran))));
    };
    let work = move || {
        settle(guarded(|| {
            let cancel = cancel.ok_or_else(|| failure("ERR_SANDBOX_INTERNAL", "no eventfd"))?;
            let plan: LaunchPlan = serde_json::from_str(&plan)
                .map_err(|error| failure("ERR_SANDBOX_PLAN_INVALID", error.to_string()))?;
            launch(&plan, streams, &cancel).map_err(|error| caused(error.code(), &error))
        }));
    };
    let mut started = Object::new(env)?;
    started.set("done", promise)?;
    thread::Builder::new()
        .name("ambit-run".to_owned())
        .spawn(work)
        .map_err(|error| napi::Error::from_reason(format!("no thread for a run: {error}")))?;
    // from here on JavaScript owns its ends
    for (name, end) in [("stdin", stdin), ("stdout", stdout), ("stderr", stderr)] {
        if let Some(end) = end {
            started.set(name, end.into_raw_fd())?;
        }
    }
    Ok(started)
}

/// Copies secrets to where they are wiped; JavaScript wipes its own.
fn secrets(given: Vec<Uint8Array>) -> Vec<Zeroizing<Vec<u8>>> {
    given
        .into_iter()
        .map(|bytes| Zeroizing::new(bytes.to_vec()))
        .collect()
}

fn announce(on_start: StartListener) -> Box<dyn FnOnce(Option<u32>) + Send> {
    Box::new(move |pid| {
        // an environment that is going away wants no news
        let _status = on_start.call(pid, ThreadsafeFunctionCallMode::NonBlocking);
    })
}

/// Which way bytes go, seen from the command.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Direction {
    In,
    Out,
}

/// Returns JavaScript's end, if it gets one, and the run's.
fn ends(
    asked: Option<i32>,
    direction: Direction,
) -> napi::Result<(Option<OwnedFd>, Option<OwnedFd>)> {
    let failed = |what: &str, errno: Errno| {
        let message = format!("{what}: {}", errno.desc());
        Err(napi::Error::new(Status::InvalidArg, message))
    };
    match asked {
        None => Ok((None, None)),
        Some(PIPE) => match unwaiting_pipe() {
            Ok((reader, writer)) => Ok(match direction {
                Direction::In => (Some(writer), Some(reader)),
                Direction::Out => (Some(reader), Some(writer)),
            }),
            Err(errno) => failed("making a pipe", errno),
        },
        Some(number) => match duplicate(number) {
            Ok(fd) => Ok((None, Some(fd))),
            Err(errno) => failed(&format!("descriptor {number}"), errno),
        },
    }
}

fn ran(outcome: Outcome) -> Ran {
    let described = serde_json::to_string(&outcome).unwrap_or_else(|_| "null".to_owned());
    Ran {
        kind: ok(),
        outcome: described,
        stdout: Uint8Array::new(outcome.stdout.captured),
        stderr: Uint8Array::new(outcome.stderr.captured),
        rest_of_stdout: Uint8Array::new(outcome.stdout.rest),
        rest_of_stderr: Uint8Array::new(outcome.stderr.rest),
    }
}

/// Tries every mechanism of the sandbox; answers with the report as JSON.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn probe() -> AsyncTask<Probe> {
    AsyncTask::new(Probe)
}

/// A trial on its way.
#[derive(Debug)]
pub struct Probe;

impl Task for Probe {
    type Output = Result<Text, Failure>;
    type JsValue = Either<Text, Failure>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guarded(|| {
            serde_json::to_string(&probe_kernel())
                .map(|value| Text { kind: ok(), value })
                .map_err(|error| failure("ERR_INTERNAL", error.to_string()))
        }))
    }

    fn resolve(&mut self, _env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(either(output))
    }
}

/// Returns the launcher, the static program that is pid 1 of every sandbox, for packaging.
#[napi(catch_unwind)]
pub fn launcher_image() -> Uint8Array {
    Uint8Array::new(ambit_sandbox::launcher_image().to_vec())
}
