// SPDX-License-Identifier: Apache-2.0
//! How long a receipt's canonical text takes: `cargo bench -p ambit-canon`.
//!
//! Each line is one document: its bytes, and the median time of one call by `canonicalize` and by
//! `parse` and `write`, nanoseconds. Without `--bench`, as `cargo test` starts it, each document is
//! read once and nothing is timed.

use std::error::Error;
use std::hint::black_box;
use std::io::{Write as _, stdout};
use std::time::Instant;

use ambit_canon::{CanonError, Limits, Value, canonicalize, parse, write};

fn main() -> Result<(), Box<dyn Error>> {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let text = |document: &str| canonicalize(document.as_bytes(), &LIMITS);
    let tree = |document: &str| parse(document.as_bytes(), &LIMITS).map(|value| write(&value));
    let mut out = stdout().lock();
    for (name, document) in documents()? {
        if text(&document)? != tree(&document)? {
            return Err(format!("{name}: two canonical texts").into());
        }
        if measured {
            let bytes = document.len();
            let [text, tree] = medians([&|| text(&document), &|| tree(&document)]);
            writeln!(out, "{name:<24} {bytes:>5} bytes {text:>6} ns {tree:>6} ns")?;
        }
    }
    Ok(())
}

fn documents() -> Result<[(&'static str, String); 5], Box<dyn Error>> {
    let csc = parse(CSC.as_bytes(), &LIMITS)?;
    let examples = parse(ACTA.as_bytes(), &LIMITS)?;
    let acta = examples.get("receipts").and_then(Value::as_array);
    let acta = acta.and_then(|all| all.first()?.get("receipt"));
    let acta = acta.ok_or("no receipt among the examples")?;
    Ok([
        ("csc receipt, as written", CSC.to_owned()),
        ("csc receipt, canonical", write(&csc)),
        ("csc receipt, reversed", reversed(&csc)),
        ("acta receipt, canonical", write(acta)),
        ("acta receipt, reversed", reversed(acta)),
    ])
}

/// Returns the median time of one call each, in nanoseconds. They take turns, so that what slows
/// the machine slows both.
fn medians(calls: [Call<'_>; 2]) -> [u128; 2] {
    let mut samples = [const { Vec::new() }; 2];
    for _ in 0..SAMPLES {
        for (call, samples) in calls.iter().zip(&mut samples) {
            let start = Instant::now();
            for _ in 0..CALLS {
                drop(black_box(call()));
            }
            samples.push(start.elapsed().as_nanos().div_euclid(CALLS));
        }
    }
    samples.map(|mut samples| {
        samples.sort_unstable();
        let middle = samples.len().div_euclid(2);
        samples.get(middle).copied().unwrap_or_default()
    })
}

fn reversed(value: &Value) -> String {
    let mut out = String::new();
    write_reversed(value, &mut out);
    out
}

/// Writes objects back to front: of every object of two members and more, none is in order.
fn write_reversed(value: &Value, out: &mut String) {
    let Some(object) = value.as_object() else {
        out.push_str(&write(value));
        return;
    };
    let members: Vec<(&str, &Value)> = object.iter().collect();
    out.push('{');
    for (index, (name, value)) in members.into_iter().rev().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&write(&Value::from(name)));
        out.push(':');
        write_reversed(value, out);
    }
    out.push('}');
}

type Call<'a> = &'a dyn Fn() -> Result<String, CanonError>;

const SAMPLES: usize = 200;
const CALLS: u128 = 500;

const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_depth: 64,
};

/// A receipt as csc-runner wrote it: indented.
const CSC: &str = include_str!("../../../__test__/vectors/receipts/csc/runs/approval-wrong.json");

/// Receipts in the envelope of draft -04.
const ACTA: &str = include_str!("../../../__test__/vectors/receipts/acta/worked-example-04.json");
