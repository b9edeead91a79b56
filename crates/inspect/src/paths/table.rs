// SPDX-License-Identifier: Apache-2.0
//! Files that hold credentials, and files that make others run code.

use crate::pattern::wildcard;

/// What a path is, and its last parts; `*` is any text within a part, `**` at the end any parts.
type Row = (&'static str, &'static str);

/// Reading these gives credentials away.
static CREDENTIALS: [Row; 62] = [
    ("an SSH key", ".ssh/id_*"),
    ("an SSH key", "id_rsa"),
    ("an SSH key", "id_dsa"),
    ("an SSH key", "id_ecdsa"),
    ("an SSH key", "id_ed25519"),
    ("an SSH key", ".ssh/*.pem"),
    ("an SSH key", ".ssh/*_key"),
    ("an SSH host key", "/etc/ssh/ssh_host_*_key"),
    ("AWS credentials", ".aws/credentials"),
    ("AWS credentials", ".aws/sso/cache/**"),
    ("AWS credentials", ".aws/cli/cache/**"),
    ("Google Cloud credentials", ".config/gcloud/**"),
    ("Azure credentials", ".azure/**"),
    ("Kubernetes credentials", ".kube/config"),
    ("Kubernetes credentials", "/var/run/secrets/**"),
    ("secrets of a container", "/run/secrets/**"),
    ("Docker credentials", ".docker/config.json"),
    ("credentials of hosts", ".netrc"),
    ("credentials of hosts", "_netrc"),
    ("npm credentials", "~/.npmrc"),
    ("PyPI credentials", ".pypirc"),
    ("Cargo credentials", ".cargo/credentials"),
    ("Cargo credentials", ".cargo/credentials.toml"),
    ("RubyGems credentials", ".gem/credentials"),
    ("git credentials", ".git-credentials"),
    ("git credentials", ".config/git/credentials"),
    ("GitHub credentials", ".config/gh/hosts.yml"),
    ("GitLab credentials", ".config/glab-cli/config.yml"),
    ("GnuPG keys", ".gnupg/**"),
    ("a password store", ".password-store/**"),
    ("a keyring", ".local/share/keyrings/**"),
    ("a keychain", "Library/Keychains/**"),
    ("database passwords", ".pgpass"),
    ("database passwords", ".my.cnf"),
    ("a Vault token", ".vault-token"),
    (
        "Terraform credentials",
        ".terraform.d/credentials.tfrc.json",
    ),
    ("Terraform credentials", ".terraformrc"),
    ("rclone credentials", ".config/rclone/rclone.conf"),
    ("S3 credentials", ".s3cfg"),
    ("S3 credentials", ".boto"),
    ("agent credentials", ".claude/.credentials.json"),
    ("agent credentials", ".codex/auth.json"),
    ("agent credentials", ".config/github-copilot/**"),
    ("1Password data", ".config/op/**"),
    ("browser data", "Login Data"),
    ("browser data", "Cookies"),
    ("browser data", "cookies.sqlite"),
    ("browser data", "logins.json"),
    ("browser data", "key4.db"),
    ("system passwords", "/etc/shadow"),
    ("system passwords", "/etc/shadow-"),
    ("system passwords", "/etc/gshadow"),
    ("the rules of sudo", "/etc/sudoers"),
    ("the rules of sudo", "/etc/sudoers.d/**"),
    ("private keys of TLS", "/etc/ssl/private/**"),
    ("memory or environment of processes", "/proc/*/environ"),
    ("memory or environment of processes", "/proc/*/mem"),
    ("memory of the kernel", "/proc/kcore"),
    ("a shell's history", ".bash_history"),
    ("a shell's history", ".zsh_history"),
    ("a file of secrets", ".env"),
    ("a file of secrets", ".env.*"),
];

/// What `.env.*` does not mean: examples without values.
static EXAMPLES: [&str; 7] = [
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".env.defaults",
    ".env.schema",
    ".env.test",
];

