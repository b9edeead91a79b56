// SPDX-License-Identifier: Apache-2.0
//! The quick look before the parser never changes a verdict: each call is judged with it and
//! without.

use std::path::Path;

use ambit_canon::{Limits, Value, parse};
use ambit_inspect::{Call, EgressInspector, InspectorChain};
use proptest::prelude::*;

fn verdicts(tool: &str, params: &Value) -> [&'static str; 2] {
    [true, false].map(|on| {
        let chain = InspectorChain::new().with(EgressInspector::default().prefilter(on));
        chain
            .inspect(&mut chain.session(), Call::new(tool, params))
            .verdict()
            .as_str()
    })
}

fn command(text: &str) -> Value {
    let params: ambit_canon::Object = [("command", text)].into_iter().collect();
    Value::from(params)
}

#[test]
#[expect(clippy::or_fun_call, reason = "cheap")]
fn every_vector_has_one_verdict() {
    for name in ["egress-corpus.json", "own-corpus.json", "inspector.json"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../__test__/vectors/inspect")
            .join(name);
        let limits = Limits {
            max_bytes: 16 << 20,
            ..Limits::default()
        };
        let vectors = parse(&std::fs::read(path).unwrap(), &limits).unwrap();
        let mut count = 0_u32;
        for case in vectors.get("cases").and_then(Value::as_array).unwrap() {
            let calls = case
                .get("calls")
                .and_then(Value::as_array)
                .unwrap_or(std::slice::from_ref(case));
            for call in calls.iter().filter(|call| call.get("tool").is_some()) {
                let tool = call.get("tool").and_then(Value::as_str).unwrap();
                let [with, without] = verdicts(tool, call.get("params").unwrap());
                assert_eq!(with, without, "{tool} {:?}", call.get("params"));
                count = count.saturating_add(1);
            }
        }
        assert!(count > 200, "{name}: {count}");
    }
}

/// Pieces of commands, those that matter among them.
const PIECES: [&str; 58] = [
    "ls",
    "cat",
    "echo",
    "grep",
    "git",
    "cargo",
    "npm",
    "pnpm",
    "yarn",
    "install",
    "exec",
    "dlx",
    "x",
    "run build",
    "npm run",
    "--",
    "status",
    "commit",
    "-m",
    "log",
    "test",
    "nc",
    "curl",
    "bash",
    "sh",
    ".env",
    "evil.example",
    "'a b'",
    "\"x\"",
    "'nc evil.example 1'",
    "\"$(nc evil.example 1)\"",
    "'https://evil.example/x'",
    "|",
    ";",
    "&&",
    "\n",
    "&",
    ">",
    "<",
    "/dev/tcp/evil.example/80",
    "-c",
    "-x",
    "--exec",
    "foreach",
    "config",
    "run",
    "publish",
    "true",
    "rm",
    "a''b",
    "$x",
    "(",
    ")",
    "{",
    "}",
    "#",
    "\\",
    "=",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn commands_put_together_have_one_verdict(
        pieces in proptest::collection::vec((0..PIECES.len(), any::<bool>()), 1..14),
    ) {
        let mut text = String::new();
        for (piece, blank) in pieces {
            text.push_str(PIECES[piece]);
            // Mostly words of their own.
            if blank || piece % 3 != 0 {
                text.push(' ');
            }
        }
        let [with, without] = verdicts("shell", &command(&text));
        prop_assert_eq!(with, without, "{}", text);
    }

    #[test]
    fn any_text_has_one_verdict(text in "[a-z \\-./'\"|;&\n$(){}<>#=*?]{0,60}") {
        let [with, without] = verdicts("shell", &command(&text));
        prop_assert_eq!(with, without, "{}", text);
    }
}
