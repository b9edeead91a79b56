// SPDX-License-Identifier: Apache-2.0
//! What the parser accepts, what it refuses, and where it says so.

use std::collections::BTreeSet;

use ambit_canon::CanonErrorKind::*;
use ambit_canon::{
    CanonErrorKind, Limits, MAX_DEPTH, Number, Object, Value, canonicalize, parse,
    parse_plain_integers, write,
};
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    max_bytes: 64,
    max_depth: 3,
};

/// Text, kind, byte offset.
const REFUSALS: &[(&[u8], CanonErrorKind, usize)] = &[
    (b"\xef\xbb\xbf{}", ByteOrderMark, 0),
    (b"\"a\tb\"", ControlCharacter, 2),
    (b"\"\x00\"", ControlCharacter, 1),
    (b"[\"\x1f", ControlCharacter, 2),
    (b"{\"\n\":1}", ControlCharacter, 2),
    (br#"{"a":1,"a":1}"#, DuplicateMember, 7),
    (br#"{"a":1,"b":2, "\u0061":3}"#, DuplicateMember, 14),
    (br#"{"z":1,"a":1,"a":2,"z":3,"a":4}"#, DuplicateMember, 13),
    (br#"[{"b":{"x":1,"x":2}}]"#, DuplicateMember, 13),
    (br#"{"":1,"":2}"#, DuplicateMember, 6),
    (b"9007199254740992", IntegerOutOfRange, 0),
    (b"[-9007199254740992]", IntegerOutOfRange, 1),
    (b"9007199254740993.0", IntegerOutOfRange, 0),
    (b"9007199254740992e0", IntegerOutOfRange, 0),
    (b"[1e20]", IntegerOutOfRange, 1),
    (b"1000000000000000000000000000000", IntegerOutOfRange, 0),
    (br#""\x""#, InvalidEscape, 1),
    (br#""a\u12G4""#, InvalidEscape, 2),
    (br#""\u+123""#, InvalidEscape, 1),
    (br#""\U0041""#, InvalidEscape, 1),
    (br#""\ud83d\u00zz""#, InvalidEscape, 7),
    (b"\"\\\n\"", InvalidEscape, 1),
    (b"-", InvalidNumber, 1),
    (b"[-a]", InvalidNumber, 2),
    (b"01", InvalidNumber, 1),
    (b"-00", InvalidNumber, 2),
    (b"1.", InvalidNumber, 2),
    (b"1.e1", InvalidNumber, 2),
    (b"[1e]", InvalidNumber, 3),
    (b"1e+", InvalidNumber, 3),
    (b"--1", InvalidNumber, 1),
    (b"\"\xff\"", InvalidUtf8, 1),
    (b"\"ab\xc3\"", InvalidUtf8, 3),
    (b"\"\xc0\x80\"", InvalidUtf8, 1),
    (b"\"\xed\xa0\x80\"", InvalidUtf8, 1),
    (b"\"\xf4\x90\x80\x80\"", InvalidUtf8, 1),
    (br#""\ud800""#, LoneSurrogate, 1),
    (br#""a\udc00""#, LoneSurrogate, 2),
    (br#""\ud800\n""#, LoneSurrogate, 1),
    (br#""\ud800\ud800""#, LoneSurrogate, 1),
    (br#""\udbffA""#, LoneSurrogate, 1),
    (br#"{"\udfff":1}"#, LoneSurrogate, 2),
    (b"1e309", NumberOutOfRange, 0),
    (b"[-1e400]", NumberOutOfRange, 1),
    (b"[1,]", Syntax, 3),
    (b"[,1]", Syntax, 1),
    (b"[1 2]", Syntax, 3),
    (b"[1}", Syntax, 2),
    (b"{\"a\":1]", Syntax, 6),
    (b"{\"a\":1,}", Syntax, 7),
    (b"{a:1}", Syntax, 1),
    (b"{\"a\" 1}", Syntax, 5),
    (b"{1:1}", Syntax, 1),
    (b"{,}", Syntax, 1),
    (b"{'a':1}", Syntax, 1),
    (b"+1", Syntax, 0),
    (b".5", Syntax, 0),
    (b"NaN", Syntax, 0),
    (b"Infinity", Syntax, 0),
    (b"-Infinity", InvalidNumber, 1),
    (b"True", Syntax, 0),
    (b"nulL", Syntax, 3),
    (b"//\n1", Syntax, 0),
    (b"/**/1", Syntax, 0),
    (b"\x0b1", Syntax, 0),
    (b"\xc2\xa01", Syntax, 0),
    (b"]", Syntax, 0),
    (b"[[[[]]]]", TooDeep, 3),
    (br#"{"a":[{"b":{}}]}"#, TooDeep, 11),
    (
        b"1                                                                 ",
        TooLarge,
        64,
    ),
    (b"1 1", TrailingBytes, 2),
    (b"{}}", TrailingBytes, 2),
    (b"null\x00", TrailingBytes, 4),
    (b"truefalse", TrailingBytes, 4),
    (b"1x", TrailingBytes, 1),
    (b"0x10", TrailingBytes, 1),
    (b"{}\xef\xbb\xbf", TrailingBytes, 2),
    (b"", UnexpectedEnd, 0),
    (b" \n\t\r", UnexpectedEnd, 4),
    (b"[", UnexpectedEnd, 1),
    (b"[1", UnexpectedEnd, 2),
    (b"[1,", UnexpectedEnd, 3),
    (b"{", UnexpectedEnd, 1),
    (b"{\"a", UnexpectedEnd, 3),
    (b"{\"a\"", UnexpectedEnd, 4),
    (b"{\"a\":", UnexpectedEnd, 5),
    (b"{\"a\":1", UnexpectedEnd, 6),
    (b"{\"a\":1,", UnexpectedEnd, 7),
    (b"\"\\", UnexpectedEnd, 2),
    (b"\"\\u00", UnexpectedEnd, 5),
    (b"tru", UnexpectedEnd, 3),
];

#[test]
fn every_fault_is_refused_with_its_kind_and_byte_offset() {
    // Its rows stand in `only_plain_integers_pass_where_they_are_asked_for`.
    let mut seen = BTreeSet::from([NotPlainInteger]);
    for (text, kind, offset) in REFUSALS {
        let error = parse(text, &LIMITS).unwrap_err();
        assert_eq!(
            (error.kind, error.offset),
            (*kind, *offset),
            "{}",
            text.escape_ascii()
        );
        assert_eq!(canonicalize(text, &LIMITS), Err(error));
        seen.insert(*kind);
    }
    assert_eq!(
        seen,
        BTreeSet::from(CanonErrorKind::ALL),
        "a kind without a row"
    );
}

#[test]
fn only_plain_integers_pass_where_they_are_asked_for() {
    let kind = |text: &str| {
        let got = parse_plain_integers(text.as_bytes(), &Limits::default());
        got.map_err(|error| (error.kind, error.offset))
    };
    for text in ["0", "-1", "[10,{\"a\":9007199254740991}]", "\"1.0\""] {
        assert_eq!(kind(text).map(|value| write(&value)).as_deref(), Ok(text));
    }
    for text in ["-0", "0.0", "1.0", "1e0", "10E-1", "0.5", "1e400", "-0.0"] {
        assert_eq!(
            kind(&format!("[1,{text}]")),
            Err((NotPlainInteger, 3)),
            "{text}"
        );
    }
    assert_eq!(kind("9007199254740992"), Err((IntegerOutOfRange, 0)));
    assert_eq!(kind("{\"a\":1,\"a\":1}"), Err((DuplicateMember, 7)));
}

#[test]
fn codes_are_stable_and_sorted() {
    let codes = CanonErrorKind::ALL.map(CanonErrorKind::code);
    assert_eq!(
        codes.join(" "),
        "BYTE_ORDER_MARK CONTROL_CHARACTER DUPLICATE_MEMBER INTEGER_OUT_OF_RANGE INVALID_ESCAPE \
         INVALID_NUMBER INVALID_UTF8 LONE_SURROGATE NOT_PLAIN_INTEGER NUMBER_OUT_OF_RANGE SYNTAX \
         TOO_DEEP TOO_LARGE TRAILING_BYTES UNEXPECTED_END"
    );
    assert!(codes.is_sorted());
}

#[test]
fn places_count_lines_by_line_feed_and_columns_by_character() {
    let cases: [(&str, usize, usize, usize); 5] = [
        ("x", 0, 1, 1),
        ("[1,\n  x]", 6, 2, 3),
        ("[\r\n\"é€😀\", x]", 16, 2, 8),
        ("[\n\n", 3, 3, 1),
        ("{\"a\":1,\n \"a\":2}", 9, 2, 2),
    ];
    for (text, offset, line, column) in cases {
        let error = parse(text.as_bytes(), &LIMITS).unwrap_err();
        assert_eq!(
            (error.offset, error.line, error.column),
            (offset, line, column),
            "{text:?}"
        );
    }
    let error = parse(b"[1,\n  x]", &LIMITS).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unexpected character at line 2, column 3"
    );
}

#[test]
fn accepted_texts_have_one_canonical_text() {
    let cases = [
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e5", "0"),
        ("1.0", "1"),
        ("10e-1", "1"),
        ("1E2", "100"),
        ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"),
        ("9007199254740991.0", "9007199254740991"),
        ("1e21", "1e+21"),
        ("1e-400", "0"),
        ("0.000001", "0.000001"),
        ("1e-7", "1e-7"),
        ("333333333.33333329", "333333333.3333333"),
        (r#""\/\u002f\u0041""#, r#""//A""#),
        (r#""\b\t\n\f\r\"\\""#, r#""\b\t\n\f\r\"\\""#),
        (
            r#""\u0000\u001F\u000b\u0010""#,
            r#""\u0000\u001f\u000b\u0010""#,
        ),
        (r#""\u007f\u2028\uffff""#, "\"\u{7f}\u{2028}\u{ffff}\""),
        (r#""\uD83D\uDE00\uDBFF\uDFFF""#, "\"\u{1f600}\u{10ffff}\""),
        (r#""\uD800\uDC00""#, "\"\u{10000}\""),
        ("\"e\u{301}\"", "\"e\u{301}\""),
        (" [ ] ", "[]"),
        ("{\r\n}", "{}"),
        (
            r#"{"b":[1,{"d":null,"c":[]}],"a":{}}"#,
            r#"{"a":{},"b":[1,{"c":[],"d":null}]}"#,
        ),
        (
            r#"{"\ufb33":1,"\ud83d\ude00":2,"__proto__":3}"#,
            "{\"__proto__\":3,\"😀\":2,\"\u{fb33}\":1}",
        ),
        (
            r#"{"10":1,"9":2,"A":true,"a":false}"#,
            r#"{"10":1,"9":2,"A":true,"a":false}"#,
        ),
    ];
    for (text, want) in cases {
        assert_eq!(
            canonicalize(text.as_bytes(), &Limits::default()).as_deref(),
            Ok(want),
            "{text}"
        );
        assert_eq!(
            canonicalize(want.as_bytes(), &Limits::default()).as_deref(),
            Ok(want),
            "{want}"
        );
    }
}

#[test]
fn limits_admit_what_just_fits() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let kind = |text: &str, limits: &Limits| parse(text.as_bytes(), limits).err().map(|e| e.kind);
    let limits = Limits::default();
    assert_eq!((limits.max_bytes, limits.max_depth), (1_048_576, 64));
    assert_eq!(kind(&deep(64), &limits), None);
    assert_eq!(kind(&deep(65), &limits), Some(TooDeep));
    let unbounded = Limits {
        max_bytes: usize::MAX,
        max_depth: usize::MAX,
    };
    assert_eq!(kind(&deep(MAX_DEPTH), &unbounded), None);
    assert_eq!(kind(&deep(MAX_DEPTH + 1), &unbounded), Some(TooDeep));
    assert_eq!(kind(&"[".repeat(5_000_000), &unbounded), Some(TooDeep));
    let flat = Limits {
        max_bytes: 2,
        max_depth: 0,
    };
    assert_eq!(
        (kind("12", &flat), kind("[]", &flat)),
        (None, Some(TooDeep))
    );
    assert_eq!(kind("123", &flat), Some(TooLarge));
}

#[test]
fn siblings_do_not_add_to_the_depth() {
    let text = "[[],[],{},[[],{}]]";
    assert_eq!(canonicalize(text.as_bytes(), &LIMITS).as_deref(), Ok(text));
}

#[test]
fn an_object_of_a_hundred_thousand_members_is_read_whatever_their_order() {
    let limits = Limits {
        max_bytes: 1 << 24,
        max_depth: 64,
    };
    let member = |index: usize| format!("\"m{:06}\":{index}", (index * 7919) % 100_000);
    let members: Vec<String> = (0..100_000).map(member).collect();
    let text = format!("{{{}}}", members.join(","));
    let value = parse(text.as_bytes(), &limits).unwrap();
    assert_eq!(value.as_object().map(Object::len), Some(100_000));
    assert_eq!(value.get("m007919").and_then(Value::as_i64), Some(1));
    let again = text.replacen('{', "{\"m000000\":0,", 1);
    let error = parse(again.as_bytes(), &limits).unwrap_err();
    assert_eq!((error.kind, error.offset), (DuplicateMember, 13));
}

fn values() -> impl Strategy<Value = Value> {
    let numbers = prop_oneof![
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Number::try_from),
        any::<f64>().prop_map(Number::try_from),
    ];
    let scalars = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        numbers.prop_map(|it| it.map_or(Value::Null, Value::Number)),
        any::<String>().prop_map(Value::from),
    ];
    scalars.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Value::from(members.into_iter().collect::<Object>())),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_what_was_written_gives_the_value_back(value in values()) {
        let text = write(&value);
        let back = parse(text.as_bytes(), &Limits::default());
        prop_assert_eq!(back.as_ref(), Ok(&value));
        prop_assert_eq!(back.map(|it| write(&it)), Ok(text));
    }

    #[test]
    fn any_bytes_are_refused_or_have_a_stable_canonical_text(bytes in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        "[\\[\\]{}:,\" a\\\\utrue0-9.eE+-]{0,48}".prop_map(String::into_bytes),
    ]) {
        match canonicalize(&bytes, &Limits::default()) {
            Ok(text) => prop_assert_eq!(canonicalize(text.as_bytes(), &Limits::default()), Ok(text)),
            Err(error) => prop_assert!(error.offset <= bytes.len()),
        }
    }

    #[test]
    fn a_cut_document_is_refused(value in values(), cut in any::<prop::sample::Index>()) {
        let text = write(&Value::from(vec![value]));
        let short = &text.as_bytes()[..cut.index(text.len())];
        prop_assert!(parse(short, &Limits::default()).is_err());
    }
}
