// SPDX-License-Identifier: Apache-2.0
//! Credentials in well-known formats: told by a prefix and by what follows it.

use std::ops::Range;

/// Which bytes follow a prefix.
#[derive(Clone, Copy, Debug)]
enum Set {
    /// `A-Z2-7` and digits.
    Upper,
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_`, `-`.
    Word,
    /// Letters, digits, `_`, `-`, `.`.
    Dotted,
    /// Hexadecimal digits.
    Hex,
}

impl Set {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Hex => byte.is_ascii_hexdigit(),
        }
    }
}

/// One format: its name, the prefix, what follows, and how much of it at least and at most.
type Format = (&'static str, &'static str, Set, usize, usize);

const ANY: usize = 1024;

/// As their issuers document them, or as their secret scanning does.
static FORMATS: [Format; 71] = [
    ("an AWS access key id", "AKIA", Set::Upper, 16, 16),
    ("an AWS access key id", "ASIA", Set::Upper, 16, 16),
    ("an AWS access key id", "ABIA", Set::Upper, 16, 16),
    ("an AWS access key id", "ACCA", Set::Upper, 16, 16),
    ("a Google API key", "AIza", Set::Word, 35, 35),
    ("a Google OAuth token", "ya29.", Set::Dotted, 20, ANY),
    ("a Google OAuth secret", "GOCSPX-", Set::Word, 24, 64),
    ("a GitHub token", "ghp_", Set::Alnum, 30, 255),
    ("a GitHub token", "gho_", Set::Alnum, 30, 255),
    ("a GitHub token", "ghu_", Set::Alnum, 30, 255),
    ("a GitHub token", "ghs_", Set::Alnum, 30, 255),
    ("a GitHub token", "ghr_", Set::Alnum, 30, 255),
    ("a GitHub token", "github_pat_", Set::Word, 22, 255),
    ("a GitLab token", "glpat-", Set::Dotted, 20, 300),
    ("a GitLab token", "gldt-", Set::Word, 20, 300),
    ("a GitLab token", "glrt-", Set::Dotted, 20, 300),
    ("a GitLab token", "glptt-", Set::Word, 20, 300),
    ("a GitLab token", "glcbt-", Set::Word, 20, 300),
    ("a GitLab token", "gloas-", Set::Word, 20, 300),
    ("a Bitbucket token", "ATBB", Set::Alnum, 32, 64),
    ("an Atlassian token", "ATATT3x", Set::Word, 40, 400),
    ("a Slack token", "xoxb-", Set::Word, 20, 300),
    ("a Slack token", "xoxp-", Set::Word, 20, 300),
    ("a Slack token", "xoxa-", Set::Word, 20, 300),
    ("a Slack token", "xoxr-", Set::Word, 20, 300),
    ("a Slack token", "xoxs-", Set::Word, 20, 300),
    ("a Slack token", "xoxe-", Set::Word, 20, 300),
    ("a Slack token", "xapp-", Set::Word, 20, 300),
    ("a Stripe key", "sk_live_", Set::Alnum, 16, 300),
    ("a Stripe key", "rk_live_", Set::Alnum, 16, 300),
    ("a Stripe webhook secret", "whsec_", Set::Alnum, 24, 100),
    ("an Anthropic key", "sk-ant-", Set::Word, 20, 300),
    ("an OpenAI key", "sk-proj-", Set::Word, 20, 300),
    ("an OpenAI key", "sk-svcacct-", Set::Word, 20, 300),
    ("an OpenAI key", "sk-admin-", Set::Word, 20, 300),
    ("an OpenAI key", "sk-", Set::Alnum, 32, 64),
    ("an OpenRouter key", "sk-or-v1-", Set::Hex, 40, 100),
    ("a Hugging Face token", "hf_", Set::Alnum, 30, 60),
    ("a Replicate token", "r8_", Set::Alnum, 30, 60),
    ("a Groq key", "gsk_", Set::Alnum, 40, 80),
    ("an xAI key", "xai-", Set::Alnum, 40, 120),
    ("a Perplexity key", "pplx-", Set::Alnum, 40, 80),
    ("an npm token", "npm_", Set::Alnum, 30, 60),
    ("a PyPI token", "pypi-AgE", Set::Word, 40, 400),
    ("a RubyGems key", "rubygems_", Set::Hex, 40, 60),
    ("a crates.io token", "cio", Set::Alnum, 32, 32),
    ("a Docker token", "dckr_pat_", Set::Word, 20, 60),
    ("a SendGrid key", "SG.", Set::Dotted, 40, 100),
    ("a Mailgun key", "key-", Set::Hex, 32, 32),
    ("a Mailchimp key", "md-", Set::Word, 22, 22),
    ("a Twilio key", "SK", Set::Hex, 32, 32),
    ("a DigitalOcean token", "dop_v1_", Set::Hex, 60, 70),
    ("a DigitalOcean token", "doo_v1_", Set::Hex, 60, 70),
    ("a DigitalOcean token", "dor_v1_", Set::Hex, 60, 70),
    ("a Shopify token", "shpat_", Set::Hex, 32, 40),
    ("a Shopify token", "shpca_", Set::Hex, 32, 40),
    ("a Shopify token", "shppa_", Set::Hex, 32, 40),
    ("a Shopify secret", "shpss_", Set::Hex, 32, 40),
    ("a Vault token", "hvs.", Set::Word, 24, 300),
    ("a Vault token", "hvb.", Set::Word, 24, 300),
    ("a Databricks token", "dapi", Set::Hex, 32, 34),
    ("a Linear key", "lin_api_", Set::Alnum, 32, 60),
    ("a Notion token", "ntn_", Set::Alnum, 40, 60),
    ("a Figma token", "figd_", Set::Word, 40, 60),
    ("a Postman key", "PMAK-", Set::Word, 50, 80),
    ("a Doppler token", "dp.pt.", Set::Alnum, 40, 60),
    ("a New Relic key", "NRAK-", Set::Alnum, 24, 40),
    ("a Grafana token", "glsa_", Set::Word, 32, 60),
    ("a Grafana token", "glc_", Set::Word, 40, 400),
    ("a Pulumi token", "pul-", Set::Hex, 40, 40),
    ("an age key", "AGE-SECRET-KEY-1", Set::Alnum, 50, 60),
];

/// Formats that are a part in the middle of a text, whatever stands before.
static PARTS: [(&str, &str); 5] = [
    ("a private key", "PRIVATE KEY-----"),
    ("a private key", "PRIVATE KEY BLOCK-----"),
    ("a private key", "PuTTY-User-Key-File-"),
    ("a Terraform token", ".atlasv1."),
    ("a Slack webhook", "hooks.slack.com/services/T"),
];

/// A credential that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What it is, with its article.
    pub(super) what: &'static str,
    pub(super) at: Range<usize>,
}

/// The first credential of a well-known format in a text.
pub(super) fn find(text: &str) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut before = b' ';
    for (start, byte) in bytes.iter().copied().enumerate() {
        let boundary = !(before.is_ascii_alphanumeric() || before == b'_');
        before = byte;
        if !boundary || !byte.is_ascii_alphabetic() {
            continue;
        }
        let rest = bytes.get(start..).unwrap_or_default();
        if let Some(found) = token(rest).or_else(|| jwt(rest)) {
            let (what, length) = found;
            let at = start..start.saturating_add(length);
            return Some(Found { what, at });
        }
    }
    part(text).or_else(|| userinfo(text))
}

fn token(rest: &[u8]) -> Option<(&'static str, usize)> {
    FORMATS.iter().find_map(|(what, prefix, set, least, most)| {
        let after = rest.strip_prefix(prefix.as_bytes())?;
        let more = most.saturating_add(1);
        let length = after
            .iter()
            .take(more)
            .take_while(|it| set.has(**it))
            .count();
        let value = after.get(..length)?;
        let fits = (*least..=*most).contains(&length) && !is_placeholder(value);
        fits.then(|| (*what, prefix.len().saturating_add(length)))
    })
}

/// `AKIAIOSFODNN7EXAMPLE`, `ghp_xxxxxxxx…`: what documents show in place of a credential.
fn is_placeholder(value: &[u8]) -> bool {
    let is = |part: &[u8]| {
        value
            .windows(part.len())
            .any(|it| it.eq_ignore_ascii_case(part))
    };
    let first = value.first();
    is(b"example")
        || is(b"xxxxxxxx")
        || is(b"placeholder")
        || is(b"your-")
        || is(b"your_")
        || value.iter().all(|byte| Some(byte) == first)
}

/// Three parts of base64url: a header that begins with `{"`, a payload that does, a signature.
/// Each part is read once, and only behind the one before it.
fn jwt(rest: &[u8]) -> Option<(&'static str, usize)> {
    let part = |from: usize, most: usize| {
        let bytes = rest.get(from..)?;
        let length = bytes
            .iter()
            .take(most)
            .take_while(|it| Set::Word.has(**it))
            .count();
        Some(from.saturating_add(length))
    };
    let dot = |at: usize| (rest.get(at) == Some(&b'.')).then(|| at.saturating_add(1));
    if !rest.starts_with(b"eyJ") {
        return None;
    }
    let header = part(0, 512)?;
    let payload = dot(header)?;
    if header < 16 || !rest.get(payload..)?.starts_with(b"eyJ") {
        return None;
    }
    let signature = dot(part(payload, 8192)?)?;
    let end = part(signature, 1024)?;
    (end.saturating_sub(signature) >= 16).then_some(("a signed token (JWT)", end))
}

fn part(text: &str) -> Option<Found> {
    PARTS.iter().find_map(|(what, part)| {
        let start = text.find(part)?;
        let at = start..start.saturating_add(part.len());
        Some(Found { what, at })
    })
}

/// `scheme://name:password@host`, where the password is none of a document.
fn userinfo(text: &str) -> Option<Found> {
    let mut from = 0_usize;
    while let Some(at) = text.get(from..)?.find("://") {
        let start = from.saturating_add(at).saturating_add(3);
        let rest = text.get(start..)?;
        let end = rest
            .find(|it: char| it.is_whitespace() || matches!(it, '/' | '?' | '#' | '"' | '\'' | '`'))
            .unwrap_or(rest.len());
        let authority = rest.get(..end)?;
        if let Some((info, _host)) = authority.rsplit_once('@')
            && let Some((name, password)) = info.split_once(':')
            && is_password(password)
        {
            let first = start.saturating_add(name.len()).saturating_add(1);
            let at = first..first.saturating_add(password.len());
            return Some(Found {
                what: "a password in a URL",
                at,
            });
        }
        from = start;
    }
    None
}

fn is_password(text: &str) -> bool {
    const NONE: [&str; 12] = [
        "pass", "password", "passwd", "pwd", "secret", "token", "changeme", "test", "postgres",
        "root", "user", "guest",
    ];
    text.len() >= 4
        && !text.contains(['$', '<', '{', '*', '%'])
        && !text.bytes().all(|byte| matches!(byte, b'x' | b'X' | b'.'))
        && !NONE.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A credential, put together so that no scanner takes this file for one that leaks.
    fn made(prefix: &str, body: &str, length: usize) -> String {
        let body: String = body.chars().cycle().take(length).collect();
        format!("{prefix}{body}")
    }

    #[test]
    fn every_format_is_found_wherever_it_stands() {
        for (what, prefix, set, least, _most) in FORMATS {
            let body = match set {
                Set::Upper => "Q2W3E4R5T6Z7",
                Set::Hex => "0a1b2c3d4e5f",
                Set::Alnum | Set::Word | Set::Dotted => "aB3dE5gH7jK9mN1p",
            };
            let key = made(prefix, body, least);
            for (before, after) in [("", ""), ("token=", "&x=1"), ("'", "'"), ("Bearer ", "\n")] {
                let text = format!("{before}{key}{after}");
                let found = find(&text);
                let want = Found {
                    what,
                    at: before.len()..before.len() + key.len(),
                };
                // `sk-` is the start of others
                assert_eq!(found.as_ref().map(|it| &it.at), Some(&want.at), "{text}");
            }
            let short = made(prefix, body, least - 1);
            assert_eq!(find(&short), None, "{short}");
            assert_eq!(find(&format!("x{key}")), None, "a part of another word");
        }
    }

    #[test]
    fn tokens_keys_and_passwords_are_found() {
        let jwt = format!(
            "eyJ{}.eyJ{}.{}",
            "hbGciOiJIUzI1NiJ9a", "zdWIiOiIxIn0", "c2lnbmF0dXJlc2lnbg"
        );
        for (text, what) in [
            (
                format!("Authorization: Bearer {jwt}"),
                Some("a signed token (JWT)"),
            ),
            (
                ["-----BEGIN RSA ", "PRIVATE KEY-----\nMII"].concat(),
                Some("a private key"),
            ),
            (
                "postgres://app:Tr0ub4dor@db.internal/x".to_owned(),
                Some("a password in a URL"),
            ),
            ("postgres://app:password@localhost/x".to_owned(), None),
            ("https://user:$TOKEN@host/".to_owned(), None),
            ("https://host/a:b@c".to_owned(), None),
            ("eyJhbGciOiJub25lIn0".to_owned(), None),
            ("AKIAIOSFODNN7EXAMPLE".to_owned(), None),
            ("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned(), None),
            (
                "an ordinary sentence, sk-learn and npm_config_cache".to_owned(),
                None,
            ),
        ] {
            assert_eq!(find(&text).map(|it| it.what), what, "{text}");
        }
    }
}
