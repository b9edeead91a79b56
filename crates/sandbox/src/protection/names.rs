// SPDX-License-Identifier: Apache-2.0
//! Which files are protected by their names. Git directories are `git.rs`'s matter.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{How, Protection};

/// What a rule asks of the kind of a file. A symbolic link may be of any kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Directory,
    File,
    Link,
}

/// A rule: the name of the folder around, if that matters, and the name itself.
type Rule = (Option<&'static str>, &'static str);

/// Obeyed by editors, agents and shells as soon as they find them.
const AUTO_RUN: &[Rule] = &[
    (None, ".bash_login"),
    (None, ".bash_logout"),
    (None, ".bash_profile"),
    (None, ".bashrc"),
    (None, ".devcontainer.json"),
    (None, ".gitconfig"),
    (None, ".idea"),
    (None, ".mcp.json"),
    (None, ".profile"),
    (None, ".xprofile"),
    (None, ".zlogin"),
    (None, ".zlogout"),
    (None, ".zprofile"),
    (None, ".zshenv"),
    (None, ".zshrc"),
    (Some(".claude"), "agents"),
    (Some(".claude"), "commands"),
    (Some(".claude"), "hooks"),
    (Some(".claude"), "settings.json"),
    (Some(".claude"), "settings.local.json"),
    (Some(".codex"), "config.toml"),
    (Some(".config"), "autostart"),
    (Some(".config"), "fish"),
    (Some(".config"), "git"),
    (Some(".config"), "systemd"),
    (Some(".cursor"), "mcp.json"),
    (Some(".devcontainer"), "devcontainer.json"),
    (Some(".gemini"), "settings.json"),
    (Some(".vscode"), "launch.json"),
    (Some(".vscode"), "mcp.json"),
    (Some(".vscode"), "settings.json"),
    (Some(".vscode"), "tasks.json"),
];

/// Hold tokens, passwords, private keys.
const CREDENTIALS: &[Rule] = &[
    (None, ".aws"),
    (None, ".azure"),
    (None, ".boto"),
    (None, ".dockercfg"),
    (None, ".git-credentials"),
    (None, ".gnupg"),
    (None, ".my.cnf"),
    (None, ".netrc"),
    (None, ".password-store"),
    (None, ".pgpass"),
    (None, ".pypirc"),
    (None, ".s3cfg"),
    (None, ".ssh"),
    (None, ".vault-token"),
    (None, "_netrc"),
    (None, "id_dsa"),
    (None, "id_ecdsa"),
    (None, "id_ecdsa_sk"),
    (None, "id_ed25519"),
    (None, "id_ed25519_sk"),
    (None, "id_rsa"),
    (Some(".cargo"), "credentials"),
    (Some(".cargo"), "credentials.toml"),
    (Some(".claude"), ".credentials.json"),
    (Some(".codex"), "auth.json"),
    (Some(".composer"), "auth.json"),
    (Some(".config"), "chromium"),
    (Some(".config"), "gcloud"),
    (Some(".config"), "google-chrome"),
    (Some(".config"), "op"),
    (Some(".docker"), "config.json"),
    (Some(".gem"), "credentials"),
    (Some(".gemini"), "oauth_creds.json"),
    (Some(".kube"), "config"),
    (Some(".m2"), "settings.xml"),
    (Some(".mozilla"), "firefox"),
    (Some(".terraform.d"), "credentials.tfrc.json"),
    (Some("gh"), "hosts.yml"),
    (Some("share"), "keyrings"),
];

/// Called by hooks that are named in a repository's settings.
const HOOKS: &[Rule] = &[(None, ".husky")];

/// Endings of `.env` files that are meant to be shared, and hold no secret.
const SHARED_ENV: &[&[u8]] = &[
    b"defaults",
    b"dist",
    b"example",
    b"sample",
    b"schema",
    b"template",
];

/// Returns how a name inside a folder of some name is protected. What [`NPM_SETTINGS`] is called
/// depends on its content.
pub(super) fn rule_for(folder: &OsStr, name: &OsStr, kind: Kind) -> Option<(Protection, How)> {
    let is =
        |(around, wanted): &Rule| name == *wanted && around.is_none_or(|around| folder == around);
    // every rule is about a name that begins so, or stands in a folder that does
    if is_dotenv(name.as_bytes()) {
        return (kind != Kind::Directory).then_some((Protection::Dotenv, How::Hide));
    }
    if AUTO_RUN.iter().any(is) {
        return Some((Protection::AutoRun, How::KeepReadOnly));
    }
    if HOOKS.iter().any(is) {
        return Some((Protection::GitHooks, How::KeepReadOnly));
    }
    if CREDENTIALS.iter().any(is) {
        return Some((Protection::Credentials, How::Hide));
    }
    None
}

/// `.env`, `.envrc`, and `.env` with an ending that does not say it is an example.
fn is_dotenv(name: &[u8]) -> bool {
    let Some(ending) = name.strip_prefix(b".env") else {
        return false;
    };
    match ending {
        [] | b"rc" => true,
        [first, ..] if first.is_ascii_alphanumeric() => false,
        _ => {
            let last = ending.rsplit(|byte| *byte == b'.').next();
            !last.is_some_and(|last| SHARED_ENV.contains(&last))
        }
    }
}

