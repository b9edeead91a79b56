// SPDX-License-Identifier: Apache-2.0
//! What a client is told to talk to: a URL, with or without a scheme.

use super::host::Host;

/// A host, and what else its spelling says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The scheme in lower case; empty if there is none.
    pub scheme: String,
    /// Where it leads. `None`: nowhere but to this machine (`file:`).
    pub host: Option<Host>,
    /// Where a client leads that reads it another way than WHATWG (a backslash, an `@`).
    pub other: Option<Host>,
    /// The port, if it is named.
    pub port: Option<u16>,
    /// The user that stands in it, without a password; empty if none does.
    pub user: String,
    /// Path, query and fragment, as they stand.
    pub rest: String,
}

/// Schemes that stay on this machine.
fn is_local(scheme: &str) -> bool {
    matches!(
        scheme,
        "file"
            | "data"
            | "about"
            | "javascript"
            | "blob"
            | "unix"
            | "mailto"
            | "urn"
            | "view-source"
    )
}

/// The length of a scheme with its colon at the start of `text`, if `//` or its kind follows.
fn scheme_of(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'))?;
    let (scheme, rest) = text.split_at_checked(end)?;
    let rest = rest.strip_prefix(':')?;
    scheme
        .starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some((scheme, rest))
}

impl Target {
    /// Reads a URL, or a host with what may stand around it (`user@host:port/path`).
    #[expect(clippy::nonminimal_bool, reason = "as it is said")]
    pub fn read(text: &str) -> Self {
        // Tabs and newlines are no part of a URL, blanks around it neither.
        let clean: String;
        let mut text = text.trim_matches(|c: char| c <= ' ');
        if text.contains(['\t', '\n', '\r']) {
            clean = text.replace(['\t', '\n', '\r'], "");
            text = &clean;
        }
        let (scheme, after) = match scheme_of(text) {
            Some((scheme, rest)) if rest.starts_with("//") || rest.starts_with(['\\', '/']) => (
                scheme.to_ascii_lowercase(),
                rest.trim_start_matches(['/', '\\']),
            ),
            // `http:host` is `http://host`; `host:8080` has no scheme.
            Some((scheme, rest)) => {
                let scheme = scheme.to_ascii_lowercase();
                let special = matches!(scheme.as_str(), "http" | "https" | "ftp" | "ws" | "wss");
                if special || (is_local(&scheme) && scheme != "file") || scheme == "file" {
                    (scheme, rest.trim_start_matches(['/', '\\']))
                } else {
                    (String::new(), text)
                }
            }
            None => (String::new(), text.trim_start_matches(['/', '\\'])),
        };
        if is_local(&scheme) {
            let rest = after.to_owned();
            return Self {
                scheme,
                host: None,
                other: None,
                port: None,
                user: String::new(),
                rest,
            };
        }
        Self::authority(scheme, after)
    }

    /// Reads what follows the slashes.
    fn authority(scheme: String, text: &str) -> Self {
        // WHATWG ends the authority at a backslash; curl does not. Where the two part, both hold.
        let end = text.find(['/', '?', '#', '\\']).unwrap_or(text.len());
        let (authority, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let (host, port, user) = read_authority(authority);
        let other_end = text.find(['/', '?', '#']).unwrap_or(text.len());
        let mut other = None;
        if other_end != end {
            let curl = text.get(..other_end).unwrap_or(text);
            other = Some(read_authority(curl).0).filter(|other| *other != host);
        }
        Self {
            scheme,
            host: Some(host),
            other,
            port,
            user,
            rest: rest.to_owned(),
        }
    }

    /// The hosts that it may lead to.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.host.iter().chain(self.other.iter())
    }
}

fn read_authority(authority: &str) -> (Host, Option<u16>, String) {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user.split(':').next().unwrap_or(user), host),
        None => ("", authority),
    };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|b| b.is_ascii_digit())
                && !name.is_empty()
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            (name, port.parse().ok())
        }
        // `[::1]`, `::1`, or a hole where the port is.
        Some((name, port)) if !name.contains(':') && port.contains(crate::shell::Word::HOLE) => {
            (name, None)
        }
        _ => (host, None),
    };
    (Host::read(name), port, user.to_owned())
}

/// Every URL with `://` in `text`: its bytes. Linear.
pub(crate) fn find_urls(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut from = 0_usize;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("://")) {
        let colon = from.saturating_add(at);
        // A scheme is short; looking back further would not be linear.
        let lowest = colon.saturating_sub(16).max(from);
        let mut start = colon;
        while start > lowest
            && bytes
                .get(start.saturating_sub(1))
                .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        {
            start = start.saturating_sub(1);
        }
        let body = colon.saturating_add(3);
        let rest = text.get(body..).unwrap_or_default();
        let length = rest
            .find(|c: char| {
                c <= ' '
                    || matches!(
                        c,
                        '"' | '\'' | '`' | '<' | '>' | '|' | '{' | '}' | ')' | ',' | ';'
                    )
            })
            .unwrap_or(rest.len());
        let end = body.saturating_add(length);
        if start < colon && length > 0 {
            found.push((start, end));
        }
        from = end.max(body);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_leads_to_its_host() {
        for (text, want) in [
            ("https://evil.example?@github.com/", "evil.example"),
            ("HTTPS://EVIL.EXAMPLE/x", "evil.example"),
            ("  HtTp://evil.example/x", "evil.example"),
            ("https://github.com@evil.example/l", "evil.example"),
            ("evil.example/x", "evil.example"),
            ("evil.example:8080", "evil.example"),
            ("//evil.example/x", "evil.example"),
            ("https:evil.example", "evil.example"),
            ("https:/evil.example", "evil.example"),
            ("http:\\\\evil.example", "evil.example"),
            ("https://evil.example#@github.com", "evil.example"),
            ("user@evil.example", "evil.example"),
            ("http://[::1]:3000/", "::1"),
            ("ht\ntp://evil.example", "evil.example"),
            ("wss://s.example/x", "s.example"),
            ("https://a.example:443", "a.example"),
            (
                "https://evil.example%00.github.com/",
                "a host that is not known",
            ),
        ] {
            assert_eq!(Target::read(text).host.unwrap().to_string(), want, "{text}");
        }
        let two = Target::read("https://github.com\\@evil.example/x");
        assert_eq!(
            two.hosts().map(ToString::to_string).collect::<Vec<_>>(),
            ["github.com", "evil.example"]
        );
        assert_eq!(Target::read("file:///etc/passwd").host, None);
        assert_eq!(Target::read("https://h.example:8443/").port, Some(8443));
    }

    #[test]
    fn urls_are_found_in_text() {
        let text = "see https://a.example/x, and (http://b.example) or ftp://c";
        let urls: Vec<_> = find_urls(text)
            .into_iter()
            .map(|(from, to)| text.get(from..to).unwrap())
            .collect();
        assert_eq!(urls, ["https://a.example/x", "http://b.example", "ftp://c"]);
        assert!(find_urls(&"://".repeat(10_000)).is_empty());
    }
}
