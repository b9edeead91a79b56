// SPDX-License-Identifier: Apache-2.0
//! *Rules*: what a file of rules says about single calls.
//!
//! A pattern that a rule allows has to match the whole value; one that a rule denies may match
//! anywhere in it. Both see strings as they are and other scalars as JSON writes them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;

use crate::fields::Fields;
use crate::finding::{Finding, Severity, Span};
use crate::inspector::{Inspector, State};
use crate::pattern::{Pattern, PatternError, Texts, command_lines, named};
use crate::reading::Reading;

const NAME: &str = "rules";
/// The greatest `max_calls` of a rate limit by time: so many moments are remembered.
pub(crate) const MAX_CALLS: u32 = 10_000;

/// One rule, and what follows when it is broken.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A name for it, in findings.
    pub id: String,
    /// What it says.
    pub rule: RuleKind,
    /// The tools that it is about; `*` is any text. All of them unless said.
    #[serde(default)]
    pub tool: Option<Texts>,
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

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RuleKind {
    /// The tools are not called.
    DenyTool {},
    /// None of these words stands in a value, a name, or a command that the call runs.
    DenyKeyword {
        /// At least one, none empty.
        keywords: Vec<String>,
        /// Whether `a` is another letter than `A`.
        #[serde(default)]
        case_sensitive: bool,
    },
    /// No value of the parameter matches.
    DenyParam {
        /// Its name, at whatever depth, its JSON Pointer, or `*`.
        param: String,
        /// What is denied.
        pattern: Pattern,
    },
    /// Every value of the parameter matches as a whole.
    AllowParam {
        /// Its name, at whatever depth, its JSON Pointer, or `*`.
        param: String,
        /// What is allowed.
        pattern: Pattern,
        /// Whether a call without the parameter is denied.
        #[serde(default)]
        required: bool,
    },
    /// No more calls than these; one that was denied counts.
    RateLimit {
        /// At most 10,000.
        max_calls: u32,
        /// Among so many calls of these tools, this one included.
        #[serde(default)]
        per_calls: Option<u32>,
        /// In so many seconds.
        #[serde(default)]
        per_seconds: Option<u32>,
    },
}

/// Why rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A pattern that cannot be compiled as it has to be.
    #[error("rule `{0}`: {1}")]
    Pattern(String, PatternError),
    /// No keyword, or an empty one.
    #[error("rule `{0}`: must have keywords, none of them empty")]
    Keywords(String),
    /// A rate without a window, or with two.
    #[error("rule `{0}`: must have exactly one of `per_calls` and `per_seconds`, of at least 1")]
    Window(String),
    /// A rate of more calls than are remembered.
    #[error("rule `{0}`: `max_calls` must be at most {MAX_CALLS}")]
    MaxCalls(String),
}

/// Holds calls to rules.
#[derive(Clone)]
pub struct Rules {
    rules: Vec<(Rule, Matcher)>,
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// What is compiled for a rule.
#[derive(Clone, Debug)]
enum Matcher {
    Nothing,
    Anywhere(Pattern),
    Whole(Pattern),
}

/// For each rule the moments, or the numbers, of the latest calls.
#[derive(Debug, Default)]
struct Seen {
    rules: Vec<Rate>,
}

#[derive(Debug, Default)]
struct Rate {
    calls: u64,
    latest: VecDeque<u64>,
}

impl Rules {
    /// An inspector with these rules, and a clock that starts now.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be used.
    pub fn new(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let start = Instant::now();
        let clock = move || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Self::with_clock(rules, Arc::new(clock))
    }

    /// The same with a clock that counts milliseconds.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be used.
    pub fn with_clock(
        rules: Vec<Rule>,
        clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    ) -> Result<Self, RuleError> {
        let compiled = rules.into_iter().map(|rule| {
            let matcher = compile(&rule)?;
            Ok((rule, matcher))
        });
        Ok(Self {
            rules: compiled.collect::<Result<_, RuleError>>()?,
            clock,
        })
    }