/// Settings of npm, which hold tokens or not.
pub(super) const NPM_SETTINGS: &str = ".npmrc";

/// Returns whether settings of npm hold a secret: a key such as `//host/:_authToken` or
/// `_password` whose value is not taken from the environment (`${NAME}`).
pub(super) fn holds_npm_secret(content: &[u8]) -> bool {
    content.split(|byte| *byte == b'\n').any(|line| {
        let Some(at) = line.iter().position(|byte| *byte == b'=') else {
            return false;
        };
        let (key, value) = line.split_at(at);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let is_secret = [&b"_auth"[..], b"_password"].iter().any(|word| {
            key.windows(word.len())
                .any(|part| part.eq_ignore_ascii_case(word))
        });
        is_secret && !value.is_empty() && !value.starts_with(b"${")
    })
}

/// Parts of a git directory that are protected, and by what.
pub(super) const GIT_PARTS: &[(&str, Protection)] = &[
    ("hooks", Protection::GitHooks),
    ("config", Protection::GitConfig),
    ("config.worktree", Protection::GitConfig),
    ("commondir", Protection::GitConfig),
    ("gitdir", Protection::GitConfig),
    ("info/attributes", Protection::GitConfig),
];

/// Returns what protects a path by its text alone: itself or, for what is hidden, a folder above it.
pub(super) fn rule_of_path(path: &Path, is_directory: bool) -> Option<(Protection, How)> {
    let names: Vec<&OsStr> = path.iter().collect();
    let last = names.len().checked_sub(1)?;
    let nothing = OsStr::new("");
    for (index, name) in names.iter().enumerate() {
        let folder = index
            .checked_sub(1)
            .and_then(|before| names.get(before).copied())
            .unwrap_or(nothing);
        let kind = if index < last || is_directory {
            Kind::Directory
        } else {
            Kind::File
        };
        if let Some(found) = rule_for(folder, name, kind) {
            return Some(found);
        }
        if folder == ".git" {
            let rest: std::path::PathBuf = names.get(index..).unwrap_or_default().iter().collect();
            let part = GIT_PARTS.iter().find(|(part, _)| rest.starts_with(part));
            if let Some((_, protection)) = part {
                return Some((*protection, How::KeepReadOnly));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_protected_and_what_is_not() {
        use How::{Hide, KeepReadOnly};
        use Protection::{AutoRun, Credentials, Dotenv, GitConfig, GitHooks};
        let table = [
            ("/w/.env", Some((Dotenv, Hide))),
            ("/w/.envrc", Some((Dotenv, Hide))),
            ("/w/.env.local", Some((Dotenv, Hide))),
            ("/w/.env-prod", Some((Dotenv, Hide))),
            ("/w/.env.example.local", Some((Dotenv, Hide))),
            ("/w/.env.example", None),
            ("/w/.env.local.example", None),
            ("/w/.environment", None),
            ("/w/env", None),
            // a folder of this name is a virtual environment of Python
            ("/w/.env/bin/python", None),
            ("/w/.ssh/known_hosts", Some((Credentials, Hide))),
            ("/w/.docker/config.json", Some((Credentials, Hide))),
            ("/w/docker/config.json", None),
            ("/w/.config/gh/hosts.yml", Some((Credentials, Hide))),
            ("/w/.vscode/tasks.json", Some((AutoRun, KeepReadOnly))),
            ("/w/.vscode/extensions.json", None),
            ("/w/.vscode", None),
            ("/w/.claude/worktrees/a/src", None),
            ("/w/.github/workflows/ci.yml", None),
            ("/w/.git", None),
            ("/w/.git/index", None),
            ("/w/.git/hooks/pre-commit", Some((GitHooks, KeepReadOnly))),
            ("/w/.git/config", Some((GitConfig, KeepReadOnly))),
            ("/w/.git/info/attributes", Some((GitConfig, KeepReadOnly))),
            ("/w/.git/info/exclude", None),
            ("/w/.husky/pre-push", Some((GitHooks, KeepReadOnly))),
            ("/", None),
        ];
        for (path, want) in table {
            assert_eq!(rule_of_path(Path::new(path), false), want, "{path}");
        }
        assert_eq!(rule_of_path(Path::new("/w/.env"), true), None);
    }

    #[test]
    fn tells_tokens_of_npm_from_settings() {
        let table: [(&[u8], bool); 8] = [
            (b"registry=https://registry.npmjs.org/\n", false),
            (b"//registry.npmjs.org/:_authToken=npm_x", true),
            (b"a=b\r\n//host/:_authToken = npm_x\r\n", true),
            (b"//host/:_authToken=${NPM_TOKEN}\n", false),
            (b"_auth=eA==", true),
            (b"//host/:_password=\"eA==\"", true),
            (b"//host/:_authToken=\n", false),
            (b"", false),
        ];
        for (content, want) in table {
            assert_eq!(
                holds_npm_secret(content),
                want,
                "{}",
                content.escape_ascii()
            );
        }
    }
}
