// SPDX-License-Identifier: Apache-2.0
//! Shells and other interpreters: which text they run.

use super::options::{Arg, Args, Spec, Text};
use super::run::relative;
use super::value::{Stream, Value};
use super::{Evaluator, Sent};
use crate::shell::act::{Act, Way};
use crate::shell::command::{Command, Flow, Origin, Word};

/// What an interpreter is given.
enum Given {
    Code(Word),
    File(Word),
    Module(Word),
    Input,
    Nothing,
}

/// Whether a program reads shell text.
pub(super) fn is_shell(name: &str) -> bool {
    matches!(
        name,
        "sh" | "bash"
            | "zsh"
            | "dash"
            | "ksh"
            | "ksh93"
            | "mksh"
            | "ash"
            | "fish"
            | "rbash"
            | "csh"
            | "tcsh"
            | "pdksh"
            | "yash"
            | "elvish"
            | "xonsh"
            | "nu"
            | "osh"
    )
}

/// Whether a program reads code of another language: the options that give it code, those with
/// other values.
fn interpreter(name: &str) -> Option<(&'static str, &'static str)> {
    // `python3.12`, `ruby2.7`, `perl5.36`
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    Some(match base {
        "python" | "pypy" | "ipython" | "micropython" | "jython" => ("c", "mWXQ"),
        "node" | "nodejs" | "bun" | "tsx" | "ts-node" | "qjs" => ("ep", "rC"),
        "perl" => ("eE", "IMmCDx"),
        "ruby" | "jruby" | "irb" => ("e", "rICEFKT"),
        "php" => ("rBRE", "dcz"),
        "lua" | "luajit" => ("e", "l"),
        "pwsh" | "powershell" => ("c", ""),
        "osascript" => ("e", "ls"),
        "Rscript" | "julia" | "elixir" | "groovy" | "scala" | "tclsh" | "ghc" | "sbcl"
        | "racket" | "guile" | "raku" | "deno" | "expect" | "jshell" | "R" | "erl" | "swift"
        | "crystal" | "nim" => ("ec", ""),
        _ => return None,
    })
}

pub(super) fn is_interpreter(name: &str) -> bool {
    interpreter(name).is_some()
}

