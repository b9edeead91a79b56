// SPDX-License-Identifier: Apache-2.0
//! Inspectors in order.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::budget::Limits;
use crate::call::Call;
use crate::egress::EgressInspector;
use crate::finding::{Finding, Report, Severity, Verdict};
use crate::inspector::{Inspector, State};
use crate::reading::Reading;
use crate::repetition::{Repetition, RepetitionOptions};
use crate::session::Session;

/// What follows when an inspector fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The call is denied.
    #[default]
    Deny,
    /// The failure is a warning, and the call may go on: fail-open, chosen in words.
    Warn,
}

/// The code of the finding that stands for an inspector's panic.
pub(crate) const INSPECTOR_FAILED: &str = "INSPECTOR_FAILED";

/// Inspectors, in the order in which they look at a call.
#[derive(Debug, Default)]
pub struct InspectorChain {
    inspectors: Vec<Box<dyn Inspector>>,
    limits: Limits,
    on_failure: OnFailure,
}

impl InspectorChain {
    /// A chain without inspectors, which allows everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Egress, then repetition, as they are by default. Other inspectors are opted in.
    pub fn default_chain() -> Self {
        let repetition = Repetition::new(RepetitionOptions::default());
        Self::new()
            .with(EgressInspector::default())
            .with(repetition)
    }

    /// Adds an inspector at the end.
    #[must_use]
    pub fn with(mut self, inspector: impl Inspector + 'static) -> Self {
        self.push(Box::new(inspector));
        self
    }

    /// Adds an inspector at the end.
    pub fn push(&mut self, inspector: Box<dyn Inspector>) {
        self.inspectors.push(inspector);
    }