/// Writing these makes other programs run code, or lets others in.
static ACTING: [Row; 70] = [
    ("a shell's startup file", ".bashrc"),
    ("a shell's startup file", ".bash_profile"),
    ("a shell's startup file", ".bash_login"),
    ("a shell's startup file", ".bash_logout"),
    ("a shell's startup file", ".bash_aliases"),
    ("a shell's startup file", ".profile"),
    ("a shell's startup file", ".zshrc"),
    ("a shell's startup file", ".zshenv"),
    ("a shell's startup file", ".zprofile"),
    ("a shell's startup file", ".zlogin"),
    ("a shell's startup file", ".kshrc"),
    ("a shell's startup file", ".cshrc"),
    ("a shell's startup file", ".inputrc"),
    ("a shell's startup file", ".config/fish/**"),
    ("a shell's startup file", "/etc/profile"),
    ("a shell's startup file", "/etc/profile.d/**"),
    ("a shell's startup file", "/etc/bash.bashrc"),
    ("a shell's startup file", "/etc/zsh/**"),
    ("the environment of all users", "/etc/environment"),
    ("a git hook", ".git/hooks/**"),
    ("a git hook", ".githooks/**"),
    ("a git hook", ".husky/**"),
    ("git's configuration", ".git/config"),
    ("git's configuration", ".gitconfig"),
    ("git's configuration", ".config/git/config"),
    ("git's configuration", "/etc/gitconfig"),
    ("the configuration of CI", ".github/workflows/**"),
    ("the configuration of CI", ".github/actions/**"),
    ("the configuration of CI", ".gitlab-ci.yml"),
    ("the configuration of CI", ".gitlab/ci/**"),
    ("the configuration of CI", ".circleci/**"),
    ("the configuration of CI", ".travis.yml"),
    ("the configuration of CI", "Jenkinsfile"),
    ("the configuration of CI", "azure-pipelines.yml"),
    ("the configuration of CI", "bitbucket-pipelines.yml"),
    ("the configuration of CI", ".drone.yml"),
    ("the configuration of CI", ".woodpecker/**"),
    ("the configuration of CI", ".buildkite/**"),
    ("a folder of programs", "/bin/**"),
    ("a folder of programs", "/sbin/**"),
    ("a folder of programs", "/usr/bin/**"),
    ("a folder of programs", "/usr/sbin/**"),
    ("a folder of programs", "/usr/local/bin/**"),
    ("a folder of programs", "/usr/local/sbin/**"),
    ("a folder of programs", "/opt/homebrew/bin/**"),
    ("a folder of programs", "~/bin/**"),
    ("a folder of programs", ".local/bin/**"),
    ("a folder of programs", ".cargo/bin/**"),
    ("a folder of programs", "~/go/bin/**"),
    ("a folder of programs", "node_modules/.bin/**"),
    ("a folder of programs", ".venv/bin/**"),
    ("what cron runs", "/etc/cron*/**"),
    ("what cron runs", "/etc/crontab"),
    ("what cron runs", "/var/spool/cron/**"),
    ("what systemd runs", "/etc/systemd/**"),
    ("what systemd runs", ".config/systemd/user/**"),
    ("what a desktop starts", ".config/autostart/**"),
    ("what a desktop starts", "Library/LaunchAgents/**"),
    ("who may log in", ".ssh/authorized_keys"),
    ("how SSH connects", ".ssh/config"),
    ("what every program loads", "/etc/ld.so.preload"),
    ("what every program loads", "/etc/ld.so.conf.d/**"),
    ("system accounts", "/etc/passwd"),
    ("system accounts", "/etc/shadow"),
    ("the rules of sudo", "/etc/sudoers"),
    ("the rules of sudo", "/etc/sudoers.d/**"),
    ("where packages come from", "~/.npmrc"),
    ("what an editor runs", ".vscode/tasks.json"),
    ("what an agent may do", ".claude/settings.json"),
    ("what an agent runs", ".mcp.json"),
];

/// Says what credentials a path holds. The path is in its plain form.
pub(super) fn credentials(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if EXAMPLES.iter().any(|it| it.eq_ignore_ascii_case(name)) || wildcard("*.pub", name) {
        return None;
    }
    find(&CREDENTIALS, path)
}

/// Says what a write to a path changes.
pub(super) fn acting(path: &str) -> Option<&'static str> {
    find(&ACTING, path)
}

fn find(table: &'static [Row], path: &str) -> Option<&'static str> {
    let parts: Vec<_> = path.split('/').collect();
    let row = table.iter().find(|(_, pattern)| is_at_end(pattern, &parts));
    row.map(|(what, _)| *what)
}

/// Whether the last parts of a path are those of a pattern. One that begins with `/` is the whole
/// path; one that begins with `~` is below a home.
fn is_at_end(pattern: &str, path: &[&str]) -> bool {
    let (pattern, open) = match pattern.strip_suffix("/**") {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let parts: Vec<_> = pattern.split('/').collect();
    let whole = pattern.starts_with('/');
    let matches = |window: &[&str]| {
        let mut pairs = parts.iter().zip(window);
        pairs.all(|(pattern, part)| wildcard(pattern, part))
    };
    let last = path.len().checked_sub(parts.len());
    match (whole, open) {
        (true, false) => parts.len() == path.len() && matches(path),
        (true, true) => path.len() > parts.len() && matches(path),
        (false, false) => last.and_then(|at| path.get(at..)).is_some_and(matches),
        (false, true) => {
            let before = path.split_last().map_or(path, |(_, before)| before);
            before.windows(parts.len()).any(matches)
        }
    }
}
