// SPDX-License-Identifier: Apache-2.0
//! The transparency log over a ledger: checkpoints, proofs, witnesses, tiles.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ambit_canon::Digest;
use ambit_receipt::tlog::{
    Checkpoint, Completeness, NoteKey, OpenedCheckpoint, Witness, WitnessRequest,
    verify_tile_folder,
};
use ambit_receipt::{Sign, VerifyingKey};
use ambit_store::{CheckpointSchedule, Ledger, LogError, RunId, StoredCheckpoint};
use napi::bindgen_prelude::{AsyncTask, Either, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::answer::{Failure, Text, TextAnswer, caused, either, failure, guarded, ok};
use crate::keys::{Signer, read_public};
use crate::ledger::{LedgerHandle, of_ledger};

type Work = Box<dyn FnOnce() -> Result<String, Failure> + Send>;

/// Work on a log, off the JavaScript thread; it answers with text.
pub struct LogWork {
    work: Option<Work>,
}

impl LogWork {
    fn new(
        ready: Result<impl FnOnce() -> Result<String, Failure> + Send + 'static, Failure>,
    ) -> AsyncTask<Self> {
        let work: Work = match ready {
            Ok(work) => Box::new(work),
            Err(failure) => Box::new(|| Err(failure)),
        };
        AsyncTask::new(Self { work: Some(work) })
    }
}

impl Task for LogWork {
    type Output = Result<String, Failure>;
    type JsValue = Either<Text, Failure>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let work = self.work.take();
        Ok(guarded(move || {
            work.ok_or_else(|| failure("ERR_INTERNAL", "work ran twice"))?()
        }))
    }

    fn resolve(&mut self, _env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(either(output.map(|value| Text { kind: ok(), value })))
    }
}

/// Makes, signs and stores a checkpoint of all entries, or answers with the latest one where it
/// covers them: `{size, root, note, created_at_ms}` as JSON, size in digits, root in hex.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn checkpoint_ledger(
    ledger: &LedgerHandle,
    signer: &Signer,
    now_ms: i64,
) -> AsyncTask<LogWork> {
    LogWork::new(both(ledger, signer).map(|(ledger, key)| {
        move || {
            let made = ledger.checkpoint(&*key, now_ms);
            Ok(checkpoint_json(&made.map_err(|error| of_log(&error))?).to_string())
        }
    }))
}

/// Makes a checkpoint if one is due, after `entries` entries or `interval_ms` milliseconds with one
/// at least; answers as `checkpointLedger`, or with `null`.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn checkpoint_if_due(
    ledger: &LedgerHandle,
    signer: &Signer,
    now_ms: i64,
    entries: u32,
    interval_ms: u32,
) -> AsyncTask<LogWork> {
    let schedule = CheckpointSchedule {
        entries: entries.into(),
        interval_ms: interval_ms.into(),
    };
    LogWork::new(both(ledger, signer).map(|(ledger, key)| {
        move || {
            let due = ledger.is_checkpoint_due(&schedule, now_ms);
            if !due.map_err(|error| of_ledger(&error))? {
                return Ok(Value::Null.to_string());
            }
            let made = ledger.checkpoint(&*key, now_ms);
            Ok(checkpoint_json(&made.map_err(|error| of_log(&error))?).to_string())
        }
    }))
}

/// Answers with the latest checkpoint as `checkpointLedger` does, or with `null`.
#[napi(catch_unwind)]
pub fn latest_checkpoint(ledger: &LedgerHandle) -> TextAnswer {
    either(ledger.ledger().and_then(|ledger| {
        let latest = ledger.latest_checkpoint();
        let latest = latest.map_err(|error| of_ledger(&error))?;
        let value = latest.as_ref().map_or(Value::Null, checkpoint_json);
        let value = value.to_string();
        Ok(Text { kind: ok(), value })
    }))
}