    /// Sets the budgets of a reading.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Chooses what follows when an inspector panics.
    #[must_use]
    pub const fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// The inspectors' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inspectors.iter().map(|inspector| inspector.name())
    }

    /// A session in which nothing was seen yet.
    pub fn session(&self) -> Session {
        Session {
            states: self.inspectors.iter().map(|_| State::default()).collect(),
        }
    }

    /// Forgets what was seen.
    pub fn reset_session(&self, session: &mut Session) {
        session
            .states
            .resize_with(self.inspectors.len(), State::default);
        for (inspector, state) in self.inspectors.iter().zip(&mut session.states) {
            inspector.reset_session(state);
        }
    }

    /// Looks at a call until one inspector denies.
    pub fn inspect(&self, session: &mut Session, call: Call<'_>) -> Report {
        let report = self.run(session, &Reading::new(call, self.limits), false);
        self.settle(session, report.verdict());
        report
    }

    /// Looks at a call with all inspectors, whatever they say.
    pub fn collect(&self, session: &mut Session, call: Call<'_>) -> Report {
        let report = self.run(session, &Reading::new(call, self.limits), true);
        self.settle(session, report.verdict());
        report
    }

    /// Tells the inspectors what became of the call that was run last. [`Self::inspect`] and
    /// [`Self::collect`] do that themselves.
    pub fn settle(&self, session: &mut Session, verdict: Verdict) {
        for (inspector, state) in self.inspectors.iter().zip(&mut session.states) {
            let told = catch_unwind(AssertUnwindSafe(|| inspector.settled(state, verdict)));
            if told.is_err() {
                *state = State::default();
            }
        }
    }

    /// Tells all inspectors of a call that was denied before it came to this chain.
    pub fn skip(&self, session: &mut Session, call: Call<'_>) {
        session
            .states
            .resize_with(self.inspectors.len(), State::default);
        let reading = Reading::new(call, self.limits);
        for (inspector, state) in self.inspectors.iter().zip(&mut session.states) {
            let told = catch_unwind(AssertUnwindSafe(|| inspector.skipped(&reading, state)));
            if told.is_err() {
                *state = State::default();
            }
        }
    }

    /// Looks at a call without settling; `all`: a deny does not stop it.
    pub fn look(&self, session: &mut Session, call: Call<'_>, all: bool) -> Report {
        self.run(session, &Reading::new(call, self.limits), all)
    }

    /// The same with a reading that exists, without settling. `all`: a deny does not stop it.
    pub fn run(&self, session: &mut Session, reading: &Reading<'_>, all: bool) -> Report {
        session
            .states
            .resize_with(self.inspectors.len(), State::default);
        let mut report = Report::default();
        for (inspector, state) in self.inspectors.iter().zip(&mut session.states) {
            if !all && report.verdict() == Verdict::Deny {
                let told = catch_unwind(AssertUnwindSafe(|| inspector.skipped(reading, state)));
                if told.is_err() {
                    *state = State::default();
                }
                continue;
            }
            match catch_unwind(AssertUnwindSafe(|| inspector.inspect(reading, state))) {
                Ok(found) if report.findings.is_empty() => report.findings = found,
                Ok(found) => report.findings.extend(found),
                Err(_payload) => {
                    // A state that a panic left half done is worth nothing.
                    *state = State::default();
                    report.findings.push(self.failure(inspector.name()));
                }
            }
        }
        report
    }

    fn failure(&self, name: &str) -> Finding {
        let severity = match self.on_failure {
            OnFailure::Deny => Severity::Deny,
            OnFailure::Warn => Severity::Warn,
        };
        Finding::new(
            Cow::Owned(name.to_owned()),
            INSPECTOR_FAILED,
            severity,
            "the inspector failed",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_canon::Value;

    /// Says what it was made with, and counts its calls.
    #[derive(Debug)]
    struct Says(&'static str, Option<Severity>);

    impl Inspector for Says {
        fn name(&self) -> &str {
            self.0
        }

        fn inspect(&self, _reading: &Reading<'_>, state: &mut State) -> Vec<Finding> {
            let count = state.of::<u32>();
            *count = count.saturating_add(1);
            self.1
                .map(|severity| Finding::new(self.0, "SAID", severity, format!("{count}")))
                .into_iter()
                .collect()
        }

        fn skipped(&self, _reading: &Reading<'_>, state: &mut State) {
            let count = state.of::<u32>();
            *count = count.saturating_add(1);
        }
    }

    #[derive(Debug)]
    struct Panics;

    impl Inspector for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }

        fn inspect(&self, _reading: &Reading<'_>, _state: &mut State) -> Vec<Finding> {
            panic!("on purpose")
        }
    }

    fn said(report: &Report) -> Vec<(&str, &str)> {
        report
            .findings
            .iter()
            .map(|f| (&*f.inspector, &*f.message))
            .collect()
    }

    #[test]
    fn first_deny_stops_and_those_behind_are_told() {
        let chain = InspectorChain::new()
            .with(Says("a", Some(Severity::Warn)))
            .with(Says("b", Some(Severity::Deny)))
            .with(Says("c", Some(Severity::Deny)));
        let mut session = chain.session();
        let call = Call::new("t", &Value::Null);
        let report = chain.inspect(&mut session, call);
        assert_eq!(
            (report.verdict(), said(&report)),
            (Verdict::Deny, vec![("a", "1"), ("b", "1")])
        );
        let report = chain.collect(&mut session, call);
        assert_eq!(said(&report), [("a", "2"), ("b", "2"), ("c", "2")]);
        chain.reset_session(&mut session);
        assert_eq!(
            said(&chain.inspect(&mut session, call)),
            [("a", "1"), ("b", "1")]
        );
    }

    #[test]
    fn a_panic_is_a_deny_unless_fail_open_was_chosen() {
        let call = Call::new("t", &Value::Null);
        for (on_failure, verdict) in [
            (OnFailure::Deny, Verdict::Deny),
            (OnFailure::Warn, Verdict::Warn),
        ] {
            let chain = InspectorChain::new().with(Panics).on_failure(on_failure);
            let report = chain.inspect(&mut chain.session(), call);
            assert_eq!(report.verdict(), verdict);
            assert_eq!(report.findings[0].code, INSPECTOR_FAILED);
        }
    }

    #[test]
    fn sessions_are_apart() {
        let chain = InspectorChain::new().with(Says("a", Some(Severity::Warn)));
        let (mut one, mut two) = (chain.session(), chain.session());
        let call = Call::new("t", &Value::Null);
        chain.inspect(&mut one, call);
        assert_eq!(said(&chain.inspect(&mut one, call)), [("a", "2")]);
        assert_eq!(said(&chain.inspect(&mut two, call)), [("a", "1")]);
    }

    #[test]
    fn an_empty_chain_allows() {
        let chain = InspectorChain::new();
        assert_eq!(
            chain
                .inspect(&mut chain.session(), Call::new("t", &Value::Null))
                .verdict(),
            Verdict::Allow
        );
    }
}
