// SPDX-License-Identifier: Apache-2.0
//! What is read of a git repository: `gitrepository-layout(5)`, `git-config(1)`. Whoever wrote these
//! files may be hostile: they are read up to a bound, and what they name is only ever protected.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// Where a `.git` file says that the git directory is, relative to the folder around it.
pub(super) fn gitdir_of(content: &[u8]) -> Option<PathBuf> {
    let named = content.strip_prefix(b"gitdir:")?.trim_ascii();
    (!named.is_empty() && !named.contains(&b'\n')).then(|| path_of(named))
}

/// What settings of a repository lead to.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Named {
    /// `core.hooksPath`, relative to the work tree.
    pub(super) hooks: Vec<PathBuf>,
    /// `include.path` and `includeIf.*.path`, relative to the settings themselves.
    pub(super) included: Vec<PathBuf>,
    /// `core.worktree`, relative to the git directory.
    pub(super) worktree: Option<PathBuf>,
}

/// Reads settings. Where their form is odd, more is taken for a value than git would.
pub(super) fn named_in(content: &[u8]) -> Named {
    let mut out = Named::default();
    let mut section = String::new();
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    for line in lines(content) {
        let mut line = line.trim_ascii();
        if let Some(header) = line.strip_prefix(b"[") {
            let end = header.iter().position(|byte| *byte == b']');
            let (name, rest) = header.split_at(end.unwrap_or(header.len()));
            let word = name
                .split(|byte| *byte == b'"' || *byte == b'.' || byte.is_ascii_whitespace())
                .next()
                .unwrap_or_default();
            section = String::from_utf8_lossy(word).to_ascii_lowercase();
            // a value may follow on the line of its section
            line = rest.get(1..).unwrap_or_default().trim_ascii();
        }
        let Some(at) = line.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let (key, value) = line.split_at(at);
        let key = String::from_utf8_lossy(key).trim().to_ascii_lowercase();
        let path = path_of(&value_of(value.get(1..).unwrap_or_default()));
        match (section.as_str(), key.as_str()) {
            ("core", "hookspath") => out.hooks.push(path),
            ("core", "worktree") => out.worktree = Some(path),
            ("include" | "includeif", "path") => out.included.push(path),
            _ => {}
        }
    }
    out
}

/// Splits into lines; one that ends in a backslash goes on in the next, but for a comment.
fn lines(content: &[u8]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    let mut goes_on = false;
    for line in content.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_comment = !goes_on && matches!(line.trim_ascii_start().first(), Some(b'#' | b';'));
        let (text, more) = match line.strip_suffix(b"\\") {
            Some(text) if !is_comment => (text, true),
            Some(_) | None => (line, false),
        };
        match out.last_mut() {
            Some(last) if goes_on => last.extend_from_slice(text),
            Some(_) | None => out.push(text.to_vec()),
        }
        goes_on = more;
    }
    out
}

/// Takes quotes, escapes and a comment off a value.
fn value_of(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for byte in raw.trim_ascii() {
        match byte {
            _ if escaped => {
                out.push(*byte);
                escaped = false;
            }
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'#' | b';' if !quoted => break,
            other => out.push(*other),
        }
    }
    out.trim_ascii_end().to_vec()
}

pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// Joins a path to a folder by text, `..` undone. What lies in a home folder (`~`) is left alone.
pub(super) fn joined(folder: &Path, path: &Path) -> Option<PathBuf> {
    if path.as_os_str().is_empty() || path.starts_with("~") {
        return None;
    }
    let mut out = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(_) | Component::Prefix(_) | Component::RootDir => out.push(part),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_settings_lead_to() {
        let text = b"[core]\n\trepositoryformatversion = 0\n\thooksPath = .husky/_ ; why\n\
            [Include]\n path = \"../shared #1.conf\"\n[includeIf \"gitdir:~/x/\"] path=/a/b\n\
            [remote \"o\"]\n\thookspath = no\n[CORE]\nHOOKSPATH=tools\\\n/hooks\n\
            worktree = ../../../lib\n[core \"x\"] bare\n";
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let want = Named {
            hooks: paths(&[".husky/_", "tools/hooks"]),
            included: paths(&["../shared #1.conf", "/a/b"]),
            worktree: Some("../../../lib".into()),
        };
        assert_eq!(named_in(text), want);
        // a mark of UTF-8, and comments, which end with their line
        let text = b"\xEF\xBB\xBF[core]\nhooksPath=a\n# C:\\\n[core]\n;\\\nhooksPath=b\n";
        assert_eq!(named_in(text).hooks, paths(&["a", "b"]));
        for odd in [
            &b""[..],
            b"[",
            b"[core",
            b"=",
            b"[core]=\\",
            b"\xff\xfe=\"\\",
        ] {
            assert_eq!(named_in(odd).included, paths(&[]), "{}", odd.escape_ascii());
        }
    }

    #[test]
    fn reads_where_a_git_file_leads() {
        let table: [(&[u8], Option<&str>); 5] = [
            (
                b"gitdir: ../.git/modules/lib\n",
                Some("../.git/modules/lib"),
            ),
            (b"gitdir:/r/.git/worktrees/a", Some("/r/.git/worktrees/a")),
            (b"gitdir: \n", None),
            (b"gitdir: a\nb", None),
            (b"ref: x", None),
        ];
        for (content, want) in table {
            assert_eq!(gitdir_of(content), want.map(PathBuf::from));
        }
        let at = |path: &str| joined(Path::new("/w/sub"), Path::new(path));
        assert_eq!(at("../.git/x/./y"), Some("/w/.git/x/y".into()));
        assert_eq!(at("../../../.."), Some("/".into()));
        assert_eq!(at("/abs/"), Some("/abs".into()));
        assert_eq!(at("~/hooks"), None);
        assert_eq!(at(""), None);
    }
}
