// SPDX-License-Identifier: Apache-2.0
//! *Sequence*: rules on the calls of a session, one after another.
//!
//! - `never`: this call is not made.
//! - `precedes`: `second` is made only after `first`, at most `within` calls before.
//! - `eventually`: when `after` was made, `must` follows within `within` calls; what is called later,
//!   and is not that, is denied.
//! - `until`: before `until` was made, nothing but `only` is.
//! - `flow`: after `from`, at most `within` calls before, `to` is not made. With `same`, only if a value
//!   of one parameter of `from` stands in one of `to`.
//!
//! A call that was denied was not made, and so makes no rule met and starts none.

use std::collections::BTreeSet;

use ambit_canon::Digest;
use serde::Deserialize;

use crate::fields::Fields;
use crate::finding::{Finding, Severity, Verdict};
use crate::inspector::{Inspector, State};
use crate::pattern::{CallPattern, named};
use crate::reading::Reading;

const NAME: &str = "sequence";
/// The most values that one rule remembers.
const MAX_VALUES: usize = 4096;

/// A rule, and what follows when it is broken.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceRule {
    /// A name for it, in findings.
    pub id: String,
    /// What it asks.
    pub rule: SequenceKind,
    /// `deny` unless said.
    #[serde(default = "deny")]
    pub severity: Severity,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
}

const fn deny() -> Severity {
    Severity::Deny
}

/// What a rule asks; see the module.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SequenceKind {
    /// This call is not made.
    Never {
        /// The call.
        call: CallPattern,
    },
    /// `second` is made only after `first`.
    Precedes {
        /// What must have been made.
        first: CallPattern,
        /// What waits for it.
        second: CallPattern,
        /// How many calls before at most.
        #[serde(default)]
        within: Option<u64>,
    },
    /// When `after` was made, `must` follows.
    Eventually {
        /// What starts the rule.
        after: CallPattern,
        /// What must follow.
        must: CallPattern,
        /// How many calls later at most.
        within: u64,
    },
    /// Before `until` was made, nothing but `only` is.
    Until {
        /// What may be made.
        only: CallPattern,
        /// What ends the rule; may itself be made at any time.
        until: CallPattern,
    },
    /// After `from`, `to` is not made.
    Flow {
        /// Where something comes from.
        from: CallPattern,
        /// Where it must not go.
        to: CallPattern,
        /// How many calls later at most the rule holds.
        #[serde(default)]
        within: Option<u64>,
        /// Only if a value of one stands in the other.
        #[serde(default)]
        same: Option<Same>,
    },
}

/// The same value in two calls.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Same {
    /// A parameter of the first, by its name or JSON Pointer.
    pub from: String,
    /// A parameter of the second.
    pub to: String,
}

/// Holds a session to rules on the order of its calls.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    rules: Vec<SequenceRule>,
}

/// What a session did, as far as one rule asks.
#[derive(Debug, Default)]
struct Progress {
    /// The number of the latest call that started or met the rule.
    last: Option<u64>,
    /// The number of the last call at which `must` is in time.
    due: Option<u64>,
    values: BTreeSet<u64>,
}

/// What the call of now does to a rule if it is made.
#[derive(Debug)]
enum Step {
    /// It is what the rule waits for, or what starts it.
    Seen(usize, Vec<u64>),
    /// It ends what had to follow.
    Met(usize),
    /// Something has to follow by this call.
    Due(usize, u64),
}

#[derive(Debug, Default)]
struct Seen {
    calls: u64,
    rules: Vec<Progress>,
    steps: Vec<Step>,
}

impl Sequence {
    /// An inspector with these rules.
    pub const fn new(rules: Vec<SequenceRule>) -> Self {
        Self { rules }
    }

    fn look(&self, reading: &Reading<'_>, seen: &mut Seen) -> Vec<Finding> {
        let fields = Fields::of(reading.call().params);
        seen.calls = seen.calls.saturating_add(1);
        seen.rules.resize_with(self.rules.len(), Progress::default);
        seen.steps.clear();
        let look = Look {
            reading,
            fields: &fields,
            now: seen.calls,
        };
        let mut found = Vec::new();
        for (place, (rule, progress)) in self.rules.iter().zip(&seen.rules).enumerate() {
            let (broken, steps) = look.at(&rule.rule, progress, place);
            seen.steps.extend(steps);
            found.extend(broken.map(|words| finding(rule, words)));
        }
        found
    }
}

/// The call of now.
struct Look<'l, 'a> {
    reading: &'l Reading<'a>,
    fields: &'l Fields<'a>,
    /// Its number.
    now: u64,
}

impl Look<'_, '_> {
    fn is(&self, pattern: &CallPattern) -> bool {
        pattern.matches(self.reading, self.fields)
    }