/// Proves an entry, by its number or by its run (the last entry of that), in a checkpoint of this
/// ledger, or in the latest: answers with `{seq, digest, proof}` as JSON, `proof` being a C2SP
/// `tlog-proof`.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn prove_entry(
    ledger: &LedgerHandle,
    entry: String,
    checkpoint: Option<Uint8Array>,
) -> AsyncTask<LogWork> {
    let note = checkpoint.map(|bytes| bytes.to_vec());
    let ready = ledger.ledger();
    LogWork::new(ready.map(|ledger| move || prove(&ledger, &entry, note.as_deref())))
}

/// Answers with what a witness that last saw `old` entries (digits) needs to cosign the latest
/// checkpoint: the request of C2SP `tlog-witness`.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn witness_request(ledger: &LedgerHandle, old: String) -> AsyncTask<LogWork> {
    LogWork::new(ledger.ledger().map(|ledger| {
        move || {
            let request = ledger.witness_request(number(&old)?);
            Ok(request.map_err(|error| of_log(&error))?.to_string())
        }
    }))
}

/// Writes the log of the latest checkpoint as C2SP `tlog-tiles` into a new folder; answers with
/// `{size, root}` as JSON.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn export_tiles(ledger: &LedgerHandle, folder: String) -> AsyncTask<LogWork> {
    LogWork::new(ledger.ledger().map(|ledger| {
        move || {
            let written = ledger.export_tiles(Path::new(&folder));
            let written = written.map_err(|error| of_log(&error))?;
            let (size, root) = (written.size.to_string(), Digest::from(written.root).hex());
            Ok(json!({ "size": size, "root": root }).to_string())
        }
    }))
}

/// Checks a folder of tiles against its checkpoint, signed by one of the public keys in `keys`
/// (files); answers with `{origin, size, root}` as JSON.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn verify_tiles(folder: String, keys: Vec<String>) -> AsyncTask<LogWork> {
    LogWork::new(read_keys(&keys).map(|keys| {
        move || {
            let read = verify_tile_folder(Path::new(&folder), &keys);
            let read = read.map_err(|error| caused(error.code(), &error))?;
            Ok(opened_json(&read.checkpoint).to_string())
        }
    }))
}

/// Compares the ledger with a checkpoint that was kept elsewhere, signed by one of the public keys
/// in `keys` (files): answers with `{status, have, want}` as JSON, `status` being `complete`,
/// `forked`, `rolled_back` or `truncated`, and the numbers of entries in digits.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn compare_ledger(
    ledger: &LedgerHandle,
    checkpoint: Uint8Array,
    keys: Vec<String>,
) -> AsyncTask<LogWork> {
    let bytes = checkpoint.to_vec();
    let ready = ledger.ledger().and_then(|ledger| {
        let keys = read_keys(&keys)?;
        Ok(move || compare(&ledger, &open(&bytes, &keys)?.checkpoint))
    });
    LogWork::new(ready)
}

/// A witness and what it trusts.
#[napi(object)]
#[derive(Debug)]
pub struct WitnessOptions {
    /// Its name, as verifiers know it.
    pub name: String,
    /// File of its state.
    pub state: String,
    /// Public key files of the logs that it sees.
    pub logs: Vec<String>,
    /// Its clock, in seconds since 1970-01-01T00:00:00Z.
    pub time: i64,
}

/// Cosigns a checkpoint, or a request with one, if its log only grew; answers with `{note, vkey}`
/// as JSON: the checkpoint with the cosignature, and the witness's key as verifiers write it.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn cosign_checkpoint(
    request: Uint8Array,
    signer: &Signer,
    options: WitnessOptions,
) -> AsyncTask<LogWork> {
    let bytes = request.to_vec();
    let ready = key_of(signer).and_then(|key| {
        let logs = read_keys(&options.logs)?;
        Ok(move || cosign(&bytes, &*key, &logs, &options))
    });
    LogWork::new(ready)
}

