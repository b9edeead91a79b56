// SPDX-License-Identifier: Apache-2.0
//! Documents as pure functions: canonical text, signed payloads, DSSE envelopes, policy digests,
//! digests of files.

use std::path::Path;

use ambit_canon::{Limits, canonicalize as canonical};
use ambit_receipt::acta::{self, KeyId, SignOptions, Unsandboxed};
use ambit_receipt::{
    PolicyFile, VerdictCode, check_policy_bundle, compiled_policy_digest, digest_file, dsse,
    policy_bundle, policy_digest,
};
use napi::bindgen_prelude::{AsyncTask, Either, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::json;

use crate::answer::{Failure, Text, TextAnswer, caused, either, failure, guarded, ok, text};
use crate::json::{bytes_of, described};
use crate::keys::Signer;
use crate::receipts::{TrustedKey, key_set};

/// Returns the RFC 8785 text of a strict JSON text, of at most 16 MiB and 64 levels. The text comes
/// alone, without an object around it: this call is counted in hundreds of nanoseconds.
#[napi(catch_unwind)]
pub fn canonicalize(document: Either<String, Uint8Array>) -> Either<String, Failure> {
    match canonical(bytes_of(&document), &CANONICALIZE_LIMITS) {
        Ok(value) => Either::A(value),
        Err(error) => Either::B(described(&error)),
    }
}

const CANONICALIZE_LIMITS: Limits = Limits {
    max_bytes: 16 << 20,
    max_depth: 64,
};

/// Signs a payload of a namespaced type and answers with the envelope's exact text. `sb_issuer`
/// chooses the key's id in the form of the draft; `allow_unsandboxed` signs what says that nothing
/// confined it.
#[napi(catch_unwind)]
pub fn sign_receipt(
    payload: Either<String, Uint8Array>,
    signer: &Signer,
    sb_issuer: bool,
    allow_unsandboxed: bool,
) -> Either<String, Failure> {
    let Some(key) = &signer.key else {
        return Either::B(failure("ERR_KEY_MISSING", "no signing key is loaded"));
    };
    let options = SignOptions {
        key_id: if sb_issuer {
            KeyId::Issuer
        } else {
            KeyId::Thumbprint
        },
        unsandboxed: if allow_unsandboxed {
            Unsandboxed::Allowed
        } else {
            Unsandboxed::Refused
        },
    };
    let sealed = acta::sign(bytes_of(&payload), key.as_ref(), options)
        .map_err(|error| of_acta(&error))
        .and_then(|bytes| String::from_utf8(bytes).map_err(|error| caused("ERR_INTERNAL", &error)));
    either(sealed)
}

/// A refused payload, with the member at fault or the place in the text.
fn of_acta(error: &acta::ActaError) -> Failure {
    let plain = caused(error.code(), error);
    let details = match error {
        acta::ActaError::Schema(fault) => json!({ "path": fault.path, "expected": fault.expected }),
        acta::ActaError::Limits(fault) => json!({
            "reason": fault.kind.code(),
            "offset": fault.offset,
            "line": fault.line,
            "column": fault.column,
        }),
        acta::ActaError::IssuerMismatch
        | acta::ActaError::Key(_)
        | acta::ActaError::MemberName
        | acta::ActaError::SignatureMember
        | acta::ActaError::TooLarge
        | acta::ActaError::Type
        | acta::ActaError::Unsandboxed => return plain,
    };
    Failure {
        details: Some(details.to_string()),
        ..plain
    }
}

/// Puts a receipt that verifies with these keys into a DSSE envelope that `signer` signs; answers
/// with the envelope's text.
#[napi(catch_unwind)]
pub fn export_dsse(
    receipt: Uint8Array,
    keys: Vec<TrustedKey>,
    jwks: Vec<Uint8Array>,
    exported_at: String,
    signer: &Signer,
) -> TextAnswer {
    let Some(key) = &signer.key else {
        return Either::B(failure("ERR_KEY_MISSING", "no signing key is loaded"));
    };
    let exported = key_set(&keys, &jwks).and_then(|keys| {
        dsse::export(&receipt, &keys, &exported_at, key.as_ref()).map_err(|error| of_dsse(&error))
    });
    match exported {
        Ok(value) => text(value),
        Err(failure) => Either::B(failure),
    }
}

/// Takes a receipt out of a DSSE envelope that one of these keys signed; answers with `{receipt,
/// exported_at, signers}` as JSON, `receipt` being the receipt's exact text.
#[napi(catch_unwind)]
pub fn import_dsse(
    envelope: Uint8Array,
    keys: Vec<TrustedKey>,
    jwks: Vec<Uint8Array>,
) -> TextAnswer {
    let imported = key_set(&keys, &jwks)
        .and_then(|keys| dsse::import(&envelope, &keys).map_err(|error| of_dsse(&error)));
    match imported {
        Ok(imported) => text(
            json!({
                "receipt": String::from_utf8_lossy(&imported.receipt),
                "exported_at": imported.exported_at,
                "signers": imported.signers,
            })
            .to_string(),
        ),
        Err(failure) => Either::B(failure),
    }
}

fn of_dsse(error: &dsse::DsseError) -> Failure {
    let plain = caused(error.code(), error);
    match error {
        dsse::DsseError::NotValid(code) => Failure {
            details: Some(json!({ "code": VerdictCode::as_str(*code) }).to_string()),
            ..plain
        },
        dsse::DsseError::Json(_)
        | dsse::DsseError::Key(_)
        | dsse::DsseError::KeyStatus(_)
        | dsse::DsseError::Schema(_)
        | dsse::DsseError::Signature
        | dsse::DsseError::Subject
        | dsse::DsseError::Time
        | dsse::DsseError::UnknownKey => plain,
    }
}

/// A policy's file.
#[napi(object)]
pub struct NamedFile {
    /// Its name in the manifest.
    pub name: String,
    /// Its bytes as they are.
    pub content: Uint8Array,
}

/// Answers with the `acta-policy-digest-v1` of files: `sha256:` and 64 hex digits.
#[napi(catch_unwind)]
pub fn digest_policy(engine: String, files: Vec<NamedFile>) -> TextAnswer {
    match policy_digest(&engine, &borrowed(&files)) {
        Ok(digest) => text(digest.prefixed()),
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}

/// Answers with the digest of compiled rules in their order, a JSON array: `sha256:` and 64 hex
/// digits.
#[napi(catch_unwind)]
pub fn digest_compiled_policy(engine: String, rules: String) -> TextAnswer {
    match compiled_policy_digest(&engine, rules.as_bytes()) {
        Ok(digest) => text(digest.prefixed()),
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}

/// Answers with the text of the document in which a policy is published.
#[napi(catch_unwind)]
pub fn bundle_policy(engine: String, files: Vec<NamedFile>, generated_at: String) -> TextAnswer {
    match policy_bundle(&engine, &borrowed(&files), &generated_at) {
        Ok(bundle) => text(bundle),
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}

/// Checks a published policy and answers with its digest: `sha256:` and 64 hex digits.
#[napi(catch_unwind)]
pub fn check_bundle(bundle: Uint8Array) -> TextAnswer {
    match check_policy_bundle(&bundle) {
        Ok(digest) => text(digest.prefixed()),
        Err(error) => Either::B(caused(error.code(), &error)),
    }
}

fn borrowed(files: &[NamedFile]) -> Vec<PolicyFile<'_>> {
    let mut out = Vec::with_capacity(files.len());
    for NamedFile { name, content } in files {
        out.push(PolicyFile { name, content });
    }
    out
}

/// Answers with `{sha256, bytes}` of a regular file as JSON; no part of its path may be a symbolic
/// link. Reading is work off the JavaScript thread.
#[napi(catch_unwind, ts_return_type = "Promise<Text | Failure>")]
pub fn digest_artifact(path: String, max_bytes: u32) -> AsyncTask<Reading> {
    AsyncTask::new(Reading {
        path,
        max_bytes: u64::from(max_bytes),
    })
}

/// A file that is being read.
pub struct Reading {
    path: String,
    max_bytes: u64,
}

impl Task for Reading {
    type Output = Result<String, Failure>;
    type JsValue = Either<Text, Failure>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guarded(|| {
            let found = digest_file(Path::new(&self.path), self.max_bytes)
                .map_err(|error| caused(error.code(), &error))?;
            Ok(json!({ "sha256": found.digest.hex(), "bytes": found.bytes }).to_string())
        }))
    }

    fn resolve(&mut self, _env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(either(output.map(|value| Text { kind: ok(), value })))
    }
}
