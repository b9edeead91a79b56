// SPDX-License-Identifier: Apache-2.0
//! Secrets that stand in a text as such: keys and tokens in well-known formats, or their encodings.

use super::eval::files;

/// Prefixes of tokens, with the least length of what follows.
const PREFIXES: [(&str, usize); 24] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("ghu_", 30),
    ("github_pat_", 30),
    ("glpat-", 18),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xapp-", 20),
    ("sk-ant-", 20),
    ("sk-proj-", 20),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("npm_", 30),
    ("pypi-AgEI", 20),
    ("AIza", 35),
    ("ya29.", 20),
    ("SG.", 30),
    ("dop_v1_", 30),
    ("hvs.", 20),
    ("eyJhbGciOi", 20),
];

/// Whether a private key, a token or `SECRET=value` stands in `text`, as such or in base64.
pub(crate) fn has_secret(text: &str) -> bool {
    if text.len() < 12 {
        return false;
    }
    if text.contains("PRIVATE KEY-----")
        || text.contains("PRIVATE KEY BLOCK-----")
        || text.contains("AWS_SECRET_ACCESS_KEY")
    {
        return true;
    }
    // The base64 of `-----BEGIN`, of `PRIVATE KEY` at its three offsets.
    if [
        "LS0tLS1CRUdJTi",
        "UFJJVkFURSBLRV",
        "BSSVZBVEUgS0VZ",
        "QUklWQVRFIEtFW",
        "0tLS0tQkVHSU4g",
    ]
    .iter()
    .any(|code| text.contains(code))
    {
        return true;
    }
    if text.contains("2d2d2d2d2d424547494e") || text.contains("root:x:0:0:") {
        return true;
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for token in text.split(|c: char| !is_token(c)) {
        if PREFIXES.iter().any(|(prefix, more)| {
            token
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.len() >= *more)
        }) {
            return true;
        }
    }
    text.len() < 1 << 16 && has_assignment(text)
}

/// `aws_secret_access_key=wJal…`, `"password": "…"`: a name that says secret, and a value like one.
fn has_assignment(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        rest = after.get(1..).unwrap_or_default();
        let before = before.trim_end_matches(['"', '\'', ' ']);
        let name_start = before
            .rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'))
            .map_or(0, |at| at.saturating_add(1));
        let name = before.get(name_start..).unwrap_or_default();
        if name.len() > 64 || !files::names_secret(name) {
            continue;
        }
        let value = rest.trim_start_matches(['"', '\'', ' ', ':']);
        let end = value
            .find(|c: char| c <= ' ' || matches!(c, '"' | '\'' | '&' | ',' | '}' | ';'))
            .unwrap_or(value.len());
        let value = value.get(..end).unwrap_or_default();
        let digits = value.bytes().any(|b| b.is_ascii_digit());
        let letters = value.bytes().any(|b| b.is_ascii_alphabetic());
        if value.len() >= 8
            && letters
            && (digits || value.len() >= 20)
            && !value.starts_with(['$', '<', '{', '*'])
            && !value.contains("...")
        {
            return true;
        }
    }
    false
}

/// Whether a name or a query carries data: a long piece of hex, base32 or base64.
pub(crate) fn is_encoded(piece: &str) -> bool {
    let length = piece.len();
    if length < 24 {
        return false;
    }
    let hex = piece.bytes().all(|b| b.is_ascii_hexdigit());
    if hex {
        return length >= 32 && length != 40 && length != 64;
    }
    let upper = piece.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = piece.bytes().filter(u8::is_ascii_lowercase).count();
    let digit = piece.bytes().filter(u8::is_ascii_digit).count();
    let other = length
        .saturating_sub(upper)
        .saturating_sub(lower)
        .saturating_sub(digit);
    other <= 3
        && length >= 32
        && digit >= 3
        && (upper >= 4 && lower >= 4 || upper >= 20 && lower == 0 || piece.ends_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_text() {
        for text in [
            "-----BEGIN RSA PRIVATE KEY-----MIIE",
            "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "x AKIAIOSFODNN7EXAMPLE y",
            "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0K",
            "p?aws_secret_access_key=wJalrXUtnFEMI/K7MDENG",
            r#"{"password": "hunter2hunter2"}"#,
        ] {
            assert!(has_secret(text), "{text}");
        }
        for text in [
            "Tests are green.",
            r#"{"q":"weather"}"#,
            "password: $PASS",
            "token=<your token>",
            "key: value",
            "https://x.example/a?b=c",
        ] {
            assert!(!has_secret(text), "{text}");
        }
    }
}
