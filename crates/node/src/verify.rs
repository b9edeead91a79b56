// SPDX-License-Identifier: Apache-2.0
//! Verification of sets: on threads of its own, with results passed on in batches.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use ambit_canon::Digest;
use ambit_receipt::set::source::Source;
use ambit_receipt::set::{ReceiptResult, SetOptions, SetVerifier, verify_all};
use ambit_receipt::tlog::{NoteKey, WitnessPolicy};
use ambit_receipt::{KeySet, PolicyFile, policy_digest};
use napi::bindgen_prelude::{Object, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::answer::{Failure, Text, caused, either, guarded, ok};
use crate::ledger_source;
use crate::receipts::{TrustedKey, key_set, verdict_value};
use crate::set_report;

/// What is verified, and against what.
#[napi(object)]
pub struct VerifyRequest {
    /// Files, folders and ledgers.
    pub paths: Vec<String>,
    /// Documents: a receipt, JSON Lines, an array or a bundle each.
    pub documents: Vec<Uint8Array>,
    /// Files of public keys.
    pub keys: Vec<TrustedKey>,
    /// Key sets (JWKS documents).
    pub jwks: Vec<Uint8Array>,
    /// Digests of policies that receipts may be bound to.
    pub policies: Vec<String>,
    /// Files of policies that receipts may be bound to by `acta-policy-digest-v1`.
    pub policy_files: Vec<NamedBytes>,
    /// Digests of contracts that receipts may be bound to.
    pub contracts: Vec<String>,
    /// Checkpoints and proofs that were kept elsewhere.
    pub checkpoints: Vec<Uint8Array>,
    /// Trusted witnesses, as C2SP writes their keys.
    pub witnesses: Vec<String>,
    /// How many of them must have signed; all where it is absent.
    pub quorum: Option<u32>,
    /// The moment of verification, milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// What others saw of a chain.
    pub commitments: Vec<SeenChain>,
}

/// A file's name and bytes.
#[napi(object)]
pub struct NamedBytes {
    /// The name.
    pub name: String,
    /// The bytes.
    pub bytes: Uint8Array,
}

/// What somebody saw of a chain, and when.
#[napi(object)]
#[derive(Debug)]
pub struct SeenChain {
    /// The ledger's id; absent for the one chain of a set without numbers.
    pub ledger: Option<String>,
    /// How many receipts it had.
    pub count: i64,
    /// The digest of the last of them.
    pub terminal: Option<String>,
    /// When, milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: i64,
    /// How far the clocks may be apart, milliseconds.
    pub skew_ms: i64,
}

/// Receives batches of results as JSON; it must not throw.
type BatchCallback = ThreadsafeFunction<String, (), String, Status, false>;

/// Steers a verification: how many batches may wait for JavaScript, and whether it goes on.
#[napi]
pub struct Verification {
    turn: Arc<Turn>,
}

#[derive(Debug, Default)]
struct Turn {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: u32,
    stopped: bool,
}

#[napi]
impl Verification {
    /// Makes the handle of a verification that is to be started.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self {
            turn: Arc::default(),
        }
    }

    /// Says that a batch was used up, so that the next may come.
    #[napi(catch_unwind)]
    pub fn taken(&self) {
        let mut state = self.turn.state();
        state.waiting = state.waiting.saturating_sub(1);
        self.turn.changed.notify_all();
    }

    /// Breaks off; the answer is then `null`.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.turn.state().stopped = true;
        self.turn.changed.notify_all();
    }
}

impl Drop for Verification {
    /// JavaScript let go of it, as it does when its worker is terminated.
    fn drop(&mut self) {
        self.stop();
    }
}

impl Turn {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a batch may go out.
    fn wait(&self) -> ControlFlow<()> {
        let full = |state: &mut State| state.waiting >= QUEUED_BATCHES && !state.stopped;
        let state = self.changed.wait_while(self.state(), full);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return ControlFlow::Break(());
        }
        state.waiting = state.waiting.saturating_add(1);
        ControlFlow::Continue(())
    }
}

/// Verifies a set; hands out its results in batches (JSON arrays of `{source, number, seq, verdict}`
/// or `{source, number, error}`), in order, and answers with `{batches, set}`: how many batches there
/// are, some of which may still be on their way, and the set's verdict, or `null` when it was stopped.
/// A few batches wait for [`Verification::taken`]; no more come before.
///
/// # Errors
/// When no promise or no thread can be made.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn verify_set<'env>(
    env: &'env Env,
    request: VerifyRequest,
    verification: &Verification,
    #[napi(ts_arg_type = "(batch: string) => void")] on_batch: BatchCallback,
) -> napi::Result<Object<'env>> {
    let (deferred, promise) = env.create_deferred()?;
    let turn = Arc::clone(&verification.turn);
    // What JavaScript's memory holds is copied before the thread starts.
    let plan = Plan::read(request);
    let work = move || {
        let answer = guarded(|| Ok(run(plan?, &turn, &on_batch)));
        deferred.resolve(move |_| Ok(either(answer.map(|value| Text { kind: ok(), value }))));
    };
    thread::Builder::new()
        .name("ambit-verify".to_owned())
        .spawn(work)
        .map_err(|error| napi::Error::from_reason(format!("no thread to verify on: {error}")))?;
    Ok(promise)
}

/// A request, read.
struct Plan {
    paths: Vec<PathBuf>,
    documents: Vec<Vec<u8>>,
    keys: KeySet,
    options: SetOptions,
    checkpoints: Vec<Vec<u8>>,
    policy: WitnessPolicy,
}

