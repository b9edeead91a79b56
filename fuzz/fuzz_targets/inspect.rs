// SPDX-License-Identifier: Apache-2.0
//! Any text as shell text, as code and as a URL: reading ends, within its budgets, without a panic
//! (which the chain would turn into a deny of its own), and the quick look before the parser gives
//! the verdict that the parser gives.
#![no_main]

use ambit_canon::{Object, Value};
use ambit_inspect::{Call, EgressInspector, InspectorChain, Verdict};
use libfuzzer_sys::fuzz_target;

fn verdict(tool: &str, params: &Value, prefilter: bool) -> Verdict {
    let chain = InspectorChain::new().with(EgressInspector::default().prefilter(prefilter));
    let report = chain.inspect(&mut chain.session(), Call::new(tool, params));
    for finding in &report.findings {
        assert_ne!(finding.code, "INSPECTOR_FAILED");
        if let Some(span) = &finding.span {
            assert!(span.start <= span.end);
        }
    }
    report.verdict()
}

fuzz_target!(|text: &str| {
    let params = |key: &str| Value::from([(key, text)].into_iter().collect::<Object>());
    let command = params("command");
    assert_eq!(verdict("shell", &command, true), verdict("shell", &command, false));
    verdict("python", &params("code"), false);
    verdict("fetch", &params("url"), false);
    verdict("frobnicate", &params("x"), false);
});
