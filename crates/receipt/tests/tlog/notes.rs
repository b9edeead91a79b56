// SPDX-License-Identifier: Apache-2.0
//! Notes, checkpoints, cosignatures and proof files, with the examples that Go's `sumdb/note` and
//! the C2SP specifications publish.
use ambit_receipt::SigningKey;
use ambit_receipt::tlog::{
    Checkpoint, CheckpointError, EMPTY_ROOT, Frontier, Note, NoteError, NoteKey, NoteKeyError,
    OpenedCheckpoint, ProofError, Prover, TlogProof, TlogProofError, WitnessError, WitnessPolicy,
    cosign, leaf_hash,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::naive;

const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
const PETER_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg\
    KvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_KEY: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const ENOCH: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01o\
    OTGwnWLox33WWd1RvMc+QQ=\n";
/// The seed in Go's `PRIVATE+KEY+PeterNeumann+…`, without its type byte.
const PETER_SEED: &str = "gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=";
const SOFA: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q\
    1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2o\
    yin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

fn keys(texts: &[&str]) -> Vec<NoteKey> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn note(text: &str) -> Result<Note, NoteError> {
    Note::parse(text.as_bytes())
}

#[test]
fn the_example_of_the_specification_is_verified() {
    let text = "This is an example message.\n\n\
        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFX\
        mRKuwHjG1Yu72IneyaQM=\n";
    let trusted = keys(&["example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"]);
    let read = note(text).unwrap();
    assert_eq!(read.text(), "This is an example message.\n");
    assert_eq!(read.verify(&trusted).unwrap(), [&trusted[0]]);
    assert_eq!(read.to_string(), text);
}

#[test]
fn notes_of_go_are_verified_and_made_alike() {
    let seed: Vec<u8> = STANDARD.decode(PETER_SEED).unwrap();
    let key = SigningKey::from_seed(seed.as_slice().try_into().unwrap());
    let peter = NoteKey::ed25519("PeterNeumann", key.verifying_key()).unwrap();
    assert_eq!(peter.to_string(), PETER_KEY);
    let mut made = Note::new(TEXT).unwrap();
    made.sign("PeterNeumann", &key).unwrap();
    assert_eq!(made.to_string(), format!("{TEXT}\n{PETER}"));
    // A second signature by the same key takes the place of the first.
    made.sign("PeterNeumann", &key).unwrap();
    assert_eq!(made.to_string(), format!("{TEXT}\n{PETER}"));

    let both = note(&format!("{TEXT}\n{PETER}{ENOCH}")).unwrap();
    let trusted = keys(&[PETER_KEY, ENOCH_KEY]);
    assert_eq!(both.verify(&trusted).unwrap(), [&trusted[0], &trusted[1]]);
    assert_eq!(both.verify(&trusted[1..]).unwrap(), [&trusted[1]]);
    assert!(matches!(both.verify(&[]), Err(NoteError::Unsigned)));
    // By an unknown key, with a known one's name.
    let renamed = format!("{TEXT}\n{}", ENOCH.replace("EnochRoot", "PeterNeumann"));
    let error = note(&renamed).unwrap().verify(&trusted).unwrap_err();
    assert!(matches!(error, NoteError::Unsigned));
}

#[test]
fn a_wrong_signature_in_a_known_name_fails_the_whole_note() {
    let trusted = keys(&[PETER_KEY, ENOCH_KEY]);
    for text in [
        TEXT.replace("don't", "do"),
        format!("{TEXT}more\n"),
        format!("\n{TEXT}"),
    ] {
        let error = note(&format!("{text}\n{PETER}")).unwrap().verify(&trusted);
        assert_eq!(error.unwrap_err().code(), "ERR_LEDGER_NOTE_SIGNATURE");
    }
    // Peter's holds, Enoch's is of another length.
    let longer = format!(
        "{TEXT}\n{PETER}{}",
        ENOCH.replace("rwz+eBzm", "rwz+eBzmABCD")
    );
    let error = note(&longer).unwrap().verify(&trusted).unwrap_err();
    assert!(matches!(error, NoteError::Signature { name } if name == "EnochRoot"));
    assert!(note(&longer).unwrap().verify(&trusted[..1]).is_ok());
}

#[test]
fn what_is_not_a_note_is_refused() {
    let good = format!("{TEXT}\n{PETER}");
    assert!(note(&good).is_ok());
    let bad = [
        String::new(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good} "),
        format!("\u{1}{good}"),
        format!("{TEXT}\r\n\n{PETER}"),
        format!("{TEXT}\n{PETER}Unexpected line.\n"),
        format!("{TEXT}\n{}", PETER.replace('—', "-")),
        format!("{TEXT}\n{}", PETER.replace("PeterNeumann", "Bad Name")),
        format!("{TEXT}\n{}", PETER.replace("PeterNeumann", "a+b")),
        format!("{TEXT}\n{}", PETER.replace("PeterNeumann", "a\u{a0}b")),
        format!("{TEXT}\n{}", PETER.replace("PeterNeumann", "")),
        format!("{TEXT}\n{}", PETER.replace("AM=", "AM")),
        format!("{TEXT}\n{}", PETER.replace("AM=", "AN=")),
        format!("{TEXT}\n— a x08gow==\n"),
        format!("{PETER}\n"),
    ];
    for text in bad {
        assert!(matches!(note(&text), Err(NoteError::Malformed)), "{text:?}");
    }
    assert!(matches!(
        Note::parse(b"\xff\n\n"),
        Err(NoteError::Malformed)
    ));
    let many = format!("{TEXT}\n{}", PETER.repeat(100));
    assert!(note(&many).is_ok());
    assert!(matches!(
        note(&format!("{many}{PETER}")),
        Err(NoteError::TooLarge)
    ));
    let large = format!("{}{good}", "x\n".repeat(1 << 19));
    assert!(matches!(note(&large), Err(NoteError::TooLarge)));
    for text in ["", "abc", "a\tb\n"] {
        assert!(
            matches!(Note::new(text), Err(NoteError::Malformed)),
            "{text:?}"
        );
    }
}

#[test]
fn any_change_of_a_note_key_is_refused() {
    let good: NoteKey = PETER_KEY.parse().unwrap();
    assert_eq!(good.to_string(), PETER_KEY);
    for end in 0..PETER_KEY.len() {
        assert!(PETER_KEY[..end].parse::<NoteKey>().is_err(), "{end}");
        assert!(PETER_KEY[end + 1..].parse::<NoteKey>().is_err(), "{end}");
        let mut changed = PETER_KEY.as_bytes().to_vec();
        changed[end] += 1;
        let changed = String::from_utf8(changed).unwrap();
        assert!(changed.parse::<NoteKey>().is_err(), "{changed}");
    }
    let kind = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert!(matches!(kind.parse::<NoteKey>(), Err(NoteKeyError::Kind)));
    let long = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==";
    assert!(matches!(
        long.parse::<NoteKey>(),
        Err(NoteKeyError::Malformed)
    ));
    let key = *good.key();
    for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b"] {
        assert!(matches!(
            NoteKey::ed25519(name, key),
            Err(NoteKeyError::Name)
        ));
    }
}

