// SPDX-License-Identifier: Apache-2.0
//! Sets of our own receipts: numbers, runs, bindings, sources.
#![expect(clippy::unwrap_used, reason = "a broken vector fails the test")]

use std::fs;
use std::ops::ControlFlow;

use ambit_canon::{Digest, Object, Value, parse};
use ambit_receipt::set::source::{Shape, Source};
use ambit_receipt::set::{Completeness, SetOptions, SetVerdict, SetVerifier, verify_all};
use ambit_receipt::tlog::{
    Checkpoint, Frontier, NoteKey, OpenedCheckpoint, Prover, TlogProof, WitnessPolicy, cosign,
    leaf_hash, ledger_origin,
};
use ambit_receipt::{KeySet, LIMITS, SigningKey, acta};

const LEDGER: &str = "0123456789abcdef0123456789abcdef";
const HASH: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

/// Appends receipts to a ledger in memory.
struct Ledger {
    id: &'static str,
    entries: Vec<Vec<u8>>,
}

impl Ledger {
    fn new(id: &'static str) -> Self {
        let entries = Vec::new();
        Self { id, entries }
    }

    fn append(&mut self, mut payload: Object) -> Digest {
        let seq = i32::try_from(self.entries.len()).unwrap().saturating_add(1);
        payload.insert("ledger_id", self.id);
        payload.insert("seq", seq);
        if let Some(last) = self.entries.last() {
            payload.insert("previousReceiptHash", Digest::of(last).prefixed());
        }
        let bytes = acta::seal(Value::Object(payload), &key()).unwrap();
        let digest = Digest::of(&bytes);
        self.entries.push(bytes);
        digest
    }

    fn decide(&mut self, run: &str, decision: &str) -> Digest {
        self.append(object(&format!(
            r#"{{"type":"ambit:decision","issued_at":"2026-01-01T00:00:00.000Z","run_id":"{run}",
            "mode":"hardened","decision":"{decision}","reason_codes":["POLICY_PASS"],
            "contract_id":"c","contract_hash":"{HASH}","policy_name":"p","policy_hash":"{HASH}",
            "classified_effects":[]}}"#
        )))
    }

    fn execute(&mut self, run: &str, decision: Digest) -> Digest {
        let decision = decision.prefixed();
        self.append(object(&format!(
            r#"{{"type":"ambit:execution","issued_at":"2026-01-01T00:00:01.000Z","run_id":"{run}",
            "mode":"hardened","decision_hash":"{decision}","contract_hash":"{HASH}",
            "policy_hash":"{HASH}","status":"not_started","commands":[],
            "enforcement":{{"tier":"none","mechanisms":{{}}}}}}"#
        )))
    }
}

fn object(text: &str) -> Object {
    let value = parse(text.as_bytes(), &LIMITS).unwrap();
    value.as_object().unwrap().clone()
}

/// Three runs: one carried out, one denied, one carried out.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new(LEDGER);
    let first = ledger.decide("run_1", "allow");
    ledger.execute("run_1", first);
    ledger.decide("run_2", "deny");
    let third = ledger.decide("run_3", "allow");
    ledger.execute("run_3", third);
    ledger
}

fn verdict(bytes: Vec<u8>, options: SetOptions) -> SetVerdict {
    of(Source::of_bytes("set", bytes), options).1
}

fn of(source: Source, options: SetOptions) -> (Vec<String>, SetVerdict) {
    let mut keys = KeySet::new();
    keys.insert_by_thumbprint(key().verifying_key());
    let (items, sequence, scope) = Source::join(vec![source]);
    let options = SetOptions {
        sequence,
        scope,
        ..options
    };
    let mut results = Vec::new();
    let verdict = verify_all(items, &keys, SetVerifier::new(options), |result| {
        let code = result
            .outcome
            .map_or_else(|it| it.code, |it| it.code.as_str());
        results.push(format!("{} {code}", result.place));
        ControlFlow::Continue(())
    });
    (results, verdict.unwrap())
}

fn lines(entries: &[Vec<u8>]) -> Vec<u8> {
    entries
        .iter()
        .flat_map(|it| [it.as_slice(), b"\n"].concat())
        .collect()
}

/// The set's code, and where each finding shows.
fn judge(entries: &[Vec<u8>]) -> String {
    let verdict = verdict(lines(entries), SetOptions::default());
    let mut words = vec![verdict.code.as_str().to_owned()];
    words.extend(verdict.findings.iter().map(|it| {
        let number = it
            .place
            .as_ref()
            .and_then(|place| place.number)
            .unwrap_or(0);
        format!("{}@{number}", it.code.as_str())
    }));
    words.join(" ")
}

