// SPDX-License-Identifier: Apache-2.0
//! Programs that talk to other machines: what they are told to send, and where.

mod cloud;
mod copy;
mod git;
mod http;
mod lookup;
mod packages;
mod raw;

use super::options::Text;
use super::value::Stream;
use super::{Evaluator, Op, Sent, files, shells};
use crate::net::find_urls;
use crate::shell::act::{Act, Way};
use crate::shell::command::{Command, Flow, Word};

/// Programs that a pattern in a command's place may mean.
const GLOBBED: [&str; 26] = [
    "nc", "ncat", "netcat", "socat", "curl", "wget", "bash", "sh", "zsh", "dash", "python3",
    "python", "perl", "ruby", "php", "node", "ssh", "scp", "rsync", "telnet", "openssl", "ftp",
    "sftp", "base64", "cat", "git",
];

/// The program that a pattern means, of those that matter.
pub(super) fn match_glob(pattern: &str) -> Option<&'static str> {
    GLOBBED
        .into_iter()
        .find(|name| glob_matches(pattern.as_bytes(), name.as_bytes()))
}

/// Whether a command of this name, with any plain words as arguments, neither talks to others nor
/// runs anything: a list, because what is not known may.
pub(crate) fn is_inert(name: &[u8]) -> bool {
    matches!(
        name,
        b"ls"
            | b"pwd"
            | b"wc"
            | b"grep"
            | b"egrep"
            | b"fgrep"
            | b"echo"
            | b"cat"
            | b"head"
            | b"tail"
            | b"sort"
            | b"uniq"
            | b"cut"
            | b"stat"
            | b"file"
            | b"du"
            | b"df"
            | b"date"
            | b"true"
            | b"false"
            | b"test"
            | b"mkdir"
            | b"rmdir"
            | b"touch"
            | b"rm"
            | b"chmod"
            | b"sleep"
            | b"diff"
            | b"cmp"
            | b"which"
            | b"basename"
            | b"dirname"
            | b"tree"
            | b"seq"
            | b"jq"
            | b"md5sum"
            | b"sha256sum"
            | b"ps"
            | b"kill"
    )
}

/// Whether a word names a program that talks to others, or runs other programs.
pub(crate) fn is_program(word: &str) -> bool {
    let name = super::run::program_name(word);
    GLOBBED.contains(&name)
        || shells::is_shell(name)
        || shells::is_interpreter(name)
        || matches!(
            name,
            "sudo"
                | "env"
                | "nohup"
                | "xargs"
                | "tar"
                | "dig"
                | "nslookup"
                | "ping"
                | "aws"
                | "gsutil"
                | "rclone"
                | "gh"
                | "eval"
                | "exec"
                | "source"
                | "find"
                | "docker"
                | "kubectl"
                | "printf"
                | "echo"
                | "cd"
                | "export"
        )
}

/// `*`, `?` and `[…]`, without recursion: each star is tried from where the last one matched.
fn glob_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p = p.saturating_add(1);
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => {
                let rest = pattern.get(p.saturating_add(1)..).unwrap_or_default();
                let end = rest.iter().position(|byte| *byte == b']');
                end.filter(|end| {
                    in_class(rest.get(..*end).unwrap_or_default(), name.get(n).copied())
                })
                .map(|end| end.saturating_add(2))
            }
            Some(byte) if Some(byte) == name.get(n) => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(step), _) => {
                p = p.saturating_add(step);
                n = n.saturating_add(1);
            }
            (None, Some((at, from))) => {
                p = at.saturating_add(1);
                n = from.saturating_add(1);
                star = Some((at, n));
            }
            (None, None) => return false,
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

fn in_class(class: &[u8], byte: Option<u8>) -> bool {
    let Some(byte) = byte else { return false };
    let (negated, class) = match class.split_first() {
        Some((b'!' | b'^', rest)) => (true, rest),
        _ => (false, class),
    };
    let range = class
        .windows(3)
        .any(|window| matches!(window, [from, b'-', to] if (*from..=*to).contains(&byte)));
    (range || class.contains(&byte)) != negated
}

