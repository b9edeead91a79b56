// SPDX-License-Identifier: Apache-2.0
//! The ledger: every append and read is work off the JavaScript thread.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ambit_canon::{Digest, Limits, Number, Object, Value};
use ambit_receipt::{Sign, acta};
use ambit_store::{
    AppendError, Appended, Entry, Ledger, LedgerError, NewEntry, OpenOptions, Phase, Position,
    RunId, approval_use, approvals_consumed_by,
};
use napi::bindgen_prelude::{AsyncTask, Either, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::json;

use crate::answer::{
    Failure, Recorded, Text, TextAnswer, caused, either, failure, guarded, ok, text,
};
use crate::keys::Signer;

/// An open ledger.
#[napi]
pub struct LedgerHandle {
    // Behind a lock: work on its way borrows the handle, and closing it must not wait for that.
    ledger: Mutex<Option<Arc<Ledger>>>,
}

#[napi]
impl LedgerHandle {
    /// Makes an empty handle; `open` fills it.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self {
            ledger: Mutex::new(None),
        }
    }

    /// Opens the ledger in a folder, making it if there is none; answers with the ledger's id.
    #[napi(catch_unwind)]
    pub fn open(&self, folder: String) -> TextAnswer {
        match Ledger::open(Path::new(&folder), &OpenOptions::default()) {
            Ok(ledger) => {
                let id = ledger.id().to_string();
                *self.slot() = Some(Arc::new(ledger));
                text(id)
            }
            Err(error) => Either::B(of_ledger(&error)),
        }
    }

    /// Opens a ledger for reading only, and changes nothing; answers with the ledger's id.
    #[napi(catch_unwind)]
    pub fn open_read_only(&self, folder: String) -> TextAnswer {
        match Ledger::open_read_only(Path::new(&folder), &OpenOptions::default()) {
            Ok(ledger) => {
                let id = ledger.id().to_string();
                *self.slot() = Some(Arc::new(ledger));
                text(id)
            }
            Err(error) => Either::B(of_ledger(&error)),
        }
    }

    /// Closes the ledger; work that was begun goes on to its end.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        *self.slot() = None;
    }

    /// Signs payloads and appends them in their order, in one commit with whatever else is being
    /// appended; the position of each (`ledger_id`, `seq`, `previousReceiptHash`) is added inside
    /// the transaction. Answers once they are durable, with a result for each.
    #[napi(
        catch_unwind,
        ts_return_type = "Promise<Array<Recorded | Failure> | Failure>"
    )]
    pub fn append_all(&self, submissions: Vec<Submission>, signer: &Signer) -> AsyncTask<Append> {
        let work = self.ledger().and_then(|ledger| {
            let key = signer.key.clone();
            let key = key.ok_or_else(|| failure("ERR_KEY_MISSING", "no key is loaded"))?;
            Ok((ledger, key, submissions))
        });
        AsyncTask::new(Append { work: Some(work) })
    }

    /// Lists the runs that were begun and whose process has ended, oldest first: a JSON array of
    /// `{run_id, intent_seq, intent}` with the intent's text.
    #[napi(catch_unwind)]
    pub fn orphans(&self) -> TextAnswer {
        either(self.orphans_json())
    }

    fn orphans_json(&self) -> Result<Text, Failure> {
        let ledger = self.ledger()?;
        let mut out = Vec::new();
        for run in ledger.orphans().map_err(|error| of_ledger(&error))? {
            let intent = ledger
                .entry(run.intent_seq)
                .map_err(|error| of_ledger(&error))?;
            out.push(json!({
                "run_id": run.run_id.as_str(),
                "intent_seq": run.intent_seq.to_string(),
                "intent": intent.map(|entry| lossless(&entry)),
            }));
        }
        Ok(Text {
            kind: ok(),
            value: json!(out).to_string(),
        })
    }

    /// Says which approvals were used: a JSON array with the number of the entry that used each, in
    /// decimal digits, or null.
    #[napi(catch_unwind)]
    pub fn approvals_used(&self, approvals: Vec<NamedApproval>) -> TextAnswer {
        either(self.ledger().and_then(|ledger| {
            let asked: Vec<_> = approvals
                .iter()
                .map(|named| approval_use(&named.approver_key_id, &named.approval_id))
                .collect();
            let found = ledger.approvals_used(&asked);
            let found = found.map_err(|error| of_ledger(&error))?;
            let rows: Vec<_> = found
                .into_iter()
                .map(|seq| seq.map(|it| it.to_string()))
                .collect();
            Ok(Text {
                kind: ok(),
                value: json!(rows).to_string(),
            })
        }))
    }

    /// Lists entries from a number on, oldest first, as a JSON array of `{seq, phase, run_id,
    /// created_at_ms, digest, document}`; `document` is the exact text that was signed.
    #[napi(catch_unwind)]
    pub fn entries(&self, from_seq: u32, limit: u32) -> TextAnswer {
        either(self.ledger().and_then(|ledger| {
            let entries = ledger
                .entries(u64::from(from_seq), limit)
                .map_err(|error| of_ledger(&error))?;
            let rows: Vec<_> = entries.iter().map(row).collect();
            Ok(Text {
                kind: ok(),
                value: json!(rows).to_string(),
            })
        }))
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Ledger>>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ledger(&self) -> Result<Arc<Ledger>, Failure> {
        self.slot()
            .clone()
            .ok_or_else(|| failure("ERR_LEDGER_UNAVAILABLE", "the ledger is not open"))
    }
}

