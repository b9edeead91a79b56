// SPDX-License-Identifier: Apache-2.0
//! A witness signs what only grew, and remembers it before it signs.
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use ambit_receipt::SigningKey;
use ambit_receipt::tlog::{
    Checkpoint, Frontier, Hash, NoteKey, Prover, Witness, WitnessPolicy, WitnessRequest,
    WitnessState, leaf_hash,
};

use crate::naive;

const TIME: u64 = 1_679_315_147;

fn log_key() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn witness_key() -> SigningKey {
    SigningKey::from_seed(&[2; 32])
}

/// The checkpoint and the leaves of a log of `size` entries; those from `fork` on are others.
fn log(size: u64, fork: u64) -> (String, Vec<Hash>) {
    let leaf = |(place, digest): (u64, [u8; 32])| {
        let digest = if place < fork { digest } else { [0xff; 32] };
        leaf_hash(&digest)
    };
    let leaves: Vec<Hash> = (0..).zip(naive::digests(size)).map(leaf).collect();
    let mut frontier = Frontier::new();
    for leaf in &leaves {
        frontier.append(*leaf).unwrap();
    }
    let checkpoint = Checkpoint::new("log", size, frontier.root()).unwrap();
    (checkpoint.sign(&log_key()).unwrap(), leaves)
}

fn request(old: u64, size: u64, fork: u64) -> WitnessRequest {
    let (checkpoint, leaves) = log(size, fork);
    let mut proof = Vec::new();
    if old > 0 && old <= size {
        let mut prover = Prover::consistency(old, size).unwrap();
        for leaf in leaves {
            prover.push(leaf).unwrap();
        }
        proof = prover.finish().unwrap();
    }
    WitnessRequest {
        old,
        proof,
        checkpoint,
    }
}

fn ask(state: &Path, request: &WitnessRequest) -> Result<String, &'static str> {
    let key = witness_key();
    let witness = Witness {
        name: "w1",
        key: &key,
        state,
    };
    // It crosses as text.
    let request = WitnessRequest::parse(request.to_string().as_bytes()).unwrap();
    witness
        .cosign(&request, &[log_key().verifying_key()], TIME)
        .map_err(|error| error.code())
}

fn seen(state: &Path) -> Option<u64> {
    let state = WitnessState::parse(&fs::read(state).ok()?).unwrap();
    state.seen("log").map(Checkpoint::size)
}

#[test]
fn a_witness_signs_what_only_grew() {
    let root = tempfile::tempdir().unwrap();
    let state = root.path().join("state.json");
    let policy = WitnessPolicy {
        witnesses: vec![NoteKey::witness("w1", witness_key().verifying_key()).unwrap()],
        quorum: 1,
    };
    let honest = u64::MAX;
    for (old, size) in [(0, 3), (3, 8), (0, 8), (8, 21)] {
        let note = ask(&state, &request(old, size, honest)).unwrap();
        let opened = Checkpoint::open_by(note.as_bytes(), &[log_key().verifying_key()]).unwrap();
        assert_eq!(policy.check(&opened).unwrap()[0].time, TIME);
        assert_eq!((opened.checkpoint.size(), seen(&state)), (size, Some(size)));
    }
    assert_eq!(fs::metadata(&state).unwrap().mode() & 0o777, 0o600);
    let names = fs::read_dir(root.path()).unwrap().count();
    assert_eq!(names, 2, "the state and its lock");
}