    fn count(&self, tool: &str, state: &mut State) -> Vec<bool> {
        let seen = state.of::<Seen>();
        seen.rules.resize_with(self.rules.len(), Rate::default);
        let rules = self.rules.iter().zip(&mut seen.rules);
        rules
            .map(|((rule, _), rate)| rule.covers(tool) && rule.is_over(rate, &*self.clock))
            .collect()
    }
}

fn compile(rule: &Rule) -> Result<Matcher, RuleError> {
    let refuse = |error| RuleError::Pattern(rule.id.clone(), error);
    match &rule.rule {
        RuleKind::DenyTool {} => Ok(Matcher::Nothing),
        RuleKind::DenyKeyword {
            keywords,
            case_sensitive,
        } => {
            if keywords.is_empty() || keywords.iter().any(String::is_empty) {
                return Err(RuleError::Keywords(rule.id.clone()));
            }
            let pattern = Pattern::any_of(keywords, *case_sensitive).map_err(refuse)?;
            Ok(Matcher::Anywhere(pattern))
        }
        RuleKind::DenyParam { pattern, .. } => Ok(Matcher::Anywhere(pattern.clone())),
        RuleKind::AllowParam { pattern, .. } => pattern.whole().map(Matcher::Whole).map_err(refuse),
        RuleKind::RateLimit {
            max_calls,
            per_calls,
            per_seconds,
        } => {
            if *max_calls > MAX_CALLS {
                return Err(RuleError::MaxCalls(rule.id.clone()));
            }
            match (per_calls, per_seconds) {
                (Some(1..), None) | (None, Some(1..)) => Ok(Matcher::Nothing),
                _ => Err(RuleError::Window(rule.id.clone())),
            }
        }
    }
}

impl Rule {
    fn covers(&self, tool: &str) -> bool {
        self.tool.as_ref().is_none_or(|names| names.cover(tool))
    }

    /// Adds a call to a rate; says whether it is one too many.
    fn is_over(&self, rate: &mut Rate, clock: &dyn Fn() -> u64) -> bool {
        let RuleKind::RateLimit {
            max_calls,
            per_calls,
            per_seconds,
        } = self.rule
        else {
            return false;
        };
        rate.calls = rate.calls.saturating_add(1);
        let (now, window) = match (per_calls, per_seconds) {
            (Some(calls), _) => (rate.calls, u64::from(calls)),
            (None, seconds) => {
                let window = u64::from(seconds.unwrap_or(u32::MAX)).saturating_mul(1000);
                (clock(), window)
            }
        };
        let old = |moment: u64| now.saturating_sub(moment) >= window;
        while rate.latest.front().is_some_and(|moment| old(*moment)) {
            rate.latest.pop_front();
        }
        rate.latest.push_back(now);
        let max = usize::try_from(max_calls).unwrap_or(usize::MAX);
        let over = rate.latest.len() > max;
        // One more than is allowed says as much as all of them; the oldest goes.
        while rate.latest.len() > max.saturating_add(1) {
            rate.latest.pop_front();
        }
        over
    }

    fn finding(&self, code: &'static str, words: &str, span: Option<Span>) -> Finding {
        let message = format!("{}: {}", self.id, self.reason.as_deref().unwrap_or(words));
        let finding = Finding::new(NAME, code, self.severity, message);
        match span {
            Some(span) => finding.at(span),
            None => finding,
        }
    }

    fn check(
        &self,
        matcher: &Matcher,
        over: bool,
        reading: &Reading<'_>,
        fields: &Fields<'_>,
    ) -> Option<Finding> {
        match (&self.rule, matcher) {
            (RuleKind::DenyTool {}, _) => {
                Some(self.finding("RULE_TOOL", "this tool is not to be called", None))
            }
            (RuleKind::DenyKeyword { .. }, Matcher::Anywhere(pattern)) => {
                self.keyword(pattern, reading, fields)
            }
            (RuleKind::DenyParam { param, .. }, Matcher::Anywhere(pattern)) => {
                let (field, (start, end)) = named(fields, param)
                    .find_map(|field| Some((field, pattern.find(&field.text)?)))?;
                let words = format!("`{param}` is what the rule denies");
                let span = fields.span(field, start, end);
                Some(self.finding("RULE_PARAM", &words, Some(span)))
            }
            (
                RuleKind::AllowParam {
                    param, required, ..
                },
                Matcher::Whole(pattern),
            ) => self.allowed(param, *required, pattern, fields),
            (RuleKind::RateLimit { max_calls, .. }, _) => over.then(|| {
                let words = format!("more than {max_calls} calls");
                self.finding("RULE_RATE", &words, None)
            }),
            // INVARIANT: `compile` makes what is matched above. What is not known is not allowed.
            (
                RuleKind::DenyKeyword { .. }
                | RuleKind::DenyParam { .. }
                | RuleKind::AllowParam { .. },
                _,
            ) => Some(self.finding("RULE_UNKNOWN", "the rule cannot be applied", None)),
        }
    }

