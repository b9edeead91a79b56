// SPDX-License-Identifier: Apache-2.0
//! How many durable appends a second: `cargo bench -p ambit-store`.
//!
//! Each line is one kind of seal, with 1 and with 64 threads that append at the same time; every
//! append is on the disk before its thread asks for the next. Without `--bench`, as `cargo test`
//! starts it, each line appends a few entries and nothing is timed.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ambit_canon::{Digest, Limits, Number, Object, Value, parse};
use ambit_receipt::{SigningKey, acta};
use ambit_store::{Ledger, NewEntry, OpenOptions, Phase, Position, RunId};

type Seal = Arc<dyn Fn(&Position) -> Result<Vec<u8>, String> + Send + Sync>;

fn main() -> Result<(), Box<dyn Error>> {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let time = if measured {
        Duration::from_secs(3)
    } else {
        Duration::ZERO
    };
    let mut out = stdout().lock();
    for (name, seal) in seals()? {
        for threads in [1, 64] {
            let root = tempfile::tempdir()?;
            let ledger = Ledger::open(&root.path().join("ledger"), &OpenOptions::default())?;
            let (count, took) = run(&ledger, &seal, threads, time)?;
            check(&ledger, count)?;
            if measured {
                let rate = count
                    .saturating_mul(1000)
                    .div_euclid(u64::try_from(took.as_millis())?.max(1));
                writeln!(
                    out,
                    "{name:<10} {threads:>3} submitters {rate:>7} appends/s"
                )?;
            }
        }
    }
    if measured {
        writeln!(
            out,
            "a file of 1 KiB written and synced: {} µs",
            raw_sync(&mut tempfile::tempfile()?)?
        )?;
    }
    Ok(())
}

/// What makes the bytes: nothing but a copy, or a signature over a decision of ours.
fn seals() -> Result<[(&'static str, Seal); 2], Box<dyn Error>> {
    let plain: Seal = Arc::new(|position| Ok(format!("{:0700}", position.seq).into_bytes()));
    let key = SigningKey::generate()?;
    let Value::Object(payload) = parse(PAYLOAD.as_bytes(), &Limits::default())? else {
        return Err("the payload is no object".into());
    };
    let signed: Seal = Arc::new(move |position| sign(&payload, position, &key));
    Ok([("plain", plain), ("signed", signed)])
}

fn sign(payload: &Object, position: &Position, key: &SigningKey) -> Result<Vec<u8>, String> {
    let mut payload = payload.clone();
    payload.insert("ledger_id", position.ledger_id.as_str());
    let seq = i64::try_from(position.seq)
        .ok()
        .and_then(|seq| Number::try_from(seq).ok());
    payload.insert("seq", Value::from(seq.ok_or("too many")?));
    if let Some(previous) = position.previous {
        payload.insert("previousReceiptHash", Digest::from(previous).prefixed());
    }
    acta::seal(Value::Object(payload), key).map_err(|error| error.to_string())
}

/// Appends from as many threads for as long; returns how many entries and how long it took.
fn run(
    ledger: &Ledger,
    seal: &Seal,
    threads: u32,
    time: Duration,
) -> Result<(u64, Duration), Box<dyn Error>> {
    let start = Instant::now();
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| append_for(ledger, seal, start, time)))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_panic| Err("a worker panicked".to_owned()))
            })
            .collect::<Result<Vec<u64>, String>>()
    })?;
    Ok((counts.iter().sum(), start.elapsed()))
}

fn append_for(ledger: &Ledger, seal: &Seal, start: Instant, time: Duration) -> Result<u64, String> {
    let run_id = RunId::try_from("run_bench").map_err(|error| error.to_string())?;
    let mut count: u64 = 0;
    while count == 0 || start.elapsed() < time {
        let entry = NewEntry {
            phase: Phase::Refusal,
            run_id: run_id.clone(),
            created_at_ms: 0,
            consumes: Vec::new(),
        };
        let seal = Arc::clone(seal);
        ledger
            .append(entry, move |position| seal(position))
            .map_err(|error| error.to_string())?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

fn check(ledger: &Ledger, count: u64) -> Result<(), Box<dyn Error>> {
    let report = ledger.check_chain(|_| std::ops::ControlFlow::Continue(()))?;
    let last = report.last.map_or(0, |last| last.seq);
    if last == count {
        Ok(())
    } else {
        Err(format!("{count} acknowledged, {last} in the chain").into())
    }
}

/// The median of what the disk takes for the same without a database, microseconds.
fn raw_sync(file: &mut std::fs::File) -> Result<u128, std::io::Error> {
    let mut samples = Vec::new();
    for _ in 0..500 {
        let start = Instant::now();
        file.write_all(&[7; 1024])?;
        file.sync_data()?;
        samples.push(start.elapsed().as_micros());
    }
    samples.sort_unstable();
    Ok(samples.get(250).copied().unwrap_or_default())
}

const PAYLOAD: &str = r#"{"type":"ambit:decision","issued_at":"2026-11-20T12:00:00.000Z",
"run_id":"run_01890a5d-ac96-774b-bcce-b302099a8057","contract_hash":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
"policy_hash":"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","mode":"hardened","decision":"deny",
"reason_codes":["COMMAND_NOT_ALLOWED"],"contract_id":"contract-0001","policy_name":"bench","classified_effects":[{"command_id":"cmd_1","effect_type":"observe"}]}"#;
