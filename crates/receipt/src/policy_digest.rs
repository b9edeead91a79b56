// SPDX-License-Identifier: Apache-2.0
//! Names for policies: the digest of their files, of their compiled rules, and the bundle in which
//! a policy is published.
//!
//! The digest of files is `acta-policy-digest-v1` of draft-farley-acta-signed-receipts-04, section
//! 6.8: SHA-256 of the RFC 8785 text of
//! `{"construction":"acta-policy-digest-v1","engine":…,"files":[{"name","sha256"}]}` with the files
//! sorted by name, by code point. It covers every byte of every file, comments and messages too. It
//! does not say in which order an engine reads the files; [`compiled_policy_digest`] does.

use std::collections::BTreeMap;

use ambit_canon::{CanonError, Digest, Limits, Object, Value, parse, write};

use crate::schema::{Check, Others, SchemaError, Shape, TEXT, TIME, check_object, must};

/// A policy's file: its name in the manifest, and its bytes as they are.
///
/// A policy that has no file is one named `policy` and its engine's ending, as in `policy.cedar`; a
/// structured configuration is the RFC 8785 text of it, as `policy.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyFile<'a> {
    /// 1 to 1024 bytes without control characters.
    pub name: &'a str,
    /// Any bytes.
    pub content: &'a [u8],
}

