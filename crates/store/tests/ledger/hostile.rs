// SPDX-License-Identifier: Apache-2.0
//! Files that somebody made so that reading them does harm.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use ambit_store::{Filter, Ledger, OpenOptions, Order, Phase};

use crate::common::{append, open};

/// Gives the entry `seq`, a refusal of a run with a short name, another number.
fn renumber(folder: &Path, seq: u8, to: u8) {
    let database = folder.join("ledger.db");
    let mut bytes = fs::read(&database).unwrap();
    // number, size of the header, and the types of the first columns
    // (https://www.sqlite.org/fileformat2.html, section 2.1)
    let cell = [seq, 9, 0, 0x1b, 0x0f, 5, 0x4c, 0x4c];
    let mut places = (0..bytes.len()).filter(|place| bytes[*place..].starts_with(&cell));
    let place = places.next().unwrap();
    assert_eq!(places.next(), None);
    drop(places);
    bytes[place] = to;
    fs::write(&database, bytes).unwrap();
}

#[test]
fn numbers_that_do_not_rise_end_a_reading() {
    // where the last entry has the number 0, going on behind it would begin again at the first
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    let ledger = open(&folder);
    for run in ["a", "b", "c"] {
        append(&ledger, Phase::Refusal, run).unwrap();
    }
    drop(ledger);
    renumber(&folder, 3, 0);
    let ledger = Ledger::open_read_only(&folder, &OpenOptions::default()).unwrap();

    let found = |order| {
        let mut found = Vec::new();
        let end = ledger.query(&Filter::default(), order, |entry| {
            found.push(entry.seq);
            if found.len() < 10 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        (found, end.map_err(|error| error.code()))
    };
    let rising = (vec![1, 2], Ok(ControlFlow::Continue(())));
    assert_eq!(found(Order::OldestFirst), rising);
    let falling = (Vec::new(), Err("ERR_LEDGER_CORRUPT"));
    assert_eq!(found(Order::NewestFirst), falling);
    let seqs = |from| -> Vec<u64> {
        let entries = ledger.entries(from, 10).unwrap();
        entries.iter().map(|entry| entry.seq).collect()
    };
    assert_eq!((seqs(1), seqs(3)), (vec![1, 2], Vec::new()));
}
