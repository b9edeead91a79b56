// SPDX-License-Identifier: Apache-2.0
//! `canonicalize`, which builds no tree where it can do without, against `parse` and `write`.

use ambit_canon::{CanonError, Limits, MAX_DEPTH, canonicalize, parse, write};
use proptest::prelude::*;

const RECEIPT: &str =
    include_str!("../../../__test__/vectors/receipts/csc/runs/approval-wrong.json");

type Answer = Result<String, CanonError>;

/// The answer of `canonicalize`, and the one of the parser and the writer.
fn answers(document: &[u8], limits: &Limits) -> (Answer, Answer) {
    let tree = parse(document, limits).map(|value| write(&value));
    (canonicalize(document, limits), tree)
}

/// The answer that both give.
fn agreed(document: &[u8], limits: &Limits) -> Answer {
    let (got, want) = answers(document, limits);
    assert_eq!(got, want, "{}", document.escape_ascii());
    got
}

fn assert_agree(document: &[u8], limits: &Limits) {
    drop(agreed(document, limits));
}

#[test]
fn every_short_sequence_of_tokens_has_the_parsers_answer() {
    const TOKENS: [&str; 12] = [
        "{\"b\":",
        ",\"a\":",
        ",\"c\":",
        ",\"\\u0061\":",
        "}",
        "[",
        "]",
        ",",
        "0",
        "1.0",
        "\"\u{e9}\"",
        "\\",
    ];
    let limits = Limits {
        max_bytes: 36,
        max_depth: 2,
    };
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..TOKENS.len().pow(5) {
        let mut rest = number;
        let mut text = String::from("{\"b\":0,\"a\":");
        let bare = text.len();
        for _ in 0..5 {
            text.push_str(TOKENS[rest % TOKENS.len()]);
            rest /= TOKENS.len();
        }
        text.push('}');
        let text = text.as_bytes();
        for document in [text, &text[bare..text.len() - 1]] {
            match agreed(document, &limits) {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert_eq!((accepted, refused), (136, 497_528));
}

#[test]
fn every_changed_byte_of_a_receipt_has_the_parsers_answer() {
    const BYTES: &[u8] = b"\"\\{}[],: 0a-.e\n\0\x7f\xc3\xff";
    let limits = Limits::default();
    agreed(RECEIPT.as_bytes(), &limits).unwrap();
    let mut changed = RECEIPT.as_bytes().to_vec();
    for at in 0..changed.len() {
        let original = changed[at];
        for byte in BYTES {
            changed[at] = *byte;
            assert_agree(&changed, &limits);
        }
        changed.remove(at);
        assert_agree(&changed, &limits);
        changed.insert(at, original);
        assert_agree(&changed[..at], &limits);
    }
}

#[test]
fn members_out_of_order_on_every_level_have_the_parsers_answer() {
    for depth in [1, 2, 8, MAX_DEPTH, MAX_DEPTH + 1] {
        let text = "{\"z\":1,\"a\":".repeat(depth) + "0" + &"}".repeat(depth);
        let limits = Limits {
            max_bytes: text.len(),
            max_depth: MAX_DEPTH,
        };
        let got = agreed(text.as_bytes(), &limits);
        let want = "{\"a\":".repeat(depth) + "0" + &",\"z\":1}".repeat(depth);
        assert_eq!(got.ok(), (depth <= MAX_DEPTH).then_some(want), "{depth}");
    }
}

#[test]
fn names_in_every_order_have_the_parsers_answer() {
    const NAMES: [&str; 8] = [
        "",
        "a",
        "ab",
        "\u{e9}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10000}",
    ];
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..NAMES.len().pow(4) {
        let name = |place: u32| NAMES[number / NAMES.len().pow(place) % NAMES.len()];
        let members: Vec<String> = (0..4)
            .map(|place| format!("\"{}\":{place}", name(place)))
            .collect();
        let text = format!("{{{}}}", members.join(","));
        match agreed(text.as_bytes(), &Limits::default()) {
            Ok(_) => accepted += 1,
            Err(_) => refused += 1,
        }
    }
    assert_eq!((accepted, refused), (8 * 7 * 6 * 5, 4096 - 8 * 7 * 6 * 5));
}

#[test]
fn many_members_in_any_order_have_the_parsers_answer() {
    for step in [1, 7, 9999] {
        let members: Vec<String> = (0..10_000)
            .map(|index| format!("\"m{}\":{index}", (index * step) % 10_000))
            .collect();
        let text = format!("{{{}}}", members.join(","));
        agreed(text.as_bytes(), &Limits::default()).unwrap();
        let again = text.replacen("\"m5\":", "\"m6\":", 1);
        let error = agreed(again.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(error.kind.code(), "DUPLICATE_MEMBER", "{step}");
    }
}

#[test]
fn strings_stop_at_the_same_byte_wherever_it_stands() {
    for length in 0..40 {
        for at in 0..=length {
            for stop in [
                "", "\"", "\\", "\\n", "\\u00e9", "\n", "\u{1f}", " ", "\u{7f}", "\u{80}",
            ] {
                let (before, after) = ("x".repeat(at), "é".repeat(length - at));
                let text = format!("\"{before}{stop}{after}\"");
                assert_agree(text.as_bytes(), &Limits::default());
                agreed(&text.as_bytes()[..=at], &Limits::default()).unwrap_err();
            }
        }
    }
}

/// Texts that are JSON but for what is random in their strings: any order of members, names that
/// repeat, white space, every spelling of numbers and characters.
fn texts() -> impl Strategy<Value = String> {
    let space = "[ \t\n\r]{0,1}";
    let string = prop_oneof![
        3 => "\"[a-d]{0,2}\"",
        2 => "\"[a\u{e9}\u{d7ff}\u{e000}\u{ffff}\u{10000}]{0,3}\"",
        2 => "\"(\\\\[bfnrt\"\\\\/]|\\\\u00[0-9a-fA-F]{2}|[ -!#-Z^-~\u{80}-\u{fff}]){0,20}\"",
        1 => "\"(\\\\u[dD][89a-dA-D][0-9a-f]{2}){1,2}\"",
        1 => "\"\\PC{0,12}\"",
    ];
    let number = prop_oneof![
        "-?(0|[1-9][0-9]{0,17})",
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?",
        any::<f64>().prop_map(|it| it.to_string()),
        any::<f64>().prop_map(|it| format!("{it:e}")),
    ];
    let word = prop_oneof![
        Just("true"),
        Just("false"),
        Just("null"),
        Just("[]"),
        Just("{ }")
    ];
    let scalar = prop_oneof![string.clone(), number, word.prop_map(String::from)];
    scalar.prop_recursive(6, 48, 6, move |inner| {
        let spaced = (space, inner, space).prop_map(|(a, value, b)| a + &value + &b);
        let member = (space, string.clone(), space, spaced.clone())
            .prop_map(|(a, name, b, value)| format!("{a}{name}{b}:{value}"));
        prop_oneof![
            1 => prop::collection::vec(spaced, 1..5).prop_map(|it| format!("[{}]", it.join(","))),
            2 => prop::collection::vec(member, 1..7).prop_map(|it| format!("{{{}}}", it.join(","))),
        ]
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let limits = |(max_bytes, max_depth)| Limits {
        max_bytes,
        max_depth,
    };
    prop_oneof![
        4 => Just(Limits::default()),
        1 => (0_usize..200, 0_usize..5).prop_map(limits),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_spelling_has_the_parsers_answer(text in texts(), limits in limits()) {
        let (got, want) = answers(text.as_bytes(), &limits);
        prop_assert_eq!(got, want);
    }

    #[test]
    fn any_damage_has_the_parsers_answer(
        text in texts(),
        limits in limits(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..3,
        with in "[\\[\\]{}:,\" a\\\\u0-9.eE+\0\n\u{feff}\u{e9}-]{0,2}",
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        let end = bytes.len().min(at.saturating_add(length));
        bytes.splice(at..end, with.into_bytes());
        let (got, want) = answers(&bytes, &limits);
        prop_assert_eq!(got, want);
    }

    #[test]
    fn any_bytes_have_the_parsers_answer(bytes in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        "[\\[\\]{}:,\" a\\\\utrue0-9.eE+-]{0,48}".prop_map(String::into_bytes),
    ]) {
        let (got, want) = answers(&bytes, &Limits::default());
        prop_assert_eq!(got, want);
    }
}