/// Returns the `acta-policy-digest-v1` of a policy's files; `sha256:` goes in front of its hex.
///
/// `engine` names the language, as in `cedar`: 1 to 128 printable ASCII characters.
///
/// # Errors
///
/// No file, more than 10,000 files, and names that are malformed or there twice.
pub fn policy_digest(engine: &str, files: &[PolicyFile<'_>]) -> Result<Digest, PolicyDigestError> {
    let mut digests = BTreeMap::new();
    for file in files {
        add(&mut digests, file.name, Digest::of(file.content))?;
    }
    manifest_digest(engine, &digests)
}

/// Returns the digest of compiled rules in the order in which they are tried: SHA-256 of the RFC
/// 8785 text of `{"construction":"ambit-compiled-policy-v1","engine":…,"rules":[…]}`.
///
/// `rules` is the JSON text of an array: two policies that differ in the order of their rules differ
/// in this digest.
///
/// # Errors
///
/// A malformed `engine`, and rules that are not an array in strict JSON of at most 16 MiB.
pub fn compiled_policy_digest(engine: &str, rules: &[u8]) -> Result<Digest, PolicyDigestError> {
    check_engine(engine)?;
    let rules = parse(rules, &BUNDLE_LIMITS).map_err(PolicyDigestError::Json)?;
    if rules.as_array().is_none() {
        let error = SchemaError::new("rules", "an array");
        return Err(PolicyDigestError::Schema(error));
    }
    let members = [
        ("construction", Value::from("ambit-compiled-policy-v1")),
        ("engine", Value::from(engine)),
        ("rules", rules),
    ];
    Ok(digest_of(members.into_iter().collect()))
}

/// Returns the document in which a policy is published, `acta.policy-bundle.v1`, as RFC 8785 text.
/// Its place on a server is `/.well-known/acta-policies/` and the digest's hex and `.json`.
///
/// `generated_at` is an RFC 3339 time with its zone.
///
/// # Errors
///
/// Those of [`policy_digest`], a file that is not UTF-8, a malformed time, and more than 16 MiB.
pub fn policy_bundle(
    engine: &str,
    files: &[PolicyFile<'_>],
    generated_at: &str,
) -> Result<String, PolicyDigestError> {
    let digest = policy_digest(engine, files)?;
    let mut sorted = files.to_vec();
    sorted.sort_by_key(|file| file.name);
    let mut rows = Vec::with_capacity(sorted.len());
    for file in sorted {
        let Ok(content) = std::str::from_utf8(file.content) else {
            return Err(PolicyDigestError::NotText(file.name.to_owned()));
        };
        let sha256 = Digest::of(file.content).hex();
        let members = [
            ("content", content),
            ("name", file.name),
            ("sha256", &sha256),
        ];
        rows.push(Value::Object(members.into_iter().collect()));
    }
    let members = [
        ("schema", Value::from(BUNDLE_SCHEMA)),
        ("construction", Value::from(CONSTRUCTION)),
        ("engine", Value::from(engine)),
        ("policy_digest", Value::from(digest.prefixed())),
        ("files", Value::from(rows)),
        ("generated_at", Value::from(generated_at)),
    ];
    let text = write(&Value::Object(members.into_iter().collect()));
    // what a reader would refuse is not published
    check_policy_bundle(text.as_bytes())?;
    Ok(text)
}

/// Checks that a bundle is what it says: every file has its digest, and all of them have the
/// policy's. Returns that digest, which is to be compared with the one in a receipt.
///
/// # Errors
///
/// A bundle that is not strict JSON of at most 16 MiB, has another shape or other members, or a
/// digest that does not fit.
pub fn check_policy_bundle(bundle: &[u8]) -> Result<Digest, PolicyDigestError> {
    let bundle = parse(bundle, &BUNDLE_LIMITS).map_err(PolicyDigestError::Json)?;
    let Value::Object(bundle) = bundle else {
        let error = SchemaError::new("bundle", "an object");
        return Err(PolicyDigestError::Schema(error));
    };
    check_object(&bundle, &BUNDLE, "", Others::Refused).map_err(PolicyDigestError::Schema)?;
    let text = |object: &Object, name| {
        let value = object.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let mut digests = BTreeMap::new();
    let files = bundle.get("files").and_then(Value::as_array);
    for file in files
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_object)
    {
        let name = text(file, "name");
        let digest = Digest::of(text(file, "content").as_bytes());
        if text(file, "sha256") != digest.hex() {
            return Err(PolicyDigestError::FileDigest(name));
        }
        add(&mut digests, &name, digest)?;
    }
    let digest = manifest_digest(&text(&bundle, "engine"), &digests)?;
    if text(&bundle, "policy_digest") != digest.prefixed() {
        return Err(PolicyDigestError::BundleDigest);
    }
    Ok(digest)
}

/// Why a policy has no digest, or a bundle does not hold what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyDigestError {
    /// The bundle's `policy_digest` is not that of its files.
    #[error("`policy_digest` is not the digest of the bundle's files")]
    BundleDigest,
    /// A name that two files have.
    #[error("two files are named `{}`", .0.escape_debug())]
    DuplicateName(String),
    /// The name of the engine is malformed.
    #[error("malformed engine; expected 1 to 128 printable ASCII characters")]
    Engine,
    /// A file's `sha256` is not that of its content.
    #[error("the content of `{}` has another digest", .0.escape_debug())]
    FileDigest(String),
    /// No file, or too many.
    #[error("a policy has 1 to 10000 files")]
    FileCount,
    /// The document is not strict JSON, or too large.
    #[error("malformed document")]
    Json(#[source] CanonError),
    /// A file's name is malformed.
    #[error("malformed file name; expected 1 to 1024 bytes without control characters")]
    Name,
    /// A file that cannot stand in a bundle.
    #[error("`{}` is not UTF-8", .0.escape_debug())]
    NotText(String),
    /// A member is missing, malformed or unknown.
    #[error("malformed document")]
    Schema(#[source] SchemaError),
}

impl PolicyDigestError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BundleDigest | Self::FileDigest(_) => "ERR_POLICY_BUNDLE_MISMATCH",
            Self::DuplicateName(_)
            | Self::Engine
            | Self::FileCount
            | Self::Json(_)
            | Self::Name
            | Self::NotText(_)
            | Self::Schema(_) => "ERR_POLICY_BUNDLE_INVALID",
        }
    }
}

fn add(
    digests: &mut BTreeMap<String, Digest>,
    name: &str,
    digest: Digest,
) -> Result<(), PolicyDigestError> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(PolicyDigestError::Name);
    }
    match digests.insert(name.to_owned(), digest) {
        Some(_) => Err(PolicyDigestError::DuplicateName(name.to_owned())),
        None => Ok(()),
    }
}