fn prove(ledger: &Ledger, wanted: &str, note: Option<&[u8]>) -> Result<String, Failure> {
    let found = if wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        ledger.entry(number(wanted)?)
    } else {
        let run = RunId::try_from(wanted).map_err(|error| caused(error.code(), &error))?;
        ledger
            .by_run(&run, 1, MAX_RUN_ENTRIES)
            .map(|mut it| it.pop())
    };
    let Some(entry) = found.map_err(|error| of_ledger(&error))? else {
        let message = format!("the ledger has no entry `{}`", wanted.escape_debug());
        return Err(failure("ERR_LEDGER_ENTRY_UNKNOWN", message));
    };
    let note = note.map(|bytes| {
        let text = std::str::from_utf8(bytes).ok();
        text.ok_or_else(|| failure("ERR_LEDGER_NOTE", "the checkpoint is not text"))
    });
    let proof = ledger.prove(&entry, note.transpose()?);
    let proof = proof.map_err(|error| of_log(&error))?;
    let out = json!({
        "seq": entry.seq.to_string(),
        "digest": Digest::from(entry.digest).hex(),
        "proof": proof.to_string(),
    });
    Ok(out.to_string())
}

fn compare(ledger: &Ledger, held: &Checkpoint) -> Result<String, Failure> {
    let found = ledger.compare(held).map_err(|error| of_log(&error))?;
    let (status, have, want) = match found {
        Completeness::Complete { size } => ("complete", size, held.size()),
        Completeness::Forked { size, .. } => ("forked", size, size),
        Completeness::RolledBack { have, want } => ("rolled_back", have, want),
        Completeness::Truncated { have, want } => ("truncated", have, want),
    };
    let out = json!({ "status": status, "have": have.to_string(), "want": want.to_string() });
    Ok(out.to_string())
}

fn cosign(
    request: &[u8],
    key: &dyn Sign,
    logs: &[VerifyingKey],
    options: &WitnessOptions,
) -> Result<String, Failure> {
    let request = WitnessRequest::parse(request).map_err(|error| caused(error.code(), &error))?;
    let vkey = NoteKey::witness(&options.name, key.verifying_key())
        .map_err(|error| caused("ERR_LEDGER_NOTE", &error))?;
    let state = PathBuf::from(&options.state);
    let witness = Witness {
        name: &options.name,
        key,
        state: &state,
    };
    let time = u64::try_from(options.time).unwrap_or_default();
    let note = witness
        .cosign(&request, logs, time)
        .map_err(|error| caused(error.code(), &error))?;
    Ok(json!({ "note": note, "vkey": vkey.to_string() }).to_string())
}

fn open(note: &[u8], keys: &[VerifyingKey]) -> Result<OpenedCheckpoint, Failure> {
    Checkpoint::open_by(note, keys).map_err(|error| caused(error.code(), &error))
}

fn both(ledger: &LedgerHandle, signer: &Signer) -> Result<(Arc<Ledger>, Arc<dyn Sign>), Failure> {
    Ok((ledger.ledger()?, key_of(signer)?))
}

fn key_of(signer: &Signer) -> Result<Arc<dyn Sign>, Failure> {
    let missing = || failure("ERR_KEY_MISSING", "no key is loaded");
    signer.key.clone().ok_or_else(missing)
}

fn read_keys(paths: &[String]) -> Result<Vec<VerifyingKey>, Failure> {
    paths.iter().map(|path| read_public(path)).collect()
}

fn number(digits: &str) -> Result<u64, Failure> {
    let malformed = || failure("ERR_LEDGER_PROOF", "not a number of entries");
    digits.parse().ok().ok_or_else(malformed)
}

fn checkpoint_json(checkpoint: &StoredCheckpoint) -> Value {
    json!({
        "size": checkpoint.size.to_string(),
        "root": Digest::from(checkpoint.root).hex(),
        "note": checkpoint.note,
        "created_at_ms": checkpoint.created_at_ms,
    })
}

fn opened_json(checkpoint: &Checkpoint) -> Value {
    json!({
        "origin": checkpoint.origin(),
        "size": checkpoint.size().to_string(),
        "root": Digest::from(*checkpoint.root()).hex(),
    })
}

fn of_log(error: &LogError) -> Failure {
    caused(error.code(), error)
}

/// A run has an intent and an outcome, or a refusal.
const MAX_RUN_ENTRIES: u32 = 16;
