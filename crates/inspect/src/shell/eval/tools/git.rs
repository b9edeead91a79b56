// SPDX-License-Identifier: Apache-2.0
//! git: pushes, clones, remotes.

use super::super::options::{Arg, Args, Spec, Text};
use super::super::value::Stream;
use super::super::{Evaluator, Sent};
use super::copy::remote_of;
use crate::shell::act::{Act, Way};
use crate::shell::command::{Command, Flow, Word};

/// A URL or `user@host:path`: not the name of a remote, not a path here.
fn is_url(text: &str) -> bool {
    text.contains("://")
        || (remote_of(text).is_some()
            && !text.starts_with(['.', '/', '~'])
            && !text.starts_with("ext::"))
}

impl Evaluator<'_> {
    #[expect(clippy::or_fun_call, reason = "cheap")]
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    pub(super) fn git(&mut self, command: &mut Command) -> Option<Stream> {
        let words = command.arguments().to_vec();
        let mut args = Args::new(
            &words,
            Spec::posix(
                "Cc",
                &[
                    "git-dir",
                    "work-tree",
                    "namespace",
                    "exec-path",
                    "config-env",
                ],
            ),
        );
        let verb = loop {
            match args.next()? {
                Arg::Plain(verb, place) => break (verb, place),
                Arg::Value("c", value) => self.git_config(command, value),
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        };
        let (verb, place) = verb;
        let rest = words.get(place.saturating_add(1)..).unwrap_or_default();
        let mut plain = Vec::new();
        for arg in Args::new(
            rest,
            Spec::new(
                "bouCcXsm",
                &[
                    "branch",
                    "origin",
                    "upload-pack",
                    "reference",
                    "depth",
                    "config",
                    "template",
                    "separate-git-dir",
                    "jobs",
                    "repo",
                    "push-option",
                    "message",
                    "remote",
                    "output",
                    "to",
                    "name",
                ],
            ),
        ) {
            match arg {
                Arg::Plain(value, _) => plain.push(value),
                Arg::Value("repo" | "remote", value) => plain.insert(0, value),
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        match verb.text {
            "push" => self.push(command, &plain),
            "remote" => self.remote(&plain),
            "clone" | "fetch" | "pull" | "ls-remote" | "submodule" | "subtree" | "svn"
            | "request-pull" => {
                let mut flow = Flow::NONE;
                for (at, value) in plain.iter().enumerate() {
                    let known = self.remotes.get(value.text).cloned();
                    let url = known.as_deref().unwrap_or(value.text);
                    if is_url(url) {
                        let host = host_of(url);
                        let text = Text {
                            text: &host,
                            ..*value
                        };
                        flow = flow.with(Flow::from_target(self.connect(
                            command,
                            Way::Get,
                            text,
                            Sent::default(),
                        )));
                        let name = url
                            .trim_end_matches('/')
                            .rsplit(['/', ':'])
                            .next()
                            .unwrap_or_default();
                        let folder = plain
                            .get(at.saturating_add(1))
                            .map_or(name.trim_end_matches(".git"), |folder| folder.text);
                        if verb.text == "clone" {
                            self.files.insert(
                                format!(
                                    "{}/*",
                                    folder.trim_end_matches('/').trim_start_matches("./")
                                ),
                                Stream::unknown(flow),
                            );
                        }
                    }
                }
                return Some(Stream::unknown(flow));
            }
            "config" => {
                if let (Some(key), Some(value)) = (plain.first(), plain.get(1)) {
                    let joined = format!("{}={}", key.text, value.text);
                    self.git_config(
                        command,
                        Text {
                            text: &joined,
                            flow: value.flow,
                            origin: value.origin,
                        },
                    );
                }
            }
            "daemon" | "instaweb" => {
                command.acts.push(Act::Opens {
                    what: "serves the repository",
                    deny: false,
                    origin: command.origin,
                });
            }
            "send-email" => {
                let act = Act::Upload {
                    service: "mail",
                    data: Flow::FILE,
                    text: String::new(),
                    origin: command.origin,
                };
                command.acts.push(act);
            }
            "bundle" | "archive" | "format-patch" | "diff" | "log" | "show" | "cat-file" => {
                let flow = if matches!(verb.text, "bundle" | "archive") {
                    Flow::BULK
                } else {
                    Flow::FILE
                };
                for value in plain.iter().filter(|value| value.text.contains('.')) {
                    let word = Word {
                        text: value.text.to_owned(),
                        flow: value.flow,
                        glob: false,
                        origin: value.origin,
                    };
                    if verb.text == "bundle" {
                        self.write_file(&word, Stream::unknown(flow));
                    }
                }
                return Some(Stream::unknown(flow));
            }
            _ => {}
        }
        Some(Stream::unknown(Flow::NONE))
    }

    fn push(&mut self, command: &mut Command, plain: &[Text<'_>]) {
        let (name, flow, origin) = plain
            .first()
            .map_or(("origin", Flow::NONE, command.origin), |value| {
                (value.text, value.flow, value.origin)
            });
        let url = match self.remotes.get(name) {
            Some(url) => url.clone(),
            None if is_url(name) || name.contains(Word::HOLE) => name.to_owned(),
            None => return,
        };
        let host = host_of(&url);
        let text = Text {
            text: &host,
            flow,
            origin,
        };
        self.connect(
            command,
            Way::Push,
            text,
            Sent {
                data: Flow::BULK,
                ..Sent::default()
            },
        );
    }

    fn remote(&mut self, plain: &[Text<'_>]) {
        let verb = plain.first().map_or("", |value| value.text);
        if matches!(verb, "add" | "set-url")
            && let (Some(name), Some(url)) = (plain.get(1), plain.get(2))
            && self.remotes.len() < 256
        {
            self.remotes
                .insert(name.text.to_owned(), url.text.to_owned());
        }
    }

    /// Configuration that sends pushes elsewhere.
    fn git_config(&mut self, command: &mut Command, setting: Text<'_>) {
        let Some((key, value)) = setting.text.split_once('=') else {
            return;
        };
        let lower = key.to_ascii_lowercase();
        if let Some(name) = lower.strip_prefix("remote.").and_then(|rest| {
            rest.strip_suffix(".pushurl")
                .or_else(|| rest.strip_suffix(".url"))
        }) {
            self.remotes.insert(name.to_owned(), value.to_owned());
        } else if lower.starts_with("url.") && lower.ends_with("insteadof") {
            let url = key
                .get(4..key.len().saturating_sub(".insteadof".len()))
                .unwrap_or_default()
                .trim_end_matches(".push");
            let host = host_of(url);
            self.connect(
                command,
                Way::Push,
                Text {
                    text: &host,
                    ..setting
                },
                Sent::default(),
            );
        } else if matches!(lower.as_str(), "http.proxy" | "https.proxy") && !value.is_empty() {
            self.connect(
                command,
                Way::Proxy,
                Text {
                    text: value,
                    ..setting
                },
                Sent::default(),
            );
        }
    }
}

fn host_of(url: &str) -> String {
    if url.contains("://") {
        url.to_owned()
    } else {
        remote_of(url).unwrap_or(url).to_owned()
    }
}