/// Strings of a `BTreeMap` stand in the order of their UTF-8 bytes, which is that of code points.
fn manifest_digest(
    engine: &str,
    digests: &BTreeMap<String, Digest>,
) -> Result<Digest, PolicyDigestError> {
    check_engine(engine)?;
    if digests.is_empty() || digests.len() > MAX_FILES {
        return Err(PolicyDigestError::FileCount);
    }
    let row = |(name, digest): (&String, &Digest)| {
        let members = [("name", name.clone()), ("sha256", digest.hex())];
        Value::Object(members.into_iter().collect())
    };
    let members = [
        ("construction", Value::from(CONSTRUCTION)),
        ("engine", Value::from(engine)),
        (
            "files",
            Value::from(digests.iter().map(row).collect::<Vec<_>>()),
        ),
    ];
    Ok(digest_of(members.into_iter().collect()))
}

fn check_engine(engine: &str) -> Result<(), PolicyDigestError> {
    let printable = engine.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    if engine.is_empty() || engine.len() > MAX_ENGINE_BYTES || !printable {
        return Err(PolicyDigestError::Engine);
    }
    Ok(())
}

fn digest_of(manifest: Object) -> Digest {
    Digest::of(write(&Value::Object(manifest)).as_bytes())
}

const CONSTRUCTION: &str = "acta-policy-digest-v1";
const BUNDLE_SCHEMA: &str = "acta.policy-bundle.v1";
const MAX_NAME_BYTES: usize = 1024;
const MAX_ENGINE_BYTES: usize = 128;
const MAX_FILES: usize = 10_000;
const BUNDLE_LIMITS: Limits = Limits {
    max_bytes: 16 << 20,
    max_depth: 64,
};

static BUNDLE: Shape = Shape {
    members: &[
        must("schema", Check::OneOf(&[BUNDLE_SCHEMA])),
        must("construction", Check::OneOf(&[CONSTRUCTION])),
        must("engine", TEXT),
        must("policy_digest", TEXT),
        must("files", Check::List(&Check::Object(&FILE))),
        must("generated_at", TIME),
    ],
    others: Others::Refused,
};

