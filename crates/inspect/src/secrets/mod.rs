// SPDX-License-Identifier: Apache-2.0
//! *Secrets*: credentials in what a call says, anywhere in its parameters: in well-known formats, as
//! values that look random, and those that are known by fingerprint; as they are, or in base64,
//! hexadecimal digits or percent-encoding. What is found never stands in a finding.

mod decode;
mod entropy;
mod fingerprint;
mod formats;

use std::ops::Range;

use crate::fields::{Field, Fields};
use crate::finding::{Finding, Severity};
use crate::inspector::{Inspector, State};
use crate::pattern::wildcard;
use crate::reading::Reading;
use fingerprint::Known;

pub use fingerprint::{Fingerprint, FingerprintError};

const NAME: &str = "secrets";
/// Findings of one call; more say nothing new.
const MOST: usize = 16;
/// How many encodings in encodings are read.
const DEPTH: usize = 2;
/// Bytes of all texts that are decoded, for each byte of the call, and at least.
const BUDGET: usize = 16;
const LEAST_BUDGET: usize = 1 << 16;
/// Entropy of a byte from which on a value looks random, in 1/256 bit: 4.1.
const RANDOM: u32 = 1050;
/// The same for the value of a name that says secret: 3.4.
const RANDOM_SECRET: u32 = 870;

/// What is looked for, besides well-known formats.
#[derive(Clone, Debug, Default)]
pub struct SecretsOptions {
    /// Secrets that are known, none of them kept.
    pub fingerprints: Vec<Fingerprint>,
    /// What a value is that looks random; `None` does not look.
    pub random: Option<Severity>,
    /// Names of parameters that hold credentials by design; `*` is any text.
    pub allow_params: Vec<String>,
}

/// Finds credentials.
#[derive(Clone, Debug)]
pub struct Secrets {
    known: Known,
    random: Option<Severity>,
    allow_params: Vec<String>,
}

impl Secrets {
    /// An inspector that looks for these.
    ///
    /// # Errors
    ///
    /// Secrets of too many lengths.
    pub fn new(options: SecretsOptions) -> Result<Self, FingerprintError> {
        Ok(Self {
            known: Known::new(options.fingerprints)?,
            random: options.random,
            allow_params: options.allow_params,
        })
    }

    fn look(&self, field: &Field<'_>, fields: &Fields<'_>, budget: &mut usize) -> Option<Finding> {
        if let Some((code, what, at)) = self.plain(&field.text) {
            return Some(self.placed(denied(code, what, ""), field, fields, &at));
        }
        let Ok(found) = self.encoded(&field.text, budget) else {
            let message = "more encoded text than is decoded";
            let finding = Finding::new(NAME, "SECRET_UNREAD", Severity::Deny, message);
            return Some(self.placed(finding, field, fields, &(0..field.text.len())));
        };
        let (code, what, at) = found?;
        Some(self.placed(denied(code, what, ", encoded"), field, fields, &at))
    }

    /// Gives a finding its place, unless the names on the way hold a secret themselves.
    fn placed(
        &self,
        finding: Finding,
        field: &Field<'_>,
        fields: &Fields<'_>,
        at: &Range<usize>,
    ) -> Finding {
        let span = fields.span(field, at.start, at.end);
        let leaks = field.is_name || self.plain(&span.pointer).is_some();
        if leaks { finding } else { finding.at(span) }
    }

    fn plain(&self, text: &str) -> Option<(&'static str, &'static str, Range<usize>)> {
        if let Some(at) = self.known.find(text) {
            return Some(("SECRET_KNOWN", "a secret that is known here", at));
        }
        let found = formats::find(text)?;
        Some(("SECRET_FORMAT", found.what, found.at))
    }

    /// Looks into encodings; the place is that of the outermost one.
    #[expect(
        clippy::type_complexity,
        reason = "a code, words and a place, as above"
    )]
    fn encoded(
        &self,
        text: &str,
        budget: &mut usize,
    ) -> Result<Option<(&'static str, &'static str, Range<usize>)>, OverBudget> {
        let mut open = vec![(None, text.to_owned(), 0_usize)];
        while let Some((outer, text, depth)) = open.pop() {
            for part in decode::parts(&text) {
                *budget = budget.checked_sub(part.text.len()).ok_or(OverBudget)?;
                if part.text == text {
                    continue;
                }
                let at: Range<usize> = outer.clone().unwrap_or_else(|| part.at.clone());
                if let Some((code, what, _)) = self.plain(&part.text) {
                    return Ok(Some((code, what, at)));
                }
                if depth.saturating_add(1) < DEPTH {
                    open.push((Some(at), part.text, depth.saturating_add(1)));
                }
            }
        }
        Ok(None)
    }

    /// A value that looks random: more so unless its name says secret.
    fn random(&self, field: &Field<'_>, fields: &Fields<'_>) -> Option<Finding> {
        let severity = self.random?;
        let bits = if says_secret(field.key) {
            RANDOM_SECRET
        } else {
            RANDOM
        };
        let at = entropy::find(&field.text, bits)?;
        let finding = Finding::new(NAME, "SECRET_RANDOM", severity, "a value that looks random");
        Some(self.placed(finding, field, fields, &at))
    }
}

/// Too much is encoded.
struct OverBudget;

fn denied(code: &'static str, what: &str, how: &str) -> Finding {
    Finding::new(NAME, code, Severity::Deny, format!("{what}{how}"))
}

fn says_secret(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "secret",
        "token",
        "password",
        "passwd",
        "api_key",
        "apikey",
        "credential",
        "private_key",
        "authorization",
    ];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

impl Inspector for Secrets {
    fn name(&self) -> &str {
        NAME
    }

    fn inspect(&self, reading: &Reading<'_>, _state: &mut State) -> Vec<Finding> {
        let fields = Fields::of(reading.call().params);
        let size = fields.list.iter().map(|it| it.text.len()).sum::<usize>();
        let mut budget = size.saturating_mul(BUDGET).max(LEAST_BUDGET);
        let mut found = Vec::new();
        for field in &fields.list {
            let allowed = self
                .allow_params
                .iter()
                .any(|name| wildcard(name, field.key));
            if found.len() >= MOST || allowed {
                continue;
            }
            let finding = self.look(field, &fields, &mut budget);
            found.extend(finding.or_else(|| self.random(field, &fields)));
        }
        // What quotes hide is seen in the words of commands.
        if found.is_empty() {
            for line in crate::pattern::command_lines(reading) {
                if let Some((code, what, _)) = self.plain(&line) {
                    found.push(denied(code, what, ", in a command"));
                    break;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
