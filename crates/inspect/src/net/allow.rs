// SPDX-License-Identifier: Apache-2.0
//! The hosts that may be talked to.

use std::collections::BTreeMap;

use super::host::Host;
use super::target::Target;

/// The default of car-policy 0.13.0 (`EgressInspector::default`), Apache-2.0.
pub const DEFAULT_HOSTS: [&str; 9] = [
    "github.com",
    "api.github.com",
    "raw.githubusercontent.com",
    "crates.io",
    "static.crates.io",
    "registry.npmjs.org",
    "pypi.org",
    "files.pythonhosted.org",
    "docs.rs",
];

/// An entry that means no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowListError {
    /// Nothing stands there; it would allow every host.
    #[error("an entry of the allow-list is empty")]
    Empty,
    /// A URL, a path or a user: what counts is the host.
    #[error("\"{0}\" is no host: give the host alone, like docs.rs, *.corp.example or host:8443")]
    NotAHost(String),
    /// A `*` at another place than before the first dot.
    #[error("\"{0}\": a * stands for whole labels at the start only, as in *.corp.example")]
    Wildcard(String),
    /// A whole top-level domain.
    #[error("\"{0}\" would allow a whole top-level domain")]
    TooWide(String),
}

/// What an entry lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The host and everything below it.
    Both,
    /// The host alone: an address, or `=host`.
    Exact,
    /// What is below it.
    Below,
}

/// Hosts that are allowed, by label.
///
/// - `corp.example`: the host and what is below it, told at the dots
/// - `*.corp.example`, `.corp.example`: what is below it only
/// - `=corp.example`: the host only
/// - `corp.example:8443`: on that port only
/// - an address: itself
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    names: BTreeMap<String, Vec<(Reach, Option<u16>)>>,
}

impl AllowList {
    /// Reads the entries.
    ///
    /// # Errors
    ///
    /// An entry that is empty, a URL, or a pattern that is not understood.
    pub fn new<S: AsRef<str>>(
        entries: impl IntoIterator<Item = S>,
    ) -> Result<Self, AllowListError> {
        let mut list = Self::default();
        for entry in entries {
            list.add(entry.as_ref())?;
        }
        Ok(list)
    }

    #[expect(
        clippy::match_same_arms,
        reason = "one arm for each case, as the reader thinks of them"
    )]
    fn add(&mut self, entry: &str) -> Result<(), AllowListError> {
        let text = entry.trim();
        if text.is_empty() {
            return Err(AllowListError::Empty);
        }
        let not_a_host = || AllowListError::NotAHost(entry.to_owned());
        let (reach, rest) =
            if let Some(rest) = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')) {
                (Reach::Below, rest)
            } else if let Some(rest) = text.strip_prefix('=') {
                (Reach::Exact, rest)
            } else {
                (Reach::Both, text)
            };
        if rest.contains('*') {
            return Err(AllowListError::Wildcard(entry.to_owned()));
        }
        if rest.contains("://") || rest.contains(['/', '?', '#', '@', '\\', ' ', '%']) {
            return Err(not_a_host());
        }
        let target = Target::read(rest);
        let Some(host) = target.host.filter(|_| target.scheme.is_empty()) else {
            return Err(not_a_host());
        };
        if target.port.is_none() && rest.contains(':') && !matches!(host, Host::Address(_)) {
            return Err(not_a_host());
        }
        let (name, reach) = match host {
            Host::Unknown(_) => return Err(not_a_host()),
            Host::Address(address) if reach == Reach::Both => (address.to_string(), Reach::Exact),
            Host::Address(_) => return Err(not_a_host()),
            Host::Name(name) if name.is_empty() => return Err(not_a_host()),
            Host::Name(name) if reach == Reach::Below && !name.contains('.') => {
                return Err(AllowListError::TooWide(entry.to_owned()));
            }
            // `com` alone is a host of that name, and not everything under it.
            Host::Name(name) if !name.contains('.') => (name, Reach::Exact),
            Host::Name(name) => (name, reach),
        };
        self.names
            .entry(name)
            .or_default()
            .push((reach, target.port));
        Ok(())
    }

    /// Whether `host` may be talked to on `port`, if that is known.
    pub fn allows(&self, host: &Host, port: Option<u16>) -> bool {
        let fits = |name: &str, below: bool| {
            self.names.get(name).is_some_and(|entries| {
                entries.iter().any(|(reach, only)| {
                    (only.is_none() || *only == port)
                        && match reach {
                            Reach::Both => true,
                            Reach::Exact => !below,
                            Reach::Below => below,
                        }
                })
            })
        };
        match host {
            Host::Unknown(_) => false,
            Host::Address(address) => fits(&address.to_string(), false),
            Host::Name(name) => {
                let mut rest = name.as_str();
                let mut below = false;
                loop {
                    if fits(rest, below) {
                        return true;
                    }
                    let Some((_, shorter)) = rest.split_once('.') else {
                        return false;
                    };
                    rest = shorter;
                    below = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_reach_as_far_as_they_say() {
        let list = AllowList::new([
            "github.com",
            "*.corp.example",
            "=only.example",
            "api.example:8443",
            "10.0.0.7",
            ".dot.example",
            "BÜCHER.example",
        ])
        .unwrap();
        for (host, port, want) in [
            ("github.com", None, true),
            ("gist.github.com", None, true),
            ("GITHUB.com.", Some(443), true),
            ("evilgithub.com", None, false),
            ("github.com.evil.example", None, false),
            ("corp.example", None, false),
            ("a.b.corp.example", None, true),
            ("xcorp.example", None, false),
            ("only.example", None, true),
            ("a.only.example", None, false),
            ("api.example", Some(8443), true),
            ("api.example", Some(443), false),
            ("10.0.0.7", None, true),
            ("10.0.0.8", None, false),
            ("a.dot.example", None, true),
            ("bücher.example", None, true),
            ("xn--bcher-kva.example", None, true),
        ] {
            assert_eq!(list.allows(&Host::read(host), port), want, "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for entry in [
            "",
            "  ",
            "https://corp.example",
            "corp.example/x",
            "user@corp.example",
            "*",
            "a.*.example",
            "*.com",
            "a b",
            "host:",
        ] {
            assert!(AllowList::new([entry]).is_err(), "{entry}");
        }
    }
}
