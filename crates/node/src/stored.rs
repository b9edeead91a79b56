// SPDX-License-Identifier: Apache-2.0
//! Reading a ledger, and passing it on: work off the JavaScript thread.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ambit_canon::Digest;
use ambit_store::{Filter, Form, Head, Ledger, OpenOptions, Order};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::json;

use crate::answer::{Failure, TextAnswer, either, failure, guarded, text};
use crate::ledger::{LedgerHandle, of_ledger, phase_of, row, run_of};

/// Which entries are wanted; every condition that is given must hold.
#[napi(object)]
pub struct EntryFilter {
    /// The lowest number, decimal digits.
    pub from_seq: Option<String>,
    /// The highest number, decimal digits.
    pub until_seq: Option<String>,
    /// The earliest time, in milliseconds since 1970-01-01T00:00:00Z.
    pub since_ms: Option<i64>,
    /// The time before which entries were made.
    pub until_ms: Option<i64>,
    /// `intent`, `refusal` or `outcome`.
    pub phase: Option<String>,
    /// The run.
    pub run_id: Option<String>,
    /// `decision` in the payload.
    pub decision: Option<String>,
    /// `agent_id` in the payload, or in its `actor`.
    pub agent: Option<String>,
    /// `session_id` in the payload, or in its `actor`.
    pub session: Option<String>,
    /// A reason code or an error code in the payload.
    pub code: Option<String>,
}

/// How far a long piece of work has come; read while it goes on.
#[napi]
pub struct Progress {
    count: Arc<[AtomicU64; 2]>,
}

#[napi]
impl Progress {
    /// Makes a counter at its start.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self {
            count: Arc::default(),
        }
    }

    /// Returns how many entries are done, and of how many; 0 of 0 at the start.
    #[napi(catch_unwind)]
    pub fn read(&self) -> Vec<i64> {
        let now = self.count.iter().map(|count| count.load(Ordering::Relaxed));
        now.map(|count| i64::try_from(count).unwrap_or(i64::MAX))
            .collect()
    }

    fn listener(&self) -> impl FnMut(u64, u64) + Send + use<> {
        let count = Arc::clone(&self.count);
        move |now, all| {
            let [done, total] = &*count;
            done.store(now, Ordering::Relaxed);
            total.store(all, Ordering::Relaxed);
        }
    }
}

#[napi]
impl LedgerHandle {
    /// Finds entries: the JSON object `{entries, next}` with at most `limit` of them as `entries`
    /// lists them, fewer when they are large. `next` is the number where the next page begins,
    /// decimal digits, or null after the last.
    #[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
    pub fn query(&self, filter: EntryFilter, newest_first: bool, limit: u32) -> AsyncTask<Work> {
        let ledger = self.ledger();
        Work::task(move || {
            let filter = read(&filter)?;
            let order = if newest_first {
                Order::NewestFirst
            } else {
                Order::OldestFirst
            };
            page(&*ledger?, &filter, order, limit)
        })
    }

    /// Says what the ledger holds: the JSON object `{entries, head, first_ms, last_ms, open_runs,
    /// database_bytes, log_bytes}`.
    #[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
    pub fn status(&self) -> AsyncTask<Work> {
        let ledger = self.ledger();
        Work::task(move || {
            let status = ledger?.status().map_err(|error| of_ledger(&error))?;
            Ok(json!({
                "entries": status.head.map_or(0, |head| head.seq),
                "head": status.head.map(|head| Digest::from(head.digest).hex()),
                "first_ms": status.first_ms,
                "last_ms": status.last_ms,
                "open_runs": status.open_runs,
                "database_bytes": status.database_bytes,
                "log_bytes": status.log_bytes,
            })
            .to_string())
        })
    }

    /// Removes what may be removed: the JSON object `{locks, imports, log_bytes, database_bytes}`.
    #[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
    pub fn collect_garbage(&self) -> AsyncTask<Work> {
        let ledger = self.ledger();
        Work::task(move || {
            let collected = ledger?.collect_garbage();
            let collected = collected.map_err(|error| of_ledger(&error))?;
            Ok(json!({
                "locks": collected.locks,
                "imports": collected.imports,
                "log_bytes": collected.log_bytes,
                "database_bytes": collected.database_bytes,
            })
            .to_string())
        })
    }

