// SPDX-License-Identifier: Apache-2.0
//! Services without a host in the call: buckets, gists, pastes, mail.

use super::super::value::Stream;
use super::super::{Evaluator, files};
use crate::shell::act::Act;
use crate::shell::command::{Command, Flow, Word};

/// Places in an object store.
fn is_bucket(text: &str) -> bool {
    [
        "s3://", "gs://", "oss://", "b2://", "az://", "cos://", "swift://", "wasb://", "abfs://",
    ]
    .iter()
    .any(|scheme| text.starts_with(scheme))
        || text.contains(".blob.core.windows.net")
        || text.contains(".file.core.windows.net")
}

impl Evaluator<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "all tools answer in one form")]
    pub(super) fn cloud(
        &mut self,
        command: &mut Command,
        name: &str,
        stdin: &Stream,
    ) -> Option<Stream> {
        let words = command.arguments().to_vec();
        match name {
            "aws" | "gsutil" | "gcloud" | "s3cmd" | "s5cmd" | "mc" | "b2" | "oci" | "azcopy"
            | "az" => self.bucket(command, &words, stdin),
            "rclone" => self.rclone(command, &words, stdin),
            "restic" | "borg" | "duplicity" => {
                let remote = words
                    .iter()
                    .any(|word| word.text.contains(':') && !word.text.starts_with("--"));
                if remote
                    && words.iter().any(|word| {
                        matches!(word.text.as_str(), "backup" | "create") || name == "duplicity"
                    })
                {
                    let data = self.all_files(&words, stdin);
                    self.upload(command, "a backup", data.with(Flow::FILE), String::new());
                }
            }
            "gh" | "glab" | "hub" => self.forge(command, &words, stdin),
            "mail" | "mailx" | "mutt" | "sendmail" | "msmtp" | "swaks" | "s-nail" | "ssmtp"
            | "mpack" | "neomutt" => {
                if words.iter().any(|word| word.text.contains('@'))
                    || matches!(name, "swaks" | "sendmail")
                {
                    let data = self.all_files(&words, stdin);
                    let text = text_of(&words, stdin);
                    self.upload(command, "mail", data, text);
                }
            }
            "wormhole" | "croc" | "ffsend" | "onionshare-cli" | "transfer"
                if words.iter().any(|word| {
                    matches!(
                        word.text.as_str(),
                        "receive" | "recv" | "--version" | "--help"
                    )
                }) => {}
            _ => {
                let data = self.all_files(&words, stdin);
                let text = text_of(&words, stdin);
                self.upload(command, "a paste service", data, text);
            }
        }
        for word in &words {
            if let Some(url) = word.text.strip_prefix("--endpoint-url=") {
                self.mention_hosts(
                    command,
                    &[Word {
                        text: url.to_owned(),
                        ..word.clone()
                    }],
                );
            }
        }
        if words.iter().any(|word| word.text == "--endpoint-url") {
            self.mention_hosts(command, &words);
        }
        Some(Stream::unknown(Flow::UNKNOWN))
    }

    #[expect(clippy::unused_self, reason = "a method like those beside it")]
    fn upload(&mut self, command: &mut Command, service: &'static str, data: Flow, text: String) {
        command.acts.push(Act::Upload {
            service,
            data,
            text,
            origin: command.origin,
        });
    }

    /// What all the arguments hold that may be files.
    fn all_files(&mut self, words: &[Word], stdin: &Stream) -> Flow {
        let mut flow = stdin.flow;
        for word in words {
            let text = word
                .text
                .trim_start_matches("fileb://")
                .trim_start_matches("file://");
            let value = text
                .split_once('=')
                .map_or(text, |(_, value)| value)
                .trim_start_matches('@');
            flow = flow.with(word.flow);
            if value.is_empty() || value.starts_with('-') || value.contains("://") {
                continue;
            }
            if let Some(stream) = self.files.get(value) {
                flow = flow.with(stream.flow);
            } else if files::is_secret_path(value) {
                flow = flow.with(Flow::SECRET);
            } else if files::is_tree(value) {
                flow = flow.with(Flow::BULK);
            } else if value.contains(['.', '/']) && !value.contains('@') && !value.contains(' ') {
                flow = flow.with(Flow::FILE);
            }
        }
        flow
    }

    fn bucket(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) {
        let plain: Vec<&Word> = words
            .iter()
            .filter(|word| !word.text.starts_with('-') || word.text == "-")
            .collect();
        let verb = |names: &[&str]| {
            plain
                .iter()
                .take(5)
                .any(|word| names.contains(&word.text.as_str()))
        };
        let copies = verb(&[
            "cp",
            "mv",
            "sync",
            "rsync",
            "copy",
            "put",
            "upload",
            "upload-batch",
            "mirror",
            "pipe",
            "upload-file",
        ]);
        let last_is_bucket = plain.last().is_some_and(|word| is_bucket(&word.text))
            || plain.iter().rev().take(2).any(|word| is_bucket(&word.text));
        let first_is_bucket = plain
            .iter()
            .find(|word| {
                is_bucket(&word.text) || word.text.contains(['.', '/', '~']) || word.text == "-"
            })
            .is_some_and(|word| is_bucket(&word.text));
        let names = [
            "put-object",
            "publish",
            "send-message",
            "put-parameter",
            "invoke",
            "put-record",
            "put-log-events",
            "create-secret",
            "upload-part",
            "put-item",
        ];
        let sends = (copies
            && ((last_is_bucket && !first_is_bucket)
                || verb(&["upload", "upload-batch", "put", "pipe", "upload-file"])))
            || verb(&names);
        // `mc cp FILE alias/bucket`, `az storage blob upload --file F`
        let other = copies && !first_is_bucket && !last_is_bucket && plain.len() >= 3;
        if sends || other {
            let data = self.all_files(words, stdin);
            let text = text_of(words, &Stream::empty());
            self.upload(command, "object storage", data, text);
        }
    }

    fn rclone(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) {
        let plain: Vec<Word> = words
            .iter()
            .filter(|word| !word.text.starts_with('-'))
            .cloned()
            .collect();
        let verb = plain.first().map_or("", |word| word.text.as_str());
        let remote = |word: &Word| {
            word.text
                .find(':')
                .is_some_and(|colon| !word.text.get(..colon).unwrap_or_default().contains('/'))
        };
        // After the source: values of options may stand behind the target.
        let to_remote = plain.last().is_some_and(remote) || plain.iter().skip(2).any(remote);
        let from_remote = plain.get(1).is_some_and(remote) && plain.len() > 2;
        if matches!(
            verb,
            "copy" | "copyto" | "sync" | "move" | "moveto" | "rcat" | "bisync"
        ) && to_remote
            && !from_remote
        {
            let data = self
                .all_files(plain.get(1..).unwrap_or_default(), stdin)
                .with(Flow::FILE);
            self.upload(command, "object storage", data, String::new());
        } else if matches!(verb, "serve" | "rcd") {
            command.acts.push(Act::Opens {
                what: "serves files of this machine",
                deny: false,
                origin: command.origin,
            });
        }
    }

    /// gh and its kin: gists, comments, releases, the API.
    #[expect(
        clippy::match_same_arms,
        reason = "one arm for each case, as the reader thinks of them"
    )]
    fn forge(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) {
        let plain: Vec<&str> = words
            .iter()
            .filter(|word| !word.text.starts_with('-'))
            .map(|word| word.text.as_str())
            .collect();
        let verb = plain.first().copied().unwrap_or_default();
        let action = plain.get(1).copied().unwrap_or_default();
        let flag = |name: &str| words.iter().any(|word| word.text == name);
        let secret = Flow::SECRET
            .with(Flow::ENVIRONMENT)
            .with(Flow::BULK)
            .with(Flow::TOKEN);
        match (verb, action) {
            ("gist" | "snippet", "create" | "edit" | "new") => {
                let data = self.all_files(words, stdin);
                let text = text_of(words, stdin);
                self.upload(command, "a gist", data, text);
            }
            ("repo", "create")
                if flag("--push") || words.iter().any(|word| word.text.starts_with("--source")) =>
            {
                let data = if flag("--public") {
                    Flow::BULK
                } else {
                    Flow::FILE
                };
                self.upload(command, "a new repository", data, String::new());
            }
            ("secret" | "variable", "set") => {}
            ("api" | "issue" | "pr" | "release" | "discussion" | "mr" | "workflow" | "repo", _) => {
                let data = self.all_files(words, stdin);
                let text = text_of(words, stdin);
                let gists = plain.iter().any(|word| word.contains("gists"));
                if data.meets(secret)
                    || (gists && !data.is_empty())
                    || super::super::super::secret::has_secret(&text)
                {
                    self.upload(command, "GitHub", data, text);
                }
            }
            _ => {}
        }
    }
}

fn text_of(words: &[Word], stdin: &Stream) -> String {
    let mut text = stdin.text_or_empty();
    for word in words {
        text.push('\n');
        text.push_str(&word.text);
    }
    text
}