    fn keyword(
        &self,
        pattern: &Pattern,
        reading: &Reading<'_>,
        fields: &Fields<'_>,
    ) -> Option<Finding> {
        let words = "a word that the rule denies";
        let mut all = fields.list.iter();
        let found = all.find_map(|field| Some((field, pattern.find(&field.text)?)));
        if let Some((field, (start, end))) = found {
            let span = fields.span(field, start, end);
            return Some(self.finding("RULE_KEYWORD", words, Some(span)));
        }
        let runs = command_lines(reading).any(|line| pattern.matches(&line));
        runs.then(|| self.finding("RULE_KEYWORD", words, None))
    }

    fn allowed(
        &self,
        param: &str,
        required: bool,
        pattern: &Pattern,
        fields: &Fields<'_>,
    ) -> Option<Finding> {
        let mut count = 0_usize;
        for field in named(fields, param) {
            count = count.saturating_add(1);
            if !pattern.matches(&field.text) {
                let words = format!("`{param}` is not what the rule allows");
                let span = fields.span(field, 0, field.text.len());
                return Some(self.finding("RULE_PARAM", &words, Some(span)));
            }
        }
        (required && count == 0)
            .then(|| self.finding("RULE_PARAM", &format!("`{param}` is missing"), None))
    }
}

impl Inspector for Rules {
    fn name(&self) -> &str {
        NAME
    }

    fn inspect(&self, reading: &Reading<'_>, state: &mut State) -> Vec<Finding> {
        let tool = reading.call().tool;
        let fields = Fields::of(reading.call().params);
        let over = self.count(tool, state);
        let rules = self.rules.iter().zip(over);
        rules
            .filter(|((rule, _), _)| rule.covers(tool))
            .filter_map(|((rule, matcher), over)| rule.check(matcher, over, reading, &fields))
            .collect()
    }