#[test]
fn a_whole_ledger_holds_and_says_that_its_tail_is_not_vouched_for() {
    let verdict = verdict(lines(&ledger().entries), SetOptions::default());
    assert_eq!(verdict.code.as_str(), "OK");
    assert_eq!(verdict.completeness, Completeness::IntegrityOnly);
    let chain = verdict.chains.first().unwrap();
    assert_eq!(verdict.chains.len(), 1);
    assert_eq!(chain.id, format!("ledger:{LEDGER}"));
    assert_eq!(
        (chain.first_seq, chain.last_seq, chain.open_runs),
        (Some(1), Some(5), 0)
    );
    assert_eq!(chain.issuers, [key().verifying_key().thumbprint()]);
}

#[test]
fn every_manipulation_of_a_ledger_is_named_where_it_shows() {
    let whole = ledger().entries;
    let take = |order: &[usize]| -> Vec<Vec<u8>> {
        order.iter().map(|at| whole[at - 1].clone()).collect()
    };
    for (order, want) in [
        (vec![1, 2, 3, 4, 5], "OK"),
        (vec![1, 2, 3], "OK"),
        (vec![2, 3, 4, 5], "CHAIN_GAP CHAIN_GAP@1"),
        (vec![1, 2, 4, 5], "CHAIN_GAP CHAIN_GAP@3"),
        (vec![1, 3, 2, 4, 5], "CHAIN_ORDER CHAIN_ORDER@2"),
        (
            vec![5, 4, 3, 2, 1],
            "CHAIN_ORDER CHAIN_ORDER@4 CHAIN_ORDER@3 CHAIN_ORDER@2 CHAIN_ORDER@1",
        ),
        (vec![1, 2, 3, 3, 4, 5], "CHAIN_DUPLICATE CHAIN_DUPLICATE@4"),
    ] {
        assert_eq!(judge(&take(&order)), want, "{order:?}");
    }
}

#[test]
fn two_histories_are_a_fork_and_a_forged_link_is_broken() {
    let mut one = ledger();
    let mut other = ledger();
    one.decide("run_4", "deny");
    other.decide("run_5", "deny");
    let both = [one.entries.as_slice(), &other.entries[5..]].concat();
    assert_eq!(judge(&both), "CHAIN_FORK CHAIN_FORK@7");
    other.entries[4] = b"another one".to_vec();
    other.decide("run_6", "deny");
    let forged = [&one.entries[..6], &other.entries[6..]].concat();
    assert_eq!(judge(&forged), "CHAIN_BROKEN CHAIN_BROKEN@7");
}

#[test]
fn ledgers_in_one_source_are_chains_of_their_own() {
    let one = ledger();
    let mut other = Ledger::new("ffffffffffffffffffffffffffffffff");
    other.decide("run_1", "deny");
    let both = [one.entries, other.entries].concat();
    let verdict = verdict(lines(&both), SetOptions::default());
    let lengths: Vec<u64> = verdict.chains.iter().map(|chain| chain.receipts).collect();
    assert_eq!((verdict.code.as_str(), lengths), ("OK", vec![5, 1]));
}

#[test]
fn an_execution_needs_a_decision_of_its_own_that_allowed_it() {
    let missing = Digest::of(b"no decision");
    for (name, want, build) in [
        (
            "denied",
            "DECISION_MISMATCH DECISION_MISMATCH@2",
            (|ledger| {
                let denied = ledger.decide("run_1", "deny");
                ledger.execute("run_1", denied);
            }) as fn(&mut Ledger),
        ),
        (
            "another run's",
            "DECISION_MISMATCH DECISION_MISMATCH@2",
            |ledger| {
                let other = ledger.decide("run_1", "allow");
                ledger.execute("run_2", other);
            },
        ),
        ("twice", "DECISION_MISMATCH DECISION_MISMATCH@3", |ledger| {
            let once = ledger.decide("run_1", "allow");
            ledger.execute("run_1", once);
            ledger.execute("run_1", once);
        }),
        (
            "an execution's",
            "DECISION_MISMATCH DECISION_MISMATCH@3",
            |ledger| {
                let once = ledger.decide("run_1", "allow");
                let execution = ledger.execute("run_1", once);
                ledger.execute("run_1", execution);
            },
        ),
    ] {
        let mut ledger = Ledger::new(LEDGER);
        build(&mut ledger);
        assert_eq!(judge(&ledger.entries), want, "{name}");
    }
    let mut ledger = Ledger::new(LEDGER);
    ledger.decide("run_1", "allow");
    let open = verdict(lines(&ledger.entries), SetOptions::default());
    assert_eq!((open.code.as_str(), open.chains[0].open_runs), ("OK", 1));
    ledger.execute("run_1", missing);
    assert_eq!(
        judge(&ledger.entries),
        "DECISION_MISMATCH DECISION_MISMATCH@2"
    );
}