/// Commands that print a credential: the program, and words that are among its first.
const CREDENTIAL_PRINTERS: [(&str, &[&str]); 32] = [
    ("gh", &["auth", "token"]),
    ("gh", &["auth", "status", "--show-token"]),
    ("glab", &["auth", "token"]),
    ("gcloud", &["auth", "print-access-token"]),
    ("gcloud", &["auth", "print-identity-token"]),
    (
        "gcloud",
        &["auth", "application-default", "print-access-token"],
    ),
    ("gcloud", &["secrets", "versions", "access"]),
    ("aws", &["configure", "get"]),
    ("aws", &["configure", "export-credentials"]),
    ("aws", &["sts"]),
    ("aws", &["secretsmanager", "get-secret-value"]),
    ("aws", &["ssm", "get-parameter"]),
    ("aws", &["ecr", "get-login-password"]),
    ("az", &["account", "get-access-token"]),
    ("az", &["keyvault", "secret"]),
    ("vault", &["kv", "get"]),
    ("vault", &["read"]),
    ("vault", &["token"]),
    ("op", &["read"]),
    ("op", &["item"]),
    ("pass", &[]),
    ("security", &["find-generic-password"]),
    ("security", &["find-internet-password"]),
    ("security", &["dump-keychain"]),
    ("kubectl", &["get", "secret"]),
    ("kubectl", &["get", "secrets"]),
    ("kubectl", &["config", "view"]),
    ("git", &["credential", "fill"]),
    ("npm", &["token"]),
    ("heroku", &["auth:token"]),
    ("secret-tool", &["lookup"]),
    ("bw", &["get"]),
];

/// Tools that exist to carry data out.
const TUNNELS: [&str; 17] = [
    "iodine",
    "iodined",
    "dnscat",
    "dnscat2",
    "dns2tcp",
    "dns2tcpc",
    "ptunnel",
    "ptunnel-ng",
    "icmpsh",
    "hans",
    "chisel",
    "frpc",
    "ligolo",
    "gs-netcat",
    "gsocket",
    "rathole",
    "revsocks",
];

