// SPDX-License-Identifier: Apache-2.0
//! The shapes in which entry points answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;

/// A call that could not do its work.
#[napi(object)]
#[derive(Debug)]
pub struct Failure {
    /// Always `err`.
    #[napi(ts_type = "'err'")]
    pub kind: String,
    /// Stable code, `ERR_<AREA>_<WHAT>`.
    pub code: String,
    /// One line for people.
    pub message: String,
    /// Further facts as a JSON object, if there are any.
    pub details: Option<String>,
}

/// Text: a document, a digest or a JSON object, as the entry point says.
#[napi(object)]
#[derive(Debug)]
pub struct Text {
    /// Always `ok`.
    #[napi(ts_type = "'ok'")]
    pub kind: String,
    /// The text.
    pub value: String,
}

/// An entry that is durable in the ledger.
#[napi(object)]
pub struct Recorded {
    /// Always `ok`.
    #[napi(ts_type = "'ok'")]
    pub kind: String,
    /// Number of the entry, from 1, in decimal digits.
    pub seq: String,
    /// SHA-256 of the bytes, 64 hex digits.
    pub digest: String,
    /// The exact bytes that were signed and stored.
    pub bytes: Uint8Array,
}

/// A run that has ended.
#[napi(object)]
pub struct Ran {
    /// Always `ok`.
    #[napi(ts_type = "'ok'")]
    pub kind: String,
    /// The outcome as a JSON object.
    pub outcome: String,
    /// The beginning of standard output, up to the plan's limit.
    pub stdout: Uint8Array,
    /// The beginning of standard error, up to the plan's limit.
    pub stderr: Uint8Array,
    /// The end of standard output that its descriptor had not taken when the run ended.
    pub rest_of_stdout: Uint8Array,
    /// The same of standard error.
    pub rest_of_stderr: Uint8Array,
}

/// A run that was started; the types alone, for JavaScript.
#[napi(object)]
pub struct Launch {
    /// How it ended.
    #[napi(ts_type = "Promise<Ran | Failure>")]
    pub done: (),
    /// Writing end of the pipe of standard input, if one was asked for.
    pub stdin: Option<i32>,
    /// Reading end of the pipe of standard output, if one was asked for.
    pub stdout: Option<i32>,
    /// Reading end of the pipe of standard error, if one was asked for.
    pub stderr: Option<i32>,
}

/// Text or a failure.
#[napi]
pub type TextAnswer = Either<Text, Failure>;

pub(crate) fn ok() -> String {
    "ok".to_owned()
}

pub(crate) fn text(value: impl Into<String>) -> TextAnswer {
    Either::A(Text {
        kind: ok(),
        value: value.into(),
    })
}

pub(crate) fn failure(code: &str, message: impl Into<String>) -> Failure {
    Failure {
        kind: "err".to_owned(),
        code: code.to_owned(),
        message: message.into(),
        details: None,
    }
}

/// A failure with the words of an error and of all its sources.
pub(crate) fn caused(code: &str, error: &dyn std::error::Error) -> Failure {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !message.ends_with(&words) {
            message.push_str(": ");
            message.push_str(&words);
        }
        source = cause.source();
    }
    failure(code, message)
}

/// Runs work off the JavaScript thread, where no macro catches a panic.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(failure("ERR_INTERNAL", "a defect in the addon was caught")))
}

pub(crate) fn either<T>(result: Result<T, Failure>) -> Either<T, Failure> {
    match result {
        Ok(value) => Either::A(value),
        Err(failure) => Either::B(failure),
    }
}