    /// Whether what started or met the rule is not too long ago.
    fn recent(&self, progress: &Progress, within: Option<u64>) -> bool {
        progress
            .last
            .is_some_and(|last| within.is_none_or(|most| self.now.saturating_sub(last) <= most))
    }

    /// Says why the call breaks a rule, if it does, and what it does to the rule if it is made.
    fn at(
        &self,
        rule: &SequenceKind,
        progress: &Progress,
        place: usize,
    ) -> (Option<&'static str>, Vec<Step>) {
        let seen = |is: bool| {
            let step = is.then(|| Step::Seen(place, Vec::new()));
            step.into_iter().collect::<Vec<_>>()
        };
        match rule {
            SequenceKind::Never { call } => {
                let broken = self.is(call);
                (broken.then_some("this call is not to be made"), Vec::new())
            }
            SequenceKind::Precedes {
                first,
                second,
                within,
            } => {
                let early = self.is(second) && !self.recent(progress, *within);
                let words = "another call has to come before this one";
                (early.then_some(words), seen(self.is(first)))
            }
            SequenceKind::Until { only, until } => {
                let ends = self.is(until);
                let early = progress.last.is_none() && !ends && !self.is(only);
                let words = "another call has to come before any but a few";
                (early.then_some(words), seen(ends))
            }
            SequenceKind::Eventually {
                after,
                must,
                within,
            } => {
                let meets = self.is(must);
                let late = !meets && progress.due.is_some_and(|due| self.now > due);
                let due = Step::Due(place, self.now.saturating_add(*within));
                let met = meets.then_some(Step::Met(place));
                let steps = met.into_iter().chain(self.is(after).then_some(due));
                let words = "another call had to follow an earlier one, and is overdue";
                (late.then_some(words), steps.collect())
            }
            SequenceKind::Flow {
                from,
                to,
                within,
                same,
            } => {
                let carries = |same: &Same| {
                    let mut values = named(self.fields, &same.to);
                    values.any(|field| progress.values.contains(&hash(&field.text)))
                };
                let reaches = self.is(to)
                    && self.recent(progress, *within)
                    && same.as_ref().is_none_or(carries);
                let values = same.iter().flat_map(|same| named(self.fields, &same.from));
                let values = values.map(|field| hash(&field.text)).take(MAX_VALUES);
                let starts = self.is(from).then(|| Step::Seen(place, values.collect()));
                let words = "this call must not follow an earlier one";
                (reaches.then_some(words), starts.into_iter().collect())
            }
        }
    }
}

fn finding(rule: &SequenceRule, words: &str) -> Finding {
    let code = match rule.rule {
        SequenceKind::Never { .. } => "SEQUENCE_NEVER",
        SequenceKind::Precedes { .. } => "SEQUENCE_PRECEDES",
        SequenceKind::Eventually { .. } => "SEQUENCE_EVENTUALLY",
        SequenceKind::Until { .. } => "SEQUENCE_UNTIL",
        SequenceKind::Flow { .. } => "SEQUENCE_FLOW",
    };
    let message = format!("{}: {}", rule.id, rule.reason.as_deref().unwrap_or(words));
    Finding::new(NAME, code, rule.severity, message)
}