    /// Writes all entries to a new file or folder: the JSON object `{ledger_id, entries, head}`.
    /// `form` is `lines` or `files`.
    #[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
    pub fn export_to(&self, target: String, form: String, progress: &Progress) -> AsyncTask<Work> {
        let ledger = self.ledger();
        let mut listener = progress.listener();
        Work::task(move || {
            let ledger = ledger?;
            let form = match form.as_str() {
                "lines" => Form::Lines,
                "files" => Form::Files,
                _ => {
                    let message = "unknown form; accepted: lines, files";
                    return Err(failure("ERR_CONFIG_INVALID", message));
                }
            };
            let head = ledger.export(Path::new(&target), form, &mut listener);
            let head = head.map_err(|error| of_ledger(&error))?;
            Ok(moved(ledger.id().as_str(), head))
        })
    }
}

/// Makes a new ledger of an export: the JSON object `{ledger_id, entries, head}`.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn import_ledger(source: String, folder: String, progress: &Progress) -> AsyncTask<Work> {
    let mut listener = progress.listener();
    Work::task(move || {
        let (source, folder) = (Path::new(&source), Path::new(&folder));
        let options = OpenOptions::default();
        let made = Ledger::import(source, folder, &options, &mut listener);
        let (id, head) = made.map_err(|error| of_ledger(&error))?;
        Ok(moved(id.as_str(), head))
    })
}

fn moved(ledger_id: &str, head: Option<Head>) -> String {
    json!({
        "ledger_id": ledger_id,
        "entries": head.map_or(0, |head| head.seq),
        "head": head.map(|head| Digest::from(head.digest).hex()),
    })
    .to_string()
}

fn read(filter: &EntryFilter) -> Result<Filter, Failure> {
    let number = |text: &Option<String>| {
        let parsed = text.as_deref().map(str::parse).transpose();
        parsed.map_err(|_error| failure("ERR_CONFIG_INVALID", "a number of an entry is no number"))
    };
    Ok(Filter {
        from_seq: number(&filter.from_seq)?,
        until_seq: number(&filter.until_seq)?,
        since_ms: filter.since_ms,
        until_ms: filter.until_ms,
        phase: filter.phase.as_deref().map(phase_of).transpose()?,
        run_id: filter.run_id.as_deref().map(run_of).transpose()?,
        decision: filter.decision.clone(),
        agent: filter.agent.clone(),
        session: filter.session.clone(),
        code: filter.code.clone(),
    })
}

fn page(ledger: &Ledger, filter: &Filter, order: Order, limit: u32) -> Result<String, Failure> {
    let mut rows = Vec::new();
    let mut bytes: usize = 0;
    let mut last: u64 = 0;
    let end = ledger.query(filter, order, |entry| {
        last = entry.seq;
        bytes = bytes.saturating_add(entry.bytes.len());
        rows.push(row(&entry));
        if rows.len() >= limit as usize || bytes >= MAX_PAGE_BYTES {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let is_last = match end {
        Ok(end) => end.is_continue(),
        Err(error) if rows.is_empty() => return Err(of_ledger(&error)),
        // The next page begins at the damage, and says so.
        Err(_) => false,
    };
    let next = match order {
        Order::OldestFirst => last.checked_add(1),
        Order::NewestFirst => last.checked_sub(1).filter(|next| *next > 0),
    };
    let next = next.filter(|_| !is_last).map(|next| next.to_string());
    Ok(json!({ "entries": rows, "next": next }).to_string())
}

/// Work that ends with a text.
pub struct Work {
    work: Option<Box<dyn FnOnce() -> Result<String, Failure> + Send>>,
}

impl Work {
    fn task(work: impl FnOnce() -> Result<String, Failure> + Send + 'static) -> AsyncTask<Self> {
        let work: Box<dyn FnOnce() -> Result<String, Failure> + Send> = Box::new(work);
        AsyncTask::new(Self { work: Some(work) })
    }
}

impl Task for Work {
    type Output = Result<String, Failure>;
    type JsValue = TextAnswer;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let work = self.work.take();
        Ok(guarded(move || {
            work.ok_or_else(|| failure("ERR_INTERNAL", "a piece of work ran twice"))?()
        }))
    }

    fn resolve(&mut self, _env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(match output {
            Ok(value) => text(value),
            Err(failure) => either(Err(failure)),
        })
    }
}

const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;