#[test]
fn the_published_checkpoint_is_read() {
    let read = note(SOFA).unwrap();
    let checkpoint = Checkpoint::parse(read.text()).unwrap();
    assert_eq!(checkpoint.origin(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size(), 20_852_163);
    assert_eq!(checkpoint.text(), read.text());
    let witness = &read.signatures()[1];
    assert_eq!(witness.name(), "witness.example.com/w1");
    assert_eq!(witness.id(), [0x8d, 0x66, 0xcf, 0x3f]);
    let time = u64::from_be_bytes(witness.bytes()[..8].try_into().unwrap());
    assert_eq!((time, witness.bytes().len()), (1_679_315_147, 72));
    // Nobody's key is published for it.
    let error = Checkpoint::open(SOFA.as_bytes(), &keys(&[PETER_KEY])).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_NOTE_SIGNATURE");
}

#[test]
fn what_is_not_a_checkpoint_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let good = format!("o\n7\n{root}\n");
    assert!(Checkpoint::parse(&good).is_ok());
    let extended = Checkpoint::parse(&format!("{good}more\n")).unwrap();
    assert_eq!(extended.extensions(), ["more"]);
    assert_eq!(extended.text(), format!("{good}more\n"));
    for bad in [
        String::new(),
        format!("\n7\n{root}\n"),
        format!("o\n07\n{root}\n"),
        format!("o\n+7\n{root}\n"),
        format!("o\n-7\n{root}\n"),
        format!("o\n7 \n{root}\n"),
        format!("o\n\n{root}\n"),
        format!("o\n18446744073709551616\n{root}\n"),
        format!("o\n7\n{}\n", &root[4..]),
        format!("o\n7\n{}\n", root.replace('=', "")),
        format!("o\n7\n{}\n", root.replace("2I=", "2J=")),
        "o\n7\n".to_owned(),
        format!("o\n7\n{root}"),
        format!("{good}\n"),
        format!("{good}\nmore\n"),
    ] {
        let error = Checkpoint::parse(&bad).unwrap_err();
        assert!(matches!(error, CheckpointError::Malformed), "{bad:?}");
    }
    // A log without entries has one root only.
    let error = Checkpoint::parse(&format!("o\n0\n{root}\n")).unwrap_err();
    assert!(matches!(error, CheckpointError::Root));
    assert!(Checkpoint::new("o", 0, EMPTY_ROOT).is_ok());
    assert!(matches!(
        Checkpoint::new("o", 0, [1; 32]),
        Err(CheckpointError::Root)
    ));
    assert!(matches!(
        Checkpoint::new("a b", 1, [1; 32]),
        Err(CheckpointError::Origin)
    ));
}