impl Evaluator<'_> {
    /// `sh`, `bash`, …
    pub(super) fn shell(&mut self, command: &mut Command, stdin: Stream) -> Option<Stream> {
        let words = command.arguments().to_vec();
        let spec = Spec::posix("oO", &["rcfile", "init-file"]);
        let (mut code, mut input, mut plain) = (false, false, None);
        let args = Args::new(&words, spec);
        for arg in args {
            match arg {
                // A syntax check runs nothing.
                Arg::Flag("n" | "version" | "help" | "noexec") => return None,
                Arg::Flag("c" | "command") => code = true,
                Arg::Flag("s") => input = true,
                Arg::Flag(_) | Arg::Value(..) => {}
                Arg::Plain(text, place) => {
                    if text.text.starts_with('+') {
                        continue;
                    }
                    plain = Some(place);
                    break;
                }
            }
        }
        let origin = command.origin;
        let Some(place) = plain.filter(|_| code || !input) else {
            // `-c` without code, or what stands on standard input.
            let silent = stdin
                .text
                .is_none()
                .then_some(Stream::unknown(Flow::UNKNOWN));
            if stdin.given && !code {
                self.run_stream(command, stdin, origin);
            }
            return silent;
        };
        let word = words.get(place).cloned().unwrap_or_default();
        if !code {
            let stream = self.read_file(&word);
            let silent = stream
                .text
                .is_none()
                .then_some(Stream::unknown(Flow::UNKNOWN));
            if !stream.flow.meets(Flow::FILE.with(Flow::SECRET)) || stream.text.is_some() {
                self.run_stream(command, stream, word.origin);
            }
            return silent;
        }
        self.note_code(command, &word);
        let arguments = words.get(place.saturating_add(2)..).unwrap_or_default();
        let arguments = arguments.iter().map(|word| Value {
            text: word.text.clone(),
            flow: word.flow,
        });
        // Its `$1`: kept for the text, as for a function.
        let arguments: Vec<_> = arguments.collect();
        self.scope();
        if !arguments.is_empty() {
            self.arguments.push(arguments);
        }
        self.code(&word.text, origin, stdin);
        None
    }

    /// Runs what a stream holds, as far as it is known.
    pub(super) fn run_stream(&mut self, command: &mut Command, stream: Stream, origin: Origin) {
        let from = Flow::NETWORK.with(Flow::DECODED);
        if stream.flow.meets(from) || (stream.text.is_none() && stream.flow.meets(Flow::UNKNOWN)) {
            command.acts.push(Act::Execute {
                flow: stream.flow,
                origin,
            });
        }
        if let Some(text) = stream.text {
            self.code(&text, origin, Stream::empty());
        }
    }

    /// `source FILE`
    pub(super) fn source(&mut self, command: &mut Command) -> Option<Stream> {
        if let Some(word) = command.arguments().first().cloned() {
            let stream = self.read_file(&word);
            if !stream.flow.meets(Flow::FILE.with(Flow::SECRET)) || stream.text.is_some() {
                self.run_stream(command, stream, word.origin);
            }
        }
        None
    }

    /// `python`, `node`, `perl`, …
    pub(super) fn interpret(
        &mut self,
        command: &mut Command,
        name: &str,
        stdin: Stream,
    ) -> Option<Stream> {
        let words = command.arguments().to_vec();
        let given = given(name, &words, stdin.given);
        let origin = command.origin;
        match given {
            Given::Code(mut word) => {
                // Modules that are loaded before it (`-MLWP::Simple`, `-rsocket`) belong to it.
                for module in words.iter().filter_map(|word| {
                    let text = word.text.as_str();
                    text.strip_prefix("-M").or_else(|| text.strip_prefix("-r"))
                }) {
                    word.text.insert_str(0, &format!("use {module};\n"));
                }
                if word.flow.meets(Flow::NETWORK.with(Flow::DECODED))
                    || !word.is_known() && word.flow.meets(Flow::UNKNOWN)
                {
                    command.acts.push(Act::Execute {
                        flow: word.flow,
                        origin,
                    });
                }
                let flow =
                    self.read_code(command, &word.text, stdin.flow.with(word.flow), word.origin);
                Some(Stream::unknown(flow.with(stdin.flow)))
            }
            Given::File(word) => {
                if word.text.contains("://") {
                    let place = self.connect(command, Way::Get, Text::of(&word), Sent::default());
                    command.acts.push(Act::Execute {
                        flow: Flow::from_target(place),
                        origin,
                    });
                    return Some(Stream::unknown(Flow::UNKNOWN));
                }
                let known = self
                    .files
                    .get(&word.text)
                    .or_else(|| self.files.get(relative(&word.text)))
                    .cloned();
                if let Some(stream) = known {
                    return self.interpret_stream(command, stream, stdin.flow, word.origin);
                }
                self.mention_hosts(command, words.get(1..).unwrap_or_default());
                Some(Stream::unknown(stdin.flow.with(Flow::UNKNOWN)))
            }
            Given::Module(word) => self.module(command, &word, &words, stdin),
            Given::Input => self.interpret_stream(command, stdin, Flow::NONE, origin),
            Given::Nothing => None,
        }
    }

    fn interpret_stream(
        &mut self,
        command: &mut Command,
        stream: Stream,
        stdin: Flow,
        origin: Origin,
    ) -> Option<Stream> {
        let from = Flow::NETWORK.with(Flow::DECODED);
        if stream.flow.meets(from) || (stream.text.is_none() && stream.flow.meets(Flow::UNKNOWN)) {
            command.acts.push(Act::Execute {
                flow: stream.flow,
                origin,
            });
        }
        let text = stream.text?;
        let flow = self.read_code(command, &text, stdin, origin);
        Some(Stream::unknown(flow))
    }

    /// `python -m MODULE`
    fn module(
        &mut self,
        command: &mut Command,
        module: &Word,
        words: &[Word],
        stdin: Stream,
    ) -> Option<Stream> {
        let at = words
            .iter()
            .position(|word| word.text == module.text)
            .unwrap_or(0);
        let rest = words.get(at.saturating_add(1)..).unwrap_or_default();
        match module.text.as_str() {
            "http.server" | "SimpleHTTPServer" | "pyftpdlib" | "uploadserver" => {
                let local = rest
                    .iter()
                    .any(|word| matches!(word.text.as_str(), "127.0.0.1" | "localhost" | "::1"));
                if !local {
                    let what = "serves files of this machine to the network";
                    command.acts.push(Act::Opens {
                        what,
                        deny: false,
                        origin: command.origin,
                    });
                }
                None
            }
            "pip" | "pip3" | "uv" => {
                let name = module.text.clone();
                let mut inner = Command {
                    words: words.get(at..).unwrap_or_default().to_vec(),
                    ..command.clone()
                };
                inner.acts.clear();
                let out = self.perform(&mut inner, &name, stdin);
                self.program.commands.push(inner);
                out
            }
            _ => {
                self.mention_hosts(command, rest);
                Some(Stream::unknown(stdin.flow.with(Flow::UNKNOWN)))
            }
        }
    }
}

