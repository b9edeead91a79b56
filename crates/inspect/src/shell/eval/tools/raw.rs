// SPDX-License-Identifier: Apache-2.0
//! Raw sockets: netcat and its kin, socat, telnet, `openssl s_client`.

use super::super::options::{Arg, Args, Spec, Text};
use super::super::value::Stream;
use super::super::{Evaluator, Sent, files};
use crate::shell::act::{Act, Way};
use crate::shell::command::{Command, Flow, Word};

impl Evaluator<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "all tools answer in one form")]
    pub(super) fn raw(
        &mut self,
        command: &mut Command,
        name: &str,
        stdin: &Stream,
    ) -> Option<Stream> {
        let words = command.arguments().to_vec();
        let place = match name {
            "socat" => self.socat(command, &words, stdin),
            "openssl" => self.openssl(command, &words, stdin),
            "telnet" | "rlogin" | "rsh" => self.telnet(command, &words, stdin),
            _ => self.netcat(command, &words, stdin),
        };
        let flow = place.map_or(Flow::NONE, Flow::from_target);
        Some(Stream::unknown(flow))
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn netcat(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) -> Option<usize> {
        let spec = Spec::new(
            "epqwWsIiMmOPTVXxcgGbo",
            &[
                "exec",
                "sh-exec",
                "lua-exec",
                "source",
                "source-port",
                "wait",
                "idle-timeout",
                "delay",
                "proxy",
                "proxy-type",
                "proxy-auth",
                "ssl-cert",
                "ssl-key",
                "max-conns",
            ],
        );
        let (mut listens, mut probes, mut runs) = (false, false, false);
        let mut plain = Vec::new();
        for arg in Args::new(words, spec) {
            match arg {
                Arg::Flag("l" | "listen" | "L") => listens = true,
                Arg::Flag("z") => probes = true,
                Arg::Flag("h" | "help" | "version" | "U" | "unixsock") => return None,
                Arg::Value("e" | "c" | "exec" | "sh-exec" | "lua-exec", _) => runs = true,
                Arg::Value("x" | "proxy", value) => {
                    self.connect(command, Way::Proxy, value, Sent::default());
                }
                Arg::Plain(value, _) => plain.push(value),
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        if listens {
            let deny = runs
                || stdin
                    .flow
                    .meets(Flow::SECRET.with(Flow::ENVIRONMENT).with(Flow::BULK));
            command.acts.push(Act::Opens {
                what: "waits for connections",
                deny,
                origin: command.origin,
            });
            return None;
        }
        let Some(host) = plain.first().copied() else {
            let unknown = Word::HOLE.to_string();
            let text = Text {
                text: &unknown,
                flow: Flow::NONE,
                origin: command.origin,
            };
            return Some(self.connect(command, Way::Raw, text, Sent::default()));
        };
        if host.text == "%h" {
            // The placeholder of ssh: the host that ssh itself is told.
            command.acts.push(Act::Opens {
                what: "carries a connection of ssh",
                deny: runs,
                origin: command.origin,
            });
            return None;
        }
        let way = if probes && !runs {
            Way::Probe
        } else {
            Way::Raw
        };
        Some(self.connect(
            command,
            way,
            host,
            Sent {
                data: stdin.flow,
                ..Sent::default()
            },
        ))
    }

    fn telnet(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) -> Option<usize> {
        for arg in Args::new(words, Spec::new("lneSXb", &[])) {
            if let Arg::Plain(host, _) = arg {
                let way = if stdin.given { Way::Raw } else { Way::Probe };
                return Some(self.connect(
                    command,
                    way,
                    host,
                    Sent {
                        data: stdin.flow,
                        ..Sent::default()
                    },
                ));
            }
        }
        None
    }

    #[expect(clippy::nonminimal_bool, reason = "as it is said")]
    fn openssl(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) -> Option<usize> {
        let verb = words.first().map_or("", |word| word.text.as_str());
        if verb == "s_server" {
            command.acts.push(Act::Opens {
                what: "waits for connections",
                deny: false,
                origin: command.origin,
            });
            return None;
        }
        if verb != "s_client" {
            return None;
        }
        let spec = Spec::single(&[
            "connect",
            "host",
            "port",
            "servername",
            "CAfile",
            "cert",
            "key",
            "proxy",
            "starttls",
            "alpn",
            "cipher",
            "bind",
        ]);
        let mut place = None;
        // Asking for a certificate sends nothing, or the end of input at once.
        let silent = !stdin.given
            || stdin.text.as_deref().is_some_and(|text| text.len() <= 2)
            || stdin.text.is_none()
                && stdin.flow.is_empty()
                && stdin.given
                && reads_nothing(command);
        for arg in Args::new(words.get(1..).unwrap_or_default(), spec) {
            if let Arg::Value("connect" | "host" | "proxy", value) = arg {
                let way = if silent { Way::Probe } else { Way::Raw };
                place = Some(self.connect(
                    command,
                    way,
                    value,
                    Sent {
                        data: stdin.flow,
                        ..Sent::default()
                    },
                ));
            }
        }
        place
    }

    /// socat's two addresses: one may lead out, the other says what goes there.
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn socat(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) -> Option<usize> {
        let addresses: Vec<Word> = Args::new(words, Spec::new("bTtlLx", &[]))
            .filter_map(|arg| match arg {
                Arg::Plain(value, _) => Some(Word {
                    text: value.text.to_owned(),
                    flow: value.flow,
                    glob: false,
                    origin: value.origin,
                }),
                Arg::Flag(_) | Arg::Value(..) => None,
            })
            .collect();
        let mut data = stdin.flow;
        let (mut out, mut listens, mut runs) = (Vec::new(), false, false);
        for address in &addresses {
            let (kind, rest) = address.text.split_once(':').unwrap_or((&address.text, ""));
            let kind = kind.to_ascii_uppercase();
            let first = rest.split(',').next().unwrap_or(rest);
            let listening =
                kind.contains("LISTEN") || kind.ends_with("-L") || kind.contains("RECV");
            match kind.as_str() {
                "EXEC" | "SYSTEM" | "SHELL" => {
                    runs = true;
                    let code = rest.split(",pty").next().unwrap_or(rest).to_owned();
                    self.code(&code, address.origin, Stream::empty());
                }
                "FILE" | "OPEN" | "GOPEN" | "CREATE" => {
                    data = data.with(files::flow_of_path(first));
                }
                _ if listening && !kind.starts_with("UNIX") => {
                    listens |= !rest.contains("bind=127.") && !rest.contains("bind=localhost");
                }
                _ if [
                    "TCP", "UDP", "SSL", "OPENSSL", "SCTP", "SOCKS", "PROXY", "DCCP", "IP",
                    "VSOCK", "DTLS", "WS",
                ]
                .iter()
                .any(|net| kind.starts_with(net)) =>
                {
                    out.push(Word {
                        text: first.to_owned(),
                        ..address.clone()
                    });
                }
                _ if !kind.contains(char::from(b'/'))
                    && address.text.contains('/')
                    && kind == address.text.to_ascii_uppercase() =>
                {
                    data = data.with(files::flow_of_path(&address.text));
                }
                _ => {}
            }
        }
        if listens {
            let deny = runs || data.meets(Flow::SECRET.with(Flow::ENVIRONMENT));
            command.acts.push(Act::Opens {
                what: "waits for connections",
                deny,
                origin: command.origin,
            });
        }
        let mut place = None;
        for host in &out {
            place = Some(self.connect(
                command,
                Way::Raw,
                Text::of(host),
                Sent {
                    data,
                    ..Sent::default()
                },
            ));
        }
        place
    }
}

/// `< /dev/null`
fn reads_nothing(command: &Command) -> bool {
    command
        .redirections
        .iter()
        .any(|redirection| redirection.operator == "<" && redirection.target.text == "/dev/null")
}
