// SPDX-License-Identifier: Apache-2.0
//! Copies and remote shells: scp, rsync, sftp, ftp, ssh.

use super::super::options::{Arg, Args, Spec, Text};
use super::super::value::Stream;
use super::super::{Evaluator, Sent, files};
use crate::shell::act::{Act, Way};
use crate::shell::command::{Command, Flow, Word};

/// The host of `user@host:path`, `rsync://host/…`, `host::module`; `None` for a path here.
pub(super) fn remote_of(text: &str) -> Option<&str> {
    if text.contains("://") {
        return Some(text);
    }
    let colon = text.find(':')?;
    let before = text.get(..colon)?;
    // `[::1]:path`
    if text.starts_with('[') || before.contains("@[") {
        return text.find("]:").and_then(|end| text.get(..=end));
    }
    (!before.contains('/') && !before.is_empty()).then_some(before)
}

impl Evaluator<'_> {
    /// What is in a file that is sent, or in a tree.
    pub(super) fn sent_file(&mut self, word: &Word) -> Flow {
        let mut flow = self.read_file(word).flow;
        if files::is_tree(&word.text) || word.text.ends_with('/') && word.text.len() <= 2 {
            flow = flow.with(Flow::BULK);
        }
        flow
    }

    #[expect(clippy::unnecessary_wraps, reason = "all tools answer in one form")]
    pub(super) fn copy(
        &mut self,
        command: &mut Command,
        name: &str,
        stdin: &Stream,
    ) -> Option<Stream> {
        let words = command.arguments().to_vec();
        let flow = match name {
            "scp" | "pscp" => self.scp(command, &words, Spec::new("cFiJlPoSDX", &[])),
            "rsync" => self.rsync(command, &words),
            "ssh" | "autossh" | "mosh" | "ssh-copy-id" | "plink" => {
                self.ssh(command, &words, stdin)
            }
            _ => self.transfer(command, name, &words, stdin),
        };
        Some(Stream::unknown(flow))
    }

    fn scp(&mut self, command: &mut Command, words: &[Word], spec: Spec) -> Flow {
        let mut plain = Vec::new();
        for arg in Args::new(words, spec) {
            match arg {
                Arg::Value("o", value) => self.ssh_option(value),
                Arg::Plain(value, _) => {
                    plain.push(Word {
                        text: value.text.to_owned(),
                        flow: value.flow,
                        glob: false,
                        origin: value.origin,
                    });
                }
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        self.copied(command, &plain)
    }

    /// Sources and a destination, each here or on a host.
    fn copied(&mut self, command: &mut Command, plain: &[Word]) -> Flow {
        let Some((to, from)) = plain.split_last() else {
            return Flow::NONE;
        };
        let mut data = Flow::NONE;
        let mut received = Flow::NONE;
        for source in from {
            match remote_of(&source.text).map(str::to_owned) {
                Some(host) => {
                    let text = Text {
                        text: &host,
                        flow: source.flow,
                        origin: source.origin,
                    };
                    received = received.with(Flow::from_target(self.connect(
                        command,
                        Way::Get,
                        text,
                        Sent::default(),
                    )));
                }
                None => data = data.with(self.sent_file(source)).with(source.flow),
            }
        }
        if let Some(host) = remote_of(&to.text).map(str::to_owned) {
            let text = Text {
                text: &host,
                flow: to.flow,
                origin: to.origin,
            };
            let data = if from.is_empty() {
                data
            } else {
                data.with(Flow::FILE)
            };
            self.connect(
                command,
                Way::Copy,
                text,
                Sent {
                    data,
                    ..Sent::default()
                },
            );
        } else if received.meets(Flow::NETWORK) {
            self.write_file(to, Stream::unknown(received));
            for source in from {
                if let Some(name) = source.text.rsplit(['/', ':']).next() {
                    self.write_file(
                        &Word {
                            text: name.to_owned(),
                            ..to.clone()
                        },
                        Stream::unknown(received),
                    );
                }
            }
        }
        received
    }

    fn rsync(&mut self, command: &mut Command, words: &[Word]) -> Flow {
        let spec = Spec::new(
            "efBMTA@",
            &[
                "rsh",
                "exclude",
                "include",
                "exclude-from",
                "include-from",
                "files-from",
                "filter",
                "password-file",
                "port",
                "bwlimit",
                "rsync-path",
                "timeout",
                "contimeout",
                "log-file",
                "temp-dir",
                "compare-dest",
                "copy-dest",
                "link-dest",
                "partial-dir",
                "backup-dir",
                "suffix",
                "chmod",
                "chown",
                "usermap",
                "groupmap",
                "out-format",
                "max-size",
                "min-size",
                "compress-level",
            ],
        );
        let mut plain = Vec::new();
        for arg in Args::new(words, spec) {
            match arg {
                Arg::Value("e" | "rsh", value) => {
                    if !value.text.trim_start().starts_with("ssh") {
                        self.code(value.text, value.origin, Stream::empty());
                    }
                }
                Arg::Plain(value, _) => {
                    plain.push(Word {
                        text: value.text.to_owned(),
                        flow: value.flow,
                        glob: false,
                        origin: value.origin,
                    });
                }
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        self.copied(command, &plain)
    }

    /// `ProxyCommand=…` and its kin are run here.
    fn ssh_option(&mut self, value: Text<'_>) {
        let (name, code) = value
            .text
            .split_once(['=', ' '])
            .unwrap_or((value.text, ""));
        let name = name.to_ascii_lowercase();
        if matches!(
            name.as_str(),
            "proxycommand" | "localcommand" | "knownhostscommand" | "pkcs11provider"
        ) && code != "none"
        {
            self.code(code, value.origin, Stream::empty());
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn ssh(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) -> Flow {
        let args = Args::new(
            words,
            Spec::posix("BbcDEeFIiJLlmOopQRSWwM", &["ssh", "port"]),
        );
        let (mut reverse, mut forwards) = (false, false);
        let mut jumps = Vec::new();
        for arg in args {
            match arg {
                Arg::Value("o", value) => self.ssh_option(value),
                Arg::Value("R" | "w", _) => reverse = true,
                Arg::Value("L" | "D" | "W", _) => forwards = true,
                Arg::Value("J", value) => jumps.push(value),
                Arg::Value("F", value) if value.flow.meets(Flow::NETWORK) => {
                    command.acts.push(Act::Execute {
                        flow: value.flow,
                        origin: value.origin,
                    });
                }
                Arg::Flag("V" | "G" | "Q") => return Flow::NONE,
                Arg::Flag(_) | Arg::Value(..) => {}
                Arg::Plain(host, place) => {
                    // Options may follow the host.
                    let rest = words.get(place.saturating_add(1)..).unwrap_or_default();
                    let late = Args::new(rest, Spec::posix("BbcDEeFIiJLlmOopQRSWwM", &[]));
                    let mut code = rest.len();
                    for arg in late {
                        match arg {
                            Arg::Value("o", value) => self.ssh_option(value),
                            Arg::Value("R" | "w", _) => reverse = true,
                            Arg::Value("L" | "D" | "W", _) => forwards = true,
                            Arg::Plain(_, at) => {
                                code = at;
                                break;
                            }
                            Arg::Flag(_) | Arg::Value(..) => {}
                        }
                    }
                    for jump in jumps {
                        self.connect(command, Way::Remote, jump, Sent::default());
                    }
                    let remote = rest.get(code..).unwrap_or_default();
                    let args = remote
                        .iter()
                        .fold(Flow::NONE, |flow, word| flow.with(word.flow));
                    let way = if reverse {
                        Way::Tunnel
                    } else if stdin.given && !stdin.flow.is_empty() {
                        Way::Copy
                    } else {
                        Way::Remote
                    };
                    let _ = forwards;
                    let data = stdin.flow.with(args.without(Flow::UNKNOWN));
                    let target = self.connect(
                        command,
                        way,
                        host,
                        Sent {
                            data,
                            ..Sent::default()
                        },
                    );
                    self.run_elsewhere(remote, command.origin);
                    return Flow::from_target(target);
                }
            }
        }
        Flow::NONE
    }

    /// Clients that take commands: from their options, their input, or a file.
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn transfer(
        &mut self,
        command: &mut Command,
        name: &str,
        words: &[Word],
        stdin: &Stream,
    ) -> Flow {
        let spec = match name {
            "sftp" => Spec::new("BbcDFiJloPRsS", &[]),
            "lftp" => Spec::new("cefupO", &["norc", "user", "port"]),
            "smbclient" => Spec::new("cUIpWkDTs", &["command", "user", "password"]),
            "ncftpput" => Spec::new("upPUrtfBmdEVz", &[]),
            "tftp" => Spec::new("mc", &[]),
            _ => Spec::new("NPsT", &[]),
        };
        let mut commands = stdin.text_or_empty();
        let mut data = if stdin.text.is_none() {
            stdin.flow
        } else {
            Flow::NONE
        };
        let mut hosts = Vec::new();
        let mut rest = Vec::new();
        for arg in Args::new(words, spec) {
            match arg {
                Arg::Value("o", value) => self.ssh_option(value),
                Arg::Value("b" | "f", value) => {
                    let word = Word {
                        text: value.text.to_owned(),
                        flow: value.flow,
                        glob: false,
                        origin: value.origin,
                    };
                    let stream = self.read_file(&word);
                    data = data.with(if stream.text.is_none() {
                        Flow::FILE
                    } else {
                        Flow::NONE
                    });
                    commands.push_str(&stream.text_or_empty());
                }
                Arg::Value("c" | "e" | "command", value) => {
                    commands.push('\n');
                    commands.push_str(value.text);
                    data = data.with(value.flow);
                }
                Arg::Plain(value, _) if hosts.is_empty() => hosts.push(value),
                Arg::Plain(value, _) => rest.push(value),
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        let puts = |word: &str| {
            matches!(
                word,
                "put" | "mput" | "send" | "reput" | "append" | "mirror"
            )
        };
        let mut sends = name == "ncftpput";
        for line in commands.split(['\n', ';']).take(256) {
            let mut parts = line.split_whitespace();
            match parts.next() {
                Some("open" | "connect") => {
                    if let Some(host) = parts.next() {
                        let text = Text {
                            text: host,
                            flow: Flow::NONE,
                            origin: command.origin,
                        };
                        self.connect(command, Way::Remote, text, Sent::default());
                    }
                }
                Some(verb) if puts(verb) => {
                    sends = true;
                    for path in parts.filter(|part| !part.starts_with('-')) {
                        data = data.with(self.sent_file(&Word {
                            text: path.to_owned(),
                            ..Word::default()
                        }));
                    }
                }
                Some(verb) if verb.starts_with('!') => {
                    self.code(
                        line.trim_start().trim_start_matches('!'),
                        command.origin,
                        Stream::empty(),
                    );
                }
                _ => {}
            }
        }
        let mut words = rest.iter().map(|value| value.text);
        if words.any(puts) || name == "ncftpput" || name == "smbclient" && sends {
            sends = true;
            for value in &rest {
                data = data.with(files::flow_of_path(value.text)).with(value.flow);
            }
        }
        let mut flow = Flow::NONE;
        for host in hosts {
            let way = if sends { Way::Copy } else { Way::Remote };
            let text = remote_of(host.text).map_or(host, |remote| Text {
                text: remote,
                ..host
            });
            let data = if sends { data.with(Flow::FILE) } else { data };
            flow = flow.with(Flow::from_target(self.connect(
                command,
                way,
                text,
                Sent {
                    data,
                    ..Sent::default()
                },
            )));
        }
        flow
    }
}
