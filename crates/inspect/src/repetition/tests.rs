// SPDX-License-Identifier: Apache-2.0
use ambit_canon::{Limits, Value, parse};
use proptest::prelude::*;

use super::*;
use crate::{Call, InspectorChain, Verdict};

fn chain(options: RepetitionOptions) -> InspectorChain {
    InspectorChain::new().with(Repetition::new(options))
}

fn max(max_repeats: u64) -> RepetitionOptions {
    RepetitionOptions {
        max_repeats,
        ..RepetitionOptions::default()
    }
}

fn value(text: &str) -> Value {
    parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// Letters of the verdicts, one a call.
fn verdicts(chain: &InspectorChain, calls: &[&str]) -> String {
    let mut session = chain.session();
    calls
        .iter()
        .map(|params| {
            let params = value(params);
            match chain
                .inspect(&mut session, Call::new("t", &params))
                .verdict()
            {
                Verdict::Allow => 'a',
                Verdict::Warn => 'w',
                Verdict::Deny => 'd',
            }
        })
        .collect()
}

#[test]
fn counts_what_repeats() {
    let cycle = ["1", "2"].repeat(9);
    let three = ["1", "2", "3"].repeat(5);
    for (limit, calls, want) in [
        (0, vec!["1"], "d"),
        (1, vec!["1", "1.0"], "ad"),
        (2, vec!["1", "1", "1", "2", "1"], "aadaw"),
        (
            2,
            vec![r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, r#"{"a":1,"b":2}"#],
            "aad",
        ),
        (
            2,
            vec![r#""ls""#, r#""ls ""#, r#""ls  ""#, r#"" ls""#, r#""ls\n""#],
            "aawwd",
        ),
        (3, cycle, "aaaaaawwwwwwdddddd"),
        (3, three, "aaaaaaaaawwwwww"),
        (
            3,
            vec![
                r#"{"nonce":1}"#,
                r#"{"nonce":2}"#,
                r#"{"nonce":3}"#,
                r#"{"nonce":4}"#,
                r#"{"nonce":5}"#,
            ],
            "aaaaw",
        ),
        (5, vec!["1", "2", "3", "4", "5", "6", "7", "8"], "aaaaaaaa"),
    ] {
        assert_eq!(
            verdicts(&chain(max(limit)), &calls),
            want,
            "{limit} {calls:?}"
        );
    }
}

#[test]
fn any_max_works() {
    for limit in [1_u64, 100, 201, 1025, 5000] {
        let chain = chain(max(limit));
        let calls = usize::try_from(limit).unwrap() + 2;
        let got = verdicts(&chain, &vec!["1"; calls]);
        assert_eq!(got, format!("{}dd", "a".repeat(calls - 2)), "{limit}");
    }
    assert_eq!(verdicts(&chain(max(u64::MAX)), &["1"; 50]), "a".repeat(50));
}

#[test]
fn warns_before_it_denies_where_that_is_asked_for() {
    let options = RepetitionOptions {
        warn_at: Some(3),
        ..max(4)
    };
    assert_eq!(verdicts(&chain(options), &["1"; 5]), "aawwd");
}

#[test]
fn a_tool_has_its_own_number_and_masks_are_added() {
    let options = RepetitionOptions {
        tools: BTreeMap::from([("t".to_owned(), 1)]),
        masks: vec!["cursor".to_owned()],
        ..max(9)
    };
    let chain = chain(options);
    assert_eq!(verdicts(&chain, &["1", "1"]), "ad");
    let cursors = [r#"{"cursor":1}"#, r#"{"cursor":2}"#, r#"{"cursor":3}"#];
    assert_eq!(verdicts(&chain, &cursors), "aaw");
}

#[test]
fn calls_denied_before_count_and_sessions_are_apart() {
    let chain = chain(max(2));
    let (mut one, mut two) = (chain.session(), chain.session());
    let call = Call::new("t", &Value::Null);
    for (want, session) in [(Verdict::Allow, &mut one), (Verdict::Allow, &mut two)] {
        assert_eq!(chain.inspect(session, call).verdict(), want);
    }
    chain.inspect(&mut one, call);
    let report = chain.inspect(&mut one, call);
    assert_eq!(report.findings[0].code, "REPETITION_RUN");
    assert_eq!(
        report.findings[0].message,
        "the same call, 3 times in a row"
    );
    assert_eq!(chain.inspect(&mut two, call).verdict(), Verdict::Allow);
    chain.reset_session(&mut one);
    assert_eq!(chain.inspect(&mut one, call).verdict(), Verdict::Allow);
}

#[test]
fn memory_is_bounded() {
    let inspector = Repetition::new(max(100_000));
    let mut state = State::default();
    for number in 0..20_000_u32 {
        let params = Value::from(number);
        let tool = format!("tool{}", number % 1000);
        let reading = Reading::new(Call::new(&tool, &params), crate::Limits::default());
        inspector.inspect(&reading, &mut state);
    }
    let seen = state.of::<Seen>();
    assert_eq!(seen.latest.len(), MAX_PERIOD);
    assert_eq!(seen.windows.len(), MAX_TOOLS + 1);
    assert!(seen.windows.values().all(|window| window.len() <= 4096));
}

proptest! {
    /// However calls are mixed, a run that is longer than the number is denied, and the first
    /// `max` of it are not denied for the run.
    #[test]
    fn a_run_is_denied_exactly_when_it_is_too_long(limit in 1_u64..6, calls in proptest::collection::vec(0_u32..3, 1..60)) {
        let chain = chain(max(limit));
        let mut session = chain.session();
        let mut run = (None, 0_u64);
        for call in calls {
            run = if run.0 == Some(call) { (run.0, run.1.saturating_add(1)) } else { (Some(call), 1) };
            let params = Value::from(call);
            let report = chain.collect(&mut session, Call::new("t", &params));
            let denied = report.findings.iter().any(|it| it.code == "REPETITION_RUN");
            prop_assert_eq!(denied, run.1 > limit);
        }
    }
}
