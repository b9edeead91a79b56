// SPDX-License-Identifier: Apache-2.0
//! *Repetition*: the same call again and again, which is a loop, or somebody who tries doors.
//!
//! Counted are the runs of one call, cycles of two to four calls, how often a call stands among the
//! latest ones of its tool, and runs of calls that differ in white space or in volatile fields
//! (`nonce`, `timestamp`, …) only. A call is kept as the SHA-256 of its tool and of its parameters'
//! RFC 8785 text. Calls that were denied count like others.
//!
//! A run of one call is denied once it is longer than allowed. What is less certain is a warning
//! first, and a deny when it goes on.

mod loose;

use std::collections::{BTreeMap, VecDeque};

use ambit_canon::{Hasher, write};

use crate::finding::{Finding, Severity};
use crate::inspector::{Inspector, State};
use crate::reading::Reading;
use loose::Masks;

const NAME: &str = "repetition";
/// The longest cycle that is looked for.
const MAX_PERIOD: usize = 4;
/// The most calls of one tool that are remembered, 32 bytes each.
const MAX_WINDOW: u64 = 4096;
/// The most tools that have a window of their own; all others share one.
const MAX_TOOLS: usize = 256;

/// How often is too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepetitionOptions {
    /// How often one call may be made in a row. Any number works; 0 denies every call.
    pub max_repeats: u64,
    /// Other numbers for single tools.
    pub tools: BTreeMap<String, u64>,
    /// From which call of a run on there is a warning; without it the deny is the first word.
    pub warn_at: Option<u64>,
    /// Names of further members that change with every call.
    pub masks: Vec<String>,
}

impl Default for RepetitionOptions {
    /// Five in a row.
    fn default() -> Self {
        Self {
            max_repeats: 5,
            tools: BTreeMap::new(),
            warn_at: None,
            masks: Vec::new(),
        }
    }
}

/// Finds calls that are repeated.
#[derive(Clone, Debug, Default)]
pub struct Repetition {
    options: RepetitionOptions,
    masks: Masks,
}

/// The identity of a call.
type Key = [u8; 32];

/// A run of equal keys.
#[derive(Debug, Default)]
struct Run {
    key: Option<Key>,
    length: u64,
}

impl Run {
    fn add(&mut self, key: Key) -> u64 {
        self.length = if self.key == Some(key) {
            self.length.saturating_add(1)
        } else {
            1
        };
        self.key = Some(key);
        self.length
    }
}

/// What a session did.
#[derive(Debug, Default)]
struct Seen {
    exact: Run,
    spaced: Run,
    masked: Run,
    /// The latest calls, newest first.
    latest: VecDeque<Key>,
    /// For each period from 2: how many calls are those of a period before.
    cycles: [u64; MAX_PERIOD],
    windows: BTreeMap<String, VecDeque<Key>>,
}

/// How the call of now repeats what was.
struct Counts {
    exact: u64,
    spaced: u64,
    masked: u64,
    /// Period, and calls of the cycle.
    cycle: Option<(u64, u64)>,
    /// Equal calls among the latest of the tool, and how many those are at most.
    window: (u64, u64),
}

impl Repetition {
    /// An inspector with these numbers.
    pub fn new(options: RepetitionOptions) -> Self {
        let masks = Masks::new(&options.masks);
        Self { options, masks }
    }

    fn max(&self, tool: &str) -> u64 {
        let own = self.options.tools.get(tool).copied();
        own.unwrap_or(self.options.max_repeats)
    }

    fn count(&self, reading: &Reading<'_>, seen: &mut Seen) -> Counts {
        let call = reading.call();
        let canonical = write(call.params);
        let exact = key(call.tool, &canonical);
        let tool = call.tool.trim().to_lowercase();
        let spaced = match Masks::collapsed(&canonical) {
            Some(text) => key(&tool, &text),
            None => key(&tool, &canonical),
        };
        let masked = self.masks.masked(call.params, &canonical);
        let masked = masked.map_or(spaced, |text| key(&tool, &text));
        Counts {
            exact: seen.exact.add(exact),
            spaced: seen.spaced.add(spaced),
            masked: seen.masked.add(masked),
            cycle: seen.cycle(exact),
            window: seen.window(&tool, spaced, self.max(call.tool)),
        }
    }

