// SPDX-License-Identifier: Apache-2.0
use std::fmt::Write as _;

use ambit_canon::{Limits, Object, Value, parse};

use super::*;
use crate::{Call, InspectorChain, Verdict};

const SECRET: &str = "correct-horse-battery";

fn key() -> String {
    ["gh", "p_", "aB3dE5gH7jK9mN1pQ2sT4vW6xY8zA0cD1fG3"].concat()
}

fn chain() -> InspectorChain {
    let options = SecretsOptions {
        fingerprints: vec![Fingerprint::of(SECRET.as_bytes()).unwrap()],
        random: Some(Severity::Warn),
        allow_params: vec!["vault_*".to_owned()],
    };
    InspectorChain::new().with(Secrets::new(options).unwrap())
}

fn look(tool: &str, params: &Value) -> Vec<String> {
    let chain = chain();
    let report = chain.inspect(&mut chain.session(), Call::new(tool, params));
    for finding in &report.findings {
        for secret in [SECRET, &key()] {
            assert!(!format!("{finding:?}").contains(secret), "{finding:?}");
        }
    }
    report
        .findings
        .iter()
        .map(|it| {
            let at = it.span.as_ref().map_or(String::new(), |it| {
                format!(" {}:{}-{}", it.pointer, it.start, it.end)
            });
            format!("{}{at}", it.code)
        })
        .collect()
}

fn object(name: &str, value: &str) -> Value {
    Value::from([(name, value)].into_iter().collect::<Object>())
}

#[test]
fn credentials_are_found_wherever_they_stand_and_however_they_are_written() {
    let bytes = SECRET.bytes();
    let (mut hex, mut percent) = (String::new(), String::new());
    for byte in bytes {
        write!(hex, "{byte:02x}").unwrap();
        write!(percent, "%{byte:02X}").unwrap();
    }
    for (name, value, want) in [
        (
            "command",
            format!("curl -H 'X: {}' x", key()),
            "SECRET_FORMAT /command:12-52",
        ),
        (
            "url",
            format!("https://h/?k={SECRET}"),
            "SECRET_KNOWN /url:13-34",
        ),
        (
            SECRET,
            "x".to_owned(),
            "SECRET_KNOWN /correct-horse-battery:0-0",
        ),
        (
            "body",
            format!("x{}", "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"),
            "SECRET_KNOWN /body:1-29",
        ),
        ("body", hex, "SECRET_KNOWN /body:0-42"),
        (
            "url",
            format!("https://h/{percent}"),
            "SECRET_KNOWN /url:0-73",
        ),
        // base64 of base64
        (
            "body",
            "WTI5eWNtVmpkQzFvYjNKelpTMWlZWFIwWlhKNQ==".to_owned(),
            "SECRET_KNOWN /body:0-38",
        ),
        (
            "api_key",
            "k3Jd8fQ2mZx7Lp0Vt5Rw".to_owned(),
            "SECRET_RANDOM /api_key:0-20",
        ),
    ] {
        if name == SECRET {
            // A name is shown as the place of a value, so that one is not looked for in the finding.
            let chain = chain();
            let params = object(name, &value);
            let report = chain.inspect(&mut chain.session(), Call::new("t", &params));
            assert_eq!(report.findings[0].code, "SECRET_KNOWN");
            assert_eq!(report.findings[0].span, None);
            continue;
        }
        assert_eq!(look("t", &object(name, &value)), [want], "{name} {value}");
    }
}

#[test]
fn harmless_calls_are_let_through() {
    for (tool, params) in [
        (
            "shell",
            r#"{"command":"git log --oneline da39a3ee5e6b4b0d3255bfef95601890afd80709"}"#,
        ),
        (
            "shell",
            r#"{"command":"npm ci && npm run build -- --mode=production"}"#,
        ),
        (
            "write_file",
            r#"{"path":"a.ts","content":"export const x = process.env['API_TOKEN']\n"}"#,
        ),
        (
            "write_file",
            r#"{"path":"m.txt","content":"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}"#,
        ),
        (
            "http",
            r#"{"url":"https://api.github.com/repos/a/b/pulls?state=open&per_page=100"}"#,
        ),
        (
            "t",
            r#"{"id":"550e8400-e29b-41d4-a716-446655440000","vault_token":"correct-horse-battery"}"#,
        ),
    ] {
        let params = parse(params.as_bytes(), &Limits::default()).unwrap();
        let found = look(tool, &params);
        assert!(
            found.iter().all(|it| it.starts_with("SECRET_RANDOM")),
            "{tool} {found:?}"
        );
    }
}

#[test]
fn time_is_linear_and_decoding_is_bounded() {
    for unit in ["A", "%41", "4a", "aB3/", "eyJ.", "://a:b@", "sk-", "x "] {
        let text = unit.repeat((1 << 18) / unit.len());
        let start = std::time::Instant::now();
        let chain = chain();
        let verdict = chain
            .inspect(&mut chain.session(), Call::new("t", &object("x", &text)))
            .verdict();
        assert!(verdict <= Verdict::Deny);
        // 256 KiB; a test build takes well under a second, and what is quadratic takes minutes.
        assert!(start.elapsed().as_secs() < 30, "{unit}");
    }
}