/// The first 64 bits of SHA-256: values are compared, never kept.
fn hash(text: &str) -> u64 {
    let digest = Digest::of(text.as_bytes());
    let bytes = digest.as_bytes().first_chunk::<8>();
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl Inspector for Sequence {
    fn name(&self) -> &str {
        NAME
    }

    fn inspect(&self, reading: &Reading<'_>, state: &mut State) -> Vec<Finding> {
        self.look(reading, state.of::<Seen>())
    }

    fn skipped(&self, _reading: &Reading<'_>, state: &mut State) {
        // It was denied: it counts as a call, and as nothing else.
        let seen = state.of::<Seen>();
        seen.calls = seen.calls.saturating_add(1);
        seen.steps.clear();
    }

    fn settled(&self, state: &mut State, verdict: Verdict) {
        let seen = state.of::<Seen>();
        let steps = std::mem::take(&mut seen.steps);
        if verdict == Verdict::Deny {
            return;
        }
        let now = seen.calls;
        for step in steps {
            match step {
                Step::Seen(place, values) => {
                    if let Some(progress) = seen.rules.get_mut(place) {
                        progress.last = Some(now);
                        progress.values.extend(values);
                        while progress.values.len() > MAX_VALUES {
                            progress.values.pop_first();
                        }
                    }
                }
                Step::Met(place) => {
                    if let Some(progress) = seen.rules.get_mut(place) {
                        progress.due = None;
                    }
                }
                Step::Due(place, due) => {
                    if let Some(progress) = seen.rules.get_mut(place) {
                        progress.due = Some(progress.due.map_or(due, |earlier| earlier.min(due)));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, InspectorChain};
    use ambit_canon::Value;

    /// Letters of the verdicts, one a call; each call is a tool with one parameter `x`.
    fn verdicts(rule: &str, calls: &[&str]) -> String {
        let rule = format!(r#"[{{"id":"r","rule":{rule}}}]"#);
        let rules: Vec<SequenceRule> = serde_json::from_str(&rule).unwrap();
        let chain = InspectorChain::new().with(Sequence::new(rules));
        let mut session = chain.session();
        calls
            .iter()
            .map(|call| {
                let (tool, x) = call.split_once(' ').unwrap_or((call, ""));
                let params: ambit_canon::Object = [("x", x)].into_iter().collect();
                let params = Value::from(params);
                match chain
                    .inspect(&mut session, Call::new(tool, &params))
                    .verdict()
                {
                    Verdict::Allow => 'a',
                    Verdict::Warn => 'w',
                    Verdict::Deny => 'd',
                }
            })
            .collect()
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn rules_hold() {
        let any = "{}";
        let tool = |name: &str| format!(r#"{{"tool":"{name}"}}"#);
        let (a, b) = (tool("a"), tool("b"));
        for (rule, calls, want) in [
            (
                format!(r#"{{"never":{{"call":{a}}}}}"#),
                vec!["b", "a"],
                "ad",
            ),
            (
                format!(r#"{{"precedes":{{"first":{a},"second":{b}}}}}"#),
                vec!["b", "c", "a", "b", "b"],
                "daaaa",
            ),
            (
                format!(r#"{{"precedes":{{"first":{a},"second":{b},"within":2}}}}"#),
                vec!["a", "c", "b", "b"],
                "aaad",
            ),
            // a call that is denied was not made: this one waits for itself
            (
                format!(r#"{{"precedes":{{"first":{a},"second":{a}}}}}"#),
                vec!["a", "a"],
                "dd",
            ),
            (
                format!(r#"{{"until":{{"only":{a},"until":{b}}}}}"#),
                vec!["a", "c", "b", "c"],
                "adaa",
            ),
            (
                format!(r#"{{"eventually":{{"after":{a},"must":{b},"within":2}}}}"#),
                vec!["a", "c", "c", "c", "b", "c"],
                "aaadaa",
            ),
            (
                format!(r#"{{"eventually":{{"after":{a},"must":{b},"within":1}}}}"#),
                vec!["a", "b", "c", "c"],
                "aaaa",
            ),
            // a second start does not give the first one more time
            (
                format!(r#"{{"eventually":{{"after":{a},"must":{b},"within":2}}}}"#),
                vec!["a", "a", "a", "a"],
                "aaad",
            ),
            (
                format!(r#"{{"flow":{{"from":{a},"to":{b}}}}}"#),
                vec!["b", "a", "c", "b", "b"],
                "aaadd",
            ),
            (
                format!(r#"{{"flow":{{"from":{a},"to":{b},"within":1}}}}"#),
                vec!["a", "b", "b"],
                "ada",
            ),
            (
                format!(r#"{{"flow":{{"from":{a},"to":{b},"same":{{"from":"x","to":"x"}}}}}}"#),
                vec!["a 1", "b 2", "b 1"],
                "aad",
            ),
            // not from a call to itself
            (
                format!(r#"{{"flow":{{"from":{any},"to":{a}}}}}"#),
                vec!["a", "a"],
                "ad",
            ),
        ] {
            assert_eq!(verdicts(&rule, &calls), want, "{rule} {calls:?}");
        }
    }

    #[test]
    fn says_which_rule_and_why() {
        let rules = r#"[{"id":"no-a","rule":{"never":{"call":{"tool":"a"}}},"severity":"warn","reason":"because"}]"#;
        let chain = InspectorChain::new().with(Sequence::new(serde_json::from_str(rules).unwrap()));
        let report = chain.inspect(&mut chain.session(), Call::new("a", &Value::Null));
        let want = Finding::new(NAME, "SEQUENCE_NEVER", Severity::Warn, "no-a: because");
        assert_eq!(report.findings, [want]);
    }

    #[test]
    fn unknown_fields_are_errors() {
        for text in [
            r#"{"id":"r","rule":{"never":{"call":{}}},"extra":1}"#,
            r#"{"id":"r","rule":{"never":{"call":{},"within":1}}}"#,
            r#"{"id":"r","rule":{"always":{"call":{}}}}"#,
        ] {
            assert!(
                serde_json::from_str::<SequenceRule>(text).is_err(),
                "{text}"
            );
        }
    }
}
