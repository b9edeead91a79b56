// SPDX-License-Identifier: Apache-2.0
//! Running a launch plan on a thread of its own, with output passed on live.

use std::sync::Arc;
use std::thread;

use ambit_sandbox::{
    Cancel, LaunchPlan, Outcome, SandboxError, Streams, launch, launch_local, probe as probe_kernel,
};
use napi::bindgen_prelude::{AsyncTask, Either, Object, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, Task};
use napi_derive::napi;

use crate::answer::{Failure, Ran, Text, caused, either, failure, guarded, ok};

/// How many pieces of output wait for JavaScript before the command has to.
const QUEUED_PIECES: usize = 16;

/// Receives pieces of output; it must not throw.
type OutputCallback =
    ThreadsafeFunction<Uint8Array, (), Uint8Array, Status, false, true, QUEUED_PIECES>;

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

/// Runs a launch plan (JSON); answers once the last process of the sandbox is gone. `stdin` is what a
/// plan with `stdin` of kind `bytes` reads.
///
/// # Errors
/// When no promise or no thread can be made; then nothing ran.
#[napi(catch_unwind, ts_return_type = "Promise<Ran | Failure>")]
pub fn launch_plan<'env>(
    env: &'env Env,
    plan: String,
    canceller: &Canceller,
    stdin: Option<Uint8Array>,
    #[napi(ts_arg_type = "((piece: Uint8Array) => void) | undefined | null")] on_stdout: Option<
        OutputCallback,
    >,
    #[napi(ts_arg_type = "((piece: Uint8Array) => void) | undefined | null")] on_stderr: Option<
        OutputCallback,
    >,
) -> napi::Result<Object<'env>> {
    let streams = streams(stdin, on_stdout, on_stderr);
    on_own_thread(env, plan, canceller, streams, launch)
}

/// The same without a sandbox: nothing of the plan's scopes, network and limits is enforced.
///
/// # Errors
/// When no promise or no thread can be made; then nothing ran.
#[napi(catch_unwind, ts_return_type = "Promise<Ran | Failure>")]
pub fn launch_local_plan<'env>(
    env: &'env Env,
    plan: String,
    canceller: &Canceller,
    stdin: Option<Uint8Array>,
    #[napi(ts_arg_type = "((piece: Uint8Array) => void) | undefined | null")] on_stdout: Option<
        OutputCallback,
    >,
    #[napi(ts_arg_type = "((piece: Uint8Array) => void) | undefined | null")] on_stderr: Option<
        OutputCallback,
    >,
) -> napi::Result<Object<'env>> {
    let streams = streams(stdin, on_stdout, on_stderr);
    on_own_thread(env, plan, canceller, streams, launch_local)
}

/// How a plan is run.
type Launch = fn(&LaunchPlan, Streams, &Cancel) -> Result<Outcome, SandboxError>;

fn on_own_thread<'env>(
    env: &'env Env,
    plan: String,
    canceller: &Canceller,
    streams: Streams,
    launch: Launch,
) -> napi::Result<Object<'env>> {
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
    thread::Builder::new()
        .name("ambit-run".to_owned())
        .spawn(work)
        .map_err(|error| napi::Error::from_reason(format!("no thread for a run: {error}")))?;
    Ok(promise)
}

fn streams(
    stdin: Option<Uint8Array>,
    on_stdout: Option<OutputCallback>,
    on_stderr: Option<OutputCallback>,
) -> Streams {
    Streams {
        stdin: stdin.map(|bytes| bytes.to_vec()).unwrap_or_default(),
        stdout: on_stdout.map(sink),
        stderr: on_stderr.map(sink),
    }
}

/// A listener as the sandbox calls it.
type Listener = Box<dyn FnMut(&[u8]) + Send>;

fn sink(callback: OutputCallback) -> Listener {
    let callback = Arc::new(callback);
    Box::new(move |piece: &[u8]| {
        // blocks while the queue is full, so that a slow reader slows the command; an environment
        // that is going away takes no more, and the stream is still read and hashed to its end
        let piece = Uint8Array::new(piece.to_vec());
        let _status = callback.call(piece, ThreadsafeFunctionCallMode::Blocking);
    })
}

fn ran(outcome: Outcome) -> Ran {
    let described = serde_json::to_string(&outcome).unwrap_or_else(|_| "null".to_owned());
    Ran {
        kind: ok(),
        outcome: described,
        stdout: Uint8Array::new(outcome.stdout.captured),
        stderr: Uint8Array::new(outcome.stderr.captured),
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