impl Evaluator<'_> {
    /// Does what a program does with what it reads. What it writes is returned, unless that is
    /// still to come.
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    pub(super) fn perform(
        &mut self,
        command: &mut Command,
        name: &str,
        stdin: Stream,
    ) -> Option<Stream> {
        self.run_from_tree(command, name);
        if shells::is_shell(name) {
            return self.shell(command, stdin);
        }
        if shells::is_interpreter(name) {
            return self.interpret(command, name, stdin);
        }
        if let Some(out) = self.plain_output(command, name, &stdin) {
            if matches!(name, "awk" | "mawk" | "sed") {
                self.awk(command, stdin.flow);
            }
            return Some(out);
        }
        if prints_credential(name, command.arguments()) {
            return Some(Stream::unknown(Flow::SECRET));
        }
        match name {
            "source" | "." => self.source(command),
            "awk" | "gawk" | "nawk" => {
                self.awk(command, stdin.flow);
                Some(Stream::unknown(stdin.flow))
            }
            "cd" | "pushd" => {
                self.change_folder(command);
                None
            }
            "crontab" => self.crontab(command, stdin),
            "at" | "batch" => {
                self.persist(&stdin, command.origin);
                None
            }
            "curl" | "wget" | "wget2" | "http" | "https" | "xh" | "xhs" | "httpie" | "curlie"
            | "aria2c" | "axel" | "lynx" | "w3m" | "links" | "elinks" | "lwp-request" | "GET"
            | "POST" | "lwp-download" | "fetch" | "grpcurl" | "websocat" | "wscat" => {
                self.http(command, name, &stdin)
            }
            "nc" | "ncat" | "netcat" | "socat" | "telnet" | "openssl" | "cryptcat" | "pwncat"
            | "ztcp" | "sbd" | "rlogin" | "rsh" => self.raw(command, name, &stdin),
            _ if name.starts_with("nc.") => self.raw(command, "nc", &stdin),
            "dig" | "host" | "nslookup" | "drill" | "kdig" | "delv" | "dog" | "ping" | "ping6"
            | "fping" | "hping3" | "nping" | "traceroute" | "tracepath" | "mtr" | "getent"
            | "resolvectl" | "whois" | "nmap" | "arping" => self.lookup_host(command, name, &stdin),
            "scp" | "rsync" | "sftp" | "ftp" | "lftp" | "tftp" | "ncftpput" | "smbclient"
            | "ssh" | "autossh" | "mosh" | "ssh-copy-id" | "sshfs" | "pscp" | "plink" => {
                self.copy(command, name, &stdin)
            }
            "aws" | "gsutil" | "gcloud" | "az" | "azcopy" | "rclone" | "s3cmd" | "mc" | "b2"
            | "oci" | "restic" | "borg" | "duplicity" | "s5cmd" | "gh" | "glab" | "hub"
            | "gist" | "mail" | "mailx" | "mutt" | "sendmail" | "msmtp" | "swaks" | "s-nail"
            | "ssmtp" | "mpack" | "neomutt" | "pastebinit" | "wgetpaste" | "ffsend" | "croc"
            | "wormhole" | "transfer" | "onionshare-cli" | "slackcat" | "telegram-send"
            | "notify-send-remote" | "ntfy" | "pbincli" => self.cloud(command, name, &stdin),
            "git" => self.git(command),
            "ngrok" | "cloudflared" | "lt" | "localtunnel" | "bore" | "devtunnel" | "zrok"
            | "tailscale" | "inlets" => {
                self.expose(command, name);
                None
            }
            _ if TUNNELS.contains(&name) => {
                let what = "carries data out through a tunnel";
                command.acts.push(Act::Opens {
                    what,
                    deny: true,
                    origin: command.origin,
                });
                None
            }
            // They print settings for the shell that asks.
            "ssh-agent"
            | "gpg-agent"
            | "keychain"
            | "brew"
            | "pyenv"
            | "rbenv"
            | "nodenv"
            | "direnv"
            | "starship"
            | "zoxide"
            | "dircolors"
            | "lesspipe"
            | "fnm"
            | "mise"
            | "opam"
            | "register-python-argcomplete"
            | "minikube"
            | "luarocks"
            | "thefuck"
            | "atuin"
            | "fzf"
                if !command
                    .arguments()
                    .iter()
                    .any(|word| word.text.contains("://")) =>
            {
                Some(Stream::unknown(Flow::NONE))
            }
            "npm" | "pnpm" | "yarn" | "bun" | "pip" | "pip3" | "pipx" | "uv" | "cargo" | "gem"
            | "go" | "brew" | "apt" | "apt-get" | "dnf" | "yum" | "apk" | "docker" | "podman"
            | "helm" | "kubectl" | "twine" | "poetry" | "mvn" | "gradle" | "conda" | "composer"
            | "flit" | "vsce" | "npx" | "easy_install" | "nix-env" => {
                self.package(command, name, &stdin)
            }
            "pg_dump" | "pg_dumpall" | "mysqldump" | "mongodump" | "mongoexport"
            | "mariadb-dump" => {
                self.database(command, &stdin);
                Some(Stream::unknown(Flow::BULK.with(Flow::SECRET)))
            }
            "mysql" | "psql" | "redis-cli" | "mongo" | "mongosh" | "sqlite3" | "cqlsh" => {
                self.database(command, &stdin);
                let dump = command
                    .arguments()
                    .iter()
                    .any(|word| word.text.contains(".dump"));
                Some(Stream::unknown(if dump {
                    Flow::BULK.with(Flow::SECRET)
                } else {
                    Flow::UNKNOWN
                }))
            }
            _ => {
                let words = command.arguments().to_vec();
                let data = self
                    .mention_hosts(command, &words)
                    .with(stdin.flow.without(Flow::UNKNOWN));
                Some(Stream::unknown(data.with(Flow::UNKNOWN)))
            }
        }
    }

    /// URLs in the arguments of a program that is not known. Returns what its arguments hold.
    pub(super) fn mention_hosts(&mut self, command: &mut Command, words: &[Word]) -> Flow {
        let data = words.iter().fold(Flow::NONE, |flow, word| {
            let path = word.text.trim_start_matches('@');
            let secret = !word.text.starts_with('-')
                && files::is_secret_path(path)
                && !word.text.contains("://");
            flow.with(word.flow)
                .with(if secret { Flow::SECRET } else { Flow::NONE })
        });
        for word in words {
            for (start, end) in find_urls(&word.text).into_iter().take(64) {
                let Some(url) = word.text.get(start..end) else {
                    continue;
                };
                let text = Text {
                    text: url,
                    flow: word.flow,
                    origin: word.origin,
                };
                self.connect(
                    command,
                    Way::Mention,
                    text,
                    Sent {
                        data,
                        ..Sent::default()
                    },
                );
            }
        }
        data
    }

    /// awk's own ways out: `system`, pipes to commands, `/inet/`.
    fn awk(&mut self, command: &mut Command, stdin: Flow) {
        self.awk_file(command, stdin);
        let words = command.arguments();
        let Some(word) = words
            .iter()
            .find(|word| word.text.contains(['{', '|', 'e']))
            .cloned()
        else {
            return;
        };
        if word.text.contains("/inet")
            || word.text.contains("system")
            || word.text.contains("getline")
            || word.text.contains('|')
        {
            let files = words
                .iter()
                .filter(|word| files::is_secret_path(&word.text))
                .fold(Flow::NONE, |flow, _| flow.with(Flow::SECRET));
            self.read_code(command, &word.text, stdin.with(files), word.origin);
        }
    }

    /// A script that awk or sed (`-f FILE`) gets from elsewhere can run commands.
    fn awk_file(&self, command: &mut Command, stdin: Flow) {
        let mut words = command.arguments().iter();
        if !words.any(|word| word.text == "-f") {
            return;
        }
        let flow = words.next().map_or(Flow::NONE, |word| {
            if matches!(word.text.as_str(), "-" | "/dev/stdin") {
                stdin
            } else {
                let file = self.files.get(word.text.as_str());
                file.map_or(Flow::NONE, |stream| stream.flow)
            }
        });
        if flow.meets(Flow::NETWORK) {
            let origin = command.origin;
            command.acts.push(Act::Execute { flow, origin });
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a stream is handed on")]
    fn crontab(&mut self, command: &Command, stdin: Stream) -> Option<Stream> {
        let file = command
            .arguments()
            .iter()
            .find(|word| !word.text.starts_with('-') || word.text == "-")
            .cloned();
        match file {
            Some(file) => {
                let stream = self.read_file(&file);
                self.persist(&stream, command.origin);
                None
            }
            None if command.arguments().is_empty() && stdin.given => {
                self.persist(&stdin, command.origin);
                None
            }
            None => Some(Stream::empty()),
        }
    }

    /// `cd` into what was fetched.
    fn change_folder(&mut self, command: &Command) {
        let Some(word) = command
            .arguments()
            .iter()
            .find(|word| !word.text.starts_with('-'))
        else {
            return;
        };
        let name = word.text.trim_end_matches('/');
        if let Some(stream) = self.files.get(&format!("{name}/*")).cloned() {
            self.files.insert("./*".to_owned(), stream);
        }
    }

    /// A program out of a tree that was fetched from the network, or a build in one.
    fn run_from_tree(&mut self, command: &mut Command, name: &str) {
        // Nothing was written or fetched: there is no such tree.
        if self.files.is_empty() {
            return;
        }
        let Some(first) = command.words.first() else {
            return;
        };
        let path = first.text.clone();
        let origin = first.origin;
        let script = command
            .arguments()
            .iter()
            .find(|word| !word.text.starts_with('-'))
            .map(|word| word.text.clone());
        let mut flow = Flow::NONE;
        let mut look = |key: &str| {
            if let Some(stream) = self.files.get(key) {
                flow = flow.with(stream.flow);
            }
        };
        let builds = matches!(
            name,
            "make"
                | "cmake"
                | "npm"
                | "yarn"
                | "pnpm"
                | "pip"
                | "pip3"
                | "cargo"
                | "go"
                | "ninja"
                | "gradle"
                | "mvn"
                | "docker"
                | "just"
        );
        let runs_script = shells::is_shell(name)
            || shells::is_interpreter(name)
            || matches!(name, "source" | ".");
        for run in [
            Some(path).filter(|path| path.contains('/')),
            script.filter(|_| runs_script),
        ]
        .into_iter()
        .flatten()
        {
            // The folders above it, the nearest few.
            let path = run.trim_start_matches("./");
            for (at, _) in path.match_indices('/').filter(|(at, _)| *at > 0).take(8) {
                let folder = path.get(..at).unwrap_or_default();
                look(&format!("{folder}/*"));
            }
            if !run.starts_with(['/', '-', '~']) {
                look("./*");
                look("*extracted");
            }
        }
        if builds {
            look("./*");
        }
        if flow.meets(Flow::NETWORK) {
            command.acts.push(Act::Execute { flow, origin });
        }
    }

    #[expect(clippy::unused_self, reason = "a method like those beside it")]
    fn expose(&mut self, command: &mut Command, name: &str) {
        let words = command.arguments();
        let has = |text: &str| words.iter().any(|word| word.text == text);
        let quiet = match name {
            "tailscale" => !has("funnel"),
            "cloudflared" => !has("tunnel") && !has("access"),
            _ => has("--version") || has("version") || has("--help") || has("config"),
        };
        if !quiet {
            // A shell or a file server is more than a port.
            let deny = has("tcp")
                || words
                    .iter()
                    .any(|word| word.text.starts_with("file:") || word.text.contains("ssh://"));
            command.acts.push(Act::Opens {
                what: "exposes a port of this machine",
                deny,
                origin: command.origin,
            });
        }
    }

    /// A database on another host.
    fn database(&mut self, command: &mut Command, stdin: &Stream) {
        let words = command.arguments().to_vec();
        let spec = super::options::Spec::new(
            "hHpPuUdDaten",
            &["host", "port", "user", "username", "dbname", "uri"],
        );
        for arg in super::options::Args::new(&words, spec) {
            if let super::options::Arg::Value("h" | "host" | "u" | "uri" | "dbname", value) = arg
                && (value.text.contains('.') || value.text.contains("://"))
            {
                self.connect(
                    command,
                    Way::Remote,
                    value,
                    Sent {
                        data: stdin.flow,
                        ..Sent::default()
                    },
                );
            }
        }
        self.mention_hosts(command, &words);
    }

    /// Code is run on another machine.
    fn run_elsewhere(&mut self, words: &[Word], origin: crate::shell::command::Origin) {
        let text = words
            .iter()
            .map(|word| word.text.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        if !text.is_empty() {
            self.ops.push(Op::Code {
                text,
                origin,
                stdin: Stream::empty(),
            });
        }
    }
}

fn prints_credential(name: &str, words: &[Word]) -> bool {
    if !CREDENTIAL_PRINTERS
        .iter()
        .any(|(program, _)| *program == name)
    {
        return false;
    }
    let plain: Vec<&str> = words
        .iter()
        .map(|word| word.text.as_str())
        .take(6)
        .collect();
    CREDENTIAL_PRINTERS.iter().any(|(program, wanted)| {
        *program == name
            && wanted.iter().all(|want| plain.contains(want))
            && (wanted.is_empty()
                || plain
                    .iter()
                    .take(2)
                    .any(|word| wanted.first() == Some(word)))
            && (name != "pass"
                || !plain
                    .iter()
                    .any(|word| matches!(*word, "insert" | "generate" | "init" | "git" | "ls")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_programs() {
        for (pattern, want) in [
            ("n?", Some("nc")),
            ("cu?l", Some("curl")),
            ("cu*", Some("curl")),
            ("[mn]c", Some("nc")),
            ("n[a-d]", Some("nc")),
            ("wge[!x]", Some("wget")),
            ("zzz*", None),
            ("foo", None),
            ("b??h", Some("bash")),
        ] {
            assert_eq!(match_glob(pattern), want, "{pattern}");
        }
    }
}
