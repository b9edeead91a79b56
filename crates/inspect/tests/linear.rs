// SPDX-License-Identifier: Apache-2.0
//! Reading is linear in time, and needs no stack: every family of input that is known to break
//! readers, doubled up to 1 MiB, on a stack of 256 KiB.

use std::time::{Duration, Instant};

use ambit_canon::Value;
use ambit_inspect::{Call, EgressInspector, InspectorChain, Verdict};

const STACK: usize = 256 << 10;
const LARGEST: usize = 1 << 20;

/// A family: its name, what is repeated, and what stands around it.
const FAMILIES: [(&str, &str, &str, &str); 48] = [
    ("quote in brace", "", "\"${", ""),
    ("default in default", "echo ", "${x:-", ""),
    ("substitution", "", "$(", ""),
    ("substitution with text", "", "echo $(", ""),
    ("closed substitutions", "echo ", "$(x) ", ""),
    ("arithmetic", "", "$((", ""),
    ("arithmetic closed", "", "$((1)) ", ""),
    ("arithmetic half closed", "", "$((1) ", ""),
    ("subshell", "", "(", ""),
    ("subshell closing", "", ")", ""),
    ("brace groups", "", "{ ", ""),
    ("if", "", "if ", ""),
    ("for", "", "for x in a; do ", ""),
    ("case", "", "case x in x) ", ""),
    ("functions", "", "f() { ", ""),
    ("functions that call", "", "f() { f; f; }; ", "f"),
    ("backticks", "", "`", ""),
    ("escaped backticks", "`", "\\`", "`"),
    ("env -S", "", "env -S x ", "nc"),
    ("env", "", "env ", "nc evil.example 1"),
    ("su -c", "", "su -c ", "x"),
    ("script -c", "", "script -c ", "x"),
    ("vi -c", "", "vi -c !x ", ""),
    ("make -E", "", "gmake -E ", ""),
    ("sh -c", "", "sh -c ", "x"),
    ("eval", "", "eval ", "x"),
    ("xargs", "", "xargs ", "x"),
    ("find -exec", "", "find . -exec ", "x ;"),
    ("parallel", "", "parallel ", "x"),
    ("git foreach", "git ", "foreach ", ""),
    ("here-documents", "", "cat <<A\n", ""),
    ("here-documents on a line", "cat ", "<<A ", "\n"),
    ("here-documents that end", "", "cat <<A\nx\nA\n", ""),
    ("here-strings", "", "cat <<< x ", ""),
    ("backslashes", "", "\\", ""),
    ("pipes", "", "|", ""),
    ("pipeline", "", "cat | ", "cat"),
    ("decoders", "echo x ", "| base64 -d ", "| sh"),
    ("long word", "", "a", ""),
    ("quotes", "", "'a'\"b\"", ""),
    ("open quote", "'", "a ", ""),
    ("braces", "echo ", "{a,b}", ""),
    ("braces in braces", "echo ", "{a,", ""),
    ("assignments that grow", "a=x; ", "a=$a$a; ", ""),
    ("URLs", "curl ", "https://a.example/ ", ""),
    ("schemes", "curl ", "://", ""),
    ("globs", "", "*?[a] ", ""),
    ("redirections", "cat ", "> f < g 2>&1 ", ""),
];

fn text(family: (&str, &str, &str, &str), bytes: usize) -> String {
    let (_, before, repeated, after) = family;
    let count = bytes
        .saturating_sub(before.len())
        .checked_div(repeated.len())
        .unwrap_or(0);
    format!("{before}{}{after}", repeated.repeat(count))
}

/// The time that one call takes, and its verdict.
fn time(chain: &InspectorChain, tool: &str, text: String) -> (Duration, Verdict) {
    let params: ambit_canon::Object = [("command", Value::from(text))].into_iter().collect();
    let params = Value::from(params);
    let start = Instant::now();
    let verdict = chain
        .inspect(&mut chain.session(), Call::new(tool, &params))
        .verdict();
    (start.elapsed(), verdict)
}

#[test]
fn every_family_is_linear_on_a_small_stack() {
    let work = || {
        let chain = InspectorChain::new().with(EgressInspector::default().prefilter(false));
        let mut slow = Vec::new();
        for family in FAMILIES {
            let small = text(family, LARGEST / 8);
            let (small, _) = time(&chain, "shell", small);
            let (large, verdict) = time(&chain, "shell", text(family, LARGEST));
            println!(
                "{:<28} {small:>12.1?} {large:>12.1?} {}",
                family.0,
                verdict.as_str()
            );
            // Eight times the input: a quadratic reader takes 64 times as long. What takes little
            // time is noise.
            if large > Duration::from_millis(500) && large > small.saturating_mul(32) {
                slow.push(format!("{}: {small:?}, then {large:?}", family.0));
            }
            if large > Duration::from_secs(20) {
                slow.push(format!("{}: {large:?}", family.0));
            }
        }
        slow
    };
    let slow = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

#[test]
fn code_of_other_languages_is_linear_too() {
    let work = || {
        let chain = InspectorChain::new().with(EgressInspector::default().prefilter(false));
        for part in [
            "'",
            "\"a\"+",
            "exec(",
            "/*",
            "//",
            "#",
            "requests.get(",
            "open('.env')",
            "`${",
            "system('x');",
            "\\",
        ] {
            let small = part.repeat((LARGEST / 8).checked_div(part.len()).unwrap_or(0));
            let large = part.repeat(LARGEST.checked_div(part.len()).unwrap_or(0));
            let (small, _) = time(&chain, "python", small);
            let (large, _) = time(&chain, "python", large);
            println!("{part:<28} {small:>12.1?} {large:>12.1?}");
            assert!(
                large < Duration::from_millis(500) || large < small.saturating_mul(32),
                "{part}: {small:?}, then {large:?}"
            );
        }
    };
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn what_is_over_budget_is_denied() {
    let chain = InspectorChain::new().with(EgressInspector::default());
    for text in [
        "(".repeat(4096),
        "eval ".repeat(64) + "sh -c 'x'",
        "x ".repeat(3 << 20),
    ] {
        let (_, verdict) = time(&chain, "shell", text);
        assert_eq!(verdict, Verdict::Deny);
    }
}
