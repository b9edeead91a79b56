// SPDX-License-Identifier: Apache-2.0
//! Lookups and pings: data leaves in the names that are asked for, and in payloads.

use super::super::options::{Arg, Args, Spec, Text};
use super::super::value::Stream;
use super::super::{Evaluator, Sent};
use crate::shell::act::Way;
use crate::shell::command::{Command, Flow};

impl Evaluator<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "all tools answer in one form")]
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    pub(super) fn lookup_host(
        &mut self,
        command: &mut Command,
        name: &str,
        stdin: &Stream,
    ) -> Option<Stream> {
        let words = command.arguments().to_vec();
        let spec = match name {
            "ping" | "ping6" | "fping" | "arping" => {
                Spec::new("cipstwWIMQSTmlD", &["pattern", "count"])
            }
            "hping3" | "nping" => Spec::new(
                "cipstEdeu",
                &["file", "data", "data-string", "count", "sign"],
            ),
            "dig" | "kdig" | "drill" | "delv" => Spec::new("bcfkpqtxyD", &[]),
            "host" => Spec::new("tcNRWmD", &[]),
            "whois" => Spec::new("hpTti", &["host", "port"]),
            "nmap" => Spec::new("piogeSD", &["script", "script-args", "data-string", "data"]),
            _ => Spec::new("mqfNpsiw", &[]),
        };
        let mut payload = Flow::NONE;
        let mut names = Vec::new();
        for arg in Args::new(&words, spec) {
            match arg {
                Arg::Value(
                    "p" | "pattern" | "e" | "E" | "file" | "data" | "data-string" | "sign",
                    value,
                ) => payload = payload.with(value.flow),
                Arg::Value("h" | "host" | "q" | "x", value) => names.push(value),
                Arg::Value("f", value) => {
                    payload = payload
                        .with(super::files::flow_of_path(value.text))
                        .with(value.flow);
                }
                Arg::Plain(value, _) if !value.text.starts_with('+') => names.push(value),
                Arg::Flag(_) | Arg::Value(..) | Arg::Plain(..) => {}
            }
        }
        let mut flow = Flow::NONE;
        let all = names
            .iter()
            .fold(stdin.flow.with(payload), |flow, name| flow.with(name.flow));
        for value in names {
            let host = value.text.trim_start_matches('@');
            if !(host.contains(['.', ':']) || value.text.starts_with('@') || !value.flow.is_empty())
            {
                continue;
            }
            let server = value.text.starts_with('@')
                || matches!(name, "whois" | "hping3" | "nping")
                || !payload.is_empty();
            let text = Text {
                text: host,
                ..value
            };
            let sent = Sent {
                data: if server {
                    all
                } else {
                    value.flow.with(payload)
                },
                ..Sent::default()
            };
            flow = flow.with(Flow::from_target(self.connect(
                command,
                Way::Lookup,
                text,
                sent,
            )));
        }
        Some(Stream::unknown(flow))
    }
}