#[test]
fn a_checkpoint_is_opened_by_the_key_of_its_origin_alone() {
    let key = SigningKey::from_seed(&[1; 32]);
    let checkpoint = Checkpoint::new("ambit-ledger/a", 3, [9; 32]).unwrap();
    let note = checkpoint.sign(&key).unwrap();
    let named = |name| vec![NoteKey::ed25519(name, key.verifying_key()).unwrap()];
    let opened = Checkpoint::open(note.as_bytes(), &named("ambit-ledger/a")).unwrap();
    assert_eq!(
        (&opened.checkpoint, &opened.signers[..]),
        (&checkpoint, &[key.verifying_key()][..])
    );
    assert_eq!(
        Checkpoint::open_by(note.as_bytes(), &[key.verifying_key()]).unwrap(),
        opened
    );
    for trusted in [named("ambit-ledger/b"), Vec::new()] {
        let error = Checkpoint::open(note.as_bytes(), &trusted).unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_NOTE_SIGNATURE");
    }
    // The same key, but signing in another log's name.
    let mut foreign = Note::new(checkpoint.text()).unwrap();
    foreign.sign("ambit-ledger/b", &key).unwrap();
    let both = [named("ambit-ledger/a"), named("ambit-ledger/b")].concat();
    let error = Checkpoint::open(foreign.to_string().as_bytes(), &both).unwrap_err();
    assert!(matches!(error, CheckpointError::Note(NoteError::Unsigned)));
}

#[test]
fn any_changed_byte_of_a_checkpoint_is_noticed() {
    let key = SigningKey::from_seed(&[1; 32]);
    let checkpoint = Checkpoint::new("log", 300, [9; 32]).unwrap();
    let note = checkpoint.sign(&key).unwrap();
    let open = |bytes: &[u8]| Checkpoint::open_by(bytes, &[key.verifying_key()]);
    assert!(open(note.as_bytes()).is_ok());
    for place in 0..note.len() {
        for flip in [1, 0x20, 0x80] {
            let mut changed = note.clone().into_bytes();
            changed[place] ^= flip;
            assert!(open(&changed).is_err(), "{place} {flip}");
        }
    }
}

fn witness(name: &str, key: &SigningKey) -> NoteKey {
    NoteKey::witness(name, key.verifying_key()).unwrap()
}

fn opened(log: &SigningKey) -> OpenedCheckpoint {
    let note = Checkpoint::new("log", 3, [9; 32]).unwrap();
    let note = note.sign(log).unwrap();
    Checkpoint::open_by(note.as_bytes(), &[log.verifying_key()]).unwrap()
}

#[test]
fn cosignatures_count_once_for_each_trusted_key() {
    let [log, first, second, other] = [1, 2, 3, 4].map(|seed| SigningKey::from_seed(&[seed; 32]));
    let mut cosigned = opened(&log);
    cosign(&mut cosigned, "w1", &first, 1_679_315_147).unwrap();
    cosign(&mut cosigned, "w2", &second, 1_679_315_148).unwrap();
    cosign(&mut cosigned, "w2-alias", &second, 7).unwrap();
    cosign(&mut cosigned, "log", &log, 5).unwrap();
    let text = cosigned.note.to_string();
    let read = Checkpoint::open_by(text.as_bytes(), &[log.verifying_key()]).unwrap();
    assert_eq!(read, cosigned);
    let policy = |quorum| WitnessPolicy {
        witnesses: vec![
            witness("w1", &first),
            witness("w2", &second),
            witness("w2-alias", &second),
            witness("log", &log),
            witness("w3", &other),
        ],
        quorum,
    };
    let found = policy(2).check(&read).unwrap();
    let found: Vec<_> = found.iter().map(|c| (c.witness.name(), c.time)).collect();
    assert_eq!(found, [("w1", 1_679_315_147), ("w2", 1_679_315_148)]);
    let few = WitnessError::Quorum {
        found: 2,
        wanted: 3,
    };
    assert_eq!(policy(3).check(&read), Err(few));
    assert_eq!(WitnessPolicy::default().check(&read), Ok(Vec::new()));
}