    fn judge(&self, tool: &str, counts: &Counts) -> Option<Finding> {
        let max = self.max(tool);
        let twice = max.saturating_mul(2);
        let often = max.saturating_mul(3);
        let found = |code: &'static str, severity, message: String| {
            Some(Finding::new(NAME, code, severity, message))
        };
        if counts.exact > max {
            let message = format!("the same call, {} times in a row", counts.exact);
            return found("REPETITION_RUN", Severity::Deny, message);
        }
        if let Some((period, length)) = counts.cycle
            && length > max.saturating_mul(period)
        {
            let deny = length > twice.saturating_mul(period);
            let message = format!("the same {period} calls over and over, {length} calls so far");
            return found("REPETITION_CYCLE", severity(deny), message);
        }
        if counts.spaced > max {
            let message = format!(
                "the same call but for white space, {} times in a row",
                counts.spaced
            );
            return found("REPETITION_NEAR", severity(counts.spaced > twice), message);
        }
        if counts.masked > max.saturating_add(1) {
            let message = format!(
                "the same call but for fields that change each time, {} times in a row",
                counts.masked
            );
            return found("REPETITION_NEAR", severity(counts.masked > often), message);
        }
        let (count, size) = counts.window;
        if count > max {
            let message = format!("the same call {count} times among the tool's latest {size}");
            return found("REPETITION_WINDOW", severity(count > often), message);
        }
        let warn_at = self.options.warn_at?;
        let message = format!("the same call, {} times in a row", counts.exact);
        (counts.exact >= warn_at.max(2))
            .then(|| Finding::new(NAME, "REPETITION_RUN", Severity::Warn, message))
    }
}

const fn severity(deny: bool) -> Severity {
    if deny { Severity::Deny } else { Severity::Warn }
}

impl Seen {
    /// Adds a call; answers with the cycle that has lasted longest, if one has come round.
    fn cycle(&mut self, key: Key) -> Option<(u64, u64)> {
        let mut best = None;
        for ((same, before), period) in self.cycles.iter_mut().zip(&self.latest).zip(1_u64..) {
            *same = if *before == key {
                same.saturating_add(1)
            } else {
                0
            };
            // Runs are of period 1, and counted apart.
            if period > 1 && *same > 0 {
                let length = same.saturating_add(period);
                if best.is_none_or(|(_, other)| length > other) {
                    best = Some((period, length));
                }
            }
        }
        self.latest.push_front(key);
        self.latest.truncate(MAX_PERIOD);
        best
    }

    /// Adds a call to its tool's window; answers how often it is there, and the window's size.
    fn window(&mut self, tool: &str, key: Key, max: u64) -> (u64, u64) {
        let size = max.saturating_mul(4).clamp(1, MAX_WINDOW);
        let full = self.windows.len() >= MAX_TOOLS && !self.windows.contains_key(tool);
        // No tool's name is so short that it could be this one.
        let name = if full { "" } else { tool };
        let window = match self.windows.get_mut(name) {
            Some(window) => window,
            None => self.windows.entry(name.to_owned()).or_default(),
        };
        window.push_front(key);
        window.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let count = window.iter().filter(|other| **other == key).count();
        (u64::try_from(count).unwrap_or(u64::MAX), size)
    }
}

fn key(tool: &str, text: &str) -> Key {
    let mut hasher = Hasher::new();
    let length = u64::try_from(tool.len()).unwrap_or(u64::MAX);
    hasher.update(&length.to_le_bytes());
    hasher.update(tool.as_bytes());
    hasher.update(text.as_bytes());
    *hasher.finish().as_bytes()
}

impl Inspector for Repetition {
    fn name(&self) -> &str {
        NAME
    }

    fn inspect(&self, reading: &Reading<'_>, state: &mut State) -> Vec<Finding> {
        let counts = self.count(reading, state.of::<Seen>());
        self.judge(reading.call().tool, &counts)
            .into_iter()
            .collect()
    }

    fn skipped(&self, reading: &Reading<'_>, state: &mut State) {
        let _counts = self.count(reading, state.of::<Seen>());
    }
}

#[cfg(test)]
mod tests;