#[test]
fn a_witness_signs_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let state = root.path().join("state.json");
    let honest = u64::MAX;
    ask(&state, &request(0, 8, honest)).unwrap();
    let before = fs::read(&state).unwrap();
    let shorter = WitnessRequest {
        proof: Vec::new(),
        ..request(8, 21, honest)
    };
    let other_proof = WitnessRequest {
        proof: request(8, 20, honest).proof,
        ..request(8, 21, honest)
    };
    for (request, want) in [
        (request(0, 7, honest), "ERR_LEDGER_ROLLED_BACK"),
        (request(0, 8, 5), "ERR_LEDGER_FORKED"),
        (request(8, 21, 5), "ERR_LEDGER_FORKED"),
        (other_proof, "ERR_LEDGER_FORKED"),
        (request(0, 21, honest), "ERR_LEDGER_PROOF"),
        (request(7, 21, honest), "ERR_LEDGER_PROOF"),
        (shorter, "ERR_LEDGER_PROOF"),
    ] {
        assert_eq!(ask(&state, &request), Err(want));
        assert_eq!(fs::read(&state).unwrap(), before);
    }
    // The control: the same request as the honest log makes it.
    ask(&state, &request(8, 21, honest)).unwrap();
}

#[test]
fn a_witness_needs_a_trusted_log_a_key_of_its_own_and_its_state() {
    let root = tempfile::tempdir().unwrap();
    let state = root.path().join("state.json");
    let (log, own) = (log_key(), witness_key());
    let request = request(0, 3, u64::MAX);
    let cosign = |key: &SigningKey, logs: &[&SigningKey]| {
        let logs: Vec<_> = logs.iter().map(|log| log.verifying_key()).collect();
        let witness = Witness {
            name: "w1",
            key,
            state: &state,
        };
        let result = witness.cosign(&request, &logs, TIME);
        result.map(drop).map_err(|error| error.code())
    };
    assert_eq!(cosign(&own, &[]), Err("ERR_LEDGER_NOTE_SIGNATURE"));
    assert_eq!(cosign(&own, &[&own]), Err("ERR_LEDGER_NOTE_SIGNATURE"));
    assert_eq!(cosign(&log, &[&log]), Err("ERR_LEDGER_WITNESS_KEY"));
    assert!(!state.exists());
    for damaged in [
        "",
        "{}",
        "[]",
        r#"{"checkpoints":[""],"format":"ambit.witness.v1"}"#,
    ] {
        fs::write(&state, damaged).unwrap();
        assert_eq!(cosign(&own, &[&log]), Err("ERR_LEDGER_WITNESS_STATE"));
        assert_eq!(fs::read_to_string(&state).unwrap(), damaged);
    }
    fs::remove_file(&state).unwrap();
    symlink(root.path().join("elsewhere"), &state).unwrap();
    assert_eq!(cosign(&own, &[&log]), Err("ERR_LEDGER_WITNESS_STATE"));
    fs::remove_file(&state).unwrap();
    assert_eq!(cosign(&own, &[&log]), Ok(()));
}

#[test]
fn states_and_requests_are_read_as_they_were_written() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("state.json");
    ask(&path, &request(0, 3, u64::MAX)).unwrap();
    let bytes = fs::read(&path).unwrap();
    let state = WitnessState::parse(&bytes).unwrap();
    assert_eq!(state.to_json().as_bytes(), bytes);
    let twice = String::from_utf8(bytes)
        .unwrap()
        .replace("\"],", "\",\"log\\n3\\n\"],");
    assert!(WitnessState::parse(twice.as_bytes()).is_err());

    let written = request(3, 8, u64::MAX);
    let text = written.to_string();
    assert!(text.starts_with("old 3\n"));
    assert_eq!(WitnessRequest::parse(text.as_bytes()).unwrap(), written);
    let alone = WitnessRequest::parse(written.checkpoint.as_bytes()).unwrap();
    assert_eq!((alone.old, alone.proof.len()), (0, 0));
    assert_eq!(alone.checkpoint, written.checkpoint);
    for bad in [
        text.replace("old 3", "old 03"),
        text.replace("old 3", "old"),
        text.replace("old 3\n", "old 3\nabc\n"),
        "old 3\n".to_owned(),
        "old 3\n\n".to_owned(),
        String::new(),
    ] {
        assert!(WitnessRequest::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
}
