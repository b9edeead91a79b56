// SPDX-License-Identifier: Apache-2.0
//! Verification on all cores, in order and in bounded memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::claims::{self, Claims};
use super::finding::Place;
use super::report::{ReceiptResult, SetVerdict, SourceFault};
use super::source::{Content, Item, unwrap_line};
use super::verifier::SetVerifier;
use crate::key::KeySet;
use crate::verdict::Verdict;
use crate::verify::examine;

/// Verifies every receipt of a source, hands each result to `sink` in the order of the source, and
/// answers with the verdict for the set.
///
/// `source` is read on a thread of its own, receipts are verified on all cores, and no more than a
/// few hundred wait for their turn. `sink` may break off; then there is no verdict.
pub fn verify_all(
    source: impl Iterator<Item = Item> + Send,
    keys: &KeySet,
    mut verifier: SetVerifier,
    mut sink: impl FnMut(ReceiptResult) -> ControlFlow<()>,
) -> Option<SetVerdict> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let in_flight = workers.saturating_mul(BATCHES_PER_WORKER);
    let (jobs, queue) = sync_channel::<(u64, Vec<Item>)>(in_flight);
    let (done, results) = sync_channel::<(u64, Vec<Examined>)>(in_flight);
    // One token for each batch that is on its way: no more of them than that wait for their turn.
    let (take, give) = sync_channel::<()>(in_flight);
    let queue = &Mutex::new(queue);
    let flow = thread::scope(|scope| {
        scope.spawn(move || read(source, &jobs, &take));
        for _ in 0..workers {
            let done = done.clone();
            scope.spawn(move || work(queue, keys, &done));
        }
        drop(done);
        let flow = collect(&results, &give, &mut verifier, &mut sink);
        // When it breaks off, nobody may wait for a place in these channels.
        drop((results, give));
        flow
    });
    flow.is_continue().then(|| verifier.finish())
}

/// One receipt, examined.
pub(super) struct Examined {
    pub(super) place: Place,
    pub(super) outcome: Result<(Verdict, Option<Claims>), SourceFault>,
}

fn read(
    source: impl Iterator<Item = Item>,
    jobs: &SyncSender<(u64, Vec<Item>)>,
    take: &SyncSender<()>,
) {
    let (mut number, mut batch, mut bytes) = (0_u64, Vec::new(), 0_usize);
    let mut send = |batch: Vec<Item>| {
        let sent = take.send(()).is_ok() && jobs.send((number, batch)).is_ok();
        number = number.saturating_add(1);
        sent
    };
    for item in source {
        bytes = bytes.saturating_add(item.content.len());
        batch.push(item);
        if batch.len() >= BATCH || bytes >= BATCH_BYTES {
            bytes = 0;
            if !send(std::mem::take(&mut batch)) {
                return;
            }
        }
    }
    if !batch.is_empty() {
        send(batch);
    }
}

fn work(
    queue: &Mutex<Receiver<(u64, Vec<Item>)>>,
    keys: &KeySet,
    done: &SyncSender<(u64, Vec<Examined>)>,
) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, batch)) = next else { return };
        let examined = batch
            .into_iter()
            .filter_map(|item| guarded(item, keys))
            .collect();
        if done.send((number, examined)).is_err() {
            return;
        }
    }
}

/// Examines one item. A defect of ours costs its verdict, not the whole set's: a batch that never
/// came back would be waited for.
fn guarded(item: Item, keys: &KeySet) -> Option<Examined> {
    let place = item.place.clone();
    catch_unwind(AssertUnwindSafe(|| judge(item, keys))).unwrap_or_else(|_| {
        let fault = SourceFault {
            code: "ERR_INTERNAL",
            message: "a defect in the verifier was caught".to_owned(),
        };
        Some(Examined {
            place,
            outcome: Err(fault),
        })
    })
}

/// Examines one item; nothing for a line that holds no receipt.
fn judge(item: Item, keys: &KeySet) -> Option<Examined> {
    let Item { place, content } = item;
    let document = match content {
        Content::Document(document) => document,
        Content::Line(line) => unwrap_line(&line)?,
        Content::Unreadable(fault) => {
            return Some(Examined {
                place,
                outcome: Err(fault),
            });
        }
    };
    let (verdict, value) = examine(&document, keys);
    let claims = value.and_then(|value| claims::read(&document, &value, &verdict));
    Some(Examined {
        place,
        outcome: Ok((verdict, claims)),
    })
}

/// Puts the batches into order again.
fn collect(
    results: &Receiver<(u64, Vec<Examined>)>,
    give: &Receiver<()>,
    verifier: &mut SetVerifier,
    sink: &mut impl FnMut(ReceiptResult) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (mut next, mut waiting) = (0_u64, BTreeMap::new());
    for (number, batch) in results {
        waiting.insert(number, batch);
        while let Some(batch) = waiting.remove(&next) {
            next = next.saturating_add(1);
            // The token was put in before the batch was sent.
            let _token = give.try_recv();
            for examined in batch {
                sink(verifier.take(examined))?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// Receipts that a worker takes at a time.
const BATCH: usize = 32;
/// Bytes after which a batch is full.
const BATCH_BYTES: usize = 1 << 18;
const BATCHES_PER_WORKER: usize = 4;
