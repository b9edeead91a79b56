// SPDX-License-Identifier: Apache-2.0
//! Chains written down: a JSON array of inspectors, each an object with its `kind` and its options.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::chain::{InspectorChain, OnFailure};
use crate::egress::EgressInspector;
use crate::finding::Severity;
use crate::inspector::Inspector;
use crate::net::{AllowListError, DEFAULT_HOSTS};
use crate::paths::{Paths, PathsOptions};
use crate::repetition::{Repetition, RepetitionOptions};
use crate::rules::{Rule, Rules};
use crate::secrets::{FingerprintError, Secrets, SecretsOptions};
use crate::sequence::{Sequence, SequenceRule};

/// Why a chain cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The text is not what a chain is written as.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
    /// An inspector cannot be made of its options.
    #[error("inspector {place}, `{kind}`: {reason}")]
    Options {
        /// Its place in the chain, from 0.
        place: usize,
        /// Its kind.
        kind: &'static str,
        /// One line.
        reason: String,
    },
}

/// One inspector, as it is written.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Spec {
    Egress(EgressSpec),
    Paths(PathsSpec),
    Repetition(RepetitionSpec),
    Rules(RulesSpec),
    Secrets(SecretsSpec),
    Sequence(SequenceSpec),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepetitionSpec {
    max_repeats: Option<u64>,
    #[serde(default)]
    tools: BTreeMap<String, u64>,
    warn_at: Option<u64>,
    #[serde(default)]
    masks: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EgressSpec {
    allowed_hosts: Option<Vec<String>>,
    #[serde(default)]
    extra_hosts: Vec<String>,
    #[serde(default)]
    strict: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathsSpec {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    roots: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretsSpec {
    #[serde(default)]
    fingerprints: Vec<String>,
    /// `off` does not look for values that look random.
    random: Option<Random>,
    #[serde(default)]
    allow_params: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Random {
    Deny,
    Off,
    Warn,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesSpec {
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SequenceSpec {
    rules: Vec<SequenceRule>,
}

impl InspectorChain {
    /// Makes a chain of a JSON array of inspectors.
    ///
    /// # Errors
    ///
    /// Text that is no such array, unknown kinds and options, and options that cannot be used.
    pub fn from_json(text: &str, on_failure: OnFailure) -> Result<Self, SpecError> {
        let specs: Vec<Spec> = serde_json::from_str(text)?;
        let mut chain = Self::new().on_failure(on_failure);
        for (place, spec) in specs.into_iter().enumerate() {
            chain.push(inspector(spec, place)?);
        }
        Ok(chain)
    }
}

fn inspector(spec: Spec, place: usize) -> Result<Box<dyn Inspector>, SpecError> {
    let refuse = |kind, error: &dyn std::error::Error| SpecError::Options {
        place,
        kind,
        reason: error.to_string(),
    };
    match spec {
        Spec::Egress(spec) => match egress(spec) {
            Ok(egress) => Ok(Box::new(egress)),
            Err(error) => Err(refuse("egress", &error)),
        },
        Spec::Paths(PathsSpec { allow, roots }) => {
            Ok(Box::new(Paths::new(PathsOptions { allow, roots })))
        }
        Spec::Repetition(spec) => {
            let default = RepetitionOptions::default();
            Ok(Box::new(Repetition::new(RepetitionOptions {
                max_repeats: spec.max_repeats.unwrap_or(default.max_repeats),
                tools: spec.tools,
                warn_at: spec.warn_at,
                masks: spec.masks,
            })))
        }
        Spec::Rules(spec) => match Rules::new(spec.rules) {
            Ok(rules) => Ok(Box::new(rules)),
            Err(error) => Err(refuse("rules", &error)),
        },
        Spec::Secrets(spec) => match secrets(spec) {
            Ok(secrets) => Ok(Box::new(secrets)),
            Err(error) => Err(refuse("secrets", &error)),
        },
        Spec::Sequence(spec) => Ok(Box::new(Sequence::new(spec.rules))),
    }
}

fn egress(spec: EgressSpec) -> Result<EgressInspector, AllowListError> {
    let default = || {
        DEFAULT_HOSTS
            .iter()
            .map(|host| (*host).to_owned())
            .collect()
    };
    let mut hosts: Vec<String> = spec.allowed_hosts.unwrap_or_else(default);
    hosts.extend(spec.extra_hosts);
    Ok(EgressInspector::new(&hosts)?.strict(spec.strict))
}

fn secrets(spec: SecretsSpec) -> Result<Secrets, FingerprintError> {
    let random = match spec.random.unwrap_or(Random::Warn) {
        Random::Deny => Some(Severity::Deny),
        Random::Off => None,
        Random::Warn => Some(Severity::Warn),
    };
    let fingerprints = spec.fingerprints.iter().map(|text| text.parse());
    Secrets::new(SecretsOptions {
        fingerprints: fingerprints.collect::<Result<_, _>>()?,
        random,
        allow_params: spec.allow_params,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_made_as_they_are_written() {
        let text = r#"[{"kind":"sequence","rules":[]},{"kind":"repetition","max_repeats":3}]"#;
        let chain = InspectorChain::from_json(text, OnFailure::Deny).unwrap();
        assert_eq!(
            chain.names().collect::<Vec<_>>(),
            ["sequence", "repetition"]
        );
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for (text, want) in [
            (
                r#"{"kind":"repetition"}"#,
                "invalid type: map, expected a sequence at line 1 column 0",
            ),
            (r#"[{"kind":"x"}]"#, "unknown variant `x`"),
            (r#"[{"kind":"repetition","max":3}]"#, "unknown field `max`"),
            (
                r#"[{"kind":"repetition","max_repeats":-1}]"#,
                "invalid value: integer `-1`",
            ),
            (
                r#"[{"kind":"rules","rules":[{"id":"r","rule":{"rate_limit":{"max_calls":1}}}]}]"#,
                "inspector 0, `rules`: rule `r`: must have exactly one of",
            ),
        ] {
            let error = InspectorChain::from_json(text, OnFailure::Deny).unwrap_err();
            assert!(error.to_string().starts_with(want), "{error}");
        }
    }
}
