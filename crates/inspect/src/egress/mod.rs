// SPDX-License-Identifier: Apache-2.0
//! The egress inspector: what a call sends out of this machine, and what it fetches and runs.

mod judge;
mod prefilter;

use crate::finding::{Finding, Severity};
use crate::inspector::{Inspector, State};
use crate::net::{AllowList, AllowListError, DEFAULT_HOSTS};
use crate::reading::Reading;
use crate::shell::Origin;
use judge::Judge;

/// The inspector's name.
pub(crate) const NAME: &str = "egress";
/// Findings of one call; more say nothing new.
const MOST: usize = 32;

/// Looks at what leaves.
#[derive(Clone, Debug)]
pub struct EgressInspector {
    allowed: AllowList,
    strict: bool,
    prefilter: bool,
}

impl Default for EgressInspector {
    /// The default hosts, not strict.
    fn default() -> Self {
        let allowed = AllowList::new(DEFAULT_HOSTS).unwrap_or_default();
        Self {
            allowed,
            strict: false,
            prefilter: true,
        }
    }
}

impl EgressInspector {
    /// Allows these hosts and no others.
    ///
    /// # Errors
    ///
    /// An entry that is empty, a URL, or no host.
    pub fn new<S: AsRef<str>>(hosts: impl IntoIterator<Item = S>) -> Result<Self, AllowListError> {
        Ok(Self {
            allowed: AllowList::new(hosts)?,
            ..Self::default()
        })
    }

    /// With `strict`, a host that is not allowed or not known is denied where it would be a warning.
    #[must_use]
    pub const fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Without `on`, every call is parsed: the quick look before it is left out. It never changes a
    /// verdict; tests and measurements turn it off.
    #[must_use]
    pub const fn prefilter(mut self, on: bool) -> Self {
        self.prefilter = on;
        self
    }
}

impl Inspector for EgressInspector {
    fn name(&self) -> &'static str {
        NAME
    }

    fn inspect(&self, reading: &Reading<'_>, _state: &mut State) -> Vec<Finding> {
        if self.prefilter && prefilter::is_harmless(reading) {
            return Vec::new();
        }
        let program = reading.program();
        let mut found: Vec<(Severity, &'static str, String, Option<Origin>)> = Vec::new();
        if let Some(over) = program.over {
            found.push((
                Severity::Deny,
                "INSPECT_OVER_BUDGET",
                over.to_string(),
                None,
            ));
        }
        if let Some(origin) = program.unreadable {
            let message = "a quote or bracket that nothing closes".to_owned();
            found.push((Severity::Warn, "SHELL_UNREADABLE", message, Some(origin)));
        }
        let judge = Judge {
            allowed: &self.allowed,
            strict: self.strict,
            program,
        };
        for command in &program.commands {
            for act in &command.acts {
                if let Some((severity, code, message, origin)) = judge.act(act, command) {
                    found.push((severity, code, message, Some(origin)));
                }
            }
        }
        // What denies comes first, so that a limit on findings never hides it.
        found.sort_by_key(|finding| std::cmp::Reverse(finding.0));
        found.dedup_by(|a, b| a.1 == b.1 && a.2 == b.2);
        found.truncate(MOST);
        found
            .into_iter()
            .map(|(severity, code, message, origin)| {
                let finding = Finding::new(NAME, code, severity, message);
                match origin {
                    Some(origin) => finding.at(reading.span(origin.text, origin.start, origin.end)),
                    None => finding,
                }
            })
            .collect()
    }
}