impl Plan {
    fn read(request: VerifyRequest) -> Result<Self, Failure> {
        let digest = |text: &String| {
            text.parse::<Digest>()
                .map_err(|error| caused("ERR_CONFIG_INVALID", &error))
        };
        let mut policies = request
            .policies
            .iter()
            .map(digest)
            .collect::<Result<Vec<_>, _>>()?;
        for file in &request.policy_files {
            policies.extend(engine_digests(file));
        }
        let contracts = request.contracts.iter().map(digest);
        let commitments = request.commitments.iter().map(set_report::commitment);
        let witnesses = request.witnesses.iter().map(|text| {
            text.parse::<NoteKey>()
                .map_err(|error| caused("ERR_CONFIG_INVALID", &error))
        });
        let witnesses = witnesses.collect::<Result<Vec<_>, _>>()?;
        let all = u32::try_from(witnesses.len()).unwrap_or(u32::MAX);
        let quorum = usize::try_from(request.quorum.unwrap_or(all)).unwrap_or(usize::MAX);
        Ok(Self {
            keys: key_set(&request.keys, &request.jwks)?,
            options: SetOptions {
                policies,
                contracts: contracts.collect::<Result<_, _>>()?,
                at_us: Some(request.at_ms.saturating_mul(1000)),
                commitments: commitments.collect::<Result<_, _>>()?,
                ..SetOptions::default()
            },
            paths: request.paths.iter().map(PathBuf::from).collect(),
            documents: request.documents.iter().map(|it| it.to_vec()).collect(),
            checkpoints: request.checkpoints.iter().map(|it| it.to_vec()).collect(),
            policy: WitnessPolicy { witnesses, quorum },
        })
    }
}

/// The digests that a policy's file has in the languages that the draft's writers name.
fn engine_digests(file: &NamedBytes) -> Vec<Digest> {
    let file = PolicyFile {
        name: &file.name,
        content: &file.bytes,
    };
    let digest = |engine: &&str| policy_digest(engine, &[file]).ok();
    ENGINES.iter().filter_map(digest).collect()
}

fn run(plan: Plan, turn: &Turn, on_batch: &BatchCallback) -> String {
    let several = plan.paths.len().saturating_add(plan.documents.len()) > 1;
    let sources = plan.paths.iter().map(|path| source(path, several));
    let mut sources: Vec<Source> = sources.collect();
    let one = plan.documents.len() == 1;
    sources.extend(
        plan.documents
            .into_iter()
            .zip(1_u32..)
            .map(|(bytes, number)| {
                let name = if one {
                    "receipt".to_owned()
                } else {
                    format!("receipt {number}")
                };
                Source::of_bytes(&name, bytes)
            }),
    );
    let own = sources.iter().filter_map(|it| it.checkpoint.clone());
    let own: Vec<Vec<u8>> = own.collect();
    let (items, sequence, scope) = Source::join(sources);
    let mut verifier = SetVerifier::new(SetOptions {
        sequence,
        scope,
        ..plan.options
    });
    hold(
        &mut verifier,
        &plan.checkpoints,
        &own,
        &plan.keys,
        &plan.policy,
    );
    let (mut batch, mut batches): (Vec<Value>, u32) = (Vec::new(), 0);
    let mut flush = |batch: &mut Vec<Value>| {
        turn.wait()?;
        batches = batches.saturating_add(1);
        let text = Value::Array(std::mem::take(batch)).to_string();
        if on_batch.call(text, ThreadsafeFunctionCallMode::Blocking) == Status::Ok {
            ControlFlow::Continue(())
        } else {
            // The environment is going away.
            ControlFlow::Break(())
        }
    };
    let verdict = verify_all(items, &plan.keys, verifier, |result| {
        batch.push(row(&result));
        if batch.len() < BATCH {
            return ControlFlow::Continue(());
        }
        flush(&mut batch)
    });
    let verdict = verdict.filter(|_| batch.is_empty() || flush(&mut batch).is_continue());
    let elsewhere = !plan.checkpoints.is_empty();
    let set = verdict.map_or(Value::Null, |it| set_report::verdict(&it, elsewhere));
    json!({ "batches": batches, "set": set }).to_string()
}

/// Holds a set against the checkpoints that were given; where there is none, those that came with
/// the receipts have to be as good.
fn hold(
    verifier: &mut SetVerifier,
    given: &[Vec<u8>],
    own: &[Vec<u8>],
    keys: &KeySet,
    policy: &WitnessPolicy,
) {
    let wanted = if given.is_empty() { own } else { given };
    for checkpoint in wanted {
        verifier.hold_against(checkpoint, keys, policy, own);
    }
    if wanted.is_empty() && policy.quorum > 0 {
        verifier.miss_witnesses();
    }
    if !given.is_empty() {
        verifier.hold_against_own(own, keys);
    }
}

fn source(path: &Path, several: bool) -> Source {
    if ledger_source::is_ledger(path) {
        ledger_source::open(path)
    } else if several {
        Source::of_one_of_several(path)
    } else {
        Source::of_path(path)
    }
}

fn row(result: &ReceiptResult) -> Value {
    let mut row = json!({
        "source": &*result.place.source,
        "number": result.place.number,
        "seq": result.seq,
    });
    let (name, value) = match &result.outcome {
        Ok(verdict) => ("verdict", verdict_value(verdict)),
        Err(fault) => (
            "error",
            json!({ "code": fault.code, "message": fault.message }),
        ),
    };
    if let Some(row) = row.as_object_mut() {
        row.insert(name.to_owned(), value);
    }
    row
}

/// How many batches wait for JavaScript before verification has to.
const QUEUED_BATCHES: u32 = 4;
/// How many results are in a batch.
const BATCH: usize = 256;
/// The policy languages whose names stand in digests of files.
const ENGINES: [&str; 5] = ["cedar", "rego", "yaml", "json", "csc"];
