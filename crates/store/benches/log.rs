// SPDX-License-Identifier: Apache-2.0
//! What checkpoints and proofs cost: `cargo bench -p ambit-store --bench log -- [ENTRIES]`.
//!
//! The ledger has 100,000 entries of 1,000 bytes unless the argument says otherwise, and 10 when
//! `cargo test` starts this.

use std::convert::Infallible;
use std::error::Error;
use std::io::{Write as _, stdout};
use std::time::Instant;

use ambit_receipt::SigningKey;
use ambit_store::{Ledger, NewEntry, OpenOptions, Phase, Position, RunId};

fn main() -> Result<(), Box<dyn Error>> {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let named = std::env::args().find_map(|argument| argument.parse().ok());
    let entries: u64 = named.unwrap_or(if measured { 100_000 } else { 10 });
    let root = tempfile::tempdir()?;
    let ledger = Ledger::open(&root.path().join("ledger"), &OpenOptions::default())?;
    let key = SigningKey::from_seed(&[7; 32]);
    let mut out = stdout().lock();
    let mut timed = |what: &str, start: Instant| -> Result<(), Box<dyn Error>> {
        if measured {
            writeln!(out, "{what:<44} {:>9} µs", start.elapsed().as_micros())?;
        }
        Ok(())
    };
    append(&ledger, entries)?;
    let start = Instant::now();
    let first = ledger.checkpoint(&key, 0)?;
    timed("the first checkpoint, of all entries", start)?;
    append(&ledger, 256)?;
    let start = Instant::now();
    let second = ledger.checkpoint(&key, 0)?;
    timed("a checkpoint after 256 more", start)?;
    let start = Instant::now();
    ledger.inclusion_proof(entries.div_euclid(2).max(1), second.size)?;
    timed("an inclusion proof", start)?;
    let start = Instant::now();
    ledger.consistency_proof(first.size, second.size)?;
    timed("a consistency proof between the two", start)?;
    Ok(())
}

fn append(ledger: &Ledger, entries: u64) -> Result<(), Box<dyn Error>> {
    let mut left = entries;
    while left > 0 {
        let batch = left.min(4096);
        left = left.saturating_sub(batch);
        let run_id = RunId::try_from("run")?;
        let entry = NewEntry {
            phase: Phase::Refusal,
            run_id,
            created_at_ms: 0,
            consumes: Vec::new(),
        };
        let seal = |position: &Position| {
            Ok::<_, Infallible>(format!("{:01000}", position.seq).into_bytes())
        };
        let jobs = (0..batch).map(|_| (entry.clone(), seal));
        for appended in ledger.append_all(jobs) {
            appended?;
        }
    }
    Ok(())
}