#[test]
fn receipts_are_bound_to_the_policy_and_the_contract_that_are_given() {
    let digest: Digest = HASH.parse().unwrap();
    let other = Digest::of(b"other");
    for (policies, contracts, want) in [
        (vec![digest], vec![digest], "OK"),
        (vec![other, digest], vec![], "OK"),
        (vec![other], vec![], "POLICY_MISMATCH"),
        (vec![], vec![other], "CONTRACT_MISMATCH"),
    ] {
        let options = SetOptions {
            policies,
            contracts,
            ..SetOptions::default()
        };
        assert_eq!(
            verdict(lines(&ledger().entries), options).code.as_str(),
            want
        );
    }
}

/// A checkpoint of the first `size` entries.
fn checkpoint(ledger: &Ledger, size: usize) -> OpenedCheckpoint {
    let mut frontier = Frontier::new();
    for entry in ledger.entries.iter().take(size) {
        frontier
            .append(leaf_hash(Digest::of(entry).as_bytes()))
            .unwrap();
    }
    let origin = ledger_origin(ledger.id);
    let checkpoint = Checkpoint::new(&origin, frontier.size(), frontier.root()).unwrap();
    let note = checkpoint.sign(&key()).unwrap();
    Checkpoint::open_by(note.as_bytes(), &[key().verifying_key()]).unwrap()
}

