// SPDX-License-Identifier: Apache-2.0
//! What files hold, told from their paths.

use crate::shell::command::Flow;

/// Where the content of the file at `path` comes from.
pub(crate) fn flow_of_path(path: &str) -> Flow {
    if path.is_empty() || path == "/dev/null" || path.starts_with("/dev/fd/") || path == "/dev/zero"
    {
        return Flow::NONE;
    }
    if path.starts_with("/proc/") && path.ends_with("/environ") {
        return Flow::ENVIRONMENT;
    }
    if path.starts_with("/dev/") && path.ends_with("random") {
        return Flow::NONE;
    }
    if is_secret_path(path) {
        Flow::SECRET
    } else {
        Flow::FILE
    }
}

/// Endings of file names that hold keys, credentials, dumps or state with secrets.
const SECRET_ENDINGS: [&str; 25] = [
    ".pem",
    ".key",
    ".p12",
    ".pfx",
    ".p8",
    ".keystore",
    ".jks",
    ".kdbx",
    ".tfstate",
    ".tfvars",
    ".ovpn",
    ".asc",
    ".gpg",
    ".ppk",
    ".keychain",
    ".kubeconfig",
    ".sql",
    ".dump",
    ".sqlite",
    ".sqlite3",
    ".db",
    ".mdb",
    ".rdb",
    ".agekey",
    ".htpasswd",
];

/// File names that do.
const SECRET_NAMES: [&str; 53] = [
    ".env",
    ".envrc",
    ".netrc",
    "_netrc",
    ".pgpass",
    ".my.cnf",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".yarnrc.yml",
    "credentials",
    "credentials.json",
    "credentials.csv",
    "credentials.toml",
    "credentials.tfrc.json",
    "shadow",
    "gshadow",
    "passwd",
    "sudoers",
    "master.passwd",
    "kubeconfig",
    "wallet.dat",
    ".vault-token",
    ".boto",
    ".s3cfg",
    ".dockercfg",
    ".dockerconfigjson",
    "cookies.sqlite",
    "cookies",
    "login data",
    "key4.db",
    "logins.json",
    "auth.json",
    "hosts.yml",
    "application_default_credentials.json",
    "service-account.json",
    "serviceaccount.json",
    "keystore.jks",
    "local.settings.json",
    "wp-config.php",
    "database.yml",
    "master.key",
    "secrets.yml",
    "secrets.yaml",
    "secrets.json",
    "secrets.toml",
    "terraform.tfstate",
    "terraform.tfvars",
    ".terraformrc",
    "krb5.keytab",
    "sam",
    "ntds.dit",
    "environ",
];

/// Folders in which everything is secret.
const SECRET_FOLDERS: [&str; 22] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".docker",
    ".azure",
    ".password-store",
    ".gcloud",
    "gcloud",
    ".config",
    ".mozilla",
    "google-chrome",
    "chromium",
    "keychains",
    ".vault",
    ".oci",
    ".terraform.d",
    ".claude",
    ".codex",
    "keyrings",
    ".electrum",
    ".bitcoin",
];

/// Whether a path names what may hold a secret. Patterns count as what they match.
#[expect(clippy::nonminimal_bool, reason = "as it is said")]
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "names in lower case"
)]
pub(crate) fn is_secret_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let lower = lower.trim_end_matches('/');
    let name = lower.rsplit('/').next().unwrap_or(lower);
    if [
        ".example",
        ".sample",
        ".template",
        ".dist",
        ".pub",
        ".md",
        ".schema.json",
    ]
    .iter()
    .any(|end| name.ends_with(end))
    {
        return false;
    }
    let mut folders = lower.split('/').peekable();
    while let Some(folder) = folders.next() {
        let last = folders.peek().is_none();
        if SECRET_FOLDERS.contains(&folder)
            && !(last && folder == ".config" && !lower.starts_with('~'))
        {
            return true;
        }
    }
    if SECRET_NAMES.contains(&name)
        && !(matches!(name, "passwd" | "sam" | "cookies" | "environ") && !lower.contains('/'))
    {
        return true;
    }
    if name.starts_with(".env.")
        || name.starts_with(".env*")
        || name.starts_with("id_") && !name.ends_with(".rs")
    {
        return true;
    }
    if SECRET_ENDINGS.iter().any(|end| name.ends_with(end))
        || (name.starts_with('.') && name.ends_with("_history"))
    {
        return true;
    }
    names_secret(name) && !is_source(name)
}

/// Source code that has the word in its name holds none of the values.
fn is_source(name: &str) -> bool {
    let end = name.rsplit('.').next().unwrap_or("");
    matches!(
        end,
        "rs" | "py"
            | "js"
            | "ts"
            | "tsx"
            | "jsx"
            | "go"
            | "java"
            | "c"
            | "h"
            | "cc"
            | "cpp"
            | "rb"
            | "php"
            | "cs"
            | "html"
            | "css"
            | "sh"
            | "kt"
            | "swift"
            | "vue"
            | "svelte"
            | "mjs"
            | "cjs"
    )
}

/// Whether a word says that what it names is secret.
pub(crate) fn names_secret(name: &str) -> bool {
    let name = name.as_bytes();
    let ends = ["_key", "_pass", "_pwd", "_dsn"].iter().any(|end| {
        let from = name.len().saturating_sub(end.len());
        let tail = name.get(from..).unwrap_or_default();
        tail.eq_ignore_ascii_case(end.as_bytes())
    });
    ends || name.iter().enumerate().any(|(at, first)| {
        secret_words(*first).iter().any(|word| {
            name.get(at..at.saturating_add(word.len()))
                .is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        })
    })
}

/// Parts of names that say so, by their first byte.
const fn secret_words(first: u8) -> &'static [&'static str] {
    match first.to_ascii_lowercase() {
        b's' => &["secret", "ssh_key", "signing_key", "session_key"],
        b't' => &["token"],
        b'p' => &[
            "password",
            "passwd",
            "private_key",
            "privatekey",
            "private-key",
            "passphrase",
        ],
        b'c' => &["credential", "connection_string"],
        b'a' => &[
            "api_key",
            "apikey",
            "api-key",
            "access_key",
            "accesskey",
            "auth_key",
            "aws_session",
        ],
        b'e' => &["encryption_key"],
        b'd' => &["database_url"],
        b'_' => &["_pat"],
        _ => &[],
    }
}

/// Whether a path means a tree: a folder, everything in one, a repository.
pub(crate) fn is_tree(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        path,
        "" | "." | ".." | "~" | "*" | "./*" | "~/*" | "/*" | "/home" | "/root" | "/etc" | "/var"
    ) || matches!(name, ".git" | "*" | "**" | "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_paths_are_told_from_others() {
        for path in [
            ".env",
            "~/.ssh/id_rsa",
            "/etc/shadow",
            "/etc/passwd",
            "~/.aws/credentials",
            "app/.env.production",
            "server.pem",
            "~/.config",
            "~/.kube/config",
            "token.txt",
            "prod-secrets.yaml",
            "~/.bash_history",
            ".npmrc",
            "db.sql",
            "/proc/self/environ",
            "~/.config/gh/hosts.yml",
            "*.pem",
        ] {
            assert!(
                is_secret_path(path) || flow_of_path(path) == Flow::ENVIRONMENT,
                "{path}"
            );
        }
        for path in [
            ".env.example",
            "src/main.rs",
            "id_rsa.pub",
            "README.md",
            "src/token.rs",
            "data.csv",
            "dist/app.tgz",
            "tokenizer.py",
            "package.json",
            ".github/config",
        ] {
            assert!(!is_secret_path(path), "{path}");
        }
    }
}