pub(crate) fn row(entry: &Entry) -> serde_json::Value {
    json!({
        "seq": entry.seq.to_string(),
        "phase": entry.phase.as_str(),
        "run_id": entry.run_id.as_str(),
        "created_at_ms": entry.created_at_ms,
        "digest": Digest::of(&entry.bytes).hex(),
        "document": lossless(entry),
    })
}

/// The signed bytes are canonical JSON, so UTF-8; anything else was not written by us.
fn lossless(entry: &Entry) -> String {
    String::from_utf8_lossy(&entry.bytes).into_owned()
}

pub(crate) fn of_ledger(error: &LedgerError) -> Failure {
    caused(error.code(), error)
}

/// An approval by what an approver calls it.
#[napi(object)]
pub struct NamedApproval {
    /// The key that signed it, or `unsigned`.
    pub approver_key_id: String,
    /// Its id.
    pub approval_id: String,
}

/// A payload to sign and append.
#[napi(object)]
pub struct Submission {
    /// What the entry means for its run: `intent`, `refusal` or `outcome`.
    pub phase: String,
    /// The run.
    pub run_id: String,
    /// When it is made, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// The payload, a JSON object; its `run_id`, if it has one, is that of the entry.
    pub payload: String,
}

type Batch = (Arc<Ledger>, Arc<dyn Sign>, Vec<Submission>);
type Outcome = Result<Appended, Failure>;

/// Appends on their way.
pub struct Append {
    work: Option<Result<Batch, Failure>>,
}

impl Task for Append {
    type Output = Result<Vec<Outcome>, Failure>;
    type JsValue = Either<Vec<Either<Recorded, Failure>>, Failure>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let work = self.work.take();
        Ok(guarded(move || {
            let (ledger, key, submissions) =
                work.ok_or_else(|| failure("ERR_INTERNAL", "an append ran twice"))??;
            Ok(record(&ledger, &key, submissions))
        }))
    }

    fn resolve(&mut self, _env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        let recorded = |appended: Appended| Recorded {
            kind: ok(),
            seq: appended.seq.to_string(),
            digest: Digest::from(appended.digest).hex(),
            bytes: Uint8Array::new(appended.bytes),
        };
        Ok(either(output.map(|outcomes| {
            let outcomes = outcomes.into_iter();
            outcomes
                .map(|outcome| either(outcome.map(recorded)))
                .collect()
        })))
    }
}

/// Appends what can be read of the submissions; a result for each, in their order.
fn record(ledger: &Ledger, key: &Arc<dyn Sign>, submissions: Vec<Submission>) -> Vec<Outcome> {
    let mut jobs = Vec::new();
    let read: Vec<Result<(), Failure>> = submissions
        .into_iter()
        .map(|submission| {
            let (entry, payload) = parse(&submission)?;
            let key = Arc::clone(key);
            let sign = move |position: &Position| seal(payload, position, key.as_ref());
            jobs.push((entry, sign));
            Ok(())
        })
        .collect();
    let mut appended = ledger.append_all(jobs).into_iter();
    let next = |()| match appended.next() {
        Some(Ok(appended)) => Ok(appended),
        Some(Err(AppendError::Seal(failure))) => Err(failure),
        Some(Err(AppendError::Ledger(error))) => Err(of_ledger(&error)),
        None => Err(failure("ERR_INTERNAL", "an append has no result")),
    };
    read.into_iter()
        .map({
            let mut next = next;
            move |read| read.and_then(&mut next)
        })
        .collect()
}

fn parse(submission: &Submission) -> Result<(NewEntry, Object), Failure> {
    let payload = ambit_canon::parse(submission.payload.as_bytes(), &Limits::default())
        .map_err(|error| caused("ERR_RECEIPT_SCHEMA", &error))?;
    let entry = NewEntry {
        phase: phase_of(&submission.phase)?,
        run_id: run_of(&submission.run_id)?,
        created_at_ms: submission.created_at_ms,
        // what is signed is what is used up
        consumes: approvals_consumed_by(&payload),
    };
    let Value::Object(payload) = payload else {
        return Err(failure("ERR_RECEIPT_SCHEMA", "a payload must be an object"));
    };
    // What contradicts its place could be appended, and never be imported again.
    let named = payload.get("run_id").and_then(Value::as_str);
    if named.is_some_and(|named| named != entry.run_id.as_str()) {
        let message = "the payload's `run_id` is not that of its entry";
        return Err(failure("ERR_RECEIPT_SCHEMA", message));
    }
    Ok((entry, payload))
}

pub(crate) fn phase_of(text: &str) -> Result<Phase, Failure> {
    [Phase::Intent, Phase::Outcome, Phase::Refusal]
        .into_iter()
        .find(|known| known.as_str() == text)
        .ok_or_else(|| {
            let message = "unknown phase; accepted: intent, outcome, refusal";
            failure("ERR_CONFIG_INVALID", message)
        })
}

pub(crate) fn run_of(text: &str) -> Result<RunId, Failure> {
    RunId::try_from(text).map_err(|error| caused(error.code(), &error))
}

/// Signs a payload at its place in the ledger.
fn seal(mut payload: Object, position: &Position, key: &dyn Sign) -> Result<Vec<u8>, Failure> {
    payload.insert("ledger_id", position.ledger_id.as_str());
    let seq = i64::try_from(position.seq)
        .ok()
        .and_then(|seq| Number::try_from(seq).ok());
    payload.insert("seq", Value::from(seq.ok_or_else(too_many)?));
    if let Some(previous) = position.previous {
        payload.insert("previousReceiptHash", Digest::from(previous).prefixed());
    }
    acta::seal(Value::Object(payload), key).map_err(|error| caused(error.code(), &error))
}

fn too_many() -> Failure {
    failure("ERR_LEDGER_WRITE", "the ledger's numbers are used up")
}