#[test]
fn a_cosignature_is_for_its_time_text_and_kind_alone() {
    let [log, key] = [1, 2].map(|seed| SigningKey::from_seed(&[seed; 32]));
    let mut cosigned = opened(&log);
    cosign(&mut cosigned, "w1", &key, 1_679_315_147).unwrap();
    let policy = |key| WitnessPolicy {
        witnesses: vec![key],
        quorum: 1,
    };
    let trusting = policy(witness("w1", &key));
    assert_eq!(trusting.check(&cosigned).unwrap().len(), 1);
    let text = cosigned.note.to_string();
    let line = cosigned.note.signatures()[1].to_string();
    let mut bytes = STANDARD
        .decode(line.split_whitespace().last().unwrap())
        .unwrap();
    bytes[11] ^= 1;
    let changed = text.replace(&line, &format!("— w1 {}\n", STANDARD.encode(bytes)));
    let changed = Checkpoint::open_by(changed.as_bytes(), &[log.verifying_key()]).unwrap();
    let name = "w1".to_owned();
    let wrong = WitnessError::Signature { name };
    assert_eq!(trusting.check(&changed), Err(wrong));
    // The same key and name, trusted for the texts of notes only.
    let author = policy(NoteKey::ed25519("w1", key.verifying_key()).unwrap());
    let none = WitnessError::Quorum {
        found: 0,
        wanted: 1,
    };
    assert_eq!(author.check(&cosigned), Err(none));
    let late = cosign(&mut cosigned, "w1", &key, 1 << 63);
    assert!(matches!(late, Err(NoteError::Malformed)));
}

#[test]
fn a_proof_file_shows_one_entry_in_its_log() {
    let digests = naive::digests(21);
    let mut frontier = Frontier::new();
    let mut prover = Prover::inclusion(13, 21).unwrap();
    for digest in &digests {
        frontier.append(leaf_hash(digest)).unwrap();
        prover.push(leaf_hash(digest)).unwrap();
    }
    let key = SigningKey::from_seed(&[1; 32]);
    let checkpoint = Checkpoint::new("log", 21, frontier.root()).unwrap();
    let proof = TlogProof {
        extra: None,
        index: 13,
        hashes: prover.finish().unwrap(),
        checkpoint: checkpoint.sign(&key).unwrap(),
    };
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 13\n"));
    let read = TlogProof::parse(text.as_bytes()).unwrap();
    assert_eq!(read, proof);
    let opened = read
        .verify_by(&digests[13], &[key.verifying_key()])
        .unwrap();
    assert_eq!(opened.checkpoint, checkpoint);
    let trusted = [NoteKey::ed25519("log", key.verifying_key()).unwrap()];
    assert!(read.verify(&digests[13], &trusted).is_ok());
    let wrong = |error| matches!(error, Err(TlogProofError::Proof(ProofError::Root)));
    assert!(wrong(read.verify(&digests[12], &trusted)));
    let moved = TlogProof {
        index: 12,
        ..read.clone()
    };
    assert!(wrong(moved.verify(&digests[13], &trusted)));
    let other = SigningKey::from_seed(&[2; 32]).verifying_key();
    let error = read.verify_by(&digests[13], &[other]).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_NOTE_SIGNATURE");
    let extra = TlogProof {
        extra: Some(b"x".to_vec()),
        ..read
    };
    assert_eq!(
        TlogProof::parse(extra.to_string().as_bytes()).unwrap(),
        extra
    );
}

#[test]
fn what_is_not_a_proof_file_is_refused() {
    let hash = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let head = "c2sp.org/tlog-proof@v1\n";
    let parse = |text: &str| TlogProof::parse(text.as_bytes());
    assert!(parse(&format!("{head}index 0\n\n{SOFA}")).is_ok());
    assert!(parse(&format!("{head}extra \nindex 0\n{hash}\n{SOFA}")).is_ok());
    for bad in [
        String::new(),
        "c2sp.org/tlog-proof@v2\nindex 0\n\n".to_owned(),
        format!("{head}\n{SOFA}"),
        format!("{head}index 00\n\n{SOFA}"),
        format!("{head}index\n\n{SOFA}"),
        format!("{head}index 0\n{SOFA}"),
        format!("{head}index 0\n{hash}"),
        format!("{head}index 0\nabc\n\n{SOFA}"),
        format!("{head}extra !\nindex 0\n\n{SOFA}"),
        format!("{head}index 0\n{}\n{SOFA}", hash.repeat(66)),
    ] {
        assert!(
            matches!(parse(&bad), Err(TlogProofError::Malformed)),
            "{bad:?}"
        );
    }
    assert!(matches!(
        TlogProof::parse(&[0xff]),
        Err(TlogProofError::Malformed)
    ));
}
