// SPDX-License-Identifier: Apache-2.0
//! The inspector chain. A call crosses as its tool's name and one JSON text, its findings come back
//! as one: this call is counted in microseconds.

use std::sync::Arc;

use ambit_canon::{Limits, Value, parse};
use ambit_inspect::{
    Call, Finding, Fingerprint, InspectorChain, OnFailure, Pattern, Session, Severity, Verdict,
};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use serde_json::json;

use crate::answer::{Failure, TextAnswer, caused, failure, text};
use crate::json::bytes_of;

/// The largest parameters that are read.
const CALL_LIMITS: Limits = Limits {
    max_bytes: 4 << 20,
    max_depth: 64,
};

/// A chain and what it saw of one session.
#[napi]
pub struct InspectorSession {
    chain: Arc<InspectorChain>,
    session: Session,
}

#[napi]
impl InspectorSession {
    /// Makes a session of an empty chain; `load` gives it another.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::of(Arc::new(InspectorChain::new()))
    }

    fn of(chain: Arc<InspectorChain>) -> Self {
        let session = chain.session();
        Self { chain, session }
    }

    /// Takes a chain, a JSON array of inspectors, and answers with nothing.
    #[napi(catch_unwind)]
    pub fn load(&mut self, inspectors: String, fail_open: bool) -> Option<Failure> {
        let on_failure = if fail_open {
            OnFailure::Warn
        } else {
            OnFailure::Deny
        };
        match InspectorChain::from_json(&inspectors, on_failure) {
            Ok(chain) => {
                *self = Self::of(Arc::new(chain));
                None
            }
            Err(error) => Some(caused("ERR_INSPECT_OPTIONS", &error)),
        }
    }

    /// Returns another session of the same chain, in which nothing was seen yet.
    #[must_use]
    #[napi(catch_unwind)]
    pub fn fork(&self) -> Self {
        Self::of(Arc::clone(&self.chain))
    }

    /// Looks at a call whose parameters are a JSON text, and answers with its findings as a JSON
    /// array, or with nothing where there are none. `all`: a deny does not stop the chain.
    /// `settle`: the call is judged by this chain alone; else `settle` has to be called.
    #[napi(catch_unwind)]
    pub fn inspect(
        &mut self,
        tool: String,
        params: String,
        all: bool,
        settle: bool,
    ) -> Option<String> {
        let params = match parse(params.as_bytes(), &CALL_LIMITS) {
            Ok(params) => params,
            Err(error) => {
                let message = format!("the parameters cannot be read: {error}");
                return Some(written(&[unreadable(message)]));
            }
        };
        let call = Call::new(&tool, &params);
        let report = self.chain.look(&mut self.session, call, all);
        if settle {
            self.chain.settle(&mut self.session, report.verdict());
        }
        (!report.findings.is_empty()).then(|| written(&report.findings))
    }

    /// Tells the chain whether the call that it saw last was denied.
    #[napi(catch_unwind)]
    pub fn settle(&mut self, denied: bool) {
        let verdict = if denied {
            Verdict::Deny
        } else {
            Verdict::Allow
        };
        self.chain.settle(&mut self.session, verdict);
    }

    /// Tells the chain of a call that was denied before it came here.
    #[napi(catch_unwind)]
    pub fn skip(&mut self, tool: String, params: String) {
        // What cannot be read is counted as what has no parameters.
        let params = parse(params.as_bytes(), &CALL_LIMITS).unwrap_or(Value::Null);
        self.chain
            .skip(&mut self.session, Call::new(&tool, &params));
    }

    /// Forgets what was seen.
    #[napi(catch_unwind)]
    pub fn reset(&mut self) {
        self.chain.reset_session(&mut self.session);
    }
}

/// Checks a pattern of a rule; answers with the pattern.
#[napi(catch_unwind)]
pub fn check_inspector_pattern(pattern: String) -> TextAnswer {
    match Pattern::new(&pattern) {
        Ok(_) => text(pattern),
        Err(error) => Either::B(failure("ERR_INSPECT_OPTIONS", error.to_string())),
    }
}

/// Returns the fingerprint of a secret: one line.
#[napi(catch_unwind)]
pub fn fingerprint_secret(secret: Either<String, Uint8Array>) -> TextAnswer {
    match Fingerprint::of(bytes_of(&secret)) {
        Ok(fingerprint) => text(fingerprint.to_string()),
        Err(error) => Either::B(caused("ERR_INSPECT_OPTIONS", &error)),
    }
}

fn unreadable(message: String) -> Finding {
    Finding::new("chain", "CALL_UNREADABLE", Severity::Deny, message)
}

fn written(findings: &[Finding]) -> String {
    let list: Vec<_> = findings.iter().map(described).collect();
    serde_json::Value::Array(list).to_string()
}

fn described(finding: &Finding) -> serde_json::Value {
    let mut value = json!({
        "inspector": finding.inspector,
        "code": finding.code,
        "severity": finding.severity.as_str(),
        "message": finding.message,
    });
    if let (Some(members), Some(span)) = (value.as_object_mut(), &finding.span) {
        let span = json!({ "pointer": span.pointer, "start": span.start, "end": span.end });
        members.insert("span".to_owned(), span);
    }
    value
}