/// What the arguments of an interpreter give it to run.
#[expect(
    clippy::too_many_lines,
    reason = "one table or one walk, which reads better whole"
)]
fn given(name: &str, words: &[Word], input: bool) -> Given {
    let Some((code, values)) = interpreter(name) else {
        return Given::Nothing;
    };
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let mut at = 0_usize;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        let next = words.get(at.saturating_add(1));
        at = at.saturating_add(1);
        if text == "-" {
            return Given::Input;
        }
        if base == "deno" || base == "bun" || base == "php" {
            match (text, next) {
                ("eval", Some(next)) if base != "php" => return Given::Code(next.clone()),
                ("run" | "test" | "serve" | "x" | "exec", _) => continue,
                ("-S", _) => return Given::Nothing,
                _ => {}
            }
        }
        let lower = text.to_ascii_lowercase();
        if matches!(base, "pwsh" | "powershell") {
            let code = ["-c", "-command", "-e", "-ec", "-encodedcommand", "-enc"]
                .contains(&lower.as_str());
            if let (true, Some(next)) = (code, next) {
                let mut word = next.clone();
                if lower.starts_with("-e") {
                    // UTF-16 in base64.
                    if let Some(bytes) = super::output::base64_decode(&word.text) {
                        word.text = String::from_utf8_lossy(&bytes).replace('\0', "");
                    }
                    word.flow = word.flow.with(Flow::DECODED);
                } else {
                    let rest = words.get(at..).unwrap_or_default();
                    word.text = rest
                        .iter()
                        .map(|word| word.text.as_str())
                        .collect::<Vec<_>>()
                        .join(" ");
                }
                return Given::Code(word);
            }
            if text.starts_with('-') {
                continue;
            }
            return if lower.contains(".ps1") {
                Given::File(word.clone())
            } else {
                Given::Code(word.clone())
            };
        }
        if let Some(long) = text.strip_prefix("--") {
            let (option, value) = long
                .split_once('=')
                .map_or((long, None), |(o, v)| (o, Some(v)));
            match (option, value, next) {
                ("eval" | "print" | "run" | "execute" | "code", Some(value), _) => {
                    return Given::Code(Word {
                        text: value.to_owned(),
                        ..word.clone()
                    });
                }
                ("eval" | "print" | "run" | "execute" | "code", None, Some(next)) => {
                    return Given::Code(next.clone());
                }
                (
                    "require" | "import" | "loader" | "experimental-loader" | "module",
                    None,
                    Some(_),
                ) => at = at.saturating_add(1),
                ("version" | "help" | "check", ..) => return Given::Nothing,
                _ => {}
            }
            continue;
        }
        if let Some(cluster) = text.strip_prefix('-') {
            if cluster == "v" || cluster == "V" || cluster == "h" {
                return Given::Nothing;
            }
            match cluster_code(cluster, code, values, base) {
                Cluster::Code(rest) if !rest.is_empty() => {
                    return Given::Code(Word {
                        text: rest.to_owned(),
                        ..word.clone()
                    });
                }
                Cluster::Code(_) => {
                    // Perl and Ruby join several.
                    let mut all = next.cloned().unwrap_or_default();
                    let mut rest = words.get(at.saturating_add(1)..).unwrap_or_default().iter();
                    while let Some(word) = rest.next() {
                        if word.text == "-e"
                            && let Some(more) = rest.next()
                        {
                            all.text.push('\n');
                            all.text.push_str(&more.text);
                        }
                    }
                    return Given::Code(all);
                }
                Cluster::Module(rest) => {
                    let module = if rest.is_empty() {
                        next.cloned()
                    } else {
                        Some(Word {
                            text: rest.to_owned(),
                            ..word.clone()
                        })
                    };
                    return module.map_or(Given::Nothing, Given::Module);
                }
                Cluster::TakesNext => at = at.saturating_add(1),
                Cluster::Other => {}
            }
            continue;
        }
        return Given::File(word.clone());
    }
    if input { Given::Input } else { Given::Nothing }
}

enum Cluster<'t> {
    Code(&'t str),
    Module(&'t str),
    TakesNext,
    Other,
}

fn cluster_code<'t>(cluster: &'t str, code: &str, values: &str, base: &str) -> Cluster<'t> {
    for (at, letter) in cluster.char_indices() {
        let rest = cluster
            .get(at.saturating_add(letter.len_utf8())..)
            .unwrap_or_default();
        if letter == 'm' && matches!(base, "python" | "pypy") {
            return Cluster::Module(rest);
        }
        if code.contains(letter) {
            return Cluster::Code(rest);
        }
        if values.contains(letter) {
            // Perl's `-MModule` and Ruby's `-rlib` hold their value.
            return if rest.is_empty() {
                Cluster::TakesNext
            } else {
                Cluster::Other
            };
        }
    }
    Cluster::Other
}
