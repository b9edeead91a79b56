// SPDX-License-Identifier: Apache-2.0
//! Outside vectors: cyberphone's documents and numbers, and texts on which implementations differ.

use std::fs;
use std::path::PathBuf;

use ambit_canon::{CanonErrorKind, Limits, Number, Value, canonicalize, parse, write};

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/jcs")
}

#[test]
fn cyberphone_documents_have_their_published_text() {
    let mut names: Vec<_> = fs::read_dir(vectors().join("input"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names.len(), 6, "{names:?}");
    for name in names {
        let input = fs::read(vectors().join("input").join(&name)).unwrap();
        let output = fs::read_to_string(vectors().join("output").join(&name)).unwrap();
        let got = canonicalize(&input, &Limits::default());
        assert_eq!(got.as_deref(), Ok(output.as_str()), "{}", name.display());
        assert_eq!(canonicalize(output.as_bytes(), &Limits::default()), got);
    }
}

#[test]
fn es6_numbers_are_written_as_published() {
    let file = fs::read_to_string(vectors().join("es6testfile10k.txt")).unwrap();
    let (mut lines, mut refused) = (0, 0);
    for line in file.lines() {
        lines += 1;
        let (bits, want) = line.split_once(',').unwrap();
        let double = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        let Ok(number) = Number::try_from(double) else {
            // Digits only and beyond 2^53 - 1: RFC 8785 has a text for it, I-JSON does not allow it.
            let digits = want.trim_start_matches('-');
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{line}");
            assert!(digits.parse::<u128>().unwrap() > (1 << 53) - 1, "{line}");
            refused += 1;
            continue;
        };
        assert_eq!(write(&Value::Number(number)), want, "{line}");
        assert_eq!(
            parse(want.as_bytes(), &Limits::default()),
            Ok(Value::Number(number)),
            "{line}"
        );
    }
    assert_eq!((lines, refused), (10_000, ES6_REFUSED));
}

#[test]
fn texts_on_which_implementations_differ_follow_rfc_8785() {
    let file = fs::read(vectors().join("divergence.json")).unwrap();
    let file = parse(&file, &Limits::default()).unwrap();
    let cases = file.get("cases").and_then(Value::as_array).unwrap();
    let mut refused = Vec::new();
    for case in cases {
        let text = |name| case.get(name).and_then(Value::as_str);
        let name = text("name").unwrap();
        let got = canonicalize(
            text("input_json_text").unwrap().as_bytes(),
            &Limits::default(),
        );
        match got {
            Ok(got) => assert_eq!(Some(got.as_str()), text("rfc8785_node"), "{name}"),
            Err(error) => refused.push((name, error.kind)),
        }
    }
    assert_eq!(cases.len(), 48);
    assert_eq!(refused, REFUSED);
}

/// Lines of the number file whose value is an integer beyond ±(2^53 − 1) and below 10^21.
const ES6_REFUSED: usize = 84;

/// Texts that RFC 8785 does not cover because they are not I-JSON.
const REFUSED: [(&str, CanonErrorKind); 10] = [
    ("e20", CanonErrorKind::IntegerOutOfRange),
    ("e16", CanonErrorKind::IntegerOutOfRange),
    ("2^53", CanonErrorKind::IntegerOutOfRange),
    ("2^53+1", CanonErrorKind::IntegerOutOfRange),
    ("2^63-1", CanonErrorKind::IntegerOutOfRange),
    ("2^64", CanonErrorKind::IntegerOutOfRange),
    ("1e400", CanonErrorKind::NumberOutOfRange),
    ("lone-hi", CanonErrorKind::LoneSurrogate),
    ("lone-lo", CanonErrorKind::LoneSurrogate),
    ("dup", CanonErrorKind::DuplicateMember),
];