static FILE: Shape = Shape {
    members: &[
        must("name", TEXT),
        must("sha256", TEXT),
        must("content", crate::schema::STRING),
    ],
    others: Others::Refused,
};

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[PolicyFile<'_>] = &[
        PolicyFile {
            name: "b.cedar",
            content: b"c",
        },
        PolicyFile {
            name: "a.cedar",
            content: b"ab",
        },
    ];
    const DIGEST: &str = "sha256:04354bda033d1daa2d3432cfbd635cc1ee473fa6ffac42ded67e4aafa8397bc9";
    const AT: &str = "2026-01-01T00:00:00Z";

    #[test]
    fn every_recorded_digest_is_reproduced() {
        let file = include_bytes!("../../../__test__/vectors/receipts/acta/policy-digest.json");
        let file = parse(file, &Limits::default()).unwrap();
        let vectors = file.get("vectors").and_then(Value::as_array).unwrap();
        for vector in vectors {
            let text = |name| vector.get(name).and_then(Value::as_str).unwrap();
            let members = vector.get("files").and_then(Value::as_object).unwrap();
            let mut files: Vec<_> = members
                .iter()
                .map(|(name, content)| PolicyFile {
                    name,
                    content: content.as_str().unwrap().as_bytes(),
                })
                .collect();
            for _ in 0..files.len() {
                files.rotate_left(1);
                let got = policy_digest(text("engine"), &files).unwrap();
                assert_eq!(got.prefixed(), text("policy_digest"));
                let bundle = policy_bundle(text("engine"), &files, AT).unwrap();
                assert_eq!(check_policy_bundle(bundle.as_bytes()), Ok(got));
            }
        }
        assert_eq!(vectors.len(), 6);
    }

    #[test]
    fn a_bundle_that_is_not_what_it_says_is_refused() {
        let bundle = policy_bundle("cedar", FILES, AT).unwrap();
        assert_eq!(
            check_policy_bundle(bundle.as_bytes()).map(|it| it.prefixed()),
            Ok(DIGEST.to_owned())
        );
        let cases = [
            (
                "\"content\":\"ab\"",
                "\"content\":\"aB\"",
                "ERR_POLICY_BUNDLE_MISMATCH",
            ),
            (
                "\"engine\":\"cedar\"",
                "\"engine\":\"Cedar\"",
                "ERR_POLICY_BUNDLE_MISMATCH",
            ),
            ("sha256:04354", "sha256:14354", "ERR_POLICY_BUNDLE_MISMATCH"),
            ("sha256:04354", "04354", "ERR_POLICY_BUNDLE_MISMATCH"),
            ("\"a.cedar\"", "\"b.cedar\"", "ERR_POLICY_BUNDLE_INVALID"),
            ("\"a.cedar\"", "\"c.cedar\"", "ERR_POLICY_BUNDLE_MISMATCH"),
            ("digest-v1", "digest-v2", "ERR_POLICY_BUNDLE_INVALID"),
            ("bundle.v1", "bundle.v2", "ERR_POLICY_BUNDLE_INVALID"),
            (AT, "yesterday", "ERR_POLICY_BUNDLE_INVALID"),
            (
                "\"engine\"",
                "\"more\":1,\"engine\"",
                "ERR_POLICY_BUNDLE_INVALID",
            ),
            ("{", "[{", "ERR_POLICY_BUNDLE_INVALID"),
        ];
        for (from, to, want) in cases {
            let changed = bundle.replacen(from, to, 1);
            assert_ne!(changed, bundle, "{from}");
            let got = check_policy_bundle(changed.as_bytes()).map_err(|error| error.code());
            assert_eq!(got, Err(want), "{from} to {to}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_named() {
        let named = |name| [PolicyFile { name, content: b"" }];
        let long = "x".repeat(1025);
        assert_eq!(policy_digest("e", &[]), Err(PolicyDigestError::FileCount));
        for name in ["", "a\nb", &long] {
            assert_eq!(
                policy_digest("e", &named(name)),
                Err(PolicyDigestError::Name),
                "{name}"
            );
        }
        for engine in ["", "é", "a\tb", &long] {
            let got = policy_digest(engine, &named("a"));
            assert_eq!(got, Err(PolicyDigestError::Engine), "{engine}");
            let got = compiled_policy_digest(engine, b"[]");
            assert_eq!(got, Err(PolicyDigestError::Engine), "{engine}");
        }
        let twice = [FILES, FILES].concat();
        let got = policy_digest("e", &twice).map_err(|error| error.to_string());
        assert_eq!(got, Err("two files are named `b.cedar`".to_owned()));
        let bytes = [PolicyFile {
            name: "a",
            content: b"\xff",
        }];
        let manifest = format!(
            r#"{{"construction":"acta-policy-digest-v1","engine":"e","files":[{{"name":"a","sha256":"{}"}}]}}"#,
            Digest::of(b"\xff").hex()
        );
        assert_eq!(
            policy_digest("e", &bytes),
            Ok(Digest::of(manifest.as_bytes()))
        );
        assert_eq!(
            policy_bundle("e", &bytes, AT),
            Err(PolicyDigestError::NotText("a".to_owned()))
        );
        let got = policy_bundle("e", FILES, "now").map_err(|error| error.code());
        assert_eq!(got, Err("ERR_POLICY_BUNDLE_INVALID"));
    }

    #[test]
    fn compiled_rules_are_named_with_their_order_and_engine() {
        let digest = |engine, rules: &str| compiled_policy_digest(engine, rules.as_bytes());
        let got = digest("yaml", r#"[{"name":"a","priority":1.0},{"name":"b"}]"#).unwrap();
        let text = r#"{"construction":"ambit-compiled-policy-v1","engine":"yaml","rules":[{"name":"a","priority":1},{"name":"b"}]}"#;
        assert_eq!(got, Digest::of(text.as_bytes()));
        assert_eq!(
            digest("yaml", r#" [{"priority":1,"name":"a"},{"name":"b"}]"#),
            Ok(got)
        );
        for (engine, rules) in [
            ("yaml", r#"[{"name":"b"},{"name":"a","priority":1}]"#),
            ("YAML", r#"[{"name":"a","priority":1},{"name":"b"}]"#),
        ] {
            assert_ne!(digest(engine, rules), Ok(got));
        }
        for rules in ["{}", "null", "[1,]", ""] {
            let got = digest("yaml", rules).map_err(|error| error.code());
            assert_eq!(got, Err("ERR_POLICY_BUNDLE_INVALID"), "{rules}");
        }
    }
}