    fn skipped(&self, reading: &Reading<'_>, state: &mut State) {
        let _over = self.count(reading.call().tool, state);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::{Call, InspectorChain, Verdict};
    use ambit_canon::{Limits, parse};

    fn rules(text: &str) -> Vec<Rule> {
        serde_json::from_str(text).unwrap()
    }

    fn codes(rule: &str, tool: &str, params: &str) -> String {
        let rules = rules(&format!(r#"[{{"id":"r",{rule}}}]"#));
        let chain = InspectorChain::new().with(Rules::new(rules).unwrap());
        let params = parse(params.as_bytes(), &Limits::default()).unwrap();
        let report = chain.inspect(&mut chain.session(), Call::new(tool, &params));
        let found = report.findings.iter().map(|finding| {
            let at = finding.span.as_ref();
            let at = at.map_or(String::new(), |it| {
                format!("@{}:{}-{}", it.pointer, it.start, it.end)
            });
            format!("{}{at}", finding.code)
        });
        found.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rules_hold() {
        let tool = r#""tool":"x*","rule":{"deny_tool":{}}"#;
        let word = r#""rule":{"deny_keyword":{"keywords":["drop table","rm -rf"]}}"#;
        let exact = r#""rule":{"deny_keyword":{"keywords":["TODO"],"case_sensitive":true}}"#;
        let deny = r#""rule":{"deny_param":{"param":"port","pattern":"^2[23]$"}}"#;
        let allow = r#""tool":"http","rule":{"allow_param":{"param":"url","pattern":"https://a\\.example/.*"}}"#;
        let must = r#""rule":{"allow_param":{"param":"/a/b","pattern":"x|y","required":true}}"#;
        for (rule, called, params, want) in [
            (tool, "xyz", "{}", "RULE_TOOL"),
            (tool, "ayz", "{}", ""),
            (
                word,
                "sql",
                r#"{"q":"a; Drop Table b"}"#,
                "RULE_KEYWORD@/q:3-13",
            ),
            (
                word,
                "sql",
                r#"{"drop table":1}"#,
                "RULE_KEYWORD@/drop table:0-0",
            ),
            (word, "sql", r#"{"q":"drop the table"}"#, ""),
            (exact, "t", r#"["todo","TODO"]"#, "RULE_KEYWORD@/1:0-4"),
            (
                deny,
                "t",
                r#"{"x":[{"port":22}]}"#,
                "RULE_PARAM@/x/0/port:0-2",
            ),
            (deny, "t", r#"{"port":"220"}"#, ""),
            (allow, "http", r#"{"url":"https://a.example/x"}"#, ""),
            (
                allow,
                "http",
                r#"{"url":"http://evil/?https://a.example/x"}"#,
                "RULE_PARAM@/url:0-32",
            ),
            (
                allow,
                "http",
                r#"{"url":"https://a.example/x\nhttps://evil"}"#,
                "RULE_PARAM@/url:0-32",
            ),
            (allow, "http", "{}", ""),
            (allow, "other", r#"{"url":"z"}"#, ""),
            // the whole value has to match, not the first alternative's start or the last one's end
            (must, "t", r#"{"a":{"b":"xz"}}"#, "RULE_PARAM@/a/b:0-2"),
            (must, "t", r#"{"a":{"b":"y"}}"#, ""),
            (must, "t", r#"{"b":"y"}"#, "RULE_PARAM"),
        ] {
            assert_eq!(
                codes(rule, called, params),
                want,
                "{rule} {called} {params}"
            );
        }
    }

    #[test]
    fn rates_are_limited_by_calls_and_by_time() {
        let now = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&now);
        let text = r#"[{"id":"c","tool":"a","rule":{"rate_limit":{"max_calls":2,"per_calls":4}}},
            {"id":"s","tool":"b","rule":{"rate_limit":{"max_calls":2,"per_seconds":10}}}]"#;
        let inspector =
            Rules::with_clock(rules(text), Arc::new(move || clock.load(Ordering::Relaxed)));
        let chain = InspectorChain::new().with(inspector.unwrap());
        let mut session = chain.session();
        let params = ambit_canon::Value::Null;
        let mut call = |tool, at| {
            now.store(at, Ordering::Relaxed);
            chain
                .inspect(&mut session, Call::new(tool, &params))
                .verdict()
                == Verdict::Deny
        };
        let denied: Vec<_> = (0..4).map(|at| call("a", at)).collect();
        assert_eq!(denied, [false, false, true, true]);
        let moments = [0, 9_000, 9_500, 10_500, 40_000];
        let denied: Vec<_> = moments.into_iter().map(|at| call("b", at)).collect();
        assert_eq!(denied, [false, false, true, true, false]);
    }

    #[test]
    fn rules_that_cannot_be_used_are_refused() {
        for (rule, want) in [
            (
                r#"{"deny_keyword":{"keywords":[]}}"#,
                RuleError::Keywords("r".into()),
            ),
            (
                r#"{"deny_keyword":{"keywords":["a",""]}}"#,
                RuleError::Keywords("r".into()),
            ),
            (
                r#"{"rate_limit":{"max_calls":1}}"#,
                RuleError::Window("r".into()),
            ),
            (
                r#"{"rate_limit":{"max_calls":1,"per_calls":0}}"#,
                RuleError::Window("r".into()),
            ),
            (
                r#"{"rate_limit":{"max_calls":1,"per_calls":1,"per_seconds":1}}"#,
                RuleError::Window("r".into()),
            ),
            (
                r#"{"rate_limit":{"max_calls":10001,"per_calls":1}}"#,
                RuleError::MaxCalls("r".into()),
            ),
        ] {
            let text = format!(r#"[{{"id":"r","rule":{rule}}}]"#);
            assert_eq!(Rules::new(rules(&text)).unwrap_err(), want, "{rule}");
        }
        for text in [
            r#"{"id":"r","rule":{"deny_tool":{}},"extra":1}"#,
            r#"{"id":"r","rule":{"deny_tool":{"tool":"x"}}}"#,
            r#"{"id":"r","rule":{"deny_param":{"param":"a","pattern":"("}}}"#,
            r#"{"rule":{"deny_tool":{}}}"#,
        ] {
            serde_json::from_str::<Rule>(text).unwrap_err();
        }
    }
}
