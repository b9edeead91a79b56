// SPDX-License-Identifier: Apache-2.0
//! Paths in their plain form.

/// A path, and what its text said besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// Without `.`, `..`, empty parts and a scheme; a home is `~`.
    pub(super) path: String,
    /// How many folders above its start it reaches.
    pub(super) above: usize,
    /// Whether a part was `..`.
    pub(super) climbs: bool,
    /// Whether it was written so that a plain look does not see `..`, or ends early.
    pub(super) hidden: bool,
}

/// Reads a path. `None` for what is no path: empty, or of more than 4,096 bytes.
pub(super) fn plain(text: &str) -> Option<Plain> {
    let text = text.trim();
    if text.is_empty() || text.len() > 4096 {
        return None;
    }
    let text = text.strip_prefix("file://").unwrap_or(text);
    let decoded = decode(text);
    let hidden = text.contains('\0')
        || (decoded != text && (decoded.contains("../") || decoded.contains('\0')))
        || text.contains("....//")
        || text.contains("..\\");
    let path = decoded.replace('\\', "/").replace("....//", "../");
    let path = path.split('\0').next().unwrap_or_default();
    let home = home(path);
    let mut parts: Vec<&str> = Vec::new();
    let (mut above, mut climbs) = (0_usize, false);
    for part in home.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                climbs = true;
                let kept = matches!(parts.as_slice(), [] | ["~"]);
                if kept {
                    above = above.saturating_add(1);
                } else {
                    parts.pop();
                }
            }
            part => parts.push(part),
        }
    }
    let root = if home.starts_with('/') { "/" } else { "" };
    let joined = format!("{root}{}", parts.join("/"));
    // What a path from the root goes through may be a home after all.
    let path = self::home(&joined);
    let above = if root.is_empty() { above } else { 0 };
    Some(Plain {
        path,
        above,
        climbs,
        hidden,
    })
}

/// Writes the home of whoever it is as `~`.
fn home(path: &str) -> String {
    for name in ["${HOME}", "$HOME", "%USERPROFILE%", "/root"] {
        if let Some(rest) = path.strip_prefix(name)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return format!("~{rest}");
        }
    }
    for folder in ["/home/", "/Users/", "~"] {
        if let Some(rest) = path.strip_prefix(folder) {
            let (_user, below) = rest.split_once('/').unwrap_or((rest, ""));
            return format!("~/{below}");
        }
    }
    path.to_owned()
}

/// Decodes `%2e` and the like, as often as it was encoded, three times at most.
fn decode(text: &str) -> String {
    let mut text = text.to_owned();
    for _turn in 0..3 {
        let lower = text.to_ascii_lowercase();
        if !["%2e", "%2f", "%5c", "%25", "%00"]
            .iter()
            .any(|it| lower.contains(it))
        {
            break;
        }
        for (code, character) in [
            ("2e", "."),
            ("2f", "/"),
            ("5c", "\\"),
            ("00", "\0"),
            ("25", "%"),
        ] {
            text = text.replace(&format!("%{code}"), character);
            text = text.replace(&format!("%{}", code.to_uppercase()), character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_plain_form() {
        for (text, want, above, hidden) in [
            ("/home/me/.ssh/id_rsa", "~/.ssh/id_rsa", 0, false),
            ("~/.ssh//./id_rsa", "~/.ssh/id_rsa", 0, false),
            ("~other/.ssh/id_rsa", "~/.ssh/id_rsa", 0, false),
            ("$HOME/.ssh/id_rsa", "~/.ssh/id_rsa", 0, false),
            ("file:///root/.netrc", "~/.netrc", 0, false),
            ("/srv/../etc/./shadow", "/etc/shadow", 0, false),
            ("/srv/app/../../root/.netrc", "~/.netrc", 0, false),
            ("a/../../../etc/shadow", "etc/shadow", 2, false),
            ("%2e%2e/%2E%2E/etc/shadow", "etc/shadow", 2, true),
            ("%252e%252e%252fetc", "etc", 1, true),
            ("....//etc", "etc", 1, true),
            ("..\\etc", "etc", 1, true),
            ("a.txt\0.png", "a.txt", 0, true),
            ("/../../etc", "/etc", 0, false),
        ] {
            let got = plain(text).unwrap();
            assert_eq!(
                (got.path.as_str(), got.above, got.hidden),
                (want, above, hidden),
                "{text}"
            );
        }
        assert_eq!(plain(" "), None);
    }
}