fn held(entries: &[Vec<u8>], note: &str, policy: &WitnessPolicy, own: Option<&str>) -> SetVerdict {
    let mut keys = KeySet::new();
    keys.insert_by_thumbprint(key().verifying_key());
    let source = if entries.is_empty() {
        Source::new("set", std::iter::empty(), Shape::Ordered)
    } else {
        Source::of_bytes("set", lines(entries))
    };
    let (items, sequence, scope) = Source::join(vec![source]);
    let options = SetOptions {
        sequence,
        scope,
        ..SetOptions::default()
    };
    let mut set = SetVerifier::new(options);
    let own: Vec<Vec<u8>> = own.iter().map(|it| it.as_bytes().to_vec()).collect();
    set.hold_against(note.as_bytes(), &keys, policy, &own);
    set.hold_against_own(&own, &keys);
    verify_all(items, &keys, set, |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn a_checkpoint_shows_a_missing_tail_a_rollback_and_a_fork() {
    let whole = ledger();
    let note = checkpoint(&whole, 4).note.to_string();
    let alone = WitnessPolicy::default();
    let judge = |entries: &[Vec<u8>], own: Option<&str>| held(entries, &note, &alone, own);
    for (entries, beyond) in [(&whole.entries[..4], 0), (&whole.entries[..], 1)] {
        let verdict = judge(entries, None);
        let completeness = Completeness::CompleteToCheckpoint {
            origin: ledger_origin(LEDGER),
            size: 4,
            beyond,
            witnesses: Vec::new(),
        };
        assert_eq!(
            (verdict.code.as_str(), verdict.completeness),
            ("OK", completeness)
        );
    }
    let older = checkpoint(&whole, 2).note.to_string();
    let mut other = Ledger::new(LEDGER);
    for run in ["run_1", "run_2", "run_3", "run_4"] {
        other.decide(run, "deny");
    }
    let mut foreign = Ledger::new("ffffffffffffffffffffffffffffffff");
    foreign.decide("run_1", "deny");
    for (name, entries, own, want) in [
        ("truncated", &whole.entries[..3], None, "CHAIN_TRUNCATED"),
        (
            "rolled back",
            &whole.entries[..3],
            Some(older.as_str()),
            "LOG_ROLLED_BACK",
        ),
        ("another history", &other.entries[..], None, "LOG_FORKED"),
        ("no beginning", &whole.entries[1..], None, "CHAIN_GAP"),
        (
            "another ledger",
            &foreign.entries[..],
            None,
            "CHECKPOINT_UNUSED",
        ),
        ("nothing", &[][..], None, "CHAIN_TRUNCATED"),
    ] {
        let verdict = judge(entries, own);
        assert_eq!(verdict.code.as_str(), want, "{name}");
        assert_eq!(verdict.completeness, Completeness::NotComplete, "{name}");
        assert_eq!(verdict.code.exit_code(), 6, "{name}");
    }
    let forged = Checkpoint::open_by(note.as_bytes(), &[key().verifying_key()]).unwrap();
    let other = SigningKey::from_seed(&[9; 32]);
    let forged = forged.checkpoint.sign(&other).unwrap();
    let verdict = held(&whole.entries, &forged, &alone, None);
    assert_eq!(verdict.code.as_str(), "CHECKPOINT_INVALID");
}

#[test]
fn a_checkpoint_of_one_ledger_says_nothing_of_another() {
    let (mut both, note) = (ledger().entries, checkpoint(&ledger(), 5).note.to_string());
    let mut other = Ledger::new("ffffffffffffffffffffffffffffffff");
    other.decide("run_1", "deny");
    both.extend(other.entries);
    let verdict = held(&both, &note, &WitnessPolicy::default(), None);
    assert_eq!(verdict.code.as_str(), "OK");
    assert_eq!(verdict.completeness, Completeness::IntegrityOnly);
}

#[test]
fn what_lies_beside_the_receipts_counts_beside_what_was_given() {
    let whole = ledger();
    let note = |size| checkpoint(&whole, size).note.to_string();
    let (older, own) = (note(2), note(5));
    let policy = WitnessPolicy::default();
    let judge = |size: usize, own: &str| held(&whole.entries[..size], &older, &policy, Some(own));
    let good = judge(5, &own);
    assert!(matches!(
        good.completeness,
        Completeness::CompleteToCheckpoint { .. }
    ));
    let cut = judge(4, &own);
    assert_eq!(cut.code.as_str(), "CHAIN_TRUNCATED");
    assert_eq!(cut.completeness, Completeness::NotComplete);
    assert_eq!(judge(4, "no checkpoint").code.as_str(), "OK");
}

#[test]
fn witnesses_are_counted_and_their_times_bound_the_receipts() {
    let whole = ledger();
    let witness = SigningKey::from_seed(&[8; 32]);
    let trusted = |quorum| WitnessPolicy {
        witnesses: vec![NoteKey::witness("w.example", witness.verifying_key()).unwrap()],
        quorum,
    };
    // The decisions are of 2026-01-01T00:00:00, the executions one second later.
    for (time, size, want) in [
        (1_767_225_601, 5, "OK"),
        (1_767_225_601, 2, "OK"),
        (1_767_225_601 + 301, 2, "ISSUED_BEFORE_COMMITMENT"),
        (1_767_225_601 - 302, 5, "ISSUED_AFTER_COMMITMENT"),
    ] {
        let mut opened = checkpoint(&whole, size);
        cosign(&mut opened, "w.example", &witness, time).unwrap();
        let verdict = held(&whole.entries, &opened.note.to_string(), &trusted(1), None);
        assert_eq!(verdict.code.as_str(), want, "{time}");
        if let Completeness::CompleteToCheckpoint { witnesses, .. } = verdict.completeness {
            assert_eq!(witnesses, ["w.example"]);
        }
    }
    let unseen = checkpoint(&whole, 5).note.to_string();
    let verdict = held(&whole.entries, &unseen, &trusted(1), None);
    assert_eq!(verdict.code.as_str(), "WITNESSES_MISSING");
}

#[test]
fn a_proof_shows_that_one_receipt_is_in_the_log() {
    let whole = ledger();
    let opened = checkpoint(&whole, 5);
    let mut prover = Prover::inclusion(2, 5).unwrap();
    for entry in &whole.entries {
        prover
            .push(leaf_hash(Digest::of(entry).as_bytes()))
            .unwrap();
    }
    let proof = TlogProof {
        extra: None,
        index: 2,
        hashes: prover.finish().unwrap(),
        checkpoint: opened.note.to_string(),
    };
    let alone = WitnessPolicy::default();
    let judge = |at: usize| held(&whole.entries[at..=at], &proof.to_string(), &alone, None);
    let verdict = judge(2);
    let included = Completeness::Included {
        origin: ledger_origin(LEDGER),
        seq: 3,
        size: 5,
        witnesses: Vec::new(),
    };
    assert_eq!(
        (verdict.code.as_str(), verdict.completeness),
        ("OK", included)
    );
    assert_eq!(judge(1).code.as_str(), "PROOF_INVALID");
    let moved = TlogProof { index: 1, ..proof };
    let verdict = held(&whole.entries[1..2], &moved.to_string(), &alone, None);
    assert_eq!(verdict.code.as_str(), "PROOF_INVALID");
}

#[test]
fn receipts_are_found_in_lines_exports_arrays_bundles_and_folders() {
    let entries = ledger().entries;
    let texts: Vec<&str> = entries
        .iter()
        .map(|it| str::from_utf8(it).unwrap())
        .collect();
    let export = |text: &&str| {
        let row: Object = [("receipt", *text)].into_iter().collect();
        ambit_canon::write(&Value::Object(row))
    };
    let exported: Vec<String> = texts.iter().map(export).collect();
    let array = format!("[{}]", texts.join(" ,\n"));
    let strings: Vec<String> = texts
        .iter()
        .map(|text| ambit_canon::write(&Value::from(*text)))
        .collect();
    for document in [
        texts.join("\n"),
        format!("\n{}\r\n\n", texts.join("\r\n\n")),
        format!(
            "{{\"format\":\"ambit.ledger.v1\"}}\n{}",
            exported.join("\n")
        ),
        array.clone(),
        format!("[{}]", strings.join(",")),
        format!(
            r#"{{"format":"scopeblind:audit-bundle","a":["x",{{"receipts":[]}}],"receipts":{array},"z":1}}"#
        ),
    ] {
        let verdict = verdict(document.into_bytes(), SetOptions::default());
        assert_eq!((verdict.code.as_str(), verdict.counts.valid), ("OK", 5));
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in ["1.json", "10.json", "2.json"].iter().zip([0, 2, 1]) {
        fs::write(folder.path().join(name), texts[text]).unwrap();
    }
    fs::write(folder.path().join("ledger.json"), "{}").unwrap();
    fs::write(folder.path().join("other.txt"), "").unwrap();
    let (results, set) = of(Source::of_path(folder.path()), SetOptions::default());
    let names: Vec<&str> = results
        .iter()
        .map(|it| it.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["1.json OK", "2.json OK", "10.json OK"]);
    assert_eq!(set.code.as_str(), "OK");
}

#[test]
fn receipts_inside_do_not_vouch_for_the_claims_of_a_document_around_them() {
    let entries = ledger().entries;
    let inner = str::from_utf8(&entries[0]).unwrap();
    let text = ambit_canon::write(&Value::from(inner));
    for (mark, want) in [
        (r#""z":1"#, "OK"),
        // an envelope has no other members
        (r#""payload":{"decision":"allow"}"#, "UNKNOWN_FORMAT"),
        (r#""signature":null"#, "UNKNOWN_FORMAT"),
        (
            r#""receipt_version":"csc.receipt.v0.1""#,
            "MISSING_SIGNATURE",
        ),
    ] {
        let bundle = format!(r#"{{"receipts":[{inner}],{mark}}}"#);
        let lines = format!("{{\"receipt\":{text},{mark}}}\n{inner}\n");
        for document in [bundle, lines] {
            let source = Source::of_bytes("x", document.clone().into_bytes());
            let (results, _) = of(source, SetOptions::default());
            let code = results[0].rsplit([':', ' ']).next().unwrap();
            assert_eq!(code, want, "{document}");
        }
    }
}

#[test]
fn what_cannot_be_read_or_is_no_receipt_is_told_and_never_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipts.jsonl");
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(3 << 20));
    let receipt = ledger().entries.remove(0);
    let receipt = str::from_utf8(&receipt).unwrap();
    fs::write(&path, format!("{receipt}\n{long}\n{{\n7\n")).unwrap();
    let (results, set) = of(Source::of_path(&path), SetOptions::default());
    let codes: Vec<&str> = results
        .iter()
        .map(|it| it.rsplit(':').next().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "1 OK",
            "2 MALFORMED_JSON",
            "3 MALFORMED_JSON",
            "4 UNKNOWN_FORMAT"
        ]
    );
    assert_eq!(set.code.as_str(), "RECEIPT_UNDECIDABLE");
    let (results, set) = of(
        Source::of_path(&folder.path().join("none")),
        SetOptions::default(),
    );
    assert_eq!((results.len(), set.code.exit_code()), (1, 7));
    let (results, set) = of(
        Source::of_path(std::path::Path::new("/dev/zero")),
        SetOptions::default(),
    );
    assert_eq!((results.len(), set.code.exit_code()), (1, 7));
}

#[test]
fn a_line_over_the_limit_is_never_taken_for_what_it_begins_with() {
    let receipt = ledger().entries.remove(0);
    let receipt = str::from_utf8(&receipt).unwrap();
    let blank = " ".repeat(3 << 20);
    for (line, want) in [
        (format!("{receipt}{blank}{receipt}"), "MALFORMED_JSON"),
        (format!("{receipt}{blank}"), "MALFORMED_JSON"),
        (format!("{blank}{receipt}"), "MALFORMED_JSON"),
        (format!("{receipt}{}", " ".repeat(1 << 20)), "OK"),
    ] {
        let text = format!("{receipt}\n{line}\n{receipt}\n");
        let (results, _) = of(
            Source::of_bytes("set", text.into_bytes()),
            SetOptions::default(),
        );
        let want = format!("set:2 {want}");
        assert_eq!(results, ["set:1 OK", want.as_str(), "set:3 OK"]);
    }
}

#[test]
fn every_element_of_an_array_or_bundle_is_told_and_nothing_else_is_taken() {
    let entries = ledger().entries;
    let a = str::from_utf8(&entries[0]).unwrap();
    let b = str::from_utf8(&entries[1]).unwrap();
    let cut = a.strip_suffix('}').unwrap();
    for (text, want) in [
        (format!("[{a},{b}]"), "1 OK, 2 OK"),
        (format!("[{a},]"), "1 OK, 2 MALFORMED_JSON"),
        (format!("[{a},,{b}]"), "1 OK, 2 MALFORMED_JSON, 3 OK"),
        (format!("[,{a}]"), "1 MALFORMED_JSON, 2 OK"),
        (format!("[{a} {b}]"), "1 MALFORMED_JSON"),
        (format!("[{a}}},{b}]"), "1 MALFORMED_JSON, 2 OK"),
        (format!("[{a},[{b}]]"), "1 OK, 2 UNKNOWN_FORMAT"),
        (format!("[{a},\u{c}{b}]"), "1 OK, 2 MALFORMED_JSON"),
        // What is not whole, or has two lists, is no bundle.
        (format!("[{a},{b}"), "MALFORMED_JSON"),
        (format!("[{a},{cut},{b}]"), "MALFORMED_JSON"),
        (format!("[{a}]{b}"), "MALFORMED_JSON"),
        (
            format!(r#"{{"receipts":[{a}],"receipts":[{b}]}}"#),
            "MALFORMED_JSON",
        ),
        (
            format!(r#"{{"receipts":[{a}],"\u0072eceipts":[{b}]}}"#),
            "MALFORMED_JSON",
        ),
        (
            format!(r#"{{"receipts":[{a}],"signature":"x"}}"#),
            "UNKNOWN_FORMAT",
        ),
        (format!(r#"{{"receipts":{a}}}"#), "UNKNOWN_FORMAT"),
        (format!(r#"{{"a":{{"receipts":[{a}]}}}}"#), "UNKNOWN_FORMAT"),
        ("[]".to_owned(), ""),
        (r#"{"receipts":[ ]}"#.to_owned(), ""),
    ] {
        let source = Source::of_bytes("", text.clone().into_bytes());
        let (results, _) = of(source, SetOptions::default());
        let words = results.join(", ").replace(':', "");
        assert_eq!(words.trim_start(), want, "{text}");
    }
}

#[test]
fn one_receipt_alone_is_not_held_to_be_a_set() {
    let entries = ledger().entries;
    for entry in &entries {
        let verdict = verdict(entry.clone(), SetOptions::default());
        assert_eq!(verdict.code.as_str(), "OK");
    }
}

#[test]
fn who_breaks_off_gets_no_verdict_and_nothing_hangs() {
    let entries = ledger().entries;
    let many: Vec<u8> = lines(&entries).repeat(2000);
    let mut keys = KeySet::new();
    keys.insert_by_thumbprint(key().verifying_key());
    let (items, ..) = Source::join(vec![Source::of_bytes("set", many)]);
    let mut seen = 0;
    let verifier = SetVerifier::new(SetOptions::default());
    let verdict = verify_all(items, &keys, verifier, |_| {
        seen += 1;
        if seen == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((verdict, seen), (None, 3));
}
