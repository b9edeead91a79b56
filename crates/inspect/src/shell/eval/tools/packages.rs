// SPDX-License-Identifier: Apache-2.0
//! Package managers and container clients: where packages come from, and what is published.

use super::super::options::Text;
use super::super::value::Stream;
use super::super::{Evaluator, Sent};
use crate::net::find_urls;
use crate::shell::act::{Act, Way};
use crate::shell::command::{Command, Flow, Word};

impl Evaluator<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "all tools answer in one form")]
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    pub(super) fn package(
        &mut self,
        command: &mut Command,
        name: &str,
        stdin: &Stream,
    ) -> Option<Stream> {
        let words = command.arguments().to_vec();
        let has = |text: &str| words.iter().take(4).any(|word| word.text == text);
        let publishes = match name {
            "npm" | "pnpm" | "yarn" | "cargo" | "poetry" | "uv" | "flit" | "vsce" => has("publish"),
            "twine" => has("upload"),
            "gem" | "docker" | "podman" | "helm" => has("push"),
            "mvn" => has("deploy"),
            "gradle" => words.iter().any(|word| word.text.starts_with("publish")),
            _ => false,
        };
        let dry = words
            .iter()
            .any(|word| matches!(word.text.as_str(), "--dry-run" | "--help" | "-n"));
        let way = if publishes {
            Way::Publish
        } else {
            Way::Install
        };
        let mut named = false;
        for word in &words {
            // `git+https://`, `--index-url=https://`, `-e git+ssh://`
            for (start, end) in find_urls(&word.text).into_iter().take(64) {
                let Some(url) = word.text.get(start..end) else {
                    continue;
                };
                let url = url.strip_prefix("git+").unwrap_or(url);
                named = true;
                let text = Text {
                    text: url,
                    flow: word.flow,
                    origin: word.origin,
                };
                let data = if publishes { Flow::BULK } else { Flow::NONE };
                self.connect(
                    command,
                    way,
                    text,
                    Sent {
                        data,
                        ..Sent::default()
                    },
                );
            }
        }
        if publishes && !named && !dry {
            let what = "publishes what is here";
            command.acts.push(Act::Opens {
                what,
                deny: false,
                origin: command.origin,
            });
        }
        if name == "kubectl"
            && words
                .iter()
                .any(|word| word.text.starts_with("--address=0"))
        {
            command.acts.push(Act::Opens {
                what: "opens a port of this machine",
                deny: false,
                origin: command.origin,
            });
        }
        let saves = matches!(name, "docker" | "podman") && (has("save") || has("export"));
        let flow = if saves { Flow::BULK } else { Flow::UNKNOWN };
        // `kubectl apply -f -`, `docker load`: what is read is used.
        let applies = matches!(name, "kubectl") && (has("apply") || has("create"));
        if applies && stdin.flow.meets(Flow::NETWORK) {
            command.acts.push(Act::Execute {
                flow: stdin.flow,
                origin: command.origin,
            });
        }
        let pipes_in = words
            .iter()
            .any(|word: &Word| matches!(word.text.as_str(), "-" | "/dev/stdin"));
        let _ = pipes_in;
        Some(Stream::unknown(flow))
    }
}
